"""Routes in exact integers, over nodes that relay: against every path, one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.topology.simple_paths import Network, networks

from leotrek_opt.solvers.certificate.routes import spread, spread_apart, widest_routes


def neighbours(network: Network) -> list[list[tuple[int, int, int]]]:
    """Return by node the other end, latency and bandwidth of each link, in both directions."""
    found: list[list[tuple[int, int, int]]] = [[] for _ in range(network.n_nodes)]
    for a, b, latency, bandwidth in network.links:
        found[a].append((b, latency, bandwidth))
        found[b].append((a, latency, bandwidth))
    return found


def silent_nodes(network: Network) -> frozenset[int]:
    relay = network.relay or [True] * network.n_nodes
    return frozenset(node for node, relays in enumerate(relay) if not relays)


@given(networks(), st.data())
def test_messages_are_the_minimum_over_all_starts(network: Network, data: st.DataObject) -> None:
    everyone = range(network.n_nodes)
    nodes = st.integers(0, network.n_nodes - 1)
    starts = data.draw(st.dictionaries(nodes, st.integers(0, 9)))
    apart = data.draw(st.sets(nodes))
    limit = data.draw(st.one_of(st.none(), st.integers(0, 12)))
    plain = [[(other, latency) for other, latency, _ in links] for links in neighbours(network)]
    silent = silent_nodes(network)
    latency = network.least()[0]
    joined: dict[int, int] = {}
    from_elsewhere: dict[int, int] = {}
    for node in everyone:
        costs = {start: cost + latency[start, node] for start, cost in starts.items()}
        best = min(costs.values(), default=float("inf"))
        other = min((c for start, c in costs.items() if start != node), default=float("inf"))
        for found, cost in ((joined, best), (from_elsewhere, other if node in apart else best)):
            if cost <= (limit if limit is not None else 10**6):
                found[node] = int(cost)
    assert spread(plain, starts, everyone, limit, silent) == joined
    assert spread_apart(plain, starts, everyone, apart, limit, silent) == from_elsewhere


@given(networks(), st.integers(0, 1))
def test_widest_routes_are_the_widest_among_the_shortest(network: Network, start: int) -> None:
    everyone = range(network.n_nodes)
    expected: dict[int, tuple[int, int | None]] = {start: (0, None)}
    for node in everyone:
        ranked = network.routes(start, node)
        if ranked and node != start:
            expected[node] = (ranked[0][0], -int(ranked[0][1]))
    found = widest_routes(neighbours(network), start, everyone, silent=silent_nodes(network))
    assert found == expected
