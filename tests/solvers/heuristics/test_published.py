"""HyperDrive and its baselines as published: every quirk by hand, every placement by reference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.solvers.heuristics.scenes import (
    Node,
    arrays_of,
    continuum,
    edge,
    function,
    nodes_of,
    problem,
    request,
)

from leotrek_opt.instances.hyperdrive import read_results, read_scenario
from leotrek_opt.models.base import NS_PER_MS
from leotrek_opt.models.continuum import NodeEvent
from leotrek_opt.models.workflow import DataSource, Function
from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.heuristics.online import Decision, Scheduler, replay
from leotrek_opt.solvers.heuristics.published import (
    first_fit,
    first_fit_scheduler,
    hyperdrive_published,
    hyperdrive_scheduler,
    random_placement,
    round_robin,
    round_robin_scheduler,
)
from leotrek_opt.solvers.status import Status

DRONE: Node = ("drone", "edge", 40.0, -120.0)


def pinned() -> Function:
    return function("ingest", cpu=0, pinned="drone")


def run_hyperdrive(
    nodes: Sequence[Node], links: Sequence[tuple[str, str, float]], **fields: object
) -> tuple[str | None, Decision]:
    """Place one function after the drone's; return node and decision."""
    model = fields.pop("model", None) or function("f")
    link = fields.pop("link", None) or edge("ingest", "f")
    cpu = {"drone": 0} | fields.pop("cpu", {})  # type: ignore[operator]
    where = continuum([DRONE, *nodes], links, cpu=cpu, **fields)  # type: ignore[arg-type]
    arrays = arrays_of(problem(where, ([pinned(), model], [link])))  # type: ignore[list-item]
    assignment, decisions = replay(arrays, hyperdrive_scheduler(arrays))
    found = int(assignment[1])
    return (where.nodes.id[found] if found >= 0 else None), decisions[1]


def test_vicinity_takes_the_first_nodes_in_the_list_not_the_nearest() -> None:
    """Sixty satellites stand in the list before one right above the drone: it is never seen."""
    far: list[Node] = [(f"s{index}", "satellite", 45.0, -120.0) for index in range(60)]
    near: Node = ("near", "satellite", 40.0, -120.0)
    links = [("drone", "near", 1.0)] + [("near", f"s{index}", 9.0) for index in range(60)]
    node, decision = run_hyperdrive([*far, near], links)
    assert node == "s0"
    assert decision.score == 50  # all equal: network 0, heat 100
    node, _ = run_hyperdrive([*far[:59], near], links[:-1])
    assert node == "near"


@pytest.mark.parametrize(
    ("kind", "inside_deg", "outside_deg"),
    # one degree of latitude is 111.0 km there
    [
        ("ground_station", 4.4, 4.6),
        ("cloud", 4.4, 4.6),
        ("edge", 1.7, 1.9),
        ("satellite", 17.9, 18.1),
    ],
)
def test_vicinity_has_a_radius_for_each_kind(
    kind: str, inside_deg: float, outside_deg: float
) -> None:
    for offset, expected in ((inside_deg, "x"), (outside_deg, None)):
        node, decision = run_hyperdrive([("x", kind, 40 + offset, -120.0)], [("drone", "x", 1.0)])  # type: ignore[list-item]
        assert node == expected
        if expected is None:
            assert decision.reason == "no node passes the filters"


def test_vicinity_is_that_of_the_first_predecessor_only() -> None:
    where = continuum(
        [("a", "edge", 0.0, 0.0), ("b", "edge", 60.0, 90.0), ("near-b", "edge", 60.0, 90.5)],
        [("a", "b", 1.0), ("b", "near-b", 1.0)],
        cpu={"a": 0, "b": 0},
    )
    functions = [function("p", 0, pinned="a"), function("q", 0, pinned="b"), function("f")]
    for edges, expected in (
        ([edge("p", "f"), edge("q", "f")], None),
        ([edge("q", "f"), edge("p", "f")], "near-b"),
    ):
        arrays = arrays_of(problem(where, (functions, edges)))
        found = hyperdrive_published(arrays, request())
        assert nodes_of(arrays, found)["f"] == expected


def test_a_satellite_predecessor_counts_by_its_sub_point_at_the_function_s_step() -> None:
    nodes: list[Node] = [
        ("sat", "satellite", 0.0, 0.0),
        ("here", "edge", 0.0, 0.5),
        ("there", "edge", 30.0, 0.5),
    ]
    where = continuum(
        nodes,
        [("sat", "here", 1.0), ("sat", "there", 1.0)],
        steps=2,
        cpu={"sat": 0},
        moves={"sat": [(0.0, 0.0), (30.0, 0.0)]},
    )
    for step, expected in ((0, "here"), (1, "there")):
        functions = [function("p", 0, pinned="sat"), function("f", step=step)]
        arrays = arrays_of(problem(where, (functions, [edge("p", "f")])))
        found = hyperdrive_published(arrays, request())
        assert nodes_of(arrays, found)["f"] == expected


def test_network_score_is_the_largest_latency_not_the_sum() -> None:
    """Node a: 2 ms and 9 ms (sum 11, largest 9). Node b: 8 ms and 8 ms (sum 16, largest 8)."""
    nodes: list[Node] = [
        ("a", "edge", 40.0, -120.1),
        ("b", "edge", 40.0, -120.2),
        ("eo", "edge", 0.0, 0.0),
    ]
    links = [("drone", "a", 2.0), ("a", "eo", 9.0), ("drone", "b", 8.0), ("b", "eo", 8.0)]
    model = function("f", data_sources=(DataSource(id="eo", node="eo"),))
    node, decision = run_hyperdrive(nodes, links, model=model)
    assert node == "b"
    assert decision.score == 100


def test_network_score_rounds_to_whole_milliseconds() -> None:
    """1.4 ms and 0.6 ms are the same millisecond, so the first in the list wins."""
    nodes: list[Node] = [
        ("a", "edge", 40.0, -120.1),
        ("b", "edge", 40.0, -120.2),
        ("c", "edge", 40.0, -120.3),
    ]
    links = [("drone", "a", 1.4), ("drone", "b", 0.6), ("drone", "c", 30.0)]
    assert run_hyperdrive(nodes, links)[0] == "a"


def test_network_score_is_stretched_over_the_candidates_and_cut() -> None:
    """Of 5, 8 and 12 ms: 100, floor(4/7 * 100) = 57 and 0; with heat 100 the mean of 57 is 78."""
    nodes: list[Node] = [(name, "edge", 40.0, -120.1) for name in ("a", "b", "c")]
    links = [("drone", "a", 12.0), ("drone", "b", 8.0), ("drone", "c", 5.0)]
    node, decision = run_hyperdrive(nodes, links)
    assert (node, decision.score) == ("c", 100)
    # The best and the worst must be candidates to stretch the scale, but can be made to lose.
    hot = [("c", "satellite", 40.0, -120.1)]
    ten_minutes = function("f", execution_ms={"arm64": 600_000})
    node, decision = run_hyperdrive([*nodes[:2], *hot], links, hot=["c"], model=ten_minutes)  # type: ignore[list-item]
    assert (node, decision.score) == ("b", 78)


def test_equal_latencies_give_no_network_score() -> None:
    node, decision = run_hyperdrive([("a", "edge", 40.0, -120.1)], [("drone", "a", 5.0)])
    assert (node, decision.score) == ("a", 50)


def test_heat_lowers_the_score_but_is_no_filter() -> None:
    """67.9 degrees are 2.9 of 10 above the recommended 65: floor(71) lost to binary is 70."""
    hot: list[Node] = [("s", "satellite", 40.0, -120.0)]
    links = [("drone", "s", 5.0)]
    assert run_hyperdrive(hot, links, hot=["s"])[1].score == 35
    ten_minutes = function("f", execution_ms={"arm64": 600_000})
    node, decision = run_hyperdrive(hot, links, hot=["s"], model=ten_minutes)
    assert (node, decision.score) == ("s", 0)


def test_heat_estimate_takes_the_remainder_of_the_orbit_term() -> None:
    """90 s: int(60 * 1.5) % 75 = 15, plus (8 - 0.1) * 1.5: cooler than 60 s, so full score."""
    hot: list[Node] = [("s", "satellite", 40.0, -120.0)]
    model = function("f", execution_ms={"arm64": 90_000})
    assert run_hyperdrive(hot, [("drone", "s", 5.0)], hot=["s"], model=model)[1].score == 50


def test_unknown_execution_time_leaves_the_current_temperature() -> None:
    hot: list[Node] = [("s", "satellite", 40.0, -120.0)]
    model = function("f", execution_ms={})
    assert run_hyperdrive(hot, [("drone", "s", 5.0)], hot=["s"], model=model)[1].score == 50


def test_a_node_without_route_has_the_best_network_score_unless_a_limit_filters_it() -> None:
    nodes: list[Node] = [("near", "edge", 40.0, -120.1), ("cut-off", "edge", 40.0, -120.2)]
    links = [("drone", "near", 5.0)]
    assert run_hyperdrive(nodes, links)[0] == "cut-off"
    assert run_hyperdrive(nodes, links, link=edge("ingest", "f", 100.0))[0] == "near"


def test_limits_filter_links_and_data_sources_inclusively() -> None:
    nodes: list[Node] = [
        ("a", "edge", 40.0, -120.1),
        ("b", "edge", 40.0, -120.2),
        ("eo", "edge", 0.0, 0.0),
    ]
    links = [("drone", "a", 2.0), ("drone", "b", 3.0), ("a", "eo", 9.0), ("b", "eo", 4.0)]
    source = DataSource(id="eo", node="eo", max_latency_ms=4.0)
    model = function("f", data_sources=(source,))
    assert run_hyperdrive(nodes, links, model=model, link=edge("ingest", "f", 3.0))[0] == "b"
    node, decision = run_hyperdrive(nodes, links, model=model, link=edge("ingest", "f", 2.999999))
    assert node is None
    assert decision.reason == "no node passes the filters"


def test_bandwidth_limits_are_ignored() -> None:
    nodes: list[Node] = [("a", "edge", 40.0, -120.1)]
    link = edge("ingest", "f", min_bandwidth_mbps=100.0)
    found, _ = run_hyperdrive(nodes, [("drone", "a", 5.0)], link=link, bandwidth_mbps=[1.0])
    assert found == "a"


def test_ties_go_to_ground_stations_then_cloud_edge_and_satellites() -> None:
    nodes: list[Node] = [
        ("s", "satellite", 40.0, -120.1),
        ("e", "edge", 40.0, -120.1),
        ("c", "cloud", 40.0, -120.1),
        ("g", "ground_station", 40.0, -120.1),
    ]
    left = list(nodes)
    for expected in ("g", "c", "e", "s"):
        node, _ = run_hyperdrive(left, [("drone", name, 5.0) for name, *_ in left])
        assert node == expected
        left = [entry for entry in left if entry[0] != expected]


def test_room_is_never_given_back_and_architecture_counts() -> None:
    nodes: list[Node] = [
        DRONE,
        ("a", "edge", 40.0, -120.1),
        ("b", "edge", 40.0, -120.2),
        ("x", "edge", 40.0, -120.05),
    ]
    links = [("drone", "a", 1.0), ("drone", "b", 9.0), ("drone", "x", 0.1)]
    where = continuum(nodes, links, steps=3, cpu={"drone": 0}, architecture={"x": "x86_64"})
    functions = [pinned(), *(function(f"f{step}", step=step) for step in range(3))]
    edges = [edge("ingest", f"f{step}") for step in range(3)]
    arrays = arrays_of(problem(where, (functions, edges)))
    found = hyperdrive_published(arrays, request())
    assert nodes_of(arrays, found) == {"ingest": "drone", "f0": "a", "f1": "b", "f2": None}
    assert found.status is Status.NO_SOLUTION
    assert found.explanation[0] == "w0/f2: no node passes the filters"


def test_pinned_functions_take_their_room_before_anything_is_placed() -> None:
    """As published; the drone of the second workflow could otherwise serve the first."""
    nodes: list[Node] = [DRONE, ("other", "edge", 40.0, -120.1), ("c", "edge", 40.0, -120.2)]
    links = [("drone", "other", 1.0), ("drone", "c", 5.0)]
    where = continuum(nodes, links, steps=2)
    first = [function("ingest", pinned="drone"), function("f")]
    second = [function("ingest", pinned="other", step=1)]
    arrays = arrays_of(problem(where, (first, [edge("ingest", "f")]), (second, [])))
    assert nodes_of(arrays, hyperdrive_published(arrays, request()))["w0/f"] == "c"


def test_an_unavailable_node_has_no_resources_left_for_later_functions() -> None:
    event = NodeEvent(step=0, node="a", available=False, except_functions=("w0/f",))
    nodes: list[Node] = [DRONE, ("a", "edge", 40.0, -120.1), ("b", "edge", 40.0, -120.2)]
    where = continuum(
        nodes,
        [("drone", "a", 1.0), ("drone", "b", 9.0)],
        cpu={"drone": 0, "a": 8000},
        events=[event],
    )
    functions = [pinned(), function("f"), function("g")]
    edges = [edge("ingest", "f"), edge("ingest", "g")]
    arrays = arrays_of(problem(where, (functions, edges)))
    assert nodes_of(arrays, hyperdrive_published(arrays, request())) == {
        "ingest": "drone",
        "f": "a",
        "g": "b",
    }


def test_without_predecessor_candidates_are_drawn_with_replacement() -> None:
    """Eight draws out of eight nodes miss the only one with room now and then."""
    nodes: list[Node] = [(f"e{index}", "edge", 10.0 * index, 0.0) for index in range(8)]
    where = continuum(nodes, [], cpu={f"e{index}": 0 for index in range(7)})
    functions = [function(f"f{index}", cpu=1) for index in range(20)]
    arrays = arrays_of(problem(where, *(([item], []) for item in functions)))
    answers = [hyperdrive_published(arrays, request(seed=seed)) for seed in (0, 1)]
    first, second = (nodes_of(arrays, found) for found in answers)
    assert first == second
    assert set(first.values()) == {"e7", None}


def test_a_function_whose_predecessor_has_no_node_is_left_out_and_the_rest_goes_on() -> None:
    where = continuum([DRONE, ("a", "edge", 40.0, -120.1)], [("drone", "a", 5.0)])
    functions = [pinned(), function("f", cpu=9000), function("g"), function("h")]
    edges = [edge("ingest", "f"), edge("f", "g"), edge("ingest", "h")]
    arrays = arrays_of(problem(where, (functions, edges)))
    found = hyperdrive_published(arrays, request())
    assert nodes_of(arrays, found) == {"ingest": "drone", "f": None, "g": None, "h": "drone"}
    assert found.explanation[:2] == (
        "w0/f: no node passes the filters",
        "w0/g: a predecessor has no node",
    )


BASELINE_NODES: list[Node] = [
    ("s", "satellite", 0.0, 0.0),
    ("e", "edge", 0.0, 0.0),
    ("g", "ground_station", 0.0, 0.0),
    ("c", "cloud", 0.0, 0.0),
]


def baseline_arrays(count: int) -> PlacementArrays:
    where = continuum(BASELINE_NODES, [], cpu={"g": 8000}, steps=count)
    return arrays_of(problem(where, *(([function("f", step=index)], []) for index in range(count))))


def test_first_fit_fills_the_list_from_its_start() -> None:
    arrays = baseline_arrays(6)
    found = nodes_of(arrays, first_fit(arrays, request()))
    assert list(found.values()) == ["g", "g", "c", "e", "s", None]


def test_round_robin_goes_by_index_and_starts_again() -> None:
    arrays = baseline_arrays(6)
    found = nodes_of(arrays, round_robin(arrays, request()))
    assert list(found.values()) == ["s", "e", "g", "c", "g", None]


def test_random_depends_on_its_seed_alone_and_uses_every_node() -> None:
    arrays = baseline_arrays(3)
    found = [
        tuple(nodes_of(arrays, random_placement(arrays, request(seed=s))).values())
        for s in range(20)
    ]
    again = [
        tuple(nodes_of(arrays, random_placement(arrays, request(seed=s))).values())
        for s in range(20)
    ]
    assert found == again
    assert {nodes[0] for nodes in found} == {"s", "e", "g", "c"}


def test_baselines_ignore_limits_and_the_answer_says_what_they_break() -> None:
    where = continuum(
        [DRONE, ("g", "ground_station", 0.0, 0.0)], [("drone", "g", 50.0)], cpu={"drone": 4000}
    )
    arrays = arrays_of(
        problem(where, ([pinned(), function("f")], [edge("ingest", "f", max_latency_ms=10.0)]))
    )
    found = first_fit(arrays, request())
    assert nodes_of(arrays, found)["f"] == "g"
    assert found.status is Status.NO_SOLUTION
    assert found.explanation == ("first-fit does not keep: max_latency (1)",)


def test_a_feasible_answer_is_reported() -> None:
    arrays = baseline_arrays(2)
    asked = request()
    found = first_fit(arrays, asked)
    assert found.status is Status.FEASIBLE
    assert found.bound is None
    assert asked.tracker.objective == 0


@pytest.mark.reference
@pytest.mark.parametrize("name", ["hyperdrive", "firstfit", "roundrobin"])
def test_reference_placements_and_scores_are_replayed(reference_data: Path, name: str) -> None:
    folder = reference_data / "placement"
    arrays = arrays_of(read_scenario(folder, 1118))
    schedulers: dict[str, Scheduler] = {
        "hyperdrive": hyperdrive_scheduler(arrays),
        "firstfit": first_fit_scheduler(),
        "roundrobin": round_robin_scheduler(),
    }
    assignment, decisions = replay(arrays, schedulers[name])
    events = read_results(folder, 1118)[name].events
    placed = [decision for decision in decisions if decision.score is not None]
    assert [decision.node for decision in placed] == [event.target_node for event in events]
    assert [decision.score for decision in placed] == [event.score for event in events]
    for decision, event in zip(placed, events, strict=True):
        (link,) = [link for link in arrays.edges if link.target == decision.function]
        row = link.link.latency_rows([int(assignment[link.source])])[0]
        assert event.pred_latency_ms == pytest.approx(row[decision.node] / NS_PER_MS, abs=1e-5)
        if event.data_latency_ms is not None:
            source = arrays.source_latency_ns[decision.function, decision.node] / NS_PER_MS
            assert event.data_latency_ms == pytest.approx(source, abs=1e-5)
    assert np.all(assignment >= 0)
