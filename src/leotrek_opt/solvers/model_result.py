"""What solving a linear model returns, as documents like those of the other problems."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from leotrek_opt.models.base import StrictModel
from leotrek_opt.models.certificate import LinearCertificate
from leotrek_opt.solvers.result import Incumbent
from leotrek_opt.solvers.status import Proof, Status

ExactNumber = Annotated[
    str, StringConstraints(pattern=r"^-?[0-9]+(/[1-9][0-9]*)?$", max_length=4_000)
]
"""A whole number or a fraction, such as ``-3`` or ``2419/100``."""

ModelDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ModelSolution(StrictModel):
    """Values of a model's columns; columns that are not listed are 0."""

    kind: Literal["solution"] = "solution"
    version: Literal[1] = 1
    problem_kind: Literal["linear"] = "linear"
    problem_digest: ModelDigest
    values: dict[str, int | float]


class ModelResult(StrictModel):
    """The outcome of :func:`leotrek_opt.solve_model`.

    ``objective`` and ``bound`` are in the units of the model as it was given; ``exact_objective``
    and ``exact_bound`` are the same without rounding where they are known so. ``row_dual`` is there
    for a linear program that an engine solved with duals, in the units of the scaled integers.
    """

    kind: Literal["result"] = "result"
    version: Literal[1] = 1
    problem_kind: Literal["linear"] = "linear"
    problem_digest: ModelDigest
    status: Status
    termination: str
    proof: Proof
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    exact_objective: ExactNumber | None = None
    exact_bound: ExactNumber | None = None
    requested_solver: str
    solver: str
    solution: ModelSolution | None = None
    violations: tuple[str, ...] = ()
    is_verified: bool = False
    certificate: LinearCertificate | None = None
    explanation: tuple[str, ...] = ()
    incumbents: tuple[Incumbent, ...] = ()
    nodes: Annotated[int, Field(ge=0)] = 0
    iterations: Annotated[int, Field(ge=0)] = 0
    seed: int = 0
    threads: int = 1
    options: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    solve_s: Annotated[float, Field(ge=0)] = 0.0
    verify_s: Annotated[float, Field(ge=0)] = 0.0

    def summary(self) -> str:
        """Return one line: solver, status, proof, objective, bound, seconds."""
        value = "-" if self.objective is None else f"{self.objective:.6f}"
        bound = "-" if self.bound is None else f"{self.bound:.6f}"
        return (
            f"{self.solver}: {self.status} ({self.proof}), objective {value}, bound {bound}, "
            f"{self.solve_s:.2f} s"
        )


def exact_text(value: Fraction | int | None) -> str | None:
    """Write an exact number as it stands in a document."""
    return None if value is None else str(Fraction(value))


def exact_number(text: str | None) -> Fraction | None:
    """Read an exact number of a document."""
    return None if text is None else Fraction(text)
