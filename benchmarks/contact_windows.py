"""How long contact windows of many stations take, and how exact they are.

A hundred stations look at large Walker shells above 25 degrees. A naive scan is timed in the same
run: it propagates every satellite at every step and compares every pair with the mask, as arrays;
its windows are as exact as its steps. Errors are those of rise and set against bisection on the
propagator itself.
"""

from __future__ import annotations

import math
import resource
import time

import numpy as np
from _common import Figures, parser, report

from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.continuum import Continuum, NodeTable, PositionSeries, TimeGrid
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.contacts.motion import Motion, motion_of
from leotrek_opt.topology.contacts.sight import Places, places_at
from leotrek_opt.topology.contacts.table import WindowTable
from leotrek_opt.topology.contacts.windows import iter_contact_windows
from leotrek_opt.topology.frames import teme_to_ecef
from leotrek_opt.topology.instants import instant_of, julian_date
from leotrek_opt.topology.propagation import ephemeris

STATIONS = 100
MASK_DEG = 25.0
DAY_S = 86_400.0
NAIVE_STEP_S, DEMANDED_S = 10.0, 0.1


def continuum_of(planes: int, slots: int) -> Continuum:
    """Return one shell of 550 km over stations spread evenly between 60 degrees south and north."""
    satellites = planes * slots
    number = np.arange(STATIONS)
    sine = (2 * number + 1) / STATIONS - 1
    return Continuum(
        nodes=NodeTable(
            id=tuple(f"n{index}" for index in range(satellites + STATIONS)),
            kind=("satellite",) * satellites + ("ground_station",) * STATIONS,
            architecture=("arm64",) * (satellites + STATIONS),
            capacity={},
        ),
        time=TimeGrid(steps=1440),
        positions=(
            PositionSeries(
                node=satellites + number,
                latitude_deg=np.degrees(np.arcsin(sine * math.sin(math.pi / 3)))[None],
                longitude_deg=((number * 137.507764) % 360 - 180)[None],
                altitude_km=np.zeros((1, STATIONS)),
            ),
        ),
        topology=GeneratedTopology(
            shells=(
                WalkerShell(
                    planes=planes,
                    satellites_per_plane=slots,
                    phasing=1,
                    inclination_deg=53.0,
                    altitude_km=550.0,
                ),
            ),
            epoch=instant_of(2_460_827.5, 0.0),
            ground=GroundLinks(strategy="all_visible", min_elevation_deg=MASK_DEG),
        ),
    )


def timed_windows(continuum: Continuum, span_s: float) -> tuple[list[WindowTable], float]:
    """Stream the windows of a span and return them with the processor seconds they took."""
    started = time.process_time()
    tables = list(iter_contact_windows(continuum, end_s=span_s))
    return tables, time.process_time() - started


def naive_step_s(continuum: Continuum, steps: int) -> float:
    """Return the processor seconds of one step of the naive scan."""
    topology = continuum.topology
    assert isinstance(topology, GeneratedTopology)
    satellites = ephemeris(topology)
    count = topology.satellite_count
    places = places_at(continuum, np.arange(count, count + STATIONS), 0)
    sine = math.sin(math.radians(MASK_DEG))
    visible = np.zeros((STATIONS, count), dtype=bool)
    changes = 0
    started = time.process_time()
    for step in range(steps):
        day, fraction = julian_date(topology.epoch, step * NAIVE_STEP_S)  # type: ignore[arg-type]
        position, _, _ = satellites.teme(np.array([day]), np.array([fraction]))
        fixed = teme_to_ecef(position[:, 0], day, fraction)
        sight = fixed[None] - places.position_km.T[:, None]
        distance = np.sqrt(np.einsum("gsi,gsi->gs", sight, sight))
        now = np.einsum("gsi,ig->gs", sight, places.up) >= sine * distance
        changes += int((now != visible).sum())
        visible = now
    return (time.process_time() - started) / steps


def worst_errors_s(continuum: Continuum, windows: WindowTable, count: int) -> tuple[float, float]:
    """Return the largest errors of rise and set of some windows: ordinary ones, and short ones."""
    motion = motion_of(continuum)
    satellites = motion.satellites
    whole = windows.rows(~windows.clipped_start & ~windows.clipped_end)
    some = np.random.default_rng(1).choice(len(whole), min(count, len(whole)), replace=False)
    shortest = np.argsort(whole.duration_s)[: count // 10]
    worst = []
    for rows in (some[whole.duration_s[some] > 30], shortest):
        errors = [0.0]
        for row in rows.tolist():
            place = places_at(continuum, whole.ground[row : row + 1], 0)
            satellite = whole.satellite[row : row + 1]
            assert satellite[0] < satellites
            top = float(whole.max_elevation_s[row])
            for found, outside in ((whole.aos_s[row], -60.0), (whole.los_s[row], 60.0)):
                exact = _bisected(motion, place, satellite, top, float(found) + outside)
                errors.append(abs(exact - float(found)))
        worst.append(max(errors))
    return worst[0], worst[1]


def _bisected(
    motion: Motion, place: Places, satellite: np.ndarray, inside: float, outside: float
) -> float:
    sine = math.sin(math.radians(MASK_DEG))
    while abs(inside - outside) > 1e-5:
        middle = (inside + outside) / 2
        position = motion.sample(np.array([middle]), satellite).position_km[:, 0, 0]
        sight = position - place.position_km[:, 0]
        if place.up[:, 0] @ sight >= sine * math.sqrt(sight @ sight):
            inside = middle
        else:
            outside = middle
    return inside


def measure(quick: bool) -> Figures:
    """Time two shells and check some of the windows."""
    spans = {(72, 96): 3600.0 if quick else DAY_S, (144, 144): 900.0 if quick else 3600.0}
    figures: Figures = {}
    for (planes, slots), span_s in spans.items():
        continuum = continuum_of(planes, slots)
        motion_of(continuum)
        tables, took_s = timed_windows(continuum, span_s)
        step_s = naive_step_s(continuum, 10 if quick else 30)
        windows = WindowTable.stacked(tables)
        name = f"{planes * slots}_satellites"
        per_day_s = took_s / span_s * DAY_S
        figures |= {
            f"{name}_windows": len(windows),
            f"{name}_s_per_day": per_day_s,
            f"{name}_naive_{NAIVE_STEP_S:g}s_steps_ratio": step_s
            * DAY_S
            / NAIVE_STEP_S
            / per_day_s,
            f"{name}_naive_{DEMANDED_S:g}s_steps_ratio": step_s * DAY_S / DEMANDED_S / per_day_s,
        }
        ordinary_s, short_s = worst_errors_s(continuum, windows, 200 if quick else 1000)
        figures |= {f"{name}_worst_error_s": ordinary_s, f"{name}_worst_error_short_s": short_s}
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return figures | {"peak_rss_mb": peak_kib * 1024 / 1e6}


def main() -> None:
    """Measure and print."""
    arguments = parser("time and exactness of contact windows").parse_args()
    conditions = {
        "stations": STATIONS,
        "mask_deg": MASK_DEG,
        "altitude_km": 550,
        "sample_step_s": motion_of(continuum_of(72, 96)).step_s,
    }
    report(measure(arguments.quick), conditions, arguments.format)


if __name__ == "__main__":
    main()
