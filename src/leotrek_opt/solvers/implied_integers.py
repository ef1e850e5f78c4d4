"""Continuous columns that take integers in some optimal solution, found in the rows alone.

Three arguments, each with all integer columns fixed:

- *Determined.* An equality row with a coefficient of 1 or -1 on the column and integers otherwise
  leaves it an integer.
- *Products.* A row ``sum of y = x`` with binary x, in which every y has another such row, of
  another binary each, at most one of which can be 1: if x is 0 so is every y, and if x is 1 only
  the y of the binary that is 1 can be, so that it is 1 (pair variables of assignments).
- *Networks.* What is left has at most two entries a column, 1 or -1, outside of rows with a single
  such column, and the rows can be split in two so that entries of one sign lie in different parts
  and entries of different sign in one: such a matrix is totally unimodular (Heller and Tompkins,
  1956), and with integer right-hand sides and bounds its polyhedra have integer corners.

The first two hold in every feasible point. The third says that some optimal point is integral if
there is an optimal point, so nothing is lost by asking for integers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.linear_arrays import ColumnKind, ModelArrays

Mask = NDArray[np.bool_]
IntArray = NDArray[np.int64]


class _Entries(NamedTuple):
    """Matrix entries as triplets, ordered by row."""

    row: IntArray
    column: IntArray
    value: NDArray[np.float64]


def implied_integers(arrays: ModelArrays) -> Mask:
    """Find continuous columns that may be taken as integers without losing anything.

    Parameters
    ----------
    arrays
        The model, n columns.

    Returns
    -------
    numpy.ndarray
        Booleans, shape (n,): columns of kind ``CONTINUOUS`` to which one of the arguments applies.
    """
    continuous = arrays.kind == ColumnKind.CONTINUOUS
    if not np.any(continuous):
        return np.zeros(arrays.cost.size, dtype=bool)
    entries = _Entries(
        np.repeat(np.arange(arrays.row_lower.size), np.diff(arrays.indptr)),
        arrays.indices.astype(np.int64),
        arrays.data,
    )
    left = continuous.copy()
    while left.any():
        settled = _determined(arrays, entries, left) | _products(arrays, entries, left)
        if not settled.any():
            break
        left &= ~settled
    left &= ~_networks(arrays, entries, left)
    found: Mask = continuous & ~left
    return found


def recognised(model: LinearModel) -> LinearModel:
    """Return a model whose implied integers are marked as such, where bounds are finite.

    Parameters
    ----------
    model
        Any model.

    Returns
    -------
    LinearModel
        The same one if there is nothing to mark.
    """
    arrays = model.arrays()
    found = implied_integers(arrays) & np.isfinite(arrays.lower) & np.isfinite(arrays.upper)
    return model.with_implied_integers(found) if found.any() else model


def _count(rows: IntArray, mask: Mask, size: int) -> IntArray:
    counts: IntArray = np.bincount(rows[mask], minlength=size)
    return counts


def _determined(arrays: ModelArrays, entries: _Entries, left: Mask) -> Mask:
    """Return columns that stand alone among integers in an equality row."""
    is_left = left[entries.column]
    alone = _count(entries.row, is_left, arrays.row_lower.size) == 1
    equal = arrays.row_lower == arrays.row_upper
    hit = is_left & (alone & equal)[entries.row] & (np.abs(entries.value) == 1)
    found = np.zeros_like(left)
    found[entries.column[hit]] = True
    return found


def _products(arrays: ModelArrays, entries: _Entries, left: Mask) -> Mask:
    """Return columns of link rows whose other link rows belong to exclusive binaries."""
    n_rows = arrays.row_lower.size
    owner = _owners(arrays, entries, left)
    group = _exclusive_group(arrays, entries)
    link = left[entries.column] & (owner[entries.row] >= 0)
    row, column = entries.row[link], entries.column[link]
    # Columns with exactly two link rows; each row sees the owner of the other one.
    order = np.argsort(column, kind="stable")
    row, column = row[order], column[order]
    first = np.flatnonzero(
        np.concatenate([column[1:] == column[:-1], [False]])
        & (_count(column, np.ones(column.size, dtype=bool), left.size)[column] == 2)
    )
    seen_by = np.concatenate([row[first], row[first + 1]])
    other = owner[np.concatenate([row[first + 1], row[first]])]
    of = np.concatenate([column[first], column[first]])
    full = np.bincount(seen_by, minlength=n_rows) == _count(row, np.ones(row.size, bool), n_rows)
    exclusive = full & _one_group(seen_by, group[other], n_rows)
    # Two columns of a row with the same other binary would share its value.
    pairs = np.unique(np.stack([seen_by, other]), axis=1)
    exclusive &= np.bincount(pairs[0], minlength=n_rows) == np.bincount(seen_by, minlength=n_rows)
    found = np.zeros_like(left)
    found[of[exclusive[seen_by]]] = True
    return found


def _owners(arrays: ModelArrays, entries: _Entries, left: Mask) -> IntArray:
    """Return for each row ``sum of y - x = 0`` the binary x, -1 for all other rows."""
    n_rows = arrays.row_lower.size
    binary = (arrays.kind != ColumnKind.CONTINUOUS) & (arrays.lower == 0) & (arrays.upper == 1)
    is_left = left[entries.column]
    is_x = binary[entries.column]
    negative = _count(entries.row, entries.value < 0, n_rows) == 1
    sign = np.where(negative, 1.0, -1.0)[entries.row]
    fits = np.where(
        is_left,
        (entries.value * sign == 1) & (arrays.lower[entries.column] >= 0),
        is_x & (entries.value * sign == -1),
    )
    good = (
        (_count(entries.row, fits, n_rows) == np.diff(arrays.indptr))
        & (_count(entries.row, ~is_left, n_rows) == 1)
        & (arrays.row_lower == 0)
        & (arrays.row_upper == 0)
    )
    owner = np.full(n_rows, -1, dtype=np.int64)
    mine = ~is_left & good[entries.row]
    owner[entries.row[mine]] = entries.column[mine]
    return owner


def _exclusive_group(arrays: ModelArrays, entries: _Entries) -> IntArray:
    """Return for each binary the first row that lets at most one of its columns be 1, or -1."""
    n_rows = arrays.row_lower.size
    binary = (arrays.kind != ColumnKind.CONTINUOUS) & (arrays.lower == 0) & (arrays.upper == 1)
    fits = binary[entries.column] & (entries.value == 1)
    good = (_count(entries.row, fits, n_rows) == np.diff(arrays.indptr)) & (arrays.row_upper == 1)
    hit = np.flatnonzero(good[entries.row])[::-1]
    group = np.full(arrays.cost.size, -1, dtype=np.int64)
    group[entries.column[hit]] = entries.row[hit]
    return group


def _one_group(rows: IntArray, groups: IntArray, n_rows: int) -> Mask:
    """Return the rows all of whose entries have the same group, and have one."""
    least = np.full(n_rows, np.iinfo(np.int64).max)
    largest = np.full(n_rows, -1, dtype=np.int64)
    np.minimum.at(least, rows, groups)
    np.maximum.at(largest, rows, groups)
    same: Mask = (least == largest) & (largest >= 0)
    return same


def _networks(arrays: ModelArrays, entries: _Entries, left: Mask) -> Mask:
    """Return columns whose component of rows is a network matrix."""
    n_rows = arrays.row_lower.size
    mine = left[entries.column]
    row, column, value = entries.row[mine], entries.column[mine], entries.value[mine]
    good = np.ones_like(left)
    good[column[np.abs(value) != 1]] = False
    shared = (np.bincount(row, minlength=n_rows) > 1)[row]
    row, column, value = row[shared], column[shared], value[shared]
    degree = np.bincount(column, minlength=left.size)
    good[degree > 2] = False
    order = np.argsort(column, kind="stable")
    row, column, value = row[order], column[order], value[order]
    follows = np.flatnonzero(column[1:] == column[:-1])
    tail, head = row[follows], row[follows + 1]
    crosses = (value[follows] == value[follows + 1]).astype(np.int64)
    # Each row stands twice, once for either part; a row that reaches its twin cannot be placed.
    ends = np.concatenate([tail, tail + n_rows])
    others = np.concatenate([head + n_rows * crosses, head + n_rows * (1 - crosses)])
    graph = coo_array((np.ones(ends.size), (ends, others)), shape=(2 * n_rows, 2 * n_rows))
    side = connected_components(graph, directed=False)[1]
    twisted = side[:n_rows] == side[n_rows:]
    plain = coo_array((np.ones(tail.size), (tail, head)), shape=(n_rows, n_rows))
    component = connected_components(plain, directed=False)[1]
    spoilt = np.zeros(component.max(initial=-1) + 1, dtype=bool)
    spoilt[component[twisted]] = True
    spoilt[component[row[~good[column]]]] = True
    good[column[spoilt[component[row]]]] = False
    return left & good
