"""Links from ground nodes to satellites above an elevation mask."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.ground_links import GroundLinks

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_TREE_FROM = 50
"""Number of ground nodes above which a k-d tree finds candidates faster than a product."""

_NORMAL_TILT_DEG = 0.2
"""The geodetic normal leans at most 0.193 degrees away from the geocentric one."""

_SLACK_KM = 1e-3
"""What candidates may miss their bound by, so that rounding loses none."""


def ground_links(
    ground_km: Array,
    up: Array,
    satellite_km: Array,
    valid: NDArray[np.bool_],
    rule: GroundLinks,
) -> tuple[Indices, Indices, Array]:
    """Choose the satellites that each ground node is linked to at one step.

    Parameters
    ----------
    ground_km
        Ground nodes in ECEF, shape (ground, 3).
    up
        Their geodetic normals, unit vectors, shape (ground, 3).
    satellite_km
        Satellites in ECEF, shape (satellites, 3), NaN where unknown.
    valid
        Shape (satellites,); others have no link.
    rule
        Mask and strategy. Ties (to the millimetre, or 1e-9 of the sine of the elevation) go to the
        smaller satellite index.

    Returns
    -------
    ground, satellite : ndarray
        Row of ``ground_km`` and of ``satellite_km`` of each link, sorted by both.
    length_km : ndarray
        Slant range of each link.

    Notes
    -----
    Elevation e: sin e = u . (s - g) / |s - g|, without refraction; links at the mask count.
    """
    if not len(ground_km) or not valid.any():
        none = np.empty(0, dtype=np.int64)
        return none, none, np.empty(0)
    mask_deg = rule.min_elevation_deg or 0.0
    known = np.flatnonzero(valid)
    find = _within_range if len(ground_km) > _TREE_FROM else _above_plane
    ground, column = find(ground_km, up, satellite_km[known], mask_deg)
    satellite = known[column]
    sight = satellite_km[satellite] - ground_km[ground]
    length = np.sqrt(np.einsum("ij,ij->i", sight, sight))
    sine = np.einsum("ij,ij->i", sight, up[ground]) / length
    visible = sine >= math.sin(math.radians(mask_deg))
    ground, satellite, length, sine = (
        column[visible] for column in (ground, satellite, length, sine)
    )
    if rule.strategy == "all_visible":
        chosen = np.lexsort((satellite, ground))
    else:
        # To the millimetre and its angle, so that rounding does not decide between equals.
        worth = np.rint(length * 1e6 if rule.strategy == "nearest" else sine * -1e9)
        order = np.lexsort((satellite, worth, ground))
        group = ground[order]
        rank = np.arange(len(order)) - np.searchsorted(group, group)
        best = order[rank < rule.max_links]
        chosen = best[np.lexsort((satellite[best], ground[best]))]
    return ground[chosen], satellite[chosen], length[chosen]


def _above_plane(
    ground_km: Array, up: Array, satellite_km: Array, min_elevation_deg: float
) -> tuple[Indices, Indices]:
    """Pairs whose height above the horizontal plane a satellite at the mask would reach."""
    slant = _slant_range_km(
        _radii(ground_km).max(), _radii(satellite_km).min(), min_elevation_deg + _NORMAL_TILT_DEG
    )
    rise = math.sin(math.radians(min_elevation_deg)) * slant
    height = np.einsum("ij,ij->i", up, ground_km) + rise - _SLACK_KM
    ground, satellite = np.nonzero(up @ satellite_km.T >= height[:, None])
    return ground, satellite


def _within_range(
    ground_km: Array,
    up: Array,  # noqa: ARG001
    satellite_km: Array,
    min_elevation_deg: float,
) -> tuple[Indices, Indices]:
    """Pairs no farther apart than the longest slant range at the mask."""
    from scipy.spatial import cKDTree

    radius = _SLACK_KM + _slant_range_km(
        _radii(ground_km).min(), _radii(satellite_km).max(), min_elevation_deg - _NORMAL_TILT_DEG
    )
    # Every step builds its tree anew: sorting it well would cost more than it saves.
    tree = cKDTree(satellite_km, balanced_tree=False, compact_nodes=False)
    pairs = cKDTree(ground_km).sparse_distance_matrix(tree, radius, output_type="ndarray")
    return pairs["i"].astype(np.int64), pairs["j"].astype(np.int64)


def _radii(position_km: Array) -> Array:
    radii: Array = np.sqrt(np.einsum("ij,ij->i", position_km, position_km))
    return radii


def _slant_range_km(ground_radius_km: float, orbit_radius_km: float, elevation_deg: float) -> float:
    """Distance at which a sphere is seen under an elevation, 0 if it lies below the ground."""
    elevation = math.radians(elevation_deg)
    level = ground_radius_km * math.cos(elevation)
    beyond = math.sqrt(max(orbit_radius_km**2 - level**2, 0.0))
    return max(beyond - ground_radius_km * math.sin(elevation), 0.0)
