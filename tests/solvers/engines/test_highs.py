"""The HiGHS engine: right answers, honest status, limits, cancelling, and nothing on stdout."""

from __future__ import annotations

import json
import math
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import pytest
from tests.solvers.engines.small_models import (
    knapsack,
    market_split,
    random_model,
    toy,
)

from leotrek_opt.errors import EngineError, InputError, UnsupportedError
from leotrek_opt.solvers.engines import ENGINE_NAMES, engine_named, runs
from leotrek_opt.solvers.engines import highs as highs_module
from leotrek_opt.solvers.engines.highs import HighsEngine, load
from leotrek_opt.solvers.engines.protocol import (
    Engine,
    EngineEvent,
    Feature,
    Limits,
    Termination,
    model_features,
    require_features,
)
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.status import Status

ENGINE = HighsEngine()
SAFETY = 60.0
"""A limit that no test reaches unless something is broken."""


def choices(options: list[list[tuple[int, int]]], time_limit_ms: int) -> LinearModel:
    """Take one (time, cost) option a step within a total time: least cost."""
    model = LinearModel()
    steps = np.repeat(np.arange(len(options)), [len(step) for step in options])
    time_ms, cost = np.array([option for step in options for option in step]).T
    x = model.add_variables(cost.size, lower=0, upper=1, cost=cost, integer=True, name="x")
    model.add_rows_from_triplets(steps, x, shape=len(options), lower=1, upper=1, name="choose")
    model.add_rows(x, time_ms, upper=time_limit_ms, name="slo")
    return model


def least_cost(options: list[list[tuple[int, int]]], time_limit_ms: int) -> int:
    """Solve the same by dynamic programming over the time used, without a solver."""
    best = np.zeros(time_limit_ms + 1)
    for step in options:
        after = np.full(time_limit_ms + 1, np.inf)
        for time_ms, cost in step:
            if time_ms <= time_limit_ms:
                reached = best[: time_limit_ms + 1 - time_ms] + cost
                np.minimum(after[time_ms:], reached, out=after[time_ms:])
        best = after
    return int(best.min())


def random_choices(seed: int, n_steps: int = 40) -> tuple[list[list[tuple[int, int]]], int]:
    """Draw options whose times span three decades, faster ones dearer."""
    rng = np.random.default_rng(seed)
    options = []
    for _ in range(n_steps):
        count = int(rng.integers(3, 6))
        fastest = 10 ** rng.uniform(1, 4)
        time_ms = np.sort(np.rint(fastest * np.cumprod(rng.uniform(1, 2, count)))).astype(int)
        cost = np.sort(rng.integers(100, 20_000, count))[::-1]
        options.append(list(zip(time_ms.tolist(), cost.tolist(), strict=True)))
    fast = sum(step[0][0] for step in options)
    slow = sum(step[-1][0] for step in options)
    return options, fast + (slow - fast) // 3


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
    assert result.values is not None
    assert result.values.reshape(2, 3).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_random_models_agree_with_enumeration() -> None:
    rng = np.random.default_rng(20_240)
    feasible = 0
    for _ in range(250):
        model, optimum = random_model(rng)
        result = ENGINE.solve(model)
        if optimum is None:
            assert result.status is Status.INFEASIBLE
            assert result.values is None
            assert result.bound is None
        else:
            feasible += 1
            assert result.status is Status.OPTIMAL
            assert result.objective == result.bound == optimum
            assert result.values is not None
            assert model.violations_of(result.values) == []
            assert model.objective_of(result.values) == optimum
    assert 100 < feasible < 240


@pytest.mark.parametrize("seed", range(4))
def test_long_multiple_choice_knapsacks_agree_with_dynamic_programming(seed: int) -> None:
    """HiGHS 1.10 to 1.14 call wrong values optimal when such rows are given in seconds."""
    options, limit = random_choices(seed)
    result = ENGINE.solve(choices(options, limit))
    assert result.status is Status.OPTIMAL
    assert result.objective == least_cost(options, limit)


@pytest.mark.reference
def test_reference_canary_has_its_optimum(reference_data: Path) -> None:
    document = json.loads(
        (reference_data / "solvers" / "canary-mckp-seconds.json").read_text(encoding="utf-8")
    )
    domain = document["domain"]
    options = [[(ms, cost) for ms, cost in step] for step in domain["options_time_ms_cost"]]
    result = ENGINE.solve(choices(options, domain["slo_ms"]))
    assert result.status is Status.OPTIMAL
    assert result.objective == document["optimum"] == least_cost(options, domain["slo_ms"])


def test_objective_in_steps_rounds_the_bound_to_a_step() -> None:
    # Each of 15 ones uses 2 of 15, so 7 fit; the relaxation says 7.5, that is 7.5 million.
    model = LinearModel(minimise=False)
    x = model.add_variables(15, lower=0, upper=1, cost=1_000_000, integer=True, name="x")
    model.add_rows(x, 2, upper=15, name="room")
    result = ENGINE.solve(model)
    assert (result.objective, result.bound) == (7_000_000, 7_000_000)
    assert ENGINE.solve_lp(model).objective == pytest.approx(7_500_000)


def test_columns_implied_to_be_integer_come_back_as_integers() -> None:
    model = LinearModel()
    x = model.add_variables(3, lower=0, upper=1, cost=[2, 1, 2], integer=True, name="x")
    y = model.add_variables((3, 3), lower=0, upper=1, cost=3, implied_integer=True, name="y")
    model.add_rows(x, lower=1, upper=1, name="choose")
    model.add_rows(np.c_[y, x], [[1, 1, 1, -1]], lower=0, upper=0, name="out")
    model.add_rows(np.c_[y.T, x], [[1, 1, 1, -1]], lower=0, upper=0, name="in")
    result = ENGINE.solve(model)
    assert result.objective == 4
    assert result.values is not None
    assert result.values[y].tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_model_without_rows_or_columns_is_solved() -> None:
    assert ENGINE.solve(LinearModel(offset=5)).objective == 5
    model = LinearModel()
    model.add_variables(2, lower=-2, upper=3, cost=[1, -1], integer=True, name="x")
    assert ENGINE.solve(model).objective == -5


# Status


def test_infeasible_models_are_infeasible() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=5, cost=1, integer=True, name="x")
    model.add_rows(x, 2, lower=3, upper=3, name="parity")
    result = ENGINE.solve(model)
    assert result.status is Status.INFEASIBLE
    assert (result.values, result.objective, result.bound) == (None, None, None)
    assert result.solution_count == 0
    assert ENGINE.solve_lp(model).status is Status.OPTIMAL


@pytest.mark.parametrize("with_integer", [False, True])
@pytest.mark.parametrize("minimise", [False, True])
def test_unbounded_models_are_unbounded(with_integer: bool, minimise: bool) -> None:
    model = LinearModel(minimise=minimise)
    sign = -1 if minimise else 1
    x = model.add_variables(2, lower=0, upper=math.inf, cost=[2 * sign, -sign], name="x")
    z = model.add_variables(1, lower=0, upper=3, cost=1, integer=with_integer, name="z")
    model.add_rows(np.r_[x, z], [1, -1, 1], lower=0, upper=0, name="r")
    result = ENGINE.solve(model)
    assert result.status is Status.UNBOUNDED
    assert (result.values, result.bound) == (None, None)


def test_every_end_of_highs_is_mapped_or_raises() -> None:
    failures = {
        "kNotset",
        "kLoadError",
        "kModelError",
        "kPresolveError",
        "kSolveError",
        "kPostsolveError",
    }
    known = {ended.name for ended in highs_module._TERMINATIONS}
    assert known | failures == set(highspy.HighsModelStatus.__members__)
    assert not known & failures


def test_unmapped_end_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(highs_module, "_TERMINATIONS", {})
    with pytest.raises(EngineError, match="kOptimal"):
        ENGINE.solve(toy())


def test_relative_gap_counts_the_offset() -> None:
    """With a large constant the first solution found is within one part in a thousand."""
    model = knapsack(3, 3, 22)
    shifted = LinearModel(minimise=False, offset=10**9)
    arrays = model.arrays()
    x = shifted.add_variables(22, lower=0, upper=1, cost=arrays.cost, integer=True, name="x")
    shifted.add_rows(
        x[arrays.indices], arrays.data, indptr=arrays.indptr, upper=arrays.row_upper, name="room"
    )
    result = ENGINE.solve(shifted, Limits(relative_gap=1e-3, time_limit_s=SAFETY))
    assert result.status is Status.FEASIBLE
    assert result.nodes <= 1


# Limits


def test_no_time_gives_no_solution_and_no_bound() -> None:
    result = ENGINE.solve(toy(), Limits(time_limit_s=0))
    assert result.status is Status.NO_SOLUTION
    assert result.termination is Termination.TIME_LIMIT
    assert (result.values, result.objective, result.bound) == (None, None, None)


def test_short_time_keeps_the_best_solution_and_its_bound() -> None:
    model = market_split(1)
    result = ENGINE.solve(model, Limits(time_limit_s=0.4))
    assert result.status is Status.FEASIBLE
    assert result.termination is Termination.TIME_LIMIT
    assert result.values is not None
    assert model.violations_of(result.values) == []
    assert result.objective == model.objective_of(result.values)
    assert result.bound is not None
    assert result.bound <= result.objective


def test_node_limit_ends_the_run_the_same_way_every_time() -> None:
    model = knapsack(0, 10, 100)
    limits = Limits(max_nodes=2, time_limit_s=SAFETY, seed=5)
    first, second = ENGINE.solve(model, limits), ENGINE.solve(model, limits)
    assert first.termination is second.termination is Termination.NODE_LIMIT
    assert first.status is Status.FEASIBLE
    assert first.values is not None
    assert second.values is not None
    assert np.array_equal(first.values, second.values)
    assert (first.bound, first.nodes, first.iterations) == (
        second.bound,
        second.nodes,
        second.iterations,
    )


def test_another_seed_takes_another_way_to_the_same_optimum() -> None:
    model = knapsack(3, 3, 20)
    runs = [ENGINE.solve(model, Limits(seed=seed)) for seed in (0, 0, 1)]
    assert len({run.objective for run in runs}) == 1
    assert (runs[0].nodes, runs[0].iterations) == (runs[1].nodes, runs[1].iterations)
    assert (runs[0].nodes, runs[0].iterations) != (runs[2].nodes, runs[2].iterations)


def test_thread_count_may_change_within_a_process() -> None:
    model = knapsack(3, 3, 15)
    objectives = {ENGINE.solve(model, Limits(threads=n)).objective for n in (1, 2, 1)}
    assert len(objectives) == 1
    assert None not in objectives


def test_cutoff_never_makes_a_claim_beyond_itself() -> None:
    """HiGHS calls a wrong value optimal when its cutoff prunes the optimum; the engine must not."""
    rng = np.random.default_rng(77)
    seen = dict.fromkeys((Status.OPTIMAL, Status.FEASIBLE, Status.NO_SOLUTION), 0)
    for _ in range(250):
        model, optimum = random_model(rng)
        if optimum is None:
            continue
        sense = 1 if model.minimise else -1
        cutoff = optimum + int(rng.integers(-4, 5))
        result = ENGINE.solve(model, Limits(cutoff=cutoff))
        seen[result.status] += 1
        assert result.bound is not None
        assert sense * (result.bound - optimum) <= 0
        if sense * (cutoff - optimum) > 0:
            assert result.status is Status.OPTIMAL
        if result.status is Status.OPTIMAL:
            assert result.objective == result.bound == optimum
        else:
            assert result.termination is Termination.CUTOFF
            assert sense * (result.bound - cutoff) >= 0
    assert seen[Status.OPTIMAL] > 50
    assert seen[Status.NO_SOLUTION] > 20


@pytest.mark.parametrize("minimise", [False, True])
def test_cutoff_prunes_on_a_model_with_branching(minimise: bool) -> None:
    model = knapsack(3, 3, 20)
    arrays = model.arrays()
    if minimise:
        turned = LinearModel()
        x = turned.add_variables(20, lower=0, upper=1, cost=-arrays.cost, integer=True, name="x")
        turned.add_rows(
            x[arrays.indices], arrays.data, indptr=arrays.indptr, upper=arrays.row_upper, name="r"
        )
        model = turned
    optimum = ENGINE.solve(model).objective
    assert optimum is not None
    better = -1 if minimise else 1
    found = ENGINE.solve(model, Limits(cutoff=optimum - better))
    assert (found.status, found.objective) == (Status.OPTIMAL, optimum)
    for cutoff in (optimum, optimum + better, optimum + 40 * better):
        nothing = ENGINE.solve(model, Limits(cutoff=cutoff))
        assert nothing.bound == cutoff
        assert nothing.status is (Status.OPTIMAL if nothing.objective == cutoff else nothing.status)
        assert nothing.status is not Status.OPTIMAL or cutoff == optimum


def test_target_stops_at_a_solution_as_good() -> None:
    model = knapsack(3, 3, 22)
    optimum = 4366
    close = ENGINE.solve(model, Limits(target=4000, time_limit_s=SAFETY))
    assert close.status is Status.FEASIBLE
    assert close.termination is Termination.TARGET
    assert close.objective is not None
    assert 4000 <= close.objective <= optimum
    exact = ENGINE.solve(model, Limits(target=optimum, time_limit_s=SAFETY))
    assert exact.objective == optimum


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"time_limit_s": -1}, "time_limit_s"),
        ({"time_limit_s": math.nan}, "time_limit_s"),
        ({"relative_gap": -0.1}, "relative_gap"),
        ({"absolute_gap": "1"}, "absolute_gap"),
        ({"threads": 0}, "threads"),
        ({"threads": 1.5}, "threads"),
        ({"seed": 2**31}, "seed"),
        ({"max_nodes": True}, "max_nodes"),
        ({"cutoff": math.inf}, "cutoff"),
        ({"target": math.nan}, "target"),
    ],
)
def test_bad_limits_are_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as refusal:
        Limits(**changes)
    assert refusal.value.field == field


# Warm starts


def test_warm_started_runs_are_never_worse_than_the_start() -> None:
    rng = np.random.default_rng(5)
    for seed in range(6):
        model = knapsack(seed, 4, 25)
        start = np.zeros(25)
        for column in rng.permutation(25):
            start[column] = 1
            if model.violations_of(start):
                start[column] = 0
        begin = model.objective_of(start)
        for limits in (Limits(time_limit_s=0), Limits(max_nodes=0), Limits(max_nodes=1)):
            result = ENGINE.solve(model, limits, warm_start=start)
            assert result.objective is not None
            assert result.objective >= begin
            assert result.values is not None
            assert model.objective_of(result.values) == result.objective


def test_optimal_start_stays() -> None:
    model = knapsack(3, 3, 15)
    first = ENGINE.solve(model)
    again = ENGINE.solve(model, warm_start=first.values)
    assert again.status is Status.OPTIMAL
    assert again.objective == first.objective


def test_start_is_returned_when_there_is_no_time() -> None:
    model = knapsack(3, 3, 15)
    result = ENGINE.solve(model, Limits(time_limit_s=0), warm_start=np.zeros(15))
    assert result.status is Status.FEASIBLE
    assert result.objective == 0
    assert result.bound is None


@pytest.mark.parametrize(
    ("start", "text"),
    [
        ([1, 1], "demand = 4"),
        ([4, 0.5], "z = 0.5 is not an integer"),
        ([11, 0], r"x = 11.0 is outside"),
        ([5], "shape"),
        ([5, math.nan], "finite"),
    ],
)
def test_start_that_breaks_a_rule_is_refused(start: list[float], text: str) -> None:
    with pytest.raises(InputError, match=text):
        ENGINE.solve(toy(), warm_start=start)


def test_fractional_start_of_a_mixed_model_is_taken() -> None:
    result = ENGINE.solve(toy(), Limits(time_limit_s=0), warm_start=[0.5, 4])
    assert result.objective == pytest.approx(13)


def test_start_refutes_a_wrong_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    model = knapsack(3, 3, 15)
    best = ENGINE.solve(model).values
    read = highs_module._read

    def lie(highs: Any, task: Any, solutions: int) -> Any:
        return replace(read(highs, task, solutions), values=None, infeasible=True)

    monkeypatch.setattr(highs_module, "_read", lie)
    with pytest.raises(EngineError, match="is feasible"):
        ENGINE.solve(model, warm_start=best)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda claim: replace(claim, values=claim.values + 0.01), "integer column 0"),
        (lambda claim: replace(claim, values=1 - claim.values), "room"),
        (lambda claim: replace(claim, values=claim.values + 1), "column"),
        (lambda claim: replace(claim, objective=claim.objective + 1), "claims objective"),
        (lambda claim: replace(claim, bound=claim.objective + 1), "nothing is better"),
        (lambda claim: replace(claim, values=None), "without a solution"),
    ],
)
def test_false_claims_are_errors(monkeypatch: pytest.MonkeyPatch, change: Any, text: str) -> None:
    read = highs_module._read
    monkeypatch.setattr(highs_module, "_read", lambda *arguments: change(read(*arguments)))
    with pytest.raises(EngineError, match=text):
        ENGINE.solve(knapsack(3, 3, 15))


# Progress and cancelling


def assert_no_run_is_left() -> None:
    for thread in threading.enumerate():
        if thread.name == "leotrek-engine":
            thread.join(SAFETY / 2)
            assert not thread.is_alive()


def test_incumbents_and_bounds_are_reported_in_the_models_sense() -> None:
    model = knapsack(3, 3, 20)
    events: list[EngineEvent] = []
    result = ENGINE.solve(model, on_event=events.append)
    incumbents = [event for event in events if event.values is not None]
    objectives = [event.objective for event in incumbents]
    assert objectives == sorted(objectives)
    assert objectives[-1] == result.objective
    assert len(incumbents) == result.solution_count
    for event in incumbents:
        assert event.values is not None
        assert model.violations_of(event.values) == []
        assert model.objective_of(event.values) == event.objective
    bounds = [event.bound for event in events if event.bound is not None]
    assert bounds == sorted(bounds, reverse=True)
    assert all(bound >= result.objective for bound in bounds)
    nodes = [event.nodes for event in events]
    assert nodes == sorted(nodes)
    assert nodes[-1] <= result.nodes


def test_cancel_from_another_thread_keeps_the_best_solution() -> None:
    model, cancel = market_split(2), threading.Event()
    timer = threading.Timer(0.3, cancel.set)
    timer.start()
    result = ENGINE.solve(model, Limits(time_limit_s=SAFETY), cancel=cancel)
    timer.join()
    assert result.status is Status.INTERRUPTED
    assert result.termination is Termination.CANCELLED
    assert result.values is not None
    assert model.violations_of(result.values) == []


@pytest.mark.parametrize("solver", ["simplex", "ipm"])
def test_linear_programs_can_be_cancelled(solver: str) -> None:
    rng = np.random.default_rng(0)
    weight = rng.integers(1, 1000, (300, 3000)) * (rng.random((300, 3000)) < 0.5)
    model = LinearModel(minimise=False)
    x = model.add_variables(3000, lower=0, upper=1, cost=rng.integers(1, 999, 3000), name="x")
    model.add_rows(np.tile(x, (300, 1)), weight, upper=weight.sum(axis=1) // 3, name="room")
    cancel = threading.Event()
    timer = threading.Timer(0.15, cancel.set)
    timer.start()
    result = ENGINE.solve_lp(
        model, Limits(time_limit_s=SAFETY), cancel=cancel, options={"solver": solver}
    )
    timer.join()
    assert result.status is Status.INTERRUPTED
    assert result.bound is None


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_exception_in_a_callback_stops_the_run_and_is_raised(error: type[BaseException]) -> None:
    def fail(*_: object) -> None:
        raise error("from the callback")

    with pytest.raises(error, match="from the callback"):
        ENGINE.solve(market_split(1), Limits(time_limit_s=SAFETY), on_event=fail)
    assert_no_run_is_left()
    assert ENGINE.solve(toy()).status is Status.OPTIMAL


def test_keyboard_interrupt_during_a_native_call_is_raised() -> None:
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        ENGINE.solve(market_split(1), Limits(time_limit_s=SAFETY))
    timer.join()
    assert_no_run_is_left()
    assert ENGINE.solve(toy()).status is Status.OPTIMAL


def test_run_that_had_to_be_left_behind_keeps_what_was_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call = runs.call_native

    def leave(*arguments: Any, **keywords: Any) -> None:
        call(*arguments, **keywords)

    monkeypatch.setattr(runs, "call_native", leave)
    model = knapsack(3, 3, 15)
    result = ENGINE.solve(model)
    assert result.termination in {Termination.TIME_LIMIT, Termination.PROVEN}
    assert result.values is not None
    assert model.objective_of(result.values) == result.objective
    assert result.bound is not None
    assert result.bound >= result.objective


# Linear programs


@pytest.mark.parametrize("minimise", [False, True])
def test_duals_follow_the_documented_signs(minimise: bool) -> None:
    """The identity column_dual = cost - A' row_dual, and the bound that any duals give."""
    rng = np.random.default_rng(11)
    for _ in range(20):
        n, m = 6, 4
        matrix = rng.integers(-5, 6, (m, n))
        cost = rng.integers(-9, 10, n)
        lower = matrix @ np.ones(n, dtype=int) - rng.integers(0, 9, m)
        upper = lower + rng.integers(0, 15, m)
        model = LinearModel(minimise=minimise)
        x = model.add_variables(n, lower=0, upper=3, cost=cost, integer=True, name="x")
        model.add_rows(np.tile(x, (m, 1)), matrix, lower=lower, upper=upper, name="r")
        result = ENGINE.solve_lp(model)
        assert result.status is Status.OPTIMAL
        assert result.row_dual is not None
        assert result.column_dual is not None
        assert result.column_dual == pytest.approx(cost - matrix.T @ result.row_dual)
        sign = 1 if minimise else -1
        y, d = sign * result.row_dual, sign * result.column_dual
        bound = np.sum(np.where(y > 0, y * lower, y * upper)) + np.sum(np.where(d > 0, 0, 3 * d))
        assert sign * bound == pytest.approx(result.objective)
        assert result.bound == pytest.approx(result.objective)


def test_relaxation_bounds_the_integer_optimum() -> None:
    model = knapsack(3, 3, 15)
    relaxed, exact = ENGINE.solve_lp(model), ENGINE.solve(model)
    assert relaxed.objective is not None
    assert exact.objective is not None
    assert relaxed.objective > exact.objective
    assert relaxed.values is not None
    assert np.any(relaxed.values != np.rint(relaxed.values))
    assert exact.row_dual is None


# Hand-over


def test_highs_holds_the_model_that_was_handed_over() -> None:
    rng = np.random.default_rng(4)
    model = LinearModel(minimise=False)
    x = model.add_variables(30, lower=-1, upper=4, cost=rng.integers(-9, 9, 30), name="x")
    z = model.add_variables(10, lower=0, upper=2, integer=True, name="z")
    row, column = np.nonzero(rng.random((25, 40)) < 0.3)
    model.add_rows_from_triplets(
        row, np.r_[x, z][column], rng.integers(1, 99, row.size), shape=25, upper=500, name="r"
    )
    arrays = model.arrays()
    highs = load(arrays)
    lp = highs.getLp()
    assert np.array_equal(lp.col_cost_, -arrays.cost)
    assert np.array_equal(lp.col_lower_, arrays.lower)
    assert np.array_equal(lp.row_upper_, arrays.row_upper)
    assert [kind == highspy.HighsVarType.kInteger for kind in lp.integrality_] == [False] * 30 + [
        True
    ] * 10
    for i in range(25):
        _, columns, values = highs.getRowEntries(i)
        entries = slice(arrays.indptr[i], arrays.indptr[i + 1])
        order = np.argsort(columns)
        assert np.array_equal(np.array(columns)[order], arrays.indices[entries])
        assert np.array_equal(np.array(values)[order], arrays.data[entries])


@pytest.mark.parametrize("name", ["lower", "indices", "row_upper", "indptr", "kind"])
def test_arrays_of_the_wrong_length_never_reach_highs(name: str) -> None:
    arrays = knapsack(0, 2, 5).arrays()
    short = replace(arrays, **{name: getattr(arrays, name)[:-1]})
    with pytest.raises(EngineError, match="disagree on the number of"):
        load(short)


def test_model_that_highs_does_not_take_raises() -> None:
    arrays = knapsack(0, 2, 5).arrays()
    with pytest.raises(EngineError, match="does not take the model"):
        load(replace(arrays, indices=np.full_like(arrays.indices, 99)))
    with pytest.raises(EngineError, match="does not take the model"):
        load(replace(arrays, data=np.full_like(arrays.data, 1e-12)))


# Options and features


def test_options_are_passed_on() -> None:
    result = ENGINE.solve(
        knapsack(3, 3, 20),
        options={"presolve": "off", "mip_heuristic_effort": 0, "mip_detect_symmetry": False},
    )
    assert result.status is Status.OPTIMAL


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"presolv": "off"}, InputError, r"options.presolv: .*did you mean presolve\?"),
        ({"no_such_thing": 1}, InputError, "no such option"),
        ({"presolve": "maybe"}, InputError, "'maybe'"),
        ({"presolve": True}, InputError, "must be one of auto, on, off"),
        ({"mip_heuristic_effort": 2.0}, InputError, "does not take"),
        ({"mip_heuristic_effort": math.nan}, InputError, "must be a number"),
        ({"mip_max_leaves": 1.0}, InputError, "must be an integer"),
        ({"mip_max_leaves": 2**40}, InputError, "must be an integer"),
        ({"mip_detect_symmetry": 1}, InputError, "must be a boolean"),
        ({"time_limit": 1.0}, UnsupportedError, "time_limit_s"),
        ({"threads": 2}, UnsupportedError, "threads"),
        ({"mip_rel_gap": 0.1}, UnsupportedError, "relative_gap"),
        ({"output_flag": True}, UnsupportedError, "prints"),
        ({"log_file": "x.log"}, UnsupportedError, "files"),
        ({"write_solution_to_file": True}, UnsupportedError, "files"),
        ({"solver": "simplex"}, UnsupportedError, "integrality"),
        ({"solve_relaxation": True}, UnsupportedError, "integrality"),
    ],
)
def test_bad_options_are_refused(
    options: dict[str, object], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        ENGINE.solve(toy(), options=options)


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    model = knapsack(3, 3, 15)
    ENGINE.solve(model, warm_start=np.zeros(15), on_event=lambda _: None)
    ENGINE.solve(model, Limits(time_limit_s=0.05, threads=2))
    ENGINE.solve_lp(model, options={"solver": "ipm"})
    ENGINE.solve(market_split(1), Limits(max_nodes=50))
    with pytest.raises(InputError):
        ENGINE.solve(model, options={"presolve": "maybe"})
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""


def test_engine_is_found_by_name() -> None:
    engine: Engine = engine_named("highs")
    assert engine.name == "highs"
    assert engine.family == "highs"
    assert engine.version().startswith("1.13.")
    assert "highs" in ENGINE_NAMES
    with pytest.raises(InputError, match=r"did you mean highs\?"):
        engine_named("higs")


def test_missing_features_are_named() -> None:
    class Weak(HighsEngine):
        name = "weak"
        features = frozenset({Feature.CONTINUOUS})

    needed = model_features(toy()) | Limits(time_limit_s=1, threads=2).features()
    require_features(ENGINE, needed)
    with pytest.raises(UnsupportedError, match="weak does not offer: integer, threads, time_limit"):
        require_features(Weak(), needed)


def test_empty_model_with_a_row_that_zero_breaks_is_infeasible() -> None:
    model = LinearModel()
    model.add_rows([], lengths=[0], lower=1, upper=1, name="impossible")
    assert ENGINE.solve(model).status is Status.INFEASIBLE
    assert ENGINE.solve(LinearModel()).status is Status.OPTIMAL
