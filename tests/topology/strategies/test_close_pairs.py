"""Pairs within a radius, by cells or by a tree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.topology.strategies.plain_links import Plain, cloud, state_at

from leotrek_opt.models.inter_satellite import NearestK
from leotrek_opt.topology.strategies import close_pairs as module
from leotrek_opt.topology.strategies.close_pairs import close_pairs, crowding, tree_of
from leotrek_opt.topology.strategies.pairs import joined_pairs, sorted_pairs
from leotrek_opt.topology.strategies.sky import Band, sky_of


def as_set(first: np.ndarray, second: np.ndarray) -> set[tuple[int, int]]:
    listed = [tuple(sorted(pair)) for pair in zip(first.tolist(), second.tolist(), strict=True)]
    assert len(listed) == len(set(listed))
    return set(listed)  # type: ignore[arg-type]


@pytest.mark.parametrize("radius_km", [50.0, 400.0, 1500.0, 20_000.0])
@pytest.mark.parametrize("spread", [0.1, 1.0, 30.0])
def test_cells_and_tree_find_the_same_pairs(radius_km: float, spread: float) -> None:
    position = cloud(1, 550, spread)
    separation = np.linalg.norm(position[:, None] - position[None, :], axis=2)
    expected = np.argwhere(np.triu(separation <= radius_km, 1))
    tree = tree_of(position).query_pairs(radius_km, output_type="ndarray")
    for found in (np.stack(close_pairs(position, radius_km), axis=1), tree):
        listed = np.sort(found, axis=1)
        assert np.array_equal(listed[np.lexsort(listed.T[::-1])], expected)


def test_both_ways_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sparse neighbourhoods are found by cells alone, dense ones and small clouds by the tree."""
    trees: list[int] = []
    monkeypatch.setattr(
        module, "tree_of", lambda points: trees.append(len(points)) or tree_of(points)
    )
    position = cloud(2, 2000, 30.0)
    close_pairs(position, 500.0)
    assert not trees
    close_pairs(position, 5000.0)
    close_pairs(position[:400], 500.0)
    assert trees == [2000, 400]


def test_points_on_a_line_and_at_one_place() -> None:
    line = np.zeros((600, 3))
    line[:, 1] = np.arange(600)
    assert as_set(*close_pairs(line, 1.0)) == {(k, k + 1) for k in range(599)}
    assert len(close_pairs(np.zeros((600, 3)), 1.0)[0]) == 600 * 599 // 2
    assert len(close_pairs(np.zeros((0, 3)), 1.0)[0]) == 0


def test_crowding_counts_who_shares_a_cube() -> None:
    assert crowding(np.zeros((50, 3)), 10.0) == 50.0
    assert crowding(np.arange(30.0).reshape(10, 3) * 100.0, 10.0) == 1.0
    assert crowding(np.zeros((0, 3)), 10.0) == 0.0


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.booleans()), max_size=30))
def test_sorted_pairs_are_a_set(rows: list[tuple[int, int, bool]]) -> None:
    first, second, cross = (
        np.array([row[k] for row in rows], dtype=t) for k, t in enumerate((int, int, bool))
    )
    expected: dict[tuple[int, int], bool] = {}
    for i, j, mark in rows:
        if i != j:
            pair = min(i, j), max(i, j)
            expected[pair] = expected.get(pair, True) and mark
    pairs = sorted_pairs(first, second, cross)
    assert pairs.cross_plane is not None
    found = zip(pairs.source.tolist(), pairs.target.tolist(), strict=True)
    assert list(zip(found, pairs.cross_plane.tolist(), strict=True)) == sorted(expected.items())
    assert sorted_pairs(first, second).source.tolist() == pairs.source.tolist()


def test_no_part_joins_to_no_pair() -> None:
    pairs = joined_pairs([])
    assert len(pairs.source) == len(pairs.target) == 0
    assert pairs.cross_plane is not None


@settings(max_examples=12)
@given(
    seed=st.integers(0, 1000),
    grid_km=st.sampled_from([0.0, 200.0]),
    share=st.sampled_from([0.1, 0.8]),
)
def test_bands_hold_every_pair_once_in_order(seed: int, grid_km: float, share: float) -> None:
    state = state_at(cloud(seed, 45, 1.0, 500.0, grid_km))
    sky = sky_of(state, NearestK()).within(3000.0)
    some = np.random.default_rng(seed).random(len(sky)) < share
    expected = Plain(state, 80.0).candidates(3000.0)
    listed, among, leaving = [], [], []
    band: Band | None = sky.first_band()
    while band is not None:
        everyone = np.ones(len(sky), dtype=bool)
        for pairs, into in (
            (sky.pairs(band), listed),
            (sky.pairs(band, some), among),
            (sky.pairs_from(some, everyone, band), leaving),
        ):
            into.extend(zip(pairs.source.tolist(), pairs.target.tolist(), strict=True))
        band = sky.band_after(band, 10_000)
    assert listed == expected
    assert among == [(i, j) for i, j in expected if some[i] and some[j]]
    assert leaving == [(i, j) for i, j in expected if some[i] or some[j]]


def test_a_length_at_the_edge_of_a_band_belongs_to_one() -> None:
    position = np.array([[9000.0, 0.0, 0.0], [9000.0, 250.0, 0.0]])
    sky = sky_of(state_at(position), NearestK())
    edge = 250_000_000
    assert len(sky.pairs(Band(-1, edge)).source) == 1
    assert len(sky.pairs(Band(edge, 2 * edge)).source) == 0
    assert len(sky.pairs(Band(edge - 1, 2 * edge)).source) == 1
    assert len(sky.pairs(Band(-1, edge - 1)).source) == 0


def test_few_members_are_one_last_band() -> None:
    sky = sky_of(state_at(cloud(3, 500, 10.0)), NearestK())
    first = sky.first_band()
    last = sky.band_after(first, 10)
    assert last is not None
    assert (last.above, last.upto) == (first.upto, sky.limit_quanta)
    assert sky.band_after(last, 10) is None


def test_a_crowd_begins_with_a_short_radius() -> None:
    """A train of satellites: the first band must not list all pairs of the crowd."""
    crowd = np.concatenate((cloud(4, 3000, 0.0005), cloud(5, 50, 10.0)))
    sky = sky_of(state_at(crowd), NearestK())
    assert len(sky.pairs(sky.first_band()).source) < 100 * len(sky)
