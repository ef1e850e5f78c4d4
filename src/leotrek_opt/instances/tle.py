"""Two-line element sets: files in and out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from leotrek_opt.errors import InputError, errors_in
from leotrek_opt.instances.element_file import (
    BadRecordError,
    Duplicates,
    ElementCollector,
    ElementFile,
    ElementSet,
)
from leotrek_opt.instances.foreign_file import content_of, text_lines
from leotrek_opt.instances.tle_fields import (
    LINE_LENGTH,
    format_element_set,
    parse_element_set,
)
from leotrek_opt.models.constellation import ElementTable
from leotrek_opt.models.messages import shown

_LONGEST_NAME = 59
"""A longer line is an element line, however damaged."""

_BEGINNINGS = {
    "1": re.compile("1 [0-9A-Z ][0-9 ]{3}[0-9][A-Z ] "),
    "2": re.compile("2 [0-9A-Z ][0-9 ]{3}[0-9] [0-9 ]{3}[.]"),
}
"""How element lines begin, and names do not."""

_TRUNCATED = re.compile("2 +[0-9]")
"""What is left of a line 2 after a line 1."""

_NO_NAME = f"must be an element line, or a name (up to {_LONGEST_NAME} characters) before line 1"


def read_tle(
    source: str | Path | bytes,
    *,
    duplicates: Duplicates = "newest",
    allow_trailing: bool = False,
    verify_checksums: bool = True,
) -> ElementFile:
    """Read a file of two-line element sets, compressed by gzip or not.

    Sets have two lines, or three with a name before them (with or without ``0 `` before the name),
    also mixed. Empty lines and lines that begin with ``#`` are skipped. A record that breaks the
    format is set aside with its line and the reason, and reading goes on.

    Parameters
    ----------
    source
        Path of a file of at most 64 MiB, or its content as bytes.
    duplicates
        Of several sets with one catalogue number keep the one of the ``newest`` epoch (ties: the
        first), the ``first`` in the file, or ``all``. What is kept stays in the order of the file.
    allow_trailing
        Whether text after column 69 is cut off; otherwise it is a fault.
    verify_checksums
        Whether a wrong check digit is a fault. The verification set of SGP4, SGP4-VER.TLE, needs
        ``duplicates="all"``, ``allow_trailing=True`` and no verification, because three of its 33
        cases were changed by hand.

    Returns
    -------
    ElementFile
        The table, and the records set aside.

    Raises
    ------
    InputError
        If the file cannot be read, or holds no valid set.
    """
    data, file = content_of(source)
    return parse_tle(
        data,
        file=file,
        duplicates=duplicates,
        allow_trailing=allow_trailing,
        verify_checksums=verify_checksums,
    )


def parse_tle(
    text: str | bytes,
    *,
    file: str | Path | None = None,
    duplicates: Duplicates = "newest",
    allow_trailing: bool = False,
    verify_checksums: bool = True,
) -> ElementFile:
    """Read the text of a file of two-line element sets.

    Parameters
    ----------
    text
        Content of a file.
    file
        Its name for messages.
    duplicates, allow_trailing, verify_checksums
        As in :func:`read_tle`.

    Returns
    -------
    ElementFile
        As :func:`read_tle`.

    Raises
    ------
    InputError
        If there is no valid set.
    """
    collector = ElementCollector("tle")
    with errors_in(file):
        for record in _records(_lines(text), collector):
            first, second = record.first, record.second
            if allow_trailing:
                first, second = first[:LINE_LENGTH], second[:LINE_LENGTH]
            try:
                if not record.name.isascii():
                    raise BadRecordError("the name must be ASCII text")
                row = parse_element_set(first, second, record.name, checksums=verify_checksums)
            except BadRecordError as error:
                collector.refuse(record.line, str(error), f"{record.first} | {record.second}")
            else:
                collector.add(row, record.line, first)
        return collector.finish(duplicates)


class _Record:
    """Lines that belong together, and the line number of the first element line."""

    __slots__ = ("first", "line", "name", "second")

    def __init__(self, name: str, first: str, second: str, line: int) -> None:
        self.name = name
        self.first = first
        self.second = second
        self.line = line


def _lines(text: str | bytes) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines that are neither empty nor comments."""
    # Latin-1 reads any byte; what is not ASCII is a fault of its record alone.
    for number, raw in text_lines(text.decode("latin-1") if isinstance(text, bytes) else text):
        line = raw.rstrip(" \r")
        if line and not line.startswith("#"):
            yield number, line


def _records(lines: Iterator[tuple[int, str]], collector: ElementCollector) -> Iterator[_Record]:
    """Group lines to records; what does not fit goes to quarantine."""
    name: tuple[int, str] | None = None
    first: tuple[int, str] | None = None
    for number, line in lines:
        if first is not None:
            if _is_element_line(line, "2") or _TRUNCATED.match(line):
                yield _Record("" if name is None else name[1], first[1], line, first[0])
                name = first = None
                continue
            collector.refuse(first[0], "line 1 must be followed by line 2", first[1])
            name = first = None
        if _is_element_line(line, "1"):
            first = (number, line)
            continue
        if name is not None:
            collector.refuse(name[0], _NO_NAME, name[1])
            name = None
        if _is_element_line(line, "2"):
            collector.refuse(number, "line 2 must follow a line 1", line)
        elif len(line) > _LONGEST_NAME:
            collector.refuse(number, _NO_NAME, line)
        else:
            name = (number, line.removeprefix("0 ").strip(" "))
    if first is not None:
        collector.refuse(first[0], "line 1 must be followed by line 2; the file ends", first[1])
    elif name is not None:
        collector.refuse(name[0], _NO_NAME, name[1])


def _is_element_line(line: str, number: str) -> bool:
    """Tell an element line, even a damaged one, from a name that begins with the same digit."""
    if line[0] != number or line[1:2] != " ":
        return False
    return len(line) > _LONGEST_NAME or _BEGINNINGS[number].match(line) is not None


def tle_text(table: ElementTable) -> str:
    """Write element sets as two lines each, with a line before them that holds the name, if any.

    Classification, ephemeris type, element set number and revolution number are not in a table;
    they are written as ``U``, ``0``, ``0`` and ``0``.

    Parameters
    ----------
    table
        Element sets.

    Returns
    -------
    str
        ASCII text; :func:`parse_tle` with ``duplicates="all"`` returns an equal table.

    Raises
    ------
    InputError
        If the format cannot hold a value exactly, such as a catalogue number above 339,999; the
        field is column and row of the table.
    """
    lines: list[str] = []
    for index, row in enumerate(_rows(table)):
        try:
            pair = format_element_set(row)
            if row.name:
                lines.append(_name_line(row.name))
        except InputError as error:
            raise InputError(error.message, field=f"{error.field}[{index}]") from None
        lines += pair
    return "\n".join(lines) + "\n"


def write_tle(table: ElementTable, path: str | Path) -> Path:
    """Write element sets to a file.

    Parameters
    ----------
    table
        As in :func:`tle_text`.
    path
        The file; an existing one is replaced.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the format cannot hold a value exactly, or the file cannot be written.
    """
    text = tle_text(table)
    try:
        Path(path).write_text(text, encoding="ascii", newline="\n")
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=path) from None
    return Path(path)


def _rows(table: ElementTable) -> Iterator[ElementSet]:
    count = len(table)
    columns: list[Sequence[Any]] = []
    for name in ElementSet._fields:
        column = getattr(table, name)
        if column is None:
            columns.append([""] * count)
        else:
            columns.append(column if isinstance(column, tuple) else column.tolist())
    return map(ElementSet, *columns)


def _name_line(name: str) -> str:
    if not name.isascii() or name != name.strip(" ") or len(name) > _LONGEST_NAME - 2:
        raise InputError(
            f"two-line sets hold names of up to {_LONGEST_NAME - 2} ASCII characters without "
            f"blanks around them (got {shown(name)})",
            field="name",
        )
    is_taken_for_another = (
        name.startswith(("0 ", "#")) or _is_element_line(name, "1") or _is_element_line(name, "2")
    )
    return f"0 {name}" if is_taken_for_another else name
