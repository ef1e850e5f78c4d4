"""Functions in child processes: what comes back, and what ends them."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.solvers import isolation_targets
from tests.solvers.isolation_targets import is_alive

from leotrek_opt.errors import EngineError, InputError, LeotrekError, UnsupportedError
from leotrek_opt.solvers import isolation, isolation_process
from leotrek_opt.solvers.isolation import (
    Ending,
    IsolatedCall,
    IsolatedOutcome,
    KillReason,
    default_grace_s,
    run_isolated,
)

SAFETY = 60.0
"""A limit that no test reaches unless something is broken."""
MIB = 1 << 20


def run(name: str, payload: Any = None, **how: Any) -> IsolatedOutcome:
    how.setdefault("time_limit_s", SAFETY)
    return run_isolated(f"tests.solvers.isolation_targets:{name}", payload, **how)


def dies_within(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def script(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "script.py"
    path.write_text(text)
    return path


# What comes back


def test_value_comes_back() -> None:
    outcome = run("echo", {"a": [1, 2.5, None]})
    assert outcome.ending is Ending.RETURNED
    assert outcome.value == {"a": [1, 2.5, None]}
    assert outcome.events == ()
    assert outcome.reason is None
    assert outcome.startup_s is not None
    assert 0 < outcome.startup_s <= outcome.seconds


def test_child_is_another_process_with_our_search_path_and_nothing_else_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys.modules["__main__"], "MARK", True, raising=False)
    told = run("tell_about_yourself").value
    assert told["pid"] != os.getpid()
    assert told["path"] == sys.path
    assert not told["main"]
    assert not told["numpy"]
    assert told["arguments"] == ["-c"]
    assert told["input"] == ""


@pytest.mark.parametrize("name", ["input", "unsupported", "too large", "engine", "missing", "base"])
def test_our_errors_arrive_as_they_were_raised(name: str) -> None:
    raised = isolation_targets.ERRORS[name]()
    with pytest.raises(LeotrekError) as caught:
        run("raise_error", name)
    assert type(caught.value) is type(raised)
    assert str(caught.value) == str(raised)
    assert "raise_error" in "".join(caught.value.__notes__)
    if isinstance(raised, InputError):
        assert isinstance(caught.value, InputError)
        assert (caught.value.file, caught.value.field) == ("a.json", "edges[3].size")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("foreign", "ZeroDivisionError: division by zero"),
        ("wordless", "MemoryError"),
        ("exit", "SystemExit: 3"),
    ],
)
def test_other_errors_arrive_as_engine_errors_that_name_them(name: str, text: str) -> None:
    with pytest.raises(EngineError) as caught:
        run("raise_error", name)
    assert str(caught.value) == text
    assert "raise_error" in "".join(caught.value.__notes__)


def test_value_that_does_not_pickle_is_an_engine_error() -> None:
    with pytest.raises(EngineError, match="lambda"):
        run("return_lambda")


def test_payload_that_does_not_pickle_is_refused() -> None:
    with pytest.raises(InputError, match="payload: cannot be handed to another process"):
        run("echo", lambda: None)


@pytest.mark.parametrize("target", ["tests.solvers.no_such_module:f", "json:no_such_function"])
def test_unknown_target_is_an_engine_error(target: str) -> None:
    with pytest.raises(EngineError, match="no_such"):
        run_isolated(target, None)


def test_negative_time_limit_is_refused() -> None:
    with pytest.raises(InputError, match="time_limit_s"):
        run("echo", time_limit_s=-1.0)


def test_interpreter_that_cannot_be_started_again_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(UnsupportedError, match="Python interpreter"):
        run("echo")


def test_interpreter_that_is_none_is_told_by_what_it_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho no Python here >&2\nexit 9\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    outcome = run("echo")
    assert (outcome.ending, outcome.exit_code) == (Ending.CRASHED, 9)
    assert outcome.startup_s is None
    assert outcome.message.endswith("exit code 9 and no answer: no Python here")


def test_large_payload_events_and_value_come_through() -> None:
    payload = os.urandom(120 * MIB)
    assert run("echo", payload).value == payload
    sizes = [50 * MIB, 0, 1, 50 * MIB]
    outcome = run("post_sizes", sizes)
    assert [len(event) for event in outcome.events] == sizes
    assert len(outcome.value) == 50 * MIB


def test_large_payload_to_a_child_that_does_not_read_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    outcome = run("echo", bytes(20 * MIB))
    assert (outcome.ending, outcome.exit_code) == (Ending.CRASHED, 0)


def test_events_go_to_the_callback_on_this_thread() -> None:
    seen: list[tuple[int, int]] = []
    outcome = run(
        "post_sizes", [1, 2, 3], on_event=lambda e: seen.append((len(e), threading.get_ident()))
    )
    assert seen == [(size, threading.get_ident()) for size in (1, 2, 3)]
    assert outcome.events == ()


def test_events_of_several_threads_stay_whole_and_in_order() -> None:
    events = run("post_from_threads", 4).events
    assert len(events) == 800
    for thread in range(4):
        assert [i for t, i in events if t == thread] == list(range(200))


def test_child_imports_while_its_payload_is_made_ready() -> None:
    with IsolatedCall("tests.solvers.isolation_targets:echo") as call:
        time.sleep(1.0)
        outcome = call.run(7, time_limit_s=SAFETY)
    assert outcome.value == 7
    assert outcome.startup_s is not None
    assert outcome.startup_s <= outcome.seconds < 1.0


def test_child_that_is_given_nothing_ends() -> None:
    with IsolatedCall("tests.solvers.isolation_targets:echo") as call:
        pid = call._child.pid
        assert is_alive(pid)
    assert not is_alive(pid)


def test_error_in_the_callback_ends_the_child_and_reaches_the_caller() -> None:
    pids: list[int] = []

    def fail(event: int) -> None:
        pids.append(event)
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        run("eat_memory_in_a_child", on_event=fail)
    assert dies_within(pids[0], 2)


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    assert run("chatter").value == "quiet"
    assert capfd.readouterr() == ("", "")


def test_log_records_reach_the_handlers_of_the_caller(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="leotrek_opt"):
        run("log")
    records = [(r.name, r.levelname, r.getMessage()) for r in caplog.records]
    assert records[0] == ("leotrek_opt.somewhere", "INFO", "step 1 of three")
    assert records[1][2].startswith("failed\nTraceback")
    assert records[1][2].endswith("ValueError: inner")
    assert len(records) == 2


def test_thread_left_behind_is_not_waited_for() -> None:
    outcome = run("leave_a_thread_behind")
    assert outcome.value == "answer"


# What ends a child


@pytest.mark.parametrize(
    ("death", "exit_code", "message"),
    [
        ("kill", -signal.SIGKILL, "died of SIGKILL"),
        ("segfault", -signal.SIGSEGV, "died of SIGSEGV: Fatal Python error: Segmentation fault"),
        ("abort", -signal.SIGABRT, "died of SIGABRT: terminate called after throwing"),
        ("exit", 3, "ended with exit code 3 and no answer"),
        ("quiet", 0, "ended with exit code 0 and no answer"),
    ],
)
def test_crash_is_told_with_all_events_before_it(death: str, exit_code: int, message: str) -> None:
    outcome = run("count_then_die", death)
    assert outcome.ending is Ending.CRASHED
    assert outcome.exit_code == exit_code
    assert outcome.message.startswith(f"the solver process {message}")
    assert "\n" not in outcome.message
    assert outcome.events == tuple(range(100))
    assert outcome.value is None


def test_crash_is_seen_although_a_fork_of_the_child_lives_on() -> None:
    outcome = run("fork_and_die")
    assert (outcome.ending, outcome.exit_code) == (Ending.CRASHED, 3)


@pytest.mark.parametrize("how", ["sleeping", "holding the GIL"])
def test_hang_is_killed_after_the_time_limit(how: str) -> None:
    with IsolatedCall("tests.solvers.isolation_targets:hang") as call:
        time.sleep(0.7)
        outcome = call.run(how, time_limit_s=0.8, grace_s=0.1)
    assert (outcome.ending, outcome.reason) == (Ending.KILLED, KillReason.TIME_LIMIT)
    assert outcome.events == ("before",)
    assert 0.9 <= outcome.seconds < SAFETY / 2
    assert outcome.message == "the solver process was killed at its time limit"


def test_grace_is_a_twentieth_of_the_limit_and_never_less_than_three_tenths_of_a_second() -> None:
    assert [default_grace_s(limit) for limit in (0, 1, 5, 10, 100)] == [0.3, 0.3, 0.3, 0.5, 5.0]


def test_return_that_arrived_before_the_kill_counts() -> None:
    """The grace is over when the return is looked at."""
    cancel = threading.Event()

    def dawdle(_: bytes) -> None:
        cancel.set()
        time.sleep(0.5)

    outcome = run("post_sizes", [1, 1], cancel=cancel, grace_s=0.0, on_event=dawdle)
    assert (outcome.ending, outcome.value) == (Ending.RETURNED, b"v")


@pytest.mark.parametrize("again", [False, True])
def test_time_that_the_function_takes_off_the_limit_does_not_count(again: bool) -> None:
    with IsolatedCall("tests.solvers.isolation_targets:take_time_to_check") as call:
        time.sleep(0.7)
        outcome = call.run(again, time_limit_s=0.6, grace_s=0.3)
    assert outcome.events == ()
    if again:
        assert outcome.reason is KillReason.TIME_LIMIT
        assert outcome.seconds > 1.5
    else:
        assert outcome.value == "checked"
        assert outcome.seconds > 0.9


def test_cancel_reaches_the_child_and_its_answer_counts() -> None:
    cancel = threading.Event()
    outcome = run("wait_for_cancel", cancel=cancel, on_event=lambda _: cancel.set())
    assert (outcome.ending, outcome.value) == (Ending.RETURNED, "cancelled")


def test_cancel_before_the_start_reaches_the_child() -> None:
    cancel = threading.Event()
    cancel.set()
    assert run("wait_for_cancel", cancel=cancel, grace_s=SAFETY).value == "cancelled"


@pytest.mark.parametrize("how", ["sleeping", "holding the GIL"])
def test_child_that_does_not_answer_a_cancel_is_killed(how: str) -> None:
    cancel = threading.Event()
    outcome = run("hang", how, cancel=cancel, grace_s=0.1, on_event=lambda _: cancel.set())
    assert (outcome.ending, outcome.reason) == (Ending.KILLED, KillReason.CANCELLED)
    assert outcome.message == "the solver process did not stop when cancelled, and was killed"


def test_child_that_takes_too_much_memory_is_killed() -> None:
    outcome = run("eat_memory", 4, memory_limit_mib=100)
    assert (outcome.ending, outcome.reason) == (Ending.KILLED, KillReason.MEMORY_LIMIT)
    assert outcome.message == "the solver process was killed at its memory limit"
    assert outcome.events[-1] >= 10


def test_memory_of_what_the_child_started_counts_and_all_of_it_ends() -> None:
    pids: list[int] = []
    outcome = run("eat_memory_in_a_child", memory_limit_mib=150, on_event=pids.append)
    assert outcome.reason is KillReason.MEMORY_LIMIT
    assert dies_within(pids[0], 2)


def test_memory_limit_is_refused_where_it_cannot_be_watched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(isolation_process, "PROC", Path("/no/such/folder"))
    with pytest.raises(UnsupportedError, match="memory_limit_mib"):
        run("echo", memory_limit_mib=100)
    assert run("echo", 1).value == 1


def test_child_ignores_sigint() -> None:
    assert run("interrupt_yourself").value == "alive"


def test_keyboard_interrupt_ends_the_child_and_goes_on() -> None:
    pids: list[int] = []

    def press(pid: int) -> None:
        pids.append(pid)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run("eat_memory_in_a_child", on_event=press)
    assert dies_within(pids[0], 2)


def test_keyboard_interrupt_while_waiting_ends_the_child() -> None:
    timer = threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        run("hang", "holding the GIL")
    timer.join()


PARENT = """
import os, sys
sys.path[:] = {path!r}
from leotrek_opt.solvers.isolation import run_isolated
def tell(event):
    print(open("/proc/self/task/%d/children" % os.getpid()).read().strip(), flush=True)
run_isolated("tests.solvers.isolation_targets:hang", {how!r}, on_event=tell)
"""


@pytest.mark.parametrize("how", ["sleeping", "holding the GIL"])
def test_child_dies_with_a_parent_that_is_killed(tmp_path: Path, how: str) -> None:
    path = script(tmp_path, PARENT.format(path=sys.path, how=how))
    with subprocess.Popen([sys.executable, path], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
        assert dies_within(pid, 2)


UNGUARDED = """
import sys
sys.path[:] = {path!r}
from leotrek_opt.solvers.isolation import run_isolated
print("once")
print(run_isolated("tests.solvers.isolation_targets:echo", 7).value)
"""


@pytest.mark.parametrize("options", [[], ["-O"], ["-I"]])
def test_script_without_a_main_guard_runs_once(tmp_path: Path, options: list[str]) -> None:
    path = script(tmp_path, UNGUARDED.format(path=sys.path))
    done = subprocess.run(
        [sys.executable, *options, path], capture_output=True, text=True, check=True
    )
    assert done.stdout == "once\n7\n"
    assert done.stderr == ""


def test_program_read_from_stdin_runs_once() -> None:
    text = UNGUARDED.format(path=sys.path)
    done = subprocess.run(
        [sys.executable, "-"], input=text, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("once\n7\n", "")


# Many


def test_many_at_once_in_threads() -> None:
    def one(number: int) -> Any:
        if number % 4 == 3:
            return run("count_then_die", "kill").exit_code
        return run("echo", number).value

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(one, range(16)))
    assert found == [-9 if number % 4 == 3 else number for number in range(16)]


def test_no_file_descriptor_and_no_process_is_left_over() -> None:
    def one(name: str, payload: Any, **how: Any) -> None:
        try:
            run(name, payload, **how)
        except LeotrekError:
            assert name == "raise_error"

    def all_endings() -> None:
        one("echo", 1)
        one("raise_error", "foreign")
        one("count_then_die", "kill")
        one("hang", "sleeping", time_limit_s=0.3, grace_s=0.0)

    folder, children = Path("/proc/self/fd"), Path(f"/proc/self/task/{os.getpid()}/children")
    all_endings()
    before = len(list(folder.iterdir())), children.read_text()
    for _ in range(5):
        all_endings()
    assert (len(list(folder.iterdir())), children.read_text()) == before


def test_killed_child_that_never_hangs_up_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "_DEATH_S", 0.2)
    monkeypatch.setattr(isolation_process.ChildProcess, "kill", lambda self: None)
    monkeypatch.setattr(isolation_process, "_REAP_S", 0.1)
    cancel = threading.Event()
    pids: list[int] = []

    def note(pid: int) -> None:
        pids.append(pid)
        cancel.set()

    outcome = run("eat_memory_in_a_child", cancel=cancel, grace_s=0.0, on_event=note)
    assert outcome.reason is KillReason.CANCELLED
    # The child hears that the line is closed, and ends by itself.
    assert dies_within(pids[0], 5)
