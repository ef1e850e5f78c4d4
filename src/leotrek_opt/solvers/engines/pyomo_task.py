"""What a solver of Pyomo's is asked, and how its words are read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import EngineError
from leotrek_opt.solvers.engines.answers import INTEGRALITY_TOLERANCE, Claim
from leotrek_opt.solvers.engines.protocol import Termination
from leotrek_opt.solvers.linear import ColumnKind, ModelArrays

FloatArray = NDArray[np.float64]

# By the names that the interfaces of Pyomo share, old and new. What is not here is a failure, or
# something a later version added: it raises.
TERMINATIONS = {
    "optimal": Termination.PROVEN,
    "globallyOptimal": Termination.PROVEN,
    "infeasible": Termination.PROVEN,
    "unbounded": Termination.PROVEN,
    "infeasibleOrUnbounded": Termination.UNKNOWN,
    "maxTimeLimit": Termination.TIME_LIMIT,
    "maxEvaluations": Termination.NODE_LIMIT,
    "maxIterations": Termination.ENGINE_LIMIT,
    "resourceInterrupt": Termination.ENGINE_LIMIT,
    "minFunctionValue": Termination.ENGINE_LIMIT,
    "objectiveLimit": Termination.ENGINE_LIMIT,
    "minStepLength": Termination.ENGINE_LIMIT,
    "locallyOptimal": Termination.UNKNOWN,
    "feasible": Termination.UNKNOWN,
    "intermediateNonInteger": Termination.UNKNOWN,
    "interrupted": Termination.UNKNOWN,
    "userInterrupt": Termination.UNKNOWN,
    "noSolution": Termination.UNKNOWN,
    "unknown": Termination.UNKNOWN,
    "other": Termination.UNKNOWN,
}
_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Task:
    """One run of one solver; it can be sent to another process.

    Attributes
    ----------
    solver
        Name of the solver as Pyomo knows it.
    arrays
        What is solved: a minimisation. Its offset is 0 unless a relative gap depends on it.
    options
        The solver's own options, limits among them.
    start
        A feasible point to start from, or None.
    reports_bounds
        Whether bounds are believed that do not come with an optimum.
    optimum_slack
        By what part of its objective an ``optimal`` solution of an integer program may be off; None
        if by an unknown gap.
    whole_seconds
        Whether a time limit must be a whole number of seconds.
    time_option
        The solver's option for a time limit, or None if Pyomo passes one on.
    """

    solver: str
    arrays: ModelArrays
    options: Mapping[str, object]
    start: FloatArray | None
    reports_bounds: bool
    optimum_slack: float | None
    whole_seconds: bool
    time_option: str | None

    @property
    def is_lp(self) -> bool:
        """Whether no column must be integer."""
        return not np.any(self.arrays.kind == ColumnKind.INTEGER)


def minimised(arrays: ModelArrays, *, with_offset: bool) -> ModelArrays:
    """Return a model as it is handed over: minimising, mostly without its offset.

    Parameters
    ----------
    arrays
        The model.
    with_offset
        Whether a relative gap depends on the offset.

    Returns
    -------
    ModelArrays
        Same columns and rows.
    """
    return replace(
        arrays,
        cost=arrays.sign * arrays.cost + 0.0,
        minimise=True,
        offset=arrays.sign * arrays.offset if with_offset else 0,
    )


def default_values(arrays: ModelArrays) -> FloatArray:
    """Return the value nearest to 0 of every column, for those that no row and no cost mentions."""
    return np.clip(np.zeros(arrays.cost.size), arrays.lower, arrays.upper)


def claimed(
    task: Task,
    condition: str,
    *,
    values: FloatArray | None,
    objective: float | None,
    bound: float | None,
    message: str,
    nodes: int = 0,
    iterations: int = 0,
) -> Claim:
    """Turn what Pyomo says of a run into a claim.

    Parameters
    ----------
    task
        What was asked.
    condition
        Name of Pyomo's termination condition.
    values
        The solution, or None. One that is not feasible is dropped if it is not said to be optimal:
        a solver stopped by a limit may hand out whatever point it is at.
    objective, bound
        Its objective and a lower bound as Pyomo reports them, offset included, or None. Unless the
        solver's numbers are exact, neither counts.
    message, nodes, iterations
        For the result.

    Returns
    -------
    Claim
        About the minimised objective without offset.

    Raises
    ------
    EngineError
        If the condition is a failure or unknown.
    """
    termination = TERMINATIONS.get(condition)
    if termination is None:
        raise EngineError(f"pyomo:{task.solver} ended with {condition}: {message}")
    is_optimal = condition in {"optimal", "globallyOptimal"}
    if values is not None and not is_optimal and _is_infeasible(task.arrays, values):
        values = None
    own = None if values is None else float(task.arrays.cost @ values)
    word = None
    if objective is not None and task.reports_bounds and values is not None:
        word = objective - task.arrays.offset
    return Claim(
        termination,
        infeasible=condition in {"infeasible", "infeasibleOrUnbounded"},
        unbounded=condition in {"unbounded", "infeasibleOrUnbounded"},
        values=values,
        objective=word,
        bound=_lower_bound(task, own if is_optimal else None, bound),
        nodes=nodes,
        iterations=iterations,
        solutions=0 if values is None else 1,
        message=message,
    )


def _lower_bound(task: Task, optimum: float | None, bound: float | None) -> float | None:
    # After a linear program that was stopped, Pyomo passes the objective off as the bound.
    if task.is_lp:
        return optimum
    if task.reports_bounds:
        return None if bound is None or math.isnan(bound) else bound - task.arrays.offset
    if optimum is None or task.optimum_slack is None:
        return None
    return optimum - task.optimum_slack * (1 + abs(optimum))


def _is_infeasible(arrays: ModelArrays, values: FloatArray) -> bool:
    integer = values[arrays.kind == ColumnKind.INTEGER]
    if np.any(np.abs(integer - np.rint(integer)) > INTEGRALITY_TOLERANCE):
        return True
    row = np.repeat(np.arange(arrays.row_lower.size), np.diff(arrays.indptr))
    terms = arrays.data * values[arrays.indices]
    activity = np.bincount(row, weights=terms, minlength=arrays.row_lower.size)
    size = np.bincount(row, weights=np.abs(terms), minlength=arrays.row_lower.size)
    slack = _TOLERANCE * np.maximum(1.0, size)
    return bool(
        np.any((activity < arrays.row_lower - slack) | (activity > arrays.row_upper + slack))
    )
