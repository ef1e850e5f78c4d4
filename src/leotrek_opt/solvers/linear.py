"""``LinearModel``: a mixed-integer linear model in arrays, from the first variable to the solver.

    minimise (or maximise)   offset + cost' x
    subject to               row_lower <= A x <= row_upper,   lower <= x <= upper

Every number is an integer below 2**53, held in float64 and therefore exact. Solvers have been seen
to call wrong values optimal on rows with fractional coefficients, and integers let any answer be
re-evaluated without rounding: :meth:`LinearModel.objective_of`, :meth:`LinearModel.violations_of`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.solvers.linear_arrays import (
    ColumnKind,
    FloatArray,
    IndexArray,
    ModelArrays,
    Violation,
    exact_dot,
    violations,
)
from leotrek_opt.solvers.linear_blocks import Blocks
from leotrek_opt.solvers.linear_input import (
    MAX_COEFFICIENT,
    MAX_VALUE,
    block_shape,
    canonical_rows,
    column_kinds,
    indices_below,
    require_order,
    require_room,
    row_starts,
    whole_numbers,
)

__all__ = ["ColumnKind", "LinearModel", "ModelArrays", "Violation"]


class _Columns(NamedTuple):
    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    kind: NDArray[np.int8]


class _Rows(NamedTuple):
    lengths: NDArray[np.int64]
    indices: IndexArray
    data: FloatArray
    lower: FloatArray
    upper: FloatArray


class LinearModel:
    """A mixed-integer linear model, built block by block from numpy arrays.

    Parameters
    ----------
    minimise
        Sense of the objective.
    offset
        Constant of the objective, any Python int.

    Examples
    --------
    Two functions, three nodes; each function on one node, at most one function a node:

    >>> model = LinearModel()
    >>> place = model.add_variables(
    ...     (2, 3), lower=0, upper=1, cost=[[4, 2, 8], [1, 2, 3]], integer=True, name="place"
    ... )
    >>> _ = model.add_rows(place, lower=1, upper=1, name="assign")
    >>> _ = model.add_rows(place.T, upper=1, name="capacity")
    >>> model.n_variables, model.n_rows, model.n_nonzeros
    (6, 5, 12)
    >>> model.column_label(int(place[1, 2]))
    'place[1,2]'
    >>> model.objective_of([0, 1, 0, 1, 0, 0])
    3
    """

    def __init__(self, *, minimise: bool = True, offset: int = 0) -> None:
        if isinstance(offset, bool) or not isinstance(offset, (int, np.integer)):
            raise InputError(f"must be an integer, not {offset!r}", field="offset")
        self._minimise = minimise
        self._offset = int(offset)
        self._columns = Blocks()
        self._rows = Blocks()
        nothing = np.zeros(0)
        self._column_parts = [_Columns(nothing, nothing, nothing, np.zeros(0, dtype=np.int8))]
        self._row_parts = [
            _Rows(np.zeros(0, np.int64), np.zeros(0, np.int32), nothing, nothing, nothing)
        ]
        self._n_nonzeros = 0
        self._arrays: ModelArrays | None = None

    @property
    def minimise(self) -> bool:
        """Sense of the objective."""
        return self._minimise

    @property
    def offset(self) -> int:
        """Constant of the objective."""
        return self._offset

    @property
    def n_variables(self) -> int:
        """Number of columns."""
        return self._columns.size

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self._rows.size

    @property
    def n_nonzeros(self) -> int:
        """Number of nonzero matrix entries."""
        return self._n_nonzeros

    def add_variables(
        self,
        shape: int | Sequence[int],
        *,
        lower: ArrayLike,
        upper: ArrayLike,
        cost: ArrayLike = 0,
        integer: ArrayLike = False,
        implied_integer: ArrayLike = False,
        name: str,
        words: Callable[..., str] | None = None,
    ) -> IndexArray:
        """Add a block of variables.

        Parameters
        ----------
        shape
            Shape of the block; ``()`` for a single variable.
        lower, upper
            Bounds, whole numbers that broadcast to `shape`. Only a continuous variable may have
            infinite ones.
        cost
            Objective coefficients, whole numbers that broadcast to `shape`.
        integer
            Which variables take integers only; booleans that broadcast to `shape`.
        implied_integer
            Which are continuous, yet get integers in some optimal solution; likewise.
        name
            Name of the block, unlike that of any other block of variables.
        words
            Makes domain words of the indices, ``words(3, 17) -> "extract on node edge-17"``; called
            when a label in words is asked for, never before.

        Returns
        -------
        numpy.ndarray
            Column indices, int32, of shape `shape`.

        Raises
        ------
        InputError
            If a number is not a whole number in range, or a lower bound exceeds its upper bound.
        """
        sizes = block_shape(shape, name)
        size = math.prod(sizes)
        require_room(self._columns.size + size, "variables")
        part = _Columns(
            whole_numbers(cost, sizes, f"{name}.cost", MAX_VALUE),
            whole_numbers(lower, sizes, f"{name}.lower", MAX_VALUE, infinite=True),
            whole_numbers(upper, sizes, f"{name}.upper", MAX_VALUE, infinite=True),
            column_kinds(integer, implied_integer, sizes, name),
        )
        require_order(part.lower, part.upper, name)
        for side, bound in (("lower", part.lower), ("upper", part.upper)):
            if np.any(np.isinf(bound) & (part.kind != ColumnKind.CONTINUOUS)):
                raise InputError("must be finite for integer variables", field=f"{name}.{side}")
        start = self._columns.size
        self._columns.add(name, sizes, words)
        self._column_parts.append(part)
        self._arrays = None
        return np.arange(start, start + size, dtype=np.int32).reshape(sizes)

    def add_rows(
        self,
        columns: ArrayLike,
        coefficients: ArrayLike = 1,
        *,
        lower: ArrayLike = -math.inf,
        upper: ArrayLike = math.inf,
        lengths: ArrayLike | None = None,
        indptr: ArrayLike | None = None,
        name: str,
        shape: int | Sequence[int] | None = None,
        words: Callable[..., str] | None = None,
    ) -> IndexArray:
        """Add a block of rows, from rows of equal length or in CSR form.

        Parameters
        ----------
        columns
            Column indices. Without `lengths` and `indptr` the last axis runs over the entries of a
            row and the other axes are the shape of the block; with one of them, shape (nnz,). Their
            order within a row is free.
        coefficients
            Whole numbers that broadcast to the shape of `columns`; zeros are left out.
        lower, upper
            Row bounds, whole numbers that broadcast to the shape of the block; infinite where a
            side is open.
        lengths
            Number of entries in each row, shape (m,).
        indptr
            Start of each row in `columns` and, last, its length, shape (m + 1,).
        name
            Name of the block, unlike that of any other block of rows.
        shape
            Shape of the block where it cannot be read off `columns`; (m,) by default.
        words
            Makes domain words of the indices of a row, as for variables.

        Returns
        -------
        numpy.ndarray
            Row indices, int32, of the shape of the block.

        Raises
        ------
        InputError
            If a column does not exist or stands twice in a row, a number is not a whole number in
            range, row starts do not ascend, or a lower bound exceeds its upper bound.
        """
        entries = indices_below(columns, self._columns.size, f"{name}.columns")
        data = whole_numbers(coefficients, entries.shape, f"{name}.coefficients", MAX_COEFFICIENT)
        starts = row_starts(entries, lengths, indptr, name)
        if shape is not None:
            row_shape = block_shape(shape, name)
        else:
            ragged = lengths is not None or indptr is not None
            row_shape = (starts.size - 1,) if ragged else entries.shape[:-1]
        n_rows = math.prod(row_shape)
        if n_rows != starts.size - 1:
            raise InputError(f"has {starts.size - 1} rows, not shape {row_shape}", field=name)
        require_room(self._rows.size + n_rows, "rows")
        part = _Rows(
            *canonical_rows(starts, entries.reshape(-1), data, self._columns.size, name),
            whole_numbers(lower, row_shape, f"{name}.lower", MAX_VALUE, infinite=True),
            whole_numbers(upper, row_shape, f"{name}.upper", MAX_VALUE, infinite=True),
        )
        require_order(part.lower, part.upper, name)
        require_room(self._n_nonzeros + part.data.size, "nonzeros")
        start = self._rows.size
        self._rows.add(name, row_shape, words)
        self._row_parts.append(part)
        self._n_nonzeros += part.data.size
        self._arrays = None
        return np.arange(start, start + n_rows, dtype=np.int32).reshape(row_shape)

    def add_rows_from_triplets(
        self,
        rows: ArrayLike,
        columns: ArrayLike,
        coefficients: ArrayLike = 1,
        *,
        shape: int | Sequence[int],
        lower: ArrayLike = -math.inf,
        upper: ArrayLike = math.inf,
        name: str,
        words: Callable[..., str] | None = None,
    ) -> IndexArray:
        """Add a block of rows from (row, column, coefficient) triplets in any order.

        Parameters
        ----------
        rows
            Row of each triplet, counted from 0 within this block (flat, in C order), shape (nnz,).
        columns, coefficients
            Column index and coefficient of each triplet, shape (nnz,); a coefficient may be one
            number for all.
        shape
            Shape of the block; a row without triplets stays empty.
        lower, upper, name, words
            As in :meth:`add_rows`.

        Returns
        -------
        numpy.ndarray
            Row indices, int32, of shape `shape`.

        Raises
        ------
        InputError
            As :meth:`add_rows`, and if a row is not in the block.
        """
        row_shape = block_shape(shape, name)
        n_rows = math.prod(row_shape)
        row = np.asarray(rows)
        column = np.asarray(columns)
        if row.ndim != 1 or row.shape != column.shape:
            raise InputError(
                f"rows and columns must be vectors of one length, not {row.shape} and "
                f"{column.shape}",
                field=name,
            )
        row = indices_below(row, n_rows, f"{name}.rows")
        order = np.argsort(row, kind="stable")
        coefficient = np.asarray(coefficients)
        if coefficient.ndim:
            if coefficient.shape != row.shape:
                raise InputError(
                    f"must have shape {row.shape}, not {coefficient.shape}",
                    field=f"{name}.coefficients",
                )
            coefficient = coefficient[order]
        return self.add_rows(
            column[order],
            coefficient,
            lengths=np.bincount(row, minlength=n_rows),
            lower=lower,
            upper=upper,
            name=name,
            shape=row_shape,
            words=words,
        )

    def arrays(self) -> ModelArrays:
        """Assemble the model, once; later calls return the same arrays until a block is added.

        Returns
        -------
        ModelArrays
            The whole model, read-only.
        """
        if self._arrays is None:
            columns = _Columns(*map(np.concatenate, zip(*self._column_parts, strict=True)))
            rows = _Rows(*map(np.concatenate, zip(*self._row_parts, strict=True)))
            # The joined arrays take the place of the parts, so that the model is held once.
            self._column_parts = [columns]
            self._row_parts = [rows]
            indptr = np.zeros(self._rows.size + 1, dtype=np.int32)
            np.cumsum(rows.lengths, out=indptr[1:])
            for array in (*columns, *rows, indptr):
                array.flags.writeable = False
            self._arrays = ModelArrays(
                *columns,
                indptr,
                rows.indices,
                rows.data,
                rows.lower,
                rows.upper,
                self._minimise,
                self._offset,
            )
        return self._arrays

    def copy(
        self,
        *,
        cost: ArrayLike | None = None,
        minimise: bool | None = None,
        offset: int | None = None,
    ) -> LinearModel:
        """Return a model of its own with the same variables and rows, to which more can be added.

        Parameters
        ----------
        cost
            New objective coefficients, whole numbers, shape (n,); None keeps those there are.
        minimise, offset
            New sense and constant of the objective; None keeps them.

        Returns
        -------
        LinearModel
            Shares the arrays, which are read-only, until something is added.

        Raises
        ------
        InputError
            If a number is not a whole number in range.
        """
        self.arrays()
        other = LinearModel(
            minimise=self._minimise if minimise is None else minimise,
            offset=self._offset if offset is None else offset,
        )
        (columns,), other._row_parts = self._column_parts, list(self._row_parts)
        if cost is not None:
            columns = columns._replace(
                cost=whole_numbers(cost, (self._columns.size,), "cost", MAX_VALUE)
            )
        other._column_parts = [columns]
        other._columns, other._rows = self._columns.copy(), self._rows.copy()
        other._n_nonzeros = self._n_nonzeros
        return other

    def __getstate__(self) -> dict[str, object]:
        # Whoever reads the model joins the parts again, and gets arrays that are read-only.
        self.arrays()
        return self.__dict__ | {"_arrays": None}

    def with_implied_integers(self, columns: ArrayLike) -> LinearModel:
        """Return the same model, some of whose continuous columns are marked implied-integer.

        Parameters
        ----------
        columns
            Booleans, shape (n,): continuous columns with finite bounds that take integers in some
            optimal solution.

        Returns
        -------
        LinearModel
            A model of its own.

        Raises
        ------
        InputError
            If a column is not continuous or has an infinite bound.
        """
        marked = np.asarray(columns, dtype=np.bool_)
        arrays = self.arrays()
        free = np.isinf(arrays.lower) | np.isinf(arrays.upper)
        wrong = np.flatnonzero(marked & (free | (arrays.kind != ColumnKind.CONTINUOUS)))
        if wrong.size:
            raise InputError("must be continuous and bounded", field=self.column_label(wrong[0]))
        return self._of_kinds(np.where(marked, np.int8(ColumnKind.IMPLIED_INTEGER), arrays.kind))

    def relaxed(self) -> LinearModel:
        """Return the linear relaxation: the same model, all of whose columns are continuous.

        Returns
        -------
        LinearModel
            A model of its own.
        """
        return self._of_kinds(np.zeros(self.n_variables, dtype=np.int8))

    def column_label(self, column: int) -> str:
        """Return the label of a column: block name and indices, such as ``place[3,17]``."""
        return self._columns.label(column)

    def row_label(self, row: int) -> str:
        """Return the label of a row: block name and indices, such as ``capacity[2]``."""
        return self._rows.label(row)

    def column_words(self, column: int) -> str:
        """Return a column in the domain's words, or its label where its block has none."""
        return self._columns.in_words(column)

    def row_words(self, row: int) -> str:
        """Return a row in the domain's words, or its label where its block has none."""
        return self._rows.in_words(row)

    def objective_of(self, values: ArrayLike) -> int:
        """Evaluate the objective at an integral point, exactly.

        Parameters
        ----------
        values
            One whole number per column, shape (n,).

        Returns
        -------
        int
            ``offset + cost' values``.

        Raises
        ------
        InputError
            If the shape is wrong or a value is not a whole number.
        """
        point = whole_numbers(values, None, "values", MAX_VALUE)
        self._require_length(point)
        return self.offset + exact_dot(self.arrays().cost, point)

    def violations_of(self, values: ArrayLike, *, tolerance: float = 0.0) -> list[Violation]:
        """List every bound, row and integrality requirement that a point breaks.

        An integral point is judged in exact integer arithmetic, any other in float64.

        Parameters
        ----------
        values
            One number per column, shape (n,).
        tolerance
            Largest excess that is let pass: 0 for integral points; points with fractional values
            need some, such as 1e-6. It counts for bounds and integers as it is, for a row times its
            largest coefficient of a column that may take fractions, or once if that is below 1.

        Returns
        -------
        list of Violation
            Empty for a feasible point; columns first, then rows.

        Raises
        ------
        InputError
            If the shape is wrong or a value is not finite.
        """
        point = np.array(values, dtype=np.float64)
        self._require_length(point)
        if not np.all(np.isfinite(point)):
            raise InputError("must be finite", field="values")
        arrays = self.arrays()
        return violations(arrays, point, tolerance, self.column_label, self.row_label)

    def _of_kinds(self, kind: NDArray[np.int8]) -> LinearModel:
        other = self.copy()
        other._column_parts = [other._column_parts[0]._replace(kind=kind)]
        return other

    def _require_length(self, point: FloatArray) -> None:
        if point.shape != (self._columns.size,):
            raise InputError(
                f"must have shape ({self._columns.size},), not {point.shape}", field="values"
            )
