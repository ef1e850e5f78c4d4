"""The replay of the published scenarios agrees with the reference, event by event."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "replay_hyperdrive.py"


@pytest.mark.reference
def test_replay_agrees_with_the_reference_scenario(reference_data: Path) -> None:
    folder = str(reference_data / "placement")
    command = [sys.executable, str(SCRIPT), "--data", folder, "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["figures"]["events_agreeing_1118"] == report["figures"]["events_1118"] == 45
    assert {row["proof"] for row in report["scenarios"][0]["exact"]} == {"certified"}


def test_replay_names_a_folder_without_scenarios(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 2)
    assert "Traceback" not in done.stderr
