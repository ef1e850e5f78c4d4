"""One search of CP-SAT: callbacks that cannot hurt it, and a watcher that can stop it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model_helper as native

from leotrek_opt.errors import EngineError
from leotrek_opt.solvers.engines.native_call import SIGN_OF_LIFE_S


class Listener(Protocol):
    """What is told while CP-SAT searches, on its threads, one call at a time.

    A method that returns True ends the search.
    """

    def on_solution(self, response: Any, branches: int) -> bool:
        """Take a better solution: CP-SAT's response so far, which stays valid."""
        ...

    def on_bound(self, bound: float) -> bool:
        """Take a better bound on the objective as it was handed over."""
        ...

    def on_sign_of_life(self) -> None:
        """Note that the search still runs."""
        ...


class Outcome(NamedTuple):
    """How a search ended.

    Attributes
    ----------
    response
        CP-SAT's answer, a ``CpSolverResponse``.
    was_stopped
        Whether somebody had asked it to stop.
    """

    response: Any
    was_stopped: bool


def search(
    proto: native.CpModelProto,
    parameters: native.SatParameters,
    stop: threading.Event,
    listener: Listener | None = None,
) -> Outcome:
    """Let CP-SAT search until it is done or stopped.

    Parameters
    ----------
    proto
        The model.
    parameters
        Parameters of the search.
    stop
        Set it to stop, also during presolve. It is set when the search is over.
    listener
        What is told meanwhile.

    Returns
    -------
    Outcome
        CP-SAT's answer.

    Raises
    ------
    EngineError
        If CP-SAT refuses the model or the parameters.
    """
    # A wrapper is for one search: CP-SAT 9.15 ends the process if a second one uses it.
    wrapper: Any = native.SolveWrapper()
    wrapper.set_parameters(parameters)
    failures: list[BaseException] = []

    def guarded(tell: Callable[[], bool]) -> None:
        """Tell the listener; an exception must not travel through native frames."""
        try:
            is_enough = tell()
        except BaseException as error:
            failures.append(error)
            is_enough = True
        if is_enough:
            wrapper.stop_search()

    relay = None
    if listener is not None:
        relay = _Relay(listener, guarded)
        wrapper.add_solution_callback(relay)
        wrapper.add_best_bound_callback(
            lambda bound: guarded(lambda: listener.on_bound(bound)),
        )

    def watch() -> None:
        while not stop.wait(SIGN_OF_LIFE_S):
            if listener is not None:
                listener.on_sign_of_life()
        wrapper.stop_search()

    watcher = threading.Thread(target=watch, name="leotrek-engine-watcher", daemon=True)
    watcher.start()
    try:
        response = wrapper.solve(proto)
        was_stopped = stop.is_set()
    finally:
        stop.set()
        watcher.join()
        if relay is not None:
            wrapper.clear_solution_callback(relay)
    if failures:
        raise failures[0]
    if response.status == native.MODEL_INVALID:
        reason = " ".join(str(response.solution_info).split())
        raise EngineError(f"CP-SAT does not take the model: {reason}")
    return Outcome(response, was_stopped)


def solution_of(response: Any) -> NDArray[np.int64]:
    """Read the solution of a response.

    Parameters
    ----------
    response
        CP-SAT's answer.

    Returns
    -------
    numpy.ndarray
        One integer for each variable, empty without a solution.
    """
    solution = response.solution
    size = len(solution)
    return np.fromiter(map(solution.__getitem__, range(size)), dtype=np.int64, count=size)


class _Relay(native.SolutionCallback):
    """Passes solutions on; CP-SAT calls it by name."""

    def __init__(self, listener: Listener, guarded: Callable[[Callable[[], bool]], None]) -> None:
        super().__init__()
        self._listener = listener
        self._guarded = guarded

    def OnSolutionCallback(self) -> None:  # noqa: N802 CP-SAT's name
        this: Any = self  # its methods carry no types
        self._guarded(lambda: self._listener.on_solution(this.Response(), this.NumBranches()))
