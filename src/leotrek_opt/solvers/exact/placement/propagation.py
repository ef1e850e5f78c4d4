"""Domains shrunk by rules that join two functions, and words for what is left without a node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leotrek_opt.models.base import NS_PER_MS
from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.exact.placement.bounds import path_through
from leotrek_opt.solvers.exact.placement.domains import Mask, SparseDomain

RULE_WORDS = {
    "pinned": "not the pinned node",
    "architecture": "wrong architecture",
    "capacity": "too little capacity",
    "availability": "unavailable",
    "temperature": "too hot",
    "data_source": "no route to a data source within its limit",
}


@dataclass(frozen=True, eq=False)
class Propagation:
    """Domains after propagation.

    Parameters
    ----------
    allowed
        Shape (F, N).
    explanation
        Why the problem is infeasible; empty if every function keeps a node.
    """

    allowed: Mask
    explanation: tuple[str, ...]


def propagate(arrays: PlacementArrays) -> Propagation:
    """Remove nodes that no partner can reach within an edge's latency limit, or that are too late.

    Parameters
    ----------
    arrays
        The problem.

    Returns
    -------
    Propagation
        No placement that keeps every rule uses a removed node.
    """
    allowed = arrays.allowed.copy()
    explanation = _explain_unary(arrays)
    if explanation:
        return Propagation(allowed, explanation)
    for workflow in arrays.workflows:
        forward = [edge for function in workflow.functions for edge in _into(arrays, function)]
        for edge, is_forward in [(e, True) for e in forward] + [
            (e, False) for e in reversed(forward)
        ]:
            problem = _revise(arrays, allowed, edge, is_forward)
            if problem:
                return Propagation(allowed, (problem,))
        problem = _revise_response_time(arrays, allowed, workflow.name)
        if problem:
            return Propagation(allowed, (problem,))
    return Propagation(allowed, ())


def _into(arrays: PlacementArrays, function: int) -> list[int]:
    owner = arrays.workflows[int(arrays.workflow_of[function])]
    return [edge for edge in owner.edges if arrays.edges[edge].target == function]


def _revise(arrays: PlacementArrays, allowed: Mask, edge: int, forward: bool) -> str:
    item = arrays.edges[edge]
    sender, receiver = (item.source, item.target) if forward else (item.target, item.source)
    limit = np.inf if item.max_latency_ns is None else float(item.max_latency_ns)
    if item.max_latency_ns is None and allowed[sender].sum() > 1:
        # Without a limit only reachability matters, and the bound finds that by itself.
        return ""
    conflict = arrays.capacities.conflict(item.source, item.target)
    start = np.where(allowed[sender], 0.0, np.inf)
    latency = item.link.latency_message(start, conflict)
    reachable = np.isfinite(latency) & (latency <= limit)
    if not (allowed[receiver] & reachable).any():
        nearest = float(latency[allowed[receiver]].min(initial=np.inf))
        return _unreachable(arrays, sender, receiver, limit, nearest)
    allowed[receiver] &= reachable
    return ""


def _unreachable(
    arrays: PlacementArrays, sender: int, receiver: int, limit: float, nearest: float
) -> str:
    start = f"{arrays.name_of(receiver)}: no node left"
    ends = f"its {{}} from every node still open to {arrays.name_of(sender)}"
    if not np.isfinite(nearest):
        return f"{start}: " + ends.format("allowed nodes have no usable route")
    return (
        f"{start}: "
        + ends.format(f"allowed nodes are more than {limit / NS_PER_MS:g} ms away")
        + f"; the nearest is at {nearest / NS_PER_MS:g} ms"
    )


def _revise_response_time(arrays: PlacementArrays, allowed: Mask, name: str) -> str:
    workflow = next(item for item in arrays.workflows if item.name == name)
    if workflow.response_time_slo_ns is None:
        return ""
    through = path_through(SparseDomain(arrays, allowed), workflow)
    for function in workflow.functions:
        in_time = through[function] <= workflow.response_time_slo_ns
        if not (allowed[function] & in_time).any():
            best = float(through[function].min(initial=np.inf))
            fastest = f"{best / NS_PER_MS:g} ms" if np.isfinite(best) else "no route"
            return (
                f"{name}: no placement meets the response time of "
                f"{workflow.response_time_slo_ns / NS_PER_MS:g} ms; the fastest needs {fastest}"
            )
        allowed[function] &= in_time
    return ""


def _explain_unary(arrays: PlacementArrays) -> tuple[str, ...]:
    sentences = []
    for function in np.flatnonzero(~arrays.allowed.any(axis=1)):
        left = np.ones(arrays.n_nodes, dtype=bool)
        reasons = []
        for rule in arrays.rules:
            removed = int((left & ~rule.allowed[function]).sum())
            left &= rule.allowed[function]
            if removed:
                reasons.append(f"{removed} {RULE_WORDS[rule.name]}")
        sentences.append(
            f"{arrays.name_of(int(function))}: no node left of {arrays.n_nodes}: "
            + ", ".join(reasons)
        )
    return tuple(sentences)
