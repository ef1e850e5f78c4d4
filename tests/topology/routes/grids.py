"""Symmetric grids: a +Grid with equal links, where most pairs have many routes of one latency."""

from __future__ import annotations

import numpy as np

from leotrek_opt.topology.series import Snapshot


def torus(
    planes: int, slots: int, *, widths: int = 1, silent: bool = False, seed: int = 0
) -> Snapshot:
    """Return a grid that closes in both directions; links along a plane take 2 ns, others 3.

    Parameters
    ----------
    planes, slots
        Node ``slots * plane + slot``.
    widths
        How many different bandwidths are drawn.
    silent
        Whether some nodes do not relay.
    seed
        Of what is drawn.
    """
    rng = np.random.default_rng(seed)
    plane, slot = np.divmod(np.arange(planes * slots), slots)
    along = slots * plane + (slot + 1) % slots
    across = slots * ((plane + 1) % planes) + slot
    source = np.tile(np.arange(planes * slots), 2)
    latency = np.repeat([2, 3], planes * slots)
    return Snapshot(
        source.astype(np.int32),
        np.concatenate([along, across]).astype(np.int32),
        latency,
        rng.integers(1, widths + 1, latency.size),
        rng.random(planes * slots) < 0.9 if silent else None,
    )
