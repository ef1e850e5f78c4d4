"""The Sun: vectors of another program, seasons, distance."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from leotrek_opt.topology.environment.sun import (
    ASTRONOMICAL_UNIT_KM,
    sun_distance_km,
    sun_ecef,
    sun_teme,
)
from leotrek_opt.topology.frames import gmst_rad


@pytest.mark.reference
def test_directions_agree_with_another_program(reference_data: Path) -> None:
    folder = reference_data / "topology"
    chain = json.loads((folder / "starlink1008_frame_chain.json").read_text())
    assert sun_teme(2_460_660.5, 0.0) == pytest.approx(chain["sun_unit_low_precision"], abs=2e-11)
    walker = json.loads((folder / "walker_34x34_expected.json").read_text())
    for instant in walker["expected"]["sgp4"]:
        expected = instant["eclipse"]["sun_unit_teme"]
        assert sun_teme(2_460_827.5, instant["t_s"] / 86_400) == pytest.approx(expected, abs=2e-12)


@pytest.mark.parametrize(
    ("julian_day", "fraction", "declination_deg"),
    [
        (2_460_389.5, 3.11 / 24, 0.0),  # March equinox, 2024-03-20 03:06 UTC
        (2_460_481.5, 20.85 / 24, 23.44),  # June solstice, 2024-06-20 20:51 UTC
        (2_460_575.5, 12.73 / 24, 0.0),  # September equinox, 2024-09-22 12:44 UTC
        (2_460_665.5, 9.35 / 24, -23.44),  # December solstice, 2024-12-21 09:21 UTC
    ],
)
def test_seasons_begin_when_the_almanac_says(
    julian_day: float, fraction: float, declination_deg: float
) -> None:
    z = sun_teme(julian_day, fraction)[2]
    assert math.degrees(math.asin(z)) == pytest.approx(declination_deg, abs=0.01)


def test_distances_at_perihelion_and_aphelion() -> None:
    """2025-01-04 and 2025-07-03: 0.983 327 and 1.016 644 astronomical units."""
    distance = sun_distance_km([2_460_679.5, 2_460_859.5], [0.56, 0.83]) / ASTRONOMICAL_UNIT_KM
    assert distance == pytest.approx([0.983327, 1.016644], abs=1e-4)


def test_many_instants_are_those_one_by_one() -> None:
    days, fractions = np.array([2_451_545.0, 2_460_660.5]), np.array([0.25, 0.75])
    together = sun_teme(days, fractions)
    assert (together == [sun_teme(*instant) for instant in zip(days, fractions, strict=True)]).all()
    assert np.linalg.norm(together, axis=1) == pytest.approx(1.0, abs=1e-15)


def test_earth_fixed_direction_stands_over_noon() -> None:
    """At noon UTC the Sun is within the equation of time, four degrees, of the prime meridian."""
    x, y, z = sun_ecef(2_460_827.5, 0.5)
    assert abs(math.degrees(math.atan2(y, x))) < 4.2
    assert z == sun_teme(2_460_827.5, 0.5)[2]
    angle = gmst_rad(2_460_827.5, 0.5)
    turned = [math.cos(angle) * x - math.sin(angle) * y, math.sin(angle) * x + math.cos(angle) * y]
    assert turned == pytest.approx(sun_teme(2_460_827.5, 0.5)[:2], abs=1e-15)
