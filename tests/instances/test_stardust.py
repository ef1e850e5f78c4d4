"""Reading Stardust's simulation states."""

from __future__ import annotations

import gzip
import json
import math
import random
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.instances.stardust_files import document, encoded

from leotrek_opt.errors import InputError
from leotrek_opt.instances.stardust import read_stardust_state
from leotrek_opt.instances.stardust_terms import (
    STARDUST_CSHARP_LINKS,
    STARDUST_GO_LINKS,
    Computing,
    StardustLinks,
)
from leotrek_opt.models.continuum import CPU, MEMORY
from leotrek_opt.topology.materialise import materialise
from leotrek_opt.topology.positions import positions
from leotrek_opt.topology.recording import Recording
from leotrek_opt.topology.recording.layout import EARTH_ROTATION_RAD_S

LIGHT_KM_S = 299_792.458


def links_of(recording: Recording, row: int) -> dict[tuple[int, int], tuple[int, int]]:
    """Kind and latency of every link by its ends."""
    state = recording.state(row)
    return {
        (source, target): (kind, latency)
        for source, target, kind, latency in zip(
            state.links.source.tolist(),
            state.links.target.tolist(),
            state.link_kind.tolist(),
            state.links.latency_ns.tolist(),
            strict=True,
        )
    }


def nanoseconds(length_km: float, speed_km_s: float = LIGHT_KM_S) -> int:
    return round(length_km / speed_km_s * 1e9)


@pytest.mark.reference
def test_the_sample_is_read(reference_data: Path) -> None:
    recording = read_stardust_state(reference_data / "topology" / "stardust_state_sample.json")
    assert recording.nodes.id == ("SAT-A", "SAT-B", "SAT-C", "Graz")
    assert recording.nodes.kind == ("satellite",) * 3 + ("cloud",)
    assert recording.nodes.capacity[CPU].tolist() == [512_000] * 3 + [1_024_000]
    assert recording.nodes.capacity[MEMORY].tolist() == [4096] * 3 + [32_768]
    assert recording.instant(1) - recording.instant(0) == timedelta(minutes=10)
    first, second = links_of(recording, 0), links_of(recording, 1)
    assert {pair: kind for pair, (kind, _) in first.items()} == {(0, 1): 0, (0, 3): 1, (1, 2): 0}
    assert {pair: kind for pair, (kind, _) in second.items()} == {(0, 1): 0, (1, 2): 0, (1, 3): 1}
    assert first[0, 3][1] == nanoseconds(550.0)
    assert first[0, 1][1] == nanoseconds(math.hypot(6928.137 - 6660.0, 1908.0))
    series = materialise(recording.continuum())
    assert list(zip(series.source.tolist(), series.target.tolist(), strict=True)) == [
        (0, 1), (0, 3), (1, 2), (1, 3),
    ]  # fmt: skip
    assert series.snapshot(1).latency_ns.tolist() == [latency for _, latency in second.values()]


def test_nodes_keep_their_names_and_get_identifiers() -> None:
    nodes = read_stardust_state(encoded(document())).nodes
    assert nodes.id[:3] == ("STARLINK-1", "STARLINK-2", "Sat-Nr.-3")
    assert nodes.id[4] == "Graz"
    assert nodes.label == ("STARLINK-1", "STARLINK-2", "Sat Nr. 3", "São Paulo", "Graz")
    assert nodes.kind == ("satellite", "satellite", "satellite", "cloud", "ground_station")
    assert nodes.architecture == ("arm64",) * 3 + ("x86_64",) * 2
    assert nodes.capacity[CPU].tolist() == [512_000, 512_000, 0, 1_024_000, 0]


def test_computing_follows_the_configuration() -> None:
    computing = {1: Computing(4, 100), 3: Computing(7, 0)}
    nodes = read_stardust_state(encoded(document()), computing=computing).nodes
    assert nodes.capacity[CPU].tolist() == [4000, 4000, 7000, 0, 0]
    assert nodes.capacity[MEMORY].tolist() == [100, 100, 0, 0, 0]


def test_a_link_is_up_if_any_node_lists_it() -> None:
    recording = read_stardust_state(encoded(document()))
    assert {pair: kind for pair, (kind, _) in links_of(recording, 0).items()} == {
        (0, 1): 0, (0, 4): 1,
    }  # fmt: skip
    assert {pair: kind for pair, (kind, _) in links_of(recording, 1).items()} == {
        (0, 1): 0, (1, 2): 0, (3, 4): 2,
    }  # fmt: skip
    assert links_of(recording, 2) == {}


def test_instants_may_have_any_zone_and_precision() -> None:
    recording = read_stardust_state(encoded(document()))
    start = datetime(2025, 10, 1, tzinfo=UTC)
    assert [recording.instant(row) - start for row in range(3)] == [
        timedelta(0),
        timedelta(minutes=10, milliseconds=500),
        timedelta(minutes=10, seconds=1, microseconds=123456),
    ]


def test_latency_follows_from_positions_and_the_named_speeds() -> None:
    length = math.sqrt((6928.137 - 6660.0) ** 2 + 1908.0**2 + 0.0001**2)
    for links, space, ground in (
        (StardustLinks(), 1.0, 1.0),
        (STARDUST_GO_LINKS, 0.99 * 299_792 / LIGHT_KM_S, 0.99 * 299_792 / LIGHT_KM_S),
        (STARDUST_CSHARP_LINKS, 0.99 * 299_792 / LIGHT_KM_S, 0.98 * 299_792 / LIGHT_KM_S),
    ):
        found = links_of(read_stardust_state(encoded(document()), links=links), 0)
        assert found[0, 1][1] == nanoseconds(length, space * LIGHT_KM_S)
        assert found[0, 4][1] == nanoseconds(550.0, ground * LIGHT_KM_S)


def test_bandwidth_is_unlimited_or_by_the_kind_of_link() -> None:
    assert read_stardust_state(encoded(document())).state(0).links.bandwidth_bps is None
    limited = read_stardust_state(encoded(document()), links=STARDUST_GO_LINKS)
    bandwidth = limited.state(1).links.bandwidth_bps
    assert bandwidth is not None
    assert bandwidth.tolist() == [200 * 10**9, 200 * 10**9, 500 * 10**6]
    with pytest.raises(InputError, match="ground_bandwidth_mbps: give both bandwidths, or none"):
        StardustLinks(inter_satellite_bandwidth_mbps=5.0)
    with pytest.raises(InputError, match="ground_speed_km_s: must be in 1000"):
        StardustLinks(ground_speed_km_s=0.0)


def test_positions_are_turned_back_to_the_earth() -> None:
    """A station that Stardust rotates stands still."""
    tree = document()
    start = datetime(2025, 10, 1, tzinfo=UTC)
    stationary = 6378137.0 * np.array([math.cos(0.3), math.sin(0.3)])
    for state, seconds in zip(tree["States"], (0.0, 600.5, 601.123456), strict=True):
        angle = EARTH_ROTATION_RAD_S * seconds
        x, y = stationary
        for entry in state["NodeStates"]:
            if entry["Name"] == "Graz":
                entry["Position"]["X"] = x * math.cos(angle) - y * math.sin(angle)
                entry["Position"]["Y"] = x * math.sin(angle) + y * math.cos(angle)
    recording = read_stardust_state(encoded(tree))
    for row in range(3):
        where = positions(recording.continuum(), row)
        assert where.longitude_deg[4] == pytest.approx(math.degrees(0.3), abs=1e-9)
        assert where.latitude_deg[4] == 0
    earlier = read_stardust_state(encoded(tree), start=start - timedelta(seconds=60))
    shift = math.degrees(EARTH_ROTATION_RAD_S * 60)
    where = positions(earlier.continuum(), 0)
    assert where.longitude_deg[4] == pytest.approx(math.degrees(0.3) - shift, abs=1e-9)
    assert (earlier.recorded_km(1) == recording.recorded_km(1)).all()


def test_order_of_keys_and_nulls_do_not_matter() -> None:
    tree = document()
    tree["States"] = tree["States"][2:]
    for entry in tree["States"][0]["NodeStates"]:
        entry["Established"] = None
    tree["StatePlugins"] = tree["Links"] = None
    expected = read_stardust_state(encoded(tree))
    assert expected.steps == 1
    for order in (
        sorted(tree),
        sorted(tree, reverse=True),
        ["States", *sorted(set(tree) - {"States"})],
    ):
        assert read_stardust_state(encoded({key: tree[key] for key in order})) == expected
    full = document()
    backwards = {key: full[key] for key in reversed(full)}
    assert next(iter(backwards)) == "States"
    assert read_stardust_state(encoded(backwards)) == read_stardust_state(encoded(full))


def test_what_the_format_does_not_have_is_passed_over() -> None:
    tree = document() | {"Version": 3, "More": [1, {"a": 2}]}
    tree["Satellites"][0]["Mass"] = 260
    assert read_stardust_state(encoded(tree)) == read_stardust_state(encoded(document()))


def test_files_may_be_compressed(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(gzip.compress(encoded(document())))
    assert read_stardust_state(path) == read_stardust_state(encoded(document()))
    with pytest.raises(InputError, match=r"no.json: no such file"):
        read_stardust_state(tmp_path / "no.json")


def test_the_binary_format_is_refused_by_name(tmp_path: Path) -> None:
    gob = b"s\xff\x81\x03\x01\x01\x12SimulationMetadata\x01\xff\x82\x00\x01\x05\x01\x0cStatePlugins"
    path = tmp_path / "state.gob"
    path.write_bytes(gob)
    with pytest.raises(InputError, match=r"state.gob: is in Go's binary format; give the .json"):
        read_stardust_state(path)


def put(*path: str | int, value: object) -> Callable[[dict[str, Any]], None]:
    def change(tree: Any) -> None:
        for part in path[:-1]:
            tree = tree[part]
        tree[path[-1]] = value

    return change


def drop(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(tree: Any) -> None:
        for part in path[:-1]:
            tree = tree[part]
        del tree[path[-1]]

    return change


NODE = ("States", 1, "NodeStates", 2)
AT = r"States\[1\]\.NodeStates\[2\]"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *(
            (drop(key), f"^{key}: required field is missing$")
            for key in ("StatePlugins", "Satellites", "Grounds", "Links", "States")
        ),
        (drop("Satellites", 1, "Name"), r"^Satellites\[1\]\.Name: required field is missing"),
        (drop("Satellites", 1, "Index"), r"^Satellites\[1\]\.Index: required"),
        (drop("Grounds", 0, "ComputingType"), r"^Grounds\[0\]\.ComputingType: required"),
        (drop("Links", 0, "NodeName2"), r"^Links\[0\]\.NodeName2: required"),
        (drop("States", 1, "Time"), r"^States\[1\]\.Time: required"),
        (drop("States", 1, "NodeStates"), r"^States\[1\]\.NodeStates: required"),
        (drop(*NODE, "Name"), f"^{AT}.Name: required"),
        (drop(*NODE, "Position"), f"^{AT}.Position: required"),
        (drop(*NODE, "Position", "Z"), f"^{AT}.Position.Z: required"),
        (drop(*NODE, "Established"), f"^{AT}.Established: required"),
        (put("Satellites", value={}), "^Satellites: must be a list"),
        (put("Satellites", 0, value=5), r"^Satellites\[0\]: must be an object"),
        (put("Satellites", 0, "Index", value=-1), r"^Satellites\[0\]\.Index: must be an index"),
        (put("Satellites", 0, "Index", value=True), r"^Satellites\[0\]\.Index: must be an index"),
        (put("Satellites", 2, "Name", value="STARLINK-1"), r'^Satellites\[2\]\.Name: duplicate'),
        (put("Grounds", 0, "Name", value="STARLINK-1"), r'^Grounds\[0\]\.Name: duplicate node'),
        (put("Grounds", 0, "Name", value=""), r"^Grounds\[0\]\.Name: must be 1 to 256 printable"),
        (put("Grounds", 0, "Name", value="a\nb"), r"^Grounds\[0\]\.Name: must be 1 to 256 print"),
        (put("Grounds", 0, "Name", value="\ud800"), r"^Grounds\[0\]\.Name: must be 1 to 256 print"),
        (put("Grounds", 0, "Name", value=None), r"^Grounds\[0\]\.Name: must be 1 to 256 printable"),
        (
            put("Grounds", 0, "ComputingType", value="Egde"),
            r'^Grounds\[0\]\.ComputingType: no kind of computing "Egde" \(did you mean "Edge"\?\)',
        ),
        (put("Grounds", 0, "ComputingType", value=4), r"ComputingType: must be one of None, Edge"),
        (put("Grounds", 0, "ComputingType", value=True), r"ComputingType: must be one of None"),
        (put("Grounds", 0, "ComputingType", value=1.0), r"ComputingType: must be one of None"),
        (
            put("Links", 0, "NodeName1", value="STARLINK-9"),
            r'^Links\[0\]\.NodeName1: no node "STARLINK-9" \(did you mean "STARLINK-',
        ),
        (put("Links", 0, "NodeName1", value=3), r"^Links\[0\]\.NodeName1: no node 3"),
        (put("Links", 1, "NodeName2", value="Graz"), r"^Links\[1\]\.NodeName2: a link must join"),
        (put("States", value=[]), "^States: must have at least one state"),
        (put("States", value={"a": 1}), "^States: must be a list"),
        (put("States", 0, value=None), r"^States\[0\]: must be an object"),
        (put("States", 1, "Time", value="2025-10-01"), r"^States\[1\]\.Time: must be an instant"),
        (put("States", 1, "Time", value="2025-10-01T00:10:00"), r"Time: must be an instant"),
        (put("States", 1, "Time", value=1759276800), r"Time: must be an instant"),
        (put("States", 1, "Time", value="2025-13-01T00:00:00Z"), r"Time: is no instant of the cal"),
        (put("States", 1, "Time", value="0001-01-01T00:00:00+01:00"), r"Time: is no instant of"),
        (put("States", 1, "Time", value="2025-10-01T00:10:00+99:00"), r"Time: is no instant of"),
        (put("States", 1, "Time", value="2025-10-01T00:00:00Z"), r"^States\[1\]\.Time: must be la"),
        (put("States", 1, "NodeStates", value=None), r"^States\[1\]\.NodeStates: must be a list"),
        (put(*NODE, value=3), f"^{AT}: must be an object"),
        (put(*NODE, "Name", value="Sat Nr. 4"), f'^{AT}.Name: no node "Sat Nr. 4" .did you mean'),
        (put(*NODE, "Name", value="Graz"), r"^States\[1\]\.NodeStates\[4\]\.Name: duplicate node"),
        (drop(*NODE), r'^States\[1\]\.NodeStates: node "Sat Nr. 3" is missing'),
        (put(*NODE, "Position", value=[1, 2, 3]), f"^{AT}.Position: must be an object"),
        (put(*NODE, "Position", "Y", value="1"), f"^{AT}.Position.Y: must be metres within 1e"),
        (put(*NODE, "Position", "Y", value=True), f"^{AT}.Position.Y: must be metres"),
        (put(*NODE, "Position", "Y", value=math.nan), f"^{AT}.Position.Y: must be metres"),
        (put(*NODE, "Position", "Y", value=-math.inf), f"^{AT}.Position.Y: must be metres"),
        (put(*NODE, "Position", "Y", value=1.1e9), f"^{AT}.Position.Y: must be metres"),
        (put(*NODE, "Position", "Y", value=10**400), f"^{AT}.Position.Y: must be metres"),
        (put(*NODE, "Established", value=5), f"^{AT}.Established: must be a list"),
        (put(*NODE, "Established", value="ab"), f"^{AT}.Established: must be a list"),
        (put(*NODE, "Established", value=[0, 5]), rf"^{AT}.Established\[1\]: must be the index of"),
        (put(*NODE, "Established", value=[-1]), rf"^{AT}.Established\[0\]: must be the index of"),
        (put(*NODE, "Established", value=[1.0]), rf"^{AT}.Established\[0\]: must be the index of"),
        (put(*NODE, "Established", value=[10**30]), rf"^{AT}.Established\[0\]: must be the index"),
        (put("StatePlugins", value=[3]), r"^StatePlugins\[0\]: must be 1 to 256 printable"),
    ],
)  # fmt: skip
def test_faults_are_named(change: Callable[[dict[str, Any]], None], message: str) -> None:
    tree = document()
    change(tree)
    with pytest.raises(InputError, match=message) as error:
        read_stardust_state(encoded(tree))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"[]", "must be an object"),
        (b"{", "the document ends early"),
        (b'{"States":[', "the document ends early"),
        (b'{"States":[1,]}', "is not valid JSON at line 1, column"),
        (b'{"States" 1}', "expecting ':' after a key"),
        (b'{"Links":[],"Links":[]}', "^Links: duplicate key"),
        (b'{"Links":[{"a":1,"a":2}]}', r"Links\[0\].a: duplicate key"),
        (encoded(document()) + b"x", "extra data"),
        (b'{"Links":' + b"[" * 100_000, "nested deeper|not valid JSON"),
        (b'{"Links":' + b"9" * 5000 + b"}", "5000 digits is out of range"),
        (b"\xff\xfe{}", "UTF-16"),
        (b"\x1f\x8b123", "damaged gzip"),
        (b'{"a":"\xff"}', "is not UTF-8"),
        (b'{"Satellites":null,"Grounds":[],"Links":[],"StatePlugins":[],"States":[{"Time":'
         b'"2025-10-01T00:00:00Z","NodeStates":[]}]}', "Satellites: there must be 1"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        read_stardust_state(data)
    assert "\n" not in str(error.value)


def test_mutated_documents_are_read_or_refused() -> None:
    good = encoded(document())
    chance = random.Random(7)
    refused, lines = 0, set[int]()
    for _ in range(3000):
        data = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(data))
            action = chance.randrange(4)
            if action == 0:
                data[place] = chance.randrange(256)
            elif action == 1:
                del data[place : place + chance.randint(1, 40)]
            elif action == 2:
                data[place:place] = data[: chance.randint(1, 60)]
            else:
                data[place : place + 1] = chance.choice(
                    (b"null", b"[]", b"{}", b"-1", b"1e999", b"NaN", b'"', b"true", b"\\ud800")
                )
        try:
            assert read_stardust_state(bytes(data)).steps >= 1
        except InputError as error:
            refused += 1
            lines.add(str(error).count("\n"))
    assert lines == {0}
    assert 1500 < refused < 3000


def test_states_are_read_one_at_a_time() -> None:
    """What is kept of a state is far smaller than its decoded text."""
    tree = document()
    one = {**tree["States"][2], "NodeStates": list(tree["States"][2]["NodeStates"])}
    names = [f"S{k}" for k in range(500)]
    tree["Satellites"] += [
        {"Index": 3 + k, "Name": name, "ComputingType": 1} for k, name in enumerate(names)
    ]
    one["NodeStates"] += [
        {"Name": name, "Position": {"X": 1e6, "Y": 0, "Z": 0}, "Established": []} for name in names
    ]
    tree["States"] = [
        {**one, "Time": f"2025-10-01T00:00:{second:02}Z"} for second in range(40)
    ]  # fmt: skip
    text = json.dumps(tree).encode()
    del tree
    tracemalloc.start()
    recording = read_stardust_state(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    kept = recording.columns.position_km.nbytes
    # The text itself, what is kept twice while it is put together, and two decoded states.
    assert peak < len(text) + 3 * kept + 2 * 2**20
