"""Pairs of satellites in the one order that everything after a strategy relies on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.topology.ordering import order_of
from leotrek_opt.topology.state import LinkPairs

Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]


def sorted_pairs(first: Indices, second: Indices, cross_plane: Mask | None = None) -> LinkPairs:
    """Put pairs in order, each once.

    Parameters
    ----------
    first, second
        Satellite indices in either order, shape (n,). A pair of a satellite with itself is left
        out.
    cross_plane
        Shape (n,), or None where planes are unknown. A pair listed both ways is in plane.

    Returns
    -------
    LinkPairs
        ``source < target``, sorted by both, each pair once.
    """
    source, target = np.minimum(first, second), np.maximum(first, second)
    keys = (source, target) if cross_plane is None else (source, target, cross_plane)
    order = order_of(*keys)
    source, target = source[order], target[order]
    # Of equal pairs the first is kept, which is the one in plane.
    kept = source != target
    kept[1:] &= (source[1:] != source[:-1]) | (target[1:] != target[:-1])
    if cross_plane is not None:
        cross_plane = cross_plane[order][kept]
    return LinkPairs(source[kept], target[kept], cross_plane)


def joined_pairs(parts: Iterable[tuple[Indices, bool]]) -> LinkPairs:
    """Join several lists of pairs into one.

    Parameters
    ----------
    parts
        Pairs of shape (2, n), and whether they cross planes.

    Returns
    -------
    LinkPairs
        In order, each pair once, cross-plane links marked.
    """
    listed = [(np.empty((2, 0), dtype=np.int64), False), *parts]
    ends = np.concatenate([pairs for pairs, _ in listed], axis=1)
    cross = np.concatenate([np.full(pairs.shape[1], mark) for pairs, mark in listed])
    return sorted_pairs(ends[0], ends[1], cross)
