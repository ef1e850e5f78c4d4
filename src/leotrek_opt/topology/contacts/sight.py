"""When a ground node sees a satellite, and which pairs are near enough to look."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.continuum import Continuum
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.topology.contacts.arcs import Arcs, Criterion, dot
from leotrek_opt.topology.contacts.arguments import generated
from leotrek_opt.topology.contacts.motion import Samples, finer_arcs
from leotrek_opt.topology.contacts.pieces import Pieces, cut_pieces, no_pieces, stacked
from leotrek_opt.topology.frames import FIGURES, geodetic_to_ecef, geodetic_up
from leotrek_opt.topology.positions import declared_positions

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_CELLS = 4_000_000
"""Ground nodes times satellites times instants that are looked at in one go."""

_SLACK_RAD = math.radians(0.3)
"""The geodetic normal leans at most 0.193 degrees away from the geocentric one; the rest covers
single precision."""


class Places(NamedTuple):
    """Ground nodes: position in ECEF and geodetic normal, shape (3, ground)."""

    position_km: Array
    up: Array


class SightRule(NamedTuple):
    """What is seen: at or above an elevation, within a range, or both (None does not bind)."""

    min_elevation_deg: float | None
    max_range_km: float | None

    @classmethod
    def of(cls, rule: GroundLinks) -> SightRule:
        """Return the part of a document's rule that says what is seen."""
        return cls(rule.min_elevation_deg, rule.max_range_km)


def places_at(continuum: Continuum, node: Indices, step: int) -> Places:
    """Return where ground nodes are at a step.

    Parameters
    ----------
    continuum
        With their positions.
    node
        Which nodes.
    step
        Index of the snapshot.

    Returns
    -------
    Places
        In the order asked for.
    """
    latitude, longitude, altitude = (column[node] for column in declared_positions(continuum, step))
    figure = FIGURES[generated(continuum).ellipsoid]
    return Places(
        geodetic_to_ecef(latitude, longitude, altitude, figure).T.copy(),
        geodetic_up(latitude, longitude).T.copy(),
    )


def seen_pieces(
    samples: Samples,
    places: Places,
    rule: SightRule,
    pair_of: Callable[[Indices, Indices], Indices],
    sample: Callable[[Array, Indices], Samples],
) -> Pieces:
    """Return when each ground node sees each satellite, between the first and the last sample.

    Parameters
    ----------
    samples
        Satellites, close enough in time for cubic interpolation.
    places
        Ground nodes.
    rule
        What is seen.
    pair_of
        Number of a pair from the rows of its ground node and satellite, increasing with both.
    sample
        Samples satellites, given by row, at other instants.

    Returns
    -------
    Pieces
        Sorted by pair, then time; ``peak`` is the sine of the greatest elevation.
    """
    count, instants = samples.valid.shape
    if not count or instants < 2:
        return no_pieces()
    direction, least_cosine = _cone(samples, places, rule)
    ground_count = places.up.shape[1]
    block = max(1, _CELLS // (count * instants))
    tables = [no_pieces()]
    for first in range(0, ground_count, block):
        up = places.up[:, first : first + block].astype(np.float32)
        cosine = (up.T @ direction).reshape(-1, count, instants)
        near = cosine >= least_cosine[None, :, None]
        # An arc is looked at if either of its ends is near.
        wanted = near.copy()
        wanted[..., 1:] |= near[..., :-1]
        wanted[..., :-1] |= near[..., 1:]
        wanted &= samples.valid[None]
        cell = np.flatnonzero(wanted)
        row, ground_satellite = cell % (count * instants), cell // instants
        ground, satellite = ground_satellite // count + first, ground_satellite % count
        left = np.flatnonzero(
            (np.diff(cell) == 1) & (ground_satellite[1:] == ground_satellite[:-1])
        )
        arcs = Arcs(
            time_s=samples.time_s[cell % instants],
            position=samples.position_km.reshape(3, -1)[:, row] - places.position_km[:, ground],
            velocity=samples.velocity_km_s.reshape(3, -1)[:, row],
            left=left,
        )
        ground_of, satellite_of = ground[left], satellite[left]
        criteria, worth = _criteria(rule, places.up, ground_of)

        def refine(
            arc: Indices,
            arcs: Arcs = arcs,
            ground: Indices = ground_of,
            satellite: Indices = satellite_of,
        ) -> Arcs:
            origin = places.position_km[:, ground[arc]]
            return finer_arcs(arcs, arc, (satellite[arc],), sample, origin)

        pair = pair_of(ground_of, satellite_of)
        tables.append(cut_pieces(arcs, pair, criteria, worth, refine))
    return stacked(tables)


def _criteria(rule: SightRule, up: Array, ground: Indices) -> tuple[list[Criterion], Criterion]:
    criteria: list[Criterion] = []
    if rule.min_elevation_deg is not None:
        sine = math.sin(math.radians(rule.min_elevation_deg))

        def above_mask(position: Array, velocity: Array, arc: Indices) -> tuple[Array, Array]:
            height, rise, distance, recession = _view(position, velocity, up[:, ground[arc]])
            return height - sine * distance, rise - sine * recession

        criteria.append(above_mask)
    if rule.max_range_km is not None:
        range_km = rule.max_range_km

        def within_range(
            position: Array,
            velocity: Array,
            arc: Indices,  # noqa: ARG001
        ) -> tuple[Array, Array]:
            distance = np.sqrt(dot(position, position))
            return range_km - distance, -dot(position, velocity) / distance

        criteria.append(within_range)

    def elevation_sine(position: Array, velocity: Array, arc: Indices) -> tuple[Array, Array]:
        height, rise, distance, recession = _view(position, velocity, up[:, ground[arc]])
        sine = height / distance
        return sine, (rise - sine * recession) / distance

    return criteria, elevation_sine


def _view(position: Array, velocity: Array, up: Array) -> tuple[Array, Array, Array, Array]:
    """Height above the horizontal plane and distance, and the rates of both."""
    distance = np.sqrt(dot(position, position))
    return dot(up, position), dot(up, velocity), distance, dot(position, velocity) / distance


def _cone(
    samples: Samples, places: Places, rule: SightRule
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Say how near the zenith of a place, seen from the centre of the Earth, satellites must be.

    Returns their directions, shape (3, satellites * instants), and for each satellite the cosine
    at which it may be seen within half the time to a neighbouring sample.
    """
    radius = np.sqrt(dot(samples.position_km, samples.position_km))
    speed = np.sqrt(dot(samples.velocity_km_s, samples.velocity_km_s))
    direction = (samples.position_km / radius).astype(np.float32).reshape(3, -1)
    half_step_s = float(np.diff(samples.time_s).max()) / 2
    any_valid = samples.valid.any(axis=1)
    climb = np.abs(dot(samples.position_km, samples.velocity_km_s)) / radius * half_step_s
    lowest, highest, fastest = (
        np.where(any_valid, reduced, 1.0)
        for reduced in (
            np.min(radius - climb, axis=1, initial=np.inf, where=samples.valid),
            np.max(radius + climb, axis=1, initial=0.0, where=samples.valid),
            np.max(speed / radius, axis=1, initial=0.0, where=samples.valid),
        )
    )
    ground = np.sqrt(dot(places.position_km, places.position_km))
    reach = np.full(len(lowest), math.pi)
    if rule.min_elevation_deg is not None:
        reach = np.minimum(reach, _reach_at_mask(ground.min(), highest, rule.min_elevation_deg))
    if rule.max_range_km is not None:
        within = [
            _reach_in_range(radius_km, lowest, highest, rule.max_range_km)
            for radius_km in (ground.min(), ground.max())
        ]
        reach = np.minimum(reach, np.maximum(*within))
    widest = np.minimum(reach + _SLACK_RAD + 1.05 * fastest * half_step_s, math.pi)
    least = np.where(any_valid & (reach >= 0), np.cos(widest), 2.0) - 1e-6
    return direction, least.astype(np.float32)


def _reach_at_mask(ground_km: float, orbit_km: Array, min_elevation_deg: float) -> Array:
    """Angle at the centre of the Earth at which a sphere is seen under an elevation."""
    elevation = math.radians(min_elevation_deg)
    ratio = np.minimum(ground_km * math.cos(elevation) / orbit_km, 1.0)
    reach: Array = np.arccos(ratio) - elevation
    return np.maximum(reach, 0.0)


def _reach_in_range(
    ground_km: float, lowest_km: Array, highest_km: Array, range_km: float
) -> Array:
    """Largest angle at the centre of the Earth between points in range, -1 if there are none."""
    # The cosine (g^2 + r^2 - d^2) / (2 g r) is least where r^2 = g^2 - d^2, if that is reached.
    turning = math.sqrt(max(ground_km**2 - range_km**2, 0.0))
    radius = np.clip(turning, lowest_km, highest_km)
    cosine = (ground_km**2 + radius**2 - range_km**2) / (2 * ground_km * radius)
    return np.where(cosine > 1, -1.0, np.arccos(np.clip(cosine, -1, 1)))
