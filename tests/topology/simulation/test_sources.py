"""Where states come from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.topology.small_topologies import EPOCH, small_continuum

from leotrek_opt.errors import InputError
from leotrek_opt.models.continuum import TimeGrid
from leotrek_opt.topology.freeze import freeze
from leotrek_opt.topology.simulation import StateSource, record, simulate, state_source
from leotrek_opt.topology.simulation.sources import UNDATED_START


def test_an_explicit_topology_gives_the_states_of_what_it_was_frozen_from() -> None:
    made = small_continuum(ground_relay=False)
    frozen = freeze(made)
    frozen = frozen.replace(time=frozen.time.replace(start=EPOCH))
    for mine, theirs in zip(simulate(frozen), simulate(made), strict=True):
        assert mine.time == theirs.time
        assert mine.state.satellites.julian_day == theirs.state.satellites.julian_day
        assert mine.state.satellites.valid.all()
        assert mine.state.position_km == pytest.approx(theirs.state.position_km, abs=1e-6)
        for name in ("source", "target", "latency_ns", "relay"):
            assert (
                getattr(mine.state.links, name).tolist()
                == getattr(theirs.state.links, name).tolist()
            )
        assert mine.state.link_kind.tolist() == theirs.state.link_kind.tolist()


def test_a_grid_without_start_is_dated_by_convention() -> None:
    frozen = freeze(small_continuum())
    frozen = frozen.replace(time=TimeGrid(steps=6, step_s=120.0))
    assert [result.time for result in simulate(frozen)][:2] == [
        UNDATED_START,
        UNDATED_START + timedelta(seconds=120),
    ]
    start = datetime(2031, 1, 1, tzinfo=UTC)
    dated = frozen.replace(time=frozen.time.replace(start=start))
    assert next(simulate(dated)).time == start


def test_nodes_without_position_stay_without() -> None:
    frozen = freeze(small_continuum()).replace(positions=())
    state = next(simulate(frozen)).state
    assert np.isnan(state.position_km).all()
    assert len(state.links)
    assert record(frozen).continuum().positions == ()


def test_sources_are_told_apart() -> None:
    made = small_continuum()
    recording = record(made)
    assert state_source(recording) is recording
    source = state_source(made)
    assert isinstance(source, StateSource)
    assert source.steps == 6
    assert [source.instant(row) for row in (0, 5)] == [EPOCH, EPOCH + timedelta(minutes=10)]
    assert source.outputs(3) == {}
    assert source.run.source_digest == recording.run.source_digest
    nodes = made.nodes.replace(kind=(*made.nodes.kind[:-1], "satellite"))
    frozen = freeze(made)
    with pytest.raises(InputError, match="satellites must come first"):
        state_source(frozen.replace(nodes=nodes))


def test_a_source_that_breaks_off_is_refused() -> None:
    class Short:
        def __init__(self) -> None:
            self.recording = record(small_continuum())
            self.nodes, self.run = self.recording.nodes, self.recording.run
            self.instant, self.outputs = self.recording.instant, self.recording.outputs
            self.steps = 6

        def states(self, start: int = 0, stop: int | None = None) -> object:
            return self.recording.states(start, 4)

    with pytest.raises(InputError, match="continuum: has no state for step 4"):
        list(simulate(Short()))  # type: ignore[arg-type]
