"""One route: the nodes that it passes, and what it offers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leotrek_opt.models.continuum import Continuum


@dataclass(frozen=True)
class Route:
    """A way through the links of a snapshot.

    Parameters
    ----------
    nodes
        Node indices from source to target.
    latency_ns
        Sum of the link latencies.
    bottleneck_bps
        Smallest bandwidth on the way in bit/s, None if unlimited.
    """

    nodes: tuple[int, ...]
    latency_ns: int
    bottleneck_bps: int | None

    @property
    def hops(self) -> int:
        """Number of links."""
        return len(self.nodes) - 1


def named(route: Route, continuum: Continuum) -> tuple[str, ...]:
    """Return the identifiers of the nodes that a route passes.

    Parameters
    ----------
    route
        On a snapshot of the continuum.
    continuum
        Gives the identifiers.

    Returns
    -------
    tuple of str
        From source to target.
    """
    return tuple(continuum.nodes.id[node] for node in route.nodes)


def bottleneck_or_none(bandwidth_bps: float) -> int | None:
    """Return a bandwidth as whole bit/s, None for an infinite one."""
    return None if math.isinf(bandwidth_bps) else int(bandwidth_bps)
