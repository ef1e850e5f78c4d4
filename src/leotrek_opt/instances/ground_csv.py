"""Ground nodes from a table with a header: name, latitude, longitude, altitude, kind."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast, get_args

from leotrek_opt.errors import InputError, errors_in
from leotrek_opt.instances.foreign_file import decimal
from leotrek_opt.instances.json_reader import decode, read_bytes
from leotrek_opt.models.continuum import NodeKind
from leotrek_opt.models.messages import shown

GROUND_KINDS = tuple(kind for kind in get_args(NodeKind) if kind != "satellite")

MAX_LINE = 10_000
MAX_NAME = 256

_REQUIRED = ("name", "lat_deg", "lon_deg")
_LIMITS = {"lat_deg": (-90.0, 90.0), "lon_deg": (-360.0, 360.0), "alt_m": (-12_000.0, 1e9)}


class GroundPlace(NamedTuple):
    """A node on the ground.

    Parameters
    ----------
    name
        Printable text.
    latitude_deg, longitude_deg
        Geodetic, WGS84.
    altitude_m
        Above the ellipsoid.
    kind
        ``edge``, ``ground_station`` or ``cloud``.
    """

    name: str
    latitude_deg: float
    longitude_deg: float
    altitude_m: float = 0.0
    kind: NodeKind = "ground_station"


def read_ground_csv(path: str | Path) -> tuple[GroundPlace, ...]:
    """Read ground nodes.

    Parameters
    ----------
    path
        CSV file in UTF-8 with columns ``name``, ``lat_deg`` and ``lon_deg``, and ``alt_m`` (0 if
        absent) and ``kind`` (``ground_station`` if absent) where it has them; other columns are
        left aside. Compressed by gzip or not.

    Returns
    -------
    tuple of GroundPlace
        In the order of the file.

    Raises
    ------
    InputError
        If the file cannot be read, or a line breaks a rule; the field is the line.
    """
    file = Path(path)
    data = read_bytes(file)
    with errors_in(file):
        return _places(decode(data.removeprefix(b"\xef\xbb\xbf")))


def checked_place(place: Sequence[object], at: str) -> GroundPlace:
    """Check a ground node that was given as a tuple.

    Parameters
    ----------
    place
        Name, latitude and longitude, then altitude in metres and kind where they are given.
    at
        Its path for messages.

    Returns
    -------
    GroundPlace
        With numbers as floats.

    Raises
    ------
    InputError
        If it is no place.
    """
    if isinstance(place, str) or not isinstance(place, Sequence) or not 3 <= len(place) <= 5:
        raise InputError(
            "must be (name, latitude_deg, longitude_deg[, altitude_m[, kind]])", field=at
        )
    missing: tuple[object, ...] = (0.0, "ground_station")[len(place) - 3 :]
    name, latitude, longitude, altitude, kind = (*place, *missing)
    if not isinstance(name, str) or not name or len(name) > MAX_NAME or not name.isprintable():
        raise InputError(f"name must be 1 to {MAX_NAME} printable characters", field=at)
    if kind not in GROUND_KINDS:
        raise InputError(
            f"kind must be one of {', '.join(GROUND_KINDS)} (got {shown(kind)})", field=at
        )
    return GroundPlace(
        name,
        _checked_number("lat_deg", latitude, at),
        _checked_number("lon_deg", longitude, at),
        _checked_number("alt_m", altitude, at),
        cast(NodeKind, kind),
    )


def _checked_number(column: str, value: object, at: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"{column} must be a number (got {shown(value)})", field=at)
    low, high = _LIMITS[column]
    if not low <= value <= high:
        raise InputError(f"{column} must be in {low:g} … {high:g} (got {shown(value)})", field=at)
    return float(value)


def _places(text: str) -> tuple[GroundPlace, ...]:
    lines = enumerate(text.split("\n"), 1)
    header = _fields(next(lines)[1], "line 1")
    for name in (*_REQUIRED, "alt_m", "kind"):
        if header.count(name) > 1:
            raise InputError(f"column {name} is given twice", field="line 1")
        if name in _REQUIRED and name not in header:
            raise InputError(f"column {name} is missing (got {shown(header)})", field="line 1")
    places = []
    for number, line in lines:
        if not line.strip():
            continue
        at = f"line {number}"
        values = _fields(line, at)
        if len(values) != len(header):
            raise InputError(
                f"must have {len(header)} fields like the header (got {len(values)})", field=at
            )
        row = dict(zip(header, values, strict=True))
        row["alt_m"] = row.get("alt_m") or "0"
        numbers = [_number(row[column], column, at) for column in _LIMITS]
        kind = row.get("kind") or "ground_station"
        places.append(checked_place((row["name"], *numbers, kind), at))
    if not places:
        raise InputError("holds no ground node")
    return tuple(places)


def _fields(line: str, at: str) -> list[str]:
    if len(line) > MAX_LINE:
        raise InputError(f"must have at most {MAX_LINE} characters", field=at)
    try:
        return [value.strip() for value in next(csv.reader([line.rstrip("\r")], strict=True), [])]
    except csv.Error as error:
        raise InputError(f"is not CSV: {error}", field=at) from None


def _number(text: str, column: str, at: str) -> float:
    value = decimal(text)
    if value is None:
        raise InputError(f"{column} must be a number (got {shown(text)})", field=at)
    return value
