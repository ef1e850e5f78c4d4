"""Intervals in which contacts are possible: cut out of sampled curves, and joined over chunks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.topology.contacts.arcs import Arcs, Criterion, Refine, crossings, sign_changes

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Pieces(NamedTuple):
    """Intervals [start, end) of pairs, one row each.

    ``open_start`` and ``open_end`` say that the interval begins or ends because the samples do.
    ``peak`` is the largest worth within the interval (the sine of the elevation, say) and
    ``peak_s`` the time of it, NaN where nothing was to be maximised.
    """

    pair: Indices
    start_s: Array
    end_s: Array
    open_start: Mask
    open_end: Mask
    peak: Array
    peak_s: Array

    def rows(self, chosen: Indices | Mask) -> Pieces:
        """Return some of the rows."""
        return Pieces._make(column[chosen] for column in self)


def no_pieces() -> Pieces:
    """Return an empty table."""
    return Pieces(
        np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0, bool), np.empty(0, bool),
        np.empty(0), np.empty(0),
    )  # fmt: skip


def stacked(tables: Sequence[Pieces]) -> Pieces:
    """Return the rows of several tables, one after the other."""
    return Pieces._make(np.concatenate(columns) for columns in zip(*tables, strict=True))


def cut_pieces(
    arcs: Arcs,
    pair: Indices,
    criteria: Sequence[Criterion],
    worth: Criterion | None,
    refine: Refine | None = None,
) -> Pieces:
    """Cut out the intervals in which all criteria hold.

    Parameters
    ----------
    arcs
        Sorted by pair, then time. Arcs of one pair that share samples belong together.
    pair
        Whose arc it is, shape (arcs,).
    criteria
        Each >= 0 while it allows a contact.
    worth
        What to maximise within each interval, or None.
    refine
        As for :func:`leotrek_opt.topology.contacts.arcs.crossings`.

    Returns
    -------
    Pieces
        Sorted by pair, then time.
    """
    if not len(arcs):
        return no_pieces()
    number = np.arange(len(arcs))
    holds0, holds1 = (
        np.stack(
            [
                criterion(arcs.position[:, side], arcs.velocity[:, side], number)[0] >= 0
                for criterion in criteria
            ]
        ).sum(axis=0, dtype=np.int8)
        for side in (arcs.left, arcs.left + 1)
    )
    found = [crossings(criterion, arcs, refine) for criterion in criteria]
    joined = (np.diff(arcs.left) == 1) & (np.diff(pair) == 0)
    first = number[np.concatenate(([True], ~joined))]
    last = number[np.concatenate((~joined, [True]))]
    arc = np.concatenate((first, *(crossing.arc for crossing in found), last))
    fraction = np.concatenate(
        (np.zeros(len(first)), *(crossing.fraction for crossing in found), np.ones(len(last)))
    )
    change = np.concatenate(
        (holds0[first], *(crossing.change for crossing in found), -holds1[last])
    )
    at_border = np.zeros(len(arc), dtype=np.int8)
    at_border[: len(first)], at_border[len(arc) - len(last) :] = -1, 1
    # Every run of arcs begins with what holds at its first sample and ends by taking away what
    # holds at its last, so one sum over all of them counts what holds in each. At one instant what
    # ends comes first: an interval is half open.
    order = np.lexsort((change, at_border, fraction, arc))
    after = np.cumsum(change[order], dtype=np.int64)
    before = after - change[order]
    full = len(criteria)
    opening, closing = (
        order[(after == full) & (before < full)],
        order[(after < full) & (before == full)],
    )
    start_s = arcs.instant_s(arc[opening], fraction[opening])
    end_s = arcs.instant_s(arc[closing], fraction[closing])
    lasting = end_s > start_s
    opening, closing = opening[lasting], closing[lasting]
    pieces = Pieces(
        pair=pair[arc[opening]],
        start_s=start_s[lasting],
        end_s=end_s[lasting],
        open_start=at_border[opening] == -1,
        open_end=at_border[closing] == 1,
        peak=np.full(len(opening), np.nan),
        peak_s=np.full(len(opening), np.nan),
    )
    if worth is None or not len(opening):
        return pieces
    seen = (holds0 == full) | (holds1 == full)
    seen[arc[opening]] = True
    peak, peak_s = _peaks(
        arcs,
        worth,
        np.flatnonzero(seen),
        (arc[opening], fraction[opening]),
        (arc[closing], fraction[closing]),
    )
    return pieces._replace(peak=peak, peak_s=peak_s)


def _peaks(
    arcs: Arcs,
    worth: Criterion,
    seen: Indices,
    start: tuple[Indices, Array],
    end: tuple[Indices, Array],
) -> tuple[Array, Array]:
    """Largest worth in each interval: at one of its ends, or where the worth stops growing."""

    def value(arc: Indices, fraction: Array) -> Array:
        return worth(*arcs.at(arc, fraction), arc)[0]

    def rate(arc: Indices, fraction: Array) -> Array:
        return worth(*arcs.at(arc, fraction), arc)[1]

    left = arcs.left[seen]
    rate0 = worth(arcs.position[:, left], arcs.velocity[:, left], seen)[1]
    rate1 = worth(arcs.position[:, left + 1], arcs.velocity[:, left + 1], seen)[1]
    top = (rate0 >= 0) & (rate1 < 0)
    arc = seen[top]
    fraction = sign_changes(
        rate, arcs, arc, np.zeros(len(arc)), np.ones(len(arc)), rate0[top], rate1[top]
    )
    place, opened, closed = arc + fraction, start[0] + start[1], end[0] + end[1]
    piece = np.searchsorted(opened, place, side="right") - 1
    inside = (piece >= 0) & (place <= closed[piece])
    number = np.arange(len(opened))
    piece = np.concatenate((number, number, piece[inside]))
    arc = np.concatenate((start[0], end[0], arc[inside]))
    fraction = np.concatenate((start[1], end[1], fraction[inside]))
    reached, when = value(arc, fraction), arcs.instant_s(arc, fraction)
    order = np.lexsort((when, -reached, piece))
    best = order[np.concatenate(([True], np.diff(piece[order]) > 0))]
    return reached[best], when[best]


class Joiner:
    """Joins what was cut by the borders of chunks, holding only what is still open."""

    def __init__(self) -> None:
        self._open = no_pieces()

    def add(self, pieces: Pieces, until_s: float) -> Pieces:
        """Take the pieces of the next chunk.

        Parameters
        ----------
        pieces
            In any order.
        until_s
            Where the chunk ends; intervals open there are kept for the next one.

        Returns
        -------
        Pieces
            Whole intervals, sorted by pair, then start.
        """
        joined = join(stacked((self._open, pieces)))
        going = joined.open_end & (joined.end_s == until_s)
        self._open = joined.rows(going)
        return joined.rows(~going)

    def rest(self) -> Pieces:
        """Return what is still open, now cut off."""
        rest, self._open = self._open, no_pieces()
        return rest


def join(pieces: Pieces) -> Pieces:
    """Make one interval of those of a pair that meet where samples ended.

    Parameters
    ----------
    pieces
        In any order.

    Returns
    -------
    Pieces
        Sorted by pair, then start.
    """
    if not len(pieces.pair):
        return pieces
    pieces = pieces.rows(np.lexsort((pieces.start_s, pieces.pair)))
    # Two satellites of a link that are lost at one instant both report what they had together.
    again = (np.diff(pieces.pair) == 0) & (np.diff(pieces.start_s) == 0)
    pieces = pieces.rows(np.concatenate(([True], ~again)))
    meets = (
        (pieces.pair[1:] == pieces.pair[:-1])
        & pieces.open_end[:-1]
        & pieces.open_start[1:]
        & (pieces.start_s[1:] == pieces.end_s[:-1])
    )
    if not meets.any():
        return pieces
    first = np.flatnonzero(np.concatenate(([True], ~meets)))
    last = np.append(first[1:], len(pieces.pair)) - 1
    group = np.repeat(np.arange(len(first)), last - first + 1)
    order = np.lexsort((pieces.peak_s, -pieces.peak, group))
    best = order[first]
    return Pieces(
        pair=pieces.pair[first],
        start_s=pieces.start_s[first],
        end_s=pieces.end_s[last],
        open_start=pieces.open_start[first],
        open_end=pieces.open_end[last],
        peak=pieces.peak[best],
        peak_s=pieces.peak_s[best],
    )
