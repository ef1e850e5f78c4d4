"""XML from anywhere: what is read, what is refused, and with which line."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.errors import InputError
from leotrek_opt.instances import xml_reader
from leotrek_opt.instances.xml_reader import XmlElement, xml_elements, xml_tree

SMALL = b"""<?xml version="1.0" encoding="UTF-8"?>
<!-- two of them -->
<x:list xmlns:x="http://example.org/list" kind="a">
  <entry id="1">  Vienna &amp; Z\xc3\xbcrich </entry>
  <entry id="2"><![CDATA[<b>]]></entry>
  <other/>
</x:list>
"""


def test_tree_has_tags_attributes_texts_and_lines() -> None:
    root = xml_tree(SMALL)
    assert (root.tag, root.attributes["kind"], root.text, root.line) == ("list", "a", "", 3)
    assert [child.tag for child in root.children] == ["entry", "entry", "other"]
    first, second = root.all("entry")
    assert (first.text, first.attributes, first.line) == ("Vienna & Zürich", {"id": "1"}, 4)
    assert second.text == "<b>"
    assert root.child("other") is root.children[2]
    assert root.child("none") is None
    assert [element.tag for element in root.walk()] == ["list", "entry", "entry", "other"]


def test_elements_are_given_one_by_one_without_what_lies_around_them() -> None:
    assert [entry.attributes["id"] for entry in xml_elements(SMALL, "entry")] == ["1", "2"]
    nested = b"<a><b n='1'><b n='2'/></b><c><b n='3'/></c></a>"
    assert [b.attributes["n"] for b in xml_elements(nested, "b")] == ["1", "3"]
    assert list(xml_elements(SMALL, "absent")) == []


def test_elements_before_a_fault_are_given_and_the_fault_is_raised() -> None:
    padding = b"<p/>" * 200_000
    elements = xml_elements(b"<a><b/>" + padding + b"</x>", "b")
    assert next(elements).tag == "b"
    with pytest.raises(InputError, match="mismatched tag"):
        list(elements)


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        ("utf-8", "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("ISO-8859-1", "latin-1"),
        ("windows-1252", "cp1252"),
    ],
)
def test_declared_encodings_are_followed(encoding: str, codec: str) -> None:
    text = f"<?xml version='1.0' encoding='{encoding}'?><a n='ü'>é</a>"
    root = xml_tree(text.encode(codec))
    assert (root.text, root.attributes) == ("é", {"n": "ü"})


BILLION_LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]>
<lolz>&lol2;</lolz>"""
EXTERNAL = b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>'


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "line 1: is not well-formed XML: no element found"),
        (b"<a>\n<b>\n</a>", "line 3: is not well-formed XML: mismatched tag"),
        (b"<a>\n&b;</a>", "line 2: is not well-formed XML: undefined entity"),
        (b"<a/><b/>", "junk after document element"),
        (b"<a b='1' b='2'/>", "duplicate attribute"),
        (b"<a>\x00</a>", "invalid token"),
        (b"<a>\xff</a>", "invalid token"),
        (BILLION_LAUGHS, 'line 2: has a document type ("lolz"), which is not read; remove it'),
        (EXTERNAL, 'has a document type ("a")'),
        (b"<!DOCTYPE a SYSTEM 'http://example.org/a.dtd'><a/>", 'has a document type ("a")'),
        (b"<?xml version='1.0' encoding='rot13'?><a/>", 'declares the encoding "rot13"'),
        (b"<a>" * 65 + b"</a>" * 65, "is nested deeper than 64 elements"),
    ],
)
def test_refused_documents_are_named_with_their_line(data: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        xml_tree(data)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    attributes = b" ".join(b"a%d=''" % k for k in range(257))
    with pytest.raises(InputError, match="more than 256 attributes"):
        xml_tree(b"<a " + attributes + b"/>")
    long = 3 * 2**20 * b"x"
    for data in (
        b"<a " + long,
        b"<a b='" + long,
        b"<a><!--" + long,
        b"<" + long,
        b"<a><?p " + long,
    ):
        with pytest.raises(InputError, match="a tag or comment of more than 1 MiB"):
            xml_tree(data)
    assert xml_tree(b"<a>" + long + b"</a>").text == long.decode()
    monkeypatch.setattr(xml_reader, "MAX_ELEMENTS", 10)
    assert len(xml_tree(b"<a>" + 9 * b"<b/>" + b"</a>").children) == 9
    with pytest.raises(InputError, match="more than 10 elements"):
        xml_tree(b"<a>" + 10 * b"<b/>" + b"</a>")
    assert len(list(xml_elements(b"<a>" + 30 * b"<b/>" + b"</a>", "b"))) == 30
    monkeypatch.setattr(xml_reader, "MAX_BYTES", 2**20)
    with pytest.raises(InputError, match="larger than 1 MiB"):
        xml_tree(b"<a>" + long + b"</a>")


def test_tags_may_be_cut_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The document is fed in pieces: no boundary may show in the result."""

    def flat(root: XmlElement) -> list[object]:
        return [(e.tag, e.attributes, e.text, e.line) for e in root.walk()]

    whole = flat(xml_tree(SMALL))
    for size in (1, 2, 3, 7, 50):
        monkeypatch.setattr(xml_reader, "_CHUNK_BYTES", size)
        assert flat(xml_tree(SMALL)) == whole


@given(st.data())
def test_only_input_errors_escape(data: st.DataObject) -> None:
    text = bytearray(SMALL)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        text = text or bytearray(b"<")
    with suppress(InputError):
        assert xml_tree(bytes(text)).line >= 1
