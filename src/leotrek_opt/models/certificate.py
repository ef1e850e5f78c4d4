"""Certificates: the few integers from which a bound can be derived again without a solver."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from leotrek_opt.models.base import EXACT_LIMIT, Identifier, StepIndex, StrictModel, rejection

MAX_PRICE = 2**62
MAX_DENOMINATOR = 2**40
MAX_MULTIPLIERS = 1_000_000

ResourceName = Annotated[
    str, StringConstraints(pattern=r"^(accelerator:)?[A-Za-z0-9._:#-]{1,128}$")
]
"""A resource of the node table, or ``accelerator:`` and a device."""

ObjectiveNs = Annotated[int, Field(ge=0, le=EXACT_LIMIT)]


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
    problem_digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    method: Literal["dynamic_programming"] = "dynamic_programming"
    denominator: Annotated[int, Field(ge=1, le=MAX_DENOMINATOR)] = 1
    multipliers: Annotated[tuple[Multiplier, ...], Field(max_length=MAX_MULTIPLIERS)] = ()
    bound_ns: ObjectiveNs | None
    target_ns: ObjectiveNs | None = None

    @model_validator(mode="after")
    def _is_canonical(self) -> Self:
        if self.denominator & (self.denominator - 1):
            raise rejection("denominator", f"must be a power of two, got {self.denominator}")
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
