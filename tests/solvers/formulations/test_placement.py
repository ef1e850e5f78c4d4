"""The flow model holds exactly the feasible placements, at their exact values."""

from __future__ import annotations

import numpy as np
import pytest
from tests.oracle import Oracle, random_problem

from leotrek_opt.errors import ModelTooLargeError
from leotrek_opt.solvers.arrays.placement import placement_arrays
from leotrek_opt.solvers.formulations.placement import build
from leotrek_opt.topology.materialise import materialise


@pytest.mark.parametrize("seed", range(40))
def test_completed_placements_keep_every_row_and_decode_again(seed: int) -> None:
    problem = random_problem(seed, max_placements=3000)
    oracle = Oracle(problem)
    placements = oracle.placements()
    feasible, objective = oracle.judge(placements)
    arrays = placement_arrays(problem, materialise(problem.continuum))
    if not arrays.allowed.any(axis=1).all():
        return
    model = build(arrays, None, max_nonzeros=10**7)
    for row in np.flatnonzero(feasible)[:20]:
        values = model.complete(placements[row])
        assert model.linear.violations_of(values) == []
        assert np.array_equal(model.decode(values), placements[row])
        worth = model.bound_ns(model.linear.objective_of(values))
        assert worth is not None
        assert 0 <= objective[row] - worth <= model.error_ns


def test_model_beyond_the_limit_is_refused_before_it_is_built() -> None:
    problem = random_problem(0, shape="chain")
    arrays = placement_arrays(problem, materialise(problem.continuum))
    with pytest.raises(ModelTooLargeError):
        build(arrays, None, max_nonzeros=1)
