"""What changes when: rises and sets, links that come and go, and who is about to leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.continuum import Continuum
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.topology.contacts.arguments import span_s
from leotrek_opt.topology.contacts.links import LinkIntervals
from leotrek_opt.topology.contacts.pieces import join
from leotrek_opt.topology.contacts.table import Columns, LinkWindowTable, WindowTable
from leotrek_opt.topology.contacts.windows import contacts_of
from leotrek_opt.topology.state import TopologyState

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

Table = TypeVar("Table", WindowTable, LinkWindowTable, LinkIntervals)


class ChangeEvent(NamedTuple):
    """Something that changes at an instant.

    ``time_s`` counts from the start of the time grid. ``a`` and ``b`` are node indices: ground node
    and satellite of a rise or set, source and target of a link that goes up or down.
    """

    time_s: float
    kind: Literal["rise", "set", "up", "down"]
    a: int
    b: int


class LinkChanges(NamedTuple):
    """Links that a step has and the one before had not, and the other way round.

    Columns of source, target and kind (as in ``TopologyState.link_kind``), shape (3, links), in the
    order of (source, target, kind).
    """

    step: int
    time: datetime
    added: Indices
    removed: Indices


def change_events(table: WindowTable | LinkWindowTable | LinkIntervals) -> Iterator[ChangeEvent]:
    """List the changes of a table in the order of time.

    Parameters
    ----------
    table
        Of contact windows or of links.

    Yields
    ------
    ChangeEvent
        An interval that is cut off by the span of time does not change at the cut. At one instant
        what ends comes before what begins, as intervals are half open, then the smaller nodes.
    """
    a, b, start_s, end_s = _columns(table)
    begins, ends = np.flatnonzero(~table.clipped_start), np.flatnonzero(~table.clipped_end)
    names: tuple[Literal["rise", "up"], Literal["set", "down"]] = (
        ("rise", "set") if isinstance(table, WindowTable) else ("up", "down")
    )
    yield from _ordered(
        np.concatenate((start_s[begins], end_s[ends])),
        np.concatenate((np.ones(len(begins), dtype=bool), np.zeros(len(ends), dtype=bool))),
        np.concatenate((a[begins], a[ends])),
        np.concatenate((b[begins], b[ends])),
        names,
    )


def iter_contact_events(
    continuum: Continuum,
    *,
    ground: Sequence[int | str] | None = None,
    satellites: Sequence[int | str] | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    rule: GroundLinks | None = None,
    min_elevation_deg: float | None = None,
    max_range_km: float | None = None,
) -> Iterator[ChangeEvent]:
    """Stream rises and sets in the order of time, in memory that does not grow with the span.

    Parameters
    ----------
    continuum, ground, satellites, start_s, end_s, rule, min_elevation_deg, max_range_km
        As in :func:`leotrek_opt.topology.contacts.windows.contact_windows`.

    Yields
    ------
    ChangeEvent
        The same as :func:`change_events` of the whole table.
    """
    contacts = contacts_of(
        continuum,
        ground=ground,
        satellites=satellites,
        rule=rule,
        min_elevation_deg=min_elevation_deg,
        max_range_km=max_range_km,
    )
    begin, end = span_s(continuum.time, start_s, end_s)
    if not len(contacts.ground) or not len(contacts.satellites):
        return
    since, seen = begin, np.empty(0, dtype=np.int64)
    held: tuple[Array, Mask, Indices] = np.empty(0), np.empty(0, bool), np.empty(0, np.int64)
    for raw, until_s in contacts.pieces(begin, end):
        pieces = join(raw)
        at_start = pieces.open_start & (pieces.start_s == since)
        at_end = pieces.open_end & (pieces.end_s == until_s)
        before, going = pieces.pair[at_start], pieces.pair[at_end]
        # Where ground nodes move from step to step, a pair may appear or vanish at a border.
        appeared = np.setdiff1d(before, seen) if since > begin else np.empty(0, np.int64)
        vanished = np.setdiff1d(seen, before)
        rises = ~at_start
        sets = ~at_end
        time_s = np.concatenate(
            (
                held[0],
                np.full(len(appeared) + len(vanished), since),
                pieces.start_s[rises],
                pieces.end_s[sets],
            )
        )
        rising = np.concatenate(
            (
                held[1],
                np.arange(len(appeared) + len(vanished)) < len(appeared),
                np.arange(rises.sum() + sets.sum()) < rises.sum(),
            )
        )
        pair = np.concatenate((held[2], appeared, vanished, pieces.pair[rises], pieces.pair[sets]))
        # What happens at the border waits for what the next chunk has to say about it.
        ready = time_s < until_s if until_s < end else np.ones(len(time_s), dtype=bool)
        row, satellite = np.divmod(pair[ready], contacts.motion.satellites)
        yield from _ordered(
            time_s[ready], rising[ready], contacts.ground[row], satellite, ("rise", "set")
        )
        held = time_s[~ready], rising[~ready], pair[~ready]
        since, seen = until_s, going


def leaving_within(table: Table, time_s: float, horizon_s: float) -> Table:
    """Return what is in contact now and will not be for much longer.

    Parameters
    ----------
    table
        Of contact windows or of links.
    time_s
        Now, in seconds after the start of the time grid.
    horizon_s
        How far to look ahead.

    Returns
    -------
    Table
        Rows that are open at ``time_s`` and end no later than ``horizon_s`` after it, the first to
        leave first, then the smaller nodes. Rows that are cut off by the span do not end there.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the horizon is negative.
    """
    if not horizon_s >= 0:
        raise InputError(f"must be >= 0 seconds, got {horizon_s:g}", field="horizon_s")
    a, b, start_s, end_s = _columns(table)
    leaving = (start_s <= time_s) & (time_s < end_s) & (end_s <= time_s + horizon_s)
    row = np.flatnonzero(leaving & ~table.clipped_end)
    return table.rows(row[np.lexsort((b[row], a[row], end_s[row]))])


def link_changes(states: Iterable[TopologyState]) -> Iterator[LinkChanges]:
    """Compare the links of consecutive steps.

    Parameters
    ----------
    states
        A stream of steps, such as ``TopologyGenerator.states()``.

    Yields
    ------
    LinkChanges
        One per state. The first adds all of its links, so that a reader who starts from nothing is
        right throughout.
    """
    former = np.empty((3, 0), dtype=np.int64)
    for state in states:
        links = state.links
        now = np.stack((links.source, links.target, state.link_kind)).astype(np.int64)
        now = np.unique(now, axis=1)
        added, removed = _difference(former, now)
        yield LinkChanges(state.step, state.time, added, removed)
        former = now


def _difference(former: Indices, now: Indices) -> tuple[Indices, Indices]:
    """Columns of the second table that the first has not, and the other way round."""
    both = np.concatenate((former, now), axis=1)
    side = np.arange(both.shape[1]) >= former.shape[1]
    order = np.lexsort((both[2], both[1], both[0]))
    both, side = both[:, order], side[order]
    same = (both[:, 1:] == both[:, :-1]).all(axis=0)
    alone = ~(np.append(same, False) | np.append(False, same))
    return both[:, alone & side], both[:, alone & ~side]


def _columns(table: Columns) -> tuple[Indices, Indices, Array, Array]:
    if isinstance(table, WindowTable):
        return table.ground, table.satellite, table.aos_s, table.los_s
    if isinstance(table, LinkWindowTable | LinkIntervals):
        return table.source, table.target, table.up_s, table.down_s
    raise TypeError("change events need a table of windows or of links")


def _ordered(
    time_s: Array,
    begins: Mask,
    a: Indices,
    b: Indices,
    names: tuple[Literal["rise", "up"], Literal["set", "down"]],
) -> Iterator[ChangeEvent]:
    order = np.lexsort((b, a, begins, time_s))
    columns = (column[order].tolist() for column in (time_s, begins, a, b))
    for instant, beginning, one, other in zip(*columns, strict=True):
        yield ChangeEvent(instant, names[0] if beginning else names[1], one, other)
