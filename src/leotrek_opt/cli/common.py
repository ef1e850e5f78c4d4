"""What the commands share: options, exit codes, input, Ctrl-C and logging."""

from __future__ import annotations

import logging
import math
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from leotrek_opt.cli.output import summary

if TYPE_CHECKING:
    from leotrek_opt.models.placement import PlacementProblem
    from leotrek_opt.solvers.model_result import ModelResult
    from leotrek_opt.solvers.result import Result

SOLVED = 0
INTERNAL_ERROR = 1
BAD_INPUT = 2
INFEASIBLE = 3
NO_SOLUTION = 4
FAILED_VERIFICATION = 5
INTERRUPTED = 130


def _finite(value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter("must be a finite number")
    return value


OutputFormat = Annotated[
    Literal["table", "json", "csv"],
    typer.Option("--format", help="How to print the answer; json prints one document."),
]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit", min=0, metavar="SECONDS", callback=_finite, help="Stop after so long."
    ),
]
Gap = Annotated[
    float,
    typer.Option(
        "--gap", min=0, callback=_finite, help="Stop when objective and bound are so close."
    ),
]
AbsoluteGap = Annotated[
    float,
    typer.Option(
        "--absolute-gap",
        min=0,
        callback=_finite,
        help="Stop when objective and bound differ by no more, in the objective's unit.",
    ),
]
MemoryLimit = Annotated[
    int | None,
    typer.Option(
        "--memory-limit", min=1, metavar="MIB", help="Memory of the solve, in a process of its own."
    ),
]
Certify = Annotated[
    bool, typer.Option("--certify", help="Prove the bound, or ask a second engine family.")
]
Isolate = Annotated[
    bool, typer.Option("--isolate", help="Solve in a process of its own; survives its crash.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random.")]
Threads = Annotated[int, typer.Option("--threads", min=1, help="Threads of a solver engine.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the answer there.")]
FreezeTo = Annotated[
    Path | None,
    typer.Option(
        "--freeze", metavar="FILE", help="Write out every link, solve that, and keep it there."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
Verbose = Annotated[
    int, typer.Option("-v", "--verbose", count=True, help="Log to stderr; -vv logs more.")
]


def exit_code(result: Result | ModelResult, *, interrupted: bool = False) -> int:
    """Return the exit code that one result calls for.

    Parameters
    ----------
    result
        What a solver answered.
    interrupted
        Whether the user asked to stop; an answer that is final all the same counts as one.

    Returns
    -------
    int
        As documented for the program.
    """
    status = str(result.status)
    if status == "error":
        # The checker refuted a claim; or a solver failed, whatever it had found before.
        refuted = result.solution is not None and not result.is_verified
        return FAILED_VERIFICATION if refuted else INTERNAL_ERROR
    if status in {"optimal", "feasible"} and result.violations:
        return FAILED_VERIFICATION
    if status == "optimal":
        return SOLVED
    if status == "infeasible":
        return INFEASIBLE
    if interrupted or status == "interrupted":
        return INTERRUPTED
    return SOLVED if status == "feasible" else NO_SOLUTION


def read_problem(path: Path) -> PlacementProblem:
    """Read a problem document.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    PlacementProblem
        The problem.

    Raises
    ------
    InputError
        If the file holds another kind of document.
    """
    from leotrek_opt.errors import InputError
    from leotrek_opt.instances.documents import load
    from leotrek_opt.models.placement import PlacementProblem

    if is_model_file(path):
        raise InputError("is a linear model; this command takes problem documents", file=path)
    document = load(path)
    if not isinstance(document, PlacementProblem):
        kind = getattr(document, "kind", "other")
        raise InputError(
            f'must be "placement" to be solved (got "{kind}")', file=path, field="kind"
        )
    return document


def is_model_file(path: Path) -> bool:
    """Tell whether a file is named as a linear model.

    Parameters
    ----------
    path
        Any path.

    Returns
    -------
    bool
        Whether it ends in ``.mps`` or ``.mps.gz``.
    """
    return path.name.lower().endswith((".mps", ".mps.gz"))


def frozen(problem: PlacementProblem, path: Path) -> PlacementProblem:
    """Write the explicit form of a problem to a file and return it.

    Parameters
    ----------
    problem
        With any topology.
    path
        File to write.

    Returns
    -------
    PlacementProblem
        With every link written out.
    """
    from leotrek_opt.instances.documents import save
    from leotrek_opt.topology.freeze import freeze

    explicit = problem.replace(continuum=freeze(problem.continuum))
    save(explicit, path)
    return explicit


def log_start(problem: PlacementProblem, solvers: str) -> None:
    """Log what is about to run.

    Parameters
    ----------
    problem
        What is solved.
    solvers
        By what.
    """
    logging.getLogger("leotrek_opt.cli").info("solving %s by %s", summary(problem), solvers)


@contextmanager
def interruptible(
    message: str = "stopping; the best answer so far follows (Ctrl-C again aborts)",
) -> Iterator[threading.Event]:
    """Turn the first Ctrl-C into an event; the second one aborts.

    Parameters
    ----------
    message
        What to say then.

    Yields
    ------
    threading.Event
        Set once the user wants to stop.
    """
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def stop(number: int, frame: Any) -> None:
        if event.is_set():
            signal.default_int_handler(number, frame)
        event.set()
        os.write(2, f"\n{message}\n".encode())

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


def log_to_stderr(verbosity: int) -> None:
    """Let the library's logger speak.

    Parameters
    ----------
    verbosity
        0 only warnings, 1 information, 2 everything.
    """
    level = {0: logging.WARNING, 1: logging.INFO}.get(verbosity, logging.DEBUG)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("leotrek_opt")
    logger.handlers = [handler]
    logger.setLevel(level)
