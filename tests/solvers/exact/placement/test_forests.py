"""Workflows taken apart into trees: every edge once, every unary cost once."""

from __future__ import annotations

import pytest
from tests.oracle import random_problem

from leotrek_opt.solvers.arrays.placement import PlacementArrays, placement_arrays
from leotrek_opt.solvers.exact.placement.forests import trees_of
from leotrek_opt.topology.materialise import materialise


def arrays_of(seed: int, shape: str) -> PlacementArrays:
    problem = random_problem(seed, shape=shape)
    return placement_arrays(problem, materialise(problem.continuum))


@pytest.mark.parametrize("shape", ["chain", "tree", "diamond", "dag", "independent"])
@pytest.mark.parametrize("seed", range(10))
def test_trees_cover_every_edge_and_function_once(seed: int, shape: str) -> None:
    arrays = arrays_of(seed, shape)
    for workflow in arrays.workflows:
        trees = trees_of(arrays, workflow)
        edges = [branch.edge for tree in trees for branch in tree.branches]
        weighted = [function for tree in trees for function in tree.weighted]
        assert sorted(edges) == sorted(workflow.edges)
        assert sorted(weighted) == sorted(workflow.functions)
        for tree in trees:
            assert len(set(tree.functions)) == len(tree.functions) == len(tree.branches) + 1
            seen = {tree.root}
            for branch in tree.branches:
                assert branch.parent in seen
                seen.add(branch.child)


@pytest.mark.parametrize("seed", range(5))
def test_chain_is_one_tree(seed: int) -> None:
    arrays = arrays_of(seed, "chain")
    assert all(len(trees_of(arrays, workflow)) == 1 for workflow in arrays.workflows)


def test_diamond_needs_two_trees() -> None:
    problem = random_problem(0, shape="diamond", functions=4)
    arrays = placement_arrays(problem, materialise(problem.continuum))
    assert len(trees_of(arrays, arrays.workflows[0])) == 2
