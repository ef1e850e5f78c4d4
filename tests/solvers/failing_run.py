"""A solve that fails in its own process as it is told."""

from __future__ import annotations

import threading
from typing import Any

from tests.solvers.failing_engine import act

from leotrek_opt.solvers.ask import Ask
from leotrek_opt.solvers.judge import judge
from leotrek_opt.solvers.method import Answer, Budget, Progress, Request, Tracker
from leotrek_opt.solvers.prepared import Prepared
from leotrek_opt.solvers.registry import find_method
from leotrek_opt.solvers.result import Result
from leotrek_opt.solvers.status import Proof, Status


def failing_run(
    prepared: Prepared,
    ask: Ask,
    *,
    on_progress: Any,
    cancel: threading.Event,
    on_assignment: Any,
    on_step: Any,
) -> Result:
    """Stand for the real run: place by the greedy method, and fail at the step that is named."""
    tracker = Tracker(Budget(ask.time_limit_s, cancel), method=ask.solver)
    method, _ = find_method("greedy", "placement")
    step, _, what = ask.options["fail"].partition(":")
    if step == "start":
        act(what)
    answer = method.load()(prepared.arrays, Request(tracker.budget, tracker))
    objective = tracker.objective
    on_progress(Progress(0.5, ask.solver, None, 7, "bound"))
    on_assignment(objective, answer.assignment)
    on_progress(Progress(0.6, ask.solver, objective, 7, "placement", nodes=3))
    if step == "search":
        act(what)
    answer = Answer(
        Status.FEASIBLE, answer.assignment, 8, Proof.CLAIMED, None, ("an answer",), (), "double"
    )
    on_step(answer)
    if step == "check":
        act(what)
    result = Result(
        problem_digest=prepared.digest,
        status=answer.status,
        proof=Proof.NONE,
        requested_solver=ask.solver,
        solver="double",
        explanation=("a result",),
    )
    result = judge(prepared, method, answer, result, check=False)
    on_step(result)
    if step == "proof":
        act(what)
    return result
