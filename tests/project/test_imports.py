"""Importing the package costs nothing: heavy libraries load when they are first used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from leotrek_opt.cli.main import main

HEAVY = {
    "highspy",
    "matplotlib",
    "networkx",
    "numpy",
    "ortools",
    "pandas",
    "plotly",
    "pydantic",
    "pyomo",
    "scipy",
    "sgp4",
    "torch",
}


def modules_loaded_by(statement: str) -> set[str]:
    """Run a statement in a fresh interpreter and return the top-level modules it loaded."""
    program = (
        f"{statement}\n"
        "import json, sys\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    child = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(child.stdout.splitlines()[-1]))


def test_import_loads_no_heavy_library() -> None:
    assert modules_loaded_by("import leotrek_opt") & HEAVY == set()


def test_version_loads_no_heavy_library() -> None:
    assert modules_loaded_by("import leotrek_opt; leotrek_opt.__version__") & HEAVY == set()


def test_help_loads_no_solver() -> None:
    statement = "from leotrek_opt.cli.main import main\nassert main(['--help']) == 0"
    assert modules_loaded_by(statement) & (HEAVY - {"pydantic"}) == set()


@pytest.mark.parametrize(
    "order",
    [
        ("highspy", "ortools.sat.python.cp_model", "pyomo.environ"),
        ("pyomo.environ", "ortools.sat.python.cp_model", "highspy"),
        ("ortools.sat.python.cp_model", "highspy", "pyomo.environ"),
    ],
    ids=lambda order: "-".join(name.partition(".")[0] for name in order),
)
def test_engines_share_a_process_in_every_order(order: tuple[str, ...]) -> None:
    """Two of these wheels have been published in versions that cannot be loaded together."""
    loaded = modules_loaded_by("\n".join(f"import {name}" for name in order))
    assert {"highspy", "ortools", "pyomo"} <= loaded


def test_verify_loads_no_engine(tmp_path: Path) -> None:
    """A result must be checkable where no solver is installed, and by code that knows none."""
    small = ["--satellites", "72", "--edge", "10", "--ground-stations", "2", "--workflows", "1"]
    problem, result = str(tmp_path / "problem.json"), str(tmp_path / "result.json")
    assert main(["generate", "wildfire", *small, "--out", problem]) == 0
    main(["solve", problem, "--solver", "first-fit", "--out", result])
    arguments = ["verify", problem, result]
    loaded = modules_loaded_by(
        f"from leotrek_opt.cli.main import main\nassert main({arguments!r}) in (0, 5)"
    )
    assert loaded & {"highspy", "ortools", "pyomo"} == set()
