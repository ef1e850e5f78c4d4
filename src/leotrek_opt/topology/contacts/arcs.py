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

PARTS = 12
"""Into how many an arc is cut where it has to be sampled anew; the error of the interpolation falls
with the fourth power."""

SLOW_KM_S = 0.15
"""A function that changes by less passes half a metre in more than a few milliseconds."""

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


Refine = Callable[[Indices], Arcs]
"""Samples some arcs anew: each is cut into ``PARTS`` arcs, one after the other."""


def crossings(criterion: Criterion, arcs: Arcs, refine: Refine | None = None) -> Crossings:
    """Find every change of sign, also two within one arc.

    Parameters
    ----------
    criterion
        The function, in km.
    arcs
        The curves it is taken along.
    refine
        Samples arcs anew on which the function is near 0 for long, where a small error of the
        interpolation is a large one of the time. None to take the interpolation as it is.

    Returns
    -------
    Crossings
        Unordered. An arc short enough for one extremum has at most two changes: where the function
        has the same sign at both ends, the extremum between them is found by the derivative.
    """
    found, delicate = _crossings(criterion, arcs)
    if refine is None or not len(delicate):
        return found
    finer = refine(delicate)

    def on_parts(position: Array, velocity: Array, arc: Indices) -> tuple[Array, Array]:
        return criterion(position, velocity, delicate[arc // PARTS])

    again, _ = _crossings(on_parts, finer)
    kept = ~np.isin(found.arc, delicate)
    number, part = np.divmod(again.arc, PARTS)
    return Crossings(
        np.concatenate((found.arc[kept], delicate[number])),
        np.concatenate((found.fraction[kept], (part + again.fraction) / PARTS)),
        np.concatenate((found.change[kept], again.change)),
    )


def _crossings(criterion: Criterion, arcs: Arcs) -> tuple[Crossings, Indices]:
    """Find changes of sign, and the arcs on which they are uncertain."""
    number = np.arange(len(arcs))
    left = arcs.left
    value0, rate0 = criterion(arcs.position[:, left], arcs.velocity[:, left], number)
    value1, rate1 = criterion(arcs.position[:, left + 1], arcs.velocity[:, left + 1], number)

    def value(chosen: Indices, fraction: Array) -> Array:
        return criterion(*arcs.at(chosen, fraction), chosen)[0]

    def rate(chosen: Indices, fraction: Array) -> Array:
        return criterion(*arcs.at(chosen, fraction), chosen)[1]

    single = np.flatnonzero((value0 >= 0) != (value1 >= 0))
    below, above = (value0 < 0) & (value1 < 0), (value0 >= 0) & (value1 >= 0)
    turns = (below & (rate0 > 0) & (rate1 < 0)) | (above & (rate0 < 0) & (rate1 > 0))
    # With a constant second derivative the extremum lies this far off; three times as far stands
    # for one that is not constant.
    length = arcs.time_s[left + 1] - arcs.time_s[left]
    sizes = np.minimum(np.abs(value0), np.abs(value1))
    turns &= sizes <= 3 * length * np.maximum(np.abs(rate0), np.abs(rate1))
    hidden = np.flatnonzero(turns)
    ends = np.zeros(len(hidden)), np.ones(len(hidden))
    extremum = sign_changes(rate, arcs, hidden, *ends, rate0[hidden], rate1[hidden])
    extreme = value(hidden, extremum)
    bend = np.abs(rate1[hidden] - rate0[hidden]) / length[hidden]
    uncertain = hidden[np.abs(extreme) < SLOW_KM_S**2 / bend]
    crossed = (extreme >= 0) == below[hidden]
    hidden, extremum, extreme = hidden[crossed], extremum[crossed], extreme[crossed]
    arc = np.concatenate((single, hidden, hidden))
    fraction = sign_changes(
        value,
        arcs,
        arc,
        np.concatenate((np.zeros(len(single) + len(hidden)), extremum)),
        np.concatenate((np.ones(len(single)), extremum, np.ones(len(hidden)))),
        np.concatenate((value0[single], value0[hidden], extreme)),
        np.concatenate((value1[single], extreme, value1[hidden])),
    )
    up = np.concatenate((value1[single] >= 0, below[hidden], ~below[hidden]))
    slow = arc[np.abs(rate(arc, fraction)) < SLOW_KM_S]
    found = Crossings(arc, fraction, np.where(up, 1, -1).astype(np.int8))
    return found, np.unique(np.concatenate((uncertain, slow)))


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
