"""Land: known places, closed outlines, size in the package."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from leotrek_opt.report.coastline import is_land, land_rings, map_rings


@pytest.mark.parametrize(
    ("place", "latitude", "longitude", "land"),
    [
        ("Vienna", 48.2, 16.4, True),
        ("Alice Springs", -23.7, 133.9, True),
        ("Denver", 39.7, -105.0, True),
        ("South Pole", -89.9, 12.0, True),
        ("Wrangel side of Chukotka", 67.5, 179.5, True),
        ("Chukotka beyond the date line", 66.5, -175.0, True),
        ("Fiji's ocean", -20.0, -179.0, False),
        ("Atlantic", 30.0, -40.0, False),
        ("Caspian Sea", 42.0, 50.5, False),
        ("North Pole", 89.9, 0.0, False),
    ],
)
def test_known_places(place: str, latitude: float, longitude: float, land: bool) -> None:
    assert is_land(latitude, longitude)[0, 0] == land, place


def test_the_share_of_land_is_that_of_the_earth() -> None:
    """29.2 percent, weighted by area."""
    latitude = np.arange(-89.5, 90, 1.0)
    weight = np.cos(np.radians(latitude))[:, None]
    land = is_land(latitude, np.arange(-179.5, 180, 1.0))
    share = float((land * weight).sum() / (weight.sum() * land.shape[1]))
    assert share == pytest.approx(0.292, abs=0.01)


def test_outlines_are_closed_and_run_on() -> None:
    for ring in land_rings():
        assert ring[0, 1] == ring[-1, 1]
        assert abs(ring[-1, 0] - ring[0, 0]) in (pytest.approx(0, abs=1e-9), pytest.approx(360))
        assert np.abs(np.diff(ring[:, 0])).max() < 180
    for ring in map_rings():
        assert (ring[0] == ring[-1]).all()


def test_the_data_are_small_and_say_where_they_come_from() -> None:
    text = files("leotrek_opt.report.coastline").joinpath("land_110m.json").read_text()
    assert len(text) < 100_000
    assert '"licence": "public domain"' in text
    assert "naturalearthdata.com" in text
