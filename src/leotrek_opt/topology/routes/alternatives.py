"""The k best routes between two nodes, none of which passes a node twice."""

from __future__ import annotations

from heapq import heappop, heappush
from math import inf

from leotrek_opt.errors import InputError
from leotrek_opt.topology.routes.check import checked_bandwidth, node_index
from leotrek_opt.topology.routes.route import Route
from leotrek_opt.topology.routes.search import Adjacency, Prefix, best_route
from leotrek_opt.topology.routing import RouteGraph


def shortest_routes(
    graph: RouteGraph,
    source: int,
    target: int,
    count: int,
    *,
    min_bandwidth_bps: float | None = None,
) -> tuple[Route, ...]:
    """Return the best routes in order: by latency, then bottleneck, then node indices.

    The routes that are left, after some were taken, fall into parts that share a beginning and do
    not go on in certain ways; the best of each part is found by one search, and the best of these
    is next (Yen, Management Sci. 17, 1971; without double work: Lawler, Management Sci. 18, 1972).

    Parameters
    ----------
    graph
        Of a snapshot.
    source, target
        Node indices.
    count
        How many at most. Routes count as different if their nodes are: of several links between two
        nodes only the fastest counts.
    min_bandwidth_bps
        Only links with at least this many bit/s may be used; None admits every link.

    Returns
    -------
    tuple of Route
        Fewer than ``count`` if there are no more.

    Raises
    ------
    leotrek_opt.errors.InputError
        If there is no such node, or ``count`` is not positive.
    """
    source, target = node_index(graph, source, "source"), node_index(graph, target, "target")
    if count < 1:
        raise InputError(f"must be at least 1, got {count}", field="count")
    if min_bandwidth_bps is not None:
        graph = graph.at_least(checked_bandwidth(min_bandwidth_bps))
    adjacency = Adjacency(graph)
    remaining: list[float] = graph.rows([target])[0].tolist()
    waiting: list[tuple[int, float, tuple[int, ...], Prefix, Route]] = []

    def wait_for(prefix: Prefix) -> None:
        found = best_route(adjacency, prefix, target, remaining)
        if found is not None:
            narrowness = -inf if found.bottleneck_bps is None else -found.bottleneck_bps
            heappush(waiting, (found.latency_ns, narrowness, found.nodes, prefix, found))

    wait_for(Prefix((source,)))
    taken: list[Route] = []
    while waiting and len(taken) < count:
        *_, prefix, best = heappop(waiting)
        taken.append(best)
        if len(taken) == count:
            break
        for part in _remainder(adjacency, prefix, best):
            wait_for(part)
    return tuple(taken)


def _remainder(adjacency: Adjacency, prefix: Prefix, taken: Route) -> list[Prefix]:
    """Return the parts into which the routes that begin with a prefix fall without one of them."""
    parts = []
    latency, width = prefix.latency_ns, prefix.bottleneck_bps
    for length in range(len(prefix.nodes), len(taken.nodes)):
        nodes, following = taken.nodes[:length], taken.nodes[length]
        closed = prefix.closed if length == len(prefix.nodes) else frozenset()
        parts.append(Prefix(nodes, latency, width, closed | {following}))
        weight, bandwidth = adjacency.of(nodes[-1])[following]
        latency, width = latency + weight, min(width, bandwidth)
    return parts
