"""Trees over all satellites: minimum, after Stardust's partitions, and under a degree cap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.inter_satellite import CappedTree, TreeLinks
from leotrek_opt.topology.state import LinkPairs
from leotrek_opt.topology.strategies.forest import spanning_forest
from leotrek_opt.topology.strategies.greedy import shortest_first
from leotrek_opt.topology.strategies.loops import loops, smart_loops
from leotrek_opt.topology.strategies.partition_tree import partition_tree
from leotrek_opt.topology.strategies.sky import OrderedPairs, Sky

Indices = NDArray[np.int64]


def tree_links(sky: Sky, rule: TreeLinks) -> LinkPairs:
    """Return a tree, with the loops that its rule names.

    Parameters
    ----------
    sky
        Satellites and line of sight, without a range.
    rule
        Which tree, which loops, range and degree. The range bounds ``mst`` and all loops; a ``pst``
        reaches as far as sight does.

    Returns
    -------
    LinkPairs
        Tree and loops.
    """
    in_range = sky.within(rule.max_range_km)
    kind, _, more = rule.type.partition("_")
    tree = partition_tree(sky) if kind == "pst" else spanning_forest(in_range)
    if more == "loop":
        tree = joined(tree, loops(in_range, tree, rule.degree))
    elif more == "smart_loop":
        tree = joined(tree, smart_loops(in_range, tree, rule.degree))
    return sky.links(tree.source, tree.target)


def capped_tree(sky: Sky, rule: CappedTree) -> LinkPairs:
    """Return a spanning tree under a degree cap, filled up with the shortest missing links.

    Parameters
    ----------
    sky
        Satellites and line of sight, without a range.
    rule
        Range and degree.

    Returns
    -------
    LinkPairs
        Tree and filling.
    """
    in_range = sky.within(rule.max_range_km)
    room = np.full(len(sky), rule.degree)
    tree = spanning_forest(in_range, room)
    filling = shortest_first(in_range, room, tree)
    return sky.links(*joined(tree, filling))


def joined(*parts: OrderedPairs) -> OrderedPairs:
    """Put several lists of pairs one after the other.

    Parameters
    ----------
    *parts
        At least one.

    Returns
    -------
    OrderedPairs
        All of them.
    """
    source, target = (np.concatenate(column) for column in zip(*parts, strict=True))
    return OrderedPairs(source, target)
