"""The program ``leotrek``: which commands there are, and how each way of failing ends.

Exit codes: 0 solved, 1 internal error, 2 bad usage or input, 3 proven infeasible, 4 no solution
within the limit, 5 a solution failed verification, 130 interrupted. A command ends by returning its
exit code (``None`` is 0) or by raising :class:`typer.Exit`; whatever else it raises is turned into
one line here.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Annotated

import typer
from typer.exceptions import TyperException

from leotrek_opt.errors import EngineError, LeotrekError

INTERNAL_ERROR = 1
BAD_INPUT = 2
INTERRUPTED = 130

# Command name to the module that holds it as `command`, in the order of the help text; a package
# with `COMMANDS` of its own is a group. These modules import numpy, pydantic and all that needs
# them only inside the function, so that `--help` stays quick.
COMMANDS = {
    "generate": "leotrek_opt.cli.generate",
    "solve": "leotrek_opt.cli.solve",
    "compare": "leotrek_opt.cli.compare",
    "verify": "leotrek_opt.cli.verify",
    "explain": "leotrek_opt.cli.explain",
    "export": "leotrek_opt.cli.export",
    "topology": "leotrek_opt.cli.topology",
    "validate": "leotrek_opt.cli.validate",
    "schema": "leotrek_opt.cli.schema",
    "doctor": "leotrek_opt.cli.doctor",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments
        What follows the program's name; ``sys.argv[1:]`` when omitted.

    Returns
    -------
    int
        The exit code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Whoever wants the traceback adds --debug to the end of the line that failed, so it counts
    # wherever it stands.
    debug = "--debug" in given
    try:
        result = _application()(
            args=[argument for argument in given if argument != "--debug"],
            prog_name="leotrek",
            standalone_mode=False,
        )
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of a pipe has seen enough; without this the interpreter complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):
            # Typer has met it first, and ends with 1.
            return 0
        return error.code if isinstance(error.code, int) else INTERNAL_ERROR
    except Exception as error:
        if debug:
            traceback.print_exc()
        else:
            _complain(error)
        return _exit_code(error)
    return result if isinstance(result, int) else 0


def _application() -> typer.Typer:
    application = _with_commands(COMMANDS)
    application.callback()(_options)
    return application


def _with_commands(commands: Mapping[str, str], about: str | None = None) -> typer.Typer:
    application = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help=about,
    )
    for name, place in commands.items():
        module = import_module(place)
        if hasattr(module, "COMMANDS"):
            _, _, about_group = (module.__doc__ or "").strip().partition(": ")
            group = _with_commands(module.COMMANDS, about_group[:1].upper() + about_group[1:])
            application.add_typer(group, name=name)
        else:
            application.command(name)(module.command)
    return application


def _show_version(wanted: bool) -> None:
    if wanted:
        from leotrek_opt.versions import __version__

        print(f"leotrek {__version__}")
        raise typer.Exit


def _options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", is_eager=True, callback=_show_version
        ),
    ] = False,
    # Declared for the help text only: `main` has taken it out of the arguments.
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Optimize serverless workflows on the Edge-Cloud-Space continuum, with proof."""


def _complain(error: Exception) -> None:
    """Say in one line what is wrong and, where one is known, in a second what to do about it."""
    hint = ""
    if isinstance(error, TyperException):
        text = error.format_message().replace(": Value error, ", ": ")
        context = getattr(error, "ctx", None)
        if context is not None:
            hint = f"Try '{context.command_path} --help'."
    elif isinstance(error, LeotrekError):
        text = str(error)
    elif _names_a_file(error):
        text = f"{error.filename}: {error.strerror}"  # type: ignore[attr-defined]
    elif _is_full(error):
        text = f"cannot write: {error.strerror}"  # type: ignore[attr-defined]
    else:
        text = f"internal error: {type(error).__name__}: {error}"
        hint = "Add --debug for the traceback."
    if text:
        print(f"error: {' '.join(text.split())}", file=sys.stderr)
    if hint:
        print(hint, file=sys.stderr)


def _exit_code(error: Exception) -> int:
    if isinstance(error, TyperException):
        return error.exit_code
    if isinstance(error, EngineError):
        return INTERNAL_ERROR
    from_outside = isinstance(error, LeotrekError) or _names_a_file(error) or _is_full(error)
    return BAD_INPUT if from_outside else INTERNAL_ERROR


def _names_a_file(error: Exception) -> bool:
    """Tell whether the operating system refused a path, which nearly always the user gave."""
    return isinstance(error, OSError) and error.filename is not None


def _is_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
