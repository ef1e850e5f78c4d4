"""Recordings in memory: replay, digests, documents."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest
from tests.topology.small_topologies import SATELLITES, small_continuum, state_bytes

from leotrek_opt.errors import InputError
from leotrek_opt.models.continuum import Continuum, TimeGrid
from leotrek_opt.models.ground_links import FibreLinks, GroundLinks
from leotrek_opt.models.inter_satellite import PlusGrid
from leotrek_opt.models.link_models import RfLink
from leotrek_opt.models.topology import ExplicitTopology
from leotrek_opt.topology.generated import topology_generator
from leotrek_opt.topology.materialise import materialise
from leotrek_opt.topology.positions import positions
from leotrek_opt.topology.recording import MemoryRecorder, Output, Recording, Run
from leotrek_opt.topology.recording.collector import StepCollector
from leotrek_opt.topology.recording.columns import chained_digest, joined
from leotrek_opt.topology.simulation import record
from leotrek_opt.topology.state import TopologyState

RADIO = RfLink(frequency_ghz=20.0, channel_mhz=250.0, eirp_dbw=36.0, gain_over_temperature_db_k=9.0)


def limited(**bandwidths: object) -> Continuum:
    return small_continuum(
        inter_satellite=PlusGrid(bandwidth_mbps=10_000.0),
        ground=GroundLinks(strategy="all_visible", min_elevation_deg=10.0, **bandwidths),  # type: ignore[arg-type]
        fibre=FibreLinks(neighbours=1, bandwidth_mbps=123.456789),
    )


@pytest.mark.parametrize(
    "make",
    [
        small_continuum,
        lambda: small_continuum(ground_relay=False),
        lambda: limited(bandwidth_mbps=500.0),
        lambda: limited(link_model=RADIO),
        lambda: small_continuum(ground=None, fibre=None, inter_satellite=None),
    ],
)
def test_replay_is_what_was_recorded_bit_by_bit(make: Callable[[], Continuum]) -> None:
    made = make()
    recording = record(made)
    expected = [state_bytes(state) for state in topology_generator(made).states()]
    assert [state_bytes(state) for state in recording.states()] == expected
    assert [state_bytes(recording.state(row)) for row in (4, 1)] == [expected[4], expected[1]]
    assert [recording.instant(row) for row in range(6)] == [each[1] for each in expected]
    assert record(recording) == recording


def test_replayed_arrays_cannot_be_written_to() -> None:
    state = record(small_continuum()).state(2)
    for array in (state.position_km, state.satellites.position_km, state.links.latency_ns):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_a_lost_satellite_is_replayed_as_lost() -> None:
    states = list(topology_generator(small_continuum()).states())
    lost = states[3]
    position = lost.position_km.copy()
    # Another NaN than usual, as some operations give.
    position[7] = np.array([0xFFF8_0000_0000_0001], dtype=np.uint64).view(np.float64)
    valid = lost.satellites.valid.copy()
    valid[7] = False
    states[3] = dataclasses.replace(
        lost,
        position_km=position,
        satellites=dataclasses.replace(
            lost.satellites, position_km=position[:SATELLITES], valid=valid
        ),
    )
    recording = recorded(states)
    replayed = recording.state(3)
    assert np.isnan(replayed.position_km[7]).all()
    assert np.isnan(replayed.satellites.position_km[7]).all()
    assert replayed.satellites.valid.tolist() == valid.tolist()
    position[7] = np.nan
    assert recorded(states) == recording
    frozen = recording.continuum()
    assert np.isnan(positions(frozen, 0).latitude_deg[7])
    assert np.isfinite(positions(frozen, 0).latitude_deg[8])


def recorded(states: list[TopologyState], position_type: str = "float64") -> Recording:
    recorder = MemoryRecorder(position_type)  # type: ignore[arg-type]
    recorder.begin(Run(small_continuum().nodes))
    for state in states:
        recorder.add(state, {})
    return recorder.recording()


def test_single_precision_keeps_positions_to_half_a_metre() -> None:
    made = small_continuum()
    small, exact = record(made, position_type="float32"), record(made)
    assert small.layout.position_type == "float32"
    assert small.columns.position_km.nbytes * 2 == exact.columns.position_km.nbytes
    for mine, theirs in zip(small.states(), exact.states(), strict=True):
        assert np.abs(mine.position_km - theirs.position_km).max() < 5e-4
        assert mine.position_km.dtype == np.float64
        assert (mine.links.latency_ns == theirs.links.latency_ns).all()
    assert small != exact
    assert record(small, position_type="float32") == small


def test_digest_does_not_depend_on_blocks_but_on_every_column() -> None:
    recording = record(limited(link_model=RADIO))
    layout, links, columns = recording.layout, recording.links, recording.columns
    states = list(recording.states())
    for size in (1, 4):
        collector = StepCollector(Run(layout.nodes), layout=layout)
        digest, blocks = layout.digest, []
        for start in range(0, 6, size):
            for state in states[start : start + size]:
                collector.add(state, {})
            blocks.append(collector.take())
            digest = chained_digest(digest, collector.links.table(), blocks[-1])
        assert digest.hex() == recording.digest
        assert Recording(layout, collector.links.table(), joined(blocks)) == recording
    for name in (
        "step", "time_us", "julian_day", "day_fraction", "position_km", "latency_ns",
        "bandwidth_bps",
    ):  # fmt: skip
        column = getattr(columns, name).copy()
        column.reshape(-1)[-1] += 1
        changed = dataclasses.replace(columns, **{name: column})
        assert Recording(layout, links, changed) != recording
    kind = links.kind.copy()
    kind[0] = 2
    assert Recording(layout, dataclasses.replace(links, kind=kind), columns) != recording
    renamed = dataclasses.replace(layout, source_digest="0" * 64)
    assert Recording(renamed, links, columns) == recording


@pytest.mark.parametrize(
    "make",
    [
        small_continuum,
        lambda: small_continuum(ground_relay=False),
        lambda: limited(bandwidth_mbps=500.0),
        lambda: small_continuum(steps=1),
    ],
)
def test_continuum_of_a_recording_has_the_series_of_the_original(
    make: Callable[[], Continuum],
) -> None:
    made = make()
    document = record(made).continuum()
    assert isinstance(document.topology, ExplicitTopology)
    again = Continuum.model_validate_json(document.model_dump_json())
    assert again == document
    assert materialise(again).digest == materialise(made).digest
    for step in range(made.time.steps):
        for mine, theirs in zip(positions(again, step), positions(made, step), strict=True):
            assert mine == pytest.approx(theirs, abs=1e-9)


def test_continuum_keeps_bandwidths_that_change() -> None:
    made = limited(link_model=RADIO)
    recording = record(made)
    series = materialise(recording.continuum())
    for step, state in enumerate(topology_generator(made).states()):
        snapshot = series.snapshot(step)
        for name in ("source", "target", "latency_ns", "bandwidth_bps"):
            assert getattr(snapshot, name).tolist() == getattr(state.links, name).tolist()


def test_continuum_of_uneven_steps_lists_their_offsets() -> None:
    made = small_continuum().replace(time=TimeGrid(steps=3, offsets_s=(0.0, 10.5, 3000.0)))
    document = record(made).continuum()
    assert document.time.offsets_s == (0.0, 10.5, 3000.0)
    assert materialise(document).digest == materialise(made).digest


def test_parallel_links_stay_apart() -> None:
    made = small_continuum(steps=2)
    document = record(made).continuum().replace(
        topology=ExplicitTopology(
            source=np.array([3, 0, 1, 0]),
            target=np.array([0, 1, 0, 43]),
            latency_ms=np.array([[3.0, 1.0, 2.0, 4.0], [5.0, 1.5, 2.5, 4.5]]),
        )
    )  # fmt: skip
    recording = record(document)
    state = recording.state(1)
    assert state.links.source.tolist() == [0, 0, 0, 0]
    assert state.links.target.tolist() == [1, 1, 3, 43]
    assert state.links.latency_ns.tolist() == [1_500_000, 2_500_000, 5_000_000, 4_500_000]
    assert state.link_kind.tolist() == [0, 0, 0, 1]
    again = recording.continuum()
    assert isinstance(again.topology, ExplicitTopology)
    assert again.topology.target.tolist() == [1, 1, 3, 43]
    for mine, theirs in zip(record(again).states(), recording.states(), strict=True):
        assert mine.links.target.tolist() == theirs.links.target.tolist()
        assert mine.links.latency_ns.tolist() == theirs.links.latency_ns.tolist()


def test_steps_must_come_in_order_and_go_together() -> None:
    first, second = topology_generator(small_continuum()).states(0, 2)
    nothing = StepCollector(Run(small_continuum().nodes))
    with pytest.raises(InputError, match="nothing was recorded"):
        _ = nothing.layout
    nothing.add(second, {})
    with pytest.raises(InputError, match="step 0: comes no later than step 1"):
        nothing.add(first, {})
    later = dataclasses.replace(first, step=5, time=first.time + timedelta(hours=1))
    with pytest.raises(InputError, match="positions of 44 nodes"):
        nothing.add(dataclasses.replace(later, position_km=later.position_km[:-1]), {})
    bounded = dataclasses.replace(
        later.links, bandwidth_bps=np.ones(len(later.links), dtype=np.int64)
    )
    with pytest.raises(InputError, match="limit bandwidth at all steps or at none"):
        nothing.add(dataclasses.replace(later, links=bounded), {})
    relay = np.zeros(44, dtype=bool)
    with pytest.raises(InputError, match="same relays"):
        nothing.add(
            dataclasses.replace(later, links=dataclasses.replace(later.links, relay=relay)), {}
        )
    with pytest.raises(InputError, match="nothing was recorded"):
        MemoryRecorder().recording()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"dtype": "complex128"}, "dtype: must be one of float64"),
        ({"per": "link"}, "per: must be node, satellite or step"),
        ({"shape": (0,)}, "shape: must be at most three positive sizes"),
        ({"shape": (2, 2, 2, 2)}, "shape: must be at most three positive sizes"),
    ],
)
def test_outputs_that_cannot_be_stored_are_refused(bad: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Output(**bad)  # type: ignore[arg-type]


def test_satellites_must_come_first() -> None:
    nodes = small_continuum().nodes
    kinds = ("cloud", *nodes.kind[1:-1], "satellite")
    with pytest.raises(InputError, match=r'nodes.kind\[0\]: satellites must come first.*"n0"'):
        StepCollector(Run(nodes.replace(kind=kinds))).add(
            topology_generator(small_continuum()).state(0), {}
        )
