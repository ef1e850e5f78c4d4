"""Routes between many nodes at once: arrays in, arrays out.

The tie rule asks for the smallest next node, seen from the source, among those from which the rest
of the best latency and bandwidth is still to be had. All routes are followed side by side, one hop
after another: one step looks at the links of the nodes where they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.topology.routes.check import checked_bandwidth, node_index, node_indices
from leotrek_opt.topology.routes.route import Route, bottleneck_or_none
from leotrek_opt.topology.routes.search import Adjacency, best_route
from leotrek_opt.topology.routing import FloatArray, IntArray, RouteGraph

MARKS = 50_000_000
"""Entries of the table of nodes by pair that is held at a time."""

Mask = NDArray[np.bool_]
Leads = Callable[[IntArray, IntArray], Mask]
"""Tells of arcs, by the pairs that look at them, which ones lead on along the best route."""


@dataclass(frozen=True, eq=False)
class RouteTable:
    """The routes from S sources to T targets.

    Parameters
    ----------
    sources, targets
        Node indices, shape (S,) and (T,).
    latency_ns
        Whole ns, ``inf`` without route, shape (S, T).
    bottleneck_bps
        Bit/s; ``inf`` where unlimited or on one node, 0 without route; shape (S, T).
    hops
        Number of links, -1 without route, shape (S, T).
    indptr, nodes
        The route of the pair p = i T + j passes ``nodes[indptr[p]:indptr[p + 1]]``.
    """

    sources: IntArray
    targets: IntArray
    latency_ns: FloatArray
    bottleneck_bps: FloatArray
    hops: NDArray[np.int32]
    indptr: IntArray
    nodes: NDArray[np.int32]

    def path(self, source: int, target: int) -> NDArray[np.int32]:
        """Return the nodes of a route, none if there is none.

        Parameters
        ----------
        source, target
            Positions in ``sources`` and ``targets``.

        Returns
        -------
        ndarray of int32
            A view.
        """
        pair = source * len(self.targets) + target
        return self.nodes[self.indptr[pair] : self.indptr[pair + 1]]

    def route(self, source: int, target: int) -> Route | None:
        """Return a route by its positions in ``sources`` and ``targets``, None if there is none."""
        if self.hops[source, target] < 0:
            return None
        return Route(
            tuple(self.path(source, target).tolist()),
            int(self.latency_ns[source, target]),
            bottleneck_or_none(float(self.bottleneck_bps[source, target])),
        )


def route(
    graph: RouteGraph, source: int, target: int, *, min_bandwidth_bps: float | None = None
) -> Route | None:
    """Return the best route between two nodes.

    Parameters
    ----------
    graph
        Of a snapshot.
    source, target
        Node indices.
    min_bandwidth_bps
        Only links with at least this many bit/s may be used; None admits every link.

    Returns
    -------
    Route or None
        None if no route exists.

    Raises
    ------
    leotrek_opt.errors.InputError
        If there is no such node.
    """
    source, target = node_index(graph, source, "source"), node_index(graph, target, "target")
    if min_bandwidth_bps is not None:
        graph = graph.at_least(checked_bandwidth(min_bandwidth_bps))
    return best_route(Adjacency(graph), source, target, graph.rows([target])[0])


def routes(graph: RouteGraph, sources: Iterable[int], targets: Iterable[int]) -> RouteTable:
    """Return the best routes from some nodes to some nodes.

    Parameters
    ----------
    graph
        Of a snapshot.
    sources, targets
        Node indices, S and T of them.

    Returns
    -------
    RouteTable
        One Dijkstra per target, or per source where these are far fewer.

    Raises
    ------
    leotrek_opt.errors.InputError
        If there is no such node.
    """
    start, end = node_indices(graph, sources, "sources"), node_indices(graph, targets, "targets")
    from_sources = 2 * np.unique(start).size + 8 < np.unique(end).size
    # Latencies and bandwidths are the same in both directions.
    roots, row = np.unique(start if from_sources else end, return_inverse=True)
    latency = graph.rows(roots.tolist())
    width = _widths(graph, roots)
    source, target = np.repeat(start, end.size), np.tile(end, start.size)
    if from_sources:
        row, far = np.repeat(row, end.size), target
    else:
        row, far = np.tile(row, start.size), source
    found = latency[row, far]
    if width is not None:
        bottleneck = width[row, far]
    else:
        only = np.inf if graph.bandwidth is None else graph.bandwidth.max(initial=0)
        bottleneck = np.where(np.isfinite(found), only, 0.0)
        bottleneck[source == target] = np.inf
    pairs = _Pairs(graph, source, target, row, latency, width, bottleneck)
    paths = _Paths(source.size)
    open_pairs = np.flatnonzero(np.isfinite(found))
    if from_sources:
        height = max(1, MARKS // max(1, graph.n_nodes))
        for first in range(0, open_pairs.size, height):
            part = open_pairs[first : first + height]
            _follow(pairs, part, _leads_from_source(pairs, part), paths)
    else:
        _follow(pairs, open_pairs, _leads_to_target(pairs), paths)
    indptr, nodes = paths.joined()
    shape = (start.size, end.size)
    return RouteTable(
        start,
        end,
        found.reshape(shape),
        bottleneck.reshape(shape),
        (np.diff(indptr) - 1).astype(np.int32).reshape(shape),
        indptr,
        nodes,
    )


def _widths(graph: RouteGraph, roots: IntArray) -> FloatArray | None:
    """Return bottlenecks from some nodes; None where all links are alike."""
    bandwidth = graph.bandwidth
    if bandwidth is None or bandwidth.size == 0 or (bandwidth == bandwidth[0]).all():
        return None
    return graph.bottleneck_rows(roots.tolist())


@dataclass(eq=False)
class _Pairs:
    """Pairs of ends with their bottlenecks, and the rows of latencies and widths of one end."""

    graph: RouteGraph
    source: IntArray
    target: IntArray
    row: IntArray
    latency: FloatArray
    width: FloatArray | None
    bottleneck: FloatArray

    def is_wide(self, pair: IntArray, arc: IntArray, node: IntArray) -> Mask:
        """Tell whether arcs, and the ways on to nodes, have the bandwidth of the whole route."""
        if self.width is None or self.graph.bandwidth is None:
            return np.ones(arc.size, dtype=bool)
        asked = self.bottleneck[pair]
        return (self.graph.bandwidth[arc] >= asked) & (self.width[self.row[pair], node] >= asked)

    def may_pass(self, node: IntArray, end: IntArray) -> Mask:
        """Tell whether routes may pass through nodes, or end there."""
        if self.graph.relay is None:
            return np.ones(node.size, dtype=bool)
        passes: Mask = self.graph.relay[node] | (node == end)
        return passes


class _Paths:
    """Collects the nodes of routes, hop by hop."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._pair: list[IntArray] = []
        self._node: list[IntArray] = []

    def append(self, pair: IntArray, node: IntArray) -> None:
        self._pair.append(pair)
        self._node.append(node)

    def joined(self) -> tuple[IntArray, NDArray[np.int32]]:
        nothing = np.empty(0, dtype=np.int64)
        pair = np.concatenate([nothing, *self._pair])
        node = np.concatenate([nothing, *self._node])
        indptr = np.zeros(self.count + 1, dtype=np.int64)
        np.cumsum(np.bincount(pair, minlength=self.count), out=indptr[1:])
        return indptr, node[np.argsort(pair, kind="stable")].astype(np.int32)


def _follow(pairs: _Pairs, pair: IntArray, leads: Leads, paths: _Paths) -> None:
    """Walk all routes at once, always to the smallest node that leads on."""
    graph, node = pairs.graph, pairs.source[pair]
    unsure: list[IntArray] = []
    walked: list[tuple[IntArray, IntArray]] = []
    while pair.size:
        walked.append((pair, node))
        under_way = node != pairs.target[pair]
        pair, node = pair[under_way], node[under_way]
        if not pair.size:
            break
        arc, owner, first = _arcs_out_of(graph, node)
        good = leads(pair[owner], arc)
        following = np.where(good, graph.head[arc], graph.n_nodes)
        node = np.minimum.reduceat(following, first).astype(np.int64)
        # Over links without latency a way that leads on may come back to where it has been.
        at_once = good & (graph.weight[arc] == 0)
        if at_once.any():
            is_unsure = np.logical_or.reduceat(at_once, first)
            unsure.append(pair[is_unsure])
            pair, node = pair[~is_unsure], node[~is_unsure]
    one_by_one = np.concatenate([np.empty(0, dtype=np.int64), *unsure])
    for part, where in walked:
        sure = ~np.isin(part, one_by_one) if one_by_one.size else slice(None)
        paths.append(part[sure], where[sure])
    _search_one_by_one(pairs, one_by_one, paths)


def _search_one_by_one(pairs: _Pairs, chosen: IntArray, paths: _Paths) -> None:
    adjacency = Adjacency(pairs.graph)
    for pair in chosen.tolist():
        source, target = int(pairs.source[pair]), int(pairs.target[pair])
        found = best_route(adjacency, source, target)
        if found is None:
            raise AssertionError("a row has a latency where no route is")
        paths.append(np.full(len(found.nodes), pair), np.array(found.nodes))


def _arcs_out_of(graph: RouteGraph, node: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return the arcs out of nodes, the position of the node of each, and each node's first."""
    begin = graph.indptr[node].astype(np.int64)
    degree = graph.indptr[node + 1] - begin
    first = np.cumsum(degree) - degree
    owner = np.repeat(np.arange(node.size), degree)
    arc = np.arange(owner.size) + np.repeat(begin - first, degree)
    return arc, owner, first


def _leads_to_target(pairs: _Pairs) -> Leads:
    graph = pairs.graph

    def leads(pair: IntArray, arc: IntArray) -> Mask:
        row, head = pairs.row[pair], graph.head[arc].astype(np.int64)
        left = pairs.latency[row, head]
        good: Mask = graph.weight[arc] + left == pairs.latency[row, graph.tail[arc]]
        good &= pairs.may_pass(head, pairs.target[pair])
        return good & pairs.is_wide(pair, arc, head)

    return leads


def _leads_from_source(pairs: _Pairs, chosen: IntArray) -> Leads:
    """Mark the nodes on best routes backwards from the targets."""
    graph = pairs.graph
    place = np.zeros(pairs.source.size, dtype=np.int64)
    place[chosen] = np.arange(chosen.size)
    marked = np.zeros((chosen.size, graph.n_nodes), dtype=bool)
    pair, node = chosen, pairs.target[chosen]
    marked[place[pair], node] = True
    while pair.size:
        arc, owner, _ = _arcs_out_of(graph, node)
        # Links are the same in both directions, so this is also an arc into the node.
        pair, before = pair[owner], graph.head[arc].astype(np.int64)
        row = pairs.row[pair]
        good = pairs.latency[row, before] + graph.weight[arc] == pairs.latency[row, node[owner]]
        good &= pairs.may_pass(before, pairs.source[pair])
        good &= ~marked[place[pair], before]
        good &= pairs.is_wide(pair, arc, before)
        key = np.unique(pair[good] * graph.n_nodes + before[good])
        pair, node = np.divmod(key, graph.n_nodes)
        marked[place[pair], node] = True

    def leads(pair: IntArray, arc: IntArray) -> Mask:
        row, head = pairs.row[pair], graph.head[arc].astype(np.int64)
        gone = pairs.latency[row, graph.tail[arc]]
        good: Mask = marked[place[pair], head] & (
            gone + graph.weight[arc] == pairs.latency[row, head]
        )
        if pairs.width is not None and graph.bandwidth is not None:
            good &= graph.bandwidth[arc] >= pairs.bottleneck[pair]
        return good

    return leads
