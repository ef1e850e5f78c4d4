"""When two satellites of a fixed pattern may be linked, and when links of a series were up."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError, UnsupportedError
from leotrek_opt.models.continuum import Continuum, TimeGrid
from leotrek_opt.models.inter_satellite import InferredPlusGrid, InterSatelliteLink, PlusGrid
from leotrek_opt.topology.contacts.arcs import Arcs, Criterion, dot
from leotrek_opt.topology.contacts.arguments import end_of_grid_s, generated, span_s
from leotrek_opt.topology.contacts.motion import Samples, finer_arcs, motion_of
from leotrek_opt.topology.contacts.pieces import (
    Joiner,
    Pieces,
    cut_pieces,
    no_pieces,
    stacked,
)
from leotrek_opt.topology.contacts.scan import sample_times, scan
from leotrek_opt.topology.contacts.table import Columns, LinkWindowTable
from leotrek_opt.topology.frames import EQUATORIAL_RADIUS_KM
from leotrek_opt.topology.series import LinkSeries
from leotrek_opt.topology.state import LinkPairs, SatelliteState

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

_RECORDS_AT_ONCE = 200_000
"""Links times instants that are looked at in one go."""


@dataclass(frozen=True, eq=False)
class LinkIntervals(Columns):
    """When links of a series are up: half-open intervals of steps and of time.

    Parameters
    ----------
    link
        Index of the link in the series, shape (intervals,).
    source, target
        Its two ends.
    first_step, stop_step
        The first step at which it is up, and the one after the last.
    up_s, down_s
        The same in seconds after the start of the time grid: each snapshot holds until the next.
    clipped_start, clipped_end
        True where the interval begins with the first step or ends with the last.
    """

    link: Indices
    source: Indices
    target: Indices
    first_step: Indices
    stop_step: Indices
    up_s: Array
    down_s: Array
    clipped_start: Mask
    clipped_end: Mask


def link_intervals(series: LinkSeries, time: TimeGrid) -> LinkIntervals:
    """Return the intervals in which links of a series are up.

    Parameters
    ----------
    series
        Materialised links.
    time
        The grid it was made for.

    Returns
    -------
    LinkIntervals
        In the order of (link, first step).

    Raises
    ------
    leotrek_opt.errors.InputError
        If the grid has another number of steps.
    """
    if time.steps != series.steps:
        raise InputError(
            f"must have {series.steps} steps like the series, got {time.steps}", field="time.steps"
        )
    count = len(series.source)
    if series.up is None:
        link = np.arange(count)
        first, stop = np.zeros(count, dtype=np.int64), np.full(count, series.steps)
    else:
        edge = np.zeros((count, 1), dtype=np.int8)
        change = np.diff(series.up.T.astype(np.int8), axis=1, prepend=edge, append=edge)
        link, first = np.nonzero(change == 1)
        stop = np.nonzero(change == -1)[1]
    instant = np.array([time.offset_s(step) for step in range(time.steps)] + [end_of_grid_s(time)])
    return LinkIntervals(
        link=link,
        source=series.source[link].astype(np.int64),
        target=series.target[link].astype(np.int64),
        first_step=first,
        stop_step=stop,
        up_s=instant[first],
        down_s=instant[stop],
        clipped_start=first == 0,
        clipped_end=stop == series.steps,
    )


def link_windows(
    continuum: Continuum,
    pairs: LinkPairs | None = None,
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    rule: InterSatelliteLink | None = None,
) -> LinkWindowTable:
    """Compute when the links of a fixed pattern between satellites can be up.

    Parameters
    ----------
    continuum
        With a generated topology.
    pairs
        Which satellites to join; None for the pattern of the topology's own rule.
    start_s, end_s
        Span in seconds after the start of the time grid; without an end, that of its last step.
    rule
        Margin of the line of sight, range and polar cut-off; None for the topology's own.

    Returns
    -------
    LinkWindowTable
        In the order of (source, target, up), found as closely as contact windows are.

    Raises
    ------
    leotrek_opt.errors.UnsupportedError
        If the topology is explicit, or its rule chooses other links at every step: for those,
        ``link_intervals`` tells which were chosen when.
    leotrek_opt.errors.InputError
        For impossible spans.
    """
    topology = generated(continuum)
    own = rule or topology.inter_satellite or PlusGrid()
    joined = _pattern(continuum) if pairs is None else pairs
    start, end = span_s(continuum.time, start_s, end_s)
    if not len(joined.source):
        return _table(no_pieces(), joined, start, end)
    motion = motion_of(continuum)
    satellites = np.unique(np.concatenate((joined.source, joined.target)))
    source = np.searchsorted(satellites, joined.source)
    target = np.searchsorted(satellites, joined.target)
    cross_plane = joined.cross_plane

    def cut(samples: Samples, chosen: Indices, row: int | None) -> Pieces:
        del chosen
        link = np.arange(len(source))
        if row is not None:
            link = link[(source == row) | (target == row)]

        def sample(time_s: Array, rows: Indices) -> Samples:
            return motion.sample(time_s, satellites[rows])

        return _cut(samples, link, source, target, cross_plane, own, sample)

    joiner = Joiner()
    parts = [
        joiner.add(pieces, until_s)
        for pieces, until_s in scan(motion, sample_times(motion, start, end), satellites, cut)
    ]
    found = stacked([*parts, joiner.rest()])
    found = found.rows(np.lexsort((found.start_s, found.pair)))
    return _table(found, joined, start, end)


def _pattern(continuum: Continuum) -> LinkPairs:
    topology = generated(continuum)
    none = np.empty(0, dtype=np.int64)
    rule = topology.inter_satellite
    if rule is None:
        return LinkPairs(none, none)
    if not isinstance(rule, PlusGrid | InferredPlusGrid):
        raise UnsupportedError(
            f"{rule.type} chooses links anew at every step: give pairs, or take link_intervals of "
            "the materialised series"
        )
    # Strategies load trees, which windows of given pairs do without.
    from leotrek_opt.topology.instants import julian_date, start_instant, step_instant
    from leotrek_opt.topology.propagation import satellite_ecef
    from leotrek_opt.topology.strategies import inter_satellite_strategy

    begin, offset_s = start_instant(topology, continuum.time), continuum.time.offset_s(0)
    first = SatelliteState(
        0,
        step_instant(begin, offset_s),
        *julian_date(begin, offset_s),
        *satellite_ecef(topology, continuum.time, 0),
    )
    return inter_satellite_strategy(topology, first)(first)


def _table(pieces: Pieces, pairs: LinkPairs, start_s: float, end_s: float) -> LinkWindowTable:
    table = LinkWindowTable(
        source=pairs.source[pieces.pair].astype(np.int64),
        target=pairs.target[pieces.pair].astype(np.int64),
        up_s=pieces.start_s,
        down_s=pieces.end_s,
        clipped_start=pieces.open_start & (pieces.start_s == start_s),
        clipped_end=pieces.open_end & (pieces.end_s == end_s),
    )
    return table.rows(np.lexsort((table.up_s, table.target, table.source)))


def _cut(
    samples: Samples,
    link: Indices,
    source: Indices,
    target: Indices,
    cross_plane: Mask | None,
    rule: InterSatelliteLink,
    sample: Callable[[Array, Indices], Samples],
) -> Pieces:
    instants = len(samples.time_s)
    block = max(1, _RECORDS_AT_ONCE // instants)
    tables = [no_pieces()]
    for first in range(0, len(link), block):
        chosen = link[first : first + block]
        one, other = source[chosen], target[chosen]
        known = samples.valid[one] & samples.valid[other]
        cell = np.flatnonzero(known)
        row, column = np.divmod(cell, instants)
        left = np.flatnonzero((np.diff(cell) == 1) & (row[1:] == row[:-1]))
        arcs = Arcs(
            time_s=samples.time_s[column],
            position=np.concatenate(
                [samples.position_km[:, end[row], column] for end in (one, other)]
            ),
            velocity=np.concatenate(
                [samples.velocity_km_s[:, end[row], column] for end in (one, other)]
            ),
            left=left,
        )
        whose = chosen[row[left]]
        crosses = None if cross_plane is None else cross_plane[whose]

        def refine(arc: Indices, arcs: Arcs = arcs, whose: Indices = whose) -> Arcs:
            return finer_arcs(arcs, arc, (source[whose[arc]], target[whose[arc]]), sample)

        tables.append(cut_pieces(arcs, whose, _criteria(rule, crosses), None, refine))
    return stacked(tables)


def _criteria(rule: InterSatelliteLink, crosses: Mask | None) -> list[Criterion]:
    from leotrek_opt.topology.strategies.sight import polar_cutoff_deg, range_km

    criteria = [_line_of_sight(EQUATORIAL_RADIUS_KM + rule.line_of_sight_margin_km)]
    reach_km = range_km(rule)
    if reach_km is not None:
        criteria.append(_within(reach_km))
    cutoff_deg = polar_cutoff_deg(rule)
    if cutoff_deg is not None and crosses is not None:
        criteria += [_off_the_pole(cutoff_deg, crosses, end) for end in (0, 3)]
    return criteria


def _line_of_sight(radius_km: float) -> Criterion:
    """Ask that the segment between two satellites stays outside a sphere.

    With tangents of lengths p and q from the two to the sphere it does while the angle between
    them at the centre is at most the sum of those of the tangents: a . b >= r^2 - p q.
    """
    square = radius_km**2

    def clearance(
        position: Array,
        velocity: Array,
        arc: Indices,  # noqa: ARG001
    ) -> tuple[Array, Array]:
        a, b, a_rate, b_rate = position[:3], position[3:], velocity[:3], velocity[3:]
        p2, q2 = dot(a, a) - square, dot(b, b) - square
        p2_rate, q2_rate = 2 * dot(a, a_rate), 2 * dot(b, b_rate)
        outside = (p2 > 0) & (q2 > 0)
        product = np.sqrt(np.where(outside, p2 * q2, 1.0))
        value = dot(a, b) - square + product
        rate = dot(a, b_rate) + dot(a_rate, b) + (p2_rate * q2 + p2 * q2_rate) / (2 * product)
        # A satellite inside the sphere has no link; the deeper one says how far it is from having.
        deeper = p2 <= q2
        return (
            np.where(outside, value, np.minimum(p2, q2) - 1e-9) / radius_km,
            np.where(outside, rate, np.where(deeper, p2_rate, q2_rate)) / radius_km,
        )

    return clearance


def _within(range_km: float) -> Criterion:
    def closeness(
        position: Array,
        velocity: Array,
        arc: Indices,  # noqa: ARG001
    ) -> tuple[Array, Array]:
        apart, rate = position[3:] - position[:3], velocity[3:] - velocity[:3]
        distance = np.sqrt(dot(apart, apart))
        return range_km - distance, -dot(apart, rate) / np.maximum(distance, 1e-9)

    return closeness


def _off_the_pole(latitude_deg: float, crosses: Mask, end: int) -> Criterion:
    """Ask that an end of a link to another plane is not beyond a geocentric latitude."""
    sine = math.sin(math.radians(latitude_deg))

    def lowness(position: Array, velocity: Array, arc: Indices) -> tuple[Array, Array]:
        place, moving = position[end : end + 3], velocity[end : end + 3]
        radius = np.sqrt(dot(place, place))
        value = sine * radius - np.abs(place[2])
        rate = sine * dot(place, moving) / radius - np.sign(place[2]) * moving[2]
        bound = crosses[arc]
        return np.where(bound, value, 1.0), np.where(bound, rate, 0.0)

    return lowness
