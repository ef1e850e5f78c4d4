"""Quantities in messages keep every digit and no needless ones."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from leotrek_opt.evaluation.wording import (
    chain,
    degrees,
    megabits_per_second,
    milliseconds,
    plain,
)


def test_milliseconds_keep_every_nanosecond() -> None:
    assert milliseconds(7_000_001) == "7.000001 ms"
    assert milliseconds(1_200_000_000) == "1200 ms"
    assert milliseconds(0) == "0 ms"
    assert milliseconds(2**53) == "9007199254.740992 ms"


def test_megabits_keep_every_bit() -> None:
    assert megabits_per_second(49_999_999) == "49.999999 Mbit/s"
    assert megabits_per_second(10**15) == "1000000000 Mbit/s"


def test_degrees_show_what_decides_a_limit() -> None:
    assert degrees(Fraction("58.90")) == "58.9 °C"
    assert degrees(Fraction(75) + Fraction(1, 10**9)) == "75.000000001 °C"
    assert degrees(Fraction(1, 3)) == "0.333333333333 °C"
    assert degrees(Fraction(-5, 2)) == "-2.5 °C"


def test_plain_numbers_have_no_exponent() -> None:
    assert plain(Decimal("1E+3")) == "1000"
    assert plain(Decimal("0.50")) == "0.5"
    assert plain(Decimal(100)) == "100"


def test_chains_of_up_to_ten_are_written_out() -> None:
    assert chain(["a"]) == "a"
    assert chain(list("abcdefghij")) == "a > b > c > d > e > f > g > h > i > j"
    assert chain(list("abcdefghijk")) == "a > b > c > d > ... 3 more ... > h > i > j > k"
