"""Several objectives: as enumeration says, with slack, within limits, honest about proof."""

from __future__ import annotations

import itertools
import math
import threading
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from tests.solvers.engines.test_highs import market_split

from leotrek_opt.errors import InputError
from leotrek_opt.solvers.engines import MIP_ENGINES
from leotrek_opt.solvers.engines.highs import HighsEngine
from leotrek_opt.solvers.engines.protocol import EngineEvent, Limits, Termination
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.objectives import LinearObjective, Slack, lexicographic, weighted
from leotrek_opt.solvers.status import Status


def draw(rng: np.random.Generator) -> tuple[LinearModel, np.ndarray, list[LinearObjective]]:
    """Draw a small integer program, its feasible points and up to three objectives."""
    n, m = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    lower = rng.integers(-2, 1, n)
    upper = lower + rng.integers(1, 4, n)
    matrix = rng.integers(-4, 5, (m, n))
    centre = matrix @ ((lower + upper) // 2)
    model = LinearModel()
    x = model.add_variables(n, lower=lower, upper=upper, integer=True, name="x")
    model.add_rows(np.tile(x, (m, 1)), matrix, lower=centre - 3, upper=centre + 3, name="r")
    points = np.array(list(itertools.product(*map(range, lower, upper + 1))))
    activity = points @ matrix.T
    points = points[np.all(np.abs(activity - centre) <= 3, axis=1)]
    objectives = [
        LinearObjective(
            rng.integers(-3, 4, n), int(rng.integers(-5, 6)), bool(rng.integers(2)), f"o{at}"
        )
        for at in range(int(rng.integers(1, 4)))
    ]
    return model, points, objectives


def best_in_order(
    points: np.ndarray, objectives: list[LinearObjective], slacks: list[int]
) -> list[int]:
    """Return the best value of every level by enumeration."""
    found = []
    for objective, slack in zip(objectives, slacks, strict=True):
        values = points @ np.asarray(objective.cost) + objective.offset
        best = values.min() if objective.minimise else values.max()
        points = points[np.abs(values - best) <= slack]
        found.append(int(best))
    return found


@pytest.mark.parametrize("engine", MIP_ENGINES)
def test_lexicographic_agrees_with_enumeration_on_every_engine(engine: str) -> None:
    rng = np.random.default_rng(11)
    for _ in range(40 if engine == "highs" else 6):
        model, points, objectives = draw(rng)
        slacks = [int(slack) for slack in rng.integers(0, 3, len(objectives))]
        result = lexicographic(model, objectives, engine, tolerances=slacks)
        expected = best_in_order(points, objectives, slacks)
        assert result.status is Status.OPTIMAL
        assert [level.best for level in result.levels] == expected
        assert [level.bound for level in result.levels] == expected
        assert all(isinstance(level.best, int) for level in result.levels)
        assert result.values is not None
        assert model.violations_of(result.values) == []
        for objective, level, slack in zip(objectives, result.levels, slacks, strict=True):
            assert level.objective == objective.on(model).objective_of(result.values)
            assert level.best is not None
            assert level.objective is not None
            assert abs(level.objective - level.best) <= slack
        assert [level.name for level in result.levels] == [o.name for o in objectives]
        assert result.objectives == tuple(level.objective for level in result.levels)
        assert result.bounds == tuple(expected)


@pytest.mark.parametrize(
    ("slack", "first", "second"),
    [
        (None, 10, 9),
        (0, 10, 9),
        (2, 8, 7),
        (Slack(relative="0.2"), 8, 7),  # type: ignore[arg-type]
        (Slack(absolute=1, relative=0.05), 9, 8),
        (Slack(relative=0.05), 10, 9),
        (Fraction(39, 10), 7, 6),
    ],
)
def test_slack_is_given_up_for_later_levels(slack: Any, first: int, second: int) -> None:
    # First as many as possible of 10, then as few of the dearer: y may replace one of x.
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=[9, 1], integer=True, name="x")
    most = LinearObjective([1, 1], minimise=False, name="most")
    few = LinearObjective([1, 0], name="few")
    result = lexicographic(model, [most, few], tolerances=[slack, None])
    assert x.tolist() == [0, 1]
    assert result.objectives == (first, second)
    assert result.levels[0].best == result.levels[0].bound == 10


def test_continuous_objectives_are_held_to_what_the_engine_rounds() -> None:
    # x + y >= 1/3 of 10; the least sum is 10/3, then y is as large as it may be.
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=[5, 2], name="x")
    model.add_rows(x, 3, lower=10, name="demand")
    result = lexicographic(
        model, [LinearObjective([1, 1], 7), LinearObjective([0, 1], minimise=False)]
    )
    assert result.status is Status.OPTIMAL
    assert result.objectives == pytest.approx((7 + 10 / 3, 2), abs=1e-5)
    assert result.values == pytest.approx([4 / 3, 2], abs=1e-5)


def test_infeasible_and_unbounded_models_say_so() -> None:
    model = LinearModel()
    x = model.add_variables(
        2, lower=0, upper=[3, math.inf], integer=np.array([True, False]), name="x"
    )
    first = LinearObjective([1, 0])
    unbounded = lexicographic(model, [first, LinearObjective([0, 1], minimise=False), first])
    assert unbounded.status is Status.UNBOUNDED
    assert unbounded.values is not None
    assert [level.status for level in unbounded.levels][:2] == [Status.OPTIMAL, Status.UNBOUNDED]
    assert unbounded.levels[2].best is None
    model.add_rows(x[:1], 2, lower=3, upper=3, name="parity")
    infeasible = lexicographic(model, [first, first])
    assert infeasible.status is Status.INFEASIBLE
    assert infeasible.values is None
    assert infeasible.objectives == (None, None)


def test_time_limit_is_shared_and_leaves_an_honest_status() -> None:
    model = market_split(1)
    hard = LinearObjective(model.arrays().cost, name="hard")
    easy = LinearObjective(np.ones(model.n_variables), name="easy")
    result = lexicographic(model, [hard, easy, easy], limits=Limits(time_limit_s=0.4))
    assert result.status is Status.FEASIBLE
    assert result.values is not None
    assert model.violations_of(result.values) == []
    assert result.levels[0].status is Status.FEASIBLE
    assert result.levels[0].termination is Termination.TIME_LIMIT
    assert result.levels[2].best is None
    assert result.levels[2].objective == result.levels[1].objective
    assert result.levels[2].termination is Termination.TIME_LIMIT


def test_unproven_level_holds_what_was_found() -> None:
    model = market_split(1)
    hard = LinearObjective(model.arrays().cost)
    rest = LinearObjective(np.zeros(model.n_variables))
    result = lexicographic(model, [hard, rest], limits=Limits(max_nodes=1, time_limit_s=60))
    assert result.status is Status.FEASIBLE
    assert result.levels[0].termination is Termination.NODE_LIMIT
    assert result.levels[0].best is not None
    assert result.levels[0].bound is not None
    assert result.levels[0].bound < result.levels[0].best
    assert result.levels[1].status is Status.OPTIMAL
    assert result.levels[0].objective == result.levels[0].best


def test_warm_start_stays_where_there_is_no_time() -> None:
    model = LinearModel()
    model.add_variables(2, lower=0, upper=5, integer=True, name="x")
    objective = LinearObjective([1, 1])
    result = lexicographic(
        model, [objective, objective], limits=Limits(time_limit_s=0), warm_start=[3, 4]
    )
    assert result.status is Status.FEASIBLE
    assert result.objectives == (7, 7)
    assert result.bounds == (None, None)


def test_cancel_keeps_what_was_found() -> None:
    cancel = threading.Event()
    events: list[EngineEvent] = []

    def stop(event: EngineEvent) -> None:
        events.append(event)
        if event.values is not None:
            cancel.set()

    model = market_split(2)
    hard = LinearObjective(model.arrays().cost)
    result = lexicographic(
        model, [hard, hard], limits=Limits(time_limit_s=60), cancel=cancel, on_event=stop
    )
    assert events
    assert result.status is Status.INTERRUPTED
    assert result.values is not None
    assert [level.termination for level in result.levels] == [Termination.CANCELLED] * 2


def test_model_is_not_changed() -> None:
    model, _, objectives = draw(np.random.default_rng(3))
    rows, cost = model.n_rows, model.arrays().cost.copy()
    lexicographic(model, objectives)
    assert model.n_rows == rows
    assert np.array_equal(model.arrays().cost, cost)


# Weighted sums


def test_weighted_sum_adds_what_is_minimised_and_subtracts_what_is_maximised() -> None:
    model = LinearModel()
    model.add_variables(2, lower=0, upper=5, integer=True, name="x")
    objectives = [LinearObjective([1, 2], 3), LinearObjective([5, 1], 10, minimise=False)]
    total = weighted(model, objectives, [2, 3])
    assert total.minimise
    assert total.arrays().cost.tolist() == [2 - 15, 4 - 3]
    assert total.offset == 6 - 30
    turned = weighted(model, objectives[::-1], [3, 2])
    assert not turned.minimise
    assert turned.arrays().cost.tolist() == [15 - 2, 3 - 4]
    assert turned.offset == 30 - 6
    assert model.arrays().cost.tolist() == [0, 0]


def test_fractional_weights_are_multiplied_by_their_common_denominator() -> None:
    model = LinearModel()
    model.add_variables(1, lower=0, upper=5, integer=True, name="x")
    objectives = [LinearObjective([1]), LinearObjective([10])]
    total = weighted(model, objectives, [Fraction(1, 3), 0.5])
    assert total.arrays().cost.tolist() == [2 + 30]


def test_weighted_optimum_agrees_with_enumeration() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        model, points, objectives = draw(rng)
        weights = [int(weight) for weight in rng.integers(0, 4, len(objectives))]
        total = weighted(model, objectives, weights)
        signs = [o.sign * objectives[0].sign for o in objectives]
        values = sum(
            sign * weight * (points @ np.asarray(objective.cost) + objective.offset)
            for sign, weight, objective in zip(signs, weights, objectives, strict=True)
        )
        best = values.min() if objectives[0].minimise else values.max()
        assert HighsEngine().solve(total).objective == best


# Refusals


@pytest.mark.parametrize(
    ("objectives", "field", "text"),
    [
        ([], "objectives", "at least one"),
        ([LinearObjective([1, 2, 3])], "objectives[0].cost", "shape"),
        ([LinearObjective([1, 0.5])], "objectives[0].cost", "whole"),
        ([LinearObjective([1, 1]), LinearObjective([1, math.nan])], "objectives[1].cost", "finite"),
        ([LinearObjective([1, 1], 0.5)], "objectives[0].offset", "integer"),  # type: ignore[arg-type]
        ([LinearObjective([2**53 - 1, 1])] * 2, "objectives[0]", "too large"),
    ],
)
def test_bad_objectives_are_refused(objectives: Any, field: str, text: str) -> None:
    model = LinearModel()
    model.add_variables(2, lower=1, upper=5, integer=True, name="x")
    with pytest.raises(InputError, match=text) as refusal:
        lexicographic(model, objectives)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("weights", "field", "text"),
    [
        ([1], "weights", "must hold 2"),
        ([1, -1], "weights[1]", ">= 0"),
        ([1, math.inf], "weights[1]", "finite"),
        ([1, "x"], "weights[1]", "number"),
        ([1, 2**53], "weights", r"column x\[0\]"),
    ],
)
def test_bad_weights_are_refused(weights: Any, field: str, text: str) -> None:
    model = LinearModel()
    model.add_variables(2, lower=0, upper=5, integer=True, name="x")
    with pytest.raises(InputError, match=text) as refusal:
        weighted(model, [LinearObjective([1, 1])] * 2, weights)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tolerances": [1]}, "tolerances"),
        ({"tolerances": [-1, 0]}, "absolute"),
        ({"limits": Limits(cutoff=3)}, "limits"),
        ({"limits": Limits(target=3)}, "limits"),
        ({"engine": "none"}, "engine"),
        ({"warm_start": [9, 9]}, "warm_start"),
    ],
)
def test_bad_arguments_are_refused(changes: dict[str, Any], field: str) -> None:
    model = LinearModel()
    model.add_variables(2, lower=0, upper=5, integer=True, name="x")
    with pytest.raises(InputError) as refusal:
        lexicographic(model, [LinearObjective([1, 1])] * 2, **changes)
    assert refusal.value.field == field
    with pytest.raises(InputError, match=">= 0"):
        Slack(relative=-0.1)
