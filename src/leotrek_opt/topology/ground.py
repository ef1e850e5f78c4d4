"""Links from ground nodes to satellites above an elevation mask."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.topology import GroundLinks

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_TREE_FROM = 50
"""Number of ground nodes above which a k-d tree finds candidates faster than a product."""

_NORMAL_TILT_DEG = 0.2
"""The geodetic normal leans at most 0.193 degrees away from the geocentric one."""


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
    known = np.flatnonzero(valid)
    find = _within_range if len(ground_km) > _TREE_FROM else _above_horizon
    ground, column = find(ground_km, up, satellite_km[known], rule.min_elevation_deg)
    satellite = known[column]
    sight = satellite_km[satellite] - ground_km[ground]
    length = np.sqrt(np.einsum("ij,ij->i", sight, sight))
    sine = np.einsum("ij,ij->i", sight, up[ground]) / length
    visible = sine >= math.sin(math.radians(rule.min_elevation_deg))
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


def _above_horizon(
    ground_km: Array,
    up: Array,
    satellite_km: Array,
    min_elevation_deg: float,  # noqa: ARG001
) -> tuple[Indices, Indices]:
    height = np.einsum("ij,ij->i", up, ground_km) - 1e-6
    ground, satellite = np.nonzero(up @ satellite_km.T >= height[:, None])
    return ground, satellite


def _within_range(
    ground_km: Array,
    up: Array,  # noqa: ARG001
    satellite_km: Array,
    min_elevation_deg: float,
) -> tuple[Indices, Indices]:
    from scipy.spatial import cKDTree

    lowest = float(np.sqrt(np.einsum("ij,ij->i", ground_km, ground_km).min()))
    highest = float(np.sqrt(np.einsum("ij,ij->i", satellite_km, satellite_km).max()))
    angle = math.radians(min_elevation_deg - _NORMAL_TILT_DEG)
    beyond = highest**2 - (lowest * math.cos(angle)) ** 2
    if beyond <= 0:
        none = np.empty(0, dtype=np.int64)
        return none, none
    radius = math.sqrt(beyond) - lowest * math.sin(angle) + 1e-6
    pairs = cKDTree(ground_km).sparse_distance_matrix(
        cKDTree(satellite_km), radius, output_type="ndarray"
    )
    return pairs["i"].astype(np.int64), pairs["j"].astype(np.int64)
