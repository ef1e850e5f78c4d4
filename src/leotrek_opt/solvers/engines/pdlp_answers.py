"""From PDLP's approximate points to results: what its tolerances are worth is said, not hidden."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from leotrek_opt.errors import EngineError
from leotrek_opt.solvers.engines.answers import (
    Claim,
    FloatArray,
    bound_meets,
    inner_objective,
    snapped,
)
from leotrek_opt.solvers.engines.protocol import EngineResult, Termination
from leotrek_opt.solvers.linear import ModelArrays
from leotrek_opt.solvers.linear_arrays import float_activities
from leotrek_opt.solvers.status import Status

ROW_TOLERANCE = 1e-6
"""Part of its side, or of 1, by which a row of an optimum may be broken."""


@dataclass(frozen=True, eq=False)
class _Point:
    """A point within the bounds of its columns, and how well it keeps the rows.

    Attributes
    ----------
    values
        Shape (n,).
    objective
        In the model's own sense.
    row, excess
        The row that is broken most, relative to its side, and by how much; -1 and 0 for none.
    """

    values: FloatArray
    objective: float
    row: int
    excess: float

    @property
    def keeps_rows(self) -> bool:
        return self.excess <= ROW_TOLERANCE


def judged(
    arrays: ModelArrays,
    claim: Claim,
    bound: Fraction | None,
    *,
    start: FloatArray | None,
    seconds: float,
) -> EngineResult:
    """Turn a claim of PDLP into a result.

    Parameters
    ----------
    arrays
        The linear program.
    claim
        What PDLP says; its duals are in the model's own sense.
    bound
        Bound on the objective, derived from the duals.
    start
        A feasible point that the result must not be worse than, or None.
    seconds
        Wall time of the call.

    Returns
    -------
    EngineResult
        ``optimal`` only if the bound meets the objective of a point that keeps the rows.

    Raises
    ------
    EngineError
        If a start refutes the claim that there is no solution.
    """
    if claim.unbounded:
        return _result(arrays, claim, Status.UNBOUNDED, None, None, seconds)
    if claim.infeasible:
        if start is not None:
            raise EngineError("PDLP claims that there is no solution, yet the start is feasible")
        return _result(arrays, claim, Status.INFEASIBLE, None, None, seconds)
    point = _best(arrays, claim, start)
    limit = None if bound is None else _outward(bound, arrays.sign)
    if point is None:
        status = Status.NO_SOLUTION
    elif limit is not None and point.keeps_rows and bound_meets(point.objective, limit):
        status = Status.OPTIMAL
        # A row that is broken a little may put the objective a little beyond the bound.
        limit = arrays.sign * min(arrays.sign * limit, arrays.sign * point.objective)
    else:
        status = Status.FEASIBLE
    return _result(arrays, claim, status, point, limit, seconds)


def _best(arrays: ModelArrays, claim: Claim, start: FloatArray | None) -> _Point | None:
    """Return the better of the start and of PDLP's point, if that is a solution at all."""
    best = None if start is None else _point(arrays, start)
    if claim.values is None:
        return best
    found = _point(arrays, snapped(arrays, claim.values, "PDLP"))
    # Where PDLP did not reach its tolerances, its point is on its way and mostly infeasible.
    if claim.termination is not Termination.PROVEN and not found.keeps_rows:
        return best
    is_better = best is None or arrays.sign * (found.objective - best.objective) <= 0
    return found if is_better else best


def _point(arrays: ModelArrays, values: FloatArray) -> _Point:
    activity = float_activities(arrays, values)
    over, under = activity - arrays.row_upper, arrays.row_lower - activity
    side = np.where(over > under, arrays.row_upper, arrays.row_lower)
    scale = np.maximum(1.0, np.abs(np.where(np.isfinite(side), side, 0.0)))
    excess = np.maximum(0.0, np.maximum(over, under)) / scale
    row = int(np.argmax(excess)) if excess.size and excess.max() > 0 else -1
    objective = arrays.offset + arrays.sign * inner_objective(arrays, values)
    return _Point(values, objective, row, 0.0 if row < 0 else float(excess[row]))


def _outward(bound: Fraction, sign: int) -> float:
    """Return the bound as an int if it is one, else as a float that is no better."""
    if bound.denominator == 1:
        return bound.numerator
    nearest = float(bound)
    is_better = sign * (Fraction(nearest) - bound) > 0
    return math.nextafter(nearest, -sign * math.inf) if is_better else nearest


def _result(
    arrays: ModelArrays,
    claim: Claim,
    status: Status,
    point: _Point | None,
    bound: float | None,
    seconds: float,
) -> EngineResult:
    termination = claim.termination
    if status is Status.OPTIMAL:
        termination = Termination.PROVEN
    elif termination is Termination.CANCELLED:
        status = Status.INTERRUPTED
    elif status is Status.FEASIBLE and termination is Termination.PROVEN:
        termination = Termination.GAP
    message = claim.message
    if point is not None and point.row >= 0:
        message += f"; row {point.row} is broken most, by {point.excess:.1e} of its side"
    return EngineResult(
        status=status,
        termination=termination,
        values=None if point is None else point.values,
        objective=None if point is None else point.objective,
        bound=bound,
        claimed_objective=(
            None
            if claim.objective is None or point is None
            else arrays.offset + arrays.sign * claim.objective
        ),
        nodes=0,
        iterations=claim.iterations,
        seconds=seconds,
        message=message,
        solution_count=0 if point is None else 1,
        row_dual=claim.row_dual,
        column_dual=None if claim.row_dual is None else _column_dual(arrays, claim.row_dual),
    )


def _column_dual(arrays: ModelArrays, row_dual: FloatArray) -> FloatArray:
    priced = np.zeros(arrays.cost.size)
    np.add.at(priced, arrays.indices, arrays.data * np.repeat(row_dual, np.diff(arrays.indptr)))
    return arrays.cost - priced
