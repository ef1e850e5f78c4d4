"""From whole numbers to CP-SAT's own model, with the structure that its rows have.

Rows over binaries whose entries are all 1 or -1 count literals, with the negation of a column where
the entry is -1. They are handed over as what they are, which takes a third of the memory and spares
CP-SAT finding it out:

===============  =================================================================
exactly one      ``x + y + z = 1``; also ``y + z = x``: one of y, z, not x
at most one      ``x + y + z <= 1``
clause           ``x + y + z >= 1``; also ``x <= y``, an implication: y or not x
===============  =================================================================

The message is filled through few calls of the compiled interface: columns by doubling, rows each
from slices of an array.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model_helper as native

from leotrek_opt.errors import EngineError
from leotrek_opt.solvers.engines.cpsat_integers import ROOM, IntArray, WholeModel

_OPEN_BELOW, _OPEN_ABOVE = -(2**63), 2**63 - 1
_LONG_RUN = 64
"""Length from which equal columns are doubled rather than written one by one."""


class RowKind(IntEnum):
    """What a row is handed over as."""

    REDUNDANT = 0
    """Kept by all values of its columns: left out."""
    LINEAR = 1
    EXACTLY_ONE = 2
    AT_MOST_ONE = 3
    CLAUSE = 4
    NEVER = 5
    """Kept by no integers: an empty clause."""


@dataclass(frozen=True, eq=False)
class Structure:
    """What the rows of a model are.

    Attributes
    ----------
    kind
        :class:`RowKind` of each row, int8, shape (m,).
    literals
        For rows that count literals, what they count: column j, or ``-1 - j`` for its negation;
        int32, shape (nnz,).
    """

    kind: NDArray[np.int8]
    literals: NDArray[np.int32]


def row_structure(whole: WholeModel) -> Structure:
    """Find out what each row is.

    Parameters
    ----------
    whole
        The model.

    Returns
    -------
    Structure
        Kinds and literals.
    """
    lengths = np.diff(whole.indptr).astype(np.int64)
    row = np.repeat(np.arange(lengths.size), lengths)
    is_negative = whole.data < 0
    is_binary = (whole.lower >= 0) & (whole.upper <= 1)
    is_count = lengths >= 2
    is_count[row[(np.abs(whole.data) != 1) | ~is_binary[whole.indices]]] = False
    # Minus a binary is its negation less one, so each negative entry moves the count by one.
    moved = np.bincount(row, is_negative, lengths.size).astype(np.int64)
    fewest = np.where(whole.row_lower == -ROOM, 0, whole.row_lower + moved)
    most = np.where(whole.row_upper == ROOM, lengths, whole.row_upper + moved)

    # A row that counts what is false, out of n, is one of the same kind over the negations.
    is_one, is_all_but_one = (fewest == 1) & (most == 1), (fewest == most) & (most == lengths - 1)
    is_few, is_most = (fewest <= 0) & (most == 1), (fewest == lengths - 1) & (most >= lengths)
    is_some, is_not_all = (fewest == 1) & (most >= lengths), (fewest <= 0) & (most == lengths - 1)
    is_open = (whole.row_lower == -ROOM) & (whole.row_upper == ROOM)
    kind = np.select(
        [
            whole.row_lower > whole.row_upper,
            is_open,
            is_count & (is_some | is_not_all),
            is_count & (is_one | is_all_but_one),
            is_count & (is_few | is_most),
        ],
        [
            RowKind.NEVER,
            RowKind.REDUNDANT,
            RowKind.CLAUSE,
            RowKind.EXACTLY_ONE,
            RowKind.AT_MOST_ONE,
        ],
        RowKind.LINEAR,
    ).astype(np.int8)
    is_turned = (
        ((kind == RowKind.CLAUSE) & ~is_some)
        | ((kind == RowKind.EXACTLY_ONE) & ~is_one)
        | ((kind == RowKind.AT_MOST_ONE) & ~is_few)
    )
    is_negated = is_negative ^ is_turned[row]
    return Structure(kind, np.where(is_negated, ~whole.indices, whole.indices))


def native_model(whole: WholeModel) -> native.CpModelProto:
    """Write a model with its objective.

    Parameters
    ----------
    whole
        The model.

    Returns
    -------
    CpModelProto
        Variable j is column j, in the same integers.
    """
    proto = native.CpModelProto()
    add_columns(proto, whole.lower, whole.upper)
    add_rows(proto, whole, row_structure(whole), np.arange(whole.row_lower.size))
    priced = np.flatnonzero(whole.cost)
    if priced.size:
        proto.objective.vars.extend(priced.tolist())
        proto.objective.coeffs.extend(whole.cost[priced].tolist())
    return proto


def add_columns(proto: native.CpModelProto, lower: IntArray, upper: IntArray) -> None:
    """Append variables.

    Parameters
    ----------
    proto
        The model to write to.
    lower, upper
        Bounds, shape (k,).
    """
    is_new = np.ones(lower.size, dtype=bool)
    is_new[1:] = (lower[1:] != lower[:-1]) | (upper[1:] != upper[:-1])
    starts = np.flatnonzero(is_new)
    if starts.size * _LONG_RUN > lower.size:
        _write_columns(proto, zip(lower.tolist(), upper.tolist(), strict=True))
        return
    counts = np.diff(starts, append=lower.size)
    for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
        _double_columns(proto, int(lower[start]), int(upper[start]), count)


def _write_columns(proto: native.CpModelProto, bounds: Iterable[tuple[int, int]]) -> None:
    text = "".join(["variables{domain:[%d,%d]}" % pair for pair in bounds])  # noqa: UP031 fastest
    if not proto.merge_text_format(text):
        raise EngineError("CP-SAT does not take the columns of the model")


def _double_columns(proto: native.CpModelProto, lower: int, upper: int, count: int) -> None:
    """Append equal variables in as many steps as `count` has bits."""
    block = native.CpModelProto()
    block.variables.add().domain.extend((lower, upper))
    while True:
        if count & 1:
            proto.merge_from(block)
        count >>= 1
        if not count:
            return
        block.merge_from(copy(block))


def add_rows(
    proto: native.CpModelProto, whole: WholeModel, structure: Structure, rows: NDArray[np.int64]
) -> None:
    """Append rows as what they are.

    Parameters
    ----------
    proto
        The model to write to; it has the columns.
    whole, structure
        The model and what its rows are.
    rows
        Row indices, shape (k,).
    """
    kind = structure.kind[rows]
    constraints = proto.constraints
    for name, members in (
        ("exactly_one", kind == RowKind.EXACTLY_ONE),
        ("at_most_one", kind == RowKind.AT_MOST_ONE),
        ("bool_or", kind == RowKind.CLAUSE),
    ):
        for start, end in _spans(whole, rows[members]):
            literals = getattr(constraints.add(), name).literals
            literals.extend(structure.literals[start:end].tolist())
    for _ in range(np.count_nonzero(kind == RowKind.NEVER)):
        constraints.add().bool_or.literals.extend(())
    linear = rows[kind == RowKind.LINEAR]
    for (start, end), domain in zip(_spans(whole, linear), _domains(whole, linear), strict=True):
        _fill(constraints.add().linear, whole, start, end, domain)


def add_rows_if(
    proto: native.CpModelProto,
    whole: WholeModel,
    structure: Structure,
    rows: NDArray[np.int64],
    literals: NDArray[np.int64],
) -> None:
    """Append rows that hold only if a literal is true: as linear ones, which CP-SAT can condition.

    Parameters
    ----------
    proto, whole, structure, rows
        As for :func:`add_rows`.
    literals
        Index of a Boolean variable for each of the rows, shape (k,).
    """
    kind = structure.kind[rows]
    constraints = proto.constraints
    for literal in literals[kind == RowKind.NEVER].tolist():
        constraints.add().bool_or.literals.append(-1 - literal)
    is_kept = (kind != RowKind.NEVER) & (kind != RowKind.REDUNDANT)
    kept, domains = rows[is_kept], _domains(whole, rows[is_kept])
    for literal, (start, end), domain in zip(
        literals[is_kept].tolist(), _spans(whole, kept), domains, strict=True
    ):
        constraint = constraints.add()
        constraint.enforcement_literal.append(literal)
        _fill(constraint.linear, whole, start, end, domain)


def _spans(whole: WholeModel, rows: NDArray[np.int64]) -> Iterable[tuple[int, int]]:
    return zip(whole.indptr[rows].tolist(), whole.indptr[rows + 1].tolist(), strict=True)


def _domains(whole: WholeModel, rows: NDArray[np.int64]) -> Iterable[tuple[int, int]]:
    lower, upper = whole.row_lower[rows], whole.row_upper[rows]
    return zip(
        np.where(lower == -ROOM, _OPEN_BELOW, lower).tolist(),
        np.where(upper == ROOM, _OPEN_ABOVE, upper).tolist(),
        strict=True,
    )


def _fill(
    linear: native.LinearConstraintProto,
    whole: WholeModel,
    start: int,
    end: int,
    domain: tuple[int, int],
) -> None:
    linear.vars.extend(whole.indices[start:end].tolist())
    linear.coeffs.extend(whole.data[start:end].tolist())
    linear.domain.extend(domain)
