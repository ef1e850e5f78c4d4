"""Run a function in a child process, so that whatever happens there stays there.

A native library that crashes, hangs or eats memory takes its process with it. Here that process is
a child; what it has said before its end is kept. The child is a fresh interpreter that imports what
the function needs and never the caller's ``__main__``, prints nothing, and dies with its parent.
"""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from leotrek_opt.errors import InputError, LeotrekError
from leotrek_opt.solvers.isolation_child import Kind, Notice
from leotrek_opt.solvers.isolation_process import (
    ChildProcess,
    require_memory_watch,
    resident_mib,
)

POLL_S = 0.02
"""How often cancel and deadlines are looked at."""
MEMORY_POLL_S = 0.05
"""How often the child's memory is looked at: what it takes in between goes unseen."""
CANCEL_GRACE_S = 1.0
"""How long a child that was asked to stop is waited for."""

_DEATH_S = 2.0
"""How long a killed child may take to hang up; only one stuck in the kernel takes any time."""

__all__ = [
    "Ending",
    "IsolatedCall",
    "IsolatedOutcome",
    "KillReason",
    "Notice",
    "default_grace_s",
    "run_isolated",
]

_MESSAGE_LENGTH = 300
_LOGGER = logging.getLogger("leotrek_opt")


class Ending(StrEnum):
    """How the child ended."""

    RETURNED = "returned"
    CRASHED = "crashed"
    KILLED = "killed"


class KillReason(StrEnum):
    """Why the child was killed."""

    TIME_LIMIT = "time limit"
    MEMORY_LIMIT = "memory limit"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class IsolatedOutcome:
    """What came of a child process.

    Attributes
    ----------
    ending
        How it ended.
    value
        What the function returned; None unless it did.
    reason
        Why it was killed, or None.
    events
        What the function posted, in order; empty if `on_event` took it.
    exit_code
        Of a child that crashed: its exit code, or minus the number of the signal it died of.
    output
        The last few KiB that a crashed child wrote to stdout and stderr.
    startup_s
        Seconds until the function began, None if it never did.
    seconds
        Wall time of it all.
    """

    ending: Ending
    value: Any
    reason: KillReason | None
    events: tuple[Any, ...]
    exit_code: int | None
    output: str
    startup_s: float | None
    seconds: float

    @property
    def message(self) -> str:
        """What happened, on one line."""
        if self.ending is Ending.RETURNED:
            return "the solver process returned"
        if self.reason is KillReason.CANCELLED:
            return "the solver process did not stop when cancelled, and was killed"
        if self.reason is not None:
            return f"the solver process was killed at its {self.reason}"
        said = _telling_part(self.output)
        return f"the solver process {_death(self.exit_code)}" + (f": {said}" if said else "")


class IsolatedCall:
    """A child process that imports a function while the caller makes ready what it is to be given.

    A context manager; the child ends with it. It belongs to one thread: Linux ends the child with
    the thread that started it.

    Parameters
    ----------
    target
        ``package.module:function``.

    Raises
    ------
    UnsupportedError
        If there is no way to start a child.
    """

    def __init__(self, target: str) -> None:
        self._child = ChildProcess(target, log_level=_LOGGER.getEffectiveLevel())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.close()

    def run(
        self,
        payload: object,
        *,
        on_event: Callable[[Any], None] | None = None,
        cancel: threading.Event | None = None,
        time_limit_s: float | None = None,
        grace_s: float | None = None,
        memory_limit_mib: int | None = None,
        started: float | None = None,
    ) -> IsolatedOutcome:
        """Call the function, once; everything is as for :func:`run_isolated`.

        The time begins with this call, or at `started` on the clock of ``time.monotonic``.
        """
        if started is None:
            started = time.monotonic()
        if time_limit_s is not None and not time_limit_s >= 0:
            raise InputError(f"must be a number >= 0, not {time_limit_s!r}", field="time_limit_s")
        if memory_limit_mib is not None:
            require_memory_watch()
        self._child.give(payload)
        watch = _Watch(
            self._child,
            started,
            on_event,
            cancel,
            time_limit_s=math.inf if time_limit_s is None else time_limit_s,
            grace_s=default_grace_s(time_limit_s or 0.0) if grace_s is None else grace_s,
            cancel_grace_s=CANCEL_GRACE_S if grace_s is None else grace_s,
            memory_limit_mib=memory_limit_mib,
        )
        return watch.outcome()


def run_isolated(
    target: str,
    payload: object,
    *,
    on_event: Callable[[Any], None] | None = None,
    cancel: threading.Event | None = None,
    time_limit_s: float | None = None,
    grace_s: float | None = None,
    memory_limit_mib: int | None = None,
) -> IsolatedOutcome:
    """Call ``function(payload, post, cancel)`` in a child process and wait for its end.

    ``post(event)`` sends anything that pickles to the parent, a :class:`Notice` to this function
    itself; ``cancel`` is an event of the child that is set after the parent's.

    Parameters
    ----------
    target
        ``package.module:function``, imported by the child.
    payload
        What the function is given; it and the value returned must pickle.
    on_event
        Called on this thread with what the function posts, in order. None collects it in the
        outcome.
    cancel
        Set it to stop: the function is told, and the child killed if it has not ended
        :data:`CANCEL_GRACE_S` later.
    time_limit_s
        Seconds from this call, start of the child included, that the function keeps by itself.
    grace_s
        How long after that, or after a cancel, the child is killed. None for
        :func:`default_grace_s`, and for :data:`CANCEL_GRACE_S` after a cancel.
    memory_limit_mib
        Resident memory of the child and all it starts, its interpreter and libraries (some 30 to
        150 MiB) included, at which it is killed. It is read every :data:`MEMORY_POLL_S`, so that a
        child that takes 1 GiB/s is killed up to 50 MiB late.

    Returns
    -------
    IsolatedOutcome
        How it ended; also after a crash, with all that was posted before.

    Raises
    ------
    InputError
        If the payload does not pickle.
    UnsupportedError
        If there is no way to start a child, or to watch its memory.
    LeotrekError
        Of the class and text that the function raised; any other exception of it, and a value that
        does not pickle, arrive as EngineError. The child's traceback is a note of the error.
    """
    started = time.monotonic()
    with IsolatedCall(target) as call:
        return call.run(
            payload,
            on_event=on_event,
            cancel=cancel,
            time_limit_s=time_limit_s,
            grace_s=grace_s,
            memory_limit_mib=memory_limit_mib,
            started=started,
        )


def default_grace_s(time_limit_s: float) -> float:
    """Return how long after its time limit a child is killed.

    Parameters
    ----------
    time_limit_s
        The limit.

    Returns
    -------
    float
        0.3 s or 5 % of the limit, whichever is more.
    """
    return max(0.3, 0.05 * time_limit_s)


class _Watch:
    """The parent's loop over what a child says, until it is over."""

    def __init__(
        self,
        child: ChildProcess,
        started: float,
        on_event: Callable[[Any], None] | None,
        cancel: threading.Event | None,
        *,
        time_limit_s: float,
        grace_s: float,
        cancel_grace_s: float,
        memory_limit_mib: int | None,
    ) -> None:
        self._child = child
        self._started = started
        self._events: list[Any] = []
        self._on_event = self._events.append if on_event is None else on_event
        self._cancel = cancel
        self._grace_s = grace_s
        self._limit_at = started + time_limit_s
        self._deadline = self._limit_at + grace_s
        self._cancel_grace_s = cancel_grace_s
        self._given_up_at = math.inf
        self._memory_limit_mib = memory_limit_mib
        self._memory_looked_at = -math.inf
        self._startup_s: float | None = None

    def outcome(self) -> IsolatedOutcome:
        """Listen until the child returns, crashes or has to be killed."""
        while True:
            reason = self._reason_to_kill()
            if reason is not None:
                return self._killed(reason)
            message = self._child.receive(POLL_S)
            if message is not None:
                if self._is_return(*message):
                    return self._outcome(Ending.RETURNED, value=message[1])
            elif self._child.is_over:
                code = self._child.exit_code()
                return self._outcome(
                    Ending.CRASHED, exit_code=code, output=self._child.output_tail()
                )

    def _reason_to_kill(self) -> KillReason | None:
        now = time.monotonic()
        if now >= self._deadline:
            return KillReason.TIME_LIMIT
        if self._given_up_at == math.inf:
            if self._cancel is not None and self._cancel.is_set():
                self._child.tell_to_stop()
                self._given_up_at = now + self._cancel_grace_s
        elif now >= self._given_up_at:
            return KillReason.CANCELLED
        limit = self._memory_limit_mib
        if limit is not None and now >= self._memory_looked_at + MEMORY_POLL_S:
            self._memory_looked_at = now
            if resident_mib(self._child.pid) > limit:
                return KillReason.MEMORY_LIMIT
        return None

    def _killed(self, reason: KillReason) -> IsolatedOutcome:
        """Kill the child; what it had already said still counts, its return too."""
        self._child.kill()
        given_up_at = time.monotonic() + _DEATH_S
        while time.monotonic() < given_up_at:
            message = self._child.receive(POLL_S)
            if message is not None:
                if self._is_return(*message):
                    return self._outcome(Ending.RETURNED, value=message[1])
            elif self._child.is_over:
                break
        return self._outcome(Ending.KILLED, reason=reason)

    def _is_return(self, kind: Kind, content: Any) -> bool:
        """Take one message in; tell whether it is the function's return."""
        if kind is Kind.RAISED:
            assert isinstance(content, LeotrekError)
            raise content
        if kind is Kind.READY:
            self._startup_s = time.monotonic() - self._started
        elif content is Notice.UNTIMED:
            self._deadline = math.inf
        elif content is Notice.TIMED:
            self._deadline = max(self._limit_at, time.monotonic()) + self._grace_s
        elif kind is Kind.EVENT:
            self._on_event(content)
        elif kind is Kind.LOG:
            record = logging.makeLogRecord(content)
            logger = logging.getLogger(record.name)
            if logger.isEnabledFor(record.levelno):
                logger.handle(record)
        return kind is Kind.RETURNED

    def _outcome(
        self,
        ending: Ending,
        *,
        value: object = None,
        reason: KillReason | None = None,
        exit_code: int | None = None,
        output: str = "",
    ) -> IsolatedOutcome:
        return IsolatedOutcome(
            ending,
            value,
            reason,
            tuple(self._events),
            exit_code,
            output,
            self._startup_s,
            time.monotonic() - self._started,
        )


def _death(exit_code: int | None) -> str:
    if exit_code is None:
        return "hung up without an answer"
    if exit_code >= 0:
        return f"ended with exit code {exit_code} and no answer"
    try:
        return f"died of {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"died of signal {-exit_code}"


def _telling_part(output: str) -> str:
    """Return what says most: the end of a traceback, the beginning of anything else."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if lines and "Traceback (most recent call last)" in output:
        return lines[-1][:_MESSAGE_LENGTH]
    return " | ".join(lines)[:_MESSAGE_LENGTH]
