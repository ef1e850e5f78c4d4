"""Writing Stardust's simulation states, and reading them back."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hypothesis_numpy
from tests.instances.stardust_files import document, encoded, node_state
from tests.topology.small_topologies import small_continuum

from leotrek_opt.errors import InputError
from leotrek_opt.instances import stardust_writer
from leotrek_opt.instances.recording_file import RecordingFile
from leotrek_opt.instances.recording_writer import save_recording
from leotrek_opt.instances.stardust import read_stardust_state
from leotrek_opt.instances.stardust_terms import STARDUST_GO_LINKS
from leotrek_opt.instances.stardust_writer import metres, write_stardust_state
from leotrek_opt.topology.freeze import freeze
from leotrek_opt.topology.simulation import EnvironmentPlugin, record


@pytest.mark.reference
def test_the_sample_survives_a_round_trip(reference_data: Path, tmp_path: Path) -> None:
    sample = reference_data / "topology" / "stardust_state_sample.json"
    first = read_stardust_state(sample)
    written = write_stardust_state(first, tmp_path / "again.json")
    assert read_stardust_state(written) == first
    mine, theirs = json.loads(written.read_text()), json.loads(sample.read_text())
    for key in ("StatePlugins", "Satellites", "Grounds"):
        assert mine[key] == theirs[key]
    for state, other in zip(mine["States"], theirs["States"], strict=True):
        assert state["Time"] == other["Time"]
        for node, same in zip(state["NodeStates"], other["NodeStates"], strict=True):
            assert node["Name"] == same["Name"]
            assert node["Position"] == same["Position"]


def test_what_is_written_is_what_stardust_writes(tmp_path: Path) -> None:
    path = write_stardust_state(read_stardust_state(encoded(document())), tmp_path / "s.json")
    tree = json.loads(path.read_text())
    assert list(tree) == ["StatePlugins", "Satellites", "Grounds", "Links", "States"]
    assert tree["StatePlugins"] == ["DummySun"]
    assert tree["Satellites"] == [
        {"Index": 0, "Name": "STARLINK-1", "ComputingType": 1},
        {"Index": 1, "Name": "STARLINK-2", "ComputingType": 1},
        {"Index": 2, "Name": "Sat Nr. 3", "ComputingType": 3},
    ]
    assert tree["Grounds"] == [
        {"Name": "São Paulo", "ComputingType": 2},
        {"Name": "Graz", "ComputingType": 0},
    ]
    # By first establishment; the node on the ground first.
    assert tree["Links"] == [
        {"NodeName1": "STARLINK-1", "NodeName2": "STARLINK-2"},
        {"NodeName1": "Graz", "NodeName2": "STARLINK-1"},
        {"NodeName1": "STARLINK-2", "NodeName2": "Sat Nr. 3"},
        {"NodeName1": "São Paulo", "NodeName2": "Graz"},
    ]
    # Both ends list a link.
    assert [entry["Established"] for entry in tree["States"][0]["NodeStates"]] == [
        [0, 1], [0], [], [], [1],
    ]  # fmt: skip
    assert [entry["Established"] for entry in tree["States"][1]["NodeStates"]] == [
        [0], [0, 2], [2], [3], [3],
    ]  # fmt: skip
    assert [state["Time"] for state in tree["States"]] == [
        "2025-10-01T00:00:00Z",
        "2025-10-01T00:10:00.500000Z",
        "2025-10-01T00:10:01.123456Z",
    ]
    assert tree["States"][1]["NodeStates"][1] == node_state(
        "STARLINK-2", 6660000.0, 1908000.5, 0.0, 0, 2
    )


METRES = st.floats(-1e9, 1e9, allow_subnormal=True)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    satellites, grounds = draw(st.integers(0, 4)), draw(st.integers(0, 3))
    count = satellites + grounds
    if not count:
        satellites = count = 1
    names = draw(
        st.lists(
            st.text(
                st.characters(codec="utf-8", exclude_characters="\x7f", min_codepoint=32),
                min_size=1,
                max_size=12,
            ),
            min_size=count,
            max_size=count,
            unique=True,
        )
    )  # fmt: skip
    types = draw(
        st.lists(
            st.sampled_from([0, 1, 2, 3, "None", "edge", "CLOUD"]), min_size=count, max_size=count
        )
    )
    pairs = st.lists(st.integers(0, count - 1), min_size=2, max_size=2, unique=True)
    links = draw(st.lists(pairs, max_size=8)) if count > 1 else []
    established = st.lists(st.integers(0, len(links) - 1), max_size=5) if links else st.just([])
    gaps = draw(st.lists(st.integers(1, 10**12), min_size=1, max_size=3))
    time, states = datetime(2025, 1, 1, tzinfo=UTC), []
    for gap in gaps:
        time += timedelta(microseconds=gap)
        states.append(
            {
                "Time": time.isoformat(),
                "NodeStates": [
                    node_state(name, *(draw(METRES) for _ in range(3)), *draw(established))
                    for name in names
                ],
            }
        )
    return {
        "StatePlugins": draw(st.lists(st.sampled_from(["Sun", "a b"]), max_size=2)),
        "Satellites": [
            {"Index": index, "Name": names[index], "ComputingType": types[index]}
            for index in range(satellites)
        ],
        "Grounds": [
            {"Name": names[index], "ComputingType": types[index]}
            for index in range(satellites, count)
        ],
        "Links": [{"NodeName1": names[a], "NodeName2": names[b]} for a, b in links],
        "States": states,
    }


@given(tree=documents())
def test_any_document_survives_a_round_trip(
    tree: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "round.json"
    first = read_stardust_state(encoded(tree))
    assert read_stardust_state(write_stardust_state(first, path)) == first
    limited = read_stardust_state(path, links=STARDUST_GO_LINKS)
    assert read_stardust_state(write_stardust_state(limited, path)) == first


@given(values=hypothesis_numpy.arrays(np.float64, 20, elements=st.floats(-1e9, 1e9)))
def test_metres_are_read_back_as_the_same_kilometres(values: np.ndarray) -> None:
    kilometres = values / 1000
    assert (metres(kilometres) / 1000 == kilometres).all()


def test_a_generated_topology_survives_a_round_trip(tmp_path: Path) -> None:
    made = small_continuum()
    path = write_stardust_state(made, tmp_path / "made.json")
    first = read_stardust_state(path)
    again = write_stardust_state(first, tmp_path / "again.json")
    assert read_stardust_state(again) == first
    assert again.read_bytes() == path.read_bytes()
    for mine, theirs in zip(first.states(), record(made).states(), strict=True):
        assert mine.time == theirs.time
        # Turned into Stardust's frame and back.
        assert np.abs(mine.position_km - theirs.position_km).max() < 1e-8
        assert mine.links.source.tolist() == theirs.links.source.tolist()
        assert mine.links.target.tolist() == theirs.links.target.tolist()
        assert mine.link_kind.tolist() == theirs.link_kind.tolist()
        direct = mine.link_kind < 2
        difference = mine.links.latency_ns - theirs.links.latency_ns
        assert np.abs(difference[direct]).max() <= 1
    assert first.nodes.id == made.nodes.id
    assert first.nodes.kind == made.nodes.kind


def test_every_source_of_states_gives_the_same_file(tmp_path: Path) -> None:
    made = small_continuum()
    recording = record(made, state_plugins=[EnvironmentPlugin()])
    save_recording(recording, tmp_path / "run.npz")
    files = [write_stardust_state(made, tmp_path / "a.json")]
    files.append(write_stardust_state(recording, tmp_path / "b.json"))
    with RecordingFile(tmp_path / "run.npz") as stored:
        files.append(write_stardust_state(stored, tmp_path / "c.json"))
    packed = write_stardust_state(made, tmp_path / "d.json.gz")
    contents = {file.read_bytes() for file in files} | {gzip.decompress(packed.read_bytes())}
    assert len(contents) == 1
    assert json.loads(contents.pop())["StatePlugins"] == []
    imported = read_stardust_state(files[0])
    save_recording(imported, tmp_path / "imported.npz")
    with RecordingFile(tmp_path / "imported.npz") as stored:
        again = write_stardust_state(stored, tmp_path / "e.json")
    assert again.read_bytes() == files[0].read_bytes()
    before = packed.read_bytes()
    assert write_stardust_state(made, tmp_path / "d.json.gz").read_bytes() == before


def test_nodes_without_position_are_refused_or_left_out(tmp_path: Path) -> None:
    frozen = freeze(small_continuum())
    series = frozen.positions[0]
    known = series.node != 7
    parts = {"node": series.node[known]} | {
        name: getattr(series, name)[:, known]
        for name in ("latitude_deg", "longitude_deg", "altitude_km")
    }
    made = frozen.replace(positions=(series.replace(**parts), *frozen.positions[1:]))
    path = tmp_path / "s.json"
    with pytest.raises(InputError, match=r's.json: States\[0\]: "n7" has no position'):
        write_stardust_state(made, path)
    assert list(tmp_path.iterdir()) == []
    kept = read_stardust_state(write_stardust_state(made, path, leave_out_unknown=True))
    assert "n7" not in kept.nodes.id
    assert len(kept.nodes) == 43
    whole, without = record(frozen).state(3).links, kept.state(3).links
    ends = [
        (frozen.nodes.id[a], frozen.nodes.id[b])
        for a, b in zip(whole.source.tolist(), whole.target.tolist(), strict=True)
        if 7 not in (a, b)
    ]
    assert ends == [
        (kept.nodes.id[a], kept.nodes.id[b])
        for a, b in zip(without.source.tolist(), without.target.tolist(), strict=True)
    ]
    with pytest.raises(InputError, match="no node has a position at every step"):
        write_stardust_state(made.replace(positions=()), path, leave_out_unknown=True)


def test_equal_labels_give_way_to_identifiers(tmp_path: Path) -> None:
    made = small_continuum(steps=1)
    same = made.replace(nodes=made.nodes.replace(label=("a",) * 44))
    tree = json.loads(write_stardust_state(same, tmp_path / "s.json").read_text())
    assert tree["Satellites"][3]["Name"] == "n3"
    partly = made.replace(nodes=made.nodes.replace(label=("Erste", *("",) * 43)))
    tree = json.loads(write_stardust_state(partly, tmp_path / "s.json").read_text())
    assert [entry["Name"] for entry in tree["Satellites"][:2]] == ["Erste", "n1"]


def test_files_that_could_not_be_read_back_are_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stardust_writer, "MAX_FILE_BYTES", 2**14)
    with pytest.raises(InputError, match=r"would be larger than .* ending in .gz allows more"):
        write_stardust_state(small_continuum(), tmp_path / "s.json")
    assert list(tmp_path.iterdir()) == []
    assert write_stardust_state(small_continuum(), tmp_path / "s.json.gz").exists()
    with pytest.raises(InputError, match="there is no folder"):
        write_stardust_state(small_continuum(), tmp_path / "no" / "s.json")
