"""Finite bounds of columns that have none of their own, implied by the rows, in exact integers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.solvers.certificate.integers import python_integers
from leotrek_opt.solvers.linear_arrays import FloatArray, ModelArrays

_PASSES = 8


def implied_bounds(arrays: ModelArrays) -> tuple[FloatArray, FloatArray]:
    """Replace infinite column bounds by finite ones where a row implies one.

    In a row ``sum of a_k x_k <= b`` the other terms are at least their least activity s, hence
    ``a_j x_j <= b - s``. The quotient is rounded outwards to a whole number.

    Parameters
    ----------
    arrays
        The model.

    Returns
    -------
    lower, upper
        Shape (n,), whole numbers: the model's own bounds where they are finite, else what the rows
        imply, or still infinite.
    """
    lower, upper = arrays.lower, arrays.upper
    missing = _count_infinite(lower, upper)
    if not missing:
        return lower, upper
    rows = _Rows(arrays)
    for _ in range(_PASSES):
        lower, upper = rows.tightened(lower, upper)
        before, missing = missing, _count_infinite(lower, upper)
        if missing in {0, before}:
            break
    return lower, upper


def _count_infinite(lower: FloatArray, upper: FloatArray) -> int:
    return int(np.count_nonzero(np.isinf(lower)) + np.count_nonzero(np.isinf(upper)))


class _Rows:
    """The rows that hold a column without a bound."""

    def __init__(self, arrays: ModelArrays) -> None:
        lengths = np.diff(arrays.indptr)
        row = np.repeat(np.arange(lengths.size), lengths)
        is_open = np.isinf(arrays.lower) | np.isinf(arrays.upper)
        wanted = np.zeros(lengths.size, dtype=bool)
        wanted[row[is_open[arrays.indices]]] = True
        entries = np.flatnonzero(wanted[row])
        self.n_rows = lengths.size
        self.row = row[entries]
        self.column = arrays.indices[entries]
        self.coefficient = python_integers(arrays.data[entries])
        self.sides = (1, arrays.row_upper), (-1, -arrays.row_lower)

    def tightened(self, lower: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Fill in what one pass over the rows implies where there was nothing before."""
        new_lower, new_upper = lower.copy(), upper.copy()
        for sign, limit in self.sides:
            self._fill(sign * self.coefficient, limit, (lower, upper), (new_lower, new_upper))
        return new_lower, new_upper

    def _fill(
        self,
        coefficient: NDArray[Any],
        limit: FloatArray,
        known: tuple[FloatArray, FloatArray],
        new: tuple[FloatArray, FloatArray],
    ) -> None:
        """Take the rows as ``coefficient x <= limit``."""
        row, column = self.row, self.column
        (lower, upper), (new_lower, new_upper) = known, new
        is_positive = coefficient > 0
        least_at = np.where(is_positive, lower[column], upper[column])
        is_unknown = np.isinf(least_at)
        least = coefficient * python_integers(np.where(is_unknown, 0.0, least_at))
        activity = np.zeros(self.n_rows, dtype=object)
        np.add.at(activity, row, least)
        unknown = np.bincount(row, is_unknown, self.n_rows)
        # A row of this direction limits the other end of a column, given those of all others.
        limited = np.where(is_positive, upper[column], lower[column])
        others_known = unknown[row] == is_unknown
        chosen = np.flatnonzero(np.isinf(limited) & np.isfinite(limit[row]) & others_known)
        room = python_integers(limit[row[chosen]]) - activity[row[chosen]] + least[chosen]
        for j, a, b in zip(
            column[chosen].tolist(), coefficient[chosen].tolist(), room.tolist(), strict=True
        ):
            if a > 0:
                new_upper[j] = min(new_upper[j], _float_above(-(-b // a)))
            else:
                new_lower[j] = max(new_lower[j], -_float_above(-(-b // -a)))


def _float_above(value: int) -> float:
    """Return a whole float that is at least as large, however large the integer is."""
    try:
        near = float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.ldexp(1.0, 1000)
    return near if near >= value else math.nextafter(near, math.inf)
