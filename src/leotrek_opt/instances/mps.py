"""MPS: linear models to and from the format that every solver reads.

Numbers are read as the decimals that stand there, and written so. What the format leaves to its
readers is settled as follows.

- An integer column without any bound is within [0, 1], as in HiGHS and SAS. With one bound only the
  other is 0 below or infinite above, which the model refuses: write both.
- A negative ``UP`` on a column without a lower bound makes that bound infinite, as in SAS (HiGHS
  leaves it at 0); a warning is logged.
- ``MI`` leaves the upper bound as it is.
- A bound, right-hand side or range that is given twice is refused, and so is a second set of them.
- Where an infinite number makes sense, one from 1e20 on is infinite.
- The right-hand side of the objective is minus its constant.
- Free rows (``N``) beside the objective are left out; a warning is logged.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from leotrek_opt.errors import InputError, errors_in
from leotrek_opt.instances.export import (
    ExportedModel,
    decimal_text,
    distinct_names,
    write_exported,
)
from leotrek_opt.instances.json_reader import read_bytes
from leotrek_opt.instances.mps_layout import FixedLayout, FreeLayout
from leotrek_opt.instances.mps_reader import IMPLIED_BEGIN, IMPLIED_END, SECTIONS, MpsReader
from leotrek_opt.solvers.linear import ColumnKind, LinearModel
from leotrek_opt.solvers.matrix import MatrixModel, matrix_model
from leotrek_opt.solvers.matrix_scaling import ExactModel

_RIGHT_SIDES, _RANGES, _BOUNDS = "RHS", "RNG", "BND"
_INFINITE = "1e30"
_OPENING = {
    ColumnKind.INTEGER: " MARKER 'MARKER' 'INTORG'",
    ColumnKind.IMPLIED_INTEGER: IMPLIED_BEGIN,
}
_CLOSING = {
    ColumnKind.INTEGER: " MARKER 'MARKER' 'INTEND'",
    ColumnKind.IMPLIED_INTEGER: IMPLIED_END,
}


def read_mps(path: str | Path, *, layout: Literal["auto", "free", "fixed"] = "auto") -> MatrixModel:
    """Read a model from an MPS file, compressed by gzip or not.

    Parameters
    ----------
    path
        The file, at most 64 MiB, unpacked at most 512 MiB.
    layout
        ``free``: fields between blanks; ``fixed``: fields in columns, so that names may hold
        blanks; ``auto`` takes whichever fits, free if both do.

    Returns
    -------
    MatrixModel
        The model in whole numbers, with the names and units of the file.

    Raises
    ------
    InputError
        If the file is no such model; the text names file and line, or column and row.
    """
    file = Path(path)
    data = read_bytes(file)
    with errors_in(file):
        return matrix_model(_parsed(data, layout))


def write_mps(model: LinearModel | MatrixModel, path: str | Path, *, words: bool = False) -> Path:
    """Write a model as a free MPS file that :func:`read_mps` returns with the same numbers.

    Both bounds of every column are written. A row without bounds is written as ``>= -1e30``, so
    that readers keep it. Columns that are implied to be integer are continuous to other readers.

    Parameters
    ----------
    model
        The model; the numbers of a :class:`MatrixModel` are written in its author's units.
    path
        File to write.
    words
        Name columns and rows of a :class:`LinearModel` by its domain words, not by their labels.
        What MPS does not take in a name becomes ``_``.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If the file cannot be written there, or a number of the objective or of a column has no
        finite decimals.
    OSError
        If the file cannot be written.
    """
    return write_exported(model, Path(path), _lines, words=words)


def _parsed(data: bytes, layout: str) -> ExactModel:
    if layout not in {"auto", "free", "fixed"}:
        raise InputError(f"must be auto, free or fixed, not {layout!r}", field="layout")
    free, fixed = MpsReader(FreeLayout()), MpsReader(FixedLayout())
    if layout != "auto":
        return (free if layout == "free" else fixed).read(data)
    try:
        return free.read(data)
    except InputError as error:
        # The reader that understands more lines is the one whose complaint makes sense.
        try:
            return fixed.read(data)
        except InputError:
            if fixed.line > free.line:
                raise
        raise error from None


def _lines(model: ExportedModel) -> Iterator[str]:
    columns = distinct_names(model.columns, _safe)
    rows = distinct_names(model.rows, _safe)
    (objective,) = distinct_names(["obj"], _safe, taken=rows)
    yield "NAME model"
    if not model.minimise:
        yield "OBJSENSE"
        yield "    MAX"
    yield "ROWS"
    yield f" N {objective}"
    kinds = [_row_kind(*bounds) for bounds in zip(model.row_lower, model.row_upper, strict=True)]
    for kind, row in zip(kinds, rows, strict=True):
        yield f" {kind} {row}"
    yield "COLUMNS"
    yield from _column_lines(model, columns, rows, objective)
    yield "RHS"
    if model.offset != "0":
        yield f" {_RIGHT_SIDES} {objective} {_negated(model.offset)}"
    ranges = []
    for row, kind, lower, upper in zip(rows, kinds, model.row_lower, model.row_upper, strict=True):
        side = upper if kind == "L" else lower
        if side != "0":
            yield f" {_RIGHT_SIDES} {row} {side or '-' + _INFINITE}"
        if kind == "G" and lower is not None and upper is not None:
            width = decimal_text(Fraction(upper) - Fraction(lower))
            ranges.append(f" {_RANGES} {row} {width}")
    if ranges:
        yield "RANGES"
        yield from ranges
    yield "BOUNDS"
    for column, lower, upper in zip(columns, model.lower, model.upper, strict=True):
        yield from _bound_lines(column, lower, upper)
    yield "ENDATA"


def _column_lines(
    model: ExportedModel, columns: list[str], rows: list[str], objective: str
) -> Iterator[str]:
    row_of = np.repeat(np.arange(len(rows)), np.diff(model.indptr))
    by_column = np.argsort(model.indices, kind="stable")
    entry, row = by_column.tolist(), row_of[by_column].tolist()
    starts = np.searchsorted(model.indices[by_column], np.arange(len(columns) + 1)).tolist()
    previous = ColumnKind.CONTINUOUS
    for column, name in enumerate(columns):
        kind = ColumnKind(int(model.kind[column]))
        if kind is not previous:
            yield from (_CLOSING[previous],) if previous in _CLOSING else ()
            yield from (_OPENING[kind],) if kind in _OPENING else ()
            previous = kind
        start, end = starts[column], starts[column + 1]
        if model.cost[column] != "0" or start == end:
            yield f" {name} {objective} {model.cost[column]}"
        for at in range(start, end):
            yield f" {name} {rows[row[at]]} {model.data[entry[at]]}"
    if previous in _CLOSING:
        yield _CLOSING[previous]


def _bound_lines(column: str, lower: str | None, upper: str | None) -> Iterator[str]:
    if lower is None and upper is None:
        yield f" FR {_BOUNDS} {column}"
    elif lower == upper:
        yield f" FX {_BOUNDS} {column} {lower}"
    else:
        yield f" MI {_BOUNDS} {column}" if lower is None else f" LO {_BOUNDS} {column} {lower}"
        yield f" PL {_BOUNDS} {column}" if upper is None else f" UP {_BOUNDS} {column} {upper}"


def _row_kind(lower: str | None, upper: str | None) -> str:
    if lower is None:
        return "G" if upper is None else "L"
    return "E" if lower == upper else "G"


def _negated(text: str) -> str:
    return text[1:] if text.startswith("-") else f"-{text}"


def _safe(name: str) -> str:
    """Replace blanks, quotes and whatever is not ASCII, and set apart what has a meaning."""
    kept = "".join(c if "!" <= c <= "~" and c not in "\"'" else "_" for c in name)
    if kept[:1] in {"", "*", "$", "&"}:
        kept = f"_{kept}"
    return f"{kept}_" if kept.upper() in {*SECTIONS, _RANGES, _BOUNDS, "MARKER"} else kept
