"""Finite bounds of columns that have none of their own, implied by the rows, in exact integers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.solvers.linear_arrays import FloatArray, ModelArrays

_INT64_ROOM = 2.0**62
_PASSES = 8


def implied_bounds(arrays: ModelArrays) -> tuple[NDArray[Any], NDArray[Any]]:
    """Replace infinite column bounds by finite ones where a row implies one.

    In a row ``sum of a_k x_k <= b`` the others are at least their least activity ``s``, so
    ``a_j x_j <= b - s``. The quotient is rounded outwards to an integer.

    Parameters
    ----------
    arrays
        The model.

    Returns
    -------
    lower, upper
        Shape (n,): the model's own bounds where they are finite, Python ints or infinite floats
        elsewhere (dtype object) if any column lacks a bound, else float64.
    """
    lower, upper = arrays.lower, arrays.upper
    if np.isfinite(lower).all() and np.isfinite(upper).all():
        return lower, upper
    found_lower, found_upper = _exact(lower), _exact(upper)
    rows = _Rows(arrays)
    for _ in range(_PASSES):
        missing = _count_infinite(found_lower) + _count_infinite(found_upper)
        rows.tighten(found_lower, found_upper)
        if missing in {0, _count_infinite(found_lower) + _count_infinite(found_upper)}:
            break
    return found_lower, found_upper


def _exact(bounds: FloatArray) -> NDArray[Any]:
    """Turn whole floats into Python ints; infinities stay floats."""
    exact = bounds.astype(object)
    finite = np.isfinite(bounds)
    exact[finite] = bounds[finite].astype(np.int64).astype(object)
    return exact


def _count_infinite(bounds: NDArray[Any]) -> int:
    return int(np.count_nonzero(np.isinf(bounds.astype(np.float64))))


class _Rows:
    """The rows that hold a column without a bound, as ``a x <= b``, each side for itself."""

    def __init__(self, arrays: ModelArrays) -> None:
        lengths = np.diff(arrays.indptr)
        row = np.repeat(np.arange(lengths.size), lengths)
        open_column = np.isinf(arrays.lower) | np.isinf(arrays.upper)
        wanted = np.zeros(lengths.size, dtype=bool)
        wanted[row[open_column[arrays.indices]]] = True
        entries = np.flatnonzero(wanted[row])
        self.m = lengths.size
        self.row = row[entries]
        self.column = arrays.indices[entries].astype(np.int64)
        self.coefficient = arrays.data[entries].astype(np.int64).astype(object)
        self.limits = arrays.row_upper, -arrays.row_lower

    def tighten(self, lower: NDArray[Any], upper: NDArray[Any]) -> None:
        """Fill in what one pass over the rows implies, where there was nothing before."""
        for coefficient, limit in zip(
            (self.coefficient, -self.coefficient), self.limits, strict=True
        ):
            self._tighten(coefficient, limit, lower, upper)

    def _tighten(
        self,
        coefficient: NDArray[Any],
        limit: FloatArray,
        lower: NDArray[Any],
        upper: NDArray[Any],
    ) -> None:
        row, column = self.row, self.column
        positive = coefficient > 0
        at_least = np.where(positive, lower[column], upper[column])
        unbounded = np.isinf(at_least.astype(np.float64))
        least = np.where(unbounded, 0, coefficient * np.where(unbounded, 0, at_least))
        unknown = np.bincount(row, unbounded, self.m)
        activity = np.zeros(self.m, dtype=object)
        np.add.at(activity, row, least)
        # The other end of the column is what the row limits.
        limited = np.where(positive, upper[column], lower[column])
        open_side = np.isinf(limited.astype(np.float64))
        usable = open_side & np.isfinite(limit[row]) & (unknown[row] == unbounded)
        chosen = np.flatnonzero(usable)
        room = (
            limit[row[chosen]].astype(np.int64).astype(object)
            - activity[row[chosen]]
            + least[chosen]
        )
        for j, a, b in zip(
            column[chosen].tolist(), coefficient[chosen].tolist(), room.tolist(), strict=True
        ):
            if a > 0:
                upper[j] = min(upper[j], -(-b // a))
            else:
                lower[j] = max(lower[j], -b // -a)
