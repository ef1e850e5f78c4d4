"""``leotrek compare``: several answers side by side, and the gap to the best bound of all."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import FakeSolvers, Said, result

from leotrek_opt.cli.compare import gaps_to_best_bound
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.solvers.result import Result
from leotrek_opt.solvers.status import Proof, Status

Leotrek = Callable[..., Said]


def answers(problem: PlacementProblem) -> list[Result]:
    """Return a proven optimum, a worse answer without a bound, and one that breaks rules."""
    return [
        result(problem, requested_solver="exact"),
        result(
            problem,
            Status.FEASIBLE,
            requested_solver="greedy",
            solver="greedy",
            objective=15.625,
            bound=None,
            gap=None,
            proof=Proof.NONE,
        ),
        result(
            problem,
            Status.NO_SOLUTION,
            requested_solver="hyperdrive",
            solver="hyperdrive",
            objective=10.0,
            bound=None,
            gap=None,
            proof=Proof.NONE,
            broken=["max_latency", "response_time", "data_source", "temperature", "capacity"],
        ),
    ]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], None),
        (["--solver", "exact", "--solver", "greedy"], ["exact", "greedy"]),
        (["--solvers", "exact, greedy,lns"], ["exact", "greedy", "lns"]),
        (["--solver", "exact", "--solvers", "greedy"], ["exact", "greedy"]),
    ],
)
def test_solvers_are_named_one_by_one_or_in_a_list(
    leotrek: Leotrek,
    solvers: FakeSolvers,
    problem: PlacementProblem,
    problem_file: Path,
    arguments: list[str],
    named: list[str] | None,
) -> None:
    solvers.answers = answers(problem)
    assert leotrek("compare", problem_file, *arguments).code == 0
    assert solvers.asked["named"] == named


def test_gap_is_measured_against_the_best_bound_of_all(problem: PlacementProblem) -> None:
    assert gaps_to_best_bound(answers(problem)) == [0.0, 0.2, None]


def test_gap_is_unknown_without_any_bound(problem: PlacementProblem) -> None:
    assert gaps_to_best_bound([result(problem, bound=None)]) == [None]
    assert gaps_to_best_bound([]) == []


def test_gap_of_a_zero_objective_is_zero(problem: PlacementProblem) -> None:
    assert gaps_to_best_bound([result(problem, objective=0.0, bound=0.0)]) == [0.0]


def test_table_has_a_row_for_each_solver(
    leotrek: Leotrek, solvers: FakeSolvers, problem: PlacementProblem, problem_file: Path
) -> None:
    solvers.answers = answers(problem)
    said = leotrek("compare", problem_file)
    title, _, header, *rows = said.out.splitlines()
    assert "2 workflows, 5 functions, 4 nodes, 3 steps" in title
    for column in (
        "solver",
        "proof",
        "objective ms",
        "gap to best bound",
        "SLO violations",
        "temperature violations",
        "seconds",
    ):
        assert column in header
    assert [row.split() for row in rows] == [
        ["exact", "optimal", "certified", "12.5000", "12.5000", "0", "%", "0", "0", "0.750"],
        ["greedy", "feasible", "none", "15.6250", "-", "20.00", "%", "0", "0", "0.750"],
        ["hyperdrive", "no_solution", "none", "10.0000", "-", "-", "3", "1", "0.750"],
    ]
    assert said.err == ""


def test_json_is_a_list_of_results(
    leotrek: Leotrek,
    solvers: FakeSolvers,
    problem: PlacementProblem,
    problem_file: Path,
    tmp_path: Path,
) -> None:
    solvers.answers = answers(problem)
    said = leotrek("compare", problem_file, "--format", "json", "--out", tmp_path / "all.json")
    assert [entry["requested_solver"] for entry in json.loads(said.out)] == [
        "exact",
        "greedy",
        "hyperdrive",
    ]
    assert {entry["kind"] for entry in json.loads(said.out)} == {"result"}
    assert (tmp_path / "all.json").read_text() == said.out


def test_csv_has_a_row_for_each_solver(
    leotrek: Leotrek, solvers: FakeSolvers, problem: PlacementProblem, problem_file: Path
) -> None:
    solvers.answers = answers(problem)
    said = leotrek("compare", problem_file, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert [row["solver"] for row in rows] == ["exact", "greedy", "hyperdrive"]
    assert [row["gap_to_best_bound"] for row in rows] == ["0.0", "0.2", ""]
    assert [row["slo_violations"] for row in rows] == ["0", "0", "3"]
    assert [row["temperature_violations"] for row in rows] == ["0", "0", "1"]
    assert [row["violations"] for row in rows] == ["0", "0", "5"]


NOTHING: dict[str, Any] = {
    "objective": None,
    "bound": None,
    "gap": None,
    "solution": None,
    "breakdown": None,
}


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([Status.OPTIMAL, Status.NO_SOLUTION], 0),
        ([Status.NO_SOLUTION, Status.FEASIBLE], 0),
        ([Status.INFEASIBLE, Status.NO_SOLUTION], 3),
        ([Status.NO_SOLUTION, Status.NO_SOLUTION], 4),
        ([Status.OPTIMAL, Status.INTERRUPTED], 130),
        ([Status.ERROR], 1),
        ([], 4),
    ],
)
@pytest.mark.parametrize("output_format", ["table", "csv", "json"])
def test_exit_code_is_that_of_the_best_answer(
    leotrek: Leotrek,
    solvers: FakeSolvers,
    problem: PlacementProblem,
    problem_file: Path,
    statuses: list[Status],
    code: int,
    output_format: str,
) -> None:
    solvers.answers = [result(problem, status, **NOTHING) for status in statuses]
    assert leotrek("compare", problem_file, "--format", output_format).code == code


def test_refuted_claim_outweighs_good_answers(
    leotrek: Leotrek, solvers: FakeSolvers, problem: PlacementProblem, problem_file: Path
) -> None:
    solvers.answers = [result(problem), result(problem, Status.ERROR, broken=["capacity"])]
    assert leotrek("compare", problem_file).code == 5


def test_interrupted_comparison_prints_what_there_is(
    leotrek: Leotrek, solvers: FakeSolvers, problem: PlacementProblem, problem_file: Path
) -> None:
    solvers.act = lambda cancel: cancel.set()
    solvers.answers = answers(problem)[:1]
    said = leotrek("compare", problem_file)
    assert said.code == 130
    assert "12.5000" in said.out


def test_infeasible_problem_is_explained_once(
    leotrek: Leotrek, solvers: FakeSolvers, problem: PlacementProblem, problem_file: Path
) -> None:
    one = result(problem, Status.INFEASIBLE, **NOTHING, explanation=("no node left for fire/a",))
    solvers.answers = [one, one]
    assert leotrek("compare", problem_file).out.count("no node left for fire/a") == 1


def test_unknown_solver_ends_with_2(leotrek: Leotrek, problem_file: Path) -> None:
    said = leotrek("compare", problem_file, "--solvers", "exact,greddy")
    assert said.code == 2
    assert "greddy" in said.err
