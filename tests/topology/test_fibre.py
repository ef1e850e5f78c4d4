"""Fibre: great circles, nearest neighbours, ties and range."""

from __future__ import annotations

import numpy as np
import pytest

from leotrek_opt.models.ground_links import FibreLinks
from leotrek_opt.topology.fibre import fibre_links, great_circle_km


def links(
    latitude: list[float], longitude: list[float], **rule: object
) -> dict[tuple[int, int], float]:
    values = {"neighbours": 1, "path_stretch": 1.0} | rule
    source, target, length = fibre_links(
        np.array(latitude),
        np.array(longitude),
        FibreLinks(**values),  # type: ignore[arg-type]
    )
    pairs = list(zip(source.tolist(), target.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert pairs == sorted(pairs)
    return dict(zip(pairs, length.tolist(), strict=True))


def test_a_degree_of_the_equator() -> None:
    """6371 pi / 180 = 111.195 km, stretched by a half."""
    assert links([0, 0], [10, 11], path_stretch=1.5) == {(0, 1): pytest.approx(1.5 * 111.19493)}


def test_each_place_chooses_its_nearest_and_both_may_choose_the_same() -> None:
    assert set(links([0, 0, 0, 0], [0, 1, 3, 6])) == {(0, 1), (1, 2), (2, 3)}


def test_ties_go_to_the_smaller_index() -> None:
    """The place in the middle has two equally near ones; every place of a ring has as well."""
    assert set(links([0, 0, 0], [1, 0, -1])) == {(0, 1), (1, 2)}
    assert set(links([0] * 4, [0, 90, 180, 270])) == {(0, 1), (0, 3), (1, 2)}


def test_places_may_coincide() -> None:
    found = links([5, 5, 5], [5, 5, 5], neighbours=1)
    assert found == {(0, 1): 0.0, (0, 2): 0.0}


def test_range_bounds_the_great_circle_before_the_stretch() -> None:
    assert links([0, 0], [0, 1], path_stretch=10.0, max_range_km=112.0)
    assert not links([0, 0], [0, 1], path_stretch=1.0, max_range_km=111.0)


def test_fewer_places_than_neighbours() -> None:
    assert links([1], [1], neighbours=4) == {}
    assert links([], [], neighbours=4) == {}
    assert set(links([0, 0, 0], [0, 1, 2], neighbours=9)) == {(0, 1), (0, 2), (1, 2)}


def test_choice_agrees_with_sorting_all_distances() -> None:
    random = np.random.default_rng(1)
    latitude, longitude = random.integers(-4, 4, 40) * 10.0, random.integers(-4, 4, 40) * 10.0
    expected = set()
    for a in range(40):
        arc = great_circle_km(
            np.full(40, latitude[a]), np.full(40, longitude[a]), latitude, longitude
        )
        others = sorted((arc[b], b) for b in range(40) if b != a)[:3]
        expected |= {(min(a, b), max(a, b)) for _, b in others}
    assert set(links(latitude.tolist(), longitude.tolist(), neighbours=3)) == expected
