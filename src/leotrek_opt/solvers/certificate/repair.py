"""Multipliers for columns without a bound, where the reduced cost must have the right sign exactly.

A reduced cost that should be 0 is off by a rounding error, and then minus infinity is all that the
bound can say. Two remedies, each of which may fail or weaken the bound but cannot falsify it:

- *shrinking*: ``y (1 - t)`` has the reduced costs ``(1 - t) d + t c``, which helps where the cost
  itself has the right sign;
- *shifting*: the multiplier of one row is moved until the reduced cost is right, row after row,
  preferring rows that put no other column wrong.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.solvers.certificate.integers import integers, scaled
from leotrek_opt.solvers.certificate.minorant import Box, ExactRelaxation, Minorant, Multipliers

_SHRINK_POWER = 40
_MOST_ENTRIES = 200_000
"""Matrix entries that shifting looks at before it gives up."""
_MOST_USES = 20
"""Moves of one row; more than that go in circles."""


def repairs(
    relaxation: ExactRelaxation, multipliers: Multipliers, minorant: Minorant, box: Box
) -> Iterator[Multipliers]:
    """Yield multipliers that may bound where the given ones do not.

    Parameters
    ----------
    relaxation
        The model.
    multipliers
        Of its rows.
    minorant
        What they make.
    box
        In which the minorant has no least value.

    Yields
    ------
    Multipliers
        To be tried.
    """
    for repair in (_shrunk, _shifted):
        repaired = repair(relaxation, multipliers, minorant, box)
        if repaired is not None:
            yield repaired


def _wrong(slope: NDArray[np.object_], box: Box) -> NDArray[np.bool_]:
    below, above = np.isinf(box.lower), np.isinf(box.upper)
    found: NDArray[np.bool_] = (below & (slope > 0)) | (above & (slope < 0))
    return found


def _shrunk(
    relaxation: ExactRelaxation, multipliers: Multipliers, minorant: Minorant, box: Box
) -> Multipliers | None:
    """Multiply by the largest ``1 - k / 2**40`` that gives every wrong reduced cost its sign."""
    wrong = np.flatnonzero(_wrong(minorant.slope, box))
    slopes = minorant.slope[wrong].tolist()
    costs = [cost * minorant.denominator for cost in relaxation.cost[wrong].tolist()]
    unit = 2**_SHRINK_POWER
    shrink = 0
    for slope, cost in zip(slopes, costs, strict=True):
        if slope * cost >= 0:
            return None
        shrink = max(shrink, -(-abs(slope) * unit // (abs(slope) + abs(cost))))
    values = scaled(multipliers.values, unit - shrink)
    return Multipliers.of(
        relaxation.arrays, multipliers.rows, values, multipliers.denominator * unit
    )


class _Move(NamedTuple):
    """A change of one row's multiplier; the least one is the best."""

    wrong: int
    is_partial: bool
    times_used: int
    size: int
    row: int
    change: int


def _shifted(
    relaxation: ExactRelaxation, multipliers: Multipliers, minorant: Minorant, box: Box
) -> Multipliers | None:
    search = _Shifting(relaxation, multipliers, minorant, box)
    if not search.succeeds():
        return None
    rows = np.array(sorted(search.multiplier), dtype=np.int64)
    values = np.array([search.multiplier[row] for row in rows.tolist()], dtype=object)
    return Multipliers.of(relaxation.arrays, rows, integers(values), multipliers.denominator)


class _Shifting:
    """Moves multipliers until no reduced cost is wrong. All numbers are Python ints."""

    def __init__(
        self, relaxation: ExactRelaxation, multipliers: Multipliers, minorant: Minorant, box: Box
    ) -> None:
        arrays = relaxation.arrays
        self.arrays = arrays
        self.coefficient = relaxation.coefficient
        self.multiplier = dict(
            zip(multipliers.rows.tolist(), multipliers.values.tolist(), strict=True)
        )
        self.slope: list[int] = minorant.slope.tolist()
        self.is_open_below = np.isinf(box.lower).tolist()
        self.is_open_above = np.isinf(box.upper).tolist()
        self.waiting = deque(np.flatnonzero(_wrong(minorant.slope, box)).tolist())
        self.times_used: Counter[int] = Counter()
        self.seen = 0
        order = np.argsort(arrays.indices, kind="stable")
        lengths = np.diff(arrays.indptr)
        self.row_of = np.repeat(np.arange(lengths.size), lengths)[order]
        self.entry_of = order
        counts = np.bincount(arrays.indices, minlength=arrays.cost.size)
        self.column_start = np.concatenate([[0], np.cumsum(counts)])

    def succeeds(self) -> bool:
        while self.waiting:
            column = self.waiting.popleft()
            if not self.is_wrong(column, self.slope[column]):
                continue
            move = min(self.moves(column), default=None)
            if move is None or self.seen > _MOST_ENTRIES:
                return False
            self.apply(move)
            if move.is_partial:
                self.waiting.appendleft(column)
        return True

    def is_wrong(self, column: int, slope: int) -> bool:
        return (slope > 0 and self.is_open_below[column]) or (
            slope < 0 and self.is_open_above[column]
        )

    def moves(self, column: int) -> Iterator[_Move]:
        """Yield the moves that put a column right."""
        slope = self.slope[column]
        is_free = self.is_open_below[column] and self.is_open_above[column]
        start, end = self.column_start[column : column + 2].tolist()
        for row, entry in zip(
            self.row_of[start:end].tolist(), self.entry_of[start:end].tolist(), strict=True
        ):
            coefficient = int(self.coefficient[entry])
            if self.times_used[row] >= _MOST_USES or (is_free and slope % coefficient):
                continue
            # Rounded away from 0, so that what remains of the slope has the other sign.
            change = -(-abs(slope) // abs(coefficient))
            change = change if (slope > 0) == (coefficient > 0) else -change
            multiplier = self.multiplier.get(row, 0)
            side = self.arrays.row_lower if multiplier + change > 0 else self.arrays.row_upper
            is_partial = multiplier + change != 0 and not math.isfinite(side[row])
            if is_partial:
                # The row is open on that side, so its multiplier may go no farther than to 0.
                change = -multiplier
                if not change:
                    continue
            wrong = self.wrong_by(row, change)
            yield _Move(wrong, is_partial, self.times_used[row], abs(change), row, change)

    def wrong_by(self, row: int, change: int) -> int:
        """Return how many columns a move would put wrong that are right."""
        count = 0
        for column, coefficient in self.entries(row):
            slope = self.slope[column]
            if not self.is_wrong(column, slope):
                count += self.is_wrong(column, slope - coefficient * change)
        return count

    def apply(self, move: _Move) -> None:
        for column, coefficient in self.entries(move.row):
            before = self.slope[column]
            self.slope[column] = before - coefficient * move.change
            if self.is_wrong(column, self.slope[column]) and not self.is_wrong(column, before):
                self.waiting.append(column)
        self.multiplier[move.row] = self.multiplier.get(move.row, 0) + move.change
        self.times_used[move.row] += 1

    def entries(self, row: int) -> Iterator[tuple[int, int]]:
        start, end = self.arrays.indptr[row : row + 2].tolist()
        self.seen += end - start
        return zip(
            self.arrays.indices[start:end].tolist(),
            self.coefficient[start:end].tolist(),
            strict=True,
        )
