"""Showing that no placement lies below a target: delete what cannot, then try what is left.

Let P be the placements that are feasible and *better* than the target. A candidate whose bound is
the target or more belongs to no placement of P, so it can be deleted; on what is left the bounds
are the same or higher, and more can be deleted. If a function has no candidate left, P is empty and
the target is a lower bound. Otherwise P lies within the candidates, so a bound found there, or the
target if that is smaller, is a lower bound on every feasible placement.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from leotrek_opt.solvers.certificate.domains import Candidates, Occupancy, count, within_limits
from leotrek_opt.solvers.certificate.messages import PairMessenger, RouteMessenger
from leotrek_opt.solvers.certificate.relaxation import Bounds, Relaxation

EXACT_PAIRS = 1_500
"""With at most so many candidates in all, the exact cost of every pair of them is computed."""

ROUTE_ROUNDS = 4
"""How many bounds over more candidates than that are looked at."""

CASE_WORK = 2_000_000
"""Pairs of candidates that are looked at before a search by cases settles for its bound."""

CASE_DEPTH = 100
"""Functions that a search by cases holds fixed at a time."""


def refute(
    relaxations: Sequence[Relaxation],
    occupancy: Occupancy,
    candidates: Candidates,
    bounds: Bounds,
    target_ns: int,
) -> int:
    """Return a lower bound on the value of every feasible placement, at most a target.

    Parameters
    ----------
    relaxations
        Ways to bound the problem.
    occupancy
        Capacities of the problem.
    candidates
        All feasible placements lie within.
    bounds
        Of the first relaxation, on these candidates.
    target_ns
        What nothing is to be below.

    Returns
    -------
    int
        In ns; the target itself if no placement is below it.
    """
    network = relaxations[0].network
    router = RouteMessenger(network)
    pending = deque(relaxations[1:])
    proven = 0
    for _ in range(ROUTE_ROUNDS):
        proven = max(proven, bounds.value_ns(network.denominator))
        left = occupancy.beside_fixed(_better(bounds, target_ns, network.denominator))
        if not all(left.values()):
            return target_ns
        if count(left) <= EXACT_PAIRS:
            search = CaseSearch(relaxations, occupancy, left, target_ns)
            return max(min(proven, target_ns), search.bound_ns(left))
        if count(left) < count(candidates):
            candidates = within_limits(network, left)
            pending = deque(reversed(relaxations))
        if not pending:
            break
        renewed = pending.popleft().bounds(router, candidates)
        if renewed is None:
            return target_ns
        bounds = renewed
    return min(proven, target_ns)


class CaseSearch:
    """Bounds over few candidates: exact pair costs, deletions to the end, then case by case.

    Where the relaxations leave a gap, some function still has several candidates. Every placement
    has it on one of them, so the least bound of these cases is a bound; with all functions fixed,
    the bounds without prices are the value itself. The search is complete up to its allowance of
    work, and a case that is not looked into keeps the bound it came with.

    Parameters
    ----------
    relaxations
        Ways to bound the problem.
    occupancy
        Capacities of the problem.
    candidates
        The largest domains that it will be asked about.
    target_ns
        What nothing is to be below.
    """

    def __init__(
        self,
        relaxations: Sequence[Relaxation],
        occupancy: Occupancy,
        candidates: Candidates,
        target_ns: int,
    ) -> None:
        self.relaxations = relaxations
        self.occupancy = occupancy
        self.network = relaxations[0].network
        self.messenger = PairMessenger(self.network, candidates)
        self.target_ns = target_ns
        self.work = 0

    def bound_ns(self, candidates: Candidates, known_ns: int = 0, depth: int = 0) -> int:
        """Return a lower bound on the value of every feasible placement within the candidates.

        Parameters
        ----------
        candidates
            By function.
        known_ns
            A bound that is known already.
        depth
            How many functions are held fixed.

        Returns
        -------
        int
            In ns, at most the target.
        """
        if self.work > CASE_WORK or depth > CASE_DEPTH:
            return known_ns
        candidates, proven = self._tightened(candidates, known_ns)
        open_functions = [function for function, nodes in candidates.items() if len(nodes) > 1]
        if proven == self.target_ns or not open_functions:
            return proven
        chosen = min(open_functions, key=lambda function: (len(candidates[function]), function))
        least = self.target_ns
        for node in sorted(candidates[chosen]):
            case = {**candidates, chosen: {node}}
            least = min(least, self.bound_ns(case, proven, depth + 1))
            if least == proven:
                break
        return least

    def _tightened(self, candidates: Candidates, known_ns: int) -> tuple[Candidates, int]:
        """Delete until every relaxation leaves every candidate; the target tells: none is left."""
        denominator = self.network.denominator
        proven = known_ns
        while True:
            left = self.occupancy.beside_fixed(candidates)
            for relaxation in self.relaxations:
                self.work += self._pairs(left)
                bounds = relaxation.bounds(self.messenger, left) if all(left.values()) else None
                if bounds is None:
                    return left, self.target_ns
                proven = max(proven, min(bounds.value_ns(denominator), self.target_ns))
                left = _better(bounds, self.target_ns, denominator)
            if not all(left.values()):
                return left, self.target_ns
            if count(left) == count(candidates):
                return left, proven
            candidates = left

    def _pairs(self, candidates: Mapping[int, set[int]]) -> int:
        sizes = (
            len(candidates[source]) * len(candidates[target])
            for source, target in map(self.network.ends, range(len(self.network.arrays.edges)))
        )
        return count(candidates) + sum(sizes)


def _better(bounds: Bounds, target_ns: int, denominator: int) -> Candidates:
    """Return the candidates whose bound, rounded up to whole ns, is below the target."""
    largest = (target_ns - 1) * denominator
    return {
        function: {node for node, cost in labels.items() if cost <= largest}
        for function, labels in bounds.given.items()
    }
