"""The widest routes, and the fastest of them: against every path."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from tests.topology.simple_paths import Network, networks

from leotrek_opt.topology.routes import Route, widest_route, widest_rows
from leotrek_opt.topology.routing import RouteGraph


def widest_of_all(levels: list[Network], source: int, target: int) -> Route | None:
    for network in levels:
        ranked = network.routes(source, target)
        if ranked:
            latency, narrowness, nodes = ranked[0]
            return Route(nodes, latency, None if source == target else int(-narrowness))
    return None


@given(networks())
def test_widest_route_is_the_widest_of_all_paths_and_then_the_fastest(network: Network) -> None:
    graph = network.graph()
    everyone = range(network.n_nodes)
    # A slow link beside a fast one may be the wider, so every bandwidth is a network of its own.
    levels = [network.at_least(floor) for floor in (4, 3, 2, 1)]
    bandwidth, latency = widest_rows(graph, everyone)
    for source in everyone:
        for target in everyone:
            expected = widest_of_all(levels, source, target)
            if source < 3:
                assert widest_route(graph, source, target) == expected
            if expected is None:
                assert bandwidth[source, target] == 0
                assert np.isinf(latency[source, target])
            else:
                assert bandwidth[source, target] == (expected.bottleneck_bps or np.inf)
                assert latency[source, target] == expected.latency_ns


def test_wide_detour_is_preferred_to_a_narrow_link() -> None:
    network = Network(3, [(0, 1, 1, 10), (0, 2, 50, 30), (2, 1, 50, 20)])
    assert widest_route(network.graph(), 0, 1) == Route((0, 2, 1), 100, 20)


def test_unlimited_links_leave_the_choice_to_latency() -> None:
    graph = RouteGraph(4, np.array([0, 1, 0]), np.array([1, 2, 2]), np.array([1, 1, 9]))
    assert widest_route(graph, 0, 2) == Route((0, 1, 2), 2, None)
    bandwidth, latency = widest_rows(graph, [0])
    assert bandwidth.tolist() == [[np.inf, np.inf, np.inf, 0]]
    assert latency.tolist() == [[0, 1, 2, np.inf]]


def test_links_that_are_down_are_not_wide() -> None:
    graph = RouteGraph.of_arcs(
        3,
        np.array([0, 2, 4, 6], dtype=np.int32),
        np.array([1, 2, 0, 2, 0, 1], dtype=np.int32),
        np.array([1.0, np.inf, 1.0, 5.0, np.inf, 5.0]),
        np.array([7.0, 99.0, 7.0, 3.0, 99.0, 3.0]),
    )
    assert widest_route(graph, 0, 2) == Route((0, 1, 2), 6, 3)
