"""Files that others write: their content within limits, their lines and their numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

from leotrek_opt.errors import InputError
from leotrek_opt.instances.json_reader import read_bytes, unpack

MAX_BYTES = 64 * 2**20
"""Largest content that is read, unpacked, unless another limit is given."""

_DECIMAL = re.compile(
    r"[+-]?(?:[0-9]{1,40}(?:[.][0-9]{0,40})?|[.][0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?"
)


def content_of(source: str | Path | bytes, max_bytes: int = MAX_BYTES) -> tuple[bytes, Path | None]:
    """Return the unpacked content of a file or of bytes, within a limit.

    Parameters
    ----------
    source
        Path of a file, or content; compressed by gzip or not.
    max_bytes
        Most that it may unpack to.

    Returns
    -------
    content : bytes
        Without a UTF-8 byte order mark.
    file : Path or None
        The file, if there is one.

    Raises
    ------
    InputError
        If the file cannot be read, is damaged or too large.
    """
    file = None if isinstance(source, bytes) else Path(source)
    data = unpack(source) if isinstance(source, bytes) else read_bytes(Path(source))
    if len(data) > max_bytes:
        raise InputError(f"is larger than {max_bytes // 2**20} MiB", file=file)
    return data.removeprefix(b"\xef\xbb\xbf"), file


def text_lines(text: str) -> Iterator[tuple[int, str]]:
    """Split a text at line feeds, one line at a time.

    Parameters
    ----------
    text
        Of a file; other characters that may end a line are left in.

    Yields
    ------
    tuple
        Number of the line, from 1, and its text without carriage return.
    """
    start, number = 0, 1
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield number, text[start:end].rstrip("\r")
        start, number = end + 1, number + 1


def decimal(text: str) -> float | None:
    """Read a plain decimal number.

    Parameters
    ----------
    text
        From a file.

    Returns
    -------
    float or None
        None where it is no finite number.
    """
    if not _DECIMAL.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None
