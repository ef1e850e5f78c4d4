"""Reading a solution: which function stands on which node, and whether each is placed just once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from leotrek_opt.models.base import nearest_name
from leotrek_opt.models.placement import PlacementProblem, PlacementSolution, Violation
from leotrek_opt.models.workflow import Function


@dataclass(frozen=True)
class PlacedFunction:
    """One function of the problem and where the solution puts it.

    Parameters
    ----------
    workflow
        Identifier of its workflow.
    function
        The function itself.
    node
        Node index, None if it has no single known place.
    """

    workflow: str
    function: Function
    node: int | None

    @property
    def name(self) -> str:
        """``workflow/function``."""
        return f"{self.workflow}/{self.function.id}"


def read_assignments(
    problem: PlacementProblem, solution: PlacementSolution
) -> tuple[tuple[PlacedFunction, ...], list[Violation]]:
    """Look up the place of every function.

    Parameters
    ----------
    problem
        Names the functions and nodes.
    solution
        May be incomplete, contradictory or about something else.

    Returns
    -------
    functions : tuple of PlacedFunction
        All functions in problem order. One that is placed on no known node, or more than once, has
        no node.
    violations : list of Violation
        Breaches of the rule that every function is placed exactly once: functions in problem order,
        then entries that name none, in the order of the solution.
    """
    index_of = {name: index for index, name in enumerate(problem.continuum.nodes.id)}
    functions = {
        (workflow.id, function.id): function
        for workflow in problem.workflows
        for function in workflow.functions
    }
    nodes_of: dict[tuple[str, str], list[str]] = {key: [] for key in functions}
    unknown: Counter[tuple[str, str]] = Counter()
    for assignment in solution.assignments:
        key = (assignment.workflow, assignment.function)
        if key in nodes_of:
            nodes_of[key].append(assignment.node)
        else:
            unknown[key] += 1
    placed: list[PlacedFunction] = []
    violations: list[Violation] = []
    for (workflow, _), (function, nodes) in zip(
        functions, zip(functions.values(), nodes_of.values(), strict=True), strict=True
    ):
        node = index_of.get(nodes[0]) if len(nodes) == 1 else None
        entry = PlacedFunction(workflow, function, node)
        placed.append(entry)
        if node is None:
            violations.append(_misplaced(entry.name, nodes, index_of))
    known = [entry.name for entry in placed]
    violations.extend(_unknown_function(f"{key[0]}/{key[1]}", known) for key in unknown)
    return tuple(placed), violations


def _misplaced(name: str, nodes: list[str], index_of: dict[str, int]) -> Violation:
    if not nodes:
        why = f"{name} is not placed"
    elif len(nodes) > 1:
        why = f"{name} is placed {len(nodes)} times: {', '.join(nodes)}"
    else:
        why = f'{name} is placed on "{nodes[0]}", there is no such node' + nearest_name(
            nodes[0], index_of
        )
    return Violation(rule="assignment", subject=name, message=f"assignment: {why}")


def _unknown_function(name: str, known: list[str]) -> Violation:
    return Violation(
        rule="assignment",
        subject=name,
        message=f'assignment: the problem has no function "{name}"{nearest_name(name, known)}',
    )
