"""JSON documents that are mostly one long list, read an element at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from leotrek_opt.errors import InputError
from leotrek_opt.instances.json_reader import outline, syntax_error

_SPACE = re.compile(r"[ \t\n\r]*")


class JsonCursor:
    """A place in a text, moved on by whoever reads.

    Numbers may come out as NaN or infinite; whoever takes them must look. Duplicate keys are
    refused.

    Parameters
    ----------
    text
        A JSON document.
    at
        Where to begin.
    """

    def __init__(self, text: str, at: int = 0) -> None:
        self.text = text
        self.at = at
        self._decoder = json.JSONDecoder(object_pairs_hook=_unique)

    def members(self) -> Iterator[str]:
        """Go through the keys of an object.

        Yields
        ------
        str
            A key; its value must be read or skipped before the next is asked for.

        Raises
        ------
        leotrek_opt.errors.InputError
            If this is no object, or a key stands twice.
        """
        seen: set[str] = set()
        self._expect("{", "must be an object")
        if self._take("}"):
            return
        while True:
            self._space()
            if not self.text.startswith('"', self.at):
                self._refuse("expecting a key in double quotes")
            key = self.value()
            if key in seen:
                raise InputError("duplicate key", field=str(key)[:64])
            seen.add(key)
            self._expect(":", "expecting ':' after a key")
            yield key
            if self._take("}"):
                return
            self._expect(",", "expecting ',' or '}'")

    def items(self) -> Iterator[Any]:
        """Go through the elements of a list.

        Yields
        ------
        object
            Each element, decoded.

        Raises
        ------
        leotrek_opt.errors.InputError
            If this is no list.
        """
        self._expect("[", "must be a list")
        if self._take("]"):
            return
        while True:
            yield self.value()
            if self._take("]"):
                return
            self._expect(",", "expecting ',' or ']'")

    def value(self) -> Any:
        """Decode what stands here and move behind it.

        Returns
        -------
        object
            As ``json.loads`` gives it.

        Raises
        ------
        leotrek_opt.errors.InputError
            If it is not valid JSON.
        """
        self._space()
        try:
            value, self.at = self._decoder.raw_decode(self.text, self.at)
        except json.JSONDecodeError as error:
            raise syntax_error(self.text, error.msg, error.pos) from None
        except (_DuplicateKeyError, RecursionError, ValueError):
            # The other reader knows how to name the place of such a fault.
            outline(self.text)
            raise InputError("is not valid JSON") from None
        return value

    def skip(self) -> None:
        """Move behind the value that stands here; a list is not kept while it is passed."""
        self._space()
        if self.text.startswith("[", self.at):
            for _ in self.items():
                pass
        else:
            self.value()

    def end(self) -> None:
        """Check that nothing follows.

        Raises
        ------
        leotrek_opt.errors.InputError
            If something does.
        """
        self._space()
        if self.at < len(self.text):
            self._refuse("extra data")

    def at_list(self) -> bool:
        """Return whether a list stands here."""
        self._space()
        return self.text.startswith("[", self.at)

    def _space(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _take(self, character: str) -> bool:
        self._space()
        taken = self.text.startswith(character, self.at)
        self.at += taken
        return taken

    def _expect(self, character: str, message: str) -> None:
        if not self._take(character):
            self._refuse(message)

    def _refuse(self, message: str) -> NoReturn:
        raise syntax_error(self.text, message, self.at)


class _DuplicateKeyError(Exception):
    """The decoder does not know where it stands."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise _DuplicateKeyError
    return result
