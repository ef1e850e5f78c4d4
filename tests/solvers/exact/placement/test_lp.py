"""Relaxations on two engines: bounds that are valid, certified, and tight on plain trees."""

from __future__ import annotations

import pytest
from tests.oracle import brute_force, random_problem
from tests.solvers.test_api import line_problem

from leotrek_opt.errors import InputError, ModelTooLargeError
from leotrek_opt.solvers.api import solve, verify
from leotrek_opt.solvers.status import Proof, Status


@pytest.fixture(params=["lp", "lp:highs", "lp:pdlp", "pdlp"])
def solver(request: pytest.FixtureRequest) -> str:
    """Every name of the relaxation."""
    name: str = request.param
    return name


def test_relaxation_of_a_chain_reaches_its_optimum(solver: str) -> None:
    result = solve(line_problem(), solver)
    assert result.status is Status.NO_SOLUTION
    assert result.solution is None
    assert result.bound == 3.0
    assert result.proof is Proof.CERTIFIED
    assert verify(line_problem(), result).proof is Proof.CERTIFIED


def test_bounds_are_below_every_optimum_and_certified(solver: str) -> None:
    certified = 0
    for seed in range(15):
        problem = random_problem(8000 + seed, contended=True)
        optimum = brute_force(problem)[0]
        result = solve(problem, solver)
        assert result.status is not Status.ERROR
        if result.bound_quanta is not None and optimum is not None:
            assert result.bound_quanta <= optimum
            certified += result.proof is Proof.CERTIFIED
        if result.status is Status.INFEASIBLE:
            assert optimum is None
    assert certified >= 8


def test_model_beyond_the_limit_is_refused(solver: str) -> None:
    with pytest.raises(ModelTooLargeError, match="max_nonzeros"):
        solve(line_problem(), solver, options={"max_nonzeros": 3})
    with pytest.raises(InputError, match="unknown option"):
        solve(line_problem(), solver, options={"maximum": 3})
