"""Replay HyperDrive's published scenarios, and solve them exactly.

Reads a folder with ``scenario01-<N>-{scenario,nodes,topology,results,exact}.json[.gz]``, any N.
Every deterministic reference scheduler is replayed event by event; the exact variants are solved
and held against the stored optima. Exit code 1 on a disagreement.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

from _common import parser

from leotrek_opt.errors import InputError
from leotrek_opt.evaluation.placement import evaluate
from leotrek_opt.instances.hyperdrive import (
    read_optima,
    read_results,
    read_scenario,
    scenario_sizes,
)
from leotrek_opt.models.placement import Assignment, PlacementProblem, PlacementSolution
from leotrek_opt.solvers.api import solve
from leotrek_opt.solvers.arrays.placement import PlacementArrays, placement_arrays
from leotrek_opt.solvers.heuristics.online import replay
from leotrek_opt.solvers.heuristics.published import (
    first_fit_scheduler,
    hyperdrive_scheduler,
    round_robin_scheduler,
)
from leotrek_opt.topology.materialise import materialise

DATA_VARIABLE = "LEOTREK_REFERENCE_DATA"
PUBLISHED_MS_PER_NODE = 0.15
LATENCY_TOLERANCE_MS = 1e-5
OPTIMUM_TOLERANCE_MS = 1e-4
VARIANTS = (("max", False), ("recommended", False), ("max", True))

Row = dict[str, Any]


def schedulers(arrays: PlacementArrays) -> dict[str, Any]:
    """Return a fresh scheduler for every deterministic reference run."""
    return {
        "hyperdrive": hyperdrive_scheduler(arrays),
        "firstfit": first_fit_scheduler(),
        "roundrobin": round_robin_scheduler(),
    }


def replayed(problem: PlacementProblem, folder: Path, size: int) -> tuple[list[Row], float]:
    """Replay every reference run; return one row per event and the seconds HyperDrive took."""
    started = time.perf_counter()
    arrays = placement_arrays(problem, materialise(problem.continuum))
    built_s = time.perf_counter() - started
    try:
        expected = read_results(folder, size)
    except InputError:
        expected = {}
    rows: list[Row] = []
    hyperdrive_s = 0.0
    for name, scheduler in schedulers(arrays).items():
        started = time.perf_counter()
        assignment, decisions = replay(arrays, scheduler)
        if name == "hyperdrive":
            hyperdrive_s = built_s + time.perf_counter() - started
        scores = {decision.function: decision.score for decision in decisions}
        solution = arrays.solution(assignment)
        links = {
            (link.workflow, link.target, link.is_data_source): link.latency_ms
            for link in evaluate(problem, solution).breakdown.links
        }
        numbers = {arrays.name_of(index): index for index in range(arrays.n_functions)}
        for event in expected[name].events if name in expected else ():
            workflow = f"w{event.workflow}"
            function = numbers[f"{workflow}/{event.task}"]
            rows.append(
                compared(
                    name,
                    event,
                    int(assignment[function]),
                    scores.get(function),
                    links.get((workflow, event.task, False)),
                    links.get((workflow, event.task, True)),
                )
            )
    rows += sampled(problem, expected)
    return rows, hyperdrive_s


def compared(
    run: str,
    event: Any,
    node: int,
    score: int | None,
    latency_ms: float | None,
    data_latency_ms: float | None,
) -> Row:
    """Return one event beside the reference."""
    agrees = node == (-1 if event.target_node is None else event.target_node)
    if run == "hyperdrive" and event.score is not None:
        agrees &= score == round(event.score)
    for found, wanted in (
        (latency_ms, event.pred_latency_ms),
        (data_latency_ms, event.data_latency_ms),
    ):
        if wanted is not None and wanted >= 0:
            agrees &= found is not None and abs(found - wanted) <= LATENCY_TOLERANCE_MS
    return {
        "scheduler": run,
        "workflow": event.workflow,
        "task": event.task,
        "node": node,
        "expected_node": event.target_node,
        "score": score,
        "latency_ms": latency_ms,
        "agrees": bool(agrees),
    }


def sampled(problem: PlacementProblem, expected: dict[str, Any]) -> list[Row]:
    """Evaluate random reference runs, whose generator is unknown: the checker must read them."""
    pinned = [
        Assignment(workflow=workflow.id, function=function.id, node=function.pinned)
        for workflow in problem.workflows
        for function in workflow.functions
        if function.pinned is not None
    ]
    rows: list[Row] = []
    for name, run in expected.items():
        if not name.startswith("random"):
            continue
        placed = [
            Assignment(
                workflow=f"w{event.workflow}", function=event.task, node=f"n{event.target_node}"
            )
            for event in run.events
            if event.target_node is not None
        ]
        found = evaluate(problem, PlacementSolution(assignments=(*pinned, *placed)))
        rows.append(
            {
                "scheduler": name,
                "objective_ms": None if found.objective_ns is None else found.objective_ns / 1e6,
                "violations": len(found.violations),
                "agrees": found.objective_ns is not None
                and math.isclose(found.objective_ns / 1e6, sum(run.e2e_ms), abs_tol=1e-3),
            }
        )
    return rows


def exact_variants(folder: Path, size: int) -> tuple[list[Row], float]:
    """Solve every variant; return rows and the seconds of the first, routing included."""
    try:
        optima = {(o.thermal, o.count_data_latency): o for o in read_optima(folder, size)}
    except InputError:
        optima = {}
    rows: list[Row] = []
    first_s = 0.0
    for thermal, data_sources in VARIANTS:
        problem = read_scenario(folder, size, thermal_limit=thermal, data_sources=data_sources)
        result = solve(problem, "exact")
        if not rows:
            first_s = result.build_s + result.solve_s
        wanted = optima.get((thermal, data_sources))
        total = None if wanted is None else wanted.optimum_total_ms
        agrees = result.status == "optimal" and (
            total is None
            or (
                result.objective is not None
                and abs(result.objective - total) <= OPTIMUM_TOLERANCE_MS
            )
        )
        rows.append(
            {
                "thermal": thermal,
                "data_sources": data_sources,
                "status": str(result.status),
                "proof": str(result.proof),
                "objective_ms": result.objective,
                "expected_ms": total,
                "seconds": result.build_s + result.solve_s,
                "verify_s": result.verify_s,
                "agrees": agrees,
            }
        )
    return rows, first_s


def run(folder: Path, size: int) -> Row:
    """Replay and solve one scenario."""
    problem = read_scenario(folder, size)
    events, hyperdrive_s = replayed(problem, folder, size)
    variants, exact_s = exact_variants(folder, size)
    placed = sum(f.pinned is None for w in problem.workflows for f in w.functions)
    published_s = PUBLISHED_MS_PER_NODE * len(problem.continuum.nodes) * placed / 1000
    single = [row for row in events if "expected_node" in row]
    return {
        "total_nodes": size,
        "events": events,
        "exact": variants,
        "figures": {
            "events": len(single),
            "events_agreeing": sum(row["agrees"] for row in single),
            "exact_s": exact_s,
            "hyperdrive_published_s": hyperdrive_s,
            "published_rate_s": published_s,
            "exact_over_published_rate": exact_s / published_s,
        },
        "disagreements": [row for row in (*events, *variants) if not row["agrees"]],
    }


def show(report: Row) -> None:
    """Print one scenario for people."""
    figures = report["figures"]
    print(f"{report['total_nodes']} nodes")
    print(f"  events agreeing: {figures['events_agreeing']} of {figures['events']}")
    for row in report["exact"]:
        print(
            f"  exact, {row['thermal']} temperature, data sources {row['data_sources']}: "
            f"{row['objective_ms']} ms (expected {row['expected_ms']}), {row['status']}, "
            f"{row['proof']}, {row['seconds']:.3f} s"
        )
    print(
        f"  seconds: exact {figures['exact_s']:.3f}, "
        f"hyperdrive@published {figures['hyperdrive_published_s']:.3f}, "
        f"published rate {figures['published_rate_s']:.3f}"
    )
    for row in report["disagreements"]:
        print(f"  DISAGREES: {row}")


def main() -> int:
    """Run every scenario of the folder."""
    arguments_parser = parser("replay HyperDrive's scenarios and solve them exactly")
    arguments_parser.add_argument(
        "--data", type=Path, help=f"folder; else placement/ in ${DATA_VARIABLE}"
    )
    arguments = arguments_parser.parse_args()
    folder = arguments.data
    if folder is None and DATA_VARIABLE not in os.environ:
        reason = f"no --data, and {DATA_VARIABLE} is not set"
        nothing = json.dumps({"figures": {}, "conditions": {"skipped": reason}})
        print(nothing if arguments.format == "json" else reason)
        return 0
    folder = folder or Path(os.environ[DATA_VARIABLE]) / "placement"
    try:
        reports = [run(folder, size) for size in scenario_sizes(folder)]
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.format == "json":
        figures = {
            f"{name}_{report['total_nodes']}": value
            for report in reports
            for name, value in report["figures"].items()
        }
        conditions = {"threads": 1, "scenarios": [report["total_nodes"] for report in reports]}
        print(json.dumps({"figures": figures, "conditions": conditions, "scenarios": reports}))
    else:
        for report in reports:
            show(report)
    return int(any(report["disagreements"] for report in reports))


if __name__ == "__main__":
    sys.exit(main())
