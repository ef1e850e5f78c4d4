"""Links from ground nodes to the satellites that they see."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.topology.link_models import bandwidth_bps
from leotrek_opt.topology.ordering import rank_among_equals
from leotrek_opt.topology.state import SatelliteState
from leotrek_opt.topology.taking import take_in_order

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
RemainingS = Callable[[Indices, Indices], Array]
"""Seconds for which pairs (row of a place, satellite) go on seeing each other from now."""

_BLOCK_CELLS = 2**16
"""Pairs of a place and a satellite that are looked at together. From 87,000 on OpenBLAS takes more
threads, and where the processor is busy it waits for them several hundred times as long as it
works."""

_NORMAL_TILT_DEG = 0.2
"""The geodetic normal leans at most 0.193 degrees away from the geocentric one."""

_SLACK_KM = 1e-3
"""What candidates may miss their bound by, so that rounding loses none."""

_SINGLE_SLACK = 1e-6
"""The same for products in single precision, over the largest radius: 17 of its roundings."""

_WORST = 10**11
"""Largest badness of a link; times a million places it stays within 64 bits."""


@dataclass(frozen=True, eq=False)
class GroundPlaces:
    """Where the ground nodes stand.

    Parameters
    ----------
    position_km
        ECEF, shape (places, 3).
    up
        Normals of the ellipsoid, unit vectors, shape (places, 3).
    latitude_deg, longitude_deg
        Geodetic, shape (places,).
    """

    position_km: Array
    up: Array
    latitude_deg: Array
    longitude_deg: Array

    def __len__(self) -> int:
        """Return the number of places."""
        return len(self.position_km)


@dataclass(frozen=True, eq=False)
class GroundChoice:
    """The ground links of one step, sorted by place, then satellite.

    Parameters
    ----------
    ground
        Row of the place, shape (links,).
    satellite
        Index of the satellite, shape (links,).
    length_km
        Slant range, shape (links,).
    elevation_rad
        Of the satellite above the horizontal plane, without refraction, shape (links,).
    bandwidth_bps
        Under the link model, shape (links,); None where the rule has none.
    """

    ground: Indices
    satellite: Indices
    length_km: Array
    elevation_rad: Array
    bandwidth_bps: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """Return the number of links."""
        return len(self.ground)

    def __getitem__(self, rows: NDArray[np.bool_] | Indices) -> GroundChoice:
        """Return some of the links."""
        rate = self.bandwidth_bps
        return GroundChoice(
            self.ground[rows],
            self.satellite[rows],
            self.length_km[rows],
            self.elevation_rad[rows],
            None if rate is None else rate[rows],
        )


def ground_links(
    places: GroundPlaces,
    satellites: SatelliteState,
    rule: GroundLinks,
    *,
    held: tuple[Indices, Indices] | None = None,
    remaining_s: RemainingS | None = None,
) -> GroundChoice:
    """Choose the satellites that each ground node is linked to at one step.

    Parameters
    ----------
    places
        The ground nodes.
    satellites
        Positions; a satellite that is not valid has no link.
    rule
        Mask, range, strategy, antennas and beams.
    held
        Places and satellites of the links of the previous step; read for ``handover="when_lost"``.
    remaining_s
        Read for the strategy ``longest_contact``.

    Returns
    -------
    GroundChoice
        Links at the mask and at the range count. With ``satellite_beams``, pairs are taken best
        first, held ones before others, while both ends have room. Equals (to the millimetre, 1e-9
        of the sine of the elevation, the millisecond) go to the smaller place, then to the smaller
        satellite index.

    Raises
    ------
    leotrek_opt.errors.InputError
        If ``longest_contact`` is asked for without ``remaining_s``.

    Notes
    -----
    Elevation e: sin e = u . (s - g) / |s - g|. Under a link model a satellite is seen only where
    the link would carry anything.
    """
    seen = visible(places, satellites, rule)
    if not len(seen) or (rule.strategy == "all_visible" and rule.satellite_beams is None):
        return seen
    badness = _badness(seen, rule, remaining_s)
    if rule.handover == "when_lost" and held is not None:
        badness += np.where(_is_held(seen, held, len(satellites.valid)), 0, _WORST + 1)
    antennas = len(satellites.valid) if rule.strategy == "all_visible" else rule.max_links
    if rule.satellite_beams is None:
        return seen[_best_of_each_place(seen.ground, badness, antennas)]
    chosen = _best_first(
        (seen.ground, len(places), antennas),
        (seen.satellite, len(satellites.valid), rule.satellite_beams),
        badness,
    )
    return seen[chosen]


def visible(places: GroundPlaces, satellites: SatelliteState, rule: GroundLinks) -> GroundChoice:
    """Return every link that the rule's mask, range and link model allow.

    Parameters
    ----------
    places
        The ground nodes.
    satellites
        Positions and which of them hold.
    rule
        Mask, range and link model; its strategy is not read.

    Returns
    -------
    GroundChoice
        All of them.
    """
    if not len(places) or not satellites.valid.any():
        none = np.empty(0, dtype=np.int64)
        rate = None if rule.link_model is None else none
        return GroundChoice(none, none, np.empty(0), np.empty(0), rate)
    ground, satellite = _candidates(places, satellites.position_km, rule)
    sight = satellites.position_km[satellite] - places.position_km[ground]
    length = np.sqrt(np.einsum("ij,ij->i", sight, sight))
    with np.errstate(invalid="ignore"):
        sine = np.einsum("ij,ij->i", sight, places.up[ground]) / length
    allowed = satellites.valid[satellite]
    if rule.min_elevation_deg is not None:
        allowed &= sine >= math.sin(math.radians(rule.min_elevation_deg))
    if rule.max_range_km is not None:
        allowed &= length <= rule.max_range_km
    elevation = np.arcsin(np.clip(sine[allowed], -1.0, 1.0))
    seen = GroundChoice(ground[allowed], satellite[allowed], length[allowed], elevation)
    return seen if rule.link_model is None else _with_rates(seen, places, rule)


def _with_rates(seen: GroundChoice, places: GroundPlaces, rule: GroundLinks) -> GroundChoice:
    if rule.link_model is None:
        return seen
    rate = bandwidth_bps(
        rule.link_model,
        seen.length_km,
        seen.elevation_rad,
        places.latitude_deg[seen.ground],
        places.longitude_deg[seen.ground],
    )
    rated = GroundChoice(seen.ground, seen.satellite, seen.length_km, seen.elevation_rad, rate)
    return rated if rate.all() else rated[rate > 0]


def _candidates(
    places: GroundPlaces, satellite_km: Array, rule: GroundLinks
) -> tuple[Indices, Indices]:
    """Pairs that may see each other: the satellite is high enough along an axis of the place.

    A product of small matrices in single precision and one comparison leave a hundredth of all
    pairs, to be looked at exactly; searching a tree of the satellites, which each step would have
    to build anew, takes longer up to some hundred places.
    """
    count = len(satellite_km)
    lowest, highest = _radii_km(satellite_km)
    axis, least = _least_heights(places, lowest, rule)
    least = (least - _SINGLE_SLACK * highest).astype(np.float32)
    axis, satellite = axis.astype(np.float32), satellite_km.T.astype(np.float32, order="C")
    block = min(max(1, _BLOCK_CELLS // count), len(axis))
    # Buffers are used again: a large new array costs more in page faults than in arithmetic.
    height = np.empty((block, count), dtype=np.float32)
    is_high = np.empty((block, count), dtype=np.bool_)
    found = []
    with np.errstate(invalid="ignore"):
        for first in range(0, len(axis), block):
            rows = slice(first, first + block)
            size = len(axis[rows])
            np.matmul(axis[rows], satellite, out=height[:size])
            np.greater_equal(height[:size], least[rows, None], out=is_high[:size])
            found.append(np.flatnonzero(is_high[:size]) + first * count)
    ground, column = np.divmod(np.concatenate(found), count)
    return ground, column


def _radii_km(satellite_km: Array) -> tuple[float, float]:
    """Least and largest distance from the centre of the Earth."""
    x, y, z = satellite_km.T
    squares = x * x + y * y + z * z
    lowest, highest = squares.min(), squares.max()
    if np.isnan(lowest):
        lowest, highest = np.fmin.reduce(squares), np.fmax.reduce(squares)
    return math.sqrt(lowest), math.sqrt(highest)


def _least_heights(
    places: GroundPlaces, lowest_km: float, rule: GroundLinks
) -> tuple[Array, Array]:
    """Axis of each place, and how far along it from the centre a satellite in sight must be."""
    position = places.position_km
    radius = np.sqrt(np.einsum("ij,ij->i", position, position))
    if rule.min_elevation_deg is not None:
        rise = math.sin(math.radians(rule.min_elevation_deg)) * _slant_range_km(
            radius, lowest_km, rule.min_elevation_deg + _NORMAL_TILT_DEG
        )
        return places.up, np.einsum("ij,ij->i", places.up, position) + rise - _SLACK_KM
    # |s - g| <= d means s . g >= (|s|^2 + |g|^2 - d^2) / 2.
    reach_km = rule.max_range_km or 0.0
    product = (lowest_km**2 + radius**2 - reach_km**2) / 2
    return position / radius[:, None], product / radius - _SLACK_KM


def _slant_range_km(ground_radius_km: Array, orbit_radius_km: float, elevation_deg: float) -> Array:
    """Distance at which a sphere is seen under an elevation, 0 if it lies below the ground."""
    elevation = math.radians(elevation_deg)
    level = ground_radius_km * math.cos(elevation)
    beyond = np.sqrt(np.maximum(orbit_radius_km**2 - level**2, 0.0))
    return np.maximum(beyond - ground_radius_km * math.sin(elevation), 0.0)


def _badness(seen: GroundChoice, rule: GroundLinks, remaining_s: RemainingS | None) -> Indices:
    """Order links by the strategy: smaller is better, at most ``_WORST``.

    Rounded to whole units, so that the last bits of a number do not decide between equals.
    """
    distance = np.minimum(np.rint(seen.length_km * 1e6), _WORST).astype(np.int64)
    if rule.strategy == "best_elevation":
        return np.rint((1 - np.sin(seen.elevation_rad)) * 1e9).astype(np.int64)
    if rule.strategy == "longest_contact":
        if remaining_s is None:
            raise InputError("the strategy longest_contact needs it", field="remaining_s")
        left_ms = np.rint(np.nan_to_num(remaining_s(seen.ground, seen.satellite)) * 1e3)
        return (_WORST - np.clip(left_ms, 0, _WORST)).astype(np.int64)
    if rule.strategy == "k_best" and seen.bandwidth_bps is not None:
        return _rank_by(-seen.bandwidth_bps, distance)
    return distance


def _rank_by(first: Indices, second: Indices) -> Indices:
    """Ranks by two keys; equals share theirs."""
    order = np.lexsort((second, first))
    differs = (np.diff(first[order]) != 0) | (np.diff(second[order]) != 0)
    rank = np.zeros(len(order), dtype=np.int64)
    rank[order[1:]] = np.cumsum(differs)
    return rank


def _is_held(
    seen: GroundChoice, held: tuple[Indices, Indices], satellites: int
) -> NDArray[np.bool_]:
    ground, satellite = (np.asarray(column, dtype=np.int64) for column in held)
    return np.isin(seen.ground * satellites + seen.satellite, ground * satellites + satellite)


def _best_of_each_place(ground: Indices, badness: Indices, antennas: int) -> Indices:
    """Rows of the best links of each place; the links come sorted by place, then satellite."""
    # One key of integers sorts several times faster than two columns.
    order = np.argsort(ground * (2 * _WORST + 2) + badness, kind="stable")
    return np.sort(order[rank_among_equals(ground[order]) < antennas])


def _best_first(
    ground: tuple[Indices, int, int], satellite: tuple[Indices, int, int], badness: Indices
) -> Indices:
    """Rows of the links that a greedy choice takes while both ends have room.

    Each side is its column of the links, the number of nodes and the room of each.
    """
    order = np.argsort(badness, kind="stable")
    places = ground[1]
    room = np.repeat([ground[2], satellite[2]], [places, satellite[1]])
    taken = take_in_order(ground[0][order], places + satellite[0][order], room)
    return np.sort(order[taken])
