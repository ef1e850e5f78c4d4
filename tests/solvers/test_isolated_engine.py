"""Engines in processes of their own: the same answers, and an answer after any failure."""

from __future__ import annotations

import pickle
import threading
from typing import Any

import numpy as np
import pytest
from tests.solvers.engines.small_models import knapsack, market_split, random_model, toy

from leotrek_opt.errors import InputError, UnsupportedError
from leotrek_opt.solvers import isolated_engine, isolation
from leotrek_opt.solvers.engines.highs import HighsEngine
from leotrek_opt.solvers.engines.protocol import EngineEvent, Feature, Limits, Termination
from leotrek_opt.solvers.isolated_engine import IsolatedEngine
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.linear_arrays import model_digest
from leotrek_opt.solvers.status import Status

ENGINE = IsolatedEngine("highs")
SAFETY = 60.0


def pair(minimise: bool = True) -> LinearModel:
    """Cost 3x + 2y + 10 with x + y in [1, 3] and both at most 2."""
    model = LinearModel(minimise=minimise, offset=10)
    xy = model.add_variables(2, lower=0, upper=2, cost=[3, 2], integer=True, name="xy")
    model.add_rows(xy, lower=1, upper=3, name="total")
    return model


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the child load the failing engine."""
    monkeypatch.setattr(isolation, "CANCEL_GRACE_S", 0.1)
    monkeypatch.setattr(isolated_engine, "LOADER", "tests.solvers.failing_engine:failing_engine")


def solve_failing(
    what: str, *events: tuple[Any, ...], model: LinearModel | None = None, **how: Any
) -> Any:
    limits = how.pop("limits", Limits(time_limit_s=SAFETY))
    options = {"act": what, "events": events}
    return ENGINE.solve(pair() if model is None else model, limits, options=options, **how)


# The same answers


def test_toy_has_its_hand_derived_optimum() -> None:
    result = ENGINE.solve(toy())
    assert result.status is Status.OPTIMAL
    assert result.objective == pytest.approx(9)
    assert result.seconds > 0


@pytest.mark.parametrize("seed", range(6))
def test_answers_are_those_of_the_engine_inside(seed: int) -> None:
    model, optimum = random_model(np.random.default_rng(seed))
    result, direct = ENGINE.solve(model), HighsEngine().solve(model)
    assert result.objective == direct.objective == optimum
    assert (result.status, result.termination, result.bound, result.nodes, result.message) == (
        direct.status,
        direct.termination,
        direct.bound,
        direct.nodes,
        direct.message,
    )


def test_it_is_the_engine_inside_that_keeps_more_limits() -> None:
    inner = HighsEngine()
    assert (ENGINE.name, ENGINE.family, ENGINE.version()) == ("highs", "highs", inner.version())
    assert ENGINE.features == inner.features | {Feature.MEMORY_LIMIT}


def test_events_come_on_this_thread_and_end_at_the_result() -> None:
    events: list[EngineEvent] = []
    threads = set()

    def take(event: EngineEvent) -> None:
        events.append(event)
        threads.add(threading.get_ident())

    model = knapsack(1, 3, 30)
    result = ENGINE.solve(model, on_event=take)
    assert threads == {threading.get_ident()}
    found = [event for event in events if event.values is not None]
    assert found
    assert found[-1].objective == result.objective
    for event in found:
        assert model.violations_of(event.values) == []
        assert model.objective_of(event.values) == event.objective


def test_errors_of_the_engine_reach_the_caller() -> None:
    with pytest.raises(InputError, match=r"options\.no_such_option"):
        ENGINE.solve(toy(), options={"no_such_option": 1})


def test_infeasible_warm_start_is_named_before_anything_runs() -> None:
    with pytest.raises(InputError, match=r"warm_start.*total"):
        ENGINE.solve(pair(), warm_start=[2, 2])


def test_feature_that_the_engine_inside_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HighsEngine, "features", frozenset({Feature.INTEGER}))
    with pytest.raises(UnsupportedError, match=r"highs does not offer: target$"):
        ENGINE.solve(pair(), Limits(time_limit_s=SAFETY, target=1.0))


def test_unknown_engine_is_refused_at_once() -> None:
    with pytest.raises(InputError, match="engine"):
        IsolatedEngine("hihgs")


def test_warm_start_with_no_time_is_the_answer() -> None:
    result = ENGINE.solve(pair(), Limits(time_limit_s=0.0), warm_start=[1, 0])
    assert result.status is Status.FEASIBLE
    assert result.termination is Termination.TIME_LIMIT
    assert result.objective == 13


def test_cancel_returns_the_best_answer() -> None:
    cancel = threading.Event()
    result = ENGINE.solve(
        market_split(1),
        Limits(time_limit_s=SAFETY),
        cancel=cancel,
        on_event=lambda event: cancel.set() if event.values is not None else None,
    )
    assert result.status is Status.INTERRUPTED
    assert result.termination is Termination.CANCELLED
    assert result.values is not None
    assert result.seconds < SAFETY / 2


def test_time_limit_returns_the_best_answer() -> None:
    model = market_split(1)
    result = ENGINE.solve(model, Limits(time_limit_s=2.0))
    assert result.status is Status.FEASIBLE
    assert result.termination is Termination.TIME_LIMIT
    # The engine ends by itself or is asked to: which of the two is first is a matter of chance.
    assert "killed" not in result.message
    assert result.values is not None
    assert model.violations_of(result.values) == []


# An answer after any failure


@pytest.mark.parametrize("minimise", [True, False])
def test_crash_is_an_error_with_the_best_values(failing: None, minimise: bool) -> None:
    good, better = ((15, [1, 1]), (13, [1, 0])) if minimise else ((13, [1, 0]), (15, [1, 1]))
    bound = 11 if minimise else 19
    result = solve_failing(
        "crash",
        (good[0], None, 1, good[1]),
        (better[0], bound, 2, better[1]),
        (better[0], bound, 3, None),
        model=pair(minimise),
    )
    assert result.status is Status.ERROR
    assert result.termination is Termination.UNKNOWN
    assert result.values.tolist() == better[1]
    assert result.objective == better[0]
    assert result.bound == bound
    assert (result.nodes, result.solution_count) == (3, 2)
    assert result.message.startswith("the solver process died of SIGSEGV")
    assert "\n" not in result.message


def test_crash_before_any_report_has_no_values(failing: None) -> None:
    result = solve_failing("crash")
    assert result.status is Status.ERROR
    assert (result.values, result.objective, result.bound) == (None, None, None)
    assert (result.nodes, result.solution_count) == (0, 0)


@pytest.mark.parametrize("values", [[2, 2], [0.5, 0.5], [1], [float("nan"), 0]])
def test_reported_values_that_break_the_model_are_not_believed(
    failing: None, values: list[float]
) -> None:
    result = solve_failing("crash", (11, 11, 1, values))
    assert result.status is Status.ERROR
    assert result.values is None
    assert result.objective is None


def test_hang_is_a_time_limit_with_the_best_values(failing: None) -> None:
    result = solve_failing(
        "hang", (13, 11, 5, [1, 0]), limits=Limits(time_limit_s=2.0), warm_start=[1, 1]
    )
    assert result.status is Status.FEASIBLE
    assert result.termination is Termination.TIME_LIMIT
    assert (result.objective, result.bound) == (13, 11)
    assert result.message == "the solver process was killed at its time limit"


def test_hang_without_a_report_leaves_the_warm_start_or_nothing(failing: None) -> None:
    limits = Limits(time_limit_s=0.1)
    result = solve_failing("hang", limits=limits)
    assert result.status is Status.NO_SOLUTION
    assert result.termination is Termination.TIME_LIMIT
    result = solve_failing("hang", limits=limits, warm_start=[1, 1])
    assert result.status is Status.FEASIBLE
    assert result.objective == 15


def test_cancelled_engine_that_does_not_listen_is_killed(failing: None) -> None:
    cancel = threading.Event()
    result = solve_failing(
        "hang", (13, 11, 5, [1, 0]), cancel=cancel, on_event=lambda _: cancel.set()
    )
    assert result.status is Status.INTERRUPTED
    assert result.termination is Termination.CANCELLED
    assert result.objective == 13
    assert result.message == "the solver process did not stop when cancelled, and was killed"


def test_hang_after_the_proof_is_an_optimum(failing: None) -> None:
    cancel = threading.Event()
    result = solve_failing(
        "hang", (12, 12, 1, [0, 1]), cancel=cancel, on_event=lambda _: cancel.set()
    )
    assert result.status is Status.OPTIMAL
    assert result.termination is Termination.PROVEN


def test_bound_beyond_a_cutoff_counts_up_to_the_cutoff(failing: None) -> None:
    cancel = threading.Event()
    result = solve_failing(
        "hang",
        (None, 12, 1, None),
        limits=Limits(SAFETY, cutoff=12),
        cancel=cancel,
        on_event=lambda _: cancel.set(),
    )
    assert result.status is Status.INTERRUPTED
    assert (result.values, result.bound) == (None, 12)


def test_engine_that_takes_too_much_memory_is_killed(failing: None) -> None:
    result = solve_failing("eat", (13, 11, 5, [1, 0]), limits=Limits(SAFETY, memory_limit_mib=300))
    assert result.status is Status.FEASIBLE
    assert result.termination is Termination.MEMORY_LIMIT
    assert result.objective == 13
    assert result.message == "the solver process was killed at its memory limit"


def test_engine_without_limits_of_its_own_answers_under_them(failing: None) -> None:
    result = solve_failing("solve", limits=Limits(SAFETY, memory_limit_mib=4000))
    assert result.status is Status.OPTIMAL
    assert result.objective == 12


# What travels


def test_model_with_words_that_do_not_pickle_travels_without_them() -> None:
    model = LinearModel(minimise=False, offset=3)
    x = model.add_variables(
        (2, 2),
        lower=0,
        upper=[[1, 2], [3, 4]],
        cost=1,
        integer=True,
        name="x",
        words="x {} {}".format,
    )
    model.add_rows(x, upper=[2, 5], name="r", words=lambda i: f"row {i}")
    twin = pickle.loads(pickle.dumps(model))
    assert model_digest(twin.arrays()) == model_digest(model.arrays())
    assert (twin.column_label(3), twin.row_label(1)) == ("x[1,1]", "r[1]")
    assert (twin.column_words(3), twin.row_words(1)) == ("x[1,1]", "r[1]")
    assert (model.column_words(3), model.row_words(1)) == ("x 1 1", "row 1")
    assert not twin.arrays().cost.flags.writeable
    twin.add_rows(x[0], upper=1, name="more")
    assert (twin.n_rows, model.n_rows) == (3, 2)
    assert ENGINE.solve(model).objective == 10
