"""What SCIP tells while it runs: better solutions, better bounds, and signs of life."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from ortools.math_opt import callback_pb2

from leotrek_opt.errors import EngineError
from leotrek_opt.solvers.engines.answers import inner_objective, snapped
from leotrek_opt.solvers.engines.mathopt import dense
from leotrek_opt.solvers.engines.runs import Progress, Seen
from leotrek_opt.solvers.linear_arrays import FloatArray, ModelArrays, exact_activities


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
        self.seen = Seen()

    @property
    def has_reached_target(self) -> bool:
        """Whether the best solution is as good as the target."""
        objective = self.seen.objective
        return self._target is not None and objective is not None and objective <= self._target

    def __call__(self, told: Any) -> callback_pb2.CallbackResultProto:
        """Take what MathOpt tells; the answer says whether to end the run."""
        try:
            if told.event == callback_pb2.CALLBACK_EVENT_MIP_SOLUTION:
                self.see(dense(told.primal_solution_vector, self._arrays.cost.size))
            self._see_bound(told.mip_stats)
        except BaseException as error:
            # It must not travel through native frames: the run ends first, then it is raised.
            self.seen.failure = error
        return callback_pb2.CallbackResultProto(
            terminate=self._stop.is_set()
            or self.has_reached_target
            or self.seen.failure is not None
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
        if self.seen.objective is not None and objective >= self.seen.objective:
            return
        if not _keeps_rows_if_integral(self._arrays, point):
            return
        self.post(self.seen.solution(point, objective))

    def _see_bound(self, stats: Any) -> None:
        bound = self._from_native(stats.dual_bound)
        progress = self.seen.sign_of_life(bound, stats.explored_nodes)
        if progress is not None:
            self.post(progress)


def _keeps_rows_if_integral(arrays: ModelArrays, point: FloatArray) -> bool:
    if np.any(np.rint(point) != point):
        return True
    activity = exact_activities(arrays, point)
    return bool(np.all((activity >= arrays.row_lower) & (activity <= arrays.row_upper)))
