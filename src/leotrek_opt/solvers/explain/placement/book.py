"""The rules of a placement problem, one by one: what a user could change, and nothing else.

That every function runs on one node, what it asks for, how long it takes, and which links there are
counts as given. A rule is listed only if it can bind.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from leotrek_opt.models.base import quantum_bps, quantum_ns
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.models.workflow import DataEdge, DataSource, Function
from leotrek_opt.solvers.arrays.placement import PlacementArrays, placement_arrays
from leotrek_opt.solvers.arrays.placement.capacity import ACCELERATOR_PREFIX
from leotrek_opt.solvers.explain.placement.edits import edited
from leotrek_opt.solvers.explain.placement.rules import Rule
from leotrek_opt.topology.series import LinkSeries


class RuleBook:
    """All rules of a problem that can bind, numbered.

    Parameters
    ----------
    problem
        The placement problem.
    series
        Its materialised topology.
    arrays
        Its arrays, if they are at hand.
    """

    def __init__(
        self,
        problem: PlacementProblem,
        series: LinkSeries,
        arrays: PlacementArrays | None = None,
    ) -> None:
        self.problem = problem
        self.series = series
        self.arrays = placement_arrays(problem, series) if arrays is None else arrays
        self.data_edges: tuple[DataEdge, ...] = tuple(
            edge for workflow in problem.workflows for edge in workflow.edges
        )
        self.rules: tuple[Rule, ...] = (*self._about_functions(), *self._about_links())
        self.rules += tuple(self._about_nodes())

    def __len__(self) -> int:
        return len(self.rules)

    @cached_property
    def anywhere(self) -> PlacementArrays:
        """Arrays of the problem when every function may run on every architecture."""
        removed = [rule for rule in self.rules if rule.kind == "architecture"]
        return (
            placement_arrays(edited(self.problem, removed), self.series) if removed else self.arrays
        )

    @cached_property
    def bare(self) -> PlacementArrays:
        """Arrays of the problem without any of the rules."""
        return placement_arrays(edited(self.problem, self.rules), self.series)

    @cached_property
    def number_of(self) -> dict[Rule, int]:
        """Number of each rule."""
        return {rule: number for number, rule in enumerate(self.rules)}

    @cached_property
    def categories(self) -> list[frozenset[int]]:
        """Numbers of the rules of one kind and, for capacities, one resource."""
        groups: dict[tuple[str, str | None], set[int]] = {}
        for number, rule in enumerate(self.rules):
            groups.setdefault((rule.kind, rule.resource), set()).add(number)
        return [frozenset(group) for group in groups.values()]

    @cached_property
    def is_monotone(self) -> bool:
        """Whether leaving out rules can only add placements.

        It does, unless a response time counts transfers over routes that a bandwidth floor keeps
        away from: without the floor the route is the one of least latency, and may be slower.
        """
        if self.problem.forwarding == "store_and_forward":
            return True
        workflows = {rule.workflow for rule in self.rules if rule.kind == "response_time"}
        owner = self.arrays.workflow_of
        for rule in self.rules:
            if rule.kind != "min_bandwidth":
                continue
            item = self.link(rule)
            function = rule.function if rule.edge is None else self.arrays.edges[rule.edge].target
            counts = rule.edge is not None or self.problem.objective.data_sources
            if item.size_bytes and counts and int(owner[function or 0]) in workflows:
                return False
        return True

    @cached_property
    def node_index(self) -> dict[str, int]:
        """Index of each node by its identifier."""
        return {name: node for node, name in enumerate(self.problem.continuum.nodes.id)}

    def value(self, number: int) -> int:
        """Return the number that stands in a rule: units, ns or bit/s."""
        value = self.rules[number].value
        assert value is not None
        return value

    def function(self, rule: Rule) -> Function:
        """Return the function that a rule is about."""
        assert rule.function is not None
        return self.arrays.functions[rule.function][1]

    def link(self, rule: Rule) -> DataEdge | DataSource:
        """Return the data edge or data source that a rule is about."""
        if rule.edge is not None:
            return self.data_edges[rule.edge]
        assert rule.source is not None
        return self.function(rule).data_sources[rule.source]

    def step(self, rule: Rule) -> int:
        """Return the step at which the routes of a data edge or data source are measured."""
        if rule.edge is not None:
            return self.arrays.functions[self.arrays.edges[rule.edge].target][1].step
        return self.function(rule).step

    def _about_functions(self) -> Iterator[Rule]:
        masks = {rule.name: rule.allowed for rule in self.arrays.rules}
        for index in range(self.arrays.n_functions):
            if not masks["pinned"][index].all():
                yield Rule("pinned", function=index)
            if not masks["architecture"][index].all():
                yield Rule("architecture", function=index)

    def _about_links(self) -> Iterator[Rule]:
        for index, (_, function) in enumerate(self.arrays.functions):
            for source, item in enumerate(function.data_sources):
                if item.max_latency_ms is not None:
                    limit = quantum_ns(item.max_latency_ms)
                    yield Rule("data_source", function=index, source=source, value=limit)
                if self._has_floor(item, function.step):
                    floor = _floor_bps(item)
                    yield Rule("min_bandwidth", function=index, source=source, value=floor)
        for index, (edge, link) in enumerate(zip(self.data_edges, self.arrays.edges, strict=True)):
            if link.max_latency_ns is not None:
                yield Rule("max_latency", edge=index, value=link.max_latency_ns)
            if self._has_floor(edge, self.arrays.functions[link.target][1].step):
                yield Rule("min_bandwidth", edge=index, value=_floor_bps(edge))
        for index, workflow in enumerate(self.arrays.workflows):
            if workflow.response_time_slo_ns is not None:
                yield Rule("response_time", workflow=index, value=workflow.response_time_slo_ns)

    def _has_floor(self, item: DataEdge | DataSource, step: int) -> bool:
        if item.min_bandwidth_mbps is None:
            return False
        bandwidth = self.series.snapshot(step).bandwidth_bps
        return bandwidth is not None and bool((bandwidth < _floor_bps(item)).any())

    def _about_nodes(self) -> Iterator[Rule]:
        masks = {rule.name: rule.allowed for rule in self.anywhere.rules}
        for node in np.flatnonzero(~masks["availability"].all(axis=0)).tolist():
            yield Rule("availability", node=node)
        if "temperature" in masks:
            for node in np.flatnonzero(~masks["temperature"].all(axis=0)).tolist():
                yield Rule("temperature", node=node)
        capacities = self.arrays.capacities
        for row, name in enumerate(capacities.resources):
            is_device = name.startswith(ACCELERATOR_PREFIX)
            least = np.full(self.arrays.n_nodes, np.iinfo(np.int64).max)
            binds = np.zeros(self.arrays.n_nodes, dtype=bool)
            for window in capacities.windows:
                need = int(capacities.demand[window.active, row].sum())
                least = np.minimum(least, window.capacity[row])
                binds |= window.capacity[row] < need
            for node in np.flatnonzero(binds).tolist():
                yield Rule(
                    "accelerator" if is_device else "capacity",
                    node=node,
                    resource=name.removeprefix(ACCELERATOR_PREFIX),
                    value=int(least[node]),
                )


def _floor_bps(item: DataEdge | DataSource) -> int:
    assert item.min_bandwidth_mbps is not None
    return quantum_bps(item.min_bandwidth_mbps)
