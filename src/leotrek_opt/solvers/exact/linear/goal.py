"""From the objective of a known solution to the bound that makes it optimal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from leotrek_opt.errors import InputError
from leotrek_opt.solvers.certificate.target import Target
from leotrek_opt.solvers.linear_arrays import ModelArrays

_ABSOLUTE = Fraction(1, 2_000_000)
_RELATIVE = Fraction(1, 2_000_000_000)
_FINENESS = 2**20
_NEAR = Fraction(1, 1_000_000)


@dataclass(frozen=True)
class Goal:
    """What makes the objective of a known solution optimal.

    Attributes
    ----------
    target
        Nothing shall be below it.
    slack
        What may be given away where the objective does not move in steps, so that rounding errors
        do not matter: half of the 1e-6 plus 1e-9 of it within which objectives count as the same.
    """

    target: Target
    slack: Fraction

    def is_settled_by(self, bound: Fraction) -> bool:
        """Tell whether a bound on the minimised objective, without offset, is good enough."""
        return self.target.is_reached(bound + self.slack)

    def distance(self, objective: float) -> float:
        """Return by how much a bound must rise from an objective to be good enough."""
        least = Fraction(self.target.numerator(_FINENESS), _FINENESS) - self.slack
        return float(least - Fraction(objective))


def goal(arrays: ModelArrays, objective: float | Fraction) -> Goal:
    """Return the goal that an objective sets.

    Parameters
    ----------
    arrays
        The model.
    objective
        In the model's own sense, offset included.

    Returns
    -------
    Goal
        With the objective itself as target, or the nearest step: an engine's float may be off by a
        rounding error.

    Raises
    ------
    InputError
        If the objective is not a finite number.
    """
    if isinstance(objective, bool) or not math.isfinite(objective):
        raise InputError(f"must be a finite number, not {objective!r}", field="incumbent")
    # An integer of numpy would stay one within a Fraction, and overflow.
    whole = int(objective)
    own = Fraction(whole if whole == objective else objective)
    value = arrays.sign * (own - arrays.offset)
    step = arrays.objective_step
    if step is None:
        return Goal(Target(value, None), _ABSOLUTE + _RELATIVE * abs(own))
    steps = value / step
    nearest = round(steps)
    if abs(steps - nearest) > _NEAR:
        nearest = math.ceil(steps)
    return Goal(Target(Fraction(nearest * step), step), Fraction(0))
