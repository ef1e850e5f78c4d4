"""Routes between two nodes, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from leotrek_opt.errors import InputError
from leotrek_opt.topology.routes.alternatives import shortest_routes
from leotrek_opt.topology.routes.route import Route
from leotrek_opt.topology.routes.table import route
from leotrek_opt.topology.routes.widest import widest_route
from leotrek_opt.topology.routing import RouteGraph
from leotrek_opt.topology.state import TopologyState


@dataclass(frozen=True)
class StepRoutes:
    """The routes of one step, best first; none if the nodes are not connected."""

    step: int
    time: datetime
    routes: tuple[Route, ...]


def routes_over_time(
    states: Iterable[TopologyState],
    source: int,
    target: int,
    *,
    count: int = 1,
    min_bandwidth_bps: int | None = None,
    widest: bool = False,
) -> Iterator[StepRoutes]:
    """Find the best routes of every step.

    Parameters
    ----------
    states
        A stream of steps.
    source, target
        Node indices.
    count
        How many routes at most.
    min_bandwidth_bps
        Only links with at least this many bit/s may be used; None admits every link.
    widest
        The widest route in place of the fastest ones.

    Yields
    ------
    StepRoutes
        One per step.

    Raises
    ------
    leotrek_opt.errors.InputError
        If there is no such node, or several widest routes are asked for.
    """
    if widest and count > 1:
        raise InputError("gives one route; ask for k = 1", field="widest")
    for state in states:
        graph = RouteGraph.of_snapshot(
            state.links, len(state.position_km), min_bandwidth_bps=min_bandwidth_bps
        )
        if widest or count == 1:
            found = (widest_route if widest else route)(graph, source, target)
            routes: tuple[Route, ...] = () if found is None else (found,)
        else:
            routes = shortest_routes(graph, source, target, count)
        yield StepRoutes(state.step, state.time, routes)
