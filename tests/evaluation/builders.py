"""Short ways to write down the small instances that the checker's tests derive by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from leotrek_opt.evaluation.placement import Evaluation, evaluate
from leotrek_opt.models.continuum import Continuum, HeatProfile, NodeEvent, NodeTable, TimeGrid
from leotrek_opt.models.placement import Assignment, PlacementProblem, PlacementSolution
from leotrek_opt.models.topology import ExplicitTopology, LinkEvents
from leotrek_opt.models.workflow import DataEdge, Function, Workflow
from leotrek_opt.topology.series import Snapshot

Link = tuple[str, str, float] | tuple[str, str, float, float]


def continuum(
    nodes: str,
    links: Sequence[Link],
    *,
    steps: int = 1,
    latency_ms: Sequence[Sequence[float]] | None = None,
    capacity: Mapping[str, Sequence[int]] | None = None,
    architecture: Sequence[str] | None = None,
    accelerators: Mapping[str, Sequence[int]] | None = None,
    profile: HeatProfile | None = None,
    heated: str = "",
    events: Sequence[NodeEvent] = (),
    link_events: LinkEvents | None = None,
) -> Continuum:
    """Return a continuum of one-letter nodes; links are (end, end, ms[, Mbit/s])."""
    names = tuple(nodes)
    bandwidths = [link[3] for link in links if len(link) == 4]
    return Continuum(
        nodes=NodeTable(
            id=names,
            kind=("edge",) * len(names),
            architecture=tuple(architecture or ("arm64",) * len(names)),
            capacity={name: np.array(column) for name, column in (capacity or {}).items()},
            accelerators={name: np.array(column) for name, column in (accelerators or {}).items()},
            heat_profile=np.array([0 if name in heated else -1 for name in names]),
        ),
        heat_profiles=() if profile is None else (profile,),
        time=TimeGrid(steps=steps),
        topology=ExplicitTopology(
            source=np.array([names.index(link[0]) for link in links], dtype=np.int64),
            target=np.array([names.index(link[1]) for link in links], dtype=np.int64),
            latency_ms=np.array(latency_ms or [[float(link[2]) for link in links]]),
            bandwidth_mbps=np.array([bandwidths], dtype=float) if bandwidths else None,
            events=link_events,
        ),
        events=tuple(events),
    )


def problem(
    where: Continuum,
    functions: Sequence[Function],
    edges: Sequence[DataEdge] = (),
    *,
    response_time_slo_ms: float | None = None,
    **fields: Any,
) -> PlacementProblem:
    """Return a problem with the one workflow ``w``."""
    workflow = Workflow(
        id="w",
        functions=tuple(functions),
        edges=tuple(edges),
        response_time_slo_ms=response_time_slo_ms,
    )
    return PlacementProblem(continuum=where, workflows=(workflow,), **fields)


def place(names: Mapping[str, str] | None = None, **nodes: str) -> PlacementSolution:
    """Return a solution from ``f="a"`` for workflow ``w``, or from ``{"w/f": "a"}``."""
    entries = {f"w/{function}": node for function, node in nodes.items()} | dict(names or {})
    return PlacementSolution(
        assignments=tuple(
            Assignment(workflow=name.split("/")[0], function=name.split("/")[1], node=node)
            for name, node in entries.items()
        )
    )


def check(asked: PlacementProblem, **nodes: str) -> Evaluation:
    """Evaluate a placement of workflow ``w``."""
    return evaluate(asked, place(**nodes))


def rules(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Return rule and subject of every violation."""
    return [(violation.rule, violation.subject) for violation in evaluation.violations]


def messages(evaluation: Evaluation) -> list[str]:
    """Return the words of every violation."""
    return [violation.message for violation in evaluation.violations]


def snapshot(*links: tuple[int, int, int] | tuple[int, int, int, int]) -> Snapshot:
    """Return the snapshot of links (node, node, ns) or (node, node, ns, bit/s)."""
    columns = np.array(links, dtype=np.int64).reshape(len(links), -1)
    return Snapshot(
        source=columns[:, 0].astype(np.int32),
        target=columns[:, 1].astype(np.int32),
        latency_ns=columns[:, 2],
        bandwidth_bps=columns[:, 3] if columns.shape[1] > 3 else None,
    )
