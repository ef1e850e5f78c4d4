"""From claims to proof: certificates where they can be had, second opinions, and disagreement."""

from __future__ import annotations

import numpy as np
import pytest
from tests.oracle import brute_force, random_problem
from tests.solvers.test_api import line_problem

from leotrek_opt.models.certificate import LinearCertificate
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.solvers import placement_proof, run
from leotrek_opt.solvers.api import solve, verify
from leotrek_opt.solvers.method import Answer, Request
from leotrek_opt.solvers.registry import Method
from leotrek_opt.solvers.status import Proof, Status

SHAPES = ("chain", "tree", "diamond", "dag")


def contended(seed: int) -> PlacementProblem:
    return random_problem(7000 + seed, shape=SHAPES[seed % 4], contended=True, workflows=2)


@pytest.mark.parametrize("solver", ["milp:highs", "milp:cpsat", "milp:scip"])
def test_claims_of_engines_become_certified(solver: str) -> None:
    assert solve(line_problem(), solver).proof is Proof.CLAIMED
    result = solve(line_problem(), solver, certify=True)
    assert result.status is Status.OPTIMAL
    assert result.proof is Proof.CERTIFIED
    assert verify(line_problem(), result).proof is Proof.CERTIFIED


@pytest.mark.parametrize("block", range(4))
def test_random_problems_are_certified_and_verify(block: int) -> None:
    certified = 0
    for seed in range(10 * block, 10 * block + 10):
        problem = contended(seed)
        optimum = brute_force(problem)[0]
        result = solve(problem, "milp:highs", certify=True)
        assert result.status is not Status.ERROR
        assert result.objective_quanta == optimum
        checked = verify(problem, result)
        assert checked.ok
        if result.proof is Proof.CERTIFIED:
            assert checked.proof is Proof.CERTIFIED
            certified += 1
            if optimum is None:
                assert result.status is Status.INFEASIBLE
            else:
                assert result.bound_quanta == optimum
    assert certified >= 9


def test_heuristic_without_a_bound_is_given_a_certified_one() -> None:
    problem = contended(3)
    bare = solve(problem, "greedy")
    assert bare.bound is None
    result = solve(problem, "greedy", certify=True)
    assert result.proof is Proof.CERTIFIED
    assert result.bound_quanta is not None
    optimum = brute_force(problem)[0]
    assert optimum is not None
    assert result.bound_quanta <= optimum
    assert verify(problem, result).ok


def test_branch_certificate_of_the_formulation_is_verified(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the certificates of dynamic programming, the formulation's own has to do."""
    monkeypatch.setattr(placement_proof, "_certificates", placement_proof._branch_certificate)
    for seed in range(6):
        problem = contended(seed)
        result = solve(problem, "milp:highs", certify=True)
        if result.proof is not Proof.CERTIFIED:
            continue
        assert isinstance(result.certificate, LinearCertificate)
        assert verify(problem, result).proof is Proof.CERTIFIED
        other = contended(seed + 50)
        assert other != problem
        break
    else:
        pytest.fail("no problem was certified by a branch certificate")


def test_second_engine_confirms_where_nothing_certifies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement_proof, "_certificates", lambda *_: iter(()))
    result = solve(line_problem(), "milp:highs", certify=True)
    assert result.proof is Proof.CONFIRMED
    assert "milp:cpsat agrees" in result.explanation
    checked = verify(line_problem(), result)
    assert checked.ok
    assert checked.proof is Proof.CLAIMED


def lie(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    """Make ``milp`` give a wrong answer, and leave every other method honest."""
    honest = Method.load

    def load(method: Method) -> object:
        if method.name != "milp":
            return honest(method)
        return lambda _arrays, _request: answer

    monkeypatch.setattr(Method, "load", load)
    assert run.methods_for("milp")[0][0].name == "milp"


@pytest.mark.parametrize("with_certificates", [True, False])
def test_false_optimum_is_an_error_that_shows_both_values(
    monkeypatch: pytest.MonkeyPatch, with_certificates: bool
) -> None:
    """Function f on c and g on b are worth 5 ms; the optimum is 3 ms."""
    worse = Answer(Status.OPTIMAL, np.array([0, 2, 1]), 5_000_000, Proof.CLAIMED, solver="milp:x")
    lie(monkeypatch, worse)
    if not with_certificates:
        monkeypatch.setattr(placement_proof, "_certificates", lambda *_: iter(()))
    assert solve(line_problem(), "milp").status is Status.OPTIMAL
    result = solve(line_problem(), "milp", certify=True)
    assert result.status is Status.ERROR
    assert result.proof is Proof.NONE
    assert "5.0 ms" in result.explanation[-1]
    assert "3.0 ms" in result.explanation[-1]
    assert not verify(line_problem(), result).ok


@pytest.mark.parametrize("with_certificates", [True, False])
def test_false_infeasibility_is_an_error(
    monkeypatch: pytest.MonkeyPatch, with_certificates: bool
) -> None:
    lie(monkeypatch, Answer(Status.INFEASIBLE, proof=Proof.CLAIMED, solver="milp:x"))
    if not with_certificates:
        monkeypatch.setattr(placement_proof, "_certificates", lambda *_: iter(()))
    result = solve(line_problem(), "milp", certify=True)
    assert result.status is Status.ERROR
    assert "infeasible" in result.explanation[-1]
    assert "3.0 ms" in result.explanation[-1]


def test_second_engine_is_asked_within_the_time_that_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Request] = []
    honest = placement_proof.solve_survivors

    def spy(arrays: object, request: Request, *rest: object) -> object:
        seen.append(request)
        return honest(arrays, request, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(placement_proof, "_certificates", lambda *_: iter(()))
    monkeypatch.setattr(placement_proof, "solve_survivors", spy)
    solve(line_problem(), "milp:highs", certify=True, time_limit_s=30.0)
    assert seen[0].argument == "cpsat"
    assert seen[0].budget.time_limit_s is not None
    assert 0 < seen[0].budget.time_limit_s <= 30.0


@pytest.mark.parametrize("solver", ["greedy", "first-fit", "hyperdrive@published"])
def test_method_that_finds_nothing_learns_that_there_is_nothing(solver: str) -> None:
    for seed in range(6):
        problem = random_problem(3000 + seed, infeasible=True)
        assert solve(problem, solver).status is Status.NO_SOLUTION
        result = solve(problem, solver, certify=True)
        assert result.status is Status.INFEASIBLE
        assert result.proof is Proof.CERTIFIED
        assert result.solution is None
        assert result.explanation
        assert verify(problem, result).proof is Proof.CERTIFIED


@pytest.mark.parametrize("solver", ["first-fit", "random", "hyperdrive@published"])
def test_placement_that_breaks_rules_has_a_bound_but_no_gap(solver: str) -> None:
    broken = 0
    for seed in range(30):
        problem = contended(seed)
        optimum = brute_force(problem)[0]
        result = solve(problem, solver, certify=True, seed=seed)
        assert result.status is not Status.ERROR
        if result.violations:
            broken += 1
            assert result.gap is None
        if optimum is not None and result.bound_quanta is not None:
            assert result.bound_quanta <= optimum
    assert broken
