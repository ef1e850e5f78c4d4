"""What the golden replays share: a case that agrees or not, and a small continuum to run it on."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from leotrek_opt.errors import InputError
from leotrek_opt.models.continuum import Continuum, NodeTable, PositionSeries, TimeGrid
from leotrek_opt.models.topology import GeneratedTopology

DATA_VARIABLE = "LEOTREK_REFERENCE_DATA"
CITIES = "ground_stations_cities_top100.csv"


@dataclass(frozen=True)
class Case:
    """One expected value beside what was found.

    Parameters
    ----------
    name
        File, instant and quantity.
    found, expected
        Numbers, names or lists.
    tolerance
        What was allowed, in words.
    agrees
        Whether ``found`` is within it.
    """

    name: str
    found: object
    expected: object
    tolerance: str
    agrees: bool

    def line(self) -> str:
        """Return one line for people."""
        return f"{self.name}: found {self.found}, expected {self.expected} ({self.tolerance})"


def near(
    name: str, found: float, expected: float, *, relative: float = 0.0, absolute: float = 0.0
) -> Case:
    """Compare two numbers.

    Parameters
    ----------
    name
        Of the case.
    found, expected
        Numbers.
    relative, absolute
        Tolerances, of which the larger counts.

    Returns
    -------
    Case
        With both numbers.
    """
    words = " or ".join(
        word
        for word, value in ((f"rtol {relative:g}", relative), (f"atol {absolute:g}", absolute))
        if value
    )
    agrees = math.isclose(found, expected, rel_tol=relative, abs_tol=absolute)
    return Case(name, float(found), expected, words or "exact", agrees)


def same(name: str, found: object, expected: object) -> Case:
    """Compare two values that must be equal.

    Parameters
    ----------
    name
        Of the case.
    found, expected
        Anything with ``==``.

    Returns
    -------
    Case
        With both.
    """
    return Case(name, found, expected, "exact", found == expected)


def beside(folder: Path, name: str) -> Path:
    """Find a file that a replay needs: in its folder, else among the reference data.

    Parameters
    ----------
    folder
        Of the replay.
    name
        File name.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    InputError
        If neither folder has it.
    """
    candidates = [folder / name]
    if DATA_VARIABLE in os.environ:
        candidates.append(Path(os.environ[DATA_VARIABLE]) / "topology" / name)
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise InputError(f"is needed and neither here nor in ${DATA_VARIABLE}", file=candidates[0])


def utc(text: str) -> datetime:
    """Read an instant in UTC, with or without saying so.

    Parameters
    ----------
    text
        ISO 8601.

    Returns
    -------
    datetime
        With a time zone.
    """
    read = datetime.fromisoformat(text)
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def cities(folder: Path, name: str = CITIES) -> list[tuple[str, float, float, float]]:
    """Read name, latitude, longitude and altitude in km of cities.

    Parameters
    ----------
    folder
        Of the replay.
    name
        File name.

    Returns
    -------
    list of tuple
        In the order of their numbers.
    """
    with beside(folder, name).open(encoding="utf-8", newline="") as file:
        return [
            (
                row["name"],
                float(row["lat_deg"]),
                float(row["lon_deg"]),
                float(row["alt_m"]) / 1000,
            )
            for row in csv.DictReader(file)
        ]


def continuum(
    topology: GeneratedTopology,
    stations: Sequence[tuple[str, float, float, float]],
    start: datetime,
    offsets_s: Sequence[float],
) -> Continuum:
    """Make the continuum of a replay: satellites, stations and the instants that count.

    Parameters
    ----------
    topology
        With every convention.
    stations
        Name, latitude, longitude in degrees and altitude in km.
    start
        Instant from which ``offsets_s`` count.
    offsets_s
        Increasing seconds.

    Returns
    -------
    Continuum
        Nodes ``s0``, ``s1``, … and ``g0``, ``g1``, ….
    """
    satellites = topology.satellite_count
    count = satellites + len(stations)
    positions = ()
    if stations:
        _, latitude, longitude, altitude = zip(*stations, strict=True)
        positions = (
            PositionSeries(
                node=np.arange(satellites, count),
                latitude_deg=np.array([latitude]),
                longitude_deg=np.array([longitude]),
                altitude_km=np.array([altitude]),
            ),
        )
    return Continuum(
        nodes=NodeTable(
            id=tuple(f"s{i}" for i in range(satellites))
            + tuple(f"g{i}" for i in range(len(stations))),
            kind=("satellite",) * satellites + ("ground_station",) * len(stations),
            architecture=("arm64",) * satellites + ("x86_64",) * len(stations),
            capacity={},
        ),
        positions=positions,
        time=TimeGrid(start=start, steps=len(offsets_s), offsets_s=tuple(offsets_s)),
        topology=topology,
    )
