"""Shells, planes and slots of a fleet, found in its element sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.constellation import J2, ORBIT_RADIUS_KM, ElementTable
from leotrek_opt.models.inter_satellite import InferredPlusGrid
from leotrek_opt.topology.constellation import altitude_of_motion_km
from leotrek_opt.topology.frames import gmst_rad
from leotrek_opt.topology.ordering import order_of, rank_among_equals
from leotrek_opt.topology.state import SatelliteState

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

_MIN_CORE_SHARE = 0.5
_ANGLE_QUANTUM_DEG = 1e-6


@dataclass(frozen=True)
class FoundShell:
    """One group of satellites of common inclination and altitude.

    Parameters
    ----------
    inclination_deg, altitude_km
        Medians, altitude of the mean motion above 6378.137 km.
    satellites, planes
        How many.
    """

    inclination_deg: float
    altitude_km: float
    satellites: int
    planes: int


@dataclass(frozen=True, eq=False)
class Planes:
    """Where each satellite of a fleet has its place.

    Parameters
    ----------
    shells
        By inclination, then by altitude.
    group
        Index of the shell, shape (satellites,); -1 for a satellite without a place: on its way
        between orbits, alone, or lost.
    plane
        Number of the plane within the shell, by ascending node from 0 degrees on; -1 likewise.
    slot
        Number within the plane, by argument of latitude from 0 degrees on; -1 likewise.
    raan_deg, argument_of_latitude_deg
        At the instant for which planes were found, NaN for a lost satellite.
    """

    shells: tuple[FoundShell, ...]
    group: Indices
    plane: Indices
    slot: Indices
    raan_deg: Array
    argument_of_latitude_deg: Array


def infer_planes(table: ElementTable, rule: InferredPlusGrid, first: SatelliteState) -> Planes:
    """Find shells, planes and slots of a fleet.

    Parameters
    ----------
    table
        Element sets.
    rule
        Tolerances.
    first
        The instant, and the positions there that arguments of latitude are measured from.

    Returns
    -------
    Planes
        The same whatever the order of the table, but for satellites at the same place.
    """
    altitude = altitude_of_motion_km(table.mean_motion_rev_per_day)
    node = nodes_deg(table, first.julian_day, first.day_fraction)
    latitude = _arguments_of_latitude_deg(table, node, first)
    node = np.where(first.valid, node, np.nan)
    group = _groups(table.inclination_deg, altitude, first.valid, rule)
    plane = np.full(len(table), -1)
    slot = np.full(len(table), -1)
    shells = []
    for index in range(int(group.max(initial=-1)) + 1):
        member = np.flatnonzero(group == index)
        plane[member] = planes_of_nodes(node[member], rule.raan_gap_deg)
        slot[member] = _slots(plane[member], latitude[member])
        shells.append(
            FoundShell(
                inclination_deg=float(np.median(table.inclination_deg[member])),
                altitude_km=float(np.median(altitude[member])),
                satellites=len(member),
                planes=int(plane[member].max()) + 1,
            )
        )
    return Planes(tuple(shells), group, plane, slot, node, latitude)


def nodes_deg(table: ElementTable, julian_day: float, day_fraction: float) -> Array:
    """Carry ascending nodes to one instant.

    Parameters
    ----------
    table
        Element sets.
    julian_day, day_fraction
        The instant.

    Returns
    -------
    ndarray
        Mean right ascension of the ascending nodes in [0, 360).

    Notes
    -----
    The secular rate by the Earth's oblateness, -1.5 J2 (R / p)^2 n cos i.
    """
    axis = altitude_of_motion_km(table.mean_motion_rev_per_day) + ORBIT_RADIUS_KM
    parameter = axis * (1 - table.eccentricity**2)
    rate_deg_day = (
        -1.5 * J2 * (ORBIT_RADIUS_KM / parameter) ** 2 * 360.0 * table.mean_motion_rev_per_day
    ) * np.cos(np.radians(table.inclination_deg))
    days = (julian_day - table.epoch_jd) + (day_fraction - table.epoch_fraction)
    return (table.raan_deg + rate_deg_day * days) % 360.0


def planes_of_nodes(node_deg: Array, gap_deg: float) -> Indices:
    """Cut the circle of ascending nodes where it has gaps.

    Parameters
    ----------
    node_deg
        Right ascensions, shape (n,).
    gap_deg
        A plane ends where sorted nodes leave a larger gap.

    Returns
    -------
    ndarray
        Number of the plane of each satellite, by its middle from 0 degrees on. Without a gap all
        are one plane.
    """
    order = np.argsort(node_deg, kind="stable")
    ascending = node_deg[order]
    gap = np.diff(ascending, append=ascending[:1] + 360.0)
    ends = np.flatnonzero(gap > gap_deg)
    if not len(ends):
        return np.zeros(len(node_deg), dtype=np.int64)
    # Begin after a gap, so that no plane is cut at 0 degrees.
    start = int(ends[-1]) + 1
    ascending = np.where(np.arange(len(order)) < start, ascending + 360.0, ascending)
    order, ascending = np.roll(order, -start), np.roll(ascending, -start)
    number = np.concatenate(([0], np.cumsum(np.roll(gap, -start)[:-1] > gap_deg)))
    middle = np.bincount(number, ascending) / np.bincount(number)
    rank = np.empty(len(middle), dtype=np.int64)
    rank[order_of(angle_quanta(middle))] = np.arange(len(middle))
    plane = np.empty(len(order), dtype=np.int64)
    plane[order] = rank[number]
    return plane


def angle_quanta(angle_deg: Array) -> Indices:
    """Return angles in [0, 360) as they are compared, in millionths of a degree.

    Parameters
    ----------
    angle_deg
        Any angles.

    Returns
    -------
    ndarray of int
        Equal for angles that differ by rounding alone.
    """
    turn = round(360.0 / _ANGLE_QUANTUM_DEG)
    quanta: Indices = np.rint(angle_deg / _ANGLE_QUANTUM_DEG).astype(np.int64) % turn
    return quanta


def _arguments_of_latitude_deg(
    table: ElementTable, node_deg: Array, state: SatelliteState
) -> Array:
    """Measure the angle from the ascending node to each satellite in its orbit, rounded."""
    # The node in the turning frame of the positions.
    node = np.radians(node_deg) - gmst_rad(state.julian_day, state.day_fraction)
    inclination = np.radians(table.inclination_deg)
    x, y, z = state.position_km.T
    along = x * np.cos(node) + y * np.sin(node)
    across = (y * np.cos(node) - x * np.sin(node)) * np.cos(inclination) + z * np.sin(inclination)
    angle = np.degrees(np.arctan2(across[state.valid], along[state.valid]))
    rounded = np.full(len(table), np.nan)
    rounded[state.valid] = angle_quanta(angle) * _ANGLE_QUANTUM_DEG
    return rounded


def _groups(
    inclination_deg: Array, altitude_km: Array, valid: Mask, rule: InferredPlusGrid
) -> Indices:
    """Return the shell of each satellite, numbered by inclination and altitude; -1 for none."""
    group = np.full(len(valid), -1)
    seed = valid.copy()
    centres: list[tuple[float, float]] = []
    while seed.any():
        free = np.flatnonzero(valid & (group < 0))
        inclination, altitude = inclination_deg[free], altitude_km[free]
        densest, centre = _densest(inclination, altitude, np.flatnonzero(seed[free]), rule)
        near = np.abs(inclination - centre[0]) <= rule.inclination_tolerance_deg
        distance = np.abs(altitude - centre[1])
        core = near & (distance <= rule.altitude_core_km)
        shell = near & (distance <= rule.altitude_tolerance_km)
        enough = max(rule.min_shell_satellites, _MIN_CORE_SHARE * np.count_nonzero(shell))
        seed[free[core]] = False
        # It lies in the core but for rounding, which must not keep the search going.
        seed[free[densest]] = False
        if np.count_nonzero(core) >= enough:
            group[free[shell]] = len(centres)
            seed[free[shell]] = False
            centres.append(centre)
    rank = np.empty(len(centres), dtype=np.int64)
    rank[sorted(range(len(centres)), key=centres.__getitem__)] = np.arange(len(centres))
    return np.where(group < 0, -1, rank[group]) if centres else group


def _densest(
    inclination_deg: Array, altitude_km: Array, seed: Indices, rule: InferredPlusGrid
) -> tuple[int, tuple[float, float]]:
    """Return the seed with most satellites around it, and the middle of those."""
    from scipy.spatial import cKDTree

    point = np.stack(
        (inclination_deg / rule.inclination_tolerance_deg, altitude_km / rule.altitude_core_km),
        axis=1,
    )
    tree = cKDTree(point)
    count = tree.query_ball_point(point[seed], 1.0, p=np.inf, return_length=True)
    # Of equally crowded ones the lowest, so that the order of the table does not matter.
    densest = int(seed[np.lexsort((inclination_deg[seed], altitude_km[seed], -count))[0]])
    around = tree.query_ball_point(point[densest], 1.0, p=np.inf)
    middle = float(np.median(inclination_deg[around])), float(np.median(altitude_km[around]))
    return densest, middle


def _slots(plane: Indices, latitude_deg: Array) -> Indices:
    order = order_of(plane, angle_quanta(latitude_deg))
    slot = np.empty(len(plane), dtype=np.int64)
    slot[order] = rank_among_equals(plane[order])
    return slot
