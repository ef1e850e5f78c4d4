"""From the assignment that a heuristic found to its answer, and the order in which they place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.arrays.placement.objective import objective_ns, response_ns
from leotrek_opt.solvers.method import Answer, Request
from leotrek_opt.solvers.status import Status
from leotrek_opt.topology.routing import IntArray


def placement_order(arrays: PlacementArrays) -> list[int]:
    """Return functions in the order in which an online scheduler meets them.

    Parameters
    ----------
    arrays
        The problem.

    Returns
    -------
    list of int
        Pinned functions first, since they stand before anything is decided; then by step, workflow
        and topological position.
    """
    keys = {
        function: (model.pinned is None, model.step, index, place)
        for index, workflow in enumerate(arrays.workflows)
        for place, function in enumerate(workflow.functions)
        for model in (arrays.functions[function][1],)
    }
    return sorted(keys, key=keys.__getitem__)


def incoming_edges(arrays: PlacementArrays) -> list[list[int]]:
    """Return by function the edges that end in it, in the order of the document."""
    incoming: list[list[int]] = [[] for _ in range(arrays.n_functions)]
    for index, edge in enumerate(arrays.edges):
        incoming[edge.target].append(index)
    return incoming


def outgoing_edges(arrays: PlacementArrays) -> list[list[int]]:
    """Return by function the edges that start in it, in the order of the document."""
    outgoing: list[list[int]] = [[] for _ in range(arrays.n_functions)]
    for index, edge in enumerate(arrays.edges):
        outgoing[edge.source].append(index)
    return outgoing


def answer(
    arrays: PlacementArrays,
    request: Request,
    assignment: IntArray,
    solver: str,
    explanation: Sequence[str] = (),
) -> Answer:
    """Wrap an assignment, and report its objective if it keeps every rule.

    Parameters
    ----------
    arrays
        The problem.
    request
        Where to report.
    assignment
        Node by function, -1 for functions without one; shape (F,).
    solver
        Name of what ran.
    explanation
        Sentences about functions that could not be placed.

    Returns
    -------
    Answer
        ``feasible``, or ``no_solution`` with the assignment kept and the broken rules counted.
    """
    broken = broken_rules(arrays, assignment)
    if not broken:
        request.tracker.report(
            objective=objective_ns(arrays, assignment),
            message=f"{solver} done",
            assignment=assignment,
        )
        return Answer(Status.FEASIBLE, assignment=assignment, solver=solver)
    counts = ", ".join(f"{rule} ({count})" for rule, count in broken.items())
    return Answer(
        Status.NO_SOLUTION,
        assignment=assignment,
        explanation=(*explanation, f"{solver} does not keep: {counts}"),
        solver=solver,
    )


def broken_rules(arrays: PlacementArrays, assignment: IntArray) -> Counter[str]:
    """Count what an assignment breaks, by rule; edges of functions without a node do not count.

    Parameters
    ----------
    arrays
        The problem.
    assignment
        Node by function, -1 for functions without one; shape (F,).

    Returns
    -------
    Counter
        By rule as in :class:`~leotrek_opt.models.placement.Violation`; empty if feasible.
    """
    broken: Counter[str] = Counter()
    placed = np.flatnonzero(assignment >= 0)
    broken["assignment"] = arrays.n_functions - len(placed)
    for rule in arrays.rules:
        # Loads are counted below; here the rule only says which nodes are too small from the start.
        if rule.name != "capacity":
            broken[rule.name] = int((~rule.allowed[placed, assignment[placed]]).sum())
    for edge in arrays.edges:
        source, target = int(assignment[edge.source]), int(assignment[edge.target])
        if source < 0 or target < 0:
            continue
        latency = float(edge.link.latency_rows([source])[0, target])
        if not np.isfinite(latency):
            broken["route"] += 1
        elif edge.max_latency_ns is not None and latency > edge.max_latency_ns:
            broken["max_latency"] += 1
    broken["capacity"] = len(arrays.capacities.overloads(assignment))
    for workflow in arrays.workflows:
        limit = workflow.response_time_slo_ns
        if limit is not None and (assignment[list(workflow.functions)] >= 0).all():
            broken["response_time"] += response_ns(arrays, workflow, assignment) > limit
    return +broken
