"""Where nodes are at a step, and how far apart two places are on the ground."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.models.continuum import Continuum
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.frames import EQUATORIAL_RADIUS_KM, FLATTENING, ecef_to_geodetic
from leotrek_opt.topology.series import checked_step

Array = NDArray[np.float64]

_POLAR_RADIUS_KM = EQUATORIAL_RADIUS_KM * (1 - FLATTENING)


class Positions(NamedTuple):
    """Geodetic positions (WGS84), one entry per node, NaN where unknown."""

    latitude_deg: Array
    longitude_deg: Array
    altitude_km: Array


def positions(continuum: Continuum, step: int) -> Positions:
    """Return where every node is at a step.

    Parameters
    ----------
    continuum
        Nodes with position series, and satellites if its topology is generated.
    step
        Index of the snapshot.

    Returns
    -------
    Positions
        Shape (nodes,) each. NaN for a node without position and for a satellite whose propagation
        fails. The position of a satellite gives its sub-point: same latitude and longitude.

    Raises
    ------
    leotrek_opt.errors.StepError
        If there is no such step.
    """
    step = checked_step(step, continuum.time.steps)
    found = declared_positions(continuum, step)
    if isinstance(continuum.topology, GeneratedTopology):
        # SGP4 is needed only here, and explicit continua should not pay for loading it.
        from leotrek_opt.topology.propagation import satellite_ecef

        ecef, _ = satellite_ecef(continuum.topology, continuum.time, step)
        for column, values in zip(found, ecef_to_geodetic(ecef), strict=True):
            column[: len(ecef)] = values
    return found


def declared_positions(continuum: Continuum, step: int) -> Positions:
    """Return the positions that the continuum's series hold, without propagated satellites.

    Parameters
    ----------
    continuum
        With any position series.
    step
        Index of the snapshot.

    Returns
    -------
    Positions
        Shape (nodes,) each, NaN for every other node.
    """
    count = len(continuum.nodes)
    found = Positions(*(np.full(count, np.nan) for _ in range(3)))
    for series in continuum.positions:
        row = step if len(series.latitude_deg) > 1 else 0
        found.latitude_deg[series.node] = series.latitude_deg[row]
        found.longitude_deg[series.node] = series.longitude_deg[row]
        found.altitude_km[series.node] = series.altitude_km[row]
    return found


def geodesic_km(
    latitude0_deg: ArrayLike, longitude0_deg: ArrayLike, latitude_deg: ArrayLike,
    longitude_deg: ArrayLike,
) -> Array:  # fmt: skip
    """Return the length of the shortest path on the WGS84 ellipsoid.

    Parameters
    ----------
    latitude0_deg, longitude0_deg
        One end, degrees; a number or any shape that broadcasts with the other end.
    latitude_deg, longitude_deg
        The other end.

    Returns
    -------
    ndarray
        Kilometres, broadcast shape; NaN where an argument is.

    Notes
    -----
    T. Vincenty, Direct and inverse solutions of geodesics on the ellipsoid, Survey Review 23(176),
    1975, pp. 88-93, good to half a millimetre. Its iteration fails for some pairs within about
    half a degree of being antipodal. For those the path is cut where it crosses a circle of points
    half-way round the globe: the length is the least, over that circle, of the sum of two ordinary
    geodesics, found by refining a grid. The error stays below a millimetre, as the sum is flat at
    its least point.
    """
    ends = np.broadcast_arrays(
        *(
            np.asarray(angle, dtype=np.float64)
            for angle in (latitude0_deg, longitude0_deg, latitude_deg, longitude_deg)
        )
    )
    shape = ends[0].shape
    flat = np.radians(np.stack([end.ravel() for end in ends]))
    length, converged = _vincenty_km(*flat)
    if not converged.all():
        length[~converged] = _antipodal_km(*flat[:, ~converged])
    return length.reshape(shape)


def _vincenty_km(
    latitude0: Array, longitude0: Array, latitude: Array, longitude: Array
) -> tuple[Array, NDArray[np.bool_]]:
    reduced0 = np.arctan((1 - FLATTENING) * np.tan(latitude0))
    reduced1 = np.arctan((1 - FLATTENING) * np.tan(latitude))
    sin0, cos0 = np.sin(reduced0), np.cos(reduced0)
    sin1, cos1 = np.sin(reduced1), np.cos(reduced1)
    difference = np.remainder(longitude - longitude0 + np.pi, 2 * np.pi) - np.pi
    longitude_on_sphere = difference.copy()
    converged = np.zeros(difference.shape, dtype=bool)
    sin_arc = cos_arc = arc = cos2_azimuth = cos_middle = np.empty(0)
    for _ in range(30):
        sin_arc = np.hypot(
            cos1 * np.sin(longitude_on_sphere),
            cos0 * sin1 - sin0 * cos1 * np.cos(longitude_on_sphere),
        )
        cos_arc = sin0 * sin1 + cos0 * cos1 * np.cos(longitude_on_sphere)
        arc = np.arctan2(sin_arc, cos_arc)
        with np.errstate(invalid="ignore", divide="ignore"):
            sin_azimuth = np.where(
                sin_arc > 0, cos0 * cos1 * np.sin(longitude_on_sphere) / sin_arc, 0.0
            )
            cos2_azimuth = 1 - sin_azimuth**2
            # On the equator the middle of the path has no azimuth; the term vanishes there.
            cos_middle = np.where(
                cos2_azimuth > 1e-15, cos_arc - 2 * sin0 * sin1 / cos2_azimuth, 0.0
            )
        c = FLATTENING / 16 * cos2_azimuth * (4 + FLATTENING * (4 - 3 * cos2_azimuth))
        previous = longitude_on_sphere
        longitude_on_sphere = difference + (1 - c) * FLATTENING * sin_azimuth * (
            arc + c * sin_arc * (cos_middle + c * cos_arc * (2 * cos_middle**2 - 1))
        )
        change = np.abs(longitude_on_sphere - previous)
        converged = (change < 1e-13) | np.isnan(change)
        if converged.all():
            break
    converged &= ~(np.abs(longitude_on_sphere) > np.pi)
    u2 = cos2_azimuth * (EQUATORIAL_RADIUS_KM**2 / _POLAR_RADIUS_KM**2 - 1)
    a = 1 + u2 / 16384 * (4096 + u2 * (u2 * (320 - 175 * u2) - 768))
    b = u2 / 1024 * (256 + u2 * (u2 * (74 - 47 * u2) - 128))
    correction = (
        b
        * sin_arc
        * (
            cos_middle
            + b
            / 4
            * (
                cos_arc * (2 * cos_middle**2 - 1)
                - b / 6 * cos_middle * (4 * sin_arc**2 - 3) * (4 * cos_middle**2 - 3)
            )
        )
    )
    return _POLAR_RADIUS_KM * a * (arc - correction), converged


def _antipodal_km(latitude0: Array, longitude0: Array, latitude: Array, longitude: Array) -> Array:
    centre = np.zeros(latitude0.shape)
    half_width = np.pi
    best = np.full(latitude0.shape, np.inf)
    rows = np.arange(len(best))
    for _ in range(4):
        bearing = centre[:, None] + np.linspace(-half_width, half_width, 129)
        # The point a quarter turn away from the first end, in a bearing.
        middle_latitude = np.arcsin(np.cos(latitude0)[:, None] * np.cos(bearing))
        middle_longitude = longitude0[:, None] + np.arctan2(
            np.sin(bearing), -np.sin(latitude0)[:, None] * np.cos(bearing)
        )
        halves = [
            _vincenty_km(
                np.repeat(end_latitude, 129), np.repeat(end_longitude, 129),
                middle_latitude.ravel(), middle_longitude.ravel(),
            )[0].reshape(bearing.shape)
            for end_latitude, end_longitude in ((latitude0, longitude0), (latitude, longitude))
        ]  # fmt: skip
        total = halves[0] + halves[1]
        least = total.argmin(axis=1)
        best = np.minimum(best, total[rows, least])
        centre = bearing[rows, least]
        half_width /= 32
    return best
