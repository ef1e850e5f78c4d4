"""How the commands write values, tables and documents in a few words."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leotrek_opt.models.base import StrictModel
    from leotrek_opt.solvers.result import Result

SLO_RULES = frozenset({"max_latency", "data_source", "response_time"})
TEMPERATURE_RULES = frozenset({"temperature"})


def milliseconds(value: float | None) -> str:
    """Write a value of the objective.

    Parameters
    ----------
    value
        Milliseconds, None when unknown.

    Returns
    -------
    str
        Four decimals, or a dash.
    """
    return "-" if value is None else f"{value:.4f}"


def percent(value: float | None) -> str:
    """Write a relative gap.

    Parameters
    ----------
    value
        Fraction, None when unknown.

    Returns
    -------
    str
        Percent, or a dash.
    """
    if value is None:
        return "-"
    return "0 %" if value == 0 else f"{100 * value:.2f} %"


def count_violations(result: Result, rules: frozenset[str] | None = None) -> int:
    """Count the rules that a solution breaks.

    Parameters
    ----------
    result
        What a solver answered.
    rules
        Only these; all when omitted.

    Returns
    -------
    int
        Number of violations.
    """
    return sum(rules is None or violation.rule in rules for violation in result.violations)


def print_table(header: list[str], rows: list[list[str]], *, left: int = 1) -> None:
    """Print a table to stdout; the first columns are text, the others numbers.

    Parameters
    ----------
    header
        Column titles.
    rows
        Cells as they are to be read.
    left
        How many columns are aligned to the left.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, title in enumerate(header):
        table.add_column(title, justify="left" if index < left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    # A table that goes to a file or a pipe must not be cut at some terminal's width.
    width = None if sys.stdout.isatty() else 200
    Console(highlight=False, markup=False, width=width).print(table)


def print_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print comma-separated values to stdout, row by row.

    Parameters
    ----------
    header
        Column names.
    rows
        Values; None is an empty cell.
    """
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)


def summary(document: StrictModel) -> str:
    """Say in a few words what a document holds.

    Parameters
    ----------
    document
        Of any kind.

    Returns
    -------
    str
        Such as ``placement/1: 5 workflows, 20 functions, 1118 nodes, 15 steps``.
    """
    from leotrek_opt.models.continuum import Continuum
    from leotrek_opt.models.placement import PlacementProblem, PlacementSolution
    from leotrek_opt.models.topology import ExplicitTopology
    from leotrek_opt.models.workflow import Workflow

    if isinstance(document, PlacementProblem):
        workflows = document.workflows
        parts = [
            counted(len(workflows), "workflow"),
            counted(sum(len(workflow.functions) for workflow in workflows), "function"),
            counted(len(document.continuum.nodes), "node"),
            counted(document.continuum.time.steps, "step"),
        ]
    elif isinstance(document, Continuum):
        topology = document.topology
        links = (
            counted(len(topology.source), "link")
            if isinstance(topology, ExplicitTopology)
            else "generated links"
        )
        steps = counted(document.time.steps, "step")
        parts = [counted(len(document.nodes), "node"), links, steps]
    elif isinstance(document, Workflow):
        functions = counted(len(document.functions), "function")
        parts = [functions, counted(len(document.edges), "data edge")]
    elif isinstance(document, PlacementSolution):
        parts = [counted(len(document.assignments), "function") + " placed"]
    else:
        solver, status = (getattr(document, name, None) for name in ("solver", "status"))
        parts = [str(part) for part in (status, solver and f"by {solver}") if part]
    header = f"{getattr(document, 'kind', '?')}/{getattr(document, 'version', '?')}"
    return f"{header}: {', '.join(parts)}"


def counted(count: int, noun: str) -> str:
    """Write a number of things.

    Parameters
    ----------
    count
        How many.
    noun
        One of them.

    Returns
    -------
    str
        Such as ``1 node`` or ``2 nodes``.
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"
