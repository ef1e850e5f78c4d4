"""``leotrek compare``: the answers of several methods to one problem, side by side."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leotrek_opt.cli.common import (
    FAILED_VERIFICATION,
    INFEASIBLE,
    INTERRUPTED,
    NO_SOLUTION,
    SOLVED,
    Certify,
    FreezeTo,
    Gap,
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
    log_start,
    log_to_stderr,
    read_problem,
)
from leotrek_opt.cli.output import (
    SLO_RULES,
    TEMPERATURE_RULES,
    count_violations,
    milliseconds,
    percent,
    print_csv,
    print_table,
    summary,
)
from leotrek_opt.cli.progress import progress

if TYPE_CHECKING:
    from leotrek_opt.solvers.result import Result


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Problem document.")],
    *,
    solver: Annotated[
        list[str] | None, typer.Option("--solver", help="Method or engine; may be repeated.")
    ] = None,
    solvers: Annotated[
        str | None, typer.Option("--solvers", metavar="A,B,C", help="The same, in one list.")
    ] = None,
    time_limit: TimeLimit = None,
    gap: Gap = 0.0,
    seed: Seed = 0,
    threads: Threads = 1,
    certify: Certify = False,
    out: Out = None,
    freeze: FreezeTo = None,
    output_format: OutputFormat = "table",
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> int:
    """Solve a problem with several methods and check every answer."""
    from leotrek_opt.instances.documents import dumps
    from leotrek_opt.instances.writer import write_text
    from leotrek_opt.solvers import api

    log_to_stderr(verbose)
    names = [
        *(solver or ()),
        *(part.strip() for part in (solvers or "").split(",") if part.strip()),
    ]
    problem = read_problem(file)
    if freeze is not None:
        problem = frozen(problem, freeze)
    with interruptible() as cancel, progress(quiet) as on_progress:
        log_start(problem, ", ".join(names) or "all methods")
        results = api.compare(
            problem,
            names or None,
            time_limit_s=time_limit,
            gap=gap,
            seed=seed,
            threads=threads,
            certify=certify,
            on_progress=on_progress,
            cancel=cancel,
        )
    if out is not None:
        write_text(dumps(results), out)
    if output_format == "json":
        sys.stdout.write(dumps(results))
    elif output_format == "csv":
        print_csv(*_records(results))
    else:
        print(f"{file}: {summary(problem)}, {problem.objective.name}\n")
        _print_comparison(results)
    return _joint_exit_code(results, interrupted=cancel.is_set())


def gaps_to_best_bound(results: Sequence[Result]) -> list[float | None]:
    """Return how far each answer is from the best bound that any method knows.

    Parameters
    ----------
    results
        Answers to the same problem.

    Returns
    -------
    list of float or None
        ``(objective - bound) / objective``; None for an answer that breaks a rule, since a bound
        says nothing about it, and where no bound is known.
    """
    bounds = [result.bound for result in results if result.bound is not None]
    best = max(bounds, default=None)
    gaps: list[float | None] = []
    for result in results:
        if best is None or result.objective is None or result.violations:
            gaps.append(None)
        elif result.objective == best:
            gaps.append(0.0)
        else:
            gaps.append((result.objective - best) / abs(result.objective))
    return gaps


def _joint_exit_code(results: Sequence[Result], *, interrupted: bool) -> int:
    codes = {exit_code(result) for result in results}
    if interrupted:
        codes.add(INTERRUPTED)
    for code in (FAILED_VERIFICATION, INTERRUPTED, SOLVED, INFEASIBLE, NO_SOLUTION):
        if code in codes:
            return code
    return max(codes, default=NO_SOLUTION)


def _records(results: Sequence[Result]) -> tuple[list[str], list[list[object]]]:
    records = [
        {
            "solver": result.requested_solver,
            "status": str(result.status),
            "proof": str(result.proof),
            "objective_ms": result.objective,
            "bound_ms": result.bound,
            "gap_to_best_bound": gap,
            "slo_violations": count_violations(result, SLO_RULES),
            "temperature_violations": count_violations(result, TEMPERATURE_RULES),
            "violations": count_violations(result),
            "seconds": result.build_s + result.solve_s,
        }
        for result, gap in zip(results, gaps_to_best_bound(results), strict=True)
    ]
    return list(records[0]) if records else [], [list(record.values()) for record in records]


def _print_comparison(results: Sequence[Result]) -> None:
    rows = [
        [
            result.requested_solver,
            str(result.status),
            str(result.proof),
            milliseconds(result.objective),
            milliseconds(result.bound),
            percent(gap),
            str(count_violations(result, SLO_RULES)),
            str(count_violations(result, TEMPERATURE_RULES)),
            f"{result.build_s + result.solve_s:.3f}",
        ]
        for result, gap in zip(results, gaps_to_best_bound(results), strict=True)
    ]
    header = [
        "solver",
        "status",
        "proof",
        "objective ms",
        "bound ms",
        "gap to best bound",
        "SLO violations",
        "temperature violations",
        "seconds",
    ]
    print_table(header, rows, left=3)
    for result in results:
        if str(result.status) == "infeasible":
            print()
            print("\n".join(result.explanation))
            break
