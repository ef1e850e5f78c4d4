"""Untrusted bytes to XML elements, within limits and without document types.

A document type is refused as such, so no entity can be declared, expanded or fetched. The parser
is fed in pieces and asked how far it came, which bounds what one tag can make it hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from leotrek_opt.errors import InputError
from leotrek_opt.models.messages import shown

MAX_BYTES = 64 * 2**20
"""Largest document, unpacked."""

MAX_ELEMENTS = 500_000
"""Most elements of one tree."""

MAX_DEPTH = 64
"""Deepest nesting of elements; none of our formats needs 16."""

MAX_ATTRIBUTES = 256
"""Most attributes of one element."""

MAX_TOKEN_BYTES = 2**20
"""Longest tag or comment."""

ENCODINGS = ("utf-8", "utf-16", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252")
"""Encodings that a document may declare."""

_CHUNK_BYTES = 2**18


class XmlElement:
    """An element with what it holds.

    Attributes
    ----------
    tag
        Its name without a namespace prefix.
    attributes
        By name as written.
    children
        Elements directly in it.
    text
        Its character data without surrounding blanks.
    line
        Line of its start tag, from 1.
    """

    __slots__ = ("attributes", "children", "line", "tag", "text")

    def __init__(self, tag: str, attributes: dict[str, str], line: int) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[XmlElement] = []
        self.text = ""
        self.line = line

    def child(self, tag: str) -> XmlElement | None:
        """Return the first child of a name, if any.

        Parameters
        ----------
        tag
            Name without prefix.

        Returns
        -------
        XmlElement or None
            The child.
        """
        return next((child for child in self.children if child.tag == tag), None)

    def all(self, tag: str) -> list[XmlElement]:
        """Return all children of a name.

        Parameters
        ----------
        tag
            Name without prefix.

        Returns
        -------
        list of XmlElement
            In document order.
        """
        return [child for child in self.children if child.tag == tag]

    def walk(self) -> Iterator[XmlElement]:
        """Visit this element and all below it.

        Yields
        ------
        XmlElement
            In document order.
        """
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(element.children))


def xml_tree(data: bytes) -> XmlElement:
    """Parse a whole document.

    Parameters
    ----------
    data
        Unpacked content in UTF-8, or in one of :data:`ENCODINGS` that it declares.

    Returns
    -------
    XmlElement
        The root.

    Raises
    ------
    InputError
        If it is not well-formed XML, has a document type or exceeds a limit; the field is the line.
    """
    for root in xml_elements(data, None):
        return root
    raise InputError("has no element")


def xml_elements(data: bytes, tag: str | None) -> Iterator[XmlElement]:
    """Parse a document element by element, so that a long one never stands in memory as a whole.

    Parameters
    ----------
    data
        Unpacked content in UTF-8, or in one of :data:`ENCODINGS` that it declares.
    tag
        Name, without prefix, of the elements that are wanted; the root when None.

    Yields
    ------
    XmlElement
        Each outermost element of that name, complete, in document order. What lies around them is
        checked and left out.

    Raises
    ------
    InputError
        While iterating, if the document is not well-formed XML, has a document type or exceeds a
        limit; the field is the line. Elements before the fault have been given by then.
    """
    if len(data) > MAX_BYTES:
        raise InputError(f"is larger than {MAX_BYTES // 2**20} MiB")
    builder = _Builder(tag)
    view = memoryview(data)
    for start in range(0, max(len(data), 1), _CHUNK_BYTES):
        end = start + _CHUNK_BYTES
        builder.feed(bytes(view[start:end]), last=end >= len(data))
        yield from builder.take()


class _Builder:
    """Builds the wanted elements from the parser's events."""

    def __init__(self, tag: str | None) -> None:
        self._wanted = tag
        self._depth = 0
        self._fed = 0
        self._count = 0
        self._open: list[XmlElement] = []
        self._text: list[list[str]] = []
        self._done: list[XmlElement] = []
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.XmlDeclHandler = self._check_encoding
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        self._parser = parser

    def feed(self, chunk: bytes, *, last: bool) -> None:
        """Parse the next piece of the document."""
        try:
            self._parser.Parse(chunk, last)
        except InputError:
            raise
        except expat.ExpatError as error:
            message = expat.ErrorString(error.code)
            raise InputError(
                f"is not well-formed XML: {message}", field=f"line {error.lineno}"
            ) from None
        self._fed += len(chunk)
        if not last and self._fed - self._parser.CurrentByteIndex > MAX_TOKEN_BYTES:
            raise self._error(f"has a tag or comment of more than {MAX_TOKEN_BYTES // 2**20} MiB")

    def take(self) -> list[XmlElement]:
        """Return the elements completed since the last call."""
        done, self._done = self._done, []
        return done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(f"is nested deeper than {MAX_DEPTH} elements")
        if len(attributes) > MAX_ATTRIBUTES:
            raise self._error(f"an element has more than {MAX_ATTRIBUTES} attributes")
        tag = name.rpartition(":")[2]
        if not self._open:
            if self._wanted is not None and tag != self._wanted:
                return
            self._count = 0
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise self._error(f"has more than {MAX_ELEMENTS} elements")
        element = XmlElement(tag, attributes, self._parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(element)
        self._open.append(element)
        self._text.append([])

    def _end(self, name: str) -> None:
        del name
        self._depth -= 1
        if not self._open:
            return
        element = self._open.pop()
        element.text = "".join(self._text.pop()).strip()
        if not self._open:
            self._done.append(element)

    def _characters(self, text: str) -> None:
        # Blanks between the children of an element are layout.
        if self._open and not (self._open[-1].children and text.isspace()):
            self._text[-1].append(text)

    def _check_encoding(self, version: str, encoding: str | None, standalone: int) -> None:
        # Without this check the parser would ask any codec by whatever name stands there.
        del version, standalone
        if encoding is not None and encoding.lower() not in ENCODINGS:
            raise self._error(f"declares the encoding {shown(encoding)}; save it as UTF-8")

    def _refuse_doctype(self, name: str, *identifiers: Any) -> None:
        del identifiers
        raise self._error(f"has a document type ({shown(name)}), which is not read; remove it")

    def _error(self, message: str) -> InputError:
        return InputError(message, field=f"line {self._parser.CurrentLineNumber}")
