"""Which names are written where, so that none lies on another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leotrek_opt.report.topology_picture import Nodes, TopologyPicture

MAX_LABELS = 24
"""With more ground nodes than that only the ends of the route are named."""

_SIDES = (
    ("left", 1.0, 0.0), ("right", -1.0, 0.0), ("center", 0.0, 1.0), ("center", 0.0, -1.0),
    ("left", 0.7, 0.9), ("right", -0.7, 0.9), ("left", 0.7, -0.9), ("right", -0.7, -0.9),
)  # fmt: skip


@dataclass(frozen=True)
class Label:
    """A name beside a mark: ``anchor`` says which side of the text is at ``x``."""

    text: str
    x: float
    y: float
    anchor: str


def named_nodes(picture: TopologyPicture) -> list[tuple[Nodes, int]]:
    """Return the ground nodes whose names are written, ends of the route first.

    Parameters
    ----------
    picture
        What is drawn.

    Returns
    -------
    list
        Group and row in it.
    """
    everything = [(group, row) for group in picture.ground for row in range(len(group.names))]
    if picture.route is None:
        return everything if len(everything) <= MAX_LABELS else []
    ends = {tuple(picture.route.position_km[end].tolist()) for end in (0, -1)}
    at_ends = [
        (group, row) for group, row in everything if tuple(group.position_km[row].tolist()) in ends
    ]
    if len(everything) > MAX_LABELS:
        return at_ends
    at = {(id(group), row) for group, row in at_ends}
    return at_ends + [(group, row) for group, row in everything if (id(group), row) not in at]


def placed_labels(
    texts: Sequence[str],
    points: Sequence[tuple[float, float]],
    character: tuple[float, float],
    gap: float,
    limits: tuple[float, float, float, float],
) -> list[Label]:
    """Put names beside their points: right, left, above, below or at a corner.

    Parameters
    ----------
    texts, points
        Names and the places of their marks, the most important first.
    character
        Width and height of a character in the unit of the points.
    gap
        Between a mark and its name.
    limits
        Left, right, bottom and top of what may be written on.

    Returns
    -------
    list of Label
        On the first side that is free; names for which none is are left out.
    """
    taken = [(x - gap, x + gap, y - gap, y + gap) for x, y in points]
    labels: list[Label] = []
    for own, (text, (x, y)) in enumerate(zip(texts, points, strict=True)):
        width, height = character[0] * len(text), character[1]
        for anchor, right, up in _SIDES:
            at_x, at_y = x + right * gap, y + up * (gap + height / 2)
            left = at_x - {"left": 0.0, "right": width, "center": width / 2}[anchor]
            box = (left, left + width, at_y - height / 2, at_y + height / 2)
            others = taken[:own] + taken[own + 1 :]
            if _within(box, limits) and not any(_overlap(box, other) for other in others):
                labels.append(Label(text, at_x, at_y, anchor))
                taken.append(box)
                break
    return labels


_Box = tuple[float, float, float, float]


def _within(box: _Box, limits: _Box) -> bool:
    return (
        box[0] >= limits[0] and box[1] <= limits[1] and box[2] >= limits[2] and box[3] <= limits[3]
    )


def _overlap(box: _Box, other: _Box) -> bool:
    return box[0] < other[1] and other[0] < box[1] and box[2] < other[3] and other[2] < box[3]
