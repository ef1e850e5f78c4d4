"""What rules for links between satellites make of a real fleet: planes, latency, time per step.

The fleet is 6,882 catalogued satellites at its newest epoch. Of every rule the links of one step
are counted, and latency is the mean over seeded pairs of satellites, by the shortest route at the
speed of light in vacuum; pairs without a route are left out and counted. Links are at most 2,126 km
long, but for ``pst``, the two nearest rules and two grids, which reach as far as sight does.
Visibility, all links in range, is what no rule of that range can better. The time of a step is that
from positions to the list of links with their lengths, k-d tree included.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from _common import Conditions, Figures, alternating_cpu_s, parser, report
from _golden import DATA_VARIABLE
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra

from leotrek_opt.errors import InputError
from leotrek_opt.instances.tle import read_tle
from leotrek_opt.models.constellation import ElementTable
from leotrek_opt.models.inter_satellite import (
    STARDUST_RANGE_KM,
    CappedTree,
    InferredPlusGrid,
    InterSatelliteLink,
    InterSatelliteRule,
    Nearest,
    NearestK,
    TreeLinks,
    Visibility,
)
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.instants import instant_of
from leotrek_opt.topology.propagation import ephemeris
from leotrek_opt.topology.state import InterSatelliteStrategy, SatelliteState
from leotrek_opt.topology.strategies import inter_satellite_strategy
from leotrek_opt.topology.strategies.planes import infer_planes
from leotrek_opt.topology.strategies.sight import link_lengths

FLEET = "starlink_6882_20241215.tle.gz"
LARGE_SHELL = 100
"""Shells with fewer satellites are counted, not listed."""

RULES: dict[str, InterSatelliteRule] = {
    "plus_grid_inferred": InferredPlusGrid(max_range_km=STARDUST_RANGE_KM),
    "grid_in_sight": InferredPlusGrid(),
    "grid_not_joined": InferredPlusGrid(join="none"),
    "mst": TreeLinks(type="mst"),
    "mst_loop": TreeLinks(type="mst_loop"),
    "mst_smart_loop": TreeLinks(type="mst_smart_loop"),
    "pst": TreeLinks(type="pst"),
    "capped_tree": CappedTree(),
    "nearest_k": NearestK(),
    "nearest": Nearest(),
    "visibility": Visibility(),
}

Links = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def state_at_newest_epoch(fleet: ElementTable) -> SatelliteState:
    """Return where the satellites are at the newest of their epochs."""
    newest = np.lexsort((fleet.epoch_fraction, fleet.epoch_jd))[-1]
    instant = float(fleet.epoch_jd[newest]), float(fleet.epoch_fraction[newest])
    position, valid = ephemeris(recipe(fleet, None)).ecef(*instant)
    return SatelliteState(0, instant_of(*instant), *instant, position, valid)


def recipe(fleet: ElementTable, rule: InterSatelliteRule | None) -> GeneratedTopology:
    """Return a topology of the fleet alone."""
    return GeneratedTopology(fleet=fleet, inter_satellite=rule, ground=None)


def links_of(
    strategy: InterSatelliteStrategy, rule: InterSatelliteLink, state: SatelliteState
) -> Links:
    """Return the ends of the links that are up, and their lengths."""
    pairs = strategy(state)
    length, up = link_lengths(state.position_km, state.valid, pairs, rule)
    return pairs.source[up], pairs.target[up], length[up]


def sampled_pairs(state: SatelliteState, sources: int, seed: int) -> NDArray[np.int64]:
    """Return one row of distinct targets for each source, the source first."""
    rng = np.random.default_rng(seed)
    satellite = np.flatnonzero(state.valid)
    size = min(51, len(satellite))
    return np.array([rng.choice(satellite, size, replace=False) for _ in range(sources)])


def judged(name: str, links: Links, state: SatelliteState, pairs: NDArray[np.int64]) -> Figures:
    """Return what one set of links is worth."""
    source, target, length = links
    count = len(state.valid)
    graph = coo_array((length, (source, target)), shape=(count, count)).tocsr()
    label = connected_components(graph, directed=False)[1][state.valid]
    degree = np.bincount(np.concatenate((source, target)), minlength=count)
    distance = dijkstra(graph + graph.T, indices=pairs[:, 0])
    latency_ms = np.take_along_axis(distance, pairs[:, 1:], axis=1) / 299_792.458 * 1e3
    reached = np.isfinite(latency_ms)
    return {
        f"{name}_links": len(length),
        f"{name}_components": len(np.unique(label)),
        f"{name}_max_degree": int(degree.max()),
        f"{name}_mean_degree": float(degree[state.valid].mean()),
        f"{name}_longest_km": float(length.max(initial=0.0)),
        f"{name}_mean_latency_ms": float(latency_ms[reached].mean()) if reached.any() else 0.0,
        f"{name}_pairs_without_route": int((~reached).sum()),
    }


def planes_found(fleet: ElementTable, state: SatelliteState) -> Figures:
    """Return the shells that are found in the elements, and how long that takes."""
    started = time.perf_counter()
    planes = infer_planes(fleet, InferredPlusGrid(), state)
    figures: Figures = {"planes_s": time.perf_counter() - started}
    for shell in planes.shells:
        if shell.satellites >= LARGE_SHELL:
            name = f"shell_{shell.inclination_deg:.2f}deg_{shell.altitude_km:.0f}km"
            figures[f"{name}_satellites"] = shell.satellites
            figures[f"{name}_planes"] = shell.planes
    figures["small_shells"] = sum(shell.satellites < LARGE_SHELL for shell in planes.shells)
    figures["satellites_without_place"] = int((planes.group < 0).sum())
    return figures


def measure(fleet: ElementTable, sources: int, repeats: int) -> tuple[Figures, Conditions]:
    """Measure all rules."""
    state = state_at_newest_epoch(fleet)
    pairs = sampled_pairs(state, sources, seed=1)
    figures: Figures = {"satellites": int(state.valid.sum()), **planes_found(fleet, state)}
    calls: dict[str, Callable[[], object]] = {}
    for name, rule in RULES.items():
        strategy = inter_satellite_strategy(recipe(fleet, rule), state)
        figures |= judged(name, links_of(strategy, rule, state), state, pairs)
        calls[name] = partial(links_of, strategy, rule, state)
    for name, seconds in alternating_cpu_s(calls, repeats).items():
        figures[f"{name}_ms"] = 1e3 * seconds
    return figures, {
        "instant": state.time.isoformat(),
        "pairs": pairs.shape[0] * (pairs.shape[1] - 1),
        "repeats": repeats,
        "time": "processor time of a step, medians in turns",
    }


def main() -> int:
    """Measure and print."""
    options = parser(__doc__.splitlines()[0])
    options.add_argument(
        "--data",
        type=Path,
        help=f"two-line elements, or a folder with {FLEET}; else ${DATA_VARIABLE}",
    )
    arguments = options.parse_args()
    path = arguments.data
    if path is None and DATA_VARIABLE not in os.environ:
        reason = f"no --data, and {DATA_VARIABLE} is not set"
        nothing = json.dumps({"figures": {}, "conditions": {"skipped": reason}})
        print(nothing if arguments.format == "json" else reason)
        return 0
    path = path or Path(os.environ[DATA_VARIABLE]) / "topology"
    path = path / FLEET if path.is_dir() else path
    try:
        fleet = read_tle(path).table
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    figures, conditions = measure(
        fleet, sources=20 if arguments.quick else 100, repeats=3 if arguments.quick else 15
    )
    report(figures, {"fleet": path.name, **conditions}, arguments.format)
    return 0


if __name__ == "__main__":
    sys.exit(main())
