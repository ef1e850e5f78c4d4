"""Response times by hand: executions, transfers, joins, data sources, SLOs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.evaluation.builders import check, continuum, messages, problem, rules

from leotrek_opt.models.placement import PlacementObjective, PlacementProblem
from leotrek_opt.models.workflow import DataEdge, DataSource, Function


def timed(name: str, execution_ms: int, **fields: Any) -> Function:
    return Function(
        id=name, execution_ms={"arm64": execution_ms, "x86_64": 2 * execution_ms}, **fields
    )


def asked(
    functions: Sequence[Function],
    edges: Sequence[DataEdge],
    *,
    data_sources: bool = False,
    metric: str = "critical_path",
    **fields: Any,
) -> PlacementProblem:
    """Return a problem on a - b - c: 1 and 2 ms, 100 and 50 Mbit/s; c is x86_64."""
    where = continuum(
        "abc",
        [("a", "b", 1.0, 100.0), ("b", "c", 2.0, 50.0)],
        architecture=["arm64", "arm64", "x86_64"],
    )
    objective = PlacementObjective.model_validate({"metric": metric, "data_sources": data_sources})
    return problem(where, functions, edges, objective=objective, **fields)


CHAIN = [DataEdge(source="f", target="g", size_bytes=12_500)]


def test_chain_adds_executions_and_transfer() -> None:
    # 10 on a; 3 ms latency + 0.1 Mbit at 50 Mbit/s = 2 ms; 2 * 7 on c: 10 + 5 + 14 = 29 ms.
    evaluation = check(asked([timed("f", 10), timed("g", 7)], CHAIN), f="a", g="c")
    assert evaluation.objective_ns == 29_000_000
    (value,) = evaluation.breakdown.workflows
    assert (value.value_ms, value.response_ms) == (29.0, 29.0)


def test_same_node_needs_no_transfer() -> None:
    assert check(asked([timed("f", 10), timed("g", 7)], CHAIN), f="a", g="a").objective_ns == (
        17_000_000
    )


def test_join_waits_for_the_last_input() -> None:
    # f -> h: 10 + 0 = 10. g -> h: 2 * 5 on c + 3 ms = 13. h on a: 13 + 1 = 14.
    edges = [DataEdge(source="f", target="h"), DataEdge(source="g", target="h")]
    functions = [timed("h", 1), timed("f", 10), timed("g", 5)]
    assert check(asked(functions, edges), f="a", g="c", h="a").objective_ns == 14_000_000


def test_response_is_the_last_finish_also_of_a_side_branch() -> None:
    # g is a leaf that takes 2 * 30 on c after f (1) and the transfer (3): 64; h ends at 2.
    edges = [DataEdge(source="f", target="g"), DataEdge(source="f", target="h")]
    functions = [timed("f", 1), timed("g", 30), timed("h", 1)]
    assert check(asked(functions, edges), f="a", g="c", h="a").objective_ns == 64_000_000


def test_functions_without_times_take_none() -> None:
    functions = [Function(id="f"), Function(id="g")]
    assert check(asked(functions, CHAIN), f="a", g="c").objective_ns == 5_000_000


def test_arrival_shifts_nothing() -> None:
    late = asked([timed("f", 10)], [])
    late = late.replace(workflows=(late.workflows[0].replace(arrival_ms=500),))
    assert check(late, f="a").objective_ns == 10_000_000


def test_function_where_its_time_is_unknown_leaves_no_response() -> None:
    only_arm = Function(id="f", execution_ms={"arm64": 5})
    evaluation = check(asked([only_arm], [], response_time_slo_ms=1.0), f="c")
    assert rules(evaluation) == [("architecture", "w/f")]
    assert evaluation.objective_ns is None


@pytest.mark.parametrize(("counted", "expected_ms"), [(False, 4), (True, 9)])
def test_data_sources_delay_the_start_only_where_the_objective_says_so(
    counted: bool, expected_ms: int
) -> None:
    # From c to a 3 ms + 0.1 Mbit at 50 Mbit/s = 2 ms, then 4 ms of execution.
    source = DataSource(id="eo", node="c", size_bytes=12_500)
    one = asked([timed("f", 4, data_sources=(source,))], [], data_sources=counted)
    assert check(one, f="a").objective_ns == expected_ms * 1_000_000


def test_data_source_and_predecessor_run_side_by_side() -> None:
    # g starts at max(10 + 1, source a -> b 1) = 11 and takes 7: 18.
    source = DataSource(id="eo", node="a")
    functions = [timed("f", 10), timed("g", 7, data_sources=(source,))]
    edges = [DataEdge(source="f", target="g")]
    found = check(asked(functions, edges, data_sources=True), f="a", g="b")
    assert found.objective_ns == 18_000_000


@pytest.mark.parametrize("metric", ["sum_latency", "critical_path"])
def test_response_time_slo_is_inclusive_and_binds_under_every_objective(metric: str) -> None:
    functions = [timed("f", 10), timed("g", 7)]
    # 29 ms as in the chain above.
    kept = asked(functions, CHAIN, metric=metric, response_time_slo_ms=29.0)
    assert rules(check(kept, f="a", g="c")) == []
    missed = asked(functions, CHAIN, metric=metric, response_time_slo_ms=28.999999)
    evaluation = check(missed, f="a", g="c")
    assert rules(evaluation) == [("response_time", "w")]
    assert messages(evaluation) == ["response_time: w takes 29 ms, limit 28.999999 ms: f > g"]
    (value,) = evaluation.breakdown.workflows
    assert (value.response_ms, value.response_time_slo_ms) == (29.0, 28.999999)


def test_response_time_message_names_the_chain_that_decides() -> None:
    edges = [
        DataEdge(source="f", target="h"),
        DataEdge(source="g", target="h"),
        DataEdge(source="f", target="k"),
    ]
    functions = [timed("f", 1), timed("g", 5), timed("h", 1), timed("k", 1)]
    slow = asked(functions, edges, response_time_slo_ms=1.0)
    assert messages(check(slow, f="a", g="a", h="a", k="a")) == [
        "response_time: w takes 6 ms, limit 1 ms: g > h"
    ]
