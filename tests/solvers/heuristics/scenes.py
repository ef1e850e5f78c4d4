"""Short ways to write down the small worlds in which heuristics are tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from leotrek_opt.evaluation.placement import Evaluation, evaluate
from leotrek_opt.models.continuum import (
    Continuum,
    HeatProfile,
    NodeEvent,
    NodeKind,
    NodeTable,
    PositionSeries,
    TimeGrid,
)
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.models.topology import ExplicitTopology
from leotrek_opt.models.workflow import DataEdge, Function, Workflow
from leotrek_opt.solvers.arrays.placement import PlacementArrays, placement_arrays
from leotrek_opt.solvers.method import Answer, Budget, Request, Tracker
from leotrek_opt.topology.materialise import materialise

HOT = HeatProfile(
    id="B",
    temperature_c=45.0,
    orbit_base_temperature_c=60.0,
    recommended_temperature_c=65.0,
    max_temperature_c=75.0,
    heating_c_per_core_minute=2.0,
    radiated_c_per_minute=0.1,
)
"""Published profile B: a minute on four cores ends at 67.9 degrees, ten minutes at 79."""

Node = tuple[str, NodeKind, float, float]
"""Name, kind, latitude and longitude."""


def continuum(
    nodes: Sequence[Node],
    links: Sequence[tuple[str, str, float]],
    *,
    steps: int = 1,
    cpu: Mapping[str, int] | int = 4000,
    architecture: Mapping[str, str] | None = None,
    hot: Sequence[str] = (),
    events: Sequence[NodeEvent] = (),
    bandwidth_mbps: Sequence[float] | None = None,
    moves: Mapping[str, Sequence[tuple[float, float]]] | None = None,
) -> Continuum:
    """Return a world of placed nodes; ``moves`` gives a node one position per step."""
    names = [node[0] for node in nodes]
    rows = [
        [(moves or {}).get(name, [(latitude, longitude)] * steps)[step] for step in range(steps)]
        for name, _, latitude, longitude in nodes
    ]
    places = np.array(rows, dtype=float).transpose(1, 0, 2)
    return Continuum(
        nodes=NodeTable(
            id=tuple(names),
            kind=tuple(node[1] for node in nodes),
            architecture=tuple((architecture or {}).get(name, "arm64") for name in names),  # type: ignore[misc]
            capacity={
                "cpu_millis": np.array(
                    [cpu if isinstance(cpu, int) else cpu.get(name, 4000) for name in names]
                )
            },
            heat_profile=np.array([0 if name in hot else -1 for name in names]),
        ),
        heat_profiles=(HOT,) if hot else (),
        positions=(
            PositionSeries(
                node=np.arange(len(names)),
                latitude_deg=places[:, :, 0],
                longitude_deg=places[:, :, 1],
                altitude_km=np.zeros(places.shape[:2]),
            ),
        ),
        time=TimeGrid(steps=steps),
        topology=ExplicitTopology(
            source=np.array([names.index(link[0]) for link in links], dtype=np.int64),
            target=np.array([names.index(link[1]) for link in links], dtype=np.int64),
            latency_ms=np.array([[link[2] for link in links]]),
            bandwidth_mbps=None if bandwidth_mbps is None else np.array([bandwidth_mbps]),
        ),
        events=tuple(events),
    )


def function(name: str, cpu: int = 4000, **fields: Any) -> Function:
    """Return a function of one minute on four cores."""
    defaults = {"demand": {"cpu_millis": cpu}, "execution_ms": {"arm64": 60_000}}
    return Function(id=name, **(defaults | fields))


def edge(source: str, target: str, max_latency_ms: float | None = None, **fields: Any) -> DataEdge:
    """Return a data edge."""
    return DataEdge(source=source, target=target, max_latency_ms=max_latency_ms, **fields)


def problem(
    where: Continuum,
    *workflows: tuple[Sequence[Function], Sequence[DataEdge]],
    **fields: Any,
) -> PlacementProblem:
    """Return a problem of workflows ``w0``, ``w1``, ..."""
    return PlacementProblem(
        continuum=where,
        workflows=tuple(
            Workflow(id=f"w{index}", functions=tuple(functions), edges=tuple(edges))
            for index, (functions, edges) in enumerate(workflows)
        ),
        **fields,
    )


def arrays_of(asked: PlacementProblem) -> PlacementArrays:
    """Return the arrays of a problem."""
    return placement_arrays(asked, materialise(asked.continuum))


def request(**fields: Any) -> Request:
    """Return a request without limits."""
    budget = Budget(fields.pop("time_limit_s", None))
    return Request(budget=budget, tracker=Tracker(budget), **fields)


def nodes_of(arrays: PlacementArrays, answer: Answer) -> dict[str, str | None]:
    """Return node names by function name, workflow left out if there is one."""
    assert answer.assignment is not None
    ids = arrays.problem.continuum.nodes.id
    single = len(arrays.workflows) == 1
    return {
        arrays.name_of(index).split("/")[1] if single else arrays.name_of(index): (
            ids[node] if node >= 0 else None
        )
        for index, node in enumerate(answer.assignment.tolist())
    }


def judged(arrays: PlacementArrays, answer: Answer) -> Evaluation:
    """Return what the checker says."""
    assert answer.assignment is not None
    return evaluate(arrays.problem, arrays.solution(answer.assignment))
