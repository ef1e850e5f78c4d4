"""Walker shells: where planes and slots stand, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.topology.constellation import (
    altitude_of_motion_km,
    mean_motion_rad_min,
    walker_elements,
)


def shell(**changes: object) -> WalkerShell:
    values = {"planes": 4, "satellites_per_plane": 3, "inclination_deg": 53.0, "altitude_km": 550.0}
    return WalkerShell(**(values | changes))  # type: ignore[arg-type]


def test_delta_spreads_planes_over_the_full_circle() -> None:
    elements = walker_elements([shell(raan0_deg=10.0)])
    assert np.degrees(elements.raan_rad) == pytest.approx(
        [10] * 3 + [100] * 3 + [190] * 3 + [280] * 3
    )


def test_star_spreads_planes_over_half_the_circle() -> None:
    elements = walker_elements([shell(pattern="star")])
    assert np.degrees(elements.raan_rad[::3]) == pytest.approx([0, 45, 90, 135])


def test_walker_phasing_shifts_by_plane() -> None:
    """F = 1 on 12 satellites: 30 degrees more from plane to plane."""
    elements = walker_elements([shell(phasing=1)])
    latitude = np.degrees(elements.argument_of_latitude_rad)
    assert latitude[:6] == pytest.approx([0, 120, 240, 30, 150, 270])
    assert latitude[9:] == pytest.approx([90, 210, 330])


def test_half_slot_rule_shifts_odd_planes() -> None:
    elements = walker_elements([shell(phasing_rule="odd_planes_half_slot")])
    latitude = np.degrees(elements.argument_of_latitude_rad)
    assert latitude[::3] == pytest.approx([0, 60, 0, 60])


def test_shells_follow_one_another() -> None:
    elements = walker_elements([shell(), shell(planes=1, inclination_deg=97.6)])
    assert np.degrees(elements.inclination_rad) == pytest.approx([53.0] * 12 + [97.6] * 3)


def test_altitude_gives_the_period_of_kepler() -> None:
    """Periods in minutes: 95.65 at 550 km, 109.42 at 1200 km."""
    for altitude_km, minutes in ((550.0, 95.65), (630.0, 97.31), (1200.0, 109.42)):
        motion = mean_motion_rad_min(shell(altitude_km=altitude_km))
        assert 2 * math.pi / motion == pytest.approx(minutes, abs=0.005)


def test_mean_motion_is_taken_as_it_is() -> None:
    made = shell(altitude_km=None, mean_motion_rev_per_day=14.8)
    assert mean_motion_rad_min(made) == pytest.approx(14.8 * 2 * math.pi / 1440)


def test_angles_are_rounded_as_a_two_line_set_rounds_them() -> None:
    shell = WalkerShell(
        planes=34,
        satellites_per_plane=34,
        phasing_rule="odd_planes_half_slot",
        inclination_deg=51.9,
        mean_motion_rev_per_day=14.8,
        angle_decimals=4,
    )
    elements = walker_elements([shell])
    satellite = 5 * 34 + 14
    assert np.degrees(elements.raan_rad[satellite]) == pytest.approx(52.9412, abs=1e-12)
    latitude_deg = np.degrees(elements.argument_of_latitude_rad[satellite])
    assert latitude_deg == pytest.approx(153.5294, abs=1e-12)


def test_altitude_and_mean_motion_are_two_names_of_one_orbit() -> None:
    made = shell(altitude_km=550.0)
    revolutions_per_day = mean_motion_rad_min(made) * 1440 / (2 * math.pi)
    assert altitude_of_motion_km(revolutions_per_day) == pytest.approx(550.0, abs=1e-9)
