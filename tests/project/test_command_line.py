"""How the program ends: exit codes, one line for each error, no traceback unless asked for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import typer

from leotrek_opt import __version__
from leotrek_opt.cli import main as program
from leotrek_opt.errors import EngineError, InputError, UnsupportedError


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a function that runs the program with a command ``act`` that does as it is told."""

    def run_command(act: Callable[[], int | None], *arguments: str) -> int:
        def command() -> int | None:
            """Act."""
            return act()

        monkeypatch.setattr(program, "COMMANDS", {"act": "the.act", "idle": "the.idle"})
        monkeypatch.setattr(program, "import_module", lambda name: SimpleNamespace(command=command))
        return program.main(["act", *arguments])

    return run_command


def failing(error: BaseException) -> Callable[[], int | None]:
    def act() -> int | None:
        raise error

    return act


@pytest.mark.parametrize("code", [0, 3, 4, 5])
def test_exit_code_is_what_the_command_returns(run: Callable[..., int], code: int) -> None:
    assert run(lambda: code) == code


def test_exit_code_is_what_the_command_raises(run: Callable[..., int]) -> None:
    assert run(failing(typer.Exit(5))) == 5


def test_command_that_returns_nothing_succeeded(run: Callable[..., int]) -> None:
    assert run(lambda: None) == 0


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (
            InputError("must be > 0\n(got -2)", file="a.json", field="nodes[3].cpu"),
            2,
            "error: a.json: nodes[3].cpu: must be > 0 (got -2)\n",
        ),
        (UnsupportedError("dp takes trees only"), 2, "error: dp takes trees only\n"),
        (EngineError("highs gave up"), 1, "error: highs gave up\n"),
        (
            FileNotFoundError(2, "No such file or directory", "no/such.json"),
            2,
            "error: no/such.json: No such file or directory\n",
        ),
        (
            ZeroDivisionError("division by zero"),
            1,
            "error: internal error: ZeroDivisionError: division by zero\n"
            "Add --debug for the traceback.\n",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_error_is_one_line_without_traceback(
    run: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    code: int,
    line: str,
) -> None:
    assert run(failing(error)) == code
    captured = capsys.readouterr()
    assert captured.err == line
    assert captured.out == ""


def test_debug_shows_the_traceback_wherever_it_stands(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(failing(InputError("bad", field="nodes")), "--debug") == 2
    assert "Traceback" in capsys.readouterr().err


def test_interrupt_ends_with_130(run: Callable[..., int]) -> None:
    assert run(failing(KeyboardInterrupt())) == 130


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["doctor", "--nonsense"], "No such option: --nonsense"),
        (["doctor", "--format", "xml"], "'xml' is not one of 'table', 'json'"),
    ],
)
def test_bad_usage_ends_with_2_and_a_hint(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert program.main(arguments) == 2
    first, hint = capsys.readouterr().err.splitlines()
    assert first.startswith("error: ")
    assert said in first
    assert hint.startswith("Try 'leotrek")


def test_no_arguments_show_the_help_and_end_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main([]) == 2
    captured = capsys.readouterr()
    assert "Usage: leotrek" in captured.out
    assert "error:" not in captured.err


@pytest.mark.parametrize("name", list(program.COMMANDS))
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main([name, "--help"]) == 0
    assert f"Usage: leotrek {name}" in capsys.readouterr().out


def test_module_and_script_are_the_same_program() -> None:
    child = subprocess.run(
        [sys.executable, "-m", "leotrek_opt", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert child.stdout == f"leotrek {__version__}\n"


def test_closed_pipe_ends_quietly() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "leotrek_opt", "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    said = child.stderr.read()
    child.stderr.close()
    child.wait()
    assert said == b""


def test_no_color_is_honoured() -> None:
    child = subprocess.run(
        [sys.executable, "-m", "leotrek_opt", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "xterm-256color", "PATH": ""},
    )
    assert "\x1b[3" not in child.stdout
