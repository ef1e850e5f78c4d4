"""HyperDrive's published scenario as a placement problem.

A scenario is a folder of ``scenario01-<N>-scenario.json``, ``-nodes.json`` and ``-topology.json``
(each possibly ``.gz``), N the number of nodes, and optionally what schedulers answered
(``-results.json``) and proven optima (``-exact.json``). Published system: HyperDrive, T. Pusztai et
al., doi 10.1109/SEC62691.2024.00028.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from leotrek_opt.errors import InputError
from leotrek_opt.instances.hyperdrive_derived import MiniChain, read_mini_chains, read_synthetic
from leotrek_opt.instances.hyperdrive_files import (
    RESOURCE_NAMES,
    Link,
    NodeEntry,
    NodesFile,
    ReferenceEvent,
    ReferenceOptimum,
    ReferenceRun,
    ScenarioFile,
    SnapshotEntry,
    TaskEntry,
    TopologyFile,
    chosen_size,
    naming,
    needed_file,
    read_model,
    read_optima,
    read_results,
    scenario_sizes,
)
from leotrek_opt.instances.link_pattern import LinkColumns, link_pattern
from leotrek_opt.models.continuum import (
    Continuum,
    HeatProfile,
    NodeEvent,
    NodeTable,
    PositionSeries,
    TimeGrid,
)
from leotrek_opt.models.placement import PlacementObjective, PlacementProblem, ThermalRule
from leotrek_opt.models.workflow import DataEdge, DataSource, Function, Workflow

__all__ = [
    "MiniChain",
    "ReferenceEvent",
    "ReferenceOptimum",
    "ReferenceRun",
    "read_mini_chains",
    "read_optima",
    "read_results",
    "read_scenario",
    "read_synthetic",
    "scenario_sizes",
]

_SECONDS_PER_MINUTE = 60.0


def read_scenario(
    folder: str | Path,
    total_nodes: int | None = None,
    *,
    thermal_limit: Literal["max", "recommended"] = "max",
    data_sources: bool = False,
) -> PlacementProblem:
    """Read a scenario as one clairvoyant placement problem.

    Nodes are ``n<id>`` in the order of their ids, workflows ``w<k>``, functions named like their
    tasks. Steps are the minutes at which something is placed. The first task of every workflow is
    pinned and counts from step 0, so that all of them reserve room before anything else is placed,
    as published; nothing is ever given back. The Earth-observation satellite of a workflow is
    designated once the function before its reader has been placed, and takes no function from then
    on; what was placed before, in the order of time and workflow, is exempt.

    Parameters
    ----------
    folder
        Holds ``scenario01-<N>-{scenario,nodes,topology}.json[.gz]``.
    total_nodes
        N; may be left out if the folder holds one scenario.
    thermal_limit
        Which temperature of its heat profile a satellite must keep.
    data_sources
        Whether the objective counts the latency to the Earth-observation satellite.

    Returns
    -------
    PlacementProblem
        With objective ``sum_latency`` and HyperDrive's temperature estimate.

    Raises
    ------
    leotrek_opt.errors.InputError
        If a file is missing or malformed, or files contradict each other.
    """
    size = chosen_size(folder, total_nodes)
    paths = {part: needed_file(folder, size, part) for part in ("scenario", "nodes", "topology")}
    scenario = read_model(paths["scenario"], ScenarioFile)
    nodes = read_model(paths["nodes"], NodesFile).nodes
    topology = read_model(paths["topology"], TopologyFile)
    with naming(paths["topology"]):
        snapshots = _by_minute(topology)
        columns = [
            _link_columns(snapshot.edges, len(nodes), f"times.{minute}.edges")
            for minute, snapshot in snapshots.items()
        ]
    minutes = tuple(snapshots)
    with naming(paths["nodes"]):
        _check_nodes(scenario, nodes)
        table, profiles = _node_table(nodes)
        positions = _ground_positions(nodes)
    with naming(paths["topology"]):
        positions += _satellite_positions(scenario.n_satellites, snapshots)
    with naming(paths["scenario"]):
        workflows = _workflows(scenario, minutes)
        return PlacementProblem(
            id=f"scenario01-{size}",
            label=scenario.name,
            continuum=Continuum(
                id=f"scenario01-{size}",
                label=scenario.name,
                nodes=table,
                heat_profiles=profiles,
                positions=positions,
                time=TimeGrid(
                    steps=len(minutes),
                    offsets_s=tuple(minute * _SECONDS_PER_MINUTE for minute in minutes),
                ),
                topology=link_pattern(columns, len(nodes)),
                events=_designations(scenario, workflows),
            ),
            workflows=workflows,
            objective=PlacementObjective(data_sources=data_sources),
            thermal=ThermalRule(model="hyperdrive", limit=thermal_limit),
        )


def _by_minute(topology: TopologyFile) -> dict[int, SnapshotEntry]:
    snapshots: dict[int, SnapshotEntry] = {}
    for text, snapshot in topology.times.items():
        if not (text.isascii() and text.isdigit() and len(text) < 8):
            raise InputError(f'must be named by whole minutes, got "{text}"', field="times")
        snapshots[int(text)] = snapshot
    return dict(sorted(snapshots.items()))


def _link_columns(links: Sequence[Link], n_nodes: int, field: str) -> LinkColumns:
    table = np.array(links, dtype=np.float64).reshape(len(links), 3)
    source, target = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
    for end in (source, target):
        if (end >= n_nodes).any():
            link = int((end >= n_nodes).argmax())
            raise InputError(f"no node {end[link]}, there are {n_nodes}", field=f"{field}[{link}]")
    return source, target, table[:, 2]


def _check_nodes(scenario: ScenarioFile, nodes: Sequence[NodeEntry]) -> None:
    if len(nodes) != scenario.total_nodes:
        raise InputError(
            f"must have {scenario.total_nodes} entries like total_nodes of the scenario, "
            f"got {len(nodes)}",
            field="nodes",
        )
    for index, node in enumerate(nodes):
        at = f"nodes[{index}]"
        if node.id != index:
            raise InputError(f"must be {index}, nodes are listed by id", field=f"{at}.id")
        if (node.type == "satellite") != (index < scenario.n_satellites):
            raise InputError(
                f"the first {scenario.n_satellites} nodes are the satellites", field=f"{at}.type"
            )
        if node.type != "satellite" and (node.lat is None or node.lon is None):
            raise InputError("a node on the ground needs lat and lon", field=at)


def _node_table(nodes: Sequence[NodeEntry]) -> tuple[NodeTable, tuple[HeatProfile, ...]]:
    resources = sorted({name for node in nodes for name in node.resources})
    distinct = dict.fromkeys(node.heat for node in nodes if node.heat is not None)
    number = {heat: index for index, heat in enumerate(distinct)}
    table = NodeTable(
        id=tuple(f"n{node.id}" for node in nodes),
        kind=tuple(node.type for node in nodes),
        architecture=tuple(node.cpu_arch for node in nodes),
        capacity={
            RESOURCE_NAMES.get(name, name): np.array(
                [node.resources.get(name, 0) for node in nodes], dtype=np.int64
            )
            for name in resources
        },
        heat_profile=np.array(
            [-1 if node.heat is None else number[node.heat] for node in nodes], dtype=np.int64
        ),
    )
    return table, tuple(heat.profile(f"profile-{number[heat]}") for heat in distinct)


def _ground_positions(nodes: Sequence[NodeEntry]) -> tuple[PositionSeries, ...]:
    ground = [node for node in nodes if node.type != "satellite"]
    if not ground:
        return ()
    return (
        PositionSeries(
            node=np.array([node.id for node in ground]),
            latitude_deg=np.array([[node.lat for node in ground]], dtype=np.float64),
            longitude_deg=np.array([[node.lon for node in ground]], dtype=np.float64),
            altitude_km=np.array([[node.alt_km for node in ground]], dtype=np.float64),
        ),
    )


def _satellite_positions(
    n_satellites: int, snapshots: dict[int, SnapshotEntry]
) -> tuple[PositionSeries, ...]:
    if not n_satellites:
        return ()
    for minute, snapshot in snapshots.items():
        if len(snapshot.positions) != n_satellites:
            raise InputError(
                f"must have {n_satellites} entries, one per satellite, "
                f"got {len(snapshot.positions)}",
                field=f"times.{minute}.sat_positions_lat_lon_alt",
            )
    series = np.array([snapshot.positions for snapshot in snapshots.values()], dtype=np.float64)
    return (
        PositionSeries(
            node=np.arange(n_satellites),
            latitude_deg=series[:, :, 0],
            longitude_deg=series[:, :, 1],
            altitude_km=series[:, :, 2],
        ),
    )


def _workflows(scenario: ScenarioFile, minutes: Sequence[int]) -> tuple[Workflow, ...]:
    first, *others = scenario.workflow
    if first.preds:
        raise InputError("the first task is pinned and has no predecessor", field="workflow[0]")
    for name in ("ingest_nodes", "schedule_times_min", "eo_satellites"):
        count = len(getattr(scenario, name))
        if count != scenario.n_workflows:
            raise InputError(
                f"must have {scenario.n_workflows} entries, one per workflow, got {count}",
                field=name,
            )
    return tuple(
        Workflow(
            id=f"w{number}",
            functions=(
                _function(first, 0, 0, pinned=_existing(scenario, "ingest_nodes", number)),
                *(
                    _function(task, step, _existing(scenario, "eo_satellites", number))
                    for task, step in zip(
                        others, _steps(scenario, number, minutes, len(others)), strict=True
                    )
                ),
            ),
            edges=tuple(
                DataEdge(
                    source=link.task,
                    target=task.name,
                    max_latency_ms=link.max_latency_ms,
                    min_bandwidth_mbps=link.min_bandwidth_mbps,
                )
                for task in scenario.workflow
                for link in task.preds
            ),
        )
        for number in range(scenario.n_workflows)
    )


def _existing(scenario: ScenarioFile, column: str, number: int) -> int:
    node: int = getattr(scenario, column)[number]
    if node >= scenario.total_nodes:
        raise InputError(
            f"no node {node}, there are {scenario.total_nodes}", field=f"{column}[{number}]"
        )
    return node


def _steps(scenario: ScenarioFile, number: int, minutes: Sequence[int], count: int) -> list[int]:
    times = scenario.schedule_times_min[number]
    at = f"schedule_times_min[{number}]"
    if len(times) != count:
        raise InputError(
            f"must have {count} entries, one per task after the first, got {len(times)}", field=at
        )
    for index, minute in enumerate(times):
        if minute not in minutes:
            raise InputError(f"the topology has no minute {minute}", field=f"{at}[{index}]")
    return [minutes.index(minute) for minute in times]


def _function(task: TaskEntry, step: int, eo_satellite: int, pinned: int | None = None) -> Function:
    return Function(
        id=task.name,
        demand={RESOURCE_NAMES.get(name, name): amount for name, amount in task.req.items()},
        architectures=task.cpu_archs,
        execution_ms=task.exec_time_ms,
        data_sources=tuple(
            DataSource(
                id=source.node if index == 0 else f"{source.node}-{index}",
                node=f"n{eo_satellite}",
                max_latency_ms=source.max_latency_ms,
                min_bandwidth_mbps=source.min_bandwidth_mbps,
            )
            for index, source in enumerate(task.data_sources)
        ),
        step=step,
        pinned=None if pinned is None else f"n{pinned}",
    )


def _designations(scenario: ScenarioFile, workflows: Sequence[Workflow]) -> tuple[NodeEvent, ...]:
    """Return one event per workflow; functions placed earlier at the same minute are exempt."""
    events = []
    for number, workflow in enumerate(workflows):
        readers = [row for row, function in enumerate(workflow.functions) if function.data_sources]
        if not readers:
            continue
        last = workflow.functions[max(readers[0] - 1, 0)]
        before = [
            f"{other.id}/{function.id}"
            for position, other in enumerate(workflows)
            for row, function in enumerate(other.functions)
            if function.step == last.step
            and (row == 0 or position < number or (position == number and row < readers[0]))
        ]
        events.append(
            NodeEvent(
                step=last.step,
                node=f"n{scenario.eo_satellites[number]}",
                available=False,
                except_functions=tuple(before),
            )
        )
    return tuple(events)
