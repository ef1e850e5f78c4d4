"""``leotrek topology presets``: the constellations that have a name here."""

from __future__ import annotations

import json

from leotrek_opt.cli.common import SOLVED, OutputFormat
from leotrek_opt.cli.output import print_csv
from leotrek_opt.cli.topology.writing import write_table

_COLUMNS = ("name", "title", "satellites", "shells", "min_elevation_deg")


def command(*, output: OutputFormat = "table") -> int:
    """List the constellations that have a name; describe NAME says where its figures are from."""
    from leotrek_opt.instances.preset_facts import PRESETS

    rows = [
        [
            name,
            facts.title,
            sum(shell.satellites for shell in facts.shells),
            len(facts.shells),
            facts.min_elevation_deg,
        ]
        for name, facts in PRESETS.items()
    ]
    if output == "json":
        print(json.dumps([dict(zip(_COLUMNS, row, strict=True)) for row in rows]))
    elif output == "csv":
        print_csv(_COLUMNS, rows)
    else:
        write_table(
            ["name", "constellation", "satellites", "shells", "least elevation"],
            [[*map(str, row[:4]), "-" if row[4] is None else f"{row[4]:g}"] for row in rows],
            left=2,
        )
    return SOLVED
