"""Element sets read from a file: what was good as a table, what was not with line and reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from leotrek_opt.errors import InputError
from leotrek_opt.models.columns import Column
from leotrek_opt.models.constellation import ElementTable

MAX_RECORDS = 1_000_000
"""Most records of a file, good and bad."""

MAX_QUARANTINED = 1000
"""Bad records that are kept with their text; beyond it they are counted."""

MAX_TEXT = 160
"""Characters of a bad record that are kept."""

MAX_NAME = 256

JULIAN_DAY_OF_ORDINAL_0 = 1_721_424.5
"""Julian date of the midnight that begins a day, less ``date.toordinal()`` of the day."""

SGP4_EPHEMERIS_TYPES = ("", "0", "2", "3")
"""Published sets have 0; 2 and 3 meant SGP4 and SDP4. Type 4 is SGP4-XP, another theory."""

Duplicates = Literal["newest", "first", "all"]
ElementFormat = Literal["tle", "omm-json", "omm-csv", "omm-xml", "omm-kvn"]


@dataclass(frozen=True)
class QuarantinedRecord:
    """A record of a file that was left out.

    Parameters
    ----------
    line
        Where it begins, from 1.
    reason
        What is wrong and what is allowed.
    text
        Its beginning, on one line.
    """

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class ElementFile:
    """What a file of element sets holds.

    Parameters
    ----------
    table
        The good records in the order of the file.
    quarantined
        The bad ones, the first 1000 of them.
    refused
        Number of all bad ones.
    replaced
        Good records left out because another one of the same catalogue number was kept.
    format
        How the file is written.
    """

    table: ElementTable
    quarantined: tuple[QuarantinedRecord, ...]
    refused: int
    replaced: int
    format: ElementFormat


class BadRecordError(Exception):
    """A record that cannot be read; the text says why."""


class ElementSet(NamedTuple):
    """One row of an :class:`ElementTable`, its fields in the same order and units."""

    name: str
    catalogue_number: int
    international_designator: str
    epoch_jd: float
    epoch_fraction: float
    inclination_deg: float
    raan_deg: float
    eccentricity: float
    argument_of_perigee_deg: float
    mean_anomaly_deg: float
    mean_motion_rev_per_day: float
    mean_motion_dot: float
    mean_motion_ddot: float
    bstar: float


def _limits() -> tuple[tuple[int, str, float, float], ...]:
    found = []
    for index, name in enumerate(ElementSet._fields):
        for part in ElementTable.model_fields[name].metadata:
            if isinstance(part, Column) and part.minimum is not None and part.maximum is not None:
                found.append((index, name, part.minimum, part.maximum))
    return tuple(found)


_LIMITS = _limits()
"""Position, name and inclusive bounds of every numeric column of the table."""


def range_fault(row: ElementSet) -> str | None:
    """Say which value of an element set lies outside what the table takes.

    Parameters
    ----------
    row
        Finite numbers.

    Returns
    -------
    str or None
        What is wrong and what is allowed.
    """
    values: tuple[Any, ...] = row
    for index, name, low, high in _LIMITS:
        if not low <= values[index] <= high:
            return f"{name} must be in {low:.9g} … {high:.9g} (got {values[index]!r})"
    return name_fault(row.name) or name_fault(row.international_designator)


def name_fault(name: str) -> str | None:
    """Say why a name cannot be kept as a label.

    Parameters
    ----------
    name
        Of a satellite.

    Returns
    -------
    str or None
        What is wrong and what is allowed.
    """
    if len(name) > MAX_NAME:
        return f"a name must have at most {MAX_NAME} characters (got {len(name)})"
    if not name.isprintable():
        return "a name must be printable text"
    return None


class ElementCollector:
    """Gathers the records of one file.

    Parameters
    ----------
    file_format
        How the file is written.
    """

    def __init__(self, file_format: ElementFormat) -> None:
        self._format = file_format
        self._rows: list[ElementSet] = []
        self._quarantined: list[QuarantinedRecord] = []
        self._refused = 0

    def add(self, row: ElementSet, line: int, text: str) -> None:
        """Take a record, or quarantine it if a value is out of range.

        Parameters
        ----------
        row
            Its values.
        line, text
            Where it begins, and how.

        Raises
        ------
        InputError
            If there are more records than a file may have.
        """
        fault = range_fault(row)
        if fault is None:
            self._rows.append(row)
            self._check_count()
        else:
            self.refuse(line, fault, text)

    def refuse(self, line: int, reason: str, text: str) -> None:
        """Quarantine a record.

        Parameters
        ----------
        line, reason, text
            As in :class:`QuarantinedRecord`.

        Raises
        ------
        InputError
            If there are more records than a file may have.
        """
        self._refused += 1
        self._check_count()
        if len(self._quarantined) < MAX_QUARANTINED:
            self._quarantined.append(QuarantinedRecord(line, reason, _printable(text)))

    def finish(self, duplicates: Duplicates) -> ElementFile:
        """Return what was gathered.

        Parameters
        ----------
        duplicates
            Which records of one catalogue number to keep.

        Returns
        -------
        ElementFile
            With at least one satellite.

        Raises
        ------
        InputError
            If no record was good.
        """
        if not self._rows:
            raise InputError(self._nothing())
        kept = _without_duplicates(self._rows, duplicates)
        return ElementFile(
            table=element_table(kept),
            quarantined=tuple(self._quarantined),
            refused=self._refused,
            replaced=len(self._rows) - len(kept),
            format=self._format,
        )

    def _check_count(self) -> None:
        if len(self._rows) + self._refused > MAX_RECORDS:
            raise InputError(f"holds more than {MAX_RECORDS:,} records, good and bad")

    def _nothing(self) -> str:
        if not self._quarantined:
            return "holds no element set"
        first = self._quarantined[0]
        return (
            f"holds no valid element set among {self._refused}; "
            f"the first, line {first.line}: {first.reason}"
        )


def element_table(rows: list[ElementSet]) -> ElementTable:
    """Make a table of element sets.

    Parameters
    ----------
    rows
        One per satellite, within the ranges of the table.

    Returns
    -------
    ElementTable
        Without international designators if no row has one.
    """
    columns: dict[str, Any] = dict(zip(ElementSet._fields, zip(*rows, strict=True), strict=True))
    for _, name, _, _ in _LIMITS:
        columns[name] = np.array(columns[name])
    if not any(columns["international_designator"]):
        del columns["international_designator"]
    return ElementTable(**columns)


def _without_duplicates(rows: list[ElementSet], duplicates: Duplicates) -> list[ElementSet]:
    if duplicates == "all":
        return rows
    chosen: dict[int, int] = {}
    for index, row in enumerate(rows):
        held = chosen.setdefault(row.catalogue_number, index)
        if duplicates == "newest" and _epoch(row) > _epoch(rows[held]):
            chosen[row.catalogue_number] = index
    return [rows[index] for index in sorted(chosen.values())]


def _epoch(row: ElementSet) -> tuple[float, float]:
    return row.epoch_jd, row.epoch_fraction


def _printable(text: str) -> str:
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1]
        for character in text[:MAX_TEXT]
    )
