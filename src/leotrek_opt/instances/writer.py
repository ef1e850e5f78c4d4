"""Documents to text and to files: readable where they are small, arrays beside them where large."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.instances.json_reader import MAX_FILE_BYTES, MAX_RATIO, MAX_UNPACKED_BYTES
from leotrek_opt.instances.kinds import KINDS
from leotrek_opt.instances.sidecar import write_arrays
from leotrek_opt.models.base import StrictModel
from leotrek_opt.models.canonical import digest
from leotrek_opt.models.columns import array_reference

MAX_INLINE_BYTES = 10 * 2**20
"""Estimated size of the JSON beyond which large arrays are written beside it."""

LARGE_ARRAY_ENTRIES = 100_000
"""Entries beyond which an array counts as large."""

_LINE_WIDTH = 100


def save(model: StrictModel, path: str | Path, *, embed: bool = True) -> Path:
    """Write a document so that :func:`~leotrek_opt.instances.documents.load` returns an equal one.

    The file appears under its name only when it is complete: whatever stood there before stays
    until then, also when the disk is full or the program is stopped.

    Parameters
    ----------
    model
        A document of any kind.
    path
        File to write; compressed with gzip if it ends in ``.gz``. Arrays with more than
        :data:`LARGE_ARRAY_ENTRIES` entries go to ``<digest>.npz`` in the same folder if the
        document would otherwise exceed :data:`MAX_INLINE_BYTES`.
    embed
        False writes every part (the continuum, each workflow) to a file ``<digest>.json`` of its
        own in the same folder, so that several problems share them.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If the document is larger than what can be read back.
    OSError
        If the file cannot be written.
    """
    file = _target(path)
    kind = str(getattr(model, "kind", ""))
    if kind not in KINDS:
        raise InputError(f"{type(model).__name__} is not a document by itself", file=path)
    tree, arrays = _split(model)
    if not embed:
        for field in KINDS[kind].parts:
            tree[field] = _shared(getattr(model, field), file.parent)
    data = _pretty(tree).encode("ascii")
    compressed = file.suffix == ".gz"
    limit = MAX_UNPACKED_BYTES if compressed else MAX_FILE_BYTES
    if len(data) > limit:
        hint = "" if compressed else "; a name that ends in .json.gz allows more"
        raise InputError(
            f"would have {len(data) // 2**20} MiB, at most {limit // 2**20} can be read{hint}",
            file=path,
        )
    if compressed:
        data = _compressed(data)
    if arrays:
        _write_atomically(
            file.parent / f"{digest(model)}.npz", lambda stream: write_arrays(stream, arrays)
        )
    _write_atomically(file, lambda stream: stream.write(data))
    return Path(path)


def dumps(document: StrictModel | Sequence[StrictModel]) -> str:
    """Write a document as one text that stands by itself.

    Parameters
    ----------
    document
        A document of any kind; several become one JSON list.

    Returns
    -------
    str
        JSON in ASCII, ending in a line break, all arrays inside.
    """
    if isinstance(document, StrictModel):
        return _pretty(document.model_dump(mode="json"))
    return _pretty([member.model_dump(mode="json") for member in document])


def write_text(text: str, path: str | Path) -> None:
    """Write a file that appears under its name only when it is complete.

    Parameters
    ----------
    text
        What is to stand in it.
    path
        The file.

    Raises
    ------
    InputError
        If there is no such folder, or something else than a file has the name.
    OSError
        If the file cannot be written.
    """
    write_bytes(text.encode("utf-8"), path)


def write_bytes(data: bytes, path: str | Path) -> None:
    """Write a binary file like :func:`write_text`.

    Parameters
    ----------
    data
        What is to stand in it.
    path
        The file.

    Raises
    ------
    InputError
        If there is no such folder, or something else than a file has the name.
    OSError
        If the file cannot be written.
    """
    _write_atomically(_target(path), lambda stream: stream.write(data))


def _target(path: str | Path) -> Path:
    # A link stays a link: what it points to is replaced.
    file = Path(os.path.realpath(path))
    if file.exists() and not file.is_file():
        raise InputError("is not a regular file", file=path)
    if not file.parent.is_dir():
        raise InputError(f"there is no folder {file.parent}", file=path)
    return file


def _split(model: StrictModel) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the document and the arrays that do not stand in it, by content hash."""
    arrays: dict[str, NDArray[Any]] = {}

    def keep(array: NDArray[Any]) -> dict[str, Any] | None:
        if array.size <= LARGE_ARRAY_ENTRIES:
            return None
        reference = array_reference(array)
        arrays[reference["array"]] = array
        return {**reference, "npz": digest(model)}

    tree = model.model_dump(mode="json", context={"store_array": keep})
    size = sum(_estimated_bytes(array) for array in arrays.values())
    if arrays and len(json.dumps(tree)) + size <= MAX_INLINE_BYTES:
        return model.model_dump(mode="json"), {}
    return tree, arrays


def _estimated_bytes(array: NDArray[Any]) -> int:
    sample = array.reshape(-1)[:: max(1, array.size // 1000)]
    return int(len(json.dumps(sample.tolist())) / len(sample) * array.size)


def _shared(part: Any, folder: Path) -> Any:
    if isinstance(part, tuple):
        return [_shared(member, folder) for member in part]
    name = digest(part)
    save(part, folder / f"{name}.json")
    return {"digest": name}


def _pretty(tree: Any) -> str:
    return "\n".join(_lines(tree, _LINE_WIDTH)) + "\n"


def _lines(value: Any, width: int) -> list[str]:
    """Write a value on one line if it fits or is a list of plain values, else part by part."""
    if isinstance(value, dict):
        opening, closing = "{", "}"
        parts = [(f"{json.dumps(key)}: ", part) for key, part in value.items()]
    elif isinstance(value, list) and any(isinstance(part, (dict, list)) for part in value):
        opening, closing = "[", "]"
        parts = [("", part) for part in value]
    else:
        return [json.dumps(value, allow_nan=False)]
    blocks = [(name, _lines(part, width - 2)) for name, part in parts]
    if all(len(block) == 1 for _, block in blocks):
        flat = ", ".join(f"{name}{block[0]}" for name, block in blocks)
        if len(flat) + 2 < width:
            return [f"{opening}{flat}{closing}"]
    lines = [opening]
    for index, (name, block) in enumerate(blocks):
        lines.append(f"  {name}{block[0]}")
        lines.extend(f"  {line}" for line in block[1:])
        if index < len(blocks) - 1:
            lines[-1] += ","
    return [*lines, closing]


def _compressed(data: bytes) -> bytes:
    """Compress, but never so well that a reader takes it for a compression bomb."""
    for level in (6, 1, 0):
        packed = gzip.compress(data, compresslevel=level, mtime=0)
        if len(data) <= max(2**20, MAX_RATIO * len(packed)):
            break
    return packed


def _write_atomically(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        if path.exists():
            shutil.copymode(path, temporary)
        temporary.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
