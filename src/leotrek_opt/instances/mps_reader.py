"""The text of an MPS file to an exact model: one pass over its lines, every fault with its line."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.instances.mps_layout import (
    OTHER_BOUNDS,
    VALUED_BOUNDS,
    Layout,
)
from leotrek_opt.models.messages import shown
from leotrek_opt.solvers.matrix_scaling import ExactModel
from leotrek_opt.solvers.rationals import Rationals, joined, number

MAX_LINE_BYTES = 10_000
"""Longest line; six fields of 255 characters are a sixth of it."""
IMPLIED_BEGIN = "* implied integer columns begin"
IMPLIED_END = "* implied integer columns end"
"""Comments around columns that are implied to be integer; other readers take them as continuous."""

SECTIONS = ("NAME", "OBJSENSE", "OBJNAME", "ROWS", "COLUMNS", "RHS", "RANGES", "BOUNDS", "ENDATA")
_REFUSED_SECTIONS = (
    *("SOS", "SOS1", "SOS2", "SETS", "QUADOBJ", "QMATRIX", "QSECTION", "QCMATRIX", "CSECTION"),
    *("INDICATORS", "LAZYCONS", "USERCUTS", "MODELCUTS", "DELAYEDROWS", "GENCONS"),
    *("PWLOBJ", "PWLNAM", "PWLCON", "BRANCH"),
)
_WITH_TEXT = ("NAME", "OBJSENSE", "OBJNAME")
_SENSES = {
    "MIN": True,
    "MINIMIZE": True,
    "MINIMISE": True,
    "MAX": False,
    "MAXIMIZE": False,
    "MAXIMISE": False,
}
_FROM_INFINITE = 10**20
_OBJECTIVE, _LEFT_OUT = -1, -2

_LOGGER = logging.getLogger("leotrek_opt.instances")

Exact = tuple[int, int]
"""Numerator and denominator."""
_ZERO, _ONE, _INFINITY, _MINUS_INFINITY = (0, 1), (1, 1), (1, 0), (-1, 0)
_BOUND_SIDES: dict[str, Callable[[Exact], tuple[Exact | None, Exact | None]]] = {
    "LO": lambda value: (value, None),
    "LI": lambda value: (value, None),
    "UP": lambda value: (None, value),
    "UI": lambda value: (None, value),
    "FX": lambda value: (value, value),
    "MI": lambda _: (_MINUS_INFINITY, None),
    "PL": lambda _: (None, _INFINITY),
    "FR": lambda _: (_MINUS_INFINITY, _INFINITY),
    "BV": lambda _: (_ZERO, _ONE),
}
"""Lower and upper bound that a line sets; None leaves one as it is."""


class MpsReader:
    """Reads one file.

    Parameters
    ----------
    layout
        Finds the fields of a line.

    Attributes
    ----------
    line
        Number of the line that was read last, from 1.
    """

    def __init__(self, layout: Layout) -> None:
        self.line = 0
        self._layout = layout
        self._numbers: dict[str, Exact] = {}
        self._minimise = True
        self._objective_name: str | None = None
        self._has_objective = False
        self._rows: dict[str, int] = {}
        self._row_kinds: list[str] = []
        self._columns: dict[str, int] = {}
        self._entries = _Entries()
        self._costs: dict[int, Exact] = {}
        self._integer: list[bool] = []
        self._implied: list[bool] = []
        self._in_integers = self._in_implied = False
        self._sets: dict[str, str] = {}
        self._right_sides: dict[int, Exact] = {}
        self._ranges: dict[int, Exact] = {}
        self._lower: dict[int, Exact] = {}
        self._upper: dict[int, Exact] = {}
        self._is_bounded: set[int] = set()

    def read(self, data: bytes) -> ExactModel:
        """Read a whole file.

        Parameters
        ----------
        data
            Its content, unpacked.

        Returns
        -------
        ExactModel
            The model as it is written.

        Raises
        ------
        InputError
            If it is no such file; the field is the line.
        """
        try:
            self._read_lines(data)
            return self._model()
        except InputError as error:
            raise InputError(error.message, field=f"line {self.line}") from None

    def _read_lines(self, data: bytes) -> None:
        handlers: dict[str, Callable[[str], None]] = {
            "OBJSENSE": self._read_sense,
            "OBJNAME": self._read_objective_name,
            "ROWS": self._read_row,
            "COLUMNS": self._read_column,
            "RHS": self._read_right_side,
            "RANGES": self._read_range,
            "BOUNDS": self._read_bound,
        }
        section, seen = "", set()
        for self.line, raw in enumerate(io.BytesIO(data), 1):
            if len(raw) > MAX_LINE_BYTES:
                raise InputError(f"has more than {MAX_LINE_BYTES} bytes")
            try:
                line = raw.decode("utf-8").rstrip()
            except UnicodeDecodeError:
                raise InputError("is not UTF-8 text") from None
            if line.startswith("*"):
                if line in {IMPLIED_BEGIN, IMPLIED_END}:
                    self._in_implied = line == IMPLIED_BEGIN
                continue
            word = _section_of(line)
            if word == "ENDATA":
                return
            if word:
                if word in seen:
                    raise InputError(f"section {word} stands twice")
                section = word
                seen.add(word)
                line = line[len(word) :] if word in {"OBJSENSE", "OBJNAME"} else ""
            if not line or line.isspace():
                continue
            if section not in handlers:
                raise InputError(f"a section is wanted, not {shown(line.split()[0])}")
            handlers[section](line)
        raise InputError("ends without ENDATA")

    def _read_sense(self, line: str) -> None:
        word = line.strip().upper()
        if word not in _SENSES:
            raise InputError(f"the sense is MIN or MAX, not {shown(line.strip())}")
        self._minimise = _SENSES[word]

    def _read_objective_name(self, line: str) -> None:
        if self._rows:
            raise InputError("OBJNAME must stand before ROWS")
        self._objective_name = line.strip()

    def _read_row(self, line: str) -> None:
        kind, name = self._layout.row(line)
        if name in self._rows:
            raise InputError(f"row {shown(name)} stands twice")
        if kind.upper() == "N":
            wanted = self._objective_name in {None, name} and not self._has_objective
            self._rows[name] = _OBJECTIVE if wanted else _LEFT_OUT
            self._has_objective |= wanted
        elif kind.upper() in {"E", "L", "G"}:
            self._rows[name] = len(self._row_kinds)
            self._row_kinds.append(kind.upper())
        else:
            raise InputError(f"a row is of type N, E, L or G, not {shown(kind)}")

    def _read_column(self, line: str) -> None:
        found = self._layout.column(line)
        if isinstance(found, str):
            if found not in {"'INTORG'", "'INTEND'"}:
                raise InputError(f"a marker is 'INTORG' or 'INTEND', not {shown(found)}")
            self._in_integers = found == "'INTORG'"
            return
        name, pairs = found
        column = self._columns.setdefault(name, len(self._columns))
        if column == len(self._integer):
            self._integer.append(self._in_integers)
            self._implied.append(self._in_implied and not self._in_integers)
        elif column < len(self._integer) - 1:
            raise InputError(f"column {shown(name)} stands in two places")
        for row_name, text in pairs:
            row, value = self._row(row_name), self._number(text, finite=True)
            if row == _LEFT_OUT:
                continue
            if row == _OBJECTIVE:
                _set_once(self._costs, column, value, f"cost of column {shown(name)}")
            elif not self._entries.add(row, column, value):
                raise InputError(f"column {shown(name)} stands twice in row {shown(row_name)}")

    def _read_right_side(self, line: str) -> None:
        for row, text in self._vector("RHS", line):
            if row == _LEFT_OUT:
                continue
            value = self._number(text, finite=row == _OBJECTIVE)
            _set_once(self._right_sides, row, value, "right-hand side of a row")

    def _read_range(self, line: str) -> None:
        for row, text in self._vector("RANGES", line):
            if row < 0:
                raise InputError("a free row has no range")
            _set_once(self._ranges, row, self._number(text), "range of a row")

    def _read_bound(self, line: str) -> None:
        bound = self._layout.bound(line, self._columns)
        self._require_one_set("BOUNDS", bound.vector)
        kind, column = bound.kind.upper(), self._columns.get(bound.column)
        if kind in {"SC", "SI", "SN"}:
            raise InputError(f"semi-continuous columns ({kind}) are not supported")
        if kind not in VALUED_BOUNDS + OTHER_BOUNDS:
            raise InputError(f"no bound of type {shown(bound.kind)} is known")
        if column is None:
            raise InputError(f"no column {shown(bound.column)}")
        value = self._number(bound.value) if kind in VALUED_BOUNDS else _ZERO
        lower, upper = _BOUND_SIDES[kind](value)
        name = shown(bound.column)
        if lower is not None:
            _set_once(self._lower, column, lower, f"lower bound of column {name}")
        if upper is not None:
            _set_once(self._upper, column, upper, f"upper bound of column {name}")
        self._is_bounded.add(column)
        if kind in {"BV", "LI", "UI"}:
            self._integer[column], self._implied[column] = True, False

    def _vector(self, section: str, line: str) -> list[tuple[int, str]]:
        name, pairs = self._layout.vector(line)
        self._require_one_set(section, name)
        return [(self._row(row), text) for row, text in pairs]

    def _require_one_set(self, section: str, name: str) -> None:
        if self._sets.setdefault(section, name) != name:
            raise InputError(
                f"{section} holds a second set {shown(name)} beside {shown(self._sets[section])}"
            )

    def _row(self, name: str) -> int:
        row = self._rows.get(name)
        if row is None:
            raise InputError(f"no row {shown(name)}")
        return row

    def _number(self, text: str, *, finite: bool = False) -> Exact:
        value = self._numbers.get(text)
        if value is None:
            try:
                value = number(text)
            except ValueError as error:
                raise InputError(str(error)) from None
            if "/" in text:
                raise InputError(f"must be a number, not {shown(text)}")
            self._numbers[text] = value
        if finite:
            if value[1] == 0:
                raise InputError("must be finite")
        elif abs(value[0]) >= _FROM_INFINITE * value[1]:
            return _INFINITY if value[0] > 0 else _MINUS_INFINITY
        return value

    def _model(self) -> ExactModel:
        if self._objective_name is not None and not self._has_objective:
            raise InputError(f"no free row {shown(self._objective_name)} for the objective")
        self._warn()
        n, m = len(self._columns), len(self._row_kinds)
        lower, upper = zip(*map(self._column_bounds, range(n)), strict=True) if n else ((), ())
        row_bounds = [self._row_bounds(row, kind) for row, kind in enumerate(self._row_kinds)]
        starts, entries, data = self._entries.by_row(m)
        numerator, denominator = self._right_sides.get(_OBJECTIVE, _ZERO)
        return ExactModel(
            cost=joined(self._costs.get(column, _ZERO) for column in range(n)),
            lower=joined(lower),
            upper=joined(upper),
            integer=np.array(self._integer, dtype=np.bool_),
            implied_integer=np.array(self._implied, dtype=np.bool_),
            starts=starts,
            entries=entries,
            data=data,
            row_lower=joined(bounds[0] for bounds in row_bounds),
            row_upper=joined(bounds[1] for bounds in row_bounds),
            minimise=self._minimise,
            offset=-Fraction(numerator, denominator),
            column_names=tuple(self._columns),
            row_names=tuple(name for name, row in self._rows.items() if row >= 0),
        )

    def _warn(self) -> None:
        left_out = sum(row == _LEFT_OUT for row in self._rows.values())
        if left_out:
            _LOGGER.warning("left out %d free rows beside the objective", left_out)
        below = sum(upper[0] < 0 and at not in self._lower for at, upper in self._upper.items())
        if below:
            _LOGGER.warning("%d columns with a negative upper bound have no lower one", below)

    def _column_bounds(self, column: int) -> tuple[Exact, Exact]:
        if self._integer[column] and column not in self._is_bounded:
            return _ZERO, _ONE
        lower, upper = self._lower.get(column), self._upper.get(column, _INFINITY)
        if lower is None:
            lower = _MINUS_INFINITY if upper[0] < 0 else _ZERO
        return lower, upper

    def _row_bounds(self, row: int, kind: str) -> tuple[Exact, Exact]:
        right = self._right_sides.get(row, _ZERO)
        lower = _MINUS_INFINITY if kind == "L" else right
        upper = _INFINITY if kind == "G" else right
        if row not in self._ranges:
            return lower, upper
        width = self._ranges[row]
        if right[1] == 0:
            raise InputError("a row with a range has an infinite right-hand side")
        if kind == "L" or (kind == "E" and width[0] < 0):
            return _moved(right, width, -1), right
        if kind == "G" or width[0] > 0:
            return right, _moved(right, width, 1)
        return lower, upper


class _Entries:
    """Matrix entries in the order of the file, column by column."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._columns: list[int] = []
        self._values: list[Exact] = []
        self._last_column: dict[int, int] = {}

    def add(self, row: int, column: int, value: Exact) -> bool:
        """Add an entry unless the column, which is the last one, stands in the row already."""
        if self._last_column.get(row) == column:
            return False
        self._last_column[row] = column
        self._rows.append(row)
        self._columns.append(column)
        self._values.append(value)
        return True

    def by_row(self, n_rows: int) -> tuple[NDArray[np.int64], NDArray[np.int32], Rationals]:
        """Return row starts, columns and values."""
        rows = np.array(self._rows, dtype=np.int64)
        order = np.argsort(rows, kind="stable")
        starts = np.zeros(n_rows + 1, dtype=np.int64)
        np.cumsum(np.bincount(rows, minlength=n_rows), out=starts[1:])
        columns = np.array(self._columns, dtype=np.int32)[order]
        return starts, columns, joined(self._values).take(order)


def _section_of(line: str) -> str:
    """Return the section that a line begins, or nothing."""
    if not line or line[0].isspace():
        return ""
    word, *rest = line.split()
    word = word.upper()
    if word in _REFUSED_SECTIONS:
        raise InputError(f"section {word} is not supported, only linear models are")
    return word if word in _WITH_TEXT or (word in SECTIONS and not rest) else ""


def _set_once(given: dict[int, Exact], at: int, value: Exact, what: str) -> None:
    if at in given:
        raise InputError(f"the {what} is given twice")
    given[at] = value


def _moved(value: Exact, width: Exact, sign: int) -> Exact:
    if width[1] == 0:
        return sign, 0
    return (Fraction(*value) + sign * abs(Fraction(*width))).as_integer_ratio()
