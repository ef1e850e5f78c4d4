"""When links between satellites can be up, and when those of a series were."""

from __future__ import annotations

import numpy as np
import pytest
from tests.topology.contacts.scenes import element_table, scene

from leotrek_opt.errors import InputError, UnsupportedError
from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.continuum import Continuum, TimeGrid
from leotrek_opt.models.inter_satellite import NearestK, PlusGrid
from leotrek_opt.topology.contacts.links import link_intervals, link_windows
from leotrek_opt.topology.contacts.motion import motion_of
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


def test_a_lost_end_ends_the_link() -> None:
    """Two twins that drag brings down together, and satellites high above that outlive them."""
    falling = {"mean_motion_rev_per_day": 16.3, "bstar": 0.02}
    high = [{"mean_motion_rev_per_day": 2.0, "mean_anomaly_deg": 90.0 * k} for k in range(4)]
    made = scene([], shell=None, fleet=element_table([falling, *high, falling]), steps=720)
    table = link_windows(made, all_pairs(6), rule=PlusGrid(line_of_sight_margin_km=0.0))
    twins = table.rows((table.source == 0) & (table.target == 5))
    assert len(twins) == 1
    lost_s = float(twins.down_s[0])
    valid = motion_of(made).sample(np.array([lost_s, lost_s + 0.002])).valid
    assert valid[0].tolist() == [True, False]
    assert valid[1:5].all()
    with_twin = (table.source == 0) | (table.target == 5)
    assert (table.down_s[with_twin] <= lost_s).all()
    assert (table.down_s[with_twin] == lost_s).sum() >= 5
    assert not table.clipped_end[with_twin].any()
    assert table.clipped_end[~with_twin].any()


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
