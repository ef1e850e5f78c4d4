"""What both formats of SNDlib say, before anything is looked up or converted."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from leotrek_opt.errors import InputError
from leotrek_opt.instances.foreign_file import decimal
from leotrek_opt.instances.network_file import Module
from leotrek_opt.models.messages import shown

MAX_ENTRIES = 500_000
"""Most nodes, links, modules and demands of a file together."""


@dataclass(slots=True)
class RawNode:
    """A node; NaN for coordinates that are not given."""

    line: int
    name: str
    x: float = math.nan
    y: float = math.nan


@dataclass(slots=True)
class RawLink:
    """A link; NaN for numbers that are not given."""

    line: int
    name: str
    source: str
    target: str
    installed_capacity: float = math.nan
    installed_cost: float = math.nan
    routing_cost: float = math.nan
    setup_cost: float = math.nan
    modules: tuple[Module, ...] = ()


@dataclass(slots=True)
class RawDemand:
    """A demand."""

    line: int
    name: str
    source: str
    target: str
    value: float
    routing_unit: float = 1.0
    max_path_length: int | None = None


@dataclass(slots=True)
class RawNetwork:
    """A whole file."""

    name: str = ""
    unit: str = ""
    in_pixels: bool = False
    nodes: list[RawNode] = field(default_factory=list)
    links: list[RawLink] = field(default_factory=list)
    demands: list[RawDemand] = field(default_factory=list)


def number(text: str, what: str, line: int) -> float:
    """Read a number.

    Parameters
    ----------
    text
        From the file.
    what
        Its name for a message.
    line
        Where it stands.

    Returns
    -------
    float
        Finite.

    Raises
    ------
    InputError
        If it is none.
    """
    value = decimal(text)
    if value is None:
        raise InputError(f"{what} must be a number (got {shown(text)})", field=f"line {line}")
    return value


def path_length(text: str, line: int) -> int | None:
    """Read a limit on the number of links of a path.

    Parameters
    ----------
    text
        A whole number, or ``UNLIMITED``.
    line
        Where it stands.

    Returns
    -------
    int or None
        None for no limit.

    Raises
    ------
    InputError
        If it is neither.
    """
    if text.upper() == "UNLIMITED":
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InputError(
            f"the longest path must be a number of links or UNLIMITED (got {shown(text)})",
            field=f"line {line}",
        )
    return int(text)
