"""Where the Sun is, to about a hundredth of a degree."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.topology.frames import teme_to_ecef

Array = NDArray[np.float64]

ASTRONOMICAL_UNIT_KM = 149_597_870.7
"""Mean distance of the Sun (IAU 2012)."""
SUN_RADIUS_KM = 695_700.0
"""Nominal radius of the Sun (IAU 2015)."""


def sun_teme(julian_day: ArrayLike, fraction: ArrayLike) -> Array:
    """Return the direction of the Sun in the frame of SGP4.

    Parameters
    ----------
    julian_day, fraction
        Julian dates UT1 in two parts, numbers or shape (t,).

    Returns
    -------
    ndarray
        Unit vectors from the centre of the Earth, shape (3,) or (t, 3).

    Notes
    -----
    The low-precision formula of the Astronomical Almanac, good to 0.01 degrees between 1950 and
    2050 (D. A. Vallado, Fundamentals of Astrodynamics and Applications, algorithm 29). It refers to
    the mean equator of date, whose difference from TEME is smaller than its own error.
    """
    century = _century(julian_day, fraction)
    anomaly = _mean_anomaly_rad(century)
    longitude = np.radians(
        (280.460 + 36_000.771 * century) % 360.0
        + 1.914666471 * np.sin(anomaly)
        + 0.019994643 * np.sin(2 * anomaly)
    )
    obliquity = np.radians(23.439291 - 0.0130042 * century)
    return np.stack(
        (
            np.cos(longitude),
            np.cos(obliquity) * np.sin(longitude),
            np.sin(obliquity) * np.sin(longitude),
        ),
        axis=-1,
    )


def sun_ecef(julian_day: float, fraction: float) -> Array:
    """Return the direction of the Sun in the Earth-fixed frame.

    Parameters
    ----------
    julian_day, fraction
        One Julian date UT1 in two parts.

    Returns
    -------
    ndarray
        Unit vector, shape (3,).
    """
    return teme_to_ecef(sun_teme(julian_day, fraction), julian_day, fraction)


def sun_distance_km(julian_day: ArrayLike, fraction: ArrayLike) -> Array:
    """Return how far the Sun is.

    Parameters
    ----------
    julian_day, fraction
        Julian dates UT1 in two parts, numbers or shape (t,).

    Returns
    -------
    ndarray
        Kilometres, shape () or (t,).

    Notes
    -----
    Vallado, algorithm 29, as :func:`sun_teme`.
    """
    anomaly = _mean_anomaly_rad(_century(julian_day, fraction))
    return ASTRONOMICAL_UNIT_KM * (
        1.000140612 - 0.016708617 * np.cos(anomaly) - 0.000139589 * np.cos(2 * anomaly)
    )


def _century(julian_day: ArrayLike, fraction: ArrayLike) -> Array:
    days = np.asarray(julian_day, dtype=np.float64) - 2_451_545.0
    return (days + np.asarray(fraction, dtype=np.float64)) / 36_525.0


def _mean_anomaly_rad(century: Array) -> Array:
    return np.radians((357.5291092 + 35_999.05034 * century) % 360.0)
