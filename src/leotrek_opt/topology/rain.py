"""Attenuation of radio links by weather, from the package ``itur``."""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.errors import InputError, MissingDependencyError
from leotrek_opt.models.link_models import RainFade

Array = NDArray[np.float64]

LEAST_ELEVATION_DEG = 5.0
"""The recommendations hold from here up; lower elevations count as this one."""

MAX_LATITUDE_DEG = 85.0
"""The package has no numbers near the poles; places beyond count as standing here."""

PLACE_STEP_DEG = 0.1
"""Places are rounded to this; the maps of the recommendations are coarser."""

# The package warns about 90 degrees itself, of which it takes the remainder.
_ELEVATION_DEG = np.append(np.arange(LEAST_ELEVATION_DEG, 90.0), 89.999)
_COSECANT = 1 / np.sin(np.radians(_ELEVATION_DEG))


def attenuation_db(
    rain: RainFade,
    frequency_ghz: float,
    latitude_deg: ArrayLike,
    longitude_deg: ArrayLike,
    elevation_rad: ArrayLike,
) -> Array:
    """Return what rain, clouds, gases and scintillation together take from a link.

    Parameters
    ----------
    rain
        Share of an average year in which attenuation is higher, and diameter of the antenna.
    frequency_ghz
        Carrier.
    latitude_deg, longitude_deg
        Where the ground ends stand, shape (links,).
    elevation_rad
        Elevation of the satellite, shape (links,).

    Returns
    -------
    ndarray
        Decibels, shape (links,).

    Raises
    ------
    leotrek_opt.errors.MissingDependencyError
        If ``itur`` is not installed.
    leotrek_opt.errors.InputError
        If the recommendations give no number for this frequency and share.

    Notes
    -----
    ITU-R P.618: A = A_gas + sqrt((A_rain + A_cloud)^2 + A_scintillation^2). Computed once for every
    place (to 0.1 degrees) at whole degrees of elevation, and interpolated over the cosecant of the
    elevation, in which a slant path through a layer is linear.
    """
    latitude = np.clip(latitude_deg, -MAX_LATITUDE_DEG, MAX_LATITUDE_DEG)
    place = np.rint(np.stack((latitude, longitude_deg), axis=-1) / PLACE_STEP_DEG)
    places, row = np.unique(place, axis=0, return_inverse=True)
    row = row.reshape(-1)
    elevation = np.maximum(elevation_rad, np.radians(LEAST_ELEVATION_DEG))
    cosecant = 1 / np.sin(elevation)
    loss = np.empty(len(place))
    for index, at in enumerate((places * PLACE_STEP_DEG).round(1).tolist()):
        here = row == index
        table = _table_db(rain.unavailability_percent, rain.antenna_diameter_m, frequency_ghz, *at)
        loss[here] = np.interp(cosecant[here], _COSECANT[::-1], table[::-1])
    return loss


@lru_cache(maxsize=100_000)
def _table_db(
    percent: float,
    diameter_m: float,
    frequency_ghz: float,
    latitude_deg: float,
    longitude_deg: float,
) -> Array:
    """Attenuation at each of ``_ELEVATION_DEG``."""
    answer = _itur().atmospheric_attenuation_slant_path(
        latitude_deg, longitude_deg, frequency_ghz, _ELEVATION_DEG, percent, diameter_m
    )
    table = np.array(getattr(answer, "value", answer), dtype=np.float64)
    if table.shape != _ELEVATION_DEG.shape or not np.isfinite(table).all():
        raise InputError(
            f"itur knows no attenuation at {frequency_ghz} GHz, exceeded {percent} % of the year",
            field="link_model.rain",
        )
    table.flags.writeable = False
    return table


def _itur() -> Any:
    try:
        return importlib.import_module("itur")
    except ImportError:
        raise MissingDependencyError(
            "rain attenuation needs the package itur: pip install 'leotrek-opt[rain]'"
        ) from None
