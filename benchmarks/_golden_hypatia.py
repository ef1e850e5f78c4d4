"""Hypatia's published end-to-end traces: round-trip time and path of a pair, every 100 ms.

What Hypatia computes is what PyEphem computes, and PyEphem is libastro (its file ``earthsat.c``),
which differs from the conventions of this library in four ways. With them every row of a trace has
the same path, also where a satellite stands within metres of the range limit:

- elements are those of a two-line set, so angles have four decimals;
- SGP4's Earth radii become kilometres by 6378.16 instead of 6378.135, so all lengths are longer
  by 3.9e-6: here speed and limits are shorter by as much;
- sites stand on an ellipsoid of 6378.16 km and 1/298.25, at a latitude with tan(latitude') =
  tan(latitude) / (1 - f^2);
- sidereal time is Newcomb's.
"""

from __future__ import annotations

import csv
import gzip
import math
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from _golden import Case, cities, continuum, same

from leotrek_opt.errors import InputError
from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.models.inter_satellite import SPEED_OF_LIGHT_KM_S, PlusGrid
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.frames import (
    FIGURES,
    Figure,
    ecef_to_geodetic,
    geodetic_to_ecef,
    gmst_rad,
)
from leotrek_opt.topology.generated import topology_generator
from leotrek_opt.topology.instants import julian_date
from leotrek_opt.topology.routes import route

RELATIVE_TOLERANCE = 2e-5
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
NAME = re.compile(r"hypatia_([a-z]+)(\d+)_(\d+)_(\d+)\.csv(\.gz)?")

SITE_RADIUS_KM, SITE_FLATTENING = 6378.16, 1 / 298.25
SCALE = SITE_RADIUS_KM / 6378.135

SHELLS = {
    ("kuiper", 630): (34, 34, 51.9, 14.80, 1260.0, 5442.9582030362),
    ("starlink", 550): (72, 22, 53.0, 15.19, 1089.6864181956, 5016.5912330984),
    ("telesat", 1015): (27, 13, 98.98, 13.66, 5845.1295867480, 7197.5246404892),
}
"""Planes, satellites per plane, inclination, mean motion, and the longest links in km: to the
ground and between satellites. From Hypatia's configuration scripts."""


def run(path: Path) -> list[Case]:
    """Replay one trace; the scenario follows from the file's name.

    Parameters
    ----------
    path
        ``hypatia_<constellation><altitude>_<source>_<target>.csv[.gz]`` with the columns ``t_ns``,
        ``rtt_ns`` and ``path``.

    Returns
    -------
    list of Case
        One for each row, path and round-trip time together.
    """
    match = NAME.fullmatch(path.name)
    shell = SHELLS.get((match[1], int(match[2]))) if match else None
    if match is None or shell is None:
        known = ", ".join(f"{name}{altitude}" for name, altitude in SHELLS)
        raise InputError(f"is no trace of a known scenario ({known})", file=path)
    planes, slots, inclination, mean_motion, ground_km, isl_km = shell
    source, target = int(match[3]), int(match[4])
    with (gzip.open if match[5] else open)(path, "rt", encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file))
    stations = cities(path.parent)
    first = planes * slots
    ends = [source - first, target - first]
    if not all(0 <= end < len(stations) for end in ends):
        raise InputError(f"names nodes {source} and {target}, outside the stations", file=path)
    topology = GeneratedTopology(
        shells=(
            WalkerShell(
                planes=planes,
                satellites_per_plane=slots,
                inclination_deg=inclination,
                mean_motion_rev_per_day=mean_motion,
                phasing_rule="odd_planes_half_slot",
                angle_decimals=4,
            ),
        ),
        epoch=EPOCH,
        ellipsoid="wgs72",
        ground_relay=False,
        inter_satellite=PlusGrid(
            cross_link_shift=0,
            seam="unshifted",
            max_range_km=isl_km / SCALE,
            signal_speed_km_s=SPEED_OF_LIGHT_KM_S / SCALE,
        ),
        ground=GroundLinks(
            strategy="all_visible",
            min_elevation_deg=None,
            max_range_km=ground_km / SCALE,
            signal_speed_km_s=SPEED_OF_LIGHT_KM_S / SCALE,
        ),
    )
    scenario = continuum(
        topology,
        _sites([stations[end] for end in ends]),
        EPOCH,
        [int(row["t_ns"]) * 1e-9 for row in rows],
    )
    generator = topology_generator(scenario)
    cases = []
    for row, state in zip(rows, generator.states(), strict=True):
        found = route(generator.graph(state), first, first + 1)
        nodes = [] if found is None else [int(node) for node in found.nodes]
        names = [source, *nodes[1:-1], target] if nodes else []
        rtt_ns = 0.0 if found is None else 2.0 * found.latency_ns
        cases.append(_compared(f"{path.name} t={row['t_ns']} ns", rtt_ns, names, row))
    return [same(f"{path.name} rows", len(cases), len(rows)), *cases]


def _sites(
    stations: list[tuple[str, float, float, float]],
) -> list[tuple[str, float, float, float]]:
    """Return where PyEphem puts stations, as geodetic positions on WGS72."""
    names, latitude, longitude, altitude = zip(*stations, strict=True)
    reduced = np.degrees(np.arctan(np.tan(np.radians(latitude)) / (1 - SITE_FLATTENING**2)))
    figure = Figure(SITE_RADIUS_KM, SITE_FLATTENING)
    east = math.degrees(gmst_rad(*julian_date(EPOCH)) - _newcomb_rad())
    place = geodetic_to_ecef(reduced, np.subtract(longitude, east), altitude, figure) / SCALE
    columns = ecef_to_geodetic(place, FIGURES["wgs72"])
    return list(zip(names, *(column.tolist() for column in columns), strict=True))


def _newcomb_rad() -> float:
    """Sidereal time at the epoch; over a day it keeps its distance from that of 1982."""
    century = (sum(julian_date(EPOCH)) - 2_415_020.0) / 36_525
    hours = 6.6460656 + 2400.051262 * century + 0.00002581 * century**2
    return 2 * math.pi * (hours / 24 % 1)


def _compared(name: str, rtt_ns: float, nodes: list[int], row: dict[str, str]) -> Case:
    expected_ns, expected_path = float(row["rtt_ns"]), row["path"]
    path = "-".join(map(str, nodes))
    agrees = path == expected_path and abs(rtt_ns - expected_ns) <= (
        RELATIVE_TOLERANCE * expected_ns
    )
    return Case(
        name,
        f"{rtt_ns:.1f} ns via {path or 'nothing'}",
        f"{expected_ns:.1f} ns via {expected_path or 'nothing'}",
        f"same path, rtol {RELATIVE_TOLERANCE:g}",
        agrees,
    )
