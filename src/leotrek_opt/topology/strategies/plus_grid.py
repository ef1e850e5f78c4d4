"""The +Grid of Walker shells: each satellite linked to two neighbours in plane and two across."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.inter_satellite import PlusGrid
from leotrek_opt.topology.state import LinkPairs
from leotrek_opt.topology.strategies.pairs import joined_pairs

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def plus_grid(shells: Sequence[WalkerShell], rule: PlusGrid, position_km: Array) -> LinkPairs:
    """Return the +Grid of several shells; shells are not joined to each other.

    Parameters
    ----------
    shells
        In the order of the satellites.
    rule
        Shift and seam.
    position_km
        Satellites at the first step, shape (satellites, 3), NaN where unknown; read only for the
        shift ``"shortest"``.

    Returns
    -------
    LinkPairs
        Each pair once: rings and neighbourhoods of fewer than three satellites or planes would
        repeat pairs. Cross-plane links are marked.
    """
    parts = []
    first = 0
    for shell in shells:
        count = shell.satellite_count
        shift = cross_link_shift(shell, rule, position_km[first : first + count])
        in_plane, cross = _ring_pairs(shell), _cross_pairs(shell, rule, shift)
        parts += [(first + in_plane, False), (first + cross, True)]
        first += count
    return joined_pairs(parts)


def cross_link_shift(shell: WalkerShell, rule: PlusGrid, position_km: Array) -> int:
    """Return the number of slots by which links to the next plane go forward.

    Parameters
    ----------
    shell
        One shell.
    rule
        A shift, or ``"shortest"``: the one whose longest link is shortest, ties to the smaller
        size, then to the negative one. An ``"unshifted"`` seam takes no part, since there every
        shift is a poor one.
    position_km
        Satellites of this shell at the first step, shape (satellites, 3), NaN where unknown.

    Returns
    -------
    int
        In -S/2 … S/2 for ``"shortest"``.
    """
    if rule.cross_link_shift != "shortest":
        return rule.cross_link_shift
    slots = shell.satellites_per_plane
    measured = rule if rule.seam != "unshifted" else rule.replace(seam="none")
    candidates = sorted(
        range(-(slots // 2), (slots + 1) // 2), key=lambda shift: (abs(shift), shift)
    )
    best, best_length = 0, np.inf
    for shift in candidates:
        source, target = _cross_pairs(shell, measured, shift)
        separation = position_km[source] - position_km[target]
        squares = np.einsum("ij,ij->i", separation, separation)
        longest = float(np.max(squares, initial=0.0, where=np.isfinite(squares)))
        # Symmetric shells have shifts of one length; rounding must not choose between them.
        if longest < best_length * (1 - 1e-9):
            best, best_length = shift, longest
    return best


def _ring_pairs(shell: WalkerShell) -> Indices:
    slots = shell.satellites_per_plane
    satellite = np.arange(shell.planes * slots)
    plane, slot = np.divmod(satellite, slots)
    return np.stack((satellite, plane * slots + (slot + 1) % slots))


def _cross_pairs(shell: WalkerShell, rule: PlusGrid, shift: int) -> Indices:
    planes, slots = shell.planes, shell.satellites_per_plane
    crosses_seam = rule.seam != "none" and shell.pattern == "delta" and planes > 1
    satellite = np.arange((planes if crosses_seam else planes - 1) * slots)
    plane, slot = np.divmod(satellite, slots)
    # After a full turn the Walker phase has advanced by F slots, which the seam has to take up.
    seam_shift = shell.phasing if rule.seam == "phased" else 0
    shifted = slot + shift + np.where(plane == planes - 1, seam_shift, 0)
    return np.stack((satellite, (plane + 1) % planes * slots + shifted % slots))
