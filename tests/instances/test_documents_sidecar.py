"""Large arrays beside a document: exact round trip, and nothing in the archive is trusted."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leotrek_opt.errors import InputError
from leotrek_opt.instances import sidecar
from leotrek_opt.instances.documents import digest, dumps, load, loads, save
from leotrek_opt.models.columns import array_reference
from leotrek_opt.models.continuum import Continuum, NodeTable, TimeGrid
from leotrek_opt.models.topology import ExplicitTopology

LINKS, STEPS = 1_000, 400


def continuum(links: int = LINKS, steps: int = STEPS, *, seed: int = 0) -> Continuum:
    """Return a continuum whose two series have 400,000 entries each, some 11 MiB of JSON."""
    rng = np.random.default_rng(seed)
    nodes = 300
    source = rng.integers(0, nodes, links)
    return Continuum(
        nodes=NodeTable(
            id=tuple(f"n{index}" for index in range(nodes)),
            kind=("satellite",) * nodes,
            architecture=("arm64",) * nodes,
            capacity={"cpu_millis": rng.integers(0, 4000, nodes)},
        ),
        time=TimeGrid(steps=steps),
        topology=ExplicitTopology(
            source=source,
            target=(source + rng.integers(1, nodes, links)) % nodes,
            latency_ms=rng.uniform(0.1, 30, (steps, links)),
            bandwidth_mbps=np.round(rng.uniform(10, 1000, (steps, links)), 3),
        ),
    )


@pytest.fixture(scope="module")
def large() -> Continuum:
    return continuum()


@pytest.fixture(scope="module")
def saved(large: Continuum, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    save(large, folder / "large.json")
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """Return a copy of the saved document and its archive, to be spoilt."""
    shutil.copytree(saved, tmp_path, dirs_exist_ok=True)
    return tmp_path


def archive_in(folder: Path) -> Path:
    (path,) = folder.glob("*.npz")
    return path


def reference_in(folder: Path) -> dict[str, Any]:
    document = json.loads((folder / "large.json").read_text())
    found: dict[str, Any] = document["topology"]["latency_ms"]
    return found


def refusal(folder: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        load(folder / "large.json")
    assert "\n" not in str(caught.value)
    return caught.value


def rewrite(folder: Path, change: Callable[[str, bytes], bytes], **options: Any) -> None:
    """Rewrite every member of the archive."""
    path = archive_in(folder)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, change(name, content))


def edit_reference(folder: Path, **changes: Any) -> None:
    path = folder / "large.json"
    document = json.loads(path.read_text())
    document["topology"]["latency_ms"].update(changes)
    path.write_text(json.dumps(document))


def test_large_series_lies_beside_the_document(saved: Path, large: Continuum) -> None:
    archive = archive_in(saved)
    assert archive.stem == digest(large)
    assert (saved / "large.json").stat().st_size < 100_000
    reference = reference_in(saved)
    assert reference == {**array_reference(large.topology.latency_ms), "npz": digest(large)}


def test_large_series_is_loaded_again(saved: Path, large: Continuum) -> None:
    again = load(saved / "large.json")
    assert again == large
    assert digest(again) == digest(large)
    assert not again.topology.latency_ms.flags.writeable  # type: ignore[attr-defined]


def test_numpy_reads_the_archive_without_pickle(saved: Path, large: Continuum) -> None:
    with np.load(archive_in(saved), allow_pickle=False) as arrays:
        name = reference_in(saved)["array"]
        np.testing.assert_array_equal(arrays[name], large.topology.latency_ms)


def test_series_below_the_limit_stays_inside(tmp_path: Path) -> None:
    small = continuum(links=1_100, steps=100)
    save(small, tmp_path / "small.json")
    assert [path.name for path in tmp_path.iterdir()] == ["small.json"]
    assert load(tmp_path / "small.json") == small


def test_text_by_itself_holds_everything(large: Continuum) -> None:
    assert loads(dumps(large)) == large


def test_equal_bytes_of_different_types_are_kept_apart(tmp_path: Path) -> None:
    links = 2_600_000
    zeros = Continuum(
        nodes=NodeTable(
            id=("a", "b"), kind=("edge",) * 2, architecture=("arm64",) * 2, capacity={}
        ),
        topology=ExplicitTopology(
            source=np.zeros(links, dtype=np.int64),
            target=np.ones(links, dtype=np.int64),
            latency_ms=np.zeros((1, links)),
        ),
    )
    save(zeros, tmp_path / "zeros.json")
    assert load(tmp_path / "zeros.json") == zeros


def test_compressed_document_has_its_archive_too(tmp_path: Path, large: Continuum) -> None:
    save(large, tmp_path / "large.json.gz")
    assert load(tmp_path / "large.json.gz") == large


def test_overwriting_keeps_the_archive_of_other_documents(folder: Path, large: Continuum) -> None:
    save(continuum(seed=1), folder / "other.json")
    save(large.replace(label="changed"), folder / "other.json")
    assert load(folder / "large.json") == large
    assert load(folder / "other.json") == large.replace(label="changed")


def test_ordinary_compression_is_accepted(folder: Path, large: Continuum) -> None:
    rewrite(folder, lambda _, content: content, compression=zipfile.ZIP_DEFLATED)
    assert load(folder / "large.json") == large


def test_missing_archive_is_named(folder: Path) -> None:
    name = archive_in(folder).name
    archive_in(folder).unlink()
    error = refusal(folder)
    assert error.field == "topology.latency_ms"
    assert error.message.startswith(f"no file {name} beside the document")


def test_memory_has_no_archive(folder: Path) -> None:
    with pytest.raises(InputError, match="not read from a file"):
        loads((folder / "large.json").read_bytes())


def test_changed_content_is_found(folder: Path) -> None:
    def change(_: str, content: bytes) -> bytes:
        return content[:-8] + np.float64(1.0).tobytes()

    rewrite(folder, change)
    assert "does not hold what the document was saved with" in refusal(folder).message


def test_flipped_byte_is_found(folder: Path) -> None:
    path = archive_in(folder)
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    assert "is damaged" in refusal(folder).message


@pytest.mark.parametrize("keep", [0, 10, 100, 50_000, -1, -30, -200])
def test_truncated_archive_is_found(folder: Path, keep: int) -> None:
    path = archive_in(folder)
    path.write_bytes(path.read_bytes()[:keep])
    assert "is damaged" in refusal(folder).message


def test_pickle_is_never_loaded(folder: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return pytest.fail, ("a pickle was loaded",)

    reference = reference_in(folder)
    size = 8 * reference["shape"][0] * reference["shape"][1]

    def change(_: str, content: bytes) -> bytes:
        stream = io.BytesIO()
        np.save(stream, np.array([Trap()], dtype=object), allow_pickle=True)
        trap = stream.getvalue()
        return trap + b"\0" * (size + 128 - len(trap))

    assert b"pytest" in pickle.dumps(Trap())
    rewrite(folder, change)
    assert "must be <f8 of shape" in refusal(folder).message


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (
            b"{'descr': '<f8', 'fortran_order': True, 'shape': (400, 1000), }",
            "must be <f8 of shape",
        ),
        (
            b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000, 400), }",
            "must be <f8 of shape",
        ),
        (
            b"{'descr': '>f8', 'fortran_order': False, 'shape': (400, 1000), }",
            "must be <f8 of shape",
        ),
        (b"__import__('os').abort()", "not understood"),
        (b"(" * 5000, "not understood"),
    ],
)
def test_header_is_compared_not_evaluated(folder: Path, header: bytes, said: str) -> None:
    def change(_: str, content: bytes) -> bytes:
        size = len(content) - 128
        start = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
        return (start + content[128:])[: size + 4000].ljust(size + 100, b"\0")

    rewrite(folder, change)
    assert said in refusal(folder).message


def test_other_format_is_refused(folder: Path) -> None:
    rewrite(folder, lambda _, content: b"\x93NUMPY\x03\x00" + content[8:])
    assert "format 1.0" in refusal(folder).message


def test_member_of_other_size_is_refused(folder: Path) -> None:
    rewrite(folder, lambda _, content: content + b"\0" * 5000)
    assert "does not have the size of its shape" in refusal(folder).message


def test_archive_without_the_array_is_refused(folder: Path) -> None:
    with zipfile.ZipFile(archive_in(folder), "w") as archive:
        archive.writestr("other.npy", b"")
    assert "it has no" in refusal(folder).message


def test_compression_bomb_is_refused(folder: Path) -> None:
    rewrite(
        folder,
        lambda _, content: content[:128] + b"\0" * (len(content) - 128),
        compression=zipfile.ZIP_DEFLATED,
        compresslevel=9,
    )
    assert "200 times" in refusal(folder).message


def test_other_compression_is_refused(folder: Path) -> None:
    rewrite(folder, lambda _, content: content, compression=zipfile.ZIP_BZIP2)
    assert "packed in a way" in refusal(folder).message


def test_archive_with_a_huge_directory_is_refused(folder: Path) -> None:
    with zipfile.ZipFile(archive_in(folder), "a") as archive:
        for index in range(25_000):
            archive.writestr(f"{index}", b"")
    assert "directory is too large" in refusal(folder).message


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"shape": [1000, 400]}, ""),
        ({"shape": [STEPS * LINKS]}, ""),
        ({"dtype": "<i8"}, ""),
        ({"dtype": "|O"}, ".dtype"),
        ({"dtype": ["<f8"]}, ".dtype"),
        ({"shape": []}, ".shape"),
        ({"shape": [-1, 5]}, ".shape"),
        ({"shape": [True, 5]}, ".shape"),
        ({"shape": [400, 1000, 1]}, ".shape"),
        ({"shape": "400"}, ".shape"),
        ({"shape": [2**29, 2**29]}, ""),
        ({"array": "0" * 64}, ""),
        ({"array": "../../etc/passwd"}, ".array"),
        ({"npz": "../../etc/passwd"}, ".npz"),
        ({"npz": None}, ".npz"),
        ({"extra": 1}, ""),
    ],
)
def test_reference_that_is_not_as_saved_is_refused(
    folder: Path, changes: dict[str, Any], field: str
) -> None:
    edit_reference(folder, **changes)
    assert refusal(folder).field == f"topology.latency_ms{field}"


def test_arrays_of_a_document_have_a_common_budget(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One array named many times is counted many times: each is held and checked again."""
    monkeypatch.setattr(sidecar, "MAX_UNPACKED_BYTES", 8 * STEPS * LINKS + 1000)
    error = refusal(folder)
    assert error.field == "topology.bandwidth_mbps"
    assert "together" in error.message


def test_rules_hold_for_arrays_beside_the_document(tmp_path: Path, large: Continuum) -> None:
    latency = large.topology.latency_ms.copy()  # type: ignore[union-attr]
    latency[3, 5] = -1.0
    name = "ab" * 32
    reference = {**array_reference(latency), "npz": name}
    with (tmp_path / f"{name}.npz").open("wb") as stream:
        sidecar.write_arrays(stream, {reference["array"]: latency})
    document = json.loads(dumps(large))
    document["topology"]["latency_ms"] = reference
    (tmp_path / "large.json").write_text(json.dumps(document))
    assert str(refusal(tmp_path)).endswith("latency_ms[3][5]: must be >= 0 (got -1.0)")


def test_part_by_digest_brings_its_own_archive(folder: Path, large: Continuum) -> None:
    name = digest(large)
    (folder / "large.json").rename(folder / f"{name}.json")
    problem = {
        "kind": "placement",
        "version": 1,
        "continuum": {"digest": name},
        "workflows": [{"id": "w", "functions": [{"id": "f"}]}],
    }
    (folder / "problem.json").write_text(json.dumps(problem))
    assert load(folder / "problem.json").continuum == large  # type: ignore[attr-defined]
