"""What Stardust's files have in common: kinds of computing, and constants of links."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from leotrek_opt.errors import InputError
from leotrek_opt.models.base import (
    MAX_BANDWIDTH_MBPS,
    MIN_BANDWIDTH_MBPS,
    nearest_name,
)
from leotrek_opt.models.continuum import NodeKind
from leotrek_opt.models.inter_satellite import SPEED_OF_LIGHT_KM_S
from leotrek_opt.models.messages import shown

COMPUTING_TYPES = ("None", "Edge", "Cloud", "Any")
"""Kinds of computing by their number."""

KIND_OF_COMPUTING: Mapping[int, NodeKind] = {
    0: "ground_station",
    1: "edge",
    2: "cloud",
    3: "ground_station",
}
"""Kind of a node on the ground by its computing."""

COMPUTING_OF_KIND: Mapping[NodeKind, int] = {
    "satellite": 1,
    "ground_station": 0,
    "edge": 1,
    "cloud": 2,
}
"""Computing of a node that did not come from Stardust; its satellites are always Edge."""

MAX_CORES = 1_000_000
MAX_MEMORY_MB = 1_000_000_000

_STARDUST_LIGHT_KM_S = 299_792.0
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?"
    r"(?P<zone>[Zz]|[+-]\d\d:\d\d)?",
    re.ASCII,
)


@dataclass(frozen=True)
class Computing:
    """What a node of one kind of computing offers.

    Parameters
    ----------
    cores
        CPU cores.
    memory_mb
        Memory in Stardust's MB, which is taken as MiB.
    """

    cores: int
    memory_mb: int

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name, most in (("cores", MAX_CORES), ("memory_mb", MAX_MEMORY_MB)):
            value = getattr(self, name)
            if type(value) is not int or not 0 <= value <= most:
                raise InputError(f"must be in 0 … {most}, got {shown(value)}", field=name)


DEFAULT_COMPUTING: Mapping[int, Computing] = {
    0: Computing(0, 0),
    1: Computing(512, 4096),
    2: Computing(1024, 32_768),
}
"""Stardust's shipped configuration. A kind without an entry offers nothing."""


@dataclass(frozen=True)
class StardustLinks:
    """Constants of links, which Stardust's files do not hold.

    Parameters
    ----------
    inter_satellite_speed_km_s, ground_speed_km_s
        Speed of the signal between satellites, and from or on the ground.
    inter_satellite_bandwidth_mbps, ground_bandwidth_mbps
        Bandwidth of those links; both None for unlimited.

    Raises
    ------
    leotrek_opt.errors.InputError
        If one is out of range, or only one bandwidth is given.
    """

    inter_satellite_speed_km_s: float = SPEED_OF_LIGHT_KM_S
    ground_speed_km_s: float = SPEED_OF_LIGHT_KM_S
    inter_satellite_bandwidth_mbps: float | None = None
    ground_bandwidth_mbps: float | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("inter_satellite_speed_km_s", "ground_speed_km_s"):
            value = getattr(self, name)
            if not 1_000 <= value <= 300_000:
                raise InputError(f"must be in 1000 … 300000, got {value}", field=name)
        limits = (self.inter_satellite_bandwidth_mbps, self.ground_bandwidth_mbps)
        if (limits[0] is None) != (limits[1] is None):
            raise InputError("give both bandwidths, or none", field="ground_bandwidth_mbps")
        for name, limit in zip(
            ("inter_satellite_bandwidth_mbps", "ground_bandwidth_mbps"), limits, strict=True
        ):
            if limit is not None and not MIN_BANDWIDTH_MBPS <= limit <= MAX_BANDWIDTH_MBPS:
                raise InputError(
                    f"must be in {MIN_BANDWIDTH_MBPS} … {MAX_BANDWIDTH_MBPS:g}, got {limit}",
                    field=name,
                )


VACUUM_LINKS = StardustLinks()
"""The speed of light everywhere, and unlimited bandwidth."""

STARDUST_GO_LINKS = StardustLinks(
    0.99 * _STARDUST_LIGHT_KM_S, 0.99 * _STARDUST_LIGHT_KM_S, 200_000.0, 500.0
)
"""Constants of stardust-go: 0.99 of 299 792 km/s for all links, 200 and 0.5 Gbit/s."""

STARDUST_CSHARP_LINKS = StardustLinks(
    0.99 * _STARDUST_LIGHT_KM_S, 0.98 * _STARDUST_LIGHT_KM_S, 200_000.0, 500.0
)
"""Constants of the older Stardust in C#: 0.98 for links from the ground."""


def computing_type(value: object, at: str) -> int:
    """Return the number of a kind of computing.

    Parameters
    ----------
    value
        A number, or a name in any case.
    at
        Field path for the error.

    Returns
    -------
    int
        Position in :data:`COMPUTING_TYPES`.

    Raises
    ------
    leotrek_opt.errors.InputError
        If it is neither.
    """
    if type(value) is int and 0 <= value < len(COMPUTING_TYPES):
        return value
    if isinstance(value, str):
        for number, name in enumerate(COMPUTING_TYPES):
            if value.lower() == name.lower():
                return number
        hint = nearest_name(value[:64], COMPUTING_TYPES)
        raise InputError(f"no kind of computing {shown(value)}{hint}", field=at)
    raise InputError(
        f"must be one of {', '.join(COMPUTING_TYPES)} or its number 0 … 3 (got {shown(value)})",
        field=at,
    )


def instant(value: object, at: str, *, zone_needed: bool = True) -> datetime:
    """Return an instant written as RFC 3339 has it.

    Parameters
    ----------
    value
        Text; digits beyond microseconds are cut off.
    at
        Field path for the error.
    zone_needed
        False reads a text without time zone as UTC.

    Returns
    -------
    datetime
        UTC.

    Raises
    ------
    leotrek_opt.errors.InputError
        If it is no such text, or outside the years 1 to 9999.
    """
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None or (zone_needed and found["zone"] is None):
        raise InputError(
            f"must be an instant such as 2025-10-01T00:00:00Z (got {shown(value)})", field=at
        )
    *calendar, fraction, zone = found.groups()
    microseconds = int(((fraction or "") + "000000")[:6])
    try:
        local = datetime(*(int(part) for part in calendar), microseconds, tzinfo=UTC)  # type: ignore[misc, arg-type]
        return local - _offset(zone)
    except (ValueError, OverflowError):
        raise InputError(f"is no instant of the calendar (got {shown(value)})", field=at) from None


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone in "Zz":
        return timedelta(0)
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 23 or minutes > 59:
        raise ValueError(zone)
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if zone[0] == "-" else offset
