"""Bounds of a linear model from the duals of its relaxation, in exact integers and for any duals.

With ``min c'x``, rows ``r <= A x <= s``, columns ``l <= x <= u`` and any vector y, let
``d = c - A'y``. Every feasible x satisfies ``c'x = y'Ax + d'x``, hence

    c'x >= sum of (y_i r_i if y_i > 0 else y_i s_i) + sum of (d_j l_j if d_j > 0 else d_j u_j)

(after Neumaier and Shcherbina, Math. Program. 99, 2004). With ``c = 0`` the right-hand side is at
most 0 unless there is no such x: a positive one proves infeasibility (Farkas).

The model holds integers, and y is rounded to multiples of a power of two, so that everything is an
integer times that power: no float is trusted. numpy's int64 serves where it provably suffices, and
Python ints serve elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.solvers.certificate.implied_bounds import implied_bounds
from leotrek_opt.solvers.linear_arrays import FloatArray, ModelArrays

Integers = NDArray[Any]
"""int64, or Python ints (dtype object) where int64 would not hold them."""

POWERS = (20, 30, 40)
"""Roundings that are tried unless one is asked for: duals to multiples of ``2**-power``."""
MAX_POWER = 60
_INT64_ROOM = 2.0**62
_LARGEST_DUAL = 2.0**80
"""Larger duals are cut off: they would only make for long integers."""


def dual_bound(
    arrays: ModelArrays,
    row_dual: ArrayLike,
    *,
    power: int | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
) -> Fraction | None:
    """Derive a bound on the objective from duals, valid whatever the duals are.

    Parameters
    ----------
    arrays
        The model, m rows and n columns.
    row_dual
        Shape (m,), in the convention of an engine's result: ``column_dual = cost - A' row_dual`` in
        the model's own sense. Entries that are not finite count as 0.
    power
        Round duals to multiples of ``2**-power``; None tries several and keeps the best bound.
    lower, upper
        A box within the bounds of the columns, whole numbers, shape (n,); None for those bounds.

    Returns
    -------
    fractions.Fraction or None
        Exact. A lower bound on the objective, offset included, of every point of the relaxation in
        the box (if the model maximises: an upper bound); None if a column without a bound leaves
        nothing to say.

    Raises
    ------
    InputError
        If a shape or the power is wrong.
    """
    relaxation = ExactRelaxation(arrays)
    duals = arrays.sign * _vector(row_dual, arrays.row_lower.size, "row_dual")
    box = relaxation.box(lower, upper)
    found = [
        Fraction(value, multipliers.denominator)
        for multipliers in _roundings(arrays, duals, power)
        if (value := relaxation.value(multipliers, box)) is not None
    ]
    return arrays.offset + arrays.sign * max(found) if found else None


def farkas_margin(
    arrays: ModelArrays,
    ray: ArrayLike,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    *,
    power: int | None = None,
) -> Fraction:
    """Tell by how much a combination of rows contradicts the bounds of the columns.

    Parameters
    ----------
    arrays
        The model, m rows and n columns.
    ray
        Multipliers of the rows, shape (m,), >= 0 where a lower side counts and <= 0 where an upper
        side does, whatever the sense of the objective. Entries that are not finite count as 0.
    lower, upper
        A box within the bounds of the columns, whole numbers, shape (n,); None for those bounds.
    power
        Round multipliers, scaled to at most 1, to multiples of ``2**-power``; None tries several.

    Returns
    -------
    fractions.Fraction
        Exact, for the scaled multipliers. If positive, no point of the relaxation is in the box; 0
        or less says nothing.

    Raises
    ------
    InputError
        If a shape or the power is wrong.
    """
    relaxation = ExactRelaxation(arrays)
    scaled = unit_ray(_vector(ray, arrays.row_lower.size, "ray"))
    box = relaxation.box(lower, upper)
    found = [
        Fraction(value, multipliers.denominator)
        for multipliers in _roundings(arrays, scaled, power)
        if (value := relaxation.value(multipliers, box, costs=False)) is not None
    ]
    return max(found, default=Fraction(0))


@dataclass(frozen=True, eq=False)
class Multipliers:
    """Numbers that rows are multiplied with: integers over one denominator.

    Attributes
    ----------
    rows
        Rows with a multiplier other than 0, ascending, int64, shape (k,).
    values
        Numerators, shape (k,).
    denominator
        A power of two.
    """

    rows: NDArray[np.int64]
    values: Integers
    denominator: int


def rounded(arrays: ModelArrays, multipliers: FloatArray, power: int) -> Multipliers:
    """Round multipliers of rows to multiples of ``2**-power``.

    Parameters
    ----------
    arrays
        The model, m rows.
    multipliers
        Of the minimised objective, shape (m,). What is not finite, or points to a side on which the
        row is open, becomes 0.
    power
        0 to 60.

    Returns
    -------
    Multipliers
        Without zeros.
    """
    if not 0 <= power <= MAX_POWER:
        raise InputError(f"must be in [0, {MAX_POWER}], not {power!r}", field="power")
    finite = np.where(np.isfinite(multipliers), multipliers, 0.0)
    scaled = np.rint(np.ldexp(np.clip(finite, -_LARGEST_DUAL, _LARGEST_DUAL), power))
    is_open = np.isinf(np.where(scaled > 0, arrays.row_lower, arrays.row_upper))
    rows = np.flatnonzero((scaled != 0) & ~is_open)
    values: Integers = scaled[rows]
    if np.max(np.abs(values), initial=0.0) < _INT64_ROOM:
        values = values.astype(np.int64)
    else:
        values = np.array([int(value) for value in values.tolist()], dtype=object)
    return Multipliers(rows, values, 2**power)


def unit_ray(ray: FloatArray) -> FloatArray:
    """Scale a ray by a power of two so that its largest finite entry is in (1/2, 1]."""
    finite = np.where(np.isfinite(ray), ray, 0.0)
    exponent = np.frexp(np.max(np.abs(finite), initial=0.0))[1]
    scaled: FloatArray = np.ldexp(finite, -exponent)
    return scaled


@dataclass(frozen=True, eq=False)
class Box:
    """Bounds of the columns, whole numbers or infinite, float64 or dtype object, shape (n,)."""

    lower: NDArray[Any]
    upper: NDArray[Any]


class ExactRelaxation:
    """The linear relaxation of a model, minimised, without offset, in exact integers.

    Parameters
    ----------
    arrays
        The model.
    """

    def __init__(self, arrays: ModelArrays) -> None:
        self.arrays = arrays
        self._cost = (arrays.sign * arrays.cost).astype(np.int64)
        self._coefficient = arrays.data.astype(np.int64)
        self._root = Box(*implied_bounds(arrays))

    def box(self, lower: ArrayLike | None = None, upper: ArrayLike | None = None) -> Box:
        """Return a box in which to bound, by default that of the model.

        Parameters
        ----------
        lower, upper
            Whole numbers, shape (n,), or None. Where they are infinite, what the rows of the model
            imply stands instead.

        Returns
        -------
        Box
            For :meth:`value`.
        """
        size = self.arrays.cost.size
        low, high = self._root.lower, self._root.upper
        if lower is not None:
            given = np.floor(_vector(lower, size, "lower"))
            low = np.where(np.isfinite(given), given, low)
        if upper is not None:
            given = np.ceil(_vector(upper, size, "upper"))
            high = np.where(np.isfinite(given), given, high)
        return Box(low, high)

    def value(self, multipliers: Multipliers, box: Box, *, costs: bool = True) -> int | None:
        """Evaluate the bound of the module's docstring.

        Parameters
        ----------
        multipliers
            Of the rows; none points to an open side.
        box
            Of the columns.
        costs
            False takes all costs as 0, for infeasibility.

        Returns
        -------
        int or None
            Times the denominator; None for minus infinity.
        """
        arrays, values = self.arrays, multipliers.values
        reduced = self._combination(multipliers)
        if costs:
            reduced = _sum(_scaled(self._cost, multipliers.denominator), -reduced)
        else:
            reduced = -reduced
        columns = np.flatnonzero(reduced)
        reduced = reduced[columns]
        ends = np.where(reduced > 0, box.lower[columns], box.upper[columns])
        if np.isinf(ends.astype(np.float64)).any():
            return None
        rows = multipliers.rows
        sides = np.where(values > 0, arrays.row_lower[rows], arrays.row_upper[rows])
        return _dot(values, sides.astype(np.int64)) + _dot(reduced, _integers(ends))

    def _combination(self, multipliers: Multipliers) -> Integers:
        """Compute A'y, scaled by the denominator."""
        arrays = self.arrays
        entries = _runs(arrays.indptr[multipliers.rows], arrays.indptr[multipliers.rows + 1])
        lengths = arrays.indptr[multipliers.rows + 1] - arrays.indptr[multipliers.rows]
        column, left = arrays.indices[entries], self._coefficient[entries]
        right = np.repeat(multipliers.values, lengths)
        size = arrays.cost.size
        weights = np.abs(left.astype(np.float64) * right.astype(np.float64))
        if np.max(np.bincount(column, weights, size), initial=0.0) >= _INT64_ROOM:
            left, right = left.astype(object), right.astype(object)
        products = left * right
        total = np.zeros(size, dtype=products.dtype)
        np.add.at(total, column, products)
        return total


def _roundings(
    arrays: ModelArrays, multipliers: FloatArray, power: int | None
) -> Iterator[Multipliers]:
    for tried in POWERS if power is None else (power,):
        yield rounded(arrays, multipliers, tried)


def _vector(values: ArrayLike, size: int, field: str) -> FloatArray:
    vector = np.asarray(values, dtype=np.float64)
    if vector.shape != (size,):
        raise InputError(f"must have shape ({size},), not {vector.shape}", field=field)
    return vector


def _runs(starts: NDArray[Any], ends: NDArray[Any]) -> NDArray[np.int64]:
    """List the numbers from each start up to its end."""
    lengths = (ends - starts).astype(np.int64)
    before = np.cumsum(lengths) - lengths
    runs: NDArray[np.int64] = np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths)
    return runs


def _integers(values: NDArray[Any]) -> Integers:
    """Turn whole floats or Python ints into int64, where they fit."""
    if np.max(np.abs(values.astype(np.float64)), initial=0.0) < _INT64_ROOM:
        return values.astype(np.int64)
    return np.array([int(value) for value in values.tolist()], dtype=object)


def _scaled(values: NDArray[np.int64], factor: int) -> Integers:
    if np.max(np.abs(values.astype(np.float64)), initial=0.0) * factor < _INT64_ROOM:
        return values * np.int64(factor)
    scaled: Integers = values.astype(object) * factor
    return scaled


def _sum(left: Integers, right: Integers) -> Integers:
    """Add two vectors, each int64 below 2**62 or Python ints."""
    if left.dtype != right.dtype:
        left, right = left.astype(object), right.astype(object)
    total: Integers = left + right
    return total


def _dot(left: Integers, right: Integers) -> int:
    """Multiply two vectors without rounding."""
    weights = np.abs(left.astype(np.float64) * right.astype(np.float64))
    if float(weights.sum()) >= _INT64_ROOM:
        left, right = left.astype(object), right.astype(object)
    return int((left * right).sum()) if left.size else 0
