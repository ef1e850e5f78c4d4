"""The golden replay: what was published agrees, a changed number does not."""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.instances.tle_sets import numbered

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


Replay = Callable[[Path], tuple[int, dict[str, Any], str]]


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Replay:
    """Run the script; return its exit code, its summary and what it says of disagreements."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import golden_topology

    def run(folder: Path) -> tuple[int, dict[str, Any], str]:
        command = ["golden_topology.py", "--data", str(folder), "--format", "json"]
        monkeypatch.setattr(sys, "argv", command)
        code: int = golden_topology.main()
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else {}, said.err

    return run


@pytest.mark.reference
def test_every_published_case_agrees(reference_data: Path, replay: Replay) -> None:
    code, summary, words = replay(reference_data / "topology")
    assert words == ""
    assert (code, summary["disagreements"]) == (0, [])
    figures = summary["figures"]
    cases = {name.split(":")[0]: n for name, n in figures.items() if name.endswith("_cases")}
    assert cases["sgp4"] == 668
    assert cases["hypatia"] == 2001
    assert cases.keys() == {"sgp4", "frames", "hypatia", "walker", "protocols"}


@pytest.mark.reference
def test_changed_numbers_are_named(reference_data: Path, tmp_path: Path, replay: Replay) -> None:
    source = reference_data / "topology"
    trace = "hypatia_kuiper630_1173_1229.csv.gz"
    with gzip.open(source / trace, "rt", encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file))[:3]
    rows[1]["rtt_ns"] = str(float(rows[1]["rtt_ns"]) * 1.0001)
    rows[2]["path"] = rows[2]["path"].replace("182", "216")
    with (tmp_path / trace.removesuffix(".gz")).open("w", encoding="ascii", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    chain = json.loads((source / "starlink1008_frame_chain.json").read_text(encoding="utf-8"))
    chain["ecef_gmst_km"][0] += 1e-5
    (tmp_path / "other_frame_chain.json").write_text(json.dumps(chain), encoding="utf-8")
    code, summary, words = replay(tmp_path)
    assert code == 1
    assert len(words.splitlines()) == len(summary["disagreements"]) == 3
    assert [case["case"].split()[0] for case in summary["disagreements"]] == [
        "other_frame_chain.json",
        "hypatia_kuiper630_1173_1229.csv",
        "hypatia_kuiper630_1173_1229.csv",
    ]


def test_folder_without_expected_files_is_bad_usage(tmp_path: Path, replay: Replay) -> None:
    code, summary, words = replay(tmp_path)
    assert (code, summary) == (2, {})
    assert "holds no expected file" in words


def test_trace_of_an_unknown_scenario_is_bad_usage(tmp_path: Path, replay: Replay) -> None:
    (tmp_path / "hypatia_iridium780_70_71.csv").write_text("t_ns,rtt_ns,path\n", encoding="ascii")
    code, _, words = replay(tmp_path)
    assert code == 2
    assert "kuiper630" in words


def test_shell_is_compared_by_what_its_file_states(tmp_path: Path, replay: Replay) -> None:
    (tmp_path / "ground_stations_cities_top100.csv").write_text(
        "gid,name,lat_deg,lon_deg,alt_m\n0,Null Island,0,0,0\n1,Nowhere,10,20,0\n", "ascii"
    )
    scenario = {
        "inclination_deg": 53,
        "altitude_km": 550,
        "planes": 6,
        "sats_per_plane": 20,
        "F": 5,
        "shift": -1,
        "epoch_utc": "2025-06-01T00:00:00Z",
        "mask_deg": 25,
    }
    # Computed with numpy alone. The longest link across the seam meets the Earth, and counts.
    instant = {"t_s": 0, "n_isl": 168, "cross_max_ms_if_seam_shift_is_omitted": 26.712778532}
    document = {
        "scenario": scenario,
        "conventions": [
            "stations: first 2 rows of ground_stations_cities_top100.csv",
            "LOS: closest point of the segment to the geocentre >= 6378.137+80 km",
        ],
        "expected": {"circular_j2": [instant]},
    }
    path = tmp_path / "walker_small_expected.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    code, summary, words = replay(tmp_path)
    assert (code, summary["disagreements"], words) == (0, [], "")


def test_every_set_of_a_fleet_counts(tmp_path: Path, replay: Replay) -> None:
    once = numbered("25544", name="ONE")
    again = numbered("25544", name="DUPLICATE ONE", epoch="24296.18381944")
    (tmp_path / "twice.tle").write_text(once + again, encoding="ascii")
    document = {
        "tle_file": "twice.tle",
        "time_utc": "2024-10-22T06:00:00",
        "expected": {"satellites": 2, "valid": 2, "mst": {"edges": 1}},
    }
    path = tmp_path / "protocols_twice_expected.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    code, summary, words = replay(tmp_path)
    assert (code, summary["disagreements"], words) == (0, [], "")


def test_file_that_lacks_what_a_replay_needs_is_bad_usage(tmp_path: Path, replay: Replay) -> None:
    (tmp_path / "walker_half_expected.json").write_text("{}", encoding="utf-8")
    (tmp_path / "ground_stations_cities_top100.csv").write_text("name\n", encoding="ascii")
    code, _, words = replay(tmp_path)
    assert code == 2
    assert "walker_half_expected.json" in words
    assert len(words.splitlines()) == 1
