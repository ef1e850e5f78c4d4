"""What links offer by their length: latency, and data rates of radio links and laser terminals."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.base import BPS_PER_MBPS, MAX_BANDWIDTH_MBPS, MIN_BANDWIDTH_MBPS
from leotrek_opt.models.link_models import LinkModel, OpticalLink, RfLink

Array = NDArray[np.float64]

BOLTZMANN_DBW_K_HZ = -228.6
"""Boltzmann's constant in decibels, 10 log10 of 1.380649e-23 W/K/Hz."""

_FREE_SPACE_DB = 92.45
"""20 log10(4 pi / c) for kilometres and gigahertz, as ITU-R P.525 rounds it."""

_MIN_BPS, _MAX_BPS = MIN_BANDWIDTH_MBPS * BPS_PER_MBPS, MAX_BANDWIDTH_MBPS * BPS_PER_MBPS

_LEAST_LENGTH_KM = 1e-6
"""Shorter links count as a millimetre, so that power stays finite."""


def latency_ns(length_km: Array, speed_km_s: float | Array) -> Array:
    """Return how long a signal takes, in whole nanoseconds.

    Parameters
    ----------
    length_km
        Any shape.
    speed_km_s
        Signal speed.

    Returns
    -------
    ndarray of float64
        Rounded half to even, as every quantum is; NaN where a length is.
    """
    latency: Array = length_km / speed_km_s
    latency *= 1e9
    return np.rint(latency, out=latency)


def bandwidth_bps(
    model: LinkModel,
    length_km: ArrayLike,
    elevation_rad: ArrayLike | None = None,
    latitude_deg: ArrayLike | None = None,
    longitude_deg: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Return how fast links carry data under a link model.

    Parameters
    ----------
    model
        Radio or laser.
    length_km
        Shape (links,).
    elevation_rad, latitude_deg, longitude_deg
        Elevation at which the ground end sees the satellite, and where that end stands, shape
        (links,) each. Read only for the attenuation of a radio link by weather.

    Returns
    -------
    ndarray of int64
        Bits per second, shape (links,), within the bounds of a document's bandwidths; 0 where the
        link carries less than those allow.

    Raises
    ------
    leotrek_opt.errors.InputError
        If a model with rain is used for links that have no end on the ground.
    leotrek_opt.errors.MissingDependencyError
        If attenuation is asked for and the package ``itur`` is not installed.

    Notes
    -----
    Radio: ITU-R P.525 (free-space loss), Shannon's capacity times an efficiency. With rain, ITU-R
    P.618. See :class:`leotrek_opt.models.link_models.RfLink` and ``OpticalLink`` for the formulas.

    Examples
    --------
    >>> from leotrek_opt.models.link_models import RfLink
    >>> downlink = RfLink(
    ...     frequency_ghz=20.0,
    ...     channel_mhz=250.0,
    ...     eirp_dbw=30.0,
    ...     gain_over_temperature_db_k=10.0,
    ...     max_spectral_efficiency=4.4,
    ... )
    >>> (bandwidth_bps(downlink, [550.0, 1123.4, 5000.0]) // 1_000_000).tolist()
    [967, 523, 55]
    """
    length = np.maximum(np.asarray(length_km, dtype=np.float64), _LEAST_LENGTH_KM)
    if isinstance(model, OpticalLink):
        rate = _optical_bps(model, length)
    else:
        snr = 10 ** (_snr_at_one_km_db(model) / 10) / (length * length)
        if model.rain is not None:
            snr = snr * _weather_factor(model, elevation_rad, latitude_deg, longitude_deg)
        rate = _shannon_bps(model, snr)
    whole: NDArray[np.int64] = np.rint(np.minimum(rate, _MAX_BPS)).astype(np.int64)
    whole[whole < _MIN_BPS] = 0
    return whole


def free_space_loss_db(length_km: ArrayLike, frequency_ghz: float) -> Array:
    """Return the loss between isotropic antennas in vacuum.

    Parameters
    ----------
    length_km
        Any shape, above 0.
    frequency_ghz
        Carrier.

    Returns
    -------
    ndarray
        Decibels: 92.45 + 20 log10 d_km + 20 log10 f_GHz (ITU-R P.525).
    """
    length = np.asarray(length_km, dtype=np.float64)
    loss: Array = _FREE_SPACE_DB + 20 * np.log10(length) + 20 * math.log10(frequency_ghz)
    return loss


def carrier_to_noise_density_dbhz(model: RfLink, length_km: ArrayLike) -> Array:
    """Return C/N0 of a radio link in clear sky.

    Parameters
    ----------
    model
        The link.
    length_km
        Any shape, above 0.

    Returns
    -------
    ndarray
        dBHz: EIRP - free-space loss - losses + G/T + 228.6.
    """
    loss = free_space_loss_db(length_km, model.frequency_ghz) + model.losses_db
    density: Array = model.eirp_dbw - loss + model.gain_over_temperature_db_k - BOLTZMANN_DBW_K_HZ
    return density


def _snr_at_one_km_db(model: RfLink) -> float:
    density = float(carrier_to_noise_density_dbhz(model, 1.0))
    return density - 10 * math.log10(model.channel_mhz * 1e6)


def _weather_factor(
    model: RfLink,
    elevation_rad: ArrayLike | None,
    latitude_deg: ArrayLike | None,
    longitude_deg: ArrayLike | None,
) -> Array:
    if model.rain is None or elevation_rad is None or latitude_deg is None or longitude_deg is None:
        raise InputError(
            "rain needs an end on the ground: use it for ground links only",
            field="link_model.rain",
        )
    from leotrek_opt.topology.rain import attenuation_db

    loss = attenuation_db(
        model.rain, model.frequency_ghz, latitude_deg, longitude_deg, elevation_rad
    )
    factor: Array = 10 ** (-loss / 10)
    return factor


def _shannon_bps(model: RfLink, snr: Array) -> Array:
    channel_hz = model.channel_mhz * 1e6
    rate: Array = np.log1p(snr) * (model.efficiency * channel_hz / math.log(2))
    if model.max_spectral_efficiency is not None:
        rate = np.minimum(rate, model.max_spectral_efficiency * channel_hz)
    return np.where(snr < 10 ** (model.min_snr_db / 10), 0.0, rate)


def _optical_bps(model: OpticalLink, length_km: Array) -> Array:
    wavelength_m = model.wavelength_nm * 1e-9
    aperture_gain_db = 20 * math.log10(math.pi * model.aperture_mm * 1e-3 / wavelength_m)
    one_km_loss_db = 20 * math.log10(4 * math.pi * 1e3 / wavelength_m)
    received_dbm = model.transmit_power_dbm + 2 * aperture_gain_db - model.losses_db
    margin_db = received_dbm - one_km_loss_db - model.sensitivity_dbm
    share = np.minimum(10 ** (margin_db / 10) / (length_km * length_km), 1.0)
    rate = model.rate_mbps * BPS_PER_MBPS * share
    return np.where(rate < model.min_rate_mbps * BPS_PER_MBPS, 0.0, rate)
