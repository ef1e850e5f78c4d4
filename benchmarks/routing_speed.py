"""What routes cost, beside plain Dijkstra of scipy and beside networkx, in one run.

A Walker shell with a +Grid and 100 stations at random, each joined to every satellite above 25
degrees; stations do not relay. Timed in turns, in processor time:

- csgraph: ``scipy.sparse.csgraph.dijkstra`` from all stations on a matrix that is ready, with no
  rule on who relays: the physical limit;
- rows: our graph from the arcs, and latencies from all stations under the rule;
- table: the same and whole routes between all stations, ties broken, with equal bandwidths and with
  different ones;
- networkx: lengths from a few stations (``networkx_sources``), scaled up to all;
- one by one: routes of single pairs from Dijkstra, from A* and from memory, and the ten best.

A ratio says how many times as long as csgraph something takes; ``one_by_one`` figures are per pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
from _common import Figures, alternating_cpu_s, parser, report
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from leotrek_opt.topology.routes import (
    AStarRouter,
    CachedRouter,
    DijkstraRouter,
    nearest_hosts,
    routes,
    shortest_routes,
    widest_rows,
)
from leotrek_opt.topology.routing import RouteGraph

STATIONS = 100
ALTITUDE_KM, EARTH_KM, LIGHT_KM_S = 550.0, 6378.137, 299_792.458
SHELLS = {"1584": (72, 22), "6912": (72, 96), "20736": (144, 144)}
PHASING = 7


@dataclass(frozen=True)
class Scene:
    """Links of a shell and its stations; satellites come first.

    Attributes
    ----------
    n_nodes
        Satellites and stations.
    source, target, latency_ns, bandwidth_bps
        Links.
    relay
        True for satellites.
    position_km
        Of all nodes, shape (n_nodes, 3).
    """

    n_nodes: int
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    latency_ns: NDArray[np.int64]
    bandwidth_bps: NDArray[np.int64]
    relay: NDArray[np.bool_]
    position_km: NDArray[np.float64]

    @property
    def stations(self) -> NDArray[np.int64]:
        """Node indices of the stations."""
        return np.flatnonzero(~self.relay)

    def graph(self, *, with_bandwidth: bool = False) -> RouteGraph:
        """Build the routing graph."""
        bandwidth = self.bandwidth_bps if with_bandwidth else None
        ends = self.source, self.target
        return RouteGraph(self.n_nodes, *ends, self.latency_ns, bandwidth, self.relay)


def scene(planes: int, slots: int, seed: int = 0) -> Scene:
    """Draw stations under a shell."""
    rng = np.random.default_rng(seed)
    count = planes * slots
    plane, slot = np.divmod(np.arange(count), slots)
    raan = 2 * np.pi * plane / planes
    argument = 2 * np.pi * (slot / slots + PHASING * plane / count)
    tilt = np.radians(53.0)
    east = np.stack([np.cos(raan), np.sin(raan), np.zeros(count)], axis=1)
    north = np.stack(
        [-np.sin(raan) * np.cos(tilt), np.cos(raan) * np.cos(tilt), np.full(count, np.sin(tilt))],
        axis=1,
    )
    ahead = np.cos(argument)[:, None] * east + np.sin(argument)[:, None] * north
    satellites = (EARTH_KM + ALTITUDE_KM) * ahead
    # Evenly over the part of the Earth that the shell serves.
    sine, longitude = rng.uniform(-0.8, 0.8, STATIONS), rng.uniform(0, 2 * np.pi, STATIONS)
    cosine = np.sqrt(1 - sine**2)
    up = np.stack([cosine * np.cos(longitude), cosine * np.sin(longitude), sine], axis=1)
    line = satellites - EARTH_KM * up[:, None]
    elevation = np.einsum("gsc,gc->gs", line, up) / np.linalg.norm(line, axis=2)
    station, satellite = np.nonzero(elevation >= np.sin(np.radians(25.0)))
    along = slots * plane + (slot + 1) % slots
    shift = np.where(plane == planes - 1, PHASING, 0)
    across = slots * ((plane + 1) % planes) + (slot + shift) % slots
    source = np.concatenate([np.arange(count), np.arange(count), satellite])
    target = np.concatenate([along, across, count + station])
    position = np.concatenate([satellites, EARTH_KM * up])
    length = np.linalg.norm(position[source] - position[target], axis=1)
    return Scene(
        n_nodes=count + STATIONS,
        source=source,
        target=target,
        latency_ns=np.rint(length / LIGHT_KM_S * 1e9).astype(np.int64),
        bandwidth_bps=np.where(target < count, 10_000_000_000, 4_000_000_000),
        relay=np.arange(count + STATIONS) < count,
        position_km=position,
    )


def measure(size: str, repeats: int, pairs: int, networkx_sources: int) -> Figures:
    """Time everything on one shell."""
    made = scene(*SHELLS[size])
    stations = made.stations
    graph = made.graph()
    matrix = csr_matrix((graph.weight, graph.head, graph.indptr), shape=(made.n_nodes,) * 2)
    plain: nx.Graph[int] = nx.Graph()
    plain.add_nodes_from(range(made.n_nodes))
    links = (made.source.tolist(), made.target.tolist(), made.latency_ns.tolist())
    plain.add_weighted_edges_from(zip(*links, strict=True))
    many = alternating_cpu_s(
        {
            "csgraph": lambda: dijkstra(matrix, directed=True, indices=stations),
            "rows": lambda: made.graph().rows(stations),
            "table": lambda: routes(made.graph(), stations, stations),
            "table_with_bandwidths": lambda: routes(
                made.graph(with_bandwidth=True), stations, stations
            ),
            "nearest_of_10_hosts": lambda: nearest_hosts(graph, stations[:10]),
            "widest_from_5": lambda: widest_rows(made.graph(with_bandwidth=True), stations[:5]),
            "networkx": lambda: [
                nx.single_source_dijkstra_path_length(plain, node)
                for node in stations[:networkx_sources].tolist()
            ],
        },
        repeats,
    )
    many["networkx"] *= STATIONS / networkx_sources
    drawn = np.random.default_rng(1).choice(stations, (pairs, 2)).tolist()
    memory = CachedRouter(DijkstraRouter(graph))
    led = AStarRouter(graph, made.position_km)
    single = alternating_cpu_s(
        {
            "dijkstra": lambda: [DijkstraRouter(graph).route(*pair) for pair in drawn],
            "a_star": lambda: [led.route(*pair) for pair in drawn],
            "cached": lambda: [memory.route(*pair) for pair in drawn],
            "ten_best": lambda: [shortest_routes(graph, a, b, 10) for a, b in drawn],
        },
        repeats,
    )
    figures: Figures = {f"{size}_{name}_ms": 1e3 * spent for name, spent in many.items()}
    figures |= {
        f"{size}_{name}_over_csgraph": many[name] / many["csgraph"]
        for name in ("rows", "table", "table_with_bandwidths", "networkx")
    }
    figures |= {f"{size}_one_by_one_{name}_us": 1e6 * t / pairs for name, t in single.items()}
    figures[f"{size}_dijkstra_over_cached"] = single["dijkstra"] / single["cached"]
    return figures


def main() -> None:
    """Measure and print."""
    arguments = parser(__doc__.splitlines()[0]).parse_args()
    sizes = ("1584", "6912") if arguments.quick else tuple(SHELLS)
    repeats, pairs, few = (3, 20, 2) if arguments.quick else (7, 50, 5)
    figures: Figures = {}
    for size in sizes:
        figures |= measure(size, repeats, pairs, few)
    conditions = {
        "stations": STATIONS,
        "pairs": pairs,
        "repeats": repeats,
        "networkx_sources": few,
        "timing": "median processor time, in turns, one thread",
    }
    report(figures, conditions, arguments.format)


if __name__ == "__main__":
    main()
