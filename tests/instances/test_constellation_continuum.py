"""A whole continuum in one call: nodes in order, names unique, ground nodes where they are."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.instances.tle_sets import numbered

from leotrek_opt.errors import InputError
from leotrek_opt.instances.constellation_continuum import EPOCH, constellation_continuum
from leotrek_opt.instances.documents import dumps, loads
from leotrek_opt.instances.ground_csv import GroundPlace, read_ground_csv
from leotrek_opt.instances.node_names import node_identifiers
from leotrek_opt.instances.presets import preset
from leotrek_opt.instances.tle import parse_tle
from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.models.inter_satellite import NearestK
from leotrek_opt.models.topology import GeneratedTopology

SHELL = WalkerShell(
    planes=3, satellites_per_plane=4, inclination_deg=53.0, altitude_km=550.0, phasing=1
)
VIENNA = ("Vienna", 48.2082, 16.3738)


def recipe(continuum: object) -> GeneratedTopology:
    topology = getattr(continuum, "topology", None)
    assert isinstance(topology, GeneratedTopology)
    return topology


def test_a_preset_becomes_a_continuum_that_survives_saving() -> None:
    continuum = constellation_continuum("kuiper", ground=[VIENNA], steps=5, step_s=10)
    assert len(continuum.nodes) == 3237
    assert continuum.id == "kuiper"
    assert continuum.nodes.id[0] == "sat-0-0-0"
    assert continuum.nodes.id[1156] == "sat-1-0-0"
    assert continuum.nodes.id[-1] == continuum.nodes.label[-1] == "Vienna"  # type: ignore[index]
    assert continuum.time.steps == 5
    topology = recipe(continuum)
    assert topology.shells == preset("kuiper").shells
    assert topology.epoch == EPOCH
    assert topology.inter_satellite is not None
    assert topology.inter_satellite.type == "plus_grid"
    assert topology.ground is not None
    assert topology.ground.min_elevation_deg == 35.0
    assert loads(dumps(continuum)) == continuum


def test_shells_are_named_by_plane_and_slot_and_start_at_their_epoch() -> None:
    start = datetime(2025, 6, 1, tzinfo=UTC)
    one = constellation_continuum(SHELL, start=start)
    assert one.nodes.id[:5] == ("sat-0-0", "sat-0-1", "sat-0-2", "sat-0-3", "sat-1-0")
    assert (recipe(one).epoch, one.time.start) == (start, start)
    assert (one.id, recipe(one).ground) == ("constellation", None)
    two = constellation_continuum([SHELL, SHELL], start=start, epoch=EPOCH)
    assert two.nodes.id[12] == "sat-1-0-0"
    assert recipe(two).epoch == EPOCH


def test_a_fleet_keeps_its_names_as_labels_and_infers_its_grid() -> None:
    read = parse_tle(
        numbered("00005", name="ISS (ZARYA)") + numbered("00006", name="ISS ZARYA")
        + numbered("00007") + numbered("00008", name="Vienna")
    )  # fmt: skip
    continuum = constellation_continuum(read, ground=[VIENNA], propagator="sgp4")
    assert continuum.nodes.id == ("ISS-ZARYA", "ISS-ZARYA-2", "sat-7", "Vienna", "Vienna-2")
    assert continuum.nodes.label == ("ISS (ZARYA)", "ISS ZARYA", "", "Vienna", "Vienna")
    topology = recipe(continuum)
    assert topology.fleet == read.table
    assert topology.epoch is None
    assert topology.inter_satellite is not None
    assert topology.inter_satellite.type == "plus_grid_inferred"
    assert constellation_continuum(read.table, ground=[VIENNA]) == continuum


def test_rules_and_capacities_can_be_given() -> None:
    continuum = constellation_continuum(
        SHELL,
        ground=[GroundPlace("hub", 1.0, 2.0, 340.0, "cloud"), ("box", 0, 0, 0, "edge")],
        propagator="circular_j2",
        inter_satellite=NearestK(k=3),
        ground_links=GroundLinks(max_links=1),
        satellite_capacity={"cpu_millis": 1},
        ground_capacity={"memory_mib": 2},
        id="mine",
    )
    assert continuum.id == "mine"
    assert continuum.nodes.kind[-2:] == ("cloud", "edge")
    assert continuum.nodes.capacity["cpu_millis"].tolist() == [1] * 12 + [0, 0]
    assert continuum.nodes.capacity["memory_mib"].tolist() == [0] * 12 + [2, 2]
    assert continuum.positions[0].altitude_km.tolist() == [[0.34, 0.0]]
    topology = recipe(continuum)
    assert topology.propagator.type == "circular_j2"
    assert topology.inter_satellite == NearestK(k=3)
    assert topology.ground == GroundLinks(max_links=1)
    assert recipe(constellation_continuum(SHELL, inter_satellite=None)).inter_satellite is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": "kuipr"}, "name: no preset"),
        ({"source": ()}, "source: must be a preset"),
        ({"source": [1]}, "source: must be a preset"),
        ({"source": None}, "source: must be a preset"),
        ({"source": 5}, "source: must be a preset"),
        ({"ground": None}, "ground: must be a CSV file"),
        ({"ground": [5]}, "ground[0]: must be (name, latitude_deg"),
        ({"step_s": "a"}, "step_s: must be"),
        ({"satellite_capacity": {"cpu_millis": "x"}}, "satellite_capacity.cpu_millis: must be a"),
        ({"steps": 0}, "steps: must be >= 1"),
        ({"start": datetime(2025, 1, 1)}, "start: must have timezone"),
        ({"ground": [("A", 91, 0)]}, "ground[0]: lat_deg must be in -90 … 90 (got 91)"),
        ({"ground": [("A", 1, float("nan"))]}, "ground[0]: lon_deg must be in"),
        ({"ground": [VIENNA, ("", 1, 1)]}, "ground[1]: name must be 1 to 256 printable"),
        ({"ground": [("A", 1)]}, "ground[0]: must be (name, latitude_deg"),
        ({"ground": ["Vienna"]}, "ground[0]: must be (name, latitude_deg"),
        ({"ground": [("A", 1, 1, 0, "satellite")]}, "ground[0]: kind must be one of edge"),
        ({"ground": [("A", "1", 1)]}, "ground[0]: lat_deg must be a number"),
        ({"id": "a b"}, "id: must be 1 to 128 letters"),
        ({"satellite_capacity": {"cpu_millis": -1}}, "capacity.cpu_millis[0]: must be >= 0"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        constellation_continuum(**{"source": SHELL} | arguments)  # type: ignore[arg-type]
    assert str(caught.value).startswith(message)


def test_identifiers_are_unique_short_and_never_empty() -> None:
    names = [
        "São Paulo",
        "Sao-Paulo",
        "Mumbai-(Bombay)",
        "東京",
        "a" * 200,
        "a" * 200,
        "a-2",
        "a",
        "a",
    ]
    found = node_identifiers(names, [f"node-{index}" for index in range(len(names))])
    assert found[:4] == ("Sao-Paulo", "Sao-Paulo-2", "Mumbai-Bombay", "node-3")
    assert found[4] == "a" * 128
    assert found[5] == "a" * 126 + "-2"
    assert found[6:] == ("a-2", "a", "a-3")


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "ground.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_ground_tables_are_read_by_their_header(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        'gid,lon_deg,name,kind,lat_deg\r\n0,16.4,"Wien, Mitte",cloud,48.2\r\n\r\n1,2,B,,1e1',
    )
    assert read_ground_csv(file) == (
        GroundPlace("Wien, Mitte", 48.2, 16.4, 0.0, "cloud"),
        GroundPlace("B", 10.0, 2.0, 0.0, "ground_station"),
    )
    continuum = constellation_continuum(SHELL, ground=file)
    assert continuum.nodes.id[-2:] == ("Wien-Mitte", "B")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,lat_deg\n", "line 1: column lon_deg is missing"),
        ("name,lat_deg,lon_deg,name\n", "line 1: column name is given twice"),
        ("name,lat_deg,lon_deg\n", "holds no ground node"),
        (
            "name,lat_deg,lon_deg\nA,1,2\nB,1\n",
            "line 3: must have 3 fields like the header (got 2)",
        ),
        ("name,lat_deg,lon_deg\nA,1,x\n", 'line 2: lon_deg must be a number (got "x")'),
        ("name,lat_deg,lon_deg\nA,1,nan\n", "line 2: lon_deg must be a number"),
        ("name,lat_deg,lon_deg\nA,99,1\n", "line 2: lat_deg must be in -90 … 90"),
        ("name,lat_deg,lon_deg,kind\nA,9,1,moon\n", "line 2: kind must be one of"),
        ('name,lat_deg,lon_deg\n"A,9,1\n', "line 2: is not CSV"),
        ("", "is empty"),
    ],
)
def test_bad_ground_tables_are_refused_with_their_line(
    tmp_path: Path, text: str, message: str
) -> None:
    file = write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_ground_csv(file)
    assert str(caught.value).startswith(f"{file}: {message}")


@pytest.mark.reference
def test_station_lists_are_read_as_a_whole(reference_data: Path) -> None:
    for name, count in (("stardust85", 85), ("cities_top100", 100), ("cities_top1000", 1000)):
        file = reference_data / "topology" / f"ground_stations_{name}.csv"
        places = read_ground_csv(file)
        assert len(places) == count
        continuum = constellation_continuum("iridium", ground=file)
        assert len(continuum.nodes) == 66 + count
        assert continuum.nodes.label is not None
        assert continuum.nodes.label[66:] == tuple(place.name for place in places)
