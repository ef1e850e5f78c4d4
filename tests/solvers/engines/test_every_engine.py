"""One model, any engine, the same answer: what every engine for integers must do alike."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.solvers.engines.small_models import (
    knapsack,
    market_split,
    model_that_highs_presolve_fails_on,
    random_mixed_model,
    random_model,
    toy,
)

from leotrek_opt.errors import InputError, UnsupportedError
from leotrek_opt.solvers.engines import MIP_ENGINES, engine_named
from leotrek_opt.solvers.engines.protocol import (
    Engine,
    EngineEvent,
    EngineResult,
    Feature,
    Limits,
    Termination,
)
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.status import Status

SAFETY = 120.0
"""A limit that no test reaches unless something is broken."""
BLOCKS = 10


@pytest.fixture(params=MIP_ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Every engine that takes integer columns and comes with the core dependencies."""
    yield engine_named(request.param)
    # A run that was left behind would disturb the timing of the next test.
    assert_no_run_is_left()


def assert_no_run_is_left() -> None:
    for thread in threading.enumerate():
        if thread.name == "leotrek-engine":
            thread.join(SAFETY)
            assert not thread.is_alive()


def needs(engine: Engine, feature: Feature) -> None:
    if feature not in engine.features:
        pytest.skip(f"declares no {feature.value}")


def judged(model: LinearModel, result: EngineResult, optimum: int | None) -> None:
    """Hold an engine's answer against an optimum found by enumeration."""
    if optimum is None:
        assert result.status is Status.INFEASIBLE
        assert result.values is None
        return
    assert result.status is Status.OPTIMAL
    assert result.objective == optimum
    assert result.bound == optimum
    assert result.values is not None
    assert model.violations_of(result.values) == []
    assert model.objective_of(result.values) == optimum


@pytest.mark.parametrize("block", range(BLOCKS))
def test_optimum_equals_enumeration(engine: Engine, block: int) -> None:
    for seed in range(30):
        model, optimum = random_model(np.random.default_rng([block, seed]))
        judged(model, engine.solve(model), optimum)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_optimum_with_continuous_columns_equals_enumeration(engine: Engine, block: int) -> None:
    for seed in range(20):
        oracle = random_mixed_model(np.random.default_rng([100 + block, seed]))
        result = engine.solve(oracle.model)
        if oracle.optimum is None:
            assert result.status is Status.INFEASIBLE
            continue
        assert result.status is Status.OPTIMAL
        assert result.objective == pytest.approx(oracle.optimum, abs=1e-6)
        assert result.bound == pytest.approx(oracle.optimum, abs=2e-6)


def test_known_wrong_optimum_of_other_releases_is_right(engine: Engine) -> None:
    """2x + 3z with 2x + 2z >= 9 is worth 9; in halves of x, so that every engine takes it."""
    if Feature.CONTINUOUS in engine.features:
        assert engine.solve(toy()).objective == pytest.approx(9)
    model = LinearModel()
    x = model.add_variables((), lower=0, upper=20, cost=1, integer=True, name="half_x")
    z = model.add_variables((), lower=0, upper=10, cost=3, integer=True, name="z")
    model.add_rows([x, z], [1, 2], lower=9, name="demand")
    judged(model, engine.solve(model), 9)


def test_model_on_which_a_presolve_fails_is_infeasible(engine: Engine) -> None:
    assert engine.solve(model_that_highs_presolve_fails_on()).status is Status.INFEASIBLE


def test_start_is_kept_or_improved(engine: Engine) -> None:
    needs(engine, Feature.WARM_START)
    model = knapsack(5, 3, 25)
    start = np.zeros(25)
    start[:3] = 1
    result = engine.solve(model, warm_start=start)
    assert result.objective >= model.objective_of(start)
    without_time = engine.solve(model, Limits(time_limit_s=0.0), warm_start=start)
    assert without_time.objective == model.objective_of(start)
    assert without_time.status is Status.FEASIBLE
    with pytest.raises(InputError, match="warm_start"):
        engine.solve(model, warm_start=np.ones(25))


def test_no_time_gives_no_answer_and_no_claim(engine: Engine) -> None:
    result = engine.solve(knapsack(5, 3, 25), Limits(time_limit_s=0.0))
    assert result.status is Status.NO_SOLUTION
    assert result.termination is Termination.TIME_LIMIT
    assert (result.values, result.objective, result.bound) == (None, None, None)


def test_time_limit_is_kept(engine: Engine) -> None:
    model = market_split(1)
    began = time.monotonic()
    result = engine.solve(model, Limits(time_limit_s=1.0))
    seconds = time.monotonic() - began
    assert result.status in (Status.FEASIBLE, Status.NO_SOLUTION)
    assert result.termination is Termination.TIME_LIMIT
    # Machines that run tests are shared; how well limits are kept is measured by a benchmark.
    assert seconds < 15
    if result.values is not None and result.bound is not None:
        assert model.violations_of(result.values) == []
        assert result.bound <= result.objective


def test_cancel_returns_the_best_answer_soon(engine: Engine) -> None:
    model, cancel = market_split(2), threading.Event()
    timer = threading.Timer(1.5, cancel.set)
    timer.start()
    began = time.monotonic()
    result = engine.solve(model, Limits(time_limit_s=SAFETY), cancel=cancel)
    seconds = time.monotonic() - began
    timer.join()
    assert result.status is Status.INTERRUPTED
    assert result.termination is Termination.CANCELLED
    assert seconds < 15
    if result.values is not None:
        assert model.violations_of(result.values) == []


def test_events_are_in_the_models_sense_and_improve(engine: Engine) -> None:
    model = knapsack(3, 3, 20)
    events: list[EngineEvent] = []
    result = engine.solve(model, on_event=events.append)
    assert result.status is Status.OPTIMAL
    found = [event for event in events if event.values is not None]
    if Feature.INCUMBENTS in engine.features:
        assert found
    for event in found:
        assert event.values is not None
        assert model.objective_of(event.values) == event.objective
        assert model.violations_of(event.values) == []
    objectives = [event.objective for event in found]
    assert objectives == sorted(objectives)  # type: ignore[type-var]
    bounds = [event.bound for event in events if event.bound is not None]
    assert all(bound >= result.objective for bound in bounds)


def test_same_seed_gives_the_same_answer(engine: Engine) -> None:
    needs(engine, Feature.SEED)
    first, second = (engine.solve(knapsack(9, 4, 22), Limits(seed=7)) for _ in range(2))
    assert first.values is not None
    assert second.values is not None
    assert first.values.tolist() == second.values.tolist()
    assert (first.nodes, first.iterations) == (second.nodes, second.iterations)


def test_unknown_option_is_refused_by_name(engine: Engine) -> None:
    with pytest.raises(InputError, match=r"options\.no_such_option"):
        engine.solve(toy_of_integers(), options={"no_such_option": 1})
    with pytest.raises(InputError, match=r"options\.presolve"):
        engine.solve(toy_of_integers(), options={"presolve": "perhaps"})


@pytest.mark.parametrize("word", ["on", "off", "auto"])
def test_presolve_leaves_the_optimum_alone(engine: Engine, word: str) -> None:
    model = knapsack(4, 2, 15)
    wanted = engine.solve(model).objective
    try:
        result = engine.solve(model, options={"presolve": word})
    except UnsupportedError as error:
        assert "presolve" in str(error)  # noqa: PT017 refused by name is as good
        return
    assert result.objective == wanted


def test_limit_that_is_not_declared_is_refused(engine: Engine) -> None:
    asked = {
        Feature.NODE_LIMIT: Limits(max_nodes=1),
        Feature.CUTOFF: Limits(cutoff=10.0),
        Feature.TARGET: Limits(target=10.0),
        Feature.THREADS: Limits(threads=2),
        Feature.MEMORY_LIMIT: Limits(memory_limit_mib=4000),
    }
    for feature, limits in asked.items():
        if feature not in engine.features:
            with pytest.raises(UnsupportedError, match=feature.value):
                engine.solve(toy_of_integers(), limits)


@pytest.mark.parametrize("minimise", [True, False])
def test_cutoff_wants_only_better_solutions(engine: Engine, minimise: bool) -> None:
    needs(engine, Feature.CUTOFF)
    model = toy_of_integers(minimise=minimise)
    optimum = engine.solve(model).objective
    assert optimum is not None
    cut = engine.solve(model, Limits(cutoff=float(optimum)))
    assert cut.termination is Termination.CUTOFF
    assert cut.values is None
    assert cut.bound == optimum
    looser = optimum + (1 if minimise else -1)
    assert engine.solve(model, Limits(cutoff=float(looser))).objective == optimum


def test_model_without_rows_or_columns_is_solved(engine: Engine) -> None:
    empty = LinearModel(offset=4)
    assert engine.solve(empty).objective == 4
    free = LinearModel(minimise=False, offset=1)
    free.add_variables(3, lower=-2, upper=5, cost=[1, -1, 0], integer=True, name="x")
    assert engine.solve(free).objective == 1 + 5 + 2


def test_costs_that_differ_in_the_last_digit_are_never_mistaken(engine: Engine) -> None:
    """Costs near 2**40: an engine whose tolerance is relative may end unproven, but not wrong."""
    base = 2**40
    model = LinearModel()
    x = model.add_variables(
        6, lower=0, upper=1, cost=base + np.array([5, 3, 8, 1, 9, 2]), integer=True, name="x"
    )
    model.add_rows(x, lower=3, upper=3, name="three")
    optimum = 3 * base + 1 + 2 + 3
    result = engine.solve(model)
    if result.status is Status.FEASIBLE:
        assert result.termination is Termination.GAP
        assert result.bound <= optimum <= result.objective
        return
    judged(model, result, optimum)


def test_engines_agree_on_a_contended_assignment() -> None:
    """Four tasks on three machines, solved by enumeration as well."""
    rng = np.random.default_rng(11)
    cost, weight = rng.integers(5, 30, (4, 3)), rng.integers(2, 9, 4)
    room = 12
    model = LinearModel()
    x = model.add_variables((4, 3), lower=0, upper=1, cost=cost, integer=True, name="x")
    model.add_rows(x, lower=1, upper=1, name="assign")
    model.add_rows(x.T, np.tile(weight, (3, 1)), upper=room, name="room")
    best = min(
        sum(int(cost[task, machine]) for task, machine in enumerate(choice))
        for choice in itertools.product(range(3), repeat=4)
        if all(
            sum(int(weight[task]) for task in range(4) if choice[task] == machine) <= room
            for machine in range(3)
        )
    )
    for name in MIP_ENGINES:
        judged(model, engine_named(name).solve(model), best)


def test_toy_has_its_hand_derived_optimum(engine: Engine) -> None:
    needs(engine, Feature.CONTINUOUS)
    result = engine.solve(toy())
    assert result.status is Status.OPTIMAL
    assert result.values is not None
    assert result.values.tolist() == pytest.approx([4.5, 0.0])
    assert result.objective == pytest.approx(9)
    assert result.bound == pytest.approx(9)


def test_maximising_turns_objective_and_bound(engine: Engine) -> None:
    model = LinearModel(minimise=False, offset=7)
    x = model.add_variables(2, lower=0, upper=4, cost=[3, 5], integer=True, name="x")
    model.add_rows(x, [2, 3], upper=13, name="room")
    result = engine.solve(model)
    # x = (2, 3): 6 + 15; (4, 1): 12 + 5; (0, 4): 0 + 20.
    assert (result.objective, result.bound) == (28, 28)


def test_offset_beyond_floats_stays_exact(engine: Engine) -> None:
    offset = 10**30 + 1
    model = LinearModel(offset=offset)
    model.add_variables(2, lower=1, upper=3, cost=[1, 1], integer=True, name="x")
    result = engine.solve(model)
    assert result.objective == result.bound == offset + 2


def test_unbounded_relaxation_without_a_feasible_point_is_infeasible(engine: Engine) -> None:
    needs(engine, Feature.CONTINUOUS)
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=math.inf, cost=[-2, 1], name="x")
    z = model.add_variables(2, lower=0, upper=5, cost=1, integer=True, name="z")
    model.add_rows(x, [1, -1], lower=0, upper=0, name="r")
    model.add_rows(z, 2, lower=3, upper=3, name="parity")
    assert engine.solve(model).status is Status.INFEASIBLE


def test_stopping_within_a_gap_is_feasible_not_optimal(engine: Engine) -> None:
    model = knapsack(3, 3, 22)
    result = engine.solve(model, Limits(relative_gap=0.1, time_limit_s=SAFETY))
    assert result.status is Status.FEASIBLE
    assert result.termination is Termination.GAP
    assert result.objective is not None
    assert result.bound is not None
    assert 0 < result.bound - result.objective <= 0.1 * result.objective


def test_two_threads_may_solve_at_the_same_time(engine: Engine) -> None:
    models = [knapsack(seed, 3, 14) for seed in range(6)]
    alone = [engine.solve(model).objective for model in models]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda model: engine.solve(model).objective, models))
    assert alone == together


def test_events_arrive_on_the_calling_thread(engine: Engine) -> None:
    threads: set[int] = set()
    engine.solve(knapsack(3, 3, 15), on_event=lambda _: threads.add(threading.get_ident()))
    assert threads == {threading.get_ident()}


def test_cancel_before_the_start_returns_the_start(engine: Engine) -> None:
    cancel = threading.Event()
    cancel.set()
    result = engine.solve(knapsack(3, 3, 15), warm_start=np.zeros(15), cancel=cancel)
    assert result.status is Status.INTERRUPTED
    assert result.objective == 0


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_exception_in_a_callback_stops_the_run_and_is_raised(
    engine: Engine, error: type[BaseException]
) -> None:
    def fail(*_: object) -> None:
        raise error("from the callback")

    with pytest.raises(error, match="from the callback"):
        engine.solve(market_split(1), Limits(time_limit_s=SAFETY), on_event=fail)
    assert_no_run_is_left()


def toy_of_integers(*, minimise: bool = True) -> LinearModel:
    """3a + 2b with 3 <= 2a + b <= 7 and a, b in 0..4: between 5 and 13."""
    model = LinearModel(minimise=minimise)
    x = model.add_variables(2, lower=0, upper=4, cost=[3, 2], integer=True, name="x")
    model.add_rows(x, [2, 1], lower=3, upper=7, name="r")
    return model
