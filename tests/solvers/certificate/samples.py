"""Small models and their optima in exact arithmetic, without a solver."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from leotrek_opt.solvers.linear import LinearModel


class Sample(NamedTuple):
    """A model and its optimal value, offset included; None if it has no feasible point."""

    model: LinearModel
    optimum: Fraction | None


def integer_sample(rng: np.random.Generator) -> Sample:
    """Draw an integer program: sides, ranges, equalities, free and empty rows, either sense."""
    n, m = int(rng.integers(1, 6)), int(rng.integers(1, 5))
    lower = rng.integers(-3, 2, n)
    upper = lower + rng.integers(0, 5, n)
    matrix, low, high = _rows(rng, m, n, (lower + upper) // 2)
    cost = rng.integers(-9, 10, n) * int(rng.integers(1, 4))
    model = LinearModel(minimise=bool(rng.integers(2)), offset=int(rng.integers(-20, 20)))
    x = model.add_variables(n, lower=lower, upper=upper, cost=cost, integer=True, name="x")
    model.add_rows(np.tile(x, (m, 1)), matrix, lower=low, upper=high, name="r")
    points = _grid(lower, upper)
    activity = points @ matrix.T
    values = (points @ cost)[np.all((activity >= low) & (activity <= high), axis=1)]
    return Sample(model, _best(model, [Fraction(int(value)) for value in values]))


def wide_sample(rng: np.random.Generator) -> Sample:
    """Draw an integer program with coefficients and costs from 1 to nearly 2**53."""
    n, m = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    lower = rng.integers(-3, 2, n)
    upper = lower + rng.integers(0, 4, n)
    matrix = _wide(rng, (m, n), 48)
    cost = _wide(rng, (1, n), 52)[0]
    middle = matrix @ ((lower + upper) // 2)
    low = np.where(rng.random(m) < 0.5, middle - rng.integers(0, 9, m), -np.inf)
    high = np.where(rng.random(m) < 0.5, middle + rng.integers(0, 9, m), np.inf)
    model = LinearModel(minimise=bool(rng.integers(2)), offset=int(rng.integers(-9, 9)))
    x = model.add_variables(n, lower=lower, upper=upper, cost=cost, integer=True, name="x")
    model.add_rows(np.tile(x, (m, 1)), matrix, lower=low, upper=high, name="r")
    points = _grid(lower, upper)
    activity = points @ matrix.T
    is_feasible = np.all((activity >= low) & (activity <= high), axis=1)
    values = [
        sum(a * b for a, b in zip(point, cost.tolist(), strict=True))
        for point in points[is_feasible].tolist()
    ]
    return Sample(model, _best(model, [Fraction(value) for value in values]))


def _wide(rng: np.random.Generator, shape: tuple[int, int], power: int) -> np.ndarray:
    size = 2 ** rng.integers(0, power, shape)
    return rng.integers(-1, 2, shape) * size + rng.integers(-2, 3, shape)


def mixed_sample(rng: np.random.Generator) -> Sample:
    """Draw a program with one continuous column, whose best value follows from all others.

    The column may lack a bound; a draw without an optimum is replaced.
    """
    while True:
        n, m = int(rng.integers(1, 5)), int(rng.integers(1, 5))
        lower = np.append(rng.integers(-3, 2, n), rng.choice([-math.inf, -4.0, 0.0]))
        upper = np.append(lower[:n] + rng.integers(0, 4, n), rng.choice([math.inf, 5.0]))
        matrix, low, high = _rows(rng, m, n + 1, np.append((lower[:n] + upper[:n]) // 2, 0))
        cost = rng.integers(-9, 10, n + 1)
        model = LinearModel(minimise=bool(rng.integers(2)), offset=int(rng.integers(-20, 20)))
        x = model.add_variables(
            n + 1, lower=lower, upper=upper, cost=cost, integer=np.arange(n + 1) < n, name="x"
        )
        model.add_rows(np.tile(x, (m, 1)), matrix, lower=low, upper=high, name="r")
        values = []
        for point in _grid(lower[:n], upper[:n]):
            rest = matrix[:, :n] @ point
            interval = _interval(
                (lower[n], upper[n]), matrix[:, n].tolist(), low - rest, high - rest
            )
            if interval is not None:
                fixed = Fraction(int(point @ cost[:n]))
                values += [fixed + int(cost[n]) * end if cost[n] else fixed for end in interval]
        if all(isinstance(value, Fraction) for value in values):
            return Sample(model, _best(model, values))


def _rows(
    rng: np.random.Generator, m: int, n: int, centre: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    matrix = rng.integers(-6, 7, (m, n)) * (rng.random((m, n)) < 0.8)
    middle = (matrix @ centre).astype(int) + rng.integers(-6, 7, m)
    low = np.where(rng.random(m) < 0.6, middle - rng.integers(0, 9, m), -np.inf)
    high = np.where(rng.random(m) < 0.6, middle + rng.integers(0, 9, m), np.inf)
    is_equality = rng.random(m) < 0.2
    return matrix, np.where(is_equality, middle, low), np.where(is_equality, middle, high)


def _grid(lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    ranges = [np.arange(int(a), int(b) + 1) for a, b in zip(lower, upper, strict=True)]
    return np.array(list(itertools.product(*ranges)))


def _interval(
    bounds: tuple[float, float], coefficients: list[int], low: np.ndarray, high: np.ndarray
) -> tuple[Fraction | float, Fraction | float] | None:
    """Return what rows and bounds leave of a column: exact, or infinite; None if nothing."""
    least, most = map(_exact, bounds)
    for coefficient, side_low, side_high in zip(
        coefficients, low.tolist(), high.tolist(), strict=True
    ):
        ends = [_exact(side_low), _exact(side_high)]
        if not coefficient:
            if ends[0] > 0 or ends[1] < 0:
                return None
            continue
        ends = sorted(end / coefficient for end in ends)
        least, most = max(least, ends[0]), min(most, ends[1])
    return (least, most) if least <= most else None


def _exact(value: float) -> Fraction | float:
    return Fraction(value) if math.isfinite(value) else value


def _best(model: LinearModel, values: list[Fraction]) -> Fraction | None:
    if not values:
        return None
    return model.offset + (min(values) if model.minimise else max(values))
