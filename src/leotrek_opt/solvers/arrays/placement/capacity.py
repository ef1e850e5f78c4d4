"""Capacities over time: the sets of functions that occupy nodes together, and what nodes offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.continuum import NodeEvent
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.models.workflow import Function

ACCELERATOR_PREFIX = "accelerator:"


@dataclass(frozen=True, eq=False)
class Window:
    """A step at which a set of functions occupies nodes together.

    Parameters
    ----------
    step
        First step of the window.
    active
        Functions that occupy their node, shape (F,).
    capacity
        Offered by resource and node, shape (R, N).
    exempt
        Triples (function, resource, node) that do not count there.
    """

    step: int
    active: NDArray[np.bool_]
    capacity: NDArray[np.int64]
    exempt: frozenset[tuple[int, int, int]]


@dataclass(frozen=True)
class Overload:
    """A node that is asked for more than it offers."""

    window: int
    resource: int
    node: int
    load: int
    capacity: int


class Capacities:
    """Demands, and the windows in which they meet capacities; dominated windows are left out.

    Parameters
    ----------
    problem
        The placement problem.
    functions
        All functions with their workflow, in the order of the arrays.
    """

    def __init__(
        self, problem: PlacementProblem, functions: Sequence[tuple[str, Function]]
    ) -> None:
        self.n_nodes = len(problem.continuum.nodes)
        self.resources = _resources(functions)
        self.demand = np.array(
            [[_demand(function, name) for name in self.resources] for _, function in functions],
            dtype=np.int64,
        ).reshape(len(functions), len(self.resources))
        self.windows = _windows(problem, functions, self.resources)
        self._conflicts: dict[tuple[int, int], NDArray[np.bool_] | None] = {}

    def fits(self, function: int) -> NDArray[np.bool_]:
        """Return the nodes that can hold a function alone, shape (N,)."""
        fits = np.ones(self.n_nodes, dtype=bool)
        for window in self.windows:
            if window.active[function]:
                room = self.demand[function][:, None] <= window.capacity
                for exempt, resource, node in window.exempt:
                    if exempt == function:
                        room[resource, node] = True
                fits &= room.all(axis=0)
        return fits

    def conflict(self, first: int, second: int) -> NDArray[np.bool_] | None:
        """Return the nodes that cannot hold two functions together, or None if there are none."""
        key = (min(first, second), max(first, second))
        if key not in self._conflicts:
            self._conflicts[key] = self._compute_conflict(*key)
        return self._conflicts[key]

    def _compute_conflict(self, first: int, second: int) -> NDArray[np.bool_] | None:
        conflict = np.zeros(self.n_nodes, dtype=bool)
        both = self.demand[first] + self.demand[second]
        shared = (self.demand[first] > 0) & (self.demand[second] > 0)
        for window in self.windows:
            if not (window.active[first] and window.active[second] and shared.any()):
                continue
            over = (both[:, None] > window.capacity) & shared[:, None]
            for exempt, resource, node in window.exempt:
                if exempt in (first, second):
                    over[resource, node] = False
            conflict |= over.any(axis=0)
        return conflict if conflict.any() else None

    def loads(self, window: int, assignment: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what a window's functions ask of each resource and node.

        Parameters
        ----------
        window
            Index into ``windows``.
        assignment
            Node by function, -1 for unplaced; shape (F,).

        Returns
        -------
        ndarray of int64, shape (R, N)
            Total demand.
        """
        view = self.windows[window]
        load = np.zeros((len(self.resources), self.n_nodes), dtype=np.int64)
        placed = np.flatnonzero(view.active & (assignment >= 0))
        for resource in range(len(self.resources)):
            np.add.at(load[resource], assignment[placed], self.demand[placed, resource])
        for function, resource, node in view.exempt:
            if view.active[function] and assignment[function] == node:
                load[resource, node] -= self.demand[function, resource]
        return load

    def overloads(self, assignment: NDArray[np.int64]) -> list[Overload]:
        """Return every node, resource and window where an assignment asks too much."""
        found = []
        for index, window in enumerate(self.windows):
            load = self.loads(index, assignment)
            for resource, node in np.argwhere((load > window.capacity) & (load > 0)):
                found.append(
                    Overload(
                        index,
                        int(resource),
                        int(node),
                        int(load[resource, node]),
                        int(window.capacity[resource, node]),
                    )
                )
        return found


def _resources(functions: Sequence[tuple[str, Function]]) -> tuple[str, ...]:
    names = {name for _, function in functions for name, need in function.demand.items() if need}
    names |= {
        ACCELERATOR_PREFIX + function.accelerator.device
        for _, function in functions
        if function.accelerator.mode == "gpu"
    }
    return tuple(sorted(names))


def _demand(function: Function, resource: str) -> int:
    if resource.startswith(ACCELERATOR_PREFIX):
        accelerator = function.accelerator
        asked = accelerator.mode == "gpu" and resource == ACCELERATOR_PREFIX + accelerator.device
        return accelerator.count if asked else 0
    return function.demand.get(resource, 0)


def occupied_steps(function: Function, steps: int) -> range:
    """Return the steps during which a function occupies its node."""
    if function.pinned is not None and not function.reserves:
        return range(0)
    if function.hold == "forever":
        return range(function.step, steps)
    return range(function.hold.start, function.hold.end)


def _windows(
    problem: PlacementProblem,
    functions: Sequence[tuple[str, Function]],
    resources: tuple[str, ...],
) -> tuple[Window, ...]:
    continuum = problem.continuum
    steps = continuum.time.steps
    occupied = [occupied_steps(function, steps) for _, function in functions]
    node_index = {name: index for index, name in enumerate(continuum.nodes.id)}
    row = {name: index for index, name in enumerate(resources)}
    number = {f"{workflow}/{f.id}": index for index, (workflow, f) in enumerate(functions)}
    events = sorted(
        (event for event in continuum.events if event.resource in row),
        key=lambda event: (event.step, event.order),
    )
    changes = sorted(
        {span.start for span in occupied if span}
        | {span.stop for span in occupied if span and span.stop < steps}
        | {event.step for event in events}
    )
    capacity = _initial_capacity(problem, resources)
    exempt: dict[tuple[int, int], frozenset[tuple[int, int, int]]] = {}
    kept: list[Window] = []
    pending = list(events)
    for step in changes:
        capacity, pending = _apply_events(step, capacity, pending, exempt, row, node_index, number)
        window = Window(
            step,
            np.array([step in span for span in occupied]),
            capacity,
            frozenset().union(*exempt.values()),
        )
        if kept and _dominates(window, kept[-1]):
            kept[-1] = window
        elif not (kept and _dominates(kept[-1], window)):
            kept.append(window)
    return tuple(window for window in kept if window.active.any())


def _initial_capacity(problem: PlacementProblem, resources: tuple[str, ...]) -> NDArray[np.int64]:
    nodes = problem.continuum.nodes
    capacity = np.zeros((len(resources), len(nodes)), dtype=np.int64)
    for index, name in enumerate(resources):
        device = name.removeprefix(ACCELERATOR_PREFIX)
        column = nodes.capacity.get(name) if device == name else nodes.accelerators.get(device)
        if column is not None:
            capacity[index] = column
    return capacity


def _apply_events(
    step: int,
    capacity: NDArray[np.int64],
    pending: list[NodeEvent],
    exempt: dict[tuple[int, int], frozenset[tuple[int, int, int]]],
    row: dict[str, int],
    node_index: dict[str, int],
    number: dict[str, int],
) -> tuple[NDArray[np.int64], list[NodeEvent]]:
    due = [event for event in pending if event.step <= step]
    if due:
        capacity = capacity.copy()
    for event in due:
        resource, node = row[str(event.resource)], node_index[event.node]
        capacity[resource, node] = event.capacity or 0
        exempt[resource, node] = frozenset(
            (number[name], resource, node) for name in event.except_functions
        )
    return capacity, pending[len(due) :]


def _dominates(strong: Window, weak: Window) -> bool:
    """Tell whether keeping ``strong`` implies keeping ``weak``."""
    return (
        strong.exempt <= weak.exempt
        and bool((weak.active <= strong.active).all())
        and (strong.capacity is weak.capacity or bool((strong.capacity <= weak.capacity).all()))
    )
