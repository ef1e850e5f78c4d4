"""From an engine's floating-point claims to values and bounds in the model's own integers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.errors import EngineError, InputError
from leotrek_opt.solvers.engines.protocol import EngineResult, Termination
from leotrek_opt.solvers.linear import ColumnKind, LinearModel, ModelArrays
from leotrek_opt.solvers.linear_arrays import exact_dot
from leotrek_opt.solvers.status import Status

FloatArray = NDArray[np.float64]

INTEGRALITY_TOLERANCE = 1e-5
"""Farthest that an engine's integer may be off; anything more is an error, not an answer."""
_START_TOLERANCE = 1e-6


def checked_start(model: LinearModel, warm_start: ArrayLike) -> FloatArray:
    """Check that a warm start is a complete, feasible point.

    Parameters
    ----------
    model
        The model.
    warm_start
        One value per column, shape (n,). Integral points are judged exactly, others to 1e-6, as
        :meth:`~leotrek_opt.solvers.linear.LinearModel.violations_of` means it.

    Returns
    -------
    numpy.ndarray
        The point as float64.

    Raises
    ------
    InputError
        If it breaks a bound or a row; the text names the first.
    """
    values = np.array(warm_start, dtype=np.float64)
    arrays = model.arrays()
    broken = model.violations_of(values, tolerance=_START_TOLERANCE)
    if broken:
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        raise InputError(f"is not feasible: {broken[0]}{more}", field="warm_start")
    return snapped(arrays, values, "the warm start")


def snapped(arrays: ModelArrays, values: FloatArray, whose: str) -> FloatArray:
    """Round integer columns to integers and bring the others within their bounds.

    Parameters
    ----------
    arrays
        The model.
    values
        One value per column, shape (n,).
    whose
        Whose values they are, for the error.

    Returns
    -------
    numpy.ndarray
        A new array. Columns implied to be integer are rounded where they are close to an integer.

    Raises
    ------
    EngineError
        If there is not one finite value per column, an integer column is not close to an integer,
        or a column is outside its bounds.
    """
    if values.shape != arrays.cost.shape or not np.all(np.isfinite(values)):
        raise EngineError(f"{whose} does not hold one finite value per column")
    nearest = np.rint(values)
    far = np.abs(values - nearest) > INTEGRALITY_TOLERANCE
    wrong = np.flatnonzero(far & (arrays.kind == ColumnKind.INTEGER))
    if wrong.size:
        raise EngineError(f"{whose} gives integer column {wrong[0]} the value {values[wrong[0]]}")
    rounded = np.where(far | (arrays.kind == ColumnKind.CONTINUOUS), values, nearest)
    inside = np.clip(rounded, arrays.lower, arrays.upper)
    outside = np.abs(inside - rounded) > INTEGRALITY_TOLERANCE * np.maximum(1.0, np.abs(inside))
    if outside.any():
        column = int(np.flatnonzero(outside)[0])
        raise EngineError(f"{whose} gives column {column} the value {values[column]}")
    return inside + 0.0


def require_feasible(model: LinearModel, values: FloatArray, whose: str) -> None:
    """Refuse a point of integers that breaks a row.

    Points with fractional values are not judged here: a row then holds to the engine's tolerance
    only.

    Parameters
    ----------
    model
        The model.
    values
        Snapped values, shape (n,).
    whose
        Whose values they are, for the error.

    Raises
    ------
    EngineError
        If a row is broken; the text names the first.
    """
    if np.all(np.rint(values) == values):
        broken = model.violations_of(values)
        if broken:
            raise EngineError(f"{whose} is not feasible: {broken[0]}")


def inner_objective(arrays: ModelArrays, values: FloatArray) -> float:
    """Evaluate ``cost' x`` from the model's data, negated if the model maximises.

    Parameters
    ----------
    arrays
        The model.
    values
        Shape (n,).

    Returns
    -------
    float
        An int, and exact, if every column with a cost has an integral value.
    """
    priced = np.flatnonzero(arrays.cost)
    cost, point = arrays.cost[priced] * arrays.sign, values[priced]
    if np.all(np.rint(point) == point):
        return exact_dot(cost, point)
    return math.fsum((cost * point).tolist())


def objective_at(arrays: ModelArrays, values: FloatArray) -> float:
    """Evaluate the objective from the model's data.

    Parameters
    ----------
    arrays
        The model.
    values
        Shape (n,).

    Returns
    -------
    float
        An int, and exact, if every column with a cost has an integral value.
    """
    return arrays.offset + arrays.sign * inner_objective(arrays, values)


def absolute_gap(arrays: ModelArrays) -> float:
    """Return the absolute gap within which an optimum is proven.

    Parameters
    ----------
    arrays
        The model.

    Returns
    -------
    float
        Just below the step of the objective where it has one: two values that close are the same.
        Otherwise 1e-6.
    """
    step = arrays.objective_step
    return 1e-6 if step is None else 0.999 * step


def settled_bound(arrays: ModelArrays, bound: float, step: int | None) -> float:
    """Turn a bound on the minimised objective without offset into one on the model's objective.

    Parameters
    ----------
    arrays
        The model.
    bound
        Finite lower bound on ``cost' x``, negated if the model maximises.
    step
        What the objective moves in; the bound goes to the next such value. A float may exceed one
        by rounding errors, 1e-6 steps; an int is exact. None leaves it where it is.

    Returns
    -------
    float
        In the model's own sense, with the offset; an int if there is a step.
    """
    if step is None:
        return arrays.offset + arrays.sign * bound
    if isinstance(bound, int):
        return arrays.offset + arrays.sign * step * -(-bound // step)
    steps = bound / step
    return arrays.offset + arrays.sign * step * math.ceil(steps - 1e-6 - 1e-14 * abs(steps))


@dataclass(frozen=True, eq=False)
class Claim:
    """What an engine says at the end of a run.

    Numbers are about the objective as it is minimised, without offset: ``cost' x``, negated if the
    model maximises.

    Attributes
    ----------
    termination
        Why the run ended.
    infeasible, unbounded
        What is claimed of the model; both together mean that one of them holds.
    values, objective, bound
        Solution as the engine gives it, and its own word on objective and bound; None if unknown.
    nodes, iterations, solutions, message, row_dual, column_dual
        As in :class:`EngineResult`.
    """

    termination: Termination
    infeasible: bool = False
    unbounded: bool = False
    values: FloatArray | None = None
    objective: float | None = None
    bound: float | None = None
    nodes: int = 0
    iterations: int = 0
    solutions: int = 0
    message: str = ""
    row_dual: FloatArray | None = None
    column_dual: FloatArray | None = None


def concluded(
    model: LinearModel,
    arrays: ModelArrays,
    claim: Claim,
    *,
    engine: str,
    step: int | None,
    start: FloatArray | None,
    cutoff: float | None,
    seconds: float,
) -> EngineResult:
    """Turn a claim into a result: whatever the model's own data can check is checked.

    Parameters
    ----------
    model
        The model as it was given.
    arrays
        The model as the engine saw it, for instance without integrality.
    claim
        What the engine says.
    engine
        Its name, for errors.
    step
        What the objective moves in, or None.
    start
        A feasible point that the result must not be worse than, or None.
    cutoff
        Objective from which on the engine did not look, or None.
    seconds
        Wall time of the call.

    Returns
    -------
    EngineResult
        The better of start and claimed solution, with a bound that counts up to the cutoff only.

    Raises
    ------
    EngineError
        If the claimed solution breaks the model or does not have the claimed objective, or a known
        feasible point refutes the claimed bound or infeasibility.
    """
    values, inner, noise = _best_known(model, arrays, claim, engine, start)
    if claim.unbounded:
        return _result(
            arrays, claim, Status.UNBOUNDED, claim.termination, None, None, None, seconds
        )
    bound = math.inf if claim.infeasible else claim.bound
    if bound is not None and (math.isnan(bound) or bound == -math.inf):
        bound = None
    inner_cutoff = None if cutoff is None else float(arrays.sign * (cutoff - arrays.offset))
    was_cut = inner_cutoff is not None and bound is not None and bound >= inner_cutoff
    if was_cut:
        bound = inner_cutoff
    if bound == math.inf and inner is None:
        return _result(
            arrays, claim, Status.INFEASIBLE, claim.termination, None, None, None, seconds
        )
    objective = None if inner is None else arrays.offset + arrays.sign * inner
    settled = None
    if bound is not None:
        if inner is not None and bound > inner:
            _require_consistent(engine, inner, bound, noise)
            bound = inner
        settled = settled_bound(arrays, bound, step)
        if objective is not None and arrays.sign * (settled - objective) > 0:
            settled = objective
    if objective is not None and settled is not None and bound_meets(objective, settled):
        status, termination = Status.OPTIMAL, Termination.PROVEN
    elif claim.termination is Termination.CANCELLED:
        status, termination = Status.INTERRUPTED, claim.termination
    else:
        status = Status.NO_SOLUTION if objective is None else Status.FEASIBLE
        termination = claim.termination
        if termination is Termination.PROVEN:
            termination = Termination.CUTOFF if was_cut else Termination.GAP
    if status is Status.NO_SOLUTION and termination is Termination.GAP:
        raise EngineError(f"{engine} claims an optimum without a solution")
    return _result(arrays, claim, status, termination, values, objective, settled, seconds)


def bound_meets(objective: float, bound: float) -> bool:
    """Tell whether a bound proves an objective optimal.

    Parameters
    ----------
    objective, bound
        Compared exactly if both are ints, else to 1e-6 plus 1e-9 of the objective.

    Returns
    -------
    bool
        Whether they meet.
    """
    if isinstance(objective, int) and isinstance(bound, int):
        return objective == bound
    return abs(objective - bound) <= 1e-6 + 1e-9 * abs(objective)


def _best_known(
    model: LinearModel,
    arrays: ModelArrays,
    claim: Claim,
    engine: str,
    start: FloatArray | None,
) -> tuple[FloatArray | None, float | None, float]:
    """Return the better of start and claimed solution, its objective, and what rounding moved."""
    best = None if start is None else (start, inner_objective(arrays, start), 0.0)
    if claim.values is not None:
        values = snapped(arrays, claim.values, engine)
        if np.any(arrays.kind != ColumnKind.CONTINUOUS):
            require_feasible(model, values, engine)
        inner = inner_objective(arrays, values)
        noise = abs(float(arrays.cost @ (claim.values - values)))
        claimed = claim.objective
        if claimed is not None and abs(claimed - inner) > noise + 1e-6 * max(1.0, abs(inner)):
            raise EngineError(f"{engine} claims objective {claimed} for a point that has {inner}")
        if best is None or inner <= best[1]:
            best = values, inner, noise
    return (None, None, 0.0) if best is None else best


def _require_consistent(engine: str, inner: float, bound: float, noise: float) -> None:
    """Raise if a feasible point is better than what is claimed to be possible."""
    if bound - inner > noise + 1e-6 + 1e-8 * abs(inner):
        raise EngineError(
            f"{engine} claims that nothing is better than {bound}, yet {inner} is feasible "
            "(minimised, without offset)"
        )


def _result(
    arrays: ModelArrays,
    claim: Claim,
    status: Status,
    termination: Termination,
    values: FloatArray | None,
    objective: float | None,
    bound: float | None,
    seconds: float,
) -> EngineResult:
    return EngineResult(
        status=status,
        termination=termination,
        values=values,
        objective=objective,
        bound=bound,
        claimed_objective=(
            None
            if claim.objective is None or values is None
            else arrays.offset + arrays.sign * claim.objective
        ),
        nodes=claim.nodes,
        iterations=claim.iterations,
        seconds=seconds,
        message=claim.message,
        solution_count=0 if values is None else max(1, claim.solutions),
        row_dual=claim.row_dual,
        column_dual=claim.column_dual,
    )
