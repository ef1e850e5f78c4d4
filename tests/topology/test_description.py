"""Figures of a topology against a graph library that counts them one by one."""

from __future__ import annotations

import json

import networkx as nx
import numpy as np
import pytest
from tests.topology.contacts.scenes import SHELL, element_table, scene

from leotrek_opt.models.inter_satellite import NearestK, PlusGrid
from leotrek_opt.topology.description import describe_topology
from leotrek_opt.topology.freeze import freeze
from leotrek_opt.topology.positions import positions
from leotrek_opt.topology.simulation.sources import state_source

PLACES = [(48.2, 16.4), (-33.9, 151.2), (85.0, 0.0)]


def test_counts_are_those_of_a_graph() -> None:
    """Four nearest links of a sparse shell: several parts, and a place that sees nothing."""
    made = scene(PLACES, steps=5, step_s=300.0)
    made = made.replace(topology=made.topology.replace(inter_satellite=NearestK(k=1)))
    found = describe_topology(made, state_source(made))
    assert found.steps == len(found.per_step) == 5
    where = [positions(made, step).altitude_km[:30] for step in range(5)]
    assert found.altitude_km.least == pytest.approx(np.min(where))
    assert found.altitude_km.greatest == pytest.approx(np.max(where))
    latency = []
    for figures, state in zip(found.per_step, state_source(made).states(), strict=True):
        graph = nx.Graph()
        graph.add_nodes_from(range(33))
        graph.add_edges_from(
            zip(state.links.source.tolist(), state.links.target.tolist(), strict=True)
        )
        parts = [part for part in nx.connected_components(graph) if len(part) > 1]
        assert figures.components == len(parts)
        assert figures.largest_component == max(map(len, parts))
        assert figures.isolated == sum(degree == 0 for _, degree in graph.degree)
        assert figures.unserved_ground == sum(graph.degree[node] == 0 for node in (30, 31, 32))
        between = graph.subgraph(range(30))
        degrees = [degree for _, degree in between.degree]
        assert figures.degree.least == min(degrees)
        assert figures.degree.greatest == max(degrees)
        assert figures.degree.mean == pytest.approx(np.mean(degrees))
        assert sum(figures.links) == graph.number_of_edges()
        latency += (state.links.latency_ns[state.link_kind == 0] / 1e6).tolist()
    ours = found.kinds[0].latency_ms
    assert (ours.least, ours.greatest) == (min(latency), max(latency))
    assert ours.mean == pytest.approx(np.mean(latency))
    assert found.kinds[2].latency_ms.mean is None
    json.dumps(found.document(), allow_nan=False)


def test_shifts_are_resolved_and_ages_counted() -> None:
    made = scene(PLACES, steps=2)
    grid = made.replace(
        topology=made.topology.replace(inter_satellite=PlusGrid(cross_link_shift=-2)),
        time=made.time.replace(start=made.time.start.replace(day=3)),  # type: ignore[union-attr]
    )
    found = describe_topology(grid, state_source(grid))
    assert found.shells[0].cross_link_shift == -2
    assert found.shells[0].phasing == SHELL.phasing
    assert found.epoch_age_days.mean == pytest.approx(2.0)


def test_shells_are_found_in_a_fleet_with_planes_and_strays() -> None:
    rows = [
        {"raan_deg": 60.0 * plane, "mean_anomaly_deg": 45.0 * slot}
        for plane in range(6)
        for slot in range(8)
    ]
    rows.append({"mean_motion_rev_per_day": 13.0})
    made = scene([], shell=None, fleet=element_table(rows), steps=1)
    found = describe_topology(made, state_source(made))
    (shell,) = found.shells
    assert (shell.satellites, shell.planes, shell.pattern) == (48, 6, None)
    assert found.unplaced_satellites == 1


def test_what_is_written_out_has_the_same_links() -> None:
    made = scene(PLACES, steps=3)
    made = made.replace(topology=made.topology.replace(inter_satellite=PlusGrid()))
    frozen = freeze(made)
    one, other = (describe_topology(each, state_source(each)) for each in (made, frozen))
    assert [step.links for step in one.per_step] == [step.links for step in other.per_step]
    assert one.kinds == other.kinds
    assert other.shells == ()
    assert other.epoch_age_days.mean is None
