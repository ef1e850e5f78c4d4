"""Lower bounds with min-marginals: what the optimum is at least, and given one placement.

Sum objectives on a tree are solved by two passes of messages (dynamic programming, belief
propagation in the min-sum algebra). For a critical path with joins, the latest forward arrival plus
the longest backward remainder bounds every placement from below, by induction over the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leotrek_opt.solvers.arrays.placement import PlacementArrays, WorkflowArrays
from leotrek_opt.solvers.exact.placement.domains import Domain
from leotrek_opt.solvers.exact.placement.forests import Tree, trees_of
from leotrek_opt.topology.routing import FloatArray


def is_additive(arrays: PlacementArrays, workflow: WorkflowArrays) -> bool:
    """Tell whether a workflow's value is a sum over its functions and edges.

    Parameters
    ----------
    arrays
        The problem.
    workflow
        One of its workflows.

    Returns
    -------
    bool
        True for latency sums, and for critical paths of plain chains without data sources.
    """
    if not arrays.is_critical_path:
        return True
    if arrays.problem.objective.data_sources:
        return False
    sources = [arrays.edges[edge].source for edge in workflow.edges]
    targets = [arrays.edges[edge].target for edge in workflow.edges]
    is_chain = len(set(sources)) == len(sources) and len(set(targets)) == len(targets)
    return is_chain and len(sources) == len(workflow.functions) - 1


@dataclass(frozen=True, eq=False)
class Bound:
    """A lower bound on the objective, and how it rises with single decisions.

    Parameters
    ----------
    value
        Of the whole problem; ``inf`` if nothing is left.
    per_workflow
        Lower bound of each workflow's (priced) value, shape (W,).
    given
        Per function: the bound of the whole problem if it sits on each of its candidates.
    """

    value: float
    per_workflow: FloatArray
    given: list[FloatArray]


class BoundCalculator:
    """Computes bounds on any domain; trees are found once.

    Parameters
    ----------
    arrays
        The problem.
    """

    def __init__(self, arrays: PlacementArrays) -> None:
        self.arrays = arrays
        self.trees: list[tuple[Tree, ...] | None] = [
            trees_of(arrays, workflow) if is_additive(arrays, workflow) else None
            for workflow in arrays.workflows
        ]

    @property
    def takes_prices(self) -> bool:
        """Whether capacities can be priced: all workflows additive, objective their sum."""
        is_sum = self.arrays.problem.objective.aggregate == "sum"
        return is_sum and all(trees is not None for trees in self.trees)

    def bound(
        self,
        domain: Domain,
        prices: FloatArray | None = None,
        constant: float = 0.0,
    ) -> Bound:
        """Return the bound of a domain.

        Parameters
        ----------
        domain
            Where functions may be.
        prices
            Addition to every unary cost, shape (F, N), or None.
        constant
            Added to the sum of the workflows' bounds (minus priced capacity).

        Returns
        -------
        Bound
            Exact in float64 as long as all values are multiples of a power of two that fit.
        """
        values: list[float] = []
        rises: dict[int, FloatArray] = {}
        for workflow, trees in zip(self.arrays.workflows, self.trees, strict=True):
            if trees is None:
                value, given = _critical_path(domain, workflow)
            else:
                value, given = _sum_of_trees(domain, workflow, trees, prices)
            values.append(value)
            rises |= given
        return self._combine(np.array(values), rises, constant)

    def _combine(self, values: FloatArray, given: dict[int, FloatArray], constant: float) -> Bound:
        owner = self.arrays.workflow_of
        ordered = [given[function] for function in range(self.arrays.n_functions)]
        if self.arrays.problem.objective.aggregate == "max":
            total = float(values.max())
            whole = [np.maximum(total, vector) for vector in ordered]
            return Bound(total, values, whole)
        total = float(values.sum()) + constant
        if not np.isfinite(total):
            return Bound(total, values, [np.full_like(vector, np.inf) for vector in ordered])
        whole = [
            vector + (total - values[owner[function]]) for function, vector in enumerate(ordered)
        ]
        return Bound(total, values, whole)


def _sum_of_trees(
    domain: Domain,
    workflow: WorkflowArrays,
    trees: Sequence[Tree],
    prices: FloatArray | None,
) -> tuple[float, dict[int, FloatArray]]:
    total = 0.0
    rise: dict[int, FloatArray] = {}
    for tree in trees:
        unary = {
            function: domain.masked(function, _unary(domain.arrays, tree, function, prices))
            for function in tree.functions
        }
        marginals = tree_marginals(domain, tree, unary)
        optimum = float(marginals[tree.root].min(initial=np.inf))
        total += optimum
        for function, marginal in marginals.items():
            # On an empty domain inf - inf would be NaN; nothing may sit there anyway.
            above = marginal - optimum if np.isfinite(optimum) else np.full_like(marginal, np.inf)
            rise[function] = rise.get(function, 0.0) + above
    if not np.isfinite(total):
        return np.inf, {f: np.full_like(rise[f], np.inf) for f in workflow.functions}
    return total, {function: total + rise[function] for function in workflow.functions}


def _unary(
    arrays: PlacementArrays, tree: Tree, function: int, prices: FloatArray | None
) -> FloatArray:
    if function not in tree.weighted:
        return np.zeros(arrays.n_nodes)
    unary: FloatArray = arrays.unary_ns[function]
    if prices is None:
        return unary
    priced: FloatArray = unary + prices[function]
    return priced


def tree_marginals(
    domain: Domain, tree: Tree, unary: dict[int, FloatArray]
) -> dict[int, FloatArray]:
    """Return the optimum of a tree given each candidate of each function.

    Parameters
    ----------
    domain
        Gives the messages.
    tree
        Part of a workflow.
    unary
        Cost of each candidate, ``inf`` where it is out, by function.

    Returns
    -------
    dict of ndarray
        Min-marginals by function; the least entry of each is the optimum of the tree.
    """
    arrays = domain.arrays
    children: dict[int, list[int]] = {function: [] for function in tree.functions}
    upward: dict[int, FloatArray] = {}
    below = dict(unary)
    for branch in reversed(tree.branches):
        forward = arrays.edges[branch.edge].source == branch.child
        upward[branch.child] = domain.cost_message(
            branch.edge, below[branch.child], forward=forward
        )
        children[branch.parent].append(branch.child)
        below[branch.parent] = below[branch.parent] + upward[branch.child]
    above = {tree.root: np.zeros_like(unary[tree.root])}
    for branch in tree.branches:
        siblings = (upward[child] for child in children[branch.parent] if child != branch.child)
        rest = unary[branch.parent] + above[branch.parent] + sum(siblings)
        forward = arrays.edges[branch.edge].source == branch.parent
        above[branch.child] = domain.cost_message(branch.edge, rest, forward=forward)
    return {function: below[function] + above[function] for function in tree.functions}


def _critical_path(domain: Domain, workflow: WorkflowArrays) -> tuple[float, dict[int, FloatArray]]:
    through = path_through(domain, workflow)
    value = max(float(through[f].min(initial=np.inf)) for f in workflow.functions)
    return value, {f: np.maximum(vector, value) for f, vector in through.items()}


def path_through(domain: Domain, workflow: WorkflowArrays) -> dict[int, FloatArray]:
    """Return a lower bound of the response time given each candidate of each function.

    With F_j(m) = exec_j(m) + max(ready_j(m), max_i min_n F_i(n) + d(n, m)) and
    B_i(n) = max_j min_m d(n, m) + exec_j(m) + B_j(m), F_i(n) + B_i(n) is at most the response time
    of every placement with i on n: by induction F is at most the finish time, and B at most the
    time from there to the end, since each takes the best choice for every other function.

    Parameters
    ----------
    domain
        Gives the messages.
    workflow
        Any directed acyclic graph.

    Returns
    -------
    dict of ndarray
        By function, per candidate; ns.
    """
    arrays = domain.arrays
    incoming: dict[int, list[int]] = {function: [] for function in workflow.functions}
    outgoing: dict[int, list[int]] = {function: [] for function in workflow.functions}
    for edge in workflow.edges:
        incoming[arrays.edges[edge].target].append(edge)
        outgoing[arrays.edges[edge].source].append(edge)
    execution = {f: domain.masked(f, arrays.execution_ns[f]) for f in workflow.functions}
    finish: dict[int, FloatArray] = {}
    for function in workflow.functions:
        start = domain.masked(function, arrays.source_ready_ns[function])
        for edge in incoming[function]:
            arrival = domain.transfer_message(edge, finish[arrays.edges[edge].source], forward=True)
            start = np.maximum(start, arrival)
        finish[function] = start + execution[function]
    remainder: dict[int, FloatArray] = {}
    for function in reversed(workflow.functions):
        rest = np.zeros_like(execution[function])
        for edge in outgoing[function]:
            target = arrays.edges[edge].target
            rest = np.maximum(
                rest,
                domain.transfer_message(edge, execution[target] + remainder[target], forward=False),
            )
        remainder[function] = rest
    return {f: finish[f] + remainder[f] for f in workflow.functions}
