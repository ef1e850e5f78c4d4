"""The tree of a search while it grows, and the certificate that it makes at any moment."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from leotrek_opt.models.certificate import (
    BoundLeaf,
    BranchNode,
    CertificateNode,
    FarkasLeaf,
    LinearCertificate,
    RowMultipliers,
    TightenNode,
)
from leotrek_opt.solvers.certificate.minorant import Multipliers
from leotrek_opt.solvers.certificate.target import Target, own_bound
from leotrek_opt.solvers.linear_arrays import FloatArray, ModelArrays, model_digest

_NOTHING: FloatArray = np.zeros(0)
_CLAIM_DENOMINATOR = 2**40
"""Finest bound that a certificate of ours claims."""


@dataclass(frozen=True, eq=False)
class Known:
    """A lower bound on the minimised objective in some box, and the duals that show it."""

    multipliers: Multipliers
    value: Fraction


@dataclass(frozen=True, eq=False)
class Bounded:
    """Nothing in the box is below a value."""

    known: Known


@dataclass(frozen=True, eq=False)
class Refuted:
    """Nothing is in the box, because rows contradict it."""

    multipliers: Multipliers


@dataclass(frozen=True, eq=False)
class Tightened:
    """Duals show that nothing outside of a smaller box is better than the target."""

    multipliers: Multipliers
    rest: Part


@dataclass(frozen=True, eq=False)
class Split:
    """An integer column is at most a value in the first part, and above it in the second."""

    column: int
    value: int
    first: Part
    second: Part


class Step(NamedTuple):
    """A move of one column off a fraction.

    Attributes
    ----------
    position
        Of the column among the integer ones.
    is_up
        Direction.
    distance
        From the fraction.
    objective
        Of the relaxation there.
    """

    position: int
    is_up: bool
    distance: float
    objective: float

    def reversed(self) -> Step:
        """Return the move in the other direction."""
        return self._replace(is_up=not self.is_up, distance=1 - self.distance)


@dataclass(eq=False)
class Part:
    """A box that the search has to settle.

    Its outcome is set once and in one go, so that the tree can be read at any moment.

    Attributes
    ----------
    lower, upper
        Bounds of the integer columns, in order.
    known
        The best bound so far, from the part above or its own; None for minus infinity.
    basis
        Where the simplex method starts, or None.
    step
        How it came from the part above, if a fraction was cut off there.
    outcome
        None as long as the part is open; see :meth:`settle`.
    """

    lower: FloatArray
    upper: FloatArray
    known: Known | None
    basis: Any = None
    step: Step | None = None
    outcome: Bounded | Refuted | Tightened | Split | None = None

    def settle(self, outcome: Bounded | Refuted | Tightened | Split) -> None:
        """Set the outcome, and forget what only an open part needs."""
        self.outcome = outcome
        self.lower = self.upper = _NOTHING
        self.known = self.basis = None


@dataclass
class _Vectors:
    """Vectors of a certificate, each once."""

    arrays: ModelArrays
    stored: list[RowMultipliers] = field(default_factory=list)
    _index: dict[tuple[int, bool], int] = field(default_factory=dict)

    def index(self, multipliers: Multipliers, *, duals: bool) -> int:
        """Return the position of multipliers; duals are turned to the sense of the model."""
        key = (id(multipliers), duals)
        if key not in self._index:
            self._index[key] = len(self.stored)
            sign = self.arrays.sign if duals else 1
            self.stored.append(row_multipliers(multipliers, sign))
        return self._index[key]


def row_multipliers(multipliers: Multipliers, sign: int) -> RowMultipliers:
    """Write multipliers as a vector of a certificate, in lowest terms.

    Parameters
    ----------
    multipliers
        Of the minimised objective.
    sign
        To multiply them with.

    Returns
    -------
    RowMultipliers
        The same numbers, but for the sign.
    """
    values = multipliers.values.tolist()
    common = min((value & -value for value in values), default=multipliers.denominator)
    common = min(common, multipliers.denominator)
    return RowMultipliers(
        rows=tuple(multipliers.rows.tolist()),
        values=tuple(sign * value // common for value in values),
        denominator=multipliers.denominator // common,
    )


def certificate_of(
    arrays: ModelArrays, root: Part, target: Target | None
) -> LinearCertificate | None:
    """Write down what a tree proves so far.

    Parameters
    ----------
    arrays
        The model.
    root
        Of the tree; an open part counts with the best bound that is known.
    target
        Of the tightenings, or a lower one since then, which can only make boxes smaller; None if
        there are no tightenings.

    Returns
    -------
    LinearCertificate or None
        None if some part has no bound at all.
    """
    vectors = _Vectors(arrays)
    nodes: list[CertificateNode] = []
    least = _Least()
    waiting = [root]
    while waiting:
        part = waiting.pop()
        # In this order: a search that was left behind may settle the part in between.
        known, outcome = part.known, part.outcome
        if isinstance(outcome, Split):
            nodes.append(BranchNode(column=outcome.column, value=outcome.value))
            waiting += [outcome.second, outcome.first]
        elif isinstance(outcome, Tightened) and target is not None:
            least.add(target.value)
            nodes.append(TightenNode(multipliers=vectors.index(outcome.multipliers, duals=True)))
            waiting.append(outcome.rest)
        elif isinstance(outcome, Refuted):
            nodes.append(FarkasLeaf(multipliers=vectors.index(outcome.multipliers, duals=False)))
        else:
            known = outcome.known if isinstance(outcome, Bounded) else known
            if known is None:
                return None
            least.add(known.value)
            nodes.append(BoundLeaf(multipliers=vectors.index(known.multipliers, duals=True)))
    claim = None if least.value is None else _short(arrays, least.value)
    return LinearCertificate(
        model_digest=model_digest(arrays),
        bound=None if claim is None else claim.numerator,
        bound_denominator=1 if claim is None else claim.denominator,
        multipliers=tuple(vectors.stored),
        nodes=tuple(nodes),
    )


def _short(arrays: ModelArrays, value: Fraction) -> Fraction:
    """Turn a value into a bound of the model, on the safe side if it has a long denominator."""
    if value.denominator > _CLAIM_DENOMINATOR:
        value = Fraction(math.floor(value * _CLAIM_DENOMINATOR), _CLAIM_DENOMINATOR)
    return Fraction(own_bound(arrays, value))


class _Least:
    """The least of some values."""

    def __init__(self) -> None:
        self.value: Fraction | None = None

    def add(self, value: Fraction) -> None:
        if self.value is None or value < self.value:
            self.value = value
