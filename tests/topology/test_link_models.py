"""Link models: budgets worked by hand, caps and cut-offs, distance, and ends of the range."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.errors import InputError
from leotrek_opt.models.link_models import LinkModel, OpticalLink, RainFade, RfLink
from leotrek_opt.topology.link_models import (
    bandwidth_bps,
    carrier_to_noise_density_dbhz,
    free_space_loss_db,
    latency_ns,
)

RADIO = RfLink(
    frequency_ghz=20.0,
    channel_mhz=250.0,
    eirp_dbw=30.0,
    gain_over_temperature_db_k=10.0,
    losses_db=2.0,
)


@pytest.mark.parametrize(
    ("frequency_ghz", "loss_db"), [(12.0, 175.0), (20.0, 179.5), (28.0, 182.4)]
)
def test_free_space_loss_over_a_slant_path_at_25_degrees(
    frequency_ghz: float, loss_db: float
) -> None:
    assert float(free_space_loss_db(1123.0, frequency_ghz)) == pytest.approx(loss_db, abs=0.05)


def test_free_space_loss_is_that_of_the_formula_of_friis() -> None:
    """(4 pi d f / c)^2, of which 92.45 dB is the rounded constant."""
    exact = 20 * math.log10(4 * math.pi * 1e6 * 14e9 / 299_792_458)
    assert float(free_space_loss_db(1000.0, 14.0)) == pytest.approx(exact, abs=0.003)


def test_radio_budget_by_hand() -> None:
    """At 1000 km and 20 GHz the loss is 92.45 + 60 + 26.0206 = 178.4706 dB.

    C/N0 = 30 - 178.4706 - 2 + 10 + 228.6 = 88.1294 dBHz; in 250 MHz (83.9794 dBHz) C/N is 4.15 dB
    or 2.6002, so the rate is 250 MHz log2(3.6002) = 462.016 Mbit/s.
    """
    assert float(carrier_to_noise_density_dbhz(RADIO, 1000.0)) == pytest.approx(88.1294, abs=1e-4)
    rate = bandwidth_bps(RADIO, [1000.0])
    assert rate.dtype == np.int64
    assert rate[0] == pytest.approx(462_016_000, rel=1e-5)
    half = bandwidth_bps(RADIO.replace(efficiency=0.5), [1000.0])
    assert half[0] == pytest.approx(rate[0] / 2, abs=1)


def test_rate_is_capped_by_modulation_and_cut_below_the_least_snr() -> None:
    capped = RADIO.replace(max_spectral_efficiency=1.5)
    assert bandwidth_bps(capped, [1000.0, 2000.0]).tolist() == [
        375_000_000,
        int(bandwidth_bps(RADIO, [2000.0])[0]),
    ]
    at_4_15_db = RADIO.replace(min_snr_db=4.1)
    assert bandwidth_bps(at_4_15_db, [1000.0])[0] > 0
    assert bandwidth_bps(at_4_15_db.replace(min_snr_db=4.2), [1000.0])[0] == 0


def test_optical_budget_by_hand() -> None:
    """An aperture of 80 mm gains 104.20 dB at 1550 nm; 5000 km of vacuum lose 272.16 dB.

    Received: 33 + 208.40 - 6 - 272.16 = -36.76 dBm, 1.76 dB short of the sensitivity, which leaves
    0.6667 of the rate.
    """
    laser = OpticalLink()
    assert bandwidth_bps(laser, [5000.0])[0] == pytest.approx(66.67e9, rel=1e-3)
    # 1.76 dB are a factor 1.2247 in distance.
    assert bandwidth_bps(laser, [4080.0, 4085.0, 5000 * math.sqrt(10)]).tolist() == [
        100_000_000_000,
        pytest.approx(99.886e9, rel=1e-4),
        pytest.approx(6.667e9, rel=1e-3),
    ]
    dim = laser.replace(min_rate_mbps=50_000.0)
    assert bandwidth_bps(dim, [5700.0, 5800.0]).tolist() == [pytest.approx(51.3e9, rel=1e-2), 0]


@given(
    model=st.one_of(
        st.builds(
            RfLink,
            frequency_ghz=st.floats(0.1, 300),
            channel_mhz=st.floats(1e-3, 100_000),
            eirp_dbw=st.floats(-300, 300),
            gain_over_temperature_db_k=st.floats(-300, 300),
            max_spectral_efficiency=st.none() | st.floats(0.1, 20),
            min_snr_db=st.floats(-300, 300),
        ),
        st.builds(
            OpticalLink,
            transmit_power_dbm=st.floats(-60, 80),
            aperture_mm=st.floats(0.1, 10_000),
            sensitivity_dbm=st.floats(-150, 50),
        ),
    ),
    length_km=st.lists(st.floats(0, 100_000), min_size=1, max_size=20),
)
def test_rate_never_grows_with_distance(model: LinkModel, length_km: list[float]) -> None:
    """And it is a bandwidth that a document may hold, even at no distance at all."""
    rate = bandwidth_bps(model, sorted(length_km))
    assert (np.diff(rate) <= 0).all()
    assert ((rate == 0) | (rate >= 1000)).all()
    assert rate.max() <= 10**15


def test_no_links_have_no_rates() -> None:
    assert bandwidth_bps(RADIO, np.empty(0)).shape == (0,)
    assert bandwidth_bps(OpticalLink(), np.empty(0)).dtype == np.int64


def test_rain_needs_an_end_on_the_ground() -> None:
    with pytest.raises(InputError, match=r"link_model\.rain: rain needs an end on the ground"):
        bandwidth_bps(RADIO.replace(rain=RainFade()), [1000.0])


def test_latency_is_rounded_half_to_even() -> None:
    assert latency_ns(np.array([1.5, 2.5, 299_792.458, np.nan]), 1e9).tolist()[:2] == [2.0, 2.0]
    assert latency_ns(np.array([299_792.458]), 299_792.458).tolist() == [1e9]
