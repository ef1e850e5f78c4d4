"""What a complete assignment is worth, and whether it keeps every rule, read off the arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.solvers.arrays.placement.build import PlacementArrays, WorkflowArrays


def objective_ns(arrays: PlacementArrays, assignment: NDArray[np.int64]) -> int | None:
    """Return the objective of a complete assignment, feasible or not.

    Parameters
    ----------
    arrays
        The problem.
    assignment
        Node by function, shape (F,), none missing.

    Returns
    -------
    int or None
        Nanoseconds; None if some edge or counted data source has no route.
    """
    values = [_workflow_value(arrays, workflow, assignment) for workflow in arrays.workflows]
    total = max(values) if arrays.problem.objective.aggregate == "max" else sum(values)
    return int(total) if np.isfinite(total) else None


def is_feasible(arrays: PlacementArrays, assignment: NDArray[np.int64]) -> bool:
    """Tell whether a complete assignment keeps every rule.

    Parameters
    ----------
    arrays
        The problem.
    assignment
        Node by function, shape (F,), none missing.

    Returns
    -------
    bool
        False also if a function is on a node it may not use.
    """
    if not arrays.allowed[np.arange(arrays.n_functions), assignment].all():
        return False
    for edge in arrays.edges:
        source, target = int(assignment[edge.source]), int(assignment[edge.target])
        latency = edge.link.latency_rows([source])[0, target]
        if not np.isfinite(latency):
            return False
        if edge.max_latency_ns is not None and latency > edge.max_latency_ns:
            return False
    for workflow in arrays.workflows:
        limit = workflow.response_time_slo_ns
        if limit is not None and response_ns(arrays, workflow, assignment) > limit:
            return False
    return not arrays.capacities.overloads(assignment)


def response_ns(
    arrays: PlacementArrays, workflow: WorkflowArrays, assignment: NDArray[np.int64]
) -> float:
    """Return the critical path of a workflow, from its arrival.

    Parameters
    ----------
    arrays
        The problem.
    workflow
        One of its workflows.
    assignment
        Node by function, shape (F,).

    Returns
    -------
    float
        Whole nanoseconds, ``inf`` without route.
    """
    start = {
        function: float(arrays.source_ready_ns[function, assignment[function]])
        for function in workflow.functions
    }
    incoming: dict[int, list[int]] = {function: [] for function in workflow.functions}
    for edge in workflow.edges:
        incoming[arrays.edges[edge].target].append(edge)
    finish: dict[int, float] = {}
    for function in workflow.functions:
        node = int(assignment[function])
        for edge in incoming[function]:
            source = arrays.edges[edge].source
            transfer = arrays.transfer_rows(edge, [int(assignment[source])])[0, node]
            start[function] = max(start[function], finish[source] + float(transfer))
        finish[function] = start[function] + float(arrays.execution_ns[function, node])
    return max(finish.values())


def _workflow_value(
    arrays: PlacementArrays, workflow: WorkflowArrays, assignment: NDArray[np.int64]
) -> float:
    if arrays.is_critical_path:
        return response_ns(arrays, workflow, assignment)
    value = sum(float(arrays.unary_ns[f, assignment[f]]) for f in workflow.functions)
    for index in workflow.edges:
        edge = arrays.edges[index]
        row = edge.link.latency_rows([int(assignment[edge.source])])[0]
        value += float(row[assignment[edge.target]])
    return value
