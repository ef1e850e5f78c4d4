"""Whatever comes in: a document, or an InputError, and nothing else."""

from __future__ import annotations

import copy
import gzip
import json
import re
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.errors import InputError
from leotrek_opt.instances.documents import digest, dumps, loads
from leotrek_opt.instances.kinds import KINDS
from leotrek_opt.models.base import StrictModel
from leotrek_opt.models.workflow import DataEdge, DataSource, Function, StepInterval, Workflow

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
TEXTS = {path.name: path.read_text() for path in sorted(GOLDEN.glob("*-1.json"))}

FIELD_NAMES = sorted({name for text in TEXTS.values() for name in re.findall(r'"(\w+)":', text)})
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, -1, 1, 2**31, 2**53, 2**63, 2**64, 10**30])
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([*KINDS, "forever", "explicit", "generated", "a", "b", "2026-01-01"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(FIELD_NAMES) | st.text(max_size=8), inner, max_size=6)
    ),
    max_leaves=20,
)


def read(data: str | bytes) -> StrictModel | None:
    """Return the document, or None if it was refused in one line."""
    try:
        return loads(data)
    except InputError as error:
        line = str(error)
    assert line
    assert "\n" not in line
    return None


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) below a value."""
    found: list[tuple[Any, Any]] = []
    pending = [tree]
    while pending:
        here = pending.pop()
        keys = list(here) if isinstance(here, dict) else range(len(here))
        for key in keys:
            found.append((here, key))
            if isinstance(here[key], (dict, list)):
                pending.append(here[key])
    return found


@given(JSON)
def test_random_json_is_read_or_refused(value: Any) -> None:
    read(json.dumps(value))


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(FIELD_NAMES), JSON))
def test_random_document_is_read_or_refused(kind: str, fields: dict[str, Any]) -> None:
    read(json.dumps({**fields, "kind": kind, "version": 1}))


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    assert read(data) is None
    assert read(b"\x1f\x8b" + data) is None


@given(st.sampled_from(sorted(TEXTS)), st.data())
def test_document_with_one_value_changed_is_read_or_refused(name: str, data: st.DataObject) -> None:
    tree = json.loads(TEXTS[name])
    container, key = data.draw(
        st.sampled_from(range(len(places(tree)))).map(places(tree).__getitem__)
    )
    change = data.draw(st.sampled_from(["replace", "delete", "repeat", "rename", "swap"]))
    if change == "replace":
        container[key] = data.draw(JSON)
    elif change == "delete":
        del container[key]
    elif change == "repeat" and isinstance(container, list):
        container.append(copy.deepcopy(container[key]))
    elif change == "rename" and isinstance(container, dict):
        container[data.draw(st.sampled_from(FIELD_NAMES))] = container.pop(key)
    else:
        other, place = data.draw(
            st.sampled_from(range(len(places(tree)))).map(places(tree).__getitem__)
        )
        container[key] = copy.deepcopy(other[place])
    document = read(json.dumps(tree))
    if document is not None:
        assert loads(dumps(document)) == document


@given(st.sampled_from(sorted(TEXTS)), st.data())
def test_document_with_bytes_changed_is_read_or_refused(name: str, data: st.DataObject) -> None:
    text = bytearray(TEXTS[name].encode())
    for _ in range(data.draw(st.integers(1, 3))):
        if not text:
            break
        place = data.draw(st.integers(0, len(text) - 1))
        change = data.draw(st.sampled_from(["replace", "delete", "insert", "cut", "repeat"]))
        if change == "replace":
            text[place] = data.draw(st.integers(0, 255))
        elif change == "delete":
            del text[place : place + data.draw(st.integers(1, 20))]
        elif change == "insert":
            text[place:place] = data.draw(
                st.binary(min_size=1, max_size=4)
                | st.sampled_from([b"{", b"[", b'"', b",", b"9e9"])
            )
        elif change == "cut":
            del text[max(1, place) :]
        else:
            text[place:place] = text[place : place + data.draw(st.integers(1, 200))]
    read(bytes(text))


@given(st.sampled_from(sorted(TEXTS)), st.data())
def test_damaged_gzip_is_read_or_refused(name: str, data: st.DataObject) -> None:
    packed = bytearray(gzip.compress(TEXTS[name].encode(), mtime=0))
    for _ in range(data.draw(st.integers(1, 3))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    read(bytes(packed))


NAMES = st.text("ab:#._-Z0", min_size=1, max_size=6)
LIMITS = st.none() | st.floats(0, 100_000)


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    """Return a valid workflow that uses most of its fields."""
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    functions = []
    for name in names:
        start = draw(st.integers(0, 50))
        hold = draw(
            st.just("forever")
            | st.integers(start + 1, 99).map(
                lambda end, start=start: StepInterval(start=start, end=end)
            )
        )
        sources = draw(st.lists(NAMES, max_size=2, unique=True))
        functions.append(
            Function(
                id=name,
                label=draw(st.text(st.characters(exclude_categories=["C"]), max_size=10)),
                demand=draw(st.dictionaries(NAMES, st.integers(0, 10**12), max_size=3)),
                data_sources=tuple(
                    DataSource(id=source, node="n", max_latency_ms=draw(LIMITS))
                    for source in sources
                ),
                hold=hold,
            )
        )
    pairs = [(a, b) for index, a in enumerate(names) for b in names[index + 1 :]]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    edges = [
        DataEdge(
            source=a, target=b, size_bytes=draw(st.integers(0, 10**13)), max_latency_ms=draw(LIMITS)
        )
        for a, b in chosen
    ]
    return Workflow(id=draw(NAMES), functions=tuple(functions), edges=tuple(edges))


@given(workflows())
def test_workflow_is_written_and_read_again(workflow: Workflow) -> None:
    again = loads(dumps(workflow))
    assert again == workflow
    assert digest(again) == digest(workflow)


@given(workflows(), workflows())
def test_digests_agree_exactly_when_models_do(one: Workflow, other: Workflow) -> None:
    assert (digest(one) == digest(other)) == (one == other)
