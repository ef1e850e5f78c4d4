"""Names: none on another, those of the route first."""

from __future__ import annotations

from tests.report.worlds import shortest_route, world

from leotrek_opt.report.labels import named_nodes, placed_labels
from leotrek_opt.report.topology_picture import topology_picture


def test_names_keep_clear_of_each_other_and_of_marks() -> None:
    points = [(0.0, 0.0), (4.0, 0.0), (99.0, 50.0), (0.0, 2.0)]
    labels = placed_labels(
        ["first", "second", "at the edge", "squeezed"], points, (1.0, 2.0), 1.0, (-50, 100, -60, 60)
    )
    placed = {label.text: label for label in labels}
    # To the right of the first stands the mark of the second.
    assert placed["first"].anchor != "left"
    assert placed["second"].anchor == "left"
    assert placed["at the edge"].anchor == "right"
    assert placed["at the edge"].x == 98.0
    boxes = []
    for label in labels:
        width = len(label.text)
        left = label.x - {"left": 0, "right": width, "center": width / 2}[label.anchor]
        boxes.append((left, left + width, label.y - 1, label.y + 1))
    for index, box in enumerate(boxes):
        for other in boxes[index + 1 :]:
            apart = box[1] <= other[0] or other[1] <= box[0]
            assert apart or box[3] <= other[2] or other[3] <= box[2]


def test_a_name_without_room_is_left_out() -> None:
    assert placed_labels(["too long for this"], [(0.0, 0.0)], (1.0, 2.0), 1.0, (-5, 5, -5, 5)) == []


def test_ends_of_the_route_are_named_first() -> None:
    continuum, state = world()
    everything = topology_picture(state, continuum)
    assert [group.names[row] for group, row in named_nodes(everything)] == [
        "Vienna", "Auckland", "Tokyo",
    ]  # fmt: skip
    route = shortest_route(state, 81, 82)
    named = named_nodes(topology_picture(state, continuum, route=route))
    assert [group.names[row] for group, row in named] == ["Auckland", "Tokyo", "Vienna"]
