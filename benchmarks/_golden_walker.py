"""A Walker shell with every convention stated: links, latencies, routes, eclipse, passes."""

from __future__ import annotations

import json
import math
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from _golden import CITIES, Case, cities, continuum, near, same
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

SPEED_KM_S = 299_792.458
LATENCY_RELATIVE = 1e-5
RTT_RELATIVE = 5e-5
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
    scenario = document["scenario"] | {"stations": cities(path.parent, file)[:count]}
    cases: list[Case] = []
    if "no_kozai_rad_per_min" in scenario:
        shell = _scene(scenario, "sgp4", [0.0]).topology.shells[0]
        found, wanted = mean_motion_rad_min(shell), scenario["no_kozai_rad_per_min"]
        cases.append(near(f"{path.name} no_kozai_rad_per_min", found, wanted, relative=1e-11))
    for propagator, instants in document["expected"].items():
        scene = _scene(scenario, propagator, [float(row["t_s"]) for row in instants])
        relayed = scene.replace(topology=scene.topology.replace(ground_relay=True))
        grid = scene.topology.inter_satellite.replace(seam="unshifted")
        unphased = topology_generator(
            scene.replace(topology=scene.topology.replace(inter_satellite=grid))
        )
        generators = topology_generator(scene), topology_generator(relayed)
        for step, expected in enumerate(instants):
            name = f"{path.name} {propagator} t={expected['t_s']} s"
            states = [generator.state(step) for generator in generators]
            graphs = [g.graph(s) for g, s in zip(generators, states, strict=True)]
            cases += _links(name, states[0], scenario, expected)
            cases += _satellites(name, scene, states[0], expected)
            cases += _seam(name, unphased.state(step), scenario, expected)
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
    epoch = datetime.fromisoformat(scenario["epoch_utc"])
    topology = GeneratedTopology(
        shells=(
            WalkerShell(
                planes=scenario["planes"],
                satellites_per_plane=scenario["sats_per_plane"],
                phasing=scenario["F"],
                inclination_deg=float(scenario["inclination_deg"]),
                altitude_km=float(scenario["altitude_km"]),
                pattern=scenario["pattern"],
            ),
        ),
        epoch=epoch,
        propagator=PROPAGATORS[propagator],
        ground_relay=False,
        inter_satellite=PlusGrid(cross_link_shift=scenario["shift"] if shift is None else shift),
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
    cases = [
        same(f"{name} n_isl", int(between.sum()), expected["n_isl"]),
        near(
            f"{name} n_gsl",
            int(ground.sum()),
            expected["n_gsl"],
            absolute=1 + expected.get("n_gsl_within_0.005deg_of_mask", 0),
        ),
        same(
            f"{name} stations_with_no_satellite",
            np.flatnonzero(per_station == 0).tolist(),
            expected["stations_with_no_satellite"],
        ),
        near(
            f"{name} satellites_seen_by_some_station",
            len(np.unique(links.source[ground])),
            expected["satellites_seen_by_some_station"],
            absolute=1,
        ),
    ]
    first = expected["gsl_per_station_first10"]
    worst = int(np.abs(per_station[: len(first)] - first).max())
    cases.append(near(f"{name} gsl_per_station_first10, largest difference", worst, 0, absolute=1))
    for key, chosen in (("", between), ("in_plane_", in_plane), ("cross_", cross)):
        cases += _three(f"{name} isl_latency_ms", latency[chosen], expected["isl_latency_ms"], key)
    cases += _three(f"{name} gsl_latency_ms", latency[ground], expected["gsl_latency_ms"], "")
    grazing = _grazing_altitude_km(state, links.source[between], links.target[between])
    cases.append(
        near(
            f"{name} min_isl_grazing_altitude_km",
            grazing,
            expected["min_isl_grazing_altitude_km"],
            relative=LATENCY_RELATIVE,
        )
    )
    return cases


def _seam(name: str, state: TopologyState, scenario: Row, expected: Row) -> list[Case]:
    key = "cross_max_ms_if_seam_shift_is_omitted"
    if key not in expected:
        return []
    slots = scenario["sats_per_plane"]
    links = state.links
    cross = (state.link_kind == INTER_SATELLITE) & (links.source // slots != links.target // slots)
    longest = float(links.latency_ns[cross].max()) / 1e6
    return [near(f"{name} {key}", longest, expected[key], relative=LATENCY_RELATIVE)]


def _three(name: str, values: NDArray[np.float64], expected: Row, prefix: str) -> list[Case]:
    return [
        near(
            f"{name}.{prefix}{what}",
            float(measure(values)),
            expected[prefix + what],
            relative=LATENCY_RELATIVE,
        )
        for what, measure in (("mean", np.mean), ("min", np.min), ("max", np.max))
        if prefix + what in expected
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
    teme, _, _ = ephemeris(scene.topology).teme(np.array([instant[0]]), np.array([instant[1]]))
    dark = int((sunlit_fraction(teme[:, 0, :], sun) == 0).sum())
    sky = expected["eclipse"]
    apart = float(np.abs(np.subtract(sun, sky["sun_unit_teme"])).max())
    offset = float(np.abs(np.subtract(satellites.position_km[0], expected["sat0_ecef_km"])).max())
    return [
        near(
            f"{name} satellite_radius_km.min",
            float(radius.min()),
            expected["satellite_radius_km"]["min"],
            relative=1e-8,
        ),
        near(
            f"{name} satellite_radius_km.max",
            float(radius.max()),
            expected["satellite_radius_km"]["max"],
            relative=1e-8,
        ),
        near(f"{name} gmst_rad", gmst_rad(*instant), expected["gmst_rad"], absolute=1e-9),
        near(f"{name} sat0_ecef_km, largest difference", offset, 0, absolute=1e-4),
        near(f"{name} sun_unit_teme, largest difference", apart, 0, absolute=1e-9),
        near(f"{name} eclipse.count", dark, sky["count"], absolute=ECLIPSE_COUNT),
    ]


def _routes(name: str, graphs: list[Any], scenario: Row, expected: Row) -> list[Case]:
    satellites = scenario["planes"] * scenario["sats_per_plane"]
    cases = []
    for pair in expected["rtt"]:
        source, target = (satellites + gid for gid in pair["gid"])
        where = f"{name} {pair['from']}-{pair['to']}"
        for key, graph in zip(("rtt_ms", "rtt_ms_if_ground_relaying_allowed"), graphs, strict=True):
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
            # Both ground links count, says the file, yet its numbers are those of the satellites.
            counted = direct.hops if pair["links_on_path"] > len(path) else direct.hops - 1
            cases.append(same(f"{where} links_on_path", counted, pair["links_on_path"]))
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
        name = f"{path.name} {propagator} contacts of {row['station']} with {row['satellite']}"
        cases.append(same(f"{name}, number", len(table.aos_s), len(row["windows"])))
        for index, window in enumerate(row["windows"][: len(table.aos_s)]):
            for key, found in (("aos_s", table.aos_s[index]), ("los_s", table.los_s[index])):
                cases.append(
                    near(f"{name} {index} {key}", float(found), window[key], absolute=CONTACT_S)
                )
            cases.append(
                near(
                    f"{name} {index} max_el_deg",
                    float(table.max_elevation_deg[index]),
                    window["max_el_deg"],
                    absolute=0.01,
                )
            )
    return cases
