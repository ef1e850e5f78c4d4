"""A lower bound on the whole problem, alone and with one function held on a node.

Shared capacities are priced. With prices ``p >= 0`` by window, resource and node, every placement
that keeps the capacities C satisfies ``sum of p (load - C) <= 0``: adding this sum to its value
never raises it. A load is the sum of demands q, so ``p q`` is added to the cost of a function on a
priced node, and ``sum of p C`` is subtracted once. What is left couples no two workflows, and each
is bounded for itself (Lagrangian relaxation: Geoffrion, Math. Program. Study 2, 1974). This holds
for any prices, good or bad.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leotrek_opt.errors import InputError
from leotrek_opt.models.base import nearest_name
from leotrek_opt.models.certificate import PlacementCertificate
from leotrek_opt.solvers.certificate.messages import Domains, Messenger, Network
from leotrek_opt.solvers.certificate.routes import Labels
from leotrek_opt.solvers.certificate.workflows import (
    Tree,
    in_units,
    is_additive,
    members,
    path_minima,
    plus,
    tree_minima,
    trees_of,
)

if TYPE_CHECKING:
    from leotrek_opt.solvers.arrays.placement import PlacementArrays, WorkflowArrays


@dataclass(frozen=True)
class Prices:
    """What capacities cost, in units.

    Parameters
    ----------
    per_function
        By function and node: added to the cost of the function there.
    capacity
        ``sum of p C``, subtracted once.
    """

    per_function: tuple[Labels, ...]
    capacity: int


def can_be_priced(arrays: PlacementArrays) -> bool:
    """Tell whether the objective is a sum over workflows, each a sum over functions and edges."""
    is_sum = arrays.problem.objective.aggregate == "sum"
    return is_sum and all(is_additive(arrays, workflow) for workflow in arrays.workflows)


def no_prices(arrays: PlacementArrays) -> Prices:
    """Return prices of zero: capacities are ignored."""
    return Prices(tuple({} for _ in range(arrays.n_functions)), 0)


def read_prices(arrays: PlacementArrays, certificate: PlacementCertificate) -> Prices:
    """Return the prices of a certificate.

    Parameters
    ----------
    arrays
        The problem.
    certificate
        Its multipliers name windows by their first step, resources and nodes.

    Returns
    -------
    Prices
        In units of ``1 / denominator`` ns.

    Raises
    ------
    leotrek_opt.errors.InputError
        If a multiplier names what the problem does not have, or the problem takes no prices.
    """
    if certificate.multipliers and not can_be_priced(arrays):
        raise InputError(
            "must be empty: capacities can be priced only under a sum over functions and edges",
            field="multipliers",
        )
    capacities = arrays.capacities
    windows = {window.step: window for window in capacities.windows}
    resources = {name: row for row, name in enumerate(capacities.resources)}
    nodes = {name: node for node, name in enumerate(arrays.problem.continuum.nodes.id)}
    per_function: list[Labels] = [{} for _ in range(arrays.n_functions)]
    total = 0
    for index, multiplier in enumerate(certificate.multipliers):
        _check_names(f"multipliers[{index}]", multiplier.place, (windows, resources, nodes))
        window = windows[multiplier.step]
        resource, node = resources[multiplier.resource], nodes[multiplier.node]
        total += multiplier.price * int(window.capacity[resource, node])
        for function in window.active.nonzero()[0].tolist():
            if (function, resource, node) not in window.exempt:
                price = multiplier.price * int(capacities.demand[function, resource])
                known = per_function[function].get(node, 0)
                per_function[function][node] = known + price
    return Prices(tuple(per_function), total)


def _check_names(
    at: str, place: tuple[int, str, str], known: Sequence[Mapping[Any, object]]
) -> None:
    fields = ("step", "resource", "node")
    wording = ("no window of capacities begins at step", "no function needs resource", "no node")
    for field, words, name, names in zip(fields, wording, place, known, strict=True):
        if name not in names:
            hint = nearest_name(name, map(str, names)) if isinstance(name, str) else ""
            raise InputError(f"{words} {name}{hint}", field=f"{at}.{field}")


@dataclass(frozen=True)
class Bounds:
    """Lower bounds on a value, in units.

    Parameters
    ----------
    value
        Over all placements in the domains.
    given
        By function and node; a node without entry cannot be used.
    """

    value: int
    given: dict[int, Labels]

    def value_ns(self, denominator: int) -> int:
        """Return the value rounded up to whole ns: so is every objective, and none is negative."""
        return max(0, -(-self.value // denominator))


class Relaxation:
    """Computes bounds of a problem on any domains.

    Parameters
    ----------
    network
        The links, with the arrays.
    prices
        Of shared capacities; zero unless :func:`can_be_priced`.
    """

    def __init__(self, network: Network, prices: Prices) -> None:
        self.network = network
        self.arrays = network.arrays
        self.prices = prices
        self.is_sum = self.arrays.problem.objective.aggregate == "sum"
        self.trees: list[tuple[Tree, ...] | None] = [
            trees_of(network, workflow) if is_additive(self.arrays, workflow) else None
            for workflow in self.arrays.workflows
        ]

    def bounds(self, messenger: Messenger, domains: Domains) -> Bounds | None:
        """Return lower bounds over all placements in the domains.

        Parameters
        ----------
        messenger
            Computes messages between candidates.
        domains
            Candidates by function.

        Returns
        -------
        Bounds or None
            None if there is no placement.
        """
        parts: list[Bounds] = []
        for workflow, trees in zip(self.arrays.workflows, self.trees, strict=True):
            part = self._workflow(messenger, domains, workflow, trees)
            if part is None:
                return None
            parts.append(part)
        given: dict[int, Labels] = {}
        if self.is_sum:
            value = sum(part.value for part in parts) - self.prices.capacity
            for part in parts:
                given |= _raised(part.given, value - part.value)
        else:
            # The maximum is at least the value of every workflow, whatever the others do.
            value = max(part.value for part in parts)
            for part in parts:
                given |= _at_least(part.given, value)
        return Bounds(value, given)

    def _workflow(
        self,
        messenger: Messenger,
        domains: Domains,
        workflow: WorkflowArrays,
        trees: tuple[Tree, ...] | None,
    ) -> Bounds | None:
        """Bound one workflow, without the nodes that would break its response time."""
        slo = workflow.response_time_slo_ns
        if trees is not None and slo is None:
            return self._sum_of_trees(trees, messenger, domains)
        through = path_minima(self.network, workflow, domains, messenger.transfer)
        if slo is not None:
            latest = slo * self.network.denominator
            through = {
                function: {node: cost for node, cost in labels.items() if cost <= latest}
                for function, labels in through.items()
            }
        if trees is not None:
            return self._sum_of_trees(trees, messenger, through)
        if not all(through.values()):
            return None
        value = max(min(labels.values()) for labels in through.values())
        return Bounds(value, _at_least(through, value))

    def _sum_of_trees(
        self, trees: Sequence[Tree], messenger: Messenger, domains: Domains
    ) -> Bounds | None:
        """Bound a workflow: given ``x_i = n``, the trees without i keep their least value."""
        send = messenger.transfer if self.arrays.is_critical_path else messenger.latency
        functions = sorted({function for tree in trees for function in members(tree)})
        nothing = {function: dict.fromkeys(domains[function], 0) for function in functions}
        costs = {function: self._priced(function, domains[function]) for function in functions}
        value, above = 0, nothing
        for tree in trees:
            minima = tree_minima(tree, costs if tree.counts_functions else nothing, send)
            if not all(minima.values()):
                return None
            least = min(minima[tree.root].values())
            value += least
            above = above | {
                function: plus(above[function], excess)
                for function, excess in _raised(minima, -least).items()
            }
        return Bounds(value, _raised(above, value))

    def _priced(self, function: int, nodes: Collection[int]) -> Labels:
        prices = self.prices.per_function[function]
        costs = in_units(self.network, self.arrays.unary_ns[function], nodes)
        return {node: cost + prices.get(node, 0) for node, cost in costs.items()}


def _raised(labels: Mapping[int, Labels], by: int) -> dict[int, Labels]:
    return {
        function: {node: cost + by for node, cost in costs.items()}
        for function, costs in labels.items()
    }


def _at_least(labels: Mapping[int, Labels], floor: int) -> dict[int, Labels]:
    return {
        function: {node: max(cost, floor) for node, cost in costs.items()}
        for function, costs in labels.items()
    }
