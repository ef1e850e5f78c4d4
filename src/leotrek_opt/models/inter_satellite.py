"""Which satellites are linked to each other."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from leotrek_opt.models.base import BandwidthMbps, StrictModel, rejection
from leotrek_opt.models.link_models import LinkModel

SPEED_OF_LIGHT_KM_S = 299_792.458

STARDUST_RANGE_KM = 2126.0
"""A third of 6378 km: the longest link that Stardust makes."""

RangeKm = Annotated[float, Field(gt=0, le=100_000)]
Degree = Annotated[int, Field(ge=1, le=64)]


class InterSatelliteLink(StrictModel):
    """What every link between satellites has: when two see each other, and what the link carries.

    The segment between both must pass ``line_of_sight_margin_km`` above the equatorial radius.
    Bandwidth is a constant, or follows from a link model at each step, never both.
    """

    later_fields: ClassVar[tuple[str, ...]] = ("link_model",)

    line_of_sight_margin_km: Annotated[float, Field(ge=0, le=1000)] = 80.0
    max_range_km: RangeKm | None = None
    signal_speed_km_s: Annotated[float, Field(gt=0, le=300_000)] = SPEED_OF_LIGHT_KM_S
    bandwidth_mbps: BandwidthMbps | None = None
    link_model: LinkModel | None = None

    @model_validator(mode="after")
    def _bandwidth_is_given_once(self) -> Self:
        if self.bandwidth_mbps is not None and self.link_model is not None:
            raise rejection("bandwidth_mbps", "give either bandwidth_mbps or link_model")
        return self


class PlusGrid(InterSatelliteLink):
    """Each satellite linked to its two neighbours in plane and one in each adjacent plane.

    Satellite ``s`` of plane ``p`` meets ``s + shift`` of plane ``p + 1``. ``"shortest"`` picks the
    shift whose longest link at the first step is shortest, whatever the seam. Across the seam
    ``"phased"`` adds the Walker phasing to the slot, ``"unshifted"`` does not (as StarryNet and
    Hypatia), ``"none"`` leaves the seam open; star patterns never cross it.
    ``max_cross_plane_latitude_deg`` switches links to other planes off while an end is nearer to a
    pole (geocentric latitude).
    """

    later_fields = ("link_model", "max_cross_plane_latitude_deg")

    type: Literal["plus_grid"] = "plus_grid"
    cross_link_shift: Annotated[int, Field(ge=-1000, le=1000)] | Literal["shortest"] = "shortest"
    seam: Literal["phased", "unshifted", "none"] = "phased"
    max_cross_plane_latitude_deg: Annotated[float, Field(gt=0, le=90)] | None = None


class InferredPlusGrid(InterSatelliteLink):
    """A +Grid found in element sets: planes by ascending node, slots by argument of latitude.

    Shells are found densest first, around the inclination and altitude where most satellites lie
    within ``inclination_tolerance_deg`` and ``altitude_core_km``. Everybody within
    ``altitude_tolerance_km`` belongs, if at least half of them and at least
    ``min_shell_satellites`` lie in the core; elsewhere satellites are on their way between orbits.
    Within a shell ascending nodes are carried to one instant, and a plane ends where sorted nodes
    leave a gap above ``raan_gap_deg``.

    Each satellite is linked to the next one of its plane, and to the one of the next plane that is
    nearest in argument of latitude, closest pairs first and one each way. No link crosses to a
    plane whose node is more than ``max_plane_gap_deg`` away or to a satellite more than
    ``max_phase_deg`` ahead or behind. Planes with less than ``min_plane_share`` of the satellites
    that a usual plane of the shell has take no part.

    ``join="shortest"`` links shells, and satellites without a place, anew at each step: the
    shortest links that join what is apart, then the shortest missing links, all while both ends
    have fewer than ``degree``. What is still apart then is joined by the shortest links of ends
    with at most ``degree``.
    """

    type: Literal["plus_grid_inferred"] = "plus_grid_inferred"
    inclination_tolerance_deg: Annotated[float, Field(gt=0, le=90)] = 0.08
    altitude_core_km: Annotated[float, Field(gt=0, le=10_000)] = 2.0
    altitude_tolerance_km: Annotated[float, Field(gt=0, le=10_000)] = 7.0
    min_shell_satellites: Annotated[int, Field(ge=1, le=1_000_000)] = 6
    raan_gap_deg: Annotated[float, Field(gt=0, le=180)] = 1.0
    min_plane_share: Annotated[float, Field(ge=0, le=1)] = 0.25
    max_plane_gap_deg: Annotated[float, Field(gt=0, le=180)] = 45.0
    max_phase_deg: Annotated[float, Field(gt=0, le=180)] = 30.0
    max_cross_plane_latitude_deg: Annotated[float, Field(gt=0, le=90)] | None = None
    join: Literal["shortest", "none"] = "shortest"
    degree: Degree = 4


class NearestK(InterSatelliteLink):
    """Shortest links first, each taken while both ends have fewer than ``k``.

    Exactly what going through all pairs that see each other gives. Lengths are compared in whole
    millimetres, here and wherever links are chosen by length; ties go to the smaller index, then to
    the smaller partner.
    """

    type: Literal["nearest_k"] = "nearest_k"
    k: Degree = 4


class Nearest(InterSatelliteLink):
    """Each satellite chooses its ``k`` nearest; a link exists when either end chose it.

    So a satellite may have more than ``k``. This is Stardust's ``nearest``, without its races.
    """

    type: Literal["nearest"] = "nearest"
    k: Degree = 4


class TreeLinks(InterSatelliteLink):
    """Spanning trees after Stardust, in correct and deterministic form.

    ``mst`` is the minimum spanning forest over all links in range. ``pst`` gives every satellite,
    in index order, the shortest link to another component while both ends have fewer than four,
    whatever the range. ``*_loop`` adds to a tree, satellite by satellite, the shortest missing link
    where both ends have fewer than ``degree``; ``*_smart_loop`` joins leaves to the leaf at the
    widest angle.
    """

    type: Literal["mst", "mst_loop", "mst_smart_loop", "pst", "pst_loop", "pst_smart_loop"]
    degree: Degree = 4
    max_range_km: RangeKm | None = STARDUST_RANGE_KM


class CappedTree(InterSatelliteLink):
    """A spanning tree under a degree cap, filled up with the shortest links: ours.

    Kruskal's algorithm that skips links of satellites with ``degree`` links, then the shortest
    missing links while both ends have fewer.
    """

    type: Literal["capped_tree"] = "capped_tree"
    degree: Degree = 4
    max_range_km: RangeKm | None = STARDUST_RANGE_KM


class Visibility(InterSatelliteLink):
    """Every pair in range that sees each other: the upper bound of what links can do."""

    type: Literal["visibility"] = "visibility"
    max_range_km: RangeKm | None = STARDUST_RANGE_KM


def _plus_grid_unless_named(value: Any) -> Any:
    """Read the first documents, which had one rule and so no need to name it."""
    if isinstance(value, dict) and "type" not in value:
        return {**value, "type": "plus_grid"}
    return value


InterSatelliteRule = Annotated[
    Annotated[
        PlusGrid | InferredPlusGrid | NearestK | Nearest | TreeLinks | CappedTree | Visibility,
        Field(discriminator="type"),
    ],
    BeforeValidator(_plus_grid_unless_named),
]
