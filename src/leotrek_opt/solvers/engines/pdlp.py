"""PDLP of OR-Tools, a first-order method for large linear programs.

PDLP approaches the optimum from outside: a row holds to a tolerance only, and its own word on the
objective is no bound on anything. The bound of a result is therefore derived from the duals in
exact arithmetic, and holds whatever the duals are.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from ortools.math_opt import model_parameters_pb2, result_pb2

from leotrek_opt.errors import UnsupportedError
from leotrek_opt.solvers.certificate.linear import dual_bound, farkas_margin
from leotrek_opt.solvers.engines import mathopt
from leotrek_opt.solvers.engines.answers import Claim, FloatArray, checked_start
from leotrek_opt.solvers.engines.native_call import SIGN_OF_LIFE_S
from leotrek_opt.solvers.engines.pdlp_answers import judged
from leotrek_opt.solvers.engines.pdlp_options import checked_parameters
from leotrek_opt.solvers.engines.protocol import (
    EngineEvent,
    EngineResult,
    EventCallback,
    Feature,
    Limits,
    Termination,
    model_features,
    require_features,
)
from leotrek_opt.solvers.engines.runs import LEFT_BEHIND, claim_of_run, decided
from leotrek_opt.solvers.linear import LinearModel, ModelArrays

MAX_ITERATIONS = 200_000
"""Where neither a time limit nor a limit of the caller's ends a run: some never reach tolerance."""
_ITERATIONS_ARE_TOLD = 2
"""Verbosity from which on PDLP says now and then how far it is."""
_AFTERWARDS_S = 2e-7
"""Seconds that a column or nonzero takes after the run; measured."""


class PdlpEngine:
    """PDLP behind the engine protocol: linear programs only, with duals.

    A result is ``optimal`` only if the bound derived from the duals meets the objective and every
    row holds to one part in 10**6. With looser tolerances it is ``feasible``, its message names the
    row that is broken most, and its objective may be beyond the bound by what that is worth.
    """

    name = "pdlp"
    family = "pdlp"
    features = frozenset(
        {
            Feature.CONTINUOUS,
            Feature.INFINITE_BOUNDS,
            Feature.DUALS,
            Feature.WARM_START,
            Feature.INTERRUPT,
            Feature.TIME_LIMIT,
            Feature.THREADS,
            Feature.SEED,
        }
    )

    def __init__(self) -> None:
        mathopt.require_version()

    def version(self) -> str:
        """Return the version of OR-Tools."""
        return mathopt.version()

    def solve(
        self,
        model: LinearModel,
        limits: Limits = Limits(),  # noqa: B008 frozen
        *,
        warm_start: ArrayLike | None = None,
        on_event: EventCallback | None = None,
        cancel: threading.Event | None = None,
        options: Mapping[str, object] | None = None,
    ) -> EngineResult:
        """Solve a model without integer columns; else as the protocol says.

        Columns that are implied to be integer come back as they are.
        """
        started = time.monotonic()
        if Feature.INTEGER in model_features(model):
            raise UnsupportedError(
                "engine pdlp does not offer: integer; ask for the relaxation (solve_lp), "
                "or another engine"
            )
        start = None if warm_start is None else checked_start(model, warm_start)
        task = _task(self, model, limits, options, started, start)
        return _solved(task, cancel, on_event)

    def solve_lp(
        self,
        model: LinearModel,
        limits: Limits = Limits(),  # noqa: B008 frozen
        *,
        cancel: threading.Event | None = None,
        options: Mapping[str, object] | None = None,
    ) -> EngineResult:
        """Solve the linear relaxation of a model, with duals.

        Parameters
        ----------
        model
            The model; integrality is dropped.
        limits, cancel, options
            As for :meth:`solve`.

        Returns
        -------
        EngineResult
            With ``row_dual`` and ``column_dual`` whenever PDLP has come to any, where
            ``column_dual = cost - A' row_dual`` in the model's own sense.

        Raises
        ------
        InputError, UnsupportedError, EngineError
            As for :meth:`solve`.
        """
        task = _task(self, model, limits, options, time.monotonic(), None)
        return _solved(task, cancel, None)


@dataclass(frozen=True)
class _Task:
    """One linear program and how to run it."""

    arrays: ModelArrays
    limits: Limits
    parameters: Any
    started: float
    start: FloatArray | None

    @property
    def deadline(self) -> float | None:
        """When PDLP shall end; reading its point and deriving the bound take time as well."""
        limit_s = self.limits.time_limit_s
        if limit_s is None or math.isinf(limit_s):
            return None
        size = self.arrays.data.size + self.arrays.cost.size
        return self.started + limit_s - min(_AFTERWARDS_S * size, 0.1 * limit_s)


def _task(
    engine: PdlpEngine,
    model: LinearModel,
    limits: Limits,
    options: Mapping[str, object] | None,
    started: float,
    start: FloatArray | None,
) -> _Task:
    require_features(engine, limits.features())
    relaxed = replace(model.arrays(), kind=np.zeros(model.n_variables, dtype=np.int8))
    parameters = checked_parameters(options)
    parameters.threads = limits.threads
    criteria = parameters.pdlp.termination_criteria
    if limits.time_limit_s is None and not criteria.HasField("iteration_limit"):
        criteria.iteration_limit = MAX_ITERATIONS
    return _Task(relaxed, limits, parameters, started, start)


def _solved(
    task: _Task, cancel: threading.Event | None, on_event: EventCallback | None
) -> EngineResult:
    def deliver(event: EngineEvent) -> None:
        if on_event is not None:
            on_event(event)

    claim = _claim(task, cancel, deliver, is_watched=on_event is not None)
    if claim.infeasible and claim.unbounded:
        claim = decided(claim, task.start, lambda: _feasibility(task, cancel))
    bound = None if claim.row_dual is None else dual_bound(task.arrays, claim.row_dual)
    return judged(
        task.arrays, claim, bound, start=task.start, seconds=time.monotonic() - task.started
    )


def _claim(
    task: _Task,
    cancel: threading.Event | None,
    deliver: Callable[[EngineEvent], None],
    *,
    is_watched: bool = False,
) -> Claim:
    stop = mathopt.Stop()

    return claim_of_run(
        lambda post: _run(task, stop, post if is_watched else None),
        deliver,
        lambda: Claim(Termination.CANCELLED, message=LEFT_BEHIND),
        stop=stop,
        cancel=cancel,
        deadline=task.deadline,
    )


def _feasibility(task: _Task, cancel: threading.Event | None) -> Claim:
    """Run without costs; only a point that PDLP calls feasible counts."""
    costless = replace(task.arrays, cost=np.zeros(task.arrays.cost.size))
    claim = _claim(replace(task, arrays=costless), cancel, lambda _: None)
    is_proven = claim.termination is Termination.PROVEN
    return replace(claim, values=claim.values if is_proven else None, row_dual=None)


def _run(task: _Task, stop: mathopt.Stop, post: Callable[[EngineEvent], None] | None) -> Claim:
    parameters = type(task.parameters)()
    parameters.CopyFrom(task.parameters)
    hints = model_parameters_pb2.ModelSolveParametersProto()
    if task.start is not None:
        mathopt.fill_vector(hints.solution_hints.add().variable_values, task.start)
    if post is not None:
        parameters.pdlp.verbosity_level = _ITERATIONS_ARE_TOLD
        parameters.pdlp.log_interval_seconds = SIGN_OF_LIFE_S

    def on_messages(_lines: list[str]) -> None:
        # Without somebody who takes its messages, PDLP prints them.
        if post is not None:
            post(EngineEvent(None, None))

    result = mathopt.run(
        mathopt.PDLP,
        mathopt.model_proto(task.arrays),
        parameters,
        model_parameters=hints,
        on_messages=on_messages,
        stop=stop,
        deadline=task.deadline,
    )
    return _read(task.arrays, result)


def _read(arrays: ModelArrays, result: result_pb2.SolveResultProto) -> Claim:
    end = result.termination
    unclear = end.reason == result_pb2.TERMINATION_REASON_INFEASIBLE_OR_UNBOUNDED
    claim = Claim(
        mathopt.termination_of(end),
        infeasible=unclear or end.reason == result_pb2.TERMINATION_REASON_INFEASIBLE,
        unbounded=unclear or end.reason == result_pb2.TERMINATION_REASON_UNBOUNDED,
        iterations=result.solve_stats.first_order_iterations,
        message=f"PDLP: {_words(end)}",
    )
    if claim.infeasible:
        claim = _proven_infeasible(arrays, result, claim)
    if not result.solutions:
        return claim
    solution = result.solutions[0]
    dual = mathopt.dense(solution.dual_solution.dual_values, arrays.row_lower.size)
    return replace(
        claim,
        values=mathopt.dense(solution.primal_solution.variable_values, arrays.cost.size),
        objective=solution.primal_solution.objective_value,
        row_dual=arrays.sign * dual + 0.0,
    )


def _proven_infeasible(
    arrays: ModelArrays, result: result_pb2.SolveResultProto, claim: Claim
) -> Claim:
    """Believe that there is no solution only if a ray proves it in exact arithmetic.

    PDLP judges rays by tolerances: it has called programs with sides of 1e7 infeasible that were
    not.
    """
    margin = Fraction(0)
    if result.dual_rays:
        ray = mathopt.dense(result.dual_rays[0].dual_values, arrays.row_lower.size)
        margin = farkas_margin(arrays, ray)
    if margin > 0:
        message = f"{claim.message}; in exact arithmetic its ray proves it"
        return replace(claim, unbounded=False, message=message)
    message = f"{claim.message}; in exact arithmetic its ray does not prove it"
    if claim.unbounded:
        return replace(claim, message=message)
    return replace(claim, termination=Termination.UNKNOWN, infeasible=False, message=message)


def _words(end: result_pb2.TerminationProto) -> str:
    if end.limit:
        word = str(result_pb2.LimitProto.Name(end.limit)).removeprefix("LIMIT_") + " limit"
    else:
        reason = str(result_pb2.TerminationReasonProto.Name(end.reason))
        word = reason.removeprefix("TERMINATION_REASON_")
    return word.lower().replace("_", " ")
