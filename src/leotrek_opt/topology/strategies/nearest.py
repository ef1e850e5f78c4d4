"""Links to nearest neighbours: the union of everybody's choices, and everything in sight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.topology.state import LinkPairs
from leotrek_opt.topology.strategies.greedy import shortest_first
from leotrek_opt.topology.strategies.sky import Sky

Indices = NDArray[np.int64]

_SPARE = 3
"""Candidates looked at beyond those wanted: equals of the last one, and some out of sight."""


def nearest(sky: Sky, k: int) -> LinkPairs:
    """Link every satellite to the nearest ones it sees; a link exists when either end chose it.

    Parameters
    ----------
    sky
        Satellites, line of sight and limit.
    k
        How many each chooses, by (length, index).

    Returns
    -------
    LinkPairs
        The union of the choices.
    """
    chosen, looking = [], np.arange(len(sky))
    count = k + _SPARE
    while len(looking):
        neighbour, number, complete = sky.nearest(looking, count)
        done = complete | (number >= k)
        column = np.arange(neighbour.shape[1])
        taken = done[:, None] & (column < np.minimum(number, k)[:, None])
        chosen.append((np.repeat(looking, taken.sum(axis=1)), neighbour[taken]))
        looking, count = looking[~done], 2 * count
    chooser, choice = (np.concatenate(column) for column in zip(*chosen, strict=True))
    return sky.links(chooser, choice)


def nearest_k(sky: Sky, k: int) -> LinkPairs:
    """Take links shortest first, each while both ends have fewer than a number of links.

    Parameters
    ----------
    sky
        Satellites, line of sight and limit.
    k
        How many links a satellite may have.

    Returns
    -------
    LinkPairs
        Exactly what taking all pairs in sight by (length, source, target) gives.
    """
    return sky.links(*shortest_first(sky, np.full(len(sky), k)))


def visibility(sky: Sky) -> LinkPairs:
    """Link every pair in range that sees each other.

    Parameters
    ----------
    sky
        Satellites, line of sight and limit.

    Returns
    -------
    LinkPairs
        All of them.
    """
    return sky.links(*sky.pairs_in_any_order())
