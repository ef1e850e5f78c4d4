"""Whether arguments name nodes and bandwidths."""

from __future__ import annotations

import operator
from collections.abc import Iterable

import numpy as np

from leotrek_opt.errors import InputError
from leotrek_opt.models.messages import shown
from leotrek_opt.topology.routing import IntArray, RouteGraph


def node_index(graph: RouteGraph, node: int, field: str) -> int:
    """Return a node index that exists.

    Parameters
    ----------
    graph
        Has the nodes.
    node
        What the caller gave.
    field
        Name of the argument.

    Returns
    -------
    int
        The same.

    Raises
    ------
    leotrek_opt.errors.InputError
        If there is no such node.
    """
    return int(node_indices(graph, [node], field)[0])


def node_indices(graph: RouteGraph, nodes: Iterable[int], field: str) -> IntArray:
    """Return node indices that exist, in their order; see :func:`node_index`."""
    given = list(nodes)
    try:
        found = np.array([operator.index(node) for node in given], dtype=np.int64)
    except (TypeError, OverflowError):
        raise InputError(f"must be node indices, got {shown(given)}", field=field) from None
    wrong = (found < 0) | (found >= graph.n_nodes)
    if wrong.any():
        node = int(found[wrong.argmax()])
        raise InputError(f"no node {node}, there are {graph.n_nodes} (from 0 on)", field=field)
    return found


def checked_bandwidth(value: float, field: str = "min_bandwidth_bps") -> float:
    """Return a bandwidth that links can be compared with.

    Parameters
    ----------
    value
        What the caller gave, in bit/s.
    field
        Name of the argument.

    Returns
    -------
    float
        The same.

    Raises
    ------
    leotrek_opt.errors.InputError
        If it is not a number, or negative.
    """
    try:
        bandwidth = float(value)
    except (TypeError, ValueError):
        bandwidth = -1.0
    if not bandwidth >= 0:
        raise InputError(f"must be a number >= 0, got {shown(value)}", field=field)
    return bandwidth
