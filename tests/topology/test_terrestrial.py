"""Listed cables: order, parallel ones, and lengths given or measured."""

from __future__ import annotations

import numpy as np
import pytest

from leotrek_opt.models.ground_links import TerrestrialNetwork
from leotrek_opt.topology.terrestrial import terrestrial_links

LATITUDE, LONGITUDE = np.zeros(4), np.array([10.0, 11.0, 13.0, -170.0])
DEGREE_KM = 6371 * np.pi / 180


def test_lengths_are_great_circles_times_the_stretch() -> None:
    network = TerrestrialNetwork(
        source=np.array([2, 0, 3]), target=np.array([0, 1, 0]), path_stretch=2.0
    )
    found = terrestrial_links(network, LATITUDE, LONGITUDE)
    assert (found.source.tolist(), found.target.tolist()) == ([0, 0, 0], [1, 2, 3])
    assert found.length_km == pytest.approx(np.array([2, 6, 360]) * DEGREE_KM)
    assert found.bandwidth_bps is None


def test_given_lengths_are_taken_as_they_are() -> None:
    network = TerrestrialNetwork(
        source=np.array([1, 0]),
        target=np.array([3, 2]),
        length_km=np.array([500.0, 70.0]),
        path_stretch=2.0,
    )
    assert terrestrial_links(network, LATITUDE, LONGITUDE).length_km.tolist() == [70.0, 500.0]


def test_parallel_cables_stay_in_their_order() -> None:
    network = TerrestrialNetwork(
        source=np.array([3, 2, 3, 2]),
        target=np.array([2, 3, 2, 1]),
        length_km=np.array([30.0, 10.0, 20.0, 5.0]),
        bandwidth_mbps=np.array([0.3, 1.000001, 0.2, 10.0]),
    )
    found = terrestrial_links(network, LATITUDE, LONGITUDE)
    assert found.source.tolist() == [1, 2, 2, 2]
    assert found.target.tolist() == [2, 3, 3, 3]
    assert found.length_km.tolist() == [5.0, 30.0, 10.0, 20.0]
    assert found.bandwidth_bps is not None
    assert found.bandwidth_bps.tolist() == [10_000_000, 300_000, 1_000_001, 200_000]


def test_places_may_begin_after_the_satellites() -> None:
    network = TerrestrialNetwork(source=np.array([102]), target=np.array([101]))
    found = terrestrial_links(network, LATITUDE, LONGITUDE, first_node=100)
    assert (found.source.tolist(), found.target.tolist()) == ([101], [102])
    assert found.length_km == pytest.approx([3 * DEGREE_KM])


def test_a_network_may_be_empty() -> None:
    none = np.empty(0, dtype=np.int64)
    found = terrestrial_links(TerrestrialNetwork(source=none, target=none), LATITUDE, LONGITUDE)
    assert len(found.source) == len(found.length_km) == 0
