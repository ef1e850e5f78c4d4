"""Satellites of one step in space: which pairs see each other, shortest first."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.inter_satellite import InterSatelliteLink
from leotrek_opt.topology.ordering import order_of
from leotrek_opt.topology.state import LinkPairs, SatelliteState
from leotrek_opt.topology.strategies.close_pairs import close_pairs, crowding, tree_of
from leotrek_opt.topology.strategies.pairs import sorted_pairs
from leotrek_opt.topology.strategies.sight import (
    in_sight,
    longest_sight_km,
    squared_lengths,
    squared_radii,
)

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

ORDER_QUANTUM_KM = 1e-6
"""Lengths are compared in whole millimetres. In a symmetric shell many links are equally long, and
which of them is shorter by the last bit must not depend on frame, machine or library."""

_NEIGHBOURS = 5
"""About how many neighbours the radius of the first band holds."""
_CROWD = 32
"""A first radius within which more satellites than this crowd on average is halved."""
_FEW = 200
"""All pairs of so many members are listed at once."""


class OrderedPairs(NamedTuple):
    """Pairs of members of a :class:`Sky`, source < target, by (length, source, target)."""

    source: Indices
    target: Indices


class Band(NamedTuple):
    """Lengths in ``above < length <= upto``, in quanta of ``ORDER_QUANTUM_KM``."""

    above: int
    upto: int


@dataclass(frozen=True, eq=False)
class Sky:
    """The valid satellites of one step, numbered 0, 1, … in the order of their indices.

    Parameters
    ----------
    satellite
        Index of each member, ascending.
    position_km
        Shape (members, 3).
    margin_km
        Height above the equatorial radius that a line of sight must keep.
    limit_km
        Inclusive limit of the length of a pair; at most the longest line of sight.
    """

    satellite: Indices
    position_km: Array
    margin_km: float
    limit_km: float

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.satellite)

    @cached_property
    def tree(self) -> cKDTree:
        """A k-d tree of all members."""
        return tree_of(self.position_km)

    def within(self, range_km: float | None) -> Sky:
        """Return the same satellites with a range.

        Parameters
        ----------
        range_km
            Inclusive limit of the length, or None for none but the line of sight.

        Returns
        -------
        Sky
            A copy.
        """
        limit = self.limit_km if range_km is None else min(range_km, self.limit_km)
        return replace(self, limit_km=limit)

    def links(self, source: Indices, target: Indices) -> LinkPairs:
        """Turn pairs of members into links of satellites.

        Parameters
        ----------
        source, target
            Members, in either order.

        Returns
        -------
        LinkPairs
            Satellite indices, in order, each pair once.
        """
        return sorted_pairs(self.satellite[source], self.satellite[target])

    def first_band(self) -> Band:
        """Return the shortest lengths, up to where members have a handful of neighbours."""
        return Band(-1, min(int(self._first_radius_km() / ORDER_QUANTUM_KM), self.limit_quanta))

    def band_after(self, band: Band, relevant: int) -> Band | None:
        """Return the next lengths.

        An algorithm that takes pairs shortest first may go band by band and ask only for pairs that
        still matter: it meets them in the same order as in one list of all.

        Parameters
        ----------
        band
            The band before.
        relevant
            How many members still matter; when they are few, everything longer is one band.

        Returns
        -------
        Band or None
            From the end of the band before, twice as far; None where that was the limit.
        """
        if band.upto >= self.limit_quanta:
            return None
        upto = self.limit_quanta if relevant <= _FEW else 2 * band.upto
        return Band(band.upto, min(upto, self.limit_quanta))

    @property
    def limit_quanta(self) -> int:
        """The limit in quanta."""
        return math.ceil(self.limit_km / ORDER_QUANTUM_KM)

    def pairs_in_any_order(self) -> tuple[Indices, Indices]:
        """Return both ends of all pairs that see each other within the limit."""
        band = Band(-1, self.limit_quanta)
        first, second = close_pairs(self.position_km, _search_radius_km(band))
        source, target, _ = self._seen(first, second, band)
        return source, target

    def pairs(self, band: Band | None = None, members: Mask | None = None) -> OrderedPairs:
        """Return the pairs of a band that see each other.

        Parameters
        ----------
        band
            Lengths, or None for all up to the limit.
        members
            Both ends must be among these, shape (members,); None for all.

        Returns
        -------
        OrderedPairs
            Shortest first.
        """
        band = band or Band(-1, self.limit_quanta)
        chosen = None if members is None or members.all() else np.flatnonzero(members)
        position = self.position_km if chosen is None else self.position_km[chosen]
        first, second = close_pairs(position, _search_radius_km(band))
        if chosen is not None:
            first, second = chosen[first], chosen[second]
        return self._ordered(first, second, band)

    def pairs_from(self, some: Mask, others: Mask, band: Band) -> OrderedPairs:
        """Return the pairs of a band that see each other and have an end among a few.

        Parameters
        ----------
        some
            At least one end is among these, shape (members,).
        others
            The other end is among these, a superset of ``some``.
        band
            Lengths.

        Returns
        -------
        OrderedPairs
            Shortest first.
        """
        if 2 * some.sum() > others.sum():
            pairs = self.pairs(band, others)
            kept = some[pairs.source] | some[pairs.target]
            return OrderedPairs(pairs.source[kept], pairs.target[kept])
        few, many = np.flatnonzero(some), np.flatnonzero(others)
        near = tree_of(self.position_km[few]).sparse_distance_matrix(
            tree_of(self.position_km[many]), _search_radius_km(band), output_type="ndarray"
        )
        start, end = few[near["i"]], many[near["j"]]
        # Between two of the few a pair is found from both ends.
        once = ~some[end] | (start < end)
        return self._ordered(start[once], end[once], band)

    def nearest(self, member: Indices, count: int) -> tuple[Indices, Indices, Mask]:
        """Return the nearest members that each of some members sees, nearest first.

        Parameters
        ----------
        member
            Who looks, shape (n,).
        count
            How many candidates are looked at.

        Returns
        -------
        neighbour : ndarray
            By (length, index), shape (n, count); only the first of each row count.
        number : ndarray
            How many of a row count, shape (n,).
        complete : ndarray of bool
            Whether a row holds everyone in sight within the limit, shape (n,).
        """
        count = min(count + 1, len(self))
        distance, found = self.tree.query(
            self.position_km[member],
            k=np.arange(1, count + 1),
            distance_upper_bound=self.limit_km + 2 * ORDER_QUANTUM_KM,
        )
        looker = np.repeat(member, count)
        missing = ~np.isfinite(distance)
        neighbour = np.where(missing, member[:, None], found).reshape(-1)
        square = squared_lengths(self.position_km, looker, neighbour)
        length = np.sqrt(square)
        quanta = order_quanta(length)
        complete = missing[:, -1] | (count == len(self))
        # The last candidate may have equals that were left out, so it counts only in a whole row.
        known = complete.repeat(count) | (quanta < quanta.reshape(-1, count)[:, -1].repeat(count))
        known &= (neighbour != looker) & (length <= self.limit_km)
        known &= in_sight(self.position_km, looker, neighbour, square, self.margin_km)
        quanta[~known] = np.iinfo(np.int64).max
        order = np.lexsort((neighbour, quanta, np.repeat(np.arange(len(member)), count)))
        number = known.reshape(-1, count).sum(axis=1)
        return neighbour[order].reshape(-1, count), number, complete

    def nearest_of(self, member: int, others: Indices) -> int:
        """Return the nearest of some members that one sees.

        Parameters
        ----------
        member
            Who looks.
        others
            Whom to look at, ascending, shape (n,).

        Returns
        -------
        int
            Smallest by (length, index); -1 if none is in sight within the limit.
        """
        square = squared_lengths(self.position_km, np.full(len(others), member), others)
        close = np.sqrt(square) <= self.limit_km
        others, square = others[close], square[close]
        looker = np.full(len(others), member)
        seen = in_sight(self.position_km, looker, others, square, self.margin_km)
        if not seen.any():
            return -1
        return int(others[seen][order_quanta(np.sqrt(square[seen])).argmin()])

    def _ordered(self, start: Indices, end: Indices, band: Band) -> OrderedPairs:
        source, target, quanta = self._seen(start, end, band)
        order = _order(quanta, source, target)
        return OrderedPairs(source[order], target[order])

    def _seen(self, start: Indices, end: Indices, band: Band) -> tuple[Indices, Indices, Indices]:
        """Keep the pairs that belong to a band and see each other, and return their quanta."""
        square = squared_lengths(self.position_km, start, end)
        length = np.sqrt(square)
        quanta = order_quanta(length)
        kept = quanta > band.above
        kept &= quanta <= band.upto
        kept &= length <= self.limit_km
        kept &= in_sight(self.position_km, start, end, square, self.margin_km)
        source, target = np.minimum(start, end), np.maximum(start, end)
        if kept.all():
            return source, target, quanta
        return source[kept], target[kept], quanta[kept]

    def _first_radius_km(self) -> float:
        """Return a radius within which members have a handful of neighbours."""
        members = max(len(self), 1)
        size = float(np.abs(self.position_km).max(initial=1.0))
        radius = min(2 * size * math.sqrt(_NEIGHBOURS / members), self.limit_km)
        smallest = 1e3 * ORDER_QUANTUM_KM
        # Fleets may be crowded, and pairs grow with the square of a crowd.
        while radius > smallest and crowding(self.position_km, radius) > _CROWD:
            radius /= 2
        return max(radius, smallest)


def sky_of(state: SatelliteState, rule: InterSatelliteLink) -> Sky:
    """Return the satellites that can have links at a step.

    Parameters
    ----------
    state
        Positions.
    rule
        Margin of the line of sight. Its range does not enter.

    Returns
    -------
    Sky
        Of the valid satellites.
    """
    satellite = np.flatnonzero(state.valid)
    position = np.ascontiguousarray(state.position_km[satellite])
    highest = math.sqrt(float(squared_radii(position).max(initial=0.0)))
    limit = longest_sight_km(highest, rule.line_of_sight_margin_km)
    return Sky(satellite, position, rule.line_of_sight_margin_km, limit)


def order_quanta(length_km: Array) -> Indices:
    """Return lengths as they are compared.

    Parameters
    ----------
    length_km
        Any shape.

    Returns
    -------
    ndarray of int
        In quanta of ``ORDER_QUANTUM_KM``.
    """
    return np.rint(length_km / ORDER_QUANTUM_KM).astype(np.int64)


def _order(quanta: Indices, source: Indices, target: Indices) -> Indices:
    """Return the order by all three keys, knowing that few lengths are equal."""
    order = order_of(quanta)
    inner = np.flatnonzero(np.diff(quanta[order]) == 0)
    if len(inner):
        tied = np.union1d(inner, inner + 1)
        equal = order[tied]
        order[tied] = equal[order_of(quanta[equal], source[equal], target[equal])]
    return order


def _search_radius_km(band: Band) -> float:
    # A little more than the band, whose edges are decided on quanta.
    return (band.upto + 2) * ORDER_QUANTUM_KM
