"""Good placements fast: workflows inserted one by one, then taken out and put back in."""

from __future__ import annotations

import numpy as np

from leotrek_opt.solvers.arrays.placement.objective import is_feasible, objective_ns
from leotrek_opt.solvers.exact.placement.bounds import BoundCalculator
from leotrek_opt.solvers.exact.placement.domains import DenseDomain, IntArray
from leotrek_opt.solvers.exact.placement.insertion import Inserter, Room
from leotrek_opt.solvers.method import Budget
from leotrek_opt.topology.routing import FloatArray


class Search:
    """Keeps the best placement found on any candidates.

    Parameters
    ----------
    calculator
        Knows the problem and its trees.
    seed
        Of the random orders.
    """

    def __init__(self, calculator: BoundCalculator, seed: int) -> None:
        self.calculator = calculator
        self.arrays = calculator.arrays
        self.random = np.random.default_rng(seed)
        self.best: IntArray | None = None
        self.best_ns: int | None = None

    def offer(self, assignment: IntArray) -> bool:
        """Keep a placement if it is feasible and better than the best.

        Parameters
        ----------
        assignment
            Node by function, shape (F,).

        Returns
        -------
        bool
            Whether it is the new best.
        """
        if (assignment < 0).any() or not is_feasible(self.arrays, assignment):
            return False
        value = objective_ns(self.arrays, assignment)
        if value is None or (self.best_ns is not None and value >= self.best_ns):
            return False
        self.best, self.best_ns = assignment.copy(), value
        return True

    def construct(
        self,
        domain: DenseDomain,
        order: IntArray,
        prices: FloatArray | None = None,
        budget: Budget | None = None,
    ) -> bool:
        """Insert all workflows in an order and offer the result.

        Parameters
        ----------
        domain
            Candidates.
        order
            Workflow indices.
        prices
            Addition to unary costs, shape (F, N), or None.
        budget
            Time and cancellation, looked at before each workflow; None for no limit.

        Returns
        -------
        bool
            Whether it is the new best.
        """
        room = Room(self.arrays)
        inserter = Inserter(self.calculator, domain)
        assignment = np.full(self.arrays.n_functions, -1, dtype=np.int64)
        for workflow in order.tolist():
            if budget is not None and budget.spent:
                return False
            if not self._insert(inserter, workflow, room, assignment, prices):
                return False
        return self.offer(assignment)

    def construct_in_several_orders(
        self, domain: DenseDomain, budget: Budget, tries: int = 8
    ) -> None:
        """Insert the workflows as listed, and in random orders until it succeeds or tries end.

        Parameters
        ----------
        domain
            Candidates.
        budget
            Time and cancellation.
        tries
            Number of random orders.
        """
        order = np.arange(len(self.arrays.workflows))
        self.construct(domain, order, budget=budget)
        for _ in range(tries if len(order) > 1 else 0):
            if budget.spent:
                return
            self.construct(domain, self.random.permutation(order), budget=budget)

    def improve(
        self, domain: DenseDomain, budget: Budget, *, patience: int, enough_ns: float
    ) -> None:
        """Take out a few workflows and insert them again, keeping what is better.

        Parameters
        ----------
        domain
            Candidates; the best placement may use other nodes too.
        budget
            Time and cancellation.
        patience
            Tries without improvement after which to stop.
        enough_ns
            A lower bound: nothing better exists.
        """
        count = len(self.arrays.workflows)
        inserter = Inserter(self.calculator, domain)
        failures = 0
        while (
            self.best is not None
            and self.best_ns is not None
            and self.best_ns > enough_ns
            and failures < patience
            and not budget.spent
        ):
            size = min(count, int(self.random.integers(1, 5)))
            out = self.random.permutation(count)[:size]
            failures = 0 if self._reinsert(inserter, out, self.best) else failures + 1

    def _reinsert(self, inserter: Inserter, out: IntArray, base: IntArray) -> bool:
        room = Room(self.arrays)
        assignment = base.copy()
        taken = np.isin(self.arrays.workflow_of, out)
        stays = [f for f in np.flatnonzero(~taken).tolist() if f not in room.fixed]
        room.place(stays, assignment[stays].tolist())
        for workflow in out.tolist():
            if not self._insert(inserter, workflow, room, assignment, None):
                return False
        return self.offer(assignment)

    def _insert(
        self,
        inserter: Inserter,
        workflow: int,
        room: Room,
        assignment: IntArray,
        prices: FloatArray | None,
    ) -> bool:
        choice = inserter.insert(workflow, room, prices)
        if choice is None:
            return False
        for function, position in choice.items():
            assignment[function] = inserter.domain.nodes(function)[position]
        moved = [function for function in choice if function not in room.fixed]
        room.place(moved, assignment[moved].tolist())
        return True
