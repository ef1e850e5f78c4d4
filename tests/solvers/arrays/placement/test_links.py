"""Transfers in exact integers, and messages that bound them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.errors import InputError
from leotrek_opt.solvers.arrays.placement.links import LinkCost, transmission_ns
from leotrek_opt.topology.routing import RouteGraph


@given(st.integers(0, 10**9), st.integers(10**6, 10**12))
def test_transmission_rounds_half_to_even(size_bytes: int, bandwidth_bps: int) -> None:
    exact = Fraction(8 * size_bytes * 10**9, bandwidth_bps)
    assert transmission_ns(size_bytes, np.array([float(bandwidth_bps)]))[0] == round(exact)


def test_transmission_of_a_tie_goes_to_the_even_ns() -> None:
    # 1 byte at 16 Gbit/s takes 0.5 ns, 3 bytes take 1.5 ns.
    assert transmission_ns(1, np.array([16e9]))[0] == 0
    assert transmission_ns(3, np.array([16e9]))[0] == 2


def test_transmission_is_nothing_where_unlimited_or_unreachable() -> None:
    assert transmission_ns(1000, np.array([np.inf, 0.0])).tolist() == [0.0, 0.0]


def test_transmission_beyond_exact_arithmetic_is_refused() -> None:
    with pytest.raises(InputError, match="more than 104 days"):
        transmission_ns(10**13, np.array([1000.0]))


@pytest.fixture
def uneven() -> LinkCost:
    # 0 -1000 ns, 1 Gbit/s- 1 -1000 ns, 8 Gbit/s- 2; 1000 bytes take 8000 ns and 1000 ns.
    graph = RouteGraph(
        3,
        np.array([0, 1]),
        np.array([1, 2]),
        np.array([1000, 1000]),
        np.array([10**9, 8 * 10**9]),
    )
    return LinkCost(graph, 1000, None)


def test_transfer_counts_the_narrowest_link(uneven: LinkCost) -> None:
    assert uneven.transfer_rows([0])[0].tolist() == [0, 9000, 10000]
    assert uneven.transfer_rows([1])[0].tolist() == [9000, 0, 2000]


def test_transfer_message_is_a_lower_bound_and_keeps_own_nodes_free(uneven: LinkCost) -> None:
    message = uneven.transfer_message(np.array([0.0, np.inf, np.inf]))
    assert message.tolist() == [0, 2000, 3000]
    assert (message <= uneven.transfer_rows([0])[0]).all()


def test_store_and_forward_sums_over_hops() -> None:
    graph = RouteGraph(
        3, np.array([0, 1]), np.array([1, 2]), np.array([1000, 1000]), np.array([10**9, 8 * 10**9])
    )
    hops = graph.reweighted(transmission_ns(1000, graph.bandwidth))
    assert LinkCost(graph, 1000, hops).transfer_rows([0])[0].tolist() == [0, 9000, 11000]


def test_conflict_takes_a_node_s_own_start_out_of_the_message() -> None:
    graph = RouteGraph(3, np.array([0, 1]), np.array([1, 2]), np.array([5, 5]))
    values = np.array([0.0, 1.0, np.inf])
    conflict = np.array([True, False, True])
    message = LinkCost(graph, 0, None).latency_message(values, conflict)
    # Node 0 may not use its own 0, so it takes 1 + 5; node 1 keeps its own 1; node 2 takes 1 + 5.
    assert message.tolist() == [6, 1, 6]
