"""Ground nodes of a generated topology at a step, and the cables between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leotrek_opt.models.base import quantum_bps
from leotrek_opt.models.continuum import Continuum
from leotrek_opt.models.ground_links import FibreLinks, TerrestrialNetwork
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.fibre import fibre_links
from leotrek_opt.topology.frames import FIGURES, geodetic_to_ecef, geodetic_up
from leotrek_opt.topology.ground import GroundPlaces
from leotrek_opt.topology.link_models import latency_ns
from leotrek_opt.topology.positions import Positions, declared_positions
from leotrek_opt.topology.step_graph import Links, no_links
from leotrek_opt.topology.terrestrial import terrestrial_links


@dataclass(frozen=True, eq=False)
class GroundNodes:
    """Ground nodes at one step.

    Parameters
    ----------
    places
        Where they stand, in the order of the nodes.
    cables
        Terrestrial links by node index.
    """

    places: GroundPlaces
    cables: Links


def ground_nodes(continuum: Continuum, topology: GeneratedTopology, step: int) -> GroundNodes:
    """Place the ground nodes on the recipe's ellipsoid and join them.

    Parameters
    ----------
    continuum
        Nodes and their position series.
    topology
        Its recipe.
    step
        Index of the snapshot.

    Returns
    -------
    GroundNodes
        Every node that is not a satellite.
    """
    first = topology.satellite_count
    where = Positions(*(column[first:] for column in declared_positions(continuum, step)))
    return GroundNodes(
        places=GroundPlaces(
            position_km=geodetic_to_ecef(*where, FIGURES[topology.ellipsoid]),
            up=geodetic_up(where.latitude_deg, where.longitude_deg),
            latitude_deg=where.latitude_deg,
            longitude_deg=where.longitude_deg,
        ),
        cables=_cables(continuum, topology, where),
    )


def _cables(continuum: Continuum, topology: GeneratedTopology, where: Positions) -> Links:
    parts = []
    if topology.fibre is not None:
        parts.append(_fibre(continuum, topology.fibre, topology.satellite_count, where))
    if topology.terrestrial is not None:
        parts.append(_listed(topology.terrestrial, topology.satellite_count, where))
    if not parts:
        return no_links()
    limited = parts[0].bandwidth_bps is not None
    source, target, latency = (
        np.concatenate([part[column] for part in parts]) for column in range(3)
    )
    # Of links between the same pair, that of the fibre rule stands first.
    order = np.lexsort((target, source))
    return Links(
        source[order],
        target[order],
        latency[order],
        np.concatenate([part.bandwidth_bps for part in parts])[order] if limited else None,
    )


def _fibre(continuum: Continuum, rule: FibreLinks, first: int, where: Positions) -> Links:
    kinds = continuum.nodes.kind[first:]
    joined = np.flatnonzero(np.array([kind in rule.kinds for kind in kinds], dtype=bool))
    source, target, length = fibre_links(
        where.latitude_deg[joined], where.longitude_deg[joined], rule
    )
    return Links(
        (first + joined[source]).astype(np.int32),
        (first + joined[target]).astype(np.int32),
        latency_ns(length, rule.signal_speed_km_s),
        None
        if rule.bandwidth_mbps is None
        else np.full(len(length), quantum_bps(rule.bandwidth_mbps), dtype=np.int64),
    )


def _listed(network: TerrestrialNetwork, first: int, where: Positions) -> Links:
    found = terrestrial_links(network, where.latitude_deg, where.longitude_deg, first_node=first)
    return Links(
        found.source.astype(np.int32),
        found.target.astype(np.int32),
        latency_ns(found.length_km, network.signal_speed_km_s),
        found.bandwidth_bps,
    )
