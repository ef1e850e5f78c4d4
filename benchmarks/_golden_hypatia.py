"""Hypatia's published end-to-end traces: round-trip time and path of a pair, every 100 ms.

What Hypatia computes is what PyEphem computes, and PyEphem is libastro: its figure of the Earth, its
sidereal time, satellites scaled by that figure, and elements as a two-line set rounds them. With those
conventions every row of a trace has the same path, including the rows in which a satellite stands
within metres of the range limit.
"""

from __future__ import annotations

import csv
import gzip
import re
from datetime import UTC, datetime
from pathlib import Path

from _golden import Case, cities, continuum, same

from leotrek_opt.errors import InputError
from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.models.inter_satellite import PlusGrid
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.generated import topology_generator
from leotrek_opt.topology.routes import route

RELATIVE_TOLERANCE = 2e-5
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
NAME = re.compile(r"hypatia_([a-z]+)(\d+)_(\d+)_(\d+)\.csv(\.gz)?")

SHELLS = {
    ("kuiper", 630): (34, 34, 51.9, 14.80, 1260.0, 5442.9582030362),
    ("starlink", 550): (72, 22, 53.0, 15.19, 1089.6864181956, 5016.5912330984),
    ("telesat", 1015): (27, 13, 98.98, 13.66, 5845.1295867480, 7197.5246404892),
}
"""Planes, satellites per plane, inclination, mean motion, longest ground link and longest link between
satellites in km, from Hypatia's configuration scripts."""


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
        ellipsoid="xephem",
        ground_relay=False,
        inter_satellite=PlusGrid(cross_link_shift=0, seam="unshifted", max_range_km=isl_km),
        ground=GroundLinks(strategy="all_visible", min_elevation_deg=None, max_range_km=ground_km),
    )
    scenario = continuum(
        topology,
        [stations[end] for end in ends],
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
