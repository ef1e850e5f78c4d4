"""What a data edge costs between any two nodes: rows, blocks and messages over routes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.base import EXACT_LIMIT, quantum_bps
from leotrek_opt.models.workflow import DataEdge, DataSource
from leotrek_opt.topology.routing import FloatArray, RouteGraph
from leotrek_opt.topology.series import LinkSeries

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, eq=False)
class LinkCost:
    """Latency and transfer time of one payload between any two nodes.

    Parameters
    ----------
    graph
        Routes of the snapshot, above the payload's bandwidth floor.
    size_bytes
        Payload.
    store_and_forward
        If not None, the graph whose arcs carry latency plus transmission; transfer is its distance.
    """

    graph: RouteGraph
    size_bytes: int
    store_and_forward: RouteGraph | None

    def latency_rows(self, sources: Sequence[int] | NDArray[np.integer]) -> FloatArray:
        """Return latencies in ns from some nodes to all, shape (k, N); ``inf`` without route."""
        return self.graph.rows(sources)

    def transfer_rows(self, sources: Sequence[int] | NDArray[np.integer]) -> FloatArray:
        """Return transfer times in ns from some nodes to all, shape (k, N)."""
        if self.store_and_forward is not None:
            return self.store_and_forward.rows(sources)
        latency = self.graph.rows(sources)
        if self.size_bytes == 0 or self.graph.bandwidth is None:
            return latency
        return latency + transmission_ns(self.size_bytes, self.graph.bottleneck_rows(sources))

    def latency_message(
        self, values: FloatArray, conflict: NDArray[np.bool_] | None = None
    ) -> FloatArray:
        """Return ``min over n of values[n] + latency(n, m)``, n != m where ``conflict[m]``."""
        return _message(self.graph, 0.0, values, conflict)

    def transfer_message(
        self, values: FloatArray, conflict: NDArray[np.bool_] | None = None
    ) -> FloatArray:
        """Return a lower bound of ``min over n of values[n] + transfer(n, m)``.

        It is exact unless bandwidths differ along the routes; then the widest link counts.
        """
        if self.store_and_forward is not None:
            return _message(self.store_and_forward, 0.0, values, conflict)
        return _message(self.graph, self._least_transmission_ns(), values, conflict)

    def _least_transmission_ns(self) -> float:
        bandwidth = self.graph.bandwidth
        if self.size_bytes == 0 or bandwidth is None or bandwidth.size == 0:
            return 0.0
        return float(transmission_ns(self.size_bytes, bandwidth.max(keepdims=True))[0])


def _message(
    graph: RouteGraph,
    constant: float,
    values: FloatArray,
    conflict: NDArray[np.bool_] | None,
) -> FloatArray:
    if conflict is None:
        return np.minimum(values, graph.spread(values) + constant)
    best, elsewhere = graph.spread_masked(values)
    return np.where(conflict, elsewhere + constant, np.minimum(values, best + constant))


def transmission_ns(size_bytes: int, bandwidth_bps: FloatArray) -> FloatArray:
    """Return ``8 size / bandwidth`` in whole ns, rounded half to even in exact arithmetic.

    Parameters
    ----------
    size_bytes
        Payload.
    bandwidth_bps
        Whole bits per second; ``inf`` is unlimited, 0 marks a missing route.

    Returns
    -------
    ndarray of float64
        Same shape; 0 where unlimited or no route.

    Raises
    ------
    leotrek_opt.errors.InputError
        If a transmission would take 2**53 ns or more.
    """
    distinct, inverse = np.unique(bandwidth_bps, return_inverse=True)
    bits = 8 * size_bytes * NS_PER_S
    times = [
        0 if not np.isfinite(rate) or rate == 0 else _divide_half_even(bits, int(rate))
        for rate in distinct.tolist()
    ]
    if times and max(times) >= EXACT_LIMIT:
        slowest = distinct[int(np.argmax(times))] / 1e6
        raise InputError(
            f"sending {size_bytes} bytes over {slowest:g} Mbps takes more than 104 days; "
            "raise the bandwidth or set min_bandwidth_mbps",
            field="workflows",
        )
    return np.array(times, dtype=np.float64)[inverse].reshape(bandwidth_bps.shape)


def _divide_half_even(numerator: int, denominator: int) -> int:
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    return quotient + (twice > denominator or (twice == denominator and quotient % 2 == 1))


class LinkCosts:
    """Builds :class:`LinkCost` objects, one route graph per step and bandwidth floor."""

    def __init__(self, series: LinkSeries, forwarding: str) -> None:
        self._series = series
        self._store_and_forward = forwarding == "store_and_forward"
        self._graphs: dict[tuple[int, int | None], RouteGraph] = {}
        self._costs: dict[tuple[int, int | None, int], LinkCost] = {}

    def graph(self, step: int, min_bandwidth_bps: int | None = None) -> RouteGraph:
        """Return the route graph of a step, without links below a bandwidth.

        Parameters
        ----------
        step
            Snapshot index.
        min_bandwidth_bps
            Floor in bit/s, or None.

        Returns
        -------
        RouteGraph
            Shared by all edges that ask for the same.
        """
        key = (step, min_bandwidth_bps)
        if key not in self._graphs:
            self._graphs[key] = RouteGraph.of_snapshot(
                self._series.snapshot(step),
                self._series.n_nodes,
                min_bandwidth_bps=min_bandwidth_bps,
            )
        return self._graphs[key]

    def of(self, link: DataEdge | DataSource, step: int) -> LinkCost:
        """Return the cost of an edge or data source measured at a step.

        Parameters
        ----------
        link
            Its payload and bandwidth floor count.
        step
            Snapshot index.

        Returns
        -------
        LinkCost
            Shared by all links that ask for the same.
        """
        floor = None if link.min_bandwidth_mbps is None else quantum_bps(link.min_bandwidth_mbps)
        key = (step, floor, link.size_bytes)
        if key not in self._costs:
            graph = self.graph(step, floor)
            self._costs[key] = LinkCost(graph, link.size_bytes, self._hop_by_hop(graph, link))
        return self._costs[key]

    def _hop_by_hop(self, graph: RouteGraph, link: DataEdge | DataSource) -> RouteGraph | None:
        if not self._store_and_forward or link.size_bytes == 0 or graph.bandwidth is None:
            return None
        return graph.reweighted(transmission_ns(link.size_bytes, graph.bandwidth))
