"""Frames: inertial TEME, Earth-fixed ECEF and geodetic WGS84.

TEME is turned into ECEF by Greenwich mean sidereal time alone, with UT1 = UTC and without polar
motion: about 24 m away from the full ITRS chain, which is 0.1 microseconds of light.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

EQUATORIAL_RADIUS_KM = 6378.137
"""Semi-major axis of WGS84."""
FLATTENING = 1 / 298.257223563
"""Flattening of WGS84."""

Array = NDArray[np.float64]

_POLAR_RADIUS_KM = EQUATORIAL_RADIUS_KM * (1 - FLATTENING)
_E2 = FLATTENING * (2 - FLATTENING)
_E2_PRIME = _E2 / (1 - _E2)


def gmst_rad(julian_day: float, fraction: float) -> float:
    """Return Greenwich mean sidereal time.

    Parameters
    ----------
    julian_day, fraction
        Julian date UT1 in two parts; their sum is the date.

    Returns
    -------
    float
        Radians in [0, 2 pi).

    Notes
    -----
    The polynomial IAU 1982: S. Aoki et al., The new definition of universal time, Astronomy and
    Astrophysics 105, 1982, pp. 359-361.
    """
    days = julian_day - 2_451_545.0
    century = (days + fraction) / 36_525.0
    seconds = (
        67_310.54841 + 8_640_184.812866 * century + 0.093104 * century**2 - 6.2e-6 * century**3
    )
    # 876600 hours a century are one turn a day; whole turns are left out before rounding.
    turns = seconds / 86_400.0 + days % 1.0 + fraction
    return 2 * math.pi * (turns % 1.0)


def teme_to_ecef(position_km: Array, julian_day: float, fraction: float) -> Array:
    """Rotate positions from TEME to ECEF.

    Parameters
    ----------
    position_km
        TEME, shape (n, 3).
    julian_day, fraction
        Julian date UT1 in two parts.

    Returns
    -------
    ndarray
        ECEF in km, shape (n, 3).
    """
    angle = gmst_rad(julian_day, fraction)
    cosine, sine = math.cos(angle), math.sin(angle)
    x, y, z = position_km[:, 0], position_km[:, 1], position_km[:, 2]
    return np.stack((cosine * x + sine * y, cosine * y - sine * x, z), axis=1)


def geodetic_to_ecef(
    latitude_deg: ArrayLike, longitude_deg: ArrayLike, altitude_km: ArrayLike
) -> Array:
    """Place geodetic positions on and above the WGS84 ellipsoid.

    Parameters
    ----------
    latitude_deg, longitude_deg, altitude_km
        Shape (n,) each; altitude is above the ellipsoid.

    Returns
    -------
    ndarray
        ECEF in km, shape (n, 3).
    """
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    altitude = np.asarray(altitude_km, dtype=np.float64)
    normal = EQUATORIAL_RADIUS_KM / np.sqrt(1 - _E2 * np.sin(latitude) ** 2)
    flat = (normal + altitude) * np.cos(latitude)
    return np.stack(
        (
            flat * np.cos(longitude),
            flat * np.sin(longitude),
            (normal * (1 - _E2) + altitude) * np.sin(latitude),
        ),
        axis=-1,
    )


def geodetic_up(latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> Array:
    """Return the outward normals of the ellipsoid.

    Parameters
    ----------
    latitude_deg, longitude_deg
        Shape (n,) each.

    Returns
    -------
    ndarray
        Unit vectors in ECEF, shape (n, 3).
    """
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    return np.stack(
        (
            np.cos(latitude) * np.cos(longitude),
            np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
        ),
        axis=-1,
    )


def ecef_to_geodetic(position_km: Array) -> tuple[Array, Array, Array]:
    """Return latitude, longitude and altitude on WGS84.

    Parameters
    ----------
    position_km
        ECEF, shape (n, 3), at least 1000 km from the centre of the Earth.

    Returns
    -------
    tuple of ndarray
        Latitude and longitude in degrees and altitude in km, shape (n,) each; NaN where the
        position is.

    Notes
    -----
    B. R. Bowring, Transformation from spatial to geographical coordinates, Survey Review 23(181),
    1976, pp. 323-327; three rounds leave less than a micrometre from the ground to the
    geostationary belt.
    """
    x, y, z = position_km[:, 0], position_km[:, 1], position_km[:, 2]
    from_axis = np.hypot(x, y)
    parametric = np.arctan2(z * EQUATORIAL_RADIUS_KM, from_axis * _POLAR_RADIUS_KM)
    latitude = parametric
    for _ in range(3):
        latitude = np.arctan2(
            z + _E2_PRIME * _POLAR_RADIUS_KM * np.sin(parametric) ** 3,
            from_axis - _E2 * EQUATORIAL_RADIUS_KM * np.cos(parametric) ** 3,
        )
        parametric = np.arctan2((1 - FLATTENING) * np.sin(latitude), np.cos(latitude))
    altitude = (
        from_axis * np.cos(latitude)
        + z * np.sin(latitude)
        - EQUATORIAL_RADIUS_KM * np.sqrt(1 - _E2 * np.sin(latitude) ** 2)
    )
    return np.degrees(latitude), np.degrees(np.arctan2(y, x)), altitude
