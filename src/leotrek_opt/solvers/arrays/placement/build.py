"""From a placement problem to its arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError, UnsupportedError
from leotrek_opt.models.base import EXACT_LIMIT, NS_PER_MS, quantum_ns
from leotrek_opt.models.placement import Assignment, PlacementProblem, PlacementSolution
from leotrek_opt.models.workflow import Function
from leotrek_opt.solvers.arrays.placement.capacity import Capacities
from leotrek_opt.solvers.arrays.placement.eligibility import Rule, eligibility
from leotrek_opt.solvers.arrays.placement.links import LinkCost, LinkCosts
from leotrek_opt.topology.routing import FloatArray
from leotrek_opt.topology.series import LinkSeries


@dataclass(frozen=True, eq=False)
class Edge:
    """One data edge between two functions.

    Parameters
    ----------
    source, target
        Function indices.
    link
        Latency and transfer between any two nodes.
    max_latency_ns
        Inclusive limit on the latency, or None.
    """

    source: int
    target: int
    link: LinkCost
    max_latency_ns: int | None


@dataclass(frozen=True, eq=False)
class WorkflowArrays:
    """One workflow inside the arrays.

    Parameters
    ----------
    name
        Identifier.
    functions
        Function indices in a topological order, ties by the order of the document.
    edges
        Indices into ``PlacementArrays.edges``.
    response_time_slo_ns
        Inclusive limit on the critical path, or None.
    """

    name: str
    functions: tuple[int, ...]
    edges: tuple[int, ...]
    response_time_slo_ns: int | None


@dataclass(frozen=True, eq=False)
class PlacementArrays:
    """A placement problem with F functions on N nodes, as arrays.

    Times are ns as exact integers in float64; costs that are not allowed are ``inf``.

    Parameters
    ----------
    problem
        What the arrays were made of.
    functions
        F functions with their workflow's identifier.
    workflows
        Their functions and edges.
    edges
        All data edges.
    rules
        Unary rules as masks.
    capacities
        Demands and windows.
    execution_ns
        Execution time, shape (F, N); 0 where unknown.
    source_latency_ns
        Sum of the latencies of a function's data sources, shape (F, N).
    source_ready_ns
        Latest arrival of a function's data sources if they count for the response, shape (F, N).
    costs
        Route graphs by step, for heuristics.
    """

    problem: PlacementProblem
    functions: tuple[tuple[str, Function], ...]
    workflows: tuple[WorkflowArrays, ...]
    edges: tuple[Edge, ...]
    rules: tuple[Rule, ...]
    capacities: Capacities
    execution_ns: FloatArray
    source_latency_ns: FloatArray
    source_ready_ns: FloatArray
    costs: LinkCosts = field(repr=False)

    @property
    def n_functions(self) -> int:
        """Number of functions F."""
        return len(self.functions)

    @property
    def n_nodes(self) -> int:
        """Number of nodes N."""
        return len(self.problem.continuum.nodes)

    @cached_property
    def allowed(self) -> NDArray[np.bool_]:
        """Nodes that every unary rule leaves to each function, shape (F, N)."""
        allowed = np.ones((self.n_functions, self.n_nodes), dtype=bool)
        for rule in self.rules:
            allowed &= rule.allowed
        return allowed

    @cached_property
    def workflow_of(self) -> NDArray[np.int64]:
        """Workflow index of each function, shape (F,)."""
        owner = np.zeros(self.n_functions, dtype=np.int64)
        for index, workflow in enumerate(self.workflows):
            owner[list(workflow.functions)] = index
        return owner

    @property
    def is_critical_path(self) -> bool:
        """Whether the objective is the critical path."""
        return self.problem.objective.metric == "critical_path"

    @cached_property
    def unary_ns(self) -> FloatArray:
        """Part of the objective that depends on one function and its node, shape (F, N)."""
        if self.is_critical_path:
            return self.execution_ns
        if self.problem.objective.data_sources:
            return self.source_latency_ns
        return np.zeros((self.n_functions, self.n_nodes))

    def name_of(self, function: int) -> str:
        """Return ``workflow/function``."""
        workflow, model = self.functions[function]
        return f"{workflow}/{model.id}"

    def cost_rows(self, edge: int, sources: Sequence[int] | NDArray[np.integer]) -> FloatArray:
        """Return what an edge adds to the objective from some nodes to all.

        Parameters
        ----------
        edge
            Edge index.
        sources
            k node indices of either end; costs are symmetric.

        Returns
        -------
        ndarray, shape (k, N)
            Latency or transfer in ns; ``inf`` without route or above the edge's latency limit.
            Whether both functions fit on one node is not looked at.
        """
        item = self.edges[edge]
        latency = item.link.latency_rows(sources)
        cost = item.link.transfer_rows(sources) if self.is_critical_path else latency
        if item.max_latency_ns is None:
            return cost
        return np.where(latency <= item.max_latency_ns, cost, np.inf)

    def transfer_rows(self, edge: int, sources: Sequence[int] | NDArray[np.integer]) -> FloatArray:
        """Return transfer times of an edge in ns, shape (k, N), ``inf`` without route."""
        return self.edges[edge].link.transfer_rows(sources)

    def cost_message(self, edge: int, values: FloatArray) -> FloatArray:
        """Return a lower bound of ``min over n of values[n] + cost(n, m)`` for every node m.

        Parameters
        ----------
        edge
            Edge index; its latency limit is not looked at, its co-location rule is.
        values
            Shape (N,), ``inf`` where the sending function may not be.

        Returns
        -------
        ndarray, shape (N,)
            Exact for latencies and for transfers of one bandwidth.
        """
        item = self.edges[edge]
        conflict = self.capacities.conflict(item.source, item.target)
        if self.is_critical_path:
            return item.link.transfer_message(values, conflict)
        return item.link.latency_message(values, conflict)

    def solution(self, assignment: Sequence[int] | NDArray[np.int64]) -> PlacementSolution:
        """Decode node indices into a solution; -1 leaves a function out.

        Parameters
        ----------
        assignment
            Node index by function, shape (F,).

        Returns
        -------
        PlacementSolution
            In the order of the problem.
        """
        ids = self.problem.continuum.nodes.id
        return PlacementSolution(
            assignments=tuple(
                Assignment(workflow=workflow, function=function.id, node=ids[int(node)])
                for (workflow, function), node in zip(self.functions, assignment, strict=True)
                if node >= 0
            )
        )

    def assignment(self, solution: PlacementSolution) -> NDArray[np.int64]:
        """Encode a solution as node indices, -1 for functions it leaves out.

        Parameters
        ----------
        solution
            Of this problem.

        Returns
        -------
        ndarray of int64, shape (F,)
            Node index by function.

        Raises
        ------
        leotrek_opt.errors.InputError
            If a name does not exist.
        """
        nodes = {name: index for index, name in enumerate(self.problem.continuum.nodes.id)}
        number = {self.name_of(index): index for index in range(self.n_functions)}
        assignment = np.full(self.n_functions, -1, dtype=np.int64)
        for row, item in enumerate(solution.assignments):
            name = f"{item.workflow}/{item.function}"
            if name not in number or item.node not in nodes:
                raise InputError(
                    f"no function {name} or no node {item.node} in this problem",
                    field=f"assignments[{row}]",
                )
            assignment[number[name]] = nodes[item.node]
        return assignment


def placement_arrays(problem: PlacementProblem, series: LinkSeries) -> PlacementArrays:
    """Turn a placement problem into arrays.

    Parameters
    ----------
    problem
        Any placement problem without control flow.
    series
        Its materialised topology.

    Returns
    -------
    PlacementArrays
        What every method reads.

    Raises
    ------
    leotrek_opt.errors.UnsupportedError
        If a workflow has control flow.
    leotrek_opt.errors.InputError
        If times could exceed exact arithmetic.
    """
    for workflow in problem.workflows:
        if workflow.control:
            raise UnsupportedError(
                f"placement takes plain data-flow workflows; {workflow.id} has control flow"
            )
    functions = tuple(
        (workflow.id, function) for workflow in problem.workflows for function in workflow.functions
    )
    costs = LinkCosts(series, problem.forwarding)
    capacities = Capacities(problem, functions)
    workflows, edges = _workflows(problem, costs)
    latency, ready = _source_times(problem, functions, costs)
    execution = _execution(problem, functions)
    _check_horizon(execution, edges)
    return PlacementArrays(
        problem=problem,
        functions=functions,
        workflows=workflows,
        edges=edges,
        rules=eligibility(problem, functions, capacities, costs),
        capacities=capacities,
        execution_ns=execution,
        source_latency_ns=latency,
        source_ready_ns=ready,
        costs=costs,
    )


def _workflows(
    problem: PlacementProblem, costs: LinkCosts
) -> tuple[tuple[WorkflowArrays, ...], tuple[Edge, ...]]:
    workflows: list[WorkflowArrays] = []
    edges: list[Edge] = []
    offset = 0
    for workflow in problem.workflows:
        index = {function.id: offset + row for row, function in enumerate(workflow.functions)}
        first = len(edges)
        for edge in workflow.edges:
            step = workflow.functions[index[edge.target] - offset].step
            limit = None if edge.max_latency_ms is None else quantum_ns(edge.max_latency_ms)
            edges.append(Edge(index[edge.source], index[edge.target], costs.of(edge, step), limit))
        slo = workflow.response_time_slo_ms
        workflows.append(
            WorkflowArrays(
                workflow.id,
                _topological(list(index.values()), edges[first:]),
                tuple(range(first, len(edges))),
                None if slo is None else quantum_ns(slo),
            )
        )
        offset += len(workflow.functions)
    return tuple(workflows), tuple(edges)


def _topological(functions: list[int], edges: list[Edge]) -> tuple[int, ...]:
    waiting = dict.fromkeys(functions, 0)
    for edge in edges:
        waiting[edge.target] += 1
    order: list[int] = []
    ready = [function for function in functions if waiting[function] == 0]
    while ready:
        function = min(ready)
        ready.remove(function)
        order.append(function)
        for edge in edges:
            if edge.source == function:
                waiting[edge.target] -= 1
                if waiting[edge.target] == 0:
                    ready.append(edge.target)
    return tuple(order)


def _source_times(
    problem: PlacementProblem,
    functions: Sequence[tuple[str, Function]],
    costs: LinkCosts,
) -> tuple[FloatArray, FloatArray]:
    shape = (len(functions), len(problem.continuum.nodes))
    latency, ready = np.zeros(shape), np.zeros(shape)
    index = {name: node for node, name in enumerate(problem.continuum.nodes.id)}
    for row, (_, function) in enumerate(functions):
        for source in function.data_sources:
            cost = costs.of(source, function.step)
            latency[row] += cost.latency_rows([index[source.node]])[0]
            if problem.objective.data_sources:
                arrival = cost.transfer_rows([index[source.node]])[0]
                ready[row] = np.maximum(ready[row], arrival)
    return latency, ready


def _execution(problem: PlacementProblem, functions: Sequence[tuple[str, Function]]) -> FloatArray:
    architecture = np.array(problem.continuum.nodes.architecture)
    execution = np.zeros((len(functions), len(architecture)))
    for row, (_, function) in enumerate(functions):
        for name, time_ms in function.execution_ms.items():
            execution[row, architecture == name] = float(time_ms * NS_PER_MS)
    return execution


def _check_horizon(execution: FloatArray, edges: Sequence[Edge]) -> None:
    longest = float(execution.max(axis=1, initial=0).sum())
    for edge in edges:
        graph = edge.link.graph
        longest += graph.n_nodes * float(graph.weight.max(initial=0))
    if longest >= EXACT_LIMIT:
        raise InputError(
            "execution times and routes may add up to more than 104 days, beyond exact arithmetic",
            field="workflows",
        )
