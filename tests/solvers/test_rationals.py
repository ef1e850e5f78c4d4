"""Exact numbers in arrays: a float means the decimal that it prints as, and nothing is rounded."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.errors import InputError
from leotrek_opt.solvers.rationals import (
    MAX_DIGITS,
    MAX_EXPONENT,
    Rationals,
    common_divisors,
    common_multiples,
    exact,
    joined,
    number,
    product,
)

finite_floats = st.floats(allow_nan=False, allow_infinity=False)
fractions = st.fractions(max_denominator=10**9) | st.fractions()


def listed(numbers: Rationals) -> list[Fraction | float]:
    return [numbers[at] for at in range(len(numbers))]


@given(st.lists(finite_floats | st.integers(-(10**6), 10**6).map(lambda n: n / 1000)))
def test_floats_mean_the_decimals_they_print_as(values: list[float]) -> None:
    expected = [Fraction(repr(value)) for value in values]
    assert listed(exact(values, "v")) == expected
    assert listed(exact(np.array(values), "v")) == expected


@given(st.lists(fractions))
def test_fractions_stay_as_they_are_and_in_lowest_terms(values: list[Fraction]) -> None:
    numbers = exact(values, "v")
    assert listed(numbers) == values
    assert all(
        math.gcd(a, b) == 1
        for a, b in zip(numbers.numerator.tolist(), numbers.denominator.tolist(), strict=True)
    )


def test_every_kind_of_number_is_read_exactly() -> None:
    values: list[Any] = [
        2.42,
        Decimal("0.1"),
        Fraction(1, 3),
        "1/3",
        " -2.50 ",
        "1e-3",
        "1D2",
        ".5",
        "7.",
        np.float32(0.1),
        np.int16(4),
        2**70,
    ]
    expected = ["242/100", "1/10", "1/3", "1/3", "-5/2", "1/1000", "100", "1/2", "7", "1/10", "4"]
    assert listed(exact(values, "v")) == [*map(Fraction, expected), Fraction(2**70)]


def test_infinite_numbers_are_kept_apart() -> None:
    for values in ([math.inf, 1.5, -math.inf], ["inf", 1.5, "-Infinity"], [Decimal("inf"), 1.5]):
        numbers = exact(values, "v")
        assert listed(numbers)[:2] == [math.inf, Fraction(3, 2)]
        assert numbers.infinite.tolist() == [True, False, True][: len(values)]
        assert numbers.fractional.tolist() == [False, True, False][: len(values)]
        halved, doubled = (
            numbers.over(np.full(len(numbers), 2)),
            numbers.times(np.full(len(numbers), 2)),
        )
        assert listed(halved)[:2] == [math.inf, Fraction(3, 4)]
        assert listed(doubled)[:2] == [math.inf, Fraction(3)]


@pytest.mark.parametrize(
    "values",
    [
        np.array([3, -4], dtype=np.int8),
        np.array([3, -4], dtype=object),
        np.array([3.0, -4.0], dtype=np.float32),
        np.array(["3", "-4"]),
        (3, -4),
        iter([3, -4]),
    ],
)
def test_vectors_of_any_kind_are_taken(values: object) -> None:
    assert listed(exact(values, "v")) == [3, -4]


def test_whole_numbers_that_int64_cannot_hold_stay_exact() -> None:
    assert listed(exact(np.array([2**63 + 1], dtype=np.uint64), "v")) == [2**63 + 1]
    assert listed(exact([2**63 + 1, -1], "v")) == [2**63 + 1, -1]
    assert listed(exact([2**60 + 1, 0.5], "v")) == [2**60 + 1, Fraction(1, 2)]


def test_one_number_stands_for_all() -> None:
    assert listed(exact(0.5, "v", size=3)) == [Fraction(1, 2)] * 3
    with pytest.raises(InputError, match="vector"):
        exact(0.5, "v")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.nan, "not nan"),
        (Decimal("nan"), "not nan"),
        ("nan", "must be a number"),
        ("", "must be a number"),
        ("1/0", "must be a number"),
        ("1_000", "must be a number"),
        ("0x10", "must be a number"),
        ("1" * (MAX_DIGITS + 1), "too many digits"),
        (f"1e{MAX_EXPONENT + 1}", "exponent"),
        (f"1e-{MAX_EXPONENT + 1}", "exponent"),
        ("1e99999999999999", "must be a number"),
        (Decimal(f"1e{MAX_EXPONENT + 1}"), "too many digits"),
        (True, "must be a number"),
        (None, "must be a number"),
        ([1], "must be a number"),
        (1j, "must be a number"),
    ],
)
def test_what_is_no_number_is_refused_by_its_position(value: object, text: str) -> None:
    with pytest.raises(InputError, match=text) as refusal:
        exact([1, value], "cost")
    assert refusal.value.field == "cost[1]"
    with pytest.raises(ValueError, match=text):
        number(value)


@pytest.mark.parametrize("values", [np.zeros((2, 2)), np.array([True]), "12", 7, None, b"1"])
def test_what_is_no_vector_of_numbers_is_refused(values: object) -> None:
    with pytest.raises(InputError) as refusal:
        exact(values, "cost")
    assert refusal.value.field is not None
    assert refusal.value.field.startswith("cost")


def test_wrong_length_is_refused() -> None:
    with pytest.raises(InputError, match="length 3"):
        exact([1, 2], "cost", size=3)


@given(st.lists(st.tuples(fractions, st.integers(1, 10**12)), min_size=1))
def test_multiplying_and_dividing_are_exact(pairs: list[tuple[Fraction, int]]) -> None:
    numbers = exact([pair[0] for pair in pairs], "v")
    factors = np.array([pair[1] for pair in pairs])
    assert listed(numbers.times(factors)) == [value * factor for value, factor in pairs]
    assert listed(numbers.over(factors)) == [value / factor for value, factor in pairs]


@given(st.lists(fractions))
def test_rounding_goes_down_and_up(values: list[Fraction]) -> None:
    numbers = exact(values, "v")
    assert numbers.floor().tolist() == [math.floor(value) for value in values]
    assert numbers.ceil().tolist() == [math.ceil(value) for value in values]


@given(st.lists(st.tuples(st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62))))
def test_products_never_overflow(pairs: list[tuple[int, int]]) -> None:
    left = np.array([pair[0] for pair in pairs], dtype=np.int64)
    right = np.array([pair[1] for pair in pairs], dtype=np.int64)
    assert product(left, right).tolist() == [a * b for a, b in pairs]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 10**9)), min_size=1))
def test_multiples_and_divisors_by_group(members: list[tuple[int, int]]) -> None:
    group = np.array([member[0] for member in members])
    values = np.array([member[1] for member in members])
    by_group = [[value for at, value in members if at == wanted] for wanted in range(4)]
    assert common_multiples(values, group, 4).tolist() == [math.lcm(*part) for part in by_group]
    assert common_divisors(values, group, 4).tolist() == [math.gcd(*part) for part in by_group]


def test_joined_numbers_keep_their_order() -> None:
    assert listed(joined([(1, 2), (-1, 0), (10**30, 7)])) == [
        Fraction(1, 2),
        -math.inf,
        Fraction(10**30, 7),
    ]
