"""Recorded steps as columns, and what happens to them step by step."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.topology.frames import turned
from leotrek_opt.topology.recording.layout import EARTH_ROTATION_RAD_S, Layout
from leotrek_opt.topology.series import Snapshot
from leotrek_opt.topology.state import SatelliteState, TopologyState

Array = NDArray[Any]

_UNIX_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, eq=False)
class LinkTable:
    """Every link that is up at some step, in the order in which they first were.

    Parameters
    ----------
    source, target
        Node indices, source < target, shape (links,).
    kind
        As ``TopologyState.link_kind``.
    """

    source: NDArray[np.int32]
    target: NDArray[np.int32]
    kind: NDArray[np.int8]

    def __len__(self) -> int:
        """Return the number of links."""
        return len(self.source)

    def rows(self, chosen: slice | NDArray[np.bool_]) -> LinkTable:
        """Return some of the links.

        Parameters
        ----------
        chosen
            A stretch, or a mask.

        Returns
        -------
        LinkTable
            In the same order.
        """
        return LinkTable(self.source[chosen], self.target[chosen], self.kind[chosen])


@dataclass(frozen=True, eq=False)
class StepColumns:
    """Some steps of a recording.

    Parameters
    ----------
    step
        Indices of the snapshots, shape (steps,).
    time_us
        Microseconds since 1970 UTC.
    julian_day, day_fraction
        The same as a Julian date in two parts.
    position_km
        In the frame of the layout, shape (steps, nodes, 3).
    valid
        Whether propagation succeeded, shape (steps, satellites).
    link_count
        How many links are up at each step, shape (steps,).
    link
        Rows of a :class:`LinkTable`, the links of one step after those of the other.
    latency_ns, bandwidth_bps
        Of those links; no bandwidth where it is unlimited.
    present
        Whether a plugin gave its outputs at a step, by plugin, shape (steps,).
    outputs
        By plugin and name, shape (steps, ...); zeros where the plugin gave none.
    """

    step: NDArray[np.int64]
    time_us: NDArray[np.int64]
    julian_day: NDArray[np.float64]
    day_fraction: NDArray[np.float64]
    position_km: Array
    valid: NDArray[np.bool_]
    link_count: NDArray[np.int64]
    link: NDArray[np.int32]
    latency_ns: NDArray[np.int64]
    bandwidth_bps: NDArray[np.int64] | None
    present: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    outputs: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of steps."""
        return len(self.step)

    def links_of(self, row: int) -> slice:
        """Return where the links of a step stand.

        Parameters
        ----------
        row
            Position of the step among these.

        Returns
        -------
        slice
            Into ``link``, ``latency_ns`` and ``bandwidth_bps``.
        """
        end = int(self._link_end[row])
        return slice(end - int(self.link_count[row]), end)

    @cached_property
    def _link_end(self) -> NDArray[np.int64]:
        return np.cumsum(self.link_count)

    def outputs_of(self, row: int) -> dict[str, dict[str, Array]]:
        """Return what the plugins gave at a step.

        Parameters
        ----------
        row
            Position of the step among these.

        Returns
        -------
        dict
            By plugin and name, without those that gave nothing.
        """
        return {
            plugin: {name: column[row] for name, column in columns.items()}
            for plugin, columns in self.outputs.items()
            if self.present[plugin][row]
        }


def microseconds(instant: datetime) -> int:
    """Return an instant in microseconds since 1970 UTC.

    Parameters
    ----------
    instant
        With a time zone.

    Returns
    -------
    int
        Exact.
    """
    return (instant - _UNIX_START) // _MICROSECOND


def utc_instant(time_us: int) -> datetime:
    """Return the instant of a number of microseconds since 1970 UTC.

    Parameters
    ----------
    time_us
        From :func:`microseconds`.

    Returns
    -------
    datetime
        UTC.
    """
    return _UNIX_START + int(time_us) * _MICROSECOND


def joined(parts: Iterable[StepColumns]) -> StepColumns:
    """Put steps one after the other.

    Parameters
    ----------
    parts
        At least one, all of one layout and one link table.

    Returns
    -------
    StepColumns
        All steps.
    """
    blocks = list(parts)
    if len(blocks) == 1:
        return blocks[0]
    first = blocks[0]
    limited = first.bandwidth_bps is not None
    return StepColumns(
        **{
            name: np.concatenate([getattr(block, name) for block in blocks])
            for name in _PLAIN_COLUMNS
        },
        bandwidth_bps=(
            np.concatenate(
                [block.bandwidth_bps for block in blocks if block.bandwidth_bps is not None]
            )
            if limited
            else None
        ),
        present={
            plugin: np.concatenate([block.present[plugin] for block in blocks])
            for plugin in first.present
        },
        outputs={
            plugin: {
                name: np.concatenate([block.outputs[plugin][name] for block in blocks])
                for name in outputs
            }
            for plugin, outputs in first.outputs.items()
        },
    )


_PLAIN_COLUMNS = (
    "step", "time_us", "julian_day", "day_fraction", "position_km", "valid", "link_count", "link",
    "latency_ns",
)  # fmt: skip


def state_of(layout: Layout, links: LinkTable, columns: StepColumns, row: int) -> TopologyState:
    """Return a recorded step as the generator gave it.

    Parameters
    ----------
    layout
        Nodes and conventions.
    links
        The links that ``columns.link`` refers to.
    columns
        Recorded steps.
    row
        Position of the step among them.

    Returns
    -------
    TopologyState
        Read-only arrays, positions in ECEF.
    """
    part = columns.links_of(row)
    link = columns.link[part]
    step = int(columns.step[row])
    time = utc_instant(int(columns.time_us[row]))
    position = earth_fixed_km(layout, columns, row)
    return TopologyState(
        step=step,
        time=time,
        satellites=SatelliteState(
            step=step,
            time=time,
            julian_day=float(columns.julian_day[row]),
            day_fraction=float(columns.day_fraction[row]),
            position_km=position[: layout.satellites],
            valid=sealed(columns.valid[row]),
        ),
        position_km=position,
        links=Snapshot(
            source=sealed(links.source[link]),
            target=sealed(links.target[link]),
            latency_ns=sealed(columns.latency_ns[part]),
            bandwidth_bps=(
                None if columns.bandwidth_bps is None else sealed(columns.bandwidth_bps[part])
            ),
            relay=layout.relay,
        ),
        link_kind=sealed(links.kind[link]),
    )


def earth_fixed_km(layout: Layout, columns: StepColumns, row: int) -> NDArray[np.float64]:
    """Return the positions of a step in ECEF.

    Parameters
    ----------
    layout
        Says which frame they were recorded in.
    columns
        Recorded steps.
    row
        Position of the step among them.

    Returns
    -------
    ndarray
        Kilometres, shape (nodes, 3), read-only.
    """
    position = columns.position_km[row].astype(np.float64, copy=False)
    if layout.frame_start_us is not None:
        elapsed_s = (int(columns.time_us[row]) - layout.frame_start_us) / 1e6
        position = turned(position, -EARTH_ROTATION_RAD_S * elapsed_s)
    return sealed(position)


def chained_digest(before: bytes, links: LinkTable, columns: StepColumns) -> bytes:
    """Carry a digest on over some steps.

    Parameters
    ----------
    before
        Digest of the steps before, or of the layout.
    links
        The links that ``columns.link`` refers to.
    columns
        Recorded steps.

    Returns
    -------
    bytes
        SHA-256 of what went before and of every step, one after the other; how steps are grouped
        into blocks makes no difference.
    """
    for row in range(len(columns)):
        part = columns.links_of(row)
        link = columns.link[part]
        step = hashlib.sha256(before)
        step.update(
            struct.pack(
                "<qqddq",
                columns.step[row],
                columns.time_us[row],
                columns.julian_day[row],
                columns.day_fraction[row],
                len(link),
            )
        )
        row_columns = [
            columns.position_km[row],
            columns.valid[row],
            links.source[link],
            links.target[link],
            links.kind[link],
            columns.latency_ns[part],
        ]
        if columns.bandwidth_bps is not None:
            row_columns.append(columns.bandwidth_bps[part])
        for plugin in sorted(columns.outputs):
            row_columns.append(columns.present[plugin][row])
            row_columns += [
                columns.outputs[plugin][name][row] for name in sorted(columns.outputs[plugin])
            ]
        for column in row_columns:
            little = np.ascontiguousarray(column, dtype=column.dtype.newbyteorder("<"))
            step.update(little.reshape(-1).view(np.uint8).data)
        before = step.digest()
    return before


def sealed(array: Array) -> Array:
    """Return an array that cannot be written to.

    Parameters
    ----------
    array
        Any array; itself untouched.

    Returns
    -------
    ndarray
        A view.
    """
    view = array.view()
    view.flags.writeable = False
    return view
