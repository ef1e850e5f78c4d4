"""MathOpt by protos: models bit for bit, errors with their text, ends that are all known."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
from ortools.math_opt import model_pb2, parameters_pb2, result_pb2, sparse_containers_pb2
from tests.solvers.engines.small_models import knapsack, toy

from leotrek_opt.errors import EngineError, MissingDependencyError, UnsupportedError
from leotrek_opt.solvers.engines import mathopt, runs
from leotrek_opt.solvers.engines.answers import Claim
from leotrek_opt.solvers.engines.protocol import Termination
from leotrek_opt.solvers.linear import LinearModel


def entries(proto: model_pb2.ModelProto) -> list[tuple[int, int, float]]:
    matrix = proto.linear_constraint_matrix
    return list(zip(matrix.row_ids, matrix.column_ids, matrix.coefficients, strict=True))


@pytest.mark.parametrize("n", [1, 127, 128, 129, 16_383, 16_384, 16_385])
def test_proto_holds_the_model(n: int) -> None:
    """Ids take one byte up to 127, two up to 16383, and four beyond."""
    rng = np.random.default_rng(n)
    model = LinearModel(minimise=False)
    cost = rng.integers(-1, 2, n)
    upper = np.where(rng.random(n) < 0.5, rng.integers(0, 2**52, n), np.inf)
    x = model.add_variables(n, lower=-np.inf, upper=upper, cost=cost, name="x")
    z = model.add_variables(2, lower=0, upper=2**53 - 1, cost=7, integer=True, name="z")
    model.add_rows([x[0], z[0]], [3, -(2**40)], lower=5, name="first")
    model.add_rows(np.r_[x, z], 1, lower=-2, upper=9, name="all")
    proto = mathopt.model_proto(model.arrays(), offset=-2.5)

    assert list(proto.variables.ids) == list(range(n + 2))
    assert list(proto.variables.lower_bounds) == [-np.inf] * n + [0, 0]
    assert list(proto.variables.upper_bounds) == [*upper, 2**53 - 1, 2**53 - 1]
    assert list(proto.variables.integers) == [False] * n + [True, True]
    assert not proto.objective.maximize
    assert proto.objective.offset == -2.5
    objective = proto.objective.linear_coefficients
    wanted = {j: -float(value) for j, value in enumerate([*cost, 7, 7]) if value}
    assert dict(zip(objective.ids, objective.values, strict=True)) == wanted
    assert list(objective.ids) == sorted(objective.ids)
    assert list(proto.linear_constraints.ids) == [0, 1]
    assert list(proto.linear_constraints.lower_bounds) == [5, -2]
    assert list(proto.linear_constraints.upper_bounds) == [np.inf, 9]
    assert entries(proto) == [(0, 0, 3), (0, n, -(2**40)), *((1, j, 1) for j in range(n + 2))]


def test_proto_survives_another_reader() -> None:
    """Padded integers are read and written again as what they are."""
    proto = mathopt.model_proto(knapsack(1, 3, 300).arrays())
    again = model_pb2.ModelProto.FromString(proto.SerializeToString())
    assert again == proto
    assert len(entries(again)) == 900


def test_columns_implied_to_be_integer_are_continuous() -> None:
    model = LinearModel()
    model.add_variables(2, lower=0, upper=1, implied_integer=True, name="y")
    assert list(mathopt.model_proto(model.arrays()).variables.integers) == [False, False]


def test_sparse_vectors_are_filled_up_with_zeros() -> None:
    vector = sparse_containers_pb2.SparseDoubleVectorProto(ids=[1, 3], values=[2.5, -1])
    assert mathopt.dense(vector, 5).tolist() == [0, 2.5, 0, -1, 0]
    empty = sparse_containers_pb2.SparseDoubleVectorProto()
    assert mathopt.dense(empty, 2).tolist() == [0, 0]
    mathopt.fill_vector(empty, np.array([0.0, 4.0]))
    assert mathopt.dense(empty, 2).tolist() == [0, 4]


def test_pandas_and_the_modelling_layer_stay_out() -> None:
    program = (
        "import sys; from leotrek_opt.solvers.engines import engine_named; "
        "engine_named('scip'); engine_named('pdlp'); "
        "print([m for m in ('pandas', 'ortools.math_opt.python.model', 'highspy') "
        "if m in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


# Errors


def test_refusals_come_with_their_text_where_mathopt_itself_loses_it() -> None:
    """or-tools #4606: the Python interface asks the error for a code that it does not have."""
    from ortools.math_opt.python import mathopt as layer

    with pytest.raises(AttributeError, match="canonical_code"):
        layer.solve(
            layer.Model(),
            layer.SolverType.GSCIP,
            params=layer.SolveParameters(objective_limit=1.0),
        )
    proto = mathopt.model_proto(toy().arrays())
    parameters = parameters_pb2.SolveParametersProto(objective_limit=1.0)
    with pytest.raises(UnsupportedError, match="objective_limit not supported for gSCIP"):
        mathopt.run(mathopt.GSCIP, proto, parameters)


def test_broken_models_are_refused_by_name() -> None:
    arrays = toy().arrays()
    parameters = parameters_pb2.SolveParametersProto()
    short = mathopt.model_proto(replace(arrays, upper=arrays.upper[:-1]))
    with pytest.raises(EngineError, match="upper_bound"):
        mathopt.run(mathopt.GSCIP, short, parameters)
    strange = mathopt.model_proto(replace(arrays, indices=np.full_like(arrays.indices, 9)))
    with pytest.raises(EngineError, match="column_id"):
        mathopt.run(mathopt.PDLP, strange, parameters, on_messages=lambda _: None)


def test_solvers_that_are_not_built_in_are_refused() -> None:
    parameters = parameters_pb2.SolveParametersProto()
    with pytest.raises(EngineError, match="not registered"):
        mathopt.run(parameters_pb2.SOLVER_TYPE_GLPK, model_pb2.ModelProto(), parameters)


def test_other_releases_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    mathopt.require_version()
    monkeypatch.setattr(mathopt, "version", lambda: "9.16.1")
    with pytest.raises(MissingDependencyError, match=r"9\.16\.1.*pip install"):
        mathopt.require_version()


# Ends


def test_every_end_is_mapped_or_raises() -> None:
    reasons = set(result_pb2.TerminationReasonProto.values())
    failures = {
        result_pb2.TERMINATION_REASON_UNSPECIFIED,
        result_pb2.TERMINATION_REASON_OTHER_ERROR,
    }
    assert set(mathopt._BY_REASON) | mathopt._STOPPED | failures == reasons
    assert set(mathopt._BY_LIMIT) == set(result_pb2.LimitProto.values()) - {0}
    for reason in failures:
        with pytest.raises(EngineError, match="boom"):
            mathopt.termination_of(result_pb2.TerminationProto(reason=reason, detail="boom"))
    stopped = result_pb2.TerminationProto(reason=result_pb2.TERMINATION_REASON_FEASIBLE)
    with pytest.raises(EngineError, match="FEASIBLE"):
        mathopt.termination_of(stopped)


def test_stop_interrupts_when_it_is_set() -> None:
    stop = mathopt.Stop()
    assert not stop.interrupter.interrupted
    stop.set()
    assert stop.is_set()
    assert stop.interrupter.interrupted


def test_cancel_and_deadline_are_told_apart() -> None:
    def wait_for(stop: mathopt.Stop) -> Claim:
        assert stop.wait(60)
        return Claim(Termination.CANCELLED)

    def claim(cancel: threading.Event | None, deadline: float | None) -> Claim:
        stop = mathopt.Stop()
        return runs.claim_of_run(
            lambda _post: wait_for(stop),
            lambda _message: None,
            lambda: Claim(Termination.CANCELLED),
            stop=stop,
            cancel=cancel,
            deadline=deadline,
        )

    early = threading.Event()
    early.set()
    assert claim(early, None).termination is Termination.CANCELLED
    assert claim(None, 0.0).termination is Termination.TIME_LIMIT
    assert claim(None, mathopt.time.monotonic() + 0.05).termination is Termination.TIME_LIMIT
    late = threading.Event()
    threading.Timer(0.05, late.set).start()
    assert claim(late, None).termination is Termination.CANCELLED
