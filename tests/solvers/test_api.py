"""solve, compare and verify: statuses, refuted claims, limits, and what is refused."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from tests.oracle import brute_force, random_problem

from leotrek_opt.errors import InputError, UnsupportedError
from leotrek_opt.models.continuum import CPU, Continuum, NodeTable
from leotrek_opt.models.placement import PlacementProblem, ThermalRule
from leotrek_opt.models.topology import ExplicitTopology
from leotrek_opt.models.workflow import DataEdge, Function, Loop, Workflow
from leotrek_opt.solvers import api
from leotrek_opt.solvers import run as run_module
from leotrek_opt.solvers.api import compare, methods, solve, verify
from leotrek_opt.solvers.method import Answer, Progress
from leotrek_opt.solvers.registry import Ability, Method
from leotrek_opt.solvers.status import Proof, Status


def line_problem(**changes: object) -> PlacementProblem:
    """Four nodes in a row, 1, 2 and 4 ms apart; a pinned source and two functions of 2 cores.

    Nodes hold 2 cores each, so the functions cannot meet: f on b (1 ms) and g on c (2 ms) is the
    optimum of 3 ms; the source's node a has no room.
    """
    nodes = NodeTable(
        id=("a", "b", "c", "d"),
        kind=("edge",) * 4,
        architecture=("arm64",) * 4,
        capacity={CPU: np.array([0, 2000, 2000, 2000])},
    )
    topology = ExplicitTopology(source=[0, 1, 2], target=[1, 2, 3], latency_ms=[[1.0, 2.0, 4.0]])
    workflow = Workflow(
        id="w",
        functions=(
            Function(id="s", pinned="a"),
            Function(id="f", demand={CPU: 2000}),
            Function(id="g", demand={CPU: 2000}),
        ),
        edges=(DataEdge(source="s", target="f"), DataEdge(source="f", target="g")),
    )
    fields = {
        "continuum": Continuum(nodes=nodes, topology=topology),
        "workflows": (workflow,),
    }
    return PlacementProblem(**(fields | changes))  # type: ignore[arg-type]


def wrong_method(monkeypatch: pytest.MonkeyPatch, answer: Answer, *abilities: Ability) -> None:
    """Make every name stand for a method with a given answer."""
    method = Method("liar", "placement", frozenset(abilities), "", "tests:liar")
    monkeypatch.setattr(Method, "load", lambda _: lambda _arrays, _request: answer)
    for module in (api, run_module):
        monkeypatch.setattr(module, "methods_for", lambda _: [(method, "")])


@pytest.mark.parametrize("solver", ["auto", "exact", "dp", "milp", "milp:highs", "highs"])
def test_exact_methods_find_the_optimum_derived_by_hand(solver: str) -> None:
    result = solve(line_problem(), solver)
    assert result.status is Status.OPTIMAL
    assert result.objective == result.bound == 3.0
    assert result.gap == 0
    assert result.solution is not None
    assert result.solution.node_of("w", "f") == "b"
    assert result.solution.node_of("w", "g") == "c"
    assert verify(line_problem(), result).ok


def test_dynamic_programming_is_certified_and_verify_carries_it() -> None:
    result = solve(line_problem(), "dp")
    assert result.proof is Proof.CERTIFIED
    verdict = verify(line_problem(), result)
    assert verdict.proof is Proof.CERTIFIED
    assert verdict.bound == 3.0


def test_nothing_is_certified_without_verification() -> None:
    assert solve(line_problem(), "dp", verify=False).proof is Proof.CLAIMED


def test_wrong_placement_becomes_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong_method(monkeypatch, Answer(Status.OPTIMAL, np.array([0, 1, 1]), 1_000_000))
    result = solve(line_problem(), "liar")
    assert result.status is Status.ERROR
    assert result.violations
    assert "calls its placement optimal" in result.explanation[-1]
    assert not verify(line_problem(), result).ok


def test_bound_above_the_solution_becomes_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong_method(monkeypatch, Answer(Status.FEASIBLE, np.array([0, 1, 2]), 3_000_001))
    result = solve(line_problem(), "liar")
    assert result.status is Status.ERROR
    assert "3000001 ns above its own solution of 3000000 ns" in result.explanation[-1]


def test_optimum_without_its_bound_becomes_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong_method(monkeypatch, Answer(Status.OPTIMAL, np.array([0, 2, 1]), 3_000_000))
    assert solve(line_problem(), "liar").status is Status.ERROR


def test_claim_without_a_certificate_stays_a_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Answer(Status.OPTIMAL, np.array([0, 1, 2]), 3_000_000, Proof.CLAIMED)
    wrong_method(monkeypatch, answer)
    assert solve(line_problem(), "liar").proof is Proof.CLAIMED


def test_baseline_that_breaks_rules_is_reported_not_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = Answer(Status.FEASIBLE, np.array([0, 1, 1]))
    wrong_method(monkeypatch, answer, Ability.IGNORES_LIMITS)
    result = solve(line_problem(), "liar")
    assert result.status is Status.NO_SOLUTION
    assert [item.rule for item in result.violations] == ["capacity"]
    assert result.objective == 1.0


def test_tampered_result_fails_verification() -> None:
    problem = line_problem()
    result = solve(problem, "exact")
    better = result.replace(objective=2.0, objective_quanta=2_000_000)
    assert not verify(problem, better).ok
    unproven = result.replace(certificate=None)
    assert not verify(problem, unproven).ok
    assert result.solution is not None
    moved = result.solution.assignments[1].replace(node="d")
    assignments = (result.solution.assignments[0], moved, result.solution.assignments[2])
    elsewhere = result.replace(solution=result.solution.replace(assignments=assignments))
    assert not verify(problem, elsewhere).ok


def test_result_of_another_problem_is_refused() -> None:
    result = solve(line_problem(), "dp")
    with pytest.raises(InputError, match="belongs to the problem"):
        verify(line_problem(thermal=ThermalRule()), result)


def test_bare_solution_is_verified() -> None:
    result = solve(line_problem(), "dp")
    assert result.solution is not None
    verdict = verify(line_problem(), result.solution)
    assert verdict.ok
    assert verdict.objective == 3.0


def test_infeasible_problem_says_which_function_has_no_node_and_why() -> None:
    problem = line_problem()
    big = problem.workflows[0].functions[1].replace(demand={CPU: 9000})
    functions = (problem.workflows[0].functions[0], big, problem.workflows[0].functions[2])
    workflow = problem.workflows[0].replace(functions=functions)
    result = solve(problem.replace(workflows=(workflow,)))
    assert result.status is Status.INFEASIBLE
    first, *conflict = result.explanation
    assert first == "w/f: no node left of 4: 4 too little capacity"
    named = [line for line in conflict if line.startswith("- capacity cpu_millis of node")]
    assert len(named) == 4
    assert any("raise capacity cpu_millis of node" in line for line in conflict)
    assert result.proof is Proof.CERTIFIED


def test_latency_limit_that_nothing_meets_is_explained() -> None:
    problem = line_problem()
    edges = (
        DataEdge(source="s", target="f", max_latency_ms=0.5),
        problem.workflows[0].edges[1],
    )
    workflow = problem.workflows[0].replace(edges=edges)
    result = solve(problem.replace(workflows=(workflow,)))
    assert result.status is Status.INFEASIBLE
    assert "more than 0.5 ms away" in result.explanation[0]
    assert "the nearest is at 1 ms" in result.explanation[0]


def test_cancelled_solve_returns_without_a_claim() -> None:
    cancel = threading.Event()
    cancel.set()
    result = solve(line_problem(), "exact", cancel=cancel)
    assert result.status in (Status.INTERRUPTED, Status.OPTIMAL)
    assert result.violations == ()


def test_no_time_still_gives_a_valid_bound() -> None:
    problem = random_problem(7, contended=True, workflows=2)
    optimum = brute_force(problem)[0]
    result = solve(problem, "exact", time_limit_s=0.0)
    assert result.status is not Status.ERROR
    if optimum is not None and result.bound_quanta is not None:
        assert result.bound_quanta <= optimum


def test_progress_events_improve() -> None:
    events: list[Progress] = []
    solve(line_problem(), "exact", on_progress=events.append)
    bounds = [event.bound for event in events if event.bound is not None]
    assert bounds == sorted(bounds)
    assert events[-1].objective == 3_000_000


def test_warm_start_is_never_made_worse() -> None:
    problem = line_problem()
    start = solve(problem, "exact").solution
    for solver in ("exact", "milp", "lns"):
        result = solve(problem, solver, warm_start=start)
        assert result.objective is not None
        assert result.objective <= 3.0


def test_same_seed_gives_the_same_answer() -> None:
    problem = random_problem(11, contended=True, workflows=2)
    first, second = (solve(problem, "exact", seed=5) for _ in range(2))
    assert first.solution == second.solution
    assert first.certificate == second.certificate


def test_compare_runs_the_named_methods_in_order() -> None:
    results = compare(line_problem(), ["dp", "greedy", "random"], seed=3)
    assert [result.requested_solver for result in results] == ["dp", "greedy", "random"]
    assert all(result.bound is None or result.bound <= 3.0 for result in results)


def test_compare_stops_when_cancelled() -> None:
    cancel = threading.Event()
    cancel.set()
    assert compare(line_problem(), ["dp", "greedy"], cancel=cancel) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"solver": "exakt"}, 'did you mean "exact"'),
        ({"solver": "milp:cplex"}, "allowed: milp:highs"),
        ({"solver": "greedy:highs"}, "only greedy"),
        ({"time_limit_s": -1.0}, "time_limit_s: must be a number >= 0"),
        ({"gap": 1.0}, "gap: must be in"),
        ({"seed": -1}, "seed: must be an integer"),
        ({"seed": True}, "seed: must be an integer"),
        ({"threads": 0}, "threads: must be an integer"),
        ({"solver": "milp", "options": {"nonsense": 1}}, "options.nonsense: unknown option"),
        ({"solver": "milp", "options": {"max_nonzeros": 0}}, "options.max_nonzeros"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(InputError) as caught:
        solve(line_problem(), **arguments)  # type: ignore[arg-type]
    assert words in str(caught.value)


def test_milp_refuses_a_model_that_is_too_large() -> None:
    with pytest.raises(UnsupportedError, match="5"):
        solve(line_problem(), "milp", options={"max_nonzeros": 5})


def test_control_flow_is_refused() -> None:
    problem = line_problem()
    loop = Loop(body=("f",), probability=0.5)
    workflow = problem.workflows[0].replace(control=(loop,))
    with pytest.raises(UnsupportedError, match="control flow"):
        solve(problem.replace(workflows=(workflow,)))


def test_every_registered_method_can_be_loaded() -> None:
    for method in methods("placement"):
        assert callable(method.load())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": Status.INFEASIBLE}, "says infeasible, but its solution keeps every rule"),
        (
            {"status": Status.FEASIBLE, "bound": 4.0, "bound_quanta": 4_000_000},
            "refuted by the result's own solution",
        ),
        ({"objective": 1.0}, "the objective is 1.0 ms, or 3000000 ns"),
        ({"bound": 99.0}, "the bound is 99.0 ms, or 3000000 ns"),
    ],
)
def test_result_that_contradicts_itself_is_not_verified(
    change: dict[str, object], message: str
) -> None:
    result = solve(line_problem(), "milp")
    verdict = verify(line_problem(), result.replace(**change))
    assert not verdict.ok
    assert message in " ".join(verdict.messages)


def test_verify_says_what_the_certificate_carries_whatever_the_result_says() -> None:
    result = solve(line_problem(), "milp", certify=True)
    assert result.certificate is not None
    for proof in Proof:
        assert verify(line_problem(), result.replace(proof=proof)).proof is Proof.CERTIFIED
    too_much = result.replace(
        proof=Proof.CONFIRMED,
        status=Status.NO_SOLUTION,
        solution=None,
        objective=None,
        objective_quanta=None,
        bound=4.0,
        bound_quanta=4_000_000,
    )
    assert verify(line_problem(), too_much).proof is Proof.CLAIMED
    assert not verify(line_problem(), too_much.replace(proof=Proof.CERTIFIED)).ok


@pytest.mark.parametrize("solver", ["dp", "exact"])
def test_problem_that_no_workflow_alone_can_solve_is_infeasible(solver: str) -> None:
    problem = random_problem(91029, shape="tree", contended=True, workflows=2)
    assert brute_force(problem)[0] is None
    result = solve(problem, solver)
    assert result.status is Status.INFEASIBLE
    assert "even if every workflow had all nodes to itself" in result.explanation[0]
