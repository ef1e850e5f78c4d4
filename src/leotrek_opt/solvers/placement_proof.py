"""From a method's claim about a placement problem to a certificate, or to a second opinion.

What is tried, in this order, until the bound is certified: a certificate without prices, which
costs nothing; the prices that the exact method finds; a branch certificate of the flow formulation.
Where none of them carries the claim, an engine of another family is asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from leotrek_opt.errors import EngineError, ModelTooLargeError, UnsupportedError
from leotrek_opt.models.certificate import LinearCertificate, PlacementCertificate
from leotrek_opt.solvers.arrays.placement.objective import is_feasible, objective_ns
from leotrek_opt.solvers.ask import Ask
from leotrek_opt.solvers.engines import engine_named
from leotrek_opt.solvers.exact.linear.prove import prove
from leotrek_opt.solvers.exact.placement.domains import IntArray
from leotrek_opt.solvers.exact.placement.method import solve_exact
from leotrek_opt.solvers.exact.placement.milp import solve_survivors
from leotrek_opt.solvers.formulations.placement import build
from leotrek_opt.solvers.judge import in_ms, refuted, with_certificate, with_solution
from leotrek_opt.solvers.method import Budget, Request, Tracker
from leotrek_opt.solvers.prepared import Prepared
from leotrek_opt.solvers.result import Result
from leotrek_opt.solvers.status import Proof, Status

MAX_PROOF_NODES = 2_000
"""Nodes of our own branch and bound, where no time limit ends it: the same on every machine."""
MAX_PROOF_NONZEROS = 100_000
SECOND_OPINION_S = 60.0
"""Seconds that another method or engine may take where no time limit is given."""
PROOF_SHARE = 0.5
"""Share of the time left that each attempt may take."""
SECOND_ENGINES = ("cpsat", "scip", "highs")
"""In the order in which they are asked, the first one of another family than the claim."""

Certificate = PlacementCertificate | LinearCertificate


class DisagreementError(Exception):
    """Something that was found contradicts the claim; the text shows both values."""


def with_stronger_proof(prepared: Prepared, result: Result, ask: Ask, budget: Budget) -> Result:
    """Bring the proof of a result to ``certified``, or else to ``confirmed``.

    Parameters
    ----------
    prepared
        The problem.
    result
        A checked result of any method; one without a bound is given the best that is certified.
    ask
        What was asked of the method.
    budget
        Time and cancellation.

    Returns
    -------
    Result
        An error with both values if anything found contradicts it.
    """
    if result.proof is Proof.CERTIFIED or result.status in (Status.ERROR, Status.UNBOUNDED):
        return result
    if result.status in (Status.NO_SOLUTION, Status.INTERRUPTED) and not result.is_verified:
        closed = _infeasible(prepared, result)
        if closed is not None:
            return closed
    best = result
    try:
        for certificate in _certificates(prepared, result, ask, budget):
            best = with_certificate(prepared, best, certificate) or best
            is_closed = best.status in (Status.OPTIMAL, Status.INFEASIBLE)
            if best.proof is Proof.CERTIFIED and (is_closed or result.bound_quanta is not None):
                return best
        if best.proof is Proof.CERTIFIED:
            return best
        return _confirmed(prepared, best, ask, budget)
    except DisagreementError as found:
        return refuted(result, str(found))


def _infeasible(prepared: Prepared, result: Result) -> Result | None:
    """Say that there is no placement, if that is why a method found none."""
    claim = PlacementCertificate(problem_digest=prepared.digest, bound_ns=None)
    nothing = result.replace(
        status=Status.INFEASIBLE,
        solution=None,
        breakdown=None,
        violations=(),
        objective=None,
        objective_quanta=None,
        bound=None,
        bound_quanta=None,
        gap=None,
    )
    return with_certificate(prepared, nothing, claim)


def _certificates(
    prepared: Prepared, result: Result, ask: Ask, budget: Budget
) -> Iterator[Certificate]:
    """Yield certificates that may carry the claim, each dearer than the one before."""
    infeasible = result.status is Status.INFEASIBLE
    objective = result.objective_quanta if result.is_verified else None
    claim = PlacementCertificate(
        problem_digest=prepared.digest,
        bound_ns=None if infeasible else (result.bound_quanta or 0),
        target_ns=None if infeasible else objective,
    )
    yield claim
    if not budget.spent:
        request = _request(ask, budget, _assignment(prepared, result))
        answer = solve_exact(prepared.arrays, request)
        _require_no_better(prepared, result, answer.assignment, "exact")
        if answer.certificate is not None:
            yield claim.replace(
                denominator=answer.certificate.denominator,
                multipliers=answer.certificate.multipliers,
            )
    if not budget.spent:
        yield from _branch_certificate(prepared, result, ask, budget)


def _branch_certificate(
    prepared: Prepared, result: Result, ask: Ask, budget: Budget
) -> Iterator[LinearCertificate]:
    try:
        model = build(prepared.arrays, None, max_nonzeros=MAX_PROOF_NONZEROS)
    except ModelTooLargeError:
        return
    assignment = _assignment(prepared, result)
    incumbent = None
    if assignment is not None and result.is_verified:
        incumbent = model.linear.objective_of(model.complete(assignment))
    remaining = budget.remaining_s
    attempt = prove(
        model.linear,
        incumbent=incumbent,
        time_limit_s=None if remaining is None else PROOF_SHARE * remaining,
        max_nodes=MAX_PROOF_NODES if remaining is None else None,
        seed=ask.seed,
        cancel=budget.cancel,
    )
    if attempt.values is not None:
        _require_no_better(prepared, result, model.decode(attempt.values), "branch and bound")
    if attempt.certificate is not None:
        yield attempt.certificate


def _confirmed(prepared: Prepared, result: Result, ask: Ask, budget: Budget) -> Result:
    """Ask an engine of another family; it gets what the claim says and nothing else."""
    if result.bound_quanta is None and result.status is not Status.INFEASIBLE:
        return result
    if budget.spent:
        return result
    name = next(name for name in SECOND_ENGINES if engine_named(name).family not in result.solver)
    request = _request(ask, budget, _assignment(prepared, result), engine=name)
    try:
        outcome = solve_survivors(prepared.arrays, request, None)
    except (EngineError, UnsupportedError):
        return result
    _require_no_better(prepared, result, outcome.assignment, name)
    if result.status is Status.INFEASIBLE:
        agrees = outcome.is_exhausted
    else:
        if outcome.is_exhausted and result.is_verified:
            raise DisagreementError(
                f"{name} says infeasible, yet {result.solver} has a solution worth "
                f"{result.objective} ms that keeps every rule"
            )
        bound, claimed, value = outcome.bound_ns, result.bound_quanta, result.objective_quanta
        if bound is not None and result.is_verified and value is not None and bound > value:
            raise DisagreementError(
                f"{name} says that {in_ms(bound)} ms is a bound, yet {result.solver} has a "
                f"solution worth {result.objective} ms that keeps every rule"
            )
        agrees = bound is not None and claimed is not None and bound >= claimed
    if not agrees:
        return result
    return result.replace(
        proof=Proof.CONFIRMED, explanation=(*result.explanation, f"milp:{name} agrees")
    )


def _require_no_better(
    prepared: Prepared, result: Result, assignment: IntArray | None, whose: str
) -> None:
    """Raise if a placement that keeps every rule refutes what the result claims."""
    if assignment is None or not is_feasible(prepared.arrays, assignment):
        return
    value = objective_ns(prepared.arrays, assignment)
    claimed = result.bound_quanta
    if value is None or (result.status is not Status.INFEASIBLE and value >= (claimed or 0)):
        return
    checked = with_solution(prepared, result, assignment)
    if not checked.is_verified:
        return
    claim = "infeasible" if claimed is None else f"a bound of {in_ms(claimed)} ms"
    raise DisagreementError(
        f"{result.solver} claims {claim}, yet {whose} has a solution worth "
        f"{checked.objective} ms that keeps every rule"
    )


def _assignment(prepared: Prepared, result: Result) -> IntArray | None:
    if result.solution is None or not result.is_verified:
        return None
    return prepared.arrays.assignment(result.solution)


def _request(ask: Ask, budget: Budget, start: IntArray | None, engine: str = "") -> Request:
    remaining = budget.remaining_s
    part = budget.part(SECOND_OPINION_S if remaining is None else PROOF_SHARE * remaining)
    return Request(
        budget=part,
        tracker=Tracker(part),
        seed=ask.seed,
        threads=ask.threads,
        warm_start=start,
        argument=engine,
    )
