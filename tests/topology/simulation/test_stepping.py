"""Stepping by hand."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from tests.topology.small_topologies import EPOCH, small_continuum, state_bytes

from leotrek_opt.errors import InputError
from leotrek_opt.topology.recording import MemoryRecorder
from leotrek_opt.topology.simulation import EnvironmentPlugin, Simulation, record, simulate


def test_it_stands_at_the_first_step_and_goes_where_it_is_told() -> None:
    made = small_continuum()
    expected = [state_bytes(result.state) for result in simulate(made)]
    simulation = Simulation(made)
    assert simulation.time == EPOCH
    assert state_bytes(simulation.state) == expected[0]
    assert simulation.step_by_seconds(240).step == 2
    assert state_bytes(simulation.state) == expected[2]
    assert simulation.step_by_seconds(0).step == 2
    assert simulation.step().step == 3
    assert simulation.step_to_time(EPOCH + timedelta(minutes=8)).step == 4
    assert simulation.result.time == simulation.time
    assert not simulation.at_end
    assert simulation.run().step == 5
    assert simulation.at_end
    with pytest.raises(InputError, match="there is no step after 2025-06-01T00:10"):
        simulation.step()


def test_nodes_are_listed_by_kind() -> None:
    simulation = Simulation(small_continuum())
    assert len(simulation.nodes) == 44
    assert simulation.satellites.tolist() == list(range(40))
    assert simulation.ground_stations.tolist() == [40, 41, 42, 43]


def test_times_between_steps_are_refused_with_the_nearest() -> None:
    simulation = Simulation(small_continuum())
    simulation.step()
    for seconds, near in (
        (100, "2025-06-01T00:02:00+00:00, 2025-06-01T00:04:00+00:00"),
        (1e6, "2025-06-01T00:10:00+00:00"),
    ):
        with pytest.raises(
            InputError, match=r"time: no step at .*; the nearest from here"
        ) as error:
            simulation.step_by_seconds(seconds)
        assert error.value.message.endswith(near)
    with pytest.raises(InputError, match="no step at 2025-06-01T00:00:00"):
        simulation.step_to_time(EPOCH)
    for bad in (-1, float("nan"), "60"):
        with pytest.raises(InputError, match="seconds: must be a number >= 0"):
            simulation.step_by_seconds(bad)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="beyond the year 9999"):
        simulation.step_by_seconds(1e15)
    with pytest.raises(InputError, match="time: must be an instant with a time zone"):
        simulation.step_to_time(EPOCH.replace(tzinfo=None))
    assert simulation.result.step == 1


def test_plugins_and_recorder_miss_no_step_on_the_way() -> None:
    made = small_continuum()
    plugin, recorder = EnvironmentPlugin(), MemoryRecorder()
    seen: list[int] = []
    with Simulation(
        made,
        state_plugins=[plugin],
        post_step=[lambda result: seen.append(result.step)],
        record=recorder,
    ) as simulation:
        simulation.step_by_seconds(480)
        assert simulation.plugin(EnvironmentPlugin) is plugin
        assert simulation.result.plugin("environment")["sunlit"].shape == (40,)
    assert seen == [0, 1, 2, 3, 4]
    assert recorder.recording() == record(made, state_plugins=[EnvironmentPlugin()], stop=5)


def test_it_replays_a_recording() -> None:
    made = small_continuum()
    recording = record(made, state_plugins=[EnvironmentPlugin()])
    live, replay = Simulation(made, state_plugins=[EnvironmentPlugin()]), Simulation(recording)
    for simulation in (live, replay):
        simulation.step_by_seconds(360)
    assert state_bytes(live.state) == state_bytes(replay.state)
    mine, theirs = (each.result.plugin("environment")["sunlit"] for each in (live, replay))
    assert mine.tobytes() == theirs.tobytes()


def test_running_on_can_be_limited_and_cancelled() -> None:
    simulation = Simulation(small_continuum())
    assert simulation.run(2).step == 2
    cancel = threading.Event()
    cancel.set()
    assert simulation.run(cancel=cancel).step == 2
