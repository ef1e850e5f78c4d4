"""HyperDrive's pipeline with its defects mended; still one function at a time, without look-ahead.

What differs from ``hyperdrive@published``:

- The vicinity holds the nearest nodes of each kind around predecessors and data sources, not the
  first of a list around the first predecessor; if no node of it passes, all nodes are tried.
- Temperature, minimum bandwidth, availability and every latency limit are filters.
- Nodes are ranked by the exact sum of their incoming latencies (transfers and execution for the
  critical path), not by the largest one in whole milliseconds; ties go to the order of the list.
- A node without route is never taken. Room is looked at over all windows in which a function stays.
"""

from __future__ import annotations

import numpy as np

from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.heuristics.answers import answer, incoming_edges
from leotrek_opt.solvers.heuristics.online import Choice, Scheduler, State, replay
from leotrek_opt.solvers.heuristics.published import (
    EDGE_COUNT,
    EDGE_RADIUS_KM,
    GROUND_COUNT,
    GROUND_RADIUS_KM,
    SPACE_COUNT,
    SPACE_RADIUS_KM,
)
from leotrek_opt.solvers.method import Answer, Request
from leotrek_opt.topology.routing import FloatArray, IntArray

_VICINITY = (
    ("ground_station", GROUND_RADIUS_KM, GROUND_COUNT),
    ("cloud", GROUND_RADIUS_KM, GROUND_COUNT),
    ("edge", EDGE_RADIUS_KM, EDGE_COUNT),
    ("satellite", SPACE_RADIUS_KM, SPACE_COUNT),
)


def hyperdrive(arrays: PlacementArrays, request: Request) -> Answer:
    """Run the corrected HyperDrive, see the module.

    Parameters
    ----------
    arrays
        The problem.
    request
        Where to report; nothing is random.

    Returns
    -------
    Answer
        Functions without candidates are left out, and those after them that need their place.
    """
    assignment, decisions = replay(arrays, corrected_scheduler(arrays))
    failures = [
        f"{arrays.name_of(decision.function)}: {decision.reason}"
        for decision in decisions
        if decision.node < 0
    ]
    return answer(arrays, request, assignment, "hyperdrive", failures)


def corrected_scheduler(arrays: PlacementArrays) -> Scheduler:
    """Return the scheduler of :func:`hyperdrive`.

    Parameters
    ----------
    arrays
        The problem it will be used on.

    Returns
    -------
    callable
        Chooses a node for one function.
    """
    incoming = incoming_edges(arrays)

    def choose(state: State, function: int) -> Choice:
        before = [int(state.assignment[arrays.edges[edge].source]) for edge in incoming[function]]
        if min(before, default=0) < 0:
            return "a predecessor has no node"
        cost = arrays.unary_ns[function].copy()
        for edge, node in zip(incoming[function], before, strict=True):
            cost += arrays.cost_rows(edge, [node])[0]
        cost[~(arrays.allowed[function] & state.occupancy.room(function))] = np.inf
        model = arrays.functions[function][1]
        sources = [state.node_index[source.node] for source in model.data_sources]
        near = _vicinity(state, model.step, [*before, *sources])
        for candidates in (near, state.listed):
            best = _cheapest(cost, candidates)
            if best >= 0:
                return best, 100
        return "no node passes the filters"

    return choose


def _cheapest(cost: FloatArray, candidates: IntArray) -> int:
    if not len(candidates):
        return -1
    best = int(candidates[np.argmin(cost[candidates])])
    return best if np.isfinite(cost[best]) else -1


def _vicinity(state: State, step: int, centres: list[int]) -> IntArray:
    """Return the nearest nodes of every kind around some nodes, in list order."""
    chosen = np.zeros(state.arrays.n_nodes, dtype=bool)
    points = state.sub_points(step)
    for centre in centres:
        chosen[centre] = True
        for kind, radius_km, count in _VICINITY:
            nodes = state.by_kind[kind]
            near = nodes[points.within(centre, nodes, radius_km)]
            order = np.argsort(points.chord_km(centre, near), kind="stable")
            chosen[near[order[:count]]] = True
    listed: IntArray = state.listed[chosen[state.listed]]
    return listed
