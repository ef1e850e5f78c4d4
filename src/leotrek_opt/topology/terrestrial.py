"""Cables that a document lists one by one, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.base import BPS_PER_MBPS, quantise
from leotrek_opt.models.ground_links import TerrestrialNetwork
from leotrek_opt.topology.fibre import great_circle_km

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TerrestrialLinks:
    """Cables in the order of (source, target), parallel ones in the order of the document.

    Parameters
    ----------
    source, target
        Node indices with source < target, shape (links,). Parallel cables stay apart: one of them
        may be the faster, another the wider.
    length_km
        Shape (links,).
    bandwidth_bps
        Shape (links,), or None for unlimited.
    """

    source: Indices
    target: Indices
    length_km: Array
    bandwidth_bps: NDArray[np.int64] | None


def terrestrial_links(
    network: TerrestrialNetwork, latitude_deg: Array, longitude_deg: Array, *, first_node: int = 0
) -> TerrestrialLinks:
    """Measure the cables of a network.

    Parameters
    ----------
    network
        Cables by node index.
    latitude_deg, longitude_deg
        Places of the nodes from ``first_node`` on, shape (places,).
    first_node
        Index of the first of them: the number of satellites where only ground nodes are given.

    Returns
    -------
    TerrestrialLinks
        With the lengths of the document, or else great circles on a sphere of 6371 km times
        ``path_stretch``.
    """
    source = np.minimum(network.source, network.target)
    target = np.maximum(network.source, network.target)
    order = np.lexsort((target, source))
    source, target = source[order], target[order]
    if network.length_km is not None:
        length = network.length_km[order]
    else:
        start, end = source - first_node, target - first_node
        arc = great_circle_km(
            latitude_deg[start], longitude_deg[start], latitude_deg[end], longitude_deg[end]
        )
        length = arc * network.path_stretch
    bandwidth = None
    if network.bandwidth_mbps is not None:
        bandwidth = quantise(network.bandwidth_mbps[order], BPS_PER_MBPS)
    return TerrestrialLinks(source, target, length, bandwidth)
