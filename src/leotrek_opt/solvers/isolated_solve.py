"""A whole solve in a process of its own; what it had found before a crash or a kill is the answer.

The parent makes the problem ready, the child runs the methods and checks their answer. Every better
placement, the answer before it is checked, and the result before its proof is strengthened come up
to the parent as soon as they are there. If the child then fails, the parent checks the latest of
these itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.solvers.ask import Ask
from leotrek_opt.solvers.isolation import (
    Ending,
    IsolatedCall,
    IsolatedOutcome,
    KillReason,
    Notice,
)
from leotrek_opt.solvers.isolation_child import named
from leotrek_opt.solvers.judge import in_ms, judge
from leotrek_opt.solvers.method import Answer, Progress, ProgressCallback
from leotrek_opt.solvers.prepared import Prepared, prepare
from leotrek_opt.solvers.registry import find_method
from leotrek_opt.solvers.result import Incumbent, Result, StageReport
from leotrek_opt.solvers.status import Proof, Status

RUNNER = "leotrek_opt.solvers.run:run"
"""What the child calls to solve a prepared problem."""

_LOGGER = logging.getLogger("leotrek_opt")

_STATUSES = {
    None: Status.ERROR,
    KillReason.TIME_LIMIT: Status.NO_SOLUTION,
    KillReason.MEMORY_LIMIT: Status.NO_SOLUTION,
    KillReason.CANCELLED: Status.INTERRUPTED,
}
"""Of a run that ended without an answer; the checker makes ``feasible`` of the second and third if
there is a placement that keeps every rule."""


@dataclass(frozen=True)
class _Request:
    """What the child is asked."""

    prepared: Prepared
    ask: Ask
    started: float
    runner: str


@dataclass(frozen=True)
class _Placement:
    """A better placement that a method has shown."""

    objective: int
    assignment: NDArray[np.int64]


def solve_isolated(
    problem: PlacementProblem,
    ask: Ask,
    *,
    on_progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> Result:
    """Solve a problem in a child process and check the answer.

    Parameters
    ----------
    problem
        What to solve.
    ask
        What is wanted. The time limit includes the start of the child, not the building of the
        problem or the check of the answer; the memory limit is one of the child as a whole.
    on_progress
        Called with every event, or None.
    cancel
        Set it to stop early, or None.

    Returns
    -------
    Result
        That of the child. If it crashed, an error with the best placement that it had shown; if it
        had to be killed, that placement as ``feasible`` or ``interrupted``. The explanation then
        says what happened.

    Raises
    ------
    LeotrekError
        Whatever the method raises.
    """
    seen = _Seen(on_progress)
    # The child imports its libraries while this process makes the problem ready.
    with IsolatedCall(f"{__name__}:solve_in_child") as call:
        prepared = prepare(problem)
        started = time.monotonic()
        outcome = call.run(
            _Request(prepared, ask, started, RUNNER),
            on_event=seen.take,
            cancel=cancel,
            time_limit_s=ask.time_limit_s,
            memory_limit_mib=ask.memory_limit_mib,
        )
    if outcome.ending is Ending.RETURNED:
        result: Result = outcome.value
        return result
    result = _rescued(prepared, ask, outcome, seen, time.monotonic() - started)
    _LOGGER.info("%s; %s", outcome.message, result.summary())
    return result


def solve_in_child(
    request: _Request, post: Callable[[object], None], cancel: threading.Event
) -> Result:
    """Solve, in the child.

    Parameters
    ----------
    request
        What to solve.
    post
        Takes events, placements, the answer and the result, each as soon as it is known.
    cancel
        Set to stop.

    Returns
    -------
    Result
        With times that count from the start of the child.
    """
    late_s = time.monotonic() - request.started
    ask = request.ask
    if ask.time_limit_s is not None:
        ask = replace(ask, time_limit_s=max(0.0, ask.time_limit_s - late_s))

    def on_step(step: Answer | Result) -> None:
        is_checked = isinstance(step, Result)
        post(_later(step, late_s) if isinstance(step, Result) else step)
        # A check takes as long as it takes, whether in this process or in another one.
        post(Notice.TIMED if is_checked else Notice.UNTIMED)

    result: Result = named(request.runner)(
        request.prepared,
        ask,
        on_progress=lambda event: post(replace(event, seconds=event.seconds + late_s)),
        cancel=cancel,
        on_assignment=lambda objective, assignment: post(_Placement(objective, assignment.copy())),
        on_step=on_step,
    )
    return _later(result, late_s)


def _later(result: Result, seconds: float) -> Result:
    return result.replace(
        solve_s=result.solve_s + seconds,
        incumbents=tuple(
            incumbent.replace(seconds=incumbent.seconds + seconds)
            for incumbent in result.incumbents
        ),
    )


class _Seen:
    """What a child has told so far."""

    def __init__(self, on_progress: ProgressCallback | None) -> None:
        self.placement: _Placement | None = None
        self.answer: Answer | None = None
        self.result: Result | None = None
        self.bound: int | None = None
        self.method: str | None = None
        self.incumbents: list[Incumbent] = []
        self._on_progress = on_progress

    def take(self, event: _Placement | Answer | Result | Progress) -> None:
        if isinstance(event, _Placement):
            self.placement = event
        elif isinstance(event, Answer):
            self.answer = event
        elif isinstance(event, Result):
            self.result = event
        else:
            self._take_progress(event)

    def _take_progress(self, event: Progress) -> None:
        self.bound, self.method = event.bound, event.method
        values = in_ms(event.objective), in_ms(event.bound)
        last = self.incumbents[-1] if self.incumbents else None
        if values != (last and last.objective, last and last.bound):
            self.incumbents.append(
                Incumbent(seconds=event.seconds, objective=values[0], bound=values[1])
            )
        if self._on_progress is not None:
            self._on_progress(event)


def _rescued(
    prepared: Prepared, ask: Ask, outcome: IsolatedOutcome, seen: _Seen, seconds: float
) -> Result:
    """Make a result of the latest that the child had told."""
    if seen.result is not None:
        return seen.result.replace(explanation=(*seen.result.explanation, outcome.message))
    answer = seen.answer or _best_known(prepared, ask, outcome, seen)
    name = seen.method or ("exact" if ask.solver == "auto" else ask.solver)
    result = Result(
        problem_digest=prepared.digest,
        problem_id=prepared.problem.id,
        status=answer.status,
        proof=Proof.NONE,
        requested_solver=ask.solver,
        solver=answer.solver or name,
        explanation=(*answer.explanation, outcome.message),
        incumbents=tuple(seen.incumbents),
        stages=tuple(
            StageReport(name=stage.name, seconds=stage.seconds, facts=dict(stage.facts))
            for stage in answer.stages
        ),
        seed=ask.seed,
        threads=ask.threads,
        options=dict(ask.options),
        build_s=prepared.build_s,
        solve_s=seconds,
    )
    method, _ = find_method(name, "placement")
    return judge(prepared, method, answer, result, check=ask.verify)


def _best_known(prepared: Prepared, ask: Ask, outcome: IsolatedOutcome, seen: _Seen) -> Answer:
    assignment = None if seen.placement is None else seen.placement.assignment
    start = ask.warm_start
    if assignment is None and start is not None and start.problem_digest in ("", prepared.digest):
        assignment = prepared.arrays.assignment(start)
    return Answer(
        _STATUSES[outcome.reason],
        assignment=assignment,
        bound=seen.bound,
        proof=Proof.NONE if seen.bound is None else Proof.CLAIMED,
    )
