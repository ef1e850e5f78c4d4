"""The CP-SAT engine: right answers, honest status, limits, cancelling, and nothing on stdout."""

from __future__ import annotations

import itertools
import json
import math
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.solvers.engines.small_models import (
    knapsack,
    market_split,
    random_mixed_model,
    random_model,
    toy,
)

from leotrek_opt.errors import EngineError, InputError, UnsupportedError
from leotrek_opt.solvers.engines import cpsat as cpsat_module
from leotrek_opt.solvers.engines import engine_named, runs
from leotrek_opt.solvers.engines.cpsat import CpSatEngine, native
from leotrek_opt.solvers.engines.protocol import (
    Engine,
    EngineEvent,
    Feature,
    Limits,
    Termination,
)
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.status import Status

ENGINE = CpSatEngine()
SAFETY = 60.0
"""A limit that no test reaches unless something is broken."""
IN_HALVES = {"continuous_steps": 2}


# Answers


def test_assignment_has_its_hand_derived_optimum() -> None:
    model = LinearModel(offset=100)
    place = model.add_variables(
        (2, 3), lower=0, upper=1, cost=[[4, 2, 8], [1, 2, 3]], integer=True, name="place"
    )
    model.add_rows(place, lower=1, upper=1, name="assign")
    model.add_rows(place.T, upper=1, name="capacity")
    result = ENGINE.solve(model)
    assert result.status is Status.OPTIMAL
    assert result.termination is Termination.PROVEN
    assert result.objective == result.bound == 103
    assert isinstance(result.objective, int)
    assert isinstance(result.bound, int)
    assert result.claimed_objective == 103
    assert result.values is not None
    assert result.values.reshape(2, 3).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_random_models_agree_with_enumeration() -> None:
    rng = np.random.default_rng(915)
    feasible = 0
    for _ in range(120):
        model, optimum = random_model(rng)
        result = ENGINE.solve(model)
        if optimum is None:
            assert result.status is Status.INFEASIBLE
            assert (result.values, result.bound) == (None, None)
        else:
            feasible += 1
            assert result.status is Status.OPTIMAL
            assert result.objective == result.bound == optimum
            assert result.values is not None
            assert model.violations_of(result.values) == []
    assert 40 < feasible < 115


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"presolve": "off"}, {"cuts": "off"}])
def test_many_random_models_agree_with_enumeration(options: dict[str, object]) -> None:
    rng = np.random.default_rng(2_026)
    for i in range(1500):
        model, optimum = random_model(rng)
        result = ENGINE.solve(model, Limits(seed=i, threads=1 + i % 2), options=options)
        if optimum is None:
            assert result.status is Status.INFEASIBLE
        else:
            assert result.status is Status.OPTIMAL
            assert result.objective == result.bound == optimum


def test_columns_implied_to_be_integer_are_taken_as_integers() -> None:
    model = LinearModel()
    x = model.add_variables(3, lower=0, upper=1, cost=[2, 1, 2], integer=True, name="x")
    y = model.add_variables((3, 3), lower=0, upper=1, cost=3, implied_integer=True, name="y")
    model.add_rows(x, lower=1, upper=1, name="choose")
    model.add_rows(np.c_[y, x], [[1, 1, 1, -1]], lower=0, upper=0, name="out")
    model.add_rows(np.c_[y.T, x], [[1, 1, 1, -1]], lower=0, upper=0, name="in")
    result = ENGINE.solve(model)
    assert (result.status, result.objective) == (Status.OPTIMAL, 4)
    assert result.values is not None
    assert result.values[y].tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_rows_are_rounded_to_integers_before_the_search() -> None:
    # 6x + 10y >= 23 is 3x + 5y >= 12, and 2x - 4y = 1 has no integer point.
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=9, cost=[3, 5], integer=True, name="x")
    model.add_rows(x, [6, 10], lower=23, name="demand")
    result = ENGINE.solve(model)
    assert (result.objective, result.bound) == (12, 12)
    model.add_rows(x, [2, -4], lower=1, upper=1, name="parity")
    assert ENGINE.solve(model).status is Status.INFEASIBLE


@pytest.mark.parametrize("minimise", [False, True])
def test_objective_beyond_floats_stays_exact(minimise: bool) -> None:
    sign, offset = 1 if minimise else -1, 10**30 + 1
    model = LinearModel(minimise=minimise, offset=offset)
    x = model.add_variables(
        2, lower=0, upper=2**10, cost=[sign * (2**50 + 1), sign * 2**49], integer=True, name="x"
    )
    model.add_rows(x, lower=2**11 - 1, name="nearly_all")
    result = ENGINE.solve(model)
    assert result.status is Status.OPTIMAL
    inner = (2**10 - 1) * (2**50 + 1) + 2**10 * 2**49
    assert result.objective == result.bound == offset + sign * inner


def test_empty_models_are_solved() -> None:
    assert ENGINE.solve(LinearModel(offset=5)).objective == 5
    model = LinearModel()
    model.add_variables(2, lower=-2, upper=3, cost=[1, -1], integer=True, name="x")
    assert ENGINE.solve(model).objective == -5
    model = LinearModel()
    model.add_rows([], lengths=[0], lower=1, upper=1, name="impossible")
    assert ENGINE.solve(model).status is Status.INFEASIBLE


def test_model_without_costs_is_optimal_at_any_point() -> None:
    model = LinearModel(offset=3)
    x = model.add_variables(3, lower=0, upper=5, integer=True, name="x")
    model.add_rows(x, [2, 3, 5], lower=7, upper=7, name="r")
    result = ENGINE.solve(model)
    assert (result.status, result.objective, result.bound) == (Status.OPTIMAL, 3, 3)
    nothing = ENGINE.solve(model, Limits(cutoff=3))
    assert (nothing.status, nothing.bound) == (Status.NO_SOLUTION, 3)
    assert ENGINE.solve(model, Limits(cutoff=4)).objective == 3


@pytest.mark.reference
@pytest.mark.parametrize("name", ["place-small-1", "gap-d-small", "mkp-max-1"])
def test_reference_models_have_their_optima(reference_data: Path, name: str) -> None:
    folder = reference_data / "solvers"
    document = json.loads((folder / "instances" / f"{name}.json").read_text(encoding="utf-8"))
    columns, rows, matrix = (document[key] for key in ("columns", "rows", "matrix"))
    is_integer = np.array(columns["integer"], dtype=bool)
    model = LinearModel(minimise=document["sense"] == "min", offset=document["objective_offset"])
    x = model.add_variables(
        is_integer.size,
        lower=columns["lower"],
        upper=columns["upper"],
        cost=columns["objective"],
        integer=is_integer,
        implied_integer=~is_integer,
        name="x",
    )
    model.add_rows(
        x[matrix["indices"]],
        matrix["data"],
        indptr=matrix["indptr"],
        lower=[-math.inf if low is None else low for low in rows["lower"]],
        upper=[math.inf if high is None else high for high in rows["upper"]],
        name="r",
    )
    stored = (folder / "bks.csv").read_text(encoding="utf-8").splitlines()
    header = stored[0].split(",")
    row = next(line.split(",") for line in stored if line.startswith(f"{name},"))
    result = ENGINE.solve(model, Limits(time_limit_s=SAFETY))
    assert result.status is Status.OPTIMAL
    assert result.objective == result.bound == int(row[header.index("objective")])


# Continuous columns


def test_continuous_columns_are_refused_unless_steps_are_given() -> None:
    with pytest.raises(UnsupportedError, match=r"continuous; option continuous_steps=k"):
        ENGINE.solve(toy())


def test_steps_give_a_feasible_point_and_no_proof() -> None:
    # x = 4.5 lies on halves; in thirds the next is 14/3, which costs 28/3.
    result = ENGINE.solve(toy(), options=IN_HALVES)
    assert (result.status, result.termination) == (Status.FEASIBLE, Termination.ENGINE_LIMIT)
    assert (result.objective, result.bound) == (9, None)
    assert result.values is not None
    assert result.values.tolist() == [4.5, 0]
    result = ENGINE.solve(toy(), options={"continuous_steps": 3})
    assert result.objective == pytest.approx(28 / 3)
    assert result.values is not None
    assert result.values[0] == 14 / 3
    result = ENGINE.solve(toy(), options={"continuous_steps": 1})
    assert (result.objective, result.bound, result.status) == (10, None, Status.FEASIBLE)


def test_no_point_on_the_steps_does_not_mean_infeasible() -> None:
    model = LinearModel()
    x = model.add_variables(1, lower=0, upper=1, name="x")
    model.add_rows(x, 3, lower=[1], upper=[1], name="third")
    result = ENGINE.solve(model, options=IN_HALVES)
    assert (result.status, result.termination) == (Status.NO_SOLUTION, Termination.ENGINE_LIMIT)
    assert (result.values, result.bound) == (None, None)
    result = ENGINE.solve(model, options={"continuous_steps": 6})
    assert result.values is not None
    assert result.values.tolist() == [1 / 3]


def test_steps_reach_the_optimum_where_it_is_on_them() -> None:
    rng = np.random.default_rng(41)
    seen = set()
    for _ in range(60):
        oracle = random_mixed_model(rng)
        is_mixed = bool(np.any(oracle.model.arrays().kind == 0))
        seen.add((is_mixed, oracle.optimum is None))
        result = ENGINE.solve(oracle.model, options={"continuous_steps": 1})
        assert result.objective == oracle.optimum
        if is_mixed:
            assert result.bound is None
            assert result.status in {Status.FEASIBLE, Status.NO_SOLUTION}
        else:
            assert result.bound == oracle.optimum
            assert result.status in {Status.OPTIMAL, Status.INFEASIBLE}
    assert len(seen) >= 3


def test_events_say_no_bound_with_steps() -> None:
    events: list[EngineEvent] = []
    ENGINE.solve(toy(), on_event=events.append, options=IN_HALVES)
    incumbents = [event for event in events if event.values is not None]
    assert incumbents[-1].objective == 9
    assert {event.bound for event in events} == {None}


def test_steps_take_a_start_between_them_and_never_lose_it() -> None:
    result = ENGINE.solve(toy(), warm_start=[4.6, 0], options={"continuous_steps": 1})
    assert result.objective == pytest.approx(9.2)
    result = ENGINE.solve(toy(), warm_start=[9.2, 0], options={"continuous_steps": 1})
    assert result.objective == 10


def test_steps_know_no_gap() -> None:
    with pytest.raises(UnsupportedError, match="no gap"):
        ENGINE.solve(toy(), Limits(relative_gap=0.1), options=IN_HALVES)


def test_infinite_bounds_are_taken_where_rows_imply_others() -> None:
    model = LinearModel(minimise=False)
    x = model.add_variables(2, lower=0, upper=math.inf, cost=[2, 3], name="x")
    model.add_rows(x, [2, 4], upper=9, name="room")
    result = ENGINE.solve(model, options=IN_HALVES)
    assert result.objective == 9
    model.add_variables(1, lower=0, upper=math.inf, name="free")
    with pytest.raises(UnsupportedError, match=r"free\[0\]"):
        ENGINE.solve(model, options=IN_HALVES)


# Status


def test_every_end_of_cpsat_is_mapped_or_raises() -> None:
    known = {ended.name for ended in cpsat_module._TERMINATIONS}
    assert known | {"MODEL_INVALID"} == set(native.CpSolverStatus.__members__)


def test_unmapped_end_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpsat_module, "_TERMINATIONS", {})
    with pytest.raises(EngineError, match="OPTIMAL"):
        ENGINE.solve(knapsack(3, 3, 5))


def test_invalid_model_raises_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def invalid(_: object) -> native.CpModelProto:
        proto = native.CpModelProto()
        proto.variables.add().domain.extend((3, 2))
        return proto

    monkeypatch.setattr(cpsat_module, "native_model", invalid)
    with pytest.raises(EngineError, match=r"does not take the model: .*domain"):
        ENGINE.solve(knapsack(3, 3, 5))


def test_rows_that_overflow_are_refused_by_name() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=2**40, integer=True, name="x")
    model.add_rows(x, [2**30, 1], upper=9, name="narrow")
    with pytest.raises(UnsupportedError, match=r"row narrow\S* may reach"):
        ENGINE.solve(model)


def test_sums_just_below_the_limit_are_solved() -> None:
    model = LinearModel(minimise=False)
    x = model.add_variables(2, lower=0, upper=2**31 - 1, cost=1, integer=True, name="x")
    model.add_rows(x, [2**30 - 1, 2**30 - 2], upper=2**50, name="room")
    result = ENGINE.solve(model)
    assert result.status is Status.OPTIMAL
    assert result.objective == 2**50 // (2**30 - 2)


# Limits


def test_stopping_within_a_gap_is_feasible_not_optimal() -> None:
    model = knapsack(3, 3, 22)
    result = ENGINE.solve(model, Limits(relative_gap=0.1, time_limit_s=SAFETY))
    assert (result.status, result.termination) == (Status.FEASIBLE, Termination.GAP)
    assert result.objective is not None
    assert result.bound is not None
    assert 0 < result.bound - result.objective <= 0.1 * result.objective
    result = ENGINE.solve(model, Limits(absolute_gap=300, time_limit_s=SAFETY))
    assert result.termination is Termination.GAP
    assert result.objective is not None
    assert result.bound is not None
    assert 0 < result.bound - result.objective <= 300
    assert ENGINE.solve(model, Limits(absolute_gap=0)).status is Status.OPTIMAL


def test_relative_gap_counts_the_offset() -> None:
    """With a large constant the first solution found is within one part in a thousand."""
    model = knapsack(3, 3, 22).copy(offset=10**9)
    events: list[EngineEvent] = []
    result = ENGINE.solve(model, Limits(relative_gap=1e-3), on_event=events.append)
    assert (result.status, result.termination) == (Status.FEASIBLE, Termination.GAP)
    assert result.solution_count == 1


def test_no_time_gives_no_solution_and_no_bound() -> None:
    result = ENGINE.solve(knapsack(3, 3, 5), Limits(time_limit_s=0))
    assert (result.status, result.termination) == (Status.NO_SOLUTION, Termination.TIME_LIMIT)
    assert (result.values, result.objective, result.bound) == (None, None, None)


def test_short_time_keeps_the_best_solution_and_its_bound() -> None:
    model = market_split(1)
    result = ENGINE.solve(model, Limits(time_limit_s=1))
    assert (result.status, result.termination) == (Status.FEASIBLE, Termination.TIME_LIMIT)
    assert result.values is not None
    assert model.violations_of(result.values) == []
    assert result.objective == model.objective_of(result.values)
    assert result.bound is not None
    assert result.bound <= result.objective
    # Loosely: a limit that is not kept ends at the timeout of the tests.
    assert 0.9 < result.seconds < 20


def test_unknown_bound_is_none_not_zero() -> None:
    """CP-SAT says 0 where it knows nothing, also if the optimum is below."""
    model = knapsack(3, 30, 300)
    cheap = LinearModel()
    x = cheap.add_variables(
        300, lower=0, upper=1, cost=-model.arrays().cost, integer=True, name="x"
    )
    cheap.add_rows(x, lower=1, name="some")
    result = ENGINE.solve(cheap, options={"stop_after_presolve": True})
    assert result.termination is Termination.ENGINE_LIMIT
    assert result.status is Status.NO_SOLUTION
    assert result.bound is None or result.bound <= cheap.objective_of(np.ones(300))


def test_repeatable_limits_are_options_and_end_as_engine_limits() -> None:
    options = {"max_number_of_conflicts": 50}
    runs = [ENGINE.solve(knapsack(0, 10, 60), Limits(seed=3), options=options) for _ in range(2)]
    assert runs[0].termination is Termination.ENGINE_LIMIT
    assert runs[0].status is Status.FEASIBLE
    assert (runs[0].objective, runs[0].bound) == (runs[1].objective, runs[1].bound)


@pytest.mark.parametrize("seed", [0, 7])
def test_same_seed_takes_the_same_way(seed: int) -> None:
    model = knapsack(0, 5, 20)
    first, second = (ENGINE.solve(model, Limits(seed=seed)) for _ in range(2))
    assert first.values is not None
    assert second.values is not None
    assert np.array_equal(first.values, second.values)
    assert (first.nodes, first.iterations) == (second.nodes, second.iterations)
    assert first.nodes > 0


def test_threads_and_presolve_do_not_change_the_optimum() -> None:
    model = knapsack(3, 3, 22)
    words: list[dict[str, object]] = [
        {},
        {"presolve": "off"},
        {"cuts": "off"},
        {"heuristics": "off"},
        {"linearization_level": 0},
    ]
    for threads, options in [(1, word) for word in words] + [(2, word) for word in words]:
        result = ENGINE.solve(model, Limits(threads=threads, time_limit_s=SAFETY), options=options)
        assert (result.status, result.objective) == (Status.OPTIMAL, 4366)


def test_cutoff_never_makes_a_claim_beyond_itself() -> None:
    rng = np.random.default_rng(77)
    seen = dict.fromkeys((Status.OPTIMAL, Status.FEASIBLE, Status.NO_SOLUTION), 0)
    for _ in range(100):
        model, optimum = random_model(rng)
        if optimum is None:
            continue
        sense = 1 if model.minimise else -1
        cutoff = optimum + float(rng.choice([-4, -1, -0.5, 0, 0, 0.5, 1, 2, 5]))
        result = ENGINE.solve(model, Limits(cutoff=cutoff))
        seen[result.status] += 1
        assert result.bound is not None
        assert sense * (result.bound - optimum) <= 0
        if sense * (cutoff - optimum) > 0:
            assert result.status is Status.OPTIMAL
            assert result.objective == result.bound == optimum
        else:
            assert result.status is Status.NO_SOLUTION
            assert result.termination is Termination.CUTOFF
            assert sense * (result.bound - cutoff) >= 0
    assert seen[Status.OPTIMAL] > 15
    assert seen[Status.NO_SOLUTION] > 15


def test_start_at_the_cutoff_is_proven_by_it() -> None:
    model = knapsack(3, 3, 15)
    best = ENGINE.solve(model)
    assert best.objective is not None
    result = ENGINE.solve(model, Limits(cutoff=best.objective), warm_start=best.values)
    assert (result.status, result.objective) == (Status.OPTIMAL, best.objective)
    worse = ENGINE.solve(model, Limits(cutoff=best.objective), warm_start=np.zeros(15))
    assert (worse.status, worse.termination) == (Status.FEASIBLE, Termination.CUTOFF)
    assert (worse.objective, worse.bound) == (0, best.objective)


def test_target_stops_at_a_solution_as_good() -> None:
    model = knapsack(3, 3, 22)
    close = ENGINE.solve(model, Limits(target=4000, time_limit_s=SAFETY))
    assert (close.status, close.termination) == (Status.FEASIBLE, Termination.TARGET)
    assert close.objective is not None
    assert 4000 <= close.objective <= 4366
    exact = ENGINE.solve(model, Limits(target=4366, time_limit_s=SAFETY))
    assert exact.objective == 4366


@pytest.mark.parametrize("limits", [Limits(max_nodes=5), Limits(memory_limit_mib=100)])
def test_limits_that_cpsat_does_not_keep_are_refused(limits: Limits) -> None:
    with pytest.raises(UnsupportedError, match=r"cpsat does not offer: (node|memory)_limit"):
        ENGINE.solve(knapsack(3, 3, 5), limits)


# Warm starts


def test_warm_started_runs_are_never_worse_than_the_start() -> None:
    rng = np.random.default_rng(5)
    for seed in range(4):
        model = knapsack(seed, 4, 16)
        start = np.zeros(16)
        for column in rng.permutation(16):
            start[column] = 1
            if model.violations_of(start):
                start[column] = 0
        begin = model.objective_of(start)
        for limits, options in (
            (Limits(time_limit_s=0), {}),
            (Limits(), {"max_number_of_conflicts": 0}),
            (Limits(target=begin), {}),
            (Limits(), {}),
        ):
            events: list[EngineEvent] = []
            result = ENGINE.solve(
                model, limits, warm_start=start, options=options, on_event=events.append
            )
            assert result.objective is not None
            assert result.objective >= begin
            first = next((event for event in events if event.values is not None), None)
            assert first is None or first.objective >= begin  # type: ignore[operator]


def test_complete_start_is_the_first_solution() -> None:
    model = knapsack(3, 3, 22)
    start = np.zeros(22)
    start[5] = 1
    events: list[EngineEvent] = []
    ENGINE.solve(model, warm_start=start, on_event=events.append)
    first = next(event for event in events if event.values is not None)
    assert first.values is not None
    assert np.array_equal(first.values, start)


def test_start_that_breaks_a_rule_is_refused() -> None:
    with pytest.raises(InputError, match="warm_start: is not feasible: room"):
        ENGINE.solve(knapsack(3, 3, 5), warm_start=np.ones(5))


def test_start_refutes_a_wrong_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    model = knapsack(3, 3, 15)
    read = cpsat_module._read

    def lie(*arguments: Any) -> Any:
        return replace(read(*arguments), values=None, infeasible=True)

    monkeypatch.setattr(cpsat_module, "_read", lie)
    with pytest.raises(EngineError, match="is feasible"):
        ENGINE.solve(model, warm_start=np.zeros(15))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda claim: replace(claim, values=1 - claim.values), "room"),
        (lambda claim: replace(claim, values=claim.values + 1), "column"),
        (lambda claim: replace(claim, objective=claim.objective + 1), "claims objective"),
        (lambda claim: replace(claim, bound=claim.bound + 1), "nothing is better"),
        (lambda claim: replace(claim, values=None), "without a solution"),
    ],
)
def test_false_claims_are_errors(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any], text: str
) -> None:
    read = cpsat_module._read
    monkeypatch.setattr(cpsat_module, "_read", lambda *arguments: change(read(*arguments)))
    with pytest.raises(EngineError, match=text):
        ENGINE.solve(knapsack(3, 3, 15))


def test_solution_in_steps_that_breaks_a_row_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpsat_module, "solution_of", lambda _: np.array([8, 0]))
    with pytest.raises(EngineError, match="breaks a row"):
        ENGINE.solve(toy(), options=IN_HALVES)


# Progress and cancelling


def assert_no_run_is_left() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("leotrek-engine"):
            thread.join(SAFETY / 2)
            assert not thread.is_alive()


@pytest.mark.parametrize("minimise", [False, True])
def test_incumbents_and_bounds_are_reported_in_the_models_sense(minimise: bool) -> None:
    model = knapsack(3, 3, 20).copy(offset=1000)
    if minimise:
        model = model.copy(cost=-model.arrays().cost, minimise=True)
    sense = 1 if minimise else -1
    events: list[EngineEvent] = []
    result = ENGINE.solve(model, on_event=events.append)
    incumbents = [event for event in events if event.values is not None]
    objectives = [sense * event.objective for event in incumbents if event.objective is not None]
    assert objectives == sorted(objectives, reverse=True)
    assert objectives[-1] == sense * result.objective
    assert len(incumbents) == result.solution_count > 1
    for event in incumbents:
        assert event.values is not None
        assert model.violations_of(event.values) == []
        assert model.objective_of(event.values) == event.objective
    bounds = [sense * event.bound for event in events if event.bound is not None]
    assert len(bounds) > 1
    assert bounds == sorted(bounds)
    assert bounds[-1] <= sense * result.objective
    nodes = [event.nodes for event in events]
    assert nodes == sorted(nodes)
    assert 0 < nodes[-1] <= result.nodes


def test_long_run_gives_signs_of_life() -> None:
    events: list[EngineEvent] = []
    ENGINE.solve(market_split(4, 7), Limits(time_limit_s=1.3), on_event=events.append)
    assert any(
        later.values is None
        and (later.objective, later.bound) == (earlier.objective, earlier.bound)
        for earlier, later in itertools.pairwise(events)
    )


def test_cancel_from_another_thread_keeps_the_best_solution() -> None:
    model, cancel = market_split(2), threading.Event()
    timer = threading.Timer(0.3, cancel.set)
    timer.start()
    result = ENGINE.solve(model, Limits(time_limit_s=SAFETY), cancel=cancel)
    timer.join()
    assert (result.status, result.termination) == (Status.INTERRUPTED, Termination.CANCELLED)
    assert result.values is not None
    assert model.violations_of(result.values) == []
    assert result.seconds < SAFETY / 2


def test_cancel_during_presolve_ends_the_run() -> None:
    model, cancel = knapsack(2, 100, 2000), threading.Event()
    timer = threading.Timer(0.1, cancel.set)
    timer.start()
    result = ENGINE.solve(
        model, Limits(time_limit_s=SAFETY), warm_start=np.zeros(2000), cancel=cancel
    )
    timer.join()
    assert result.status is Status.INTERRUPTED
    assert result.objective is not None
    assert result.seconds < SAFETY / 2
    assert_no_run_is_left()


def test_cancel_before_the_start_returns_the_start() -> None:
    cancel = threading.Event()
    cancel.set()
    result = ENGINE.solve(knapsack(3, 3, 15), warm_start=np.zeros(15), cancel=cancel)
    assert (result.status, result.objective) == (Status.INTERRUPTED, 0)


def test_failure_inside_a_native_callback_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bool:
        raise RuntimeError("inside")

    monkeypatch.setattr(cpsat_module.Seen, "on_solution", fail)
    with pytest.raises(RuntimeError, match="inside"):
        ENGINE.solve(market_split(1), Limits(time_limit_s=SAFETY))


def test_keyboard_interrupt_during_a_native_call_is_raised() -> None:
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        ENGINE.solve(market_split(1), Limits(time_limit_s=SAFETY))
    timer.join()
    assert_no_run_is_left()


def test_run_that_had_to_be_left_behind_keeps_what_was_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call = runs.call_native

    def leave(*arguments: Any, **keywords: Any) -> None:
        call(*arguments, **keywords)

    monkeypatch.setattr(runs, "call_native", leave)
    model = knapsack(3, 3, 15)
    result = ENGINE.solve(model)
    assert result.values is not None
    assert model.objective_of(result.values) == result.objective
    assert result.bound is not None
    assert result.bound >= result.objective
    assert result.termination in {Termination.TIME_LIMIT, Termination.PROVEN}


# Options and features


@pytest.mark.parametrize(
    "options",
    [
        {"cp_model_probing_level": 0, "use_lns": False, "lp_dual_tolerance": 1},
        {"search_branching": "PSEUDO_COST_SEARCH"},
        {"ignore_subsolvers": ["no_lp"], "default_restart_algorithms": "LUBY_RESTART"},
        {"presolve": "on", "cuts": "auto", "continuous_steps": 5},
        {"max_deterministic_time": 1000},
    ],
)
def test_options_are_passed_on(options: dict[str, object]) -> None:
    assert ENGINE.solve(knapsack(3, 3, 12), options=options).status is Status.OPTIMAL


def test_options_reach_cpsat(monkeypatch: pytest.MonkeyPatch) -> None:
    search, seen = cpsat_module.search, []

    def spy(proto: Any, parameters: Any, *rest: Any) -> Any:
        seen.append(parameters)
        return search(proto, parameters, *rest)

    monkeypatch.setattr(cpsat_module, "search", spy)
    options = {"search_branching": "LP_SEARCH", "presolve": "off", "subsolvers": ("no_lp",)}
    ENGINE.solve(knapsack(3, 3, 5), Limits(seed=9, threads=3), options=options)
    ENGINE.solve(knapsack(3, 3, 5), options={"linearization_level": 0})
    ENGINE.solve(knapsack(3, 3, 5), Limits(threads=8))
    assert seen[0].search_branching == native.SatParameters.LP_SEARCH
    assert (seen[0].cp_model_presolve, seen[0].subsolvers[0]) == (False, "no_lp")
    assert (seen[0].random_seed, seen[0].num_workers) == (9, 3)
    assert [parameters.linearization_level for parameters in seen] == [2, 0, 1]
    for parameters in seen:
        assert (parameters.relative_gap_limit, parameters.absolute_gap_limit) == (0, 0)
        assert not parameters.log_search_progress
        assert not parameters.log_to_stdout
        assert not parameters.catch_sigint_signal


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"presolv": "off"}, InputError, r"options.presolv: .*did you mean presolve\?"),
        ({"linearisation_level": 1}, InputError, r"did you mean linearization_level\?"),
        ({"continuous_step": 1}, InputError, r"did you mean continuous_steps\?"),
        ({"copy_from": 1}, InputError, "no such option"),
        ({"LP_SEARCH": 1}, InputError, "no such option"),
        ({"presolve": True}, InputError, "must be one of auto, on, off"),
        ({"cuts": "high"}, UnsupportedError, "cannot follow 'high'"),
        ({"lp_algorithm": "barrier"}, UnsupportedError, "cannot follow"),
        ({"use_lns": 1}, InputError, "must be a boolean"),
        ({"linearization_level": True}, InputError, "must be an integer"),
        ({"linearization_level": 2**40}, InputError, "out of range"),
        ({"max_deterministic_time": math.nan}, InputError, "must be a number"),
        ({"max_deterministic_time": -1.0}, InputError, "must be non-negative"),
        ({"search_branching": "BEST"}, InputError, "must be one of AUTOMATIC_SEARCH"),
        ({"subsolvers": "no_lp"}, InputError, "must be a list of strings"),
        ({"subsolvers": ["nonsense"]}, InputError, "nonsense"),
        ({"default_restart_algorithms": 3}, InputError, "must be a string"),
        ({"continuous_steps": 0}, InputError, r"must be an integer in \[1"),
        ({"continuous_steps": 2.0}, InputError, "must be an integer"),
        ({"max_time_in_seconds": 1.0}, UnsupportedError, "time_limit_s"),
        ({"num_workers": 2}, UnsupportedError, "threads"),
        ({"random_seed": 2}, UnsupportedError, "seed"),
        ({"relative_gap_limit": 0.1}, UnsupportedError, "relative_gap"),
        ({"log_search_progress": True}, UnsupportedError, "print"),
        ({"output_drat_proof": True}, UnsupportedError, "files"),
        ({"debug_crash_on_bad_hint": True}, UnsupportedError, "end the process"),
        ({"catch_sigint_signal": True}, UnsupportedError, "signals"),
        ({"enumerate_all_solutions": True}, UnsupportedError, "means"),
        ({"fix_variables_to_their_hinted_value": True}, UnsupportedError, "means"),
        ({"max_memory_in_mb": 10}, UnsupportedError, "does not keep"),
    ],
)
def test_bad_options_are_refused(
    options: dict[str, object], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        ENGINE.solve(knapsack(3, 3, 5), options=options)


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    model = knapsack(3, 3, 15)
    ENGINE.solve(model, warm_start=np.zeros(15), on_event=lambda _: None)
    ENGINE.solve(model, Limits(time_limit_s=0.05, threads=2))
    ENGINE.solve(toy(), options=IN_HALVES)
    ENGINE.solve(market_split(1), options={"max_number_of_conflicts": 50})
    ENGINE.infeasible_core(market_split(1), [[0], [1]])
    with pytest.raises(InputError):
        ENGINE.solve(model, options={"subsolvers": ["nonsense"]})
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_engine_is_found_by_name() -> None:
    engine: Engine = engine_named("cpsat")
    assert (engine.name, engine.family) == ("cpsat", "cpsat")
    assert engine.version().startswith("9.15.")
    assert Feature.CONTINUOUS not in engine.features
    assert Feature.MEMORY_LIMIT not in engine.features
