"""Ways to damage the rich problem or its solution, each returning a changed pair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tests.evaluation.builders import place
from tests.evaluation.rich_problem import LINKS, NODES, PLACEMENT, rich_problem

from leotrek_opt.models.placement import Assignment, PlacementProblem, PlacementSolution
from leotrek_opt.models.topology import ExplicitTopology, LinkEvents
from leotrek_opt.models.workflow import Function, Workflow

Damage = Callable[[PlacementProblem, PlacementSolution], tuple[PlacementProblem, PlacementSolution]]


def places(changes: dict[str, str | None]) -> Damage:
    """Put functions elsewhere, or nowhere; names that do not exist are added."""

    def damage(
        problem: PlacementProblem, _solution: PlacementSolution
    ) -> tuple[PlacementProblem, PlacementSolution]:
        nodes = {**PLACEMENT, **changes}
        return problem, place({name: node for name, node in nodes.items() if node is not None})

    return damage


def also(workflow: str, function: str, node: str) -> Damage:
    """Place a function once more."""

    def damage(
        problem: PlacementProblem, solution: PlacementSolution
    ) -> tuple[PlacementProblem, PlacementSolution]:
        extra = Assignment(workflow=workflow, function=function, node=node)
        return problem, solution.replace(assignments=(*solution.assignments, extra))

    return damage


def in_turn(*damages: Damage) -> Damage:
    """Do several things."""

    def damage(
        problem: PlacementProblem, solution: PlacementSolution
    ) -> tuple[PlacementProblem, PlacementSolution]:
        for one in damages:
            problem, solution = one(problem, solution)
        return problem, solution

    return damage


def problem_damage(change: Callable[[PlacementProblem], PlacementProblem]) -> Damage:
    return lambda problem, solution: (change(problem), solution)


def workflows(change: Callable[[Workflow], Workflow]) -> Damage:
    return problem_damage(lambda p: p.replace(workflows=tuple(map(change, p.workflows))))


def function(name: str, **fields: Any) -> Damage:
    """Change fields of one function, ``demand`` by resource."""

    def changed(one: Function) -> Function:
        if "demand" in fields:
            return one.replace(**(fields | {"demand": one.demand | fields["demand"]}))
        return one.replace(**fields)

    def change(workflow: Workflow) -> Workflow:
        return workflow.replace(
            functions=tuple(
                changed(one) if f"{workflow.id}/{one.id}" == name else one
                for one in workflow.functions
            )
        )

    return workflows(change)


def edge(name: str, **fields: Any) -> Damage:
    """Change fields of one data edge, written ``w0/source/target``."""

    def change(workflow: Workflow) -> Workflow:
        return workflow.replace(
            edges=tuple(
                one.replace(**fields) if f"{workflow.id}/{one.source}/{one.target}" == name else one
                for one in workflow.edges
            )
        )

    return workflows(change)


def eo(**fields: Any) -> Damage:
    """Change fields of the data source of w0/detect."""
    (source,) = rich_problem().workflows[0].functions[2].data_sources
    return function("w0/detect", data_sources=(source.replace(**fields),))


def slo(workflow: str, limit_ms: float) -> Damage:
    return workflows(
        lambda one: one.replace(response_time_slo_ms=limit_ms) if one.id == workflow else one
    )


def continuum(**fields: Any) -> Damage:
    return problem_damage(lambda p: p.replace(continuum=p.continuum.replace(**fields)))


def column(table: str, name: str, node: str, amount: int) -> Damage:
    """Change what one node offers."""

    def change(problem: PlacementProblem) -> PlacementProblem:
        nodes = problem.continuum.nodes
        columns = dict(getattr(nodes, table))
        columns[name] = columns[name].copy()
        columns[name][NODES.index(node)] = amount
        nodes = nodes.replace(**{table: columns})
        return problem.replace(continuum=problem.continuum.replace(nodes=nodes))

    return problem_damage(change)


def event(index: int, **fields: Any) -> Damage:
    """Change fields of one node event."""
    events = list(rich_problem().continuum.events)
    events[index] = events[index].replace(**fields)
    return continuum(events=tuple(events))


def profile(index: int, **fields: Any) -> Damage:
    """Change fields of one heat profile."""
    profiles = list(rich_problem().continuum.heat_profiles)
    profiles[index] = profiles[index].replace(**fields)
    return continuum(heat_profiles=tuple(profiles))


def nodes(**fields: Any) -> Damage:
    """Change columns of the node table."""
    return continuum(nodes=rich_problem().continuum.nodes.replace(**fields))


def topology(**fields: Any) -> Damage:
    return continuum(topology=rich_topology().replace(**fields))


def latency(link: tuple[str, str], step: int, latency_ms: float) -> Damage:
    """Change the latency of a link at one step."""
    table = rich_topology().latency_ms.copy()
    table[step, link_index(link)] = latency_ms
    return topology(latency_ms=table)


def bandwidth(link: tuple[str, str], bandwidth_mbps: float) -> Damage:
    table = np.array([[one[3] for one in LINKS]])
    table[0, link_index(link)] = bandwidth_mbps
    return topology(bandwidth_mbps=table)


def down(link: tuple[str, str], step: int) -> Damage:
    """Take a link down from a step on."""
    old = rich_topology().events
    assert old is not None
    return topology(
        events=LinkEvents(
            step=np.append(old.step, step),
            link=np.append(old.link, link_index(link)),
            up=np.append(old.up, False),
        )
    )


def rich_topology() -> ExplicitTopology:
    found = rich_problem().continuum.topology
    assert isinstance(found, ExplicitTopology)
    return found


def link_index(link: tuple[str, str]) -> int:
    return [one[:2] for one in LINKS].index(link)
