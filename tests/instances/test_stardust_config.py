"""Stardust's configuration files and station lists."""

from __future__ import annotations

import importlib
import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from leotrek_opt.errors import InputError, MissingDependencyError
from leotrek_opt.instances.constellation_continuum import constellation_continuum
from leotrek_opt.instances.stardust_config import (
    PROTOCOLS,
    StardustConfig,
    StardustSimulation,
    read_stardust_config,
    read_stardust_stations,
)
from leotrek_opt.instances.stardust_terms import DEFAULT_COMPUTING, STARDUST_GO_LINKS, Computing
from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.continuum import TimeGrid
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.models.inter_satellite import Nearest, TreeLinks
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.simulation import record

ONE_FILE: dict[str, Any] = {
    "SimulationConfiguration": {
        "StepInterval": 1,
        "StepMultiplier": 15,
        "StepCount": 20,
        "SatelliteDataSource": "starlink_500.tle",
        "SatelliteDataSourceType": "tle",
        "GroundStationDataSource": "ground_stations.yml",
        "GroundStationDataSourceType": "yml",
        "UsePreRouteCalc": True,
        "MaxCpuCores": 30,
        "SimulationStartTime": "2025-01-01T00:00:00",
    },
    "InterSatelliteLinkConfig": {"Neighbours": 6, "Protocol": "pst_smart_loop"},
    "GroundLinkConfig": {"Protocol": "nearest"},
    "RouterConfig": {"Protocol": "dijkstra"},
    "ComputingConfiguration": [
        {"Cores": 0, "Memory": 0, "Type": "None"},
        {"Cores": 8, "Memory": 100, "Type": "Edge"},
        {"Cores": 16, "Memory": 200, "Type": 2},
    ],
}


def encoded(tree: object) -> bytes:
    return json.dumps(tree).encode()


def test_one_file_with_all_sections() -> None:
    config = read_stardust_config(encoded(ONE_FILE))
    start = datetime(2025, 1, 1, tzinfo=UTC)
    assert config == StardustConfig(
        simulation=StardustSimulation(
            start=start,
            step_interval=1,
            step_multiplier_s=15,
            step_count=20,
            satellite_source="starlink_500.tle",
            ground_source="ground_stations.yml",
            use_pre_route_calc=True,
        ),
        inter_satellite=TreeLinks(type="pst_smart_loop", degree=6, line_of_sight_margin_km=10.0),
        ground=GroundLinks(strategy="nearest", max_links=1, min_elevation_deg=25.0),
        router="dijkstra",
        computing={0: Computing(0, 0), 1: Computing(8, 100), 2: Computing(16, 200)},
    )
    assert config.simulation.time_grid() == TimeGrid(start=start, steps=20, step_s=15.0)


def test_one_file_a_section_in_yaml() -> None:
    config = read_stardust_config(
        b'StepInterval: -1\nStepCount: 3\nSimulationStartTime: "2025-10-01T00:00:00Z"\n',
        b"Neighbours: 4\nProtocol: mst",
        b"Protocol: nearest",
        b"Protocol: a-star",
        b"- Cores: 1024\n  Memory: 32768\n  Type: Cloud\n",
    )
    assert config.simulation.start == datetime(2025, 10, 1, tzinfo=UTC)
    assert config.simulation.step_count == 3
    assert config.inter_satellite == TreeLinks(type="mst", degree=4, line_of_sight_margin_km=10.0)
    assert config.ground is not None
    assert config.router == "a-star"
    assert config.computing == {2: Computing(1024, 32_768)}


def test_what_no_file_says_has_defaults() -> None:
    config = read_stardust_config()
    assert config == StardustConfig()
    assert config.simulation.time_grid() == TimeGrid(steps=10, step_s=10.0)
    assert config.inter_satellite is config.ground is config.router is None
    assert config.computing == DEFAULT_COMPUTING


def test_instants_in_yaml_may_be_bare() -> None:
    for text in ("2025-10-01T00:00:00Z", "2025-10-01", "2025-10-01 02:00:00+02:00"):
        config = read_stardust_config(f"SimulationStartTime: {text}".encode())
        assert config.simulation.start == datetime(2025, 10, 1, tzinfo=UTC)


def test_names_of_fields_may_be_in_any_case() -> None:
    tree = {"interSatelliteLinkConfig": {"neighbours": 5, "protocol": "nearest"}}
    config = read_stardust_config(encoded(tree))
    assert config.inter_satellite == Nearest(k=5, line_of_sight_margin_km=10.0)
    with pytest.raises(InputError, match="Neighbours: stands twice in another case"):
        read_stardust_config(encoded({"Neighbours": 5, "neighbours": 5, "Protocol": "mst"}))


def test_every_protocol_has_a_rule() -> None:
    assert len(PROTOCOLS) == 10
    for protocol in PROTOCOLS:
        rule = read_stardust_config(
            encoded({"Neighbours": 3, "Protocol": protocol})
        ).inter_satellite
        assert rule is not None
        assert rule.line_of_sight_margin_km == 10.0
        if protocol == "nearest":
            assert isinstance(rule, Nearest)
            assert rule.k == 3
            assert rule.max_range_km is None
        else:
            assert isinstance(rule, TreeLinks)
            assert rule.type == protocol.removeprefix("other_")
            assert (rule.degree, rule.max_range_km) == (3, 2126.0)


def test_links_from_the_ground_may_have_no_mask_as_there() -> None:
    config = read_stardust_config(
        encoded(ONE_FILE), links=STARDUST_GO_LINKS, min_elevation_deg=None
    )
    assert config.ground is not None
    assert config.inter_satellite is not None
    assert config.ground.min_elevation_deg is None
    assert config.ground.max_range_km == 100_000.0
    assert config.ground.bandwidth_mbps == 500.0
    assert config.inter_satellite.bandwidth_mbps == 200_000.0
    assert config.inter_satellite.signal_speed_km_s == pytest.approx(0.99 * 299_792)


def test_files_are_told_apart_and_named(tmp_path: Path) -> None:
    path = tmp_path / "isl.json"
    path.write_bytes(encoded({"Neighbours": 4, "Protocol": "mts"}))
    with pytest.raises(InputError, match=r"isl.json: InterSatelliteLinkConfig.Protocol: must be"):
        read_stardust_config(path)
    with pytest.raises(InputError, match="a second configuration of router"):
        read_stardust_config(encoded(ONE_FILE), encoded({"Protocol": "a-star"}))


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"Neighbours": 4, "Protocol": "mst_lop"}, r'"mst_lop"\) \(did you mean "mst_loop"\?\)'),
        ({"Neighbours": 4}, "InterSatelliteLinkConfig.Protocol: required field is missing"),
        ({"Neighbours": 0, "Protocol": "mst"}, r"Neighbours: must be an integer in 1 … 64"),
        ({"Neighbours": 4.0, "Protocol": "mst"}, "Neighbours: must be an integer"),
        ({"Neighbours": True, "Protocol": "mst"}, "Neighbours: must be an integer"),
        ({"Neighbours": 10**400, "Protocol": "mst"}, "Neighbours: must be an integer"),
        ({"Neighbour": 4}, r'unknown field "Neighbour"'),
        ({"RouterConfig": {"Protocol": "astar"}}, r'\(got "astar"\) \(did you mean "a-star"\?\)'),
        ({"RouterConfig": 3}, "RouterConfig: must be an object"),
        ({"GroundLinkConfig": {"Protocol": "best"}}, "GroundLinkConfig.Protocol: must be one"),
        ({"RouterConfig": {"Protocol": "a-star"}, "Routr": 1}, 'unknown field "Routr"'),
        ({"StepCount": 0}, "SimulationConfiguration.StepCount: must be an integer in 1 … 100000"),
        ({"StepMultiplier": -5}, "SimulationConfiguration.StepMultiplier: must be an integer"),
        ({"SatelliteDataSource": 5}, "SatelliteDataSource: must be text"),
        ({"UsePreRouteCalc": "yes"}, "UsePreRouteCalc: must be true or false"),
        ({"SimulationStartTime": "soon"}, "SimulationStartTime: must be an instant"),
        ({"StepCuont": 3}, r'unknown field "StepCuont" \(did you mean "StepCount"\?\)'),
        ([{"Cores": 1, "Memory": 2}], r"ComputingConfiguration\[0\].Type: required field"),
        ([{"Cores": -1, "Memory": 2, "Type": "Edge"}], r"Cores: must be an integer in 0"),
        ([{"Memory": 2, "Type": "Edge"}], r"ComputingConfiguration\[0\].Cores: required field"),
        ([{"Cores": 1, "Memory": 2, "Type": "Fog"}], r'no kind of computing "Fog"'),
        ([{"Cores": 1, "Memory": 2, "Type": t} for t in ("Edge", 1)], r"\[1\].Type: stands twice"),
        ([3], r"ComputingConfiguration\[0\]: must be an object"),
        ({"ComputingConfiguration": {}}, "ComputingConfiguration: must be a list"),
    ],
)  # fmt: skip
def test_faults_are_named(tree: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_stardust_config(encoded(tree))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"7", "must be an object or a list"),
        (b"{", "is not valid JSON"),
        (b'{"a": 1, "a": 2}', "a: duplicate key"),
        (b'{"Neighbours": ' + b"1" * 5000 + b"}", "5000 digits is out of range"),
        (b"Neighbours: " + b"1" * 5000, "is not valid YAML"),
        (b"[[[", "is not valid JSON"),
        (b"[" * 5000 + b"]" * 5000, "is nested deeper"),
        (b"a: [", "is not valid YAML"),
        (b"a: 1\na: 2", "line 2: duplicate key 'a'"),
        (b"a: &x [1, 2]\nb: *x", "line 2: an alias"),
        (b"? [a]\n: 1", "line 1: a key must be text"),
        (b"1: a", "line 1: a key must be text"),
        (b"SimulationStartTime: 2025-02-30", "is not valid YAML: day"),
        (b"a: !!python/object/apply:os.system [ls]", "is not valid YAML: could not determine"),
        (b"a: !!binary aGFsbG8=", "a value of type bytes"),
        (b"a: !!set {x}", "a value of type set"),
        (b"- " * 3000 + b"a", "nested too deeply|not valid YAML"),
        (b"a: b\n" * 300_000, "is larger than 1 MiB"),
        (b"\x80", "is not UTF-8"),
    ],
)
def test_what_is_no_configuration_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        read_stardust_config(data)
    assert "\n" not in str(error.value)


def test_yaml_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    original = importlib.import_module

    def missing(name: str, package: str | None = None) -> object:
        if name == "yaml":
            raise ModuleNotFoundError(name)
        return original(name, package)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(MissingDependencyError, match="pip install pyyaml"):
        read_stardust_config(b"Protocol: nearest")
    assert read_stardust_config(encoded({"Protocol": "a-star"})).router == "a-star"


STATIONS = b"""
- Name: Vienna
  Lat: 48.2082
  Lon: 16.3738
  Protocol: nearest
  Router: default
  ComputingType: Cloud
- Name: "S\xc3\xa3o Paulo"
  Lat: -23
  Lon: 181.5
"""


def test_stations_are_read(tmp_path: Path) -> None:
    stations = read_stardust_stations(STATIONS)
    assert [each.name for each in stations] == ["Vienna", "São Paulo"]
    assert [(each.latitude_deg, each.longitude_deg) for each in stations] == [
        (48.2082, 16.3738),
        (-23.0, 181.5),
    ]
    assert [each.kind for each in stations] == ["cloud", "ground_station"]
    path = tmp_path / "stations.json"
    path.write_bytes(
        encoded([{"Name": "Vienna", "Lat": 48.2082, "Lon": 16.3738, "ComputingType": 2}])
    )
    assert read_stardust_stations(path) == stations[:1]


def test_configuration_and_stations_make_a_continuum() -> None:
    """The parts go where a generated topology has a place for them."""
    config, stations = read_stardust_config(encoded(ONE_FILE)), read_stardust_stations(STATIONS)
    grid = config.simulation.time_grid()
    made = constellation_continuum(
        WalkerShell(planes=6, satellites_per_plane=5, inclination_deg=53.0, altitude_km=1200.0),
        ground=[station.place for station in stations],
        start=grid.start,
        steps=grid.steps,
        step_s=grid.step_s,
        inter_satellite=config.inter_satellite,
        ground_links=config.ground,
    )
    assert made.time == grid
    assert isinstance(made.topology, GeneratedTopology)
    assert made.topology.inter_satellite == config.inter_satellite
    assert made.topology.ground == config.ground
    assert made.nodes.kind[-2:] == ("cloud", "ground_station")
    last = record(made).state(19)
    assert last.time == datetime(2025, 1, 1, 0, 4, 45, tzinfo=UTC)
    assert len(last.links)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({}, "must be a list of stations"),
        ([{"Lat": 1, "Lon": 1}], r"^\[0\].Name: required field is missing"),
        ([{"Name": "a", "Lon": 1}], r"^\[0\].Lat: required field is missing"),
        ([{"Name": "a", "Lat": 91, "Lon": 1}], r"^\[0\].Lat: must be degrees in -90 … 90"),
        ([{"Name": "a", "Lat": 1, "Lon": "1"}], r"^\[0\].Lon: must be degrees in -360 … 360"),
        ([{"Name": "a", "Lat": True, "Lon": 1}], r"^\[0\].Lat: must be degrees"),
        ([{"Name": 5, "Lat": 1, "Lon": 1}], r"^\[0\].Name: must be 1 to 256 printable"),
        ([{"Name": "a", "Lat": 1, "Lon": 1, "Alt": 3}], r'^\[0\]: unknown field "Alt"'),
        ([{"Name": "a", "Lat": 1, "Lon": 1}] * 2, r'^\[1\].Name: duplicate station "a"'),
        (
            [{"Name": "a", "Lat": 1, "Lon": 1, "ComputingType": "Clowd"}],
            r'ComputingType: no kind of computing "Clowd" \(did you mean "Cloud"\?\)',
        ),
    ],
)
def test_faults_of_stations_are_named(tree: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_stardust_stations(encoded(tree))


def test_mutated_files_are_read_or_refused() -> None:
    chance = random.Random(3)
    yaml = (
        b"SimulationConfiguration:\n  StepInterval: -1\n  SimulationStartTime: 2025-01-01\n"
        b"ComputingConfiguration:\n  - Cores: 0\n    Memory: 0\n    Type: None\n"
    )
    refused, lines = 0, set[int]()
    for good in (encoded(ONE_FILE), yaml, STATIONS):
        for _ in range(300):
            data = bytearray(good)
            place = chance.randrange(len(data))
            if chance.random() < 0.5:
                data[place] = chance.randrange(256)
            else:
                data[place : place + chance.randint(0, 5)] = chance.choice(
                    (b"~", b"- ", b": ", b"\n", b"*a", b"&a", b"!!int ", b"0x", b"1_0", b"'", b"|")
                )
            for read in (read_stardust_config, read_stardust_stations):
                try:
                    read(bytes(data))
                except InputError as error:
                    refused += 1
                    lines.add(str(error).count("\n"))
    assert lines == {0}
    assert refused > 900
