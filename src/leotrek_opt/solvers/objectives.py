"""Several objectives on one model: weighed against each other, or one after the other."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.errors import EngineError, InputError
from leotrek_opt.solvers.engines import engine_named
from leotrek_opt.solvers.engines.answers import objective_at
from leotrek_opt.solvers.engines.protocol import (
    EngineResult,
    EventCallback,
    Feature,
    Limits,
    Termination,
)
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.linear_input import MAX_COEFFICIENT, MAX_VALUE, whole_numbers
from leotrek_opt.solvers.method import Budget
from leotrek_opt.solvers.rationals import number
from leotrek_opt.solvers.status import Status

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearObjective:
    """An objective of its own on the columns of a model.

    Parameters
    ----------
    cost
        Coefficients, whole numbers, shape (n,).
    offset
        Constant, any int.
    minimise
        Sense.
    name
        For people.
    """

    cost: ArrayLike
    offset: int = 0
    minimise: bool = True
    name: str = ""

    def on(self, model: LinearModel) -> LinearModel:
        """Return a model with this objective in place of its own.

        Parameters
        ----------
        model
            The model; it is not changed.

        Returns
        -------
        LinearModel
            To which more can be added.

        Raises
        ------
        InputError
            If there is not one whole number per column.
        """
        return model.copy(cost=self.cost, minimise=self.minimise, offset=self.offset)

    @property
    def sign(self) -> int:
        """1 if it is minimised, -1 if it is maximised."""
        return 1 if self.minimise else -1


@dataclass(frozen=True)
class Slack:
    """How much worse than its best value an objective may become for the sake of later ones.

    Parameters
    ----------
    absolute
        In units of the objective.
    relative
        As a fraction of the best value's magnitude.

    Notes
    -----
    The larger of the two counts.
    """

    absolute: float | Fraction = 0
    relative: float | Fraction = 0

    def __post_init__(self) -> None:
        for field in ("absolute", "relative"):
            if _exact(getattr(self, field), field) < 0:
                raise InputError(f"must be >= 0, not {getattr(self, field)}", field=field)

    def at(self, value: Fraction) -> Fraction:
        """Return the slack at a best value, exactly.

        Parameters
        ----------
        value
            The best value.

        Returns
        -------
        Fraction
            At least 0.
        """
        relative = _exact(self.relative, "relative") * abs(value)
        return max(_exact(self.absolute, "absolute"), relative)


@dataclass(frozen=True)
class Level:
    """One objective of a lexicographic solve.

    Attributes
    ----------
    name
        Of the objective.
    status, termination
        How the solve for it ended. ``optimal`` is relative to the levels before: given what they
        were held at, nothing is better.
    best
        Best value found when it was its turn; None if its turn never came.
    bound
        Proven side of the optimum given the levels before, or None.
    objective
        Its value at the final solution, which `Slack` allows to be worse than `best`; None without
        a solution.
    seconds
        Wall time of its solve.
    """

    name: str
    status: Status
    termination: Termination
    best: float | None
    bound: float | None
    objective: float | None
    seconds: float


@dataclass(frozen=True, eq=False)
class LexicographicResult:
    """Answer of :func:`lexicographic`.

    Attributes
    ----------
    status
        ``optimal`` only if every level is; ``feasible`` if there is a solution and some level is
        not proven; otherwise how the level ended that stopped it.
    values
        float64, shape (n,), or None.
    levels
        One per objective, in their order.
    seconds
        Wall time.
    """

    status: Status
    values: FloatArray | None
    levels: tuple[Level, ...]
    seconds: float

    @property
    def objectives(self) -> tuple[float | None, ...]:
        """Value of every objective at the solution."""
        return tuple(level.objective for level in self.levels)

    @property
    def bounds(self) -> tuple[float | None, ...]:
        """Proven side of every objective given those before."""
        return tuple(level.bound for level in self.levels)


def weighted(
    model: LinearModel,
    objectives: Sequence[LinearObjective],
    weights: Sequence[int | float | Fraction | str],
) -> LinearModel:
    """Replace a model's objective by a weighted sum of several.

    Parameters
    ----------
    model
        The model; it is not changed.
    objectives
        At least one.
    weights
        One number >= 0 per objective; floats mean the decimals that they print as. If they have
        fractions, all are multiplied by their least common denominator, and so is the sum.

    Returns
    -------
    LinearModel
        It has the sense of the first objective. Those of the other sense count negatively, so that
        a better value of any objective makes the sum better.

    Raises
    ------
    InputError
        If there are not as many weights as objectives, one is negative or no number, or a cost of
        the sum does not fit.
    """
    chosen = _checked(model, objectives)
    factors = _whole_weights(weights, len(chosen))
    sense = chosen[0].sign
    cost = np.zeros(model.n_variables, dtype=object)
    offset = 0
    for objective, factor in zip(chosen, factors, strict=True):
        signed = factor * objective.sign * sense
        cost = cost + signed * np.asarray(objective.cost).astype(np.int64).astype(object)
        offset += signed * objective.offset
    for column in np.flatnonzero(np.abs(cost) > MAX_VALUE)[:1].tolist():
        raise InputError(
            f"make column {model.column_label(column)} cost {cost[column]}, beyond 2**53",
            field="weights",
        )
    return model.copy(cost=cost.astype(np.float64), minimise=sense > 0, offset=offset)


def lexicographic(
    model: LinearModel,
    objectives: Sequence[LinearObjective],
    engine: str = "highs",
    *,
    limits: Limits = Limits(),  # noqa: B008 frozen
    tolerances: Sequence[Slack | float | Fraction | None] | None = None,
    warm_start: ArrayLike | None = None,
    cancel: threading.Event | None = None,
    on_event: EventCallback | None = None,
) -> LexicographicResult:
    """Optimise objectives one after the other, each without making those before it worse.

    Each level is solved with one more row that holds the objective before at what was found for
    it, and starts from the solution before. Where only integer columns have costs, that row is
    exact. Else it leaves room for what the engine rounds: up to 2e-6 of the objective's unit, or of
    its value if that is larger.

    Parameters
    ----------
    model
        Its variables and rows; its own objective does not count.
    objectives
        The most important one first.
    engine
        Name of an engine that takes the model.
    limits
        The time limit is shared by all levels; nodes and gaps count for each.
    tolerances
        By level, how much worse it may become for those after it; a number is absolute, None
        nothing.
    warm_start
        A feasible point, shape (n,).
    cancel
        Set it to stop; what was found is kept.
    on_event
        Called with the events of the level that is being solved.

    Returns
    -------
    LexicographicResult
        Values, and one level per objective.

    Raises
    ------
    InputError
        If an argument does not fit, or the limits hold a cutoff or a target.
    UnsupportedError, EngineError
        As the engine.
    """
    chosen = _checked(model, objectives)
    slacks = _checked_slacks(tolerances, len(chosen))
    if limits.cutoff is not None or limits.target is not None:
        raise InputError("a cutoff or target counts for one objective only", field="limits")
    solver, budget = engine_named(engine), Budget(limits.time_limit_s, cancel)
    current, start = model.copy(), warm_start
    found: list[EngineResult] = []
    for at, objective in enumerate(chosen):
        current = objective.on(current)
        result = solver.solve(
            current,
            replace(limits, time_limit_s=budget.remaining_s),
            warm_start=start,
            on_event=on_event,
            cancel=cancel,
        )
        if at and result.status is Status.INFEASIBLE:
            raise EngineError(f"{engine} calls level {at} infeasible, yet it solved the one before")
        found.append(result)
        if result.values is None or budget.spent or at + 1 == len(chosen):
            break
        start = result.values if Feature.WARM_START in solver.features else None
        _hold(current, objective, result, slacks[at], at)
    return _concluded(model, chosen, found, budget)


def _hold(
    model: LinearModel, objective: LinearObjective, result: EngineResult, slack: Slack, at: int
) -> None:
    """Add the row that keeps an objective from becoming worse than was found."""
    field = f"objectives[{at}]"
    value: object = result.objective
    best = Fraction(result.objective or 0)
    inner = (best - objective.offset) * objective.sign
    limit = inner + slack.at(best)
    cost = model.arrays().cost * objective.sign
    if isinstance(value, int):
        # Costs and values are whole: dividing by what the costs have in common loses nothing.
        common = int(np.gcd.reduce(cost.astype(np.int64), initial=0)) or 1
        coefficients, upper = cost / common, math.floor(limit / common)
    else:
        room = max(Fraction(1), abs(inner)) / 10**6
        scale = 10 ** max(0, math.ceil(-math.log10(room)))
        coefficients, upper = cost * scale, math.ceil((limit + room) * scale)
    if np.max(np.abs(coefficients), initial=0) > MAX_COEFFICIENT or abs(upper) > MAX_VALUE:
        raise InputError("has numbers too large for a row of the model", field=field)
    columns = np.flatnonzero(coefficients)
    model.add_rows(columns, coefficients[columns], upper=upper, name=f"lexicographic.{at}")


def _concluded(
    model: LinearModel, chosen: list[LinearObjective], found: list[EngineResult], budget: Budget
) -> LexicographicResult:
    last = found[-1]
    solved = [result for result in found if result.values is not None]
    values = solved[-1].values if solved else None
    ended = Termination.CANCELLED if budget.cancelled else Termination.TIME_LIMIT
    levels = []
    for at, objective in enumerate(chosen):
        objective_value = (
            None if values is None else objective_at(objective.on(model).arrays(), values)
        )
        if at < len(found):
            result = found[at]
            level = Level(
                objective.name,
                result.status,
                result.termination,
                result.objective,
                result.bound,
                objective_value,
                result.seconds,
            )
        else:
            status = Status.NO_SOLUTION if values is None else Status.FEASIBLE
            reason = ended if last.values is not None else last.termination
            level = Level(objective.name, status, reason, None, None, objective_value, 0.0)
        levels.append(level)
    if all(level.status is Status.OPTIMAL for level in levels):
        status = Status.OPTIMAL
    elif values is None or last.status in {Status.INTERRUPTED, Status.UNBOUNDED}:
        status = last.status
    else:
        status = Status.INTERRUPTED if budget.cancelled else Status.FEASIBLE
    return LexicographicResult(status, values, tuple(levels), budget.elapsed_s)


def _checked(model: LinearModel, objectives: Sequence[LinearObjective]) -> list[LinearObjective]:
    """Return the objectives with their costs as arrays."""
    if not objectives:
        raise InputError("must hold at least one", field="objectives")
    checked = []
    for at, objective in enumerate(objectives):
        field = f"objectives[{at}]"
        if isinstance(objective.offset, bool) or not isinstance(objective.offset, int | np.integer):
            raise InputError(
                f"must be an integer, not {objective.offset!r}", field=f"{field}.offset"
            )
        cost = whole_numbers(objective.cost, (model.n_variables,), f"{field}.cost", MAX_VALUE)
        checked.append(replace(objective, cost=cost, offset=int(objective.offset)))
    return checked


def _whole_weights(weights: Sequence[int | float | Fraction | str], count: int) -> list[int]:
    exact = [_exact(weight, f"weights[{at}]") for at, weight in enumerate(weights)]
    if len(exact) != count:
        raise InputError(f"must hold {count}, one per objective, not {len(exact)}", field="weights")
    for at, weight in enumerate(exact):
        if weight < 0:
            raise InputError(f"must be >= 0, not {weight}", field=f"weights[{at}]")
    common = math.lcm(*(weight.denominator for weight in exact))
    return [int(weight * common) for weight in exact]


def _checked_slacks(
    tolerances: Sequence[Slack | float | Fraction | None] | None, count: int
) -> list[Slack]:
    if tolerances is None:
        return [Slack()] * count
    if len(tolerances) != count:
        raise InputError(
            f"must hold {count}, one per objective, not {len(tolerances)}", field="tolerances"
        )
    return [
        slack if isinstance(slack, Slack) else Slack(absolute=0 if slack is None else slack)
        for slack in tolerances
    ]


def _exact(value: object, field: str) -> Fraction:
    try:
        numerator, denominator = number(value)
    except ValueError as error:
        raise InputError(str(error), field=field) from None
    if denominator == 0:
        raise InputError("must be finite", field=field)
    return Fraction(numerator, denominator)
