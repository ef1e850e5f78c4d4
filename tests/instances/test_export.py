"""What the text formats share: exact decimals and distinct names."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.instances.export import MAX_NAME, decimal_text, distinct_names


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("3", "3"),
        ("-242/100", "-2.42"),
        ("1/1000", "0.001"),
        ("-1/8", "-0.125"),
        ("7/20", "0.35"),
        ("1/3", None),
        ("1/70", None),
    ],
)
def test_decimals_are_exact_or_there_are_none(value: str, text: str | None) -> None:
    assert decimal_text(Fraction(value)) == text


@given(st.integers(), st.integers(0, 30), st.integers(0, 30))
def test_decimals_read_back_as_the_same_number(numerator: int, twos: int, fives: int) -> None:
    value = Fraction(numerator, 2**twos * 5**fives)
    text = decimal_text(value)
    assert text is not None
    assert Fraction(text) == value


def test_equal_names_are_numbered_in_their_order() -> None:
    names = ["a", "a", "a_2", "a", "b"]
    assert distinct_names(names, str, taken=["b"]) == ["a", "a_2", "a_2_2", "a_3", "b_2"]


@given(st.lists(st.text("ab_2", max_size=4) | st.just("a" * 300)))
def test_names_are_distinct_and_keep_their_order(names: list[str]) -> None:
    found = distinct_names(names, str)
    assert len(set(found)) == len(names)
    for name, given_name in zip(found, names, strict=True):
        assert name.startswith(given_name[:MAX_NAME])
