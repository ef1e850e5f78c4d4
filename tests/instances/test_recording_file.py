"""Recordings in files: the same bytes however they came about."""

from __future__ import annotations

import io
import json
import pickle
import re
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.topology.small_topologies import small_continuum, state_bytes

from leotrek_opt.errors import InputError
from leotrek_opt.instances import recording_blocks
from leotrek_opt.instances.npy_members import npy_bytes
from leotrek_opt.instances.recording_file import RecordingFile, load_recording
from leotrek_opt.instances.recording_writer import FileRecorder, save_recording
from leotrek_opt.models.continuum import Continuum, TimeGrid
from leotrek_opt.models.environment import BatteryModel, Environment, ThermalModel
from leotrek_opt.models.ground_links import FibreLinks, GroundLinks
from leotrek_opt.models.inter_satellite import PlusGrid
from leotrek_opt.topology.recording import Output, Recording, Run
from leotrek_opt.topology.series import Snapshot
from leotrek_opt.topology.simulation import (
    EnvironmentPlugin,
    ResumablePlugin,
    StatePlugin,
    record,
    simulate,
)
from leotrek_opt.topology.state import SatelliteState, TopologyState

HEAT = Environment(thermal=ThermalModel(), battery=BatteryModel(initial_wh=500.0))


def limited() -> Continuum:
    return small_continuum(
        ground_relay=False,
        inter_satellite=PlusGrid(bandwidth_mbps=10_000.0),
        ground=GroundLinks(strategy="all_visible", min_elevation_deg=10.0, bandwidth_mbps=500.0),
        fibre=FibreLinks(neighbours=1, bandwidth_mbps=123.456789),
    )


def plugins() -> list[StatePlugin]:
    return [EnvironmentPlugin(HEAT)]


def run_to_file(
    path: Path, made: Continuum, *, stop_at: int | None = None, **options: object
) -> list[int]:
    """Record in a file and stop, as by Ctrl-C, before a step."""
    seen: list[int] = []

    def interrupt(result: object) -> None:
        step = result.step  # type: ignore[attr-defined]
        if step == stop_at:
            raise KeyboardInterrupt
        seen.append(step)

    recorder = FileRecorder(path, **options)  # type: ignore[arg-type]
    try:
        for _ in simulate(made, state_plugins=plugins(), post_step=[interrupt], record=recorder):
            pass
    except KeyboardInterrupt:
        assert stop_at is not None
    return seen


@pytest.mark.parametrize("make", [small_continuum, limited])
@pytest.mark.parametrize("position_type", ["float64", "float32"])
@pytest.mark.parametrize("steps_per_block", [1, 4, 6, 100, None])
def test_a_recording_in_a_file_is_the_one_in_memory(
    tmp_path: Path, make: Callable[[], Continuum], position_type: str, steps_per_block: int | None
) -> None:
    made, path = make(), tmp_path / "run.npz"
    run_to_file(path, made, position_type=position_type, steps_per_block=steps_per_block)
    assert [each.name for each in tmp_path.iterdir()] == ["run.npz"]
    expected = record(made, state_plugins=plugins(), position_type=position_type)  # type: ignore[arg-type]
    assert load_recording(path) == expected
    with RecordingFile(path) as file:
        assert file.complete
        assert file.digest == expected.digest
        assert file.steps == 6
        assert file.nodes == made.nodes
        assert [file.instant(row) for row in range(6)] == [
            expected.instant(row) for row in range(6)
        ]
        streamed = [state_bytes(state) for state in file.states()]
        assert streamed == [state_bytes(state) for state in expected.states()]
        assert state_bytes(next(file.states(3, 4))) == streamed[3]
        assert record(file, position_type=position_type) == expected  # type: ignore[arg-type]
        for row in range(6):
            mine, theirs = file.outputs(row)["environment"], expected.outputs(row)["environment"]
            assert {name: array.tobytes() for name, array in mine.items()} == {
                name: array.tobytes() for name, array in theirs.items()
            }


def test_saved_and_recorded_files_have_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    made = limited()
    run_to_file(tmp_path / "a.npz", made)
    run_to_file(tmp_path / "b.npz", made)
    save_recording(record(made, state_plugins=plugins()), tmp_path / "c.npz")
    script = (
        "import sys; from pathlib import Path;"
        "from tests.instances.test_recording_file import limited, run_to_file;"
        "run_to_file(Path(sys.argv[1]), limited())"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "d.npz")], check=True)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    assert len(list(tmp_path.iterdir())) == 4


def test_numpy_reads_the_columns(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    recording = record(limited(), state_plugins=plugins())
    save_recording(recording, path)
    with np.load(path, allow_pickle=False) as arrays:
        assert (arrays["0/position_km"] == recording.columns.position_km).all()
        assert (arrays["0/latency_ns"] == recording.columns.latency_ns).all()
        sunlit = arrays["0/output.environment.sunlit"]
    assert (sunlit == recording.columns.outputs["environment"]["sunlit"]).all()


@pytest.mark.parametrize("steps_per_block", [1, 2, 4, 100])
@pytest.mark.parametrize("stop_at", [1, 2, 3, 4, 5])
def test_an_interrupted_run_is_readable_and_goes_on_to_the_same_bytes(
    tmp_path: Path, steps_per_block: int, stop_at: int
) -> None:
    made = limited()
    whole, path = tmp_path / "whole.npz", tmp_path / "run.npz"
    run_to_file(whole, made, steps_per_block=steps_per_block)
    run_to_file(path, made, steps_per_block=steps_per_block, stop_at=stop_at)
    assert not path.exists()
    with pytest.raises(InputError, match=r"run.npz: no such file; run.npz.partial holds what an"):
        load_recording(path)
    partial = tmp_path / "run.npz.partial"
    assert load_recording(partial) == record(made, state_plugins=plugins(), stop=stop_at)
    with RecordingFile(partial) as file:
        assert not file.complete
    seen = run_to_file(path, made, steps_per_block=steps_per_block, resume=True)
    assert seen == list(range(stop_at, 6))
    assert path.read_bytes() == whole.read_bytes()
    assert not partial.exists()


def test_a_run_may_stop_and_go_on_several_times(tmp_path: Path) -> None:
    made = small_continuum()
    whole, path = tmp_path / "whole.npz", tmp_path / "run.npz"
    run_to_file(whole, made, steps_per_block=4)
    for stop_at in (1, 2, 3, 5, None):
        run_to_file(path, made, steps_per_block=4, stop_at=stop_at, resume=True)
    assert path.read_bytes() == whole.read_bytes()
    assert run_to_file(path, made, resume=True) == []
    assert path.read_bytes() == whole.read_bytes()


def test_a_complete_recording_of_some_steps_is_gone_on_with(tmp_path: Path) -> None:
    made, path = small_continuum(), tmp_path / "run.npz"
    whole = tmp_path / "whole.npz"
    run_to_file(whole, made, steps_per_block=4)
    first = FileRecorder(path, steps_per_block=4)
    assert len(list(simulate(made, state_plugins=plugins(), stop=3, record=first))) == 3
    assert load_recording(path).steps == 3
    more = FileRecorder(path, resume=True)
    steps = [each.step for each in simulate(made, state_plugins=plugins(), record=more)]
    assert steps == [3, 4, 5]
    assert path.read_bytes() == whole.read_bytes()


def test_a_run_left_in_a_with_block_is_kept(tmp_path: Path) -> None:
    made, path = small_continuum(), tmp_path / "run.npz"
    with FileRecorder(path, steps_per_block=100) as recorder:
        results = simulate(made, record=recorder)
        next(results)
        next(results)
    assert load_recording(f"{path}.partial") == record(made, stop=2)


@pytest.mark.parametrize("member", [0, 5, 18])
def test_a_block_that_was_not_written_to_its_end_is_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, member: int
) -> None:
    made, path, whole = small_continuum(), tmp_path / "run.npz", tmp_path / "whole.npz"
    run_to_file(whole, made, steps_per_block=2)
    left = member
    original = recording_blocks.write_member

    def interrupted(archive: zipfile.ZipFile, name: str, data: bytes, **options: bool) -> None:
        nonlocal left
        if name.startswith("1/"):
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
        original(archive, name, data, **options)

    results = simulate(made, state_plugins=plugins(), record=FileRecorder(path, steps_per_block=2))
    with monkeypatch.context() as patch:
        patch.setattr(recording_blocks, "write_member", interrupted)
        with pytest.raises(KeyboardInterrupt):
            list(results)
    assert load_recording(f"{path}.partial") == record(made, state_plugins=plugins(), stop=2)
    assert run_to_file(path, made, steps_per_block=2, resume=True) == [2, 3, 4, 5]
    assert path.read_bytes() == whole.read_bytes()


def test_a_new_run_replaces_what_was_left(tmp_path: Path) -> None:
    made, path = small_continuum(), tmp_path / "run.npz"
    run_to_file(path, made, stop_at=2)
    run_to_file(path, made)
    assert load_recording(path).steps == 6
    before = path.read_bytes()
    run_to_file(path, made.replace(time=TimeGrid(steps=4)), stop_at=2)
    assert path.read_bytes() == before


def test_nothing_recorded_leaves_no_file(tmp_path: Path) -> None:
    run_to_file(tmp_path / "run.npz", small_continuum(), stop_at=0)
    assert list(tmp_path.iterdir()) == []
    FileRecorder(tmp_path / "run.npz").finish(complete=True)
    with pytest.raises(InputError, match="the recording has not begun"):
        FileRecorder(tmp_path / "run.npz").add(record(small_continuum()).state(0), {})


class Memory:
    """Counts steps: by itself when it may resume, otherwise by seeing all of them."""

    name = "memory"
    outputs: ClassVar = {"seen": Output("int64", "step")}

    def __init__(self) -> None:
        self.seen = 0
        self.called: list[int] = []

    def after_step(
        self, state: TopologyState, outputs: Mapping[str, Mapping[str, np.ndarray]]
    ) -> Mapping[str, np.ndarray]:
        self.called.append(state.step)
        self.seen += 1
        return {"seen": np.int64(self.seen)}  # type: ignore[dict-item]


class Resumable(Memory):
    def resume(self, state: TopologyState, outputs: Mapping[str, np.ndarray]) -> None:
        assert state.step == 2
        self.seen = int(outputs["seen"])


@pytest.mark.parametrize(("kind", "called"), [(Memory, [0, 1, 2, 3, 4, 5]), (Resumable, [3, 4, 5])])
def test_plugins_are_brought_to_where_the_recording_ends(
    tmp_path: Path, kind: type[Memory], called: list[int]
) -> None:
    made, path = small_continuum(), tmp_path / "run.npz"
    with FileRecorder(path) as recorder:
        for result in simulate(made, state_plugins=[kind()], record=recorder):
            if result.step == 2:
                break
    plugin, after = kind(), []
    assert isinstance(plugin, ResumablePlugin) == (kind is Resumable)
    for result in simulate(
        made,
        state_plugins=[plugin],
        post_step=[lambda result: after.append(result.step)],
        record=FileRecorder(path, resume=True),
    ):
        assert result.plugin("memory")["seen"] == result.step + 1
    assert plugin.called == called
    assert after == [3, 4, 5]
    assert load_recording(path) == record(made, state_plugins=[kind()])


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"made": small_continuum(step_s=60.0)}, "continuum"),
        ({"plugins": []}, "outputs of plugins"),
        ({"position_type": "float32"}, "position_type"),
        ({"steps_per_block": 5}, "steps_per_block"),
    ],
)
def test_another_run_is_not_appended(tmp_path: Path, change: dict[str, object], what: str) -> None:
    path = tmp_path / "run.npz"
    run_to_file(path, small_continuum(), stop_at=3, steps_per_block=4)
    before = Path(f"{path}.partial").read_bytes()
    options = {key: change[key] for key in change if key not in ("made", "plugins")}
    recorder = FileRecorder(path, resume=True, **options)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=f"was recorded with other {what}; it cannot be gone on"):
        next(
            simulate(
                change.get("made", small_continuum()),  # type: ignore[arg-type]
                state_plugins=change.get("plugins", plugins()),  # type: ignore[arg-type]
                record=recorder,
            )
        )
    assert Path(f"{path}.partial").read_bytes() == before


def test_a_recording_that_ends_elsewhere_is_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    run_to_file(path, small_continuum(), stop_at=2)
    with pytest.raises(
        InputError, match=r"record: ends at 2025-06-01T00:02:00.*no step of this run"
    ):
        next(
            simulate(
                small_continuum(),
                state_plugins=plugins(),
                start=3,
                record=FileRecorder(path, resume=True),
            )
        )


def test_paths_are_checked_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        FileRecorder(tmp_path / "no" / "run.npz")
    with pytest.raises(InputError, match="is not a regular file"):
        FileRecorder(tmp_path)
    with pytest.raises(InputError, match="steps_per_block: must be in 1"):
        FileRecorder(tmp_path / "run.npz", steps_per_block=0)
    with pytest.raises(InputError, match="there is no folder"):
        save_recording(record(small_continuum()), tmp_path / "no" / "run.npz")
    with pytest.raises(InputError, match="no such file"):
        load_recording(tmp_path / "run.npz")


def test_a_large_recording_is_loaded_only_when_allowed(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    run_to_file(path, small_continuum())
    with pytest.raises(InputError, match=r"needs 1 MiB of memory, allowed are 0 \(memory_limit"):
        load_recording(path, memory_limit_mib=0)
    assert load_recording(path, memory_limit_mib=1).steps == 6


# --- hostile files ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "run.npz"
    run_to_file(path, limited(), steps_per_block=4)
    return path.read_bytes()


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive_of(parts: Mapping[str, bytes], **options: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", options.get("compression", zipfile.ZIP_DEFLATED)) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return stream.getvalue()


def refused(path: Path, data: bytes) -> str:
    """Read a file that must be refused, and only so."""
    path.write_bytes(data)
    with pytest.raises(InputError) as error:
        load_recording(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_good_file_written_anew_is_still_good(good: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path.write_bytes(archive_of(members(good), compression=compression))
        assert load_recording(path) == record(limited(), state_plugins=plugins())


def test_truncated_files_are_refused(good: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    for size in [*range(0, len(good), max(1, len(good) // 97)), len(good) - 1]:
        assert "is no readable recording" in refused(path, good[:size])


def test_a_refusal_quotes_little_of_a_damaged_file(good: bytes, tmp_path: Path) -> None:
    for match in re.finditer(rb"PK\x03\x04", good):
        # The length of the name, as the header of the member states it.
        at = match.start() + 26
        damaged = good[:at] + (len(good) // 2).to_bytes(2, "little") + good[at + 2 :]
        assert len(refused(tmp_path / "x.npz", damaged)) < 500


@given(place=st.integers(0, 10**9), mask=st.integers(1, 255))
def test_a_changed_byte_is_refused_or_changes_nothing(
    good: bytes, tmp_path_factory: pytest.TempPathFactory, place: int, mask: int
) -> None:
    data = bytearray(good)
    data[place % len(data)] ^= mask
    path = tmp_path_factory.getbasetemp() / "changed.npz"
    path.write_bytes(data)
    try:
        found = load_recording(path)
    except InputError:
        return
    # Times and modes of members in the archive mean nothing.
    assert found == expected_of(good)


_EXPECTED: dict[bytes, Recording] = {}


def expected_of(good: bytes) -> Recording:
    if good not in _EXPECTED:
        _EXPECTED[good] = record(limited(), state_plugins=plugins())
    return _EXPECTED[good]


def changed(good: bytes, name: str, data: bytes | None) -> bytes:
    parts = members(good)
    if data is None:
        del parts[name]
    else:
        parts[name] = data
    return archive_of(parts)


def header_with(good: bytes, **values: object) -> bytes:
    header = json.loads(members(good)["recording.json"])
    return changed(good, "recording.json", json.dumps(header | values).encode())


def block_with(good: bytes, **values: object) -> bytes:
    block = json.loads(members(good)["0/block.json"])
    return changed(good, "0/block.json", json.dumps(block | values).encode())


class Exploit:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("executed",)


def pickled(good: bytes) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array([Exploit()], dtype=object), allow_pickle=True)
    return changed(good, "0/step.npy", stream.getvalue())


def array_with(good: bytes, name: str, change: Callable[[np.ndarray], np.ndarray]) -> bytes:
    array = np.load(io.BytesIO(members(good)[f"{name}.npy"]))
    return changed(good, f"{name}.npy", npy_bytes(change(array)))


def element(value: object, place: int = 0) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array.reshape(-1)[place] = value
        return array

    return change


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda _: b"", "not a complete archive"),
        (lambda _: pickle.dumps(Exploit()), "not a complete archive"),
        (lambda _: archive_of({}), "it has no recording.json"),
        (lambda g: changed(g, "recording.json", b"{"), "not valid JSON"),
        (lambda g: changed(g, "recording.json", b'{"version": 1}'), "required field is missing"),
        (lambda g: header_with(g, version=2), "version: only version 1"),
        (lambda g: header_with(g, format="x"), "format: must be 'leotrek-recording'"),
        (lambda g: header_with(g, surprise=1), "surprise: unknown field"),
        (lambda g: header_with(g, steps_per_block=0), "steps_per_block: must be >= 1"),
        (lambda g: header_with(g, steps_per_block=3), "it holds too many|is not full"),
        (lambda g: header_with(g, frame="stardust"), "goes with the frame stardust"),
        (lambda g: header_with(g, relay=[True]), "relay: must have 44 entries"),
        (lambda g: header_with(g, limited=False), "block 0 is not what was recorded"),
        (
            lambda g: header_with(
                g, outputs={"p": {"o": {"dtype": "float64", "per": "node", "shape": [10**7] * 3}}}
            ),
            "must have at most",
        ),
        (
            lambda g: header_with(
                g, outputs={"../x": {"o": {"dtype": "bool", "per": "step", "shape": []}}}
            ),
            "a name must begin with a letter",
        ),
        (lambda g: changed(g, "0/block.json", None), "a block is missing"),
        (lambda g: changed(g, "0/latency_ns.npy", None), "it has no 0/latency_ns.npy"),
        (lambda g: changed(g, "end.json", b'{"steps":5,"digest":"%s"}' % (b"0" * 64)), "its end"),
        (lambda g: block_with(g, steps=99_999), "does not have the size|is not full|too many"),
        (lambda g: block_with(g, links=2**31 - 1), "MiB of memory"),
        (lambda g: block_with(g, new_links=2**31 - 1), "it holds too many links"),
        (lambda g: block_with(g, links=-1), "links: must be >= 0"),
        (lambda g: block_with(g, digest="0" * 64), "block 0 is not what was recorded"),
        (pickled, "0/step.npy"),
        (lambda g: array_with(g, "0/step", lambda a: a.astype(np.int32)), "0/step.npy"),
        (lambda g: array_with(g, "0/step", lambda a: a[:-1]), "must be <i8 of shape (4,)"),
        (lambda g: array_with(g, "0/position_km", lambda a: a.transpose(1, 0, 2)), "must be <f8"),
        (lambda g: array_with(g, "0/position_km", element(7.0)), "is not what was recorded"),
        (lambda g: array_with(g, "0/link", element(2**31 - 1)), "has an unknown link"),
        (lambda g: array_with(g, "0/link", element(-1)), "has an unknown link"),
        (lambda g: array_with(g, "0/link_count", element(-5)), "as many links as its steps"),
        (lambda g: array_with(g, "0/link_count", element(2**62)), "as many links as its steps"),
        (lambda g: array_with(g, "0/latency_ns", element(-1)), "latency_ns out of range"),
        (lambda g: array_with(g, "0/bandwidth_bps", element(2**60)), "bandwidth_bps out of range"),
        (lambda g: array_with(g, "0/new_target", element(44)), "joins no two nodes"),
        (lambda g: array_with(g, "0/new_source", element(43)), "joins no two nodes"),
        (lambda g: array_with(g, "0/new_kind", element(3)), "joins no two nodes"),
        (lambda g: array_with(g, "0/time_us", element(0, 2)), "time_us that do not increase"),
        (lambda g: array_with(g, "0/time_us", element(-(2**63))), "time_us that do not increase"),
        (lambda g: array_with(g, "1/time_us", element(0)), "not in the order of time"),
        (lambda g: array_with(g, "0/julian_day", element(np.nan)), "date that is no number"),
    ],
)
def test_hostile_files_are_refused(
    good: bytes, tmp_path: Path, spoil: Callable[[bytes], bytes], message: str
) -> None:
    found = refused(tmp_path / "x.npz", spoil(good))
    assert any(part in found for part in message.split("|")), found


def test_booleans_must_be_booleans(good: bytes, tmp_path: Path) -> None:
    data = bytearray(members(good)["0/valid.npy"])
    data[-1] = 7
    spoilt = changed(good, "0/valid.npy", bytes(data))
    assert "booleans other than 0 and 1" in refused(tmp_path / "x.npz", spoilt)


def test_names_must_not_stand_twice(good: bytes, tmp_path: Path) -> None:
    stream = io.BytesIO(good)
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("0/step.npy", b"")
    assert "a member stands twice" in refused(tmp_path / "x.npz", stream.getvalue())


def test_sizes_are_believed_only_when_they_are_there(good: bytes, tmp_path: Path) -> None:
    """A header that promises terabytes costs nothing."""
    for shape in ("(1099511627776,)", "(99999999999999999999,)", "(4, 44, 3, 1)"):
        text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
        text = text.ljust(117) + "\n"
        data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()
        tracemalloc.start()
        assert "0/position_km.npy" in refused(
            tmp_path / "x.npz", changed(good, "0/position_km.npy", data + bytes(4 * 44 * 3 * 8))
        )
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20 * 2**20


def test_a_bomb_is_not_unpacked(good: bytes, tmp_path: Path) -> None:
    bomb = bytes(66 * 2**20)
    for name in ("recording.json", "0/block.json", "0/position_km.npy"):
        data = changed(good, name, bomb)
        assert len(data) < 2**20
        tracemalloc.start()
        refused(tmp_path / "x.npz", data)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20 * 2**20


def test_a_huge_directory_is_not_read(good: bytes, tmp_path: Path) -> None:
    end = bytearray(good)
    end[-10:-6] = struct.pack("<I", 2**31)
    assert "its directory is too large" in refused(tmp_path / "x.npz", bytes(end))


# --- streaming -------------------------------------------------------------------------------


def long_run(nodes: int, steps: int) -> tuple[Run, Iterator[TopologyState]]:
    """Many steps of many nodes, made as they are asked for."""
    made = small_continuum()
    table = made.nodes
    run = Run(
        table.replace(
            id=tuple(f"s{k}" for k in range(nodes)),
            kind=("satellite",) * nodes,
            architecture=("arm64",) * nodes,
        )
    )
    first = record(made, stop=1).state(0)
    generator = np.random.default_rng(1)
    source = np.arange(nodes - 1, dtype=np.int32)

    def states() -> Iterator[TopologyState]:
        for step in range(steps):
            time = first.time.replace(hour=step // 60, minute=step % 60)
            position = generator.normal(size=(nodes, 3)) * 7000
            yield TopologyState(
                step=step,
                time=time,
                satellites=SatelliteState(
                    step, time, 2460827.5, step / 1440, position, np.ones(nodes, dtype=bool)
                ),
                position_km=position,
                links=Snapshot(
                    source, source + 1, generator.integers(1, 10**8, size=nodes - 1), None
                ),
                link_kind=np.zeros(nodes - 1, dtype=np.int8),
            )

    return run, states()


def test_writing_and_reading_keep_one_block_in_memory(tmp_path: Path) -> None:
    nodes, steps, path = 1000, 120, tmp_path / "long.npz"
    step_bytes = nodes * (24 + 12)
    run, states = long_run(nodes, steps)
    recorder = FileRecorder(path, steps_per_block=10)
    tracemalloc.start()
    recorder.begin(run)
    for state in states:
        recorder.add(state, {})
    recorder.finish(complete=True)
    written = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    with RecordingFile(path) as file:
        assert sum(len(state.links) for state in file.states()) == steps * (nodes - 1)
    read = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # All steps together would be twelve blocks.
    assert max(written, read) < 6 * 10 * step_bytes
    assert path.stat().st_size > 80 * nodes * 24
