"""What a topology is like: counts, altitudes, links and latencies over its steps."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.base import BPS_PER_MBPS, NS_PER_MS
from leotrek_opt.models.continuum import Continuum
from leotrek_opt.models.inter_satellite import InferredPlusGrid, PlusGrid
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.constellation import altitude_of_motion_km
from leotrek_opt.topology.described import (
    KindFigures,
    LostSatellite,
    ShellFigures,
    Spread,
    StepFigures,
    TopologyDescription,
)
from leotrek_opt.topology.frames import FIGURES, ecef_to_geodetic
from leotrek_opt.topology.simulation.run import Progress
from leotrek_opt.topology.simulation.sources import StateSource
from leotrek_opt.topology.state import LINK_KINDS, SatelliteState, TopologyState


def describe_topology(
    continuum: Continuum, states: StateSource, *, on_progress: Progress | None = None
) -> TopologyDescription:
    """Describe a topology over all of its steps.

    Parameters
    ----------
    continuum
        Names of nodes and, for a generated topology, the recipe.
    states
        Streams the steps.
    on_progress
        Told after each step how many of all are done.

    Returns
    -------
    TopologyDescription
        Of every step.
    """
    kinds = [_Tally() for _ in LINK_KINDS]
    rates = [_Tally() for _ in LINK_KINDS]
    altitude = _Tally()
    per_step: list[StepFigures] = []
    first: TopologyState | None = None
    for done, state in enumerate(states.states(), 1):
        first = first or state
        satellites = state.satellites
        known = np.isfinite(satellites.position_km).all(axis=1)
        altitude.add(ecef_to_geodetic(satellites.position_km[known], FIGURES["wgs84"])[2])
        for kind, (tally, rate) in enumerate(zip(kinds, rates, strict=True)):
            chosen = state.link_kind == kind
            tally.add(state.links.latency_ns[chosen] / NS_PER_MS)
            if state.links.bandwidth_bps is not None:
                rate.add(state.links.bandwidth_bps[chosen] / BPS_PER_MBPS)
        per_step.append(_step_figures(state))
        if on_progress is not None:
            on_progress(done, states.steps)
    if first is None:
        raise ValueError("a topology has at least one step")
    shells, unplaced = _shells(continuum, first.satellites)
    return TopologyDescription(
        nodes=_counts(continuum),
        steps=len(per_step),
        start=per_step[0].time,
        end=per_step[-1].time,
        shells=shells,
        unplaced_satellites=unplaced,
        altitude_km=altitude.spread(),
        epoch_age_days=_epoch_ages(continuum, first.satellites),
        lost=_lost(continuum, first.satellites),
        kinds=tuple(
            KindFigures(
                name,
                _spread(np.array([figures.links[kind] for figures in per_step])),
                kinds[kind].spread(),
                rates[kind].spread(),
            )
            for kind, name in enumerate(LINK_KINDS)
        ),
        per_step=tuple(per_step),
        conventions=_conventions(continuum),
    )


class _Tally:
    """Least, mean and greatest of values that come in parts."""

    def __init__(self) -> None:
        self._count, self._sum = 0, 0.0
        self._least, self._greatest = np.inf, -np.inf

    def add(self, values: NDArray[np.float64]) -> None:
        """Take some more."""
        if len(values):
            self._count += len(values)
            self._sum += float(values.sum())
            self._least = min(self._least, float(values.min()))
            self._greatest = max(self._greatest, float(values.max()))

    def spread(self) -> Spread:
        """Return what all of them amount to."""
        if not self._count:
            return Spread()
        return Spread(self._least, self._sum / self._count, self._greatest)


def _spread(values: NDArray[Any]) -> Spread:
    tally = _Tally()
    tally.add(values.astype(np.float64))
    return tally.spread()


def _step_figures(state: TopologyState) -> StepFigures:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links, satellites = state.links, state.satellites
    nodes, count = len(state.position_km), len(satellites.valid)
    by_kind = [np.flatnonzero(state.link_kind == kind) for kind in range(len(LINK_KINDS))]
    ends = np.concatenate((links.source, links.target))
    between = by_kind[0]
    degree = np.bincount(
        np.concatenate((links.source[between], links.target[between])), minlength=count
    )[:count]
    linked = np.bincount(ends, minlength=nodes) > 0
    there = np.isfinite(state.position_km).all(axis=1) | linked
    graph = coo_array((np.ones(len(links)), (links.source, links.target)), shape=(nodes, nodes))
    _, part = connected_components(graph, directed=False)
    sizes = np.bincount(part[linked]) if linked.any() else np.zeros(1, dtype=np.int64)
    served = np.zeros(nodes, dtype=bool)
    served[links.target[by_kind[1]]] = True
    served[links.source[by_kind[1]]] = True
    means = [
        float(links.latency_ns[chosen].mean()) / NS_PER_MS if len(chosen) else None
        for chosen in by_kind
    ]
    return StepFigures(
        step=state.step,
        time=state.time,
        links=(len(by_kind[0]), len(by_kind[1]), len(by_kind[2])),
        latency_ms=(means[0], means[1], means[2]),
        masked_satellites=int((~satellites.valid).sum()),
        degree=_spread(degree[satellites.valid]),
        components=int((sizes > 0).sum()),
        largest_component=int(sizes.max()),
        isolated=int((there & ~linked).sum()),
        unserved_ground=int((~served[count:]).sum()),
    )


def _counts(continuum: Continuum) -> dict[str, int]:
    kinds = continuum.nodes.kind
    return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}


def _shells(continuum: Continuum, first: SatelliteState) -> tuple[tuple[ShellFigures, ...], int]:
    topology = continuum.topology
    if not isinstance(topology, GeneratedTopology):
        return (), 0
    # Planes are found with trees, which an explicit topology should not pay for loading.
    from leotrek_opt.topology.strategies.planes import infer_planes
    from leotrek_opt.topology.strategies.plus_grid import cross_link_shift

    rule = topology.inter_satellite
    figures = []
    begin = 0
    for shell in topology.shells:
        count = shell.satellite_count
        place = first.position_km[begin : begin + count]
        begin += count
        figures.append(
            ShellFigures(
                inclination_deg=shell.inclination_deg,
                altitude_km=(
                    shell.altitude_km
                    or float(altitude_of_motion_km(shell.mean_motion_rev_per_day or 1.0))
                ),
                satellites=count,
                planes=shell.planes,
                pattern=shell.pattern,
                phasing=shell.phasing,
                cross_link_shift=(
                    cross_link_shift(shell, rule, place) if isinstance(rule, PlusGrid) else None
                ),
            )
        )
    if topology.fleet is None or not len(topology.fleet):
        return tuple(figures), 0
    fleet = dataclasses.replace(
        first, position_km=first.position_km[begin:], valid=first.valid[begin:]
    )
    grid = rule if isinstance(rule, InferredPlusGrid) else InferredPlusGrid()
    planes = infer_planes(topology.fleet, grid, fleet)
    figures += [
        ShellFigures(found.inclination_deg, found.altitude_km, found.satellites, found.planes)
        for found in planes.shells
    ]
    return tuple(figures), int(((planes.group < 0) & fleet.valid).sum())


def _epoch_ages(continuum: Continuum, first: SatelliteState) -> Spread:
    topology = continuum.topology
    if not isinstance(topology, GeneratedTopology):
        return Spread()
    from leotrek_opt.topology.propagation import ephemeris

    found = ephemeris(topology)
    return _spread(
        (first.julian_day - found.epoch_jd) + (first.day_fraction - found.epoch_fraction)
    )


def _lost(continuum: Continuum, first: SatelliteState) -> tuple[LostSatellite, ...]:
    names = continuum.nodes.id
    topology = continuum.topology
    if not isinstance(topology, GeneratedTopology):
        return tuple(
            LostSatellite(names[index], "has no position")
            for index in np.flatnonzero(~first.valid).tolist()
        )
    from leotrek_opt.topology.propagation import propagation_errors

    return tuple(
        LostSatellite(names[failure.satellite], failure.reason)
        for failure in propagation_errors(topology, first.julian_day, first.day_fraction)
    )


def _conventions(continuum: Continuum) -> dict[str, Any]:
    topology = continuum.topology
    if not isinstance(topology, GeneratedTopology):
        return {"links": "written out in the document", "ellipsoid": "wgs84"}

    def rule(part: Any) -> Any:
        return None if part is None else part.model_dump(mode="json")

    return {
        "propagator": topology.propagator.model_dump(mode="json"),
        "altitude_of_a_shell": "sets the Kozai mean motion sqrt(GM / (6378.137 km + h)^3)",
        "frame": "TEME to Earth-fixed by GMST (IAU 1982), UT1 = UTC, no polar motion",
        "ellipsoid": topology.ellipsoid,
        "elevation": "above the plane normal to the ellipsoid, without refraction",
        "ground_relay": topology.ground_relay,
        "inter_satellite": rule(topology.inter_satellite),
        "ground": rule(topology.ground),
        "fibre": rule(topology.fibre),
        "latency": "length over signal speed, to the nanosecond; no queueing, no transmission",
    }
