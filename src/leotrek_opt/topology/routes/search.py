"""The best route of one pair by A*, with nodes and first links left out: exact, ties included.

A search is guided by a lower bound on the way that is left (Hart, Nilsson and Raphael, IEEE Trans.
SSC 4, 1968). It settles every node that a route of least latency can pass, so that among all of
these routes the widest is found, and among those the one with the smallest node indices. A node
whose label improves after it left the heap is looked at again: any lower bound will do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from heapq import heappop, heappush
from math import inf
from typing import NamedTuple

from leotrek_opt.topology.routes.route import Route, bottleneck_or_none
from leotrek_opt.topology.routing import FloatArray, RouteGraph

Arcs = Mapping[int, tuple[int, float]]
"""By head: latency and bandwidth."""


class Adjacency:
    """The links of a graph by node, read when they are needed.

    Of several links between two nodes the fastest counts, of several fastest ones the widest.

    Parameters
    ----------
    graph
        Any graph; links of infinite latency are down.
    """

    def __init__(self, graph: RouteGraph) -> None:
        self.graph = graph
        self._arcs: dict[int, Arcs] = {}

    def of(self, node: int) -> Arcs:
        """Return the arcs out of a node."""
        if node not in self._arcs:
            self._arcs[node] = self._read(node)
        return self._arcs[node]

    def relays(self, node: int) -> bool:
        """Tell whether a route may pass through a node."""
        return self.graph.relay is None or bool(self.graph.relay[node])

    def _read(self, node: int) -> Arcs:
        graph = self.graph
        part = slice(int(graph.indptr[node]), int(graph.indptr[node + 1]))
        heads, weights = graph.head[part].tolist(), graph.weight[part].tolist()
        widths = [inf] * len(heads) if graph.bandwidth is None else graph.bandwidth[part].tolist()
        arcs: dict[int, tuple[int, float]] = {}
        for head, weight, width in zip(heads, weights, widths, strict=True):
            if weight == inf:
                continue
            known = arcs.get(head)
            if known is None or (weight, -width) < (known[0], -known[1]):
                arcs[head] = (int(weight), width)
        return arcs


class Prefix(NamedTuple):
    """How a route begins that is to be completed.

    ``nodes`` ends where the search begins; ``closed`` are nodes that must not follow next.
    """

    nodes: tuple[int, ...]
    latency_ns: int = 0
    bottleneck_bps: float = inf
    closed: frozenset[int] = frozenset()


def best_route(
    adjacency: Adjacency,
    start: int | Prefix,
    target: int,
    remaining_ns: Sequence[float] | FloatArray | None = None,
) -> Route | None:
    """Return the best route to a target.

    Parameters
    ----------
    adjacency
        The links.
    start
        A node, or how the route begins.
    target
        A node not yet passed.
    remaining_ns
        Lower bound on the latency from every node to the target, ``inf`` where no route exists;
        None for no bound.

    Returns
    -------
    Route or None
        None if there is none.
    """
    prefix = start if isinstance(start, Prefix) else Prefix((start,))
    source = prefix.nodes[-1]
    if source == target:
        return Route(prefix.nodes, prefix.latency_ns, bottleneck_or_none(prefix.bottleneck_bps))
    labels, before = _search(adjacency, prefix, target, remaining_ns)
    if target not in labels:
        return None
    width = min(prefix.bottleneck_bps, _widest(before, source, target))
    onward = _onward(before, target, width)
    rest = _smallest(onward, source, target)
    return Route(
        prefix.nodes + rest[1:],
        prefix.latency_ns + labels[target],
        bottleneck_or_none(width),
    )


Tight = Mapping[int, Mapping[int, tuple[int, float]]]
"""By node: the nodes before it on routes of least latency, with latency and bandwidth between."""


def _search(
    adjacency: Adjacency,
    prefix: Prefix,
    target: int,
    remaining_ns: Sequence[float] | FloatArray | None,
) -> tuple[dict[int, int], Tight]:
    source = prefix.nodes[-1]
    passed = frozenset(prefix.nodes)
    labels: dict[int, int] = {source: 0}
    before: dict[int, dict[int, tuple[int, float]]] = {}
    heap: list[tuple[float, int, int]] = [(0, source, 0)]
    limit: float = inf
    while heap:
        least, node, label = heappop(heap)
        if least > limit:
            break
        if label > labels[node] or node == target:
            continue
        if node != source and not adjacency.relays(node):
            continue
        for head, (weight, width) in adjacency.of(node).items():
            if head in passed or (node == source and head in prefix.closed):
                continue
            reached = label + weight
            known = labels.get(head, inf)
            if reached > known:
                continue
            if reached < known:
                left = 0 if remaining_ns is None else remaining_ns[head]
                if reached + left > limit or left == inf:
                    continue
                labels[head] = reached
                before[head] = {}
                heappush(heap, (reached + left, head, reached))
                if head == target:
                    limit = reached
            before[head][node] = (weight, width)
    return labels, before


def _widest(before: Tight, source: int, target: int) -> float:
    """Return the largest bandwidth that all links of some way from source to target have."""
    width = {target: inf}
    heap = [(-inf, target)]
    while heap:
        narrowness, node = heappop(heap)
        if node == source:
            return -narrowness
        if -narrowness < width[node]:
            continue
        for tail, (_, bandwidth) in before.get(node, {}).items():
            offered = min(-narrowness, bandwidth)
            if offered > width.get(tail, -inf):
                width[tail] = offered
                heappush(heap, (-offered, tail))
    raise AssertionError("the target has been reached")


def _onward(before: Tight, target: int, width: float) -> dict[int, dict[int, int]]:
    """Return by node the next nodes on wide ways to the target, with the latency between."""
    onward: dict[int, dict[int, int]] = {target: {}}
    pending = [target]
    while pending:
        node = pending.pop()
        for tail, (weight, bandwidth) in before.get(node, {}).items():
            if bandwidth < width:
                continue
            if tail not in onward:
                onward[tail] = {}
                pending.append(tail)
            onward[tail][node] = weight
    return onward


def _smallest(onward: Mapping[int, Mapping[int, int]], source: int, target: int) -> tuple[int, ...]:
    """Return the lexicographically smallest way that passes no node twice."""
    nodes = [source]
    while nodes[-1] != target:
        here = onward[nodes[-1]]
        # Only over links without latency can the way ahead lead back through visited nodes.
        nodes.append(
            next(
                head
                for head in sorted(here)
                if head not in nodes
                and (here[head] > 0 or _leads_on(onward, head, target, set(nodes)))
            )
        )
    return tuple(nodes)


def _leads_on(
    onward: Mapping[int, Mapping[int, int]], start: int, target: int, avoided: Collection[int]
) -> bool:
    seen, pending = {start}, [start]
    while pending:
        node = pending.pop()
        if node == target:
            return True
        fresh = [head for head in onward[node] if head not in seen and head not in avoided]
        seen.update(fresh)
        pending += fresh
    return False
