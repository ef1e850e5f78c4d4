"""Satellites as functions of time in the Earth-fixed frame, sampled and interpolated."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.constellation import GM_KM3_S2
from leotrek_opt.models.continuum import Continuum
from leotrek_opt.topology.contacts.arcs import PARTS, Arcs
from leotrek_opt.topology.contacts.arguments import generated
from leotrek_opt.topology.frames import gmst_rad
from leotrek_opt.topology.instants import julian_date, start_instant
from leotrek_opt.topology.propagation import Ephemeris, ephemeris

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

EARTH_RATE_RAD_S = 7.292115855e-5
"""Rate of Greenwich mean sidereal time: 1.00273790935 turns a day."""

_INTERPOLATION_ERROR_KM = 5e-4
_LONGEST_STEP_S, _SHORTEST_STEP_S = 600.0, 5.0


class Samples(NamedTuple):
    """Satellites at several instants.

    ``time_s`` has shape (instants,); ``position_km`` and ``velocity_km_s`` are Earth-fixed, shape
    (3, satellites, instants), NaN where ``valid`` (satellites, instants) is False.
    """

    time_s: Array
    position_km: Array
    velocity_km_s: Array
    valid: Mask


@dataclass(frozen=True, eq=False)
class Motion:
    """Satellites of a generated topology at any time.

    Parameters
    ----------
    ephemeris
        The propagator.
    start
        The instant of time 0.
    step_s
        How far apart samples may lie for cubic interpolation to keep within half a metre.
    """

    ephemeris: Ephemeris
    start: datetime
    step_s: float

    @property
    def satellites(self) -> int:
        """Number of satellites."""
        return len(self.ephemeris)

    def sample(self, time_s: Array, satellites: Indices | None = None) -> Samples:
        """Return positions and velocities in the Earth-fixed frame.

        Parameters
        ----------
        time_s
            Seconds after the start of the time grid, shape (instants,).
        satellites
            Which satellites, increasing, or None for all.

        Returns
        -------
        Samples
            In the order asked for. An instant gives the same bits in whatever company it is asked.
        """
        dates = [julian_date(self.start, second) for second in time_s.tolist()]
        day, fraction = (np.array(column) for column in zip(*dates, strict=True))
        if satellites is not None and len(satellites) == self.satellites:
            satellites = None
        position, velocity, valid = self.ephemeris.teme(day, fraction, satellites)
        angle = np.array([gmst_rad(*date) for date in dates])
        cosine, sine = np.cos(angle), np.sin(angle)
        fixed, moving = (np.empty((3, *valid.shape)) for _ in range(2))
        for turned, vector in ((fixed, position), (moving, velocity)):
            turned[0] = cosine * vector[..., 0] + sine * vector[..., 1]
            turned[1] = cosine * vector[..., 1] - sine * vector[..., 0]
            turned[2] = vector[..., 2]
        moving[0] += EARTH_RATE_RAD_S * fixed[1]
        moving[1] -= EARTH_RATE_RAD_S * fixed[0]
        fixed[:, ~valid] = np.nan
        moving[:, ~valid] = np.nan
        return Samples(np.asarray(time_s, dtype=np.float64), fixed, moving, valid)


def motion_of(continuum: Continuum) -> Motion:
    """Return the satellites of a continuum as functions of time.

    Parameters
    ----------
    continuum
        With a generated topology.

    Returns
    -------
    Motion
        Time 0 is the start of the time grid.

    Raises
    ------
    leotrek_opt.errors.UnsupportedError
        If the topology is explicit: positions at steps say nothing about the time between them.
    """
    topology = generated(continuum)
    found, start = ephemeris(topology), start_instant(topology, continuum.time)
    day, fraction = julian_date(start)
    position, velocity, valid = found.teme(np.array([day]), np.array([fraction]))
    known = valid[:, 0]
    return Motion(found, start, interpolation_step_s(position[known, 0], velocity[known, 0]))


def interpolation_step_s(position_km: Array, velocity_km_s: Array) -> float:
    """Return how far apart samples may lie for cubic interpolation to keep within half a metre.

    Parameters
    ----------
    position_km, velocity_km_s
        Inertial, of some satellites at one instant, shape (n, 3).

    Returns
    -------
    float
        Seconds, a multiple of five. 60 s at 550 km, where a pass takes minutes.

    Notes
    -----
    A cubic through two positions and velocities h apart is off by at most ``h^4 |r''''| / 384``.
    On a Kepler orbit the fourth derivative is largest at the perigee, ``r_p n_p^4 (1 + 3 e)`` with
    ``n_p^2 = GM / r_p^3`` (from the f and g series); the turning frame adds its own rate to n_p.
    Velocities of SGP4 are derivatives of its positions only to some 1e-5 km/s, on orbits of high
    eccentricity to some 4e-4 km/s (2 m), and they leave out the fall of a satellite that is about
    to decay.
    """
    if not len(position_km):
        return 60.0
    radius = np.sqrt(np.einsum("ij,ij->i", position_km, position_km))
    square_speed = np.einsum("ij,ij->i", velocity_km_s, velocity_km_s)
    radial = np.einsum("ij,ij->i", position_km, velocity_km_s)
    momentum = radius**2 * square_speed - radial**2
    energy = 2 / radius - square_speed / GM_KM3_S2
    eccentricity = np.sqrt(np.maximum(1 - momentum * energy / GM_KM3_S2, 0.0))
    perigee = momentum / GM_KM3_S2 / (1 + eccentricity)
    rate = np.sqrt(GM_KM3_S2 / perigee**3) + EARTH_RATE_RAD_S
    fourth = float(np.max(perigee * rate**4 * (1 + 3 * eccentricity)))
    step = math.sqrt(math.sqrt(384 * _INTERPOLATION_ERROR_KM / fourth))
    return min(max(5.0 * math.floor(step / 5.0), _SHORTEST_STEP_S), _LONGEST_STEP_S)


def finer_arcs(
    arcs: Arcs,
    arc: Indices,
    ends: Sequence[Indices],
    sample: Callable[[Array, Indices], Samples],
    origin: Array | None = None,
) -> Arcs:
    """Sample some arcs anew, each in ``PARTS`` parts.

    Parameters
    ----------
    arcs
        Of one satellite each, or of several whose components follow each other.
    arc
        Which of them, n.
    ends
        Rows of the satellites of each of these arcs, shape (n,), one array per satellite.
    sample
        Samples satellites, given by row, at other instants.
    origin
        What positions are measured from, shape (3, n); the centre of the Earth without it.

    Returns
    -------
    Arcs
        n times ``PARTS``, in order.
    """
    left = arcs.left[arc]
    width, components = PARTS + 1, 3 * len(ends)
    time_s = np.empty((len(arc), width))
    position, velocity = (np.empty((components, len(arc), width)) for _ in range(2))
    for begin in np.unique(arcs.time_s[left]):
        same = np.flatnonzero(arcs.time_s[left] == begin)
        end = arcs.time_s[left[same[0]] + 1]
        instants = begin + (end - begin) * np.arange(width) / PARTS
        instants[-1] = end
        time_s[same] = instants
        rows, place = np.unique(np.stack([each[same] for each in ends]), return_inverse=True)
        samples = sample(instants, rows)
        for number, row in enumerate(place.reshape(len(ends), -1)):
            part = slice(3 * number, 3 * number + 3)
            position[part, same] = samples.position_km[:, row]
            velocity[part, same] = samples.velocity_km_s[:, row]
    if origin is not None:
        position -= origin[:, :, None]
    first = np.arange(len(arc))[:, None] * width + np.arange(PARTS)
    return Arcs(
        time_s.reshape(-1),
        position.reshape(components, -1),
        velocity.reshape(components, -1),
        first.reshape(-1),
    )
