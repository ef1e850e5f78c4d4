"""A generated topology, one step after another: positions, links, and graphs for routing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.base import BPS_PER_MBPS, MIN_BANDWIDTH_MBPS, quantum_bps
from leotrek_opt.models.continuum import Continuum
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.ground import GroundChoice, ground_links
from leotrek_opt.topology.ground_history import GroundHistory, Held
from leotrek_opt.topology.ground_nodes import GroundNodes, ground_nodes
from leotrek_opt.topology.instants import (
    julian_date,
    start_instant,
    step_instant,
    warn_of_old_elements,
)
from leotrek_opt.topology.link_models import bandwidth_bps, latency_ns
from leotrek_opt.topology.ordering import order_of
from leotrek_opt.topology.propagation import Ephemeris, ephemeris
from leotrek_opt.topology.routing import RouteGraph
from leotrek_opt.topology.series import Snapshot, checked_step, checked_steps
from leotrek_opt.topology.state import (
    InterSatelliteStrategy,
    LinkPairs,
    SatelliteState,
    TopologyState,
)
from leotrek_opt.topology.step_graph import (
    Links,
    Pattern,
    StepLinks,
    no_links,
)
from leotrek_opt.topology.strategies import checked_strategy, inter_satellite_strategy
from leotrek_opt.topology.strategies.sight import link_lengths

if TYPE_CHECKING:
    from leotrek_opt.topology.contacts.remaining import RemainingContact

MIN_BANDWIDTH_BPS = round(MIN_BANDWIDTH_MBPS * BPS_PER_MBPS)
"""Least bandwidth that a document can hold; a link that carries less is down."""

Indices = NDArray[np.int64]
FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]


class TopologyGenerator:
    """The steps of a generated topology; :func:`topology_generator` makes one.

    A step does not depend on which were asked for before, so steps can be streamed, skipped and
    repeated. No array that was handed out is written again.

    Parameters
    ----------
    continuum
        Nodes, time grid and recipe.
    inter_satellite
        Strategy that takes the place of the recipe's.

    Attributes
    ----------
    continuum, topology
        As given.
    start
        Instant from which the offsets of the time grid count.
    ephemeris
        Positions of the satellites at any instant.
    """

    def __init__(
        self, continuum: Continuum, inter_satellite: InterSatelliteStrategy | None = None
    ) -> None:
        topology = continuum.topology
        if not isinstance(topology, GeneratedTopology):
            raise InputError(
                "an explicit topology has no recipe to generate from", field="topology.type"
            )
        self.continuum = continuum
        self.topology = topology
        self.start = start_instant(topology, continuum.time)
        step_instant(self.start, continuum.time.offset_s(continuum.time.steps - 1))
        self.ephemeris: Ephemeris = ephemeris(topology)
        self._satellites = topology.satellite_count
        self._nodes = len(continuum.nodes)
        self._relay = _relay_mask(topology, self._nodes)
        self._limited = topology.limits_bandwidth
        moving = any(len(series.latitude_deg) > 1 for series in continuum.positions)
        self._ground = None if moving else ground_nodes(continuum, topology, 0)
        holds = topology.ground is not None and topology.ground.handover == "when_lost"
        self._history = GroundHistory(self._held) if holds else None
        self._remaining = _remaining(continuum, topology)
        self._strategy = None if inter_satellite is None else checked_strategy(inter_satellite)
        if inter_satellite is not None and topology.inter_satellite is None:
            raise InputError(
                "a strategy needs the recipe's line of sight, range and signal speed",
                field="topology.inter_satellite",
            )
        if inter_satellite is None and topology.inter_satellite is not None:
            self._strategy = inter_satellite_strategy(topology, self.satellites(0))
        none = np.empty(0, dtype=np.int64)
        self._pattern = Pattern(LinkPairs(none, none), self._satellites)
        self._links: WeakKeyDictionary[TopologyState, StepLinks] = WeakKeyDictionary()

    def satellites(self, step: int) -> SatelliteState:
        """Return where the satellites are at a step.

        Parameters
        ----------
        step
            Index of the snapshot.

        Returns
        -------
        SatelliteState
            One entry per satellite, those without position included.

        Raises
        ------
        leotrek_opt.errors.StepError
            If there is no such step.
        """
        return self._propagated(step, np.empty((self._satellites, 3)))

    def state(self, step: int) -> TopologyState:
        """Return everything about a step.

        Parameters
        ----------
        step
            Index of the snapshot.

        Returns
        -------
        TopologyState
            Positions of all nodes, and the links that are up.

        Raises
        ------
        leotrek_opt.errors.StepError
            If there is no such step.
        """
        position = np.empty((self._nodes, 3))
        satellites = self._propagated(step, position[: self._satellites])
        ground = self._ground_at(step)
        position[self._satellites :] = ground.places.position_km
        links = self._step_links(satellites, ground)
        snapshot, kind = links.snapshot()
        state = TopologyState(
            step=step,
            time=satellites.time,
            satellites=satellites,
            position_km=position,
            links=snapshot,
            link_kind=kind,
        )
        self._links[state] = links
        return state

    def states(self, start: int = 0, stop: int | None = None) -> Iterator[TopologyState]:
        """Stream the steps in order; what the caller drops is freed.

        Parameters
        ----------
        start, stop
            First step, and the one after the last; all steps by default.

        Returns
        -------
        iterator of TopologyState
            The same as :meth:`state` gives.

        Raises
        ------
        leotrek_opt.errors.StepError
            If there are no such steps.
        """
        steps = checked_steps(start, stop, self.continuum.time.steps)
        return (self.state(step) for step in steps)

    def snapshot(self, step: int) -> Snapshot:
        """Return the links of one step, in the order of (source, target).

        Parameters
        ----------
        step
            Index of the snapshot.

        Returns
        -------
        Snapshot
            Source is the smaller index.

        Raises
        ------
        leotrek_opt.errors.StepError
            If there is no such step.
        """
        return self.state(step).links

    def graph(self, state: TopologyState) -> RouteGraph:
        """Return the graph of a step for routing.

        Parameters
        ----------
        state
            From this generator, or one that was derived from such a state.

        Returns
        -------
        RouteGraph
            Weighted by latency. A state of this generator's own costs no sorting: the links between
            satellites stand where they stood at the last step.
        """
        links = self._links.get(state)
        if links is None:
            return RouteGraph.of_snapshot(state.links, self._nodes)
        return links.graph()

    def _propagated(self, step: int, out: FloatArray) -> SatelliteState:
        time = self.continuum.time
        step = checked_step(step, time.steps)
        offset_s = time.offset_s(step)
        day, fraction = julian_date(self.start, offset_s)
        position, valid = self.ephemeris.ecef(day, fraction, out)
        return SatelliteState(
            step=step,
            time=step_instant(self.start, offset_s),
            julian_day=day,
            day_fraction=fraction,
            position_km=position,
            valid=valid,
        )

    def _ground_at(self, step: int) -> GroundNodes:
        return self._ground or ground_nodes(self.continuum, self.topology, step)

    def _step_links(self, satellites: SatelliteState, ground: GroundNodes) -> StepLinks:
        pattern, latency, bandwidth, up = self._between(satellites)
        return StepLinks(
            n_nodes=self._nodes,
            pattern=pattern,
            latency_ns=latency,
            bandwidth_bps=bandwidth,
            up=up,
            ground=self._to_ground(satellites, ground),
            terrestrial=ground.cables,
            relay=self._relay,
        )

    def _between(
        self, satellites: SatelliteState
    ) -> tuple[Pattern, FloatArray, Indices | None, Mask | None]:
        """Pairs of satellites with latency, bandwidth and which are up."""
        rule = self.topology.inter_satellite
        if self._strategy is None or rule is None:
            return self._pattern, np.empty(0), no_links(limited=self._limited).bandwidth_bps, None
        pairs = self._strategy(satellites)
        pattern = self._pattern
        if pattern.pairs.source is not pairs.source or pattern.pairs.target is not pairs.target:
            pattern = self._pattern = Pattern(pairs, self._satellites)
        length, up = link_lengths(satellites.position_km, satellites.valid, pairs, rule)
        bandwidth = None
        if rule.link_model is not None:
            bandwidth = bandwidth_bps(rule.link_model, np.where(up, length, 0.0))
            up &= bandwidth >= MIN_BANDWIDTH_BPS
        elif rule.bandwidth_mbps is not None:
            bandwidth = np.full(len(length), quantum_bps(rule.bandwidth_mbps), dtype=np.int64)
        latency = latency_ns(length, rule.signal_speed_km_s)
        return pattern, latency, bandwidth, None if up.all() else up

    def _to_ground(self, satellites: SatelliteState, ground: GroundNodes) -> Links:
        rule = self.topology.ground
        if rule is None:
            return no_links(limited=self._limited)
        held = None if self._history is None else self._history.before(satellites.step)
        chosen = self._choice(satellites, ground, held)
        if self._history is not None:
            self._history.record(satellites.step, (chosen.ground, chosen.satellite))
        bandwidth = chosen.bandwidth_bps
        if bandwidth is not None:
            chosen = chosen[bandwidth >= MIN_BANDWIDTH_BPS]
            bandwidth = chosen.bandwidth_bps
        elif rule.bandwidth_mbps is not None:
            bandwidth = np.full(len(chosen), quantum_bps(rule.bandwidth_mbps), dtype=np.int64)
        # By place already.
        order = order_of(chosen.satellite)
        return Links(
            chosen.satellite[order].astype(np.int32),
            (chosen.ground[order] + self._satellites).astype(np.int32),
            latency_ns(chosen.length_km[order], rule.signal_speed_km_s),
            None if bandwidth is None else bandwidth[order],
        )

    def _choice(
        self, satellites: SatelliteState, ground: GroundNodes, held: Held | None
    ) -> GroundChoice:
        rule = self.topology.ground
        if rule is None:
            raise ValueError("there is a rule for ground links")
        remaining = None if self._remaining is None else self._remaining.at_step(satellites.step)
        return ground_links(ground.places, satellites, rule, held=held, remaining_s=remaining)

    def _held(self, step: int, held: Held | None) -> Held:
        chosen = self._choice(self.satellites(step), self._ground_at(step), held)
        return chosen.ground, chosen.satellite


def topology_generator(
    continuum: Continuum, *, inter_satellite: InterSatelliteStrategy | None = None
) -> TopologyGenerator:
    """Prepare the generation of steps.

    Parameters
    ----------
    continuum
        With a generated topology.
    inter_satellite
        Chooses the links between satellites in place of the recipe's rule, whose line of sight,
        range, speed and bandwidth still hold. What it returns is checked and put in order.

    Returns
    -------
    TopologyGenerator
        With the strategy resolved at the first step.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the topology is explicit, the propagator cannot take an element set, or the grid ends
        after the year 9999.

    Warns
    -----
    EpochAgeWarning
        If a satellite is propagated more than seven days away from its epoch.
    """
    generator = TopologyGenerator(continuum, inter_satellite)
    warn_of_old_elements(
        continuum,
        generator.ephemeris.epoch_jd,
        generator.ephemeris.epoch_fraction,
        generator.start,
    )
    return generator


def _remaining(continuum: Continuum, topology: GeneratedTopology) -> RemainingContact | None:
    if topology.ground is None or topology.ground.strategy != "longest_contact":
        return None
    # Contacts are followed in time for this strategy alone.
    from leotrek_opt.topology.contacts.remaining import remaining_contact

    return remaining_contact(continuum)


def _relay_mask(topology: GeneratedTopology, nodes: int) -> NDArray[np.bool_] | None:
    if topology.ground_relay or nodes == topology.satellite_count:
        return None
    relay = np.arange(nodes) < topology.satellite_count
    relay.flags.writeable = False
    return relay
