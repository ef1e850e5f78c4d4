"""Ground links: slant ranges at the mask, strategies and ties, and both ways of finding them."""

from __future__ import annotations

import numpy as np
import pytest

from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.topology import ground
from leotrek_opt.topology.frames import geodetic_to_ecef, geodetic_up
from leotrek_opt.topology.ground import ground_links

Triples = list[tuple[int, int, float]]


def links(
    places: np.ndarray, satellites: np.ndarray, valid: np.ndarray | None = None, **rule: object
) -> Triples:
    """Places and satellites as rows (latitude, longitude, altitude)."""
    values = {"strategy": "all_visible", "min_elevation_deg": 25.0} | rule
    found = ground_links(
        geodetic_to_ecef(*places.T),
        geodetic_up(*places.T[:2]),
        geodetic_to_ecef(*satellites.T),
        np.ones(len(satellites), dtype=bool) if valid is None else valid,
        GroundLinks(**values),  # type: ignore[arg-type]
    )
    return list(zip(*(column.tolist() for column in found), strict=True))


@pytest.mark.parametrize(
    ("altitude_km", "elevation_deg", "range_km"),
    [
        (550, 25, 1123.4),
        (550, 40, 812.1),
        (540, 25, 1105.2),
        (630, 35, 1012.5),
        (630, 30, 1124.1),
        (1200, 55, 1411.9),
        (1200, 5, 3574.0),
        (1015, 10, 2791.7),
        (780, 8.2, 2464.6),
    ],
)
def test_slant_range_at_an_elevation(
    altitude_km: float, elevation_deg: float, range_km: float
) -> None:
    """Seen from the equator along the equator: sqrt((R + h)^2 - R^2 cos^2 e) - R sin e."""
    radius = 6378.137
    elevation = np.radians(elevation_deg)
    angle = np.degrees(np.arccos(radius * np.cos(elevation) / (radius + altitude_km)) - elevation)
    place = np.array([[0.0, 0.0, 0.0]])
    satellites = np.array([[0.0, angle - 1e-4, altitude_km], [0.0, angle + 1e-4, altitude_km]])
    found = links(place, satellites, min_elevation_deg=elevation_deg)
    assert [(row, satellite) for row, satellite, _ in found] == [(0, 0)]
    assert found[0][2] == pytest.approx(range_km, abs=0.1)


def test_up_is_the_geodetic_normal() -> None:
    """At 45 degrees it leans 0.19 degrees from the geocentric one, which shows at the mask."""
    place = np.array([[45.0, 0.0, 0.0]])
    base, normal = geodetic_to_ecef(*place.T), geodetic_up(45.0, 0.0)
    north = np.array([-np.sin(np.radians(45)), 0.0, np.cos(np.radians(45))])
    for elevation_deg, seen in ((25.01, 1), (24.99, 0)):
        e = np.radians(elevation_deg)
        satellite = base + 1000 * (np.sin(e) * normal + np.cos(e) * north)
        found = ground_links(
            base,
            normal[None, :],
            satellite,
            np.array([True]),
            GroundLinks(min_elevation_deg=25.0),
        )
        assert len(found[0]) == seen


OVERHEAD = np.array([[0.0, d, 550.0] for d in (3.0, -1.0, 2.0, 1.0, -4.0)])
ORIGIN = np.array([[0.0, 0.0, 0.0]])


def test_nearest_takes_the_closest_and_ties_go_to_the_smaller_index() -> None:
    found = links(ORIGIN, OVERHEAD, strategy="nearest", max_links=3)
    assert [satellite for _, satellite, _ in found] == [1, 2, 3]
    found = links(ORIGIN, OVERHEAD, strategy="nearest", max_links=1)
    assert [satellite for _, satellite, _ in found] == [1]


def test_best_elevation_prefers_height_over_closeness() -> None:
    satellites = np.array([[0.0, 2.0, 550.0], [0.0, 0.5, 1200.0]])
    nearest = links(ORIGIN, satellites, strategy="nearest", max_links=1)
    highest = links(ORIGIN, satellites, strategy="best_elevation", max_links=1)
    assert nearest[0][1] == 0
    assert highest[0][1] == 1


def test_all_visible_keeps_every_one_and_lost_satellites_have_none() -> None:
    valid = np.array([True, True, False, True, True])
    found = links(ORIGIN, OVERHEAD, valid, strategy="all_visible", max_links=1)
    assert [satellite for _, satellite, _ in found] == [0, 1, 3, 4]


def test_nothing_above_the_mask_is_no_link() -> None:
    far = np.array([[0.0, 90.0, 550.0]])
    assert links(ORIGIN, far) == []
    assert links(ORIGIN, OVERHEAD, np.zeros(5, dtype=bool)) == []
    assert links(np.empty((0, 3)), OVERHEAD) == []


@pytest.mark.parametrize("strategy", ["all_visible", "nearest", "best_elevation"])
@pytest.mark.parametrize("mask", [0.0, 25.0, 60.0])
def test_tree_and_product_and_definition_agree(
    strategy: str, mask: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(3)
    places = np.column_stack(
        (random.uniform(-90, 90, 60), random.uniform(-180, 180, 60), random.uniform(0, 10, 60))
    )
    satellites = np.column_stack(
        (
            random.uniform(-60, 60, 500),
            random.uniform(-180, 180, 500),
            random.uniform(400, 1300, 500),
        )
    )
    rule = {"strategy": strategy, "min_elevation_deg": mask, "max_links": 3}
    with_tree = links(places, satellites, **rule)
    monkeypatch.setattr(ground, "_TREE_FROM", 1000)
    assert links(places, satellites, **rule) == with_tree
    expected = []
    base, up = geodetic_to_ecef(*places.T), geodetic_up(*places.T[:2])
    orbit = geodetic_to_ecef(*satellites.T)
    for row in range(60):
        sight = orbit - base[row]
        length = np.linalg.norm(sight, axis=1)
        sine = sight @ up[row] / length
        seen = [k for k in range(500) if sine[k] >= np.sin(np.radians(mask))]
        if strategy != "all_visible":
            worth = length if strategy == "nearest" else -sine
            seen = sorted(sorted(seen, key=lambda k: (worth[k], k))[:3])
        expected += [(row, k) for k in seen]
    assert [(row, k) for row, k, _ in with_tree] == expected
