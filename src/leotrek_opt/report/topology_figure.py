"""Pictures of topologies on paper: a map and a globe, by matplotlib."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.report import style
from leotrek_opt.report.coastline import is_land, land_rings, map_rings
from leotrek_opt.report.extra import drawing_module
from leotrek_opt.report.labels import named_nodes, placed_labels
from leotrek_opt.report.lines import Globe, map_path, on_map, on_sphere
from leotrek_opt.report.night import night_border, night_on_map
from leotrek_opt.report.style import MarkStyle, fainter, smaller
from leotrek_opt.report.topology_picture import TopologyPicture
from leotrek_opt.report.view import view
from leotrek_opt.topology.frames import EQUATORIAL_RADIUS_KM

Array = NDArray[np.float64]

_MARKS = {"circle": "o", "triangle": "^", "diamond": "D", "square": "s"}
_SIZE_IN = (13.2, 6.1)
_DPI = 160
_METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""What would differ from run to run or from release to release."""
_SETTINGS = {
    "svg.hashsalt": "leotrek_opt",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "path.simplify": True,
    "path.simplify_threshold": 0.1,
    "agg.path.chunksize": 20_000,
    "font.family": "DejaVu Sans",
}


def figure_bytes(picture: TopologyPicture, kind: str) -> bytes:
    """Draw a picture with matplotlib.

    Parameters
    ----------
    picture
        What to draw.
    kind
        ``png``, ``svg`` or ``pdf``.

    Returns
    -------
    bytes
        Contents of the file, the same for the same picture.

    Raises
    ------
    leotrek_opt.errors.MissingDependencyError
        If matplotlib is not installed.
    """
    matplotlib = drawing_module("matplotlib")
    # The style of the user's own figures must not change ours, nor ours theirs.
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        figure = topology_figure(picture)
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=_DPI, metadata=_METADATA[kind])
    return buffer.getvalue()


def topology_figure(picture: TopologyPicture) -> Any:
    """Draw a picture as a figure of matplotlib.

    Parameters
    ----------
    picture
        What to draw.

    Returns
    -------
    matplotlib.figure.Figure
        With a map and a globe; it belongs to no window.

    Raises
    ------
    leotrek_opt.errors.MissingDependencyError
        If matplotlib is not installed.
    """
    figure = drawing_module("matplotlib.figure").Figure(
        figsize=_SIZE_IN, facecolor=style.PAPER, dpi=_DPI
    )
    map_axes = figure.add_axes((0.032, 0.118, 0.605, 0.655))
    globe_axes = figure.add_axes((0.655, 0.075, 0.338, 0.74))
    _draw_map(map_axes, picture)
    _draw_globe(globe_axes, picture)
    _write(figure, picture)
    return figure


def _write(figure: Any, picture: TopologyPicture) -> None:
    figure.text(
        0.032, 0.935, picture.title, size=15, weight="bold", color=style.INK, parse_math=False
    )
    figure.text(0.032, 0.888, picture.caption, size=9, color=style.QUIET_INK)
    if picture.route is not None:
        figure.text(
            0.032, 0.845, picture.route.summary, size=10, weight="bold", color=style.ROUTE.colour,
            parse_math=False,
        )  # fmt: skip
    handles = _legend_handles(picture)
    if handles:
        figure.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(0.024, 0.008),
            ncols=len(handles),
            frameon=False,
            fontsize=8.5,
            labelcolor=style.INK,
            handletextpad=0.5,
            columnspacing=1.6,
            borderaxespad=0,
        )


def _legend_handles(picture: TopologyPicture) -> list[Any]:
    line = drawing_module("matplotlib.lines").Line2D
    handles = [
        line(
            [], [], linestyle="none", marker=_MARKS[group.style.mark], color=group.style.colour,
            markersize=max(5.0, group.style.size), label=group.style.label, markeredgewidth=0,
        )
        for group in (*picture.satellites, *picture.ground)
    ]  # fmt: skip
    handles += [
        line([], [], color=group.style.colour, linewidth=1.6, label=group.style.label)
        for group in picture.links
    ]
    if picture.route is not None:
        handles.append(line([], [], color=style.ROUTE.colour, linewidth=2.6, label="route"))
    patch = drawing_module("matplotlib.patches").Patch
    handles.append(patch(facecolor=style.NIGHT, alpha=0.3, label="night"))
    return handles


def _draw_map(axes: Any, picture: TopologyPicture) -> None:
    axes.set_facecolor(style.OCEAN)
    axes.set_xlim(-180, 180)
    axes.set_ylim(-90, 90)
    axes.set_aspect("equal")
    _fill(axes, map_rings(), style.LAND, edge=style.COAST)
    for longitude in range(-150, 180, 30):
        axes.axvline(longitude, color=style.GRID, linewidth=0.5, zorder=2)
    for latitude in range(-60, 90, 30):
        axes.axhline(latitude, color=style.GRID, linewidth=0.5, zorder=2)
    _fill(axes, [night_on_map(picture.sun_direction)], style.NIGHT, style.NIGHT_OPACITY, zorder=3)
    axes.set_xticks(range(-180, 181, 60), [_degrees(x, "W", "E") for x in range(-180, 181, 60)])
    axes.set_yticks(range(-90, 91, 30), [_degrees(y, "S", "N") for y in range(-90, 91, 30)])
    axes.tick_params(length=0, labelsize=7, labelcolor=style.QUIET_INK, pad=3)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for links in picture.links:
        _line(axes, map_path(links.path_km), links.style, links.count)
    satellites = sum(len(nodes.names) for nodes in picture.satellites)
    for nodes in picture.satellites:
        _marks(axes, on_map(nodes.position_km), nodes.style, satellites, zorder=5)
    if picture.route is not None:
        _route(axes, map_path(picture.route.path_km), on_map(picture.route.position_km[1:-1]))
    for nodes in picture.ground:
        _marks(axes, on_map(nodes.position_km), nodes.style, len(nodes.names), zorder=8)
    named = named_nodes(picture)
    points = [on_map(group.position_km[row : row + 1])[0] for group, row in named]
    _labels(
        axes,
        [group.names[row] for group, row in named],
        points,
        character=(3.0, 6.0),
        gap=2.6,
        limits=(-179.0, 179.0, -89.0, 89.0),
    )


def _draw_globe(axes: Any, picture: TopologyPicture) -> None:
    globe = view(picture)
    far = max(
        [1.0]
        + [
            float(np.linalg.norm(nodes.position_km, axis=1).max()) / EQUATORIAL_RADIUS_KM
            for nodes in picture.satellites
        ]
    )
    axes.set_xlim(-1.02 * far, 1.02 * far)
    axes.set_ylim(-1.02 * far, 1.02 * far)
    axes.set_aspect("equal")
    axes.axis("off")
    circle = _limb()
    _fill(axes, [circle], style.OCEAN)
    away = _opposite(globe)
    land = [globe.outline(ring) for ring in land_rings()]
    if is_land(away[0], away[1])[0, 0]:
        land.append(circle)
    _fill(axes, land, style.LAND)
    for ring in land_rings():
        coast = globe.visible_path(_surface(ring))
        axes.plot(*coast.T, color=style.COAST, linewidth=0.4, zorder=1)
    for line in _graticule():
        axes.plot(*globe.visible_path(_surface(line)).T, color=style.GRID, linewidth=0.5, zorder=2)
    night = [globe.outline(night_border(picture.sun_direction))]
    if globe.towards @ picture.sun_direction > 0:
        night.append(circle)
    _fill(axes, night, style.NIGHT, style.NIGHT_OPACITY, zorder=3)
    axes.plot(*circle.T, color=style.COAST, linewidth=0.6, zorder=3)
    for links in picture.links:
        _line(axes, globe.visible_path(links.path_km), links.style, links.count)
    satellites = sum(len(nodes.names) for nodes in picture.satellites)
    for nodes in picture.satellites:
        point, hidden = globe.project(nodes.position_km)
        _marks(axes, point[~hidden], nodes.style, satellites, zorder=5)
    if picture.route is not None:
        point, hidden = globe.project(picture.route.position_km[1:-1])
        _route(axes, globe.visible_path(picture.route.path_km), point[~hidden])
    for nodes in picture.ground:
        point, hidden = globe.project(nodes.position_km)
        _marks(axes, point[~hidden], nodes.style, len(nodes.names), zorder=8)
    named, points = [], []
    for group, row in named_nodes(picture):
        point, hidden = globe.project(group.position_km[row : row + 1])
        if not hidden[0]:
            named.append(group.names[row])
            points.append(point[0])
    scale = far / 1.09
    _labels(
        axes, named, points, character=(0.0295 * scale, 0.058 * scale), gap=0.03 * scale,
        limits=(-1.02 * far, 1.02 * far, -1.02 * far, 1.02 * far),
    )  # fmt: skip


def _opposite(globe: Globe) -> tuple[float, float]:
    x, y, z = (-globe.towards).tolist()
    return math.degrees(math.asin(z)), math.degrees(math.atan2(y, x))


def _limb() -> Array:
    """Return the edge of the globe, clockwise as the rings of land run."""
    turn = np.linspace(2 * math.pi, 0, 361)
    return np.stack((np.cos(turn), np.sin(turn)), axis=1)


def _graticule() -> list[Array]:
    along = np.linspace(-180.0, 180.0, 181)
    up = np.linspace(-90.0, 90.0, 91)
    parallels = [np.stack((along, np.full(181, y)), axis=1) for y in range(-60, 90, 30)]
    meridians = [np.stack((np.full(91, x), up), axis=1) for x in range(-180, 180, 30)]
    return parallels + meridians


def _surface(ring_deg: Array) -> Array:
    """Put points just above a sphere, so that none at the limb counts as hidden."""
    return on_sphere(ring_deg) * (EQUATORIAL_RADIUS_KM * (1 - 1e-6))


def _degrees(value: int, negative: str, positive: str) -> str:
    return f"{abs(value)}°{'' if value in (0, 180, -180) else negative if value < 0 else positive}"


def _fill(
    axes: Any,
    rings: Any,
    colour: str,
    opacity: float = 1.0,
    *,
    edge: str = "none",
    zorder: int = 1,
) -> None:
    path = drawing_module("matplotlib.path").Path
    patches = drawing_module("matplotlib.patches")
    outline = path.make_compound_path(*(path(ring, closed=True) for ring in rings))
    axes.add_patch(
        patches.PathPatch(
            outline, facecolor=colour, edgecolor=edge, linewidth=0.4, alpha=opacity, zorder=zorder
        )
    )


def _line(axes: Any, path: Array, line: style.LineStyle, count: int) -> None:
    axes.plot(
        *path.T, color=line.colour, linewidth=line.width, alpha=fainter(line.opacity, count),
        zorder=4, solid_capstyle="butt",
    )  # fmt: skip


def _marks(axes: Any, points: Array, mark: MarkStyle, count: int, *, zorder: int) -> None:
    size = smaller(mark.size, count)
    axes.plot(
        *points.T, linestyle="none", marker=_MARKS[mark.mark], color=mark.colour, markersize=size,
        markeredgecolor=style.PAPER, markeredgewidth=0.5 if size > 3.5 else 0.0, zorder=zorder,
    )  # fmt: skip


def _route(axes: Any, path: Array, stops: Array) -> None:
    for width, colour in (
        (style.ROUTE.width + 2.0, style.PAPER),
        (style.ROUTE.width, style.ROUTE.colour),
    ):
        axes.plot(*path.T, color=colour, linewidth=width, zorder=6, solid_joinstyle="round")
    axes.plot(
        *stops.T, linestyle="none", marker="o", markersize=4.6, color=style.ROUTE.colour,
        markeredgecolor=style.PAPER, markeredgewidth=0.8, zorder=7,
    )  # fmt: skip


def _labels(
    axes: Any,
    texts: list[str],
    points: Any,
    *,
    character: tuple[float, float],
    gap: float,
    limits: tuple[float, float, float, float],
) -> None:
    effects = drawing_module("matplotlib.patheffects")
    shortened = [text if len(text) <= 28 else f"{text[:27]}…" for text in texts]
    places = [(float(x), float(y)) for x, y in points]
    for label in placed_labels(shortened, places, character, gap, limits):
        axes.text(
            label.x, label.y, label.text, ha=label.anchor, va="center", size=7.5, color=style.INK,
            zorder=9, parse_math=False,
            path_effects=[effects.withStroke(linewidth=2.2, foreground=style.PAPER)],
        )  # fmt: skip
