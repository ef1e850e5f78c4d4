"""Corrections, and the smallest sets that hit all of them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from leotrek_opt.solvers.explain.corrections import Corrections, smallest_hitting_set
from leotrek_opt.solvers.method import Budget


def least_size(sets: list[frozenset[int]]) -> int:
    elements = sorted(frozenset().union(*sets))
    return next(
        size
        for size in range(len(elements) + 1)
        if any(all(each & set(chosen) for each in sets) for chosen in combinations(elements, size))
    )


@pytest.mark.parametrize("seed", range(30))
def test_hitting_set_is_as_small_as_enumeration_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sets = [
        frozenset(rng.choice(9, rng.integers(1, 5), replace=False).tolist())
        for _ in range(rng.integers(1, 12))
    ]
    chosen, is_smallest = smallest_hitting_set(sets, Budget())
    assert is_smallest
    assert all(each & chosen for each in sets)
    assert len(chosen) == least_size(sets)
    for element in chosen:
        assert any(each & chosen == {element} for each in sets)


def test_hitting_set_of_nothing_is_empty() -> None:
    assert smallest_hitting_set([], Budget()) == (frozenset(), True)


def test_elements_in_more_sets_are_preferred() -> None:
    assert smallest_hitting_set([{1, 2}, {2, 3}], Budget())[0] == {2}


def test_without_time_the_answer_still_hits_every_set() -> None:
    sets = [frozenset({a, b}) for a, b in combinations(range(12), 2)]
    chosen, is_smallest = smallest_hitting_set(sets, Budget(0.0))
    assert not is_smallest
    assert len(chosen) == 11


def test_only_smallest_corrections_are_kept() -> None:
    known = Corrections()
    assert known.add({1, 2, 3})
    assert known.add({1, 2})
    assert not known.add({1, 2, 4})
    assert known.add({3})
    assert not known.add({3, 5})
    assert set(known) == {frozenset({1, 2}), frozenset({3})}
    assert known.smallest() == [frozenset({3})]


def test_what_corrections_say_of_a_set_of_rules() -> None:
    known = Corrections()
    for rules in ({1, 2}, {3, 7}, {4, 5, 8}):
        known.add(rules)
    assert known.avoiding({1, 3, 4}) is None
    assert known.avoiding({1, 3}) == {4, 5, 8}
    assert known.needed({1, 3, 4, 5}) == {1, 3}
    assert known.only_within({1, 2, 3, 4}, {1, 2})
    assert not known.only_within({1, 2, 3, 4}, {1, 4, 6} - {4})
