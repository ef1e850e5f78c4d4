"""Charge: what panels bring and loads take, within the capacity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from leotrek_opt.models.environment import BatteryModel
from leotrek_opt.topology.environment.battery import charge_after_wh, initial_charge_wh

MODEL = BatteryModel(capacity_wh=1000.0, panel_w=400.0, idle_power_w=100.0, charge_efficiency=0.9)


def test_a_battery_begins_full_or_as_given() -> None:
    assert initial_charge_wh(MODEL) == 1000.0
    assert initial_charge_wh(MODEL.replace(initial_wh=0.0)) == 0.0
    with pytest.raises(ValidationError, match="must be <= capacity_wh = 1000"):
        MODEL.replace(initial_wh=1001.0)


def test_surplus_is_stored_with_loss_and_a_deficit_is_drawn_without() -> None:
    charge, brown_out = charge_after_wh(
        MODEL, np.full(4, 500.0), np.array([1.0, 1.0, 0.0, 0.25]), np.array([0, 200, 50, 0]), 1800.0
    )
    assert charge == pytest.approx([500 + 0.9 * 150, 500 + 0.9 * 50, 500 - 75, 500])
    assert not brown_out.any()


def test_full_and_empty_are_the_limits() -> None:
    charge, brown_out = charge_after_wh(
        MODEL,
        np.array([990.0, 10.0, 10.0]),
        np.array([1.0, 0.0, 0.0]),
        np.array([0, 0, 900]),
        360.0,
    )
    assert charge.tolist() == [1000.0, 0.0, 0.0]
    # Ten watt-hours last the idle satellite exactly.
    assert brown_out.tolist() == [False, False, True]


@given(
    charge=st.floats(0, 1000), sunlit=st.floats(0, 1), load=st.floats(0, 2000),
    seconds=st.floats(0.1, 1e6),
)  # fmt: skip
def test_charge_stays_within_the_battery_and_a_brown_out_means_empty(
    charge: float, sunlit: float, load: float, seconds: float
) -> None:
    after, brown_out = charge_after_wh(MODEL, np.array([charge]), np.array([sunlit]), load, seconds)
    assert 0 <= after[0] <= 1000
    assert not brown_out[0] or after[0] == 0
    more, _ = charge_after_wh(MODEL, np.array([charge]), np.array([sunlit]), load + 10, seconds)
    assert more[0] <= after[0]
