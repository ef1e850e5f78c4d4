"""A linear model in the integers that CP-SAT takes: exact, with room to add up any row.

Rows are divided by the greatest common divisor of their entries and their bounds rounded inwards,
which loses no integral point. CP-SAT refuses a row whose activity could leave ``[-2**62, 2**62]``;
such rows are refused here, by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import UnsupportedError
from leotrek_opt.solvers.linear import ColumnKind, LinearModel, ModelArrays

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

ROOM = 2**62
"""No activity reaches it, so it also stands for the bound of an open side."""
_SAFE = ROOM * (1 - 1e-9)
"""Below ROOM by more than sums of floats are off."""


@dataclass(frozen=True, eq=False)
class WholeModel:
    """A model in integers X, to be minimised.

    Attributes
    ----------
    lower, upper
        Bounds of each column, int64, shape (n,).
    steps
        Column j of the model is ``X[j] / steps[j]``, int64, shape (n,).
    cost
        Objective coefficients without a common divisor, int64, shape (n,).
    unit
        The model's ``cost' x``, negated if it maximises, is ``unit * (cost' X)``.
    least_cost
        Smallest ``cost' X`` within the column bounds.
    indptr, indices, data
        CSR matrix: indices as in the model, data int64, shape (nnz,).
    row_lower, row_upper
        Bounds of each row, int64, shape (m,); ``-ROOM`` and ``ROOM`` where the columns' own bounds
        say as much. A lower bound above its upper bound means that no integer is between them.
    """

    lower: IntArray
    upper: IntArray
    steps: IntArray
    cost: IntArray
    unit: Fraction
    least_cost: int
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    data: IntArray
    row_lower: IntArray
    row_upper: IntArray

    def values_of(self, whole: IntArray) -> FloatArray:
        """Return the model's point for integers X.

        Parameters
        ----------
        whole
            Shape (n,).

        Returns
        -------
        numpy.ndarray
            Shape (n,), exact wherever a float can hold it.
        """
        return whole / self.steps

    def is_feasible(self, whole: IntArray) -> bool:
        """Tell whether integers X keep every bound and row, without rounding.

        Parameters
        ----------
        whole
            Shape (n,).

        Returns
        -------
        bool
            Whether they do.
        """
        if np.any((whole < self.lower) | (whole > self.upper)):
            return False
        activity = _row_sums(self.indptr, self.data * whole[self.indices])
        return bool(np.all((activity >= self.row_lower) & (activity <= self.row_upper)))


def whole_model(model: LinearModel, continuous_steps: int | None) -> WholeModel:
    """Turn a model into integers.

    Parameters
    ----------
    model
        The model; columns implied to be integer are taken as integers.
    continuous_steps
        Continuous columns take multiples of one over this; None if there are none.

    Returns
    -------
    WholeModel
        The same model; with continuous columns, a restriction of it.

    Raises
    ------
    UnsupportedError
        If a continuous column has an infinite bound that no row implies, or a number could exceed
        2**62; the text names the column or row.
    """
    arrays = model.arrays()
    is_continuous = arrays.kind == ColumnKind.CONTINUOUS
    scale = continuous_steps or 1
    steps = np.where(is_continuous, scale, 1)
    lower, upper = _column_bounds(model, steps)
    largest = np.maximum(np.abs(lower), np.abs(upper)).astype(np.float64)

    priced = (arrays.cost != 0) & is_continuous
    factor = scale if priced.any() else 1
    cost, unit = _objective(arrays, factor, steps, largest)

    data, row_factor = _entries(model, steps, scale)
    divisor = _row_divisors(arrays.indptr, data)
    lengths = np.diff(arrays.indptr)
    data //= np.repeat(divisor, lengths)
    reach = _row_sums(arrays.indptr, np.abs(data) * largest[arrays.indices])
    if np.any(reach >= _SAFE):
        row = int(np.flatnonzero(reach >= _SAFE)[0])
        raise UnsupportedError(
            f"CP-SAT adds up integers below 2**62: row {model.row_label(row)} may reach "
            f"{reach[row]:.3g}; give its columns tighter bounds or coarser units"
        )
    low = np.where(data > 0, lower[arrays.indices], upper[arrays.indices])
    high = np.where(data > 0, upper[arrays.indices], lower[arrays.indices])
    least, most = _row_sums(arrays.indptr, data * low), _row_sums(arrays.indptr, data * high)
    row_lower = -_divided(-arrays.row_lower, row_factor, divisor)
    row_upper = _divided(arrays.row_upper, row_factor, divisor)
    return WholeModel(
        lower=lower,
        upper=upper,
        steps=steps,
        cost=cost,
        unit=unit,
        least_cost=int(np.sum(cost * np.where(cost > 0, lower, upper))),
        indptr=arrays.indptr,
        indices=arrays.indices,
        data=data,
        row_lower=np.where(row_lower <= least, -ROOM, row_lower),
        row_upper=np.where(row_upper >= most, ROOM, row_upper),
    )


def _column_bounds(model: LinearModel, steps: IntArray) -> tuple[IntArray, IntArray]:
    arrays = model.arrays()
    lower, upper = arrays.lower, arrays.upper
    if np.isinf(lower).any() or np.isinf(upper).any():
        from leotrek_opt.solvers.certificate.implied_bounds import implied_bounds

        lower, upper = (bound.astype(np.float64) for bound in implied_bounds(arrays))
    for side, bound in (("lower", lower), ("upper", upper)):
        wide = np.abs(bound) * steps >= ROOM
        if wide.any():
            column = int(np.flatnonzero(wide)[0])
            what = "has none, nor do its rows imply one" if np.isinf(bound[column]) else "is wider"
            raise UnsupportedError(
                f"CP-SAT needs bounds below 2**62: the {side} bound of column "
                f"{model.column_label(column)} {what}"
            )
    return lower.astype(np.int64) * steps, upper.astype(np.int64) * steps


def _objective(
    arrays: ModelArrays, factor: int, steps: IntArray, largest: FloatArray
) -> tuple[IntArray, Fraction]:
    """Multiply the costs by what continuous columns need, then divide out what is common."""
    multiplier = factor // np.where(arrays.cost != 0, steps, factor)
    size = np.abs(arrays.cost) * multiplier
    fits = np.max(size, initial=0.0) < _SAFE
    cost = np.where(fits, arrays.sign * arrays.cost, 0.0).astype(np.int64) * multiplier
    divisor = (int(np.gcd.reduce(cost)) if cost.size else 0) or 1
    reach = float(size @ largest) / divisor
    if not fits or reach >= _SAFE:
        raise UnsupportedError(
            f"CP-SAT adds up integers below 2**62: the objective may reach {reach:.3g}; "
            "give its columns tighter bounds or coarser units"
        )
    return cost // divisor, Fraction(divisor, factor)


def _entries(model: LinearModel, steps: IntArray, scale: int) -> tuple[IntArray, IntArray]:
    """Multiply rows that hold a continuous column by `scale`; return entries and factors."""
    arrays = model.arrays()
    lengths = np.diff(arrays.indptr)
    row_factor = np.ones(lengths.size, dtype=np.int64)
    data = arrays.data.astype(np.int64)
    if scale == 1:
        return data, row_factor
    row = np.repeat(np.arange(lengths.size), lengths)
    row_factor[row[steps[arrays.indices] > 1]] = scale
    multiplier = row_factor[row] // steps[arrays.indices]
    wide = np.flatnonzero(np.abs(arrays.data) * multiplier >= _SAFE)
    if wide.size:
        label = model.row_label(int(row[wide[0]]))
        raise UnsupportedError(
            f"CP-SAT adds up integers below 2**62: row {label} exceeds them in steps of 1/{scale}"
        )
    return data * multiplier, row_factor


def _row_divisors(indptr: NDArray[np.int32], data: IntArray) -> IntArray:
    divisor = np.ones(indptr.size - 1, dtype=np.int64)
    filled = np.flatnonzero(np.diff(indptr))
    if filled.size:
        divisor[filled] = np.gcd.reduceat(np.abs(data), indptr[filled])
    return divisor


def _divided(upper: FloatArray, factor: IntArray, divisor: IntArray) -> IntArray:
    """Return ``floor(upper * factor / divisor)``, at most ROOM either way."""
    wide = np.abs(upper) * factor >= ROOM
    result = np.where(wide, 0.0, upper).astype(np.int64) * factor // divisor
    result[wide] = np.where(upper[wide] > 0, ROOM, -ROOM)
    for row in np.flatnonzero(wide & np.isfinite(upper)).tolist():
        exact = int(upper[row]) * int(factor[row]) // int(divisor[row])
        result[row] = min(max(exact, -ROOM), ROOM)
    return result


def _row_sums(indptr: NDArray[np.int32], entries: NDArray[Any]) -> NDArray[Any]:
    """Add up the entries of each row, exactly if they are integers."""
    sums = np.zeros(indptr.size - 1, dtype=entries.dtype)
    filled = np.flatnonzero(np.diff(indptr))
    if filled.size:
        sums[filled] = np.add.reduceat(entries, indptr[filled])
    return sums
