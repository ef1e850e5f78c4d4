"""Explanations of infeasible placement problems, against enumeration and planted reasons."""

from __future__ import annotations

import json
import threading
from itertools import product

import numpy as np
import pytest
from tests.oracle import brute_force
from tests.planted_conflicts import PLANTS, Planted, planted_problem
from tests.random_problems import random_problem
from tests.solvers.explain.placement.checks import (
    Rules,
    assert_is_irreducible,
    assert_no_single_rule_is_forgotten,
    assert_relaxations_are_least,
    by_engine,
    enumerated,
)

import leotrek_opt as lt
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.solvers.arrays.placement import placement_arrays
from leotrek_opt.solvers.explain.conflict import Conflict, ConflictSearch
from leotrek_opt.solvers.explain.corrections import smallest_hitting_set
from leotrek_opt.solvers.explain.explanation import Explanation
from leotrek_opt.solvers.explain.placement import explain, relaxed_problem, sentences_for
from leotrek_opt.solvers.explain.placement.book import RuleBook
from leotrek_opt.solvers.explain.placement.breaches import Breaches
from leotrek_opt.solvers.explain.placement.state import State
from leotrek_opt.solvers.explain.placement.surroundings import changes_others
from leotrek_opt.solvers.method import Budget, Progress
from leotrek_opt.solvers.status import Status
from leotrek_opt.topology.materialise import materialise

WISHES: tuple[dict[str, bool], ...] = (
    {"contended": True, "limits": True},
    {
        "contended": True,
        "node_events": True,
        "holds": True,
        "pinned": True,
        "architectures": True,
        "accelerators": True,
        "data_sources": True,
        "limits": True,
        "bandwidths": True,
        "min_bandwidths": True,
    },
    {
        "contended": True,
        "pinned": True,
        "limits": True,
        "bandwidths": True,
        "min_bandwidths": True,
        "sizes": True,
        "response_slo": True,
    },
    {},
    {"thermal": True, "node_events": True, "architectures": True, "pinned": True},
    {"response_slo": True, "execution": True, "limits": True},
)


def infeasible_problems(count: int, **also: bool) -> list[PlacementProblem]:
    """Return random problems that enumeration finds no placement for, though routes exist."""
    found: list[PlacementProblem] = []
    seed = 0
    while len(found) < count:
        wishes = WISHES[seed % len(WISHES)]
        problem = random_problem(seed, max_placements=4_000, **wishes, **also)
        seed += 1
        if brute_force(problem)[2] == 0 and enumerated(Rules(problem).only(set())):
            found.append(problem)
    return found


def assert_explains(problem: PlacementProblem, planted: Planted) -> Explanation:
    explanation = explain(problem)
    assert explanation.status is Status.INFEASIBLE
    assert {rule.id for rule in explanation.rules} in planted.conflicts
    assert explanation.is_irreducible
    assert "certificate" in explanation.confirmed_by
    assert explanation.relaxations
    assert len(explanation.relaxations[0].changes) == len(planted.conflicts)
    return explanation


@pytest.mark.parametrize("number", range(10))
def test_random_problems_are_explained_by_rules_that_are_all_needed(number: int) -> None:
    problem = infeasible_problems(number + 1)[-1]
    explanation = explain(problem)
    assert explanation.status is Status.INFEASIBLE
    assert_is_irreducible(problem, explanation, enumerated)
    assert_relaxations_are_least(problem, explanation, enumerated)
    assert_no_single_rule_is_forgotten(problem, explanation, enumerated)
    assert explanation.confirmed_by
    assert "placements" in explanation.needed_confirmed_by


@pytest.mark.parametrize("number", range(12))
def test_nodes_that_do_not_relay_are_reckoned_with(number: int) -> None:
    problem = infeasible_problems(number + 1, relay=True)[-1]
    explanation = explain(problem)
    assert explanation.status is Status.INFEASIBLE
    assert_is_irreducible(problem, explanation, enumerated)
    assert_relaxations_are_least(problem, explanation, enumerated)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["highs", "cpsat", "scip"])
def test_sixty_random_problems_are_confirmed_by_an_engine(engine: str) -> None:
    for problem in infeasible_problems(60):
        explanation = explain(problem)
        assert_is_irreducible(problem, explanation, enumerated)
        assert_is_irreducible(problem, explanation, by_engine(engine))
        assert_relaxations_are_least(problem, explanation, by_engine(engine))


@pytest.mark.parametrize("seed", range(len(PLANTS)))
def test_planted_conflict_is_found(seed: int) -> None:
    planted = planted_problem(seed)
    explanation = assert_explains(planted.problem, planted)
    assert explanation.is_smallest
    assert_relaxations_are_least(planted.problem, explanation, by_engine("highs"))


@pytest.mark.slow
def test_forty_planted_conflicts_are_found() -> None:
    for seed in range(40):
        planted = planted_problem(seed)
        assert_is_irreducible(
            planted.problem, assert_explains(planted.problem, planted), by_engine("cpsat")
        )


@pytest.mark.parametrize("seed", range(100, 103))
def test_one_of_two_planted_conflicts_is_found(seed: int) -> None:
    planted = planted_problem(seed, 2)
    explanation = assert_explains(planted.problem, planted)
    assert explanation.is_fewest
    for relaxation in explanation.relaxations:
        assert all(
            {c.rule for c in relaxation.changes} & conflict for conflict in planted.conflicts
        )


@pytest.mark.slow
def test_twenty_pairs_of_planted_conflicts() -> None:
    for seed in range(100, 120):
        planted = planted_problem(seed, 2)
        assert_explains(planted.problem, planted)


@pytest.mark.slow
@pytest.mark.parametrize("conflicts", [1, 2])
def test_planted_conflicts_are_the_only_ones(conflicts: int) -> None:
    has_placement = by_engine("highs")
    for seed in range(24):
        planted = planted_problem(seed, conflicts)
        rules = Rules(planted.problem)
        for conflict in planted.conflicts:
            assert not has_placement(rules.only(set(conflict)))
        for names in product(*planted.conflicts):
            assert has_placement(rules.without(set(names)))


def wildfire_that_is_too_far() -> tuple[PlacementProblem, set[str]]:
    """Pin two functions of a chain 1,118 nodes apart, 8 ms, and leave 5 ms to get there."""
    problem = lt.generate("wildfire", seed=1)
    workflows = list(problem.workflows)
    functions = list(workflows[1].functions)
    functions[2] = functions[2].replace(pinned="gs-1")
    functions[3] = functions[3].replace(pinned="edge-1", demand={})
    edges = list(workflows[1].edges)
    edges[2] = edges[2].replace(max_latency_ms=5.0)
    workflows[1] = workflows[1].replace(functions=tuple(functions), edges=tuple(edges))
    name = workflows[1].id
    return problem.replace(workflows=tuple(workflows)), {
        f"pinned:{name}/object-det",
        f"pinned:{name}/prepare-ds",
        f"max_latency:{name}/object-det->prepare-ds",
    }


def test_planted_conflict_is_found_among_1118_nodes() -> None:
    problem, planted = wildfire_that_is_too_far()
    explanation = explain(problem)
    assert {rule.id for rule in explanation.rules} == planted
    assert explanation.is_irreducible
    assert explanation.confirmed_by
    limit = next(r for r in explanation.relaxations if r.changes[0].kind == "max_latency")
    assert limit.changes[0].after == 8_251_861
    assert lt.solve(relaxed_problem(problem, limit)).status is Status.OPTIMAL


@pytest.mark.slow
def test_function_too_large_for_each_of_1118_nodes_is_explained() -> None:
    problem = lt.generate("wildfire", seed=1)
    workflows = list(problem.workflows)
    functions = list(workflows[2].functions)
    functions[2] = functions[2].replace(demand={"cpu_millis": 64_000})
    workflows[2] = workflows[2].replace(functions=tuple(functions))
    explanation = explain(problem.replace(workflows=tuple(workflows)))
    assert explanation.is_irreducible
    assert {rule.kind for rule in explanation.rules} == {"capacity"}
    assert len(explanation.sentences()) < 12
    best = explanation.relaxations[0].changes[0]
    assert (best.amount, best.before) == (32_000, 32_000)


def test_feasible_problem_comes_with_a_placement() -> None:
    drawn = (random_problem(seed, max_placements=4_000) for seed in range(99))
    problem = next(each for each in drawn if enumerated(each))
    explanation = explain(problem)
    assert explanation.status is Status.FEASIBLE
    assert explanation.solution is not None
    assert lt.verify(problem, explanation.solution).ok
    assert explanation.sentences() == ("there is nothing to explain: a placement keeps every rule",)


def test_missing_routes_are_no_rule() -> None:
    problem = random_problem(12, max_placements=20_000, infeasible=True, **WISHES[0])
    problem = next(
        candidate
        for candidate in (
            random_problem(seed, max_placements=4_000, **WISHES[1]) for seed in range(99)
        )
        if not enumerated(Rules(candidate).only(set()))
    )
    explanation = explain(problem)
    assert explanation.status is Status.INFEASIBLE
    assert explanation.rules == ()
    assert explanation.background
    assert explanation.sentences()[0] == "no placement exists, whatever rules are given up"


def test_same_seed_gives_the_same_explanation() -> None:
    problem = planted_problem(3, 2).problem
    first, second = (explain(problem, seed=7).replace(seconds=0.0) for _ in range(2))
    assert first == second


def test_explanation_is_a_document() -> None:
    explanation = explain(planted_problem(2).problem)
    text = explanation.model_dump_json()
    assert Explanation.model_validate_json(text) == explanation
    assert json.loads(text)["problem_digest"] == lt.digest(planted_problem(2).problem)


def test_no_time_leaves_the_question_open() -> None:
    explanation = explain(planted_problem(0).problem, time_limit_s=0.0)
    assert explanation.status is Status.NO_SOLUTION
    assert not explanation.rules


def test_cancelling_keeps_the_rules_left_so_far() -> None:
    cancel, events = threading.Event(), []

    def stop_soon(event: Progress) -> None:
        events.append(event)
        if len(events) == 2:
            cancel.set()

    planted = planted_problem(3, 2)
    explanation = explain(planted.problem, cancel=cancel, on_progress=stop_soon)
    assert explanation.status is Status.INFEASIBLE
    assert not explanation.is_irreducible
    kept = {rule.id for rule in explanation.rules}
    assert any(conflict <= kept for conflict in planted.conflicts)
    assert "perhaps" not in explanation.sentences()[0]
    assert "within these" in explanation.sentences()[0]


def test_without_confirmation_nothing_is_called_confirmed() -> None:
    explanation = explain(planted_problem(0).problem, confirm=False)
    assert explanation.is_irreducible
    assert explanation.confirmed_by == ()
    assert not any("confirmed" in sentence for sentence in explanation.sentences())


def test_sentences_for_a_result_name_the_rules() -> None:
    problem = planted_problem(0).problem
    series = materialise(problem.continuum)
    arrays = placement_arrays(problem, series)
    sentences = sentences_for(arrays, series, time_limit_s=10.0)
    assert sentences[0].startswith("no placement keeps these 2 rules together")
    assert any("capacity cpu_millis of node p0a (1000 mCPU)" in line for line in sentences)
    assert sentences_for(arrays, series, time_limit_s=0.0) == ()


def test_second_opinion_that_finds_a_placement_sends_the_search_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    truth = ConflictSearch.conflict
    said: list[frozenset[int]] = []

    def wrong_at_first(search: ConflictSearch) -> Conflict:
        found = truth(search)
        if not said:
            found = Conflict(found.rules - {min(found.rules)}, True, False)
        said.append(found.rules)
        return found

    monkeypatch.setattr(ConflictSearch, "conflict", wrong_at_first)
    planted = planted_problem(3)
    explanation = explain(planted.problem)
    assert len(said) == 2
    assert {rule.id for rule in explanation.rules} in planted.conflicts


@pytest.mark.parametrize("number", range(8))
def test_no_conflict_is_smaller_and_no_relaxation_has_fewer_rules(number: int) -> None:
    """Every placement of a small problem is looked at: what each breaks tells both."""
    problem = infeasible_problems(number + 1)[-1]
    book = RuleBook(problem, materialise(problem.continuum))
    if any(changes_others(book, rule) for rule in book.rules):
        return
    explanation = explain(problem, confirm=False)
    breaches = Breaches(book)
    nodes = range(book.arrays.n_nodes)
    states = (
        State(breaches, np.array(placement))
        for placement in product(nodes, repeat=book.arrays.n_functions)
    )
    broken = {state.broken for state in states if not state.is_cut_off}
    smallest, _ = smallest_hitting_set(broken, Budget())
    assert explanation.is_smallest
    assert len(explanation.rules) == len(smallest)
    assert explanation.is_fewest
    assert len(explanation.relaxations[0].changes) == min(map(len, broken))
