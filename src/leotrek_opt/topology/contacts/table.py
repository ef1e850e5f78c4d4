"""Tables of contact windows, between ground and satellites or between satellites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Columns:
    """A table as equally long arrays, one field each."""

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(getattr(self, fields(self)[0].name))

    def rows(self, chosen: Indices | Mask) -> Self:
        """Return some of the rows.

        Parameters
        ----------
        chosen
            Row numbers in the order wanted, or a mask.

        Returns
        -------
        Self
            A new table.
        """
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @classmethod
    def stacked(cls, tables: Sequence[Self]) -> Self:
        """Return the rows of several tables, one after the other.

        Parameters
        ----------
        tables
            At least one.

        Returns
        -------
        Self
            A new table.
        """
        return cls(
            *(
                np.concatenate([getattr(table, field.name) for table in tables])
                for field in fields(cls)
            )
        )


@dataclass(frozen=True, eq=False)
class WindowTable(Columns):
    """When ground nodes see satellites: half-open intervals [aos, los).

    Parameters
    ----------
    ground, satellite
        Node indices, shape (windows,).
    aos_s, los_s
        Acquisition and loss of signal, seconds after the start of the time grid.
    max_elevation_deg, max_elevation_s
        The greatest elevation within the window, and when.
    clipped_start, clipped_end
        True where the window is cut off by the span of time that was asked for. A window that ends
        because the satellite's propagation does (it has decayed) is not cut off.
    """

    ground: Indices
    satellite: Indices
    aos_s: Array
    los_s: Array
    max_elevation_deg: Array
    max_elevation_s: Array
    clipped_start: Mask
    clipped_end: Mask

    @property
    def duration_s(self) -> Array:
        """Length of each window."""
        return self.los_s - self.aos_s

    def by_time(self) -> WindowTable:
        """Return the windows in the order of (aos, ground, satellite)."""
        return self.rows(np.lexsort((self.satellite, self.ground, self.aos_s)))

    def by_pair(self) -> WindowTable:
        """Return the windows in the order of (ground, satellite, aos)."""
        return self.rows(np.lexsort((self.aos_s, self.satellite, self.ground)))

    def of(self, *, ground: int | None = None, satellite: int | None = None) -> WindowTable:
        """Return the windows of one ground node, of one satellite, or of a pair.

        Parameters
        ----------
        ground, satellite
            Node indices; None for all.

        Returns
        -------
        WindowTable
            In the same order.
        """
        chosen = np.ones(len(self), dtype=bool)
        if ground is not None:
            chosen &= self.ground == ground
        if satellite is not None:
            chosen &= self.satellite == satellite
        return self.rows(chosen)

    def at(self, time_s: float) -> WindowTable:
        """Return the windows that are open at an instant.

        Parameters
        ----------
        time_s
            Seconds after the start of the time grid.

        Returns
        -------
        WindowTable
            In the same order.
        """
        return self.rows((self.aos_s <= time_s) & (time_s < self.los_s))


@dataclass(frozen=True, eq=False)
class LinkWindowTable(Columns):
    """When links are up: half-open intervals [up, down).

    Parameters
    ----------
    source, target
        Node indices of the two ends, shape (intervals,).
    up_s, down_s
        Seconds after the start of the time grid.
    clipped_start, clipped_end
        True where the interval is cut off by the span of time that was asked for.
    """

    source: Indices
    target: Indices
    up_s: Array
    down_s: Array
    clipped_start: Mask
    clipped_end: Mask

    @property
    def duration_s(self) -> Array:
        """Length of each interval."""
        return self.down_s - self.up_s

    def by_time(self) -> LinkWindowTable:
        """Return the intervals in the order of (up, source, target)."""
        return self.rows(np.lexsort((self.target, self.source, self.up_s)))

    def at(self, time_s: float) -> LinkWindowTable:
        """Return the links that are up at an instant.

        Parameters
        ----------
        time_s
            Seconds after the start of the time grid.

        Returns
        -------
        LinkWindowTable
            In the same order.
        """
        return self.rows((self.up_s <= time_s) & (time_s < self.down_s))
