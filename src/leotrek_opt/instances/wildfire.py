"""The wildfire scenario: drones feed a detection workflow under a constellation."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.continuum import (
    CPU,
    MEMORY,
    Architecture,
    Continuum,
    HeatProfile,
    NodeEvent,
    NodeKind,
    NodeTable,
    PositionSeries,
    TimeGrid,
)
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.models.inter_satellite import PlusGrid
from leotrek_opt.models.placement import PlacementProblem, ThermalRule
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.models.workflow import DataEdge, DataSource, Function, Workflow
from leotrek_opt.topology.positions import geodesic_km, positions

BATTERY = "battery_mah"
"""Resource name of battery charge in mAh."""

EPOCH = datetime(2024, 7, 2, 1, tzinfo=UTC)
PLANES = 72
PHASING = 18
DRONES_DEG = (
    (39.493917, -122.981303),
    (39.525713, -123.000053),
    (39.424175, -122.923482),
    (39.590260, -122.987340),
    (39.530706, -123.102010),
)
"""Latitude and longitude of the first drones, in Mendocino County, California."""
EDGE_BOX_DEG = (32.729169, 41.990495, -124.218537, -114.613391)
"""South, north, west and east of the box of the other edge nodes."""
STATIONS_DEG = (("Redu", 50.002352, 5.148141), ("White Sands", 32.500649, -106.608803))
PLACEMENT_MINUTES = (2, 4, 8)
"""When extract-frames, object-det and prepare-ds of the first workflow are placed."""
MINUTES_BETWEEN_WORKFLOWS = 8

Column = NDArray[np.float64]


def wildfire(
    *, seed: int, satellites: int, edge: int, ground_stations: int, workflows: int
) -> PlacementProblem:
    """Build the scenario.

    Parameters
    ----------
    seed
        Of heat profiles, edge sizes and places.
    satellites
        Requested number; the shell has 72 planes of ``ceil(satellites / 72)``.
    edge
        Edge nodes; the first ``workflows`` of them are the drones.
    ground_stations
        The first two are Redu and White Sands.
    workflows
        Workflow k is placed at minutes 2, 4 and 8 after its start at minute 8 k.

    Returns
    -------
    PlacementProblem
        Each workflow is a chain: ingest (pinned on its drone from the first step), extract-frames,
        object-det, which also reads from an Earth-observation satellite, and prepare-ds.

    Raises
    ------
    leotrek_opt.errors.InputError
        If there are more workflows than edge nodes.

    Notes
    -----
    The scenario follows scenario 01 of HyperDrive (T. Pusztai et al., HyperDrive: Scheduling
    Serverless Functions in the Edge-Cloud-Space 3D Continuum, SEC 2024,
    doi:10.1109/SEC62691.2024.00028): nodes, resources, heat profiles, chain, times and limits are
    as published. These things differ:

    - The shell starts at its Walker positions on 2024-07-02 01:00 UTC (published: elements of 2020,
      eccentricity 0.001). Phasing 18 as published, which the seam takes up (published: seam links
      through the Earth); cross links go to the slot whose longest link is shortest.
    - Signals travel at the speed of light in vacuum (published: 0.587 of it).
    - A ground node has links to the four nearest satellites above 25 degrees (published: to one,
      over a range that reaches down to 8.6 degrees).
    - The Earth-observation satellite of a workflow is the one whose sub-point is nearest to the
      drone when extract-frames is placed, ties to the smaller index (published: the tenth at most,
      in the order of indices, within 500 km). From that step on it takes no other function than
      this extract-frames.
    - Ground stations other than the two are spread evenly over the surface of the globe (published:
      drawn over the globe); sizes of edge nodes, places and profiles are drawn anew. Drones beyond
      the five published ones stand anywhere in the box of the edge nodes.

    As published, no function asks for battery charge, and there is no cloud node.
    """
    if workflows > edge:
        raise InputError(
            f"every workflow needs a drone: at most {edge}, the number of edge nodes, "
            f"got {workflows}",
            field="workflows",
        )
    shell = WalkerShell(
        planes=PLANES,
        satellites_per_plane=-(-satellites // PLANES),
        phasing=PHASING,
        inclination_deg=53.0,
        altitude_km=550.0,
    )
    continuum = _continuum(shell, edge, ground_stations, workflows, seed)
    sources = [_observer(continuum, shell, workflow) for workflow in range(workflows)]
    events = tuple(
        NodeEvent(
            step=3 * workflow,
            node=source,
            available=False,
            except_functions=(f"wildfire-{workflow}/extract-frames",),
        )
        for workflow, source in enumerate(sources)
    )
    count = len(continuum.nodes)
    return PlacementProblem(
        id=f"wildfire-{count}-seed-{seed}",
        label=f"wildfire: {satellites} satellites requested, {edge} edge nodes, "
        f"{ground_stations} ground stations, {workflows} workflows, seed {seed}",
        continuum=continuum.replace(events=events),
        workflows=tuple(_workflow(index, source) for index, source in enumerate(sources)),
        thermal=ThermalRule(model="hyperdrive", limit="max"),
    )


def _continuum(
    shell: WalkerShell, edge: int, ground_stations: int, workflows: int, seed: int
) -> Continuum:
    # A stream for each kind of draw: more edge nodes leave satellites and stations as they are.
    heat, sizes, places, stations = np.random.default_rng(seed).spawn(4)
    satellites = PLANES * shell.satellites_per_plane
    minutes = [
        MINUTES_BETWEEN_WORKFLOWS * workflow + minute
        for workflow in range(workflows)
        for minute in PLACEMENT_MINUTES
    ]
    return Continuum(
        id="wildfire",
        nodes=_nodes(shell, edge, ground_stations, heat, sizes),
        heat_profiles=HEAT_PROFILES,
        positions=(
            _on_the_ground(satellites, *_edge_places(places, edge)),
            _on_the_ground(satellites + edge, *_stations(stations, ground_stations)),
        ),
        time=TimeGrid(
            start=EPOCH, steps=len(minutes), offsets_s=tuple(60.0 * minute for minute in minutes)
        ),
        topology=GeneratedTopology(
            shells=(shell,),
            epoch=EPOCH,
            inter_satellite=PlusGrid(),
            ground=GroundLinks(strategy="nearest", max_links=4, min_elevation_deg=25.0),
        ),
    )


def _nodes(
    shell: WalkerShell,
    edge: int,
    ground_stations: int,
    heat: np.random.Generator,
    sizes: np.random.Generator,
) -> NodeTable:
    slots = shell.satellites_per_plane
    counts = (PLANES * slots, edge, ground_stations)
    kinds: tuple[NodeKind, ...] = ("satellite", "edge", "ground_station")
    architectures: tuple[Architecture, ...] = ("arm64", "arm64", "x86_64")
    large = sizes.integers(0, 2, edge).astype(bool)
    named = [name for name, _, _ in STATIONS_DEG[:ground_stations]]
    return NodeTable(
        id=(
            *(f"sat-{plane}-{slot}" for plane in range(PLANES) for slot in range(slots)),
            *(f"edge-{index}" for index in range(edge)),
            *(f"gs-{index}" for index in range(ground_stations)),
        ),
        kind=tuple(np.repeat(kinds, counts).tolist()),
        architecture=tuple(np.repeat(architectures, counts).tolist()),
        capacity={
            CPU: _column(counts, 4000, np.where(large, 4000, 2000), 32_000),
            MEMORY: _column(counts, 4096, np.where(large, 4096, 2048), 32_768),
            BATTERY: _column(counts, 10_000, 0, 0),
        },
        heat_profile=_column(counts, heat.integers(0, len(HEAT_PROFILES), counts[0]), -1, -1),
        label=("",) * sum(counts[:2]) + (*named, *("",) * (ground_stations - len(named))),
    )


def _column(counts: tuple[int, ...], *values: ArrayLike) -> NDArray[np.int64]:
    """Join one value, or one per node, for each kind."""
    return np.concatenate(
        [
            np.broadcast_to(np.asarray(value, dtype=np.int64), count)
            for count, value in zip(counts, values, strict=True)
        ]
    )


def _on_the_ground(first: int, latitude_deg: Column, longitude_deg: Column) -> PositionSeries:
    return PositionSeries(
        node=np.arange(first, first + len(latitude_deg)),
        latitude_deg=latitude_deg[None, :],
        longitude_deg=longitude_deg[None, :],
        altitude_km=np.zeros((1, len(latitude_deg))),
    )


def _edge_places(random: np.random.Generator, edge: int) -> tuple[Column, Column]:
    south, north, west, east = EDGE_BOX_DEG
    latitude, longitude = random.uniform((south, west), (north, east), (edge, 2)).round(6).T
    known = np.array(DRONES_DEG[:edge])
    latitude[: len(known)], longitude[: len(known)] = known.T
    return latitude, longitude


def _stations(random: np.random.Generator, ground_stations: int) -> tuple[Column, Column]:
    # The sine of the latitude is uniform on a sphere.
    latitude = np.degrees(np.arcsin(random.uniform(-1, 1, ground_stations))).round(6)
    longitude = random.uniform(-180, 180, ground_stations).round(6)
    for index, (_, known_latitude, known_longitude) in enumerate(STATIONS_DEG[:ground_stations]):
        latitude[index], longitude[index] = known_latitude, known_longitude
    return latitude, longitude


def _observer(continuum: Continuum, shell: WalkerShell, workflow: int) -> str:
    satellites = PLANES * shell.satellites_per_plane
    where = positions(continuum, 3 * workflow)
    drone = satellites + workflow
    distance_km = geodesic_km(
        where.latitude_deg[drone],
        where.longitude_deg[drone],
        where.latitude_deg[:satellites],
        where.longitude_deg[:satellites],
    )
    # To the millimetre, so that rounding does not decide between equals.
    return continuum.nodes.id[int(np.argmin(np.rint(distance_km * 1e6)))]


def _workflow(index: int, observer: str) -> Workflow:
    first = 3 * index
    return Workflow(
        id=f"wildfire-{index}",
        functions=(
            Function(
                id="ingest",
                demand={CPU: 1000, MEMORY: 2048},
                architectures=("arm64",),
                pinned=f"edge-{index}",
            ),
            Function(
                id="extract-frames",
                demand={CPU: 4000, MEMORY: 2048},
                architectures=("arm64", "x86_64"),
                execution_ms={"arm64": 60_000, "x86_64": 50_000},
                step=first,
            ),
            Function(
                id="object-det",
                demand={CPU: 4000, MEMORY: 2048},
                architectures=("arm64", "x86_64"),
                execution_ms={"arm64": 600_000, "x86_64": 500_000},
                data_sources=(
                    DataSource(id="earth-observation", node=observer, max_latency_ms=175.0),
                ),
                step=first + 1,
            ),
            Function(
                id="prepare-ds",
                demand={CPU: 4000, MEMORY: 4096},
                architectures=("arm64", "x86_64"),
                execution_ms={"arm64": 90_000, "x86_64": 80_000},
                step=first + 2,
            ),
        ),
        edges=(
            DataEdge(source="ingest", target="extract-frames", max_latency_ms=100.0),
            DataEdge(source="extract-frames", target="object-det", max_latency_ms=150.0),
            DataEdge(source="object-det", target="prepare-ds", max_latency_ms=100.0),
        ),
    )


def _profile(name: str, now: float, orbit: float, heating: float) -> HeatProfile:
    return HeatProfile(
        id=name,
        temperature_c=now,
        orbit_base_temperature_c=orbit,
        recommended_temperature_c=65.0,
        max_temperature_c=75.0,
        heating_c_per_core_minute=heating,
        radiated_c_per_minute=0.1,
    )


HEAT_PROFILES = (
    _profile("a", 45.0, 55.0, 1.0),
    _profile("b", 45.0, 60.0, 2.0),
    _profile("c", 35.0, 45.0, 0.5),
)
"""The published profiles A, B and C."""
