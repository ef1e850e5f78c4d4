"""Linear models made of some of the rows of another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.linear_arrays import ColumnKind, ModelArrays


def with_rows(arrays: ModelArrays, rows: NDArray[np.integer]) -> ModelArrays:
    """Leave out all rows but some.

    Parameters
    ----------
    arrays
        The model.
    rows
        Row indices to keep, in the order in which they shall stand.

    Returns
    -------
    ModelArrays
        With the same columns and objective.
    """
    lengths = np.diff(arrays.indptr)[rows]
    indptr = np.zeros(rows.size + 1, dtype=np.int32)
    np.cumsum(lengths, out=indptr[1:])
    within = np.arange(int(indptr[-1])) - np.repeat(indptr[:-1], lengths)
    entries = np.repeat(arrays.indptr[rows], lengths) + within
    return replace(
        arrays,
        indptr=indptr,
        indices=arrays.indices[entries],
        data=arrays.data[entries],
        row_lower=arrays.row_lower[rows],
        row_upper=arrays.row_upper[rows],
    )


def feasibility_model(arrays: ModelArrays) -> LinearModel:
    """Return a model without costs, to which more can be added.

    Parameters
    ----------
    arrays
        Columns and rows.

    Returns
    -------
    LinearModel
        With columns ``x`` and rows ``row``.
    """
    model = LinearModel()
    model.add_variables(
        arrays.cost.size,
        lower=arrays.lower,
        upper=arrays.upper,
        integer=arrays.kind == ColumnKind.INTEGER,
        implied_integer=arrays.kind == ColumnKind.IMPLIED_INTEGER,
        name="x",
    )
    model.add_rows(
        arrays.indices,
        arrays.data,
        indptr=arrays.indptr,
        lower=arrays.row_lower,
        upper=arrays.row_upper,
        name="row",
    )
    return model
