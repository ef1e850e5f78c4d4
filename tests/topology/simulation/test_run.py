"""Running a topology: order, plugins, errors, interruption."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.topology.small_topologies import SATELLITES, small_continuum, state_bytes

from leotrek_opt.errors import InputError
from leotrek_opt.topology.generated import topology_generator
from leotrek_opt.topology.recording import MemoryRecorder, Output
from leotrek_opt.topology.simulation import (
    EnvironmentPlugin,
    PluginRepository,
    ResumablePlugin,
    StatePlugin,
    StepResult,
    record,
    simulate,
)
from leotrek_opt.topology.state import TopologyState

Arrays = Mapping[str, np.ndarray]


class Degree:
    """Links of every node; needs no memory."""

    name = "degree"
    outputs: ClassVar = {"links": Output("int64")}

    def __init__(self, log: list[str] | None = None) -> None:
        self.log = log

    def after_step(self, state: TopologyState, outputs: Mapping[str, Arrays]) -> Arrays:
        if self.log is not None:
            self.log.append(f"degree {state.step} {sorted(outputs)}")
        ends = np.concatenate((state.links.source, state.links.target))
        return {"links": np.bincount(ends, minlength=len(state.position_km))}


class Tally:
    """Adds up the degrees over the steps, so it depends on all before."""

    name = "tally"
    outputs: ClassVar = {
        "sum": Output("int64"),
        "mean": Output("float32", "step"),
        "satellites": Output("float64", "satellite", (2,)),
    }

    def __init__(self, log: list[str] | None = None) -> None:
        self.log = log
        self.begin()

    def begin(self) -> None:
        self.sum: Any = 0

    def after_step(self, state: TopologyState, outputs: Mapping[str, Arrays]) -> Arrays:
        if self.log is not None:
            self.log.append(f"tally {state.step} {sorted(outputs)}")
        self.sum = self.sum + outputs["degree"]["links"]
        mean = np.float32(self.sum.mean())
        return {"sum": self.sum, "mean": mean, "satellites": state.satellites.position_km[:, :2]}


class Failing(Degree):
    name = "failing"

    def after_step(self, state: TopologyState, outputs: Mapping[str, Arrays]) -> Arrays:
        if state.step == 2:
            raise ZeroDivisionError("by\nnothing")
        return super().after_step(state, outputs)


def test_results_stream_what_the_generator_gives() -> None:
    made = small_continuum()
    results = simulate(made)
    assert isinstance(results, Iterator)
    got = list(results)
    expected = [state_bytes(state) for state in topology_generator(made).states()]
    assert [state_bytes(result.state) for result in got] == expected
    assert [result.step for result in got] == list(range(6))
    assert got[3].time == got[3].state.time
    assert got[0].nodes is made.nodes
    assert got[0].outputs == {}


def test_order_is_state_then_plugins_then_functions_then_recording() -> None:
    log: list[str] = []

    class Watching(MemoryRecorder):
        def add(self, state: TopologyState, outputs: Mapping[str, Arrays]) -> None:
            log.append(f"record {state.step} {sorted(outputs)}")
            super().add(state, outputs)

    def first(result: StepResult) -> None:
        log.append(f"first {result.step} {sorted(result.outputs)}")

    def second(result: StepResult) -> None:
        log.append(f"second {result.step} {int(result.plugin('tally')['sum'].sum())}")

    for result in simulate(
        small_continuum(),
        state_plugins=[Degree(log), Tally(log)],
        post_step=[first, second],
        record=Watching(),
        stop=2,
        on_progress=lambda done, total: log.append(f"progress {done}/{total}"),
    ):
        log.append(f"result {result.step}")
    ends = [2 * len(state.links) for state in topology_generator(small_continuum()).states(0, 2)]
    both = "['degree', 'tally']"
    assert log == [
        "degree 0 []", "tally 0 ['degree']", f"first 0 {both}", f"second 0 {ends[0]}",
        f"record 0 {both}", "progress 1/2", "result 0",
        "degree 1 []", "tally 1 ['degree']", f"first 1 {both}", f"second 1 {sum(ends)}",
        f"record 1 {both}", "progress 2/2", "result 1",
    ]  # fmt: skip


def test_outputs_are_recorded_and_come_with_the_replay() -> None:
    made = small_continuum()
    recording = record(made, state_plugins=[Degree(), Tally()])
    live = list(simulate(made, state_plugins=[Degree(), Tally()]))
    for result, again in zip(live, simulate(recording), strict=True):
        assert state_bytes(result.state) == state_bytes(again.state)
        for name in ("sum", "mean", "satellites"):
            mine, theirs = again.plugin("tally")[name], result.plugin("tally")[name]
            assert (mine.dtype, mine.tobytes()) == (theirs.dtype, theirs.tobytes())
    assert live[0].plugin("tally")["satellites"].shape == (SATELLITES, 2)
    assert recording.layout.outputs["tally"]["mean"] == Output("float32", "step")
    assert record(recording) == recording
    assert recording != record(made)


def test_a_plugin_takes_the_place_of_recorded_outputs_of_its_name() -> None:
    class Other(Degree):
        outputs: ClassVar = {"nothing": Output("bool", "step")}

        def after_step(self, state: TopologyState, outputs: Mapping[str, Arrays]) -> Arrays:
            assert not outputs
            return {"nothing": np.bool_(state.step > 2)}

    recording = record(small_continuum(), state_plugins=[Degree()])
    again = record(recording, state_plugins=[Other()])
    assert set(again.outputs(0)["degree"]) == {"nothing"}
    assert [bool(again.outputs(row)["degree"]["nothing"]) for row in range(6)] == [False] * 3 + [
        True
    ] * 3


def test_start_and_stop_choose_the_steps() -> None:
    made = small_continuum()
    assert [result.step for result in simulate(made, start=2, stop=5)] == [2, 3, 4]
    part = record(made, start=2, stop=5)
    assert [state.step for state in part.states()] == [2, 3, 4]
    assert part.steps == 3
    for bad in ({"start": 6}, {"start": -1}, {"start": 2, "stop": 2}, {"stop": 7}, {"start": 1.0}):
        with pytest.raises(InputError, match=r"^(start|stop): must be"):
            simulate(made, **bad)  # type: ignore[arg-type]


def test_a_failing_plugin_stops_the_run_and_is_named() -> None:
    recorder = MemoryRecorder()
    results = simulate(small_continuum(), state_plugins=[Failing()], record=recorder)
    with pytest.raises(
        InputError,
        match=r'^state plugin "failing" failed at step 2: ZeroDivision.*: by nothing$',
    ) as raised:
        list(results)
    assert isinstance(raised.value.__cause__, ZeroDivisionError)
    assert recorder.recording().steps == 2


def test_a_failing_plugin_may_be_logged_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    recorder = MemoryRecorder()
    with caplog.at_level(logging.WARNING, logger="leotrek_opt"):
        results = list(
            simulate(
                small_continuum(),
                state_plugins=[Failing()],
                record=recorder,
                on_plugin_error="continue",
            )
        )
    assert [sorted(result.outputs) for result in results] == [["failing"]] * 2 + [[]] + [
        ["failing"]
    ] * 3
    assert [(each.name, each.getMessage()) for each in caplog.records] == [
        (
            "leotrek_opt.simulation",
            'state plugin "failing" failed at step 2: ZeroDivisionError: by nothing',
        )
    ]
    recording = recorder.recording()
    assert recording.outputs(2) == {}
    assert recording.columns.present["failing"].tolist() == [True, True, False, True, True, True]
    assert record(recording) == recording


def test_a_failing_function_is_named_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    def schedule(result: StepResult) -> None:
        raise RuntimeError("no place")

    with pytest.raises(InputError, match=r"post_step\[1\] \(schedule\) failed at step 0: Runtime"):
        list(simulate(small_continuum(), post_step=[print, schedule], stop=1))
    seen: list[int] = []
    with caplog.at_level(logging.WARNING, logger="leotrek_opt"):
        list(
            simulate(
                small_continuum(),
                post_step=[schedule, lambda result: seen.append(result.step)],
                on_plugin_error="continue",
            )
        )
    assert seen == list(range(6))
    assert len(caplog.records) == 6


class Wrong(Degree):
    def __init__(self, returned: object) -> None:
        super().__init__()
        self.returned = returned

    def after_step(self, state: TopologyState, outputs: Mapping[str, Arrays]) -> Arrays:
        return self.returned  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "must return its outputs by name, got NoneType"),
        ({}, r"declares the outputs \['links'\] and returned \[\]"),
        ({"links": np.zeros(44), "more": 1}, r"returned \['links', 'more'\]"),
        ({"links": np.zeros(43, dtype=int)}, r'"links" must have shape \(44,\), got \(43,\)'),
        ({"links": np.zeros(44)}, '"links" must be int64, got float64'),
        ({"links": ["a"] * 44}, '"links" must be int64'),
    ],
)
def test_outputs_must_be_as_declared(returned: object, message: str) -> None:
    with pytest.raises(InputError, match=f'state plugin "degree" failed at step 0: .*{message}'):
        list(simulate(small_continuum(), state_plugins=[Wrong(returned)]))


def test_arguments_are_checked_before_the_first_step() -> None:
    made = small_continuum()
    bad_name = type("Bad", (Degree,), {"name": "a/b"})()
    bad_output = type("Bad", (Degree,), {"outputs": {"links": "int64"}})()
    for arguments, message in (
        ({"state_plugins": [Degree(), Degree()]}, r'state_plugins\[1\]: two plugins.*"degree"'),
        ({"state_plugins": [print]}, r"state_plugins\[0\]: .* is no state plugin"),
        ({"state_plugins": [bad_name]}, "a name must begin with a letter"),
        ({"state_plugins": [bad_output]}, "outputs.degree.links: must be an Output"),
        ({"post_step": [3]}, r"post_step\[0\]: must be a function, got int"),
        ({"on_plugin_error": "ignore"}, "on_plugin_error: must be raise or continue"),
    ):
        with pytest.raises(InputError, match=message):
            simulate(made, **arguments)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"continuum: must be a continuum, a recording or .* str"):
        simulate("kuiper")  # type: ignore[arg-type]


def test_plugins_are_found_by_name_and_by_type() -> None:
    degree, tally = Degree(), Tally()
    repository = PluginRepository([degree, tally])
    assert isinstance(degree, StatePlugin)
    assert not isinstance(degree, ResumablePlugin)
    assert list(repository) == [degree, tally]
    assert len(repository) == 2
    assert repository.named("tally") is tally
    assert repository.of_type(Degree) is degree
    with pytest.raises(InputError, match=r'no plugin "taly" \(did you mean "tally"\?\)'):
        repository.named("taly")
    with pytest.raises(InputError, match="no plugins are of type Wrong"):
        repository.of_type(Wrong)
    with pytest.raises(InputError, match="2 plugins are of type StatePlugin"):
        repository.of_type(StatePlugin)  # type: ignore[type-abstract]
    result = next(simulate(small_continuum(), state_plugins=[degree]))
    with pytest.raises(InputError, match=r'no plugin "degrees" \(did you mean "degree"\?\)'):
        result.plugin("degrees")
    with pytest.raises(InputError, match='no plugin "sun"; there is degree'):
        result.plugin("sun")


def test_cancel_ends_before_the_next_step() -> None:
    cancel, recorder = threading.Event(), MemoryRecorder()
    seen = []
    for result in simulate(small_continuum(), cancel=cancel, record=recorder):
        seen.append(result.step)
        if result.step == 2:
            cancel.set()
    assert seen == [0, 1, 2]
    assert recorder.recording().steps == 3


def test_recorder_is_told_whether_the_run_came_to_its_end() -> None:
    class Told(MemoryRecorder):
        complete: bool | None = None

        def finish(self, complete: bool) -> None:
            self.complete = complete

    whole, left, interrupted, exact = Told(), Told(), Told(), Told()
    list(simulate(small_continuum(), record=whole))
    results = simulate(small_continuum(), record=left)
    next(results)
    assert left.complete is None
    results.close()  # type: ignore[attr-defined]

    def interrupt(result: StepResult) -> None:
        if result.step == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(simulate(small_continuum(), post_step=[interrupt], record=interrupted))
    every = simulate(small_continuum(), record=exact)
    for _ in range(6):
        next(every)
    every.close()  # type: ignore[attr-defined]
    found = (whole.complete, left.complete, interrupted.complete, exact.complete)
    assert found == (True, False, False, True)
    assert interrupted.recording().steps == 1


def test_the_same_plugins_can_run_again() -> None:
    plugins = [Degree(), Tally()]
    assert record(small_continuum(), state_plugins=plugins) == record(
        small_continuum(), state_plugins=plugins
    )


SCRIPT = """
from leotrek_opt.topology.simulation import EnvironmentPlugin, record
from tests.topology.small_topologies import small_continuum
print(record(small_continuum(), state_plugins=[EnvironmentPlugin()]).digest)
"""


def test_two_processes_give_the_same_bytes() -> None:
    other = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    own = record(small_continuum(), state_plugins=[EnvironmentPlugin()])
    assert other.stdout.strip() == own.digest
