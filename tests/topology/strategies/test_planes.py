"""Shells, planes and slots found in element sets, of designs and of a real fleet."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.topology.strategies.fleets import fleet_of, fleet_state, permuted, walker

from leotrek_opt.instances.tle import read_tle
from leotrek_opt.models.constellation import ElementTable
from leotrek_opt.models.inter_satellite import InferredPlusGrid
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.constellation import altitude_of_motion_km
from leotrek_opt.topology.instants import instant_of, julian_date
from leotrek_opt.topology.propagation import ephemeris
from leotrek_opt.topology.state import SatelliteState
from leotrek_opt.topology.strategies.planes import (
    Planes,
    infer_planes,
    nodes_deg,
    planes_of_nodes,
)

EPOCH = datetime(2025, 6, 1, tzinfo=UTC)


def found(
    table: ElementTable, days: float = 0.0, rule: InferredPlusGrid | None = None
) -> tuple[Planes, SatelliteState]:
    state = fleet_state(table, EPOCH, days)
    return infer_planes(table, rule or InferredPlusGrid(), state), state


@pytest.mark.parametrize("days", [0.0, 5.0])
def test_the_planes_of_a_design_are_found(days: float) -> None:
    planes, _ = found(fleet_of(walker(12, 10, 53.0, 550.0, phasing=5)), days)
    number = np.arange(120)
    assert (planes.group == 0).all()
    (shell,) = planes.shells
    assert (shell.satellites, shell.planes) == (120, 12)
    assert shell.inclination_deg == 53.0
    assert shell.altitude_km == pytest.approx(550.0, abs=1e-6)
    # Numbers begin anywhere, but satellites of one plane stay together and planes in order.
    first = planes.plane[::10]
    assert (planes.plane == np.repeat(first, 10)).all()
    assert ((np.roll(first, -1) - first) % 12 == 1).all()
    for plane in range(12):
        slot = planes.slot[number // 10 == plane]
        assert ((np.roll(slot, -1) - slot) % 10 == 1).all()


def test_shells_close_in_inclination_are_told_apart() -> None:
    """53.05 and 53.2 degrees at 547 and 540 km, scattered, with satellites between orbits."""
    random = np.random.default_rng(1)
    table = fleet_of(
        walker(72, 12, 53.05, 547.0, phasing=1),
        walker(72, 20, 53.22, 540.0, phasing=3),
        walker(6, 40, 97.6, 560.0),
        walker(1, 30, 53.05, 400.0),
    )
    scatter = np.concatenate((random.uniform(-3, 3, 864), random.uniform(-3, 3, 1440), [0] * 240))
    rising = random.uniform(280.0, 530.0, 30)
    altitude = np.concatenate(
        (altitude_of_motion_km(table.mean_motion_rev_per_day)[:-30] + scatter * 0.5, rising)
    )
    motion = np.sqrt(398_600.4418 / (6378.137 + altitude) ** 3) * 86_400 / (2 * np.pi)
    table = table.replace(
        mean_motion_rev_per_day=motion,
        inclination_deg=table.inclination_deg + random.normal(0, 0.005, len(table)),
        raan_deg=(table.raan_deg + random.normal(0, 0.1, len(table))) % 360.0,
    )
    planes, _ = found(table)
    large = [shell for shell in planes.shells if shell.satellites > 100]
    assert [(shell.satellites, shell.planes) for shell in large] == [
        (864, 72),
        (1440, 72),
        (240, 6),
    ]
    assert (planes.group[-30:] == -1).sum() >= 20
    assert ((planes.group == -1) == (planes.plane == -1)).all()
    assert ((planes.group == -1) == (planes.slot == -1)).all()


def test_nodes_of_different_epochs_are_carried_to_one_instant() -> None:
    """The node of 53 degrees at 550 km goes back by 4.49 degrees a day."""
    table = fleet_of(walker(6, 8, 53.0, 550.0))
    moved = nodes_deg(table, *julian_date(EPOCH, 86_400.0)) - table.raan_deg
    assert (moved + 180) % 360 - 180 == pytest.approx(-4.489, abs=0.005)
    days = np.random.default_rng(2).uniform(-10, 0, len(table))
    older = table.replace(
        epoch_jd=np.floor(table.epoch_jd + days - 0.5) + 0.5,
        epoch_fraction=(table.epoch_jd + days - 0.5) % 1.0,
        raan_deg=nodes_deg(table, *julian_date(EPOCH)) % 360.0,
    )
    back = [
        nodes_deg(older, float(older.epoch_jd[k]), float(older.epoch_fraction[k]))[k]
        for k in range(len(older))
    ]
    assert back == pytest.approx(older.raan_deg.tolist(), abs=1e-9)
    drift = nodes_deg(older, *julian_date(EPOCH)) - older.raan_deg
    assert (drift + 180) % 360 - 180 == pytest.approx(days * 4.489, abs=0.05)
    assert infer_planes(older, InferredPlusGrid(), fleet_state(older, EPOCH)).shells[0].planes > 6


def test_a_plane_across_zero_degrees_is_one_plane() -> None:
    node = np.array([359.8, 0.3, 10.0, 10.5, 180.0, 0.1, 179.5])
    assert planes_of_nodes(node, 1.0).tolist() == [0, 0, 1, 1, 2, 0, 2]
    assert planes_of_nodes(node, 0.25).tolist() == [5, 0, 1, 2, 4, 0, 3]
    assert planes_of_nodes(np.arange(0.0, 360.0, 0.5), 1.0).max() == 0
    assert planes_of_nodes(np.array([7.0]), 1.0).tolist() == [0]
    assert planes_of_nodes(np.array([7.0, 7.0]), 1.0).tolist() == [0, 0]


@given(
    gaps=st.lists(st.floats(1.5, 30.0), min_size=1, max_size=20),
    sizes=st.lists(st.integers(1, 5), min_size=20, max_size=20),
    turn=st.floats(0.0, 360.0),
    seed=st.integers(0, 1000),
)
@settings(max_examples=50)
def test_planes_end_at_gaps_all_round(
    gaps: list[float], sizes: list[int], turn: float, seed: int
) -> None:
    if sum(gaps) > 350.0:
        gaps = [gap * 350.0 / sum(gaps) for gap in gaps]
    if min(gaps) < 1.5:
        return
    random = np.random.default_rng(seed)
    middle = turn + np.concatenate(([0.0], np.cumsum(gaps)[:-1]))
    plane = np.repeat(np.arange(len(gaps)), sizes[: len(gaps)])
    node = (middle[plane] + random.uniform(-0.2, 0.2, len(plane))) % 360.0
    number = planes_of_nodes(node, 1.0)
    assert number.max() + 1 == len(gaps)
    same = plane[:, None] == plane[None, :]
    assert (same == (number[:, None] == number[None, :])).all()


def test_the_order_of_the_table_does_not_matter() -> None:
    table = fleet_of(walker(9, 7, 53.0, 550.0, phasing=2), walker(4, 11, 70.0, 570.0))
    order = np.random.default_rng(3).permutation(len(table))
    planes, _ = found(table, 1.0)
    shuffled, _ = found(permuted(table, order), 1.0)
    assert shuffled.shells == planes.shells
    for column in ("group", "plane", "slot"):
        assert (getattr(shuffled, column) == getattr(planes, column)[order]).all()


def test_slots_follow_the_satellites_of_a_plane() -> None:
    """The argument of latitude is measured on the positions: z / r = sin i sin u."""
    planes, state = found(fleet_of(walker(3, 20, 53.0, 550.0)), 2.0)
    radius = np.linalg.norm(state.position_km, axis=1)
    sine = np.sin(np.radians(53.0)) * np.sin(np.radians(planes.argument_of_latitude_deg))
    assert state.position_km[:, 2] / radius == pytest.approx(sine, abs=1e-3)
    for plane in range(3):
        member = np.flatnonzero(planes.plane == plane)
        ordered = member[np.argsort(planes.slot[member])]
        assert (np.diff(planes.argument_of_latitude_deg[ordered]) > 0).all()


def test_a_lost_satellite_has_no_place() -> None:
    table = fleet_of(walker(5, 6, 53.0, 550.0))
    state = fleet_state(table, EPOCH)
    valid = np.arange(30) != 4
    position = np.where(valid[:, None], state.position_km, np.nan)
    state = SatelliteState(0, state.time, state.julian_day, state.day_fraction, position, valid)
    planes = infer_planes(table, InferredPlusGrid(), state)
    assert planes.group[4] == planes.plane[4] == planes.slot[4] == -1
    assert np.isnan(planes.raan_deg[4])
    assert planes.shells[0].satellites == 29


def test_few_satellites_are_no_shell() -> None:
    planes, _ = found(fleet_of(walker(5, 1, 53.0, 550.0)))
    assert planes.shells == ()
    assert (planes.group == -1).all()
    rule = InferredPlusGrid(min_shell_satellites=5)
    assert found(fleet_of(walker(5, 1, 53.0, 550.0)), rule=rule)[0].shells[0].planes == 5


@pytest.mark.reference
def test_the_planes_of_a_real_fleet_are_found(reference_data: Path) -> None:
    """6,882 satellites: shells 0.2 degrees and 7 km apart, planes drifting, many raising orbit."""
    table = read_tle(reference_data / "topology" / "starlink_6882_20241215.tle.gz").table
    newest = np.lexsort((table.epoch_fraction, table.epoch_jd))[-1]
    instant = float(table.epoch_jd[newest]), float(table.epoch_fraction[newest])
    topology = GeneratedTopology(fleet=table, inter_satellite=None, ground=None)
    position, valid = ephemeris(topology).ecef(*instant)
    state = SatelliteState(0, instant_of(*instant), *instant, position, valid)
    planes = infer_planes(table, InferredPlusGrid(), state)

    def shell(inclination_deg: float, altitude_km: float) -> tuple[int, int]:
        (index,) = (
            index
            for index, shell in enumerate(planes.shells)
            if abs(shell.inclination_deg - inclination_deg) < 0.05
            and abs(shell.altitude_km - altitude_km) < 2
        )
        return index, planes.shells[index].planes

    index, count = shell(53.05, 547.2)
    assert count == 72
    assert planes.shells[index].satellites == 948
    nodes = np.sort(
        [planes.raan_deg[(planes.group == index) & (planes.plane == p)][0] for p in range(72)]
    )
    assert np.median(np.diff(nodes)) == pytest.approx(5.0, abs=0.3)
    index, count = shell(53.22, 539.8)
    assert (planes.shells[index].satellites, count) == (1437, 72)
    index, count = shell(97.65, 563.0)
    assert (planes.shells[index].satellites, count) == (231, 6)
    index, count = shell(70.0, 572.1)
    assert planes.shells[index].satellites == pytest.approx(389, abs=1)
    assert count == 21
    index, count = shell(43.0, 559.1)
    assert planes.shells[index].satellites == pytest.approx(1340, abs=10)
    assert 28 <= count <= 32
