"""The public face of the solvers: solve, compare, verify.

Whatever a method answers is re-evaluated by code that knows no solver (:mod:`.judge`), and a claim
that does not hold never leaves as an answer.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from leotrek_opt.models.placement import PlacementProblem, PlacementSolution
from leotrek_opt.solvers.ask import Ask
from leotrek_opt.solvers.judge import (
    Verification,
    require_same_problem,
    verify_result,
    verify_solution,
)
from leotrek_opt.solvers.method import ProgressCallback
from leotrek_opt.solvers.prepared import prepare
from leotrek_opt.solvers.registry import methods
from leotrek_opt.solvers.result import Result
from leotrek_opt.solvers.run import methods_for, run

__all__ = ["Verification", "compare", "methods", "solve", "verify"]

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


def solve(
    problem: PlacementProblem,
    solver: str = "auto",
    *,
    time_limit_s: float | None = None,
    gap: float = 0.0,
    absolute_gap: float = 0.0,
    seed: int = 0,
    threads: int = 1,
    memory_limit_mib: int | None = None,
    warm_start: PlacementSolution | None = None,
    on_progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    verify: bool = True,
    certify: bool = False,
    isolate: bool = False,
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
    absolute_gap
        Difference of objective and bound at which it may stop, in ms.
    seed
        Of everything random; the same seed with one thread gives the same answer.
    threads
        For engines that can use several.
    memory_limit_mib
        Memory that the solve may take; it then runs in a process of its own.
    warm_start
        A solution to start from.
    on_progress
        Called with :class:`~leotrek_opt.solvers.method.Progress` events.
    cancel
        Set it to stop early; the best answer so far is returned.
    verify
        Re-evaluate the answer and re-derive its bound. Without it, nothing is ``certified``.
    certify
        Bring the proof to ``certified`` where that can be done, else to ``confirmed`` by an engine
        of another family. If the second opinion differs, the result is an error that shows both.
    isolate
        Solve in a process of its own, so that a crash or a hang of a native library becomes a
        result, with the best answer so far.
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
    ask = Ask(
        solver=solver,
        time_limit_s=time_limit_s,
        gap=gap,
        absolute_gap=absolute_gap,
        seed=seed,
        threads=threads,
        warm_start=warm_start,
        verify=verify,
        certify=certify,
        memory_limit_mib=memory_limit_mib,
        options=options or {},
    )
    methods_for(solver)
    if isolate or memory_limit_mib is not None:
        from leotrek_opt.solvers.isolated_solve import solve_isolated

        return solve_isolated(problem, ask, on_progress=on_progress, cancel=cancel)
    return run(prepare(problem), ask, on_progress=on_progress, cancel=cancel)


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
    certify: bool = False,
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
    gap, seed, threads, on_progress, cancel, verify, certify, options
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
    asks = [
        Ask(
            solver=name,
            time_limit_s=time_limit_s,
            gap=gap,
            seed=seed,
            threads=threads,
            verify=verify,
            certify=certify,
            options=options or {},
        )
        for name in (DEFAULT_COMPARISON if solvers is None else solvers)
    ]
    for ask in asks:
        methods_for(ask.solver)
    prepared = prepare(problem)
    results: list[Result] = []
    for ask in asks:
        if cancel is not None and cancel.is_set():
            break
        results.append(run(prepared, ask, on_progress=on_progress, cancel=cancel))
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
    prepared = prepare(problem)
    require_same_problem(prepared.digest, subject.problem_digest)
    if isinstance(subject, PlacementSolution):
        return verify_solution(prepared, subject)
    return verify_result(prepared, subject)
