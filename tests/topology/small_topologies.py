"""Small topologies that many tests run."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.continuum import Continuum, NodeTable, PositionSeries, TimeGrid
from leotrek_opt.models.ground_links import FibreLinks, GroundLinks
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.state import TopologyState

EPOCH = datetime(2025, 6, 1, tzinfo=UTC)
SATELLITES = 40
PLACES = ((48.2, 16.4), (32.5, -106.6), (0.0, 0.0), (-30.0, 150.0))


def small_continuum(steps: int = 6, step_s: float = 120.0, **topology: object) -> Continuum:
    """Forty satellites, four nodes on the ground, links of all kinds that come and go."""
    latitude, longitude = np.array(PLACES).T
    count = SATELLITES + len(PLACES)
    shell = WalkerShell(
        planes=8, satellites_per_plane=5, phasing=3, inclination_deg=53.0, altitude_km=1200.0
    )
    recipe: dict[str, object] = {
        "ground": GroundLinks(strategy="all_visible", min_elevation_deg=10.0),
        "fibre": FibreLinks(neighbours=1),
    }
    return Continuum(
        nodes=NodeTable(
            id=tuple(f"n{k}" for k in range(count)),
            kind=("satellite",) * SATELLITES + ("ground_station", "cloud", "edge", "cloud"),
            architecture=("arm64",) * count,
            capacity={},
        ),
        time=TimeGrid(steps=steps, step_s=step_s),
        positions=(
            PositionSeries(
                node=np.arange(SATELLITES, count),
                latitude_deg=latitude[None],
                longitude_deg=longitude[None],
                altitude_km=np.zeros((1, len(PLACES))),
            ),
        ),
        topology=GeneratedTopology(shells=(shell,), epoch=EPOCH, **(recipe | topology)),  # type: ignore[arg-type]
    )


def state_bytes(state: TopologyState) -> list[object]:
    """Everything in a state, so that two lists are equal where the states are bit by bit."""
    arrays = [
        state.satellites.position_km,
        state.satellites.valid,
        state.position_km,
        state.links.source,
        state.links.target,
        state.links.latency_ns,
        state.links.bandwidth_bps,
        state.links.relay,
        state.link_kind,
    ]
    return [
        state.step,
        state.time,
        state.satellites.step,
        state.satellites.time,
        state.satellites.julian_day,
        state.satellites.day_fraction,
        *(
            None if array is None else (str(array.dtype), array.shape, array.tobytes())
            for array in arrays
        ),
    ]
