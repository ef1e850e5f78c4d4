"""JSON Schema of every kind of document, for editors and for other languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Union

from pydantic import Field, TypeAdapter

from leotrek_opt.errors import InputError
from leotrek_opt.instances.kinds import KINDS
from leotrek_opt.models.base import StrictModel, nearest_name

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_PART_BY_DIGEST = {
    "type": "object",
    "description": "The document in <digest>.json or <digest>.json.gz in the same folder.",
    "properties": {"digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"}},
    "required": ["digest"],
    "additionalProperties": False,
}


def json_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind of document.

    Parameters
    ----------
    kind
        A key of :data:`~leotrek_opt.instances.kinds.KINDS`.

    Returns
    -------
    dict
        A schema of draft 2020-12. It says what a document looks like; that references hold and
        columns are equally long is checked by reading it.

    Raises
    ------
    InputError
        If there is no such kind.
    """
    if kind not in KINDS:
        raise InputError(
            f'no kind "{kind}"{nearest_name(kind, KINDS)}; there are {", ".join(KINDS)}'
        )
    models = KINDS[kind].load_models()
    if len(models) > 1:
        return {"$schema": DIALECT, "title": f"{kind} document", **_one_of(models)}
    schema = models[0].model_json_schema()
    _require_header(schema)
    for field in KINDS[kind].parts:
        part = schema["properties"][field]
        if part.get("type") == "array":
            part["items"] = {"anyOf": [part["items"], _PART_BY_DIGEST]}
        else:
            schema["properties"][field] = {"anyOf": [part, _PART_BY_DIGEST]}
    return {"$schema": DIALECT, "title": f"{kind} document", **schema}


def _one_of(models: Sequence[type[StrictModel]]) -> dict[str, Any]:
    """Return a schema of documents that differ by the problem they belong to."""
    union: Any = Annotated[Union[tuple(models)], Field(discriminator="problem_kind")]  # noqa: UP007
    schema = TypeAdapter(union).json_schema()
    for model in models:
        _require_header(schema["$defs"][model.__name__])
    return schema


def _require_header(schema: dict[str, Any]) -> None:
    schema["required"] = ["kind", "version", *schema.get("required", [])]
