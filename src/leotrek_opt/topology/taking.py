"""Pairs taken one after the other while both ends have room, in a few rounds over arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.topology.ordering import order_of

Indices = NDArray[np.int64]

_CHUNK = 8192
"""Pairs looked at together: most of those of a later chunk find an end full already."""


def take_in_order(source: Indices, target: Indices, room: Indices) -> Indices:
    """Take pairs one after the other while both ends have room.

    Parameters
    ----------
    source, target
        Ends of the pairs in the order in which they are considered, shape (pairs,).
    room
        How many more pairs each end may be part of, shape (ends,); used up in place.

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
        first + _take(source[first : first + _CHUNK], target[first : first + _CHUNK], room)
        for first in range(0, len(source), _CHUNK)
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
