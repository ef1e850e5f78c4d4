"""When satellites enter and leave the shadow of the Earth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.topology.environment.eclipse import ShadowEdge, shadow_margin_rad
from leotrek_opt.topology.environment.sun import sun_distance_km, sun_teme
from leotrek_opt.topology.instants import S_PER_DAY

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_CELLS = 500_000
"""Satellites times samples that are held at once."""
_FASTEST_RAD_S = 1.5e-3
"""Rate of a low orbit, to tell which near misses are worth a closer look."""
_GOLDEN = (math.sqrt(5) - 1) / 2


class Orbits(Protocol):
    """Whatever can say where satellites are, such as an ephemeris of a generated topology."""

    def teme(
        self, julian_day: Array, fraction: Array, satellites: Indices | None = None
    ) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Return positions (n, t, 3), velocities (n, t, 3) and validity (n, t) in TEME."""
        ...


@dataclass(frozen=True, eq=False)
class EclipseWindows:
    """Stays in the shadow, in the order of (satellite, enter_s).

    Parameters
    ----------
    satellite
        Index of the satellite, shape (windows,).
    enter_s, leave_s
        Seconds after the start, shape (windows,).
    began_earlier, goes_on
        True where the window is cut by the span of time, or by a failed propagation.
    """

    satellite: Indices
    enter_s: Array
    leave_s: Array
    began_earlier: NDArray[np.bool_]
    goes_on: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.satellite)


def eclipse_windows(
    orbits: Orbits,
    satellite_count: int,
    julian_day: float,
    fraction: float,
    duration_s: float,
    *,
    edge: ShadowEdge = "cylinder",
    sample_s: float = 30.0,
) -> EclipseWindows:
    """Find every stay in the shadow over a span of time.

    Parameters
    ----------
    orbits
        Gives positions and velocities.
    satellite_count
        Number of satellites.
    julian_day, fraction
        Start, a Julian date UTC in two parts.
    duration_s
        Length of the span in seconds.
    edge
        Which shadow: the ``cylinder``, or the cone of the ``penumbra`` or of the ``umbra``.
    sample_s
        Spacing of the propagated instants in seconds. Between them the orbit is interpolated.

    Returns
    -------
    EclipseWindows
        Times within a few milliseconds of the propagated orbit, for spacings up to a minute.
        Grazing eclipses shorter than the spacing are found too.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the span or the spacing is not positive.

    Notes
    -----
    Cubic Hermite interpolation of position and velocity over 30 s is off by less than 0.1 m on a
    circular low orbit (h^4 / 384 times the fourth derivative).
    """
    for field, value in (("duration_s", duration_s), ("sample_s", sample_s)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"must be a positive number of seconds, got {value}", field=field)
    samples = max(1, math.ceil(duration_s / sample_s))
    times = np.linspace(0.0, duration_s, samples + 1)
    block = max(1, _CELLS // len(times))
    parts = []
    for first in range(0, satellite_count, block):
        satellites = np.arange(first, min(first + block, satellite_count))
        track = _Track(orbits, satellites, (julian_day, fraction), times, edge)
        parts.append(_windows(track, first))
    if not parts:
        empty, none = np.empty(0), np.empty(0, dtype=bool)
        return EclipseWindows(np.empty(0, dtype=np.int64), empty, empty, none, none)
    return EclipseWindows(*(np.concatenate(column) for column in zip(*parts, strict=True)))


class _Track:
    """Some satellites at sampled instants, and in between."""

    def __init__(
        self, orbits: Orbits, satellites: Indices, start: tuple[float, float], times: Array,
        edge: ShadowEdge,
    ) -> None:  # fmt: skip
        self.times = times
        self.start = start
        self.edge = edge
        day, fraction = np.full(len(times), start[0]), start[1] + times / S_PER_DAY
        position, self.velocity, valid = orbits.teme(day, fraction, satellites)
        self.position = np.where(valid[..., None], position, np.nan)
        self.margin = self._margin(self.position, times)

    def margin_at(self, row: Indices, time: Array) -> Array:
        """Return the margin of satellites ``row`` at instants, both of shape (m,)."""
        step = self.times[1]
        before = np.minimum((time / step).astype(np.int64), len(self.times) - 2)
        x = ((time - self.times[before]) / step)[:, None]
        from_, to = self.position[row, before], self.position[row, before + 1]
        leaving, arriving = self.velocity[row, before], self.velocity[row, before + 1]
        position = (
            (1 + 2 * x) * (1 - x) ** 2 * from_
            + x * x * (3 - 2 * x) * to
            + step * x * (1 - x) * ((1 - x) * leaving - x * arriving)
        )
        return self._margin(position, time)

    def _margin(self, position: Array, time: Array) -> Array:
        day, fraction = self.start[0], self.start[1] + time / S_PER_DAY
        return shadow_margin_rad(
            position,
            sun_teme(day, fraction),
            edge=self.edge,
            sun_distance_km=sun_distance_km(day, fraction),
        )


_Edges = tuple[Indices, Array, NDArray[np.bool_]]
"""Satellite, time, and whether the edge is a cut and no crossing."""


def _windows(
    track: _Track, first: int
) -> tuple[Indices, Array, Array, NDArray[np.bool_], NDArray[np.bool_]]:
    lowest = _grazing(track)
    enter = _joined(
        _crossings(track, entering=True), _crossing_beside(track, lowest, entering=True)
    )
    leave = _joined(
        _crossings(track, entering=False), _crossing_beside(track, lowest, entering=False)
    )
    # Along one satellite entries and exits alternate: the k-th of one meets the k-th of the other.
    return enter[0] + first, enter[1], leave[1], enter[2], leave[2]


def _crossings(track: _Track, *, entering: bool) -> _Edges:
    """Refine the changes between neighbouring samples."""
    dark = track.margin < 0
    inner, outer = (dark[:, 1:], dark[:, :-1]) if entering else (dark[:, :-1], dark[:, 1:])
    row, column = np.nonzero(inner & ~outer)
    light, shade = (column, column + 1) if entering else (column + 1, column)
    cut = np.isnan(track.margin[row, light])
    time = np.where(cut, track.times[shade], 0.0)
    time[~cut] = _bisect(track, row[~cut], track.times[shade[~cut]], track.times[light[~cut]])
    end = 0 if entering else -1
    open_ = np.flatnonzero(dark[:, end])
    return (
        np.concatenate((row, open_)),
        np.concatenate((time, np.full(len(open_), track.times[end]))),
        np.concatenate((cut, np.ones(len(open_), dtype=bool))),
    )


def _grazing(track: _Track) -> tuple[Indices, Array, Array, Array]:
    """Find short stays between two samples in the light: satellite, left, lowest, right."""
    margin, times = track.margin, track.times
    if len(times) < 3:
        none = np.empty(0)
        return np.empty(0, dtype=np.int64), none, none, none
    middle = margin[:, 1:-1]
    close = 2 * _FASTEST_RAD_S * times[1]
    row, column = np.nonzero(
        (middle >= 0) & (middle < close) & (middle <= margin[:, :-2]) & (middle < margin[:, 2:])
    )
    left, right = times[column], times[column + 2]
    low, high = left.copy(), right.copy()
    for _ in range(30):
        third, two_thirds = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        falls = track.margin_at(row, third) > track.margin_at(row, two_thirds)
        low, high = np.where(falls, third, low), np.where(falls, high, two_thirds)
    lowest = (low + high) / 2
    dips = track.margin_at(row, lowest) < 0
    return row[dips], left[dips], lowest[dips], right[dips]


def _crossing_beside(
    track: _Track, lowest: tuple[Indices, Array, Array, Array], *, entering: bool
) -> _Edges:
    row, left, middle, right = lowest
    time = _bisect(track, row, middle, left if entering else right)
    return row, time, np.zeros(len(row), dtype=bool)


def _bisect(track: _Track, row: Indices, dark: Array, light: Array) -> Array:
    for _ in range(22):
        middle = (dark + light) / 2
        inside = track.margin_at(row, middle) < 0
        dark, light = np.where(inside, middle, dark), np.where(inside, light, middle)
    return (dark + light) / 2


def _joined(first: _Edges, second: _Edges) -> _Edges:
    row, time, cut = (np.concatenate(pair) for pair in zip(first, second, strict=True))
    order = np.lexsort((time, row))
    return row[order], time[order], cut[order]
