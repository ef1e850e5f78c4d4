"""A linear model as plain arrays, and its exact evaluation at a point.

Every number is an integer below 2**53 held in float64, so sums over an integral point can be taken
in int64, or in Python ints where int64 would not hold them: no rounding either way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int32]

_FLOAT_ROOM = 2.0**53
_INT64_ROOM = 2.0**62


class ColumnKind(IntEnum):
    """What values a column may take."""

    CONTINUOUS = 0
    INTEGER = 1
    IMPLIED_INTEGER = 2
    """Continuous, yet some optimal solution gives it integers: an engine may take it as either."""


@dataclass(frozen=True, eq=False)
class ModelArrays:
    """A model as a solver takes it: one CSR matrix and vectors, all read-only.

    Attributes
    ----------
    cost, lower, upper
        Objective coefficient and bounds of each column, float64, shape (n,); bounds of continuous
        columns may be infinite.
    kind
        :class:`ColumnKind` of each column, int8, shape (n,).
    indptr, indices, data
        CSR matrix: int32 of shape (m + 1,), int32 and float64 of shape (nnz,). Columns ascend
        within a row, no entry is zero, none stands twice.
    row_lower, row_upper
        Bounds of each row, float64, shape (m,); infinite where a side is open.
    minimise
        Sense of the objective.
    offset
        Constant of the objective, exact; it is not limited to what a float can hold.
    """

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    kind: NDArray[np.int8]
    indptr: IndexArray
    indices: IndexArray
    data: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray
    minimise: bool
    offset: int

    @property
    def sign(self) -> int:
        """1 if the model minimises, -1 if it maximises."""
        return 1 if self.minimise else -1

    @property
    def objective_step(self) -> int | None:
        """Greatest common divisor of the costs, or None if a continuous column has a cost.

        The optimal value is ``offset`` plus a multiple of it, so a bound may be moved to the next
        such value. A model without costs has step 1.
        """
        priced = self.cost != 0
        if np.any(self.kind[priced] == ColumnKind.CONTINUOUS):
            return None
        return int(np.gcd.reduce(self.cost[priced].astype(np.int64))) if priced.any() else 1


def model_digest(arrays: ModelArrays) -> str:
    """Return the SHA-256 of a model: of all its numbers, not of its names.

    Parameters
    ----------
    arrays
        The model.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    size, rows = arrays.cost.size, arrays.row_lower.size
    found = hashlib.sha256(f"{size} {rows} {arrays.minimise:d} {arrays.offset}\n".encode())
    for array in (
        arrays.cost,
        arrays.lower,
        arrays.upper,
        arrays.kind,
        arrays.indptr,
        arrays.indices,
        arrays.data,
        arrays.row_lower,
        arrays.row_upper,
    ):
        found.update(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    return found.hexdigest()


@dataclass(frozen=True)
class Violation:
    """One bound, row or integrality requirement that a point breaks.

    Attributes
    ----------
    kind
        What is broken; ``column`` means the bounds of a column.
    index
        Row or column index.
    label
        Its label, such as ``capacity[3]``.
    value
        Activity of the row or value of the column; an int where the arithmetic is exact.
    lower, upper
        What would be allowed.
    """

    kind: Literal["row", "column", "integrality"]
    index: int
    label: str
    value: float
    lower: float
    upper: float

    def __str__(self) -> str:
        if self.kind == "integrality":
            return f"{self.label} = {self.value} is not an integer"
        return f"{self.label} = {self.value} is outside [{self.lower}, {self.upper}]"


def exact_dot(coefficients: FloatArray, values: FloatArray) -> int:
    """Multiply two vectors of whole numbers without rounding.

    Parameters
    ----------
    coefficients, values
        Whole numbers, shape (n,).

    Returns
    -------
    int
        The sum of the products.
    """
    left, right = _exact_factors(coefficients, values, terms=coefficients.size)
    return int(np.sum(left * right)) if left.size else 0


def exact_activities(arrays: ModelArrays, values: FloatArray) -> NDArray[Any]:
    """Compute A x at a point of whole numbers without rounding.

    Parameters
    ----------
    arrays
        The model, m rows and n columns.
    values
        Whole numbers, shape (n,).

    Returns
    -------
    numpy.ndarray
        Shape (m,), int64, or Python ints (dtype object) where int64 could overflow.
    """
    lengths = np.diff(arrays.indptr)
    longest = int(lengths.max()) if lengths.size else 0
    left, right = _exact_factors(arrays.data, values[arrays.indices], terms=longest)
    # The running sum may wrap around; differences of it are right nevertheless, modulo 2**64.
    running = np.zeros(left.size + 1, dtype=left.dtype)
    np.cumsum(left * right, out=running[1:])
    activities: NDArray[Any] = running[arrays.indptr[1:]] - running[arrays.indptr[:-1]]
    return activities


def float_activities(arrays: ModelArrays, values: FloatArray) -> FloatArray:
    """Compute A x in float64.

    Parameters
    ----------
    arrays
        The model, m rows and n columns.
    values
        Shape (n,).

    Returns
    -------
    numpy.ndarray
        Shape (m,).
    """
    row = np.repeat(np.arange(arrays.row_lower.size), np.diff(arrays.indptr))
    sums = np.zeros(arrays.row_lower.size)
    np.add.at(sums, row, arrays.data * values[arrays.indices])
    return sums


def violations(
    arrays: ModelArrays,
    point: FloatArray,
    tolerance: float,
    column_label: Callable[[int], str],
    row_label: Callable[[int], str],
) -> list[Violation]:
    """List what a point breaks: exactly at an integral point, in float64 elsewhere.

    Parameters
    ----------
    arrays
        The model.
    point
        Finite values, shape (n,).
    tolerance
        Largest excess let pass at a point with fractional values: over a bound or an integer as it
        is, over a row times the row's largest coefficient of a column that may take fractions, or
        once if that is below 1.
    column_label, row_label
        Name a column or row by its index.

    Returns
    -------
    list of Violation
        Columns first, then rows.
    """
    nearest = np.rint(point)
    exact = bool(np.all((nearest == point) & (np.abs(point) < _FLOAT_ROOM)))
    slack = 0.0 if exact else tolerance
    fractional = (arrays.kind == ColumnKind.INTEGER) & (np.abs(point - nearest) > slack)
    outside = (point < arrays.lower - slack) | (point > arrays.upper + slack)
    activity = exact_activities(arrays, point) if exact else float_activities(arrays, point)
    row_slack = 0.0 if exact else tolerance * _fraction_scale(arrays)
    broken = (activity < arrays.row_lower - row_slack) | (activity > arrays.row_upper + row_slack)
    bounds = arrays.lower, arrays.upper
    row_bounds = arrays.row_lower, arrays.row_upper
    return [
        *_violations("integrality", fractional, point, bounds, column_label),
        *_violations("column", outside, point, bounds, column_label),
        *_violations("row", broken, activity, row_bounds, row_label),
    ]


def _fraction_scale(arrays: ModelArrays) -> FloatArray:
    """Return by how much an error of 1 in a column that may take fractions moves each row.

    Integers are exact, so their coefficients excuse nothing: with ``y <= 10**7 x`` a row may not be
    10**7 times as far off.
    """
    scale = np.ones(arrays.row_lower.size)
    filled = np.flatnonzero(np.diff(arrays.indptr))
    if filled.size:
        free = arrays.kind[arrays.indices] != ColumnKind.INTEGER
        moves = np.where(free, np.abs(arrays.data), 0.0)
        scale[filled] = np.maximum(1.0, np.maximum.reduceat(moves, arrays.indptr[filled]))
    return scale


def _exact_factors(
    left: FloatArray, right: FloatArray, *, terms: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Convert to int64 if sums of that many products fit, else to Python ints."""
    largest = float(np.max(np.abs(left * right), initial=0.0))
    wide = largest * terms >= _INT64_ROOM
    left_int, right_int = left.astype(np.int64), right.astype(np.int64)
    return (left_int.astype(object), right_int.astype(object)) if wide else (left_int, right_int)


def _violations(
    kind: Literal["row", "column", "integrality"],
    broken: NDArray[np.bool_],
    values: NDArray[Any],
    bounds: tuple[FloatArray, FloatArray],
    label: Callable[[int], str],
) -> Iterator[Violation]:
    for index in np.flatnonzero(broken).tolist():
        value = values[index : index + 1].tolist()[0]
        lower, upper = bounds[0][index].item(), bounds[1][index].item()
        yield Violation(kind, index, label(index), value, lower, upper)
