"""Reading JSON an element at a time."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.errors import InputError
from leotrek_opt.instances.json_cursor import JsonCursor

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(tree=st.dictionaries(st.text(), VALUES, max_size=5), indent=st.sampled_from([None, 1]))
def test_members_and_items_are_what_a_parser_gives(
    tree: dict[str, object], indent: int | None
) -> None:
    text = json.dumps(tree, indent=indent)
    cursor, found = JsonCursor(f" \r\n{text}\t"), {}
    for key in cursor.members():
        found[key] = list(cursor.items()) if cursor.at_list() else cursor.value()
    cursor.end()
    assert found == json.loads(text)
    skipping = JsonCursor(text)
    keys = []
    for key in skipping.members():
        skipping.skip()
        keys.append(key)
    skipping.end()
    assert keys == list(tree)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be an object"),
        ("[1]", "line 1, column 1: must be an object"),
        ("{1:2}", "expecting a key in double quotes"),
        ('{"a":1', "expecting ',' or '}'; the document ends early"),
        ('{"a":1,}', "expecting a key"),
        ('{"a":[1 2]}', r"column 9: expecting ',' or '\]'"),
        ('{"a":[1,]}', "a.1.: is not valid JSON"),
        ('{"a":{"b":1,"b":2}}', "a.b: duplicate key"),
        ('{"a":1,"a":2}', "a: duplicate key"),
        ('{"a":tru}', "a: is not valid JSON at line 1, column 6"),
    ],
)
def test_faults_are_placed(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_all(JsonCursor(text))


def read_all(cursor: JsonCursor) -> None:
    for _ in cursor.members():
        cursor.skip()
