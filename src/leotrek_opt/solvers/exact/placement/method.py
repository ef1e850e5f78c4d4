"""The exact method for placement: dynamic programming, pruning, prices, a small MILP at the end.

Every stage either proves the best placement optimal or hands fewer candidates to the next one. A
candidate is deleted when its bound shows that nothing better than the best placement uses it; when
a function has none left, the best placement is optimal. The certificate holds the prices; whether
it carries the claim without a solver is for the checker to find out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from leotrek_opt.errors import ModelTooLargeError
from leotrek_opt.models.canonical import digest
from leotrek_opt.models.certificate import Multiplier, PlacementCertificate
from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.exact.placement.bounds import Bound, BoundCalculator
from leotrek_opt.solvers.exact.placement.domains import DenseDomain, SparseDomain
from leotrek_opt.solvers.exact.placement.milp import SHARED_CAPACITY, solve_survivors
from leotrek_opt.solvers.exact.placement.prices import Prices, find_prices
from leotrek_opt.solvers.exact.placement.propagation import propagate
from leotrek_opt.solvers.exact.placement.search import Search
from leotrek_opt.solvers.exact.placement.start import CANDIDATES_PER_FUNCTION, best_candidates
from leotrek_opt.solvers.method import Answer, Request, Stage
from leotrek_opt.solvers.status import Proof, Status

MAX_DENSE_PAIRS = 20_000
FEW_PAIRS = 500
"""Up to this many survivors the MILP is faster than any search for a better placement."""
LOCAL_SEARCH_SHARE = 0.3
LOCAL_SEARCH_PATIENCE = 200
PRICE_ITERATIONS = 100


class ExactPlacement:
    """State of one exact solve; each stage is a method that tells whether the proof is complete.

    Parameters
    ----------
    arrays
        The problem.
    request
        Limits, seed and callbacks.
    """

    def __init__(self, arrays: PlacementArrays, request: Request) -> None:
        self.arrays = arrays
        self.request = request
        self.calculator = BoundCalculator(arrays)
        self.search = Search(self.calculator, request.seed)
        self.stages: list[Stage] = []
        self.bound_ns = 0
        self.dense: DenseDomain | None = None
        self.prices: Prices | None = None
        self.solver = "dp"
        self.explanation: tuple[str, ...] = ()
        self.is_exhausted = False

    def run(self) -> Answer:
        """Run stage after stage until the proof is complete or the budget is spent."""
        answer = self.run_dynamic_program()
        if answer.status is Status.INFEASIBLE or self._good_enough:
            return answer
        if not (self._price() or self._improve()):
            self._finish_by_milp()
        return self._answer()

    def run_dynamic_program(self) -> Answer:
        """Bound, place and prune by dynamic programming only."""
        with self._stage("propagation") as facts:
            propagation = propagate(self.arrays)
            facts["pairs"] = int(propagation.allowed.sum())
        if propagation.explanation:
            return self._infeasible(propagation.explanation)
        sparse = SparseDomain(self.arrays, propagation.allowed)
        with self._stage("dynamic programming") as facts:
            bound = self.calculator.bound(sparse)
            if np.isfinite(bound.value):
                facts["bound_ns"] = bound.value
        if not np.isfinite(bound.value):
            return self._infeasible(
                ("no placement exists even if every workflow had all nodes to itself",)
            )
        self._raise_bound(bound.value)
        self._first_placements(bound)
        if not self._good_enough and not self._prune_sparse(bound):
            self._refine()
        return self._answer()

    @property
    def _proven(self) -> bool:
        best = self.search.best_ns
        return best is not None and self.bound_ns >= best

    @property
    def _good_enough(self) -> bool:
        best = self.search.best_ns
        return best is not None and self.request.is_close(best, self.bound_ns)

    @contextmanager
    def _stage(self, name: str) -> Iterator[dict[str, float | int | str]]:
        facts: dict[str, float | int | str] = {}
        started = time.monotonic()
        yield facts
        self.stages.append(Stage(name, time.monotonic() - started, facts))
        self.request.tracker.report(
            objective=self.search.best_ns,
            bound=self.bound_ns,
            message=name,
            assignment=self.search.best,
        )

    def _raise_bound(self, value: float) -> None:
        if np.isfinite(value):
            self.bound_ns = max(self.bound_ns, math.ceil(value))

    def _first_placements(self, bound: Bound) -> None:
        """Insert workflows on the candidates of least bound, on more while nothing is found."""
        with self._stage("insertion") as facts:
            if self.request.warm_start is not None:
                self.search.offer(self.request.warm_start)
            for size in CANDIDATES_PER_FUNCTION:
                if self._proven or self.request.budget.spent:
                    break
                candidates = [best_candidates(given, size) for given in bound.given]
                self.dense = DenseDomain(self.arrays, candidates)
                self.search.construct_in_several_orders(self.dense, self.request.budget)
                if self.search.best is not None and size > CANDIDATES_PER_FUNCTION[0]:
                    break
            facts["objective_ns"] = -1 if self.search.best_ns is None else self.search.best_ns

    def _prune_sparse(self, bound: Bound) -> bool:
        """Delete candidates over all nodes; keep the survivors as a dense domain."""
        with self._stage("pruning") as facts:
            target = math.inf if self.search.best_ns is None else self.search.best_ns - 1
            survivors = [
                np.flatnonzero(np.isfinite(given) & (given <= target)) for given in bound.given
            ]
            facts["pairs"] = sum(len(nodes) for nodes in survivors)
            if min(len(nodes) for nodes in survivors) == 0:
                self._close()
            self.dense = DenseDomain(self.arrays, survivors)
        return self._good_enough

    def _refine(self) -> bool:
        """Bound and prune on the survivors with exact pair costs until nothing changes."""
        if self.dense is None or self.dense.n_pairs > MAX_DENSE_PAIRS:
            return False
        with self._stage("dense dynamic programming") as facts:
            while not self._proven and not self.request.budget.spent:
                before = self.dense.n_pairs
                self._prune_dense(self.calculator.bound(self.dense))
                if self.dense.n_pairs == before:
                    break
            facts["pairs"] = self.dense.n_pairs
            if not self._proven and self.search.best is None:
                self.search.construct_in_several_orders(self.dense, self.request.budget, 32)
        return self._good_enough

    def _prune_dense(self, bound: Bound) -> None:
        assert self.dense is not None
        best = self.search.best_ns
        if best is not None:
            self._raise_bound(min(bound.value, best))
        target = math.inf if best is None else best - 1
        keep = [np.isfinite(given) & (given <= target) for given in bound.given]
        if not all(mask.any() for mask in keep):
            self._close()
            return
        self.dense = self.dense.restricted(keep)

    def _close(self) -> None:
        if self.search.best_ns is not None:
            self.bound_ns = self.search.best_ns

    def _improve(self) -> bool:
        """Search around the best placement on the survivors, then prune with what was found."""
        if self.search.best is None or self.dense is None:
            return False
        if not FEW_PAIRS < self.dense.n_pairs <= MAX_DENSE_PAIRS:
            return False
        with self._stage("local search") as facts:
            remaining = self.request.budget.remaining_s
            share = math.inf if remaining is None else LOCAL_SEARCH_SHARE * remaining
            self.search.improve(
                self.dense,
                self.request.budget.part(share),
                patience=LOCAL_SEARCH_PATIENCE,
                enough_ns=self.bound_ns,
            )
            facts["objective_ns"] = self.search.best_ns or -1
        return self._good_enough or self._refine()

    def _price(self) -> bool:
        if self.search.best is None or self.dense is None or not self.calculator.takes_prices:
            return False
        if self.dense.n_pairs > MAX_DENSE_PAIRS:
            return False
        with self._stage("prices") as facts:
            self.prices, bound = find_prices(
                self.calculator,
                self.dense,
                self.search,
                self.request.budget,
                PRICE_ITERATIONS,
            )
            if np.isfinite(bound.value):
                facts["bound_ns"] = bound.value
            self._prune_dense(bound)
            facts["pairs"] = self.dense.n_pairs
        return self._good_enough

    def _finish_by_milp(self) -> None:
        if self.dense is None or self.request.budget.spent:
            return
        with self._stage("milp on the survivors") as facts:
            try:
                outcome = solve_survivors(
                    self.arrays, self.request, self.dense.candidates, self.search.best_ns
                )
            except ModelTooLargeError as error:
                facts["refused"] = str(error)
                self.explanation = (str(error),)
                return
            facts["nonzeros"] = outcome.n_nonzeros
            self.solver = f"dp+milp:{outcome.engine}"
            if outcome.assignment is not None:
                self.search.offer(outcome.assignment)
            if outcome.is_exhausted and self.search.best is None:
                self.is_exhausted = True
                return
            bound = self.search.best_ns if outcome.is_exhausted else outcome.bound_ns
            if bound is not None:
                self.bound_ns = max(self.bound_ns, bound)

    def _answer(self) -> Answer:
        if self.is_exhausted:
            return self._infeasible((SHARED_CAPACITY,))
        best = self.search.best_ns
        if best is not None:
            self.bound_ns = min(self.bound_ns, best)
        status = Status.NO_SOLUTION if best is None else Status.FEASIBLE
        if self._proven:
            status = Status.OPTIMAL
        elif self.request.budget.cancelled:
            status = Status.INTERRUPTED
        return Answer(
            status,
            assignment=self.search.best,
            bound=self.bound_ns,
            proof=Proof.CLAIMED,
            certificate=self._certificate(),
            explanation=self.explanation,
            stages=tuple(self.stages),
            solver=self.solver,
        )

    def _infeasible(self, explanation: tuple[str, ...]) -> Answer:
        return Answer(
            Status.INFEASIBLE,
            proof=Proof.CLAIMED,
            certificate=PlacementCertificate(
                problem_digest=digest(self.arrays.problem),
                denominator=1,
                multipliers=(),
                bound_ns=None,
            ),
            explanation=explanation,
            stages=tuple(self.stages),
            solver=self.solver,
        )

    def _certificate(self) -> PlacementCertificate:
        return PlacementCertificate(
            problem_digest=digest(self.arrays.problem),
            denominator=1 if self.prices is None else self.prices.denominator,
            multipliers=() if self.prices is None else _multipliers(self.arrays, self.prices),
            bound_ns=self.bound_ns,
            target_ns=self.search.best_ns,
        )


def solve_exact(arrays: PlacementArrays, request: Request) -> Answer:
    """Solve a placement problem to proven optimality, or as far as the budget reaches.

    Parameters
    ----------
    arrays
        The problem.
    request
        Limits, seed and callbacks.

    Returns
    -------
    Answer
        Best placement and a valid bound.
    """
    return ExactPlacement(arrays, request).run()


def solve_dp(arrays: PlacementArrays, request: Request) -> Answer:
    """Run the dynamic program alone: its bound, and its placement where capacities do not bind.

    Parameters
    ----------
    arrays
        The problem.
    request
        Limits, seed and callbacks.

    Returns
    -------
    Answer
        Optimal if the bound is met, else the best placement from insertion with a valid bound.
    """
    return ExactPlacement(arrays, request).run_dynamic_program()


def _multipliers(arrays: PlacementArrays, prices: Prices) -> tuple[Multiplier, ...]:
    found = []
    ids = arrays.problem.continuum.nodes.id
    for window, price in zip(arrays.capacities.windows, prices.per_window, strict=True):
        for resource, node in np.argwhere(price > 0):
            found.append(
                Multiplier(
                    step=window.step,
                    resource=arrays.capacities.resources[resource],
                    node=ids[node],
                    price=int(price[resource, node] * prices.denominator),
                )
            )
    return tuple(sorted(found, key=lambda item: (item.step, item.resource, item.node)))
