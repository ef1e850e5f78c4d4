"""Stardust's partition spanning tree: every satellite in turn links to another component."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.topology.strategies.neighbours import Neighbours
from leotrek_opt.topology.strategies.sky import OrderedPairs, Sky

Indices = NDArray[np.int64]

MAX_DEGREE = 4
"""Fixed in Stardust, whatever the number of neighbours asked for."""

_LOOKED_UP = 12


def partition_tree(sky: Sky) -> OrderedPairs:
    """Let every satellite, in the order of indices, link to the nearest of another component.

    Parameters
    ----------
    sky
        Members, line of sight and limit.

    Returns
    -------
    OrderedPairs
        One link per satellite at most: to the nearest one it sees (ties to the smaller index) in
        another component, while both ends have fewer than four. A forest, not always a tree.

    Notes
    -----
    What one satellite finds depends on all before it, hence the loop. Most find a neighbour in a
    list made in advance; who sees only its own component around it looks at all others at once.
    """
    members = len(sky)
    near = Neighbours(sky, np.ones(members, dtype=bool), _LOOKED_UP)
    component = np.arange(members)
    degree = np.zeros(members, dtype=np.int64)
    parts = [[member] for member in range(members)]
    labels, degrees = component.tolist(), degree.tolist()
    remaining = members
    taken = []
    for member in range(members):
        if degrees[member] >= MAX_DEGREE:
            continue
        own = labels[member]
        other = next(
            (
                candidate
                for candidate in near.known(member)
                if labels[candidate] != own and degrees[candidate] < MAX_DEGREE
            ),
            -1,
        )
        if other < 0 and not near.knows_all(member):
            others = np.flatnonzero((component != own) & (degree < MAX_DEGREE))
            other = sky.nearest_of(member, others)
        if other < 0:
            continue
        taken.append((min(member, other), max(member, other)))
        for end in (member, other):
            degrees[end] += 1
            degree[end] += 1
        small, large = sorted((own, labels[other]), key=lambda label: len(parts[label]))
        component[parts[small]] = large
        for moved in parts[small]:
            labels[moved] = large
        parts[large] += parts[small]
        remaining -= 1
        if remaining == 1:
            break
    ends = np.array(taken, dtype=np.int64).reshape(-1, 2)
    return OrderedPairs(ends[:, 0], ends[:, 1])
