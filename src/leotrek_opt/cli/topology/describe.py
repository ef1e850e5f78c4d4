"""``leotrek topology describe``: counts, shells, altitudes, links and latencies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from leotrek_opt.cli.common import SOLVED, OutputFormat, Quiet
from leotrek_opt.cli.output import counted, print_csv
from leotrek_opt.cli.topology.source import counted_steps, with_source
from leotrek_opt.cli.topology.writing import write_table

if TYPE_CHECKING:
    from leotrek_opt.instances.topology_source import TopologySource
    from leotrek_opt.topology.described import Spread, TopologyDescription

_SHOWN = 10
"""Bad records and lost satellites that a table lists; json has them all."""

_STEP_COLUMNS = (
    "step",
    "time",
    "inter_satellite_links",
    "ground_links",
    "terrestrial_links",
    "inter_satellite_latency_ms",
    "ground_latency_ms",
    "terrestrial_latency_ms",
    "masked_satellites",
    "least_degree",
    "mean_degree",
    "greatest_degree",
    "components",
    "largest_component",
    "isolated",
    "unserved_ground",
)


@with_source
def command(source: TopologySource, *, output: OutputFormat = "table", quiet: Quiet = False) -> int:
    """Describe a topology over its steps; csv has one row per step."""
    from leotrek_opt.topology.description import describe_topology

    found = describe_topology(source.continuum, source.states, on_progress=counted_steps(quiet))
    if output == "json":
        print(json.dumps(_document(source, found), ensure_ascii=False, allow_nan=False))
    elif output == "csv":
        print_csv(_STEP_COLUMNS, map(_step_row, found.per_step))
    else:
        _print(source, found)
    return SOLVED


def _document(source: TopologySource, found: TopologyDescription) -> dict[str, Any]:
    document: dict[str, Any] = {"source": source.name, "kind": source.kind}
    if source.elements is not None:
        document["elements"] = {
            "format": source.elements.format,
            "satellites": len(source.elements.table),
            "replaced": source.elements.replaced,
            "refused": source.elements.refused,
            "quarantined": [
                {"line": record.line, "reason": record.reason, "text": record.text}
                for record in source.elements.quarantined
            ],
        }
    if source.preset is not None:
        document["preset"] = {
            "title": source.preset.title,
            "sources": list(source.preset.sources),
            "notes": list(source.preset.notes),
        }
    return document | found.document()


def _step_row(figures: Any) -> list[Any]:
    degree = figures.degree
    return [
        figures.step,
        figures.time.isoformat(),
        *figures.links,
        *figures.latency_ms,
        figures.masked_satellites,
        degree.least,
        degree.mean,
        degree.greatest,
        figures.components,
        figures.largest_component,
        figures.isolated,
        figures.unserved_ground,
    ]


def _print(source: TopologySource, found: TopologyDescription) -> None:
    words = {"edge": "edge node", "cloud": "cloud", "ground_station": "ground station"}
    nodes = ", ".join(counted(count, words.get(kind, kind)) for kind, count in found.nodes.items())
    title = source.kind if source.preset is None else source.preset.title
    rows = [
        ["source", f"{source.name}, {title}"],
        ["nodes", nodes],
        ["time", f"{_time(found.start)} to {_time(found.end)}, {counted(found.steps, 'step')}"],
        ["altitude km", _range(found.altitude_km, 1)],
    ]
    if found.epoch_age_days.mean is not None:
        rows.append(["age of elements, days", _range(found.epoch_age_days, 2)])
    last = found.per_step
    rows += [
        ["links of a satellite", _over_steps([figures.degree for figures in last])],
        ["connected parts", _numbers([figures.components for figures in last])],
        ["nodes without link", _numbers([figures.isolated for figures in last])],
    ]
    if set(found.nodes) != {"satellite"}:
        unserved = _numbers([figures.unserved_ground for figures in last])
        rows.append(["ground without satellite", unserved])
    write_table(["topology", ""], rows, left=2)
    _print_shells(found)
    _print_links(found)
    _print_troubles(source, found)
    print()
    write_table(
        ["convention", ""],
        [[name, _words(value)] for name, value in found.conventions.items() if value is not None],
        left=2,
    )


def _print_shells(found: TopologyDescription) -> None:
    if not found.shells:
        return
    print()
    write_table(
        ["shell", "altitude km", "inclination", "satellites", "planes", "pattern", "F", "shift"],
        [
            [
                str(number),
                f"{shell.altitude_km:.1f}",
                f"{shell.inclination_deg:.2f}",
                str(shell.satellites),
                str(shell.planes),
                shell.pattern or "found",
                "-" if shell.phasing is None else str(shell.phasing),
                "-" if shell.cross_link_shift is None else str(shell.cross_link_shift),
            ]
            for number, shell in enumerate(found.shells, 1)
        ],
    )
    if found.unplaced_satellites:
        print(f"{counted(found.unplaced_satellites, 'satellite')} in no shell")


def _print_links(found: TopologyDescription) -> None:
    kinds = [kind for kind in found.kinds if kind.links.greatest]
    if not kinds:
        return
    print()
    write_table(
        ["links", "number", "least ms", "mean ms", "greatest ms", "mbit/s"],
        [
            [
                kind.kind.replace("_", " "),
                _range(kind.links, 0),
                _number(kind.latency_ms.least, 4),
                _number(kind.latency_ms.mean, 4),
                _number(kind.latency_ms.greatest, 4),
                _range(kind.bandwidth_mbps, 0) if kind.bandwidth_mbps.mean else "unlimited",
            ]
            for kind in kinds
        ],
    )


def _print_troubles(source: TopologySource, found: TopologyDescription) -> None:
    elements = source.elements
    if elements is not None and elements.refused:
        print(f"\n{counted(elements.refused, 'record')} set aside")
        for record in elements.quarantined[:_SHOWN]:
            print(f"  line {record.line}: {record.reason}")
        _print_more(elements.refused)
    if elements is not None and elements.replaced:
        print(f"\n{counted(elements.replaced, 'older record')} of the same satellites left out")
    if found.lost:
        print(f"\n{counted(len(found.lost), 'satellite')} without position at the first step")
        for lost in found.lost[:_SHOWN]:
            print(f"  {lost.node}: {lost.reason}")
        _print_more(len(found.lost))
    if source.preset is not None:
        print()
        for note in source.preset.notes:
            print(f"note: {note}")
        for text in source.preset.sources:
            print(f"source: {text}")


def _print_more(count: int) -> None:
    if count > _SHOWN:
        print(f"  and {count - _SHOWN} more; --format json has them all")


def _time(instant: Any) -> str:
    return str(instant.isoformat(timespec="seconds").replace("+00:00", "Z"))


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _range(spread: Spread, digits: int) -> str:
    if spread.least is None or spread.greatest is None:
        return "-"
    least, greatest = f"{spread.least:.{digits}f}", f"{spread.greatest:.{digits}f}"
    return least if least == greatest else f"{least} … {greatest}"


def _over_steps(spreads: list[Spread]) -> str:
    least = [spread.least for spread in spreads if spread.least is not None]
    mean = [spread.mean for spread in spreads if spread.mean is not None]
    greatest = [spread.greatest for spread in spreads if spread.greatest is not None]
    if not least:
        return "-"
    return f"{min(least):.0f} … {max(greatest):.0f}, mean {sum(mean) / len(mean):.2f}"


def _numbers(values: list[int]) -> str:
    least, greatest = min(values), max(values)
    return str(least) if least == greatest else f"{least} … {greatest}"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        kind = [str(value["type"])] if "type" in value else []
        fields = [
            f"{key} {_words(entry)}"
            for key, entry in value.items()
            if key != "type" and entry is not None
        ]
        return ", ".join(kind + fields)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
