"""Bounds of a linear model from the duals of its relaxation, in exact integers and for any duals.

With ``min c'x``, rows ``r <= A x <= s``, columns ``l <= x <= u`` and any vector y, let
``d = c - A'y``. Every feasible x satisfies ``c'x = y'Ax + d'x``, hence

    c'x >= sum of (y_i r_i if y_i > 0 else y_i s_i) + d'x
        >= sum of (y_i r_i if y_i > 0 else y_i s_i) + sum of (d_j l_j if d_j > 0 else d_j u_j)

(after Neumaier and Shcherbina, Math. Program. 99, 2004). With ``c = 0`` the last line is at most 0
if there is such an x: a positive one proves infeasibility (Farkas).

The model holds integers, and y is rounded to multiples of a power of two, so that everything is an
integer times that power: no float is trusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from leotrek_opt.errors import InputError
from leotrek_opt.solvers.certificate.integers import integers
from leotrek_opt.solvers.certificate.minorant import (
    Box,
    ExactRelaxation,
    Minorant,
    Multipliers,
    vector,
)
from leotrek_opt.solvers.certificate.repair import repairs
from leotrek_opt.solvers.linear_arrays import FloatArray, ModelArrays

POWERS = (20, 30, 40)
"""Roundings that are tried unless one is asked for: duals to multiples of ``2**-power``."""
MAX_POWER = 60
_LARGEST_DUAL = 2.0**80
"""Larger duals are cut off: they would only make for long integers."""


def dual_bound(
    arrays: ModelArrays,
    row_dual: ArrayLike,
    *,
    power: int | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
) -> Fraction | None:
    """Derive a bound on the objective from duals, valid whatever the duals are.

    Parameters
    ----------
    arrays
        The model, m rows and n columns.
    row_dual
        Shape (m,), in the convention of an engine's result: ``column_dual = cost - A' row_dual`` in
        the model's own sense. Entries that are not finite count as 0.
    power
        Round duals to multiples of ``2**-power``; None tries several and keeps the best bound.
    lower, upper
        A box within the bounds of the columns, shape (n,); None for those bounds.

    Returns
    -------
    fractions.Fraction or None
        Exact. A lower bound on the objective, offset included, of every point of the relaxation in
        the box (if the model maximises: an upper bound); None if a column without a bound leaves
        nothing to say.

    Raises
    ------
    InputError
        If a shape or the power is wrong.
    """
    relaxation = ExactRelaxation(arrays)
    duals = arrays.sign * vector(row_dual, arrays.row_lower.size, "row_dual")
    best = best_evidence(relaxation, duals, relaxation.box(lower, upper), powers=_powers(power))
    return None if best is None else arrays.offset + arrays.sign * best.value


def farkas_margin(
    arrays: ModelArrays,
    ray: ArrayLike,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    *,
    power: int | None = None,
) -> Fraction:
    """Tell by how much a combination of rows contradicts the bounds of the columns.

    Parameters
    ----------
    arrays
        The model, m rows and n columns.
    ray
        Multipliers of the rows, shape (m,), >= 0 where a lower side counts and <= 0 where an upper
        side does, whatever the sense of the objective. Entries that are not finite count as 0.
    lower, upper
        A box within the bounds of the columns, shape (n,); None for those bounds.
    power
        Round multipliers, scaled to at most 1, to multiples of ``2**-power``; None tries several.

    Returns
    -------
    fractions.Fraction
        Exact, for the scaled multipliers. If positive, no point of the relaxation is in the box; 0
        or less says nothing.

    Raises
    ------
    InputError
        If a shape or the power is wrong.
    """
    relaxation = ExactRelaxation(arrays)
    scaled_ray = unit_ray(vector(ray, arrays.row_lower.size, "ray"))
    box = relaxation.box(lower, upper)
    best = best_evidence(relaxation, scaled_ray, box, powers=_powers(power), costs=False)
    return Fraction(0) if best is None else best.value


def _powers(power: int | None) -> tuple[int, ...]:
    return POWERS if power is None else (power,)


def rounded(arrays: ModelArrays, multipliers: FloatArray, power: int) -> Multipliers:
    """Round multipliers of rows to multiples of ``2**-power``.

    Parameters
    ----------
    arrays
        The model, m rows.
    multipliers
        Of the minimised objective, shape (m,); what is not finite becomes 0.
    power
        0 to 60.

    Returns
    -------
    Multipliers
        Those that remain.

    Raises
    ------
    InputError
        If the power is out of range.
    """
    if not 0 <= power <= MAX_POWER:
        raise InputError(f"must be in [0, {MAX_POWER}], not {power!r}", field="power")
    finite = np.where(np.isfinite(multipliers), multipliers, 0.0)
    numerators = np.rint(np.ldexp(np.clip(finite, -_LARGEST_DUAL, _LARGEST_DUAL), power))
    rows = np.flatnonzero(numerators)
    return Multipliers.of(arrays, rows, integers(numerators[rows]), 2**power)


def unit_ray(ray: FloatArray) -> FloatArray:
    """Scale a ray by a power of two so that its largest finite entry is in [1/2, 1)."""
    finite = np.where(np.isfinite(ray), ray, 0.0)
    exponent = np.frexp(np.max(np.abs(finite), initial=0.0))[1]
    unit: FloatArray = np.ldexp(finite, -exponent)
    return unit


class Evidence(NamedTuple):
    """Multipliers with what they prove in a box.

    Attributes
    ----------
    multipliers, minorant
        The multipliers and their linear function below the objective.
    least
        Its least value in the box, times its denominator.
    """

    multipliers: Multipliers
    minorant: Minorant
    least: int

    @property
    def value(self) -> Fraction:
        """The least value itself."""
        return Fraction(self.least, self.minorant.denominator)


def best_evidence(
    relaxation: ExactRelaxation,
    multipliers: FloatArray,
    box: Box,
    *,
    powers: Iterable[int] = POWERS,
    costs: bool = True,
) -> Evidence | None:
    """Round multipliers in several ways and keep what bounds best in a box.

    Parameters
    ----------
    relaxation
        The model.
    multipliers
        Of the minimised objective, shape (m,).
    box
        Where to bound.
    powers
        Roundings to be tried.
    costs
        As in :meth:`ExactRelaxation.minorant`.

    Returns
    -------
    Evidence or None
        The first of equally good ones; None if there is no finite bound.
    """
    candidates = (
        evidence
        for power in powers
        for evidence in _evidence(
            relaxation, rounded(relaxation.arrays, multipliers, power), box, costs
        )
    )
    return max(candidates, key=lambda evidence: evidence.value, default=None)


def _evidence(
    relaxation: ExactRelaxation, multipliers: Multipliers, box: Box, costs: bool
) -> Iterator[Evidence]:
    minorant = relaxation.minorant(multipliers, costs=costs)
    least = minorant.least(box)
    if least is not None:
        yield Evidence(multipliers, minorant, least)
        return
    for repaired in repairs(relaxation, multipliers, minorant, box):
        minorant = relaxation.minorant(repaired, costs=costs)
        least = minorant.least(box)
        if least is not None:
            yield Evidence(repaired, minorant, least)
