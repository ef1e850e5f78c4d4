"""Solve a folder of small models by every engine, and hold the answers against proven optima.

The folder holds ``bks.csv`` and ``instances/<name>.json``, and may hold ``mps/<name>.mps`` and
canaries ``canary-*.json`` and ``.mps``. Every model is read in each form there is and solved by
every engine through the public entry; linear relaxations go to the engines for linear programs, and
their duals give a root bound in exact arithmetic. Exit code 1 on a disagreement.
"""

from __future__ import annotations

import csv
import json
import math
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from _common import machine, parser

from leotrek_opt.errors import InputError, MissingDependencyError, UnsupportedError
from leotrek_opt.instances.matrix_json import read_matrix_json
from leotrek_opt.instances.mps import read_mps
from leotrek_opt.solvers.certificate.linear import dual_bound
from leotrek_opt.solvers.engines import MIP_ENGINES, engine_named
from leotrek_opt.solvers.engines.protocol import Feature, Limits
from leotrek_opt.solvers.linear import ColumnKind
from leotrek_opt.solvers.linear_arrays import model_digest
from leotrek_opt.solvers.matrix import MatrixModel
from leotrek_opt.solvers.model_api import solve_model
from leotrek_opt.solvers.model_result import ModelResult

DATA_VARIABLE = "LEOTREK_REFERENCE_DATA"
ENGINES = (*MIP_ENGINES, "pdlp")
LP_TOLERANCE = 1e-6
"""Relative difference at which two values of a linear program count as the same."""
ROOT_TOLERANCE = 2e-3
"""Largest distance of a certified root bound from the value of the relaxation, or 1e-6 of it."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One model with what is known about it.

    Attributes
    ----------
    name
        As in ``bks.csv``, or the file name of a canary.
    models
        The model by the form it was read from, ``json`` and ``mps``.
    status, objective
        ``optimal`` with its value, or ``infeasible``.
    lp_status, lp_value
        The same of the relaxation; empty where nothing is known.
    sizes
        Columns, integers, rows and nonzeros; those that are known.
    """

    name: str
    models: dict[str, MatrixModel]
    status: str
    objective: Fraction | None
    lp_status: str = ""
    lp_value: float | None = None
    sizes: dict[str, int] = field(default_factory=dict)


def read_cases(folder: Path) -> list[Case]:
    """Read every model of a folder that has a row in ``bks.csv``, and every canary."""
    if not folder.is_dir():
        raise InputError("no such folder", file=folder)
    table = folder / "bks.csv"
    try:
        with table.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot be read: {error}", file=table) from None
    cases = [_case_of(folder, row, table) for row in rows]
    known = {case.name for case in cases}
    names = {path.stem for form in ("json", "mps") for path in folder.glob(f"canary-*.{form}")}
    cases += [_canary(folder, name) for name in sorted(names - known)]
    if not cases:
        raise InputError("holds no models", file=table)
    return cases


def _case_of(folder: Path, row: dict[str, Any], table: Path) -> Case:
    name, status = row.get("name"), row.get("status")
    if not name or status not in {"optimal", "infeasible"}:
        raise InputError(
            f"must name a model and its status, optimal or infeasible, not {name!r} and {status!r}",
            file=table,
        )
    models = _models(folder / "instances" / f"{name}.json", folder / "mps" / f"{name}.mps")
    if not models:
        models = _models(folder / f"{name}.json", folder / f"{name}.mps")
    if not models:
        raise InputError("no such file", file=folder / "instances" / f"{name}.json")
    try:
        return Case(
            name,
            models,
            status,
            Fraction(row["objective"]) if status == "optimal" else None,
            row.get("lp_status") or "",
            float(row["lp_bound"]) if row.get("lp_bound") else None,
            {
                what: int(row[what])
                for what in ("columns", "integers", "rows", "nonzeros")
                if row.get(what)
            },
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"has a row {name!r} that is malformed: {error}", file=table) from None


def _canary(folder: Path, name: str) -> Case:
    path = folder / f"{name}.json"
    models = _models(path, path.with_suffix(".mps"))
    if not path.is_file():
        raise InputError("is needed for the optimum of the canary", file=path)
    document = json.loads(path.read_text(encoding="utf-8"), parse_float=str)
    try:
        return Case(name, models, "optimal", Fraction(document["optimum"]))
    except (KeyError, TypeError, ValueError):
        raise InputError(
            "must hold the optimum of the canary", file=path, field="optimum"
        ) from None


def _models(document: Path, mps: Path) -> dict[str, MatrixModel]:
    models = {}
    if document.is_file():
        models["json"] = read_matrix_json(document)
    if mps.is_file():
        models["mps"] = read_mps(mps)
    return models


def compared(case: Case, engines: list[str], time_limit_s: float, quick: bool) -> Iterator[Row]:
    """Yield one row for everything about a model that can agree or not."""
    digests = {model_digest(model.linear.arrays()) for model in case.models.values()}
    faults = [f"{wrong}" for model in case.models.values() for wrong in _wrong_sizes(case, model)]
    if len(digests) > 1:
        faults.append("json and mps hold different models")
    yield {"case": case.name, "what": "model", "faults": faults}
    # Equal digests are equal models, so once is enough where time is short.
    forms = list(case.models)[:1] if quick and len(digests) == 1 else list(case.models)
    for form in forms:
        model = case.models[form]
        for engine in engines:
            if Feature.INTEGER in engine_named(engine).features:
                yield _solved(case, form, model, engine, time_limit_s)
            elif case.lp_status:
                yield _relaxed(case, form, model.relaxed(), engine, time_limit_s)
        if case.lp_status == "optimal":
            yield _root_bound(case, form, model.relaxed(), time_limit_s)


def _wrong_sizes(case: Case, model: MatrixModel) -> Iterator[str]:
    linear = model.linear
    found = {
        "columns": linear.n_variables,
        "integers": int((linear.arrays().kind == ColumnKind.INTEGER).sum()),
        "rows": linear.n_rows,
        "nonzeros": linear.n_nonzeros,
    }
    for what, expected in case.sizes.items():
        if found[what] != expected:
            yield f"{found[what]} {what}, expected {expected}"


def _solved(case: Case, form: str, model: MatrixModel, engine: str, time_limit_s: float) -> Row:
    row: Row = {"case": case.name, "what": "optimum", "form": form, "engine": engine}
    try:
        result, seconds = _timed(model, engine, time_limit_s)
    except UnsupportedError as error:
        return row | {"faults": [], "skipped": str(error)}
    faults = list(_status_faults(result, case.status))
    if not faults and case.objective is not None and not _is_objective(result, case.objective):
        found = result.exact_objective or result.objective
        faults.append(f"objective {found}, expected {case.objective}")
    return row | {"faults": faults, "seconds": seconds}


def _is_objective(result: ModelResult, expected: Fraction) -> bool:
    """Compare exactly where the solution is whole; else engines keep rows to a tolerance only."""
    if result.exact_objective is not None:
        return Fraction(result.exact_objective) == expected
    return result.objective is not None and math.isclose(
        result.objective, expected, rel_tol=LP_TOLERANCE, abs_tol=LP_TOLERANCE
    )


def _relaxed(case: Case, form: str, model: MatrixModel, engine: str, time_limit_s: float) -> Row:
    row: Row = {"case": case.name, "what": "relaxation", "form": form, "engine": engine}
    result, seconds = _timed(model, engine, time_limit_s)
    faults = list(_status_faults(result, case.lp_status))
    if not faults and case.lp_value is not None and result.objective is not None:
        distance = abs(result.objective - case.lp_value) / max(1.0, abs(case.lp_value))
        row["relative_difference"] = distance
        if distance > LP_TOLERANCE:
            faults.append(f"value {result.objective!r}, expected {case.lp_value!r}")
    return row | {"faults": faults, "seconds": seconds}


def _root_bound(case: Case, form: str, model: MatrixModel, time_limit_s: float) -> Row:
    """Derive a bound from duals in exact arithmetic: valid, and close to the relaxation."""
    row: Row = {"case": case.name, "what": "root bound", "form": form, "engine": "highs"}
    started = time.perf_counter()
    result = engine_named("highs").solve(model.linear, Limits(time_limit_s=time_limit_s))
    arrays = model.linear.arrays()
    bound = None if result.row_dual is None else dual_bound(arrays, result.row_dual)
    if bound is None:
        return row | {"faults": [f"no bound: {result.status}"]}
    bound = model.objective(bound)
    row |= {"seconds": time.perf_counter() - started}
    faults = []
    sign = 1 if arrays.minimise else -1
    if case.objective is not None and sign * (bound - case.objective) > 0:
        faults.append(f"bound {float(bound)} is refuted by the optimum {case.objective}")
    if case.lp_value is not None:
        row["distance"] = abs(float(bound) - case.lp_value)
        if row["distance"] > max(ROOT_TOLERANCE, 1e-6 * abs(case.lp_value)):
            faults.append(f"bound {float(bound)} is far from the relaxation's {case.lp_value}")
    return row | {"faults": faults}


def _timed(model: MatrixModel, engine: str, time_limit_s: float) -> tuple[ModelResult, float]:
    started = time.perf_counter()
    result = solve_model(model, engine, time_limit_s=time_limit_s)
    return result, time.perf_counter() - started


def _status_faults(result: ModelResult, expected: str) -> Iterator[str]:
    if result.status != expected:
        why = "; ".join((result.termination, *result.explanation, *result.violations))
        yield f"status {result.status} ({why}), expected {expected}"


def figures_of(rows: list[Row]) -> dict[str, float | int]:
    """Count what agrees, and add up seconds, by engine."""
    found: dict[str, float | int] = {
        "cases": len({row["case"] for row in rows}),
        "checks": sum("skipped" not in row for row in rows),
        "disagreements": sum(bool(row["faults"]) for row in rows),
    }
    for engine in dict.fromkeys(
        row["engine"] for row in rows if row["what"] != "root bound" and "engine" in row
    ):
        mine = [row for row in rows if row.get("engine") == engine and row["what"] != "root bound"]
        solved = [row for row in mine if "skipped" not in row]
        found[f"{engine}_solves"] = len(solved)
        found[f"{engine}_agreeing"] = sum(not row["faults"] for row in solved)
        found[f"{engine}_skipped"] = len(mine) - len(solved)
        found[f"{engine}_s"] = sum(row["seconds"] for row in solved)
        found[f"{engine}_slowest_s"] = max((row["seconds"] for row in solved), default=0.0)
    for what, number in (
        ("relative_difference", "lp_relative_difference"),
        ("distance", "root_bound_distance"),
    ):
        values = [row[what] for row in rows if what in row]
        if values:
            found[f"largest_{number}"] = max(values)
    return found


def line_of(row: Row) -> str:
    """Say in one line what does not agree."""
    where = " ".join(row[key] for key in ("form", "engine") if key in row)
    return f"{row['case']} {row['what']}{' by ' * bool(where)}{where}: {'; '.join(row['faults'])}"


def show(rows: list[Row], engines: list[str], figures: dict[str, float | int]) -> None:
    """Print disagreements and a summary for people."""
    for row in rows:
        if row["faults"]:
            print(f"DISAGREES: {line_of(row)}")
    print(
        f"{'engine':<20}{'solves':>8}{'agreeing':>10}{'skipped':>9}{'total s':>10}{'slowest s':>11}"
    )
    for engine in engines:
        if f"{engine}_solves" in figures:
            counts = [figures[f"{engine}_{what}"] for what in ("solves", "agreeing", "skipped")]
            seconds = [figures[f"{engine}_{what}"] for what in ("s", "slowest_s")]
            print(
                f"{engine:<20}{counts[0]:>8}{counts[1]:>10}{counts[2]:>9}"
                f"{seconds[0]:>10.2f}{seconds[1]:>11.2f}"
            )
    for name in ("cases", "checks", "disagreements"):
        print(f"{name}: {figures[name]}")
    for name in ("largest_lp_relative_difference", "largest_root_bound_distance"):
        if name in figures:
            print(f"{name}: {figures[name]:.3g}")


def main() -> int:
    """Solve every model of the folder."""
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, help=f"folder; else solvers/ in ${DATA_VARIABLE}")
    options.add_argument("--engines", nargs="+", default=list(ENGINES), metavar="ENGINE")
    options.add_argument(
        "--time-limit", type=float, default=60.0, metavar="S", help="of each solve"
    )
    arguments = options.parse_args()
    folder = arguments.data
    if folder is None and DATA_VARIABLE in os.environ:
        folder = Path(os.environ[DATA_VARIABLE]) / "solvers"
    conditions: dict[str, object] = {
        "engines": arguments.engines,
        "time_limit_s": arguments.time_limit,
        "threads": 1,
        "time": "wall clock, building and checking included",
        **machine(),
    }
    if folder is None:
        conditions["skipped"] = f"no --data, and {DATA_VARIABLE} is not set"
        print(
            json.dumps({"figures": {}, "conditions": conditions, "disagreements": []})
            if arguments.format == "json"
            else conditions["skipped"]
        )
        return 0
    try:
        cases = read_cases(folder)
        rows = [
            row
            for case in cases
            for row in compared(case, arguments.engines, arguments.time_limit, arguments.quick)
        ]
    except (InputError, MissingDependencyError, UnsupportedError) as error:
        print(error, file=sys.stderr)
        return 2
    figures = figures_of(rows)
    disagreements = [line_of(row) for row in rows if row["faults"]]
    if arguments.format == "json":
        print(
            json.dumps(
                {"figures": figures, "conditions": conditions, "disagreements": disagreements}
            )
        )
    else:
        show(rows, arguments.engines, figures)
    return int(bool(disagreements))


if __name__ == "__main__":
    sys.exit(main())
