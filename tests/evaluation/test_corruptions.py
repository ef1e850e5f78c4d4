"""The checker catches every kind of corrupted solution.

Each kind starts from a placement that keeps every rule at its very limit and damages either the
solution, or the problem so that the same solution no longer fits it. What the checker says must be
exactly the rules and subjects that the damage breaks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from tests.evaluation.builders import rules
from tests.evaluation.damage import (
    Damage,
    also,
    bandwidth,
    column,
    down,
    edge,
    eo,
    event,
    function,
    in_turn,
    latency,
    nodes,
    places,
    problem_damage,
    profile,
    slo,
    topology,
)
from tests.evaluation.rich_problem import OBJECTIVE_NS, PLACEMENT, rich_problem, rich_solution

from leotrek_opt.evaluation.placement import evaluate
from leotrek_opt.models.placement import ThermalRule
from leotrek_opt.models.topology import LinkEvents
from leotrek_opt.models.workflow import Accelerator, StepInterval


@dataclass(frozen=True)
class Corruption:
    """A named kind of damage and the (rule, subject) pairs that it breaks."""

    name: str
    damage: Damage
    broken: tuple[tuple[str, str], ...]


def kind(name: str, damage: Damage, *broken: tuple[str, str]) -> Corruption:
    return Corruption(name, damage, broken)


INGEST_EXTRACT = "w0/ingest -> w0/extract"
EXTRACT_DETECT = "w0/extract -> w0/detect"
DETECT_PREPARE = "w0/detect -> w0/prepare"
SPLIT_LEFT = "w1/split -> w1/left"
RIGHT_JOIN = "w1/right -> w1/join"
EO = "eo -> w0/detect"

ASSIGNMENTS = [
    kind("a function is missing", places({"w1/join": None}), ("assignment", "w1/join")),
    kind("a pinned function is missing", places({"w0/ingest": None}), ("assignment", "w0/ingest")),
    kind(
        "everything is missing",
        places(dict.fromkeys(PLACEMENT)),
        *(("assignment", name) for name in PLACEMENT),
    ),
    kind("a function is listed twice", also("w1", "join", "cloud"), ("assignment", "w1/join")),
    kind("a function is on two nodes", also("w1", "join", "sat1"), ("assignment", "w1/join")),
    kind("an unknown node", places({"w1/left": "stations"}), ("assignment", "w1/left")),
    kind("a node in the wrong case", places({"w1/left": "Station"}), ("assignment", "w1/left")),
    kind("a node by its index", places({"w1/left": "4"}), ("assignment", "w1/left")),
    kind("an unknown function", also("w1", "joint", "cloud"), ("assignment", "w1/joint")),
    kind("an unknown workflow", also("w2", "join", "cloud"), ("assignment", "w2/join")),
    kind(
        "a function under another workflow's name",
        places({"w1/join": None, "w0/join": "cloud"}),
        ("assignment", "w1/join"),
        ("assignment", "w0/join"),
    ),
]

MOVES = [
    kind(
        # split knows no time on x86_64; at step 4 the cloud holds 4000 + 2000 + 4000.
        "a move to another architecture",
        places({"w1/split": "cloud"}),
        ("architecture", "w1/split"),
        ("capacity", "cloud"),
    ),
    kind(
        "a move to a node that is full while it holds",
        # ingest and split need 5000 of 4000, and drone has lost its link at step 3.
        places({"w1/split": "drone"}),
        ("capacity", "drone"),
        ("route", SPLIT_LEFT),
        ("route", "w1/split -> w1/right"),
    ),
    kind(
        "a move to a node that closes at exactly this step",
        places({"w1/left": "sat2"}),
        ("availability", "w1/left"),
    ),
    kind(
        "a move to a hotter satellite",
        # Profile hot: 60 + 8 - 0.1 = 67.9 > 65. From drone 3 + 5 > 3 ms.
        places({"w0/extract": "sat2"}),
        ("temperature", "w0/extract"),
        ("max_latency", INGEST_EXTRACT),
    ),
    kind(
        "a move to a node without any link",
        places({"w0/extract": "island"}),
        ("route", INGEST_EXTRACT),
        ("route", EXTRACT_DETECT),
    ),
    kind(
        "a move of an accelerated function to a node without accelerator",
        places({"w0/detect": "island"}),
        ("accelerator", "island"),
        ("route", EXTRACT_DETECT),
        ("route", DETECT_PREPARE),
        ("route", EO),
    ),
    kind(
        # 2 of 1 gpu at step 2, then 3; 10000 of 8000 cpu_millis at step 4, 12000 at step 5;
        # 9 + 2 > 9 ms, 4 + 2 > 4 ms.
        "a move farther from the data source",
        places({"w0/detect": "cloud"}),
        ("accelerator", "cloud"),
        ("accelerator", "cloud"),
        ("capacity", "cloud"),
        ("capacity", "cloud"),
        ("max_latency", EXTRACT_DETECT),
        ("data_source", EO),
    ),
    kind(
        # station closed at step 4 and has no room; 2 ms instead of 0, and 79 instead of 77 ms.
        "a move away from the function it must share a node with",
        places({"w1/join": "station"}),
        ("availability", "w1/join"),
        ("capacity", "station"),
        ("max_latency", RIGHT_JOIN),
        ("response_time", "w1"),
    ),
    kind(
        # mast has nothing left for left at step 5.
        "two functions of one workflow swapped",
        places({"w1/split": "station", "w1/left": "mast"}),
        ("architecture", "w1/split"),
        ("capacity", "mast"),
    ),
    kind(
        # station: 2 + 1 of 2 gpu. cloud: 4000 + 4000 + 2000 of 8000 at step 5, 13 > 11 ms.
        "two parallel functions swapped",
        places({"w1/left": "cloud", "w1/right": "station"}),
        ("accelerator", "station"),
        ("capacity", "cloud"),
        ("max_latency", SPLIT_LEFT),
        ("max_latency", RIGHT_JOIN),
    ),
    kind(
        # sat1 keeps nothing from step 2 on; drone - sat1 is too narrow for extract's frames.
        "two functions swapped, one of them pinned",
        places({"w0/ingest": "sat1", "w0/extract": "drone"}),
        ("pinned", "w0/ingest"),
        ("capacity", "sat1"),
        ("route", EXTRACT_DETECT),
    ),
    kind(
        # sat1 closed at step 1 and has nothing left at step 3; station has 3072 of 2048 + 2048
        # memory_mib and lies 3 + 9 ms from drone.
        "functions of two workflows swapped",
        places({"w0/extract": "station", "w1/left": "sat1"}),
        ("availability", "w1/left"),
        ("capacity", "sat1"),
        ("capacity", "station"),
        ("max_latency", INGEST_EXTRACT),
    ),
]

SINGLE_FUNCTIONS = [
    # mast takes nobody before step 2.
    kind(
        "a pinned function elsewhere",
        places({"w1/sensor": "mast"}),
        ("pinned", "w1/sensor"),
        ("availability", "w1/sensor"),
    ),
    kind("a pin on another node", function("w0/ingest", pinned="island"), ("pinned", "w0/ingest")),
    kind(
        "a node of another architecture",
        function("w1/split", architectures=("x86_64",), execution_ms={"x86_64": 5}),
        ("architecture", "w1/split"),
    ),
    kind(
        "an architecture without execution time",
        function("w0/prepare", execution_ms={"riscv64": 80_000}),
        ("architecture", "w0/prepare"),
    ),
    kind(
        "a node that changed its architecture",
        nodes(architecture=("arm64", "riscv64", *("arm64",) * 2, *("x86_64",) * 2, "arm64")),
        ("architecture", "w1/split"),
    ),
    kind(
        "a node that takes no function from exactly this step on",
        event(1, step=3),
        ("availability", "w1/left"),
    ),
    kind(
        "a node that takes no function since long",
        event(1, step=0),
        ("availability", "w0/detect"),
        ("availability", "w1/left"),
    ),
    kind(
        "a function placed one step after its node closed",
        function("w1/left", step=4),
        ("availability", "w1/left"),
    ),
    kind("a node that does not reopen", event(3, available=False), ("availability", "w1/split")),
    kind("a node that closes again by order", event(4, order=2), ("availability", "w1/split")),
    kind("a node that closes again by list", event(4, order=1), ("availability", "w1/split")),
    kind("a node that reopens too late", event(3, step=3), ("availability", "w1/split")),
    kind(
        "an exception for somebody else",
        event(7, except_functions=("w0/detect",)),
        ("availability", "w0/extract"),
    ),
]

OCCUPANCY = [
    kind(
        "an accelerator less",
        column("accelerators", "gpu", "station", 1),
        ("accelerator", "station"),
    ),
    kind(
        "an accelerator more asked for",
        function("w0/detect", accelerator=Accelerator(mode="gpu", count=3)),
        ("accelerator", "station"),
    ),
    kind(
        "another kind of accelerator",
        function("w0/detect", accelerator=Accelerator(mode="gpu", count=1, device="tpu")),
        ("accelerator", "station"),
    ),
    kind(
        "a preferred accelerator that becomes a need",
        function("w1/join", accelerator=Accelerator(mode="gpu")),
        ("accelerator", "cloud"),
    ),
    kind(
        "accelerators that only together are too many",
        function("w1/left", accelerator=Accelerator(mode="gpu")),
        ("accelerator", "station"),
    ),
    kind(
        "a unit too many in one step only",
        function("w1/join", demand={"cpu_millis": 2001}),
        ("capacity", "cloud"),
    ),
    kind(
        "a node with a unit less",
        column("capacity", "cpu_millis", "cloud", 7999),
        ("capacity", "cloud"),
    ),
    kind(
        "a unit too many of another resource",
        function("w1/left", demand={"memory_mib": 1025}),
        ("capacity", "station"),
    ),
    kind(
        "a resource that no node has",
        function("w1/right", demand={"battery_mah": 1}),
        ("capacity", "cloud"),
    ),
    kind(
        "a hold one step longer",
        function("w1/split", hold=StepInterval(start=2, end=6)),
        ("capacity", "mast"),
    ),
    kind("a hold that never ends", function("w1/split", hold="forever"), ("capacity", "mast")),
    kind("capacity lost one step earlier", event(5, step=4), ("capacity", "mast")),
    kind(
        "capacity lost for those already there",
        event(6, except_functions=()),
        ("capacity", "sat1"),
    ),
    kind(
        "capacity that an event leaves one unit too small",
        event(6, except_functions=(), capacity=3999),
        ("capacity", "sat1"),
    ),
    kind(
        "a pinned function that must reserve after all",
        function("w1/sensor", reserves=True),
        ("capacity", "drone"),
    ),
    kind(
        "workflows that only together need too much",
        function("w0/prepare", demand={"cpu_millis": 4001}),
        ("capacity", "cloud"),
    ),
]

TEMPERATURES = [
    kind(
        "a limit a millionth of a degree lower",
        profile(0, recommended_temperature_c=58.899999),
        ("temperature", "w0/extract"),
    ),
    kind(
        "a node that heats a little more",
        profile(0, heating_c_per_core_minute=1.0000001),
        ("temperature", "w0/extract"),
    ),
    kind(
        "a node of another profile",
        nodes(heat_profile=np.array([-1, -1, 1, 1, -1, -1, -1])),
        ("temperature", "w0/extract"),
    ),
    kind(
        "unknown execution time on a node that is too hot now",
        in_turn(
            profile(0, temperature_c=58.900001),
            function("w0/extract", execution_ms={}),
        ),
        ("temperature", "w0/extract"),
    ),
    kind(
        # 55.000001 + 3.9 * 1 instead of 55 + 3.9.
        "a node that is a millionth of a degree warmer at the start",
        in_turn(
            profile(0, temperature_c=55.000001),
            problem_damage(
                lambda p: p.replace(thermal=ThermalRule(model="monotone", limit="recommended"))
            ),
        ),
        ("temperature", "w0/extract"),
    ),
]

NETWORK = [
    kind("a data source without any link", eo(node="island"), ("route", EO)),
    kind(
        "a link that goes down at this step",
        down(("station", "cloud"), 4),
        ("route", DETECT_PREPARE),
        ("route", "w1/left -> w1/join"),
    ),
    kind(
        "a link that goes down at the last step",
        down(("station", "cloud"), 5),
        ("route", "w1/left -> w1/join"),
    ),
    kind(
        "a link that is down one step too early",
        topology(events=LinkEvents(step=np.array([2]), link=np.array([0]), up=np.array([False]))),
        ("route", "w1/sensor -> w1/split"),
    ),
    kind(
        "a bit per second too little for an edge",
        edge("w0/extract/detect", min_bandwidth_mbps=200.000001),
        ("route", EXTRACT_DETECT),
    ),
    kind(
        "a link with a bit per second less",
        bandwidth(("station", "cloud"), 999.999999),
        ("route", DETECT_PREPARE),
    ),
    kind(
        "a bit per second too little for a data source",
        eo(min_bandwidth_mbps=200.000001),
        ("route", EO),
    ),
    kind(
        "a latency limit lower by a nanosecond",
        edge("w0/detect/prepare", max_latency_ms=1.999999),
        ("max_latency", DETECT_PREPARE),
    ),
    kind(
        "a link slower by a nanosecond at this step only",
        latency(("station", "cloud"), 4, 2.000001),
        ("max_latency", DETECT_PREPARE),
        ("response_time", "w0"),
    ),
    kind(
        "a detour around links that are too narrow",
        edge("w1/split/left", min_bandwidth_mbps=50.000001),
        ("max_latency", SPLIT_LEFT),
    ),
    kind(
        "a data source's limit lower by a nanosecond",
        eo(max_latency_ms=3.999999),
        ("data_source", EO),
    ),
    kind("a data source that is farther away", eo(node="sat1"), ("data_source", EO)),
    kind(
        "a data source slower by a nanosecond at this step only",
        latency(("sat2", "station"), 2, 4.000001),
        ("data_source", EO),
    ),
]

RESPONSE_TIMES = [
    kind("an SLO shorter by a nanosecond", slo("w1", 76.999999), ("response_time", "w1")),
    kind("an SLO missed by a long chain", slo("w0", 640_213.999999), ("response_time", "w0")),
    kind(
        "a function that runs a millisecond longer",
        function("w0/prepare", execution_ms={"x86_64": 80_001}),
        ("response_time", "w0"),
    ),
    kind(
        "a byte more to be sent",
        edge("w0/ingest/extract", size_bytes=1_250_001),
        ("response_time", "w0"),
    ),
    kind(
        "a bottleneck that is a little narrower",
        # 0.5 Mbit take 10.0002 ms.
        bandwidth(("mast", "sat2"), 49.999),
        ("response_time", "w1"),
    ),
    kind(
        "data that every node stores before it sends it on",
        problem_damage(lambda p: p.replace(forwarding="store_and_forward")),
        ("response_time", "w1"),
    ),
    kind(
        "a data source that arrives last",
        # 60212 ms until extract's frames are there; 8 * 1.6e9 bits at 200 Mbit/s take 64000 ms.
        eo(size_bytes=1_600_000_000),
        ("response_time", "w0"),
    ),
    kind(
        "a side branch that becomes the longest",
        # 9 + 5 + 11 + left + 2 + 10 = 77 for left = 40.
        function("w1/left", execution_ms={"arm64": 41, "x86_64": 41}),
        ("response_time", "w1"),
    ),
]

CORRUPTIONS = [
    *ASSIGNMENTS,
    *MOVES,
    *SINGLE_FUNCTIONS,
    *OCCUPANCY,
    *TEMPERATURES,
    *NETWORK,
    *RESPONSE_TIMES,
]


def test_undamaged_solution_is_clean() -> None:
    evaluation = evaluate(rich_problem(), rich_solution())
    assert evaluation.violations == ()
    assert evaluation.objective_ns == OBJECTIVE_NS


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda corruption: corruption.name)
def test_corruption_is_caught(corruption: Corruption) -> None:
    evaluation = evaluate(*corruption.damage(rich_problem(), rich_solution()))
    assert rules(evaluation) == list(corruption.broken)
    for violation in evaluation.violations:
        assert violation.message.startswith(f"{violation.rule}: ")
