"""Rules one by one: which are listed, what leaving them out means, what a placement breaks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.oracle import brute_force
from tests.random_problems import random_problem
from tests.solvers.explain.placement.checks import Rules

from leotrek_opt.models.continuum import (
    CPU,
    Continuum,
    HeatProfile,
    NodeEvent,
    NodeTable,
    TimeGrid,
)
from leotrek_opt.models.placement import PlacementProblem, ThermalRule
from leotrek_opt.models.topology import ExplicitTopology
from leotrek_opt.models.workflow import (
    Accelerator,
    DataEdge,
    DataSource,
    Function,
    Workflow,
)
from leotrek_opt.solvers.arrays.placement import placement_arrays
from leotrek_opt.solvers.arrays.placement.objective import is_feasible
from leotrek_opt.solvers.explain.conflict import Verdict
from leotrek_opt.solvers.explain.placement.book import RuleBook
from leotrek_opt.solvers.explain.placement.breaches import Breaches
from leotrek_opt.solvers.explain.placement.core import beside_fixed, core_of
from leotrek_opt.solvers.explain.placement.edits import edited
from leotrek_opt.solvers.explain.placement.oracle import decide
from leotrek_opt.solvers.explain.placement.state import State
from leotrek_opt.solvers.explain.placement.surroundings import Surroundings, changes_others
from leotrek_opt.solvers.explain.placement.words import described
from leotrek_opt.solvers.method import Budget
from leotrek_opt.topology.materialise import materialise

EVERYTHING: dict[str, bool] = dict.fromkeys(
    (
        "contended",
        "node_events",
        "holds",
        "pinned",
        "architectures",
        "accelerators",
        "thermal",
        "data_sources",
        "limits",
        "bandwidths",
        "min_bandwidths",
        "sizes",
        "execution",
        "response_slo",
    ),
    True,
)


def book_of(problem: PlacementProblem) -> RuleBook:
    return RuleBook(problem, materialise(problem.continuum))


def rich_problem() -> PlacementProblem:
    """Three nodes in a row and two functions, with a rule of every kind."""
    return PlacementProblem(
        continuum=Continuum(
            nodes=NodeTable(
                id=("a", "b", "c"),
                kind=("edge",) * 3,
                architecture=("arm64", "x86_64", "arm64"),
                capacity={CPU: [1000, 4000, 9000]},
                accelerators={"gpu": [1, 2, 2]},
                heat_profile=[0, -1, -1],
            ),
            heat_profiles=(
                HeatProfile(
                    id="warm",
                    temperature_c=20.0,
                    orbit_base_temperature_c=30.0,
                    recommended_temperature_c=50.0,
                    max_temperature_c=62.5,
                    heating_c_per_core_minute=100.0,
                    radiated_c_per_minute=0.0,
                ),
            ),
            time=TimeGrid(steps=3),
            topology=ExplicitTopology(
                source=[0, 1],
                target=[1, 2],
                latency_ms=[[1.5, 2.25]],
                bandwidth_mbps=[[10.0, 1000.0]],
            ),
            events=(
                NodeEvent(step=1, node="c", available=False),
                NodeEvent(step=2, node="b", resource=CPU, capacity=2000),
            ),
        ),
        workflows=(
            Workflow(
                id="w",
                functions=(
                    Function(
                        id="f",
                        pinned="a",
                        demand={CPU: 1500},
                        execution_ms={"arm64": 60_000},
                    ),
                    Function(
                        id="g",
                        step=1,
                        demand={CPU: 3000},
                        accelerator=Accelerator(mode="gpu", count=2),
                        data_sources=(DataSource(id="eo", node="c", max_latency_ms=2.0),),
                    ),
                ),
                edges=(
                    DataEdge(source="f", target="g", max_latency_ms=1.0, min_bandwidth_mbps=100.0),
                ),
                response_time_slo_ms=0.5,
            ),
        ),
        thermal=ThermalRule(),
    )


WORDS = {
    "pinned:w/f": "pinned place of function w/f (node a)",
    "architecture:w/f": "architecture of function w/f (arm64)",
    "data_source:w/g:eo": "max latency of data source eo on node c to function w/g (2 ms)",
    "max_latency:w/f->g": "max latency of edge f -> g in workflow w (1 ms)",
    "min_bandwidth:w/f->g": "min bandwidth of edge f -> g in workflow w (100 Mbit/s)",
    "response_time:w": "response time of workflow w (0.5 ms)",
    "availability:c": "availability of node c (events at step 1)",
    "temperature:a": "temperature limit of node a (62.5 °C, heat profile warm)",
    "accelerator:gpu:a": "number of accelerators gpu of node a (1)",
    "capacity:cpu_millis:a": "capacity cpu_millis of node a (1000 mCPU)",
    "capacity:cpu_millis:b": "capacity cpu_millis of node b (2000 mCPU)",
}


def test_every_rule_that_can_bind_is_listed_in_words() -> None:
    book = book_of(rich_problem())
    found = [described(book, rule) for rule in book.rules]
    assert {rule.id: rule.words for rule in found} == WORDS


def test_each_rule_can_be_left_out() -> None:
    """The placement a, b breaks every rule that it can, and each rule mends exactly its own."""
    problem = rich_problem()
    book = book_of(problem)
    rules = Rules(problem)
    state = State(Breaches(book), np.array([0, 1]))
    names = [described(book, book.rules[number]).id for number in sorted(state.broken)]
    expected = set(WORDS) - {"pinned:w/f", "architecture:w/f", "availability:c"}
    assert set(names) == expected - {"accelerator:gpu:a"}
    for kept in names:
        arrays = placement_arrays(rules.without(set(names) - {kept}), book.series)
        assert not is_feasible(arrays, np.array([0, 1]))
    arrays = placement_arrays(rules.without(set(names)), book.series)
    assert is_feasible(arrays, np.array([0, 1]))


def test_rules_that_cannot_bind_are_not_listed() -> None:
    problem = rich_problem()
    roomy = problem.continuum.nodes.replace(
        capacity={CPU: np.full(3, 9000)}, accelerators={"gpu": np.full(3, 2)}, heat_profile=None
    )
    workflow = problem.workflows[0]
    free = workflow.functions[0].replace(pinned=None, execution_ms={"arm64": 1, "x86_64": 1})
    changed = problem.replace(
        continuum=problem.continuum.replace(nodes=roomy, events=()),
        workflows=(workflow.replace(functions=(free, workflow.functions[1]), edges=()),),
    )
    kinds = {rule.kind for rule in book_of(changed).rules}
    assert kinds == {"data_source", "response_time"}


def test_architecture_that_goes_runs_elsewhere_in_its_shortest_time() -> None:
    problem = rich_problem()
    rules = Rules(problem)
    function = rules.without({"architecture:w/f"}).workflows[0].functions[0]
    assert function.execution_ms == dict.fromkeys(("arm64", "x86_64", "riscv64"), 60_000)
    assert function.architectures == ()


def test_function_that_takes_no_room_where_it_is_pinned_takes_none_elsewhere() -> None:
    problem = rich_problem()
    workflow = problem.workflows[0]
    guest = workflow.functions[0].replace(reserves=False)
    changed = problem.replace(
        workflows=(workflow.replace(functions=(guest, workflow.functions[1])),)
    )
    function = Rules(changed).without({"pinned:w/f"}).workflows[0].functions[0]
    assert (function.pinned, function.reserves, function.demand) == (None, True, {})


def test_raising_a_capacity_raises_it_at_every_step() -> None:
    problem = rich_problem()
    rule = Rules(problem).by_id["capacity:cpu_millis:b"]
    changed = edited(problem, [], {rule: 412})
    assert changed.continuum.nodes.capacity[CPU].tolist() == [1000, 4412, 9000]
    assert changed.continuum.events[1].capacity == 2412
    assert changed.continuum.events[0] == problem.continuum.events[0]


@pytest.mark.parametrize(
    ("name", "amount", "expected"),
    [
        ("max_latency:w/f->g", 500_000, 1.5),
        ("min_bandwidth:w/f->g", 90_000_000, 10.0),
        ("data_source:w/g:eo", 1, 2.000001),
        ("response_time:w", 250_000, 0.75),
    ],
)
def test_numbers_change_by_exactly_the_amount(name: str, amount: int, expected: float) -> None:
    problem = rich_problem()
    workflow = edited(problem, [], {Rules(problem).by_id[name]: amount}).workflows[0]
    edge, source = workflow.edges[0], workflow.functions[1].data_sources[0]
    found = {
        "max_latency": edge.max_latency_ms,
        "min_bandwidth": edge.min_bandwidth_mbps,
        "data_source": source.max_latency_ms,
        "response_time": workflow.response_time_slo_ms,
    }
    assert found[name.partition(":")[0]] == expected


def test_demands_beyond_any_capacity_can_be_left_out_too() -> None:
    problem = rich_problem()
    workflow = problem.workflows[0]
    huge = tuple(
        function.replace(demand={CPU: 10**12}, pinned=None, execution_ms={})
        for function in workflow.functions
    )
    changed = problem.replace(workflows=(workflow.replace(functions=huge),), thermal=None)
    rules = Rules(changed)
    arrays = placement_arrays(rules.only(set()), materialise(changed.continuum))
    assert is_feasible(arrays, np.array([1, 1]))


def test_floor_that_goes_never_allows_a_transmission_beyond_exact_arithmetic() -> None:
    problem = rich_problem()
    workflow = problem.workflows[0]
    edge = workflow.edges[0].replace(size_bytes=10**13)
    changed = problem.replace(workflows=(workflow.replace(edges=(edge,)),))
    found = Rules(changed).without({"min_bandwidth:w/f->g"}).workflows[0].edges[0]
    assert found.min_bandwidth_mbps == pytest.approx(8e22 / 2**53 / 1e6, rel=1e-6)


@pytest.mark.parametrize("seed", range(24))
def test_what_a_placement_breaks_is_what_has_to_go(seed: int) -> None:
    """A placement keeps the problem without the rules it breaks, and with any one of them not."""
    wishes: dict[str, Any] = EVERYTHING if seed % 2 else {}
    problem = random_problem(seed, nodes=5, functions=3, **wishes)
    book = book_of(problem)
    breaches = Breaches(book)
    rng = np.random.default_rng(seed)
    for _ in range(6):
        placement = rng.integers(0, 5, book.arrays.n_functions)
        state = State(breaches, placement)
        if state.is_cut_off:
            assert not is_feasible(book.bare, placement)
            continue
        removed = [book.rules[number] for number in state.broken]
        arrays = placement_arrays(edited(problem, removed), book.series)
        assert is_feasible(arrays, placement)
        hidden = {r for r in removed if changes_others(book, r)}
        for rule in removed if not hidden else ():
            others = [other for other in removed if other != rule]
            arrays = placement_arrays(edited(problem, others), book.series)
            assert not is_feasible(arrays, placement)


@pytest.mark.parametrize("seed", range(12))
def test_neighbours_break_what_they_are_said_to_break(seed: int) -> None:
    problem = random_problem(seed, nodes=4, functions=3, workflows=1, **EVERYTHING)
    book = book_of(problem)
    breaches = Breaches(book)
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(0, 4, book.arrays.n_functions) for _ in range(99))
    states = (State(breaches, placement) for placement in drawn)
    state = next((each for each in states if not each.is_cut_off), None)
    if state is None:
        return
    everything = np.append(np.ones(len(book), dtype=bool), False)
    found = 0
    for broken, nodes in state.neighbours(everything, len(book)):
        moved = State(breaches, nodes)
        assert not moved.is_cut_off
        assert moved.broken == broken
        found += 1
    assert found or not state.involved(everything)


@pytest.mark.parametrize("seed", range(16))
def test_corrections_start_with_one_that_breaks_nothing_kept(seed: int) -> None:
    problem = random_problem(seed, max_placements=3000, **EVERYTHING)
    book = book_of(problem)
    rng = np.random.default_rng(seed)
    kept = frozenset(np.flatnonzero(rng.random(len(book)) < 0.3).tolist())
    removed = [rule for number, rule in enumerate(book.rules) if number not in kept]
    arrays = placement_arrays(edited(problem, removed), book.series)
    found = decide(arrays, book.series, Budget())
    if found.assignment is None:
        assert brute_force(arrays.problem)[2] == 0
        return
    around = Surroundings(book, Budget()).corrections(
        found.assignment, kept, frozenset(range(len(book)))
    )
    first = next(iter(around))
    assert not first & kept
    for broken, placement in around.items():
        changed = edited(problem, [book.rules[number] for number in broken])
        assert is_feasible(placement_arrays(changed, book.series), placement)


@pytest.mark.parametrize("seed", range(40))
def test_decision_and_core_agree_with_enumeration(seed: int) -> None:
    wishes: dict[str, Any] = EVERYTHING if seed % 4 == 0 else {"contended": True}
    problem = random_problem(seed, max_placements=3000, **wishes)
    book = book_of(problem)
    rng = np.random.default_rng(seed)
    for share in (0.0, 0.3, 0.7):
        removed = [rule for rule in book.rules if rng.random() < share]
        changed = edited(problem, removed)
        arrays = placement_arrays(changed, book.series)
        has_placement = brute_force(changed)[2] > 0
        found = decide(arrays, book.series, Budget())
        assert found.verdict is (Verdict.FEASIBLE if has_placement else Verdict.INFEASIBLE)
        core = core_of(arrays, book.series)
        assert core.arrays is not None or has_placement
        tightened = beside_fixed(arrays)
        if found.assignment is not None:
            assert is_feasible(arrays, found.assignment)
            rows = np.arange(arrays.n_functions)
            assert tightened.allowed[rows, found.assignment].all()
