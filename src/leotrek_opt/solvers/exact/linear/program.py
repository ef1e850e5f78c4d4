"""The linear relaxation of a model in changing boxes, solved by one HiGHS from warm bases."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np

from leotrek_opt.solvers.engines.highs import load
from leotrek_opt.solvers.engines.highs_options import set_option
from leotrek_opt.solvers.linear_arrays import ColumnKind, FloatArray, ModelArrays

Basis = Any
"""A basis as HiGHS keeps it; highspy has no type for it."""

_ERROR = highspy.HighsStatus.kError
_Ended = highspy.HighsModelStatus
_UNLIMITED = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Relaxed:
    """What HiGHS says of the relaxation in a box; all of it in floating point.

    Attributes
    ----------
    objective
        Minimised objective without offset, infinite if the box is claimed to hold nothing, minus
        infinity if there is no limit; None if the run ended without a claim.
    values, row_dual
        Optimal point and duals, shapes (n,) and (m,), or None.
    iterations
        Of the simplex method.
    """

    objective: float | None
    values: FloatArray | None = None
    row_dual: FloatArray | None = None
    iterations: int = 0


class Program:
    """A relaxation whose integer columns are given new bounds again and again.

    Parameters
    ----------
    arrays
        The model; it is minimised, its costs negated if it maximises.
    seed
        Of HiGHS.
    stop
        Set it, from any thread, to end a run.
    """

    def __init__(self, arrays: ModelArrays, *, seed: int, stop: threading.Event) -> None:
        self.integer_columns = np.flatnonzero(arrays.kind == ColumnKind.INTEGER).astype(np.int32)
        self._highs = load(replace(arrays, kind=np.zeros(arrays.cost.size, dtype=np.int8)))
        for name, value in (
            ("presolve", "off"),  # rays of a presolved model are not to be had
            ("solver", "simplex"),
            ("threads", 1),
            ("random_seed", seed),
        ):
            set_option(self._highs, name, value)
        self._stop = stop
        self._highs.setCallback(self._interrupt, None)
        self._highs.startCallback(highspy.cb.HighsCallbackType.kCallbackSimplexInterrupt)

    def close(self) -> None:
        """Give back what HiGHS holds on this thread."""
        self._highs.setCallback(None, None)
        highspy.Highs.resetGlobalScheduler(True)

    def solve(
        self,
        lower: FloatArray,
        upper: FloatArray,
        basis: Basis | None,
        *,
        max_iterations: int = _UNLIMITED,
    ) -> Relaxed:
        """Solve in a box.

        Parameters
        ----------
        lower, upper
            Bounds of the integer columns, in order.
        basis
            To start from, or None to start from the last one.
        max_iterations
            After which a run ends without a claim, unless it has found a dual bound.

        Returns
        -------
        Relaxed
            What it says.
        """
        highs, columns = self._highs, self.integer_columns
        highs.changeColsBounds(columns.size, columns, lower, upper)
        if basis is not None:
            highs.setBasis(basis)
        set_option(highs, "simplex_iteration_limit", max_iterations)
        if highs.run() == _ERROR:
            # A basis may be too far off to be of use; if nothing helps, nothing is claimed.
            highs.clearSolver()
            highs.run()
        ended, info = highs.getModelStatus(), highs.getInfo()
        iterations = max(0, info.simplex_iteration_count)
        if ended == _Ended.kInfeasible:
            return Relaxed(np.inf, iterations=iterations)
        if ended == _Ended.kUnbounded:
            return Relaxed(-np.inf, iterations=iterations)
        is_dual_feasible = info.dual_solution_status == int(highspy.kSolutionStatusFeasible)
        if ended == _Ended.kIterationLimit and is_dual_feasible:
            return Relaxed(info.objective_function_value, iterations=iterations)
        if ended != _Ended.kOptimal:
            return Relaxed(None, iterations=iterations)
        solution = highs.getSolution()
        return Relaxed(
            info.objective_function_value,
            np.array(solution.col_value, dtype=np.float64),
            np.array(solution.row_dual, dtype=np.float64),
            iterations,
        )

    def basis(self) -> Basis:
        """Return the basis at the end of the last run."""
        return self._highs.getBasis()

    def ray(self) -> FloatArray | None:
        """Return multipliers of the rows that contradict the last box, if HiGHS has them."""
        _, exists, ray = self._highs.getDualRay()
        if not exists:
            # It may have stopped before it had one; another run from nothing goes to the end.
            self._highs.clearSolver()
            self._highs.run()
            _, exists, ray = self._highs.getDualRay()
        return np.array(ray, dtype=np.float64) if exists else None

    def _interrupt(self, _kind: Any, _text: str, _told: Any, answer: Any, _data: Any) -> None:
        answer.user_interrupt = self._stop.is_set()
