"""What a continuum says beyond its columns."""

from __future__ import annotations

from leotrek_opt.models.continuum import NodeTable


def test_nodes_are_called_by_their_labels_where_they_have_one() -> None:
    nodes = NodeTable(
        id=("a", "b"), kind=("edge", "cloud"), architecture=("x86_64",) * 2, capacity={}
    )
    assert nodes.names == ("a", "b")
    assert nodes.replace(label=("Graz", "")).names == ("Graz", "b")
