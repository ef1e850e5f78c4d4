"""Materialising an explicit topology: quanta, events, and series that cannot be exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.errors import InputError
from leotrek_opt.models.continuum import Continuum, NodeTable, TimeGrid
from leotrek_opt.models.topology import ExplicitTopology, LinkEvents
from leotrek_opt.topology.materialise import materialise


def continuum(nodes: int, steps: int, **topology: object) -> Continuum:
    return Continuum(
        nodes=NodeTable(
            id=tuple(f"n{k}" for k in range(nodes)),
            kind=("edge",) * nodes,
            architecture=("arm64",) * nodes,
            capacity={},
        ),
        time=TimeGrid(steps=steps),
        topology=ExplicitTopology(**topology),  # type: ignore[arg-type]
    )


def test_latency_and_bandwidth_become_integers_rounded_half_to_even() -> None:
    series = materialise(
        continuum(
            3,
            2,
            source=[0, 1],
            target=[1, 2],
            latency_ms=[[1.0000005, 2.0000015], [0.0000005, 100000.0]],
            bandwidth_mbps=[[0.001, 5.0000005]],
        )
    )
    assert series.latency_ns.tolist() == [[1_000_000, 2_000_002], [0, 100_000_000_000]]
    assert series.bandwidth_bps is not None
    assert series.bandwidth_bps.tolist() == [[1000, 5_000_000]]
    assert series.up is None
    assert series.steps == 2


def test_bandwidth_is_unlimited_without_a_column() -> None:
    series = materialise(continuum(2, 1, source=[0], target=[1], latency_ms=[[1.0]]))
    assert series.snapshot(0).bandwidth_bps is None


def test_a_topology_may_have_no_link() -> None:
    series = materialise(continuum(2, 3, source=[], target=[], latency_ms=[[]]))
    assert len(series.snapshot(2)) == 0


def test_an_event_holds_until_the_next_of_its_link() -> None:
    series = materialise(
        continuum(
            3,
            5,
            source=[0, 1],
            target=[1, 2],
            latency_ms=[[1.0, 2.0]],
            events=LinkEvents(step=[3, 1, 1, 1], link=[0, 0, 1, 1], up=[True, False, False, True]),
        )
    )
    assert series.up is not None
    assert series.up[:, 0].tolist() == [True, False, False, True, True]
    assert series.up[:, 1].all()


def test_impossible_exactness_is_refused() -> None:
    with pytest.raises(InputError, match="exact arithmetic"):
        materialise(continuum(100_000, 1, source=[0], target=[1], latency_ms=[[100_000.0]]))


@given(data=st.data(), steps=st.integers(1, 6), links=st.integers(1, 4))
def test_events_agree_with_playing_them_one_by_one(
    data: st.DataObject, steps: int, links: int
) -> None:
    rows = data.draw(
        st.lists(
            st.tuples(st.integers(0, steps - 1), st.integers(0, links - 1), st.booleans()),
            max_size=20,
        )
    )
    series = materialise(
        continuum(
            2,
            steps,
            source=[0] * links,
            target=[1] * links,
            latency_ms=[[1.0] * links],
            events=LinkEvents(
                step=[row[0] for row in rows],
                link=[row[1] for row in rows],
                up=[row[2] for row in rows],
            ),
        )
    )
    state = [True] * links
    for step in range(steps):
        for at, link, up in rows:
            if at == step:
                state[link] = up
        assert (np.ones(links, bool) if series.up is None else series.up[step]).tolist() == state
