"""Schedules with the fewest handovers: against every schedule of small cases, and structure."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.topology.contacts.scenes import SHELL, scene

from leotrek_opt.errors import InputError
from leotrek_opt.topology.contacts.handover import Schedule, fewest_handovers
from leotrek_opt.topology.contacts.table import WindowTable
from leotrek_opt.topology.contacts.windows import contact_windows


def table(rows: list[tuple[int, float, float]], ground: int = 9) -> WindowTable:
    count = len(rows)
    satellite, aos, los = (np.array(column) for column in zip(*rows, strict=True))
    nothing = np.zeros(count)
    return WindowTable(
        ground=np.full(count, ground),
        satellite=satellite.astype(np.int64),
        aos_s=aos.astype(float),
        los_s=los.astype(float),
        max_elevation_deg=nothing,
        max_elevation_s=nothing,
        clipped_start=nothing.astype(bool),
        clipped_end=nothing.astype(bool),
    )


def least_rows(rows: list[tuple[int, float, float]]) -> int:
    """Fewest windows whose union is that of all of them, by trying every choice."""

    def covered(chosen: tuple[tuple[int, float, float], ...]) -> frozenset[int]:
        return frozenset(second for _, aos, los in chosen for second in range(int(aos), int(los)))

    everything = covered(tuple(rows))
    return next(
        count
        for count in range(1, len(rows) + 1)
        if any(covered(chosen) == everything for chosen in itertools.combinations(rows, count))
    )


def assert_is_a_schedule(schedule: Schedule, windows: WindowTable) -> None:
    assert (schedule.start_s < schedule.end_s).all()
    assert (schedule.start_s[1:] >= schedule.end_s[:-1]).all()
    for satellite, start, end in zip(
        schedule.satellite, schedule.start_s, schedule.end_s, strict=True
    ):
        held = windows.of(satellite=int(satellite))
        assert ((held.aos_s <= start) & (end <= held.los_s)).any()


@pytest.mark.parametrize("seed", range(40))
def test_no_schedule_has_fewer_handovers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = []
    for satellite in range(int(rng.integers(1, 10))):
        start = int(rng.integers(0, 30))
        rows.append((satellite, float(start), float(start + rng.integers(1, 12))))
    windows = table(rows)
    schedule = fewest_handovers(windows)
    assert_is_a_schedule(schedule, windows)
    union = {second for _, aos, los in rows for second in range(int(aos), int(los))}
    assert schedule.connected_s == len(union)
    assert len(schedule) == least_rows(rows)


def test_among_equals_the_smaller_satellite_is_taken() -> None:
    schedule = fewest_handovers(table([(7, 0.0, 5.0), (3, 0.0, 5.0), (1, 2.0, 4.0)]))
    assert schedule.satellite.tolist() == [3]
    assert schedule.handovers == 0


def test_a_gap_is_no_handover() -> None:
    schedule = fewest_handovers(table([(0, 0.0, 5.0), (1, 4.0, 8.0), (2, 20.0, 30.0)]))
    assert schedule.satellite.tolist() == [0, 1, 2]
    assert schedule.start_s.tolist() == [0.0, 5.0, 20.0]
    assert schedule.handovers == 1


def test_a_span_cuts_the_schedule() -> None:
    windows = table([(0, 0.0, 10.0), (1, 8.0, 20.0), (2, 18.0, 30.0)])
    schedule = fewest_handovers(windows, start_s=9.0, end_s=19.0)
    assert schedule.satellite.tolist() == [1]
    assert (schedule.start_s[0], schedule.end_s[0]) == (9.0, 19.0)
    assert len(fewest_handovers(windows, start_s=40.0)) == 0


def test_the_ground_node_must_be_clear() -> None:
    both = WindowTable.stacked([table([(0, 0.0, 1.0)], 8), table([(0, 0.0, 1.0)], 9)])
    with pytest.raises(InputError, match="ground: windows are of several"):
        fewest_handovers(both)
    assert len(fewest_handovers(both, ground=8)) == 1
    assert len(fewest_handovers(both, ground=7)) == 0


def test_a_day_of_a_station_is_covered_wherever_it_can_be() -> None:
    shell = SHELL.replace(planes=12, satellites_per_plane=12)
    windows = contact_windows(scene([(48.2, 16.4)], shell=shell, steps=360))
    schedule = fewest_handovers(windows)
    assert_is_a_schedule(schedule, windows)
    edges = np.sort(np.concatenate((windows.aos_s, windows.los_s)))
    for instant in edges:
        seen = len(windows.at(float(instant))) > 0
        used = ((schedule.start_s <= instant) & (instant < schedule.end_s)).any()
        assert seen == used
    assert len(schedule) < len(windows) / 1.5
