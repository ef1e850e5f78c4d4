"""Sun, heat and charge as a plugin."""

from __future__ import annotations

import numpy as np
import pytest
from tests.topology.small_topologies import SATELLITES, small_continuum

from leotrek_opt.errors import InputError
from leotrek_opt.models.environment import BatteryModel, Environment, ThermalModel
from leotrek_opt.topology.environment.step import environment_steps
from leotrek_opt.topology.generated import topology_generator
from leotrek_opt.topology.simulation import EnvironmentPlugin, StatePlugin, record, simulate
from leotrek_opt.topology.state import TopologyState

FULL = Environment(shadow="conical", thermal=ThermalModel(), battery=BatteryModel(initial_wh=500.0))


def test_sunlight_alone_by_default() -> None:
    plugin = EnvironmentPlugin()
    assert isinstance(plugin, StatePlugin)
    assert set(plugin.outputs) == {"sunlit"}
    results = list(simulate(small_continuum(), state_plugins=[plugin]))
    sunlit = np.stack([result.plugin("environment")["sunlit"] for result in results])
    assert sunlit.shape == (6, SATELLITES)
    assert 0 < sunlit.mean() < 1


def test_models_give_what_the_walk_through_the_states_gives() -> None:
    made = small_continuum()
    load = np.linspace(0.0, 900.0, SATELLITES)
    recording = record(made, state_plugins=[EnvironmentPlugin(FULL, load_w=load)])
    walk = environment_steps(topology_generator(made).states(), FULL, load_w=load)
    for row, expected in enumerate(walk):
        found = recording.outputs(row)["environment"]
        assert set(found) == {
            "sunlit", "temperature_c", "battery_wh", "depth_of_discharge", "brown_out",
        }  # fmt: skip
        for name, array in found.items():
            assert array.tobytes() == getattr(expected, name).tobytes()
    assert recording.columns.outputs["environment"]["brown_out"].dtype == bool


def test_load_may_follow_the_state() -> None:
    seen: list[int] = []

    def load(state: TopologyState) -> float:
        seen.append(state.step)
        return 2000.0 if state.step >= 2 else 0.0

    plugin = EnvironmentPlugin(FULL, load_w=load)
    charge = [
        result.plugin("environment")["battery_wh"].mean()
        for result in simulate(small_continuum(), state_plugins=[plugin])
    ]
    assert seen == list(range(6))
    assert charge[2] > charge[3] > charge[4] > charge[5]


def test_a_bad_load_is_reported_with_the_step() -> None:
    plugin = EnvironmentPlugin(FULL, load_w=lambda state: -1.0 if state.step == 3 else 0.0)
    with pytest.raises(InputError, match='plugin "environment" failed at step 3: InputError: load'):
        list(simulate(small_continuum(), state_plugins=[plugin]))
