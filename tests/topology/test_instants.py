"""Instants: Julian dates, where a series starts, and warnings about old elements."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.topology.element_tables import round_fleet

from leotrek_opt.errors import InputError
from leotrek_opt.models.constellation import ElementTable, WalkerShell
from leotrek_opt.models.continuum import Continuum, NodeTable, TimeGrid
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.generated import topology_generator
from leotrek_opt.topology.instants import (
    EpochAgeWarning,
    instant_of,
    julian_date,
    start_instant,
    step_instant,
)

EPOCH = datetime(2024, 7, 2, 1, tzinfo=UTC)
SHELL = WalkerShell(planes=2, satellites_per_plane=3, inclination_deg=53.0, altitude_km=550.0)


def test_julian_date_of_known_instants() -> None:
    assert julian_date(datetime(2000, 1, 1, 12, tzinfo=UTC)) == (2_451_544.5, 0.5)
    assert julian_date(datetime(2024, 12, 16, tzinfo=UTC)) == (2_460_660.5, 0.0)
    assert julian_date(datetime(1957, 10, 4, tzinfo=UTC)) == (2_436_115.5, 0.0)
    vienna = timezone(timedelta(hours=2))
    assert julian_date(datetime(2024, 7, 2, 3, tzinfo=vienna)) == julian_date(EPOCH)


def test_offsets_carry_into_later_days() -> None:
    midnight = datetime(2024, 12, 16, tzinfo=UTC)
    assert julian_date(midnight, 2.5 * 86_400) == (2_460_662.5, 0.5)


@given(
    st.datetimes(
        min_value=datetime(1950, 1, 1), max_value=datetime(2105, 1, 1), timezones=st.just(UTC)
    )
)
def test_an_instant_survives_its_julian_date(instant: datetime) -> None:
    assert instant_of(*julian_date(instant)) == instant


def fleet_of_epochs(*days: float) -> ElementTable:
    fleet = round_fleet(len(days))
    return fleet.replace(epoch_jd=np.array(days))


def test_the_start_is_given_or_the_newest_epoch_of_all() -> None:
    given_start = TimeGrid(start=EPOCH)
    fleet = fleet_of_epochs(2_460_659.5, 2_460_661.5, 2_460_660.5)
    topology = GeneratedTopology(fleet=fleet, inter_satellite=None)
    assert start_instant(topology, given_start) == EPOCH
    assert start_instant(topology, TimeGrid()) == datetime(2024, 12, 17, 6, tzinfo=UTC)
    for epoch in (EPOCH, datetime(2025, 1, 1, tzinfo=UTC)):
        both = topology.replace(shells=(SHELL,), epoch=epoch)
        assert start_instant(both, TimeGrid()) == max(epoch, datetime(2024, 12, 17, 6, tzinfo=UTC))


def continuum(topology: GeneratedTopology, time: TimeGrid) -> Continuum:
    count = topology.satellite_count
    return Continuum(
        nodes=NodeTable(
            id=tuple(f"s{k}" for k in range(count)),
            kind=("satellite",) * count,
            architecture=("arm64",) * count,
            capacity={},
        ),
        time=time,
        topology=topology,
    )


def test_a_grid_without_start_begins_at_the_epoch() -> None:
    topology = GeneratedTopology(shells=(SHELL,), epoch=EPOCH)
    implicit = topology_generator(continuum(topology, TimeGrid(steps=2))).satellites(1)
    explicit = topology_generator(
        continuum(topology, TimeGrid(steps=2, start=EPOCH, offsets_s=(10.0, 60.0)))
    ).satellites(1)
    assert implicit.time == explicit.time == EPOCH + timedelta(seconds=60)
    assert (implicit.position_km == explicit.position_km).all()


def test_old_elements_are_warned_of_once_and_the_worst_is_named() -> None:
    fleet = fleet_of_epochs(2_460_659.5, 2_460_650.5, 2_460_655.5)
    topology = GeneratedTopology(fleet=fleet, inter_satellite=None)
    made = continuum(topology, TimeGrid(steps=2, step_s=86_400.0))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        generator = topology_generator(made)
        generator.state(0)
        generator.state(1)
    (warning,) = caught
    assert warning.category is EpochAgeWarning
    assert str(warning.message) == (
        'step 1 is 10.0 days from the epoch of satellite "s1", more than 7: elements that old '
        "place it poorly"
    )
    assert warning.filename == __file__


@pytest.mark.parametrize("days", [-7.5, 7.5])
def test_elements_from_the_future_are_old_too(days: float) -> None:
    topology = GeneratedTopology(shells=(SHELL,), epoch=EPOCH)
    start = EPOCH + timedelta(days=days)
    with pytest.warns(EpochAgeWarning, match='step 0 is 7.5 days from the epoch of satellite "s0"'):
        topology_generator(continuum(topology, TimeGrid(start=start)))


def test_a_week_is_no_reason_to_warn() -> None:
    topology = GeneratedTopology(shells=(SHELL,), epoch=EPOCH)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        topology_generator(continuum(topology, TimeGrid(steps=8, step_s=86_400.0)))


def test_a_grid_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(InputError, match=r"time: 1e\+12 s after the start is beyond the year 9999"):
        step_instant(EPOCH, 1e12)
    topology = GeneratedTopology(shells=(SHELL,), epoch=EPOCH)
    with pytest.raises(InputError, match=r"time: .* beyond the year 9999"):
        topology_generator(continuum(topology, TimeGrid(steps=1000, step_s=1e9)))
