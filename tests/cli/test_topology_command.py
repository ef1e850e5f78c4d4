"""``leotrek topology``: what is printed, what is written, and how each mistake is met."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli.conftest import GOLDEN, Said
from tests.topology.contacts.scenes import element_table

from leotrek_opt.instances.constellation_continuum import constellation_continuum
from leotrek_opt.instances.documents import load
from leotrek_opt.instances.recording_file import load_recording
from leotrek_opt.instances.tle import read_tle, write_tle
from leotrek_opt.models.continuum import Continuum
from leotrek_opt.topology.contacts.windows import contact_windows
from leotrek_opt.topology.generated import topology_generator
from leotrek_opt.topology.materialise import materialise
from leotrek_opt.topology.routes.alternatives import shortest_routes

Leotrek = Callable[..., Said]

DESIGN = "86.4:66/6/2@780,star"
GROUND = "name,lat_deg,lon_deg\nVienna,48.2,16.4\nSão Paulo,-23.5,-46.6\nNairobi,-1.3,36.8\n"


@pytest.fixture
def ground(tmp_path: Path) -> Path:
    """Return a file with three ground nodes."""
    path = tmp_path / "ground.csv"
    path.write_text(GROUND, encoding="utf-8")
    return path


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """Return a file of element sets: 24 satellites in 4 planes, one that decays, one damaged."""
    rows = [
        {"raan_deg": 90.0 * plane, "mean_anomaly_deg": 60.0 * slot + 15.0 * plane}
        for plane in range(4)
        for slot in range(6)
    ]
    rows.append({"mean_motion_rev_per_day": 16.3, "bstar": 0.02})
    path = tmp_path / "sets.tle"
    write_tle(element_table(rows), path)
    lines = path.read_text().splitlines()
    lines[4] = lines[4][:68] + "7"
    path.write_text("\n".join(lines) + "\n")
    return path


def document(answer: Said) -> dict[str, Any]:
    """Return what was printed, which must be one JSON document with nothing beside it."""
    assert (answer.code, answer.err) == (0, "")
    found: dict[str, Any] = json.loads(answer.out)
    return found


def rows(answer: Said) -> list[dict[str, str]]:
    assert answer.code == 0
    return list(csv.DictReader(io.StringIO(answer.out)))


def refusal(answer: Said) -> str:
    """Return the one line of an error, without traceback or output."""
    assert (answer.code, answer.out) == (2, "")
    (line,) = answer.err.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


def iridium_like(ground: Path, **more: Any) -> Continuum:
    from leotrek_opt.instances.topology_source import SourceOptions, topology_source

    return topology_source(DESIGN, SourceOptions(ground=ground, **more)).continuum


def test_a_design_is_described(leotrek: Leotrek, ground: Path) -> None:
    found = document(
        leotrek("topology", "describe", DESIGN, "--ground", ground, "--steps", 4, "--format",
                "json")
    )  # fmt: skip
    assert found["nodes"] == {"satellite": 66, "ground_station": 3}
    assert found["steps"] == 4
    assert found["start"] == "2025-01-01T00:00:00+00:00"
    (shell,) = found["shells"]
    assert (shell["planes"], shell["satellites"], shell["pattern"]) == (6, 66, "star")
    assert shell["phasing"] == 2
    kinds = {kind["kind"]: kind for kind in found["kinds"]}
    assert kinds["inter_satellite"]["links"]["mean"] == 121
    assert kinds["terrestrial"]["links"]["greatest"] == 0
    series = materialise(iridium_like(ground, steps=4))
    between = series.target < 66
    assert kinds["inter_satellite"]["latency_ms"]["greatest"] == (
        series.latency_ns[:, between].max() / 1e6
    )
    assert [step["links"][1] for step in found["per_step"]] == [
        int((~between & series.up[step]).sum())  # type: ignore[index]
        for step in range(4)
    ]
    assert 770 < found["altitude_km"]["least"] < found["altitude_km"]["greatest"] < 820
    assert found["conventions"]["propagator"] == {
        "type": "sgp4",
        "gravity": "wgs72",
        "mode": "improved",
    }


def test_every_form_of_a_description_says_the_same(leotrek: Leotrek, ground: Path) -> None:
    given = ("topology", "describe", DESIGN, "--ground", ground, "--steps", 3)
    found = document(leotrek(*given, "--format", "json"))
    table = leotrek(*given).out
    listed = rows(leotrek(*given, "--format", "csv"))
    assert len(listed) == 3
    for row, step in zip(listed, found["per_step"], strict=True):
        assert row["time"] == step["time"]
        assert int(row["ground_links"]) == step["links"][1]
        assert float(row["inter_satellite_latency_ms"]) == step["latency_ms"][0]
        assert int(row["components"]) == step["components"]
    assert "66 satellites, 3 ground stations" in table
    assert "86.40" in table


def test_a_catalogue_is_described_with_its_faults(leotrek: Leotrek, catalogue: Path) -> None:
    given = ("topology", "describe", catalogue, "--start", "2025-06-02T00:00:00Z")
    found = document(leotrek(*given, "--format", "json"))
    (record,) = found["elements"]["quarantined"]
    assert record["line"] == 5
    assert found["elements"]["satellites"] == found["nodes"]["satellite"] == 24
    assert found["epoch_age_days"]["mean"] == pytest.approx(1.0)
    assert [lost["node"] for lost in found["lost"]] == ["SAT-24"]
    assert found["per_step"][0]["masked_satellites"] == 1
    (shell,) = found["shells"]
    assert (shell["satellites"], shell["planes"]) == (23, 4)
    table = leotrek(*given).out
    assert "1 record set aside" in table
    assert "line 5: " in table
    assert "SAT-24: the mean eccentricity leaves" in table


def test_old_elements_are_warned_of_in_one_line(leotrek: Leotrek, catalogue: Path) -> None:
    answer = leotrek("topology", "describe", catalogue, "--start", "2025-07-01T00:00:00Z")
    assert answer.code == 0
    (line,) = answer.err.splitlines()
    assert line.startswith("warning: step 0 is 30.0 days from the epoch")


def test_a_preset_comes_with_its_sources(leotrek: Leotrek) -> None:
    found = document(leotrek("topology", "describe", "iridium", "--format", "json"))
    assert found["preset"]["sources"]
    assert found["nodes"] == {"satellite": 66}
    table = leotrek("topology", "describe", "iridium").out
    assert "source: " in table
    assert "Iridium NEXT" in table
    named = {row["name"] for row in rows(leotrek("topology", "presets", "--format", "csv"))}
    assert {"iridium", "kuiper", "starlink-gen1"} <= named
    listed = leotrek("topology", "presets", "--format", "json")
    assert {row["name"] for row in json.loads(listed.out)} == named
    assert "kuiper" in leotrek("topology", "presets").out


def test_documents_are_described(leotrek: Leotrek) -> None:
    for name in ("placement-1.json", "continuum-explicit-1.json", "continuum-generated-1.json"):
        found = document(leotrek("topology", "describe", GOLDEN / name, "--format", "json"))
        assert found["kind"] == "document"
        assert sum(found["nodes"].values()) >= 4
    assert leotrek("topology", "describe", GOLDEN / "continuum-explicit-1.json").code == 0


def test_windows_are_those_of_the_library(leotrek: Leotrek, ground: Path) -> None:
    given = ("topology", "windows", DESIGN, "--ground", ground, "--mask", 10, "--span", 7200)
    expected = contact_windows(iridium_like(ground, min_elevation_deg=10.0), end_s=7200.0).by_time()
    found = document(leotrek(*given, "--format", "json"))
    assert found["count"] == len(found["windows"]) == len(expected) > 50
    assert [window["aos_s"] for window in found["windows"]] == np.round(expected.aos_s, 4).tolist()
    first = found["windows"][-1]
    assert first["station"] in ("Vienna", "São Paulo", "Nairobi")
    assert first["aos"].startswith("2025-01-01T0")
    listed = rows(leotrek(*given, "--format", "csv"))
    assert [float(row["los_s"]) for row in listed] == np.round(expected.los_s, 4).tolist()
    table = leotrek(*given).out.splitlines()
    assert len(table) == len(expected) + 1


def test_windows_stay_within_the_calendar(leotrek: Leotrek, ground: Path) -> None:
    given = ("topology", "windows", DESIGN, "--ground", ground, "--start", "9999-12-31T12:00:00Z")
    assert refusal(leotrek(*given)).startswith("--span: 86400 s after 9999-12-31T12:00:00Z")
    assert leotrek(*given, "--span", 3600).code == 0
    assert refusal(leotrek(*given, "--span", 0)) == "--span: must be greater than 0, got 0"


def test_windows_warn_of_old_elements(leotrek: Leotrek, ground: Path, catalogue: Path) -> None:
    given = ("topology", "windows", catalogue, "--ground", ground, "--start")
    old = leotrek(*given, "2025-02-01T00:00:00Z", "--span", 600)
    (line,) = old.err.splitlines()
    assert line.startswith("warning: step ")
    assert "days from the epoch" in line


def test_windows_of_some_nodes(leotrek: Leotrek, ground: Path) -> None:
    given = ("topology", "windows", DESIGN, "--ground", ground, "--format", "csv")
    some = rows(leotrek(*given, "--station", "São Paulo", "--satellite", "sat-2-3"))
    assert {(row["station"], row["satellite"]) for row in some} == {("São Paulo", "sat-2-3")}
    both = rows(leotrek(*given, "--station", "Vienna", "--station", "Nairobi", "--span", 900))
    assert {row["station"] for row in both} == {"Vienna", "Nairobi"}


def test_routes_are_those_of_the_library(leotrek: Leotrek, ground: Path) -> None:
    given = ("topology", "routes", DESIGN, "--ground", ground, "--mask", 5, "--steps", 3,
             "--from", "Vienna", "--to", "Nairobi")  # fmt: skip
    found = document(leotrek(*given, "--k", 4, "--format", "json"))
    made = iridium_like(ground, min_elevation_deg=5.0, steps=3)
    generator = topology_generator(made)
    assert len(found["steps"]) == 3
    for step, state in zip(found["steps"], generator.states(), strict=True):
        expected = shortest_routes(generator.graph(state), 66, 68, 4)
        assert [route["latency_ms"] for route in step["routes"]] == [
            route.latency_ns / 1e6 for route in expected
        ]
        assert step["routes"][0]["nodes"] == [made.nodes.id[node] for node in expected[0].nodes]
    listed = rows(leotrek(*given, "--k", 4, "--format", "csv"))
    assert [int(row["rank"]) for row in listed] == [1, 2, 3, 4] * 3
    assert listed[0]["nodes"].split() == found["steps"][0]["routes"][0]["nodes"]
    widest = document(leotrek(*given, "--widest", "--format", "json"))
    assert [len(step["routes"]) for step in widest["steps"]] == [1, 1, 1]
    assert "Vienna sat-" in leotrek(*given).out


def test_no_route_is_an_answer(leotrek: Leotrek, ground: Path) -> None:
    given = ("topology", "routes", DESIGN, "--ground", ground, "--isl", "none",
             "--from", "Vienna", "--to", "São Paulo")  # fmt: skip
    answer = leotrek(*given)
    assert answer.code == 0
    assert "no route" in answer.out
    assert document(leotrek(*given, "--format", "json"))["steps"][0]["routes"] == []
    (row,) = rows(leotrek(*given, "--format", "csv"))
    assert (row["rank"], row["latency_ms"], row["nodes"]) == ("", "", "")


def test_least_bandwidth_leaves_links_out(leotrek: Leotrek, tmp_path: Path) -> None:
    given = ("topology", "routes", GOLDEN / "continuum-explicit-1.json", "--format", "json")
    made = load(GOLDEN / "continuum-explicit-1.json")
    assert isinstance(made, Continuum)
    source, target = (
        made.nodes.id[int(end[0])] for end in (made.topology.source, made.topology.target)
    )  # type: ignore[union-attr]
    usual = document(leotrek(*given, "--from", source, "--to", target))
    bandwidth = usual["steps"][0]["routes"][0]["bottleneck_mbps"]
    assert bandwidth is not None
    more = document(
        leotrek(*given, "--from", source, "--to", target, "--min-bandwidth", bandwidth + 1)
    )
    assert more["steps"][0]["routes"] != usual["steps"][0]["routes"]


def test_a_bandwidth_that_no_link_can_have_is_refused(leotrek: Leotrek) -> None:
    given = ("topology", "routes", DESIGN, "--from", "sat-0-0", "--to", "sat-0-1")
    answer = leotrek(*given, "--min-bandwidth", "inf")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("error: Invalid value for '--min-bandwidth': Input should be less")


def test_exports_can_be_read_again(leotrek: Leotrek, ground: Path, tmp_path: Path) -> None:
    given = ("topology", "export", DESIGN, "--ground", ground, "--steps", 3,
             "--start", "2025-03-04T05:06:07Z")  # fmt: skip
    forms = {
        "a.json": ("continuum", ()),
        "b.json": ("frozen", ("--to", "frozen")),
        "c.npz": ("recording", ()),
        "d.json": ("stardust", ("--to", "stardust")),
    }
    links = {}
    for name, (form, options) in forms.items():
        answer = leotrek(*given, "--out", tmp_path / name, *options)
        assert (answer.code, answer.err) == (0, "")
        assert answer.out.startswith(f"{tmp_path / name}: {form}, ")
        found = document(leotrek("topology", "describe", tmp_path / name, "--format", "json"))
        links[form] = [step["links"] for step in found["per_step"]]
        assert found["nodes"] == {"satellite": 66, "ground_station": 3}
    assert len({json.dumps(counts) for counts in links.values()}) == 1
    assert links["frozen"][0][1] > 0
    document_file = load(tmp_path / "a.json")
    assert isinstance(document_file, Continuum)
    assert load_recording(tmp_path / "c.npz").steps == 3
    assert {path.name for path in tmp_path.iterdir()} == {*forms, "ground.csv"}


def test_a_graph_is_exported(leotrek: Leotrek, ground: Path, tmp_path: Path) -> None:
    import networkx as nx

    out = tmp_path / "step.graphml"
    answer = leotrek("topology", "export", DESIGN, "--ground", ground, "--steps", 3, "--step", 2,
                     "--out", out, "--quiet")  # fmt: skip
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    graph = nx.read_graphml(out)
    state = topology_generator(iridium_like(ground, steps=3)).state(2)
    assert graph.number_of_nodes() == 69
    assert graph.number_of_edges() == len(state.links)
    total = sum(data["latency_ns"] for _, _, data in graph.edges(data=True))
    assert total == int(state.links.latency_ns.sum())
    assert graph.nodes["Vienna"]["kind"] == "ground_station"
    assert graph.nodes["sat-0-0"]["x_km"] == state.position_km[0, 0]


def test_element_sets_are_exported(leotrek: Leotrek, catalogue: Path, tmp_path: Path) -> None:
    out = tmp_path / "again.tle"
    assert leotrek("topology", "export", catalogue, "--out", out).code == 0
    assert read_tle(out).table == read_tle(catalogue).table
    line = refusal(leotrek("topology", "export", DESIGN, "--out", out))
    assert line.startswith("only a catalogue has element sets")


def test_a_picture_is_drawn(leotrek: Leotrek, ground: Path, tmp_path: Path) -> None:
    pytest.importorskip("plotly")
    out = tmp_path / "picture.html"
    given = ("topology", "picture", DESIGN, "--ground", ground, "--mask", 5, "--out", out)
    answer = leotrek(*given, "--from", "Vienna", "--to", "Nairobi")
    assert (answer.code, answer.err) == (0, "")
    page = out.read_text(encoding="utf-8")
    assert "Route Vienna" in page
    assert leotrek(*given).code == 0
    assert out.read_text(encoding="utf-8") != page
    assert "go together" in refusal(leotrek(*given, "--from", "Vienna"))
    assert "--step: must be in 0 … 0" in refusal(leotrek(*given, "--step", 1))


MISTAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "preset": (("describe", "kuipr"), '"kuipr" (did you mean "kuiper"?)'),
    "file": (("describe", "no/such.tle"), 'no file, preset or Walker design i:T/P/F@h "no/such'),
    "uneven": (("describe", "53:1584/71/1@550"), "1584 satellites cannot fill 71 planes evenly"),
    "phasing": (("describe", "53:66/6/9@550"), "phasing: must be < planes = 6"),
    "altitude": (("describe", "53:66/6/1@5"), "altitude_km"),
    "rule": (("describe", DESIGN, "--isl", "nearst_k"), '--isl: no rule "nearst_k" (did you'),
    "rule field": (
        ("describe", DESIGN, "--isl", '{"type":"nearest_k","k":0}'),
        "--isl: nearest_k.k: must be >= 1",
    ),
    "fleet rule": (("describe", DESIGN, "--isl", "plus_grid_inferred"), "--isl: plus_grid_inf"),
    "start": (("describe", DESIGN, "--start", "2025-01-01"), "--start: must be an instant with"),
    "mask": (("describe", DESIGN, "--mask", "95"), "--mask: must be < 90"),
    "strategy": (("describe", DESIGN, "--strategy", "farthest"), "--strategy: must be"),
    "step": (("describe", DESIGN, "--step-s", "0"), "--step-s: must be > 0"),
    "ground": (("describe", DESIGN, "--ground", "no.csv"), "no.csv: no such file"),
    "no ground": (("windows", DESIGN), f"--ground: {DESIGN} has no ground nodes"),
    "form": (("export", DESIGN, "--out", "a.json", "--to", "frzen"), '(did you mean "frozen"?)'),
    "suffix": (("export", DESIGN, "--out", "a.foo"), "a.foo: must end in .json"),
    "export step": (("export", DESIGN, "--out", "a.graphml", "--step", "9"), "--step: must be"),
    "folder": (("export", DESIGN, "--out", "no/such/a.json"), "there is no folder"),
    "picture": (("picture", DESIGN, "--out", "a.gif"), "a.gif: must end in .html"),
    "node": (("routes", DESIGN, "--from", "sat-0-0", "--to", "sat-00"), '--to: no node "sat-00"'),
    "two": (
        ("routes", DESIGN, "--from", "sat-0-0", "--to", "sat-0-1", "--widest", "--k", "2"),
        "--widest: gives one route",
    ),
    "preset with a gap": (("describe", "qianfan"), "or write a Walker design i:T/P/F@h"),
    "number": (("describe", "53:66/6/1@5..5"), 'no file, preset or Walker design i:T/P/F@h "53:'),
    "year 0": (("describe", DESIGN, "--start", "0001-01-01T00:00:00+14:00"), "--start: must be"),
    "step of a recording": (("export", DESIGN, "--out", "a.npz", "--step", "1"), "--step: is for"),
}


@pytest.mark.parametrize("name", sorted(MISTAKES))
def test_a_mistake_is_one_line(
    leotrek: Leotrek, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    given, expected = MISTAKES[name]
    assert expected in refusal(leotrek("topology", *given))
    assert not list(tmp_path.iterdir())


def test_nearest_names_of_nodes_are_offered(leotrek: Leotrek, ground: Path) -> None:
    given = ("topology", "windows", DESIGN, "--ground", ground)
    assert refusal(leotrek(*given, "--station", "Viena")) == (
        '--station: no node "Viena" (did you mean "Vienna"?)'
    )
    assert "--satellite: no node" in refusal(leotrek(*given, "--satellite", "sat-9-9"))
    assert "--span: must be greater than" in refusal(leotrek(*given, "--span", "-1"))


def test_what_is_written_out_takes_no_options(leotrek: Leotrek, ground: Path) -> None:
    golden = GOLDEN / "continuum-explicit-1.json"
    assert "--mask: " in refusal(leotrek("topology", "describe", golden, "--mask", 10))
    assert "at its steps only" in refusal(leotrek("topology", "windows", golden))
    made = GOLDEN / "continuum-generated-1.json"
    line = refusal(leotrek("topology", "describe", made, "--ground", ground))
    assert line.startswith("--ground: ")
    assert "must be a document with a continuum" in refusal(
        leotrek("topology", "describe", GOLDEN / "workflow-1.json")
    )


def test_options_change_a_generated_document(leotrek: Leotrek) -> None:
    made = GOLDEN / "continuum-generated-1.json"
    changed = document(
        leotrek("topology", "describe", made, "--steps", 3, "--step-s", 30, "--mask", 1,
                "--propagator", "circular_j2", "--isl", "none", "--format", "json")
    )  # fmt: skip
    assert changed["steps"] == 3
    assert changed["conventions"]["propagator"]["type"] == "circular_j2"
    assert changed["conventions"]["inter_satellite"] is None
    assert changed["conventions"]["ground"]["min_elevation_deg"] == 1.0
    times = [step["time"][17:19] for step in changed["per_step"]]
    assert (int(times[1]) - int(times[0])) % 60 == 30


def test_no_options_change_nothing(ground: Path) -> None:
    assert iridium_like(ground) == constellation_continuum(
        iridium_like(ground).topology.shells,  # type: ignore[union-attr]
        ground=ground,
    )


def test_help_is_quick_and_lists_the_options(leotrek: Leotrek) -> None:
    for name in ("describe", "windows", "routes", "export", "picture"):
        answer = leotrek("topology", name, "--help")
        assert answer.code == 0
        assert "--ground" in answer.out
        assert "--propagator" in answer.out
    assert "describe" in leotrek("topology", "--help").out


def test_a_reader_of_a_pipe_may_leave_early(ground: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "leotrek_opt", "topology", "windows", DESIGN, "--ground", ground,
         "--span", "500000", "--format", "csv"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stderr is not None
    assert child.stdout.readline().startswith("station,")
    child.stdout.close()
    assert child.stderr.read() == ""
    assert child.wait(timeout=60) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "leotrek_opt", "topology", "presets"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr == "error: cannot write: No space left on device\n"


def test_ctrl_c_keeps_the_steps_of_a_recording(tmp_path: Path) -> None:
    out = tmp_path / "long.npz"
    child = subprocess.Popen(
        [sys.executable, "-m", "leotrek_opt", "topology", "export", DESIGN, "--steps", "100000",
         "--out", out],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    partial = Path(f"{out}.partial")
    deadline = time.monotonic() + 60
    while not partial.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    os.kill(child.pid, signal.SIGINT)
    said, complained = child.communicate(timeout=60)
    assert child.returncode == 130
    assert said == ""
    assert "the steps so far are kept" in complained
    assert "Traceback" not in complained
    assert load_recording(partial).steps > 0
    assert not out.exists()
