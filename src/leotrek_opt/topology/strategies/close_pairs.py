"""All pairs of points within a radius."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.topology.ordering import order_of

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_MOST_CELLS = 64
"""Along each axis."""
_MOST_CANDIDATES = 24
"""With more of them per point a k-d tree is faster."""
_FEWEST_POINTS = 500
_BLOCK = 4096
"""Points looked at together: what is only needed on the way then stays in the cache."""


class _Cells(NamedTuple):
    """Cubes at least as wide as a radius, numbered along x, then y, then z."""

    number: Indices
    """Cell of each point."""
    stride: tuple[int, int]
    """From a cell to the next one along x and along y."""
    total: int


def close_pairs(position_km: Array, radius_km: float) -> tuple[Indices, Indices]:
    """Return all pairs of points within a radius of each other.

    Parameters
    ----------
    position_km
        Shape (n, 3), finite.
    radius_km
        Pairs that are closer are all there; of those that differ from it by rounding alone some
        may be.

    Returns
    -------
    first, second : ndarray
        Indices, each pair once, in no particular order.

    Notes
    -----
    Points are sorted into cubes; whoever is close lies in the same or an adjacent one. For large
    radii, where that leaves many candidates, a k-d tree finds the pairs.
    """
    if len(position_km) >= _FEWEST_POINTS:
        found = _pairs_by_cells(position_km, radius_km)
        if found is not None:
            return found
    pairs = tree_of(position_km).query_pairs(radius_km, output_type="ndarray")
    return pairs[:, 0], pairs[:, 1]


def crowding(position_km: Array, radius_km: float) -> float:
    """Return how many points share a cube of about a radius with a point, on average.

    Parameters
    ----------
    position_km
        Shape (n, 3), finite.
    radius_km
        Width of the cubes.

    Returns
    -------
    float
        The point itself included.
    """
    inhabitants = np.bincount(_cells(position_km, radius_km).number)
    return float((inhabitants * inhabitants).sum() / max(len(position_km), 1))


def tree_of(position_km: Array) -> cKDTree:
    """Return a k-d tree.

    Parameters
    ----------
    position_km
        Shape (n, 3), finite.

    Returns
    -------
    scipy.spatial.cKDTree
        Built for one use rather than for many.
    """
    from scipy.spatial import cKDTree

    return cKDTree(position_km, leafsize=16, balanced_tree=False)


def _pairs_by_cells(position_km: Array, radius_km: float) -> tuple[Indices, Indices] | None:
    cells = _cells(position_km, radius_km)
    order = order_of(cells.number)
    number = cells.number[order]
    start = np.zeros(cells.total + 1, dtype=np.int64)
    np.cumsum(np.bincount(number, minlength=cells.total), out=start[1:])
    # Of the 27 cells around, half are left to the other end. Those along z are one range of points:
    # the rest of the own row, and the rows ahead along y and x.
    along_x, along_y = cells.stride
    ranges = [(np.arange(1, len(order) + 1), start[number + 2])]
    for row in (along_y, along_x - along_y, along_x, along_x + along_y):
        ranges.append((start[number + row - 1], start[number + row + 2]))
    if sum(int((last - first).sum()) for first, last in ranges) > _MOST_CANDIDATES * len(order):
        return None
    columns = np.ascontiguousarray(position_km[order].T)
    found = [
        _close_in_ranges(columns, point, first[point], last[point], radius_km)
        for first, last in ranges
        for point in (slice(begin, begin + _BLOCK) for begin in range(0, len(order), _BLOCK))
    ]
    one, other = (np.concatenate(column) for column in zip(*found, strict=True))
    return order[one], order[other]


def _close_in_ranges(
    columns: Array, points: slice, first: Indices, last: Indices, radius_km: float
) -> tuple[Indices, Indices]:
    """Return the pairs of a block of points with ranges of points that are close."""
    length = last - first
    before = np.cumsum(length) - length
    one = np.repeat(np.arange(points.start, points.start + len(length)), length)
    # Ranges one after the other, each counted from where it begins.
    other = np.arange(len(one))
    other += np.repeat(first - before, length)
    square = np.zeros(len(one))
    for column in columns:
        along = column.take(one)
        along -= column.take(other)
        along *= along
        square += along
    close = np.flatnonzero(square <= radius_km * radius_km)
    return one[close], other[close]


def _cells(position_km: Array, radius_km: float) -> _Cells:
    # Column by column: extremes across short rows would cost several times as much.
    columns = np.ascontiguousarray(position_km.T)
    lowest = columns.min(axis=1, initial=np.inf)
    span = float((columns.max(axis=1, initial=-np.inf) - lowest).max())
    width = max(radius_km, span / _MOST_CELLS)
    # An empty layer all round, so that every cell has neighbours.
    x, y, z = ((columns - lowest[:, None]) / width).astype(np.int64) + 1
    n_x, n_y, n_z = (int(cell.max(initial=1)) + 2 for cell in (x, y, z))
    return _Cells((x * n_y + y) * n_z + z, (n_y * n_z, n_z), n_x * n_y * n_z)
