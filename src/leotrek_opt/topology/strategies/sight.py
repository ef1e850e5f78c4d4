"""Which links between satellites a step allows: length, line of sight, range, polar cut-off."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.inter_satellite import (
    InferredPlusGrid,
    InterSatelliteLink,
    PlusGrid,
    TreeLinks,
)
from leotrek_opt.topology.frames import EQUATORIAL_RADIUS_KM
from leotrek_opt.topology.state import LinkPairs

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

_BLOCK = 8192
"""Links measured at a time: what is only needed on the way then stays in the processor's cache."""


def link_lengths(
    position_km: Array, valid: Mask, pairs: LinkPairs, rule: InterSatelliteLink
) -> tuple[Array, Mask]:
    """Measure links at one step and say which of them are up.

    Parameters
    ----------
    position_km
        Satellites, shape (satellites, 3).
    valid
        Shape (satellites,); a satellite without position has no link.
    pairs
        Ends of the links, and which of them a polar cut-off may switch off.
    rule
        Margin of the line of sight, range and polar cut-off.

    Returns
    -------
    length_km : ndarray
        Shape (links,), NaN where a position is.
    up : ndarray of bool
        Shape (links,): both ends valid, the segment clears the Earth, not beyond the range, and no
        cross-plane link with an end beyond the latitude of the cut-off.
    """
    square = squared_lengths(position_km, pairs.source, pairs.target)
    up = _clear(position_km, valid, pairs, square, rule.line_of_sight_margin_km)
    length = np.sqrt(square, out=square)
    reach = range_km(rule)
    if reach is not None:
        up &= length <= reach
    cutoff_deg = polar_cutoff_deg(rule)
    if cutoff_deg is not None and pairs.cross_plane is not None:
        polar = beyond_latitude(position_km, cutoff_deg)
        if polar.any():
            up &= ~(pairs.cross_plane & (polar[pairs.source] | polar[pairs.target]))
    return length, up


def squared_lengths(position_km: Array, source: Indices, target: Indices) -> Array:
    """Return the squared distance between the ends of each link.

    Parameters
    ----------
    position_km
        Shape (satellites, 3).
    source, target
        Satellite indices, shape (links,).

    Returns
    -------
    ndarray
        In km^2, shape (links,). The same for both directions of a link, to the bit.
    """
    square = np.empty(len(source))
    columns = np.ascontiguousarray(position_km.T)
    for first in range(0, len(source), _BLOCK):
        start, end = source[first : first + _BLOCK], target[first : first + _BLOCK]
        total = square[first : first + _BLOCK]
        total[:] = 0.0
        for column in columns:
            along = column.take(start)
            along -= column.take(end)
            along *= along
            total += along
    return square


def range_km(rule: InterSatelliteLink) -> float | None:
    """Return the longest link that a rule allows at all.

    Parameters
    ----------
    rule
        Any rule for links between satellites.

    Returns
    -------
    float or None
        ``max_range_km``; None for the ``pst`` family, whose trees reach as far as sight does and
        whose range bounds only the links added to them.
    """
    if isinstance(rule, TreeLinks) and rule.type.startswith("pst"):
        return None
    return rule.max_range_km


def polar_cutoff_deg(rule: InterSatelliteLink) -> float | None:
    """Return the latitude beyond which links to other planes are off.

    Parameters
    ----------
    rule
        Any rule for links between satellites.

    Returns
    -------
    float or None
        Degrees; None without a cut-off.
    """
    if isinstance(rule, (PlusGrid, InferredPlusGrid)):
        return rule.max_cross_plane_latitude_deg
    return None


def beyond_latitude(position_km: Array, latitude_deg: float) -> Mask:
    """Say which satellites are nearer to a pole than a geocentric latitude.

    Parameters
    ----------
    position_km
        Shape (n, 3).
    latitude_deg
        The limit, itself still allowed.

    Returns
    -------
    ndarray of bool
        Shape (n,), False where a position is NaN.
    """
    radius = np.sqrt(squared_radii(position_km))
    beyond: Mask = np.abs(position_km[:, 2]) > math.sin(math.radians(latitude_deg)) * radius
    return beyond


def squared_radii(position_km: Array) -> Array:
    """Return the squared distance from the centre of the Earth.

    Parameters
    ----------
    position_km
        Shape (n, 3).

    Returns
    -------
    ndarray
        In km^2, shape (n,).
    """
    x, y, z = position_km.T
    square: Array = x * x
    square += y * y
    square += z * z
    return square


def longest_sight_km(highest_radius_km: float, margin_km: float) -> float:
    """Return how far two satellites can see each other at most.

    Parameters
    ----------
    highest_radius_km
        Neither is farther from the centre of the Earth.
    margin_km
        Height above the equatorial radius that the line of sight must keep.

    Returns
    -------
    float
        2 sqrt(r^2 - (R + margin)^2); 0 if even the highest is below the margin.
    """
    lowest = EQUATORIAL_RADIUS_KM + margin_km
    return 2 * math.sqrt(max(highest_radius_km**2 - lowest**2, 0.0))


def clears_earth(start_km: Array, end_km: Array, margin_km: float) -> Mask:
    """Say whether segments stay above the Earth by a margin.

    Parameters
    ----------
    start_km, end_km
        Ends of each segment from the centre of the Earth, shape (n, 3).
    margin_km
        Height above the sphere of the equatorial radius that the segment must keep, so that it
        passes above the denser atmosphere everywhere.

    Returns
    -------
    ndarray of bool
        Shape (n,). The segment is tested, not its line: two satellites on the same side see each
        other even when the line through them meets the Earth. False where a position is NaN.
    """
    along = end_km - start_km
    squares = np.einsum("ij,ij->i", along, along)
    with np.errstate(invalid="ignore", divide="ignore"):
        fraction = -np.einsum("ij,ij->i", start_km, along) / squares
    nearest = start_km + np.clip(np.where(squares > 0, fraction, 0.0), 0, 1)[:, None] * along
    distance_squared = np.einsum("ij,ij->i", nearest, nearest)
    clear: Mask = distance_squared >= (EQUATORIAL_RADIUS_KM + margin_km) ** 2
    return clear


def in_sight(
    position_km: Array, source: Indices, target: Indices, square_km2: Array, margin_km: float
) -> Mask:
    """Say which pairs of satellites see each other.

    Parameters
    ----------
    position_km
        Shape (satellites, 3).
    source, target
        Satellite indices, shape (n,).
    square_km2
        Their squared distances, shape (n,).
    margin_km
        Height above the equatorial radius that the segment must keep.

    Returns
    -------
    ndarray of bool
        Shape (n,), False where a position is NaN.

    Notes
    -----
    A segment of length d with both ends at least r from the centre stays sqrt(r^2 - d^2 / 4) away
    from it. That settles nearly every link of a constellation; the others are tested one by one.
    """
    squared_radius = squared_radii(position_km)
    lowest = (EQUATORIAL_RADIUS_KM + margin_km) ** 2
    bound = 4 * (float(np.fmin.reduce(squared_radius, initial=np.inf)) - lowest)
    if len(square_km2) and float(square_km2.max()) <= bound:
        return np.ones(len(square_km2), dtype=bool)
    clear: Mask = square_km2 <= bound
    doubtful = np.flatnonzero(~clear)
    lower = np.minimum(squared_radius[source[doubtful]], squared_radius[target[doubtful]])
    clear[doubtful] = square_km2[doubtful] <= 4 * (lower - lowest)
    doubtful = doubtful[~clear[doubtful]]
    clear[doubtful] = clears_earth(
        position_km[source[doubtful]], position_km[target[doubtful]], margin_km
    )
    return clear


def _clear(
    position_km: Array, valid: Mask, pairs: LinkPairs, square_km2: Array, margin_km: float
) -> Mask:
    clear = in_sight(position_km, pairs.source, pairs.target, square_km2, margin_km)
    if not valid.all():
        clear &= valid[pairs.source]
        clear &= valid[pairs.target]
    return clear
