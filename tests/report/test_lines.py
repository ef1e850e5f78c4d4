"""Lines: links in pieces, cuts at the date line, what a globe hides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from leotrek_opt.report.coastline import is_land, land_rings
from leotrek_opt.report.lines import Globe, link_path, map_path, on_map, on_sphere
from leotrek_opt.report.night import night_border, night_on_map
from leotrek_opt.topology.environment.sun import sun_ecef
from leotrek_opt.topology.frames import geodetic_to_ecef

LATITUDE = st.floats(-80, 80)
LONGITUDE = st.floats(-180, 180)


def lines(path: np.ndarray) -> list[np.ndarray]:
    """Split a path at its gaps."""
    gaps = np.flatnonzero(np.isnan(path[:, 0]))
    return [part[~np.isnan(part[:, 0])] for part in np.split(path, gaps)]


def test_a_link_is_a_straight_line_in_short_pieces() -> None:
    ends = geodetic_to_ecef([0.0, 0.0, 10.0], [0.0, 31.0, 0.0], [500.0] * 3)
    path = link_path(ends, np.array([0, 2]), np.array([1, 0]), piece_deg=10.0)
    first, second, rest = lines(path)
    assert (len(first), len(second), len(rest)) == (5, 2, 0)
    assert first[[0, -1]] == pytest.approx(ends[[0, 1]])
    assert second == pytest.approx(ends[[2, 0]])
    assert np.diff(first, axis=0) == pytest.approx(np.tile((ends[1] - ends[0]) / 4, (4, 1)))
    assert link_path(ends, np.array([], dtype=int), np.array([], dtype=int)).shape == (0, 3)


@given(ends=st.lists(st.tuples(LATITUDE, LONGITUDE, LATITUDE, LONGITUDE), min_size=1, max_size=6))
def test_no_line_of_a_map_crosses_it_sideways(
    ends: list[tuple[float, float, float, float]],
) -> None:
    table = np.array(ends)
    count = len(table)
    position = geodetic_to_ecef(
        np.r_[table[:, 0], table[:, 2]], np.r_[table[:, 1], table[:, 3]], np.full(2 * count, 600.0)
    )
    # No link passes through the Earth.
    cosine = np.einsum("li,li->l", position[:count], position[count:]) / 6900.0**2
    assume((cosine > -0.5).all())
    path = link_path(position, np.arange(count), np.arange(count) + count, piece_deg=2.0)
    on_paper = map_path(path)
    inside = on_paper[~np.isnan(on_paper[:, 0])]
    assert (np.abs(inside[:, 0]) <= 180).all()
    assert (np.abs(inside[:, 1]) <= 90).all()
    for line in lines(on_paper):
        assert (np.abs(np.diff(line[:, 0])) <= 180).all()
    # Nothing is lost: every point of the path is still there.
    kept = on_map(path[~np.isnan(path[:, 0])])
    assert {tuple(row) for row in kept.tolist()} <= {tuple(row) for row in inside.tolist()}


def test_a_cut_ends_and_begins_at_the_edges_at_the_same_height() -> None:
    position = geodetic_to_ecef([10.0, 20.0, -5.0], [179.0, -179.0, 178.0], [0.0] * 3)
    path = map_path(link_path(position, np.array([0, 1]), np.array([1, 2]), piece_deg=30.0))
    parts = [part for part in lines(path) if len(part)]
    assert [part[0, 0] for part in parts] == pytest.approx([179, -180, -179, 180])
    assert [part[-1, 0] for part in parts] == pytest.approx([180, -179, -180, 178])
    assert parts[0][-1, 1] == parts[1][0, 1] == pytest.approx(15.0)
    assert parts[2][-1, 1] == parts[3][0, 1]


def test_a_globe_shows_its_near_side() -> None:
    globe = Globe(30.0, 60.0)
    near = geodetic_to_ecef([30.0, 30.0], [60.0, 240.0], [0.0, 0.0])
    point, hidden = globe.project(near)
    assert hidden.tolist() == [False, True]
    assert point[0] == pytest.approx([0, 0], abs=5e-3)
    east, _ = globe.project(geodetic_to_ecef([30.0], [61.0], [0.0]))
    north, _ = globe.project(geodetic_to_ecef([31.0], [60.0], [0.0]))
    assert east[0, 0] > 0.01
    assert north[0, 1] > 0.01
    # Beyond the limb the far side of high orbits is seen.
    beyond = -globe.towards * 3000 + np.cross(globe.towards, [0, 0, 1.0]) * 9000
    assert not globe.project(beyond[None])[1][0]


def test_what_is_hidden_is_a_gap_that_begins_at_the_limb() -> None:
    globe = Globe(0.0, 0.0)
    degrees = np.arange(0.0, 360.0, 20.0)
    path = globe.visible_path(geodetic_to_ecef(np.zeros(18), degrees, np.full(18, 2000.0)))
    radius = 1 + 2000 / 6378.137
    # Seen from the front up to 90 degrees, and beyond until the line of sight meets the Earth.
    last = 180 - np.degrees(np.arcsin(1 / radius))
    gap = np.isnan(path[:, 0])
    limb = (degrees > last) & (degrees < last + 20) | (degrees < 360 - last) & (
        degrees > 340 - last
    )
    assert (gap == (degrees > last) & (degrees < 360 - last) & ~limb).all()
    assert np.abs(path[limb, 0]) == pytest.approx(1.0)
    assert path[limb, 1] == pytest.approx(0.0)


def winding(outline: np.ndarray, point: np.ndarray) -> int:
    """Return how often an outline turns around a point."""
    angle = np.arctan2(*(outline - point).T[::-1])
    return round(float(np.diff(np.unwrap(angle)).sum()) / (2 * np.pi))


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(20, 10), (-40, -60), (50, 170), (-45, 120), (0, -150), (10, 100)]
)
def test_filled_outlines_are_land_and_the_rest_is_sea(latitude: float, longitude: float) -> None:
    globe = Globe(latitude, longitude)
    circle = np.exp(-1j * np.linspace(0, 2 * np.pi, 361))
    shapes = [globe.outline(ring) for ring in land_rings()]
    x, y, z = -globe.towards
    if is_land(np.degrees(np.arcsin(z)), np.degrees(np.arctan2(y, x)))[0, 0]:
        shapes.append(np.stack((circle.real, circle.imag), axis=1))
    for place in (
        (48.2, 16.4), (39.7, -105.0), (-23.7, 133.9), (-10.0, -55.0), (60.0, 100.0), (30.0, -40.0),
        (-20.0, 80.0), (0.0, -150.0), (40.0, -170.0), (-85.0, 100.0), (-60.0, 0.0), (85.0, 0.0),
    ):  # fmt: skip
        point, hidden = globe.project(on_sphere(np.array([place[::-1]])) * 6370.0)
        if hidden[0]:
            continue
        filled = sum(winding(shape, point[0] / np.float64(6370 / 6378.137)) for shape in shapes)
        assert (filled != 0) == is_land(*place)[0, 0], place


@pytest.mark.parametrize("day", [2_460_755.0, 2_460_827.5, 2_461_030.5])
def test_night_is_where_the_sun_is_down(day: float) -> None:
    sun = sun_ecef(day, 0.3)
    on_paper = night_on_map(sun)
    assert (on_paper[0] == on_paper[-1]).all()
    assert np.abs(on_sphere(night_border(sun)) @ sun).max() < 1e-12
    for latitude in range(-85, 90, 17):
        for longitude in range(-175, 180, 35):
            height = float((on_sphere(np.array([[longitude, latitude]])) @ sun)[0])
            if abs(height) > 0.02:
                dark = winding(on_paper, np.array([longitude, latitude])) != 0
                assert dark == (height < 0)
