"""Rules that concern one function and its node alone: pinned, architecture, availability."""

from __future__ import annotations

from collections.abc import Iterable

from leotrek_opt.evaluation.assignments import PlacedFunction
from leotrek_opt.models.continuum import Continuum, NodeEvent
from leotrek_opt.models.placement import Violation
from leotrek_opt.models.workflow import Function


def check_pinned(continuum: Continuum, functions: Iterable[PlacedFunction]) -> list[Violation]:
    """Find pinned functions that stand elsewhere.

    Parameters
    ----------
    continuum
        Gives the names of the nodes.
    functions
        With their places; those without one are passed over.

    Returns
    -------
    list of Violation
        In the order of ``functions``.
    """
    violations: list[Violation] = []
    for placed in functions:
        pinned = placed.function.pinned
        if placed.node is None or pinned is None:
            continue
        node = continuum.nodes.id[placed.node]
        if node != pinned:
            violations.append(
                Violation(
                    rule="pinned",
                    subject=placed.name,
                    message=f"pinned: {placed.name} must stay on node {pinned}, is on {node}",
                )
            )
    return violations


def check_architecture(
    continuum: Continuum, functions: Iterable[PlacedFunction]
) -> list[Violation]:
    """Find functions on nodes of an architecture on which they do not run.

    Parameters
    ----------
    continuum
        Gives the architectures of the nodes.
    functions
        With their places; those without one are passed over.

    Returns
    -------
    list of Violation
        In the order of ``functions``.
    """
    violations: list[Violation] = []
    for placed in functions:
        allowed = allowed_architectures(placed.function)
        if placed.node is None or not allowed:
            continue
        architecture = continuum.nodes.architecture[placed.node]
        if architecture not in allowed:
            node = continuum.nodes.id[placed.node]
            violations.append(
                Violation(
                    rule="architecture",
                    subject=placed.name,
                    message=f"architecture: {placed.name} runs on {' or '.join(allowed)}, "
                    f"node {node} is {architecture}",
                )
            )
    return violations


def allowed_architectures(function: Function) -> tuple[str, ...]:
    """Return where a function runs: as listed, else where its execution time is known.

    Parameters
    ----------
    function
        Any function.

    Returns
    -------
    tuple of str
        Architectures; empty for all of them.
    """
    return function.architectures or tuple(function.execution_ms)


def check_availability(
    continuum: Continuum, functions: Iterable[PlacedFunction]
) -> list[Violation]:
    """Find functions on nodes that take no new function at their step.

    Parameters
    ----------
    continuum
        Gives the node events.
    functions
        With their places; those without one are passed over.

    Returns
    -------
    list of Violation
        In the order of ``functions``.
    """
    events_of: dict[str, list[NodeEvent]] = {}
    for event in continuum.events:
        if event.available is not None:
            events_of.setdefault(event.node, []).append(event)
    for events in events_of.values():
        # Sorting is stable, so events of one step and order keep their place in the list.
        events.sort(key=lambda event: (event.step, event.order))
    violations: list[Violation] = []
    for placed in functions:
        if placed.node is None:
            continue
        node = continuum.nodes.id[placed.node]
        step = placed.function.step
        last = None
        for event in events_of.get(node, []):
            if event.step <= step and placed.name not in event.except_functions:
                last = event
        if last is not None and not last.available:
            violations.append(
                Violation(
                    rule="availability",
                    subject=placed.name,
                    message=f"availability: node {node} takes no function from step {last.step} "
                    f"on, {placed.name} is placed there at step {step}",
                )
            )
    return violations
