"""Whether arguments name nodes."""

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
