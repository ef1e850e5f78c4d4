"""Small models with known optima, for the tests of all engines."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from leotrek_opt.solvers.linear import LinearModel


def toy() -> LinearModel:
    """Minimise 2x + 3z with 2x + 2z >= 9, z integer: x = 4.5, so 9. HiGHS 1.14 says 15."""
    model = LinearModel()
    x = model.add_variables((), lower=0, upper=10, cost=2, name="x")
    z = model.add_variables((), lower=0, upper=10, cost=3, integer=True, name="z")
    model.add_rows([x, z], 2, lower=9, name="demand")
    return model


def market_split(seed: int, n_rows: int = 5) -> LinearModel:
    """Equal splits of several products at once: no solver proves anything within seconds."""
    rng = np.random.default_rng(seed)
    n = 10 * (n_rows - 1)
    weight = rng.integers(0, 100, (n_rows, n))
    half = weight.sum(axis=1) // 2
    model = LinearModel()
    x = model.add_variables(n, lower=0, upper=1, integer=True, name="x")
    slack = model.add_variables((n_rows, 2), lower=0, upper=5000, cost=1, integer=True, name="s")
    columns = np.hstack([np.tile(x, (n_rows, 1)), slack])
    coefficients = np.hstack([weight, np.tile([1, -1], (n_rows, 1))])
    model.add_rows(columns, coefficients, lower=half, upper=half, name="split")
    return model


def knapsack(seed: int, n_rows: int, n: int) -> LinearModel:
    """Several knapsack rows, to be maximised."""
    rng = np.random.default_rng(seed)
    weight = rng.integers(100, 1000, (n_rows, n))
    value = weight.sum(axis=0) // n_rows + rng.integers(0, 100, n)
    model = LinearModel(minimise=False)
    x = model.add_variables(n, lower=0, upper=1, cost=value, integer=True, name="x")
    model.add_rows(np.tile(x, (n_rows, 1)), weight, upper=weight.sum(axis=1) // 3, name="room")
    return model


def random_model(rng: np.random.Generator) -> tuple[LinearModel, float | None]:
    """Draw a small integer program and its optimum by enumeration, None if infeasible."""
    n, m = int(rng.integers(1, 6)), int(rng.integers(1, 5))
    lower = rng.integers(-3, 2, n)
    upper = lower + rng.integers(0, 5, n)
    matrix = rng.integers(-6, 7, (m, n)) * (rng.random((m, n)) < 0.8)
    cost = rng.integers(-9, 10, n) * int(rng.integers(1, 4))
    centre = matrix @ ((lower + upper) // 2) + rng.integers(-9, 10, m)
    low = np.where(rng.random(m) < 0.6, centre - rng.integers(0, 9, m), -np.inf)
    high = np.where(rng.random(m) < 0.6, centre + rng.integers(0, 9, m), np.inf)
    minimise, offset = bool(rng.integers(2)), int(rng.integers(-20, 20))

    model = LinearModel(minimise=minimise, offset=offset)
    x = model.add_variables(n, lower=lower, upper=upper, cost=cost, integer=True, name="x")
    model.add_rows(np.tile(x, (m, 1)), matrix, lower=low, upper=high, name="r")

    ranges = [np.arange(a, b + 1) for a, b in zip(lower, upper, strict=True)]
    points = np.array(list(itertools.product(*ranges)))
    activity = points @ matrix.T
    feasible = np.all((activity >= low) & (activity <= high), axis=1)
    values = points[feasible] @ cost + offset
    if not values.size:
        return model, None
    return model, int(values.min() if minimise else values.max())


@dataclass(frozen=True, eq=False)
class Oracle:
    """A model and its optimum by enumeration, None if it is infeasible."""

    model: LinearModel
    optimum: int | None


def random_mixed_model(rng: np.random.Generator) -> Oracle:
    """Draw integers beside columns that only the rows make integers, and enumerate the integers.

    Each continuous column is at least an integer combination of the others and has a cost that
    pushes it down onto it, so that its value follows from them.
    """
    n, k = int(rng.integers(1, 5)), int(rng.integers(1, 3))
    lower = rng.integers(-2, 2, n)
    upper = lower + rng.integers(0, 4, n)
    cost, worth = rng.integers(-9, 10, n), rng.integers(1, 6, k)
    weights, floor = rng.integers(-4, 5, (k, n)), rng.integers(-5, 6, k)
    matrix = rng.integers(-5, 6, (2, n))
    limit = matrix @ ((lower + upper) // 2) + rng.integers(-4, 8, 2)
    model = LinearModel(offset=int(rng.integers(-20, 20)))
    x = model.add_variables(n, lower=lower, upper=upper, cost=cost, integer=True, name="x")
    implied = bool(rng.integers(2))
    low, high = -200, 200
    y = model.add_variables(
        k, lower=low, upper=high, cost=worth, implied_integer=np.full(k, implied), name="y"
    )
    columns = np.column_stack([y, np.tile(x, (k, 1))])
    model.add_rows(columns, np.column_stack([np.ones(k, int), -weights]), lower=floor, name="push")
    model.add_rows(np.tile(x, (2, 1)), matrix, upper=limit, name="limit")

    ranges = [np.arange(a, b + 1) for a, b in zip(lower, upper, strict=True)]
    points = np.array(list(itertools.product(*ranges)))
    feasible = np.all(points @ matrix.T <= limit, axis=1)
    pushed = np.maximum(points @ weights.T + floor, low)
    values = (points @ cost + pushed @ worth)[feasible] + model.offset
    return Oracle(model, int(values.min()) if values.size else None)


def model_that_highs_presolve_fails_on() -> LinearModel:
    """Infeasible; HiGHS 1.13.1 ends with "Solve error" unless its presolve is off."""
    model = LinearModel(minimise=False)
    model.add_variables(
        11,
        lower=[0, 0, 0, 0, 0, -20, 0, 0, 0, 0, 0],
        upper=[1, 1, 1, 1, 1, 11, 1, 1, 1, 1, 1],
        cost=[-336, -245, -336, 329, -259, -252, 217, 301, 63, -147, -133],
        integer=True,
        name="x",
    )
    model.add_rows(
        [
            3,
            6,
            10,
            0,
            2,
            3,
            4,
            6,
            7,
            1,
            3,
            4,
            5,
            8,
            10,
            0,
            1,
            2,
            3,
            5,
            6,
            9,
            1,
            3,
            4,
            6,
            7,
            9,
            10,
            0,
            1,
            2,
            4,
            8,
            2,
            8,
            10,
            4,
            7,
            0,
            0,
            1,
            4,
            6,
            10,
            2,
            4,
            8,
            9,
            10,
            0,
            5,
            7,
            8,
            9,
            10,
        ],
        [
            30000,
            -21000,
            -22000,
            -9000,
            5000,
            -29000,
            -4000,
            -24000,
            -8000,
            -11,
            2,
            15,
            -20,
            -27,
            -25,
            -3000,
            -20000,
            28000,
            -18000,
            -2000,
            -10000,
            -6000,
            12,
            63,
            72,
            84,
            75,
            66,
            -78,
            21,
            -21,
            9,
            -16,
            3,
            -3,
            -3,
            3,
            1,
            1,
            3,
            -15,
            19,
            -23,
            1,
            12,
            1000,
            1000,
            -1000,
            -1000,
            1000,
            23000,
            28000,
            -17000,
            5000,
            11000,
            -8000,
        ],
        indptr=[0, 3, 9, 15, 22, 29, 34, 37, 39, 40, 45, 50, 56],
        lower=[
            -22000,
            -math.inf,
            -math.inf,
            49000,
            -math.inf,
            33,
            -3,
            0,
            3,
            -math.inf,
            4,
            -389000,
        ],
        upper=[-22000, -3998, 248, 49000, math.inf, 33, -3, 0, 3, -3, 4, -389000],
        name="r",
    )
    return model
