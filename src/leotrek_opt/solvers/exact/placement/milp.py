"""Placement by the flow formulation: on the survivors of pruning, or on every allowed node."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leotrek_opt.errors import InputError
from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.arrays.placement.objective import is_feasible, objective_ns
from leotrek_opt.solvers.engines import engine_named
from leotrek_opt.solvers.engines.protocol import (
    EngineEvent,
    EngineResult,
    Feature,
    Limits,
    Termination,
)
from leotrek_opt.solvers.exact.placement.domains import IntArray
from leotrek_opt.solvers.exact.placement.propagation import propagate
from leotrek_opt.solvers.formulations.placement import PlacementModel, build
from leotrek_opt.solvers.method import Answer, Request, Stage
from leotrek_opt.solvers.status import Proof, Status
from leotrek_opt.topology.routing import FloatArray

DEFAULT_ENGINE = "highs"
MAX_NONZEROS = 20_000_000
"""Default of the option ``max_nonzeros``: about 2 GiB in HiGHS."""

SHARED_CAPACITY = (
    "each workflow has a placement of its own, but none lets all of them share the capacities"
)


@dataclass(frozen=True, eq=False)
class MilpOutcome:
    """What a MILP says of a placement problem.

    Parameters
    ----------
    assignment
        Best feasible placement found, or None.
    objective_ns
        Its exact objective.
    bound_ns
        Valid lower bound, or None.
    is_exhausted
        The engine claims that nothing (better than the cutoff) exists.
    n_nonzeros
        Size of the model.
    engine
        Name.
    termination
        Why the engine stopped.
    """

    assignment: IntArray | None
    objective_ns: int | None
    bound_ns: int | None
    is_exhausted: bool
    n_nonzeros: int
    engine: str
    termination: Termination


def solve_survivors(
    arrays: PlacementArrays,
    request: Request,
    candidates: Sequence[IntArray] | None,
    best_ns: int | None = None,
) -> MilpOutcome:
    """Solve the flow formulation on some candidates.

    Parameters
    ----------
    arrays
        The problem.
    request
        Limits, threads, seed, callbacks; options ``max_nonzeros`` and ``engine``; the engine's name
        as argument, HiGHS if that is empty.
    candidates
        Nodes by function, or None for all allowed.
    best_ns
        Objective of the best known placement; only better ones are wanted.

    Returns
    -------
    MilpOutcome
        Its bound holds for all placements better than ``best_ns``.

    Raises
    ------
    leotrek_opt.errors.ModelTooLargeError
        If the model would exceed ``max_nonzeros``.
    """
    max_nonzeros, engine_options = checked_options(request.options)
    model = build(
        arrays, None if candidates is None else list(candidates), max_nonzeros=max_nonzeros
    )
    engine = engine_named(request.argument or DEFAULT_ENGINE)
    start = None
    if request.warm_start is not None and best_ns is None:
        start = _start(arrays, model, request.warm_start)
    # A coarser unit rounds objectives down, so a cutoff in ns would cut off too much. An engine
    # that takes no cutoff looks at all placements; its bound is none the worse for that.
    takes_cutoff = model.unit_ns == 1 and Feature.CUTOFF in engine.features
    cutoff = float(best_ns) if best_ns is not None and takes_cutoff else None

    def on_event(event: EngineEvent) -> None:
        bound = None if event.bound is None else _capped(model.bound_ns(event.bound), best_ns)
        assignment = None if event.values is None else model.decode(event.values)
        if assignment is not None and not is_feasible(arrays, assignment):
            assignment = None
        request.tracker.report(
            objective=None if assignment is None else objective_ns(arrays, assignment),
            bound=bound,
            nodes=event.nodes,
            assignment=assignment,
        )

    result = engine.solve(
        model.linear,
        Limits(
            time_limit_s=request.budget.remaining_s,
            relative_gap=request.gap,
            absolute_gap=(request.absolute_gap_ns // model.unit_ns) or None,
            threads=request.threads,
            seed=request.seed,
            cutoff=cutoff,
        ),
        warm_start=start if Feature.WARM_START in engine.features else None,
        on_event=on_event,
        cancel=request.budget.cancel,
        options=engine_options,
    )
    return _outcome(arrays, model, result, best_ns, engine.name)


def _outcome(
    arrays: PlacementArrays,
    model: PlacementModel,
    result: EngineResult,
    best_ns: int | None,
    engine: str,
) -> MilpOutcome:
    assignment, value = None, None
    if result.values is not None:
        found = model.decode(result.values)
        if is_feasible(arrays, found):
            assignment, value = found, objective_ns(arrays, found)
    exhausted = result.status is Status.INFEASIBLE or result.termination is Termination.CUTOFF
    bound = None if result.bound is None else model.bound_ns(result.bound)
    return MilpOutcome(
        assignment,
        value,
        best_ns if exhausted else _capped(bound, best_ns),
        exhausted,
        model.n_nonzeros,
        engine,
        result.termination,
    )


def _capped(bound: int | None, best_ns: int | None) -> int | None:
    """Limit a bound that only holds for placements better than the best one."""
    return bound if bound is None or best_ns is None else min(bound, best_ns)


def _start(
    arrays: PlacementArrays, model: PlacementModel, assignment: IntArray
) -> FloatArray | None:
    if (assignment < 0).any() or not is_feasible(arrays, assignment):
        return None
    return model.complete(assignment)


def checked_options(options: Mapping[str, Any]) -> tuple[int, dict[str, object]]:
    """Check the options of the methods that run the flow formulation.

    Parameters
    ----------
    options
        ``max_nonzeros`` and ``engine``, or neither.

    Returns
    -------
    int, dict
        Largest model, and options of the engine.

    Raises
    ------
    leotrek_opt.errors.InputError
        If an option is unknown or has a bad value.
    """
    known = {"max_nonzeros", "engine"}
    for name in options:
        if name not in known:
            raise InputError(
                f"unknown option; allowed: {', '.join(sorted(known))}", field=f"options.{name}"
            )
    limit = options.get("max_nonzeros", MAX_NONZEROS)
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise InputError(f"must be an integer >= 1, not {limit!r}", field="options.max_nonzeros")
    engine = options.get("engine", {})
    if not isinstance(engine, Mapping):
        raise InputError("must map the engine's option names to values", field="options.engine")
    return limit, dict(engine)


def solve_milp(arrays: PlacementArrays, request: Request) -> Answer:
    """Solve the flow formulation over every allowed node.

    Parameters
    ----------
    arrays
        The problem.
    request
        Limits, threads, seed, callbacks; options ``max_nonzeros`` and ``engine``.

    Returns
    -------
    Answer
        Optimal only if the exact objective of the placement meets the engine's bound.

    Raises
    ------
    leotrek_opt.errors.ModelTooLargeError
        If the model would exceed ``max_nonzeros``.
    """
    started = time.monotonic()
    if not arrays.allowed.any(axis=1).all():
        return Answer(
            Status.INFEASIBLE,
            proof=Proof.CLAIMED,
            explanation=propagate(arrays).explanation,
            solver="milp",
        )
    outcome = solve_survivors(arrays, request, None)
    stage = Stage(
        "milp",
        time.monotonic() - started,
        {"nonzeros": outcome.n_nonzeros, "termination": outcome.termination.value},
    )
    solver = f"milp:{outcome.engine}"
    if outcome.is_exhausted:
        explanation = propagate(arrays).explanation or (SHARED_CAPACITY,)
        return Answer(
            Status.INFEASIBLE,
            proof=Proof.CLAIMED,
            explanation=explanation,
            stages=(stage,),
            solver=solver,
        )
    bound = outcome.bound_ns
    if outcome.objective_ns is not None and bound is not None:
        bound = min(bound, outcome.objective_ns)
    return Answer(
        _status(outcome, bound, request),
        assignment=outcome.assignment,
        bound=bound,
        proof=Proof.NONE if bound is None else Proof.CLAIMED,
        stages=(stage,),
        solver=solver,
    )


def _status(outcome: MilpOutcome, bound: int | None, request: Request) -> Status:
    if outcome.objective_ns is not None and bound == outcome.objective_ns:
        return Status.OPTIMAL
    if request.budget.cancelled:
        return Status.INTERRUPTED
    return Status.NO_SOLUTION if outcome.assignment is None else Status.FEASIBLE
