"""Facts about constellations, shell by shell, with where each is from.

Altitudes are above 6378.137 km. No filing with a phasing factor was found, so none is stated here.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

SOURCES = {
    "bassa": "C. G. Bassa, O. R. Hainaut, D. Galadí-Enríquez, Analytical simulations of the effect "
    "of satellite constellations on optical and near-infrared observations, A&A 657, A75, 2022, "
    "Table 1, from filings with FCC and ITU",
    "leocraft": "design parameters of LEOCraft (suvambasak/LEOCraft), which cites FCC "
    "SAT-MOD-20200417-00037, SAT-LOA-20190704-00057, SAT-MPL-20200526-00053 and -00062, and the "
    "FCC order on Starlink Gen2",
    "starperf": "configuration of StarPerf (SpaceNetLab/StarPerf_Simulator @004ac9e)",
    "hypatia": "configuration scripts of the Hypatia paper (snkas/hypatia @0ac531c)",
    "fcc-da-23-362": "FCC order DA 23-362, paragraph 6",
    "press": "press reports; no filing was found",
    "unverified": "general knowledge that was not checked against a document",
}
"""What the letters of a shell's ``sources`` stand for."""

_ASSUMED_SPREAD = "ascending nodes over 360 degrees are assumed, the source does not say"
_ASSUMED_STAR = "the star pattern is assumed from the near-polar inclination"


class ShellFacts(NamedTuple):
    """One shell as its sources give it; None is what they do not establish."""

    altitude_km: float
    inclination_deg: float | None
    planes: int
    satellites_per_plane: int
    satellites: int
    sources: tuple[str, ...]
    pattern: Literal["delta", "star"] = "delta"
    raan_spread_deg: float = 360.0
    note: str = ""


class PresetFacts(NamedTuple):
    """A constellation: its shells, the least elevation its sources state, and what stays open."""

    title: str
    shells: tuple[ShellFacts, ...]
    min_elevation_deg: float | None = None
    note: str = ""
    altitude_is_established: bool = True


_BLS = ("bassa", "leocraft", "starperf")
_BLSH = (*_BLS, "hypatia")
_BL = ("bassa", "leocraft")

PRESETS = {
    "starlink-gen1": PresetFacts(
        "Starlink, first generation as modified in 2021",
        (
            ShellFacts(550, 53.0, 72, 22, 1584, _BLSH),
            ShellFacts(540, 53.2, 72, 22, 1584, _BLS),
            ShellFacts(570, 70.0, 36, 20, 720, _BLS),
            ShellFacts(560, 97.6, 6, 58, 348, ("bassa",), note=_ASSUMED_SPREAD),
            ShellFacts(560, 97.6, 4, 43, 172, ("bassa",), note=_ASSUMED_SPREAD),
        ),
        min_elevation_deg=25.0,
        note="StarPerf merges the two shells at 560 km to 10 planes of 52",
    ),
    "starlink-gen2-proposed": PresetFacts(
        "Starlink, second generation as proposed with 29,988 satellites",
        (
            ShellFacts(340, 53.0, 48, 110, 5280, ("leocraft",)),
            ShellFacts(345, 46.0, 48, 110, 5280, ("leocraft",)),
            ShellFacts(350, 38.0, 48, 110, 5280, ("leocraft",)),
            ShellFacts(360, 96.9, 30, 120, 3600, ("leocraft",), note=_ASSUMED_SPREAD),
            ShellFacts(525, 53.0, 28, 120, 3360, ("leocraft",)),
            ShellFacts(
                530, 43.0, 28, 120, 3360, ("leocraft",),
                note="LEOCraft prints 23 planes of 20; the 10,080 filed for 525 to 535 km need "
                "28 of 120",
            ),
            ShellFacts(535, 33.0, 28, 120, 3360, ("leocraft",)),
            ShellFacts(604, 148.0, 12, 12, 144, _BL, note=_ASSUMED_SPREAD),
            ShellFacts(614, 115.7, 18, 18, 324, _BL, note=_ASSUMED_SPREAD),
        ),
    ),
    "kuiper": PresetFacts(
        "Kuiper (Amazon)",
        (
            ShellFacts(630, 51.9, 34, 34, 1156, _BLSH),
            ShellFacts(610, 42.0, 36, 36, 1296, _BLS),
            ShellFacts(590, 33.0, 28, 28, 784, _BLS),
        ),
        min_elevation_deg=35.0,
        note="Hypatia takes a least elevation of 30 degrees",
    ),
    "oneweb-as-filed": PresetFacts(
        "OneWeb, first phase as filed",
        (ShellFacts(1200, 87.9, 36, 55, 1980, ("bassa",), "star", 180.0, _ASSUMED_STAR),),
    ),
    "oneweb-deployed": PresetFacts(
        "OneWeb, first phase as deployed",
        (ShellFacts(1200, 87.9, 12, 49, 588, ("starperf", "fcc-da-23-362"), "star", 180.0),),
    ),
    "oneweb-phase2": PresetFacts(
        "OneWeb, second phase",
        (
            ShellFacts(1200, 87.9, 36, 49, 1764, _BL, "star", 180.0, _ASSUMED_STAR),
            ShellFacts(
                1200, 40.0, 32, 72, 2304, ("bassa",),
                note="an earlier filing had 720 in a plane, 47,844 in all",
            ),
            ShellFacts(1200, 55.0, 32, 72, 2304, ("bassa",)),
        ),
        min_elevation_deg=5.0,
    ),
    "telesat": PresetFacts(
        "Telesat Lightspeed as filed with 1,671 satellites",
        (
            ShellFacts(
                1015, 98.98, 27, 13, 351, ("starperf", "hypatia"), note=_ASSUMED_SPREAD
            ),
            ShellFacts(1325, 50.88, 40, 33, 1320, ("starperf",)),
        ),
        min_elevation_deg=10.0,
    ),
    "iridium": PresetFacts(
        "Iridium NEXT",
        (ShellFacts(780, 86.4, 6, 11, 66, ("unverified",), "star", 180.0),),
        note="public element sets show 86.39 degrees and about 776 km; a least elevation of 8.2 "
        "degrees is in common use and was not verified",
    ),
    "guowang-a59": PresetFacts(
        "Guowang (SatNet), filing GW-A59",
        (
            ShellFacts(590, 85.0, 8, 60, 480, ("bassa",)),
            ShellFacts(600, 50.0, 40, 50, 2000, ("bassa",)),
            ShellFacts(508, 55.0, 60, 60, 3600, ("bassa",)),
        ),
    ),
    "guowang-2": PresetFacts(
        "Guowang (SatNet), filing GW-2",
        (
            ShellFacts(1145, 30.0, 27, 64, 1728, ("bassa",)),
            ShellFacts(1145, 40.0, 27, 64, 1728, ("bassa",)),
            ShellFacts(1145, 50.0, 27, 64, 1728, ("bassa",)),
            ShellFacts(1145, 60.0, 27, 64, 1728, ("bassa",)),
        ),
    ),
    "qianfan": PresetFacts(
        "Qianfan (Spacesail), first phase of 1,296",
        (
            ShellFacts(
                1160, None, 36, 36, 1296, ("press", "unverified"), "star", 180.0,
                "36 polar planes of 36 by press reports; the star pattern is assumed",
            ),
        ),
        altitude_is_established=False,
    ),
}  # fmt: skip
"""By the name under which :func:`leotrek_opt.instances.presets.preset` finds them."""
