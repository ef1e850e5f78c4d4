"""Whole routes on one snapshot: the nodes they pass, the next best ones, the widest, the nearest.

Everywhere a route has the least latency; among those the largest bottleneck bandwidth; among those
the lexicographically smallest sequence of node indices. No route passes through a node that does
not relay. All arithmetic is exact.
"""

from leotrek_opt.topology.routes.alternatives import shortest_routes
from leotrek_opt.topology.routes.nearest import NearestHosts, nearest_hosts
from leotrek_opt.topology.routes.route import Route, named
from leotrek_opt.topology.routes.routers import AStarRouter, CachedRouter, DijkstraRouter, Router
from leotrek_opt.topology.routes.table import RouteTable, route, routes
from leotrek_opt.topology.routes.widest import widest_route, widest_rows

__all__ = [
    "AStarRouter",
    "CachedRouter",
    "DijkstraRouter",
    "NearestHosts",
    "Route",
    "RouteTable",
    "Router",
    "named",
    "nearest_hosts",
    "route",
    "routes",
    "shortest_routes",
    "widest_route",
    "widest_rows",
]
