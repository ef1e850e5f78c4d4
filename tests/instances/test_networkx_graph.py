"""Steps as networkx graphs and back."""

from __future__ import annotations

import subprocess
import sys

import networkx as nx
import numpy as np
import pytest
from tests.topology.small_topologies import small_continuum

from leotrek_opt.errors import InputError
from leotrek_opt.instances.networkx_graph import from_networkx, to_networkx
from leotrek_opt.models.continuum import Continuum
from leotrek_opt.models.ground_links import FibreLinks, GroundLinks
from leotrek_opt.models.inter_satellite import PlusGrid
from leotrek_opt.topology.positions import positions
from leotrek_opt.topology.routing import RouteGraph
from leotrek_opt.topology.series import Snapshot
from leotrek_opt.topology.simulation import simulate


def limited(**changes: object) -> Continuum:
    return small_continuum(
        inter_satellite=PlusGrid(bandwidth_mbps=10_000.0),
        ground=GroundLinks(strategy="all_visible", min_elevation_deg=10.0, bandwidth_mbps=500.0),
        fibre=FibreLinks(neighbours=1, bandwidth_mbps=123.456789),
        **changes,
    )


def columns(snapshot: Snapshot) -> list[object]:
    return [
        None if column is None else column.tolist()
        for column in (
            snapshot.source,
            snapshot.target,
            snapshot.latency_ns,
            snapshot.bandwidth_bps,
            snapshot.relay,
        )
    ]


def test_a_step_becomes_a_graph_with_all_it_knows() -> None:
    made = limited()
    result = list(simulate(made, stop=3))[2]
    graph = to_networkx(result)
    assert type(graph) is nx.Graph
    assert graph.graph == {"step": 2, "time": result.time}
    assert list(graph.nodes) == list(made.nodes.id)
    where = positions(made, 2)
    data = graph.nodes["n41"]
    assert data["kind"] == "cloud"
    assert data["index"] == 41
    assert data["latitude_deg"] == pytest.approx(where.latitude_deg[41])
    assert data["longitude_deg"] == pytest.approx(where.longitude_deg[41])
    assert data["altitude_km"] == pytest.approx(0.0, abs=1e-6)
    assert data["position_km"] == tuple(result.state.position_km[41].tolist())
    assert graph.number_of_edges() == len(result.state.links)
    satellites = {name for name, data in graph.nodes(data=True) if data["kind"] == "satellite"}
    by_ends = {2: "inter_satellite", 1: "ground", 0: "terrestrial"}
    kinds = [(len(satellites & {a, b}), data["kind"]) for a, b, data in graph.edges(data=True)]
    assert set(kinds) == set(by_ends.items())
    for source, target, latency, bandwidth in zip(
        result.state.links.source.tolist(),
        result.state.links.target.tolist(),
        result.state.links.latency_ns.tolist(),
        result.state.links.bandwidth_bps.tolist(),  # type: ignore[union-attr]
        strict=True,
    ):
        edge = graph.edges[f"n{source}", f"n{target}"]
        assert edge["latency_ns"] == latency
        assert edge["latency_ms"] == latency / 1e6
        assert edge["bandwidth_mbps"] == bandwidth / 1e6


def test_routes_in_the_graph_are_ours() -> None:
    result = next(simulate(small_continuum()))
    graph = to_networkx(result)
    ours = RouteGraph.of_snapshot(result.state.links, 44).rows([40])[0]
    theirs = nx.single_source_dijkstra_path_length(graph, "n40", weight="latency_ns")
    assert {
        f"n{node}": value for node, value in enumerate(ours.tolist()) if np.isfinite(value)
    } == (theirs)
    assert len(theirs) > 10


@pytest.mark.parametrize("made", [small_continuum(), limited(), limited(ground_relay=False)])
def test_graphs_become_the_links_they_were_made_of(made: Continuum) -> None:
    state = next(simulate(made)).state
    graph = to_networkx(state, made)
    assert columns(from_networkx(graph, made)) == columns(state.links)
    numbered = to_networkx(state)
    assert list(numbered.nodes) == list(range(44))
    assert "kind" not in numbered.nodes[3]
    assert columns(from_networkx(numbered)) == columns(state.links)


def test_a_snapshot_alone_has_the_nodes_of_its_links() -> None:
    snapshot = Snapshot(
        source=np.array([2, 2], dtype=np.int32),
        target=np.array([5, 9], dtype=np.int32),
        latency_ns=np.array([1_500_000, 7], dtype=np.int64),
        bandwidth_bps=None,
    )
    graph = to_networkx(snapshot)
    assert dict(graph.nodes(data=True)) == {2: {"index": 2}, 5: {"index": 5}, 9: {"index": 9}}
    assert graph.edges[2, 9] == {"latency_ms": 7e-6, "latency_ns": 7}
    named = to_networkx(snapshot, small_continuum().nodes)
    assert len(named) == 44
    assert named.edges["n2", "n5"]["latency_ms"] == 1.5
    assert named.nodes["n43"] == {"index": 43, "kind": "cloud"}


def test_parallel_links_make_a_multigraph() -> None:
    snapshot = Snapshot(
        source=np.array([1, 2, 1], dtype=np.int32),
        target=np.array([2, 1, 3], dtype=np.int32),
        latency_ns=np.array([30, 20, 10], dtype=np.int64),
        bandwidth_bps=np.array([5_000_000, 6_000_000, 7_000_000], dtype=np.int64),
    )
    graph = to_networkx(snapshot)
    assert type(graph) is nx.MultiGraph
    assert graph.number_of_edges(1, 2) == 2
    back = from_networkx(graph)
    assert back.source.tolist() == [0, 0, 0]
    assert back.target.tolist() == [1, 1, 2]
    assert back.latency_ns.tolist() == [20, 30, 10]
    assert back.bandwidth_bps is not None
    assert back.bandwidth_bps.tolist() == [6_000_000, 5_000_000, 7_000_000]


def test_nothing_linked_is_a_graph_without_edges() -> None:
    none = np.empty(0, dtype=np.int32)
    snapshot = Snapshot(none, none, np.empty(0, dtype=np.int64), None)
    assert len(to_networkx(snapshot)) == 0
    assert to_networkx(snapshot, small_continuum()).number_of_edges() == 0
    assert len(from_networkx(nx.path_graph(1))) == 0


def test_nodes_must_fit() -> None:
    made = small_continuum()
    state = next(simulate(made)).state
    nodes = made.nodes.replace(
        id=made.nodes.id[:9], kind=made.nodes.kind[:9], architecture=("arm64",) * 9
    )
    with pytest.raises(InputError, match="there are 9 nodes, but 44 in the state"):
        to_networkx(state, nodes)
    with pytest.raises(InputError, match="there are 9 nodes, but a link ends at 43"):
        to_networkx(state.links, nodes)
    with pytest.raises(InputError, match=r"links: must be a step result, .* got Continuum"):
        to_networkx(made)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([("a", "b", {})], r"graph.edges\['a', 'b'\].latency_ms: must be a number"),
        ([("a", "b", {"latency_ms": "1"})], "latency_ms: must be a number"),
        ([("a", "b", {"latency_ms": True})], "latency_ms: must be a number"),
        ([("a", "b", {"latency_ms": -1})], r"latency_ms: must be in 0 … 100000"),
        ([("a", "b", {"latency_ms": float("nan")})], "latency_ms: must be in 0"),
        ([("a", "b", {"latency_ms": 1, "bandwidth_mbps": 0})], "bandwidth_mbps: must be in 0.001"),
        ([("a", "a", {"latency_ms": 1})], "a link must join two different nodes"),
        (
            [("a", "b", {"latency_ms": 1, "bandwidth_mbps": 1}), ("b", "c", {"latency_ms": 1})],
            "bandwidth_mbps must stand at all edges or at none",
        ),
    ],
)
def test_graphs_that_are_no_links_are_refused(
    edges: list[tuple[str, str, dict[str, object]]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        from_networkx(nx.Graph(edges))


def test_directed_graphs_and_unknown_nodes_are_refused() -> None:
    with pytest.raises(InputError, match="graph: must be undirected"):
        from_networkx(nx.DiGraph([("n0", "n1")]))
    graph = nx.Graph([("n0", "elsewhere", {"latency_ms": 1})])
    with pytest.raises(InputError, match="no node 'elsewhere' in the continuum"):
        from_networkx(graph, small_continuum())


def test_networkx_is_loaded_only_when_it_is_used() -> None:
    script = (
        "import sys, leotrek_opt.instances.networkx_graph, leotrek_opt.topology.simulation;"
        "assert 'networkx' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
