"""Run a native solver on a thread of its own, so that its caller stays in charge.

A native call cannot be killed and may not look at a flag for seconds on end. The caller therefore
waits for messages instead of for the call: it hands them out, sees a cancel or a deadline within
milliseconds, asks the call to stop and, if that does not help soon, goes on without it. The thread
ends as soon as the solver next looks at the flag.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Message = TypeVar("Message")
Outcome = TypeVar("Outcome")

POLL_S = 0.02
"""How often cancel and deadline are looked at."""
PATIENCE_S = 0.25
"""How long a call that was asked to stop is waited for."""

SIGN_OF_LIFE_S = 0.5
"""How often a running engine says that it still runs, if it has nothing better to say."""


@dataclass(frozen=True)
class _Returned(Generic[Outcome]):
    outcome: Outcome


@dataclass(frozen=True)
class _Raised:
    error: BaseException


def call_native(
    work: Callable[[Callable[[Message], None]], Outcome],
    deliver: Callable[[Message], None],
    *,
    stop: threading.Event,
    cancel: threading.Event | None = None,
    deadline: float | None = None,
) -> Outcome | None:
    """Run `work` on a new thread and hand its messages out on this one.

    Parameters
    ----------
    work
        The native call. It is given a function that posts a message, and must end soon after
        `stop` is set.
    deliver
        Takes each message, in order, on the calling thread. If it raises, or the wait is
        interrupted by a KeyboardInterrupt, the work is stopped and the exception goes on.
    stop
        Set here when the work shall end.
    cancel
        The caller's wish to stop; None for never.
    deadline
        Moment on the clock of ``time.monotonic`` from which the work shall end, or None.

    Returns
    -------
    object or None
        What `work` returned; None if it did not end in time and was left behind.
    """
    inbox: queue.SimpleQueue[Message | _Returned[Outcome] | _Raised] = queue.SimpleQueue()

    def body() -> None:
        try:
            inbox.put(_Returned(work(inbox.put)))
        except BaseException as error:
            inbox.put(_Raised(error))

    worker = threading.Thread(target=body, name="leotrek-engine")
    try:
        worker.start()
        # The loop is a function of its own because CPython leaves the jump of a ``continue`` within
        # ``except`` out of an enclosing ``try``: a KeyboardInterrupt there would pass it by.
        return _listen(inbox, deliver, stop, cancel, deadline)
    except BaseException:
        stop.set()
        if worker.is_alive():
            worker.join(PATIENCE_S)
        raise


def _listen(
    inbox: queue.SimpleQueue[Message | _Returned[Outcome] | _Raised],
    deliver: Callable[[Message], None],
    stop: threading.Event,
    cancel: threading.Event | None,
    deadline: float | None,
) -> Outcome | None:
    given_up_at = math.inf
    while True:
        now = time.monotonic()
        wanted = (cancel is not None and cancel.is_set()) or (
            deadline is not None and now >= deadline
        )
        if wanted and not stop.is_set():
            stop.set()
            given_up_at = now + PATIENCE_S
        try:
            message = inbox.get(timeout=POLL_S)
        except queue.Empty:
            if now >= given_up_at:
                return None
            continue
        if isinstance(message, _Returned):
            return message.outcome
        if isinstance(message, _Raised):
            raise message.error
        deliver(message)
