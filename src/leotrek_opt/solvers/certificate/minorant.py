"""Linear functions below the objective of a model, from multiples of its rows, in exact integers.

With ``min c'x``, rows ``r <= A x <= s`` and any multipliers y, let ``d = c - A'y``. Every feasible
x satisfies ``c'x = y'Ax + d'x``, hence

    c'x >= sum of (y_i r_i if y_i > 0 else y_i s_i) + d'x
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.solvers.certificate.implied_bounds import implied_bounds
from leotrek_opt.solvers.certificate.integers import (
    Integers,
    added,
    dot,
    grouped_dot,
    integers,
    scaled,
)
from leotrek_opt.solvers.linear_arrays import FloatArray, ModelArrays


@dataclass(frozen=True, eq=False)
class Multipliers:
    """Numbers that rows are multiplied with, of the minimised objective.

    Attributes
    ----------
    rows
        Ascending, int64, shape (k,).
    values
        Numerators, none 0 and none pointing to a side on which its row is open, shape (k,).
    denominator
        A power of two.
    """

    rows: NDArray[np.int64]
    values: Integers
    denominator: int

    @classmethod
    def of(
        cls, arrays: ModelArrays, rows: NDArray[np.int64], values: Integers, denominator: int
    ) -> Multipliers:
        """Leave out what is 0 or points to an open side: any multipliers make a valid bound.

        Parameters
        ----------
        arrays
            The model.
        rows, values, denominator
            As the attributes, any numerators.

        Returns
        -------
        Multipliers
            The others.
        """
        sides = np.where(values > 0, arrays.row_lower[rows], arrays.row_upper[rows])
        kept = np.flatnonzero((values != 0) & np.isfinite(sides))
        return cls(rows[kept], values[kept], denominator)


@dataclass(frozen=True, eq=False)
class Box:
    """Bounds of the columns: whole numbers or infinite, float64, shape (n,)."""

    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True, eq=False)
class Minorant:
    """A linear function that no feasible point's objective is below, times a denominator.

    Attributes
    ----------
    constant
        Its value at 0.
    slope
        The reduced costs, shape (n,).
    denominator
        What both are to be divided by.
    """

    constant: int
    slope: Integers
    denominator: int

    def least(self, box: Box) -> int | None:
        """Return its least value in a box, times the denominator; None for minus infinity."""
        columns = np.flatnonzero(self.slope)
        slope = self.slope[columns]
        ends = np.where(slope > 0, box.lower[columns], box.upper[columns])
        if np.isinf(ends).any():
            return None
        return self.constant + dot(slope, integers(ends))


class ExactRelaxation:
    """The linear relaxation of a model, minimised, without offset, in exact integers.

    Parameters
    ----------
    arrays
        The model.
    """

    def __init__(self, arrays: ModelArrays) -> None:
        self.arrays = arrays
        self.cost = (arrays.sign * arrays.cost).astype(np.int64)
        self.coefficient = arrays.data.astype(np.int64)
        self.root = Box(*implied_bounds(arrays))

    def box(self, lower: ArrayLike | None = None, upper: ArrayLike | None = None) -> Box:
        """Return a box in which to bound, by default that of the model.

        Parameters
        ----------
        lower, upper
            Shape (n,), rounded outwards to whole numbers, or None. Where they are infinite, what
            the rows of the model imply stands instead.

        Returns
        -------
        Box
            For :meth:`Minorant.least`.
        """
        size = self.arrays.cost.size
        low, high = self.root.lower, self.root.upper
        if lower is not None:
            given = np.floor(vector(lower, size, "lower"))
            low = np.where(np.isfinite(given), given, low)
        if upper is not None:
            given = np.ceil(vector(upper, size, "upper"))
            high = np.where(np.isfinite(given), given, high)
        return Box(low, high)

    def minorant(self, multipliers: Multipliers, *, costs: bool = True) -> Minorant:
        """Combine rows into a linear function below the objective.

        Parameters
        ----------
        multipliers
            Of the rows.
        costs
            False takes all costs as 0: a function that is nowhere above 0 at a feasible point.

        Returns
        -------
        Minorant
            Over the denominator of the multipliers.
        """
        arrays = self.arrays
        rows, values = multipliers.rows, multipliers.values
        starts, ends = arrays.indptr[rows], arrays.indptr[rows + 1]
        entries = _runs(starts, ends)
        combined = grouped_dot(
            arrays.indices[entries],
            self.coefficient[entries],
            np.repeat(values, ends - starts),
            arrays.cost.size,
        )
        slope = -combined
        if costs:
            slope = added(scaled(self.cost, multipliers.denominator), slope)
        sides = np.where(values > 0, arrays.row_lower[rows], arrays.row_upper[rows])
        return Minorant(dot(values, integers(sides)), slope, multipliers.denominator)


def vector(values: ArrayLike, size: int, field: str) -> FloatArray:
    """Return a float64 vector of a given length.

    Parameters
    ----------
    values, size
        What must have shape (size,).
    field
        Its name, for the error.

    Returns
    -------
    numpy.ndarray
        Not a copy where none is needed.

    Raises
    ------
    InputError
        If it has another shape.
    """
    found = np.asarray(values, dtype=np.float64)
    if found.shape != (size,):
        raise InputError(f"must have shape ({size},), not {found.shape}", field=field)
    return found


def _runs(starts: NDArray[np.int32], ends: NDArray[np.int32]) -> NDArray[np.int64]:
    """List the numbers from each start up to its end."""
    lengths = (ends - starts).astype(np.int64)
    before = np.cumsum(lengths) - lengths
    runs: NDArray[np.int64] = np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths)
    return runs
