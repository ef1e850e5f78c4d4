"""What every benchmark script shares: its options, its output, and honest timing."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

Number = float | int
Figures = dict[str, Number]
Conditions = dict[str, object]


def parser(description: str) -> argparse.ArgumentParser:
    """Make the parser of a benchmark, with ``--quick`` and ``--format``.

    Parameters
    ----------
    description
        One line on what is measured.

    Returns
    -------
    argparse.ArgumentParser
        To which a script may add its own arguments.
    """
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--quick", action="store_true", help="smaller sizes, under 60 s")
    options.add_argument("--format", choices=("table", "json"), default="table")
    return options


def report(figures: Figures, conditions: Conditions, style: str) -> None:
    """Print what was measured: one JSON object, or a table.

    Parameters
    ----------
    figures
        Number by name.
    conditions
        What the numbers depend on; versions and machine are added.
    style
        ``json`` or ``table``.
    """
    conditions = conditions | machine()
    if style == "json":
        print(json.dumps({"figures": figures, "conditions": conditions}))
        return
    width = max(map(len, (*figures, *conditions)))
    for name, value in figures.items():
        print(
            f"{name:<{width}}  {value:>14,.4g}"
            if isinstance(value, float)
            else f"{name:<{width}}  {value:>14,}"
        )
    print()
    for name, condition in conditions.items():
        print(f"{name:<{width}}  {condition}")


def machine() -> Conditions:
    """Return versions and machine, without host or user names.

    Returns
    -------
    dict
        ``python``, ``platform``, ``cpus`` and the versions of the solvers and of numpy.
    """
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "highspy", "pyomo")}
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": len(os.sched_getaffinity(0)),
        **versions,
    }


def alternating_cpu_s(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Time calls in turns, so that a slow moment of the machine meets all of them.

    Parameters
    ----------
    calls
        What to call, by name. Each is called once more before the timing starts.
    repeats
        Number of turns.

    Returns
    -------
    dict
        Median processor time of each call in seconds.
    """
    for call in calls.values():
        call()
    samples: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            before = time.process_time()
            result = call()
            samples[name].append(time.process_time() - before)
            del result
    return {name: statistics.median(values) for name, values in samples.items()}


def in_child(call: Callable[[], Sequence[Number]]) -> Sequence[Number]:
    """Call a function of a module in a fresh process, so that its memory is its own.

    Parameters
    ----------
    call
        A picklable call.

    Returns
    -------
    sequence of numbers
        What it returned.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(call)


def memory_growth_mib(call: Callable[[], object]) -> float:
    """Measure how far a call drives resident memory above where it was, in MiB.

    Parameters
    ----------
    call
        What to call; what it returns is alive at the end. Linux only.

    Returns
    -------
    float
        Peak during the call minus memory before it.
    """
    # Writing 5 resets the kernel's high-water mark of this process to what it holds now.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _status_kib("VmRSS")
    kept = call()
    growth = (_status_kib("VmHWM") - before) / 1024
    del kept
    return growth


def _status_kib(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise RuntimeError(f"no {field} in /proc/self/status")
