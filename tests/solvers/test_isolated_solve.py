"""Whole solves in processes of their own, with a run that fails where it is told."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from tests.random_problems import random_problem

from leotrek_opt.errors import InputError, LeotrekError
from leotrek_opt.models.placement import PlacementSolution
from leotrek_opt.solvers import isolated_solve
from leotrek_opt.solvers.api import solve
from leotrek_opt.solvers.ask import Ask
from leotrek_opt.solvers.isolated_solve import solve_isolated
from leotrek_opt.solvers.method import Progress
from leotrek_opt.solvers.result import Result
from leotrek_opt.solvers.status import Proof, Status

SAFETY = 120.0
PROBLEM = random_problem(6, workflows=1, functions=3, nodes=4)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the child call the run that fails."""
    monkeypatch.setattr(isolated_solve, "RUNNER", "tests.solvers.failing_run:failing_run")


def solve_failing(fail: str, *, ask: dict[str, Any] | None = None, **how: Any) -> Result:
    asked = {"solver": "milp:highs", "time_limit_s": SAFETY, "options": {"fail": fail}}
    return solve_isolated(PROBLEM, Ask(**(asked | (ask or {}))), **how)


@pytest.fixture(scope="module")
def greedy() -> Result:
    """Return what the failing run finds before it fails."""
    found = solve(PROBLEM, "greedy")
    assert found.status is Status.FEASIBLE
    return found


# With the real run


def test_answer_is_that_of_this_process() -> None:
    events: list[Progress] = []
    direct = solve(PROBLEM, "exact", seed=3)
    isolated = solve(PROBLEM, "exact", seed=3, isolate=True, on_progress=events.append)
    own = {"build_s", "solve_s", "verify_s", "incumbents", "stages"}
    assert isolated.model_dump(exclude=own) == direct.model_dump(exclude=own)
    assert [stage.name for stage in isolated.stages] == [stage.name for stage in direct.stages]
    assert [(i.objective, i.bound) for i in isolated.incumbents] == [
        (i.objective, i.bound) for i in direct.incumbents
    ]
    assert events[-1].objective == isolated.objective_quanta
    # Times count from the call, so the start of the child is in them.
    assert 0 < isolated.incumbents[0].seconds <= isolated.incumbents[-1].seconds
    assert isolated.incumbents[-1].seconds <= isolated.solve_s
    assert events[-1].seconds <= isolated.solve_s


def test_errors_reach_the_caller() -> None:
    with pytest.raises(InputError, match=r"options\.no_such_option"):
        solve(PROBLEM, "milp:highs", isolate=True, options={"no_such_option": 1})


def test_memory_limit_alone_isolates() -> None:
    result = solve(PROBLEM, "exact", memory_limit_mib=1)
    assert result.status is Status.NO_SOLUTION
    assert result.explanation == ("the solver process was killed at its memory limit",)
    assert (result.solution, result.bound, result.gap) == (None, None, None)
    assert (result.requested_solver, result.solver, result.proof) == ("exact", "exact", Proof.NONE)


# After a failure


def test_crash_is_an_error_that_keeps_the_best_placement(failing: None, greedy: Result) -> None:
    result = solve_failing("search:crash")
    assert result.status is Status.ERROR
    assert result.explanation[-1].startswith("the solver process died of SIGSEGV")
    assert result.solution is not None
    assert result.solution.assignments == greedy.solution.assignments  # type: ignore[union-attr]
    assert result.objective_quanta == greedy.objective_quanta
    assert result.is_verified
    assert (result.bound_quanta, result.proof) == (7, Proof.CLAIMED)
    assert (result.requested_solver, result.solver) == ("milp:highs", "milp:highs")
    found = [(i.objective, i.bound) for i in result.incumbents]
    assert found == [(None, 7e-6), (greedy.objective, 7e-6)]


def test_memory_that_runs_out_leaves_a_feasible_placement(failing: None, greedy: Result) -> None:
    result = solve_failing("search:eat", ask={"memory_limit_mib": 600})
    assert result.status is Status.FEASIBLE
    assert result.explanation == ("the solver process was killed at its memory limit",)
    assert result.objective_quanta == greedy.objective_quanta
    assert result.bound_quanta == 7
    assert result.gap is not None
    assert result.gap > 0


def test_cancelled_hang_leaves_an_interrupted_placement(failing: None, greedy: Result) -> None:
    cancel = threading.Event()
    events: list[Progress] = []

    def note(event: Progress) -> None:
        events.append(event)
        if event.objective is not None:
            cancel.set()

    result = solve_failing("search:hang", cancel=cancel, on_progress=note)
    assert result.status is Status.INTERRUPTED
    assert result.objective_quanta == greedy.objective_quanta
    assert [event.nodes for event in events] == [0, 3]
    assert events[0].seconds > 0.5


def test_hang_with_nothing_found_leaves_the_warm_start_or_nothing(
    failing: None, greedy: Result
) -> None:
    result = solve_failing("start:hang", ask={"time_limit_s": 0.1})
    assert result.status is Status.NO_SOLUTION
    assert result.explanation == ("the solver process was killed at its time limit",)
    start = greedy.solution
    assert isinstance(start, PlacementSolution)
    result = solve_failing("start:hang", ask={"time_limit_s": 0.1, "warm_start": start})
    assert result.status is Status.FEASIBLE
    assert result.objective_quanta == greedy.objective_quanta


def test_answer_given_before_the_check_failed_is_checked_here(
    failing: None, greedy: Result
) -> None:
    result = solve_failing("check:crash")
    assert result.status is Status.FEASIBLE
    assert result.explanation[0] == "an answer"
    assert "SIGSEGV" in result.explanation[1]
    assert (result.solver, result.bound_quanta) == ("double", 8)
    assert result.objective_quanta == greedy.objective_quanta
    assert result.is_verified


def test_result_checked_before_its_proof_failed_stands(failing: None, greedy: Result) -> None:
    result = solve_failing("proof:crash")
    assert result.explanation[0] == "a result"
    assert "SIGSEGV" in result.explanation[1]
    assert result.objective_quanta == greedy.objective_quanta


def test_name_that_auto_stands_for_is_found_after_a_failure(failing: None) -> None:
    result = solve_failing("start:crash", ask={"solver": "auto"})
    assert (result.status, result.requested_solver) == (Status.ERROR, "auto")
    assert result.solver == "exact"


def test_problem_travels_whole() -> None:
    with pytest.raises(LeotrekError, match="problem_digest"):
        solve(
            PROBLEM,
            "exact",
            isolate=True,
            warm_start=PlacementSolution(assignments=(), problem_digest="0" * 64),
        )
