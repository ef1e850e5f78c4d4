"""Who relays, from the document to series and snapshots, frozen and solved."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from leotrek_opt.models.constellation import CircularJ2, WalkerShell
from leotrek_opt.models.continuum import Continuum, NodeTable, PositionSeries, TimeGrid
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.models.topology import ExplicitTopology, GeneratedTopology
from leotrek_opt.models.workflow import DataEdge, Function, Workflow
from leotrek_opt.solvers.api import solve, verify
from leotrek_opt.topology.freeze import freeze
from leotrek_opt.topology.materialise import materialise
from leotrek_opt.topology.routing import RouteGraph

SATELLITES, STATIONS = 8 * 8, 3


def explicit(relay: list[bool] | None) -> Continuum:
    """Return three nodes in a line, and a detour around the middle one."""
    return Continuum(
        nodes=NodeTable(
            id=("a", "b", "c", "d"), kind=("edge",) * 4, architecture=("arm64",) * 4, capacity={}
        ),
        time=TimeGrid(steps=1),
        topology=ExplicitTopology(
            source=[0, 1, 0, 3],
            target=[1, 2, 3, 2],
            latency_ms=[[1.0, 1.0, 4.0, 4.0]],
            relay=relay,
        ),
    )


def generated(*, ground_relay: bool) -> Continuum:
    epoch = datetime(2025, 6, 1, tzinfo=UTC)
    return Continuum(
        nodes=NodeTable(
            id=(*(f"s{n}" for n in range(SATELLITES)), "vienna", "graz", "linz"),
            kind=("satellite",) * SATELLITES + ("ground_station",) * STATIONS,
            architecture=("arm64",) * (SATELLITES + STATIONS),
            capacity={},
        ),
        positions=(
            PositionSeries(
                node=SATELLITES + np.arange(STATIONS),
                latitude_deg=np.array([[48.2, 47.1, 48.3]]),
                longitude_deg=np.array([[16.4, 15.4, 14.3]]),
                altitude_km=np.zeros((1, STATIONS)),
            ),
        ),
        time=TimeGrid(steps=2, start=epoch),
        topology=GeneratedTopology(
            shells=(
                WalkerShell(
                    planes=8,
                    satellites_per_plane=8,
                    phasing=1,
                    inclination_deg=53.0,
                    altitude_km=1200.0,
                    pattern="delta",
                ),
            ),
            epoch=epoch,
            propagator=CircularJ2(),
            ground_relay=ground_relay,
        ),
    )


def test_relays_of_a_document_reach_every_snapshot() -> None:
    series = materialise(explicit([True, False, True, True]))
    assert series.relay is not None
    assert series.relay.tolist() == [True, False, True, True]
    graph = RouteGraph.of_snapshot(series.snapshot(0), 4)
    assert graph.rows([0])[0].tolist() == [0, 1e6, 8e6, 4e6]


def test_document_without_relays_is_that_where_all_relay() -> None:
    assert materialise(explicit([True] * 4)) == materialise(explicit(None))


def test_ground_that_does_not_relay_is_frozen_as_such() -> None:
    continuum = generated(ground_relay=False)
    series = materialise(continuum)
    assert series.relay is not None
    assert series.relay.tolist() == [True] * SATELLITES + [False] * STATIONS
    assert materialise(freeze(continuum)) == series
    assert series != materialise(generated(ground_relay=True))
    assert materialise(generated(ground_relay=True)).relay is None


@pytest.mark.parametrize("metric", ["sum_latency", "critical_path"])
def test_placement_keeps_data_from_passing_through_silent_nodes(metric: str) -> None:
    ends = {"a": 0, "c": 1}
    functions = tuple(Function(id=f"f{k}", pinned=node, demand={}) for node, k in ends.items())
    workflow = Workflow(id="w", functions=functions, edges=(DataEdge(source="f0", target="f1"),))
    for relay, expected_ms in ((None, 2), ([True, False, True, True], 8)):
        problem = PlacementProblem(
            continuum=explicit(relay),
            workflows=(workflow,),
            objective={"metric": metric},
        )
        for solver in ("exact", "milp"):
            result = solve(problem, solver)
            assert result.objective_quanta == expected_ms * 10**6
            assert verify(problem, result).ok
