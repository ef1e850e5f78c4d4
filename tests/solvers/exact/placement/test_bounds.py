"""Bounds hold for every placement, given any single decision, on every domain."""

from __future__ import annotations

import numpy as np
import pytest
from tests.oracle import Oracle, random_problem

from leotrek_opt.solvers.arrays.placement import PlacementArrays, placement_arrays
from leotrek_opt.solvers.exact.placement.bounds import BoundCalculator
from leotrek_opt.solvers.exact.placement.domains import DenseDomain, Domain, SparseDomain
from leotrek_opt.solvers.exact.placement.prices import Prices
from leotrek_opt.solvers.exact.placement.propagation import propagate
from leotrek_opt.topology.materialise import materialise


def prepared(seed: int, **wishes: object) -> tuple[PlacementArrays, np.ndarray, np.ndarray]:
    """Return the arrays, all feasible placements, and their objectives."""
    problem = random_problem(seed, max_placements=5000, **wishes)  # type: ignore[arg-type]
    oracle = Oracle(problem)
    placements = oracle.placements()
    feasible, objective = oracle.judge(placements)
    arrays = placement_arrays(problem, materialise(problem.continuum))
    return arrays, placements[feasible], objective[feasible]


def domains(arrays: PlacementArrays) -> list[Domain]:
    allowed = arrays.allowed
    dense = DenseDomain(arrays, [np.flatnonzero(row) for row in allowed])
    return [SparseDomain(arrays, allowed), dense]


@pytest.mark.parametrize("seed", range(60))
def test_no_feasible_placement_is_below_its_conditional_bounds(seed: int) -> None:
    arrays, placements, objective = prepared(seed)
    for domain in domains(arrays):
        bound = BoundCalculator(arrays).bound(domain)
        for function, given in enumerate(bound.given):
            at_node = np.full(arrays.n_nodes, np.inf)
            at_node[domain.nodes(function)] = given
            assert (at_node[placements[:, function]] <= objective).all()
        if len(objective):
            assert bound.value <= objective.min()


@pytest.mark.parametrize("seed", range(30))
def test_any_prices_give_a_valid_bound(seed: int) -> None:
    arrays, _, objective = prepared(seed, metric="sum_latency", aggregate="sum", contended=True)
    random = np.random.default_rng(seed)
    shape = (len(arrays.capacities.resources), arrays.n_nodes)
    prices = Prices(
        tuple(random.integers(0, 2000, shape) / 4 for _ in arrays.capacities.windows), 4
    )
    calculator = BoundCalculator(arrays)
    assert calculator.takes_prices
    for domain in domains(arrays):
        bound = calculator.bound(domain, prices.unary(arrays), prices.constant(arrays))
        if len(objective):
            assert bound.value <= objective.min()


@pytest.mark.parametrize("seed", range(40))
def test_propagation_keeps_every_feasible_placement(seed: int) -> None:
    arrays, placements, _ = prepared(seed)
    result = propagate(arrays)
    if result.explanation:
        assert len(placements) == 0
        return
    for function in range(arrays.n_functions):
        assert result.allowed[function, placements[:, function]].all()


@pytest.mark.parametrize("seed", range(60))
def test_dense_bound_of_an_uncoupled_tree_is_its_optimum(seed: int) -> None:
    arrays, _, objective = prepared(
        seed, shape="tree", contended=False, metric="sum_latency", response_slo=False
    )
    total = arrays.capacities.demand.sum(axis=0)[:, None]
    is_roomy = all((total <= window.capacity).all() for window in arrays.capacities.windows)
    if is_roomy and len(objective):
        dense = domains(arrays)[1]
        assert BoundCalculator(arrays).bound(dense).value == objective.min()
