"""A linear model as text for other programs: exact decimals in its author's units, safe names."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.instances.writer import write_text
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.linear_arrays import FloatArray
from leotrek_opt.solvers.matrix import MatrixModel
from leotrek_opt.solvers.rationals import MAX_DIGITS, IntegerArray, Rationals, ones

MAX_NAME = 200
"""Longest name that is written; several readers end at 255 characters."""


@dataclass(frozen=True, eq=False)
class ExportedModel:
    """A model of n columns and m rows whose numbers are text; None stands for an infinite one.

    Attributes
    ----------
    minimise, offset
        Sense and constant of the objective.
    cost, lower, upper
        Of each column, shape (n,).
    kind
        :class:`~leotrek_opt.solvers.linear.ColumnKind` of each column.
    indptr, indices, data
        CSR matrix.
    row_lower, row_upper
        Of each row, shape (m,).
    columns, rows
        Names as the author gave them.
    """

    minimise: bool
    offset: str
    cost: list[str]
    lower: list[str | None]
    upper: list[str | None]
    kind: NDArray[np.int8]
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    data: list[str]
    row_lower: list[str | None]
    row_upper: list[str | None]
    columns: Sequence[str]
    rows: Sequence[str]


def write_exported(
    model: LinearModel | MatrixModel,
    file: Path,
    lines: Callable[[ExportedModel], Iterable[str]],
    *,
    words: bool,
) -> Path:
    """Write a model in some format.

    Parameters
    ----------
    model
        The model.
    file
        File to write.
    lines
        Makes the lines of the format.
    words
        As in :func:`exported`.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If the file cannot be written there, or the model not as text.
    OSError
        If the file cannot be written.
    """
    if file.suffix == ".gz":
        raise InputError("is written plain; leave out .gz and compress the file", file=file)
    try:
        content = exported(model, words=words)
    except InputError as error:
        raise error.in_file(file) from None
    write_text("\n".join(lines(content)) + "\n", file)
    return file


def exported(model: LinearModel | MatrixModel, *, words: bool) -> ExportedModel:
    """Turn a model into text.

    Parameters
    ----------
    model
        A model; the numbers of a :class:`MatrixModel` are written in its author's units. A row that
        has no finite decimals is written in whole numbers instead.
    words
        Name columns and rows of a :class:`LinearModel` by its domain words, not by their labels.

    Returns
    -------
    ExportedModel
        The text of every number.

    Raises
    ------
    InputError
        If the objective or a bound of a column has no finite decimals.
    """
    matrix = MatrixModel.of(model)
    linear, scale = matrix.linear, matrix.column_scale
    arrays = linear.arrays()
    n, m = linear.n_variables, linear.n_rows
    in_words = words and isinstance(model, LinearModel)
    columns = [linear.column_words(j) for j in range(n)] if in_words else matrix.column_names
    rows = [linear.row_words(i) for i in range(m)] if in_words else matrix.row_names

    unit = np.full(n, matrix.objective_scale, dtype=object)
    cost = _whole(arrays.cost).times(scale).over(unit)
    data = _whole(arrays.data).times(scale[arrays.indices])
    parts = [data, _whole(arrays.row_lower), _whole(arrays.row_upper)]
    row = np.repeat(np.arange(m), np.diff(arrays.indptr))
    groups = [row, np.arange(m), np.arange(m)]
    written = [
        part.times(matrix.row_scale.denominator[group]).over(matrix.row_scale.numerator[group])
        for part, group in zip(parts, groups, strict=True)
    ]
    stays = np.zeros(m, dtype=np.bool_)
    for part, group in zip(written, groups, strict=True):
        stays[group[~_has_decimals(part)]] = True
    written = [
        Rationals(
            np.where(stays[group], whole.numerator, part.numerator),
            np.where(stays[group], whole.denominator, part.denominator),
        )
        for whole, part, group in zip(parts, written, groups, strict=True)
    ]
    entries, row_lower, row_upper = map(_texts, written)

    def of_column(numbers: Rationals, field: str) -> list[str | None]:
        for at in np.flatnonzero(~_has_decimals(numbers))[:1].tolist():
            raise InputError(
                f"{numbers[at]} has no finite decimals (column {matrix.column_names[at]})",
                field=f"{field}[{at}]",
            )
        return _texts(numbers)

    return ExportedModel(
        minimise=arrays.minimise,
        offset=_offset(Fraction(arrays.offset, matrix.objective_scale)),
        cost=_finite(of_column(cost, "cost")),
        lower=of_column(_whole(arrays.lower).over(scale), "lower"),
        upper=of_column(_whole(arrays.upper).over(scale), "upper"),
        kind=arrays.kind,
        indptr=arrays.indptr,
        indices=arrays.indices,
        data=_finite(entries),
        row_lower=row_lower,
        row_upper=row_upper,
        columns=columns,
        rows=rows,
    )


def decimal_text(value: Fraction) -> str | None:
    """Write a number in decimals.

    Parameters
    ----------
    value
        Any.

    Returns
    -------
    str or None
        Such as ``-2.42``, exact; None if the decimals do not end.
    """
    numerator, denominator = value.as_integer_ratio()
    if denominator == 1:
        return str(numerator)
    twos = (denominator & -denominator).bit_length() - 1
    rest, fives = denominator >> twos, 0
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return None
    places = max(twos, fives)
    digits = str(abs(numerator) * 10**places // denominator).zfill(places + 1)
    return f"{'-' * (numerator < 0)}{digits[:-places]}.{digits[-places:]}"


def distinct_names(
    names: Iterable[str], safe: Callable[[str], str], taken: Iterable[str] = ()
) -> list[str]:
    """Make names that a format takes, no two the same.

    Parameters
    ----------
    names
        As the author gave them.
    safe
        Replaces what the format does not take.
    taken
        Names that are in use already.

    Returns
    -------
    list of str
        A name that is in use before gets ``_2``, ``_3`` and so on at its end.
    """
    used = set(taken)
    last: dict[str, int] = {}
    found = []
    for name in names:
        base = candidate = safe(name)[:MAX_NAME]
        if candidate in used:
            numbers: Iterator[int] = itertools.count(last.get(base, 1) + 1)
            number = next(k for k in numbers if f"{base}_{k}" not in used)
            last[base], candidate = number, f"{base}_{number}"
        used.add(candidate)
        found.append(candidate)
    return found


def _whole(values: FloatArray) -> Rationals:
    infinite = np.isinf(values)
    numerator = np.where(infinite, np.sign(values), values).astype(np.int64)
    return Rationals(numerator, np.where(infinite, 0, ones(values.size).denominator))


def _has_decimals(numbers: Rationals) -> NDArray[np.bool_]:
    """Tell which have finite decimals; infinite ones count as having them."""
    rest: IntegerArray = numbers.denominator.copy()
    for prime in (2, 5):
        while (divisible := (rest > 0) & (rest % prime == 0)).any():
            rest[divisible] //= prime
    return np.asarray(rest <= 1, dtype=np.bool_)


def _texts(numbers: Rationals) -> list[str | None]:
    pairs = zip(numbers.numerator.tolist(), numbers.denominator.tolist(), strict=True)
    return [str(a) if b == 1 else (decimal_text(Fraction(a, b)) if b else None) for a, b in pairs]


def _finite(texts: list[str | None]) -> list[str]:
    return [text for text in texts if text is not None]


def _offset(value: Fraction) -> str:
    size = value.numerator.bit_length() + value.denominator.bit_length()
    text = decimal_text(value) if size < 3 * MAX_DIGITS else None
    if text is None or len(text) > MAX_DIGITS:
        raise InputError("has no finite decimals, or too many", field="offset")
    return text
