"""Ground links: slant ranges at the mask, strategies, beams, handover, ties, and who is seen."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.errors import InputError
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.models.link_models import RfLink
from leotrek_opt.topology import ground
from leotrek_opt.topology.frames import geodetic_to_ecef, geodetic_up
from leotrek_opt.topology.ground import GroundChoice, GroundPlaces, ground_links
from leotrek_opt.topology.link_models import bandwidth_bps
from leotrek_opt.topology.state import SatelliteState

Triples = list[tuple[int, int, float]]
Pairs = list[tuple[int, int]]


def stations(places: np.ndarray) -> GroundPlaces:
    """Rows of latitude, longitude and altitude."""
    latitude, longitude, altitude = places.T
    return GroundPlaces(
        geodetic_to_ecef(latitude, longitude, altitude),
        geodetic_up(latitude, longitude),
        latitude,
        longitude,
    )


def state(position_km: np.ndarray, valid: np.ndarray | None = None) -> SatelliteState:
    everything = np.ones(len(position_km), dtype=bool)
    return SatelliteState(
        step=0,
        time=datetime(2025, 6, 1, tzinfo=UTC),
        julian_day=2_460_827.5,
        day_fraction=0.0,
        position_km=position_km,
        valid=everything if valid is None else valid,
    )


def choice(
    places: np.ndarray,
    satellites: np.ndarray,
    valid: np.ndarray | None = None,
    held: Pairs | None = None,
    remaining_s: ground.RemainingS | None = None,
    **rule: object,
) -> GroundChoice:
    """Places and satellites as rows (latitude, longitude, altitude)."""
    values = {"strategy": "all_visible", "min_elevation_deg": 25.0} | rule
    held_columns = None
    if held is not None:
        first, second = np.array(held, dtype=np.int64).reshape(-1, 2).T
        held_columns = (first, second)
    return ground_links(
        stations(places),
        state(geodetic_to_ecef(*satellites.T), valid),
        GroundLinks(**values),  # type: ignore[arg-type]
        held=held_columns,
        remaining_s=remaining_s,
    )


def pairs(found: GroundChoice) -> Pairs:
    return list(zip(found.ground.tolist(), found.satellite.tolist(), strict=True))


def links(
    places: np.ndarray, satellites: np.ndarray, valid: np.ndarray | None = None, **rule: object
) -> Triples:
    found = choice(places, satellites, valid, **rule)
    columns = (found.ground, found.satellite, found.length_km)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize(
    ("altitude_km", "elevation_deg", "range_km"),
    [
        (550, 25, 1123.4),
        (550, 40, 812.1),
        (540, 25, 1105.2),
        (630, 35, 1012.5),
        (630, 30, 1124.1),
        (1200, 55, 1411.9),
        (1200, 5, 3574.0),
        (1015, 10, 2791.7),
        (780, 8.2, 2464.6),
    ],
)
def test_slant_range_at_an_elevation(
    altitude_km: float, elevation_deg: float, range_km: float
) -> None:
    """Seen from the equator along the equator: sqrt((R + h)^2 - R^2 cos^2 e) - R sin e."""
    radius = 6378.137
    elevation = np.radians(elevation_deg)
    angle = np.degrees(np.arccos(radius * np.cos(elevation) / (radius + altitude_km)) - elevation)
    place = np.array([[0.0, 0.0, 0.0]])
    satellites = np.array([[0.0, angle - 1e-4, altitude_km], [0.0, angle + 1e-4, altitude_km]])
    found = links(place, satellites, min_elevation_deg=elevation_deg)
    assert [(row, satellite) for row, satellite, _ in found] == [(0, 0)]
    assert found[0][2] == pytest.approx(range_km, abs=0.1)


def test_up_is_the_geodetic_normal() -> None:
    """At 45 degrees it leans 0.19 degrees from the geocentric one, which shows at the mask."""
    place = np.array([[45.0, 0.0, 0.0]])
    base, normal = geodetic_to_ecef(*place.T), geodetic_up(45.0, 0.0)
    north = np.array([-np.sin(np.radians(45)), 0.0, np.cos(np.radians(45))])
    for elevation_deg, seen in ((25.01, 1), (24.99, 0)):
        e = np.radians(elevation_deg)
        satellite = base + 1000 * (np.sin(e) * normal + np.cos(e) * north)
        found = ground_links(stations(place), state(satellite), GroundLinks())
        assert len(found) == seen
        assert found.elevation_rad == pytest.approx([e] * seen, abs=1e-12)


OVERHEAD = np.array([[0.0, d, 550.0] for d in (3.0, -1.0, 2.0, 1.0, -4.0)])
ORIGIN = np.array([[0.0, 0.0, 0.0]])


def test_nearest_takes_the_closest_and_ties_go_to_the_smaller_index() -> None:
    found = links(ORIGIN, OVERHEAD, strategy="nearest", max_links=3)
    assert [satellite for _, satellite, _ in found] == [1, 2, 3]
    found = links(ORIGIN, OVERHEAD, strategy="nearest", max_links=1)
    assert [satellite for _, satellite, _ in found] == [1]


def test_best_elevation_prefers_height_over_closeness() -> None:
    satellites = np.array([[0.0, 2.0, 550.0], [0.0, 0.5, 1200.0]])
    nearest = links(ORIGIN, satellites, strategy="nearest", max_links=1)
    highest = links(ORIGIN, satellites, strategy="best_elevation", max_links=1)
    assert nearest[0][1] == 0
    assert highest[0][1] == 1


def test_all_visible_keeps_every_one_and_lost_satellites_have_none() -> None:
    valid = np.array([True, True, False, True, True])
    found = links(ORIGIN, OVERHEAD, valid, strategy="all_visible", max_links=1)
    assert [satellite for _, satellite, _ in found] == [0, 1, 3, 4]


def test_nothing_above_the_mask_is_no_link() -> None:
    far = np.array([[0.0, 90.0, 550.0]])
    assert links(ORIGIN, far) == []
    assert links(ORIGIN, OVERHEAD, np.zeros(5, dtype=bool)) == []
    assert links(np.empty((0, 3)), OVERHEAD) == []


def test_satellites_that_are_not_valid_are_never_chosen() -> None:
    """Not even where a position is left over, and unknown positions disturb nobody."""
    position = geodetic_to_ecef(*OVERHEAD.T)
    position[0] = np.nan
    valid = np.array([False, False, True, True, True])
    for rule in (GroundLinks(), GroundLinks(min_elevation_deg=None, max_range_km=2000.0)):
        assert pairs(ground_links(stations(ORIGIN), state(position, valid), rule)) == [
            (0, 2), (0, 3), (0, 4),
        ]  # fmt: skip


def test_range_alone_decides_without_a_mask() -> None:
    """Then a satellite below the horizon counts too, as in Hypatia's flat cone."""
    below = np.array([[0.0, 40.0, 550.0], [0.0, 5.0, 550.0], [0.0, 60.0, 550.0]])
    rule = {"min_elevation_deg": None, "max_range_km": 5000.0}
    found = choice(ORIGIN, below, **rule)
    assert pairs(found) == [(0, 0), (0, 1)]
    assert found.elevation_rad[0] < 0 < found.elevation_rad[1]


def test_mask_and_range_both_bind_and_the_range_counts_itself() -> None:
    satellites = np.array([[0.0, 0.0, 550.0], [0.0, 0.0, 600.0], [0.0, 2.0, 500.0]])
    rule = {"max_range_km": 550.0, "min_elevation_deg": 80.0}
    assert pairs(choice(ORIGIN, satellites, **rule)) == [(0, 0)]
    assert pairs(choice(ORIGIN, satellites, **rule | {"max_range_km": 549.999})) == []


RADIO = RfLink(
    frequency_ghz=20.0,
    channel_mhz=100.0,
    eirp_dbw=30.0,
    gain_over_temperature_db_k=10.0,
    max_spectral_efficiency=4.0,
)


def test_k_best_takes_the_highest_rate_then_the_nearest() -> None:
    """The cap of the modulation makes the two nearest equal in rate; distance decides."""
    satellites = np.array([[0.0, 0.0, 600.0], [0.0, 0.0, 550.0], [0.0, 0.0, 2000.0]])
    found = choice(ORIGIN, satellites, strategy="k_best", max_links=3, link_model=RADIO)
    assert found.bandwidth_bps is not None
    assert found.bandwidth_bps.tolist() == bandwidth_bps(RADIO, [600.0, 550.0, 2000.0]).tolist()
    assert found.bandwidth_bps[0] == found.bandwidth_bps[1] == 400_000_000 > found.bandwidth_bps[2]
    one = choice(ORIGIN, satellites, strategy="k_best", max_links=1, link_model=RADIO)
    assert pairs(one) == [(0, 1)]
    assert pairs(choice(ORIGIN, satellites, strategy="k_best", max_links=1)) == [(0, 1)]


def test_a_link_that_would_carry_nothing_is_none() -> None:
    deaf = RADIO.replace(min_snr_db=9.0)
    satellites = np.array([[0.0, 0.0, 550.0], [0.0, 0.0, 1200.0]])
    assert bandwidth_bps(deaf, [550.0, 1200.0]).tolist() == [400_000_000, 0]
    for strategy in ("all_visible", "nearest", "k_best"):
        assert pairs(choice(ORIGIN, satellites, strategy=strategy, link_model=deaf)) == [(0, 0)]


def test_longest_contact_takes_what_is_left_from_the_callback() -> None:
    left_s = np.array([10.0, 50.0, 50.0004, np.nan, 70.0])

    def remaining_s(rows: np.ndarray, satellites: np.ndarray) -> np.ndarray:
        assert (rows == 0).all()
        return left_s[satellites]

    rule = {"strategy": "longest_contact", "remaining_s": remaining_s}
    assert pairs(choice(ORIGIN, OVERHEAD, max_links=2, **rule)) == [(0, 1), (0, 4)]
    assert pairs(choice(ORIGIN, OVERHEAD, max_links=3, **rule)) == [(0, 1), (0, 2), (0, 4)]
    with pytest.raises(InputError, match="remaining_s: the strategy longest_contact needs it"):
        choice(ORIGIN, OVERHEAD, strategy="longest_contact")


def test_handover_when_lost_keeps_what_is_still_seen() -> None:
    """Satellites 0, 2 and 4 were held; 4 is out of sight, so its antenna goes to the nearest."""
    satellites = OVERHEAD.copy()
    satellites[4, 1] = 30.0
    held = [(0, 0), (0, 2), (0, 4)]
    rule = {"strategy": "nearest", "max_links": 3}
    kept = choice(ORIGIN, satellites, held=held, handover="when_lost", **rule)
    assert pairs(kept) == [(0, 0), (0, 1), (0, 2)]
    anew = choice(ORIGIN, satellites, held=held, handover="immediate", **rule)
    assert pairs(anew) == [(0, 1), (0, 2), (0, 3)]
    first = choice(ORIGIN, satellites, held=[], handover="when_lost", **rule)
    assert pairs(first) == pairs(anew)
    assert pairs(choice(ORIGIN, satellites, handover="when_lost", **rule)) == pairs(anew)


def test_held_links_come_first_where_beams_are_scarce() -> None:
    places = np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    satellites = np.array([[0.0, 0.0, 550.0]])
    rule = {"strategy": "nearest", "max_links": 1, "satellite_beams": 1}
    assert pairs(choice(places, satellites, **rule)) == [(0, 0)]
    held = choice(places, satellites, held=[(1, 0)], handover="when_lost", **rule)
    assert pairs(held) == [(1, 0)]


def test_beams_limit_every_strategy_best_links_first() -> None:
    places = np.array([[0.0, 0.5, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    satellites = np.array([[0.0, 0.0, 550.0], [0.0, 3.0, 550.0]])
    everything = choice(places, satellites, satellite_beams=2)
    assert pairs(everything) == [(0, 0), (0, 1), (1, 0), (2, 1)]
    one = choice(places, satellites, strategy="nearest", max_links=1, satellite_beams=1)
    assert pairs(one) == [(1, 0), (2, 1)]


def test_equal_pairs_go_to_the_smaller_place() -> None:
    places = np.array([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]])
    satellites = np.array([[0.0, 0.0, 550.0]])
    assert pairs(choice(places, satellites, satellite_beams=1)) == [(0, 0)]


def scattered(seed: int, places: int, satellites: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return (
        np.column_stack(
            (
                random.uniform(-90, 90, places),
                random.uniform(-180, 180, places),
                random.uniform(0, 10, places),
            )
        ),
        np.column_stack(
            (
                random.uniform(-60, 60, satellites),
                random.uniform(-180, 180, satellites),
                random.choice([400.0, 550.0, 1300.0, 35_786.0], satellites),
            )
        ),
    )


def defined(places: np.ndarray, satellites: np.ndarray, rule: GroundLinks) -> Pairs:
    """Make the choice by its definition, one pair at a time."""
    base, up = geodetic_to_ecef(*places.T), geodetic_up(*places.T[:2])
    orbit = geodetic_to_ecef(*satellites.T)
    seen = []
    for row in range(len(places)):
        sight = orbit - base[row]
        length = np.linalg.norm(sight, axis=1)
        sine = sight @ up[row] / length
        for k in range(len(satellites)):
            high = rule.min_elevation_deg is None or (
                sine[k] >= np.sin(np.radians(rule.min_elevation_deg))
            )
            near = rule.max_range_km is None or length[k] <= rule.max_range_km
            if high and near:
                worth = -sine[k] if rule.strategy == "best_elevation" else length[k]
                seen.append((worth, row, k))
    antennas = len(satellites) if rule.strategy == "all_visible" else rule.max_links
    beams = rule.satellite_beams or len(places)
    room, room_above = [antennas] * len(places), [beams] * len(satellites)
    taken = []
    for _, row, k in sorted(seen):
        if room[row] and room_above[k]:
            room[row] -= 1
            room_above[k] -= 1
            taken.append((row, k))
    return sorted(taken)


@pytest.mark.parametrize("beams", [None, 1, 2])
@pytest.mark.parametrize("strategy", ["all_visible", "nearest", "best_elevation"])
@pytest.mark.parametrize(
    ("mask", "reach_km"),
    [(0.0, None), (25.0, None), (60.0, None), (89.0, None), (25.0, 900.0), (None, 1500.0)],
)
def test_choice_is_the_one_that_its_definition_gives(
    strategy: str,
    mask: float | None,
    reach_km: float | None,
    beams: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    places, satellites = scattered(3, 40, 300)
    # Some places right below satellites, or nothing would be seen at 89 degrees.
    places[:10, :2] = satellites[:10, :2] + 0.02
    rule = GroundLinks(
        strategy=strategy,  # type: ignore[arg-type]
        min_elevation_deg=mask,
        max_range_km=reach_km,
        max_links=3,
        satellite_beams=beams,
    )
    at = (stations(places), state(geodetic_to_ecef(*satellites.T)))
    found = ground_links(*at, rule)
    assert pairs(found) == defined(places, satellites, rule) != []
    for cells in (1, 700, 2**30):
        monkeypatch.setattr(ground, "_BLOCK_CELLS", cells)
        assert pairs(ground_links(*at, rule)) == pairs(found)


@given(
    seed=st.integers(0, 10**6),
    antennas=st.integers(1, 3),
    beams=st.integers(1, 3),
    spread=st.sampled_from([0.0, 1.0, 20.0]),
)
def test_greedy_rounds_take_what_going_one_by_one_takes(
    seed: int, antennas: int, beams: int, spread: float
) -> None:
    """Places crowded together compete for the same satellites, which takes most rounds."""
    random = np.random.default_rng(seed)
    places = np.column_stack((random.uniform(-spread, spread, (12, 2)), np.zeros(12)))
    satellites = np.column_stack((random.uniform(-8, 8, (15, 2)), np.full(15, 550.0)))
    rule = GroundLinks(strategy="nearest", max_links=antennas, satellite_beams=beams)
    found = ground_links(stations(places), state(geodetic_to_ecef(*satellites.T)), rule)
    if spread:
        assert pairs(found) == defined(places, satellites, rule)
    counts = np.bincount(found.ground), np.bincount(found.satellite)
    assert counts[0].max(initial=0) <= antennas
    assert counts[1].max(initial=0) <= beams
