"""Which node may host which function: every rule that needs one function and one node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.base import quantum_ns
from leotrek_opt.models.continuum import Continuum, NodeEvent
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.models.workflow import Function
from leotrek_opt.solvers.arrays.placement.capacity import Capacities
from leotrek_opt.solvers.arrays.placement.links import LinkCosts
from leotrek_opt.solvers.arrays.placement.thermal import temperatures

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Rule:
    """The nodes that one rule leaves to each function.

    Parameters
    ----------
    name
        As in :class:`~leotrek_opt.models.placement.Violation`.
    allowed
        Shape (F, N).
    """

    name: str
    allowed: Mask


def eligibility(
    problem: PlacementProblem,
    functions: Sequence[tuple[str, Function]],
    capacities: Capacities,
    costs: LinkCosts,
) -> tuple[Rule, ...]:
    """Return every unary rule as a mask, in the order in which explanations count them.

    Parameters
    ----------
    problem
        The placement problem.
    functions
        F functions with their workflow's identifier.
    capacities
        Of the same functions.
    costs
        Route graphs, for data sources.

    Returns
    -------
    tuple of Rule
        Their conjunction is the set of allowed nodes.
    """
    continuum = problem.continuum
    plain = [function for _, function in functions]
    fits = [capacities.fits(index) for index in range(len(functions))]
    rules = [
        Rule("pinned", _pinned(continuum, plain)),
        Rule("architecture", _architecture(continuum, plain)),
        Rule("capacity", np.array(fits).reshape(len(plain), len(continuum.nodes))),
        Rule("availability", _availability(continuum, functions)),
    ]
    if problem.thermal is not None:
        rules.append(Rule("temperature", temperatures(continuum, plain, problem.thermal)[1]))
    rules.append(Rule("data_source", _data_sources(continuum, plain, costs)))
    return tuple(rules)


def _all_nodes(continuum: Continuum, functions: Sequence[object]) -> Mask:
    return np.ones((len(functions), len(continuum.nodes)), dtype=bool)


def _pinned(continuum: Continuum, functions: list[Function]) -> Mask:
    allowed = _all_nodes(continuum, functions)
    index = {name: node for node, name in enumerate(continuum.nodes.id)}
    for row, function in enumerate(functions):
        if function.pinned is not None:
            allowed[row] = False
            allowed[row, index[function.pinned]] = True
    return allowed


def _architecture(continuum: Continuum, functions: list[Function]) -> Mask:
    allowed = _all_nodes(continuum, functions)
    architecture = np.array(continuum.nodes.architecture)
    for row, function in enumerate(functions):
        accepted = function.architectures or tuple(function.execution_ms)
        if accepted:
            allowed[row] = np.isin(architecture, accepted)
    return allowed


def _availability(continuum: Continuum, functions: Sequence[tuple[str, Function]]) -> Mask:
    allowed = _all_nodes(continuum, functions)
    index = {name: node for node, name in enumerate(continuum.nodes.id)}
    events: list[NodeEvent] = sorted(
        (event for event in continuum.events if event.available is not None),
        key=lambda event: (event.step, event.order),
    )
    step = np.array([function.step for _, function in functions])
    names = np.array([f"{workflow}/{function.id}" for workflow, function in functions])
    for event in events:
        touched = step >= event.step
        if event.except_functions:
            touched &= ~np.isin(names, event.except_functions)
        allowed[touched, index[event.node]] = bool(event.available)
    return allowed


def _data_sources(continuum: Continuum, functions: list[Function], costs: LinkCosts) -> Mask:
    allowed = _all_nodes(continuum, functions)
    index = {name: node for node, name in enumerate(continuum.nodes.id)}
    for row, function in enumerate(functions):
        for source in function.data_sources:
            latency = costs.of(source, function.step).latency_rows([index[source.node]])[0]
            allowed[row] &= np.isfinite(latency)
            if source.max_latency_ms is not None:
                allowed[row] &= latency <= quantum_ns(source.max_latency_ms)
    return allowed
