"""A topology at one instant, ready to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.instances.writer import write_bytes
from leotrek_opt.models.base import NS_PER_MS
from leotrek_opt.models.continuum import Continuum
from leotrek_opt.report import style
from leotrek_opt.report.lines import link_path
from leotrek_opt.report.style import LineStyle, MarkStyle
from leotrek_opt.topology.environment.eclipse import sunlit_fraction
from leotrek_opt.topology.environment.sun import sun_ecef
from leotrek_opt.topology.state import GROUND, INTER_SATELLITE, TERRESTRIAL, TopologyState

Array = NDArray[np.float64]

SUFFIXES = (".html", ".png", ".svg", ".pdf")
"""Kinds of files that a picture can be saved as."""

_LINKS = {
    INTER_SATELLITE: style.BETWEEN_SATELLITES,
    GROUND: style.TO_GROUND,
    TERRESTRIAL: style.ON_GROUND,
}
_GROUND_NODES = {
    "ground_station": style.GROUND_STATION,
    "edge": style.EDGE,
    "cloud": style.CLOUD,
}


@dataclass(frozen=True, eq=False)
class Links:
    """Links of one kind: how many, and their path in ECEF in km, shape (points, 3)."""

    style: LineStyle
    count: int
    path_km: Array


@dataclass(frozen=True, eq=False)
class Nodes:
    """Nodes of one kind: their names, and their places in ECEF in km, shape (n, 3)."""

    style: MarkStyle
    names: tuple[str, ...]
    position_km: Array


@dataclass(frozen=True, eq=False)
class Route:
    """A route: the names and places of its nodes (n, 3), its path (points, 3), its latency."""

    names: tuple[str, ...]
    position_km: Array
    path_km: Array
    latency_ms: float

    @property
    def summary(self) -> str:
        """One line of text."""
        links = len(self.names) - 1
        return (
            f"Route {self.names[0]} → {self.names[-1]}: {self.latency_ms:.2f} ms one way "
            f"over {links} {_plural(links, 'link')}"
        )


@dataclass(frozen=True, eq=False)
class TopologyPicture:
    """Everything that is drawn.

    Parameters
    ----------
    title
        Heading.
    caption
        Time and counts, one line.
    sun_direction
        Unit vector in ECEF, shape (3,).
    links, satellites, ground
        By kind, in the order in which they are drawn; kinds without any are left out.
    route
        The route that stands out, or None.
    """

    title: str
    caption: str
    sun_direction: Array
    links: tuple[Links, ...]
    satellites: tuple[Nodes, ...]
    ground: tuple[Nodes, ...]
    route: Route | None


def topology_picture(
    state: TopologyState,
    continuum: Continuum,
    *,
    route: Sequence[int] | None = None,
    title: str | None = None,
    sunlit: ArrayLike | None = None,
) -> TopologyPicture:
    """Prepare the picture of a topology at one step.

    Parameters
    ----------
    state
        The step.
    continuum
        Names and kinds of its nodes.
    route
        Node indices of a route that shall stand out, each linked to the next.
    title
        Heading; the continuum's label or id by default.
    sunlit
        Fraction of the Sun that each satellite sees, shape (satellites,), as
        :class:`~leotrek_opt.topology.environment.step.EnvironmentState` has it. By default that of
        the cylindrical shadow. Those with less than half of it count as eclipsed.

    Returns
    -------
    TopologyPicture
        Satellites without position and their links are left out.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the route is none, or ``sunlit`` or the continuum does not fit the state.
    """
    nodes = len(state.position_km)
    if len(continuum.nodes) != nodes:
        raise InputError(
            f"has {len(continuum.nodes)} nodes, the state has {nodes}", field="continuum"
        )
    satellites = state.satellites
    sun = sun_ecef(satellites.julian_day, satellites.day_fraction)
    light = _light(state, sun, sunlit)
    names = continuum.nodes.names
    links = _links(state)
    return TopologyPicture(
        title=continuum.label or continuum.id if title is None else title,
        caption=_caption(state, light, links, nodes),
        sun_direction=sun,
        links=links,
        satellites=_satellites(state, names, light),
        ground=_ground(state, continuum, names),
        route=None if route is None else _route(state, names, route),
    )


def save_topology_picture(
    path: str | Path,
    state: TopologyState,
    continuum: Continuum,
    *,
    route: Sequence[int] | None = None,
    title: str | None = None,
    sunlit: ArrayLike | None = None,
) -> None:
    """Draw a topology at one step into a file.

    Parameters
    ----------
    path
        Its suffix decides: ``.html`` is one page with a map and a globe to turn, which needs no
        network; ``.png``, ``.svg`` and ``.pdf`` show the same on paper. The same input gives the
        same bytes.
    state, continuum, route, title, sunlit
        As for :func:`topology_picture`.

    Raises
    ------
    leotrek_opt.errors.InputError
        As :func:`topology_picture`, or if the suffix is another one or the file cannot have its
        name.
    leotrek_opt.errors.MissingDependencyError
        If the extra ``report`` is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}", file=path)
    picture = topology_picture(state, continuum, route=route, title=title, sunlit=sunlit)
    write_bytes(picture_bytes(picture, suffix), path)


def picture_bytes(picture: TopologyPicture, suffix: str) -> bytes:
    """Draw a picture.

    Parameters
    ----------
    picture
        What to draw.
    suffix
        One of :data:`SUFFIXES`.

    Returns
    -------
    bytes
        Contents of the file.

    Raises
    ------
    leotrek_opt.errors.MissingDependencyError
        If the extra ``report`` is not installed.
    """
    if suffix == ".html":
        from leotrek_opt.report.topology_page import page_html

        return page_html(picture).encode("utf-8")
    from leotrek_opt.report.topology_figure import figure_bytes

    return figure_bytes(picture, suffix[1:])


def _light(state: TopologyState, sun: Array, sunlit: ArrayLike | None) -> Array:
    positions = state.satellites.position_km
    if sunlit is None:
        return sunlit_fraction(positions, sun)
    light = np.asarray(sunlit, dtype=np.float64)
    if light.shape != (len(positions),):
        raise InputError(
            f"must have {len(positions)} entries, one per satellite, got shape {light.shape}",
            field="sunlit",
        )
    return light


def _links(state: TopologyState) -> tuple[Links, ...]:
    known = _known(state)
    links = state.links
    drawn = known[links.source] & known[links.target]
    found = []
    for kind, line in _LINKS.items():
        chosen = np.flatnonzero((state.link_kind == kind) & drawn)
        if len(chosen):
            path = link_path(state.position_km, links.source[chosen], links.target[chosen])
            found.append(Links(line, len(chosen), path))
    return tuple(found)


def _known(state: TopologyState) -> NDArray[np.bool_]:
    return ~np.isnan(state.position_km[:, 0])


def _satellites(state: TopologyState, names: tuple[str, ...], light: Array) -> tuple[Nodes, ...]:
    satellites = state.satellites
    bright = np.greater_equal(light, 0.5)
    return _groups(
        (
            (style.IN_ECLIPSE, satellites.valid & ~bright),
            (style.IN_SUNLIGHT, satellites.valid & bright),
        ),
        names,
        state.position_km,
    )


def _ground(
    state: TopologyState, continuum: Continuum, names: tuple[str, ...]
) -> tuple[Nodes, ...]:
    kinds = np.array(continuum.nodes.kind)
    known = _known(state)
    known[: len(state.satellites.valid)] = False
    return _groups(
        tuple((mark, known & (kinds == kind)) for kind, mark in _GROUND_NODES.items()),
        names,
        state.position_km,
    )


def _groups(
    groups: Sequence[tuple[MarkStyle, NDArray[np.bool_]]],
    names: tuple[str, ...],
    position_km: Array,
) -> tuple[Nodes, ...]:
    found = []
    for mark, chosen in groups:
        rows = np.flatnonzero(chosen)
        if len(rows):
            found.append(Nodes(mark, tuple(names[row] for row in rows), position_km[rows]))
    return tuple(found)


def _route(state: TopologyState, names: tuple[str, ...], route: Sequence[int]) -> Route:
    nodes = [int(node) for node in route]
    if not nodes:
        raise InputError("must name at least one node", field="route")
    for place, node in enumerate(nodes):
        if not 0 <= node < len(names):
            raise InputError(f"no node {node}, there are {len(names)}", field=f"route[{place}]")
    position = state.position_km[nodes]
    steps = np.arange(len(nodes) - 1)
    return Route(
        names=tuple(names[node] for node in nodes),
        position_km=position,
        path_km=link_path(position, steps, steps + 1, piece_deg=1.0),
        latency_ms=sum(_latency_ns(state, names, a, b) for a, b in pairwise(nodes)) / NS_PER_MS,
    )


def _latency_ns(state: TopologyState, names: tuple[str, ...], source: int, target: int) -> int:
    first, last = sorted((source, target))
    links = state.links
    between = (links.source == first) & (links.target == last)
    if not between.any():
        raise InputError(
            f'no link joins "{names[source]}" and "{names[target]}" at step {state.step}',
            field="route",
        )
    return int(links.latency_ns[between].min())


def _caption(state: TopologyState, light: Array, links: tuple[Links, ...], nodes: int) -> str:
    valid = state.satellites.valid
    count, lost = int(valid.sum()), int((~valid).sum())
    bright = int((valid & (light >= 0.5)).sum())
    satellites = f"{count:,} {_plural(count, 'satellite')}, {bright:,} in sunlight"
    if lost:
        satellites += f" ({lost:,} more without position)"
    ground = nodes - len(valid)
    parts = [f"{state.time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC", satellites]
    if ground:
        parts.append(f"{ground:,} ground {_plural(ground, 'node')}")
    parts += [f"{group.count:,} {_plurals(group.style.label, group.count)}" for group in links]
    return " · ".join(parts)


def _plurals(label: str, count: int) -> str:
    noun, _, rest = label.partition(" ")
    return f"{_plural(count, noun)} {rest}"


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"
