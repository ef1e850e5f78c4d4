"""The nearest of several hosts for every node, by route and not by distance in space."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from leotrek_opt.errors import InputError
from leotrek_opt.models.base import EXACT_LIMIT
from leotrek_opt.topology.routes.check import node_indices
from leotrek_opt.topology.routing import FloatArray, IntArray, RouteGraph


@dataclass(frozen=True, eq=False)
class NearestHosts:
    """The nearest host of every node.

    Parameters
    ----------
    host
        Node index of the host with the least route latency, of several the smallest; -1 where none
        can be reached; shape (N,).
    latency_ns
        Whole ns, ``inf`` where none can be reached, shape (N,).
    """

    host: IntArray
    latency_ns: FloatArray


def nearest_hosts(graph: RouteGraph, hosts: Iterable[int]) -> NearestHosts:
    """Find the nearest host of every node.

    Parameters
    ----------
    graph
        Of a snapshot.
    hosts
        Node indices.

    Returns
    -------
    NearestHosts
        By one Dijkstra from all hosts at once.

    Raises
    ------
    leotrek_opt.errors.InputError
        If there is no host, or no such node.
    """
    host = np.unique(node_indices(graph, hosts, "hosts"))
    if not host.size:
        raise InputError("give at least one host", field="hosts")
    # Latencies count in units of 1 / hosts ns, and the rank of a host is added: so the smallest
    # label belongs to the least latency, and among equal ones to the first host.
    fine = RouteGraph.of_arcs(
        graph.n_nodes, graph.indptr, graph.head, graph.weight * host.size, relay=graph.relay
    )
    start = np.full(graph.n_nodes, np.inf)
    start[host] = np.arange(host.size)
    label = fine.spread(start)
    reached = np.isfinite(label)
    if label[reached].max() >= EXACT_LIMIT:
        return _from_each(graph, host)
    whole = label[reached].astype(np.int64)
    found = NearestHosts(np.full(graph.n_nodes, -1), np.full(graph.n_nodes, np.inf))
    found.host[reached] = host[whole % host.size]
    found.latency_ns[reached] = whole // host.size
    return found


def _from_each(graph: RouteGraph, host: IntArray) -> NearestHosts:
    """Find the nearest host by one row per host: slower, but without a finer unit."""
    nearest = NearestHosts(np.full(graph.n_nodes, -1), np.full(graph.n_nodes, np.inf))
    for node in host.tolist():
        latency = graph.rows([node])[0]
        closer = latency < nearest.latency_ns
        nearest.host[closer] = node
        nearest.latency_ns[closer] = latency[closer]
    return nearest
