"""A network that someone published: nodes with places, links with speeds, demands between nodes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.models.base import MAX_BANDWIDTH_MBPS, MIN_BANDWIDTH_MBPS

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
NetworkFormat = Literal["graphml", "sndlib-xml", "sndlib-native"]

MAX_NOTES = 1000
"""Notes that are kept; beyond it they are counted."""

MAX_LABEL = 256

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Note(NamedTuple):
    """What a reader left out or could not use, and the line where it stands, from 1."""

    line: int
    text: str


class Demand(NamedTuple):
    """Traffic asked for from one node to another, in the units of the file."""

    label: str
    source: int
    target: int
    value: float
    routing_unit: float
    max_path_length: int | None


class Module(NamedTuple):
    """Capacity that may be bought for a link, in the units of the file."""

    capacity: float
    cost: float


@dataclass(frozen=True, eq=False)
class LinkDesign:
    """What a link offers to a planner, as SNDlib publishes it; in the units of the file.

    Parameters
    ----------
    unit
        Of capacities and demands, such as ``MBITPERSEC``; empty where the file names none.
    installed_capacity, installed_cost, routing_cost, setup_cost
        Shape (links,), NaN where the file names none.
    modules
        Capacities to choose from, for each link.
    """

    unit: str
    installed_capacity: Array
    installed_cost: Array
    routing_cost: Array
    setup_cost: Array
    modules: tuple[tuple[Module, ...], ...]


@dataclass(frozen=True, eq=False)
class NetworkFile:
    """A network as read from a file.

    Parameters
    ----------
    name
        What the file calls it; may be empty.
    format
        How the file is written.
    directed
        Whether links go from source to target only.
    node
        Unique identifiers, made from the labels.
    label
        Names of the nodes as the file has them.
    country
        Country of each node, empty where unknown.
    internal
        False for a node that the file marks as outside the network, shape (nodes,).
    latitude_deg, longitude_deg
        Shape (nodes,), NaN for a node without a place.
    source, target
        Rows of the ends of each link, shape (links,). Several links may join a pair.
    link_label
        What the file says of each link.
    bandwidth_mbps
        Shape (links,), NaN where unknown; None where no link has one.
    design
        Capacities and costs to plan with, where the format has them.
    demands
        Traffic between nodes, where the format has it.
    notes
        What was left out or could not be used, the first 1000 of them.
    noted
        Number of all notes.
    """

    name: str
    format: NetworkFormat
    directed: bool
    node: tuple[str, ...]
    label: tuple[str, ...]
    country: tuple[str, ...]
    internal: NDArray[np.bool_]
    latitude_deg: Array
    longitude_deg: Array
    source: Indices
    target: Indices
    link_label: tuple[str, ...]
    bandwidth_mbps: Array | None = None
    design: LinkDesign | None = None
    demands: tuple[Demand, ...] = ()
    notes: tuple[Note, ...] = ()
    noted: int = 0

    @property
    def has_place(self) -> NDArray[np.bool_]:
        """Which nodes have a place, shape (nodes,)."""
        return ~np.isnan(self.latitude_deg)

    def placed(self) -> NetworkFile:
        """Leave out the nodes without a place, and what is joined to them.

        Returns
        -------
        NetworkFile
            Every node has a place.
        """
        return self.subset(self.has_place)

    def subset(self, keep: NDArray[np.bool_]) -> NetworkFile:
        """Leave out some nodes, with their links and demands.

        Parameters
        ----------
        keep
            Shape (nodes,).

        Returns
        -------
        NetworkFile
            Its nodes and links in the same order; the notes are those of the whole file.
        """
        row = np.cumsum(keep) - 1
        linked = keep[self.source] & keep[self.target]
        nodes, links = np.flatnonzero(keep).tolist(), np.flatnonzero(linked).tolist()
        design = self.design
        if design is not None:
            design = LinkDesign(
                design.unit,
                design.installed_capacity[linked],
                design.installed_cost[linked],
                design.routing_cost[linked],
                design.setup_cost[linked],
                tuple(design.modules[link] for link in links),
            )
        bandwidth = self.bandwidth_mbps
        return replace(
            self,
            node=tuple(self.node[index] for index in nodes),
            label=tuple(self.label[index] for index in nodes),
            country=tuple(self.country[index] for index in nodes),
            internal=self.internal[keep],
            latitude_deg=self.latitude_deg[keep],
            longitude_deg=self.longitude_deg[keep],
            source=row[self.source[linked]],
            target=row[self.target[linked]],
            link_label=tuple(self.link_label[link] for link in links),
            bandwidth_mbps=None if bandwidth is None else bandwidth[linked],
            design=design,
            demands=tuple(
                demand._replace(source=int(row[demand.source]), target=int(row[demand.target]))
                for demand in self.demands
                if keep[demand.source] and keep[demand.target]
            ),
        )


class Notes:
    """Collects notes and counts those beyond the limit."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: list[Note] = []

    def add(self, line: int, text: str) -> None:
        """Take a note."""
        self.count += 1
        if self.count <= MAX_NOTES:
            self._kept.append(Note(line, text))

    def kept(self) -> tuple[Note, ...]:
        """Return the notes by line."""
        return tuple(sorted(self._kept))


def label_of(text: str) -> str:
    """Make a label of free text: on one line, of bounded length.

    Parameters
    ----------
    text
        From a file.

    Returns
    -------
    str
        At most 256 characters.
    """
    return _CONTROL.sub("", " ".join(text[: 4 * MAX_LABEL].split()))[:MAX_LABEL]


def bandwidth_column(mbps: Sequence[float]) -> Array | None:
    """Return bandwidths as a column, None where all are unknown.

    Parameters
    ----------
    mbps
        NaN for unknown.

    Returns
    -------
    ndarray or None
        Shape (links,).
    """
    column = np.array(mbps, dtype=np.float64)
    return None if np.isnan(column).all() else column


def is_bandwidth(mbps: float) -> bool:
    """Say whether a document can hold a bandwidth.

    Parameters
    ----------
    mbps
        Megabits per second.

    Returns
    -------
    bool
        Whether it is within the bounds of all bandwidths.
    """
    return MIN_BANDWIDTH_MBPS <= mbps <= MAX_BANDWIDTH_MBPS


def is_geographic(latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> bool:
    """Say whether all pairs may be latitudes and longitudes.

    Parameters
    ----------
    latitude_deg, longitude_deg
        Numbers of any shape.

    Returns
    -------
    bool
        Whether all are within 90 and 180 degrees.
    """
    return bool(
        (np.abs(np.asarray(latitude_deg)) <= 90).all()
        and (np.abs(np.asarray(longitude_deg)) <= 180).all()
    )
