"""Sun, eclipse, temperature and charge of every satellite, step after step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.environment import Environment
from leotrek_opt.topology.environment.battery import charge_after_wh, initial_charge_wh
from leotrek_opt.topology.environment.eclipse import sunlit_fraction
from leotrek_opt.topology.environment.sun import sun_distance_km, sun_ecef
from leotrek_opt.topology.environment.thermal import absorbed_w, temperature_after_c
from leotrek_opt.topology.instants import S_PER_DAY
from leotrek_opt.topology.state import SatelliteState, TopologyState

Array = NDArray[np.float64]

Load = ArrayLike | Callable[[int], ArrayLike]
"""Watts drawn beyond the idle power: a number, one per satellite, or a function of the step."""


@dataclass(frozen=True, eq=False)
class EnvironmentState:
    """What sunlight does to the satellites at one step.

    Parameters
    ----------
    step
        Index of the snapshot.
    time
        The instant, UTC.
    sun_direction
        Unit vector from the centre of the Earth in ECEF, shape (3,).
    sunlit
        Fraction of the Sun's disc in view, shape (satellites,); NaN, like all that follows, where
        propagation failed.
    temperature_c
        Degrees Celsius, shape (satellites,), or None without a thermal model.
    battery_wh
        Charge, shape (satellites,), or None without a battery.
    depth_of_discharge
        Part of the capacity that is missing, in [0, 1], shape (satellites,), or None.
    brown_out
        Whether the battery was empty at some time since the step before and left load unserved,
        shape (satellites,), or None.
    """

    step: int
    time: datetime
    sun_direction: Array
    sunlit: Array
    temperature_c: Array | None
    battery_wh: Array | None
    depth_of_discharge: Array | None
    brown_out: NDArray[np.bool_] | None


class EnvironmentWalk:
    """Carries temperature and charge from one step to the next.

    Sunlight between two steps is that of the nearer one: it changes half-way. The load of a step
    holds until the next. While a satellite's propagation fails its temperature and charge stand
    still.

    Parameters
    ----------
    environment
        The models.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._before: _Moment | None = None
        self._temperature_c = np.empty(0)
        self._battery_wh = np.empty(0)
        self._brown_out = np.empty(0, dtype=bool)

    def advance(
        self, state: SatelliteState | TopologyState, load_w: ArrayLike = 0.0
    ) -> EnvironmentState:
        """Go on to a later step.

        Parameters
        ----------
        state
            Where the satellites are.
        load_w
            Watts drawn beyond the idle power from this step on until the next, a number or shape
            (satellites,).

        Returns
        -------
        EnvironmentState
            Of this step.

        Raises
        ------
        leotrek_opt.errors.InputError
            If the state is no later than the one before, has another number of satellites, or the
            load is negative, not finite or of another shape.
        """
        satellites = state.satellites if isinstance(state, TopologyState) else state
        now = self._moment(satellites, load_w)
        if self._before is None:
            self._begin(len(now.sunlit))
        else:
            self._pass(self._before, now)
        self._before = now
        battery = self._environment.battery
        charge = self._shown(self._battery_wh, now) if battery is not None else None
        return EnvironmentState(
            step=satellites.step,
            time=satellites.time,
            sun_direction=now.sun_direction,
            sunlit=now.sunlit,
            temperature_c=self._shown(self._temperature_c, now)
            if now.absorbed is not None
            else None,
            battery_wh=charge,
            depth_of_discharge=(
                None if battery is None or charge is None else 1.0 - charge / battery.capacity_wh
            ),
            brown_out=None if battery is None else self._brown_out.copy(),
        )

    def _moment(self, satellites: SatelliteState, load_w: ArrayLike) -> _Moment:
        instant = satellites.julian_day, satellites.day_fraction
        sun = sun_ecef(*instant)
        position = satellites.position_km
        sunlit = sunlit_fraction(
            position,
            sun,
            shadow=self._environment.shadow,
            sun_distance_km=sun_distance_km(*instant),
        )
        sunlit[~satellites.valid] = np.nan
        thermal = self._environment.thermal
        return _Moment(
            instant=instant,
            sun_direction=sun,
            sunlit=sunlit,
            absorbed=None if thermal is None else absorbed_w(thermal, position, sun, sunlit),
            load_w=_checked_load(load_w, len(sunlit), satellites.step),
        )

    def _begin(self, count: int) -> None:
        thermal, battery = self._environment.thermal, self._environment.battery
        if thermal is not None:
            self._temperature_c = np.full(count, thermal.initial_temperature_c)
        if battery is not None:
            self._battery_wh = np.full(count, initial_charge_wh(battery))
        self._brown_out = np.zeros(count, dtype=bool)

    def _pass(self, before: _Moment, now: _Moment) -> None:
        if len(now.sunlit) != len(before.sunlit):
            raise InputError(
                f"has {len(now.sunlit)} satellites, the step before had {len(before.sunlit)}",
                field="states",
            )
        seconds = S_PER_DAY * (
            now.instant[0] - before.instant[0] + now.instant[1] - before.instant[1]
        )
        if not seconds > 0:
            raise InputError("must be given in the order of time", field="states")
        known = ~(np.isnan(before.sunlit) | np.isnan(now.sunlit))
        thermal, battery = self._environment.thermal, self._environment.battery
        if thermal is not None and before.absorbed is not None and now.absorbed is not None:
            power = before.load_w + thermal.idle_power_w
            temperature = self._temperature_c
            for absorbed in (before.absorbed, now.absorbed):
                temperature = temperature_after_c(
                    thermal, temperature, absorbed + power, seconds / 2
                )
            self._temperature_c = np.where(known, temperature, self._temperature_c)
        if battery is not None:
            charge = self._battery_wh
            empty = np.zeros(len(charge), dtype=bool)
            for sunlit in (before.sunlit, now.sunlit):
                charge, drained = charge_after_wh(
                    battery, charge, sunlit, before.load_w, seconds / 2
                )
                empty |= drained
            self._battery_wh = np.where(known, charge, self._battery_wh)
            self._brown_out = empty & known

    @staticmethod
    def _shown(values: Array, now: _Moment) -> Array:
        return np.where(np.isnan(now.sunlit), np.nan, values)


@dataclass(frozen=True, eq=False)
class _Moment:
    """What a step has in store for the time on either side of it."""

    instant: tuple[float, float]
    sun_direction: Array
    sunlit: Array
    absorbed: Array | None
    load_w: Array


def environment_steps(
    states: Iterable[SatelliteState | TopologyState],
    environment: Environment,
    *,
    load_w: Load | None = None,
) -> Iterator[EnvironmentState]:
    """Walk through the steps of a topology.

    Parameters
    ----------
    states
        In the order of time, such as those of a topology generator.
    environment
        Shadow, and the models of heat and battery.
    load_w
        Watts that satellites draw beyond their idle power: a number, shape (satellites,), or a
        function from the index of a step to either. The load of a step holds until the next. None
        for none.

    Yields
    ------
    EnvironmentState
        One per state. Only the step before is kept.

    Raises
    ------
    leotrek_opt.errors.InputError
        As :meth:`EnvironmentWalk.advance`.
    """
    walk = EnvironmentWalk(environment)
    for state in states:
        yield walk.advance(state, load_at(load_w, state.step))


def load_at(load_w: Load | None, step: int) -> ArrayLike:
    """Return the load of a step.

    Parameters
    ----------
    load_w
        As for :func:`environment_steps`.
    step
        Index of the snapshot.

    Returns
    -------
    ArrayLike
        Watts.
    """
    if load_w is None:
        return 0.0
    return load_w(step) if callable(load_w) else load_w


def _checked_load(load_w: ArrayLike, count: int, step: int) -> Array:
    try:
        load = np.asarray(load_w, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"must be watts at step {step}, got {load_w!r}", field="load_w") from None
    if load.shape not in ((), (count,)):
        raise InputError(
            f"must be a number or {count} numbers at step {step}, got shape {load.shape}",
            field="load_w",
        )
    if not (np.isfinite(load) & (load >= 0)).all():
        raise InputError(f"must be finite and >= 0 at step {step}", field="load_w")
    return np.broadcast_to(load, (count,))
