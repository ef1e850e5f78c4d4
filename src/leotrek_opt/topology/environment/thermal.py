"""The temperature of a satellite that is heated by Sun, Earth and load, and radiates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.models.environment import ThermalModel
from leotrek_opt.topology.environment.eclipse import SHADOW_RADIUS_KM

Array = NDArray[np.float64]

STEFAN_BOLTZMANN_W_M2_K4 = 5.670374419e-8
"""CODATA 2018, exact since the SI of 2019."""
ZERO_CELSIUS_K = 273.15
BACKGROUND_K = 2.7
"""Temperature of empty space, below which nothing cools."""

_TOLERANCE = 1e-14
_MAX_ITERATIONS = 100


def absorbed_w(
    model: ThermalModel, position_km: Array, sun_direction: Array, sunlit: Array
) -> Array:
    """Return what a satellite takes up from Sun and Earth.

    Parameters
    ----------
    model
        Areas, coatings and fluxes.
    position_km
        From the centre of the Earth, shape (n, 3).
    sun_direction
        Unit vector in the same frame, shape (3,).
    sunlit
        Fraction of the Sun's disc in view, shape (n,).

    Returns
    -------
    ndarray
        Watts, shape (n,): absorptivity A_sun (S nu + albedo share) + emissivity A q_ir.

    Notes
    -----
    The albedo share is S albedo (R / r)^2 times the cosine of the Sun's zenith angle below the
    satellite, and nothing on the night side: the flux of a sphere that reflects diffusely, as a
    plate facing the Earth receives it. The Earth's infrared flux is taken as it is given.
    """
    radius2 = np.einsum("ni,ni->n", position_km, position_km)
    cosine = np.maximum(position_km @ sun_direction, 0.0) / np.sqrt(radius2)
    reflected = model.albedo * SHADOW_RADIUS_KM**2 / radius2 * cosine
    solar_w = model.absorptivity * model.sunlit_area_m2 * model.solar_constant_w_m2
    infrared_w = model.emissivity * model.radiating_area_m2 * model.earth_infrared_w_m2
    absorbed: Array = solar_w * (sunlit + reflected) + infrared_w
    return absorbed


def steady_temperature_c(model: ThermalModel, heat_w: ArrayLike) -> Array:
    """Return the temperature at which a satellite radiates what it receives.

    Parameters
    ----------
    model
        Area and emissivity.
    heat_w
        All that it takes up and turns into heat, electrical power included, in watts.

    Returns
    -------
    ndarray
        (heat / (emissivity sigma A))^(1/4), in degrees Celsius, and never below empty space.
    """
    return _steady_k(model, np.asarray(heat_w, dtype=np.float64)) - ZERO_CELSIUS_K


def temperature_after_c(
    model: ThermalModel, temperature_c: ArrayLike, heat_w: ArrayLike, duration_s: ArrayLike
) -> Array:
    """Return the temperature after a time of constant heat.

    Parameters
    ----------
    model
        Heat capacity, area and emissivity.
    temperature_c
        At the beginning, degrees Celsius.
    heat_w
        Heat taken up, in watts.
    duration_s
        Seconds, of any length.

    Returns
    -------
    ndarray
        Degrees Celsius, of the shape to which the arguments broadcast.

    Notes
    -----
    C dT/dt = Q - k T^4 is solved exactly, so no step is too long. With T_e = (Q / k)^(1/4) and
    u = (T_e - T) / (T_e + T), ln |u| + 2 atan u falls by 4 k T_e^3 / C per second (separate the
    variables and add the inverse tangents); Newton's method finds u again. Where T_e is below the
    2.7 K of empty space it is taken as that. Rounding leaves errors below a microkelvin, and up to
    a millikelvin for a body of thousands of kelvin that receives almost nothing.
    """
    temperature, heat, duration = np.broadcast_arrays(
        np.asarray(temperature_c, dtype=np.float64) + ZERO_CELSIUS_K,
        np.asarray(heat_w, dtype=np.float64),
        np.asarray(duration_s, dtype=np.float64),
    )
    steady = _steady_k(model, heat)
    rate = 4 * _emission_w_k4(model) * steady**3 / model.heat_capacity_j_per_k
    u = (steady - temperature) / (steady + temperature)
    sign = np.sign(u)
    size = np.abs(u)
    with np.errstate(divide="ignore"):
        target = np.log(size) + 2 * sign * np.arctan(size) - rate * duration
    # From here Newton's method rises to the root without overshooting: the function is increasing,
    # and concave for sign -1; for sign +1 its slope lies in [1, 2].
    logarithm = np.where(sign > 0, np.minimum(target, 0.0) - 2 * np.arctan(size), target)
    with np.errstate(invalid="ignore"):
        for _ in range(_MAX_ITERATIONS):
            size = np.exp(logarithm)
            excess = logarithm + 2 * sign * np.arctan(size) - target
            slope = 1 + 2 * sign * size / (1 + size * size)
            change = np.where(np.isfinite(logarithm), excess / slope, 0.0)
            logarithm = logarithm - change
            if not (np.abs(change) > _TOLERANCE * (1 + np.abs(logarithm))).any():
                break
    u = sign * np.exp(logarithm)
    after: Array = steady * (1 - u) / (1 + u) - ZERO_CELSIUS_K
    return after


def _emission_w_k4(model: ThermalModel) -> float:
    return model.emissivity * STEFAN_BOLTZMANN_W_M2_K4 * model.radiating_area_m2


def _steady_k(model: ThermalModel, heat_w: Array) -> Array:
    return np.maximum((heat_w / _emission_w_k4(model)) ** 0.25, BACKGROUND_K)
