"""Capacities and accelerators over time, by hand."""

from __future__ import annotations

from collections.abc import Sequence

from tests.evaluation.builders import check, continuum, messages, place, problem, rules

from leotrek_opt.evaluation.placement import evaluate
from leotrek_opt.models.continuum import NodeEvent
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.models.workflow import Accelerator, Function, StepInterval


def shared(
    functions: Sequence[Function], *, events: Sequence[NodeEvent] = (), steps: int = 4
) -> PlacementProblem:
    """Return functions that may share node a (4000 cpu_millis, 100 memory_mib, 2 gpu)."""
    where = continuum(
        "ab",
        [("a", "b", 1.0)],
        steps=steps,
        capacity={"cpu_millis": [4000, 1000], "memory_mib": [100, 0]},
        accelerators={"gpu": [2, 0]},
        events=events,
    )
    return problem(where, functions)


def cpu(name: str, amount: int, step: int = 0, until: int | None = None) -> Function:
    """Return a function that occupies cpu_millis from its step on."""
    hold = "forever" if until is None else StepInterval(start=step, end=until)
    return Function(id=name, demand={"cpu_millis": amount}, step=step, hold=hold)


def test_capacity_may_be_used_up_exactly() -> None:
    asked = shared([cpu("f", 3000), cpu("g", 1000)])
    assert rules(check(asked, f="a", g="a")) == []


def test_one_unit_too_many_is_named_with_all_who_share() -> None:
    asked = shared([cpu("f", 3000, step=1), cpu("g", 1001, step=2), cpu("h", 0)])
    evaluation = check(asked, f="a", g="a", h="a")
    assert rules(evaluation) == [("capacity", "a")]
    # From step 2 on both are there: 3000 + 1001 = 4001.
    assert messages(evaluation) == [
        "capacity: node a needs 4001 cpu_millis at steps 2 to 3, has 4000: w/f, w/g"
    ]


def test_functions_without_a_common_step_do_not_add_up() -> None:
    asked = shared([cpu("f", 4000, step=0, until=2), cpu("g", 4000, step=2, until=4)])
    assert rules(check(asked, f="a", g="a")) == []


def test_overlap_in_a_single_step_is_found() -> None:
    asked = shared([cpu("f", 4000, step=0, until=3), cpu("g", 1, step=2, until=4)])
    assert messages(check(asked, f="a", g="a")) == [
        "capacity: node a needs 4001 cpu_millis at step 2, has 4000: w/f, w/g"
    ]


def test_hold_may_begin_after_the_functions_own_step() -> None:
    late = Function(id="g", demand={"cpu_millis": 4000}, step=0, hold=StepInterval(start=2, end=3))
    assert rules(check(shared([cpu("f", 4000, step=0, until=2), late]), f="a", g="a")) == []
    assert messages(check(shared([cpu("f", 4000), late]), f="a", g="a")) == [
        "capacity: node a needs 8000 cpu_millis at step 2, has 4000: w/f, w/g"
    ]


def test_function_without_room_alone_overloads_from_its_step_to_the_end() -> None:
    assert messages(check(shared([cpu("f", 1001, step=1)]), f="b")) == [
        "capacity: node b needs 1001 cpu_millis at steps 1 to 3, has 1000: w/f"
    ]


def test_resources_are_counted_apart_and_absent_ones_are_zero() -> None:
    hungry = Function(id="f", demand={"memory_mib": 101, "battery_mah": 1, "cpu_millis": 4000})
    evaluation = check(shared([hungry], steps=1), f="a")
    assert messages(evaluation) == [
        "capacity: node a needs 1 battery_mah at step 0, has 0: w/f",
        "capacity: node a needs 101 memory_mib at step 0, has 100: w/f",
    ]


def test_zero_demand_needs_no_such_resource() -> None:
    frugal = Function(id="f", demand={"battery_mah": 0, "memory_mib": 0})
    assert rules(check(shared([frugal]), f="b")) == []


def test_workflow_does_not_matter_for_sharing() -> None:
    asked = shared([cpu("f", 3000)], steps=1)
    second = asked.workflows[0].replace(id="v")
    asked = asked.replace(workflows=(*asked.workflows, second))
    evaluation = evaluate(asked, place({"v/f": "a"}, f="a"))
    assert messages(evaluation) == [
        "capacity: node a needs 6000 cpu_millis at step 0, has 4000: w/f, v/f"
    ]


def test_pinned_function_reserves_unless_told_otherwise() -> None:
    for reserves, expected in ((True, [("capacity", "a")]), (False, [])):
        pinned = Function(id="f", demand={"cpu_millis": 4000}, pinned="a", reserves=reserves)
        assert rules(check(shared([pinned, cpu("g", 1)]), f="a", g="a")) == expected


def test_event_changes_capacity_also_for_those_placed_earlier() -> None:
    shrinks = NodeEvent(step=2, node="a", resource="cpu_millis", capacity=3999)
    assert messages(check(shared([cpu("f", 4000)], events=[shrinks]), f="a")) == [
        "capacity: node a needs 4000 cpu_millis at steps 2 to 3, has 3999 since step 2: w/f"
    ]
    assert rules(check(shared([cpu("f", 4000, until=2)], events=[shrinks]), f="a")) == []


def test_event_may_add_capacity_and_a_later_one_take_it_away() -> None:
    grows = NodeEvent(step=1, node="a", resource="cpu_millis", capacity=9000)
    shrinks = NodeEvent(step=3, node="a", resource="cpu_millis", capacity=100)
    asked = shared([cpu("f", 9000, step=1, until=4)], events=[shrinks, grows])
    assert messages(check(asked, f="a")) == [
        "capacity: node a needs 9000 cpu_millis at step 3, has 100 since step 3: w/f"
    ]


def test_capacity_events_of_one_step_follow_their_order_then_the_list() -> None:
    low = NodeEvent(step=0, node="a", resource="cpu_millis", capacity=1)
    high = NodeEvent(step=0, node="a", resource="cpu_millis", capacity=4000)

    def fits(*events: NodeEvent) -> bool:
        return not check(shared([cpu("f", 4000)], events=events), f="a").violations

    assert fits(low, high)
    assert not fits(high, low)
    assert fits(high.replace(order=1), low)
    assert not fits(low.replace(order=1), high)


def test_excepted_functions_do_not_count_under_the_governing_event() -> None:
    # HyperDrive's Earth-observation satellite: nothing left for anyone but those already there.
    designated = NodeEvent(
        step=1, node="a", resource="cpu_millis", capacity=0, except_functions=("w/f",)
    )
    asked = shared([cpu("f", 4000), cpu("g", 1, step=1)], events=[designated])
    assert rules(check(asked, f="a", g="b")) == []
    assert messages(check(asked, f="a", g="a")) == [
        "capacity: node a needs 1 cpu_millis at steps 1 to 3, has 0 since step 1: w/g"
    ]


def test_exceptions_end_with_the_next_event() -> None:
    first = NodeEvent(
        step=1, node="a", resource="cpu_millis", capacity=0, except_functions=("w/f",)
    )
    second = NodeEvent(step=2, node="a", resource="cpu_millis", capacity=10)
    assert messages(check(shared([cpu("f", 4000)], events=[first, second]), f="a")) == [
        "capacity: node a needs 4000 cpu_millis at steps 2 to 3, has 10 since step 2: w/f"
    ]


def test_event_of_another_resource_changes_nothing() -> None:
    event = NodeEvent(step=0, node="a", resource="memory_mib", capacity=0)
    assert rules(check(shared([cpu("f", 4000)], events=[event]), f="a")) == []


def gpu(name: str, count: int, device: str = "gpu", mode: str = "gpu", step: int = 0) -> Function:
    """Return a function that asks for accelerators."""
    return Function(
        id=name,
        accelerator=Accelerator.model_validate({"mode": mode, "device": device, "count": count}),
        step=step,
    )


def test_accelerators_of_a_node_are_shared() -> None:
    assert rules(check(shared([gpu("f", 1), gpu("g", 1)]), f="a", g="a")) == []
    evaluation = check(shared([gpu("f", 1), gpu("g", 2, step=3)]), f="a", g="a")
    assert rules(evaluation) == [("accelerator", "a")]
    assert messages(evaluation) == [
        "accelerator: node a needs 3 gpu accelerators at step 3, has 2: w/f, w/g"
    ]


def test_device_without_a_column_is_absent_everywhere() -> None:
    assert messages(check(shared([gpu("f", 1, device="tpu")], steps=1), f="a")) == [
        "accelerator: node a needs 1 tpu accelerators at step 0, has 0: w/f"
    ]


def test_only_the_gpu_mode_binds() -> None:
    for mode in ("cpu", "cpu_preferred", "gpu_preferred"):
        assert rules(check(shared([gpu("f", 9, mode=mode)]), f="b")) == []
    assert rules(check(shared([gpu("f", 1)]), f="b")) == [("accelerator", "b")]


def test_accelerators_follow_holds_and_reservations() -> None:
    early = gpu("f", 2).replace(hold=StepInterval(start=0, end=1))
    late = gpu("g", 2, step=1)
    assert rules(check(shared([early, late]), f="a", g="a")) == []
    unreserved = gpu("f", 2).replace(pinned="b", reserves=False)
    assert rules(check(shared([unreserved]), f="b")) == []
