"""Many lines as one array: links in space, cut where a map ends or the globe hides them.

A path is an array of points in which a row of NaN ends one line and begins another: drawn in one
go, however many links there are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.topology.frames import EQUATORIAL_RADIUS_KM, ecef_to_geodetic, geodetic_up

Array = NDArray[np.float64]

_LIMB_PIECE_RAD = np.radians(4.0)


def on_sphere(points_deg: Array) -> Array:
    """Return directions from the centre of the Earth.

    Parameters
    ----------
    points_deg
        Longitude and latitude in degrees, shape (points, 2).

    Returns
    -------
    ndarray
        Unit vectors, shape (points, 3).
    """
    longitude, latitude = points_deg.T
    return geodetic_up(latitude, longitude)


def on_map(position_km: Array) -> Array:
    """Return the points of the ground beneath positions.

    Parameters
    ----------
    position_km
        ECEF, shape (points, 3).

    Returns
    -------
    ndarray
        Longitude and latitude in degrees, shape (points, 2).
    """
    latitude, longitude, _ = ecef_to_geodetic(position_km)
    return np.stack((longitude, latitude), axis=1)


def link_path(
    position_km: Array, source: NDArray[Any], target: NDArray[Any], piece_deg: float = 3.0
) -> Array:
    """Lay straight lines between nodes.

    Parameters
    ----------
    position_km
        ECEF of all nodes, shape (nodes, 3).
    source, target
        Node indices of the two ends, shape (links,).
    piece_deg
        A line gets a point about every so many degrees, as seen from the centre of the Earth.

    Returns
    -------
    ndarray
        A path in ECEF in km, shape (points, 3).
    """
    if not len(source):
        return np.empty((0, 3))
    from_, to = position_km[source], position_km[target]
    cosine = np.einsum("li,li->l", from_, to) / (
        np.linalg.norm(from_, axis=1) * np.linalg.norm(to, axis=1)
    )
    angle_deg = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    pieces = np.maximum(1, np.ceil(angle_deg / piece_deg)).astype(np.int64)
    # Every line has a point more than pieces, and a NaN after it.
    lengths = pieces + 2
    first = np.cumsum(lengths) - lengths
    row = np.arange(lengths.sum()) - np.repeat(first, lengths)
    share = (row / np.repeat(pieces, lengths))[:, None]
    path: Array = (1 - share) * np.repeat(from_, lengths, axis=0) + share * np.repeat(
        to, lengths, axis=0
    )
    path[first + lengths - 1] = np.nan
    return path


def map_path(path_km: Array) -> Array:
    """Project a path onto a map with longitudes in [-180, 180], and cut it at the date line.

    Parameters
    ----------
    path_km
        ECEF, shape (points, 3).

    Returns
    -------
    ndarray
        Longitude and latitude in degrees, shape (points, 2); longer than the path by three rows a
        cut.
    """
    points = on_map(path_km)
    longitude, latitude = points.T
    step = np.diff(longitude)
    with np.errstate(invalid="ignore"):
        cut = np.flatnonzero(np.abs(step) > 180)
    if not len(cut):
        return points
    side = np.sign(longitude[cut]) * 180.0
    beyond = longitude[cut + 1] + 2 * side
    share = (side - longitude[cut]) / (beyond - longitude[cut])
    middle = latitude[cut] + share * (latitude[cut + 1] - latitude[cut])
    gap = np.full(len(cut), np.nan)
    inserted = np.stack((side, middle, gap, gap, -side, middle), axis=1).reshape(-1, 2)
    return np.insert(points, np.repeat(cut + 1, 3), inserted, axis=0)


class Globe:
    """The Earth seen from afar.

    Parameters
    ----------
    latitude_deg, longitude_deg
        The point in the middle, degrees.
    """

    def __init__(self, latitude_deg: float, longitude_deg: float) -> None:
        longitude = np.radians(longitude_deg)
        self.towards = geodetic_up(latitude_deg, longitude_deg)
        east = np.array([-np.sin(longitude), np.cos(longitude), 0.0])
        self._axes = np.stack((east, np.cross(self.towards, east), self.towards), axis=1)

    def project(self, position_km: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Return where points appear.

        Parameters
        ----------
        position_km
            ECEF, shape (n, 3).

        Returns
        -------
        point : ndarray
            Right and up in equatorial radii, shape (n, 2).
        hidden : ndarray of bool
            True behind the Earth, shape (n,).
        """
        turned = position_km @ self._axes / EQUATORIAL_RADIUS_KM
        point = turned[:, :2]
        hidden = (turned[:, 2] < 0) & (np.einsum("ni,ni->n", point, point) < 1)
        return point, hidden

    def visible_path(self, path_km: Array) -> Array:
        """Return what is seen of a path.

        Parameters
        ----------
        path_km
            ECEF, shape (points, 3).

        Returns
        -------
        ndarray
            A path in equatorial radii, shape (points, 2), NaN where it is hidden; lines end at the
            limb.
        """
        point, hidden = self.project(path_km)
        path = np.where(hidden[:, None], np.nan, point)
        seen = ~np.isnan(path[:, 0])
        # A line goes on to the limb: the hidden end of its last piece moves there.
        for near, far in (
            (np.arange(len(path) - 1), np.arange(1, len(path))),
            (np.arange(1, len(path)), np.arange(len(path) - 1)),
        ):
            leaves = seen[near] & hidden[far]
            path[far[leaves]] = _at_limb(point[near[leaves]], point[far[leaves]])
        return path

    def outline(self, ring_deg: Array) -> Array:
        """Return the visible part of an area, closed along the limb.

        Parameters
        ----------
        ring_deg
            Longitude and latitude of its border, closed, shape (points, 2).

        Returns
        -------
        ndarray
            Closed, shape (m, 2). Points behind the Earth are moved straight to the limb. Then the
            area is what the outline encloses, or all else if it holds the point opposite the view.
        """
        turned = on_sphere(ring_deg) @ self._axes
        hidden = turned[:, 2] < 0
        angle = np.arctan2(turned[:, 1], turned[:, 0])
        # Near the point opposite the view a short edge turns far: it follows the limb.
        turn = np.where(
            hidden[:-1] & hidden[1:], np.remainder(np.diff(angle) + np.pi, 2 * np.pi), np.pi
        )
        turn -= np.pi
        pieces = np.maximum(1, np.ceil(np.abs(turn) / _LIMB_PIECE_RAD)).astype(np.int64)
        edge = np.repeat(np.arange(len(pieces)), pieces)
        share = (np.arange(len(edge)) - (np.cumsum(pieces) - pieces)[edge]) / pieces[edge]
        along = angle[edge] + share * turn[edge]
        on_limb = np.stack((np.cos(along), np.sin(along)), axis=1)
        outline: Array = np.where(hidden[edge, None], on_limb, turned[edge, :2])
        return np.vstack((outline, outline[:1]))


def _at_limb(seen: Array, hidden: Array) -> Array:
    """Return where lines from seen to hidden points meet the unit circle, shape (n, 2) each."""
    way = hidden - seen
    a = np.einsum("ni,ni->n", way, way)
    b = np.einsum("ni,ni->n", seen, way)
    c = np.einsum("ni,ni->n", seen, seen) - 1
    # The hidden end lies within the circle, so there is a root on this side of it.
    share = np.clip((-b - np.sqrt(np.maximum(b * b - a * c, 0.0))) / a, 0.0, 1.0)
    crossing: Array = seen + share[:, None] * way
    return crossing
