"""Brute force, dynamic programming, exact method, MILP and checker agree on random problems."""

from __future__ import annotations

import pytest
from tests.oracle import brute_force, random_problem

from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.solvers.api import solve, verify
from leotrek_opt.solvers.status import Proof, Status

SHAPES = ("chain", "tree", "diamond", "dag")
SEEDS_PER_SHAPE = 80


def has_times_in_rows(problem: PlacementProblem) -> bool:
    objective = problem.objective
    slos = [workflow.response_time_slo_ms for workflow in problem.workflows]
    return (
        objective.metric == "critical_path"
        or objective.aggregate == "max"
        or any(slo is not None for slo in slos)
    )


def agree(problem: PlacementProblem) -> None:
    optimum, _, _ = brute_force(problem)
    for solver in ("exact", "milp"):
        result = solve(problem, solver)
        assert verify(problem, result).ok
        if optimum is None:
            assert result.status is Status.INFEASIBLE
            assert result.explanation
            continue
        assert result.violations == ()
        assert result.bound_quanta is not None
        assert result.bound_quanta <= optimum
        assert result.objective_quanta is None or result.objective_quanta >= optimum
        if solver == "milp" and result.status is not Status.OPTIMAL:
            # Long times in rows force the model into a coarser unit, in which it is a relaxation:
            # it must then not claim an optimum.
            assert has_times_in_rows(problem)
            continue
        assert result.status is Status.OPTIMAL
        assert result.objective_quanta == optimum
    bounded = solve(problem, "dp")
    assert bounded.status is not Status.ERROR
    if optimum is None:
        assert bounded.status in (Status.INFEASIBLE, Status.NO_SOLUTION)
        return
    assert bounded.bound_quanta is not None
    assert bounded.bound_quanta <= optimum
    assert bounded.objective_quanta is None or bounded.objective_quanta >= optimum


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("block", range(SEEDS_PER_SHAPE // 10))
def test_methods_agree_with_brute_force(shape: str, block: int) -> None:
    for seed in range(10 * block, 10 * block + 10):
        agree(random_problem(seed, shape=shape))


@pytest.mark.parametrize("seed", range(30))
def test_methods_agree_on_contended_capacities(seed: int) -> None:
    agree(random_problem(1000 + seed, contended=True, workflows=2))


@pytest.mark.parametrize("seed", range(30))
def test_methods_agree_on_critical_paths(seed: int) -> None:
    shape = SHAPES[seed % len(SHAPES)]
    agree(random_problem(2000 + seed, shape=shape, metric="critical_path"))


@pytest.mark.parametrize("seed", range(20))
def test_methods_agree_that_nothing_is_feasible(seed: int) -> None:
    problem = random_problem(3000 + seed, infeasible=True)
    assert brute_force(problem)[2] == 0
    agree(problem)


@pytest.mark.parametrize("seed", range(40))
def test_methods_agree_where_nodes_do_not_relay(seed: int) -> None:
    forwarding = ("cut_through", "store_and_forward")[seed % 2]
    busy = bool(seed % 3)
    agree(
        random_problem(
            4000 + seed,
            relay=True,
            bandwidths=True,
            sizes=busy,
            limits=busy,
            ties=seed % 5 == 0,
            metric=("sum_latency", "critical_path")[seed // 2 % 2],
            forwarding=forwarding,
        )
    )


def test_quiet_trees_are_certified() -> None:
    certified = 0
    for seed in range(20):
        problem = random_problem(seed, shape="tree", contended=False, response_slo=False)
        result = solve(problem, "exact")
        certified += result.proof is Proof.CERTIFIED
    assert certified >= 16
