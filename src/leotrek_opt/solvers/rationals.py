"""Exact numbers in arrays: what a caller writes, without the rounding of binary fractions.

A float stands for the decimal that it prints as: 2.42 is 242/100, although no float holds that.
Numbers are kept as fractions in lowest terms in two integer arrays, int64 as long as that holds
them, so that a million of them cost a few passes of numpy and no Python objects.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.messages import shown

IntegerArray = NDArray[Any]
"""int64, or Python ints (dtype object)."""

MAX_DIGITS = 1000
"""Longest number that is read from text."""
MAX_EXPONENT = 400
"""Largest power of ten, either way, that is read from text; float64 ends at 308."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eEdD][+-]?[0-9]{1,9})?")
_QUOTIENT = re.compile(r"([+-]?[0-9]+)/([0-9]+)")
_INFINITE = {
    f"{sign}{word}": -1 if sign == "-" else 1
    for sign in ("", "+", "-")
    for word in ("inf", "infinity")
}
_INT64_ROOM = 2.0**62
_FLOAT_ROOM = 2.0**53
_DECIMAL_PLACES = 18
_SHORT_DECIMAL = 10.0**15
"""Two decimals of up to 15 digits never round to the same float, so a short one is the shortest."""


@dataclass(frozen=True, eq=False)
class Rationals:
    """Fractions in lowest terms.

    Attributes
    ----------
    numerator, denominator
        int64, or Python ints (dtype object) where that is too small; shape (n,). An infinite
        number has denominator 0 and numerator 1 or -1.
    """

    numerator: IntegerArray
    denominator: IntegerArray

    def __len__(self) -> int:
        return int(self.numerator.size)

    def __getitem__(self, position: int) -> Fraction | float:
        numerator, denominator = int(self.numerator[position]), int(self.denominator[position])
        return (
            Fraction(numerator, denominator) if denominator else math.copysign(math.inf, numerator)
        )

    @property
    def infinite(self) -> NDArray[np.bool_]:
        """Which are infinite."""
        return np.asarray(self.denominator == 0, dtype=np.bool_)

    @property
    def fractional(self) -> NDArray[np.bool_]:
        """Which are neither whole nor infinite."""
        return np.asarray(self.denominator > 1, dtype=np.bool_)

    def take(self, chosen: NDArray[Any]) -> Rationals:
        """Return some of them.

        Parameters
        ----------
        chosen
            Positions, or a mask of shape (n,).

        Returns
        -------
        Rationals
            In their order.
        """
        return Rationals(self.numerator[chosen], self.denominator[chosen])

    def times(self, factor: IntegerArray) -> Rationals:
        """Multiply each finite number by a whole number >= 1 of its own.

        Parameters
        ----------
        factor
            Integers >= 1, shape (n,).

        Returns
        -------
        Rationals
            In lowest terms.
        """
        common = np.gcd(self.denominator, factor)
        # The greatest common divisor with the 0 of an infinite number is the factor itself.
        return Rationals(product(self.numerator, factor // common), self.denominator // common)

    def over(self, divisor: IntegerArray) -> Rationals:
        """Divide each finite number by a whole number >= 1 of its own.

        Parameters
        ----------
        divisor
            Integers >= 1, shape (n,).

        Returns
        -------
        Rationals
            In lowest terms.
        """
        common = np.gcd(self.numerator, divisor)
        return Rationals(self.numerator // common, product(self.denominator, divisor // common))

    def floor(self) -> IntegerArray:
        """Round down; only for finite numbers."""
        return self.numerator // self.denominator

    def ceil(self) -> IntegerArray:
        """Round up; only for finite numbers."""
        return -(-self.numerator // self.denominator)


def ones(n: int) -> Rationals:
    """Return n times the number 1.

    Parameters
    ----------
    n
        How many.

    Returns
    -------
    Rationals
        Shape (n,).
    """
    return Rationals(np.ones(n, dtype=np.int64), np.ones(n, dtype=np.int64))


def product(left: IntegerArray, right: IntegerArray) -> IntegerArray:
    """Multiply two arrays of integers element by element, without overflow.

    Parameters
    ----------
    left, right
        int64 or Python ints, shapes that broadcast.

    Returns
    -------
    numpy.ndarray
        int64 if that surely holds every product, else Python ints.
    """
    if _any_wide(left, right):
        return np.asarray(left.astype(object) * right.astype(object), dtype=object)
    if _largest(left) * _largest(right) < _INT64_ROOM:
        return np.asarray(left * right)
    return np.asarray(left.astype(object) * right.astype(object), dtype=object)


def common_multiples(
    denominators: IntegerArray, group: NDArray[np.int64], n_groups: int
) -> IntegerArray:
    """Return the least common multiple of the numbers of each group.

    Parameters
    ----------
    denominators
        Integers >= 0, shape (n,); 0 counts as 1.
    group
        Group of each, shape (n,).
    n_groups
        Number of groups; one without members has 1.

    Returns
    -------
    numpy.ndarray
        Shape (n_groups,).
    """
    kept = denominators > 1
    denominators, group = denominators[kept], group[kept]
    fits = not _any_wide(denominators) and bool(np.all(10**_DECIMAL_PLACES % denominators == 0))
    multiples = np.ones(n_groups, dtype=np.int64 if fits else object)
    np.lcm.at(multiples, group, denominators if fits else denominators.astype(object))
    return multiples


def common_divisors(numbers: IntegerArray, group: NDArray[np.int64], n_groups: int) -> IntegerArray:
    """Return the greatest common divisor of the numbers of each group.

    Parameters
    ----------
    numbers
        Integers, shape (n,).
    group
        Group of each, shape (n,).
    n_groups
        Number of groups; one with nothing but zeros has 0.

    Returns
    -------
    numpy.ndarray
        Shape (n_groups,).
    """
    divisors = np.zeros(n_groups, dtype=numbers.dtype)
    np.gcd.at(divisors, group, numbers)
    return divisors


def exact(values: object, field: str, *, size: int | None = None) -> Rationals:
    """Read numbers exactly.

    Parameters
    ----------
    values
        One number, or a vector of them: ints, floats, Decimals, Fractions or text such as
        ``"2.42"``, ``"1e-3"`` and ``"1/3"``. A float means the decimal that it prints as.
    field
        Names them in an error.
    size
        How many there must be; a single number then stands for all. None takes a vector only.

    Returns
    -------
    Rationals
        Shape (size,). Infinities are let pass.

    Raises
    ------
    InputError
        If something is no number, or there are not as many as there should be.
    """
    if isinstance(values, (int, float, Rational, Decimal, str, np.generic)) and size is not None:
        one = exact([values], field)
        return Rationals(np.repeat(one.numerator, size), np.repeat(one.denominator, size))
    array = _as_array(values, field)
    if array.ndim != 1 or (size is not None and array.size != size):
        wanted = "a vector" if size is None else f"a vector of length {size}"
        raise InputError(f"must be {wanted}, not of shape {array.shape}", field=field)
    if array.dtype.kind in "iu" and (array.dtype != np.uint64 or _largest(array) < _INT64_ROOM):
        whole = array.astype(np.int64)
        return Rationals(whole, np.ones(whole.size, dtype=np.int64))
    if array.dtype == np.float64:
        return _from_floats(array, field)
    if array.dtype.kind in "iufOUS":
        return joined(_parsed(value, f"{field}[{at}]") for at, value in enumerate(array))
    raise InputError(f"must be numbers, not {array.dtype}", field=field)


def number(value: object) -> tuple[int, int]:
    """Read one number exactly.

    Parameters
    ----------
    value
        As for :func:`exact`.

    Returns
    -------
    tuple of int
        Numerator and denominator in lowest terms; ±1 and 0 if it is infinite.

    Raises
    ------
    ValueError
        If it is no number, or longer than :data:`MAX_DIGITS` or :data:`MAX_EXPONENT` allow; the
        text says which.
    """
    if isinstance(value, (bool, np.bool_)):
        raise ValueError(f"must be a number, not {value}")
    if isinstance(value, (int, np.integer)):
        return int(value), 1
    if isinstance(value, Rational):
        return int(value.numerator), int(value.denominator)
    if isinstance(value, (float, np.floating)):
        if np.isfinite(value):
            return Fraction(str(value)).as_integer_ratio()
        if np.isinf(value):
            return (1 if value > 0 else -1), 0
        raise ValueError("must be a number, not nan")
    if isinstance(value, Decimal):
        if value.is_infinite():
            return (-1 if value.is_signed() else 1), 0
        if value.is_nan():
            raise ValueError("must be a number, not nan")
        if len(value.as_tuple().digits) > MAX_DIGITS or abs(value.adjusted()) > MAX_EXPONENT:
            raise ValueError("has too many digits")
        return value.as_integer_ratio()
    if isinstance(value, (str, bytes)):
        return _from_text(value.decode("latin-1") if isinstance(value, bytes) else value)
    raise ValueError(f"must be a number, not {shown(value)}")


def joined(pairs: Iterable[tuple[int, int]]) -> Rationals:
    """Put numbers into arrays.

    Parameters
    ----------
    pairs
        Numerators and denominators as :func:`number` returns them.

    Returns
    -------
    Rationals
        In their order.
    """
    listed = list(pairs)
    return Rationals(
        _integers([pair[0] for pair in listed]), _integers([pair[1] for pair in listed])
    )


def _integers(values: list[int]) -> IntegerArray:
    try:
        array = np.array(values, dtype=np.int64)
    except OverflowError:
        array = np.array(values, dtype=object)
    if not _any_wide(array) and _largest(array) < _INT64_ROOM:
        return array
    return np.array(values, dtype=object)


def _any_wide(*arrays: IntegerArray) -> bool:
    return any(array.dtype.kind == "O" for array in arrays)


def _largest(array: IntegerArray) -> float:
    """Return the largest magnitude; int64's smallest number has none in int64."""
    return float(np.max(np.abs(array.astype(np.float64)), initial=0.0))


def _as_array(values: object, field: str) -> NDArray[Any]:
    """Make an array without losing a digit: numpy turns ints beside floats into floats."""
    if isinstance(values, np.ndarray):
        return values
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise InputError(f"must be a vector of numbers, not {shown(values)}", field=field)
    listed = list(values)
    kinds = set(map(type, listed))
    if kinds == {int}:
        return _integers(listed)
    if kinds == {float}:
        return np.array(listed, dtype=np.float64)
    return np.fromiter(listed, dtype=object, count=len(listed))


def _from_floats(values: NDArray[np.float64], field: str) -> Rationals:
    bad = np.flatnonzero(np.isnan(values))
    if bad.size:
        raise InputError("must be a number, not nan", field=f"{field}[{bad[0]}]")
    numerator = np.zeros(values.size, dtype=np.int64)
    denominator = np.ones(values.size, dtype=np.int64)
    infinite = np.isinf(values)
    numerator[infinite], denominator[infinite] = np.sign(values[infinite]).astype(np.int64), 0
    whole = (np.rint(values) == values) & (np.abs(values) < _FLOAT_ROOM)
    numerator[whole] = values[whole].astype(np.int64)
    left = np.flatnonzero(~whole & ~infinite)
    for places in range(1, _DECIMAL_PLACES + 1):
        if not left.size:
            break
        # A quotient of two integers that floats hold is rounded once, as reading a decimal is.
        power, here = 10.0**places, values[left]
        with np.errstate(over="ignore"):
            shifted = np.rint(here * power)
        hit = (np.abs(shifted) < _SHORT_DECIMAL) & (shifted / power == here)
        at = left[hit]
        numerator[at], denominator[at] = shifted[hit].astype(np.int64), 10**places
        left = left[~hit]
    common = np.gcd(numerator, denominator)
    common[infinite] = 1
    numerator, denominator = numerator // common, denominator // common
    if not left.size:
        return Rationals(numerator, denominator)
    distinct, inverse = np.unique(values[left], return_inverse=True)
    rest = joined(Fraction(repr(value)).as_integer_ratio() for value in distinct.tolist())
    kind = object if _any_wide(rest.numerator, rest.denominator) else np.int64
    numerator, denominator = numerator.astype(kind), denominator.astype(kind)
    numerator[left], denominator[left] = rest.numerator[inverse], rest.denominator[inverse]
    return Rationals(numerator, denominator)


def _parsed(value: object, field: str) -> tuple[int, int]:
    try:
        return number(value)
    except ValueError as error:
        raise InputError(str(error), field=field) from None


def _from_text(text: str) -> tuple[int, int]:
    word = text.strip()
    if len(word) > MAX_DIGITS:
        raise ValueError("has too many digits")
    if _NUMBER.fullmatch(word):
        mantissa, _, exponent = word.upper().replace("D", "E").partition("E")
        power = int(exponent or 0)
        if abs(power) > MAX_EXPONENT:
            raise ValueError(f"has an exponent beyond ±{MAX_EXPONENT}")
        whole, _, decimals = mantissa.partition(".")
        power -= len(decimals)
        digits = int(whole + decimals)
        if power >= 0:
            return digits * 10**power, 1
        return Fraction(digits, 10**-power).as_integer_ratio()
    if (quotient := _QUOTIENT.fullmatch(word)) and int(quotient[2]):
        return Fraction(int(quotient[1]), int(quotient[2])).as_integer_ratio()
    if word.lower() in _INFINITE:
        return _INFINITE[word.lower()], 0
    raise ValueError(f"must be a number, not {shown(text)}")
