"""Exact bounds from duals: right by hand, valid for any duals, and hardly below the relaxation."""

from __future__ import annotations

import math
import threading
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.solvers.certificate.samples import integer_sample, mixed_sample

from leotrek_opt.errors import InputError
from leotrek_opt.solvers.certificate.linear import dual_bound, farkas_margin
from leotrek_opt.solvers.engines.highs import HighsEngine
from leotrek_opt.solvers.exact.linear.program import Program
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.status import Status

ENGINE = HighsEngine()
SEEDS = st.integers(0, 2**32 - 1)
DUALS = st.lists(
    st.one_of(
        st.floats(-20, 20),
        st.floats(allow_nan=True, allow_infinity=True),
        st.sampled_from([0.0, 1.0, -1.0, 1 / 3, 1e-12, 1e300]),
    ),
    min_size=4,
    max_size=4,
)


def two_goods(*, minimise: bool = True) -> LinearModel:
    """Cost 2x + 3z, 2x + 2z >= 9 (or <= 9 when maximising), both in 0..10."""
    model = LinearModel(minimise=minimise, offset=100)
    x = model.add_variables(2, lower=0, upper=10, cost=[2, 3], name="x")
    side = {"lower": 9} if minimise else {"upper": 9}
    model.add_rows(x, 2, name="demand", **side)
    return model


def assert_valid(model: LinearModel, optimum: Fraction | None, bound: Fraction | None) -> None:
    if optimum is not None and bound is not None:
        assert model.arrays().sign * (optimum - bound) >= 0


# By hand


def test_bound_of_the_right_duals_is_the_optimum() -> None:
    """Y = 1: reduced costs 0 and 1, so 9 + 0."""
    assert dual_bound(two_goods().arrays(), [1.0]) == 109


def test_bound_of_other_duals_is_weaker() -> None:
    # y = 1/2: 4.5 + (2-1)*0 + (3-1)*0; y = 2: 18 + (2-4)*10 + (3-4)*10.
    assert dual_bound(two_goods().arrays(), [0.5]) == Fraction(209, 2)
    assert dual_bound(two_goods().arrays(), [2.0]) == 88


def test_dual_that_points_to_an_open_side_counts_as_zero() -> None:
    assert dual_bound(two_goods().arrays(), [-1.0]) == 100


def test_dual_that_is_no_number_counts_as_zero() -> None:
    for value in (math.nan, math.inf, -math.inf):
        assert dual_bound(two_goods().arrays(), [value]) == 100


def test_maximised_objective_gets_an_upper_bound() -> None:
    """Maximise: y = 1.5 makes reduced costs -1 and 0: 100 + 13.5 + 0."""
    assert dual_bound(two_goods(minimise=False).arrays(), [1.5]) == Fraction(227, 2)
    assert dual_bound(two_goods(minimise=False).arrays(), [-1.5]) == 150


def test_box_moves_the_bound() -> None:
    """With x <= 2 the reduced cost of y = 1.5 is -1 for x: 13.5 - 2 + 0."""
    arrays = two_goods().arrays()
    assert dual_bound(arrays, [1.5], upper=[2, 10]) == Fraction(223, 2)
    assert dual_bound(arrays, [1.0], lower=[0, 3]) == 112


def test_box_with_fractions_is_rounded_outwards() -> None:
    arrays = two_goods().arrays()
    assert dual_bound(arrays, [1.5], upper=[1.2, 10]) == Fraction(223, 2)
    assert dual_bound(arrays, [1.0], lower=[0, 3.7]) == 112


def test_rounding_follows_the_power() -> None:
    # 1/3 becomes 1/4: 9/4 + 0.
    assert dual_bound(two_goods().arrays(), [1 / 3], power=2) == 100 + Fraction(9, 4)


def test_model_without_rows_is_bounded_by_its_box() -> None:
    model = LinearModel(offset=7)
    model.add_variables(3, lower=[-1, 2, 0], upper=[5, 4, 9], cost=[3, -2, 0], name="x")
    assert dual_bound(model.arrays(), []) == 7 - 3 - 8


def test_model_without_columns_is_its_offset() -> None:
    assert dual_bound(LinearModel(offset=-3).arrays(), []) == -3


def test_rows_that_contradict_each_other_have_a_positive_margin() -> None:
    """From x + z >= 5 and x + z <= 3 follows 0 >= 2."""
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=10, name="x")
    model.add_rows(np.tile(x, (2, 1)), lower=[5, -math.inf], upper=[math.inf, 3], name="r")
    assert farkas_margin(model.arrays(), [0.5, -0.5]) == 1
    assert farkas_margin(model.arrays(), [-1.0, 1.0]) == 0


def test_row_that_a_box_cannot_reach_has_a_positive_margin() -> None:
    arrays = two_goods().arrays()
    assert farkas_margin(arrays, [0.5]) < 0
    # 2x + 2z is at most 8 there.
    assert farkas_margin(arrays, [0.5], upper=[2, 2]) == Fraction(1, 2)


def test_margin_is_of_the_ray_scaled_to_at_most_one() -> None:
    model = LinearModel()
    x = model.add_variables((), lower=0, upper=1, name="x")
    model.add_rows([x], lower=3, name="r")
    assert farkas_margin(model.arrays(), [1e-200]) > 0
    assert farkas_margin(model.arrays(), [1e200]) > 0


def test_wrong_shapes_and_powers_are_refused() -> None:
    arrays = two_goods().arrays()
    with pytest.raises(InputError, match="row_dual"):
        dual_bound(arrays, [1.0, 2.0])
    with pytest.raises(InputError, match="lower"):
        dual_bound(arrays, [1.0], lower=[0])
    with pytest.raises(InputError, match="ray"):
        farkas_margin(arrays, [])
    with pytest.raises(InputError, match="power"):
        dual_bound(arrays, [1.0], power=61)


# Properties


@given(seed=SEEDS, duals=DUALS)
@settings(max_examples=300)
def test_any_duals_bound_an_integer_program(seed: int, duals: list[float]) -> None:
    model, optimum = integer_sample(np.random.default_rng(seed))
    arrays = model.arrays()
    bound = dual_bound(arrays, duals[: model.n_rows])
    assert bound is not None
    assert_valid(model, optimum, bound)
    if farkas_margin(arrays, duals[: model.n_rows]) > 0:
        assert optimum is None


@given(seed=SEEDS, duals=DUALS, power=st.integers(0, 60))
@settings(max_examples=300)
def test_any_duals_bound_a_mixed_program(seed: int, duals: list[float], power: int) -> None:
    model, optimum = mixed_sample(np.random.default_rng(seed))
    assert_valid(model, optimum, dual_bound(model.arrays(), duals[: model.n_rows], power=power))
    if farkas_margin(model.arrays(), duals[: model.n_rows], power=power) > 0:
        assert optimum is None


def test_duals_of_the_relaxation_lose_next_to_nothing() -> None:
    checked = 0
    for seed in range(200):
        sample = (integer_sample, mixed_sample)[seed % 2](np.random.default_rng(seed))
        relaxed = ENGINE.solve_lp(sample.model)
        if relaxed.status is not Status.OPTIMAL:
            continue
        assert relaxed.row_dual is not None
        assert relaxed.objective is not None
        sign = sample.model.arrays().sign
        bound = dual_bound(sample.model.arrays(), relaxed.row_dual)
        assert bound is not None
        assert -1e-9 <= sign * (relaxed.objective - bound) <= 1e-6
        # The wrong sense is valid all the same.
        assert_valid(
            sample.model, sample.optimum, dual_bound(sample.model.arrays(), -relaxed.row_dual)
        )
        checked += 1
    assert checked > 100


# Numbers that float64 or int64 do not hold


def test_products_beyond_int64_are_exact() -> None:
    """Nine columns of 2**49 at 2**53 each: the row reaches 9 * 2**102 and no more."""
    model = LinearModel()
    most = 2**53 - 1
    x = model.add_variables(9, lower=-most, upper=most, cost=most, name="x")
    model.add_rows(x, 2**49 - 1, lower=-most, upper=most, name="r")
    assert dual_bound(model.arrays(), [0.0]) == -9 * most * most
    duals = 3.0
    reduced = most - 3 * (2**49 - 1)
    assert dual_bound(model.arrays(), [duals]) == -3 * most - 9 * reduced * most


def test_cancellation_beyond_float_is_exact() -> None:
    """The reduced cost is 1 where float64 would see 0."""
    model = LinearModel()
    x = model.add_variables((), lower=-(2**52), upper=0, cost=2**53 - 1, name="x")
    model.add_rows([x], 2**49 - 1, lower=0, name="r")
    # y = 16: 2**53 - 1 - 16 * (2**49 - 1) = 15.
    assert dual_bound(model.arrays(), [16.0]) == -15 * 2**52


def test_huge_duals_stay_valid() -> None:
    bound = dual_bound(two_goods().arrays(), [1e300])
    assert bound is not None
    assert bound < -(2**80)


def test_huge_offset_is_kept_exactly() -> None:
    model = LinearModel(offset=10**40 + 1)
    model.add_variables((), lower=0, upper=1, name="x")
    assert dual_bound(model.arrays(), []) == 10**40 + 1


# Columns without a bound


def test_bound_implied_by_a_row_takes_the_place_of_a_missing_one() -> None:
    """Minimise -x with 2x + z <= 9 and z >= -2: x <= 5.5, rounded outwards to 6."""
    model = LinearModel()
    x = model.add_variables((), lower=0, upper=math.inf, cost=-1, name="x")
    z = model.add_variables((), lower=-2, upper=4, name="z")
    model.add_rows([x, z], [2, 1], upper=9, name="r")
    assert dual_bound(model.arrays(), [0.0]) == -6
    assert dual_bound(model.arrays(), [-0.5]) == Fraction(-11, 2)


def test_column_that_nothing_bounds_leaves_nothing_to_say() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=math.inf, cost=[-1, 0], name="x")
    model.add_rows(x, [1, -1], upper=0, name="r")
    assert dual_bound(model.arrays(), [0.0]) is None


def test_covering_duals_are_repaired() -> None:
    """With 3x >= 1 and no upper bound, y = 1/3 is never exact, yet the bound is close."""
    model = LinearModel()
    x = model.add_variables((), lower=0, upper=math.inf, cost=1, name="x")
    model.add_rows([x], 3, lower=1, name="r")
    for power in (20, 30, 40):
        bound = dual_bound(model.arrays(), [1 / 3 + 1e-12], power=power)
        assert bound is not None
        assert Fraction(1, 3) - 2 ** (1 - power) <= bound <= Fraction(1, 3)


def test_free_column_gets_a_reduced_cost_of_exactly_zero() -> None:
    """Minimise t >= a_k x - b_k: the multipliers of the rows must add up to 1."""
    model = LinearModel()
    t = model.add_variables((), lower=-math.inf, upper=math.inf, cost=1, name="t")
    x = model.add_variables((), lower=-10, upper=10, name="x")
    model.add_rows([[t, x], [t, x]], [[1, -1], [1, 2]], lower=[-3, -5], name="r")
    # Both rows meet at x = -2/3, t = -11/3, with multipliers 2/3 and 1/3.
    bound = dual_bound(model.arrays(), [2 / 3, 1 / 3])
    assert bound is not None
    assert Fraction(-11, 3) - Fraction(1, 10**6) <= bound <= Fraction(-11, 3)


@pytest.mark.parametrize("seed", range(20))
def test_potentials_in_a_network_are_bounded_by_the_longest_way(seed: int) -> None:
    """Maximise p_last - p_first with p_j - p_i <= length, all free: the shortest path."""
    rng = np.random.default_rng(seed)
    n = 8
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j and rng.random() < 0.5]
    pairs += [(i, i + 1) for i in range(n - 1) if (i, i + 1) not in pairs]
    length = rng.integers(1, 9, len(pairs))
    model = LinearModel(minimise=False)
    cost = np.zeros(n)
    cost[0], cost[-1] = -1, 1
    p = model.add_variables(n, lower=-math.inf, upper=math.inf, cost=cost, name="p")
    model.add_rows([[p[j], p[i]] for i, j in pairs], [[1, -1]] * len(pairs), upper=length, name="r")
    relaxed = ENGINE.solve_lp(model)
    assert relaxed.row_dual is not None
    # Rounding errors in every dual, which no free column forgives.
    noisy = relaxed.row_dual + rng.normal(0, 1e-9, len(pairs))
    assert dual_bound(model.arrays(), relaxed.row_dual) == relaxed.objective
    bound = dual_bound(model.arrays(), noisy)
    assert bound is not None
    assert relaxed.objective is not None
    assert 0 <= bound - Fraction(relaxed.objective) < Fraction(1, 10**4)


def test_infeasible_relaxations_are_refuted_by_their_rays() -> None:
    refuted = 0
    for seed in range(150):
        model, optimum = integer_sample(np.random.default_rng(seed))
        arrays = model.arrays()
        program = Program(arrays, seed=0, stop=threading.Event())
        try:
            found = program.solve(arrays.lower, arrays.upper, None)
            if found.objective != math.inf:
                continue
            ray = program.ray()
        finally:
            program.close()
        assert optimum is None
        if ray is not None:
            assert farkas_margin(arrays, ray) > 0
            refuted += 1
    assert refuted > 20
