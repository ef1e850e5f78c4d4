"""The k best routes: all simple paths, in order."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.topology.routes.grids import torus
from tests.topology.simple_paths import Network, networks

from leotrek_opt.errors import InputError
from leotrek_opt.topology.routes import Route, route, shortest_routes
from leotrek_opt.topology.routing import RouteGraph


@given(networks(most=6), st.integers(1, 40))
def test_routes_come_in_the_order_of_all_simple_paths(network: Network, count: int) -> None:
    graph = network.graph()
    for target in range(1, network.n_nodes):
        expected = [
            Route(nodes, latency, int(-narrowness))
            for latency, narrowness, nodes in network.routes(0, target)
        ]
        assert list(shortest_routes(graph, 0, target, count)) == expected[:count]


@given(networks(most=6), st.integers(2, 4))
def test_routes_above_a_floor_use_wide_links_only(network: Network, floor: int) -> None:
    found = shortest_routes(network.graph(), 0, 1, 10, min_bandwidth_bps=floor)
    assert [item.nodes for item in found] == [
        nodes for _, _, nodes in network.at_least(floor).routes(0, 1)
    ][:10]


@pytest.mark.parametrize("seed", range(4))
def test_latencies_are_those_of_networkx(seed: int) -> None:
    random = nx.gnm_random_graph(25, 60, seed=seed)
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 6, random.number_of_edges())
    nx.set_edge_attributes(random, dict(zip(random.edges, weights.tolist(), strict=True)), "ns")
    ends = np.array(random.edges)
    found = shortest_routes(RouteGraph(25, ends[:, 0], ends[:, 1], weights), 0, 24, 30)
    lengths = [
        nx.path_weight(random, path, "ns")
        for path, _ in zip(nx.shortest_simple_paths(random, 0, 24, "ns"), range(30), strict=False)
    ]
    assert [item.latency_ns for item in found] == lengths
    assert len({item.nodes for item in found}) == len(found)


def test_equally_fast_routes_of_a_grid_come_by_their_nodes() -> None:
    graph = RouteGraph.of_snapshot(torus(6, 7), 42)
    # Two links along and two across: six orders of one latency.
    found = shortest_routes(graph, 0, 16, 7)
    assert [item.latency_ns for item in found[:6]] == [10] * 6
    assert found[6].latency_ns > 10
    assert [item.nodes for item in found[:6]] == sorted(item.nodes for item in found[:6])
    assert found[0] == route(graph, 0, 16)


def test_node_to_itself_has_one_route() -> None:
    graph = RouteGraph(3, np.array([0]), np.array([1]), np.array([7]))
    assert shortest_routes(graph, 1, 1, 5) == (Route((1,), 0, None),)
    assert shortest_routes(graph, 1, 2, 5) == ()


def test_count_must_be_positive() -> None:
    graph = RouteGraph(3, np.array([0]), np.array([1]), np.array([7]))
    with pytest.raises(InputError, match="count: must be at least 1"):
        shortest_routes(graph, 0, 1, 0)
