"""How the commands write very many rows: as one JSON document, or as a table."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

TABLE_ROWS = 1000
"""A table with more rows is cut, and says so: it is made to be read."""


def write_json(head: dict[str, Any], name: str, rows: Iterable[dict[str, Any]]) -> None:
    """Print one JSON document to stdout, row by row, so that a million rows need no memory.

    Parameters
    ----------
    head
        What stands before the rows.
    name
        Field that holds them.
    rows
        Plain values.
    """
    text = json.dumps(head, ensure_ascii=False, allow_nan=False)
    opening = text[:-1] + (", " if head else "")
    sys.stdout.write(f"{opening}{json.dumps(name)}: [")
    for number, row in enumerate(rows):
        comma = "," if number else ""
        sys.stdout.write(f"{comma}\n{json.dumps(row, ensure_ascii=False, allow_nan=False)}")
    sys.stdout.write("\n]}\n")


def write_table(header: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> None:
    """Print a table to stdout, its first rows if there are very many; no cell is cut.

    Parameters
    ----------
    header
        Column titles.
    rows
        Cells as they are to be read.
    left
        How many columns are aligned to the left, the last one aside, which always is.
    """
    rows = iter(rows)
    shown = [header, *islice(rows, TABLE_ROWS)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        cells = [
            cell.ljust(width) if number < left else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row[:-1], widths, strict=False))
        ]
        print("  ".join([*cells, row[-1]]).rstrip())
    more = sum(1 for _ in rows)
    if more:
        print(f"and {more} more; --format csv has them all")
