"""How much longer a ground node will see a satellite, asked step by step."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.continuum import Continuum
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.topology.contacts.pieces import Pieces, join, stacked
from leotrek_opt.topology.contacts.windows import Contacts, contacts_of
from leotrek_opt.topology.ground import RemainingS

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

HORIZON_S = 21_600.0
"""Contacts that last longer than this count as equally long."""

_BLOCK_S = 900.0
_MAX_BLOCKS = 8
_TOLERANCE_S = 0.01
"""A pair is asked for while it is seen; interpolation may let it rise this much later."""


class RemainingContact:
    """Times until set, computed ahead in blocks of time and kept for the steps that follow.

    Blocks begin at whole multiples of their length, so that an answer does not depend on what was
    asked before.

    Parameters
    ----------
    contacts
        Ground nodes, satellites and what is seen.
    horizon_s
        Longer contacts count as this long.
    """

    def __init__(self, contacts: Contacts, horizon_s: float = HORIZON_S) -> None:
        self._contacts = contacts
        self._horizon_s = horizon_s
        step = contacts.motion.step_s
        self._block_s = step * max(1, round(_BLOCK_S / step))
        self._blocks: OrderedDict[int, _Block] = OrderedDict()
        self._far = _FarSets()
        # Threads that are at different steps share what was found.
        self._lock = threading.Lock()

    def at(self, time_s: float) -> RemainingS:
        """Return the answers at an instant.

        Parameters
        ----------
        time_s
            Seconds after the start of the time grid.

        Returns
        -------
        callable
            Of rows of the ground nodes (0 is the first one) and satellite indices, shape (n,), to
            seconds until set, shape (n,): 0 for a pair that is not in contact.
        """

        def remaining_s(ground: Indices, satellite: Indices) -> Array:
            pair = np.asarray(ground) * self._contacts.motion.satellites + np.asarray(satellite)
            wanted, place = np.unique(pair, return_inverse=True)
            with self._lock:
                left = self._set_s(wanted, time_s) - time_s
            return np.clip(left, 0.0, self._horizon_s)[place]

        return remaining_s

    def at_step(self, step: int) -> RemainingS:
        """Return the answers at a step of the time grid.

        Parameters
        ----------
        step
            Index of the snapshot.

        Returns
        -------
        callable
            As of :meth:`at`.
        """
        return self.at(self._contacts.continuum.time.offset_s(step))

    def _set_s(self, pair: Indices, time_s: float) -> Array:
        number = math.floor(time_s / self._block_s)
        set_s, open_ = self._block(number).set_s(pair, time_s)
        if open_.any():
            # Most passes that outlast a block end in the next one.
            number += 1
            going = np.flatnonzero(open_)
            set_s[going], still = self._block(number).set_s(pair[going], number * self._block_s)
            far = going[still]
            if len(far):
                set_s[far] = self._far_set_s(pair[far], number + 1, time_s)
        return set_s

    def _block(self, number: int) -> _Block:
        if number not in self._blocks:
            self._blocks[number] = self._sorted(self._cut(self._contacts, number), number)
            if len(self._blocks) > _MAX_BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(number)
        return self._blocks[number]

    def _cut(self, contacts: Contacts, number: int) -> Pieces:
        begin, end = number * self._block_s, (number + 1) * self._block_s
        return join(stacked([pieces for pieces, _ in contacts.pieces(begin, end)]))

    def _sorted(self, pieces: Pieces, number: int) -> _Block:
        return _Block(pieces, number * self._block_s, (number + 1) * self._block_s)

    def _far_set_s(self, pair: Indices, number: int, time_s: float) -> Array:
        """Follow the few pairs that stay in contact for long, and them alone."""
        last = math.ceil((time_s + self._horizon_s) / self._block_s)
        set_s, searched = self._far.known(pair, number, number * self._block_s)
        while True:
            open_ = np.isinf(set_s) & (searched < last)
            if not open_.any():
                return np.where(np.isinf(set_s), time_s + self._horizon_s, set_s)
            block = int(searched[open_].min())
            going = np.flatnonzero(open_ & (searched == block))
            found = self._subset_block(pair[going], block)
            end, still = found.set_s(pair[going], block * self._block_s)
            set_s[going] = np.where(still, np.inf, end)
            searched[going] = block + 1
            self._far.learn(pair[going], set_s[going], block + 1)

    def _subset_block(self, pair: Indices, number: int) -> _Block:
        row, satellite = np.divmod(pair, self._contacts.motion.satellites)
        rows, satellites = np.unique(row), np.unique(satellite)
        few = replace(self._contacts, ground=self._contacts.ground[rows], satellites=satellites)
        pieces = self._cut(few, number)
        few_row, satellite = np.divmod(pieces.pair, self._contacts.motion.satellites)
        whole = rows[few_row] * self._contacts.motion.satellites + satellite
        return self._sorted(pieces._replace(pair=whole), number)


class _Block:
    """Contacts of one block of time, sorted so that the one of a pair and an instant is found."""

    def __init__(self, pieces: Pieces, begin_s: float, end_s: float) -> None:
        self._pieces = pieces
        self._begin_s, self._end_s = begin_s, end_s
        self._width = 2.0 ** math.ceil(math.log2(end_s - begin_s + 1))
        self._key = pieces.pair * self._width + (pieces.start_s - begin_s)

    def set_s(self, pair: Indices, time_s: float) -> tuple[Array, NDArray[np.bool_]]:
        """Return when contacts end that hold at an instant, and which go on after the block.

        A pair without contact ends at once.
        """
        if not len(self._key):
            return np.full(len(pair), time_s), np.zeros(len(pair), dtype=bool)
        sought = pair * self._width + (time_s - self._begin_s + _TOLERANCE_S)
        row = np.maximum(np.searchsorted(self._key, sought, side="right") - 1, 0)
        pieces = self._pieces.rows(row)
        holds = (pieces.pair == pair) & (pieces.start_s <= time_s + _TOLERANCE_S)
        holds &= pieces.end_s > time_s
        open_ = holds & pieces.open_end & (pieces.end_s == self._end_s)
        return np.where(holds, pieces.end_s, time_s), open_


class _FarSets:
    """What was found about contacts that last for many blocks."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[int, float, int]] = {}

    def known(self, pair: Indices, number: int, begin_s: float) -> tuple[Array, Indices]:
        """Return when contacts end that hold when a block begins, and with which block to go on.

        The end is inf where no block so far had it.
        """
        set_s, searched = np.full(len(pair), np.inf), np.full(len(pair), number)
        for place, key in enumerate(pair.tolist()):
            since, end_s, until = self._found.get(key, (0, 0.0, -1))
            if since <= number <= until and end_s > begin_s:
                set_s[place], searched[place] = end_s, until
            else:
                self._found.pop(key, None)
        return set_s, searched

    def learn(self, pair: Indices, set_s: Array, until: int) -> None:
        """Keep what a block said about pairs that are in contact when it begins."""
        for key, end_s in zip(pair.tolist(), set_s.tolist(), strict=True):
            since = self._found.get(key, (until - 1, 0.0, 0))[0]
            self._found[key] = (since, end_s, until)


def remaining_contact(
    continuum: Continuum, *, rule: GroundLinks | None = None, horizon_s: float = HORIZON_S
) -> RemainingContact:
    """Prepare to say how much longer ground nodes will see satellites.

    Parameters
    ----------
    continuum
        With a generated topology.
    rule
        What is seen; None for the topology's own rule.
    horizon_s
        Longer contacts count as this long.

    Returns
    -------
    RemainingContact
        ``remaining_contact(continuum).at_step(step)`` is what the strategy ``longest_contact``
        asks. Rows of ground nodes are those of all ground nodes of the continuum, in their order.

    Raises
    ------
    leotrek_opt.errors.UnsupportedError
        If the topology is explicit.
    """
    return RemainingContact(contacts_of(continuum, rule=rule), horizon_s)
