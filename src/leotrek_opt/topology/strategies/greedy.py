"""Shortest links first, each taken while both ends have room."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.topology.strategies.sky import Band, OrderedPairs, Sky
from leotrek_opt.topology.taking import take_in_order

Indices = NDArray[np.int64]


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
        chosen = take_in_order(pairs.source, pairs.target, room)
        taken.append((pairs.source[chosen], pairs.target[chosen]))
        band = sky.band_after(band, int(np.count_nonzero(room > 0)))
    if not taken:
        return OrderedPairs(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    source, target = (np.concatenate(column) for column in zip(*taken, strict=True))
    return OrderedPairs(source, target)


def _code(pairs: OrderedPairs, members: int) -> Indices:
    return pairs.source * members + pairs.target
