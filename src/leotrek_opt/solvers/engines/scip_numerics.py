"""How SCIP has to be set so that it tells the integers of a model apart.

SCIP takes numbers for equal that agree to one part in 10**9, and once it knows the step of an
objective, it discards whatever is not better by a step, give or take 10**-4 of one. In sums of
10**10 and more, as costs in nano-units give, that hides whole steps: with its own settings SCIP 10
called wrong values optimal on one knapsack in six with coefficients near 10**10.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leotrek_opt.solvers.linear import ColumnKind, ModelArrays
from leotrek_opt.solvers.linear_arrays import FloatArray

_EPSILONS = (1e-13, 1e-9)
"""Near the precision of doubles, and what SCIP uses by itself."""
_MANY_STEPS = 1e10
"""Beyond so many steps of the objective, rounding errors come near the 10**-4 of one."""
_FACTOR = 1024.0
_LARGEST_OBJECTIVE = 1e19
"""SCIP takes 10**20 for infinite."""
_LARGE_ROW = 1e9
"""Cutting planes from rows with larger numbers were seen to cut off the optimum."""


@dataclass(frozen=True)
class Numerics:
    """Settings for one model.

    Attributes
    ----------
    epsilon
        Relative difference below which SCIP takes two numbers for equal.
    factor
        What costs are multiplied by, a power of two: SCIP then sees steps of that size but thinks
        in steps of 1, so that rounding errors do not hide one.
    has_safe_cuts
        Whether cutting planes can be trusted.
    """

    epsilon: float
    factor: float
    has_safe_cuts: bool

    @property
    def gap_in_steps(self) -> float:
        """Distance of objective and bound, in steps, at which the optimum is proven."""
        return 0.999 if self.factor == 1.0 else 0.5


def numerics_of(arrays: ModelArrays) -> Numerics:
    """Choose settings by the size of a model's numbers.

    Parameters
    ----------
    arrays
        The model.

    Returns
    -------
    Numerics
        SCIP's own settings, unless the model needs others.
    """
    row, objective, step = _largest_row(arrays), _largest_objective(arrays), arrays.objective_step
    steps = 0.0 if step is None else objective / step
    epsilon = float(np.clip(0.1 / max(1.0, row, steps), *_EPSILONS))
    needs_factor = steps > _MANY_STEPS and objective * _FACTOR < _LARGEST_OBJECTIVE
    return Numerics(epsilon, _FACTOR if needs_factor else 1.0, row <= _LARGE_ROW)


def _largest_row(arrays: ModelArrays) -> float:
    """Return the largest number in or beside a row over integer columns."""
    is_integral = arrays.kind[arrays.indices] != ColumnKind.CONTINUOUS
    row = np.repeat(np.arange(arrays.row_lower.size), np.diff(arrays.indptr))
    concerned = np.unique(row[is_integral])
    sides = np.concatenate([arrays.row_lower[concerned], arrays.row_upper[concerned]])
    numbers = np.abs(np.concatenate([sides[np.isfinite(sides)], arrays.data[is_integral]]))
    return float(numbers.max(initial=0.0))


def _largest_objective(arrays: ModelArrays) -> float:
    """Return a size that the objective does not exceed at integers within their bounds."""
    priced = np.flatnonzero((arrays.cost != 0) & (arrays.kind != ColumnKind.CONTINUOUS))
    largest = np.maximum(np.abs(arrays.lower[priced]), np.abs(arrays.upper[priced]))
    reach: FloatArray = np.abs(arrays.cost[priced]) * largest
    return float(reach[np.isfinite(reach)].sum())
