"""The commands one after the other on a small scenario, with the solvers that ship."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Said

from leotrek_opt.instances.documents import digest, load, save
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.solvers.result import Result

Leotrek = Callable[..., Said]

SIZES = ["--satellites", "432", "--edge", "12", "--ground-stations", "3", "--workflows", "3"]


@pytest.fixture
def wildfire(leotrek: Leotrek, tmp_path: Path) -> Path:
    """Return a small wildfire scenario on disk."""
    path = tmp_path / "wildfire.json"
    assert leotrek("generate", "wildfire", *SIZES, "--seed", 1, "--out", path).code == 0
    return path


def solved(path: Path) -> Result:
    document = load(path, "result")
    assert isinstance(document, Result)
    return document


def test_generate_solve_and_verify(leotrek: Leotrek, wildfire: Path, tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    said = leotrek("solve", wildfire, "--solver", "exact", "--out", out)
    assert said.code == 0
    assert "optimal" in said.out
    result = solved(out)
    assert result.status == "optimal"
    assert result.problem_digest == digest(load(wildfire))
    assert result.objective_quanta == result.bound_quanta
    said = leotrek("verify", wildfire, out)
    assert said.code == 0
    assert "verified   yes" in said.out


def test_solved_json_is_the_saved_document(
    leotrek: Leotrek, wildfire: Path, tmp_path: Path
) -> None:
    out = tmp_path / "result.json"
    said = leotrek("solve", wildfire, "--format", "json", "--out", out)
    assert said.code == 0
    assert said.out == out.read_text()
    assert said.err == ""


def test_result_that_was_tampered_with_is_refused(
    leotrek: Leotrek, wildfire: Path, tmp_path: Path
) -> None:
    out = tmp_path / "result.json"
    leotrek("solve", wildfire, "--out", out)
    result = solved(out)
    assert result.objective_quanta is not None
    better = result.objective_quanta - 1
    save(result.replace(objective_quanta=better, bound_quanta=better), out)
    said = leotrek("verify", wildfire, out)
    assert said.code == 5
    assert "verified   no" in said.out


def test_result_of_another_problem_is_refused(
    leotrek: Leotrek, wildfire: Path, tmp_path: Path
) -> None:
    out, other = tmp_path / "result.json", tmp_path / "other.json"
    leotrek("solve", wildfire, "--out", out)
    leotrek("generate", "wildfire", *SIZES, "--seed", 2, "--out", other)
    said = leotrek("verify", other, out)
    assert said.code == 2
    assert "problem_digest" in said.err


def test_frozen_problem_has_the_same_optimum(
    leotrek: Leotrek, wildfire: Path, tmp_path: Path
) -> None:
    plain, frozen = tmp_path / "plain.json", tmp_path / "frozen.json"
    from_frozen = tmp_path / "from-frozen.json"
    leotrek("solve", wildfire, "--out", plain)
    assert leotrek("solve", wildfire, "--freeze", frozen, "--out", from_frozen).code == 0
    assert solved(plain).objective_quanta == solved(from_frozen).objective_quanta
    assert solved(from_frozen).problem_digest == digest(load(frozen))
    assert leotrek("verify", frozen, from_frozen).code == 0


def test_comparison_sets_every_answer_against_the_best_bound(
    leotrek: Leotrek, wildfire: Path
) -> None:
    said = leotrek("compare", wildfire, "--format", "csv")
    assert said.code == 0
    rows = {row["solver"]: row for row in csv.DictReader(io.StringIO(said.out))}
    assert {"exact", "greedy", "hyperdrive", "hyperdrive@published", "first-fit"} <= set(rows)
    assert rows["exact"]["status"] == "optimal"
    assert float(rows["exact"]["gap_to_best_bound"]) == 0
    optimum = float(rows["exact"]["objective_ms"])
    for row in rows.values():
        if row["violations"] == "0" and row["objective_ms"]:
            assert float(row["objective_ms"]) >= optimum


def test_comparison_as_table_and_json(leotrek: Leotrek, wildfire: Path) -> None:
    table = leotrek("compare", wildfire, "--solvers", "exact,first-fit")
    assert table.code == 0
    assert [line.split()[0] for line in table.out.splitlines()[3:]] == ["exact", "first-fit"]
    said = leotrek("compare", wildfire, "--solvers", "exact,first-fit", "--format", "json")
    assert [entry["requested_solver"] for entry in json.loads(said.out)] == ["exact", "first-fit"]
    assert said.err == ""


def test_infeasible_problem_ends_with_3_and_says_why(
    leotrek: Leotrek, wildfire: Path, tmp_path: Path
) -> None:
    problem = load(wildfire)
    assert isinstance(problem, PlacementProblem)
    workflow = problem.workflows[0]
    greedy = workflow.functions[1].replace(demand={"memory_mib": 10**9})
    functions = (workflow.functions[0], greedy, *workflow.functions[2:])
    impossible = problem.replace(
        workflows=(workflow.replace(functions=functions), *problem.workflows[1:])
    )
    save(impossible, tmp_path / "impossible.json")
    said = leotrek("solve", tmp_path / "impossible.json")
    assert said.code == 3
    assert greedy.id in said.out


def test_ctrl_c_ends_with_130_and_the_best_answer(leotrek: Leotrek, tmp_path: Path) -> None:
    """Interrupt the real program while the local search improves a large problem."""
    wildfire = tmp_path / "wildfire.json"
    sizes = ["--satellites", "432", "--edge", "40", "--workflows", "30"]
    assert leotrek("generate", "wildfire", *sizes, "--seed", 1, "--out", wildfire).code == 0
    out = tmp_path / "result.json"
    child = subprocess.Popen(
        [
            *(sys.executable, "-m", "leotrek_opt", "solve", str(wildfire), "--solver", "lns"),
            *("--time-limit", "120", "--format", "json", "--out", str(out), "-vv"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stderr is not None
    while "lns  objective" not in child.stderr.readline():
        assert child.poll() is None
    child.send_signal(signal.SIGINT)
    printed, said = child.communicate(timeout=60)
    assert child.returncode == 130, said
    assert json.loads(printed) == json.loads(out.read_text())
    assert solved(out).objective is not None
