"""Temperatures: HyperDrive's estimate on its own table, and the monotone one."""

from __future__ import annotations

from fractions import Fraction

import pytest

from leotrek_opt.models.continuum import HeatProfile
from leotrek_opt.models.placement import ThermalRule
from leotrek_opt.solvers.arrays.placement.thermal import temperature


def profile(now: float, orbit: float, heating: float) -> HeatProfile:
    return HeatProfile(
        id="p",
        temperature_c=now,
        orbit_base_temperature_c=orbit,
        recommended_temperature_c=65.0,
        max_temperature_c=75.0,
        heating_c_per_core_minute=heating,
        radiated_c_per_minute=0.1,
    )


A, B, C = profile(45.0, 55.0, 1.0), profile(45.0, 60.0, 2.0), profile(35.0, 45.0, 0.5)


@pytest.mark.parametrize(
    ("heat", "execution_ms", "expected"),
    [
        (A, 60_000, "58.90"),
        (A, 600_000, "64.00"),
        (A, 90_000, "12.85"),
        (B, 60_000, "67.90"),
        (B, 600_000, "79.00"),
        (B, 90_000, "26.85"),
        (C, 60_000, "46.90"),
        (C, 600_000, "19.00"),
        (C, 90_000, "69.85"),
    ],
)
def test_hyperdrive_estimate_equals_the_published_table(
    heat: HeatProfile, execution_ms: int, expected: str
) -> None:
    rule = ThermalRule(model="hyperdrive")
    assert temperature(heat, rule, execution_ms, 4000) == Fraction(expected)


def test_unknown_execution_time_leaves_the_current_temperature() -> None:
    for model in ("hyperdrive", "monotone"):
        assert temperature(B, ThermalRule(model=model), None, 4000) == 45


def test_monotone_estimate_starts_from_the_hotter_base() -> None:
    # 60 + (2 * 4 - 0.1) * 1 minute
    assert temperature(B, ThermalRule(), 60_000, 4000) == Fraction("67.9")


@pytest.mark.parametrize("constant", [None, 3.0])
def test_monotone_estimate_never_falls_with_time_or_load(constant: float | None) -> None:
    rule = ThermalRule(time_constant_min=constant)
    by_time = [temperature(A, rule, ms, 4000) for ms in range(0, 900_000, 30_000)]
    by_load = [temperature(A, rule, 60_000, millis) for millis in range(0, 8000, 50)]
    assert by_time == sorted(by_time)
    assert by_load == sorted(by_load)


def test_time_constant_limits_the_rise() -> None:
    # 60 + 7.9 * 3 = 83.7 is never reached.
    rule = ThermalRule(time_constant_min=3.0)
    assert Fraction("83.6") < temperature(B, rule, 6_000_000, 4000) <= Fraction("83.7")
