"""Prices on shared capacities: the Lagrangian bound, by a subgradient method.

With a price p >= 0 per unit of every capacity C, the workflows part, and
L(p) = sum over workflows of (optimum with priced demands) - sum p C is a lower bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leotrek_opt.models.base import EXACT_LIMIT
from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.exact.placement.bounds import Bound, BoundCalculator
from leotrek_opt.solvers.exact.placement.domains import DenseDomain, IntArray
from leotrek_opt.solvers.exact.placement.insertion import best_of_tree
from leotrek_opt.solvers.exact.placement.search import Search
from leotrek_opt.solvers.method import Budget
from leotrek_opt.topology.routing import FloatArray


@dataclass(frozen=True, eq=False)
class Prices:
    """Prices of capacities, as whole multiples of ``1 / denominator`` ns per unit.

    Parameters
    ----------
    per_window
        One array of shape (R, N) per capacity window.
    denominator
        A power of two.
    """

    per_window: tuple[FloatArray, ...]
    denominator: int

    def unary(self, arrays: PlacementArrays) -> FloatArray:
        """Return what each function pays on each node, shape (F, N)."""
        paid = np.zeros((arrays.n_functions, arrays.n_nodes))
        demand = arrays.capacities.demand
        for window, price in zip(arrays.capacities.windows, self.per_window, strict=True):
            paid[window.active] += demand[window.active].astype(np.float64) @ price
            for function, resource, node in window.exempt:
                if window.active[function]:
                    paid[function, node] -= demand[function, resource] * price[resource, node]
        return paid

    def constant(self, arrays: PlacementArrays) -> float:
        """Return minus the value of all capacities at these prices."""
        windows = arrays.capacities.windows
        return -float(
            sum(
                (window.capacity * price).sum()
                for window, price in zip(windows, self.per_window, strict=True)
            )
        )


def no_prices(arrays: PlacementArrays, horizon_ns: float) -> Prices:
    """Return prices of zero with the finest denominator that keeps float64 exact.

    Parameters
    ----------
    arrays
        The problem.
    horizon_ns
        No objective, bound or priced sum is to exceed this.

    Returns
    -------
    Prices
        All zero.
    """
    denominator = 1
    while denominator < 2**20 and denominator * 4 * max(horizon_ns, 1.0) < EXACT_LIMIT:
        denominator *= 2
    shape = (len(arrays.capacities.resources), arrays.n_nodes)
    return Prices(tuple(np.zeros(shape) for _ in arrays.capacities.windows), denominator)


def find_prices(
    calculator: BoundCalculator,
    domain: DenseDomain,
    search: Search,
    budget: Budget,
    iterations: int = 100,
) -> tuple[Prices, Bound]:
    """Raise the Lagrangian bound by Polyak steps towards the best known objective.

    Every tenth step workflows are inserted at the current prices, which often improves the best
    placement.

    Parameters
    ----------
    calculator
        Must take prices.
    domain
        Candidates left.
    search
        Holds the best placement, its objective is the target.
    budget
        Time and cancellation.
    iterations
        Number of steps.

    Returns
    -------
    prices, bound
        The best prices found and their bound.
    """
    arrays = calculator.arrays
    assert search.best_ns is not None
    prices = best_prices = no_prices(arrays, 8.0 * search.best_ns)
    bound = best = calculator.bound(domain)
    theta, stalled = 1.0, 0
    for iteration in range(iterations):
        if budget.spent or best.value > search.best_ns - 1:
            break
        usage = _usage(calculator, domain, prices)
        if usage is None:
            break
        gradient = [
            np.where((price == 0) & (load < window.capacity), 0.0, load - window.capacity)
            for window, price, load in zip(
                arrays.capacities.windows, prices.per_window, usage, strict=True
            )
        ]
        norm = sum(float((part**2).sum()) for part in gradient)
        if norm == 0:
            break
        step = theta * max(search.best_ns - bound.value, 1.0) / norm
        prices = Prices(
            tuple(
                _rounded(np.maximum(0.0, price + step * part), prices.denominator)
                for price, part in zip(prices.per_window, gradient, strict=True)
            ),
            prices.denominator,
        )
        paid = prices.unary(arrays)
        bound = calculator.bound(domain, paid, prices.constant(arrays))
        if bound.value > best.value:
            best, best_prices, stalled = bound, prices, 0
        else:
            stalled += 1
        if stalled >= 5:
            theta, stalled, prices, bound = theta * 0.6, 0, best_prices, best
        if iteration % 10 == 0:
            search.construct(domain, np.arange(len(arrays.workflows)), paid)
    return best_prices, best


def _rounded(values: FloatArray, denominator: int) -> FloatArray:
    return np.rint(values * denominator) / denominator


def _usage(
    calculator: BoundCalculator, domain: DenseDomain, prices: Prices
) -> list[IntArray] | None:
    arrays = calculator.arrays
    paid = prices.unary(arrays)
    assignment = np.full(arrays.n_functions, -1, dtype=np.int64)
    for trees in calculator.trees:
        for tree in trees or ():
            unary = {}
            for function in tree.functions:
                nodes = domain.nodes(function)
                cost = (arrays.unary_ns[function] + paid[function])[nodes]
                unary[function] = cost if function in tree.weighted else np.zeros(len(nodes))
            best = best_of_tree(domain, tree, unary)
            if best is None:
                return None
            for function in tree.weighted:
                assignment[function] = domain.nodes(function)[best[1][function]]
    return [
        arrays.capacities.loads(window, assignment)
        for window in range(len(arrays.capacities.windows))
    ]
