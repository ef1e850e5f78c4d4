"""Models in matrix form as JSON: a plain exchange format with names, sparse rows and decimals.

    {"schema_version": 1, "name": ..., "sense": "min" | "max", "objective_offset": 0,
     "columns": {"names": [...], "objective": [...], "lower": [...], "upper": [...],
                 "integer": [0, 1, ...]},
     "rows": {"names": [...], "lower": [...], "upper": [...]},
     "matrix": {"format": "csr", "shape": [m, n], "indptr": [...], "indices": [...], "data": [...]}}

A bound that is null is infinite. Decimals are read as they stand there, not as binary fractions.
Other keys are let pass.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

from leotrek_opt.errors import InputError, errors_in
from leotrek_opt.instances.json_reader import decode, outline, read_bytes
from leotrek_opt.models.messages import shown
from leotrek_opt.solvers.matrix import MatrixModel, model_from_arrays

_SENSES = {"min": True, "max": False}
_FIELDS = {
    "cost": "columns.objective",
    "lower": "columns.lower",
    "upper": "columns.upper",
    "integer": "columns.integer",
    "column_names": "columns.names",
    "indptr": "matrix.indptr",
    "indices": "matrix.indices",
    "data": "matrix.data",
    "row_lower": "rows.lower",
    "row_upper": "rows.upper",
    "row_names": "rows.names",
    "offset": "objective_offset",
}
"""Where the arguments of :func:`model_from_arrays` stand in the document."""


def read_matrix_json(path: str | Path) -> MatrixModel:
    """Read a model from a JSON file, compressed by gzip or not.

    Parameters
    ----------
    path
        The file, at most 64 MiB, unpacked at most 512 MiB.

    Returns
    -------
    MatrixModel
        The model in whole numbers, with the names and units of the file.

    Raises
    ------
    InputError
        If the file is no such model; the text names file and field.
    """
    file = Path(path)
    data = read_bytes(file)
    with errors_in(file):
        text = decode(data)
        outline(text)
        return _model(json.loads(text, parse_float=Decimal))


def _model(document: dict[str, Any]) -> MatrixModel:
    if document.get("schema_version") != 1:
        raise InputError(
            f"must be 1, not {shown(document.get('schema_version'))}", field="schema_version"
        )
    sense = document.get("sense")
    if not isinstance(sense, str) or sense not in _SENSES:
        raise InputError(f"must be min or max, not {shown(sense)}", field="sense")
    columns, rows, matrix = (_part(document, key, dict) for key in ("columns", "rows", "matrix"))
    if matrix.get("format") != "csr":
        raise InputError(f"must be csr, not {shown(matrix.get('format'))}", field="matrix.format")
    names, row_names = _part(columns, "names", list), _part(rows, "names", list)
    if matrix.get("shape") != [len(row_names), len(names)]:
        raise InputError(
            f"must be [{len(row_names)}, {len(names)}], as there are names", field="matrix.shape"
        )
    arguments: dict[str, Any] = {
        "cost": _part(columns, "objective", list),
        "lower": _bounds(columns, "lower", -math.inf),
        "upper": _bounds(columns, "upper", math.inf),
        "integer": _part(columns, "integer", list),
        "column_names": names,
        "indptr": _part(matrix, "indptr", list),
        "indices": _part(matrix, "indices", list),
        "data": _part(matrix, "data", list),
        "row_lower": _bounds(rows, "lower", -math.inf),
        "row_upper": _bounds(rows, "upper", math.inf),
        "row_names": row_names,
        "offset": document.get("objective_offset", 0),
    }
    try:
        return model_from_arrays(**arguments, minimise=_SENSES[sense])
    except InputError as error:
        argument, bracket, rest = (error.field or "").partition("[")
        field = _FIELDS.get(argument, argument)
        raise InputError(error.message, field=f"{field}{bracket}{rest}") from None


def _part(document: dict[str, Any], key: str, kind: type) -> Any:
    value = document.get(key)
    if not isinstance(value, kind):
        wanted = "an object" if kind is dict else "a list"
        raise InputError(f"must be {wanted}, not {shown(value)}", field=key)
    return value


def _bounds(document: dict[str, Any], key: str, infinite: float) -> list[Any]:
    return [infinite if value is None else value for value in _part(document, key, list)]
