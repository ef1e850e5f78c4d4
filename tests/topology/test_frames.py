"""Frames: known surface points, inverse of each other, and the chain of a real satellite."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sgp4.api import Satrec
from tests.topology.element_tables import table_of

from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.frames import (
    FIGURES,
    WGS84,
    ecef_to_geodetic,
    geodetic_to_ecef,
    geodetic_up,
    gmst_rad,
    look_angles,
    teme_to_ecef,
    turned,
)
from leotrek_opt.topology.propagation import ephemeris


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
    seen = look_angles(station["lat_deg"], station["lon_deg"], ground[0], fixed)
    view = chain["view_from_gmst_ecef"]
    assert seen.range_km[0] == pytest.approx(view["range_km"], abs=1e-6)
    assert seen.elevation_deg[0] == pytest.approx(view["elevation_deg"], abs=1e-6)
    assert seen.azimuth_deg[0] == pytest.approx(view["azimuth_deg"], abs=1e-6)
    line1, line2 = chain["tle"][1:]
    record = ("STARLINK-1008", Satrec.twoline2rv(line1, line2), (line1, line2))
    topology = GeneratedTopology(fleet=table_of([record]), inter_satellite=None)
    teme, velocity, _ = ephemeris(topology).teme(np.array([day]), np.array([fraction]))
    assert teme[0, 0] == pytest.approx(chain["teme_km"], abs=1e-6)
    assert velocity[0, 0] == pytest.approx(chain["teme_velocity_km_s"], abs=1e-9)
    ecef, _ = ephemeris(topology).ecef(day, fraction)
    assert ecef[0] == pytest.approx(chain["ecef_gmst_km"], abs=1e-6)


def test_figures_have_the_radii_of_their_sources() -> None:
    """WGS84: 6378.137 km and 6356.752314 km; WGS72: 6378.135 km and 6356.750520 km."""
    polar = {"wgs84": 6356.752314245, "wgs72": 6356.750520016}
    for name, figure in FIGURES.items():
        points = geodetic_to_ecef([0.0, 90.0], [0.0, 0.0], [0.0, 0.0], figure)
        assert points[0, 0] == pytest.approx(figure.equatorial_radius_km, abs=1e-9)
        assert points[1, 2] == pytest.approx(polar[name], abs=1e-6)
    assert FIGURES["wgs84"] == WGS84


@given(
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    altitude=st.floats(-10, 50_000),
    name=st.sampled_from(sorted(FIGURES)),
)
def test_every_figure_has_its_inverse(
    latitude: float, longitude: float, altitude: float, name: str
) -> None:
    figure = FIGURES[name]  # type: ignore[index]
    point = geodetic_to_ecef([latitude], [longitude], [altitude], figure)
    back = geodetic_to_ecef(*ecef_to_geodetic(point, figure), figure)
    assert np.abs(back - point).max() < 1e-8


@pytest.mark.parametrize(
    ("point", "azimuth", "elevation"),
    [
        ((7378.137, 0.0, 0.0), 0.0, 90.0),
        ((6378.137, 0.0, 500.0), 0.0, 0.0),
        ((6378.137, 500.0, 0.0), 90.0, 0.0),
        ((6378.137, 0.0, -500.0), 180.0, 0.0),
        ((6378.137, -500.0, 0.0), 270.0, 0.0),
        ((6378.137, -1e-18, 500.0), 0.0, 0.0),
        ((6878.137, 500.0, 0.0), 90.0, 45.0),
        ((5878.137, 0.0, 0.0), 0.0, -90.0),
    ],
)
def test_look_angles_from_the_equator(
    point: tuple[float, float, float], azimuth: float, elevation: float
) -> None:
    seen = look_angles(0.0, 0.0, np.array([6378.137, 0.0, 0.0]), np.array([point]))
    assert seen.azimuth_deg[0] == pytest.approx(azimuth, abs=1e-9)
    assert seen.elevation_deg[0] == pytest.approx(elevation, abs=1e-9)
    assert seen.range_km[0] == pytest.approx(np.linalg.norm(np.array(point) - [6378.137, 0, 0]))


@given(latitude=st.floats(-90, 90), longitude=st.floats(-180, 180), height=st.floats(1, 40_000))
def test_what_stands_on_the_normal_is_seen_overhead(
    latitude: float, longitude: float, height: float
) -> None:
    ground = geodetic_to_ecef([latitude], [longitude], [0.2])
    seen = look_angles(
        latitude, longitude, ground, ground + height * geodetic_up([latitude], [longitude])
    )
    assert seen.elevation_deg[0] == pytest.approx(90.0, abs=1e-6)
    assert seen.range_km[0] == pytest.approx(height, rel=1e-9)
    assert 0 <= seen.azimuth_deg[0] < 360


def test_a_quarter_turn_eastwards_takes_greenwich_to_ninety_degrees_east() -> None:
    greenwich = geodetic_to_ecef([0.0, 50.0], [0.0, 0.0], [0.0, 10.0])
    assert turned(greenwich, np.pi / 2) == pytest.approx(
        geodetic_to_ecef([0.0, 50.0], [90.0, 90.0], [0.0, 10.0]), abs=1e-9
    )
    out = np.empty(3)
    assert turned(greenwich[1], 0.3, out) is out
    assert turned(out, -0.3) == pytest.approx(greenwich[1], abs=1e-9)
