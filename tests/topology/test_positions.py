"""Positions of nodes at a step, and geodesic lengths against published ones."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.continuum import Continuum, NodeTable, PositionSeries, TimeGrid
from leotrek_opt.models.topology import ExplicitTopology, GeneratedTopology
from leotrek_opt.topology.positions import geodesic_km, positions

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)


def nodes(kinds: tuple[str, ...]) -> NodeTable:
    return NodeTable(
        id=tuple(f"n{k}" for k in range(len(kinds))),
        kind=kinds,  # type: ignore[arg-type]
        architecture=("arm64",) * len(kinds),
        capacity={},
    )


def test_declared_positions_move_and_stand_and_others_are_unknown() -> None:
    continuum = Continuum(
        nodes=nodes(("edge", "edge", "satellite")),
        time=TimeGrid(steps=2),
        positions=(
            PositionSeries(
                node=[2],
                latitude_deg=[[1.0], [2.0]],
                longitude_deg=[[3.0], [4.0]],
                altitude_km=[[550.0], [551.0]],
            ),
            PositionSeries(
                node=[0], latitude_deg=[[10.0]], longitude_deg=[[20.0]], altitude_km=[[0.5]]
            ),
        ),
        topology=ExplicitTopology(source=[], target=[], latency_ms=[[]]),
    )
    latitude, longitude, altitude = positions(continuum, 1)
    assert latitude == pytest.approx([10.0, np.nan, 2.0], nan_ok=True)
    assert longitude == pytest.approx([20.0, np.nan, 4.0], nan_ok=True)
    assert altitude == pytest.approx([0.5, np.nan, 551.0], nan_ok=True)
    with pytest.raises(IndexError, match="there are 2"):
        positions(continuum, 2)


def test_satellites_of_a_shell_are_propagated() -> None:
    continuum = Continuum(
        nodes=nodes(("satellite",) * 6 + ("edge",)),
        time=TimeGrid(steps=2, step_s=600.0),
        positions=(
            PositionSeries(
                node=[6], latitude_deg=[[10.0]], longitude_deg=[[20.0]], altitude_km=[[0.0]]
            ),
        ),
        topology=GeneratedTopology(
            shells=(
                WalkerShell(
                    planes=2, satellites_per_plane=3, inclination_deg=53.0, altitude_km=550.0
                ),
            ),
            epoch=datetime(2024, 7, 2, tzinfo=UTC),
        ),
    )
    first, second = positions(continuum, 0), positions(continuum, 1)
    assert np.isfinite(first.latitude_deg).all()
    assert (first.altitude_km[:6] > 530).all()
    assert (first.altitude_km[:6] < 575).all()
    assert first.latitude_deg[6] == 10.0
    # Slot 0 of plane 0 starts at its ascending node and goes north.
    assert abs(first.latitude_deg[0]) < 0.1
    assert second.latitude_deg[0] > 25


@pytest.mark.parametrize(
    ("ends", "kilometres"),
    [
        # C. F. F. Karney, Algorithms for geodesics, J. Geodesy 87, 2013, and the manual of
        # GeographicLib: JFK to London Heathrow, and Wellington to Salamanca (nearly antipodal).
        ((40.6, -73.8, 51.6, -0.5), 5551.759400),
        ((-41.32, 174.81, 40.96, -5.50), 19959.679267),
        # From pole to pole, from pole to equator, and a quarter of the equator.
        ((90.0, 0.0, -90.0, 77.0), 20003.931458625),
        ((90.0, 0.0, 0.0, 50.0), 10001.965729313),
        ((0.0, 10.0, 0.0, 100.0), 6378.137 * np.pi / 2),
        # On the equator the way round a pole is shorter as soon as 179.4 degrees are exceeded.
        ((0.0, 0.0, 0.0, 180.0), 20003.931458625),
        ((0.0, 0.0, 0.0, 179.5), 19980.861908891),
        ((0.0, 0.0, 0.5, 179.7), 19944.127420750),
        ((-30.0, 0.0, 29.9, 179.8), 19989.832827610),
        ((0.0, 179.0, 0.0, -179.0), 222.638981587),
        ((12.0, 34.0, 12.0, 34.0), 0.0),
        ((12.0, 34.0, 12.0, 394.0), 0.0),
    ],
)
def test_geodesic_of_known_length(
    ends: tuple[float, float, float, float], kilometres: float
) -> None:
    assert float(geodesic_km(*ends)) == pytest.approx(kilometres, abs=1e-6)
    latitude0, longitude0, latitude, longitude = ends
    assert float(geodesic_km(latitude, longitude, latitude0, longitude0)) == pytest.approx(
        kilometres, abs=1e-6
    )


def test_geodesic_broadcasts_and_keeps_unknown_unknown() -> None:
    lengths = geodesic_km(0.0, 0.0, np.array([[0.0, np.nan]]), np.array([[1.0], [2.0]]))
    assert lengths.shape == (2, 2)
    assert np.isnan(lengths[:, 1]).all()
    assert lengths[1, 0] == pytest.approx(2 * lengths[0, 0])


@given(latitudes, longitudes, latitudes, longitudes)
def test_geodesic_is_close_to_the_great_circle(
    latitude0: float, longitude0: float, latitude: float, longitude: float
) -> None:
    """An ellipsoid of flattening 1/298 bends no length by more than 0.6 percent."""
    a, b = np.radians([latitude0, longitude0]), np.radians([latitude, longitude])
    half = np.sin((b[0] - a[0]) / 2) ** 2 + (
        np.cos(a[0]) * np.cos(b[0]) * np.sin((b[1] - a[1]) / 2) ** 2
    )
    circle = 2 * 6371.0 * np.arcsin(np.sqrt(min(half, 1.0)))
    length = float(geodesic_km(latitude0, longitude0, latitude, longitude))
    assert length == pytest.approx(circle, rel=0.006, abs=1e-6)
    assert length <= 20_003.9315
