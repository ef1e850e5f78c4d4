"""Links between satellites: the +Grid pattern, its shift, and which links a step allows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.inter_satellite import InterSatelliteLink, PlusGrid
from leotrek_opt.topology.frames import EQUATORIAL_RADIUS_KM

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def plus_grid(
    shells: Sequence[WalkerShell], rule: PlusGrid, position_km: Array
) -> tuple[Indices, Indices]:
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
    source, target : ndarray
        Satellite indices with source < target, sorted, each pair once: rings and neighbourhoods of
        fewer than three satellites or planes would repeat pairs.
    """
    pairs = []
    first = 0
    for shell in shells:
        count = shell.planes * shell.satellites_per_plane
        shift = cross_link_shift(shell, rule, position_km[first : first + count])
        pairs.append(first + _shell_pairs(shell, rule, shift))
        first += count
    ends = np.sort(np.concatenate(pairs, axis=1), axis=0)
    ends = np.unique(ends[:, ends[0] != ends[1]], axis=1)
    return ends[0], ends[1]


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


def _shell_pairs(shell: WalkerShell, rule: PlusGrid, shift: int) -> Indices:
    slots = shell.satellites_per_plane
    satellite = np.arange(shell.planes * slots)
    plane, slot = np.divmod(satellite, slots)
    in_plane = np.stack((satellite, plane * slots + (slot + 1) % slots))
    return np.concatenate((in_plane, _cross_pairs(shell, rule, shift)), axis=1)


def _cross_pairs(shell: WalkerShell, rule: PlusGrid, shift: int) -> Indices:
    planes, slots = shell.planes, shell.satellites_per_plane
    crosses_seam = rule.seam != "none" and shell.pattern == "delta" and planes > 1
    satellite = np.arange((planes if crosses_seam else planes - 1) * slots)
    plane, slot = np.divmod(satellite, slots)
    # After a full turn the Walker phase has advanced by F slots, which the seam has to take up.
    seam_shift = shell.phasing if rule.seam == "phased" else 0
    shifted = slot + shift + np.where(plane == planes - 1, seam_shift, 0)
    return np.stack((satellite, (plane + 1) % planes * slots + shifted % slots))


def inter_satellite_links(
    position_km: Array,
    valid: NDArray[np.bool_],
    source: Indices,
    target: Indices,
    rule: InterSatelliteLink,
) -> tuple[Array, NDArray[np.bool_]]:
    """Measure links at one step and say which of them are up.

    Parameters
    ----------
    position_km
        Satellites, shape (satellites, 3).
    valid
        Shape (satellites,); a satellite without position has no link.
    source, target
        Satellite indices, shape (links,).
    rule
        Margin of the line of sight, and range.

    Returns
    -------
    length_km : ndarray
        Shape (links,), NaN where a position is.
    up : ndarray of bool
        Shape (links,).
    """
    start, end = position_km[source], position_km[target]
    along = end - start
    squares = np.einsum("ij,ij->i", along, along)
    length = np.sqrt(squares)
    up = valid[source] & valid[target]
    up &= clears_earth(start, end, rule.line_of_sight_margin_km)
    if rule.max_range_km is not None:
        up &= length <= rule.max_range_km
    return length, up


def clears_earth(start_km: Array, end_km: Array, margin_km: float) -> NDArray[np.bool_]:
    """Say whether segments stay above the Earth by a margin.

    Parameters
    ----------
    start_km, end_km
        Ends of each segment from the centre of the Earth, shape (n, 3).
    margin_km
        Height above the sphere of the equatorial radius that the segment must keep, so that it
        passes above the denser atmosphere everywhere.

    Returns
    -------
    ndarray of bool
        Shape (n,). The segment is tested, not its line: two satellites on the same side see each
        other even when the line through them meets the Earth. False where a position is NaN.
    """
    along = end_km - start_km
    squares = np.einsum("ij,ij->i", along, along)
    with np.errstate(invalid="ignore", divide="ignore"):
        fraction = -np.einsum("ij,ij->i", start_km, along) / squares
    nearest = start_km + np.clip(np.where(squares > 0, fraction, 0.0), 0, 1)[:, None] * along
    distance_squared = np.einsum("ij,ij->i", nearest, nearest)
    clear: NDArray[np.bool_] = distance_squared >= (EQUATORIAL_RADIUS_KM + margin_km) ** 2
    return clear
