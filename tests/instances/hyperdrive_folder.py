"""A scenario folder of six nodes in the published format, to be bent by each test."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

HEAT = {
    "temperature_C": 45.0,
    "max_temp_C": 75.0,
    "recommended_high_temp_C": 65.0,
    "temp_inc_per_cpu_minute_C": 1.0,
    "radiated_heat_per_minute_C": 0.1,
    "mocked_max_orbit_base_temp_C": 55.0,
}


def task(name: str, preds: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """Return one entry of ``workflow``."""
    return {
        "name": name,
        "cpu_archs": ["arm64", "x86_64"],
        "req": {"milliCpu": 4000, "memoryMiB": 2048},
        "exec_time_ms": {"arm64": 60000, "x86_64": 50000},
        "preds": preds,
        "data_sources": [],
    } | fields


def pred(
    name: str, max_latency_ms: float | None = None, kbps: float | None = None
) -> dict[str, Any]:
    """Return one entry of ``preds``."""
    return {"task": name, "max_latency_ms": max_latency_ms, "min_bandwidth_kbps": kbps}


def node(number: int, kind: str, architecture: str = "arm64", cpu: int = 4000) -> dict[str, Any]:
    """Return one node; satellites are hot, all others stand near 40 N 120 W."""
    entry: dict[str, Any] = {
        "id": number,
        "type": kind,
        "cpu_arch": architecture,
        "resources": {"milliCpu": cpu, "memoryMiB": 4096},
    }
    if kind == "satellite":
        entry["resources"]["batteryMAh"] = 10000
        return entry | {"heat": dict(HEAT)}
    return entry | {"lat": 40.0 + number / 10, "lon": -120.0, "alt_km": 0.0}


def documents() -> dict[str, Any]:
    """Return scenario, nodes and topology: 3 satellites, 2 edge nodes, 1 ground station."""

    def satellites() -> list[list[float]]:
        return [[40.0, -120.0, 550.0], [41.0, -121.0, 551.0], [42.0, -122.0, 552.0]]

    ring = [[0, 1, 6.5], [1, 2, 6.25]]
    return {
        "scenario": {
            "name": "scenario01-6",
            "total_nodes": 6,
            "n_satellites": 3,
            "workflow": [
                task("ingest", [], exec_time_ms={}, req={"milliCpu": 1000}, cpu_archs=["arm64"]),
                task("extract-frames", [pred("ingest", 100)]),
                task(
                    "object-det",
                    [pred("extract-frames", 150, 2000)],
                    data_sources=[{"node": "eo_satellite", "max_latency_ms": 175}],
                ),
            ],
            "n_workflows": 2,
            "ingest_nodes": [3, 4],
            "schedule_times_min": [[2, 4], [4, 8]],
            "eo_satellites": [2, 1],
        },
        "nodes": {
            "nodes": [
                node(0, "satellite"),
                node(1, "satellite"),
                node(2, "satellite"),
                node(3, "edge"),
                node(4, "edge"),
                node(5, "ground_station", "x86_64", 32000),
            ]
        },
        "topology": {
            "times": {
                "2": {
                    "edges": [*ring, [0, 3, 3.000001]],
                    "sat_positions_lat_lon_alt": satellites(),
                },
                "8": {
                    "edges": [*ring, [1, 5, 4.5], [0, 3, 3.5]],
                    "sat_positions_lat_lon_alt": satellites(),
                },
                "4": {
                    "edges": [*ring, [1, 4, 4.0], [2, 5, 4.25]],
                    "sat_positions_lat_lon_alt": satellites(),
                },
            }
        },
    }


def write(folder: Path, parts: dict[str, Any], size: int = 6, *, packed: bool = False) -> Path:
    """Write documents under their published names; ``packed`` compresses all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, document in parts.items():
        data = json.dumps(document).encode()
        path = folder / f"scenario01-{size}-{part}.json"
        if packed:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(data))
        else:
            path.write_bytes(data)
    return folder
