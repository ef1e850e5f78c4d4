"""What an explanation of a placement problem claims, looked at again by other means."""

from __future__ import annotations

from collections.abc import Callable

from tests.oracle import brute_force

from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.solvers.arrays.placement import placement_arrays
from leotrek_opt.solvers.explain.conflict import Verdict
from leotrek_opt.solvers.explain.explanation import Explanation, Relaxation
from leotrek_opt.solvers.explain.placement import relaxed_problem
from leotrek_opt.solvers.explain.placement.book import RuleBook
from leotrek_opt.solvers.explain.placement.edits import edited
from leotrek_opt.solvers.explain.placement.oracle import decide_by_flow
from leotrek_opt.solvers.explain.placement.words import rule_id
from leotrek_opt.solvers.method import Budget
from leotrek_opt.topology.materialise import materialise


def enumerated(problem: PlacementProblem) -> bool:
    """Tell by enumeration whether there is a placement."""
    return brute_force(problem)[2] > 0


HasPlacement = Callable[[PlacementProblem], bool]


def by_engine(engine: str) -> HasPlacement:
    """Return a function that tells by the flow model on an engine whether there is a placement."""

    def has_placement(problem: PlacementProblem) -> bool:
        arrays = placement_arrays(problem, materialise(problem.continuum))
        found = decide_by_flow(arrays, engine, Budget())
        assert found.verdict is not Verdict.UNKNOWN
        return found.verdict is Verdict.FEASIBLE

    return has_placement


class Rules:
    """The rules of a problem by identifier."""

    def __init__(self, problem: PlacementProblem) -> None:
        self.problem = problem
        book = RuleBook(problem, materialise(problem.continuum))
        self.by_id = {rule_id(book, rule): rule for rule in book.rules}
        assert len(self.by_id) == len(book)

    def only(self, kept: set[str]) -> PlacementProblem:
        """Return the problem with some of its rules only."""
        return edited(self.problem, [rule for name, rule in self.by_id.items() if name not in kept])

    def without(self, names: set[str]) -> PlacementProblem:
        """Return the problem without some of its rules."""
        return edited(self.problem, [self.by_id[name] for name in names])


def assert_is_irreducible(
    problem: PlacementProblem, explanation: Explanation, has_placement: HasPlacement
) -> None:
    """Check that the rules cannot be kept, and that without any one of them the others can."""
    rules = Rules(problem)
    conflict = {rule.id for rule in explanation.rules}
    assert explanation.is_irreducible
    assert conflict
    assert not has_placement(rules.only(conflict))
    for rule in conflict:
        assert has_placement(rules.only(conflict - {rule})), rule


def assert_relaxations_are_least(
    problem: PlacementProblem, explanation: Explanation, has_placement
):
    """Each relaxation makes the problem feasible, and one unit less of its last amount does not."""
    for relaxation in explanation.relaxations:
        assert has_placement(relaxed_problem(problem, relaxation))
        *before, last = relaxation.changes
        if last.amount:
            less = last.replace(amount=last.amount - 1)
            changed = Relaxation(changes=(*before, less))
            assert last.is_least
            assert not has_placement(relaxed_problem(problem, changed))


def assert_no_single_rule_is_forgotten(
    problem: PlacementProblem, explanation: Explanation, has_placement: HasPlacement
) -> None:
    """Check that a rule of the conflict is proposed alone exactly if it is enough alone."""
    rules = Rules(problem)
    single = {r.changes[0].rule for r in explanation.relaxations if len(r.changes) == 1}
    for rule in explanation.rules:
        assert has_placement(rules.without({rule.id})) == (rule.id in single)
