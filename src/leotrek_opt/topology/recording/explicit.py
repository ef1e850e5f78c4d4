"""A recording as the explicit continuum that is solved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from leotrek_opt.errors import InputError
from leotrek_opt.models.base import BPS_PER_MBPS, MAX_STEPS, NS_PER_MS, input_error
from leotrek_opt.models.columns import MAX_CELLS
from leotrek_opt.models.continuum import Continuum, PositionSeries, TimeGrid
from leotrek_opt.models.topology import ExplicitTopology, LinkEvents
from leotrek_opt.topology.frames import ecef_to_geodetic
from leotrek_opt.topology.recording.columns import (
    LinkTable,
    StepColumns,
    earth_fixed_km,
    utc_instant,
)
from leotrek_opt.topology.recording.layout import Layout

_LOWEST_KM, _HIGHEST_KM = -12.0, 1_000_000.0
"""Altitudes that a position in a document may have."""
_NEAR_CENTRE_KM = 1000.0
_LONGEST_STEP_US = 10**15


def explicit_continuum(layout: Layout, links: LinkTable, columns: StepColumns) -> Continuum:
    """Write recorded steps out as a document.

    Parameters
    ----------
    layout
        Nodes and conventions.
    links
        The links that ``columns.link`` refers to.
    columns
        The steps.

    Returns
    -------
    Continuum
        Links in the order of (source, target). A node without position at some step, or with one
        that is no place on or above the Earth, gets none.

    Raises
    ------
    leotrek_opt.errors.InputError
        If it would be larger than a document may be, or a link is out of the range of one.
    """
    steps = len(columns)
    if steps > MAX_STEPS:
        raise InputError(f"has {steps} steps, a document may have {MAX_STEPS}", field="states")
    if steps * max(len(links), len(layout.nodes)) > MAX_CELLS:
        raise InputError(
            f"{steps} steps of {len(layout.nodes)} nodes and {len(links)} links are more than the "
            f"{MAX_CELLS} entries that a column of a document may have",
            field="states",
        )
    try:
        return Continuum(
            nodes=layout.nodes,
            positions=_positions(layout, columns),
            time=_time_grid(columns),
            topology=_topology(layout, links, columns),
        )
    except ValidationError as error:
        raise input_error(error) from None


def _time_grid(columns: StepColumns) -> TimeGrid:
    time = columns.time_us
    start = utc_instant(int(time[0]))
    if len(time) == 1:
        return TimeGrid(start=start)
    gaps = np.diff(time)
    if (gaps == gaps[0]).all() and gaps[0] <= _LONGEST_STEP_US:
        return TimeGrid(start=start, steps=len(time), step_s=int(gaps[0]) / 1e6)
    offsets = tuple(((time - time[0]) / 1e6).tolist())
    return TimeGrid(start=start, steps=len(time), offsets_s=offsets)


def _topology(layout: Layout, links: LinkTable, columns: StepColumns) -> ExplicitTopology:
    steps = len(columns)
    order = np.lexsort((links.kind, links.target, links.source))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    row = np.repeat(np.arange(steps), columns.link_count)
    column = place[columns.link]
    up = np.zeros((steps, len(links)), dtype=bool)
    up[row, column] = True
    latency = np.zeros((steps, len(links)))
    # The float nearest to a decimal of six places is read back as exactly that decimal.
    latency[row, column] = columns.latency_ns / NS_PER_MS
    return ExplicitTopology(
        source=links.source[order].astype(np.int64),
        target=links.target[order].astype(np.int64),
        latency_ms=latency,
        bandwidth_mbps=_bandwidth(columns, up, row, column),
        events=_events(up),
        relay=layout.relay,
    )


def _bandwidth(
    columns: StepColumns,
    up: NDArray[np.bool_],
    row: NDArray[np.int64],
    column: NDArray[np.int64],
) -> NDArray[np.float64] | None:
    if columns.bandwidth_bps is None:
        return None
    last = np.zeros(up.shape[1], dtype=np.int64)
    last[column] = columns.bandwidth_bps
    if (last[column] == columns.bandwidth_bps).all():
        return last[None, :] / BPS_PER_MBPS
    # While a link is down its column says what it carries when it is next up, or carried last.
    bandwidth = np.zeros(up.shape, dtype=np.int64)
    bandwidth[row, column] = columns.bandwidth_bps
    for step in range(len(up) - 2, -1, -1):
        bandwidth[step] = np.where(up[step], bandwidth[step], bandwidth[step + 1])
    for step in range(1, len(up)):
        bandwidth[step] = np.where(bandwidth[step] > 0, bandwidth[step], bandwidth[step - 1])
    return bandwidth / BPS_PER_MBPS


def _events(up: NDArray[np.bool_]) -> LinkEvents | None:
    before = np.vstack((np.ones((1, up.shape[1]), dtype=bool), up[:-1]))
    step, link = np.nonzero(up != before)
    if not len(step):
        return None
    return LinkEvents(step=step, link=link, up=up[step, link])


def _positions(layout: Layout, columns: StepColumns) -> tuple[PositionSeries, ...]:
    steps, nodes = len(columns), len(layout.nodes)
    rows = np.empty((3, steps, nodes))
    standing = np.ones(nodes, dtype=bool)
    first = earth_fixed_km(layout, columns, 0)
    for row in range(steps):
        position = earth_fixed_km(layout, columns, row)
        if row:
            standing &= (np.abs(position - first) < 1e-6).all(axis=1)
        radius = np.sqrt(np.einsum("ij,ij->i", position, position))
        far = np.where((radius > _NEAR_CENTRE_KM)[:, None], position, np.nan)
        rows[:, row] = ecef_to_geodetic(far)
    altitude = rows[2]
    with np.errstate(invalid="ignore"):
        placed = ((altitude >= _LOWEST_KM) & (altitude <= _HIGHEST_KM)).all(axis=0)
    series = []
    for node, count in (
        (np.flatnonzero(placed & standing), 1),
        (np.flatnonzero(placed & ~standing), steps),
    ):
        if len(node):
            latitude, longitude, altitude = rows[:, :count, node]
            series.append(
                PositionSeries(
                    node=node,
                    latitude_deg=np.ascontiguousarray(latitude),
                    longitude_deg=np.ascontiguousarray(longitude),
                    altitude_km=np.ascontiguousarray(altitude),
                )
            )
    return tuple(series)
