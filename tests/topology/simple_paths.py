"""Every route of a small network, one by one: what routing is held against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from leotrek_opt.topology.routing import RouteGraph
from leotrek_opt.topology.series import Snapshot

Link = tuple[int, int, int, int]
"""Ends, latency, bandwidth."""

Ranked = tuple[int, float, tuple[int, ...]]
"""Latency, bottleneck with a minus sign, nodes: routes in the order in which they are preferred."""


@dataclass(frozen=True)
class Network:
    """A small network, and its routes by looking at all paths.

    Parameters
    ----------
    n_nodes
        Number of nodes.
    links
        May join a pair several times.
    relay
        Whether routes pass through a node, None where through all.
    """

    n_nodes: int
    links: list[Link]
    relay: list[bool] | None = None
    best: dict[int, dict[int, tuple[int, float]]] = field(default_factory=dict, init=False)
    found: dict[int, dict[int, list[Ranked]]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for a, b, latency, bandwidth in self.links:
            offer = (latency, -float(bandwidth))
            for here, there in ((a, b), (b, a)):
                onward = self.best.setdefault(here, {})
                onward[there] = min(onward.get(there, offer), offer)

    def graph(self) -> RouteGraph:
        """Return the same as arrays."""
        return RouteGraph.of_snapshot(self.snapshot(), self.n_nodes)

    def snapshot(self) -> Snapshot:
        """Return the same as a snapshot."""
        table = np.array(self.links, dtype=np.int64).reshape(-1, 4)
        relay = None if self.relay is None else np.array(self.relay)
        ends = table[:, :2].astype(np.int32)
        return Snapshot(ends[:, 0], ends[:, 1], table[:, 2], table[:, 3], relay)

    def at_least(self, bandwidth: float) -> Network:
        """Return the network of the wide links."""
        wide = [link for link in self.links if link[3] >= bandwidth]
        return Network(self.n_nodes, wide, self.relay)

    def routes(self, source: int, target: int) -> list[Ranked]:
        """Return all routes, the preferred ones first."""
        if source not in self.found:
            ranked: dict[int, list[Ranked]] = {}
            for route in sorted(self._all_from(source)):
                ranked.setdefault(route[2][-1], []).append(route)
            self.found[source] = ranked
        return self.found[source].get(target, [])

    def _all_from(self, source: int) -> Iterator[Ranked]:
        """Every way that passes no node twice, wherever it ends."""
        pending: list[Ranked] = [(0, -np.inf, (source,))]
        while pending:
            latency, narrowness, nodes = pending.pop()
            yield latency, narrowness, nodes
            here = nodes[-1]
            if self.relay is not None and len(nodes) > 1 and not self.relay[here]:
                continue
            for there, (more, narrow) in self.best.get(here, {}).items():
                if there not in nodes:
                    pending.append((latency + more, max(narrowness, narrow), (*nodes, there)))

    def least(self) -> tuple[np.ndarray, np.ndarray]:
        """Return latency and bottleneck of the best route between any two nodes."""
        latency = np.full((self.n_nodes, self.n_nodes), np.inf)
        bottleneck = np.zeros((self.n_nodes, self.n_nodes))
        for source in range(self.n_nodes):
            for target in range(self.n_nodes):
                found = self.routes(source, target)
                if found:
                    latency[source, target] = found[0][0]
                    bottleneck[source, target] = -found[0][1]
        return latency, bottleneck


@st.composite
def networks(
    draw: st.DrawFn, *, most: int = 7, least_latency: int = 0, with_relay: bool = True
) -> Network:
    """Small networks with many ties, links without latency, and nodes that do not relay."""
    n_nodes = draw(st.integers(2, most))
    node = st.integers(0, n_nodes - 1)
    link = st.tuples(node, node, st.integers(least_latency, 3), st.integers(1, 4)).filter(
        lambda item: item[0] != item[1]
    )
    links = draw(st.lists(link, max_size=14))
    relay = None
    if with_relay:
        flags = st.lists(st.booleans(), min_size=n_nodes, max_size=n_nodes)
        relay = draw(st.one_of(st.none(), flags))
    return Network(n_nodes, links, relay)
