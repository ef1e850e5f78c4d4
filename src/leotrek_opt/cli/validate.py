"""``leotrek validate``: whether documents can be read, and what they hold."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from leotrek_opt.cli.common import BAD_INPUT, SOLVED
from leotrek_opt.cli.output import summary


def command(
    files: Annotated[list[Path], typer.Argument(help="Documents to check.", metavar="FILE...")],
) -> int:
    """Check documents of any kind, and everything they refer to; one line each."""
    from leotrek_opt.errors import InputError
    from leotrek_opt.instances.documents import load

    code = SOLVED
    for file in files:
        try:
            print(f"OK {summary(load(file))}")
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            code = BAD_INPUT
    return code
