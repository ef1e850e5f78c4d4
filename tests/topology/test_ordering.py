"""Orders by counting: stable, by several keys, and on either side of sixteen bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.topology.ordering import order_of, rank_among_equals


@pytest.mark.parametrize("count", [7, 2**16, 2**16 + 1, 10**6])
def test_order_is_stable_on_either_side_of_the_short_keys(count: int) -> None:
    key = np.random.default_rng(count).integers(max(0, count - 9), count, 300)
    assert order_of(key).tolist() == sorted(range(300), key=lambda row: (key[row], row))


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2**40), st.booleans()), min_size=0, max_size=40
    )
)
def test_order_is_that_of_the_rows(rows: list[tuple[int, int, bool]]) -> None:
    columns = [np.array([row[k] for row in rows], dtype=t) for k, t in enumerate((int, int, bool))]
    order = order_of(*columns)
    expected = sorted(range(len(rows)), key=lambda index: (*rows[index], index))
    assert order.tolist() == expected


def test_no_key_and_no_row_have_an_order() -> None:
    assert order_of().tolist() == []
    assert order_of(np.empty(0, dtype=np.int64)).tolist() == []


@given(st.lists(st.integers(0, 5), max_size=30))
def test_rank_among_equals_counts_those_before(values: list[int]) -> None:
    ordered = sorted(values)
    expected = [ordered[:place].count(value) for place, value in enumerate(ordered)]
    assert rank_among_equals(np.array(ordered, dtype=np.int64)).tolist() == expected
