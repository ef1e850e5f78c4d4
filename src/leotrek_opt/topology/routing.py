"""Least-latency routes on one snapshot, by arrays: rows from sources, and messages from all nodes.

Latencies are integers of one nanosecond carried in float64. Sums stay below 2**53, so every result
is exact; ``inf`` means that no route exists.

A route may begin and end at any node, but passes only through nodes that relay; searches run on the
arcs of :mod:`leotrek_opt.topology.arcs`, which see to that.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from leotrek_opt.topology.arcs import Vertices, kept, roots, vertices
from leotrek_opt.topology.series import Snapshot
from leotrek_opt.topology.widths import widths_over_arcs

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
    relay
        Whether a route may pass through a node, shape (N,); None where every node relays.

    Attributes
    ----------
    indptr, head, weight, bandwidth
        Arcs out of node n are those from ``indptr[n]`` up to ``indptr[n + 1]``, those out of nodes
        that do not relay among them.
    """

    def __init__(
        self,
        n_nodes: int,
        source: NDArray[np.integer],
        target: NDArray[np.integer],
        weight_ns: IntArray,
        bandwidth_bps: IntArray | None = None,
        relay: NDArray[np.bool_] | None = None,
    ) -> None:
        tail = np.concatenate([source, target]).astype(np.int64)
        head = np.concatenate([target, source]).astype(np.int64)
        order = np.lexsort((head, tail))
        indptr = np.zeros(n_nodes + 1, dtype=np.int32)
        np.cumsum(np.bincount(tail, minlength=n_nodes), out=indptr[1:])
        bandwidth = None
        if bandwidth_bps is not None:
            bandwidth = np.concatenate([bandwidth_bps, bandwidth_bps])[order].astype(np.float64)
        self._take(
            n_nodes,
            indptr,
            head[order].astype(np.int32),
            np.concatenate([weight_ns, weight_ns])[order].astype(np.float64),
            bandwidth,
            relay,
        )

    def _take(
        self,
        n_nodes: int,
        indptr: NDArray[np.int32],
        head: NDArray[np.int32],
        weight: FloatArray,
        bandwidth: FloatArray | None,
        relay: NDArray[np.bool_] | None,
    ) -> Self:
        self.n_nodes = n_nodes
        self.indptr = indptr
        self.head = head
        self.weight = weight
        self.bandwidth = bandwidth
        self.relay = None if relay is None or relay.all() else relay
        self._rows: dict[int, FloatArray] = {}
        self._bottlenecks: dict[int, FloatArray] = {}
        return self

    @classmethod
    def of_arcs(
        cls,
        n_nodes: int,
        indptr: NDArray[np.int32],
        head: NDArray[np.int32],
        weight: FloatArray,
        bandwidth: FloatArray | None = None,
        relay: NDArray[np.bool_] | None = None,
    ) -> RouteGraph:
        """Take arcs as they are: nothing is sorted, and nothing copied.

        Where some nodes do not relay, nothing is copied if these are the last ones.

        Parameters
        ----------
        n_nodes
            Number of nodes N.
        indptr, head
            Arcs by tail, compressed: shape (N + 1,) and (A,). Every link stands twice, once in each
            direction.
        weight
            Whole ns below 2**53, or ``inf`` for a link that is down, shape (A,).
        bandwidth
            Bit/s, shape (A,), or None where unlimited.
        relay
            Whether a route may pass through a node, shape (N,); None where every node relays.

        Returns
        -------
        RouteGraph
            A view of the arrays, which must not be changed while it is in use.
        """
        return cls.__new__(cls)._take(n_nodes, indptr, head, weight, bandwidth, relay)

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
        source, target, latency = snapshot.source, snapshot.target, snapshot.latency_ns
        bandwidth = snapshot.bandwidth_bps
        if min_bandwidth_bps is not None and bandwidth is not None:
            keep = bandwidth >= min_bandwidth_bps
            source, target, latency = source[keep], target[keep], latency[keep]
            bandwidth = bandwidth[keep]
        return cls(n_nodes, source, target, latency, bandwidth, snapshot.relay)

    @cached_property
    def tail(self) -> IntArray:
        """Node where each arc begins, shape (A,)."""
        return np.repeat(np.arange(self.n_nodes), np.diff(self.indptr))

    def at_least(self, min_bandwidth_bps: float) -> RouteGraph:
        """Return the graph of the links that have at least some bandwidth.

        Parameters
        ----------
        min_bandwidth_bps
            Floor in bit/s; unlimited links pass every floor.

        Returns
        -------
        RouteGraph
            This graph itself if it has no narrower links.
        """
        if self.bandwidth is None:
            return self
        keep = self.bandwidth >= min_bandwidth_bps
        return self if keep.all() else self._subgraph(keep)

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
        return RouteGraph.of_arcs(
            self.n_nodes, self.indptr, self.head, self.weight + extra_ns, relay=self.relay
        )

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
            self._rows.update(zip(missing, self.searched(np.array(missing)), strict=True))
        if not wanted:
            return np.empty((0, self.n_nodes))
        return np.stack([self._rows[source] for source in wanted])

    def searched(self, sources: IntArray) -> FloatArray:
        """Return :meth:`rows` without keeping them.

        Parameters
        ----------
        sources
            Node indices, shape (k,).

        Returns
        -------
        ndarray of float64, shape (k, N)
            The caller's own.
        """
        if not sources.size:
            return np.empty((0, self.n_nodes))
        found = dijkstra(self._matrix, directed=True, indices=self._vertices.start[sources])
        # A search that begins at a vertex of its own may find a way back to the node.
        found[np.arange(sources.size), sources] = 0.0
        return np.asarray(found[:, : self.n_nodes])

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
        at_start = np.full(self._vertices.size, np.inf)
        at_start[self._vertices.start] = values
        return self._with_own_start(self._spread(at_start), values)

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
        n, size, start = self.n_nodes, self._vertices.size, self._vertices.start
        at_start = np.full(size, np.inf)
        at_start[start] = values
        labels, predecessor = dijkstra(
            self._with_virtual_source(at_start),
            directed=True,
            indices=np.array([size]),
            return_predecessors=True,
        )
        label = labels[0, :size]
        reached = np.isfinite(label)
        part = roots(predecessor[0, :size], reached)
        best = self._with_own_start(label[:n], values)
        own = part[:n] == start
        if not own.any():
            return best, label[:n]
        tail, head = self._vertices.tail, self._vertices.head
        same_part = part[tail] == part[head]
        crossing = ~same_part & reached[tail]
        second = np.where(part == np.arange(size), np.inf, at_start)
        np.minimum.at(
            second, head[crossing], label[tail[crossing]] + self._vertices.weight[crossing]
        )
        second = self._spread(second, same_part)
        return best, np.where(own, second[:n], label[:n])

    def _with_own_start(self, label: FloatArray, values: FloatArray) -> FloatArray:
        """Return labels, with its own value where a node's start is another vertex than itself."""
        if self.relay is None:
            return label[: self.n_nodes]
        return np.where(
            self.relay, label[: self.n_nodes], np.minimum(label[: self.n_nodes], values)
        )

    def _subgraph(self, keep: NDArray[np.bool_]) -> RouteGraph:
        return RouteGraph.of_arcs(
            self.n_nodes,
            kept(self.indptr, keep),
            self.head[keep],
            self.weight[keep],
            None if self.bandwidth is None else self.bandwidth[keep],
            self.relay,
        )

    @cached_property
    def _vertices(self) -> Vertices:
        return vertices(self.indptr, self.head, self.weight, self.relay)

    @cached_property
    def _matrix(self) -> csr_matrix[np.float64]:
        size, _, indptr, head, weight = self._vertices
        return csr_matrix((weight, head, indptr), shape=(size, size))

    def _spread(self, at_start: FloatArray, keep: NDArray[np.bool_] | None = None) -> FloatArray:
        """Return the least label of every vertex, over the arcs that are kept."""
        origin = np.array([self._vertices.size])
        matrix = self._with_virtual_source(at_start, keep)
        found = dijkstra(matrix, directed=True, indices=origin)
        return np.asarray(found[0, :-1])

    def _with_virtual_source(
        self, at_start: FloatArray, keep: NDArray[np.bool_] | None = None
    ) -> csr_matrix[np.float64]:
        size, _, indptr, head, weight = self._vertices
        if keep is not None:
            indptr, head, weight = kept(indptr, keep), head[keep], weight[keep]
        starts = np.flatnonzero(np.isfinite(at_start)).astype(np.int32)
        end = np.array([indptr[-1] + starts.size], dtype=np.int32)
        return csr_matrix(
            (
                np.concatenate([weight, at_start[starts]]),
                np.concatenate([head, starts]),
                np.concatenate([indptr, end]),
            ),
            shape=(size + 1, size + 1),
        )

    def _widest_shortest(self, source: int) -> FloatArray:
        distance = self.rows([source])[0]
        reached = np.isfinite(distance)
        if self.bandwidth is None:
            return np.where(reached, np.inf, 0.0)
        tight = self.tight_arcs(source)
        bandwidth = self.bandwidth[tight]
        if bandwidth.size and (bandwidth == bandwidth[0]).all():
            width = np.where(reached, bandwidth[0], 0.0)
            width[source] = np.inf
            return width
        return widths_over_arcs(
            source, self.tail[tight], self.head[tight], bandwidth, self.weight[tight], reached
        )

    def tight_arcs(self, source: int) -> IntArray:
        """Return the arcs that least-latency routes from a node use.

        Parameters
        ----------
        source
            Node index.

        Returns
        -------
        ndarray of int64
            Indices into ``head``, ascending.
        """
        distance = self.rows([source])[0]
        tight = distance[self.tail] + self.weight == distance[self.head]
        tight &= np.isfinite(distance[self.head])
        if self.relay is not None:
            passes = self.relay.copy()
            passes[source] = True
            tight &= passes[self.tail]
        return np.flatnonzero(tight)
