"""The files of HyperDrive's published scenario: their schema, and where they lie in a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from leotrek_opt.errors import InputError
from leotrek_opt.instances.json_reader import decode, read_bytes
from leotrek_opt.models.base import LatencyMs, Quantity, TemperatureC, input_error
from leotrek_opt.models.continuum import CPU, MEMORY, Architecture, HeatProfile

RESOURCE_NAMES = {
    "milliCpu": CPU,
    "memoryMiB": MEMORY,
    "batteryMAh": "battery_mah",
    "rechargeCapWatts": "recharge_cap_watts",
}
"""Ours by theirs; any other resource keeps its name."""

_SCENARIO_FILE = re.compile(r"scenario01-([1-9][0-9]{0,6})-scenario\.json(\.gz)?")
_KBPS_PER_MBPS = 1000

NodeNumber = Annotated[int, Field(ge=0, lt=1_000_000)]
Minute = Annotated[int, Field(ge=0, le=10_000_000)]
Link = tuple[NodeNumber, NodeNumber, LatencyMs]


class ForeignModel(BaseModel):
    """Base of what is read: strict about types, indifferent to fields that nobody needs."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)


class NetworkLimits(ForeignModel):
    """Limits of a link from a predecessor or a data source."""

    max_latency_ms: LatencyMs | None = None
    min_bandwidth_kbps: Annotated[float, Field(gt=0)] | None = None

    @property
    def min_bandwidth_mbps(self) -> float | None:
        """The bandwidth limit in our unit."""
        kbps = self.min_bandwidth_kbps
        return None if kbps is None else kbps / _KBPS_PER_MBPS


class PredecessorLink(NetworkLimits):
    """A link from the task of that name."""

    task: str


class SourceLink(NetworkLimits):
    """A link from the workflow's Earth-observation satellite, whichever that will be."""

    node: Literal["eo_satellite"]


class TaskEntry(ForeignModel):
    """One function of the workflow."""

    name: str
    cpu_archs: tuple[Architecture, ...]
    req: dict[str, Quantity]
    exec_time_ms: dict[Architecture, Annotated[int, Field(ge=0)]]
    preds: tuple[PredecessorLink, ...] = ()
    data_sources: tuple[SourceLink, ...] = ()


class ScenarioFile(ForeignModel):
    """``-scenario.json``: the workflow, and when and where its instances start."""

    name: str
    total_nodes: Annotated[int, Field(ge=1)]
    n_satellites: Annotated[int, Field(ge=0)]
    workflow: Annotated[tuple[TaskEntry, ...], Field(min_length=1)]
    n_workflows: Annotated[int, Field(ge=1)]
    ingest_nodes: tuple[NodeNumber, ...]
    schedule_times_min: tuple[tuple[Minute, ...], ...]
    eo_satellites: tuple[NodeNumber, ...]


class HeatEntry(ForeignModel):
    """Heat of one satellite."""

    temperature_c: TemperatureC = Field(alias="temperature_C")
    max_temperature_c: TemperatureC = Field(alias="max_temp_C")
    recommended_temperature_c: TemperatureC = Field(alias="recommended_high_temp_C")
    heating_c_per_core_minute: float = Field(alias="temp_inc_per_cpu_minute_C")
    radiated_c_per_minute: float = Field(alias="radiated_heat_per_minute_C")
    orbit_base_temperature_c: TemperatureC = Field(alias="mocked_max_orbit_base_temp_C")

    def profile(self, name: str) -> HeatProfile:
        """Return the same as a profile of ours."""
        return HeatProfile(id=name, **dict(self))


class NodeEntry(ForeignModel):
    """One node; satellites have heat, the others a place."""

    id: NodeNumber
    type: Literal["satellite", "edge", "ground_station", "cloud"]
    cpu_arch: Architecture
    resources: dict[str, Quantity]
    heat: HeatEntry | None = None
    lat: float | None = None
    lon: float | None = None
    alt_km: float = 0.0


class NodesFile(ForeignModel):
    """``-nodes.json``: all nodes, by id."""

    nodes: Annotated[tuple[NodeEntry, ...], Field(min_length=1)]


class SnapshotEntry(ForeignModel):
    """Links and satellite positions (degrees, degrees, km) at one minute."""

    edges: tuple[Link, ...]
    positions: tuple[tuple[float, float, float], ...] = Field(alias="sat_positions_lat_lon_alt")


class TopologyFile(ForeignModel):
    """``-topology.json``: snapshots by minute, of the minutes at which something is placed."""

    times: Annotated[dict[str, SnapshotEntry], Field(min_length=1)]


class ReferenceEvent(ForeignModel):
    """Where a reference scheduler put one function; ``task`` is the function's name."""

    workflow: int
    t_min: int
    task: str
    target_node: int | None
    score: float | None = None
    pred_latency_ms: float | None = None
    data_latency_ms: float | None = None
    deg_c_over_recommended: float | None = Field(default=None, alias="deg_C_over_recommended")
    deg_c_over_max: float | None = Field(default=None, alias="deg_C_over_max")


class ReferenceRun(ForeignModel):
    """All placements of one reference scheduler, in time order."""

    mean_e2e_ms: float | None = None
    e2e_ms: tuple[float, ...] = ()
    events: tuple[ReferenceEvent, ...]


class ReferencePlacement(ForeignModel):
    """Nodes of the unpinned functions of one workflow."""

    workflow: int
    placement: tuple[int, ...]


class ReferenceOptimum(ForeignModel):
    """Proven optimum of one variant of a scenario."""

    thermal: Literal["max", "recommended"]
    count_data_latency: bool
    optimum_total_ms: float
    per_workflow: tuple[ReferencePlacement, ...] = ()


class _RunsFile(RootModel[dict[str, ReferenceRun]]):
    pass


class _OptimaFile(ForeignModel):
    results: tuple[ReferenceOptimum, ...]


_Document = TypeVar("_Document", bound=BaseModel)


def read_model(path: Path, model: type[_Document]) -> _Document:
    """Read a JSON file, compressed or not.

    Parameters
    ----------
    path
        File to read.
    model
        Its schema.

    Returns
    -------
    BaseModel
        An instance of the model.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the file cannot be read or does not fit the schema.
    """
    with naming(path):
        return model.model_validate_json(decode(read_bytes(path)))


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Let every rejection inside name a file.

    Parameters
    ----------
    file
        What is being read.

    Yields
    ------
    None
        Once.

    Raises
    ------
    leotrek_opt.errors.InputError
        In place of a rejection that names no file.
    """
    try:
        yield
    except ValidationError as error:
        raise input_error(error, file=file) from None
    except InputError as error:
        raise (error if error.file else error.in_file(file)) from None


def scenario_sizes(folder: str | Path) -> tuple[int, ...]:
    """Return the numbers of nodes for which a folder holds a scenario.

    Parameters
    ----------
    folder
        Holds ``scenario01-<N>-*.json[.gz]``.

    Returns
    -------
    tuple of int
        Ascending.

    Raises
    ------
    leotrek_opt.errors.InputError
        If it is no folder.
    """
    path = Path(folder)
    if not path.is_dir():
        raise InputError("no such folder", file=path)
    matches = (_SCENARIO_FILE.fullmatch(entry.name) for entry in path.iterdir())
    return tuple(sorted({int(match[1]) for match in matches if match}))


def chosen_size(folder: str | Path, total_nodes: int | None) -> int:
    """Return the number of nodes of the scenario that is meant.

    Parameters
    ----------
    folder
        Holds scenarios.
    total_nodes
        What the caller wants, None for the only one there is.

    Returns
    -------
    int
        Number of nodes.

    Raises
    ------
    leotrek_opt.errors.InputError
        If there is no such scenario, or none is named and there are several.
    """
    sizes = scenario_sizes(folder)
    if not sizes:
        raise InputError("holds no scenario01-<N>-scenario.json[.gz]", file=folder)
    listed = ", ".join(str(size) for size in sizes)
    if total_nodes is not None and total_nodes not in sizes:
        raise InputError(f"holds no scenario of {total_nodes} nodes, only {listed}", file=folder)
    if total_nodes is None and len(sizes) > 1:
        raise InputError(f"holds several scenarios, name one of {listed}", file=folder)
    return sizes[0] if total_nodes is None else total_nodes


def find_file(folder: str | Path, total_nodes: int, part: str) -> Path | None:
    """Return one file of a scenario, plain before compressed, or None if there is none.

    Parameters
    ----------
    folder
        Holds scenarios.
    total_nodes
        Number of nodes.
    part
        ``scenario``, ``nodes``, ``topology``, ``results`` or ``exact``.

    Returns
    -------
    Path or None
        Existing file.
    """
    plain = Path(folder) / f"scenario01-{total_nodes}-{part}.json"
    for path in (plain, plain.with_name(plain.name + ".gz")):
        if path.is_file():
            return path
    return None


def needed_file(folder: str | Path, total_nodes: int, part: str) -> Path:
    """Return one file of a scenario.

    Parameters
    ----------
    folder, total_nodes, part
        As for :func:`find_file`.

    Returns
    -------
    Path
        Existing file.

    Raises
    ------
    leotrek_opt.errors.InputError
        If there is none.
    """
    path = find_file(folder, total_nodes, part)
    if path is None:
        raise InputError(
            "no such file, nor one ending in .gz",
            file=Path(folder) / f"scenario01-{total_nodes}-{part}.json",
        )
    return path


def read_results(folder: str | Path, total_nodes: int | None = None) -> dict[str, ReferenceRun]:
    """Read what reference schedulers answered.

    Parameters
    ----------
    folder
        Holds ``scenario01-<N>-results.json[.gz]``.
    total_nodes
        N; may be left out if the folder holds one scenario.

    Returns
    -------
    dict of ReferenceRun
        By scheduler as the file names it; empty if there is no such file.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the file is malformed.
    """
    path = find_file(folder, chosen_size(folder, total_nodes), "results")
    return {} if path is None else read_model(path, _RunsFile).root


def read_optima(folder: str | Path, total_nodes: int | None = None) -> tuple[ReferenceOptimum, ...]:
    """Read the proven optima of a scenario.

    Parameters
    ----------
    folder
        Holds ``scenario01-<N>-exact.json[.gz]``.
    total_nodes
        N; may be left out if the folder holds one scenario.

    Returns
    -------
    tuple of ReferenceOptimum
        One per variant; empty if there is no such file.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the file is malformed.
    """
    path = find_file(folder, chosen_size(folder, total_nodes), "exact")
    return () if path is None else read_model(path, _OptimaFile).results
