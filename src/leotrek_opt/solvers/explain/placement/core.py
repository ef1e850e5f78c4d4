"""The part of a placement problem that decides whether it has a placement at all.

Without some of its rules, much of a problem is easy: an edge without limit only asks for a route,
and functions that are joined by such edges only, each with a node that surely has room for it, can
stand there. Such edges and functions are set aside, over and over; what is left has a placement
exactly if the whole has one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from leotrek_opt.models.continuum import NodeEvent
from leotrek_opt.models.placement import PlacementObjective, PlacementProblem
from leotrek_opt.solvers.arrays.placement import PlacementArrays, placement_arrays
from leotrek_opt.solvers.arrays.placement.eligibility import Rule
from leotrek_opt.topology.routing import RouteGraph
from leotrek_opt.topology.series import LinkSeries

IntArray = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Core:
    """What has to be decided.

    Parameters
    ----------
    arrays
        The core as a problem of its own, None if nothing is left.
    functions
        Index of each of its functions in the whole, in order.
    parked
        Node by function of the whole for those set aside, -1 for the functions of the core.
    """

    arrays: PlacementArrays | None
    functions: tuple[int, ...]
    parked: IntArray

    def whole(self, assignment: IntArray) -> IntArray:
        """Return a placement of the whole problem, given one of the core.

        Parameters
        ----------
        assignment
            Node by function of the core.

        Returns
        -------
        ndarray of int64
            Node by function.
        """
        nodes = self.parked.copy()
        nodes[list(self.functions)] = assignment
        return nodes


def core_of(arrays: PlacementArrays, series: LinkSeries) -> Core:
    """Set aside what cannot matter.

    Parameters
    ----------
    arrays
        Of the whole problem.
    series
        Its links.

    Returns
    -------
    Core
        If some functions have no node at all, these alone. Its objective is the plain sum of
        latencies: whether there is a placement depends on no objective.
    """
    parked = np.full(arrays.n_functions, -1, dtype=np.int64)
    islands = _Islands(arrays)
    allowed = islands.within_reach()
    nowhere = np.flatnonzero(~allowed.any(axis=1)).tolist()
    if nowhere:
        return Core(_restricted(arrays, series, nowhere, set(), allowed), tuple(nowhere), parked)
    edges = {edge for edge in range(len(arrays.edges)) if not islands.is_idle(edge, allowed)}
    functions = list(range(arrays.n_functions))
    while True:
        roomy = _roomy(arrays, functions)
        free = [
            (group, places)
            for group in _groups(arrays, functions, edges)
            if islands.are_loose(group)
            and (places := islands.places(group, allowed & roomy)) is not None
        ]
        if not free:
            break
        for group, places in free:
            parked[group] = places
        functions = [function for function in functions if parked[function] < 0]
        edges = {edge for edge in edges if parked[arrays.edges[edge].source] < 0}
    if not functions:
        return Core(None, (), parked)
    inner = beside_fixed(_restricted(arrays, series, functions, edges, allowed))
    return Core(inner, tuple(functions), parked)


class _Islands:
    """Which nodes routes join, in the snapshots in which edges are measured.

    An island is a part of the network whose nodes all have routes to each other. A node that does
    not relay may touch several parts that nothing else joins; it is counted to one of them. So
    nodes of one island always have a route, and nodes of two may have one.

    Edges with a limit, and all edges of a workflow with a response time, ask for more than a route;
    the others are called loose.
    """

    def __init__(self, arrays: PlacementArrays) -> None:
        self.arrays = arrays
        timed = {
            function
            for workflow in arrays.workflows
            if workflow.response_time_slo_ns is not None
            for function in workflow.functions
        }
        self.loose_edges = [
            edge.max_latency_ns is None and edge.source not in timed for edge in arrays.edges
        ]
        self._bound = timed | {
            end
            for edge, is_loose in zip(arrays.edges, self.loose_edges, strict=True)
            if not is_loose
            for end in (edge.source, edge.target)
        }
        self._labels: dict[int, IntArray] = {}

    def within_reach(self) -> Mask:
        """Return the allowed nodes that routes join to some allowed node of every partner."""
        allowed = self.arrays.allowed.copy()
        while True:
            before = allowed.sum()
            for edge in self.arrays.edges:
                for one, other in ((edge.source, edge.target), (edge.target, edge.source)):
                    allowed[one] &= self._joined_to(edge.link.graph, allowed[other])
            if allowed.sum() == before:
                return allowed

    def is_idle(self, edge: int, allowed: Mask) -> bool:
        """Tell whether a loose edge is kept wherever its functions are."""
        if not self.loose_edges[edge]:
            return False
        item = self.arrays.edges[edge]
        reached = self._label(item.link.graph)[allowed[item.source] | allowed[item.target]]
        return bool((reached == reached[0]).all())

    def are_loose(self, group: list[int]) -> bool:
        """Tell whether functions have none but loose edges."""
        return self._bound.isdisjoint(group)

    def places(self, group: list[int], allowed: Mask) -> list[int] | None:
        """Return a node for each function, all of them joined by routes at every step."""
        graphs = {
            id(edge.link.graph): edge.link.graph
            for edge in self.arrays.edges
            if edge.source in group
        }
        labels = np.array([self._label(graph) for graph in graphs.values()])
        if not graphs or len(group) == 1:
            labels = np.zeros((1, self.arrays.n_nodes), dtype=np.int64)
        _, island = np.unique(labels, axis=1, return_inverse=True)
        island = island.reshape(-1)
        common = set(np.unique(island[allowed[group[0]]]).tolist())
        for function in group[1:]:
            common &= set(np.unique(island[allowed[function]]).tolist())
        if not common:
            return None
        chosen = min(common)
        return [int(np.argmax(allowed[function] & (island == chosen))) for function in group]

    def _joined_to(self, graph: RouteGraph, nodes: Mask) -> Mask:
        """Return the nodes that have a route to any of some nodes."""
        label = self._label(graph)
        joined: Mask = np.isin(label, np.unique(label[nodes]))
        if graph.relay is None:
            return joined
        # A route leads over the relaying nodes of one island, or over a single link.
        reached = nodes | _beside(graph, nodes)
        within = np.isin(label, np.unique(label[reached & graph.relay])) & graph.relay
        return reached | within | _beside(graph, within)

    def _label(self, graph: RouteGraph) -> IntArray:
        if id(graph) not in self._labels:
            size = (graph.n_nodes, graph.n_nodes)
            tail, head = graph.tail, graph.head
            if graph.relay is not None:
                inner = graph.relay[tail] & graph.relay[head]
                tail, head = tail[inner], head[inner]
            links = csr_matrix((np.ones(tail.size), (tail, head)), shape=size)
            label = connected_components(links, directed=False)[1].astype(np.int64)
            if graph.relay is not None:
                # A silent node is an island of its own unless a relaying one is beside it.
                outer = ~graph.relay[graph.tail] & graph.relay[graph.head]
                label[graph.tail[outer]] = label[graph.head[outer]]
            self._labels[id(graph)] = label
        return self._labels[id(graph)]


def _beside(graph: RouteGraph, nodes: Mask) -> Mask:
    """Return the nodes that a link joins to any of some nodes."""
    beside = np.zeros(graph.n_nodes, dtype=bool)
    beside[graph.head[nodes[graph.tail]]] = True
    return beside


def _groups(arrays: PlacementArrays, functions: list[int], edges: set[int]) -> list[list[int]]:
    """Return the functions in groups that edges join."""
    ends = np.array([(arrays.edges[e].source, arrays.edges[e].target) for e in sorted(edges)])
    ends = ends.reshape(-1, 2)
    size = (arrays.n_functions, arrays.n_functions)
    joined = csr_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=size)
    label = connected_components(joined, directed=False)[1]
    groups: dict[int, list[int]] = {}
    for function in functions:
        groups.setdefault(int(label[function]), []).append(function)
    return list(groups.values())


def beside_fixed(arrays: PlacementArrays) -> PlacementArrays:
    """Forbid nodes that have no room for a function beside those that must be there.

    A function with one node left is there in every placement. Forbidding nodes may leave further
    functions with one node: this is repeated until nothing changes.

    Parameters
    ----------
    arrays
        The problem.

    Returns
    -------
    PlacementArrays
        With the same placements.
    """
    allowed = arrays.allowed.copy()
    while True:
        fixed = allowed.sum(axis=1) == 1
        assignment = np.where(fixed, allowed.argmax(axis=1), -1)
        before = allowed.copy()
        for index, window in enumerate(arrays.capacities.windows):
            free = window.capacity - arrays.capacities.loads(index, assignment)
            for function in np.flatnonzero(window.active).tolist():
                asked = arrays.capacities.demand[function]
                own = asked * fixed[function]
                fits = asked[:, None] - own[:, None] <= free
                fits[asked == 0] = True
                for exempt, resource, node in window.exempt:
                    if exempt == function:
                        fits[resource, node] = True
                allowed[function] &= fits.all(axis=0)
        if (allowed == before).all():
            break
    if (allowed == arrays.allowed).all():
        return arrays
    return replace(arrays, rules=(*arrays.rules, Rule("capacity", allowed)))


def _roomy(arrays: PlacementArrays, functions: list[int]) -> Mask:
    """Return for each function the nodes that could hold it and everybody else at once."""
    capacities = arrays.capacities
    present = np.zeros(arrays.n_functions, dtype=bool)
    present[functions] = True
    roomy = np.ones((arrays.n_functions, arrays.n_nodes), dtype=bool)
    for window in capacities.windows:
        here = present & window.active
        fits = capacities.demand[here].sum(axis=0)[:, None] <= window.capacity
        for function in np.flatnonzero(here).tolist():
            asked = capacities.demand[function] > 0
            roomy[function] &= fits[asked].all(axis=0)
    return roomy


def _restricted(
    arrays: PlacementArrays,
    series: LinkSeries,
    functions: list[int],
    edges: set[int],
    allowed: Mask,
) -> PlacementArrays:
    inner = placement_arrays(_part(arrays, functions, edges), series)
    # Edges that were set aside count on their functions to stay within reach.
    return replace(inner, rules=(*inner.rules, Rule("data_source", allowed[functions])))


def _part(arrays: PlacementArrays, functions: list[int], edges: set[int]) -> PlacementProblem:
    problem = arrays.problem
    kept = set(functions)
    names = {arrays.name_of(function) for function in functions}
    workflows = []
    first_function = first_edge = 0
    for workflow in problem.workflows:
        inside = [
            function
            for row, function in enumerate(workflow.functions)
            if first_function + row in kept
        ]
        links = [edge for row, edge in enumerate(workflow.edges) if first_edge + row in edges]
        first_function += len(workflow.functions)
        first_edge += len(workflow.edges)
        if inside:
            workflows.append(workflow.replace(functions=tuple(inside), edges=tuple(links)))
    events = tuple(_among(event, names) for event in problem.continuum.events)
    continuum = problem.continuum
    if any(new is not old for new, old in zip(events, continuum.events, strict=True)):
        continuum = continuum.replace(events=events)
    return problem.replace(
        continuum=continuum,
        workflows=tuple(workflows),
        objective=PlacementObjective(data_sources=problem.objective.data_sources),
    )


def _among(event: NodeEvent, names: set[str]) -> NodeEvent:
    kept = tuple(name for name in event.except_functions if name in names)
    return (
        event if len(kept) == len(event.except_functions) else event.replace(except_functions=kept)
    )
