"""Propagation: the published SGP4 states, real element sets, masked failures, and the cache."""

from __future__ import annotations

import csv
import gzip
import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sgp4.api import WGS72, WGS72OLD, WGS84, Satrec, SatrecArray
from sgp4.omm import initialize
from tests.topology.element_tables import read_records, round_fleet, table_of

from leotrek_opt.models.constellation import ElementTable, Sgp4, WalkerShell
from leotrek_opt.models.continuum import TimeGrid
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.propagation import ephemeris, propagation_errors, satellite_ecef

EPOCH = datetime(2024, 7, 2, 1, tzinfo=UTC)
# The last one of the published cases, whose perturbed eccentricity leaves its range.
FAILING = (
    "1 33334U 78066F   06174.85818871  .00000620  00000-0  10000-3 0  6809",
    "2 33334  68.4714 236.1303 5602877 123.7484 302.5767  0.00001000 67521",
)


def of_fleet(fleet: ElementTable, **changes: object) -> GeneratedTopology:
    return GeneratedTopology(fleet=fleet, inter_satellite=None, **changes)  # type: ignore[arg-type]


@pytest.mark.reference
def test_published_states_are_met(reference_data: Path) -> None:
    """All 667 states of D. A. Vallado et al., Revisiting Spacetrack Report 3."""
    folder = reference_data / "topology"
    records = read_records((folder / "SGP4-VER.TLE").read_text().splitlines())
    assert len(records) == 33
    with gzip.open(folder / "sgp4_verification_teme.csv.gz", "rt", encoding="ascii") as stream:
        rows = list(csv.DictReader(stream))
    satellites = ephemeris(of_fleet(table_of(records)))
    met, given_up = 0, []
    for row in rows:
        case = int(row["case"])
        # Those of 1 minute before the epoch leave the day of the epoch.
        day = satellites.epoch_jd[case]
        fraction = satellites.epoch_fraction[case] + float(row["tsince_min"]) / 1440
        position, velocity, valid = satellites.teme(
            np.array([day]), np.array([fraction]), np.array([case])
        )
        if not valid[0, 0]:
            assert np.isnan(position).all()
            assert np.isnan(velocity).all()
            given_up.append(records[case][1].satnum)
            continue
        met += 1
        expected = [float(row[f"{axis}_km"]) for axis in "xyz"]
        assert position[0, 0] == pytest.approx(expected, abs=2e-7)
        expected = [float(row[f"v{axis}_km_s"]) for axis in "xyz"]
        assert velocity[0, 0] == pytest.approx(expected, abs=1e-9)
    assert (met, given_up) == (666, [33334])


@pytest.mark.reference
@pytest.mark.parametrize("gravity", ["wgs72", "wgs72old", "wgs84"])
def test_element_sets_are_read_as_the_package_reads_them(
    reference_data: Path, gravity: str
) -> None:
    """To the bit, on 2000 real satellites and the published cases, deep space among them."""
    folder = reference_data / "topology"
    lines = [
        *(folder / "SGP4-VER.TLE").read_text().splitlines(),
        *(folder / "starlink_2000_20241021.tle").read_text().splitlines(),
    ]
    records = read_records(lines)
    constants = {"wgs72": WGS72, "wgs72old": WGS72OLD, "wgs84": WGS84}[gravity]
    theirs = SatrecArray(
        [Satrec.twoline2rv(first, last[:69], constants) for _, _, (first, last) in records]
    )
    day, fraction = np.array([2_460_604.5, 2_453_911.5]), np.array([0.5, 0.123456789])
    error, position, velocity = theirs.sgp4(day, fraction)
    ours = ephemeris(of_fleet(table_of(records), propagator=Sgp4(gravity=gravity)))  # type: ignore[arg-type]
    mine, my_velocity, valid = ours.teme(day, fraction)
    assert (valid[:, 0] == (error[:, 0] == 0)).all()
    assert not valid[error != 0].any()
    # Eighteen years before their epochs many satellites are nowhere near an orbit.
    away_km = np.linalg.norm(position[(error == 0) & ~valid], axis=1)
    assert (away_km > 13_000).all()
    assert valid.sum() > 2000
    assert (mine[valid] == position[valid]).all()
    assert (my_velocity[valid] == velocity[valid]).all()


@pytest.mark.parametrize(
    ("motion", "eccentricity", "inclination_deg", "alike"),
    [(15.0, 0.001, 53.0, True), (2.0, 0.7, 63.4, True), (2.0, 0.7, 5.0, False)],
)
def test_modes_differ_in_deep_orbits_of_small_inclination(
    motion: float, eccentricity: float, inclination_deg: float, alike: bool
) -> None:
    """There AFSPC keeps a node that the improved form carries into the right quadrant."""
    fleet = round_fleet(
        5,
        mean_motion_rev_per_day=motion,
        eccentricity=eccentricity,
        inclination_deg=inclination_deg,
    )
    improved, afspc = (
        ephemeris(of_fleet(fleet, propagator=Sgp4(mode=mode))).ecef(2_460_662.5, 0.0)[0]  # type: ignore[arg-type]
        for mode in ("improved", "afspc")
    )
    assert np.array_equal(improved, afspc) == alike


def test_epochs_to_the_microsecond_keep_their_digits() -> None:
    """An OMM epoch: its sum as one number would be off by some tenths of a microsecond."""
    fields = {
        "CLASSIFICATION_TYPE": "U", "OBJECT_ID": "2019-074B", "EPHEMERIS_TYPE": "0",
        "ELEMENT_SET_NO": "999", "REV_AT_EPOCH": "1", "EPOCH": "2024-12-15T13:35:42.123457",
        "ARG_OF_PERICENTER": "72.5790", "BSTAR": ".0017578", "ECCENTRICITY": ".0001373",
        "INCLINATION": "53.0534", "MEAN_ANOMALY": "90.6204", "MEAN_MOTION_DDOT": "0",
        "MEAN_MOTION_DOT": ".00026237", "MEAN_MOTION": "15.06374033",
        "RA_OF_ASC_NODE": "42.8128", "NORAD_CAT_ID": "44714",
    }  # fmt: skip
    theirs = Satrec()
    initialize(theirs, fields)
    fraction = (13 * 3600 + 35 * 60 + 42.123457) / 86_400
    fleet = ElementTable(
        name=("STARLINK-1008",), catalogue_number=[44714], epoch_jd=[2_460_659.5],
        epoch_fraction=[fraction], inclination_deg=[53.0534], raan_deg=[42.8128],
        eccentricity=[0.0001373], argument_of_perigee_deg=[72.5790], mean_anomaly_deg=[90.6204],
        mean_motion_rev_per_day=[15.06374033], mean_motion_dot=[0.00026237],
        mean_motion_ddot=[0.0], bstar=[0.0017578],
    )  # fmt: skip
    satellites = ephemeris(of_fleet(fleet))
    at = np.array([2_460_660.5]), np.array([0.0])
    position, velocity, _ = satellites.teme(*at)
    _, expected, speed = theirs.sgp4(at[0][0], at[1][0])
    # Theirs rounds the epoch to 4e-12 days: 2.4 mm at 7.6 km/s.
    assert position[0, 0] == pytest.approx(expected, abs=3e-6)
    assert velocity[0, 0] == pytest.approx(speed, abs=3e-9)
    later = satellites.teme(at[0], at[1] + 1e-9)[0]
    assert np.linalg.norm(later - position) == pytest.approx(7.58 * 86_400e-9, rel=0.01)


def test_many_instants_equal_single_ones_for_any_choice_of_satellites() -> None:
    shell = WalkerShell(planes=3, satellites_per_plane=4, inclination_deg=53.0, altitude_km=550.0)
    for propagator in ("sgp4", "circular_j2"):
        topology = GeneratedTopology(
            shells=(shell,), epoch=EPOCH, fleet=round_fleet(7, epoch_jd=2_460_493.5),
            propagator=propagator, inter_satellite=None,
        )  # fmt: skip
        satellites = ephemeris(topology)
        assert len(satellites) == 19
        days, parts = np.array([2_460_493.5, 2_460_495.5]), np.array([0.5, 0.75])
        everywhere = satellites.teme(days, parts)
        assert [array.shape for array in everywhere] == [(19, 2, 3), (19, 2, 3), (19, 2)]
        chosen = np.array([18, 0, 11, 12])
        some = satellites.teme(days, parts, chosen)
        for mine, all_of_them in zip(some, everywhere, strict=True):
            assert np.array_equal(mine, all_of_them[chosen])
        one = satellites.ecef(2_460_495.5, 0.75)[0]
        radius = np.linalg.norm(everywhere[0][:, 1], axis=1)
        assert np.linalg.norm(one, axis=1) == pytest.approx(radius, rel=1e-14)
        assert one[:, 2] == pytest.approx(everywhere[0][:, 1, 2], abs=1e-8)


@pytest.mark.parametrize(("propagator", "tolerance"), [("sgp4", 2e-4), ("circular_j2", 1e-6)])
def test_velocity_is_the_derivative_of_position(propagator: str, tolerance: float) -> None:
    """SGP4 differentiates its short-period terms to first order only."""
    fleet = round_fleet(9, eccentricity=0.01)
    satellites = ephemeris(of_fleet(fleet, propagator=propagator))
    step = 0.5 / 86_400
    position, velocity, _ = satellites.teme(
        np.full(3, 2_460_660.5), np.array([0.5 - step, 0.5, 0.5 + step])
    )
    slope = position[:, 2] - position[:, 0]
    assert slope == pytest.approx(velocity[:, 1], abs=tolerance)


def test_a_satellite_that_fails_keeps_its_row_and_says_why() -> None:
    good = round_fleet(2, epoch_jd=2_453_909.5)
    bad = table_of([("BAD", Satrec.twoline2rv(*FAILING), FAILING)])
    columns = {
        name: getattr(good, name)[:1] + getattr(bad, name) + getattr(good, name)[1:]
        if isinstance(getattr(good, name), tuple)
        else np.insert(getattr(good, name), 1, getattr(bad, name))
        for name in ElementTable.model_fields
        if getattr(good, name) is not None
    }
    topology = of_fleet(ElementTable(**columns))
    epoch = float(bad.epoch_jd[0]), float(bad.epoch_fraction[0])
    position, valid = ephemeris(topology).ecef(*epoch)
    assert valid.tolist() == [True, False, True]
    assert np.isnan(position[1]).all()
    assert np.isfinite(position[[0, 2]]).all()
    (failure,) = propagation_errors(topology, *epoch)
    assert failure.satellite == 1
    assert failure.code == 3
    assert failure.reason == "the perturbed eccentricity leaves the range 0 to 1"


def test_a_decayed_satellite_is_reported() -> None:
    topology = of_fleet(round_fleet(3, mean_motion_rev_per_day=16.4, bstar=0.5))
    assert propagation_errors(topology, 2_460_659.5, 0.25) == ()
    reasons = {failure.reason for failure in propagation_errors(topology, 2_460_680.5, 0.0)}
    assert reasons <= {
        "the satellite has decayed", "the mean eccentricity leaves the range 0 to 1",
        "the mean motion falls below zero", "the semi-latus rectum falls below zero",
    }  # fmt: skip
    assert reasons


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


def test_an_ephemeris_is_made_once_for_a_topology() -> None:
    topology = of_fleet(round_fleet(3))
    made = ephemeris(topology)
    assert ephemeris(topology) is made
    others = [of_fleet(round_fleet(count)) for count in range(1, 6)]
    assert [len(ephemeris(other)) for other in others] == [1, 2, 3, 4, 5]
    assert len(ephemeris(others[-1])) == 5
    again = ephemeris(topology)
    assert np.array_equal(again.ecef(2_460_660.5, 0.1)[0], made.ecef(2_460_660.5, 0.1)[0])


def test_arrays_of_earlier_steps_stay_as_they_were() -> None:
    for propagator in ("sgp4", "circular_j2"):
        satellites = ephemeris(of_fleet(round_fleet(4), propagator=propagator))
        first, _ = satellites.ecef(2_460_660.5, 0.1)
        kept = first.copy()
        satellites.ecef(2_460_660.5, 0.2)
        assert np.array_equal(first, kept)
        assert not math.isclose(first[0, 0], satellites.ecef(2_460_660.5, 0.2)[0][0, 0])


def test_position_beyond_twice_the_apogee_is_masked_though_sgp4_sees_no_error() -> None:
    # A satellite that is about to fall, 36 days later; the elements are of 2024-12-15.
    falling = ElementTable(
        name=("FALLING",),
        catalogue_number=[50811],
        epoch_jd=[2_460_659.5],
        epoch_fraction=[0.48729167],
        inclination_deg=[53.2117],
        raan_deg=[3.4109],
        eccentricity=[0.0001642],
        argument_of_perigee_deg=[81.3465],
        mean_anomaly_deg=[349.7599],
        mean_motion_rev_per_day=[16.02076047],
        mean_motion_dot=[0.017669],
        mean_motion_ddot=[0.0],
        bstar=[0.0026776],
    )
    topology = GeneratedTopology(fleet=falling, inter_satellite=None, ground=None)
    satellites = ephemeris(topology)
    _, near = satellites.ecef(2_460_659.5, 0.5)
    assert near.all()
    later = 2_460_659.5 + 36
    assert satellites.error_codes(later, 0.0).tolist() == [0]
    position, valid = satellites.ecef(later, 0.0)
    assert not valid.any()
    assert np.isnan(position).all()
    _, _, at_many = satellites.teme(np.array([later]), np.array([0.0]), np.array([0]))
    assert not at_many.any()
    (failure,) = propagation_errors(topology, later, 0.0)
    assert "twice the apogee" in failure.reason
