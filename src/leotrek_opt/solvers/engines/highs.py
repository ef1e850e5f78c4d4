"""HiGHS, the default engine: the model is handed over by array, and nothing is printed.

HiGHS always minimises here. A model that maximises is handed over with its costs negated and the
numbers are turned back, because the cutoff of HiGHS has no effect when it maximises.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import highspy
import numpy as np
from numpy.typing import ArrayLike

from leotrek_opt.errors import EngineError, MissingDependencyError
from leotrek_opt.solvers.engines.answers import (
    Claim,
    FloatArray,
    absolute_gap,
    checked_start,
    concluded,
)
from leotrek_opt.solvers.engines.highs_options import Option, checked_options, set_option
from leotrek_opt.solvers.engines.highs_watch import watch
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
    Seen,
    claim_of_run,
    cutoff_inside,
    deadline_of,
    decided,
    delivery,
    relative_offset,
    target_inside,
)
from leotrek_opt.solvers.linear import ColumnKind, LinearModel, ModelArrays

_OK = highspy.HighsStatus.kOk
_Ended = highspy.HighsModelStatus
_Callback = highspy.cb.HighsCallbackType
_ROWWISE = int(highspy.MatrixFormat.kRowwise)
_MINIMISE = int(highspy.ObjSense.kMinimize)

# An end that is not in the table is a failure, or something a later version added: it raises.
_TERMINATIONS = {
    _Ended.kOptimal: Termination.PROVEN,
    _Ended.kModelEmpty: Termination.PROVEN,
    _Ended.kInfeasible: Termination.PROVEN,
    _Ended.kUnbounded: Termination.PROVEN,
    _Ended.kUnboundedOrInfeasible: Termination.UNKNOWN,
    _Ended.kObjectiveBound: Termination.CUTOFF,
    _Ended.kObjectiveTarget: Termination.TARGET,
    _Ended.kTimeLimit: Termination.TIME_LIMIT,
    _Ended.kSolutionLimit: Termination.NODE_LIMIT,
    _Ended.kIterationLimit: Termination.ENGINE_LIMIT,
    _Ended.kMemoryLimit: Termination.MEMORY_LIMIT,
    _Ended.kInterrupt: Termination.CANCELLED,
    _Ended.kHighsInterrupt: Termination.CANCELLED,
    _Ended.kUnknown: Termination.UNKNOWN,
}


class SolveError(EngineError):
    """HiGHS ended a run with an error of its own."""


class HighsEngine:
    """HiGHS behind the engine protocol.

    Each run has a thread and a solver object of its own: the thread pool of HiGHS belongs to the
    thread that first used it and cannot change its size, and the caller stays free to see a
    deadline, a cancel or a KeyboardInterrupt.
    """

    name = "highs"
    family = "highs"
    features = frozenset(Feature) - {Feature.MEMORY_LIMIT}

    def __init__(self) -> None:
        if (highspy.HIGHS_VERSION_MAJOR, highspy.HIGHS_VERSION_MINOR) != (1, 13):
            raise MissingDependencyError(
                f"highspy {self.version()} is not supported: pip install 'highspy>=1.13,<1.14'"
            )

    def version(self) -> str:
        """Return the version of HiGHS."""
        return (
            f"{highspy.HIGHS_VERSION_MAJOR}.{highspy.HIGHS_VERSION_MINOR}"
            f".{highspy.HIGHS_VERSION_PATCH}"
        )

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
        arrays = model.arrays()
        is_lp = not np.any(arrays.kind == ColumnKind.INTEGER)
        task = _Task(
            arrays,
            limits,
            checked_options(options, integer=not is_lp),
            started,
            is_lp=is_lp,
            step=arrays.objective_step,
            start=None if warm_start is None else checked_start(model, warm_start),
        )
        return _solved(model, task, cancel, on_event)

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
            As for :meth:`solve`; gaps and node limits do not apply.

        Returns
        -------
        EngineResult
            If optimal, with ``row_dual`` and ``column_dual``, where
            ``column_dual = cost - A' row_dual`` in the model's own sense.

        Raises
        ------
        InputError, UnsupportedError, EngineError
            As for :meth:`solve`.
        """
        task = _Task(
            replace(model.arrays(), kind=np.zeros(model.n_variables, dtype=np.int8)),
            limits,
            checked_options(options, integer=False),
            time.monotonic(),
            is_lp=True,
            step=None,
        )
        return _solved(model, task, cancel, None)


def load(arrays: ModelArrays, *, offset: float = 0.0) -> highspy.Highs:
    """Hand a model to a new, silent HiGHS, to be minimised.

    Parameters
    ----------
    arrays
        The model; if it maximises, its costs are negated.
    offset
        Constant to hand over with it.

    Returns
    -------
    highspy.Highs
        The solver, holding a copy of the model.

    Raises
    ------
    EngineError
        If the arrays do not fit together, or HiGHS does not take the model as it is.
    """
    n, m, nonzeros = arrays.cost.size, arrays.row_lower.size, arrays.data.size
    # HiGHS checks no length and reads beyond an array that is too short.
    sizes = {
        "columns": {n, arrays.lower.size, arrays.upper.size, arrays.kind.size},
        "rows": {m, arrays.row_upper.size, arrays.indptr.size - 1},
        "nonzeros": {nonzeros, arrays.indices.size, int(arrays.indptr[-1])},
    }
    for what, lengths in sizes.items():
        if len(lengths) > 1:
            raise EngineError(f"arrays of the model disagree on the number of {what}: {lengths}")
    highs = highspy.Highs()
    set_option(highs, "output_flag", False)
    status = highs.passModel(
        n,
        m,
        nonzeros,
        _ROWWISE,
        _MINIMISE,
        offset,
        arrays.cost if arrays.minimise else -arrays.cost,
        arrays.lower,
        arrays.upper,
        arrays.row_lower,
        arrays.row_upper,
        arrays.indptr,
        arrays.indices,
        arrays.data,
        (arrays.kind == ColumnKind.INTEGER).astype(np.int32),
    )
    if status != _OK:
        raise EngineError(f"HiGHS does not take the model: {status}")
    return highs


@dataclass(frozen=True)
class _Task:
    """One model and how to run it. ``step`` is what the objective moves in, None if nothing."""

    arrays: ModelArrays
    limits: Limits
    options: Mapping[str, Option]
    started: float
    is_lp: bool
    step: int | None
    start: FloatArray | None = None

    @property
    def deadline(self) -> float | None:
        return deadline_of(self.limits, self.started)

    @property
    def offset(self) -> float:
        return relative_offset(self.arrays, self.limits)


def _solved(
    model: LinearModel,
    task: _Task,
    cancel: threading.Event | None,
    on_event: EventCallback | None,
) -> EngineResult:
    deliver = delivery(task.arrays, "HiGHS", on_event, step=task.step, cutoff=task.limits.cutoff)
    claim = _claim(task, cancel, deliver)
    if claim.infeasible and claim.unbounded:
        claim = decided(claim, task.start, lambda: _feasibility(task, cancel))
    return concluded(
        model,
        task.arrays,
        claim,
        engine="HiGHS",
        step=task.step,
        start=task.start,
        cutoff=task.limits.cutoff,
        seconds=time.monotonic() - task.started,
    )


def _claim(
    task: _Task, cancel: threading.Event | None, deliver: Callable[[Progress], None]
) -> Claim:
    def run(part: _Task) -> Claim:
        stop, seen = threading.Event(), Seen()
        return claim_of_run(
            lambda post: _run(part, seen, stop, post),
            deliver,
            lambda: seen.claim(LEFT_BEHIND),
            stop=stop,
            cancel=cancel,
            deadline=part.deadline,
        )

    try:
        return run(task)
    except SolveError:
        if task.options.get("presolve") == "off":
            raise
        # Its presolve fails on some small models, infeasible ones above all; without it they are
        # solved.
        return run(replace(task, options={**task.options, "presolve": "off"}))


def _feasibility(task: _Task, cancel: threading.Event | None) -> Claim:
    """Run without costs."""
    costless = replace(task.arrays, cost=np.zeros(task.arrays.cost.size))
    limits = replace(task.limits, cutoff=None, target=None)
    return _claim(replace(task, arrays=costless, limits=limits), cancel, lambda _: None)


def _run(task: _Task, seen: Seen, stop: threading.Event, post: Callable[[Progress], None]) -> Claim:
    highs = load(task.arrays, offset=task.offset)
    try:
        _configure(highs, task)
        watch(highs, seen, stop, post, offset=task.offset)
        if task.start is not None and not task.is_lp:
            indices = np.arange(task.start.size, dtype=np.int32)
            _require(highs.setSolution(indices.size, indices, task.start), "the warm start")
        status = highs.run()
        if seen.failure is not None:
            raise seen.failure
        if status == highspy.HighsStatus.kError:
            ended = highs.modelStatusToString(highs.getModelStatus())
            raise SolveError(f"HiGHS failed: {ended}")
        return _read(highs, task, seen.solutions)
    finally:
        highs.setCallback(None, None)
        highspy.Highs.resetGlobalScheduler(True)


def _configure(highs: highspy.Highs, task: _Task) -> None:
    limits = task.limits
    gap = limits.absolute_gap
    for name, value in task.options.items():
        set_option(highs, name, value)
    set_option(highs, "threads", limits.threads)
    set_option(highs, "random_seed", limits.seed)
    set_option(highs, "mip_rel_gap", float(limits.relative_gap))
    set_option(highs, "mip_abs_gap", float(absolute_gap(task.arrays) if gap is None else gap))
    if limits.max_nodes is not None:
        set_option(highs, "mip_max_nodes", limits.max_nodes)
    # HiGHS prunes above the cutoff and stops below the target.
    if limits.cutoff is not None:
        bound = cutoff_inside(task.arrays, limits.cutoff)
        set_option(highs, "objective_bound", bound + task.offset)
    if limits.target is not None:
        target = target_inside(task.arrays, limits.target)
        set_option(highs, "objective_target", target + task.offset)
    if task.deadline is not None:
        set_option(highs, "time_limit", max(0.0, task.deadline - time.monotonic()))


def _read(highs: highspy.Highs, task: _Task, solutions: int) -> Claim:
    info, ended, solution = highs.getInfo(), highs.getModelStatus(), highs.getSolution()
    termination = _TERMINATIONS.get(ended)
    message = highs.modelStatusToString(ended)
    if termination is None:
        raise EngineError(f"HiGHS ended with {ended}: {message}")
    claim = Claim(
        termination,
        infeasible=ended in {_Ended.kInfeasible, _Ended.kUnboundedOrInfeasible},
        unbounded=ended in {_Ended.kUnbounded, _Ended.kUnboundedOrInfeasible},
        nodes=max(0, info.mip_node_count),
        iterations=sum(
            max(0, count)
            for count in (
                info.simplex_iteration_count,
                info.ipm_iteration_count,
                info.crossover_iteration_count,
                info.pdlp_iteration_count,
            )
        ),
        solutions=solutions,
        message=message,
    )
    if ended == _Ended.kModelEmpty:
        # HiGHS calls every model without columns empty, also one with a row that 0 does not keep.
        if np.any((task.arrays.row_lower > 0) | (task.arrays.row_upper < 0)):
            return replace(claim, infeasible=True)
        return replace(claim, values=np.zeros(task.arrays.cost.size), objective=0.0, bound=0.0)
    if info.primal_solution_status == int(highspy.kSolutionStatusFeasible) and solution.value_valid:
        claim = replace(
            claim,
            values=np.array(solution.col_value, dtype=np.float64),
            objective=info.objective_function_value - task.offset,
        )
    if ended == _Ended.kObjectiveBound:
        return replace(claim, bound=math.inf)
    if not task.is_lp:
        return replace(claim, bound=info.mip_dual_bound - task.offset)
    if ended != _Ended.kOptimal:
        return claim
    # mip_dual_bound is 0 after a linear program, whatever its value.
    claim = replace(claim, bound=claim.objective)
    if not solution.dual_valid:
        return claim
    return replace(
        claim,
        row_dual=task.arrays.sign * np.array(solution.row_dual, dtype=np.float64) + 0.0,
        column_dual=task.arrays.sign * np.array(solution.col_dual, dtype=np.float64) + 0.0,
    )


def _require(status: highspy.HighsStatus, what: str) -> None:
    if status != _OK:
        raise EngineError(f"HiGHS does not take {what}: {status}")
