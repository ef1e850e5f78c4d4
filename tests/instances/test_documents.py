"""Documents: what is saved is loaded again, and nothing is lost on the way."""

from __future__ import annotations

import gzip
import json
import stat
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from pydantic import Field
from tests.random_problems import random_problem

from leotrek_opt.errors import InputError
from leotrek_opt.instances import documents, kinds, writer
from leotrek_opt.instances.documents import digest, dumps, load, loads, parse, save
from leotrek_opt.instances.kinds import KINDS, DocumentKind
from leotrek_opt.models import migrations
from leotrek_opt.models.base import Identifier, StrictModel
from leotrek_opt.models.continuum import Continuum, NodeTable, TimeGrid
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.models.topology import ExplicitTopology
from leotrek_opt.models.workflow import Function, Workflow

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
DIGESTS = json.loads((GOLDEN / "digests.json").read_text())
GOLDEN_FILES = sorted(path.name for path in GOLDEN.glob("*-*.json"))


@pytest.fixture
def problem() -> PlacementProblem:
    """Return the golden placement problem; every field of it is used."""
    document = load(GOLDEN / "placement-1.json")
    assert isinstance(document, PlacementProblem)
    return document


def refusal(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        load(path)
    return caught.value


def test_a_golden_document_of_every_kind_and_version_is_kept() -> None:
    wanted = {f"{name}-{n}" for name, kind in KINDS.items() for n in range(1, kind.version + 1)}
    found = {name.removesuffix(".json") for name in GOLDEN_FILES}
    kept = {f"{name.split('-')[0]}-{name.split('-')[-1]}" for name in found}
    assert wanted <= kept


@pytest.mark.parametrize("name", GOLDEN_FILES)
def test_golden_document_still_loads(name: str) -> None:
    document = load(GOLDEN / name)
    assert document.kind == name.split("-", maxsplit=1)[0]  # type: ignore[attr-defined]
    assert loads(dumps(document)) == document


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_golden_digest_is_unchanged(name: str) -> None:
    """Results name their problem by digest: a change here orphans every result saved before."""
    assert digest(load(GOLDEN / name)) == DIGESTS[name]


@pytest.mark.parametrize("ending", [".json", ".json.gz", ".anything"])
def test_saved_document_is_loaded_again(
    tmp_path: Path, problem: PlacementProblem, ending: str
) -> None:
    path = tmp_path / f"problem{ending}"
    assert save(problem, path) == path
    assert load(path) == problem
    assert digest(load(path)) == digest(problem)
    assert [child.name for child in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("seed", range(40))
def test_random_problem_is_loaded_again(tmp_path: Path, seed: int) -> None:
    made = random_problem(seed)
    problem = made if isinstance(made, PlacementProblem) else made[0]
    save(problem, tmp_path / "problem.json")
    again = load(tmp_path / "problem.json")
    assert again == problem
    assert digest(again) == digest(problem)


def test_paths_may_be_text(tmp_path: Path, problem: PlacementProblem) -> None:
    save(problem, str(tmp_path / "problem.json"))
    assert load(str(tmp_path / "problem.json")) == problem


def test_the_same_document_gives_the_same_bytes(tmp_path: Path, problem: PlacementProblem) -> None:
    for name in ("one.json.gz", "two.json.gz"):
        save(problem, tmp_path / name)
    assert (tmp_path / "one.json.gz").read_bytes() == (tmp_path / "two.json.gz").read_bytes()


def test_text_is_readable_ascii(problem: PlacementProblem) -> None:
    text = dumps(problem.replace(label="Grün"))
    assert text.isascii()
    assert text.endswith("}\n")
    assert '\n      "kind": ["satellite", "satellite", "edge", "cloud"],\n' in text
    assert json.loads(text)["label"] == "Grün"


def test_several_documents_are_one_list(problem: PlacementProblem) -> None:
    texts = json.loads(dumps([problem, problem.continuum]))
    assert [text["kind"] for text in texts] == ["placement", "continuum"]
    assert json.loads(dumps([])) == []


def test_memory_needs_no_file(problem: PlacementProblem) -> None:
    text = dumps(problem)
    assert loads(text) == problem
    assert loads(text.encode()) == problem
    assert loads(gzip.compress(text.encode())) == problem


def test_wanted_kind_is_insisted_on(tmp_path: Path, problem: PlacementProblem) -> None:
    save(problem, tmp_path / "problem.json")
    assert load(tmp_path / "problem.json", "placement") == problem
    with pytest.raises(InputError, match='kind: must be "result" here') as caught:
        load(tmp_path / "problem.json", "result")
    assert caught.value.field == "kind"


def test_compression_is_seen_in_the_content_not_the_name(
    tmp_path: Path, problem: PlacementProblem
) -> None:
    save(problem, tmp_path / "problem.json.gz")
    (tmp_path / "problem.json.gz").rename(tmp_path / "problem.json")
    assert load(tmp_path / "problem.json") == problem


def test_gzip_of_several_members_is_read(problem: PlacementProblem) -> None:
    text = dumps(problem).encode()
    assert loads(gzip.compress(text[:100]) + gzip.compress(text[100:])) == problem


# Files


def test_old_file_stays_when_writing_fails(
    tmp_path: Path, problem: PlacementProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "problem.json"
    save(problem, path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer.os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        save(problem.replace(id="other"), path)
    assert caught.value.filename == str(path)
    assert load(path) == problem
    assert list(tmp_path.iterdir()) == [path]


def test_interrupt_leaves_no_temporary_file(
    tmp_path: Path, problem: PlacementProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writer.os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        save(problem, tmp_path / "problem.json")
    assert list(tmp_path.iterdir()) == []


def test_permissions_and_links_of_the_old_file_stay(
    tmp_path: Path, problem: PlacementProblem
) -> None:
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    save(problem, link)
    assert link.is_symlink()
    assert load(target) == problem
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_new_file_has_the_usual_permissions(tmp_path: Path, problem: PlacementProblem) -> None:
    (tmp_path / "plain").write_text("")
    save(problem, tmp_path / "problem.json")
    assert (tmp_path / "problem.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_places_that_are_no_file_are_refused(tmp_path: Path, problem: PlacementProblem) -> None:
    with pytest.raises(InputError, match="not a regular file"):
        save(problem, tmp_path)
    with pytest.raises(InputError, match="there is no folder"):
        save(problem, tmp_path / "no" / "problem.json")
    with pytest.raises(InputError, match="Function is not a document"):
        save(Function(id="a"), tmp_path / "function.json")
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    assert str(refusal(tmp_path / "no.json")) == f"{tmp_path / 'no.json'}: no such file"
    assert "cannot be read" in str(refusal(tmp_path))
    assert "cannot be read" in str(refusal(Path("a\x00b")))


def test_file_beyond_the_cap_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as stream:
        stream.truncate(64 * 2**20 + 1)
    assert "larger than 64 MiB" in str(refusal(path))


def test_document_that_could_not_be_read_back_is_not_written(
    tmp_path: Path, problem: PlacementProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_FILE_BYTES", 100)
    with pytest.raises(InputError, match=r"a name that ends in \.json\.gz allows more"):
        save(problem, tmp_path / "problem.json")
    save(problem, tmp_path / "problem.json.gz")
    assert load(tmp_path / "problem.json.gz") == problem


def test_document_that_compresses_too_well_is_still_read_back(tmp_path: Path) -> None:
    """A million equal columns look like a compression bomb; such a file is packed less tightly."""
    nodes, links = 2, 50_000
    table = NodeTable(id=("a", "b"), kind=("edge",) * 2, architecture=("arm64",) * 2, capacity={})
    flat = Continuum(
        nodes=table,
        time=TimeGrid(steps=12),
        topology=ExplicitTopology(
            source=np.zeros(links, dtype=np.int64),
            target=np.full(links, nodes - 1),
            latency_ms=np.zeros((12, links)),
        ),
    )
    path = tmp_path / "flat.json.gz"
    save(flat, path)
    assert [child.name for child in tmp_path.iterdir()] == [path.name]
    assert load(path) == flat


# Parts in files of their own


def test_parts_by_digest_are_fetched_from_the_same_folder(
    tmp_path: Path, problem: PlacementProblem
) -> None:
    path = tmp_path / "problem.json"
    save(problem, path, embed=False)
    parts = {digest(problem.continuum), *(digest(workflow) for workflow in problem.workflows)}
    assert {child.stem for child in tmp_path.iterdir()} == {"problem", *parts}
    document = json.loads(path.read_text())
    assert document["continuum"] == {"digest": digest(problem.continuum)}
    assert load(path) == problem
    assert digest(load(path)) == digest(problem)


def test_parts_may_be_compressed_and_mixed(tmp_path: Path, problem: PlacementProblem) -> None:
    save(problem.continuum, tmp_path / f"{digest(problem.continuum)}.json.gz")
    document = json.loads(dumps(problem))
    document["continuum"] = {"digest": digest(problem.continuum)}
    (tmp_path / "problem.json").write_text(json.dumps(document))
    assert load(tmp_path / "problem.json") == problem
    assert parse(json.dumps(document), folder=tmp_path) == problem


def test_part_with_other_content_is_refused(tmp_path: Path, problem: PlacementProblem) -> None:
    path = tmp_path / "problem.json"
    save(problem, path, embed=False)
    part = tmp_path / f"{digest(problem.continuum)}.json"
    save(problem.continuum.replace(label="changed"), part)
    error = refusal(path)
    assert error.file == str(part)
    assert "continuum.digest" in error.message


def test_part_of_another_kind_is_refused(tmp_path: Path, problem: PlacementProblem) -> None:
    document = json.loads(dumps(problem))
    save(problem.workflows[0], tmp_path / f"{digest(problem.workflows[0])}.json")
    document["continuum"] = {"digest": digest(problem.workflows[0])}
    (tmp_path / "problem.json").write_text(json.dumps(document))
    assert 'must be "continuum" here' in refusal(tmp_path / "problem.json").message


def test_bad_part_is_named_by_its_own_file(tmp_path: Path, problem: PlacementProblem) -> None:
    document = json.loads(dumps(problem))
    document["workflows"][1] = {"digest": "ab" * 32}
    (tmp_path / "problem.json").write_text(json.dumps(document))
    (tmp_path / f"{'ab' * 32}.json").write_text('{"kind": "workflow", "version": 1, "id": 5}')
    error = refusal(tmp_path / "problem.json")
    assert error.file == str(tmp_path / f"{'ab' * 32}.json")
    assert error.field == "id"


def test_rules_across_fetched_parts_still_hold(tmp_path: Path, problem: PlacementProblem) -> None:
    document = json.loads(dumps(problem))
    document["workflows"][0]["functions"][1]["pinned"] = "nowhere"
    save(problem.continuum, tmp_path / f"{digest(problem.continuum)}.json")
    document["continuum"] = {"digest": digest(problem.continuum)}
    (tmp_path / "problem.json").write_text(json.dumps(document))
    assert refusal(tmp_path / "problem.json").field == "workflows[0].functions[1].pinned"


def test_memory_has_no_parts(problem: PlacementProblem) -> None:
    document = json.loads(dumps(problem))
    document["continuum"] = {"digest": digest(problem.continuum)}
    with pytest.raises(InputError, match="was not read from one") as caught:
        loads(json.dumps(document))
    assert caught.value.field == "continuum.digest"


def test_part_needs_no_header(problem: PlacementProblem) -> None:
    document = json.loads(dumps(problem))
    for part in (document["continuum"], *document["workflows"]):
        del part["kind"], part["version"]
    assert loads(json.dumps(document)) == problem


# Older versions


class NewFlow(StrictModel):
    kind: Literal["flow"] = "flow"
    version: Literal[3] = 3
    id: Identifier
    size_bytes: int = 0


class NewCase(StrictModel):
    kind: Literal["case"] = "case"
    version: Literal[2] = 2
    share: float = 0.0
    flow: NewFlow
    flows: tuple[NewFlow, ...] = Field(default=())


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two kinds have moved on: ``flow`` is at 3, and ``case`` at 2 embeds it."""

    def rename(document: dict[str, Any]) -> dict[str, Any]:
        return {("id" if key == "name" else key): value for key, value in document.items()}

    def to_bytes(document: dict[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in document.items() if key != "size_kb"}
        return {**kept, "size_bytes": 1000 * document["size_kb"]}

    def percent(document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "share": document["share"] / 100}

    known = {
        "flow": DocumentKind(f"{__name__}:NewFlow", "a flow", version=3),
        "case": DocumentKind(
            f"{__name__}:NewCase", "a case", version=2, parts={"flow": "flow", "flows": "flow"}
        ),
    }
    for module in (kinds, documents, writer):
        monkeypatch.setattr(module, "KINDS", known)
    steps = {("flow", 1): rename, ("flow", 2): to_bytes, ("case", 1): percent}
    monkeypatch.setattr(migrations, "MIGRATIONS", steps)


@pytest.mark.usefixtures("later")
def test_older_document_is_brought_forward() -> None:
    old = '{"kind": "flow", "version": 1, "name": "a", "size_kb": 5}'
    assert loads(old) == NewFlow(id="a", size_bytes=5000)
    assert loads(dumps(loads(old))) == loads(old)


@pytest.mark.usefixtures("later")
def test_older_parts_are_brought_forward_whatever_the_version_around_them() -> None:
    parts = [{"name": "x", "size_kb": 1}, {"version": 2, "id": "y", "size_kb": 2}]
    old = {"kind": "case", "version": 1, "share": 12.5, "flow": parts[0], "flows": parts}
    new = {"kind": "case", "version": 2, "share": 0.125, "flow": parts[0], "flows": parts}
    flows = (NewFlow(id="x", size_bytes=1000), NewFlow(id="y", size_bytes=2000))
    wanted = NewCase(share=0.125, flow=flows[0], flows=flows)
    assert loads(json.dumps(old)) == wanted
    assert loads(json.dumps(new)) == wanted


@pytest.mark.usefixtures("later")
def test_fault_in_an_older_document_is_still_an_input_error() -> None:
    with pytest.raises(InputError, match="required field is missing"):
        loads('{"kind": "flow", "version": 1, "size_kb": 5}')
    with pytest.raises(InputError):
        loads('{"kind": "flow", "version": 1, "name": "a", "size_kb": "x"}')
    with pytest.raises(InputError, match="is no flow document of version 2"):
        loads('{"kind": "flow", "version": 1, "name": "a"}')


def test_workflow_documents_stand_alone(tmp_path: Path) -> None:
    flow = Workflow(id="flow", functions=(Function(id="a"),))
    save(flow, tmp_path / "flow.json")
    assert load(tmp_path / "flow.json", "workflow") == flow


def test_example_of_the_documentation_is_a_document() -> None:
    page = (Path(__file__).parents[2] / "docs" / "documents.md").read_text(encoding="utf-8")
    example = page.split("```json\n", maxsplit=2)[1].partition("```")[0]
    assert isinstance(loads(example), PlacementProblem)
