"""From exact numbers to whole ones: what columns, rows and the objective are multiplied by."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.solvers.linear_input import MAX_COEFFICIENT, MAX_VALUE
from leotrek_opt.solvers.rationals import (
    IntegerArray,
    Rationals,
    common_divisors,
    common_multiples,
    ones,
    product,
)

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_SHOWN_BITS = 200


@dataclass(frozen=True, eq=False)
class ExactModel:
    """A model as its author wrote it; n columns, m rows.

    Attributes
    ----------
    cost, lower, upper
        Objective coefficients and bounds, shape (n,).
    integer, implied_integer
        Kinds of the columns, shape (n,).
    starts, entries, data
        The matrix in CSR form: int64 of shape (m + 1,), int32 and numbers of shape (nnz,).
    row_lower, row_upper
        Bounds of the rows, shape (m,).
    minimise, offset
        Sense and constant of the objective.
    column_names, row_names
        Distinct names.
    """

    cost: Rationals
    lower: Rationals
    upper: Rationals
    integer: BoolArray
    implied_integer: BoolArray
    starts: NDArray[np.int64]
    entries: NDArray[np.int32]
    data: Rationals
    row_lower: Rationals
    row_upper: Rationals
    minimise: bool
    offset: Fraction
    column_names: Sequence[str]
    row_names: Sequence[str]


class Columns(NamedTuple):
    """Bounds in whole numbers, and what the author's values are multiplied by; shape (n,)."""

    lower: FloatArray
    upper: FloatArray
    scale: IntegerArray


class Rows(NamedTuple):
    """Matrix entries and row bounds in whole numbers, and what each row is multiplied by."""

    data: FloatArray
    lower: FloatArray
    upper: FloatArray
    scale: Rationals


class Objective(NamedTuple):
    """Costs and constant in whole numbers, and what they are multiplied by."""

    cost: FloatArray
    offset: int
    scale: int


def scaled_columns(model: ExactModel) -> Columns:
    """Make the bounds of columns whole.

    Parameters
    ----------
    model
        The model.

    Returns
    -------
    Columns
        Bounds of integer columns are moved inward; another column gets a unit in which both its
        bounds are whole.

    Raises
    ------
    InputError
        If bounds cross, an integer column has an infinite bound or no integer within its bounds, or
        a bound does not fit once it is whole.
    """
    names, lower, upper = model.column_names, model.lower, model.upper
    whole = model.integer | model.implied_integer
    for field, bound in (("lower", lower), ("upper", upper)):
        for at in np.flatnonzero(bound.infinite & whole)[:1].tolist():
            raise InputError(
                f"must be finite for an integer column ({names[at]})", field=f"{field}[{at}]"
            )
    _require_order(lower, upper, "", names)
    scale: IntegerArray = np.ones(len(lower), dtype=np.int64)
    low, high = lower.numerator, upper.numerator
    if lower.fractional.any() or upper.fractional.any():
        free = np.flatnonzero(~whole)
        scale = common_multiples(
            np.concatenate([lower.denominator[free], upper.denominator[free]]),
            np.tile(free, 2),
            len(lower),
        )
        for at in np.flatnonzero(scale > MAX_VALUE)[:1].tolist():
            raise InputError(
                f"is too fine: in whole numbers the unit is 1/{_shown(scale[at])}; round it to "
                f"fewer digits (column {names[at]})",
                field=f"{'lower' if lower.denominator[at] > 1 else 'upper'}[{at}]",
            )
        low, high = lower.times(scale).numerator, upper.times(scale).numerator
        low[whole], high[whole] = lower.take(whole).ceil(), upper.take(whole).floor()
        for at in np.flatnonzero(whole & (low > high))[:1].tolist():
            raise InputError(
                f"no integer lies in [{lower[at]}, {upper[at]}] (column {names[at]})",
                field=f"lower[{at}]",
            )

    def floats(numbers: IntegerArray, bound: Rationals, field: str) -> FloatArray:
        return _fitting(
            numbers, bound.infinite, MAX_VALUE, lambda at: (f"{field}[{at}]", f"column {names[at]}")
        )

    return Columns(floats(low, lower, "lower"), floats(high, upper, "upper"), scale)


def scaled_objective(model: ExactModel, column_scale: IntegerArray) -> Objective:
    """Make costs and constant of the objective whole.

    Parameters
    ----------
    model
        The model.
    column_scale
        What the values of columns are multiplied by, shape (n,).

    Returns
    -------
    Objective
        Multiplied by the least common denominator.

    Raises
    ------
    InputError
        If a cost is infinite, or does not fit once it is whole.
    """
    names = model.column_names
    _require_finite(model.cost, "cost", lambda at: f"column {names[at]}")
    cost = model.cost.over(column_scale)
    scale = math.lcm(*set(cost.denominator.tolist()), model.offset.denominator)
    factor = np.full(len(cost), scale, dtype=np.int64 if scale <= MAX_VALUE else object)
    hint = f"{scale} times its value" if 1 < scale <= MAX_VALUE else "the objective made whole"
    whole = _fitting(
        cost.times(factor).numerator,
        None,
        MAX_VALUE,
        lambda at: (f"cost[{at}]", f"column {names[at]}, {hint}"),
    )
    return Objective(whole, int(model.offset * scale), scale)


def scaled_rows(model: ExactModel, column_scale: IntegerArray) -> Rows:
    """Make matrix and row bounds whole.

    Parameters
    ----------
    model
        The model.
    column_scale
        What the values of columns are multiplied by, shape (n,).

    Returns
    -------
    Rows
        A row with fractions is multiplied by their least common denominator and divided by the
        greatest common divisor of what it then holds. A row of whole numbers stays as it is.

    Raises
    ------
    InputError
        If bounds cross, an entry is infinite, or a number does not fit once it is whole.
    """
    rows, columns = model.row_names, model.column_names
    n_rows = len(model.row_lower)
    row = np.repeat(np.arange(n_rows), np.diff(model.starts))

    def place(at: int) -> str:
        return f"row {rows[row[at]]}, column {columns[model.entries[at]]}"

    _require_finite(model.data, "data", place)
    _require_order(model.row_lower, model.row_upper, "row_", rows)
    data = model.data
    if np.any(column_scale > 1):
        data = data.over(column_scale[model.entries])
    parts = [data, model.row_lower, model.row_upper]
    groups = [row, np.arange(n_rows), np.arange(n_rows)]
    scale = ones(n_rows)
    if any(part.fractional.any() for part in parts):
        multiple = common_multiples(
            np.concatenate([part.denominator for part in parts]), np.concatenate(groups), n_rows
        )
        parts = [part.times(multiple[group]) for part, group in zip(parts, groups, strict=True)]
        common = common_divisors(
            np.concatenate([np.where(part.infinite, 0, part.numerator) for part in parts]),
            np.concatenate(groups),
            n_rows,
        )
        common = np.where((multiple > 1) & (common > 0), common, 1)
        scale = Rationals(multiple, np.ones(n_rows, dtype=np.int64)).over(common)
        parts = [
            Rationals(
                np.where(part.infinite, part.numerator, part.numerator // common[group]),
                part.denominator,
            )
            for part, group in zip(parts, groups, strict=True)
        ]

    def of_row(field: str, at: int) -> tuple[str, str]:
        return f"{field}[{at}]", f"row {rows[at]}{_times(scale, at)}"

    data, lower, upper = parts
    return Rows(
        _fitting(
            data.numerator,
            None,
            MAX_COEFFICIENT,
            lambda at: (f"data[{at}]", place(at) + _times(scale, int(row[at]))),
        ),
        _fitting(lower.numerator, lower.infinite, MAX_VALUE, lambda at: of_row("row_lower", at)),
        _fitting(upper.numerator, upper.infinite, MAX_VALUE, lambda at: of_row("row_upper", at)),
        scale,
    )


def _times(scale: Rationals, row: int) -> str:
    factor = Fraction(scale[row])
    return "" if factor == 1 else f", {_shown(factor)} times its value"


def _shown(value: Fraction | int | np.integer[Any]) -> str:
    """Write a number unless it has more digits than anybody reads."""
    exact = value if isinstance(value, Fraction) else Fraction(int(value))
    size = exact.numerator.bit_length() + exact.denominator.bit_length()
    return str(exact) if size < _SHOWN_BITS else "a very large number"


def _require_finite(numbers: Rationals, field: str, describe: Callable[[int], str]) -> None:
    for at in np.flatnonzero(numbers.infinite)[:1].tolist():
        raise InputError(f"must be finite ({describe(at)})", field=f"{field}[{at}]")


def _require_order(lower: Rationals, upper: Rationals, prefix: str, names: Sequence[str]) -> None:
    """Refuse bounds that cross, and bounds that are infinite on the wrong side."""
    # Cross-multiplied, an infinite bound on its right side (1/0 above, -1/0 below) never crosses.
    crossed = product(lower.numerator, upper.denominator) > product(
        upper.numerator, lower.denominator
    )
    crossed |= lower.infinite & (lower.numerator > 0)
    crossed |= upper.infinite & (upper.numerator < 0)
    for at in np.flatnonzero(crossed)[:1].tolist():
        raise InputError(
            f"has lower bound {_bound(lower[at])} and upper bound {_bound(upper[at])}",
            field=f"{prefix}lower[{at}] ({names[at]})",
        )


def _bound(value: Fraction | float) -> str:
    return _shown(value) if isinstance(value, Fraction) else str(value)  # an infinity


def _fitting(
    numbers: IntegerArray,
    infinite: BoolArray | None,
    limit: int,
    describe: Callable[[int], tuple[str, str]],
) -> FloatArray:
    """Convert whole numbers to float64, or say which one float64 would round."""
    large = np.asarray((numbers > limit) | (numbers < -limit), dtype=np.bool_)
    for at in np.flatnonzero(large)[:1].tolist():
        field, what = describe(at)
        raise InputError(
            f"is {_shown(numbers[at])} in whole numbers, beyond the limit of "
            f"2**{(limit + 1).bit_length() - 1}; round to fewer digits ({what})",
            field=field,
        )
    found = numbers.astype(np.float64)
    if infinite is not None and infinite.any():
        found[infinite] = np.copysign(math.inf, found[infinite])
    return found
