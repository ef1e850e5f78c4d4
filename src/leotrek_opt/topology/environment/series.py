"""The environment of a whole continuum, from its own time grid."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.continuum import Continuum, TimeGrid
from leotrek_opt.models.environment import Environment
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.environment.step import (
    EnvironmentState,
    EnvironmentWalk,
    Load,
    load_at,
)
from leotrek_opt.topology.instants import julian_date, start_instant, step_instant
from leotrek_opt.topology.propagation import ephemeris
from leotrek_opt.topology.state import SatelliteState

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EnvironmentSeries:
    """What sunlight does to the satellites of a continuum over all its steps.

    Parameters
    ----------
    sun_direction
        Unit vectors in ECEF, shape (steps, 3).
    sunlit
        Fraction of the Sun's disc in view, shape (steps, satellites), NaN where propagation failed.
    temperature_c, battery_wh
        Shape (steps, satellites), or None without the model.
    brown_out
        Whether the battery was empty at some time since the step before and left load unserved,
        shape (steps, satellites), or None.
    """

    sun_direction: Array
    sunlit: Array
    temperature_c: Array | None
    battery_wh: Array | None
    brown_out: NDArray[np.bool_] | None


def environment_series(
    continuum: Continuum, *, load_w: Load | None = None, longest_gap_s: float = 60.0
) -> EnvironmentSeries:
    """Compute sun, eclipse, temperature and charge at every step.

    Parameters
    ----------
    continuum
        With a generated topology. Without ``environment`` in it, eclipses alone are computed.
    load_w
        Watts that satellites draw beyond their idle power: a number, shape (satellites,), or a
        function from the index of a step to either. The load of a step holds until the next.
    longest_gap_s
        Steps farther apart are walked in pieces of at most this many seconds, so that eclipses
        between them count.

    Returns
    -------
    EnvironmentSeries
        Everything at once; ``environment_steps`` streams.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the topology is not generated, the gap is not positive, or the load is refused.
    """
    if not (math.isfinite(longest_gap_s) and longest_gap_s > 0):
        raise InputError(
            f"must be a positive number of seconds, got {longest_gap_s}", field="longest_gap_s"
        )
    topology = continuum.topology
    if not isinstance(topology, GeneratedTopology):
        raise InputError("only generated satellites have an environment", field="topology.type")
    walk = EnvironmentWalk(topology.environment or Environment())
    kept: list[EnvironmentState] = []
    empty = np.zeros(topology.satellite_count, dtype=bool)
    for satellites, at_step in _instants(continuum, topology, longest_gap_s):
        now = walk.advance(satellites, load_at(load_w, satellites.step))
        if now.brown_out is not None:
            empty |= now.brown_out
        if at_step:
            kept.append(_with_brown_out(now, empty))
            empty = np.zeros_like(empty)
    return EnvironmentSeries(
        sun_direction=np.stack([state.sun_direction for state in kept]),
        sunlit=np.stack([state.sunlit for state in kept]),
        temperature_c=_stacked([state.temperature_c for state in kept]),
        battery_wh=_stacked([state.battery_wh for state in kept]),
        brown_out=_stacked([state.brown_out for state in kept]),
    )


def _instants(
    continuum: Continuum, topology: GeneratedTopology, longest_gap_s: float
) -> Iterator[tuple[SatelliteState, bool]]:
    """Yield the satellites at every step and in between, and which of them is a step.

    What lies between two steps carries the index of the earlier one.
    """
    orbits = ephemeris(topology)
    start = start_instant(topology, continuum.time)
    for offset, step, at_step in _pieces(continuum.time, longest_gap_s):
        day, fraction = julian_date(start, offset)
        position, valid = orbits.ecef(day, fraction)
        time = step_instant(start, offset)
        yield SatelliteState(step, time, day, fraction, position, valid), at_step


def _pieces(time: TimeGrid, longest_gap_s: float) -> Iterator[tuple[float, int, bool]]:
    yield time.offset_s(0), 0, True
    for step in range(1, time.steps):
        earlier, later = time.offset_s(step - 1), time.offset_s(step)
        count = math.ceil((later - earlier) / longest_gap_s)
        for part in range(1, count):
            yield earlier + (later - earlier) * part / count, step - 1, False
        yield later, step, True


def _with_brown_out(state: EnvironmentState, empty: NDArray[np.bool_]) -> EnvironmentState:
    return state if state.brown_out is None else replace(state, brown_out=empty)


def _stacked(rows: list[NDArray[Any] | None]) -> NDArray[Any] | None:
    present = [row for row in rows if row is not None]
    return np.stack(present) if present else None
