"""By how much rules have to be relaxed, in whole units, ns or bit/s, and not one less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.base import quantum_bps
from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.arrays.placement.capacity import ACCELERATOR_PREFIX
from leotrek_opt.solvers.arrays.placement.objective import response_ns
from leotrek_opt.solvers.explain.conflict import Verdict
from leotrek_opt.solvers.explain.placement.book import RuleBook
from leotrek_opt.solvers.explain.placement.oracle import Decision, PlacementOracle, decide
from leotrek_opt.solvers.explain.placement.rules import AMOUNTS, Rule

IntArray = NDArray[np.int64]

MAX_FLOORS = 64
"""Lower bandwidths that are tried one by one where a lower one may be worse."""


@dataclass(frozen=True)
class Change:
    """One rule relaxed.

    Parameters
    ----------
    rule
        Its number.
    amount
        By how much its value rises (a bandwidth floor falls); None if the rule goes.
    is_least
        Whether any less is shown not to be enough, given the changes before this one.
    """

    rule: int
    amount: int | None
    is_least: bool


@dataclass(frozen=True, eq=False)
class Relaxed:
    """Rules relaxed together, and a placement that keeps everything else.

    Parameters
    ----------
    changes
        In the order in which their amounts were made as small as possible.
    assignment
        Node by function.
    """

    changes: tuple[Change, ...]
    assignment: IntArray


class Amounts:
    """Finds amounts by asking for placements, and by what the placements found would need.

    Parameters
    ----------
    oracle
        Decides; keeps the budget.
    """

    def __init__(self, oracle: PlacementOracle) -> None:
        self.oracle = oracle
        self.book: RuleBook = oracle.book
        self.all = frozenset(range(len(self.book)))
        self.checks = 0

    def relaxed(self, rules: frozenset[int]) -> Relaxed | None:
        """Relax some rules as little as possible, one after the other in the order of the problem.

        Parameters
        ----------
        rules
            Numbers of the rules to be relaxed.

        Returns
        -------
        Relaxed or None
            None if no placement keeps all others, or none was found before the budget was spent.
        """
        raised: dict[Rule, int] = {}
        arrays, found = self._decide(self.all - rules, raised)
        if found.assignment is None:
            return None
        changes: list[Change] = []
        given_up = set(rules)
        best = found.assignment
        for number in sorted(rules, key=lambda each: self.book.rules[each].kind in AMOUNTS):
            rule = self.book.rules[number]
            if rule.kind not in AMOUNTS:
                changes.append(Change(number, None, True))
                continue
            kept = self.all - given_up
            if rule.kind == "min_bandwidth":
                change, best = self._least_floor(number, kept, raised, best)
            else:
                change, best = self._least(number, kept, raised, (arrays, best))
            changes.append(change)
            given_up.discard(number)
            if change.amount:
                raised[rule] = change.amount
            arrays = self.oracle.arrays(self.all - given_up, raised)
        return Relaxed(tuple(changes), best)

    def known(self, number: int) -> float:
        """Return what share more a rule would need for a placement that is known to break only it.

        Parameters
        ----------
        number
            Of the rule.

        Returns
        -------
        float
            ``inf`` if no such placement is known, or the rule has no amount.
        """
        assignment = self.oracle.placements.get(frozenset({number}))
        rule = self.book.rules[number]
        if assignment is None or rule.kind not in AMOUNTS or rule.kind == "min_bandwidth":
            return float("inf")
        needed = self._needs(self.book.arrays, assignment, rule)
        return needed / rule.value if rule.value else float("inf")

    def _least(
        self,
        number: int,
        kept: frozenset[int],
        raised: Mapping[Rule, int],
        start: tuple[PlacementArrays, IntArray],
    ) -> tuple[Change, IntArray]:
        """Close in on the least amount from a placement that needs some.

        What a placement needs is an upper limit. First it is asked whether one less would do,
        because a placement of low latency is often best here too; if so, half of what is left.
        """
        rule = self.book.rules[number]
        best = start[1]
        enough = self._needs(start[0], best, rule)
        too_little = -1
        asks_for_less = True
        while enough - too_little > 1:
            tried = enough - 1 if asks_for_less else (too_little + enough) // 2
            level = {**raised, rule: tried}
            arrays, found = self._decide(kept | {number}, level)
            if found.verdict is Verdict.UNKNOWN:
                return Change(number, enough, False), best
            if found.assignment is None:
                too_little = tried
            else:
                best = found.assignment
                enough = min(tried, self._needs(arrays, best, rule))
            asks_for_less = not asks_for_less
        return Change(number, enough, True), best

    def _least_floor(
        self,
        number: int,
        kept: frozenset[int],
        raised: Mapping[Rule, int],
        start: IntArray,
    ) -> tuple[Change, IntArray]:
        """Try the bandwidths that links have, from the floor downwards."""
        rule, best = self.book.rules[number], start
        widths = self._lower_bandwidths(rule)
        low, high = 0, len(widths) - 1
        step_by_step = not self.book.is_monotone and len(widths) <= MAX_FLOORS
        while low < high:
            middle = low if step_by_step else (low + high) // 2
            level = {**raised, rule: self.book.value(number) - widths[middle]}
            _, found = self._decide(kept | {number}, level)
            if found.verdict is Verdict.UNKNOWN:
                return Change(number, self.book.value(number) - widths[high], False), best
            if found.assignment is None:
                low = middle + 1
            else:
                high, best = middle, found.assignment
        is_least = self.book.is_monotone or step_by_step
        return Change(number, self.book.value(number) - widths[high], is_least), best

    def _lower_bandwidths(self, rule: Rule) -> list[int]:
        """Return the bandwidths of links below a floor, the largest first."""
        item = self.book.link(rule)
        assert item.min_bandwidth_mbps is not None
        floor = quantum_bps(item.min_bandwidth_mbps)
        bandwidth = self.book.series.snapshot(self.book.step(rule)).bandwidth_bps
        assert bandwidth is not None
        below = np.unique(bandwidth[bandwidth < floor]).tolist()
        return [int(width) for width in reversed(below)]

    def _decide(
        self, kept: frozenset[int], raised: Mapping[Rule, int]
    ) -> tuple[PlacementArrays, Decision]:
        self.checks += 1
        arrays = self.oracle.arrays(kept, raised)
        if self.oracle.budget.spent:
            return arrays, Decision(Verdict.UNKNOWN)
        series, seed = self.book.series, self.oracle.seed
        return arrays, decide(arrays, series, self.oracle.budget, seed)

    def _needs(self, arrays: PlacementArrays, assignment: IntArray, rule: Rule) -> int:
        """Return by how much a rule would have to be raised for a placement."""
        if rule.node is not None:
            return self._overload(assignment, rule)
        assert rule.value is not None
        if rule.workflow is not None:
            found = response_ns(arrays, arrays.workflows[rule.workflow], assignment)
        elif rule.edge is not None:
            edge = arrays.edges[rule.edge]
            row = edge.link.latency_rows([int(assignment[edge.source])])[0]
            found = float(row[assignment[edge.target]])
        else:
            assert rule.function is not None
            assert rule.source is not None
            function = arrays.functions[rule.function][1]
            source = function.data_sources[rule.source]
            link = arrays.costs.of(source, function.step)
            row = link.latency_rows([self.book.node_index[source.node]])[0]
            found = float(row[assignment[rule.function]])
        return max(0, int(found) - rule.value)

    def _overload(self, assignment: IntArray, rule: Rule) -> int:
        capacities = self.book.arrays.capacities
        prefix = ACCELERATOR_PREFIX if rule.kind == "accelerator" else ""
        row = capacities.resources.index(f"{prefix}{rule.resource}")
        most = 0
        for index, window in enumerate(capacities.windows):
            load = int(capacities.loads(index, assignment)[row, rule.node])
            most = max(most, load - int(window.capacity[row, rule.node]))
        return most
