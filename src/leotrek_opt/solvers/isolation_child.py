"""The child's side of :mod:`leotrek_opt.solvers.isolation`: take a request, answer it, end.

The child imports nothing that the function it runs does not need. It hears the parent on one socket
and speaks on the same: a parent that is gone, even by SIGKILL, takes the child with it.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import logging
import os
import pickle
import signal
import struct
import sys
import threading
import traceback
from collections.abc import Callable
from enum import Enum, IntEnum
from typing import Any, NoReturn

from leotrek_opt.errors import EngineError, LeotrekError

HEADER = struct.Struct(">BQ")
"""Kind and length of the pickle that follows, in both directions."""
CANCEL = b"c"
"""What the parent says, after the request, when the child shall stop."""
BOOT = (
    "import sys; sys.path[:] = sys.argv[3:]; "
    "from leotrek_opt.solvers.isolation_child import main; main()"
)
"""Program text of the child; its arguments are a file descriptor, the parent, and a search path."""

_CHUNK = 1 << 20


class Kind(IntEnum):
    """What a message is about."""

    REQUEST = 0
    PAYLOAD = 1
    READY = 2
    EVENT = 3
    LOG = 4
    RETURNED = 5
    RAISED = 6


class Notice(Enum):
    """What a function may post about its own time limit; it does not become an event."""

    UNTIMED = "untimed"
    """The work under the time limit is done in time: what follows takes as long as it takes."""
    TIMED = "timed"
    """The time limit holds again, or the grace from now on if it is over."""


class _Channel:
    """The child's end of the socket."""

    def __init__(self, fd: int) -> None:
        # Whatever the child starts must not keep the line to the parent open.
        os.set_inheritable(fd, False)
        self._fd = fd
        self._lock = threading.Lock()

    def send(self, kind: Kind, content: object) -> None:
        data = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
        with self._lock:
            self._write(HEADER.pack(kind, len(data)))
            self._write(data)

    def receive(self) -> bytearray:
        _, length = HEADER.unpack(self._read(HEADER.size))
        return self._read(length)

    def obey(self, cancel: threading.Event) -> None:
        """Wait for the parent's word until the end."""
        while os.read(self._fd, 1):
            cancel.set()
        # The parent is gone, and with it everybody who could want an answer.
        os.killpg(0, signal.SIGKILL)

    def _read(self, length: int) -> bytearray:
        data = bytearray(length)
        view, done = memoryview(data), 0
        while done < length:
            count = os.readv(self._fd, [view[done : done + _CHUNK]])
            if count == 0:
                os._exit(1)
            done += count
        return data

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view[:_CHUNK]) :]


class _Forwarder(logging.Handler):
    """Hands the records of the library's logger to the parent, whose handlers write them."""

    def __init__(self, channel: _Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
            if record.exc_info is not None:
                text += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
            kept = {"name": record.name, "levelno": record.levelno, "levelname": record.levelname}
            self._channel.send(Kind.LOG, {**kept, "created": record.created, "msg": text})
        except Exception:
            self.handleError(record)


def main() -> NoReturn:
    """Run the one request that comes in, and end."""
    fd, parent = int(sys.argv[1]), int(sys.argv[2])
    del sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    _die_with(parent)
    channel = _Channel(fd)
    try:
        _serve(channel)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    # No clean-up: a native thread that was left behind would be waited for.
    os._exit(0)


def _serve(channel: _Channel) -> None:
    target, level = pickle.loads(channel.receive())
    logger = logging.getLogger("leotrek_opt")
    logger.addHandler(_Forwarder(channel))
    logger.setLevel(level)
    logger.propagate = False
    try:
        function = named(target)
        data = channel.receive()
        cancel = threading.Event()
        threading.Thread(target=channel.obey, args=[cancel], daemon=True).start()
        payload = pickle.loads(data)
        del data
        channel.send(Kind.READY, None)
        value = function(payload, lambda event: channel.send(Kind.EVENT, event), cancel)
        channel.send(Kind.RETURNED, value)
    except BrokenPipeError:
        raise
    except BaseException as error:
        channel.send(Kind.RAISED, _portable(error))


def named(target: str) -> Callable[..., Any]:
    """Import a function.

    Parameters
    ----------
    target
        ``package.module:function``.

    Returns
    -------
    callable
        The function.
    """
    module, _, name = target.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def _portable(error: BaseException) -> LeotrekError:
    """Return the error itself if it is one of ours and travels well, else one that tells of it."""
    told = "".join(traceback.format_exception(error)).rstrip()
    if isinstance(error, LeotrekError):
        with contextlib.suppress(Exception):
            twin = pickle.loads(pickle.dumps(error))
            if type(twin) is type(error) and str(twin) == str(error):
                error.add_note(f"In the child process:\n{told}")
                return error
    text = " ".join(str(error).split())
    wrapped = EngineError(f"{type(error).__name__}: {text}" if text else type(error).__name__)
    wrapped.add_note(f"In the child process:\n{told}")
    return wrapped


def _die_with(parent: int) -> None:
    """Let the kernel kill this process when the parent ends, also within a native call."""
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
