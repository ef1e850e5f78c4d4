"""Arcs as searches run on them, and what is read off the trees that searches leave."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Pointer = NDArray[np.int32]
Mask = NDArray[np.bool_]


class Vertices(NamedTuple):
    """Arcs between vertices: the nodes 0..N-1, then the starts of nodes that do not relay.

    A route may begin and end at any node, but passes only through nodes that relay. So the arcs
    that leave a node that does not relay hang on a vertex of their own, where a route from that
    node begins: nothing leads there, so nothing passes through.

    Parameters
    ----------
    size
        Number of vertices V.
    start
        The vertex where routes from a node begin, shape (N,).
    indptr, head, weight
        Arcs by tail, compressed, shape (V + 1,), (A,) and (A,).
    """

    size: int
    start: IntArray
    indptr: Pointer
    head: NDArray[np.int32]
    weight: FloatArray

    @property
    def tail(self) -> IntArray:
        """Vertex where each arc begins, shape (A,)."""
        return np.repeat(np.arange(self.size), np.diff(self.indptr))


def vertices(
    indptr: Pointer, head: NDArray[np.int32], weight: FloatArray, relay: Mask | None
) -> Vertices:
    """Give the nodes that do not relay a vertex to start from.

    Parameters
    ----------
    indptr, head, weight
        Arcs by tail, compressed.
    relay
        Whether a route may pass through a node; None where through all.

    Returns
    -------
    Vertices
        Arcs are copied only if they must change places: not if the nodes that do not relay are the
        last ones.
    """
    n_nodes = indptr.size - 1
    start = np.arange(n_nodes)
    if relay is None:
        return Vertices(n_nodes, start, indptr, head, weight)
    silent = np.flatnonzero(~relay)
    start[silent] = n_nodes + np.arange(silent.size)
    size = n_nodes + silent.size
    degree = np.diff(indptr)
    pointer = np.zeros(size + 1, dtype=np.int32)
    np.cumsum(np.concatenate([degree * relay, degree[silent]]), out=pointer[1:])
    if silent.size and silent[0] == n_nodes - silent.size:
        return Vertices(size, start, pointer, head, weight)
    order = np.argsort(np.repeat(~relay, degree), kind="stable")
    return Vertices(size, start, pointer, head[order], weight[order])


def kept(indptr: Pointer, keep: Mask) -> Pointer:
    """Return the row pointer of the arcs that are kept.

    Parameters
    ----------
    indptr
        Row pointer of all arcs.
    keep
        Which are kept, shape (A,).

    Returns
    -------
    ndarray of int32
        As long as ``indptr``.
    """
    before = np.zeros(keep.size + 1, dtype=np.int32)
    np.cumsum(keep, out=before[1:])
    return before[indptr]


def roots(predecessor: NDArray[np.int32], reached: Mask) -> IntArray:
    """Return for each vertex the first one after the virtual source on its route.

    Parameters
    ----------
    predecessor
        By vertex, the virtual source being the vertex after the last, shape (V,).
    reached
        Which vertices have a route, shape (V,).

    Returns
    -------
    ndarray of int64, shape (V,)
        -1 for a vertex that is not reached.
    """
    own = np.arange(predecessor.size)
    parent = np.where(reached & (predecessor != predecessor.size), predecessor, own)
    root, _ = widths_to_root(parent, np.zeros(parent.size))
    root[~reached] = -1
    return root


def widths_to_root(parent: IntArray, width: FloatArray) -> tuple[IntArray, FloatArray]:
    """Follow parents up to the root, and take the least width on the way.

    Whole ways are followed by doubling: after each turn a vertex knows twice as much of its way.

    Parameters
    ----------
    parent
        By vertex; a root is its own. There must be no cycle.
    width
        Of the arc from the parent; of a root, what its way begins with.

    Returns
    -------
    root, width
        Same shapes.
    """
    while True:
        further = parent[parent]
        if np.array_equal(further, parent):
            return parent, np.minimum(width, width[parent])
        width = np.minimum(width, width[parent])
        parent = further
