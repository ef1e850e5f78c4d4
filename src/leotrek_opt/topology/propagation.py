"""Propagation of satellites by SGP4, over arrays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sgp4.api import WGS72, Satrec, SatrecArray

from leotrek_opt.models.continuum import TimeGrid
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.constellation import Elements, walker_elements
from leotrek_opt.topology.frames import teme_to_ecef

_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
_J2000_JULIAN_DAY = 2_451_545.0
_SGP4_DAY_ZERO = 2_433_281.5
"""Julian date of 1949-12-31 00:00, from which SGP4 counts epochs."""


def julian_date(instant: datetime, offset_s: float = 0.0) -> tuple[float, float]:
    """Return a Julian date in two parts, exact to less than a microsecond.

    Parameters
    ----------
    instant
        With a time zone. Leap seconds are ignored and UT1 = UTC.
    offset_s
        Seconds after the instant.

    Returns
    -------
    tuple of float
        Julian day (ending in .5, at midnight) and fraction of the day in [0, 1).
    """
    since = instant - _J2000 + timedelta(hours=12)
    whole, seconds = divmod(since.seconds + since.microseconds / 1e6 + offset_s, 86_400.0)
    return _J2000_JULIAN_DAY - 0.5 + since.days + whole, seconds / 86_400.0


def sgp4_satellites(elements: Elements, epoch: datetime) -> SatrecArray:
    """Initialise SGP4 for many satellites at once.

    Parameters
    ----------
    elements
        Circular orbits at the epoch.
    epoch
        With a time zone.

    Returns
    -------
    sgp4.api.SatrecArray
        WGS72 constants as usual for SGP4, no drag.

    Notes
    -----
    D. A. Vallado et al., Revisiting Spacetrack Report 3, AIAA 2006-6753.
    """
    epoch_days = sum(julian_date(epoch)) - _SGP4_DAY_ZERO
    satellites: list[Satrec] = []
    # The package initialises one satellite at a time: microseconds each, once per constellation.
    for number, (inclination, raan, latitude, motion) in enumerate(
        zip(
            elements.inclination_rad.tolist(),
            elements.raan_rad.tolist(),
            elements.argument_of_latitude_rad.tolist(),
            elements.mean_motion_rad_min.tolist(),
            strict=True,
        )
    ):
        satellite = Satrec()
        satellite.sgp4init(
            WGS72, "i", number + 1, epoch_days, 0.0, 0.0, 0.0, 0.0, 0.0,
            inclination, latitude, motion, raan,
        )  # fmt: skip
        satellites.append(satellite)
    return SatrecArray(satellites)


def propagate_teme(
    satellites: SatrecArray, julian_day: float, fraction: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return where satellites are at one instant.

    Parameters
    ----------
    satellites
        From :func:`sgp4_satellites` or from two-line elements.
    julian_day, fraction
        Julian date UTC in two parts.

    Returns
    -------
    position_km : ndarray
        TEME, shape (n, 3); NaN for a satellite that SGP4 gives up, which keeps its row.
    valid : ndarray of bool
        Shape (n,); False for those.
    """
    error, position, _ = satellites.sgp4(np.array([julian_day]), np.array([fraction]))
    position_km: NDArray[np.float64] = position[:, 0, :]
    valid = (error[:, 0] == 0) & np.isfinite(position_km).all(axis=1)
    position_km[~valid] = np.nan
    return position_km, valid


def satellite_ecef(
    topology: GeneratedTopology, time: TimeGrid, step: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return where the satellites of a generated topology are at a step.

    Parameters
    ----------
    topology
        Its shells stand at their elements at its epoch.
    time
        The step's instant; a grid without start begins at the epoch.
    step
        Index of the snapshot.

    Returns
    -------
    position_km : ndarray
        ECEF, shape (satellites, 3); NaN where propagation fails.
    valid : ndarray of bool
        Shape (satellites,).
    """
    satellites = _walker_satellites(_Recipe(topology))
    instant = julian_date(_start(topology, time), time.offset_s(step))
    position, valid = propagate_teme(satellites, *instant)
    return teme_to_ecef(position, *instant), valid


class _Recipe:
    """Shells and epoch as a cache key: models cannot be hashed, their canonical text can."""

    def __init__(self, topology: GeneratedTopology) -> None:
        self.shells = topology.shells
        self.epoch = topology.epoch
        self._key = (tuple(shell.model_dump_json() for shell in topology.shells), topology.epoch)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Recipe) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=4)
def _walker_satellites(recipe: _Recipe) -> SatrecArray:
    if recipe.epoch is None:
        raise ValueError("shells have an epoch")
    return sgp4_satellites(walker_elements(recipe.shells), recipe.epoch)


def _start(topology: GeneratedTopology, time: TimeGrid) -> datetime:
    start = time.start or topology.epoch
    if start is None:
        raise ValueError("a fleet has an epoch")
    return start
