"""Links added to a tree so that fewer failures cut it: Stardust's loops, made deterministic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.topology.ordering import order_of
from leotrek_opt.topology.strategies.neighbours import Neighbours
from leotrek_opt.topology.strategies.sky import OrderedPairs, Sky

Indices = NDArray[np.int64]

_LOOKED_UP = 12
_PRODUCT_QUANTUM_KM2 = 1e-3
"""Scalar products are compared in these, as lengths are in millimetres."""


def loops(sky: Sky, tree: OrderedPairs, degree: int) -> OrderedPairs:
    """Give satellites with few links one more, in the order of their indices.

    Parameters
    ----------
    sky
        Members, line of sight and range.
    tree
        Links there are.
    degree
        A satellite with at least one link and fewer than ``degree - 1`` gets the shortest missing
        link (ties to the smaller index) where both ends have fewer than ``degree``; degrees count
        at once.

    Returns
    -------
    OrderedPairs
        The links added.

    Notes
    -----
    What one satellite gets depends on all before it, hence the loop; it looks at a handful of
    neighbours each.
    """
    count = _degrees(sky, tree)
    near = Neighbours(sky, (count > 0) & (count < degree - 1), _LOOKED_UP)
    links = _partners(sky, tree)
    degrees = count.tolist()
    added = []
    for member in range(len(sky)):
        if not 0 < degrees[member] < degree - 1:
            continue
        for other in near.of(member):
            if degrees[other] < degree and other not in links[member]:
                _add(member, other, degrees, links)
                added.append((member, other))
                break
    return _pairs(added)


def smart_loops(sky: Sky, tree: OrderedPairs, degree: int) -> OrderedPairs:
    """Join leaves of a tree to the leaf at the widest angle, in the order of their indices.

    Parameters
    ----------
    sky
        Members, line of sight and range.
    tree
        Links there are. Its leaves are the satellites with one link, and stay so called.
    degree
        A leaf that still has one link is joined to the leaf in range at the widest angle, seen from
        the centre of the Earth, that it is not linked to and that has fewer than ``degree`` links
        (ties to the smaller index).

    Returns
    -------
    OrderedPairs
        The links added.
    """
    count = _degrees(sky, tree)
    pairs = sky.pairs(members=count == 1)
    leaf = np.concatenate((pairs.source, pairs.target))
    other = np.concatenate((pairs.target, pairs.source))
    product = np.einsum("ij,ij->i", sky.position_km[leaf], sky.position_km[other])
    quanta = np.rint(product / _PRODUCT_QUANTUM_KM2).astype(np.int64)
    order = order_of(leaf, quanta - quanta.min(initial=0), other)
    first = np.searchsorted(leaf[order], np.arange(len(sky) + 1)).tolist()
    widest = other[order].tolist()
    links = _partners(sky, tree)
    degrees = count.tolist()
    added = []
    for member in np.flatnonzero(count == 1).tolist():
        if degrees[member] != 1:
            continue
        for candidate in widest[first[member] : first[member + 1]]:
            if degrees[candidate] < degree and candidate not in links[member]:
                _add(member, candidate, degrees, links)
                added.append((member, candidate))
                break
    return _pairs(added)


def _degrees(sky: Sky, tree: OrderedPairs) -> Indices:
    return np.bincount(np.concatenate((tree.source, tree.target)), minlength=len(sky))


def _partners(sky: Sky, tree: OrderedPairs) -> list[set[int]]:
    partners: list[set[int]] = [set() for _ in range(len(sky))]
    for source, target in zip(tree.source.tolist(), tree.target.tolist(), strict=True):
        partners[source].add(target)
        partners[target].add(source)
    return partners


def _add(member: int, other: int, degrees: list[int], links: list[set[int]]) -> None:
    links[member].add(other)
    links[other].add(member)
    degrees[member] += 1
    degrees[other] += 1


def _pairs(added: list[tuple[int, int]]) -> OrderedPairs:
    ends = np.sort(np.array(added, dtype=np.int64).reshape(-1, 2), axis=1)
    return OrderedPairs(ends[:, 0], ends[:, 1])
