"""The files that say what is installed agree with each other, and `make` explains itself."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from leotrek_opt.cli.doctor import TESTED
from leotrek_opt.versions import DISTRIBUTION, OPTIONAL, REQUIRED

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pins() -> dict[str, str]:
    """Return name to version as the constraints file states them."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def requirements() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"].values()
    listed = [*PROJECT["dependencies"], *(text for extra in extras for text in extra)]
    return [Requirement(text) for text in listed if not text.startswith(DISTRIBUTION)]


@pytest.mark.parametrize("requirement", requirements(), ids=lambda requirement: requirement.name)
def test_requirement_allows_its_pin(requirement: Requirement) -> None:
    pin = pins()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(pin)


def test_doctor_is_silent_on_the_pinned_pair() -> None:
    assert {name: pins()[name] for name in TESTED} == TESTED


def test_versions_cover_the_dependencies() -> None:
    assert sorted(Requirement(text).name for text in PROJECT["dependencies"]) == list(REQUIRED)
    extras = PROJECT["optional-dependencies"]
    assert sorted(Requirement(text).name for text in extras["report"] + extras["torch"]) == list(
        OPTIONAL
    )


def test_torch_is_no_core_dependency_and_pinned_once() -> None:
    assert not any(text.startswith("torch") for text in PROJECT["dependencies"])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"TORCH := torch=={pins()['torch']}\n" in makefile


def test_citation_and_changelog_follow_the_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.*)$", citation, re.MULTILINE)[1] == PROJECT["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in changelog


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (None, "install Python 3.11 or newer"),
        ({"-V": "echo Python 3.9.2", "-c": "exit 1"}, "is needed, but"),
        ({"-V": "echo Python 3.11.2", "-c": "case $2 in *venv*) exit 1;; esac"}, "python3-venv"),
    ],
    ids=["no python", "old python", "no venv"],
)
def test_make_says_what_the_machine_lacks(
    tmp_path: Path, answers: dict[str, str] | None, said: str
) -> None:
    python = tmp_path / "python"
    if answers is not None:
        cases = "\n".join(f"{option}) {answer};;" for option, answer in answers.items())
        python.write_text(f'#!/bin/sh\ncase "$1" in\n{cases}\nesac\n', encoding="utf-8")
        python.chmod(0o755)
    child = subprocess.run(
        ["make", "setup", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode != 0
    assert said in child.stderr
    assert not (tmp_path / "venv").exists()
