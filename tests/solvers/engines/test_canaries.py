"""Known defects of solvers and their interplay: none of them may get through our engines."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import highspy
import numpy as np
import pytest
from tests.solvers.canaries import CANARIES, Canary, least_cost

from leotrek_opt.errors import InputError, UnsupportedError
from leotrek_opt.solvers.engines import MIP_ENGINES, engine_named
from leotrek_opt.solvers.engines.protocol import Engine, Feature, Limits
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.matrix import model_from_arrays
from leotrek_opt.solvers.status import Status

ENGINES = (*MIP_ENGINES, "pdlp")
SAFETY = Limits(time_limit_s=60)


@pytest.fixture(params=MIP_ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return engine_named(request.param)


@pytest.fixture(params=CANARIES, ids=lambda canary: canary.name)
def canary(request: pytest.FixtureRequest) -> Canary:
    found: Canary = request.param
    return found


# Wrong optima


def test_optimum_of_a_canary_is_that_of_dynamic_programming(canary: Canary) -> None:
    assert least_cost(canary) == canary.optimum


def test_engines_find_the_optimum_of_a_canary(canary: Canary, engine: Engine) -> None:
    model = canary.model()
    result = engine.solve(model.linear, SAFETY)
    assert result.status is Status.OPTIMAL
    assert result.objective is not None
    assert model.objective(result.objective) == canary.optimum


@pytest.mark.xfail(reason="HiGHS 1.13.1 calls a wrong value optimal", strict=False)
def test_highs_by_itself_finds_the_optimum_of_a_canary(canary: Canary) -> None:
    """Documents the defect, and tells by passing that a release is free of it on these models."""
    options = canary.options()
    time_ms, cost = np.array([option for step in options for option in step]).T
    lengths, n = [len(step) for step in options], cost.size
    highs = highspy.Highs()
    for name, value in (("output_flag", False), ("threads", 1), ("mip_rel_gap", 0.0)):
        assert highs.setOptionValue(name, value) == highspy.HighsStatus.kOk
    highs.passModel(
        n,
        len(options) + 1,
        2 * n,
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize),
        0.0,
        cost.astype(np.float64),
        np.zeros(n),
        np.ones(n),
        np.array([1.0] * len(options) + [-math.inf]),
        np.array([1.0] * len(options) + [canary.limit_ms / canary.unit_ms]),
        np.cumsum([0, *lengths, n]).astype(np.int32),
        np.concatenate([np.arange(n)] * 2).astype(np.int32),
        np.concatenate([np.ones(n), time_ms / canary.unit_ms]),
        np.ones(n, dtype=np.int32),
    )
    highs.run()
    highspy.Highs.resetGlobalScheduler(True)
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    assert highs.getInfo().objective_function_value == pytest.approx(canary.optimum, rel=1e-9)


# One process


PROGRAM = """
import importlib, sys
for name in {imports!r}:
    importlib.import_module(name)
from leotrek_opt.solvers.engines import engine_named
from leotrek_opt.solvers.linear import LinearModel
model = LinearModel()
x = model.add_variables(2, lower=0, upper=10, cost=[2, 3], integer=True, name="x")
model.add_rows(x, 2, lower=9, name="demand")
if {relaxed!r}:
    model = model.relaxed()
for name in {engines!r}:
    result = engine_named(name).solve(model)
    print(name, result.status, round(result.objective, 3), file=sys.stderr)
"""


def run_fresh(imports: list[str], engines: list[str]) -> subprocess.CompletedProcess[str]:
    """Solve a model whose optimum is 10, by x = (5, 0); its relaxation's is 9."""
    program = PROGRAM.format(imports=imports, engines=engines, relaxed=engines == ["pdlp"])
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize("first", ["highspy", "ortools"])
def test_engines_solve_in_one_process_in_either_order(first: str) -> None:
    imports = ["highspy", "ortools.sat.python.cp_model"]
    engines = ["highs", "cpsat", "scip"]
    if first == "ortools":
        imports, engines = imports[::-1], engines[::-1]
    child = run_fresh(imports, engines)
    assert child.returncode == 0, child.stderr
    assert child.stderr.splitlines() == [f"{name} optimal 10" for name in engines]


@pytest.mark.parametrize("name", ENGINES)
def test_engines_print_nothing_on_stdout(name: str) -> None:
    """Some native libraries write banners to the file descriptor itself."""
    child = run_fresh([], [name])
    assert child.returncode == 0, child.stderr
    assert child.stdout == ""
    expected = f"{name} optimal " + ("9.0" if name == "pdlp" else "10")
    assert child.stderr.splitlines()[-1] == expected


def test_number_of_threads_may_change(engine: Engine) -> None:
    """The thread pool of HiGHS cannot change its size unless it is reset."""
    if Feature.THREADS not in engine.features:
        with pytest.raises(UnsupportedError):
            engine.solve(LinearModel(), Limits(threads=2))
        return
    model = CANARIES[0].model().linear
    objectives = [
        engine.solve(model, Limits(threads=n, time_limit_s=60)).objective for n in (1, 2, 1)
    ]
    assert objectives == [CANARIES[0].optimum] * 3


# Input


@pytest.mark.parametrize("side", ["lower", "upper"])
def test_bounds_that_are_no_numbers_never_reach_a_solver(side: str) -> None:
    """HiGHS takes a row bound that is not a number and calls the result optimal."""
    model = LinearModel()
    x = model.add_variables(1, lower=0, upper=1, integer=True, name="x")
    with pytest.raises(InputError, match="nan"):
        model.add_rows(x, **{side: math.nan}, name="r")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="nan"):
        model.add_variables(1, **{"lower": 0, "upper": 1, side: math.nan}, name="y")
    row: dict[str, Any] = {f"row_{side}": [math.nan]}
    with pytest.raises(InputError, match="nan"):
        model_from_arrays(cost=[1], matrix=np.ones((1, 1)), **row)


@pytest.mark.parametrize("minimise", [True, False])
def test_infinite_bounds_are_taken_or_refused(engine: Engine, minimise: bool) -> None:
    sign = 1 if minimise else -1
    model = LinearModel(minimise=minimise)
    y = model.add_variables(2, lower=-math.inf, upper=math.inf, cost=[sign, sign], name="y")
    z = model.add_variables((), lower=0, upper=9, cost=sign, integer=True, name="z")
    model.add_rows([*y, z], [[2, 2, 3]], lower=9, name="demand")
    model.add_rows([*y], [1, -1], lower=1, upper=1, name="difference")
    if Feature.INFINITE_BOUNDS not in engine.features:
        with pytest.raises(UnsupportedError):
            engine.solve(model, SAFETY)
        return
    # 2 (y0 + y1) + 3 z >= 9: z = 9 pays 9 and earns 9 in y0 + y1 = -9.
    result = engine.solve(model, SAFETY)
    assert result.status is Status.OPTIMAL
    assert result.objective == pytest.approx(0 * sign)
    assert result.values == pytest.approx([-4, -5, 9])


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("option", ["no_such_option", "threads_", "Presolve"])
def test_unknown_options_are_refused(name: str, option: str) -> None:
    model = LinearModel()
    model.add_variables(1, lower=0, upper=1, cost=1, name="x")
    with pytest.raises(InputError) as refusal:
        engine_named(name).solve(model, options={option: 1})
    assert refusal.value.field == f"options.{option}"
