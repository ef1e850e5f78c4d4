"""Greedy insertion: workflow after workflow, each as well as the room that is left allows."""

from __future__ import annotations

from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.exact.placement.start import insert_greedily
from leotrek_opt.solvers.heuristics.answers import answer
from leotrek_opt.solvers.method import Answer, Request
from leotrek_opt.solvers.status import Status


def greedy(arrays: PlacementArrays, request: Request) -> Answer:
    """Insert the workflows as listed, each on the nodes that bound its whole chain best.

    Parameters
    ----------
    arrays
        The problem.
    request
        Limits, and the seed of the orders tried when the listed one gets stuck.

    Returns
    -------
    Answer
        Feasible, or no solution with what stood in the way.
    """
    search, _ = insert_greedily(arrays, request)
    if search is None or search.best is None:
        return Answer(
            Status.NO_SOLUTION,
            explanation=("greedy insertion found no room for some workflow",),
            solver="greedy",
        )
    return answer(arrays, request, search.best, "greedy")
