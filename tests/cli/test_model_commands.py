"""``solve`` and ``verify`` on models in MPS files, and ``export`` of a problem's model."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Said
from tests.solvers.test_api import line_problem

from leotrek_opt.cli.main import main
from leotrek_opt.instances.documents import save
from leotrek_opt.instances.mps import read_mps

Leotrek = Callable[..., Said]

MODEL = """NAME hours
OBJSENSE
    MAX
ROWS
 N work
 L budget
COLUMNS
 MARKER 'MARKER' 'INTORG'
 small work 3
 small budget 0.25
 large work 4.5
 large budget 0.4
 MARKER 'MARKER' 'INTEND'
RHS
 rhs budget 2.5
BOUNDS
 UP b small 5
 UP b large 10
ENDATA
"""


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    """Return a model on disk: five small and three large are worth 28.5, and nothing is better."""
    path = tmp_path / "hours.mps"
    path.write_text(MODEL)
    return path


@pytest.mark.parametrize("engine", ["auto", "highs", "cpsat", "scip", "milp:highs"])
def test_model_is_solved_certified_and_verified(
    leotrek: Leotrek, model_file: Path, tmp_path: Path, engine: str
) -> None:
    out = tmp_path / "result.json"
    answer = leotrek("solve", model_file, "--solver", engine, "--certify", "--out", out)
    assert answer.code == 0
    assert "optimal" in answer.out
    assert "certified" in answer.out
    assert "28.5" in answer.out
    assert "small = 5" in answer.out
    checked = leotrek("verify", model_file, out)
    assert checked.code == 0
    assert "certified" in checked.out
    report = json.loads(leotrek("verify", model_file, out, "--format", "json").out)
    assert report["ok"]
    assert report["bound"] == 28.5


def test_json_is_the_result_document(leotrek: Leotrek, model_file: Path) -> None:
    answer = leotrek("solve", model_file, "--format", "json")
    document = json.loads(answer.out)
    assert document["problem_kind"] == "linear"
    assert document["exact_objective"] == "57/2"
    csv = leotrek("solve", model_file, "--format", "csv").out.splitlines()
    assert csv[0].split(",")[:3] == ["solver", "status", "proof"]
    assert csv[1].split(",")[3] == "28.5"


def test_changed_result_fails_verification(
    leotrek: Leotrek, model_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "result.json"
    leotrek("solve", model_file, "--certify", "--out", out)
    document = json.loads(out.read_text())
    document["solution"]["values"]["large"] = 4
    out.write_text(json.dumps(document))
    answer = leotrek("verify", model_file, out)
    assert answer.code == 5
    assert "budget" in answer.out


def test_infeasible_model_ends_with_3(leotrek: Leotrek, tmp_path: Path, model_file: Path) -> None:
    path = tmp_path / "none.mps"
    path.write_text(model_file.read_text().replace(" L budget", " E budget").replace("2.5", "2.6"))
    path.write_text(path.read_text().replace("small budget 0.25", "small budget 0.4"))
    out = tmp_path / "result.json"
    answer = leotrek("solve", path, "--certify", "--out", out)
    assert answer.code == 3
    assert leotrek("verify", path, out).code == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--solver", "hihgs"], "did you mean highs"),
        (["--solver", "pdlp"], "integer"),
        (["--freeze", "x.json"], "--freeze"),
        (["--gap", "-1"], "--gap"),
    ],
)
def test_bad_usage_is_one_line_and_ends_with_2(
    leotrek: Leotrek, model_file: Path, arguments: list[str], text: str
) -> None:
    answer = leotrek("solve", model_file, *arguments)
    assert answer.code == 2
    assert answer.out == ""
    assert text in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("command", [["compare"], ["export", "--out", "x.lp"]])
def test_command_for_problems_says_so(
    leotrek: Leotrek, model_file: Path, command: list[str]
) -> None:
    answer = leotrek(*command, model_file)
    assert answer.code == 2
    assert "hours.mps: is a linear model; this command takes problem documents" in answer.err


def test_bad_file_names_the_line(leotrek: Leotrek, model_file: Path) -> None:
    model_file.write_text(model_file.read_text().replace("small work 3", "small work three"))
    answer = leotrek("solve", model_file)
    assert answer.code == 2
    assert "hours.mps" in answer.err
    assert "three" in answer.err


def test_problem_is_exported_and_the_model_is_worth_the_same(
    leotrek: Leotrek, tmp_path: Path
) -> None:
    problem_file = save(line_problem(), tmp_path / "problem.json")
    value = json.loads(leotrek("solve", problem_file, "--format", "json").out)["objective_quanta"]
    for name in ("model.mps", "model.lp"):
        answer = leotrek("export", problem_file, "--out", tmp_path / name)
        assert answer.code == 0
        assert "columns" in answer.out
    solved = json.loads(leotrek("solve", tmp_path / "model.mps", "--format", "json").out)
    assert solved["objective"] == value
    assert "w_f_on_b" in (tmp_path / "model.lp").read_text()
    wrong = leotrek("export", problem_file, "--out", tmp_path / "model.txt")
    assert wrong.code == 2
    assert ".mps" in wrong.err


def test_verification_imports_no_solver(model_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    assert main(["solve", str(model_file), "--certify", "--out", str(out), "--quiet"]) == 0
    assert read_mps(model_file).linear.n_variables == 2
    program = (
        "import sys\n"
        "from leotrek_opt.cli.main import main\n"
        f"code = main(['verify', {str(model_file)!r}, {str(out)!r}])\n"
        "loaded = {'highspy', 'ortools', 'pyomo'} & set(sys.modules)\n"
        "sys.exit(f'{code} {loaded}' if code or loaded else 0)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "certified" in ran.stdout
