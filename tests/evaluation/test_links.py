"""Routes, latency limits and bandwidth floors of data edges and data sources, by hand."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from tests.evaluation.builders import check, continuum, messages, problem, rules

from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.models.topology import LinkEvents
from leotrek_opt.models.workflow import DataEdge, DataSource, Function

# a - b - c - d with 1, 2, 4 ms and 100, 50, 10 Mbit/s; e stands alone.
LINE: list[tuple[str, str, float, float]] = [
    ("a", "b", 1.0, 100.0),
    ("b", "c", 2.0, 50.0),
    ("c", "d", 4.0, 10.0),
]


def with_edge(**fields: Any) -> PlacementProblem:
    return problem(
        continuum("abcde", LINE),
        [Function(id="f"), Function(id="g")],
        [DataEdge(source="f", target="g", **fields)],
    )


def with_source(node: str = "a", **fields: Any) -> PlacementProblem:
    source = DataSource(id="eo", node=node, **fields)
    return problem(continuum("abcde", LINE), [Function(id="f", data_sources=(source,))])


def test_latency_limit_is_inclusive_to_the_nanosecond() -> None:
    assert rules(check(with_edge(max_latency_ms=3.0), f="a", g="c")) == []
    evaluation = check(with_edge(max_latency_ms=2.999999), f="a", g="c")
    assert rules(evaluation) == [("max_latency", "w/f -> w/g")]
    assert messages(evaluation) == [
        "max_latency: w/f -> w/g takes 3 ms at step 0, limit 2.999999 ms: a > b > c"
    ]


def test_limit_is_rounded_to_nanoseconds_like_latencies() -> None:
    # 2.9999996 ms is 3 ms after rounding to 1e-6 ms.
    assert rules(check(with_edge(max_latency_ms=2.9999996), f="a", g="c")) == []


def test_limit_of_zero_allows_only_one_node_or_links_without_latency() -> None:
    assert rules(check(with_edge(max_latency_ms=0.0), f="d", g="d")) == []
    assert rules(check(with_edge(max_latency_ms=0.0), f="c", g="d")) == [
        ("max_latency", "w/f -> w/g")
    ]


def test_nodes_without_a_route_are_named() -> None:
    evaluation = check(with_edge(max_latency_ms=1.0), f="a", g="e")
    assert messages(evaluation) == [
        "route: w/f -> w/g has no route at step 0 from node a to node e"
    ]
    assert evaluation.objective_ns is None


def test_bandwidth_floor_cuts_links_below_it() -> None:
    assert rules(check(with_edge(min_bandwidth_mbps=50.0), f="a", g="c")) == []
    evaluation = check(with_edge(min_bandwidth_mbps=50.000001), f="a", g="c")
    assert rules(evaluation) == [("route", "w/f -> w/g")]
    assert messages(evaluation) == [
        "route: w/f -> w/g has no route at step 0 from node a to node c "
        "over links with at least 50.000001 Mbit/s"
    ]


def test_bandwidth_floor_can_force_a_longer_route() -> None:
    # a-b directly 1 ms at 10 Mbit/s, or over c 2 + 3 = 5 ms at 100.
    links = [("a", "b", 1.0, 10.0), ("a", "c", 2.0, 100.0), ("c", "b", 3.0, 100.0)]
    edges = [DataEdge(source="f", target="g", min_bandwidth_mbps=11.0, max_latency_ms=4.0)]
    asked = problem(continuum("abc", links), [Function(id="f"), Function(id="g")], edges)
    evaluation = check(asked, f="a", g="b")
    assert messages(evaluation) == [
        "max_latency: w/f -> w/g takes 5 ms at step 0, limit 4 ms: a > c > b"
    ]
    assert evaluation.objective_ns == 5_000_000


def test_one_node_meets_every_requirement() -> None:
    asked = with_edge(max_latency_ms=0.0, min_bandwidth_mbps=1e9, size_bytes=10**13)
    evaluation = check(asked, f="e", g="e")
    assert rules(evaluation) == []
    assert evaluation.breakdown.links[0].transfer_ms == 0


def test_data_source_has_its_own_rule_and_counts_without_the_objective() -> None:
    assert rules(check(with_source(max_latency_ms=3.0), f="c")) == []
    evaluation = check(with_source(max_latency_ms=3.0), f="d")
    assert rules(evaluation) == [("data_source", "eo -> w/f")]
    assert messages(evaluation) == [
        "data_source: eo -> w/f takes 7 ms at step 0, limit 3 ms: a > b > c > d"
    ]
    assert evaluation.objective_ns == 0


def test_data_source_without_route_breaks_the_route_rule() -> None:
    evaluation = check(with_source(node="e"), f="a")
    assert messages(evaluation) == ["route: eo -> w/f has no route at step 0 from node e to node a"]
    # The source does not count in the objective, so that is still known.
    assert evaluation.objective_ns == 0
    wide = with_source(min_bandwidth_mbps=20.0)
    assert rules(check(wide, f="c")) == []
    assert rules(check(wide, f="d")) == [("route", "eo -> w/f")]


def moving(edge_step: int, **fields: Any) -> PlacementProblem:
    """Return f -> g where g is measured at some step: 1 ms at step 0, 5 at 1, down at 2."""
    where = continuum(
        "ab",
        [("a", "b", 1.0)],
        steps=3,
        latency_ms=[[1.0], [5.0], [9.0]],
        link_events=LinkEvents(step=np.array([2]), link=np.array([0]), up=np.array([False])),
    )
    source = DataSource(id="eo", node="a", **fields)
    return problem(
        where,
        [Function(id="f", step=0), Function(id="g", step=edge_step, data_sources=(source,))],
        [DataEdge(source="f", target="g", **fields)],
    )


@pytest.mark.parametrize(("step", "latency_ms"), [(0, 1.0), (1, 5.0), (2, None)])
def test_links_are_measured_at_the_step_of_the_function_that_takes_the_data(
    step: int, latency_ms: float | None
) -> None:
    evaluation = check(moving(step), f="a", g="b")
    assert [link.latency_ms for link in evaluation.breakdown.links] == [latency_ms] * 2
    broken = [] if latency_ms else [("route", "w/f -> w/g"), ("route", "eo -> w/g")]
    assert rules(evaluation) == broken


def test_breakdown_lists_edges_then_sources_with_what_they_cost() -> None:
    # 8 * 12_500 bytes = 0.1 Mbit: over a-b-c at 50 Mbit/s 2 ms, from d to c at 10 Mbit/s 10 ms.
    source = DataSource(id="eo", node="d", size_bytes=12_500, max_latency_ms=9.0)
    asked = problem(
        continuum("abcde", LINE),
        [Function(id="f"), Function(id="g", data_sources=(source,))],
        [DataEdge(source="f", target="g", size_bytes=12_500)],
    )
    edge, eo = check(asked, f="a", g="c").breakdown.links
    assert (edge.source, edge.target, edge.is_data_source) == ("f", "g", False)
    assert (edge.latency_ms, edge.transfer_ms, edge.max_latency_ms) == (3.0, 5.0, None)
    assert (eo.source, eo.target, eo.is_data_source) == ("eo", "g", True)
    assert (eo.latency_ms, eo.transfer_ms, eo.max_latency_ms) == (4.0, 14.0, 9.0)


def test_store_and_forward_changes_transfers_and_no_latency() -> None:
    # 0.1 Mbit over a-b at 100 and b-c at 50 Mbit/s: 3 ms + 1 ms + 2 ms.
    asked = with_edge(size_bytes=12_500).replace(forwarding="store_and_forward")
    (edge,) = check(asked, f="a", g="c").breakdown.links
    assert (edge.latency_ms, edge.transfer_ms) == (3.0, 6.0)


def test_long_routes_are_shortened_in_the_middle() -> None:
    nodes = "abcdefghijklmn"
    links = [(here, there, 1.0) for here, there in pairwise(nodes)]
    edge = DataEdge(source="f", target="g", max_latency_ms=1.0)
    asked = problem(continuum(nodes, links), [Function(id="f"), Function(id="g")], [edge])
    assert messages(check(asked, f="a", g="n")) == [
        "max_latency: w/f -> w/g takes 13 ms at step 0, limit 1 ms: "
        "a > b > c > d > ... 6 more ... > k > l > m > n"
    ]
