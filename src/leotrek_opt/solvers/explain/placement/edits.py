"""A placement problem without some of its rules, or with other numbers in them.

What comes out is a problem like any other, so that every method, the checker and a user can say
whether it can be solved. Leaving out a rule means:

=================  ===============================================================================
capacity           the node offers what all functions ask for; its events on that resource go
accelerator        the node offers what all functions ask for
availability       events on the availability of the node go
temperature        the node has no heat profile
pinned             the function may run anywhere; one without need of room there needs none
architecture       the function runs on every architecture; where it has no time, in its shortest
max_latency,       no limit
data_source,
response_time
min_bandwidth      no floor, except that no transmission may take 2**53 ns, 104 days
=================  ===============================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_args

import numpy as np

from leotrek_opt.models.base import (
    BPS_PER_MBPS,
    EXACT_LIMIT,
    MAX_LATENCY_MS,
    MAX_QUANTITY,
    MIN_BANDWIDTH_MBPS,
    NS_PER_MS,
    quantum_bps,
    quantum_ns,
)
from leotrek_opt.models.continuum import Architecture, Continuum, NodeEvent
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.models.workflow import Accelerator, DataEdge, DataSource, Function, Workflow
from leotrek_opt.solvers.explain.placement.rules import Rule, RuleKind

Link = TypeVar("Link", DataEdge, DataSource)

MAX_RESPONSE_MS = 1e9
MAX_ORDER = 1_000_000
"""Order of the last event of a step."""


def edited(
    problem: PlacementProblem,
    removed: Iterable[Rule],
    raised: Mapping[Rule, int] | None = None,
) -> PlacementProblem:
    """Return a problem without some rules.

    Parameters
    ----------
    problem
        What the rules belong to.
    removed
        Rules that shall not bind.
    raised
        By how much the number of a rule is raised, a bandwidth floor lowered: units, ns, bit/s. A
        capacity that changes over time rises by as much at every step.

    Returns
    -------
    PlacementProblem
        With the same functions, edges and links.
    """
    edits = _sorted(removed, raised or {})
    changes: dict[str, Any] = {}
    if any(kind in edits for kind in ("capacity", "accelerator", "availability", "temperature")):
        changes["continuum"] = _continuum(problem, edits)
    workflows = tuple(_workflows(problem, edits))
    if any(new is not old for new, old in zip(workflows, problem.workflows, strict=True)):
        changes["workflows"] = workflows
    return problem.replace(**changes) if changes else problem


Edits = dict[RuleKind, dict[Rule, int | None]]
"""By kind and rule, by how much it is raised, None if it goes."""


def _sorted(removed: Iterable[Rule], raised: Mapping[Rule, int]) -> Edits:
    edits: Edits = {}
    for rule in removed:
        edits.setdefault(rule.kind, {})[rule] = None
    for rule, amount in raised.items():
        edits.setdefault(rule.kind, {})[rule] = amount
    return edits


def _continuum(problem: PlacementProblem, edits: Edits) -> Continuum:
    nodes = problem.continuum.nodes
    columns: dict[str, Any] = {}
    events = list(problem.continuum.events)
    if "capacity" in edits:
        columns["capacity"], events = _capacities(problem, edits["capacity"])
    if "accelerator" in edits:
        columns["accelerators"] = _accelerators(problem, edits["accelerator"])
    if "temperature" in edits and nodes.heat_profile is not None:
        columns["heat_profile"] = nodes.heat_profile.copy()
        columns["heat_profile"][[rule.node for rule in edits["temperature"]]] = -1
    open_nodes = {nodes.id[_node(rule)] for rule in edits.get("availability", ())}
    events = [event for event in events if event.available is None or event.node not in open_nodes]
    changed = nodes.replace(**columns) if columns else nodes
    return problem.continuum.replace(nodes=changed, events=tuple(events))


def _capacities(
    problem: PlacementProblem, edits: Mapping[Rule, int | None]
) -> tuple[dict[str, Any], list[NodeEvent]]:
    nodes = problem.continuum.nodes
    capacity: dict[str, Any] = dict(nodes.capacity)
    needed = {
        name: sum(
            function.demand.get(name, 0)
            for workflow in problem.workflows
            for function in workflow.functions
        )
        for name in {_resource(rule) for rule in edits}
    }
    for name in needed:
        capacity[name] = _copied(nodes.capacity, name, len(nodes))
    amounts: dict[tuple[str, str | None], int | None] = {}
    for rule, amount in edits.items():
        name, node = _resource(rule), _node(rule)
        amounts[nodes.id[node], name] = amount
        column = capacity[name]
        total = int(column[node]) + amount if amount is not None else needed[name]
        column[node] = min(MAX_QUANTITY, max(int(column[node]), total))
    events = []
    for event in problem.continuum.events:
        raise_by = amounts.get((event.node, event.resource), 0)
        if raise_by and event.capacity is not None:
            total = min(MAX_QUANTITY, event.capacity + raise_by)
            events.append(event.replace(capacity=total))
        elif raise_by is not None:
            events.append(event)
    # More than a column can hold: nobody counts there instead.
    events += [
        NodeEvent(
            step=0,
            order=MAX_ORDER,
            node=node,
            resource=name,
            capacity=MAX_QUANTITY,
            except_functions=_everybody(problem),
        )
        for (node, name), amount in amounts.items()
        if amount is None and needed[str(name)] > MAX_QUANTITY
    ]
    return capacity, events


def _everybody(problem: PlacementProblem) -> tuple[str, ...]:
    return tuple(
        f"{workflow.id}/{function.id}"
        for workflow in problem.workflows
        for function in workflow.functions
    )


def _copied(columns: Mapping[str, Any], name: str, count: int) -> Any:
    column = columns.get(name)
    return np.zeros(count, dtype=np.int64) if column is None else column.copy()


def _accelerators(problem: PlacementProblem, edits: Mapping[Rule, int | None]) -> dict[str, Any]:
    nodes = problem.continuum.nodes
    offered: dict[str, Any] = dict(nodes.accelerators)
    needed = {
        device: sum(
            function.accelerator.count
            for workflow in problem.workflows
            for function in workflow.functions
            if function.accelerator.mode == "gpu" and function.accelerator.device == device
        )
        for device in {_resource(rule) for rule in edits}
    }
    for device in needed:
        offered[device] = _copied(nodes.accelerators, device, len(nodes))
    for rule, amount in edits.items():
        device = _resource(rule)
        offered[device][_node(rule)] += needed[device] if amount is None else amount
    return offered


def _workflows(problem: PlacementProblem, edits: Edits) -> Iterable[Workflow]:
    of_function: dict[int, list[tuple[Rule, int | None]]] = {}
    of_edge: dict[int, list[tuple[Rule, int | None]]] = {}
    of_workflow: dict[int, int | None] = {}
    for rules in edits.values():
        for rule, amount in rules.items():
            if rule.function is not None:
                of_function.setdefault(rule.function, []).append((rule, amount))
            elif rule.edge is not None:
                of_edge.setdefault(rule.edge, []).append((rule, amount))
            elif rule.workflow is not None:
                of_workflow[rule.workflow] = amount
    first_function = first_edge = 0
    for index, workflow in enumerate(problem.workflows):
        functions = tuple(
            _function(function, of_function.get(first_function + row, ()))
            for row, function in enumerate(workflow.functions)
        )
        edges = tuple(
            _link(edge, of_edge.get(first_edge + row, ()))
            for row, edge in enumerate(workflow.edges)
        )
        first_function += len(functions)
        first_edge += len(edges)
        changes: dict[str, Any] = {}
        if any(new is not old for new, old in zip(functions, workflow.functions, strict=True)):
            changes["functions"] = functions
        if any(new is not old for new, old in zip(edges, workflow.edges, strict=True)):
            changes["edges"] = edges
        if index in of_workflow:
            slo = workflow.response_time_slo_ms
            amount = of_workflow[index]
            changes["response_time_slo_ms"] = _raised_ms(slo, amount, MAX_RESPONSE_MS)
        yield workflow.replace(**changes) if changes else workflow


def _function(function: Function, edits: Iterable[tuple[Rule, int | None]]) -> Function:
    changes: dict[str, Any] = {}
    sources: dict[int, DataSource] = {}
    for rule, amount in edits:
        if rule.kind == "pinned":
            changes["pinned"] = None
            if not function.reserves:
                changes |= {"reserves": True, "demand": {}, "accelerator": Accelerator()}
        elif rule.kind == "architecture":
            changes["architectures"] = ()
            if function.execution_ms:
                shortest = min(function.execution_ms.values())
                changes["execution_ms"] = {
                    name: function.execution_ms.get(name, shortest)
                    for name in get_args(Architecture)
                }
        elif rule.source is not None:
            given = sources.get(rule.source, function.data_sources[rule.source])
            sources[rule.source] = _link(given, [(rule, amount)])
    if sources:
        changes["data_sources"] = tuple(
            sources.get(row, source) for row, source in enumerate(function.data_sources)
        )
    return function.replace(**changes) if changes else function


def _link(link: Link, edits: Iterable[tuple[Rule, int | None]]) -> Link:
    changes: dict[str, Any] = {}
    for rule, amount in edits:
        if rule.kind == "min_bandwidth":
            changes["min_bandwidth_mbps"] = _lowered_mbps(link, amount)
        else:
            changes["max_latency_ms"] = _raised_ms(link.max_latency_ms, amount, MAX_LATENCY_MS)
    return link.replace(**changes) if changes else link


def _raised_ms(limit: float | None, amount: int | None, largest: float) -> float | None:
    if limit is None or amount is None:
        return None
    raised = (quantum_ns(limit) + amount) / NS_PER_MS
    return raised if raised <= largest else None


def _lowered_mbps(link: DataEdge | DataSource, amount: int | None) -> float | None:
    # A slower link would need a transmission beyond exact arithmetic, so nobody can use it.
    slowest = 8 * link.size_bytes * 10**9 // (EXACT_LIMIT - 1) + 1
    if amount is not None and link.min_bandwidth_mbps is not None:
        slowest = max(slowest, quantum_bps(link.min_bandwidth_mbps) - amount)
    floor = slowest / BPS_PER_MBPS
    return floor if floor > MIN_BANDWIDTH_MBPS else None


def _node(rule: Rule) -> int:
    assert rule.node is not None
    return rule.node


def _resource(rule: Rule) -> str:
    assert rule.resource is not None
    return rule.resource
