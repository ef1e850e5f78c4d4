"""Links that begin on the ground: to satellites, and between places on earth."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from leotrek_opt.models.base import BandwidthMbps, StrictModel, rejection
from leotrek_opt.models.columns import Column, IndexColumn
from leotrek_opt.models.inter_satellite import SPEED_OF_LIGHT_KM_S, RangeKm
from leotrek_opt.models.link_models import LinkModel

FIBRE_SPEED_KM_S = 204_218.3
"""Speed of light over the refractive index 1.468 of standard single-mode fibre."""

LengthColumn = Annotated[NDArray[np.float64], Column(np.float64, 0, 100_000)]


class GroundLinks(StrictModel):
    """Links from ground nodes to satellites that they see.

    A satellite is seen at ``min_elevation_deg`` or more above the geodetic horizon, and within
    ``max_range_km`` where that is given; an elevation of None leaves the range alone to decide (as
    Hypatia's flat cone). ``all_visible`` keeps every satellite seen. Otherwise a ground node has
    ``max_links`` antennas and points them by ``strategy``: at the ``nearest`` satellites, at the
    ``best_elevation``, at those in sight for longest from now (``longest_contact``), or at those of
    the highest data rate under the link model, then the nearest (``k_best``). Ties go to the
    smaller satellite index. ``satellite_beams`` limits the links of a satellite, best links first.

    ``handover="immediate"`` chooses anew at every step; ``"when_lost"`` keeps a satellite until it
    is no longer seen and only then points the free antenna.
    """

    later_fields = ("satellite_beams", "handover", "max_range_km", "link_model")

    strategy: Literal["all_visible", "nearest", "best_elevation", "k_best", "longest_contact"] = (
        "nearest"
    )
    max_links: Annotated[int, Field(ge=1, le=1000)] = 4
    satellite_beams: Annotated[int, Field(ge=1, le=10_000)] | None = None
    handover: Literal["immediate", "when_lost"] = "immediate"
    min_elevation_deg: Annotated[float, Field(ge=0, lt=90)] | None = 25.0
    max_range_km: RangeKm | None = None
    signal_speed_km_s: Annotated[float, Field(gt=0, le=300_000)] = SPEED_OF_LIGHT_KM_S
    bandwidth_mbps: BandwidthMbps | None = None
    link_model: LinkModel | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.min_elevation_deg is None and self.max_range_km is None:
            raise rejection("min_elevation_deg", "give min_elevation_deg, max_range_km or both")
        if self.bandwidth_mbps is not None and self.link_model is not None:
            raise rejection("bandwidth_mbps", "give either bandwidth_mbps or link_model")
        return self


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


class TerrestrialNetwork(StrictModel):
    """Cables between ground nodes, as a network file lists them.

    ``source`` and ``target`` are node indices. ``length_km`` is the length of the cable; without it
    the great circle on a sphere of 6371 km times ``path_stretch`` is taken.
    """

    source: IndexColumn
    target: IndexColumn
    length_km: LengthColumn | None = None
    path_stretch: Annotated[float, Field(ge=1, le=10)] = 1.5
    signal_speed_km_s: Annotated[float, Field(gt=0, le=300_000)] = FIBRE_SPEED_KM_S
    bandwidth_mbps: Annotated[NDArray[np.float64], Column(np.float64, 1e-3, 1e9)] | None = None

    @model_validator(mode="after")
    def _columns_agree(self) -> Self:
        count = len(self.source)
        for name in ("target", "length_km", "bandwidth_mbps"):
            column = getattr(self, name)
            if column is not None and len(column) != count:
                raise rejection(name, f"must have {count} entries like source, got {len(column)}")
        if (self.source == self.target).any():
            link = int((self.source == self.target).argmax())
            raise rejection(f"target[{link}]", "a link must join two different nodes")
        return self
