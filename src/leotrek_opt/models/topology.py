"""How nodes are linked over time: an explicit series, or the recipe that generates one."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from leotrek_opt.models.base import StrictModel, rejection
from leotrek_opt.models.columns import (
    BandwidthSeries,
    BooleanColumn,
    IndexColumn,
    LatencySeries,
    StepColumn,
)
from leotrek_opt.models.constellation import ElementTable, Propagator, Sgp4, WalkerShell
from leotrek_opt.models.environment import Environment
from leotrek_opt.models.ground_links import FibreLinks, GroundLinks, TerrestrialNetwork
from leotrek_opt.models.inter_satellite import InterSatelliteRule, PlusGrid

Ellipsoid = Literal["wgs84", "wgs72"]
"""Figure of the Earth that ground nodes stand on."""


class LinkEvents(StrictModel):
    """Links that go up or down; from its step on, until a later event of the same link.

    A link without an event is up throughout. Of several events of one link at one step the last
    in the table counts.
    """

    step: StepColumn
    link: IndexColumn
    up: BooleanColumn

    @model_validator(mode="after")
    def _columns_are_equally_long(self) -> Self:
        if not len(self.step) == len(self.link) == len(self.up):
            raise rejection("", "step, link and up must be equally long")
        return self


class ExplicitTopology(StrictModel):
    """One link pattern, and per step its latency and bandwidth.

    Links are undirected. ``latency_ms`` and ``bandwidth_mbps`` have one row per step, or a single
    row that holds for all; without ``bandwidth_mbps`` bandwidth is unlimited. ``relay`` says for
    every node whether a route may pass through it (else it may only begin or end there); without it
    every node relays.
    """

    later_fields = ("relay",)

    type: Literal["explicit"] = "explicit"
    source: IndexColumn
    target: IndexColumn
    latency_ms: LatencySeries
    bandwidth_mbps: BandwidthSeries | None = None
    events: LinkEvents | None = None
    relay: BooleanColumn | None = None

    @model_validator(mode="after")
    def _columns_agree(self) -> Self:
        count = len(self.source)
        if len(self.target) != count:
            raise rejection("target", f"must have {count} entries like source")
        if (self.source == self.target).any():
            link = int((self.source == self.target).argmax())
            raise rejection(f"target[{link}]", "a link must join two different nodes")
        for name, series in (
            ("latency_ms", self.latency_ms),
            ("bandwidth_mbps", self.bandwidth_mbps),
        ):
            if series is None:
                continue
            if series.shape[0] == 0:
                raise rejection(name, "must have at least one row")
            if series.shape[1] != count:
                raise rejection(
                    name, f"rows must have {count} entries like source, got {series.shape[1]}"
                )
        if self.events is not None and (self.events.link >= count).any():
            row = int((self.events.link >= count).argmax())
            raise rejection(f"events.link[{row}]", f"there are only {count} links")
        return self


class GeneratedTopology(StrictModel):
    """A recipe that gives the same series on every machine.

    Satellites come first: those of all shells in order, then those of the fleet in the order of its
    table; every other node of the continuum stands on the ground at its position.

    ``epoch`` is the instant of the shells' elements (needed with shells). Without ``time.start``
    the series starts there, or at the newest epoch of the fleet. ``ellipsoid`` carries the
    positions of ground nodes. With ``ground_relay=False`` a route may end at a ground node but not
    pass through one.
    """

    later_fields = ("fleet", "ellipsoid", "ground_relay", "terrestrial", "environment")

    type: Literal["generated"] = "generated"
    shells: Annotated[tuple[WalkerShell, ...], Field(max_length=64)] = ()
    fleet: ElementTable | None = None
    epoch: AwareDatetime | None = None
    propagator: Propagator = Sgp4()
    ellipsoid: Ellipsoid = "wgs84"
    ground_relay: bool = True
    inter_satellite: InterSatelliteRule | None = PlusGrid()
    ground: GroundLinks | None = GroundLinks()
    fibre: FibreLinks | None = None
    terrestrial: TerrestrialNetwork | None = None
    environment: Environment | None = None

    @model_validator(mode="after")
    def _has_satellites(self) -> Self:
        if not self.shells and (self.fleet is None or not len(self.fleet)):
            raise rejection("shells", "give at least one shell, or a fleet of element sets")
        if self.shells and self.epoch is None:
            raise rejection("epoch", "shells need the instant of their elements")
        return self

    @model_validator(mode="after")
    def _pattern_fits(self) -> Self:
        kind = None if self.inter_satellite is None else self.inter_satellite.type
        if kind == "plus_grid" and self.fleet is not None:
            raise rejection(
                "inter_satellite.type",
                "plus_grid is for shells alone; for a fleet use plus_grid_inferred",
            )
        if kind == "plus_grid_inferred" and self.shells:
            raise rejection(
                "inter_satellite.type",
                "plus_grid_inferred is for a fleet alone; for shells use plus_grid",
            )
        return self

    @model_validator(mode="after")
    def _bandwidths_go_together(self) -> Self:
        if len(self._limits()) > 1:
            raise rejection(
                "",
                "bandwidth_mbps or link_model must be set for every kind of link, or for none "
                "(unlimited)",
            )
        return self

    @property
    def limits_bandwidth(self) -> bool:
        """Whether links have a bandwidth; otherwise it is unlimited."""
        return True in self._limits()

    def _limits(self) -> set[bool]:
        return {
            part.bandwidth_mbps is not None or getattr(part, "link_model", None) is not None
            for part in (self.inter_satellite, self.ground, self.fibre, self.terrestrial)
            if part is not None
        }

    @property
    def satellite_count(self) -> int:
        """Number of satellites in all shells and in the fleet."""
        shells = sum(shell.satellite_count for shell in self.shells)
        return shells + (0 if self.fleet is None else len(self.fleet))


Topology = Annotated[ExplicitTopology | GeneratedTopology, Field(discriminator="type")]
