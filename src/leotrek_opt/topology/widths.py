"""The widest of many routes that share arcs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.topology.arcs import widths_to_root

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def widths_over_arcs(
    source: int,
    tail: IntArray,
    head: NDArray[np.int32],
    bandwidth: FloatArray,
    weight: FloatArray,
    reached: NDArray[np.bool_],
) -> FloatArray:
    """Return the widest of the ways that arcs leave from a node to every node.

    Parameters
    ----------
    source
        The node.
    tail, head, bandwidth, weight
        Ends, bandwidth and latency of the arcs, shape (A,): those that least-latency routes use, so
        that only arcs of weight 0 can form a cycle.
    reached
        Which nodes have a route, shape (N,).

    Returns
    -------
    ndarray of float64, shape (N,)
        ``inf`` at the source itself, 0 without route.
    """
    width = _widths_along_one_tree(source, tail, head, bandwidth, weight, reached)
    # Widths only grow and a simple route has fewer than N links, so this ends.
    while True:
        offered = np.minimum(width[tail], bandwidth)
        grown = width.copy()
        np.maximum.at(grown, head, offered)
        if np.array_equal(grown, width):
            return width
        width = grown


def _widths_along_one_tree(
    source: int,
    tail: IntArray,
    head: NDArray[np.int32],
    bandwidth: FloatArray,
    weight: FloatArray,
    reached: NDArray[np.bool_],
) -> FloatArray:
    """Return the widths of some least-latency routes: those along a tree, 0 where it does not lead.

    Each node takes one arc of positive weight into it, so that no cycle can arise, and whole ways
    to the source are followed by doubling.
    """
    nodes = np.arange(reached.size)
    parent, width = nodes.copy(), np.where(reached, np.inf, 0.0)
    forward = weight > 0
    parent[head[forward]] = tail[forward]
    width[head[forward]] = bandwidth[forward]
    parent[source], width[source] = source, np.inf
    root, width = widths_to_root(parent, width)
    return np.where(root == source, width, 0.0)
