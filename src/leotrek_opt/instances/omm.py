"""Orbit Mean-Elements Messages as CelesTrak and Space-Track give them: JSON, CSV, XML and KVN."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from leotrek_opt.errors import InputError, errors_in
from leotrek_opt.instances.element_file import (
    BadRecordError,
    Duplicates,
    ElementCollector,
    ElementFile,
    ElementFormat,
)
from leotrek_opt.instances.foreign_file import content_of, text_lines
from leotrek_opt.instances.json_reader import decode
from leotrek_opt.instances.omm_record import KNOWN, REQUIRED, RawRecord, omm_element_set
from leotrek_opt.instances.xml_reader import XmlElement, xml_elements
from leotrek_opt.models.messages import shown

MAX_OBJECT = 2**15
"""Longest object of a JSON file in characters; Space-Track's have 2,000."""

MAX_LINE = 2**16
"""Longest line of a CSV file."""

_SNIFFED_BYTES = 2**16
_JSON_BLANKS = re.compile(r"[ \t\n\r]*")
_KVN_START = "CCSDS_OMM_VERS"
_KVN_BEGINNING = re.compile(rb"(?:COMMENT[^\n]*\n\s*)*CCSDS_OMM_VERS\s*=")


def read_omm(source: str | Path | bytes, *, duplicates: Duplicates = "newest") -> ElementFile:
    """Read a file of Orbit Mean-Elements Messages, compressed by gzip or not.

    The form is found by content: JSON (one object or a list, numbers as numbers or as strings), CSV
    with a header, XML (``ndm`` or ``omm``) or KVN. ``CENTER_NAME``, ``REF_FRAME``, ``TIME_SYSTEM``
    and ``MEAN_ELEMENT_THEORY`` may be left out, as CelesTrak does, but if given they must be EARTH,
    TEME, UTC and SGP4. Fields that SGP4 does not need are left aside. A message that breaks a rule
    is set aside with its line and the reason, and reading goes on.

    Parameters
    ----------
    source
        Path of a file of at most 64 MiB, or its content as bytes.
    duplicates
        As in :func:`leotrek_opt.instances.tle.read_tle`.

    Returns
    -------
    ElementFile
        The table, and the records set aside.

    Raises
    ------
    InputError
        If the file cannot be read, is none of these, breaks the syntax of JSON or XML, or holds no
        valid message.
    """
    data, file = content_of(source)
    return parse_omm(data, file=file, duplicates=duplicates)


def parse_omm(
    text: str | bytes, *, file: str | Path | None = None, duplicates: Duplicates = "newest"
) -> ElementFile:
    """Read the text of a file of Orbit Mean-Elements Messages.

    Parameters
    ----------
    text
        Content of a file.
    file
        Its name for messages.
    duplicates
        As in :func:`leotrek_opt.instances.tle.read_tle`.

    Returns
    -------
    ElementFile
        As :func:`read_omm`.

    Raises
    ------
    InputError
        As :func:`read_omm`.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    with errors_in(file):
        form = omm_format(data)
        if form is None:
            raise InputError("is no Orbit Mean-Elements Message in JSON, CSV, XML or KVN")
        collector = ElementCollector(form)
        for record in _READERS[form](data):
            try:
                row = omm_element_set(record)
            except BadRecordError as error:
                collector.refuse(record.line, str(error), record.text)
            else:
                collector.add(row, record.line, record.text)
        return collector.finish(duplicates)


def omm_format(data: bytes) -> ElementFormat | None:
    """Tell in which form messages are written.

    Parameters
    ----------
    data
        Content of a file.

    Returns
    -------
    str or None
        None if in none.
    """
    start = data[:_SNIFFED_BYTES].lstrip()
    if start[:1] in {b"{", b"["}:
        return "omm-json"
    if start[:1] == b"<":
        return "omm-xml"
    if _KVN_BEGINNING.match(start):
        return "omm-kvn"
    if b"NORAD_CAT_ID" in start.split(b"\n", 1)[0]:
        return "omm-csv"
    return None


class _JsonObject(dict[str, Any]):
    """An object that knows which of its keys came twice."""

    duplicate: str | None = None


def _json_object(pairs: list[tuple[str, Any]]) -> _JsonObject:
    result = _JsonObject(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                result.duplicate = name
                break
            seen.add(name)
    return result


def _json_records(data: bytes) -> Iterator[RawRecord]:
    """Decode object by object, so that a long list never stands in memory as a whole."""
    text = decode(data)
    # As text, numbers go the same way whether they are quoted or not.
    decoder = json.JSONDecoder(
        object_pairs_hook=_json_object, parse_int=str, parse_float=str, parse_constant=str
    )
    position, line = _JSON_BLANKS.match(text).end(), 1  # type: ignore[union-attr]
    line += text.count("\n", 0, position)
    is_list = text[position] == "["
    if is_list:
        position, line = _after_blanks(text, position + 1, line)
        if text[position : position + 1] == "]":
            return
    while True:
        window = text[position : position + MAX_OBJECT]
        try:
            value, length = decoder.raw_decode(window)
        except json.JSONDecodeError as error:
            if len(window) == MAX_OBJECT and _breaks_off(error):
                message = f"an object must have at most {MAX_OBJECT:,} characters"
                raise InputError(message, field=f"line {line}") from None
            raise _json_fault(text, error.msg, position + error.pos) from None
        except RecursionError:
            raise InputError("is nested too deeply", field=f"line {line}") from None
        yield _json_record(value, line, window[: min(length, 1000)])
        line += window.count("\n", 0, length)
        position, line = _after_blanks(text, position + length, line)
        if not is_list:
            break
        mark = text[position : position + 1]
        if mark not in {",", "]"}:
            raise _json_fault(text, "expecting ',' or ']'", position)
        position, line = _after_blanks(text, position + 1, line)
        if mark == "]":
            break
    if position < len(text):
        raise _json_fault(text, "extra data", position)


def _breaks_off(error: json.JSONDecodeError) -> bool:
    """Tell whether a text was well formed as far as it went."""
    return error.msg.startswith("Unterminated string") or error.pos >= len(error.doc) - 10


def _after_blanks(text: str, position: int, line: int) -> tuple[int, int]:
    end = _JSON_BLANKS.match(text, position).end()  # type: ignore[union-attr]
    return end, line + text.count("\n", position, end)


def _json_record(value: Any, line: int, text: str) -> RawRecord:
    record = RawRecord(line, text)
    if not isinstance(value, _JsonObject):
        record.blame(f"must be an object (got {shown(value)})")
        return record
    if value.duplicate is not None:
        record.blame(f"{shown(value.duplicate)} is given twice")
    for name in KNOWN & value.keys():
        content = value[name]
        if isinstance(content, str):
            record.put(name, content.strip(" "))
        elif content is not None:
            record.blame(f"{name} must be a number or a string (got {shown(content)})")
    return record


def _json_fault(text: str, message: str, position: int) -> InputError:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    hint = "; the file ends early" if position >= len(text.rstrip()) else ""
    return InputError(f"is not valid JSON at line {line}, column {column}: {message.lower()}{hint}")


def _csv_records(data: bytes) -> Iterator[RawRecord]:
    lines = text_lines(decode(data))
    _, header = next(lines)
    names = _csv_fields(header)
    if isinstance(names, str):
        raise InputError(names, field="line 1")
    for name in KNOWN:
        if names.count(name) > 1:
            raise InputError(f"column {name} is given twice", field="line 1")
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise InputError(f"column {missing[0]} is missing", field="line 1")
    for number, line in lines:
        if not line:
            continue
        record = RawRecord(number, line[:1000])
        values = _csv_fields(line)
        if isinstance(values, str):
            record.blame(values)
        elif len(values) != len(names):
            record.blame(f"must have {len(names)} fields like the header (got {len(values)})")
        else:
            for name, value in zip(names, values, strict=True):
                record.put(name, value)
        yield record


def _csv_fields(line: str) -> list[str] | str:
    """Return the fields of a line, or what is wrong with it; no field has two lines."""
    if len(line) > MAX_LINE:
        return f"must have at most {MAX_LINE} characters"
    try:
        return [value.strip(" ") for value in next(csv.reader([line], strict=True))]
    except csv.Error as error:
        return f"is not CSV: {error}"


def _xml_records(data: bytes) -> Iterator[RawRecord]:
    for message in xml_elements(data, "omm"):
        record = RawRecord(message.line, "")
        for element in message.walk():
            if element.tag in KNOWN and not element.children:
                record.put(element.tag, element.text, element.attributes.get("units", ""))
        record.text = _xml_text(message, record)
        yield record


def _xml_text(message: XmlElement, record: RawRecord) -> str:
    named = [record.fields.get(name, "") for name in ("OBJECT_NAME", "NORAD_CAT_ID")]
    return " ".join([f"<{message.tag}>", *named]).strip()


def _kvn_records(data: bytes) -> Iterator[RawRecord]:
    record: RawRecord | None = None
    for number, line in text_lines(decode(data)):
        text = line.strip()
        if not text or text.startswith("COMMENT"):
            continue
        name, equals, value = (part.strip() for part in text.partition("="))
        if name == _KVN_START:
            if record is not None:
                yield record
            record = RawRecord(number, text)
        elif record is None:
            raise InputError(f"must begin with {_KVN_START}", field=f"line {number}")
        elif not equals:
            record.blame(f"line {number} must be NAME = value (got {shown(text)})")
        else:
            unit = ""
            if value.endswith("]"):
                value, _, unit = value[:-1].rpartition("[")
            record.put(name, value.strip(), unit.strip())
            if name in {"OBJECT_NAME", "NORAD_CAT_ID"}:
                record.text += f" {value[:100]}"
    if record is not None:
        yield record


_READERS: dict[ElementFormat, Callable[[bytes], Iterator[RawRecord]]] = {
    "omm-json": _json_records,
    "omm-csv": _csv_records,
    "omm-xml": _xml_records,
    "omm-kvn": _kvn_records,
}
