"""How long a large explicit continuum takes to load, and how much memory, in a fresh process.

The document has 7,030 nodes, 15,160 links and 100 steps of latency and bandwidth: 3 million numbers
beside the JSON. Every figure is the median over fresh processes that do nothing but load it.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

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
    import numpy as np

    from leotrek_opt.instances.documents import save
    from leotrek_opt.models.continuum import Continuum, NodeTable, TimeGrid
    from leotrek_opt.models.topology import ExplicitTopology

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


def measure(repeats: int) -> dict[str, dict[str, float | int | str]]:
    """Return the figures and the conditions they were taken under."""
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
    figures = {key: round(statistics.median(run[key] for run in runs), 4) for key in runs[0]}
    figures |= {"json_bytes": sizes[".json"], "npz_bytes": sizes[".npz"]}
    return {
        "figures": figures,
        "conditions": {
            "nodes": NODES,
            "links": LINKS,
            "steps": STEPS,
            "repeats": repeats,
            "python": platform.python_version(),
            "machine": platform.machine(),
        },
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three processes instead of nine")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    arguments = parser.parse_args()
    report = measure(3 if arguments.quick else 9)
    if arguments.format == "json":
        print(json.dumps(report))
        return
    for part in report.values():
        for key, value in part.items():
            print(f"{key:<12}  {value}")


if __name__ == "__main__":
    main()
