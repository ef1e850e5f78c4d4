"""Which satellite a ground node should use when, so that it changes as seldom as possible."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.topology.contacts.table import Columns, WindowTable

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Schedule(Columns):
    """Which satellite one ground node uses in which interval [start, end), in order of time.

    Between two rows that do not meet no satellite is in sight.
    """

    satellite: Indices
    start_s: Array
    end_s: Array

    @property
    def handovers(self) -> int:
        """Number of changes from one satellite straight to another."""
        return int((self.start_s[1:] == self.end_s[:-1]).sum())

    @property
    def connected_s(self) -> float:
        """Seconds with a satellite."""
        return float((self.end_s - self.start_s).sum())


def fewest_handovers(
    windows: WindowTable,
    *,
    ground: int | None = None,
    start_s: float | None = None,
    end_s: float | None = None,
) -> Schedule:
    """Plan the satellites of one ground node with the fewest changes.

    Parameters
    ----------
    windows
        Contact windows, in any order.
    ground
        Node index; may be left out if the table has one ground node only.
    start_s, end_s
        Span to plan; that of the windows by default.

    Returns
    -------
    Schedule
        Connected whenever a satellite is in sight, and of all such schedules one with the fewest
        rows.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the table has several ground nodes and none is named.

    Notes
    -----
    Whenever the current contact ends, the satellite that stays longest is taken (the smaller index
    among equals). This greedy cover of a line by intervals is optimal: by induction no schedule
    with as many rows reaches farther.
    """
    if ground is not None:
        windows = windows.of(ground=ground)
    elif len(np.unique(windows.ground)) > 1:
        raise InputError("windows are of several ground nodes: name one", field="ground")
    begin = -np.inf if start_s is None else start_s
    stop = np.inf if end_s is None else end_s
    order = np.lexsort((windows.satellite, -windows.los_s, windows.aos_s))
    aos, los = windows.aos_s[order], np.minimum(windows.los_s[order], stop)
    satellite = windows.satellite[order]
    best = _best_so_far(los, satellite)
    rows: list[tuple[int, float, float]] = []
    now = max(begin, float(aos[0])) if len(aos) else stop
    while now < stop:
        risen = int(np.searchsorted(aos, now, side="right"))
        choice = int(best[risen - 1]) if risen else -1
        if choice >= 0 and los[choice] > now:
            rows.append((int(satellite[choice]), now, float(los[choice])))
            now = float(los[choice])
        elif risen < len(aos):
            now = float(aos[risen])
        else:
            break
    column = list(zip(*rows, strict=True)) or [(), (), ()]
    return Schedule(
        np.array(column[0], dtype=np.int64), np.array(column[1], float), np.array(column[2], float)
    )


def _best_so_far(los: Array, satellite: Indices) -> Indices:
    """Row of the latest end among each row and those before, the smaller satellite among equals."""
    best = np.empty(len(los), dtype=np.int64)
    held = -1
    for row, (end, index) in enumerate(zip(los.tolist(), satellite.tolist(), strict=True)):
        if held < 0 or (end, -index) > (los[held], -satellite[held]):
            held = row
        best[row] = held
    return best
