"""Room is what the windows of the arrays leave, step by step."""

from __future__ import annotations

import numpy as np
import pytest
from tests.oracle import random_problem
from tests.solvers.heuristics.scenes import arrays_of, continuum, function, problem

from leotrek_opt.models.continuum import NodeEvent
from leotrek_opt.models.workflow import StepInterval
from leotrek_opt.solvers.heuristics.occupancy import Occupancy

AB = [("a", "edge", 0.0, 0.0), ("b", "edge", 0.0, 1.0)]


def test_room_shrinks_and_comes_back() -> None:
    where = continuum(AB, [], cpu={"a": 4000, "b": 8000})  # type: ignore[arg-type]
    arrays = arrays_of(problem(where, ([function("f"), function("g"), function("h")], [])))
    occupancy = Occupancy(arrays.capacities)
    occupancy.place(0, 1)
    assert occupancy.room(1).tolist() == [True, True]
    occupancy.place(1, 1)
    assert occupancy.room(2).tolist() == [True, False]
    occupancy.remove(0, 1)
    assert occupancy.room(2).tolist() == [True, True]


def test_functions_that_hold_at_different_steps_share_a_node() -> None:
    where = continuum(AB, [], steps=3)  # type: ignore[arg-type]
    early = function("f", hold=StepInterval(start=0, end=1))
    late = function("g", step=1, hold=StepInterval(start=1, end=3))
    always = function("h")
    arrays = arrays_of(problem(where, ([early, late, always], [])))
    occupancy = Occupancy(arrays.capacities)
    occupancy.place(0, 0)
    assert occupancy.room(1).tolist() == [True, True]
    assert occupancy.room(2).tolist() == [False, True]


def test_exempt_functions_need_no_room() -> None:
    event = NodeEvent(
        step=0, node="a", resource="cpu_millis", capacity=0, except_functions=("w0/f",)
    )
    where = continuum(AB, [], events=[event])  # type: ignore[arg-type]
    arrays = arrays_of(problem(where, ([function("f"), function("g")], [])))
    occupancy = Occupancy(arrays.capacities)
    assert occupancy.room(0).tolist() == [True, True]
    assert occupancy.room(1).tolist() == [False, True]
    occupancy.place(0, 0)
    occupancy.place(0, 1)
    assert occupancy.room(1).tolist() == [False, False]
    occupancy.remove(0, 1)
    assert occupancy.room(1).tolist() == [False, True]


@pytest.mark.parametrize("seed", range(60))
def test_a_function_has_room_exactly_where_nothing_overflows(seed: int) -> None:
    """Compared with the load count of the arrays, for functions placed in random order."""
    arrays = arrays_of(random_problem(seed, contended=True, holds=True, node_events=True))
    random = np.random.default_rng(seed)
    occupancy = Occupancy(arrays.capacities)
    assignment = np.full(arrays.n_functions, -1, dtype=np.int64)
    for chosen in random.permutation(arrays.n_functions).tolist():
        room = occupancy.room(chosen)
        for node in range(arrays.n_nodes):
            trial = assignment.copy()
            trial[chosen] = node
            before = arrays.capacities.overloads(assignment)
            after = arrays.capacities.overloads(trial)
            assert room[node] == (len(after) == len(before)), (seed, chosen, node)
        fitting = np.flatnonzero(room)
        if len(fitting):
            assignment[chosen] = random.choice(fitting)
            occupancy.place(chosen, int(assignment[chosen]))
