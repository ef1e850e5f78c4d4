"""Constellations by name, and shells whose figures are checked against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from leotrek_opt.errors import InputError
from leotrek_opt.instances.preset_facts import PRESETS, SOURCES, PresetFacts, ShellFacts
from leotrek_opt.models.base import input_error, nearest_name
from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.topology.constellation import altitude_of_motion_km
from leotrek_opt.topology.phasing import widest_phasing

ALTITUDE_TOLERANCE_KM = 5.0
"""How far an altitude may be from that of the mean motion given beside it."""

RAAN_SPREAD_DEG = {"delta": 360.0, "star": 180.0}
"""Over which ascending nodes are spread in each pattern."""

PRESET_NAMES = tuple(PRESETS)
"""What :func:`preset` knows."""


@dataclass(frozen=True)
class Preset:
    """A constellation as its sources describe it.

    Parameters
    ----------
    id, title
        Its name here, and in words.
    shells
        In the order of the sources.
    min_elevation_deg
        Least elevation of its ground links, None where the sources do not state it.
    sources
        Where the figures are from.
    notes
        What was assumed, derived or left open, naming the shell by its number from 1.
    """

    id: str
    title: str
    shells: tuple[WalkerShell, ...]
    min_elevation_deg: float | None
    sources: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def satellite_count(self) -> int:
        """Number of satellites in all shells."""
        return sum(shell.satellite_count for shell in self.shells)


def preset(
    name: str,
    *,
    phasing: int | Sequence[int] | None = None,
    inclination_deg: float | None = None,
    altitude_km: float | None = None,
) -> Preset:
    """Return a constellation by name.

    Parameters
    ----------
    name
        One of :data:`PRESET_NAMES`, such as ``starlink-gen1``.
    phasing
        Walker phasing F of all shells, or of each. No filing states it. The default is a rule of
        our own: the F whose satellites stay farthest apart (of several the smallest), see
        :func:`leotrek_opt.topology.phasing.widest_phasing`. With F = 0, most of these shells have
        satellites that meet.
    inclination_deg, altitude_km
        For a constellation where the sources do not establish them (``qianfan``), and only there:
        no inclination is known, so it must be given; the altitude is the reported one by default.

    Returns
    -------
    Preset
        Shells with sources and notes.

    Raises
    ------
    InputError
        If there is no such constellation, or something is not established and not given, or the
        reverse.
    """
    known = name.replace("_", "-").lower()
    if known not in PRESETS:
        raise InputError(
            f'no preset "{name}"{nearest_name(known, PRESETS)}; there are {", ".join(PRESETS)}',
            field="name",
        )
    facts = PRESETS[known]
    shells = _completed(known, facts, inclination_deg, altitude_km)
    phasings = _phasings(phasing, len(shells))
    notes = [
        f"shell {number}: {shell.note}" for number, shell in enumerate(shells, 1) if shell.note
    ]
    if not facts.altitude_is_established and altitude_km is None:
        notes.append("altitude: reported, not verified")
    if phasing is None:
        notes.append(
            "phasing: the one that keeps satellites farthest apart, as no filing states it"
        )
    return Preset(
        id=known,
        title=facts.title,
        shells=tuple(
            _shell(shell, own, at)
            for at, (shell, own) in enumerate(zip(shells, phasings, strict=True))
        ),
        min_elevation_deg=facts.min_elevation_deg,
        sources=tuple(
            text for key, text in SOURCES.items() if any(key in shell.sources for shell in shells)
        ),
        notes=((facts.note,) if facts.note else ()) + tuple(notes),
    )


def walker_shell(
    *,
    planes: int,
    satellites_per_plane: int,
    inclination_deg: float,
    altitude_km: float | None = None,
    mean_motion_rev_per_day: float | None = None,
    count: int | None = None,
    pattern: Literal["delta", "star"] = "delta",
    raan_spread_deg: float | None = None,
    phasing: int | None = None,
    phasing_rule: Literal["walker", "odd_planes_half_slot"] = "walker",
    raan0_deg: float = 0.0,
) -> WalkerShell:
    """Make a shell from figures that may describe it twice, and check that they agree.

    Parameters
    ----------
    planes, satellites_per_plane, inclination_deg, pattern, phasing_rule, raan0_deg
        As in :class:`leotrek_opt.models.constellation.WalkerShell`.
    altitude_km, mean_motion_rev_per_day
        One of them, or both: then the mean motion is kept, and the altitude that follows from it
        must be within 5 km.
    count
        Number of satellites, ``planes * satellites_per_plane``.
    raan_spread_deg
        Over which ascending nodes are spread: 360 for ``delta``, 180 for ``star``.
    phasing
        Walker phasing F; by default the one whose satellites stay farthest apart.

    Returns
    -------
    WalkerShell
        The shell.

    Raises
    ------
    InputError
        If figures contradict each other, or a value is out of range.
    """
    product = planes * satellites_per_plane
    if count is not None and count != product:
        raise InputError(
            f"must be planes * satellites_per_plane = {product} (got {count})",
            field="count",
        )
    if raan_spread_deg is not None and raan_spread_deg != RAAN_SPREAD_DEG.get(pattern):
        raise InputError(
            f"must be {RAAN_SPREAD_DEG.get(pattern)} for a {pattern} pattern "
            f"(got {raan_spread_deg})",
            field="raan_spread_deg",
        )
    if altitude_km is not None and mean_motion_rev_per_day is not None:
        _check_altitude(altitude_km, mean_motion_rev_per_day)
        altitude_km = None
    try:
        shell = WalkerShell(
            planes=planes,
            satellites_per_plane=satellites_per_plane,
            phasing=phasing or 0,
            phasing_rule=phasing_rule,
            inclination_deg=float(inclination_deg),
            altitude_km=None if altitude_km is None else float(altitude_km),
            mean_motion_rev_per_day=mean_motion_rev_per_day,
            pattern=pattern,
            raan0_deg=raan0_deg,
        )
    except ValidationError as error:
        raise input_error(error, model=WalkerShell) from None
    if phasing is None and phasing_rule == "walker":
        shell = shell.replace(
            phasing=widest_phasing(planes, satellites_per_plane, shell.inclination_deg, pattern)
        )
    return shell


def _check_altitude(altitude_km: float, mean_motion_rev_per_day: float) -> None:
    if not 0 < mean_motion_rev_per_day <= 17:
        raise InputError("must be > 0 and <= 17", field="mean_motion_rev_per_day")
    implied_km = float(altitude_of_motion_km(mean_motion_rev_per_day))
    if not abs(altitude_km - implied_km) <= ALTITUDE_TOLERANCE_KM:
        raise InputError(
            f"must be within {ALTITUDE_TOLERANCE_KM:g} km of {implied_km:.1f}, the altitude of "
            f"{mean_motion_rev_per_day} revolutions a day (got {altitude_km})",
            field="altitude_km",
        )


def _completed(
    name: str, facts: PresetFacts, inclination_deg: float | None, altitude_km: float | None
) -> list[ShellFacts]:
    """Fill in what the sources leave open; refuse what they do not."""
    is_open = {
        "inclination_deg": any(shell.inclination_deg is None for shell in facts.shells),
        "altitude_km": not facts.altitude_is_established,
    }
    given = {"inclination_deg": inclination_deg, "altitude_km": altitude_km}
    if is_open["inclination_deg"] and inclination_deg is None:
        raise InputError(
            f"{facts.title}: not established by any source; give inclination_deg",
            field="inclination_deg",
        )
    for field, value in given.items():
        if value is not None and not is_open[field]:
            raise InputError(f"is established by the sources of {name}; leave it out", field=field)
    return [
        shell._replace(
            inclination_deg=shell.inclination_deg if inclination_deg is None else inclination_deg,
            altitude_km=shell.altitude_km if altitude_km is None else altitude_km,
        )
        for shell in facts.shells
    ]


def _phasings(phasing: int | Sequence[int] | None, shells: int) -> Sequence[int | None]:
    if phasing is None or isinstance(phasing, int):
        return [phasing] * shells
    if len(phasing) != shells:
        raise InputError(f"must be one number, or {shells} (got {len(phasing)})", field="phasing")
    return phasing


def _shell(facts: ShellFacts, phasing: int | None, index: int) -> WalkerShell:
    if facts.inclination_deg is None:
        raise InputError("is not established", field="inclination_deg")
    try:
        return walker_shell(
            planes=facts.planes,
            satellites_per_plane=facts.satellites_per_plane,
            inclination_deg=facts.inclination_deg,
            altitude_km=facts.altitude_km,
            count=facts.satellites,
            pattern=facts.pattern,
            raan_spread_deg=facts.raan_spread_deg,
            phasing=phasing,
        )
    except InputError as error:
        raise InputError(error.message, field=f"shells[{index}].{error.field}") from None
