"""How nodes are linked over time: an explicit series, or the recipe that generates one."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from leotrek_opt.models.base import BandwidthMbps, StrictModel, rejection
from leotrek_opt.models.columns import (
    BandwidthSeries,
    BooleanColumn,
    IndexColumn,
    LatencySeries,
    StepColumn,
)

SPEED_OF_LIGHT_KM_S = 299_792.458
FIBRE_SPEED_KM_S = 204_218.3
"""Speed of light over the refractive index 1.468 of standard single-mode fibre."""


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
    row that holds for all; without ``bandwidth_mbps`` bandwidth is unlimited.
    """

    type: Literal["explicit"] = "explicit"
    source: IndexColumn
    target: IndexColumn
    latency_ms: LatencySeries
    bandwidth_mbps: BandwidthSeries | None = None
    events: LinkEvents | None = None

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


class WalkerShell(StrictModel):
    """Circular orbits of one altitude in evenly spaced planes, satellites numbered plane by plane.

    Plane ``p`` has its ascending node at ``raan0_deg + spread * p / planes`` (360 degrees for
    ``delta``, 180 for ``star``). Satellite ``s`` of plane ``p`` starts at argument of latitude
    ``360 s / S + 360 F p / (P S)`` with ``phasing_rule="walker"``, or half a slot later in odd
    planes with ``"odd_planes_half_slot"`` (as Hypatia does). Source: J. G. Walker, Satellite
    constellations, J. Br. Interplanet. Soc. 37, 1984.
    """

    planes: Annotated[int, Field(ge=1, le=1000)]
    satellites_per_plane: Annotated[int, Field(ge=1, le=1000)]
    phasing: Annotated[int, Field(ge=0, lt=1000)] = 0
    phasing_rule: Literal["walker", "odd_planes_half_slot"] = "walker"
    inclination_deg: Annotated[float, Field(ge=0, le=180)]
    altitude_km: Annotated[float, Field(ge=160, le=50_000)] | None = None
    mean_motion_rev_per_day: Annotated[float, Field(gt=0, le=17)] | None = None
    pattern: Literal["delta", "star"] = "delta"
    raan0_deg: Annotated[float, Field(ge=-360, le=360)] = 0.0

    @model_validator(mode="after")
    def _size_is_given_once(self) -> Self:
        if (self.altitude_km is None) == (self.mean_motion_rev_per_day is None):
            raise rejection("altitude_km", "give either altitude_km or mean_motion_rev_per_day")
        if self.phasing >= self.planes:
            raise rejection("phasing", f"must be < planes = {self.planes}")
        return self


class PlusGrid(StrictModel):
    """Each satellite linked to its two neighbours in plane and one in each adjacent plane.

    Satellite ``s`` of plane ``p`` meets ``s + shift`` of plane ``p + 1``. ``"shortest"`` picks the
    shift whose longest link at the first step is shortest, whatever the seam. Across the seam
    ``"phased"`` adds the Walker phasing to the slot, ``"unshifted"`` does not (as StarryNet),
    ``"none"`` leaves the seam open; star patterns never cross it.
    """

    type: Literal["plus_grid"] = "plus_grid"
    cross_link_shift: Annotated[int, Field(ge=-1000, le=1000)] | Literal["shortest"] = "shortest"
    seam: Literal["phased", "unshifted", "none"] = "phased"
    line_of_sight_margin_km: Annotated[float, Field(ge=0, le=1000)] = 80.0
    max_range_km: Annotated[float, Field(gt=0, le=100_000)] | None = None
    signal_speed_km_s: Annotated[float, Field(gt=0, le=300_000)] = SPEED_OF_LIGHT_KM_S
    bandwidth_mbps: BandwidthMbps | None = None


class GroundLinks(StrictModel):
    """Links from ground nodes to satellites above an elevation mask (geodetic normal, WGS84).

    ``all_visible`` keeps every one, otherwise the ``max_links`` best by distance (``nearest``) or
    elevation (``best_elevation``), ties to the smaller satellite index.
    """

    strategy: Literal["all_visible", "nearest", "best_elevation"] = "nearest"
    max_links: Annotated[int, Field(ge=1, le=1000)] = 4
    min_elevation_deg: Annotated[float, Field(ge=0, lt=90)] = 25.0
    signal_speed_km_s: Annotated[float, Field(gt=0, le=300_000)] = SPEED_OF_LIGHT_KM_S
    bandwidth_mbps: BandwidthMbps | None = None


class FibreLinks(StrictModel):
    """Terrestrial links: each ground node of ``kinds`` to its ``neighbours`` nearest ones.

    Length is the great circle on a sphere of 6371 km times ``path_stretch``; ``max_range_km``
    limits the great circle itself.
    """

    kinds: tuple[Literal["edge", "ground_station", "cloud"], ...] = ("ground_station", "cloud")
    neighbours: Annotated[int, Field(ge=1, le=1000)] = 4
    path_stretch: Annotated[float, Field(ge=1, le=10)] = 1.5
    max_range_km: Annotated[float, Field(gt=0, le=25_000)] | None = None
    signal_speed_km_s: Annotated[float, Field(gt=0, le=300_000)] = FIBRE_SPEED_KM_S
    bandwidth_mbps: BandwidthMbps | None = None


class GeneratedTopology(StrictModel):
    """A recipe that gives the same series on every machine.

    The satellites of all shells, in order, are the first nodes of the continuum; every other node
    stands on the ground at its position.
    """

    type: Literal["generated"] = "generated"
    shells: Annotated[tuple[WalkerShell, ...], Field(min_length=1, max_length=64)]
    epoch: AwareDatetime
    propagator: Literal["sgp4"] = "sgp4"
    inter_satellite: PlusGrid | None = PlusGrid()
    ground: GroundLinks | None = GroundLinks()
    fibre: FibreLinks | None = None

    @model_validator(mode="after")
    def _bandwidths_go_together(self) -> Self:
        parts = [part for part in (self.inter_satellite, self.ground, self.fibre) if part]
        if len({part.bandwidth_mbps is None for part in parts}) > 1:
            raise rejection(
                "", "bandwidth_mbps must be set for every kind of link, or for none (unlimited)"
            )
        return self

    @property
    def satellite_count(self) -> int:
        """Number of satellites in all shells."""
        return sum(shell.planes * shell.satellites_per_plane for shell in self.shells)


Topology = Annotated[ExplicitTopology | GeneratedTopology, Field(discriminator="type")]
