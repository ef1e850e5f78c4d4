"""Pools of the k best: exactly those of an enumeration, on every engine, and honest at limits."""

from __future__ import annotations

import itertools
import math
import threading
from typing import Any

import numpy as np
import pytest
from tests.solvers.engines.test_highs import market_split

from leotrek_opt.errors import EngineError, InputError
from leotrek_opt.solvers.engines import MIP_ENGINES
from leotrek_opt.solvers.engines.highs import HighsEngine
from leotrek_opt.solvers.engines.protocol import EngineResult, Limits, Termination
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.pool import Pool, k_best
from leotrek_opt.solvers.status import Status


def draw(rng: np.random.Generator) -> tuple[LinearModel, np.ndarray]:
    """Draw a small integer program with narrow and wide columns, and its feasible points."""
    n, m = int(rng.integers(1, 5)), int(rng.integers(0, 3))
    lower = rng.integers(-3, 2, n)
    upper = lower + rng.choice([0, 1, 1, 2, 4], n)
    matrix = rng.integers(-4, 5, (m, n))
    centre = matrix @ ((lower + upper) // 2)
    model = LinearModel(minimise=bool(rng.integers(2)), offset=int(rng.integers(-9, 9)))
    x = model.add_variables(
        n, lower=lower, upper=upper, cost=rng.integers(-3, 4, n), integer=True, name="x"
    )
    model.add_rows(np.tile(x, (m, 1)), matrix, lower=centre - 4, upper=centre + 4, name="r")
    points = np.array(list(itertools.product(*map(range, lower, upper + 1))))
    return model, points[np.all(np.abs(points @ matrix.T - centre) <= 4, axis=1)]


def assert_best(pool: Pool, model: LinearModel, points: np.ndarray, k: int) -> None:
    """Compare a pool with all feasible points."""
    sign = 1 if model.minimise else -1
    objective = points @ model.arrays().cost + model.offset
    order = np.argsort(sign * objective, kind="stable")[:k]
    assert [s.objective for s in pool.solutions] == objective[order].tolist()
    listed = [tuple(s.values.tolist()) for s in pool.solutions]
    assert len(set(listed)) == len(listed)
    assert set(listed) <= set(map(tuple, points.tolist()))
    keys = [
        (sign * solution.objective, values)
        for solution, values in zip(pool.solutions, listed, strict=True)
    ]
    assert keys == sorted(keys)
    if len(points) < k:
        assert pool.is_complete
        assert pool.bound is None
    if pool.bound is not None and len(points) > len(listed):
        rest = np.sort(sign * objective)[len(listed) :]
        assert sign * pool.bound <= rest[0]


@pytest.mark.parametrize("engine", MIP_ENGINES)
def test_pools_agree_with_enumeration_on_every_engine(engine: str) -> None:
    rng = np.random.default_rng(2)
    sizes = set()
    for _ in range(60 if engine == "highs" else 8):
        model, points = draw(rng)
        k = int(rng.integers(1, 9))
        pool = k_best(model, k, engine)
        assert pool.status is (Status.OPTIMAL if len(points) else Status.INFEASIBLE)
        assert pool.termination is Termination.PROVEN
        assert pool.candidate is None
        assert_best(pool, model, points, k)
        sizes.add(len(pool.solutions))
    assert len(sizes) > 3


def test_all_solutions_are_listed_and_then_there_are_no_more() -> None:
    model = LinearModel()
    x = model.add_variables(3, lower=0, upper=1, cost=[1, 2, 4], integer=True, name="x")
    model.add_rows(x, lower=2, name="two")
    pool = k_best(model, 10)
    assert [s.objective for s in pool.solutions] == [3, 5, 6, 7]
    assert (pool.status, pool.is_complete, pool.bound) == (Status.OPTIMAL, True, None)


def test_more_may_exist_when_k_are_found() -> None:
    model = LinearModel(minimise=False)
    model.add_variables(1, lower=0, upper=9, cost=2, integer=True, name="x")
    pool = k_best(model, 3)
    assert [s.objective for s in pool.solutions] == [18, 16, 14]
    assert not pool.is_complete
    assert pool.bound == 14


def test_equal_solutions_stand_in_the_order_of_their_columns() -> None:
    model = LinearModel()
    x = model.add_variables(3, lower=0, upper=1, cost=1, integer=True, name="x")
    model.add_rows(x, lower=1, upper=1, name="one")
    pool = k_best(model, 9)
    assert [s.values.tolist() for s in pool.solutions] == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]


def test_only_the_named_columns_make_solutions_distinct() -> None:
    # Facilities y open at 10 each; how the demand of 3 is split over them is the cheaper choice.
    model = LinearModel()
    y = model.add_variables(2, lower=0, upper=1, cost=[10, 11], integer=True, name="y")
    x = model.add_variables(2, lower=0, upper=3, cost=[2, 1], integer=True, name="x")
    model.add_rows(x, lower=3, upper=3, name="demand")
    model.add_rows(np.stack([x, y], axis=1), [[1, -3]], upper=0, name="open")
    pool = k_best(model, 9, over=y)
    assert [s.objective for s in pool.solutions] == [14, 16, 24]
    assert [s.values[y].tolist() for s in pool.solutions] == [[0, 1], [1, 0], [1, 1]]
    assert pool.is_complete
    assert len(k_best(model, 99).solutions) == 6


def test_continuous_columns_take_their_best_values() -> None:
    model = LinearModel()
    y = model.add_variables(2, lower=0, upper=1, cost=[3, 4], integer=True, name="y")
    x = model.add_variables((), lower=0, upper=10, cost=2, name="x")
    model.add_rows([*y, x], [2, 3, 2], lower=5, name="demand")
    pool = k_best(model, 9)
    # x covers what is left of 5: 5 - 2 y0 - 3 y1, halved, at 2 each.
    assert [s.objective for s in pool.solutions] == pytest.approx([5, 6, 6, 7])
    assert pool.is_complete


def test_linear_program_has_one_best_solution() -> None:
    model = LinearModel()
    model.add_variables(2, lower=1, upper=4, cost=[1, 2], name="x")
    pool = k_best(model, 5)
    assert [s.objective for s in pool.solutions] == [3]
    assert pool.is_complete


@pytest.mark.parametrize(
    ("gap", "objectives", "bound"),
    [
        (0, [-20], -18),
        (0.1, [-20, -18], -16),
        ("0.15", [-20, -18], -16),
        (0.2, [-20, -18, -16], -14),
    ],
)
def test_gap_ends_the_list(gap: Any, objectives: list[int], bound: int) -> None:
    model = LinearModel()
    model.add_variables(1, lower=0, upper=10, cost=-2, integer=True, name="x")
    pool = k_best(model, 99, gap=gap)
    assert [s.objective for s in pool.solutions] == objectives
    assert pool.is_complete
    assert pool.status is Status.OPTIMAL
    assert pool.bound == bound


def test_infeasible_and_unbounded_models_say_so() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=5, integer=True, name="x")
    y = model.add_variables((), lower=0, upper=math.inf, cost=-1, name="y")
    unbounded = k_best(model, 2)
    assert (unbounded.status, unbounded.solutions) == (Status.UNBOUNDED, ())
    model.add_rows([*x, y], [2, 2, 0], lower=3, upper=3, name="parity")
    infeasible = k_best(model, 2)
    assert (infeasible.status, infeasible.is_complete) == (Status.INFEASIBLE, True)


def test_time_limit_keeps_what_is_proven_and_the_best_that_is_not() -> None:
    model = market_split(1)
    pool = k_best(model, 3, limits=Limits(time_limit_s=0.4))
    assert pool.solutions == ()
    assert (pool.status, pool.termination) == (Status.FEASIBLE, Termination.TIME_LIMIT)
    assert not pool.is_complete
    assert pool.candidate is not None
    assert model.violations_of(pool.candidate.values) == []
    assert pool.bound is not None
    assert pool.bound <= pool.candidate.objective
    nothing = k_best(model, 3, limits=Limits(time_limit_s=0))
    assert (nothing.status, nothing.candidate, nothing.bound) == (Status.NO_SOLUTION, None, None)


def test_limit_after_some_solutions_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    model = LinearModel()
    model.add_variables(1, lower=0, upper=9, cost=2, integer=True, name="x")
    solve, calls = HighsEngine.solve, [0]

    def stop_early(self: HighsEngine, *arguments: Any, **keywords: Any) -> EngineResult:
        calls[0] += 1
        if calls[0] == 3:
            arguments = (arguments[0], Limits(time_limit_s=0))
        return solve(self, *arguments, **keywords)

    monkeypatch.setattr(HighsEngine, "solve", stop_early)
    pool = k_best(model, 5)
    assert [s.objective for s in pool.solutions] == [0, 2]
    assert (pool.status, pool.bound, pool.is_complete) == (Status.FEASIBLE, 2, False)


def test_cancel_ends_the_search() -> None:
    cancel = threading.Event()
    cancel.set()
    pool = k_best(market_split(1), 3, cancel=cancel)
    assert (pool.status, pool.termination) == (Status.INTERRUPTED, Termination.CANCELLED)
    assert pool.solutions == ()


def test_engine_that_refutes_itself_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found once the optimum is excluded must not be better."""
    model = LinearModel()
    model.add_variables(1, lower=0, upper=9, cost=2, integer=True, name="x")
    solve, calls = HighsEngine.solve, [0]

    def lie(
        self: HighsEngine, given: LinearModel, *arguments: Any, **keywords: Any
    ) -> EngineResult:
        calls[0] += 1
        if calls[0] == 1:
            given = given.copy(minimise=False)
        return solve(self, given, *arguments, **keywords)

    monkeypatch.setattr(HighsEngine, "solve", lie)
    with pytest.raises(EngineError, match="called 18 optimal, yet finds 0"):
        k_best(model, 5)


def test_model_is_not_changed() -> None:
    model, _ = draw(np.random.default_rng(2))
    size = model.n_variables, model.n_rows
    k_best(model, 4)
    assert (model.n_variables, model.n_rows) == size


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"k": 0}, "k", ">= 1"),
        ({"k": 1.5}, "k", "integer"),
        ({"k": True}, "k", "integer"),
        ({"over": [2]}, "over", r"column y is no integer"),
        ({"over": [5]}, "over", "not 5"),
        ({"over": [0.5]}, "over", "integers"),
        ({"gap": -0.1}, "gap", ">= 0"),
        ({"gap": math.nan}, "gap", "number"),
        ({"gap": math.inf}, "gap", "finite"),
        ({"limits": Limits(relative_gap=0.1)}, "limits", "alone"),
        ({"limits": Limits(cutoff=3)}, "limits", "alone"),
    ],
)
def test_bad_arguments_are_refused(changes: dict[str, Any], field: str, text: str) -> None:
    model = LinearModel()
    model.add_variables(2, lower=0, upper=1, integer=True, name="x")
    model.add_variables((), lower=0, upper=1, name="y")
    with pytest.raises(InputError, match=text) as refusal:
        k_best(model, **({"k": 1} | changes))
    assert refusal.value.field == field


def test_columns_too_wide_for_a_disjunction_are_refused() -> None:
    model = LinearModel()
    model.add_variables(1, lower=0, upper=2**50, integer=True, name="x")
    with pytest.raises(InputError, match=r"x\[0\] is too wide"):
        k_best(model, 1)
