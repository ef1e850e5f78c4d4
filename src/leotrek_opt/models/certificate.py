"""Certificates: the few integers from which a bound can be derived again without a solver."""

from __future__ import annotations

import operator
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from leotrek_opt.models.base import EXACT_LIMIT, Identifier, StepIndex, StrictModel, rejection

MAX_PRICE = 2**62
MAX_DENOMINATOR = 2**40
MAX_MULTIPLIERS = 1_000_000
MAX_NODES = 200_000
MAX_NUMERATOR = 2**200
MAX_DUAL_DENOMINATOR = 2**120
MAX_OBJECTIVE = 2**1024

ResourceName = Annotated[
    str, StringConstraints(pattern=r"^(accelerator:)?[A-Za-z0-9._:#-]{1,128}$")
]
"""A resource of the node table, or ``accelerator:`` and a device."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

ObjectiveNs = Annotated[int, Field(ge=0, le=EXACT_LIMIT)]


RowIndex = Annotated[int, Field(ge=0, lt=2**31)]
ColumnIndex = Annotated[int, Field(ge=0, lt=2**31)]
VectorIndex = Annotated[int, Field(ge=0, lt=MAX_NODES)]
Numerator = Annotated[int, Field(ge=-MAX_NUMERATOR, le=MAX_NUMERATOR)]


class Multiplier(StrictModel):
    """What one unit of a resource costs on one node during one window of the problem.

    ``step`` is the first step of the window. With the certificate's denominator,
    ``price / denominator`` is the price in ns per unit.
    """

    step: StepIndex
    resource: ResourceName
    node: Identifier
    price: Annotated[int, Field(ge=0, le=MAX_PRICE)]

    @property
    def place(self) -> tuple[int, str, str]:
        """Window, resource and node: what is priced."""
        return self.step, self.resource, self.node


class PlacementCertificate(StrictModel):
    """Why no placement is better than ``bound_ns``; without ``bound_ns``: why there is none at all.

    The bound follows from the problem and the ``multipliers`` by dynamic programming over trees of
    functions, as :func:`leotrek_opt.solvers.certificate.placement_bound` does it: capacities are
    priced instead of enforced, and what cannot lie below ``target_ns`` is deleted on the way.
    ``target_ns`` is the objective of the solution whose optimality is to be proven, if any.

    A wrong certificate cannot make a wrong bound, only a weak one: every choice of multipliers and
    target gives a valid bound.
    """

    kind: Literal["certificate"] = "certificate"
    version: Literal[1] = 1
    problem_kind: Literal["placement"] = "placement"
    problem_digest: Sha256
    method: Literal["dynamic_programming"] = "dynamic_programming"
    denominator: Annotated[int, Field(ge=1, le=MAX_DENOMINATOR)] = 1
    multipliers: Annotated[tuple[Multiplier, ...], Field(max_length=MAX_MULTIPLIERS)] = ()
    bound_ns: ObjectiveNs | None
    target_ns: ObjectiveNs | None = None

    @model_validator(mode="after")
    def _is_canonical(self) -> Self:
        _require_power_of_two("denominator", self.denominator)
        places = [multiplier.place for multiplier in self.multipliers]
        for index, (before, after) in enumerate(pairwise(places), start=1):
            if before == after:
                raise rejection(f"multipliers[{index}]", "priced twice")
            if before > after:
                raise rejection(
                    f"multipliers[{index}]", "must be sorted by step, resource and node"
                )
        if self.target_ns is None:
            return self
        if self.bound_ns is None:
            raise rejection("target_ns", "an infeasible problem has no solution to compare with")
        if self.bound_ns > self.target_ns:
            raise rejection("bound_ns", f"must be <= target_ns = {self.target_ns}")
        return self


class RowMultipliers(StrictModel):
    """A vector over the rows of a linear model: ``values[k] / denominator`` in row ``rows[k]``.

    Rows ascend, those left out have 0. Read as duals they follow the sense of the model: reduced
    costs are ``cost - A' y``.
    """

    rows: Annotated[tuple[RowIndex, ...], Field(max_length=MAX_MULTIPLIERS)] = ()
    values: Annotated[tuple[Numerator, ...], Field(max_length=MAX_MULTIPLIERS)] = ()
    denominator: Annotated[int, Field(ge=1, le=MAX_DUAL_DENOMINATOR)] = 1

    @model_validator(mode="after")
    def _is_canonical(self) -> Self:
        _require_power_of_two("denominator", self.denominator)
        if len(self.rows) != len(self.values):
            raise rejection("values", f"must have one entry for each of {len(self.rows)} rows")
        if not all(map(operator.lt, self.rows, self.rows[1:])):
            index = next(i for i, (a, b) in enumerate(pairwise(self.rows), start=1) if a >= b)
            raise rejection(f"rows[{index}]", f"must be > {self.rows[index - 1]}, the row before")
        if 0 in self.values:
            raise rejection(f"values[{self.values.index(0)}]", "must not be 0")
        return self


class BranchNode(StrictModel):
    """An integer column is at most ``value`` in the first part, and above it in the second."""

    type: Literal["branch"] = "branch"
    column: ColumnIndex
    value: Annotated[int, Field(ge=-EXACT_LIMIT, le=EXACT_LIMIT)]


class TightenNode(StrictModel):
    """Values of integer columns are left out where duals show that the claimed bound is reached.

    What follows is the part with all other values.
    """

    type: Literal["tighten"] = "tighten"
    multipliers: VectorIndex


class BoundLeaf(StrictModel):
    """Duals bound the objective of what is left here."""

    type: Literal["bound"] = "bound"
    multipliers: VectorIndex


class FarkasLeaf(StrictModel):
    """A combination of rows shows that nothing is left here."""

    type: Literal["farkas"] = "farkas"
    multipliers: VectorIndex


class EmptyLeaf(StrictModel):
    """A column has no value left here."""

    type: Literal["empty"] = "empty"
    column: ColumnIndex


CertificateNode = Annotated[
    BranchNode | TightenNode | BoundLeaf | FarkasLeaf | EmptyLeaf, Field(discriminator="type")
]


class LinearCertificate(StrictModel):
    """Why no point of a linear model is better than ``bound``; without it: why there is no point.

    ``bound / bound_denominator`` is in the sense of the model and includes its offset. ``nodes``
    are a tree in preorder: what follows a node is its first part, then, after a branch, the second
    one. ``multipliers`` are the vectors that its nodes refer to, by position.

    The bound follows from the model and the tree in exact arithmetic, as
    :func:`leotrek_opt.solvers.certificate.branch.linear_bound` does it. A wrong certificate cannot
    make a wrong bound, only a weak one or none.
    """

    kind: Literal["certificate"] = "certificate"
    version: Literal[1] = 1
    problem_kind: Literal["linear"] = "linear"
    model_digest: Sha256
    bound: Annotated[int, Field(ge=-MAX_OBJECTIVE, le=MAX_OBJECTIVE)] | None
    bound_denominator: Annotated[int, Field(ge=1, le=MAX_DUAL_DENOMINATOR)] = 1
    multipliers: Annotated[tuple[RowMultipliers, ...], Field(max_length=MAX_NODES)] = ()
    nodes: Annotated[tuple[CertificateNode, ...], Field(min_length=1, max_length=MAX_NODES)]

    @property
    def claim(self) -> Fraction | None:
        """The claimed bound, or None for infeasibility."""
        return None if self.bound is None else Fraction(self.bound, self.bound_denominator)

    @property
    def method(self) -> Literal["dual_bound", "farkas", "branch"]:
        """What kind of argument this is: one vector of duals, one ray, or a tree."""
        if len(self.nodes) > 1 or isinstance(self.nodes[0], EmptyLeaf):
            return "branch"
        return "dual_bound" if isinstance(self.nodes[0], BoundLeaf) else "farkas"

    @model_validator(mode="after")
    def _is_canonical(self) -> Self:
        _require_power_of_two("bound_denominator", self.bound_denominator)
        if self.bound_denominator > 1 and (self.bound is None or self.bound % 2 == 0):
            raise rejection("bound_denominator", "must be 1 unless the bound is odd")
        missing = 1
        for index, node in enumerate(self.nodes):
            at = f"nodes[{index}]"
            if not missing:
                raise rejection(at, "follows a tree that is complete")
            if isinstance(node, BranchNode):
                missing += 1
            elif not isinstance(node, TightenNode):
                missing -= 1
            if isinstance(node, TightenNode | BoundLeaf) and self.bound is None:
                raise rejection(at, f"{node.type} needs a bound, and none is claimed")
            if isinstance(node, TightenNode | BoundLeaf | FarkasLeaf) and node.multipliers >= len(
                self.multipliers
            ):
                count = len(self.multipliers)
                raise rejection(f"{at}.multipliers", f"must be < {count}, the number of vectors")
        if missing:
            raise rejection("nodes", f"the tree ends with {missing} part(s) missing")
        return self


def _require_power_of_two(field: str, number: int) -> None:
    if number & (number - 1):
        raise rejection(field, f"must be a power of two, got {number}")
