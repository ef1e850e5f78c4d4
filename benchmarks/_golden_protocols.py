"""Statistics of the link selection protocols on a fleet of element sets, at one instant."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from _golden import Case, beside, continuum, near, same, utc
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from leotrek_opt.instances.tle import read_tle
from leotrek_opt.models.inter_satellite import (
    InterSatelliteLink,
    InterSatelliteRule,
    Nearest,
    NearestK,
    TreeLinks,
    Visibility,
)
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.generated import topology_generator
from leotrek_opt.topology.propagation import ephemeris
from leotrek_opt.topology.strategies import inter_satellite_strategy
from leotrek_opt.topology.strategies.sight import link_lengths

SPEED_KM_S = 299_792.458
LENGTH_RELATIVE = 1e-6
RADIUS_KM = 6378.137

Row = dict[str, Any]


def run(path: Path) -> list[Case]:
    """Select links by every protocol that a file lists and compare their statistics.

    Parameters
    ----------
    path
        ``protocols_*_expected.json``; range, margin and degree are read from its conventions.

    Returns
    -------
    list of Case
        One for each number.
    """
    document = json.loads(path.read_text(encoding="utf-8"))
    expected = document["expected"]
    text = " ".join(document.get("conventions", ()))
    range_km = _number(text, r"range cap (\d+(?:\.\d+)?) km", 2126.0)
    margin_km = _number(text, r"\d+(?:\.\d+)?\+(\d+(?:\.\d+)?) km", 80.0)
    degree = int(_number(text, r"N=(\d+)", 4))
    # Every set of the file is a satellite, as in Stardust's doubled files, whatever its checksum.
    fleet = read_tle(
        beside(path.parent, document["tle_file"]), duplicates="all", verify_checksums=False
    ).table
    start = utc(document["time_utc"])
    sight = InterSatelliteLink(line_of_sight_margin_km=margin_km)

    def scene(rule: InterSatelliteRule) -> Any:
        topology = GeneratedTopology(fleet=fleet, inter_satellite=rule, ground=None)
        return continuum(topology, [], start, [0.0])

    whole = scene(Visibility(line_of_sight_margin_km=0.0, max_range_km=range_km))
    state = topology_generator(whole).satellites(0)
    cases = _fleet(path, fleet, whole, state, expected)
    pairs = inter_satellite_strategy(whole.topology, state)(state)
    length, clear = link_lengths(state.position_km, state.valid, pairs, sight)
    within = length <= range_km
    for key in (key for key in expected if key.startswith("pairs_within_")):
        cases.append(same(f"{path.name} {key}", int(within.sum()), expected[key]))
    for key in (key for key in expected if key.startswith("of_these_blocked_by_")):
        cases.append(same(f"{path.name} {key}", int((within & ~clear).sum()), expected[key]))
    if "min_pair_distance_km" in expected:
        cases.append(
            near(
                f"{path.name} min_pair_distance_km",
                float(length.min()),
                expected["min_pair_distance_km"],
                absolute=1e-3,
            )
        )
    for key, statistics in expected.items():
        if not isinstance(statistics, dict) or "edges" not in statistics:
            continue
        rule = _rule(key, degree, range_km, margin_km)
        if rule is None:
            cases.append(Case(f"{path.name} {key}", None, statistics, "unknown protocol", False))
            continue
        chosen = inter_satellite_strategy(scene(rule).topology, state)(state)
        cases += _statistics(f"{path.name} {key}", chosen, state, rule, statistics)
    return cases


def _number(text: str, pattern: str, usual: float) -> float:
    match = re.search(pattern, text)
    return float(match[1]) if match else usual


def _rule(key: str, degree: int, range_km: float, margin_km: float) -> InterSatelliteRule | None:
    nearest = re.fullmatch(r"nearest_(\d+)_union", key)
    if nearest:
        return Nearest(k=int(nearest[1]), line_of_sight_margin_km=margin_km)
    capped = re.fullmatch(r"nearest_(\d+)_(?:degree_)?capped", key)
    if capped:
        return NearestK(k=int(capped[1]), line_of_sight_margin_km=margin_km)
    # From one satellite on, a correct Prim finds the minimum spanning tree of its component.
    key = key.removeprefix("other_")
    if key not in ("mst", "mst_loop", "mst_smart_loop", "pst", "pst_loop", "pst_smart_loop"):
        return None
    return TreeLinks(
        type=key, degree=degree, max_range_km=range_km, line_of_sight_margin_km=margin_km
    )


def _fleet(path: Path, fleet: Any, scene: Any, state: Any, expected: Row) -> list[Case]:
    facts: Row = {
        "satellites": len(fleet),
        "valid": int(state.valid.sum()),
        "invalid_names": [fleet.name[i] for i in np.flatnonzero(~state.valid)],
    }
    cases = [
        same(f"{path.name} {key}", found, expected[key])
        for key, found in facts.items()
        if key in expected
    ]
    instant = state.julian_day + state.day_fraction
    age = instant - fleet.epoch_jd - fleet.epoch_fraction
    altitude = np.linalg.norm(state.position_km[state.valid], axis=1) - RADIUS_KM
    for key, values, measures, absolute in (
        ("age_days_min_max", age, (np.min, np.max), 6e-5),
        (
            "altitude_km_min_median_max_sphere6378.137",
            altitude,
            (np.min, np.median, np.max),
            1e-3,
        ),
    ):
        for measure, wanted in zip(measures, expected.get(key, ()), strict=False):
            found = float(measure(values))
            cases.append(
                near(f"{path.name} {key} {measure.__name__}", found, wanted, absolute=absolute)
            )
    teme, _, _ = ephemeris(scene.topology).teme(
        np.array([state.julian_day]), np.array([state.day_fraction])
    )
    for name, wanted in expected.get("r0_teme_km", {}).items():
        apart = float(np.abs(teme[fleet.name.index(name), 0] - wanted).max())
        cases.append(near(f"{path.name} r0 of {name}, difference", apart, 0, absolute=2e-6))
    return cases


def _statistics(name: str, pairs: Any, state: Any, rule: Any, expected: Row) -> list[Case]:
    length, _ = link_lengths(state.position_km, state.valid, pairs, rule)
    count = len(state.valid)
    degree = np.bincount(np.concatenate((pairs.source, pairs.target)), minlength=count)
    valid_degree = degree[state.valid]
    matrix = csr_matrix((np.ones(len(pairs.source)), (pairs.source, pairs.target)), (count, count))
    _, label = connected_components(matrix, directed=False)
    sizes = np.unique(label[state.valid], return_counts=True)[1]
    found: Row = {
        "edges": len(pairs.source),
        "components_among_valid": len(sizes),
        "largest_component": int(sizes.max()),
        "degree_max": int(valid_degree.max()),
        "degree_hist": np.bincount(valid_degree).tolist(),
        "total_length_km": float(length.sum()),
        "max_link_km": float(length.max()),
        "mean_link_latency_ms_vacuum": float(length.mean()) / SPEED_KM_S * 1e3,
    }
    cases = []
    for key, value in expected.items():
        if key in ("total_length_km", "max_link_km", "mean_link_latency_ms_vacuum"):
            cases.append(near(f"{name} {key}", found[key], value, relative=LENGTH_RELATIVE))
        elif key in found:
            cases.append(same(f"{name} {key}", found[key], value))
        elif key == "satellites_without_own_link":
            # A link of pst belongs to the satellite that chose it; a forest of E links has n - E
            # satellites without.
            cases.append(same(f"{name} {key}", int(state.valid.sum()) - found["edges"], value))
        else:
            cases.append(Case(f"{name} {key}", None, value, "unknown statistic", False))
    return cases
