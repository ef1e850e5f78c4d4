"""Links of a step put together: order, kinds, and a graph equal to that of sorting everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.topology.routing import RouteGraph
from leotrek_opt.topology.state import LinkPairs
from leotrek_opt.topology.step_graph import (
    Links,
    Pattern,
    StepLinks,
    no_links,
)


def links(
    pairs: set[tuple[int, int]], numbers: np.random.Generator, limited: bool, twice: bool = False
) -> Links:
    ordered = sorted([*pairs, *pairs] if twice else pairs)
    source, target = np.array(ordered, dtype=np.int32).reshape(-1, 2).T
    return Links(
        source,
        target,
        numbers.integers(0, 50, len(ordered)).astype(float),
        numbers.integers(1, 9, len(ordered)) if limited else None,
    )


@st.composite
def steps(draw: st.DrawFn) -> StepLinks:
    satellites, ground = draw(st.integers(1, 7)), draw(st.integers(0, 4))
    numbers = np.random.default_rng(draw(st.integers(0, 2**32)))
    limited = draw(st.booleans())
    n_nodes = satellites + ground

    def some(pairs: list[tuple[int, int]]) -> set[tuple[int, int]]:
        return set(draw(st.lists(st.sampled_from(pairs), max_size=12))) if pairs else set()

    space = [(a, b) for b in range(satellites) for a in range(b)]
    between = links(some(space), numbers, limited)
    down = [(a, b) for a in range(satellites) for b in range(satellites, n_nodes)]
    earth = [(a, b) for b in range(satellites, n_nodes) for a in range(satellites, b)]
    pairs = LinkPairs(between.source.astype(np.int64), between.target.astype(np.int64))
    up = numbers.random(len(between)) < 0.7 if draw(st.booleans()) else None
    latency = between.latency_ns
    if up is not None:
        # What is down need not even have a length.
        latency[~up] = np.nan
    relay = None
    if draw(st.booleans()):
        relay = np.arange(n_nodes) < satellites
    return StepLinks(
        n_nodes=n_nodes,
        pattern=Pattern(pairs, satellites),
        latency_ns=latency,
        bandwidth_bps=between.bandwidth_bps,
        up=up,
        ground=links(some(down), numbers, limited),
        terrestrial=links(some(earth), numbers, limited, twice=draw(st.booleans())),
        relay=relay,
    )


@given(steps())
def test_snapshot_holds_all_links_that_are_up_in_order(step: StepLinks) -> None:
    snapshot, kind = step.snapshot()
    up = np.ones(len(step.latency_ns), dtype=bool) if step.up is None else step.up
    expected = []
    for number, part, kept in (
        (0, step.pattern, up),
        (1, step.ground, slice(None)),
        (2, step.terrestrial, slice(None)),
    ):
        latency, bandwidth = (
            (step.latency_ns, step.bandwidth_bps)
            if isinstance(part, Pattern)
            else (part.latency_ns, part.bandwidth_bps)
        )
        rows = [part.source[kept], part.target[kept], latency[kept]]
        rows.append(np.zeros(len(rows[0])) if bandwidth is None else bandwidth[kept])
        expected += [(*row, number) for row in np.stack(rows, axis=1).tolist()]
    found = np.stack(
        (
            snapshot.source,
            snapshot.target,
            snapshot.latency_ns,
            np.zeros(len(snapshot)) if snapshot.bandwidth_bps is None else snapshot.bandwidth_bps,
            kind,
        ),
        axis=1,
    )
    pairs = list(zip(snapshot.source.tolist(), snapshot.target.tolist(), strict=True))
    assert pairs == sorted(pairs)
    assert sorted(map(tuple, found.tolist())) == sorted(expected)
    assert (snapshot.bandwidth_bps is None) == (step.bandwidth_bps is None)
    assert snapshot.relay is step.relay
    assert [column.dtype for column in (snapshot.source, snapshot.target)] == [np.int32] * 2
    assert (snapshot.latency_ns.dtype, kind.dtype) == (np.int64, np.int8)


@given(steps())
def test_graph_is_that_of_the_snapshot(step: StepLinks) -> None:
    graph, other = step.graph(), RouteGraph.of_snapshot(step.snapshot()[0], step.n_nodes)
    assert np.array_equal(graph.indptr, other.indptr)
    assert np.array_equal(graph.head, other.head)
    # Parallel cables may change places: both stand there.
    for mine, theirs in ((graph.weight, other.weight), (graph.bandwidth, other.bandwidth)):
        if mine is None or theirs is None:
            assert mine is theirs is None
            continue
        key = graph.tail * step.n_nodes + graph.head
        order, other_order = np.lexsort((mine, key)), np.lexsort((theirs, key))
        assert np.array_equal(mine[order], theirs[other_order])
    nodes = range(step.n_nodes)
    assert np.array_equal(graph.rows(nodes), other.rows(nodes))
    assert np.array_equal(graph.bottleneck_rows(nodes), other.bottleneck_rows(nodes))


def test_arcs_of_a_pattern_are_both_directions_of_its_links() -> None:
    pattern = Pattern(LinkPairs(np.array([0, 0, 1, 2]), np.array([2, 3, 2, 3])), 5)
    indptr, head, link = pattern.arcs
    assert indptr.tolist() == [0, 2, 3, 6, 8, 8]
    assert head.tolist() == [2, 3, 2, 0, 1, 3, 0, 2]
    assert link.tolist() == [0, 1, 2, 0, 2, 3, 1, 3]


@pytest.mark.parametrize("limited", [False, True])
def test_no_links_have_bandwidths_only_if_asked(limited: bool) -> None:
    empty = no_links(limited=limited)
    assert len(empty) == 0
    assert (empty.bandwidth_bps is not None) == limited
