"""Land on the globe: the coastlines of Natural Earth at 1:110 million, which lie in the package.

Natural Earth (https://www.naturalearthdata.com) is in the public domain. ``land_110m.json`` says
where its copy comes from.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@cache
def land_rings() -> tuple[Array, ...]:
    """Return the outlines of land and of the seas within it.

    Returns
    -------
    tuple of ndarray
        Longitude and latitude in degrees, shape (points, 2) each, closed. Longitudes run on without
        a jump, so that a ring may leave [-180, 180]; around the South Pole it ends 360 degrees from
        where it began.
    """
    text = files(__name__).joinpath("land_110m.json").read_text(encoding="utf-8")
    rings = []
    for flat in json.loads(text)["rings"]:
        hundredths = np.array(flat, dtype=np.int64).reshape(-1, 2)
        hundredths[:, 0] = np.unwrap(hundredths[:, 0], period=36_000)
        ring = hundredths / 100.0
        ring.flags.writeable = False
        rings.append(ring)
    return tuple(rings)


@cache
def map_rings() -> tuple[Array, ...]:
    """Return the rings as polygons of a map with longitudes in [-180, 180].

    Returns
    -------
    tuple of ndarray
        Longitude and latitude in degrees, shape (points, 2) each, closed. What crosses the edge of
        the map is there twice, 360 degrees apart, and reaches beyond it.
    """
    polygons = []
    for ring in land_rings():
        closed = _closed_at_pole(ring)
        west, east = closed[:, 0].min(), closed[:, 0].max()
        for shift in (-360.0, 0.0, 360.0):
            if west + shift < 180 and east + shift > -180:
                polygons.append(closed + np.array([shift, 0.0]))
    return tuple(polygons)


def is_land(latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.bool_]:
    """Return which points of a grid lie on land.

    Parameters
    ----------
    latitude_deg
        Shape (rows,).
    longitude_deg
        In [-180, 180], shape (columns,).

    Returns
    -------
    ndarray of bool
        Shape (rows, columns).
    """
    edges = np.concatenate([np.hstack((ring[:-1], ring[1:])) for ring in map_rings()])
    start_longitude, start, end_longitude, end = edges.T
    rows = []
    for latitude in np.atleast_1d(np.asarray(latitude_deg, dtype=np.float64)):
        crossed = (start > latitude) != (end > latitude)
        share = (latitude - start[crossed]) / (end[crossed] - start[crossed])
        at = start_longitude[crossed] + share * (end_longitude - start_longitude)[crossed]
        # A point is inside when an odd number of outlines lies west of it.
        rows.append(np.searchsorted(np.sort(at), np.atleast_1d(longitude_deg)) % 2 == 1)
    return np.array(rows)


def _closed_at_pole(ring: Array) -> Array:
    if abs(ring[-1, 0] - ring[0, 0]) < 180:
        return ring
    return np.vstack((ring, [[ring[-1, 0], -90.0], [ring[0, 0], -90.0]], ring[:1]))
