"""Neighbours of one satellite after the other, for rules that are sequences by definition."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.topology.strategies.sky import Sky

Mask = NDArray[np.bool_]


class Neighbours:
    """Who each member of a sky sees, nearest first, found for many members at once.

    Parameters
    ----------
    sky
        Members, line of sight and limit.
    wanted
        Members that will be asked for, shape (members,). Others may be, one by one.
    count
        How many neighbours are looked up in advance.
    """

    def __init__(self, sky: Sky, wanted: Mask, count: int) -> None:
        self._sky = sky
        self._count = count
        member = np.flatnonzero(wanted)
        neighbour, number, complete = sky.nearest(member, count)
        self._known: dict[int, list[int]] = {
            one: row[:length]
            for one, row, length in zip(
                member.tolist(), neighbour.tolist(), number.tolist(), strict=True
            )
        }
        self._complete = set(member[complete].tolist())

    def known(self, member: int) -> list[int]:
        """Return the neighbours found so far, which are the nearest, by (length, index).

        Parameters
        ----------
        member
            Who looks.

        Returns
        -------
        list of int
            Not to be changed.
        """
        return self._known.get(member, [])

    def knows_all(self, member: int) -> bool:
        """Say whether there is nobody in sight beyond those found.

        Parameters
        ----------
        member
            Who looks.

        Returns
        -------
        bool
            True if :meth:`known` is everyone.
        """
        return member in self._complete

    def of(self, member: int) -> Iterator[int]:
        """Go through everyone in sight of a member within the limit.

        Parameters
        ----------
        member
            Who looks.

        Yields
        ------
        int
            Members by (length, index).
        """
        seen = 0
        count = self._count
        while True:
            known = self.known(member)
            yield from known[seen:]
            if self.knows_all(member):
                return
            seen, count = len(known), 4 * count
            neighbour, number, complete = self._sky.nearest(np.array([member]), count)
            self._known[member] = neighbour[0, : number[0]].tolist()
            if complete[0]:
                self._complete.add(member)
