"""The +Grid of a fleet: planes found in its elements, and short links that join the rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.constellation import ElementTable
from leotrek_opt.models.inter_satellite import InferredPlusGrid
from leotrek_opt.topology.ordering import order_of
from leotrek_opt.topology.state import InterSatelliteStrategy, LinkPairs, SatelliteState
from leotrek_opt.topology.strategies.forest import spanning_forest
from leotrek_opt.topology.strategies.greedy import shortest_first
from leotrek_opt.topology.strategies.pairs import joined_pairs, sorted_pairs
from leotrek_opt.topology.strategies.planes import Planes, angle_quanta, infer_planes
from leotrek_opt.topology.strategies.sight import beyond_latitude, link_lengths
from leotrek_opt.topology.strategies.sky import OrderedPairs, sky_of
from leotrek_opt.topology.strategies.trees import joined
from leotrek_opt.topology.taking import take_in_order

Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

_FORWARD_DEG = 0.5
"""Between satellites as far ahead as behind the one ahead is taken, whatever the flattening of the
Earth adds to either."""


def inferred_plus_grid(
    table: ElementTable, rule: InferredPlusGrid, first: SatelliteState
) -> InterSatelliteStrategy:
    """Return the strategy that links a fleet as a +Grid.

    Parameters
    ----------
    table
        Element sets.
    rule
        Tolerances, and whether shells are joined.
    first
        Satellites at the first step, where planes and slots are found once and for all.

    Returns
    -------
    InterSatelliteStrategy
        Without joining it returns the same arrays at every step.
    """
    pattern = grid_pairs(infer_planes(table, rule, first), rule)
    if rule.join == "none":
        return lambda _: pattern
    return lambda state: joined_grid(pattern, rule, state)


def grid_pairs(planes: Planes, rule: InferredPlusGrid) -> LinkPairs:
    """Return the +Grid of all shells; shells are not joined to each other.

    Parameters
    ----------
    planes
        Places of the satellites.
    rule
        Which planes take part, and limits of links across.

    Returns
    -------
    LinkPairs
        Cross-plane links are marked.
    """
    plane, follower = _planes_of_grid(planes, rule)
    satellite = np.flatnonzero(plane >= 0)
    satellite = satellite[order_of(plane[satellite], planes.slot[satellite])]
    first = np.searchsorted(plane[satellite], np.arange(len(follower) + 1))
    ring = np.stack((satellite, satellite[_next_in_plane(plane[satellite], first)]))
    across = _across(planes, plane, follower, satellite, first, rule)
    return joined_pairs([(ring, False), (across, True)])


def joined_grid(pattern: LinkPairs, rule: InferredPlusGrid, state: SatelliteState) -> LinkPairs:
    """Add the links of one step that join shells and satellites without a place.

    Parameters
    ----------
    pattern
        The grid.
    rule
        Range, line of sight and degree.
    state
        Satellites of the step.

    Returns
    -------
    LinkPairs
        Links of the grid that are up, and joints, which count as cross-plane.
    """
    _, up = link_lengths(state.position_km, state.valid, pattern, rule)
    source, target = pattern.source[up], pattern.target[up]
    sky = sky_of(state, rule).within(rule.max_range_km)
    if len(sky) < 2:
        return LinkPairs(source, target, np.zeros(len(source), dtype=bool))
    member = np.cumsum(state.valid) - 1
    links = OrderedPairs(member[source], member[target])
    free = np.ones(len(sky), dtype=bool)
    if rule.max_cross_plane_latitude_deg is not None:
        free = ~beyond_latitude(sky.position_km, rule.max_cross_plane_latitude_deg)
    used = np.bincount(np.concatenate(links), minlength=len(sky))
    room = np.where(free, np.maximum(rule.degree - used, 0), 0)
    joints = spanning_forest(sky, room, links)
    filling = shortest_first(sky, room, joined(links, joints))
    links = joined(links, joints, filling)
    last = spanning_forest(sky, np.where(free, room + 1, 0), links)
    added = sky.links(*joined(joints, filling, last))
    cross = (
        np.ones(len(source), dtype=bool) if pattern.cross_plane is None else pattern.cross_plane[up]
    )
    return sorted_pairs(
        np.concatenate((source, added.source)),
        np.concatenate((target, added.target)),
        np.concatenate((cross, np.ones(len(added.source), dtype=bool))),
    )


def _planes_of_grid(planes: Planes, rule: InferredPlusGrid) -> tuple[Indices, Indices]:
    """Return the plane of the grid of each satellite, and the plane that follows each; or -1."""
    plane = np.full(len(planes.group), -1)
    follower: list[int] = []
    for index, shell in enumerate(planes.shells):
        member = np.flatnonzero(planes.group == index)
        size = np.bincount(planes.plane[member], minlength=shell.planes)
        # The plane of the median satellite, lest stragglers decide what is usual.
        usual = np.median(np.repeat(size, size))
        kept = np.flatnonzero(size >= rule.min_plane_share * usual)
        number = np.full(shell.planes, -1)
        number[kept] = len(follower) + np.arange(len(kept))
        plane[member] = number[planes.plane[member]]
        node = _plane_nodes(planes, member, shell.planes)[kept]
        ahead = (np.roll(node, -1) - node) % 360.0
        close = (ahead <= rule.max_plane_gap_deg) & (len(kept) > 1)
        follower += np.where(close, np.roll(number[kept], -1), -1).tolist()
    return plane, np.array(follower, dtype=np.int64)


def _plane_nodes(planes: Planes, member: Indices, count: int) -> NDArray[np.float64]:
    """Return the mean node of each plane of a shell."""
    plane = planes.plane[member]
    reference = np.zeros(count)
    reference[plane[::-1]] = planes.raan_deg[member][::-1]
    # Differences to one satellite of the plane, so that 359 and 1 degree have the mean 0.
    offset = (planes.raan_deg[member] - reference[plane] + 180.0) % 360.0 - 180.0
    size = np.maximum(np.bincount(plane, minlength=count), 1)
    mean: NDArray[np.float64] = (reference + np.bincount(plane, offset, count) / size) % 360.0
    return mean


def _next_in_plane(plane: Indices, first: Indices) -> Indices:
    """Return the position after each in its plane, round the ring; satellites by plane and slot."""
    following = np.arange(1, len(plane) + 1)
    last = following == first[plane + 1]
    return np.where(last, first[plane], following)


def _across(
    planes: Planes,
    plane: Indices,
    follower: Indices,
    satellite: Indices,
    first: Indices,
    rule: InferredPlusGrid,
) -> Indices:
    """Match each plane with the next, nearest arguments of latitude first."""
    latitude = planes.argument_of_latitude_deg
    back = np.full(len(follower), -1)
    back[follower[follower >= 0]] = np.flatnonzero(follower >= 0)
    forward = _neighbours_in(latitude, plane, follower, satellite, first)
    backward = _neighbours_in(latitude, plane, back, satellite, first)[::-1]
    behind, ahead = np.concatenate((forward, backward), axis=1)
    phase = (latitude[ahead] - latitude[behind] + 180.0) % 360.0 - 180.0
    allowed = np.abs(phase) <= rule.max_phase_deg
    behind, ahead, phase = behind[allowed], ahead[allowed], phase[allowed]
    order = order_of(angle_quanta(np.abs(phase - _FORWARD_DEG)), behind, ahead)
    behind, ahead = behind[order], ahead[order]
    # One link to the next plane and one to the plane before, each with a number of its own.
    count = len(plane)
    taken = take_in_order(behind, ahead + count, np.ones(2 * count, dtype=np.int64))
    return np.stack((behind[taken], ahead[taken]))


def _neighbours_in(
    latitude_deg: NDArray[np.float64],
    plane: Indices,
    other_plane: Indices,
    satellite: Indices,
    first: Indices,
) -> Indices:
    """Pair satellites with the ones just ahead of and just behind them in another plane."""
    other = other_plane[plane[satellite]]
    looking, other = satellite[other >= 0], other[other >= 0]
    turn = 360.0
    key = plane[satellite] * turn + latitude_deg[satellite]
    position = np.searchsorted(key, other * turn + latitude_deg[looking])
    start, end = first[other], first[other + 1]
    ahead = satellite[np.where(position == end, start, position)]
    behind = satellite[np.where(position == start, end, position) - 1]
    return np.stack((np.tile(looking, 2), np.concatenate((ahead, behind))))
