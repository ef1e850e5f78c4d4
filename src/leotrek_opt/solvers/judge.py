"""What the checker says: of an answer just given, and of a result that somebody brings.

This and :mod:`.api` are the only modules of the solvers that ask ``evaluation``. A claim that does
not hold never leaves as an answer: it becomes an error with both values.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.evaluation.placement import Evaluation, evaluate
from leotrek_opt.models.base import NS_PER_MS
from leotrek_opt.models.certificate import LinearCertificate, PlacementCertificate
from leotrek_opt.models.placement import PlacementSolution, Violation
from leotrek_opt.solvers.certificate import placement_bound
from leotrek_opt.solvers.certificate.formulation import formulation_bound
from leotrek_opt.solvers.method import Answer
from leotrek_opt.solvers.prepared import Prepared
from leotrek_opt.solvers.registry import Ability, Method
from leotrek_opt.solvers.result import Result
from leotrek_opt.solvers.status import Proof, Status

_LOGGER = logging.getLogger("leotrek_opt")


@dataclass(frozen=True)
class Verification:
    """What :func:`verify` found.

    Parameters
    ----------
    ok
        The solution keeps every rule and nothing that the result claims is refuted.
    violations
        Rules that the solution breaks.
    objective
        Recomputed, in the unit of the result; None without a complete solution.
    bound
        The bound that could be re-derived without a solver, None if there is no certificate.
    proof
        ``certified`` if the re-derived bound carries the claim, else ``claimed`` or ``none``.
    messages
        One sentence for each thing that was checked.
    """

    ok: bool
    violations: tuple[Violation, ...]
    objective: float | None
    bound: float | None
    proof: Proof
    messages: tuple[str, ...]


def judge(
    prepared: Prepared, method: Method, answer: Answer, result: Result, *, check: bool
) -> Result:
    """Fill in what the checker says of an answer; refute what it cannot confirm.

    Parameters
    ----------
    prepared
        The problem.
    method
        What gave the answer.
    answer
        Its claims.
    result
        Everything else that is known.
    check
        Whether a certificate is checked.

    Returns
    -------
    Result
        With objective, bound, violations and proof.
    """
    started = time.monotonic()
    result = _with_bound(result, answer.bound, answer.proof)
    if answer.certificate is not None:
        result = result.replace(certificate=answer.certificate)
    if answer.assignment is not None:
        result, evaluation = _evaluated(prepared, result, answer.assignment)
        result = _with_evaluation(result, evaluation, method)
    if check and result.certificate is not None and result.status is not Status.ERROR:
        is_carried, derived, sentence = check_certificate(prepared, result)
        _LOGGER.info("%s: %s", result.solver, sentence)
        if is_carried:
            result = _certified(result, derived)
    return result.replace(verify_s=time.monotonic() - started)


def with_solution(prepared: Prepared, result: Result, assignment: NDArray[np.int64]) -> Result:
    """Return a result with another solution and what the checker says of it.

    Parameters
    ----------
    prepared
        The problem.
    result
        Whose status and bound are left alone.
    assignment
        Node by function, shape (F,).

    Returns
    -------
    Result
        With solution, objective, breakdown and violations.
    """
    return _evaluated(prepared, result, assignment)[0]


def with_certificate(
    prepared: Prepared, result: Result, certificate: PlacementCertificate | LinearCertificate
) -> Result | None:
    """Put a certificate beside a result if it carries the claim, or gives a bound to one without.

    Parameters
    ----------
    prepared
        The problem.
    result
        A checked result.
    certificate
        What may carry its bound.

    Returns
    -------
    Result or None
        Certified, with the better of the two bounds; None if the certificate falls short.
    """
    candidate = result.replace(certificate=certificate)
    is_carried, derived, sentence = check_certificate(prepared, candidate)
    _LOGGER.info("%s: %s", result.solver, sentence)
    if result.bound_quanta is None and result.status is not Status.INFEASIBLE:
        if derived is None:
            return None
        candidate, is_carried = _with_bound(candidate, 0, Proof.NONE), True
    if not is_carried:
        return None
    return _certified(candidate, derived)


def _evaluated(
    prepared: Prepared, result: Result, assignment: NDArray[np.int64]
) -> tuple[Result, Evaluation]:
    solution = prepared.arrays.solution(assignment).replace(problem_digest=prepared.digest)
    evaluation = evaluate(prepared.problem, solution, prepared.series)
    objective = evaluation.objective_ns
    found = result.replace(
        solution=solution,
        objective_quanta=objective,
        objective=in_ms(objective),
        breakdown=evaluation.breakdown,
        violations=evaluation.violations,
        is_verified=not evaluation.violations and objective is not None,
    )
    return found, evaluation


def _with_bound(result: Result, bound: int | None, proof: Proof) -> Result:
    if bound is None:
        return result.replace(proof=proof)
    return result.replace(bound_quanta=bound, bound=in_ms(bound), proof=proof)


def _with_evaluation(result: Result, evaluation: Evaluation, method: Method) -> Result:
    objective = evaluation.objective_ns
    if evaluation.violations or objective is None:
        if result.status in (Status.OPTIMAL, Status.FEASIBLE):
            if Ability.IGNORES_LIMITS in method.abilities:
                return result.replace(status=Status.NO_SOLUTION)
            return refuted(
                result,
                f"{method.name} calls its placement {result.status}, but "
                + _say_violations(evaluation),
            )
        return result
    if result.status is Status.NO_SOLUTION:
        result = result.replace(status=Status.FEASIBLE)
    bound = result.bound_quanta
    if bound is None:
        return result
    if bound > objective:
        return refuted(
            result,
            f"{method.name} claims a bound of {bound} ns above its own solution of {objective} ns",
        )
    if result.status is Status.OPTIMAL and bound < objective:
        return refuted(
            result,
            f"{method.name} claims an optimum, but its bound is {bound} ns and its solution is "
            f"worth {objective} ns",
        )
    return result.replace(gap=(objective - bound) / objective if objective else 0.0)


def refuted(result: Result, sentence: str) -> Result:
    """Turn a result into an error.

    Parameters
    ----------
    result
        What was claimed.
    sentence
        What refutes it, with both values.

    Returns
    -------
    Result
        The same values, as an error and without proof.
    """
    _LOGGER.error("%s", sentence)
    return result.replace(
        status=Status.ERROR, proof=Proof.NONE, explanation=(*result.explanation, sentence)
    )


def _certified(result: Result, derived: int | None) -> Result:
    """Call a result certified, with the bound that its certificate carries if that is better."""
    claimed, objective = result.bound_quanta, result.objective_quanta
    certificate = result.certificate
    if derived is not None and claimed is not None and derived > claimed:
        if result.is_verified and objective is not None and derived > objective:
            return refuted(
                result,
                f"the certificate carries a bound of {in_ms(derived)} ms, yet a solution worth "
                f"{in_ms(objective)} ms keeps every rule",
            )
        if isinstance(certificate, PlacementCertificate):
            certificate = certificate.replace(bound_ns=derived)
        result = result.replace(bound_quanta=derived, bound=in_ms(derived), certificate=certificate)
        # A bound says nothing about a placement that breaks rules.
        if result.is_verified and objective is not None:
            result = result.replace(
                gap=(objective - derived) / objective if objective else 0.0,
                status=Status.OPTIMAL if derived == objective else result.status,
            )
    return result.replace(proof=Proof.CERTIFIED)


def check_certificate(prepared: Prepared, result: Result) -> tuple[bool, int | None, str]:
    """Derive the bound of a result's certificate without a solver.

    Parameters
    ----------
    prepared
        The problem.
    result
        With or without a certificate.

    Returns
    -------
    is_carried, bound, sentence
        Whether the certificate carries the claim, the bound that follows from it in quanta, and the
        same for people.
    """
    if result.certificate is None:
        return False, None, "there is no certificate"
    if isinstance(result.certificate, PlacementCertificate):
        verdict = placement_bound(prepared.arrays, result.certificate)
    else:
        verdict = formulation_bound(prepared.arrays, result.certificate)
    if result.status is Status.INFEASIBLE:
        if verdict.infeasible:
            return True, None, "the certificate proves that no solution exists"
        return False, verdict.bound_ns, "the certificate does not prove infeasibility"
    if verdict.infeasible:
        return False, None, "the certificate proves infeasibility, the result says otherwise"
    bound, claimed = verdict.bound_ns, result.bound_quanta
    if bound is None or claimed is None:
        return False, bound, "the certificate gives no bound"
    if bound >= claimed:
        return True, bound, f"the certificate carries the bound of {in_ms(claimed)} ms"
    return (
        False,
        bound,
        f"the certificate carries a bound of {in_ms(bound)} ms, "
        f"the result claims {in_ms(claimed)} ms",
    )


def verify_solution(prepared: Prepared, solution: PlacementSolution) -> Verification:
    """Check a bare solution.

    Parameters
    ----------
    prepared
        The problem.
    solution
        What is to be believed.

    Returns
    -------
    Verification
        Recomputed objective, and what is wrong.
    """
    evaluation = evaluate(prepared.problem, solution, prepared.series)
    return Verification(
        ok=not evaluation.violations,
        violations=evaluation.violations,
        objective=in_ms(evaluation.objective_ns),
        bound=None,
        proof=Proof.NONE,
        messages=(_say_violations(evaluation),),
    )


def verify_result(prepared: Prepared, result: Result) -> Verification:
    """Check a result: its solution, its bound, and whether one proves the other.

    Parameters
    ----------
    prepared
        The problem.
    result
        What is to be believed.

    Returns
    -------
    Verification
        Recomputed objective and bound, and what is wrong.
    """
    messages = []
    violations: tuple[Violation, ...] = ()
    objective = None
    ok = result.status is not Status.ERROR
    if result.solution is not None:
        evaluation = evaluate(prepared.problem, result.solution, prepared.series)
        violations, objective = evaluation.violations, evaluation.objective_ns
        messages.append(_say_violations(evaluation))
        ok &= not violations
        if objective != result.objective_quanta:
            ok = False
            messages.append(
                f"the objective is {in_ms(objective)} ms, the result says {result.objective} ms"
            )
    elif result.status in (Status.OPTIMAL, Status.FEASIBLE):
        ok = False
        messages.append(f"the result is {result.status} but holds no solution")
    proof, bound = result.proof, None
    if result.certificate is not None:
        is_carried, bound, sentence = check_certificate(prepared, result)
        messages.append(sentence)
        ok &= is_carried or proof is not Proof.CERTIFIED
        if is_carried:
            proof = Proof.CERTIFIED
        elif proof is not Proof.NONE:
            proof = Proof.CLAIMED
    elif proof is Proof.CERTIFIED:
        ok, proof = False, Proof.CLAIMED
        messages.append("the result says certified but holds no certificate")
    elif proof is Proof.CONFIRMED:
        proof = Proof.CLAIMED
        messages.append("that two engines agree can only be seen by asking them again")
    wrong = _contradictions(result, None if violations else objective)
    messages += wrong
    ok &= not wrong
    return Verification(ok, violations, in_ms(objective), in_ms(bound), proof, tuple(messages))


def _contradictions(result: Result, objective: int | None) -> list[str]:
    """Say what the parts of a result have against each other, given what its solution is worth."""
    wrong = []
    for name, value, quanta in (
        ("objective", result.objective, result.objective_quanta),
        ("bound", result.bound, result.bound_quanta),
    ):
        if value != in_ms(quanta):
            wrong.append(f"the {name} is {value} ms, or {quanta} ns: which?")
    bound = result.bound_quanta
    if result.status is Status.INFEASIBLE and objective is not None:
        wrong.append("the result says infeasible, but its solution keeps every rule")
    if result.status is Status.OPTIMAL and (objective is None or bound != objective):
        wrong.append("the result says optimal, but its bound does not meet the objective")
    if objective is not None and bound is not None and bound > objective:
        wrong.append(f"the bound of {in_ms(bound)} ms is refuted by the result's own solution")
    return wrong


def _say_violations(evaluation: Evaluation) -> str:
    count = len(evaluation.violations)
    if count == 0:
        return "the solution keeps every rule"
    return f"the solution breaks {count} rule(s), first: {evaluation.violations[0].message}"


def require_same_problem(wanted: str, named: str) -> None:
    """Refuse what belongs to another problem.

    Parameters
    ----------
    wanted
        Digest of the problem.
    named
        Digest that a document names, empty if none.

    Raises
    ------
    leotrek_opt.errors.InputError
        If they differ.
    """
    if named and named != wanted:
        raise InputError(
            f"belongs to the problem {named[:12]}..., not to {wanted[:12]}...",
            field="problem_digest",
        )


def in_ms(quanta: int | None) -> float | None:
    """Return ns as ms, None for None."""
    return None if quanta is None else quanta / NS_PER_MS
