"""Untrusted bytes to JSON text that is safe to validate.

What the two JSON parsers below us would let pass or answer badly is settled here: sizes and
compression bombs, encodings, duplicate keys, nesting, and where in the document the fault lies.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from leotrek_opt.errors import InputError
from leotrek_opt.models.messages import field_path, shown

MAX_FILE_BYTES = 64 * 2**20
"""Largest file that is read, compressed or not."""

MAX_UNPACKED_BYTES = 512 * 2**20
"""Largest document that a compressed file may hold."""

MAX_RATIO = 200
"""Largest ratio of unpacked to packed size, beyond the first MiB."""

MAX_DEPTH = 200
"""Deepest nesting of lists and objects; no document needs 20."""

MAX_KEYS = 10_000
"""Most keys of one object; what is many in a document is a list."""

_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK_BYTES = 2**20
_MAX_INTEGER_DIGITS = 1000
_BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "starts with a byte order mark; save it as plain UTF-8",
    b"\xff\xfe": "is UTF-16 or UTF-32; save it as UTF-8",
    b"\xfe\xff": "is UTF-16 or UTF-32; save it as UTF-8",
}
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\]:,]|[^\s"{}\[\]:,]++', re.DOTALL)
_INTEGER = re.compile(r"-?[0-9]+")


def read_bytes(path: Path) -> bytes:
    """Read a file of bounded size and unpack it if it is compressed.

    Parameters
    ----------
    path
        File to read; gzip is recognised by its first bytes, not by its name.

    Returns
    -------
    bytes
        The unpacked content.

    Raises
    ------
    InputError
        If the file cannot be read, is too large or is damaged.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise InputError("no such file", file=path) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=path) from None
    except ValueError as error:
        raise InputError(f"cannot be read: {error}", file=path) from None
    if len(data) > MAX_FILE_BYTES:
        raise InputError(f"is larger than {MAX_FILE_BYTES // 2**20} MiB", file=path)
    try:
        return unpack(data)
    except InputError as error:
        raise error.in_file(path) from None


def unpack(data: bytes) -> bytes:
    """Unpack gzip within limits; return anything else as it is.

    Parameters
    ----------
    data
        Content of a file.

    Returns
    -------
    bytes
        The unpacked content.

    Raises
    ------
    InputError
        If the content is damaged, or unpacks to more than the limits allow.
    """
    if not data.startswith(_GZIP_MAGIC):
        return data
    unpacked = bytearray()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                unpacked += chunk
                if len(unpacked) > MAX_UNPACKED_BYTES:
                    raise InputError(f"unpacks to more than {MAX_UNPACKED_BYTES // 2**20} MiB")
                if len(unpacked) > max(2**20, MAX_RATIO * len(data)):
                    raise InputError(f"unpacks to more than {MAX_RATIO} times its size")
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"is a damaged gzip file: {error}") from None
    return bytes(unpacked)


def decode(data: bytes) -> str:
    """Decode UTF-8 without a byte order mark.

    Parameters
    ----------
    data
        Unpacked content.

    Returns
    -------
    str
        The text.

    Raises
    ------
    InputError
        If the content is empty or in another encoding.
    """
    for mark, message in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            raise InputError(message)
    if b"\x00" in data[:4]:
        raise InputError("is UTF-16, UTF-32 or no text at all; save it as UTF-8")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 text (byte {error.start})") from None
    if not text or text.isspace():
        raise InputError("is empty")
    return text


def outline(text: str) -> dict[str, Any]:
    """Check that a text is one JSON object without duplicate keys, and return its outline.

    Parameters
    ----------
    text
        A whole document.

    Returns
    -------
    dict
        The document; every float is replaced by True, which saves two thirds of the memory where a
        document is mostly floats.

    Raises
    ------
    InputError
        If it is not, naming line and column or the field.
    """
    try:
        tree = json.loads(text, object_pairs_hook=_checked_object, parse_float=str.isascii)
    except json.JSONDecodeError as error:
        raise syntax_error(text, error.msg, error.pos) from None
    except (_BadObjectError, RecursionError, ValueError):
        _raise_first_fault(text)
    if not isinstance(tree, dict):
        raise InputError(f"must be a JSON object with a field kind, got {shown(tree)}")
    return tree


def syntax_error(text: str, message: str, position: int) -> InputError:
    """Say what is wrong with a text as JSON.

    Parameters
    ----------
    text
        A whole document.
    message
        What a parser says.
    position
        Index into the text where the parser stopped.

    Returns
    -------
    InputError
        Names line, column and the field that was being read.
    """
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    message = message.removesuffix(" at").removesuffix(" starting").lower()
    unfinished = position >= len(text.rstrip()) or message.startswith("unterminated string")
    hint = "; the document ends early" if unfinished else ""
    frames: list[_Frame] = []
    for _, _, frames in _tokens(text, end=position):
        if len(frames) > MAX_DEPTH:
            break
    return InputError(
        f"is not valid JSON at line {line}, column {column}: {message}{hint}",
        field=_path(frames) or None,
    )


class _BadObjectError(Exception):
    """An object that is refused; the parser does not know where it stands."""


def _checked_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs) or len(pairs) > MAX_KEYS:
        raise _BadObjectError
    return result


def _raise_first_fault(text: str) -> NoReturn:
    for token, is_key, frames in _tokens(text):
        if len(frames) > MAX_DEPTH:
            raise InputError(
                f"is nested deeper than {MAX_DEPTH} levels", field=_path(frames[:-1]) or None
            )
        if len(token) > _MAX_INTEGER_DIGITS and _INTEGER.fullmatch(token):
            raise InputError(
                f"an integer of {len(token.lstrip('-'))} digits is out of range",
                field=_path(frames) or None,
            )
        if not is_key:
            continue
        keys = frames[-1].keys
        if frames[-1].at in keys:
            raise InputError("duplicate key", field=_path(frames))
        keys.add(str(frames[-1].at))
        if len(keys) > MAX_KEYS:
            raise InputError(f"must have at most {MAX_KEYS} keys", field=_path(frames[:-1]) or None)
    raise InputError("is not valid JSON")


class _Frame:
    """An open list or object, and where in it the scan stands."""

    __slots__ = ("at", "is_object", "keys")

    def __init__(self, is_object: bool) -> None:
        self.is_object = is_object
        self.at: str | int | None = None if is_object else 0
        self.keys: set[str] = set()


def _tokens(text: str, *, end: int | None = None) -> Iterator[tuple[str, bool, list[_Frame]]]:
    """Scan without recursion; yields each token, whether it is a key, and what is open there.

    Looks for the place of a fault that a parser has found, so up to it the text is well formed.
    """
    frames: list[_Frame] = []
    for match in _TOKEN.finditer(text, 0, len(text) if end is None else end):
        token = match.group()
        is_key = False
        top = frames[-1] if frames else None
        if token in {"{", "["}:
            frames.append(_Frame(token == "{"))
        elif token in {"}", "]"}:
            if frames:
                frames.pop()
        elif token == ",":
            if top is not None:
                top.at = top.at + 1 if isinstance(top.at, int) else None
        elif top is not None and top.is_object and top.at is None and token.startswith('"'):
            is_key = True
            top.at = json.loads(token)
        yield token, is_key, frames


def _path(frames: list[_Frame]) -> str:
    return field_path([frame.at for frame in frames if frame.at is not None])
