"""Ways to damage the certificate of a linear model, as a document."""

from __future__ import annotations

import json
import random
from typing import Any

Document = dict[str, Any]


def damaged(document: Document, choose: random.Random) -> Document:
    """Return a copy with one thing changed; it may or may not still be a certificate."""
    copy = json.loads(json.dumps(document))
    if copy["nodes"] and copy["multipliers"]:
        choose.choice(DAMAGES)(copy, choose)
    return copy


def _part(document: Document, start: int) -> slice:
    """Return the nodes of the part that starts at a node."""
    nodes = document["nodes"]
    end, missing = start, 1
    while missing and end < len(nodes):
        missing += {"branch": 1, "tighten": 0}.get(nodes[end]["type"], -1)
        end += 1
    return slice(start, end)


def _at(document: Document, *types: str) -> list[int]:
    return [i for i, node in enumerate(document["nodes"]) if node["type"] in types]


def _filled(document: Document) -> list[Document]:
    return [vector for vector in document["multipliers"] if vector["rows"]]


def _shift(choose: random.Random) -> int:
    return choose.choice([-3, -1, 1, 2, 50])


def drop_part(document: Document, choose: random.Random) -> None:
    """Leave out a subtree."""
    del document["nodes"][_part(document, choose.randrange(len(document["nodes"])))]


def drop_inner_node(document: Document, choose: random.Random) -> None:
    """Leave out a branch or a tightening, but not what follows."""
    for start in _at(document, "branch", "tighten")[:1]:
        del document["nodes"][start]


def cut_part_off(document: Document, choose: random.Random) -> None:
    """Leave out a branch with its first part: a well-formed tree that has lost points."""
    starts = _at(document, "branch")
    if starts:
        start = choose.choice(starts)
        first = _part(document, start + 1)
        del document["nodes"][start : first.stop]


def replace_part(document: Document, choose: random.Random) -> None:
    """Put one leaf where a whole part was."""
    part = _part(document, choose.randrange(len(document["nodes"])))
    document["nodes"][part] = [{"type": "bound", "multipliers": 0}]


def raise_bound(document: Document, choose: random.Random) -> None:
    """Claim another bound."""
    if document["bound"] is not None:
        document["bound"] += _shift(choose) * document["bound_denominator"]


def double_denominator(document: Document, choose: random.Random) -> None:
    """Claim a bound over another denominator."""
    document["bound_denominator"] = choose.choice([2, 3, 2**30])


def claim_infeasibility(document: Document, choose: random.Random) -> None:
    """Claim that there is no point, and call all leaves rays."""
    document["bound"], document["bound_denominator"] = None, 1
    document["nodes"] = [node for node in document["nodes"] if node["type"] != "tighten"]
    for node in document["nodes"]:
        node["type"] = "farkas" if node["type"] == "bound" else node["type"]


def claim_a_bound(document: Document, choose: random.Random) -> None:
    """Claim a bound, whatever it was."""
    document["bound"], document["bound_denominator"] = choose.choice([-1000, 0, 7, 1000]), 1


def swap_vectors(document: Document, choose: random.Random) -> None:
    """Exchange what two nodes refer to."""
    users = [node for node in document["nodes"] if "multipliers" in node]
    if users:
        one, other = choose.choice(users), choose.choice(users)
        one["multipliers"], other["multipliers"] = other["multipliers"], one["multipliers"]


def point_elsewhere(document: Document, choose: random.Random) -> None:
    """Let every node refer to another vector, perhaps one that is not there."""
    for node in document["nodes"]:
        if "multipliers" in node:
            node["multipliers"] = choose.randrange(len(document["multipliers"]) + 1)


def change_leaf_types(document: Document, choose: random.Random) -> None:
    """Call duals rays and rays duals."""
    for start in _at(document, "bound", "farkas"):
        document["nodes"][start]["type"] = choose.choice(["bound", "farkas"])


def call_a_leaf_empty(document: Document, choose: random.Random) -> None:
    """Let a column have no value."""
    start = choose.choice(_at(document, "bound", "farkas", "empty") or [0])
    document["nodes"][start] = {"type": "empty", "column": 0}


def move_branches(document: Document, choose: random.Random) -> None:
    """Branch at another value."""
    shift = _shift(choose)
    for start in _at(document, "branch"):
        document["nodes"][start]["value"] += shift


def change_columns(document: Document, choose: random.Random) -> None:
    """Branch on another column."""
    for start in _at(document, "branch", "empty"):
        node = document["nodes"][start]
        node["column"] = max(0, node["column"] + choose.choice([-1, 1]))


def swap_nodes(document: Document, choose: random.Random) -> None:
    """Exchange two nodes."""
    nodes = document["nodes"]
    if len(nodes) > 1:
        one, other = choose.sample(range(len(nodes)), 2)
        nodes[one], nodes[other] = nodes[other], nodes[one]


def scale_vector(document: Document, choose: random.Random) -> None:
    """Change a denominator."""
    for vector in _filled(document):
        vector["denominator"] = choose.choice([1, 2, 3, 2**40])


def change_value(document: Document, choose: random.Random) -> None:
    """Change the sign or the size of multipliers."""
    for vector in _filled(document):
        position = choose.randrange(len(vector["values"]))
        vector["values"][position] *= choose.choice([-1, 2, 10**6])


def shift_value(document: Document, choose: random.Random) -> None:
    """Change multipliers a little."""
    for vector in _filled(document):
        position = choose.randrange(len(vector["values"]))
        vector["values"][position] += _shift(choose)


def change_row(document: Document, choose: random.Random) -> None:
    """Multiply another row."""
    for vector in _filled(document):
        position = choose.randrange(len(vector["rows"]))
        vector["rows"][position] = max(0, vector["rows"][position] + choose.choice([-1, 1]))


def drop_entry(document: Document, choose: random.Random) -> None:
    """Forget a row."""
    for vector in _filled(document):
        position = choose.randrange(len(vector["rows"]))
        del vector["rows"][position], vector["values"][position]


def change_digest(document: Document, choose: random.Random) -> None:
    """Speak of another model."""
    document["model_digest"] = document["model_digest"][::-1]


DAMAGES = (
    drop_part,
    drop_inner_node,
    cut_part_off,
    replace_part,
    raise_bound,
    double_denominator,
    claim_infeasibility,
    claim_a_bound,
    swap_vectors,
    point_elsewhere,
    change_leaf_types,
    call_a_leaf_empty,
    move_branches,
    change_columns,
    swap_nodes,
    scale_vector,
    change_value,
    shift_value,
    change_row,
    drop_entry,
    change_digest,
)
