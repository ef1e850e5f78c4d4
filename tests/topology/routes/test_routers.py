"""Routers: the same answers one by one, from positions, and from memory."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.topology.routes.grids import torus
from tests.topology.simple_paths import Network, networks

from leotrek_opt.errors import InputError
from leotrek_opt.topology.routes import (
    AStarRouter,
    CachedRouter,
    DijkstraRouter,
    Route,
    Router,
    route,
    routes,
)
from leotrek_opt.topology.routing import FloatArray, RouteGraph

SPEED_KM_PER_NS = 0.000299792458


@given(networks(), st.integers(0, 2**32 - 1))
def test_routers_give_the_best_route_whatever_the_positions(network: Network, seed: int) -> None:
    graph = network.graph()
    positions = np.random.default_rng(seed).normal(size=(network.n_nodes, 3))
    routers: list[Router] = [
        DijkstraRouter(graph, capacity=2),
        AStarRouter(graph, positions),
        CachedRouter(AStarRouter(graph, positions), capacity=3),
    ]
    pairs = [(s, t) for s in range(network.n_nodes) for t in range(network.n_nodes)]
    expected = {pair: route(graph, *pair) for pair in pairs}
    latency = {
        pair: None if found is None else found.latency_ns for pair, found in expected.items()
    }
    for router in routers:
        assert {pair: router.route(*pair) for pair in pairs} == expected
        assert {pair: router.latency_ns(*pair) for pair in pairs} == latency
        assert np.array_equal(router.rows([1, 0, 1]), graph.rows([1, 0, 1]))


def geometric(n_nodes: int, seed: int, *, unit: float) -> tuple[RouteGraph, FloatArray]:
    """Links of the nearest neighbours on a sphere; latencies rounded to whole ns."""
    rng = np.random.default_rng(seed)
    position = rng.normal(size=(n_nodes, 3))
    position *= unit / np.linalg.norm(position, axis=1, keepdims=True)
    distance = np.linalg.norm(position[:, None] - position[None], axis=2)
    near = np.argsort(distance, axis=1)[:, 1:6]
    source = np.repeat(np.arange(n_nodes), 5)
    length = distance[source, near.ravel()]
    latency = np.rint(length / SPEED_KM_PER_NS).astype(np.int64)
    return RouteGraph(n_nodes, source, near.ravel(), latency), position


@pytest.mark.parametrize("unit", [7000.0, 0.001])
def test_a_star_is_exact_where_latencies_are_rounded_distances(unit: float) -> None:
    # On the small sphere a link takes a few ns, and rounding is most of it.
    graph, position = geometric(150, 1, unit=unit)
    router = AStarRouter(graph, position)
    table = routes(graph, range(0, 150, 11), range(0, 150, 7))
    for i, source in enumerate(table.sources.tolist()):
        for j, target in enumerate(table.targets.tolist()):
            assert router.route(source, target) == table.route(i, j)


def test_bound_of_a_star_never_exceeds_the_way() -> None:
    graph, position = geometric(200, 2, unit=7000.0)
    router = AStarRouter(graph, position)
    for target in range(0, 200, 9):
        assert (router.remaining_ns(target) <= graph.rows([target])[0]).all()
    assert router.remaining_ns(0).max() > 0


def test_unknown_positions_only_cost_time() -> None:
    graph, position = geometric(80, 3, unit=7000.0)
    position[::4] = np.nan
    router = AStarRouter(graph, position)
    assert [router.route(1, target) for target in range(80)] == [
        route(graph, 1, target) for target in range(80)
    ]


def test_positions_must_be_of_every_node() -> None:
    graph, position = geometric(10, 3, unit=7000.0)
    with pytest.raises(InputError, match=r"position_km: must have shape \(10, 3\)"):
        AStarRouter(graph, position[:9])


def test_equal_latencies_are_not_dropped_on_a_grid() -> None:
    graph = RouteGraph.of_snapshot(torus(6, 7), 42)
    router = AStarRouter(graph, np.zeros((42, 3)))
    for target in range(42):
        assert router.latency_ns(0, target) == graph.rows([0])[0, target]
        assert router.route(0, target) == route(graph, 0, target)


class Counting:
    """A router that counts what it is asked."""

    def __init__(self, graph: RouteGraph) -> None:
        self.inner = DijkstraRouter(graph)
        self.asked: list[tuple[int, int]] = []

    def latency_ns(self, source: int, target: int) -> int | None:
        self.asked.append((source, target))
        return self.inner.latency_ns(source, target)

    def route(self, source: int, target: int) -> Route | None:
        self.asked.append((source, target))
        return self.inner.route(source, target)

    def rows(self, sources: Iterable[int]) -> FloatArray:
        return self.inner.rows(sources)


def test_cache_asks_once_and_in_either_direction() -> None:
    inner = Counting(RouteGraph.of_snapshot(torus(3, 4), 12))
    cached = CachedRouter(inner, ("digest", 0))
    for _ in range(3):
        assert cached.latency_ns(0, 5) == cached.latency_ns(5, 0)
        assert cached.route(0, 5) is not None
    assert inner.asked == [(0, 5), (0, 5)]


def test_cache_forgets_the_pair_that_was_not_used_longest() -> None:
    inner = Counting(RouteGraph.of_snapshot(torus(3, 4), 12))
    cached = CachedRouter(inner, capacity=2)
    for target in (1, 2, 1, 3, 1, 2):
        cached.route(0, target)
    assert inner.asked == [(0, 1), (0, 2), (0, 3), (0, 2)]


def test_cache_is_emptied_by_another_snapshot_only() -> None:
    first = Counting(RouteGraph(2, np.array([0]), np.array([1]), np.array([5])))
    second = Counting(RouteGraph(2, np.array([0]), np.array([1]), np.array([6])))
    cached = CachedRouter(first, ("digest", 0))
    assert cached.latency_ns(0, 1) == 5
    cached.renew(second, ("digest", 0))
    assert cached.latency_ns(0, 1) == 5
    cached.renew(second, ("digest", 1))
    assert cached.latency_ns(0, 1) == 6
    assert cached.route(0, 1) == Route((0, 1), 6, None)
    assert second.asked == [(0, 1), (0, 1)]


def test_missing_routes_are_remembered_too() -> None:
    inner = Counting(RouteGraph(3, np.array([0]), np.array([1]), np.array([5])))
    cached = CachedRouter(inner)
    assert [cached.route(0, 2), cached.route(0, 2)] == [None, None]
    assert inner.asked == [(0, 2)]


@pytest.mark.parametrize("build", [DijkstraRouter, CachedRouter])
def test_capacity_must_be_positive(build: type) -> None:
    with pytest.raises(InputError, match="capacity: must be at least 1"):
        build(RouteGraph(2, np.array([0]), np.array([1]), np.array([5])), capacity=0)
