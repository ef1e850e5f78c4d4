"""Write a generated continuum out as the explicit one that is solved."""

from __future__ import annotations

import numpy as np

from leotrek_opt.models.base import BPS_PER_MBPS, NS_PER_MS
from leotrek_opt.models.continuum import Continuum, PositionSeries
from leotrek_opt.models.topology import ExplicitTopology, GeneratedTopology, LinkEvents
from leotrek_opt.topology.instants import start_instant
from leotrek_opt.topology.materialise import materialise
from leotrek_opt.topology.positions import positions
from leotrek_opt.topology.series import LinkSeries


def freeze(continuum: Continuum) -> Continuum:
    """Return the same continuum with every link and position written out.

    Parameters
    ----------
    continuum
        With any topology; an explicit one is returned as it is.

    Returns
    -------
    Continuum
        Its materialised series has the digest of the original's, and its time grid says where the
        recipe began. Satellites get a position series; one whose propagation fails at some step
        gets none, since a series has no gaps.
    """
    if not isinstance(continuum.topology, GeneratedTopology):
        return continuum
    satellites = continuum.topology.satellite_count
    start = start_instant(continuum.topology, continuum.time)
    return continuum.replace(
        time=continuum.time.replace(start=start),
        topology=_explicit(materialise(continuum)),
        positions=(_satellite_positions(continuum, satellites), *continuum.positions),
    )


def _explicit(series: LinkSeries) -> ExplicitTopology:
    bandwidth = series.bandwidth_bps
    return ExplicitTopology(
        source=series.source.astype(np.int64),
        target=series.target.astype(np.int64),
        # The float nearest to a decimal of six places is read back as exactly that decimal.
        latency_ms=series.latency_ns / NS_PER_MS,
        bandwidth_mbps=None if bandwidth is None else bandwidth / BPS_PER_MBPS,
        events=_events(series),
        relay=series.relay,
    )


def _events(series: LinkSeries) -> LinkEvents | None:
    if series.up is None:
        return None
    before = np.vstack((np.ones((1, len(series.source)), dtype=bool), series.up[:-1]))
    step, link = np.nonzero(series.up != before)
    return LinkEvents(step=step, link=link, up=series.up[step, link])


def _satellite_positions(continuum: Continuum, satellites: int) -> PositionSeries:
    rows = [positions(continuum, step) for step in range(continuum.time.steps)]
    columns = [np.stack(column)[:, :satellites] for column in zip(*rows, strict=True)]
    known = np.flatnonzero(np.isfinite(columns[0]).all(axis=0))
    latitude, longitude, altitude = (column[:, known] for column in columns)
    return PositionSeries(
        node=known, latitude_deg=latitude, longitude_deg=longitude, altitude_km=altitude
    )
