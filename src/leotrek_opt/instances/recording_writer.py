"""Recordings to files, block by block, gone on with after an interruption."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from leotrek_opt.errors import InputError
from leotrek_opt.instances.npy_members import write_member
from leotrek_opt.instances.recording_blocks import write_block
from leotrek_opt.instances.recording_file import RecordingFile
from leotrek_opt.instances.recording_format import (
    END,
    HEADER,
    header_text,
    write_end,
)
from leotrek_opt.models.base import MAX_STEPS
from leotrek_opt.topology.recording.collector import Outputs, StepCollector
from leotrek_opt.topology.recording.columns import StepColumns, chained_digest, microseconds
from leotrek_opt.topology.recording.layout import PositionType, Run
from leotrek_opt.topology.recording.recording import Recording
from leotrek_opt.topology.state import TopologyState

BLOCK_BYTES = 16 * 2**20
"""About how much the steps of one block take in memory."""

_BYTES_PER_NODE = 100
"""Positions and links of one node at one step, estimated."""
_MEMBER = re.compile(r"(?P<block>[0-9]{1,9})/")


class FileRecorder:
    """Records the steps of a run in a file, a block at a time.

    Until the run has come to its end the file is named ``<path>.partial``. It is readable after
    every block, and after an interruption all steps up to it are there. A recording that is resumed
    has the same bytes in the end as one that never stopped.

    Parameters
    ----------
    path
        The file; replaced when the recording is complete.
    position_type
        ``float64``, or ``float32`` to keep positions in half the space.
    steps_per_block
        Steps that are kept in memory before they are written; by default as many as take about
        :data:`BLOCK_BYTES`.
    resume
        Go on after the last step of ``<path>.partial``, or of the file itself.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        position_type: PositionType = "float64",
        steps_per_block: int | None = None,
        resume: bool = False,
    ) -> None:
        if steps_per_block is not None and not 1 <= steps_per_block <= MAX_STEPS:
            raise InputError(f"must be in 1 … {MAX_STEPS}", field="steps_per_block")
        self.path = Path(path)
        self.partial = Path(f"{path}.partial")
        if not self.path.parent.is_dir():
            raise InputError(f"there is no folder {self.path.parent}", file=path)
        if self.path.exists() and not self.path.is_file():
            raise InputError("is not a regular file", file=path)
        self._position_type = position_type
        self._wanted = steps_per_block
        self._resume = resume
        self._collector: StepCollector | None = None
        self._steps_per_block = 1
        self._blocks = self._steps = self._known_links = 0
        self._digest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.finish(complete=False)

    def begin(self, run: Run) -> tuple[TopologyState, Outputs] | None:
        """Start a file, or go on with one.

        Parameters
        ----------
        run
            Nodes and declared outputs.

        Returns
        -------
        tuple or None
            The last recorded step and its outputs, where there is one.

        Raises
        ------
        leotrek_opt.errors.InputError
            If what is to be gone on with is damaged or belongs to another run.
        """
        self._blocks = self._steps = self._known_links = 0
        if self._resume and (self.partial.exists() or self.path.exists()):
            if not self.partial.exists():
                shutil.copyfile(self.path, self.partial)
            return self._go_on(run)
        self.partial.unlink(missing_ok=True)
        self._collector = StepCollector(run, self._position_type)
        self._steps_per_block = self._wanted or _steps_per_block(len(run.nodes))
        return None

    def add(self, state: TopologyState, outputs: Outputs) -> None:
        """Record a step.

        Parameters
        ----------
        state
            Later than the one before.
        outputs
            What plugins gave, by plugin and name.
        """
        collector = self._begun()
        collector.add(state, outputs)
        if len(collector) == self._steps_per_block:
            self._write()

    def finish(self, complete: bool) -> None:
        """End the recording.

        Parameters
        ----------
        complete
            Whether the run came to its end; then the file takes its name.
        """
        if self._collector is None:
            return
        if len(self._collector):
            self._write()
        self._collector = None
        if complete and self._steps:
            with zipfile.ZipFile(self.partial, "a") as archive:
                _drop_from(archive, self._blocks)
                write_end(archive, self._steps, self._digest)
            self.partial.replace(self.path)

    def _begun(self) -> StepCollector:
        if self._collector is None:
            raise InputError("the recording has not begun", file=self.path)
        return self._collector

    def _write(self) -> None:
        collector = self._begun()
        columns, links = collector.take(), collector.links
        table = links.table()
        with zipfile.ZipFile(self.partial, "a") as archive:
            _drop_from(archive, self._blocks)
            if HEADER not in archive.NameToInfo:
                header = header_text(collector.layout, self._steps_per_block)
                write_member(archive, HEADER, header)
            self._digest = chained_digest(
                self._digest if self._blocks else collector.layout.digest, table, columns
            )
            write_block(
                archive, self._blocks, columns, links.table(self._known_links), self._digest
            )
        self._known_links = len(links)
        self._blocks += 1
        self._steps += len(columns)

    def _go_on(self, run: Run) -> tuple[TopologyState, Outputs]:
        with RecordingFile(self.partial) as file:
            self._refuse_other(file, run)
            self._steps_per_block = file.steps_per_block
            full = file.steps // self._steps_per_block
            self._known_links = sum(entry.new_links for entry in file.entries[:full])
            links = file.links.rows(slice(self._known_links))
            self._blocks, self._steps = full, full * self._steps_per_block
            self._digest = bytes.fromhex(file.entries[full - 1].digest) if full else b""
            collector = StepCollector(
                run,
                file.layout.position_type,
                layout=file.layout,
                links=links,
                last=_last_of(file, self._steps),
            )
            # A block that is not full is written anew, so that where a run stopped leaves no mark.
            for row in range(self._steps, file.steps):
                state = next(file.states(row, row + 1))
                collector.add(state, file.outputs(row))
            last = next(file.states(file.steps - 1)), file.outputs(file.steps - 1)
        self._collector = collector
        return last

    def _refuse_other(self, file: RecordingFile, run: Run) -> None:
        layout = file.layout
        for what, same in (
            ("continuum", layout.source_digest == run.source_digest),
            ("nodes", layout.nodes == run.nodes),
            ("outputs of plugins", _plain(layout.outputs) == _plain(run.outputs)),
            ("position_type", layout.position_type == self._position_type),
            ("steps_per_block", self._wanted in (None, file.steps_per_block)),
            ("frame", layout.frame == "ecef"),
        ):
            if not same:
                raise InputError(
                    f"was recorded with other {what}; it cannot be gone on with", file=self.partial
                )


def save_recording(recording: Recording, path: str | Path) -> Path:
    """Write a recording to a file that appears when it is complete.

    Parameters
    ----------
    recording
        In memory.
    path
        File to write.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    leotrek_opt.errors.InputError
        If there is no such folder.
    """
    file = Path(path)
    if not file.parent.is_dir():
        raise InputError(f"there is no folder {file.parent}", file=path)
    partial = Path(f"{path}.partial")
    layout, columns, links = recording.layout, recording.columns, recording.links
    size = _steps_per_block(len(layout.nodes))
    digest, known = layout.digest, 0
    partial.unlink(missing_ok=True)
    with zipfile.ZipFile(partial, "w") as archive:
        write_member(archive, HEADER, header_text(layout, size))
        for number, start in enumerate(range(0, len(columns), size)):
            part = _part(columns, start, start + size)
            digest = chained_digest(digest, links, part)
            seen = max(known, int(part.link.max(initial=-1)) + 1)
            write_block(archive, number, part, links.rows(slice(known, seen)), digest)
            known = seen
        write_end(archive, len(columns), digest)
    partial.replace(file)
    return file


def _steps_per_block(nodes: int) -> int:
    return max(1, min(1024, BLOCK_BYTES // (_BYTES_PER_NODE * nodes)))


def _plain(outputs: Any) -> dict[str, dict[str, Any]]:
    return {plugin: dict(declared) for plugin, declared in outputs.items()}


def _last_of(file: RecordingFile, steps: int) -> tuple[int, int] | None:
    if not steps:
        return None
    state = next(file.states(steps - 1, steps))
    return state.step, microseconds(state.time)


def _part(columns: StepColumns, start: int, stop: int) -> StepColumns:
    stop = min(stop, len(columns))
    links = slice(columns.links_of(start).start, columns.links_of(stop - 1).stop)
    return StepColumns(
        step=columns.step[start:stop],
        time_us=columns.time_us[start:stop],
        julian_day=columns.julian_day[start:stop],
        day_fraction=columns.day_fraction[start:stop],
        position_km=columns.position_km[start:stop],
        valid=columns.valid[start:stop],
        link_count=columns.link_count[start:stop],
        link=columns.link[links],
        latency_ns=columns.latency_ns[links],
        bandwidth_bps=None if columns.bandwidth_bps is None else columns.bandwidth_bps[links],
        present={plugin: column[start:stop] for plugin, column in columns.present.items()},
        outputs={
            plugin: {name: column[start:stop] for name, column in outputs.items()}
            for plugin, outputs in columns.outputs.items()
        },
    )


def _drop_from(archive: zipfile.ZipFile, block: int) -> None:
    """Let go of the end mark and of every block from this one on, for the next write."""
    dropped = [
        entry
        for entry in archive.filelist
        if entry.filename == END
        or ((found := _MEMBER.match(entry.filename)) and int(found["block"]) >= block)
    ]
    if not dropped:
        return
    # Members are written in order, so whatever follows the first of these goes with it.
    archive.start_dir = min(entry.header_offset for entry in dropped)
    for entry in dropped:
        archive.filelist.remove(entry)
        del archive.NameToInfo[entry.filename]
