"""What a description of a topology says: figures by shell, by kind of link and by step."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Spread:
    """Least, mean and greatest of many values; None where there is none."""

    least: float | None = None
    mean: float | None = None
    greatest: float | None = None


@dataclass(frozen=True)
class ShellFigures:
    """One shell of a design, or one that was found in element sets.

    Parameters
    ----------
    inclination_deg, altitude_km
        Of its elements, above 6378.137 km.
    satellites, planes
        How many.
    pattern, phasing
        Of a design; None for a shell that was found.
    cross_link_shift
        Slots by which a +Grid goes forward from plane to plane, as resolved; None without one.
    """

    inclination_deg: float
    altitude_km: float
    satellites: int
    planes: int
    pattern: str | None = None
    phasing: int | None = None
    cross_link_shift: int | None = None


@dataclass(frozen=True)
class LostSatellite:
    """A satellite that has no position at the first step, and why."""

    node: str
    reason: str


@dataclass(frozen=True)
class StepFigures:
    """One step of a topology.

    Parameters
    ----------
    step, time
        Which.
    links
        Number of links by kind, in the order of :data:`~leotrek_opt.topology.state.LINK_KINDS`.
    latency_ms
        Mean latency by kind, None without links.
    masked_satellites
        Number of satellites without position.
    degree
        Links between satellites at each satellite that has a position.
    components
        Number of connected parts, nodes without links and without position left out.
    largest_component
        Number of nodes of the largest one.
    isolated
        Number of nodes with a position and without a link.
    unserved_ground
        Number of ground nodes without a satellite.
    """

    step: int
    time: datetime
    links: tuple[int, int, int]
    latency_ms: tuple[float | None, float | None, float | None]
    masked_satellites: int
    degree: Spread
    components: int
    largest_component: int
    isolated: int
    unserved_ground: int


@dataclass(frozen=True)
class KindFigures:
    """Links of one kind over all steps.

    Parameters
    ----------
    kind
        One of :data:`~leotrek_opt.topology.state.LINK_KINDS`.
    links
        Number of links per step.
    latency_ms
        Over all links of all steps.
    bandwidth_mbps
        Likewise; all None where unlimited.
    """

    kind: str
    links: Spread
    latency_ms: Spread
    bandwidth_mbps: Spread


@dataclass(frozen=True)
class TopologyDescription:
    """What a topology is like.

    Parameters
    ----------
    nodes
        Number of nodes by kind.
    steps
        Number of steps that were looked at.
    start, end
        Instants of the first and the last of them.
    shells
        Of a design, or as found in element sets; empty for an explicit topology.
    unplaced_satellites
        Satellites of a catalogue that belong to no shell.
    altitude_km
        Of satellites above the ellipsoid, over all steps.
    epoch_age_days
        From the epochs of the elements to the first step; negative before the epoch.
    lost
        Satellites without position at the first step.
    kinds
        Links by kind.
    per_step
        Step by step.
    conventions
        What the figures rest on, by name.
    """

    nodes: dict[str, int]
    steps: int
    start: datetime
    end: datetime
    shells: tuple[ShellFigures, ...]
    unplaced_satellites: int
    altitude_km: Spread
    epoch_age_days: Spread
    lost: tuple[LostSatellite, ...]
    kinds: tuple[KindFigures, ...]
    per_step: tuple[StepFigures, ...]
    conventions: dict[str, Any]

    def document(self) -> dict[str, Any]:
        """Return everything as plain values, instants in ISO 8601."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value
