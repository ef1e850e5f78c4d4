"""The members of a recording's file: their names, types and shapes, and what must hold of them.

A file is a zip archive that ``numpy.load`` reads too. ``recording.json`` holds the layout. Block
``n`` of the steps has its sizes and its digest in ``n/block.json`` and its columns beside it.
``end.json`` stands in complete recordings alone.
"""

from __future__ import annotations

import json
import math
import re
import zipfile
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from leotrek_opt.errors import InputError
from leotrek_opt.instances.json_reader import decode, outline
from leotrek_opt.instances.npy_members import (
    npy_bytes,
    read_array_member,
    read_bytes_member,
    write_member,
)
from leotrek_opt.models.base import EXACT_LIMIT, MAX_STEPS, StrictModel, input_error
from leotrek_opt.models.columns import BooleanColumn, Column
from leotrek_opt.models.continuum import NodeTable
from leotrek_opt.topology.recording.columns import LinkTable, StepColumns
from leotrek_opt.topology.recording.layout import (
    Frame,
    Layout,
    Output,
    OutputType,
    PositionType,
)

HEADER = "recording.json"
END = "end.json"

MAX_HEADER_BYTES = 64 * 2**20
MAX_BLOCK_BYTES = 512 * 2**20
"""Largest block, unpacked."""
MAX_BLOCK_LINKS = 2**31 - 1

_MAX_TIME_US = 253_402_300_799_999_999
"""The end of the year 9999."""

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
IntegerColumn = Annotated[NDArray[np.int64], Column(np.int64, -(2**53), 2**53)]


class OutputEntry(StrictModel):
    """One declared output."""

    dtype: OutputType
    per: Literal["node", "satellite", "step"]
    shape: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(max_length=3)]


class Header(StrictModel):
    """``recording.json``: everything that does not change from step to step."""

    format: Literal["leotrek-recording"]
    version: Literal[1]
    steps_per_block: Annotated[int, Field(ge=1, le=MAX_STEPS)]
    source_digest: Digest | None
    nodes: NodeTable
    limited: bool
    position_type: PositionType
    relay: BooleanColumn | None
    outputs: dict[str, dict[str, OutputEntry]]
    frame: Frame
    frame_start_us: Annotated[int, Field(ge=-_MAX_TIME_US, le=_MAX_TIME_US)] | None
    node_columns: dict[str, IntegerColumn]
    annotations: dict[str, tuple[str, ...]]

    def layout(self) -> Layout:
        """Return what the header says, checked."""
        return Layout(
            nodes=self.nodes,
            limited=self.limited,
            position_type=self.position_type,
            relay=self.relay,
            outputs={
                plugin: {
                    name: Output(entry.dtype, entry.per, entry.shape)
                    for name, entry in outputs.items()
                }
                for plugin, outputs in self.outputs.items()
            },
            frame=self.frame,
            frame_start_us=self.frame_start_us,
            node_columns=self.node_columns,
            annotations=self.annotations,
            source_digest=self.source_digest,
        )


class BlockEntry(StrictModel):
    """``block.json``: the sizes of a block, and the digest of all steps up to its end."""

    steps: Annotated[int, Field(ge=1, le=MAX_STEPS)]
    links: Annotated[int, Field(ge=0, le=MAX_BLOCK_LINKS)]
    new_links: Annotated[int, Field(ge=0, le=MAX_BLOCK_LINKS)]
    digest: Digest


class EndEntry(StrictModel):
    """``end.json``: the recording came to its end."""

    steps: Annotated[int, Field(ge=1)]
    digest: Digest


def header_text(layout: Layout, steps_per_block: int) -> bytes:
    """Return the header of a file.

    Parameters
    ----------
    layout
        Of the recording.
    steps_per_block
        Steps of every block but the last.

    Returns
    -------
    bytes
        JSON.
    """
    return _json(
        {
            "format": "leotrek-recording",
            "version": 1,
            "steps_per_block": steps_per_block,
            "source_digest": layout.source_digest,
            **layout.document(),
        }
    )


def read_header(archive: zipfile.ZipFile) -> Header:
    """Return the header of a file.

    Parameters
    ----------
    archive
        Open for reading.

    Returns
    -------
    Header
        Validated.

    Raises
    ------
    leotrek_opt.errors.InputError
        Naming the field.
    """
    text = decode(read_bytes_member(archive, HEADER, MAX_HEADER_BYTES))
    version = outline(text).get("version")
    if version != 1:
        raise InputError("only version 1 of the format is read here", field="version")
    try:
        return Header.model_validate_json(text)
    except ValidationError as error:
        raise input_error(error, model=Header) from None


_BLOCK_NAME = re.compile(r"(?P<number>0|[1-9][0-9]{0,8})/block\.json")


def block_count(archive: zipfile.ZipFile) -> int:
    """Return how many blocks a file has.

    Parameters
    ----------
    archive
        Open for reading.

    Returns
    -------
    int
        Numbered from 0 without a gap.

    Raises
    ------
    zipfile.BadZipFile
        If there is a gap, or a name stands twice.
    """
    names = archive.namelist()
    if len(set(names)) < len(names):
        raise zipfile.BadZipFile("a member stands twice")
    numbers = {int(found["number"]) for name in names if (found := _BLOCK_NAME.fullmatch(name))}
    if numbers != set(range(len(numbers))):
        raise zipfile.BadZipFile("a block is missing")
    return len(numbers)


def read_entry(archive: zipfile.ZipFile, name: str, model: type[StrictModel]) -> Any:
    """Return a small member.

    Parameters
    ----------
    archive
        Open for reading.
    name
        Of the member.
    model
        What it must be.

    Returns
    -------
    StrictModel
        Validated.

    Raises
    ------
    leotrek_opt.errors.InputError
        Naming the field.
    """
    text = decode(read_bytes_member(archive, name, 4096))
    outline(text)
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        problem = input_error(error, model=model)
        raise InputError(problem.message, field=f"{name}: {problem.field}") from None


def write_block(
    archive: zipfile.ZipFile, number: int, columns: StepColumns, new: LinkTable, digest: bytes
) -> None:
    """Append a block.

    Parameters
    ----------
    archive
        Open for appending.
    number
        Of the block.
    columns
        Its steps.
    new
        Links that are first up in it.
    digest
        Of all steps up to its end.
    """
    entry = {
        "steps": len(columns),
        "links": len(columns.link),
        "new_links": len(new),
        "digest": digest.hex(),
    }
    for name, array in _block_arrays(columns, new).items():
        # Positions are noise to a compressor: a twentieth less for most of the time of writing.
        compressed = name != "position_km"
        write_member(archive, f"{number}/{name}.npy", npy_bytes(array), compressed=compressed)
    write_member(archive, f"{number}/block.json", _json(entry))


def write_end(archive: zipfile.ZipFile, steps: int, digest: bytes) -> None:
    """Mark a recording as complete.

    Parameters
    ----------
    archive
        Open for appending.
    steps
        Of all blocks.
    digest
        Of all steps.
    """
    write_member(archive, END, _json({"steps": steps, "digest": digest.hex()}))


def _json(tree: dict[str, Any]) -> bytes:
    return json.dumps(tree, separators=(",", ":"), sort_keys=True, allow_nan=False).encode("ascii")


def _block_arrays(columns: StepColumns, new: LinkTable) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        "step": columns.step,
        "time_us": columns.time_us,
        "julian_day": columns.julian_day,
        "day_fraction": columns.day_fraction,
        "position_km": columns.position_km,
        "valid": columns.valid,
        "link_count": columns.link_count,
        "link": columns.link,
        "latency_ns": columns.latency_ns,
        "new_source": new.source,
        "new_target": new.target,
        "new_kind": new.kind,
    }
    if columns.bandwidth_bps is not None:
        arrays["bandwidth_bps"] = columns.bandwidth_bps
    for plugin, outputs in columns.outputs.items():
        arrays[f"present.{plugin}"] = columns.present[plugin]
        for name, array in outputs.items():
            arrays[f"output.{plugin}.{name}"] = array
    return arrays


class BlockReader:
    """Reads the columns of blocks.

    Parameters
    ----------
    archive
        Open for reading.
    layout
        From the header.
    """

    def __init__(self, archive: zipfile.ZipFile, layout: Layout) -> None:
        self._archive = archive
        self._layout = layout

    def bytes_of(self, entry: BlockEntry) -> int:
        """Return how much memory the columns of a block take.

        Parameters
        ----------
        entry
            Its sizes.

        Returns
        -------
        int
            Bytes.
        """
        layout, nodes = self._layout, len(self._layout.nodes)
        per_step = 40 + nodes * 3 * layout.position_dtype.itemsize + layout.satellites
        for plugin, outputs in layout.outputs.items():
            per_step += 1
            for name, output in outputs.items():
                entries = math.prod(layout.output_shape(plugin, name))
                per_step += entries * np.dtype(output.dtype).itemsize
        return entry.steps * per_step + entry.links * (20 if layout.limited else 12)

    def times(self, number: int, entry: BlockEntry) -> NDArray[np.int64]:
        """Return the instants of a block.

        Parameters
        ----------
        number, entry
            Of the block.

        Returns
        -------
        ndarray of int64
            Microseconds since 1970, increasing.
        """
        return self._increasing(number, "time_us", entry.steps, _MAX_TIME_US)

    def new_links(self, number: int, entry: BlockEntry) -> LinkTable:
        """Return the links that are first up in a block.

        Parameters
        ----------
        number, entry
            Of the block.

        Returns
        -------
        LinkTable
            Between nodes that exist.
        """
        size = (entry.new_links,)
        table = LinkTable(
            source=self._read(number, "new_source", np.int32, size),
            target=self._read(number, "new_target", np.int32, size),
            kind=self._read(number, "new_kind", np.int8, size),
        )
        fits = (
            (table.source >= 0)
            & (table.source < table.target)
            & (table.target < len(self._layout.nodes))
            & (table.kind >= 0)
            & (table.kind <= 2)
        )
        _require(bool(fits.all()), number, "has a link that joins no two nodes")
        return table

    def columns(self, number: int, entry: BlockEntry, known_links: int) -> StepColumns:
        """Return the steps of a block.

        Parameters
        ----------
        number, entry
            Of the block.
        known_links
            How many links there are up to the end of this block.

        Returns
        -------
        StepColumns
            With every index in its range.

        Raises
        ------
        zipfile.BadZipFile
            If anything is not as it must be.
        """
        _require(self.bytes_of(entry) <= MAX_BLOCK_BYTES, number, "is too large")
        layout, steps, nodes = self._layout, entry.steps, len(self._layout.nodes)
        count = self._read(number, "link_count", np.int64, (steps,))
        _require(
            bool((count >= 0).all() and (count <= entry.links).all())
            and int(count.sum()) == entry.links,
            number,
            "does not have as many links as its steps",
        )
        link = self._read(number, "link", np.int32, (entry.links,))
        _require(
            bool((link >= 0).all() and (link < known_links).all()), number, "has an unknown link"
        )
        latency = self._quantity(number, "latency_ns", entry.links)
        day = self._read(number, "julian_day", np.float64, (steps,))
        fraction = self._read(number, "day_fraction", np.float64, (steps,))
        _require(
            bool(np.isfinite(day).all() and np.isfinite(fraction).all()),
            number,
            "has a date that is no number",
        )
        return StepColumns(
            step=self._increasing(number, "step", steps, 2**53),
            time_us=self.times(number, entry),
            julian_day=day,
            day_fraction=fraction,
            position_km=self._read(
                number, "position_km", layout.position_dtype.type, (steps, nodes, 3)
            ),
            valid=self._read(number, "valid", np.bool_, (steps, layout.satellites)),
            link_count=count,
            link=link,
            latency_ns=latency,
            bandwidth_bps=(
                self._quantity(number, "bandwidth_bps", entry.links) if layout.limited else None
            ),
            present={
                plugin: self._read(number, f"present.{plugin}", np.bool_, (steps,))
                for plugin in layout.outputs
            },
            outputs={
                plugin: {
                    name: self._read(
                        number,
                        f"output.{plugin}.{name}",
                        np.dtype(output.dtype).type,
                        (steps, *layout.output_shape(plugin, name)),
                    )
                    for name, output in outputs.items()
                }
                for plugin, outputs in layout.outputs.items()
            },
        )

    def _read(
        self, number: int, name: str, dtype: type[np.generic], shape: tuple[int, ...]
    ) -> NDArray[Any]:
        return read_array_member(
            self._archive, f"{number}/{name}.npy", np.dtype(dtype).newbyteorder("<"), shape
        )

    def _increasing(self, number: int, name: str, steps: int, limit: int) -> NDArray[np.int64]:
        column = self._read(number, name, np.int64, (steps,))
        _require(
            bool(
                ((column >= -limit) & (column <= limit)).all() and (column[1:] > column[:-1]).all()
            ),
            number,
            f"has {name} that do not increase",
        )
        return column

    def _quantity(self, number: int, name: str, count: int) -> NDArray[np.int64]:
        column = self._read(number, name, np.int64, (count,))
        _require(
            bool((column >= 0).all() and (column < EXACT_LIMIT).all()),
            number,
            f"has {name} out of range",
        )
        return column


def _require(holds: bool, number: int, fault: str) -> None:
    if not holds:
        raise zipfile.BadZipFile(f"block {number} {fault}")
