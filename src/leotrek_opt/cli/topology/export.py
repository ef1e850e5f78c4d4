"""``leotrek topology export``: a topology as a document, a recording, a graph or element sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leotrek_opt.cli.common import INTERRUPTED, SOLVED, Quiet, interruptible
from leotrek_opt.cli.topology.source import counted_steps, in_options, with_source

if TYPE_CHECKING:
    from leotrek_opt.instances.topology_source import TopologySource


@with_source
def command(
    source: TopologySource,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Its suffix says the form.")],
    form: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="FORM",
            help="continuum, frozen, recording, stardust, graphml or tle.",
        ),
    ] = None,
    step: Annotated[
        int | None, typer.Option("--step", min=0, help="Which step a graph shows; the first.")
    ] = None,
    quiet: Quiet = False,
) -> int:
    """Write a topology to a file; Ctrl-C keeps the steps of a recording that are done."""
    from leotrek_opt.errors import InputError
    from leotrek_opt.instances.topology_export import export_form, export_topology

    with in_options({"form": "--to", "step": "--step"}):
        chosen = export_form(out, form)
        if step is not None and chosen != "graphml":
            raise InputError(f"is for graphml; {chosen} holds all steps", field="--step")
        if chosen != "recording":
            export_topology(source, out, chosen, step=step or 0)
    if chosen == "recording":
        with interruptible("stopping; the steps so far are kept (Ctrl-C again aborts)") as cancel:
            export_topology(source, out, chosen, on_progress=counted_steps(quiet), cancel=cancel)
            if cancel.is_set():
                return INTERRUPTED
    if not quiet:
        print(f"{out}: {chosen}, {out.stat().st_size} bytes")
    return SOLVED
