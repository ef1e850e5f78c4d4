"""Instants: Julian dates in two parts, where a series starts, and how old elements are."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.constellation import ElementTable
from leotrek_opt.models.continuum import Continuum, TimeGrid
from leotrek_opt.models.topology import GeneratedTopology

MAX_ELEMENT_AGE_DAYS = 7.0
"""Distance from the epoch beyond which a generator warns."""

S_PER_DAY = 86_400.0

_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
_J2000_JULIAN_DAY = 2_451_545.0
_EARLY_JULIAN_DAY = 2_433_000.0


class EpochAgeWarning(UserWarning):
    """Satellites are propagated to an instant far from the epoch of their elements."""


def julian_date(instant: datetime, offset_s: float = 0.0) -> tuple[float, float]:
    """Return a Julian date in two parts, exact to less than a microsecond.

    Parameters
    ----------
    instant
        With a time zone. Leap seconds are ignored and UT1 = UTC.
    offset_s
        Seconds after the instant.

    Returns
    -------
    tuple of float
        Julian day (ending in .5, at midnight) and fraction of the day in [0, 1).
    """
    since = instant - _J2000 + timedelta(hours=12)
    whole, seconds = divmod(since.seconds + since.microseconds / 1e6 + offset_s, S_PER_DAY)
    return _J2000_JULIAN_DAY - 0.5 + since.days + whole, seconds / S_PER_DAY


def instant_of(julian_day: float, fraction: float) -> datetime:
    """Return the instant of a Julian date, to the nearest microsecond.

    Parameters
    ----------
    julian_day, fraction
        Julian date UTC in two parts.

    Returns
    -------
    datetime
        In UTC.
    """
    days = timedelta(days=julian_day - _J2000_JULIAN_DAY)
    return _J2000 + days + timedelta(microseconds=round(fraction * 86_400e6))


def start_instant(topology: GeneratedTopology, time: TimeGrid) -> datetime:
    """Return the instant of step 0 if its offset is 0.

    Parameters
    ----------
    topology
        The recipe.
    time
        The grid.

    Returns
    -------
    datetime
        ``time.start`` where given; else the newest epoch, of the shells and of every satellite of
        the fleet.
    """
    if time.start is not None:
        return time.start
    epochs = [] if topology.epoch is None else [topology.epoch]
    if topology.fleet is not None and len(topology.fleet):
        epochs.append(_newest(topology.fleet))
    return max(epochs)


def step_instant(start: datetime, offset_s: float) -> datetime:
    """Return an instant so many seconds after the start.

    Parameters
    ----------
    start
        With a time zone.
    offset_s
        Seconds.

    Returns
    -------
    datetime
        In UTC.

    Raises
    ------
    leotrek_opt.errors.InputError
        If that is after the year 9999.
    """
    try:
        return start.astimezone(UTC) + timedelta(seconds=offset_s)
    except OverflowError:
        raise InputError(
            f"{offset_s:g} s after the start is beyond the year 9999; use fewer or shorter steps",
            field="time",
        ) from None


def warn_of_old_elements(
    continuum: Continuum,
    epoch_jd: NDArray[np.float64],
    epoch_fraction: NDArray[np.float64],
    start: datetime,
) -> None:
    """Warn once if satellites are propagated more than seven days away from their epochs.

    Parameters
    ----------
    continuum
        Nodes and time grid. The first and the last step are looked at: age is greatest there.
    epoch_jd, epoch_fraction
        Epochs of all satellites as Julian dates in two parts, shape (satellites,).
    start
        From :func:`start_instant`.

    Warns
    -----
    EpochAgeWarning
        With the satellite that is farthest away, forward or back.
    """
    time = continuum.time
    worst_days, worst, at = 0.0, 0, 0
    for step in (0, time.steps - 1):
        day, fraction = julian_date(start, time.offset_s(step))
        age = np.abs((day - epoch_jd) + (fraction - epoch_fraction))
        satellite = int(age.argmax())
        if age[satellite] > worst_days:
            worst_days, worst, at = float(age[satellite]), satellite, step
    if worst_days <= MAX_ELEMENT_AGE_DAYS:
        return
    warnings.warn(
        f"step {at} is {worst_days:.1f} days from the epoch of satellite "
        f'"{continuum.nodes.names[worst]}", more than '
        f"{MAX_ELEMENT_AGE_DAYS:g}: elements that old place it poorly",
        EpochAgeWarning,
        stacklevel=3,
    )


def _newest(fleet: ElementTable) -> datetime:
    # Days since 1949 leave room for the digits of the fraction.
    newest = int(np.argmax((fleet.epoch_jd - _EARLY_JULIAN_DAY) + fleet.epoch_fraction))
    return instant_of(float(fleet.epoch_jd[newest]), float(fleet.epoch_fraction[newest]))
