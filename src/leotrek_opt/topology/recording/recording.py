"""A recording in memory: replayed like a generator, or written out as a document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.continuum import Continuum, NodeTable
from leotrek_opt.topology.recording.columns import (
    Array,
    LinkTable,
    StepColumns,
    chained_digest,
    earth_fixed_km,
    state_of,
    utc_instant,
)
from leotrek_opt.topology.recording.explicit import explicit_continuum
from leotrek_opt.topology.recording.layout import Layout, Run
from leotrek_opt.topology.series import checked_step, checked_steps
from leotrek_opt.topology.state import TopologyState


@dataclass(frozen=True, eq=False)
class Recording:
    """Steps of a topology as they were recorded.

    A recording streams its states as a generator does, so whatever runs on one runs on the other.
    Two recordings are equal when their digests are.

    Parameters
    ----------
    layout
        Nodes, conventions, declared outputs.
    links
        Every link that is up at some step.
    columns
        The steps.
    """

    layout: Layout
    links: LinkTable
    columns: StepColumns = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a recording without steps."""
        if not len(self.columns):
            raise InputError("must have at least one step", field="states")

    @property
    def nodes(self) -> NodeTable:
        """The nodes, satellites first."""
        return self.layout.nodes

    @property
    def steps(self) -> int:
        """Number of recorded steps."""
        return len(self.columns)

    @property
    def run(self) -> Run:
        """Nodes and declared outputs, as for a new recording of the replay."""
        return Run(self.layout.nodes, self.layout.outputs, self.layout.source_digest)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of layout and steps, the same on every machine."""
        return chained_digest(self.layout.digest, self.links, self.columns).hex()

    def __eq__(self, other: object) -> bool:
        """Compare by digest."""
        if not isinstance(other, Recording):
            return NotImplemented
        return self.digest == other.digest

    def __repr__(self) -> str:
        return (
            f"Recording({self.steps} steps of {len(self.nodes)} nodes from "
            f"{self.instant(0).isoformat()})"
        )

    def __hash__(self) -> int:
        """Hash by digest."""
        return hash(self.digest)

    def instant(self, row: int) -> datetime:
        """Return when a recorded step was.

        Parameters
        ----------
        row
            Position among the recorded steps, 0 for the first.

        Returns
        -------
        datetime
            UTC.
        """
        return utc_instant(int(self.columns.time_us[row]))

    def state(self, row: int) -> TopologyState:
        """Return a recorded step.

        Parameters
        ----------
        row
            Position among the recorded steps, 0 for the first.

        Returns
        -------
        TopologyState
            As it was given to the recorder; positions in ECEF, rounded where they are kept as
            ``float32``.

        Raises
        ------
        leotrek_opt.errors.StepError
            If there is no such step.
        """
        row = checked_step(row, self.steps)
        return state_of(self.layout, self.links, self.columns, row)

    def states(self, start: int = 0, stop: int | None = None) -> Iterator[TopologyState]:
        """Replay recorded steps.

        Parameters
        ----------
        start, stop
            Positions among the recorded steps; up to the last without ``stop``.

        Returns
        -------
        iterator of TopologyState
            As :meth:`state`.

        Raises
        ------
        leotrek_opt.errors.StepError
            If there are no such steps.
        """
        return (self.state(row) for row in checked_steps(start, stop, self.steps))

    def outputs(self, row: int) -> dict[str, dict[str, Array]]:
        """Return what the plugins gave at a recorded step.

        Parameters
        ----------
        row
            Position among the recorded steps.

        Returns
        -------
        dict
            By plugin and name.
        """
        return self.columns.outputs_of(row)

    def position_km(self, row: int) -> NDArray[np.float64]:
        """Return where all nodes are at a recorded step.

        Parameters
        ----------
        row
            Position among the recorded steps.

        Returns
        -------
        ndarray
            ECEF, shape (nodes, 3).
        """
        return earth_fixed_km(self.layout, self.columns, row)

    def recorded_km(self, row: int) -> NDArray[np.float64]:
        """Return where all nodes are at a recorded step, in the frame of the layout.

        Parameters
        ----------
        row
            Position among the recorded steps.

        Returns
        -------
        ndarray
            As recorded, shape (nodes, 3).
        """
        position: NDArray[np.float64] = self.columns.position_km[row].astype(np.float64)
        return position

    def continuum(self) -> Continuum:
        """Write the recording out as a document that can be solved.

        Returns
        -------
        Continuum
            With an explicit topology whose materialised series has the links of every step, and
            positions of all nodes that have one throughout.

        Raises
        ------
        leotrek_opt.errors.InputError
            If it would be larger than a document may be.
        """
        return explicit_continuum(self.layout, self.links, self.columns)
