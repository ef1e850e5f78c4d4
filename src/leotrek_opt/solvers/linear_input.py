"""Checks that turn what a caller hands to ``LinearModel`` into clean arrays, or refuse it."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.errors import InputError, ModelTooLargeError
from leotrek_opt.solvers.linear_arrays import ColumnKind, FloatArray, IndexArray

MAX_VALUE = 2**53 - 1
"""Largest magnitude of a cost or a bound: float64 holds it and everything smaller exactly."""
MAX_COEFFICIENT = 2**49
"""Largest magnitude in the matrix: below the 1e15 from which HiGHS refuses a model."""
MAX_INDEX = 2**31 - 1
"""Largest number of columns, rows or nonzeros: indices are int32."""


def block_shape(shape: int | Sequence[int], field: str) -> tuple[int, ...]:
    """Check the shape of a block.

    Parameters
    ----------
    shape
        One length or several.
    field
        Names the block in an error.

    Returns
    -------
    tuple of int
        The lengths.

    Raises
    ------
    InputError
        If a length is not a whole number >= 0.
    """
    try:
        lengths = (
            tuple(operator.index(length) for length in shape)
            if isinstance(shape, Sequence)
            else (operator.index(shape),)
        )
    except TypeError:
        lengths = (-1,)
    if any(length < 0 for length in lengths):
        raise InputError(f"must have a shape of whole numbers >= 0, not {shape!r}", field=field)
    return lengths


def require_room(count: int, what: str) -> None:
    """Refuse a model that int32 indices cannot address.

    Parameters
    ----------
    count
        How many there would be.
    what
        Of what, in the plural.

    Raises
    ------
    ModelTooLargeError
        If they are too many.
    """
    if count > MAX_INDEX:
        raise ModelTooLargeError(f"the model would have {count} {what}; at most {MAX_INDEX} fit")


def whole_numbers(
    values: ArrayLike,
    shape: tuple[int, ...] | None,
    field: str,
    limit: int,
    *,
    infinite: bool = False,
) -> FloatArray:
    """Check that values are whole numbers in range and flatten them to float64.

    Parameters
    ----------
    values
        Integers, or floats that hold whole numbers.
    shape
        What they must broadcast to; None keeps the shape they have.
    field
        Names them in an error.
    limit
        Largest magnitude.
    infinite
        Whether infinities are let pass.

    Returns
    -------
    numpy.ndarray
        A new float64 vector, in C order.

    Raises
    ------
    InputError
        If they are not numbers, not finite, not whole, too large or of the wrong shape.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise InputError(f"must be whole numbers within ±{limit}", field=field)
    if array.dtype.kind == "f":
        finite = np.isfinite(array)
        if not finite.all() and (not infinite or np.isnan(array).any()):
            bad = array[~finite][0]
            raise InputError(
                f"must be {'a number' if infinite else 'finite'}, not {bad}", field=field
            )
        fractional = finite & (np.rint(array) != array)
        if fractional.any():
            raise InputError(f"must be whole numbers, not {array[fractional][0]}", field=field)
        finite_values = array if finite.all() else array[finite]
    else:
        finite_values = array
    if finite_values.size:
        low, high = finite_values.min().item(), finite_values.max().item()
        if max(-low, high) > limit:
            worst = low if -low > high else high
            raise InputError(f"must be within ±{limit}, not {worst}", field=field)
    if shape is None:
        return array.astype(np.float64)
    result = np.empty(shape, dtype=np.float64)
    try:
        result[...] = array
    except ValueError:
        raise InputError(
            f"must have shape {shape} or broadcast to it, not {array.shape}", field=field
        ) from None
    if array.dtype.kind == "f":
        result += 0.0  # -0.0, which would survive into printed answers, becomes 0.0
    return result.reshape(-1)


def require_order(lower: FloatArray, upper: FloatArray, field: str) -> None:
    """Refuse bounds that cross, and bounds that are infinite on the wrong side.

    Parameters
    ----------
    lower, upper
        Bounds, of one shape.
    field
        Names them in an error.

    Raises
    ------
    InputError
        If a lower bound exceeds its upper bound, is +inf, or the upper bound is -inf.
    """
    crossed = (lower > upper) | (lower == math.inf) | (upper == -math.inf)
    if crossed.any():
        at = int(np.flatnonzero(crossed)[0])
        raise InputError(
            f"has lower bound {lower[at]} and upper bound {upper[at]} at flat position {at}",
            field=field,
        )


def indices_below(values: ArrayLike, limit: int, field: str) -> IndexArray:
    """Check that values are indices and convert them to int32.

    Parameters
    ----------
    values
        Integers, any shape.
    limit
        One more than the largest index allowed.
    field
        Names them in an error.

    Returns
    -------
    numpy.ndarray
        A new int32 array of the same shape.

    Raises
    ------
    InputError
        If they are not integers or not in ``[0, limit)``.
    """
    array = np.asarray(values)
    if array.size == 0:
        return np.zeros(array.shape, dtype=np.int32)
    if array.dtype.kind not in "iu":
        raise InputError(f"must be integers, not {array.dtype}", field=field)
    low, high = array.min().item(), array.max().item()
    if low < 0 or high >= limit:
        raise InputError(f"must be in [0, {limit}), not {low if low < 0 else high}", field=field)
    return array.astype(np.int32)


def row_starts(
    entries: IndexArray, lengths: ArrayLike | None, indptr: ArrayLike | None, field: str
) -> NDArray[np.int64]:
    """Find where each row starts among the entries.

    Parameters
    ----------
    entries
        Column indices: rows of equal length along the last axis, or shape (nnz,).
    lengths
        Row lengths, or None.
    indptr
        Row starts, or None.
    field
        Names the block in an error.

    Returns
    -------
    numpy.ndarray
        int64, shape (m + 1,), ascending from 0 to the number of entries.

    Raises
    ------
    InputError
        If lengths or starts do not describe the entries.
    """
    if lengths is None and indptr is None:
        if entries.ndim == 0:
            raise InputError("columns must have at least one axis", field=field)
        starts = np.arange(math.prod(entries.shape[:-1]) + 1, dtype=np.int64)
        starts *= entries.shape[-1]
        return starts
    if lengths is not None and indptr is not None:
        raise InputError("takes lengths or indptr, not both", field=field)
    given = np.asarray(lengths if indptr is None else indptr)
    what = f"{field}.{'lengths' if indptr is None else 'indptr'}"
    if entries.ndim != 1 or given.ndim != 1:
        raise InputError("must be a vector, and columns too", field=what)
    if given.size and given.dtype.kind not in "iu":
        raise InputError(f"must be integers, not {given.dtype}", field=what)
    given = given.astype(np.int64)
    if indptr is None:
        starts = np.zeros(given.size + 1, dtype=np.int64)
        np.cumsum(given, out=starts[1:])
    else:
        starts = given
    if starts.size == 0 or starts[0] != 0 or starts[-1] != entries.size:
        raise InputError(f"must run from 0 to the {entries.size} entries", field=what)
    if np.any(np.diff(starts) < 0):
        raise InputError("must not descend", field=what)
    return starts


def canonical_rows(
    starts: NDArray[np.int64], entries: IndexArray, data: FloatArray, n_columns: int, field: str
) -> tuple[NDArray[np.int64], IndexArray, FloatArray]:
    """Drop zeros and sort each row by column.

    Parameters
    ----------
    starts
        Row starts, shape (m + 1,).
    entries, data
        Column and coefficient of each entry, shape (nnz,).
    n_columns
        Number of columns of the model.
    field
        Names the block in an error.

    Returns
    -------
    tuple of numpy.ndarray
        Row lengths, columns and coefficients.

    Raises
    ------
    InputError
        If a column stands twice in a row.
    """
    if not data.all():
        kept = data != 0
        starts = np.concatenate([[0], np.cumsum(kept)])[starts]
        entries, data = entries[kept], data[kept]
    lengths = np.diff(starts)
    ascending = entries[1:] > entries[:-1]
    inner = starts[(starts > 0) & (starts < entries.size)]
    ascending[inner - 1] = True
    if not ascending.all():
        key = np.repeat(np.arange(lengths.size, dtype=np.int64) * n_columns, lengths) + entries
        # A stable sort is a merge of ascending runs, and rows are mostly made of a few of them.
        order = np.argsort(key, kind="stable")
        key = key[order]
        twice = np.flatnonzero(key[1:] == key[:-1])
        if twice.size:
            row, column = divmod(int(key[twice[0]]), n_columns)
            raise InputError(f"column {column} stands twice in row {row}", field=field)
        entries, data = entries[order], data[order]
    return lengths, entries, data


def column_kinds(
    integer: ArrayLike, implied: ArrayLike, shape: tuple[int, ...], name: str
) -> NDArray[np.int8]:
    """Join two flags into the kinds of columns.

    Parameters
    ----------
    integer, implied
        Booleans, one or an array of shape `shape`.
    shape
        Of the block.
    name
        Names the block in an error.

    Returns
    -------
    numpy.ndarray
        :class:`~leotrek_opt.solvers.linear_arrays.ColumnKind` of each column, int8, flat.

    Raises
    ------
    InputError
        If they are no booleans of that shape, or both hold for a column.
    """
    flags = {"integer": np.asarray(integer), "implied_integer": np.asarray(implied)}
    for what, array in flags.items():
        if array.dtype != np.bool_ or array.shape not in {(), shape}:
            raise InputError(f"must be booleans of shape {shape}", field=f"{name}.{what}")
    if np.any(flags["integer"] & flags["implied_integer"]):
        raise InputError("must not be integer and implied_integer at once", field=name)
    kinds = np.empty(shape, dtype=np.int8)
    kinds[...] = np.where(
        flags["integer"],
        np.int8(ColumnKind.INTEGER),
        flags["implied_integer"] * np.int8(ColumnKind.IMPLIED_INTEGER),
    )
    return kinds.reshape(-1)
