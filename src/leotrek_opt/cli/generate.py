"""``leotrek generate``: a problem from a named scenario and a seed."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from leotrek_opt.cli.common import SOLVED, Out, Quiet, Seed
from leotrek_opt.cli.output import summary

Count = Annotated[int | None, typer.Option(min=1, help="Other than the scenario's own number.")]


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Scenario, such as wildfire.")],
    *,
    satellites: Count = None,
    edge: Count = None,
    ground_stations: Count = None,
    workflows: Count = None,
    seed: Seed = 0,
    out: Out = None,
    freeze: Annotated[
        bool, typer.Option("--freeze", help="Write out every link instead of the recipe.")
    ] = False,
    quiet: Quiet = False,
) -> int:
    """Generate a problem; without --out it goes to stdout."""
    from leotrek_opt.instances.documents import dumps, save
    from leotrek_opt.instances.scenarios import generate

    given = {
        "satellites": satellites,
        "edge": edge,
        "ground_stations": ground_stations,
        "workflows": workflows,
    }
    sizes = {key: value for key, value in given.items() if value is not None}
    problem = generate(name, seed=seed, **sizes)
    if freeze:
        from leotrek_opt.topology.freeze import freeze as written_out

        problem = problem.replace(continuum=written_out(problem.continuum))
    if out is None:
        sys.stdout.write(dumps(problem))
        return SOLVED
    save(problem, out)
    if not quiet:
        print(f"{out}: {summary(problem)}")
    return SOLVED
