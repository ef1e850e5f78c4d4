"""What a proof is after: that no point of a model is better than some value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.solvers.certificate.integers import INT64_ROOM
from leotrek_opt.solvers.certificate.minorant import Box, Minorant
from leotrek_opt.solvers.linear_arrays import ColumnKind, FloatArray, ModelArrays


@dataclass(frozen=True)
class Target:
    """A value of the minimised objective, without offset, below which nothing shall be left.

    Parameters
    ----------
    value
        The value.
    step
        What the optimal value is a multiple of, or None.
    """

    value: Fraction
    step: int | None

    @classmethod
    def of(cls, arrays: ModelArrays, objective: Fraction | int) -> Target:
        """Read an objective of the model, offset included, in its own sense."""
        value = arrays.sign * (Fraction(objective) - arrays.offset)
        return cls(value, arrays.objective_step)

    def numerator(self, denominator: int) -> int:
        """Return the least numerator of a bound that reaches the target.

        Parameters
        ----------
        denominator
            Of the bound.

        Returns
        -------
        int
            If the objective moves in steps, the first one above the last step before the target.
        """
        if self.step is None:
            return math.ceil(self.value * denominator)
        before = math.ceil(self.value / self.step) - 1
        return before * self.step * denominator + 1

    def is_reached(self, bound: Fraction) -> bool:
        """Tell whether a bound on the minimised objective, without offset, reaches the target."""
        return bound.numerator >= self.numerator(bound.denominator)


def own_bound(arrays: ModelArrays, value: Fraction) -> Fraction | int:
    """Turn a bound on the minimised objective without offset into one on the model's objective.

    Parameters
    ----------
    arrays
        The model.
    value
        The bound.

    Returns
    -------
    fractions.Fraction or int
        In the model's own sense, with the offset; moved to the next value that the optimum can have
        and an int if there are such steps.
    """
    step = arrays.objective_step
    if step is None:
        return arrays.offset + arrays.sign * value
    return arrays.offset + arrays.sign * step * math.ceil(value / step)


@dataclass(frozen=True, eq=False)
class Tightening:
    """New bounds of some columns.

    Attributes
    ----------
    columns
        The columns, shape (k,).
    lower, upper
        Their bounds, shape (k,); a column may end up without any value.
    """

    columns: NDArray[np.int64]
    lower: FloatArray
    upper: FloatArray


def tightening(
    arrays: ModelArrays, minorant: Minorant, target: Target, box: Box
) -> Tightening | None:
    """Find the values of integer columns whose bound already reaches the target.

    From the least value b of the minorant in the box, moving a column by k away from its end costs
    ``k |d_j|`` on top. What reaches the target is of no use for anything better.

    Parameters
    ----------
    arrays
        The model.
    minorant
        With its slopes d.
    target
        What shall be shown.
    box
        Bounds of the columns.

    Returns
    -------
    Tightening or None
        What changes, if anything does.
    """
    least = minorant.least(box)
    if least is None:
        return None
    is_bounded = np.isfinite(box.lower) & np.isfinite(box.upper)
    is_integer = arrays.kind == ColumnKind.INTEGER
    columns = np.flatnonzero(is_integer & is_bounded & (minorant.slope != 0))
    slope, cost = minorant.slope[columns], np.abs(minorant.slope[columns])
    room = target.numerator(minorant.denominator) - 1 - least
    if abs(room) >= INT64_ROOM:
        cost = cost.astype(object)
    steps = np.maximum(room // cost, -1)
    lower, upper = box.lower[columns].astype(np.int64), box.upper[columns].astype(np.int64)
    changed = np.flatnonzero((lower <= upper) & (steps < upper - lower))
    if not changed.size:
        return None
    columns, slope = columns[changed], slope[changed]
    steps, lower, upper = steps[changed].astype(np.int64), lower[changed], upper[changed]
    return Tightening(
        columns,
        np.where(slope < 0, upper - steps, lower).astype(np.float64),
        np.where(slope > 0, lower + steps, upper).astype(np.float64),
    )
