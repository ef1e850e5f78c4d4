"""The public face of the solvers: solve, compare, verify.

This is the only module of the solvers that asks ``evaluation``: whatever a method answers is
re-evaluated here by code that knows no solver, and a claim that does not hold never leaves as an
answer.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from leotrek_opt.errors import InputError
from leotrek_opt.evaluation.placement import Evaluation, evaluate
from leotrek_opt.models.base import NS_PER_MS
from leotrek_opt.models.canonical import digest
from leotrek_opt.models.placement import PlacementProblem, PlacementSolution, Violation
from leotrek_opt.solvers.arrays.placement import PlacementArrays, placement_arrays
from leotrek_opt.solvers.certificate import placement_bound
from leotrek_opt.solvers.method import Answer, Budget, ProgressCallback, Request, Tracker
from leotrek_opt.solvers.registry import Ability, Method, find_method, methods
from leotrek_opt.solvers.result import Incumbent, Result, StageReport
from leotrek_opt.solvers.status import Proof, Status
from leotrek_opt.topology.materialise import materialise
from leotrek_opt.topology.series import LinkSeries
from leotrek_opt.versions import installed_version

__all__ = ["Verification", "compare", "methods", "solve", "verify"]

_LOGGER = logging.getLogger("leotrek_opt")

DEFAULT_COMPARISON = (
    "exact",
    "lns",
    "greedy",
    "hyperdrive",
    "hyperdrive@published",
    "first-fit",
    "round-robin",
    "random",
)
"""What :func:`compare` runs when no solvers are named."""


@dataclass(frozen=True)
class _Prepared:
    """A problem with everything that several solves of it share."""

    problem: PlacementProblem
    digest: str
    series: LinkSeries
    arrays: PlacementArrays
    build_s: float


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


def solve(
    problem: PlacementProblem,
    solver: str = "auto",
    *,
    time_limit_s: float | None = None,
    gap: float = 0.0,
    seed: int = 0,
    threads: int = 1,
    warm_start: PlacementSolution | None = None,
    on_progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    verify: bool = True,
    options: Mapping[str, Any] | None = None,
) -> Result:
    """Solve a problem and verify the answer.

    Parameters
    ----------
    problem
        What to solve.
    solver
        Name of a method, see :func:`methods`. ``auto`` runs the exact method, and the heuristics
        when it ends without a solution.
    time_limit_s
        Seconds after which the best answer so far is returned, None for no limit.
    gap
        Relative gap at which a method may stop.
    seed
        Of everything random; the same seed with one thread gives the same answer.
    threads
        For engines that can use several.
    warm_start
        A solution to start from.
    on_progress
        Called with :class:`~leotrek_opt.solvers.method.Progress` events.
    cancel
        Set it to stop early; the best answer so far is returned.
    verify
        Re-evaluate the answer and re-derive its bound. Without it, nothing is ``certified``.
    options
        Options of the method.

    Returns
    -------
    Result
        Status, proof, objective, bound, solution.

    Raises
    ------
    leotrek_opt.errors.InputError
        If an argument is out of range or the method does not exist.
    leotrek_opt.errors.UnsupportedError
        If the method does not take the problem.
    """
    _check_arguments(time_limit_s, gap, seed, threads)
    _look_up(solver)
    ask = _Ask(
        Budget(time_limit_s, cancel), gap, seed, threads, warm_start, on_progress, options or {}
    )
    return _solve_prepared(_prepare(problem), solver, ask, verify)


def compare(
    problem: PlacementProblem,
    solvers: Sequence[str] | None = None,
    *,
    time_limit_s: float | None = None,
    gap: float = 0.0,
    seed: int = 0,
    threads: int = 1,
    on_progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    verify: bool = True,
    options: Mapping[str, Any] | None = None,
) -> list[Result]:
    """Solve one problem by several methods.

    Parameters
    ----------
    problem
        What to solve.
    solvers
        Names of methods; None for all that are worth comparing.
    time_limit_s
        For each method.
    gap, seed, threads, on_progress, cancel, verify, options
        As in :func:`solve`.

    Returns
    -------
    list of Result
        In the order of ``solvers``; those left after cancelling are missing.

    Raises
    ------
    leotrek_opt.errors.InputError
        If an argument is out of range or a method does not exist.
    """
    _check_arguments(time_limit_s, gap, seed, threads)
    names = list(DEFAULT_COMPARISON if solvers is None else solvers)
    for name in names:
        _look_up(name)
    prepared = _prepare(problem)
    results = []
    for name in names:
        if cancel is not None and cancel.is_set():
            break
        ask = _Ask(
            Budget(time_limit_s, cancel), gap, seed, threads, None, on_progress, options or {}
        )
        results.append(_solve_prepared(prepared, name, ask, verify))
    return results


def verify(problem: PlacementProblem, subject: Result | PlacementSolution) -> Verification:
    """Check a result or a bare solution against its problem, without any solver.

    Parameters
    ----------
    problem
        What was solved.
    subject
        What is to be believed.

    Returns
    -------
    Verification
        Recomputed objective and bound, and what is wrong.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the subject belongs to another problem.
    """
    prepared = _prepare(problem)
    if isinstance(subject, PlacementSolution):
        _check_same_problem(prepared.digest, subject.problem_digest)
        evaluation = evaluate(problem, subject, prepared.series)
        return Verification(
            ok=not evaluation.violations,
            violations=evaluation.violations,
            objective=_ms(evaluation.objective_ns),
            bound=None,
            proof=Proof.NONE,
            messages=(_say_violations(evaluation),),
        )
    _check_same_problem(prepared.digest, subject.problem_digest)
    return _verify_result(prepared, subject)


@dataclass(frozen=True)
class _Ask:
    budget: Budget
    gap: float
    seed: int
    threads: int
    warm_start: PlacementSolution | None
    on_progress: ProgressCallback | None
    options: Mapping[str, Any]


def _check_arguments(time_limit_s: float | None, gap: float, seed: int, threads: int) -> None:
    if time_limit_s is not None and not (math.isfinite(time_limit_s) and time_limit_s >= 0):
        raise InputError(f"must be a number >= 0, not {time_limit_s!r}", field="time_limit_s")
    if not (math.isfinite(gap) and 0 <= gap < 1):
        raise InputError(f"must be in [0, 1), not {gap!r}", field="gap")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31:
        raise InputError(f"must be an integer in [0, 2**31), not {seed!r}", field="seed")
    if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= 1024:
        raise InputError(f"must be an integer in [1, 1024], not {threads!r}", field="threads")


def _look_up(solver: str) -> list[tuple[Method, str]]:
    """Return the methods a name stands for: one, or for ``auto`` a chain of fall-backs."""
    names = ["exact", "lns"] if solver == "auto" else [solver]
    return [find_method(name, "placement") for name in names]


def _prepare(problem: PlacementProblem) -> _Prepared:
    started = time.monotonic()
    series = materialise(problem.continuum)
    arrays = placement_arrays(problem, series)
    return _Prepared(problem, digest(problem), series, arrays, time.monotonic() - started)


def _solve_prepared(prepared: _Prepared, solver: str, ask: _Ask, check: bool) -> Result:
    tracker = Tracker(ask.budget, ask.on_progress)
    started = time.monotonic()
    stages: list[StageReport] = []
    bounding: Answer | None = None
    for method, argument in _look_up(solver):
        tracker.method = f"{method.name}:{argument}" if argument else method.name
        answer = _run(prepared, method, argument, ask, tracker)
        if bounding is not None:
            answer = _with_bound_of(answer, bounding)
        bounding = answer
        stages += [
            StageReport(name=stage.name, seconds=stage.seconds, facts=dict(stage.facts))
            for stage in answer.stages
        ]
        if answer.status is not Status.NO_SOLUTION or ask.budget.cancelled:
            break
    result = Result(
        problem_digest=prepared.digest,
        problem_id=prepared.problem.id,
        status=answer.status,
        proof=Proof.NONE,
        requested_solver=solver,
        solver=answer.solver or method.name,
        explanation=answer.explanation,
        incumbents=tuple(
            Incumbent(seconds=seconds, objective=_ms(objective), bound=_ms(bound))
            for seconds, objective, bound in tracker.incumbents
        ),
        stages=tuple(stages),
        seed=ask.seed,
        threads=ask.threads,
        options=dict(ask.options),
        versions=_versions(),
        build_s=prepared.build_s,
        solve_s=time.monotonic() - started,
    )
    result = _judge(prepared, method, answer, result, check)
    _LOGGER.info("%s", result.summary())
    return result


def _run(prepared: _Prepared, method: Method, argument: str, ask: _Ask, tracker: Tracker) -> Answer:
    warm_start = None
    if ask.warm_start is not None:
        _check_same_problem(prepared.digest, ask.warm_start.problem_digest)
        warm_start = prepared.arrays.assignment(ask.warm_start)
    request = Request(
        budget=ask.budget,
        tracker=tracker,
        gap=ask.gap,
        seed=ask.seed,
        threads=ask.threads,
        warm_start=warm_start,
        options=ask.options,
        argument=argument,
    )
    return method.load()(prepared.arrays, request)


def _with_bound_of(answer: Answer, earlier: Answer) -> Answer:
    """Join the placement of a fall-back with the bound of the method that failed to find one."""
    return replace(
        answer,
        bound=earlier.bound,
        proof=earlier.proof,
        certificate=earlier.certificate,
        explanation=(*earlier.explanation, *answer.explanation),
    )


def _judge(
    prepared: _Prepared, method: Method, answer: Answer, result: Result, check: bool
) -> Result:
    """Fill in what the checker says of the answer; refute what it cannot confirm."""
    started = time.monotonic()
    result = _with_bound(result, answer.bound, answer.proof)
    if answer.certificate is not None:
        result = result.replace(certificate=answer.certificate)
    if answer.assignment is not None:
        solution = prepared.arrays.solution(answer.assignment).replace(
            problem_digest=prepared.digest
        )
        result = result.replace(solution=solution)
        evaluation = evaluate(prepared.problem, solution, prepared.series)
        result = _with_evaluation(result, evaluation, method)
    if check and result.certificate is not None and result.status is not Status.ERROR:
        is_carried, derived, sentence = _check_certificate(prepared, result)
        _LOGGER.info("%s: %s", result.solver, sentence)
        if is_carried:
            result = _with_derived_bound(result, derived).replace(proof=Proof.CERTIFIED)
    return result.replace(verify_s=time.monotonic() - started)


def _with_bound(result: Result, bound: int | None, proof: Proof) -> Result:
    if bound is None:
        return result.replace(proof=proof)
    return result.replace(bound_quanta=bound, bound=_ms(bound), proof=proof)


def _with_evaluation(result: Result, evaluation: Evaluation, method: Method) -> Result:
    objective = evaluation.objective_ns
    result = result.replace(
        objective_quanta=objective,
        objective=_ms(objective),
        breakdown=evaluation.breakdown,
        violations=evaluation.violations,
        is_verified=not evaluation.violations,
    )
    if evaluation.violations or objective is None:
        if result.status in (Status.OPTIMAL, Status.FEASIBLE):
            if Ability.IGNORES_LIMITS in method.abilities:
                return result.replace(status=Status.NO_SOLUTION)
            return _refuted(
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
        return _refuted(
            result,
            f"{method.name} claims a bound of {bound} ns above its own solution of {objective} ns",
        )
    if result.status is Status.OPTIMAL and bound < objective:
        return _refuted(
            result,
            f"{method.name} claims an optimum, but its bound is {bound} ns and its solution is "
            f"worth {objective} ns",
        )
    return result.replace(gap=(objective - bound) / objective if objective else 0.0)


def _refuted(result: Result, sentence: str) -> Result:
    _LOGGER.error("%s", sentence)
    return result.replace(
        status=Status.ERROR, proof=Proof.NONE, explanation=(*result.explanation, sentence)
    )


def _with_derived_bound(result: Result, derived: int | None) -> Result:
    """Take over a bound that the certificate carries beyond what the method claimed."""
    claimed, objective = result.bound_quanta, result.objective_quanta
    if derived is None or claimed is None or derived <= claimed or result.certificate is None:
        return result
    result = result.replace(
        bound_quanta=derived,
        bound=_ms(derived),
        certificate=result.certificate.replace(bound_ns=derived),
    )
    if objective is None:
        return result
    status = Status.OPTIMAL if derived == objective and result.is_verified else result.status
    return result.replace(
        gap=(objective - derived) / objective if objective else 0.0, status=status
    )


def _check_certificate(prepared: _Prepared, result: Result) -> tuple[bool, int | None, str]:
    """Return whether the certificate carries the result's claim, its bound, and a sentence."""
    if result.certificate is None:
        return False, None, "there is no certificate"
    verdict = placement_bound(prepared.arrays, result.certificate)
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
        return True, bound, f"the certificate carries the bound of {_ms(claimed)} ms"
    return (
        False,
        bound,
        f"the certificate carries a bound of {_ms(bound)} ms, the result claims {_ms(claimed)} ms",
    )


def _verify_result(prepared: _Prepared, result: Result) -> Verification:
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
                f"the objective is {_ms(objective)} ms, the result says {result.objective} ms"
            )
    elif result.status in (Status.OPTIMAL, Status.FEASIBLE):
        ok = False
        messages.append(f"the result is {result.status} but holds no solution")
    proof, bound = result.proof, None
    if result.certificate is not None:
        is_carried, bound, sentence = _check_certificate(prepared, result)
        messages.append(sentence)
        if proof is Proof.CERTIFIED and not is_carried:
            ok, proof = False, Proof.CLAIMED
    elif proof is Proof.CERTIFIED:
        ok, proof = False, Proof.CLAIMED
        messages.append("the result says certified but holds no certificate")
    if result.status is Status.OPTIMAL and result.bound_quanta != objective:
        ok = False
        messages.append("the result says optimal, but its bound does not meet the objective")
    return Verification(ok, violations, _ms(objective), _ms(bound), proof, tuple(messages))


def _say_violations(evaluation: Evaluation) -> str:
    count = len(evaluation.violations)
    if count == 0:
        return "the solution keeps every rule"
    return f"the solution breaks {count} rule(s), first: {evaluation.violations[0].message}"


def _check_same_problem(wanted: str, named: str) -> None:
    if named and named != wanted:
        raise InputError(
            f"belongs to the problem {named[:12]}..., not to {wanted[:12]}...",
            field="problem_digest",
        )


def _ms(quanta: int | None) -> float | None:
    return None if quanta is None else quanta / NS_PER_MS


def _versions() -> dict[str, str]:
    names = ("leotrek-opt", "highspy", "numpy", "scipy")
    found = {name: installed_version(name) for name in names}
    return {name: version for name, version in found.items() if version is not None}
