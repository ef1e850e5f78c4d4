"""Run a topology from step to step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from leotrek_opt.errors import InputError
from leotrek_opt.models.continuum import Continuum
from leotrek_opt.topology.recording.collector import Outputs
from leotrek_opt.topology.recording.layout import PositionType, Run
from leotrek_opt.topology.recording.recorder import MemoryRecorder
from leotrek_opt.topology.recording.recording import Recording
from leotrek_opt.topology.simulation.plugins import (
    OnPluginError,
    PluginRepository,
    ResumablePlugin,
    StatePlugin,
    failed,
)
from leotrek_opt.topology.simulation.sources import StateSource, state_source
from leotrek_opt.topology.simulation.step_result import StepResult
from leotrek_opt.topology.state import TopologyState

PostStep = Callable[[StepResult], Any]
"""A function that is run after each step, with the whole state; what it returns is dropped."""

Progress = Callable[[int, int], Any]
"""Is told how many steps are done, and how many there are."""


class Recorder(Protocol):
    """Takes down the steps of a run."""

    def begin(self, run: Run) -> tuple[TopologyState, Outputs] | None:
        """Start, or go on after the step that is returned; None where nothing is recorded yet."""

    def add(self, state: TopologyState, outputs: Outputs) -> None:
        """Record a step."""

    def finish(self, complete: bool) -> None:
        """End, whether or not the run came to its end; what is recorded stays readable."""


def simulate(
    continuum: Continuum | StateSource,
    *,
    state_plugins: Sequence[StatePlugin] = (),
    post_step: Sequence[PostStep] = (),
    start: int = 0,
    stop: int | None = None,
    on_progress: Progress | None = None,
    cancel: threading.Event | None = None,
    record: Recorder | None = None,
    on_plugin_error: OnPluginError = "raise",
) -> Iterator[StepResult]:
    """Run a topology from step to step.

    At each step, in this order: positions and links; the state plugins in the order of their list;
    the functions of ``post_step`` in the order of theirs; the recording; then the result is
    yielded. Nothing is kept but what recorder and plugins keep.

    Parameters
    ----------
    continuum
        A continuum with any topology, or a recording, whose states are replayed together with the
        outputs that were recorded.
    state_plugins
        What is computed from each state and stored with it. One of the name of recorded outputs
        takes their place.
    post_step
        Run after each step with the whole state, such as a scheduler.
    start, stop
        First step and the one before which to stop. Plugins see no step before ``start``.
    on_progress
        Told after each step how many of all are done.
    cancel
        Once set, the run ends before the next step, and what is recorded is kept.
    record
        Where steps are recorded. One that holds steps already is gone on with: the run continues
        after its last step and yields only new ones. Plugins that cannot resume by themselves are
        shown the earlier states again first.
    on_plugin_error
        ``raise`` ends the run when a plugin or a function fails; ``continue`` logs it under
        ``leotrek_opt.simulation`` and goes on without what it would have given.

    Yields
    ------
    StepResult
        One per step.

    Raises
    ------
    leotrek_opt.errors.InputError
        If an argument cannot be accepted, or naming plugin and step if one fails.
    """
    source = state_source(continuum)
    first, end = _steps(source, start, stop)
    repository = PluginRepository(state_plugins)
    for index, function in enumerate(post_step):
        if not callable(function):
            raise InputError(
                f"must be a function, got {type(function).__name__}", field=f"post_step[{index}]"
            )
    if on_plugin_error not in ("raise", "continue"):
        raise InputError("must be raise or continue", field="on_plugin_error")
    run = repository.declared(source.run)
    return _Walk(
        source, repository, tuple(post_step), run, first, end, on_progress, cancel, record,
        on_plugin_error,
    ).results()  # fmt: skip


def record(
    continuum: Continuum | StateSource,
    *,
    state_plugins: Sequence[StatePlugin] = (),
    start: int = 0,
    stop: int | None = None,
    position_type: PositionType = "float64",
) -> Recording:
    """Run a topology and keep every step in memory.

    Parameters
    ----------
    continuum, state_plugins, start, stop
        As for :func:`simulate`.
    position_type
        ``float32`` keeps positions in half the memory, rounded to about half a metre.

    Returns
    -------
    Recording
        All steps.
    """
    recorder = MemoryRecorder(position_type)
    for _ in simulate(
        continuum, state_plugins=state_plugins, start=start, stop=stop, record=recorder
    ):
        pass
    return recorder.recording()


def _steps(source: StateSource, start: int, stop: int | None) -> tuple[int, int]:
    end = source.steps if stop is None else stop
    if type(start) is not int or not 0 <= start < source.steps:
        raise InputError(f"must be a step in 0 … {source.steps - 1}, got {start}", field="start")
    if type(end) is not int or not start < end <= source.steps:
        raise InputError(f"must be in {start + 1} … {source.steps}, got {stop}", field="stop")
    return start, end


class _Walk:
    """A run under way."""

    def __init__(
        self,
        source: StateSource,
        repository: PluginRepository,
        post_step: tuple[PostStep, ...],
        run: Run,
        first: int,
        end: int,
        on_progress: Progress | None,
        cancel: threading.Event | None,
        recorder: Recorder | None,
        on_plugin_error: OnPluginError,
    ) -> None:
        self.source = source
        self.repository = repository
        self.post_step = post_step
        self.run = run
        self.first, self.end = first, end
        self.on_progress = on_progress
        self.cancel = cancel
        self.recorder = recorder
        self.on_plugin_error = on_plugin_error

    def results(self) -> Iterator[StepResult]:
        recorder = self.recorder
        recorded = None if recorder is None else recorder.begin(self.run)
        complete = False
        try:
            self.repository.begin()
            row = self.first if recorded is None else self._resume(*recorded)
            states = self.source.states(row, self.end)
            while row < self.end and not self._cancelled():
                state = next(states, None)
                if state is None:
                    raise InputError(
                        f"has no state for step {row}, though it says it has", field="continuum"
                    )
                result = self._result(state, row)
                if recorder is not None:
                    recorder.add(result.state, result.outputs)
                row += 1
                if self.on_progress is not None:
                    self.on_progress(row - self.first, self.end - self.first)
                complete = row == self.end
                yield result
            complete = row == self.end
        finally:
            if recorder is not None:
                recorder.finish(complete)

    def _cancelled(self) -> bool:
        return self.cancel is not None and self.cancel.is_set()

    def _result(self, state: TopologyState, row: int) -> StepResult:
        outputs = self.repository.after_step(
            self.run, state, self.source.outputs(row), self.on_plugin_error
        )
        result = StepResult(self.run.nodes, state, outputs)
        for index, function in enumerate(self.post_step):
            try:
                function(result)
            except Exception as error:
                name = getattr(function, "__name__", type(function).__name__)
                failed(f"post_step[{index}] ({name})", state.step, error, self.on_plugin_error)
        return result

    def _resume(self, last: TopologyState, outputs: Outputs) -> int:
        """Bring the plugins to where the recording ends; return the row that comes next."""
        row = self.first
        while row < self.end and self.source.instant(row) <= last.time:
            row += 1
        if row == self.first or self.source.instant(row - 1) != last.time:
            raise InputError(
                f"ends at {last.time.isoformat()}, which is no step of this run", field="record"
            )
        plugins = list(self.repository)
        if row == self.end or not plugins:
            return row
        if all(isinstance(each, ResumablePlugin) and each.name in outputs for each in plugins):
            for plugin in plugins:
                if isinstance(plugin, ResumablePlugin):
                    plugin.resume(last, outputs[plugin.name])
            return row
        for earlier, state in enumerate(self.source.states(self.first, row), start=self.first):
            self.repository.after_step(
                self.run, state, self.source.outputs(earlier), self.on_plugin_error
            )
        return row
