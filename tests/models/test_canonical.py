"""The canonical form: equal models have equal digests, and nothing else has."""

from __future__ import annotations

import copy
import gc
import json
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from leotrek_opt.models import canonical
from leotrek_opt.models.canonical import MAX_SPELLED_ENTRIES, canonical_json, digest
from leotrek_opt.models.columns import array_reference
from leotrek_opt.models.continuum import Continuum, NodeTable, PositionSeries, TimeGrid
from leotrek_opt.models.topology import ExplicitTopology
from leotrek_opt.models.workflow import DataEdge, Function, Workflow


def workflow(**changes: object) -> Workflow:
    values = {
        "id": "flow",
        "functions": (
            Function(id="a", demand={"cpu_millis": 5, "memory_mib": 7}),
            Function(id="b"),
        ),
        "edges": (DataEdge(source="a", target="b", max_latency_ms=2.5),),
    }
    return Workflow(**(values | changes))


def continuum(links: int = 2, steps: int = 1, *, latency_ms: float = 1.5) -> Continuum:
    """Return two nodes joined by many parallel links."""
    return Continuum(
        nodes=NodeTable(
            id=("a", "b"), kind=("edge", "edge"), architecture=("arm64", "arm64"), capacity={}
        ),
        time=TimeGrid(steps=steps),
        topology=ExplicitTopology(
            source=np.zeros(links, dtype=np.int64),
            target=np.ones(links, dtype=np.int64),
            latency_ms=np.full((steps, links), latency_ms),
        ),
    )


def test_canonical_form_is_sorted_compact_and_ascii() -> None:
    text = canonical_json(Function(id="a", label="Grün")).decode("ascii")
    assert text == (
        '{"accelerator":{"count":1,"device":"gpu","mode":"cpu"},"architectures":[],'
        '"data_sources":[],"demand":{},"execution_ms":{},"hold":"forever","id":"a",'
        '"label":"Gr\\u00fcn","pinned":null,"reserves":true,"step":0}'
    )


def test_defaults_are_written_out() -> None:
    assert digest(workflow()) == digest(workflow(arrival_ms=0, label="", control=()))


def test_order_of_keys_does_not_matter() -> None:
    turned = workflow(
        functions=(Function(id="a", demand={"memory_mib": 7, "cpu_millis": 5}), Function(id="b"))
    )
    assert turned == workflow()
    assert digest(turned) == digest(workflow())


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "other"},
        {"arrival_ms": 1},
        {"response_time_slo_ms": 5.0},
        {"edges": ()},
        {"functions": (Function(id="b"), Function(id="a"))},
    ],
)
def test_another_value_has_another_digest(changes: dict[str, object]) -> None:
    assert digest(workflow(**changes)) != digest(workflow())


def test_order_of_a_list_matters() -> None:
    functions = workflow().functions
    assert digest(workflow(functions=functions[::-1])) != digest(workflow())


def test_negative_zero_is_zero() -> None:
    edges = (DataEdge(source="a", target="b", max_latency_ms=-0.0),)
    plain = (DataEdge(source="a", target="b", max_latency_ms=0.0),)
    assert workflow(edges=edges) == workflow(edges=plain)
    assert digest(workflow(edges=edges)) == digest(workflow(edges=plain))
    assert digest(continuum(latency_ms=-0.0)) == digest(continuum(latency_ms=0.0))


def test_text_that_looks_like_negative_zero_stays() -> None:
    assert b'"-0.0]"' in canonical_json(workflow(label="-0.0]"))


def test_large_negative_zero_columns_are_zero() -> None:
    links = MAX_SPELLED_ENTRIES + 1
    assert digest(continuum(links, latency_ms=-0.0)) == digest(continuum(links, latency_ms=0.0))


def test_one_instant_has_one_digest_in_every_time_zone() -> None:
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    here = noon.astimezone(timezone(timedelta(hours=2)))
    assert digest(TimeGrid(start=noon)) == digest(TimeGrid(start=here))
    assert b"2026-06-01T12:00:00+00:00" in canonical_json(TimeGrid(start=here))


def test_large_array_stands_as_its_content_reference() -> None:
    model = continuum(links=MAX_SPELLED_ENTRIES // 100 + 1, steps=100)
    topology = json.loads(canonical_json(model))["topology"]
    assert topology["latency_ms"] == array_reference(model.topology.latency_ms)
    assert isinstance(topology["source"], list)


def test_array_at_the_limit_is_spelled_out() -> None:
    topology = json.loads(canonical_json(continuum(links=MAX_SPELLED_ENTRIES)))["topology"]
    assert len(topology["latency_ms"][0]) == MAX_SPELLED_ENTRIES


def test_reference_depends_on_type_and_shape() -> None:
    """A run of zeros is the same bytes in every type and shape."""
    zeros = [
        np.zeros(6),
        np.zeros((2, 3)),
        np.zeros((3, 2)),
        np.zeros(6, dtype=np.int64),
        np.zeros(48, dtype=bool),
    ]
    assert len({array_reference(array)["array"] for array in zeros}) == len(zeros)


def test_reference_does_not_depend_on_memory_layout() -> None:
    array = np.arange(12.0).reshape(3, 4)
    assert array_reference(array) == array_reference(np.asfortranarray(array))
    assert array_reference(array) == array_reference(array.astype(">f8"))


def test_digest_is_remembered_and_does_not_touch_the_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, twin = workflow(), workflow()
    first = digest(model)
    monkeypatch.setattr(canonical, "canonical_json", lambda model: pytest.fail("written again"))
    assert digest(model) == first
    assert model == twin
    assert model.model_dump() == twin.model_dump()


def test_copies_do_not_inherit_the_digest() -> None:
    model = workflow()
    first = digest(model)
    assert digest(model.replace(id="other")) != first
    assert digest(model.model_copy(update={"id": "other"})) != first
    assert digest(copy.deepcopy(model)) == first


def test_memory_of_a_model_that_is_gone_is_given_back() -> None:
    model = workflow(id="short-lived")
    digest(model)
    key = id(model)
    assert key in canonical._DIGESTS
    del model
    gc.collect()
    assert key not in canonical._DIGESTS


def test_unknown_type_is_refused() -> None:
    class Odd(PositionSeries):
        thing: object = object()

    odd = Odd(
        node=[0], latitude_deg=[[0.0]], longitude_deg=[[0.0]], altitude_km=[[0.0]], thing=1 + 2j
    )
    with pytest.raises(TypeError, match="complex"):
        canonical_json(odd)
