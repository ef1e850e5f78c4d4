"""Routes of the largest bottleneck bandwidth, and among those of the least latency.

The widest way between two nodes of an undirected graph leads along a maximum spanning tree (Hu,
Oper. Res. 9, 1961). It spans the nodes that relay; the others are joined to it where a route ends.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from leotrek_opt.topology.arcs import widths_to_root
from leotrek_opt.topology.routes.check import node_index, node_indices
from leotrek_opt.topology.routes.route import Route
from leotrek_opt.topology.routes.search import Adjacency, best_route
from leotrek_opt.topology.routing import FloatArray, IntArray, RouteGraph


def widest_rows(graph: RouteGraph, sources: Iterable[int]) -> tuple[FloatArray, FloatArray]:
    """Return bandwidth and latency of the widest routes from some nodes to all nodes.

    Parameters
    ----------
    graph
        Of a snapshot.
    sources
        Node indices, k of them.

    Returns
    -------
    bandwidth_bps
        Largest bottleneck, ``inf`` at the source itself and where unlimited, 0 without route; shape
        (k, N).
    latency_ns
        The least latency of a route that is so wide, ``inf`` without route; shape (k, N). It costs
        one Dijkstra per source and different bandwidth.

    Raises
    ------
    leotrek_opt.errors.InputError
        If there is no such node.
    """
    nodes = node_indices(graph, sources, "sources").tolist()
    if graph.bandwidth is None:
        latency = graph.rows(nodes)
        return np.where(np.isfinite(latency), np.inf, 0.0), latency
    widths = _Widths(graph, graph.bandwidth)
    bandwidth = np.array([widths.row(node) for node in nodes]).reshape(-1, graph.n_nodes)
    latency = np.full(bandwidth.shape, np.inf)
    for level in np.unique(bandwidth[bandwidth > 0]).tolist():
        wide = graph.at_least(level)
        for row, node in enumerate(nodes):
            here = bandwidth[row] == level
            if here.any():
                latency[row, here] = wide.rows([node])[0, here]
    return bandwidth, latency


def widest_route(graph: RouteGraph, source: int, target: int) -> Route | None:
    """Return the widest route between two nodes; of several the fastest.

    Parameters
    ----------
    graph
        Of a snapshot.
    source, target
        Node indices.

    Returns
    -------
    Route or None
        Of several equally wide and fast ones that with the smallest node indices; None if no route
        exists.

    Raises
    ------
    leotrek_opt.errors.InputError
        If there is no such node.
    """
    source, target = node_index(graph, source, "source"), node_index(graph, target, "target")
    if graph.bandwidth is not None and source != target:
        bandwidth = _Widths(graph, graph.bandwidth).row(source)[target]
        if bandwidth == 0:
            return None
        graph = graph.at_least(bandwidth)
    return best_route(Adjacency(graph), source, target, graph.rows([target])[0])


class _Widths:
    """Largest bottlenecks along a maximum spanning tree of the nodes that relay."""

    def __init__(self, graph: RouteGraph, bandwidth_bps: FloatArray) -> None:
        self.graph = graph
        self.bandwidth = bandwidth_bps
        self.up = np.isfinite(graph.weight)
        self.relay = np.ones(graph.n_nodes, dtype=bool) if graph.relay is None else graph.relay
        self.levels = np.unique(self.bandwidth)
        inner = self.up & self.relay[graph.tail] & self.relay[graph.head]
        self.tree = self._spanning_tree(graph.tail[inner], graph.head[inner], self.bandwidth[inner])

    def row(self, source: int) -> FloatArray:
        """Return the largest bottleneck from a node to every node, 0 without route."""
        graph, tree = self.graph, self.tree
        if not self.relay[source]:
            tail, head, bandwidth = tree
            own = np.flatnonzero(self.up & (graph.tail == source) & self.relay[graph.head])
            tree = self._spanning_tree(
                np.concatenate([tail, graph.tail[own]]),
                np.concatenate([head, graph.head[own]]),
                np.concatenate([bandwidth, self.bandwidth[own]]),
            )
        width = _along(tree, source, graph.n_nodes)
        leaves = self.relay.copy()
        leaves[source] = True
        last = self.up & leaves[graph.tail] & ~self.relay[graph.head]
        offered = np.minimum(width[graph.tail[last]], self.bandwidth[last])
        np.maximum.at(width, graph.head[last], offered)
        return width

    def _spanning_tree(
        self, tail: IntArray, head: IntArray, bandwidth: FloatArray
    ) -> tuple[IntArray, IntArray, FloatArray]:
        """Return ends and bandwidth of the links of a maximum spanning forest."""
        n = self.graph.n_nodes
        # The widest links have rank 1: a weight of 0 would be no link.
        rank = self.levels.size - np.searchsorted(self.levels, bandwidth)
        low, high = np.minimum(tail, head), np.maximum(tail, head)
        order = np.lexsort((rank, high, low))
        low, high, rank = low[order], high[order], rank[order]
        widest = np.ones(low.size, dtype=bool)
        widest[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
        links = (rank[widest].astype(np.float64), (low[widest], high[widest]))
        tree = minimum_spanning_tree(csr_matrix(links, shape=(n, n))).tocoo()
        level = self.levels.size - tree.data.astype(np.int64)
        return tree.row.astype(np.int64), tree.col.astype(np.int64), self.levels[level]


def _along(tree: tuple[IntArray, IntArray, FloatArray], source: int, n_nodes: int) -> FloatArray:
    """Return the bottleneck of the way along a tree from a node to every node, 0 without way."""
    tail, head, bandwidth = tree
    link = np.arange(1, tail.size + 1)
    joined = csr_matrix(
        (
            np.concatenate([link, link]),
            (np.concatenate([tail, head]), np.concatenate([head, tail])),
        ),
        shape=(n_nodes, n_nodes),
    )
    reached, before = breadth_first_order(joined, source, directed=True)
    parent = np.arange(n_nodes)
    width = np.zeros(n_nodes)
    width[source] = np.inf
    below = reached[1:]
    if below.size:
        parent[below] = before[below]
        width[below] = bandwidth[np.asarray(joined[parent[below], below]).reshape(-1) - 1]
    return widths_to_root(parent, width)[1]
