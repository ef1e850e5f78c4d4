"""Damaged files are read or refused in one line, by every reader; and the script says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from leotrek_opt.errors import InputError

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
READERS = (
    *("tle", "omm-json", "omm-csv", "omm-xml", "omm-kvn", "ground-csv"),
    *("graphml", "sndlib", "stardust"),
)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the module of the script."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import fuzz_readers

    return fuzz_readers


@pytest.fixture
def targets(script: Any) -> dict[str, Any]:
    targets: dict[str, Any] = script.TARGETS
    return targets


def check(outcome: Any, inputs: int) -> None:
    assert outcome.causes == []
    assert outcome.failures == 0
    assert outcome.accepted + outcome.refused == outcome.inputs == inputs
    assert outcome.accepted > 0
    assert outcome.refused > 0
    assert outcome.rss_growth_mib < 128


def test_every_reader_is_fuzzed(targets: dict[str, Any]) -> None:
    assert set(targets) == set(READERS)
    assert all(target.is_there() for target in targets.values())


@pytest.mark.parametrize("reader", READERS)
def test_damaged_files_are_read_or_refused(reader: str, script: Any) -> None:
    check(script.fuzz(reader, 1, range(300)), 300)


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_many_damaged_files_are_read_or_refused(reader: str, script: Any) -> None:
    check(script.fuzz(reader, 2, range(10_000)), 10_000)


def test_damage_follows_from_its_key_alone(script: Any, targets: dict[str, Any]) -> None:
    target = targets["omm-json"]
    first, second = (script.Damage(target.seeds, target.tokens) for _ in range(2))
    inputs = [first.input(f"0:x:{index}") for index in range(50)]
    assert inputs == [second.input(f"0:x:{index}") for index in range(50)]
    assert len(set(inputs)) > 40


def test_failures_are_counted_and_saved(
    script: Any, targets: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(data: bytes, file: Path, number: int) -> None:
        if number == 3:
            raise KeyError("boom")
        if number == 4:
            raise InputError("fine")
        if number == 5:
            while True:
                pass

    monkeypatch.setattr(script, "SLOWEST_S", 0.05)
    monkeypatch.setattr(type(targets["tle"]), "load", lambda target: careless)
    outcome = script.fuzz("tle", 0, range(7), tmp_path)
    assert (outcome.inputs, outcome.accepted, outcome.refused, outcome.failures) == (7, 4, 1, 2)
    assert outcome.causes[0] == "tle 3: KeyError: 'boom'"
    assert "TooSlowError" in outcome.causes[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "tle-0-3.input",
        "tle-0-3.txt",
        "tle-0-5.input",
        "tle-0-5.txt",
    ]


def test_the_script_prints_one_json_object() -> None:
    command = [sys.executable, str(BENCHMARKS / "fuzz_readers.py"), "--format", "json"]
    command += ["--readers", "tle", "omm-csv", "--inputs", "50"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["figures"]
    assert figures["tle_inputs"] == figures["omm-csv_inputs"] == 50
    assert figures["failures"] == 0
