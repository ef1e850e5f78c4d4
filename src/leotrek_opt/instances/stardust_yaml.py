"""Stardust's small files, in JSON or YAML."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from leotrek_opt.errors import InputError, MissingDependencyError
from leotrek_opt.instances.foreign_file import content_of
from leotrek_opt.instances.json_reader import decode, outline

MAX_BYTES = 2**20
"""Largest file; the shipped list of 85 stations has 11 kB."""


def read_small_file(source: str | Path | bytes) -> Any:
    """Decode a configuration.

    Parameters
    ----------
    source
        Path, or content as bytes. What begins with a brace or bracket is JSON, the rest YAML.

    Returns
    -------
    object
        Lists, dicts, texts, numbers, truth values and None; instants of YAML as text.

    Raises
    ------
    leotrek_opt.errors.InputError
        If it is neither, too large, or uses anchors or duplicate keys.
    leotrek_opt.errors.MissingDependencyError
        If it is YAML and PyYAML is not installed.
    """
    data, _ = content_of(source, MAX_BYTES)
    text = decode(data)
    opening = text.lstrip()[:1]
    if opening == "{":
        outline(text)
        return json.loads(text)
    if opening == "[":
        # The outline wants an object, so its paths begin with a name that is not there.
        try:
            outline(f'{{"list":{text}}}')
        except InputError as error:
            raise InputError(
                error.message, field=(error.field or "").removeprefix("list")
            ) from None
        return json.loads(text)
    return _from_yaml(text)


def _from_yaml(text: str) -> Any:
    try:
        yaml = importlib.import_module("yaml")
    except ImportError:
        raise MissingDependencyError(
            "YAML needs PyYAML: pip install pyyaml (JSON is read without it)"
        ) from None

    class Loader(yaml.SafeLoader):  # type: ignore[misc, name-defined]
        """Refuses what a small file does not need and what can be made to grow without end."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise InputError(f"line {self.peek_event().start_mark.line + 1}: an alias")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            seen: set[str] = set()
            for entry, _ in node.value:
                key = self.construct_object(entry, deep=True)
                line = entry.start_mark.line + 1
                if not isinstance(key, str):
                    raise InputError(f"line {line}: a key must be text")
                if key in seen:
                    raise InputError(f"line {line}: duplicate key {key[:64]!r}")
                seen.add(key)
            built: dict[Any, Any] = super().construct_mapping(node, deep=deep)
            return built

    try:
        return _plain(yaml.load(text, Loader=Loader))
    except yaml.YAMLError as error:
        raise InputError(f"is not valid YAML: {str(error)[:300]}") from None
    except RecursionError:
        raise InputError("is nested too deeply") from None
    except InputError:
        raise
    except (ValueError, TypeError, OverflowError, AttributeError, KeyError, IndexError) as error:
        # PyYAML lets errors of its conversions through, such as a date that no calendar has.
        raise InputError(f"is not valid YAML: {str(error)[:300]}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00"
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise InputError(f"holds a value of type {type(value).__name__}, which is not read")
