"""Pieces of cubic curves, and where functions of them change sign: all at once, as arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

TIME_TOLERANCE_S = 1e-5
"""How closely crossings are found."""

_ROUNDS = 100


@dataclass(frozen=True, eq=False)
class Arcs:
    """Curves between neighbouring samples: cubics through both positions and velocities.

    Parameters
    ----------
    time_s
        Instants of the samples, shape (samples,).
    position, velocity
        Shape (components, samples); velocity per second.
    left
        The sample where each arc begins, shape (arcs,); it ends at the next one. Arcs are in order.
    """

    time_s: Array
    position: Array
    velocity: Array
    left: Indices

    def __len__(self) -> int:
        """Return the number of arcs."""
        return len(self.left)

    def at(self, arc: Indices, fraction: Array) -> tuple[Array, Array]:
        """Interpolate.

        Parameters
        ----------
        arc
            Which arcs, shape (n,).
        fraction
            Of their length, in [0, 1], shape (n,).

        Returns
        -------
        position, velocity : ndarray
            Shape (components, n). The velocity is the derivative of the interpolated position.
        """
        left = self.left[arc]
        length = self.time_s[left + 1] - self.time_s[left]
        start = self.position[:, left]
        rise = self.position[:, left + 1] - start
        first, last = self.velocity[:, left] * length, self.velocity[:, left + 1] * length
        square = 3 * rise - 2 * first - last
        cube = first + last - 2 * rise
        position = start + fraction * (first + fraction * (square + fraction * cube))
        velocity = (first + fraction * (2 * square + fraction * (3 * cube))) / length
        return position, velocity

    def instant_s(self, arc: Indices, fraction: Array) -> Array:
        """Return the times of points on arcs.

        Parameters
        ----------
        arc, fraction
            As in :meth:`at`.

        Returns
        -------
        ndarray
            Seconds, shape (n,); exactly those of the samples at fractions 0 and 1.
        """
        left = self.left[arc]
        start, end = self.time_s[left], self.time_s[left + 1]
        return np.where(fraction == 1, end, start + fraction * (end - start))


def dot(left: Array, right: Array) -> Array:
    """Return products of vectors in columns.

    Parameters
    ----------
    left, right
        Shape (3, n).

    Returns
    -------
    ndarray
        Shape (n,). Unlike those of a product of matrices, the bits do not depend on where a column
        stands.
    """
    product: Array = left[0] * right[0] + left[1] * right[1] + left[2] * right[2]
    return product


class Criterion(Protocol):
    """A smooth function of the state of an arc that is >= 0 while a contact is possible."""

    def __call__(self, position: Array, velocity: Array, arc: Indices) -> tuple[Array, Array]:
        """Return value and derivative by time, shape (n,), for states of shape (components, n)."""


class Crossings(NamedTuple):
    """Where criteria change sign: arc, fraction of its length, +1 to possible and -1 from it."""

    arc: Indices
    fraction: Array
    change: NDArray[np.int8]


def crossings(
    criterion: Criterion, arcs: Arcs, value0: Array, rate0: Array, value1: Array, rate1: Array
) -> Crossings:
    """Find every change of sign, also two within one arc.

    Parameters
    ----------
    criterion
        The function.
    arcs
        The curves it is taken along.
    value0, rate0, value1, rate1
        Its value and derivative at both ends of every arc, shape (arcs,).

    Returns
    -------
    Crossings
        Unordered. An arc short enough for one extremum has at most two changes: where the function
        has the same sign at both ends, the extremum between them is found by the derivative.
    """
    single = np.flatnonzero((value0 >= 0) != (value1 >= 0))

    def value(chosen: Indices, fraction: Array) -> Array:
        return criterion(*arcs.at(chosen, fraction), chosen)[0]

    def rate(chosen: Indices, fraction: Array) -> Array:
        return criterion(*arcs.at(chosen, fraction), chosen)[1]

    below, above = (value0 < 0) & (value1 < 0), (value0 >= 0) & (value1 >= 0)
    hidden = np.flatnonzero(
        (below & (rate0 > 0) & (rate1 < 0)) | (above & (rate0 < 0) & (rate1 > 0))
    )
    ends = np.zeros(len(hidden)), np.ones(len(hidden))
    extremum = sign_changes(rate, arcs, hidden, *ends, rate0[hidden], rate1[hidden])
    extreme = value(hidden, extremum)
    crossed = (extreme >= 0) == below[hidden]
    hidden, extremum, extreme = hidden[crossed], extremum[crossed], extreme[crossed]
    twice = np.concatenate((single, hidden, hidden))
    found = sign_changes(
        value,
        arcs,
        twice,
        np.concatenate((np.zeros(len(single) + len(hidden)), extremum)),
        np.concatenate((np.ones(len(single)), extremum, np.ones(len(hidden)))),
        np.concatenate((value0[single], value0[hidden], extreme)),
        np.concatenate((value1[single], extreme, value1[hidden])),
    )
    up = np.concatenate((value1[single] >= 0, below[hidden], ~below[hidden]))
    return Crossings(twice, found, np.where(up, 1, -1).astype(np.int8))


def sign_changes(
    function: Callable[[Indices, Array], Array],
    arcs: Arcs,
    arc: Indices,
    low: Array,
    high: Array,
    value_low: Array,
    value_high: Array,
) -> Array:
    """Find where a function changes sign between two fractions of arcs.

    Parameters
    ----------
    function
        Of arcs and fractions.
    arcs
        Their lengths set the accuracy, ``TIME_TOLERANCE_S``.
    arc
        Which arcs, shape (n,).
    low, high
        Fractions where the function has different signs (0 counts as positive), shape (n,).
    value_low, value_high
        Its values there.

    Returns
    -------
    ndarray
        Fractions, shape (n,).

    Notes
    -----
    Inverse quadratic interpolation where it is safe, else bisection: T. R. Chandrupatla, A new
    hybrid quadratic/bisection algorithm for finding the zero of a nonlinear function without using
    derivatives, Advances in Engineering Software 28(3), 1997, pp. 145-149.
    """
    # a is the newest point, b the end of the other sign, c the point that was replaced.
    a, fa, b, fb = low, value_low, high, value_high
    c, fc = b, fb
    found = np.where(np.abs(fa) < np.abs(fb), a, b)
    active = np.arange(len(arc))
    left = arcs.left[arc]
    tolerance = TIME_TOLERANCE_S / (arcs.time_s[left + 1] - arcs.time_s[left])
    # The first point is that of the secant, good on arcs as straight as these.
    portion = fa / np.where(fa == fb, -1.0, fa - fb)
    for _ in range(_ROUNDS):
        least = tolerance / np.maximum(np.abs(b - a), tolerance)
        tried = a + np.clip(portion, np.minimum(least, 0.5), np.maximum(1 - least, 0.5)) * (b - a)
        value = function(arc[active], tried)
        same = (value >= 0) == (fa >= 0)
        c, fc, b, fb = (
            np.where(same, a, b),
            np.where(same, fa, fb),
            np.where(same, b, a),
            np.where(same, fb, fa),
        )
        a, fa = tried, value
        better = np.abs(fa) < np.abs(fb)
        found[active] = np.where(better, a, b)
        going = (np.abs(b - a) > 2 * tolerance) & (np.where(better, fa, fb) != 0)
        a, b, c, fa, fb, fc, tolerance, active = (
            column[going] for column in (a, b, c, fa, fb, fc, tolerance, active)
        )
        if not len(active):
            return found
        portion = _next_portion(a, b, c, fa, fb, fc)
    return found


def _next_portion(a: Array, b: Array, c: Array, fa: Array, fb: Array, fc: Array) -> Array:
    """How far from a to b the next point lies."""
    with np.errstate(divide="ignore", invalid="ignore"):
        place, height = (a - b) / (c - b), (fa - fb) / (fc - fb)
        safe = (height**2 < place) & ((1 - height) ** 2 < 1 - place)
        inverse = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (
            fc - fb
        )
    return np.where(safe & np.isfinite(inverse), inverse, 0.5)
