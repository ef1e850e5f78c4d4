"""Workflows taken apart into trees, on which dynamic programming is exact."""

from __future__ import annotations

from dataclasses import dataclass

from leotrek_opt.solvers.arrays.placement import PlacementArrays, WorkflowArrays


@dataclass(frozen=True)
class Branch:
    """One link of a tree, seen from the root.

    Parameters
    ----------
    child, parent
        Function indices.
    edge
        Edge index.
    """

    child: int
    parent: int
    edge: int


@dataclass(frozen=True)
class Tree:
    """A connected, cycle-free part of a workflow.

    Parameters
    ----------
    root
        Function index.
    branches
        Parents before children.
    weighted
        Functions whose unary cost counts in this tree; each function counts in exactly one.
    """

    root: int
    branches: tuple[Branch, ...]
    weighted: frozenset[int]

    @property
    def functions(self) -> tuple[int, ...]:
        """All functions of the tree, the root first."""
        return (self.root, *(branch.child for branch in self.branches))


def trees_of(arrays: PlacementArrays, workflow: WorkflowArrays) -> tuple[Tree, ...]:
    """Split the edges of a workflow into trees.

    The first trees span the workflow; the edges they leave over form further trees. The optimum of
    the workflow is at least the sum of the optima of its trees, since every edge and every unary
    cost counts once and each tree may place a function on its own; with a single tree it is equal.

    Parameters
    ----------
    arrays
        The problem.
    workflow
        One of its workflows.

    Returns
    -------
    tuple of Tree
        Deterministic; one tree for a tree-shaped workflow.
    """
    remaining = list(workflow.edges)
    uncounted = set(workflow.functions)
    trees: list[Tree] = []
    while remaining or uncounted:
        visited: set[int] = set()
        used: set[int] = set()
        for root in workflow.functions:
            touches = any(
                root in (arrays.edges[edge].source, arrays.edges[edge].target) for edge in remaining
            )
            if root in visited or not (touches or root in uncounted):
                continue
            branches = _grow(arrays, root, remaining, visited)
            used |= {branch.edge for branch in branches}
            members = {root, *(branch.child for branch in branches)}
            trees.append(Tree(root, branches, frozenset(members & uncounted)))
            uncounted -= members
        remaining = [edge for edge in remaining if edge not in used]
    return tuple(trees)


def _grow(
    arrays: PlacementArrays, root: int, remaining: list[int], visited: set[int]
) -> tuple[Branch, ...]:
    visited.add(root)
    branches: list[Branch] = []
    frontier = [root]
    while frontier:
        parent = frontier.pop(0)
        for edge in remaining:
            ends = (arrays.edges[edge].source, arrays.edges[edge].target)
            if parent not in ends:
                continue
            child = ends[1] if ends[0] == parent else ends[0]
            if child not in visited:
                visited.add(child)
                branches.append(Branch(child, parent, edge))
                frontier.append(child)
    return tuple(branches)
