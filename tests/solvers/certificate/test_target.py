"""Targets: the least bound that reaches one, and what duals leave out below it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.solvers.certificate.minorant import Box, Minorant
from leotrek_opt.solvers.certificate.target import Target, own_bound, tightening
from leotrek_opt.solvers.linear import LinearModel


def test_step_is_reached_by_anything_above_the_step_before() -> None:
    """Multiples of 5: above 10 means 15."""
    target = Target(Fraction(15), 5)
    assert target.numerator(8) == 81
    assert target.is_reached(Fraction(81, 8))
    assert not target.is_reached(Fraction(10))


def test_target_between_steps_is_the_next_step() -> None:
    assert Target(Fraction(11), 5).numerator(1) == Target(Fraction(15), 5).numerator(1) == 11


def test_target_without_steps_must_be_reached_itself() -> None:
    target = Target(Fraction(7, 3), None)
    assert target.numerator(2) == 5
    assert target.is_reached(Fraction(7, 3))
    assert not target.is_reached(Fraction(2))


@given(st.fractions(-50, 50), st.one_of(st.none(), st.integers(1, 9)), st.integers(1, 64))
def test_numerator_is_the_least_that_reaches(
    value: Fraction, step: int | None, denominator: int
) -> None:
    target = Target(value, step)
    least = target.numerator(denominator)
    assert target.is_reached(Fraction(least, denominator))
    assert not target.is_reached(Fraction(least - 1, denominator))


@pytest.mark.parametrize("minimise", [True, False])
def test_bounds_go_to_the_next_value_of_the_objective(minimise: bool) -> None:
    """Costs 4 and 6 move in steps of 2 around the offset 1."""
    model = LinearModel(minimise=minimise, offset=1)
    model.add_variables(2, lower=0, upper=9, cost=[4, 6], integer=True, name="x")
    assert own_bound(model.arrays(), Fraction(5, 2)) == (5 if minimise else -3)
    assert Target.of(model.arrays(), 5) == Target(Fraction(4 if minimise else -4), 2)


@given(
    slopes=st.lists(st.integers(-7, 7), min_size=3, max_size=3),
    constant=st.integers(-40, 40),
    value=st.integers(-20, 20),
    kinds=st.lists(st.booleans(), min_size=3, max_size=3),
    scale=st.sampled_from([1, 4, 2**70]),
)
def test_tightening_leaves_out_exactly_what_reaches_the_target(
    slopes: list[int], constant: int, value: int, kinds: list[bool], scale: int
) -> None:
    """Each value of each integer column, with the others at their best."""
    lower, upper = np.array([-2.0, 0.0, 1.0]), np.array([3.0, 4.0, 1.0])
    model = LinearModel()
    model.add_variables(3, lower=lower, upper=upper, integer=np.array(kinds), name="x")
    slope = np.array([slope * scale for slope in slopes], dtype=object)
    minorant = Minorant(constant * scale, slope, 4 * scale)
    target, box = Target(Fraction(value), 1), Box(lower, upper)
    found = tightening(model.arrays(), minorant, target, box)
    new_lower, new_upper = lower.copy(), upper.copy()
    if found is not None:
        new_lower[found.columns], new_upper[found.columns] = found.lower, found.upper
    for column in range(3):
        for x in range(int(lower[column]), int(upper[column]) + 1):
            fixed_lower, fixed_upper = lower.copy(), upper.copy()
            fixed_lower[column] = fixed_upper[column] = x
            least = minorant.least(Box(fixed_lower, fixed_upper))
            assert least is not None
            reaches = target.is_reached(Fraction(least, minorant.denominator))
            is_left_out = not new_lower[column] <= x <= new_upper[column]
            assert is_left_out == (reaches and kinds[column] and slopes[column] != 0)
