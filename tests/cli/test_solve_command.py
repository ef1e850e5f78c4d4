"""``leotrek solve``: what is asked, what is printed, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import GOLDEN, FakeSolvers, Said, result

from leotrek_opt.instances.documents import digest, load
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.models.topology import ExplicitTopology
from leotrek_opt.solvers.status import Proof, Status

Leotrek = Callable[..., Said]


def test_options_reach_the_solver(
    leotrek: Leotrek, solvers: FakeSolvers, problem: PlacementProblem, problem_file: Path
) -> None:
    solvers.answers = [result(problem)]
    limits = ["--time-limit", "2.5", "--gap", "0.01", "--seed", "7", "--threads", "2"]
    assert leotrek("solve", problem_file, "--solver", "lns", *limits).code == 0
    asked = solvers.asked
    assert asked["problem"] == problem
    assert asked["named"] == "lns"
    assert asked["time_limit_s"] == 2.5
    assert (asked["gap"], asked["seed"], asked["threads"]) == (0.01, 7, 2)
    assert not asked["cancel"].is_set()


def test_defaults_are_those_of_the_library(
    leotrek: Leotrek, solvers: FakeSolvers, problem: PlacementProblem, problem_file: Path
) -> None:
    solvers.answers = [result(problem)]
    leotrek("solve", problem_file)
    asked = solvers.asked
    assert asked["named"] == "auto"
    assert asked["time_limit_s"] is None
    assert (asked["gap"], asked["seed"], asked["threads"]) == (0.0, 0, 1)


def test_table_tells_what_ran_and_what_came_out(
    leotrek: Leotrek, solvers: FakeSolvers, problem: PlacementProblem, problem_file: Path
) -> None:
    solvers.answers = [result(problem)]
    said = leotrek("solve", problem_file)
    lines = dict(line.split(maxsplit=1) for line in said.out.splitlines()[:8])
    assert lines == {
        "solver": "exact (asked for auto)",
        "status": "optimal",
        "proof": "certified",
        "objective": "12.5000 ms (max critical_path+data_sources)",
        "bound": "12.5000 ms",
        "gap": "0 %",
        "violations": "0",
        "seconds": "0.750",
    }
    row = next(line for line in said.out.splitlines() if line.startswith("fire"))
    assert row.split() == ["fire", "1", "of", "3", "12.5000", "99.0000", "5000.0000"]
    assert said.err == ""


def test_json_is_the_result_document_and_nothing_else(
    leotrek: Leotrek,
    solvers: FakeSolvers,
    problem: PlacementProblem,
    problem_file: Path,
    tmp_path: Path,
) -> None:
    answer = result(problem)
    solvers.answers = [answer]
    out = tmp_path / "result.json"
    said = leotrek("solve", problem_file, "--format", "json", "--out", out)
    assert json.loads(said.out)["objective_quanta"] == 12_500_000
    assert said.out == out.read_text()
    assert load(out) == answer
    assert said.err == ""


def test_csv_is_one_row(
    leotrek: Leotrek, solvers: FakeSolvers, problem: PlacementProblem, problem_file: Path
) -> None:
    solvers.answers = [result(problem, bound=None, gap=None)]
    said = leotrek("solve", problem_file, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(said.out))
    assert row["solver"] == "exact"
    assert float(row["objective_ms"]) == 12.5
    assert row["bound_ms"] == ""


NOTHING: dict[str, Any] = {
    "objective": None,
    "objective_quanta": None,
    "bound": None,
    "gap": None,
    "solution": None,
    "breakdown": None,
    "proof": Proof.NONE,
}


@pytest.mark.parametrize(
    ("status", "changes", "code"),
    [
        (Status.OPTIMAL, {}, 0),
        (Status.FEASIBLE, {"gap": 0.1}, 0),
        (Status.INFEASIBLE, NOTHING, 3),
        (Status.NO_SOLUTION, NOTHING, 4),
        (Status.NO_SOLUTION, {"broken": ["assignment"]}, 4),
        (Status.UNBOUNDED, NOTHING, 4),
        (Status.FEASIBLE, {"broken": ["capacity"]}, 5),
        (Status.ERROR, {"broken": ["capacity"]}, 5),
        (Status.ERROR, {}, 5),
        (Status.ERROR, NOTHING, 1),
        (Status.INTERRUPTED, {}, 130),
        (Status.INTERRUPTED, NOTHING, 130),
    ],
)
@pytest.mark.parametrize("output_format", ["table", "json", "csv"])
def test_exit_code_follows_the_result(
    leotrek: Leotrek,
    solvers: FakeSolvers,
    problem: PlacementProblem,
    problem_file: Path,
    status: Status,
    changes: dict[str, Any],
    code: int,
    output_format: str,
) -> None:
    solvers.answers = [result(problem, status, **changes)]
    said = leotrek("solve", problem_file, "--format", output_format)
    assert said.code == code
    assert str(status) in said.out


def test_infeasible_problem_is_explained(
    leotrek: Leotrek, solvers: FakeSolvers, problem: PlacementProblem, problem_file: Path
) -> None:
    explanation = ("fire/detect has no node left:", "  3 of 4 lack memory_mib")
    solvers.answers = [result(problem, Status.INFEASIBLE, **NOTHING, explanation=explanation)]
    said = leotrek("solve", problem_file)
    assert said.code == 3
    assert "\n".join(explanation) in said.out
    assert "objective  - ms" in said.out


def test_violations_are_told_but_not_all_of_very_many(
    leotrek: Leotrek, solvers: FakeSolvers, problem: PlacementProblem, problem_file: Path
) -> None:
    solvers.answers = [result(problem, Status.FEASIBLE, broken=["capacity"] * 30)]
    said = leotrek("solve", problem_file)
    assert said.out.count("capacity: edge-0: capacity is broken") == 20
    assert "... and 10 more" in said.out


def test_freeze_solves_and_keeps_the_explicit_problem(
    leotrek: Leotrek, solvers: FakeSolvers, problem: PlacementProblem, tmp_path: Path
) -> None:
    from leotrek_opt.instances.documents import save
    from leotrek_opt.models.continuum import Continuum
    from leotrek_opt.models.workflow import Function, Workflow

    continuum = load(GOLDEN / "continuum-generated-1.json")
    assert isinstance(continuum, Continuum)
    recipe = PlacementProblem(
        continuum=continuum, workflows=(Workflow(id="w", functions=(Function(id="f"),)),)
    )
    save(recipe, tmp_path / "recipe.json")
    solvers.answers = [result(problem)]
    frozen = tmp_path / "frozen.json"
    assert leotrek("solve", tmp_path / "recipe.json", "--freeze", frozen).code == 0
    solved = solvers.asked["problem"]
    assert isinstance(solved.continuum.topology, ExplicitTopology)
    assert load(frozen) == solved
    assert digest(solved) != digest(recipe)


def test_ctrl_c_asks_the_solver_to_stop_and_writes_its_answer(
    leotrek: Leotrek,
    solvers: FakeSolvers,
    problem: PlacementProblem,
    problem_file: Path,
    tmp_path: Path,
) -> None:
    def press(cancel: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        assert cancel.wait(5)

    before = signal.getsignal(signal.SIGINT)
    solvers.act = press
    solvers.answers = [result(problem, Status.FEASIBLE)]
    said = leotrek("solve", problem_file, "--out", tmp_path / "r.json", "--format", "json")
    assert said.code == 130
    assert json.loads(said.out)["status"] == "feasible"
    assert load(tmp_path / "r.json") == solvers.answers[0]
    assert signal.getsignal(signal.SIGINT) == before


def test_final_answer_counts_although_ctrl_c_was_pressed(
    leotrek: Leotrek, solvers: FakeSolvers, problem: PlacementProblem, problem_file: Path
) -> None:
    solvers.act = lambda cancel: cancel.set()
    solvers.answers = [result(problem, Status.OPTIMAL)]
    assert leotrek("solve", problem_file).code == 0
    solvers.answers = [result(problem, Status.INFEASIBLE, **NOTHING)]
    assert leotrek("solve", problem_file).code == 3
    solvers.answers = [result(problem, Status.NO_SOLUTION, **NOTHING)]
    assert leotrek("solve", problem_file).code == 130


def test_second_ctrl_c_aborts(
    leotrek: Leotrek, solvers: FakeSolvers, problem: PlacementProblem, problem_file: Path
) -> None:
    def press_twice(cancel: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        assert cancel.wait(5)
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("the second signal was swallowed")

    solvers.act = press_twice
    solvers.answers = [result(problem)]
    said = leotrek("solve", problem_file)
    assert said.code == 130
    assert said.out == ""


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["no.json"], "error: no.json: no such file"),
        ([GOLDEN / "workflow-1.json"], 'kind: must be "placement" to be solved'),
        ([GOLDEN / "placement-1.json", "--solver", "hihgs"], "hihgs"),
        ([GOLDEN / "placement-1.json", "--time-limit", "-1"], "--time-limit"),
        ([GOLDEN / "placement-1.json", "--time-limit", "nan"], "--time-limit"),
        ([GOLDEN / "placement-1.json", "--gap", "inf"], "--gap"),
        ([GOLDEN / "placement-1.json", "--threads", "0"], "--threads"),
        ([GOLDEN / "placement-1.json", "--format", "yaml"], "--format"),
    ],
)
def test_bad_input_ends_with_2(leotrek: Leotrek, arguments: list[object], line: str) -> None:
    said = leotrek("solve", *arguments)
    assert said.code == 2
    assert line in said.err.splitlines()[0]
    assert said.out == ""
    assert "Traceback" not in said.err


def test_out_that_cannot_be_written_ends_with_2(
    leotrek: Leotrek, solvers: FakeSolvers, problem: PlacementProblem, problem_file: Path
) -> None:
    solvers.answers = [result(problem)]
    said = leotrek("solve", problem_file, "--out", "/no/such/folder/r.json")
    assert said.code == 2
    assert "/no/such/folder/r.json: there is no folder" in said.err


def test_logging_goes_to_stderr_when_asked_for(
    leotrek: Leotrek, solvers: FakeSolvers, problem: PlacementProblem, problem_file: Path
) -> None:
    import logging

    solvers.act = lambda _: logging.getLogger("leotrek_opt.somewhere").info("step one")
    solvers.answers = [result(problem)]
    assert "step one" not in leotrek("solve", problem_file).err
    said = leotrek("solve", problem_file, "-v", "--format", "json")
    assert "INFO leotrek_opt.somewhere: step one" in said.err
    json.loads(said.out)
    said = leotrek("solve", problem_file, "-vv", "--quiet")
    assert "0.1 s  exact  objective 13.0000  first placement" in said.err


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("quiet", [False, True])
def test_progress_is_shown_on_a_terminal_unless_quiet(
    leotrek: Leotrek,
    solvers: FakeSolvers,
    problem: PlacementProblem,
    problem_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    quiet: bool,
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    solvers.answers = [result(problem)]
    said = leotrek("solve", problem_file, "--format", "json", *(["--quiet"] if quiet else []))
    json.loads(said.out)
    assert (solvers.asked["on_progress"] is None) == quiet
    assert (terminal.getvalue() == "") == quiet
