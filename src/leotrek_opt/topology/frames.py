"""Frames: inertial TEME, Earth-fixed ECEF, geodetic on an ellipsoid, and the view from the ground.

TEME is turned into ECEF by Greenwich mean sidereal time alone, with UT1 = UTC and without polar
motion: about 24 m away from the full ITRS chain, which is 0.1 microseconds of light.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.models.topology import Ellipsoid

EQUATORIAL_RADIUS_KM = 6378.137
"""Semi-major axis of WGS84."""
FLATTENING = 1 / 298.257223563
"""Flattening of WGS84."""

Array = NDArray[np.float64]


class Figure(NamedTuple):
    """An ellipsoid of revolution that stands for the Earth.

    ``equatorial_radius_km`` is its semi-major axis a, ``flattening`` is (a - b) / a.
    """

    equatorial_radius_km: float
    flattening: float

    @property
    def eccentricity_squared(self) -> float:
        """First eccentricity squared, 1 - (b / a)^2."""
        return self.flattening * (2 - self.flattening)


WGS84 = Figure(EQUATORIAL_RADIUS_KM, FLATTENING)

FIGURES: Mapping[Ellipsoid, Figure] = MappingProxyType(
    {
        "wgs84": WGS84,
        "wgs72": Figure(6378.135, 1 / 298.26),
    }
)
"""By the names that documents use."""


class LookAngles(NamedTuple):
    """Where places see points: angles in degrees and distance in km, shape (n,) each.

    Azimuth counts from north through east, in [0, 360). Elevation is above the plane that is normal
    to the ellipsoid, without refraction.
    """

    azimuth_deg: Array
    elevation_deg: Array
    range_km: Array


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


def teme_to_ecef(
    position_km: Array, julian_day: float, fraction: float, out: Array | None = None
) -> Array:
    """Rotate positions, or directions, from TEME to ECEF.

    Parameters
    ----------
    position_km
        TEME, shape (..., 3).
    julian_day, fraction
        Julian date UT1 in two parts.
    out
        Where to write the result, same shape; a new array by default.

    Returns
    -------
    ndarray
        ECEF, shape (..., 3).
    """
    return turned(position_km, -gmst_rad(julian_day, fraction), out)


def turned(vector: Array, angle_rad: float, out: Array | None = None) -> Array:
    """Turn vectors about the Earth's axis.

    Parameters
    ----------
    vector
        Shape (..., 3).
    angle_rad
        Eastwards.
    out
        Where to write the result, same shape; a new array by default.

    Returns
    -------
    ndarray
        Shape (..., 3).
    """
    cosine, sine = math.cos(angle_rad), math.sin(angle_rad)
    x, y = vector[..., 0], vector[..., 1]
    result = np.empty(vector.shape) if out is None else out
    np.subtract(cosine * x, sine * y, out=result[..., 0])
    np.add(sine * x, cosine * y, out=result[..., 1])
    result[..., 2] = vector[..., 2]
    return result


def geodetic_to_ecef(
    latitude_deg: ArrayLike,
    longitude_deg: ArrayLike,
    altitude_km: ArrayLike,
    figure: Figure = WGS84,
) -> Array:
    """Place geodetic positions on and above an ellipsoid.

    Parameters
    ----------
    latitude_deg, longitude_deg, altitude_km
        Shape (n,) each; altitude is above the ellipsoid.
    figure
        The ellipsoid.

    Returns
    -------
    ndarray
        ECEF in km, shape (n, 3).
    """
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    altitude = np.asarray(altitude_km, dtype=np.float64)
    e2 = figure.eccentricity_squared
    normal = figure.equatorial_radius_km / np.sqrt(1 - e2 * np.sin(latitude) ** 2)
    flat = (normal + altitude) * np.cos(latitude)
    return np.stack(
        (
            flat * np.cos(longitude),
            flat * np.sin(longitude),
            (normal * (1 - e2) + altitude) * np.sin(latitude),
        ),
        axis=-1,
    )


def geodetic_up(latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> Array:
    """Return the outward normals of an ellipsoid, which geodetic latitude fixes whatever its axes.

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


def ecef_to_geodetic(position_km: Array, figure: Figure = WGS84) -> tuple[Array, Array, Array]:
    """Return latitude, longitude and altitude.

    Parameters
    ----------
    position_km
        ECEF, shape (n, 3), at least 1000 km from the centre of the Earth.
    figure
        The ellipsoid that latitude and altitude refer to.

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
    equatorial, flattening = figure
    polar, e2 = equatorial * (1 - flattening), figure.eccentricity_squared
    x, y, z = position_km[:, 0], position_km[:, 1], position_km[:, 2]
    from_axis = np.hypot(x, y)
    parametric = np.arctan2(z * equatorial, from_axis * polar)
    latitude = parametric
    for _ in range(3):
        latitude = np.arctan2(
            z + e2 / (1 - e2) * polar * np.sin(parametric) ** 3,
            from_axis - e2 * equatorial * np.cos(parametric) ** 3,
        )
        parametric = np.arctan2((1 - flattening) * np.sin(latitude), np.cos(latitude))
    altitude = (
        from_axis * np.cos(latitude)
        + z * np.sin(latitude)
        - equatorial * np.sqrt(1 - e2 * np.sin(latitude) ** 2)
    )
    return np.degrees(latitude), np.degrees(np.arctan2(y, x)), altitude


def look_angles(
    latitude_deg: ArrayLike, longitude_deg: ArrayLike, ground_km: Array, point_km: Array
) -> LookAngles:
    """Return azimuth, elevation and distance of points as places on the ground see them.

    Parameters
    ----------
    latitude_deg, longitude_deg
        Geodetic, of the places: a number or shape (n,).
    ground_km
        The places in ECEF, shape (3,) or (n, 3).
    point_km
        The points in ECEF, shape (n, 3).

    Returns
    -------
    LookAngles
        NaN where a point is; the azimuth of a point straight above is 0.
    """
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    sight = np.asarray(point_km) - ground_km
    x, y, z = sight[..., 0], sight[..., 1], sight[..., 2]
    # Along the meridian, seen from the axis: outward and parallel to the axis.
    outward = np.cos(longitude) * x + np.sin(longitude) * y
    east = np.cos(longitude) * y - np.sin(longitude) * x
    north = np.cos(latitude) * z - np.sin(latitude) * outward
    up = np.cos(latitude) * outward + np.sin(latitude) * z
    level = np.hypot(east, north)
    azimuth = np.degrees(np.arctan2(east, north)) % 360.0
    # The arc tangent is good near the zenith too, where the arc sine loses half the digits.
    return LookAngles(
        # An angle just below zero is rounded up to a full turn.
        np.where(azimuth == 360.0, 0.0, azimuth),
        np.degrees(np.arctan2(up, level)),
        np.hypot(level, up),
    )
