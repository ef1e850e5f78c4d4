"""``leotrek doctor``: whether what is installed can work together, and the cure if it cannot."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from leotrek_opt.versions import Versions

TESTED = {"highspy": "1.13.1", "ortools": "9.15.6755"}
"""The pair that every release is tested with; about these the command is silent."""

CURE = f"pip install 'highspy=={TESTED['highspy']}' 'ortools=={TESTED['ortools']}'"

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """Something about this installation that a user should know, and its cure."""

    level: Level
    message: str
    cure: str | None = None


def command(
    *,
    output_format: Annotated[
        Literal["table", "json"], typer.Option("--format", help="How to print the answer.")
    ] = "table",
) -> int:
    """Show versions, engines, known clashes, and the state of PyTorch and the GPU."""
    from leotrek_opt.versions import show_versions

    versions = show_versions()
    findings = examine(versions)
    torch = torch_state(versions["packages"]["torch"])
    gpus = visible_gpus()
    sound = not any(finding.level == "error" for finding in findings)
    if output_format == "json":
        report = {
            "ok": sound,
            "versions": versions,
            "findings": [asdict(finding) for finding in findings],
            "torch": torch,
            "gpus": gpus,
        }
        print(json.dumps(report, indent=2))
    else:
        _print_table(versions, findings, torch, gpus)
    return 0 if sound else 2


def examine(versions: Versions) -> list[Finding]:
    """Judge a set of installed versions.

    Parameters
    ----------
    versions
        What :func:`leotrek_opt.versions.show_versions` returned.

    Returns
    -------
    list of Finding
        Errors first; empty for the tested versions.
    """
    from leotrek_opt.versions import DISTRIBUTION, REQUIRED

    packages = versions["packages"]
    missing = [name for name in REQUIRED if packages[name] is None]
    findings = [
        Finding("error", f"{name} is not installed", f"pip install {DISTRIBUTION}")
        for name in missing
    ]
    highspy, ortools = packages["highspy"], packages["ortools"]
    if highspy is not None:
        findings += _examine_highspy(highspy, ortools)
    if ortools is not None and ortools != TESTED["ortools"]:
        findings.append(
            Finding(
                "warning",
                f"ortools {ortools} is untested here; {TESTED['ortools']} is the tested version",
                CURE,
            )
        )
    return sorted(findings, key=lambda finding: finding.level != "error")


def _examine_highspy(highspy: str, ortools: str | None) -> list[Finding]:
    release = _release(highspy)
    # Both wheels carry a shared library of one name, and the loader keeps the first it meets.
    if release >= (1, 15) and ortools is not None and _release(ortools)[:2] == (9, 15):
        text = (
            f"highspy {highspy} and ortools {ortools} cannot be loaded into one process:"
            " whichever comes second fails to import"
        )
        return [Finding("error", text, CURE)]
    if release[:2] == (1, 14):
        text = f"highspy {highspy} calls wrong values optimal on small models"
        return [Finding("error", text, CURE)]
    if release < (1, 13):
        text = f"highspy {highspy} has another Python interface; 1.13 is the oldest that works here"
        return [Finding("error", text, CURE)]
    if highspy != TESTED["highspy"]:
        text = f"highspy {highspy} is untested here; {TESTED['highspy']} is the tested version"
        return [Finding("warning", text, CURE)]
    return []


def torch_state(version: str | None) -> dict[str, Any]:
    """Say whether PyTorch works and which CUDA devices it sees.

    Parameters
    ----------
    version
        The installed version, or ``None``.

    Returns
    -------
    dict
        ``version``; ``hint`` when it is not installed; ``error`` when it does not load; otherwise
        ``cuda`` (version or ``None``) and ``devices`` (names).
    """
    if version is None:
        return {"version": None, "hint": "pip install 'leotrek-opt[torch]'"}
    # In a child process: a broken or half-installed build must not take this program down with it.
    program = (
        "import json, torch\n"
        "names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]\n"
        "print(json.dumps({'cuda': torch.version.cuda, 'devices': names}))"
    )
    answer = _output_of([sys.executable, "-c", program], timeout_s=120)
    try:
        return {"version": version, **json.loads(answer.splitlines()[-1])}
    except (IndexError, ValueError):
        return {"version": version, "error": "it is installed but cannot be imported"}


def visible_gpus() -> list[str]:
    """Return the GPUs that the NVIDIA driver reports, as ``name, driver version``.

    Returns
    -------
    list of str
        Empty when there is no driver.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    query = [program, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    return _output_of(query, timeout_s=20).splitlines()


def _output_of(arguments: list[str], *, timeout_s: float) -> str:
    """Return what a child process printed, or nothing when it failed."""
    try:
        child = subprocess.run(
            arguments, capture_output=True, text=True, timeout=timeout_s, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return child.stdout


def _release(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: ``9.15.6755`` becomes ``(9, 15, 6755)``."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in match.group().split(".")) if match else ()


def _print_table(
    versions: Versions, findings: list[Finding], torch: dict[str, Any], gpus: list[str]
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, markup=False, soft_wrap=True)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    packages = {name: version or "not installed" for name, version in versions["packages"].items()}
    rows = {
        "leotrek_opt": versions["leotrek_opt"],
        "python": versions["python"],
        "platform": versions["platform"],
        **packages,
        "torch": _describe_torch(torch),
        "gpu": "; ".join(gpus) or "none",
        **{f"engine {name}": carrier for name, carrier in versions["engines"].items()},
    }
    for name, value in rows.items():
        table.add_row(Text(name), Text(value))
    console.print(table)
    for finding in findings:
        console.print(f"{finding.level}: {finding.message}", style="bold")
        if finding.cure:
            console.print(f"  {finding.cure}")
    if not findings:
        console.print("No known clash.")


def _describe_torch(torch: dict[str, Any]) -> str:
    if torch["version"] is None:
        return f"not installed ({torch['hint']})"
    if "error" in torch:
        return f"{torch['version']}: {torch['error']}"
    if not torch["devices"]:
        return f"{torch['version']}, CPU only"
    return f"{torch['version']}, CUDA {torch['cuda']}: {', '.join(torch['devices'])}"
