"""Objectives by hand, the breakdown, the order of violations, and what is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.evaluation.builders import check, continuum, place, problem, rules

from leotrek_opt.errors import InputError, UnsupportedError
from leotrek_opt.evaluation.placement import evaluate
from leotrek_opt.models.continuum import HeatProfile, NodeEvent
from leotrek_opt.models.placement import PlacementObjective, PlacementProblem, ThermalRule
from leotrek_opt.models.workflow import DataEdge, DataSource, Function, Loop, Workflow
from leotrek_opt.topology.materialise import materialise
from leotrek_opt.topology.series import LinkSeries


def two_workflows(**objective: object) -> PlacementProblem:
    """Return workflows v and w on a - b - c - d with 1, 2 and 4 ms."""
    source = DataSource(id="eo", node="d")
    workflows = tuple(
        Workflow(
            id=name,
            functions=(
                Function(id="f", execution_ms={"arm64": 10}),
                Function(id="g", data_sources=(source,)),
                Function(id="h"),
            ),
            edges=(DataEdge(source="f", target="g"), DataEdge(source="g", target="h")),
        )
        for name in "vw"
    )
    return PlacementProblem(
        continuum=continuum("abcd", [("a", "b", 1.0), ("b", "c", 2.0), ("c", "d", 4.0)]),
        workflows=workflows,
        objective=PlacementObjective.model_validate(objective),
    )


PLACES = {"v/f": "a", "v/g": "b", "v/h": "d", "w/f": "c", "w/g": "c", "w/h": "b"}


@pytest.mark.parametrize(
    ("metric", "data_sources", "aggregate", "expected_ms"),
    [
        # v: a-b 1, b-d 6; source d-b 6. w: c-c 0, c-b 2; source d-c 4.
        ("sum_latency", False, "sum", 1 + 6 + 0 + 2),
        ("sum_latency", False, "max", 7),
        ("sum_latency", True, "sum", 7 + 6 + 2 + 4),
        ("sum_latency", True, "max", 13),
        # v: f ends at 10, g starts at 11, h at 17. w: 10, 10, 12. The sources come earlier.
        ("critical_path", False, "sum", 17 + 12),
        ("critical_path", False, "max", 17),
        ("critical_path", True, "sum", 17 + 12),
        ("critical_path", True, "max", 17),
    ],
)
def test_objective_is_as_named(
    metric: str, data_sources: bool, aggregate: str, expected_ms: int
) -> None:
    asked = two_workflows(metric=metric, data_sources=data_sources, aggregate=aggregate)
    evaluation = evaluate(asked, place(PLACES))
    assert evaluation.violations == ()
    assert evaluation.objective_ns == expected_ms * 1_000_000


def test_breakdown_holds_each_workflows_value_and_response() -> None:
    evaluation = evaluate(two_workflows(metric="sum_latency"), place(PLACES))
    values = [(v.workflow, v.value_ms, v.response_ms) for v in evaluation.breakdown.workflows]
    assert values == [("v", 7.0, 17.0), ("w", 2.0, 12.0)]
    assert len(evaluation.breakdown.links) == 6


def test_objective_is_unknown_while_one_workflow_is_incomplete() -> None:
    for aggregate in ("sum", "max"):
        asked = two_workflows(aggregate=aggregate)
        evaluation = evaluate(asked, place({**PLACES, "w/h": "nowhere"}))
        assert rules(evaluation) == [("assignment", "w/h")]
        assert evaluation.objective_ns is None
        values = [value.value_ms for value in evaluation.breakdown.workflows]
        assert values == [7.0, None]


def test_unplaced_function_that_the_sum_does_not_need_leaves_the_objective() -> None:
    asked = problem(continuum("ab", [("a", "b", 1.0)]), [Function(id="f"), Function(id="g")])
    evaluation = check(asked, f="a")
    assert evaluation.objective_ns == 0
    assert evaluation.breakdown.workflows[0].response_ms is None


def test_latencies_are_rounded_to_nanoseconds_before_they_are_added() -> None:
    # 0.0000005 ms is half a nanosecond and goes to the even 0; 0.0000015 ms goes to 2.
    where = continuum("abc", [("a", "b", 0.0000005), ("b", "c", 0.0000015)])
    edges = [DataEdge(source="f", target="g")]
    asked = problem(where, [Function(id="f"), Function(id="g")], edges)
    assert check(asked, f="a", g="c").objective_ns == 2


def test_sums_stay_exact_where_floats_of_milliseconds_do_not() -> None:
    # 0.1 + 0.2 ms is 300000 ns, not 0.30000000000000004 ms.
    where = continuum("abc", [("a", "b", 0.1), ("b", "c", 0.2)])
    edges = [DataEdge(source="f", target="g", max_latency_ms=0.3)]
    asked = problem(where, [Function(id="f"), Function(id="g")], edges)
    evaluation = check(asked, f="a", g="c")
    assert evaluation.violations == ()
    assert evaluation.objective_ns == 300_000


def everything_broken() -> PlacementProblem:
    """Return a problem in which ``f="b", g="a", h="c"`` breaks every rule, most of them at once."""
    heat = HeatProfile(
        id="p",
        temperature_c=90.0,
        orbit_base_temperature_c=90.0,
        recommended_temperature_c=65.0,
        max_temperature_c=75.0,
        heating_c_per_core_minute=1.0,
        radiated_c_per_minute=0.1,
    )
    where = continuum(
        "abcd",
        [("a", "b", 9.0)],
        architecture=["arm64", "arm64", "x86_64", "arm64"],
        capacity={"cpu_millis": [0, 0, 0, 0]},
        profile=heat,
        heated="b",
        events=[NodeEvent(step=0, node="b", available=False)],
    )
    near = DataSource(id="near", node="a", max_latency_ms=1.0)
    far = DataSource(id="far", node="d")
    functions = [
        Function(
            id="f",
            pinned="a",
            demand={"cpu_millis": 1},
            data_sources=(near, far),
            accelerator={"mode": "gpu"},  # type: ignore[arg-type]
        ),
        Function(id="g", execution_ms={"arm64": 5}),
        Function(id="h", architectures=("arm64",)),
        Function(id="k"),
    ]
    edges = [
        DataEdge(source="f", target="g", max_latency_ms=1.0),
        DataEdge(source="f", target="h"),
    ]
    first = problem(where, functions, edges, thermal=ThermalRule())
    slow = Workflow(
        id="s",
        functions=(Function(id="f", execution_ms={"arm64": 5}),),
        response_time_slo_ms=1.0,
    )
    return first.replace(workflows=(*first.workflows, slow))


def test_violations_come_rule_by_rule_in_the_order_of_the_problem() -> None:
    solution = place({"s/f": "a", "w/f": "b", "w/g": "a", "w/h": "c"})
    evaluation = evaluate(everything_broken(), solution)
    assert rules(evaluation) == [
        ("assignment", "w/k"),
        ("pinned", "w/f"),
        ("architecture", "w/h"),
        ("accelerator", "b"),
        ("availability", "w/f"),
        ("capacity", "b"),
        ("temperature", "w/f"),
        ("route", "w/f -> w/h"),
        ("route", "far -> w/f"),
        ("max_latency", "w/f -> w/g"),
        ("data_source", "near -> w/f"),
        ("response_time", "s"),
    ]


def test_order_of_the_solution_does_not_matter() -> None:
    solution = place({"s/f": "a", "w/f": "b", "w/g": "a", "w/h": "c"})
    backwards = solution.replace(assignments=solution.assignments[::-1])
    assert evaluate(everything_broken(), solution) == evaluate(everything_broken(), backwards)


def test_given_series_is_used() -> None:
    asked = two_workflows()
    series = materialise(asked.continuum)
    assert evaluate(asked, place(PLACES), series) == evaluate(asked, place(PLACES))
    doubled = LinkSeries(
        n_nodes=series.n_nodes,
        source=series.source,
        target=series.target,
        latency_ns=2 * series.latency_ns,
        bandwidth_bps=None,
        up=None,
        steps=series.steps,
    )
    assert evaluate(asked, place(PLACES), doubled).objective_ns == 18_000_000


def test_series_of_another_continuum_is_refused() -> None:
    other = materialise(continuum("ab", [("a", "b", 1.0)]))
    with pytest.raises(InputError, match="2 nodes and 1 steps, the continuum 4 and 1"):
        evaluate(two_workflows(), place(PLACES), other)


def test_control_flow_is_refused() -> None:
    asked = two_workflows()
    looped = asked.workflows[1].replace(control=(Loop(body=("f",), probability=0.5),))
    asked = asked.replace(workflows=(asked.workflows[0], looped))
    with pytest.raises(UnsupportedError, match='workflow "w" has 1 loops, branches or maps'):
        evaluate(asked, place(PLACES))


def test_continuum_without_links_works() -> None:
    where = continuum("ab", [])
    edges = [DataEdge(source="f", target="g")]
    asked = problem(where, [Function(id="f"), Function(id="g")], edges)
    assert check(asked, f="a", g="a").objective_ns == 0
    assert rules(check(asked, f="a", g="b")) == [("route", "w/f -> w/g")]


def test_checker_loads_no_solver_and_no_routing() -> None:
    program = (
        "import sys, leotrek_opt.evaluation.placement, leotrek_opt.topology.materialise; "
        "print([name for name in sys.modules if name.startswith('leotrek_opt.solvers') "
        "or name.split('.')[0] in ('scipy', 'highspy', 'ortools') "
        "or name == 'leotrek_opt.topology.routing'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
