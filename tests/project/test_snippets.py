"""Every example that a reader may copy runs: README, docs and docstrings."""

from __future__ import annotations

import doctest
import importlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

# A page carries this comment when its commands can be run one after the other in an empty folder.
RUN_COMMANDS = "<!-- the commands of this page are run by the tests -->"


def blocks(page: Path, language: str) -> Iterator[tuple[int, str]]:
    """Yield the line number and text of every fenced block of a language."""
    text = page.read_text(encoding="utf-8")
    for match in re.finditer(rf"^( *)```{language}\n(.*?)^\1```", text, re.DOTALL | re.MULTILINE):
        indent = len(match[1])
        body = "\n".join(line[indent:] for line in match[2].splitlines())
        yield text.count("\n", 0, match.start(2)), body


def commands(page: Path) -> list[list[str]]:
    """Return the arguments of every ``leotrek`` line, continued lines joined."""
    lines = [
        line
        for _, block in blocks(page, "bash")
        for line in block.replace("\\\n", " ").splitlines()
    ]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("leotrek ")]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def with_python() -> list[Path]:
    return [page for page in PAGES if any(True for _ in blocks(page, "python"))]


def with_commands() -> list[Path]:
    return [page for page in PAGES if RUN_COMMANDS in page.read_text(encoding="utf-8")]


def with_examples() -> list[Path]:
    modules = (ROOT / "src").rglob("*.py")
    return sorted(path for path in modules if ">>> " in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", with_python(), ids=name)
def test_python_blocks_of_a_page_run_in_order(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "snippet"}
    for line, block in blocks(page, "python"):
        # Empty lines in front make a traceback name the line of the page.
        exec(compile("\n" * line + block, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", with_commands(), ids=name)
def test_commands_of_a_page_run_in_order(page: Path, tmp_path: Path) -> None:
    assert commands(page), "the page says that its commands are run, but has none"
    for arguments in commands(page):
        child = subprocess.run(
            [sys.executable, "-m", "leotrek_opt", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert child.returncode == 0, f"leotrek {shlex.join(arguments)}\n{child.stderr}"


@pytest.mark.parametrize("path", with_examples(), ids=name)
def test_docstring_examples_print_what_they_say(path: Path) -> None:
    relative = path.relative_to(ROOT / "src").with_suffix("")
    module = importlib.import_module(".".join(relative.parts).removesuffix(".__init__"))
    assert doctest.testmod(module).failed == 0
