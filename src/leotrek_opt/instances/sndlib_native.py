"""The native text format of SNDlib: sections of entries in parentheses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from leotrek_opt.errors import InputError
from leotrek_opt.instances.network_file import Module, Notes
from leotrek_opt.instances.sndlib_records import (
    MAX_ENTRIES,
    RawDemand,
    RawLink,
    RawNetwork,
    RawNode,
    number,
    path_length,
)
from leotrek_opt.models.messages import shown

MAX_WORD = 1000
"""Longest identifier or number."""

MAX_WORDS = 5_000_000
"""Most words and parentheses of a file."""

_TOKEN = re.compile(r"\s+|#[^\n]*|[()]|[^\s()#][^\s()]*")
_HEADER = re.compile(r"\?SNDlib native format\s*;\s*type\s*:\s*(\w+)\s*;\s*version\s*:\s*\S+")


class _Word(NamedTuple):
    """A word or parenthesis; the empty text stands for the end of the file."""

    text: str
    line: int


def read_native(data: bytes, notes: Notes) -> RawNetwork:
    """Read a network.

    Parameters
    ----------
    data
        Content of a file, in UTF-8 or else in Latin-1.
    notes
        Takes what is left out.

    Returns
    -------
    RawNetwork
        As it stands there.

    Raises
    ------
    InputError
        If it is no such network; the field is the line.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    header = _HEADER.match(text.lstrip())
    if header is None or header[1] != "network":
        raise InputError(
            'must begin with "?SNDlib native format; type: network; version: …"', field="line 1"
        )
    start = len(text) - len(text.lstrip()) + header.end()
    return _Reader(text, start, notes).read()


class _Reader:
    """Reads sections word by word."""

    def __init__(self, text: str, start: int, notes: Notes) -> None:
        self._words = _words(text, start)
        self._notes = notes
        self._next = next(self._words)
        self._entries = 0
        self._network = RawNetwork()

    def read(self) -> RawNetwork:
        """Read all sections."""
        sections = {"META": self._meta, "NODES": self._node, "LINKS": self._link}
        sections |= {"DEMANDS": self._demand, "ADMISSIBLE_PATHS": self._paths}
        seen: set[str] = set()
        while self._next.text:
            section = self._take()
            read_entry = sections.get(section.text)
            if read_entry is None:
                raise _fault(section, f"must be one of the sections {', '.join(sections)}")
            if section.text in seen:
                raise _fault(section, "must not stand twice")
            seen.add(section.text)
            self._expect("(")
            if section.text == "ADMISSIBLE_PATHS" and self._next.text != ")":
                self._notes.add(section.line, "admissible paths are left out")
            while self._next.text != ")":
                self._count()
                read_entry()
            self._take()
        return self._network

    def _meta(self) -> None:
        # A value goes on to the end of its line, and may hold parentheses of its own.
        name = self._word("a name")
        self._expect("=")
        line, depth, values = self._next.line, 0, []
        while self._next.text and self._next.line == line and (depth or self._next.text != ")"):
            depth += (self._next.text == "(") - (self._next.text == ")")
            values.append(self._take().text)
        if name.text == "unit":
            self._network.unit = values[0] if values else ""

    def _node(self) -> None:
        name = self._word("a node")
        node = RawNode(name.line, name.text)
        if self._next.text == "(":
            self._take()
            node.x, node.y = self._number("longitude"), self._number("latitude")
            self._expect(")")
        self._network.nodes.append(node)

    def _link(self) -> None:
        name = self._word("a link")
        link = RawLink(name.line, name.text, *self._ends())
        link.installed_capacity = self._number("the pre-installed capacity")
        link.installed_cost = self._number("the pre-installed cost")
        link.routing_cost = self._number("the routing cost")
        link.setup_cost = self._number("the setup cost")
        self._expect("(")
        modules = []
        while self._next.text != ")":
            self._count()
            modules.append(Module(self._number("a capacity"), self._number("a cost")))
        self._take()
        link.modules = tuple(modules)
        self._network.links.append(link)

    def _demand(self) -> None:
        name = self._word("a demand")
        source, target = self._ends()
        unit, value = self._number("the routing unit"), self._number("the demand")
        limit = self._word("the longest path")
        self._network.demands.append(
            RawDemand(name.line, name.text, source, target, value, unit, path_length(*limit))
        )

    def _paths(self) -> None:
        self._word("a demand")
        self._expect("(")
        depth = 1
        while depth:
            word = self._take()
            if not word.text:
                raise _fault(word, "must be )")
            depth += (word.text == "(") - (word.text == ")")

    def _ends(self) -> tuple[str, str]:
        self._expect("(")
        source, target = self._word("a node"), self._word("a node")
        self._expect(")")
        return source.text, target.text

    def _number(self, what: str) -> float:
        return number(self._next.text, what, self._take().line)

    def _word(self, what: str) -> _Word:
        if self._next.text in {"", "(", ")"}:
            raise _fault(self._next, f"must be {what}")
        return self._take()

    def _expect(self, text: str) -> None:
        if self._next.text != text:
            raise _fault(self._next, f"must be {text}")
        self._take()

    def _take(self) -> _Word:
        word = self._next
        if word.text:
            self._next = next(self._words)
        return word

    def _count(self) -> None:
        self._entries += 1
        if self._entries > MAX_ENTRIES:
            raise InputError(
                f"has more than {MAX_ENTRIES} entries", field=f"line {self._next.line}"
            )


def _words(text: str, start: int) -> Iterator[_Word]:
    line, count = 1 + text.count("\n", 0, start), 0
    for match in _TOKEN.finditer(text, start):
        token = match.group()
        if token.isspace():
            line += token.count("\n")
        elif not token.startswith("#"):
            count += 1
            if count > MAX_WORDS:
                raise InputError(f"has more than {MAX_WORDS} words", field=f"line {line}")
            if len(token) > MAX_WORD:
                raise InputError(
                    f"a word is longer than {MAX_WORD} characters", field=f"line {line}"
                )
            yield _Word(token, line)
    yield _Word("", line)


def _fault(word: _Word, message: str) -> InputError:
    got = shown(word.text) if word.text else "the end of the file"
    return InputError(f"{message} (got {got})", field=f"line {word.line}")
