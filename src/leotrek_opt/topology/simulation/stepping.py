"""Step a topology by hand, as Stardust's controller does."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.continuum import Continuum, NodeTable
from leotrek_opt.topology.recording.layout import satellites_first
from leotrek_opt.topology.simulation.plugins import OnPluginError, PluginRepository, StatePlugin
from leotrek_opt.topology.simulation.run import PostStep, Recorder, simulate
from leotrek_opt.topology.simulation.sources import StateSource, state_source
from leotrek_opt.topology.simulation.step_result import StepResult
from leotrek_opt.topology.state import TopologyState

_Plugin = TypeVar("_Plugin")


class Simulation:
    """A topology that is stepped by hand and stands at the first step when it is made.

    Going to a later time runs every step of the time grid on the way, so that plugins, handover and
    the recording miss none.

    Parameters
    ----------
    continuum
        A continuum with any topology, or a recording.
    state_plugins, post_step, record, on_plugin_error
        As for :func:`~leotrek_opt.topology.simulation.simulate`. Recording to a file goes on after
        what it holds.

    Raises
    ------
    leotrek_opt.errors.InputError
        As :func:`~leotrek_opt.topology.simulation.simulate`, or if all steps are recorded already.
    """

    def __init__(
        self,
        continuum: Continuum | StateSource,
        *,
        state_plugins: Sequence[StatePlugin] = (),
        post_step: Sequence[PostStep] = (),
        record: Recorder | None = None,
        on_plugin_error: OnPluginError = "raise",
    ) -> None:
        self._source = state_source(continuum)
        self._plugins = PluginRepository(state_plugins)
        self._row = -1
        self._results = simulate(
            self._source,
            state_plugins=state_plugins,
            post_step=post_step,
            record=record,
            on_progress=self._passed,
            on_plugin_error=on_plugin_error,
        )
        self._result = self._next()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def nodes(self) -> NodeTable:
        """All nodes, satellites first."""
        return self._source.nodes

    @property
    def satellites(self) -> NDArray[np.int64]:
        """Indices of the satellites."""
        return np.arange(satellites_first(self.nodes))

    @property
    def ground_stations(self) -> NDArray[np.int64]:
        """Indices of all nodes on the ground, whatever their kind."""
        return np.arange(satellites_first(self.nodes), len(self.nodes))

    @property
    def result(self) -> StepResult:
        """The step at which the simulation stands."""
        return self._result

    @property
    def state(self) -> TopologyState:
        """Positions and links at that step."""
        return self._result.state

    @property
    def time(self) -> datetime:
        """The instant, UTC."""
        return self._result.time

    @property
    def at_end(self) -> bool:
        """Whether there is no further step."""
        return self._row + 1 >= self._source.steps

    def plugin(self, kind: type[_Plugin]) -> _Plugin:
        """Return the state plugin of a type.

        Parameters
        ----------
        kind
            A class, or a protocol that can be checked at run time.

        Returns
        -------
        object
            The only plugin that is one.
        """
        return self._plugins.of_type(kind)

    def step(self) -> StepResult:
        """Go to the next step.

        Returns
        -------
        StepResult
            Where the simulation stands now.

        Raises
        ------
        leotrek_opt.errors.InputError
            If there is no further step.
        """
        if self.at_end:
            raise InputError(f"there is no step after {self.time.isoformat()}")
        self._result = self._next()
        return self._result

    def step_by_seconds(self, seconds: float) -> StepResult:
        """Go to a later time.

        Parameters
        ----------
        seconds
            From where the simulation stands; a step of the time grid must lie there.

        Returns
        -------
        StepResult
            Where the simulation stands now.

        Raises
        ------
        leotrek_opt.errors.InputError
            If there is no step, naming the nearest.
        """
        if not (isinstance(seconds, (int, float)) and math.isfinite(seconds) and seconds >= 0):
            raise InputError(f"must be a number >= 0, got {seconds}", field="seconds")
        try:
            return self.step_to_time(self.time + timedelta(seconds=seconds))
        except OverflowError:
            raise InputError(f"{seconds:g} s is beyond the year 9999", field="seconds") from None

    def step_to_time(self, time: datetime) -> StepResult:
        """Go to an instant.

        Parameters
        ----------
        time
            With a time zone; a step of the time grid must lie there.

        Returns
        -------
        StepResult
            Where the simulation stands now; the same step if it stands there already.

        Raises
        ------
        leotrek_opt.errors.InputError
            If there is no step, naming the nearest.
        """
        goal = self._row_at(time)
        while self._row < goal:
            self._result = self._next()
        return self._result

    def run(self, steps: int | None = None, *, cancel: threading.Event | None = None) -> StepResult:
        """Go on by some steps.

        Parameters
        ----------
        steps
            How many at most; to the end without.
        cancel
            Once set, no further step is begun.

        Returns
        -------
        StepResult
            Where the simulation stands now.
        """
        left = self._source.steps if steps is None else steps
        while left > 0 and not self.at_end and not (cancel is not None and cancel.is_set()):
            self.step()
            left -= 1
        return self._result

    def close(self) -> None:
        """End the simulation; what is recorded stays readable and can be gone on with."""
        close = getattr(self._results, "close", None)
        if close is not None:
            close()

    def _next(self) -> StepResult:
        result = next(self._results, None)
        if result is None:
            raise InputError("all steps are recorded already", field="record")
        return result

    def _passed(self, done: int, total: int) -> None:
        del total
        self._row = done - 1

    def _row_at(self, time: datetime) -> int:
        if not isinstance(time, datetime) or time.tzinfo is None:
            raise InputError("must be an instant with a time zone", field="time")
        low, high = self._row, self._source.steps
        while low < high:
            middle = (low + high) // 2
            if self._source.instant(middle) < time:
                low = middle + 1
            else:
                high = middle
        if low < self._source.steps and self._source.instant(low) == time:
            return low
        near = [
            self._source.instant(row).isoformat()
            for row in (low - 1, low)
            if self._row <= row < self._source.steps
        ]
        raise InputError(
            f"no step at {time.isoformat()}; the nearest from here: {', '.join(near)}", field="time"
        )
