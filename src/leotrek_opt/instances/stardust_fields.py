"""Fields of the objects in Stardust's files, checked one by one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from leotrek_opt.errors import InputError
from leotrek_opt.models.base import nearest_name
from leotrek_opt.models.messages import shown

MAX_NAME = 256

_NAME = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,256}")


def field_of(entry: Mapping[str, Any], key: str, at: str) -> Any:
    """Return a field that must be there.

    Parameters
    ----------
    entry
        An object.
    key
        Of the field.
    at
        Path of the object.

    Returns
    -------
    object
        Its value.

    Raises
    ------
    leotrek_opt.errors.InputError
        If it is missing.
    """
    if key not in entry:
        raise InputError("required field is missing", field=f"{at}.{key}")
    return entry[key]


def entries_of(value: Any, at: str) -> list[Any]:
    """Return a list; null stands for an empty one, as Go writes it.

    Parameters
    ----------
    value
        What was decoded.
    at
        Its path.

    Returns
    -------
    list
        The list.

    Raises
    ------
    leotrek_opt.errors.InputError
        If it is anything else.
    """
    if value is None:
        return []
    if type(value) is not list:
        raise InputError(f"must be a list (got {shown(value)})", field=at)
    return value


def name_of(value: Any, at: str) -> str:
    """Return a name.

    Parameters
    ----------
    value
        What was decoded.
    at
        Its path.

    Returns
    -------
    str
        At most :data:`MAX_NAME` characters without control characters.

    Raises
    ------
    leotrek_opt.errors.InputError
        If it is anything else.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise InputError(
            f"must be 1 to {MAX_NAME} printable characters (got {shown(value)})", field=at
        )
    return value


def fields_of(value: Any, known: Iterable[str], at: str) -> dict[str, Any]:
    """Return an object with its fields spelled as they are known.

    Parameters
    ----------
    value
        What was decoded.
    known
        Names of all fields that it may have.
    at
        Its path.

    Returns
    -------
    dict
        By these names.

    Raises
    ------
    leotrek_opt.errors.InputError
        If it is no object, or a field is unknown or stands twice.
    """
    if not isinstance(value, dict):
        raise InputError(f"must be an object (got {shown(value)})", field=at or None)
    spelling = {name.lower(): name for name in known}
    found: dict[str, Any] = {}
    for key, entry in value.items():
        name = spelling.get(str(key).lower())
        if name is None:
            hint = nearest_name(str(key)[:64], spelling.values())
            raise InputError(f"unknown field {shown(key)}{hint}", field=at or None)
        if name in found:
            raise InputError("stands twice in another case", field=f"{at}.{name}".lstrip("."))
        found[name] = entry
    return found


def choice_of(entry: Mapping[str, Any], name: str, known: tuple[str, ...], at: str) -> str:
    """Return a field that must be one of some texts.

    Parameters
    ----------
    entry
        An object.
    name
        Of the field.
    known
        The texts.
    at
        Path of the object.

    Returns
    -------
    str
        One of them.

    Raises
    ------
    leotrek_opt.errors.InputError
        If it is missing or another one, with the nearest.
    """
    value = field_of(entry, name, at)
    if not isinstance(value, str) or value not in known:
        hint = nearest_name(value[:64], known) if isinstance(value, str) else ""
        raise InputError(
            f"must be one of {', '.join(known)} (got {shown(value)}){hint}", field=f"{at}.{name}"
        )
    return value


def integer_of(
    entry: Mapping[str, Any], name: str, at: str, default: int, low: int, high: int
) -> int:
    """Return a field that must be a whole number.

    Parameters
    ----------
    entry
        An object.
    name
        Of the field.
    at
        Path of the object.
    default
        Where the field is missing.
    low, high
        Least and greatest.

    Returns
    -------
    int
        Within these bounds.

    Raises
    ------
    leotrek_opt.errors.InputError
        If it is anything else.
    """
    value = entry.get(name, default)
    if type(value) is not int or not low <= value <= high:
        raise InputError(
            f"must be an integer in {low} … {high} (got {shown(value)})", field=f"{at}.{name}"
        )
    return value
