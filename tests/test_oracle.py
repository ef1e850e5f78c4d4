"""Oracle and checker hold each other: two programs without common code agree on random problems."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from tests.oracle import Oracle, brute_force, random_problem
from tests.random_problems import SHAPES, Shape

from leotrek_opt.evaluation.placement import evaluate
from leotrek_opt.models.continuum import Continuum, NodeTable
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.models.topology import ExplicitTopology
from leotrek_opt.models.workflow import DataEdge, Function, Workflow

PROBLEMS = 240
BATCH = 20
SURVEYED = 120


def line_problem(cpu_millis: tuple[int, int, int]) -> PlacementProblem:
    """Return f -> g, 1000 cpu_millis each, on a - b - c with 1 and 2 ms."""
    return PlacementProblem(
        continuum=Continuum(
            nodes=NodeTable(
                id=("a", "b", "c"),
                kind=("edge",) * 3,
                architecture=("arm64",) * 3,
                capacity={"cpu_millis": np.array(cpu_millis)},
            ),
            topology=ExplicitTopology(
                source=np.array([0, 1]),
                target=np.array([1, 2]),
                latency_ms=np.array([[1.0, 2.0]]),
            ),
        ),
        workflows=(
            Workflow(
                id="w",
                functions=tuple(Function(id=name, demand={"cpu_millis": 1000}) for name in "fg"),
                edges=(DataEdge(source="f", target="g"),),
            ),
        ),
    )


def test_oracle_counts_and_picks_the_first_best_by_hand() -> None:
    # All nine pairs fit; both on one node costs nothing, and (a, a) comes first.
    objective, solution, feasible = brute_force(line_problem((2000, 2000, 2000)))
    assert (objective, feasible) == (0, 9)
    assert solution is not None
    assert [entry.node for entry in solution.assignments] == ["a", "a"]
    # One function per node leaves six ordered pairs, the cheapest a-b with 1 ms.
    objective, solution, feasible = brute_force(line_problem((1000, 1000, 1000)))
    assert (objective, feasible) == (1_000_000, 6)
    # b is full: a-c with 1 + 2 ms in either order.
    assert brute_force(line_problem((1000, 999, 1000)))[::2] == (3_000_000, 2)
    assert brute_force(line_problem((1000, 0, 0))) == (None, None, 0)


@pytest.mark.parametrize("first", range(0, PROBLEMS, BATCH))
def test_best_of_the_oracle_is_clean_and_worth_the_same(first: int) -> None:
    for seed in range(first, first + BATCH):
        problem = random_problem(seed)
        objective, solution, feasible = brute_force(problem)
        assert (solution is None) == (objective is None) == (feasible == 0)
        if solution is not None:
            evaluation = evaluate(problem, solution)
            assert evaluation.violations == (), seed
            assert evaluation.objective_ns == objective, seed


@pytest.mark.parametrize("first", range(0, PROBLEMS, BATCH))
def test_random_placements_are_judged_alike(first: int) -> None:
    for seed in range(first, first + BATCH):
        oracle = Oracle(random_problem(seed))
        placements = sample(oracle, seed)
        feasible, objective = oracle.judge(placements)
        for row, keeps, value in zip(placements, feasible, objective, strict=True):
            evaluation = evaluate(oracle.problem, oracle.solution(row))
            assert (evaluation.violations == ()) == keeps, (seed, row, evaluation.violations)
            if keeps:
                assert evaluation.objective_ns == value, (seed, row)


def sample(oracle: Oracle, seed: int) -> np.ndarray:
    """Return placements drawn from all, from those allowed one by one, and from the feasible."""
    rng = np.random.default_rng(seed)
    anywhere = rng.integers(0, oracle.nodes, (4, len(oracle.functions)))
    allowed = oracle.placements()
    feasible = allowed[oracle.judge(allowed)[0]]
    drawn = [rng.permutation(group)[:4] for group in (allowed, feasible)]
    return np.concatenate([anywhere, *drawn])


def test_random_problems_meet_every_rule_and_both_outcomes() -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(SURVEYED):
        oracle = Oracle(random_problem(seed))
        outcomes["feasible" if brute_force(oracle.problem)[2] else "infeasible"] += 1
        placement = np.random.default_rng(seed).integers(0, oracle.nodes, len(oracle.functions))
        found = evaluate(oracle.problem, oracle.solution(placement)).violations
        outcomes.update({violation.rule for violation in found})
        traits = (
            oracle.problem.objective.metric,
            oracle.problem.objective.aggregate,
            oracle.problem.forwarding,
            f"{len(oracle.problem.workflows)} workflows",
        )
        outcomes.update(traits)
    rules = {
        "pinned",
        "architecture",
        "accelerator",
        "availability",
        "capacity",
        "temperature",
        "route",
        "max_latency",
        "data_source",
        "response_time",
    }
    traits_seen = {"critical_path", "max", "store_and_forward", "1 workflows", "2 workflows"}
    assert rules | traits_seen <= set(outcomes)
    assert min(outcomes[name] for name in rules) >= 5
    assert outcomes["feasible"] > SURVEYED / 2
    assert outcomes["infeasible"] > SURVEYED / 10


def test_same_seed_gives_the_same_problem_and_another_seed_another() -> None:
    assert random_problem(7) == random_problem(7)
    assert random_problem(7) != random_problem(8)


def test_problems_made_impossible_are_infeasible() -> None:
    for seed in range(40):
        problem = random_problem(seed, infeasible=True)
        assert brute_force(problem) == (None, None, 0)


@pytest.mark.parametrize(
    ("shape", "edges"), [("chain", 3), ("tree", 3), ("diamond", 4), ("dag", None), (None, None)]
)
def test_shape_is_as_wished(shape: Shape | None, edges: int | None) -> None:
    for seed in range(10):
        problem = random_problem(seed, shape=shape, functions=4, workflows=1)
        (workflow,) = problem.workflows
        assert len(workflow.functions) == 4
        assert edges is None or len(workflow.edges) == edges
    assert len(SHAPES) == 5


def test_wishes_are_met() -> None:
    problem = random_problem(
        3,
        nodes=5,
        workflows=2,
        functions=3,
        steps=2,
        metric="critical_path",
        aggregate="max",
        forwarding="store_and_forward",
        thermal=True,
        node_events=True,
        bandwidths=True,
        response_slo=True,
        pinned=False,
        holds=False,
    )
    assert len(problem.continuum.nodes) == 5
    assert [len(workflow.functions) for workflow in problem.workflows] == [3, 3]
    assert problem.continuum.time.steps == 2
    assert problem.objective.name.startswith("max critical_path")
    assert problem.forwarding == "store_and_forward"
    assert problem.thermal is not None
    assert problem.continuum.events
    topology = problem.continuum.topology
    assert isinstance(topology, ExplicitTopology)
    assert topology.bandwidth_mbps is not None
    for workflow in problem.workflows:
        assert workflow.response_time_slo_ms is not None
        for function in workflow.functions:
            assert function.pinned is None
            assert function.hold == "forever"


def test_too_many_placements_are_refused() -> None:
    problem = random_problem(
        0,
        nodes=8,
        workflows=2,
        functions=5,
        pinned=False,
        architectures=False,
        thermal=False,
        node_events=False,
        execution=False,
    )
    with pytest.raises(ValueError, match="1073741824 placements are too many"):
        brute_force(problem)
