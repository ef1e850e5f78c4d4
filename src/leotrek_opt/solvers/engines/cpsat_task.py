"""One model, how CP-SAT is to run it, and what it found so far, in CP-SAT's integers and ours.

CP-SAT minimises ``cost' X`` of :class:`.cpsat_integers.WholeModel`; its values of that are called
inner here, the model's own objective outer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from leotrek_opt.solvers.engines.answers import FloatArray
from leotrek_opt.solvers.engines.cpsat_integers import WholeModel
from leotrek_opt.solvers.engines.cpsat_options import CpSatOptions
from leotrek_opt.solvers.engines.cpsat_run import solution_of
from leotrek_opt.solvers.engines.protocol import Limits, Termination
from leotrek_opt.solvers.engines.runs import deadline_of
from leotrek_opt.solvers.linear import ColumnKind, ModelArrays

_NOISE = Fraction(1, 10**9)
"""What a cutoff or target in floats may be off, in steps of the objective."""
_EXACT_FLOAT = 2.0**53


@dataclass(frozen=True, eq=False)
class Task:
    """One model and how to run it.

    Attributes
    ----------
    arrays, whole
        The model, and the same in integers.
    limits, options
        As the caller gave them.
    started
        When the call began, on the clock of ``time.monotonic``.
    start
        A feasible point, or None.
    """

    arrays: ModelArrays
    whole: WholeModel
    limits: Limits
    options: CpSatOptions
    started: float
    start: FloatArray | None

    @property
    def deadline(self) -> float | None:
        """When the run shall end, on the same clock, or None."""
        return deadline_of(self.limits, self.started)

    @property
    def is_restricted(self) -> bool:
        """Whether columns that are continuous in the model take steps here."""
        return bool(np.any(self.arrays.kind == ColumnKind.CONTINUOUS))

    @property
    def most(self) -> int | None:
        """Largest inner objective below the cutoff, or None without one."""
        cutoff = self.limits.cutoff
        return None if cutoff is None else math.ceil(self._inner(cutoff) - _NOISE) - 1

    @property
    def goal(self) -> int | None:
        """Largest inner objective that reaches the target, or None without one."""
        target = self.limits.target
        return None if target is None else math.floor(self._inner(target) + _NOISE)

    def outer(self, inner: int) -> float:
        """Return the model's objective for an inner one.

        Parameters
        ----------
        inner
            CP-SAT's value.

        Returns
        -------
        float
            An int if it is whole.
        """
        value = self.arrays.offset + self.arrays.sign * self.whole.unit * inner
        return value.numerator if value.denominator == 1 else float(value)

    def is_close(self, objective: int, bound: int) -> bool:
        """Tell whether the caller's gaps let the run end.

        Parameters
        ----------
        objective, bound
            Inner values.

        Returns
        -------
        bool
            Whether one of the gaps is reached.
        """
        limits, gap = self.limits, self.whole.unit * (objective - bound)
        return (limits.absolute_gap is not None and gap <= limits.absolute_gap) or (
            limits.relative_gap > 0 and gap <= limits.relative_gap * abs(self.outer(objective))
        )

    def inner_objective(self, response: Any) -> int:
        """Return the inner objective of a response's solution, exactly.

        Parameters
        ----------
        response
            A response of CP-SAT with a solution.

        Returns
        -------
        int
            The value.
        """
        value = float(response.objective_value)
        if abs(value) < _EXACT_FLOAT:
            return round(value)
        return int(self.whole.cost @ solution_of(response))

    def _inner(self, outer: float) -> Fraction:
        return self.arrays.sign * (Fraction(outer) - self.arrays.offset) / self.whole.unit


@dataclass(frozen=True, eq=False)
class Progress:
    """A better solution, or without a response a better bound or a sign of life.

    Attributes
    ----------
    response
        CP-SAT's response that holds the solution, or None.
    objective, bound
        Best inner values so far, or None.
    branches
        So far.
    """

    response: Any
    objective: int | None
    bound: int | None
    branches: int


class Seen:
    """Hears what CP-SAT finds, keeps and passes on the best of it, and knows when it is enough.

    Parameters
    ----------
    task
        What is being run.
    """

    def __init__(self, task: Task) -> None:
        self._task, self._most, self._goal = task, task.most, task.goal
        self.post: Callable[[Progress], None] = lambda _: None
        self.response: Any = None
        self.objective: int | None = None
        self.bound: int | None = None
        self.branches = 0
        self.solutions = 0
        self.ended_by: Termination | None = None

    def on_solution(self, response: Any, branches: int) -> bool:
        """Take a better solution; see :class:`.cpsat_run.Listener`."""
        self.response, self.branches = response, max(branches, self.branches)
        self.objective = self._task.inner_objective(response)
        self.solutions += 1
        self.post(Progress(response, self.objective, self.bound, self.branches))
        return self._is_enough()

    def on_bound(self, bound: float) -> bool:
        """Take a better bound; see :class:`.cpsat_run.Listener`."""
        found = _integer_bound(bound)
        if found is None or (self.bound is not None and found <= self.bound):
            return False
        # CP-SAT does not look beyond the cutoff.
        self.bound = found if self._most is None else min(found, self._most + 1)
        self.on_sign_of_life()
        return self._is_enough()

    def on_sign_of_life(self) -> None:
        """Pass on what is known; see :class:`.cpsat_run.Listener`."""
        self.post(Progress(None, self.objective, self.bound, self.branches))

    def _is_enough(self) -> bool:
        if self.objective is None:
            return False
        if self._goal is not None and self.objective <= self._goal:
            self.ended_by = Termination.TARGET
        elif self.bound is not None and self._task.is_close(self.objective, self.bound):
            self.ended_by = Termination.GAP
        return self.ended_by is not None


def _integer_bound(bound: float) -> int | None:
    """Return an integer that is a bound as well, although a large float may have been rounded."""
    if abs(bound) < _EXACT_FLOAT:
        return math.ceil(bound - 1e-6)
    if not math.isfinite(bound):
        return None
    return int(bound) - (int(abs(bound)) >> 52)
