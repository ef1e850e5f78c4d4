"""Temperatures by hand: HyperDrive's estimate and its published figures, the monotone model."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from tests.evaluation.builders import check, continuum, messages, problem, rules

from leotrek_opt.evaluation.thermal import node_temperature
from leotrek_opt.models.continuum import HeatProfile
from leotrek_opt.models.placement import PlacementProblem, ThermalRule
from leotrek_opt.models.workflow import Function


def profile(now: float, orbit: float, heating: float, **changes: float) -> HeatProfile:
    """Return a profile with the limits and the radiation of HyperDrive's scenario."""
    values = {"recommended_temperature_c": 65.0, "max_temperature_c": 75.0} | changes
    return HeatProfile(
        id="p",
        temperature_c=now,
        orbit_base_temperature_c=orbit,
        heating_c_per_core_minute=heating,
        **({"radiated_c_per_minute": 0.1} | values),
    )


A = profile(45.0, 55.0, 1.0)
B = profile(45.0, 60.0, 2.0)
C = profile(35.0, 45.0, 0.5)
HYPERDRIVE = ThermalRule(model="hyperdrive")


def function(execution_ms: int | None, cores: float = 4) -> Function:
    times = {} if execution_ms is None else {"arm64": execution_ms, "x86_64": 1}
    return Function(id="f", demand={"cpu_millis": int(cores * 1000)}, execution_ms=times)


@pytest.mark.parametrize(
    ("heat", "execution_ms", "expected"),
    [
        # int(T_orbit m) mod 75 + inc * 4 * m - 0.1 m, for m = 1, 10 and 1.5 minutes.
        (A, 60_000, "58.90"),  # 55 mod 75 = 55; + 4 - 0.1
        (A, 600_000, "64.00"),  # 550 mod 75 = 25; + 40 - 1
        (A, 90_000, "12.85"),  # int(82.5) mod 75 = 7; + 6 - 0.15
        (B, 60_000, "67.90"),  # 60 mod 75 = 60; + 8 - 0.1
        (B, 600_000, "79.00"),  # 600 mod 75 = 0; + 80 - 1
        (B, 90_000, "26.85"),  # 90 mod 75 = 15; + 12 - 0.15
        (C, 60_000, "46.90"),  # 45 mod 75 = 45; + 2 - 0.1
        (C, 600_000, "19.00"),  # 450 mod 75 = 0; + 20 - 1
        (C, 90_000, "69.85"),  # int(67.5) mod 75 = 67; + 3 - 0.15
    ],
)
def test_hyperdrive_estimate_gives_the_published_temperatures(
    heat: HeatProfile, execution_ms: int, expected: str
) -> None:
    found = node_temperature(HYPERDRIVE, heat, function(execution_ms), "arm64")
    assert found == Fraction(expected)


def test_hyperdrive_estimate_truncates_towards_zero_and_wraps_as_python_does() -> None:
    # int(-10 * 1.5) = -15, mod int(20.9) = 20 gives 5.
    cold = profile(0.0, -10.0, 0.0, radiated_c_per_minute=0.0, max_temperature_c=20.9)
    assert node_temperature(HYPERDRIVE, cold, function(90_000), "arm64") == 5
    # int(-0.5) = 0.
    cool = profile(0.0, -0.5, 0.0, radiated_c_per_minute=0.0)
    assert node_temperature(HYPERDRIVE, cool, function(60_000), "arm64") == 0
    # int(55) mod int(-7.5) = 55 mod -7 = -1.
    frozen = profile(0.0, 55.0, 0.0, radiated_c_per_minute=0.0, max_temperature_c=-7.5)
    assert node_temperature(HYPERDRIVE, frozen, function(60_000), "arm64") == -1


def test_hyperdrive_estimate_leaves_out_the_orbit_when_the_maximum_is_below_one_degree() -> None:
    odd = profile(20.0, 55.0, 1.0, max_temperature_c=0.9)
    assert node_temperature(HYPERDRIVE, odd, function(60_000), "arm64") == Fraction("3.9")


def test_unknown_execution_time_leaves_the_current_temperature() -> None:
    for rule in (HYPERDRIVE, ThermalRule(model="monotone")):
        assert node_temperature(rule, B, function(None), "arm64") == 45
        assert node_temperature(rule, B, function(600_000), "riscv64") == 45


def test_execution_time_is_that_of_the_nodes_architecture() -> None:
    # 1 ms on x86_64: int(55 / 60000) = 0, + (4 - 0.1) / 60000.
    found = node_temperature(HYPERDRIVE, A, function(60_000), "x86_64")
    assert found == Fraction(39, 600_000)


def test_monotone_starts_from_the_hotter_of_now_and_orbit() -> None:
    # 55 + (1 * 4 - 0.1) * 10 = 94; with 70 degrees now 70 + 39 = 109.
    monotone = ThermalRule(model="monotone")
    assert node_temperature(monotone, A, function(600_000), "arm64") == 94
    hot = A.replace(temperature_c=70.0)
    assert node_temperature(monotone, hot, function(600_000), "arm64") == 109


def test_monotone_never_cools() -> None:
    # Half a core heats by 0.05 a minute and 0.1 is radiated.
    assert node_temperature(ThermalRule(), A, function(600_000, cores=0.05), "arm64") == 55


def test_time_constant_lets_the_temperature_settle() -> None:
    # 10 (1 - exp(-1)) = 6.3212055882855767..., kept to 1e-9; 55 + 3.9 * 6.321205588.
    rule = ThermalRule(model="monotone", time_constant_min=10.0)
    found = node_temperature(rule, A, function(600_000), "arm64")
    assert found == 55 + Fraction("3.9") * Fraction("6.321205588")


def heated(limit: str, **changes: float) -> PlacementProblem:
    where = continuum("ab", [("a", "b", 1.0)], profile=A.replace(**changes), heated="a")
    rule = ThermalRule.model_validate({"model": "hyperdrive", "limit": limit})
    light = function(60_000).replace(demand={})
    # Without cores: int(55) mod 75 - 0.1 = 54.9.
    return problem(where, [light], thermal=rule)


def test_limit_itself_is_allowed_and_a_millionth_above_is_not() -> None:
    assert rules(check(heated("max", max_temperature_c=55.0), f="a")) == []
    exact: dict[str, Any] = {"recommended_temperature_c": 54.9}
    assert rules(check(heated("recommended", **exact), f="a")) == []
    below = {"recommended_temperature_c": 54.899999}
    evaluation = check(heated("recommended", **below), f="a")
    assert rules(evaluation) == [("temperature", "w/f")]
    assert messages(evaluation) == [
        "temperature: w/f heats node a to 54.9 °C, recommended temperature 54.899999 °C"
    ]


def test_only_the_chosen_limit_binds() -> None:
    assert rules(check(heated("max", recommended_temperature_c=10.0), f="a")) == []


def test_nodes_without_profile_and_problems_without_rule_know_no_temperature() -> None:
    hot = heated("recommended", recommended_temperature_c=10.0)
    assert rules(check(hot, f="b")) == []
    assert check(hot, f="b").breakdown.temperatures == ()
    assert rules(check(hot.replace(thermal=None), f="a")) == []


def test_breakdown_holds_temperature_and_both_limits() -> None:
    (entry,) = check(heated("max"), f="a").breakdown.temperatures
    assert (entry.workflow, entry.function, entry.node) == ("w", "f", "a")
    assert entry.temperature_c == 54.9
    assert (entry.recommended_temperature_c, entry.max_temperature_c) == (65.0, 75.0)
