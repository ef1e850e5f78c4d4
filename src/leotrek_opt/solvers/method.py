"""What a method is given and what it answers; shared by all methods of all problems."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.solvers.status import Proof, Status

ProgressCallback = Callable[["Progress"], None]


@dataclass(frozen=True)
class Progress:
    """One event of a running solve.

    Parameters
    ----------
    seconds
        Since the solve began.
    method
        What is running.
    objective, bound
        Best known values in quanta, None while unknown.
    message
        What has just been done, for people.
    nodes
        Branch-and-bound nodes so far, 0 where there are none.
    """

    seconds: float
    method: str
    objective: int | None
    bound: int | None
    message: str = ""
    nodes: int = 0


class Budget:
    """Time limit and cancellation of one solve.

    Parameters
    ----------
    time_limit_s
        Seconds from now, None for no limit.
    cancel
        Set by the caller to stop early.
    """

    def __init__(
        self, time_limit_s: float | None = None, cancel: threading.Event | None = None
    ) -> None:
        self.started = time.monotonic()
        self.time_limit_s = time_limit_s
        self.cancel = cancel if cancel is not None else threading.Event()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the solve began."""
        return time.monotonic() - self.started

    @property
    def remaining_s(self) -> float | None:
        """Seconds left, at least 0; None without a limit."""
        return None if self.time_limit_s is None else max(0.0, self.time_limit_s - self.elapsed_s)

    @property
    def cancelled(self) -> bool:
        """Whether the caller asked to stop."""
        return self.cancel.is_set()

    @property
    def spent(self) -> bool:
        """Whether to stop now, for either reason."""
        return self.cancelled or self.remaining_s == 0.0

    def part(self, share_s: float) -> Budget:
        """Return a budget of at most ``share_s`` seconds of what is left, same cancellation.

        Parameters
        ----------
        share_s
            Seconds.

        Returns
        -------
        Budget
            Starts now.
        """
        remaining = self.remaining_s
        limit = share_s if remaining is None else min(share_s, remaining)
        return Budget(limit, self.cancel)


@dataclass
class Tracker:
    """Collects incumbents and bounds of one solve and passes them on.

    Parameters
    ----------
    budget
        Gives the clock.
    on_progress
        Called with every event, or None.
    on_assignment
        Called with objective and placement of every better solution whose placement is at hand, so
        that it survives whatever happens to this process; or None.
    """

    budget: Budget
    on_progress: ProgressCallback | None = None
    method: str = ""
    objective: int | None = None
    bound: int | None = None
    nodes: int = 0
    incumbents: list[tuple[float, int | None, int | None]] = field(default_factory=list)
    on_assignment: Callable[[int, NDArray[np.int64]], None] | None = None

    def report(
        self,
        *,
        objective: int | None = None,
        bound: int | None = None,
        message: str = "",
        nodes: int = 0,
        assignment: NDArray[np.int64] | None = None,
    ) -> None:
        """Record a value if it improves on the best one, and tell the caller.

        Parameters
        ----------
        objective
            Of a new placement, in quanta (minimisation).
        bound
            A valid lower bound, in quanta.
        message
            What has just been done.
        nodes
            Branch-and-bound nodes so far; 0 if there is nothing to say about them.
        assignment
            The placement that has the objective, if it is at hand.
        """
        better_objective = objective is not None and (
            self.objective is None or objective < self.objective
        )
        better_bound = bound is not None and (self.bound is None or bound > self.bound)
        more_nodes = nodes > self.nodes
        self.nodes = max(nodes, self.nodes)
        if better_objective:
            self.objective = objective
            if objective is not None and assignment is not None and self.on_assignment is not None:
                self.on_assignment(objective, assignment)
        if better_bound:
            self.bound = bound
        if better_objective or better_bound:
            self.incumbents.append((self.budget.elapsed_s, self.objective, self.bound))
        if self.on_progress is not None and (
            better_objective or better_bound or more_nodes or message
        ):
            self.on_progress(
                Progress(
                    self.budget.elapsed_s,
                    self.method,
                    self.objective,
                    self.bound,
                    message,
                    self.nodes,
                )
            )


@dataclass(frozen=True)
class Request:
    """What a method is asked.

    Parameters
    ----------
    budget
        Time limit and cancellation.
    tracker
        Where incumbents and bounds go.
    gap
        Relative gap at which it may stop.
    absolute_gap_ns
        Difference of objective and bound at which it may stop.
    seed, threads
        For reproducibility.
    warm_start
        Node by function, -1 where unknown; or None.
    options
        Method options, checked by the method.
    argument
        What follows the colon of the method's name, such as ``highs`` in ``milp:highs``.
    """

    budget: Budget
    tracker: Tracker
    gap: float = 0.0
    absolute_gap_ns: int = 0
    seed: int = 0
    threads: int = 1
    warm_start: NDArray[np.int64] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    argument: str = ""

    def is_close(self, objective: int, bound: int) -> bool:
        """Tell whether a bound is so close to an objective that the method may stop.

        Parameters
        ----------
        objective, bound
            In quanta.

        Returns
        -------
        bool
            Whether one of the two gaps is kept.
        """
        distance = objective - bound
        return distance <= self.gap * objective or distance <= self.absolute_gap_ns


@dataclass(frozen=True)
class Stage:
    """One step of a method, for the result.

    Parameters
    ----------
    name
        What ran.
    seconds
        How long.
    facts
        Counts and values worth knowing, such as surviving pairs.
    """

    name: str
    seconds: float
    facts: Mapping[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What a method answers, before verification.

    Parameters
    ----------
    status
        How it ended.
    assignment
        Node by function, -1 for functions that could not be placed; None without any.
    bound
        A valid lower bound in quanta, None if unknown.
    proof
        ``claimed`` with a bound, else ``none``; whether it is certified is for the checker.
    certificate
        Data from which the bound may be re-derived, or None.
    explanation
        Sentences: why infeasible, what could not be placed.
    stages
        What ran.
    solver
        Name of what ran, such as ``dp+milp:highs``.
    """

    status: Status
    assignment: NDArray[np.int64] | None = None
    bound: int | None = None
    proof: Proof = Proof.NONE
    certificate: Any = None
    explanation: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    solver: str = ""
