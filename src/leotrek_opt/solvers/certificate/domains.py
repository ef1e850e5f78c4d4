"""Nodes that a function cannot have in any feasible placement, whatever the objective.

Every function here deletes a candidate only if no feasible placement within the domains uses it, so
the feasible placements within the domains stay the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leotrek_opt.solvers.certificate.messages import Network, RouteMessenger

if TYPE_CHECKING:
    from leotrek_opt.solvers.arrays.placement import PlacementArrays

Candidates = dict[int, set[int]]
"""By function: nodes where it may still be."""


def count(candidates: Mapping[int, set[int]]) -> int:
    """Return the number of pairs of function and node."""
    return sum(len(nodes) for nodes in candidates.values())


def allowed_candidates(arrays: PlacementArrays) -> Candidates:
    """Return the nodes that every rule about a single function leaves to it.

    Parameters
    ----------
    arrays
        The problem.

    Returns
    -------
    dict of set
        By function.
    """
    return {
        function: set(arrays.allowed[function].nonzero()[0].tolist())
        for function in range(arrays.n_functions)
    }


def within_limits(network: Network, candidates: Mapping[int, set[int]]) -> Candidates:
    """Delete nodes from which an edge cannot keep its latency limit, until none is left to delete.

    A node n of j stays only if some candidate m of i has a route to it within the limit of the edge
    (i, j), with m != n where n cannot hold both: one search from all candidates of i at once, begun
    at cost 0, finds the nearest. When nodes of j are deleted, its other edges are looked at again;
    not (i, j) itself, as a deleted node supported no candidate of i (arc consistency: Mackworth,
    Artif. Intell. 8, 1977).

    Parameters
    ----------
    network
        The links.
    candidates
        By function; left as they are.

    Returns
    -------
    dict of set
        Possibly smaller.
    """
    left = {function: set(nodes) for function, nodes in candidates.items()}
    router = RouteMessenger(network)
    limited = [edge for edge in range(len(network.arrays.edges)) if network.limit(edge) is not None]
    links: dict[int, list[tuple[int, int]]] = {function: [] for function in left}
    for edge in limited:
        source, target = network.ends(edge)
        links[source].append((edge, target))
        links[target].append((edge, source))
    waiting = deque((sender, *link) for sender in left for link in links[sender])
    while waiting:
        sender, edge, receiver = waiting.popleft()
        starts = dict.fromkeys(left[sender], 0)
        near = router.latency(edge, starts, left[receiver], network.limit(edge))
        if len(near) < len(left[receiver]):
            left[receiver] = set(near)
            further = ((receiver, *link) for link in links[receiver] if link[0] != edge)
            waiting += [item for item in further if item not in waiting]
    return left


@dataclass(frozen=True)
class _Window:
    active: frozenset[int]
    capacity: list[list[int]]
    exempt: frozenset[tuple[int, int, int]]


class Occupancy:
    """Capacities, for what they leave beside functions that have only one node left.

    Parameters
    ----------
    arrays
        The problem.
    """

    def __init__(self, arrays: PlacementArrays) -> None:
        self.demand: list[list[int]] = arrays.capacities.demand.tolist()
        self.windows = [
            _Window(
                frozenset(window.active.nonzero()[0].tolist()),
                window.capacity.tolist(),
                window.exempt,
            )
            for window in arrays.capacities.windows
        ]

    def beside_fixed(self, candidates: Mapping[int, set[int]]) -> Candidates:
        """Delete nodes that have no room for a function beside those that must be there.

        A function with a single candidate is there in every placement within the domains, so its
        demand is taken. Deleting may leave further functions with a single candidate: repeat until
        nothing changes.

        Parameters
        ----------
        candidates
            By function; left as they are.

        Returns
        -------
        dict of set
            Possibly smaller; an empty set tells that the capacities cannot be kept.
        """
        left = {function: set(nodes) for function, nodes in candidates.items()}
        waiting = [function for function, nodes in left.items() if len(nodes) == 1]
        if not waiting:
            return left
        users: dict[int, list[int]] = {}
        for function, nodes in left.items():
            for node in nodes:
                users.setdefault(node, []).append(function)
        fixed: dict[int, set[int]] = {}
        while waiting:
            arrived = waiting.pop()
            if not left[arrived]:
                continue
            (node,) = left[arrived]
            fixed.setdefault(node, set()).add(arrived)
            for function in users[node]:
                if node in left[function] and self._is_over(node, fixed[node] | {function}):
                    left[function].discard(node)
                    if len(left[function]) == 1:
                        waiting.append(function)
        return left

    def _is_over(self, node: int, functions: set[int]) -> bool:
        return any(
            sum(
                self.demand[function][resource]
                for function in functions & window.active
                if (function, resource, node) not in window.exempt
            )
            > row[node]
            for window in self.windows
            for resource, row in enumerate(window.capacity)
        )
