"""+Grid of Walker shells: which pairs, which shift, and what the seam does."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.continuum import TimeGrid
from leotrek_opt.models.inter_satellite import PlusGrid
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.instants import julian_date
from leotrek_opt.topology.propagation import satellite_ecef
from leotrek_opt.topology.state import LinkPairs, SatelliteState
from leotrek_opt.topology.strategies import inter_satellite_strategy
from leotrek_opt.topology.strategies.plus_grid import cross_link_shift, plus_grid
from leotrek_opt.topology.strategies.sight import link_lengths

LIGHT_KM_S = 299_792.458
EPOCH = datetime(2024, 7, 2, tzinfo=UTC)


def shell(planes: int, slots: int, **changes: object) -> WalkerShell:
    values = {"inclination_deg": 53.0, "altitude_km": 550.0} | changes
    return WalkerShell(planes=planes, satellites_per_plane=slots, **values)  # type: ignore[arg-type]


def positions(*shells: WalkerShell) -> np.ndarray:
    return satellite_ecef(GeneratedTopology(shells=shells, epoch=EPOCH), TimeGrid(), 0)[0]


def state_of(topology: GeneratedTopology, step: int) -> SatelliteState:
    position, valid = satellite_ecef(topology, TimeGrid(steps=10), step)
    return SatelliteState(step, EPOCH, *julian_date(EPOCH), position, valid)


def circular(made: WalkerShell, radius_km: float, turns: float = 0.0) -> np.ndarray:
    """Where exact circles put the satellites, some turns after the epoch."""
    plane, slot = np.divmod(
        np.arange(made.planes * made.satellites_per_plane), made.satellites_per_plane
    )
    node = 2 * np.pi * plane / made.planes * (1.0 if made.pattern == "delta" else 0.5)
    latitude = (
        2
        * np.pi
        * (
            turns
            + slot / made.satellites_per_plane
            + made.phasing * plane / (made.planes * made.satellites_per_plane)
        )
    )
    inclination = np.radians(made.inclination_deg)
    return radius_km * np.stack(
        (
            np.cos(node) * np.cos(latitude) - np.sin(node) * np.sin(latitude) * np.cos(inclination),
            np.sin(node) * np.cos(latitude) + np.cos(node) * np.sin(latitude) * np.cos(inclination),
            np.sin(latitude) * np.sin(inclination),
        ),
        axis=1,
    )


def lengths(position: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    return np.linalg.norm(position[source] - position[target], axis=1)


def grid(made: WalkerShell, **rule: object) -> set[tuple[int, int]]:
    values = {"cross_link_shift": 0} | rule
    source, target, _ = plus_grid([made], PlusGrid(**values), np.empty((0, 3)))  # type: ignore[arg-type]
    return set(zip(source.tolist(), target.tolist(), strict=True))


def test_pairs_of_a_small_grid() -> None:
    """Three planes of four, F = 1: the seam from plane 2 to plane 0 goes one slot further."""
    rings = {(0, 1), (1, 2), (2, 3), (0, 3)}
    rings |= {(a + 4 * p, b + 4 * p) for p in (1, 2) for a, b in rings}
    straight = {(k, k + 4) for k in range(8)}
    seam = {(1, 8), (2, 9), (3, 10), (0, 11)}
    assert grid(shell(3, 4, phasing=1)) == rings | straight | seam


@pytest.mark.parametrize("seam", ["phased", "unshifted"])
@pytest.mark.parametrize("shift", [0, -1, 3, 25])
@pytest.mark.parametrize(("planes", "slots"), [(3, 3), (5, 4), (72, 22)])
def test_every_satellite_has_four_neighbours(
    planes: int, slots: int, shift: int, seam: str
) -> None:
    source, target, _ = plus_grid(
        [shell(planes, slots, phasing=2)],
        PlusGrid(cross_link_shift=shift, seam=seam),  # type: ignore[arg-type]
        np.empty((0, 3)),
    )
    assert len(source) == 2 * planes * slots
    assert (np.bincount(np.concatenate((source, target))) == 4).all()
    assert (source < target).all()


def test_no_pair_is_listed_twice_in_thin_shells() -> None:
    assert grid(shell(1, 5)) == {(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)}
    assert grid(shell(1, 2)) == {(0, 1)}
    assert grid(shell(1, 1)) == set()
    assert grid(shell(2, 1)) == {(0, 1)}
    assert grid(shell(2, 2)) == {(0, 1), (2, 3), (0, 2), (1, 3)}
    assert grid(shell(3, 1)) == {(0, 1), (1, 2), (0, 2)}
    # Two planes meet again across the seam, in other slots.
    assert grid(shell(2, 3, phasing=1)) >= {(0, 3), (1, 4), (2, 5), (1, 3), (2, 4), (0, 5)}


def test_an_open_seam_and_a_star_have_no_link_across() -> None:
    across = {(0, 8), (1, 9), (2, 10), (3, 11)}
    assert grid(shell(3, 4)) >= across
    assert not grid(shell(3, 4), seam="none") & across
    assert not grid(shell(3, 4, pattern="star", inclination_deg=87.9)) & across
    assert len(grid(shell(3, 4, pattern="star", inclination_deg=87.9))) == 12 + 8


def test_shells_are_not_joined() -> None:
    shells = [shell(3, 3), shell(4, 3)]
    source, target, _ = plus_grid(shells, PlusGrid(), positions(*shells))
    assert len(source) == 2 * (9 + 12)
    assert ((source < 9) == (target < 9)).all()


def test_in_plane_links_are_chords_of_the_circle() -> None:
    """Length 2 a sin(pi / S)."""
    made = shell(3, 22)
    source, target, _ = plus_grid([made], PlusGrid(cross_link_shift=0), np.empty((0, 3)))
    in_plane = source // 22 == target // 22
    expected = 2 * 6928.137 * np.sin(np.pi / 22)
    exact = circular(made, 6928.137)
    assert lengths(exact, source, target)[in_plane] == pytest.approx(expected, rel=1e-12)
    # The flattening of the Earth moves real satellites by some 10 km in height.
    propagated = lengths(positions(made), source, target)[in_plane]
    assert propagated == pytest.approx(expected, rel=4e-3)


@pytest.mark.parametrize(
    ("phasing", "shift", "shortest", "longest"),
    [
        # 72 planes of 22 at 550 km and 53 degrees, as the topology reference computes them.
        (0, 0, 364, 604),
        (0, -1, 1610, 1681),
        (1, 0, 391, 621),
        (11, 0, 666, 822),
        (11, -1, 1310, 1396),
        (18, 0, 858, 984),
        (18, -1, 1118, 1218),
        (39, 0, 1432, 1511),
        (39, -1, 542, 726),
    ],
)
def test_cross_links_have_the_known_range_all_round(
    phasing: int, shift: int, shortest: float, longest: float
) -> None:
    """The seam included: it takes up the phase that the planes have gathered."""
    made = shell(72, 22, phasing=phasing)
    source, target, _ = plus_grid([made], PlusGrid(cross_link_shift=shift), np.empty((0, 3)))
    cross = source // 22 != target // 22
    length = np.concatenate(
        [
            lengths(circular(made, 6928.137, turns), source[cross], target[cross])
            for turns in np.linspace(0, 1 / 22, 8)
        ]
    )
    assert length.min() == pytest.approx(shortest, abs=1.0)
    assert length.max() == pytest.approx(longest, abs=1.0)


def test_an_unshifted_seam_goes_through_the_earth() -> None:
    """F = 18 with 14 satellites per plane: chords of some 10,070 km, as published by others."""
    made = shell(72, 14, phasing=18)
    position = positions(made)
    rule = PlusGrid(cross_link_shift=0, seam="unshifted")
    source, target, _ = plus_grid([made], rule, position)
    length, up = link_lengths(position, np.ones(1008, dtype=bool), LinkPairs(source, target), rule)
    seam = (source // 14 == 0) & (target // 14 == 71)
    assert seam.sum() == 14
    assert not up[seam].any()
    assert up[~seam].all()
    assert length[seam] == pytest.approx(10_070, rel=5e-3)


def test_cross_links_of_the_wildfire_shell_at_the_speed_of_light() -> None:
    """Published as 6.45 to 7.03 ms at 17.31/29.5 of the speed of light, on a sphere of 6371 km."""
    made = shell(72, 14, phasing=18)
    position = positions(made)
    source, target, _ = plus_grid([made], PlusGrid(), position)
    cross = source // 14 != target // 14
    slow = LIGHT_KM_S * 17.31 / 29.5
    latency_ms = lengths(position, source, target)[cross] / slow * 1e3
    assert latency_ms.min() == pytest.approx(6.45, rel=6e-3)
    assert latency_ms.max() == pytest.approx(7.03, rel=6e-3)


@pytest.mark.parametrize(
    ("phasing", "expected"), [(0, 0), (1, 0), (11, 0), (18, 0), (39, -1), (71, -1)]
)
def test_shortest_picks_the_shift_of_the_shortest_longest_link(phasing: int, expected: int) -> None:
    made = shell(72, 22, phasing=phasing)
    position = positions(made)
    assert cross_link_shift(made, PlusGrid(), position) == expected
    longest = {}
    for shift in range(-11, 11):
        source, target, _ = plus_grid([made], PlusGrid(cross_link_shift=shift), position)
        cross = source // 22 != target // 22
        longest[shift] = lengths(position, source[cross], target[cross]).max()
    assert min(longest, key=lambda shift: longest[shift]) == expected


def test_shortest_leaves_a_poor_seam_out() -> None:
    made = shell(72, 14, phasing=18)
    rule = PlusGrid(seam="unshifted")
    assert cross_link_shift(made, rule, positions(made)) == 0


def test_a_lost_satellite_has_no_link_and_does_not_disturb_the_shift() -> None:
    made = shell(72, 22, phasing=39)
    position = positions(made)
    position[7] = np.nan
    valid = np.isfinite(position).all(axis=1)
    source, target, _ = plus_grid([made], PlusGrid(), position)
    assert cross_link_shift(made, PlusGrid(), position) == -1
    _, up = link_lengths(position, valid, LinkPairs(source, target), PlusGrid())
    assert (~up).sum() == 4
    assert not up[(source == 7) | (target == 7)].any()


def test_range_is_a_limit_of_its_own() -> None:
    made = shell(72, 22, phasing=18)
    position = positions(made)
    rule = PlusGrid(cross_link_shift=0, max_range_km=1500.0)
    source, target, _ = plus_grid([made], rule, position)
    length, up = link_lengths(position, np.ones(1584, dtype=bool), LinkPairs(source, target), rule)
    assert (up == (length <= 1500.0)).all()
    assert up.any()
    assert not up.all()


def test_links_across_are_marked() -> None:
    made = shell(5, 4, phasing=2)
    source, target, cross = plus_grid([made, made], PlusGrid(cross_link_shift=0), np.empty((0, 3)))
    assert cross is not None
    assert (cross == (source // 4 != target // 4)).all()
    assert cross.sum() == 2 * 20


def test_a_cut_off_near_the_poles_switches_links_across_off() -> None:
    made = shell(6, 11, inclination_deg=86.4, altitude_km=780.0, pattern="star", phasing=2)
    position = positions(made)
    valid = np.ones(66, dtype=bool)
    rule = PlusGrid(max_cross_plane_latitude_deg=65.0)
    pairs = plus_grid([made], rule, position)
    _, up = link_lengths(position, valid, pairs, rule)
    _, unlimited = link_lengths(position, valid, pairs, PlusGrid())
    latitude = np.degrees(np.arcsin(position[:, 2] / np.linalg.norm(position, axis=1)))
    polar = np.abs(latitude) > 65.0
    reaches_a_pole = pairs.cross_plane & (polar[pairs.source] | polar[pairs.target])
    assert reaches_a_pole.any()
    assert (up == (unlimited & ~reaches_a_pole)).all()
    assert up[~pairs.cross_plane].all()


def test_the_pattern_is_the_same_object_at_every_step() -> None:
    """What hangs on the pattern, such as a matrix of links, need not be made again."""
    topology = GeneratedTopology(shells=(shell(5, 4), shell(3, 6)), epoch=EPOCH)
    first = state_of(topology, 0)
    strategy = inter_satellite_strategy(topology, first)
    assert strategy(state_of(topology, 3)) is strategy(first)
    assert not strategy(first).source.flags.writeable
