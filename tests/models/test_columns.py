"""Columns: strict lists and arrays in, read-only arrays out, and what they say when refused."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from leotrek_opt.models.base import StrictModel, input_error
from leotrek_opt.models.columns import (
    BooleanColumn,
    IndexColumn,
    LatencySeries,
    QuantityColumn,
    StepColumn,
)


class Table(StrictModel):
    index: IndexColumn = np.array([], dtype=np.int64)
    step: StepColumn | None = None
    quantity: QuantityColumn = np.array([], dtype=np.int64)
    up: BooleanColumn = np.array([], dtype=bool)
    latency_ms: LatencySeries = np.zeros((0, 0))


def refusal(**values: object) -> str:
    with pytest.raises(ValidationError) as caught:
        Table(**values)
    return str(input_error(caught.value, model=Table))


def test_list_becomes_a_read_only_array() -> None:
    table = Table(index=[3, 1], up=[True, False], latency_ms=[[1, 2.5]])
    assert table.index.dtype == np.int64
    assert table.up.dtype == np.bool_
    assert table.latency_ms.dtype == np.float64
    assert table.latency_ms.tolist() == [[1.0, 2.5]]
    for column in (table.index, table.up, table.latency_ms):
        assert not column.flags.writeable


def test_array_is_copied_and_the_callers_stays_writeable() -> None:
    mine = np.array([1, 2, 3])
    table = Table(index=mine)
    mine[0] = 9
    assert table.index.tolist() == [1, 2, 3]


def test_tuples_are_lists() -> None:
    assert Table(latency_ms=((1.0, 2.0), (3.0, 4.0))).latency_ms.shape == (2, 2)


def test_small_integer_types_widen_exactly() -> None:
    table = Table(index=np.array([1, 255], dtype=np.uint8), latency_ms=np.ones((1, 2), np.float32))
    assert table.index.dtype == np.int64
    assert table.latency_ms.dtype == np.float64


@pytest.mark.parametrize(("rows", "shape"), [([], (0, 0)), ([[]], (1, 0)), ([[], []], (2, 0))])
def test_empty_series_keeps_its_rows(rows: list[list[float]], shape: tuple[int, int]) -> None:
    assert Table(latency_ms=rows).latency_ms.shape == shape


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"index": [0, -1]}, "index[1]: must be >= 0 (got -1)"),
        ({"index": [0, 1.0]}, "index[1]: must be an integer (got 1.0)"),
        ({"index": [True]}, "index[0]: must be an integer (got true)"),
        ({"index": ["5"]}, 'index[0]: must be an integer (got "5")'),
        ({"index": 5}, "index: must be a list (got 5)"),
        ({"index": {"array": "x"}}, "index: must be a list of numbers"),
        ({"up": [1]}, "up[0]: must be true or false (got 1)"),
        ({"latency_ms": [[1.0, float("nan")]]}, "latency_ms[0][1]: must be a finite number"),
        ({"latency_ms": [[1.0], [1.0, 2.0]]}, "latency_ms[1]: must have 1 entries like [0], got 2"),
        ({"latency_ms": [1.0]}, "latency_ms[0]: must be a list (got 1.0)"),
        ({"index": np.array([0, 5, -2])}, "index[2]: must be >= 0 (got -2)"),
        ({"step": np.array([100_000])}, "step[0]: must be <= 99999 (got 100000)"),
        ({"index": np.array([1.0])}, "index: must be an array of int64"),
        ({"index": np.array([True])}, "index: must be an array of int64"),
        ({"up": np.array([1])}, "up: must be an array of bool"),
        ({"index": np.array([[1]])}, "index: must have 1 dimension(s), got 2"),
        ({"latency_ms": np.array([1.0])}, "latency_ms: must have 2 dimension(s), got 1"),
        ({"latency_ms": np.array([[1.0, np.inf]])}, "latency_ms[0][1]: must be a finite number"),
        ({"latency_ms": np.array([[np.nan, -1.0]])}, "latency_ms[0][0]: must be a finite number"),
        ({"latency_ms": np.array([[1.0], [-3.0]])}, "latency_ms[1][0]: must be >= 0 (got -3.0)"),
    ],
)
def test_refusal_names_the_entry(values: dict[str, object], said: str) -> None:
    assert refusal(**values).startswith(said)


def test_first_bad_entry_ends_the_reading() -> None:
    """A list of wrong entries must not become a list of error objects."""
    with pytest.raises(ValidationError) as caught:
        Table(index=[-1] * 10_000)
    assert caught.value.error_count() == 1


def test_models_compare_columns_by_content() -> None:
    assert Table(index=[1, 2]) == Table(index=np.array([1, 2]))
    assert Table(index=[1, 2]) != Table(index=[2, 1])
    assert Table(index=[]) != Table(latency_ms=[[1.0]])
    assert Table(step=None) != Table(step=[])


def test_schema_describes_list_and_reference() -> None:
    class Series(StrictModel):
        latency_ms: LatencySeries
        up: BooleanColumn

    schema = Series.model_json_schema()["properties"]
    entries, reference = schema["latency_ms"]["anyOf"]
    assert entries == {
        "type": "array",
        "items": {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 100000.0}},
    }
    assert reference["required"] == ["array", "shape", "dtype"]
    assert schema["up"]["anyOf"][0] == {"type": "array", "items": {"type": "boolean"}}
