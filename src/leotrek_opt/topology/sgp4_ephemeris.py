"""SGP4 for shells and element sets, over arrays of satellites and instants."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sgp4.api import WGS72, WGS72OLD, WGS84, Satrec, SatrecArray

from leotrek_opt.models.constellation import GM_KM3_S2, ElementTable, Sgp4, WalkerShell
from leotrek_opt.topology.constellation import walker_elements
from leotrek_opt.topology.frames import teme_to_ecef
from leotrek_opt.topology.instants import julian_date

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_FARTHEST_APOGEES = 2.0
"""How many times its apogee a satellite may be away from the centre of the Earth.

Long after the epoch of a satellite under drag, SGP4 may return any distance without an error.
"""

SGP4_DAY_ZERO = 2_433_281.5
"""Julian date of 1949-12-31 00:00, from which SGP4 counts epochs."""

_GRAVITY = {"wgs72": WGS72, "wgs72old": WGS72OLD, "wgs84": WGS84}
_MODE = {"improved": "i", "afspc": "a"}

_DEGREE = math.pi / 180.0
_PER_DAY_TO_PER_MINUTE = 1440.0 / (2.0 * math.pi)
"""Revolutions per day over radians per minute, written as the reader of two-line elements does, so
that both round alike."""


class GeneralPerturbations(NamedTuple):
    """Mean elements as SGP4 takes them, one entry per satellite: radians and minutes."""

    epoch_jd: Array
    epoch_fraction: Array
    bstar: Array
    mean_motion_dot: Array
    mean_motion_ddot: Array
    eccentricity: Array
    argument_of_perigee_rad: Array
    inclination_rad: Array
    mean_anomaly_rad: Array
    mean_motion_rad_min: Array
    raan_rad: Array


class Sgp4Ephemeris:
    """Positions of satellites by SGP4.

    Parameters
    ----------
    elements
        Mean elements of all satellites.
    propagator
        Gravity constants and mode.

    Attributes
    ----------
    epoch_jd, epoch_fraction : ndarray
        Epochs as Julian dates UTC in two parts, shape (n,).

    Notes
    -----
    D. A. Vallado et al., Revisiting Spacetrack Report 3, AIAA 2006-6753.
    """

    def __init__(self, elements: GeneralPerturbations, propagator: Sgp4) -> None:
        self.epoch_jd, self.epoch_fraction = elements.epoch_jd, elements.epoch_fraction
        self._satellites = _initialised(elements, propagator)
        self._all = SatrecArray(self._satellites)
        self._all_valid = np.ones(len(self._satellites), dtype=bool)
        self._all_valid.flags.writeable = False
        radius = np.cbrt(GM_KM3_S2 / (elements.mean_motion_rad_min / 60.0) ** 2)
        self._farthest_km = _FARTHEST_APOGEES * radius * (1.0 + elements.eccentricity)
        # Nobody is too far away while every coordinate is within this.
        self._surely_near_km = float(self._farthest_km.min(initial=np.inf)) / math.sqrt(3.0)

    def __len__(self) -> int:
        """Return the number of satellites."""
        return len(self._satellites)

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
            TEME, shape (n, t, 3); NaN where propagation fails.
        valid : ndarray of bool
            Shape (n, t); False there.
        """
        chosen, farthest = self._all, self._farthest_km
        if satellites is not None:
            chosen = SatrecArray([self._satellites[index] for index in satellites.tolist()])
            farthest = farthest[satellites]
        error, position, velocity = chosen.sgp4(
            np.asarray(julian_day, dtype=np.float64), np.asarray(fraction, dtype=np.float64)
        )
        valid = (error == 0) & _near(position, farthest[:, None])
        position[~valid] = np.nan
        velocity[~valid] = np.nan
        return position, velocity, valid

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
            ECEF, shape (n, 3); NaN where propagation fails.
        valid : ndarray of bool
            Shape (n,), read-only.
        """
        error, position, _ = self._all.sgp4(np.array([julian_day]), np.array([fraction]))
        fixed = teme_to_ecef(position[:, 0], julian_day, fraction, out)
        # Extremes are NaN when any entry is, and cost less than looking at each.
        near = fixed.max(initial=0.0) <= self._surely_near_km
        if near and fixed.min(initial=0.0) >= -self._surely_near_km and not error.any():
            return fixed, self._all_valid
        valid = (error[:, 0] == 0) & _near(fixed, self._farthest_km)
        if valid.all():
            return fixed, self._all_valid
        fixed[~valid] = np.nan
        valid.flags.writeable = False
        return fixed, valid

    def error_codes(self, julian_day: float, fraction: float) -> NDArray[np.int64]:
        """Return what SGP4 says of each satellite at one instant.

        Parameters
        ----------
        julian_day, fraction
            Julian date UTC in two parts.

        Returns
        -------
        ndarray
            Codes of the reference implementation, 0 where propagation succeeds, shape (n,).
        """
        error, _, _ = self._all.sgp4(np.array([julian_day]), np.array([fraction]))
        codes: NDArray[np.int64] = error[:, 0].astype(np.int64)
        return codes


def _near(position_km: Array, farthest_km: Array) -> Mask:
    """Say which positions are finite and not too far away; False where a coordinate is NaN."""
    near: Mask = np.einsum("...i,...i->...", position_km, position_km) <= farthest_km**2
    return near


def shell_elements(shells: Sequence[WalkerShell], epoch: datetime) -> GeneralPerturbations:
    """Give the satellites of shells mean elements, without drag.

    Parameters
    ----------
    shells
        Walker shells, in the order of the satellites.
    epoch
        Instant of their elements, with a time zone.

    Returns
    -------
    GeneralPerturbations
        Eccentricity and argument of perigee are 0; the mean anomaly is the argument of latitude.
    """
    elements = walker_elements(shells)
    count = len(elements.raan_rad)
    zero = np.zeros(count)
    day, fraction = julian_date(epoch)
    return GeneralPerturbations(
        epoch_jd=np.full(count, day),
        epoch_fraction=np.full(count, fraction),
        bstar=zero,
        mean_motion_dot=zero,
        mean_motion_ddot=zero,
        eccentricity=zero,
        argument_of_perigee_rad=zero,
        inclination_rad=elements.inclination_rad,
        mean_anomaly_rad=elements.argument_of_latitude_rad,
        mean_motion_rad_min=elements.mean_motion_rad_min,
        raan_rad=elements.raan_rad,
    )


def fleet_elements(fleet: ElementTable) -> GeneralPerturbations:
    """Convert element sets to the units of SGP4, with the roundings of a two-line reader.

    Parameters
    ----------
    fleet
        Element sets in degrees and revolutions per day.

    Returns
    -------
    GeneralPerturbations
        One entry per satellite.
    """
    return GeneralPerturbations(
        epoch_jd=fleet.epoch_jd,
        epoch_fraction=fleet.epoch_fraction,
        bstar=fleet.bstar,
        mean_motion_dot=fleet.mean_motion_dot / (_PER_DAY_TO_PER_MINUTE * 1440.0),
        mean_motion_ddot=fleet.mean_motion_ddot / (_PER_DAY_TO_PER_MINUTE * 1440.0 * 1440.0),
        eccentricity=fleet.eccentricity,
        argument_of_perigee_rad=fleet.argument_of_perigee_deg * _DEGREE,
        inclination_rad=fleet.inclination_deg * _DEGREE,
        mean_anomaly_rad=fleet.mean_anomaly_deg * _DEGREE,
        mean_motion_rad_min=fleet.mean_motion_rev_per_day / _PER_DAY_TO_PER_MINUTE,
        raan_rad=fleet.raan_deg * _DEGREE,
    )


def joined(parts: Sequence[GeneralPerturbations]) -> GeneralPerturbations:
    """Put element sets of several origins one after another.

    Parameters
    ----------
    parts
        In the order of the satellites.

    Returns
    -------
    GeneralPerturbations
        Of all.
    """
    return GeneralPerturbations(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _initialised(elements: GeneralPerturbations, propagator: Sgp4) -> list[Satrec]:
    gravity, mode = _GRAVITY[propagator.gravity], _MODE[propagator.mode]
    satellites = []
    # The package initialises one satellite at a time: microseconds each, once per constellation.
    for day, fraction, *values in zip(*(column.tolist() for column in elements), strict=True):
        satellite = Satrec()
        # Its number is a label that no formula reads, and may not exceed 339999.
        satellite.sgp4init(gravity, mode, 0, day + fraction - SGP4_DAY_ZERO, *values)
        # The sum of day and fraction lost digits; time is counted from both parts.
        satellite.jdsatepoch, satellite.jdsatepochF = day, fraction
        satellites.append(satellite)
    return satellites
