"""What the doctor says about good, clashing and unknown versions."""

from __future__ import annotations

import json
import sys

import pytest

from leotrek_opt.cli import doctor, main
from leotrek_opt.solvers.registry import ENGINES
from leotrek_opt.versions import OPTIONAL, REQUIRED, Versions, show_versions


def versions(**changed: str | None) -> Versions:
    """Return the tested versions, with some of them changed."""
    packages: dict[str, str | None] = dict.fromkeys(REQUIRED, "1.0")
    packages |= dict.fromkeys(OPTIONAL)
    packages |= doctor.TESTED
    packages |= changed
    return Versions(
        leotrek_opt="0.1", python="3.11.7", platform="Linux", packages=packages, engines={}
    )


def test_tested_versions_raise_no_finding() -> None:
    assert doctor.examine(versions()) == []


@pytest.mark.parametrize(
    ("changed", "level", "said"),
    [
        ({"highspy": "1.15.0"}, "error", "cannot be loaded into one process"),
        ({"highspy": "1.15.1", "ortools": "9.15.6000"}, "error", "cannot be loaded"),
        ({"highspy": "1.14.0"}, "error", "calls wrong values optimal"),
        ({"highspy": "1.12.0"}, "error", "another Python interface"),
        ({"highspy": "1.9"}, "error", "another Python interface"),
        ({"highspy": "1.13.0"}, "warning", "highspy 1.13.0 is untested here"),
        ({"highspy": "1.13.1.post1"}, "warning", "1.13.1.post1 is untested here"),
        ({"ortools": "9.14.6206"}, "warning", "ortools 9.14.6206 is untested here"),
        ({"sgp4": None}, "error", "sgp4 is not installed"),
    ],
)
def test_clash_is_found_and_its_cure_named(
    changed: dict[str, str | None], level: str, said: str
) -> None:
    findings = doctor.examine(versions(**changed))
    assert findings[0].level == level
    assert said in findings[0].message
    assert findings[0].cure is not None
    assert findings[0].cure.startswith("pip install ")


def test_errors_come_before_warnings() -> None:
    findings = doctor.examine(versions(highspy="1.13.0", scipy=None))
    assert [finding.level for finding in findings] == ["error", "warning"]


def test_newer_pair_is_only_a_warning() -> None:
    """The clash is known for ortools 9.15; of a later one nothing is known yet."""
    findings = doctor.examine(versions(highspy="1.16.0", ortools="9.16.1"))
    assert {finding.level for finding in findings} == {"warning"}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(doctor, "visible_gpus", lambda: ["Some GPU, 570.1"])
    monkeypatch.setattr("leotrek_opt.versions.show_versions", versions)
    return monkeypatch


def test_command_ends_with_0_and_is_silent_on_tested_versions(
    installed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["doctor"]) == 0
    captured = capsys.readouterr()
    assert "No known clash." in captured.out
    assert "warning" not in captured.out
    assert captured.err == ""
    assert "not installed (pip install 'leotrek-opt[torch]')" in captured.out


def test_command_ends_with_2_and_prints_the_cure_on_a_clash(
    installed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed.setattr("leotrek_opt.versions.show_versions", lambda: versions(highspy="1.15.1"))
    assert main.main(["doctor"]) == 2
    assert "pip install 'highspy==1.13.1' 'ortools==9.15.6755'" in capsys.readouterr().out


def test_json_is_one_document(
    installed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed.setattr("leotrek_opt.versions.show_versions", lambda: versions(highspy="1.13.0"))
    assert main.main(["doctor", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is True
    assert [finding["level"] for finding in report["findings"]] == ["warning"]
    assert report["gpus"] == ["Some GPU, 570.1"]


def test_torch_that_cannot_be_imported_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.sys, "executable", "/no/such/python")
    assert "cannot be imported" in doctor.torch_state("2.13.0")["error"]


def test_torch_state_is_what_the_child_process_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    said = 'a warning\n{"cuda": "12.8", "devices": ["Some GPU"]}\n'
    monkeypatch.setattr(doctor, "_output_of", lambda arguments, timeout_s: said)
    assert doctor.torch_state("2.13.0") == {
        "version": "2.13.0",
        "cuda": "12.8",
        "devices": ["Some GPU"],
    }
    assert "torch" not in sys.modules


def test_versions_name_the_carrier_of_each_engine() -> None:
    found = show_versions()
    assert found["engines"]["highs"] == f"highspy {found['packages']['highspy']}"


def test_versions_know_every_engine_that_solve_takes() -> None:
    assert set(show_versions()["engines"]) == set(ENGINES)
