"""An irreducible set of rules that cannot all be kept, and the fewest rules to give up.

The search knows nothing of the rules but their numbers, and of the problem but an oracle that says
whether some of them can be kept together. It goes in three steps:

1. Whole categories of rules are left out while the rest stays infeasible.
2. Of what is left, the smallest set that hits every known correction is tried (see
   :mod:`.corrections`). Either some point keeps it, and what the point breaks is a new correction;
   or it is a conflict, and each of its rules is needed, because some correction breaks it alone
   (implicit hitting sets: Ignatiev, Previti, Liffiton, Marques-Silva, CP 2015).
3. Where that takes too many rounds, blocks of rules are left out, half as large from pass to pass.

Then the second step is repeated over all rules, as long as its lower bound says that a smaller
conflict may exist.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from leotrek_opt.errors import EngineError
from leotrek_opt.solvers.explain.corrections import Corrections, smallest_hitting_set
from leotrek_opt.solvers.method import Budget

FIRST_ROUNDS = 200
"""Hitting sets that are tried before blocks of rules are left out instead."""
SMALLER_ROUNDS = 100
"""Hitting sets that are tried to find a smaller conflict than the first."""
FEW_ROUNDS = 20
"""Hitting sets that are tried where a small conflict is not worth much."""
RELAX_ROUNDS, FEW_RELAX_ROUNDS = 50, 3
"""Sets of rules that are tried in the search for the fewest to relax."""
LEARNT = 200
"""Corrections of one check that are remembered beyond the step that asked for it."""
FEW_RULES, WORTHWHILE = 20, 0.8
"""Of more rules than that, a conflict is not made smaller by less than a fifth."""


class Verdict(StrEnum):
    """What an oracle says of some rules."""

    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """An oracle's answer.

    Parameters
    ----------
    verdict
        Whether the rules can be kept together.
    corrections
        If they can: what points break; the first one breaks none of these rules.
    """

    verdict: Verdict
    corrections: tuple[frozenset[int], ...] = ()


class Oracle(Protocol):
    """Tells which rules can be kept together."""

    @property
    def is_monotone(self) -> bool:
        """Whether a point that breaks some rules stays a point when more of the others go."""
        ...

    def check(self, kept: frozenset[int], focus: frozenset[int]) -> Check:
        """Tell whether some point keeps these rules; the others do not count.

        Parameters
        ----------
        kept
            Numbers of rules.
        focus
            Rules that corrections should have few of: a conflict is looked for among these.

        Returns
        -------
        Check
            ``unknown`` also when there is no time left.
        """
        ...


@dataclass(frozen=True)
class Conflict:
    """Rules that cannot all be kept.

    Parameters
    ----------
    rules
        Their numbers.
    is_irreducible
        Whether each of them is shown to be needed.
    is_smallest
        Whether it is shown that no conflict has fewer rules.
    """

    rules: frozenset[int]
    is_irreducible: bool
    is_smallest: bool


class Within:
    """Some rules, and what of them points break.

    Parameters
    ----------
    rules
        Numbers of rules.
    corrections
        Of all rules.

    Attributes
    ----------
    corrections : Corrections
        Cut down to these rules.
    is_refuted : bool
        Whether some point breaks none of them.
    """

    def __init__(self, rules: frozenset[int], corrections: Iterable[frozenset[int]]) -> None:
        self.rules = rules
        self.corrections = Corrections()
        self.is_refuted = False
        self.learn(corrections)

    def learn(self, corrections: Iterable[frozenset[int]]) -> None:
        """Take in corrections of all rules."""
        for part in dict.fromkeys(each & self.rules for each in corrections):
            if part:
                self.corrections.add(part)
            else:
                self.is_refuted = True


class ConflictSearch:
    """Looks for conflicts, and keeps what it has learnt on the way.

    Parameters
    ----------
    oracle
        Says what can be kept.
    categories
        All rules, in groups that are left out together first.
    budget
        Time and cancellation.
    on_step
        Called with a few words after every step, or None.
    seed
        Of the engine that finds hitting sets.
    """

    def __init__(
        self,
        oracle: Oracle,
        categories: Sequence[frozenset[int]],
        budget: Budget,
        on_step: Callable[[str], None] | None = None,
        seed: int = 0,
    ) -> None:
        self.oracle = oracle
        self.categories = list(categories)
        self.budget = budget
        self.on_step = on_step
        self.seed = seed
        self.corrections = Corrections()
        self.checks = 0
        self.all = frozenset().union(*self.categories)

    def check(self, kept: frozenset[int], within: Within | None = None) -> Verdict:
        """Ask the oracle and remember what points break.

        Parameters
        ----------
        kept
            Numbers of rules.
        within
            Rules among which a conflict is looked for, and corrections of these; None for all.

        Returns
        -------
        Verdict
            Its word.
        """
        if self.budget.spent:
            return Verdict.UNKNOWN
        self.checks += 1
        found = self.oracle.check(kept, self.all if within is None else within.rules)
        if within is not None:
            within.learn(found.corrections)
        self.learn(sorted(found.corrections, key=len)[:LEARNT])
        return found.verdict

    def learn(self, corrections: Iterable[frozenset[int]]) -> None:
        """Take in corrections that come from elsewhere.

        Parameters
        ----------
        corrections
            What points break; one that breaks nothing says nothing of conflicts.
        """
        for correction in corrections:
            if correction:
                self.corrections.add(correction)

    def conflict(
        self, known: frozenset[int] | None = None, *, smaller_rounds: int = SMALLER_ROUNDS
    ) -> Conflict:
        """Return a conflict, as small as the budget allows.

        Parameters
        ----------
        known
            Rules that are known to be in conflict; None for all.
        smaller_rounds
            Hitting sets that are tried, once an irreducible conflict has been found, for one of
            fewer rules.

        Returns
        -------
        Conflict
            If the budget is spent, whatever is known to be in conflict.
        """
        found = self._some_conflict(self.all if known is None else known)
        if not self.oracle.is_monotone:
            found = self._rechecked(found)
        return self._smaller(found, smaller_rounds)

    def fewest_to_relax(
        self, conflicts: Collection[frozenset[int]]
    ) -> tuple[frozenset[int] | None, bool]:
        """Return the fewest rules without which all others can be kept.

        Parameters
        ----------
        conflicts
            Known so far; each must lose a rule, so a set that hits all of them is a lower bound.

        Returns
        -------
        rules : frozenset of int or None
            None if nothing is known before the budget is spent.
        is_fewest : bool
            Whether it is shown that no fewer rules suffice.
        """
        known = list(conflicts)
        # Of a conflict of very many rules, each would have to be tried by itself.
        is_small = all(len(rules) <= FEW_RULES for rules in known)
        for _ in range(RELAX_ROUNDS if is_small else FEW_RELAX_ROUNDS):
            if self.budget.spent:
                break
            chosen, is_smallest = smallest_hitting_set(known, self.budget, seed=self.seed)
            best = self.corrections.smallest()
            if best and is_smallest and len(best[0]) <= len(chosen):
                return best[0], True
            rest = self.all - chosen
            self._tell(f"are {len(chosen)} rules enough to relax")
            verdict = self.check(rest)
            if verdict is Verdict.FEASIBLE:
                return chosen, is_smallest
            if verdict is Verdict.UNKNOWN:
                break
            # Any conflict bounds the number from below, the smaller the better.
            within = Within(self._without_categories(rest), self.corrections)
            found = self._by_hitting_sets(within, FEW_ROUNDS)
            known.append(within.rules if found is None else found.rules)
        best = self.corrections.smallest()
        return (best[0], False) if best else (None, False)

    def _some_conflict(self, rules: frozenset[int]) -> Conflict:
        within = Within(self._without_categories(rules), self.corrections)
        return self._by_hitting_sets(within) or self._by_blocks(within)

    def _tell(self, message: str) -> None:
        if self.on_step is not None:
            self.on_step(message)

    def _without_categories(self, rules: frozenset[int]) -> frozenset[int]:
        """Leave out whole categories, the largest first, while the rest is infeasible."""
        for category in sorted(self.categories, key=len, reverse=True):
            part = rules & category
            if not part or self.corrections.only_within(rules, part):
                continue
            if self.check(rules - part) is Verdict.INFEASIBLE:
                rules -= part
            self._tell(f"the conflict is within {len(rules)} rules")
        return rules

    def _by_hitting_sets(self, within: Within, rounds: int = FIRST_ROUNDS) -> Conflict | None:
        """Try smallest hitting sets of the corrections within some infeasible rules."""
        for _ in range(rounds):
            if within.is_refuted:
                if self.oracle.is_monotone:
                    raise EngineError("rules were called infeasible that a point keeps")
                return None
            chosen, _ = smallest_hitting_set(within.corrections, self.budget, seed=self.seed)
            self._tell(f"{len(chosen)} rules hit every correction so far")
            verdict = self.check(chosen, within)
            if verdict is Verdict.INFEASIBLE:
                return Conflict(chosen, self.oracle.is_monotone, False)
            if verdict is Verdict.UNKNOWN or within.corrections.avoiding(chosen) is None:
                return None
        return None

    def _by_blocks(self, within: Within) -> Conflict:
        """Leave out blocks of rules, half as large from pass to pass, down to single rules."""
        rules, corrections = within.rules, within.corrections
        size = max(1, len(rules) // 2)
        doubtful = False
        while True:
            open_rules = sorted(rules - corrections.needed(rules))
            for start in range(0, len(open_rules), size):
                block = rules & frozenset(open_rules[start : start + size])
                if not block or corrections.only_within(rules, block):
                    continue
                verdict = self.check(rules - block, within)
                if verdict is Verdict.INFEASIBLE:
                    rules -= block
                doubtful |= size == 1 and verdict is Verdict.UNKNOWN
                self._tell(f"the conflict is within {len(rules)} rules")
                if self.budget.spent:
                    return Conflict(rules, False, False)
            if size == 1:
                return Conflict(rules, not doubtful, False)
            size //= 2

    def _rechecked(self, found: Conflict) -> Conflict:
        """Ask for every rule whether it is needed, where corrections do not tell for sure."""
        rules, is_irreducible = found.rules, True
        settled = False
        while not settled:
            settled = True
            for rule in sorted(rules):
                verdict = self.check(rules - {rule})
                if verdict is Verdict.INFEASIBLE:
                    rules -= {rule}
                    settled = False
                is_irreducible &= verdict is not Verdict.UNKNOWN
            if self.budget.spent:
                is_irreducible = False
                break
        return Conflict(rules, is_irreducible, False)

    def _smaller(self, found: Conflict, rounds: int) -> Conflict:
        """Look for a conflict of fewer rules until there is none, or the budget is spent."""
        if not found.is_irreducible:
            return found
        within = Within(self.all, self.corrections)
        for _ in range(rounds):
            if self.budget.spent:
                break
            chosen, is_smallest = smallest_hitting_set(
                within.corrections, self.budget, seed=self.seed
            )
            if len(chosen) >= len(found.rules):
                return Conflict(found.rules, True, is_smallest and self.oracle.is_monotone)
            if len(found.rules) > FEW_RULES and len(chosen) > WORTHWHILE * len(found.rules):
                break
            self._tell(f"is there a conflict of {len(chosen)} rules")
            verdict = self.check(chosen, within)
            if verdict is Verdict.UNKNOWN:
                break
            if verdict is Verdict.INFEASIBLE:
                smaller = Conflict(chosen, self.oracle.is_monotone, False)
                if not self.oracle.is_monotone:
                    smaller = self._rechecked(smaller)
                if not smaller.is_irreducible:
                    break
                found = smaller
        return found
