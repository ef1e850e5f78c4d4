"""Orbital elements of Walker shells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.constellation import GM_KM3_S2, ORBIT_RADIUS_KM, WalkerShell
from leotrek_opt.topology.instants import S_PER_DAY

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Elements:
    """Circular orbits, one entry per satellite, at the epoch.

    Parameters
    ----------
    inclination_rad, raan_rad, argument_of_latitude_rad
        Radians, shape (n,).
    mean_motion_rad_min
        Kozai mean motion in radians per minute, shape (n,), as two-line elements hold it.
    """

    inclination_rad: Array
    raan_rad: Array
    argument_of_latitude_rad: Array
    mean_motion_rad_min: Array


def walker_elements(shells: Sequence[WalkerShell]) -> Elements:
    """Place the satellites of several shells, plane by plane.

    Parameters
    ----------
    shells
        Satellite ``s`` of plane ``p`` of a shell has index ``p * satellites_per_plane + s`` after
        those of the earlier shells.

    Returns
    -------
    Elements
        Of all satellites.

    Notes
    -----
    ``altitude_km`` h stands for the mean motion sqrt(GM / a^3) with a = 6378.137 km + h, used as
    Kozai mean motion. SGP4's own (Brouwer) semi-major axis is then about 0.3 km larger at 550 km,
    and the true height varies by some 10 km along the orbit, by the flattening of the Earth.
    """
    parts = [_shell_elements(shell) for shell in shells]
    return Elements(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def mean_motion_rad_min(shell: WalkerShell) -> float:
    """Return the Kozai mean motion of a shell.

    Parameters
    ----------
    shell
        With ``altitude_km`` or ``mean_motion_rev_per_day``.

    Returns
    -------
    float
        Radians per minute.
    """
    if shell.mean_motion_rev_per_day is not None:
        return shell.mean_motion_rev_per_day * 2 * math.pi / 1440.0
    if shell.altitude_km is None:
        raise ValueError("a shell has an altitude or a mean motion")
    return 60.0 * math.sqrt(GM_KM3_S2 / (ORBIT_RADIUS_KM + shell.altitude_km) ** 3)


def altitude_of_motion_km(mean_motion_rev_per_day: float | Array) -> Array:
    """Return the altitude that belongs to a mean motion.

    Parameters
    ----------
    mean_motion_rev_per_day
        Taken as that of a Kepler orbit, any shape.

    Returns
    -------
    ndarray
        Semi-major axis (GM / n^2)^(1/3) less 6378.137 km.
    """
    motion_rad_s = mean_motion_rev_per_day * (2 * math.pi / S_PER_DAY)
    axis: Array = np.cbrt(GM_KM3_S2 / motion_rad_s**2)
    return axis - ORBIT_RADIUS_KM


def _shell_elements(shell: WalkerShell) -> tuple[Array, Array, Array, Array]:
    planes, slots = shell.planes, shell.satellites_per_plane
    plane, slot = np.divmod(np.arange(planes * slots), slots)
    spread_deg = 360.0 if shell.pattern == "delta" else 180.0
    raan_deg = (shell.raan0_deg + spread_deg * plane / planes) % 360.0
    if shell.phasing_rule == "walker":
        # Reduced in integers first, so that the last plane is as exact as the first.
        turns = (slot * planes + shell.phasing * plane) % (planes * slots) / (planes * slots)
    else:
        turns = (2 * slot + plane % 2) / (2 * slots)
    latitude_rad = 2 * math.pi * turns
    if shell.angle_decimals is not None:
        raan_deg = np.round(raan_deg, shell.angle_decimals)
        latitude_rad = np.radians(np.round(360.0 * turns, shell.angle_decimals))
    count = planes * slots
    return (
        np.full(count, math.radians(shell.inclination_deg)),
        np.radians(raan_deg),
        latitude_rad,
        np.full(count, mean_motion_rad_min(shell)),
    )
