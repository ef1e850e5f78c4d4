"""Line of sight, range and polar cut-off, link by link and all at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.models.inter_satellite import InterSatelliteLink, NearestK, PlusGrid, TreeLinks
from leotrek_opt.topology.state import LinkPairs
from leotrek_opt.topology.strategies.sight import (
    beyond_latitude,
    clears_earth,
    link_lengths,
    longest_sight_km,
    range_km,
)


def test_longest_sight_at_equal_altitude() -> None:
    """2 sqrt((R + h)^2 - (R + m)^2): 5016.6 km at 550 km above a margin of 80 km."""
    radius, limit = 6378.137 + 550, 2 * np.sqrt((6378.137 + 550) ** 2 - (6378.137 + 80) ** 2)
    assert limit == pytest.approx(5016.6, abs=0.1)
    for length, clear in ((limit - 0.1, True), (limit + 0.1, False)):
        half = np.arcsin(length / 2 / radius)
        start = radius * np.array([[np.cos(half), np.sin(half), 0.0]])
        end = radius * np.array([[np.cos(half), -np.sin(half), 0.0]])
        assert clears_earth(start, end, 80.0).tolist() == [clear]


def test_sight_is_tested_on_the_segment() -> None:
    """Two satellites one above the other see each other although their line meets the Earth."""
    low, high = np.array([[6928.0, 0.0, 0.0]]), np.array([[7600.0, 100.0, 0.0]])
    assert clears_earth(low, high, 80.0).all()
    assert clears_earth(high, low, 80.0).all()
    assert clears_earth(low, low, 80.0).all()
    assert not clears_earth(low, -high, 80.0).any()
    assert not clears_earth(low, np.full((1, 3), np.nan), 80.0).any()


@given(
    start=st.tuples(*[st.floats(-9000, 9000)] * 3),
    end=st.tuples(*[st.floats(-9000, 9000)] * 3),
    margin=st.floats(0, 500),
)
def test_sight_agrees_with_walking_along_the_segment(
    start: tuple[float, float, float], end: tuple[float, float, float], margin: float
) -> None:
    a, b = np.array([start]), np.array([end])
    walk = a + np.linspace(0, 1, 2001)[:, None] * (b - a)
    lowest = np.linalg.norm(walk, axis=1).min() - 6378.137 - margin
    if abs(lowest) > 5:
        assert clears_earth(a, b, margin).tolist() == [lowest > 0]


def test_the_longest_sight_is_that_of_equal_altitudes() -> None:
    for altitude, limit in ((550, 5016.6), (630, 5443.0), (780, 6174.6), (1200, 7929.8)):
        assert longest_sight_km(6378.137 + altitude, 80.0) == pytest.approx(limit, abs=0.1)
    assert longest_sight_km(6400.0, 80.0) == 0.0


@given(
    seed=st.integers(0, 2**32 - 1),
    lowest=st.sampled_from([6000.0, 6500.0, 6900.0]),
    highest=st.sampled_from([6950.0, 8000.0, 42_000.0]),
    margin=st.sampled_from([0.0, 80.0, 300.0]),
    reach=st.sampled_from([None, 500.0, 3000.0]),
    cutoff=st.sampled_from([None, 30.0, 80.0]),
)
def test_lengths_agree_with_one_link_at_a_time(
    seed: int,
    lowest: float,
    highest: float,
    margin: float,
    reach: float | None,
    cutoff: float | None,
) -> None:
    random = np.random.default_rng(seed)
    direction = random.normal(size=(12, 3)) * [1, 1, random.choice([0.1, 1])]
    radius = random.uniform(lowest, highest, 12)
    position = direction / np.linalg.norm(direction, axis=1)[:, None] * radius[:, None]
    valid = random.random(12) < 0.9
    position[(random.random(12) < 0.5) & ~valid] = np.nan
    source, target = np.triu_indices(12, 1)
    cross = random.random(len(source)) < 0.5
    rule = PlusGrid(
        line_of_sight_margin_km=margin, max_range_km=reach, max_cross_plane_latitude_deg=cutoff
    )
    length, up = link_lengths(position, valid, LinkPairs(source, target, cross), rule)
    for link, (i, j) in enumerate(zip(source.tolist(), target.tolist(), strict=True)):
        expected = np.linalg.norm(position[i] - position[j])
        assert length[link] == pytest.approx(expected, rel=1e-12, nan_ok=True)
        seen = valid[i] and valid[j] and clears_earth(position[[i]], position[[j]], margin)[0]
        if reach is not None:
            seen = seen and expected <= reach
        if cutoff is not None and cross[link]:
            latitude = np.arcsin(position[[i, j], 2] / np.linalg.norm(position[[i, j]], axis=1))
            seen = seen and (np.abs(np.degrees(latitude)) <= cutoff).all()
        assert up[link] == seen


def test_many_links_are_measured_like_few() -> None:
    """More links than one block, and an order of ends that must not matter."""
    random = np.random.default_rng(1)
    direction = random.normal(size=(300, 3))
    position = 7000.0 * direction / np.linalg.norm(direction, axis=1)[:, None]
    source, target = np.triu_indices(300, 1)
    valid = np.ones(300, dtype=bool)
    length, up = link_lengths(position, valid, LinkPairs(source, target), NearestK())
    backwards, also_up = link_lengths(position, valid, LinkPairs(target, source), NearestK())
    assert (length == backwards).all()
    assert (up == also_up).all()
    few, few_up = link_lengths(
        np.asfortranarray(position), valid, LinkPairs(source[-5:], target[-5:]), NearestK()
    )
    assert (few == length[-5:]).all()
    assert (few_up == up[-5:]).all()


def test_no_link_at_all() -> None:
    none = np.empty(0, dtype=np.int64)
    length, up = link_lengths(
        np.empty((0, 3)), np.empty(0, dtype=bool), LinkPairs(none, none), PlusGrid()
    )
    assert len(length) == len(up) == 0


@pytest.mark.parametrize(
    ("rule", "reach"),
    [
        (PlusGrid(), None),
        (TreeLinks(type="mst"), 2126.0),
        (TreeLinks(type="mst_loop", max_range_km=900.0), 900.0),
        (TreeLinks(type="pst"), None),
        (TreeLinks(type="pst_smart_loop"), None),
    ],
)
def test_a_pst_has_no_range(rule: InterSatelliteLink, reach: float | None) -> None:
    assert range_km(rule) == reach


def test_the_latitude_of_the_cut_off_is_still_allowed() -> None:
    angle = np.radians([60.0, 59.0, 61.0, -61.0])
    position = 7000.0 * np.stack((np.cos(angle), 0 * angle, np.sin(angle)), axis=1)
    position = np.concatenate((position, [[7000.0, 0.0, 0.0], [np.nan] * 3]))
    assert beyond_latitude(position, 60.5).tolist() == [False, False, True, True, False, False]
