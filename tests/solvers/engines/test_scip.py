"""The SCIP engine: right answers, honest status, limits, cancelling, and nothing printed."""

from __future__ import annotations

import itertools
import math
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.solvers.engines.small_models import knapsack, market_split, random_model, toy

from leotrek_opt.errors import EngineError, InputError, UnsupportedError
from leotrek_opt.solvers.engines import engine_named, mathopt, runs, scip_library
from leotrek_opt.solvers.engines import scip as scip_module
from leotrek_opt.solvers.engines.protocol import (
    Engine,
    EngineEvent,
    Feature,
    Limits,
    Termination,
)
from leotrek_opt.solvers.engines.scip import ScipEngine
from leotrek_opt.solvers.engines.scip_numerics import numerics_of
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.status import Status

ENGINE = ScipEngine()
SAFETY = 60.0
"""A limit that no test reaches unless something is broken."""


@pytest.fixture(autouse=True)
def no_run_is_left() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name == "leotrek-engine":
            thread.join(SAFETY)
            assert not thread.is_alive()


# Answers


def test_maximising_turns_objective_and_bound() -> None:
    model = LinearModel(minimise=False, offset=7)
    x = model.add_variables(2, lower=0, upper=4, cost=[3, 5], integer=True, name="x")
    model.add_rows(x, [2, 3], upper=13, name="room")
    result = ENGINE.solve(model)
    # x = (2, 3): 6 + 15; (4, 1): 12 + 5; (0, 4): 0 + 20.
    assert (result.objective, result.bound) == (28, 28)
    assert isinstance(result.objective, int)
    assert isinstance(result.bound, int)


def test_random_models_agree_with_enumeration() -> None:
    rng = np.random.default_rng(20_240)
    feasible = 0
    for _ in range(100):
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
    assert 40 < feasible < 95


def test_unbounded_columns_of_a_mixed_model_are_taken() -> None:
    """Minimise 3z - y with y <= 2z - 1 and z >= 2: z = 2, y = 3, so 3."""
    model = LinearModel()
    y = model.add_variables((), lower=-math.inf, upper=math.inf, cost=-1, name="y")
    z = model.add_variables((), lower=2, upper=50, cost=3, integer=True, name="z")
    model.add_rows([y, z], [1, -2], upper=-1, name="r")
    result = ENGINE.solve(model)
    assert result.status is Status.OPTIMAL
    assert result.objective == pytest.approx(3)


def contended(rng: np.random.Generator, base: int) -> tuple[LinearModel, int]:
    """Choose three or four of six with costs near `base`, the optimum by enumeration."""
    cost, weight = base + rng.integers(0, 50, 6), rng.integers(1, 9, 6)
    need = int(weight.sum() // 2)
    model = LinearModel()
    x = model.add_variables(6, lower=0, upper=1, cost=cost, integer=True, name="x")
    model.add_rows(x, weight, lower=need, name="weight")
    model.add_rows(x, lower=3, upper=4, name="count")
    points = [np.array(p) for p in itertools.product((0, 1), repeat=6) if 3 <= sum(p) <= 4]
    return model, min(int(p @ cost) for p in points if p @ weight >= need)


def wide_knapsack(rng: np.random.Generator, base: int) -> tuple[LinearModel, int]:
    """Draw a knapsack with weights and values near `base`, the optimum by enumeration."""
    weight = rng.integers(base // 2, base, 8)
    value = weight + rng.integers(0, base // 1000, 8)
    room = int(weight.sum() // 2)
    model = LinearModel(minimise=False)
    x = model.add_variables(8, lower=0, upper=1, cost=value, integer=True, name="x")
    model.add_rows(x, weight, upper=room, name="room")
    points = np.array(list(itertools.product((0, 1), repeat=8)))
    return model, int((points @ value)[points @ weight <= room].max())


@pytest.mark.parametrize("power", [30, 35, 39, 41, 43])
def test_steps_of_large_objectives_are_told_apart(power: int) -> None:
    """SCIP with its own settings calls wrong values optimal near 2**35."""
    for seed in range(10):
        model, optimum = contended(np.random.default_rng(seed), 2**power)
        result = ENGINE.solve(model)
        assert result.status is Status.OPTIMAL
        assert result.objective == result.bound == optimum


@pytest.mark.parametrize("digits", [6, 9, 10, 11, 12, 13])
def test_rows_of_large_numbers_lose_no_optimum(digits: int) -> None:
    """SCIP with its own settings calls wrong values optimal at 10**10, one in six."""
    for seed in range(6):
        model, optimum = wide_knapsack(np.random.default_rng(seed), 10**digits)
        result = ENGINE.solve(model)
        assert result.status is Status.OPTIMAL
        assert result.objective == result.bound == optimum


def test_numbers_beyond_doubles_give_no_false_proof() -> None:
    for seed in range(6):
        model, optimum = contended(np.random.default_rng(seed), 2**48)
        result = ENGINE.solve(model)
        assert result.objective is not None
        assert result.bound is not None
        assert result.bound <= optimum <= result.objective
        model, optimum = wide_knapsack(np.random.default_rng(seed), 10**14)
        result = ENGINE.solve(model)
        assert result.bound is not None
        assert result.bound >= optimum


def test_ordinary_models_keep_scips_own_settings() -> None:
    numerics = numerics_of(knapsack(1, 3, 20).arrays())
    assert (numerics.epsilon, numerics.factor, numerics.has_safe_cuts) == (1e-9, 1, True)


# Status


@pytest.mark.parametrize("with_integer", [False, True])
@pytest.mark.parametrize("minimise", [False, True])
def test_unbounded_models_are_unbounded(with_integer: bool, minimise: bool) -> None:
    model = LinearModel(minimise=minimise)
    sign = -1 if minimise else 1
    x = model.add_variables(2, lower=0, upper=math.inf, cost=[2 * sign, -sign], name="x")
    z = model.add_variables(1, lower=0, upper=3, cost=1, integer=with_integer, name="z")
    model.add_rows(np.r_[x, z], [1, -1, 1], lower=0, upper=0, name="r")
    for start in (None, np.zeros(3)):
        result = ENGINE.solve(model, warm_start=start)
        assert result.status is Status.UNBOUNDED
        assert (result.values, result.bound) == (None, None)


def test_empty_model_with_a_row_that_zero_breaks_is_infeasible() -> None:
    model = LinearModel()
    model.add_rows([], lengths=[0], lower=1, upper=1, name="impossible")
    assert ENGINE.solve(model).status is Status.INFEASIBLE


def test_relative_gap_counts_the_offset() -> None:
    model = knapsack(3, 3, 22).copy(offset=10**9)
    result = ENGINE.solve(model, Limits(relative_gap=1e-3, time_limit_s=SAFETY))
    assert result.status is Status.FEASIBLE
    assert result.nodes <= 1


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda claim: replace(claim, values=claim.values + 0.01), "integer column 0"),
        (lambda claim: replace(claim, values=1 - claim.values), "room"),
        (lambda claim: replace(claim, objective=claim.objective + 1), "claims objective"),
        (lambda claim: replace(claim, bound=claim.objective + 1), "nothing is better"),
        (lambda claim: replace(claim, values=None), "without a solution"),
    ],
)
def test_false_claims_are_errors(monkeypatch: pytest.MonkeyPatch, change: Any, text: str) -> None:
    read = scip_module._read
    monkeypatch.setattr(scip_module, "_read", lambda *arguments: change(read(*arguments)))
    with pytest.raises(EngineError, match=text):
        ENGINE.solve(knapsack(3, 3, 15))


def test_numbers_that_scip_does_not_hold_raise() -> None:
    model = LinearModel()
    model.add_variables(1, lower=0, upper=2**52, cost=2**52, name="x")
    arrays = model.arrays()
    huge = replace(arrays, upper=np.array([1e21]))
    with pytest.raises(EngineError, match=r"SCIP's finite range"):
        mathopt.run(mathopt.GSCIP, mathopt.model_proto(huge), scip_module.checked_parameters(None))


# Limits


def test_short_time_keeps_the_best_solution_and_its_bound() -> None:
    model = market_split(1)
    result = ENGINE.solve(model, Limits(time_limit_s=1.0))
    assert result.status is Status.FEASIBLE
    assert result.termination is Termination.TIME_LIMIT
    assert result.seconds < 5
    assert result.values is not None
    assert model.violations_of(result.values) == []
    assert result.objective == model.objective_of(result.values)
    assert result.bound is not None
    assert result.bound <= result.objective


def test_node_limit_ends_the_run_the_same_way_every_time() -> None:
    model = knapsack(0, 10, 60)
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
    none = ENGINE.solve(model, Limits(max_nodes=0))
    assert none.termination is Termination.NODE_LIMIT
    assert none.nodes == 0


def test_another_seed_takes_another_way_to_the_same_optimum() -> None:
    model = knapsack(3, 3, 20)
    runs = [ENGINE.solve(model, Limits(seed=seed)) for seed in (0, 0, 1)]
    assert len({run.objective for run in runs}) == 1
    assert (runs[0].nodes, runs[0].iterations) == (runs[1].nodes, runs[1].iterations)
    assert (runs[0].nodes, runs[0].iterations) != (runs[2].nodes, runs[2].iterations)


def test_who_watches_does_not_change_the_run() -> None:
    model = knapsack(3, 3, 20)
    alone, watched = ENGINE.solve(model), ENGINE.solve(model, on_event=lambda _: None)
    assert (alone.nodes, alone.iterations) == (watched.nodes, watched.iterations)


def test_cutoff_never_makes_a_claim_beyond_itself() -> None:
    rng = np.random.default_rng(77)
    seen = dict.fromkeys((Status.OPTIMAL, Status.FEASIBLE, Status.NO_SOLUTION), 0)
    for _ in range(150):
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
    assert seen[Status.OPTIMAL] > 30
    assert seen[Status.NO_SOLUTION] > 15


def test_cutoff_of_a_continuous_objective_is_kept() -> None:
    for cutoff, status in ((9.5, Status.OPTIMAL), (8.5, Status.NO_SOLUTION)):
        result = ENGINE.solve(toy(), Limits(cutoff=cutoff))
        assert result.status is status
        assert result.bound == pytest.approx(min(cutoff, 9))


@pytest.mark.parametrize("minimise", [True, False])
def test_target_ends_the_run_at_a_solution_as_good(minimise: bool) -> None:
    model = market_split(1)
    if not minimise:
        model = model.copy(cost=-model.arrays().cost, minimise=False)
    sense = 1 if minimise else -1
    result = ENGINE.solve(model, Limits(target=sense * 40, time_limit_s=SAFETY))
    assert result.status is Status.FEASIBLE
    assert result.termination is Termination.TARGET
    assert result.objective is not None
    assert sense * result.objective <= 40
    out_of_reach = ENGINE.solve(knapsack(3, 3, 15), Limits(target=10**9))
    assert out_of_reach.status is Status.OPTIMAL


def test_memory_limit_ends_the_run() -> None:
    model = knapsack(2, 15, 150)
    result = ENGINE.solve(model, Limits(memory_limit_mib=40, time_limit_s=SAFETY))
    assert result.termination is Termination.MEMORY_LIMIT
    assert result.bound is None or result.objective is None or result.bound >= result.objective
    tight = ENGINE.solve(model, Limits(memory_limit_mib=1))
    assert tight.termination is Termination.MEMORY_LIMIT
    assert tight.status is Status.NO_SOLUTION
    assert "model alone" in tight.message
    assert ENGINE.solve(toy(), Limits(memory_limit_mib=500)).status is Status.OPTIMAL


def test_threads_are_refused_because_there_are_none() -> None:
    assert Feature.THREADS not in ENGINE.features
    with pytest.raises(UnsupportedError, match="threads"):
        ENGINE.solve(toy(), Limits(threads=2))


# Warm starts


def test_warm_started_runs_are_never_worse_than_the_start() -> None:
    rng = np.random.default_rng(5)
    for seed in range(4):
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


def test_scip_begins_with_the_start() -> None:
    model = knapsack(3, 3, 15)
    best = ENGINE.solve(model).values
    assert best is not None
    events: list[EngineEvent] = []
    again = ENGINE.solve(model, warm_start=best, on_event=events.append)
    assert again.status is Status.OPTIMAL
    first = next(event for event in events if event.values is not None)
    assert first.objective == again.objective


def test_start_that_breaks_a_rule_is_refused() -> None:
    with pytest.raises(InputError, match="demand = 4"):
        ENGINE.solve(toy(), warm_start=[1, 1])


def test_start_refutes_a_wrong_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    model = knapsack(3, 3, 15)
    best = ENGINE.solve(model).values
    read = scip_module._read

    def lie(*arguments: Any) -> Any:
        return replace(read(*arguments), values=None, infeasible=True)

    monkeypatch.setattr(scip_module, "_read", lie)
    with pytest.raises(EngineError, match="is feasible"):
        ENGINE.solve(model, warm_start=best)


# Progress and cancelling


def test_incumbents_and_bounds_are_reported_in_the_models_sense() -> None:
    model = knapsack(3, 3, 20)
    events: list[EngineEvent] = []
    threads: set[int] = set()

    def note(event: EngineEvent) -> None:
        events.append(event)
        threads.add(threading.get_ident())

    result = ENGINE.solve(model, on_event=note)
    assert threads == {threading.get_ident()}
    incumbents = [event for event in events if event.values is not None]
    objectives = [event.objective for event in incumbents]
    assert objectives == sorted(objectives)  # type: ignore[type-var]
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
    assert 0 < nodes[-1] <= result.nodes


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


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_exception_in_a_callback_stops_the_run_and_is_raised(error: type[BaseException]) -> None:
    def fail(*_: object) -> None:
        raise error("from the callback")

    with pytest.raises(error, match="from the callback"):
        ENGINE.solve(market_split(1), Limits(time_limit_s=SAFETY), on_event=fail)
    assert ENGINE.solve(toy()).status is Status.OPTIMAL


def test_failure_within_a_native_callback_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("deep inside")

    monkeypatch.setattr(scip_module.Watch, "see", fail)
    with pytest.raises(RuntimeError, match="deep inside"):
        ENGINE.solve(market_split(1), Limits(time_limit_s=SAFETY))


def test_keyboard_interrupt_during_a_native_call_is_raised() -> None:
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        ENGINE.solve(market_split(1), Limits(time_limit_s=SAFETY))
    timer.join()
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
    assert result.values is not None
    assert model.objective_of(result.values) == result.objective
    assert result.bound is not None
    assert result.bound >= result.objective


def test_interpreter_exits_cleanly_after_a_run_that_was_left_behind() -> None:
    """A daemon thread cut off within a callback would abort the process."""
    program = (
        "import threading\n"
        "from leotrek_opt.solvers.engines import mathopt, native_call\n"
        "from leotrek_opt.solvers.engines.scip import ScipEngine\n"
        "from leotrek_opt.solvers.engines.protocol import Limits\n"
        "from tests.solvers.engines.small_models import market_split\n"
        "native_call.PATIENCE_S = -1.0\n"
        "mathopt.Stop.set = lambda self: None\n"
        "cancel = threading.Event()\n"
        "threading.Timer(0.3, cancel.set).start()\n"
        "limits = Limits(time_limit_s=1.0)\n"
        "print(ScipEngine().solve(market_split(1), limits, cancel=cancel).message)\n"
    )
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SAFETY)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "left behind in a native call\n"


# Options


def test_options_are_passed_on() -> None:
    result = ENGINE.solve(
        knapsack(3, 3, 20),
        options={
            "separating/maxrounds": 0,
            "limits/nodes": 10_000,
            "branching/scorefac": 0.2,
            "heuristics/rens/freq": -1,
            "branching/preferbinary": True,
            "nodeselection/childsel": "d",
            "limits/restarts": 0,
        },
    )
    assert result.status is Status.OPTIMAL
    few = ENGINE.solve(knapsack(3, 3, 20), options={"limits/solutions": 1})
    assert few.termination is Termination.ENGINE_LIMIT
    assert few.solution_count == 1


@pytest.mark.parametrize(
    "options",
    [
        {"presolve": "off"},
        {"presolve": "on"},
        {"cuts": "off", "heuristics": "off"},
        {"cuts": "low", "heuristics": "low"},
        {"cuts": "high", "heuristics": "high"},
        {"lp_algorithm": "primal_simplex"},
        {"lp_algorithm": "dual_simplex"},
    ],
)
def test_common_options_leave_the_optimum_alone(options: dict[str, object]) -> None:
    model = knapsack(3, 3, 12)
    arrays = model.arrays()
    points = np.array(list(itertools.product((0, 1), repeat=12)))
    fits = np.all(points @ arrays.data.reshape(3, 12).T <= arrays.row_upper, axis=1)
    assert ENGINE.solve(model, options=options).objective == (points[fits] @ arrays.cost).max()


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"presolv": "off"}, InputError, r"options.presolv: .*did you mean presolve\?"),
        ({"no/such/thing": 1}, InputError, "SCIP has no such parameter"),
        ({"limits/node": 5}, InputError, r"did you mean limits/nodes\?"),
        ({"läuft": 5}, InputError, "no such parameter"),
        ({"presolve": "maybe"}, InputError, "'maybe'"),
        ({"separating/maxrounds": -5}, InputError, "does not take -5"),
        ({"separating/maxrounds": True}, InputError, "does not take True"),
        ({"separating/maxrounds": 1.5}, InputError, "does not take 1.5"),
        ({"separating/maxrounds": 2**40}, InputError, "does not take"),
        ({"separating/maxrounds": 2**70}, InputError, "must be a boolean, a number"),
        ({"separating/maxrounds": None}, InputError, "must be a boolean, a number"),
        ({"branching/scorefac": math.nan}, InputError, "does not take nan"),
        ({"nodeselection/childsel": "x"}, InputError, "does not take 'x'"),
        ({"nodeselection/childsel": "down"}, InputError, "does not take 'down'"),
        ({"nodeselection/childsel": "\u20ac"}, InputError, "printable ASCII"),
        ({"limits/time": 1.0}, UnsupportedError, "time_limit_s"),
        ({"limits/gap": 0.1}, UnsupportedError, "relative_gap"),
        ({"limits/memory": 10.0}, UnsupportedError, "memory_limit_mib"),
        ({"limits/primal": 10.0}, UnsupportedError, "target"),
        ({"limits/dual": 10.0}, UnsupportedError, "ends the process"),
        ({"parallel/maxnthreads": 2}, UnsupportedError, "without threads"),
        ({"display/verblevel": 5}, UnsupportedError, "prints"),
        ({"visual/vbcfilename": "x"}, UnsupportedError, "files"),
        ({"heuristics/alns/rewardfilename": "x"}, UnsupportedError, "files"),
        ({"misc/catchctrlc": True}, UnsupportedError, "signals"),
        ({"lp_algorithm": "barrier"}, UnsupportedError, "cannot follow 'barrier'"),
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
    ENGINE.solve(market_split(1), Limits(max_nodes=50, time_limit_s=SAFETY))
    with pytest.raises(InputError):
        ENGINE.solve(model, options={"no/such/thing": 1})
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""


def test_engine_works_where_scips_library_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scip_library, "_library", lambda: None)
    scip_library.parameter_names.cache_clear()
    assert scip_library.parameter_names() == ()
    assert ENGINE.solve(toy()).objective == pytest.approx(9)
    with pytest.raises(InputError, match=r"no such parameter$"):
        ENGINE.solve(toy(), options={"limits/node": 5})
    scip_library.parameter_names.cache_clear()


def test_engine_is_found_by_name() -> None:
    engine: Engine = engine_named("scip")
    assert (engine.name, engine.family) == ("scip", "scip")
    assert engine.version().startswith("9.15.")
