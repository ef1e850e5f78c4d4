"""What SCIP tells while it runs: better solutions, better bounds, and signs of life."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ortools.math_opt import callback_pb2

from leotrek_opt.errors import EngineError
from leotrek_opt.solvers.engines.answers import inner_objective, snapped
from leotrek_opt.solvers.engines.mathopt import dense
from leotrek_opt.solvers.engines.native_call import SIGN_OF_LIFE_S
from leotrek_opt.solvers.linear_arrays import FloatArray, ModelArrays, exact_activities


@dataclass(frozen=True)
class Progress:
    """A better solution, or without values a better bound or a sign of life.

    Numbers are of the minimised objective without offset.
    """

    values: FloatArray | None
    objective: float | None
    bound: float | None
    nodes: int


class Watch:
    """The best that the callbacks of one run saw; called by MathOpt on the solver's thread.

    Parameters
    ----------
    arrays
        The model.
    stop
        Makes the callbacks end the run.
    from_native
        Turns SCIP's objective into the minimised one without offset.
    target
        Minimised objective from which on a solution ends the run, or None.
    """

    def __init__(
        self,
        arrays: ModelArrays,
        stop: threading.Event,
        *,
        from_native: Callable[[float], float],
        target: float | None,
    ) -> None:
        self._arrays, self._stop = arrays, stop
        self._from_native, self._target = from_native, target
        self.post: Callable[[Progress], None] = lambda _: None
        self.values: FloatArray | None = None
        self.objective: float | None = None
        self.bound: float | None = None
        self.nodes = 0
        self.solutions = 0
        self.failure: BaseException | None = None
        self._told = -math.inf

    @property
    def has_reached_target(self) -> bool:
        """Whether the best solution is as good as the target."""
        return (
            self._target is not None
            and self.objective is not None
            and self.objective <= self._target
        )

    def __call__(self, told: Any) -> callback_pb2.CallbackResultProto:
        """Take what MathOpt tells; the answer says whether to end the run."""
        try:
            if told.event == callback_pb2.CALLBACK_EVENT_MIP_SOLUTION:
                self.see(dense(told.primal_solution_vector, self._arrays.cost.size))
            self._see_bound(told.mip_stats)
        except BaseException as error:
            # It must not travel through native frames: the run ends first, then it is raised.
            self.failure = error
        return callback_pb2.CallbackResultProto(
            terminate=self._stop.is_set() or self.has_reached_target or self.failure is not None
        )

    def see(self, values: FloatArray) -> None:
        """Take a solution, unless it is no better than the best or breaks the model.

        SCIP judges rows relative to their size, so a point of integers may break a row by more than
        one; it also offers points that it then does not keep.
        """
        try:
            point = snapped(self._arrays, values, "SCIP")
        except EngineError:
            return
        objective = inner_objective(self._arrays, point)
        if self.objective is not None and objective >= self.objective:
            return
        if not _keeps_rows_if_integral(self._arrays, point):
            return
        self.values, self.objective = point, objective
        self.solutions += 1
        self._tell(point)

    def _see_bound(self, stats: Any) -> None:
        self.nodes = max(self.nodes, stats.explored_nodes)
        bound = self._from_native(stats.dual_bound)
        is_better = math.isfinite(bound) and (self.bound is None or bound > self.bound)
        if is_better:
            self.bound = bound
        if is_better or time.monotonic() >= self._told + SIGN_OF_LIFE_S:
            self._tell(None)

    def _tell(self, values: FloatArray | None) -> None:
        self._told = time.monotonic()
        self.post(Progress(values, self.objective, self.bound, self.nodes))


def _keeps_rows_if_integral(arrays: ModelArrays, point: FloatArray) -> bool:
    if np.any(np.rint(point) != point):
        return True
    activity = exact_activities(arrays, point)
    return bool(np.all((activity >= arrays.row_lower) & (activity <= arrays.row_upper)))
