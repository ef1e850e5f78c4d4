"""One instant of a topology, as arrays: what strategies and step functions are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.topology.series import Snapshot

INTER_SATELLITE, GROUND, TERRESTRIAL = 0, 1, 2
"""Values of ``TopologyState.link_kind``."""

LINK_KINDS = ("inter_satellite", "ground", "terrestrial")
"""Their names."""


@dataclass(frozen=True, eq=False)
class SatelliteState:
    """Where the satellites are at one step.

    Parameters
    ----------
    step
        Index of the snapshot.
    time
        The instant, UTC.
    julian_day, day_fraction
        The same as a Julian date in two parts.
    position_km
        ECEF, shape (satellites, 3), NaN where propagation failed.
    valid
        False for a satellite whose propagation failed (it has decayed), shape (satellites,).
    """

    step: int
    time: datetime
    julian_day: float
    day_fraction: float
    position_km: NDArray[np.float64]
    valid: NDArray[np.bool_]


class LinkPairs(NamedTuple):
    """Pairs of satellites that a strategy joins.

    ``source < target`` everywhere, sorted by both, each pair once. ``cross_plane`` marks links that
    a polar cut-off may switch off, or is None where the strategy knows no planes. A strategy whose
    pairs do not change returns the same arrays again, so that what hangs on them is kept.
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    cross_plane: NDArray[np.bool_] | None = None


InterSatelliteStrategy = Callable[[SatelliteState], LinkPairs]
"""Chooses the links between satellites of one step; line of sight and range are applied after."""


@dataclass(frozen=True, eq=False)
class TopologyState:
    """A whole topology at one step.

    Parameters
    ----------
    step
        Index of the snapshot.
    time
        The instant, UTC.
    satellites
        Positions of the satellites.
    position_km
        ECEF of all nodes, shape (nodes, 3): satellites first, then ground nodes; NaN where unknown.
    links
        Links that are up, in the order of (source, target), source < target.
    link_kind
        ``INTER_SATELLITE``, ``GROUND`` or ``TERRESTRIAL``, shape (links,).
    """

    step: int
    time: datetime
    satellites: SatelliteState
    position_km: NDArray[np.float64]
    links: Snapshot
    link_kind: NDArray[np.int8]


def link_kinds(
    source: NDArray[np.integer], target: NDArray[np.integer], satellites: int
) -> NDArray[np.int8]:
    """Return the kinds of links by their ends.

    Parameters
    ----------
    source, target
        Node indices, source < target, shape (links,).
    satellites
        How many there are; they come first.

    Returns
    -------
    ndarray of int8
        As in :class:`TopologyState`, shape (links,).
    """
    return np.select(
        [target < satellites, source < satellites],
        [np.int8(INTER_SATELLITE), np.int8(GROUND)],
        np.int8(TERRESTRIAL),
    )
