"""Least-latency routes for checking: networkx and Python integers, apart from any solver's routing.

A route may begin and end anywhere, but no node between its ends is one that does not relay. It has
the least latency; among those the largest bottleneck bandwidth; among those the lexicographically
smallest sequence of node indices.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

import networkx as nx

if TYPE_CHECKING:
    from leotrek_opt.topology.series import LinkSeries, Snapshot

Forwarding = Literal["cut_through", "store_and_forward"]

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, order=True)
class RouteRequest:
    """What one data edge or data source asks of the network.

    Parameters
    ----------
    step
        Snapshot in which the route is measured.
    min_bandwidth_bps
        Only links with at least this many bit/s may be used; 0 admits every link.
    source, target
        Node indices.
    size_bytes
        Data to be transferred.
    """

    step: int
    min_bandwidth_bps: int
    source: int
    target: int
    size_bytes: int = 0


@dataclass(frozen=True)
class Route:
    """The best route for a request.

    Parameters
    ----------
    latency_ns
        Sum of the link latencies along ``nodes``.
    bottleneck_bps
        Smallest bandwidth along ``nodes`` in bit/s, None if unlimited.
    nodes
        Node indices from source to target.
    transfer_ns
        Time until the last byte has arrived. With store-and-forward this is the least over all
        paths, which need not be the least-latency route.
    """

    latency_ns: int
    bottleneck_bps: int | None
    nodes: tuple[int, ...]
    transfer_ns: int


def find_routes(
    series: LinkSeries, requests: Iterable[RouteRequest], forwarding: Forwarding = "cut_through"
) -> dict[RouteRequest, Route | None]:
    """Find the routes of a link series that are asked for.

    Parameters
    ----------
    series
        Links per step.
    requests
        In any order; duplicates are answered once.
    forwarding
        Whether a node passes data on while it arrives, or stores it first.

    Returns
    -------
    dict
        The route of every request, None where no path exists.
    """
    routes: dict[RouteRequest, Route | None] = {}
    for step, group in groupby(sorted(set(requests)), key=lambda request: request.step):
        routes |= snapshot_routes(series.snapshot(step), group, forwarding)
    return routes


def snapshot_routes(
    snapshot: Snapshot, requests: Iterable[RouteRequest], forwarding: Forwarding = "cut_through"
) -> dict[RouteRequest, Route | None]:
    """Find routes in one snapshot; the steps of the requests are not looked at.

    Parameters
    ----------
    snapshot
        The links that are up.
    requests
        In any order; duplicates are answered once.
    forwarding
        Whether a node passes data on while it arrives, or stores it first.

    Returns
    -------
    dict
        The route of every request, None where no path exists.
    """
    routes: dict[RouteRequest, Route | None] = {}
    silent = _silent_nodes(snapshot)
    remote: list[RouteRequest] = []
    for request in set(requests):
        if request.source == request.target:
            routes[request] = Route(0, None, (request.source,), 0)
        else:
            remote.append(request)
    remote.sort()
    for floor, at_floor in groupby(remote, key=lambda request: request.min_bandwidth_bps):
        graph = link_graph(snapshot, floor)
        for source, group in groupby(at_floor, key=lambda request: request.source):
            from_source = list(group)
            # Data leaves its source and every node that relays, and no other.
            ends_only = silent - {source}
            targets = {request.target for request in from_source}
            found = _routes_from(graph, source, targets, ends_only)
            if forwarding == "cut_through":
                arrivals = {
                    request: _cut_through_ns(found[request.target], request.size_bytes)
                    for request in from_source
                }
            else:
                arrivals = _store_and_forward_ns(graph, source, from_source, ends_only)
            for request in from_source:
                route, arrival = found[request.target], arrivals[request]
                routes[request] = (
                    None
                    if route is None or arrival is None
                    else replace(route, transfer_ns=arrival)
                )
    return routes


def link_graph(snapshot: Snapshot, min_bandwidth_bps: int = 0) -> nx.Graph[int]:
    """Build the graph of the links that have at least some bandwidth.

    Parameters
    ----------
    snapshot
        The links that are up.
    min_bandwidth_bps
        Bandwidth floor in bit/s; unlimited links pass every floor.

    Returns
    -------
    networkx.Graph
        One edge per linked pair with ``latency_ns`` of its fastest link and ``bandwidth_bps`` of
        the widest of its fastest links (None if unlimited); where several links join the pair,
        ``parallel`` lists all of them as (latency, bandwidth).
    """
    if snapshot.bandwidth_bps is None:
        bandwidths: list[int | None] = [None] * len(snapshot.source)
    else:
        bandwidths = snapshot.bandwidth_bps.tolist()
    links = zip(snapshot.latency_ns.tolist(), bandwidths, strict=True)
    ends = zip(snapshot.source.tolist(), snapshot.target.tolist(), strict=True)
    joined: dict[tuple[int, int], tuple[int, int | None]] = {}
    parallel: dict[tuple[int, int], list[tuple[int, int | None]]] = {}
    for (source, target), link in zip(ends, links, strict=True):
        if link[1] is not None and link[1] < min_bandwidth_bps:
            continue
        pair = (source, target) if source < target else (target, source)
        if pair in joined:
            parallel.setdefault(pair, [joined[pair]]).append(link)
        else:
            joined[pair] = link
    for pair, group in parallel.items():
        joined[pair] = min(group, key=lambda link: (link[0], -(link[1] or 0)))
    graph: nx.Graph[int] = nx.Graph()
    graph.add_edges_from(
        (source, target, {"latency_ns": latency, "bandwidth_bps": bandwidth})
        for (source, target), (latency, bandwidth) in joined.items()
    )
    for (source, target), group in parallel.items():
        graph.edges[source, target]["parallel"] = group
    return graph


def transmission_ns(size_bytes: int, bandwidth_bps: int | None) -> int:
    """Return how long it takes to send some data over a link.

    Parameters
    ----------
    size_bytes
        Data.
    bandwidth_bps
        Bit/s, None for unlimited.

    Returns
    -------
    int
        ``8 size_bytes 10^9 / bandwidth_bps`` in nanoseconds, rounded half to even.
    """
    if bandwidth_bps is None or size_bytes == 0:
        return 0
    return round(Fraction(8 * size_bytes * NS_PER_S, bandwidth_bps))


def _silent_nodes(snapshot: Snapshot) -> frozenset[int]:
    """Nodes that do not relay."""
    if snapshot.relay is None:
        return frozenset()
    return frozenset(node for node, relays in enumerate(snapshot.relay.tolist()) if not relays)


def _routes_from(
    graph: nx.Graph[int], source: int, targets: set[int], ends_only: Collection[int]
) -> dict[int, Route | None]:
    """Best route to each target, for data without size; it leaves no node of ``ends_only``."""
    if source not in graph:
        return dict.fromkeys(targets)
    distances = nx.single_source_dijkstra_path_length(
        graph, source, weight=_latency_out_of(ends_only) if ends_only else "latency_ns"
    )
    routes: dict[int, Route | None] = {}
    for target in sorted(targets):
        if target not in distances:
            routes[target] = None
            continue
        links = _links_on_fastest_paths(graph, distances, target, ends_only)
        bottleneck = _widest(links, source, target)
        if bottleneck is not None:
            links = _at_least(links, bottleneck)
        latency = int(distances[target])
        routes[target] = Route(latency, bottleneck, _smallest_path(links, source, target), latency)
    return routes


def _latency_out_of(
    ends_only: Collection[int],
) -> Callable[[int, int, dict[str, Any]], int | None]:
    # A weight of None hides a link.
    def latency_ns(source: int, _target: int, pair: dict[str, Any]) -> int | None:
        return None if source in ends_only else int(pair["latency_ns"])

    return latency_ns


def _links_on_fastest_paths(
    graph: nx.Graph[int], distances: dict[int, Any], target: int, ends_only: Collection[int]
) -> nx.DiGraph[int]:
    """Links, in the direction of travel, that a least-latency path to the target can use."""
    fastest: nx.DiGraph[int] = nx.DiGraph()
    fastest.add_node(target)
    pending = [target]
    while pending:
        node = pending.pop()
        for neighbour, link in graph.adj[node].items():
            if neighbour in ends_only or neighbour not in distances:
                continue
            if distances[neighbour] + link["latency_ns"] != distances[node]:
                continue
            if neighbour not in fastest:
                pending.append(neighbour)
            fastest.add_edge(
                neighbour,
                node,
                latency_ns=link["latency_ns"],
                bandwidth_bps=link["bandwidth_bps"],
            )
    return fastest


def _widest(links: nx.DiGraph[int], source: int, target: int) -> int | None:
    """Largest bandwidth that the links of some path from source to target all have."""
    levels = sorted({data["bandwidth_bps"] for _, _, data in links.edges.data()})
    if levels[0] is None:
        return None
    low, high = 0, len(levels) - 1
    while low < high:
        middle = (low + high + 1) // 2
        wide = _at_least(links, levels[middle])
        if source in wide and target in wide and nx.has_path(wide, source, target):
            low = middle
        else:
            high = middle - 1
    return int(levels[low])


def _at_least(links: nx.DiGraph[int], bandwidth_bps: int) -> nx.DiGraph[int]:
    wide: nx.DiGraph[int] = nx.DiGraph()
    wide.add_edges_from(
        (u, v, data) for u, v, data in links.edges.data() if data["bandwidth_bps"] >= bandwidth_bps
    )
    return wide


def _smallest_path(links: nx.DiGraph[int], source: int, target: int) -> tuple[int, ...]:
    """Lexicographically smallest path without repeated nodes, by the smallest next node."""
    ahead = nx.ancestors(links, target) | {target}
    nodes = [source]
    while nodes[-1] != target:
        here = nodes[-1]
        nodes.append(
            next(
                neighbour
                for neighbour in sorted(links.adj[here])
                if neighbour in ahead
                and neighbour not in nodes
                # Only over links without latency can the way ahead lead back through visited nodes.
                and (
                    links.edges[here, neighbour]["latency_ns"] > 0
                    or _reaches_without(links, neighbour, target, set(nodes))
                )
            )
        )
    return tuple(nodes)


def _reaches_without(links: nx.DiGraph[int], source: int, target: int, avoided: set[int]) -> bool:
    remaining = nx.restricted_view(links, avoided, [])
    return bool(nx.has_path(remaining, source, target))


def _cut_through_ns(route: Route | None, size_bytes: int) -> int | None:
    if route is None:
        return None
    return route.latency_ns + transmission_ns(size_bytes, route.bottleneck_bps)


def _store_and_forward_ns(
    graph: nx.Graph[int], source: int, requests: list[RouteRequest], ends_only: Collection[int]
) -> dict[RouteRequest, int | None]:
    """Least time until all data of each request has arrived, hop after hop."""
    arrivals: dict[RouteRequest, int | None] = dict.fromkeys(requests)
    if source not in graph:
        return arrivals
    for size in sorted({request.size_bytes for request in requests}):
        times = nx.single_source_dijkstra_path_length(
            graph, source, weight=_hop_weight(size, ends_only)
        )
        for request in requests:
            if request.size_bytes == size and request.target in times:
                arrivals[request] = int(times[request.target])
    return arrivals


def _hop_weight(
    size_bytes: int, ends_only: Collection[int]
) -> Callable[[int, int, dict[str, Any]], int | None]:
    # Few distinct bandwidths occur, and exact division is slow.
    @cache
    def sending_ns(bandwidth_bps: int | None) -> int:
        return transmission_ns(size_bytes, bandwidth_bps)

    def hop_ns(source: int, _target: int, pair: dict[str, Any]) -> int | None:
        if source in ends_only:
            return None  # which hides the link
        parallel: list[tuple[int, int | None]] = pair.get("parallel", [])
        if not parallel:
            return int(pair["latency_ns"]) + sending_ns(pair["bandwidth_bps"])
        return min(latency + sending_ns(bandwidth) for latency, bandwidth in parallel)

    return hop_ns
