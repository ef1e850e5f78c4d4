"""Linear models as a problem of their own: solve, verify, and what stands behind a bound.

A model comes as a :class:`~leotrek_opt.solvers.linear.LinearModel`, or as a
:class:`~leotrek_opt.solvers.matrix.MatrixModel` that also knows the units and names it was given
in. What an engine answers is checked against the model's own integers before it leaves.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from numpy.typing import ArrayLike

from leotrek_opt.errors import EngineError, InputError
from leotrek_opt.solvers.engines import engine_named
from leotrek_opt.solvers.engines.protocol import (
    Engine,
    EngineEvent,
    EngineResult,
    Feature,
    Limits,
    Termination,
)
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.linear_arrays import model_digest
from leotrek_opt.solvers.matrix import MatrixModel
from leotrek_opt.solvers.model_check import evaluated
from leotrek_opt.solvers.model_proof import Strengthened, strengthened
from leotrek_opt.solvers.model_result import (
    ModelResult,
    ModelSolution,
    exact_text,
)
from leotrek_opt.solvers.result import Incumbent
from leotrek_opt.solvers.status import Proof, Status
from leotrek_opt.versions import installed_version

MAX_OFFSET = 2**1000
"""Largest magnitude of an offset: values of a result are floats as well."""

EXPLANATION_S = 2.0
"""Seconds that may go into saying why a model is infeasible; ``explain_model`` takes its time."""


@dataclass(frozen=True)
class ModelProgress:
    """One event of a running solve, in the units of the model as it was given.

    Parameters
    ----------
    seconds
        Since the solve began.
    objective, bound
        Best known values, None while unknown.
    nodes
        Branch-and-bound nodes so far.
    """

    seconds: float
    objective: float | None
    bound: float | None
    nodes: int


def solve_model(
    model: LinearModel | MatrixModel,
    engine: str = "highs",
    *,
    time_limit_s: float | None = None,
    gap: float = 0.0,
    absolute_gap: float | None = None,
    seed: int = 0,
    threads: int = 1,
    max_nodes: int | None = None,
    memory_limit_mib: int | None = None,
    warm_start: ArrayLike | None = None,
    on_progress: Callable[[ModelProgress], None] | None = None,
    cancel: threading.Event | None = None,
    certify: bool = False,
    isolate: bool = False,
    options: Mapping[str, Any] | None = None,
) -> ModelResult:
    """Solve a linear model by one engine and check the answer.

    Parameters
    ----------
    model
        What to solve.
    engine
        ``highs``, ``cpsat``, ``scip``, ``pdlp`` (linear programs) or ``pyomo:<solver>``.
    time_limit_s
        Seconds after which the best answer so far is returned, None for no limit.
    gap, absolute_gap
        Relative and absolute gap at which to stop; the absolute one in units of the objective. 0
        and None: only at a proven optimum.
    seed, threads, max_nodes
        As in :class:`~leotrek_opt.solvers.engines.protocol.Limits`.
    memory_limit_mib
        Memory that the solve may take. An engine that cannot keep it by itself is run in a process
        of its own.
    warm_start
        A feasible point, one value per column, in the units of the model as it was given.
    on_progress
        Called with better solutions, better bounds and signs of life.
    cancel
        Set it to stop early; the best answer so far is returned.
    certify
        Prove the bound by a certificate that needs no solver to check, or else by an engine of
        another family; if that differs, the result is an error that shows both. Without a time
        limit the proof is bounded by a number of nodes, and the other engine by a minute.
    isolate
        Solve in a process of its own, so that a crash or a hang becomes a result.
    options
        Words of the common vocabulary, or the engine's own options.

    Returns
    -------
    ModelResult
        Status, proof, objective, bound, solution.

    Raises
    ------
    leotrek_opt.errors.InputError
        If an argument is out of range or there is no such engine.
    leotrek_opt.errors.UnsupportedError
        If the engine does not take the model or a limit.
    """
    started = time.monotonic()
    matrix = MatrixModel.of(model)
    if abs(matrix.linear.offset) > MAX_OFFSET:
        raise InputError("must be within ±2**1000 to be shown in a result", field="offset")
    chosen = engine_named(engine)
    if isolate or (memory_limit_mib is not None and Feature.MEMORY_LIMIT not in chosen.features):
        from leotrek_opt.solvers.isolated_engine import IsolatedEngine

        chosen = IsolatedEngine(engine)
    limits = Limits(
        time_limit_s=time_limit_s,
        relative_gap=gap,
        absolute_gap=absolute_gap,
        threads=threads,
        seed=seed,
        max_nodes=max_nodes,
        memory_limit_mib=memory_limit_mib,
    )
    if absolute_gap is not None:
        limits = replace(limits, absolute_gap=absolute_gap * matrix.objective_scale)
    watch = _Watch(matrix, started, on_progress)
    try:
        found = chosen.solve(
            matrix.linear,
            limits,
            warm_start=None if warm_start is None else matrix.point(warm_start),
            on_event=watch.see,
            cancel=cancel,
            options=options,
        )
    except EngineError as error:
        # The engine failed or was refuted; an argument that it does not take is raised as it is.
        found = failed(str(error), time.monotonic() - started)
    outcome = Strengthened(found, _claimed(found), None, ())
    if certify:
        left_s = None if time_limit_s is None else time_limit_s - (time.monotonic() - started)
        outcome = strengthened(matrix.linear, chosen, found, limits, left_s, cancel)
    result = _result(matrix, chosen, engine, outcome, watch.incumbents, limits, options)
    if result.status is not Status.INFEASIBLE:
        return result
    left_s = EXPLANATION_S
    if time_limit_s is not None:
        left_s = min(left_s, max(0.0, time_limit_s - (time.monotonic() - started)))
    return _explained(matrix, result, left_s, cancel)


def failed(message: str, seconds: float) -> EngineResult:
    """Return the result of an engine that failed.

    Parameters
    ----------
    message
        Why, in one line.
    seconds
        Wall time of the call.

    Returns
    -------
    EngineResult
        Without any answer.
    """
    return EngineResult(
        status=Status.ERROR,
        termination=Termination.UNKNOWN,
        values=None,
        objective=None,
        bound=None,
        claimed_objective=None,
        nodes=0,
        iterations=0,
        seconds=seconds,
        message=message,
        solution_count=0,
    )


class _Watch:
    """Turns an engine's events into the units of the model as it was given."""

    def __init__(
        self,
        matrix: MatrixModel,
        started: float,
        on_progress: Callable[[ModelProgress], None] | None,
    ) -> None:
        self.matrix = matrix
        self.started = started
        self.on_progress = on_progress
        self.incumbents: list[Incumbent] = []

    def see(self, event: EngineEvent) -> None:
        seconds = time.monotonic() - self.started
        objective, bound = (
            None if value is None else float(self.matrix.objective(value))
            for value in (event.objective, event.bound)
        )
        before = self.incumbents[-1] if self.incumbents else None
        if before is None or (before.objective, before.bound) != (objective, bound):
            self.incumbents.append(Incumbent(seconds=seconds, objective=objective, bound=bound))
        if self.on_progress is not None:
            self.on_progress(ModelProgress(seconds, objective, bound, event.nodes))


def _claimed(found: EngineResult) -> Proof:
    has_claim = found.bound is not None or found.status in (Status.INFEASIBLE, Status.UNBOUNDED)
    return Proof.CLAIMED if has_claim else Proof.NONE


def _result(
    matrix: MatrixModel,
    engine: Engine,
    requested: str,
    outcome: Strengthened,
    incumbents: list[Incumbent],
    limits: Limits,
    options: Mapping[str, Any] | None,
) -> ModelResult:
    checking = time.monotonic()
    found, digest = outcome.found, model_digest(matrix.linear.arrays())
    violations: tuple[str, ...] = ()
    exact: Fraction | float | None = None
    solution = None
    if found.values is not None:
        violations, exact = evaluated(matrix, found.values)
        solution = ModelSolution(problem_digest=digest, values=matrix.solution(found.values))
    status, proof, explanation = found.status, outcome.proof, outcome.messages
    if violations and status is not Status.ERROR:
        status, proof = Status.ERROR, Proof.NONE
        explanation = (
            *explanation,
            f"{requested} calls {found.status} what breaks {violations[0]}",
        )
    if status is Status.ERROR and found.message:
        explanation = (*explanation, found.message)
    bound = None if found.bound is None else matrix.objective(found.bound)
    objective = None if exact is None else float(exact)
    return ModelResult(
        problem_digest=digest,
        status=status,
        termination=found.termination.value,
        proof=proof,
        objective=objective,
        bound=None if bound is None else float(bound),
        gap=_gap(objective, bound),
        exact_objective=exact_text(exact) if isinstance(exact, Fraction) else None,
        exact_bound=exact_text(bound) if isinstance(found.bound, int | Fraction) else None,
        requested_solver=requested,
        solver=engine.name,
        solution=solution,
        violations=violations,
        is_verified=solution is not None and not violations,
        certificate=outcome.certificate,
        explanation=explanation,
        incumbents=tuple(incumbents),
        nodes=found.nodes,
        iterations=found.iterations,
        seed=limits.seed,
        threads=limits.threads,
        options=dict(options or {}),
        versions=_versions(engine),
        solve_s=found.seconds,
        verify_s=time.monotonic() - checking,
    )


def _explained(
    matrix: MatrixModel, result: ModelResult, time_limit_s: float, cancel: threading.Event | None
) -> ModelResult:
    """Add which rows are in conflict, if that is found within a small budget."""
    from leotrek_opt.solvers.explain.linear import explain_model

    explanation = explain_model(
        matrix, time_limit_s=time_limit_s, seed=result.seed, cancel=cancel, confirm=False
    )
    if not explanation.is_irreducible:
        return result
    return result.replace(explanation=(*result.explanation, *explanation.sentences()))


def _gap(objective: float | None, bound: Fraction | None) -> float | None:
    if objective is None or bound is None:
        return None
    distance = abs(objective - float(bound))
    return distance / abs(objective) if objective else (0.0 if distance == 0 else None)


def _versions(engine: Engine) -> dict[str, str]:
    own = installed_version("leotrek-opt")
    found = {engine.name: engine.version()}
    return found if own is None else found | {"leotrek-opt": own}
