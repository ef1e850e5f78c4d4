"""Vertices of nodes that do not relay, and what is read off search trees."""

from __future__ import annotations

import numpy as np
import pytest

from leotrek_opt.topology.arcs import kept, roots, vertices, widths_to_root

# 0 - 1 - 2 in a line.
INDPTR = np.array([0, 1, 3, 4], dtype=np.int32)
HEAD = np.array([1, 0, 2, 1], dtype=np.int32)
WEIGHT = np.array([5.0, 5.0, 7.0, 7.0])


def arcs(relay: list[bool] | None) -> set[tuple[int, int, float]]:
    found = vertices(INDPTR, HEAD, WEIGHT, None if relay is None else np.array(relay))
    return set(zip(found.tail.tolist(), found.head.tolist(), found.weight.tolist(), strict=True))


def test_node_that_relays_is_its_own_start() -> None:
    found = vertices(INDPTR, HEAD, WEIGHT, None)
    assert (found.size, found.start.tolist()) == (3, [0, 1, 2])
    assert arcs(None) == {(0, 1, 5.0), (1, 0, 5.0), (1, 2, 7.0), (2, 1, 7.0)}


def test_silent_node_has_arcs_into_it_and_out_of_its_start() -> None:
    relay = np.array([True, False, True])
    found = vertices(INDPTR, HEAD, WEIGHT, relay)
    assert (found.size, found.start.tolist()) == (4, [0, 3, 2])
    assert arcs([True, False, True]) == {(0, 1, 5.0), (3, 0, 5.0), (3, 2, 7.0), (2, 1, 7.0)}


@pytest.mark.parametrize(
    ("relay", "shared"), [([True, True, False], True), ([False, True, True], False)]
)
def test_arcs_stay_where_they_are_if_the_last_nodes_are_silent(
    relay: list[bool], shared: bool
) -> None:
    found = vertices(INDPTR, HEAD, WEIGHT, np.array(relay))
    assert (found.weight is WEIGHT) == shared


def test_row_pointer_counts_the_arcs_that_are_kept() -> None:
    assert kept(INDPTR, np.array([True, False, True, False])).tolist() == [0, 1, 2, 2]


def test_roots_are_the_vertices_after_the_virtual_source() -> None:
    predecessor = np.array([4, 0, 1, -9999], dtype=np.int32)
    reached = np.array([True, True, True, False])
    assert roots(predecessor, reached).tolist() == [0, 0, 0, -1]


def test_width_of_a_way_is_that_of_its_narrowest_arc() -> None:
    parent = np.array([0, 0, 1, 2, 3, 5])
    root, width = widths_to_root(parent, np.array([np.inf, 9.0, 4.0, 6.0, 8.0, 0.0]))
    assert root.tolist() == [0, 0, 0, 0, 0, 5]
    assert width.tolist() == [np.inf, 9, 4, 4, 4, 0]
