"""Models from a caller's own arrays: any decimals in, whole numbers to the solver, and back again.

Every row, the objective and every continuous column that needs it is multiplied by a whole number
or a fraction, so that nothing but integers remains. No number is rounded on the way, except bounds
of integer columns, which move inward to the next integer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.matrix_input import (
    LazyNames,
    constant,
    csr_parts,
    distinct_names,
    flags,
)
from leotrek_opt.solvers.matrix_scaling import (
    ExactModel,
    scaled_columns,
    scaled_objective,
    scaled_rows,
)
from leotrek_opt.solvers.rationals import IntegerArray, Rationals, exact, ones

FloatArray = NDArray[np.float64]
Number = int | float | Fraction


@dataclass(frozen=True, eq=False)
class MatrixModel:
    """A linear model of whole numbers, and how it relates to the numbers of its author.

    Attributes
    ----------
    linear
        The model that solvers take. Its columns and rows carry the author's names as domain words.
    objective_scale
        The model's objective is this many times the author's.
    column_scale
        The model's value of a column is this many times the author's, integers >= 1, shape (n,);
        1 for integer columns.
    row_scale
        The model's row is this many times the author's, shape (m,).
    column_names, row_names
        The author's names, or labels made when somebody asks for them.
    """

    linear: LinearModel
    objective_scale: int
    column_scale: IntegerArray
    row_scale: Rationals
    column_names: Sequence[str]
    row_names: Sequence[str]

    @classmethod
    def of(cls, model: LinearModel | MatrixModel) -> MatrixModel:
        """Wrap a model that is its own author: all scales are 1.

        Parameters
        ----------
        model
            The model; it is kept, not copied. One that is wrapped already is returned as it is.

        Returns
        -------
        MatrixModel
            Named by the labels of its columns and rows.

        Raises
        ------
        InputError
            If it is neither.
        """
        if isinstance(model, MatrixModel):
            return model
        if not isinstance(model, LinearModel):
            raise InputError(
                f"must be a LinearModel or a MatrixModel, not {type(model).__name__}",
                field="model",
            )
        linear = model
        return cls(
            linear,
            1,
            np.ones(linear.n_variables, dtype=np.int64),
            ones(linear.n_rows),
            LazyNames(linear.column_label, linear.n_variables),
            LazyNames(linear.row_label, linear.n_rows),
        )

    def relaxed(self) -> MatrixModel:
        """Return the linear relaxation: the same model, all of whose columns are continuous.

        Returns
        -------
        MatrixModel
            With the same scales and names.
        """
        return replace(self, linear=self.linear.relaxed())

    def objective(self, value: Number) -> Fraction:
        """Turn an objective or a bound of the model into the author's units, exactly.

        Parameters
        ----------
        value
            A finite number in the units of `linear`.

        Returns
        -------
        Fraction
            The same in the author's units.
        """
        return Fraction(value) / self.objective_scale

    def values(self, point: ArrayLike) -> FloatArray:
        """Turn a point of the model into the author's units.

        Parameters
        ----------
        point
            One number per column, shape (n,).

        Returns
        -------
        numpy.ndarray
            float64, shape (n,).
        """
        return self._vector(point, "point") / self.column_scale.astype(np.float64)

    def point(self, values: ArrayLike) -> FloatArray:
        """Turn values in the author's units into a point of the model, such as a warm start.

        Parameters
        ----------
        values
            One number per column, shape (n,); floats mean the decimals that they print as.

        Returns
        -------
        numpy.ndarray
            float64, shape (n,).

        Raises
        ------
        InputError
            If there is not one finite number per column.
        """
        n = self.linear.n_variables
        found = exact(values, "values", size=n).times(self.column_scale)
        if found.infinite.any():
            raise InputError("must be finite", field=f"values[{np.flatnonzero(found.infinite)[0]}]")
        return np.array(found.numerator / found.denominator, dtype=np.float64)

    def solution(self, point: ArrayLike) -> dict[str, int | float]:
        """Name the columns that are not zero.

        Parameters
        ----------
        point
            One number per column in the units of the model, shape (n,).

        Returns
        -------
        dict
            Value in the author's units by column name, an int where it is whole.
        """
        values = self.values(point)
        columns = np.flatnonzero(values)
        return {
            self.column_names[column]: int(value) if value.is_integer() else value
            for column, value in zip(columns.tolist(), values[columns].tolist(), strict=True)
        }

    def _vector(self, point: ArrayLike, field: str) -> FloatArray:
        vector = np.asarray(point, dtype=np.float64)
        if vector.shape != (self.linear.n_variables,):
            raise InputError(
                f"must have shape ({self.linear.n_variables},), not {vector.shape}", field=field
            )
        return vector


def model_from_arrays(
    *,
    cost: object,
    lower: object = 0,
    upper: object = math.inf,
    integer: ArrayLike = False,
    implied_integer: ArrayLike = False,
    indptr: ArrayLike | None = None,
    indices: ArrayLike | None = None,
    data: object = None,
    matrix: Any = None,
    row_lower: object = -math.inf,
    row_upper: object = math.inf,
    minimise: bool = True,
    offset: object = 0,
    column_names: Sequence[str] | None = None,
    row_names: Sequence[str] | None = None,
) -> MatrixModel:
    """Make a model from arrays whose numbers may be decimals or fractions.

    Numbers are ints, floats, Decimals, Fractions or text such as ``"0.1"`` and ``"1/3"``. A float
    means the decimal that it prints as: 2.42 is exactly 242/100.

    Parameters
    ----------
    cost
        Objective coefficients, shape (n,).
    lower, upper
        Bounds, shape (n,), or one number for all; infinite ones for continuous columns only. Those
        of integer columns move inward to integers.
    integer
        Which columns take integers only: booleans or 0 and 1, shape (n,), or one for all.
    implied_integer
        Which are continuous, yet get integers in some optimal solution; likewise.
    indptr, indices, data
        The matrix in CSR form: row starts of shape (m + 1,), column and coefficient of each entry.
        No column may stand twice in a row.
    matrix
        Instead of these three, any sparse matrix of scipy or a 2-D numpy array, shape (m, n).
    row_lower, row_upper
        Bounds of the rows, shape (m,), or one number for all; infinite where a side is open.
    minimise, offset
        Sense and constant of the objective.
    column_names, row_names
        Distinct names; None numbers them ``c0, c1, ...`` and ``r0, r1, ...``.

    Returns
    -------
    MatrixModel
        The model in whole numbers with its scales. A row that has fractions is multiplied by their
        least common denominator and divided by what its numbers then have in common; a row of whole
        numbers stays as it is. A continuous column with fractional bounds is measured in a smaller
        unit; the objective is multiplied by the least common denominator of its numbers.

    Raises
    ------
    InputError
        If anything is malformed, or no longer fits into 53 bits (49 in the matrix) once it is
        whole. The text names the column or row.

    Examples
    --------
    Two kinds of node rented by the hour, at most 2.5 euros in total:

    >>> model = model_from_arrays(
    ...     cost=[3, 4.5], upper=10, integer=True,
    ...     indptr=[0, 2], indices=[0, 1], data=[0.25, 0.4], row_upper=[2.5],
    ...     minimise=False, column_names=["small", "large"], row_names=["budget"],
    ... )
    >>> model.linear.arrays().data.tolist(), model.linear.arrays().row_upper.tolist()
    ([5.0, 8.0], [50.0])
    >>> model.objective_scale, model.row_scale[0]
    (2, Fraction(20, 1))
    >>> model.objective(model.linear.objective_of([10, 0])), model.solution([10, 0])
    (Fraction(30, 1), {'small': 10})
    """
    costs = exact(cost, "cost")
    n = len(costs)
    starts, entries, coefficients = csr_parts(matrix, indptr, indices, data, n)
    m = starts.size - 1
    return matrix_model(
        ExactModel(
            cost=costs,
            lower=exact(lower, "lower", size=n),
            upper=exact(upper, "upper", size=n),
            integer=flags(integer, "integer", n),
            implied_integer=flags(implied_integer, "implied_integer", n),
            starts=starts,
            entries=entries,
            data=coefficients,
            row_lower=exact(row_lower, "row_lower", size=m),
            row_upper=exact(row_upper, "row_upper", size=m),
            minimise=bool(minimise),
            offset=constant(offset),
            column_names=distinct_names(column_names, "column_names", "c", n),
            row_names=distinct_names(row_names, "row_names", "r", m),
        )
    )


def matrix_model(model: ExactModel) -> MatrixModel:
    """Make the numbers of a model whole.

    Parameters
    ----------
    model
        The model as its author wrote it.

    Returns
    -------
    MatrixModel
        The same in whole numbers, with its scales.

    Raises
    ------
    InputError
        As :func:`model_from_arrays`.
    """
    columns = scaled_columns(model)
    rows = scaled_rows(model, columns.scale)
    objective = scaled_objective(model, columns.scale)
    linear = LinearModel(minimise=model.minimise, offset=objective.offset)
    linear.add_variables(
        len(model.cost),
        lower=columns.lower,
        upper=columns.upper,
        cost=objective.cost,
        integer=model.integer,
        implied_integer=model.implied_integer,
        name="column",
        words=partial(_name_at, model.column_names),
    )
    try:
        linear.add_rows(
            model.entries,
            rows.data,
            indptr=model.starts,
            lower=rows.lower,
            upper=rows.upper,
            name="row",
            words=partial(_name_at, model.row_names),
        )
    except InputError:
        _require_distinct_entries(model)
        raise
    return MatrixModel(
        linear, objective.scale, columns.scale, rows.scale, model.column_names, model.row_names
    )


def _require_distinct_entries(model: ExactModel) -> None:
    """Name the column that stands twice in a row, if there is one."""
    row = np.repeat(np.arange(len(model.row_names)), np.diff(model.starts))
    order = np.lexsort((model.entries, row))
    row, column = row[order], model.entries[order]
    for at in np.flatnonzero((row[1:] == row[:-1]) & (column[1:] == column[:-1]))[:1].tolist():
        raise InputError(
            f"column {model.column_names[column[at]]} stands twice in row "
            f"{model.row_names[row[at]]}",
            field="indices",
        )


def _name_at(names: Sequence[str], at: int) -> str:
    return names[at]
