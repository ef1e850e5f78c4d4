"""Greedy insertion, local search and the corrected HyperDrive keep every rule."""

from __future__ import annotations

import pytest
from tests.oracle import brute_force, random_problem

from leotrek_opt.solvers.api import solve
from leotrek_opt.solvers.status import Status

OWN = ("greedy", "lns", "hyperdrive", "lns:hyperdrive", "lns:random")


@pytest.mark.parametrize("solver", OWN)
@pytest.mark.parametrize("block", range(4))
def test_feasible_answers_are_verified_and_never_below_the_optimum(solver: str, block: int) -> None:
    for seed in range(8 * block, 8 * block + 8):
        problem = random_problem(seed)
        optimum = brute_force(problem)[0]
        result = solve(problem, solver)
        assert result.status in (Status.FEASIBLE, Status.NO_SOLUTION)
        if result.status is Status.FEASIBLE:
            assert result.violations == ()
            assert optimum is not None
            assert result.objective_quanta is not None
            assert result.objective_quanta >= optimum


@pytest.mark.parametrize("seed", range(12))
def test_local_search_is_never_worse_than_its_start(seed: int) -> None:
    problem = random_problem(seed, contended=True, workflows=2)
    start = solve(problem, "hyperdrive")
    improved = solve(problem, "lns:hyperdrive")
    if start.status is Status.FEASIBLE:
        assert improved.objective_quanta is not None
        assert start.objective_quanta is not None
        assert improved.objective_quanta <= start.objective_quanta


@pytest.mark.parametrize("solver", ["lns", "random"])
def test_same_seed_gives_the_same_placement(solver: str) -> None:
    problem = random_problem(5, contended=True, workflows=2)
    first, second = (solve(problem, solver, seed=3) for _ in range(2))
    assert first.solution == second.solution
