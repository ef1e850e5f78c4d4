"""Snapshots with different links become one pattern that materialises to the same snapshots."""

from __future__ import annotations

import numpy as np
import pytest

from leotrek_opt.errors import InputError
from leotrek_opt.instances.link_pattern import LinkColumns, link_pattern
from leotrek_opt.models.continuum import Continuum, NodeTable, TimeGrid
from leotrek_opt.topology.materialise import materialise


def columns(*links: tuple[int, int, float]) -> LinkColumns:
    table = np.array(links, dtype=float).reshape(-1, 3)
    return table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2]


def test_link_pattern_gives_every_snapshot_back() -> None:
    snapshots = [
        ((0, 1, 1.5), (2, 3, 2.0)),
        ((0, 1, 1.25), (1, 2, 7.0)),
        (),
        ((2, 3, 2.5), (1, 2, 6.0)),
    ]
    continuum = Continuum(
        nodes=NodeTable(
            id=tuple("abcd"), kind=("edge",) * 4, architecture=("arm64",) * 4, capacity={}
        ),
        time=TimeGrid(steps=4),
        topology=link_pattern([columns(*links) for links in snapshots], 4),
    )
    series = materialise(continuum)
    for step, links in enumerate(snapshots):
        found = series.snapshot(step)
        up = zip(found.source, found.target, found.latency_ns / 1e6, strict=True)
        assert {(int(a), int(b), float(ms)) for a, b, ms in up} == set(links)


def test_link_pattern_takes_both_directions_as_one_link() -> None:
    pattern = link_pattern([columns((1, 0, 1.0)), columns((0, 1, 2.0))], 2)
    assert pattern.source.tolist() == [0]
    assert pattern.latency_ms.tolist() == [[1.0], [2.0]]
    assert pattern.events is None


def test_link_pattern_refuses_a_link_listed_twice() -> None:
    with pytest.raises(InputError, match="step 1 links nodes 0 and 2 twice"):
        link_pattern([columns((0, 1, 1.0)), columns((0, 2, 1.0), (2, 0, 1.5))], 3)
