"""The continuum: nodes on ground and in orbit, what they offer, and when that changes."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import AwareDatetime, Field, model_validator

from leotrek_opt.models.base import (
    MAX_STEPS,
    FunctionReference,
    Identifier,
    Label,
    Quantity,
    StepIndex,
    StrictModel,
    TemperatureC,
    nearest_name,
    rejection,
)
from leotrek_opt.models.columns import (
    AltitudeSeries,
    IndexColumn,
    LatitudeSeries,
    LongitudeSeries,
    OptionalIndexColumn,
    QuantityColumn,
)
from leotrek_opt.models.topology import ExplicitTopology, Topology

NodeKind = Literal["satellite", "edge", "ground_station", "cloud"]
Architecture = Literal["arm64", "x86_64", "riscv64"]

CPU = "cpu_millis"
"""Resource name of CPU time in thousandths of a core."""
MEMORY = "memory_mib"
"""Resource name of memory in MiB."""

MAX_NODES = 1_000_000


class HeatProfile(StrictModel):
    """How a satellite warms up under load (HyperDrive's ``HeatInfo``, in our units)."""

    id: Identifier
    temperature_c: TemperatureC
    orbit_base_temperature_c: TemperatureC
    recommended_temperature_c: TemperatureC
    max_temperature_c: TemperatureC
    heating_c_per_core_minute: Annotated[float, Field(ge=0, le=1000)]
    radiated_c_per_minute: Annotated[float, Field(ge=0, le=1000)]


class NodeTable(StrictModel):
    """All nodes, one entry per column; links and series refer to nodes by their index here.

    ``capacity`` and ``accelerators`` hold one column per resource name; a resource without a column
    is absent everywhere. ``heat_profile`` is an index into the continuum's profiles, -1 for none.
    """

    id: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=MAX_NODES)]
    kind: tuple[NodeKind, ...]
    architecture: tuple[Architecture, ...]
    capacity: dict[Identifier, QuantityColumn]
    accelerators: dict[Identifier, QuantityColumn] = Field(default_factory=dict)
    heat_profile: OptionalIndexColumn | None = None
    label: tuple[Label, ...] | None = None

    def __len__(self) -> int:
        """Return the number of nodes."""
        return len(self.id)

    @property
    def names(self) -> tuple[str, ...]:
        """What people call the nodes: their labels, and the identifiers of those without one."""
        if self.label is None:
            return self.id
        return tuple(label or node for label, node in zip(self.label, self.id, strict=True))

    @model_validator(mode="after")
    def _columns_agree(self) -> Self:
        count = len(self.id)
        columns: dict[str, object] = {
            "kind": self.kind,
            "architecture": self.architecture,
            "heat_profile": self.heat_profile,
            "label": self.label,
        }
        columns |= {f"capacity.{name}": column for name, column in self.capacity.items()}
        columns |= {f"accelerators.{name}": column for name, column in self.accelerators.items()}
        for name, column in columns.items():
            if column is not None and len(column) != count:  # type: ignore[arg-type]
                raise rejection(
                    name,
                    f"must have {count} entries like id, got {len(column)}",  # type: ignore[arg-type]
                )
        if len(set(self.id)) != count:
            seen: set[str] = set()
            for index, name in enumerate(self.id):
                if name in seen:
                    raise rejection(f"id[{index}]", f'duplicate node "{name}"')
                seen.add(name)
        return self


class PositionSeries(StrictModel):
    """Geodetic positions of some nodes (WGS84): one row per step, or one row that holds for all."""

    node: IndexColumn
    latitude_deg: LatitudeSeries
    longitude_deg: LongitudeSeries
    altitude_km: AltitudeSeries

    @model_validator(mode="after")
    def _shapes_agree(self) -> Self:
        shape = self.latitude_deg.shape
        if shape[0] == 0 or shape[1] != len(self.node):
            raise rejection("latitude_deg", f"rows must have {len(self.node)} entries like node")
        for name, series in (
            ("longitude_deg", self.longitude_deg),
            ("altitude_km", self.altitude_km),
        ):
            if series.shape != shape:
                raise rejection(name, f"must have shape {list(shape)} like latitude_deg")
        return self


class TimeGrid(StrictModel):
    """The instants of the snapshots: evenly spaced, or listed as ``offsets_s`` from the start."""

    start: AwareDatetime | None = None
    steps: Annotated[int, Field(ge=1, le=MAX_STEPS)] = 1
    step_s: Annotated[float, Field(gt=0, le=1e9)] = 60.0
    offsets_s: tuple[Annotated[float, Field(ge=0, le=1e12)], ...] | None = None

    @model_validator(mode="after")
    def _offsets_increase(self) -> Self:
        if self.offsets_s is None:
            return self
        if len(self.offsets_s) != self.steps:
            raise rejection(
                "offsets_s",
                f"must have {self.steps} entries, one per step, got {len(self.offsets_s)}",
            )
        for index, (earlier, later) in enumerate(
            zip(self.offsets_s, self.offsets_s[1:], strict=False)
        ):
            if later <= earlier:
                raise rejection(f"offsets_s[{index + 1}]", "must increase from step to step")
        return self

    def offset_s(self, step: int) -> float:
        """Return the time of a step in seconds after the start.

        Parameters
        ----------
        step
            Index of the snapshot.

        Returns
        -------
        float
            Seconds.
        """
        return self.offsets_s[step] if self.offsets_s is not None else step * self.step_s


class NodeEvent(StrictModel):
    """From ``step`` on, a node offers another capacity, or takes no new function (or does again).

    ``available=False`` forbids the node to every function whose own step is this one or later;
    functions placed earlier stay. ``capacity`` replaces the capacity of ``resource`` for all that
    run there, also those placed earlier. ``except_functions`` are untouched by either. Events of
    one step apply in the order of ``order``, then of the list; the last one counts.
    """

    step: StepIndex
    order: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    node: Identifier
    available: bool | None = None
    resource: Identifier | None = None
    capacity: Quantity | None = None
    except_functions: tuple[FunctionReference, ...] = ()

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.available is None) == (self.capacity is None):
            raise rejection("available", "give either available, or resource and capacity")
        if (self.resource is None) != (self.capacity is None):
            raise rejection("resource", "resource and capacity go together")
        return self


class Continuum(StrictModel):
    """Nodes, their links over time, and what changes on the way."""

    kind: Literal["continuum"] = "continuum"
    version: Literal[1] = 1
    id: Identifier = "continuum"
    label: Label = ""
    nodes: NodeTable
    heat_profiles: tuple[HeatProfile, ...] = ()
    positions: tuple[PositionSeries, ...] = ()
    time: TimeGrid = TimeGrid()
    topology: Topology
    events: tuple[NodeEvent, ...] = ()

    @model_validator(mode="after")
    def _references_hold(self) -> Self:
        self._check_profiles()
        self._check_positions()
        self._check_topology()
        self._check_events()
        return self

    def _check_profiles(self) -> None:
        ids = [profile.id for profile in self.heat_profiles]
        if len(set(ids)) != len(ids):
            raise rejection("heat_profiles", "profile ids must differ")
        column = self.nodes.heat_profile
        if column is not None and (column >= len(ids)).any():
            node = int((column >= len(ids)).argmax())
            raise rejection(
                f"nodes.heat_profile[{node}]",
                f"no heat profile {int(column[node])}, there are {len(ids)}",
            )

    def _check_positions(self) -> None:
        seen = np.zeros(len(self.nodes), dtype=bool)
        for index, series in enumerate(self.positions):
            at = f"positions[{index}]"
            if (series.node >= len(self.nodes)).any():
                row = int((series.node >= len(self.nodes)).argmax())
                raise rejection(f"{at}.node[{row}]", f"there are only {len(self.nodes)} nodes")
            if len(np.unique(series.node)) < len(series.node) or seen[series.node].any():
                raise rejection(f"{at}.node", "a node must have one position")
            seen[series.node] = True
            self._check_rows(series.latitude_deg.shape[0], f"{at}.latitude_deg")

    def _check_topology(self) -> None:
        nodes = len(self.nodes)
        topology = self.topology
        if isinstance(topology, ExplicitTopology):
            for name, column in (("source", topology.source), ("target", topology.target)):
                if (column >= nodes).any():
                    link = int((column >= nodes).argmax())
                    raise rejection(
                        f"topology.{name}[{link}]",
                        f"no node {int(column[link])}, there are {nodes}",
                    )
            if topology.relay is not None and len(topology.relay) != nodes:
                raise rejection(
                    "topology.relay",
                    f"must have {nodes} entries like nodes.id, got {len(topology.relay)}",
                )
            self._check_rows(topology.latency_ms.shape[0], "topology.latency_ms")
            if topology.bandwidth_mbps is not None:
                self._check_rows(topology.bandwidth_mbps.shape[0], "topology.bandwidth_mbps")
            if topology.events is not None and (topology.events.step >= self.time.steps).any():
                row = int((topology.events.step >= self.time.steps).argmax())
                raise rejection(
                    f"topology.events.step[{row}]", f"there are only {self.time.steps} steps"
                )
            return
        satellites = topology.satellite_count
        leading = 0
        while leading < nodes and self.nodes.kind[leading] == "satellite":
            leading += 1
        if topology.terrestrial is not None:
            for name in ("source", "target"):
                column = getattr(topology.terrestrial, name)
                outside = (column < satellites) | (column >= nodes)
                if outside.any():
                    link = int(outside.argmax())
                    raise rejection(
                        f"topology.terrestrial.{name}[{link}]",
                        f"must be a ground node in {satellites} … {nodes - 1}, "
                        f"got {int(column[link])}",
                    )
        if leading != satellites or self.nodes.kind.count("satellite") != satellites:
            raise rejection(
                "nodes.kind",
                f"the {satellites} satellites of the shells must come first, and no others",
            )
        positioned = np.zeros(nodes, dtype=bool)
        for series in self.positions:
            positioned[series.node] = True
        if positioned[:satellites].any():
            raise rejection("positions", "satellites of a generated topology have none")
        if not positioned[satellites:].all():
            node = satellites + int(np.argmin(positioned[satellites:]))
            raise rejection("positions", f'ground node "{self.nodes.id[node]}" has none')

    def _check_rows(self, rows: int, at: str) -> None:
        if rows not in (1, self.time.steps):
            raise rejection(at, f"must have 1 row or one per step ({self.time.steps}), got {rows}")

    def _check_events(self) -> None:
        known = set(self.nodes.id)
        for index, event in enumerate(self.events):
            at = f"events[{index}]"
            if event.node not in known:
                raise rejection(
                    f"{at}.node", f'no node "{event.node}"{nearest_name(event.node, known)}'
                )
            if event.step >= self.time.steps:
                raise rejection(f"{at}.step", f"there are only {self.time.steps} steps")
            if event.resource is not None and event.resource not in self.nodes.capacity:
                raise rejection(
                    f"{at}.resource",
                    f'no node has a resource "{event.resource}"'
                    f"{nearest_name(event.resource, self.nodes.capacity)}",
                )
