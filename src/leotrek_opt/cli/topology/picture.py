"""``leotrek topology picture``: a map and a globe of one step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leotrek_opt.cli.common import SOLVED, Quiet
from leotrek_opt.cli.topology.source import moment, node_named, with_source

if TYPE_CHECKING:
    from leotrek_opt.instances.topology_source import TopologySource


@with_source
def command(
    source: TopologySource,
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Ends in .html, .png, .svg or .pdf.")
    ],
    step: Annotated[int, typer.Option("--step", min=0, help="Which step.")] = 0,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="NODE", help="Show the route from here …")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="NODE", help="… to there.")] = None,
    quiet: Quiet = False,
) -> int:
    """Draw satellites, links and the route between two nodes at one step."""
    from leotrek_opt.errors import InputError
    from leotrek_opt.report.topology_picture import save_topology_picture
    from leotrek_opt.topology.routes.steps import routes_over_time

    if (begin is None) != (end is None):
        raise InputError("--from and --to go together", field="--to" if end is None else "--from")
    steps = source.states.steps
    if step >= steps:
        raise InputError(f"must be in 0 … {steps - 1}, got {step}", field="--step")
    state = next(iter(source.states.states(step, step + 1)))
    route = None
    if begin is not None and end is not None:
        first = node_named(source, begin, "--from")
        last = node_named(source, end, "--to")
        found = next(routes_over_time([state], first, last)).routes
        if not found:
            raise InputError(f"no route from {begin} to {end} at step {step}", field="--from")
        route = found[0].nodes
    save_topology_picture(out, state, source.continuum, route=route, title=_title(source))
    if not quiet:
        print(f"{out}: step {step}, {moment(state.time.isoformat())}")
    return SOLVED


def _title(source: TopologySource) -> str | None:
    """Name what has no name of its own in the document."""
    if source.preset is not None:
        return source.preset.title
    if source.kind == "document":
        return None
    return source.name if source.kind == "walker" else Path(source.name).name
