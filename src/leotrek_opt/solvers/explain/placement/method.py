"""Explaining why a placement problem has no placement."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from leotrek_opt.models.canonical import digest
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.exact.placement.propagation import propagate
from leotrek_opt.solvers.explain.conflict import Conflict, ConflictSearch, Verdict
from leotrek_opt.solvers.explain.explanation import Explanation, Relaxation
from leotrek_opt.solvers.explain.placement.amounts import Amounts, Change, Relaxed
from leotrek_opt.solvers.explain.placement.book import RuleBook
from leotrek_opt.solvers.explain.placement.confirm import Confirmation, confirm
from leotrek_opt.solvers.explain.placement.edits import edited
from leotrek_opt.solvers.explain.placement.oracle import OWN_WORK, PlacementOracle
from leotrek_opt.solvers.explain.placement.words import described, relaxed, rule_id
from leotrek_opt.solvers.method import Budget, Progress, ProgressCallback
from leotrek_opt.solvers.status import Status
from leotrek_opt.topology.materialise import materialise
from leotrek_opt.topology.series import LinkSeries

MAX_ALTERNATIVES = 16
"""Single rules of a conflict whose relaxation is worked out."""
MAX_WAYS = 4
"""Sets of several rules whose relaxation is worked out."""
MAX_REFUTATIONS = 5
"""Conflicts that a second opinion may refute before the search gives up."""


def explain(
    problem: PlacementProblem,
    *,
    time_limit_s: float | None = None,
    seed: int = 0,
    cancel: threading.Event | None = None,
    on_progress: ProgressCallback | None = None,
    confirm: bool = True,
) -> Explanation:
    """Explain why a placement problem is infeasible, in the words of the problem.

    Parameters
    ----------
    problem
        What has no placement.
    time_limit_s
        Seconds after which what is known so far is returned, None for no limit.
    seed
        Of everything random; the same seed gives the same explanation unless time runs out.
    cancel
        Set it to stop early.
    on_progress
        Called with :class:`~leotrek_opt.solvers.method.Progress` events.
    confirm
        Look at the conflict again, by exact arithmetic and by an engine that did not find it.

    Returns
    -------
    Explanation
        Rules that cannot all be kept, and the least changes that would help. If there is a
        placement after all, it says so and holds it.

    Raises
    ------
    leotrek_opt.errors.UnsupportedError
        If the problem is none that can be solved.
    leotrek_opt.errors.InputError
        If times could exceed exact arithmetic.
    """
    budget = Budget(time_limit_s, cancel)
    series = materialise(problem.continuum)
    return explain_prepared(
        problem,
        series,
        budget,
        seed=seed,
        on_progress=on_progress,
        is_confirmed=confirm,
    )


def explain_prepared(
    problem: PlacementProblem,
    series: LinkSeries,
    budget: Budget,
    *,
    arrays: PlacementArrays | None = None,
    seed: int = 0,
    on_progress: ProgressCallback | None = None,
    is_confirmed: bool = True,
    with_relaxations: bool = True,
) -> Explanation:
    """Explain a problem whose links and arrays are at hand.

    Parameters
    ----------
    problem
        What has no placement.
    series
        Its materialised topology.
    budget
        Time and cancellation.
    arrays
        Its arrays, if they are at hand.
    seed
        Of everything random.
    on_progress
        Called with every event, or None.
    is_confirmed, with_relaxations
        What is wanted beside the conflict.

    Returns
    -------
    Explanation
        As far as the budget allows.
    """
    task = _Explaining(RuleBook(problem, series, arrays), budget, seed, on_progress)
    explanation = task.run(is_confirmed=is_confirmed, with_relaxations=with_relaxations)
    return explanation.replace(
        problem_digest=digest(problem),
        problem_id=problem.id,
        checks=task.search.checks + task.amounts.checks,
        seconds=budget.elapsed_s,
        seed=seed,
    )


def sentences_for(
    arrays: PlacementArrays,
    series: LinkSeries,
    *,
    time_limit_s: float | None,
    cancel: threading.Event | None = None,
    seed: int = 0,
) -> tuple[str, ...]:
    """Explain in a few sentences why a problem is infeasible, within a small budget.

    Parameters
    ----------
    arrays
        The problem.
    series
        Its links.
    time_limit_s
        Seconds that may be spent on it.
    cancel
        Set by the caller to stop early.
    seed
        Of everything random.

    Returns
    -------
    tuple of str
        The conflict and what would help; empty if nothing was found in time that says more than
        that the problem is infeasible.
    """
    explanation = explain_prepared(
        arrays.problem,
        series,
        Budget(time_limit_s, cancel),
        arrays=arrays,
        seed=seed,
        is_confirmed=False,
    )
    says_something = explanation.background or explanation.is_irreducible
    return explanation.sentences() if says_something else ()


def relaxed_problem(problem: PlacementProblem, relaxation: Relaxation) -> PlacementProblem:
    """Return a problem with the changes that an explanation proposes.

    Parameters
    ----------
    problem
        The problem that was explained.
    relaxation
        One of the relaxations of its explanation.

    Returns
    -------
    PlacementProblem
        With raised and given-up rules; the same in everything else.

    Raises
    ------
    KeyError
        If the relaxation belongs to another problem.
    """
    book = RuleBook(problem, materialise(problem.continuum))
    by_id = {rule_id(book, rule): rule for rule in book.rules}
    removed = [by_id[change.rule] for change in relaxation.changes if change.amount is None]
    raised = {
        by_id[change.rule]: change.amount
        for change in relaxation.changes
        if change.amount is not None
    }
    return edited(problem, removed, raised)


class _Explaining:
    """One explanation in the making."""

    def __init__(
        self,
        book: RuleBook,
        budget: Budget,
        seed: int,
        on_progress: ProgressCallback | None,
    ) -> None:
        self.book = book
        self.budget = budget
        self.on_progress = on_progress
        self.oracle = PlacementOracle(book, budget, seed)
        self.search = ConflictSearch(self.oracle, book.categories, budget, self._tell, seed)
        self.amounts = Amounts(self.oracle)

    def run(self, *, is_confirmed: bool, with_relaxations: bool) -> Explanation:
        everything = frozenset(range(len(self.book)))
        verdict = self.search.check(everything)
        if verdict is Verdict.FEASIBLE:
            solution = self.book.arrays.solution(self.oracle.placements[frozenset()])
            return Explanation(
                status=Status.FEASIBLE,
                solution=solution.replace(problem_digest=digest(self.book.problem)),
            )
        if verdict is Verdict.UNKNOWN:
            stopped = Status.INTERRUPTED if self.budget.cancelled else Status.NO_SOLUTION
            return Explanation(status=stopped)
        if self.search.check(frozenset()) is Verdict.INFEASIBLE:
            return Explanation(
                status=Status.INFEASIBLE, is_irreducible=True, background=self._background()
            )
        conflict, confirmation = self._conflict(is_confirmed=is_confirmed)
        rules = [self.book.rules[number] for number in sorted(conflict.rules)]
        explanation = Explanation(
            status=Status.INFEASIBLE,
            rules=tuple(described(self.book, rule) for rule in rules),
            is_irreducible=conflict.is_irreducible,
            is_smallest=conflict.is_smallest,
            confirmed_by=confirmation.by,
            needed_confirmed_by=confirmation.needed_by,
        )
        if not with_relaxations or not conflict.is_irreducible:
            return explanation
        return self._with_relaxations(explanation, conflict)

    def _conflict(self, *, is_confirmed: bool) -> tuple[Conflict, Confirmation]:
        """Find a conflict; one that a second opinion refutes sends the search on."""
        for _ in range(MAX_REFUTATIONS):
            conflict = self.search.conflict()
            self._tell(f"the conflict has {len(conflict.rules)} rules")
            if not is_confirmed:
                return conflict, Confirmation()
            last_word = self.oracle.word_of.get(conflict.rules, OWN_WORK)
            confirmation = confirm(self.oracle, conflict, last_word)
            if confirmation.refuted_by is None:
                return conflict, confirmation
            refuting = confirmation.refuted_by
            self.search.learn(self.oracle.around(refuting, conflict.rules, self.search.all))
        return Conflict(self.search.all, False, False), Confirmation()

    def _with_relaxations(self, explanation: Explanation, conflict: Conflict) -> Explanation:
        alternatives = self._promising(conflict.rules)
        found: list[Relaxed] = []
        for number in alternatives:
            if self.budget.spent:
                break
            self._tell(f"by how much to relax one rule of {len(alternatives)}")
            single = self.amounts.relaxed(frozenset({number}))
            if single is not None:
                found.append(single)
        is_fewest, left_out = bool(found), len(conflict.rules) - len(alternatives)
        if not found and not self.budget.spent:
            found, is_fewest = self._together(conflict)
        found.sort(key=self._ask)
        return explanation.replace(
            relaxations=tuple(self._in_words(each.changes) for each in found),
            is_fewest=is_fewest and bool(found),
            alternatives_left_out=left_out if found else 0,
        )

    def _together(self, conflict: Conflict) -> tuple[list[Relaxed], bool]:
        """Relax the fewest rules that are enough, in some of the ways that are known."""
        rules, is_fewest = self.search.fewest_to_relax([conflict.rules])
        if rules is None:
            return [], False
        others = (each for each in self.search.corrections if len(each) == len(rules))
        ways = list(dict.fromkeys([rules, *others]))[:MAX_WAYS]
        self._tell(f"by how much to relax {len(rules)} rules")
        found = [self.amounts.relaxed(each) for each in ways if not self.budget.spent]
        return [each for each in found if each is not None], is_fewest

    def _promising(self, rules: frozenset[int]) -> list[int]:
        """Return the rules to look at one by one, those first that may need least."""
        known = {each for broken in self.oracle.placements if len(broken) == 1 for each in broken}
        return sorted(rules, key=lambda each: (each not in known, self.amounts.known(each), each))[
            :MAX_ALTERNATIVES
        ]

    def _ask(self, relaxed: Relaxed) -> tuple[int, int, float]:
        """Order relaxations: fewest rules, then those with amounts, then the smallest raise."""
        shares = []
        for change in relaxed.changes:
            value = self.book.rules[change.rule].value
            if change.amount is not None and value is not None:
                shares.append(change.amount / value if value else float("inf"))
        without = len(relaxed.changes) - len(shares)
        return len(relaxed.changes), without, sum(shares)

    def _in_words(self, changes: Iterable[Change]) -> Relaxation:
        return Relaxation(changes=tuple(relaxed(self.book, change) for change in changes))

    def _background(self) -> tuple[str, ...]:
        found = propagate(self.book.bare).explanation
        return found or ("the routes that exist do not join the functions and what they read from",)

    def _tell(self, message: str) -> None:
        if self.on_progress is not None:
            self.on_progress(Progress(self.budget.elapsed_s, "explain", None, None, message))
