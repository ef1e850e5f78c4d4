"""Small continua and their states, for pictures."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.continuum import Continuum, NodeTable, PositionSeries, TimeGrid
from leotrek_opt.models.ground_links import FibreLinks, GroundLinks
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.generated import topology_generator
from leotrek_opt.topology.state import TopologyState

PLACES = {"Vienna": (48.2, 16.4), "Tokyo": (35.7, 139.7), "Auckland": (-36.8, 174.8)}


def world(
    planes: int = 8, slots: int = 10, labels: tuple[str, ...] = tuple(PLACES)
) -> tuple[Continuum, TopologyState]:
    """Return a shell over three places on the ground, and its first step."""
    satellites = planes * slots
    latitude, longitude = np.array(list(PLACES.values())).T
    continuum = Continuum(
        id="small",
        nodes=NodeTable(
            id=(*(f"s{k}" for k in range(satellites)), "g0", "g1", "g2"),
            label=tuple(f"sat {k}" for k in range(satellites)) + labels,
            kind=("satellite",) * satellites + ("ground_station", "cloud", "edge"),
            architecture=("arm64",) * (satellites + 3),
            capacity={},
        ),
        time=TimeGrid(),
        positions=(
            PositionSeries(
                node=np.arange(satellites, satellites + 3),
                latitude_deg=latitude[None],
                longitude_deg=longitude[None],
                altitude_km=np.zeros((1, 3)),
            ),
        ),
        topology=GeneratedTopology(
            shells=(
                WalkerShell(
                    planes=planes, satellites_per_plane=slots, phasing=1, inclination_deg=53.0,
                    altitude_km=1200.0,
                ),
            ),
            epoch=datetime(2025, 6, 1, 10, tzinfo=UTC),
            ground=GroundLinks(min_elevation_deg=10.0),
            fibre=FibreLinks(kinds=("cloud", "edge")),
        ),
    )  # fmt: skip
    return continuum, topology_generator(continuum).state(0)


def shortest_route(state: TopologyState, source: int, target: int) -> list[int]:
    """Return a route with the fewest links."""
    neighbours: dict[int, list[int]] = {}
    for a, b in zip(state.links.source.tolist(), state.links.target.tolist(), strict=True):
        neighbours.setdefault(a, []).append(b)
        neighbours.setdefault(b, []).append(a)
    routes = {source: [source]}
    queue = [source]
    for node in queue:
        for other in neighbours.get(node, []):
            if other not in routes:
                routes[other] = [*routes[node], other]
                queue.append(other)
    return routes[target]
