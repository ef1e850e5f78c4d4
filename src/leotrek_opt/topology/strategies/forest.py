"""Minimum spanning forests, also where satellites may have only so many links."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from leotrek_opt.topology.strategies.sky import Band, OrderedPairs, Sky

Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]


def spanning_forest(
    sky: Sky, room: Indices | None = None, linked: OrderedPairs | None = None
) -> OrderedPairs:
    """Take pairs by (length, source, target) that join what is still apart: Kruskal's algorithm.

    Parameters
    ----------
    sky
        Members, line of sight and limit.
    room
        How many more links each member may have, shape (members,); used up in place. A pair with a
        full end is passed over. None for no such limit, which gives the minimum spanning forest.
    linked
        Links there are already, which join their ends.

    Returns
    -------
    OrderedPairs
        The pairs taken, in no particular order.

    Notes
    -----
    Exact over all pairs that see each other within the limit. Bands of growing length hold all of
    them in order. A pair inside a component or with a full end is never taken, so each band asks
    only for pairs that leave a component other than the largest.
    """
    members = len(sky)
    component = _components(members, linked) if linked is not None else np.arange(members)
    taken = []
    band: Band | None = sky.first_band()
    while band is not None:
        able = np.ones(members, dtype=bool) if room is None else room > 0
        size = np.bincount(component, minlength=1)
        outside = able & (component != size.argmax())
        if not outside.any():
            break
        pairs = sky.pairs_from(outside, able, band)
        chosen = join_in_order(pairs, component, room)
        taken.append((pairs.source[chosen], pairs.target[chosen]))
        band = sky.band_after(band, members)
    if not taken:
        return OrderedPairs(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    source, target = (np.concatenate(column) for column in zip(*taken, strict=True))
    return OrderedPairs(source, target)


def join_in_order(pairs: OrderedPairs, component: Indices, room: Indices | None) -> Indices:
    """Take pairs one after the other that join two components and, with a limit, have room.

    Parameters
    ----------
    pairs
        In the order in which they are considered.
    component
        Of each member, numbered from 0; joined in place.
    room
        How many more pairs each end may be part of, used up in place; None for any number.

    Returns
    -------
    ndarray
        Indices of the pairs taken, ascending.

    Notes
    -----
    Done in rounds, as Boruvka's algorithm does. A pair that is the first to leave a component will
    find that component as it is when its turn comes, so it is taken if its other end then has room:
    always without a limit, and with one if it is the first pair there too or the first to leave the
    other component. All such pairs are taken at once, those inside a component or with a full end
    are dropped, and the rest are considered again. The first pair of all is taken in every round.
    """
    index = np.arange(len(pairs.source))
    source, target = pairs.source, pairs.target
    taken = []
    while True:
        alive = component[source] != component[target]
        if room is not None:
            alive &= (room[source] > 0) & (room[target] > 0)
        index, source, target = index[alive], source[alive], target[alive]
        if not len(index):
            break
        leaves_source, leaves_target = _first_at(component[source], component[target])
        if room is None:
            sure = leaves_source | leaves_target
        else:
            at_source, at_target = _first_at(source, target)
            sure = (leaves_source & (leaves_target | at_target)) | (leaves_target & at_source)
            room -= np.bincount(source[sure], minlength=len(room))
            room -= np.bincount(target[sure], minlength=len(room))
        taken.append(index[sure])
        component[:] = _joined(component, source[sure], target[sure])
        index, source, target = index[~sure], source[~sure], target[~sure]
    return np.sort(np.concatenate(taken)) if taken else index


def _first_at(left: Indices, right: Indices) -> tuple[Mask, Mask]:
    """Say for each pair whether it is the first with its left and its right end, on any side."""
    place = np.arange(len(left))
    first = np.empty(max(int(left.max()), int(right.max())) + 1, dtype=np.int64)
    # Of several values for one entry the last one stays, so pairs are written backwards.
    ends = np.stack((left, right), axis=1)[::-1].reshape(-1)
    first[ends] = np.repeat(place[::-1], 2)
    return first[left] == place, first[right] == place


def _joined(component: Indices, source: Indices, target: Indices) -> Indices:
    count = int(component.max()) + 1
    graph = coo_array(
        (np.ones(len(source), dtype=np.int8), (component[source], component[target])),
        shape=(count, count),
    )
    label = connected_components(graph, directed=False)[1]
    joined: Indices = label.astype(np.int64)[component]
    return joined


def _components(members: int, linked: OrderedPairs) -> Indices:
    return _joined(np.arange(members), linked.source, linked.target)
