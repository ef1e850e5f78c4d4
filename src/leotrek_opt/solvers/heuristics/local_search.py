"""Local search: take a few workflows out of a placement and put them back better."""

from __future__ import annotations

from collections.abc import Callable

from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.exact.placement.bounds import BoundCalculator
from leotrek_opt.solvers.exact.placement.search import Search
from leotrek_opt.solvers.exact.placement.start import insert_greedily
from leotrek_opt.solvers.heuristics.answers import answer
from leotrek_opt.solvers.heuristics.greedy import greedy
from leotrek_opt.solvers.heuristics.hyperdrive import hyperdrive
from leotrek_opt.solvers.heuristics.published import (
    first_fit,
    hyperdrive_published,
    random_placement,
    round_robin,
)
from leotrek_opt.solvers.method import Answer, Request
from leotrek_opt.solvers.status import Status

PATIENCE = 100
"""Tries in a row without improvement after which the search ends."""

_STARTS: dict[str, Callable[[PlacementArrays, Request], Answer]] = {
    "greedy": greedy,
    "hyperdrive": hyperdrive,
    "hyperdrive@published": hyperdrive_published,
    "first-fit": first_fit,
    "round-robin": round_robin,
    "random": random_placement,
}


def lns(arrays: PlacementArrays, request: Request) -> Answer:
    """Improve a start by large neighbourhood search.

    The start is the warm start, or what the method named after the colon places; a start that
    breaks rules is replaced by a greedy one. One to four random workflows are taken out and
    inserted again in random order, trees exactly; what is strictly better is kept.

    Parameters
    ----------
    arrays
        The problem.
    request
        Limits, seed, warm start; without a time limit the search ends after ``PATIENCE`` failures,
        so that the same seed gives the same answer.

    Returns
    -------
    Answer
        Never worse than a feasible start.
    """
    solver = f"lns:{request.argument}" if request.argument else "lns"
    found, domain = insert_greedily(arrays, request)
    if found is None or domain is None:
        return Answer(
            Status.NO_SOLUTION,
            explanation=("some function has no node left",),
            solver=solver,
        )
    search = found
    if request.argument:
        search = Search(BoundCalculator(arrays), request.seed)
        started = _STARTS[request.argument](arrays, request).assignment
        if started is None or not search.offer(started):
            search = found
    if request.warm_start is not None:
        search.offer(request.warm_start)
    search.improve(domain, request.budget, patience=PATIENCE, enough_ns=0)
    if search.best is None:
        return Answer(
            Status.NO_SOLUTION,
            explanation=("no start keeps every rule",),
            solver=solver,
        )
    return answer(arrays, request, search.best, solver)
