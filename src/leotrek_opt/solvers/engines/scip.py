"""SCIP through MathOpt of OR-Tools: a third opinion on integer programs.

The model is handed over to be minimised, as a proto written from the arrays. Incumbents, bounds and
nodes come from callbacks on the solver's own thread.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from ortools.math_opt import (
    callback_pb2,
    model_parameters_pb2,
    parameters_pb2,
    result_pb2,
)

from leotrek_opt.solvers.engines import mathopt
from leotrek_opt.solvers.engines.answers import (
    Claim,
    FloatArray,
    checked_start,
    concluded,
)
from leotrek_opt.solvers.engines.protocol import (
    EngineResult,
    EventCallback,
    Feature,
    Limits,
    Termination,
    require_features,
)
from leotrek_opt.solvers.engines.runs import (
    LEFT_BEHIND,
    Progress,
    claim_of_run,
    cutoff_inside,
    deadline_of,
    decided,
    delivery,
    relative_offset,
    target_inside,
)
from leotrek_opt.solvers.engines.scip_library import silence
from leotrek_opt.solvers.engines.scip_numerics import Numerics, numerics_of
from leotrek_opt.solvers.engines.scip_options import checked_parameters
from leotrek_opt.solvers.engines.scip_watch import Watch
from leotrek_opt.solvers.linear import LinearModel, ModelArrays

_MIB = 2**20
_BYTES_PER_COLUMN, _BYTES_PER_ROW, _BYTES_PER_NONZERO = 2400, 1500, 140
_BASE_MIB = 32
"""What handing a model over takes, and what SCIP takes without counting it; measured."""


class ScipEngine:
    """SCIP behind the engine protocol.

    OR-Tools builds SCIP without threads, without symmetry detection and with SoPlex as its only
    solver of linear programs, so there is one thread, no ``barrier`` and no duals.

    SCIP looks at an interruption between nodes and between rounds of presolve only. A cancelled
    run that does not notice in time is left behind, with the best solution returned; it ends at its
    next node or at its own time limit, and the interpreter waits for it when it exits, because a
    thread cut off within a callback would end the process with an error. A process of its own is
    the way to be rid of such a run at once.
    """

    name = "scip"
    family = "scip"
    features = frozenset(
        {
            Feature.CONTINUOUS,
            Feature.INTEGER,
            Feature.INFINITE_BOUNDS,
            Feature.WARM_START,
            Feature.INCUMBENTS,
            Feature.BOUNDS,
            Feature.INTERRUPT,
            Feature.TIME_LIMIT,
            Feature.NODE_LIMIT,
            Feature.GAP,
            Feature.CUTOFF,
            Feature.TARGET,
            Feature.MEMORY_LIMIT,
            Feature.SEED,
        }
    )

    def __init__(self) -> None:
        mathopt.require_version()

    def version(self) -> str:
        """Return the version of OR-Tools, which brings its own SCIP."""
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
        """Solve a model; parameters, result and errors are those of the protocol."""
        started = time.monotonic()
        require_features(self, limits.features())
        task = _Task(
            model.arrays(),
            limits,
            numerics_of(model.arrays()),
            checked_parameters(options),
            started,
            start=None if warm_start is None else checked_start(model, warm_start),
        )
        deliver = delivery(task.arrays, "SCIP", on_event, step=task.step, cutoff=limits.cutoff)
        claim = _claim(task, cancel, deliver)
        if claim.infeasible and claim.unbounded:
            claim = decided(claim, task.start, lambda: _feasibility(task, cancel))
        return concluded(
            model,
            task.arrays,
            claim,
            engine="SCIP",
            step=task.step,
            start=task.start,
            cutoff=limits.cutoff,
            seconds=time.monotonic() - started,
        )


@dataclass(frozen=True)
class _Task:
    """One model and how to run it.

    SCIP's objective is the minimised one, with the offset, times ``numerics.factor``.
    """

    arrays: ModelArrays
    limits: Limits
    numerics: Numerics
    parameters: Any
    started: float
    start: FloatArray | None

    @property
    def step(self) -> int | None:
        return self.arrays.objective_step

    @property
    def deadline(self) -> float | None:
        return deadline_of(self.limits, self.started)

    @property
    def least_mib(self) -> float:
        """Memory that SCIP takes before it looks at its limit."""
        arrays = self.arrays
        size = (
            _BYTES_PER_COLUMN * arrays.cost.size
            + _BYTES_PER_ROW * arrays.row_lower.size
            + _BYTES_PER_NONZERO * arrays.data.size
        )
        return _BASE_MIB + size / _MIB

    @property
    def offset(self) -> float:
        """The offset as SCIP sees it."""
        return relative_offset(self.arrays, self.limits)

    def native(self, inner: float) -> float:
        """Turn a minimised objective without offset into SCIP's."""
        return (inner + self.offset) * self.numerics.factor

    def from_native(self, objective: float) -> float:
        """Turn SCIP's objective into a minimised one without offset."""
        return objective / self.numerics.factor - self.offset

    @property
    def gap(self) -> float:
        """The absolute gap at which to stop."""
        if self.limits.absolute_gap is not None:
            return float(self.limits.absolute_gap)
        return 1e-6 if self.step is None else self.numerics.gap_in_steps * self.step

    @property
    def target(self) -> float | None:
        """Minimised objective from which on a solution ends the run, or None."""
        target = self.limits.target
        return None if target is None else target_inside(self.arrays, target)


def _claim(
    task: _Task, cancel: threading.Event | None, deliver: Callable[[Progress], None]
) -> Claim:
    limit_mib = task.limits.memory_limit_mib
    if limit_mib is not None and limit_mib <= task.least_mib:
        needs = f"the model alone takes about {task.least_mib:.0f} MiB"
        return Claim(Termination.MEMORY_LIMIT, message=needs)
    stop = mathopt.Stop()
    watch = Watch(task.arrays, stop, from_native=task.from_native, target=task.target)

    def work(post: Callable[[Progress], None]) -> Claim:
        watch.post = post
        return _run(task, watch, stop)

    return claim_of_run(
        work,
        deliver,
        lambda: watch.seen.claim(LEFT_BEHIND),
        stop=stop,
        cancel=cancel,
        deadline=task.deadline,
    )


def _feasibility(task: _Task, cancel: threading.Event | None) -> Claim:
    """Run without costs."""
    costless = replace(task.arrays, cost=np.zeros(task.arrays.cost.size))
    limits = replace(task.limits, cutoff=None, target=None)
    return _claim(replace(task, arrays=costless, limits=limits), cancel, lambda _: None)


def _run(task: _Task, watch: Watch, stop: mathopt.Stop) -> Claim:
    hints = model_parameters_pb2.ModelSolveParametersProto()
    if task.start is not None:
        mathopt.fill_vector(hints.solution_hints.add().variable_values, task.start)
    with silence():
        result = mathopt.run(
            mathopt.GSCIP,
            mathopt.model_proto(
                replace(task.arrays, cost=task.arrays.cost * task.numerics.factor),
                offset=task.native(0.0),
            ),
            _configured(task),
            model_parameters=hints,
            registration=_registration(),
            on_callback=watch,
            stop=stop,
            deadline=task.deadline,
        )
    if watch.seen.failure is not None:
        raise watch.seen.failure
    return _read(task, watch, result)


def _registration() -> callback_pb2.CallbackRegistrationProto:
    """Ask for solutions, and for bounds at the nodes without the points there.

    The same for every run: a callback makes SCIP search a little differently, and who watches a
    run should not change its answer.
    """
    registration = callback_pb2.CallbackRegistrationProto(
        request_registration=[
            callback_pb2.CALLBACK_EVENT_MIP_SOLUTION,
            callback_pb2.CALLBACK_EVENT_MIP_NODE,
        ]
    )
    registration.mip_solution_filter.skip_zero_values = True
    registration.mip_node_filter.filter_by_ids = True
    return registration


def _configured(task: _Task) -> Any:
    """Add limits and numerics to the caller's parameters, which win where they say anything."""
    limits, numerics = task.limits, task.numerics
    parameters = parameters_pb2.SolveParametersProto(
        random_seed=limits.seed,
        relative_gap_tolerance=float(limits.relative_gap),
        absolute_gap_tolerance=task.gap * numerics.factor,
    )
    if limits.max_nodes is not None:
        parameters.node_limit = limits.max_nodes
    if limits.cutoff is not None:
        parameters.cutoff_limit = task.native(cutoff_inside(task.arrays, limits.cutoff))
    reals = parameters.gscip.real_params
    if limits.memory_limit_mib is not None:
        reals["limits/memory"] = float(limits.memory_limit_mib - _BASE_MIB)
    reals["numerics/epsilon"] = reals["numerics/sumepsilon"] = numerics.epsilon
    if numerics.factor != 1.0:
        parameters.gscip.bool_params["misc/scaleobj"] = False
    if not numerics.has_safe_cuts:
        parameters.cuts = parameters_pb2.EMPHASIS_OFF
    parameters.MergeFrom(task.parameters)
    return parameters


def _read(task: _Task, watch: Watch, result: result_pb2.SolveResultProto) -> Claim:
    end = result.termination
    termination = mathopt.termination_of(end)
    if termination is Termination.CANCELLED and watch.has_reached_target:
        termination = Termination.TARGET
    bound = task.from_native(end.objective_bounds.dual_bound)
    if termination is Termination.CUTOFF:
        bound = math.inf
    unclear = end.reason == result_pb2.TERMINATION_REASON_INFEASIBLE_OR_UNBOUNDED
    claim = Claim(
        termination,
        infeasible=unclear or end.reason == result_pb2.TERMINATION_REASON_INFEASIBLE,
        unbounded=unclear or end.reason == result_pb2.TERMINATION_REASON_UNBOUNDED,
        bound=None if bound == -math.inf else bound,
        nodes=result.solve_stats.node_count,
        iterations=result.gscip_output.stats.total_lp_iterations,
        message=_message(result),
    )
    if result.solutions:
        best = result.solutions[0].primal_solution
        values = mathopt.dense(best.variable_values, task.arrays.cost.size)
        watch.see(values)
        claim = replace(claim, values=values, objective=task.from_native(best.objective_value))
    return replace(claim, solutions=watch.seen.solutions)


def _message(result: result_pb2.SolveResultProto) -> str:
    status = result.gscip_output.status
    word = type(result.gscip_output).Status.Name(status).lower().replace("_", " ")
    return f"SCIP: {word}"
