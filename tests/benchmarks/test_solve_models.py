"""Engines compared on a folder of models: what agrees, what does not, what is no folder."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from leotrek_opt.instances.matrix_json import read_matrix_json
from leotrek_opt.instances.mps import write_mps

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
ENGINES = ["highs", "cpsat"]


def document(name: str, **changes: Any) -> dict[str, Any]:
    """Maximise 5 x + 4 y within 6 x + 4 y <= 24 and x + 2 y <= 6, both integers: 20 at (4, 0)."""
    columns = {
        "names": ["x", "y"],
        "objective": [5, 4],
        "lower": [0, 0],
        "upper": [9, 9],
        "integer": [1, 1],
    }
    rows = {"names": ["a", "b"], "lower": [None, None], "upper": [24, 6]}
    return {
        "schema_version": 1,
        "name": name,
        "sense": "max",
        "objective_offset": 0,
        "columns": columns | changes.get("columns", {}),
        "rows": rows | changes.get("rows", {}),
        "matrix": {
            "format": "csr",
            "shape": [2, 2],
            "indptr": [0, 2, 4],
            "indices": [0, 1, 0, 1],
            "data": [6, 4, 1, 2],
        },
        "domain": {},
    }


PRODUCTION = {
    "name": "production", "columns": 2, "integers": 2, "rows": 2, "nonzeros": 4,
    "status": "optimal", "objective": 20, "lp_status": "optimal", "lp_bound": "21.0",
}  # fmt: skip
PARITY = {"name": "parity", "status": "infeasible", "lp_status": "optimal", "lp_bound": "13.0"}


def make_folder(folder: Path, *rows: dict[str, Any]) -> Path:
    """Write a folder with two models, one of them infeasible, and a canary."""
    (folder / "instances").mkdir(parents=True)
    (folder / "mps").mkdir()
    # 6 x + 4 y is even, so that it cannot be 13; its relaxation can.
    parity = document(
        "parity", columns={"objective": [6, 4]}, rows={"lower": [13, None], "upper": [13, 9]}
    )
    canary = document("canary-small") | {"optimum": 20}
    for path, content in (
        (folder / "instances" / "production.json", document("production")),
        (folder / "instances" / "parity.json", parity),
        (folder / "canary-small.json", canary),
    ):
        path.write_text(json.dumps(content), encoding="utf-8")
    model = read_matrix_json(folder / "instances" / "production.json")
    write_mps(model, folder / "mps" / "production.mps")
    fields = [*PRODUCTION, "oracle"]
    with (folder / "bks.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, fields)
        table.writeheader()
        table.writerows(rows or (PRODUCTION, PARITY))
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the script in this process."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import solve_models

    def call(folder: Path, *options: str) -> tuple[int, str, str]:
        arguments = ["solve_models.py", "--data", str(folder), *options]
        if "--engines" not in options:
            arguments += ["--engines", *ENGINES]
        monkeypatch.setattr(sys, "argv", arguments)
        code = solve_models.main()
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_agreeing_folder_ends_with_0_and_one_json_object(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data")
    command = [sys.executable, str(BENCHMARKS / "solve_models.py"), "--data", str(folder)]
    command += ["--engines", *ENGINES, "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    figures = report["figures"]
    assert report["disagreements"] == []
    assert (figures["cases"], figures["disagreements"]) == (3, 0)
    # production from both forms, parity and the canary from JSON
    for engine in ENGINES:
        assert figures[f"{engine}_solves"] == figures[f"{engine}_agreeing"] == 4
    assert figures["largest_root_bound_distance"] < 1e-4
    assert report["conditions"]["engines"] == ENGINES


def test_quick_solves_equal_models_once(tmp_path: Path, run: Any) -> None:
    code, out, _ = run(make_folder(tmp_path / "data"), "--quick", "--format", "json")
    assert code == 0
    assert json.loads(out)["figures"]["highs_solves"] == 3


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            PRODUCTION | {"objective": 21},
            "production optimum by json highs: objective 20, expected 21",
        ),
        (PRODUCTION | {"status": "infeasible"}, "status optimal (proven), expected infeasible"),
        (
            PARITY | {"status": "optimal", "objective": 13},
            "parity optimum by json cpsat: status infeasible",
        ),
        (PRODUCTION | {"lp_bound": 21.5}, "production root bound by json highs: bound 21.0"),
        (PRODUCTION | {"columns": 3}, "production model: 2 columns, expected 3"),
    ],
)
def test_disagreements_end_with_1_and_one_line_each(
    tmp_path: Path, run: Any, row: dict[str, Any], text: str
) -> None:
    folder = make_folder(tmp_path / "data", row)
    code, out, _ = run(folder)
    lines = [line for line in out.splitlines() if line.startswith("DISAGREES: ")]
    assert code == 1
    assert any(text in line for line in lines), out
    code, out, _ = run(folder, "--format", "json")
    assert code == 1
    assert [f"DISAGREES: {line}" for line in json.loads(out)["disagreements"]] == lines


def test_wrong_optimum_of_a_canary_and_another_mps_are_seen(tmp_path: Path, run: Any) -> None:
    folder = make_folder(tmp_path / "data")
    canary = document("canary-small") | {"optimum": 23}
    (folder / "canary-small.json").write_text(json.dumps(canary), encoding="utf-8")
    mps = folder / "mps" / "production.mps"
    mps.write_text(mps.read_text(encoding="utf-8").replace(" a 24\n", " a 18\n"), encoding="utf-8")
    code, out, _ = run(folder)
    assert code == 1
    assert "canary-small optimum by json highs: objective 20, expected 23" in out
    assert "production model: json and mps hold different models" in out
    assert "production optimum by mps highs: objective 15, expected 20" in out


def test_linear_programs_are_compared_too(tmp_path: Path, run: Any) -> None:
    pytest.importorskip("leotrek_opt.solvers.engines.pdlp")
    folder = make_folder(tmp_path / "data")
    code, out, _ = run(folder, "--engines", "pdlp", "--format", "json")
    figures = json.loads(out)["figures"]
    assert code == 0
    assert figures["pdlp_solves"] == 3
    assert figures["largest_lp_relative_difference"] < 1e-6
    wrong = make_folder(tmp_path / "wrong", PRODUCTION | {"lp_bound": 21.001})
    code, out, _ = run(wrong, "--engines", "pdlp")
    assert code == 1
    assert "production relaxation by json pdlp: value 2" in out


def spoil(folder: Path, how: str) -> Path:
    table = folder / "bks.csv"
    text = table.read_text(encoding="utf-8")
    if how == "absent":
        return folder / "absent"
    if how == "no table":
        table.unlink()
    elif how == "empty table":
        (folder / "canary-small.json").unlink()
        table.write_text("name,status\n", encoding="utf-8")
    elif how == "status":
        table.write_text(text.replace("infeasible", "maybe"), encoding="utf-8")
    elif how == "objective":
        table.write_text(text.replace("optimal,20", "optimal,twenty"), encoding="utf-8")
    elif how == "no model":
        (folder / "instances" / "parity.json").unlink()
    elif how == "broken model":
        (folder / "instances" / "parity.json").write_text("{", encoding="utf-8")
    elif how == "canary":
        (folder / "canary-small.json").write_text(json.dumps(document("c")), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("absent", "no such folder"),
        ("no table", "bks.csv: cannot be read"),
        ("empty table", "holds no models"),
        ("status", "'parity' and 'maybe'"),
        ("objective", "'production' that is malformed"),
        ("no model", "parity.json: no such file"),
        ("broken model", "parity.json"),
        ("canary", "optimum"),
    ],
)
def test_what_is_no_such_folder_ends_with_2_and_one_line(
    tmp_path: Path, run: Any, how: str, text: str
) -> None:
    code, out, err = run(spoil(make_folder(tmp_path / "data"), how))
    assert (code, out) == (2, "")
    assert text in err
    assert len(err.splitlines()) == 1


def test_unknown_engine_ends_with_2(tmp_path: Path, run: Any) -> None:
    code, _, err = run(make_folder(tmp_path / "data"), "--engines", "highz")
    assert code == 2
    assert "did you mean highs" in err


def test_without_data_nothing_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], run: Any
) -> None:
    import solve_models

    monkeypatch.delenv("LEOTREK_REFERENCE_DATA", raising=False)
    monkeypatch.setattr(sys, "argv", ["solve_models.py", "--format", "json"])
    assert solve_models.main() == 0
    assert json.loads(capsys.readouterr().out)["figures"] == {}


@pytest.mark.reference
def test_every_engine_agrees_with_the_reference_models(reference_data: Path, run: Any) -> None:
    code, out, err = run(
        reference_data / "solvers", "--quick", "--format", "json",
        "--engines", "highs", "cpsat", "scip", "pyomo:appsi_highs",
    )  # fmt: skip
    assert code == 0, out + err
    figures = json.loads(out)["figures"]
    for engine in ("highs", "cpsat", "scip", "pyomo:appsi_highs"):
        assert figures[f"{engine}_agreeing"] == figures["cases"] == 21
