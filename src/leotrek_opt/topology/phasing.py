"""How near satellites of a Walker shell come to each other, and which phasing keeps them apart."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray


def closest_approaches(
    planes: int,
    satellites_per_plane: int,
    inclination_deg: float,
    pattern: Literal["delta", "star"] = "delta",
) -> NDArray[np.float64]:
    """Return the least distance between satellites of two planes, for every phasing.

    Parameters
    ----------
    planes, satellites_per_plane, inclination_deg, pattern
        Of a Walker shell of circular orbits.

    Returns
    -------
    ndarray
        In orbit radii, shape (planes,), by phasing F; infinite for a single plane.

    Notes
    -----
    Two satellites of the shell whose ascending nodes differ by W and whose arguments of latitude u
    differ by d are at a central angle g with cos g = A cos d + B sin d + C cos s, where s is the
    sum of both u, A = (cos W (1 + cos^2 i) + sin^2 i) / 2, B = -cos i sin W and
    C = sin^2 i (cos W - 1) / 2. All orbits have one period, so d is constant and s takes all
    values: the least angle has cos g = A cos d + B sin d + |C|.
    """
    if planes == 1:
        return np.full(1, np.inf)
    spread = 2 * np.pi if pattern == "delta" else np.pi
    cos_i, sin_i = np.cos(np.radians(inclination_deg)), np.sin(np.radians(inclination_deg))
    apart = np.arange(1, planes)
    node = spread * apart / planes
    a = (np.cos(node) * (1 + cos_i**2) + sin_i**2) / 2
    b = -cos_i * np.sin(node)
    c = sin_i**2 * (1 - np.cos(node)) / 2
    # Planes k apart have d = 2 pi (s P + F k) / (P S) for all slots s: the one nearest to the worst
    # angle atan2(B, A) decides.
    slot = 2 * np.pi / satellites_per_plane
    phasing = np.arange(planes)[:, None]
    miss = (np.arctan2(b, a) - slot * (phasing * apart % planes) / planes) % slot
    nearest = np.minimum(miss, slot - miss)
    cosine = (np.hypot(a, b) * np.cos(nearest) + c).max(axis=1)
    distance: NDArray[np.float64] = np.sqrt(np.maximum(2 - 2 * cosine, 0))
    return distance


def widest_phasing(
    planes: int,
    satellites_per_plane: int,
    inclination_deg: float,
    pattern: Literal["delta", "star"] = "delta",
) -> int:
    """Return the phasing whose satellites stay farthest apart; of several the smallest.

    Parameters
    ----------
    planes, satellites_per_plane, inclination_deg, pattern
        Of a Walker shell of circular orbits.

    Returns
    -------
    int
        F, from 0 to ``planes - 1``.
    """
    distance = closest_approaches(planes, satellites_per_plane, inclination_deg, pattern)
    # Distances that are equal but for rounding are ties.
    return int(np.argmax(distance >= distance.max() - 1e-9))
