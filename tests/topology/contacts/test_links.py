"""When links between satellites can be up, and when those of a series were."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.topology.contacts.scenes import scene

from leotrek_opt.errors import InputError, UnsupportedError
from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.continuum import Continuum, TimeGrid
from leotrek_opt.models.inter_satellite import NearestK, PlusGrid
from leotrek_opt.topology.contacts import links
from leotrek_opt.topology.contacts.links import link_intervals, link_windows
from leotrek_opt.topology.contacts.motion import Motion, motion_of
from leotrek_opt.topology.instants import julian_date
from leotrek_opt.topology.materialise import materialise
from leotrek_opt.topology.series import LinkSeries
from leotrek_opt.topology.state import LinkPairs
from leotrek_opt.topology.strategies.sight import link_lengths

POLAR = WalkerShell(
    planes=4, satellites_per_plane=6, phasing=1, inclination_deg=80.0, altitude_km=700.0
)


def all_pairs(count: int) -> LinkPairs:
    source, target = np.triu_indices(count, 1)
    return LinkPairs(source, target, (source + target) % 3 > 0)


def scanned_links(made: Continuum, pairs: LinkPairs, rule: PlusGrid, seconds: int) -> np.ndarray:
    samples = motion_of(made).sample(np.arange(seconds + 1.0))
    return np.array(
        [
            link_lengths(samples.position_km[..., k].T, samples.valid[:, k], pairs, rule)[1]
            for k in range(seconds + 1)
        ]
    )


@pytest.mark.parametrize(
    "rule",
    [
        PlusGrid(),
        PlusGrid(line_of_sight_margin_km=300.0),
        PlusGrid(max_range_km=4000.0),
        PlusGrid(max_cross_plane_latitude_deg=60.0),
        PlusGrid(max_range_km=5000.0, max_cross_plane_latitude_deg=70.0),
    ],
)
def test_links_agree_with_a_scan_second_by_second(rule: PlusGrid) -> None:
    made = scene([], shell=POLAR, steps=50)
    pairs = all_pairs(24)
    table = link_windows(made, pairs, rule=rule)
    seen = scanned_links(made, pairs, rule, 3000)
    number = np.zeros((24, 24), dtype=int)
    number[pairs.source, pairs.target] = np.arange(len(pairs.source))
    wrong = 0
    for second, expected in enumerate(seen[:-1]):
        now = table.at(float(second))
        found = np.zeros(len(pairs.source), dtype=bool)
        found[number[now.source, now.target]] = True
        wrong += int((found != expected).sum())
    assert seen.any()
    assert not seen.all()
    assert wrong == 0


def test_intervals_are_ordered_and_clipped() -> None:
    table = link_windows(scene([], shell=POLAR, steps=50), all_pairs(24), start_s=100.0)
    keys = list(zip(table.source.tolist(), table.target.tolist(), table.up_s.tolist(), strict=True))
    assert keys == sorted(keys)
    assert (table.clipped_start == (table.up_s == 100.0)).all()
    assert (table.clipped_end == (table.down_s == 3000.0)).all()
    assert (np.diff(table.by_time().up_s) >= 0).all()


class LosingSatellites:
    """A propagator that gives up some satellites after so many seconds."""

    def __init__(self, motion: Motion, lost_s: dict[int, float]) -> None:
        self._ephemeris = motion.ephemeris
        self._start = sum(julian_date(motion.start))
        self._lost_s = lost_s

    def __len__(self) -> int:
        return len(self._ephemeris)

    def teme(
        self, julian_day: np.ndarray, fraction: np.ndarray, satellites: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        position, velocity, valid = self._ephemeris.teme(julian_day, fraction, satellites)
        time_s = (julian_day - self._start + fraction) * 86_400
        for row, satellite in enumerate(range(len(self)) if satellites is None else satellites):
            valid[row] &= time_s < self._lost_s.get(int(satellite), np.inf)
        return position, velocity, valid


def test_a_lost_end_ends_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """One satellite is lost in the middle, two neighbours at one instant later."""
    made = scene([], shell=POLAR, steps=50)
    whole = link_windows(made, all_pairs(24))
    motion = motion_of(made)
    lost_s = {3: 1000.5, 4: 2222.2, 5: 2222.2}
    losing = dataclasses.replace(motion, ephemeris=LosingSatellites(motion, lost_s))
    monkeypatch.setattr(links, "motion_of", lambda _: losing)
    table = link_windows(made, all_pairs(24))
    end = np.array([lost_s.get(node, 1e9) for node in range(24)])
    last = np.minimum(end[whole.source], end[whole.target])
    expected = whole.rows(whole.up_s < last)
    last = last[whole.up_s < last]
    assert table.source.tolist() == expected.source.tolist()
    assert table.target.tolist() == expected.target.tolist()
    assert table.up_s == pytest.approx(expected.up_s, abs=1e-3)
    assert table.down_s == pytest.approx(np.minimum(expected.down_s, last), abs=2e-3)
    cut = expected.down_s > last
    assert cut.sum() > 5
    assert not table.clipped_end[cut].any()
    assert (table.clipped_end == (expected.clipped_end & ~cut)).all()


def test_the_pattern_is_that_of_the_topology() -> None:
    made = scene([], shell=POLAR, steps=30)
    grid = made.replace(topology=made.topology.replace(inter_satellite=PlusGrid()))
    series = materialise(grid)
    table = link_windows(grid)
    found = set(zip(table.source.tolist(), table.target.tolist(), strict=True))
    made_of = set(zip(series.source.tolist(), series.target.tolist(), strict=True))
    assert made_of <= found
    for step in range(0, 30, 7):
        snapshot, now = series.snapshot(step), table.at(60.0 * step)
        assert now.source.tolist() == snapshot.source.tolist()
        assert now.target.tolist() == snapshot.target.tolist()
    assert len(link_windows(made)) == 0


def test_a_pattern_that_changes_has_no_windows() -> None:
    made = scene([], shell=POLAR, steps=5)
    nearest = made.replace(topology=made.topology.replace(inter_satellite=NearestK()))
    with pytest.raises(UnsupportedError, match="nearest_k chooses links anew at every step"):
        link_windows(nearest)


def series(up: list[list[int]] | None, steps: int) -> LinkSeries:
    return LinkSeries(
        n_nodes=4,
        source=np.array([0, 0, 1]),
        target=np.array([1, 2, 3]),
        latency_ns=np.ones((1, 3), dtype=np.int64),
        bandwidth_bps=None,
        up=None if up is None else np.array(up, dtype=bool),
        steps=steps,
    )


def test_intervals_of_a_series_are_its_mask() -> None:
    found = link_intervals(
        series([[1, 0, 0], [1, 1, 0], [0, 1, 0], [1, 0, 0]], 4), TimeGrid(steps=4, step_s=30.0)
    )
    assert found.link.tolist() == [0, 0, 1]
    assert found.source.tolist() == [0, 0, 0]
    assert found.target.tolist() == [1, 1, 2]
    assert found.first_step.tolist() == [0, 3, 1]
    assert found.stop_step.tolist() == [2, 4, 3]
    assert found.up_s.tolist() == [0.0, 90.0, 30.0]
    assert found.down_s.tolist() == [60.0, 120.0, 90.0]
    assert found.clipped_start.tolist() == [True, False, False]
    assert found.clipped_end.tolist() == [False, True, False]


def test_listed_instants_and_links_that_are_always_up() -> None:
    found = link_intervals(series(None, 3), TimeGrid(steps=3, offsets_s=(5.0, 10.0, 40.0)))
    assert found.up_s.tolist() == [5.0] * 3
    assert found.down_s.tolist() == [70.0] * 3
    with pytest.raises(InputError, match=r"time\.steps: must have 3 steps"):
        link_intervals(series(None, 3), TimeGrid(steps=4))


def test_random_masks_are_recovered() -> None:
    rng = np.random.default_rng(4)
    up = rng.random((20, 3)) < 0.5
    found = link_intervals(series(up.astype(int).tolist(), 20), TimeGrid(steps=20))
    again = np.zeros_like(up)
    for link, first, stop in zip(found.link, found.first_step, found.stop_step, strict=True):
        assert not again[first:stop, link].any()
        again[first:stop, link] = True
    assert (again == up).all()
