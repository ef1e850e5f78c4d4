"""Steps: eclipse, heat and charge together, loads, failures and bad input."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from leotrek_opt.errors import InputError
from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.environment import BatteryModel, Environment, ThermalModel
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.environment.step import (
    EnvironmentState,
    EnvironmentWalk,
    environment_steps,
)
from leotrek_opt.topology.environment.sun import sun_ecef
from leotrek_opt.topology.environment.thermal import steady_temperature_c
from leotrek_opt.topology.propagation import ephemeris
from leotrek_opt.topology.series import Snapshot
from leotrek_opt.topology.state import SatelliteState, TopologyState

EPOCH = datetime(2025, 6, 1, tzinfo=UTC)
DAY = 2_460_827.5
BOTH = Environment(thermal=ThermalModel(), battery=BatteryModel())


def fixed(step: int, seconds: float, *sides: float) -> SatelliteState:
    """Return satellites that stand on the Sun's side (1), behind the Earth (-1) or nowhere."""
    sun = sun_ecef(DAY, seconds / 86_400)
    valid = np.array([math.isfinite(side) for side in sides])
    position = 7000.0 * np.array(sides)[:, None] * sun
    return SatelliteState(
        step, EPOCH + timedelta(seconds=seconds), DAY, seconds / 86_400, position, valid
    )


def flying(step_s: float, steps: int) -> Iterator[SatelliteState]:
    shell = WalkerShell(
        planes=8, satellites_per_plane=5, phasing=1, inclination_deg=53.0, altitude_km=550.0
    )
    orbits = ephemeris(GeneratedTopology(shells=(shell,), epoch=EPOCH))
    for step in range(steps):
        fraction = step * step_s / 86_400
        position, valid = orbits.ecef(DAY, fraction)
        time = EPOCH + timedelta(seconds=step * step_s)
        yield SatelliteState(step, time, DAY, fraction, position, valid)


def test_the_first_step_shows_what_the_models_begin_with() -> None:
    (first,) = environment_steps([fixed(7, 60.0, 1, -1)], BOTH)
    assert (first.step, first.time) == (7, EPOCH + timedelta(seconds=60))
    assert first.sun_direction == pytest.approx(sun_ecef(DAY, 60 / 86_400))
    assert first.sunlit.tolist() == [1, 0]
    assert first.temperature_c is not None
    assert first.temperature_c.tolist() == [20, 20]
    assert first.battery_wh is not None
    assert first.battery_wh.tolist() == [1000, 1000]
    assert first.depth_of_discharge is not None
    assert first.depth_of_discharge.tolist() == [0, 0]
    assert first.brown_out is not None
    assert not first.brown_out.any()


def test_without_models_there_is_only_light() -> None:
    states = list(environment_steps(flying(60.0, 3), Environment()))
    assert {state.sunlit.shape for state in states} == {(40,)}
    for state in states:
        assert state.temperature_c is None
        assert state.battery_wh is None
        assert state.depth_of_discharge is None
        assert state.brown_out is None


def test_satellites_that_stand_still_reach_their_steady_states() -> None:
    thermal = ThermalModel(idle_power_w=80.0)
    states = (fixed(step, step * 43_200.0, 1, -1) for step in range(3))
    *_, last = environment_steps(states, Environment(thermal=thermal), load_w=[0.0, 120.0])
    infrared = 0.8 * 4.0 * 237.0
    sun = 0.3 * 1361.0 * (1 + 0.3 * (6378.137 / 7000) ** 2)
    expected = steady_temperature_c(thermal, [infrared + sun + 80.0, infrared + 80.0 + 120.0])
    assert last.temperature_c == pytest.approx(expected, abs=1e-3)


def test_charge_changes_with_light_and_load_of_the_step_before() -> None:
    battery = BatteryModel(
        capacity_wh=500.0, initial_wh=100.0, panel_w=300.0, idle_power_w=100.0,
        charge_efficiency=0.9,
    )  # fmt: skip
    states = [fixed(0, 0.0, 1, -1), fixed(1, 1800.0, 1, -1), fixed(2, 3600.0, 1, -1)]
    loads = {0: 0.0, 1: np.array([100.0, 300.0]), 2: 9999.0}
    made = list(
        environment_steps(states, Environment(battery=battery), load_w=lambda step: loads[step])
    )
    charges = [state.battery_wh for state in made]
    assert charges[1] == pytest.approx([100 + 0.9 * 100, 50])
    assert charges[2] == pytest.approx([190 + 0.9 * 50, 0])
    assert [state.brown_out.tolist() for state in made if state.brown_out is not None] == [
        [False, False], [False, False], [False, True],
    ]  # fmt: skip
    assert made[2].depth_of_discharge == pytest.approx([1 - 235 / 500, 1])


def test_light_changes_half_way_between_two_steps() -> None:
    battery = BatteryModel(
        capacity_wh=500.0, initial_wh=100.0, panel_w=300.0, idle_power_w=100.0,
        charge_efficiency=1.0,
    )  # fmt: skip
    states = [fixed(0, 0.0, 1, -1), fixed(1, 3600.0, -1, 1)]
    *_, last = environment_steps(states, Environment(battery=battery))
    assert last.battery_wh == pytest.approx([100 + 100 - 50, 100 - 50 + 100])


def test_a_minute_is_fine_enough_for_heat_and_charge() -> None:
    """Against steps of five seconds: the edges of eclipses are all that differs."""
    coarse = list(environment_steps(flying(60.0, 181), BOTH, load_w=150.0))
    fine = list(environment_steps(flying(5.0, 2161), BOTH, load_w=150.0))[::12]
    for field, tolerance in (("temperature_c", 0.35), ("battery_wh", 7.0)):
        error = [
            np.abs(getattr(a, field) - getattr(b, field)).max()
            for a, b in zip(coarse, fine, strict=True)
        ]
        assert max(error) < tolerance
    temperature = np.array([state.temperature_c for state in fine])
    assert np.median(np.ptp(temperature[90:], axis=0)) > 10


def test_heat_is_stored_as_the_first_law_says() -> None:
    """Energy in less energy radiated, summed over fine steps, is what the satellites keep."""
    thermal = ThermalModel()
    states = list(flying(10.0, 541))
    made = list(environment_steps(states, Environment(thermal=thermal), load_w=40.0))
    temperature = np.array([state.temperature_c for state in made])
    net = np.zeros(40)
    for index, (state, now) in enumerate(zip(states, made, strict=True)):
        weight = 5.0 if index in (0, 540) else 10.0
        cosine = np.maximum(state.position_km @ now.sun_direction, 0)
        radius = np.linalg.norm(state.position_km, axis=1)
        light = now.sunlit + 0.3 * cosine * 6378.137**2 / radius**3
        radiated = 0.8 * 5.670374419e-8 * 4.0 * (temperature[index] + 273.15) ** 4
        net += weight * (140.0 + 0.3 * 1361.0 * light + 0.8 * 4.0 * 237.0 - radiated)
    stored = 50_000.0 * (temperature[-1] - temperature[0])
    assert stored == pytest.approx(net, abs=200.0)


def test_cones_dim_before_they_darken() -> None:
    states = list(flying(2.0, 2700))
    made = list(environment_steps(states, Environment(shadow="conical")))
    sunlit = np.array([state.sunlit for state in made])
    partial = (sunlit > 0) & (sunlit < 1)
    assert partial.any(axis=0).sum() > 30
    sharp = np.array([state.sunlit for state in environment_steps(states, Environment())])
    assert ((sunlit != sharp) <= partial).all() or ((sunlit != sharp) & ~partial).mean() < 1e-3


def test_a_lost_satellite_stands_still_and_does_not_disturb_the_others() -> None:
    lost = float("nan")
    states = [
        fixed(0, 0.0, 1, -1), fixed(1, 600.0, lost, -1), fixed(2, 1200.0, lost, -1),
        fixed(3, 1800.0, 1, -1), fixed(4, 2400.0, 1, -1),
    ]  # fmt: skip
    alone = [fixed(step, step * 600.0, -1) for step in range(5)]
    made = list(environment_steps(states, BOTH))
    for state, other in zip(made, environment_steps(alone, BOTH), strict=True):
        for field in ("sunlit", "temperature_c", "battery_wh", "depth_of_discharge"):
            assert getattr(state, field)[1] == getattr(other, field)[0]
    for state in made[1:3]:
        for field in ("sunlit", "temperature_c", "battery_wh", "depth_of_discharge"):
            assert math.isnan(getattr(state, field)[0])
        assert state.brown_out is not None
        assert not state.brown_out[0]
    assert made[3].temperature_c is not None
    assert made[3].temperature_c[0] == 20
    assert made[4].temperature_c is not None
    assert made[4].temperature_c[0] != 20


def test_topology_states_are_taken_as_their_satellites() -> None:
    satellites = fixed(0, 0.0, 1, -1)
    none = np.empty(0, dtype=np.int32)
    links = Snapshot(none, none, np.empty(0, dtype=np.int64), None)
    state = TopologyState(
        0, satellites.time, satellites, satellites.position_km, links, np.empty(0, dtype=np.int8)
    )
    (made,) = environment_steps([state], BOTH)
    assert made.sunlit.tolist() == [1, 0]


def test_steps_share_no_memory_with_the_walk() -> None:
    walk = EnvironmentWalk(BOTH)
    first = walk.advance(fixed(0, 0.0, 1, -1))
    kept: EnvironmentState = first
    before = [np.copy(kept.temperature_c), np.copy(kept.battery_wh)]  # type: ignore[arg-type]
    walk.advance(fixed(1, 600.0, 1, -1))
    assert (kept.temperature_c == before[0]).all()
    assert (kept.battery_wh == before[1]).all()


@pytest.mark.parametrize(
    ("load", "said"),
    [
        ([1.0, 2.0, 3.0], r"load_w: must be a number or 2 numbers at step 0, got shape \(3,\)"),
        (-1.0, "load_w: must be finite and >= 0 at step 0"),
        ([0.0, math.nan], "load_w: must be finite and >= 0"),
        ("much", "load_w: must be watts at step 0, got 'much'"),
    ],
)
def test_bad_loads_are_refused(load: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        list(environment_steps([fixed(0, 0.0, 1, -1)], BOTH, load_w=load))  # type: ignore[arg-type]


def test_states_out_of_order_or_of_another_topology_are_refused() -> None:
    with pytest.raises(InputError, match="states: must be given in the order of time"):
        list(environment_steps([fixed(0, 60.0, 1), fixed(1, 60.0, 1)], BOTH))
    with pytest.raises(InputError, match="states: has 2 satellites, the step before had 1"):
        list(environment_steps([fixed(0, 0.0, 1), fixed(1, 60.0, 1, 1)], BOTH))
