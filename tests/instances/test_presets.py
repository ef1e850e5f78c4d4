"""Presets: the shells of their sources, with nothing assumed in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leotrek_opt.errors import InputError
from leotrek_opt.instances.preset_facts import PRESETS, SOURCES
from leotrek_opt.instances.presets import PRESET_NAMES, Preset, preset, walker_shell
from leotrek_opt.topology.constellation import walker_elements
from leotrek_opt.topology.phasing import widest_phasing

TOTALS = {
    "starlink-gen1": 4408,
    "starlink-gen2-proposed": 29_988,
    "kuiper": 3236,
    "oneweb-as-filed": 1980,
    "oneweb-deployed": 588,
    "oneweb-phase2": 6372,
    "telesat": 1671,
    "iridium": 66,
    "guowang-a59": 6080,
    "guowang-2": 6912,
    "qianfan": 1296,
}
REFERENCE_NAMES = {
    "starlink_gen1": "starlink-gen1",
    "starlink_gen2_proposed_29988": "starlink-gen2-proposed",
    "kuiper": "kuiper",
    "oneweb_phase1_asfiled": "oneweb-as-filed",
    "oneweb_deployed": "oneweb-deployed",
    "oneweb_phase2": "oneweb-phase2",
    "telesat": "telesat",
    "iridium_next": "iridium",
    "guowang_gw_a59": "guowang-a59",
    "guowang_gw_2": "guowang-2",
    "qianfan_phase1": "qianfan",
}
REFERENCE_SOURCES = {
    "bassa": "A", "leocraft": "L", "starperf": "S", "hypatia": "H", "press": "N", "unverified": "U"
}  # fmt: skip


def built(name: str) -> Preset:
    if name == "qianfan":
        return preset(name, inclination_deg=88.0, altitude_km=1160.0)
    return preset(name)


def test_every_preset_is_listed() -> None:
    assert set(PRESET_NAMES) == set(TOTALS)


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_preset_has_its_satellites_and_sources(name: str) -> None:
    found = built(name)
    assert found.satellite_count == TOTALS[name]
    assert found.id == name
    assert found.title
    assert found.sources
    assert all(text in SOURCES.values() for text in found.sources)
    assert any("phasing" in note for note in found.notes)


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_ascending_nodes_of_a_preset_spread_evenly(name: str) -> None:
    for shell in built(name).shells:
        raan = np.degrees(walker_elements([shell]).raan_rad)
        per_plane = raan.reshape(shell.planes, shell.satellites_per_plane)
        spread = 180.0 if shell.pattern == "star" else 360.0
        assert np.ptp(per_plane, axis=1).max() < 1e-9
        assert np.diff(per_plane[:, 0]) == pytest.approx(spread / shell.planes)
        assert raan.max() == pytest.approx(spread * (1 - 1 / shell.planes))


def test_phasing_is_ours_by_default_and_the_users_when_given() -> None:
    for shell in preset("kuiper").shells:
        assert shell.phasing == widest_phasing(
            shell.planes, shell.satellites_per_plane, shell.inclination_deg
        )
    assert [shell.phasing for shell in preset("kuiper", phasing=1).shells] == [1, 1, 1]
    given = preset("kuiper", phasing=(0, 5, 9))
    assert [shell.phasing for shell in given.shells] == [0, 5, 9]
    assert not any("phasing" in note for note in given.notes)
    with pytest.raises(InputError, match="phasing: must be one number, or 3"):
        preset("kuiper", phasing=(1, 2))
    with pytest.raises(InputError, match=r"shells\[2\]\.phasing: must be < planes = 28"):
        preset("kuiper", phasing=30)


def test_names_may_be_written_with_underscores_and_wrong_ones_are_explained() -> None:
    assert preset("Starlink_Gen1") == preset("starlink-gen1")
    with pytest.raises(InputError, match=r'no preset "kuipr".*did you mean "kuiper"'):
        preset("kuipr")


def test_what_is_not_established_must_be_given_and_nothing_else() -> None:
    for altitude_km in (None, 1160.0):
        with pytest.raises(InputError, match=r"^inclination_deg: .* give inclination_deg$"):
            preset("qianfan", altitude_km=altitude_km)
    reported = preset("qianfan", inclination_deg=88.0)
    assert reported.shells[0].altitude_km == 1160.0
    assert "altitude: reported, not verified" in reported.notes
    given = preset("qianfan", inclination_deg=88.0, altitude_km=1070.0)
    assert given.shells[0].altitude_km == 1070.0
    assert "altitude: reported, not verified" not in given.notes
    with pytest.raises(InputError, match="inclination_deg: is established by the sources of"):
        preset("kuiper", inclination_deg=50.0)
    with pytest.raises(InputError, match=r"shells\[0\]\.inclination_deg: must be <= 180"):
        preset("qianfan", inclination_deg=190.0, altitude_km=1160.0)


SHELL: dict[str, Any] = {"planes": 72, "satellites_per_plane": 22, "inclination_deg": 53.0}


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        (
            {"altitude_km": 550.0, "count": 1585},
            "count: must be planes * satellites_per_plane = 1584",
        ),
        # The mean motion that Hypatia uses for 550 km is one of 509 km.
        (
            {"altitude_km": 550.0, "mean_motion_rev_per_day": 15.19},
            "altitude_km: must be within 5 km of 508.9",
        ),
        (
            {"altitude_km": 550.0, "raan_spread_deg": 180.0},
            "raan_spread_deg: must be 360.0 for a delta pattern",
        ),
        (
            {"altitude_km": 550.0, "raan_spread_deg": 360.0, "pattern": "star"},
            "raan_spread_deg: must be 180.0 for a star pattern",
        ),
        ({}, "altitude_km: give either altitude_km or mean_motion_rev_per_day"),
        (
            {"altitude_km": 550.0, "mean_motion_rev_per_day": 0.0},
            "mean_motion_rev_per_day: must be",
        ),
        ({"altitude_km": 550.0, "planes": 0}, "planes: must be >= 1"),
    ],
)
def test_figures_that_contradict_each_other_are_refused(
    figures: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        walker_shell(**SHELL | figures)
    assert str(caught.value).startswith(message)


def test_figures_that_agree_are_taken() -> None:
    shell = walker_shell(
        planes=34, satellites_per_plane=34, inclination_deg=51.9, altitude_km=630.0,
        mean_motion_rev_per_day=14.80, count=1156, raan_spread_deg=360.0, phasing=1,
    )  # fmt: skip
    assert (shell.altitude_km, shell.mean_motion_rev_per_day, shell.phasing) == (None, 14.8, 1)


@pytest.mark.reference
def test_facts_are_those_of_the_reference(reference_data: Path) -> None:
    reference = json.loads((reference_data / "topology" / "constellations.json").read_text())
    assert {REFERENCE_NAMES[name]: total for name, total in reference["totals"].items()} == TOTALS
    by_name: dict[str, list[dict[str, Any]]] = {name: [] for name in PRESETS}
    for shell in reference["shells"]:
        by_name[REFERENCE_NAMES[shell["constellation"]]].append(shell)
    for name, facts in PRESETS.items():
        assert len(facts.shells) == len(by_name[name])
        for mine, theirs in zip(facts.shells, by_name[name], strict=True):
            assert theirs["walker_F"] is None
            assert mine.altitude_km == theirs["altitude_km"]
            assert mine.inclination_deg == theirs["inclination_deg"]
            assert mine.planes == theirs["planes"]
            assert mine.satellites_per_plane == theirs["sats_per_plane"]
            assert mine.satellites == theirs["count"]
            assert mine.pattern == theirs["pattern"]
            assert mine.raan_spread_deg == theirs["raan_spread_deg"]
            assert facts.min_elevation_deg == theirs["min_elevation_deg"]
            letters = [REFERENCE_SOURCES[key] for key in mine.sources if key in REFERENCE_SOURCES]
            assert letters == theirs["sources"]
