"""Small placement problems at random: the same seed and wishes give the same problem."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.random import Generator

from leotrek_opt.models.continuum import (
    Architecture,
    Continuum,
    HeatProfile,
    NodeEvent,
    NodeTable,
    TimeGrid,
)
from leotrek_opt.models.placement import PlacementObjective, PlacementProblem, ThermalRule
from leotrek_opt.models.topology import ExplicitTopology, LinkEvents
from leotrek_opt.models.workflow import (
    Accelerator,
    DataEdge,
    DataSource,
    Function,
    StepInterval,
    Workflow,
)

Shape = Literal["chain", "tree", "diamond", "dag", "independent"]
SHAPES: tuple[Shape, ...] = ("chain", "tree", "diamond", "dag", "independent")
MAX_PLACEMENTS = 50_000

PROFILES = (
    HeatProfile(
        id="A",
        temperature_c=45.0,
        orbit_base_temperature_c=55.0,
        recommended_temperature_c=65.0,
        max_temperature_c=75.0,
        heating_c_per_core_minute=1.0,
        radiated_c_per_minute=0.1,
    ),
    HeatProfile(
        id="B",
        temperature_c=45.0,
        orbit_base_temperature_c=60.0,
        recommended_temperature_c=65.0,
        max_temperature_c=75.0,
        heating_c_per_core_minute=2.0,
        radiated_c_per_minute=0.1,
    ),
    HeatProfile(
        id="C",
        temperature_c=35.0,
        orbit_base_temperature_c=45.0,
        recommended_temperature_c=65.0,
        max_temperature_c=75.0,
        heating_c_per_core_minute=0.5,
        radiated_c_per_minute=0.1,
    ),
)


@dataclass(frozen=True)
class Traits:
    """What a random problem has; a trait left at None is drawn with the problem.

    Parameters
    ----------
    nodes, workflows, functions, steps
        Counts; ``functions`` is per workflow.
    contended
        Capacities so small that functions compete for nodes.
    node_events, link_events, holds, pinned, architectures, accelerators, thermal
        Whether such things occur.
    data_sources
        Whether functions read from data sources; whether these count in the objective is drawn.
    limits
        Whether data edges and data sources have a largest latency.
    bandwidths
        Whether links have a bandwidth.
    min_bandwidths
        Whether data edges and data sources ask for a bandwidth.
    sizes
        Whether data takes time to send.
    execution
        Whether functions take time.
    response_slo
        Whether workflows have a response-time SLO.
    relay
        Whether there are nodes that routes do not pass through.
    ties
        Latencies of few different values, zero among them.
    metric, aggregate, forwarding
        Fields of the problem.
    """

    nodes: int | None = None
    workflows: int | None = None
    functions: int | None = None
    steps: int | None = None
    contended: bool | None = None
    node_events: bool | None = None
    link_events: bool | None = None
    holds: bool | None = None
    pinned: bool | None = None
    architectures: bool | None = None
    accelerators: bool | None = None
    thermal: bool | None = None
    data_sources: bool | None = None
    limits: bool | None = None
    bandwidths: bool | None = None
    min_bandwidths: bool | None = None
    sizes: bool | None = None
    execution: bool | None = None
    response_slo: bool | None = None
    relay: bool | None = None
    ties: bool | None = None
    metric: Literal["sum_latency", "critical_path"] | None = None
    aggregate: Literal["sum", "max"] | None = None
    forwarding: Literal["cut_through", "store_and_forward"] | None = None


def random_problem(
    seed: int,
    *,
    shape: Shape | None = None,
    infeasible: bool = False,
    max_placements: int = MAX_PLACEMENTS,
    **wishes: int | bool | str | None,
) -> PlacementProblem:
    """Draw a problem.

    Parameters
    ----------
    seed
        Every seed is another problem.
    shape
        Of all workflows; None draws one for each.
    infeasible
        Whether it is made impossible; otherwise it may still turn out so.
    max_placements
        Bound on (number of nodes) ** (number of functions), kept unless counts are wished for.
    **wishes
        Fields of :class:`Traits`.

    Returns
    -------
    PlacementProblem
        With an explicit topology.
    """
    rng = np.random.default_rng(seed)
    traits = _draw_traits(rng, Traits(**wishes), max_placements)  # type: ignore[arg-type]
    assert traits.workflows is not None
    nodes = [f"n{number}" for number in range(traits.nodes or 0)]
    workflows = [
        _workflow(rng, traits, f"w{number}", shape or str(rng.choice(SHAPES)), nodes)
        for number in range(traits.workflows)
    ]
    if infeasible:
        workflows[-1] = _made_impossible(rng, workflows[-1])
    return PlacementProblem(
        id=f"random-{seed}",
        continuum=_with_silent_nodes(seed, traits, _continuum(rng, traits, nodes, workflows)),
        workflows=tuple(workflows),
        objective=PlacementObjective(
            metric=traits.metric,
            aggregate=traits.aggregate,
            data_sources=bool(rng.random() < 0.5),
        ),
        thermal=_thermal_rule(rng) if traits.thermal else None,
        forwarding=traits.forwarding,
    )


def _draw_traits(rng: Generator, wishes: Traits, max_placements: int) -> Traits:
    workflows = wishes.workflows or int(rng.integers(1, 3))
    functions = wishes.functions or int(rng.integers(2, 6 if workflows == 1 else 4))
    largest = 8
    while largest > 3 and largest ** (workflows * functions) > max_placements:
        largest -= 1
    drawn: dict[str, int | bool | str] = {
        "workflows": workflows,
        "functions": functions,
        "nodes": int(rng.integers(3, largest + 1)),
        "steps": int(rng.integers(1, 5)),
        "metric": "critical_path" if rng.random() < 0.4 else "sum_latency",
        "aggregate": "max" if rng.random() < 0.25 else "sum",
        "forwarding": "store_and_forward" if rng.random() < 0.25 else "cut_through",
    }
    for field in fields(Traits):
        if field.name not in drawn and field.name != "relay":
            # Few enough that most problems can be solved.
            drawn[field.name] = bool(rng.random() < 0.3)
    wished = {field.name: getattr(wishes, field.name) for field in fields(Traits)}
    return Traits(**(drawn | {name: value for name, value in wished.items() if value is not None}))  # type: ignore[arg-type]


def _workflow(rng: Generator, traits: Traits, name: str, shape: str, nodes: list[str]) -> Workflow:
    assert traits.functions is not None
    count = traits.functions
    functions = [_function(rng, traits, f"f{number}", nodes) for number in range(count)]
    edges = tuple(
        DataEdge(
            source=f"f{source}",
            target=f"f{target}",
            size_bytes=_size(rng, traits),
            max_latency_ms=_limit(rng, traits),
            min_bandwidth_mbps=_min_bandwidth(rng, traits),
        )
        for source, target in _edge_pattern(rng, shape, count)
    )
    # The order of the document must not matter.
    shuffled = [functions[number] for number in rng.permutation(count)]
    return Workflow(
        id=name,
        functions=tuple(shuffled),
        edges=edges,
        arrival_ms=int(rng.integers(0, 100)),
        response_time_slo_ms=(
            float(rng.integers(4, 25) + (30 if traits.execution else 0))
            if traits.response_slo
            else None
        ),
    )


def _edge_pattern(rng: Generator, shape: str, count: int) -> list[tuple[int, int]]:
    last = count - 1
    if shape == "chain":
        return [(number, number + 1) for number in range(last)]
    if shape == "tree":
        # Any tree with any directions is acyclic.
        pairs = [(int(rng.integers(0, number)), number) for number in range(1, count)]
        return [pair if rng.random() < 0.7 else pair[::-1] for pair in pairs]
    if shape == "diamond":
        middle = range(1, last)
        edges = [(0, number) for number in middle] + [(number, last) for number in middle]
        return edges or [(number, number + 1) for number in range(last)]
    if shape == "dag":
        pairs = [(a, b) for a in range(count) for b in range(a + 1, count)]
        return [pair for pair in pairs if rng.random() < 0.6]
    return []


def _function(rng: Generator, traits: Traits, name: str, nodes: list[str]) -> Function:
    assert traits.steps is not None
    runs_on: tuple[Architecture, ...] = ()
    if traits.architectures:
        runs_on = ((), ("arm64",), ("x86_64",), ("arm64", "x86_64"))[rng.integers(0, 4)]
    execution: dict[Architecture, int] = {}
    if (traits.execution or traits.thermal) and rng.random() < 0.9:
        for architecture in runs_on or ("arm64", "x86_64"):
            longest = 700_000 if traits.thermal else 20
            execution[architecture] = int(rng.integers(0, longest))
    step = int(rng.integers(0, traits.steps))
    hold: Literal["forever"] | StepInterval = "forever"
    if traits.holds and rng.random() < 0.7:
        start = int(rng.integers(0, traits.steps))
        hold = StepInterval(start=start, end=int(rng.integers(start, traits.steps)) + 1)
    sources: tuple[DataSource, ...] = ()
    if traits.data_sources and rng.random() < 0.6:
        sources = tuple(
            DataSource(
                id=f"d{number}",
                node=str(rng.choice(nodes)),
                size_bytes=_size(rng, traits),
                max_latency_ms=_limit(rng, traits),
                min_bandwidth_mbps=_min_bandwidth(rng, traits),
            )
            for number in range(int(rng.integers(1, 3)))
        )
    pinned = str(rng.choice(nodes)) if traits.pinned and rng.random() < 0.3 else None
    accelerator = Accelerator()
    if traits.accelerators and rng.random() < 0.5:
        accelerator = Accelerator(
            mode="gpu" if rng.random() < 0.8 else "gpu_preferred", count=int(rng.integers(1, 3))
        )
    demand = {"cpu_millis": int(rng.choice([0, 500, 1000, 2000, 4000]))}
    if rng.random() < 0.5:
        demand["memory_mib"] = int(rng.choice([0, 256, 1024]))
    return Function(
        id=name,
        demand=demand,
        architectures=runs_on,
        execution_ms=execution,
        accelerator=accelerator,
        data_sources=sources,
        step=step,
        hold=hold,
        pinned=pinned,
        reserves=pinned is None or bool(rng.random() < 0.5),
    )


def _size(rng: Generator, traits: Traits) -> int:
    return int(rng.choice([0, 1, 1000, 12_345, 100_000])) if traits.sizes else 0


def _limit(rng: Generator, traits: Traits) -> float | None:
    return float(rng.integers(1, 24)) / 2 if traits.limits and rng.random() < 0.5 else None


def _min_bandwidth(rng: Generator, traits: Traits) -> float | None:
    if not traits.min_bandwidths or rng.random() < 0.5:
        return None
    return float(rng.choice([5.0, 10.0, 50.0]))


def _made_impossible(rng: Generator, workflow: Workflow) -> Workflow:
    victim = int(rng.integers(0, len(workflow.functions)))
    function = workflow.functions[victim]
    cause = int(rng.integers(0, 4))
    if cause == 0:
        changed = function.replace(demand={"battery_mah": 1}, reserves=True)
    elif cause == 1:
        changed = function.replace(architectures=("riscv64",), execution_ms={})
    elif cause == 2:
        changed = function.replace(accelerator=Accelerator(mode="gpu", device="tpu"), reserves=True)
    else:
        slow: dict[Architecture, int] = {"arm64": 1000, "x86_64": 1000}
        changed = function.replace(architectures=(), execution_ms=slow)
        workflow = workflow.replace(response_time_slo_ms=999.999999)
    functions = (*workflow.functions[:victim], changed, *workflow.functions[victim + 1 :])
    return workflow.replace(functions=functions)


def _continuum(
    rng: Generator, traits: Traits, nodes: list[str], workflows: list[Workflow]
) -> Continuum:
    assert traits.steps is not None
    count = len(nodes)
    cpu = [1000, 2000, 4000] if traits.contended else [4000, 16_000]
    memory = [256, 1024, 2048] if traits.contended else [8192]
    table = NodeTable(
        id=tuple(nodes),
        kind=("edge",) * count,
        architecture=tuple(str(name) for name in rng.choice(["arm64", "x86_64"], count)),
        capacity={
            "cpu_millis": rng.choice(cpu, count),
            "memory_mib": rng.choice(memory, count),
        },
        accelerators={"gpu": rng.integers(0, 3, count)} if traits.accelerators else {},
        heat_profile=rng.integers(-1, 3, count) if traits.thermal else None,
    )
    return Continuum(
        nodes=table,
        heat_profiles=PROFILES if traits.thermal else (),
        time=TimeGrid(steps=traits.steps),
        topology=_topology(rng, traits, count),
        events=_node_events(rng, traits, nodes, workflows) if traits.node_events else (),
    )


def _topology(rng: Generator, traits: Traits, count: int) -> ExplicitTopology:
    assert traits.steps is not None
    # Mostly a tree and some chords; now and then a node without link, or two links side by side.
    pairs = [(int(rng.integers(0, node)), node) for node in range(1, count) if rng.random() < 0.95]
    pairs += [
        (int(a), int(b))
        for a, b in (
            rng.choice(count, 2, replace=False) for _ in range(int(rng.integers(0, count)))
        )
    ]
    links = len(pairs)
    rows = traits.steps if rng.random() < 0.5 else 1
    if traits.ties:
        latency = rng.integers(0, 5, (rows, links)).astype(float)
    else:
        latency = rng.integers(0, 8_000_000, (rows, links)) / 1e6
    bandwidth = None
    if traits.bandwidths:
        rows = traits.steps if rng.random() < 0.3 else 1
        bandwidth = rng.choice([3.7, 9.999999, 10.0, 50.0, 1000.0], (rows, links))
    events = None
    if traits.link_events and links:
        number = int(rng.integers(1, 5))
        events = LinkEvents(
            step=rng.integers(0, traits.steps, number),
            link=rng.integers(0, links, number),
            up=rng.random(number) < 0.3,
        )
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return ExplicitTopology(
        source=ends[:, 0],
        target=ends[:, 1],
        latency_ms=latency,
        bandwidth_mbps=bandwidth,
        events=events,
    )


def _with_silent_nodes(seed: int, traits: Traits, continuum: Continuum) -> Continuum:
    # Drawn apart, so that everything else of a problem is the same with and without.
    rng = np.random.default_rng((seed, 1))
    chance = rng.random()
    relay = rng.random(len(continuum.nodes)) < 0.6
    if not (chance < 0.25 if traits.relay is None else traits.relay):
        return continuum
    topology = continuum.topology
    assert isinstance(topology, ExplicitTopology)
    return continuum.replace(topology=topology.replace(relay=relay))


def _node_events(
    rng: Generator, traits: Traits, nodes: list[str], workflows: list[Workflow]
) -> tuple[NodeEvent, ...]:
    assert traits.steps is not None
    names = [f"{workflow.id}/{f.id}" for workflow in workflows for f in workflow.functions]
    events: list[NodeEvent] = []
    for _ in range(int(rng.integers(1, 6))):
        when = {
            "step": int(rng.integers(0, traits.steps)),
            "order": int(rng.integers(0, 3)),
            "node": str(rng.choice(nodes)),
            "except_functions": tuple(name for name in names if rng.random() < 0.2),
        }
        if rng.random() < 0.5:
            events.append(NodeEvent(**when, available=bool(rng.random() < 0.3)))
        else:
            resource = str(rng.choice(["cpu_millis", "memory_mib"]))
            capacity = int(rng.choice([0, 1000, 4000, 8000]))
            events.append(NodeEvent(**when, resource=resource, capacity=capacity))
    return tuple(events)


def _thermal_rule(rng: Generator) -> ThermalRule:
    limit: Literal["max", "recommended"] = "max" if rng.random() < 0.5 else "recommended"
    if rng.random() < 0.5:
        return ThermalRule(model="hyperdrive", limit=limit)
    constant = float(rng.choice([0.5, 3.0, 10.0])) if rng.random() < 0.5 else None
    return ThermalRule(model="monotone", limit=limit, time_constant_min=constant)
