"""Sums of latencies as linear costs over candidates and pairs, least values taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.formulations.placement.choices import Choices, IntArray, Mask


@dataclass(frozen=True, eq=False)
class LatencyCosts:
    """What workflows add to a sum of latencies, in whole units rounded down.

    Exactly one candidate of a function and one pair of an edge is chosen, so the least cost of each
    is a constant and only what exceeds it needs a coefficient.

    Parameters
    ----------
    constant
        Per workflow.
    unary, pair
        What candidates and pairs cost beyond the constant, by function and by edge, all >= 0.
    loss_ns
        Per workflow, the most that rounding takes off.
    """

    constant: tuple[int, ...]
    unary: tuple[IntArray, ...]
    pair: tuple[IntArray, ...]
    loss_ns: tuple[int, ...]

    def largest_coefficient(self) -> int:
        """Return the largest cost beyond a constant."""
        return max((int(part.max(initial=0)) for part in (*self.unary, *self.pair)), default=0)


def latency_costs(arrays: PlacementArrays, choices: Choices, unit_ns: int) -> LatencyCosts:
    """Return the latency costs of all workflows.

    Parameters
    ----------
    arrays
        The problem, with a latency objective.
    choices
        Candidates and pairs.
    unit_ns
        Unit of cost.

    Returns
    -------
    LatencyCosts
        Exact if the unit is 1 ns.
    """
    unary_ns = [
        arrays.unary_ns[function, nodes].astype(np.int64)
        for function, nodes in enumerate(choices.candidates)
    ]
    pair_ns = [pairs.cost_ns for pairs in choices.pairs]
    unary = [costs // unit_ns for costs in unary_ns]
    pair = [costs // unit_ns for costs in pair_ns]
    constant, loss_ns = [], []
    for workflow in arrays.workflows:
        parts = [unary[f] for f in workflow.functions] + [pair[e] for e in workflow.edges]
        exact = [unary_ns[f] for f in workflow.functions] + [pair_ns[e] for e in workflow.edges]
        constant.append(sum(int(part.min()) for part in parts if part.size))
        loss_ns.append(sum(int((part % unit_ns).max(initial=0)) for part in exact))
    return LatencyCosts(
        tuple(constant),
        tuple(part - part.min() if part.size else part for part in unary),
        tuple(part - part.min() if part.size else part for part in pair),
        tuple(loss_ns),
    )


def within_latency(arrays: PlacementArrays, choices: Choices, cutoff_ns: int) -> dict[int, Mask]:
    """Return the pairs that a placement worth at most a cutoff may use.

    Parameters
    ----------
    arrays
        The problem, with a latency objective.
    choices
        Candidates and pairs.
    cutoff_ns
        Inclusive.

    Returns
    -------
    dict of ndarray
        Masks by edge.
    """
    costs = latency_costs(arrays, choices, 1)
    keep = {}
    for workflow, own in zip(arrays.workflows, costs.constant, strict=True):
        is_max = arrays.problem.objective.aggregate == "max"
        slack = cutoff_ns - (own if is_max else sum(costs.constant))
        for index in workflow.edges:
            edge, pairs = arrays.edges[index], choices.pairs[index]
            rise = costs.pair[index] + costs.unary[edge.source][pairs.source]
            keep[index] = rise + costs.unary[edge.target][pairs.target] <= slack
    return keep
