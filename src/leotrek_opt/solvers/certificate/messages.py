"""What an edge of a workflow costs between nodes, and the least of it over one end: messages.

The message of an edge (i, j) to node m of function j is ``min over nodes n of i of values[n] +
cost(n, m)``, over pairs that the edge allows. Two messengers compute it:

- :class:`RouteMessenger` for any number of nodes, by one search through the links. It never returns
  more than the exact message, and the exact one unless the edge limits its latency (it does not
  look), or the bandwidths along routes differ (every transmission counts as over the widest link).
- :class:`PairMessenger` for a few nodes per function, from the exact cost of every allowed pair.

All costs are integers that count ``1 / denominator`` ns.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Protocol

from leotrek_opt.solvers.certificate.routes import (
    Labels,
    Neighbours,
    WideNeighbours,
    divide_half_even,
    spread,
    spread_apart,
    widest_routes,
)

if TYPE_CHECKING:
    from leotrek_opt.solvers.arrays.placement import PlacementArrays
    from leotrek_opt.topology.routing import RouteGraph

BITS_NS = 8 * 10**9
"""Bits in a byte times nanoseconds in a second: bytes over bit/s give ns."""

Domains = Mapping[int, Collection[int]]
"""By function: the nodes where it may still be."""


class Network:
    """The links of a problem as exact integers, read from its arrays once.

    Parameters
    ----------
    arrays
        The problem.
    denominator
        How many units make one ns.
    """

    def __init__(self, arrays: PlacementArrays, denominator: int) -> None:
        self.arrays = arrays
        self.denominator = denominator
        self._plain: dict[int, Neighbours] = {}
        self._hop_by_hop: dict[tuple[int, int], Neighbours] = {}
        self._wide: dict[int, WideNeighbours] = {}
        self._apart: dict[int, frozenset[int]] = {}
        self._silent: dict[int, frozenset[int]] = {}

    def ends(self, edge: int) -> tuple[int, int]:
        """Return the two functions of an edge."""
        item = self.arrays.edges[edge]
        return item.source, item.target

    def limit(self, edge: int) -> int | None:
        """Return the largest allowed latency in units, None without a limit."""
        limit = self.arrays.edges[edge].max_latency_ns
        return None if limit is None else limit * self.denominator

    def apart(self, edge: int) -> frozenset[int]:
        """Return the nodes that cannot hold both functions of an edge."""
        if edge not in self._apart:
            conflict = self.arrays.capacities.conflict(*self.ends(edge))
            nodes = () if conflict is None else conflict.nonzero()[0].tolist()
            self._apart[edge] = frozenset(nodes)
        return self._apart[edge]

    def silent(self, edge: int) -> frozenset[int]:
        """Return the nodes that no route of an edge passes through."""
        graph = self.arrays.edges[edge].link.graph
        if id(graph) not in self._silent:
            relay = [] if graph.relay is None else graph.relay.tolist()
            self._silent[id(graph)] = frozenset(
                node for node, relays in enumerate(relay) if not relays
            )
        return self._silent[id(graph)]

    def latency(self, edge: int) -> Neighbours:
        """Return the links that an edge may use, weighted by latency."""
        graph = self.arrays.edges[edge].link.graph
        if id(graph) not in self._plain:
            self._plain[id(graph)] = [
                [(head, weight * self.denominator) for head, weight, _ in links]
                for links in _links(graph)
            ]
        return self._plain[id(graph)]

    def hop_by_hop(self, edge: int) -> Neighbours | None:
        """Return the links weighted by latency and transmission, None under cut-through."""
        link = self.arrays.edges[edge].link
        if link.store_and_forward is None:
            return None
        key = (id(link.graph), link.size_bytes)
        if key not in self._hop_by_hop:
            self._hop_by_hop[key] = [
                [
                    (head, weight * self.denominator + self.transmission(edge, bandwidth))
                    for head, weight, bandwidth in links
                ]
                for links in _links(link.graph)
            ]
        return self._hop_by_hop[key]

    def wide(self, edge: int) -> WideNeighbours:
        """Return the links of limited bandwidth, with latency and bandwidth."""
        graph = self.arrays.edges[edge].link.graph
        if id(graph) not in self._wide:
            self._wide[id(graph)] = [
                [(head, weight * self.denominator, rate) for head, weight, rate in links if rate]
                for links in _links(graph)
            ]
        return self._wide[id(graph)]

    def transmission(self, edge: int, bandwidth_bps: int | None) -> int:
        """Return how long an edge's payload takes over a bandwidth, rounded to ns; in units."""
        size = self.arrays.edges[edge].link.size_bytes
        if size == 0 or bandwidth_bps is None:
            return 0
        return divide_half_even(size * BITS_NS, bandwidth_bps) * self.denominator

    def transmissions(self, edge: int) -> tuple[int, int]:
        """Return an edge's transmission over the widest and over the narrowest of its links."""
        graph = self.arrays.edges[edge].link.graph
        if graph.bandwidth is None or graph.bandwidth.size == 0:
            return 0, 0
        widest, narrowest = int(graph.bandwidth.max()), int(graph.bandwidth.min())
        return self.transmission(edge, widest), self.transmission(edge, narrowest)


def _links(graph: RouteGraph) -> list[list[tuple[int, int, int | None]]]:
    links: list[list[tuple[int, int, int | None]]] = [[] for _ in range(graph.n_nodes)]
    rates = [None] * len(graph.head) if graph.bandwidth is None else graph.bandwidth.tolist()
    columns = (graph.tail.tolist(), graph.head.tolist(), graph.weight.tolist(), rates)
    for tail, head, weight, rate in zip(*columns, strict=True):
        links[tail].append((head, int(weight), None if rate is None else int(rate)))
    return links


class Messenger(Protocol):
    """Computes messages from one end of an edge to candidates of the other."""

    def latency(self, edge: int, values: Labels, wanted: Collection[int]) -> Labels:
        """Return the least of values plus route latency at each wanted node that can be reached."""
        ...

    def transfer(self, edge: int, values: Labels, wanted: Collection[int]) -> Labels:
        """Return the least of values plus transfer time at each wanted node that can be reached."""
        ...


class RouteMessenger:
    """Messages by search through the links, over any number of nodes.

    Parameters
    ----------
    network
        The links.
    """

    def __init__(self, network: Network) -> None:
        self.network = network

    def latency(
        self, edge: int, values: Labels, wanted: Collection[int], limit: int | None = None
    ) -> Labels:
        """Return the least of values plus route latency, if at most ``limit``."""
        return self._search(self.network.latency(edge), edge, values, wanted, limit)

    def transfer(self, edge: int, values: Labels, wanted: Collection[int]) -> Labels:
        """Return a lower bound on the least of values plus transfer time.

        Under cut-through a transfer between different nodes takes the route's latency and then at
        least the transmission over the widest of all links; on one node it takes nothing.
        """
        hop_by_hop = self.network.hop_by_hop(edge)
        if hop_by_hop is not None:
            return self._search(hop_by_hop, edge, values, wanted)
        labels = self._search(self.network.latency(edge), edge, values, wanted)
        transmission, _ = self.network.transmissions(edge)
        if transmission == 0:
            return labels
        apart = self.network.apart(edge)
        for node, cost in labels.items():
            labels[node] = cost + transmission
            if node in values and node not in apart:
                labels[node] = min(labels[node], values[node])
        return labels

    def _search(
        self,
        neighbours: Neighbours,
        edge: int,
        values: Labels,
        wanted: Collection[int],
        limit: int | None = None,
    ) -> Labels:
        # Nodes that are no start, or are not asked for, cannot receive a message from themselves.
        apart = self.network.apart(edge) & values.keys() & set(wanted)
        silent = self.network.silent(edge)
        if apart:
            return spread_apart(neighbours, values, wanted, apart, limit, silent)
        return spread(neighbours, values, wanted, limit, silent)


class PairMessenger:
    """Messages from the exact cost of every allowed pair of few candidates.

    Parameters
    ----------
    network
        The links.
    domains
        Candidates; later messages are about these or fewer.
    """

    def __init__(self, network: Network, domains: Domains) -> None:
        self.network = network
        self.domains = domains
        self._latency: dict[int, dict[int, Labels]] = {}
        self._transfer: dict[int, dict[int, Labels]] = {}

    def latency(self, edge: int, values: Labels, wanted: Collection[int]) -> Labels:
        """Return the exact message: limits on latency and shared nodes are looked at."""
        if edge not in self._latency:
            self._latency[edge] = self._latencies(edge)
        return _least(self._latency[edge], values, wanted)

    def transfer(self, edge: int, values: Labels, wanted: Collection[int]) -> Labels:
        """Return the exact message, over the pairs that are allowed by their latency."""
        if edge not in self._transfer:
            self._transfer[edge] = self._transfers(edge)
        return _least(self._transfer[edge], values, wanted)

    def _latencies(self, edge: int) -> dict[int, Labels]:
        neighbours, limit = self.network.latency(edge), self.network.limit(edge)
        few, many = self._sides(edge)
        silent = self.network.silent(edge)
        rows = {node: spread(neighbours, {node: 0}, many, limit, silent) for node in few}
        return self._pairs(edge, rows)

    def _transfers(self, edge: int) -> dict[int, Labels]:
        few, many = self._sides(edge)
        hop_by_hop = self.network.hop_by_hop(edge)
        if hop_by_hop is None:
            return self._pairs(edge, {node: self._cut_through(edge, node, many) for node in few})
        neighbours, limit = self.network.latency(edge), self.network.limit(edge)
        silent = self.network.silent(edge)
        rows = {}
        for node in few:
            allowed: Collection[int] = many
            if limit is not None:
                allowed = spread(neighbours, {node: 0}, many, limit, silent)
            rows[node] = spread(hop_by_hop, {node: 0}, allowed, silent=silent)
        return self._pairs(edge, rows)

    def _cut_through(self, edge: int, node: int, wanted: Collection[int]) -> Labels:
        limit = self.network.limit(edge)
        transmission, longest = self.network.transmissions(edge)
        silent = self.network.silent(edge)
        if transmission == longest:
            row = spread(self.network.latency(edge), {node: 0}, wanted, limit, silent)
            return {
                other: latency + transmission * (other != node) for other, latency in row.items()
            }
        routes = widest_routes(self.network.wide(edge), node, wanted, limit, silent)
        return {
            other: latency + self.network.transmission(edge, bandwidth)
            for other, (latency, bandwidth) in routes.items()
        }

    def _sides(self, edge: int) -> tuple[Collection[int], Collection[int]]:
        source, target = (self.domains[function] for function in self.network.ends(edge))
        return (source, target) if len(source) <= len(target) else (target, source)

    def _pairs(self, edge: int, rows: Mapping[int, Labels]) -> dict[int, Labels]:
        """Return costs by either end: costs are symmetric, so both are entered."""
        apart = self.network.apart(edge)
        pairs: dict[int, Labels] = {}
        for node, row in rows.items():
            for other, cost in row.items():
                if node != other or node not in apart:
                    pairs.setdefault(node, {})[other] = cost
                    pairs.setdefault(other, {})[node] = cost
        return pairs


def _least(pairs: Mapping[int, Labels], values: Labels, wanted: Collection[int]) -> Labels:
    labels: Labels = {}
    for node in wanted:
        row = pairs.get(node, {})
        if len(row) <= len(values):
            costs = [values[other] + cost for other, cost in row.items() if other in values]
        else:
            costs = [cost + row[other] for other, cost in values.items() if other in row]
        if costs:
            labels[node] = min(costs)
    return labels
