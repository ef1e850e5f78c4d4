"""A first placement: workflow after workflow, on ever more candidates of least bound."""

from __future__ import annotations

import numpy as np

from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.exact.placement.bounds import BoundCalculator
from leotrek_opt.solvers.exact.placement.domains import DenseDomain, SparseDomain
from leotrek_opt.solvers.exact.placement.propagation import propagate
from leotrek_opt.solvers.exact.placement.search import Search
from leotrek_opt.solvers.method import Request
from leotrek_opt.topology.routing import FloatArray, IntArray

CANDIDATES_PER_FUNCTION = (16, 64, 256)
RESTARTS = 8


def insert_greedily(
    arrays: PlacementArrays, request: Request
) -> tuple[Search | None, DenseDomain | None]:
    """Insert on ever more candidates until every workflow has found its place.

    Parameters
    ----------
    arrays
        The problem.
    request
        Limits and seed.

    Returns
    -------
    search, domain
        With the placement found, if any, and the candidates it was found on; None when a function
        has no node at all.
    """
    propagation = propagate(arrays)
    if propagation.explanation:
        return None, None
    calculator = BoundCalculator(arrays)
    given = calculator.bound(SparseDomain(arrays, propagation.allowed)).given
    search = Search(calculator, request.seed)
    domain = None
    order = np.arange(len(arrays.workflows))
    for size in CANDIDATES_PER_FUNCTION:
        domain = DenseDomain(arrays, [best_candidates(bounds, size) for bounds in given])
        if search.construct(domain, order):
            break
        for _ in range(RESTARTS):
            if request.budget.spent or search.construct(domain, search.random.permutation(order)):
                break
        if search.best is not None or request.budget.spent:
            break
    return search, domain


def best_candidates(bounds: FloatArray, size: int) -> IntArray:
    """Return the nodes of least bound, ascending by index; ties to the smaller index.

    Parameters
    ----------
    bounds
        Bound given each node, ``inf`` where it is out; shape (N,).
    size
        How many at most.

    Returns
    -------
    ndarray of int64
        Node indices.
    """
    nodes = np.flatnonzero(np.isfinite(bounds))
    return np.sort(nodes[np.argsort(bounds[nodes], kind="stable")[:size]])
