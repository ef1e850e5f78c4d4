"""How fast a link carries data: a radio link budget or an optical terminal."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from leotrek_opt.models.base import BandwidthMbps, StrictModel

Decibel = Annotated[float, Field(ge=-300, le=300)]


class RainFade(StrictModel):
    """Fade that is exceeded in a share of an average year, by ITU-R P.618; needs ``itur``.

    It holds for an end on the ground, and counts rain, clouds, gases and scintillation, on which
    the diameter of the antenna bears.
    """

    type: Literal["itu_r_p618"] = "itu_r_p618"
    unavailability_percent: Annotated[float, Field(ge=0.001, le=5)] = 0.1
    antenna_diameter_m: Annotated[float, Field(gt=0, le=100)] = 1.0


class RfLink(StrictModel):
    """A radio link whose rate follows from its budget.

    FSPL dB = 92.45 + 20 log10 d_km + 20 log10 f_GHz; C/N0 = EIRP - FSPL - losses + G/T + 228.6
    dBHz; rate = efficiency * B log2(1 + C/N), at most ``max_spectral_efficiency`` bit/s/Hz (the
    best modulation and coding), 0 below ``min_snr_db``. Source: ITU-R P.525-4 (free-space loss); C.
    E. Shannon, Communication in the presence of noise, Proc. IRE 37(1), 1949.
    """

    type: Literal["rf"] = "rf"
    frequency_ghz: Annotated[float, Field(ge=0.1, le=300)]
    channel_mhz: Annotated[float, Field(gt=0, le=100_000)]
    eirp_dbw: Decibel
    gain_over_temperature_db_k: Decibel
    losses_db: Annotated[float, Field(ge=0, le=300)] = 0.0
    efficiency: Annotated[float, Field(gt=0, le=1)] = 1.0
    max_spectral_efficiency: Annotated[float, Field(gt=0, le=20)] | None = None
    min_snr_db: Decibel = -10.0
    rain: RainFade | None = None


class OpticalLink(StrictModel):
    """A laser link in vacuum whose received power falls with the square of the distance.

    Received dBm = transmitted + 2 aperture gains - pointing and optics losses - 20 log10(4 pi d /
    wavelength). The link carries ``rate_mbps`` while that reaches ``sensitivity_dbm`` and falls in
    proportion to power below it (photon-limited), to nothing under ``min_rate_mbps``.
    """

    type: Literal["optical"] = "optical"
    wavelength_nm: Annotated[float, Field(ge=400, le=12_000)] = 1550.0
    transmit_power_dbm: Annotated[float, Field(ge=-60, le=80)] = 33.0
    aperture_mm: Annotated[float, Field(gt=0, le=10_000)] = 80.0
    losses_db: Annotated[float, Field(ge=0, le=200)] = 6.0
    sensitivity_dbm: Annotated[float, Field(ge=-150, le=50)] = -35.0
    rate_mbps: BandwidthMbps = 100_000.0
    min_rate_mbps: BandwidthMbps = 1.0


LinkModel = Annotated[RfLink | OpticalLink, Field(discriminator="type")]
