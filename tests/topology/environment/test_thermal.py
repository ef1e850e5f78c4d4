"""Heat: steady states, exact integration of any step, and the balance of energy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.models.environment import ThermalModel
from leotrek_opt.topology.environment.thermal import (
    STEFAN_BOLTZMANN_W_M2_K4,
    absorbed_w,
    steady_temperature_c,
    temperature_after_c,
)

MODEL = ThermalModel()
SUN = np.array([1.0, 0.0, 0.0])
HEAT = st.floats(0, 1e5)
TEMPERATURE = st.floats(-273.15, 3000)


def radiated_w(model: ThermalModel, temperature_c: np.ndarray) -> np.ndarray:
    factor = model.emissivity * STEFAN_BOLTZMANN_W_M2_K4 * model.radiating_area_m2
    return factor * (temperature_c + 273.15) ** 4


def small_steps_c(model: ThermalModel, start_c: float, heat_w: float, seconds: float) -> float:
    """Integrate by the classical method of Runge and Kutta in 4000 steps."""
    step, value = seconds / 4000, start_c + 273.15
    factor = model.emissivity * STEFAN_BOLTZMANN_W_M2_K4 * model.radiating_area_m2

    def slope(kelvin: float) -> float:
        return (heat_w - factor * kelvin**4) / model.heat_capacity_j_per_k

    for _ in range(4000):
        k1 = slope(value)
        k2 = slope(value + step / 2 * k1)
        k3 = slope(value + step / 2 * k2)
        k4 = slope(value + step * k3)
        value += step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return value - 273.15


def test_absorbed_power_in_sun_and_shadow() -> None:
    position = np.array([[7000.0, 0, 0], [0, 7000.0, 0], [-7000.0, 0, 0]])
    infrared = 0.8 * 4.0 * 237.0
    direct = 0.3 * 1.0 * 1361.0
    albedo = 0.3 * 1361.0 * 0.3 * (6378.137 / 7000) ** 2
    absorbed = absorbed_w(MODEL, position, SUN, np.array([1.0, 1.0, 0.0]))
    assert absorbed == pytest.approx([infrared + direct + albedo, infrared + direct, infrared])
    half = absorbed_w(MODEL, position[2:], SUN, np.array([0.5]))
    assert half == pytest.approx([infrared + direct / 2])


@given(heat=st.floats(1, 1e5), start=TEMPERATURE)
def test_a_long_time_ends_at_the_closed_form(heat: float, start: float) -> None:
    factor = MODEL.emissivity * STEFAN_BOLTZMANN_W_M2_K4 * MODEL.radiating_area_m2
    closed_c = (heat / factor) ** 0.25 - 273.15
    assert float(steady_temperature_c(MODEL, heat)) == pytest.approx(closed_c, abs=1e-9)
    assert float(temperature_after_c(MODEL, start, heat, 1e9)) == pytest.approx(closed_c, abs=1e-6)
    assert float(temperature_after_c(MODEL, closed_c, heat, 60.0)) == pytest.approx(closed_c)


@pytest.mark.parametrize("start_c", [-270.0, -50.0, 20.0, 150.0, 900.0])
@pytest.mark.parametrize("heat_w", [0.0, 50.0, 1300.0, 20_000.0])
@pytest.mark.parametrize("seconds", [1.0, 60.0, 5400.0])
def test_a_single_step_agrees_with_many_small_ones(
    start_c: float, heat_w: float, seconds: float
) -> None:
    fine = small_steps_c(MODEL, start_c, heat_w, seconds)
    assert float(temperature_after_c(MODEL, start_c, heat_w, seconds)) == pytest.approx(
        fine, abs=1e-5
    )


@given(
    start=TEMPERATURE, heat=HEAT, first=st.floats(0, 1e5), second=st.floats(0, 1e5),
    capacity=st.floats(10, 1e6),
)  # fmt: skip
def test_two_steps_are_one_long_step(
    start: float, heat: float, first: float, second: float, capacity: float
) -> None:
    model = ThermalModel(heat_capacity_j_per_k=capacity)
    between = temperature_after_c(model, start, heat, first)
    twice = temperature_after_c(model, between, heat, second)
    once = temperature_after_c(model, start, heat, first + second)
    assert float(twice) == pytest.approx(float(once), abs=1e-4)


@given(start=TEMPERATURE, heat=HEAT, seconds=st.floats(0, 1e6))
def test_temperature_goes_towards_the_steady_state_and_not_beyond(
    start: float, heat: float, seconds: float
) -> None:
    after = float(temperature_after_c(MODEL, start, heat, seconds))
    low, high = sorted((start, float(steady_temperature_c(MODEL, heat))))
    assert low - 1e-3 <= after <= high + 1e-3


@given(start=st.floats(-200, 300), heat=HEAT, seconds=st.floats(1, 7200))
def test_heat_stored_is_heat_taken_up_less_heat_radiated(
    start: float, heat: float, seconds: float
) -> None:
    # Gauss-Legendre on 20 pieces of the exact course, none longer than the course is smooth.
    node, weight = np.polynomial.legendre.leggauss(12)
    borders = seconds * np.linspace(0, 1, 21) ** 3
    width = np.diff(borders)[:, None]
    instants = borders[:-1, None] + (node + 1) / 2 * width
    course = temperature_after_c(MODEL, start, heat, instants)
    net = float((weight / 2 * width * (heat - radiated_w(MODEL, course))).sum())
    end = float(temperature_after_c(MODEL, start, heat, seconds))
    stored = MODEL.heat_capacity_j_per_k * (end - start)
    assert stored == pytest.approx(net, rel=1e-6, abs=1.0)


def test_satellites_are_computed_side_by_side() -> None:
    start, heat = np.array([-40.0, 0.0, 60.0, np.nan]), np.array([100.0, 900.0, 2000.0, 500.0])
    together = temperature_after_c(MODEL, start, heat, 60.0)
    alone = [
        float(temperature_after_c(MODEL, a, b, 60.0)) for a, b in zip(start, heat, strict=True)
    ]
    assert together[:3] == pytest.approx(alone[:3], abs=1e-10)
    assert math.isnan(together[3])
