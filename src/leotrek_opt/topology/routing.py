"""Least-latency routes on one snapshot, by arrays: rows from sources, and messages from all nodes.

Latencies are integers of one nanosecond carried in float64. Sums stay below 2**53, so every result
is exact; ``inf`` means that no route exists.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from leotrek_opt.topology.series import Snapshot

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class RouteGraph:
    """The links of one snapshot, both directions, ready for Dijkstra.

    Parameters
    ----------
    n_nodes
        Number of nodes N.
    source, target
        Link ends, shape (L,).
    weight_ns
        Link weights, shape (L,), integers below 2**53.
    bandwidth_bps
        Link bandwidths, shape (L,), or None where unlimited.
    """

    def __init__(
        self,
        n_nodes: int,
        source: NDArray[np.integer],
        target: NDArray[np.integer],
        weight_ns: IntArray,
        bandwidth_bps: IntArray | None = None,
    ) -> None:
        self.n_nodes = n_nodes
        tail = np.concatenate([source, target]).astype(np.int64)
        head = np.concatenate([target, source]).astype(np.int64)
        order = np.lexsort((head, tail))
        self.tail = tail[order]
        self.head = head[order].astype(np.int32)
        self.weight = np.concatenate([weight_ns, weight_ns])[order].astype(np.float64)
        self.bandwidth = (
            None
            if bandwidth_bps is None
            else np.concatenate([bandwidth_bps, bandwidth_bps])[order].astype(np.float64)
        )
        self.indptr = np.zeros(n_nodes + 1, dtype=np.int32)
        np.cumsum(np.bincount(self.tail, minlength=n_nodes), out=self.indptr[1:])
        self._rows: dict[int, FloatArray] = {}
        self._bottlenecks: dict[int, FloatArray] = {}

    @classmethod
    def of_snapshot(
        cls, snapshot: Snapshot, n_nodes: int, *, min_bandwidth_bps: int | None = None
    ) -> RouteGraph:
        """Build the graph of a snapshot, without links below a bandwidth.

        Parameters
        ----------
        snapshot
            Links that are up.
        n_nodes
            Number of nodes.
        min_bandwidth_bps
            Links with less are left out; None keeps all.

        Returns
        -------
        RouteGraph
            Weighted by latency.
        """
        bandwidth = snapshot.bandwidth_bps
        if min_bandwidth_bps is None or bandwidth is None:
            return cls(n_nodes, snapshot.source, snapshot.target, snapshot.latency_ns, bandwidth)
        keep = bandwidth >= min_bandwidth_bps
        return cls(
            n_nodes,
            snapshot.source[keep],
            snapshot.target[keep],
            snapshot.latency_ns[keep],
            bandwidth[keep],
        )

    def reweighted(self, extra_ns: FloatArray) -> RouteGraph:
        """Return the same graph with an addition to the weight of every arc.

        Parameters
        ----------
        extra_ns
            Per arc, in the order of ``head``; both directions of a link alike.

        Returns
        -------
        RouteGraph
            Without bandwidths.
        """
        other = object.__new__(RouteGraph)
        other.n_nodes = self.n_nodes
        other.tail, other.head, other.indptr = self.tail, self.head, self.indptr
        other.weight = self.weight + extra_ns
        other.bandwidth = None
        other._rows = {}
        other._bottlenecks = {}
        return other

    def rows(self, sources: Iterable[int]) -> FloatArray:
        """Return route latencies from some nodes to all nodes.

        Parameters
        ----------
        sources
            Node indices, k of them.

        Returns
        -------
        ndarray of float64, shape (k, N)
            Latency in ns, ``inf`` without route; kept for later calls.
        """
        wanted = [int(source) for source in sources]
        missing = sorted({source for source in wanted if source not in self._rows})
        if missing:
            found = dijkstra(self._matrix(), directed=True, indices=np.array(missing))
            self._rows.update(zip(missing, np.atleast_2d(found), strict=True))
        if not wanted:
            return np.empty((0, self.n_nodes))
        return np.stack([self._rows[source] for source in wanted])

    def bottleneck_rows(self, sources: Iterable[int]) -> FloatArray:
        """Return the bandwidth of the route to every node: the widest among least-latency routes.

        Parameters
        ----------
        sources
            Node indices, k of them.

        Returns
        -------
        ndarray of float64, shape (k, N)
            Bits per second; ``inf`` at the source itself and on unlimited links, 0 without route.
        """
        wanted = [int(source) for source in sources]
        for source in wanted:
            if source not in self._bottlenecks:
                self._bottlenecks[source] = self._widest_shortest(source)
        if not wanted:
            return np.empty((0, self.n_nodes))
        return np.stack([self._bottlenecks[source] for source in wanted])

    def spread(self, values: FloatArray) -> FloatArray:
        """Return ``min over n of values[n] + latency(n, m)`` for every node m.

        Parameters
        ----------
        values
            Integers in ns by node, ``inf`` where a node is no start; shape (N,).

        Returns
        -------
        ndarray of float64, shape (N,)
            One Dijkstra from a virtual source joined to every start.
        """
        origin = np.array([self.n_nodes])
        found = dijkstra(self._with_virtual_source(values), directed=True, indices=origin)
        return np.asarray(found[0, : self.n_nodes])

    def spread_masked(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the message of :meth:`spread`, and the same over starts other than m itself.

        The second needs the two best labels with different starts at every node. The best labels
        partition the nodes by start; the second best at m either crosses from another part by its
        last link or travels inside the part of m, so one more Dijkstra inside the parts finds it.

        Parameters
        ----------
        values
            Integers in ns by node, ``inf`` where a node is no start; shape (N,).

        Returns
        -------
        best, best_from_elsewhere
            Shape (N,) each; ``best_from_elsewhere[m]`` is the minimum over n != m.
        """
        labels, predecessor = dijkstra(
            self._with_virtual_source(values),
            directed=True,
            indices=np.array([self.n_nodes]),
            return_predecessors=True,
        )
        best = labels[0, : self.n_nodes]
        start = _roots(predecessor[0, : self.n_nodes], self.n_nodes)
        nodes = np.arange(self.n_nodes)
        reached = np.isfinite(best)
        own = start == nodes
        if not own.any():
            return best, best
        same_part = start[self.tail] == start[self.head]
        crossing = ~same_part & reached[self.tail]
        second = np.where(own, np.inf, values)
        np.minimum.at(
            second,
            self.head[crossing],
            best[self.tail[crossing]] + self.weight[crossing],
        )
        inside = self._subgraph(same_part)
        second = inside.spread(second)
        return best, np.where(own, second, best)

    def _subgraph(self, keep: NDArray[np.bool_]) -> RouteGraph:
        other = object.__new__(RouteGraph)
        other.n_nodes = self.n_nodes
        other.tail, other.head = self.tail[keep], self.head[keep]
        other.weight = self.weight[keep]
        other.bandwidth = None
        other.indptr = np.zeros(self.n_nodes + 1, dtype=np.int32)
        np.cumsum(np.bincount(other.tail, minlength=self.n_nodes), out=other.indptr[1:])
        other._rows = {}
        other._bottlenecks = {}
        return other

    def _matrix(self) -> csr_matrix[np.float64]:
        return csr_matrix((self.weight, self.head, self.indptr), shape=(self.n_nodes, self.n_nodes))

    def _with_virtual_source(self, values: FloatArray) -> csr_matrix[np.float64]:
        starts = np.flatnonzero(np.isfinite(values)).astype(np.int32)
        end = np.array([self.indptr[-1] + starts.size], dtype=np.int32)
        return csr_matrix(
            (
                np.concatenate([self.weight, values[starts]]),
                np.concatenate([self.head, starts]),
                np.concatenate([self.indptr, end]),
            ),
            shape=(self.n_nodes + 1, self.n_nodes + 1),
        )

    def _widest_shortest(self, source: int) -> FloatArray:
        distance = self.rows([source])[0]
        if self.bandwidth is None:
            return np.where(np.isfinite(distance), np.inf, 0.0)
        width = np.zeros(self.n_nodes)
        width[source] = np.inf
        tight = distance[self.tail] + self.weight == distance[self.head]
        tight &= np.isfinite(distance[self.tail])
        tail, head, bandwidth = self.tail[tight], self.head[tight], self.bandwidth[tight]
        # Widths only grow and a simple route has fewer than N links, so this ends.
        while True:
            offered = np.minimum(width[tail], bandwidth)
            grown = width.copy()
            np.maximum.at(grown, head, offered)
            if np.array_equal(grown, width):
                return width
            width = grown


def _roots(predecessor: NDArray[np.int32], n_nodes: int) -> NDArray[np.int64]:
    """Return for each node the first node after the virtual source on its route, -1 if none."""
    nodes = np.arange(n_nodes)
    parent = predecessor.astype(np.int64)
    root = np.where(parent == n_nodes, nodes, parent)
    unreached = parent < 0
    root[unreached] = nodes[unreached]
    while True:
        further = root[root]
        if np.array_equal(further, root):
            break
        root = further
    root[unreached] = -1
    return root
