"""Callbacks of HiGHS, for whoever runs it: what it finds is told, and it can be asked to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import highspy
import numpy as np

from leotrek_opt.errors import EngineError
from leotrek_opt.solvers.engines.protocol import FloatArray
from leotrek_opt.solvers.engines.runs import Progress, Seen

_Callback = highspy.cb.HighsCallbackType
_WATCHED = (
    _Callback.kCallbackMipImprovingSolution,
    _Callback.kCallbackMipInterrupt,
    _Callback.kCallbackSimplexInterrupt,
    _Callback.kCallbackIpmInterrupt,
)


def whole_point(solution: Any) -> FloatArray:
    """Return a solution of HiGHS whose columns are those of the model."""
    return np.array(solution, dtype=np.float64)


def watch(
    highs: highspy.Highs,
    seen: Seen,
    stop: threading.Event,
    post: Callable[[Progress], None],
    *,
    offset: float,
    point: Callable[[Any], FloatArray] = whole_point,
) -> None:
    """Watch a solver from its next run on, until ``setCallback(None, None)``.

    Parameters
    ----------
    highs
        The solver.
    seen
        Takes what it finds; an exception of `post` ends the run and is kept there.
    stop
        Ends the run.
    post
        Takes progress.
    offset
        Constant in the objective that HiGHS was handed.
    point
        Turns a solution of HiGHS into one value per column of the model.

    Raises
    ------
    EngineError
        If HiGHS takes no callbacks.
    """

    def callback(kind: Any, _message: str, told: Any, answer: Any, _data: Any) -> None:
        try:
            if kind == _Callback.kCallbackMipImprovingSolution:
                objective = told.objective_function_value - offset
                post(seen.solution(point(told.mip_solution), objective))
            elif kind == _Callback.kCallbackMipInterrupt:
                progress = seen.sign_of_life(told.mip_dual_bound - offset, told.mip_node_count)
                if progress is not None:
                    post(progress)
            answer.user_interrupt = stop.is_set()
        except BaseException as error:
            # It must not travel through native frames: the run ends first, then it is raised.
            seen.failure = error
            answer.user_interrupt = True

    highs.setCallback(callback, None)
    for kind in _WATCHED:
        if highs.startCallback(kind) != highspy.HighsStatus.kOk:
            raise EngineError("HiGHS does not take callbacks")
