"""``leotrek explain``: why a problem or a linear model is infeasible, and what would help."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from leotrek_opt.cli.common import (
    INFEASIBLE,
    INTERRUPTED,
    NO_SOLUTION,
    SOLVED,
    Quiet,
    Seed,
    TimeLimit,
    Verbose,
    interruptible,
    is_model_file,
    log_start,
    log_to_stderr,
    read_problem,
)
from leotrek_opt.cli.output import counted
from leotrek_opt.cli.progress import progress

if TYPE_CHECKING:
    from leotrek_opt.solvers.explain.explanation import Explanation
    from leotrek_opt.solvers.explain.model_explanation import ModelExplanation

    AnyExplanation = Explanation | ModelExplanation
    Explain = Callable[..., AnyExplanation]


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Problem document, or MPS file.")],
    *,
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    output_format: Annotated[
        Literal["table", "json"],
        typer.Option("--format", help="How to print the answer; json prints one document."),
    ] = "table",
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> int:
    """Explain why a problem is infeasible: rules in conflict, and what would help."""
    log_to_stderr(verbose)
    explain = _of_model(file) if is_model_file(file) else _of_problem(file)
    with interruptible() as cancel, progress(quiet) as on_progress:
        explanation = explain(
            time_limit_s=time_limit, seed=seed, cancel=cancel, on_progress=on_progress
        )
    if output_format == "json":
        sys.stdout.write(explanation.model_dump_json(indent=2) + "\n")
    else:
        _print_table(explanation)
    return _exit_code(explanation, interrupted=cancel.is_set())


def _of_problem(file: Path) -> Explain:
    from leotrek_opt.solvers.explain.placement import explain

    problem = read_problem(file)
    log_start(problem, "explain")
    return partial(explain, problem)


def _of_model(file: Path) -> Explain:
    from leotrek_opt.instances.mps import read_mps
    from leotrek_opt.solvers.explain.linear import explain_model

    return partial(explain_model, read_mps(file))


def _print_table(explanation: AnyExplanation) -> None:
    facts = {"status": str(explanation.status)}
    conflict = explanation.rules if explanation.kind == "explanation" else explanation.groups
    if conflict:
        words = [counted(len(conflict), "rule" if explanation.kind == "explanation" else "row")]
        words += ["irreducible"] if explanation.is_irreducible else ["may be reducible"]
        words += ["no smaller one exists"] if explanation.is_smallest else []
        facts["conflict"] = ", ".join(words)
    facts["seconds"] = f"{explanation.seconds:.3f}"
    for name, value in facts.items():
        print(f"{name:<11}{value}")
    print()
    for sentence in explanation.sentences():
        print(sentence)


def _exit_code(explanation: AnyExplanation, *, interrupted: bool) -> int:
    status = str(explanation.status)
    if status == "feasible":
        return SOLVED
    if status == "infeasible" and (explanation.is_irreducible or not interrupted):
        return INFEASIBLE
    return INTERRUPTED if interrupted else NO_SOLUTION
