"""The members of a recording's file: their names, and what the small ones say.

A file is a zip archive that ``numpy.load`` reads too. ``recording.json`` holds the layout. Block
``n`` of the steps has its sizes and its digest in ``n/block.json`` and its columns
beside it (:mod:`leotrek_opt.instances.recording_blocks`).
``end.json`` stands in complete recordings alone.
"""

from __future__ import annotations

import json
import re
import zipfile
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from leotrek_opt.errors import InputError
from leotrek_opt.instances.json_reader import decode, outline
from leotrek_opt.instances.npy_members import (
    read_bytes_member,
    write_member,
)
from leotrek_opt.models.base import MAX_STEPS, StrictModel, input_error
from leotrek_opt.models.columns import BooleanColumn, Column
from leotrek_opt.models.continuum import NodeTable
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

MAX_TIME_US = 253_402_300_799_999_999
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
    frame_start_us: Annotated[int, Field(ge=-MAX_TIME_US, le=MAX_TIME_US)] | None
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
    return json_bytes(
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
    write_member(archive, END, json_bytes({"steps": steps, "digest": digest.hex()}))


def json_bytes(tree: dict[str, Any]) -> bytes:
    """Return a tree as JSON that is the same on every machine.

    Parameters
    ----------
    tree
        Of plain values.

    Returns
    -------
    bytes
        ASCII without blanks, keys in order.
    """
    return json.dumps(tree, separators=(",", ":"), sort_keys=True, allow_nan=False).encode("ascii")
