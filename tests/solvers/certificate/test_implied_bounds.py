"""Bounds implied by rows: exact, rounded outwards, and no more than the rows say."""

from __future__ import annotations

import math

import numpy as np
from tests.solvers.certificate.samples import mixed_sample

from leotrek_opt.solvers.certificate.implied_bounds import implied_bounds
from leotrek_opt.solvers.engines.highs import HighsEngine
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.status import Status

INF = math.inf


def implied(model: LinearModel) -> tuple[list[float], list[float]]:
    lower, upper = implied_bounds(model.arrays())
    return lower.tolist(), upper.tolist()


def test_finite_bounds_stay_as_they_are() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=[3, 900], name="x")
    model.add_rows(x, upper=5, name="r")
    lower, upper = implied_bounds(model.arrays())
    assert lower is model.arrays().lower
    assert upper is model.arrays().upper


def test_each_side_of_a_row_limits_both_directions() -> None:
    """-7 <= 2x - 3y <= 8 with y in 1..2: 2x is between -4 and 14; with x in 0..1 for the other."""
    model = LinearModel()
    x = model.add_variables(2, lower=[-INF, 1], upper=[INF, 2], name="x")
    model.add_rows(x, [2, -3], lower=-7, upper=8, name="r")
    assert implied(model) == ([-2, 1], [7, 2])
    model = LinearModel()
    x = model.add_variables(2, lower=[0, -INF], upper=[1, INF], name="x")
    model.add_rows(x, [2, -3], lower=-7, upper=8, name="r")
    # 3y <= 2x + 7 <= 9 and 3y >= 2x - 8 >= -8, rounded outwards.
    assert implied(model) == ([0, -3], [1, 3])


def test_row_with_two_unbounded_columns_implies_nothing() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=INF, name="x")
    model.add_rows(x, [1, -1], upper=5, name="r")
    assert implied(model) == ([0, 0], [INF, INF])


def test_bounds_follow_from_one_another() -> None:
    """From x <= 3, y <= x and z <= 2y follow 3, 3 and 6."""
    model = LinearModel()
    x = model.add_variables(3, lower=0, upper=INF, name="x")
    model.add_rows([0, 0, 1, 1, 2], [1, -1, 1, -2, 1], lengths=[1, 2, 2], upper=[3, 0, 0], name="r")
    assert x.size == 3
    assert implied(model) == ([0, 0, 0], [3, 3, 6])


def test_bounds_beyond_what_a_float_holds_are_rounded_outwards() -> None:
    model = LinearModel()
    most = 2**53 - 1
    x = model.add_variables(2, lower=[0, -most], upper=[INF, most], name="x")
    model.add_rows(x, [1, -(2**49 - 1)], upper=most, name="r")
    _, upper = implied(model)
    exact = most + (2**49 - 1) * most
    assert exact <= upper[0] <= exact * (1 + 2**-52)


def test_no_optimum_is_cut_off() -> None:
    engine, tightened = HighsEngine(), 0
    for seed in range(150):
        model, optimum = mixed_sample(np.random.default_rng(seed))
        arrays = model.arrays()
        lower, upper = implied_bounds(arrays)
        if optimum is None or (np.isinf(lower) | np.isinf(upper)).any():
            continue
        tightened += int(np.isinf(arrays.lower).any() or np.isinf(arrays.upper).any())
        other = LinearModel(minimise=model.minimise, offset=model.offset)
        other.add_variables(
            arrays.cost.size,
            lower=lower,
            upper=upper,
            cost=arrays.cost,
            integer=arrays.kind == 1,
            name="x",
        )
        other.add_rows(
            arrays.indices,
            arrays.data,
            indptr=arrays.indptr,
            lower=arrays.row_lower,
            upper=arrays.row_upper,
            name="r",
        )
        found = engine.solve(other)
        assert found.status is Status.OPTIMAL
        assert found.objective is not None
        assert abs(found.objective - optimum) < 1e-6
    assert tightened > 20
