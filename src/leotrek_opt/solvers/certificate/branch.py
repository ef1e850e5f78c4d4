"""Deriving a bound on a linear model again, from its certificate and nothing else.

The bound is derived in exact integers (:mod:`.linear`) and needs no solver. The tree of the
certificate covers every point of the model: a branch on an integer column loses none, and a
tightening loses only points that are no better than the claimed bound (:mod:`.target`). Each leaf
bounds what is left of the box, or shows that nothing is. Hence the worst leaf, and the claim where
something was tightened, bound the model. Where the optimum is known to move in steps, the bound
goes to the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.certificate import (
    BoundLeaf,
    BranchNode,
    EmptyLeaf,
    FarkasLeaf,
    LinearCertificate,
    TightenNode,
)
from leotrek_opt.solvers.certificate.integers import integers
from leotrek_opt.solvers.certificate.minorant import Box, ExactRelaxation, Minorant, Multipliers
from leotrek_opt.solvers.certificate.target import Target, own_bound, tightening
from leotrek_opt.solvers.linear_arrays import ColumnKind, FloatArray, ModelArrays, model_digest

_KEPT_MINORANTS = 8


@dataclass(frozen=True)
class LinearVerdict:
    """What can be derived from a model and a certificate.

    Parameters
    ----------
    bound
        No feasible point has a better objective, in the model's own sense and with its offset; an
        int where the objective moves in whole steps. None if nothing is shown, or if there is no
        feasible point.
    infeasible
        Whether it is proven that there is none.
    minimise
        Sense of the objective.
    messages
        How far it came, for people.
    """

    bound: int | Fraction | None
    infeasible: bool
    minimise: bool
    messages: tuple[str, ...] = ()

    def confirms(self, certificate: LinearCertificate) -> bool:
        """Tell whether what the certificate claims has been derived.

        Parameters
        ----------
        certificate
            The one that was read.

        Returns
        -------
        bool
            True if the bound is at least as good as the claimed one; infeasibility confirms every
            claim.
        """
        if self.infeasible or self.bound is None or certificate.claim is None:
            return self.infeasible
        if self.minimise:
            return self.bound >= certificate.claim
        return self.bound <= certificate.claim


def linear_bound(arrays: ModelArrays, certificate: LinearCertificate) -> LinearVerdict:
    """Derive a bound on the objective of every feasible point of a model.

    Parameters
    ----------
    arrays
        The model.
    certificate
        A tree, and what it is said to prove.

    Returns
    -------
    LinearVerdict
        Valid for every certificate; whether it reaches the claim is for the reader to compare.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the certificate belongs to another model, names a row or column that this one does not
        have, or branches on a column that may take fractions.
    """
    expected = model_digest(arrays)
    if certificate.model_digest != expected:
        raise InputError(
            f"belongs to another model; this one has the digest {expected}", field="model_digest"
        )
    _check_indices(arrays, certificate)
    walk = _Walk(arrays, certificate)
    for index, node in enumerate(certificate.nodes):
        if isinstance(node, BranchNode):
            walk.branch(node)
        elif isinstance(node, TightenNode):
            walk.tighten(node)
        else:
            fault = walk.close(node)
            if fault is not None:
                return LinearVerdict(None, False, arrays.minimise, (f"nodes[{index}]: {fault}",))
            walk.go_on()
    return walk.verdict()


def _check_indices(arrays: ModelArrays, certificate: LinearCertificate) -> None:
    n_rows, n_columns = arrays.row_lower.size, arrays.cost.size
    for index, vector in enumerate(certificate.multipliers):
        if vector.rows and vector.rows[-1] >= n_rows:
            raise InputError(
                f"names row {vector.rows[-1]} of a model with {n_rows}",
                field=f"multipliers[{index}].rows",
            )
    is_integer = arrays.kind == ColumnKind.INTEGER
    for index, node in enumerate(certificate.nodes):
        if not isinstance(node, BranchNode | EmptyLeaf):
            continue
        field = f"nodes[{index}].column"
        if node.column >= n_columns:
            raise InputError(f"is {node.column} in a model with {n_columns}", field=field)
        if isinstance(node, BranchNode) and not is_integer[node.column]:
            raise InputError(f"column {node.column} may take fractions", field=field)


class _Walk:
    """The box of the node at hand, and what the leaves have shown so far."""

    def __init__(self, arrays: ModelArrays, certificate: LinearCertificate) -> None:
        self.arrays = arrays
        self.vectors = certificate.multipliers
        self.relaxation = ExactRelaxation(arrays)
        self.lower = self.relaxation.root.lower.copy()
        self.upper = self.relaxation.root.upper.copy()
        self.box = Box(self.lower, self.upper)
        self.target = None if certificate.claim is None else Target.of(arrays, certificate.claim)
        self.has_tightened = False
        self.worst: Fraction | None = None
        self.n_bounded = self.n_refuted = 0
        # What to put back, and the second parts that are still to be visited.
        self.trail: list[tuple[FloatArray, NDArray[np.int64], FloatArray]] = []
        self.pending: list[tuple[int, int, int]] = []
        self.minorant = lru_cache(_KEPT_MINORANTS)(self._minorant)

    def branch(self, node: BranchNode) -> None:
        """Enter the first part."""
        self.pending.append((len(self.trail), node.column, node.value))
        column = np.array([node.column])
        self._set(self.upper, column, np.minimum(self.upper[column], float(node.value)))

    def go_on(self) -> None:
        """Leave a leaf for the second part of the last branch that has one."""
        if not self.pending:
            return
        length, branched, value = self.pending.pop()
        while len(self.trail) > length:
            bounds, columns, values = self.trail.pop()
            bounds[columns] = values
        column = np.array([branched])
        self._set(self.lower, column, np.maximum(self.lower[column], float(value + 1)))

    def tighten(self, node: TightenNode) -> None:
        """Leave out what is no better than the claimed bound."""
        if self.target is None:
            return
        minorant = self.minorant(node.multipliers, True)
        found = tightening(self.arrays, minorant, self.target, self.box)
        if found is not None:
            self.has_tightened = True
            self._set(self.lower, found.columns, found.lower)
            self._set(self.upper, found.columns, found.upper)

    def close(self, node: BoundLeaf | FarkasLeaf | EmptyLeaf) -> str | None:
        """Take what a leaf shows; return what is wrong with it, if anything."""
        if isinstance(node, EmptyLeaf):
            lower, upper = self.lower[node.column], self.upper[node.column]
            if lower <= upper:
                return f"column {node.column} still has values from {lower:.0f} to {upper:.0f}"
            self.n_refuted += 1
            return None
        minorant = self.minorant(node.multipliers, isinstance(node, BoundLeaf))
        least = minorant.least(self.box)
        if isinstance(node, FarkasLeaf):
            if least is None or least <= 0:
                return "the rows do not contradict the bounds of the columns"
            self.n_refuted += 1
            return None
        if least is None:
            return "the duals bound nothing, for lack of a bound on some column"
        self.n_bounded += 1
        value = Fraction(least, minorant.denominator)
        self.worst = value if self.worst is None else min(self.worst, value)
        return None

    def verdict(self) -> LinearVerdict:
        """Conclude from a complete tree."""
        messages = [f"leaves: {self.n_bounded} bounded, {self.n_refuted} refuted"]
        values = [] if self.worst is None else [self.worst]
        if self.has_tightened and self.target is not None:
            values.append(self.target.value)
        minimise = self.arrays.minimise
        if not values:
            return LinearVerdict(None, True, minimise, (*messages, "there is no feasible point"))
        bound = own_bound(self.arrays, min(values))
        messages.append(f"no feasible point is better than {bound}")
        return LinearVerdict(bound, False, minimise, tuple(messages))

    def _set(self, bounds: FloatArray, columns: NDArray[np.int64], values: FloatArray) -> None:
        self.trail.append((bounds, columns, bounds[columns]))
        bounds[columns] = values

    def _minorant(self, vector: int, costs: bool) -> Minorant:
        """Combine the rows with one vector of the certificate."""
        stored = self.vectors[vector]
        rows = np.array(stored.rows, dtype=np.int64)
        values = integers(np.array(stored.values, dtype=object))
        if costs:
            values = self.arrays.sign * values
        multipliers = Multipliers.of(self.arrays, rows, values, stored.denominator)
        return self.relaxation.minorant(multipliers, costs=costs)
