"""Which ground links the step before had, for rules that hold on to them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Held = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Places and satellites that are linked."""

_CHECKPOINT_EVERY = 64
_MAX_RECENT = 16


class GroundHistory:
    """Ground links of earlier steps, chosen anew from the first step on where they are not known.

    What a step chooses depends on all steps before it, and on nothing else: asking for steps in
    another order, or for one alone, gives what streaming gives.

    Parameters
    ----------
    choose
        Links of a step, given those of the step before (None at step 0).
    """

    def __init__(self, choose: Callable[[int, Held | None], Held]) -> None:
        self._choose = choose
        self._checkpoints: dict[int, Held] = {}
        self._recent: dict[int, Held] = {}

    def before(self, step: int) -> Held | None:
        """Return the links of the step before.

        Parameters
        ----------
        step
            Index of the snapshot.

        Returns
        -------
        Held or None
            None at step 0.
        """
        # Copied, since other threads may ask for other steps meanwhile.
        known = self._checkpoints.copy() | self._recent.copy()
        at = max((key for key in known if key < step), default=-1)
        held = known.get(at)
        for earlier in range(at + 1, step):
            held = self._choose(earlier, held)
            self.record(earlier, held)
        return held

    def record(self, step: int, held: Held) -> None:
        """Keep the links of a step: the last few, and one step in 64.

        Parameters
        ----------
        step
            Index of the snapshot.
        held
            Its links.
        """
        if step % _CHECKPOINT_EVERY == 0:
            self._checkpoints[step] = held
        self._recent[step] = held
        for key in list(self._recent)[:-_MAX_RECENT]:
            self._recent.pop(key, None)
