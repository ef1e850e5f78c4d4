"""Running the methods that a name stands for, one after the other, into one result."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.solvers.ask import Ask
from leotrek_opt.solvers.judge import in_ms, judge, require_same_problem
from leotrek_opt.solvers.method import Answer, Budget, ProgressCallback, Request, Tracker
from leotrek_opt.solvers.prepared import Prepared
from leotrek_opt.solvers.registry import Method, find_method
from leotrek_opt.solvers.result import Incumbent, Result, StageReport
from leotrek_opt.solvers.status import Proof, Status
from leotrek_opt.versions import installed_version

AssignmentCallback = Callable[[int, NDArray[np.int64]], None]
StepCallback = Callable[[Answer | Result], None]

EXPLANATION_S = 2.0
"""Seconds that may go into saying why a problem is infeasible; ``explain`` takes its time."""

_LOGGER = logging.getLogger("leotrek_opt")


def methods_for(solver: str) -> list[tuple[Method, str]]:
    """Return the methods a name stands for: one, or for ``auto`` a chain of fall-backs.

    Parameters
    ----------
    solver
        Such as ``exact``, ``milp:cpsat`` or ``auto``.

    Returns
    -------
    list of (Method, str)
        Each with what follows the colon of its name.

    Raises
    ------
    leotrek_opt.errors.InputError
        If there is no such method.
    """
    names = ["exact", "lns"] if solver == "auto" else [solver]
    return [find_method(name, "placement") for name in names]


def run(
    prepared: Prepared,
    ask: Ask,
    *,
    on_progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    on_assignment: AssignmentCallback | None = None,
    on_step: StepCallback | None = None,
) -> Result:
    """Solve a prepared problem and check the answer.

    Parameters
    ----------
    prepared
        The problem.
    ask
        What is wanted.
    on_progress
        Called with every event, or None.
    cancel
        Set it to stop early, or None.
    on_assignment
        Called with objective and node by function for every better placement that a method shows
        while it runs, or None.
    on_step
        Called with the answer before it is checked and with the checked result before its proof is
        strengthened, or None.

    Returns
    -------
    Result
        Checked as far as was asked.
    """
    budget = Budget(ask.time_limit_s, cancel)
    tracker = Tracker(budget, on_progress, on_assignment=on_assignment)
    started = time.monotonic()
    stages: list[StageReport] = []
    bounding: Answer | None = None
    for method, argument in methods_for(ask.solver):
        tracker.method = f"{method.name}:{argument}" if argument else method.name
        answer = _answer(prepared, method, argument, ask, tracker)
        if bounding is not None:
            answer = _with_bound_of(answer, bounding)
        bounding = answer
        stages += [
            StageReport(name=stage.name, seconds=stage.seconds, facts=dict(stage.facts))
            for stage in answer.stages
        ]
        if answer.status is not Status.NO_SOLUTION or budget.cancelled:
            break
    if on_step is not None:
        on_step(answer)
    result = Result(
        problem_digest=prepared.digest,
        problem_id=prepared.problem.id,
        status=answer.status,
        proof=Proof.NONE,
        requested_solver=ask.solver,
        solver=answer.solver or method.name,
        explanation=answer.explanation,
        incumbents=tuple(
            Incumbent(seconds=seconds, objective=in_ms(objective), bound=in_ms(bound))
            for seconds, objective, bound in tracker.incumbents
        ),
        stages=tuple(stages),
        seed=ask.seed,
        threads=ask.threads,
        options=dict(ask.options),
        versions=_versions(),
        build_s=prepared.build_s,
        solve_s=time.monotonic() - started,
    )
    result = judge(prepared, method, answer, result, check=ask.verify)
    if on_step is not None:
        on_step(result)
    if ask.certify:
        from leotrek_opt.solvers.placement_proof import with_stronger_proof

        result = with_stronger_proof(prepared, result, ask, budget)
    if result.status is Status.INFEASIBLE:
        result = _explained(prepared, result, ask, budget)
    _LOGGER.info("%s", result.summary())
    return result


def _answer(
    prepared: Prepared, method: Method, argument: str, ask: Ask, tracker: Tracker
) -> Answer:
    warm_start = None
    if ask.warm_start is not None:
        require_same_problem(prepared.digest, ask.warm_start.problem_digest)
        warm_start = prepared.arrays.assignment(ask.warm_start)
    request = Request(
        budget=tracker.budget,
        tracker=tracker,
        gap=ask.gap,
        absolute_gap_ns=ask.absolute_gap_ns,
        seed=ask.seed,
        threads=ask.threads,
        warm_start=warm_start,
        options=ask.options,
        argument=argument,
    )
    return method.load()(prepared.arrays, request)


def _explained(prepared: Prepared, result: Result, ask: Ask, budget: Budget) -> Result:
    """Add which rules of the problem are in conflict, if that is found within a small budget."""
    from leotrek_opt.solvers.explain.placement import sentences_for

    sentences = sentences_for(
        prepared.arrays,
        prepared.series,
        time_limit_s=budget.part(EXPLANATION_S).time_limit_s,
        cancel=budget.cancel,
        seed=ask.seed,
    )
    return result.replace(explanation=(*result.explanation, *sentences))


def _with_bound_of(answer: Answer, earlier: Answer) -> Answer:
    """Join the placement of a fall-back with the bound of the method that failed to find one."""
    return replace(
        answer,
        bound=earlier.bound,
        proof=earlier.proof,
        certificate=earlier.certificate,
        explanation=(*earlier.explanation, *answer.explanation),
    )


def _versions() -> dict[str, str]:
    names = ("leotrek-opt", "highspy", "numpy", "scipy")
    found = {name: installed_version(name) for name in names}
    return {name: version for name, version in found.items() if version is not None}
