"""Which nodes lie within a distance on the ground, by geodesics on the WGS84 ellipsoid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.continuum import Continuum
from leotrek_opt.topology.frames import EQUATORIAL_RADIUS_KM, FLATTENING, geodetic_to_ecef
from leotrek_opt.topology.positions import Positions, geodesic_km, positions
from leotrek_opt.topology.routing import FloatArray, IntArray

Mask = NDArray[np.bool_]

_LEAST_RADIUS_KM = EQUATORIAL_RADIUS_KM * (1 - FLATTENING) ** 2
_LARGEST_RADIUS_KM = EQUATORIAL_RADIUS_KM / (1 - FLATTENING)
"""Radii of curvature of the ellipsoid: along the meridian at the equator, and at the poles."""


class SubPoints:
    """Points on the ground below (or at) every node at one step.

    Parameters
    ----------
    continuum
        Nodes; those without position are near nothing.
    step
        Index of the snapshot.
    """

    def __init__(self, continuum: Continuum, step: int) -> None:
        self.places: Positions = positions(continuum, step)
        latitude, longitude, _ = self.places
        self._ecef_km = geodetic_to_ecef(latitude, longitude, np.zeros(len(latitude)))

    def chord_km(self, centre: int, nodes: IntArray) -> FloatArray:
        """Return straight distances through the Earth, which order nodes almost like geodesics.

        Parameters
        ----------
        centre
            Node index.
        nodes
            Node indices, shape (n,).

        Returns
        -------
        ndarray, shape (n,)
            Kilometres, NaN where a position is unknown.
        """
        offset = self._ecef_km[nodes] - self._ecef_km[centre]
        chord: FloatArray = np.sqrt(np.einsum("ij,ij->i", offset, offset))
        return chord

    def distance_km(self, centre: int, nodes: IntArray) -> FloatArray:
        """Return geodesic distances, like :meth:`chord_km`."""
        latitude, longitude, _ = self.places
        return geodesic_km(latitude[centre], longitude[centre], latitude[nodes], longitude[nodes])

    def within(self, centre: int, nodes: IntArray, radius_km: float) -> Mask:
        """Return which nodes are at most some geodesic distance away.

        A geodesic bends between the largest and the least radius of curvature of the ellipsoid, and
        so bounds its chord from both sides; only what lies between the bounds is computed exactly.

        Parameters
        ----------
        centre
            Node index.
        nodes
            Node indices, shape (n,).
        radius_km
            Inclusive, less than a quarter of the Earth's circumference.

        Returns
        -------
        ndarray of bool, shape (n,)
            False where a position is unknown.
        """
        chord = self.chord_km(centre, nodes)
        surely, possibly = (
            2 * radius * np.sin(radius_km / (2 * radius))
            for radius in (_LEAST_RADIUS_KM, _LARGEST_RADIUS_KM)
        )
        within: Mask = chord < surely * (1 - 1e-9)
        doubtful = np.flatnonzero(~within & (chord <= possibly * (1 + 1e-9)))
        if len(doubtful):
            within[doubtful] = self.distance_km(centre, nodes[doubtful]) <= radius_km
        return within
