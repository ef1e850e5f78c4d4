"""The two lines of an element set: fixed columns to values, and values to fixed columns.

Sources: CelesTrak, NORAD Two-Line Element Set Format; Space-Track, Basic Description of the
Two-Line Element (TLE) Format, for the Alpha-5 catalogue numbers.
"""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from leotrek_opt.errors import InputError
from leotrek_opt.instances.element_file import (
    JULIAN_DAY_OF_ORDINAL_0,
    SGP4_EPHEMERIS_TYPES,
    BadRecordError,
    ElementSet,
)
from leotrek_opt.models.messages import shown

LINE_LENGTH = 69
FIRST_YEAR = 1957
"""Two digits of a year stand for one of the hundred years from here."""

MAX_CATALOGUE_NUMBER = 339_999
"""The largest number that five characters hold, written Z9999."""

_ALPHA5 = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_POWERS = {f"{exponent:+d}": 10.0**exponent for exponent in range(-9, 10)} | {"-0": 1.0}
_CHECK_DIGITS = bytes(
    byte - 48 if 48 <= byte <= 57 else int(byte == ord("-")) for byte in range(256)
)


class Field(NamedTuple):
    """Columns of a line, numbered from 1, and what they hold."""

    name: str
    first: int
    last: int
    pattern: str
    meaning: str


def _number_of(width: int, at_least: int = 0) -> str:
    """Match digits flush right in a field that may begin with blanks."""
    choices = "|".join(
        f" {{{width - digits}}}[0-9]{{{digits}}}" for digits in range(at_least, width + 1)
    )
    return f"(?:{choices})"


_CATALOGUE = Field(
    "catalogue number", 3, 7,
    f"(?:[0-9A-HJ-NP-Z][0-9]{{4}}|{_number_of(5, 1)})",
    "five digits, or a letter but I and O and four digits",
)  # fmt: skip
_CHECKSUM = Field("checksum", 69, 69, "[0-9]", "one digit")
_ANGLE, _ANGLE_MEANING = "(?:[0-9]{3}| [0-9]{2}|  [0-9])[.][0-9]{4}", "degrees as nnn.nnnn"
_POWER, _POWER_MEANING = "[ +-][0-9]{5}[+-][0-9]", "a sign, five decimals, a signed exponent"

FIRST_LINE = (
    Field("line number", 1, 1, "1", "1"),
    _CATALOGUE,
    Field("classification", 8, 8, "[A-Z ]", "one letter"),
    Field("international designator", 10, 17, "[ -~]{8}", "printable text"),
    Field("year", 19, 20, "[ 0-9][0-9]", "two digits"),
    Field("day of the year", 21, 32, "(?:[0-9]{3}| [0-9]{2}|  [0-9])[.][0-9]{8}", "nnn.nnnnnnnn"),
    Field("first derivative of mean motion", 34, 43, "[ +-][.][0-9]{8}", "a sign and .nnnnnnnn"),
    Field("second derivative of mean motion", 45, 52, _POWER, _POWER_MEANING),
    Field("drag term", 54, 61, _POWER, _POWER_MEANING),
    Field("ephemeris type", 63, 63, "[ 0-9]", "one digit or blank"),
    Field("element set number", 65, 68, _number_of(4), "digits flush right"),
    _CHECKSUM,
)
SECOND_LINE = (
    Field("line number", 1, 1, "2", "2"),
    _CATALOGUE,
    Field("inclination", 9, 16, _ANGLE, _ANGLE_MEANING),
    Field("ascending node", 18, 25, _ANGLE, _ANGLE_MEANING),
    Field("eccentricity", 27, 33, "[0-9]{7}", "seven decimals"),
    Field("argument of perigee", 35, 42, _ANGLE, _ANGLE_MEANING),
    Field("mean anomaly", 44, 51, _ANGLE, _ANGLE_MEANING),
    Field("mean motion", 53, 63, "[ 0-9][0-9][.][0-9]{8}", "nn.nnnnnnnn"),
    Field("revolution number", 64, 68, _number_of(5), "digits flush right"),
    _CHECKSUM,
)


def _line_pattern(fields: Sequence[Field]) -> re.Pattern[str]:
    pattern, column = "", 1
    for field in fields:
        pattern += " " * (field.first - column) + field.pattern
        column = field.last + 1
    return re.compile(pattern)


_PATTERNS = {FIRST_LINE: _line_pattern(FIRST_LINE), SECOND_LINE: _line_pattern(SECOND_LINE)}


def parse_element_set(first: str, second: str, name: str, *, checksums: bool) -> ElementSet:
    """Read the two lines of an element set.

    Parameters
    ----------
    first, second
        Lines of 69 characters.
    name
        Of the satellite.
    checksums
        Whether the last digits must be right.

    Returns
    -------
    ElementSet
        Mantissas times powers of ten are computed as the reference code of SGP4 does, so that the
        values are those of ``Satrec.twoline2rv`` to the bit.

    Raises
    ------
    BadRecordError
        If a line breaks the format.
    """
    _check_line("line 1", first, FIRST_LINE, checksums=checksums)
    _check_line("line 2", second, SECOND_LINE, checksums=checksums)
    number = _catalogue_number(first[2:7])
    if number != _catalogue_number(second[2:7]):
        raise BadRecordError(
            f"lines 1 and 2 must have one catalogue number (got {first[2:7]} and {second[2:7]})"
        )
    if first[62].strip() not in SGP4_EPHEMERIS_TYPES:
        raise BadRecordError(f"line 1, column 63: ephemeris type {first[62]} is not SGP4 (0)")
    year = _full_year(int(first[18:20]))
    day = int(first[20:23])
    if not 1 <= day <= 365 + isleap(year):
        raise BadRecordError(
            f"line 1, columns 21-32: {year} has days 1 … {365 + isleap(year)} (got {day})"
        )
    return ElementSet(
        name=name,
        catalogue_number=number,
        international_designator=_designator(first[9:17].rstrip()),
        epoch_jd=date(year, 1, 1).toordinal() + JULIAN_DAY_OF_ORDINAL_0 + (day - 1),
        epoch_fraction=float(first[23:32]),
        inclination_deg=float(second[8:16]),
        raan_deg=float(second[17:25]),
        eccentricity=float("." + second[26:33]),
        argument_of_perigee_deg=float(second[34:42]),
        mean_anomaly_deg=float(second[43:51]),
        mean_motion_rev_per_day=float(second[52:63]),
        mean_motion_dot=float(first[33:43]),
        mean_motion_ddot=_power_value(first[44:52]),
        bstar=_power_value(first[53:61]),
    )


def _check_line(which: str, line: str, fields: tuple[Field, ...], *, checksums: bool) -> None:
    if len(line) != LINE_LENGTH:
        raise BadRecordError(f"{which} must have {LINE_LENGTH} characters (got {len(line)})")
    if not line.isascii():
        raise BadRecordError(f"{which} must be ASCII text")
    if not _PATTERNS[fields].fullmatch(line):
        raise BadRecordError(f"{which}, {_first_fault(line, fields)}")
    if checksums and int(line[68]) != checksum(line):
        raise BadRecordError(f"{which}: the checksum must be {checksum(line)} (got {line[68]})")


def _first_fault(line: str, fields: Sequence[Field]) -> str:
    column = 1
    for field in fields:
        if line[column - 1 : field.first - 1].strip(" "):
            return f"column {column} must be blank (got {shown(line[column - 1])})"
        text = line[field.first - 1 : field.last]
        if not re.fullmatch(field.pattern, text):
            where = f"columns {field.first}-{field.last}"
            if field.first == field.last:
                where = f"column {field.first}"
            return f"{where}: {field.name} must be {field.meaning} (got {shown(text)})"
        column = field.last + 1
    return "is not in the format"


def checksum(line: str) -> int:
    """Return the check digit of a line: the sum of its digits, a minus being 1, modulo 10.

    Parameters
    ----------
    line
        ASCII; its first 68 characters count.

    Returns
    -------
    int
        0 to 9.
    """
    return sum(line[:68].encode("ascii").translate(_CHECK_DIGITS)) % 10


def _catalogue_number(text: str) -> int:
    if text[0] > "9":
        return _ALPHA5.index(text[0]) * 10_000 + int(text[1:])
    return int(text.strip() or 0)


def _full_year(two_digits: int) -> int:
    century = FIRST_YEAR - FIRST_YEAR % 100
    return century + two_digits + 100 * (two_digits < FIRST_YEAR % 100)


def _designator(text: str) -> str:
    """Write 98067A as 1998-067A, the form of every other format; keep what is no designator."""
    if re.fullmatch("[0-9]{5}[A-Z]{1,3}", text):
        return f"{_full_year(int(text[:2]))}-{text[2:]}"
    return text


def _power_value(text: str) -> float:
    return float(f"{text[0].strip()}.{text[1:6]}") * _POWERS[text[6:]]


def format_element_set(row: ElementSet) -> tuple[str, str]:
    """Write the two lines of an element set, with 0 for the numbers that nobody computes with.

    Parameters
    ----------
    row
        Values that the format can hold.

    Returns
    -------
    tuple of str
        Lines of 69 characters. :func:`parse_element_set` returns the same values.

    Raises
    ------
    InputError
        If the format cannot hold a value; the field is the column of the table.
    """
    number = _catalogue_text(row.catalogue_number)
    first = (
        f"1 {number}U {_designator_text(row.international_designator):8} {_epoch_text(row)} "
        f"{_small_text(row.mean_motion_dot)} "
        f"{_power_text(row.mean_motion_ddot, 'mean_motion_ddot')} "
        f"{_power_text(row.bstar, 'bstar')} 0    0"
    )
    second = (
        f"2 {number} {_decimal_text(row, 'inclination_deg', 8, 4)} "
        f"{_decimal_text(row, 'raan_deg', 8, 4)} "
        f"{_decimal_text(row, 'eccentricity', 9, 7)[2:]} "
        f"{_decimal_text(row, 'argument_of_perigee_deg', 8, 4)} "
        f"{_decimal_text(row, 'mean_anomaly_deg', 8, 4)} "
        f"{_decimal_text(row, 'mean_motion_rev_per_day', 11, 8)}    0"
    )
    return f"{first}{checksum(first)}", f"{second}{checksum(second)}"


def _catalogue_text(number: int) -> str:
    if number > MAX_CATALOGUE_NUMBER:
        raise InputError(
            f"two-line sets hold numbers up to {MAX_CATALOGUE_NUMBER} (got {number})",
            field="catalogue_number",
        )
    head, tail = divmod(number, 10_000)
    return f"{_ALPHA5[head]}{tail:04d}"


def _designator_text(text: str) -> str:
    short = text[2:].replace("-", "", 1)
    if _designator(short) == text:
        return short
    if len(text) > 8 or not text.isascii() or not text.isprintable() or _designator(text) != text:
        raise InputError(
            f"two-line sets hold 8 ASCII characters (got {shown(text)})",
            field="international_designator",
        )
    return text


def _epoch_text(row: ElementSet) -> str:
    day = date.fromordinal(round(row.epoch_jd - JULIAN_DAY_OF_ORDINAL_0))
    fraction = f"{row.epoch_fraction:.8f}"
    held = (
        FIRST_YEAR <= day.year < FIRST_YEAR + 100
        and fraction[0] == "0"
        and float(fraction) == row.epoch_fraction
        and row.epoch_jd % 1 == 0.5
    )
    if not held:
        raise InputError(
            f"two-line sets hold hundred-millionths of a day from {FIRST_YEAR} to "
            f"{FIRST_YEAR + 99} (got Julian date {row.epoch_jd!r} + {row.epoch_fraction!r})",
            field="epoch_fraction",
        )
    return f"{day.year % 100:02d}{day.timetuple().tm_yday:03d}{fraction[1:]}"


def _decimal_text(row: ElementSet, name: str, width: int, decimals: int) -> str:
    value = float(getattr(row, name))
    text = f"{value:{width}.{decimals}f}"
    if float(text) != value or len(text) > width:
        raise InputError(f"two-line sets hold {decimals} decimals (got {value!r})", field=name)
    return text


def _small_text(value: float) -> str:
    text = f"{abs(value):.8f}"
    if text[0] != "0" or len(text) != 10 or float(text) != abs(value):
        raise InputError(
            f"two-line sets hold 8 decimals of a number below 1 (got {value!r})",
            field="mean_motion_dot",
        )
    return ("-" if value < 0 else " ") + text[1:]


def _power_text(value: float, name: str) -> str:
    """Write five decimals and an exponent; of several spellings the first that is exact."""
    if value == 0:
        return " 00000-0"
    scientific = f"{abs(value):.4e}"
    mantissa, exponent = scientific[0] + scientific[2:6], int(scientific[7:]) + 1
    spellings = []
    for zeros in range(5):
        if mantissa[5 - zeros :].strip("0") or not -9 <= exponent + zeros <= 9:
            continue
        digits = "0" * zeros + mantissa[: 5 - zeros]
        spellings.append(f"{'-' if value < 0 else ' '}{digits}{exponent + zeros:+d}")
    exact = [text for text in spellings if _power_value(text) == value]
    # A value that came from a decimal may differ from mantissa times power in its last bit.
    near = [text for text in spellings if abs(_power_value(text) - value) <= 1e-15 * abs(value)]
    if not exact and not near:
        raise InputError(
            f"two-line sets hold 5 decimals and an exponent of -9 to 9 (got {value!r})", field=name
        )
    return (exact or near)[0]
