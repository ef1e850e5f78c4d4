"""The short cut for distances never changes what lies within a radius."""

from __future__ import annotations

import numpy as np
import pytest
from tests.solvers.heuristics.scenes import continuum

from leotrek_opt.models.continuum import Continuum, PositionSeries
from leotrek_opt.solvers.heuristics.vicinity import SubPoints
from leotrek_opt.topology.positions import geodesic_km


def scattered(count: int, seed: int) -> Continuum:
    random = np.random.default_rng(seed)
    nodes = [(f"n{index}", "edge", 0.0, 0.0) for index in range(count)]
    where = continuum(nodes, [])  # type: ignore[arg-type]
    latitude = np.degrees(np.arcsin(random.uniform(-1, 1, count)))
    longitude = random.uniform(-180, 180, count)
    latitude[1:200] = latitude[0] + random.uniform(-20, 20, 199)
    longitude[1:200] = longitude[0] + random.uniform(-20, 20, 199)
    return where.replace(
        positions=(
            PositionSeries(
                node=np.arange(count),
                latitude_deg=np.clip(latitude, -90, 90)[None],
                longitude_deg=longitude[None],
                altitude_km=np.full((1, count), 550.0),
            ),
        )
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("radius_km", [200.0, 500.0, 2000.0, 9000.0])
def test_within_is_the_geodesic_comparison(seed: int, radius_km: float) -> None:
    points = SubPoints(scattered(600, seed), 0)
    nodes = np.arange(600)
    latitude, longitude, _ = points.places
    exact = geodesic_km(latitude[0], longitude[0], latitude, longitude) <= radius_km
    assert np.array_equal(points.within(0, nodes, radius_km), exact)


@pytest.mark.parametrize("bearing", [(0.0, 1.0), (1.0, 0.0), (1.0, 1.0)])
def test_within_counts_the_radius_itself(bearing: tuple[float, float]) -> None:
    """At the equator and near a pole, where the ellipsoid bends most and least."""
    for latitude in (0.0, 80.0):
        nodes = [
            ("a", "edge", latitude, 10.0),
            ("b", "edge", latitude + bearing[0], 10.0 + bearing[1]),
        ]
        points = SubPoints(continuum(nodes, []), 0)  # type: ignore[arg-type]
        distance = float(points.distance_km(0, np.array([1]))[0])
        assert points.within(0, np.array([1]), distance).tolist() == [True]
        assert points.within(0, np.array([1]), distance * (1 - 1e-12)).tolist() == [False]


def test_nodes_without_position_are_near_nothing() -> None:
    where = continuum([("a", "edge", 0.0, 0.0), ("b", "edge", 0.0, 0.0)], []).replace(positions=())
    points = SubPoints(where, 0)
    assert points.within(0, np.array([0, 1]), 500.0).tolist() == [False, False]
