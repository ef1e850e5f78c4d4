"""Small continua for tests of contacts, and what a scan second by second finds in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.constellation import ElementTable, Propagator, Sgp4, WalkerShell
from leotrek_opt.models.continuum import Continuum, NodeTable, PositionSeries, TimeGrid
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.contacts.table import WindowTable
from leotrek_opt.topology.frames import geodetic_to_ecef, geodetic_up
from leotrek_opt.topology.instants import julian_date, start_instant
from leotrek_opt.topology.positions import declared_positions
from leotrek_opt.topology.propagation import ephemeris

EPOCH = datetime(2025, 6, 1, tzinfo=UTC)
SHELL = WalkerShell(
    planes=6, satellites_per_plane=5, phasing=1, inclination_deg=53.0, altitude_km=550.0
)


def scene(
    places: Sequence[tuple[float, float]],
    *,
    shell: WalkerShell | None = SHELL,
    fleet: ElementTable | None = None,
    steps: int = 120,
    step_s: float = 60.0,
    drift_deg: float = 0.0,
    rule: GroundLinks | None = None,
    propagator: Propagator = Sgp4(),  # noqa: B008
) -> Continuum:
    """One shell or fleet over places at sea level, which may drift eastwards step by step."""
    shells = () if shell is None else (shell,)
    topology = GeneratedTopology(
        shells=shells,
        fleet=fleet,
        epoch=EPOCH,
        inter_satellite=None,
        ground=rule or GroundLinks(strategy="all_visible"),
        propagator=propagator,
    )
    satellites, count = topology.satellite_count, len(places)
    latitude, longitude = np.array(places, dtype=float).reshape(-1, 2).T
    moves = np.arange(steps if drift_deg else 1)[:, None] * drift_deg
    return Continuum(
        nodes=NodeTable(
            id=tuple(f"sat{k}" for k in range(satellites))
            + tuple(f"place{k}" for k in range(count)),
            kind=("satellite",) * satellites + ("ground_station",) * count,
            architecture=("arm64",) * (satellites + count),
            capacity={},
        ),
        time=TimeGrid(start=EPOCH, steps=steps, step_s=step_s),
        positions=(
            PositionSeries(
                node=np.arange(satellites, satellites + count),
                latitude_deg=latitude + 0 * moves,
                longitude_deg=longitude + moves,
                altitude_km=np.zeros((len(moves), count)),
            ),
        )
        if count
        else (),
        topology=topology,
    )


def element_table(rows: Sequence[dict[str, float]]) -> ElementTable:
    """Element sets at the epoch, circular and without drag where a row does not say otherwise."""
    usual = {
        "inclination_deg": 53.0,
        "raan_deg": 0.0,
        "eccentricity": 1e-6,
        "argument_of_perigee_deg": 0.0,
        "mean_anomaly_deg": 0.0,
        "mean_motion_rev_per_day": 15.05,
        "mean_motion_dot": 0.0,
        "mean_motion_ddot": 0.0,
        "bstar": 0.0,
    }
    day, fraction = julian_date(EPOCH)
    count = len(rows)
    return ElementTable(
        name=tuple(f"SAT {k}" for k in range(count)),
        catalogue_number=np.arange(1, count + 1),
        epoch_jd=np.full(count, day),
        epoch_fraction=np.full(count, fraction),
        **{name: np.array([row.get(name, value) for row in rows]) for name, value in usual.items()},
    )


def elevation_and_range(
    continuum: Continuum, time_s: float, step: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Degrees and km by the propagator itself, shape (ground, satellites)."""
    return _view(continuum, time_s, *_places(continuum, step))


def _places(continuum: Continuum, step: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    topology = continuum.topology
    assert isinstance(topology, GeneratedTopology)
    latitude, longitude, altitude = (
        column[topology.satellite_count :] for column in declared_positions(continuum, step)
    )
    return geodetic_to_ecef(latitude, longitude, altitude), geodetic_up(latitude, longitude)


def _view(
    continuum: Continuum, time_s: float, place: NDArray[np.float64], up: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    topology = continuum.topology
    assert isinstance(topology, GeneratedTopology)
    instant = julian_date(start_instant(topology, continuum.time), time_s)
    satellite, _ = ephemeris(topology).ecef(*instant)
    sight = satellite[None] - place[:, None]
    distance = np.sqrt(np.einsum("gsi,gsi->gs", sight, sight))
    sine = np.einsum("gsi,gi->gs", sight, up) / distance
    return np.degrees(np.arcsin(sine)), distance


def scanned(
    continuum: Continuum, seconds: int, *, mask_deg: float | None, range_km: float | None = None
) -> NDArray[np.bool_]:
    """Who sees whom at every full second, shape (seconds + 1, ground, satellites)."""
    rows = []
    moving = any(len(series.latitude_deg) > 1 for series in continuum.positions)
    at = -1
    for second in range(seconds + 1):
        step = min(int(second // continuum.time.step_s), continuum.time.steps - 1) if moving else 0
        if step != at:
            at, where = step, _places(continuum, step)
        elevation, distance = _view(continuum, float(second), *where)
        seen = np.isfinite(distance)
        if mask_deg is not None:
            seen &= elevation >= mask_deg
        if range_km is not None:
            seen &= distance <= range_km
        rows.append(seen)
    return np.array(rows)


def open_at_seconds(windows: WindowTable, seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which pairs have an open window at every full second, in the shape of a scan."""
    satellites = seen.shape[2]
    listed = np.zeros_like(seen)
    for ground, satellite, aos_s, los_s in zip(
        (windows.ground - satellites).tolist(),
        windows.satellite.tolist(),
        np.ceil(windows.aos_s).astype(int).tolist(),
        np.ceil(windows.los_s).astype(int).tolist(),
        strict=True,
    ):
        listed[aos_s:los_s, ground, satellite] = True
    return listed
