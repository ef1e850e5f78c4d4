"""Published statistics of Stardust's protocols in correct form, on 2,000 real satellites."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from leotrek_opt.instances.tle import read_tle
from leotrek_opt.models.inter_satellite import InterSatelliteRule, Nearest, TreeLinks, Visibility
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.instants import instant_of
from leotrek_opt.topology.propagation import ephemeris
from leotrek_opt.topology.state import SatelliteState
from leotrek_opt.topology.strategies import inter_satellite_strategy
from leotrek_opt.topology.strategies.sight import link_lengths

INSTANT = 2_460_604.5, 0.5
RULES: dict[str, InterSatelliteRule] = {
    "mst": TreeLinks(type="mst"),
    "mst_loop": TreeLinks(type="mst_loop"),
    "mst_smart_loop": TreeLinks(type="mst_smart_loop"),
    "nearest_4_union": Nearest(),
    "pst": TreeLinks(type="pst"),
}


def statistics(folder: Path, rule: InterSatelliteRule) -> dict[str, Any]:
    table = read_tle(folder / "starlink_2000_20241021.tle").table
    topology = GeneratedTopology(fleet=table, inter_satellite=rule, ground=None)
    position, valid = ephemeris(topology).ecef(*INSTANT)
    state = SatelliteState(0, instant_of(*INSTANT), *INSTANT, position, valid)
    pairs = inter_satellite_strategy(topology, state)(state)
    length, up = link_lengths(position, valid, pairs, rule)
    assert up.all()
    count = len(table)
    graph = coo_array((length, (pairs.source, pairs.target)), shape=(count, count))
    size = np.bincount(connected_components(graph, directed=False)[1][valid])
    degree = np.bincount(np.concatenate(pairs[:2]), minlength=count)[valid]
    return {
        "edges": len(length),
        "components_among_valid": np.count_nonzero(size),
        "largest_component": size.max(),
        "total_length_km": length.sum(),
        "max_link_km": length.max(),
        "mean_link_latency_ms_vacuum": length.mean() / 299.792458,
        "degree_max": degree.max(),
        "degree_hist": np.bincount(degree).tolist(),
    }


@pytest.mark.reference
@pytest.mark.parametrize("name", RULES)
def test_links_agree_with_published_statistics(name: str, reference_data: Path) -> None:
    folder = reference_data / "topology"
    document = json.loads((folder / "protocols_starlink2000_expected.json").read_text())
    expected = document["expected"][name]
    found = statistics(folder, RULES[name])
    assert {"edges", "total_length_km", "degree_hist"} <= expected.keys()
    for quantity in found.keys() & expected.keys():
        assert found[quantity] == pytest.approx(expected[quantity], rel=1e-6), quantity


@pytest.mark.reference
def test_all_pairs_in_range_are_counted(reference_data: Path) -> None:
    found = statistics(reference_data / "topology", Visibility())
    assert found["edges"] == 55_153
