"""The published scenario becomes the instance that its reference optimum belongs to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.instances.hyperdrive_folder import HEAT, documents, node, pred, task, write

from leotrek_opt.errors import InputError
from leotrek_opt.evaluation.placement import evaluate
from leotrek_opt.instances.hyperdrive import (
    read_mini_chains,
    read_optima,
    read_results,
    read_scenario,
    read_synthetic,
    scenario_sizes,
)
from leotrek_opt.models.placement import Assignment, PlacementSolution
from leotrek_opt.models.workflow import DataEdge
from leotrek_opt.topology.materialise import materialise
from leotrek_opt.topology.positions import positions


def test_read_scenario_orders_steps_by_minute_and_keeps_every_link(tmp_path: Path) -> None:
    problem = read_scenario(write(tmp_path, documents()))
    assert problem.continuum.time.offsets_s == (120.0, 240.0, 480.0)
    series = materialise(problem.continuum)
    links = [
        {
            (int(a), int(b)): int(ns)
            for a, b, ns in zip(s.source, s.target, s.latency_ns, strict=True)
        }
        for s in map(series.snapshot, range(3))
    ]
    ring = {(0, 1): 6_500_000, (1, 2): 6_250_000}
    assert links[0] == ring | {(0, 3): 3_000_001}
    assert links[1] == ring | {(1, 4): 4_000_000, (2, 5): 4_250_000}
    assert links[2] == ring | {(1, 5): 4_500_000, (0, 3): 3_500_000}


def test_read_scenario_translates_nodes(tmp_path: Path) -> None:
    parts = documents()
    parts["nodes"]["nodes"][1]["heat"]["temp_inc_per_cpu_minute_C"] = 2.0
    nodes = read_scenario(write(tmp_path, parts)).continuum.nodes
    assert nodes.id == ("n0", "n1", "n2", "n3", "n4", "n5")
    assert nodes.kind == ("satellite",) * 3 + ("edge",) * 2 + ("ground_station",)
    assert nodes.architecture == ("arm64",) * 5 + ("x86_64",)
    assert nodes.capacity["cpu_millis"].tolist() == [4000] * 5 + [32000]
    assert nodes.capacity["memory_mib"].tolist() == [4096] * 6
    assert nodes.capacity["battery_mah"].tolist() == [10000] * 3 + [0] * 3
    assert nodes.heat_profile is not None
    assert nodes.heat_profile.tolist() == [0, 1, 0, -1, -1, -1]


def test_read_scenario_collects_distinct_heat_profiles(tmp_path: Path) -> None:
    parts = documents()
    parts["nodes"]["nodes"][2]["heat"]["mocked_max_orbit_base_temp_C"] = 60.0
    profiles = read_scenario(write(tmp_path, parts)).continuum.heat_profiles
    assert [profile.orbit_base_temperature_c for profile in profiles] == [55.0, 60.0]
    assert profiles[0].max_temperature_c == HEAT["max_temp_C"]
    assert profiles[0].recommended_temperature_c == HEAT["recommended_high_temp_C"]
    assert profiles[0].heating_c_per_core_minute == HEAT["temp_inc_per_cpu_minute_C"]
    assert profiles[0].radiated_c_per_minute == HEAT["radiated_heat_per_minute_C"]
    assert profiles[0].temperature_c == HEAT["temperature_C"]


def test_read_scenario_knows_where_nodes_are_at_every_step(tmp_path: Path) -> None:
    parts = documents()
    parts["topology"]["times"]["8"]["sat_positions_lat_lon_alt"][1] = [-5.0, 170.0, 540.0]
    continuum = read_scenario(write(tmp_path, parts)).continuum
    early, late = positions(continuum, 0), positions(continuum, 2)
    assert (early.latitude_deg[1], early.longitude_deg[1], early.altitude_km[1]) == (41, -121, 551)
    assert (late.latitude_deg[1], late.longitude_deg[1], late.altitude_km[1]) == (-5, 170, 540)
    assert late.latitude_deg[3:].tolist() == [40.3, 40.4, 40.5]


def test_read_scenario_translates_workflows(tmp_path: Path) -> None:
    problem = read_scenario(write(tmp_path, documents()))
    assert [workflow.id for workflow in problem.workflows] == ["w0", "w1"]
    second = problem.workflows[1]
    assert [function.id for function in second.functions] == [
        "ingest",
        "extract-frames",
        "object-det",
    ]
    assert [function.step for function in second.functions] == [0, 1, 2]
    assert [function.pinned for function in second.functions] == ["n4", None, None]
    assert second.functions[0].reserves
    assert second.functions[1].demand == {"cpu_millis": 4000, "memory_mib": 2048}
    assert second.functions[1].execution_ms == {"arm64": 60000, "x86_64": 50000}
    assert second.edges == (
        DataEdge(source="ingest", target="extract-frames", max_latency_ms=100.0),
        DataEdge(
            source="extract-frames",
            target="object-det",
            max_latency_ms=150.0,
            min_bandwidth_mbps=2.0,
        ),
    )
    (source,) = second.functions[2].data_sources
    assert (source.id, source.node, source.max_latency_ms) == ("eo_satellite", "n1", 175.0)


def test_read_scenario_designates_satellites_after_what_is_placed_before(tmp_path: Path) -> None:
    """Workflow 1 extracts at the minute at which workflow 0 detects, after it."""
    events = read_scenario(write(tmp_path, documents())).continuum.events
    assert [(event.step, event.node, event.available) for event in events] == [
        (0, "n2", False),
        (1, "n1", False),
    ]
    # Pinned functions stand from the start, so they count as placed before.
    assert events[0].except_functions == ("w0/ingest", "w0/extract-frames", "w1/ingest")
    assert events[1].except_functions == ("w0/object-det", "w1/extract-frames")


def test_read_scenario_sets_objective_and_thermal_limit(tmp_path: Path) -> None:
    folder = write(tmp_path, documents())
    problem = read_scenario(folder, 6, thermal_limit="recommended", data_sources=True)
    assert problem.objective.name == "sum_latency+data_sources"
    assert problem.thermal is not None
    assert (problem.thermal.model, problem.thermal.limit) == ("hyperdrive", "recommended")


def test_read_scenario_takes_any_workflow_graph_and_compressed_files(tmp_path: Path) -> None:
    parts = documents()
    scenario = parts["scenario"]
    scenario["workflow"] += [
        task("left", [pred("object-det", 100)]),
        task("right", [pred("object-det"), pred("extract-frames", 80)]),
    ]
    scenario["n_workflows"] = 1
    scenario["ingest_nodes"], scenario["eo_satellites"] = [3], [2]
    scenario["schedule_times_min"] = [[2, 2, 4, 8]]
    problem = read_scenario(write(tmp_path, parts, packed=True))
    (workflow,) = problem.workflows
    assert [function.step for function in workflow.functions] == [0, 0, 0, 1, 2]
    assert len(workflow.edges) == 5
    (event,) = problem.continuum.events
    assert event.except_functions == ("w0/ingest", "w0/extract-frames")


def test_read_scenario_without_data_source_designates_nothing(tmp_path: Path) -> None:
    parts = documents()
    parts["scenario"]["workflow"][2]["data_sources"] = []
    assert read_scenario(write(tmp_path, parts)).continuum.events == ()


def test_scenario_sizes_lists_every_scenario(tmp_path: Path) -> None:
    write(tmp_path, documents())
    write(tmp_path, documents(), size=40, packed=True)
    assert scenario_sizes(tmp_path) == (6, 40)
    assert read_scenario(tmp_path, 6).id == "scenario01-6"
    with pytest.raises(InputError, match="holds several scenarios, name one of 6, 40"):
        read_scenario(tmp_path)
    with pytest.raises(InputError, match="holds no scenario of 7 nodes, only 6, 40"):
        read_scenario(tmp_path, 7)


def bend(*path: str | int, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(parts: dict[str, Any]) -> None:
        place: Any = parts
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "part", "field", "message"),
    [
        (bend("scenario", "n_workflows", to=3), "scenario", "ingest_nodes", "must have 3 entries"),
        (bend("scenario", "ingest_nodes", 0, to=9), "scenario", "ingest_nodes[0]", "no node 9"),
        (bend("scenario", "eo_satellites", 1, to=6), "scenario", "eo_satellites[1]", "no node 6"),
        (
            bend("scenario", "schedule_times_min", 1, to=[4]),
            "scenario",
            "schedule_times_min[1]",
            "must have 2 entries",
        ),
        (
            bend("scenario", "schedule_times_min", 1, 0, to=5),
            "scenario",
            "schedule_times_min[1][0]",
            "the topology has no minute 5",
        ),
        (
            bend("scenario", "workflow", 0, "preds", to=[pred("object-det")]),
            "scenario",
            "workflow[0]",
            "no predecessor",
        ),
        (
            bend("scenario", "workflow", 1, "preds", 0, "task", to="ingst"),
            "scenario",
            "edges[0].source",
            'did you mean "ingest"',
        ),
        (
            bend("scenario", "workflow", 1, "req", "milliCpu", to=-1),
            "scenario",
            "workflow[1].req.milliCpu",
            "must be >= 0",
        ),
        (
            bend("scenario", "workflow", 1, "cpu_archs", to=["sparc"]),
            "scenario",
            "workflow[1].cpu_archs[0]",
            "arm64",
        ),
        (bend("scenario", "total_nodes", to=7), "nodes", "nodes", "must have 7 entries"),
        (bend("nodes", "nodes", 4, "id", to=5), "nodes", "nodes[4].id", "must be 4"),
        (bend("nodes", "nodes", 2, to=node(2, "edge")), "nodes", "nodes[2].type", "satellites"),
        (bend("nodes", "nodes", 3, "lat", to=None), "nodes", "nodes[3]", "needs lat and lon"),
        (bend("nodes", "nodes", 3, "lat", to=91.0), "nodes", "latitude_deg", "must be <= 90"),
        (
            bend("topology", "times", "2", "edges", 0, to=[0, 6, 1.0]),
            "topology",
            "times.2.edges[0]",
            "no node 6, there are 6",
        ),
        (
            bend("topology", "times", "2", "edges", 0, to=[0, 1, -1.0]),
            "topology",
            "times.2.edges[0][2]",
            "must be >= 0",
        ),
        (
            bend("topology", "times", "2", "edges", 0, to=[1, 2, 1.0]),
            "scenario",
            "topology",
            "links nodes 1 and 2 twice",
        ),
        (bend("topology", "times", "2.5", to={}), "topology", "times", "required"),
        (
            bend("topology", "times", "4", "sat_positions_lat_lon_alt", to=[[0.0, 0.0, 550.0]]),
            "topology",
            "times.4.sat_positions_lat_lon_alt",
            "must have 3 entries",
        ),
    ],
)
def test_read_scenario_names_file_and_field_of_a_fault(
    tmp_path: Path,
    change: Callable[[dict[str, Any]], None],
    part: str,
    field: str,
    message: str,
) -> None:
    parts = documents()
    change(parts)
    with pytest.raises(InputError) as caught:
        read_scenario(write(tmp_path, parts))
    text = str(caught.value)
    assert f"scenario01-6-{part}.json" in text
    assert field in text
    assert message in text
    assert "\n" not in text


def test_read_scenario_refuses_minutes_that_are_no_numbers(tmp_path: Path) -> None:
    parts = documents()
    parts["topology"]["times"]["noon"] = parts["topology"]["times"]["2"]
    with pytest.raises(InputError, match='whole minutes, got "noon"'):
        read_scenario(write(tmp_path, parts))


@pytest.mark.parametrize("missing", ["scenario", "nodes", "topology"])
def test_read_scenario_says_which_file_is_missing(tmp_path: Path, missing: str) -> None:
    parts = documents()
    del parts[missing]
    with pytest.raises(InputError, match="scenario01-"):
        read_scenario(write(tmp_path, parts))


def test_read_scenario_refuses_what_is_no_json(tmp_path: Path) -> None:
    folder = write(tmp_path, documents())
    (folder / "scenario01-6-nodes.json").write_text('{"nodes": [')
    with pytest.raises(InputError, match=r"scenario01-6-nodes\.json"):
        read_scenario(folder)


def test_read_scenario_refuses_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        read_scenario(tmp_path / "absent")


def test_results_and_optima_are_empty_without_their_files(tmp_path: Path) -> None:
    folder = write(tmp_path, documents())
    assert read_results(folder) == {}
    assert read_optima(folder) == ()


def test_results_are_read_by_scheduler(tmp_path: Path) -> None:
    parts = documents()
    event = {
        "workflow": 0,
        "t_min": 2,
        "task": "extract-frames",
        "predecessor_node": 3,
        "target_node": 0,
        "score": 97,
        "pred_latency_ms": 3.000001,
        "data_latency_ms": None,
        "deg_C_over_recommended": -6.1,
        "deg_C_over_max": -16.1,
    }
    parts["results"] = {"hyperdrive": {"mean_e2e_ms": 1.0, "e2e_ms": [1.0], "events": [event]}}
    parts["exact"] = {
        "results": [{"thermal": "max", "count_data_latency": False, "optimum_total_ms": 9.5}]
    }
    folder = write(tmp_path, parts, packed=True)
    (found,) = read_results(folder)["hyperdrive"].events
    assert (found.target_node, found.score, found.deg_c_over_max) == (0, 97, -16.1)
    assert read_optima(folder, 6)[0].optimum_total_ms == 9.5


@pytest.mark.reference
def test_reference_scenario_has_the_published_shape(reference_data: Path) -> None:
    problem = read_scenario(reference_data / "placement", 1118)
    nodes = problem.continuum.nodes
    assert len(nodes) == 1118
    assert nodes.kind.count("satellite") == 1008
    assert len(problem.continuum.heat_profiles) == 3
    assert problem.continuum.time.steps == 15
    assert len(problem.workflows) == 5
    assert len(problem.continuum.events) == 5
    series = materialise(problem.continuum)
    assert [len(series.snapshot(step)) for step in range(15)] == [2124] * 15


@pytest.mark.reference
@pytest.mark.parametrize("variant", range(3))
def test_reference_optima_keep_every_rule_and_are_worth_what_is_stated(
    reference_data: Path, variant: int
) -> None:
    folder = reference_data / "placement"
    optimum = read_optima(folder, 1118)[variant]
    problem = read_scenario(
        folder, 1118, thermal_limit=optimum.thermal, data_sources=optimum.count_data_latency
    )
    nodes = {
        (f"w{entry.workflow}", function.id): function.pinned or f"n{chosen}"
        for entry in optimum.per_workflow
        for function, chosen in zip(
            problem.workflows[entry.workflow].functions, (-1, *entry.placement), strict=True
        )
    }
    solution = PlacementSolution(
        assignments=tuple(
            Assignment(workflow=workflow, function=function, node=chosen)
            for (workflow, function), chosen in nodes.items()
        )
    )
    found = evaluate(problem, solution)
    assert found.violations == ()
    assert found.objective_ns == pytest.approx(optimum.optimum_total_ms * 1e6, abs=10)


def chain_document() -> dict[str, Any]:
    """Three nodes in a row, 2 ms apart; ingest and satellite stand elsewhere."""
    hops, same = ([[abs(a - b) * 2.0 for b in range(3)] for a in range(3)] for _ in range(2))
    return {
        "cases": [
            {
                "workflow": 4,
                "ingest_node": 9,
                "eo_sat": 8,
                "nodes": [node(number, "edge") for number in (5, 6, 7)],
                "available": [[1, 1, 0], [0, 1, 1], [1, 0, 1]],
                "latency_ingest_ms": [1.0, 2.0, 3.0],
                "latency_eo_ms": [7.0, 5.0, 3.0],
                "latency_01_ms": hops,
                "latency_12_ms": same,
                "slo_ms": [100, 150, 100],
                "eo_slo_ms": 6.0,
                "optimum_e2e_ms": 5.0,
                "optimum_nodes": [5, 6, 7],
            }
        ]
    }


def solution_of(problem: Any, *numbers: int) -> PlacementSolution:
    (workflow,) = problem.workflows
    return PlacementSolution(
        assignments=tuple(
            Assignment(workflow=workflow.id, function=function.id, node=f"n{number}")
            for function, number in zip(workflow.functions, numbers, strict=True)
        )
    )


def test_mini_chain_has_the_latencies_and_masks_of_its_document(tmp_path: Path) -> None:
    path = tmp_path / "chains.json"
    path.write_text(json.dumps(chain_document()))
    (chain,) = read_mini_chains(path)
    assert chain.optimum_ms == 5.0
    assert evaluate(chain.problem, chain.optimum).objective_ns == 5_000_000
    assert evaluate(chain.problem, chain.optimum).violations == ()
    closed = evaluate(chain.problem, solution_of(chain.problem, 9, 7, 5, 6))
    assert [violation.rule for violation in closed.violations] == [
        "availability",
        "availability",
        "availability",
        "data_source",
    ]
    crowded = evaluate(chain.problem, solution_of(chain.problem, 9, 6, 6, 5))
    assert [violation.rule for violation in crowded.violations] == ["capacity"]


def test_mini_chain_may_count_its_satellite_among_the_nodes(tmp_path: Path) -> None:
    document = chain_document()
    document["cases"][0] |= {"eo_sat": 7, "latency_eo_ms": [4.0, 2.0, 0.0]}
    path = tmp_path / "chains.json"
    path.write_text(json.dumps(document))
    (chain,) = read_mini_chains(path)
    assert len(chain.problem.continuum.nodes) == 4
    found = evaluate(chain.problem, solution_of(chain.problem, 9, 5, 6, 7))
    (source,) = [link for link in found.breakdown.links if link.is_data_source]
    assert source.latency_ms == 2.0


def test_mini_chain_refuses_latencies_that_are_no_shortest_routes(tmp_path: Path) -> None:
    document = chain_document()
    document["cases"][0]["latency_12_ms"][0] = [0.0, 2.0, 5.0]
    path = tmp_path / "chains.json"
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"cases\[0\]\.latency_12_ms: must be the latencies of"):
        read_mini_chains(path)


@pytest.mark.reference
def test_reference_mini_chains_are_worth_their_optimum(reference_data: Path) -> None:
    chains = read_mini_chains(reference_data / "placement" / "mini-1118-chains.json")
    assert len(chains) == 5
    for chain in chains:
        found = evaluate(chain.problem, chain.optimum)
        assert found.violations == ()
        assert found.objective_ns == round(chain.optimum_ms * 1e6)


def synthetic_document() -> dict[str, Any]:
    return {
        "name": "tiny",
        "n_nodes": 4,
        "node_type": ["satellite", "satellite", "edge", "ground_station"],
        "cores": [4, 0, 4, 32],
        "tasks": [
            {"name": name, "cores": 4} for name in ("extract-frames", "object-det", "prepare-ds")
        ],
        "thermally_allowed": [[1, 1, 1, 1], [0, 1, 1, 1], [1, 1, 1, 1]],
        "edges_ms": [[0, 1, 6.5], [0, 2, 3.0], [1, 3, 4.0]],
        "workflows": [{"ingest_node": 2, "eo_satellite": 1}],
        "max_latency_ms": {
            "ingest_to_extract": 100,
            "extract_to_detect": 150,
            "detect_to_prepare": 100,
            "eo_to_detect": 4,
        },
        "optimum_ms": 27.0,
    }


def test_synthetic_reproduces_its_thermal_mask_and_counts_the_source(tmp_path: Path) -> None:
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(synthetic_document()))
    problem, optimum_ms = read_synthetic(path)
    assert optimum_ms == 27.0
    hot = evaluate(problem, solution_of(problem, 2, 3, 0, 3))
    assert [violation.rule for violation in hot.violations] == ["temperature", "data_source"]
    good = evaluate(problem, solution_of(problem, 2, 0, 3, 3))
    assert good.violations == ()
    # ingest 3, extract to detect 6.5 + 4, source 4, detect to prepare on one node
    assert good.objective_ns == 17_500_000


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("thermally_allowed", [[0, 1, 1, 1], [1] * 4, [1] * 4], "only .1, 1, 1. and .1, 0, 1."),
        ("cores", [4, 4, 4], "cores: must have 4 entries"),
        ("tasks", [{"name": name, "cores": 2} for name in "abc"], "must be extract-frames with 4"),
    ],
)
def test_synthetic_refuses_what_it_cannot_model(
    tmp_path: Path, field: str, value: Any, message: str
) -> None:
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(synthetic_document() | {field: value}))
    with pytest.raises(InputError, match=message):
        read_synthetic(path)


@pytest.mark.reference
@pytest.mark.parametrize("name", ["small-n80-w2", "n7030-w20"])
def test_reference_synthetic_masks_are_reproduced(reference_data: Path, name: str) -> None:
    from leotrek_opt.instances.json_reader import read_bytes
    from leotrek_opt.solvers.arrays.placement import placement_arrays

    path = reference_data / "placement" / "synthetic" / f"{name}.json.gz"
    problem, optimum_ms = read_synthetic(path)
    document = json.loads(read_bytes(path))
    assert optimum_ms == document["optimum_ms"]
    arrays = placement_arrays(problem, materialise(problem.continuum))
    (temperature,) = [rule.allowed for rule in arrays.rules if rule.name == "temperature"]
    mask = np.array(document["thermally_allowed"], dtype=bool)
    assert np.array_equal(temperature[1:4], mask)
