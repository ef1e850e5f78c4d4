"""How long a step of a generated topology takes, against the least it could take and against peers.

The *floor* of a step is what no generator can do without: SGP4 for all satellites and Dijkstra from
the same sources on the same matrix, both already in arrays, without frames, links, masks or the
building of the matrix. It is measured in turns with whole steps, in the same process. All times of
steps are processor times, so that other work on the machine does not count; elapsed times are named
as such.
"""

from __future__ import annotations

import functools
import os
import statistics
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from _common import Conditions, Figures, in_child, parser, report
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from sgp4.api import WGS72, Satrec, SatrecArray

from leotrek_opt.models.constellation import ElementTable, WalkerShell
from leotrek_opt.models.continuum import Continuum, NodeTable, PositionSeries, TimeGrid
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.models.inter_satellite import Nearest, NearestK, PlusGrid, TreeLinks
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.constellation import walker_elements
from leotrek_opt.topology.generated import topology_generator
from leotrek_opt.topology.instants import julian_date
from leotrek_opt.topology.strategies import inter_satellite_strategy

EPOCH = datetime(2025, 6, 1, tzinfo=UTC)
SGP4_DAY_ZERO = 2_433_281.5

SHELLS = {1584: (72, 22), 6912: (72, 96), 20736: (144, 144)}
"""Planes and satellites per plane by number of satellites."""

MASK = GroundLinks(strategy="all_visible", min_elevation_deg=25.0)

STARDUST_S = {6882: (7.0, 0.2), 13764: (35.0, 0.9), 20646: (96.0, 2.5)}
"""Seconds per step that stardust-go logs for mst and for nearest, by number of satellites."""


def shell(satellites: int) -> WalkerShell:
    """Return the shell of 550 km and 53 degrees that has so many satellites."""
    planes, slots = SHELLS[satellites]
    return WalkerShell(
        planes=planes,
        satellites_per_plane=slots,
        phasing=1,
        inclination_deg=53.0,
        altitude_km=550.0,
    )


def continuum(recipe: GeneratedTopology, stations: int, steps: int) -> Continuum:
    """Add stations, spread evenly over the latitudes up to 53 degrees by a fixed seed."""
    numbers = np.random.default_rng(1)
    latitude = np.degrees(np.arcsin(numbers.uniform(-0.8, 0.8, stations)))
    count = recipe.satellite_count + stations
    return Continuum(
        nodes=NodeTable(
            id=tuple(f"n{index}" for index in range(count)),
            kind=("satellite",) * recipe.satellite_count + ("ground_station",) * stations,
            architecture=("arm64",) * count,
            capacity={},
        ),
        positions=(
            PositionSeries(
                node=np.arange(recipe.satellite_count, count),
                latitude_deg=latitude[None],
                longitude_deg=numbers.uniform(-180, 180, stations)[None],
                altitude_km=np.zeros((1, stations)),
            ),
        ),
        time=TimeGrid(steps=steps),
        topology=recipe,
    )


def walker(satellites: int, stations: int, steps: int, **changes: Any) -> Continuum:
    """Return a shell with stations under an elevation mask of 25 degrees."""
    recipe = GeneratedTopology(shells=(shell(satellites),), epoch=EPOCH, ground=MASK, **changes)
    return continuum(recipe, stations, steps)


def bare_sgp4(satellites: int) -> Callable[[datetime], object]:
    """Initialise SGP4 by the package alone."""
    elements = walker_elements([shell(satellites)])
    made = []
    for values in zip(
        elements.inclination_rad.tolist(),
        elements.argument_of_latitude_rad.tolist(),
        elements.mean_motion_rad_min.tolist(),
        elements.raan_rad.tolist(),
        strict=True,
    ):
        satellite = Satrec()
        epoch = sum(julian_date(EPOCH)) - SGP4_DAY_ZERO
        satellite.sgp4init(WGS72, "i", 0, epoch, 0.0, 0.0, 0.0, 0.0, 0.0, *values)
        made.append(satellite)
    array = SatrecArray(made)

    def propagate(instant: datetime) -> object:
        day, fraction = julian_date(instant)
        return array.sgp4(np.array([day]), np.array([fraction]))

    return propagate


def step_against_floor(satellites: int, stations: int, sources: int, repeats: int) -> Figures:
    """Time whole steps and their floor in turns, each step another instant."""
    made = walker(satellites, stations, repeats + 3)
    generator, propagate = topology_generator(made), bare_sgp4(satellites)
    wanted = np.arange(satellites, satellites + sources)
    whole, floor = [], []
    for step in range(made.time.steps):
        began = time.process_time()
        state = generator.state(step)
        graph = generator.graph(state)
        graph.rows(wanted.tolist())
        whole.append(time.process_time() - began)
        count = satellites + stations
        matrix = csr_matrix((graph.weight, graph.head, graph.indptr), shape=(count, count))
        began = time.process_time()
        propagate(state.time)
        dijkstra(matrix, directed=True, indices=wanted)
        floor.append(time.process_time() - began)
    # The first steps pay for what later ones find done.
    step_s, floor_s = statistics.median(whole[3:]), statistics.median(floor[3:])
    name = f"{satellites}_satellites_{stations}_stations"
    return {
        f"{name}_step_ms": step_s * 1e3,
        f"{name}_floor_ms": floor_s * 1e3,
        f"{name}_ratio": step_s / floor_s,
    }


def step_ms(made: Continuum) -> float:
    """Time steps without routing: positions, links, lengths, mask and latencies."""
    generator = topology_generator(made)
    samples = []
    for step in range(made.time.steps):
        began = time.process_time()
        generator.state(step)
        samples.append(time.process_time() - began)
    return statistics.median(samples[3:]) * 1e3


def strategy_ms(made: Continuum) -> float:
    """Time the choice of links between satellites alone."""
    if not isinstance(made.topology, GeneratedTopology):
        raise TypeError("only a recipe has a strategy")
    generator = topology_generator(made)
    choose = inter_satellite_strategy(made.topology, generator.satellites(0))
    samples = []
    for step in range(made.time.steps):
        satellites = generator.satellites(step)
        began = time.process_time()
        choose(satellites)
        samples.append(time.process_time() - began)
    return statistics.median(samples[3:]) * 1e3


def streamed(steps: int) -> tuple[float, float]:
    """Stream 20,736 satellites and 100 stations; elapsed seconds and peak memory in MB."""
    generator = topology_generator(walker(20736, 100, steps))
    began, links = time.perf_counter(), 0
    for state in generator.states():
        links += len(state.links)
    if not links:
        raise RuntimeError("the stream had no link")
    return time.perf_counter() - began, peak_mb()


def routed(steps: int) -> tuple[float, float]:
    """Route from 100 stations to every node at each step; elapsed seconds and peak memory in MB."""
    generator = topology_generator(walker(20736, 100, steps))
    began, reached = time.perf_counter(), 0
    for state in generator.states():
        rows = generator.graph(state).rows(range(20736, 20836))
        reached += int(np.isfinite(rows).sum())
    if not reached:
        raise RuntimeError("no node was reached")
    return time.perf_counter() - began, peak_mb()


def peak_mb() -> float:
    """Return the most memory that this process ever held, in MB. Linux only."""
    # What getrusage says would include the parent up to the moment of exec.
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("no VmHWM in /proc/self/status")


def in_memory(steps: int, routed_steps: int) -> Figures:
    """Measure long runs in fresh processes."""
    stream_s, stream_mb = in_child(functools.partial(streamed, steps))
    routed_s, routed_mb = in_child(functools.partial(routed, routed_steps))
    return {
        "stream_20736_steps": steps,
        "stream_20736_elapsed_s": stream_s,
        "stream_20736_peak_rss_mb": stream_mb,
        "routes_20736_steps": routed_steps,
        "routes_20736_from_100_stations_elapsed_s_per_step": routed_s / routed_steps,
        "routes_20736_from_100_stations_peak_rss_mb": routed_mb,
    }


def catalogue(copies: int) -> tuple[GeneratedTopology, str]:
    """Return the real fleet of Stardust's largest runs, or as many synthetic satellites.

    Stardust's larger files repeat it with epochs 60 s (twice the size), 300 s and 600 s (three
    times) later.
    """
    folder = os.environ.get("LEOTREK_REFERENCE_DATA")
    if folder is None:
        shells = tuple(
            shell(6912).replace(altitude_km=550.0 + 10.0 * index) for index in range(copies)
        )
        return (
            GeneratedTopology(shells=shells, epoch=EPOCH, inter_satellite=PlusGrid(), ground=MASK),
            "shells of 6,912 satellites, as LEOTREK_REFERENCE_DATA is not set",
        )
    from leotrek_opt.instances.tle import read_tle

    table = read_tle(Path(folder) / "topology" / "starlink_6882_20241215.tle.gz").table
    later_s = {1: (0,), 2: (0, 60), 3: (0, 300, 600)}[copies]
    fleet = joined_tables([shifted(table, seconds) for seconds in later_s])
    recipe = GeneratedTopology(fleet=fleet, inter_satellite=None, ground=MASK)
    return recipe, "6,882 Starlink satellites of 2024-12-15, copies with later epochs"


def shifted(table: ElementTable, seconds: float) -> ElementTable:
    """Return the same elements at epochs so much later."""
    whole, fraction = np.divmod(table.epoch_fraction + seconds / 86_400, 1.0)
    return table.replace(epoch_jd=table.epoch_jd + whole, epoch_fraction=fraction)


def joined_tables(tables: Iterable[ElementTable]) -> ElementTable:
    """Put tables one after another."""
    parts = list(tables)
    columns: dict[str, Any] = {}
    for field in ElementTable.model_fields:
        values = [getattr(part, field) for part in parts]
        if isinstance(values[0], tuple):
            columns[field] = sum(values, ())
        elif values[0] is not None:
            columns[field] = np.concatenate(values)
    return ElementTable(**columns)


def strategies(quick: bool) -> tuple[Figures, str]:
    """Time the costly rules, with 85 stations, and compare with what stardust-go logs."""
    figures: Figures = {}
    source = ""
    for copies in (1,) if quick else (1, 2, 3):
        recipe, source = catalogue(copies)
        count = recipe.satellite_count
        logged = STARDUST_S[6882 * copies]
        for name, rule, seconds in (
            ("mst", TreeLinks(type="mst"), logged[0]),
            ("nearest", Nearest(), logged[1]),
            ("nearest_k", NearestK(), None),
        ):
            made = continuum(recipe.replace(inter_satellite=rule), 85, 8 if quick else 20)
            took, alone = step_ms(made), strategy_ms(made)
            figures[f"{name}_{count}_step_ms"] = took
            figures[f"{name}_{count}_strategy_ms"] = alone
            if seconds is not None:
                figures[f"stardust_logged_over_{name}_{count}_step"] = seconds * 1e3 / took
    return figures, source


def against_hypatia() -> Figures:
    """Time the shortest paths of Hypatia's step alone, by the function that it calls."""
    import networkx as nx

    generator = topology_generator(walker(1584, 5, 1))
    links = generator.snapshot(0)
    graph = nx.Graph()
    graph.add_nodes_from(range(1589))
    graph.add_weighted_edges_from(
        zip(links.source.tolist(), links.target.tolist(), links.latency_ns.tolist(), strict=True)
    )
    began = time.process_time()
    nx.floyd_warshall_numpy(graph)
    return {"hypatia_shortest_paths_1584_satellites_5_stations_s": time.process_time() - began}


def main() -> None:
    """Measure and print."""
    arguments = parser("speed and memory of generated topologies").parse_args()
    quick = arguments.quick
    repeats = 20 if quick else 100
    figures: Figures = {}
    for satellites in SHELLS:
        figures |= step_against_floor(satellites, 5, 5, repeats)
        figures |= step_against_floor(satellites, 100, 5, repeats)
    for satellites in (6912, 20736):
        made = walker(satellites, 5, repeats + 3, propagator="circular_j2")
        figures[f"circular_j2_{satellites}_ms"] = step_ms(made)
    figures |= in_memory(20 if quick else 1440, 2 if quick else 100)
    found, catalogue_source = strategies(quick)
    figures |= found
    if not quick:
        figures |= against_hypatia()
        figures["hypatia_shortest_paths_over_step"] = (
            1e3
            * figures["hypatia_shortest_paths_1584_satellites_5_stations_s"]
            / figures["1584_satellites_5_stations_step_ms"]
        )
    conditions: Conditions = {
        "step": "SGP4, frames, +Grid, stations under a 25 degree mask, matrix, Dijkstra from 5 "
        "stations to all nodes; processor time, one thread, median",
        "floor": "SatrecArray.sgp4 and csgraph.dijkstra alone, same instants, sources and matrix, "
        "in turns with whole steps",
        "circular_j2": "closed form, +Grid, lengths, 5 stations, mask, latencies; no routing",
        "shells": "550 km, 53 degrees: 72 x 22, 72 x 96, 144 x 144",
        "repeats": repeats,
        "stream": "20,736 satellites, 100 stations, states only, in a fresh process",
        "catalogue": catalogue_source,
        "stardust": "stardust-go's own logs, 32 cores, 85 stations: mst 7 / 35 / 96 s and nearest "
        "0.2 / 0.9 / 2.5 s a step at 6,882 / 13,764 / 20,646 satellites, divided by steps here on "
        "one thread with 85 stations. Its mst and nearest are ours of these names",
        "hypatia": "networkx.floyd_warshall_numpy, which its step calls, on the same graph, once; "
        "positions and ranges by pyephem come on top there. Published for whole steps: 3,500 to "
        "4,000 times a pipeline of this kind (not measured again)",
    }
    report(figures, conditions, arguments.format)


if __name__ == "__main__":
    main()
