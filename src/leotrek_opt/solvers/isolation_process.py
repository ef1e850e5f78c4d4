"""The parent's hold on one child process: start, talk without blocking, measure, kill, clean up."""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from leotrek_opt.errors import EngineError, InputError, UnsupportedError
from leotrek_opt.solvers.isolation_child import BOOT, CANCEL, HEADER, Kind

PROC = Path("/proc")
_CHUNK = 1 << 20
_TAIL = 4096
_KIB_PER_MIB = 1024
_LAST_BREATH_S = 1.0
"""How long a child that has hung up may take to end, so that its own exit code is seen."""
_REAP_S = 10.0
"""How long a killed child is waited for; only one stuck in the kernel takes any time."""


class ChildProcess:
    """A child that runs one function, and the socket to it.

    Parameters
    ----------
    target
        ``package.module:function``, which the child imports at once.
    log_level
        From which level on the child sends log records.

    Raises
    ------
    UnsupportedError
        If no child can be started here.
    """

    def __init__(self, target: str, *, log_level: int) -> None:
        if os.name != "posix" or not sys.executable or getattr(sys, "frozen", False):
            raise UnsupportedError("a process of its own needs POSIX and a Python interpreter")
        request = pickle.dumps((target, log_level))
        header = HEADER.pack(Kind.REQUEST, len(request))
        self._unsent = [memoryview(header + request)]
        self._unread = bytearray()
        self._hung_up = False
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 closed in close()
        self._line, theirs = socket.socketpair()
        try:
            self._line.setblocking(False)
            self._process = _start(theirs.fileno(), self._output.fileno())
        except BaseException:
            self._line.close()
            self._output.close()
            raise
        finally:
            theirs.close()
        self._exchange(0.0)

    @property
    def pid(self) -> int:
        """Process id of the child, which is also that of its process group."""
        return self._process.pid

    def give(self, payload: object) -> None:
        """Give the child what its function takes; :meth:`receive` sends it.

        Parameters
        ----------
        payload
            Must pickle.

        Raises
        ------
        InputError
            If it does not.
        """
        try:
            content = pickle.dumps(payload, pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            raise InputError(
                f"cannot be handed to another process: {error}", field="payload"
            ) from error
        header = HEADER.pack(Kind.PAYLOAD, len(content))
        self._unsent += [memoryview(header), memoryview(content)]

    def tell_to_stop(self) -> None:
        """Ask the child to come to an end."""
        self._unsent.append(memoryview(CANCEL))

    def receive(self, timeout_s: float) -> tuple[Kind, object] | None:
        """Take the next message, and send what is still to be sent.

        Parameters
        ----------
        timeout_s
            How long to wait for it.

        Returns
        -------
        tuple or None
            Kind and content; None if nothing came.

        Raises
        ------
        EngineError
            If the message cannot be read.
        """
        message = self._next_message()
        if message is None and not self._hung_up:
            self._exchange(timeout_s)
            message = self._next_message()
        return message

    @property
    def is_over(self) -> bool:
        """Whether the child has hung up: once ``receive`` has nothing left, nothing will come."""
        return self._hung_up

    def kill(self) -> None:
        """Kill the child and all that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def exit_code(self) -> int | None:
        """Wait for the end of a child that has hung up or was killed.

        Returns
        -------
        int or None
            As in :mod:`subprocess`, minus the number of a signal; None if it did not end.
        """
        try:
            return self._process.wait(_LAST_BREATH_S)
        except subprocess.TimeoutExpired:
            return None

    def output_tail(self) -> str:
        """Return the last of what the child wrote to stdout and stderr."""
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, size - _TAIL))
        return self._output.read().decode(errors="replace").strip()

    def close(self) -> None:
        """Kill the child if it still runs, and release everything."""
        self.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_REAP_S)
        self._line.close()
        self._output.close()

    def _next_message(self) -> tuple[Kind, object] | None:
        if len(self._unread) < HEADER.size:
            return None
        kind, length = HEADER.unpack_from(self._unread)
        if len(self._unread) < HEADER.size + length:
            return None
        with memoryview(self._unread) as view, view[HEADER.size : HEADER.size + length] as content:
            try:
                message = Kind(kind), pickle.loads(content)
            except Exception as error:
                raise EngineError(f"the child process sent what cannot be read: {error}") from error
        del self._unread[: HEADER.size + length]
        return message

    def _exchange(self, timeout_s: float) -> None:
        poll = select.poll()
        poll.register(self._line, select.POLLIN | (select.POLLOUT if self._unsent else 0))
        ready = poll.poll(timeout_s * 1000)
        if not ready:
            # Something that the child forked may hold the line open after the child's end.
            self._hung_up = self._process.poll() is not None
            return
        if self._unsent:
            self._send_some()
        with contextlib.suppress(BlockingIOError):
            self._unread += self._receive_some()

    def _send_some(self) -> None:
        try:
            sent = self._line.send(self._unsent[0][:_CHUNK])
        except BlockingIOError:
            return
        except OSError:
            # The child has ended; what it said before is still to be read.
            self._unsent.clear()
            return
        self._unsent[0] = self._unsent[0][sent:]
        if not self._unsent[0]:
            del self._unsent[0]

    def _receive_some(self) -> bytes:
        try:
            data = self._line.recv(_CHUNK)
        except ConnectionError:
            data = b""
        self._hung_up = not data
        return data


def require_memory_watch() -> None:
    """Refuse a memory limit where the memory of another process cannot be read.

    Raises
    ------
    UnsupportedError
        If there is no ``/proc``.
    """
    if not (PROC / "self/status").exists():
        raise UnsupportedError("memory_limit_mib needs /proc to see the memory of a process")


def resident_mib(pid: int) -> float:
    """Add up the memory of a process and of all that it started.

    Parameters
    ----------
    pid
        The process.

    Returns
    -------
    float
        Resident and swapped MiB, pages that several processes share counted for each; 0 if it has
        ended.
    """
    total, waiting = 0, [str(pid)]
    while waiting:
        folder = PROC / waiting.pop()
        with contextlib.suppress(OSError):
            for line in (folder / "status").read_bytes().splitlines():
                if line.startswith((b"VmRSS:", b"VmSwap:")):
                    total += int(line.split()[1])
            for task in (folder / "task").iterdir():
                waiting += (task / "children").read_text().split()
    return total / _KIB_PER_MIB


def _start(line: int, output: int) -> subprocess.Popen[bytes]:
    search_path = [entry for entry in sys.path if isinstance(entry, str)]
    command = [sys.executable, *_interpreter_options(), "-c", BOOT]
    # A group of its own: Ctrl-C in a terminal reaches the parent alone, which decides, and a kill
    # reaches the child's own children.
    return subprocess.Popen(
        [*command, str(line), str(os.getpid()), *search_path],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=[line],
        process_group=0,
    )


def _interpreter_options() -> list[str]:
    """Return the options with which this interpreter was started, as far as they matter."""
    options = ["-P"]
    for name, letter in (
        ("isolated", "-I"),
        ("ignore_environment", "-E"),
        ("no_user_site", "-s"),
        ("no_site", "-S"),
        ("dont_write_bytecode", "-B"),
    ):
        if getattr(sys.flags, name):
            options.append(letter)
    options += ["-O"] * sys.flags.optimize
    options += [f"-W{warning}" for warning in sys.warnoptions]
    return options
