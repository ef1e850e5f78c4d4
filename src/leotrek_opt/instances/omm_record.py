"""The fields of one Orbit Mean-Elements Message to an element set.

Source: CCSDS 502.0-B-3, Orbit Data Messages, chapter 4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from leotrek_opt.instances.element_file import (
    JULIAN_DAY_OF_ORDINAL_0,
    SGP4_EPHEMERIS_TYPES,
    BadRecordError,
    ElementSet,
)
from leotrek_opt.instances.foreign_file import decimal
from leotrek_opt.models.messages import shown

NUMBERS = {
    "INCLINATION": "deg",
    "RA_OF_ASC_NODE": "deg",
    "ECCENTRICITY": "",
    "ARG_OF_PERICENTER": "deg",
    "MEAN_ANOMALY": "deg",
    "MEAN_MOTION": "rev/day",
    "MEAN_MOTION_DOT": "rev/day**2",
    "MEAN_MOTION_DDOT": "rev/day**3",
    "BSTAR": "1/ER",
}
"""Numeric fields with the only unit that they may name."""

FIXED = {
    "CENTER_NAME": ("EARTH",),
    "REF_FRAME": ("TEME",),
    "TIME_SYSTEM": ("UTC",),
    "MEAN_ELEMENT_THEORY": ("SGP4", "SGP/SGP4"),
}
"""Fields that say what the numbers mean, and what SGP4 needs them to say where they are given."""

REQUIRED = (
    *("NORAD_CAT_ID", "EPOCH", "MEAN_MOTION", "ECCENTRICITY", "INCLINATION"),
    *("RA_OF_ASC_NODE", "ARG_OF_PERICENTER", "MEAN_ANOMALY", "BSTAR"),
)
KNOWN = frozenset((*REQUIRED, *NUMBERS, *FIXED, "OBJECT_NAME", "OBJECT_ID", "EPHEMERIS_TYPE"))
"""Fields that are read; whatever else a message holds is left aside."""

_INTEGER = re.compile("[+]?0{0,20}([0-9]{1,9})")
_EPOCH = re.compile(
    "([0-9]{4})-(?:([0-9]{2})-([0-9]{2})|([0-9]{3}))"
    "T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.]([0-9]{1,18}))?Z?"
)
_SECONDS_PER_DAY = 86_400


@dataclass
class RawRecord:
    """A message as it stands in a file.

    Parameters
    ----------
    line
        Where it begins, from 1.
    text
        Its beginning.
    fields
        Text of the known fields that have a value.
    fault
        What is wrong already as text, if anything.
    """

    line: int
    text: str
    fields: dict[str, str] = field(default_factory=dict)
    fault: str | None = None

    def put(self, name: str, value: str, unit: str = "") -> None:
        """Take a field, if it is a known one.

        Parameters
        ----------
        name, value
            As written; a field without text is as good as absent.
        unit
            Given with it, if any.
        """
        if name not in KNOWN or not value:
            return
        expected = NUMBERS.get(name, "")
        if name in self.fields:
            self.blame(f"{name} is given twice")
        elif unit and unit.lower() != expected.lower():
            self.blame(f"{name} must be in {expected or 'no unit'} (got {shown(unit)})")
        self.fields[name] = value

    def blame(self, fault: str) -> None:
        """Note what is wrong, unless something was wrong before."""
        self.fault = self.fault or fault


def omm_element_set(record: RawRecord) -> ElementSet:
    """Read a message.

    Parameters
    ----------
    record
        With every value as text.

    Returns
    -------
    ElementSet
        Values are the nearest floats to the decimals.

    Raises
    ------
    BadRecordError
        If it does not hold element sets of SGP4, or a field is missing or malformed.
    """
    fields = record.fields
    if record.fault is not None:
        raise BadRecordError(record.fault)
    for name, allowed in FIXED.items():
        if fields.get(name, allowed[0]).upper() not in allowed:
            raise BadRecordError(f"{name} must be {allowed[0]} (got {shown(fields[name])})")
    if fields.get("EPHEMERIS_TYPE", "").removeprefix("+") not in SGP4_EPHEMERIS_TYPES:
        raise BadRecordError(
            f"EPHEMERIS_TYPE must be 0, which is SGP4 (got {shown(fields['EPHEMERIS_TYPE'])})"
        )
    for name in REQUIRED:
        if name not in fields:
            raise BadRecordError(f"{name} is missing")
    day, fraction = _epoch(fields["EPOCH"])
    return ElementSet(
        name=fields.get("OBJECT_NAME", ""),
        catalogue_number=_catalogue_number(fields["NORAD_CAT_ID"]),
        international_designator=fields.get("OBJECT_ID", ""),
        epoch_jd=day,
        epoch_fraction=fraction,
        inclination_deg=_number(fields, "INCLINATION"),
        raan_deg=_number(fields, "RA_OF_ASC_NODE"),
        eccentricity=_number(fields, "ECCENTRICITY"),
        argument_of_perigee_deg=_number(fields, "ARG_OF_PERICENTER"),
        mean_anomaly_deg=_number(fields, "MEAN_ANOMALY"),
        mean_motion_rev_per_day=_number(fields, "MEAN_MOTION"),
        mean_motion_dot=_number(fields, "MEAN_MOTION_DOT"),
        mean_motion_ddot=_number(fields, "MEAN_MOTION_DDOT"),
        bstar=_number(fields, "BSTAR"),
    )


def _number(fields: Mapping[str, str], name: str) -> float:
    """Return a field as a number; derivatives, which SGP4 does not use, may be absent."""
    text = fields.get(name, "0")
    value = decimal(text)
    if value is None:
        raise BadRecordError(f"{name} must be a number (got {shown(text)})")
    return value


def _catalogue_number(text: str) -> int:
    match = _INTEGER.fullmatch(text)
    if match is None:
        raise BadRecordError(f"NORAD_CAT_ID must be up to nine digits (got {shown(text)})")
    return int(match[1])


def _epoch(text: str) -> tuple[float, float]:
    """Return the Julian date of midnight and the part of the day.

    Julian dates have no leap seconds: one is the first second of the next day.
    """
    match = _EPOCH.fullmatch(text)
    if match is None:
        raise BadRecordError(
            f"EPOCH must be yyyy-mm-ddThh:mm:ss with up to 18 decimals, UTC (got {shown(text)})"
        )
    year, month, of_month, of_year, hour, minute, second = (
        int(part or 0) for part in match.groups()[:7]
    )
    try:
        if match[4]:
            day = date(year, 1, 1) + timedelta(days=of_year - 1)
        else:
            day = date(year, month, of_month)
    except (ValueError, OverflowError):
        day = date.min
    is_leap_second = (hour, minute, second) == (23, 59, 60)
    if day.year != year or hour > 23 or minute > 59 or (second > 59 and not is_leap_second):
        raise BadRecordError(f"EPOCH must be an instant of the calendar (got {shown(text)})")
    decimals = match[8] or ""
    whole = ((hour * 60 + minute) * 60 + second) % _SECONDS_PER_DAY
    parts = whole * 10 ** len(decimals) + int(decimals or 0)
    # Division of integers is rounded once, so equal instants have equal fractions however written.
    return (
        day.toordinal() + JULIAN_DAY_OF_ORDINAL_0 + is_leap_second,
        parts / (_SECONDS_PER_DAY * 10 ** len(decimals)),
    )
