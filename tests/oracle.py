"""Brute force for small placement problems.

The oracle enumerates every placement. It shares no code with ``evaluation``, ``topology`` or
``solvers``: it reads the document, has its own Floyd-Warshall, and holds them all to account.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.random_problems import random_problem

from leotrek_opt.models.continuum import HeatProfile, NodeEvent
from leotrek_opt.models.placement import (
    Assignment,
    PlacementProblem,
    PlacementSolution,
    ThermalRule,
)
from leotrek_opt.models.topology import ExplicitTopology
from leotrek_opt.models.workflow import DataEdge, DataSource, Function

__all__ = ["Oracle", "brute_force", "random_problem"]

NO_PATH = 2**60
MAX_GRID = 300_000
"""More placements than this are refused, by memory."""


def brute_force(problem: PlacementProblem) -> tuple[int | None, PlacementSolution | None, int]:
    """Try every placement.

    Parameters
    ----------
    problem
        With an explicit topology and few placements.

    Returns
    -------
    objective_ns : int or None
        Least objective, None if nothing is feasible.
    solution : PlacementSolution or None
        The first best one in lexicographic order of node indices.
    feasible : int
        How many placements keep every rule.
    """
    oracle = Oracle(problem)
    placements = oracle.placements()
    feasible, objective = oracle.judge(placements)
    count = int(feasible.sum())
    if count == 0:
        return None, None, 0
    best = int(np.where(feasible, objective, NO_PATH).argmin())
    return int(objective[best]), oracle.solution(placements[best]), count


class Oracle:
    """Judges placements, given as arrays (placements, functions) of node indices.

    Parameters
    ----------
    problem
        With an explicit topology. Functions are numbered workflow by workflow.
    """

    def __init__(self, problem: PlacementProblem) -> None:
        self.problem = problem
        self.names = [(w.id, f.id) for w in problem.workflows for f in w.functions]
        self.functions = [f for w in problem.workflows for f in w.functions]
        self.nodes = len(problem.continuum.nodes.id)
        self._networks: dict[tuple[int, int, int], tuple[NDArray[np.int64], ...]] = {}
        self.allowed = np.array(
            [
                [self._may_stand(row, node) for node in range(self.nodes)]
                for row in range(len(self.functions))
            ]
        )
        self.loads = self._load_rules()
        self.flows = self._flow_tables()

    def placements(self) -> NDArray[np.int64]:
        """Return the placements that keep the rules of single functions, in lexicographic order."""
        choices = [np.flatnonzero(row) for row in self.allowed]
        size = math.prod(len(choice) for choice in choices)
        if size > MAX_GRID:
            raise ValueError(f"{size} placements are too many for brute force")
        if size == 0:
            return np.zeros((0, len(choices)), dtype=np.int64)
        grid = np.meshgrid(*choices, indexing="ij")
        return np.stack([axis.ravel() for axis in grid], axis=1)

    def solution(self, placement: Sequence[int] | NDArray[np.int64]) -> PlacementSolution:
        """Return one placement as a document."""
        ids = self.problem.continuum.nodes.id
        return PlacementSolution(
            assignments=tuple(
                Assignment(workflow=workflow, function=function, node=ids[int(node)])
                for (workflow, function), node in zip(self.names, placement, strict=True)
            )
        )

    def judge(self, placements: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Return which placements keep every rule, and their objective (NO_PATH if infeasible)."""
        rows = np.arange(len(self.functions))
        feasible = self.allowed[rows, placements].all(axis=1)
        for flow in self.flows:
            latency = self._along(flow, "latency", placements)
            feasible &= (latency < NO_PATH) & (latency <= flow["limit"])
        for node, demand, capacity in self.loads:
            left = np.flatnonzero(feasible)
            feasible[left] = (placements[left] == node) @ demand <= capacity
        objective = np.full(len(placements), NO_PATH)
        left = np.flatnonzero(feasible)
        kept, values = self._values(placements[left])
        feasible[left] = kept
        objective[left] = np.where(kept, values, NO_PATH)
        return feasible, objective

    def _values(self, placements: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        goal = self.problem.objective
        kept = np.ones(len(placements), dtype=bool)
        totals: list[NDArray[np.int64]] = []
        for number, workflow in enumerate(self.problem.workflows):
            flows = [
                flow
                for flow in self.flows
                if flow["workflow"] == number and (goal.data_sources or flow["from"] is not None)
            ]
            response = self._response(number, flows, placements)
            if workflow.response_time_slo_ms is not None:
                kept &= response <= quanta(workflow.response_time_slo_ms)
            if goal.metric == "critical_path":
                totals.append(response)
            else:
                zero = np.zeros(len(placements), dtype=np.int64)
                totals.append(sum((self._along(f, "latency", placements) for f in flows), zero))
        together = np.array(totals)
        return kept, together.sum(axis=0) if goal.aggregate == "sum" else together.max(axis=0)

    def _response(
        self, number: int, flows: list[dict[str, Any]], placements: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        owners = [
            w for w, workflow in enumerate(self.problem.workflows) for _ in workflow.functions
        ]
        waiting = [row for row, owner in enumerate(owners) if owner == number]
        finish: dict[int, NDArray[np.int64]] = {}
        while waiting:
            row = next(
                r for r in waiting if all(f["from"] not in waiting for f in flows if f["to"] == r)
            )
            waiting.remove(row)
            start = np.zeros(len(placements), dtype=np.int64)
            for flow in (flow for flow in flows if flow["to"] == row):
                arrival = self._along(flow, "transfer", placements)
                if flow["from"] is not None:
                    arrival = arrival + finish[flow["from"]]
                start = np.maximum(start, arrival)
            architectures = self.problem.continuum.nodes.architecture
            times = [self.functions[row].execution_ms.get(a, 0) * 10**6 for a in architectures]
            finish[row] = start + np.array(times, dtype=np.int64)[placements[:, row]]
        return np.maximum.reduce(list(finish.values()))

    def _along(
        self, flow: dict[str, Any], what: str, placements: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        start = flow["node"] if flow["from"] is None else placements[:, flow["from"]]
        found: NDArray[np.int64] = flow[what][start, placements[:, flow["to"]]]
        return found

    def _may_stand(self, row: int, node: int) -> bool:
        function = self.functions[row]
        nodes = self.problem.continuum.nodes
        if function.pinned not in (None, nodes.id[node]):
            return False
        runs_on = set(function.architectures) or set(function.execution_ms)
        if runs_on and nodes.architecture[node] not in runs_on:
            return False
        open_to = True
        for event in in_order(self.problem.continuum.events):
            if (
                event.available is not None
                and event.node == nodes.id[node]
                and event.step <= function.step
                and "/".join(self.names[row]) not in event.except_functions
            ):
                open_to = event.available
        return open_to and self._stays_cool(function, node)

    def _stays_cool(self, function: Function, node: int) -> bool:
        rule, continuum = self.problem.thermal, self.problem.continuum
        if rule is None or continuum.nodes.heat_profile is None:
            return True
        number = continuum.nodes.heat_profile[node]
        if number < 0:
            return True
        heat = continuum.heat_profiles[number]
        ceiling = heat.max_temperature_c if rule.limit == "max" else heat.recommended_temperature_c
        duration = function.execution_ms.get(continuum.nodes.architecture[node])
        return reached(rule, heat, function, duration) <= decimal(ceiling)

    def _load_rules(self) -> list[tuple[int, NDArray[np.int64], int]]:
        """All (node, demand by function, capacity) that a placement could exceed, once each."""
        continuum = self.problem.continuum
        rules: dict[tuple[int, tuple[int, ...], int], None] = {}
        resources = {name for function in self.functions for name in function.demand}
        devices = {f.accelerator.device for f in self.functions if f.accelerator.mode == "gpu"}
        for step in range(continuum.time.steps):
            occupied = [self._occupies(function, step) for function in self.functions]
            for node in range(self.nodes):
                for name in sorted(resources):
                    capacity, free = self._capacity(node, name, step)
                    demand = tuple(
                        function.demand.get(name, 0) if here and label not in free else 0
                        for function, here, label in zip(
                            self.functions, occupied, map("/".join, self.names), strict=True
                        )
                    )
                    rules[node, demand, capacity] = None
                for name in sorted(devices):
                    column = continuum.nodes.accelerators.get(name)
                    demand = tuple(
                        f.accelerator.count
                        if here and f.accelerator.mode == "gpu" and f.accelerator.device == name
                        else 0
                        for f, here in zip(self.functions, occupied, strict=True)
                    )
                    rules[node, demand, 0 if column is None else int(column[node])] = None
        return [
            (node, np.array(demand, dtype=np.int64), capacity)
            for node, demand, capacity in rules
            if sum(demand) > capacity
        ]

    def _capacity(self, node: int, resource: str, step: int) -> tuple[int, tuple[str, ...]]:
        continuum = self.problem.continuum
        column = continuum.nodes.capacity.get(resource)
        now: tuple[int, tuple[str, ...]] = (0 if column is None else int(column[node]), ())
        for event in in_order(continuum.events):
            here = (event.node, event.resource) == (continuum.nodes.id[node], resource)
            if here and event.step <= step and event.capacity is not None:
                now = (event.capacity, event.except_functions)
        return now

    def _occupies(self, function: Function, step: int) -> bool:
        if function.pinned is not None and not function.reserves:
            return False
        if function.hold == "forever":
            return step >= function.step
        return function.hold.start <= step < function.hold.end

    def _flow_tables(self) -> list[dict[str, Any]]:
        ids = self.problem.continuum.nodes.id
        row_of = {name: row for row, name in enumerate(self.names)}
        flows: list[dict[str, Any]] = []
        for number, workflow in enumerate(self.problem.workflows):
            wanted: list[tuple[DataEdge | DataSource, int | None, int]] = [
                (edge, row_of[workflow.id, edge.source], row_of[workflow.id, edge.target])
                for edge in workflow.edges
            ]
            wanted += [
                (source, None, row_of[workflow.id, function.id])
                for function in workflow.functions
                for source in function.data_sources
            ]
            for data, origin, target in wanted:
                floor = data.min_bandwidth_mbps
                latency, transfer = self._network(
                    self.functions[target].step,
                    0 if floor is None else quanta(floor),
                    data.size_bytes,
                )
                limit = data.max_latency_ms
                flows.append(
                    {
                        "workflow": number,
                        "from": origin,
                        "to": target,
                        "node": ids.index(data.node) if isinstance(data, DataSource) else None,
                        "latency": latency,
                        "transfer": transfer,
                        "limit": NO_PATH if limit is None else quanta(limit),
                    }
                )
        return flows

    def _network(self, step: int, floor: int, size: int) -> tuple[NDArray[np.int64], ...]:
        """Latency and transfer time between all nodes, by Floyd and Warshall."""
        if (step, floor, size) in self._networks:
            return self._networks[step, floor, size]
        latency = np.full((self.nodes, self.nodes), NO_PATH)
        width = np.zeros_like(latency)
        hops = latency.copy()
        for a, b, delay, bandwidth in self._links(step):
            if bandwidth < floor:
                continue
            for u, v in ((a, b), (b, a)):
                hops[u, v] = min(hops[u, v], delay + sending(size, bandwidth))
                if (delay, -bandwidth) < (latency[u, v], -width[u, v]):
                    latency[u, v], width[u, v] = delay, bandwidth
        for matrix, itself in ((latency, 0), (hops, 0), (width, NO_PATH)):
            np.fill_diagonal(matrix, itself)
        # Paths between any two nodes, over more and more of the nodes that may stand in between.
        for k in self._relays():
            hops = np.minimum(hops, hops[:, [k]] + hops[[k], :])
            longer = latency[:, [k]] + latency[[k], :]
            narrow = np.minimum(width[:, [k]], width[[k], :])
            better = (longer < latency) | ((longer == latency) & (narrow > width))
            latency = np.where(better, longer, latency)
            width = np.where(better, narrow, width)
        transfer = hops
        if self.problem.forwarding == "cut_through":
            transfer = latency + np.array(
                [[sending(size, int(w)) if w else 0 for w in row] for row in width]
            )
        self._networks[step, floor, size] = (latency, transfer)
        return latency, transfer

    def _relays(self) -> list[int]:
        """Return the nodes that routes may pass through."""
        relay = getattr(self.problem.continuum.topology, "relay", None)
        return [k for k in range(self.nodes) if relay is None or relay[k]]

    def _links(self, step: int) -> list[tuple[int, int, int, int]]:
        """Return ends, nanoseconds and bit/s of the links that are up."""
        topology = self.problem.continuum.topology
        assert isinstance(topology, ExplicitTopology)
        up = [True] * len(topology.source)
        if topology.events is not None:
            table = zip(topology.events.step, topology.events.link, topology.events.up, strict=True)
            for since, link, state in sorted(table, key=lambda row: int(row[0])):
                if since <= step:
                    up[link] = bool(state)
        delays = topology.latency_ms[step % len(topology.latency_ms)]
        if topology.bandwidth_mbps is None:
            widths = [NO_PATH] * len(up)
        else:
            row = topology.bandwidth_mbps[step % len(topology.bandwidth_mbps)]
            widths = [quanta(float(width)) for width in row]
        return [
            (int(topology.source[k]), int(topology.target[k]), quanta(float(delays[k])), widths[k])
            for k in range(len(up))
            if up[k]
        ]


def in_order(events: Sequence[NodeEvent]) -> list[NodeEvent]:
    """Events in the order in which they take effect."""
    keys = [(event.step, event.order, place) for place, event in enumerate(events)]
    return [events[place] for _, _, place in sorted(keys)]


def decimal(number: float) -> Fraction:
    """Return the decimal that a float prints as."""
    return Fraction(str(number))


def quanta(number: float) -> int:
    """Millionths, rounded half to even."""
    return round(decimal(number) * 10**6)


def sending(size_bytes: int, bandwidth_bps: int) -> int:
    """Nanoseconds to send, rounded half to even; nothing over an unlimited link."""
    if bandwidth_bps >= NO_PATH:
        return 0
    whole, rest = divmod(8 * size_bytes * 10**9, bandwidth_bps)
    return whole + (2 * rest > bandwidth_bps or (2 * rest == bandwidth_bps and whole % 2 == 1))


def reached(
    rule: ThermalRule, heat: HeatProfile, function: Function, duration_ms: int | None
) -> Fraction:
    """Temperature of a node that runs a function for some time."""
    if duration_ms is None:
        return decimal(heat.temperature_c)
    minutes = Fraction(duration_ms, 60_000)
    rate = decimal(heat.heating_c_per_core_minute) * function.demand.get("cpu_millis", 0) / 1000
    loss = decimal(heat.radiated_c_per_minute)
    if rule.model == "hyperdrive":
        base = math.trunc(decimal(heat.orbit_base_temperature_c) * minutes)
        wrap = math.trunc(decimal(heat.max_temperature_c))
        return (base % wrap if wrap else 0) + (rate - loss) * minutes
    if rule.time_constant_min is not None:
        with localcontext() as context:
            context.prec = 28
            tau = Decimal(str(rule.time_constant_min))
            settled = tau * (1 - (-(Decimal(duration_ms) / 60_000) / tau).exp())
            minutes = Fraction(settled.quantize(Decimal("1e-9"), rounding=ROUND_HALF_EVEN))
    warm = max(decimal(heat.temperature_c), decimal(heat.orbit_base_temperature_c))
    return warm + max(rate - loss, Fraction(0)) * minutes
