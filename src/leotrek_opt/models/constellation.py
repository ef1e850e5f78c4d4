"""Satellites: shells of a design, or element sets of a catalogue, and how they are propagated."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from leotrek_opt.models.base import Label, StrictModel, rejection
from leotrek_opt.models.columns import Column

GM_KM3_S2 = 398_600.4418
"""Gravitational parameter of the Earth (WGS84)."""
J2 = 1.08262668e-3
"""Second zonal harmonic of the Earth's field."""
ORBIT_RADIUS_KM = 6378.137
"""Radius above which ``altitude_km`` of a shell counts."""

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

JulianDayColumn = Annotated[FloatArray, Column(np.float64, 2_433_000.5, 2_490_000.5)]
DayFractionColumn = Annotated[FloatArray, Column(np.float64, 0, 1)]
AngleColumn = Annotated[FloatArray, Column(np.float64, 0, 360)]
InclinationColumn = Annotated[FloatArray, Column(np.float64, 0, 180)]
EccentricityColumn = Annotated[FloatArray, Column(np.float64, 0, 0.999_999_999)]
MeanMotionColumn = Annotated[FloatArray, Column(np.float64, 1e-8, 20)]
DragColumn = Annotated[FloatArray, Column(np.float64, -1e3, 1e3)]
CatalogueColumn = Annotated[IntArray, Column(np.int64, 0, 999_999_999)]


class WalkerShell(StrictModel):
    """Circular orbits of one altitude in evenly spaced planes, satellites numbered plane by plane.

    Plane ``p`` has its ascending node at ``raan0_deg + spread * p / planes`` (360 degrees for
    ``delta``, 180 for ``star``). Satellite ``s`` of plane ``p`` starts at argument of latitude
    ``360 s / S + 360 F p / (P S)`` with ``phasing_rule="walker"``, or half a slot later in odd
    planes with ``"odd_planes_half_slot"`` (as Hypatia does). ``angle_decimals`` rounds both angles
    to so many decimals of a degree, as shells have that went through two-line elements (4). Source:
    J. G. Walker, Satellite constellations, J. Br. Interplanet. Soc. 37, 1984.
    """

    later_fields = ("angle_decimals",)

    planes: Annotated[int, Field(ge=1, le=1000)]
    satellites_per_plane: Annotated[int, Field(ge=1, le=1000)]
    phasing: Annotated[int, Field(ge=0, lt=1000)] = 0
    phasing_rule: Literal["walker", "odd_planes_half_slot"] = "walker"
    inclination_deg: Annotated[float, Field(ge=0, le=180)]
    altitude_km: Annotated[float, Field(ge=160, le=50_000)] | None = None
    mean_motion_rev_per_day: Annotated[float, Field(gt=0, le=17)] | None = None
    pattern: Literal["delta", "star"] = "delta"
    raan0_deg: Annotated[float, Field(ge=-360, le=360)] = 0.0
    angle_decimals: Annotated[int, Field(ge=0, le=12)] | None = None

    @model_validator(mode="after")
    def _size_is_given_once(self) -> Self:
        if (self.altitude_km is None) == (self.mean_motion_rev_per_day is None):
            raise rejection("altitude_km", "give either altitude_km or mean_motion_rev_per_day")
        if self.phasing >= self.planes:
            raise rejection("phasing", f"must be < planes = {self.planes}")
        return self

    @property
    def satellite_count(self) -> int:
        """Number of satellites in all planes."""
        return self.planes * self.satellites_per_plane


class ElementTable(StrictModel):
    """General perturbations element sets, one entry per satellite, as TLE and OMM carry them.

    ``epoch_jd`` is the Julian date (UTC) of midnight, ``epoch_fraction`` the part of the day.
    Angles are in degrees, mean motion in revolutions per day (Kozai), its first derivative halved
    in revolutions per day squared and its second divided by six in revolutions per day cubed, as
    the two-line format has them; ``bstar`` is per Earth radius.
    """

    name: tuple[Label, ...]
    catalogue_number: CatalogueColumn
    international_designator: tuple[Label, ...] | None = None
    epoch_jd: JulianDayColumn
    epoch_fraction: DayFractionColumn
    inclination_deg: InclinationColumn
    raan_deg: AngleColumn
    eccentricity: EccentricityColumn
    argument_of_perigee_deg: AngleColumn
    mean_anomaly_deg: AngleColumn
    mean_motion_rev_per_day: MeanMotionColumn
    mean_motion_dot: DragColumn
    mean_motion_ddot: DragColumn
    bstar: DragColumn

    def __len__(self) -> int:
        """Return the number of satellites."""
        return len(self.name)

    @model_validator(mode="after")
    def _columns_agree(self) -> Self:
        count = len(self.name)
        for field in type(self).model_fields:
            column = getattr(self, field)
            if column is not None and len(column) != count:
                raise rejection(field, f"must have {count} entries like name, got {len(column)}")
        return self


class Sgp4(StrictModel):
    """The standard analytical model of catalogued element sets, with WGS72 constants by default.

    Source: D. A. Vallado et al., Revisiting Spacetrack Report 3, AIAA 2006-6753.
    """

    type: Literal["sgp4"] = "sgp4"
    gravity: Literal["wgs72", "wgs72old", "wgs84"] = "wgs72"
    mode: Literal["improved", "afspc"] = "improved"


class CircularJ2(StrictModel):
    """Circular orbits with the secular effects of the Earth's oblateness, in closed form.

    With k = 1.5 J2 (Re / a)^2 n, argument of latitude grows by n + k (3 - 4 sin^2 i) and the
    ascending node by -k cos i. No short-period terms (some 10 km at 550 km altitude), no drag.
    """

    type: Literal["circular_j2"] = "circular_j2"
    gm_km3_s2: Annotated[float, Field(gt=1e5, lt=1e6)] = GM_KM3_S2
    j2: Annotated[float, Field(ge=0, lt=0.01)] = J2
    equatorial_radius_km: Annotated[float, Field(gt=6000, lt=7000)] = ORBIT_RADIUS_KM


def _by_name(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


def _shortest(value: Any) -> Any:
    """Spell a propagator with its usual constants by its name, as the first documents did."""
    return value.type if value in (Sgp4(), CircularJ2()) else value.model_dump()


Propagator = Annotated[
    Annotated[Sgp4 | CircularJ2, Field(discriminator="type")],
    BeforeValidator(_by_name),
    PlainSerializer(_shortest),
]
"""A propagator with its constants; its bare name stands for the usual constants."""
