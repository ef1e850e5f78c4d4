"""Links of a generated topology: one step at a time, or the whole series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.base import quantum_bps
from leotrek_opt.models.continuum import Continuum
from leotrek_opt.models.ground_links import FibreLinks, GroundLinks
from leotrek_opt.models.inter_satellite import InterSatelliteLink, PlusGrid
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.fibre import fibre_links
from leotrek_opt.topology.frames import geodetic_to_ecef, geodetic_up
from leotrek_opt.topology.ground import ground_links
from leotrek_opt.topology.inter_satellite import inter_satellite_links, plus_grid
from leotrek_opt.topology.positions import declared_positions
from leotrek_opt.topology.propagation import satellite_ecef
from leotrek_opt.topology.series import LinkSeries, Snapshot

_NS_PER_S = 1e9

Indices = NDArray[np.int64]
Links = tuple[Indices, Indices, NDArray[np.int64]]
"""Source, target and latency in ns."""


@dataclass(frozen=True, eq=False)
class Ground:
    """Ground nodes of a continuum, and the fibre between them, at one step.

    Parameters
    ----------
    node
        Node indices, shape (ground,).
    position_km, up
        ECEF and geodetic normal, shape (ground, 3).
    fibre
        Links by node index.
    """

    node: Indices
    position_km: NDArray[np.float64]
    up: NDArray[np.float64]
    fibre: Links | None


@dataclass(frozen=True, eq=False)
class LinkGenerator:
    """Everything of a generated topology that does not change from step to step.

    Parameters
    ----------
    continuum
        Nodes, time grid and recipe.
    topology
        The recipe.
    pattern
        Source and target of the links between satellites, or None.
    ground
        Ground nodes, or None if some of them move.
    """

    continuum: Continuum
    topology: GeneratedTopology
    pattern: tuple[Indices, Indices] | None
    ground: Ground | None

    def snapshot(self, step: int) -> Snapshot:
        """Return the links of one step, in the order of (source, target).

        Parameters
        ----------
        step
            Index of the snapshot.

        Returns
        -------
        Snapshot
            Source is the smaller index. Steps are independent of each other: a long series can be
            streamed.
        """
        topology = self.topology
        position, valid = satellite_ecef(topology, self.continuum.time, step)
        ground = self.ground or _ground(self.continuum, topology, step)
        groups: list[tuple[Links, InterSatelliteLink | GroundLinks | FibreLinks]] = []
        if topology.inter_satellite is not None and self.pattern is not None:
            source, target = self.pattern
            length, up = inter_satellite_links(
                position, valid, source, target, topology.inter_satellite
            )
            speed = topology.inter_satellite.signal_speed_km_s
            links = (source[up], target[up], _latency_ns(length[up], speed))
            groups.append((links, topology.inter_satellite))
        if topology.ground is not None:
            row, satellite, length = ground_links(
                ground.position_km, ground.up, position, valid, topology.ground
            )
            latency = _latency_ns(length, topology.ground.signal_speed_km_s)
            groups.append(((satellite, ground.node[row], latency), topology.ground))
        if topology.fibre is not None and ground.fibre is not None:
            groups.append((ground.fibre, topology.fibre))
        return _joined(groups)


def link_generator(continuum: Continuum) -> LinkGenerator:
    """Prepare the generation of snapshots.

    Parameters
    ----------
    continuum
        With a generated topology.

    Returns
    -------
    LinkGenerator
        With the +Grid resolved at the first step.
    """
    topology = continuum.topology
    if not isinstance(topology, GeneratedTopology):
        raise TypeError("only a generated topology has a recipe")
    pattern = None
    if topology.inter_satellite is not None:
        position, _ = satellite_ecef(topology, continuum.time, 0)
        if not isinstance(topology.inter_satellite, PlusGrid):
            raise NotImplementedError(topology.inter_satellite.type)
        pattern = plus_grid(topology.shells, topology.inter_satellite, position)
    moving = any(len(series.latitude_deg) > 1 for series in continuum.positions)
    ground = None if moving else _ground(continuum, topology, 0)
    return LinkGenerator(continuum, topology, pattern, ground)


def generated_series(continuum: Continuum) -> LinkSeries:
    """Generate all steps over the union of their links.

    Parameters
    ----------
    continuum
        With a generated topology.

    Returns
    -------
    LinkSeries
        Links in the order of (source, target), those that are never up left out; latency 0 while a
        link is down.
    """
    generator = link_generator(continuum)
    steps, nodes = continuum.time.steps, len(continuum.nodes)
    snapshots = [generator.snapshot(step) for step in range(steps)]
    keys = [snapshot.source.astype(np.int64) * nodes + snapshot.target for snapshot in snapshots]
    union = np.unique(np.concatenate(keys))
    latency = np.zeros((steps, len(union)), dtype=np.int64)
    up = np.zeros((steps, len(union)), dtype=bool)
    unlimited = all(snapshot.bandwidth_bps is None for snapshot in snapshots)
    bandwidth = None if unlimited else np.zeros((1, len(union)), dtype=np.int64)
    for step, (key, snapshot) in enumerate(zip(keys, snapshots, strict=True)):
        column = np.searchsorted(union, key)
        latency[step, column] = snapshot.latency_ns
        up[step, column] = True
        if bandwidth is not None and snapshot.bandwidth_bps is not None:
            bandwidth[0, column] = snapshot.bandwidth_bps
    source, target = np.divmod(union, nodes)
    return LinkSeries(
        n_nodes=nodes,
        source=source.astype(np.int32),
        target=target.astype(np.int32),
        latency_ns=latency,
        bandwidth_bps=bandwidth,
        up=up,
        steps=steps,
    )


def _ground(continuum: Continuum, topology: GeneratedTopology, step: int) -> Ground:
    node = np.arange(topology.satellite_count, len(continuum.nodes))
    latitude, longitude, altitude = (column[node] for column in declared_positions(continuum, step))
    fibre = None
    if topology.fibre is not None:
        kinds = continuum.nodes.kind
        joined = np.array(
            [kinds[index] in topology.fibre.kinds for index in node.tolist()], dtype=bool
        )
        source, target, length = fibre_links(latitude[joined], longitude[joined], topology.fibre)
        latency = _latency_ns(length, topology.fibre.signal_speed_km_s)
        fibre = (node[joined][source], node[joined][target], latency)
    return Ground(
        node=node,
        position_km=geodetic_to_ecef(latitude, longitude, altitude),
        up=geodetic_up(latitude, longitude),
        fibre=fibre,
    )


def _latency_ns(length_km: NDArray[np.float64], speed_km_s: float) -> NDArray[np.int64]:
    # rint rounds half to even, as every quantum does.
    return np.rint(length_km / speed_km_s * _NS_PER_S).astype(np.int64)


def _joined(groups: list[tuple[Links, InterSatelliteLink | GroundLinks | FibreLinks]]) -> Snapshot:
    if not groups:
        none = np.empty(0, dtype=np.int32)
        return Snapshot(none, none, np.empty(0, dtype=np.int64), None)
    source, target, latency = (
        np.concatenate(column) for column in zip(*(links for links, _ in groups), strict=True)
    )
    order = np.lexsort((target, source))
    bandwidth = None
    if all(rule.bandwidth_mbps is not None for _, rule in groups):
        bandwidth = np.concatenate(
            [
                np.full(len(links[0]), quantum_bps(rule.bandwidth_mbps or 0.0), dtype=np.int64)
                for links, rule in groups
            ]
        )[order]
    return Snapshot(
        source[order].astype(np.int32), target[order].astype(np.int32), latency[order], bandwidth
    )
