"""Cycles in workflows are found, named, and found in every graph that has one."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from leotrek_opt.models.workflow import DataEdge, Function, Workflow, find_cycle

NAMES = list("abcdef")


@given(st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=12))
def test_cycle_is_found_exactly_where_there_is_one(edges: set[tuple[str, str]]) -> None:
    graph = nx.DiGraph(edges)
    cycle = find_cycle(NAMES, edges)
    assert bool(cycle) != nx.is_directed_acyclic_graph(graph)
    if cycle:
        assert cycle[0] == cycle[-1]
        assert len(set(cycle)) == len(cycle) - 1
        assert set(pairwise(cycle)) <= edges


def test_long_chain_needs_no_recursion() -> None:
    names = [str(index) for index in range(10_000)]
    edges = set(pairwise(names))
    assert find_cycle(names, edges) == []
    assert len(find_cycle(names, edges | {(names[-1], names[0])})) == 10_001


def test_workflow_with_a_back_edge_is_refused_with_its_cycle() -> None:
    with pytest.raises(ValidationError, match="a -> b -> a"):
        Workflow(
            id="w",
            functions=(Function(id="a"), Function(id="b")),
            edges=(DataEdge(source="a", target="b"), DataEdge(source="b", target="a")),
        )
