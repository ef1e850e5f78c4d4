"""Interpolation and roots: cubics are met exactly, roots to their tolerance."""

from __future__ import annotations

import numpy as np
import pytest
from tests.topology.contacts.scenes import element_table, scene

from leotrek_opt.topology.contacts.arcs import TIME_TOLERANCE_S, Arcs, crossings
from leotrek_opt.topology.contacts.motion import interpolation_step_s, motion_of


def arcs_of(function, rate, times: np.ndarray) -> Arcs:  # type: ignore[no-untyped-def]
    return Arcs(times, function(times)[None], rate(times)[None], np.arange(len(times) - 1))


def value(position: np.ndarray, velocity: np.ndarray, arc: np.ndarray) -> tuple:
    return position[0], velocity[0]


def test_cubics_are_interpolated_exactly() -> None:
    curve = np.polynomial.Polynomial([3.0, -2.0, 0.5, 0.01])
    arcs = arcs_of(curve, curve.deriv(), np.array([-4.0, 0.0, 7.0, 30.0]))
    fraction = np.array([0.0, 0.3, 1.0])
    for arc in range(3):
        where = np.full(3, arc)
        time = arcs.instant_s(where, fraction)
        position, velocity = arcs.at(where, fraction)
        assert position[0] == pytest.approx(curve(time))
        assert velocity[0] == pytest.approx(curve.deriv()(time))


def test_every_change_of_sign_is_found() -> None:
    """Single roots, two within one arc, one arc that only comes near, and steep ones."""
    rng = np.random.default_rng(5)
    for _ in range(200):
        curve = np.polynomial.Polynomial(rng.normal(size=4) * [20.0, 5.0, 1.0, 0.02])
        times = np.arange(-30.0, 31.0, 1.0)
        arcs = arcs_of(curve, curve.deriv(), times)
        found = crossings(value, arcs)
        order = np.argsort(arcs.instant_s(found.arc, found.fraction))
        instants = arcs.instant_s(found.arc, found.fraction)[order]
        roots = np.sort(curve.roots()[np.abs(curve.roots().imag) < 1e-12].real)
        roots = roots[(roots > -30) & (roots < 30)]
        assert instants == pytest.approx(roots, abs=2 * TIME_TOLERANCE_S)
        rising = curve.deriv()(roots) > 0
        assert (found.change[order] > 0).tolist() == rising.tolist()


@pytest.mark.parametrize(
    "row",
    [
        {"mean_motion_rev_per_day": 16.0, "eccentricity": 0.001},
        {"mean_motion_rev_per_day": 15.05},
        {"mean_motion_rev_per_day": 14.2, "inclination_deg": 98.0},
        {"mean_motion_rev_per_day": 1.0027, "inclination_deg": 0.1},
        # Here the velocity of SGP4 is not quite the derivative of its position.
        {"mean_motion_rev_per_day": 2.27, "eccentricity": 0.72},
    ],
)
def test_positions_between_samples_are_within_a_metre_or_two(row: dict[str, float]) -> None:
    motion = motion_of(scene([], shell=None, fleet=element_table([row]), steps=1))
    assert 20 <= motion.step_s <= 600
    times = np.arange(0.0, 90_000.0, motion.step_s / 2)
    samples = motion.sample(times)
    whole, between = samples.position_km[:, 0, ::2], samples.position_km[:, 0, 1::2]
    arcs = Arcs(times[::2], whole, samples.velocity_km_s[:, 0, ::2], np.arange(whole.shape[1] - 1))
    middle, _ = arcs.at(np.arange(len(arcs)), np.full(len(arcs), 0.5))
    off = np.linalg.norm(middle - between[:, : len(arcs)], axis=0)
    assert off.max() < (2e-3 if "eccentricity" in row and row["eccentricity"] > 0.1 else 6e-4)


def test_velocities_are_those_of_the_turning_frame() -> None:
    motion = motion_of(scene([], steps=1))
    samples = motion.sample(np.array([99.9, 100.0, 100.1]))
    speed = (samples.position_km[..., 2] - samples.position_km[..., 0]) / 0.2
    assert np.abs(speed - samples.velocity_km_s[..., 1]).max() < 1e-4
    assert interpolation_step_s(np.empty((0, 3)), np.empty((0, 3))) == 60.0
