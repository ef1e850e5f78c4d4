"""A link series: read-only, refused beyond exact arithmetic, equal by digest, cheap snapshots."""

from __future__ import annotations

import numpy as np
import pytest

from leotrek_opt.errors import InputError
from leotrek_opt.topology.series import LinkSeries


def series(**changes: object) -> LinkSeries:
    values = {
        "n_nodes": 3,
        "source": np.array([0, 1]),
        "target": np.array([1, 2]),
        "latency_ns": np.array([[5, 7], [6, 8]]),
        "bandwidth_bps": np.array([[100, 200]]),
        "up": np.array([[True, False], [True, True]]),
        "steps": 2,
    }
    return LinkSeries(**(values | changes))  # type: ignore[arg-type]


def test_snapshot_holds_only_links_that_are_up_in_link_order() -> None:
    snapshot = series().snapshot(0)
    assert len(snapshot) == 1
    assert snapshot.source.tolist() == [0]
    assert snapshot.target.tolist() == [1]
    assert snapshot.latency_ns.tolist() == [5]
    assert snapshot.bandwidth_bps is not None
    assert snapshot.bandwidth_bps.tolist() == [100]
    assert series().snapshot(1).latency_ns.tolist() == [6, 8]


def test_snapshot_of_one_row_repeats_it_and_copies_nothing() -> None:
    constant = series(latency_ns=np.array([[5, 7]]), bandwidth_bps=None, up=None)
    assert constant.snapshot(1).latency_ns.base is constant.latency_ns
    assert constant.snapshot(1).latency_ns.tolist() == [5, 7]
    assert constant.snapshot(1).bandwidth_bps is None


@pytest.mark.parametrize("step", [-1, 2])
def test_snapshot_of_an_unknown_step_is_refused(step: int) -> None:
    with pytest.raises(IndexError, match="there are 2"):
        series().snapshot(step)


def test_arrays_cannot_be_written() -> None:
    given = np.array([[5, 7], [6, 8]])
    made = series(latency_ns=given)
    with pytest.raises(ValueError, match="read-only"):
        made.latency_ns[0, 0] = 1
    given[0, 0] = 99
    assert made.latency_ns[0, 0] == 5


def test_types_are_fixed() -> None:
    made = series()
    assert made.source.dtype == np.int32
    assert made.latency_ns.dtype == np.int64


@pytest.mark.parametrize(
    "change",
    [
        {"n_nodes": 4},
        {"steps": 1, "latency_ns": np.array([[5, 7]]), "up": np.array([[True, False]])},
        {"latency_ns": np.array([[5, 7], [6, 9]])},
        {"source": np.array([0, 0])},
        {"target": np.array([1, 0])},
        {"bandwidth_bps": None},
        {"bandwidth_bps": np.array([[100, 200], [100, 200]])},
        {"up": None},
    ],
)
def test_digest_depends_on_everything(change: dict[str, object]) -> None:
    assert series(**change) != series()
    assert series() == series()
    assert hash(series()) == hash(series())


def test_digest_is_known() -> None:
    """The digest is part of stored results, so it must not drift."""
    expected = "44805fc8ed2216a1668f2dba128de167e3e33bba75fb5c403c1dbb26982c129a"
    assert series().digest == expected


def test_paths_beyond_exact_arithmetic_are_refused() -> None:
    limit = 2**52 - 1
    assert series(latency_ns=np.array([[5, limit]])).n_nodes == 3
    with pytest.raises(InputError, match=r"topology: 3 nodes .* 2\^53"):
        series(latency_ns=np.array([[5, limit + 1]]))


@pytest.mark.parametrize(
    "change",
    [
        {"latency_ns": np.array([[1, 2, 3]])},
        {"latency_ns": np.array([1, 2])},
        {"target": np.array([1])},
        {"up": np.array([[True, False]])},
        {"bandwidth_bps": np.array([[1]])},
    ],
)
def test_disagreeing_shapes_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="shape"):
        series(**change)


def test_who_relays_is_part_of_the_digest_only_if_somebody_does_not() -> None:
    everyone, nobody = np.ones(3, dtype=bool), np.zeros(3, dtype=bool)
    assert series(relay=everyone) == series()
    assert series(relay=everyone).relay is None
    assert series(relay=nobody) != series()
    assert series(relay=nobody) != series(relay=np.array([True, False, False]))
    for step in range(2):
        found = series(relay=nobody).snapshot(step).relay
        assert found is not None
        assert found.tolist() == [False] * 3


def test_who_relays_is_said_of_every_node() -> None:
    with pytest.raises(ValueError, match="disagree in shape"):
        series(relay=np.array([True, False]))


def test_digest_of_a_series_whose_nodes_all_relay_is_that_of_the_first_version() -> None:
    assert series().digest == ("44805fc8ed2216a1668f2dba128de167e3e33bba75fb5c403c1dbb26982c129a")
