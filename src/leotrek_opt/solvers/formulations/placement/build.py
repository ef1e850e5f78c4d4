"""The flow formulation of placement: arrays to a linear model.

Variables: ``place`` x[i, n], binary, function i on candidate n; ``move`` y[e; n, m] over the
admissible pairs of edge e = (i, j), continuous, product of x[i, n] and x[j, m]; where times matter
``delay`` of a function, its finish beyond its earliest; ``value``, what a workflow (or the worst of
them) is worth beyond its lower bound. Rows::

    one_node    sum_n x[i, n] = 1
    leave       sum_m y[e; n, m] = x[i, n]
    reach       sum_n y[e; n, m] = x[j, m]
    capacity    sum_i q[i, r] x[i, n] <= C[n, r]                    where it can bind
    finish      finish_j >= finish_i + sum hop[e; n, m] y[e; n, m]
    early       finish_j >= sum_m E[j, m] x[j, m]
    last        value_w >= finish of its last functions
    through     value_w >= sum_n (E[i, n] + B[i, n]) x[i, n]
    worst       value >= the sum of latencies of workflow w

The flow rows are those of the reformulation-linearisation technique (Adams and Sherali, Management
Science 32 (10), 1986, doi 10.1287/mnsc.32.10.1274): on a tree without capacities their linear
relaxation is integral. ``early`` holds the data sources' arrival, and with ``through`` it lifts the
relaxation to the bound of the path recursion in :mod:`.timing`, which joins would otherwise weaken.
Response-time limits are bounds of ``delay``.

Every number is an integer. Times that would need matrix entries above 2**31 ns come in the least
power of ten of a nanosecond that avoids it, each hop rounded down, so that the model stays a
relaxation; :class:`PlacementModel` says how much that can cost. Costs of a plain sum of latencies
stand in the objective alone and are always exact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import ModelTooLargeError
from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.formulations.placement.blocks import Blocks, Terms
from leotrek_opt.solvers.formulations.placement.capacity import capacity_rows
from leotrek_opt.solvers.formulations.placement.choices import (
    Choices,
    PairFilter,
    admissible,
    timed_workflows,
)
from leotrek_opt.solvers.formulations.placement.latency import (
    LatencyCosts,
    latency_costs,
    within_latency,
)
from leotrek_opt.solvers.formulations.placement.model import PlacementModel
from leotrek_opt.solvers.formulations.placement.timing import (
    Timing,
    common_unit,
    timing,
    unit_for,
    within,
)


def build(
    arrays: PlacementArrays,
    candidates: Sequence[NDArray[np.integer]] | None = None,
    *,
    max_nonzeros: int,
    cutoff_ns: int | None = None,
    pair_filter: PairFilter | None = None,
) -> PlacementModel:
    """Build the flow formulation of a placement problem.

    Parameters
    ----------
    arrays
        The problem.
    candidates
        Node indices that each function may use, by function; nodes that a rule forbids are left
        out. None for all allowed nodes.
    max_nonzeros
        Refuse a model with more matrix entries than this.
    cutoff_ns
        Placements worth more need not be in the model; those worth exactly this stay.
    pair_filter
        Gives for an edge index the pairs that may stay, booleans of shape (candidates of the
        source, candidates of the target), in the order of ``candidates`` (allowed nodes ascending
        if that is None). None for all.

    Returns
    -------
    PlacementModel
        An infeasible problem gives an infeasible model.

    Raises
    ------
    leotrek_opt.errors.InputError
        If candidates or filters do not fit the problem.
    leotrek_opt.errors.ModelTooLargeError
        If there would be more than ``max_nonzeros`` entries; the text says how many.
    """
    terms, unit = prepare(
        arrays,
        candidates,
        max_nonzeros=max_nonzeros,
        cutoff_ns=cutoff_ns,
        pair_filter=pair_filter,
    )
    blocks = Blocks(terms)
    blocks.add_choices()
    blocks.add_flow()
    blocks.add_capacities(capacity_rows(arrays, terms.choices.candidates))
    blocks.add_times()
    blocks.add_values()
    if blocks.linear.n_nonzeros > max_nonzeros:
        raise ModelTooLargeError(
            f"the flow formulation has {blocks.linear.n_nonzeros:,} nonzeros, more than "
            f"max_nonzeros = {max_nonzeros:,}"
        )
    return PlacementModel(
        linear=blocks.linear,
        arrays=arrays,
        choices=terms.choices,
        unit_ns=unit,
        error_ns=_error(arrays, terms.timings, terms.latency),
        slo_error_ns=max(
            (
                item.loss_ns
                for index, item in terms.timings.items()
                if arrays.workflows[index].response_time_slo_ns is not None
            ),
            default=0,
        ),
        _place=blocks.place,
        _move=blocks.move,
        _delay=blocks.delay,
        _timings=terms.timings,
        _latency=terms.latency,
        _values=blocks.values,
    )


def prepare(
    arrays: PlacementArrays,
    candidates: Sequence[NDArray[np.integer]] | None = None,
    *,
    max_nonzeros: int,
    cutoff_ns: int | None = None,
    pair_filter: PairFilter | None = None,
) -> tuple[Terms, int]:
    """Find what the flow formulation is made of, without writing it down.

    Parameters
    ----------
    arrays, candidates, max_nonzeros, cutoff_ns, pair_filter
        As for :func:`build`.

    Returns
    -------
    terms, unit_ns
        Candidates, pairs, times and costs; and what one unit of the objective is worth.

    Raises
    ------
    leotrek_opt.errors.InputError, leotrek_opt.errors.ModelTooLargeError
        As for :func:`build`.
    """
    choices = admissible(arrays, candidates, pair_filter, max_nonzeros)
    choices, exact, limits_ns = _within_limits(arrays, choices, cutoff_ns)
    time_unit = common_unit(exact)
    timings = {item.index: timing(arrays, choices, item.index, time_unit) for item in exact}
    latency, unit = None, time_unit
    if not arrays.is_critical_path:
        latency, unit = _latency_in_units(arrays, choices)
    terms = Terms(
        arrays,
        choices,
        timings,
        latency,
        binding=frozenset(e for item in exact for e, *ends in item.edges if item.binds(e, *ends)),
        limits={index: limit // time_unit for index, limit in limits_ns.items()},
    )
    return terms, unit


def _within_limits(
    arrays: PlacementArrays, choices: Choices, cutoff_ns: int | None
) -> tuple[Choices, list[Timing], dict[int, float]]:
    """Drop what no placement within response-time limits and cutoff uses, until nothing is left.

    Returns what stays, its path times in ns, and the latest response of each timed workflow.
    """
    if cutoff_ns is not None and not arrays.is_critical_path:
        choices = choices.restricted(arrays, {}, within_latency(arrays, choices, cutoff_ns))
    while True:
        timings = [timing(arrays, choices, index, 1) for index in timed_workflows(arrays)]
        limits = _response_limits(arrays, timings, cutoff_ns)
        candidates, pairs = {}, {}
        for item in timings:
            masks = within(item, choices, limits[item.index])
            candidates.update(masks[0])
            pairs.update(masks[1])
        if all(mask.all() for mask in (*candidates.values(), *pairs.values())):
            return choices, timings, limits
        choices = choices.restricted(arrays, candidates, pairs)


def _response_limits(
    arrays: PlacementArrays, timings: Sequence[Timing], cutoff_ns: int | None
) -> dict[int, float]:
    total = sum(item.response for item in timings)
    limits = {}
    for item in timings:
        slo = arrays.workflows[item.index].response_time_slo_ns
        limits[item.index] = math.inf if slo is None else float(slo)
        if cutoff_ns is not None and arrays.is_critical_path:
            is_max = arrays.problem.objective.aggregate == "max"
            others = 0 if is_max else total - item.response
            limits[item.index] = min(limits[item.index], float(cutoff_ns - others))
    return limits


def _latency_in_units(arrays: PlacementArrays, choices: Choices) -> tuple[LatencyCosts, int]:
    costs = latency_costs(arrays, choices, 1)
    if arrays.problem.objective.aggregate == "sum":
        return costs, 1
    unit = unit_for(costs.largest_coefficient())
    return latency_costs(arrays, choices, unit), unit


def _error(
    arrays: PlacementArrays, timings: Mapping[int, Timing], latency: LatencyCosts | None
) -> int:
    if latency is not None:
        losses = list(latency.loss_ns)
    else:
        losses = [item.loss_ns for item in timings.values()]
    return max(losses) if arrays.problem.objective.aggregate == "max" else sum(losses)
