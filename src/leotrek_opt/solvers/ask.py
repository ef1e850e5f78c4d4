"""What a user asks of a solve, checked once: plain data that may travel to another process."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from leotrek_opt.errors import InputError
from leotrek_opt.models.base import NS_PER_MS
from leotrek_opt.models.placement import PlacementSolution


@dataclass(frozen=True)
class Ask:
    """Everything that :func:`leotrek_opt.solve` is told beside the problem and the callbacks.

    Parameters
    ----------
    solver
        Name of a method.
    time_limit_s
        Seconds, None for no limit.
    gap
        Relative gap at which a method may stop, in [0, 1).
    absolute_gap
        Difference of objective and bound at which it may stop, in the unit of the objective (ms).
    seed, threads
        Whole numbers.
    warm_start
        A solution to start from, or None.
    verify
        Whether the answer is checked.
    certify
        Whether the proof is to be brought to ``certified``, or else to ``confirmed``.
    memory_limit_mib
        Memory of the process that solves; None for no limit.
    options
        Options of the method.

    Raises
    ------
    InputError
        If a value is out of range.
    """

    solver: str = "auto"
    time_limit_s: float | None = None
    gap: float = 0.0
    absolute_gap: float = 0.0
    seed: int = 0
    threads: int = 1
    warm_start: PlacementSolution | None = None
    verify: bool = True
    certify: bool = False
    memory_limit_mib: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        limit = self.time_limit_s
        if limit is not None and not (_is_number(limit) and math.isfinite(limit) and limit >= 0):
            raise InputError(f"must be a number >= 0, not {limit!r}", field="time_limit_s")
        if not (_is_number(self.gap) and 0 <= self.gap < 1):
            raise InputError(f"must be in [0, 1), not {self.gap!r}", field="gap")
        if not (_is_number(self.absolute_gap) and 0 <= self.absolute_gap < 1e9):
            raise InputError(
                f"must be in [0, 1e9), not {self.absolute_gap!r}", field="absolute_gap"
            )
        _require_whole("seed", self.seed, 0, 2**31 - 1)
        _require_whole("threads", self.threads, 1, 1024)
        if self.memory_limit_mib is not None:
            _require_whole("memory_limit_mib", self.memory_limit_mib, 1, 2**31 - 1)
        if self.certify and not self.verify:
            raise InputError("needs verify: nothing is certified unchecked", field="certify")

    @property
    def absolute_gap_ns(self) -> int:
        """``absolute_gap`` in whole ns."""
        return math.floor(self.absolute_gap * NS_PER_MS)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _require_whole(field: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"must be an integer in [{low}, {high}], not {value!r}", field=field)
