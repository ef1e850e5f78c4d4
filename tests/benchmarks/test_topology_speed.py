"""The measurement of steps: what is compared does the same work, and fleets are copied rightly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

SCRIPT = """
import json
import numpy as np
import topology_speed as speed
from leotrek_opt.topology.generated import topology_generator

made = speed.walker(1584, 3, 2)
generator = topology_generator(made)
state = generator.state(1)
error, position, _ = speed.bare_sgp4(1584)(state.time)
radius = np.linalg.norm(position[:, 0], axis=1)
figures = speed.step_against_floor(1584, 3, 2, 1)
print(json.dumps({
    "errors": int(error.sum()),
    "farthest": float(np.abs(radius - np.linalg.norm(state.position_km[:1584], axis=1)).max()),
    "figures": figures,
    "synthetic": [speed.catalogue(copies)[0].satellite_count for copies in (1, 3)],
    "circular_ms": speed.step_ms(speed.walker(1584, 3, 5, propagator="circular_j2")),
}))
"""


def test_floor_and_step_are_about_the_same_satellites() -> None:
    environment = {
        name: value for name, value in os.environ.items() if name != "LEOTREK_REFERENCE_DATA"
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=False,
        env=environment | {"PYTHONPATH": str(BENCHMARKS)},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["errors"] == 0
    assert found["farthest"] < 1e-8
    assert found["synthetic"] == [6912, 3 * 6912]
    figures = found["figures"]
    name = "1584_satellites_3_stations"
    assert set(figures) == {f"{name}_step_ms", f"{name}_floor_ms", f"{name}_ratio"}
    quotient = figures[f"{name}_step_ms"] / figures[f"{name}_floor_ms"]
    assert abs(figures[f"{name}_ratio"] - quotient) < 1e-12
    assert found["circular_ms"] > 0
