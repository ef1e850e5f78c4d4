"""Frames: known surface points, inverse of each other, and the chain of a real satellite."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.topology.frames import (
    ecef_to_geodetic,
    geodetic_to_ecef,
    geodetic_up,
    gmst_rad,
    teme_to_ecef,
)


def test_equator_and_poles_have_the_radii_of_wgs84() -> None:
    points = geodetic_to_ecef([0.0, 0.0, 90.0, -90.0], [0.0, 90.0, 0.0, 0.0], [0.0, 1.0, 0.0, 2.0])
    assert points == pytest.approx(
        np.array(
            [
                [6378.137, 0, 0],
                [0, 6379.137, 0],
                [0, 0, 6356.752314245],
                [0, 0, -6358.752314245],
            ]
        ),
        abs=1e-9,
    )


def test_up_is_normal_to_the_ellipsoid() -> None:
    """Moving along it changes the altitude alone."""
    ground = geodetic_to_ecef([48.2], [16.4], [0.0])
    latitude, longitude, altitude = ecef_to_geodetic(ground + 550 * geodetic_up([48.2], [16.4]))
    assert (latitude[0], longitude[0], altitude[0]) == pytest.approx((48.2, 16.4, 550.0))


@given(latitude=st.floats(-90, 90), longitude=st.floats(-180, 180), altitude=st.floats(-10, 50_000))
def test_geodetic_and_earth_fixed_are_inverse(
    latitude: float, longitude: float, altitude: float
) -> None:
    point = geodetic_to_ecef([latitude], [longitude], [altitude])
    back = geodetic_to_ecef(*ecef_to_geodetic(point))
    assert np.abs(back - point).max() < 1e-8


def test_sidereal_time_of_the_epoch_j2000() -> None:
    """GMST at 2000-01-01 12:00 UT1 is 18 h 41 min 50.54841 s, the constant of the polynomial."""
    hours = 18 + 41 / 60 + 50.54841 / 3600
    assert gmst_rad(2_451_545.0, 0.0) == pytest.approx(2 * math.pi * hours / 24, abs=1e-12)


def test_rotation_keeps_the_axis_and_turns_eastward_frames_back() -> None:
    day, fraction = 2_451_545.0, 0.25
    angle = gmst_rad(day, fraction)
    greenwich = np.array([[7000 * math.cos(angle), 7000 * math.sin(angle), 123.0]])
    assert teme_to_ecef(greenwich, day, fraction) == pytest.approx(np.array([[7000.0, 0.0, 123.0]]))


@pytest.mark.reference
def test_chain_of_a_real_satellite(reference_data: Path) -> None:
    file = reference_data / "topology" / "starlink1008_frame_chain.json"
    chain = json.loads(file.read_text())
    day, fraction = 2_460_660.5, 0.0  # 2024-12-16 00:00 UTC
    assert gmst_rad(day, fraction) == pytest.approx(chain["gmst_rad"], abs=5e-11)
    fixed = teme_to_ecef(np.array([chain["teme_km"]]), day, fraction)
    assert fixed[0] == pytest.approx(chain["ecef_gmst_km"], abs=1e-6)
    geodetic = chain["geodetic_from_gmst_ecef"]
    assert [column[0] for column in ecef_to_geodetic(fixed)] == pytest.approx(
        [geodetic["lat_deg"], geodetic["lon_deg"], geodetic["h_km"]], abs=1e-7
    )
    station = chain["station"]
    ground = geodetic_to_ecef([station["lat_deg"]], [station["lon_deg"]], [0.0])
    assert ground[0] == pytest.approx(station["ecef_km"], abs=1e-6)
    sight = fixed[0] - ground[0]
    range_km = float(np.linalg.norm(sight))
    up = geodetic_up([station["lat_deg"]], [station["lon_deg"]])[0]
    view = chain["view_from_gmst_ecef"]
    assert range_km == pytest.approx(view["range_km"], abs=1e-6)
    elevation = math.degrees(math.asin(float(up @ sight) / range_km))
    assert elevation == pytest.approx(view["elevation_deg"], abs=1e-6)
