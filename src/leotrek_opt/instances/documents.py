"""Documents in and out: checked before they are believed, written so that nothing is lost."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from leotrek_opt.errors import InputError, errors_in
from leotrek_opt.instances.json_reader import decode, outline, read_bytes, syntax_error, unpack
from leotrek_opt.instances.kinds import KINDS, kind_of, version_of
from leotrek_opt.instances.sidecar import DIGEST, ArrayReader
from leotrek_opt.instances.writer import dumps, save
from leotrek_opt.models.base import StrictModel, input_error
from leotrek_opt.models.canonical import digest
from leotrek_opt.models.columns import array_reference
from leotrek_opt.models.messages import shown
from leotrek_opt.models.migrations import migrate

__all__ = ["digest", "dumps", "load", "loads", "parse", "save"]

_PLACE = re.compile(r"(?P<message>.*) at line (?P<line>\d+) column (?P<column>\d+)", re.DOTALL)


def load(path: str | Path, kind: str | None = None) -> StrictModel:
    """Read a document of any kind.

    Parameters
    ----------
    path
        JSON file, which may be compressed with gzip. Large arrays and parts that it names by digest
        are looked up in the same folder.
    kind
        The kind that is wanted; any when omitted.

    Returns
    -------
    StrictModel
        A placement problem, a continuum, a result, ..., as its field ``kind`` says.

    Raises
    ------
    InputError
        If anything is wrong with it, naming file, field and what is allowed.
    """
    file = Path(path)
    data = read_bytes(file)
    with errors_in(file):
        return parse(data, kind, folder=file.parent)


def loads(data: bytes | str) -> StrictModel:
    """Read a document of any kind from memory.

    Parameters
    ----------
    data
        JSON, or JSON compressed with gzip.

    Returns
    -------
    StrictModel
        As :func:`load`.

    Raises
    ------
    InputError
        If anything is wrong with it, or it refers to other files.
    """
    return parse(unpack(data) if isinstance(data, bytes) else data)


def parse(
    data: bytes | str, kind: str | None = None, *, folder: str | Path | None = None
) -> StrictModel:
    """Validate the text of a document.

    Parameters
    ----------
    data
        JSON text, or its bytes in UTF-8.
    kind
        The kind that is wanted; any when omitted.
    folder
        Where the files lie that it refers to.

    Returns
    -------
    StrictModel
        As :func:`load`.

    Raises
    ------
    InputError
        If anything is wrong with it.
    """
    text = decode(data) if isinstance(data, bytes) else decode(_encoded(data))
    document = outline(text)
    stated = kind_of(document)
    if kind is not None and stated != kind:
        raise InputError(f'must be "{kind}" here (got "{stated}")', field="kind")
    arrays: dict[str, NDArray[Any]] = {}
    place = Path(folder) if folder is not None else None
    if _must_be_rewritten(document, stated):
        try:
            text = json.dumps(_rewritten(json.loads(text), stated, place, arrays))
        except RecursionError:
            raise InputError("is nested too deeply") from None
    model = KINDS[stated].load_model(document.get("problem_kind"))
    try:
        with ArrayReader(place, arrays) as reader:
            return model.model_validate_json(text, context={"load_array": reader})
    except ValidationError as error:
        raise _explained(error, text, model) from None


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(f"is not text that UTF-8 can hold (character {error.start})") from None


def _explained(error: ValidationError, text: str, model: type[StrictModel]) -> InputError:
    problem = error.errors(include_url=False, include_input=False)[0]
    if problem["type"] != "json_invalid":
        return input_error(error, model=model)
    # What only the second parser refuses, such as half a surrogate pair.
    found = _PLACE.fullmatch(str(problem["ctx"]["error"]))
    if found is None:
        return InputError(f"is not valid JSON: {problem['msg']}")
    lines = text.split("\n", int(found["line"]))
    before = sum(len(line) + 1 for line in lines[: int(found["line"]) - 1])
    line = lines[int(found["line"]) - 1].encode()
    position = before + len(line[: int(found["column"])].decode(errors="ignore"))
    return syntax_error(text, found["message"], min(position, len(text)))


def _parts(document: dict[str, Any], kind: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Return field path, kind and content of every part that is an object; the rest is no part."""
    found = []
    for field, part_kind in KINDS[kind].parts.items():
        value = document.get(field)
        if isinstance(value, dict):
            found.append((field, part_kind, value))
        elif isinstance(value, list):
            found += [
                (f"{field}[{index}]", part_kind, part)
                for index, part in enumerate(value)
                if isinstance(part, dict)
            ]
    return found


def _must_be_rewritten(document: dict[str, Any], kind: str) -> bool:
    """Check the headers; say whether any is old or any part stands in another file."""
    rewrite = version_of(document, kind) < KINDS[kind].version
    if rewrite:
        return True
    for field, part_kind, part in _parts(document, kind):
        if "digest" in part:
            rewrite = True
        elif part.get("kind", part_kind) != part_kind:
            raise InputError(
                f'must be "{part_kind}" (got {shown(part["kind"])})', field=f"{field}.kind"
            )
        else:
            version = version_of(part, part_kind, at=f"{field}.")
            rewrite = rewrite or version < KINDS[part_kind].version
    return rewrite


def _rewritten(
    document: dict[str, Any], kind: str, folder: Path | None, arrays: dict[str, NDArray[Any]]
) -> dict[str, Any]:
    """Bring a document and its parts to the current versions; fetch parts named by digest."""
    document = migrate(document, kind, version_of(document, kind), KINDS[kind].version)
    _must_be_rewritten(document, kind)
    for field, part_kind, part in _parts(document, kind):
        if "digest" in part:
            current = _fetched(part, part_kind, folder, arrays, field)
        else:
            version = version_of(part, part_kind, at=f"{field}.")
            current = migrate(part, part_kind, version, KINDS[part_kind].version)
        part_of = document[field.partition("[")[0]]
        if isinstance(part_of, list):
            part_of[int(field.partition("[")[2].rstrip("]"))] = current
        else:
            document[field] = current
    return document


def _fetched(
    part: dict[str, Any],
    kind: str,
    folder: Path | None,
    arrays: dict[str, NDArray[Any]],
    field: str,
) -> dict[str, Any]:
    name = part["digest"]
    if set(part) != {"digest"} or not isinstance(name, str) or not DIGEST.fullmatch(name):
        raise InputError(
            'must be {"digest": "<SHA-256 in hexadecimal>"} and nothing else', field=field
        )
    if folder is None:
        raise InputError("names another file, but was not read from one", field=f"{field}.digest")
    for ending in (".json", ".json.gz"):
        file = folder / f"{name}{ending}"
        if file.is_file():
            break
    else:
        raise InputError(f"no file {name}.json or .json.gz beside it", field=f"{field}.digest")
    model = load(file, kind)
    if digest(model) != name:
        raise InputError(
            f"does not have the content that its name and {field}.digest promise", file=file
        )

    def keep(array: NDArray[Any]) -> dict[str, Any] | None:
        if array.size < 1000:
            return None
        reference = array_reference(array)
        arrays[reference["array"]] = np.asarray(array)
        return reference

    fetched: dict[str, Any] = model.model_dump(mode="json", context={"store_array": keep})
    return fetched
