"""From a declared continuum to its link series."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.base import BPS_PER_MBPS, NS_PER_MS, quantise
from leotrek_opt.models.continuum import Continuum
from leotrek_opt.models.topology import ExplicitTopology, LinkEvents
from leotrek_opt.topology.series import LinkSeries


def materialise(continuum: Continuum) -> LinkSeries:
    """Compute the links of every step as integer arrays.

    Parameters
    ----------
    continuum
        With an explicit or a generated topology.

    Returns
    -------
    LinkSeries
        The same bytes on every call.

    Raises
    ------
    leotrek_opt.errors.InputError
        If a path could be as long as 2**53 ns, or a generated topology limits the bandwidth of some
        kinds of links only.

    Notes
    -----
    A generated series is a function of the document alone. Where another processor's sine or cosine
    differs in the last bit, rounding to nanoseconds absorbs it except at an exact tie.
    """
    topology = continuum.topology
    if isinstance(topology, ExplicitTopology):
        return _explicit_series(topology, len(continuum.nodes), continuum.time.steps)
    # Propagation and trees are needed only here, and explicit continua should not pay for loading
    # them.
    from leotrek_opt.topology.generated_series import generated_series

    return generated_series(continuum)


def _explicit_series(topology: ExplicitTopology, n_nodes: int, steps: int) -> LinkSeries:
    bandwidth = topology.bandwidth_mbps
    return LinkSeries(
        n_nodes=n_nodes,
        source=topology.source.astype(np.int32),
        target=topology.target.astype(np.int32),
        latency_ns=quantise(topology.latency_ms, NS_PER_MS),
        bandwidth_bps=None if bandwidth is None else quantise(bandwidth, BPS_PER_MBPS),
        up=_up_mask(topology.events, len(topology.source), steps),
        steps=steps,
        relay=topology.relay,
    )


def _up_mask(events: LinkEvents | None, links: int, steps: int) -> NDArray[np.bool_] | None:
    if events is None or events.up.all():
        return None
    # Of several events of one link at one step the last row counts: unique keeps the first of the
    # reversed table.
    key = events.link[::-1] * np.int64(steps) + events.step[::-1]
    key, last = np.unique(key, return_index=True)
    changed = np.unique(key // steps)
    column = np.searchsorted(changed, key // steps)
    step = key % steps
    state = np.ones((steps, len(changed)), dtype=bool)
    state[step, column] = events.up[::-1][last]
    since = np.zeros((steps, len(changed)), dtype=np.int32)
    since[step, column] = step
    np.maximum.accumulate(since, axis=0, out=since)
    up = np.ones((steps, links), dtype=bool)
    up[:, changed] = np.take_along_axis(state, since, axis=0)
    return up
