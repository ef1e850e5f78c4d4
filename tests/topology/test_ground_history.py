"""What earlier steps held: the same whatever was asked for before, and little of it kept."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.topology.ground_history import GroundHistory, Held


class Chain:
    """Every step holds a number that depends on all before it."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, step: int, held: Held | None) -> Held:
        self.calls.append(step)
        before = 0 if held is None else int(held[0][0])
        value = np.array([(31 * before + step) % 1009])
        return value, value

    @staticmethod
    def value(step: int) -> int:
        value = 0
        for earlier in range(step + 1):
            value = (31 * value + earlier) % 1009
        return value


def test_the_first_step_holds_nothing() -> None:
    chain = Chain()
    assert GroundHistory(chain).before(0) is None
    assert not chain.calls


@given(st.lists(st.integers(1, 400), min_size=1, max_size=12))
def test_any_order_gives_what_streaming_gives(steps: list[int]) -> None:
    history = GroundHistory(Chain())
    for step in steps:
        held = history.before(step)
        assert held is not None
        assert int(held[0][0]) == Chain.value(step - 1)


def test_threads_at_other_steps_change_nothing() -> None:
    history = GroundHistory(Chain())
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            steps = [step * 37 % 200 + 1 for step in range(400)]
            found = list(threads.map(history.before, steps))
    finally:
        sys.setswitchinterval(interval)
    held = [None if one is None else int(one[0][0]) for one in found]
    assert held == [Chain.value(step - 1) for step in steps]


def test_streaming_chooses_nothing_twice() -> None:
    chain = Chain()
    history = GroundHistory(chain)
    held = None
    for step in range(300):
        before = history.before(step)
        assert before is held
        held = (np.array([step]), np.array([step]))
        history.record(step, held)
    assert not chain.calls


@pytest.mark.parametrize(("step", "chosen"), [(150, 22), (129, 1), (128, 64)])
def test_going_back_starts_at_the_last_mark(step: int, chosen: int) -> None:
    chain = Chain()
    history = GroundHistory(chain)
    history.before(300)
    chain.calls.clear()
    history.before(step)
    assert len(chain.calls) == chosen - 1
