"""Steps of a topology as networkx graphs, and such graphs as links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leotrek_opt.errors import InputError
from leotrek_opt.models.base import (
    BPS_PER_MBPS,
    MAX_BANDWIDTH_MBPS,
    MAX_LATENCY_MS,
    MIN_BANDWIDTH_MBPS,
    NS_PER_MS,
    quantise,
)
from leotrek_opt.models.continuum import Continuum, NodeTable
from leotrek_opt.topology.frames import ecef_to_geodetic
from leotrek_opt.topology.series import Snapshot
from leotrek_opt.topology.simulation.step_result import StepResult
from leotrek_opt.topology.state import LINK_KINDS, TopologyState

if TYPE_CHECKING:
    import networkx as nx


def to_networkx(
    links: StepResult | TopologyState | Snapshot, nodes: Continuum | NodeTable | None = None
) -> nx.Graph[Any]:
    """Return the links of one step as a graph.

    Parameters
    ----------
    links
        A step of a simulation, a state or a snapshot.
    nodes
        What gives nodes their names; a step of a simulation has its own. Without it nodes are
        called by their indices, and a snapshot has only those that a link ends at.

    Returns
    -------
    networkx.Graph
        Undirected, a ``MultiGraph`` if several links join the same two nodes. Nodes carry ``index``
        and as far as known ``kind``, ``label``, ``position_km`` (ECEF), ``latitude_deg``,
        ``longitude_deg``, ``altitude_km`` and ``relay``; edges ``latency_ms``, ``latency_ns`` and
        as far as known ``bandwidth_mbps`` and ``kind``.

    Raises
    ------
    leotrek_opt.errors.InputError
        If there are more or fewer nodes than in the state.
    """
    import networkx as nx

    if isinstance(links, StepResult):
        nodes = links.nodes if nodes is None else nodes
        links = links.state
    table = nodes.nodes if isinstance(nodes, Continuum) else nodes
    state = links if isinstance(links, TopologyState) else None
    snapshot = state.links if state is not None else links
    if not isinstance(snapshot, Snapshot):
        raise InputError(
            f"must be a step result, a state or a snapshot, got {type(links).__name__}",
            field="links",
        )
    indices = _indices(snapshot, state, table)
    names = indices if table is None else [table.id[index] for index in indices]
    name_of = dict(zip(indices, names, strict=True))
    pair = np.stack((snapshot.source, snapshot.target))
    parallel = len(np.unique(np.sort(pair, axis=0), axis=1).T) < len(snapshot)
    graph: nx.Graph[Any] = nx.MultiGraph() if parallel else nx.Graph()
    if state is not None:
        graph.graph["step"], graph.graph["time"] = state.step, state.time
    graph.add_nodes_from(zip(names, _node_data(indices, snapshot, state, table), strict=True))
    ends = (
        (name_of[source], name_of[target])
        for source, target in zip(snapshot.source.tolist(), snapshot.target.tolist(), strict=True)
    )
    graph.add_edges_from(
        (*end, data) for end, data in zip(ends, _edge_data(snapshot, state), strict=True)
    )
    return graph


def from_networkx(graph: nx.Graph[Any], nodes: Continuum | NodeTable | None = None) -> Snapshot:
    """Return the edges of a graph as links.

    Parameters
    ----------
    graph
        Undirected, edges with ``latency_ms`` and all or none with ``bandwidth_mbps``.
    nodes
        Whose identifiers the nodes of the graph have; without it nodes are numbered in the order of
        the graph.

    Returns
    -------
    Snapshot
        In the order of (source, target), source < target. A node with ``relay=False`` does not
        relay.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the graph is directed, a node is unknown, an edge joins a node to itself, or a number is
        missing or out of range.
    """
    if graph.is_directed():
        raise InputError("must be undirected", field="graph")
    table = nodes.nodes if isinstance(nodes, Continuum) else nodes
    names: list[Any] = list(graph.nodes) if table is None else list(table.id)
    place = {name: index for index, name in enumerate(names)}
    for name in graph.nodes:
        if name not in place:
            raise InputError(f"no node {str(name)[:64]!r} in the continuum", field="graph")
    ends: list[tuple[int, int]] = []
    latency: list[float] = []
    bandwidth: list[float] = []
    for first, second, data in graph.edges(data=True):
        at = f"graph.edges[{str(first)[:64]!r}, {str(second)[:64]!r}]"
        if first == second:
            raise InputError("a link must join two different nodes", field=at)
        ends.append((min(place[first], place[second]), max(place[first], place[second])))
        latency.append(_number(data, "latency_ms", 0, MAX_LATENCY_MS, at))
        if "bandwidth_mbps" in data:
            bandwidth.append(
                _number(data, "bandwidth_mbps", MIN_BANDWIDTH_MBPS, MAX_BANDWIDTH_MBPS, at)
            )
    if bandwidth and len(bandwidth) < len(ends):
        raise InputError("bandwidth_mbps must stand at all edges or at none", field="graph")
    source, target = np.array(ends, dtype=np.int32).reshape(-1, 2).T
    latency_ns = quantise(np.array(latency), NS_PER_MS)
    bandwidth_bps = quantise(np.array(bandwidth), BPS_PER_MBPS) if bandwidth else None
    # Parallel links are told apart by what they carry, so that the order is always the same.
    carried = np.zeros(len(ends), dtype=np.int64) if bandwidth_bps is None else bandwidth_bps
    order = np.lexsort((carried, latency_ns, target, source))
    relay = np.ones(len(names), dtype=bool)
    for name, data in graph.nodes(data=True):
        relay[place[name]] = bool(data.get("relay", True))
    return Snapshot(
        source=source[order],
        target=target[order],
        latency_ns=latency_ns[order],
        bandwidth_bps=None if bandwidth_bps is None else bandwidth_bps[order],
        relay=None if relay.all() else relay,
    )


def _indices(snapshot: Snapshot, state: TopologyState | None, table: NodeTable | None) -> list[int]:
    ends = np.unique(np.concatenate((snapshot.source, snapshot.target)))
    if table is not None:
        count = len(table)
        if state is not None and len(state.position_km) != count:
            raise InputError(
                f"there are {count} nodes, but {len(state.position_km)} in the state", field="nodes"
            )
        if len(ends) and ends[-1] >= count:
            raise InputError(
                f"there are {count} nodes, but a link ends at {ends[-1]}", field="nodes"
            )
        return list(range(count))
    if state is not None:
        return list(range(len(state.position_km)))
    found: list[int] = ends.tolist()
    return found


def _node_data(
    indices: list[int], snapshot: Snapshot, state: TopologyState | None, table: NodeTable | None
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"index": index} for index in indices]
    if table is not None:
        for index, row in enumerate(rows):
            row["kind"] = table.kind[index]
            if table.label is not None and table.label[index]:
                row["label"] = table.label[index]
    if snapshot.relay is not None:
        for index, row in zip(indices, rows, strict=True):
            row["relay"] = bool(snapshot.relay[index])
    if state is not None:
        _add_positions(rows, state)
    return rows


def _add_positions(rows: list[dict[str, Any]], state: TopologyState) -> None:
    known = np.flatnonzero(np.isfinite(state.position_km).all(axis=1))
    position = state.position_km[known]
    geodetic = np.stack(ecef_to_geodetic(position), axis=1)
    for index, point, (latitude, longitude, altitude) in zip(
        known.tolist(), position.tolist(), geodetic.tolist(), strict=True
    ):
        rows[index] |= {
            "position_km": tuple(point),
            "latitude_deg": latitude,
            "longitude_deg": longitude,
            "altitude_km": altitude,
        }


def _edge_data(snapshot: Snapshot, state: TopologyState | None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"latency_ms": nanoseconds / NS_PER_MS, "latency_ns": nanoseconds}
        for nanoseconds in snapshot.latency_ns.tolist()
    ]
    if snapshot.bandwidth_bps is not None:
        for row, bits in zip(rows, snapshot.bandwidth_bps.tolist(), strict=True):
            row["bandwidth_mbps"] = bits / BPS_PER_MBPS
    if state is not None:
        for row, kind in zip(rows, state.link_kind.tolist(), strict=True):
            row["kind"] = LINK_KINDS[kind]
    return rows


def _number(data: dict[str, Any], name: str, low: float, high: float, at: str) -> float:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise InputError("must be a number", field=f"{at}.{name}")
    if not low <= value <= high:
        raise InputError(f"must be in {low:g} … {high:g}", field=f"{at}.{name}")
    return float(value)
