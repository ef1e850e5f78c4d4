"""Recordings in files, streamed back block by block."""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.instances.npy_members import DAMAGE, check_directory
from leotrek_opt.instances.recording_blocks import BlockReader
from leotrek_opt.instances.recording_format import (
    END,
    MAX_BLOCK_BYTES,
    BlockEntry,
    EndEntry,
    block_count,
    read_entry,
    read_header,
)
from leotrek_opt.models.base import MAX_STEPS
from leotrek_opt.models.continuum import NodeTable
from leotrek_opt.topology.recording.columns import (
    LinkTable,
    StepColumns,
    chained_digest,
    joined,
    state_of,
    utc_instant,
)
from leotrek_opt.topology.recording.layout import Layout, Run
from leotrek_opt.topology.recording.recording import Recording
from leotrek_opt.topology.series import checked_step, checked_steps
from leotrek_opt.topology.state import TopologyState

MAX_RECORDING_MIB = 512
"""Largest recording that is loaded into memory unless more is allowed."""

_MAX_REASON = 200


class RecordingFile:
    """A recording in a file, streamed block by block; what is read is checked against its digest.

    It replays like a recording in memory and runs wherever one does.

    Parameters
    ----------
    path
        A file of :class:`FileRecorder`, complete or not.

    Raises
    ------
    leotrek_opt.errors.InputError
        If it is no recording or damaged.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        with self._guarded():
            _require_file(self._path)
            check_directory(self._path)
            self._archive = zipfile.ZipFile(self._path)
            try:
                self._open()
            except BaseException:
                self._archive.close()
                raise
        self._current: tuple[int, StepColumns] | None = None

    def _open(self) -> None:
        header = read_header(self._archive)
        self._layout = header.layout()
        self.steps_per_block = header.steps_per_block
        self._reader = BlockReader(self._archive, self._layout)
        self.entries: list[BlockEntry] = [
            read_entry(self._archive, f"{number}/block.json", BlockEntry)
            for number in range(block_count(self._archive))
        ]
        if not self.entries:
            raise zipfile.BadZipFile("it holds no step")
        if any(entry.steps != self.steps_per_block for entry in self.entries[:-1]):
            raise zipfile.BadZipFile("a block other than the last is not full")
        self._first = [0, *itertools.accumulate(entry.steps for entry in self.entries)]
        if self._first[-1] > MAX_STEPS or self.entries[-1].steps > self.steps_per_block:
            raise zipfile.BadZipFile("it holds too many steps")
        if sum(entry.new_links for entry in self.entries) * 9 > MAX_BLOCK_BYTES:
            raise zipfile.BadZipFile("it holds too many links")
        self._complete = END in self._archive.NameToInfo
        if self._complete:
            end = read_entry(self._archive, END, EndEntry)
            if (end.steps, end.digest) != (self._first[-1], self.entries[-1].digest):
                raise zipfile.BadZipFile("its end does not belong to its steps")
        times = [self._reader.times(*each) for each in enumerate(self.entries)]
        self._time_us = np.concatenate(times)
        if (self._time_us[1:] <= self._time_us[:-1]).any():
            raise zipfile.BadZipFile("its steps are not in the order of time")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._archive.close()

    @property
    def layout(self) -> Layout:
        """Nodes, conventions, declared outputs."""
        return self._layout

    @property
    def nodes(self) -> NodeTable:
        """The nodes, satellites first."""
        return self._layout.nodes

    @property
    def steps(self) -> int:
        """Number of recorded steps."""
        return self._first[-1]

    @property
    def run(self) -> Run:
        """Nodes and declared outputs."""
        return Run(self._layout.nodes, self._layout.outputs, self._layout.source_digest)

    @property
    def complete(self) -> bool:
        """Whether the run that was recorded came to its end."""
        return self._complete

    @property
    def digest(self) -> str:
        """SHA-256 that the file states for layout and steps."""
        return self.entries[-1].digest

    def instant(self, row: int) -> datetime:
        """Return when a recorded step was.

        Parameters
        ----------
        row
            Position among the recorded steps.

        Returns
        -------
        datetime
            UTC.
        """
        return utc_instant(int(self._time_us[row]))

    def states(self, start: int = 0, stop: int | None = None) -> Iterator[TopologyState]:
        """Replay recorded steps; one block is in memory at a time.

        Parameters
        ----------
        start, stop
            Positions among the recorded steps; up to the last without ``stop``.

        Returns
        -------
        iterator of TopologyState
            As they were recorded.

        Raises
        ------
        leotrek_opt.errors.StepError
            If there are no such steps.
        leotrek_opt.errors.InputError
            While iterating, if a block is damaged.
        """
        return (self._state(row) for row in checked_steps(start, stop, self.steps))

    def outputs(self, row: int) -> dict[str, dict[str, NDArray[Any]]]:
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
        columns, place = self._at(row)
        return columns.outputs_of(place)

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
        columns, place = self._at(row)
        position: NDArray[np.float64] = columns.position_km[place].astype(np.float64)
        return position

    @cached_property
    def links(self) -> LinkTable:
        """Every link that is up at some step."""
        with self._guarded():
            parts = [self._reader.new_links(*each) for each in enumerate(self.entries)]
        return LinkTable(
            np.concatenate([part.source for part in parts]),
            np.concatenate([part.target for part in parts]),
            np.concatenate([part.kind for part in parts]),
        )

    def block(self, number: int) -> StepColumns:
        """Return the steps of a block, checked against the digest.

        Parameters
        ----------
        number
            Of the block.

        Returns
        -------
        StepColumns
            Its steps.

        Raises
        ------
        leotrek_opt.errors.InputError
            If the block is damaged.
        """
        entries, links = self.entries, self.links
        known = sum(entry.new_links for entry in entries[: number + 1])
        with self._guarded():
            columns = self._reader.columns(number, entries[number], known)
            before = bytes.fromhex(entries[number - 1].digest) if number else self._layout.digest
            if chained_digest(before, links, columns).hex() != entries[number].digest:
                raise zipfile.BadZipFile(f"block {number} is not what was recorded")
        return columns

    def load(self, *, memory_limit_mib: int = MAX_RECORDING_MIB) -> Recording:
        """Read the whole recording into memory.

        Parameters
        ----------
        memory_limit_mib
            Largest recording that is read.

        Returns
        -------
        Recording
            Equal to what was recorded.

        Raises
        ------
        leotrek_opt.errors.InputError
            If the file is damaged, or the recording is larger.
        """
        size = sum(self._reader.bytes_of(entry) for entry in self.entries)
        if size > memory_limit_mib * 2**20:
            raise InputError(
                f"needs {-(-size // 2**20)} MiB of memory, allowed are {memory_limit_mib} "
                "(memory_limit_mib); a RecordingFile streams it instead",
                file=self._path,
            )
        return Recording(
            self._layout, self.links, joined(self.block(n) for n in range(len(self.entries)))
        )

    def _state(self, row: int) -> TopologyState:
        columns, place = self._at(row)
        return state_of(self._layout, self.links, columns, place)

    def _at(self, row: int) -> tuple[StepColumns, int]:
        row = checked_step(row, self.steps)
        number, place = divmod(row, self.steps_per_block)
        if self._current is None or self._current[0] != number:
            self._current = None
            self._current = (number, self.block(number))
        return self._current[1], place

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except InputError as error:
            raise (error if error.file else error.in_file(self._path)) from None
        except DAMAGE as error:
            # zipfile quotes as much of the file as a damaged header asks for.
            reason = str(error)[:_MAX_REASON]
            raise InputError(f"is no readable recording: {reason}", file=self._path) from None


def load_recording(path: str | Path, *, memory_limit_mib: int = MAX_RECORDING_MIB) -> Recording:
    """Read a recording from a file.

    Parameters
    ----------
    path
        A complete recording, or the ``.partial`` file of an interrupted one.
    memory_limit_mib
        Largest recording that is read.

    Returns
    -------
    Recording
        Equal to what was recorded.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the file is no recording, damaged or too large.
    """
    with RecordingFile(path) as file:
        return file.load(memory_limit_mib=memory_limit_mib)


def _require_file(path: Path) -> None:
    if path.is_file():
        return
    partial = Path(f"{path}.partial")
    hint = f"; {partial.name} holds what an interrupted run recorded" if partial.is_file() else ""
    raise InputError(f"no such file{hint}", file=path)
