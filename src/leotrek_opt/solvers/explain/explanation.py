"""What an explanation of infeasibility says, as data and as sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from leotrek_opt.models.base import StrictModel
from leotrek_opt.models.placement import PlacementSolution
from leotrek_opt.solvers.status import Status

MAX_LISTED = 8
"""Rules of one kind that sentences list one by one; of more they name the first few."""
MAX_PROPOSED = 5
"""Relaxations that sentences list."""

Unit = Literal["", "units", "ns", "bit/s"]


class ConflictingRule(StrictModel):
    """One rule of a conflict.

    ``id`` is how relaxations refer to it. The rule is about ``what`` of the ``thing`` called
    ``name``, and ``given`` is what it says: ``capacity cpu_millis`` of the ``node`` ``edge-17`` is
    ``4000 mCPU``; ``words`` says it all. ``value`` is the number of the rule in ``unit``, if any.
    """

    id: str
    kind: str
    words: str
    what: str
    thing: str
    name: str
    given: str
    value: int | None = None
    unit: Unit = ""


class RuleChange(StrictModel):
    """One rule relaxed: by ``amount`` from ``before`` to ``after``, or, without amount, given up.

    Numbers are in ``unit``; a bandwidth floor falls by its amount, everything else rises.
    ``is_least`` tells whether one unit less is shown not to be enough, after the changes that stand
    before this one.
    """

    rule: str
    kind: str
    words: str
    amount: int | None = None
    before: int | None = None
    after: int | None = None
    unit: Unit = ""
    is_least: bool = True

    @property
    def relative(self) -> float | None:
        """Amount by the number that stands in the rule; None without amount."""
        if self.amount is None or self.before is None:
            return None
        return self.amount / self.before if self.before else float("inf")


class Relaxation(StrictModel):
    """Changes that together make the whole problem feasible."""

    changes: Annotated[tuple[RuleChange, ...], Field(min_length=1)]

    @property
    def words(self) -> str:
        """The changes in one phrase."""
        return ", and ".join(change.words for change in self.changes)


class Explanation(StrictModel):
    """Why a problem has no placement, and what would help.

    ``status`` is ``infeasible``; ``feasible`` with a ``solution`` if there is a placement after
    all; ``no_solution`` or ``interrupted`` if the budget was spent before either was known.

    ``rules`` cannot all be kept. ``is_irreducible``: any one of them less, and the others can.
    ``is_smallest``: no conflict has fewer rules. ``confirmed_by`` names what showed anew that they
    cannot be kept: ``certificate`` for exact arithmetic without a solver, or engines;
    ``needed_confirmed_by`` what showed that each is needed: ``placements`` for a placement without
    each rule, judged exactly, or engines that decided it again.

    ``relaxations`` have the fewest rules (``is_fewest`` tells whether that is shown), and come in
    the order of how much they ask for. ``alternatives_left_out`` counts single rules of the
    conflict whose relaxation was not looked into.
    """

    kind: Literal["explanation"] = "explanation"
    version: Literal[1] = 1
    problem_kind: Literal["placement"] = "placement"
    problem_digest: str = ""
    problem_id: str = ""
    status: Status
    rules: tuple[ConflictingRule, ...] = ()
    is_irreducible: bool = False
    is_smallest: bool = False
    background: tuple[str, ...] = ()
    relaxations: tuple[Relaxation, ...] = ()
    is_fewest: bool = False
    alternatives_left_out: int = 0
    confirmed_by: tuple[str, ...] = ()
    needed_confirmed_by: tuple[str, ...] = ()
    solution: PlacementSolution | None = None
    checks: int = 0
    seconds: Annotated[float, Field(ge=0)] = 0.0
    seed: int = 0

    def sentences(self) -> tuple[str, ...]:
        """Say it in sentences, one a line.

        Returns
        -------
        tuple of str
            The conflict, what would help, and who confirmed it.
        """
        if self.status is Status.FEASIBLE:
            return ("there is nothing to explain: a placement keeps every rule",)
        if self.status is not Status.INFEASIBLE:
            return ("whether there is a placement was not found out in the time given",)
        if self.background:
            return ("no placement exists, whatever rules are given up", *self.background)
        return (
            self._headline(),
            *(f"- {line}" for line in self._listed()),
            *self._proposals(),
            *self._confirmation(),
        )

    def _headline(self) -> str:
        count = len(self.rules)
        if not self.is_irreducible:
            return (
                f"no placement exists; the reason lies within these {count} rules, not all of "
                "which need have to do with it:"
            )
        if count == 1:
            return "no placement keeps this rule:"
        return (
            f"no placement keeps these {count} rules together, but without any one of them the "
            "others can be kept:"
        )

    def _listed(self) -> list[str]:
        groups: dict[tuple[str, str], list[ConflictingRule]] = {}
        for rule in self.rules:
            groups.setdefault((rule.what, rule.thing), []).append(rule)
        lines = []
        for (what, thing), rules in groups.items():
            if len(rules) <= MAX_LISTED:
                lines += [rule.words for rule in rules]
                continue
            first = ", ".join(rule.name for rule in rules[: MAX_LISTED // 2])
            line = f"{what} of {len(rules):,} {thing}s: {first}, ..."
            numbers = [rule for rule in rules if rule.value is not None]
            if numbers:
                largest = max(numbers, key=lambda rule: rule.value or 0)
                line += f" (the largest is {largest.given})"
            lines.append(line)
        return lines

    def _proposals(self) -> list[str]:
        if not self.relaxations:
            return []
        best, *others = self.relaxations
        count = len(best.changes)
        if count == 1:
            lead = "it would be enough to "
        elif self.is_fewest:
            lead = f"no single rule is enough to relax; of {count} together it would be enough to "
        else:
            lead = f"of {count} rules together it would be enough to "
        shown = others[: MAX_PROPOSED - 1]
        lines = [lead + best.words, *(f"or to {other.words}" for other in shown)]
        more = len(others) - len(shown) + self.alternatives_left_out
        if more > 0 and count == 1:
            lines.append(f"or perhaps to relax one of {more:,} other rules of the conflict")
        return lines

    def _confirmation(self) -> list[str]:
        return conjoined(self.confirmed_by)


def conjoined(names: Sequence[str]) -> list[str]:
    """Say who confirmed a conflict.

    Parameters
    ----------
    names
        ``certificate``, ``farkas`` or engines.

    Returns
    -------
    list of str
        One sentence, none without names.
    """
    if not names:
        return []
    words = [
        "exact arithmetic without a solver" if name in {"certificate", "farkas"} else name
        for name in names
    ]
    return [f"that this cannot be kept is confirmed by {' and '.join(words)}"]
