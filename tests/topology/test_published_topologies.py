"""Whole topologies against the output of other programs: a synthetic shell, and Hypatia's trace."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from leotrek_opt.models.constellation import Sgp4, WalkerShell
from leotrek_opt.models.continuum import Continuum, NodeTable, PositionSeries, TimeGrid
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.models.inter_satellite import PlusGrid
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.frames import gmst_rad
from leotrek_opt.topology.generated import topology_generator
from leotrek_opt.topology.routes.table import route
from leotrek_opt.topology.state import GROUND, INTER_SATELLITE


def continuum(
    shell: WalkerShell, places: list[tuple[float, float]], time: TimeGrid, **topology: object
) -> Continuum:
    satellites = shell.planes * shell.satellites_per_plane
    count = satellites + len(places)
    latitude, longitude = np.array(places).T
    return Continuum(
        nodes=NodeTable(
            id=tuple(f"n{k}" for k in range(count)),
            kind=("satellite",) * satellites + ("ground_station",) * len(places),
            architecture=("arm64",) * count,
            capacity={},
        ),
        time=time,
        positions=(
            PositionSeries(
                node=np.arange(satellites, count),
                latitude_deg=latitude[None],
                longitude_deg=longitude[None],
                altitude_km=np.zeros((1, len(places))),
            ),
        ),
        topology=GeneratedTopology(shells=(shell,), **topology),  # type: ignore[arg-type]
    )


@pytest.mark.reference
@pytest.mark.parametrize("propagator", ["sgp4", "circular_j2"])
def test_a_synthetic_shell_agrees_with_another_program(
    reference_data: Path, propagator: str
) -> None:
    """34 x 34 satellites, 100 stations, three instants, all conventions named in the file."""
    folder = reference_data / "topology"
    expected = json.loads((folder / "walker_34x34_expected.json").read_text())
    with (folder / "ground_stations_cities_top100.csv").open(encoding="utf-8") as stream:
        stations = [
            (float(row["lat_deg"]), float(row["lon_deg"])) for row in csv.DictReader(stream)
        ]
    shell = WalkerShell(
        planes=34, satellites_per_plane=34, phasing=1, inclination_deg=51.9, altitude_km=630.0
    )
    recipe = {
        "epoch": datetime(2025, 6, 1, tzinfo=UTC),
        "propagator": propagator,
        "inter_satellite": PlusGrid(cross_link_shift=0),
        "ground": GroundLinks(strategy="all_visible", min_elevation_deg=25.0),
    }
    time = TimeGrid(steps=3, offsets_s=(0.0, 600.0, 5400.0))
    silent = topology_generator(continuum(shell, stations, time, ground_relay=False, **recipe))
    relaying = topology_generator(continuum(shell, stations, time, **recipe))
    values = expected["expected"][propagator]
    for state, here in zip(silent.states(), values, strict=True):
        check_links(state.links, state.link_kind, here)
        satellites = state.satellites
        radius = np.linalg.norm(satellites.position_km, axis=1)
        assert radius.min() == pytest.approx(here["satellite_radius_km"]["min"], abs=1e-6)
        assert radius.max() == pytest.approx(here["satellite_radius_km"]["max"], abs=1e-6)
        assert satellites.position_km[0] == pytest.approx(here["sat0_ecef_km"], abs=1e-6)
        angle = gmst_rad(satellites.julian_day, satellites.day_fraction)
        assert angle == pytest.approx(here["gmst_rad"], abs=1e-10)
        graph = silent.graph(state)
        ends = [[1156 + gid for gid in pair["gid"]] for pair in here["rtt"]]
        through = relaying.graph(relaying.state(state.step)).rows([first for first, _ in ends])
        for row, pair in enumerate(here["rtt"]):
            found = route(graph, *ends[row])
            assert found is not None
            assert 2e-6 * found.latency_ns == pytest.approx(pair["rtt_ms"], rel=1e-6)
            assert list(found.nodes[1:-1]) == pair["path"]
            relayed = 2e-6 * through[row, ends[row][1]]
            assert relayed == pytest.approx(pair["rtt_ms_if_ground_relaying_allowed"], rel=1e-6)


def check_links(snapshot, kind: np.ndarray, values: dict) -> None:
    between = kind == INTER_SATELLITE
    in_plane = between & (snapshot.source // 34 == snapshot.target // 34)
    cross = between & ~in_plane
    latency_ms = snapshot.latency_ns / 1e6
    assert between.sum() == values["n_isl"] == 2312
    ground = kind == GROUND
    assert ground.sum() == values["n_gsl"]
    per_station = np.bincount(snapshot.target[ground] - 1156)
    assert per_station[:10].tolist() == values["gsl_per_station_first10"]
    isl, gsl = values["isl_latency_ms"], values["gsl_latency_ms"]
    for selected, prefix, known in (
        (between, "", isl),
        (in_plane, "in_plane_", isl),
        (cross, "cross_", isl),
        (ground, "", gsl),
    ):
        for name in ("mean", "min", "max"):
            found = getattr(latency_ms[selected], name)()
            assert found == pytest.approx(known[prefix + name], rel=1e-6)


@pytest.mark.reference
@pytest.mark.parametrize("shift", [0, -1])
def test_lengths_of_a_synthetic_shell_for_two_shifts(reference_data: Path, shift: int) -> None:
    file = reference_data / "topology" / "walker_34x34_expected.json"
    known = json.loads(file.read_text())["link_lengths_km_at_t0_sgp4"][f"shift {shift}"]
    shell = WalkerShell(
        planes=34, satellites_per_plane=34, phasing=1, inclination_deg=51.9, altitude_km=630.0
    )
    made = continuum(
        shell,
        [(0.0, 0.0)],
        TimeGrid(),
        epoch=datetime(2025, 6, 1, tzinfo=UTC),
        inter_satellite=PlusGrid(cross_link_shift=shift),
        ground=None,
    )
    links = topology_generator(made).snapshot(0)
    length = links.latency_ns / 1e9 * 299_792.458
    in_plane = links.source // 34 == links.target // 34
    for selected, name in ((in_plane, "in_plane"), (~in_plane, "cross")):
        assert length[selected].min() == pytest.approx(known[f"{name}_min"], abs=2e-4)
        assert length[selected].max() == pytest.approx(known[f"{name}_max"], abs=2e-4)


@pytest.mark.reference
def test_routes_agree_with_a_published_trace(reference_data: Path) -> None:
    """Hypatia's Kuiper shell, every 40th row of Manila to Saint Petersburg.

    Half-slot phasing, an unshifted seam, mean motion, the ellipsoid, ground links by range alone
    and stations that do not relay are conventions of theirs.
    """
    shell = WalkerShell(
        planes=34,
        satellites_per_plane=34,
        phasing_rule="odd_planes_half_slot",
        inclination_deg=51.9,
        mean_motion_rev_per_day=14.8,
    )
    file = reference_data / "topology" / "hypatia_kuiper630_1173_1229.csv.gz"
    with gzip.open(file, "rt", encoding="ascii") as stream:
        trace = list(csv.DictReader(stream))[::40]
    generator = topology_generator(
        continuum(
            shell,
            [(14.6042, 120.9822), (59.929858, 30.326228)],
            TimeGrid(
                start=datetime(2000, 1, 1, tzinfo=UTC),
                steps=len(trace),
                offsets_s=tuple(float(row["t_ns"]) / 1e9 for row in trace),
            ),
            epoch=datetime(2000, 1, 1, tzinfo=UTC),
            propagator=Sgp4(gravity="wgs72"),
            ellipsoid="wgs72",
            ground_relay=False,
            inter_satellite=PlusGrid(cross_link_shift=0, seam="unshifted"),
            ground=GroundLinks(strategy="all_visible", min_elevation_deg=None, max_range_km=1260.0),
        )
    )
    connected = 0
    for state, row in zip(generator.states(), trace, strict=True):
        found = route(generator.graph(state), 1156, 1157)
        if not row["path"]:
            assert found is None
            continue
        connected += 1
        assert found is not None
        assert 2 * found.latency_ns == pytest.approx(float(row["rtt_ns"]), rel=2e-5)
        assert list(found.nodes[1:-1]) == [int(name) for name in row["path"].split("-")[1:-1]]
    assert 0 < connected < len(trace)
