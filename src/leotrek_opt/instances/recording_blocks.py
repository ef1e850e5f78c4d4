"""Blocks of steps in a recording's file: types and shapes of the columns, and what must hold."""

from __future__ import annotations

import math
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.instances.npy_members import npy_bytes, read_array_member, write_member
from leotrek_opt.instances.recording_format import (
    MAX_BLOCK_BYTES,
    MAX_TIME_US,
    BlockEntry,
    json_bytes,
)
from leotrek_opt.models.base import EXACT_LIMIT
from leotrek_opt.topology.recording.columns import LinkTable, StepColumns
from leotrek_opt.topology.recording.layout import Layout


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
    write_member(archive, f"{number}/block.json", json_bytes(entry))


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
        return self._increasing(number, "time_us", entry.steps, MAX_TIME_US)

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
