"""GraphML as the Topology Zoo writes it: what is read, what is noted, what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from tests.instances.networks import GRAPHML

from leotrek_opt.errors import InputError
from leotrek_opt.instances.graphml import read_graphml
from leotrek_opt.instances.network_file import Note


def test_nodes_and_links_of_a_published_form() -> None:
    network = read_graphml(GRAPHML)
    assert (network.name, network.format, network.directed) == ("ACOnet", "graphml", False)
    assert network.node == ("Wien-1", "Salzburg", "Zurich", "GEANT-others", "Wien-1-2")
    assert network.label == ("Wien 1", "Salzburg", "Zürich", "GÉANT & others", "Wien 1")
    assert network.country == ("Austria", "Austria", "Switzerland", "", "")
    assert network.internal.tolist() == [True, True, True, False, True]
    assert network.latitude_deg[:3].tolist() == [48.20849, 47.79941, 47.36667]
    assert network.longitude_deg[:3].tolist() == [16.37208, 13.04399, 8.55]
    assert network.has_place.tolist() == [True, True, True, False, False]
    assert network.source.tolist() == [0, 1, 2, 3]
    assert network.target.tolist() == [1, 2, 1, 0]
    assert network.link_label == ("10 Gbps", "", "", "Peering")
    assert network.bandwidth_mbps is not None
    assert network.bandwidth_mbps[:2].tolist() == [10_000.0, 155.0]
    assert np.isnan(network.bandwidth_mbps[2:]).all()


def test_what_is_not_used_is_noted_with_its_line() -> None:
    network = read_graphml(GRAPHML)
    assert network.notes == (
        Note(43, 'node "G\\u00c9ANT & others" has no place'),
        Note(47, 'node "Wien 1" has no place: "47.0", "400.0" are no latitude and longitude'),
        Note(62, 'the speed "<10 G" is not used'),
        Note(69, "an edge from a node to itself is left out"),
    )
    assert network.noted == 4


def test_files_may_be_compressed_and_faults_name_them(tmp_path: Path) -> None:
    file = tmp_path / "Aconet.graphml.gz"
    file.write_bytes(gzip.compress(GRAPHML))
    assert read_graphml(file).node == read_graphml(GRAPHML).node
    with pytest.raises(InputError) as caught:
        read_graphml(tmp_path / "none.graphml")
    assert str(caught.value) == f"{tmp_path / 'none.graphml'}: no such file"
    file.write_bytes(b"<graphml>\n<graph>")
    with pytest.raises(InputError, match=r"Aconet\.graphml\.gz: line 2: is not well-formed XML"):
        read_graphml(file)


def graph(inside: str, edge_default: str = "undirected", keys: str = "") -> bytes:
    return f'<graphml>{keys}<graph edgedefault="{edge_default}">{inside}</graph></graphml>'.encode()


TWO = '<node id="a"/><node id="b"/>'


def test_keys_are_found_by_name_whatever_their_case_and_domain() -> None:
    keys = (
        '<key id="x" for="all" attr.name="LATITUDE"><default>10</default></key>'
        '<key id="y" for="node" attr.name="lon"/>'
        '<key id="Label" for="node"/>'
        '<key id="z" for="edge" attr.name="Latitude"/>'
    )
    inside = '<node id="a"><data key="y">20</data><data key="Label">A</data></node>'
    network = read_graphml(graph(inside, keys=keys))
    assert (network.latitude_deg.tolist(), network.longitude_deg.tolist()) == ([10.0], [20.0])
    assert network.label == ("A",)


def test_directed_graphs_and_their_parallel_edges_are_kept() -> None:
    edges = (
        '<edge source="a" target="b"/><edge source="a" target="b" directed="false"/>'
        '<edge source="b" target="a"/>'
    )
    network = read_graphml(graph(TWO + edges, "directed"))
    assert network.directed
    assert network.source.tolist() == [0, 0, 1]
    assert network.bandwidth_mbps is None
    assert [note.text for note in network.notes if "edge" in note.text] == [
        "an edge is taken as directed, like its graph"
    ]


def test_hyperedges_nested_and_further_graphs_are_noted() -> None:
    inside = (
        '<node id="a"><graph edgedefault="directed"><node id="a::b"/></graph></node>'
        '<hyperedge><endpoint node="a"/></hyperedge>'
    )
    data = graph(inside).replace(b"</graphml>", b"<graph/></graphml>")
    texts = [note.text for note in read_graphml(data).notes]
    assert texts == [
        "a graph inside a node is left out",
        "a hyperedge is left out",
        "a second graph is left out",
        'node "a" has no place',
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<a/>", 'line 1: is not GraphML, its root is "a"'),
        (b"<graphml/>", "line 1: has no graph"),
        (graph(""), "line 1: has no node"),
        (graph("<node/>"), "line 1: a node needs an id"),
        (graph(TWO + '\n<node id="a"/>'), 'line 2: duplicate node "a"'),
        (graph(TWO + '<edge source="a"/>'), "line 1: an edge needs a target"),
        (graph(TWO + '<edge source="a" target="c"/>'), 'line 1: no node "c" for the target'),
        (graph(TWO, "mixed"), 'edgedefault must be directed or undirected (got "mixed")'),
    ],
)
def test_broken_files_are_refused_with_their_line(data: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_graphml(data)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "1_0", "0x10", "", "91", "--1", "½"])
def test_odd_coordinates_are_no_place(text: str) -> None:
    data = GRAPHML.replace(b"48.20849", text.encode())
    network = read_graphml(data)
    assert np.isnan([network.latitude_deg[0], network.longitude_deg[0]]).all()
    assert network.noted == 5


@pytest.mark.parametrize("text", ["0", "-5", "1e30", "nan", "OC-192"])
def test_odd_speeds_are_unknown(text: str) -> None:
    raw = GRAPHML.replace(b"10000000000.0", text.encode()).replace(b">10<", b"><")
    bandwidth = read_graphml(raw).bandwidth_mbps
    assert bandwidth is not None
    assert np.isnan(bandwidth[0])


def test_a_subset_keeps_what_is_joined_to_it() -> None:
    network = read_graphml(GRAPHML).placed()
    assert network.node == ("Wien-1", "Salzburg", "Zurich")
    assert (network.source.tolist(), network.target.tolist()) == ([0, 1, 2], [1, 2, 1])
    assert network.link_label == ("10 Gbps", "", "")
    last = network.subset(np.array([False, True, True]))
    assert (last.source.tolist(), last.target.tolist()) == ([0, 1], [1, 0])
    assert last.country == ("Austria", "Switzerland")


def test_only_so_many_notes_are_kept() -> None:
    network = read_graphml(graph("".join(f'<node id="{k}"/>' for k in range(1500))))
    assert (len(network.notes), network.noted) == (1000, 1500)
