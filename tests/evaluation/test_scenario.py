"""The checker on HyperDrive's wildfire scenario: published runs, and optima found elsewhere.

Reference: the file set ``scenario01-1118`` of the published system (polaris-slo-cloud/hyper-drive,
commit 4072ae0, Apache-2.0). Every expected number below stands in those files.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.evaluation.builders import place

from leotrek_opt.evaluation.placement import Evaluation, evaluate
from leotrek_opt.models.continuum import Continuum, HeatProfile, NodeEvent, NodeTable, TimeGrid
from leotrek_opt.models.placement import PlacementObjective, PlacementProblem, ThermalRule
from leotrek_opt.models.topology import ExplicitTopology, LinkEvents
from leotrek_opt.models.workflow import DataEdge, DataSource, Function, Workflow

pytestmark = pytest.mark.reference

TASKS = ("extract-frames", "object-det", "prepare-ds")
RESOURCES = {"milliCpu": "cpu_millis", "memoryMiB": "memory_mib", "batteryMAh": "battery_mah"}
LATENCY_DIGITS_NS = 20
"""Published latencies carry all digits, the topology six decimals of a millisecond per link."""


def read(folder: Path, name: str) -> Any:
    path = folder / "placement" / f"scenario01-1118-{name}"
    if path.suffix == ".gz":
        return json.loads(gzip.decompress(path.read_bytes()))
    return json.loads(path.read_text())


@cache
def scenario(folder: Path) -> PlacementProblem:
    """Return the scenario with the published thermal estimate and hard maximum temperatures."""
    inputs = read(folder, "scenario.json")
    minutes = sorted({minute for times in inputs["schedule_times_min"] for minute in times})
    workflows = tuple(workflow(inputs, number, minutes) for number in range(inputs["n_workflows"]))
    # An Earth-observation satellite serves nobody else once its workflow's first task is placed.
    events = tuple(
        NodeEvent(
            step=minutes.index(times[0]),
            node=str(satellite),
            available=False,
            except_functions=(f"w{number}/extract-frames",),
        )
        for number, (times, satellite) in enumerate(
            zip(inputs["schedule_times_min"], inputs["eo_satellites"], strict=True)
        )
    )
    nodes, profiles = node_table(read(folder, "nodes.json")["nodes"])
    return PlacementProblem(
        continuum=Continuum(
            nodes=nodes,
            heat_profiles=profiles,
            time=TimeGrid(steps=len(minutes)),
            topology=topology(read(folder, "topology.json.gz")["times"], minutes),
            events=events,
        ),
        workflows=workflows,
        thermal=ThermalRule(model="hyperdrive", limit="max"),
    )


def workflow(inputs: dict[str, Any], number: int, minutes: list[int]) -> Workflow:
    times = dict(zip(TASKS, inputs["schedule_times_min"][number], strict=True))
    functions: list[Function] = []
    edges: list[DataEdge] = []
    for task in inputs["workflow"]:
        name = task["name"]
        functions.append(
            Function(
                id=name,
                demand={RESOURCES[key]: amount for key, amount in task["req"].items()},
                architectures=tuple(task["cpu_archs"]),
                execution_ms=task["exec_time_ms"],
                data_sources=tuple(
                    DataSource(
                        id="eo",
                        node=str(inputs["eo_satellites"][number]),
                        max_latency_ms=float(source["max_latency_ms"]),
                    )
                    for source in task["data_sources"]
                ),
                step=minutes.index(times[name]) if name in times else 0,
                pinned=None if name in times else str(inputs["ingest_nodes"][number]),
            )
        )
        edges += [
            DataEdge(source=one["task"], target=name, max_latency_ms=float(one["max_latency_ms"]))
            for one in task["preds"]
        ]
    return Workflow(id=f"w{number}", functions=tuple(functions), edges=tuple(edges))


def node_table(nodes: list[dict[str, Any]]) -> tuple[NodeTable, tuple[HeatProfile, ...]]:
    heats = [json.dumps(node.get("heat"), sort_keys=True) for node in nodes]
    kinds = sorted(set(heats) - {"null"})
    profiles = tuple(
        HeatProfile(
            id=f"profile-{number}",
            temperature_c=heat["temperature_C"],
            orbit_base_temperature_c=heat["mocked_max_orbit_base_temp_C"],
            recommended_temperature_c=heat["recommended_high_temp_C"],
            max_temperature_c=heat["max_temp_C"],
            heating_c_per_core_minute=heat["temp_inc_per_cpu_minute_C"],
            radiated_c_per_minute=heat["radiated_heat_per_minute_C"],
        )
        for number, heat in enumerate(map(json.loads, kinds))
    )
    table = NodeTable(
        id=tuple(str(node["id"]) for node in nodes),
        kind=tuple(node["type"] for node in nodes),
        architecture=tuple(node["cpu_arch"] for node in nodes),
        capacity={
            name: np.array([node["resources"].get(key, 0) for node in nodes])
            for key, name in RESOURCES.items()
        },
        heat_profile=np.array([-1 if heat == "null" else kinds.index(heat) for heat in heats]),
    )
    return table, profiles


def topology(times: dict[str, Any], minutes: list[int]) -> ExplicitTopology:
    """Return all links that exist at some minute, taken down where they do not."""
    latencies = [
        {(u, v): latency for u, v, latency in times[str(minute)]["edges"]} for minute in minutes
    ]
    links = sorted(set().union(*latencies))
    changes = [
        (step, row, link in latencies[step])
        for row, link in enumerate(links)
        for step in range(len(minutes))
    ]
    return ExplicitTopology(
        source=np.array([link[0] for link in links]),
        target=np.array([link[1] for link in links]),
        latency_ms=np.array([[row.get(link, 0.0) for link in links] for row in latencies]),
        events=LinkEvents(
            step=np.array([change[0] for change in changes]),
            link=np.array([change[1] for change in changes]),
            up=np.array([change[2] for change in changes]),
        ),
    )


def run(problem: PlacementProblem, targets: dict[tuple[int, str], int]) -> Evaluation:
    """Evaluate the placement of all tasks, each ingest where it is pinned."""
    nodes = {f"w{number}/{task}": str(node) for (number, task), node in targets.items()}
    for one in problem.workflows:
        for function in one.functions:
            if function.pinned is not None:
                nodes[f"{one.id}/{function.id}"] = function.pinned
    return evaluate(problem, place(nodes))


def count(evaluation: Evaluation, rule: str) -> int:
    return sum(violation.rule == rule for violation in evaluation.violations)


def exceeded(values: Iterable[tuple[float | None, float | None]]) -> int:
    return sum(value > limit for value, limit in values if value is not None and limit is not None)


@pytest.mark.parametrize("index", range(3), ids=["maximum", "recommended", "with data source"])
def test_known_optima_keep_every_rule_and_are_worth_what_was_found(
    reference_data: Path, index: int
) -> None:
    known = read(reference_data, "exact.json")["results"][index]
    problem = scenario(reference_data).replace(
        thermal=ThermalRule(model="hyperdrive", limit=known["thermal"]),
        objective=PlacementObjective(data_sources=known["count_data_latency"]),
    )
    targets = {
        (row["workflow"], task): node
        for row in known["per_workflow"]
        for task, node in zip(TASKS, row["placement"], strict=True)
    }
    evaluation = run(problem, targets)
    assert evaluation.violations == ()
    assert evaluation.objective_ns == round(known["optimum_total_ms"] * 10**6)
    for row, value in zip(known["per_workflow"], evaluation.breakdown.workflows, strict=True):
        expected = row["e2e_ms"] + known["count_data_latency"] * row["data_latency_ms"]
        assert value.value_ms == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("scheduler", "links", "sources", "too_hot", "recommended"),
    [("hyperdrive", 0, 0, 0, 0), ("firstfit", 6, 4, 0, 0), ("roundrobin", 4, 2, 1, 5)],
)
def test_published_runs_break_as_many_rules_as_published(
    reference_data: Path,
    scheduler: str,
    links: int,
    sources: int,
    too_hot: int,
    recommended: int,
) -> None:
    evaluation = replay(reference_data, scheduler)
    assert count(evaluation, "max_latency") == links
    assert count(evaluation, "data_source") == sources
    assert count(evaluation, "temperature") == too_hot
    assert len(evaluation.violations) == links + sources + too_hot
    above = [
        entry.temperature_c > entry.recommended_temperature_c
        for entry in evaluation.breakdown.temperatures
    ]
    assert sum(above) == recommended


@pytest.mark.parametrize(
    "scheduler",
    ["hyperdrive", "firstfit", "roundrobin", "random-seed0", "random-seed1", "random-seed2"],
)
def test_recorded_runs_have_the_recorded_latencies_and_temperatures(
    reference_data: Path, scheduler: str
) -> None:
    recorded = read(reference_data, "results.json")[scheduler]
    evaluation = replay(reference_data, scheduler)
    found = {
        (link.workflow, link.target, link.is_data_source): link.latency_ms
        for link in evaluation.breakdown.links
    }
    heat = {(t.workflow, t.function): t for t in evaluation.breakdown.temperatures}
    events = recorded["events"]
    for event in events:
        name = f"w{event['workflow']}"
        for key, is_source in (("pred_latency_ms", False), ("data_latency_ms", True)):
            if event[key] is not None:
                latency = found[name, event["task"], is_source]
                assert latency == pytest.approx(event[key], abs=LATENCY_DIGITS_NS / 10**6)
        if event["deg_C_over_max"] is not None:
            entry = heat[name, event["task"]]
            over = entry.temperature_c - entry.max_temperature_c
            assert over == pytest.approx(event["deg_C_over_max"], abs=1e-9)
    values = [value.value_ms for value in evaluation.breakdown.workflows]
    assert values == pytest.approx(recorded["e2e_ms"], abs=3 * LATENCY_DIGITS_NS / 10**6)
    assert count(evaluation, "max_latency") == exceeded(
        (event["pred_latency_ms"], event["pred_latency_slo_ms"]) for event in events
    )
    assert count(evaluation, "data_source") == exceeded(
        (event["data_latency_ms"], event["data_latency_slo_ms"]) for event in events
    )


def replay(reference_data: Path, scheduler: str) -> Evaluation:
    events = read(reference_data, "results.json")[scheduler]["events"]
    targets = {(event["workflow"], event["task"]): event["target_node"] for event in events}
    return run(scenario(reference_data), targets)
