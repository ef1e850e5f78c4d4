"""The closest approach in closed form is the one that flying the shell shows."""

from __future__ import annotations

import numpy as np
import pytest

from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.topology.constellation import walker_elements
from leotrek_opt.topology.phasing import closest_approaches, widest_phasing


def flown(shell: WalkerShell) -> float:
    """Return the least distance of two satellites of different planes over one revolution."""
    elements = walker_elements([shell])
    node, latitude = elements.raan_rad, elements.argument_of_latitude_rad
    tilt = elements.inclination_rad[0]
    plane = np.arange(len(node)) // shell.satellites_per_plane
    other = plane[:, None] != plane[None, :]
    least = np.inf
    for turn in np.linspace(0, 2 * np.pi, 721):
        u = latitude + turn
        unit = np.stack(
            [
                np.cos(node) * np.cos(u) - np.sin(node) * np.sin(u) * np.cos(tilt),
                np.sin(node) * np.cos(u) + np.cos(node) * np.sin(u) * np.cos(tilt),
                np.sin(u) * np.sin(tilt),
            ]
        )
        cosine = np.where(other, unit.T @ unit, -1.0).max()
        least = min(least, np.sqrt(max(2 - 2 * cosine, 0.0)))
    return float(least)


@pytest.mark.parametrize(
    ("planes", "slots", "inclination", "pattern"),
    [(5, 4, 53.0, "delta"), (6, 3, 97.6, "delta"), (6, 5, 86.4, "star"), (4, 7, 120.0, "star")],
)
def test_closest_approach_is_that_of_the_flown_shell(
    planes: int, slots: int, inclination: float, pattern: str
) -> None:
    distance = closest_approaches(planes, slots, inclination, pattern)  # type: ignore[arg-type]
    for phasing in range(planes):
        shell = WalkerShell(
            planes=planes, satellites_per_plane=slots, phasing=phasing,
            inclination_deg=inclination, altitude_km=550.0, pattern=pattern,
        )  # fmt: skip
        # Half a degree between samples misses the closest instant by at most this.
        assert distance[phasing] <= flown(shell) + 1e-12
        assert distance[phasing] == pytest.approx(flown(shell), abs=5e-3)


def test_widest_phasing_takes_the_smallest_of_the_best() -> None:
    distance = closest_approaches(72, 22, 53.0)
    best = widest_phasing(72, 22, 53.0)
    assert distance[best] == pytest.approx(distance.max(), abs=1e-9)
    assert (distance[:best] < distance.max() - 1e-9).all()
    assert distance[0] == pytest.approx(0, abs=1e-7)
    assert widest_phasing(1, 10, 53.0) == 0


def test_widest_phasing_of_iridium_is_the_one_in_use() -> None:
    assert widest_phasing(6, 11, 86.4, "star") == 2
