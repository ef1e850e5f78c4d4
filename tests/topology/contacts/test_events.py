"""Changes in the order of time, from tables, streams of windows and streams of steps."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from tests.topology.contacts.scenes import scene

from leotrek_opt.errors import InputError
from leotrek_opt.models.continuum import TimeGrid
from leotrek_opt.topology.contacts import scan
from leotrek_opt.topology.contacts.events import (
    ChangeEvent,
    change_events,
    iter_contact_events,
    leaving_within,
    link_changes,
)
from leotrek_opt.topology.contacts.links import link_intervals
from leotrek_opt.topology.contacts.table import LinkWindowTable, WindowTable
from leotrek_opt.topology.contacts.windows import contact_windows
from leotrek_opt.topology.series import LinkSeries, Snapshot
from leotrek_opt.topology.state import SatelliteState, TopologyState

PLACES = [(48.2, 16.4), (-33.9, 151.2), (0.0, -78.5)]


def links(rows: list[tuple[int, int, float, float, bool, bool]]) -> LinkWindowTable:
    source, target, up, down, start, end = (np.array(column) for column in zip(*rows, strict=True))
    return LinkWindowTable(source, target, up, down, start, end)


def test_what_ends_comes_before_what_begins() -> None:
    table = links(
        [
            (2, 3, 10.0, 20.0, False, False),
            (0, 1, 0.0, 10.0, True, False),
            (1, 2, 10.0, 30.0, False, True),
            (0, 3, 5.0, 10.0, False, False),
        ]
    )
    assert list(change_events(table)) == [
        ChangeEvent(5.0, "up", 0, 3),
        ChangeEvent(10.0, "down", 0, 1),
        ChangeEvent(10.0, "down", 0, 3),
        ChangeEvent(10.0, "up", 1, 2),
        ChangeEvent(10.0, "up", 2, 3),
        ChangeEvent(20.0, "down", 2, 3),
    ]


def test_replaying_events_gives_the_open_windows() -> None:
    windows = contact_windows(scene(PLACES, steps=200))
    now = {(int(a), int(b)) for a, b in zip(windows.at(0.0).ground, windows.at(0.0).satellite,
                                            strict=True)}  # fmt: skip
    events = list(change_events(windows))
    assert [event.time_s for event in events] == sorted(event.time_s for event in events)
    for event, following in zip(events, [*events[1:], None], strict=True):
        pair = (event.a, event.b)
        assert (pair in now) == (event.kind == "set")
        now ^= {pair}
        if following is None or following.time_s > event.time_s:
            there = windows.at(event.time_s)
            assert now == set(zip(there.ground.tolist(), there.satellite.tolist(), strict=True))


@pytest.mark.parametrize("drift_deg", [0.0, 0.7])
def test_the_stream_is_the_table(monkeypatch: pytest.MonkeyPatch, drift_deg: float) -> None:
    made = scene(PLACES, steps=150, drift_deg=drift_deg)
    expected = list(change_events(contact_windows(made, start_s=30.0)))
    assert len(expected) > 30
    for samples in (30, 100, 100_000):
        monkeypatch.setattr(scan, "_SAMPLES_AT_ONCE", samples)
        assert list(iter_contact_events(made, start_s=30.0)) == expected


def test_intervals_of_a_series_have_events() -> None:
    series = LinkSeries(
        n_nodes=3,
        source=np.array([0, 1]),
        target=np.array([1, 2]),
        latency_ns=np.ones((1, 2), dtype=np.int64),
        bandwidth_bps=None,
        up=np.array([[1, 0], [0, 1], [0, 1]], dtype=bool),
        steps=3,
    )
    assert list(change_events(link_intervals(series, TimeGrid(steps=3)))) == [
        ChangeEvent(60.0, "down", 0, 1),
        ChangeEvent(60.0, "up", 1, 2),
    ]


def test_who_is_about_to_leave() -> None:
    table = links(
        [
            (0, 1, 0.0, 50.0, True, False),
            (0, 2, 0.0, 40.0, True, False),
            (1, 2, 0.0, 40.0, True, False),
            (1, 3, 0.0, 45.0, True, True),
            (2, 3, 20.0, 45.0, False, False),
            (0, 3, 0.0, 10.0, False, False),
        ]
    )
    leaving = leaving_within(table, 10.0, 40.0)
    pairs = list(zip(leaving.source.tolist(), leaving.target.tolist(), strict=True))
    assert pairs == [(0, 2), (1, 2), (0, 1)]
    assert len(leaving_within(table, 10.0, 0.0)) == 0
    with pytest.raises(InputError, match="horizon_s"):
        leaving_within(table, 0.0, -1.0)
    windows = contact_windows(scene(PLACES, steps=100))
    soon = leaving_within(windows, 1000.0, 60.0)
    assert isinstance(soon, WindowTable)
    assert len(soon) == ((windows.aos_s <= 1000) & (windows.los_s > 1000)
                         & (windows.los_s <= 1060)).sum()  # fmt: skip


def state(step: int, rows: list[tuple[int, int, int]]) -> TopologyState:
    time = datetime(2025, 6, 1, 0, step, tzinfo=UTC)
    nowhere = np.zeros((0, 3))
    source, target, kind = np.array(rows).reshape(-1, 3).T
    snapshot = Snapshot(source.astype(np.int32), target.astype(np.int32), source * 0, None)
    satellites = SatelliteState(step, time, 0.0, 0.0, nowhere, np.zeros(0, bool))
    return TopologyState(step, time, satellites, nowhere, snapshot, kind.astype(np.int8))


def test_steps_are_compared_with_the_one_before() -> None:
    states = [
        state(0, [(0, 1, 0), (1, 4, 1)]),
        state(1, [(0, 1, 0), (0, 4, 1), (2, 3, 0)]),
        state(2, []),
        state(3, [(2, 3, 0)]),
        state(4, [(2, 3, 0)]),
    ]
    changes = list(link_changes(iter(states)))
    assert [change.step for change in changes] == [0, 1, 2, 3, 4]
    assert [change.added.T.tolist() for change in changes] == [
        [[0, 1, 0], [1, 4, 1]],
        [[0, 4, 1], [2, 3, 0]],
        [],
        [[2, 3, 0]],
        [],
    ]
    assert [change.removed.T.tolist() for change in changes] == [
        [],
        [[1, 4, 1]],
        [[0, 1, 0], [0, 4, 1], [2, 3, 0]],
        [],
        [],
    ]


def test_the_stream_of_a_generator_can_be_rebuilt_from_changes() -> None:
    from leotrek_opt.topology.generated import topology_generator

    generator = topology_generator(scene(PLACES, steps=40))
    now: set[tuple[int, ...]] = set()
    for change, made in zip(link_changes(generator.states()), generator.states(), strict=True):
        removed = {tuple(column) for column in change.removed.T.tolist()}
        added = {tuple(column) for column in change.added.T.tolist()}
        assert removed <= now
        assert not added & now
        now = now - removed | added
        links_now = np.stack((made.links.source, made.links.target, made.link_kind))
        assert now == {tuple(column) for column in links_now.T.tolist()}
