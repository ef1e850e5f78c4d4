"""A program to call, a problem on disk, and solvers that answer as they are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from leotrek_opt.cli.main import main
from leotrek_opt.instances.documents import digest, load, save
from leotrek_opt.models.placement import (
    Assignment,
    PlacementBreakdown,
    PlacementProblem,
    PlacementSolution,
    Violation,
    WorkflowValue,
)
from leotrek_opt.solvers import api
from leotrek_opt.solvers.method import Progress
from leotrek_opt.solvers.result import Result
from leotrek_opt.solvers.status import Proof, Status

GOLDEN = Path(__file__).parents[1] / "data" / "golden"


@dataclass
class Said:
    """What the program left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def leotrek(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Return a function that runs the program in this process."""

    def run(*arguments: object) -> Said:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def problem() -> PlacementProblem:
    """Return the golden placement problem."""
    document = load(GOLDEN / "placement-1.json")
    assert isinstance(document, PlacementProblem)
    return document


@pytest.fixture
def problem_file(tmp_path: Path, problem: PlacementProblem) -> Path:
    """Return that problem on disk."""
    return save(problem, tmp_path / "problem.json")


def result(problem: PlacementProblem, status: Status = Status.OPTIMAL, **changes: Any) -> Result:
    """Return a plausible result; ``broken`` names the rules that its solution breaks."""
    broken = changes.pop("broken", ())
    values: dict[str, Any] = {
        "problem_digest": digest(problem),
        "status": status,
        "proof": Proof.CERTIFIED,
        "objective": 12.5,
        "bound": 12.5,
        "gap": 0.0,
        "objective_quanta": 12_500_000,
        "bound_quanta": 12_500_000,
        "requested_solver": "auto",
        "solver": "exact",
        "solution": PlacementSolution(
            assignments=(Assignment(workflow="fire", function="extract", node="sat-0"),)
        ),
        "breakdown": PlacementBreakdown(
            workflows=(
                WorkflowValue(
                    workflow="fire", value_ms=12.5, response_ms=99.0, response_time_slo_ms=5000.0
                ),
            ),
            links=(),
        ),
        "violations": tuple(
            Violation(rule=rule, subject="edge-0", message=f"{rule} is broken") for rule in broken
        ),
        "build_s": 0.25,
        "solve_s": 0.5,
    }
    return Result(**(values | changes))


@dataclass
class FakeSolvers:
    """Stands for the solvers: answers what it was given and remembers what it was asked."""

    answers: list[Result] = field(default_factory=list)
    asked: dict[str, Any] = field(default_factory=dict)
    act: Callable[[Any], None] = lambda _: None

    def solve(self, problem: PlacementProblem, solver: str, **asked: Any) -> Result:
        self._take(problem, solver, asked)
        return self.answers[0]

    def compare(
        self, problem: PlacementProblem, solvers: list[str] | None, **asked: Any
    ) -> list[Result]:
        self._take(problem, solvers, asked)
        return self.answers

    def _take(self, problem: PlacementProblem, named: Any, asked: dict[str, Any]) -> None:
        self.asked = {"problem": problem, "named": named, **asked}
        if asked["on_progress"] is not None:
            asked["on_progress"](Progress(0.1, "exact", 13_000_000, None, "first placement"))
        self.act(asked["cancel"])


@pytest.fixture
def solvers(monkeypatch: pytest.MonkeyPatch) -> FakeSolvers:
    """Replace the solvers by a fake."""
    fake = FakeSolvers()
    monkeypatch.setattr(api, "solve", fake.solve)
    monkeypatch.setattr(api, "compare", fake.compare)
    return fake
