"""The two ways in which a line of an MPS file holds its fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from leotrek_opt.errors import InputError

Pairs = list[tuple[str, str]]

VALUED_BOUNDS = ("UP", "LO", "FX", "LI", "UI")
"""Types of bounds that need a number."""
OTHER_BOUNDS = ("FR", "MI", "PL", "BV")
"""Types of bounds that need none."""
_MARKER = "'MARKER'"


class Bound(NamedTuple):
    """One line of the section BOUNDS; the text of the value is empty where there is none."""

    kind: str
    vector: str
    column: str
    value: str


class Layout(Protocol):
    """Finds the fields of a line."""

    def row(self, line: str) -> tuple[str, str]:
        """Return type and name of a row."""
        ...

    def column(self, line: str) -> tuple[str, Pairs] | str:
        """Return a column with its entries (row, number), or the word of a marker line."""
        ...

    def vector(self, line: str) -> tuple[str, Pairs]:
        """Return a set, which may be empty, and its entries (row, number)."""
        ...

    def bound(self, line: str, columns: dict[str, int]) -> Bound:
        """Return a bound."""
        ...


class FreeLayout:
    """Fields between blanks; a set need not be named."""

    def row(self, line: str) -> tuple[str, str]:
        """Return type and name of a row."""
        fields = line.split()
        if len(fields) != 2:
            raise InputError(f"a row is a type and a name, not {len(fields)} fields")
        return fields[0], fields[1]

    def column(self, line: str) -> tuple[str, Pairs] | str:
        """Return a column with its entries, or the word of a marker line."""
        fields = line.split()
        if len(fields) == 3 and fields[1] == _MARKER:
            return fields[2]
        if len(fields) not in {3, 5}:
            raise InputError(
                f"a column has a name and one or two rows with numbers, not {len(fields)} fields"
            )
        return fields[0], _pairs(fields[1:])

    def vector(self, line: str) -> tuple[str, Pairs]:
        """Return a set and its entries."""
        fields = line.split()
        if not 2 <= len(fields) <= 5:
            raise InputError(f"one or two rows with numbers are needed, not {len(fields)} fields")
        named = len(fields) % 2
        return (fields[0] if named else ""), _pairs(fields[named:])

    def bound(self, line: str, columns: dict[str, int]) -> Bound:
        """Return a bound; a line of three fields may leave out the set or the number."""
        kind, *fields = line.split()
        if not 1 <= len(fields) <= 3:
            raise InputError(f"a bound has 2 to 4 fields, not {len(fields) + 1}")
        if len(fields) == 3:
            return Bound(kind, fields[0], fields[1], fields[2])
        if len(fields) == 1:
            return Bound(kind, "", fields[0], "")
        unnamed = kind not in OTHER_BOUNDS or (fields[0] in columns and fields[1] not in columns)
        if unnamed:
            return Bound(kind, "", fields[0], fields[1])
        return Bound(kind, fields[0], fields[1], "")


class FixedLayout:
    """Fields in columns 2-3, 5-12, 15-22, 25-36, 40-47 and 50-61; names may hold blanks."""

    def row(self, line: str) -> tuple[str, str]:
        """Return type and name of a row."""
        kind, name, *rest = _fixed_fields(line)
        if any(rest) or not name:
            raise InputError("a row is a type in columns 2-3 and a name in columns 5-12")
        return kind, name

    def column(self, line: str) -> tuple[str, Pairs] | str:
        """Return a column with its entries, or the word of a marker line."""
        _, name, *rest = _fixed_fields(line)
        if rest[0] == _MARKER:
            return rest[1] or rest[2]
        if not name:
            raise InputError("a column has its name in columns 5-12")
        return name, _filled(rest)

    def vector(self, line: str) -> tuple[str, Pairs]:
        """Return a set and its entries."""
        _, name, *rest = _fixed_fields(line)
        return name, _filled(rest)

    def bound(self, line: str, columns: dict[str, int]) -> Bound:  # noqa: ARG002
        """Return a bound."""
        kind, vector, column, value, *rest = _fixed_fields(line)
        if any(rest) or not column:
            raise InputError("a bound has its column in columns 15-22 and its number in 25-36")
        return Bound(kind, vector, column, value)


_FIELDS = ((1, 3), (4, 12), (14, 22), (24, 36), (39, 47), (49, 61))
_GAPS = ((0, 1), (3, 4), (12, 14), (22, 24), (36, 39), (47, 49), (61, None))


def _fixed_fields(line: str) -> list[str]:
    text = line.rstrip()
    if any(text[a:b].strip() for a, b in _GAPS):
        raise InputError("has text between the fields of the fixed format")
    return [text[a:b].strip() for a, b in _FIELDS]


def _pairs(fields: Sequence[str]) -> Pairs:
    return list(zip(fields[::2], fields[1::2], strict=True))


def _filled(fields: Sequence[str]) -> Pairs:
    pairs = [pair for pair in _pairs(fields) if any(pair)]
    if not pairs or not all(map(all, pairs)):
        raise InputError("one or two rows with numbers are needed")
    return pairs
