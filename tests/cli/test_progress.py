"""The table that grows while a solve runs, as a terminal shows it."""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from rich.console import Console

from leotrek_opt.cli import progress as module
from leotrek_opt.cli.common import log_to_stderr
from leotrek_opt.cli.progress import Line, lines, progress, shown_on
from leotrek_opt.solvers.method import Progress

WIDE = 100


def screen(written: str) -> list[str]:
    """Return the lines above the cursor after some output; refuse codes that are not expected."""
    shown, row, column = [""], 0, 0
    for found in re.finditer(r"\x1b\[([?0-9;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)", written):
        argument, code, control, text = found.groups()
        if text is not None:
            line = shown[row].ljust(column)
            shown[row] = line[:column] + text + line[column + len(text) :]
            column += len(text)
        elif control == "\r":
            column = 0
        elif control == "\n":
            row, column = row + 1, 0
            shown += [""] * (row + 1 - len(shown))
        elif code == "K":
            assert argument == "2"
            shown[row] = ""
        elif code == "A":
            row = max(0, row - int(argument))
        else:
            assert code in "mhl"
    assert not any(shown[row:]), "the cursor is not below all that is shown"
    return [line.rstrip() for line in shown[:row]]


def cursor_is_shown(written: str) -> bool:
    return written.rfind("\x1b[?25h") > written.rfind("\x1b[?25l")


def table(width: int = WIDE, **how: Any) -> tuple[io.StringIO, Any]:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=width, highlight=False)
    return written, shown_on(console, **how)


def kept(events: list[Line], width: int = WIDE) -> list[list[str]]:
    """Return the cells of the lines that remain."""
    written, context = table(width)
    with context as show:
        for event in events:
            show(event)
    return [line.split() for line in screen(written.getvalue()) if line]


def test_lines_of_improvements_remain_under_one_header() -> None:
    written, context = table()
    with context as show:
        show(Line(0.1, "exact", None, None, message="propagation"))
        show(Line(0.2, "exact", None, 10.0))
        show(Line(0.5, "exact", 16.0, 10.0))
        show(Line(0.6, "exact", 16.0, 10.0, 42, "still at it"))
        show(Line(0.9, "exact", 12.5, 10.0, 1042))
        show(Line(1.0, "exact", 12.5, 12.5, 2000, "done"))
    assert screen(written.getvalue()) == [
        "   time s  method               incumbent           bound       gap       nodes",
        "      0.2  exact                        -         10.0000         -           -",
        "      0.5  exact                  16.0000         10.0000   37.50 %           -",
        "      0.9  exact                  12.5000         10.0000   20.00 %        1042",
        "      1.0  exact                  12.5000         12.5000       0 %        2000",
    ]
    assert cursor_is_shown(written.getvalue())


def test_nothing_remains_of_a_solve_that_found_nothing() -> None:
    assert kept([Line(0.1, "exact", None, None, message="propagation")]) == []
    assert kept([]) == []


def test_better_bounds_alone_get_a_line_now_and_then() -> None:
    events = [Line(0.01 * i, "milp", 100.0, 50 + 0.001 * i) for i in range(20_000)]
    rows = kept(events)[1:]
    times = [float(row[0]) for row in rows]
    assert len(rows) < 120
    assert times[:4] == [0.0, 1.0, 2.0, 3.0]
    waits = [after - before for before, after in itertools.pairwise(times)]
    assert all(wait >= 0.05 * time - 0.1 for wait, time in zip(waits, times[1:], strict=True))
    assert times[-1] > 180


def test_another_method_and_another_solve_get_a_line() -> None:
    rows = kept(
        [
            Line(1.0, "exact", None, 3.0),
            Line(1.1, "lns", None, 3.0),
            Line(1.2, "lns", 4.0, 3.0),
            Line(0.1, "lns", 4.0, None),
        ]
    )
    assert [row[:4] for row in rows[1:]] == [
        ["1.0", "exact", "-", "3.0000"],
        ["1.1", "lns", "-", "3.0000"],
        ["1.2", "lns", "4.0000", "3.0000"],
        ["0.1", "lns", "4.0000", "-"],
    ]


@pytest.mark.parametrize(
    ("objective", "bound", "gap"),
    [(0.0, 0.0, "0 %"), (0.0, -1.0, None), (-4.0, -5.0, "25.00 %"), (4.0, 5.0, "25.00 %")],
)
def test_gap_of_either_sense(objective: float, bound: float, gap: str | None) -> None:
    line = Line(0.0, "m", objective, bound)
    assert line.gap == (None if gap is None else float(gap.split()[0]) / 100)
    assert Line(0.0, "m", objective, None).gap is None


@pytest.mark.parametrize(
    ("width", "header"),
    [
        (80, ["time", "s", "method", "incumbent", "bound", "gap", "nodes"]),
        (79, ["time", "s", "method", "incumbent", "bound", "gap"]),
        (60, ["time", "s", "incumbent", "bound", "gap"]),
        (40, ["time", "s", "incumbent", "gap"]),
        (30, ["time", "s", "incumbent"]),
    ],
)
def test_narrow_terminal_goes_without_some_columns(width: int, header: list[str]) -> None:
    rows = kept([Line(12.0, "hyperdrive@published", 1.5, 1.0, 7)], width)
    assert rows[0] == header
    assert len(rows) == 2


def test_terminal_that_is_too_narrow_cuts_lines() -> None:
    written, context = table(12)
    with context as show:
        show(Line(12.0, "exact", 1.5, 1.0, 7, "a message"))
    shown = screen(written.getvalue())
    assert [len(line) <= 12 for line in shown] == [True] * 2
    assert shown[1].split()[0] == "12.0"


def test_long_name_is_cut() -> None:
    assert kept([Line(1.0, "hyperdrive@published", 1.0, None)])[1][1] == "hyperdrive@pu~"


def test_last_line_runs_with_the_clock_and_tells_what_was_done() -> None:
    now = [100.0]
    console = Console(file=io.StringIO(), force_terminal=True, width=WIDE)
    shown = module._Table(console, module.milliseconds, lambda: now[0])
    assert shown.last_line().plain == "starting"
    shown.show(Line(3.0, "exact", 2.0, 1.0, 5, "prices " * 20))
    now[0] += 1.5
    text = shown.last_line().plain
    assert text.split()[:8] == ["4.5", "exact", "2.0000", "1.0000", "50.00", "%", "5", "prices"]
    assert len(text) == WIDE - 1


def test_numbers_are_written_as_asked() -> None:
    written, context = table(form=lambda value: "?" if value is None else f"<{value:g}>")
    with context as show:
        show(Line(0.0, "cpsat", 3.0, None))
    assert screen(written.getvalue())[1].split() == ["0.0", "cpsat", "<3>", "?", "-", "-"]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def stderr_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Make stderr a terminal; within the test, since pytest sets it anew after the fixtures."""
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(WIDE))
    return stream


@pytest.fixture(autouse=True)
def plain_logger() -> Any:
    logger = logging.getLogger("leotrek_opt")
    before = logger.handlers, logger.level
    log_to_stderr(0)
    yield
    logger.handlers, logger.level = before


def test_events_of_a_solve_are_shown_in_ms(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = stderr_terminal(monkeypatch)
    with progress(quiet=False) as on_progress:
        assert on_progress is not None
        on_progress(Progress(0.5, "exact", 12_500_000, 12_000_000, "first", 3))
    row = screen(terminal.getvalue())[1].split()
    assert row == ["0.5", "exact", "12.5000", "12.0000", "4.00", "%", "3"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("context", [progress, lines])
def test_nobody_looks_when_quiet_or_without_a_terminal(
    context: Callable[[bool], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = stderr_terminal(monkeypatch)
    with context(True) as show:
        assert show is None
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with context(False) as show:
        assert show is None
    assert terminal.getvalue() == ""


def test_everything_goes_to_the_log_when_all_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = stderr_terminal(monkeypatch)
    log_to_stderr(2)
    with progress(quiet=True) as on_progress:
        assert on_progress is not None
        on_progress(Progress(0.1, "milp:highs", 13_000_000, 12_000_000, "found", 7))
        on_progress(Progress(0.2, "milp:highs", None, None))
    assert terminal.getvalue().splitlines() == [
        "DEBUG leotrek_opt.cli: 0.1 s  milp:highs  objective 13.0000  bound 12.0000  7 nodes  "
        "found",
        "DEBUG leotrek_opt.cli: 0.2 s  milp:highs",
    ]


def test_log_lines_stand_above_the_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = stderr_terminal(monkeypatch)
    log_to_stderr(1)
    (handler,) = logging.getLogger("leotrek_opt").handlers
    assert isinstance(handler, logging.StreamHandler)
    with progress(quiet=False) as on_progress:
        assert on_progress is not None
        on_progress(Progress(0.5, "exact", 12_500_000, None))
        logging.getLogger("leotrek_opt.somewhere").info("two [of] three")
        on_progress(Progress(0.6, "exact", 12_400_000, None))
    assert handler.stream is terminal
    shown = screen(terminal.getvalue())
    assert shown[2] == "INFO leotrek_opt.somewhere: two [of] three"
    assert [line.split()[0] for line in shown if line] == ["time", "0.5", "INFO", "0.6"]


def test_exception_leaves_the_terminal_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = stderr_terminal(monkeypatch)

    def fail() -> None:
        with progress(quiet=False) as on_progress:
            assert on_progress is not None
            on_progress(Progress(0.5, "exact", 12_500_000, None))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert sys.stderr is terminal
    assert cursor_is_shown(terminal.getvalue())
    assert len([line for line in screen(terminal.getvalue()) if line]) == 2


PROGRAM = """
import sys, time
from leotrek_opt.cli.common import interruptible
from leotrek_opt.cli.progress import progress
from leotrek_opt.solvers.method import Progress
with interruptible() as cancel, progress(quiet=False) as show:
    show(Progress(0.1, "exact", 3_000_000, None))
    print("ready", flush=True)
    cancel.wait(30)
    show(Progress(0.2, "exact", 2_000_000, None))
    if "twice" in sys.argv:
        print("again", flush=True)
        time.sleep(30)
print("answer", flush=True)
"""


@pytest.mark.parametrize("how", ["once", "twice"])
def test_ctrl_c_on_a_terminal_ends_cleanly(how: str) -> None:
    """The program's stderr is a terminal, its stdout a pipe."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": str(WIDE)}
    command = [sys.executable, "-c", PROGRAM, how]
    with (
        ThreadPoolExecutor(1) as pool,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=theirs, text=True, env=environment
        ) as program,
    ):
        os.close(theirs)
        reader = pool.submit(_everything_from, ours)
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        program.send_signal(signal.SIGINT)
        if how == "twice":
            assert program.stdout.readline() == "again\n"
            program.send_signal(signal.SIGINT)
        out = program.stdout.read()
        code = program.wait()
        written = reader.result()
    assert out == ("answer\n" if how == "once" else "")
    assert code == (0 if how == "once" else -signal.SIGINT)
    assert cursor_is_shown(written)
    shown = [line for line in screen(written) if line]
    rows = [line.split() for line in shown]
    assert ["0.1", "exact", "3.0000", "-", "-", "-"] in rows
    assert ["0.2", "exact", "2.0000", "-", "-", "-"] in rows
    assert "stopping; the best answer so far follows (Ctrl-C again aborts)" in shown
    if how == "twice":
        assert shown[-1].startswith("KeyboardInterrupt")


def _everything_from(terminal: int) -> str:
    data = b""
    # Linux raises when nobody holds the other end any longer.
    with contextlib.suppress(OSError):
        while more := os.read(terminal, 1 << 16):
            data += more
    os.close(terminal)
    return data.decode()
