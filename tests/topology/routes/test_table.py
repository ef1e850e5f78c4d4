"""Routes of many pairs at once, against every path and against networkx, ties included."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.topology.routes.grids import torus
from tests.topology.simple_paths import Network, networks

from leotrek_opt.errors import InputError
from leotrek_opt.evaluation.routes import RouteRequest, snapshot_routes
from leotrek_opt.models.continuum import Continuum, NodeTable, TimeGrid
from leotrek_opt.models.topology import ExplicitTopology
from leotrek_opt.topology.routes import Route, named, route, routes
from leotrek_opt.topology.routing import RouteGraph


def expected_route(network: Network, source: int, target: int) -> Route | None:
    ranked = network.routes(source, target)
    if not ranked:
        return None
    latency, narrowness, nodes = ranked[0]
    return Route(nodes, latency, None if source == target else int(-narrowness))


@given(networks())
def test_every_route_is_the_best_of_all_paths(network: Network) -> None:
    graph = network.graph()
    everyone = range(network.n_nodes)
    table = routes(graph, everyone, everyone)
    for source in everyone:
        for target in everyone:
            expected = expected_route(network, source, target)
            assert table.route(source, target) == expected
            assert route(graph, source, target) == expected
            assert table.hops[source, target] == (-1 if expected is None else expected.hops)


@given(networks())
def test_routes_from_few_sources_to_many_targets_are_the_same(network: Network) -> None:
    # Nodes without links make the targets many.
    count = network.n_nodes + 20
    relay = None if network.relay is None else network.relay + [True] * 20
    table = routes(Network(count, network.links, relay).graph(), [0], range(count))
    for target in range(network.n_nodes):
        assert table.route(0, target) == expected_route(network, 0, target)
    assert (table.hops[0, network.n_nodes :] == -1).all()


@given(networks(), st.integers(1, 4))
def test_route_above_a_floor_uses_wide_links_only(network: Network, floor: int) -> None:
    graph = network.graph()
    for target in range(network.n_nodes):
        found = route(graph, 0, target, min_bandwidth_bps=floor)
        assert found == expected_route(network.at_least(floor), 0, target)


@pytest.mark.parametrize("widths", [1, 3])
@pytest.mark.parametrize("silent", [False, True])
def test_ties_of_a_symmetric_grid_are_broken_as_the_checker_breaks_them(
    widths: int, silent: bool
) -> None:
    grid = torus(8, 9, widths=widths, silent=silent)
    graph = RouteGraph.of_snapshot(grid, 72)
    ends = range(0, 72, 5)
    table = routes(graph, ends, ends)
    many = routes(graph, [*ends][:2], range(72))
    pairs = {(s, t) for s in ends for t in ends} | {(s, t) for s in [*ends][:2] for t in range(72)}
    asked = {pair: RouteRequest(0, 0, *pair) for pair in pairs}
    checked = snapshot_routes(grid, asked.values())
    for i, source in enumerate(ends):
        for j, target in enumerate(ends):
            expected = checked[asked[source, target]]
            assert expected is not None
            found = table.route(i, j)
            assert found == Route(expected.nodes, expected.latency_ns, expected.bottleneck_bps)
    for i, source in enumerate([*ends][:2]):
        for target in range(72):
            expected = checked[asked[source, target]]
            assert expected is not None
            assert many.path(i, target).tolist() == list(expected.nodes)


@pytest.mark.parametrize("seed", range(5))
def test_latencies_are_those_of_networkx(seed: int) -> None:
    random = nx.gnm_random_graph(60, 150, seed=seed)
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 5, random.number_of_edges())
    nx.set_edge_attributes(random, dict(zip(random.edges, weights.tolist(), strict=True)), "ns")
    ends = np.array(random.edges)
    table = routes(RouteGraph(60, ends[:, 0], ends[:, 1], weights), range(60), range(60))
    everything = dict(nx.all_pairs_dijkstra_path_length(random, weight="ns"))
    for source in range(60):
        for target in range(60):
            assert table.latency_ns[source, target] == everything[source].get(target, np.inf)
            path = table.path(source, target).tolist()
            assert all(random.has_edge(*hop) for hop in pairwise(path))
            if path:
                assert (path[0], path[-1]) == (source, target)
                length = nx.path_weight(random, path, "ns")
                assert length == table.latency_ns[source, target]


def test_links_that_are_down_carry_no_route() -> None:
    graph = RouteGraph.of_arcs(
        4,
        np.array([0, 2, 4, 6, 6], dtype=np.int32),
        np.array([1, 2, 0, 2, 0, 1], dtype=np.int32),
        np.array([1.0, np.inf, 1.0, 5.0, np.inf, 5.0]),
    )
    table = routes(graph, [0], range(4))
    assert [table.route(0, target) for target in range(4)] == [
        Route((0,), 0, None),
        Route((0, 1), 1, None),
        Route((0, 1, 2), 6, None),
        None,
    ]


def test_route_is_told_by_names() -> None:
    continuum = Continuum(
        nodes=NodeTable(
            id=("vienna", "sat-1", "graz"),
            kind=("ground_station", "satellite", "ground_station"),
            architecture=("arm64",) * 3,
            capacity={},
        ),
        time=TimeGrid(steps=1),
        topology=ExplicitTopology(source=[0, 1], target=[1, 2], latency_ms=[[1.0, 2.0]]),
    )
    graph = RouteGraph(3, np.array([0, 1]), np.array([1, 2]), np.array([5, 7]))
    found = route(graph, 0, 2)
    assert found is not None
    assert found.hops == 2
    assert named(found, continuum) == ("vienna", "sat-1", "graz")


def test_no_source_and_no_target_give_an_empty_table() -> None:
    graph = RouteGraph(3, np.array([0]), np.array([1]), np.array([7]))
    assert routes(graph, [], [1]).latency_ns.shape == (0, 1)
    assert routes(graph, [1], []).hops.shape == (1, 0)


@pytest.mark.parametrize("node", [-1, 3])
def test_unknown_nodes_are_named(node: int) -> None:
    graph = RouteGraph(3, np.array([0]), np.array([1]), np.array([7]))
    with pytest.raises(InputError, match=f"no node {node}, there are 3"):
        route(graph, 0, node)
    with pytest.raises(InputError, match="sources: no node"):
        routes(graph, [0, node], [0])


@pytest.mark.parametrize("node", [1.5, "1", None])
def test_what_is_no_node_index_is_refused(node: object) -> None:
    graph = RouteGraph(3, np.array([0]), np.array([1]), np.array([5]))
    with pytest.raises(InputError, match=r"^target: must be node indices"):
        route(graph, 0, node)  # type: ignore[arg-type]


@pytest.mark.parametrize("floor", [float("nan"), -5, "wide"])
def test_floor_that_is_no_bandwidth_is_refused(floor: float) -> None:
    graph = RouteGraph(2, np.array([0]), np.array([1]), np.array([7]), np.array([10]))
    with pytest.raises(InputError, match=r"^min_bandwidth_bps: must be a number >= 0"):
        route(graph, 0, 1, min_bandwidth_bps=floor)
