"""Replay every expected file of a folder: SGP4 states, frames, Hypatia traces, shells, protocols.

Finds ``sgp4_*_teme.csv[.gz]`` (beside ``SGP4-VER.TLE``), ``*_frame_chain.json``,
``hypatia_*.csv[.gz]``, ``walker_*_expected.json`` and ``protocols_*_expected.json``, whatever their
scenario. Prints one line for each case that disagrees. Exit code 1 on a disagreement.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import _golden_hypatia
import _golden_protocols
import _golden_sgp4
import _golden_walker
from _common import machine, parser
from _golden import DATA_VARIABLE, Case
from pydantic import ValidationError

from leotrek_opt.errors import InputError
from leotrek_opt.models.base import input_error

KINDS: tuple[tuple[str, str, Callable[[Path], list[Case]]], ...] = (
    ("sgp4", "sgp4_*_teme.csv*", lambda path: _golden_sgp4.states(path.parent, path)),
    ("frames", "*_frame_chain.json", _golden_sgp4.frame_chain),
    ("hypatia", "hypatia_*.csv*", _golden_hypatia.run),
    ("walker", "walker_*_expected.json", _golden_walker.run),
    ("protocols", "protocols_*_expected.json", _golden_protocols.run),
)


def main() -> int:
    """Run all files of the folder."""
    options = parser("replay every expected file of a folder")
    options.add_argument("--data", type=Path, help=f"folder; else topology/ in ${DATA_VARIABLE}")
    arguments = options.parse_args()
    folder = arguments.data
    if folder is None and DATA_VARIABLE not in os.environ:
        reason = f"no --data, and {DATA_VARIABLE} is not set"
        nothing = json.dumps({"figures": {}, "conditions": {"skipped": reason}})
        print(nothing if arguments.format == "json" else reason)
        return 0
    folder = folder or Path(os.environ[DATA_VARIABLE]) / "topology"
    files = [(kind, path, run) for kind, glob, run in KINDS for path in sorted(folder.glob(glob))]
    if not files:
        print(f"{folder}: holds no expected file of a known kind", file=sys.stderr)
        return 2
    figures: dict[str, float | int] = {}
    disagreements: list[Case] = []
    for kind, path, run in files:
        started = time.perf_counter()
        try:
            cases = run(path)
        except InputError as error:
            print(error, file=sys.stderr)
            return 2
        except ValidationError as error:
            print(input_error(error, file=path), file=sys.stderr)
            return 2
        except (KeyError, TypeError, ValueError) as error:
            print(f"{path}: cannot be replayed: {type(error).__name__}: {error}", file=sys.stderr)
            return 2
        wrong = [case for case in cases if not case.agrees]
        disagreements += wrong
        key = path.name.split(".")[0]
        figures[f"{kind}:{key}_cases"] = len(cases)
        figures[f"{kind}:{key}_disagreeing"] = len(wrong)
        figures[f"{kind}:{key}_s"] = round(time.perf_counter() - started, 3)
        if arguments.format == "table":
            agreeing = len(cases) - len(wrong)
            print(f"{path.name}: {agreeing} of {len(cases)} agree")
        for case in wrong:
            # Lines for people go aside when stdout is one JSON document.
            print(case.line(), file=sys.stderr if arguments.format == "json" else sys.stdout)
    if arguments.format == "json":
        summary = {
            "figures": figures,
            "conditions": {"folder": folder.name, "files": len(files), **machine()},
            "disagreements": [
                {
                    "case": case.name,
                    "found": case.found,
                    "expected": case.expected,
                    "tolerance": case.tolerance,
                }
                for case in disagreements
            ],
        }
        print(json.dumps(summary))
    else:
        print(f"{len(disagreements)} disagreements")
    return int(bool(disagreements))


if __name__ == "__main__":
    sys.exit(main())
