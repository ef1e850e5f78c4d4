"""Generated topologies: another program's full output, structure, moving ground, determinism."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pytest
from pydantic import ValidationError

from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.continuum import Continuum, NodeTable, PositionSeries, TimeGrid
from leotrek_opt.models.ground_links import FibreLinks, GroundLinks
from leotrek_opt.models.inter_satellite import PlusGrid
from leotrek_opt.models.topology import ExplicitTopology, GeneratedTopology
from leotrek_opt.topology.frames import geodetic_to_ecef
from leotrek_opt.topology.freeze import freeze
from leotrek_opt.topology.generated import topology_generator
from leotrek_opt.topology.materialise import materialise
from leotrek_opt.topology.positions import positions
from leotrek_opt.topology.series import LinkSeries, Snapshot
from leotrek_opt.topology.sgp4_ephemeris import Sgp4Ephemeris

EPOCH = datetime(2025, 6, 1, tzinfo=UTC)
PLACES = [(48.2, 16.4), (32.5, -106.6), (0.0, 0.0), (-30.0, 150.0)]


def continuum(
    shell: WalkerShell,
    places: list[tuple[float, float]],
    time: TimeGrid | None = None,
    kinds: tuple[str, ...] | None = None,
    moving: bool = False,
    **topology: object,
) -> Continuum:
    satellites = shell.planes * shell.satellites_per_plane
    count = satellites + len(places)
    latitude, longitude = np.array(places).T
    steps = time.steps if time is not None and moving else 1
    return Continuum(
        nodes=NodeTable(
            id=tuple(f"n{k}" for k in range(count)),
            kind=("satellite",) * satellites + (kinds or ("ground_station",) * len(places)),  # type: ignore[arg-type]
            architecture=("arm64",) * count,
            capacity={},
        ),
        time=time or TimeGrid(),
        positions=(
            PositionSeries(
                node=np.arange(satellites, count),
                latitude_deg=latitude + np.arange(steps)[:, None],
                longitude_deg=np.tile(longitude, (steps, 1)),
                altitude_km=np.zeros((steps, len(places))),
            ),
        ),
        topology=GeneratedTopology(shells=(shell,), epoch=EPOCH, **topology),  # type: ignore[arg-type]
    )


def small(**changes: object) -> Continuum:
    shell = WalkerShell(
        planes=12, satellites_per_plane=10, phasing=5, inclination_deg=53.0, altitude_km=550.0
    )
    values = {
        "time": TimeGrid(steps=6, step_s=120.0),
        "ground": GroundLinks(min_elevation_deg=10.0),
    }
    return continuum(shell, PLACES, **(values | changes))  # type: ignore[arg-type]


def rows(snapshot: Snapshot) -> list[tuple[int, int, int, int | None]]:
    bandwidth = snapshot.bandwidth_bps
    return list(
        zip(
            snapshot.source.tolist(),
            snapshot.target.tolist(),
            snapshot.latency_ns.tolist(),
            [None] * len(snapshot) if bandwidth is None else bandwidth.tolist(),
            strict=True,
        )
    )


def test_links_are_ordered_unique_and_join_the_right_kinds() -> None:
    series = materialise(small(fibre=FibreLinks(neighbours=1)))
    pairs = list(zip(series.source.tolist(), series.target.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    assert all(source < target for source, target in pairs)
    assert sum(target < 120 for _, target in pairs) == 240
    assert 2 <= sum(source >= 120 for source, _ in pairs) <= 4
    assert series.up is not None
    assert series.up.any(axis=0).all()
    constant = (series.target < 120) | (series.source >= 120)
    assert series.up[:, constant].all()
    assert not series.up[:, ~constant].all()


def test_every_snapshot_is_what_the_generator_streams() -> None:
    made = small(fibre=FibreLinks(neighbours=2))
    series, generator = materialise(made), topology_generator(made)
    for step in reversed(range(6)):
        assert rows(generator.snapshot(step)) == rows(series.snapshot(step))


def test_latency_is_length_over_speed_to_the_nanosecond() -> None:
    made = small(
        inter_satellite=PlusGrid(signal_speed_km_s=200_000.0),
        ground=GroundLinks(min_elevation_deg=10.0, signal_speed_km_s=100_000.0),
    )
    where = positions(made, 3)
    point = geodetic_to_ecef(*where)
    snapshot = materialise(made).snapshot(3)
    length = np.linalg.norm(point[snapshot.source] - point[snapshot.target], axis=1)
    speed = np.where(snapshot.target < 120, 200_000.0, 100_000.0)
    assert np.abs(snapshot.latency_ns - length / speed * 1e9).max() < 0.51


def test_bandwidths_follow_the_kind_of_link() -> None:
    made = small(
        inter_satellite=PlusGrid(bandwidth_mbps=10_000.0),
        ground=GroundLinks(min_elevation_deg=10.0, bandwidth_mbps=500.5),
        fibre=FibreLinks(neighbours=1, bandwidth_mbps=100_000.0),
    )
    series = materialise(made)
    assert series.bandwidth_bps is not None
    expected = np.where(
        series.target < 120, 10**10, np.where(series.source < 120, 500_500_000, 10**11)
    )
    assert (series.bandwidth_bps == expected).all()


def test_limited_and_unlimited_links_do_not_mix() -> None:
    with pytest.raises(ValidationError, match="for every kind of link, or for none"):
        small(inter_satellite=PlusGrid(bandwidth_mbps=10.0))


def test_kinds_of_links_can_be_left_out() -> None:
    only_ground = materialise(small(inter_satellite=None))
    assert (only_ground.target >= 120).all()
    only_space = materialise(small(ground=None))
    assert len(only_space.source) == 240
    assert only_space.up is None
    nothing = materialise(small(ground=None, inter_satellite=None))
    assert len(nothing.source) == 0


def test_fibre_joins_the_named_kinds_only() -> None:
    series = materialise(
        small(
            kinds=("edge", "cloud", "edge", "cloud"),
            fibre=FibreLinks(kinds=("cloud",)),
            ground=None,
            inter_satellite=None,
        )
    )
    assert list(zip(series.source.tolist(), series.target.tolist(), strict=True)) == [(121, 123)]


def test_ground_nodes_may_move() -> None:
    moving, standing = (small(moving=value, fibre=FibreLinks()) for value in (True, False))
    assert rows(materialise(moving).snapshot(0)) == rows(materialise(standing).snapshot(0))
    assert rows(materialise(moving).snapshot(5)) != rows(materialise(standing).snapshot(5))
    where = positions(moving, 5)
    assert where.latitude_deg[120:] == pytest.approx(np.array(PLACES)[:, 0] + 5)


@pytest.mark.parametrize("moving", [False, True])
@pytest.mark.parametrize("bandwidth_mbps", [None, 333.333333])
def test_frozen_continuum_is_the_one_that_was_generated(
    moving: bool, bandwidth_mbps: float | None
) -> None:
    made = small(
        moving=moving,
        inter_satellite=PlusGrid(bandwidth_mbps=bandwidth_mbps, max_range_km=4000.0),
        ground=GroundLinks(min_elevation_deg=10.0, bandwidth_mbps=bandwidth_mbps),
        fibre=FibreLinks(neighbours=1, bandwidth_mbps=bandwidth_mbps),
    )
    frozen = freeze(made)
    assert isinstance(frozen.topology, ExplicitTopology)
    again = Continuum.model_validate_json(frozen.model_dump_json())
    assert again == frozen
    series, refrozen = materialise(made), materialise(again)
    assert refrozen.digest == series.digest
    for step in range(6):
        assert rows(refrozen.snapshot(step)) == rows(series.snapshot(step))
        for mine, theirs in zip(positions(made, step), positions(again, step), strict=True):
            assert (mine == theirs).all()


def test_frozen_continuum_says_when_its_recipe_began() -> None:
    made = small()
    assert made.time.start is None
    assert isinstance(made.topology, GeneratedTopology)
    assert freeze(made).time.start == made.topology.epoch


def test_freezing_an_explicit_continuum_changes_nothing() -> None:
    frozen = freeze(small())
    assert freeze(frozen) is frozen


SCRIPT = """
import sys
from leotrek_opt.models.continuum import Continuum
from leotrek_opt.topology.materialise import materialise
print(materialise(Continuum.model_validate_json(sys.stdin.read())).digest)
"""


def test_two_processes_give_the_same_bytes() -> None:
    made = small(fibre=FibreLinks())
    other = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=made.model_dump_json(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == materialise(made).digest


def test_explicit_series_do_not_load_the_generator() -> None:
    """SGP4 and scipy stay out of a process that only reads explicit documents."""
    script = SCRIPT + "\nassert not {'sgp4', 'scipy'} & set(sys.modules)"
    made = small()
    subprocess.run(
        [sys.executable, "-c", script],
        input=freeze(made).model_dump_json(),
        capture_output=True,
        text=True,
        check=True,
    )


def test_a_lost_satellite_keeps_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    made = small()
    original = Sgp4Ephemeris.ecef
    lost_at = topology_generator(made).satellites(2).day_fraction

    def losing(
        self: Sgp4Ephemeris, julian_day: float, fraction: float, out: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        position, valid = original(self, julian_day, fraction, out)
        if fraction == lost_at:
            valid = valid.copy()
            position[5], valid[5] = np.nan, False
        return position, valid

    monkeypatch.setattr(Sgp4Ephemeris, "ecef", losing)
    series = materialise(made)
    lost = series.snapshot(2)
    assert not ((lost.source == 5) | (lost.target == 5)).any()
    assert ((series.snapshot(3).source == 5) | (series.snapshot(3).target == 5)).sum() >= 4
    where = positions(made, 2)
    assert np.isnan(where.latitude_deg[5])
    frozen = freeze(made)
    assert materialise(frozen).digest == series.digest
    assert np.isnan(positions(frozen, 3).latitude_deg[5])


def test_series_equality_is_by_content() -> None:
    assert isinstance(materialise(small()), LinkSeries)
    assert materialise(small()) == materialise(small())
    assert materialise(small()) != materialise(small(time=TimeGrid(steps=6, step_s=121.0)))
