"""The nearest of several hosts, by route."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.topology.simple_paths import Network, networks

from leotrek_opt.errors import InputError
from leotrek_opt.topology.routes import nearest_hosts
from leotrek_opt.topology.routing import RouteGraph


@given(networks(), st.data())
def test_nearest_host_has_the_least_latency_and_then_the_smallest_index(
    network: Network, data: st.DataObject
) -> None:
    hosts = data.draw(st.lists(st.integers(0, network.n_nodes - 1), min_size=1))
    latency = network.least()[0]
    found = nearest_hosts(network.graph(), hosts)
    for node in range(network.n_nodes):
        least, host = min((latency[host, node], host) for host in hosts)
        assert found.latency_ns[node] == least
        assert found.host[node] == (host if np.isfinite(least) else -1)


def test_long_latencies_are_compared_exactly() -> None:
    # Times two, these are beyond 2**53, where a float no longer tells neighbouring integers apart.
    far = 2**52
    graph = RouteGraph(4, np.array([0, 1]), np.array([2, 2]), np.array([far + 1, far]))
    found = nearest_hosts(graph, [0, 1])
    assert found.host.tolist() == [0, 1, 1, -1]
    assert found.latency_ns.tolist() == [0, 0, far, np.inf]


def test_some_host_is_needed() -> None:
    graph = RouteGraph(2, np.array([0]), np.array([1]), np.array([7]))
    with pytest.raises(InputError, match="at least one host"):
        nearest_hosts(graph, [])
    with pytest.raises(InputError, match="no node 2"):
        nearest_hosts(graph, [0, 2])
