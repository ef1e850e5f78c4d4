"""Routes on arrays: rows, widest least-latency routes, and messages with and without own start."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.topology.simple_paths import Network, networks

from leotrek_opt.topology.routing import RouteGraph
from leotrek_opt.topology.series import Snapshot


def closure(n_nodes: int, links: list[tuple[int, int, int]]) -> np.ndarray:
    """All-pairs latencies by Floyd-Warshall."""
    distance = np.full((n_nodes, n_nodes), np.inf)
    np.fill_diagonal(distance, 0)
    for source, target, weight in links:
        distance[source, target] = min(distance[source, target], weight)
        distance[target, source] = min(distance[target, source], weight)
    for via in range(n_nodes):
        distance = np.minimum(distance, distance[:, [via]] + distance[[via], :])
    return distance


def graph_of(n_nodes: int, links: list[tuple[int, int, int]], widths: list[int]) -> RouteGraph:
    ends = np.array([link[:2] for link in links], dtype=np.int32).reshape(-1, 2)
    weights = np.array([link[2] for link in links], dtype=np.int64)
    return RouteGraph(n_nodes, ends[:, 0], ends[:, 1], weights, np.array(widths, dtype=np.int64))


@st.composite
def relaying_networks(draw: st.DrawFn) -> tuple[int, list[tuple[int, int, int]], list[int]]:
    n_nodes = draw(st.integers(2, 9))
    node = st.integers(0, n_nodes - 1)
    link = st.tuples(node, node, st.integers(0, 5)).filter(lambda item: item[0] != item[1])
    links = draw(st.lists(link, max_size=20))
    widths = draw(st.lists(st.integers(1, 4), min_size=len(links), max_size=len(links)))
    return n_nodes, links, widths


@given(relaying_networks())
def test_rows_equal_floyd_warshall(network) -> None:
    n_nodes, links, widths = network
    rows = graph_of(n_nodes, links, widths).rows(range(n_nodes))
    assert np.array_equal(rows, closure(n_nodes, links))


@given(relaying_networks(), st.data())
def test_messages_equal_the_minimum_over_all_pairs(network, data: st.DataObject) -> None:
    n_nodes, links, widths = network
    start = st.one_of(st.integers(0, 9).map(float), st.just(np.inf))
    values = np.array(data.draw(st.lists(start, min_size=n_nodes, max_size=n_nodes)))
    graph = graph_of(n_nodes, links, widths)
    pairs = values[:, None] + closure(n_nodes, links)
    best, elsewhere = graph.spread_masked(values)
    assert np.array_equal(graph.spread(values), pairs.min(axis=0))
    assert np.array_equal(best, pairs.min(axis=0))
    np.fill_diagonal(pairs, np.inf)
    assert np.array_equal(elsewhere, pairs.min(axis=0))


@given(relaying_networks())
def test_bottleneck_is_the_widest_among_least_latency_routes(network) -> None:
    n_nodes, links, widths = network
    graph = graph_of(n_nodes, links, widths)
    everywhere = closure(n_nodes, links)
    expected = np.zeros((n_nodes, n_nodes))
    for width in sorted(set(widths)):
        wide = [link for link, got in zip(links, widths, strict=True) if got >= width]
        same = (closure(n_nodes, wide) == everywhere) & np.isfinite(everywhere)
        expected[same] = width
    np.fill_diagonal(expected, np.inf)
    assert np.array_equal(graph.bottleneck_rows(range(n_nodes)), expected)


def test_floor_leaves_out_narrow_links() -> None:
    snapshot = Snapshot(
        np.array([0, 1, 0], dtype=np.int32),
        np.array([1, 2, 2], dtype=np.int32),
        np.array([1, 1, 9], dtype=np.int64),
        np.array([10, 10, 50], dtype=np.int64),
    )
    assert RouteGraph.of_snapshot(snapshot, 3).rows([0])[0, 2] == 2
    assert RouteGraph.of_snapshot(snapshot, 3, min_bandwidth_bps=11).rows([0])[0, 2] == 9
    assert np.isinf(RouteGraph.of_snapshot(snapshot, 3, min_bandwidth_bps=51).rows([0])[0, 2])


def test_unlimited_bandwidth_has_an_infinite_bottleneck() -> None:
    graph = RouteGraph(3, np.array([0]), np.array([1]), np.array([7]))
    assert graph.bottleneck_rows([0]).tolist() == [[np.inf, np.inf, 0.0]]


def test_rows_of_no_source_are_empty() -> None:
    graph = RouteGraph(3, np.array([0]), np.array([1]), np.array([7]))
    assert graph.rows([]).shape == (0, 3)
    assert graph.bottleneck_rows([]).shape == (0, 3)


@pytest.mark.parametrize("extra", [0.0, 5.0])
def test_reweighted_adds_to_every_arc(extra: float) -> None:
    graph = RouteGraph(3, np.array([0, 1]), np.array([1, 2]), np.array([7, 8]))
    longer = graph.reweighted(np.full(4, extra))
    assert longer.rows([0])[0].tolist() == [0, 7 + extra, 15 + 2 * extra]


@given(networks())
def test_rows_pass_only_through_nodes_that_relay(network: Network) -> None:
    latency, bottleneck = network.least()
    graph = network.graph()
    everyone = range(network.n_nodes)
    assert np.array_equal(graph.rows(everyone), latency)
    assert np.array_equal(graph.bottleneck_rows(everyone), bottleneck)


@given(networks(), st.data())
def test_messages_pass_only_through_nodes_that_relay(network: Network, data: st.DataObject) -> None:
    start = st.one_of(st.integers(0, 9).map(float), st.just(np.inf))
    values = np.array(
        data.draw(st.lists(start, min_size=network.n_nodes, max_size=network.n_nodes))
    )
    graph = network.graph()
    pairs = values[:, None] + network.least()[0]
    best, elsewhere = graph.spread_masked(values)
    assert np.array_equal(graph.spread(values), pairs.min(axis=0))
    assert np.array_equal(best, pairs.min(axis=0))
    np.fill_diagonal(pairs, np.inf)
    assert np.array_equal(elsewhere, pairs.min(axis=0))


@given(networks())
def test_reweighted_graph_keeps_who_relays(network: Network) -> None:
    graph = network.graph()
    doubled = Network(
        network.n_nodes, [(a, b, 2 * ns, bps) for a, b, ns, bps in network.links], network.relay
    )
    found = graph.reweighted(graph.weight).rows(range(network.n_nodes))
    assert np.array_equal(found, doubled.least()[0])


@given(networks(), st.integers(1, 4))
def test_graph_with_a_floor_is_the_graph_of_the_wide_links(network: Network, floor: int) -> None:
    everyone = range(network.n_nodes)
    latency, bottleneck = network.at_least(floor).least()
    graph = network.graph().at_least(floor)
    assert np.array_equal(graph.rows(everyone), latency)
    assert np.array_equal(graph.bottleneck_rows(everyone), bottleneck)


def test_node_that_does_not_relay_begins_and_ends_routes_only() -> None:
    # 0 - 1 - 2 takes 2 but 1 does not relay; 0 - 3 - 2 takes 8.
    network = Network(
        4, [(0, 1, 1, 9), (1, 2, 1, 9), (0, 3, 4, 9), (3, 2, 4, 9)], [True, False, True, True]
    )
    rows = network.graph().rows([0, 1, 2])
    assert rows.tolist() == [[0, 1, 8, 4], [1, 0, 1, 5], [8, 1, 0, 4]]


def test_graph_of_arcs_is_the_graph_of_its_links() -> None:
    arcs = RouteGraph.of_arcs(
        4,
        np.array([0, 2, 4, 6, 6], dtype=np.int32),
        np.array([1, 2, 0, 2, 0, 1], dtype=np.int32),
        np.array([1.0, np.inf, 1.0, 5.0, np.inf, 5.0]),
        np.array([7.0, 7.0, 7.0, 3.0, 7.0, 3.0]),
    )
    # The link of 0 and 2 is down, and 3 has none.
    assert arcs.rows([0, 3]).tolist() == [[0, 1, 6, np.inf], [np.inf, np.inf, np.inf, 0]]
    assert arcs.bottleneck_rows([0]).tolist() == [[np.inf, 7, 3, 0]]
    best, elsewhere = arcs.spread_masked(np.array([0, np.inf, np.inf, 2.0]))
    assert best.tolist() == [0, 1, 6, 2]
    assert elsewhere.tolist() == [np.inf, 1, 6, np.inf]


@pytest.mark.parametrize("relay", [None, [True, True, False, False]])
def test_graph_of_arcs_copies_nothing(relay: list[bool] | None) -> None:
    indptr = np.array([0, 2, 4, 6, 6], dtype=np.int32)
    head = np.array([1, 2, 0, 2, 0, 1], dtype=np.int32)
    weight = np.array([1.0, 8.0, 1.0, 5.0, 8.0, 5.0])
    graph = RouteGraph.of_arcs(
        4, indptr, head, weight, relay=None if relay is None else np.array(relay)
    )
    assert graph.rows([0]).tolist() == [[0, 1, 6, np.inf]]
    assert graph.rows([2]).tolist() == [[6, 5, 0, np.inf]]
    assert np.shares_memory(graph._matrix.data, weight)
    assert np.shares_memory(graph._matrix.indices, head)


@given(networks(with_relay=False))
def test_widths_settle_on_long_chains(network: Network) -> None:
    # A chain before and after the network, so that ways to the source have many arcs.
    first = [(node, node + 1, 1, 4 + node % 3) for node in range(20)]
    inner = [(a + 20, b + 20, ns, bps) for a, b, ns, bps in network.links]
    whole = Network(20 + network.n_nodes, first + inner)
    latency, bottleneck = network.least()
    rows = whole.graph().bottleneck_rows([0])[0, 20:]
    assert np.array_equal(rows, np.where(np.isfinite(latency[0]), np.minimum(bottleneck[0], 4), 0))
