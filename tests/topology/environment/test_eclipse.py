"""Shadows: another program's counts, closed forms, and the geometry of two discs."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.constellation import walker_elements
from leotrek_opt.topology.environment.eclipse import (
    SHADOW_RADIUS_KM,
    beta_angle_rad,
    eclipse_fraction,
    orbit_normal,
    shadow_margin_rad,
    sunlit_fraction,
)
from leotrek_opt.topology.environment.sun import (
    ASTRONOMICAL_UNIT_KM,
    SUN_RADIUS_KM,
    sun_ecef,
    sun_teme,
)
from leotrek_opt.topology.propagation import Ephemeris, ephemeris

EPOCH = datetime(2025, 6, 1, tzinfo=UTC)
DAY = 2_460_827.5
X = np.array([1.0, 0.0, 0.0])


@pytest.mark.reference
def test_counts_agree_with_another_program(reference_data: Path) -> None:
    file = reference_data / "topology" / "walker_34x34_expected.json"
    expected = json.loads(file.read_text())["expected"]
    shell = WalkerShell(
        planes=34, satellites_per_plane=34, phasing=1, inclination_deg=51.9, altitude_km=630.0
    )
    for propagator, instants in expected.items():
        topology = GeneratedTopology(shells=(shell,), epoch=EPOCH, propagator=propagator)
        check_counts(ephemeris(topology), instants)


def check_counts(orbits: Ephemeris, instants: list[dict[str, Any]]) -> None:
    for instant in instants:
        when = DAY, instant["t_s"] / 86_400
        position = orbits.teme(*(np.array([part]) for part in when))[0][:, 0]
        dark = int((sunlit_fraction(position, sun_teme(*when)) == 0).sum())
        assert abs(dark - instant["eclipse"]["count"]) <= 2
        fixed = sunlit_fraction(orbits.ecef(*when)[0], sun_ecef(*when))
        assert (fixed == 0).sum() == dark


@pytest.mark.parametrize(("altitude_km", "fraction"), [(550, 0.3723), (630, 0.364), (1200, 0.318)])
def test_longest_eclipses_of_known_shells(altitude_km: float, fraction: float) -> None:
    assert float(eclipse_fraction(altitude_km)) == pytest.approx(fraction, abs=5e-4)


@given(
    altitude_km=st.floats(200, 40_000), beta_deg=st.floats(-90, 90), start_rad=st.floats(0, 6.28)
)
def test_closed_form_is_the_share_of_the_orbit_in_the_cylinder(
    altitude_km: float, beta_deg: float, start_rad: float
) -> None:
    angle = start_rad + np.linspace(0, 2 * math.pi, 4000, endpoint=False)
    orbit = (SHADOW_RADIUS_KM + altitude_km) * np.stack(
        (np.cos(angle), np.sin(angle), np.zeros(4000)), axis=1
    )
    beta = math.radians(beta_deg)
    sun = np.array([math.cos(beta), 0.0, math.sin(beta)])
    share = float((sunlit_fraction(orbit, sun) == 0).mean())
    assert share == pytest.approx(float(eclipse_fraction(altitude_km, beta)), abs=1 / 1000)


def test_beta_is_the_height_of_the_sun_over_the_plane() -> None:
    normal = orbit_normal(np.radians([0.0, 90.0, 90.0, 51.9]), np.radians([0.0, 0.0, 90.0, 30.0]))
    assert np.linalg.norm(normal, axis=1) == pytest.approx(1.0)
    sun = sun_teme(DAY, 0.0)
    declination, right_ascension = math.asin(sun[2]), math.atan2(sun[1], sun[0])
    beta = beta_angle_rad(normal, sun)
    assert beta[0] == pytest.approx(declination)
    # A polar orbit whose node lies a quarter turn from the Sun faces it.
    assert beta[1] == pytest.approx(-math.asin(math.cos(declination) * math.sin(right_ascension)))
    assert beta[2] == pytest.approx(math.asin(math.cos(declination) * math.cos(right_ascension)))


def test_beta_follows_the_orbit_that_satellites_fly() -> None:
    shell = WalkerShell(planes=5, satellites_per_plane=1, inclination_deg=53.0, altitude_km=550.0)
    elements = walker_elements([shell])
    orbits = ephemeris(GeneratedTopology(shells=(shell,), epoch=EPOCH))
    position, velocity, _ = orbits.teme(np.array([DAY]), np.array([0.0]))
    flown = np.cross(position[:, 0], velocity[:, 0])
    flown /= np.linalg.norm(flown, axis=1)[:, None]
    normal = orbit_normal(elements.inclination_rad, elements.raan_rad)
    assert np.einsum("ni,ni->n", flown, normal) == pytest.approx(1.0, abs=1e-5)


def point(along_km: float, across_km: float) -> np.ndarray:
    return np.array([[along_km, 0.0, across_km]])


def test_the_cylinder_has_the_radius_of_the_earth_and_begins_at_its_centre() -> None:
    inside, outside = SHADOW_RADIUS_KM - 1e-6, SHADOW_RADIUS_KM + 1e-6
    assert sunlit_fraction(point(-1000, inside), X) == 0
    assert sunlit_fraction(point(-1000, outside), X) == 1
    assert sunlit_fraction(point(7000, 0), X) == 1
    assert sunlit_fraction(point(-1e5, inside), X) == 0


def test_the_cone_narrows_and_the_penumbra_widens() -> None:
    """At a distance d behind the Earth they are R - d tan f1 and R + d tan f2 wide."""
    behind = 20_000.0
    umbra = math.asin((SUN_RADIUS_KM - SHADOW_RADIUS_KM) / ASTRONOMICAL_UNIT_KM)
    penumbra = math.asin((SUN_RADIUS_KM + SHADOW_RADIUS_KM) / ASTRONOMICAL_UNIT_KM)
    dark = SHADOW_RADIUS_KM / math.cos(umbra) - behind * math.tan(umbra)
    bright = SHADOW_RADIUS_KM / math.cos(penumbra) + behind * math.tan(penumbra)
    # The discs are compared as seen from the satellite, whose own limb is nearer than the centre.
    across = [dark - 0.5, dark + 0.5, (dark + bright) / 2, bright - 0.5, bright + 0.5]
    lit = [float(sunlit_fraction(point(-behind, y), X, shadow="conical")[0]) for y in across]
    assert lit[0] == 0
    assert lit[4] == 1
    assert 0 < lit[1] < 0.01
    assert 0.99 < lit[3] < 1
    assert lit[2] == pytest.approx(0.5, abs=0.02)


def test_beyond_the_tip_of_the_umbra_a_ring_of_the_sun_remains() -> None:
    far = 3e6
    seen = (SHADOW_RADIUS_KM / far) ** 2
    sun = (SUN_RADIUS_KM / (ASTRONOMICAL_UNIT_KM + far)) ** 2
    lit = sunlit_fraction(point(-far, 0), X, shadow="conical")
    assert lit[0] == pytest.approx(1 - seen / sun, rel=1e-4)


@given(across=st.floats(6000, 6800), behind=st.floats(0, 7000), distance=st.floats(1.47e8, 1.52e8))
def test_the_part_in_view_is_that_of_sampled_rays(
    across: float, behind: float, distance: float
) -> None:
    """Rays from points spread evenly over the Sun's disc, cut by a sphere."""
    radius = np.sqrt((np.arange(2000) + 0.5) / 2000) * SUN_RADIUS_KM
    turn = np.arange(2000) * math.pi * (3 - math.sqrt(5))
    satellite = point(-behind, across)[0]
    if np.linalg.norm(satellite) <= SHADOW_RADIUS_KM:
        return
    towards = distance * X - satellite
    towards /= np.linalg.norm(towards)
    side = np.cross(towards, [0.0, 1.0, 0.0])
    side /= np.linalg.norm(side)
    other = np.cross(towards, side)
    disc = distance * X + radius[:, None] * (
        np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * other
    )
    ray = disc - satellite
    nearest = np.clip(-(ray @ satellite) / np.einsum("ri,ri->r", ray, ray), 0, 1)
    clear = np.linalg.norm(satellite + nearest[:, None] * ray, axis=1) >= SHADOW_RADIUS_KM
    lit = sunlit_fraction(satellite[None], X, shadow="conical", sun_distance_km=distance)
    assert float(lit[0]) == pytest.approx(clear.mean(), abs=0.01)


@given(across=st.floats(0, 9000), behind=st.floats(-9000, 9000), turn_rad=st.floats(0, 6.28))
def test_margins_tell_the_same_as_fractions(across: float, behind: float, turn_rad: float) -> None:
    turn = np.array(
        [
            [math.cos(turn_rad), -math.sin(turn_rad), 0],
            [math.sin(turn_rad), math.cos(turn_rad), 0],
            [0, 0, 1],
        ]
    )
    position, sun = point(-behind, across) @ turn.T, turn @ X
    if np.linalg.norm(position) <= SHADOW_RADIUS_KM + 1:
        return
    margins = {
        edge: float(shadow_margin_rad(position, sun, edge=edge)[0])
        for edge in ("cylinder", "penumbra", "umbra")
    }
    if min(abs(margin) for margin in margins.values()) < 1e-7:
        return
    assert (margins["cylinder"] < 0) == (float(sunlit_fraction(position, sun)[0]) == 0)
    lit = float(sunlit_fraction(position, sun, shadow="conical")[0])
    assert (margins["penumbra"] < 0) == (lit < 1)
    assert (margins["umbra"] < 0) == (lit == 0)


@pytest.mark.parametrize("shadow", ["cylindrical", "conical"])
def test_a_lost_satellite_has_no_light(shadow: str) -> None:
    positions = np.array([[7000.0, 0, 0], [np.nan] * 3, [-7000.0, 0, 0]])
    lit = sunlit_fraction(positions, X, shadow=shadow)  # type: ignore[arg-type]
    assert np.array_equal(lit, [1, np.nan, 0], equal_nan=True)


def test_one_sun_per_instant_broadcasts_over_satellites() -> None:
    positions = np.array([[[7000.0, 0, 0], [-7000.0, 0, 0]], [[-7000.0, 0, 0], [-7000.0, 0, 0]]])
    suns = np.array([[1.0, 0, 0], [-1.0, 0, 0]])
    for shadow in ("cylindrical", "conical"):
        lit = sunlit_fraction(
            positions,
            suns,
            shadow=shadow,
            sun_distance_km=np.array([1.49e8, 1.5e8]),  # type: ignore[arg-type]
        )
        assert lit.tolist() == [[1, 1], [0, 1]]
