"""Stardust's simulation state: nodes, and per instant their positions and established links.

Source: polaris-slo-cloud/stardust-go, ``simulation_state.go``. Stardust writes the same content as
Go's binary format and as JSON beside it; the JSON is read and written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError, errors_in
from leotrek_opt.instances.foreign_file import content_of
from leotrek_opt.instances.json_cursor import JsonCursor
from leotrek_opt.instances.json_reader import MAX_UNPACKED_BYTES, decode
from leotrek_opt.instances.stardust_fields import MAX_NAME, entries_of, field_of, name_of
from leotrek_opt.instances.stardust_nodes import StardustNodes, read_nodes
from leotrek_opt.instances.stardust_terms import (
    DEFAULT_COMPUTING,
    VACUUM_LINKS,
    Computing,
    StardustLinks,
    instant,
)
from leotrek_opt.models.base import MAX_STEPS, nearest_name, quantum_bps
from leotrek_opt.models.messages import shown
from leotrek_opt.topology.instants import julian_date
from leotrek_opt.topology.link_models import latency_ns
from leotrek_opt.topology.recording.collector import StepCollector
from leotrek_opt.topology.recording.layout import Run
from leotrek_opt.topology.recording.recording import Recording
from leotrek_opt.topology.series import Snapshot
from leotrek_opt.topology.state import (
    INTER_SATELLITE,
    SatelliteState,
    TopologyState,
    link_kinds,
)

MAX_COORDINATE_M = 1e9
"""Largest coordinate of a position."""

_GOB_MARK = b"SimulationMetadata"
_KEYS = ("StatePlugins", "Satellites", "Grounds", "Links", "States")
_M_PER_KM = 1000.0


def read_stardust_state(
    source: str | Path | bytes,
    *,
    links: StardustLinks = VACUUM_LINKS,
    computing: Mapping[int, Computing] = DEFAULT_COMPUTING,
    start: datetime | None = None,
) -> Recording:
    """Read a simulation state that Stardust wrote as JSON.

    A link is up at an instant if either end, or any node, lists it as established. Latency follows
    from the positions, which are Stardust's own: comparable within a file, and no place of a real
    satellite. Earth-fixed positions are found by turning them back by the Earth's rotation since
    ``start``. Fields that the format does not have are passed over.

    Parameters
    ----------
    source
        Path of the ``.json`` file, which may be compressed with gzip, or its content as bytes.
    links
        Speed and bandwidth of links; the vacuum by default, Stardust's own are
        :data:`~leotrek_opt.instances.stardust_terms.STARDUST_GO_LINKS` and
        :data:`~leotrek_opt.instances.stardust_terms.STARDUST_CSHARP_LINKS`.
    computing
        What nodes offer by their computing type, as Stardust's configuration says it.
    start
        Start of the simulation, when Greenwich lies on the x axis of the frame; the first state
        without it.

    Returns
    -------
    Recording
        Satellites first. They are arm64 and nodes on the ground x86_64, as Stardust does not say.

    Raises
    ------
    leotrek_opt.errors.InputError
        If anything is wrong with the file, naming the field.
    """
    data, file = content_of(source, MAX_UNPACKED_BYTES)
    with errors_in(file):
        if _GOB_MARK in data[:4096] and not data.lstrip().startswith(b"{"):
            raise InputError("is in Go's binary format; give the .json file beside it")
        return _Reader(JsonCursor(decode(data)), links, computing, start).recording()


class _Reader:
    """Reads a document in the order in which it stands, a state at a time."""

    def __init__(
        self,
        cursor: JsonCursor,
        links: StardustLinks,
        computing: Mapping[int, Computing],
        start: datetime | None,
    ) -> None:
        self._cursor = cursor
        self._links = links
        self._computing = computing
        self._start = start
        self._parts: dict[str, Any] = {}
        self._collector: StepCollector | None = None
        self._nodes: StardustNodes | None = None

    def recording(self) -> Recording:
        cursor = self._cursor
        states_at: int | None = None
        later = False
        for key in cursor.members():
            if key != "States":
                if key in _KEYS:
                    self._parts[key] = cursor.value()
                else:
                    cursor.skip()
                continue
            states_at = cursor.at
            if len(self._parts) == len(_KEYS) - 1:
                self._read_states(cursor)
            else:
                # Nodes and links stand behind the states: come back to these later.
                later = True
                cursor.skip()
        cursor.end()
        for key in _KEYS:
            if key not in self._parts and (key != "States" or states_at is None):
                raise InputError("required field is missing", field=key)
        if later and states_at is not None:
            self._read_states(JsonCursor(cursor.text, states_at))
        if self._collector is None or not len(self._collector):
            raise InputError("must have at least one state", field="States")
        collector = self._collector
        return Recording(collector.layout, collector.links.table(), collector.take())

    def _read_states(self, cursor: JsonCursor) -> None:
        if not cursor.at_list():
            raise InputError(f"must be a list (got {shown(cursor.value())})", field="States")
        for index, state in enumerate(cursor.items()):
            if index >= MAX_STEPS:
                raise InputError(f"must have at most {MAX_STEPS} entries", field="States")
            self._add(state, f"States[{index}]", index)

    def _add(self, state: Any, at: str, index: int) -> None:
        if not isinstance(state, dict):
            raise InputError(f"must be an object (got {shown(state)})", field=at)
        time = instant(field_of(state, "Time", at), f"{at}.Time")
        if self._nodes is None or self._collector is None:
            self._nodes = read_nodes(
                self._parts,
                self._computing,
                self._links.ground_bandwidth_mbps is not None,
                self._start or time,
            )
            self._collector = StepCollector(
                Run(self._nodes.layout.nodes), layout=self._nodes.layout
            )
            self._before = time
        elif time <= self._before:
            raise InputError("must be later than the state before", field=f"{at}.Time")
        self._before = time
        position_m, established = _node_states(
            field_of(state, "NodeStates", at), self._nodes, f"{at}.NodeStates"
        )
        self._collector.add(
            _topology_state(
                index, time, position_m / _M_PER_KM, established, self._nodes, self._links
            ),
            {},
        )


def _node_states(
    value: Any, nodes: StardustNodes, at: str
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return positions in metres in the order of the nodes, and which links are established."""
    try:
        if type(value) is not list:
            raise TypeError
        names = [entry["Name"] for entry in value]
        flat = [
            position[axis]
            for position in [entry["Position"] for entry in value]
            for axis in ("X", "Y", "Z")
        ]
        lists = [entry["Established"] for entry in value]
        listed = [link for each in lists if each is not None for link in each]
        if not set(map(type, flat)) <= {int, float} or not set(map(type, listed)) <= {int}:
            raise TypeError
        if not set(map(type, lists)) <= {list, type(None)}:
            raise TypeError
        position = np.array(flat, dtype=np.float64).reshape(-1, 3)
        link = np.array(listed, dtype=np.int64)
    except (KeyError, TypeError, OverflowError, IndexError):
        _explain(value, nodes, at)
    if names != nodes.names:
        position = position[_order(names, nodes, at)]
    fits = np.abs(position) <= MAX_COORDINATE_M
    outside = (link < 0) | (link >= len(nodes.source))
    if not fits.all() or outside.any():
        _explain(value, nodes, at)
    return position, np.unique(link)


def _order(names: list[Any], nodes: StardustNodes, at: str) -> NDArray[np.int64]:
    """Return where each node stands in a state that has another order."""
    place = nodes.place
    where = np.full(len(place), -1, dtype=np.int64)
    for index, name in enumerate(names):
        if not isinstance(name, str) or name not in place:
            hint = nearest_name(name[:MAX_NAME], nodes.names) if isinstance(name, str) else ""
            raise InputError(f"no node {shown(name)}{hint}", field=f"{at}[{index}].Name")
        if where[place[name]] >= 0:
            raise InputError(f"duplicate node {shown(name)}", field=f"{at}[{index}].Name")
        where[place[name]] = index
    if (where < 0).any():
        missing = nodes.names[int((where < 0).argmax())]
        raise InputError(f"node {shown(missing)} is missing", field=at)
    return where


def _explain(value: Any, nodes: StardustNodes, at: str) -> NoReturn:
    """Raise the first fault of a state that is known to have one."""
    if type(value) is not list:
        raise InputError(f"must be a list (got {shown(value)})", field=at)
    for index, entry in enumerate(value):
        here = f"{at}[{index}]"
        if not isinstance(entry, dict):
            raise InputError(f"must be an object (got {shown(entry)})", field=here)
        name_of(field_of(entry, "Name", here), f"{here}.Name")
        position = field_of(entry, "Position", here)
        if not isinstance(position, dict):
            raise InputError(f"must be an object (got {shown(position)})", field=f"{here}.Position")
        for axis in ("X", "Y", "Z"):
            number = field_of(position, axis, f"{here}.Position")
            if type(number) not in (int, float) or not abs(number) <= MAX_COORDINATE_M:
                raise InputError(
                    f"must be metres within {MAX_COORDINATE_M:g} (got {shown(number)})",
                    field=f"{here}.Position.{axis}",
                )
        for place, link in enumerate(
            entries_of(field_of(entry, "Established", here), f"{here}.Established")
        ):
            if type(link) is not int or not 0 <= link < len(nodes.source):
                raise InputError(
                    f"must be the index of one of {len(nodes.source)} links (got {shown(link)})",
                    field=f"{here}.Established[{place}]",
                )
    raise InputError("is not a list of node states", field=at)


def _topology_state(
    step: int,
    time: datetime,
    position_km: NDArray[np.float64],
    established: NDArray[np.int64],
    nodes: StardustNodes,
    constants: StardustLinks,
) -> TopologyState:
    count = len(nodes.names)
    # Stardust may list one link under several indices.
    key = np.unique(nodes.source[established] * count + nodes.target[established])
    source, target = np.divmod(key, count)
    kind = link_kinds(source, target, nodes.satellites)
    between = kind == INTER_SATELLITE
    sight = position_km[source] - position_km[target]
    length = np.sqrt(np.einsum("ij,ij->i", sight, sight))
    speed = np.where(between, constants.inter_satellite_speed_km_s, constants.ground_speed_km_s)
    bandwidth = None
    if constants.inter_satellite_bandwidth_mbps and constants.ground_bandwidth_mbps:
        bandwidth = np.where(
            between,
            np.int64(quantum_bps(constants.inter_satellite_bandwidth_mbps)),
            np.int64(quantum_bps(constants.ground_bandwidth_mbps)),
        )
    day, fraction = julian_date(time)
    return TopologyState(
        step=step,
        time=time,
        satellites=SatelliteState(
            step=step,
            time=time,
            julian_day=day,
            day_fraction=fraction,
            position_km=position_km[: nodes.satellites],
            valid=np.ones(nodes.satellites, dtype=bool),
        ),
        position_km=position_km,
        links=Snapshot(
            source=source.astype(np.int32),
            target=target.astype(np.int32),
            latency_ns=latency_ns(length, speed).astype(np.int64),
            bandwidth_bps=bandwidth,
        ),
        link_kind=kind,
    )
