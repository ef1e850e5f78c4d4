"""What breaks which rule: tables over functions, edges and nodes.

A bandwidth floor is broken where no route keeps it; latency and transfer are then those of the
route without it. Nodes that no route at all reaches are cut off: nothing to give up would help.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.solvers.arrays.placement import LinkCost, PlacementArrays
from leotrek_opt.solvers.arrays.placement.capacity import ACCELERATOR_PREFIX
from leotrek_opt.solvers.explain.placement.book import RuleBook
from leotrek_opt.topology.routing import FloatArray

IntArray = NDArray[np.int64]
Mask = NDArray[np.bool_]

NOBODY = -1
"""Stands where no rule is broken."""


@dataclass(frozen=True, eq=False)
class Cause:
    """Breaks a rule on each node where the mask is true.

    Parameters
    ----------
    rule
        Number of the rule, or one by node, :data:`NOBODY` for none.
    broken
        Shape (N,).
    """

    rule: int | IntArray
    broken: Mask

    def on(self, node: int) -> int:
        """Return the rule that is broken on a node, or NOBODY."""
        if not self.broken[node]:
            return NOBODY
        return int(self.rule) if isinstance(self.rule, int) else int(self.rule[node])


@dataclass(frozen=True, eq=False)
class Way:
    """What a data edge or data source breaks, from one node to all.

    Parameters
    ----------
    causes
        By node of the other end.
    cut_off
        Nodes without any route, shape (N,).
    transfer
        Transfer time in ns, shape (N,); zeros where nobody asks for it.
    """

    causes: tuple[Cause, ...]
    cut_off: Mask
    transfer: FloatArray


class Breaches:
    """Knows for every function, edge and node which rules can be broken there.

    Parameters
    ----------
    book
        The rules.
    """

    def __init__(self, book: RuleBook) -> None:
        self.book = book
        self.arrays: PlacementArrays = book.arrays
        self.execution = book.anywhere.execution_ns
        self.of_function: dict[tuple[str, int], int] = {}
        self.of_source: dict[tuple[str, int, int], int] = {}
        self.of_edge: dict[tuple[str, int], int] = {}
        self.response: dict[int, int] = {}
        n_nodes = self.arrays.n_nodes
        self.of_node = {kind: np.full(n_nodes, NOBODY) for kind in ("availability", "temperature")}
        self.capacity = np.full((len(self.arrays.capacities.resources), n_nodes), NOBODY)
        self._number_rules()
        self._ways: dict[tuple[int, int], Way] = {}
        self.own: list[tuple[Cause, ...]] = []
        self.cut_off: list[Mask] = []
        self.ready: list[FloatArray] = []
        for function in range(self.arrays.n_functions):
            self._look_at(function)
        self.edges_of: list[list[int]] = [[] for _ in range(self.arrays.n_functions)]
        for index, edge in enumerate(self.arrays.edges):
            self.edges_of[edge.source].append(index)
            self.edges_of[edge.target].append(index)

    def way(self, edge: int, node: int) -> Way:
        """Return what an edge breaks and takes from one node, of either end, to every other.

        Parameters
        ----------
        edge
            Edge index.
        node
            Where one of its functions is.

        Returns
        -------
        Way
            By node of the other function; routes are the same in both directions.
        """
        if (edge, node) not in self._ways:
            workflow = int(self.arrays.workflow_of[self.arrays.edges[edge].source])
            self._ways[edge, node] = self._way(
                (self.arrays.edges[edge].link, self.book.bare.edges[edge].link),
                node,
                self.of_edge.get(("min_bandwidth", edge)),
                self.of_edge.get(("max_latency", edge)),
                is_timed=workflow in self.response,
            )
        return self._ways[edge, node]

    def _number_rules(self) -> None:
        row = {name: index for index, name in enumerate(self.arrays.capacities.resources)}
        for number, rule in enumerate(self.book.rules):
            if rule.kind in self.of_node:
                self.of_node[rule.kind][rule.node] = number
            elif rule.kind == "capacity":
                self.capacity[row[str(rule.resource)], rule.node] = number
            elif rule.kind == "accelerator":
                self.capacity[row[f"{ACCELERATOR_PREFIX}{rule.resource}"], rule.node] = number
            elif rule.workflow is not None:
                self.response[rule.workflow] = number
            elif rule.edge is not None:
                self.of_edge[rule.kind, rule.edge] = number
            elif rule.source is not None and rule.function is not None:
                self.of_source[rule.kind, rule.function, rule.source] = number
            elif rule.function is not None:
                self.of_function[rule.kind, rule.function] = number

    def _look_at(self, function: int) -> None:
        """Take down what a function breaks on each node, whatever the others do."""
        masks = {rule.name: rule.allowed for rule in self.arrays.rules}
        loose = {rule.name: rule.allowed for rule in self.book.anywhere.rules}
        causes = [
            Cause(self.of_function[kind, function], ~masks[kind][function])
            for kind in ("pinned", "architecture")
            if (kind, function) in self.of_function
        ]
        causes += [
            Cause(self.of_node[kind], ~loose[kind][function])
            for kind in ("availability", "temperature")
            if kind in loose and not loose[kind][function].all()
        ]
        cut_off = np.zeros(self.arrays.n_nodes, dtype=bool)
        ready = np.zeros(self.arrays.n_nodes)
        for row in range(len(self.arrays.functions[function][1].data_sources)):
            way = self._way_of_source(function, row)
            causes += way.causes
            cut_off |= way.cut_off
            ready = np.maximum(ready, way.transfer)
        self.own.append(tuple(causes))
        self.cut_off.append(cut_off)
        self.ready.append(ready)

    def _way_of_source(self, function: int, row: int) -> Way:
        given, bare = self.arrays, self.book.bare
        model = given.functions[function][1]
        source = model.data_sources[row]
        counts = self.book.problem.objective.data_sources
        return self._way(
            (
                given.costs.of(source, model.step),
                bare.costs.of(bare.functions[function][1].data_sources[row], model.step),
            ),
            self.book.node_index[source.node],
            self.of_source.get(("min_bandwidth", function, row)),
            self.of_source.get(("data_source", function, row)),
            is_timed=counts and int(given.workflow_of[function]) in self.response,
        )

    def _way(
        self,
        links: tuple[LinkCost, LinkCost],
        node: int,
        floor: int | None,
        limit: int | None,
        *,
        is_timed: bool,
    ) -> Way:
        given, bare = links
        latency = given.latency_rows([node])[0]
        transfer = given.transfer_rows([node])[0] if is_timed else np.zeros_like(latency)
        causes = []
        if floor is not None:
            too_slow = ~np.isfinite(latency)
            latency = np.where(too_slow, bare.latency_rows([node])[0], latency)
            causes.append(Cause(floor, too_slow & np.isfinite(latency)))
            if is_timed:
                transfer = np.where(too_slow, bare.transfer_rows([node])[0], transfer)
        if limit is not None:
            causes.append(Cause(limit, latency > self.book.value(limit)))
        return Way(tuple(causes), ~np.isfinite(latency), transfer)
