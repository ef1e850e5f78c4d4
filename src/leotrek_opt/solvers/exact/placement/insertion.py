"""Placing one workflow after another, each as well as the room that is left allows."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from itertools import combinations, count

import numpy as np

from leotrek_opt.solvers.arrays.placement import PlacementArrays, WorkflowArrays
from leotrek_opt.solvers.exact.placement.bounds import BoundCalculator, path_through
from leotrek_opt.solvers.exact.placement.domains import DenseDomain, IntArray, Mask
from leotrek_opt.solvers.exact.placement.forests import Tree
from leotrek_opt.topology.routing import FloatArray

MAX_BRANCHINGS = 60


class Room:
    """What is left of every capacity while functions are placed and taken out again.

    Functions that can be on one node only (pinned ones) occupy it from the start.

    Parameters
    ----------
    arrays
        The problem.
    """

    def __init__(self, arrays: PlacementArrays) -> None:
        self.capacities = arrays.capacities
        self.free = [window.capacity.copy() for window in self.capacities.windows]
        fixed = np.flatnonzero(arrays.allowed.sum(axis=1) == 1)
        self.fixed = frozenset(fixed.tolist())
        self.place(fixed.tolist(), arrays.allowed[fixed].argmax(axis=1).tolist())

    def _needs(self, window: int, function: int, node: int) -> IntArray:
        needs: IntArray = self.capacities.demand[function].copy()
        for exempt, resource, where in self.capacities.windows[window].exempt:
            if exempt == function and where == node:
                needs[resource] = 0
        return needs

    def place(self, functions: Sequence[int], nodes: Sequence[int]) -> None:
        """Occupy room.

        Parameters
        ----------
        functions, nodes
            Equally long.
        """
        self._change(functions, nodes, 1)

    def remove(self, functions: Sequence[int], nodes: Sequence[int]) -> None:
        """Give room back.

        Parameters
        ----------
        functions, nodes
            Equally long, as they were placed.
        """
        self._change(functions, nodes, -1)

    def _change(self, functions: Sequence[int], nodes: Sequence[int], sign: int) -> None:
        for window, free in enumerate(self.free):
            active = self.capacities.windows[window].active
            for function, node in zip(functions, nodes, strict=True):
                if active[function]:
                    free[:, node] -= sign * self._needs(window, function, node)

    def fits(self, function: int, nodes: IntArray) -> Mask:
        """Return which of some nodes have room for a function."""
        fits = np.ones(len(nodes), dtype=bool)
        if function in self.fixed:
            return fits
        demand = self.capacities.demand[function]
        for window, free in zip(self.capacities.windows, self.free, strict=True):
            if not window.active[function]:
                continue
            enough = demand[:, None] <= free[:, nodes]
            enough[demand == 0] = True
            for exempt, resource, node in window.exempt:
                if exempt == function:
                    enough[resource, nodes == node] = True
            fits &= enough.all(axis=0)
        return fits

    def fits_together(self, functions: Sequence[int], node: int) -> bool:
        """Return whether a node has room for all of some functions."""
        for window, free in enumerate(self.free):
            active = self.capacities.windows[window].active
            load = np.zeros(len(self.capacities.resources), dtype=np.int64)
            for function in functions:
                if active[function]:
                    load += self._needs(window, function, node)
            if (load[load > 0] > free[load > 0, node]).any():
                return False
        return True


class Inserter:
    """Places single workflows exactly (trees) or by descent (other graphs) on few candidates.

    Parameters
    ----------
    calculator
        Knows the trees of the workflows.
    domain
        Candidates and pair costs.
    """

    def __init__(self, calculator: BoundCalculator, domain: DenseDomain) -> None:
        self.arrays = calculator.arrays
        self.trees = calculator.trees
        self.domain = domain

    def insert(
        self, workflow: int, room: Room, prices: FloatArray | None = None
    ) -> dict[int, int] | None:
        """Return the best places for one workflow in the room that is left.

        Parameters
        ----------
        workflow
            Workflow index.
        room
            Free capacities; unchanged.
        prices
            Addition to unary costs, shape (F, N), or None.

        Returns
        -------
        dict or None
            Candidate position by function; None if nothing was found.
        """
        item = self.arrays.workflows[workflow]
        unary = {}
        for function in item.functions:
            nodes = self.domain.nodes(function)
            cost = self.arrays.unary_ns[function][nodes]
            if prices is not None:
                cost = cost + prices[function][nodes]
            unary[function] = np.where(room.fits(function, nodes), cost, np.inf)
        trees = self.trees[workflow]
        if trees is not None and len(trees) == 1 and item.response_time_slo_ns is None:
            return self._insert_tree(trees[0], unary, room)
        return self._insert_graph(item, unary, room)

    def _insert_tree(
        self, tree: Tree, unary: dict[int, FloatArray], room: Room
    ) -> dict[int, int] | None:
        """Solve the tree; where functions crowd a node, branch on who must leave it."""
        tie = count()
        heap: list[tuple[float, int, dict[int, FloatArray], dict[int, int]]] = []

        def push(costs: dict[int, FloatArray]) -> None:
            best = best_of_tree(self.domain, tree, costs)
            if best is not None:
                heapq.heappush(heap, (best[0], next(tie), costs, best[1]))

        push(unary)
        for _ in range(MAX_BRANCHINGS):
            if not heap:
                return None
            _, _, costs, choice = heapq.heappop(heap)
            crowd = self._crowd(choice, room)
            if crowd is None:
                return choice
            for function in crowd:
                child = dict(costs)
                child[function] = costs[function].copy()
                child[function][choice[function]] = np.inf
                push(child)
        return None

    def _crowd(self, choice: dict[int, int], room: Room) -> tuple[int, ...] | None:
        """Return functions that share a node without room for all of them, or None."""
        by_node: dict[int, list[int]] = {}
        for function, position in choice.items():
            if function in room.fixed:
                continue
            node = int(self.domain.nodes(function)[position])
            by_node.setdefault(node, []).append(function)
        for node, functions in by_node.items():
            for size in range(2, len(functions) + 1):
                for group in combinations(functions, size):
                    if not room.fits_together(group, node):
                        return group
        return None

    def _insert_graph(
        self, item: WorkflowArrays, unary: dict[int, FloatArray], room: Room
    ) -> dict[int, int] | None:
        """Place in topological order by bound, then move single functions while it helps."""
        guide = path_through(self.domain, item)
        choice: dict[int, int] = {}
        for function in item.functions:
            score = unary[function] + guide[function]
            for edge in item.edges:
                ends = self.arrays.edges[edge]
                if ends.target == function:
                    score = score + self.domain.cost(edge)[choice[ends.source]]
            position = self._first_fitting(function, score, choice, room)
            if position is None:
                return None
            choice[function] = position
        return self._descend(item, unary, choice, room)

    def _first_fitting(
        self, function: int, score: FloatArray, choice: dict[int, int], room: Room
    ) -> int | None:
        for position in np.argsort(score, kind="stable"):
            if not np.isfinite(score[position]):
                return None
            if self._crowd(choice | {function: int(position)}, room) is None:
                return int(position)
        return None

    def _descend(
        self,
        item: WorkflowArrays,
        unary: dict[int, FloatArray],
        choice: dict[int, int],
        room: Room,
    ) -> dict[int, int] | None:
        best = self.workflow_value(item, unary, choice)
        improved = True
        while improved:
            improved = False
            for function in item.functions:
                for position in np.flatnonzero(np.isfinite(unary[function])):
                    trial = choice | {function: int(position)}
                    value = self.workflow_value(item, unary, trial)
                    if value < best and self._crowd(trial, room) is None:
                        best, choice, improved = value, trial, True
        limit = item.response_time_slo_ns
        in_time = limit is None or self.response_ns(item, choice) <= limit
        return choice if np.isfinite(best) and in_time else None

    def workflow_value(
        self, item: WorkflowArrays, unary: dict[int, FloatArray], choice: dict[int, int]
    ) -> float:
        """Return what a workflow adds to the objective, ``inf`` if a pair is forbidden."""
        pairs = sum(float(self.domain.cost(edge)[self._ends(edge, choice)]) for edge in item.edges)
        if not np.isfinite(pairs):
            return np.inf
        if self.arrays.is_critical_path:
            return self.response_ns(item, choice)
        return pairs + sum(float(unary[f][choice[f]]) for f in item.functions)

    def response_ns(self, item: WorkflowArrays, choice: dict[int, int]) -> float:
        """Return the critical path of a workflow in ns."""
        finish: dict[int, float] = {}
        for function in item.functions:
            node = self.domain.nodes(function)[choice[function]]
            start = float(self.arrays.source_ready_ns[function, node])
            for edge in item.edges:
                if self.arrays.edges[edge].target == function:
                    transfer = float(self.domain.transfer(edge)[self._ends(edge, choice)])
                    start = max(start, finish[self.arrays.edges[edge].source] + transfer)
            finish[function] = start + float(self.arrays.execution_ns[function, node])
        return max(finish.values())

    def _ends(self, edge: int, choice: dict[int, int]) -> tuple[int, int]:
        ends = self.arrays.edges[edge]
        return choice[ends.source], choice[ends.target]


def best_of_tree(
    domain: DenseDomain, tree: Tree, unary: dict[int, FloatArray]
) -> tuple[float, dict[int, int]] | None:
    """Return the optimum of a tree and where it is attained, ties to the first candidate.

    Parameters
    ----------
    domain
        Candidates and pair costs.
    tree
        Part of a workflow.
    unary
        Cost of each candidate by function.

    Returns
    -------
    tuple or None
        Value and candidate position by function; None if nothing is feasible.
    """
    below = dict(unary)
    for branch in reversed(tree.branches):
        forward = domain.arrays.edges[branch.edge].source == branch.child
        message = domain.cost_message(branch.edge, below[branch.child], forward=forward)
        below[branch.parent] = below[branch.parent] + message
    value = float(below[tree.root].min(initial=np.inf))
    if not np.isfinite(value):
        return None
    choice = {tree.root: int(np.argmin(below[tree.root]))}
    for branch in tree.branches:
        block = domain.cost(branch.edge)
        forward = domain.arrays.edges[branch.edge].source == branch.parent
        pair = block[choice[branch.parent]] if forward else block[:, choice[branch.parent]]
        choice[branch.child] = int(np.argmin(pair + below[branch.child]))
    return value, choice
