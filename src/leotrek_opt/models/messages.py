"""One line for a rejected value: the path as it stands in the document, and what is allowed."""

from __future__ import annotations

import json
import math
import re
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from leotrek_opt.models.base import nearest_name

MAX_SHOWN = 60
"""Characters of an offending value that a message repeats."""

MAX_PROBLEMS = 1000
"""Rejected values of one document that are looked at."""

MAX_PARTS = 12
"""Parts of a path that a message repeats."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_#-]{1,128}")
_UNION_MEMBER = re.compile(r"(literal|function-\w+|constrained-\w+|nullable|tuple|list|dict)\b.*")
_WORDING = {
    "missing": "required field is missing",
    "extra_forbidden": "unknown field",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "string_type": "must be a string",
    "int_type": "must be an integer",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "finite_number": "must be a finite number",
    "greater_than_equal": "must be >= {ge}",
    "greater_than": "must be > {gt}",
    "less_than_equal": "must be <= {le}",
    "less_than": "must be < {lt}",
    "literal_error": "must be {expected}",
    "union_tag_not_found": "must name its {discriminator}",
    "union_tag_invalid": "{discriminator} must be one of {expected_tags}",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
}
_PATTERNS = {
    r"^[A-Za-z0-9._:#-]{1,128}$": "1 to 128 letters, digits or any of . _ : # -",
    r"^[A-Za-z0-9._:#-]{1,128}/[A-Za-z0-9._:#-]{1,128}$": "workflow/function",
    r"^[^\x00-\x1f\x7f]*$": "printable text on one line",
    r"^([0-9a-f]{64})?$": "a SHA-256 in lower-case hexadecimal, or empty",
}
_VALUE_IS_CLEAR = frozenset({"leotrek", "missing", "extra_forbidden", "too_short", "too_long"})


def describe(error: ValidationError, model: type[BaseModel] | None = None) -> tuple[str, str]:
    """Say which field is wrong and why.

    Parameters
    ----------
    error
        What pydantic raised.
    model
        The model that was validated; with it, unions are resolved and unknown fields are compared
        with the known ones.

    Returns
    -------
    tuple of str
        Path of the field, empty for the whole document, and one line of explanation.
    """
    problems = _without_echoes(error.errors(include_url=False)[:MAX_PROBLEMS])
    problem = _most_telling(problems)
    parts, owner = _descend(model, problem["loc"])
    context = problem.get("ctx", {})
    at = str(context.get("at", ""))
    path = field_path(parts)
    if at:
        path = f"{path}.{at}" if path and not at.startswith("[") else path + at
    message = _worded(problem)
    if problem["type"] == "extra_forbidden" and owner is not None:
        message += nearest_name(str(problem["loc"][-1]), owner.model_fields)
    if problem["type"] not in _VALUE_IS_CLEAR:
        message += f" (got {shown(problem.get('input'))})"
    others = len({field_path(_descend(model, other["loc"])[0]) for other in problems}) - 1
    if others > 0:
        message += f" (and {others} more)"
    return path, message


def field_path(parts: Sequence[int | str]) -> str:
    """Write keys and indices as ``workflows[0].edges[3].target``.

    Parameters
    ----------
    parts
        Keys and indices from the root.

    Returns
    -------
    str
        A single line; odd keys are quoted, a very long path is cut.
    """
    text = ""
    for part in parts[:MAX_PARTS]:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{shown(part)}]"
    return text + ("..." if len(parts) > MAX_PARTS else "")


def shown(value: Any) -> str:
    """Write a value as it stands in JSON, shortened.

    Parameters
    ----------
    value
        Anything.

    Returns
    -------
    str
        At most about :data:`MAX_SHOWN` characters on a single line.
    """
    if isinstance(value, str):
        text = json.dumps(value[: MAX_SHOWN + 1])
    elif isinstance(value, bool) or value is None:
        text = json.dumps(value)
    elif isinstance(value, int):
        # Decimal digits of a huge integer are refused by the interpreter itself.
        text = str(value) if value.bit_length() < 4 * MAX_SHOWN else "a very large integer"
    elif isinstance(value, Mapping):
        text = "an object"
    elif isinstance(value, (list, tuple)):
        text = f"a list of {len(value)}"
    elif isinstance(value, float):
        text = repr(value) if math.isfinite(value) else json.dumps(value)
    else:
        text = type(value).__name__
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def _most_telling(problems: Sequence[Any]) -> Any:
    """Return the first problem, or in a plain union the member that got furthest."""
    first = problems[0]
    if not (first["loc"] and _is_union_member(first["loc"][-1])):
        return first
    prefix = first["loc"][:-1]
    rivals = [problem for problem in problems if problem["loc"][: len(prefix)] == prefix]
    inside = [
        problem
        for problem in rivals
        if len(problem["loc"]) > len(prefix) + 1 or problem["type"] == "leotrek"
    ]
    if inside:
        return inside[0]
    allowed = [
        _worded(problem).removeprefix("must be ")
        for problem in rivals
        if problem["type"] in _WORDING
    ]
    return {**first, "type": "union", "msg": "must be " + " or ".join(allowed)}


def _is_union_member(part: int | str) -> bool:
    return isinstance(part, str) and _UNION_MEMBER.fullmatch(part) is not None


def _without_echoes(problems: Sequence[Any]) -> list[Any]:
    """Leave out the lists that are too short only because they stop at their first bad entry."""
    deeper = {
        problem["loc"][:length] for problem in problems for length in range(len(problem["loc"]))
    }
    return [
        problem
        for problem in problems
        if problem["type"] != "too_short" or problem["loc"] not in deeper
    ]


def _worded(problem: Any) -> str:
    context = problem.get("ctx", {})
    if problem["type"] == "string_pattern_mismatch" and context["pattern"] in _PATTERNS:
        return f"must be {_PATTERNS[context['pattern']]}"
    if problem["type"] == "too_short" and context["min_length"] == 1:
        return "must not be empty"
    if problem["type"] in _WORDING:
        return _WORDING[problem["type"]].format(**context)
    message = str(problem["msg"]).removeprefix("Value error, ")
    return re.sub(r"^(Input|String|Value) should ", "must ", message)


def _descend(
    model: type[BaseModel] | None, location: Sequence[int | str]
) -> tuple[list[int | str], type[BaseModel] | None]:
    """Follow a location through the types; leave out the names pydantic gives to union members."""
    here: Any = model
    owner: type[BaseModel] | None = None
    parts: list[int | str] = []
    for part in location:
        members = _members(here)
        if len(members) > 1:
            here = next((member for member in members if _is_named(member, str(part))), None)
            continue
        here = members[0]
        if part == "[key]" or (here is None and _is_union_member(part)):
            continue
        parts.append(part)
        if isinstance(here, type) and issubclass(here, BaseModel):
            owner = here
            field = here.model_fields.get(str(part))
            here = field.annotation if field is not None else None
        elif get_origin(here) in {tuple, list}:
            here = get_args(here)[0]
        elif get_origin(here) is dict:
            here = get_args(here)[1]
        else:
            here = None
    return parts, owner


def _members(annotation: Any) -> list[Any]:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in {Union, types.UnionType}:
        found = [
            inner
            for member in get_args(annotation)
            if member is not type(None)
            for inner in _members(member)
        ]
        return found or [None]
    return [annotation]


def _is_named(member: Any, label: str) -> bool:
    if isinstance(member, type) and issubclass(member, BaseModel):
        tag = member.model_fields.get("type")
        return member.__name__ in label or (tag is not None and tag.default == label)
    return get_origin(member) is Literal and label.startswith("literal")
