"""The environment of a continuum: the same as streamed, and finer than its steps."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from leotrek_opt.errors import InputError
from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.continuum import Continuum, NodeTable, TimeGrid
from leotrek_opt.models.environment import BatteryModel, Environment, ThermalModel
from leotrek_opt.models.topology import ExplicitTopology, GeneratedTopology
from leotrek_opt.topology.environment.series import environment_series

BOTH = Environment(shadow="conical", thermal=ThermalModel(), battery=BatteryModel(capacity_wh=60.0))


def continuum(time: TimeGrid, environment: Environment | None = BOTH) -> Continuum:
    shell = WalkerShell(
        planes=6, satellites_per_plane=4, phasing=1, inclination_deg=53.0, altitude_km=550.0
    )
    return Continuum(
        nodes=NodeTable(
            id=tuple(f"s{k}" for k in range(24)),
            kind=("satellite",) * 24,
            architecture=("arm64",) * 24,
            capacity={},
        ),
        time=time,
        topology=GeneratedTopology(
            shells=(shell,), epoch=datetime(2025, 6, 1, tzinfo=UTC), environment=environment
        ),
    )


def test_long_steps_are_walked_in_pieces() -> None:
    """Every tenth row of a minute's grid is the row of a grid of ten minutes."""
    fine = environment_series(continuum(TimeGrid(steps=91, step_s=60.0)), load_w=50.0)
    coarse = environment_series(continuum(TimeGrid(steps=10, step_s=600.0)), load_w=50.0)
    assert (coarse.sun_direction == fine.sun_direction[::10]).all()
    assert (coarse.sunlit == fine.sunlit[::10]).all()
    assert coarse.temperature_c == pytest.approx(fine.temperature_c[::10], abs=1e-9)
    assert coarse.battery_wh == pytest.approx(fine.battery_wh[::10], abs=1e-9)
    assert fine.brown_out is not None
    assert coarse.brown_out is not None
    since = fine.brown_out[1:].reshape(9, 10, 24).any(axis=1)
    assert (coarse.brown_out[1:] == since).all()
    assert since.any()
    assert not since.all()


def test_uneven_steps_and_loads_by_step() -> None:
    time = TimeGrid(steps=3, offsets_s=(30.0, 90.0, 1000.0))
    load = {0: 0.0, 1: np.linspace(0, 300, 24)}
    asked = []

    def load_w(step: int) -> object:
        asked.append(step)
        return load.get(step, 0.0)

    made = environment_series(continuum(time), load_w=load_w)  # type: ignore[arg-type]
    assert made.sun_direction.shape == (3, 3)
    assert made.sunlit.shape == (3, 24)
    assert sorted(set(asked)) == [0, 1, 2]
    idle = environment_series(continuum(time))
    assert made.battery_wh is not None
    assert idle.battery_wh is not None
    assert (made.battery_wh[:2] == idle.battery_wh[:2]).all()
    assert (made.battery_wh[2] <= idle.battery_wh[2]).all()
    assert (made.battery_wh[2] < idle.battery_wh[2]).any()


def test_light_alone_needs_no_environment() -> None:
    made = environment_series(continuum(TimeGrid(steps=2), None))
    assert set(np.unique(made.sunlit)) == {0.0, 1.0}
    assert made.temperature_c is None
    assert made.battery_wh is None
    assert made.brown_out is None


def test_what_has_no_satellites_of_its_own_is_refused() -> None:
    explicit = continuum(TimeGrid()).replace(
        topology=ExplicitTopology(
            source=np.array([0]), target=np.array([1]), latency_ms=np.array([[1.0]])
        )
    )
    with pytest.raises(InputError, match=r"topology\.type: only generated satellites"):
        environment_series(explicit)
    with pytest.raises(InputError, match="longest_gap_s: must be a positive number of seconds"):
        environment_series(continuum(TimeGrid()), longest_gap_s=0.0)
