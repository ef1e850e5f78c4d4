"""From what HiGHS says of a part, in floating point, to multipliers that prove it."""

from __future__ import annotations

import numpy as np

from leotrek_opt.solvers.certificate.linear import Evidence, best_evidence, unit_ray
from leotrek_opt.solvers.certificate.minorant import Box, ExactRelaxation, Multipliers
from leotrek_opt.solvers.exact.linear.goal import Goal
from leotrek_opt.solvers.linear_arrays import FloatArray, ModelArrays

LOSS = 1e-6
"""What rounding may cost, absolutely or as a fraction of the objective."""

_INNER_POWERS = (20, 30, 40)
"""Rounding of duals within the tree; those after the first only if that loses too much."""
_CLOSING_POWERS = (4, 8, 12, 16, 20, 30, 40, 60)
"""Rounding of duals at leaves: the coarsest that does makes the shortest certificate."""
_RAY_POWERS = (4, 8, 12, 20, 30, 40, 60)


def bounding(
    relaxation: ExactRelaxation,
    row_dual: FloatArray,
    objective: float,
    box: Box,
    goal: Goal | None,
) -> Evidence | None:
    """Round duals as coarsely as settles a part, or else as finely as is worth it.

    Parameters
    ----------
    relaxation
        The model.
    row_dual, objective
        At an optimum of the relaxation in the box, minimised.
    box
        The part.
    goal
        What settles it, or None.

    Returns
    -------
    Evidence or None
        The best that was found; None if nothing bounds.
    """
    loss = LOSS * max(1.0, abs(objective))
    best: Evidence | None = None
    if goal is not None and goal.distance(objective) <= loss:
        for power in _CLOSING_POWERS:
            found = best_evidence(relaxation, row_dual, box, powers=(power,))
            if found is not None and goal.target.is_reached(found.value):
                return found
            best = _better(best, found)
        return best
    best = best_evidence(relaxation, row_dual, box, powers=_INNER_POWERS[:1])
    if best is None or objective - float(best.value) > loss:
        best = _better(best, best_evidence(relaxation, row_dual, box, powers=_INNER_POWERS[1:]))
    return best


def _better(one: Evidence | None, other: Evidence | None) -> Evidence | None:
    """Return the evidence of the greater value, the first of equal ones."""
    if one is None or other is None:
        return one or other
    return other if other.value > one.value else one


def refuting(relaxation: ExactRelaxation, ray: FloatArray | None, box: Box) -> Multipliers | None:
    """Find multipliers that show that a part is empty.

    Parameters
    ----------
    relaxation
        The model.
    ray
        What is said to show it, shape (m,), or None.
    box
        The part.

    Returns
    -------
    Multipliers or None
        From the ray, or else of a single row.
    """
    if ray is not None:
        scaled = unit_ray(ray)
        for power in _RAY_POWERS:
            found = best_evidence(relaxation, scaled, box, powers=(power,), costs=False)
            if found is not None and found.least > 0:
                return found.multipliers
    alone = _worst_row(relaxation.arrays, box)
    if alone is None:
        return None
    least = relaxation.minorant(alone, costs=False).least(box)
    return alone if least is not None and least > 0 else None


def _worst_row(arrays: ModelArrays, box: Box) -> Multipliers | None:
    """Return the row that is farthest beyond what it can reach in a box, in floating point."""
    lengths = np.diff(arrays.indptr)
    row = np.repeat(np.arange(lengths.size), lengths)
    lower, upper = arrays.data * box.lower[arrays.indices], arrays.data * box.upper[arrays.indices]
    least = np.bincount(row, np.minimum(lower, upper), lengths.size)
    most = np.bincount(row, np.maximum(lower, upper), lengths.size)
    # A row whose limit is infinite, or that is unlimited in the box, has an excess of -inf.
    excess = np.stack([arrays.row_lower - most, least - arrays.row_upper])
    if not excess.size or not np.max(excess) > 0:
        return None
    side, worst = np.unravel_index(int(np.argmax(excess)), excess.shape)
    return Multipliers(np.array([worst]), np.array([1 - 2 * side]), 1)
