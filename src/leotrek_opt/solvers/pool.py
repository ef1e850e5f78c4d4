"""The k best distinct solutions of a model, each proven best among those not listed before it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.errors import EngineError, InputError
from leotrek_opt.solvers.engines import engine_named
from leotrek_opt.solvers.engines.answers import bound_meets
from leotrek_opt.solvers.engines.protocol import EngineResult, Limits, Termination
from leotrek_opt.solvers.linear import ColumnKind, LinearModel
from leotrek_opt.solvers.linear_input import MAX_COEFFICIENT, indices_below
from leotrek_opt.solvers.method import Budget
from leotrek_opt.solvers.rationals import number
from leotrek_opt.solvers.status import Status

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class PoolSolution:
    """One solution of a pool.

    Attributes
    ----------
    values
        float64, shape (n,).
    objective
        In the model's own sense; an int where that is exact.
    """

    values: FloatArray
    objective: float


@dataclass(frozen=True, eq=False)
class Pool:
    """Answer of :func:`k_best`.

    Attributes
    ----------
    solutions
        Best first; each is proven: no solution that is distinct from those before it is better.
        Solutions of one objective stand in ascending lexicographic order of the columns that make
        them distinct. If more solutions have the last objective than fit, which of them are listed
        is the engine's choice, the same for the same seed and one thread.
    status
        ``optimal`` if all that was asked for is listed; ``infeasible`` or ``unbounded`` if the
        model is; ``interrupted`` after cancelling; ``feasible`` (``no_solution`` if nothing is
        listed) if a limit came first.
    termination
        Why the search ended.
    is_complete
        Whether no other solution exists, or none within the gap.
    bound
        No solution that is not listed is better than this; None if unknown, or if there is none.
    candidate
        The best solution seen that is not listed, because a limit came before its proof, or None.
    seconds
        Wall time.
    """

    solutions: tuple[PoolSolution, ...]
    status: Status
    termination: Termination
    is_complete: bool
    bound: float | None
    candidate: PoolSolution | None
    seconds: float


def k_best(
    model: LinearModel,
    k: int,
    engine: str = "highs",
    *,
    over: ArrayLike | None = None,
    gap: float | None = None,
    limits: Limits = Limits(),  # noqa: B008 frozen
    cancel: threading.Event | None = None,
) -> Pool:
    """Find the k best solutions that differ in some integer column.

    After each solution the model gets rows that exclude it and nothing else: of the binary columns,
    or of differences above and below for wider ones, at least one must hold.

    Parameters
    ----------
    model
        The model; it is not changed.
    k
        How many solutions, >= 1.
    engine
        Name of an engine that takes the model.
    over
        Columns that make solutions distinct, integer ones; None means all of them. For each of
        their assignments the best solution counts.
    gap
        List only solutions whose objective is within this fraction of the best one's magnitude;
        None for no such limit.
    limits
        The time limit is shared by all solves; the node limit counts for each.
    cancel
        Set it to stop; what is proven is kept.

    Returns
    -------
    Pool
        Solutions in order, and what is known about the rest.

    Raises
    ------
    InputError
        If an argument does not fit, or the limits hold a gap, a cutoff or a target, with which
        nothing would be proven.
    UnsupportedError, EngineError
        As the engine.
    """
    columns = _distinct_columns(model, over)
    share = _checked_gap(k, gap, limits)
    solver, budget = engine_named(engine), Budget(limits.time_limit_s, cancel)
    current = model.copy()
    listed: list[PoolSolution] = []
    unlisted: EngineResult | None = None
    is_complete = False
    while len(listed) < k and not is_complete:
        result = solver.solve(
            current, replace(limits, time_limit_s=budget.remaining_s), cancel=cancel
        )
        found = _solution(result, model.n_variables)
        is_beyond = bool(listed) and _is_beyond(result.bound, listed[0], share, model.minimise)
        if is_beyond or result.status is not Status.OPTIMAL or found is None:
            unlisted = result
            is_complete = is_beyond or result.status is Status.INFEASIBLE
            break
        _require_new(listed, found, columns, model.minimise, engine)
        listed.append(found)
        is_complete = columns.size == 0
        if not is_complete:
            _exclude(current, columns, found.values[columns].astype(np.int64), len(listed))
    return _concluded(model, listed, unlisted, columns, is_complete, budget)


def _exclude(
    model: LinearModel, columns: IndexArray, values: NDArray[np.int64], number_of_cut: int
) -> None:
    """Add rows that every point keeps but those with exactly these values."""
    arrays = model.arrays()
    lower = arrays.lower[columns].astype(np.int64)
    upper = arrays.upper[columns].astype(np.int64)
    name = f"k_best.{number_of_cut}"
    two = upper - lower == 1
    at_lower = two & (values == lower)
    at_upper = two & (values == upper)
    # x - l and u - x count the difference of a column with two values.
    terms = [columns[at_lower], columns[at_upper]]
    signs = [np.ones(terms[0].size), -np.ones(terms[1].size)]
    least = 1 + int(lower[at_lower].sum()) - int(upper[at_upper].sum())
    # A wider one gets a binary d for either side: d = 1 forces x >= v + 1, or x <= v - 1.
    for side, wide in (("above", ~two & (values < upper)), ("below", ~two & (values > lower))):
        if not wide.any():
            continue
        x, value = columns[wide], values[wide]
        chosen = model.add_variables(x.size, lower=0, upper=1, integer=True, name=f"{name}.{side}")
        pairs = np.stack([x, chosen], axis=1)
        if side == "above":
            steps = np.stack([np.ones(x.size), lower[wide] - value - 1], axis=1)
            model.add_rows(pairs, steps, lower=lower[wide], name=f"{name}.{side}")
        else:
            steps = np.stack([np.ones(x.size), upper[wide] - value + 1], axis=1)
            model.add_rows(pairs, steps, upper=upper[wide], name=f"{name}.{side}")
        terms.append(chosen)
        signs.append(np.ones(chosen.size))
    model.add_rows(np.concatenate(terms), np.concatenate(signs), lower=least, name=name)


def _concluded(
    model: LinearModel,
    listed: list[PoolSolution],
    unlisted: EngineResult | None,
    columns: IndexArray,
    is_complete: bool,
    budget: Budget,
) -> Pool:
    status, termination, candidate = Status.OPTIMAL, Termination.PROVEN, None
    bound = None if unlisted is None else unlisted.bound
    if is_complete and not listed:
        status = Status.INFEASIBLE
    elif unlisted is not None and not is_complete:
        termination, candidate = unlisted.termination, _solution(unlisted, model.n_variables)
        if unlisted.status in {Status.UNBOUNDED, Status.INTERRUPTED}:
            status = unlisted.status
        else:
            status = Status.FEASIBLE if listed or candidate else Status.NO_SOLUTION
    if listed and not is_complete:
        # What is excluded was proven best in its turn, so nothing else is better than the last.
        known = [listed[-1].objective] if bound is None else [listed[-1].objective, bound]
        bound = max(known) if model.minimise else min(known)
    return Pool(
        solutions=tuple(_ordered(listed, columns)),
        status=status,
        termination=termination,
        is_complete=is_complete,
        bound=bound,
        candidate=candidate,
        seconds=budget.elapsed_s,
    )


def _ordered(listed: list[PoolSolution], columns: IndexArray) -> Iterator[PoolSolution]:
    """Put solutions of one objective, which follow each other, in the order of their columns."""
    start = 0
    while start < len(listed):
        end = start + 1
        while end < len(listed) and bound_meets(listed[end].objective, listed[start].objective):
            end += 1
        yield from sorted(
            listed[start:end], key=lambda solution: tuple(solution.values[columns].tolist())
        )
        start = end


def _require_new(
    listed: list[PoolSolution],
    found: PoolSolution,
    columns: IndexArray,
    minimise: bool,
    engine: str,
) -> None:
    """Refuse a solution that refutes an earlier claim of the engine, or stands in the list."""
    if not listed:
        return
    before, sign = listed[-1].objective, 1 if minimise else -1
    if sign * (found.objective - before) < 0 and not bound_meets(found.objective, before):
        raise EngineError(
            f"{engine} called {before} optimal, yet finds {found.objective} where that is excluded"
        )
    if any(np.array_equal(found.values[columns], one.values[columns]) for one in listed):
        raise EngineError(f"{engine} returns a solution that was excluded")


def _is_beyond(
    bound: float | None, best: PoolSolution, share: Fraction | None, minimise: bool
) -> bool:
    """Tell whether nothing that is left can be within the gap of the best solution."""
    if bound is None or share is None:
        return False
    sign = 1 if minimise else -1
    return sign * (Fraction(bound) - Fraction(best.objective)) > share * abs(
        Fraction(best.objective)
    )


def _solution(result: EngineResult, n: int) -> PoolSolution | None:
    if result.values is None or result.objective is None:
        return None
    return PoolSolution(result.values[:n], result.objective)


def _distinct_columns(model: LinearModel, over: ArrayLike | None) -> IndexArray:
    """Return the columns in which solutions can differ."""
    arrays = model.arrays()
    if over is None:
        columns = np.flatnonzero(arrays.kind == ColumnKind.INTEGER).astype(np.int32)
    else:
        columns = np.unique(indices_below(np.asarray(over).reshape(-1), model.n_variables, "over"))
    for column in columns[arrays.kind[columns] != ColumnKind.INTEGER][:1].tolist():
        raise InputError(f"column {model.column_label(column)} is no integer", field="over")
    width = arrays.upper[columns] - arrays.lower[columns]
    for column in columns[width >= MAX_COEFFICIENT][:1].tolist():
        raise InputError(f"column {model.column_label(column)} is too wide", field="over")
    return columns[width > 0]


def _checked_gap(k: int, gap: float | None, limits: Limits) -> Fraction | None:
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise InputError(f"must be an integer >= 1, not {k!r}", field="k")
    if limits.relative_gap or limits.absolute_gap or {limits.cutoff, limits.target} != {None}:
        raise InputError("must leave gaps, cutoff and target alone", field="limits")
    if gap is None:
        return None
    try:
        numerator, denominator = number(gap)
    except ValueError as error:
        raise InputError(str(error), field="gap") from None
    if denominator == 0 or numerator < 0:
        raise InputError(f"must be a finite number >= 0, not {gap}", field="gap")
    return Fraction(numerator, denominator)
