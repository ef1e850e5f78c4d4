"""All steps of a generated topology over one list of links."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.continuum import Continuum
from leotrek_opt.topology.generated import MIN_BANDWIDTH_BPS, topology_generator
from leotrek_opt.topology.ordering import rank_among_equals
from leotrek_opt.topology.series import LinkSeries, Snapshot


def generated_series(continuum: Continuum) -> LinkSeries:
    """Generate all steps over the union of their links.

    Parameters
    ----------
    continuum
        With a generated topology.

    Returns
    -------
    LinkSeries
        Links in the order of (source, target), those that are never up left out. While a link is
        down its latency is 0 and its bandwidth, where that changes from step to step, the least of
        a document; where no bandwidth changes there is one row of them.
    """
    generator = topology_generator(continuum)
    steps, nodes = continuum.time.steps, len(continuum.nodes)
    snapshots, keys = [], []
    for state in generator.states():
        snapshots.append(state.links)
        keys.append(_keys(state.links, nodes))
    parallel = 1 + max(int(rank.max(initial=0)) for _, rank in keys)
    columns = [key * parallel + rank for key, rank in keys]
    union = np.unique(np.concatenate(columns))
    latency = np.zeros((steps, len(union)), dtype=np.int64)
    up = np.zeros((steps, len(union)), dtype=bool)
    bandwidth = None
    if snapshots[0].bandwidth_bps is not None:
        bandwidth = np.full((steps, len(union)), MIN_BANDWIDTH_BPS)
    for step, (column, snapshot) in enumerate(zip(columns, snapshots, strict=True)):
        at = np.searchsorted(union, column)
        latency[step, at] = snapshot.latency_ns
        up[step, at] = True
        if bandwidth is not None and snapshot.bandwidth_bps is not None:
            bandwidth[step, at] = snapshot.bandwidth_bps
    source, target = np.divmod(union // parallel, nodes)
    return LinkSeries(
        n_nodes=nodes,
        source=source.astype(np.int32),
        target=target.astype(np.int32),
        latency_ns=latency,
        bandwidth_bps=None if bandwidth is None else _one_row_if_constant(bandwidth, up),
        up=up,
        steps=steps,
        relay=snapshots[0].relay,
    )


def _keys(links: Snapshot, nodes: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a number for the ends of every link, and the place of parallel links among theirs."""
    key = links.source.astype(np.int64) * nodes + links.target
    if (np.diff(key) > 0).all():
        return key, np.zeros(len(key), dtype=np.int64)
    return key, rank_among_equals(key)


def _one_row_if_constant(bandwidth: NDArray[np.int64], up: NDArray[np.bool_]) -> NDArray[np.int64]:
    largest = np.where(up, bandwidth, MIN_BANDWIDTH_BPS).max(axis=0, keepdims=True)
    return largest if (np.where(up, bandwidth, largest) == largest).all() else bandwidth
