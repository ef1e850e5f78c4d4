"""Capacity windows: who occupies a node together, and which windows can be left out."""

from __future__ import annotations

import numpy as np

from leotrek_opt.models.continuum import CPU, Continuum, NodeEvent, NodeTable, TimeGrid
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.models.topology import ExplicitTopology
from leotrek_opt.models.workflow import Accelerator, Function, StepInterval, Workflow
from leotrek_opt.solvers.arrays.placement.capacity import Capacities


def capacities(
    functions: tuple[Function, ...],
    *,
    steps: int = 4,
    events: tuple[NodeEvent, ...] = (),
    accelerators: dict[str, list[int]] | None = None,
) -> Capacities:
    columns = {name: np.array(column) for name, column in (accelerators or {}).items()}
    nodes = NodeTable(
        id=("a", "b"),
        kind=("edge", "edge"),
        architecture=("arm64", "arm64"),
        capacity={CPU: np.array([1000, 3000])},
        accelerators=columns,
    )
    problem = PlacementProblem(
        continuum=Continuum(
            nodes=nodes,
            time=TimeGrid(steps=steps),
            topology=ExplicitTopology(source=[0], target=[1], latency_ms=[[1.0]]),
            events=events,
        ),
        workflows=(Workflow(id="w", functions=functions),),
    )
    return Capacities(problem, [("w", function) for function in functions])


def cpu(name: str, millis: int, **fields: object) -> Function:
    return Function(id=name, demand={CPU: millis}, **fields)  # type: ignore[arg-type]


def test_functions_that_stay_for_ever_need_one_window() -> None:
    found = capacities((cpu("f", 600, step=0), cpu("g", 600, step=2)))
    assert len(found.windows) == 1
    assert found.windows[0].active.all()


def test_holds_that_do_not_overlap_do_not_compete() -> None:
    early = cpu("f", 600, hold=StepInterval(start=0, end=2))
    late = cpu("g", 600, step=2, hold=StepInterval(start=2, end=4))
    found = capacities((early, late))
    assert found.conflict(0, 1) is None
    assert found.overloads(np.array([0, 0])) == []


def test_conflict_names_the_nodes_too_small_for_both() -> None:
    found = capacities((cpu("f", 600), cpu("g", 600)))
    conflict = found.conflict(0, 1)
    assert conflict is not None
    assert conflict.tolist() == [True, False]
    overload = found.overloads(np.array([0, 0]))[0]
    assert (overload.node, overload.load, overload.capacity) == (0, 1200, 1000)


def test_pinned_function_without_reserve_needs_no_room() -> None:
    found = capacities((cpu("f", 900, pinned="a", reserves=False), cpu("g", 900)))
    assert found.conflict(0, 1) is None
    assert found.overloads(np.array([0, 0])) == []


def test_capacity_event_binds_those_placed_earlier_but_not_its_exceptions() -> None:
    event = NodeEvent(step=2, node="b", resource=CPU, capacity=500, except_functions=("w/g",))
    found = capacities((cpu("f", 600), cpu("g", 600)), events=(event,))
    assert found.fits(0).tolist() == [True, False]
    assert found.fits(1).tolist() == [True, True]
    assert [item.node for item in found.overloads(np.array([1, 1]))] == [1]
    assert found.overloads(np.array([0, 1])) == []


def test_later_order_wins_among_events_of_one_step() -> None:
    events = (
        NodeEvent(step=0, order=2, node="a", resource=CPU, capacity=2000),
        NodeEvent(step=0, order=1, node="a", resource=CPU, capacity=10),
    )
    assert capacities((cpu("f", 1500),), events=events).fits(0).tolist() == [True, True]


def test_resource_that_no_node_has_fits_nowhere() -> None:
    found = capacities((Function(id="f", demand={"battery_mah": 1}),))
    assert found.fits(0).tolist() == [False, False]


def test_gpu_functions_share_the_devices_of_a_node() -> None:
    needs = Accelerator(mode="gpu", count=1)
    functions = (Function(id="f", accelerator=needs), Function(id="g", accelerator=needs))
    found = capacities(functions, accelerators={"gpu": [1, 2]})
    conflict = found.conflict(0, 1)
    assert conflict is not None
    assert conflict.tolist() == [True, False]


def test_preference_for_a_gpu_binds_nothing() -> None:
    wish = Accelerator(mode="gpu_preferred")
    assert capacities((Function(id="f", accelerator=wish),)).fits(0).all()
