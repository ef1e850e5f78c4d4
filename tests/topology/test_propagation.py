"""Propagation: the published SGP4 states, masked failures, dates and Walker shells in motion."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from sgp4.api import WGS72, Satrec, SatrecArray

from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.continuum import TimeGrid
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.constellation import walker_elements
from leotrek_opt.topology.propagation import (
    julian_date,
    propagate_teme,
    satellite_ecef,
    sgp4_satellites,
)

EPOCH = datetime(2024, 7, 2, 1, tzinfo=UTC)


def test_julian_date_of_known_instants() -> None:
    assert julian_date(datetime(2000, 1, 1, 12, tzinfo=UTC)) == (2_451_544.5, 0.5)
    assert julian_date(datetime(2024, 12, 16, tzinfo=UTC)) == (2_460_660.5, 0.0)
    assert julian_date(datetime(1957, 10, 4, tzinfo=UTC)) == (2_436_115.5, 0.0)
    vienna = timezone(timedelta(hours=2))
    assert julian_date(datetime(2024, 7, 2, 3, tzinfo=vienna)) == julian_date(EPOCH)


def test_offsets_carry_into_later_days() -> None:
    midnight = datetime(2024, 12, 16, tzinfo=UTC)
    assert julian_date(midnight, 2.5 * 86_400) == (2_460_662.5, 0.5)


@pytest.mark.reference
def test_published_states_are_met(reference_data: Path) -> None:
    """All 667 states of D. A. Vallado et al., Revisiting Spacetrack Report 3."""
    lines = [
        line
        for line in (reference_data / "topology" / "SGP4-VER.TLE").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    with gzip.open(
        reference_data / "topology" / "sgp4_verification_teme.csv.gz", "rt", encoding="ascii"
    ) as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 667
    given_up = []
    for case, (line1, line2) in enumerate(zip(lines[::2], lines[1::2], strict=True)):
        satellite = Satrec.twoline2rv(line1, line2[:69], WGS72)
        array = SatrecArray([satellite])
        for row in (row for row in rows if int(row["case"]) == case):
            fraction = satellite.jdsatepochF + float(row["tsince_min"]) / 1440
            position, valid = propagate_teme(array, satellite.jdsatepoch, fraction)
            if not valid[0]:
                assert np.isnan(position[0]).all()
                given_up.append((satellite.satnum, float(row["tsince_min"])))
                continue
            expected = [float(row[f"{axis}_km"]) for axis in "xyz"]
            assert position[0] == pytest.approx(expected, abs=2e-7)
    assert [number for number, _ in given_up] == [33334]


def test_a_satellite_that_fails_keeps_its_row() -> None:
    line1 = "1 33334U 78066F   06174.85818871  .00000620  00000-0  10000-3 0  6809"
    line2 = "2 33334  68.4714 236.1303 5602877 123.7484 302.5767  0.00001000 67521"
    shell = WalkerShell(planes=1, satellites_per_plane=1, inclination_deg=53.0, altitude_km=550.0)
    good = sgp4_satellites(walker_elements([shell]), EPOCH)
    assert len(good) == 1
    working = Satrec()
    working.sgp4init(WGS72, "i", 1, 27_000.0, 0, 0, 0, 0.001, 0, 1.0, 0.0, 0.065, 0.0)
    array = SatrecArray([working, Satrec.twoline2rv(line1, line2), working])
    position, valid = propagate_teme(array, 2_433_281.5 + 27_000, 0.0)
    assert valid.tolist() == [True, False, True]
    assert np.isnan(position[1]).all()
    assert np.isfinite(position[[0, 2]]).all()


def test_a_shell_stays_near_its_altitude_and_plane() -> None:
    shell = WalkerShell(
        planes=6, satellites_per_plane=5, phasing=1, inclination_deg=53.0, altitude_km=550.0
    )
    topology = GeneratedTopology(shells=(shell,), epoch=EPOCH)
    grid = TimeGrid(steps=3, step_s=1800.0)
    for step in range(3):
        position, valid = satellite_ecef(topology, grid, step)
        assert valid.all()
        radius = np.linalg.norm(position, axis=1)
        assert np.abs(radius - 6928.137).max() < 12
        # No satellite leaves the band of latitudes of its inclination.
        assert np.abs(np.degrees(np.arcsin(position[:, 2] / radius))).max() < 53.1


def test_a_grid_without_start_begins_at_the_epoch() -> None:
    shell = WalkerShell(planes=2, satellites_per_plane=3, inclination_deg=53.0, altitude_km=550.0)
    topology = GeneratedTopology(shells=(shell,), epoch=EPOCH)
    implicit, _ = satellite_ecef(topology, TimeGrid(steps=2), 1)
    explicit, _ = satellite_ecef(
        topology, TimeGrid(steps=2, start=EPOCH, offsets_s=(10.0, 60.0)), 1
    )
    assert (implicit == explicit).all()
