"""Every function stands on exactly one known node, or the solution says where it does not."""

from __future__ import annotations

from tests.evaluation.builders import check, continuum, messages, place, problem, rules

from leotrek_opt.evaluation.placement import evaluate
from leotrek_opt.models.placement import Assignment, PlacementProblem, PlacementSolution
from leotrek_opt.models.workflow import DataEdge, Function


def two_functions() -> PlacementProblem:
    return problem(
        continuum("abc", [("a", "b", 1.0), ("b", "c", 2.0)]),
        [Function(id="f"), Function(id="g")],
        [DataEdge(source="f", target="g")],
    )


def test_complete_placement_is_clean() -> None:
    evaluation = check(two_functions(), f="a", g="c")
    assert evaluation.violations == ()
    assert evaluation.objective_ns == 3_000_000


def test_missing_function_is_named_and_leaves_no_objective() -> None:
    evaluation = check(two_functions(), f="a")
    assert rules(evaluation) == [("assignment", "w/g")]
    assert messages(evaluation) == ["assignment: w/g is not placed"]
    assert evaluation.objective_ns is None
    assert evaluation.breakdown.links[0].latency_ms is None
    assert evaluation.breakdown.workflows[0].response_ms is None


def test_empty_solution_names_every_function_in_order() -> None:
    evaluation = evaluate(two_functions(), PlacementSolution(assignments=()))
    assert rules(evaluation) == [("assignment", "w/f"), ("assignment", "w/g")]


def test_unknown_node_is_named_with_the_nearest_one() -> None:
    where = continuum("ab", [("a", "b", 1.0)])
    where = where.replace(nodes=where.nodes.replace(id=("edge-1", "edge-2")))
    asked = problem(where, [Function(id="f")])
    evaluation = check(asked, f="edgee-2")
    assert messages(evaluation) == [
        'assignment: w/f is placed on "edgee-2", there is no such node (did you mean "edge-2"?)'
    ]


def test_function_placed_twice_has_no_place() -> None:
    twice = PlacementSolution(
        assignments=(
            *place(f="a", g="b").assignments,
            Assignment(workflow="w", function="g", node="c"),
        )
    )
    evaluation = evaluate(two_functions(), twice)
    assert messages(evaluation) == ["assignment: w/g is placed 2 times: b, c"]
    assert evaluation.objective_ns is None


def test_unknown_functions_and_workflows_are_named_after_the_rest() -> None:
    solution = place({"w/gg": "a", "x/f": "b"}, f="a", g="b")
    evaluation = evaluate(two_functions(), solution)
    assert rules(evaluation) == [("assignment", "w/gg"), ("assignment", "x/f")]
    assert messages(evaluation)[0] == (
        'assignment: the problem has no function "w/gg" (did you mean "w/g"?)'
    )
    assert evaluation.objective_ns == 1_000_000
