"""Which rules a placement breaks, and what it would break with one function moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np

from leotrek_opt.solvers.explain.placement.breaches import (
    NOBODY,
    Breaches,
    Cause,
    IntArray,
    Mask,
)
from leotrek_opt.topology.routing import FloatArray


class State:
    """One placement, and its neighbours: placements with one function on another node.

    Parameters
    ----------
    breaches
        What breaks which rule.
    assignment
        Node by function, shape (F,).

    Attributes
    ----------
    broken : frozenset of int
        Numbers of the rules that it breaks.
    is_cut_off : bool
        Whether some route does not exist.
    """

    def __init__(self, breaches: Breaches, assignment: IntArray) -> None:
        self.breaches = breaches
        self.nodes = assignment
        arrays = breaches.arrays
        self._by_function = [
            _broken(causes, int(node))
            for causes, node in zip(breaches.own, assignment, strict=True)
        ]
        self._apart = [
            index
            for index, edge in enumerate(arrays.edges)
            if assignment[edge.source] != assignment[edge.target]
        ]
        # On one node every edge is kept.
        self._by_edge = [frozenset[int]()] * len(arrays.edges)
        for index in self._apart:
            edge = arrays.edges[index]
            way = breaches.way(index, self._node(edge.source))
            self._by_edge[index] = _broken(way.causes, self._node(edge.target))
        self._by_workflow = {
            workflow: float(self._response(workflow)) > breaches.book.value(rule)
            for workflow, rule in breaches.response.items()
        }
        windows = arrays.capacities.windows
        self._loads = [arrays.capacities.loads(index, assignment) for index in range(len(windows))]
        self._overloaded = self._overloads()
        self._counts = Counter(rule for rules in self._by_function for rule in rules)
        self._counts.update(rule for rules in self._by_edge for rule in rules)
        full = {
            int(breaches.capacity[place]) for place in map(tuple, np.argwhere(self._overloaded))
        }
        late = {breaches.response[w] for w, is_late in self._by_workflow.items() if is_late}
        self.broken = frozenset({*self._counts, *full, *late} - {NOBODY})
        self.is_cut_off = any(
            bool(cut_off[node]) for cut_off, node in zip(breaches.cut_off, assignment, strict=True)
        ) or any(self._is_cut_off(index) for index in self._apart)

    def _is_cut_off(self, edge: int) -> bool:
        ends = self.breaches.arrays.edges[edge]
        way = self.breaches.way(edge, self._node(ends.source))
        return bool(way.cut_off[self._node(ends.target)])

    def better(self, function: int, focus: Mask, avoid: Mask) -> IntArray | None:
        """Move one function to where fewer rules break, or as many by less.

        How far rules are broken counts by the units that are missing, and by the number of
        functions and edges that break them: where a node is crowded, it takes several moves until
        a rule less is broken.

        Parameters
        ----------
        function
            To be moved.
        focus
            By number, the rules that count; one entry more than there are rules.
        avoid
            By number, likewise, rules that must not be broken. This placement breaks none.

        Returns
        -------
        ndarray of int64 or None
            Node by function; of several nodes the first. None if no node is better.
        """
        rest, causes, cut_off = self._without(function)
        counts = self._count(rest, causes, focus)
        for cause in causes:
            cut_off = cut_off | (cause.broken & avoid[cause.rule])
        extents = self._excess(function, focus)
        for cause in causes:
            extents += cause.broken & focus[cause.rule]
        here = self._node(function)
        allowed = np.flatnonzero(~cut_off & (counts <= counts[here]))
        if not allowed.size:
            return None
        node = int(allowed[np.lexsort((extents[allowed], counts[allowed]))[0]])
        if (counts[node], extents[node]) >= (counts[here], extents[here]):
            return None
        return self._moved(function, node)

    def involved(self, focus: Mask) -> list[int]:
        """Return the functions whose move could mend something that counts.

        Parameters
        ----------
        focus
            By number, the rules that count.

        Returns
        -------
        list of int
            Function indices, ascending.
        """
        arrays = self.breaches.arrays
        found = {
            function for function, rules in enumerate(self._by_function) if focus[list(rules)].any()
        }
        for edge, rules in zip(arrays.edges, self._by_edge, strict=True):
            if focus[list(rules)].any():
                found |= {edge.source, edge.target}
        for workflow, is_late in self._by_workflow.items():
            if is_late and focus[self.breaches.response[workflow]]:
                found |= set(arrays.workflows[workflow].functions)
        found |= set(np.flatnonzero(np.isin(self.nodes, self.crowded(focus))).tolist())
        return sorted(found)

    def crowded(self, focus: Mask) -> list[int]:
        """Return the nodes on which a capacity that counts is broken."""
        broken = self._overloaded & focus[self.breaches.capacity]
        return [int(node) for node in np.flatnonzero(broken.any(axis=0))]

    def count(self, focus: Mask) -> int:
        """Return how many of some rules are broken."""
        return int(focus[list(self.broken)].sum())

    def neighbours(self, focus: Mask, most: int) -> Iterator[tuple[frozenset[int], IntArray]]:
        """Yield what neighbours break, and the neighbours: those that break few rules.

        Parameters
        ----------
        focus
            By number, the rules that count.
        most
            No more than so many of these.

        Yields
        ------
        broken : frozenset of int
            Numbers of rules.
        assignment : ndarray of int64
            Node by function.
        """
        for function in self.involved(focus):
            rest, causes, cut_off = self._without(function)
            counts = self._count(rest, causes, focus)
            for node in np.flatnonzero((counts <= most) & ~cut_off).tolist():
                yield rest | _broken(causes, node), self._moved(function, node)

    def _node(self, function: int) -> int:
        return int(self.nodes[function])

    def _moved(self, function: int, node: int) -> IntArray:
        nodes = self.nodes.copy()
        nodes[function] = node
        return nodes

    def _without(self, function: int) -> tuple[frozenset[int], list[Cause], Mask]:
        """Return what is broken without a function, what it would break, where it is cut off."""
        breaches, arrays = self.breaches, self.breaches.arrays
        counts = self._counts.copy()
        counts.subtract(self._by_function[function])
        causes = list(breaches.own[function])
        cut_off = breaches.cut_off[function].copy()
        for edge in breaches.edges_of[function]:
            counts.subtract(self._by_edge[edge])
            ends = arrays.edges[edge]
            other = ends.target if ends.source == function else ends.source
            way = breaches.way(edge, self._node(other))
            causes += way.causes
            cut_off |= way.cut_off
        rest = {rule for rule, count in counts.items() if count > 0}
        owner = int(arrays.workflow_of[function])
        for workflow, is_late in self._by_workflow.items():
            rule = breaches.response[workflow]
            if workflow == owner:
                late = self._response(workflow, function) > breaches.book.value(rule)
                causes.append(Cause(rule, np.broadcast_to(late, cut_off.shape)))
            elif is_late:
                rest.add(rule)
        rest |= self._overloads_without(function)
        causes += self._overloads_with(function)
        return frozenset(rest - {NOBODY}), causes, cut_off

    def _count(self, rest: frozenset[int], causes: Iterable[Cause], focus: Mask) -> IntArray:
        new = focus.copy()
        new[list(rest)] = False
        counts = np.full(self.breaches.arrays.n_nodes, int(focus[list(rest)].sum()))
        for cause in causes:
            counts += cause.broken & new[cause.rule]
        return counts

    def _overloads(self) -> Mask:
        """Return where too much is asked for in some window, shape (R, N)."""
        capacities = self.breaches.arrays.capacities
        over = np.zeros(self.breaches.capacity.shape, dtype=bool)
        for window, load in zip(capacities.windows, self._loads, strict=True):
            over |= (load > window.capacity) & (load > 0)
        return over

    def _overloads_without(self, function: int) -> set[int]:
        node = self._node(function)
        over = self._overloaded.copy()
        over[:, node] = False
        capacities = self.breaches.arrays.capacities
        for window, load in zip(capacities.windows, self._loads, strict=True):
            column = load[:, node] - self._share(window, function)[:, node]
            over[:, node] |= (column > window.capacity[:, node]) & (column > 0)
        return set(self.breaches.capacity[over].tolist())

    def _overloads_with(self, function: int) -> Iterator[Cause]:
        capacities = self.breaches.arrays.capacities
        over = np.zeros(self.breaches.capacity.shape, dtype=bool)
        node = self._node(function)
        for window, load in zip(capacities.windows, self._loads, strict=True):
            share = self._share(window, function)
            others = load.copy()
            others[:, node] -= share[:, node]
            over |= (share > 0) & (others + share > window.capacity)
        for resource in np.flatnonzero(over.any(axis=1)).tolist():
            yield Cause(self.breaches.capacity[resource], over[resource])

    def _excess(self, function: int, focus: Mask) -> IntArray:
        """Return how many units more are missing with a function on each node, shape (N,)."""
        capacities = self.breaches.arrays.capacities
        more = np.zeros(self.breaches.capacity.shape, dtype=np.int64)
        node = self._node(function)
        for window, load in zip(capacities.windows, self._loads, strict=True):
            share = self._share(window, function)
            others = load - window.capacity
            others[:, node] -= share[:, node]
            more += np.maximum(others + share, 0) - np.maximum(others, 0)
        more[~focus[self.breaches.capacity]] = 0
        total: IntArray = more.sum(axis=0)
        return total

    def _share(self, window: object, function: int) -> IntArray:
        """Return what a function takes in a window on each node, shape (R, N)."""
        capacities = self.breaches.arrays.capacities
        share = np.zeros(self.breaches.capacity.shape, dtype=np.int64)
        if window.active[function]:  # type: ignore[attr-defined]
            share += capacities.demand[function][:, None]
            for exempt, resource, node in window.exempt:  # type: ignore[attr-defined]
                if exempt == function:
                    share[resource, node] = 0
        return share

    def _response(self, workflow: int, moved: int | None = None) -> FloatArray:
        """Return the response time; with a function moved, for each node where it could be."""
        breaches, arrays = self.breaches, self.breaches.arrays
        item = arrays.workflows[workflow]
        finish: dict[int, FloatArray] = {}
        for function in item.functions:
            here = slice(None) if function == moved else self._node(function)
            start = np.asarray(breaches.ready[function][here])
            for edge in item.edges:
                ends = arrays.edges[edge]
                if ends.target != function:
                    continue
                if ends.source == moved:
                    transfer = breaches.way(edge, self._node(function)).transfer
                else:
                    transfer = breaches.way(edge, self._node(ends.source)).transfer[here]
                start = np.maximum(start, finish[ends.source] + transfer)
            finish[function] = start + breaches.execution[function][here]
        latest = np.zeros(())
        for time in finish.values():
            latest = np.maximum(latest, time)
        return latest


def _broken(causes: Iterable[Cause], node: int) -> frozenset[int]:
    return frozenset(cause.on(node) for cause in causes) - {NOBODY}
