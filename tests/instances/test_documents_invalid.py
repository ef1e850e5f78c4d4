"""Bad input: every document of the corpus is refused with the field and what is allowed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leotrek_opt.errors import InputError
from leotrek_opt.instances.documents import load, loads
from leotrek_opt.instances.json_reader import MAX_DEPTH, outline
from leotrek_opt.models.workflow import Workflow

INVALID = Path(__file__).parents[1] / "data" / "invalid"
EXPECTED: dict[str, dict[str, str | None]] = json.loads((INVALID / "expected.json").read_text())

WORKFLOW = {"kind": "workflow", "version": 1, "id": "flow", "functions": [{"id": "a"}]}


def refusal(text: str | bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        loads(text)
    assert "\n" not in str(caught.value)
    return caught.value


def with_value(token: str, field: str = "label") -> str:
    """Return a workflow with a raw piece of JSON as one of its fields."""
    return json.dumps({**WORKFLOW, field: "@"}).replace('"@"', token)


def test_corpus_and_table_agree() -> None:
    files = {path.name for path in INVALID.iterdir()} - {"expected.json"}
    assert files == set(EXPECTED)
    assert len(files) >= 100


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_document_of_the_corpus_is_refused(name: str) -> None:
    with pytest.raises(InputError) as caught:
        load(INVALID / name)
    error, expected = caught.value, EXPECTED[name]
    assert error.file == str(INVALID / name)
    assert error.field == expected["field"]
    assert str(expected["message"]) in error.message
    assert "\n" not in str(error)
    assert len(str(error)) < 600


# What is too large to be kept as a file.


@pytest.mark.parametrize(
    ("token", "field"),
    [
        ("[" * 100_000 + "]" * 100_000, "label" + "[0]" * 11),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "label" + ".a" * 11),
        ("[" * 100_000, "label" + "[0]" * 11),
    ],
    ids=["lists", "objects", "unfinished"],
)
def test_deep_nesting_is_refused(token: str, field: str) -> None:
    error = refusal(with_value(token))
    assert f"nested deeper than {MAX_DEPTH} levels" in error.message
    assert error.field == f"{field}..."


@pytest.mark.parametrize("depth", [150, 250, 900])
def test_nesting_that_only_one_parser_takes_is_refused(depth: int) -> None:
    error = refusal(with_value("[" * depth + "]" * depth))
    assert error.field is not None
    assert error.field.startswith("label")


def test_deep_nesting_without_a_field_is_refused() -> None:
    assert "nested deeper" in refusal("[" * 100_000).message


def test_deep_nesting_in_an_unknown_field_is_refused() -> None:
    error = refusal(with_value("[" * 300 + "]" * 300, field="other"))
    assert error.field is not None
    assert error.field.startswith("other")


@pytest.mark.parametrize("digits", [1_001, 4_299, 4_301, 10_000, 1_000_000])
@pytest.mark.parametrize("sign", ["", "-"])
def test_long_integer_is_refused(digits: int, sign: str) -> None:
    error = refusal(with_value(sign + "7" * digits, field="arrival_ms"))
    assert error.field == "arrival_ms"


def test_object_with_very_many_keys_is_refused() -> None:
    demand = json.dumps({f"r{index}": 1 for index in range(10_001)})
    error = refusal(
        json.dumps({**WORKFLOW, "functions": [{"id": "a", "demand": "@"}]}).replace('"@"', demand)
    )
    assert error.field == "functions[0].demand"
    assert "at most 10000 keys" in error.message


def test_a_million_wrong_entries_are_one_error() -> None:
    error = refusal(with_value("[" + "1," * 1_000_000 + "1]", field="control"))
    assert error.field == "control[0]"


def test_long_values_and_names_are_cut() -> None:
    assert len(str(refusal(json.dumps({**WORKFLOW, "id": "x" * 10**6})))) < 300
    assert len(str(refusal(json.dumps({**WORKFLOW, "x" * 10**6: 1})))) < 300
    assert len(str(refusal(json.dumps({**WORKFLOW, "kind": "x" * 10**6})))) < 300


def test_first_duplicate_key_is_found_among_many_objects() -> None:
    functions = ", ".join(f'{{"id": "f{index}"}}' for index in range(500))
    text = with_value(f'[{functions}, {{"id": "x", "step": 1, "id": "y"}}]', field="functions")
    error = refusal(text)
    assert (error.field, error.message) == ("functions[500].id", "duplicate key")


def test_equal_keys_in_different_objects_are_no_duplicates() -> None:
    text = with_value('[{"id": "a"}, {"id": "b"}]', field="functions")
    assert len(loads(text).functions) == 2  # type: ignore[attr-defined]


def test_digits_inside_a_string_are_no_number() -> None:
    document = loads(with_value('"' + "9" * 200 + '"'))
    assert isinstance(document, Workflow)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [('{"a": 1,\n "b": }', 2, 7), ('{\n"a"\n1}', 3, 1), ("{]", 1, 2), ('{"a": 01}', 1, 8)],
)
def test_syntax_error_names_line_and_column(text: str, line: int, column: int) -> None:
    assert f"line {line}, column {column}" in refusal(text).message


def test_place_of_a_fault_is_found_behind_other_scripts() -> None:
    """Columns of the second parser count bytes, those of a message characters."""
    text = with_value('"Grün 日本 \\ud800"')
    error = refusal(text)
    assert error.field == "label"
    assert "line 1" in error.message


@pytest.mark.parametrize("make", [str, str.encode])
def test_text_that_is_no_unicode_is_refused(make: Callable[[str], Any]) -> None:
    if make is str:
        assert "UTF-8" in refusal('{"a": "\ud800"}').message
    else:
        assert "UTF-8" in refusal(b'{"a": "\xed\xa0\x80"}').message


def test_outline_keeps_everything_but_floats() -> None:
    text = '{"kind": "x", "a": [1, 1.5, 1e9, true, null, "s"], "b": {"c": -0.0}}'
    assert outline(text) == {
        "kind": "x",
        "a": [1, True, True, True, None, "s"],
        "b": {"c": True},
    }
