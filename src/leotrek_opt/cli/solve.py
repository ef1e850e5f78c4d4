"""``leotrek solve``: one answer to one problem."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leotrek_opt.cli import model
from leotrek_opt.cli.common import (
    AbsoluteGap,
    Certify,
    FreezeTo,
    Gap,
    Isolate,
    MemoryLimit,
    Out,
    OutputFormat,
    Quiet,
    Seed,
    Threads,
    TimeLimit,
    Verbose,
    exit_code,
    frozen,
    interruptible,
    is_model_file,
    log_start,
    log_to_stderr,
    read_problem,
)
from leotrek_opt.cli.output import count_violations, milliseconds, percent, print_csv, print_table
from leotrek_opt.cli.progress import lines, progress

if TYPE_CHECKING:
    from leotrek_opt.models.placement import PlacementProblem
    from leotrek_opt.solvers.result import Result

MAX_LINES = 20
"""Violations that the table lists one by one."""


def command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Problem document, or a model in MPS.")
    ],
    *,
    solver: Annotated[str, typer.Option("--solver", help="Method or engine.")] = "auto",
    time_limit: TimeLimit = None,
    gap: Gap = 0.0,
    absolute_gap: AbsoluteGap = 0.0,
    seed: Seed = 0,
    threads: Threads = 1,
    memory_limit: MemoryLimit = None,
    certify: Certify = False,
    isolate: Isolate = False,
    out: Out = None,
    freeze: FreezeTo = None,
    output_format: OutputFormat = "table",
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> int:
    """Solve a problem and check the answer."""
    from leotrek_opt.instances.documents import dumps, save
    from leotrek_opt.solvers import api

    log_to_stderr(verbose)
    asked: dict[str, Any] = {
        "time_limit_s": time_limit,
        "gap": gap,
        "seed": seed,
        "threads": threads,
        "memory_limit_mib": memory_limit,
        "certify": certify,
        "isolate": isolate,
    }
    if is_model_file(file):
        if freeze is not None:
            raise typer.BadParameter("a linear model has no links", param_hint="--freeze")
        with interruptible() as cancel, lines(quiet, model.number) as show:
            found = model.solve_file(
                file, solver, show, cancel, absolute_gap=absolute_gap or None, **asked
            )
        if out is not None:
            save(found, out)
        model.print_result(found, output_format)
        return exit_code(found, interrupted=cancel.is_set())
    problem = read_problem(file)
    if freeze is not None:
        problem = frozen(problem, freeze)
    with interruptible() as cancel, progress(quiet) as on_progress:
        log_start(problem, solver)
        result = api.solve(
            problem,
            solver,
            absolute_gap=absolute_gap,
            **asked,
            on_progress=on_progress,
            cancel=cancel,
        )
    if out is not None:
        save(result, out)
    if output_format == "json":
        sys.stdout.write(dumps(result))
    elif output_format == "csv":
        print_csv(*_record(result))
    else:
        _print_summary(problem, result)
    return exit_code(result, interrupted=cancel.is_set())


def _record(result: Result) -> tuple[list[str], list[list[object]]]:
    record = {
        "solver": result.solver,
        "status": str(result.status),
        "proof": str(result.proof),
        "objective_ms": result.objective,
        "bound_ms": result.bound,
        "gap": result.gap,
        "violations": count_violations(result),
        "build_s": result.build_s,
        "solve_s": result.solve_s,
    }
    return list(record), [list(record.values())]


def _print_summary(problem: PlacementProblem, result: Result) -> None:
    asked = result.requested_solver
    ran = result.solver if asked == result.solver else f"{result.solver} (asked for {asked})"
    facts = {
        "solver": ran,
        "status": str(result.status),
        "proof": str(result.proof),
        "objective": f"{milliseconds(result.objective)} ms ({problem.objective.name})",
        "bound": f"{milliseconds(result.bound)} ms",
        "gap": percent(result.gap),
        "violations": str(count_violations(result)),
        "seconds": f"{result.build_s + result.solve_s:.3f}",
    }
    for name, value in facts.items():
        print(f"{name:<11}{value}")
    if result.breakdown is not None:
        placed: dict[str, int] = {}
        for assignment in result.solution.assignments if result.solution else ():
            placed[assignment.workflow] = placed.get(assignment.workflow, 0) + 1
        functions = {workflow.id: len(workflow.functions) for workflow in problem.workflows}
        print()
        print_table(
            ["workflow", "functions placed", "value ms", "response ms", "SLO ms"],
            [
                [
                    part.workflow,
                    f"{placed.get(part.workflow, 0)} of {functions.get(part.workflow, 0)}",
                    milliseconds(part.value_ms),
                    milliseconds(part.response_ms),
                    milliseconds(part.response_time_slo_ms),
                ]
                for part in result.breakdown.workflows
            ],
        )
    lines = [*result.explanation]
    lines += [f"{found.rule}: {found.subject}: {found.message}" for found in result.violations]
    if lines:
        print()
    for line in lines[:MAX_LINES]:
        print(line)
    if len(lines) > MAX_LINES:
        print(f"... and {len(lines) - MAX_LINES} more; --format json has them all")
