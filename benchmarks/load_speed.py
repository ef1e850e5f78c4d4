"""How long a large explicit continuum takes to load, and how much memory, in a fresh process.

The document has 7,030 nodes, 15,160 links and 100 steps of latency and bandwidth: 3 million numbers
beside the JSON. Every figure is the median over fresh processes that do nothing but load it.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from _common import Figures, parser, report

from leotrek_opt.instances.documents import save
from leotrek_opt.models.continuum import Continuum, NodeTable, TimeGrid
from leotrek_opt.models.topology import ExplicitTopology

NODES, LINKS, STEPS = 7_030, 15_160, 100

CHILD = """
import json, resource, sys, time
started = time.perf_counter()
from leotrek_opt.instances.documents import digest, load
imported = time.perf_counter()
model = load(sys.argv[1])
loaded = time.perf_counter()
peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
digest(model)
print(json.dumps({
    "import_s": imported - started,
    "load_s": loaded - imported,
    "digest_s": time.perf_counter() - loaded,
    "peak_rss_mb": peak_kib * 1024 / 1e6,
}))
"""


def write_document(folder: Path) -> Path:
    """Save the continuum and return its file."""
    rng = np.random.default_rng(1)
    source = rng.integers(0, NODES, LINKS)
    continuum = Continuum(
        nodes=NodeTable(
            id=tuple(f"satellite-{index:05d}" for index in range(NODES)),
            kind=("satellite",) * NODES,
            architecture=("arm64",) * NODES,
            capacity={
                "cpu_millis": rng.integers(1, 8, NODES) * 1000,
                "memory_mib": rng.integers(1, 32, NODES) * 1024,
            },
        ),
        time=TimeGrid(steps=STEPS),
        topology=ExplicitTopology(
            source=source,
            target=(source + rng.integers(1, NODES, LINKS)) % NODES,
            latency_ms=np.round(rng.uniform(1, 30, (STEPS, LINKS)), 6),
            bandwidth_mbps=np.round(rng.uniform(10, 1000, (STEPS, LINKS)), 3),
        ),
    )
    return save(continuum, folder / "continuum.json")


def measure(repeats: int) -> Figures:
    """Return the medians over fresh processes."""
    with tempfile.TemporaryDirectory() as name:
        document = write_document(Path(name))
        sizes = {path.suffix: path.stat().st_size for path in Path(name).iterdir()}
        runs = [
            json.loads(
                subprocess.run(
                    [sys.executable, "-c", CHILD, str(document)],
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
            )
            for _ in range(repeats)
        ]
    figures: Figures = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    return figures | {"json_bytes": sizes[".json"], "npz_bytes": sizes[".npz"]}


def main() -> None:
    """Measure and print."""
    arguments = parser("time and memory to load a large explicit continuum").parse_args()
    repeats = 3 if arguments.quick else 9
    conditions = {"nodes": NODES, "links": LINKS, "steps": STEPS, "repeats": repeats}
    report(measure(repeats), conditions, arguments.format)


if __name__ == "__main__":
    main()
