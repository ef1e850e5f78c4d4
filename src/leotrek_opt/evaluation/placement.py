"""What a placement is worth and which rules it breaks, recomputed in exact arithmetic.

The subject of a violation is ``workflow/function`` for the rules of one function, the node for
capacities and accelerators, ``w/a -> w/b`` (or ``source -> w/b``) for data edges (data sources)
and the workflow for response times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leotrek_opt.errors import InputError, UnsupportedError
from leotrek_opt.evaluation.assignments import PlacedFunction, read_assignments
from leotrek_opt.evaluation.critical_path import CriticalPath, critical_path
from leotrek_opt.evaluation.function_rules import (
    check_architecture,
    check_availability,
    check_pinned,
)
from leotrek_opt.evaluation.links import (
    RoutedFlow,
    check_data_sources,
    check_max_latency,
    check_routes,
    link_latency,
    route_flows,
)
from leotrek_opt.evaluation.occupancy import check_accelerators, check_capacity
from leotrek_opt.evaluation.thermal import check_temperatures
from leotrek_opt.evaluation.wording import chain, milliseconds
from leotrek_opt.models.base import NS_PER_MS, quantum_ns
from leotrek_opt.models.placement import (
    PlacementBreakdown,
    PlacementObjective,
    PlacementProblem,
    PlacementSolution,
    Violation,
    WorkflowValue,
)
from leotrek_opt.models.workflow import Workflow

if TYPE_CHECKING:
    from leotrek_opt.topology.series import LinkSeries


@dataclass(frozen=True)
class Evaluation:
    """What a solution of a placement problem is worth.

    Parameters
    ----------
    objective_ns
        Nanoseconds; None when something that it needs is not placed or has no route.
    violations
        Every broken rule; empty for a feasible solution.
    breakdown
        The objective, part by part.
    """

    objective_ns: int | None
    violations: tuple[Violation, ...]
    breakdown: PlacementBreakdown


@dataclass(frozen=True)
class _WorkflowResult:
    """Objective value and critical path of one workflow, None where they cannot be known."""

    workflow: Workflow
    value_ns: int | None
    critical: CriticalPath | None


def evaluate(
    problem: PlacementProblem, solution: PlacementSolution, series: LinkSeries | None = None
) -> Evaluation:
    """Recompute objective and feasibility of a placement, without any code of a solver.

    Parameters
    ----------
    problem
        What was to be solved.
    solution
        Any placement: complete or not, feasible or not.
    series
        The materialised links of the problem's continuum; None materialises them here.

    Returns
    -------
    Evaluation
        Violations in the order of the rules in :class:`~leotrek_opt.models.placement.Violation`,
        under one rule in the order of the problem.

    Raises
    ------
    leotrek_opt.errors.UnsupportedError
        If a workflow has control flow.
    leotrek_opt.errors.InputError
        If the series belongs to another continuum.
    """
    _refuse_control_flow(problem)
    links = _series_of(problem, series)
    functions, violations = read_assignments(problem, solution)
    continuum = problem.continuum
    routed = route_flows(problem, functions, links)
    temperatures, too_hot = check_temperatures(problem.thermal, continuum, functions)
    results = _workflow_results(problem, functions, routed)
    violations += check_pinned(continuum, functions)
    violations += check_architecture(continuum, functions)
    violations += check_accelerators(problem, functions)
    violations += check_availability(continuum, functions)
    violations += check_capacity(problem, functions)
    violations += too_hot
    violations += check_routes(problem, routed)
    violations += check_max_latency(problem, routed)
    violations += check_data_sources(problem, routed)
    violations += _check_response_times(results)
    return Evaluation(
        objective_ns=_aggregate(problem.objective, [result.value_ns for result in results]),
        violations=tuple(violations),
        breakdown=PlacementBreakdown(
            workflows=tuple(_workflow_value(result) for result in results),
            links=tuple(link_latency(entry) for entry in routed),
            temperatures=tuple(temperatures),
        ),
    )


def _refuse_control_flow(problem: PlacementProblem) -> None:
    for workflow in problem.workflows:
        if workflow.control:
            raise UnsupportedError(
                f'placement takes no control flow, workflow "{workflow.id}" has '
                f"{len(workflow.control)} loops, branches or maps"
            )


def _series_of(problem: PlacementProblem, series: LinkSeries | None) -> LinkSeries:
    continuum = problem.continuum
    if series is None:
        # Materialising a generated topology loads the orbit propagator.
        from leotrek_opt.topology.materialise import materialise

        return materialise(continuum)
    if series.n_nodes != len(continuum.nodes) or series.steps != continuum.time.steps:
        raise InputError(
            f"the link series has {series.n_nodes} nodes and {series.steps} steps, "
            f"the continuum {len(continuum.nodes)} and {continuum.time.steps}",
            field="continuum.topology",
        )
    return series


def _workflow_results(
    problem: PlacementProblem,
    functions: Sequence[PlacedFunction],
    routed: Sequence[RoutedFlow],
) -> list[_WorkflowResult]:
    functions_of: dict[str, list[PlacedFunction]] = {}
    for placed in functions:
        functions_of.setdefault(placed.workflow, []).append(placed)
    flows_of: dict[str, list[RoutedFlow]] = {workflow.id: [] for workflow in problem.workflows}
    for entry in routed:
        flows_of[entry.flow.workflow].append(entry)
    objective = problem.objective
    results: list[_WorkflowResult] = []
    for workflow in problem.workflows:
        flows = flows_of[workflow.id]
        critical = critical_path(
            problem.continuum,
            functions_of[workflow.id],
            flows,
            data_sources=objective.data_sources,
        )
        if objective.metric == "critical_path":
            value = None if critical is None else critical.response_ns
        else:
            value = _total_latency_ns(flows, objective)
        results.append(_WorkflowResult(workflow, value, critical))
    return results


def _total_latency_ns(flows: Sequence[RoutedFlow], objective: PlacementObjective) -> int | None:
    total = 0
    for entry in flows:
        if entry.flow.is_data_source and not objective.data_sources:
            continue
        if entry.route is None:
            return None
        total += entry.route.latency_ns
    return total


def _aggregate(objective: PlacementObjective, values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    return sum(known) if objective.aggregate == "sum" else max(known)


def _check_response_times(results: Sequence[_WorkflowResult]) -> list[Violation]:
    violations: list[Violation] = []
    for result in results:
        slo_ms = result.workflow.response_time_slo_ms
        if slo_ms is None or result.critical is None:
            continue
        limit_ns = quantum_ns(slo_ms)
        if result.critical.response_ns > limit_ns:
            violations.append(
                Violation(
                    rule="response_time",
                    subject=result.workflow.id,
                    message=f"response_time: {result.workflow.id} takes "
                    f"{milliseconds(result.critical.response_ns)}, limit "
                    f"{milliseconds(limit_ns)}: {chain(result.critical.functions)}",
                )
            )
    return violations


def _workflow_value(result: _WorkflowResult) -> WorkflowValue:
    critical = result.critical
    return WorkflowValue(
        workflow=result.workflow.id,
        value_ms=None if result.value_ns is None else result.value_ns / NS_PER_MS,
        response_ms=None if critical is None else critical.response_ns / NS_PER_MS,
        response_time_slo_ms=result.workflow.response_time_slo_ms,
    )
