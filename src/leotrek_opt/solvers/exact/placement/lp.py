"""The linear relaxation of the flow formulation: a certified bound, and no placement."""

from __future__ import annotations

import time

from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.certificate.branch import linear_bound
from leotrek_opt.solvers.engines import engine_named
from leotrek_opt.solvers.engines.protocol import Limits
from leotrek_opt.solvers.exact.linear.relaxation import dual_certificate
from leotrek_opt.solvers.exact.placement.milp import DEFAULT_ENGINE, checked_options
from leotrek_opt.solvers.exact.placement.propagation import propagate
from leotrek_opt.solvers.formulations.placement import build
from leotrek_opt.solvers.method import Answer, Request, Stage
from leotrek_opt.solvers.status import Proof, Status


def solve_lp(arrays: PlacementArrays, request: Request) -> Answer:
    """Bound a placement problem by the linear relaxation of its flow formulation.

    Parameters
    ----------
    arrays
        The problem.
    request
        Limits, seed; options ``max_nonzeros`` and ``engine``; as argument ``highs`` or ``pdlp``.

    Returns
    -------
    Answer
        Without a placement. The bound is derived from the engine's duals in exact arithmetic, so
        that it holds however roughly the engine has solved.

    Raises
    ------
    leotrek_opt.errors.ModelTooLargeError
        If the model would exceed ``max_nonzeros``.
    """
    started = time.monotonic()
    explanation = propagate(arrays).explanation
    if explanation:
        return Answer(Status.INFEASIBLE, proof=Proof.CLAIMED, explanation=explanation, solver="lp")
    max_nonzeros, engine_options = checked_options(request.options)
    model = build(arrays, None, max_nonzeros=max_nonzeros)
    engine = engine_named(request.argument or DEFAULT_ENGINE)
    relaxed = engine.solve(
        model.linear.relaxed(),
        Limits(time_limit_s=request.budget.remaining_s, seed=request.seed),
        cancel=request.budget.cancel,
        options=engine_options,
    )
    certificate, bound = None, None
    if relaxed.row_dual is not None:
        linear = model.linear.arrays()
        certificate = dual_certificate(linear, relaxed.row_dual)
        if certificate is not None:
            derived = linear_bound(linear, certificate).bound
            # Every value of the model is a whole number of units.
            bound = None if derived is None else model.bound_ns(-int(-derived // 1))
    status = Status.NO_SOLUTION
    if relaxed.status is Status.INFEASIBLE:
        status = Status.INFEASIBLE
    elif request.budget.cancelled:
        status = Status.INTERRUPTED
    request.tracker.report(bound=bound, message="linear relaxation")
    has_claim = bound is not None or status is Status.INFEASIBLE
    return Answer(
        status,
        bound=bound,
        proof=Proof.CLAIMED if has_claim else Proof.NONE,
        certificate=certificate,
        stages=(
            Stage(
                "linear relaxation",
                time.monotonic() - started,
                {"nonzeros": model.n_nonzeros, "termination": relaxed.termination.value},
            ),
        ),
        solver=f"lp:{engine.name}",
    )
