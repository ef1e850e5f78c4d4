"""What a simulation runs on: a generated topology, an explicit one, or a replay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.canonical import digest
from leotrek_opt.models.continuum import Continuum, NodeTable
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.frames import geodetic_to_ecef
from leotrek_opt.topology.instants import julian_date, start_instant, step_instant
from leotrek_opt.topology.materialise import materialise
from leotrek_opt.topology.positions import positions
from leotrek_opt.topology.recording.columns import sealed
from leotrek_opt.topology.recording.layout import Run, satellites_first
from leotrek_opt.topology.series import LinkSeries, Snapshot, checked_steps
from leotrek_opt.topology.state import SatelliteState, TopologyState, link_kinds

UNDATED_START = datetime(2000, 1, 1, tzinfo=UTC)
"""Where an explicit topology begins whose time grid has no start."""


@runtime_checkable
class StateSource(Protocol):
    """Streams the states of a topology: a generator, or a recording that is replayed."""

    @property
    def nodes(self) -> NodeTable:
        """The nodes, satellites first."""

    @property
    def steps(self) -> int:
        """Number of steps."""

    @property
    def run(self) -> Run:
        """Nodes, and the outputs that come with the states."""

    def instant(self, row: int) -> datetime:
        """Return when a step is, counted from 0."""

    def states(self, start: int = 0, stop: int | None = None) -> Iterator[TopologyState]:
        """Stream states from one step up to another."""

    def outputs(self, row: int) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return the outputs that come with a state, by plugin and name."""


def state_source(of: Continuum | StateSource) -> StateSource:
    """Return what streams the states of a continuum.

    Parameters
    ----------
    of
        A continuum with any topology, or something that streams states already.

    Returns
    -------
    StateSource
        Ready to stream.

    Raises
    ------
    leotrek_opt.errors.InputError
        If it is neither, or satellites do not come first among the nodes.
    """
    if isinstance(of, Continuum):
        satellites_first(of.nodes)
        return (
            GeneratedSource(of)
            if isinstance(of.topology, GeneratedTopology)
            else ExplicitSource(of)
        )
    if isinstance(of, StateSource):
        return of
    raise InputError(
        f"must be a continuum, a recording or another source of states, got {type(of).__name__}",
        field="continuum",
    )


@dataclass(frozen=True, eq=False)
class _ContinuumSource:
    """What both kinds of topology have in common."""

    continuum: Continuum

    @property
    def nodes(self) -> NodeTable:
        """The nodes, satellites first."""
        return self.continuum.nodes

    @property
    def steps(self) -> int:
        """Number of steps."""
        return self.continuum.time.steps

    @cached_property
    def run(self) -> Run:
        """Nodes; no outputs come with the states."""
        return Run(self.continuum.nodes, source_digest=digest(self.continuum))

    def outputs(self, row: int) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return that there are none.

        Parameters
        ----------
        row
            Index of a step.

        Returns
        -------
        Mapping
            Empty.
        """
        del row
        return {}


class GeneratedSource(_ContinuumSource):
    """Generates states as they are asked for."""

    def instant(self, row: int) -> datetime:
        """Return when a step is.

        Parameters
        ----------
        row
            Index of the step.

        Returns
        -------
        datetime
            UTC.
        """
        topology, time = self.continuum.topology, self.continuum.time
        if not isinstance(topology, GeneratedTopology):
            raise TypeError("only a generated topology has a recipe")
        return step_instant(start_instant(topology, time), time.offset_s(row))

    def states(self, start: int = 0, stop: int | None = None) -> Iterator[TopologyState]:
        """Generate states.

        Parameters
        ----------
        start, stop
            Indices of steps; up to the last without ``stop``.

        Returns
        -------
        iterator of TopologyState
            One at a time; none is kept.
        """
        from leotrek_opt.topology.generated import topology_generator

        return topology_generator(self.continuum).states(start, stop)


class ExplicitSource(_ContinuumSource):
    """Reads states out of a document that lists its links."""

    def instant(self, row: int) -> datetime:
        """Return when a step is.

        Parameters
        ----------
        row
            Index of the step.

        Returns
        -------
        datetime
            UTC; counted from :data:`UNDATED_START` if the time grid has no start.
        """
        time = self.continuum.time
        return step_instant(time.start or UNDATED_START, time.offset_s(row))

    def states(self, start: int = 0, stop: int | None = None) -> Iterator[TopologyState]:
        """Read states.

        Parameters
        ----------
        start, stop
            Indices of steps; up to the last without ``stop``.

        Returns
        -------
        iterator of TopologyState
            A satellite without position counts as valid, as its links stand in the document.

        Raises
        ------
        leotrek_opt.errors.StepError
            If there are no such steps.
        """
        return (self._state(row) for row in checked_steps(start, stop, self.steps))

    def _state(self, row: int) -> TopologyState:
        satellites = self.run.satellites
        time = self.instant(row)
        position = sealed(geodetic_to_ecef(*positions(self.continuum, row)))
        day, fraction = julian_date(time)
        snapshot, kind = self._links.at(row)
        return TopologyState(
            step=row,
            time=time,
            satellites=SatelliteState(
                step=row,
                time=time,
                julian_day=day,
                day_fraction=fraction,
                position_km=position[:satellites],
                valid=sealed(np.ones(satellites, dtype=bool)),
            ),
            position_km=position,
            links=snapshot,
            link_kind=kind,
        )

    @cached_property
    def _links(self) -> _OrderedLinks:
        return _OrderedLinks(materialise(self.continuum), self.run.satellites)


class _OrderedLinks:
    """The links of a series in the order of (source, target), source < target."""

    def __init__(self, series: LinkSeries, satellites: int) -> None:
        low = np.minimum(series.source, series.target)
        high = np.maximum(series.source, series.target)
        self._series = series
        self._order = np.lexsort((high, low))
        self._source, self._target = low[self._order], high[self._order]
        self._kind = link_kinds(self._source, self._target, satellites)

    def at(self, step: int) -> tuple[Snapshot, NDArray[np.int8]]:
        series = self._series
        up = slice(None) if series.up is None else np.flatnonzero(series.up[step][self._order])
        link = self._order[up]
        bandwidth = series.bandwidth_bps
        snapshot = Snapshot(
            source=sealed(self._source[up]),
            target=sealed(self._target[up]),
            latency_ns=sealed(series.latency_ns[step if len(series.latency_ns) > 1 else 0][link]),
            bandwidth_bps=(
                None
                if bandwidth is None
                else sealed(bandwidth[step if len(bandwidth) > 1 else 0][link])
            ),
            relay=series.relay,
        )
        return snapshot, sealed(self._kind[up])
