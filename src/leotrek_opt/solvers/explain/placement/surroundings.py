"""From one placement to many that break few rules.

A placement that breaks few rules is worth a lot: it shows at once which sets of rules are no
conflict. So whenever one is found, functions are moved one at a time while fewer rules break, and
neighbours that break no more are looked at too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from itertools import islice

import numpy as np

from leotrek_opt.solvers.explain.placement.book import RuleBook
from leotrek_opt.solvers.explain.placement.breaches import Breaches, IntArray, Mask
from leotrek_opt.solvers.explain.placement.edits import edited
from leotrek_opt.solvers.explain.placement.rules import Rule
from leotrek_opt.solvers.explain.placement.state import State
from leotrek_opt.solvers.method import Budget

MAX_LOOKED_AROUND = 12
"""Placements whose neighbours are looked at, for each one that is given."""
MAX_NEIGHBOURS = 2_000
"""Neighbours that are taken down, for each placement looked at."""
MAX_PASSES = 10
"""How often all functions are moved in turn."""
MAX_GIVEN_UP = 8
"""Rules that change what others count are kept one by one if there are no more than so many."""

Found = dict[frozenset[int], IntArray]
"""Numbers of broken rules, and a placement that breaks them."""


class Surroundings:
    """Looks around placements.

    Parameters
    ----------
    book
        The rules.
    budget
        Time and cancellation.
    """

    def __init__(self, book: RuleBook, budget: Budget) -> None:
        self.book = book
        self.breaches = Breaches(book)
        self.budget = budget
        self._gathered: set[bytes] = set()

    def corrections(
        self, assignment: IntArray, kept: frozenset[int], focus: frozenset[int]
    ) -> Found:
        """Return what a placement breaks, and what others around it break.

        Parameters
        ----------
        assignment
            Node by function; it keeps some rules, and all routes exist.
        kept
            These rules.
        focus
            Rules of which few should be broken.

        Returns
        -------
        dict
            The first entry has none of the rules kept.
        """
        first = State(self.breaches, assignment)
        if first.broken & kept:
            return {_with_rules_given_up(self.book, assignment, kept): assignment}
        avoid, counts = (_mask(rules, len(self.book) + 1) for rules in (kept, focus))
        best = self._descended(first, counts, avoid)
        found: Found = {best.broken: best.nodes, first.broken: assignment}
        if best.count(counts) == 1:
            for broken, nodes in self._crowd_elsewhere(best, counts):
                found.setdefault(broken, nodes)
        pending, seen = deque([best]), {best.broken}
        for _ in range(MAX_LOOKED_AROUND):
            if not pending or self.budget.spent:
                break
            neighbours = pending.popleft().neighbours(counts, best.count(counts))
            for broken, nodes in islice(neighbours, MAX_NEIGHBOURS):
                found.setdefault(broken, nodes)
                if broken not in seen and len(seen) < MAX_LOOKED_AROUND:
                    seen.add(broken)
                    pending.append(State(self.breaches, nodes))
        return found

    def _descended(self, state: State, focus: Mask, avoid: Mask) -> State:
        """Move one function after the other while that breaks fewer rules, or as many by less."""
        for _ in range(MAX_PASSES):
            has_moved = False
            for function in state.involved(focus):
                if self.budget.spent:
                    return state
                better = state.better(function, focus, avoid)
                if better is not None:
                    state = State(self.breaches, better)
                    has_moved = True
            if not has_moved:
                break
        return state

    def _crowd_elsewhere(
        self, state: State, focus: Mask
    ) -> Iterator[tuple[frozenset[int], IntArray]]:
        """Yield what breaks when the functions on a crowded node go to another one together.

        Where no node has room for some functions, they gather on one: moving them one at a time
        would only crowd a second node. Each crowd is moved about once.
        """
        for crowded in state.crowded(focus):
            crowd = state.nodes == crowded
            if crowd.sum() < 2 or crowd.tobytes() in self._gathered:
                continue
            self._gathered.add(crowd.tobytes())
            for node in range(self.breaches.arrays.n_nodes):
                if self.budget.spent:
                    return
                moved = State(self.breaches, np.where(crowd, node, state.nodes))
                if not moved.is_cut_off and moved.count(focus) == 1:
                    yield moved.broken, moved.nodes


def _with_rules_given_up(
    book: RuleBook, assignment: IntArray, kept: frozenset[int]
) -> frozenset[int]:
    """Return what a placement breaks when rules that change what others count are given up.

    Such are floors, which decide on routes, and pins of functions that take no room where they are
    pinned, and give off no heat elsewhere. As few as possible are given up.
    """
    given_up = {
        number
        for number, rule in enumerate(book.rules)
        if number not in kept and changes_others(book, rule)
    }
    broken = _broken_without(book, assignment, given_up)
    for number in sorted(given_up) if len(given_up) <= MAX_GIVEN_UP else ():
        fewer = _broken_without(book, assignment, given_up - {number})
        if not fewer & kept and number not in fewer:
            given_up.discard(number)
            broken = fewer
    return broken | given_up


def _broken_without(
    book: RuleBook, assignment: IntArray, given_up: Collection[int]
) -> frozenset[int]:
    relaxed = RuleBook(
        edited(book.problem, [book.rules[number] for number in given_up]), book.series
    )
    broken = State(Breaches(relaxed), assignment).broken
    numbers = (book.number_of.get(relaxed.rules[number]) for number in broken)
    return frozenset(number for number in numbers if number is not None)


def changes_others(book: RuleBook, rule: Rule) -> bool:
    """Tell whether giving up a rule changes whether a placement keeps others."""
    if rule.kind == "pinned":
        return not book.function(rule).reserves
    return rule.kind == "min_bandwidth"


def _mask(rules: Collection[int], size: int) -> Mask:
    mask = np.zeros(size, dtype=bool)
    mask[list(rules)] = True
    return mask
