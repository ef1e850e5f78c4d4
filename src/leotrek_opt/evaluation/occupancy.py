"""What the functions on a node occupy over the steps, against what the node offers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from leotrek_opt.evaluation.assignments import PlacedFunction
from leotrek_opt.models.continuum import NodeEvent
from leotrek_opt.models.placement import PlacementProblem, Violation


@dataclass(frozen=True)
class _Occupant:
    """A function that takes ``amount`` of something on a node in steps ``start`` to ``end`` - 1."""

    name: str
    start: int
    end: int
    amount: int


@dataclass(frozen=True)
class _Overload:
    """More is needed than there is, in some step."""

    needed: int
    offered: int
    since: int | None
    functions: tuple[str, ...]


def check_accelerators(
    problem: PlacementProblem, functions: Iterable[PlacedFunction]
) -> list[Violation]:
    """Find nodes with fewer accelerators than the functions there occupy.

    Parameters
    ----------
    problem
        Gives accelerators and number of steps.
    functions
        With their places; those without one are passed over.

    Returns
    -------
    list of Violation
        By node, device and step; consecutive steps of one and the same shortage count once.
    """
    steps = problem.continuum.time.steps
    occupants: dict[tuple[int, str], list[_Occupant]] = {}
    for placed in functions:
        accelerator = placed.function.accelerator
        span = _span(placed, steps)
        if placed.node is None or span is None or accelerator.mode != "gpu":
            continue
        occupants.setdefault((placed.node, accelerator.device), []).append(
            _Occupant(placed.name, *span, accelerator.count)
        )
    violations: list[Violation] = []
    for (node, device), group in sorted(occupants.items()):
        column = problem.continuum.nodes.accelerators.get(device)
        offered = 0 if column is None else int(column[node])
        name = problem.continuum.nodes.id[node]
        violations.extend(
            _violation("accelerator", name, f"{device} accelerators", overload, first, last)
            for first, last, overload in _overloads(group, offered, [], steps)
        )
    return violations


def check_capacity(
    problem: PlacementProblem, functions: Iterable[PlacedFunction]
) -> list[Violation]:
    """Find nodes that offer less of a resource than the functions there occupy.

    Parameters
    ----------
    problem
        Gives capacities, node events and number of steps.
    functions
        With their places; those without one are passed over.

    Returns
    -------
    list of Violation
        By node, resource and step; consecutive steps of one and the same shortage count once.
    """
    continuum = problem.continuum
    steps = continuum.time.steps
    occupants: dict[tuple[int, str], list[_Occupant]] = {}
    for placed in functions:
        span = _span(placed, steps)
        if placed.node is None or span is None:
            continue
        for resource, amount in placed.function.demand.items():
            if amount > 0:
                occupants.setdefault((placed.node, resource), []).append(
                    _Occupant(placed.name, *span, amount)
                )
    events_of: dict[tuple[str, str], list[NodeEvent]] = {}
    for event in continuum.events:
        if event.resource is not None:
            events_of.setdefault((event.node, event.resource), []).append(event)
    violations: list[Violation] = []
    for (node, resource), group in sorted(occupants.items()):
        column = continuum.nodes.capacity.get(resource)
        offered = 0 if column is None else int(column[node])
        name = continuum.nodes.id[node]
        # Sorting is stable, so events of one step and order keep their place in the list.
        events = sorted(
            events_of.get((name, resource), []), key=lambda event: (event.step, event.order)
        )
        violations.extend(
            _violation("capacity", name, resource, overload, first, last)
            for first, last, overload in _overloads(group, offered, events, steps)
        )
    return violations


def _span(placed: PlacedFunction, steps: int) -> tuple[int, int] | None:
    """Return the first step in which a function occupies its node, and the first after it."""
    function = placed.function
    if not function.reserves:
        return None
    if function.hold == "forever":
        return function.step, steps
    return function.hold.start, function.hold.end


def _overloads(
    occupants: list[_Occupant], offered: int, events: list[NodeEvent], steps: int
) -> list[tuple[int, int, _Overload]]:
    """First step, last step and shortage of every run of steps in which too little is offered."""
    changes = {moment for occupant in occupants for moment in (occupant.start, occupant.end)}
    changes |= {event.step for event in events} | {steps}
    moments = sorted(changes)
    runs: list[tuple[int, int, _Overload]] = []
    for start, end in pairwise(moments):
        overload = _overload_at(start, occupants, offered, events)
        if overload is None:
            continue
        if runs and runs[-1][1] == start - 1 and runs[-1][2] == overload:
            runs[-1] = (runs[-1][0], end - 1, overload)
        else:
            runs.append((start, end - 1, overload))
    return runs


def _overload_at(
    step: int, occupants: list[_Occupant], offered: int, events: list[NodeEvent]
) -> _Overload | None:
    governing = next((event for event in reversed(events) if event.step <= step), None)
    excepted: tuple[str, ...] = ()
    if governing is not None and governing.capacity is not None:
        offered, excepted = governing.capacity, governing.except_functions
    present = [
        occupant
        for occupant in occupants
        if occupant.start <= step < occupant.end and occupant.name not in excepted
    ]
    needed = sum(occupant.amount for occupant in present)
    if needed <= offered:
        return None
    since = None if governing is None else governing.step
    return _Overload(needed, offered, since, tuple(occupant.name for occupant in present))


def _violation(
    rule: Literal["accelerator", "capacity"],
    node: str,
    what: str,
    overload: _Overload,
    first: int,
    last: int,
) -> Violation:
    when = f"at step {first}" if first == last else f"at steps {first} to {last}"
    since = "" if overload.since is None else f" since step {overload.since}"
    return Violation(
        rule=rule,
        subject=node,
        message=f"{rule}: node {node} needs {overload.needed} {what} {when}, "
        f"has {overload.offered}{since}: {', '.join(overload.functions)}",
    )
