"""An engine that fails in its own process as it is told."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from leotrek_opt.solvers.engines.highs import HighsEngine
from leotrek_opt.solvers.engines.protocol import (
    EngineEvent,
    EngineResult,
    EventCallback,
    Feature,
    Limits,
)
from leotrek_opt.solvers.linear import LinearModel


def act(what: str) -> None:
    """Fail in one of the ways that a process can."""
    if what == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    kept = []
    while True:
        if what == "eat":
            kept.append(np.ones(1 << 20))
        time.sleep(0.01)


class FailingEngine:
    """Reports what its options say, then fails as they say; keeps no limit and hears no cancel."""

    name = "failing"
    family = "none"
    features = frozenset({Feature.INTEGER, Feature.CUTOFF, Feature.WARM_START})

    def version(self) -> str:
        return "1"

    def solve(
        self,
        model: LinearModel,
        limits: Limits,
        *,
        warm_start: ArrayLike | None = None,
        on_event: EventCallback | None = None,
        cancel: threading.Event | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> EngineResult:
        assert limits.time_limit_s is None
        assert limits.memory_limit_mib is None
        assert cancel is None
        assert on_event is not None
        options = options or {}
        for objective, bound, nodes, values in options.get("events", ()):
            on_event(
                EngineEvent(
                    objective, bound, nodes, None if values is None else np.array(values, float)
                )
            )
        if options["act"] == "solve":
            return HighsEngine().solve(model, warm_start=warm_start)
        act(options["act"])
        raise AssertionError


def failing_engine(name: str) -> FailingEngine:
    assert name == "highs"
    return FailingEngine()
