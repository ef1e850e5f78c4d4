"""Routes by hand: least latency, then bottleneck, then node order; floors, transfers, no routes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluation.builders import snapshot
from tests.topology.simple_paths import Network, networks

from leotrek_opt.evaluation.routes import (
    Route,
    RouteRequest,
    find_routes,
    snapshot_routes,
    transmission_ns,
)
from leotrek_opt.topology.series import LinkSeries, Snapshot


def route(
    links: Snapshot,
    source: int,
    target: int,
    *,
    floor: int = 0,
    size: int = 0,
    stored: bool = False,
) -> Route | None:
    request = RouteRequest(0, floor, source, target, size)
    return snapshot_routes(links, [request], "store_and_forward" if stored else "cut_through")[
        request
    ]


def test_route_has_least_latency() -> None:
    # 0-1-2 takes 3 + 4 = 7, the direct link 8.
    found = route(snapshot((0, 1, 3), (1, 2, 4), (0, 2, 8)), 0, 2)
    assert found == Route(latency_ns=7, bottleneck_bps=None, nodes=(0, 1, 2), transfer_ns=7)


def test_links_carry_data_both_ways() -> None:
    found = route(snapshot((0, 1, 3), (1, 2, 4)), 2, 0)
    assert found is not None
    assert (found.latency_ns, found.nodes) == (7, (2, 1, 0))


def test_same_node_costs_nothing_and_meets_every_floor() -> None:
    assert route(snapshot((0, 1, 3, 10)), 1, 1, floor=10**15, size=10**9) == Route(0, None, (1,), 0)


def test_equal_latency_is_decided_by_the_larger_bottleneck() -> None:
    # Both 5 + 5: over 1 the bottleneck is min(100, 20) = 20, over 2 it is min(30, 30) = 30.
    links = snapshot((0, 1, 5, 100), (1, 3, 5, 20), (0, 2, 5, 30), (2, 3, 5, 30))
    found = route(links, 0, 3)
    assert found == Route(10, 30, (0, 2, 3), 10)


def test_latency_comes_before_the_bottleneck() -> None:
    found = route(snapshot((0, 1, 4, 1), (0, 2, 3, 100), (2, 1, 2, 100)), 0, 1)
    assert found == Route(4, 1, (0, 1), 4)


def test_bottleneck_of_one_part_does_not_hide_a_wider_other_part() -> None:
    # Two ways 0-3, each 2 ns wide 10 or 40; then one link 3-4 of 25. Best is min(40, 25) = 25.
    links = snapshot((0, 1, 1, 10), (1, 3, 1, 99), (0, 2, 1, 40), (2, 3, 1, 40), (3, 4, 1, 25))
    found = route(links, 0, 4)
    assert found == Route(3, 25, (0, 2, 3, 4), 3)


def test_full_tie_goes_to_the_smaller_node_sequence() -> None:
    # (0, 1, 4, 5) and (0, 2, 3, 5) tie in latency and bottleneck; 1 < 2 decides.
    links = snapshot(
        (0, 2, 1, 9), (2, 3, 1, 9), (3, 5, 1, 9), (0, 1, 1, 9), (1, 4, 1, 9), (4, 5, 1, 9)
    )
    found = route(links, 0, 5)
    assert found is not None
    assert found.nodes == (0, 1, 4, 5)
    backwards = route(links, 5, 0)
    assert backwards is not None
    # Seen from 5 the next nodes are 3 and 4, so the other way round is the smaller sequence.
    assert backwards.nodes == (5, 3, 2, 0)


def test_node_order_does_not_choose_a_narrower_route() -> None:
    links = snapshot((0, 1, 1, 5), (1, 3, 1, 5), (0, 2, 1, 6), (2, 3, 1, 6))
    found = route(links, 0, 3)
    assert found is not None
    assert found.nodes == (0, 2, 3)


def test_links_without_latency_do_not_lead_through_a_node_twice() -> None:
    # 5 and 0 are joined by a link of 0 ns; from 5 to 9 directly 3. The walk 5-0-5-9 is no route.
    found = route(snapshot((5, 0, 0), (5, 9, 3)), 5, 9)
    assert found == Route(3, None, (5, 9), 3)


def test_links_without_latency_are_taken_where_the_sequence_gets_smaller() -> None:
    # From 5 to 9: (5, 0, 9) with 0 + 3 and (5, 9) with 3 tie; 0 < 9 decides.
    found = route(snapshot((5, 0, 0), (0, 9, 3), (5, 9, 3)), 5, 9)
    assert found is not None
    assert found.nodes == (5, 0, 9)


def test_dead_end_among_links_without_latency_is_avoided() -> None:
    # 3 -> 1 costs nothing but from 1 one only gets back through 3; 3 -> 2 -> 4 is the way.
    found = route(snapshot((3, 1, 0), (3, 2, 0), (2, 4, 0), (1, 3, 0)), 3, 4)
    assert found == Route(0, None, (3, 2, 4), 0)


def test_all_links_without_latency_still_give_the_widest_route() -> None:
    links = snapshot((0, 1, 0, 5), (0, 2, 0, 8), (2, 1, 0, 7))
    assert route(links, 0, 1) == Route(0, 7, (0, 2, 1), 0)


def test_floor_admits_links_of_exactly_that_bandwidth() -> None:
    links = snapshot((0, 1, 1, 99), (0, 2, 5, 100), (2, 1, 5, 200))
    assert route(links, 0, 1, floor=99) == Route(1, 99, (0, 1), 1)
    assert route(links, 0, 1, floor=100) == Route(10, 100, (0, 2, 1), 10)
    assert route(links, 0, 1, floor=101) is None


def test_unlimited_links_meet_every_floor() -> None:
    assert route(snapshot((0, 1, 7)), 0, 1, floor=10**15, size=10**12) == Route(7, None, (0, 1), 7)


def test_parts_without_a_path_have_no_route() -> None:
    links = snapshot((0, 1, 1), (2, 3, 1))
    assert route(links, 0, 3) is None
    assert route(links, 0, 9) is None
    assert route(links, 9, 0) is None
    assert route(links, 0, 3, stored=True) is None
    assert route(links, 9, 0, stored=True) is None


def test_parallel_links_count_by_latency_then_bandwidth() -> None:
    # Of three links the fastest are 2 ns with 10 and 30 bit/s; 3 ns with 99 is slower.
    links = snapshot((0, 1, 2, 10), (1, 0, 2, 30), (0, 1, 3, 99))
    assert route(links, 0, 1) == Route(2, 30, (0, 1), 2)
    assert route(links, 0, 1, floor=31) == Route(3, 99, (0, 1), 3)


def test_cut_through_waits_once_for_the_bottleneck() -> None:
    # 8 * 1000 bytes = 8000 bits at 4000 bit/s = 2 s, after 7 ns.
    links = snapshot((0, 1, 3, 4000), (1, 2, 4, 8000))
    found = route(links, 0, 2, size=1000)
    assert found is not None
    assert found.transfer_ns == 7 + 2 * 10**9


def test_store_and_forward_waits_at_every_hop() -> None:
    # 8000 bits: 2 s at 4000 bit/s, then 1 s at 8000 bit/s.
    links = snapshot((0, 1, 3, 4000), (1, 2, 4, 8000))
    found = route(links, 0, 2, size=1000, stored=True)
    assert found == Route(7, 4000, (0, 1, 2), 7 + 3 * 10**9)


def test_store_and_forward_may_take_another_path_than_the_least_latency() -> None:
    # Direct: 1 + 8 s. Over 2: 5 + 5 + 1 s + 1 s. The latency stays that of the direct link.
    links = snapshot((0, 1, 1, 1000), (0, 2, 5, 8000), (2, 1, 5, 8000))
    found = route(links, 0, 1, size=1000, stored=True)
    assert found == Route(1, 1000, (0, 1), 10 + 2 * 10**9)


def test_store_and_forward_may_take_a_slower_parallel_link() -> None:
    # The link of 1 ns needs 8 s, the parallel one of 100 ns only 1 s.
    links = snapshot((0, 1, 1, 1000), (0, 1, 100, 8000))
    found = route(links, 0, 1, size=1000, stored=True)
    assert found == Route(1, 1000, (0, 1), 100 + 10**9)


def test_store_and_forward_respects_the_floor() -> None:
    # The link of 1 ns is too narrow, which leaves 8000 bits at 20 kbit/s = 0.4 s after 1 s.
    links = snapshot((0, 1, 1, 10_000), (0, 1, 10**9, 20_000))
    found = route(links, 0, 1, size=1000, floor=20_000, stored=True)
    assert found == Route(10**9, 20_000, (0, 1), 10**9 + 4 * 10**8)


@pytest.mark.parametrize(
    ("size_bytes", "bandwidth_bps", "expected"),
    [
        (1, 16 * 10**9, 0),  # 0.5 ns goes to the even 0
        (3, 16 * 10**9, 2),  # 1.5 ns goes to the even 2
        (5, 16 * 10**9, 2),  # 2.5 ns goes to the even 2
        (1, 3, 2_666_666_667),  # 8 / 3 s
        (10**13, 10**15, 80 * 10**6),
        (10**13, 1000, 8 * 10**19),  # beyond 64 bits
        (0, 1000, 0),
        (10**13, None, 0),
    ],
)
def test_transmission_is_exact_and_rounds_half_to_even(
    size_bytes: int, bandwidth_bps: int | None, expected: int
) -> None:
    assert transmission_ns(size_bytes, bandwidth_bps) == expected


def test_requests_are_answered_in_their_own_step() -> None:
    series = LinkSeries(
        n_nodes=2,
        source=np.array([0]),
        target=np.array([1]),
        latency_ns=np.array([[5], [6], [7]]),
        bandwidth_bps=np.array([[80]]),
        up=np.array([[True], [True], [False]]),
        steps=3,
    )
    requests = [RouteRequest(step, 0, 0, 1, 10) for step in range(3)]
    routes = find_routes(series, requests)
    # 80 bits at 80 bit/s take one second.
    assert [routes[requests[step]] for step in range(3)] == [
        Route(5, 80, (0, 1), 5 + 10**9),
        Route(6, 80, (0, 1), 6 + 10**9),
        None,
    ]


def test_several_targets_and_sizes_of_one_source_are_told_apart() -> None:
    links = snapshot((0, 1, 1, 1000), (1, 2, 1, 500))
    requests = [RouteRequest(0, 0, 0, target, size) for target in (1, 2) for size in (0, 1000)]
    found = snapshot_routes(links, requests, "store_and_forward")
    times = [getattr(found[request], "transfer_ns", None) for request in requests]
    # 8000 bits: 8 s on the first hop, 16 s on the second.
    assert times == [1, 1 + 8 * 10**9, 2, 2 + 24 * 10**9]


@st.composite
def small_networks(draw: st.DrawFn) -> list[tuple[int, int, int, int]]:
    pair = st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(lambda ends: ends[0] != ends[1])
    links = draw(
        st.lists(st.tuples(pair, st.integers(0, 3), st.integers(1, 4)), min_size=1, max_size=9)
    )
    return [(*ends, latency, bandwidth) for ends, latency, bandwidth in links]


@given(small_networks(), st.integers(0, 4))
def test_route_is_the_best_of_all_simple_paths(
    links: list[tuple[int, int, int, int]], floor: int
) -> None:
    paths: list[tuple[int, int, tuple[int, ...]]] = []
    for length in range(4):
        for between in permutations((1, 2, 3), length):
            nodes = (0, *between, 4)
            hops = [
                [
                    (latency, -bandwidth)
                    for a, b, latency, bandwidth in links
                    if {a, b} == {here, there} and bandwidth >= floor
                ]
                for here, there in pairwise(nodes)
            ]
            if all(hops):
                best = [min(hop) for hop in hops]
                paths.append((sum(hop[0] for hop in best), max(hop[1] for hop in best), nodes))
    found = route(snapshot(*links), 0, 4, floor=floor)
    if not paths:
        assert found is None
        return
    latency, narrowest, nodes = min(paths)
    assert found == Route(latency, -narrowest, nodes, latency)


@given(networks(), st.integers(0, 4))
def test_route_passes_only_through_nodes_that_relay(network: Network, floor: int) -> None:
    wide = network.at_least(floor)
    ends = [(a, b) for a in range(network.n_nodes) for b in range(network.n_nodes) if a != b]
    requests = [RouteRequest(0, floor, *pair) for pair in ends]
    found = snapshot_routes(network.snapshot(), requests)
    for pair, request in zip(ends, requests, strict=True):
        ranked = wide.routes(*pair)
        if not ranked:
            assert found[request] is None
            continue
        latency, narrowness, nodes = ranked[0]
        assert found[request] == Route(latency, -narrowness, nodes, latency)


def test_route_may_begin_and_end_at_nodes_that_do_not_relay() -> None:
    links = snapshot((0, 1, 1), (1, 2, 1), (0, 3, 4), (3, 2, 4))
    links = replace(links, relay=np.array([False, False, False, True]))
    assert route(links, 0, 1) == Route(1, None, (0, 1), 1)
    assert route(links, 0, 2) == Route(8, None, (0, 3, 2), 8)
    assert route(links, 1, 2) == Route(1, None, (1, 2), 1)
    assert route(links, 3, 1) is None


def test_stored_data_passes_only_through_nodes_that_relay() -> None:
    # 8000 bits over 1 would take 1 s and 1 s; over 3 it takes 2 s and 2 s.
    links = snapshot((0, 1, 1, 8000), (1, 2, 1, 8000), (0, 3, 4, 4000), (3, 2, 4, 4000))
    assert route(links, 0, 2, size=1000, stored=True) == Route(2, 8000, (0, 1, 2), 2 + 2 * 10**9)
    links = replace(links, relay=np.array([False, False, False, True]))
    assert route(links, 0, 2, size=1000, stored=True) == Route(8, 4000, (0, 3, 2), 8 + 4 * 10**9)
