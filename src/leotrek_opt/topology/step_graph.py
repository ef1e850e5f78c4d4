"""All links of one step, from its parts: as a snapshot, and as a graph on a constant pattern."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from scipy.sparse import csr_matrix

from leotrek_opt.topology.ordering import order_of
from leotrek_opt.topology.routing import RouteGraph
from leotrek_opt.topology.series import Snapshot
from leotrek_opt.topology.state import GROUND, INTER_SATELLITE, TERRESTRIAL, LinkPairs

Nodes = NDArray[np.int32]
FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Links(NamedTuple):
    """Links of one kind at one step, sorted by (source, target), source < target.

    ``latency_ns`` holds whole numbers; ``bandwidth_bps`` is None where unlimited.
    """

    source: Nodes
    target: Nodes
    latency_ns: FloatArray
    bandwidth_bps: NDArray[np.int64] | None

    def __len__(self) -> int:
        """Return the number of links."""
        return len(self.source)


def no_links(*, limited: bool = False) -> Links:
    """Return an empty table of links.

    Parameters
    ----------
    limited
        Whether it has a column of bandwidths.

    Returns
    -------
    Links
        Without a row.
    """
    none = np.empty(0, dtype=np.int32)
    return Links(none, none, np.empty(0), np.empty(0, dtype=np.int64) if limited else None)


class Pattern:
    """Pairs of satellites that may be linked, and what follows from them alone.

    Parameters
    ----------
    pairs
        From a strategy, sorted by (source, target).
    satellites
        Number of satellites.
    """

    def __init__(self, pairs: LinkPairs, satellites: int) -> None:
        self.pairs = pairs
        self.satellites = satellites
        self.source = pairs.source.astype(np.int32)
        self.target = pairs.target.astype(np.int32)

    @cached_property
    def first_of_source(self) -> NDArray[np.int32]:
        """Return where the links of each source begin, shape (satellites + 1,)."""
        first = np.zeros(self.satellites + 1, dtype=np.int32)
        np.cumsum(np.bincount(self.source, minlength=self.satellites), out=first[1:])
        return first

    @cached_property
    def arcs(self) -> tuple[Nodes, Nodes, NDArray[np.intp]]:
        """Both directions of every link by tail, compressed.

        Row pointer (satellites + 1,), and per arc its head and its link.
        """
        links, rows = len(self.source), self.satellites
        later = self.first_of_source
        # Links are sorted by source already; a transposition sorts them by target in linear time.
        by_target = csr_matrix((np.arange(links), self.target, later), shape=(rows, rows)).tocsc()
        earlier = by_target.indptr
        head = np.empty(2 * links, dtype=np.int32)
        link = np.empty(2 * links, dtype=np.intp)
        # In every row the smaller neighbours stand before the larger ones.
        at = np.repeat(later[:-1], np.diff(earlier)) + np.arange(links)
        head[at], link[at] = by_target.indices, by_target.data
        at = np.repeat(earlier[1:], np.diff(later)) + np.arange(links)
        head[at], link[at] = self.target, np.arange(links)
        return earlier + later, head, link


@dataclass(frozen=True, eq=False)
class StepLinks:
    """The links of one step by kind.

    Parameters
    ----------
    n_nodes
        Number of nodes; satellites come first.
    pattern
        Pairs of satellites.
    latency_ns
        Of every pair, whole numbers, shape (pairs,); not read where a link is down.
    bandwidth_bps
        Of every pair, or None where unlimited.
    up
        Which pairs are linked, None for all.
    ground
        Links from satellites to ground nodes.
    terrestrial
        Links between ground nodes.
    relay
        Whether a route may pass through a node, shape (n_nodes,), or None for all.
    """

    n_nodes: int
    pattern: Pattern
    latency_ns: FloatArray
    bandwidth_bps: NDArray[np.int64] | None
    up: Mask | None
    ground: Links
    terrestrial: Links
    relay: Mask | None

    def snapshot(self) -> tuple[Snapshot, NDArray[np.int8]]:
        """Return all links that are up in the order of (source, target), and the kind of each.

        Returns
        -------
        Snapshot
            New arrays, except that those of the pattern are shared where nothing joins them.
        link_kind : ndarray of int8
            As in :class:`leotrek_opt.topology.state.TopologyState`, shape (links,).
        """
        source, target = self.pattern.source, self.pattern.target
        latency, bandwidth = self.latency_ns, self.bandwidth_bps
        ground = self.ground
        # The links of a satellite to the ground follow those to satellites.
        at = self.pattern.first_of_source[ground.source + 1] + np.arange(len(ground))
        if self.up is not None:
            source, target, latency = source[self.up], target[self.up], latency[self.up]
            bandwidth = None if bandwidth is None else bandwidth[self.up]
            at = np.searchsorted(source, ground.source, side="right") + np.arange(len(ground))
        place = _Places(len(source), at, len(self.terrestrial))
        kind = place.merged(
            np.int8(INTER_SATELLITE), np.int8(GROUND), np.int8(TERRESTRIAL), np.int8
        )
        snapshot = Snapshot(
            place.merged(source, ground.source, self.terrestrial.source, np.int32),
            place.merged(target, ground.target, self.terrestrial.target, np.int32),
            place.merged(latency, ground.latency_ns, self.terrestrial.latency_ns, np.int64),
            None
            if bandwidth is None
            else place.merged(
                bandwidth, ground.bandwidth_bps, self.terrestrial.bandwidth_bps, np.int64
            ),
            self.relay,
        )
        return snapshot, kind

    def graph(self) -> RouteGraph:
        """Return the graph of the links that are up, without sorting the links between satellites.

        Returns
        -------
        RouteGraph
            Equal to that of the snapshot.
        """
        indptr, head, link = self.pattern.arcs
        if self.up is not None:
            kept = self.up[link]
            before = np.zeros(len(kept) + 1, dtype=np.int32)
            np.cumsum(kept, out=before[1:])
            indptr, head, link = before[indptr], head[kept], link[kept]
        ground, cables = self.ground, self.terrestrial
        satellites = self.pattern.satellites
        at = indptr[ground.source + 1] + np.arange(len(ground))
        # What leaves a ground node: up the links to satellites, then along cables to smaller and to
        # larger nodes. Each of the three is sorted by its head where the tail is the same.
        tail = np.concatenate((ground.target, cables.target, cables.source)) - satellites
        into = np.concatenate((ground.source, cables.source, cables.target))
        order = order_of(tail)
        place = _Places(len(head), at, len(order))
        pointer = np.empty(self.n_nodes + 1, dtype=np.int32)
        met = np.bincount(ground.source, minlength=satellites)
        pointer[0] = 0
        np.add(indptr[1:], np.cumsum(met), out=pointer[1 : satellites + 1], casting="unsafe")
        leaving = np.bincount(tail, minlength=self.n_nodes - satellites)
        np.add(
            pointer[satellites], np.cumsum(leaving), out=pointer[satellites + 1 :], casting="unsafe"
        )
        return RouteGraph.of_arcs(
            self.n_nodes,
            pointer,
            place.merged(head, ground.target, into[order], np.int32),
            self._arc_values(
                place, link, order, self.latency_ns, ground.latency_ns, cables.latency_ns
            ),
            None
            if self.bandwidth_bps is None
            else self._arc_values(
                place, link, order, self.bandwidth_bps, ground.bandwidth_bps, cables.bandwidth_bps
            ),
            self.relay,
        )

    @staticmethod
    def _arc_values(
        place: _Places,
        link: NDArray[np.intp],
        order: NDArray[np.intp],
        between: NDArray[np.float64] | NDArray[np.int64],
        ground: NDArray[np.float64] | NDArray[np.int64] | None,
        cables: NDArray[np.float64] | NDArray[np.int64] | None,
    ) -> FloatArray:
        ground = np.empty(0) if ground is None else ground
        cables = np.empty(0) if cables is None else cables
        last = np.concatenate((ground, cables, cables))[order]
        merged: FloatArray = place.merged(between.take(link), ground, last, np.float64)
        return merged


class _Places:
    """Where the entries of three lists stand when the second goes into the first.

    Parameters
    ----------
    first, last
        Lengths of the first list and of the third, which comes after the others.
    at
        Places of the second list's entries, ascending.
    """

    def __init__(self, first: int, at: NDArray[np.integer], last: int) -> None:
        self._at = at
        self._middle = first + len(at)
        self._count = self._middle + last
        self._first = np.ones(self._middle, dtype=bool)
        self._first[at] = False

    def merged(
        self, first: ArrayLike, second: ArrayLike | None, last: ArrayLike | None, dtype: DTypeLike
    ) -> NDArray[Any]:
        """Merge three lists, or repeat three numbers; a list that is None is empty."""
        merged = np.empty(self._count, dtype=dtype)
        if len(self._at):
            merged[: self._middle][self._first] = first
            merged[self._at] = second
        else:
            merged[: self._middle] = first
        if self._count > self._middle:
            merged[self._middle :] = last
        return merged
