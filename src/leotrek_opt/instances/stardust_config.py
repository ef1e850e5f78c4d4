"""Stardust's configuration files and station lists, as parts of a generated topology."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import ValidationError

from leotrek_opt.errors import InputError, errors_in
from leotrek_opt.instances.stardust_fields import (
    choice_of,
    field_of,
    fields_of,
    integer_of,
    name_of,
)
from leotrek_opt.instances.stardust_terms import (
    DEFAULT_COMPUTING,
    KIND_OF_COMPUTING,
    MAX_CORES,
    MAX_MEMORY_MB,
    VACUUM_LINKS,
    Computing,
    StardustLinks,
    computing_type,
    instant,
)
from leotrek_opt.instances.stardust_yaml import read_small_file
from leotrek_opt.models.base import MAX_STEPS, input_error
from leotrek_opt.models.continuum import NodeKind, TimeGrid
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.models.inter_satellite import InterSatelliteRule, Nearest, TreeLinks
from leotrek_opt.models.messages import shown

TreeType = Literal["mst", "mst_loop", "mst_smart_loop", "pst", "pst_loop", "pst_smart_loop"]

PROTOCOLS = (*get_args(TreeType), "other_mst", "other_mst_loop", "other_mst_smart_loop", "nearest")
"""Stardust's names of link selection between satellites."""
ROUTERS = ("a-star", "dijkstra")

LINE_OF_SIGHT_MARGIN_KM = 10.0
"""How far above the Earth Stardust lets a link between satellites pass."""
WHATEVER_RANGE_KM = 100_000.0
"""Range of a link from the ground that nothing limits."""

_SECTIONS = {
    "SimulationConfiguration": "simulation",
    "InterSatelliteLinkConfig": "isl",
    "GroundLinkConfig": "ground",
    "RouterConfig": "router",
    "ComputingConfiguration": "computing",
}
_SIMULATION = (
    "StepInterval", "StepMultiplier", "StepCount", "SatelliteDataSource", "SatelliteDataSourceType",
    "GroundStationDataSource", "GroundStationDataSourceType", "UsePreRouteCalc", "MaxCpuCores",
    "SimulationStartTime",
)  # fmt: skip
_STATION = ("Name", "Lat", "Lon", "Protocol", "Router", "ComputingType")


@dataclass(frozen=True)
class StardustSimulation:
    """How long and from what Stardust simulates.

    Parameters
    ----------
    start
        Start of the simulation, UTC.
    step_interval
        Below 0 for stepping by hand; otherwise the pause between steps, which has no meaning here.
    step_multiplier_s
        Simulated seconds of a step.
    step_count
        Number of steps. Stardust itself runs one more.
    satellite_source, satellite_source_type, ground_source, ground_source_type
        Files as they are named there.
    use_pre_route_calc
        Whether routing tables are computed at each step.
    """

    start: datetime | None = None
    step_interval: int = -1
    step_multiplier_s: int = 10
    step_count: int = 10
    satellite_source: str = ""
    satellite_source_type: str = "tle"
    ground_source: str = ""
    ground_source_type: str = "yml"
    use_pre_route_calc: bool = False

    def time_grid(self) -> TimeGrid:
        """Return the steps as a time grid.

        Returns
        -------
        TimeGrid
            From the start on, which is its first step.
        """
        return TimeGrid(
            start=self.start, steps=self.step_count, step_s=float(self.step_multiplier_s)
        )


@dataclass(frozen=True)
class StardustConfig:
    """What Stardust's configuration files say, in our terms.

    Parameters
    ----------
    simulation
        Time grid and sources.
    inter_satellite
        Rule for links between satellites, or None if no file names one.
    ground
        Rule for links from the ground, or None if no file names one.
    router
        ``a-star`` or ``dijkstra``; both give the routes of least latency.
    computing
        What nodes offer by their computing type.
    """

    simulation: StardustSimulation = StardustSimulation()
    inter_satellite: InterSatelliteRule | None = None
    ground: GroundLinks | None = None
    router: Literal["a-star", "dijkstra"] | None = None
    computing: Mapping[int, Computing] = field(default_factory=lambda: dict(DEFAULT_COMPUTING))


@dataclass(frozen=True)
class StardustStation:
    """A station of Stardust's list.

    Parameters
    ----------
    name
        As it stands there.
    latitude_deg, longitude_deg
        WGS84, at height 0.
    computing_type
        Number of its kind of computing.
    """

    name: str
    latitude_deg: float
    longitude_deg: float
    computing_type: int = 0

    @property
    def kind(self) -> NodeKind:
        """Kind of the node by its computing."""
        return KIND_OF_COMPUTING[self.computing_type]

    @property
    def place(self) -> tuple[str, float, float, float, NodeKind]:
        """The station as a ground node of ``constellation_continuum``, at height 0."""
        return self.name, self.latitude_deg, self.longitude_deg, 0.0, self.kind


def read_stardust_config(
    *sources: str | Path | bytes,
    links: StardustLinks = VACUUM_LINKS,
    min_elevation_deg: float | None = 25.0,
) -> StardustConfig:
    """Read configuration files.

    Protocols keep their definition and lose their defects: ``other_mst`` begins a spanning tree at
    one satellite and is the ``mst`` wherever that is connected, so it is read as such, and likewise
    its variants. Names of fields may be in any case, as Go reads them.

    Parameters
    ----------
    *sources
        Paths or contents, JSON or YAML: one file with all sections, or one file a section.
    links
        Speed and bandwidth of links.
    min_elevation_deg
        Least elevation of links from the ground. Stardust has none and links through the Earth
        where it must; None does the same.

    Returns
    -------
    StardustConfig
        Sections that no file holds have Stardust's defaults, or are None.

    Raises
    ------
    leotrek_opt.errors.InputError
        If a field or a name is unknown, with the nearest one, or a value is out of range.
    leotrek_opt.errors.MissingDependencyError
        If a file is YAML and PyYAML is not installed.
    """
    found: dict[str, Any] = {}
    for source in sources:
        with errors_in(None if isinstance(source, bytes) else source):
            for section, value in _sections(read_small_file(source)):
                if section in found:
                    raise InputError(f"a second configuration of {section}")
                found[section] = _SECTION_READERS[section](value, links, min_elevation_deg)
    values = {
        name: found[section]
        for section, name in (
            ("simulation", "simulation"),
            ("isl", "inter_satellite"),
            ("ground", "ground"),
            ("router", "router"),
            ("computing", "computing"),
        )
        if section in found
    }
    return StardustConfig(**values)


def read_stardust_stations(source: str | Path | bytes) -> tuple[StardustStation, ...]:
    """Read a list of ground stations.

    Parameters
    ----------
    source
        Path or content, JSON or YAML, with ``Name``, ``Lat``, ``Lon`` and ``ComputingType``;
        ``Protocol`` and ``Router`` are passed over.

    Returns
    -------
    tuple of StardustStation
        In their order.

    Raises
    ------
    leotrek_opt.errors.InputError
        If anything is wrong with it, naming the field.
    leotrek_opt.errors.MissingDependencyError
        If it is YAML and PyYAML is not installed.
    """
    with errors_in(None if isinstance(source, bytes) else source):
        stations = read_small_file(source)
        if not isinstance(stations, list):
            raise InputError(f"must be a list of stations (got {shown(stations)})")
        found: list[StardustStation] = []
        names: set[str] = set()
        for index, entry in enumerate(stations):
            station = _station(entry, f"[{index}]")
            if station.name in names:
                raise InputError(
                    f"duplicate station {shown(station.name)}", field=f"[{index}].Name"
                )
            names.add(station.name)
            found.append(station)
        return tuple(found)


def _sections(document: Any) -> list[tuple[str, Any]]:
    if isinstance(document, list):
        return [("computing", document)]
    if not isinstance(document, dict):
        raise InputError(f"must be an object or a list (got {shown(document)})")
    names = {key.lower(): key for key in document if isinstance(key, str)}
    if any(section.lower() in names for section in _SECTIONS):
        document = fields_of(document, _SECTIONS, "")
        return [(_SECTIONS[key], value) for key, value in document.items()]
    if "neighbours" in names:
        return [("isl", document)]
    if "protocol" not in names:
        return [("simulation", document)]
    protocol = document[names["protocol"]]
    if protocol in ROUTERS:
        return [("router", document)]
    # Both kinds of links know "nearest"; those between satellites come with their neighbours.
    return [("ground" if protocol == "nearest" else "isl", document)]


def _simulation(value: Any, *_: Any) -> StardustSimulation:
    at = "SimulationConfiguration"
    entry = fields_of(value, _SIMULATION, at)
    for name in ("SatelliteDataSource", "SatelliteDataSourceType", "GroundStationDataSource",
                 "GroundStationDataSourceType"):  # fmt: skip
        if name in entry and not isinstance(entry[name], str):
            raise InputError(f"must be text (got {shown(entry[name])})", field=f"{at}.{name}")
    routes = entry.get("UsePreRouteCalc", False)
    if not isinstance(routes, bool):
        raise InputError(
            f"must be true or false (got {shown(routes)})", field=f"{at}.UsePreRouteCalc"
        )
    integer_of(entry, "MaxCpuCores", at, 1, -(2**31), 2**31)
    start = entry.get("SimulationStartTime")
    return StardustSimulation(
        start=(
            None
            if start is None
            else instant(start, f"{at}.SimulationStartTime", zone_needed=False)
        ),
        step_interval=integer_of(entry, "StepInterval", at, -1, -(2**31), 2**31),
        step_multiplier_s=integer_of(entry, "StepMultiplier", at, 10, 1, 10**9),
        step_count=integer_of(entry, "StepCount", at, 10, 1, MAX_STEPS),
        satellite_source=entry.get("SatelliteDataSource", ""),
        satellite_source_type=entry.get("SatelliteDataSourceType", "tle"),
        ground_source=entry.get("GroundStationDataSource", ""),
        ground_source_type=entry.get("GroundStationDataSourceType", "yml"),
        use_pre_route_calc=routes,
    )


def _inter_satellite(value: Any, links: StardustLinks, *_: Any) -> InterSatelliteRule:
    at = "InterSatelliteLinkConfig"
    entry = fields_of(value, ("Neighbours", "Protocol"), at)
    protocol = choice_of(entry, "Protocol", PROTOCOLS, at)
    neighbours = integer_of(entry, "Neighbours", at, 4, 1, 64)
    common: dict[str, Any] = {
        "line_of_sight_margin_km": LINE_OF_SIGHT_MARGIN_KM,
        "signal_speed_km_s": links.inter_satellite_speed_km_s,
        "bandwidth_mbps": links.inter_satellite_bandwidth_mbps,
    }
    if protocol == "nearest":
        return Nearest(k=neighbours, **common)
    tree: Any = protocol.removeprefix("other_")
    return TreeLinks(type=tree, degree=neighbours, **common)


def _ground(value: Any, links: StardustLinks, min_elevation_deg: float | None) -> GroundLinks:
    at = "GroundLinkConfig"
    choice_of(fields_of(value, ("Protocol",), at), "Protocol", ("nearest",), at)
    try:
        return GroundLinks(
            strategy="nearest",
            max_links=1,
            min_elevation_deg=min_elevation_deg,
            max_range_km=WHATEVER_RANGE_KM if min_elevation_deg is None else None,
            signal_speed_km_s=links.ground_speed_km_s,
            bandwidth_mbps=links.ground_bandwidth_mbps,
        )
    except ValidationError as error:
        raise input_error(error, model=GroundLinks) from None


def _router(value: Any, *_: Any) -> str:
    at = "RouterConfig"
    return choice_of(fields_of(value, ("Protocol",), at), "Protocol", ROUTERS, at)


def _computing(value: Any, *_: Any) -> dict[int, Computing]:
    at = "ComputingConfiguration"
    if not isinstance(value, list):
        raise InputError(f"must be a list (got {shown(value)})", field=at)
    found: dict[int, Computing] = {}
    for index, listed in enumerate(value):
        here = f"{at}[{index}]"
        entry = fields_of(listed, ("Cores", "Memory", "Type"), here)
        kind = computing_type(field_of(entry, "Type", here), f"{here}.Type")
        if kind in found:
            raise InputError("stands twice", field=f"{here}.Type")
        field_of(entry, "Cores", here)
        field_of(entry, "Memory", here)
        found[kind] = Computing(
            integer_of(entry, "Cores", here, 0, 0, MAX_CORES),
            integer_of(entry, "Memory", here, 0, 0, MAX_MEMORY_MB),
        )
    return found


_SECTION_READERS: Mapping[str, Any] = {
    "simulation": _simulation,
    "isl": _inter_satellite,
    "ground": _ground,
    "router": _router,
    "computing": _computing,
}


def _station(value: Any, at: str) -> StardustStation:
    entry = fields_of(value, _STATION, at)
    angles = []
    for name, limit in (("Lat", 90), ("Lon", 360)):
        angle = field_of(entry, name, at)
        if type(angle) not in (int, float) or not -limit <= angle <= limit:
            raise InputError(
                f"must be degrees in -{limit} … {limit} (got {shown(angle)})", field=f"{at}.{name}"
            )
        angles.append(float(angle))
    return StardustStation(
        name_of(field_of(entry, "Name", at), f"{at}.Name"),
        latitude_deg=angles[0],
        longitude_deg=angles[1],
        computing_type=computing_type(entry.get("ComputingType", "None"), f"{at}.ComputingType"),
    )
