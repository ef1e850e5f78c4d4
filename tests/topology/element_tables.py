"""Element tables for tests, from two-line sets by the reader of the package ``sgp4``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from sgp4.api import WGS72, Satrec

from leotrek_opt.models.constellation import ElementTable


def read_records(lines: Iterable[str]) -> list[tuple[str, Satrec, tuple[str, str]]]:
    """Pair up lines 1 and 2 of a file, with the name before them if there is one."""
    found, name, first = [], "", ""
    for line in lines:
        if line.startswith("1 ") and len(line) >= 60:
            first = line
        elif line.startswith("2 ") and first:
            found.append(
                (name or first[2:7], Satrec.twoline2rv(first, line[:69], WGS72), (first, line))
            )
            name, first = "", ""
        elif line and not line.startswith("#"):
            name = line.strip()
    return found


def table_of(records: Sequence[tuple[str, Satrec, tuple[str, str]]]) -> ElementTable:
    """Fill an element table with the digits of two-line sets."""

    def column(line: int, first: int, last: int) -> np.ndarray:
        return np.array([float(lines[line - 1][first - 1 : last]) for _, _, lines in records])

    def assumed_point(line: int, first: int, last: int) -> np.ndarray:
        # The package multiplies by the power of ten, which is not always the nearest float.
        return np.array(
            [
                float(f"{text[:1].strip()}.{text[1:-2].replace(' ', '0')}") * 10.0 ** int(text[-2:])
                for text in (lines[line - 1][first - 1 : last] for _, _, lines in records)
            ]
        )

    return ElementTable(
        name=tuple(name for name, _, _ in records),
        catalogue_number=np.array([satellite.satnum for _, satellite, _ in records]),
        epoch_jd=np.array([satellite.jdsatepoch for _, satellite, _ in records]),
        epoch_fraction=np.array([satellite.jdsatepochF for _, satellite, _ in records]),
        inclination_deg=column(2, 9, 16),
        raan_deg=column(2, 18, 25),
        eccentricity=column(2, 27, 33) / 1e7,
        argument_of_perigee_deg=column(2, 35, 42),
        mean_anomaly_deg=column(2, 44, 51),
        mean_motion_rev_per_day=column(2, 53, 63),
        mean_motion_dot=column(1, 34, 43),
        mean_motion_ddot=assumed_point(1, 45, 52),
        bstar=assumed_point(1, 54, 61),
    )


def round_fleet(
    count: int,
    *,
    epoch_jd: float = 2_460_659.5,
    eccentricity: float = 0.0,
    mean_motion_rev_per_day: float = 15.06,
    inclination_deg: float = 53.0,
    bstar: float = 0.0,
) -> ElementTable:
    """Spread satellites over planes and slots by the golden ratio, like ones otherwise."""
    index = np.arange(count)
    turn = 360.0 * ((index * (math.sqrt(5) - 1) / 2) % 1.0)
    return ElementTable(
        name=tuple(f"SAT {number}" for number in range(count)),
        catalogue_number=index + 1,
        epoch_jd=np.full(count, epoch_jd),
        epoch_fraction=np.full(count, 0.25),
        inclination_deg=np.full(count, inclination_deg),
        raan_deg=turn,
        eccentricity=np.full(count, eccentricity),
        argument_of_perigee_deg=np.full(count, 30.0),
        mean_anomaly_deg=360.0 * index / count,
        mean_motion_rev_per_day=np.full(count, mean_motion_rev_per_day),
        mean_motion_dot=np.zeros(count),
        mean_motion_ddot=np.zeros(count),
        bstar=np.full(count, bstar),
    )
