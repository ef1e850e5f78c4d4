"""Columns that may be taken as integers: found where an argument holds, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from leotrek_opt.errors import InputError
from leotrek_opt.solvers.engines.highs import HighsEngine
from leotrek_opt.solvers.implied_integers import implied_integers, recognised
from leotrek_opt.solvers.linear import ColumnKind, LinearModel
from leotrek_opt.solvers.status import Status

ENGINE = HighsEngine()


def with_columns(n_integer: int, n_continuous: int, upper: int = 5) -> LinearModel:
    model = LinearModel()
    model.add_variables(n_integer, lower=0, upper=1, integer=True, cost=1, name="x")
    model.add_variables(n_continuous, lower=0, upper=upper, cost=-1, name="y")
    return model


def found(model: LinearModel) -> list[bool]:
    return implied_integers(model.arrays()).tolist()


def test_column_that_an_equality_determines_is_found() -> None:
    model = with_columns(2, 1)
    model.add_rows([0, 1, 2], [3, -2, -1], lower=1, upper=1, name="r")
    model.add_rows([0, 2], [1, 7], upper=30, name="other")
    assert found(model) == [False, False, True]


def test_coefficient_other_than_one_determines_nothing() -> None:
    model = with_columns(2, 1)
    model.add_rows([0, 1, 2], [3, -2, -2], lower=1, upper=1, name="r")
    assert found(model) == [False, False, False]


def test_determined_columns_determine_others() -> None:
    model = with_columns(1, 2)
    model.add_rows([0, 1], [2, 1], lower=3, upper=3, name="first")
    model.add_rows([1, 2], [5, 1], lower=9, upper=9, name="second")
    assert found(model) == [False, True, True]


def test_flow_through_two_rows_is_a_network() -> None:
    model = with_columns(1, 4)
    model.add_rows([0, 1, 2], [-1, 1, 1], upper=0, name="out")
    model.add_rows([1, 3, 2], [1, -1, 1], lower=-2, name="through")
    model.add_rows([3, 4], [1, 1], upper=4, name="in")
    assert found(model) == [False, True, True, True, True]


def test_determinant_of_two_is_no_network() -> None:
    model = with_columns(0, 2)
    model.add_rows([[0, 1]], [1, 1], upper=1, name="sum")
    model.add_rows([[0, 1]], [1, -1], upper=0, name="difference")
    assert found(model) == [False, False]


def test_odd_cycle_is_no_network() -> None:
    """Two of three at a time, at most one: the corner (1/2, 1/2, 1/2) is fractional."""
    model = with_columns(0, 4)
    model.add_rows([[0, 1], [1, 2], [0, 2]], upper=1, name="pair")
    model.add_rows([[2, 3]], upper=1, name="touches_the_cycle")
    assert found(model) == [False] * 4
    assert ENGINE.solve(model).objective == pytest.approx(-2.0)
    alone = with_columns(0, 2)
    alone.add_rows([[0, 1]], upper=1, name="pair")
    assert found(alone) == [True, True]


def test_cycle_of_signs_that_match_is_a_network() -> None:
    """The same triangle as differences, a directed graph, has integer corners only."""
    model = with_columns(0, 3)
    model.add_rows([[0, 1], [1, 2], [0, 2]], [1, -1], upper=1, name="difference")
    assert found(model) == [True] * 3


def assignment_pairs(*, exclusive: bool) -> LinearModel:
    """Pairs of two choices of two, with a row over all pairs that no network allows."""
    model = LinearModel()
    x = model.add_variables((2, 2), lower=0, upper=1, integer=True, name="x")
    y = model.add_variables((2, 2), lower=0, upper=1, cost=[[4, 1], [2, 7]], name="y")
    if exclusive:
        model.add_rows(x, lower=1, upper=1, name="one")
    leave, reach = np.column_stack([y, x[0]]), np.column_stack([y.T, x[1]])
    model.add_rows(leave, [1, 1, -1], lower=0, upper=0, name="leave")
    model.add_rows(reach, [1, 1, -1], lower=0, upper=0, name="reach")
    model.add_rows(y.reshape(-1), [3, 9, 8, 2], upper=8, name="limit")
    return model


def test_pair_variables_of_choices_are_products() -> None:
    assert found(assignment_pairs(exclusive=True)) == [False] * 4 + [True] * 4
    assert found(assignment_pairs(exclusive=False)) == [False] * 8


def test_optimum_is_the_same_with_what_was_found() -> None:
    """Random models with all kinds of structure: asking for integers changes nothing."""
    rng = np.random.default_rng(5)
    marked = solved = 0
    for _ in range(300):
        n, k, m = int(rng.integers(1, 4)), int(rng.integers(1, 5)), int(rng.integers(1, 6))
        model = LinearModel(minimise=bool(rng.integers(2)))
        model.add_variables(
            n, lower=0, upper=1, cost=rng.integers(-9, 10, n), integer=True, name="x"
        )
        model.add_variables(k, lower=-1, upper=4, cost=rng.integers(-9, 10, k), name="y")
        entries = rng.choice([0, 0, 1, -1, 2], size=(m, k), p=[0.3, 0.2, 0.25, 0.2, 0.05])
        matrix = np.hstack([rng.integers(-3, 4, (m, n)), entries])
        side = rng.integers(-2, 6, m)
        low = np.where(rng.random(m) < 0.4, side, -np.inf)
        model.add_rows(np.tile(np.arange(n + k), (m, 1)), matrix, lower=low, upper=side, name="r")
        other = recognised(model)
        if other is model:
            continue
        marked += 1
        whole = LinearModel(minimise=model.minimise)
        arrays = other.arrays()
        integral = arrays.kind != ColumnKind.CONTINUOUS
        whole.add_variables(
            n + k,
            lower=arrays.lower,
            upper=arrays.upper,
            cost=arrays.cost,
            integer=integral,
            name="z",
        )
        whole.add_rows(np.tile(np.arange(n + k), (m, 1)), matrix, lower=low, upper=side, name="r")
        free, asked = ENGINE.solve(model), ENGINE.solve(whole)
        assert free.status is asked.status
        if free.status is Status.OPTIMAL:
            solved += 1
            assert free.objective == pytest.approx(asked.objective, abs=1e-6)
    assert marked >= 60
    assert solved >= 30


def test_marking_refuses_what_is_not_continuous() -> None:
    model = with_columns(1, 1)
    with pytest.raises(InputError, match="must be continuous"):
        model.with_implied_integers([True, False])
