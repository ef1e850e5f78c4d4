"""Eclipse windows: closed forms, fine sampling, grazing passes, cuts and failures."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime

import numpy as np
import pytest

from leotrek_opt.errors import InputError
from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.environment.eclipse import (
    SHADOW_RADIUS_KM,
    beta_angle_rad,
    eclipse_fraction,
    orbit_normal,
    shadow_margin_rad,
)
from leotrek_opt.topology.environment.sun import sun_distance_km, sun_teme
from leotrek_opt.topology.environment.windows import EclipseWindows, eclipse_windows
from leotrek_opt.topology.propagation import Ephemeris, ephemeris

DAY = 2_460_827.5
GM = 398_600.4418


def orbits(**shell: float) -> Ephemeris:
    values = {
        "planes": 6, "satellites_per_plane": 4, "phasing": 1, "inclination_deg": 53.0,
        "altitude_km": 550.0,
    } | shell  # fmt: skip
    return ephemeris(
        GeneratedTopology(
            shells=(WalkerShell(**values),),  # type: ignore[arg-type]
            epoch=datetime(2025, 6, 1, tzinfo=UTC),
        )
    )


def margin(satellites: Ephemeris, windows: EclipseWindows, seconds: np.ndarray, edge: str):  # type: ignore[no-untyped-def]
    """Return the margins of the windows' satellites at an instant each, propagated exactly."""
    fraction = seconds / 86_400
    position = np.stack(
        [
            satellites.teme(np.array([DAY]), np.array([part]), np.array([index]))[0][0, 0]
            for index, part in zip(windows.satellite, fraction, strict=True)
        ]
    )
    return shadow_margin_rad(
        position,
        sun_teme(DAY, fraction),
        edge=edge,
        sun_distance_km=sun_distance_km(DAY, fraction),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("edge", ["cylinder", "penumbra", "umbra"])
def test_edges_lie_within_a_tenth_of_a_second(edge: str) -> None:
    satellites = orbits()
    windows = eclipse_windows(satellites, 24, DAY, 0.0, 7200.0, edge=edge)  # type: ignore[arg-type]
    assert len(set(windows.satellite)) >= 20
    for times, open_, sign in (
        (windows.enter_s, windows.clipped_start, 1),
        (windows.leave_s, windows.clipped_end, -1),
    ):
        inner = ~open_
        assert inner.sum() > 10
        before = margin(satellites, windows, times - 0.05, edge)[inner]
        after = margin(satellites, windows, times + 0.05, edge)[inner]
        assert (sign * before > 0).all()
        assert (sign * after < 0).all()


def test_windows_are_those_of_a_fine_sampling() -> None:
    satellites = orbits()
    windows = eclipse_windows(satellites, 24, DAY, 0.0, 12_000.0, sample_s=60.0)
    seconds = np.arange(0, 12_000, 5.0)
    position, _, _ = satellites.teme(np.full(len(seconds), DAY), seconds / 86_400)
    dark = shadow_margin_rad(position, sun_teme(DAY, seconds / 86_400)) < 0
    listed = np.zeros_like(dark)
    for satellite, enter, leave in zip(
        windows.satellite, windows.enter_s, windows.leave_s, strict=True
    ):
        listed[satellite, (seconds >= enter) & (seconds < leave)] = True
    assert (listed == dark).all()
    order = np.lexsort((windows.enter_s, windows.satellite))
    assert (order == np.arange(len(windows))).all()


def test_a_circular_orbit_has_the_closed_form_length() -> None:
    altitude, inclination = 550.0, math.radians(53.0)
    windows = eclipse_windows(
        orbits(planes=1, satellites_per_plane=1, phasing=0), 1, DAY, 0.0, 12_000.0
    )
    whole = ~(windows.clipped_start | windows.clipped_end)
    assert whole.sum() >= 1
    beta = beta_angle_rad(orbit_normal(inclination, 0.0)[None], sun_teme(DAY, 0.0))
    period = 2 * math.pi * math.sqrt((SHADOW_RADIUS_KM + altitude) ** 3 / GM)
    expected = period * float(eclipse_fraction(altitude, beta)[0])
    # The true height varies by some 10 km, and with it the length by some seconds.
    assert (windows.leave_s - windows.enter_s)[whole] == pytest.approx(expected, abs=10)


def test_the_umbra_lies_within_the_cylinder_and_that_within_the_penumbra() -> None:
    satellites = orbits()
    found = [
        eclipse_windows(satellites, 24, DAY, 0.0, 7200.0, edge=edge)  # type: ignore[arg-type]
        for edge in ("umbra", "cylinder", "penumbra")
    ]
    for inner, outer in itertools.pairwise(found):
        for satellite, enter, leave in zip(
            inner.satellite, inner.enter_s, inner.leave_s, strict=True
        ):
            own = outer.satellite == satellite
            around = own & (outer.enter_s <= enter) & (outer.leave_s >= leave)
            assert around.sum() == 1
            whole = ~(outer.clipped_start | outer.clipped_end)
            assert (leave - enter < (outer.leave_s - outer.enter_s))[around & whole].all()


class Circle:
    """One satellite on a circle that just dips into the shadow, in closed form."""

    def __init__(self, depth_km: float, lost_after_s: float = math.inf) -> None:
        self.sun = sun_teme(DAY, 1000.0 / 86_400)
        self.radius = SHADOW_RADIUS_KM + 550.0
        beta = math.acos(math.sqrt(1 - ((SHADOW_RADIUS_KM - depth_km) / self.radius) ** 2))
        side = np.cross(self.sun, [0.0, 0.0, 1.0])
        side /= np.linalg.norm(side)
        up = np.cross(side, self.sun)
        # The point farthest from the Sun stands the angle beta off the axis of the shadow.
        self.darkest = -self.sun * math.cos(beta) + up * math.sin(beta)
        self.ahead = side
        self.rate = math.sqrt(GM / self.radius**3)
        self.lost_after_s = lost_after_s

    def teme(self, julian_day, fraction, satellites=None):  # type: ignore[no-untyped-def]
        seconds = (julian_day - DAY + fraction) * 86_400
        angle = (self.rate * (seconds - 1000.0))[:, None]
        position = self.radius * (np.cos(angle) * self.darkest + np.sin(angle) * self.ahead)
        velocity = (
            self.radius * self.rate * (-np.sin(angle) * self.darkest + np.cos(angle) * self.ahead)
        )
        count = 1 if satellites is None else len(satellites)
        valid = seconds <= self.lost_after_s
        return (
            np.tile(position, (count, 1, 1)),
            np.tile(velocity, (count, 1, 1)),
            np.tile(valid, (count, 1)),
        )


@pytest.mark.parametrize("sample_s", [17.0, 30.0, 60.0])
def test_grazing_eclipses_between_two_samples_are_found(sample_s: float) -> None:
    short = eclipse_windows(Circle(0.002), 1, DAY, 0.0, 2000.0, sample_s=sample_s)
    assert len(short) == 1
    assert 0 < short.leave_s[0] - short.enter_s[0] < 15
    assert (short.leave_s[0] + short.enter_s[0]) / 2 == pytest.approx(1000.0, abs=1.0)
    assert len(eclipse_windows(Circle(-0.05), 1, DAY, 0.0, 2000.0, sample_s=sample_s)) == 0


def test_windows_are_cut_by_the_span_and_by_failures() -> None:
    cut = eclipse_windows(Circle(1500.0), 1, DAY, 0.0, 1000.0)
    assert (cut.leave_s[0], cut.clipped_end[0], cut.clipped_start[0]) == (1000.0, True, False)
    inside = eclipse_windows(Circle(3000.0), 1, DAY, 950 / 86_400, 100.0)
    assert (inside.enter_s[0], inside.leave_s[0]) == (0.0, 100.0)
    assert inside.clipped_start[0]
    assert inside.clipped_end[0]
    lost = eclipse_windows(Circle(3000.0, lost_after_s=1015.0), 1, DAY, 0.0, 2000.0, sample_s=10.0)
    assert (lost.leave_s.tolist(), lost.clipped_end.tolist()) == ([1010.0], [True])


def test_many_satellites_are_taken_in_blocks() -> None:
    many = eclipse_windows(Circle(2000.0), 9000, DAY, 0.0, 2000.0, sample_s=20.0)
    assert many.satellite.tolist() == list(range(9000))
    assert len(set(many.enter_s.tolist())) == 1
    assert len(eclipse_windows(Circle(0.0), 0, DAY, 0.0, 2000.0)) == 0


@pytest.mark.parametrize(("field", "value"), [("duration_s", 0.0), ("sample_s", math.inf)])
def test_spans_must_be_positive(field: str, value: float) -> None:
    arguments = {"duration_s": 100.0, "sample_s": 30.0} | {field: value}
    with pytest.raises(InputError, match=f"{field}: must be a positive number of seconds"):
        eclipse_windows(Circle(0.0), 1, DAY, 0.0, **arguments)  # type: ignore[arg-type]
