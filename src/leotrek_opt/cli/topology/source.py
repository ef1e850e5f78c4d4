"""What the commands share: the argument SOURCE, the options that go with it, and warnings."""

from __future__ import annotations

import functools
import inspect
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

if TYPE_CHECKING:
    from leotrek_opt.instances.topology_source import TopologySource

Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A continuum or placement document, element sets (TLE or OMM), a recording, a state "
        "of Stardust, a preset such as kuiper, or a Walker design such as 53:1584/72/1@550.",
    ),
]
Ground = Annotated[
    Path | None,
    typer.Option(
        "--ground", metavar="CSV", help="Ground nodes: name, lat_deg, lon_deg; alt_m, kind."
    ),
]
Start = Annotated[
    str | None,
    typer.Option("--start", metavar="TIME", help="First instant, such as 2025-01-01T00:00:00Z."),
]
Epoch = Annotated[
    str | None,
    typer.Option("--epoch", metavar="TIME", help="When shells are as their elements say."),
]
Steps = Annotated[int | None, typer.Option("--steps", min=1, help="Number of steps.")]
StepSeconds = Annotated[
    float | None, typer.Option("--step-s", metavar="SECONDS", help="Seconds between steps.")
]
Propagator = Annotated[
    Literal["sgp4", "circular_j2"] | None,
    typer.Option("--propagator", help="How satellites move."),
]
InterSatellite = Annotated[
    str | None,
    typer.Option(
        "--isl",
        metavar="RULE",
        help="Links between satellites: plus_grid, nearest_k, mst …, a JSON object, or none.",
    ),
]
Strategy = Annotated[
    str | None,
    typer.Option(
        "--strategy",
        metavar="RULE",
        help="Ground links: all_visible, nearest, best_elevation, k_best or longest_contact.",
    ),
]
MaxLinks = Annotated[
    int | None, typer.Option("--antennas", min=1, help="Links of a ground node at a time.")
]
Mask = Annotated[
    float | None, typer.Option("--mask", metavar="DEGREES", help="Least elevation of ground links.")
]
MaxRange = Annotated[
    float | None, typer.Option("--max-range", metavar="KM", help="Longest ground link.")
]

Relay = Annotated[
    bool | None,
    typer.Option("--relay/--no-relay", help="Whether routes may pass through ground nodes."),
]
DuplicateSets = Annotated[
    Literal["newest", "first", "all"] | None,
    typer.Option("--duplicates", help="Which element sets of one catalogue number count."),
]

_OPTIONS: dict[str, tuple[Any, str]] = {
    "ground": (Ground, "ground"),
    "start": (Start, "start"),
    "epoch": (Epoch, "epoch"),
    "steps": (Steps, "steps"),
    "step_s": (StepSeconds, "step_s"),
    "propagator": (Propagator, "propagator"),
    "isl": (InterSatellite, "inter_satellite"),
    "strategy": (Strategy, "strategy"),
    "antennas": (MaxLinks, "max_links"),
    "mask": (Mask, "min_elevation_deg"),
    "max_range": (MaxRange, "max_range_km"),
    "relay": (Relay, "ground_relay"),
    "duplicates": (DuplicateSets, "duplicates"),
}
"""Parameter to its type and to the field of ``SourceOptions`` that it sets."""


def with_source(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the argument SOURCE and the options that say how to read it.

    Parameters
    ----------
    command
        Takes a topology source first, and its own options as keywords.

    Returns
    -------
    callable
        Takes what the command line has.
    """

    @functools.wraps(command)
    def run(source: str, **given: Any) -> int:
        taken = {field: given.pop(name) for name, (_, field) in _OPTIONS.items()}
        with said_warnings():
            return command(_opened(source, taken), **given)

    # The class of the first parameter is known to type checkers only, so that --help stays quick.
    kinds = get_type_hints(command, localns={"TopologySource": object}, include_extras=True)
    own = [
        parameter.replace(annotation=kinds[parameter.name])
        for parameter in list(inspect.signature(command).parameters.values())[1:]
    ]
    keyword = inspect.Parameter.KEYWORD_ONLY
    added = [
        inspect.Parameter(name, keyword, default=None, annotation=kind)
        for name, (kind, _) in _OPTIONS.items()
    ]
    first = inspect.Parameter("source", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Source)
    signature = inspect.Signature([first, *own, *added], return_annotation=int)
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {
        parameter.name: parameter.annotation for parameter in signature.parameters.values()
    }
    return run


def _opened(source: str, taken: dict[str, Any]) -> TopologySource:
    from leotrek_opt.instances.topology_source import SourceOptions, topology_source

    for name in ("start", "epoch"):
        if taken[name] is not None:
            taken[name] = _instant(taken[name], name)
    fields = {field: f"--{name.replace('_', '-')}" for name, (_, field) in _OPTIONS.items()}
    with in_options(fields):
        return topology_source(source, SourceOptions(**taken))


@contextmanager
def in_options(names: Mapping[str, str]) -> Iterator[None]:
    """Name the option in an error, where the library names a field that the option sets.

    Parameters
    ----------
    names
        Field to option, such as ``--mask``.
    """
    from leotrek_opt.errors import InputError

    try:
        yield
    except InputError as error:
        # The innermost part that is an option: ground.min_elevation_deg is --mask.
        parts = reversed(re.split(r"[.\[]", error.field or ""))
        option = next((names[part] for part in parts if part in names), None)
        if option is None or error.file is not None:
            raise
        raise InputError(error.message, field=option) from None


def _instant(text: str, name: str) -> datetime:
    from leotrek_opt.errors import InputError

    try:
        instant = datetime.fromisoformat(text)
        instant.astimezone(UTC)
    except (ValueError, OverflowError):
        instant = None
    if instant is None or instant.tzinfo is None:
        raise InputError(
            f'must be an instant with a time zone, such as 2025-01-01T00:00:00Z, got "{text}"',
            field=f"--{name}",
        )
    return instant


@contextmanager
def said_warnings() -> Iterator[None]:
    """Say warnings of the library in one line each on stderr."""

    def say(message: Warning | str, *_: Any, **__: Any) -> None:
        print(f"warning: {' '.join(str(message).split())}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("once", UserWarning)
        warnings.showwarning = say
        yield


def moment(text: str) -> str:
    """Return an instant as tables show it, with Z for UTC.

    Parameters
    ----------
    text
        In the form of ``datetime.isoformat``.

    Returns
    -------
    str
        The same instant.
    """
    return text.replace("+00:00", "Z")


def node_named(source: TopologySource, name: str, option: str) -> int:
    """Return the index of the node that an option names.

    Parameters
    ----------
    source
        Its nodes.
    name
        Identifier or label.
    option
        For the message.

    Returns
    -------
    int
        Node index.

    Raises
    ------
    leotrek_opt.errors.InputError
        If there is none; it names the nearest.
    """
    from leotrek_opt.topology.contacts.arguments import chosen_nodes

    nodes = len(source.continuum.nodes)
    with in_options({"node": option}):
        return int(chosen_nodes(source.continuum, [name], 0, nodes, "node")[0])


def counted_steps(quiet: bool) -> Callable[[int, int], None] | None:
    """Return what shows on a terminal's stderr how many steps are done.

    Parameters
    ----------
    quiet
        Show nothing.

    Returns
    -------
    callable or None
        Takes the number done and the number of all; None where nobody would see it.
    """
    if quiet or not sys.stderr.isatty():
        return None

    def show(done: int, steps: int) -> None:
        end = "\r\x1b[K" if done == steps else ""
        print(f"\rstep {done} of {steps}{end}", end="", file=sys.stderr, flush=True)

    return show
