"""Pinned functions, architectures and availability, by hand."""

from __future__ import annotations

from typing import Any

import pytest
from tests.evaluation.builders import check, continuum, messages, problem, rules

from leotrek_opt.models.continuum import NodeEvent
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.models.workflow import Function


def test_pinned_function_must_stay() -> None:
    asked = problem(continuum("ab", [("a", "b", 1.0)]), [Function(id="f", pinned="a")])
    assert rules(check(asked, f="a")) == []
    assert messages(check(asked, f="b")) == ["pinned: w/f must stay on node a, is on b"]


def on_architectures(**fields: Any) -> PlacementProblem:
    where = continuum(
        "abc", [("a", "b", 1.0), ("b", "c", 1.0)], architecture=["arm64", "x86_64", "riscv64"]
    )
    return problem(where, [Function(id="f", **fields)])


@pytest.mark.parametrize(
    ("fields", "allowed"),
    [
        ({}, "abc"),
        ({"architectures": ("x86_64",)}, "b"),
        ({"architectures": ("arm64", "riscv64")}, "ac"),
        ({"execution_ms": {"arm64": 5, "x86_64": 4}}, "ab"),
        ({"architectures": ("x86_64",), "execution_ms": {"arm64": 5, "x86_64": 4}}, "b"),
    ],
    ids=["any", "one", "two", "by execution time", "listed before known"],
)
def test_architecture_is_as_listed_else_where_execution_time_is_known(
    fields: dict[str, Any], allowed: str
) -> None:
    asked = on_architectures(**fields)
    assert [node for node in "abc" if not check(asked, f=node).violations] == list(allowed)


def test_architecture_message_names_what_runs_and_what_is_there() -> None:
    asked = on_architectures(architectures=("arm64", "x86_64"))
    evaluation = check(asked, f="c")
    assert rules(evaluation) == [("architecture", "w/f")]
    assert messages(evaluation) == ["architecture: w/f runs on arm64 or x86_64, node c is riscv64"]


def available(step: int, *events: NodeEvent) -> bool:
    """Tell whether node a takes function f of some step."""
    asked = problem(
        continuum("ab", [("a", "b", 1.0)], steps=4, events=events),
        [Function(id="f", step=step), Function(id="g", pinned="b")],
    )
    found = rules(check(asked, f="a", g="b"))
    assert found in ([], [("availability", "w/f")])
    return not found


def test_node_takes_no_function_from_the_step_of_its_event_on() -> None:
    leaves = NodeEvent(step=2, node="a", available=False)
    assert [available(step, leaves) for step in range(4)] == [True, True, False, False]


def test_node_takes_functions_again_after_a_later_event() -> None:
    leaves = NodeEvent(step=1, node="a", available=False)
    returns = NodeEvent(step=3, node="a", available=True)
    assert [available(step, returns, leaves) for step in range(4)] == [True, False, False, True]


def test_events_of_one_step_follow_their_order_then_the_list() -> None:
    leaves = NodeEvent(step=1, node="a", available=False)
    returns = NodeEvent(step=1, node="a", available=True)
    assert available(1, leaves, returns)
    assert not available(1, returns, leaves)
    assert available(1, returns.replace(order=1), leaves)
    assert not available(1, leaves.replace(order=1), returns)


def test_excepted_function_does_not_see_the_event() -> None:
    leaves = NodeEvent(step=1, node="a", available=False)
    spares = NodeEvent(step=2, node="a", available=False, except_functions=("w/f",))
    assert available(3, spares)
    # The later event is not there for f, so the earlier one still counts.
    assert not available(3, leaves, spares)
    assert not available(3, leaves.replace(except_functions=("w/g",)))


def test_events_of_other_nodes_and_capacities_leave_availability_alone() -> None:
    asked = problem(
        continuum(
            "ab",
            [("a", "b", 1.0)],
            capacity={"cpu_millis": [1, 1]},
            events=[
                NodeEvent(step=0, node="b", available=False),
                NodeEvent(step=0, node="a", resource="cpu_millis", capacity=0),
            ],
        ),
        [Function(id="f")],
    )
    assert rules(check(asked, f="a")) == []


def test_pinned_function_obeys_availability_too() -> None:
    asked = problem(
        continuum("ab", [("a", "b", 1.0)], events=[NodeEvent(step=0, node="a", available=False)]),
        [Function(id="f", pinned="a", reserves=False)],
    )
    assert rules(check(asked, f="a")) == [("availability", "w/f")]


def test_availability_message_names_node_function_and_steps() -> None:
    asked = problem(
        continuum(
            "ab",
            [("a", "b", 1.0)],
            steps=4,
            events=[NodeEvent(step=2, node="a", available=False)],
        ),
        [Function(id="f", step=3)],
    )
    assert messages(check(asked, f="a")) == [
        "availability: node a takes no function from step 2 on, w/f is placed there at step 3"
    ]
