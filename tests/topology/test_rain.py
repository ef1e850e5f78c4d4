"""Attenuation by weather: how the package is asked and its numbers used, and its numbers."""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest

from leotrek_opt.errors import InputError, MissingDependencyError
from leotrek_opt.models.link_models import RainFade, RfLink
from leotrek_opt.topology import rain
from leotrek_opt.topology.link_models import bandwidth_bps
from leotrek_opt.topology.rain import attenuation_db

needs_itur = pytest.mark.skipif(
    importlib.util.find_spec("itur") is None,
    reason="itur is not installed: pip install 'leotrek-opt[rain]'",
)


class Layer:
    """In the place of ``itur``: a flat layer of 2 dB at the equator, 3 elsewhere."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, ...]] = []
        self.answer: float | None = None

    def atmospheric_attenuation_slant_path(
        self,
        lat: float,
        lon: float,
        f: float,
        el: np.ndarray,
        p: float,
        D: float,  # noqa: N803
    ) -> SimpleNamespace:
        self.calls.append((lat, lon, f, p, D))
        zenith_db = self.answer or (2.0 if lat == 0 else 3.0)
        return SimpleNamespace(value=zenith_db / np.sin(np.radians(el)))


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Layer]:
    fake = Layer()
    monkeypatch.setitem(sys.modules, "itur", fake)  # type: ignore[arg-type]
    rain._table_db.cache_clear()
    yield fake
    rain._table_db.cache_clear()


def test_elevation_is_interpolated_and_taken_as_five_degrees_below(layer: Layer) -> None:
    elevation_deg = np.array([90.0, 30.0, 17.3, 5.0, 1.0, -10.0])
    found = attenuation_db(
        RainFade(), 20.0, np.zeros(6), np.full(6, 10.0), np.radians(elevation_deg)
    )
    at_five = 2 / math.sin(math.radians(5))
    expected = [2, 4, 2 / math.sin(math.radians(17.3)), at_five, at_five, at_five]
    assert found == pytest.approx(expected, rel=1e-9)


def test_each_place_is_asked_for_once(layer: Layer) -> None:
    fade = RainFade(unavailability_percent=0.5, antenna_diameter_m=2.0)
    latitude, longitude = np.array([48.21, 0.0, 48.19, 90.0]), np.array([16.4, 16.4, 16.41, 180.0])
    for _ in range(2):
        found = attenuation_db(fade, 20.0, latitude, longitude, np.full(4, math.pi / 2))
        assert found == pytest.approx([3, 2, 3, 3])
    assert sorted(layer.calls) == [
        (0.0, 16.4, 20.0, 0.5, 2.0),
        (48.2, 16.4, 20.0, 0.5, 2.0),
        (85.0, 180.0, 20.0, 0.5, 2.0),
    ]
    attenuation_db(fade, 30.0, latitude[:1], longitude[:1], np.ones(1))
    assert layer.calls[-1] == (48.2, 16.4, 30.0, 0.5, 2.0)


def test_attenuation_lowers_the_carrier(layer: Layer) -> None:
    """6 dB at 30 degrees are the same as 6 dB of other losses."""
    clear = RfLink(
        frequency_ghz=20.0, channel_mhz=250.0, eirp_dbw=30.0, gain_over_temperature_db_k=10.0
    )
    where = (np.full(2, math.radians(30)), np.full(2, 48.2), np.full(2, 16.4))
    wet = bandwidth_bps(clear.replace(rain=RainFade()), [600.0, 1000.0], *where)
    lossy = bandwidth_bps(clear.replace(losses_db=6.0), [600.0, 1000.0])
    assert wet.tolist() == pytest.approx(lossy.tolist(), rel=1e-8)


def test_a_place_without_number_is_refused(layer: Layer) -> None:
    layer.answer = math.nan
    with pytest.raises(InputError, match=r"itur knows no attenuation at 20\.0 GHz"):
        attenuation_db(RainFade(), 20.0, np.zeros(1), np.zeros(1), np.ones(1))


def test_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "itur", None)
    rain._table_db.cache_clear()
    with pytest.raises(MissingDependencyError, match=r"pip install 'leotrek-opt\[rain\]'"):
        attenuation_db(RainFade(), 20.0, np.zeros(1), np.zeros(1), np.ones(1))


@needs_itur
@pytest.mark.filterwarnings("error")
def test_numbers_of_the_package() -> None:
    """Vienna at 20 GHz, 0.1 % of the year, one metre: 8.06 dB at 25 degrees with itur 0.4."""
    from itur import atmospheric_attenuation_slant_path

    elevation_deg = np.array([5.0, 7.5, 25.0, 25.5, 45.0, 89.0])
    found = attenuation_db(
        RainFade(), 20.0, np.full(6, 48.2), np.full(6, 16.4), np.radians(elevation_deg)
    )
    direct = [
        atmospheric_attenuation_slant_path(48.2, 16.4, 20.0, e, 0.1, 1.0).value
        for e in elevation_deg.tolist()
    ]
    assert found == pytest.approx(direct, rel=1e-3)
    assert found[2] == pytest.approx(8.06, abs=0.05)
    assert (np.diff(found) < 0).all()
    poles = attenuation_db(
        RainFade(), 20.0, np.array([90.0, -90.0]), np.full(2, 180.0), np.full(2, 0.5)
    )
    assert np.isfinite(poles).all()
