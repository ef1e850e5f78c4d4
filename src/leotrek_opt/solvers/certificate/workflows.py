"""Lower bounds on one workflow, alone and with one function held on a node: dynamic programming.

*Given* ``x_i = n`` means: over all placements that have function i on node n. All costs are
integers in the units of the network.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leotrek_opt.solvers.certificate.messages import Domains, Network
from leotrek_opt.solvers.certificate.routes import Labels

if TYPE_CHECKING:
    from leotrek_opt.solvers.arrays.placement import PlacementArrays, WorkflowArrays
    from leotrek_opt.topology.routing import FloatArray

Send = Callable[[int, Labels, Collection[int]], Labels]
"""Turns an edge, values at one end and nodes of the other end into a message."""


@dataclass(frozen=True)
class Branch:
    """An edge of a tree, seen from the root.

    Parameters
    ----------
    parent, child
        Functions.
    edge
        Between them, in either direction.
    """

    parent: int
    child: int
    edge: int


@dataclass(frozen=True)
class Tree:
    """A connected part of a workflow without cycles.

    Parameters
    ----------
    root
        Function.
    branches
        Parents before their children.
    counts_functions
        Whether the costs of functions count in this tree; those of its edges always do.
    """

    root: int
    branches: tuple[Branch, ...]
    counts_functions: bool


def is_additive(arrays: PlacementArrays, workflow: WorkflowArrays) -> bool:
    """Tell whether a workflow's value is a sum of one term per function and one per edge.

    Parameters
    ----------
    arrays
        The problem.
    workflow
        One of its workflows.

    Returns
    -------
    bool
        True for latency sums; and for the critical path of a single chain without data sources,
        where every start is the finish before it plus the transfer in between.
    """
    if not arrays.is_critical_path:
        return True
    edges = [arrays.edges[edge] for edge in workflow.edges]
    no_fork = len({edge.source for edge in edges}) == len(edges)
    no_join = len({edge.target for edge in edges}) == len(edges)
    is_chain = no_fork and no_join and len(edges) == len(workflow.functions) - 1
    return is_chain and not arrays.problem.objective.data_sources


def trees_of(network: Network, workflow: WorkflowArrays) -> tuple[Tree, ...]:
    """Take a workflow apart into trees, so that every function and every edge counts once.

    Spanning forests are taken from the remaining edges until none is left, each grown breadth first
    from the first function in topological order, along edges in the order of the document. The
    functions count in the first forest, which holds them all.

    The value of a placement is the sum of its values in the trees, so the sum of the least values
    of the trees, each free to place a function for itself, is a lower bound; and if the workflow is
    one tree it is exact.

    Parameters
    ----------
    network
        Knows the ends of edges.
    workflow
        Whose edges are taken.

    Returns
    -------
    tuple of Tree
        At least one.
    """
    trees = list(_spanning_forest(network, workflow.functions, workflow.edges, True))
    remaining = _without(workflow.edges, trees)
    while remaining:
        forest = _spanning_forest(network, workflow.functions, remaining, False)
        trees += [tree for tree in forest if tree.branches]
        remaining = _without(remaining, trees)
    return tuple(trees)


def _spanning_forest(
    network: Network, functions: Sequence[int], edges: Sequence[int], counts_functions: bool
) -> Iterator[Tree]:
    incident: dict[int, list[tuple[int, int]]] = {function: [] for function in functions}
    for edge in edges:
        source, target = network.ends(edge)
        incident[source].append((edge, target))
        incident[target].append((edge, source))
    seen: set[int] = set()
    for root in functions:
        if root in seen:
            continue
        seen.add(root)
        branches: list[Branch] = []
        waiting = deque([root])
        while waiting:
            parent = waiting.popleft()
            for edge, child in incident[parent]:
                if child not in seen:
                    seen.add(child)
                    branches.append(Branch(parent, child, edge))
                    waiting.append(child)
        yield Tree(root, tuple(branches), counts_functions)


def _without(edges: Sequence[int], trees: Sequence[Tree]) -> list[int]:
    used = {branch.edge for tree in trees for branch in tree.branches}
    return [edge for edge in edges if edge not in used]


def tree_minima(tree: Tree, values: Mapping[int, Labels], send: Send) -> dict[int, Labels]:
    """Return the least value of a tree given ``x_i = n``, for each of its functions i and nodes n.

    Messages run from the leaves to the root and back. What a function has received from one side,
    plus its own value, is the least cost of all of the tree on that side; so the sum of its own
    value and its messages from all sides is the least cost of the whole tree. A message to a child
    must leave out what came from that child: it is subtracted again, which integers allow. A node
    that the child sent nothing to is left out as well, for no candidate of the child goes with it.

    Parameters
    ----------
    tree
        Part of a workflow.
    values
        Cost of every candidate, by function.
    send
        Computes messages; if they are lower bounds, so is the result.

    Returns
    -------
    dict of dict
        By function and node; a node without entry cannot be used.
    """
    total = {function: values[function] for function in members(tree)}
    upward: dict[int, Labels] = {}
    for branch in reversed(tree.branches):
        upward[branch.child] = send(branch.edge, total[branch.child], total[branch.parent].keys())
        total[branch.parent] = plus(total[branch.parent], upward[branch.child])
    for branch in tree.branches:
        received = upward[branch.child]
        rest = {node: cost - received[node] for node, cost in total[branch.parent].items()}
        downward = send(branch.edge, rest, total[branch.child].keys())
        total[branch.child] = plus(total[branch.child], downward)
    return total


def members(tree: Tree) -> Iterator[int]:
    """Yield the functions of a tree, parents before their children."""
    yield tree.root
    for branch in tree.branches:
        yield branch.child


def path_minima(
    network: Network, workflow: WorkflowArrays, domains: Domains, transfer: Send
) -> dict[int, Labels]:
    """Return a lower bound on the response time given ``x_i = n``, for any acyclic workflow.

    With ``e_j(m)`` the execution time, ``r_j(m)`` the arrival of the data sources and ``t`` the
    transfer, over predecessors i and successors k of j::

        F_j(m) = e_j(m) + max(r_j(m), max over i of min over n of F_i(n) + t_ij(n, m))
        B_j(m) = max over k of min over n of t_jk(m, n) + e_k(n) + B_k(n)

    In a placement with j on m, j finishes no earlier than ``F_j(m)``: by induction each predecessor
    i, wherever it is, finishes no earlier than ``F_i`` there, and its data takes t. Likewise, by
    induction from the last functions, at least ``B_j(m)`` passes from that finish to the end. So
    the response is at least ``F_j(m) + B_j(m)``.

    Parameters
    ----------
    network
        Gives arrays, ends and units.
    workflow
        One workflow.
    domains
        Candidates by function.
    transfer
        Computes messages of transfer times; they may be lower bounds.

    Returns
    -------
    dict of dict
        By function and node; a node without entry cannot be used.
    """
    incoming: dict[int, list[tuple[int, int]]] = {function: [] for function in workflow.functions}
    outgoing: dict[int, list[tuple[int, int]]] = {function: [] for function in workflow.functions}
    for edge in workflow.edges:
        source, target = network.ends(edge)
        incoming[target].append((source, edge))
        outgoing[source].append((target, edge))
    arrays = network.arrays
    execution = {
        function: in_units(network, arrays.execution_ns[function], domains[function])
        for function in workflow.functions
    }
    finish: dict[int, Labels] = {}
    for function in workflow.functions:
        start = in_units(network, arrays.source_ready_ns[function], domains[function])
        for source, edge in incoming[function]:
            start = later(start, transfer(edge, finish[source], start.keys()))
        finish[function] = plus(start, execution[function])
    remaining: dict[int, Labels] = {}
    for function in reversed(workflow.functions):
        remaining[function] = dict.fromkeys(domains[function], 0)
        for target, edge in outgoing[function]:
            onward = plus(execution[target], remaining[target])
            message = transfer(edge, onward, remaining[function].keys())
            remaining[function] = later(remaining[function], message)
    return {
        function: plus(finish[function], remaining[function]) for function in workflow.functions
    }


def in_units(network: Network, row: FloatArray, nodes: Collection[int]) -> Labels:
    """Return entries of an array in ns as integers in the units of a network.

    Parameters
    ----------
    network
        Gives the unit.
    row
        Whole ns by node, shape (N,).
    nodes
        Which entries; they must be finite.

    Returns
    -------
    dict
        By node.
    """
    chosen = list(nodes)
    costs = row[chosen].tolist()
    return {node: int(cost) * network.denominator for node, cost in zip(chosen, costs, strict=True)}


def plus(left: Labels, right: Labels) -> Labels:
    """Return sums where both have a label."""
    return {node: cost + right[node] for node, cost in left.items() if node in right}


def later(left: Labels, right: Labels) -> Labels:
    """Return the larger label where both have one."""
    return {node: max(cost, right[node]) for node, cost in left.items() if node in right}
