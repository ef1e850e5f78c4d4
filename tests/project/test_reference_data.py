"""Reference tests skip where the data are not named, and fail where named data are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"
VARIABLE = "LEOTREK_REFERENCE_DATA"
SUITE = """
import pytest

@pytest.mark.reference
def test_reads(reference_data):
    assert (reference_data / "topic" / "numbers.txt").read_text() == "42"

@pytest.mark.reference
@pytest.mark.parametrize("case", [1, 2])
def test_needs_the_marker_only(case):
    pass
"""


def run_suite(folder: Path, value: str | None, *options: str) -> list[str]:
    """Run a small suite under the project's conftest and return what pytest printed."""
    shutil.copy(CONFTEST, folder / "conftest.py")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = reference\n", encoding="utf-8")
    (folder / "test_suite.py").write_text(SUITE, encoding="utf-8")
    environment = {name: text for name, text in os.environ.items() if name != VARIABLE}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    if value is not None:
        environment[VARIABLE] = value
    child = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    return child.stdout.strip().splitlines()


def test_unset_variable_skips_and_the_last_line_counts(tmp_path: Path) -> None:
    lines = run_suite(tmp_path, None, "-p", "xdist", "-n", "2")
    assert lines[-1] == f"3 reference tests skipped: {VARIABLE} is not set"


def test_named_data_are_read(tmp_path: Path) -> None:
    (tmp_path / "data" / "topic").mkdir(parents=True)
    (tmp_path / "data" / "topic" / "numbers.txt").write_text("42", encoding="utf-8")
    assert "3 passed" in run_suite(tmp_path, "data")[-1]


def test_missing_file_of_named_data_fails(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert "1 failed, 2 passed" in run_suite(tmp_path, "data")[-1]


def test_missing_folder_fails(tmp_path: Path) -> None:
    lines = run_suite(tmp_path, "nowhere")
    assert "2 passed, 1 error" in lines[-1]
    assert any(f"{VARIABLE} names 'nowhere', which is not a folder" in line for line in lines)
