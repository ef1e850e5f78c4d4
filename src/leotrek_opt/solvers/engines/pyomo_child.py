"""Any solver of Pyomo's in a child process: it can be ended, and its output is nobody's.

Pyomo starts executables that it does not stop, and redirects the standard streams of its whole
process around libraries that print. In a process of its own neither does any harm, and whatever a
solver does there, the caller has an answer in time. The price is half a second to start.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from leotrek_opt.errors import EngineError, LeotrekError
from leotrek_opt.solvers.engines.answers import Claim
from leotrek_opt.solvers.engines.protocol import Termination
from leotrek_opt.solvers.engines.pyomo_task import Task, claimed, default_values
from leotrek_opt.solvers.isolation import Ending, run_isolated

_RESERVE_S = 0.2
"""What a solver has less than the caller, for writing and reading its answer."""
_GRACE_S = 0.3
"""How long an answer that is due, or a child that was asked to stop, is waited for."""
_NEARLY = 0.9
"""Share of its time from which on a solver may have been stopped by the limit, whatever it says."""
_NO_SOLUTION = frozenset({"infeasible", "unbounded", "infeasibleOrUnbounded"})
"""Ends after which Pyomo may hand out a solution that is none."""


def run_in_child(task: Task, cancel: threading.Event | None, deadline: float | None) -> Claim:
    """Run a solver in a child process.

    Parameters
    ----------
    task
        What is asked.
    cancel
        Ends the child when it is set.
    deadline
        Moment on the clock of ``time.monotonic`` at which the answer is due, or None.

    Returns
    -------
    Claim
        What was found; nothing if the child had to be ended.

    Raises
    ------
    EngineError
        If the solver or the child fails.
    """
    left_s = None if deadline is None else max(0.0, deadline - time.monotonic())
    due = None if left_s is None else time.time() + left_s
    # The folder is the parent's, so that what a killed solver leaves behind goes, too.
    with tempfile.TemporaryDirectory(prefix="leotrek-", ignore_cleanup_errors=True) as folder:
        outcome = run_isolated(
            f"{__name__}:answer",
            (task, due, folder),
            cancel=cancel,
            time_limit_s=left_s,
            grace_s=_GRACE_S,
        )
    if outcome.ending is Ending.CRASHED:
        raise EngineError(f"pyomo:{task.solver}: {outcome.message}")
    if outcome.ending is Ending.KILLED:
        return Claim(Termination.CANCELLED, message=outcome.message)
    claim: Claim = outcome.value
    return claim


def answer(
    payload: tuple[Task, float | None, str],
    _post: Callable[[Any], None],
    _cancel: threading.Event,
) -> Claim:
    """Solve a task in the child; :func:`run_in_child` calls it there.

    Parameters
    ----------
    payload
        What is asked, when the answer is due, and a folder for files.

    Returns
    -------
    Claim
        What was found.

    Raises
    ------
    EngineError
        If the solver fails, in whatever way.
    """
    task, due, folder = payload
    sys.path[:] = [str(Path(path).absolute()) for path in sys.path]
    os.chdir(folder)
    tempfile.tempdir = folder
    try:
        return solved(task, due)
    except LeotrekError:
        raise
    except Exception as error:
        raise EngineError(f"pyomo:{task.solver}: {' '.join(str(error).split())}") from error


def solved(task: Task, due: float | None) -> Claim:
    """Solve a model through the interface that all solvers of Pyomo share.

    Standard streams may be written to and redirected meanwhile.

    Parameters
    ----------
    task
        What is asked.
    due
        Moment on the clock of ``time.time`` at which the answer is due, or None.

    Returns
    -------
    Claim
        What was found.

    Raises
    ------
    EngineError
        If the solver ends in a way that is a failure or unknown.
    """
    import pyomo.environ as pyo

    from leotrek_opt.solvers.engines.pyomo_model import row_model

    built = row_model(task.arrays)
    solver = pyo.SolverFactory(task.solver)
    for name, value in task.options.items():
        solver.options[name] = value
    keywords: dict[str, Any] = {}
    limit_s = None if due is None else due - time.time() - _RESERVE_S
    if limit_s is not None:
        limit_s = int(limit_s) if task.whole_seconds else limit_s
        if limit_s <= 0:
            return Claim(Termination.TIME_LIMIT, message="no time left to start")
        if task.time_option is None:
            keywords["timelimit"] = limit_s
        else:
            solver.options[task.time_option] = limit_s
    began = time.monotonic()
    results = solver.solve(built.model, load_solutions=False, **keywords)
    is_late = limit_s is not None and time.monotonic() - began >= _NEARLY * limit_s

    condition = str(results.solver.termination_condition.value)
    values = None
    if len(results.solution) and condition not in _NO_SOLUTION:
        built.model.solutions.load_from(results)
        values = default_values(task.arrays)
        for column, variable in enumerate(built.columns):
            if variable.value is not None:
                values[column] = variable.value
    claim = claimed(
        task,
        condition,
        values=values,
        objective=_number(results.problem.upper_bound),
        bound=_number(results.problem.lower_bound),
        message=condition,
    )
    if claim.termination is not Termination.PROVEN or claim.values is not None:
        is_timed = is_late and claim.termination is Termination.UNKNOWN
        return replace(claim, termination=Termination.TIME_LIMIT) if is_timed else claim
    return believed(
        claim, is_late=is_late, stopped="Stopped on" in str(getattr(solver, "_log", ""))
    )


def believed(claim: Claim, *, is_late: bool, stopped: bool) -> Claim:
    """Drop a claim of infeasibility by a solver that a limit stopped before it found a solution.

    Pyomo's readers of CBC and GLPK call that infeasible.

    Parameters
    ----------
    claim
        Of infeasibility or unboundedness.
    is_late
        Whether the time was nearly over.
    stopped
        Whether the solver's log speaks of another limit.

    Returns
    -------
    Claim
        Without what may be wrong.
    """
    if not is_late and not stopped:
        return claim
    termination = Termination.TIME_LIMIT if is_late else Termination.ENGINE_LIMIT
    return replace(claim, termination=termination, infeasible=False, unbounded=False)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
