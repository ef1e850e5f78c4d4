"""What the children of the isolation tests run; a child imports this module by name."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from leotrek_opt.errors import (
    EngineError,
    InputError,
    LeotrekError,
    MissingDependencyError,
    ModelTooLargeError,
    UnsupportedError,
)
from leotrek_opt.solvers.isolation_child import Notice

Post = Callable[[Any], None]

ERRORS: dict[str, Callable[[], BaseException]] = {
    "input": lambda: InputError("must be odd", file="a.json", field="edges[3].size"),
    "unsupported": lambda: UnsupportedError("no duals"),
    "too large": lambda: ModelTooLargeError("9 nonzeros"),
    "engine": lambda: EngineError("HiGHS failed"),
    "missing": lambda: MissingDependencyError("pip install it"),
    "base": lambda: LeotrekError("something"),
    "foreign": lambda: ZeroDivisionError("division\nby zero"),
    "wordless": MemoryError,
    "exit": lambda: SystemExit(3),
}


def echo(payload: Any, post: Post, cancel: threading.Event) -> Any:
    return payload


def raise_error(payload: str, post: Post, cancel: threading.Event) -> None:
    raise ERRORS[payload]()


def count_then_die(payload: str, post: Post, cancel: threading.Event) -> None:
    for number in range(100):
        post(number)
    DEATHS[payload]()


def _segfault() -> None:
    ctypes.string_at(0)


def _abort() -> None:
    sys.stderr.write("terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.abort()


DEATHS: dict[str, Callable[[], Any]] = {
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "segfault": _segfault,
    "abort": _abort,
    "exit": lambda: os._exit(3),
    "quiet": lambda: os._exit(0),
}


def hang(payload: str, post: Post, cancel: threading.Event) -> None:
    post("before")
    if payload == "holding the GIL":
        # PyDLL does not release the GIL: no thread of this process runs meanwhile.
        ctypes.PyDLL(None).sleep(60)
    while True:
        time.sleep(60)


def take_time_to_check(payload: bool, post: Post, cancel: threading.Event) -> str:
    post(Notice.UNTIMED)
    time.sleep(1.2)
    if payload:
        post(Notice.TIMED)
        time.sleep(60)
    return "checked"


def wait_for_cancel(payload: Any, post: Post, cancel: threading.Event) -> str:
    post("waiting")
    return "cancelled" if cancel.wait(60) else "not cancelled"


def eat_memory(payload: int, post: Post, cancel: threading.Event) -> None:
    kept = []
    while True:
        kept.append(b"x" * (1 << 20) * payload)
        post(len(kept))
        time.sleep(0.01)


def eat_memory_in_a_child(payload: Any, post: Post, cancel: threading.Event) -> None:
    eater = "kept = [b'x' * (1 << 20) for _ in range(200)]; import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", eater]) as process:
        post(process.pid)
        process.wait()


def post_sizes(payload: list[int], post: Post, cancel: threading.Event) -> bytes:
    for size in payload:
        post(b"e" * size)
    return b"v" * max(payload)


def post_from_threads(payload: int, post: Post, cancel: threading.Event) -> None:
    threads = [
        threading.Thread(target=lambda t=thread: [post((t, i)) for i in range(200)])
        for thread in range(payload)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def chatter(payload: Any, post: Post, cancel: threading.Event) -> str:
    print("from Python")  # noqa: T201
    os.write(1, b"from a native library\n")
    os.write(2, b"to stderr\n")
    subprocess.run(["echo", "from a program"], check=True)
    return "quiet"


def log(payload: Any, post: Post, cancel: threading.Event) -> None:
    logger = logging.getLogger("leotrek_opt.somewhere")
    logger.debug("unheard")
    logger.info("step %d of %s", 1, "three")
    try:
        raise ValueError("inner")
    except ValueError:
        logger.exception("failed")


def return_lambda(payload: Any, post: Post, cancel: threading.Event) -> Any:
    return lambda: None


def tell_about_yourself(payload: Any, post: Post, cancel: threading.Event) -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "main": hasattr(sys.modules["__main__"], "MARK"),
        "numpy": "numpy" in sys.modules,
        "path": sys.path,
        "arguments": sys.argv,
        "optimised": sys.flags.optimize,
        "input": sys.stdin.read(),
    }


def interrupt_yourself(payload: Any, post: Post, cancel: threading.Event) -> str:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.05)
    return "alive"


def fork_and_die(payload: Any, post: Post, cancel: threading.Event) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if os.fork() == 0:
            # It holds the line to the parent open.
            time.sleep(60)
            os._exit(0)
    os._exit(3)


def leave_a_thread_behind(payload: Any, post: Post, cancel: threading.Event) -> str:
    threading.Thread(target=time.sleep, args=[60]).start()
    return "answer"


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and waits to be reaped does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
