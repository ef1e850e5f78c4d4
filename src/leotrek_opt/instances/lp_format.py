"""LP format (CPLEX): linear models as text that people and solvers read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from leotrek_opt.errors import InputError
from leotrek_opt.instances.export import ExportedModel, distinct_names, write_exported
from leotrek_opt.solvers.linear import ColumnKind, LinearModel
from leotrek_opt.solvers.matrix import MatrixModel

_WIDTH = 100
_ALLOWED = re.compile(r"[^A-Za-z0-9_(),.#&!?@{}~]")
_NUMBER_LIKE = re.compile(r"[0-9.]|inf|nan|e[0-9]", re.IGNORECASE)
_KEYWORDS = frozenset(
    (
        *("min", "minimum", "minimize", "minimise", "max", "maximum", "maximize", "maximise"),
        *("st", "s.t.", "st.", "such", "subject", "bound", "bounds", "free"),
        *("bin", "binary", "binaries", "gen", "general", "generals", "int", "integer", "integers"),
        *("semi", "semis", "semi-continuous", "sos", "sos1", "sos2", "end"),
    )
)


def write_lp(model: LinearModel | MatrixModel, path: str | Path, *, words: bool = True) -> Path:
    """Write a model in LP format.

    A row with two different bounds becomes two rows, ``<name>_lo`` and ``<name>_up``, because not
    every reader takes ranges. Columns keep their order.

    Parameters
    ----------
    model
        The model; the numbers of a :class:`MatrixModel` are written in its author's units.
    path
        File to write.
    words
        Name columns and rows of a :class:`LinearModel` by its domain words, not by their labels.
        Brackets become parentheses, and what the format does not take in a name becomes ``_``.

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


def _lines(model: ExportedModel) -> Iterator[str]:
    columns = distinct_names(model.columns, _safe)
    yield "Minimize" if model.minimise else "Maximize"
    # Every column stands in the objective, so that readers meet them in their order.
    objective = [_term(cost, name) for cost, name in zip(model.cost, columns, strict=True)]
    constant = [] if model.offset == "0" else [_signed(model.offset)]
    yield from _wrapped("obj:", [*objective, *constant])
    yield "Subject To"
    yield from _row_lines(model, columns)
    yield "Bounds"
    for name, lower, upper in zip(columns, model.lower, model.upper, strict=True):
        if lower is None and upper is None:
            yield f" {name} free"
        elif lower == upper:
            yield f" {name} = {lower}"
        else:
            yield f" {lower or '-inf'} <= {name} <= {upper or 'inf'}"
    integers = np.flatnonzero(model.kind == ColumnKind.INTEGER).tolist()
    if integers:
        yield "General"
        yield from _wrapped("", [columns[column] for column in integers])
    yield "End"


def _row_lines(model: ExportedModel, columns: list[str]) -> Iterator[str]:
    bounds = list(zip(model.row_lower, model.row_upper, strict=True))
    names = iter(distinct_names(_row_names(model.rows, bounds), _safe))
    starts, indices = model.indptr.tolist(), model.indices.tolist()
    for row, (lower, upper) in enumerate(bounds):
        terms = [
            _term(model.data[at], columns[indices[at]])
            for at in range(starts[row], starts[row + 1])
        ]
        if not terms:
            if not columns:
                raise InputError("has rows but no columns, which LP format cannot say")
            terms = [_term("0", columns[0])]
        for side in _sides(lower, upper):
            yield from _wrapped(f"{next(names)}:", [*terms, side])


def _row_names(rows: Iterable[str], bounds: list[tuple[str | None, str | None]]) -> Iterator[str]:
    for name, (lower, upper) in zip(rows, bounds, strict=True):
        if len(_sides(lower, upper)) > 1:
            yield f"{name}_lo"
            yield f"{name}_up"
        else:
            yield name


def _sides(lower: str | None, upper: str | None) -> list[str]:
    if lower is None:
        return [">= -inf" if upper is None else f"<= {upper}"]
    if lower == upper:
        return [f"= {lower}"]
    return [f">= {lower}"] if upper is None else [f">= {lower}", f"<= {upper}"]


def _term(coefficient: str, name: str) -> str:
    return f"{_signed(coefficient)} {name}"


def _signed(number: str) -> str:
    return f"- {number[1:]}" if number.startswith("-") else f"+ {number}"


def _wrapped(head: str, parts: Iterable[str]) -> Iterator[str]:
    """Write parts after a head on as many lines as they need: readers limit their length."""
    line = f" {head}" if head else ""
    for part in parts:
        if len(line) + 1 + len(part) > _WIDTH and line.strip():
            yield line
            line = "  "
        line = f"{line} {part}"
    yield line


def _safe(name: str) -> str:
    kept = _ALLOWED.sub("_", name.replace("[", "(").replace("]", ")"))
    if not kept or _NUMBER_LIKE.match(kept) or kept.lower() in _KEYWORDS:
        return f"_{kept}"
    return kept
