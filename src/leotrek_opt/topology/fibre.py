"""Terrestrial links between ground nodes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.ground_links import FibreLinks
from leotrek_opt.topology.frames import geodetic_up
from leotrek_opt.topology.ordering import rank_among_equals

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

SPHERE_RADIUS_KM = 6371.0
"""Mean radius of the Earth, on which lengths of fibre are measured."""


def fibre_links(
    latitude_deg: Array, longitude_deg: Array, rule: FibreLinks
) -> tuple[Indices, Indices, Array]:
    """Link each place to its nearest ones; a link that two places choose exists once.

    Parameters
    ----------
    latitude_deg, longitude_deg
        Places, shape (n,).
    rule
        Number of neighbours, stretch, longest great circle allowed. Ties (to the millimetre)
        go to the smaller index.

    Returns
    -------
    source, target : ndarray
        Indices of places with source < target, sorted.
    length_km : ndarray
        Great circle times ``path_stretch``.
    """
    from scipy.spatial import cKDTree

    count = len(latitude_deg)
    neighbours = min(rule.neighbours, count - 1)
    if neighbours < 1:
        none = np.empty(0, dtype=np.int64)
        return none, none, np.empty(0)
    point = geodetic_up(latitude_deg, longitude_deg)
    tree = cKDTree(point)
    # A tree breaks ties as it likes, so every place up to the last neighbour's distance is taken
    # and the tie is settled below.
    farthest = np.asarray(tree.query(point, k=[neighbours + 1])[0])[:, 0] + 1e-9
    within = tree.query_ball_point(point, farthest)
    source = np.repeat(np.arange(count), [len(row) for row in within])
    target = np.concatenate([np.asarray(row, dtype=np.int64) for row in within])
    source, target = source[source != target], target[source != target]
    arc = great_circle_km(
        latitude_deg[source], longitude_deg[source], latitude_deg[target], longitude_deg[target]
    )
    # To the millimetre: the same arc computed from other angles differs in its last bits.
    order = np.lexsort((target, np.rint(arc * 1e6), source))
    chosen = order[rank_among_equals(source[order]) < neighbours]
    if rule.max_range_km is not None:
        chosen = chosen[arc[chosen] <= rule.max_range_km]
    ends = np.sort(np.stack((source[chosen], target[chosen])), axis=0)
    ends, first = np.unique(ends, axis=1, return_index=True)
    return ends[0], ends[1], arc[chosen][first] * rule.path_stretch


def great_circle_km(
    latitude0_deg: Array, longitude0_deg: Array, latitude_deg: Array, longitude_deg: Array
) -> Array:
    """Return great-circle distances on a sphere of 6371 km.

    Parameters
    ----------
    latitude0_deg, longitude0_deg, latitude_deg, longitude_deg
        The two ends, shape (n,).

    Returns
    -------
    ndarray
        Kilometres, shape (n,).

    Notes
    -----
    The haversine formula: R. W. Sinnott, Virtues of the haversine, Sky and Telescope 68(2), 1984.
    """
    latitude0, latitude = np.radians(latitude0_deg), np.radians(latitude_deg)
    half_longitude = np.radians(longitude_deg - longitude0_deg) / 2
    haversine = (
        np.sin((latitude - latitude0) / 2) ** 2
        + np.cos(latitude0) * np.cos(latitude) * np.sin(half_longitude) ** 2
    )
    arc: Array = 2 * SPHERE_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(haversine, 1.0)))
    return arc
