"""Pictures of topologies on screen: one page with a map and a globe to turn, by plotly.

The page holds the whole of plotly.js, and its Content-Security-Policy lets it fetch nothing.
"""

from __future__ import annotations

import html
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.report import style
from leotrek_opt.report.coastline import is_land, land_rings, map_rings
from leotrek_opt.report.extra import drawing_module
from leotrek_opt.report.labels import named_nodes, placed_labels
from leotrek_opt.report.lines import map_path, on_map, on_sphere
from leotrek_opt.report.night import night_on_map
from leotrek_opt.report.style import MarkStyle, fainter, smaller
from leotrek_opt.report.topology_picture import Nodes, TopologyPicture
from leotrek_opt.report.view import view
from leotrek_opt.topology.frames import EQUATORIAL_RADIUS_KM

Array = NDArray[np.float64]

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_MARKS_ON_MAP = {
    "circle": "circle", "triangle": "triangle-up", "diamond": "diamond", "square": "square",
}  # fmt: skip
# There are no triangles in three dimensions.
_MARKS_ON_GLOBE = {
    "circle": "circle", "triangle": "circle", "diamond": "diamond", "square": "square",
}  # fmt: skip
_PIXELS_PER_POINT = 4 / 3
_GLOBE_SIZE = 0.45
"""Plotly draws marks on the globe larger than it is told to, as it looks from near by."""
_MARK_RADIUS = 1.015
"""Marks on the ground are lifted, or the sphere would cut them."""
_NAME_RADIUS = 1.1
"""Names hover above low orbits."""
_GROUND_RADIUS = 0.994
"""The sphere lies under coasts and ground nodes by more than its facets differ from a ball."""
_GRID_DEG = 1.5
_RASTER_DEG = 0.5

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; \
worker-src blob:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
html, body {{ height: 100%; margin: 0; }}
body {{ display: flex; flex-direction: column; background: {paper}; color: {ink};
  font-family: {font}; }}
header {{ padding: 18px 28px 2px; }}
h1 {{ margin: 0 0 6px; font-size: 21px; }}
p {{ margin: 0 0 4px; font-size: 13.5px; color: {quiet}; font-variant-numeric: tabular-nums; }}
p.route {{ color: {route_colour}; font-weight: 600; }}
main {{ flex: 1; min-height: 480px; }}
main > div {{ height: 100%; }}
</style>
<script>{library}</script>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{caption}</p>
{route}</header>
<main>{figure}</main>
</body>
</html>
"""


def page_html(picture: TopologyPicture) -> str:
    """Draw a picture as a page.

    Parameters
    ----------
    picture
        What to draw.

    Returns
    -------
    str
        A whole HTML document, the same for the same picture.

    Raises
    ------
    leotrek_opt.errors.MissingDependencyError
        If plotly is not installed.
    """
    figure = page_figure(picture).to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id="topology",
        config={"displaylogo": False, "responsive": True, "scrollZoom": True},
    )
    route = ""
    if picture.route is not None:
        route = f'<p class="route">{html.escape(picture.route.summary)}</p>\n'
    return _PAGE.format(
        title=html.escape(picture.title),
        caption=html.escape(picture.caption),
        route=route,
        figure=figure,
        library=drawing_module("plotly.offline").get_plotlyjs(),
        paper=style.PAPER,
        ink=style.INK,
        quiet=style.QUIET_INK,
        route_colour=style.ROUTE.colour,
        font=_FONT,
    )


def page_figure(picture: TopologyPicture) -> Any:
    """Draw a picture as a figure of plotly.

    Parameters
    ----------
    picture
        What to draw.

    Returns
    -------
    plotly.graph_objects.Figure
        A map beside a globe.

    Raises
    ------
    leotrek_opt.errors.MissingDependencyError
        If plotly is not installed.
    """
    objects = drawing_module("plotly.graph_objects")
    return objects.Figure(
        data=[*_map_traces(objects, picture), *_globe_traces(objects, picture)],
        layout=_layout(picture),
    )


def _map_traces(objects: Any, picture: TopologyPicture) -> list[Any]:
    quiet = {"mode": "lines", "hoverinfo": "skip", "showlegend": False}
    land = _single(_joined(map_rings()))
    night = _single(night_on_map(picture.sun_direction))
    # These two are drawn as vectors, beneath everything that the graphics card draws.
    traces = [
        objects.Scatter(
            x=land[:, 0], y=land[:, 1], fill="toself", fillcolor=style.LAND,
            line={"color": style.COAST, "width": 0.6}, **quiet,
        ),
        objects.Scatter(
            x=night[:, 0], y=night[:, 1], fill="toself", fillcolor=_veil(),
            line={"width": 0}, **quiet,
        ),
    ]  # fmt: skip
    for links in picture.links:
        path = _single(map_path(links.path_km))
        traces.append(
            objects.Scattergl(
                x=path[:, 0], y=path[:, 1], mode="lines", hoverinfo="skip",
                line=_line(links.style, 1.6), opacity=fainter(links.style.opacity, links.count),
                name=links.style.label, legendgroup=links.style.label,
            )
        )  # fmt: skip
    satellites = sum(len(nodes.names) for nodes in picture.satellites)
    for nodes in picture.satellites:
        traces.append(_nodes_on_map(objects, nodes, satellites))
    if picture.route is not None:
        path, stops = (
            _single(map_path(picture.route.path_km)),
            _single(on_map(picture.route.position_km)),
        )
        shared = {"name": "route", "legendgroup": "route", "hoverinfo": "skip"}
        traces += [
            objects.Scattergl(
                x=path[:, 0], y=path[:, 1], mode="lines", line={"color": style.PAPER, "width": 5.5},
                showlegend=False, **shared,
            ),
            objects.Scattergl(
                x=path[:, 0], y=path[:, 1], mode="lines", line=_line(style.ROUTE, 1.5), **shared
            ),
            objects.Scattergl(
                x=stops[:, 0], y=stops[:, 1], mode="markers", showlegend=False,
                marker={"size": 6.5, "color": style.ROUTE.colour, "line": _white(1.0)}, **shared,
            ),
        ]  # fmt: skip
    for nodes in picture.ground:
        traces.append(_nodes_on_map(objects, nodes, len(nodes.names)))
    return traces


def _nodes_on_map(objects: Any, nodes: Nodes, count: int) -> Any:
    points = _single(on_map(nodes.position_km))
    return objects.Scattergl(
        x=points[:, 0], y=points[:, 1], mode="markers", text=_escaped(nodes.names),
        hovertemplate="%{text}<br>%{y:.1f}°, %{x:.1f}°<extra></extra>",
        marker=_marker(nodes.style, count, _MARKS_ON_MAP),
        name=nodes.style.label, legendgroup=nodes.style.label,
    )  # fmt: skip


def _globe_traces(objects: Any, picture: TopologyPicture) -> list[Any]:
    quiet = {"hoverinfo": "skip", "showlegend": False}
    coast = _single(_joined([on_sphere(ring) for ring in land_rings()]))
    traces = [
        _half_earth(objects, picture.sun_direction, style.LAND, style.OCEAN),
        _half_earth(objects, -picture.sun_direction, _at_night(style.LAND), _at_night(style.OCEAN)),
        objects.Scatter3d(
            **_xyz(coast), mode="lines", line={"color": style.COAST, "width": 1.5}, **quiet
        ),
    ]
    for links in picture.links:
        traces.append(
            objects.Scatter3d(
                **_xyz(_in_radii(links.path_km)), mode="lines", line=_line(links.style, 2.0),
                opacity=fainter(links.style.opacity, links.count),
                legendgroup=links.style.label, **quiet,
            )
        )  # fmt: skip
    satellites = sum(len(nodes.names) for nodes in picture.satellites)
    for nodes in picture.satellites:
        traces.append(_nodes_on_globe(objects, nodes, satellites))
    if picture.route is not None:
        route = picture.route
        traces += [
            objects.Scatter3d(
                **_xyz(_in_radii(route.path_km)), mode="lines", line=_line(style.ROUTE, 2.6),
                legendgroup="route", **quiet,
            ),
            objects.Scatter3d(
                **_xyz(_in_radii(route.position_km)), mode="markers", legendgroup="route",
                marker={"size": 2.4, "color": style.ROUTE.colour}, **quiet,
            ),
        ]  # fmt: skip
    for nodes in picture.ground:
        traces.append(_nodes_on_globe(objects, nodes, len(nodes.names), lift=_MARK_RADIUS))
    named = named_nodes(picture)
    if named:
        places = np.stack([group.position_km[row] for group, row in named])
        traces.append(
            objects.Scatter3d(
                **_xyz(_in_radii(places * _NAME_RADIUS)), mode="text", textposition="middle center",
                text=[html.escape(group.names[row]) for group, row in named],
                textfont={"size": 11, "color": style.INK}, **quiet,
            )
        )  # fmt: skip
    return traces


def _nodes_on_globe(objects: Any, nodes: Nodes, count: int, lift: float = 1.0) -> Any:
    return objects.Scatter3d(
        **_xyz(_in_radii(nodes.position_km * lift)), mode="markers", text=_escaped(nodes.names),
        hovertemplate="%{text}<extra></extra>", showlegend=False,
        marker=_marker(nodes.style, count, _MARKS_ON_GLOBE), legendgroup=nodes.style.label,
    )  # fmt: skip


def _half_earth(objects: Any, middle: Array, land: str, ocean: str) -> Any:
    """Return the half of a sphere around a direction.

    Two opaque halves in the colours of day and night need no veil, which would flicker.
    """
    aside = np.cross(middle, [0.0, 0.0, 1.0])
    aside /= np.linalg.norm(aside)
    above = np.cross(aside, middle)
    turn = np.radians(np.arange(0.0, 360.1, _GRID_DEG))[:, None]
    off = np.radians(np.arange(0.0, 90.1, _GRID_DEG))[:, None, None]
    around = np.cos(turn) * aside + np.sin(turn) * above
    ball = np.sin(off) * around + np.cos(off) * middle
    x, y, z = _single(np.moveaxis(ball * _GROUND_RADIUS, -1, 0))
    return objects.Surface(
        x=x, y=y, z=z, surfacecolor=_single(_land_share(ball)), cmin=0.0, cmax=1.0,
        colorscale=[[0, ocean], [0.49, ocean], [0.51, land], [1, land]],
        showscale=False, hoverinfo="skip", contours={axis: {"highlight": False} for axis in "xyz"},
        lighting={"ambient": 1.0, "diffuse": 0.0, "specular": 0.0, "fresnel": 0.0},
    )  # fmt: skip


def _land_share(unit: Array) -> Array:
    """Return the share of land around directions, whose level 0.5 follows the coast smoothly."""
    latitude = np.clip(np.arange(-90.0, 90.1, _RASTER_DEG), -90.0, 90.0)
    raster = is_land(latitude, np.arange(-180.0, 180.0, _RASTER_DEG)).astype(np.float64)
    spread = sum(np.roll(raster, shift, axis=1) for shift in (-1, 0, 1)) / 3.0
    padded = np.pad(spread, ((1, 1), (0, 0)), mode="edge")
    share = (padded[:-2] + padded[1:-1] + padded[2:]) / 3.0
    row = np.rint((np.degrees(np.arcsin(np.clip(unit[..., 2], -1, 1))) + 90.0) / _RASTER_DEG)
    turn = np.degrees(np.arctan2(unit[..., 1], unit[..., 0]))
    column = np.rint((turn + 180.0) / _RASTER_DEG).astype(np.int64) % share.shape[1]
    chosen: Array = share[row.astype(np.int64), column]
    return chosen


def _layout(picture: TopologyPicture) -> dict[str, Any]:
    hidden = {
        "visible": False, "showspikes": False, "showbackground": False,
    }  # fmt: skip
    towards = view(picture).towards * 1.55
    ticks = {"tickfont": {"size": 10, "color": style.QUIET_INK}, "ticksuffix": "°"}
    axis = {"gridcolor": style.GRID, "gridwidth": 1, "zeroline": False, **ticks}
    return {
        "template": "none",
        "font": {"family": _FONT, "size": 12, "color": style.INK},
        "paper_bgcolor": style.PAPER,
        "plot_bgcolor": style.OCEAN,
        "margin": {"l": 44, "r": 8, "t": 8, "b": 8},
        "xaxis": {
            **axis, "domain": [0.0, 0.61], "range": [-180, 180], "dtick": 30,
            "minallowed": -180, "maxallowed": 180, "constrain": "domain",
        },
        "yaxis": {
            **axis, "range": [-90, 90], "dtick": 30, "minallowed": -90, "maxallowed": 90,
            "scaleanchor": "x", "constrain": "domain",
        },
        "scene": {
            "domain": {"x": [0.62, 1.0], "y": [0.0, 1.0]},
            "xaxis": hidden, "yaxis": hidden, "zaxis": hidden,
            "aspectmode": "data", "dragmode": "orbit",
            "camera": {
                "eye": dict(zip("xyz", towards.tolist(), strict=True)),
                "up": {"x": 0, "y": 0, "z": 1}, "projection": {"type": "perspective"},
            },
        },
        "annotations": _annotations(picture),
        "legend": {
            "orientation": "h", "x": 0.0, "y": -0.06, "yanchor": "top", "itemsizing": "constant",
            "font": {"size": 12},
        },
        "hoverlabel": {"bgcolor": style.PAPER, "font": {"color": style.INK}},
        "dragmode": "pan",
    }  # fmt: skip


def _annotations(picture: TopologyPicture) -> list[dict[str, Any]]:
    named = named_nodes(picture)
    points = [on_map(group.position_km[row : row + 1])[0].tolist() for group, row in named]
    labels = placed_labels(
        [group.names[row] for group, row in named],
        [(longitude, latitude) for longitude, latitude in points],
        character=(2.9, 6.5),
        gap=3.0,
        limits=(-179.0, 179.0, -89.0, 89.0),
    )
    return [
        {
            "x": label.x, "y": label.y, "text": html.escape(label.text), "showarrow": False,
            "xanchor": label.anchor, "yanchor": "middle", "borderpad": 1,
            "font": {"size": 11, "color": style.INK}, "bgcolor": "rgba(255, 255, 255, 0.7)",
        }
        for label in labels
    ]  # fmt: skip


def _marker(mark: MarkStyle, count: int, symbols: dict[str, str]) -> dict[str, Any]:
    size = smaller(mark.size, count) * _PIXELS_PER_POINT
    if symbols is _MARKS_ON_GLOBE:
        size *= _GLOBE_SIZE
    marker = {"size": size, "color": mark.colour, "symbol": symbols[mark.mark], "opacity": 1.0}
    return marker | {"line": _white(0.6 if size > 5 else 0.0)}


def _line(line: style.LineStyle, factor: float) -> dict[str, Any]:
    return {"color": line.colour, "width": line.width * factor}


def _white(width: float) -> dict[str, Any]:
    return {"color": style.PAPER, "width": width}


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


def _veil() -> str:
    return f"rgba({', '.join(map(str, _channels(style.NIGHT)))}, {style.NIGHT_OPACITY})"


def _at_night(colour: str) -> str:
    """Return a colour as it is seen through the night of the map."""
    part = style.NIGHT_OPACITY
    mixed = (
        round((1 - part) * day + part * night)
        for day, night in zip(_channels(colour), _channels(style.NIGHT), strict=True)
    )
    return f"rgb({', '.join(map(str, mixed))})"


def _escaped(names: tuple[str, ...]) -> list[str]:
    return [html.escape(name) for name in names]


def _joined(rings: Any) -> Array:
    """Return lines as one path, with NaN in between."""
    rings = tuple(rings)
    gap = np.full((1, rings[0].shape[1]), np.nan)
    return np.concatenate([part for ring in rings for part in (ring, gap)])[:-1]


def _in_radii(position_km: Array) -> NDArray[np.float32]:
    return _single(position_km / EQUATORIAL_RADIUS_KM)


def _xyz(points: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    return {axis: np.ascontiguousarray(points[:, at]) for at, axis in enumerate("xyz")}


def _single(values: Array) -> NDArray[np.float32]:
    """Halve the size of the page: a pixel is far wider than the seventh digit."""
    return values.astype(np.float32)
