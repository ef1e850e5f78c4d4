"""Sets of rules that some point breaks, and the smallest sets that meet all of them.

A point that breaks the rules V and keeps all others is a *correction*: without V everything can be
kept. Rules that are in conflict must hit every correction, or a point would keep them all. So the
smallest conflict is the smallest hitting set of all corrections (Reiter, Artif. Intell. 32, 1987),
and from the corrections known so far comes a lower bound on its size.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from leotrek_opt.solvers.engines.highs import HighsEngine
from leotrek_opt.solvers.engines.protocol import Limits
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.method import Budget
from leotrek_opt.solvers.status import Status

MAX_KEPT = 2_000
"""Corrections that are kept; beyond that only smaller ones than the largest are taken in."""
COVER_LIMIT_S = 10.0


class Corrections:
    """Corrections known so far, none within another."""

    def __init__(self) -> None:
        self._masks: list[int] = []
        self._forced = 0

    def __len__(self) -> int:
        return len(self._masks)

    def __iter__(self) -> Iterator[frozenset[int]]:
        return map(_members, self._masks)

    def add(self, rules: Collection[int]) -> bool:
        """Take in a correction, unless a smaller one within it is known.

        Parameters
        ----------
        rules
            What some point breaks; not empty.

        Returns
        -------
        bool
            Whether it is new.
        """
        mask = _mask(rules)
        if mask & self._forced:
            return False
        if any(known & mask == known for known in self._masks):
            return False
        self._masks = [known for known in self._masks if known & mask != mask]
        if len(self._masks) >= MAX_KEPT:
            largest = max(self._masks, key=int.bit_count)
            if largest.bit_count() <= mask.bit_count():
                return False
            self._masks.remove(largest)
        self._masks.append(mask)
        if mask.bit_count() == 1:
            self._forced |= mask
        return True

    def avoiding(self, rules: Collection[int]) -> frozenset[int] | None:
        """Return a correction that breaks none of some rules, or None if none is known."""
        mask = _mask(rules)
        found = next((known for known in self._masks if not known & mask), None)
        return None if found is None else _members(found)

    def only_within(self, rules: Collection[int], part: Collection[int]) -> bool:
        """Tell whether some correction breaks, of some rules, nothing outside a part of them."""
        rest = _mask(rules) & ~_mask(part)
        return any(not known & rest for known in self._masks)

    def needed(self, rules: Collection[int]) -> frozenset[int]:
        """Return the rules without which the others are known to be kept by some point."""
        mask = _mask(rules)
        found = 0
        for known in self._masks:
            broken = known & mask
            if broken.bit_count() == 1:
                found |= broken
        return _members(found)

    def smallest(self) -> list[frozenset[int]]:
        """Return the corrections of fewest rules, in the order in which they came."""
        least = min((mask.bit_count() for mask in self._masks), default=0)
        return [_members(mask) for mask in self._masks if mask.bit_count() == least]


def smallest_hitting_set(
    sets: Iterable[Collection[int]], budget: Budget, *, seed: int = 0
) -> tuple[frozenset[int], bool]:
    """Return few elements that meet every one of some sets.

    Parameters
    ----------
    sets
        None of them empty.
    budget
        Time and cancellation.
    seed
        Of the engine.

    Returns
    -------
    elements : frozenset of int
        Each is the only one in some set; of equally many, those in more sets are preferred.
    is_smallest : bool
        Whether no fewer can do.
    """
    pending = [frozenset(each) for each in sets]
    forced = frozenset(element for each in pending if len(each) == 1 for element in each)
    open_sets = [each for each in pending if not each & forced]
    if not open_sets:
        return forced, True
    cover = _Cover(open_sets)
    start = cover.greedy()
    result = HighsEngine().solve(
        cover.model(),
        Limits(time_limit_s=budget.part(COVER_LIMIT_S).remaining_s, seed=seed),
        warm_start=start,
        cancel=budget.cancel,
    )
    chosen = start if result.values is None else result.values
    return forced | cover.without_spare(chosen > 0.5), result.status is Status.OPTIMAL


class _Cover:
    """Sets as a matrix: one row a set, one column an element."""

    def __init__(self, sets: list[frozenset[int]]) -> None:
        self.elements = np.array(sorted(frozenset().union(*sets)))
        ordered = [sorted(each) for each in sets]
        self.lengths = [len(each) for each in ordered]
        self.columns = np.searchsorted(
            self.elements, [element for each in ordered for element in each]
        )
        indptr = np.concatenate([[0], np.cumsum(self.lengths)])
        shape = (len(sets), self.elements.size)
        self.rows = csr_matrix((np.ones(self.columns.size), self.columns, indptr), shape=shape)
        self.by_element = self.rows.tocsc()

    def model(self) -> LinearModel:
        """Choose as few elements as possible; of as few, those that are in more sets."""
        often = np.bincount(self.columns, minlength=self.elements.size)
        model = LinearModel()
        model.add_variables(
            self.elements.size,
            lower=0,
            upper=1,
            cost=int(often.sum()) + 1 - often,
            integer=True,
            name="chosen",
        )
        model.add_rows(self.columns, lengths=self.lengths, lower=1, name="met")
        return model

    def greedy(self) -> NDArray[np.float64]:
        """Choose the element in most of the sets that are not met yet, until all are."""
        chosen = np.zeros(self.elements.size)
        left = np.ones(len(self.lengths))
        while left.any():
            best = int(np.argmax(left @ self.rows))
            chosen[best] = 1
            left[self._sets_with(best)] = 0
        return chosen

    def without_spare(self, chosen: NDArray[np.bool_]) -> frozenset[int]:
        """Leave out elements while all sets are met."""
        times = self.rows @ chosen.astype(np.float64)
        kept = set()
        for column in np.flatnonzero(chosen).tolist():
            sets = self._sets_with(column)
            if (times[sets] > 1).all():
                times[sets] -= 1
            else:
                kept.add(int(self.elements[column]))
        return frozenset(kept)

    def _sets_with(self, column: int) -> NDArray[np.int32]:
        start, end = self.by_element.indptr[column : column + 2]
        sets: NDArray[np.int32] = self.by_element.indices[start:end]
        return sets


def _mask(members: Collection[int]) -> int:
    mask = 0
    for member in members:
        mask |= 1 << member
    return mask


def _members(mask: int) -> frozenset[int]:
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return frozenset(found)
