"""Matrix models in JSON: decimals exactly, null as infinite, and refusals that name the field."""

from __future__ import annotations

import copy
import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from leotrek_opt.errors import InputError
from leotrek_opt.instances.matrix_json import read_matrix_json
from leotrek_opt.solvers.engines.highs import HighsEngine

DOCUMENT: dict[str, Any] = {
    "schema_version": 1,
    "name": "two",
    "sense": "max",
    "objective_offset": 3,
    "columns": {
        "names": ["x", "y"],
        "objective": [2, 0.1],
        "lower": [0, None],
        "upper": [4, None],
        "integer": [1, 0],
    },
    "rows": {"names": ["time"], "lower": [None], "upper": [2.42]},
    "matrix": {
        "format": "csr",
        "shape": [1, 2],
        "indptr": [0, 2],
        "indices": [0, 1],
        "data": [0.605, 1],
    },
    "domain": {"anything": True},
}


def written(tmp_path: Path, document: object) -> Path:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_decimals_are_exact_and_null_is_infinite(tmp_path: Path) -> None:
    model = read_matrix_json(written(tmp_path, DOCUMENT))
    arrays = model.linear.arrays()
    # 0.605 x + y <= 2.42, times 200
    assert arrays.data.tolist() == [121, 200]
    assert (arrays.row_lower.tolist(), arrays.row_upper.tolist()) == ([-math.inf], [484])
    assert (arrays.lower.tolist(), arrays.upper.tolist()) == ([0, -math.inf], [4, math.inf])
    assert not arrays.minimise
    assert model.objective(arrays.offset) == 3
    assert list(model.column_names) == ["x", "y"]
    result = HighsEngine().solve(model.linear)
    # Four times 0.605 fill the row: x = 4, y = 0.
    assert result.objective is not None
    assert model.objective(result.objective) == Fraction(11)


def changed(path: str, value: object) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    *parents, last = path.split(".")
    place: Any = document
    for key in parents:
        place = place[key]
    place[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "field", "text"),
    [
        ("schema_version", 2, "schema_version", "must be 1"),
        ("sense", "up", "sense", "min or max"),
        ("sense", ["min"], "sense", "min or max"),
        ("columns", [], "columns", "an object"),
        ("columns.names", None, "names", "a list"),
        ("columns.names", ["x", "x"], "columns.names[1]", "also the name"),
        ("columns.objective", [1, "a"], "columns.objective[1]", "must be a number"),
        ("columns.objective", [1, None], "columns.objective[1]", "must be a number"),
        ("columns.lower", [0], "columns.lower", "length 2"),
        ("columns.lower", [None, 0], "columns.lower[0]", "finite for an integer"),
        ("columns.upper", [-1, 0], "columns.lower[0] (x)", "upper bound -1"),
        ("columns.integer", [1, 2], "columns.integer", "0 and 1"),
        ("rows.upper", [[1]], "rows.upper[0]", "must be a number"),
        ("rows.lower", [3], "rows.lower[0] (time)", "lower bound 3"),
        ("matrix.format", "coo", "matrix.format", "csr"),
        ("matrix.shape", [2, 2], "matrix.shape", r"\[1, 2\]"),
        ("matrix.indptr", [0, 1], "matrix.indptr", "0 to the 2"),
        ("matrix.indices", [0, 5], "matrix.indices", "not 5"),
        ("matrix.indices", [1, 1], "matrix.indices", "column y stands twice in row time"),
        ("matrix.data", [1], "matrix.data", "length 2"),
        ("objective_offset", None, "objective_offset", "must be a number"),
    ],
)
def test_faults_name_file_and_field(
    tmp_path: Path, path: str, value: object, field: str, text: str
) -> None:
    file = written(tmp_path, changed(path, value))
    with pytest.raises(InputError, match=text) as refusal:
        read_matrix_json(file)
    assert refusal.value.field == field
    assert refusal.value.file == str(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("[]", "must be a JSON object"),
        ('{"sense": "min", "sense": "max"}', "duplicate key"),
        ('{"schema_version": 1', "not valid JSON"),
        (json.dumps(DOCUMENT).replace("2.42", "NaN"), "not nan"),
        (json.dumps(DOCUMENT).replace("2.42", "1e999"), "too many digits"),
    ],
)
def test_text_that_is_no_document_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_matrix_json(path)


@pytest.mark.reference
def test_reference_solutions_have_their_objectives(reference_data: Path) -> None:
    folder = reference_data / "solvers"
    for document in sorted((folder / "solutions").glob("*.json")):
        solution = json.loads(document.read_text(encoding="utf-8"))
        model = read_matrix_json(folder / "instances" / document.name)
        values = [solution["values"].get(name, 0) for name in model.column_names]
        point = model.point(values)
        assert model.linear.violations_of(point) == []
        assert model.objective(model.linear.objective_of(point)) == solution["objective"]
        assert model.solution(point) == solution["values"]
