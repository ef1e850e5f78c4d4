"""Problems with a known reason for having no placement: one conflict or two, planted on purpose.

Around the planted part everything is loose: any other function can stand on any of the plain nodes.
A conflict has nodes of its own and, where it must keep functions there, an architecture of its own,
so that two of them have nothing to do with each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.random import Generator
from tests.random_problems import PROFILES

from leotrek_opt.models.continuum import (
    Architecture,
    Continuum,
    NodeEvent,
    NodeTable,
    TimeGrid,
)
from leotrek_opt.models.placement import PlacementObjective, PlacementProblem, ThermalRule
from leotrek_opt.models.topology import ExplicitTopology
from leotrek_opt.models.workflow import (
    Accelerator,
    DataEdge,
    DataSource,
    Function,
    StepInterval,
    Workflow,
)

ROOM = 100_000
"""Of every resource on a node where nothing is planted."""
OWN: tuple[Architecture, ...] = ("riscv64", "x86_64")
"""Architecture of the nodes of each conflict; plain nodes are arm64."""
STEPS = 3


@dataclass
class Planted:
    """A problem, and the identifiers of the rules of each conflict planted in it."""

    problem: PlacementProblem
    conflicts: tuple[frozenset[str], ...]


@dataclass
class _Node:
    name: str
    architecture: Architecture = "arm64"
    cpu: int = ROOM
    memory: int = ROOM
    gpu: int = 8
    profile: int = -1


@dataclass
class _Scene:
    """A problem in the making; nodes hang on each other like the branches of a tree."""

    rng: Generator
    nodes: list[_Node] = field(default_factory=list)
    links: list[tuple[int, int, float, float]] = field(default_factory=list)
    events: list[NodeEvent] = field(default_factory=list)
    workflows: list[Workflow] = field(default_factory=list)

    def add(self, node: _Node, *, latency_ms: float | None = None, mbps: float = 1000.0) -> str:
        delay = float(self.rng.integers(1_000_000, 8_000_000)) / 1e6
        if self.nodes:
            parent = int(self.rng.integers(0, min(len(self.nodes), 6)))
            self.links.append((parent, len(self.nodes), latency_ms or delay, mbps))
        self.nodes.append(node)
        return node.name

    def pair(self, number: int, first: dict[str, Any], second: dict[str, Any]) -> tuple[str, str]:
        """Add two nodes of a conflict's own architecture, 40 ms and more from anything else."""
        names = []
        for letter, given in (("a", first), ("b", second)):
            mbps = given.pop("mbps", 1000.0)
            node = replace(_Node(f"p{number}{letter}", architecture=OWN[number]), **given)
            names.append(self.add(node, latency_ms=40 + float(self.rng.integers(0, 9)), mbps=mbps))
        return names[0], names[1]

    def distance_ms(self, source: str, target: str) -> float:
        index = {node.name: number for number, node in enumerate(self.nodes)}
        count = len(self.nodes)
        found = np.full((count, count), np.inf)
        np.fill_diagonal(found, 0)
        for a, b, delay, _ in self.links:
            found[a, b] = found[b, a] = delay
        for k in range(count):
            found = np.minimum(found, found[:, [k]] + found[[k], :])
        return float(round(found[index[source], index[target]] * 1e6)) / 1e6

    def workflow(self, number: int, *functions: Function, **given: Any) -> str:
        name = f"planted{number}"
        self.workflows.append(Workflow(id=name, functions=functions, **given))
        return name

    def problem(self, name: str) -> PlacementProblem:
        source, target, latency, bandwidth = zip(*self.links, strict=True)
        table = NodeTable(
            id=tuple(node.name for node in self.nodes),
            kind=("edge",) * len(self.nodes),
            architecture=tuple(node.architecture for node in self.nodes),
            capacity={
                "cpu_millis": [node.cpu for node in self.nodes],
                "memory_mib": [node.memory for node in self.nodes],
            },
            accelerators={"gpu": [node.gpu for node in self.nodes]},
            heat_profile=[node.profile for node in self.nodes],
        )
        metric: Literal["sum_latency", "critical_path"] = (
            "critical_path" if self.rng.random() < 0.4 else "sum_latency"
        )
        return PlacementProblem(
            id=name,
            continuum=Continuum(
                nodes=table,
                heat_profiles=PROFILES,
                time=TimeGrid(steps=STEPS),
                topology=ExplicitTopology(
                    source=source,
                    target=target,
                    latency_ms=[list(latency)],
                    bandwidth_mbps=[list(bandwidth)],
                ),
                events=tuple(self.events),
            ),
            workflows=tuple(self.workflows),
            objective=PlacementObjective(
                metric=metric, aggregate="max" if self.rng.random() < 0.25 else "sum"
            ),
            thermal=ThermalRule(),
        )


Plant = Callable[[_Scene, int], set[str]]


def _pinned_too_large(scene: _Scene, number: int) -> set[str]:
    a, _ = scene.pair(number, {"cpu": 1000}, {})
    demand = {"cpu_millis": 1000 + int(scene.rng.integers(1, 900))}
    name = scene.workflow(number, Function(id="f", pinned=a, demand=demand))
    return {f"pinned:{name}/f", f"capacity:cpu_millis:{a}"}


def _two_pinned_on_one(scene: _Scene, number: int) -> set[str]:
    a, _ = scene.pair(number, {"memory": 1000}, {})
    demand = {"memory_mib": int(scene.rng.integers(501, 1000))}
    functions = (Function(id=each, pinned=a, demand=demand) for each in "fg")
    name = scene.workflow(number, *functions)
    return {f"pinned:{name}/f", f"pinned:{name}/g", f"capacity:memory_mib:{a}"}


def _three_on_two(scene: _Scene, number: int) -> set[str]:
    a, b = scene.pair(number, {"cpu": 1500}, {"cpu": 1000})
    demand = {"cpu_millis": int(scene.rng.integers(800, 1001))}
    functions = (Function(id=each, architectures=(OWN[number],), demand=demand) for each in "fgh")
    name = scene.workflow(number, *functions)
    architectures = {f"architecture:{name}/{each}" for each in "fgh"}
    return architectures | {f"capacity:cpu_millis:{node}" for node in (a, b)}


def _chain_too_long(scene: _Scene, number: int) -> set[str]:
    a, b = scene.pair(number, {}, {})
    first = float(scene.rng.integers(1, 30))
    second = scene.distance_ms(a, b) - first - 1e-6
    name = scene.workflow(
        number,
        Function(id="f", pinned=a),
        Function(id="g"),
        Function(id="h", pinned=b),
        edges=(
            DataEdge(source="f", target="g", max_latency_ms=first),
            DataEdge(source="g", target="h", max_latency_ms=round(second, 6)),
        ),
    )
    limits = {f"max_latency:{name}/f->g", f"max_latency:{name}/g->h"}
    return limits | {f"pinned:{name}/f", f"pinned:{name}/h"}


def _too_late(scene: _Scene, number: int) -> set[str]:
    a, _ = scene.pair(number, {"architecture": "arm64"}, {})
    times: dict[Architecture, int] = {OWN[number]: int(scene.rng.integers(1, 20))}
    name = scene.workflow(
        number,
        Function(id="f", pinned=a),
        Function(id="g", execution_ms=times),
        edges=(DataEdge(source="f", target="g", size_bytes=1000),),
        response_time_slo_ms=40.0,
    )
    return {f"pinned:{name}/f", f"architecture:{name}/g", f"response_time:{name}"}


def _unavailable(scene: _Scene, number: int) -> set[str]:
    a, b = scene.pair(number, {}, {})
    scene.events += [NodeEvent(step=int(scene.rng.integers(0, 2)), node=a, available=False)]
    scene.events += [NodeEvent(step=0, node=b, available=False)]
    name = scene.workflow(number, Function(id="f", architectures=(OWN[number],), step=1))
    return {f"architecture:{name}/f", f"availability:{a}", f"availability:{b}"}


def _narrow_link(scene: _Scene, number: int) -> set[str]:
    a, b = scene.pair(number, {}, {"mbps": float(scene.rng.choice([3.7, 10.0, 49.999999]))})
    name = scene.workflow(
        number,
        Function(id="f", pinned=a),
        Function(id="g", pinned=b),
        edges=(DataEdge(source="f", target="g", min_bandwidth_mbps=50.0),),
    )
    return {f"pinned:{name}/f", f"pinned:{name}/g", f"min_bandwidth:{name}/f->g"}


def _one_lacks_each(scene: _Scene, number: int) -> set[str]:
    a, b = scene.pair(number, {"memory": 100}, {"cpu": 100})
    demand = {"cpu_millis": int(scene.rng.integers(101, 999)), "memory_mib": 256}
    name = scene.workflow(
        number, Function(id="f", architectures=(OWN[number],), demand=demand), Function(id="g")
    )
    lacking = {f"capacity:memory_mib:{a}", f"capacity:cpu_millis:{b}"}
    return lacking | {f"architecture:{name}/f"}


def _too_hot(scene: _Scene, number: int) -> set[str]:
    a, _ = scene.pair(number, {"profile": int(scene.rng.integers(0, 3))}, {})
    function = Function(
        id="f",
        pinned=a,
        demand={"cpu_millis": 4000},
        execution_ms=dict.fromkeys(("arm64", *OWN), 3_600_000),
    )
    name = scene.workflow(number, function)
    return {f"pinned:{name}/f", f"temperature:{a}"}


def _no_accelerator(scene: _Scene, number: int) -> set[str]:
    a, b = scene.pair(number, {"gpu": 1}, {"gpu": 0})
    gpu = Accelerator(mode="gpu", count=int(scene.rng.integers(2, 4)))
    name = scene.workflow(number, Function(id="f", architectures=(OWN[number],), accelerator=gpu))
    return {f"architecture:{name}/f", f"accelerator:gpu:{a}", f"accelerator:gpu:{b}"}


def _source_too_far(scene: _Scene, number: int) -> set[str]:
    a, b = scene.pair(number, {}, {})
    source = DataSource(id="eo", node=b, max_latency_ms=scene.distance_ms(a, b) - 1e-6)
    source = source.replace(max_latency_ms=round(source.max_latency_ms or 0, 6))
    name = scene.workflow(number, Function(id="f", pinned=a, data_sources=(source,)))
    return {f"pinned:{name}/f", f"data_source:{name}/f:eo"}


def _less_room_later(scene: _Scene, number: int) -> set[str]:
    a, _ = scene.pair(number, {}, {})
    scene.events.append(NodeEvent(step=1, node=a, resource="cpu_millis", capacity=600))
    hold = StepInterval(start=0, end=int(scene.rng.integers(2, STEPS + 1)))
    name = scene.workflow(
        number,
        *(Function(id=each, pinned=a, demand={"cpu_millis": 400}, hold=hold) for each in "fg"),
    )
    return {f"pinned:{name}/f", f"pinned:{name}/g", f"capacity:cpu_millis:{a}"}


PLANTS: tuple[Plant, ...] = (
    _pinned_too_large,
    _two_pinned_on_one,
    _three_on_two,
    _chain_too_long,
    _too_late,
    _unavailable,
    _narrow_link,
    _one_lacks_each,
    _too_hot,
    _no_accelerator,
    _source_too_far,
    _less_room_later,
)


def planted_problem(seed: int, conflicts: int = 1) -> Planted:
    """Draw a problem with planted conflicts; the kind of the first one goes round with the seed.

    Parameters
    ----------
    seed
        Every seed is another problem.
    conflicts
        How many, 1 or 2.

    Returns
    -------
    Planted
        Problem and conflicts; there are no others.
    """
    rng = np.random.default_rng(seed)
    scene = _Scene(rng)
    for number in range(int(rng.integers(4, 7))):
        scene.add(_Node(f"n{number}", cpu=ROOM - int(rng.integers(0, 1000))))
    scene.workflows += [_loose_workflow(rng, f"w{number}") for number in range(2)]
    kinds = [seed % len(PLANTS), *rng.choice(len(PLANTS), conflicts - 1).tolist()]
    found = tuple(frozenset(PLANTS[kind](scene, number)) for number, kind in enumerate(kinds))
    scene.workflows = [scene.workflows[number] for number in rng.permutation(len(scene.workflows))]
    return Planted(scene.problem(f"planted-{seed}"), found)


def _loose_workflow(rng: Generator, name: str) -> Workflow:
    count = int(rng.integers(2, 5))
    functions = tuple(
        Function(
            id=f"f{number}",
            demand={"cpu_millis": int(rng.integers(0, 4000)), "memory_mib": 256},
            architectures=((), ("arm64",), ("arm64", "x86_64"))[rng.integers(0, 3)],
            step=int(rng.integers(0, STEPS)),
        )
        for number in range(count)
    )
    edges = tuple(
        DataEdge(
            source=f"f{number}",
            target=f"f{number + 1}",
            max_latency_ms=float(rng.integers(5, 50)),
            min_bandwidth_mbps=20.0 if rng.random() < 0.5 else None,
        )
        for number in range(count - 1)
    )
    return Workflow(
        id=name, functions=functions, edges=edges, response_time_slo_ms=float(rng.integers(99, 500))
    )
