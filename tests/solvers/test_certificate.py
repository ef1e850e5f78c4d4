"""Certificates: no choice of prices or target makes a bound too high, and false claims fall."""

from __future__ import annotations

import numpy as np
import pytest
from tests.oracle import brute_force, random_problem

from leotrek_opt.errors import InputError
from leotrek_opt.models.canonical import digest
from leotrek_opt.models.certificate import Multiplier, PlacementCertificate
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.solvers.arrays.placement import PlacementArrays, placement_arrays
from leotrek_opt.solvers.certificate import placement_bound
from leotrek_opt.topology.materialise import materialise


def arrays_of(problem: PlacementProblem) -> PlacementArrays:
    return placement_arrays(problem, materialise(problem.continuum))


def random_prices(arrays: PlacementArrays, seed: int) -> tuple[Multiplier, ...]:
    random = np.random.default_rng(seed)
    ids = arrays.problem.continuum.nodes.id
    found = [
        Multiplier(step=window.step, resource=name, node=node, price=int(random.integers(5000)))
        for window in arrays.capacities.windows
        for name in arrays.capacities.resources
        for node in ids
        if random.random() < 0.4
    ]
    return tuple(sorted(found, key=lambda item: item.place))


def claim(
    problem: PlacementProblem, bound_ns: int | None, **fields: object
) -> PlacementCertificate:
    return PlacementCertificate(
        problem_digest=digest(problem),
        bound_ns=bound_ns,
        **fields,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("block", range(10))
def test_no_certificate_gives_a_bound_above_the_optimum(block: int) -> None:
    for seed in range(10 * block, 10 * block + 10):
        problem = random_problem(seed, metric="sum_latency", aggregate="sum")
        arrays = arrays_of(problem)
        optimum = brute_force(problem)[0]
        for prices in ((), random_prices(arrays, seed)):
            for bound in (None, 10**9):
                certificate = claim(problem, bound, multipliers=prices, denominator=4)
                verdict = placement_bound(arrays, certificate)
                if optimum is None:
                    continue
                assert not verdict.infeasible
                assert verdict.bound_ns is not None
                assert verdict.bound_ns <= optimum


@pytest.mark.parametrize("seed", range(20))
def test_raised_bound_is_not_confirmed(seed: int) -> None:
    problem = random_problem(seed)
    optimum = brute_force(problem)[0]
    if optimum is not None:
        certificate = claim(problem, optimum + 1)
        assert not placement_bound(arrays_of(problem), certificate).confirms(certificate)


@pytest.mark.parametrize("seed", range(20))
def test_infeasibility_is_derived_only_where_nothing_is_feasible(seed: int) -> None:
    problem = random_problem(seed, infeasible=seed % 2 == 0)
    verdict = placement_bound(arrays_of(problem), claim(problem, None))
    if verdict.infeasible:
        assert brute_force(problem)[2] == 0


def test_certificate_of_another_problem_is_refused() -> None:
    first, second = random_problem(1), random_problem(2)
    with pytest.raises(InputError, match="belongs to another problem"):
        placement_bound(arrays_of(first), claim(second, 0))


@pytest.mark.parametrize(
    "change", [{"step": 99_999}, {"resource": "no-such-resource"}, {"node": "no-such-node"}]
)
def test_prices_of_what_does_not_exist_are_refused(change: dict[str, object]) -> None:
    problem = random_problem(3, metric="sum_latency", aggregate="sum", contended=True)
    arrays = arrays_of(problem)
    price = Multiplier(
        step=arrays.capacities.windows[0].step,
        resource=arrays.capacities.resources[0],
        node=problem.continuum.nodes.id[0],
        price=1,
    ).replace(**change)
    with pytest.raises(InputError):
        placement_bound(arrays, claim(problem, 0, multipliers=(price,)))
