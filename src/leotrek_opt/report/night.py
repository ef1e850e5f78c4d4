"""Where it is night on the ground."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def night_on_map(sun_direction: Array) -> Array:
    """Return the night side as a polygon of a map.

    Parameters
    ----------
    sun_direction
        Unit vector in ECEF, shape (3,).

    Returns
    -------
    ndarray
        Longitude in [-180, 180] and latitude in degrees, closed, shape (points, 2). The Earth is
        taken for a sphere and the Sun for a point without refraction.
    """
    longitude = np.linspace(-180.0, 180.0, 361)
    hour_angle = np.radians(longitude) - np.arctan2(sun_direction[1], sun_direction[0])
    # At an equinox the border runs through the poles; a ten thousandth of a degree is not seen.
    z = sun_direction[2] if abs(sun_direction[2]) > 2e-6 else 2e-6
    flat = np.hypot(sun_direction[0], sun_direction[1])
    border = np.degrees(np.arctan(-flat * np.cos(hour_angle) / z))
    dark_pole = -90.0 if z > 0 else 90.0
    return np.vstack(
        (
            np.stack((longitude, border), axis=1),
            [[180.0, dark_pole], [-180.0, dark_pole], [-180.0, border[0]]],
        )
    )


def night_border(sun_direction: Array) -> Array:
    """Return the circle between day and night.

    Parameters
    ----------
    sun_direction
        Unit vector in ECEF, shape (3,).

    Returns
    -------
    ndarray
        Longitude and latitude in degrees, closed, shape (points, 2); seen from outside it runs
        clockwise around the night, as the rings of land do around land.
    """
    aside = np.cross(sun_direction, [0.0, 0.0, 1.0])
    aside /= np.linalg.norm(aside)
    above = np.cross(aside, sun_direction)
    turn = np.linspace(0, 2 * np.pi, 361)[:, None]
    circle = np.cos(turn) * aside - np.sin(turn) * above
    return np.stack(
        (
            np.degrees(np.arctan2(circle[:, 1], circle[:, 0])),
            np.degrees(np.arcsin(np.clip(circle[:, 2], -1.0, 1.0))),
        ),
        axis=1,
    )
