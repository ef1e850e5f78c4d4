"""``leotrek topology windows``: when ground nodes see satellites."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leotrek_opt.cli.common import SOLVED, OutputFormat
from leotrek_opt.cli.output import print_csv
from leotrek_opt.cli.topology.source import in_options, moment, with_source
from leotrek_opt.cli.topology.writing import write_json, write_table

if TYPE_CHECKING:
    from leotrek_opt.instances.topology_source import TopologySource
    from leotrek_opt.topology.contacts.table import WindowTable

DAY_S = 86_400.0

_COLUMNS = (
    "station",
    "satellite",
    "aos",
    "los",
    "aos_s",
    "los_s",
    "duration_s",
    "max_elevation_deg",
    "max_elevation_s",
    "clipped_start",
    "clipped_end",
)


@with_source
def command(
    source: TopologySource,
    *,
    station: Annotated[
        list[str] | None,
        typer.Option("--station", metavar="NAME", help="Of this ground node; may be repeated."),
    ] = None,
    satellite: Annotated[
        list[str] | None,
        typer.Option("--satellite", metavar="NAME", help="Of this satellite; may be repeated."),
    ] = None,
    span: Annotated[
        float | None,
        typer.Option(
            "--span",
            metavar="SECONDS",
            help="How long to look; the time grid, or a day where it has one step.",
        ),
    ] = None,
    output: OutputFormat = "table",
) -> int:
    """List contact windows in the order of time."""
    from leotrek_opt.errors import InputError, UnsupportedError
    from leotrek_opt.models.topology import GeneratedTopology
    from leotrek_opt.topology.contacts.windows import contact_windows

    if not isinstance(source.continuum.topology, GeneratedTopology):
        raise UnsupportedError(
            f"{source.name} knows its links at its steps only; windows need the recipe behind them"
        )
    if set(source.continuum.nodes.kind) <= {"satellite"}:
        raise InputError(f"{source.name} has no ground nodes; give some", field="--ground")
    if span is not None and span <= 0:
        raise InputError(f"must be greater than 0, got {span:g}", field="--span")
    single = source.continuum.time.steps == 1
    end_s = DAY_S if span is None and single else span
    options = {"ground": "--station", "satellites": "--satellite", "end_s": "--span"}
    with in_options(options):
        _look_ahead(source, end_s)
        windows = contact_windows(
            source.continuum,
            ground=station or None,
            satellites=satellite or None,
            end_s=end_s,
        ).by_time()
    if output == "json":
        head = {"source": source.name, "start": _start(source).isoformat(), "count": len(windows)}
        rows = (dict(zip(_COLUMNS, row, strict=True)) for row in _rows(source, windows))
        write_json(head, "windows", rows)
    elif output == "csv":
        print_csv(_COLUMNS, _rows(source, windows))
    else:
        write_table(
            ["station", "satellite", "rises (UTC)", "sets (UTC)", "seconds", "max elevation"],
            (
                [
                    row[0],
                    row[1],
                    "before" if row[9] else row[2][:23],
                    "after" if row[10] else row[3][:23],
                    f"{row[6]:.2f}",
                    f"{row[7]:.2f}",
                ]
                for row in _rows(source, windows)
            ),
            left=4,
        )
    return SOLVED


def _look_ahead(source: TopologySource, end_s: float | None) -> None:
    """Refuse a span that no calendar holds, and warn of elements that are old at either end."""
    from leotrek_opt.errors import InputError
    from leotrek_opt.models.continuum import TimeGrid
    from leotrek_opt.topology.contacts.arguments import generated, span_s
    from leotrek_opt.topology.instants import step_instant, warn_of_old_elements
    from leotrek_opt.topology.propagation import ephemeris

    _, end = span_s(source.continuum.time, 0.0, end_s)
    start = _start(source)
    try:
        step_instant(start, end)
    except InputError:
        message = f"{end:g} s after {moment(start.isoformat())} is beyond the year 9999"
        raise InputError(message, field="end_s") from None
    motion = ephemeris(generated(source.continuum))
    # The warning looks at the steps of a grid. Events of the document need not fit this one.
    time = TimeGrid(start=start, offsets_s=(0.0, end), steps=2)
    ends = source.continuum.model_copy(update={"time": time})
    warn_of_old_elements(ends, motion.epoch_jd, motion.epoch_fraction, start)


def _rows(source: TopologySource, windows: WindowTable) -> Iterator[list[Any]]:
    from datetime import timedelta

    start = _start(source)
    names = source.continuum.nodes.names
    columns = (
        windows.ground,
        windows.satellite,
        windows.aos_s,
        windows.los_s,
        windows.max_elevation_deg,
        windows.max_elevation_s,
        windows.clipped_start,
        windows.clipped_end,
    )
    for ground, satellite, aos, los, top, top_s, cut_start, cut_end in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        yield [
            names[ground],
            names[satellite],
            (start + timedelta(seconds=aos)).isoformat(timespec="milliseconds"),
            (start + timedelta(seconds=los)).isoformat(timespec="milliseconds"),
            round(aos, 4),
            round(los, 4),
            round(los - aos, 4),
            round(top, 5),
            round(top_s, 3),
            cut_start,
            cut_end,
        ]


def _start(source: TopologySource) -> Any:
    from datetime import UTC

    from leotrek_opt.topology.contacts.arguments import generated
    from leotrek_opt.topology.instants import start_instant

    return start_instant(generated(source.continuum), source.continuum.time).astimezone(UTC)
