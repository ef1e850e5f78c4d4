"""Capacity rows of a placement model: only where candidates together could ask for too much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.solvers.arrays.placement import PlacementArrays, Window
from leotrek_opt.solvers.formulations.placement.choices import IntArray, Mask


@dataclass(frozen=True, eq=False)
class CapacityRows:
    """Rows ``sum of coefficient * x <= upper``, m of them with k entries in all.

    Parameters
    ----------
    window, resource, node
        What each row is about, shape (m,).
    upper
        Shape (m,).
    row, function, coefficient
        Of each entry, shape (k,), ordered by row. The candidate is the row's node.
    """

    window: IntArray
    resource: IntArray
    node: IntArray
    upper: IntArray
    row: IntArray
    function: IntArray
    coefficient: IntArray


def capacity_rows(arrays: PlacementArrays, candidates: Sequence[IntArray]) -> CapacityRows:
    """Find the capacities that some choice of candidates could exceed, as rows.

    Parameters
    ----------
    arrays
        The problem.
    candidates
        Node indices by function, each of them allowed.

    Returns
    -------
    CapacityRows
        Equivalent on binary points to demand against capacity, but tighter between them: rows are
        divided by common factors, and where no two functions fit together, at most one is let in.
    """
    may = np.zeros((arrays.n_functions, arrays.n_nodes), dtype=bool)
    for function, nodes in enumerate(candidates):
        may[function, nodes] = True
    found = [
        _rows_of(arrays, may, resource, index, nodes)
        for resource in range(len(arrays.capacities.resources))
        for index, nodes in _binding(arrays, may, resource)
    ]
    if not found:
        nothing = np.zeros(0, dtype=np.int64)
        return CapacityRows(*[nothing] * 7)
    starts = np.cumsum([0] + [part.node.size for part in found])
    return _tightened(
        CapacityRows(
            np.concatenate([part.window for part in found]),
            np.concatenate([part.resource for part in found]),
            np.concatenate([part.node for part in found]),
            np.concatenate([part.upper for part in found]),
            np.concatenate([part.row + start for part, start in zip(found, starts, strict=False)]),
            np.concatenate([part.function for part in found]),
            np.concatenate([part.coefficient for part in found]),
        )
    )


def _binding(
    arrays: PlacementArrays, may: Mask, resource: int
) -> list[tuple[int, NDArray[np.intp]]]:
    """Return by window the nodes with a row that no neighbouring window makes superfluous."""
    windows = arrays.capacities.windows
    demand = arrays.capacities.demand[:, resource]
    counted = [window.active & (demand > 0) for window in windows]
    nodes = []
    for index, window in enumerate(windows):
        load = (demand[counted[index], None] * may[counted[index]]).sum(axis=0)
        for function, about, node in window.exempt:
            if about == resource and counted[index][function] and may[function, node]:
                load[node] -= demand[function]
        binding = load > window.capacity[resource]
        # The relation is transitive, so following it to one neighbour each way drops no last row;
        # of equal rows the later one stays.
        if index + 1 < len(windows):
            binding &= ~_implied(windows, counted, resource, index, index + 1)
        if index > 0:
            equal = _implied(windows, counted, resource, index - 1, index)
            binding &= ~_implied(windows, counted, resource, index, index - 1) | equal
        nodes.append((index, np.flatnonzero(binding)))
    return nodes


def _implied(
    windows: Sequence[Window], counted: Sequence[Mask], resource: int, weak: int, strong: int
) -> Mask:
    """Return the nodes where keeping one window's capacity implies keeping another's."""
    weaker, stronger = windows[weak], windows[strong]
    if (counted[weak] & ~counted[strong]).any():
        return np.zeros(weaker.capacity.shape[1], dtype=bool)
    implied: Mask = stronger.capacity[resource] <= weaker.capacity[resource]
    for function, about, node in stronger.exempt - weaker.exempt:
        if about == resource and counted[weak][function]:
            implied[node] = False
    return implied


def _rows_of(
    arrays: PlacementArrays, may: Mask, resource: int, index: int, nodes: NDArray[np.intp]
) -> CapacityRows:
    window = arrays.capacities.windows[index]
    demand = arrays.capacities.demand[:, resource]
    counts = may[:, nodes] & (window.active & (demand > 0))[:, None]
    for exempt, about, node in window.exempt:
        if about == resource:
            counts[exempt, nodes == node] = False
    row, function = np.nonzero(counts.T)
    return CapacityRows(
        np.full(nodes.size, index, dtype=np.int64),
        np.full(nodes.size, resource, dtype=np.int64),
        nodes.astype(np.int64),
        window.capacity[resource, nodes],
        row.astype(np.int64),
        function.astype(np.int64),
        demand[function],
    )


def _tightened(rows: CapacityRows) -> CapacityRows:
    # Every row has two entries at least: one alone fits, or the node would not be allowed.
    if rows.row.size == 0:
        return rows
    starts = np.searchsorted(rows.row, np.arange(rows.node.size))
    divisor = np.gcd.reduceat(rows.coefficient, starts)
    coefficient = rows.coefficient // divisor[rows.row]
    upper = rows.upper // divisor
    ascending = coefficient[np.lexsort((coefficient, rows.row))]
    exclusive = ascending[starts] + ascending[starts + 1] > upper
    coefficient[exclusive[rows.row]] = 1
    upper[exclusive] = 1
    return CapacityRows(
        rows.window, rows.resource, rows.node, upper, rows.row, rows.function, coefficient
    )
