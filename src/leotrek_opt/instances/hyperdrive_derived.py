"""Instances with known optimum derived from HyperDrive's scenario: mini chains, synthetic ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from leotrek_opt.errors import InputError
from leotrek_opt.instances.hyperdrive_files import (
    RESOURCE_NAMES,
    ForeignModel,
    Link,
    NodeEntry,
    NodeNumber,
    naming,
    read_model,
)
from leotrek_opt.instances.link_pattern import LinkColumns, link_pattern
from leotrek_opt.models.base import NS_PER_MS, LatencyMs, quantise
from leotrek_opt.models.continuum import (
    CPU,
    Architecture,
    Continuum,
    HeatProfile,
    NodeEvent,
    NodeTable,
    TimeGrid,
)
from leotrek_opt.models.placement import (
    Assignment,
    PlacementObjective,
    PlacementProblem,
    PlacementSolution,
    ThermalRule,
)
from leotrek_opt.models.topology import ExplicitTopology
from leotrek_opt.models.workflow import DataEdge, DataSource, Function, Workflow

INGEST = "ingest"
CHAIN = ("extract-frames", "object-det", "prepare-ds")
"""The functions of the scenario after the pinned one."""

_CORES_PER_FUNCTION = 4
_EXECUTION_MS: tuple[dict[Architecture, int], ...] = (
    {"arm64": 60_000, "x86_64": 50_000},
    {"arm64": 600_000, "x86_64": 500_000},
    {"arm64": 90_000, "x86_64": 80_000},
)
_Row = Annotated[tuple[LatencyMs, ...], Field(min_length=1)]
_Bit = Annotated[int, Field(ge=0, le=1)]


class _Case(ForeignModel):
    workflow: int
    ingest_node: NodeNumber
    eo_satellite: NodeNumber = Field(alias="eo_sat")
    nodes: Annotated[tuple[NodeEntry, ...], Field(min_length=1)]
    available: tuple[tuple[bool | _Bit, ...], ...]
    latency_ingest_ms: _Row
    latency_eo_ms: _Row
    latency_01_ms: tuple[_Row, ...]
    latency_12_ms: tuple[_Row, ...]
    slo_ms: tuple[LatencyMs, LatencyMs, LatencyMs]
    eo_slo_ms: LatencyMs
    optimum_e2e_ms: float
    optimum_nodes: tuple[NodeNumber, NodeNumber, NodeNumber]
    hyperdrive_nodes: tuple[NodeNumber, NodeNumber, NodeNumber] | None = None
    hyperdrive_e2e_ms: float | None = None


class _CasesFile(ForeignModel):
    cases: tuple[_Case, ...]


@dataclass(frozen=True)
class MiniChain:
    """One workflow on a few nodes, with its optimum.

    Parameters
    ----------
    problem
        The instance.
    optimum_ms
        Sum of the three link latencies.
    optimum
        A placement that attains it.
    hyperdrive_ms
        What HyperDrive's placement is worth, None if unknown. It may use other nodes of the
        scenario, so it is no solution of the instance.
    """

    problem: PlacementProblem
    optimum_ms: float
    optimum: PlacementSolution
    hyperdrive_ms: float | None


def read_mini_chains(path: str | Path) -> tuple[MiniChain, ...]:
    """Read chains of three functions cut out of a scenario.

    The file gives latencies between pairs of nodes, one matrix per link of the chain. They become
    direct links, at step 0 from the pinned function's node, at steps 1 and 2 between all pairs;
    step 1 also links the Earth-observation satellite with every node. Routes then have the
    latencies of the file since these satisfy the triangle inequality, which is checked. Which
    function may use which node becomes availability events.

    Parameters
    ----------
    path
        JSON file, possibly compressed.

    Returns
    -------
    tuple of MiniChain
        In the order of the file.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the file is malformed, or its latencies are no shortest routes.
    """
    file = Path(path)
    cases = read_model(file, _CasesFile).cases
    chains = []
    for index, case in enumerate(cases):
        with naming(file):
            chains.append(_mini_chain(case, f"cases[{index}]"))
    return tuple(chains)


def _mini_chain(case: _Case, at: str) -> MiniChain:
    numbers = [node.id for node in case.nodes]
    count = len(numbers)
    for name in ("latency_ingest_ms", "latency_eo_ms", "latency_01_ms", "latency_12_ms"):
        if len(getattr(case, name)) != count:
            raise InputError(f"must have {count} entries like nodes", field=f"{at}.{name}")
    if len(case.available) != len(CHAIN) or any(len(row) != count for row in case.available):
        raise InputError(f"must have 3 rows of {count} entries", field=f"{at}.available")
    entries = list(case.nodes)
    for number in (case.ingest_node, case.eo_satellite):
        if number not in numbers:
            # Only its links matter: no function may be placed on it.
            entries.append(NodeEntry(id=number, type="edge", cpu_arch="arm64", resources={}))
            numbers.append(number)
    first = _star(numbers.index(case.ingest_node), case.latency_ingest_ms)
    source_links = _star(numbers.index(case.eo_satellite), case.latency_eo_ms)
    columns = (
        first,
        _complete(case.latency_01_ms, source_links, len(numbers), f"{at}.latency_01_ms"),
        _complete(case.latency_12_ms, None, len(numbers), f"{at}.latency_12_ms"),
    )
    workflow = _chain(
        f"w{case.workflow}",
        case.ingest_node,
        case.eo_satellite,
        (*case.slo_ms, case.eo_slo_ms),
        steps=(0, 1, 2),
    )
    problem = PlacementProblem(
        id=f"mini-chain-{case.workflow}",
        continuum=Continuum(
            nodes=NodeTable(
                id=tuple(f"n{number}" for number in numbers),
                kind=tuple(entry.type for entry in entries),
                architecture=tuple(entry.cpu_arch for entry in entries),
                capacity={CPU: np.array([_cpu_millis(entry) for entry in entries])},
            ),
            time=TimeGrid(steps=len(CHAIN)),
            topology=link_pattern(columns, len(numbers)),
            events=_availability(case.available, numbers, workflow),
        ),
        workflows=(workflow,),
    )
    optimum = ((INGEST, case.ingest_node), *zip(CHAIN, case.optimum_nodes, strict=True))
    return MiniChain(
        problem=problem,
        optimum_ms=case.optimum_e2e_ms,
        optimum=PlacementSolution(
            assignments=tuple(
                Assignment(workflow=workflow.id, function=name, node=f"n{number}")
                for name, number in optimum
            )
        ),
        hyperdrive_ms=case.hyperdrive_e2e_ms,
    )


def _cpu_millis(entry: NodeEntry) -> int:
    return next(
        (entry.resources[name] for name, ours in RESOURCE_NAMES.items()
         if ours == CPU and name in entry.resources),
        0,
    )  # fmt: skip


def _star(centre: int, latency_ms: Sequence[float]) -> LinkColumns:
    """Link one node with each of the first nodes, but not with itself."""
    others = np.array([node for node in range(len(latency_ms)) if node != centre], dtype=np.int64)
    return np.full(len(others), centre), others, np.array(latency_ms)[others]


def _complete(
    rows: Sequence[Sequence[float]], extra: LinkColumns | None, n_nodes: int, at: str
) -> LinkColumns:
    if any(len(row) != len(rows) for row in rows):
        raise InputError(f"must have {len(rows)} rows of {len(rows)} entries", field=at)
    matrix = np.array(rows)
    lower, upper = np.triu_indices(len(rows), k=1)
    source, target, latency = lower, upper, matrix[lower, upper]
    if extra is not None:
        # Both directions of a link of the satellite to a node of the matrix are one link.
        new = np.maximum(extra[0], extra[1]) >= len(rows)
        source = np.concatenate([source, extra[0][new]])
        target = np.concatenate([target, extra[1][new]])
        latency = np.concatenate([latency, extra[2][new]])
    _check_metric(source, target, latency, n_nodes, matrix, at)
    return source, target, latency


def _check_metric(
    source: NDArray[np.int64],
    target: NDArray[np.int64],
    latency_ms: NDArray[np.float64],
    n_nodes: int,
    matrix: NDArray[np.float64],
    at: str,
) -> None:
    direct = np.full((n_nodes, n_nodes), 2**52, dtype=np.int64)
    np.fill_diagonal(direct, 0)
    direct[source, target] = direct[target, source] = quantise(latency_ms, NS_PER_MS)
    shortest = direct.copy()
    for middle in range(n_nodes):
        np.minimum(shortest, shortest[:, [middle]] + shortest[[middle], :], out=shortest)
    given = quantise(matrix, NS_PER_MS)
    if not np.array_equal(given, shortest[: len(matrix), : len(matrix)]):
        raise InputError("must be the latencies of shortest routes", field=at)


def _availability(
    available: Sequence[Sequence[bool | int]], numbers: Sequence[int], workflow: Workflow
) -> tuple[NodeEvent, ...]:
    """Return events that open each node to the functions that may use it; one step per function."""
    exempt = (f"{workflow.id}/{INGEST}",)
    events = []
    for node, number in enumerate(numbers):
        is_open = True
        for step in range(len(CHAIN)):
            wanted = node < len(available[step]) and bool(available[step][node])
            if wanted != is_open:
                events.append(
                    NodeEvent(
                        step=step, node=f"n{number}", available=wanted, except_functions=exempt
                    )
                )
            is_open = wanted
    return tuple(events)


class _SyntheticTask(ForeignModel):
    name: str
    cores: Annotated[int, Field(ge=0, le=10_000)]


class _SyntheticWorkflow(ForeignModel):
    ingest_node: NodeNumber
    eo_satellite: NodeNumber


class _Limits(ForeignModel):
    ingest_to_extract: LatencyMs
    extract_to_detect: LatencyMs
    detect_to_prepare: LatencyMs
    eo_to_detect: LatencyMs


class _SyntheticFile(ForeignModel):
    name: str
    n_nodes: Annotated[int, Field(ge=1)]
    node_type: tuple[Literal["satellite", "edge", "ground_station", "cloud"], ...]
    cores: tuple[Annotated[int, Field(ge=0, le=1_000_000)], ...]
    tasks: tuple[_SyntheticTask, _SyntheticTask, _SyntheticTask]
    thermally_allowed: tuple[tuple[_Bit, ...], tuple[_Bit, ...], tuple[_Bit, ...]]
    edges_ms: tuple[Link, ...]
    workflows: Annotated[tuple[_SyntheticWorkflow, ...], Field(min_length=1)]
    max_latency_ms: _Limits
    optimum_ms: float


_PROFILES = {
    (1, 0, 1): HeatProfile(
        id="profile-b",
        temperature_c=45.0,
        orbit_base_temperature_c=60.0,
        recommended_temperature_c=65.0,
        max_temperature_c=75.0,
        heating_c_per_core_minute=2.0,
        radiated_c_per_minute=0.1,
    )
}
"""The published profile whose estimates (67.9, 79, 26.85 degrees at most 75) give that mask."""


def read_synthetic(path: str | Path) -> tuple[PlacementProblem, float]:
    """Read a generated instance with known optimum.

    The file says per node which of the three functions its temperature allows. Both masks that
    occur are reproduced by heat, not listed: nodes that refuse only object-det get the published
    profile that overheats in its ten minutes, all others none.

    Parameters
    ----------
    path
        JSON file, possibly compressed.

    Returns
    -------
    problem : PlacementProblem
        With objective ``sum_latency+data_sources``; only cores count.
    optimum_ms : float
        Proven optimum.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the file is malformed, or has a mask that no published profile explains.
    """
    file = Path(path)
    instance = read_model(file, _SyntheticFile)
    with naming(file):
        return _synthetic(instance), instance.optimum_ms


def _synthetic(instance: _SyntheticFile) -> PlacementProblem:
    count = instance.n_nodes
    for name, column in (
        ("node_type", instance.node_type),
        ("cores", instance.cores),
        *((f"thermally_allowed[{k}]", row) for k, row in enumerate(instance.thermally_allowed)),
    ):
        if len(column) != count:
            raise InputError(f"must have {count} entries, one per node", field=name)
    for index, task in enumerate(instance.tasks):
        if task.name != CHAIN[index] or task.cores != _CORES_PER_FUNCTION:
            raise InputError(
                f"must be {CHAIN[index]} with {_CORES_PER_FUNCTION} cores", field=f"tasks[{index}]"
            )
    limits = instance.max_latency_ms
    links = np.array(instance.edges_ms, dtype=np.float64).reshape(-1, 3)
    return PlacementProblem(
        id=instance.name,
        continuum=Continuum(
            id=instance.name,
            nodes=NodeTable(
                id=tuple(f"n{number}" for number in range(count)),
                kind=instance.node_type,
                architecture=tuple(
                    "x86_64" if kind in {"ground_station", "cloud"} else "arm64"
                    for kind in instance.node_type
                ),
                capacity={CPU: 1000 * np.array(instance.cores)},
                heat_profile=_profile_column(instance),
            ),
            heat_profiles=tuple(_PROFILES.values()),
            topology=ExplicitTopology(
                source=links[:, 0].astype(np.int64),
                target=links[:, 1].astype(np.int64),
                latency_ms=links[None, :, 2],
            ),
        ),
        workflows=tuple(
            _chain(
                f"w{index}",
                workflow.ingest_node,
                workflow.eo_satellite,
                (
                    limits.ingest_to_extract,
                    limits.extract_to_detect,
                    limits.detect_to_prepare,
                    limits.eo_to_detect,
                ),
            )
            for index, workflow in enumerate(instance.workflows)
        ),
        objective=PlacementObjective(data_sources=True),
        thermal=ThermalRule(model="hyperdrive", limit="max"),
    )


def _profile_column(instance: _SyntheticFile) -> NDArray[np.int64]:
    column = np.full(instance.n_nodes, -1, dtype=np.int64)
    known = {pattern: index for index, pattern in enumerate(_PROFILES)}
    for node, pattern in enumerate(zip(*instance.thermally_allowed, strict=True)):
        if all(pattern):
            continue
        if pattern not in known:
            raise InputError(
                f"node {node} allows {list(pattern)}; only [1, 1, 1] and [1, 0, 1] are known",
                field="thermally_allowed",
            )
        column[node] = known[pattern]
    return column


def _chain(
    name: str,
    ingest_node: int,
    eo_satellite: int,
    limits_ms: tuple[float, float, float, float],
    *,
    steps: tuple[int, int, int] = (0, 0, 0),
) -> Workflow:
    """Return ingest and the chain behind it; limits of its three links and of the data source."""
    source = DataSource(id="eo_satellite", node=f"n{eo_satellite}", max_latency_ms=limits_ms[3])
    return Workflow(
        id=name,
        functions=(
            Function(id=INGEST, pinned=f"n{ingest_node}", reserves=False),
            *(
                Function(
                    id=function,
                    demand={CPU: 1000 * _CORES_PER_FUNCTION},
                    execution_ms=_EXECUTION_MS[index],
                    data_sources=(source,) if index == 1 else (),
                    step=steps[index],
                )
                for index, function in enumerate(CHAIN)
            ),
        ),
        edges=tuple(
            DataEdge(source=before, target=after, max_latency_ms=limit)
            for before, after, limit in zip((INGEST, *CHAIN), CHAIN, limits_ms, strict=False)
        ),
    )
