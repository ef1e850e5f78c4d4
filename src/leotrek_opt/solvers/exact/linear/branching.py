"""Which column to branch on: pseudo-costs, made reliable by trying.

A pseudo-cost is what the objective has risen by, on average, for each unit that a column was moved.
While a column has been moved too few times, both of its parts are solved for a few iterations
instead (reliability branching: Achterberg, Koch and Martin, Oper. Res. Lett. 33, 2005).
"""

from __future__ import annotations

import math
import threading
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.solvers.exact.linear.program import Basis, Program
from leotrek_opt.solvers.linear_arrays import FloatArray

FRACTION_TOLERANCE = 1e-6
_RELIABLE = 4
"""A column that was moved that often in each direction is not tried any more."""
_LOOKAHEAD = 8
"""Columns that are tried in a row without finding a better one."""
_MAX_ITERATIONS = 100
_MOST_TRIED = 32
"""Columns that are tried at one part."""
_FREE_ITERATIONS = 50_000
"""Of the simplex method, for trying alone; beyond, as many as for the parts themselves."""
_LEAST_GAIN = 1e-6


def has_fraction(values: FloatArray) -> bool:
    """Tell whether some value is no integer."""
    return bool(_is_fraction(values).any())


def _is_fraction(values: FloatArray) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.abs(values - np.rint(values)) > FRACTION_TOLERANCE
    return found


class Choice(NamedTuple):
    """A column, by its position among the integer ones, and the largest value of the first part."""

    position: int
    value: float


class Branching:
    """Learns what moving a column costs.

    Parameters
    ----------
    n
        Number of integer columns.
    """

    def __init__(self, n: int) -> None:
        # First row downwards, second row upwards.
        self._total = np.zeros((2, n))
        self._count = np.zeros((2, n))
        self._iterations_left = _FREE_ITERATIONS

    def learn(self, position: int, *, is_up: bool, distance: float, gain: float) -> None:
        """Take note of what moving a column has cost.

        Parameters
        ----------
        position
            Of the column.
        is_up
            Direction.
        distance
            By how much it had to move.
        gain
            By how much the objective has risen.
        """
        if distance > 0 and math.isfinite(gain):
            self._total[int(is_up), position] += max(gain, 0.0) / distance
            self._count[int(is_up), position] += 1

    def allow(self, iterations: int) -> None:
        """Allow for more iterations to be spent on trying."""
        self._iterations_left += iterations

    def choose(
        self,
        program: Program,
        lower: FloatArray,
        upper: FloatArray,
        values: FloatArray,
        objective: float,
        gap: float,
        basis: Basis,
        stop: threading.Event,
    ) -> Choice:
        """Choose among the columns whose value is a fraction.

        Parameters
        ----------
        program
            To try columns with.
        lower, upper
            Bounds of the integer columns.
        values
            Their values at an optimum of the relaxation, not all of them integers.
        objective
            Of that optimum.
        gap
            Rise of the objective that settles a part; infinite if that is not known.
        basis
            Of that optimum.
        stop
            Ends trying.

        Returns
        -------
        Choice
            The first of equally good ones.
        """
        fraction = values - np.floor(values)
        positions = np.flatnonzero(_is_fraction(values))
        distance = np.stack([fraction[positions], 1 - fraction[positions]])
        expected = distance * self._average(positions)
        order = np.lexsort((positions, -np.min(distance, axis=0), -_score(expected, gap)))
        best, best_score, since, tried = int(positions[order[0]]), -math.inf, 0, 0
        for k in order.tolist():
            position = int(positions[k])
            gains = expected[:, k]
            is_unreliable = np.min(self._count[:, position]) < _RELIABLE
            may_try = tried < _MOST_TRIED and self._iterations_left > 0 and not stop.is_set()
            if is_unreliable and may_try:
                tried += 1
                gains = np.array(
                    [
                        self._tried(
                            program, (lower, upper), values, position, is_up, objective, basis
                        )
                        for is_up in (False, True)
                    ]
                )
                for is_up in (False, True):
                    way = int(is_up)
                    self.learn(position, is_up=is_up, distance=distance[way, k], gain=gains[way])
            score = float(_score(gains, gap))
            if score > best_score:
                best, best_score, since = position, score, 0
            else:
                since += 1
            if since >= _LOOKAHEAD or np.min(gains) >= gap:
                break
        return Choice(best, math.floor(values[best]))

    def _average(self, positions: NDArray[np.int64]) -> FloatArray:
        """Return pseudo-costs; where nothing is known, the mean of the known ones."""
        total, count = self._total[:, positions], self._count[:, positions]
        all_counts = self._count.sum(axis=1, keepdims=True)
        mean = np.where(
            all_counts > 0, self._total.sum(axis=1, keepdims=True) / np.maximum(all_counts, 1), 1.0
        )
        return np.where(count > 0, total / np.maximum(count, 1), mean)

    def _tried(
        self,
        program: Program,
        box: tuple[FloatArray, FloatArray],
        values: FloatArray,
        position: int,
        is_up: bool,
        objective: float,
        basis: Basis,
    ) -> float:
        lower, upper = box[0].copy(), box[1].copy()
        if is_up:
            lower[position] = math.floor(values[position]) + 1
        else:
            upper[position] = math.floor(values[position])
        found = program.solve(lower, upper, basis, max_iterations=_MAX_ITERATIONS)
        self._iterations_left -= found.iterations
        return 0.0 if found.objective is None else max(found.objective - objective, 0.0)


def _score(gains: FloatArray, gap: float) -> FloatArray:
    """Return the product of both gains; more than settles a part counts no more than that."""
    finite = float(np.max(gains[np.isfinite(gains)], initial=1.0))
    most = max(gap if math.isfinite(gap) else finite, _LEAST_GAIN)
    capped = np.clip(gains, _LEAST_GAIN, most)
    product: FloatArray = np.prod(capped, axis=0)
    return product
