"""Contact windows: another program's list, closed forms, a scan second by second, structure."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
from tests.topology.contacts.scenes import (
    SHELL,
    element_table,
    elevation_and_range,
    open_at_seconds,
    scanned,
    scene,
)

from leotrek_opt.errors import InputError, UnsupportedError
from leotrek_opt.models.constellation import CircularJ2, WalkerShell
from leotrek_opt.models.continuum import Continuum
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.topology.contacts import scan
from leotrek_opt.topology.contacts.table import WindowTable
from leotrek_opt.topology.contacts.windows import contact_windows, iter_contact_windows
from leotrek_opt.topology.freeze import freeze

PLACES = [(48.2, 16.4), (-33.9, 151.2), (0.0, -78.5), (52.8, 100.0)]


def same(left: WindowTable, right: WindowTable) -> bool:
    return all(
        getattr(left, field.name).tobytes() == getattr(right, field.name).tobytes()
        for field in dataclasses.fields(left)
    )


def assert_agrees_with_scan(made: Continuum, windows: WindowTable, seen: np.ndarray) -> None:
    """At every full second the open windows are the pairs that the scan sees."""
    differing = (open_at_seconds(windows, seen) != seen)[:-1]
    for second in np.flatnonzero(differing.any(axis=(1, 2))).tolist():
        # Within half a metre of the mask the two may differ for less than a second.
        elevation, distance = elevation_and_range(made, float(second))
        off_deg = np.abs(elevation[differing[second]] - 25).max()
        assert off_deg < 1e-4, (second, distance[differing[second]])


@pytest.mark.reference
def test_windows_agree_with_another_program(reference_data: Path) -> None:
    """34 x 34 satellites, three pairs over a day; passes just below the mask are no windows."""
    folder = reference_data / "topology"
    expected = json.loads((folder / "walker_34x34_expected.json").read_text())
    with (folder / "ground_stations_cities_top100.csv").open(encoding="utf-8") as stream:
        places = [(float(row["lat_deg"]), float(row["lon_deg"])) for row in csv.DictReader(stream)]
    shell = WalkerShell(
        planes=34, satellites_per_plane=34, phasing=1, inclination_deg=51.9, altitude_km=630.0
    )
    made = scene(places, shell=shell, steps=1440)
    lists = expected["contact_windows_sgp4"]
    windows = contact_windows(
        made,
        ground=[1156 + row["gid"] for row in lists],
        satellites=[row["satellite"] for row in lists],
    )
    for row in lists:
        found = windows.of(ground=1156 + row["gid"], satellite=row["satellite"])
        assert len(found) == len(row["windows"])
        for place, window in enumerate(row["windows"]):
            assert found.aos_s[place] == pytest.approx(window["aos_s"], abs=2e-3)
            assert found.los_s[place] == pytest.approx(window["los_s"], abs=2e-3)
            assert found.max_elevation_deg[place] == pytest.approx(window["max_el_deg"], abs=1e-4)
        for peak_s, peak_deg in row["passes_peaking_within_1deg_below_mask"]:
            lowered = contact_windows(
                made,
                ground=[1156 + row["gid"]],
                satellites=[row["satellite"]],
                min_elevation_deg=peak_deg - 0.01,
            )
            # The file samples them every half minute.
            near = np.abs(lowered.max_elevation_s - peak_s) < 30
            assert near.sum() == 1
            assert peak_deg <= lowered.max_elevation_deg[near][0] < peak_deg + 0.02
            assert not ((found.aos_s < peak_s + 60) & (peak_s - 60 < found.los_s)).any()


@pytest.mark.parametrize(
    ("altitude_km", "mask_deg", "minutes"),
    [(550, 25, 4.49), (550, 40, 2.74), (630, 35, 3.67), (1200, 55, 3.73), (1015, 10, 12.8)],
)
def test_an_overhead_pass_lasts_as_long_as_its_closed_form(
    altitude_km: float, mask_deg: float, minutes: float
) -> None:
    """Over the equator the Earth is a circle and its rotation adds to the period alone."""
    shell = WalkerShell(
        planes=1, satellites_per_plane=1, inclination_deg=0.0, altitude_km=altitude_km
    )
    made = scene([(0.0, 120.0)], shell=shell, steps=400, propagator=CircularJ2(j2=0.0))
    windows = contact_windows(made, min_elevation_deg=mask_deg)
    whole = windows.rows(~windows.clipped_start & ~windows.clipped_end)
    radius, mask = 6378.137 + altitude_km, math.radians(mask_deg)
    half_angle = math.acos(6378.137 * math.cos(mask) / radius) - mask
    rate = math.sqrt(398_600.4418 / radius**3)
    assert len(whole) >= 2
    assert whole.duration_s == pytest.approx(2 * half_angle / (rate - 7.292115855e-5), abs=2e-3)
    assert 2 * half_angle / rate / 60 == pytest.approx(minutes, abs=0.05)
    assert whole.max_elevation_deg == pytest.approx(90.0, abs=0.01)
    middle = (whole.aos_s + whole.los_s) / 2
    assert whole.max_elevation_s == pytest.approx(middle, abs=0.01)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_windows_agree_with_a_scan_second_by_second(seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = [(float(rng.uniform(-60, 60)), float(rng.uniform(-180, 180))) for _ in range(12)]
    made = scene(places, steps=100)
    windows = contact_windows(made)
    assert len(windows) > 30
    assert_agrees_with_scan(made, windows, scanned(made, 6000, mask_deg=25.0))


def test_rise_and_set_are_where_the_propagator_crosses_the_mask() -> None:
    made = scene(PLACES, steps=600)
    windows = contact_windows(made)
    clear = (windows.max_elevation_deg > 25.01) & ~windows.clipped_start & ~windows.clipped_end
    for window in np.flatnonzero(clear).tolist():
        pair = windows.ground[window] - 30, windows.satellite[window]
        for instant, rising in ((windows.aos_s[window], True), (windows.los_s[window], False)):
            before, after = (
                elevation_and_range(made, instant + shift)[0][pair] for shift in (-0.01, 0.01)
            )
            assert (before < 25 < after) if rising else (after < 25 < before)
        top = windows.max_elevation_s[window]
        around = [elevation_and_range(made, top + shift)[0][pair] for shift in (-2.0, 0.0, 2.0)]
        assert (
            max(around) == around[1] == pytest.approx(windows.max_elevation_deg[window], abs=1e-4)
        )


def test_a_pass_between_two_samples_is_found() -> None:
    """A mask a little below the top of a pass leaves a window much shorter than the samples."""
    made = scene(PLACES, steps=600)
    for place, satellite in [(0, 3), (1, 7), (3, 20)]:
        usual = contact_windows(made, ground=[30 + place], satellites=[satellite])
        for top_deg, top_s in zip(usual.max_elevation_deg, usual.max_elevation_s, strict=True):
            if top_deg > 80:
                continue
            for below_deg in (1e-2, 1e-3, 3e-4):
                short = contact_windows(
                    made,
                    ground=[30 + place],
                    satellites=[satellite],
                    min_elevation_deg=top_deg - below_deg,
                )
                row = np.flatnonzero((short.aos_s < top_s) & (top_s < short.los_s))
                assert len(row) == 1
                assert short.duration_s[row[0]] < 20
                for edge, inwards in ((short.aos_s[row[0]], 0.01), (short.los_s[row[0]], -0.01)):
                    inside, outside = (
                        elevation_and_range(made, edge + shift)[0][place, satellite]
                        for shift in (inwards, -inwards)
                    )
                    assert outside < top_deg - below_deg < inside
            above = contact_windows(
                made,
                ground=[30 + place],
                satellites=[satellite],
                min_elevation_deg=top_deg + 1e-4,
            )
            assert not ((above.aos_s < top_s) & (top_s < above.los_s)).any()


@pytest.mark.parametrize(
    ("mask_deg", "range_km"), [(None, 1260.0), (25.0, 900.0), (10.0, 2000.0), (None, 700.0)]
)
def test_range_and_elevation_bind_together(mask_deg: float | None, range_km: float) -> None:
    rule = GroundLinks(strategy="all_visible", min_elevation_deg=mask_deg, max_range_km=range_km)
    made = scene(PLACES, steps=100, rule=rule)
    windows = contact_windows(made)
    seen = scanned(made, 6000, mask_deg=mask_deg, range_km=range_km)
    assert seen.any()
    assert (open_at_seconds(windows, seen)[:-1] == seen[:-1]).all()


def test_eccentric_and_high_orbits_agree_with_a_scan() -> None:
    """A Molniya orbit, one in a transfer orbit, a navigation satellite and a geostationary one."""
    fleet = element_table(
        [
            {
                "inclination_deg": 63.4,
                "eccentricity": 0.74,
                "argument_of_perigee_deg": 270.0,
                "mean_motion_rev_per_day": 2.006,
            },
            {"inclination_deg": 7.0, "eccentricity": 0.72, "mean_motion_rev_per_day": 2.27},
            {"inclination_deg": 55.0, "mean_motion_rev_per_day": 2.0057, "raan_deg": 40.0},
            {"inclination_deg": 0.05, "mean_motion_rev_per_day": 1.00273, "raan_deg": 250.0},
        ]
    )
    places = [(48.2, 16.4), (0.0, 10.0), (-33.9, 151.2), (70.0, -40.0)]
    made = scene(places, shell=None, fleet=fleet, steps=240)
    windows = contact_windows(made)
    assert (windows.satellite == 3).any()
    assert_agrees_with_scan(made, windows, scanned(made, 14_400, mask_deg=25.0))


def test_a_geostationary_satellite_is_seen_throughout() -> None:
    fleet = element_table(
        [{"inclination_deg": 0.01, "mean_motion_rev_per_day": 1.00273, "raan_deg": 250.0}]
    )
    made = scene([(0.0, 0.5)], shell=None, fleet=fleet, steps=2880)
    windows = contact_windows(made, min_elevation_deg=60.0)
    assert windows.aos_s.tolist() == [0.0]
    assert windows.los_s.tolist() == [172_800.0]
    assert windows.clipped_start.all()
    assert windows.clipped_end.all()


def test_a_lost_satellite_has_windows_only_while_it_is_valid() -> None:
    """Drag brings one down after nine hours, over a place that only asks for range."""
    falling = {"mean_motion_rev_per_day": 16.3, "bstar": 0.02}
    fleet = element_table([falling, {"mean_motion_rev_per_day": 16.3}])
    rule = GroundLinks(strategy="all_visible", min_elevation_deg=None, max_range_km=2000.0)
    places = [(float(latitude), float(longitude)) for latitude in range(-60, 61, 15)
              for longitude in range(-180, 180, 15)]  # fmt: skip
    made = scene(places, shell=None, fleet=fleet, steps=720, rule=rule)
    windows = contact_windows(made)
    falling_windows = windows.of(satellite=0)
    lost_s = falling_windows.los_s.max()
    assert np.isfinite(elevation_and_range(made, lost_s - 0.01)[1]).all()
    after = elevation_and_range(made, lost_s + 0.01)[1]
    assert np.isnan(after[:, 0]).all()
    assert np.isfinite(after[:, 1]).all()
    cut = falling_windows.rows(falling_windows.los_s == lost_s)
    reach = elevation_and_range(made, lost_s)[1][cut.ground - 2, 0]
    assert len(cut) >= 2
    assert (reach < 2000).all()
    assert not falling_windows.clipped_end.any()
    assert windows.of(satellite=1).los_s.max() > lost_s
    before = contact_windows(made, satellites=[0], end_s=lost_s - 100.0)
    assert before.clipped_end.sum() >= 2


def test_windows_are_ordered_and_clipped() -> None:
    made = scene(PLACES, steps=100)
    windows = contact_windows(made, start_s=600.0, end_s=5000.0)
    keys = list(
        zip(
            windows.ground.tolist(), windows.satellite.tolist(), windows.aos_s.tolist(), strict=True
        )
    )
    assert keys == sorted(keys)
    assert (windows.aos_s < windows.los_s).all()
    assert windows.clipped_start.tolist() == (windows.aos_s == 600.0).tolist()
    assert windows.clipped_end.tolist() == (windows.los_s == 5000.0).tolist()
    assert windows.clipped_start.any()
    assert windows.clipped_end.any()
    timed = windows.by_time()
    assert (np.diff(timed.aos_s) >= 0).all()
    assert same(timed.by_pair(), windows)
    whole = contact_windows(made)
    inside = whole.rows((whole.aos_s > 600) & (whole.los_s < 5000))
    kept = windows.rows(~windows.clipped_start & ~windows.clipped_end)
    assert kept.aos_s == pytest.approx(inside.aos_s, abs=1e-3)
    assert kept.max_elevation_deg == pytest.approx(inside.max_elevation_deg, abs=1e-4)
    # The greatest elevation of a window that is cut off before its top stands at the cut.
    cut = windows.rows(windows.clipped_end & (windows.max_elevation_s == windows.los_s))
    for ground, satellite, top in zip(
        cut.ground, cut.satellite, cut.max_elevation_deg, strict=True
    ):
        elevation, _ = elevation_and_range(made, 5000.0)
        assert top == pytest.approx(elevation[ground - 30, satellite], abs=1e-6)


def test_chunks_do_not_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    made = scene(PLACES, steps=200)
    whole = contact_windows(made)
    for samples in (30, 70, 1000):
        monkeypatch.setattr(scan, "_SAMPLES_AT_ONCE", samples)
        assert same(contact_windows(made), whole)
    parts = list(iter_contact_windows(made))
    assert len(parts) > 3
    ends = [part.los_s.max() for part in parts if len(part)]
    assert ends == sorted(ends)


def test_a_choice_of_nodes_gives_the_same_windows() -> None:
    made = scene(PLACES, steps=200)
    whole = contact_windows(made)
    by_name = contact_windows(made, ground=["place2"], satellites=["sat3", "sat11", 20])
    for satellite in (3, 11, 20):
        assert same(by_name.of(satellite=satellite), whole.of(ground=32, satellite=satellite))
    assert set(by_name.satellite.tolist()) <= {3, 11, 20}


def test_ground_nodes_that_move_stand_still_within_a_step() -> None:
    made = scene(PLACES[:2], steps=100, drift_deg=0.5)
    windows = contact_windows(made)
    seen = scanned(made, 5999, mask_deg=25.0)
    assert (open_at_seconds(windows, seen) == seen).all()
    assert not same(windows, contact_windows(scene(PLACES[:2], steps=100)))


def test_bad_arguments_are_named() -> None:
    made = scene(PLACES, steps=10)
    with pytest.raises(InputError, match=r'ground\[0\]: no node "plase1" \(did you mean "place1"'):
        contact_windows(made, ground=["plase1"])
    with pytest.raises(InputError, match=r"satellites\[0\]: must be a node index in 0 … 29"):
        contact_windows(made, satellites=[30])
    with pytest.raises(InputError, match=r"satellites\[0\]: must be a node index .* got 1\.5"):
        contact_windows(made, satellites=[1.5])  # type: ignore[list-item]
    with pytest.raises(InputError, match="ground: must be a list"):
        contact_windows(made, ground="place1")
    with pytest.raises(InputError, match="end_s: must be greater than start_s"):
        contact_windows(made, start_s=100.0, end_s=100.0)
    with pytest.raises(InputError, match="min_elevation_deg"):
        contact_windows(made, min_elevation_deg=90.0)
    with pytest.raises(InputError, match=r'min_elevation_deg: must be in .* got "a"'):
        contact_windows(made, min_elevation_deg="a")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="max_range_km: must be in"):
        contact_windows(made, max_range_km=0)
    with pytest.raises(InputError, match="start_s"):
        contact_windows(made, start_s=math.nan)
    with pytest.raises(UnsupportedError, match="explicit"):
        contact_windows(freeze(scene(PLACES[:1], steps=2)))


def test_a_continuum_without_ground_nodes_has_no_windows() -> None:
    assert len(contact_windows(scene([], shell=SHELL, steps=10))) == 0
