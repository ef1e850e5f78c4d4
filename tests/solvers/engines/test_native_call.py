"""A native call on its own thread: messages, deadlines, cancelling, and leaving it behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from leotrek_opt.solvers.engines import native_call
from leotrek_opt.solvers.engines.native_call import call_native


def ignore(_: object) -> None:
    """Take a message."""


def test_messages_come_in_order_before_the_outcome() -> None:
    seen: list[int] = []

    def work(post: Callable[[int], None]) -> str:
        for number in range(100):
            post(number)
        return "done"

    assert call_native(work, seen.append, stop=threading.Event()) == "done"
    assert seen == list(range(100))


def test_exception_of_the_work_is_raised_here() -> None:
    def work(_: Callable[[object], None]) -> None:
        raise ZeroDivisionError("inside")

    with pytest.raises(ZeroDivisionError, match="inside"):
        call_native(work, ignore, stop=threading.Event())


@pytest.mark.parametrize("how", ["cancel", "deadline"])
def test_work_is_asked_to_stop_and_its_outcome_kept(how: str) -> None:
    stop, cancel = threading.Event(), threading.Event()

    def work(_: Callable[[object], None]) -> bool:
        return stop.wait(30)

    if how == "cancel":
        threading.Timer(0.05, cancel.set).start()
        assert call_native(work, ignore, stop=stop, cancel=cancel) is True
    else:
        assert call_native(work, ignore, stop=stop, deadline=time.monotonic() + 0.05) is True


def test_work_that_does_not_stop_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_call, "PATIENCE_S", 0.05)
    release, stop = threading.Event(), threading.Event()

    def work(_: Callable[[object], None]) -> bool:
        return release.wait(30)

    assert call_native(work, ignore, stop=stop, deadline=time.monotonic()) is None
    assert stop.is_set()
    release.set()


def test_exception_while_delivering_stops_the_work() -> None:
    stop = threading.Event()

    def work(post: Callable[[int], None]) -> bool:
        post(1)
        return stop.wait(30)

    def fail(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call_native(work, fail, stop=stop)
    assert stop.is_set()
