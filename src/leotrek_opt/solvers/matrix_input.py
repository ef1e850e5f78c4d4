"""What a caller hands over as a matrix model, turned into exact arrays or refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.messages import shown
from leotrek_opt.solvers.linear_input import indices_below, row_starts
from leotrek_opt.solvers.rationals import Rationals, exact, number, ones


class LazyNames(Sequence[str]):
    """Names that are made when somebody asks for them.

    Parameters
    ----------
    name
        Makes the name of a position.
    size
        How many there are.
    """

    def __init__(self, name: Callable[[int], str], size: int) -> None:
        self._name = name
        self._size = size

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, position: int) -> str: ...

    @overload
    def __getitem__(self, position: slice) -> Sequence[str]: ...

    def __getitem__(self, position: int | slice) -> str | Sequence[str]:
        chosen = range(self._size)[position]
        return self._name(chosen) if isinstance(chosen, int) else [self._name(at) for at in chosen]


def csr_parts(
    matrix: Any, indptr: object, indices: object, data: object, n: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], Rationals]:
    """Find row starts, columns and coefficients of a matrix.

    Parameters
    ----------
    matrix
        A sparse matrix of scipy or a 2-D array, or None.
    indptr, indices, data
        CSR form where `matrix` is None; all None for a model without rows.
    n
        Number of columns.

    Returns
    -------
    tuple
        int64 of shape (m + 1,), int32 and numbers of shape (nnz,).

    Raises
    ------
    InputError
        If they do not fit together.
    """
    given = [part is not None for part in (indptr, indices, data)]
    if matrix is not None:
        if any(given):
            raise InputError("takes the place of indptr, indices and data", field="matrix")
        return _csr_of(matrix, n)
    if not any(given):
        return np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int32), ones(0)
    if not all(given):
        raise InputError("are needed together", field="indptr, indices, data")
    entries = indices_below(_plain_array(indices, "indices"), n, "indices")
    starts = row_starts(entries, None, _plain_array(indptr, "indptr"), "matrix")
    return starts, entries, exact(data, "data", size=entries.size)


def _csr_of(matrix: Any, n: int) -> tuple[NDArray[np.int64], NDArray[np.int32], Rationals]:
    shape: tuple[int, ...] = getattr(matrix, "shape", ())
    if len(shape) != 2 or not (hasattr(matrix, "tocoo") or isinstance(matrix, np.ndarray)):
        raise InputError("must be a sparse matrix of scipy or a 2-D numpy array", field="matrix")
    if shape[1] != n:
        raise InputError(f"must have {n} columns, one per cost, not {shape[1]}", field="matrix")
    if isinstance(matrix, np.ndarray):
        row, column = np.nonzero(matrix)
        data = matrix[row, column]
    else:
        triplets = matrix.tocoo()
        row, column, data = triplets.row, triplets.col, triplets.data
    order = np.argsort(row, kind="stable")
    starts = np.zeros(shape[0] + 1, dtype=np.int64)
    np.cumsum(np.bincount(row, minlength=shape[0]), out=starts[1:])
    return starts, column[order].astype(np.int32), exact(data[order], "data", size=order.size)


def flags(values: object, field: str, n: int) -> NDArray[np.bool_]:
    """Read booleans, or 0 and 1.

    Parameters
    ----------
    values
        Shape (n,), or one for all.
    field
        Names them in an error.
    n
        How many.

    Returns
    -------
    numpy.ndarray
        Shape (n,).

    Raises
    ------
    InputError
        If there are other values, or not as many.
    """
    array = _plain_array(values, field)
    if array.dtype.kind not in "biuf" or not np.all((array == 0) | (array == 1)):
        raise InputError("must be booleans, or 0 and 1", field=field)
    if array.shape not in {(), (n,)}:
        raise InputError(f"must have shape ({n},), not {array.shape}", field=field)
    return np.broadcast_to(array.astype(np.bool_), (n,))


def constant(offset: object) -> Fraction:
    """Read the constant of an objective.

    Parameters
    ----------
    offset
        A finite number of any kind.

    Returns
    -------
    Fraction
        Exact.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        numerator, denominator = number(offset)
    except ValueError as error:
        raise InputError(str(error), field="offset") from None
    if denominator == 0:
        raise InputError("must be finite", field="offset")
    return Fraction(numerator, denominator)


def distinct_names(
    given: Sequence[str] | None, field: str, letter: str, size: int
) -> Sequence[str]:
    """Check names, or number what has none.

    Parameters
    ----------
    given
        Distinct texts, or None.
    field
        Names them in an error.
    letter
        What stands before the number.
    size
        How many there must be.

    Returns
    -------
    sequence of str
        Numbered ones are made when somebody asks for them.

    Raises
    ------
    InputError
        If one is empty, no text or stands twice, or there are not as many.
    """
    if given is None:
        return LazyNames(partial(_numbered, letter), size)
    names = tuple(given)
    if len(names) != size:
        raise InputError(f"must hold {size} names, not {len(names)}", field=field)
    first: dict[str, int] = {}
    for at, name in enumerate(names):
        if not isinstance(name, str) or not name:
            raise InputError(
                f"must be text that is not empty, not {shown(name)}", field=f"{field}[{at}]"
            )
        if first.setdefault(name, at) != at:
            raise InputError(
                f"{shown(name)} is also the name at {first[name]}", field=f"{field}[{at}]"
            )
    return names


def _plain_array(values: object, field: str) -> NDArray[Any]:
    try:
        return np.asarray(values)
    except ValueError:
        raise InputError("must be a vector", field=field) from None


def _numbered(letter: str, at: int) -> str:
    return f"{letter}{at}"
