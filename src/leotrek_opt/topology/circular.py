"""Circular orbits under the Earth's oblateness, in closed form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.constellation import (
    ORBIT_RADIUS_KM,
    CircularJ2,
    ElementTable,
    WalkerShell,
)
from leotrek_opt.topology.constellation import walker_elements
from leotrek_opt.topology.frames import gmst_rad
from leotrek_opt.topology.instants import S_PER_DAY, julian_date

MAX_ECCENTRICITY = 0.02
"""Largest eccentricity of an element set that is taken for a circle."""

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Rate = float | Array
"""One number for a whole shell, or one per satellite, shape (n,)."""


@dataclass(frozen=True, eq=False)
class _Orbits:
    """Satellites that share an epoch and rates, or have their own.

    ``start`` and ``quarter`` are the satellites at the epoch and a quarter of a turn later, km in
    the frame of the node at the epoch, shape (n, 3).
    """

    start: Array
    quarter: Array
    epoch_jd: Rate
    epoch_fraction: Rate
    latitude_rate_rad_s: Rate
    node_rate_rad_s: Rate

    def elapsed_s(self, julian_day: Rate, fraction: Rate) -> Rate:
        return ((julian_day - self.epoch_jd) + (fraction - self.epoch_fraction)) * S_PER_DAY

    def chosen(self, rows: NDArray[np.int64]) -> _Orbits:
        """Return some of the satellites, with rates that broadcast over instants."""
        return _Orbits(
            self.start[rows, None],
            self.quarter[rows, None],
            *(
                value[rows, None] if isinstance(value, np.ndarray) else value
                for value in (
                    self.epoch_jd,
                    self.epoch_fraction,
                    self.latitude_rate_rad_s,
                    self.node_rate_rad_s,
                )
            ),
        )

    def at(self, julian_day: Array, fraction: Array) -> tuple[Array, Array]:
        """Return position and velocity of chosen satellites at many instants, (n, t, 3)."""
        elapsed = np.asarray(self.elapsed_s(julian_day, fraction))
        angle = (self.latitude_rate_rad_s * elapsed)[..., None]
        turn = self.node_rate_rad_s * elapsed
        place = np.cos(angle) * self.start + np.sin(angle) * self.quarter
        motion = np.cos(angle) * self.quarter - np.sin(angle) * self.start
        motion *= np.asarray(self.latitude_rate_rad_s)[..., None]
        # The frame of the node turns as well.
        motion[..., 0] -= self.node_rate_rad_s * place[..., 1]
        motion[..., 1] += self.node_rate_rad_s * place[..., 0]
        position, velocity = np.empty_like(place), np.empty_like(motion)
        _turn(place, np.cos(turn), np.sin(turn), position)
        _turn(motion, np.cos(turn), np.sin(turn), velocity)
        return position, velocity


class CircularEphemeris:
    """Positions of satellites on circular orbits whose planes turn.

    Parameters
    ----------
    shells
        Walker shells. ``altitude_km`` is the altitude of the circle above 6378.137 km; a mean
        motion n gives the radius (GM / n^2)^(1/3).
    epoch
        Instant of the shells' elements.
    fleet
        Element sets taken for circles: the argument of latitude is argument of perigee plus mean
        anomaly, and the Kozai mean motion is freed of its J2 part before it gives the radius. An
        eccentricity e displaces a satellite by up to 2 e a (280 km at the largest that is taken),
        a real near-circular one by some 20 km at its epoch; drag is left out.
    propagator
        Constants.

    Attributes
    ----------
    epoch_jd, epoch_fraction : ndarray
        Epochs as Julian dates UTC in two parts, shape (n,).

    Raises
    ------
    leotrek_opt.errors.InputError
        If an element set has an eccentricity above 0.02.

    Notes
    -----
    Secular rates of first order in J2: W. M. Kaula, Theory of Satellite Geodesy, 1966, section 3.4.
    """

    def __init__(
        self,
        shells: Sequence[WalkerShell],
        epoch: datetime | None,
        fleet: ElementTable | None,
        propagator: CircularJ2,
    ) -> None:
        self._blocks: list[tuple[slice, _Orbits]] = []
        first = 0
        for orbits in _orbits(shells, epoch, fleet, propagator):
            last = first + len(orbits.start)
            self._blocks.append((slice(first, last), orbits))
            first = last
        self.epoch_jd, self.epoch_fraction = np.empty(first), np.empty(first)
        for rows, orbits in self._blocks:
            self.epoch_jd[rows] = orbits.epoch_jd
            self.epoch_fraction[rows] = orbits.epoch_fraction
        self._all_valid = np.ones(first, dtype=bool)
        self._all_valid.flags.writeable = False

    def __len__(self) -> int:
        """Return the number of satellites."""
        return len(self._all_valid)

    def ecef(
        self, julian_day: float, fraction: float, out: Array | None = None
    ) -> tuple[Array, Mask]:
        """Return the positions of all satellites at one instant.

        Parameters
        ----------
        julian_day, fraction
            Julian date UTC in two parts.
        out
            Where to write positions, shape (n, 3); a new array by default.

        Returns
        -------
        position_km : ndarray
            ECEF, shape (n, 3).
        valid : ndarray of bool
            Shape (n,), all True, read-only.
        """
        position = np.empty((len(self), 3)) if out is None else out
        sidereal = gmst_rad(julian_day, fraction)
        for rows, orbits in self._blocks:
            elapsed = orbits.elapsed_s(julian_day, fraction)
            angle = orbits.latitude_rate_rad_s * elapsed
            turn = orbits.node_rate_rad_s * elapsed - sidereal
            in_node_frame = _column(np.cos(angle)) * orbits.start
            in_node_frame += _column(np.sin(angle)) * orbits.quarter
            _turn(in_node_frame, np.cos(turn), np.sin(turn), position[rows])
        return position, self._all_valid

    def teme(
        self, julian_day: Array, fraction: Array, satellites: NDArray[np.int64] | None = None
    ) -> tuple[Array, Array, Mask]:
        """Return positions and velocities at many instants.

        Parameters
        ----------
        julian_day, fraction
            Julian dates UTC in two parts, shape (t,).
        satellites
            Indices, shape (n,); all by default.

        Returns
        -------
        position_km, velocity_km_s : ndarray
            Shape (n, t, 3). The equinox of the epoch stands in for TEME.
        valid : ndarray of bool
            Shape (n, t), all True.
        """
        day, part = np.asarray(julian_day), np.asarray(fraction)
        rows = np.arange(len(self)) if satellites is None else np.asarray(satellites)
        position, velocity = np.empty((2, len(rows), len(day), 3))
        for block, orbits in self._blocks:
            here = np.flatnonzero((rows >= block.start) & (rows < block.stop))
            if len(here):
                chosen = orbits.chosen(rows[here] - block.start)
                position[here], velocity[here] = chosen.at(day, part)
        return position, velocity, np.ones(position.shape[:2], dtype=bool)

    def error_codes(self, julian_day: float, fraction: float) -> NDArray[np.int64]:
        """Return 0 for every satellite: a closed form does not fail.

        Parameters
        ----------
        julian_day, fraction
            Julian date UTC in two parts.

        Returns
        -------
        ndarray
            Zeros, shape (n,).
        """
        del julian_day, fraction
        return np.zeros(len(self), dtype=np.int64)


def _orbits(
    shells: Sequence[WalkerShell],
    epoch: datetime | None,
    fleet: ElementTable | None,
    propagator: CircularJ2,
) -> list[_Orbits]:
    blocks = []
    for shell in shells:
        if epoch is None:
            raise ValueError("shells have an epoch")
        elements = walker_elements([shell])
        inclination = math.radians(shell.inclination_deg)
        day, fraction = julian_date(epoch)
        radius, motion = _circle(shell, propagator.gm_km3_s2)
        latitude_rate, node_rate = _rates(radius, motion, inclination, propagator)
        blocks.append(
            _Orbits(
                *_axes(
                    radius,
                    elements.inclination_rad,
                    elements.raan_rad,
                    elements.argument_of_latitude_rad,
                ),
                day,
                fraction,
                float(latitude_rate),
                float(node_rate),
            )
        )
    if fleet is not None and len(fleet):
        blocks.append(_fleet_orbits(fleet, propagator))
    return blocks


def _circle(shell: WalkerShell, gm_km3_s2: float) -> tuple[float, float]:
    """Radius in km and Keplerian mean motion in rad/s."""
    if shell.altitude_km is not None:
        radius = ORBIT_RADIUS_KM + shell.altitude_km
        return radius, math.sqrt(gm_km3_s2 / radius**3)
    if shell.mean_motion_rev_per_day is None:
        raise ValueError("a shell has an altitude or a mean motion")
    motion = shell.mean_motion_rev_per_day * 2 * math.pi / S_PER_DAY
    return (gm_km3_s2 / motion**2) ** (1 / 3), motion


def _fleet_orbits(fleet: ElementTable, propagator: CircularJ2) -> _Orbits:
    if (fleet.eccentricity > MAX_ECCENTRICITY).any():
        row = int((fleet.eccentricity > MAX_ECCENTRICITY).argmax())
        raise InputError(
            f'circular_j2 takes eccentricities up to {MAX_ECCENTRICITY}, "{fleet.name[row]}" has '
            f"{fleet.eccentricity[row]:g}; use sgp4",
            field=f"topology.fleet.eccentricity[{row}]",
        )
    inclination = np.radians(fleet.inclination_deg)
    kozai = fleet.mean_motion_rev_per_day * (2 * math.pi / S_PER_DAY)
    # Kozai's mean motion is that of the mean anomaly, J2 included; a contraction with a factor of
    # 1e-3 finds the Keplerian one.
    motion = kozai
    for _ in range(5):
        radius = np.cbrt(propagator.gm_km3_s2 / motion**2)
        motion = kozai - _j2_rate(radius, motion, propagator) * (1 - 1.5 * np.sin(inclination) ** 2)
    radius = np.cbrt(propagator.gm_km3_s2 / motion**2)
    latitude = np.radians(fleet.argument_of_perigee_deg) + np.radians(fleet.mean_anomaly_deg)
    latitude_rate, node_rate = _rates(radius, motion, inclination, propagator)
    return _Orbits(
        *_axes(radius, inclination, np.radians(fleet.raan_deg), latitude),
        fleet.epoch_jd,
        fleet.epoch_fraction,
        latitude_rate,
        node_rate,
    )


def _rates(
    radius_km: Rate, motion_rad_s: Rate, inclination_rad: Rate, propagator: CircularJ2
) -> tuple[Rate, Rate]:
    """Rates of the argument of latitude and of the ascending node, rad/s."""
    k = _j2_rate(radius_km, motion_rad_s, propagator)
    return (
        motion_rad_s + k * (3 - 4 * np.sin(inclination_rad) ** 2),
        -k * np.cos(inclination_rad),
    )


def _j2_rate(radius_km: Rate, motion_rad_s: Rate, propagator: CircularJ2) -> Rate:
    return 1.5 * propagator.j2 * (propagator.equatorial_radius_km / radius_km) ** 2 * motion_rad_s


def _axes(
    radius_km: Rate, inclination_rad: Array, raan_rad: Array, latitude_rad: Array
) -> tuple[Array, Array]:
    cos_node, sin_node = np.cos(raan_rad), np.sin(raan_rad)
    cos_tilt, sin_tilt = np.cos(inclination_rad), np.sin(inclination_rad)
    to_node = np.stack((cos_node, sin_node, np.zeros_like(cos_node)), axis=1)
    ahead = np.stack((-cos_tilt * sin_node, cos_tilt * cos_node, sin_tilt), axis=1)
    cosine, sine = np.cos(latitude_rad)[:, None], np.sin(latitude_rad)[:, None]
    radius = _column(radius_km)
    return radius * (cosine * to_node + sine * ahead), radius * (cosine * ahead - sine * to_node)


def _column(value: Rate) -> Rate:
    return value[:, None] if isinstance(value, np.ndarray) and value.ndim else value


def _turn(vector: Array, cosine: Rate, sine: Rate, out: Array) -> None:
    """Rotate about the z axis, counter-clockwise."""
    x, y = vector[..., 0], vector[..., 1]
    np.subtract(cosine * x, sine * y, out=out[..., 0])
    np.add(sine * x, cosine * y, out=out[..., 1])
    out[..., 2] = vector[..., 2]
