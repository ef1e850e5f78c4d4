"""The +Grid of a fleet: what a design gives back, what is left out, and what is joined."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra
from tests.topology.strategies.fleets import fleet_of, fleet_state, permuted, walker

from leotrek_opt.instances.tle import read_tle
from leotrek_opt.models.constellation import ElementTable
from leotrek_opt.models.inter_satellite import (
    CappedTree,
    InferredPlusGrid,
    InterSatelliteRule,
    NearestK,
    PlusGrid,
    TreeLinks,
    Visibility,
)
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.instants import instant_of
from leotrek_opt.topology.propagation import ephemeris
from leotrek_opt.topology.state import LinkPairs, SatelliteState
from leotrek_opt.topology.strategies import inter_satellite_strategy
from leotrek_opt.topology.strategies.inferred_grid import grid_pairs
from leotrek_opt.topology.strategies.planes import infer_planes
from leotrek_opt.topology.strategies.plus_grid import plus_grid
from leotrek_opt.topology.strategies.sight import link_lengths

ALONE = InferredPlusGrid(join="none")


def grid(table: ElementTable, rule: InferredPlusGrid = ALONE, days: float = 0.0) -> LinkPairs:
    state = fleet_state(table, days=days)
    return grid_pairs(infer_planes(table, rule, state), rule)


def degrees(pairs: LinkPairs, count: int) -> np.ndarray:
    return np.bincount(np.concatenate(pairs[:2]), minlength=count)


def components(pairs: LinkPairs, count: int) -> int:
    ones = np.ones(len(pairs.source))
    graph = coo_array((ones, (pairs.source, pairs.target)), shape=(count, count))
    return int(connected_components(graph, directed=False)[0])


def as_set(pairs: LinkPairs) -> set[tuple[int, int]]:
    return set(zip(pairs.source.tolist(), pairs.target.tolist(), strict=True))


def ring_set(planes: int, slots: int) -> set[tuple[int, int]]:
    return {
        tuple(sorted((plane * slots + slot, plane * slots + (slot + 1) % slots)))  # type: ignore[misc]
        for plane in range(planes)
        for slot in range(slots)
    }


@pytest.mark.parametrize(("phasing", "days"), [(0, 0.0), (1, 0.0), (1, 3.0), (6, 0.0), (11, 0.5)])
def test_the_grid_of_a_design_is_found_again(phasing: int, days: float) -> None:
    """Every satellite keeps four links, its ring, and neighbours nearest in argument of latitude.

    F = 6 of 12 planes puts every satellite midway between two of the next plane.
    """
    table = fleet_of(walker(12, 10, 53.0, 550.0, phasing=phasing))
    pairs = grid(table, days=days)
    assert len(pairs.source) == 2 * 120
    assert (degrees(pairs, 120) == 4).all()
    assert pairs.cross_plane is not None
    in_plane = LinkPairs(pairs.source[~pairs.cross_plane], pairs.target[~pairs.cross_plane])
    assert as_set(in_plane) == ring_set(12, 10)
    plane = pairs.target // 10 - pairs.source // 10
    assert np.isin(plane[pairs.cross_plane], (1, 11)).all()


@pytest.mark.parametrize("days", [0.0, 0.01, 0.37, 2.3])
def test_midway_between_two_the_one_ahead_is_taken(days: float) -> None:
    """F = 36 of 72 planes; which is nearer by the last digits is chance."""
    table = fleet_of(walker(72, 22, 53.0, 550.0, phasing=36))
    state = fleet_state(table, days=days)
    planes = infer_planes(table, ALONE, state)
    source, target, cross = grid_pairs(planes, ALONE)
    assert cross is not None
    source, target = source[cross], target[cross]
    follows = (planes.plane[target] - planes.plane[source]) % 72 == 1
    behind, ahead = np.where(follows, source, target), np.where(follows, target, source)
    latitude = planes.argument_of_latitude_deg
    phase = (latitude[ahead] - latitude[behind] + 180) % 360 - 180
    assert phase == pytest.approx(360 / 44, abs=0.2)


def test_small_phasing_gives_the_links_of_the_design() -> None:
    """Where the nearest argument of latitude is the same slot both +Grids are one."""
    shell = walker(20, 15, 53.0, 550.0, phasing=1)
    designed = plus_grid([shell], PlusGrid(cross_link_shift=0), np.empty((0, 3)))
    assert as_set(grid(fleet_of(shell))) == as_set(designed)


def test_the_seam_of_a_star_is_left_open() -> None:
    """Nodes over 180 degrees: across the seam satellites fly against each other."""
    table = fleet_of(walker(6, 11, 86.4, 780.0, pattern="star", phasing=2))
    pairs = grid(table)
    assert len(pairs.source) == 6 * 11 + 5 * 11
    plane = set(zip((pairs.source // 11).tolist(), (pairs.target // 11).tolist(), strict=True))
    assert (0, 5) not in plane


def test_no_link_crosses_a_wide_gap_between_planes() -> None:
    table = fleet_of(walker(6, 12, 97.6, 560.0))
    assert not grid(table).cross_plane.any()  # type: ignore[union-attr]
    wide = grid(table, InferredPlusGrid(join="none", max_plane_gap_deg=61.0))
    assert (degrees(wide, 72) == 4).all()


@pytest.mark.parametrize("removed", [0.1, 0.4])
def test_holes_leave_every_satellite_at_most_one_link_each_way(removed: float) -> None:
    full = fleet_of(walker(24, 22, 53.0, 550.0, phasing=7))
    random = np.random.default_rng(5)
    kept = np.flatnonzero(random.random(len(full)) > removed)
    table = permuted(full, kept)
    rule = InferredPlusGrid(join="none", max_phase_deg=25.0)
    state = fleet_state(table)
    planes = infer_planes(table, rule, state)
    pairs = grid_pairs(planes, rule)
    assert degrees(pairs, len(table)).max() == 4
    source, target = pairs.source[pairs.cross_plane], pairs.target[pairs.cross_plane]
    ahead = (planes.plane[target] - planes.plane[source]) % 24
    assert np.isin(ahead, (1, 23)).all()
    behind = np.where(ahead == 1, source, target)
    beyond = np.where(ahead == 1, target, source)
    assert len(set(behind.tolist())) == len(set(beyond.tolist())) == len(source)
    latitude = planes.argument_of_latitude_deg
    phase = (latitude[beyond] - latitude[behind] + 180) % 360 - 180
    assert np.abs(phase).max() <= 25.0
    assert len(source) > (1 - 1.5 * removed) * len(table)


def test_a_thin_plane_does_not_part_its_neighbours() -> None:
    """A straggler between two planes has no place in the grid, and is joined by short links."""
    table = fleet_of(walker(12, 10, 53.0, 550.0))
    straggler = permuted(table, np.array([*range(120), 0])).replace(
        raan_deg=np.append(table.raan_deg, 15.0), name=tuple(f"S{k}" for k in range(121))
    )
    pairs = grid(straggler)
    assert as_set(pairs) == as_set(grid(table))
    assert (
        (degrees(grid(straggler, InferredPlusGrid(join="none", min_plane_share=0.0)), 121)[120]) > 0
    )
    joined = strategy_links(straggler, InferredPlusGrid())
    assert degrees(joined, 121)[120] > 0
    assert components(joined, 121) == 1


def strategy_links(
    table: ElementTable, rule: InterSatelliteRule, days: float = 0.0, first_days: float = 0.0
) -> LinkPairs:
    topology = GeneratedTopology(fleet=table, inter_satellite=rule, ground=None)
    strategy = inter_satellite_strategy(topology, fleet_state(table, days=first_days))
    return strategy(fleet_state(table, days=days))


def test_shells_are_joined_and_joints_change_with_the_step() -> None:
    table = fleet_of(walker(12, 16, 53.0, 550.0), walker(8, 20, 70.0, 600.0))
    assert components(grid(table), 352) == 2
    rule = InferredPlusGrid(degree=5)
    now, later = strategy_links(table, rule), strategy_links(table, rule, days=0.02)
    for pairs in (now, later):
        assert components(pairs, 352) == 1
        assert degrees(pairs, 352).max() <= 5
    assert as_set(now) != as_set(later)


def test_full_shells_are_joined_by_one_link_more() -> None:
    """With every port taken by the grid what is apart is still joined, once."""
    table = fleet_of(walker(12, 16, 53.0, 550.0), walker(10, 20, 70.0, 600.0))
    state = fleet_state(table)
    _, up = link_lengths(state.position_km, state.valid, grid(table), ALONE)
    assert up.all()
    joined = strategy_links(table, InferredPlusGrid())
    assert len(joined.source) == len(grid(table).source) + 1
    assert components(joined, 392) == 1
    assert degrees(joined, 392).max() == 5


def test_without_joining_the_pattern_is_the_same_object_at_every_step() -> None:
    table = fleet_of(walker(5, 8, 53.0, 550.0))
    topology = GeneratedTopology(fleet=table, inter_satellite=ALONE, ground=None)
    strategy = inter_satellite_strategy(topology, fleet_state(table))
    assert strategy(fleet_state(table)) is strategy(fleet_state(table, days=1.0))


def test_near_the_poles_only_planes_hold_together() -> None:
    table = fleet_of(walker(8, 12, 97.6, 560.0), walker(8, 12, 70.0, 580.0))
    rule = InferredPlusGrid(max_cross_plane_latitude_deg=55.0)
    state = fleet_state(table)
    pairs = strategy_links(table, rule)
    _, up = link_lengths(state.position_km, state.valid, pairs, rule)
    assert up.all()
    latitude = np.degrees(
        np.arcsin(state.position_km[:, 2] / np.linalg.norm(state.position_km, axis=1))
    )
    polar = np.abs(latitude) > 55.0
    assert pairs.cross_plane is not None
    touches = polar[pairs.source] | polar[pairs.target]
    assert (pairs.source[touches] // 12 == pairs.target[touches] // 12).all()
    assert not pairs.cross_plane[touches].any()


def test_the_order_of_the_table_does_not_matter() -> None:
    table = fleet_of(walker(9, 8, 53.0, 550.0, phasing=2), walker(5, 11, 70.0, 570.0))
    scattered = table.replace(
        raan_deg=(table.raan_deg + np.random.default_rng(6).normal(0, 0.1, 127)) % 360.0
    )
    order = np.random.default_rng(7).permutation(127)
    expected = as_set(strategy_links(scattered, InferredPlusGrid(), 0.3))
    shuffled = as_set(strategy_links(permuted(scattered, order), InferredPlusGrid(), 0.3))
    assert {tuple(sorted((int(order[i]), int(order[j])))) for i, j in shuffled} == expected


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_handful_of_satellites_has_no_grid(count: int) -> None:
    table = fleet_of(walker(1, count, 53.0, 1200.0))
    assert len(grid(table).source) == 0
    assert len(strategy_links(table, InferredPlusGrid()).source) <= count - 1


@pytest.mark.reference
def test_a_real_fleet_is_connected_with_low_latency(reference_data: Path) -> None:
    """6,882 satellites: nearer to full visibility than any rule without planes."""
    table = read_tle(reference_data / "topology" / "starlink_6882_20241215.tle.gz").table
    instant = 2_460_659.5, 0.5
    topology = GeneratedTopology(fleet=table, inter_satellite=None, ground=None)
    position, valid = ephemeris(topology).ecef(*instant)
    state = SatelliteState(0, instant_of(*instant), *instant, position, valid)
    random = np.random.default_rng(1)
    sources, targets = random.choice(6882, 20, replace=False), random.choice(6882, 100)

    def measured(rule: InterSatelliteRule) -> tuple[int, int, float]:
        strategy = inter_satellite_strategy(topology.replace(inter_satellite=rule), state)
        pairs = strategy(state)
        length, up = link_lengths(position, valid, pairs, rule)
        graph = coo_array((length[up], (pairs.source[up], pairs.target[up])), shape=(6882, 6882))
        distance = dijkstra(graph.tocsr(), directed=False, indices=sources)[:, targets]
        reached = distance[np.isfinite(distance)]
        degree = np.bincount(np.concatenate((pairs.source[up], pairs.target[up])))
        return (
            components(LinkPairs(pairs.source[up], pairs.target[up]), 6882),
            int(degree.max()),
            float(reached.mean()) / 299.792458,
        )

    rules: dict[str, InterSatelliteRule] = {
        "grid": InferredPlusGrid(max_range_km=2126.0),
        "mst": TreeLinks(type="mst"),
        "capped": CappedTree(),
        "nearest_k": NearestK(),
        "visibility": Visibility(),
    }
    number, degree, latency_ms = {}, {}, {}
    for name, rule in rules.items():
        number[name], degree[name], latency_ms[name] = measured(rule)
    assert number["grid"] == number["mst"] == number["capped"] == number["visibility"] == 1
    assert degree["grid"] == 4
    assert latency_ms["visibility"] < latency_ms["grid"] < latency_ms["capped"] < latency_ms["mst"]
    assert latency_ms["grid"] < 1.25 * latency_ms["visibility"]
    assert latency_ms["visibility"] == pytest.approx(36.0, abs=2.0)
    assert latency_ms["capped"] == pytest.approx(45.0, abs=3.0)
