"""Shortest links first, each taken while both ends have room."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.topology.ordering import order_of
from leotrek_opt.topology.strategies.sky import Band, OrderedPairs, Sky

Indices = NDArray[np.int64]

_CHUNK = 8192
"""Pairs looked at together: most of those of a later chunk find an end full already."""


def shortest_first(sky: Sky, room: Indices, linked: OrderedPairs | None = None) -> OrderedPairs:
    """Take the pairs of a sky by (length, source, target) while both ends have room.

    Parameters
    ----------
    sky
        Members, line of sight and limit.
    room
        How many more links each member may have, shape (members,); used up in place.
    linked
        Pairs that are links already and are not taken again.

    Returns
    -------
    OrderedPairs
        The pairs taken, in the order of taking.

    Notes
    -----
    Exact over all pairs that see each other within the limit. Bands of growing length hold all of
    them in order, and a pair with a full end is never taken, so each band asks only for pairs
    between members with room.
    """
    known = np.unique(_code(linked, len(sky))) if linked is not None else None
    taken = []
    band: Band | None = sky.first_band()
    while band is not None:
        with_room = room > 0
        number = np.count_nonzero(with_room)
        if number < 2:
            break
        pairs = sky.pairs(band, with_room)
        if known is not None:
            new = ~np.isin(_code(pairs, len(sky)), known)
            pairs = OrderedPairs(pairs.source[new], pairs.target[new])
        chosen = take_in_order(pairs, room)
        taken.append((pairs.source[chosen], pairs.target[chosen]))
        band = sky.band_after(band, int(np.count_nonzero(room > 0)))
    if not taken:
        return OrderedPairs(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    source, target = (np.concatenate(column) for column in zip(*taken, strict=True))
    return OrderedPairs(source, target)


def take_in_order(pairs: OrderedPairs, room: Indices) -> Indices:
    """Take pairs one after the other while both ends have room.

    Parameters
    ----------
    pairs
        In the order in which they are considered.
    room
        How many more pairs each end may be part of; used up in place.

    Returns
    -------
    ndarray
        Indices of the pairs taken, ascending.

    Notes
    -----
    Done in rounds. A pair has a place among the pairs still considered at each of its ends; if that
    place is below the room of the end, at both ends, then whatever happens to the pairs before it,
    there is room when its turn comes. All such pairs are taken at once, those with a full end are
    dropped, and the rest are considered again. The first pair of all is taken in every round.
    """
    taken = [
        first
        + _take(pairs.source[first : first + _CHUNK], pairs.target[first : first + _CHUNK], room)
        for first in range(0, len(pairs.source), _CHUNK)
    ]
    return np.concatenate(taken) if taken else np.empty(0, dtype=np.int64)


def _take(source: Indices, target: Indices, room: Indices) -> Indices:
    index = np.arange(len(source))
    taken = []
    while True:
        open_ends = (room[source] > 0) & (room[target] > 0)
        if not open_ends.all():
            index, source, target = index[open_ends], source[open_ends], target[open_ends]
        if not len(index):
            break
        place = _place_at_end(source, target, len(room))
        sure = (place[:, 0] < room[source]) & (place[:, 1] < room[target])
        taken.append(index[sure])
        room -= np.bincount(source[sure], minlength=len(room))
        room -= np.bincount(target[sure], minlength=len(room))
        index, source, target = index[~sure], source[~sure], target[~sure]
    return np.sort(np.concatenate(taken)) if taken else index


def _place_at_end(source: Indices, target: Indices, members: int) -> Indices:
    """Return how many earlier pairs share the source and the target of each pair."""
    ends = np.stack((source, target), axis=1).reshape(-1)
    order = order_of(ends)
    count = np.bincount(ends, minlength=members)
    first = np.cumsum(count) - count
    place = np.empty(len(ends), dtype=np.int64)
    place[order] = np.arange(len(ends)) - first[ends[order]]
    return place.reshape(-1, 2)


def _code(pairs: OrderedPairs, members: int) -> Indices:
    return pairs.source * members + pairs.target
