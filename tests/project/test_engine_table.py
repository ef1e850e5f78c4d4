"""The table of what engines can do says what the engines declare."""

from __future__ import annotations

from pathlib import Path

from leotrek_opt.solvers.engines import engine_named
from leotrek_opt.solvers.engines.protocol import Feature

PAGE = Path(__file__).parents[2] / "docs" / "solvers" / "engines.md"


def test_table_of_the_page_is_what_engines_declare() -> None:
    section = PAGE.read_text(encoding="utf-8").split("## What each engine can do")[1]
    lines = [line for line in section.split("\n## ")[0].splitlines() if line.startswith("|")]
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert len(rows) == len(Feature)
    for column, name in enumerate(header[1:], start=1):
        features = engine_named(name).features
        said = [row[column] == "yes" for row in rows]
        assert said == [feature in features for feature in Feature], name
