"""What a placement model may choose: candidates of every function, admissible pairs of every edge.

Forbidden nodes and pairs, latency limits and missing routes never become rows: what is not
admissible is not there. Pairs are found by source or target, whichever has fewer candidates, a
block of routes at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError, ModelTooLargeError
from leotrek_opt.solvers.arrays.placement import PlacementArrays

IntArray = NDArray[np.int64]
Mask = NDArray[np.bool_]
PairFilter = Callable[[int], Mask]
"""Edge index to the pairs that may stay: shape (candidates of source, candidates of target)."""

BLOCK_ENTRIES = 4_000_000
"""Route entries looked at together: 32 MB of float64."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """The admissible pairs of one edge, ordered by source, then target.

    Parameters
    ----------
    source, target
        Positions among the candidates of either end, shape (k,).
    cost_ns
        What each pair adds to the objective, shape (k,).
    transfer_ns
        Transfer time of each pair, shape (k,); None where the model needs no times.
    """

    source: IntArray
    target: IntArray
    cost_ns: IntArray
    transfer_ns: IntArray | None

    def __len__(self) -> int:
        return self.source.size


@dataclass(frozen=True, eq=False)
class Choices:
    """Candidates and pairs.

    Parameters
    ----------
    candidates
        Node indices by function.
    pairs
        By edge.
    """

    candidates: tuple[IntArray, ...]
    pairs: tuple[Pairs, ...]

    def restricted(
        self,
        arrays: PlacementArrays,
        keep_candidates: Mapping[int, Mask],
        keep_pairs: Mapping[int, Mask],
    ) -> Choices:
        """Return the choices without some candidates and pairs.

        Parameters
        ----------
        arrays
            The problem.
        keep_candidates, keep_pairs
            Masks by function and by edge; whatever is not named stays. A pair goes with either end.

        Returns
        -------
        Choices
            Smaller or equal.
        """
        candidates = list(self.candidates)
        position: dict[int, IntArray] = {}
        for function, keep in keep_candidates.items():
            candidates[function] = candidates[function][keep]
            position[function] = np.where(keep, np.cumsum(keep) - 1, -1)
        pairs = list(self.pairs)
        for index, edge in enumerate(arrays.edges):
            if edge.source in position or edge.target in position or index in keep_pairs:
                pairs[index] = _restricted_pairs(
                    pairs[index],
                    position.get(edge.source),
                    position.get(edge.target),
                    keep_pairs.get(index),
                )
        return Choices(tuple(candidates), tuple(pairs))


def _restricted_pairs(
    pairs: Pairs, source: IntArray | None, target: IntArray | None, keep: Mask | None
) -> Pairs:
    sources = pairs.source if source is None else source[pairs.source]
    targets = pairs.target if target is None else target[pairs.target]
    kept = (sources >= 0) & (targets >= 0)
    if keep is not None:
        kept &= keep
    transfer = pairs.transfer_ns
    return Pairs(
        sources[kept],
        targets[kept],
        pairs.cost_ns[kept],
        None if transfer is None else transfer[kept],
    )


def timed_workflows(arrays: PlacementArrays) -> tuple[int, ...]:
    """Return the workflows whose finish times matter: for the objective or for an SLO.

    Parameters
    ----------
    arrays
        The problem.

    Returns
    -------
    tuple of int
        Workflow indices.
    """
    return tuple(
        index
        for index, workflow in enumerate(arrays.workflows)
        if arrays.is_critical_path or workflow.response_time_slo_ns is not None
    )


def admissible(
    arrays: PlacementArrays,
    candidates: Sequence[NDArray[np.integer]] | None,
    pair_filter: PairFilter | None,
    max_nonzeros: int,
) -> Choices:
    """Find every admissible pair, unless the model would become too large.

    Parameters
    ----------
    arrays
        The problem.
    candidates
        Node indices by function; None for all allowed nodes.
    pair_filter
        Which pairs may stay, or None for all.
    max_nonzeros
        Limit on the matrix entries that functions and pairs cause.

    Returns
    -------
    Choices
        Nodes that a rule forbids are left out of the candidates.

    Raises
    ------
    InputError
        If candidates or filters do not fit the problem.
    ModelTooLargeError
        If the limit is exceeded. Only as many routes are computed as that takes.
    """
    kept, allowed = _allowed_candidates(arrays, candidates)
    timed = {edge for index in timed_workflows(arrays) for edge in arrays.workflows[index].edges}
    size = _Size(arrays, kept, timed, max_nonzeros)
    is_open = [pair_filter is None and edge.max_latency_ns is None for edge in arrays.edges]
    size.require([size.product(edge) if free else 0 for edge, free in enumerate(is_open)])
    found = [0] * len(arrays.edges)
    pairs = []
    for edge in range(len(arrays.edges)):
        wanted = None
        if pair_filter is not None:
            wanted = _filter_of(arrays, edge, pair_filter, allowed)
        blocks = []
        for block in _blocks(arrays, edge, kept, wanted, is_timed=edge in timed):
            blocks.append(block)
            found[edge] += len(block)
            size.require(found)
        pairs.append(_joined(blocks, kept[arrays.edges[edge].target].size))
    return Choices(tuple(kept), tuple(pairs))


class _Size:
    """Counts matrix entries before they exist."""

    def __init__(
        self,
        arrays: PlacementArrays,
        candidates: Sequence[IntArray],
        timed: set[int],
        max_nonzeros: int,
    ) -> None:
        self.max_nonzeros = max_nonzeros
        self.ends = [
            (candidates[edge.source].size, candidates[edge.target].size) for edge in arrays.edges
        ]
        in_value = arrays.problem.objective.aggregate == "max" and not arrays.is_critical_path
        self.per_pair = [2 + in_value + (edge in timed) for edge in range(len(arrays.edges))]
        self.fixed = sum(nodes.size for nodes in candidates) + sum(map(sum, self.ends))

    def product(self, edge: int) -> int:
        return self.ends[edge][0] * self.ends[edge][1]

    def nonzeros(self, pairs: Sequence[int]) -> int:
        return self.fixed + sum(
            each * count for each, count in zip(self.per_pair, pairs, strict=True)
        )

    def require(self, pairs: Sequence[int]) -> None:
        if self.nonzeros(pairs) <= self.max_nonzeros:
            return
        most = [self.product(edge) for edge in range(len(self.ends))]
        raise ModelTooLargeError(
            f"the flow formulation would have {sum(most):,} pair variables and "
            f"{self.nonzeros(most):,} nonzeros at most, and in any case more than "
            f"max_nonzeros = {self.max_nonzeros:,}"
        )


def _allowed_candidates(
    arrays: PlacementArrays, candidates: Sequence[NDArray[np.integer]] | None
) -> tuple[list[IntArray], list[Mask]]:
    if candidates is None:
        candidates = [np.flatnonzero(row) for row in arrays.allowed]
    if len(candidates) != arrays.n_functions:
        raise InputError(
            f"must have one entry for each of the {arrays.n_functions} functions, "
            f"not {len(candidates)}",
            field="candidates",
        )
    kept, allowed = [], []
    for function, given in enumerate(candidates):
        nodes: NDArray[np.integer] = np.asarray(given)
        if nodes.ndim != 1 or (nodes.size and nodes.dtype.kind not in "iu"):
            raise InputError("must be a vector of node indices", field=f"candidates[{function}]")
        if nodes.size and not 0 <= nodes.min() <= nodes.max() < arrays.n_nodes:
            raise InputError(f"must be in [0, {arrays.n_nodes})", field=f"candidates[{function}]")
        if np.unique(nodes).size != nodes.size:
            raise InputError("names a node twice", field=f"candidates[{function}]")
        mask = arrays.allowed[function, nodes]
        allowed.append(mask)
        kept.append(nodes[mask].astype(np.int64))
    return kept, allowed


def _filter_of(
    arrays: PlacementArrays, edge: int, pair_filter: PairFilter, allowed: Sequence[Mask]
) -> Mask:
    item = arrays.edges[edge]
    wanted = np.asarray(pair_filter(edge))
    shape = allowed[item.source].size, allowed[item.target].size
    if wanted.dtype != np.bool_ or wanted.shape != shape:
        raise InputError(f"must return booleans of shape {shape}", field=f"pair_filter({edge})")
    return wanted[np.ix_(allowed[item.source], allowed[item.target])]


def _blocks(
    arrays: PlacementArrays,
    edge: int,
    candidates: Sequence[IntArray],
    wanted: Mask | None,
    *,
    is_timed: bool,
) -> Iterator[Pairs]:
    item = arrays.edges[edge]
    source, target = candidates[item.source], candidates[item.target]
    # Costs are symmetric, so routes start at the end with fewer candidates.
    by_source = source.size <= target.size
    near, far = (source, target) if by_source else (target, source)
    if wanted is not None and not by_source:
        wanted = wanted.T
    conflict = arrays.capacities.conflict(item.source, item.target)
    height = max(1, BLOCK_ENTRIES // arrays.n_nodes)
    for start in range(0, near.size, height):
        part = near[start : start + height]
        cost = arrays.cost_rows(edge, part)[:, far]
        open_pairs = np.isfinite(cost)
        if conflict is not None:
            open_pairs &= (part[:, None] != far) | ~conflict[part][:, None]
        if wanted is not None:
            open_pairs &= wanted[start : start + height]
        rows, columns = np.nonzero(open_pairs)
        costs = cost[rows, columns].astype(np.int64)
        transfer = None
        if is_timed and arrays.is_critical_path:
            transfer = costs
        elif is_timed:
            times = arrays.transfer_rows(edge, part)[:, far]
            transfer = times[rows, columns].astype(np.int64)
        rows += start
        ends = (rows, columns) if by_source else (columns, rows)
        yield Pairs(*ends, costs, transfer)


def _joined(blocks: Sequence[Pairs], n_targets: int) -> Pairs:
    if not blocks:
        nothing = np.zeros(0, dtype=np.int64)
        return Pairs(nothing, nothing, nothing, nothing)
    source = np.concatenate([block.source for block in blocks])
    target = np.concatenate([block.target for block in blocks])
    order = np.argsort(source * n_targets + target, kind="stable")
    transfers = [block.transfer_ns for block in blocks if block.transfer_ns is not None]
    return Pairs(
        source[order],
        target[order],
        np.concatenate([block.cost_ns for block in blocks])[order],
        np.concatenate(transfers)[order] if transfers else None,
    )
