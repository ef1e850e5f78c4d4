"""Round trips over a Walker shell that others computed, where stations relay and where not."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leotrek_opt.models.constellation import CircularJ2, Propagator, Sgp4, WalkerShell
from leotrek_opt.models.continuum import Continuum, NodeTable, PositionSeries, TimeGrid
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.models.inter_satellite import PlusGrid
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.generated import topology_generator
from leotrek_opt.topology.routes import AStarRouter, DijkstraRouter, route, routes

PROPAGATORS: dict[str, Propagator] = {"sgp4": Sgp4(), "circular_j2": CircularJ2()}
STATIONS = 100
RELATIVE = 5e-5


def scene(
    folder: Path, scenario: dict[str, Any], propagator: str, offsets_s: list[float]
) -> Continuum:
    epoch = datetime.fromisoformat(scenario["epoch_utc"])
    satellites = scenario["planes"] * scenario["sats_per_plane"]
    with (folder / "ground_stations_cities_top100.csv").open(encoding="utf-8") as lines:
        cities = list(csv.DictReader(lines))[:STATIONS]
    return Continuum(
        nodes=NodeTable(
            id=tuple(f"s{n}" for n in range(satellites)) + tuple(f"g{n}" for n in range(STATIONS)),
            kind=("satellite",) * satellites + ("ground_station",) * STATIONS,
            architecture=("arm64",) * (satellites + STATIONS),
            capacity={},
        ),
        positions=(
            PositionSeries(
                node=satellites + np.arange(STATIONS),
                latitude_deg=np.array([[float(city["lat_deg"]) for city in cities]]),
                longitude_deg=np.array([[float(city["lon_deg"]) for city in cities]]),
                altitude_km=np.zeros((1, STATIONS)),
            ),
        ),
        time=TimeGrid(steps=len(offsets_s), start=epoch, offsets_s=tuple(offsets_s)),
        topology=GeneratedTopology(
            shells=(
                WalkerShell(
                    planes=scenario["planes"],
                    satellites_per_plane=scenario["sats_per_plane"],
                    phasing=scenario["F"],
                    inclination_deg=float(scenario["inclination_deg"]),
                    altitude_km=float(scenario["altitude_km"]),
                    pattern=scenario["pattern"],
                ),
            ),
            epoch=epoch,
            propagator=PROPAGATORS[propagator],
            ground_relay=False,
            inter_satellite=PlusGrid(cross_link_shift=scenario["shift"]),
            ground=GroundLinks(strategy="all_visible", min_elevation_deg=scenario["mask_deg"]),
        ),
    )


@pytest.mark.reference
@pytest.mark.parametrize("propagator", PROPAGATORS)
def test_round_trips_and_paths_are_those_published(reference_data: Path, propagator: str) -> None:
    folder = reference_data / "topology"
    published = json.loads((folder / "walker_34x34_expected.json").read_text(encoding="utf-8"))
    instants = published["expected"][propagator]
    silent = scene(
        folder, published["scenario"], propagator, [float(row["t_s"]) for row in instants]
    )
    relaying = silent.replace(topology=silent.topology.replace(ground_relay=True))
    satellites = len(silent.nodes) - STATIONS
    differing = 0
    for step, expected in enumerate(instants):
        state = topology_generator(silent).state(step)
        graphs = [
            generator.graph(generator.state(step))
            for generator in (topology_generator(silent), topology_generator(relaying))
        ]
        ends = np.array([pair["gid"] for pair in expected["rtt"]]) + satellites
        table = routes(graphs[0], ends[:, 0], ends[:, 1])
        led = AStarRouter(graphs[0], state.position_km)
        kept = DijkstraRouter(graphs[0])
        for row, (pair, (source, target)) in enumerate(
            zip(expected["rtt"], ends.tolist(), strict=True)
        ):
            found, relayed = (route(graph, source, target) for graph in graphs)
            assert found is not None
            assert relayed is not None
            assert 2 * found.latency_ns / 1e6 == pytest.approx(pair["rtt_ms"], rel=RELATIVE)
            allowed_ms = pair["rtt_ms_if_ground_relaying_allowed"]
            assert 2 * relayed.latency_ns / 1e6 == pytest.approx(allowed_ms, rel=RELATIVE)
            differing += relayed.nodes != found.nodes
            inner = [node for node in pair["path"] if isinstance(node, int)]
            assert list(found.nodes) == [source, *inner, target]
            assert table.route(row, row) == found
            assert led.route(source, target) == found
            assert kept.route(source, target) == found
    assert differing > 0
