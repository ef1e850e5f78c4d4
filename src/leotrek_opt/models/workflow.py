"""Workflows: functions, the data they pass on, where data comes from, and control flow."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from leotrek_opt.models.base import (
    BandwidthMbps,
    ExecutionMs,
    Identifier,
    Label,
    LatencyMs,
    Quantity,
    SizeBytes,
    StepIndex,
    StrictModel,
    nearest_name,
    rejection,
)
from leotrek_opt.models.continuum import Architecture

MAX_FUNCTIONS = 10_000
MAX_EDGES = 100_000


class Accelerator(StrictModel):
    """What a function asks of accelerators, in Gaia's four modes.

    Only ``gpu`` binds: it needs and occupies ``count`` of ``device`` on its node. The preferences
    are for dispatchers; placement does not act on them.
    """

    mode: Literal["cpu", "cpu_preferred", "gpu_preferred", "gpu"] = "cpu"
    device: Identifier = "gpu"
    count: Annotated[int, Field(ge=1, le=1024)] = 1


class StepInterval(StrictModel):
    """Steps from ``start`` to before ``end``."""

    start: StepIndex
    end: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _is_not_empty(self) -> Self:
        if self.end <= self.start:
            raise rejection("end", f"must be > start = {self.start}")
        return self


class DataSource(StrictModel):
    """Data that a function reads from a fixed node, such as an Earth-observation satellite."""

    id: Identifier
    node: Identifier
    size_bytes: SizeBytes = 0
    max_latency_ms: LatencyMs | None = None
    min_bandwidth_mbps: BandwidthMbps | None = None


class Function(StrictModel):
    """One serverless function.

    ``architectures`` lists where it runs, empty for anywhere. ``execution_ms`` holds its execution
    time by architecture; it is empty (unknown, counted as 0) or covers every allowed architecture.
    ``step`` names the snapshot in which its incoming edges and data sources are measured. From then
    on it occupies its ``demand``: for ever, or for the steps of ``hold``. A ``pinned`` function
    stays on its node and still needs room there unless ``reserves`` is false.
    """

    id: Identifier
    label: Label = ""
    demand: dict[Identifier, Quantity] = Field(default_factory=dict)
    architectures: tuple[Architecture, ...] = ()
    execution_ms: dict[Architecture, ExecutionMs] = Field(default_factory=dict)
    accelerator: Accelerator = Accelerator()
    data_sources: tuple[DataSource, ...] = ()
    step: StepIndex = 0
    hold: Literal["forever"] | StepInterval = "forever"
    pinned: Identifier | None = None
    reserves: bool = True

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        names = [source.id for source in self.data_sources]
        if len(set(names)) != len(names):
            raise rejection("data_sources", "data source ids must differ")
        if len(set(self.architectures)) != len(self.architectures):
            raise rejection("architectures", "an architecture is listed twice")
        if self.execution_ms:
            for architecture in self.architectures:
                if architecture not in self.execution_ms:
                    raise rejection("execution_ms", f"no time for architecture {architecture}")
        if self.pinned is None and not self.reserves:
            raise rejection("reserves", "may be false only for a pinned function")
        return self


class DataEdge(StrictModel):
    """Data that flows from one function to another, with its network requirements."""

    source: Identifier
    target: Identifier
    size_bytes: SizeBytes = 0
    max_latency_ms: LatencyMs | None = None
    min_bandwidth_mbps: BandwidthMbps | None = None


class Loop(StrictModel):
    """The body runs, and with ``probability`` runs again."""

    type: Literal["loop"] = "loop"
    body: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    probability: Annotated[float, Field(ge=0, lt=1)]


class Branch(StrictModel):
    """Exactly one arm runs; arm ``k`` with ``probabilities[k]``."""

    type: Literal["branch"] = "branch"
    arms: Annotated[tuple[tuple[Identifier, ...], ...], Field(min_length=1)]
    probabilities: tuple[Annotated[float, Field(ge=0, le=1)], ...]

    @model_validator(mode="after")
    def _probabilities_sum_to_one(self) -> Self:
        if len(self.probabilities) != len(self.arms):
            raise rejection("probabilities", f"must have {len(self.arms)} entries, one per arm")
        if abs(sum(self.probabilities) - 1) > 1e-9:
            raise rejection("probabilities", "must sum to 1")
        return self


class Map(StrictModel):
    """The body runs ``count`` times side by side."""

    type: Literal["map"] = "map"
    body: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    count: Annotated[int, Field(ge=1, le=1_000_000)]


Control = Annotated[Loop | Branch | Map, Field(discriminator="type")]


class Workflow(StrictModel):
    """Functions joined by data edges that form a directed acyclic graph.

    Control flow stands beside the edges: a repetition is a :class:`Loop`, never a back edge.
    """

    kind: Literal["workflow"] = "workflow"
    version: Literal[1] = 1
    id: Identifier
    label: Label = ""
    functions: Annotated[tuple[Function, ...], Field(min_length=1, max_length=MAX_FUNCTIONS)]
    edges: Annotated[tuple[DataEdge, ...], Field(max_length=MAX_EDGES)] = ()
    control: tuple[Control, ...] = ()
    arrival_ms: ExecutionMs = 0
    response_time_slo_ms: Annotated[float, Field(gt=0, le=1e9)] | None = None

    @model_validator(mode="after")
    def _references_hold(self) -> Self:
        known: set[str] = set()
        for index, function in enumerate(self.functions):
            if function.id in known:
                raise rejection(f"functions[{index}].id", f'duplicate function "{function.id}"')
            known.add(function.id)
        pairs: set[tuple[str, str]] = set()
        for index, edge in enumerate(self.edges):
            for end, name in (("source", edge.source), ("target", edge.target)):
                if name not in known:
                    raise rejection(
                        f"edges[{index}].{end}", f'no function "{name}"{nearest_name(name, known)}'
                    )
            if (edge.source, edge.target) in pairs:
                raise rejection(
                    f"edges[{index}]", f'duplicate edge "{edge.source}" -> "{edge.target}"'
                )
            pairs.add((edge.source, edge.target))
        cycle = find_cycle([function.id for function in self.functions], pairs)
        if cycle:
            raise rejection(
                "edges",
                f"cycle {' -> '.join(cycle)}; edges must be acyclic, write a repetition as a loop",
            )
        for index, control in enumerate(self.control):
            groups = control.arms if isinstance(control, Branch) else (control.body,)
            for name in (name for group in groups for name in group):
                if name not in known:
                    raise rejection(
                        f"control[{index}]", f'no function "{name}"{nearest_name(name, known)}'
                    )
        return self


def find_cycle(names: list[str], edges: set[tuple[str, str]]) -> list[str]:
    """Return one cycle of a directed graph, closed (first name repeated), or an empty list.

    Parameters
    ----------
    names
        Nodes, in the order in which they are visited.
    edges
        Pairs (source, target).

    Returns
    -------
    list of str
        Names along the cycle.
    """
    successors: dict[str, list[str]] = {name: [] for name in names}
    for source, target in sorted(edges):
        successors[source].append(target)
    finished: set[str] = set()
    for root in names:
        path: list[str] = []
        on_path: set[str] = set()
        pending = [(root, False)]
        while pending:
            name, leaving = pending.pop()
            if leaving:
                on_path.discard(path.pop())
                finished.add(name)
            elif name in on_path:
                return [*path[path.index(name) :], name]
            elif name not in finished:
                path.append(name)
                on_path.add(name)
                pending.append((name, True))
                pending.extend((target, False) for target in reversed(successors[name]))
    return []
