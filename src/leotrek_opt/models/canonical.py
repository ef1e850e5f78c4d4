"""The one spelling of a document that its digest is taken of."""

from __future__ import annotations

import hashlib
import json
import re
import weakref
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from leotrek_opt.models.base import StrictModel, same_value
from leotrek_opt.models.columns import array_reference

MAX_SPELLED_ENTRIES = 131_072
"""Arrays with more entries stand in the canonical form as their content reference."""

_NEGATIVE_ZERO = re.compile(r"-0\.0[],}]")
_DIGESTS: dict[int, tuple[weakref.ref[BaseModel], str]] = {}


def canonical_json(model: BaseModel) -> bytes:
    """Write a model in its canonical form.

    Keys are sorted, there is no white space, defaults are written out, instants are in UTC, and
    everything is ASCII. Models that compare equal have equal canonical forms. A field that a model
    names among its ``later_fields`` stands only where it differs from its default, so that a digest
    taken before the field existed stays true.

    Parameters
    ----------
    model
        A document of any kind.

    Returns
    -------
    bytes
        JSON; an array with more than :data:`MAX_SPELLED_ENTRIES` entries stands as its SHA-256,
        shape and type.
    """
    tree = model.model_dump(mode="python", context={"store_array": _reference_if_large})
    _drop_later_fields(model, tree)
    text = _dump(tree)
    if _NEGATIVE_ZERO.search(text):
        text = _dump(_without_negative_zero(tree))
    return text.encode("ascii")


def digest(model: BaseModel) -> str:
    """Return the SHA-256 of a model's canonical form.

    Parameters
    ----------
    model
        A document of any kind. The digest is remembered as long as the model lives, so its
        dictionaries must not be changed in place.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    # Kept outside the model: equality and copies of a model must not see it.
    key = id(model)
    entry = _DIGESTS.get(key)
    if entry is not None and entry[0]() is model:
        return entry[1]
    value = hashlib.sha256(canonical_json(model)).hexdigest()
    _DIGESTS[key] = (weakref.ref(model, lambda dead: _forget(key, dead)), value)
    return value


def _forget(key: int, dead: weakref.ref[BaseModel]) -> None:
    entry = _DIGESTS.get(key)
    if entry is not None and entry[0] is dead:
        _DIGESTS.pop(key, None)


def _drop_later_fields(value: Any, tree: Any) -> None:
    if isinstance(value, StrictModel):
        fields = type(value).model_fields
        for name in value.later_fields:
            if same_value(getattr(value, name), fields[name].default):
                del tree[name]
        for name in fields:
            if name in tree:
                _drop_later_fields(getattr(value, name), tree[name])
    elif isinstance(value, tuple) and value and isinstance(value[0], StrictModel):
        for entry, part in zip(value, tree, strict=True):
            _drop_later_fields(entry, part)


def _reference_if_large(array: NDArray[Any]) -> dict[str, Any] | None:
    return array_reference(array) if array.size > MAX_SPELLED_ENTRIES else None


def _dump(tree: Any) -> str:
    return json.dumps(
        tree, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_spelled
    )


def _spelled(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a document cannot hold {type(value).__name__}")


def _without_negative_zero(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _without_negative_zero(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_without_negative_zero(value) for value in tree]
    return tree + 0.0 if isinstance(tree, float) else tree
