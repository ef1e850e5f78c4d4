"""State files in Stardust's schema."""

from __future__ import annotations

import json
from typing import Any


def node_state(name: str, x: float, y: float, z: float, *established: int) -> dict[str, Any]:
    """One node at one instant, metres."""
    return {
        "Name": name,
        "Position": {"X": x, "Y": y, "Z": z},
        "Established": list(established),
    }


def document() -> dict[str, Any]:
    """Three satellites, two stations, three instants; every link is listed in another manner."""
    return {
        "StatePlugins": ["DummySun"],
        "Satellites": [
            {"Index": 0, "Name": "STARLINK-1", "ComputingType": 1},
            {"Index": 1, "Name": "STARLINK-2", "ComputingType": "Edge"},
            {"Index": 2, "Name": "Sat Nr. 3", "ComputingType": 3},
        ],
        "Grounds": [
            {"Name": "São Paulo", "ComputingType": "cloud"},
            {"Name": "Graz", "ComputingType": 0},
        ],
        "Links": [
            {"NodeName1": "STARLINK-2", "NodeName2": "STARLINK-1"},
            {"NodeName1": "Graz", "NodeName2": "STARLINK-1"},
            {"NodeName1": "STARLINK-1", "NodeName2": "STARLINK-2"},
            {"NodeName1": "Graz", "NodeName2": "São Paulo"},
            {"NodeName1": "STARLINK-2", "NodeName2": "Sat Nr. 3"},
        ],
        "States": [
            {
                "Time": "2025-10-01T00:00:00Z",
                "NodeStates": [
                    node_state("STARLINK-1", 6928137.0, 0.0, 0.0, 0, 0, 1),
                    node_state("STARLINK-2", 6660000.0, 1908000.0, 0.1, 0),
                    node_state("Sat Nr. 3", 5880000, 3664000, 0),
                    node_state("São Paulo", 0.0, 6378137.0, 0.0),
                    node_state("Graz", 6378137.0, 0.0, 0.0),
                ],
            },
            {
                "Time": "2025-10-01T02:10:00.5+02:00",
                "NodeStates": [
                    node_state("STARLINK-1", 6928137.0, 1.0, 0.0, 0, 2),
                    node_state("STARLINK-2", 6660000.0, 1908000.5, 0.0),
                    node_state("Sat Nr. 3", 5880000, 3664000, 0, 4),
                    node_state("São Paulo", 0.0, 6378137.0, 0.0),
                    node_state("Graz", 6378137.0, 0.0, 0.0, 3),
                ],
            },
            {
                "Time": "2025-10-01T00:10:01.123456789Z",
                "NodeStates": [
                    node_state("Graz", 6378137.0, 0.0, 0.0),
                    node_state("Sat Nr. 3", 5880000, 3664000, 0),
                    node_state("São Paulo", 0.0, 6378137.0, 0.0),
                    node_state("STARLINK-2", 6660000.0, 1908000.5, 0.0),
                    node_state("STARLINK-1", 6928137.0, 2.0, 0.0),
                ],
            },
        ],
    }


def encoded(tree: Any) -> bytes:
    """Return a document as a file holds it."""
    return json.dumps(tree, indent=2).encode()
