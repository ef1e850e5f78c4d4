"""The conflict search, on oracles whose conflicts are known."""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations

import numpy as np
import pytest

from leotrek_opt.errors import EngineError
from leotrek_opt.solvers.explain.conflict import Check, ConflictSearch, Verdict
from leotrek_opt.solvers.method import Budget


class Points:
    """Rules are kept if some point keeps them; a point is the set of rules that it breaks."""

    def __init__(self, points: Collection[Collection[int]], *, tells_all: bool = False) -> None:
        self.points = [frozenset(point) for point in points]
        self.tells_all = tells_all
        self.is_monotone = True
        self.asked: list[frozenset[int]] = []

    def check(self, kept: frozenset[int], focus: frozenset[int]) -> Check:
        self.asked.append(kept)
        found = [point for point in self.points if not point & kept]
        if not found:
            return Check(Verdict.INFEASIBLE)
        # The last one is the least helpful.
        return Check(Verdict.FEASIBLE, tuple(found) if self.tells_all else (max(found, key=len),))

    def is_conflict(self, rules: frozenset[int]) -> bool:
        return all(point & rules for point in self.points)


def search(
    oracle: Points, count: int, *, category: int = 3, budget: Budget | None = None
) -> ConflictSearch:
    categories = [frozenset(range(s, min(s + category, count))) for s in range(0, count, category)]
    return ConflictSearch(oracle, categories, budget or Budget())


def random_points(seed: int, count: int = 10) -> list[frozenset[int]]:
    rng = np.random.default_rng(seed)
    return [
        frozenset(rng.choice(count, rng.integers(1, 5), replace=False).tolist())
        for _ in range(rng.integers(1, 15))
    ]


def smallest_conflict(points: list[frozenset[int]], count: int) -> int:
    return next(
        size
        for size in range(1, count + 1)
        if any(all(p & set(rules) for p in points) for rules in combinations(range(count), size))
    )


@pytest.mark.parametrize("tells_all", [False, True])
@pytest.mark.parametrize("seed", range(25))
def test_conflict_is_irreducible_and_smallest(seed: int, tells_all: bool) -> None:
    points = random_points(seed)
    oracle = Points(points, tells_all=tells_all)
    found = search(oracle, 10).conflict()
    assert oracle.is_conflict(found.rules)
    assert all(not oracle.is_conflict(found.rules - {rule}) for rule in found.rules)
    assert found.is_irreducible
    assert found.is_smallest
    assert len(found.rules) == smallest_conflict(points, 10)


@pytest.mark.parametrize("seed", range(25))
def test_blocks_alone_find_an_irreducible_conflict(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ConflictSearch, "_by_hitting_sets", lambda *_: None)
    oracle = Points(random_points(seed))
    found = search(oracle, 10).conflict(smaller_rounds=0)
    assert found.is_irreducible
    assert oracle.is_conflict(found.rules)
    assert all(not oracle.is_conflict(found.rules - {rule}) for rule in found.rules)


@pytest.mark.parametrize("seed", range(25))
def test_fewest_rules_to_relax_are_the_smallest_correction(seed: int) -> None:
    points = random_points(seed)
    looking = search(Points(points), 10)
    rules, is_fewest = looking.fewest_to_relax([looking.conflict().rules])
    assert is_fewest
    assert rules in points
    assert len(rules) == min(map(len, points))


def test_many_rules_are_left_out_category_by_category() -> None:
    oracle = Points([{number} for number in range(4)] + [{5, 90}])
    found = search(oracle, 600, category=30).conflict()
    assert found.rules in ({0, 1, 2, 3, 5}, {0, 1, 2, 3, 90})
    assert len(oracle.asked) < 40


def test_spent_budget_returns_what_is_known_to_be_in_conflict() -> None:
    class Slow(Points):
        def check(self, kept: frozenset[int], focus: frozenset[int]) -> Check:
            if len(self.asked) == 3:
                budget.cancel.set()
            return super().check(kept, focus)

    budget = Budget()
    oracle = Slow([{number} for number in range(6)] + [{7, 8}])
    found = search(oracle, 30, budget=budget).conflict()
    assert not found.is_irreducible
    assert oracle.is_conflict(found.rules)
    assert len(found.rules) < 30


def test_undecided_rules_are_kept_and_said_to_be_doubtful() -> None:
    class Unsure(Points):
        def check(self, kept: frozenset[int], focus: frozenset[int]) -> Check:
            return Check(Verdict.UNKNOWN) if 4 not in kept else super().check(kept, focus)

    oracle = Unsure([{1}, {2}])
    found = search(oracle, 6, category=1).conflict()
    assert found.rules == {1, 2, 4}
    assert not found.is_irreducible


def test_every_rule_is_asked_for_where_corrections_do_not_tell_for_sure() -> None:
    class Fickle(Points):
        """Without rule 3 alone nothing keeps rules 0 and 1, against what the points say."""

        def check(self, kept: frozenset[int], focus: frozenset[int]) -> Check:
            if kept >= {0, 1}:
                return Check(Verdict.INFEASIBLE)
            return super().check(kept, focus)

    oracle = Fickle([{0}, {1}, {3}])
    oracle.is_monotone = False
    found = search(oracle, 5).conflict()
    assert found.rules == {0, 1}
    assert found.is_irreducible
    assert not found.is_smallest


def test_contradicting_oracle_is_an_error() -> None:
    class Liar(Points):
        def check(self, kept: frozenset[int], focus: frozenset[int]) -> Check:
            return Check(Verdict.INFEASIBLE) if len(kept) > 2 else super().check(kept, focus)

    looking = search(Liar([{0}, {1}]), 6)
    looking.learn([frozenset({0})])
    with pytest.raises(EngineError, match="a point keeps"):
        looking.conflict(frozenset({2, 3, 4}))
