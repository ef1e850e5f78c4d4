"""Certificates of linear models as documents: read back as written, and refused when malformed."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from pydantic import ValidationError

from leotrek_opt.models.base import input_error
from leotrek_opt.models.certificate import (
    MAX_NODES,
    BoundLeaf,
    BranchNode,
    EmptyLeaf,
    FarkasLeaf,
    LinearCertificate,
    RowMultipliers,
    TightenNode,
)

DIGEST = "0123456789abcdef" * 4
DUALS = RowMultipliers(rows=(0, 3), values=(-5, 2**90), denominator=2**20)


def tree() -> LinearCertificate:
    return LinearCertificate(
        model_digest=DIGEST,
        bound=-(2**70) - 1,
        bound_denominator=2,
        multipliers=(DUALS, RowMultipliers()),
        nodes=(
            TightenNode(multipliers=0),
            BranchNode(column=4, value=-2),
            BranchNode(column=0, value=2**53),
            BoundLeaf(multipliers=1),
            EmptyLeaf(column=7),
            FarkasLeaf(multipliers=0),
        ),
    )


def message(document: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        LinearCertificate.model_validate_json(json.dumps(document))
    text = str(input_error(caught.value, model=LinearCertificate))
    assert "\n" not in text
    return text


def test_certificate_is_read_back_as_it_was_written() -> None:
    text = tree().model_dump_json()
    assert LinearCertificate.model_validate_json(text) == tree()
    assert json.loads(text)["nodes"][1] == {"type": "branch", "column": 4, "value": -2}


def test_claim_is_the_bound_over_its_denominator() -> None:
    assert tree().claim == Fraction(-(2**70) - 1, 2)
    nothing = LinearCertificate(
        model_digest=DIGEST,
        bound=None,
        multipliers=(DUALS,),
        nodes=(FarkasLeaf(multipliers=0),),
    )
    assert nothing.claim is None


def test_method_says_what_kind_of_argument_it_is() -> None:
    def of(*nodes: Any) -> str:
        return LinearCertificate(
            model_digest=DIGEST, bound=3, multipliers=(DUALS,), nodes=nodes
        ).method

    assert of(BoundLeaf(multipliers=0)) == "dual_bound"
    assert of(FarkasLeaf(multipliers=0)) == "farkas"
    assert of(EmptyLeaf(column=0)) == "branch"
    assert of(TightenNode(multipliers=0), FarkasLeaf(multipliers=0)) == "branch"
    assert tree().method == "branch"


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "digest too short": ({"model_digest": "abc"}, "model_digest"),
    "other problem": ({"problem_kind": "placement"}, "problem_kind"),
    "other version": ({"version": 2}, "version"),
    "unknown field": ({"bounds": 3}, "bounds"),
    "bound is a float": ({"bound": 1.5}, "bound"),
    "bound is text": ({"bound": "7"}, "bound"),
    "bound is huge": ({"bound": 2**1025}, "bound"),
    "bound is missing": ({"bound": None}, "bound_denominator"),
    "denominator without need": ({"bound": 4}, "bound_denominator"),
    "denominator is no power of two": ({"bound_denominator": 6}, "bound_denominator"),
    "denominator is zero": ({"bound_denominator": 0}, "bound_denominator"),
    "no nodes": ({"nodes": []}, "nodes"),
    "nodes are no list": ({"nodes": {}}, "nodes"),
    "node without type": ({"nodes": [{"multipliers": 0}]}, "nodes[0]"),
    "unknown node": ({"nodes": [{"type": "cut", "multipliers": 0}]}, "nodes[0]"),
    "node with a foreign field": (
        {"nodes": [{"type": "bound", "multipliers": 0, "column": 1}]},
        "nodes[0].column",
    ),
    "vector that is not there": ({"nodes": [{"type": "bound", "multipliers": 2}]}, "nodes[0]"),
    "negative vector": ({"nodes": [{"type": "farkas", "multipliers": -1}]}, "nodes[0]"),
    "negative column": ({"nodes": [{"type": "empty", "column": -1}]}, "nodes[0].column"),
    "branch without parts": ({"nodes": [{"type": "branch", "column": 0, "value": 0}]}, "nodes"),
    "tighten without rest": ({"nodes": [{"type": "tighten", "multipliers": 0}]}, "nodes"),
    "value beyond 2**53": (
        {"nodes": [{"type": "branch", "column": 0, "value": 2**53 + 1}]},
        "nodes[0].value",
    ),
    "two trees": (
        {"nodes": [{"type": "bound", "multipliers": 0}, {"type": "bound", "multipliers": 0}]},
        "nodes[1]",
    ),
    "rows fall": ({"multipliers": [{"rows": [3, 0], "values": [1, 1]}]}, "multipliers[0].rows[1]"),
    "row twice": ({"multipliers": [{"rows": [3, 3], "values": [1, 1]}]}, "multipliers[0].rows[1]"),
    "negative row": ({"multipliers": [{"rows": [-1], "values": [1]}]}, "multipliers[0].rows[0]"),
    "value missing": ({"multipliers": [{"rows": [0, 1], "values": [1]}]}, "multipliers[0].values"),
    "value zero": ({"multipliers": [{"rows": [0], "values": [0]}]}, "multipliers[0].values[0]"),
    "value is a float": ({"multipliers": [{"rows": [0], "values": [0.5]}]}, "multipliers[0]"),
    "value is huge": ({"multipliers": [{"rows": [0], "values": [2**201]}]}, "multipliers[0]"),
    "vector over three": (
        {"multipliers": [{"rows": [0], "values": [1], "denominator": 3}]},
        "multipliers[0].denominator",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_malformed_certificate_is_refused_in_one_line_that_names_the_field(name: str) -> None:
    change, field = CHANGES[name]
    assert message(tree().model_dump(mode="json") | change).startswith(field)


def test_node_that_needs_a_bound_is_refused_without_one() -> None:
    document = tree().model_dump(mode="json") | {"bound": None, "bound_denominator": 1}
    assert message(document).startswith("nodes[0]: tighten needs a bound")
    document["nodes"] = [{"type": "bound", "multipliers": 0}]
    assert message(document).startswith("nodes[0]: bound needs a bound")


def test_nothing_may_follow_a_complete_tree_nor_be_missing() -> None:
    document = tree().model_dump(mode="json")
    document["nodes"].append({"type": "empty", "column": 0})
    assert message(document).startswith("nodes[6]: follows a tree that is complete")
    document["nodes"] = document["nodes"][:5]
    assert message(document).startswith("nodes: the tree ends with 1 part(s) missing")


def test_too_many_nodes_are_refused() -> None:
    document = tree().model_dump(mode="json")
    document["nodes"] = [{"type": "tighten", "multipliers": 0}] * (MAX_NODES + 1)
    assert "nodes" in message(document)
