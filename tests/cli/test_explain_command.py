"""``leotrek explain``: conflicts on the command line, exit codes and Ctrl-C."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Said
from tests.planted_conflicts import planted_problem
from tests.random_problems import random_problem
from tests.solvers.explain.placement.checks import enumerated

from leotrek_opt.instances.documents import save
from leotrek_opt.solvers.explain import placement

Leotrek = Callable[..., Said]

MODEL = """NAME tiny
ROWS
 N cost
 G demand
 L capacity
COLUMNS
 x cost 1 demand 1
 x capacity 1
RHS
 RHS demand 7 capacity 5
BOUNDS
 UP BND x 9
ENDATA
"""


@pytest.fixture
def infeasible(tmp_path: Path) -> Path:
    """Return a problem with one planted conflict on disk."""
    return save(planted_problem(0).problem, tmp_path / "problem.json")


def test_conflict_and_what_would_help_are_printed(leotrek: Leotrek, infeasible: Path) -> None:
    said = leotrek("explain", infeasible)
    assert said.code == 3
    lines = said.out.splitlines()
    assert lines[:2] == [
        "status     infeasible",
        "conflict   2 rules, irreducible, no smaller one exists",
    ]
    assert lines[4:] == [
        "no placement keeps these 2 rules together, but without any one of them the others can be "
        "kept:",
        "- pinned place of function planted0/f (node p0a)",
        "- capacity cpu_millis of node p0a (1000 mCPU)",
        "it would be enough to raise capacity cpu_millis of node p0a by 345 mCPU to 1345 mCPU",
        "or to let function planted0/f run on other nodes than p0a",
        lines[-1],
    ]
    assert "confirmed by exact arithmetic without a solver" in lines[-1]
    assert said.err == ""


def test_json_is_one_document(leotrek: Leotrek, infeasible: Path) -> None:
    said = leotrek("explain", infeasible, "--format", "json", "--seed", "3")
    assert said.code == 3
    document = json.loads(said.out)
    assert document["kind"] == "explanation"
    assert document["seed"] == 3
    assert {rule["id"] for rule in document["rules"]} == {
        "pinned:planted0/f",
        "capacity:cpu_millis:p0a",
    }
    assert document["relaxations"][0]["changes"][0]["amount"] == 345


def test_feasible_problem_ends_with_0(leotrek: Leotrek, tmp_path: Path) -> None:
    drawn = (random_problem(seed, max_placements=4_000) for seed in range(99))
    problem = next(each for each in drawn if enumerated(each))
    said = leotrek("explain", save(problem, tmp_path / "problem.json"))
    assert said.code == 0
    assert said.out.splitlines()[-1] == "there is nothing to explain: a placement keeps every rule"


def test_undecided_ends_with_4(leotrek: Leotrek, infeasible: Path) -> None:
    said = leotrek("explain", infeasible, "--time-limit", "0")
    assert said.code == 4
    assert "was not found out in the time given" in said.out


def test_interrupt_prints_the_best_set_so_far(
    leotrek: Leotrek, infeasible: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = placement.explain

    def interrupted(problem: Any, **asked: Any) -> Any:
        events: list[Any] = []

        def note(event: Any) -> None:
            events.append(event)
            if len(events) == 2:
                signal.raise_signal(signal.SIGINT)

        return real(problem, **(asked | {"on_progress": note}))

    monkeypatch.setattr(placement, "explain", interrupted)
    said = leotrek("explain", infeasible)
    assert said.code == 130
    assert "the reason lies within these" in said.out
    assert "- pinned place of function planted0/f (node p0a)" in said.out


def test_linear_model_is_explained_by_its_rows(leotrek: Leotrek, tmp_path: Path) -> None:
    path = tmp_path / "tiny.mps"
    path.write_text(MODEL, encoding="ascii")
    said = leotrek("explain", path)
    assert said.code == 3
    assert said.out.splitlines()[4:8] == [
        "nothing keeps these 2 together, but without any one of them the others hold:",
        "- demand",
        "- capacity",
        "it would be enough to lower the lower side of demand by 2 to 5",
    ]


def test_bad_input_is_one_line(leotrek: Leotrek, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text('{"kind": "placement"', encoding="ascii")
    said = leotrek("explain", path)
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert len(said.err.splitlines()) == 1


def test_other_documents_are_refused(leotrek: Leotrek) -> None:
    golden = Path(__file__).parents[1] / "data" / "golden" / "solution-1.json"
    said = leotrek("explain", golden)
    assert said.code == 2
    assert 'must be "placement"' in said.err
