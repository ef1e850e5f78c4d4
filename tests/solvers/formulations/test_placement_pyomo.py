"""The twin in Pyomo equals the arrays, is solved to the same optimum, and can be extended."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.repn import generate_standard_repn
from tests.random_problems import random_problem

import leotrek_opt as lt
from leotrek_opt.errors import InputError, ModelTooLargeError, UnsupportedError
from leotrek_opt.models.continuum import Continuum, NodeTable
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.models.topology import ExplicitTopology
from leotrek_opt.models.workflow import DataEdge, Function, Workflow
from leotrek_opt.solvers.arrays.placement import placement_arrays
from leotrek_opt.solvers.formulations.placement import build
from leotrek_opt.solvers.formulations.pyomo_twins import solution_of, to_pyomo
from leotrek_opt.solvers.linear import ColumnKind, LinearModel
from leotrek_opt.topology.materialise import materialise

Row = tuple[dict[str, float], float, float]


# The same columns and rows from either side, in the words of the formulation.

WORDS = {
    "place": "{0} on {1}",
    "move": "{0} on {2} sends to {1} on {3}",
    "delay": "delay of {0}",
    "value": "value of {0} beyond its lower bound",
    "one_node": "{0} is on one node",
    "leave": "{0} on {2} sends to {1}",
    "reach": "{1} on {2} receives from {0}",
    "capacity": "{0} of {1} at step {2}",
    "finish": "{1} ends after what {0} sends",
    "early": "{0} ends no earlier than its node allows",
    "last": "response after {0}",
    "through": "response through the node of {0}",
    "worst": "sum of latencies of {0}",
}


def in_words(part: Any, is_max: bool) -> str:
    name, index = part.parent_component().name, part.index()
    if name == "value" and is_max:
        index = "the worst workflow"
    return WORDS[name].format(*index) if isinstance(index, tuple) else WORDS[name].format(index)


def twin_columns(model: Any, is_max: bool) -> dict[str, tuple[float, float, bool]]:
    return {
        in_words(variable, is_max): (variable.lb, variable.ub, variable.is_integer())
        for variable in model.component_data_objects(pyo.Var)
    }


def twin_rows(model: Any, is_max: bool) -> dict[tuple[str, str], Row]:
    rows = {}
    for row in model.component_data_objects(pyo.Constraint):
        linear = generate_standard_repn(row.body)
        assert linear.is_linear()
        entries = {
            in_words(variable, is_max): coefficient
            for variable, coefficient in zip(linear.linear_vars, linear.linear_coefs, strict=True)
        }
        lower = -math.inf if row.lower is None else pyo.value(row.lower) - linear.constant
        upper = math.inf if row.upper is None else pyo.value(row.upper) - linear.constant
        rows[row.parent_component().name, in_words(row, is_max)] = entries, lower, upper
    return rows


def array_columns(linear: LinearModel) -> dict[str, tuple[float, float, bool]]:
    arrays = linear.arrays()
    return {
        linear.column_words(column): (
            arrays.lower[column],
            arrays.upper[column],
            arrays.kind[column] == ColumnKind.INTEGER,
        )
        for column in range(linear.n_variables)
    }


def array_rows(linear: LinearModel) -> dict[tuple[str, str], Row]:
    arrays, rows = linear.arrays(), {}
    for row in range(linear.n_rows):
        entries = slice(arrays.indptr[row], arrays.indptr[row + 1])
        columns = [linear.column_words(column) for column in arrays.indices[entries].tolist()]
        rows[linear.row_label(row).partition("[")[0], linear.row_words(row)] = (
            dict(zip(columns, arrays.data[entries].tolist(), strict=True)),
            arrays.row_lower[row],
            arrays.row_upper[row],
        )
    return rows


def canonical(rows: dict[tuple[str, str], Row]) -> dict[tuple[str, str], Row]:
    """Turn rows so that the first entry in the order of the words is positive."""
    turned = {}
    for key, (entries, lower, upper) in rows.items():
        sign = 1 if not entries or entries[min(entries)] > 0 else -1
        sides = (lower, upper) if sign > 0 else (-upper, -lower)
        turned[key] = {name: sign * entry for name, entry in entries.items()}, *sides
    return turned


def assert_equal_models(problem: PlacementProblem) -> set[str]:
    """Compare twin and arrays; return the names of their rows, none if there is no twin."""
    arrays = placement_arrays(problem, materialise(problem.continuum))
    model = build(arrays, None, max_nonzeros=10**7)
    linear, is_max = model.linear, problem.objective.aggregate == "max"
    if any(nodes.size == 0 for nodes in model.choices.candidates):
        with pytest.raises(UnsupportedError, match="no node is left to w"):
            to_pyomo(problem)
        return set()
    twin = to_pyomo(problem)
    columns, rows = array_columns(linear), array_rows(linear)
    assert (len(columns), len(rows)) == (linear.n_variables, linear.n_rows)
    assert twin_columns(twin, is_max) == columns
    assert canonical(twin_rows(twin, is_max)) == canonical(rows)
    objective = generate_standard_repn(twin.objective.expr)
    assert objective.constant == linear.offset
    assert twin.objective.sense == pyo.minimize
    cost = linear.arrays().cost
    assert {linear.column_words(column): cost[column] for column in np.flatnonzero(cost)} == {
        in_words(variable, is_max): cost
        for variable, cost in zip(objective.linear_vars, objective.linear_coefs, strict=True)
        if cost
    }
    assert twin.unit_ns == model.unit_ns
    return {name for name, _ in rows}


@pytest.mark.parametrize("metric", ["sum_latency", "critical_path"])
@pytest.mark.parametrize("aggregate", ["sum", "max"])
def test_twin_equals_the_arrays(metric: str, aggregate: str) -> None:
    names = [
        assert_equal_models(
            random_problem(seed, metric=metric, aggregate=aggregate, max_placements=5000)
        )
        for seed in range(25)
    ]
    assert sum(map(bool, names)) > 12
    wanted = {
        ("sum_latency", "sum"): {"one_node", "leave", "reach"},
        ("sum_latency", "max"): {"worst"},
        ("critical_path", "sum"): {"finish", "early", "last", "through"},
        ("critical_path", "max"): {"finish", "early", "last", "through"},
    }
    assert wanted[metric, aggregate] <= set().union(*names)


@pytest.mark.parametrize(
    ("wishes", "name"),
    [
        ({"contended": True, "functions": 4, "nodes": 5}, "capacity"),
        ({"contended": True, "holds": True, "node_events": True, "workflows": 2}, "capacity"),
        ({"response_slo": True, "execution": True, "metric": "sum_latency"}, "finish"),
        ({"data_sources": True, "limits": True, "sizes": True}, "reach"),
        ({"bandwidths": True, "min_bandwidths": True, "forwarding": "store_and_forward"}, "leave"),
        ({"thermal": True, "metric": "critical_path"}, "early"),
        ({"shape": "diamond", "functions": 5, "nodes": 4, "metric": "critical_path"}, "through"),
    ],
)
def test_twin_equals_the_arrays_of_problems_of_every_kind(
    wishes: dict[str, Any], name: str
) -> None:
    names = [assert_equal_models(random_problem(seed, **wishes)) for seed in range(12)]
    assert sum(map(bool, names)) >= 3
    assert name in set().union(*names)


def test_equality_test_sees_a_changed_coefficient() -> None:
    problem = random_problem(0, metric="critical_path", shape="chain")
    twin = to_pyomo(problem)
    before = canonical(twin_rows(twin, is_max=False))
    row = next(iter(twin.leave.values()))
    variable = next(iter(generate_standard_repn(row.body).linear_vars))
    row.set_value(row.body + variable == 0)
    assert canonical(twin_rows(twin, is_max=False)) != before


# Solving, extending, reading


def solve(model: Any) -> float:
    pyo.SolverFactory("appsi_highs").solve(model)
    return float(pyo.value(model.objective)) * model.unit_ns / 1e6


def three_nodes() -> PlacementProblem:
    """Put f on a, which has no room for g; b is 1 ms away, and c 2 ms further."""
    return PlacementProblem(
        continuum=Continuum(
            nodes=NodeTable(
                id=("a", "b", "c"),
                kind=("edge",) * 3,
                architecture=("arm64",) * 3,
                capacity={"cpu_millis": np.array([1, 2, 2])},
            ),
            topology=ExplicitTopology(
                source=np.array([0, 1, 0]),
                target=np.array([1, 2, 2]),
                latency_ms=np.array([[1.0, 2.0, 5.0]]),
            ),
        ),
        workflows=(
            Workflow(
                id="w",
                functions=(
                    Function(id="f", pinned="a", demand={"cpu_millis": 1}),
                    Function(id="g", demand={"cpu_millis": 2}),
                ),
                edges=(DataEdge(source="f", target="g"),),
            ),
        ),
    )


def test_twin_of_three_nodes_is_as_derived_by_hand() -> None:
    problem = three_nodes()
    model = to_pyomo(problem)
    assert list(model.PLACES) == [("w/f", "a"), ("w/g", "b"), ("w/g", "c")]
    assert list(model.MOVES) == [("w/f", "w/g", "a", "b"), ("w/f", "w/g", "a", "c")]
    assert model.unit_ns == 1
    assert model.base_cost["w"] == 1_000_000
    assert model.move_cost["w/f", "w/g", "a", "c"] == 2_000_000
    assert solve(model) == 1.0
    solution = solution_of(model, problem)
    assert solution.node_of("w", "g") == "b"
    assert lt.verify(problem, solution).ok


def test_twin_with_a_forbidden_node_has_another_optimum() -> None:
    problem = three_nodes()
    model = to_pyomo(problem)
    model.not_on_b = pyo.Constraint(expr=model.place["w/g", "b"] == 0)
    assert solve(model) == 3.0
    assert solution_of(model, problem).node_of("w", "g") == "c"


def test_twin_with_another_objective_is_solved_for_it() -> None:
    model = to_pyomo(three_nodes())
    model.objective.deactivate()
    model.farthest = pyo.Objective(expr=model.latency["w"], sense=pyo.maximize)
    pyo.SolverFactory("appsi_highs").solve(model)
    assert pyo.value(model.farthest) == 3_000_000


def test_solved_twin_has_the_optimum_of_the_exact_method() -> None:
    problem = lt.generate(
        "wildfire", seed=1, satellites=144, edge=20, ground_stations=4, workflows=1
    )
    model = to_pyomo(problem)
    optimum = solve(model)
    assert optimum == lt.solve(problem, "exact").objective
    judged = lt.verify(problem, solution_of(model, problem))
    assert judged.ok
    assert judged.objective == optimum


@pytest.mark.parametrize("seed", range(20))
def test_solved_twins_of_random_problems_have_the_exact_optimum(seed: int) -> None:
    problem = random_problem(seed, metric="sum_latency", max_placements=2000, response_slo=False)
    exact = lt.solve(problem, "exact")
    if exact.status is lt.Status.INFEASIBLE:
        with pytest.raises((UnsupportedError, RuntimeError), match=r"no node is left|feasible"):
            solve(to_pyomo(problem))
        return
    assert exact.objective is not None
    model = to_pyomo(problem)
    optimum = solve(model)
    if model.unit_ns == 1:
        assert optimum == pytest.approx(exact.objective, abs=1e-9)
    else:
        assert optimum <= exact.objective
    assert lt.verify(problem, solution_of(model, problem)).ok


def test_twin_beyond_the_limit_is_refused() -> None:
    with pytest.raises(ModelTooLargeError, match="max_nonzeros = 1"):
        to_pyomo(three_nodes(), max_nonzeros=1)


def test_solution_of_an_unsolved_model_is_refused() -> None:
    problem = three_nodes()
    with pytest.raises(InputError, match="puts w/f on 0 nodes; is it solved"):
        solution_of(to_pyomo(problem), problem)


def test_solution_of_another_problem_is_refused() -> None:
    problem = three_nodes()
    model = to_pyomo(problem)
    solve(model)
    with pytest.raises(InputError, match="no model of this problem"):
        solution_of(model, problem.replace(id="another"))
