"""``leotrek schema``: the JSON Schema of a kind of document."""

from __future__ import annotations

from typing import Annotated

import typer

from leotrek_opt.cli.common import SOLVED


def command(
    kind: Annotated[
        str | None,
        typer.Argument(metavar="KIND", help="Kind of document; lists them when omitted."),
    ] = None,
) -> int:
    """Print the JSON Schema of a kind of document, or the list of kinds."""
    import json

    from leotrek_opt.instances.json_schema import json_schema
    from leotrek_opt.instances.kinds import KINDS

    if kind is None:
        width = max(len(name) for name in KINDS)
        for name, entry in KINDS.items():
            print(f"{name:<{width}}  {entry.summary}")
    else:
        print(json.dumps(json_schema(kind), indent=2))
    return SOLVED
