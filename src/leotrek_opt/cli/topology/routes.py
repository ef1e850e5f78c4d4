"""``leotrek topology routes``: the best ways between two nodes, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leotrek_opt.cli.common import SOLVED, OutputFormat
from leotrek_opt.cli.output import print_csv
from leotrek_opt.cli.topology.source import moment, node_named, with_source
from leotrek_opt.cli.topology.writing import write_json, write_table

if TYPE_CHECKING:
    from leotrek_opt.instances.topology_source import TopologySource
    from leotrek_opt.topology.routes.route import Route
    from leotrek_opt.topology.routes.steps import StepRoutes

From = Annotated[str, typer.Option("--from", metavar="NODE", help="Where routes begin.")]
To = Annotated[str, typer.Option("--to", metavar="NODE", help="Where routes end.")]

MAX_BANDWIDTH_MBPS = 1e9
"""The most that a link of a document may have."""

_COLUMNS = ("step", "time", "rank", "latency_ms", "bottleneck_mbps", "hops", "nodes")


@with_source
def command(
    source: TopologySource,
    *,
    begin: From,
    end: To,
    k: Annotated[int, typer.Option("--k", min=1, max=1000, help="How many at each step.")] = 1,
    min_bandwidth: Annotated[
        float | None,
        typer.Option(
            "--min-bandwidth",
            metavar="MBPS",
            min=0,
            max=MAX_BANDWIDTH_MBPS,
            help="Only links with as much.",
        ),
    ] = None,
    widest: Annotated[
        bool, typer.Option("--widest", help="The route of largest bandwidth, then least latency.")
    ] = False,
    output: OutputFormat = "table",
) -> int:
    """List least-latency routes of every step, or the widest one."""
    from leotrek_opt.errors import InputError
    from leotrek_opt.models.base import quantum_bps
    from leotrek_opt.topology.routes.steps import routes_over_time

    if widest and k > 1:
        raise InputError("gives one route; leave out --k", field="--widest")
    found = routes_over_time(
        source.states.states(),
        node_named(source, begin, "--from"),
        node_named(source, end, "--to"),
        count=k,
        min_bandwidth_bps=None if min_bandwidth is None else quantum_bps(min_bandwidth),
        widest=widest,
    )
    if output == "json":
        head = {"source": source.name, "from": begin, "to": end}
        write_json(head, "steps", (_document(source, step) for step in found))
    elif output == "csv":
        print_csv(_COLUMNS, _rows(source, found))
    else:
        write_table(
            ["step", "time", "rank", "latency ms", "mbit/s", "hops", "nodes"],
            (
                [
                    str(row[0]),
                    moment(row[1]),
                    str(row[2]) if row[2] else "-",
                    "no route" if row[3] is None else f"{row[3]:.4f}",
                    ("unlimited" if row[2] else "-") if row[4] is None else f"{row[4]:g}",
                    "-" if row[5] is None else str(row[5]),
                    row[6] or "",
                ]
                for row in _rows(source, found)
            ),
            left=2,
        )
    return SOLVED


def _rows(source: TopologySource, found: Iterator[StepRoutes]) -> Iterator[list[Any]]:
    for step in found:
        time = step.time.isoformat()
        if not step.routes:
            yield [step.step, time, None, None, None, None, None]
        for rank, route in enumerate(step.routes, 1):
            offered = _offered(source, route)
            yield [step.step, time, rank, *offered[:3], " ".join(offered[3])]


def _document(source: TopologySource, step: StepRoutes) -> dict[str, Any]:
    names = ("latency_ms", "bottleneck_mbps", "hops", "nodes")
    return {
        "step": step.step,
        "time": step.time.isoformat(),
        "routes": [dict(zip(names, _offered(source, route), strict=True)) for route in step.routes],
    }


def _offered(
    source: TopologySource, route: Route
) -> tuple[float, float | None, int, tuple[str, ...]]:
    from leotrek_opt.models.base import BPS_PER_MBPS, NS_PER_MS
    from leotrek_opt.topology.routes.route import named

    bottleneck = route.bottleneck_bps
    return (
        route.latency_ns / NS_PER_MS,
        None if bottleneck is None else bottleneck / BPS_PER_MBPS,
        route.hops,
        named(route, source.continuum),
    )
