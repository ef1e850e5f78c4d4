"""A Walker shell with every convention stated: links, latencies, routes, eclipse, passes."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from _golden import CITIES, Case, cities, continuum, near, same, utc
from numpy.typing import NDArray

from leotrek_opt.models.constellation import CircularJ2, Propagator, Sgp4, WalkerShell
from leotrek_opt.models.continuum import Continuum
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.models.inter_satellite import PlusGrid
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.constellation import mean_motion_rad_min
from leotrek_opt.topology.contacts.windows import contact_windows
from leotrek_opt.topology.environment.eclipse import sunlit_fraction
from leotrek_opt.topology.environment.sun import sun_teme
from leotrek_opt.topology.frames import gmst_rad
from leotrek_opt.topology.generated import topology_generator
from leotrek_opt.topology.propagation import ephemeris
from leotrek_opt.topology.routes import route
from leotrek_opt.topology.state import GROUND, INTER_SATELLITE, TopologyState
from leotrek_opt.topology.strategies.plus_grid import plus_grid

SPEED_KM_S = 299_792.458
LATENCY_RELATIVE = 1e-5
RTT_RELATIVE = 5e-5
RADIUS_RELATIVE = 1e-7
POSITION_KM = 1e-3
"""An epoch as one Julian date in double precision is known to 20 microseconds, or 0.15 m."""
ECLIPSE_COUNT = 2
CONTACT_S = 0.1

Row = dict[str, Any]
PROPAGATORS: dict[str, Propagator] = {"sgp4": Sgp4(), "circular_j2": CircularJ2()}


def run(path: Path) -> list[Case]:
    """Build the shell of a file and compare everything it states.

    Parameters
    ----------
    path
        ``walker_*_expected.json``.

    Returns
    -------
    list of Case
        One for each number.
    """
    document = json.loads(path.read_text(encoding="utf-8"))
    text = " ".join(document.get("conventions", ()))
    named = re.search(r"first (\d+) rows of (\S+\.csv)", text)
    count, file = (int(named[1]), named[2]) if named else (100, CITIES)
    # A file that names no line of sight counts every link of the pattern.
    sight = re.search(r"(?i)(?:line of sight|los)\b\D{0,60}(?:\d+\.\d+\s*\+\s*)?(\d+) km", text)
    scenario = document["scenario"] | {
        "stations": cities(path.parent, file)[:count],
        "line_of_sight_margin_km": float(sight[1]) if sight else 0.0,
    }
    cases: list[Case] = []
    if "no_kozai_rad_per_min" in scenario:
        shell = _scene(scenario, "sgp4", [0.0]).topology.shells[0]
        found, wanted = mean_motion_rad_min(shell), scenario["no_kozai_rad_per_min"]
        cases.append(near(f"{path.name} no_kozai_rad_per_min", found, wanted, relative=1e-11))
    for propagator, instants in document["expected"].items():
        scene = _scene(scenario, propagator, [float(row["t_s"]) for row in instants])
        relayed = scene.replace(topology=scene.topology.replace(ground_relay=True))
        generators = topology_generator(scene), topology_generator(relayed)
        for step, expected in enumerate(instants):
            name = f"{path.name} {propagator} t={expected['t_s']} s"
            states = [generator.state(step) for generator in generators]
            graphs = [g.graph(s) for g, s in zip(generators, states, strict=True)]
            cases += _links(name, states[0], scenario, expected)
            cases += _satellites(name, scene, states[0], expected)
            cases += _seam(name, scene, states[0], expected)
            cases += _routes(name, graphs, scenario, expected)
    for propagator in PROPAGATORS:
        lengths = document.get(f"link_lengths_km_at_t0_{propagator}", {})
        cases += _lengths(path, scenario, propagator, lengths)
        windows = document.get(f"contact_windows_{propagator}", [])
        cases += _contacts(path, scenario, propagator, windows)
    return cases


def _scene(
    scenario: Row, propagator: str, offsets_s: list[float], shift: int | None = None
) -> Continuum:
    epoch = utc(scenario["epoch_utc"])
    topology = GeneratedTopology(
        shells=(
            WalkerShell(
                planes=scenario["planes"],
                satellites_per_plane=scenario["sats_per_plane"],
                phasing=scenario.get("F", 0),
                inclination_deg=float(scenario["inclination_deg"]),
                altitude_km=float(scenario["altitude_km"]),
                pattern=scenario.get("pattern", "delta"),
            ),
        ),
        epoch=epoch,
        propagator=PROPAGATORS[propagator],
        ground_relay=False,
        inter_satellite=PlusGrid(
            cross_link_shift=scenario.get("shift", 0) if shift is None else shift,
            line_of_sight_margin_km=scenario["line_of_sight_margin_km"],
        ),
        ground=GroundLinks(strategy="all_visible", min_elevation_deg=float(scenario["mask_deg"])),
    )
    return continuum(topology, scenario["stations"], epoch, offsets_s)


def _links(name: str, state: TopologyState, scenario: Row, expected: Row) -> list[Case]:
    links, kind = state.links, state.link_kind
    between = kind == INTER_SATELLITE
    latency = links.latency_ns / 1e6
    slots = scenario["sats_per_plane"]
    in_plane = between & (links.source // slots == links.target // slots)
    cross = between & ~in_plane
    ground = kind == GROUND
    satellites = scenario["planes"] * slots
    per_station = np.bincount(
        links.target[ground] - satellites, minlength=len(scenario["stations"])
    )
    at_mask = expected.get("n_gsl_within_0.005deg_of_mask", 0)
    counts = (
        ("n_isl", int(between.sum()), 0),
        ("n_gsl", int(ground.sum()), 1 + at_mask),
        ("satellites_seen_by_some_station", len(np.unique(links.source[ground])), 1),
    )
    cases = [
        near(f"{name} {key}", found, expected[key], absolute=absolute)
        for key, found, absolute in counts
        if key in expected
    ]
    if "stations_with_no_satellite" in expected:
        alone = np.flatnonzero(per_station == 0).tolist()
        wanted = expected["stations_with_no_satellite"]
        cases.append(same(f"{name} stations_with_no_satellite", alone, wanted))
    first = expected.get("gsl_per_station_first10", [])
    if first:
        worst = int(np.abs(per_station[: len(first)] - first).max())
        words = f"{name} gsl_per_station_first10, largest difference"
        cases.append(near(words, worst, 0, absolute=1))
    for key, chosen in (("", between), ("in_plane_", in_plane), ("cross_", cross)):
        wanted = expected.get("isl_latency_ms", {})
        cases += _three(f"{name} isl_latency_ms", latency[chosen], wanted, key)
    wanted = expected.get("gsl_latency_ms", {})
    cases += _three(f"{name} gsl_latency_ms", latency[ground], wanted, "")
    key = "min_isl_grazing_altitude_km"
    if key in expected and between.any():
        found = _grazing_altitude_km(state, links.source[between], links.target[between])
        cases.append(near(f"{name} {key}", found, expected[key], relative=LATENCY_RELATIVE))
    return cases


def _seam(name: str, scene: Continuum, state: TopologyState, expected: Row) -> list[Case]:
    """Measure links across the seam without its phase, also those that would meet the Earth."""
    key = "cross_max_ms_if_seam_shift_is_omitted"
    if expected.get(key) is None:
        return []
    rule = scene.topology.inter_satellite.replace(seam="unshifted")
    positions = state.satellites.position_km
    pairs = plus_grid(scene.topology.shells, rule, positions)
    apart = positions[pairs.source] - positions[pairs.target]
    longest = float(np.linalg.norm(apart[pairs.cross_plane], axis=1).max(initial=0.0))
    found = longest / SPEED_KM_S * 1e3
    return [near(f"{name} {key}", found, expected[key], relative=LATENCY_RELATIVE)]


def _three(name: str, values: NDArray[np.float64], expected: Row, prefix: str) -> list[Case]:
    return [
        near(
            f"{name}.{prefix}{what}",
            float(measure(values)),
            expected[prefix + what],
            relative=LATENCY_RELATIVE,
        )
        for what, measure in (("mean", np.mean), ("min", np.min), ("max", np.max))
        if expected.get(prefix + what) is not None and len(values)
    ]


def _grazing_altitude_km(
    state: TopologyState, source: NDArray[np.int32], target: NDArray[np.int32]
) -> float:
    start = state.satellites.position_km[source]
    along = state.satellites.position_km[target] - start
    fraction = -(start * along).sum(axis=1) / (along * along).sum(axis=1)
    nearest = start + np.clip(fraction, 0, 1)[:, None] * along
    return float(np.linalg.norm(nearest, axis=1).min()) - 6378.137


def _satellites(name: str, scene: Continuum, state: TopologyState, expected: Row) -> list[Case]:
    satellites = state.satellites
    radius = np.linalg.norm(satellites.position_km, axis=1)
    instant = satellites.julian_day, satellites.day_fraction
    sun = sun_teme(*instant)
    cases = [
        near(f"{name} satellite_radius_km.{key}", float(found), wanted, relative=RADIUS_RELATIVE)
        for key, found in (("min", radius.min()), ("max", radius.max()))
        if (wanted := expected.get("satellite_radius_km", {}).get(key)) is not None
    ]
    if "gmst_rad" in expected:
        cases.append(
            near(f"{name} gmst_rad", gmst_rad(*instant), expected["gmst_rad"], absolute=1e-9)
        )
    sky = expected.get("eclipse", {})
    for key, found, wanted, absolute in (
        ("sat0_ecef_km", satellites.position_km[0], expected.get("sat0_ecef_km"), POSITION_KM),
        ("sun_unit_teme", sun, sky.get("sun_unit_teme"), 1e-9),
    ):
        if wanted is not None:
            apart = float(np.abs(np.subtract(found, wanted)).max())
            cases.append(near(f"{name} {key}, largest difference", apart, 0, absolute=absolute))
    if "count" in sky:
        teme, _, _ = ephemeris(scene.topology).teme(np.array([instant[0]]), np.array([instant[1]]))
        dark = int((sunlit_fraction(teme[:, 0, :], sun) == 0).sum())
        cases.append(near(f"{name} eclipse.count", dark, sky["count"], absolute=ECLIPSE_COUNT))
    return cases


def _routes(name: str, graphs: list[Any], scenario: Row, expected: Row) -> list[Case]:
    satellites = scenario["planes"] * scenario["sats_per_plane"]
    cases = []
    for pair in expected.get("rtt", ()):
        source, target = (satellites + gid for gid in pair["gid"])
        where = f"{name} {pair.get('from', source)}-{pair.get('to', target)}"
        for key, graph in zip(("rtt_ms", "rtt_ms_if_ground_relaying_allowed"), graphs, strict=True):
            if key not in pair:
                continue
            found = route(graph, source, target)
            rtt_ms = math.inf if found is None else 2 * found.latency_ns / 1e6
            wanted = math.inf if pair[key] is None else pair[key]
            cases.append(near(f"{where} {key}", rtt_ms, wanted, relative=RTT_RELATIVE))
        direct = route(graphs[0], source, target)
        if direct is not None and pair.get("path"):
            # The file leaves the destination out, and in some lists the source too.
            path = [int(node) for node in direct.nodes if node < satellites]
            wanted = [node for node in pair["path"] if isinstance(node, int)]
            cases.append(same(f"{where} path", path, wanted))
            stated = pair.get("links_on_path")
            if stated is not None:
                # Both ground links count, says the file, yet its numbers are those of the
                # satellites.
                counted = direct.hops if stated > len(path) else direct.hops - 1
                cases.append(same(f"{where} links_on_path", counted, stated))
    return cases


def _lengths(path: Path, scenario: Row, propagator: str, expected: Row) -> list[Case]:
    cases = []
    slots = scenario["sats_per_plane"]
    for label, lengths in expected.items():
        scene = _scene(scenario, propagator, [0.0], shift=int(label.split()[-1]))
        state = topology_generator(scene).state(0)
        between = state.link_kind == INTER_SATELLITE
        source, target = state.links.source[between], state.links.target[between]
        positions = state.satellites.position_km
        length = np.linalg.norm(positions[source] - positions[target], axis=1)
        in_plane = source // slots == target // slots
        for key, value in lengths.items():
            chosen = length[in_plane if key.startswith("in_plane") else ~in_plane]
            if not len(chosen):
                continue
            found = float(chosen.min() if key.endswith("min") else chosen.max())
            cases.append(
                near(
                    f"{path.name} {propagator} {label} {key} km",
                    found,
                    value,
                    relative=LATENCY_RELATIVE,
                )
            )
    return cases


def _contacts(path: Path, scenario: Row, propagator: str, expected: list[Row]) -> list[Case]:
    cases: list[Case] = []
    satellites = scenario["planes"] * scenario["sats_per_plane"]
    for row in expected:
        start, end = row["interval_s"]
        scene = _scene(scenario, propagator, [0.0])
        table = contact_windows(
            scene,
            ground=[satellites + row["gid"]],
            satellites=[row["satellite"]],
            start_s=float(start),
            end_s=float(end),
        )
        station = row.get("station", row["gid"])
        name = f"{path.name} {propagator} contacts of {station} with {row['satellite']}"
        cases.append(same(f"{name}, number", len(table.aos_s), len(row["windows"])))
        for index, window in enumerate(row["windows"][: len(table.aos_s)]):
            for key, found in (("aos_s", table.aos_s[index]), ("los_s", table.los_s[index])):
                cases.append(
                    near(f"{name} {index} {key}", float(found), window[key], absolute=CONTACT_S)
                )
            if "max_el_deg" in window:
                highest = float(table.max_elevation_deg[index])
                cases.append(
                    near(f"{name} {index} max_el_deg", highest, window["max_el_deg"], absolute=0.01)
                )
    return cases
