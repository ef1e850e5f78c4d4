"""How much of the Sun a satellite sees."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.topology.environment.sun import ASTRONOMICAL_UNIT_KM, SUN_RADIUS_KM

Array = NDArray[np.float64]

Shadow = Literal["cylindrical", "conical"]
ShadowEdge = Literal["cylinder", "penumbra", "umbra"]

SHADOW_RADIUS_KM = 6378.137
"""Radius of the Earth that casts the shadow, without atmosphere."""

# The penumbra widens by (Sun + Earth) / distance = 0.0048 at the most; what lies outside a wider
# cone sees the whole Sun, and the discs need not be compared there.
_WIDENING = 0.006
_SLACK_KM = 0.01 * SHADOW_RADIUS_KM


def sunlit_fraction(
    position_km: Array,
    sun_direction: Array,
    *,
    shadow: Shadow = "cylindrical",
    sun_distance_km: ArrayLike = ASTRONOMICAL_UNIT_KM,
) -> Array:
    """Return which part of the Sun's disc is in view.

    Parameters
    ----------
    position_km
        From the centre of the Earth, shape (..., 3).
    sun_direction
        Unit vector in the same frame, shape (3,), or any shape that broadcasts with the positions.
    shadow
        ``cylindrical``: parallel rays, so 0 or 1. ``conical``: umbra 0, penumbra in between.
    sun_distance_km
        From the centre of the Earth; only the conical shadow depends on it. A number, or a shape
        that broadcasts with that of the positions without their last axis.

    Returns
    -------
    ndarray
        In [0, 1], shape (...); NaN where the position is.

    Notes
    -----
    The cylinder has the radius :data:`SHADOW_RADIUS_KM`. The cone compares the discs of Sun and
    Earth as the satellite sees them: O. Montenbruck and E. Gill, Satellite Orbits, section 3.4.2.
    """
    along = _dot(position_km, sun_direction)
    across2 = np.einsum("...i,...i->...", position_km, position_km) - along * along
    if shadow == "cylindrical":
        # Written so that NaN stays NaN: neither comparison holds for it.
        dark = (along < 0) & (across2 < SHADOW_RADIUS_KM**2)
        lit = np.where(dark, 0.0, 1.0)
        lit[np.isnan(along)] = np.nan
        return lit
    lit = np.where(np.isnan(along), np.nan, 1.0)
    edge = SHADOW_RADIUS_KM + _SLACK_KM - _WIDENING * along
    near = (along < _SLACK_KM) & (across2 < edge * edge)
    distance = np.broadcast_to(np.asarray(sun_distance_km, dtype=np.float64), along.shape)[near]
    sun = np.broadcast_to(sun_direction, position_km.shape)[near]
    lit[near] = _visible_part(position_km[near], sun, distance)
    return lit


def shadow_margin_rad(
    position_km: Array,
    sun_direction: Array,
    *,
    edge: ShadowEdge = "cylinder",
    sun_distance_km: ArrayLike = ASTRONOMICAL_UNIT_KM,
) -> Array:
    """Return by which angle the Sun clears the limb of the Earth, as a satellite sees it.

    Parameters
    ----------
    position_km, sun_direction, sun_distance_km
        As for :func:`sunlit_fraction`.
    edge
        What has to clear the limb: the ``cylinder`` of parallel rays, the whole disc of the Sun
        (``penumbra``), or any part of it (``umbra``).

    Returns
    -------
    ndarray
        Radians, shape (...), negative inside the shadow and continuous everywhere; NaN where the
        position is.
    """
    radius = _length(position_km)
    limb = np.arcsin(np.minimum(SHADOW_RADIUS_KM / radius, 1.0))
    if edge == "cylinder":
        along = _dot(position_km, sun_direction)
        across = np.sqrt(np.maximum(radius * radius - along * along, 0.0))
        cleared: Array = np.arctan2(across, -along) - limb
        return cleared
    to_sun = np.asarray(sun_distance_km)[..., None] * sun_direction - position_km
    distance = _length(to_sun)
    cosine = -np.einsum("...i,...i->...", position_km, to_sun) / (radius * distance)
    sun = np.arcsin(SUN_RADIUS_KM / distance)
    margin: Array = np.arccos(np.clip(cosine, -1.0, 1.0)) - limb
    return margin - sun if edge == "penumbra" else margin + sun


def orbit_normal(inclination_rad: ArrayLike, raan_rad: ArrayLike) -> Array:
    """Return the axis about which satellites turn.

    Parameters
    ----------
    inclination_rad, raan_rad
        Inclination and right ascension of the ascending node, shape (n,).

    Returns
    -------
    ndarray
        Unit vectors in TEME, shape (n, 3).
    """
    inclination, raan = np.asarray(inclination_rad), np.asarray(raan_rad)
    return np.stack(
        (
            np.sin(inclination) * np.sin(raan),
            -np.sin(inclination) * np.cos(raan),
            np.cos(inclination) * np.ones_like(raan),
        ),
        axis=-1,
    )


def beta_angle_rad(normal: Array, sun_direction: Array) -> Array:
    """Return the angle between the Sun and orbital planes.

    Parameters
    ----------
    normal
        Unit vectors along the axes of the orbits, shape (n, 3), as from :func:`orbit_normal`.
    sun_direction
        Unit vector in the same frame, shape (3,).

    Returns
    -------
    ndarray
        Radians in [-pi / 2, pi / 2], shape (n,); positive on the side of the axis.
    """
    return np.arcsin(np.clip(_dot(normal, sun_direction), -1.0, 1.0))


def eclipse_fraction(altitude_km: ArrayLike, beta_rad: ArrayLike = 0.0) -> Array:
    """Return the part of a circular orbit that lies in the cylindrical shadow.

    Parameters
    ----------
    altitude_km
        Above :data:`SHADOW_RADIUS_KM`.
    beta_rad
        Angle between the Sun and the orbital plane; 0 gives the longest eclipse.

    Returns
    -------
    ndarray
        In [0, 0.5), 0 where the orbit clears the shadow.

    Notes
    -----
    acos(sqrt(h^2 + 2 R h) / ((R + h) cos beta)) / pi, from the half-angle at which the orbit leaves
    the cylinder.
    """
    altitude = np.asarray(altitude_km, dtype=np.float64)
    side = np.sqrt(altitude * (altitude + 2 * SHADOW_RADIUS_KM))
    cosine = np.maximum((SHADOW_RADIUS_KM + altitude) * np.cos(beta_rad), 1e-12)
    half_angle: Array = np.arccos(np.minimum(side / cosine, 1.0))
    return half_angle / math.pi


def _dot(vectors: Array, direction: Array) -> Array:
    # One direction for all is the common case, and a matrix product is the quicker there.
    product: Array = (
        vectors @ direction
        if direction.ndim == 1
        else np.einsum("...i,...i->...", vectors, direction)
    )
    return product


def _length(vectors: Array) -> Array:
    length: Array = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    return length


def _visible_part(position_km: Array, sun_direction: Array, sun_distance_km: Array) -> Array:
    """Compare the discs of Sun and Earth; shape (m, 3), (m, 3) and (m,)."""
    to_sun = sun_distance_km[:, None] * sun_direction - position_km
    distance, radius = _length(to_sun), _length(position_km)
    sun = np.arcsin(SUN_RADIUS_KM / distance)
    earth = np.arcsin(np.minimum(SHADOW_RADIUS_KM / radius, 1.0))
    cosine = -np.einsum("mi,mi->m", position_km, to_sun) / (radius * distance)
    apart = np.arccos(np.clip(cosine, -1.0, 1.0))
    # Either the Earth's disc holds the Sun's, or (far beyond the tip of the umbra) lies within it.
    covered = np.minimum(1.0, (earth / sun) ** 2)
    lit = np.where(apart >= sun + earth, 1.0, 1.0 - covered)
    partly = (apart < sun + earth) & (apart > np.abs(sun - earth))
    a, b, c = sun[partly], earth[partly], apart[partly]
    from_sun = (c * c + a * a - b * b) / (2 * c)
    half_chord = np.sqrt(np.maximum(a * a - from_sun * from_sun, 0.0))
    overlap = (
        a * a * np.arccos(np.clip(from_sun / a, -1.0, 1.0))
        + b * b * np.arccos(np.clip((c - from_sun) / b, -1.0, 1.0))
        - c * half_chord
    )
    lit[partly] = np.clip(1.0 - overlap / (math.pi * a * a), 0.0, 1.0)
    return lit
