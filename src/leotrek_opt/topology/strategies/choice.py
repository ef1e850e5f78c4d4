"""From the rule of a topology to the function that chooses links at each step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from leotrek_opt.models.inter_satellite import (
    CappedTree,
    InferredPlusGrid,
    InterSatelliteLink,
    Nearest,
    NearestK,
    PlusGrid,
    TreeLinks,
    Visibility,
)
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.state import InterSatelliteStrategy, LinkPairs, SatelliteState
from leotrek_opt.topology.strategies.inferred_grid import inferred_plus_grid
from leotrek_opt.topology.strategies.nearest import nearest, nearest_k, visibility
from leotrek_opt.topology.strategies.plus_grid import plus_grid
from leotrek_opt.topology.strategies.sky import Sky, sky_of
from leotrek_opt.topology.strategies.trees import capped_tree, tree_links


def inter_satellite_strategy(
    topology: GeneratedTopology, first: SatelliteState
) -> InterSatelliteStrategy:
    """Return the function that chooses the links between satellites of a topology.

    Parameters
    ----------
    topology
        Shells or fleet, and the rule.
    first
        Satellites at the first step: ``plus_grid`` takes its shortest shift from there,
        ``plus_grid_inferred`` its planes.

    Returns
    -------
    InterSatelliteStrategy
        A function of the satellites at a step. Rules with a fixed pattern return the same arrays at
        every step; the others look at nothing but the step, so that steps may be taken in any
        order. Without a rule it returns no link.
    """
    rule = topology.inter_satellite
    if rule is None:
        return _always(LinkPairs(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)))
    if isinstance(rule, PlusGrid):
        return _always(plus_grid(topology.shells, rule, first.position_km))
    if isinstance(rule, InferredPlusGrid):
        if topology.fleet is None:
            raise ValueError("an inferred +Grid has a fleet")
        return inferred_plus_grid(topology.fleet, rule, first)
    return _by_position(rule)


def _by_position(
    rule: NearestK | Nearest | TreeLinks | CappedTree | Visibility,
) -> InterSatelliteStrategy:
    if isinstance(rule, TreeLinks):
        return _in_sky(rule, lambda sky: tree_links(sky, rule))
    if isinstance(rule, CappedTree):
        return _in_sky(rule, lambda sky: capped_tree(sky, rule))
    reach = rule.max_range_km
    if isinstance(rule, Visibility):
        return _in_sky(rule, lambda sky: visibility(sky.within(reach)))
    choose, k = (nearest_k, rule.k) if isinstance(rule, NearestK) else (nearest, rule.k)
    return _in_sky(rule, lambda sky: choose(sky.within(reach), k))


def _in_sky(rule: InterSatelliteLink, choose: Callable[[Sky], LinkPairs]) -> InterSatelliteStrategy:
    def strategy(state: SatelliteState) -> LinkPairs:
        sky = sky_of(state, rule)
        if len(sky) < 2:
            return LinkPairs(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
        return choose(sky)

    return strategy


def _always(pairs: LinkPairs) -> InterSatelliteStrategy:
    for column in pairs:
        if column is not None:
            column.flags.writeable = False
    return lambda _: pairs
