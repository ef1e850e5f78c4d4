"""Placing one function after another, as a scheduler does that never looks ahead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from leotrek_opt.models.continuum import Architecture, HeatProfile
from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.heuristics.answers import placement_order
from leotrek_opt.solvers.heuristics.occupancy import Mask, Occupancy
from leotrek_opt.solvers.heuristics.vicinity import SubPoints
from leotrek_opt.topology.routing import IntArray

LIST_ORDER = ("ground_station", "cloud", "edge", "satellite")
"""Kinds of nodes in the order in which candidates are listed; within a kind by index."""


@dataclass(frozen=True)
class Decision:
    """What a scheduler did with one function.

    Parameters
    ----------
    function
        Function index.
    node
        Node index, -1 if it found none.
    score
        Of the node, 0 to 100; None for pinned functions and where none was found.
    reason
        Why it found none, else empty.
    """

    function: int
    node: int
    score: int | None = None
    reason: str = ""


Choice = tuple[int, int] | str
"""Node and score, or why there is none."""
Scheduler = Callable[["State", int], Choice]


class State:
    """What a scheduler knows while it places one function after another.

    Parameters
    ----------
    arrays
        The problem.
    """

    def __init__(self, arrays: PlacementArrays) -> None:
        self.arrays = arrays
        self.continuum = arrays.problem.continuum
        self.assignment: IntArray = np.full(arrays.n_functions, -1, dtype=np.int64)
        self.node_index = {name: index for index, name in enumerate(self.continuum.nodes.id)}
        self.occupancy = Occupancy(arrays.capacities)
        kinds = np.array(self.continuum.nodes.kind)
        self.by_kind = {kind: np.flatnonzero(kinds == kind) for kind in LIST_ORDER}
        self.listed = np.concatenate([self.by_kind[kind] for kind in LIST_ORDER])
        self._rules = {rule.name: rule.allowed for rule in arrays.rules}
        self._sub_points: dict[int, SubPoints] = {}

    def fits(self, function: int) -> Mask:
        """Return the nodes that pass the resources filter, shape (N,)."""
        fits = self.occupancy.room(function)
        # A satellite that is taken for Earth observation has no resources left for later functions.
        for name in ("architecture", "availability"):
            fits = fits & self._rules[name][function]
        return fits

    def sub_points(self, step: int) -> SubPoints:
        """Return where all nodes are at a step."""
        if step not in self._sub_points:
            self._sub_points[step] = SubPoints(self.continuum, step)
        return self._sub_points[step]

    @cached_property
    def heat_groups(self) -> list[tuple[HeatProfile, Architecture, IntArray]]:
        """Nodes with a heat profile, by profile and architecture."""
        nodes = self.continuum.nodes
        if nodes.heat_profile is None:
            return []
        architecture = np.array(nodes.architecture)
        names = sorted(set(nodes.architecture))
        groups = [
            (profile, name, np.flatnonzero((nodes.heat_profile == index) & (architecture == name)))
            for index, profile in enumerate(self.continuum.heat_profiles)
            for name in names
        ]
        return [group for group in groups if len(group[2])]


def replay(arrays: PlacementArrays, scheduler: Scheduler) -> tuple[IntArray, list[Decision]]:
    """Place all functions, one after another; a function without a node is left out.

    Parameters
    ----------
    arrays
        The problem.
    scheduler
        Chooses a node for one function.

    Returns
    -------
    assignment : ndarray of int64, shape (F,)
        Node by function, -1 where none was found.
    decisions : list of Decision
        In the order in which they were taken.
    """
    state = State(arrays)
    decisions = []
    for function in placement_order(arrays):
        model = arrays.functions[function][1]
        if model.pinned is not None:
            decision = Decision(function, state.node_index[model.pinned])
        else:
            choice = scheduler(state, function)
            if isinstance(choice, str):
                decision = Decision(function, -1, reason=choice)
            else:
                decision = Decision(function, *choice)
        if decision.node >= 0:
            state.assignment[function] = decision.node
            state.occupancy.place(function, decision.node)
        decisions.append(decision)
    return state.assignment, decisions
