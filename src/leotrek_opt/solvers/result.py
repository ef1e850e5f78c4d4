"""What a solve returns: answer, bound, proof, and how it came about."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from leotrek_opt.models.base import StrictModel
from leotrek_opt.models.certificate import LinearCertificate, PlacementCertificate
from leotrek_opt.models.placement import (
    PlacementBreakdown,
    PlacementSolution,
    Violation,
)
from leotrek_opt.solvers.status import Proof, Status


class Incumbent(StrictModel):
    """Best known values at one moment of a solve."""

    seconds: Annotated[float, Field(ge=0)]
    objective: float | None
    bound: float | None


class StageReport(StrictModel):
    """One stage of a method, with counts worth knowing."""

    name: str
    seconds: Annotated[float, Field(ge=0)]
    facts: dict[str, float | int | str] = Field(default_factory=dict)


class Result(StrictModel):
    """The outcome of :func:`leotrek_opt.solve`.

    ``objective`` and ``bound`` are in ``unit`` (ms for placement), ``objective_quanta`` and
    ``bound_quanta`` the same as exact integers (ns). Unknown values are None. ``gap`` is
    ``(objective - bound) / objective``. The objective is the checker's, never the solver's word;
    empty ``violations`` mean that the solution keeps every rule.
    """

    kind: Literal["result"] = "result"
    version: Literal[1] = 1
    problem_kind: Literal["placement"] = "placement"
    problem_digest: str = ""
    problem_id: str = ""
    status: Status
    proof: Proof
    unit: Literal["ms"] = "ms"
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    objective_quanta: int | None = None
    bound_quanta: int | None = None
    requested_solver: str
    solver: str
    solution: PlacementSolution | None = None
    breakdown: PlacementBreakdown | None = None
    violations: tuple[Violation, ...] = ()
    is_verified: bool = False
    certificate: Annotated[
        PlacementCertificate | LinearCertificate | None, Field(discriminator="problem_kind")
    ] = None
    explanation: tuple[str, ...] = ()
    incumbents: tuple[Incumbent, ...] = ()
    stages: tuple[StageReport, ...] = ()
    seed: int = 0
    threads: int = 1
    options: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    build_s: Annotated[float, Field(ge=0)] = 0.0
    solve_s: Annotated[float, Field(ge=0)] = 0.0
    verify_s: Annotated[float, Field(ge=0)] = 0.0

    def summary(self) -> str:
        """Return one line: solver, status, proof, objective, bound, seconds."""
        value = "-" if self.objective is None else f"{self.objective:.6f} {self.unit}"
        bound = "-" if self.bound is None else f"{self.bound:.6f} {self.unit}"
        broken = f", {len(self.violations)} violation(s)" if self.violations else ""
        return (
            f"{self.solver}: {self.status} ({self.proof}), objective {value}, "
            f"bound {bound}{broken}, {self.solve_s:.2f} s"
        )
