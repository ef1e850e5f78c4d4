"""``leotrek validate``, ``schema`` and ``generate``: documents in, documents out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import GOLDEN, Said

from leotrek_opt.instances.documents import load, save
from leotrek_opt.instances.kinds import KINDS
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.models.topology import ExplicitTopology, GeneratedTopology

Leotrek = Callable[..., Said]

INVALID = Path(__file__).parents[1] / "data" / "invalid"
EXPECTED: dict[str, dict[str, str | None]] = json.loads((INVALID / "expected.json").read_text())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("placement-1.json", "OK placement/1: 2 workflows, 5 functions, 4 nodes, 3 steps"),
        ("continuum-explicit-1.json", "OK continuum/1: 4 nodes, 3 links, 3 steps"),
        ("continuum-generated-1.json", "OK continuum/1: 5 nodes, generated links, 1 step"),
        ("workflow-1.json", "OK workflow/1: 3 functions, 2 data edges"),
        ("solution-1.json", "OK solution/1: 1 function placed"),
        ("result-1.json", "OK result/1: optimal, by exact"),
    ],
)
def test_good_document_is_described_in_one_line(leotrek: Leotrek, name: str, said: str) -> None:
    answer = leotrek("validate", GOLDEN / name)
    assert (answer.code, answer.out, answer.err) == (0, said + "\n", "")


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_bad_document_ends_with_2_and_one_line(leotrek: Leotrek, name: str) -> None:
    answer = leotrek("validate", INVALID / name)
    assert (answer.code, answer.out) == (2, "")
    (line,) = answer.err.splitlines()
    field = EXPECTED[name]["field"]
    assert line.startswith(f"error: {INVALID / name}: {f'{field}: ' if field else ''}")
    assert str(EXPECTED[name]["message"]) in line


def test_the_program_itself_refuses_the_whole_corpus_without_a_traceback(tmp_path: Path) -> None:
    deep, digits = tmp_path / "deep.json", tmp_path / "digits.json"
    deep.write_text("[" * 100_000 + "]" * 100_000)
    digits.write_text(f'{{"kind": "workflow", "version": {"1" * 10_000}}}')
    files = [*(INVALID / name for name in sorted(EXPECTED)), deep, digits]
    child = subprocess.run(
        [sys.executable, "-m", "leotrek_opt", "validate", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 2
    assert child.stdout == ""
    lines = child.stderr.splitlines()
    assert len(lines) == len(files)
    for file, line in zip(files, lines, strict=True):
        assert line.startswith(f"error: {file}: ")


def test_every_file_is_checked(leotrek: Leotrek) -> None:
    answer = leotrek(
        "validate", INVALID / "empty.json", GOLDEN / "workflow-1.json", INVALID / "no-kind.json"
    )
    assert answer.code == 2
    assert answer.out == "OK workflow/1: 3 functions, 2 data edges\n"
    assert len(answer.err.splitlines()) == 2


def test_validate_needs_a_file(leotrek: Leotrek) -> None:
    assert leotrek("validate").code == 2


def test_kinds_are_listed(leotrek: Leotrek) -> None:
    answer = leotrek("schema")
    assert answer.code == 0
    assert [line.split()[0] for line in answer.out.splitlines()] == list(KINDS)


@pytest.mark.parametrize("kind", list(KINDS))
def test_schema_of_every_kind_is_printed(leotrek: Leotrek, kind: str) -> None:
    answer = leotrek("schema", kind)
    assert answer.code == 0
    schema = json.loads(answer.out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    models = [schema]
    if "oneOf" in schema:
        models = [schema["$defs"][item["$ref"].rpartition("/")[2]] for item in schema["oneOf"]]
    for model in models:
        assert model["properties"]["kind"]["const"] == kind
        assert {"kind", "version"} <= set(model["required"])
        assert model["additionalProperties"] is False


def test_unknown_kind_ends_with_2(leotrek: Leotrek) -> None:
    answer = leotrek("schema", "placment")
    assert answer.code == 2
    assert 'did you mean "placement"?' in answer.err


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*-1.json")), ids=lambda path: path.stem)
def test_golden_documents_fit_their_schema(path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    from leotrek_opt.instances.json_schema import json_schema

    document = json.loads(path.read_text())
    schema = json_schema(document["kind"])
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(document)
    assert not validator.is_valid({**document, "unknown": 1})
    assert not validator.is_valid({key: document[key] for key in document if key != "version"})


SMALL = ["--satellites", "72", "--edge", "8", "--ground-stations", "2", "--workflows", "2"]


def test_generated_problem_is_written_and_can_be_read(leotrek: Leotrek, tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    answer = leotrek("generate", "wildfire", *SMALL, "--seed", 3, "--out", path)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(f"{path}: placement/1: 2 workflows, ")
    problem = load(path)
    assert isinstance(problem, PlacementProblem)
    assert problem.continuum.nodes.kind.count("satellite") == 72
    assert problem.continuum.nodes.kind.count("ground_station") == 2
    assert isinstance(problem.continuum.topology, GeneratedTopology)


def test_without_out_the_document_goes_to_stdout(leotrek: Leotrek, tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    leotrek("generate", "wildfire", *SMALL, "--out", path, "--quiet")
    answer = leotrek("generate", "wildfire", *SMALL)
    assert answer.out == path.read_text()


def test_same_seed_gives_the_same_document(leotrek: Leotrek) -> None:
    one, two, other = (
        leotrek("generate", "wildfire", *SMALL, "--seed", seed).out for seed in (1, 1, 2)
    )
    assert one == two
    assert one != other


def test_frozen_problem_has_every_link(leotrek: Leotrek, tmp_path: Path) -> None:
    path = tmp_path / "frozen.json"
    assert leotrek("generate", "wildfire", *SMALL, "--freeze", "--out", path).code == 0
    frozen = load(path)
    assert isinstance(frozen, PlacementProblem)
    assert isinstance(frozen.continuum.topology, ExplicitTopology)
    assert leotrek("validate", path).code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["wildfyre"], 'did you mean "wildfire"?'),
        (["wildfire", "--satellites", "0"], "--satellites"),
        (["wildfire", "--satellites", "100000000"], "satellites: must be from 1 to"),
        (["wildfire", "--seed", "-1"], "--seed"),
        ([], "Missing argument"),
    ],
)
def test_bad_wishes_end_with_2(leotrek: Leotrek, arguments: list[Any], said: str) -> None:
    answer = leotrek("generate", *arguments)
    assert answer.code == 2
    assert said in answer.err


def test_validate_follows_references(
    leotrek: Leotrek, problem: PlacementProblem, tmp_path: Path
) -> None:
    save(problem, tmp_path / "problem.json", embed=False)
    assert leotrek("validate", tmp_path / "problem.json").code == 0
    for part in tmp_path.glob("?" * 64 + ".json"):
        part.unlink()
    answer = leotrek("validate", tmp_path / "problem.json")
    assert answer.code == 2
    assert "beside it" in answer.err
