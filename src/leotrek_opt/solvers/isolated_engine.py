"""Any engine in a process of its own: a crash or a hang of native code becomes a result."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from numpy.typing import ArrayLike

from leotrek_opt.errors import EngineError, InputError
from leotrek_opt.solvers.engines import engine_named
from leotrek_opt.solvers.engines.answers import Claim, checked_start, concluded
from leotrek_opt.solvers.engines.protocol import (
    EngineEvent,
    EngineResult,
    EventCallback,
    Feature,
    FloatArray,
    Limits,
    Termination,
    require_features,
)
from leotrek_opt.solvers.isolation import Ending, IsolatedOutcome, KillReason, run_isolated
from leotrek_opt.solvers.isolation_child import named
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.status import Status

LOADER = "leotrek_opt.solvers.engines:engine_named"
"""What makes an engine of its name in the child."""

_TERMINATIONS = {
    None: Termination.UNKNOWN,
    KillReason.TIME_LIMIT: Termination.TIME_LIMIT,
    KillReason.MEMORY_LIMIT: Termination.MEMORY_LIMIT,
    KillReason.CANCELLED: Termination.CANCELLED,
}


@dataclass(frozen=True)
class _Request:
    """What the child is asked; the model arrives there without its words."""

    loader: str
    name: str
    model: LinearModel
    limits: Limits
    started: float
    warm_start: FloatArray | None
    options: Mapping[str, object] | None


class IsolatedEngine:
    """An engine of the protocol whose every run is a process.

    It keeps time and memory limits and a cancel for any engine: what does not end by itself is
    killed, and the best that was reported until then is the answer. A run that crashes ends with
    status ``error`` and says what the process died of; its values, if any, keep the model.

    Parameters
    ----------
    name
        As for :func:`~leotrek_opt.solvers.engines.engine_named`.

    Raises
    ------
    InputError
        If there is no engine of that name.
    MissingDependencyError
        If its solver is not installed in a version that it takes.
    """

    def __init__(self, name: str) -> None:
        self._asked = name
        self._inner = engine_named(name)

    @property
    def name(self) -> str:
        """Name of the engine inside."""
        return self._inner.name

    @property
    def family(self) -> str:
        """Family of the engine inside."""
        return self._inner.family

    @property
    def features(self) -> frozenset[Feature]:
        """Those of the engine inside, and what a parent can do to a process."""
        return self._inner.features | {
            Feature.TIME_LIMIT,
            Feature.INTERRUPT,
            Feature.MEMORY_LIMIT,
        }

    def version(self) -> str:
        """Return the version of the solver inside."""
        return self._inner.version()

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
        """Solve a model; parameters, result and errors are those of the protocol.

        The time limit includes the start of the process. The memory limit is one of the whole
        process, its interpreter and libraries included.
        """
        started = time.monotonic()
        require_features(self, limits.features())
        start = None if warm_start is None else checked_start(model, warm_start)
        seen = _Seen(model.minimise, on_event)
        request = _Request(LOADER, self._asked, model, limits, started, start, options)
        outcome = run_isolated(
            f"{__name__}:solve_in_child",
            request,
            on_event=seen.take,
            cancel=cancel,
            time_limit_s=limits.time_limit_s,
            memory_limit_mib=limits.memory_limit_mib,
        )
        seconds = time.monotonic() - started
        if outcome.ending is Ending.RETURNED:
            result: EngineResult = outcome.value
            return replace(result, seconds=seconds)
        return _rescued(request, outcome, seen, self.name, seconds)


def solve_in_child(
    request: _Request, post: Callable[[object], None], cancel: threading.Event
) -> EngineResult:
    """Run the engine, in the child, within the features that it has.

    Parameters
    ----------
    request
        What to solve.
    post
        Takes the engine's events.
    cancel
        Set to stop.

    Returns
    -------
    EngineResult
        As the engine gives it.
    """
    engine = named(request.loader)(request.name)
    limits = replace(request.limits, memory_limit_mib=None)
    if limits.time_limit_s is not None:
        left = request.started + limits.time_limit_s - time.monotonic()
        keeps_time = Feature.TIME_LIMIT in engine.features
        limits = replace(limits, time_limit_s=max(0.0, left) if keeps_time else None)
    result: EngineResult = engine.solve(
        request.model,
        limits,
        warm_start=request.warm_start,
        on_event=post,
        cancel=cancel if Feature.INTERRUPT in engine.features else None,
        options=request.options,
    )
    return result


class _Seen:
    """The best that a child has reported so far."""

    def __init__(self, minimise: bool, on_event: EventCallback | None) -> None:
        self.values: FloatArray | None = None
        self.bound: float | None = None
        self.nodes = 0
        self.solutions = 0
        self._sign = 1 if minimise else -1
        self._objective: float | None = None
        self._on_event = on_event

    def take(self, event: EngineEvent) -> None:
        if event.bound is not None:
            self.bound = event.bound
        self.nodes = max(self.nodes, event.nodes)
        if event.values is not None and event.objective is not None:
            self.solutions += 1
            if self._objective is None or self._sign * (event.objective - self._objective) < 0:
                self.values, self._objective = event.values, event.objective
        if self._on_event is not None:
            self._on_event(event)


def _rescued(
    request: _Request, outcome: IsolatedOutcome, seen: _Seen, name: str, seconds: float
) -> EngineResult:
    """Make a result of what was reported before the end, checked against the model."""
    model = request.model
    arrays = model.arrays()
    result = concluded(
        model,
        arrays,
        Claim(
            _TERMINATIONS[outcome.reason],
            values=_believed(model, seen.values),
            bound=None if seen.bound is None else arrays.sign * (seen.bound - arrays.offset),
            nodes=seen.nodes,
            solutions=seen.solutions,
            message=outcome.message,
        ),
        engine=name,
        step=arrays.objective_step,
        start=request.warm_start,
        cutoff=request.limits.cutoff,
        seconds=seconds,
    )
    if outcome.ending is Ending.CRASHED:
        return replace(result, status=Status.ERROR, termination=Termination.UNKNOWN)
    return result


def _believed(model: LinearModel, values: FloatArray | None) -> FloatArray | None:
    """Return values that a process reported before its end only if they keep the model."""
    if values is None:
        return None
    try:
        return checked_start(model, values)
    except (InputError, EngineError):
        return None
