"""CP-SAT of OR-Tools: integers only, and rows over binaries handed over as what they are.

The model is minimised in whole numbers (:mod:`.cpsat_integers`). What CP-SAT says about them is
turned back into the model's own sense and units, bounds included, in exact integers.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from ortools.sat.python import cp_model_helper as native

from leotrek_opt.errors import EngineError, MissingDependencyError, UnsupportedError
from leotrek_opt.solvers.engines.answers import (
    Claim,
    FloatArray,
    checked_start,
    concluded,
    objective_at,
    snapped,
)
from leotrek_opt.solvers.engines.cpsat_core import Core, infeasible_core
from leotrek_opt.solvers.engines.cpsat_integers import ROOM, whole_model
from leotrek_opt.solvers.engines.cpsat_model import native_model
from leotrek_opt.solvers.engines.cpsat_options import (
    STEPS,
    checked_options,
    quiet_parameters,
    set_parameters,
)
from leotrek_opt.solvers.engines.cpsat_run import Outcome, search, solution_of
from leotrek_opt.solvers.engines.cpsat_task import Progress, Seen, Task
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
from leotrek_opt.solvers.engines.runs import LEFT_BEHIND, claim_of_run
from leotrek_opt.solvers.implied_integers import recognised
from leotrek_opt.solvers.linear import LinearModel

_CONTINUOUS = frozenset({Feature.CONTINUOUS, Feature.INFINITE_BOUNDS})
_MANY_THREADS = 8
"""From here on CP-SAT's own portfolio holds strategies that use the linear relaxation."""

# An end that is not in the table is a failure, or something a later version added: it raises.
_TERMINATIONS = {
    native.OPTIMAL: Termination.PROVEN,
    native.INFEASIBLE: Termination.PROVEN,
    native.FEASIBLE: Termination.UNKNOWN,
    native.UNKNOWN: Termination.UNKNOWN,
}


class CpSatEngine:
    """CP-SAT behind the engine protocol.

    Continuous columns that provably take integers in some optimal solution are taken as integers
    (:mod:`leotrek_opt.solvers.implied_integers`). Others are refused unless the option
    ``continuous_steps`` gives a whole number k: they then take multiples of 1/k. A solution keeps
    every row exactly, but nothing is known about the values in between, so the result is never
    ``optimal`` or ``infeasible`` and has no bound.

    With one thread and no time limit, runs repeat; another seed often takes the same way. With more
    threads they do not: CP-SAT's ``interleave_search``, which may be set as an option, repeats the
    search at several times the cost.
    """

    name = "cpsat"
    family = "cpsat"
    features = frozenset(
        {
            Feature.INTEGER,
            Feature.WARM_START,
            Feature.INCUMBENTS,
            Feature.BOUNDS,
            Feature.INTERRUPT,
            Feature.TIME_LIMIT,
            Feature.GAP,
            Feature.CUTOFF,
            Feature.TARGET,
            Feature.THREADS,
            Feature.SEED,
        }
    )

    def __init__(self) -> None:
        if not self.version().startswith("9.15."):
            raise MissingDependencyError(
                f"ortools {self.version()} is not supported: pip install 'ortools>=9.15,<9.16'"
            )

    def version(self) -> str:
        """Return the version of OR-Tools."""
        return metadata.version("ortools")

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
        checked = checked_options(options)
        if checked.continuous_steps is None:
            model = recognised(model)
        self._require(limits.features() | model_features(model), checked.continuous_steps)
        task = Task(
            model.arrays(),
            whole_model(model, checked.continuous_steps),
            limits,
            checked,
            started,
            start=None if warm_start is None else checked_start(model, warm_start),
        )
        claim = _claim(task, cancel, on_event)
        return concluded(
            model,
            task.arrays,
            claim,
            engine="CP-SAT",
            # An int is a value that the objective can take, and is exact beyond floats as well.
            step=None if isinstance(claim.bound, int) else task.arrays.objective_step,
            start=task.start,
            cutoff=limits.cutoff,
            seconds=time.monotonic() - started,
        )

    def infeasible_core(
        self,
        model: LinearModel,
        groups: Sequence[ArrayLike],
        *,
        limits: Limits = Limits(),  # noqa: B008 frozen
        cancel: threading.Event | None = None,
    ) -> Core:
        """Find groups of rows that are infeasible together; see :func:`.cpsat_core`."""
        return infeasible_core(model, groups, limits=limits, cancel=cancel)

    def _require(self, needed: frozenset[Feature], steps: int | None) -> None:
        if Feature.CONTINUOUS in needed and steps is None:
            raise UnsupportedError(
                "engine cpsat does not offer: continuous; "
                f"option {STEPS}=k makes it look at multiples of 1/k, without a bound"
            )
        if Feature.CONTINUOUS in needed and Feature.GAP in needed:
            raise UnsupportedError(f"engine cpsat has no bound, hence no gap, with option {STEPS}")
        require_features(self, needed - _CONTINUOUS)


def _claim(task: Task, cancel: threading.Event | None, on_event: EventCallback | None) -> Claim:
    stop, seen = threading.Event(), Seen(task)

    def left_behind() -> Claim:
        claim = _claim_so_far(task, seen, seen.response)
        return replace(claim, termination=Termination.CANCELLED, message=LEFT_BEHIND)

    return claim_of_run(
        lambda post: _run(task, seen, stop, post),
        _deliver(task, on_event),
        left_behind,
        stop=stop,
        cancel=cancel,
        deadline=task.deadline,
    )


def _deliver(task: Task, on_event: EventCallback | None) -> Callable[[Progress], None]:
    def deliver(progress: Progress) -> None:
        if on_event is None:
            return
        objective, bound, values = progress.objective, progress.bound, None
        outer_objective = None if objective is None else task.outer(objective)
        if progress.response is not None:
            values = snapped(task.arrays, _values(task, progress.response), "CP-SAT")
            outer_objective = objective_at(task.arrays, values)
        outer_bound = None if bound is None or task.is_restricted else task.outer(bound)
        on_event(EngineEvent(outer_objective, outer_bound, progress.branches, values))

    return deliver


def _run(task: Task, seen: Seen, stop: threading.Event, post: Callable[[Progress], None]) -> Claim:
    if task.most is not None and task.most < task.whole.least_cost:
        message = "the bounds of the columns leave nothing below the cutoff"
        return Claim(Termination.CUTOFF, bound=math.inf, message=message)
    seen.post = post
    proto = native_model(task.whole)
    if task.most is not None and len(proto.objective.vars):
        proto.objective.domain.extend((task.whole.least_cost, min(task.most, ROOM)))
    if task.start is not None:
        _hint(proto, task.start * task.whole.steps)
    if stop.is_set():
        return Claim(Termination.CANCELLED, message="stopped before the search")
    outcome = search(proto, _parameters(task), stop, seen)
    return _read(task, seen, outcome)


def _hint(proto: native.CpModelProto, start: FloatArray) -> None:
    whole = np.flatnonzero(np.rint(start) == start)
    proto.solution_hint.vars.extend(whole.tolist())
    proto.solution_hint.values.extend(start[whole].astype(np.int64).tolist())


def _parameters(task: Task) -> native.SatParameters:
    """Set what the limits and options say.

    The time limit is kept from outside: CP-SAT ends before its own where it expects its next look
    at the clock to come late, and once left a quarter of the time unused.
    """
    parameters = quiet_parameters()
    if task.limits.threads < _MANY_THREADS:
        parameters.linearization_level = 2
    set_parameters(parameters, task.options.parameters)
    parameters.num_workers = task.limits.threads
    parameters.random_seed = task.limits.seed
    # Gaps are judged in the model's own values; for CP-SAT, optimal means optimal.
    parameters.relative_gap_limit = 0.0
    parameters.absolute_gap_limit = 0.0
    return parameters


def _read(task: Task, seen: Seen, outcome: Outcome) -> Claim:
    response, status = outcome.response, outcome.response.status
    if status not in _TERMINATIONS:
        raise EngineError(f"CP-SAT ended with {status}")
    termination = _TERMINATIONS[status]
    if termination is Termination.UNKNOWN:
        if seen.ended_by is not None:
            termination = seen.ended_by
        elif outcome.was_stopped:
            termination = Termination.CANCELLED
        elif task.options.may_end_early:
            termination = Termination.ENGINE_LIMIT
    if status == native.OPTIMAL:
        seen.bound = task.inner_objective(response)
    has_solution = status in {native.OPTIMAL, native.FEASIBLE}
    claim = replace(
        _claim_so_far(task, seen, response if has_solution else None),
        termination=termination,
        nodes=max(seen.branches, response.num_branches),
        iterations=response.num_lp_iterations,
        message=f"{status.name} {response.solution_info}".strip(),
    )
    if status == native.INFEASIBLE and task.most is None:
        claim = replace(claim, infeasible=True)
    elif status == native.INFEASIBLE:
        claim = replace(claim, termination=Termination.CUTOFF, bound=math.inf)
    return _without_proof(claim) if task.is_restricted else claim


def _claim_so_far(task: Task, seen: Seen, response: Any) -> Claim:
    """Claim what is known, with the solution of a response if there is one.

    The bound is left to :class:`Seen`: a response without a solution says 0 where nothing is known.
    """
    unit = task.whole.unit
    claim = Claim(
        Termination.UNKNOWN,
        bound=None if seen.bound is None or task.is_restricted else int(unit * seen.bound),
        nodes=seen.branches,
        solutions=seen.solutions,
    )
    if response is None:
        return claim
    objective = float(unit * task.inner_objective(response))
    return replace(claim, values=_values(task, response), objective=objective)


def _values(task: Task, response: Any) -> FloatArray:
    whole = solution_of(response)
    # Points with fractions are not judged later on.
    if task.is_restricted and not task.whole.is_feasible(whole):
        raise EngineError("CP-SAT gives a solution that breaks a row")
    return task.whole.values_of(whole)


def _without_proof(claim: Claim) -> Claim:
    """Take back what holds for steps of the continuous columns only."""
    if claim.termination not in {Termination.PROVEN, Termination.CUTOFF}:
        return claim
    return replace(
        claim,
        termination=Termination.ENGINE_LIMIT,
        infeasible=False,
        bound=None,
        message=f"{claim.message}; its continuous columns took steps only",
    )
