"""One run of a native solver as every engine goes about it: guarded, watched, and never waited for.

Numbers are of the objective as it is minimised, without offset, unless they are said to be the
model's own.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from leotrek_opt.solvers.engines.answers import Claim, objective_at, settled_bound, snapped
from leotrek_opt.solvers.engines.native_call import SIGN_OF_LIFE_S, call_native
from leotrek_opt.solvers.engines.protocol import (
    EngineEvent,
    EventCallback,
    FloatArray,
    Limits,
    Termination,
)
from leotrek_opt.solvers.linear_arrays import ModelArrays

Message = TypeVar("Message")

LEFT_BEHIND = "left behind in a native call"
"""What a result says of a run that did not end when it was asked to."""


@dataclass(frozen=True)
class Progress:
    """A better solution, or without values a better bound or a sign of life."""

    values: FloatArray | None
    objective: float | None
    bound: float | None
    nodes: int


@dataclass
class Seen:
    """The best that the callbacks of a run saw, kept in case that it ends without an answer.

    Attributes
    ----------
    values, objective, bound
        Best solution and bound so far, or None.
    nodes, solutions
        Counts so far.
    failure
        What a callback raised; it must not travel through native frames.
    """

    values: FloatArray | None = None
    objective: float | None = None
    bound: float | None = None
    nodes: int = 0
    solutions: int = 0
    failure: BaseException | None = None
    _told: float = -math.inf

    def solution(self, values: FloatArray, objective: float) -> Progress:
        """Take a better solution; return what there is to tell."""
        self.values, self.objective = values, objective
        self.solutions += 1
        return self._progress(values)

    def sign_of_life(self, bound: float, nodes: int) -> Progress | None:
        """Take a bound, which may be infinite; return what there is to tell, now and then."""
        self.nodes = max(self.nodes, nodes)
        is_better = math.isfinite(bound) and (self.bound is None or bound > self.bound)
        if is_better:
            self.bound = bound
        due = time.monotonic() >= self._told + SIGN_OF_LIFE_S
        return self._progress(None) if is_better or due else None

    def claim(self, message: str) -> Claim:
        """Return what is known of a run that was stopped, with a message for the result."""
        return Claim(
            Termination.CANCELLED,
            values=self.values,
            objective=self.objective,
            bound=self.bound,
            nodes=self.nodes,
            solutions=self.solutions,
            message=message,
        )

    def _progress(self, values: FloatArray | None) -> Progress:
        self._told = time.monotonic()
        return Progress(values, self.objective, self.bound, self.nodes)


def deadline_of(limits: Limits, started: float) -> float | None:
    """Return the moment on the clock of ``time.monotonic`` when time is up, None for never."""
    limit_s = limits.time_limit_s
    return None if limit_s is None or math.isinf(limit_s) else started + limit_s


def claim_of_run(
    work: Callable[[Callable[[Message], None]], Claim],
    deliver: Callable[[Message], None],
    left_behind: Callable[[], Claim],
    *,
    stop: threading.Event,
    cancel: threading.Event | None,
    deadline: float | None,
) -> Claim:
    """Run on a thread of its own until there is a claim, or the caller has waited long enough.

    Parameters
    ----------
    work
        The run; it is given a function that posts messages.
    deliver
        Takes each message on the calling thread.
    left_behind
        Tells what was seen of a run that did not end in time.
    stop
        Interrupts the run.
    cancel, deadline
        When the caller wants the answer.

    Returns
    -------
    Claim
        Its termination tells a cancel from a deadline.
    """

    def run() -> Claim:
        claim = call_native(work, deliver, stop=stop, cancel=cancel, deadline=deadline)
        return left_behind() if claim is None else claim

    return in_time(run, cancel=cancel, deadline=deadline)


def in_time(
    run: Callable[[], Claim], *, cancel: threading.Event | None, deadline: float | None
) -> Claim:
    """Run if there is time, and tell a run that was cancelled from one whose time was up.

    Parameters
    ----------
    run
        Calls itself cancelled in either case.
    cancel, deadline
        When the caller wants the answer.

    Returns
    -------
    Claim
        Of the run, or that it did not begin.
    """
    if cancel is not None and cancel.is_set():
        return Claim(Termination.CANCELLED, message="cancelled before the start")
    if deadline is not None and time.monotonic() >= deadline:
        return Claim(Termination.TIME_LIMIT, message="no time left to start")
    claim = run()
    if claim.termination is Termination.CANCELLED and not (cancel and cancel.is_set()):
        claim = replace(claim, termination=Termination.TIME_LIMIT)
    return claim


def delivery(
    arrays: ModelArrays,
    engine: str,
    on_event: EventCallback | None,
    *,
    step: int | None,
    cutoff: float | None = None,
) -> Callable[[Progress], None]:
    """Return a function that tells a caller about progress in the model's own numbers.

    Parameters
    ----------
    arrays
        The model.
    engine
        Name of the engine, for errors.
    on_event
        What the caller wants to be called, or None.
    step
        What the objective moves in, or None.
    cutoff
        Objective of the model from which on the engine does not look, or None.

    Returns
    -------
    callable
        Takes a :class:`Progress`.
    """

    def deliver(progress: Progress) -> None:
        if on_event is None:
            return
        bound, objective, values = progress.bound, progress.objective, progress.values
        if bound is not None:
            if cutoff is not None:
                bound = min(bound, inner_value(arrays, cutoff))
            bound = settled_bound(arrays, bound, step)
        if values is not None:
            values = snapped(arrays, values, engine)
            objective = objective_at(arrays, values)
        elif objective is not None:
            objective = arrays.offset + arrays.sign * objective
        on_event(EngineEvent(objective, bound, progress.nodes, values))

    return deliver


def inner_value(arrays: ModelArrays, objective: float) -> float:
    """Turn an objective of the model into one that is minimised and has no offset."""
    return float(arrays.sign * (objective - arrays.offset))


def relative_offset(arrays: ModelArrays, limits: Limits) -> float:
    """Return the offset to hand over: only a relative gap depends on it, so else it stays out."""
    return 0.0 if limits.relative_gap == 0 else float(arrays.sign * arrays.offset)


def cutoff_inside(arrays: ModelArrays, cutoff: float) -> float:
    """Return a cutoff between it and the next better value, so that rounding decides nothing.

    Parameters
    ----------
    arrays
        The model.
    cutoff
        Objective of the model; only better ones are wanted.

    Returns
    -------
    float
        Minimised, without offset.
    """
    inner, step = inner_value(arrays, cutoff), arrays.objective_step
    return inner if step is None else (math.ceil(inner / step - 1e-9) - 0.5) * step


def target_inside(arrays: ModelArrays, target: float) -> float:
    """Return a target just beyond it, so that rounding decides nothing.

    Parameters
    ----------
    arrays
        The model.
    target
        Objective of the model; one as good ends the run.

    Returns
    -------
    float
        Minimised, without offset.
    """
    inner, step = inner_value(arrays, target), arrays.objective_step
    if step is None:
        return inner + 1e-9 * max(1.0, abs(inner))
    return (math.floor(inner / step + 1e-9) + 0.5) * step


def decided(claim: Claim, start: FloatArray | None, feasibility: Callable[[], Claim]) -> Claim:
    """Tell unbounded from infeasible: by a start, or by a run without costs.

    Parameters
    ----------
    claim
        That one of them holds.
    start
        A feasible point, or None.
    feasibility
        Runs the model without costs.

    Returns
    -------
    Claim
        That one of them holds, or that time was up.
    """
    if start is None:
        found = feasibility()
        if found.values is None:
            return replace(found, unbounded=False, message=claim.message)
    return replace(claim, infeasible=False)
