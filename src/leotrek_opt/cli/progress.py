"""What is going on, while it goes on: a table that grows on a terminal's stderr, or the log.

Every better solution gets a line that stays; below them, one line with a running clock says how far
the solve is now. Nothing is repainted but that last line, so a long run can be scrolled through.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leotrek_opt.cli.output import milliseconds, percent

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from leotrek_opt.solvers.method import Progress

REFRESHES_PER_S = 4
BOUND_SHARE = 0.05
"""A better bound alone gets a line once so much of the time has passed since the last line."""
MIN_BOUND_S = 1.0

_GAP = "  "
_WIDTHS = {"time s": 9, "method": 14, "incumbent": 14, "bound": 14, "gap": 8, "nodes": 10}
_DISPENSABLE = ("nodes", "method", "bound", "gap")
"""Columns that a narrow terminal goes without, the first one first."""


@dataclass(frozen=True)
class Line:
    """How far a solve is.

    Parameters
    ----------
    seconds
        Since it began.
    method
        What is running.
    objective, bound
        Best known values in the unit that is shown, None while unknown.
    nodes
        Branch-and-bound nodes so far, 0 where there are none.
    message
        What has just been done.
    """

    seconds: float
    method: str
    objective: float | None
    bound: float | None
    nodes: int = 0
    message: str = ""

    @property
    def gap(self) -> float | None:
        """Distance of the two values as a share of the objective; None while unknown."""
        if self.objective is None or self.bound is None:
            return None
        if self.objective == self.bound:
            return 0.0
        return abs(self.objective - self.bound) / abs(self.objective) if self.objective else None


ShowLine = Callable[[Line], None]
Format = Callable[[float | None], str]


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """Show the events of a solve, whose values are in ns.

    Parameters
    ----------
    quiet
        Show nothing.

    Yields
    ------
    callable or None
        To be called with each event of a solve; None if nobody is looking.
    """
    with lines(quiet) as show:
        yield None if show is None else lambda event: show(_line(event))


@contextmanager
def lines(quiet: bool, form: Format = milliseconds) -> Iterator[ShowLine | None]:
    """Show how far a solve is: as a table on a terminal's stderr, in the log when all is logged.

    Parameters
    ----------
    quiet
        Show nothing.
    form
        Writes a value; None as a dash.

    Yields
    ------
    callable or None
        To be called with every event; None if nobody is looking.
    """
    logger = logging.getLogger("leotrek_opt.cli")
    if logger.isEnabledFor(logging.DEBUG):
        yield lambda line: logger.debug("%s", _in_words(line, form))
        return
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with shown_on(Console(stderr=True, highlight=False), form) as show:
        yield show


@contextmanager
def shown_on(
    console: Console, form: Format = milliseconds, clock: Callable[[], float] = time.monotonic
) -> Iterator[ShowLine]:
    """Keep a table on a console while the context lasts; the lines of better values remain.

    Parameters
    ----------
    console
        A terminal.
    form
        Writes a value; None as a dash.
    clock
        Seconds that never go back.

    Yields
    ------
    callable
        To be called with every event.
    """
    from rich.live import Live

    table = _Table(console, form, clock)
    live = Live(
        get_renderable=table.last_line,
        console=console,
        refresh_per_second=REFRESHES_PER_S,
        transient=True,
        redirect_stdout=False,
    )
    stderr = sys.stderr
    with live:
        # A program that is killed must not leave a terminal without a cursor.
        console.show_cursor(True)
        moved = _handlers_on(stderr)
        for handler in moved:
            handler.setStream(sys.stderr)
        try:
            yield table.show
        finally:
            for handler in moved:
                handler.setStream(stderr)


def _handlers_on(stream: object) -> list[logging.StreamHandler[Any]]:
    """Return the log handlers that would write across the last line."""
    return [
        handler
        for handler in logging.getLogger("leotrek_opt").handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is stream
    ]


class _Table:
    """The lines that stay, and the one that changes."""

    def __init__(self, console: Console, form: Format, clock: Callable[[], float]) -> None:
        self._console = console
        self._form = form
        self._clock = clock
        self._columns = _columns_within(console.width)
        self._latest: tuple[Line, float] | None = None
        self._kept: Line | None = None

    def show(self, line: Line) -> None:
        """Take in one event."""
        if self._is_worth_keeping(line):
            if self._kept is None:
                self._print(_row(self._columns, {name: name for name in _WIDTHS}), "bold")
            self._kept = line
            self._print(self._text(line))
        self._latest = line, self._clock()

    def last_line(self) -> Text:
        """Return how far the solve is now; called again and again, on another thread."""
        from rich.text import Text

        latest = self._latest
        if latest is None:
            return Text("starting", "dim", no_wrap=True, overflow="crop")
        line, at = latest
        now = Line(
            line.seconds + self._clock() - at, line.method, line.objective, line.bound, line.nodes
        )
        text = self._text(now) + (_GAP + line.message if line.message else "")
        return Text(text[: self._console.width - 1], "dim", no_wrap=True, overflow="crop")

    def _is_worth_keeping(self, line: Line) -> bool:
        if line.objective is None and line.bound is None:
            return False
        kept, latest = self._kept, self._latest
        if kept is None or latest is None:
            return True
        # The clock of another solve begins anew; a fall-back goes on with the same one.
        is_new_run = line.method != kept.method or line.seconds < latest[0].seconds
        if is_new_run or line.objective != kept.objective:
            return True
        waited = line.seconds - kept.seconds
        due = waited >= max(MIN_BOUND_S, BOUND_SHARE * line.seconds)
        return line.bound != kept.bound and (due or line.bound == line.objective)

    def _text(self, line: Line) -> str:
        cells = {
            "time s": f"{line.seconds:.1f}",
            "method": line.method,
            "incumbent": self._form(line.objective),
            "bound": self._form(line.bound),
            "gap": percent(line.gap),
            "nodes": str(line.nodes) if line.nodes else "-",
        }
        return _row(self._columns, cells)

    def _print(self, text: str, style: str = "") -> None:
        self._console.print(
            text, style=style, markup=False, highlight=False, no_wrap=True, overflow="crop"
        )


def _columns_within(width: int) -> list[str]:
    columns = list(_WIDTHS)
    for name in _DISPENSABLE:
        if len(_row(columns, dict.fromkeys(columns, ""))) < width:
            break
        columns.remove(name)
    return columns


def _row(columns: list[str], cells: dict[str, str]) -> str:
    parts = []
    for name in columns:
        width, cell = _WIDTHS[name], cells[name]
        if name == "method":
            parts.append(f"{cell if len(cell) <= width else cell[: width - 1] + '~':<{width}}")
        else:
            parts.append(f"{cell:>{width}}")
    return _GAP.join(parts)


def _line(event: Progress) -> Line:
    objective, bound = (
        None if quanta is None else quanta / 1e6 for quanta in (event.objective, event.bound)
    )
    return Line(event.seconds, event.method, objective, bound, event.nodes, event.message)


def _in_words(line: Line, form: Format) -> str:
    values = [
        f"{name} {form(value)}"
        for name, value in (("objective", line.objective), ("bound", line.bound))
        if value is not None
    ]
    nodes = f"{line.nodes} nodes" if line.nodes else ""
    parts = [f"{line.seconds:.1f} s", line.method, *values, nodes, line.message]
    return "  ".join(part for part in parts if part)
