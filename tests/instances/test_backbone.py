"""Published networks under a constellation: nodes, cables, bandwidths, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from tests.instances.networks import ABILENE_NATIVE, GRAPHML

from leotrek_opt.errors import InputError
from leotrek_opt.instances.backbone import with_network
from leotrek_opt.instances.constellation_continuum import constellation_continuum
from leotrek_opt.instances.graphml import read_graphml
from leotrek_opt.instances.sndlib import read_sndlib
from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.continuum import CPU, Continuum
from leotrek_opt.models.ground_links import GroundLinks, TerrestrialNetwork
from leotrek_opt.models.inter_satellite import PlusGrid
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.fibre import great_circle_km
from leotrek_opt.topology.freeze import freeze
from leotrek_opt.topology.materialise import materialise

SHELL = WalkerShell(
    planes=6, satellites_per_plane=8, phasing=1, inclination_deg=53.0, altitude_km=1200.0
)
ZOO = read_graphml(GRAPHML).placed()
ABILENE = read_sndlib(ABILENE_NATIVE)


def base(**values: object) -> Continuum:
    return constellation_continuum(SHELL, **values)  # type: ignore[arg-type]


def cables(continuum: Continuum) -> TerrestrialNetwork:
    assert isinstance(continuum.topology, GeneratedTopology)
    assert continuum.topology.terrestrial is not None
    return continuum.topology.terrestrial


def test_nodes_and_cables_are_added_at_the_end() -> None:
    made = with_network(base(), ZOO, kind="cloud", capacity={CPU: 7}, bandwidth_mbps="unlimited")
    assert made.nodes.id[48:] == ("Wien-1", "Salzburg", "Zurich")
    assert made.nodes.kind[47:] == ("satellite", "cloud", "cloud", "cloud")
    assert made.nodes.label is not None
    assert made.nodes.label[50] == "Zürich"
    assert made.nodes.capacity[CPU].tolist() == [4000] * 48 + [7] * 3
    assert made.positions[0].node.tolist() == [48, 49, 50]
    assert made.positions[0].latitude_deg.tolist() == [[48.20849, 47.79941, 47.36667]]
    network = cables(made)
    assert network.source.tolist() == [48, 49, 50]
    assert network.target.tolist() == [49, 50, 49]
    assert network.bandwidth_mbps is None
    assert made.topology.ground == GroundLinks()


def test_cables_become_links_of_every_step() -> None:
    made = with_network(base(steps=2), ZOO, path_stretch=2.0, bandwidth_mbps="unlimited")
    series = materialise(made)
    on_ground = series.source >= 48
    assert list(zip(series.source[on_ground], series.target[on_ground], strict=True)) == [
        (48, 49), (49, 50), (49, 50),
    ]  # fmt: skip
    arc_km = great_circle_km(
        ZOO.latitude_deg[[0, 1, 1]], ZOO.longitude_deg[[0, 1, 1]],
        ZOO.latitude_deg[[1, 2, 2]], ZOO.longitude_deg[[1, 2, 2]],
    )  # fmt: skip
    assert arc_km[0] == pytest.approx(251.5, abs=1)
    expected_ns = 2 * arc_km / 204_218.3 * 1e9
    assert np.abs(series.latency_ns[0, on_ground] - expected_ns).max() <= 0.5
    assert series.up is not None
    assert series.up[:, on_ground].all()
    assert ((series.source < 48) & (series.target >= 48)).any()
    assert materialise(freeze(made)).digest == series.digest


def limited() -> Continuum:
    return base(
        ground=[("Wien-1", 10.0, 10.0)],
        inter_satellite=PlusGrid(bandwidth_mbps=1000.0),
        ground_links=GroundLinks(bandwidth_mbps=100.0),
    )


def test_unknown_bandwidths_need_a_number() -> None:
    made = with_network(limited(), ZOO, bandwidth_mbps=622.0)
    assert cables(made).bandwidth_mbps is not None
    assert cables(made).bandwidth_mbps.tolist() == [10_000.0, 155.0, 622.0]  # type: ignore[union-attr]
    with pytest.raises(InputError, match="bandwidth_mbps: 1 of 3 links have no bandwidth"):
        with_network(limited(), ZOO)
    known = ABILENE.subset(np.arange(12) != 11)
    assert cables(with_network(limited(), known)).bandwidth_mbps.tolist() == [  # type: ignore[union-attr]
        9920.0, 9920.0, 2480.0, 9920.0, 9920.0,
    ]  # fmt: skip
    with pytest.raises(InputError, match="for every kind of link, or for none"):
        with_network(limited(), ZOO, bandwidth_mbps="unlimited")


def test_names_that_are_taken_get_a_number_and_labels_keep_them() -> None:
    made = with_network(limited(), ZOO, bandwidth_mbps=1.0)
    assert made.nodes.id[48:] == ("Wien-1", "Wien-1-2", "Salzburg", "Zurich")
    assert made.nodes.label is not None
    assert made.nodes.label[48:50] == ("Wien-1", "Wien 1")


def test_rule_of_ground_links_is_kept_unless_another_is_given() -> None:
    rule = GroundLinks(bandwidth_mbps=5.0, strategy="best_elevation")
    assert with_network(limited(), ZOO, bandwidth_mbps=1.0).topology.ground == GroundLinks(
        bandwidth_mbps=100.0
    )
    made = with_network(limited(), ZOO, bandwidth_mbps=1.0, ground_links=rule)
    assert made.topology.ground == rule


def test_directed_links_there_and_back_are_one_cable() -> None:
    edges = [("a", "b", 10), ("b", "a", 4), ("a", "b", 7), ("b", "c", 5), ("c", "a", 3)]
    text = "".join(
        f'<node id="{name}"><data key="x">{k}</data><data key="y">{k}</data></node>'
        for k, name in enumerate("abc")
    ) + "".join(
        f'<edge source="{a}" target="{b}"><data key="s">{mbps}e6</data></edge>'
        for a, b, mbps in edges
    )
    network = read_graphml(
        f"""<graphml><key id="x" attr.name="Latitude"/><key id="y" attr.name="Longitude"/>
        <key id="s" attr.name="LinkSpeedRaw"/>
        <graph edgedefault="directed">{text}</graph></graphml>""".encode()
    )
    found = cables(with_network(limited(), network))
    assert found.bandwidth_mbps is not None
    ends = np.sort(np.stack((found.source, found.target)), axis=0) - 49
    rows = zip(*ends.tolist(), found.bandwidth_mbps.tolist(), strict=True)
    assert sorted(rows) == [(0, 1, 4.0), (0, 1, 7.0), (0, 2, 3.0), (1, 2, 5.0)]


def test_a_second_network_joins_the_first() -> None:
    first = with_network(base(), ZOO, bandwidth_mbps="unlimited")
    both = with_network(first, ABILENE, bandwidth_mbps="unlimited")
    assert len(both.nodes) == 48 + 3 + 12
    assert cables(both).source.tolist() == [48, 49, 50, 51, 52, 52, 52, 53, 56]
    with pytest.raises(InputError, match=r"continuum\.topology\.terrestrial: there are cables"):
        with_network(first, ABILENE, bandwidth_mbps="unlimited", path_stretch=1.0)
    with pytest.raises(InputError, match="there are cables already"):
        with_network(first, ABILENE, bandwidth_mbps=10.0)


def test_what_cannot_be_added_is_refused() -> None:
    with pytest.raises(InputError, match=r"network: 2 nodes have no place; .*network\.placed\(\)"):
        with_network(base(), read_graphml(GRAPHML))
    with pytest.raises(InputError, match=r"continuum\.topology: only a generated topology"):
        with_network(freeze(base()), ZOO)
    with pytest.raises(InputError, match="path_stretch: must be >= 1"):
        with_network(base(), ZOO, path_stretch=0.5, bandwidth_mbps="unlimited")
    with pytest.raises(InputError, match="bandwidth_mbps"):
        with_network(limited(), ZOO, bandwidth_mbps=-1.0)
    with pytest.raises(InputError, match="cpu_millis"):
        with_network(base(), ZOO, capacity={CPU: -1}, bandwidth_mbps="unlimited")
