"""``leotrek verify``: whether a result is what it claims, found out without any solver."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from leotrek_opt.cli.common import (
    FAILED_VERIFICATION,
    SOLVED,
    is_model_file,
    log_to_stderr,
    read_problem,
)
from leotrek_opt.cli.model import verify_file
from leotrek_opt.cli.output import milliseconds


def command(
    problem: Annotated[
        Path, typer.Argument(metavar="PROBLEM", help="Problem document, or a model in MPS.")
    ],
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="Result or solution document.")],
    *,
    output_format: Annotated[
        Literal["table", "json"], typer.Option("--format", help="How to print the answer.")
    ] = "table",
) -> int:
    """Recompute objective, rules and bound of a result in exact arithmetic."""
    import json

    from leotrek_opt.errors import InputError
    from leotrek_opt.instances.documents import load
    from leotrek_opt.models.placement import PlacementSolution
    from leotrek_opt.solvers import api
    from leotrek_opt.solvers.result import Result

    log_to_stderr(0)
    if is_model_file(problem):
        return _verify_model(problem, result, output_format)
    posed = read_problem(problem)
    answer = load(result)
    if not isinstance(answer, (Result, PlacementSolution)):
        kind = getattr(answer, "kind", "other")
        raise InputError(
            f'must be "result" or "solution" (got "{kind}")', file=result, field="kind"
        )
    try:
        found = api.verify(posed, answer)
    except InputError as error:
        raise error.in_file(result) from None
    violations = [violation.model_dump() for violation in found.violations]
    if output_format == "json":
        report = {
            "ok": found.ok,
            "objective": found.objective,
            "bound": found.bound,
            "proof": str(found.proof),
            "violations": violations,
            "messages": list(found.messages),
        }
        print(json.dumps(report, indent=2))
    else:
        print(f"verified   {'yes' if found.ok else 'no'}")
        print(f"objective  {milliseconds(found.objective)} ms")
        print(f"bound      {milliseconds(found.bound)} ms")
        print(f"proof      {found.proof}")
        for violation in violations:
            print(f"{violation['rule']}: {violation['subject']}: {violation['message']}")
        for message in found.messages:
            print(message)
    return SOLVED if found.ok else FAILED_VERIFICATION


def _verify_model(problem: Path, result: Path, output_format: str) -> int:
    from leotrek_opt.errors import InputError
    from leotrek_opt.instances.documents import load
    from leotrek_opt.instances.mps import read_mps
    from leotrek_opt.solvers.model_result import ModelResult

    posed, answer = read_mps(problem), load(result, "result")
    if not isinstance(answer, ModelResult):
        raise InputError('must be "linear" for a model in MPS', file=result, field="problem_kind")
    try:
        return verify_file(posed, answer, output_format)
    except InputError as error:
        raise error.in_file(result) from None
