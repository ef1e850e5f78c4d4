"""A ``LinearModel`` as a Pyomo ``ConcreteModel``, row by row and without domain words.

The readable twin of a problem is another thing: :mod:`leotrek_opt.solvers.formulations.pyomo_twins`
writes the formulation down in Pyomo; this module hands any linear model to any solver of Pyomo's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.core.expr.numeric_expr import LinearExpression

from leotrek_opt.solvers.linear import ColumnKind, LinearModel, ModelArrays

_CHUNK = 2_000
"""Columns or rows between two looks at whether to go on."""


class BuildStopped(Exception):  # noqa: N818 not an error: somebody asked for it
    """Building was stopped on request."""


@dataclass(frozen=True, eq=False)
class RowModel:
    """A model in Pyomo, and which of its parts stands for what.

    Attributes
    ----------
    model
        With variables ``x``, constraints ``row`` and ``objective``.
    columns
        Pyomo's variable of each column, n of them.
    rows
        Indices of the rows that are in the model, see :func:`rows_in`.
    """

    model: Any
    columns: tuple[Any, ...]
    rows: tuple[int, ...]

    def constraints(self) -> Iterator[tuple[int, Any]]:
        """Yield row index and Pyomo's constraint of every row that is in the model."""
        return zip(self.rows, self.model.row.values(), strict=True)


def pyomo_model(model: LinearModel, *, labels: bool = False) -> Any:
    """Return a linear model in Pyomo.

    Parameters
    ----------
    model
        The model.
    labels
        Index variables and constraints by their labels, such as ``x["place[3,17]"]``, instead of by
        their numbers. A label for each costs as much as the rest.

    Returns
    -------
    pyomo.environ.ConcreteModel
        With variables ``x``, constraints ``row`` and ``objective``. Rows without entries and rows
        that are open on both sides are left out, Pyomo does not take them.
    """
    names = (model.column_label, model.row_label) if labels else None
    return row_model(model.arrays(), names=names).model


def rows_in(arrays: ModelArrays) -> NDArray[np.intp]:
    """Return the indices of the rows that Pyomo takes: with entries, and closed on some side."""
    is_closed = np.isfinite(arrays.row_lower) | np.isfinite(arrays.row_upper)
    return np.flatnonzero((np.diff(arrays.indptr) > 0) & is_closed)


def row_model(
    arrays: ModelArrays,
    *,
    names: tuple[Callable[[int], str], Callable[[int], str]] | None = None,
    go_on: Callable[[], bool] = lambda: True,
) -> RowModel:
    """Return a linear model in Pyomo, with the way back.

    Parameters
    ----------
    arrays
        The model. Columns that are implied to be integer become continuous.
    names
        Index of a column, and of a row, by its number; None for the numbers themselves.
    go_on
        Asked now and then; building ends when it says no.

    Returns
    -------
    RowModel
        The model and its parts.

    Raises
    ------
    BuildStopped
        If `go_on` said no.
    """
    model = pyo.ConcreteModel()
    rows = tuple(rows_in(arrays).tolist())
    column_name, row_name = names or (int, int)
    column_index = [column_name(column) for column in range(arrays.cost.size)]
    row_index = [row_name(row) for row in rows]

    kinds = [pyo.Integers if kind == ColumnKind.INTEGER else pyo.Reals for kind in arrays.kind]
    bounds = list(zip(_sides(arrays.lower), _sides(arrays.upper), strict=True))
    made = dict(zip(column_index, zip(kinds, bounds, strict=True), strict=True))
    model.x = pyo.Var(
        column_index,
        domain=lambda _, column: made[column][0],
        bounds=lambda _, column: made[column][1],
        dense=False,
    )
    columns = tuple(model.x.add(column) for column in _watched(column_index, go_on))

    model.row = pyo.Constraint(row_index)
    starts, indices, data = arrays.indptr.tolist(), arrays.indices, arrays.data
    lower, upper = _sides(arrays.row_lower), _sides(arrays.row_upper)
    for row, index in _watched(list(zip(rows, row_index, strict=True)), go_on):
        entries = slice(starts[row], starts[row + 1])
        body = LinearExpression(
            linear_coefs=data[entries].tolist(),
            linear_vars=[columns[column] for column in indices[entries].tolist()],
        )
        if lower[row] is not None and lower[row] == upper[row]:
            model.row[index] = body == lower[row]
        else:
            model.row[index] = (lower[row], body, upper[row])

    priced = np.flatnonzero(arrays.cost).tolist()
    model.objective = pyo.Objective(
        sense=pyo.minimize if arrays.minimise else pyo.maximize,
        expr=arrays.offset
        + LinearExpression(
            linear_coefs=arrays.cost[priced].tolist(),
            linear_vars=[columns[column] for column in priced],
        ),
    )
    return RowModel(model, columns, rows)


def _sides(bounds: Any) -> list[float | None]:
    return [None if math.isinf(bound) else bound for bound in bounds.tolist()]


def _watched(items: list[Any], go_on: Callable[[], bool]) -> Iterable[Any]:
    for start in range(0, len(items), _CHUNK):
        if not go_on():
            raise BuildStopped
        yield from items[start : start + _CHUNK]
