"""Published networks as terrestrial part of a generated topology."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from leotrek_opt.errors import InputError
from leotrek_opt.instances.constellation_continuum import GROUND_CAPACITY
from leotrek_opt.instances.network_file import Array, Indices, NetworkFile
from leotrek_opt.instances.node_names import node_identifiers
from leotrek_opt.models.base import input_error
from leotrek_opt.models.continuum import (
    Architecture,
    Continuum,
    NodeKind,
    NodeTable,
    PositionSeries,
)
from leotrek_opt.models.ground_links import FIBRE_SPEED_KM_S, GroundLinks, TerrestrialNetwork
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.ordering import rank_among_equals


def with_network(
    continuum: Continuum,
    network: NetworkFile,
    *,
    kind: Literal["edge", "ground_station", "cloud"] = "ground_station",
    architecture: Architecture = "x86_64",
    capacity: Mapping[str, int] = GROUND_CAPACITY,
    ground_links: GroundLinks | None = None,
    path_stretch: float = 1.5,
    signal_speed_km_s: float = FIBRE_SPEED_KM_S,
    bandwidth_mbps: float | Literal["unlimited"] | None = None,
) -> Continuum:
    """Add a published network to a continuum: its nodes on the ground, its links as cables.

    Nodes keep the identifiers that the reader made, with ``-2``, ``-3`` and so on where the
    continuum has one of that name. Two opposite links of a directed network become one cable, with
    the smaller of their bandwidths.

    Parameters
    ----------
    continuum
        With a generated topology.
    network
        Every node must have a place: see :meth:`NetworkFile.placed`.
    kind, architecture, capacity
        Of the new nodes.
    ground_links
        Rule for the links of all ground nodes to satellites; by default that of the continuum, and
        the usual one if it has no ground node so far.
    path_stretch, signal_speed_km_s
        Of the cables, whose length is the great circle times the stretch.
    bandwidth_mbps
        For links whose bandwidth is unknown; ``"unlimited"`` leaves all bandwidths out. A topology
        limits all kinds of links, or none.

    Returns
    -------
    Continuum
        A new one; the new nodes stand at the end.

    Raises
    ------
    InputError
        If a node has no place, a bandwidth is missing, or the topology is explicit or has cables
        already whose lengths are measured in another way.

    Examples
    --------
    >>> from leotrek_opt.instances.constellation_continuum import constellation_continuum
    >>> from leotrek_opt.instances.sndlib import read_sndlib
    >>> backbone = read_sndlib(b'''?SNDlib native format; type: network; version: 1.0
    ... NODES ( Wien ( 16.37 48.21 ) Graz ( 15.44 47.07 ) )
    ... LINKS ( L1 ( Wien Graz ) 0.0 0.0 0.0 0.0 ( ) )''')
    >>> continuum = with_network(constellation_continuum("iridium"), backbone)
    >>> continuum.nodes.id[-2:], continuum.topology.terrestrial.source.tolist()
    (('Wien', 'Graz'), [66])
    """
    topology = continuum.topology
    if not isinstance(topology, GeneratedTopology):
        raise InputError("only a generated topology takes a network", field="continuum.topology")
    missing = int((~network.has_place).sum())
    if missing:
        raise InputError(
            f"{missing} nodes have no place; leave them out with network.placed()", field="network"
        )
    if ground_links is None and len(continuum.nodes) == topology.satellite_count:
        ground_links = topology.ground or GroundLinks()
    try:
        cables = _cables(network, len(continuum.nodes), path_stretch, signal_speed_km_s,
                         bandwidth_mbps)  # fmt: skip
        return continuum.replace(
            nodes=_nodes(continuum.nodes, network, kind, architecture, capacity),
            positions=(*continuum.positions, _positions(len(continuum.nodes), network)),
            topology=topology.replace(
                terrestrial=_both(topology.terrestrial, cables),
                ground=topology.ground if ground_links is None else ground_links,
            ),
        )
    except ValidationError as error:
        raise input_error(error) from None


def _nodes(
    nodes: NodeTable,
    network: NetworkFile,
    kind: NodeKind,
    architecture: Architecture,
    capacity: Mapping[str, int],
) -> NodeTable:
    count = len(network.node)

    def longer(column: Indices, value: int) -> Indices:
        return np.concatenate((column, np.full(count, value, dtype=np.int64)))

    none = np.zeros(len(nodes), dtype=np.int64)
    resources = dict.fromkeys((*nodes.capacity, *capacity))
    labels = nodes.label or ("",) * len(nodes)
    return NodeTable(
        id=(*nodes.id, *node_identifiers(network.node, network.node, taken=nodes.id)),
        kind=(*nodes.kind, *[kind] * count),
        architecture=(*nodes.architecture, *[architecture] * count),
        capacity={
            name: longer(nodes.capacity.get(name, none), capacity.get(name, 0))
            for name in resources
        },
        accelerators={name: longer(column, 0) for name, column in nodes.accelerators.items()},
        heat_profile=None if nodes.heat_profile is None else longer(nodes.heat_profile, -1),
        label=(*labels, *network.label),
    )


def _positions(first: int, network: NetworkFile) -> PositionSeries:
    return PositionSeries(
        node=np.arange(first, first + len(network.node)),
        latitude_deg=network.latitude_deg[None, :],
        longitude_deg=network.longitude_deg[None, :],
        altitude_km=np.zeros((1, len(network.node))),
    )


def _cables(
    network: NetworkFile,
    first: int,
    path_stretch: float,
    signal_speed_km_s: float,
    bandwidth_mbps: float | Literal["unlimited"] | None,
) -> TerrestrialNetwork:
    source, target = network.source, network.target
    bandwidth = _bandwidth(network, bandwidth_mbps)
    if network.directed:
        kept, bandwidth = _undirected(source, target, bandwidth)
        source, target = source[kept], target[kept]
    return TerrestrialNetwork(
        source=source + first,
        target=target + first,
        path_stretch=path_stretch,
        signal_speed_km_s=signal_speed_km_s,
        bandwidth_mbps=bandwidth,
    )


def _bandwidth(
    network: NetworkFile, otherwise: float | Literal["unlimited"] | None
) -> Array | None:
    known = network.bandwidth_mbps
    if otherwise == "unlimited" or (known is None and otherwise is None):
        return None
    if known is None:
        known = np.full(len(network.source), np.nan)
    unknown = np.isnan(known)
    if otherwise is not None:
        return np.where(unknown, otherwise, known)
    if unknown.any():
        raise InputError(
            f"{int(unknown.sum())} of {len(known)} links have no bandwidth; give one for them, or "
            '"unlimited"',
            field="bandwidth_mbps",
        )
    return known


def _undirected(
    source: Indices, target: Indices, bandwidth: Array | None
) -> tuple[NDArray[np.intp], Array | None]:
    """Join the k-th link of a pair with the k-th link back; return the links that stay."""
    arc, occurrence = np.stack((source, target), axis=1), np.zeros(len(source), dtype=np.int64)
    _, group = np.unique(arc, axis=0, return_inverse=True)
    group = group.reshape(-1)
    order = np.argsort(group, kind="stable")
    occurrence[order] = rank_among_equals(group[order])
    cable = np.column_stack((arc.min(axis=1), arc.max(axis=1), occurrence))
    _, kept, member = np.unique(cable, axis=0, return_index=True, return_inverse=True)
    if bandwidth is not None:
        smallest = np.full(len(kept), np.inf)
        np.minimum.at(smallest, member.reshape(-1), bandwidth)
        bandwidth = smallest
    return kept, bandwidth


def _both(first: TerrestrialNetwork | None, second: TerrestrialNetwork) -> TerrestrialNetwork:
    if first is None:
        return second
    alike = (
        first.length_km is None
        and first.path_stretch == second.path_stretch
        and first.signal_speed_km_s == second.signal_speed_km_s
        and (first.bandwidth_mbps is None) == (second.bandwidth_mbps is None)
    )
    if not alike:
        raise InputError(
            "there are cables already; the new ones need the same path_stretch, signal_speed_km_s "
            "and a bandwidth only if those have one, and those no length_km",
            field="continuum.topology.terrestrial",
        )
    limited = first.bandwidth_mbps is not None and second.bandwidth_mbps is not None
    return TerrestrialNetwork(
        source=np.concatenate((first.source, second.source)),
        target=np.concatenate((first.target, second.target)),
        path_stretch=first.path_stretch,
        signal_speed_km_s=first.signal_speed_km_s,
        bandwidth_mbps=np.concatenate((first.bandwidth_mbps, second.bandwidth_mbps))  # type: ignore[arg-type]
        if limited
        else None,
    )
