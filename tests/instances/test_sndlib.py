"""SNDlib in both formats: what is read, what is noted, what is refused."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from tests.instances.networks import ABILENE_NATIVE, SNDLIB_XML

from leotrek_opt.errors import InputError
from leotrek_opt.instances import sndlib_native
from leotrek_opt.instances.network_file import Demand, Module, Note
from leotrek_opt.instances.sndlib import read_sndlib


def test_native_text_has_nodes_links_and_demands() -> None:
    network = read_sndlib(ABILENE_NATIVE)
    assert (network.format, network.directed, len(network.node)) == ("sndlib-native", False, 12)
    assert network.node[0] == network.label[0] == "ATLAM5"
    assert (network.latitude_deg[3], network.longitude_deg[3]) == (40.75, -105.0)
    assert network.has_place.all()
    assert network.source.tolist() == [0, 1, 1, 1, 2, 5]
    assert network.target.tolist() == [1, 4, 5, 11, 5, 2]
    assert network.link_label[:2] == ("ATLAM5_ATLAng", "ATLAng_HSTNng")
    assert network.bandwidth_mbps is not None
    assert network.bandwidth_mbps[:3].tolist() == [9920.0, 9920.0, 2480.0]
    assert math.isnan(network.bandwidth_mbps[3])
    design = network.design
    assert design is not None
    assert design.unit == "MBITPERSEC"
    assert design.installed_capacity[3] == 0.0
    assert (design.routing_cost[4], design.setup_cost[4]) == (1.5, 2.5)
    assert design.modules[2] == (Module(10_000.0, 200.5), Module(40_000.0, 591.0))
    assert design.modules[3] == ()
    assert network.demands == (
        Demand("ATLAM5_CHINng", 0, 2, 12.5, 1.0, None),
        Demand("CHINng_ATLAM5", 2, 0, 0.75, 2.0, 4),
    )
    assert network.notes == (Note(54, "admissible paths are left out"),)


def test_xml_has_the_same_as_native_text() -> None:
    network = read_sndlib(SNDLIB_XML)
    assert network.format == "sndlib-xml"
    assert network.node == ("ATLAM5", "ATLAng", "Munchen")
    assert network.label[2] == "München"
    assert network.has_place.tolist() == [True, True, False]
    assert (network.latitude_deg[0], network.longitude_deg[0]) == (33.75, -84.3833)
    assert (network.source.tolist(), network.target.tolist()) == ([0, 1], [1, 2])
    assert network.bandwidth_mbps is not None
    assert network.bandwidth_mbps[0] == 9920.0
    assert math.isnan(network.bandwidth_mbps[1])
    design = network.design
    assert design is not None
    assert design.routing_cost[0] == 1.5
    assert np.isnan([design.setup_cost[0], design.installed_capacity[1]]).all()
    assert design.modules == ((Module(40_000.0, 133.0),), ())
    assert network.demands == (
        Demand("D1", 0, 1, 12.5, 2.0, 3),
        Demand("D2", 1, 0, 7.0, 1.0, None),
    )
    assert network.notes == (
        Note(14, 'node "M\\u00fcnchen" has no place'),
        Note(30, "a link from a node to itself is left out"),
        Note(34, "the admissible paths of a demand are left out"),
    )


def test_pixels_are_no_places() -> None:
    """By declaration, or because one of them is out of range."""
    declared = SNDLIB_XML.replace(b'"geographical"', b'"pixel"')
    found = read_sndlib(declared)
    assert not found.has_place.any()
    assert Note(12, "no node has a place: coordinates are in pixels") in found.notes
    for data in (
        SNDLIB_XML.replace(b"<y>33.75<", b"<y>337.5<"),
        ABILENE_NATIVE.replace(b"-105 40.75", b"181 40.75"),
    ):
        found = read_sndlib(data)
        assert not found.has_place.any()
        assert any("in pixels" in note.text for note in found.notes)


@pytest.mark.parametrize(
    ("unit", "mbps"), [("GBITPERSEC", 9_920_000.0), ("KBITPERSEC", 9.92), ("BITPERSEC", 0.00992)]
)
def test_capacities_follow_their_unit(unit: str, mbps: float) -> None:
    found = read_sndlib(ABILENE_NATIVE.replace(b"MBITPERSEC", unit.encode()))
    assert found.bandwidth_mbps is not None
    assert found.bandwidth_mbps[0] == pytest.approx(mbps, rel=1e-12)


@pytest.mark.parametrize("unit", [b"", b"STM1"])
def test_capacities_without_a_known_unit_are_no_bandwidth(unit: bytes) -> None:
    found = read_sndlib(ABILENE_NATIVE.replace(b"MBITPERSEC", unit))
    assert found.bandwidth_mbps is None
    assert found.design is not None
    assert found.design.installed_capacity[0] == 9920.0
    assert any("capacities give no bandwidth" in note.text for note in found.notes)


def test_a_subset_keeps_design_and_demands_of_its_links() -> None:
    network = read_sndlib(ABILENE_NATIVE)
    keep = np.isin(np.arange(12), [1, 2, 5])
    found = network.subset(keep)
    assert found.source.tolist() == [0, 1, 2]
    assert found.target.tolist() == [2, 2, 1]
    assert found.design is not None
    assert found.design.routing_cost.tolist() == [0.0, 1.5, 0.0]
    assert len(found.design.modules) == 3
    assert found.demands == ()
    without = network.subset(np.arange(12) != 1)
    assert [(demand.source, demand.target) for demand in without.demands] == [(0, 1), (1, 0)]


HEAD = b"?SNDlib native format; type: network; version: 1.0\n"
NODES = b"NODES ( a ( 1 2 ) b )\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "line 1: is neither SNDlib XML nor native text"),
        (b"NODES ( a )", "line 1: is neither SNDlib XML nor native text"),
        (HEAD.replace(b"network", b"solution"), "line 1: must begin with"),
        (HEAD, "has no node"),
        (HEAD + b"NODE ( a )", "line 2: must be one of the sections META, NODES, LINKS, DEMANDS"),
        (HEAD + NODES + NODES, 'line 3: must not stand twice (got "NODES")'),
        (HEAD + b"NODES a", 'line 2: must be ( (got "a")'),
        (HEAD + b"NODES ( a", "line 2: must be a node (got the end of the file)"),
        (HEAD + b"NODES ( a ( 1 x ) )", 'line 2: latitude must be a number (got "x")'),
        (HEAD + b"NODES ( a ( 1 2 3 ) )", 'line 2: must be ) (got "3")'),
        (HEAD + b"NODES ( a\na )", 'line 3: duplicate node "a"'),
        (HEAD + NODES + b"LINKS ( l ( a c ) 0 0 0 0 ( ) )", 'line 3: no node "c"'),
        (HEAD + NODES + b"LINKS ( l ( a b ) 0 0 0 ( ) )", "the setup cost must be a number"),
        (HEAD + NODES + b"LINKS ( l ( a b ) 0 0 0 0 ( 1 ) )", 'a cost must be a number (got ")")'),
        (HEAD + NODES + b"LINKS ( l ( a b ) 0 0 0 0 ( 1 2", 'a capacity must be a number (got "")'),
        (HEAD + NODES + b"DEMANDS ( d ( a b ) 1 2 x )", "must be a number of links or UNLIMITED"),
        (HEAD + NODES + b"ADMISSIBLE_PATHS ( d ( p ( l ) ", "must be ) (got the end of the file)"),
        (HEAD + b"NODES ( " + 1001 * b"a" + b" )", "line 2: a word is longer than 1000 characters"),
        (b"<network/>", 'line 1: is no network of SNDlib, its root is "network"'),
        (b"<network><networkStructure/></network>", "line 1: has no nodes"),
        (SNDLIB_XML.replace(b' id="L2"', b""), "line 29: a link needs an id"),
        (SNDLIB_XML.replace(b"<target>ATLAng<", b"<target>no<", 1), 'line 17: no node "no"'),
        (SNDLIB_XML.replace(b">12.5<", b">much<"), "demandValue must be a number"),
        (SNDLIB_XML.replace(b"<y>33.75</y>", b""), "line 12: a coordinates needs a y"),
    ],
)
def test_broken_files_are_refused_with_their_line(data: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_sndlib(data)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sndlib_native, "MAX_ENTRIES", 15)
    with pytest.raises(InputError, match="line 37: has more than 15 entries"):
        read_sndlib(ABILENE_NATIVE)
    monkeypatch.setattr(sndlib_native, "MAX_WORDS", 20)
    with pytest.raises(InputError, match="line 17: has more than 20 words"):
        read_sndlib(ABILENE_NATIVE)


def test_faults_name_the_file(tmp_path: Path) -> None:
    file = tmp_path / "abilene.txt"
    file.write_bytes(ABILENE_NATIVE)
    assert len(read_sndlib(file).node) == 12
    file.write_bytes(HEAD)
    with pytest.raises(InputError, match=r"abilene\.txt: has no node"):
        read_sndlib(str(file))
