"""Linear models in MPS files: what ``solve`` and ``verify`` do when they are given one."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leotrek_opt.cli.common import FAILED_VERIFICATION, SOLVED
from leotrek_opt.cli.output import percent, print_csv

if TYPE_CHECKING:
    from leotrek_opt.cli.progress import Line
    from leotrek_opt.solvers.matrix import MatrixModel
    from leotrek_opt.solvers.model_result import ModelResult

MAX_LINES = 20
"""Values and violations that are listed one by one."""


def number(value: float | None) -> str:
    """Write a value of the objective in as many digits as it needs; None as a dash."""
    return "-" if value is None else f"{value:.12g}"


def solve_file(
    path: Path,
    solver: str,
    show: Callable[[Line], None] | None,
    cancel: threading.Event,
    **limits: Any,
) -> ModelResult:
    """Solve a model.

    Parameters
    ----------
    path
        MPS file.
    solver
        Name of an engine; ``auto`` is HiGHS.
    show
        Called with how far the solve is, or None.
    cancel
        Set to stop.
    **limits
        As of :func:`leotrek_opt.solve_model`.

    Returns
    -------
    ModelResult
        Checked.
    """
    from leotrek_opt.cli.progress import Line
    from leotrek_opt.instances.mps import read_mps
    from leotrek_opt.solvers.model_api import ModelProgress, solve_model

    engine = "highs" if solver == "auto" else solver.removeprefix("milp:")

    def on_progress(event: ModelProgress) -> None:
        if show is not None:
            show(Line(event.seconds, engine, event.objective, event.bound, event.nodes))

    return solve_model(read_mps(path), engine, on_progress=on_progress, cancel=cancel, **limits)


def print_result(result: ModelResult, output_format: str) -> None:
    """Print a result of a linear model.

    Parameters
    ----------
    result
        What was found.
    output_format
        ``table``, ``json`` or ``csv``.
    """
    from leotrek_opt.instances.documents import dumps

    facts = {
        "solver": result.solver,
        "status": str(result.status),
        "proof": str(result.proof),
        "objective": number(result.objective),
        "bound": number(result.bound),
        "gap": percent(result.gap),
        "nodes": str(result.nodes),
        "seconds": f"{result.solve_s:.3f}",
    }
    if output_format == "json":
        sys.stdout.write(dumps(result))
        return
    if output_format == "csv":
        print_csv(list(facts), [list(facts.values())])
        return
    for name, value in facts.items():
        print(f"{name:<11}{value}")
    lines = [*result.explanation, *result.violations]
    if result.solution is not None:
        lines += [f"{name} = {number(value)}" for name, value in result.solution.values.items()]
    if lines:
        print()
    for line in lines[:MAX_LINES]:
        print(line)
    if len(lines) > MAX_LINES:
        print(f"... and {len(lines) - MAX_LINES} more; --format json has them all")


def verify_file(model: MatrixModel, result: ModelResult, output_format: str) -> int:
    """Check a result against its model and print what was found.

    Parameters
    ----------
    model
        What was solved.
    result
        What is to be believed.
    output_format
        ``table`` or ``json``.

    Returns
    -------
    int
        Exit code.
    """
    from leotrek_opt.solvers.model_check import verify_model

    found = verify_model(model, result)
    objective, bound = (
        None if value is None else float(value) for value in (found.objective, found.bound)
    )
    if output_format == "json":
        report = {
            "ok": found.ok,
            "objective": objective,
            "bound": bound,
            "proof": str(found.proof),
            "violations": list(found.violations),
            "messages": list(found.messages),
        }
        print(json.dumps(report, indent=2))
    else:
        print(f"verified   {'yes' if found.ok else 'no'}")
        print(f"objective  {number(objective)}")
        print(f"bound      {number(bound)}")
        print(f"proof      {found.proof}")
        for line in (*found.violations[:MAX_LINES], *found.messages):
            print(line)
    return SOLVED if found.ok else FAILED_VERIFICATION
