"""Damaged files for every reader of foreign formats: each must be read, or refused in one line.

Any exception but InputError, a message of several lines, and any input that takes longer than
ten seconds is a failure; with ``--out`` such inputs are saved. Exit code 1 says that there was one.
``worst_ms`` is processor time.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import functools
import multiprocessing
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from _common import Figures, memory_growth_mib, parser, report
from _damage import Damage
from _fuzz_targets import TARGETS, Call

from leotrek_opt.errors import InputError

INPUTS, QUICK_INPUTS = 200_000, 2_000
PER_TASK = 20_000
SLOWEST_S = 10.0
MAX_SAVED = 20


@dataclass
class Outcome:
    """What became of some inputs of one reader."""

    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    failures: int = 0
    worst_ms: float = 0.0
    rss_growth_mib: float = 0.0
    cpu_s: float = 0.0
    causes: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Take in the outcome of more inputs."""
        self.inputs += other.inputs
        self.accepted += other.accepted
        self.refused += other.refused
        self.failures += other.failures
        self.worst_ms = max(self.worst_ms, other.worst_ms)
        self.rss_growth_mib = max(self.rss_growth_mib, other.rss_growth_mib)
        self.cpu_s += other.cpu_s
        self.causes = (self.causes + other.causes)[:MAX_SAVED]


class TooSlowError(Exception):
    """An input that takes longer than the limit."""


def fuzz(target: str, seed: int, indices: range, out: Path | None = None) -> Outcome:
    """Feed damaged inputs to one reader.

    Parameters
    ----------
    target
        Its name.
    seed, indices
        Each input follows from seed, name and its index alone.
    out
        Where inputs that fail are saved.

    Returns
    -------
    Outcome
        Counts, the slowest input, growth of resident memory, and the causes of failures.
    """
    call = TARGETS[target].load()
    damage = Damage(TARGETS[target].seeds, TARGETS[target].tokens)
    outcome = Outcome()
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder, _alarm():
        file = Path(folder) / "input"
        call(damage.seeds[0], file, 0)
        feed = functools.partial(_feed_all, call, damage, target, seed, indices, file, outcome, out)
        outcome.rss_growth_mib = memory_growth_mib(feed)
    outcome.cpu_s = time.process_time() - started
    return outcome


def _feed_all(
    call: Call,
    damage: Damage,
    target: str,
    seed: int,
    indices: range,
    file: Path,
    outcome: Outcome,
    out: Path | None,
) -> None:
    for index in indices:
        data = damage.input(f"{seed}:{target}:{index}")
        began = time.process_time()
        cause = _feed(call, data, file, index, outcome)
        outcome.worst_ms = max(outcome.worst_ms, 1e3 * (time.process_time() - began))
        outcome.inputs += 1
        if cause is None:
            continue
        outcome.failures += 1
        if len(outcome.causes) < MAX_SAVED:
            outcome.causes.append(f"{target} {index}: {cause.splitlines()[-1]}")
            if out is not None:
                _save(out, f"{target}-{seed}-{index}", data, cause)


def _feed(call: Call, data: bytes, file: Path, index: int, outcome: Outcome) -> str | None:
    """Feed one input; return what is wrong with how the reader took it."""
    signal.setitimer(signal.ITIMER_REAL, SLOWEST_S)
    try:
        call(data, file, index)
    except InputError as error:
        outcome.refused += 1
        text = str(error)
        return None if text and "\n" not in text else f"a message of several lines: {text!r}"
    except Exception:  # whatever it is, it should not have come out
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    outcome.accepted += 1
    return None


@contextmanager
def _alarm() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise TooSlowError(f"took longer than {SLOWEST_S:g} s")

    timer = signal.getitimer(signal.ITIMER_REAL)
    handler = signal.signal(signal.SIGALRM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, *timer)


def _save(out: Path, name: str, data: bytes, cause: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.input").write_bytes(data)
    (out / f"{name}.txt").write_text(cause, encoding="utf-8")


def run(
    targets: list[str], inputs: int, seed: int, jobs: int, out: Path | None
) -> dict[str, Outcome]:
    """Fuzz several readers in fresh processes.

    Parameters
    ----------
    targets
        Names of readers.
    inputs
        For each of them.
    seed
        Of the damage.
    jobs
        Processes at a time.
    out
        Where inputs that fail are saved.

    Returns
    -------
    dict
        Outcome by name.
    """
    outcomes = {target: Outcome() for target in targets}
    context = multiprocessing.get_context("spawn")
    # A process for each task, so that memory is that of its reader alone.
    with concurrent.futures.ProcessPoolExecutor(
        jobs, mp_context=context, max_tasks_per_child=1
    ) as pool:
        tasks = {
            pool.submit(
                fuzz, target, seed, range(start, min(start + PER_TASK, inputs)), out
            ): target
            for target in targets
            for start in range(0, inputs, PER_TASK)
        }
        for task in concurrent.futures.as_completed(tasks):
            outcomes[tasks[task]].add(task.result())
    return outcomes


def _figures(outcomes: dict[str, Outcome]) -> Figures:
    figures: Figures = {}
    for target, outcome in outcomes.items():
        for name in ("inputs", "accepted", "refused", "failures", "worst_ms", "rss_growth_mib"):
            figures[f"{target}_{name}"] = getattr(outcome, name)
        figures[f"{target}_us_per_input"] = 1e6 * outcome.cpu_s / max(outcome.inputs, 1)
    figures["failures"] = sum(outcome.failures for outcome in outcomes.values())
    return figures


def main() -> None:
    """Fuzz, print, and end with 1 if a reader failed."""
    options = parser("damaged input for every reader of a foreign format")
    options.add_argument("--inputs", type=int, help=f"for each reader (default {INPUTS})")
    options.add_argument("--readers", nargs="+", choices=list(TARGETS), default=list(TARGETS))
    options.add_argument("--seed", type=int, default=0, help="of the damage (default 0)")
    options.add_argument("--jobs", type=int, default=1, help="processes at a time (default 1)")
    options.add_argument("--out", type=Path, help="folder for inputs that make a reader fail")
    arguments: argparse.Namespace = options.parse_args()
    inputs = arguments.inputs or (QUICK_INPUTS if arguments.quick else INPUTS)
    missing = [name for name in arguments.readers if not TARGETS[name].is_there()]
    if missing:
        print(f"no such reader in this version: {', '.join(missing)}", file=sys.stderr)
        sys.exit(2)
    outcomes = run(arguments.readers, inputs, arguments.seed, arguments.jobs, arguments.out)
    conditions = {"inputs_per_reader": inputs, "seed": arguments.seed}
    report(_figures(outcomes), conditions, arguments.format)
    causes = [cause for outcome in outcomes.values() for cause in outcome.causes]
    for cause in causes:
        print(cause, file=sys.stderr)
    sys.exit(1 if causes else 0)


if __name__ == "__main__":
    main()
