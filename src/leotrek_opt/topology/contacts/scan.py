"""Scanning a span of time: samples in chunks, cut into pieces, joined into whole intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.topology.contacts.motion import Motion, Samples
from leotrek_opt.topology.contacts.pieces import Pieces, stacked

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_SAMPLES_AT_ONCE = 400_000
"""Satellites times instants of one chunk; some 50 MB of positions and velocities."""

_LOSS_TOLERANCE_S = 1e-3
"""How closely the instant is found at which propagation fails."""

Cut = Callable[[Samples, Indices, int | None], Pieces]
"""Cuts pieces out of samples of the satellites whose indices are given: all of them, or those that
the satellite of one row takes part in."""


def sample_times(motion: Motion, start_s: float, end_s: float) -> Array:
    """Return instants close enough for interpolation.

    Parameters
    ----------
    motion
        Tells how close.
    start_s, end_s
        The span; both ends are instants. Those between are whole multiples of the step, so that two
        spans have the same ones in common.

    Returns
    -------
    ndarray
        Seconds, increasing.
    """
    step = motion.step_s
    inner = step * np.arange(np.floor(start_s / step) + 1, np.ceil(end_s / step))
    return np.concatenate(([start_s], inner[(inner > start_s) & (inner < end_s)], [end_s]))


def scan(
    motion: Motion, times: Array, satellites: Indices, cut: Cut
) -> Iterator[tuple[Pieces, float]]:
    """Cut pieces out of one chunk of time after another.

    Parameters
    ----------
    motion
        The satellites.
    times
        Instants to sample.
    satellites
        Which satellites.
    cut
        What to find.

    Yields
    ------
    Pieces
        Of one chunk, in no order; those at its borders are open there.
    float
        Where the chunk ends.
    """
    instants = max(1, _SAMPLES_AT_ONCE // max(1, len(satellites)))
    for first in range(0, len(times) - 1, instants):
        samples = motion.sample(times[first : first + instants + 1], satellites)
        tables = [cut(samples, satellites, None)]
        tables += _around_losses(motion, samples, satellites, cut)
        yield stacked(tables), float(samples.time_s[-1])


def _around_losses(
    motion: Motion, samples: Samples, satellites: Indices, cut: Cut
) -> Iterator[Pieces]:
    """Pieces between the last valid sample of a satellite and the instant at which it is lost."""
    changed = samples.valid[:, 1:] != samples.valid[:, :-1]
    if not changed.any():
        return
    # Decay is rare: at most once in the life of a satellite.
    for row, column in np.argwhere(changed).tolist():
        one = satellites[row : row + 1]
        valid_before = bool(samples.valid[row, column])
        low, high = samples.time_s[column : column + 2].tolist()
        while high - low > _LOSS_TOLERANCE_S:
            middle = (low + high) / 2
            same = motion.sample(np.array([middle]), one).valid[0, 0] == valid_before
            low, high = (middle, high) if same else (low, middle)
        ends = (samples.time_s[column], low) if valid_before else (high, samples.time_s[column + 1])
        if ends[1] > ends[0]:
            yield cut(motion.sample(np.array(ends), satellites), satellites, row)
