"""The PDLP engine: linear programs only, exact bounds from its duals, and honest tolerances."""

from __future__ import annotations

import csv
import json
import math
import signal
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.oracle import brute_force, random_problem
from tests.solvers.engines.small_models import knapsack, toy

from leotrek_opt.errors import EngineError, InputError, UnsupportedError
from leotrek_opt.solvers.api import solve
from leotrek_opt.solvers.certificate.linear import dual_bound
from leotrek_opt.solvers.engines import engine_named, runs
from leotrek_opt.solvers.engines import pdlp as pdlp_module
from leotrek_opt.solvers.engines.answers import Claim
from leotrek_opt.solvers.engines.highs import HighsEngine
from leotrek_opt.solvers.engines.pdlp import PdlpEngine
from leotrek_opt.solvers.engines.pdlp_answers import judged
from leotrek_opt.solvers.engines.protocol import (
    Engine,
    EngineEvent,
    EngineResult,
    Limits,
    Termination,
)
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.status import Proof, Status

ENGINE = PdlpEngine()
SAFETY = 60.0


def plan(*, minimise: bool = True, offset: int = 0) -> LinearModel:
    """Minimise 2x + 3y with x + y >= 4, x + 3y >= 6: (3, 1), so 9; or maximise with <=: 11."""
    model = LinearModel(minimise=minimise, offset=offset)
    x = model.add_variables(2, lower=0, upper=10, cost=[2, 3], name="x")
    if minimise:
        model.add_rows(np.tile(x, (2, 1)), [[1, 1], [1, 3]], lower=[4, 6], name="r")
    else:
        # 2x + 3y at (3, 1) is 9, at (4, 0) 8, at (0, 2) 6.
        model.add_rows(np.tile(x, (2, 1)), [[1, 1], [1, 3]], upper=[4, 6], name="r")
    return model


def random_program(rng: np.random.Generator) -> LinearModel:
    """Draw a feasible and bounded linear program with some columns bounded on one side only."""
    n, m = int(rng.integers(2, 8)), int(rng.integers(1, 6))
    matrix = rng.integers(-5, 6, (m, n))
    inside = rng.integers(0, 4, n)
    lower = matrix @ inside - rng.integers(0, 9, m)
    upper = np.where(rng.random(m) < 0.5, matrix @ inside + rng.integers(0, 9, m), np.inf)
    minimise = bool(rng.integers(2))
    sense = 1 if minimise else -1
    is_open = rng.random(n) < 0.3
    cost = np.where(is_open, sense * rng.integers(1, 9, n), rng.integers(-9, 10, n))
    model = LinearModel(minimise=minimise, offset=int(rng.integers(-9, 9)))
    high = np.where(is_open, np.inf, 5)
    x = model.add_variables(n, lower=0, upper=high, cost=cost, name="x")
    model.add_rows(np.tile(x, (m, 1)), matrix, lower=lower, upper=upper, name="r")
    return model


def slow_program() -> LinearModel:
    """Draw a dense knapsack relaxation, which takes PDLP seconds."""
    rng = np.random.default_rng(0)
    weight = rng.integers(1, 1000, (200, 2000)) * (rng.random((200, 2000)) < 0.5)
    model = LinearModel(minimise=False)
    x = model.add_variables(2000, lower=0, upper=1, cost=rng.integers(1, 999, 2000), name="x")
    model.add_rows(np.tile(x, (200, 1)), weight, upper=weight.sum(axis=1) // 3, name="room")
    return model


ENDLESS = {"eps_optimal_absolute": 1e-15, "eps_optimal_relative": 1e-15}
"""What PDLP does not reach in double precision."""


def beyond(model: LinearModel, result: EngineResult) -> float:
    """Return by how much the objective is worse than the bound."""
    assert result.objective is not None
    assert result.bound is not None
    return (1 if model.minimise else -1) * (result.objective - result.bound)


# Answers


@pytest.mark.parametrize("offset", [0, -7, 10**12])
@pytest.mark.parametrize("minimise", [True, False])
def test_plan_has_its_hand_derived_optimum(minimise: bool, offset: int) -> None:
    model = plan(minimise=minimise, offset=offset)
    result = ENGINE.solve(model)
    assert result.status is Status.OPTIMAL
    assert result.termination is Termination.PROVEN
    assert result.values == pytest.approx([3, 1])
    assert result.objective == pytest.approx(9 + offset)
    assert result.bound == pytest.approx(9 + offset)
    assert 0 <= beyond(model, result) <= 1e-3
    # Both rows are tight: y + z = 2 and y + 3z = 3.
    assert result.row_dual == pytest.approx([1.5, 0.5])
    assert result.column_dual == pytest.approx([0, 0], abs=1e-6)


def test_random_programs_agree_with_the_simplex_method() -> None:
    rng = np.random.default_rng(7)
    reference = HighsEngine()
    for _ in range(60):
        model = random_program(rng)
        wanted, result = reference.solve(model), ENGINE.solve(model)
        assert wanted.status is Status.OPTIMAL
        assert result.status is Status.OPTIMAL
        assert result.objective == pytest.approx(wanted.objective, rel=1e-6, abs=2e-6)
        assert 0 <= beyond(model, result) <= 2e-6
        assert result.values is not None
        assert model.violations_of(result.values, tolerance=1e-6) == []


def test_bound_is_exact_whatever_the_solver_says() -> None:
    rng = np.random.default_rng(8)
    for _ in range(20):
        model = random_program(rng)
        result = ENGINE.solve(model, options={"iteration_limit": 64})
        assert result.row_dual is not None
        exact = dual_bound(model.arrays(), result.row_dual)
        if exact is None:
            assert result.bound is None
            continue
        assert result.bound is not None
        sign = 1 if model.minimise else -1
        assert 0 <= sign * (exact - Fraction(result.bound)) < Fraction(1, 1000)


def test_duals_follow_the_documented_identity() -> None:
    rng = np.random.default_rng(11)
    for _ in range(20):
        model = random_program(rng)
        arrays, result = model.arrays(), ENGINE.solve(model)
        assert result.row_dual is not None
        assert result.column_dual is not None
        matrix = np.zeros((arrays.row_lower.size, arrays.cost.size))
        rows = np.repeat(np.arange(arrays.row_lower.size), np.diff(arrays.indptr))
        matrix[rows, arrays.indices] = arrays.data
        assert result.column_dual == pytest.approx(arrays.cost - matrix.T @ result.row_dual)
        # Complementary slackness: a row that is open on a side has no dual of that side's sign.
        sign = 1 if model.minimise else -1
        assert np.all(sign * result.row_dual[np.isinf(arrays.row_upper)] > -1e-6)


def test_relaxation_bounds_the_integer_optimum() -> None:
    model = knapsack(3, 3, 15)
    exact = HighsEngine().solve(model)
    relaxed = ENGINE.solve_lp(model)
    assert relaxed.status is Status.OPTIMAL
    assert relaxed.bound is not None
    assert exact.objective is not None
    assert exact.objective < relaxed.bound
    assert relaxed.bound == pytest.approx(HighsEngine().solve_lp(model).objective)


def test_model_without_rows_or_columns_is_solved() -> None:
    assert ENGINE.solve(LinearModel(offset=5)).objective == 5
    model = LinearModel()
    model.add_variables(2, lower=-2, upper=3, cost=[1, -1], name="x")
    result = ENGINE.solve(model)
    assert (result.status, result.objective, result.bound) == (Status.OPTIMAL, -5, -5)


def test_columns_without_bounds_get_an_exact_bound() -> None:
    """Minimise 2x + 3y, x and y free, with x + y >= 4 and x + 3y >= 5: 8.5 at (3.5, 0.5)."""
    model = LinearModel()
    x = model.add_variables(2, lower=-math.inf, upper=math.inf, cost=[2, 3], name="x")
    model.add_rows(np.tile(x, (2, 1)), [[1, 1], [1, 3]], lower=[4, 5], name="r")
    result = ENGINE.solve(model)
    assert result.status is Status.OPTIMAL
    assert result.bound == pytest.approx(8.5)


def test_columns_implied_to_be_integer_are_taken_as_they_are() -> None:
    model = LinearModel()
    y = model.add_variables(3, lower=0, upper=1, cost=[3, 1, 2], implied_integer=True, name="y")
    model.add_rows(y, lower=1, upper=1, name="one")
    assert ENGINE.solve(model).objective == pytest.approx(1)


@pytest.mark.reference
def test_relaxations_of_the_reference_models_have_their_values(reference_data: Path) -> None:
    folder = reference_data / "solvers"
    with (folder / "bks.csv").open(encoding="utf-8") as lines:
        known = list(csv.DictReader(lines))
    assert len(known) == 20
    for row in known:
        document = json.loads(
            (folder / "instances" / f"{row['name']}.json").read_text(encoding="utf-8")
        )
        result = ENGINE.solve_lp(reference_model(document))
        if row["lp_status"] == "infeasible":
            assert result.status is Status.INFEASIBLE
            assert "its ray proves it" in result.message
            continue
        assert result.status is Status.OPTIMAL
        if row["lp_bound"]:
            assert result.objective == pytest.approx(float(row["lp_bound"]), rel=1e-6)
            assert result.bound == pytest.approx(float(row["lp_bound"]), rel=1e-6)


def reference_model(document: dict[str, Any]) -> LinearModel:
    """Build a stored model; rows in thousandths become whole numbers."""
    columns, rows, matrix = document["columns"], document["rows"], document["matrix"]
    data, starts = np.array(matrix["data"], float), np.array(matrix["indptr"])
    lower = np.array([-math.inf if side is None else side for side in rows["lower"]], float)
    upper = np.array([math.inf if side is None else side for side in rows["upper"]], float)
    row = np.repeat(np.arange(lower.size), np.diff(starts))
    scale = np.ones(lower.size)
    scale[row[data != np.rint(data)]] = 1000
    for side in (lower, upper):
        scale[np.isfinite(side) & (side != np.rint(side))] = 1000
    model = LinearModel(minimise=document["sense"] == "min", offset=document["objective_offset"])
    x = model.add_variables(
        len(columns["lower"]),
        lower=columns["lower"],
        upper=columns["upper"],
        cost=columns["objective"],
        integer=np.array(columns["integer"], bool),
        name="x",
    )
    sides = [np.where(np.isfinite(side), np.rint(side * scale), side) for side in (lower, upper)]
    model.add_rows(
        x[np.array(matrix["indices"])],
        np.rint(data * scale[row]),
        indptr=starts,
        lower=sides[0],
        upper=sides[1],
        name="r",
    )
    return model


# Status


def test_integer_columns_are_refused_with_advice() -> None:
    with pytest.raises(UnsupportedError, match=r"integer; ask for the relaxation \(solve_lp\)"):
        ENGINE.solve(toy())
    assert ENGINE.solve_lp(toy()).objective == pytest.approx(9)


def test_infeasible_programs_are_infeasible_and_proven_so() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=5, cost=1, name="x")
    model.add_rows(x, lower=4, name="more")
    model.add_rows(x, upper=3, name="less")
    result = ENGINE.solve(model)
    assert result.status is Status.INFEASIBLE
    assert (result.values, result.objective, result.bound) == (None, None, None)
    assert "its ray proves it" in result.message


def test_infeasibility_found_in_presolve_is_a_claim() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=5, cost=1, name="x")
    model.add_rows(x, lower=4, name="more")
    model.add_rows(x, upper=3, name="less")
    assert ENGINE.solve(model, options={"presolve": "on"}).status is Status.INFEASIBLE


@pytest.mark.parametrize("minimise", [False, True])
def test_unbounded_programs_are_unbounded(minimise: bool) -> None:
    model = LinearModel(minimise=minimise)
    sign = -1 if minimise else 1
    x = model.add_variables(2, lower=0, upper=math.inf, cost=[2 * sign, -sign], name="x")
    model.add_rows(x, [1, -1], lower=0, upper=0, name="r")
    for start in (None, np.zeros(2)):
        result = ENGINE.solve(model, warm_start=start)
        assert result.status is Status.UNBOUNDED
        assert (result.values, result.bound) == (None, None)


def test_unbounded_direction_without_a_feasible_point_is_infeasible() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=math.inf, cost=[-2, 1], name="x")
    z = model.add_variables(1, lower=0, upper=1, name="z")
    model.add_rows(x, [1, -1], lower=0, upper=0, name="r")
    model.add_rows(z, lower=3, name="impossible")
    assert ENGINE.solve(model).status is Status.INFEASIBLE


def test_loose_tolerances_are_feasible_and_say_what_is_broken() -> None:
    model = knapsack(3, 3, 40)
    loose = {"eps_optimal_absolute": 1e-2, "eps_optimal_relative": 1e-2}
    result = ENGINE.solve_lp(model, options=loose)
    assert result.status is Status.FEASIBLE
    assert result.termination is Termination.GAP
    exact = HighsEngine().solve_lp(model).objective
    assert exact is not None
    assert result.bound is not None
    assert result.bound >= exact - 1e-6
    assert abs(beyond(model, result)) > 1e-3


def test_optimum_that_the_duals_do_not_prove_is_feasible() -> None:
    arrays = plan().arrays()
    claim = Claim(Termination.PROVEN, values=np.array([4.0, 1.0]), row_dual=np.array([1.5, 0.5]))
    result = judged(arrays, claim, dual_bound(arrays, [1.5, 0.5]), start=None, seconds=0.0)
    assert result.status is Status.FEASIBLE
    assert result.termination is Termination.GAP
    assert (result.objective, result.bound) == (11, 9)


def test_point_that_breaks_a_row_is_no_optimum_even_if_the_bound_meets_it() -> None:
    arrays = plan().arrays()
    # 2 * 2.997 + 3 * 1.002 is 9 as well, yet the first row wants 4 and gets 3.999.
    claim = Claim(Termination.PROVEN, values=np.array([2.997, 1.002]))
    result = judged(arrays, claim, Fraction(9), start=None, seconds=0.0)
    assert result.status is Status.FEASIBLE
    assert result.objective == pytest.approx(9, abs=1e-9)
    assert "row 0 is broken most, by 2.5e-04" in result.message


def test_bound_is_rounded_away_from_the_optimum() -> None:
    third = Fraction(1, 3)
    for minimise, sign in ((True, 1), (False, -1)):
        arrays = plan(minimise=minimise).arrays()
        claim = Claim(Termination.TIME_LIMIT)
        for bound in (third, -third, 2 * third):
            result = judged(arrays, claim, bound, start=None, seconds=0.0)
            assert result.bound is not None
            assert 0 < sign * (bound - Fraction(result.bound)) < Fraction(1, 10**15)


def test_point_on_its_way_is_no_solution() -> None:
    model = slow_program()
    result = ENGINE.solve(model, options={"iteration_limit": 64})
    assert result.termination is Termination.ENGINE_LIMIT
    assert result.status in {Status.NO_SOLUTION, Status.FEASIBLE}
    assert result.bound is not None
    if result.values is not None:
        assert model.violations_of(result.values, tolerance=1.0) == []


# Limits, warm starts, cancelling


def test_no_time_gives_no_solution_and_no_bound() -> None:
    result = ENGINE.solve(plan(), Limits(time_limit_s=0))
    assert result.status is Status.NO_SOLUTION
    assert result.termination is Termination.TIME_LIMIT
    assert (result.values, result.objective, result.bound) == (None, None, None)


def test_time_limit_keeps_a_valid_bound() -> None:
    model = slow_program()
    result = ENGINE.solve(model, Limits(time_limit_s=1.0), options=ENDLESS)
    assert result.termination is Termination.TIME_LIMIT
    assert result.seconds < 5
    optimum = HighsEngine().solve(model).objective
    assert optimum is not None
    assert result.bound is not None
    assert result.bound >= optimum - 1e-6


def test_start_is_kept_when_nothing_better_is_found() -> None:
    model, start = plan(), np.array([4.0, 1.0])
    result = ENGINE.solve(model, Limits(time_limit_s=0), warm_start=start)
    assert result.status is Status.FEASIBLE
    assert result.objective == 11
    assert ENGINE.solve(model, warm_start=start).objective == pytest.approx(9)
    with pytest.raises(InputError, match="warm_start"):
        ENGINE.solve(model, warm_start=[0, 0])


def test_start_refutes_a_wrong_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    read = pdlp_module._read

    def lie(*arguments: Any) -> Any:
        return pdlp_module.replace(read(*arguments), values=None, infeasible=True)

    monkeypatch.setattr(pdlp_module, "_read", lie)
    with pytest.raises(EngineError, match="start is feasible"):
        ENGINE.solve(plan(), warm_start=[4, 1])


def test_cancel_keeps_a_valid_bound() -> None:
    cancel = threading.Event()
    timer = threading.Timer(0.4, cancel.set)
    timer.start()
    model = slow_program()
    result = ENGINE.solve(model, Limits(time_limit_s=SAFETY), cancel=cancel, options=ENDLESS)
    timer.join()
    assert result.status is Status.INTERRUPTED
    assert result.termination is Termination.CANCELLED
    assert result.bound is not None


def test_signs_of_life_come_on_the_calling_thread() -> None:
    events: list[EngineEvent] = []
    threads: set[int] = set()

    def note(event: EngineEvent) -> None:
        events.append(event)
        threads.add(threading.get_ident())

    watched = ENGINE.solve(slow_program(), Limits(time_limit_s=0.5), on_event=note, options=ENDLESS)
    assert watched.termination is Termination.TIME_LIMIT
    assert events
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_exception_in_a_callback_stops_the_run_and_is_raised(error: type[BaseException]) -> None:
    def fail(*_: object) -> None:
        raise error("from the callback")

    with pytest.raises(error, match="from the callback"):
        ENGINE.solve(slow_program(), Limits(time_limit_s=SAFETY), on_event=fail, options=ENDLESS)


def test_keyboard_interrupt_during_a_native_call_is_raised() -> None:
    timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        ENGINE.solve(slow_program(), Limits(time_limit_s=SAFETY), options=ENDLESS)
    timer.join()


def test_run_that_had_to_be_left_behind_has_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    call = runs.call_native

    def leave(*arguments: Any, **keywords: Any) -> None:
        call(*arguments, **keywords)

    monkeypatch.setattr(runs, "call_native", leave)
    result = ENGINE.solve(plan())
    assert result.status is Status.NO_SOLUTION
    assert result.termination is Termination.TIME_LIMIT


def test_same_threads_give_the_same_answer() -> None:
    model = random_program(np.random.default_rng(3))
    for threads in (1, 2):
        first, second = (ENGINE.solve(model, Limits(threads=threads)) for _ in range(2))
        assert first.values is not None
        assert second.values is not None
        assert first.values.tolist() == second.values.tolist()
        assert first.iterations == second.iterations


@pytest.mark.parametrize(
    "limits", [Limits(max_nodes=1), Limits(cutoff=3.0), Limits(relative_gap=0.1)]
)
def test_limits_of_a_tree_search_are_refused(limits: Limits) -> None:
    with pytest.raises(UnsupportedError, match="pdlp does not offer"):
        ENGINE.solve(plan(), limits)


# Options


def test_options_are_passed_on() -> None:
    options = {
        "presolve": "on",
        "l_inf_ruiz_iterations": 0,
        "l2_norm_rescaling": False,
        "restart_strategy": "EVERY_MAJOR_ITERATION",
        "eps_primal_infeasible": 1e-9,
        "optimality_norm": "OPTIMALITY_NORM_L2",
    }
    assert ENGINE.solve(plan(), options=options).objective == pytest.approx(9)
    short = ENGINE.solve(slow_program(), options={"iteration_limit": 128})
    assert short.termination is Termination.ENGINE_LIMIT
    assert short.iterations == 128


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"presolv": "off"}, InputError, r"options.presolv: .*did you mean presolve\?"),
        ({"eps_optimal": 1}, InputError, r"did you mean eps_optimal_(absolute|relative)\?"),
        ({"termination_criteria": 1}, InputError, "no such parameter"),
        ({"eps_optimal_relative": "small"}, InputError, "must be a number"),
        ({"eps_optimal_absolute": -1.0}, InputError, "must be non-negative"),
        ({"eps_optimal_relative": 0.0}, InputError, "must be positive"),
        ({"eps_primal_infeasible": math.nan}, InputError, r"options.eps_primal_infeasible"),
        ({"l2_norm_rescaling": 1}, InputError, "must be a boolean"),
        ({"l_inf_ruiz_iterations": 2**40}, InputError, "must be an integer"),
        ({"l_inf_ruiz_iterations": -1}, InputError, r"options.l_inf_ruiz_iterations: PDLP says"),
        ({"restart_strategy": "NEVER"}, InputError, "must be one of .*NO_RESTARTS"),
        ({"num_threads": 2}, UnsupportedError, "threads"),
        ({"time_sec_limit": 2.0}, UnsupportedError, "time_limit_s"),
        ({"verbosity_level": 4}, UnsupportedError, "prints"),
        ({"lp_algorithm": "barrier"}, UnsupportedError, "cannot follow"),
        ({"cuts": "off"}, UnsupportedError, "cannot follow"),
    ],
)
def test_bad_options_are_refused(
    options: dict[str, object], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        ENGINE.solve(plan(), options=options)


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    ENGINE.solve(plan())
    ENGINE.solve(plan(), on_event=lambda _: None, warm_start=[4, 1])
    ENGINE.solve(slow_program(), Limits(time_limit_s=0.2, threads=2))
    with pytest.raises(InputError):
        ENGINE.solve(plan(), options={"l_inf_ruiz_iterations": -1})
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""


def test_engine_is_found_by_name() -> None:
    engine: Engine = engine_named("pdlp")
    assert (engine.name, engine.family) == ("pdlp", "pdlp")
    assert engine.version().startswith("9.15.")


@pytest.mark.parametrize("scale", [10**7, 10**9])
def test_feasible_program_of_large_numbers_is_never_called_infeasible(scale: int) -> None:
    """PDLP says so of most of these; only a ray that proves it counts."""
    doubted = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        model = LinearModel()
        x = model.add_variables(8, lower=0, upper=50 * scale, cost=rng.integers(1, 20, 8), name="x")
        matrix, side = rng.integers(0, 9, (5, 8)), rng.integers(20, 90, 5) * scale
        model.add_rows(np.tile(x, (5, 1)), matrix, lower=side, name="r")
        optimum = HighsEngine().solve(model).objective
        result = ENGINE.solve(model)
        assert result.status is not Status.INFEASIBLE
        assert result.bound is None or result.bound <= optimum * (1 + 1e-12)
        doubted += "does not prove" in result.message
    assert doubted


def test_program_that_does_not_converge_ends_with_a_bound() -> None:
    model = slow_program()
    result = ENGINE.solve(model, options=ENDLESS | {"iteration_limit": 500})
    assert result.iterations <= 500
    problem = random_problem(8030, contended=True)
    bounded = solve(problem, "pdlp")
    assert bounded.status is Status.NO_SOLUTION
    assert bounded.proof is Proof.CERTIFIED
    optimum = brute_force(problem)[0]
    assert optimum is None or bounded.bound_quanta <= optimum
