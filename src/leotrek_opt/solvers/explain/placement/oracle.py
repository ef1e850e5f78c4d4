"""Whether a placement keeps some of the rules: decided exactly, by the methods that solve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import ModelTooLargeError
from leotrek_opt.models.canonical import digest
from leotrek_opt.models.certificate import PlacementCertificate
from leotrek_opt.solvers.arrays.placement import PlacementArrays, placement_arrays
from leotrek_opt.solvers.arrays.placement.objective import is_feasible
from leotrek_opt.solvers.certificate import placement_bound
from leotrek_opt.solvers.engines import engine_named
from leotrek_opt.solvers.engines.protocol import Limits
from leotrek_opt.solvers.exact.placement.bounds import BoundCalculator
from leotrek_opt.solvers.exact.placement.domains import DenseDomain, SparseDomain
from leotrek_opt.solvers.exact.placement.method import solve_exact
from leotrek_opt.solvers.exact.placement.propagation import propagate
from leotrek_opt.solvers.exact.placement.search import Search
from leotrek_opt.solvers.exact.placement.start import CANDIDATES_PER_FUNCTION, best_candidates
from leotrek_opt.solvers.explain.conflict import Check, Verdict
from leotrek_opt.solvers.explain.placement.book import RuleBook
from leotrek_opt.solvers.explain.placement.core import core_of
from leotrek_opt.solvers.explain.placement.edits import edited
from leotrek_opt.solvers.explain.placement.rules import Rule
from leotrek_opt.solvers.explain.placement.surroundings import Surroundings
from leotrek_opt.solvers.formulations.placement import build
from leotrek_opt.solvers.method import Budget, Request, Tracker
from leotrek_opt.solvers.status import Status
from leotrek_opt.topology.series import LinkSeries

IntArray = NDArray[np.int64]

OWN_WORK = "dp"
"""Says that no engine was needed."""
MAX_NONZEROS = 5_000_000
MAX_REFUSED = 50
"""Placements of a relaxed model that are shut out one by one before the question stays open."""


@dataclass(frozen=True, eq=False)
class Decision:
    """Whether a problem has a placement.

    Parameters
    ----------
    verdict
        The answer.
    by
        ``dp``, or the name of the engine whose word it is.
    assignment
        Node by function, if there is one; it keeps every rule, by exact evaluation.
    """

    verdict: Verdict
    by: str = OWN_WORK
    assignment: IntArray | None = None


def decide(arrays: PlacementArrays, series: LinkSeries, budget: Budget, seed: int = 0) -> Decision:
    """Decide whether a problem has a placement: by the exact method on what cannot be set aside.

    Parameters
    ----------
    arrays
        The problem.
    series
        Its links.
    budget
        Time and cancellation.
    seed
        Of everything random.

    Returns
    -------
    Decision
        ``unknown`` when the budget is spent, or the problem is too large to be decided.
    """
    core = core_of(arrays, series)
    if core.arrays is None:
        return _judged(arrays, core.parked, OWN_WORK)
    if not core.arrays.allowed.any(axis=1).all():
        return Decision(Verdict.INFEASIBLE)
    found = _decided_by_exact_method(core.arrays, budget, seed)
    if found.verdict is Verdict.UNKNOWN:
        found = decide_by_flow(core.arrays, "highs", budget, seed)
    if found.assignment is not None:
        return _judged(arrays, core.whole(found.assignment), found.by)
    return found


def _judged(arrays: PlacementArrays, assignment: IntArray, by: str) -> Decision:
    if is_feasible(arrays, assignment):
        return Decision(Verdict.FEASIBLE, by, assignment)
    return Decision(Verdict.UNKNOWN, by)


def _decided_by_exact_method(arrays: PlacementArrays, budget: Budget, seed: int) -> Decision:
    quick = _quick_placement(arrays, seed)
    if quick is not None:
        return Decision(Verdict.FEASIBLE, OWN_WORK, quick)
    # Any placement will do, hence the gap.
    request = Request(budget, Tracker(budget), gap=1.0, seed=seed)
    answer = solve_exact(arrays, request)
    by = answer.solver.partition(":")[2] or OWN_WORK
    if answer.status is Status.INFEASIBLE:
        return Decision(Verdict.INFEASIBLE, by)
    if answer.assignment is not None:
        return _judged(arrays, answer.assignment, by)
    return Decision(Verdict.UNKNOWN)


def _quick_placement(arrays: PlacementArrays, seed: int) -> IntArray | None:
    """Insert all workflows once, on few candidates: where rules are few, that is enough."""
    propagation = propagate(arrays)
    if propagation.explanation:
        return None
    calculator = BoundCalculator(arrays)
    given = calculator.bound(SparseDomain(arrays, propagation.allowed)).given
    candidates = [best_candidates(bounds, CANDIDATES_PER_FUNCTION[0]) for bounds in given]
    search = Search(calculator, seed)
    search.construct(DenseDomain(arrays, candidates), np.arange(len(arrays.workflows)))
    return search.best


def is_refuted(arrays: PlacementArrays) -> bool:
    """Tell whether exact arithmetic without any solver shows that there is no placement."""
    certificate = PlacementCertificate(
        problem_digest=digest(arrays.problem), denominator=1, multipliers=(), bound_ns=None
    )
    return placement_bound(arrays, certificate).infeasible


def decide_by_flow(
    arrays: PlacementArrays,
    engine: str,
    budget: Budget,
    seed: int = 0,
    *,
    max_nonzeros: int = MAX_NONZEROS,
) -> Decision:
    """Decide by the flow model on an engine.

    The model may be a relaxation where response times are limited, so a placement off it is judged
    exactly; one that fails is shut out, and the engine is asked again.

    Parameters
    ----------
    arrays
        The problem.
    engine
        Its name.
    budget
        Time and cancellation.
    seed
        Of the engine.
    max_nonzeros
        Size of the model that is still built.

    Returns
    -------
    Decision
        ``unknown`` also if the model is too large.
    """
    try:
        model = build(arrays, None, max_nonzeros=max_nonzeros)
    except ModelTooLargeError:
        return Decision(Verdict.UNKNOWN)
    linear = model.linear.copy(cost=np.zeros(model.linear.n_variables))
    places = sum(nodes.size for nodes in model.choices.candidates)
    solver = engine_named(engine)
    for attempt in range(MAX_REFUSED):
        if budget.spent:
            break
        limits = Limits(time_limit_s=budget.remaining_s, seed=seed)
        result = solver.solve(linear, limits, cancel=budget.cancel)
        if result.status is Status.INFEASIBLE:
            return Decision(Verdict.INFEASIBLE, engine)
        if result.values is None:
            break
        assignment = model.decode(result.values)
        if is_feasible(arrays, assignment):
            return Decision(Verdict.FEASIBLE, engine, assignment)
        chosen = np.flatnonzero(result.values[:places] > 0.5)
        linear.add_rows(chosen, lengths=[chosen.size], upper=chosen.size - 1, name=f"not_{attempt}")
    return Decision(Verdict.UNKNOWN)


class PlacementOracle:
    """Answers the conflict search.

    Parameters
    ----------
    book
        The rules.
    budget
        Time and cancellation.
    seed
        Of everything random.

    Attributes
    ----------
    placements : dict
        Placements found, by the rules that they break.
    word_of : dict
        Whose word it is that some rules cannot be kept.
    """

    def __init__(self, book: RuleBook, budget: Budget, seed: int = 0) -> None:
        self.book = book
        self.budget = budget
        self.seed = seed
        self.surroundings = Surroundings(book, budget)
        self.is_monotone = book.is_monotone
        self.placements: dict[frozenset[int], IntArray] = {}
        self.word_of: dict[frozenset[int], str] = {}

    def arrays(
        self, kept: frozenset[int], raised: Mapping[Rule, int] | None = None
    ) -> PlacementArrays:
        """Return the arrays of the problem with some of its rules only.

        Parameters
        ----------
        kept
            Numbers of rules.
        raised
            By how much kept rules are raised.

        Returns
        -------
        PlacementArrays
            Of the edited problem.
        """
        removed = [rule for number, rule in enumerate(self.book.rules) if number not in kept]
        return placement_arrays(edited(self.book.problem, removed, raised), self.book.series)

    def check(self, kept: frozenset[int], focus: frozenset[int]) -> Check:
        """Decide whether a placement keeps these rules, and look around for what others break."""
        found = decide(self.arrays(kept), self.book.series, self.budget, self.seed)
        if found.assignment is None:
            self.word_of[kept] = found.by
            return Check(found.verdict)
        return Check(found.verdict, self.around(found.assignment, kept, focus))

    def around(
        self, assignment: IntArray, kept: frozenset[int], focus: frozenset[int]
    ) -> tuple[frozenset[int], ...]:
        """Return what a placement and others around it break, and remember them.

        Parameters
        ----------
        assignment
            Node by function.
        kept
            Numbers of rules that it keeps.
        focus
            Rules of which few should be broken.

        Returns
        -------
        tuple of frozenset
            Numbers of rules; the first has none of those kept.
        """
        found = self.surroundings.corrections(assignment, kept, focus)
        for broken, placement in found.items():
            self.placements.setdefault(broken, placement)
        return tuple(found)
