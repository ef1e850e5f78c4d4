"""``leotrek verify``: the checker's word in a few lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import GOLDEN, Said, result

from leotrek_opt.instances.documents import save
from leotrek_opt.models.placement import PlacementProblem, Violation
from leotrek_opt.solvers import api
from leotrek_opt.solvers.api import Verification
from leotrek_opt.solvers.status import Proof

Leotrek = Callable[..., Said]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Let the checker find what a test puts in here; keeps what it was asked."""
    values: dict[str, Any] = {
        "ok": True,
        "violations": (),
        "objective": 12.5,
        "bound": 12.5,
        "proof": Proof.CERTIFIED,
        "messages": ("the solution keeps every rule",),
    }
    asked: dict[str, Any] = {}

    def verify(problem: Any, subject: Any) -> Verification:
        asked.update(problem=problem, subject=subject)
        return Verification(**{key: values[key] for key in list(values) if key != "asked"})

    values["asked"] = asked
    monkeypatch.setattr(api, "verify", verify)
    return values


def test_good_result_ends_with_0(
    leotrek: Leotrek,
    found: dict[str, Any],
    problem: PlacementProblem,
    problem_file: Path,
    tmp_path: Path,
) -> None:
    answer = result(problem)
    save(answer, tmp_path / "result.json")
    said = leotrek("verify", problem_file, tmp_path / "result.json")
    assert said.code == 0
    assert said.out.splitlines() == [
        "verified   yes",
        "objective  12.5000 ms",
        "bound      12.5000 ms",
        "proof      certified",
        "the solution keeps every rule",
    ]
    assert found["asked"] == {"problem": problem, "subject": answer}


def test_bare_solution_is_taken_too(
    leotrek: Leotrek, found: dict[str, Any], problem_file: Path
) -> None:
    assert leotrek("verify", problem_file, GOLDEN / "solution-1.json").code == 0
    assert found["asked"]["subject"].kind == "solution"


def test_refused_result_ends_with_5(
    leotrek: Leotrek, found: dict[str, Any], problem_file: Path
) -> None:
    violation = Violation(rule="capacity", subject="edge-0", message="5000 of 4000 cpu_millis")
    found.update(ok=False, violations=(violation,), bound=None)
    said = leotrek("verify", problem_file, GOLDEN / "solution-1.json")
    assert said.code == 5
    assert "verified   no" in said.out
    assert "capacity: edge-0: 5000 of 4000 cpu_millis" in said.out


def test_json_is_one_document(leotrek: Leotrek, found: dict[str, Any], problem_file: Path) -> None:
    found.update(ok=False, objective=None)
    said = leotrek("verify", problem_file, GOLDEN / "solution-1.json", "--format", "json")
    assert said.code == 5
    assert json.loads(said.out) == {
        "ok": False,
        "objective": None,
        "bound": 12.5,
        "proof": "certified",
        "violations": [],
        "messages": ["the solution keeps every rule"],
    }


def test_other_documents_are_refused(leotrek: Leotrek, problem_file: Path) -> None:
    said = leotrek("verify", problem_file, problem_file)
    assert said.code == 2
    assert 'kind: must be "result" or "solution" (got "placement")' in said.err
    said = leotrek("verify", GOLDEN / "solution-1.json", problem_file)
    assert said.code == 2
    assert 'must be "placement" to be solved' in said.err


def test_result_of_another_problem_is_refused(
    leotrek: Leotrek, problem: PlacementProblem, problem_file: Path, tmp_path: Path
) -> None:
    plain = tuple(workflow.replace(control=()) for workflow in problem.workflows)
    save(problem.replace(workflows=plain), problem_file)
    save(result(problem), tmp_path / "result.json")
    said = leotrek("verify", problem_file, tmp_path / "result.json")
    assert said.code == 2
    assert f"{tmp_path / 'result.json'}: problem_digest: " in said.err
