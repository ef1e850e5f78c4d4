"""The engine ``pyomo:<solver>``: HiGHS in this process, any other solver in a child process.

What all engines must do alike is in ``test_every_engine.py``.
"""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.contrib.appsi.base import TerminationCondition as AppsiCondition
from pyomo.opt import TerminationCondition
from tests.solvers.engines.small_models import (
    knapsack,
    market_split,
    model_that_highs_presolve_fails_on,
    random_model,
    toy,
)

from leotrek_opt.errors import EngineError, InputError, MissingDependencyError, UnsupportedError
from leotrek_opt.solvers.engines import engine_named, pyomo_highs, pyomo_task
from leotrek_opt.solvers.engines.highs import HighsEngine
from leotrek_opt.solvers.engines.protocol import (
    EngineEvent,
    Feature,
    Limits,
    Termination,
)
from leotrek_opt.solvers.engines.pyomo import PyomoEngine
from leotrek_opt.solvers.engines.pyomo_child import believed, run_in_child
from leotrek_opt.solvers.engines.pyomo_model import BuildStopped, pyomo_model, row_model
from leotrek_opt.solvers.engines.pyomo_solvers import family_of, traits_of
from leotrek_opt.solvers.engines.pyomo_task import Task, claimed, minimised
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.status import Status

ENGINE = PyomoEngine("appsi_highs")
CHILD = PyomoEngine("highs")
SAFETY = 60.0
"""A limit that no test reaches unless something is broken."""


def parity(*, integer: bool) -> LinearModel:
    """2x + 2y = 3: no integers do it."""
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=5, cost=1, integer=integer, name="x")
    model.add_rows(x, 2, lower=3, upper=3, name="parity")
    return model


def unbounded(*, integer: bool, minimise: bool) -> LinearModel:
    """Improve along a ray for ever."""
    model = LinearModel(minimise=minimise)
    sign = -1 if minimise else 1
    x = model.add_variables(2, lower=0, upper=math.inf, cost=[2 * sign, -sign], name="x")
    z = model.add_variables(1, lower=0, upper=3, cost=1, integer=integer, name="z")
    model.add_rows(np.r_[x, z], [1, -1, 1], lower=0, upper=0, name="r")
    return model


def large(n_rows: int, n: int = 2_000, length: int = 20) -> LinearModel:
    """Build what Pyomo takes long to build."""
    model = LinearModel()
    x = model.add_variables(n, lower=0, upper=1, cost=1, integer=True, name="x")
    columns = (np.arange(n_rows)[:, None] * 7 + np.arange(length) * 97) % n
    model.add_rows(x[columns], lower=1, name="cover")
    return model


# Answers


def test_maximising_turns_objective_and_bound() -> None:
    model = LinearModel(minimise=False, offset=7)
    x = model.add_variables(2, lower=0, upper=4, cost=[3, 5], integer=True, name="x")
    model.add_rows(x, [2, 3], upper=13, name="room")
    result = ENGINE.solve(model)
    # x = (2, 3): 6 + 15; (4, 1): 12 + 5; (0, 4): 0 + 20.
    assert (result.objective, result.bound) == (28, 28)
    assert isinstance(result.objective, int)
    assert result.claimed_objective == pytest.approx(28)


def test_random_models_agree_with_enumeration() -> None:
    rng = np.random.default_rng(77)
    feasible = 0
    for _ in range(60):
        model, optimum = random_model(rng)
        result = ENGINE.solve(model)
        if optimum is None:
            assert result.status is Status.INFEASIBLE
            continue
        feasible += 1
        assert result.status is Status.OPTIMAL
        assert result.objective == result.bound == optimum
        assert model.objective_of(result.values) == optimum  # type: ignore[arg-type]
        assert model.violations_of(result.values) == []  # type: ignore[arg-type]
    assert 25 < feasible < 58


def test_hand_over_through_pyomo_is_the_same_model() -> None:
    """HiGHS walks the same tree as when it is given the arrays."""
    direct = HighsEngine()
    for model in (knapsack(3, 3, 20), market_split(1, 3), toy()):
        limits = Limits(max_nodes=50, time_limit_s=SAFETY)
        through, given = ENGINE.solve(model, limits), direct.solve(model, limits)
        assert (through.nodes, through.iterations) == (given.nodes, given.iterations)
        assert (through.objective, through.bound) == (given.objective, given.bound)


def test_offset_beyond_floats_stays_exact() -> None:
    model = LinearModel(offset=10**30 + 1)
    model.add_variables(2, lower=1, upper=3, cost=[1, 1], integer=True, name="x")
    for limits in (Limits(), Limits(relative_gap=0.5)):
        result = ENGINE.solve(model, limits)
        assert result.objective == result.bound == 10**30 + 3


def test_relative_gap_counts_the_offset() -> None:
    """With a large constant the first solution found is within one part in a thousand."""
    arrays = knapsack(3, 3, 22).arrays()
    shifted = LinearModel(minimise=False, offset=10**9)
    x = shifted.add_variables(22, lower=0, upper=1, cost=arrays.cost, integer=True, name="x")
    shifted.add_rows(
        x[arrays.indices], arrays.data, indptr=arrays.indptr, upper=arrays.row_upper, name="room"
    )
    result = ENGINE.solve(shifted, Limits(relative_gap=1e-3, time_limit_s=SAFETY))
    assert result.status is Status.FEASIBLE
    assert result.termination is Termination.GAP
    assert result.nodes <= 1


def test_parts_that_pyomo_does_not_take_are_left_out_and_answered() -> None:
    model = LinearModel()
    x = model.add_variables(4, lower=[-3, 1, 2, 0], upper=[-1, 5, 6, 9], integer=True, name="x")
    y = model.add_variables((), lower=0, upper=4, cost=-1, integer=True, name="y")
    model.add_rows([], lengths=[0], upper=2, name="empty")
    model.add_rows(x, 3, name="open")
    model.add_rows([x[3], y], upper=4, name="r")
    result = ENGINE.solve(model)
    assert result.objective == result.bound == -4
    assert result.values is not None
    assert result.values.tolist() == [-1, 1, 2, 0, 4]


def test_model_with_nothing_to_decide_needs_no_solver() -> None:
    model = LinearModel(offset=5)
    model.add_variables(2, lower=[-9, 2], upper=[-4, 7], integer=True, name="x")
    for engine in (ENGINE, CHILD):
        result = engine.solve(model)
        assert result.status is Status.OPTIMAL
        assert result.objective == 5
        assert result.values is not None
        assert result.values.tolist() == [-4, 2]


def test_row_without_entries_that_is_broken_makes_the_model_infeasible() -> None:
    model = LinearModel()
    model.add_variables(2, lower=0, upper=1, integer=True, name="x")
    model.add_rows([], lengths=[0], lower=1, name="impossible")
    assert ENGINE.solve(model).status is Status.INFEASIBLE


# Status


def test_infeasible_model_is_infeasible_and_its_relaxation_is_not() -> None:
    result = ENGINE.solve(parity(integer=True))
    assert result.status is Status.INFEASIBLE
    assert (result.values, result.objective, result.bound) == (None, None, None)
    assert ENGINE.solve(parity(integer=False)).objective == pytest.approx(1.5)


@pytest.mark.parametrize("integer", [False, True])
@pytest.mark.parametrize("minimise", [False, True])
def test_unbounded_models_are_unbounded(integer: bool, minimise: bool) -> None:
    result = ENGINE.solve(unbounded(integer=integer, minimise=minimise))
    assert result.status is Status.UNBOUNDED
    assert (result.values, result.bound) == (None, None)


def test_every_end_that_pyomo_knows_is_mapped_or_raises() -> None:
    failures = {
        "error",
        "internalSolverError",
        "invalidProblem",
        "licensingProblems",
        "solverFailure",
    }
    known = set(pyomo_task.TERMINATIONS)
    names = {end.value for end in TerminationCondition} | {end.name for end in AppsiCondition}
    assert known | failures == names
    assert not known & failures


def test_unmapped_end_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyomo_task, "TERMINATIONS", {})
    with pytest.raises(EngineError, match="pyomo:appsi_highs ended with optimal"):
        ENGINE.solve(toy())


def test_point_of_a_stopped_solver_counts_only_if_it_is_feasible() -> None:
    task = task_for(parity(integer=False), "cbc")
    point = {"objective": None, "bound": 0.0, "message": ""}
    stopped = claimed(task, "maxTimeLimit", values=np.array([1.0, 1.0]), **point)
    assert stopped.values is None
    kept = claimed(task, "maxTimeLimit", values=np.array([1.0, 0.5]), **point)
    assert kept.values is not None
    assert kept.bound is None
    fractional = task_for(knapsack(0, 1, 3), "cbc")
    half = claimed(fractional, "intermediateNonInteger", values=np.full(3, 0.01), **point)
    assert half.values is None
    assert half.termination is Termination.UNKNOWN


def test_failed_presolve_of_highs_is_left_out() -> None:
    result = ENGINE.solve(model_that_highs_presolve_fails_on())
    assert result.status is Status.INFEASIBLE
    with pytest.raises(EngineError):
        run_here(model_that_highs_presolve_fails_on())


# Limits


def test_time_limit_keeps_the_best_solution_and_its_bound() -> None:
    model = market_split(1)
    result = ENGINE.solve(model, Limits(time_limit_s=1))
    assert result.status is Status.FEASIBLE
    assert result.termination is Termination.TIME_LIMIT
    assert result.values is not None
    assert model.violations_of(result.values) == []
    assert result.objective == model.objective_of(result.values)
    assert result.bound is not None
    assert result.bound <= result.objective


def test_building_the_model_counts_and_is_stopped() -> None:
    began = time.monotonic()
    result = ENGINE.solve(large(40_000), Limits(time_limit_s=0.3))
    assert time.monotonic() - began < SAFETY / 6
    assert result.status is Status.NO_SOLUTION
    assert result.termination is Termination.TIME_LIMIT
    assert result.bound is None
    with pytest.raises(BuildStopped):
        row_model(large(10).arrays(), go_on=lambda: False)


def test_node_limit_ends_the_run_the_same_way_every_time() -> None:
    model = knapsack(0, 6, 60)
    limits = Limits(max_nodes=2, time_limit_s=SAFETY, seed=5)
    first, second = (ENGINE.solve(model, limits) for _ in range(2))
    assert first.status is Status.FEASIBLE
    assert first.termination is Termination.NODE_LIMIT
    assert (first.objective, first.bound) == (second.objective, second.bound)
    assert (first.nodes, first.iterations) == (second.nodes, second.iterations)


def test_stopping_within_a_gap_is_feasible_not_optimal() -> None:
    result = ENGINE.solve(knapsack(3, 3, 22), Limits(relative_gap=0.1, time_limit_s=SAFETY))
    assert result.status is Status.FEASIBLE
    assert result.termination is Termination.GAP
    assert result.objective is not None
    assert result.bound is not None
    assert 0 < result.bound - result.objective <= 0.1 * result.objective


def test_number_of_threads_may_change_between_runs() -> None:
    for threads in (1, 2, 1):
        assert ENGINE.solve(knapsack(3, 3, 15), Limits(threads=threads)).status is Status.OPTIMAL


@pytest.mark.parametrize(
    ("engine", "limits", "text"),
    [
        (ENGINE, Limits(cutoff=3.0), "cutoff"),
        (ENGINE, Limits(target=3.0), "target"),
        (ENGINE, Limits(memory_limit_mib=100), "memory_limit"),
        (CHILD, Limits(cutoff=3.0), "cutoff"),
    ],
)
def test_limits_without_a_common_way_are_refused(
    engine: PyomoEngine, limits: Limits, text: str
) -> None:
    with pytest.raises(UnsupportedError, match=f"does not offer: {text}"):
        engine.solve(toy(), limits)


# Warm starts


def test_warm_start_is_the_first_solution() -> None:
    model = knapsack(0, 10, 100)
    start = np.zeros(100)
    start[np.argsort(model.arrays().cost)[:20]] = 1
    events: list[EngineEvent] = []
    options = {"presolve": "off", "heuristics": "off"}
    result = ENGINE.solve(
        model,
        Limits(max_nodes=1, time_limit_s=SAFETY),
        warm_start=start,
        on_event=events.append,
        options=options,
    )
    first = next(event for event in events if event.values is not None)
    assert first.values is not None
    assert first.values.tolist() == start.tolist()
    assert first.objective == model.objective_of(start)
    assert result.objective >= first.objective  # type: ignore[operator]


def test_warm_start_is_never_lost() -> None:
    model = knapsack(3, 3, 15)
    best = ENGINE.solve(model)
    for limits in (Limits(time_limit_s=0), Limits(max_nodes=0), Limits()):
        assert ENGINE.solve(model, limits, warm_start=best.values).objective == best.objective


def test_fractional_start_of_a_mixed_model_is_taken() -> None:
    assert ENGINE.solve(toy(), warm_start=[0.5, 4]).objective == pytest.approx(9)


def test_start_that_breaks_a_rule_or_cannot_be_taken_is_refused() -> None:
    with pytest.raises(InputError, match="demand = 4"):
        ENGINE.solve(toy(), warm_start=[1, 1])
    with pytest.raises(UnsupportedError, match="pyomo:highs does not offer: warm_start"):
        CHILD.solve(toy(), warm_start=[4.5, 0])


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
    assert incumbents[-1].objective == result.objective
    assert len(incumbents) == result.solution_count
    for event in incumbents:
        assert model.violations_of(event.values) == []  # type: ignore[arg-type]
        assert model.objective_of(event.values) == event.objective  # type: ignore[arg-type]
    bounds = [event.bound for event in events if event.bound is not None]
    assert bounds == sorted(bounds, reverse=True)
    assert all(bound >= result.objective for bound in bounds)  # type: ignore[operator]


def test_cancel_keeps_the_best_solution() -> None:
    model, cancel = market_split(2), threading.Event()
    timer = threading.Timer(0.5, cancel.set)
    timer.start()
    result = ENGINE.solve(model, Limits(time_limit_s=SAFETY), cancel=cancel)
    timer.join()
    assert result.status is Status.INTERRUPTED
    assert result.values is not None
    assert model.violations_of(result.values) == []
    assert_no_run_is_left()


def test_keyboard_interrupt_during_a_run_is_raised() -> None:
    timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        ENGINE.solve(market_split(1), Limits(time_limit_s=SAFETY))
    timer.join()
    assert_no_run_is_left()


def test_run_that_was_left_behind_keeps_what_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules[PyomoEngine.__module__]
    call = module.call_native  # type: ignore[attr-defined]

    def leave(*arguments: Any, **keywords: Any) -> None:
        call(*arguments, **keywords)

    monkeypatch.setattr(module, "call_native", leave)
    model = knapsack(3, 3, 15)
    result = ENGINE.solve(model)
    assert result.values is not None
    assert model.objective_of(result.values) == result.objective


# Standard streams and threads


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    model = knapsack(3, 3, 15)
    ENGINE.solve(model, warm_start=np.zeros(15), on_event=lambda _: None)
    ENGINE.solve(market_split(1), Limits(time_limit_s=0.2, threads=2))
    ENGINE.solve(parity(integer=True))
    ENGINE.solve(unbounded(integer=True, minimise=True))
    CHILD.solve(toy())
    with pytest.raises(InputError):
        engine_named("pyomo:nonsense")
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_what_others_print_meanwhile_is_not_swallowed(capfd: pytest.CaptureFixture[str]) -> None:
    """Pyomo's own run redirects the streams of the whole process until it ends."""
    before = sys.stdout

    def tell(_: EngineEvent) -> None:
        assert sys.stdout is before
        os.write(1, b"heard\n")

    ENGINE.solve(knapsack(3, 3, 20), on_event=tell)
    assert "heard" in capfd.readouterr().out


def test_one_engine_serves_many_threads() -> None:
    """Threads that take turns all the time trip over what Pyomo shares among them."""
    models = [knapsack(seed, 20, 12) for seed in range(12)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(ENGINE.solve, models))
    finally:
        sys.setswitchinterval(interval)
    for model, result in zip(models, together, strict=True):
        assert result.status is Status.OPTIMAL
        assert result.objective == ENGINE.solve(model).objective


# Linear programs


@pytest.mark.parametrize("minimise", [False, True])
def test_duals_follow_the_documented_signs(minimise: bool) -> None:
    """The identity column_dual = cost - A' row_dual, and the bound that any duals give."""
    rng = np.random.default_rng(11)
    for _ in range(8):
        n, m = 6, 4
        matrix = rng.integers(-5, 6, (m, n))
        cost = rng.integers(-9, 10, n)
        lower = matrix @ np.ones(n, dtype=int) - rng.integers(0, 9, m)
        upper = lower + rng.integers(0, 15, m)
        model = LinearModel(minimise=minimise)
        x = model.add_variables(n, lower=0, upper=3, cost=cost, name="x")
        model.add_rows(np.tile(x, (m, 1)), matrix, lower=lower, upper=upper, name="r")
        model.add_rows(x, name="open")
        result = ENGINE.solve(model)
        assert result.status is Status.OPTIMAL
        assert result.row_dual is not None
        assert result.column_dual is not None
        assert result.row_dual[m] == 0
        row_dual = result.row_dual[:m]
        assert result.column_dual == pytest.approx(cost - matrix.T @ row_dual)
        sign = 1 if minimise else -1
        y, d = sign * row_dual, sign * result.column_dual
        bound = np.sum(np.where(y > 0, y * lower, y * upper)) + np.sum(np.where(d > 0, 0, 3 * d))
        assert sign * bound == pytest.approx(result.objective)


def test_stopped_linear_program_has_no_bound() -> None:
    rng = np.random.default_rng(0)
    weight = rng.integers(1, 1000, (150, 1500)) * (rng.random((150, 1500)) < 0.2)
    model = LinearModel(minimise=False)
    x = model.add_variables(1500, lower=0, upper=1, cost=rng.integers(1, 999, 1500), name="x")
    model.add_rows(np.tile(x, (150, 1)), weight, upper=weight.sum(axis=1) // 3, name="room")
    options = {"simplex_iteration_limit": 5, "presolve": "off"}
    result = ENGINE.solve(model, Limits(time_limit_s=SAFETY), options=options)
    assert result.termination is Termination.ENGINE_LIMIT
    assert result.bound is None


# Options


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"presolv": "off"}, InputError, r"options.presolv: .*did you mean presolve\?"),
        ({"presolve": "maybe"}, InputError, "'maybe'"),
        ({"cuts": "off"}, UnsupportedError, "cannot follow"),
        ({"mip_heuristic_effort": 2.0}, InputError, "does not take"),
        ({"time_limit": 1.0}, UnsupportedError, "time_limit_s"),
        ({"mip_rel_gap": 0.1}, UnsupportedError, "relative_gap"),
        ({"output_flag": True}, UnsupportedError, "prints"),
        ({"solver": "simplex"}, UnsupportedError, "integrality"),
    ],
)
@pytest.mark.parametrize("engine", [ENGINE, CHILD])
def test_bad_options_of_highs_are_refused(
    engine: PyomoEngine, options: dict[str, object], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        engine.solve(toy(), options=options)


def test_options_are_passed_on() -> None:
    options = {"presolve": "off", "mip_max_leaves": 1}
    result = ENGINE.solve(knapsack(3, 3, 20), options=options)
    assert result.termination is Termination.ENGINE_LIMIT
    assert result.nodes < ENGINE.solve(knapsack(3, 3, 20)).nodes


# Which solvers there are


def test_engine_says_who_it_is() -> None:
    for engine in (ENGINE, CHILD):
        assert engine.family == "highs"
        assert engine.version().startswith("1.13.")
        assert "through Pyomo" in engine.version()
    assert engine_named("pyomo:highs").name == "pyomo:highs"
    assert {Feature.INCUMBENTS, Feature.WARM_START, Feature.DUALS} <= ENGINE.features
    assert not {Feature.CUTOFF, Feature.TARGET, Feature.MEMORY_LIMIT} & ENGINE.features


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("appsi_highs", "highs"),
        ("cbc", "cbc"),
        ("appsi_cbc", "cbc"),
        ("gurobi_persistent_v2", "gurobi"),
        ("xpress_direct", "xpress"),
        ("scip_direct", "scip"),
        ("asl:couenne", "couenne"),
        ("baron", "baron"),
    ],
)
def test_family_is_the_code_base(name: str, family: str) -> None:
    assert family_of(name) == family


def test_unknown_solvers_are_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"no solver 'appsi_higs' \(did you mean appsi_highs\?\)"):
        engine_named("pyomo:appsi_higs")
    for name in ("../bin/sh", "_neos", "cbc:x", ""):
        with pytest.raises(InputError):
            PyomoEngine(name)


@pytest.mark.parametrize("name", ["mindtpy", "gdpopt.loa", "multistart", "py", "asl"])
def test_solvers_of_other_problems_are_refused(name: str) -> None:
    with pytest.raises(UnsupportedError, match="does not solve linear models"):
        PyomoEngine(name)


def test_missing_solver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyo.SolverFactory("cbc").__class__, "available", lambda *_, **__: False)
    with pytest.raises(MissingDependencyError, match=r"pyomo:cbc cannot run here: .*cbc is on"):
        PyomoEngine("cbc")
    with pytest.raises(MissingDependencyError, match="install no-such-solver"):
        PyomoEngine("asl:no-such-solver")


def test_other_versions_of_highs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(highspy, "HIGHS_VERSION_MINOR", 14)
    with pytest.raises(MissingDependencyError, match=r"1\.14"):
        PyomoEngine("appsi_highs")


def test_unknown_solver_is_believed_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyo.SolverFactory("baron").__class__, "available", lambda *_, **__: True)
    traits = traits_of("baron")
    assert Feature.GAP not in traits.features
    assert Feature.SEED not in traits.features
    assert traits.optimum_slack is None
    task = task_for(knapsack(0, 1, 3), "baron")
    claim = claimed(
        task, "optimal", values=np.zeros(3), objective=0.0, bound=0.0, message="optimal"
    )
    assert claim.bound is None


# The model in Pyomo


def test_model_in_pyomo_has_labels_on_request() -> None:
    model = LinearModel(minimise=False, offset=3)
    x = model.add_variables((1, 2), lower=0, upper=4, cost=[[2, 1]], integer=True, name="x")
    y = model.add_variables((), lower=-math.inf, upper=math.inf, name="y")
    model.add_rows([[x[0, 0], y]], [5, -1], lower=0, upper=9, name="r")
    plain, labelled = pyomo_model(model), pyomo_model(model, labels=True)
    assert [variable.name for variable in plain.x.values()] == ["x[0]", "x[1]", "x[2]"]
    assert list(labelled.x) == ["x[0,0]", "x[0,1]", "y"]
    assert list(labelled.row) == ["r[0]"]
    assert labelled.x["x[0,1]"].domain is pyo.Integers
    assert labelled.x["y"].bounds == (None, None)
    row = labelled.row["r[0]"]
    assert (row.lower, str(row.body), row.upper) == (0, "5.0*x['x[0,0]'] - x[y]", 9)
    assert labelled.objective.sense == pyo.maximize
    pyo.SolverFactory("appsi_highs").solve(plain)
    assert pyo.value(plain.objective) == 2 * 4 + 4 + 3


# Solvers in a child process


def task_for(model: LinearModel, solver: str, **options: object) -> Task:
    return Task(
        solver,
        minimised(model.arrays(), with_offset=False),
        options,
        None,
        reports_bounds=False,
        optimum_slack=None,
        whole_seconds=False,
        time_option=None,
    )


def run_here(model: LinearModel) -> object:
    return pyomo_highs.run_highs(
        task_for(model, "appsi_highs"), pyomo_highs.Seen(), threading.Event(), None, lambda _: None
    )


def test_child_finds_the_same_answers() -> None:
    result = CHILD.solve(toy(), Limits(time_limit_s=SAFETY))
    assert result.status is Status.OPTIMAL
    assert result.objective == pytest.approx(9)
    assert CHILD.solve(parity(integer=True)).status is Status.INFEASIBLE


def test_child_keeps_the_time_limit() -> None:
    began = time.monotonic()
    result = CHILD.solve(market_split(1), Limits(time_limit_s=2))
    assert time.monotonic() - began < SAFETY / 6
    assert result.termination is Termination.TIME_LIMIT
    assert CHILD.solve(toy(), Limits(time_limit_s=1e-3)).status is Status.NO_SOLUTION


def test_child_is_ended_when_cancelled() -> None:
    cancel = threading.Event()
    timer = threading.Timer(1.0, cancel.set)
    timer.start()
    result = CHILD.solve(market_split(2), cancel=cancel)
    timer.join()
    assert result.status is Status.INTERRUPTED
    assert result.values is None


def test_failure_in_a_child_is_one_line() -> None:
    with pytest.raises(EngineError, match=r"^pyomo:nonsense: Attempting to use an unavailable"):
        run_in_child(task_for(toy(), "nonsense"), None, None)


def test_infeasibility_found_at_a_limit_is_not_believed() -> None:
    """Pyomo reads CBC and GLPK so if they stopped before they found a solution."""
    claim = claimed(
        task_for(toy(), "cbc"), "infeasible", values=None, objective=None, bound=None, message=""
    )
    assert believed(claim, is_late=False, stopped=False).infeasible
    late = believed(claim, is_late=True, stopped=False)
    assert (late.infeasible, late.termination) == (False, Termination.TIME_LIMIT)
    stopped = believed(claim, is_late=False, stopped=True)
    assert (stopped.infeasible, stopped.termination) == (False, Termination.ENGINE_LIMIT)


@pytest.fixture(params=["cbc", "glpk"])
def executable(request: pytest.FixtureRequest) -> PyomoEngine:
    name = {"cbc": "cbc", "glpk": "glpsol"}[request.param]
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return PyomoEngine(request.param)


def test_executables_agree_with_enumeration(executable: PyomoEngine) -> None:
    rng = np.random.default_rng(5)
    for _ in range(2):
        model, optimum = random_model(rng)
        result = executable.solve(model)
        assert result.status is (Status.INFEASIBLE if optimum is None else Status.OPTIMAL)
        assert result.objective == optimum


def test_executables_take_gap_seed_and_presolve(executable: PyomoEngine) -> None:
    result = executable.solve(
        knapsack(3, 3, 12), Limits(relative_gap=0.2, seed=3), options={"presolve": "off"}
    )
    assert result.status is Status.FEASIBLE
    assert result.bound is None
    for name in ("ratioGap", "mipgap"):
        if name in traits_of(executable.name.removeprefix("pyomo:")).limits.values():
            with pytest.raises(UnsupportedError, match="set relative_gap of the limits"):
                executable.solve(toy(), options={name: 0.1})
    with pytest.raises(UnsupportedError, match="set time_limit_s of the limits"):
        executable.solve(toy(), options={"sec": 3})
    with pytest.raises(InputError, match=r"options\.a b"):
        executable.solve(toy(), options={"a b": 3})
    with pytest.raises(InputError, match="must be a plain value"):
        executable.solve(toy(), options={"strategy": [1]})


def test_glpk_is_not_believed_beyond_seven_digits() -> None:
    """It called 8,000,000,050 optimal where 8,000,000,048 is possible."""
    task = replace(task_for(knapsack(0, 1, 3), "glpk"), optimum_slack=1e-7)
    large_cost = replace(task, arrays=replace(task.arrays, cost=np.full(3, 1e10)))
    point = {"values": np.ones(3), "objective": None, "bound": None, "message": ""}
    assert claimed(task, "optimal", **point).bound == pytest.approx(
        task.arrays.cost.sum(), abs=1e-3
    )
    assert claimed(large_cost, "optimal", **point).bound == pytest.approx(3e10 - 3e3, abs=1)


@pytest.mark.slow
def test_child_ends_with_its_parent(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import sys
        sys.path[:0] = sys.argv[1:]
        from tests.solvers.engines.small_models import market_split
        from leotrek_opt.solvers.engines import engine_named
        print("ready", flush=True)
        engine_named("pyomo:highs").solve(market_split(1, 7))
        """
    )
    root = str(Path(__file__).resolve().parents[3])
    with subprocess.Popen(
        [sys.executable, "-c", program, root], stdout=subprocess.PIPE, cwd=tmp_path
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
        if not children.exists():
            parent.kill()
            pytest.skip("needs /proc")
        until = time.monotonic() + SAFETY
        while not children.read_text().split() and time.monotonic() < until:
            time.sleep(0.05)
        (child,) = children.read_text().split()
        parent.kill()
    while Path(f"/proc/{child}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()
