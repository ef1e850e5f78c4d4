"""``leotrek export``: the linear model of a problem, for other solvers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leotrek_opt.cli.common import SOLVED, log_to_stderr, read_problem


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Problem document.")],
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Ends in .mps or .lp.")],
    max_nonzeros: Annotated[
        int, typer.Option("--max-nonzeros", min=1, help="Refuse a larger model.")
    ] = 20_000_000,
) -> int:
    """Write the linear model of a problem, with names in the words of the problem."""
    from leotrek_opt.errors import InputError
    from leotrek_opt.instances.lp_format import write_lp
    from leotrek_opt.instances.mps import write_mps
    from leotrek_opt.solvers.formulations.formulate import formulate

    log_to_stderr(0)
    name = out.name.lower()
    if not name.endswith((".mps", ".lp")):
        raise InputError("must end in .mps or .lp", file=out)
    model = formulate(read_problem(file), max_nonzeros=max_nonzeros).linear
    write = write_lp if name.endswith(".lp") else write_mps
    write(model, out, words=True)
    print(f"{out}: {model.n_variables} columns, {model.n_rows} rows, {model.n_nonzeros} nonzeros")
    return SOLVED
