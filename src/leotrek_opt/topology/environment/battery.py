"""The charge of a battery that panels fill in sunlight and the satellite empties."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.models.environment import BatteryModel

Array = NDArray[np.float64]

_S_PER_HOUR = 3600.0


def initial_charge_wh(model: BatteryModel) -> float:
    """Return the charge at the first step: as given, or full.

    Parameters
    ----------
    model
        The battery.

    Returns
    -------
    float
        Watt-hours.
    """
    return model.capacity_wh if model.initial_wh is None else model.initial_wh


def charge_after_wh(
    model: BatteryModel,
    charge_wh: Array,
    sunlit: Array,
    load_w: ArrayLike,
    duration_s: float,
) -> tuple[Array, NDArray[np.bool_]]:
    """Return the charge after a time of constant sunlight and load.

    Parameters
    ----------
    model
        Capacity, panels and idle power.
    charge_wh
        At the beginning, shape (n,).
    sunlit
        Fraction of the Sun's disc in view, shape (n,).
    load_w
        Power drawn beyond the idle power.
    duration_s
        Seconds.

    Returns
    -------
    charge_wh : ndarray
        In [0, capacity], shape (n,).
    brown_out : ndarray of bool
        Where the battery ran empty before the time was over and the load could not be served.

    Notes
    -----
    Panels feed the load first. What is left over is stored with ``charge_efficiency``; what is
    missing is drawn without loss.
    """
    surplus = model.panel_w * sunlit - model.idle_power_w - np.asarray(load_w, dtype=np.float64)
    flow = np.where(surplus > 0, model.charge_efficiency * surplus, surplus)
    charge = charge_wh + flow * duration_s / _S_PER_HOUR
    return np.clip(charge, 0.0, model.capacity_wh), charge < 0
