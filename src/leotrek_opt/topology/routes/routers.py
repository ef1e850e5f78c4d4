"""Three ways to be asked for routes one by one, with the same answers.

:class:`DijkstraRouter` searches from a target to all nodes and keeps what it finds; it is the best
where many routes share ends. :class:`AStarRouter` searches for one pair, led by positions.
:class:`CachedRouter` remembers the answers of either.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from threading import Lock
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from leotrek_opt.errors import InputError
from leotrek_opt.topology.routes.check import node_index, node_indices
from leotrek_opt.topology.routes.route import Route
from leotrek_opt.topology.routes.search import Adjacency, best_route
from leotrek_opt.topology.routing import FloatArray, RouteGraph

Value = TypeVar("Value")


class Router(Protocol):
    """Answers questions about the routes of one snapshot."""

    def latency_ns(self, source: int, target: int) -> int | None:
        """Return the latency of the best route, None if there is none."""
        ...

    def route(self, source: int, target: int) -> Route | None:
        """Return the best route, None if there is none."""
        ...

    def rows(self, sources: Iterable[int]) -> FloatArray:
        """Return latencies from some nodes to all, ``inf`` without route, shape (k, N)."""
        ...


class _Recent(Generic[Value]):
    """The last used of the values that were asked for; safe to share between threads."""

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise InputError(f"must be at least 1, got {capacity}", field="capacity")
        self._capacity = capacity
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = compute()
        with self._lock:
            self._values[key] = value
            if len(self._values) > self._capacity:
                self._values.popitem(last=False)
        return value


class DijkstraRouter:
    """Routes by one search from each target, which then serves every source.

    Parameters
    ----------
    graph
        Of a snapshot.
    capacity
        How many searches are kept, the last used ones.
    """

    def __init__(self, graph: RouteGraph, *, capacity: int = 256) -> None:
        self.graph = graph
        self._adjacency = Adjacency(graph)
        self._rows: _Recent[FloatArray] = _Recent(capacity)

    def latency_ns(self, source: int, target: int) -> int | None:
        """Return the latency of the best route, None if there is none."""
        source = node_index(self.graph, source, "source")
        latency = self._row(node_index(self.graph, target, "target"))[source]
        return None if np.isinf(latency) else int(latency)

    def route(self, source: int, target: int) -> Route | None:
        """Return the best route, None if there is none."""
        source = node_index(self.graph, source, "source")
        target = node_index(self.graph, target, "target")
        return best_route(self._adjacency, source, target, self._row(target))

    def rows(self, sources: Iterable[int]) -> FloatArray:
        """Return latencies from some nodes to all, ``inf`` without route, shape (k, N)."""
        return self.graph.searched(node_indices(self.graph, sources, "sources"))

    def _row(self, target: int) -> FloatArray:
        return self._rows.get(target, lambda: self.graph.searched(np.array([target]))[0])


class AStarRouter:
    """Routes by one search for each pair, led by the straight line to the target.

    No link carries data faster over its straight line than the fastest link does, so at that speed
    the straight line to the target bounds what is left of any route. The bound stays one whole ns
    below, which outweighs every rounding; where a position is unknown it is 0.

    Parameters
    ----------
    graph
        Of a snapshot.
    position_km
        Of every node in one frame, NaN where unknown, shape (N, 3).
    """

    def __init__(self, graph: RouteGraph, position_km: FloatArray) -> None:
        if position_km.shape != (graph.n_nodes, 3):
            raise InputError(
                f"must have shape ({graph.n_nodes}, 3), got {position_km.shape}",
                field="position_km",
            )
        self.graph = graph
        self.position_km = position_km
        self._adjacency = Adjacency(graph)
        self._fastest_km_per_ns = _fastest_km_per_ns(graph, position_km)

    def latency_ns(self, source: int, target: int) -> int | None:
        """Return the latency of the best route, None if there is none."""
        found = self.route(source, target)
        return None if found is None else found.latency_ns

    def route(self, source: int, target: int) -> Route | None:
        """Return the best route, None if there is none."""
        source = node_index(self.graph, source, "source")
        target = node_index(self.graph, target, "target")
        return best_route(self._adjacency, source, target, self.remaining_ns(target))

    def rows(self, sources: Iterable[int]) -> FloatArray:
        """Return latencies from some nodes to all, ``inf`` without route, shape (k, N)."""
        return self.graph.searched(node_indices(self.graph, sources, "sources"))

    def remaining_ns(self, target: int) -> FloatArray:
        """Return a lower bound on the latency from every node to a target, whole ns, shape (N,)."""
        offset = self.position_km - self.position_km[target]
        straight = np.sqrt(np.einsum("nc,nc->n", offset, offset))
        least = np.floor(straight / self._fastest_km_per_ns * (1 - 1e-12)) - 1
        return np.asarray(np.fmax(least, 0.0))


class _Known(NamedTuple):
    """What a cache knows of one snapshot; replaced as a whole, so that threads never mix two."""

    router: Router
    key: Hashable
    routes: _Recent[Route | None]
    latencies: _Recent[int | None]


class CachedRouter:
    """Remembers the answers of another router for one snapshot.

    Parameters
    ----------
    router
        Is asked what is not yet known.
    key
        Names the snapshot, such as the digest of a series and a step.
    capacity
        How many pairs are remembered, the last used ones.
    """

    def __init__(self, router: Router, key: Hashable = None, *, capacity: int = 65_536) -> None:
        self._capacity = capacity
        self._known = _Known(router, key, _Recent(capacity), _Recent(capacity))

    def renew(self, router: Router, key: Hashable) -> None:
        """Answer for another snapshot from now on; what is known is kept only if the key is equal.

        Parameters
        ----------
        router
            Of that snapshot.
        key
            Its name.
        """
        if key == self._known.key:
            self._known = self._known._replace(router=router)
        else:
            self._known = _Known(router, key, _Recent(self._capacity), _Recent(self._capacity))

    def latency_ns(self, source: int, target: int) -> int | None:
        """Return the latency of the best route, None if there is none."""
        known = self._known
        # A route takes as long there as back.
        pair = (source, target) if source < target else (target, source)
        return known.latencies.get(pair, lambda: known.router.latency_ns(source, target))

    def route(self, source: int, target: int) -> Route | None:
        """Return the best route, None if there is none."""
        known = self._known
        return known.routes.get((source, target), lambda: known.router.route(source, target))

    def rows(self, sources: Iterable[int]) -> FloatArray:
        """Return latencies from some nodes to all; these are not remembered."""
        return self._known.router.rows(sources)


def _fastest_km_per_ns(graph: RouteGraph, position_km: FloatArray) -> float:
    """Return the largest speed of a link along its straight line; ``inf`` if some is unknown."""
    up = np.isfinite(graph.weight)
    offset = position_km[graph.tail[up]] - position_km[graph.head[up]]
    with np.errstate(divide="ignore", invalid="ignore"):
        speed = np.sqrt(np.einsum("ac,ac->a", offset, offset)) / graph.weight[up]
    if np.isnan(speed).any():
        return np.inf
    return float(speed.max(initial=0.0)) or np.inf
