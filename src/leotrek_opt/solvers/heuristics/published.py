"""HyperDrive and its baselines as published, quirks included.

HyperDrive: T. Pusztai et al., doi 10.1109/SEC62691.2024.00028; behaviour of its public code. One
function after another, in the order of their steps: candidates, filters, scores from 0 to 100 per
plugin, their mean cut to an integer, and the best candidate, ties to the first in the list of
ground stations, cloud, edge and satellites. What is kept although it looks wrong:

- The vicinity takes the first nodes of the list within the radius, not the nearest ones. It is the
  vicinity of the first predecessor alone; where the data come from does not matter. A function
  without predecessor draws its candidates at random, with replacement.
- The network score looks at the largest incoming latency in whole milliseconds, not at the sum. It
  is stretched over the range of the candidates; where all are equal all get 0.
- Temperature is a score and no filter. The estimate starts from the remainder of the orbit's base
  temperature by the maximum, so a longer function can come out cooler.
- A node without route has latency -1, which is the best network score unless a limit filters it.
- Minimum bandwidths, response times and transfer sizes are ignored.
- The baselines ignore every latency.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from leotrek_opt.models.base import NS_PER_MS, quantum_ns
from leotrek_opt.models.continuum import CPU, Architecture, HeatProfile
from leotrek_opt.models.workflow import DataEdge, DataSource, Function
from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.heuristics.answers import answer, incoming_edges
from leotrek_opt.solvers.heuristics.occupancy import Mask
from leotrek_opt.solvers.heuristics.online import Choice, Scheduler, State, replay
from leotrek_opt.solvers.method import Answer, Request
from leotrek_opt.topology.routing import FloatArray, IntArray

GROUND_RADIUS_KM, EDGE_RADIUS_KM, SPACE_RADIUS_KM = 500.0, 200.0, 2000.0
GROUND_COUNT, EDGE_COUNT, SPACE_COUNT = 120, 120, 60
TOP_SCORE = 100


def hyperdrive_published(arrays: PlacementArrays, request: Request) -> Answer:
    """Run HyperDrive as published, see the module.

    Parameters
    ----------
    arrays
        The problem.
    request
        Where to report; nothing is random but candidates of functions without predecessor, drawn
        from the published seed.

    Returns
    -------
    Answer
        Functions without candidates are left out, and those after them that need their place.
    """
    return _run(arrays, request, hyperdrive_scheduler(arrays), "hyperdrive@published")


def first_fit(arrays: PlacementArrays, request: Request) -> Answer:
    """Run the baseline that takes the first node of the list with room.

    Parameters
    ----------
    arrays
        The problem.
    request
        Where to report.

    Returns
    -------
    Answer
        Latency limits and temperatures are ignored, as published.
    """
    return _run(arrays, request, first_fit_scheduler(), "first-fit")


def round_robin(arrays: PlacementArrays, request: Request) -> Answer:
    """Run the baseline that takes the next node by index with room.

    Parameters
    ----------
    arrays
        The problem.
    request
        Where to report.

    Returns
    -------
    Answer
        Latency limits and temperatures are ignored, as published.
    """
    return _run(arrays, request, round_robin_scheduler(), "round-robin")


def random_placement(arrays: PlacementArrays, request: Request) -> Answer:
    """Run the baseline that takes any node with room, with equal chances.

    Parameters
    ----------
    arrays
        The problem.
    request
        Its seed counts; the published baseline has none.

    Returns
    -------
    Answer
        Latency limits and temperatures are ignored, as published.
    """
    return _run(arrays, request, random_scheduler(request.seed), "random")


def _run(arrays: PlacementArrays, request: Request, scheduler: Scheduler, name: str) -> Answer:
    assignment, decisions = replay(arrays, scheduler)
    failures = [
        f"{arrays.name_of(decision.function)}: {decision.reason}"
        for decision in decisions
        if decision.node < 0
    ]
    return answer(arrays, request, assignment, name, failures)


def first_fit_scheduler() -> Scheduler:
    """Return the scheduler of :func:`first_fit`."""

    def choose(state: State, function: int) -> Choice:
        eligible = _eligible(state, function)
        return (int(eligible[0]), TOP_SCORE) if len(eligible) else _NONE_ELIGIBLE

    return choose


def round_robin_scheduler() -> Scheduler:
    """Return the scheduler of :func:`round_robin`; it remembers the last node."""
    last = -1

    def choose(state: State, function: int) -> Choice:
        nonlocal last
        eligible = np.sort(_eligible(state, function))
        if not len(eligible):
            return _NONE_ELIGIBLE
        following = np.searchsorted(eligible, last + 1)
        last = int(eligible[following % len(eligible)])
        return last, TOP_SCORE

    return choose


def random_scheduler(seed: int) -> Scheduler:
    """Return the scheduler of :func:`random_placement`."""
    generator = np.random.default_rng(seed)

    def choose(state: State, function: int) -> Choice:
        eligible = _eligible(state, function)
        if not len(eligible):
            return _NONE_ELIGIBLE
        return int(eligible[generator.integers(len(eligible))]), TOP_SCORE

    return choose


_NONE_ELIGIBLE = "no node passes the filters"


def _eligible(state: State, function: int) -> IntArray:
    listed: IntArray = state.listed[state.fits(function)[state.listed]]
    return listed


def hyperdrive_scheduler(arrays: PlacementArrays) -> Scheduler:
    """Return the scheduler of :func:`hyperdrive_published`.

    Parameters
    ----------
    arrays
        The problem it will be used on.

    Returns
    -------
    callable
        Remembers its random draws.
    """
    incoming = incoming_edges(arrays)
    links = _links(arrays)
    draws = random.Random(GROUND_RADIUS_KM)

    def choose(state: State, function: int) -> Choice:
        model = arrays.functions[function][1]
        predecessors = [int(state.assignment[arrays.edges[e].source]) for e in incoming[function]]
        if min(predecessors, default=0) < 0:
            return "a predecessor has no node"
        if predecessors:
            candidates = _vicinity(state, model.step, predecessors[0])
        else:
            candidates = _drawn(state, draws)
        if not len(candidates):
            return "no candidate in the vicinity of its predecessor"
        candidates = candidates[state.fits(function)[candidates]]
        origins: list[Origin] = [
            (node, links[edge]) for edge, node in zip(incoming[function], predecessors, strict=True)
        ]
        origins += [(state.node_index[source.node], source) for source in model.data_sources]
        latency = _latencies_ms(state, model.step, origins, candidates)
        kept = _within_limits(latency, origins)
        candidates, latency = candidates[kept], latency[:, kept]
        if not len(candidates):
            return _NONE_ELIGIBLE
        score = (_network_score(latency) + _heat_score(state, model)[candidates]) // 2
        best = int(np.argmax(score))
        return int(candidates[best]), int(score[best])

    return choose


def _links(arrays: PlacementArrays) -> list[DataEdge]:
    return [edge for workflow in arrays.problem.workflows for edge in workflow.edges]


def _vicinity(state: State, step: int, centre: int) -> IntArray:
    """Return the first nodes of every kind within its radius of a node, in list order."""
    ground = _first_within(state, step, centre, "ground_station", GROUND_RADIUS_KM, GROUND_COUNT)
    missing = GROUND_COUNT - len(ground)
    return np.concatenate(
        [
            ground,
            _first_within(state, step, centre, "cloud", GROUND_RADIUS_KM, missing),
            _first_within(state, step, centre, "edge", EDGE_RADIUS_KM, EDGE_COUNT),
            _first_within(state, step, centre, "satellite", SPACE_RADIUS_KM, SPACE_COUNT),
        ]
    )


def _first_within(
    state: State, step: int, centre: int, kind: str, radius_km: float, count: int
) -> IntArray:
    nodes = state.by_kind[kind]
    return nodes[state.sub_points(step).within(centre, nodes, radius_km)][:count]


def _drawn(state: State, draws: random.Random) -> IntArray:
    """Return random nodes of every kind, each once, in the order of their first draw."""
    chosen: dict[int, None] = {}
    missing = GROUND_COUNT
    for kind, count in (
        ("ground_station", GROUND_COUNT),
        ("cloud", GROUND_COUNT),
        ("edge", EDGE_COUNT),
        ("satellite", SPACE_COUNT),
    ):
        nodes = state.by_kind[kind].tolist()
        wanted = min(missing if kind == "cloud" else count, len(nodes))
        if wanted:
            chosen |= dict.fromkeys(draws.choices(nodes, k=wanted))
        if kind == "ground_station":
            missing -= wanted
    return np.array(list(chosen), dtype=np.int64)


Origin = tuple[int, DataEdge | DataSource]


def _latencies_ms(
    state: State, step: int, origins: Sequence[Origin], candidates: IntArray
) -> FloatArray:
    """Return latencies from every origin to every candidate, -1 without route."""
    if not origins:
        return np.zeros((0, len(candidates)))
    graph = state.arrays.costs.graph(step)
    latency = graph.rows([node for node, _ in origins])[:, candidates] / NS_PER_MS
    return np.where(np.isfinite(latency), latency, -1.0)


def _within_limits(latency_ms: FloatArray, origins: Sequence[Origin]) -> Mask:
    kept = np.ones(latency_ms.shape[1], dtype=bool)
    for row, (_, link) in zip(latency_ms, origins, strict=True):
        if link.max_latency_ms is not None:
            kept &= (row >= 0) & (row <= quantum_ns(link.max_latency_ms) / NS_PER_MS)
    return kept


def _network_score(latency_ms: FloatArray) -> IntArray:
    # As published: the largest latency starts from 0, so a missing route counts like none at all,
    # and the quotient is formed before it is multiplied, which can lose a point.
    raw = np.rint(latency_ms.max(axis=0, initial=0.0))
    spread = raw.max() - raw.min()
    share = (raw.max() - raw) / (spread if spread else 1.0)
    score: IntArray = np.floor(share * TOP_SCORE).astype(np.int64)
    return score


def _heat_score(state: State, function: Function) -> IntArray:
    score = np.full(state.arrays.n_nodes, TOP_SCORE, dtype=np.int64)
    for profile, architecture, nodes in state.heat_groups:
        score[nodes] = _points(profile, _estimate_c(profile, function, architecture))
    return score


def _points(profile: HeatProfile, temperature_c: float) -> int:
    if temperature_c <= profile.recommended_temperature_c:
        return TOP_SCORE
    if temperature_c > profile.max_temperature_c:
        return 0
    allowed = profile.max_temperature_c - profile.recommended_temperature_c
    above = temperature_c - profile.recommended_temperature_c
    return int(np.floor((1 - above / allowed) * TOP_SCORE))


def _estimate_c(profile: HeatProfile, function: Function, architecture: Architecture) -> float:
    """Return the published estimate in the published floating-point order."""
    execution_ms = function.execution_ms.get(architecture)
    if execution_ms is None:
        return profile.temperature_c
    minutes = execution_ms / 1000 / 60
    modulus = int(profile.max_temperature_c)
    orbit = int(profile.orbit_base_temperature_c * minutes) % modulus if modulus else 0
    core_minutes = minutes * (function.demand.get(CPU, 0) / 1000)
    heating = profile.heating_c_per_core_minute * core_minutes
    return orbit + (heating - profile.radiated_c_per_minute * minutes)
