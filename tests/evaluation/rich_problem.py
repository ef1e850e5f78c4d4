"""A feasible problem in which every rule is at its limit, so that any small change breaks one.

Seven nodes, six steps, two workflows. Its placement takes 3 + 9 + 2 + 4 (data source) ms for w0 and
9 + 11 + 13 + 2 + 0 ms for w1.
"""

from __future__ import annotations

import numpy as np
from tests.evaluation.builders import place

from leotrek_opt.models.continuum import Continuum, HeatProfile, NodeEvent, NodeTable, TimeGrid
from leotrek_opt.models.placement import (
    PlacementObjective,
    PlacementProblem,
    PlacementSolution,
    ThermalRule,
)
from leotrek_opt.models.topology import ExplicitTopology, LinkEvents
from leotrek_opt.models.workflow import (
    Accelerator,
    DataEdge,
    DataSource,
    Function,
    StepInterval,
    Workflow,
)

OBJECTIVE_NS = 53_000_000

NODES = ("drone", "mast", "sat1", "sat2", "station", "cloud", "island")
STEPS = 6

# From end to end: milliseconds at every step, and Mbit/s.
LINKS = (
    ("drone", "sat1", 3.0, 100.0),
    ("sat1", "sat2", 5.0, 1000.0),
    ("sat2", "station", 4.0, 200.0),
    ("station", "cloud", 2.0, 1000.0),
    ("mast", "sat1", 6.0, 100.0),
    ("mast", "sat2", 7.0, 50.0),
    ("sat1", "station", 9.0, 200.0),
)

PLACEMENT = {
    "w0/ingest": "drone",
    "w0/extract": "sat1",
    "w0/detect": "station",
    "w0/prepare": "cloud",
    "w1/sensor": "drone",
    "w1/split": "mast",
    "w1/left": "station",
    "w1/right": "cloud",
    "w1/join": "cloud",
}


def heat(name: str, orbit_c: float, heating: float, recommended_c: float) -> HeatProfile:
    """Return a heat profile."""
    return HeatProfile(
        id=name,
        temperature_c=45.0,
        orbit_base_temperature_c=orbit_c,
        recommended_temperature_c=recommended_c,
        max_temperature_c=75.0,
        heating_c_per_core_minute=heating,
        radiated_c_per_minute=0.1,
    )


def rich_continuum() -> Continuum:
    """Return the seven nodes, which are full in some step."""
    latency = np.array([[link[2] for link in LINKS]] * STEPS)
    return Continuum(
        nodes=NodeTable(
            id=NODES,
            kind=("edge", "edge", "satellite", "satellite", "ground_station", "cloud", "edge"),
            architecture=("arm64", "arm64", "arm64", "arm64", "x86_64", "x86_64", "arm64"),
            capacity={
                "cpu_millis": np.array([4000, 4000, 4000, 4000, 8000, 8000, 64_000]),
                "memory_mib": np.array([4096, 4096, 2048, 4096, 3072, 8192, 8192]),
            },
            accelerators={"gpu": np.array([0, 0, 0, 0, 2, 1, 0])},
            heat_profile=np.array([-1, -1, 0, 1, -1, -1, -1]),
        ),
        # extract takes one minute on sat1: int(55) mod 75 + 1 * 4 - 0.1 = 58.9 is the limit.
        heat_profiles=(heat("cool", 55.0, 1.0, 58.9), heat("hot", 60.0, 2.0, 65.0)),
        time=TimeGrid(steps=STEPS),
        topology=ExplicitTopology(
            source=np.array([NODES.index(link[0]) for link in LINKS]),
            target=np.array([NODES.index(link[1]) for link in LINKS]),
            latency_ms=latency,
            bandwidth_mbps=np.array([[link[3] for link in LINKS]]),
            # drone - sat1 goes down right after the last function that needs it.
            events=LinkEvents(
                step=np.array([3, 5]), link=np.array([0, 0]), up=np.array([False, True])
            ),
        ),
        events=(
            NodeEvent(step=3, node="sat2", available=False),
            NodeEvent(step=4, node="station", available=False),
            NodeEvent(step=0, node="mast", available=False),
            NodeEvent(step=2, order=1, node="mast", available=True),
            NodeEvent(step=2, order=0, node="mast", available=False),
            NodeEvent(step=5, node="mast", resource="cpu_millis", capacity=0),
            NodeEvent(
                step=2,
                node="sat1",
                resource="cpu_millis",
                capacity=0,
                except_functions=("w0/extract",),
            ),
            NodeEvent(step=1, node="sat1", available=False, except_functions=("w0/extract",)),
        ),
    )


def observation() -> Workflow:
    """Return w0, a chain of four: 60000 + 500000 + 80000 ms, and 103 + 109 + 2 ms on the way."""
    return Workflow(
        id="w0",
        functions=(
            Function(
                id="ingest",
                demand={"cpu_millis": 1000, "memory_mib": 1024},
                architectures=("arm64",),
                pinned="drone",
            ),
            Function(
                id="extract",
                demand={"cpu_millis": 4000, "memory_mib": 2048},
                architectures=("arm64", "x86_64"),
                execution_ms={"arm64": 60_000, "x86_64": 50_000},
                step=1,
            ),
            Function(
                id="detect",
                demand={"cpu_millis": 4000, "memory_mib": 2048},
                execution_ms={"arm64": 600_000, "x86_64": 500_000},
                accelerator=Accelerator(mode="gpu", count=2),
                data_sources=(
                    DataSource(
                        id="eo",
                        node="sat2",
                        size_bytes=2_500_000,
                        max_latency_ms=4.0,
                        min_bandwidth_mbps=200.0,
                    ),
                ),
                step=2,
            ),
            Function(
                id="prepare",
                demand={"cpu_millis": 4000, "memory_mib": 4096},
                execution_ms={"x86_64": 80_000},
                step=4,
            ),
        ),
        edges=(
            DataEdge(
                source="ingest",
                target="extract",
                size_bytes=1_250_000,  # 10 Mbit at 100 Mbit/s: 100 ms
                max_latency_ms=3.0,
                min_bandwidth_mbps=100.0,
            ),
            DataEdge(
                source="extract",
                target="detect",
                size_bytes=2_500_000,  # 20 Mbit at 200 Mbit/s: 100 ms
                max_latency_ms=9.0,
                min_bandwidth_mbps=200.0,
            ),
            DataEdge(
                source="detect", target="prepare", max_latency_ms=2.0, min_bandwidth_mbps=1000.0
            ),
        ),
        response_time_slo_ms=640_214.0,
    )


def monitoring() -> Workflow:
    """Return w1, a diamond behind a sensor: 9 + 5 + (13 + 10) + 30 + 10 = 77 ms over ``right``."""
    return Workflow(
        id="w1",
        functions=(
            Function(id="sensor", demand={"cpu_millis": 10_000}, pinned="drone", reserves=False),
            Function(
                id="split",
                demand={"cpu_millis": 4000},
                architectures=("arm64",),
                execution_ms={"arm64": 5},
                step=2,
                hold=StepInterval(start=2, end=5),
            ),
            Function(
                id="left",
                demand={"cpu_millis": 4000, "memory_mib": 1024},
                execution_ms={"arm64": 20, "x86_64": 20},
                step=3,
            ),
            Function(
                id="right",
                demand={"cpu_millis": 2000},
                execution_ms={"arm64": 30, "x86_64": 30},
                accelerator=Accelerator(mode="gpu"),
                step=3,
            ),
            Function(
                id="join",
                demand={"cpu_millis": 2000},
                execution_ms={"arm64": 10, "x86_64": 10},
                accelerator=Accelerator(mode="gpu_preferred"),
                step=5,
                hold=StepInterval(start=5, end=6),
            ),
        ),
        edges=(
            DataEdge(source="sensor", target="split"),
            DataEdge(source="split", target="left", max_latency_ms=11.0),
            DataEdge(source="split", target="right", size_bytes=62_500),  # 0.5 Mbit at 50 Mbit/s
            DataEdge(source="left", target="join"),
            DataEdge(source="right", target="join", max_latency_ms=0.0),
        ),
        response_time_slo_ms=77.0,
    )


def rich_problem() -> PlacementProblem:
    """Return the problem."""
    return PlacementProblem(
        id="rich",
        continuum=rich_continuum(),
        workflows=(observation(), monitoring()),
        objective=PlacementObjective(metric="sum_latency", data_sources=True),
        thermal=ThermalRule(model="hyperdrive", limit="recommended"),
    )


def rich_solution() -> PlacementSolution:
    """Return a placement that keeps every rule."""
    return place(PLACEMENT)
