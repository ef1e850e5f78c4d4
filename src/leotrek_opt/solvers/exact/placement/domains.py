"""Where functions may still be placed, and messages between them: over all nodes, or over few.

Both domains speak of *candidates*: function f has an array of them, and every vector about f has
one entry per candidate. The sparse domain has all nodes as candidates (``inf`` marks those that are
out) and sends a message by one or two Dijkstra runs, which ignores latency limits and is a lower
bound. The dense domain keeps a few candidates and the exact cost of every pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.topology.routing import FloatArray

IntArray = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Domain(Protocol):
    """What bounds and dynamic programs need to know."""

    arrays: PlacementArrays

    def nodes(self, function: int) -> IntArray:
        """Return the node of each candidate."""
        ...

    def masked(self, function: int, values: FloatArray) -> FloatArray:
        """Return values given per node as values per candidate, ``inf`` where out."""
        ...

    def cost_message(self, edge: int, values: FloatArray, *, forward: bool) -> FloatArray:
        """Return the least of values plus edge cost at each candidate of the other end."""
        ...

    def transfer_message(self, edge: int, values: FloatArray, *, forward: bool) -> FloatArray:
        """Return the least of values plus transfer time at each candidate of the other end."""
        ...


class SparseDomain:
    """All nodes are candidates; those that are out carry ``inf``.

    Parameters
    ----------
    arrays
        The problem.
    allowed
        Shape (F, N).
    """

    def __init__(self, arrays: PlacementArrays, allowed: Mask) -> None:
        self.arrays = arrays
        self.allowed = allowed
        self._all = np.arange(arrays.n_nodes)

    def nodes(self, function: int) -> IntArray:  # noqa: ARG002 - the same for every function
        """Return all node indices."""
        return self._all

    def masked(self, function: int, values: FloatArray) -> FloatArray:
        """Return values where the function may be, ``inf`` elsewhere."""
        return np.where(self.allowed[function], values, np.inf)

    def cost_message(
        self,
        edge: int,
        values: FloatArray,
        *,
        forward: bool,  # noqa: ARG002
    ) -> FloatArray:
        """Return a lower bound; costs are symmetric, so both directions are alike."""
        return self.arrays.cost_message(edge, values)

    def transfer_message(
        self,
        edge: int,
        values: FloatArray,
        *,
        forward: bool,  # noqa: ARG002
    ) -> FloatArray:
        """Return a lower bound; transfers are symmetric, so both directions are alike."""
        item = self.arrays.edges[edge]
        conflict = self.arrays.capacities.conflict(item.source, item.target)
        return item.link.transfer_message(values, conflict)


class DenseDomain:
    """A few candidates per function, and the exact cost of every pair of them.

    Parameters
    ----------
    arrays
        The problem.
    candidates
        Node indices by function, ascending.
    """

    def __init__(self, arrays: PlacementArrays, candidates: Sequence[IntArray]) -> None:
        self.arrays = arrays
        self.candidates = [np.asarray(nodes, dtype=np.int64) for nodes in candidates]
        self._cost: dict[int, FloatArray] = {}
        self._transfer: dict[int, FloatArray] = {}

    @property
    def n_pairs(self) -> int:
        """Number of (function, candidate) pairs left."""
        return sum(len(nodes) for nodes in self.candidates)

    def nodes(self, function: int) -> IntArray:
        """Return the candidates of a function."""
        return self.candidates[function]

    def masked(self, function: int, values: FloatArray) -> FloatArray:
        """Return the values of the candidates."""
        return values[self.candidates[function]]

    def cost(self, edge: int) -> FloatArray:
        """Return the cost of an edge between candidates, ``inf`` where a pair is forbidden.

        Parameters
        ----------
        edge
            Edge index.

        Returns
        -------
        ndarray, shape (candidates of source, candidates of target)
            With latency limit and co-location rule.
        """
        if edge not in self._cost:
            item = self.arrays.edges[edge]
            rows = self.arrays.cost_rows(edge, self.candidates[item.source])
            self._cost[edge] = self._without_conflicts(edge, rows)
        return self._cost[edge]

    def transfer(self, edge: int) -> FloatArray:
        """Return transfer times like :meth:`cost`, ``inf`` where the pair is forbidden."""
        if self.arrays.is_critical_path:
            return self.cost(edge)
        if edge not in self._transfer:
            item = self.arrays.edges[edge]
            rows = self.arrays.transfer_rows(edge, self.candidates[item.source])
            times = rows[:, self.candidates[item.target]]
            self._transfer[edge] = np.where(np.isfinite(self.cost(edge)), times, np.inf)
        return self._transfer[edge]

    def _without_conflicts(self, edge: int, rows: FloatArray) -> FloatArray:
        item = self.arrays.edges[edge]
        source, target = self.candidates[item.source], self.candidates[item.target]
        block = rows[:, target].copy()
        conflict = self.arrays.capacities.conflict(item.source, item.target)
        if conflict is not None:
            block[(source[:, None] == target[None, :]) & conflict[source][:, None]] = np.inf
        return block

    def cost_message(self, edge: int, values: FloatArray, *, forward: bool) -> FloatArray:
        """Return the exact message."""
        return _least(self.cost(edge), values, forward)

    def transfer_message(self, edge: int, values: FloatArray, *, forward: bool) -> FloatArray:
        """Return the exact message."""
        return _least(self.transfer(edge), values, forward)

    def restricted(self, keep: Sequence[Mask]) -> DenseDomain:
        """Return the domain without some candidates; blocks already known are cut, not rebuilt.

        Parameters
        ----------
        keep
            One mask per function over its candidates.

        Returns
        -------
        DenseDomain
            Smaller or equal.
        """
        smaller = DenseDomain(
            self.arrays, [nodes[mask] for nodes, mask in zip(self.candidates, keep, strict=True)]
        )
        for mine, theirs in ((self._cost, smaller._cost), (self._transfer, smaller._transfer)):
            for edge, block in mine.items():
                item = self.arrays.edges[edge]
                theirs[edge] = block[np.ix_(keep[item.source], keep[item.target])]
        return smaller


def _least(block: FloatArray, values: FloatArray, forward: bool) -> FloatArray:
    least: FloatArray = (
        (block + values[:, None]).min(axis=0, initial=np.inf)
        if forward
        else (block + values[None, :]).min(axis=1, initial=np.inf)
    )
    return least
