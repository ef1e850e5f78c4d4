"""Data edges and data sources of a solution: their routes, and the network requirements on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leotrek_opt.evaluation.assignments import PlacedFunction
from leotrek_opt.evaluation.routes import Route, RouteRequest, find_routes
from leotrek_opt.evaluation.wording import chain, megabits_per_second, milliseconds
from leotrek_opt.models.base import NS_PER_MS, quantum_bps, quantum_ns
from leotrek_opt.models.placement import LinkLatency, PlacementProblem, Violation
from leotrek_opt.models.workflow import DataEdge, DataSource

if TYPE_CHECKING:
    from leotrek_opt.topology.series import LinkSeries


@dataclass(frozen=True)
class Flow:
    """Data that reaches a function, from another one or from a data source, under a solution.

    Parameters
    ----------
    workflow
        Identifier.
    requirement
        The data edge or data source.
    target
        Identifier of the function that takes the data.
    step
        Snapshot in which it is measured.
    source_node, target_node
        Node indices; None where the function is not placed.
    """

    workflow: str
    requirement: DataEdge | DataSource
    target: str
    step: int
    source_node: int | None
    target_node: int | None

    @property
    def is_data_source(self) -> bool:
        """Whether the data comes from a data source."""
        return isinstance(self.requirement, DataSource)

    @property
    def source(self) -> str:
        """Identifier of the function or data source that the data comes from."""
        if isinstance(self.requirement, DataSource):
            return self.requirement.id
        return self.requirement.source

    @property
    def name(self) -> str:
        """``w/a -> w/b``, or ``source -> w/b``."""
        source = self.source if self.is_data_source else f"{self.workflow}/{self.source}"
        return f"{source} -> {self.workflow}/{self.target}"

    @property
    def request(self) -> RouteRequest | None:
        """What this asks of the network; None while an end is not placed."""
        if self.source_node is None or self.target_node is None:
            return None
        floor = self.requirement.min_bandwidth_mbps
        return RouteRequest(
            step=self.step,
            min_bandwidth_bps=0 if floor is None else quantum_bps(floor),
            source=self.source_node,
            target=self.target_node,
            size_bytes=self.requirement.size_bytes,
        )


@dataclass(frozen=True)
class RoutedFlow:
    """A flow and the best route for it, None if an end is not placed or no route exists."""

    flow: Flow
    route: Route | None


def route_flows(
    problem: PlacementProblem, functions: Sequence[PlacedFunction], series: LinkSeries
) -> tuple[RoutedFlow, ...]:
    """Find the route of every data edge and data source.

    Parameters
    ----------
    problem
        Gives edges, sources and how data is forwarded.
    functions
        All functions with their places.
    series
        Links per step.

    Returns
    -------
    tuple of RoutedFlow
        Workflow by workflow, first its edges, then the data sources of its functions.
    """
    flows = _flows(problem, functions)
    requests = [flow.request for flow in flows]
    routes = find_routes(
        series, (request for request in requests if request is not None), problem.forwarding
    )
    return tuple(
        RoutedFlow(flow, None if request is None else routes[request])
        for flow, request in zip(flows, requests, strict=True)
    )


def _flows(problem: PlacementProblem, functions: Sequence[PlacedFunction]) -> list[Flow]:
    node_of = {placed.name: placed.node for placed in functions}
    index_of = {name: index for index, name in enumerate(problem.continuum.nodes.id)}
    flows: list[Flow] = []
    for workflow in problem.workflows:
        step_of = {function.id: function.step for function in workflow.functions}
        flows.extend(
            Flow(
                workflow=workflow.id,
                requirement=edge,
                target=edge.target,
                step=step_of[edge.target],
                source_node=node_of[f"{workflow.id}/{edge.source}"],
                target_node=node_of[f"{workflow.id}/{edge.target}"],
            )
            for edge in workflow.edges
        )
        flows.extend(
            Flow(
                workflow=workflow.id,
                requirement=source,
                target=function.id,
                step=function.step,
                source_node=index_of[source.node],
                target_node=node_of[f"{workflow.id}/{function.id}"],
            )
            for function in workflow.functions
            for source in function.data_sources
        )
    return flows


def check_routes(problem: PlacementProblem, routed: Sequence[RoutedFlow]) -> list[Violation]:
    """Find flows between nodes that no route joins.

    Parameters
    ----------
    problem
        Gives the names of the nodes.
    routed
        All flows; those with an end that is not placed are passed over.

    Returns
    -------
    list of Violation
        In the order of ``routed``.
    """
    names = problem.continuum.nodes.id
    violations: list[Violation] = []
    for entry in routed:
        flow, request = entry.flow, entry.flow.request
        if request is None or entry.route is not None:
            continue
        floor = (
            f" over links with at least {megabits_per_second(request.min_bandwidth_bps)}"
            if request.min_bandwidth_bps
            else ""
        )
        violations.append(
            Violation(
                rule="route",
                subject=flow.name,
                message=f"route: {flow.name} has no route at step {flow.step} from node "
                f"{names[request.source]} to node {names[request.target]}{floor}",
            )
        )
    return violations


def check_max_latency(problem: PlacementProblem, routed: Sequence[RoutedFlow]) -> list[Violation]:
    """Find data edges whose latency exceeds their limit.

    Parameters
    ----------
    problem
        Gives the names of the nodes.
    routed
        All flows; those without a route are passed over.

    Returns
    -------
    list of Violation
        Rule ``max_latency``, in the order of ``routed``.
    """
    return [
        Violation(rule="max_latency", subject=entry.flow.name, message=f"max_latency: {excess}")
        for entry in routed
        if not entry.flow.is_data_source and (excess := _excess(problem, entry))
    ]


def check_data_sources(problem: PlacementProblem, routed: Sequence[RoutedFlow]) -> list[Violation]:
    """Find data sources whose latency exceeds their limit.

    Parameters
    ----------
    problem
        Gives the names of the nodes.
    routed
        All flows; those without a route are passed over.

    Returns
    -------
    list of Violation
        Rule ``data_source``, in the order of ``routed``.
    """
    return [
        Violation(rule="data_source", subject=entry.flow.name, message=f"data_source: {excess}")
        for entry in routed
        if entry.flow.is_data_source and (excess := _excess(problem, entry))
    ]


def _excess(problem: PlacementProblem, entry: RoutedFlow) -> str:
    """Words for a latency above its limit, empty if it is not."""
    flow, route = entry.flow, entry.route
    if route is None or flow.requirement.max_latency_ms is None:
        return ""
    limit_ns = quantum_ns(flow.requirement.max_latency_ms)
    if route.latency_ns <= limit_ns:
        return ""
    names = [problem.continuum.nodes.id[node] for node in route.nodes]
    return (
        f"{flow.name} takes {milliseconds(route.latency_ns)} at step {flow.step}, "
        f"limit {milliseconds(limit_ns)}: {chain(names)}"
    )


def link_latency(entry: RoutedFlow) -> LinkLatency:
    """Return what one flow costs, as the breakdown shows it.

    Parameters
    ----------
    entry
        A flow and its route.

    Returns
    -------
    LinkLatency
        In milliseconds, None where there is no route.
    """
    flow, route = entry.flow, entry.route
    return LinkLatency(
        workflow=flow.workflow,
        source=flow.source,
        target=flow.target,
        is_data_source=flow.is_data_source,
        latency_ms=None if route is None else route.latency_ns / NS_PER_MS,
        transfer_ms=None if route is None else route.transfer_ns / NS_PER_MS,
        max_latency_ms=flow.requirement.max_latency_ms,
    )
