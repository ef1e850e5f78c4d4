"""Where the satellites of a generated topology are."""

from __future__ import annotations

import threading
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.constellation import Sgp4
from leotrek_opt.models.continuum import TimeGrid
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.instants import julian_date, start_instant

__all__ = [
    "Ephemeris",
    "PropagationFailure",
    "ephemeris",
    "julian_date",
    "propagation_errors",
    "satellite_ecef",
]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_FAILURES = {
    1: "the mean eccentricity leaves the range 0 to 1",
    2: "the mean motion falls below zero",
    3: "the perturbed eccentricity leaves the range 0 to 1",
    4: "the semi-latus rectum falls below zero",
    6: "the satellite has decayed",
}
"""SGP4's own error codes."""


class Ephemeris(Protocol):
    """Positions of satellites at any instant, whatever the propagator."""

    @property
    def epoch_jd(self) -> Array:
        """Julian days of the epochs, shape (n,)."""

    @property
    def epoch_fraction(self) -> Array:
        """Parts of the day of the epochs, shape (n,)."""

    def __len__(self) -> int:
        """Return the number of satellites."""

    def teme(
        self, julian_day: Array, fraction: Array, satellites: NDArray[np.int64] | None = None
    ) -> tuple[Array, Array, Mask]:
        """Return position in km and velocity in km/s (n, t, 3), and which are valid (n, t)."""

    def ecef(
        self, julian_day: float, fraction: float, out: Array | None = None
    ) -> tuple[Array, Mask]:
        """Return positions in km (n, 3) of all satellites at one instant, and which are valid."""

    def error_codes(self, julian_day: float, fraction: float) -> NDArray[np.int64]:
        """Return a code per satellite at one instant, 0 for success."""


class PropagationFailure(NamedTuple):
    """A satellite that has no position, and why."""

    satellite: int
    code: int
    reason: str


_recent: list[tuple[GeneratedTopology, Ephemeris]] = []
_MAX_RECENT = 4
_lock = threading.Lock()


def ephemeris(topology: GeneratedTopology) -> Ephemeris:
    """Initialise the propagation of all satellites of a topology.

    Parameters
    ----------
    topology
        Shells and fleet, in this order, and the propagator.

    Returns
    -------
    Ephemeris
        The same object again for the same topology object, as long as it is among the last few
        that were asked for: the documents are large, and comparing them would cost more.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the propagator cannot take an element set.
    """
    with _lock:
        for index, (known, made) in enumerate(_recent):
            if known is topology:
                _recent.append(_recent.pop(index))
                return made
    made = _initialised(topology)
    with _lock:
        _recent.append((topology, made))
        del _recent[:-_MAX_RECENT]
    return made


def _initialised(topology: GeneratedTopology) -> Ephemeris:
    fleet = topology.fleet if topology.fleet is not None and len(topology.fleet) else None
    if not isinstance(topology.propagator, Sgp4):
        from leotrek_opt.topology.circular import CircularEphemeris

        return CircularEphemeris(topology.shells, topology.epoch, fleet, topology.propagator)
    from leotrek_opt.topology.sgp4_ephemeris import (
        Sgp4Ephemeris,
        fleet_elements,
        joined,
        shell_elements,
    )

    parts = []
    if topology.shells and topology.epoch is not None:
        parts.append(shell_elements(topology.shells, topology.epoch))
    if fleet is not None:
        parts.append(fleet_elements(fleet))
    return Sgp4Ephemeris(joined(parts), topology.propagator)


def propagation_errors(
    topology: GeneratedTopology, julian_day: float, fraction: float
) -> tuple[PropagationFailure, ...]:
    """List the satellites that have no position at an instant, and why.

    Parameters
    ----------
    topology
        The recipe.
    julian_day, fraction
        Julian date UTC in two parts.

    Returns
    -------
    tuple of PropagationFailure
        In the order of the satellites. They stay in the topology as nodes without links.
    """
    satellites = ephemeris(topology)
    codes = satellites.error_codes(julian_day, fraction)
    _, valid = satellites.ecef(julian_day, fraction)
    return tuple(
        PropagationFailure(
            satellite,
            int(codes[satellite]),
            _FAILURES.get(
                int(codes[satellite]),
                "propagation gives no position, or one beyond twice the apogee",
            ),
        )
        for satellite in np.flatnonzero(~valid).tolist()
    )


def satellite_ecef(topology: GeneratedTopology, time: TimeGrid, step: int) -> tuple[Array, Mask]:
    """Return where the satellites of a generated topology are at a step.

    Parameters
    ----------
    topology
        The recipe.
    time
        The step's instant; for a grid without start see
        :func:`leotrek_opt.topology.instants.start_instant`.
    step
        Index of the snapshot.

    Returns
    -------
    position_km : ndarray
        ECEF, shape (satellites, 3); NaN where propagation fails.
    valid : ndarray of bool
        Shape (satellites,), read-only.
    """
    instant = julian_date(start_instant(topology, time), time.offset_s(step))
    return ephemeris(topology).ecef(*instant)
