"""Routes step by step are those of each step alone."""

from __future__ import annotations

import pytest
from tests.topology.contacts.scenes import SHELL, scene

from leotrek_opt.errors import InputError
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.models.inter_satellite import PlusGrid
from leotrek_opt.topology.generated import topology_generator
from leotrek_opt.topology.routes.alternatives import shortest_routes
from leotrek_opt.topology.routes.steps import routes_over_time
from leotrek_opt.topology.routes.widest import widest_route


def test_each_step_has_its_own_routes() -> None:
    shell = SHELL.replace(planes=10, satellites_per_plane=10)
    rule = GroundLinks(min_elevation_deg=5.0, bandwidth_mbps=500.0)
    made = scene([(48.2, 16.4), (-1.3, 36.8)], shell=shell, steps=4, step_s=400.0, rule=rule)
    grid = PlusGrid(bandwidth_mbps=10_000.0)
    generator = topology_generator(
        made.replace(topology=made.topology.replace(inter_satellite=grid))
    )
    states = list(generator.states())
    best = list(routes_over_time(states, 100, 101, count=3))
    wide = list(routes_over_time(states, 100, 101, widest=True))
    none = list(routes_over_time(states, 100, 101, min_bandwidth_bps=10**9))
    assert [found.step for found in best] == [0, 1, 2, 3]
    for state, found, widest, nothing in zip(states, best, wide, none, strict=True):
        graph = generator.graph(state)
        assert found.time == state.time
        assert found.routes == shortest_routes(graph, 100, 101, 3)
        assert widest.routes == (widest_route(graph, 100, 101),)
        assert nothing.routes == ()
    with pytest.raises(InputError, match="widest: gives one route"):
        next(routes_over_time(states, 100, 101, widest=True, count=2))
    with pytest.raises(InputError, match="target"):
        next(routes_over_time(states, 100, 102))
