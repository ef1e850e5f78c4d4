"""Colours and marks of pictures, the same on paper and on screen.

The colours are those of M. Okabe and K. Ito, Color universal design, 2008, which people with any
kind of colour vision tell apart; marks differ in shape as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

OCEAN = "#edf2f6"
LAND = "#d3d5cc"
COAST = "#a9aca1"
NIGHT = "#22304a"
NIGHT_OPACITY = 0.13
GRID = "#ffffff"
INK = "#1b2330"
QUIET_INK = "#5b6675"
PAPER = "#ffffff"


@dataclass(frozen=True)
class LineStyle:
    """How the links of one kind are drawn.

    ``width`` is in points. ``opacity`` holds for few links; more are drawn fainter.
    """

    label: str
    colour: str
    width: float
    opacity: float


@dataclass(frozen=True)
class MarkStyle:
    """How the nodes of one kind are drawn; ``size`` is a diameter in points."""

    label: str
    colour: str
    mark: str
    size: float


BETWEEN_SATELLITES = LineStyle("link between satellites", "#0072B2", 0.5, 0.75)
TO_GROUND = LineStyle("link to the ground", "#009E73", 0.7, 0.95)
ON_GROUND = LineStyle("link on the ground", "#8A5A83", 0.9, 0.9)
ROUTE = LineStyle("route", "#D55E00", 2.0, 1.0)

IN_SUNLIGHT = MarkStyle("satellite in sunlight", "#E69F00", "circle", 3.2)
IN_ECLIPSE = MarkStyle("satellite in eclipse", "#3D4F70", "circle", 3.2)
GROUND_STATION = MarkStyle("ground station", INK, "triangle", 6.0)
EDGE = MarkStyle("edge node", INK, "diamond", 5.0)
CLOUD = MarkStyle("cloud", INK, "square", 5.5)

_CROWD = 600
"""So many lines or marks still stand apart on a page."""


def fainter(opacity: float, count: int) -> float:
    """Return the opacity of one of many lines.

    Parameters
    ----------
    opacity
        Of one of a few.
    count
        Number of lines.

    Returns
    -------
    float
        Less from some hundreds of lines on, and never less than a fifth.
    """
    return opacity * max(0.2, math.pow(_share(count), 0.3))


def smaller(size: float, count: int) -> float:
    """Return the diameter of one of many marks.

    Parameters
    ----------
    size
        Of one of a few, in points.
    count
        Number of marks.

    Returns
    -------
    float
        Points; less from some hundreds of marks on.
    """
    return size * max(0.25, math.pow(_share(count), 0.45))


def _share(count: int) -> float:
    return min(1.0, _CROWD / max(count, 1))
