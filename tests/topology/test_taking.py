"""Pairs taken in order while both ends have room: the same as one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.topology.taking import take_in_order

ENDS = 7


@given(
    st.lists(
        st.tuples(st.integers(0, ENDS - 1), st.integers(0, ENDS - 1)).filter(
            lambda pair: pair[0] != pair[1]
        ),
        unique_by=lambda pair: tuple(sorted(pair)),
    ),
    st.lists(st.integers(0, 3), min_size=ENDS, max_size=ENDS),
)
def test_pairs_are_taken_as_if_one_by_one(pairs: list[tuple[int, int]], room: list[int]) -> None:
    left, expected = list(room), []
    for index, (source, target) in enumerate(pairs):
        if left[source] and left[target]:
            left[source] -= 1
            left[target] -= 1
            expected.append(index)
    given_room = np.array(room)
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    taken = take_in_order(ends[:, 0], ends[:, 1], given_room)
    assert taken.tolist() == expected
    assert given_room.tolist() == left
