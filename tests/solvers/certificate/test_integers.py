"""Integer vectors: the same numbers as in Python, whatever their size."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.solvers.certificate.integers import (
    added,
    dot,
    grouped_dot,
    integers,
    python_integers,
    scaled,
)

SIZES = st.one_of(st.integers(-9, 9), st.integers(-(2**62), 2**62), st.integers(-(2**90), 2**90))
VECTORS = st.lists(st.tuples(SIZES, SIZES), min_size=0, max_size=6)


def vectors(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    left = np.array([pair[0] for pair in pairs], dtype=object)
    right = np.array([pair[1] for pair in pairs], dtype=object)
    return integers(left), integers(right)


@given(VECTORS, SIZES)
def test_arithmetic_is_that_of_python(pairs: list[tuple[int, int]], factor: int) -> None:
    left, right = vectors(pairs)
    assert added(left, right).tolist() == [a + b for a, b in pairs]
    assert dot(left, right) == sum(a * b for a, b in pairs)
    assert scaled(left, factor).tolist() == [a * factor for a, _ in pairs]
    groups = np.arange(len(pairs)) % 2
    sums = [sum(a * b for i, (a, b) in enumerate(pairs) if i % 2 == group) for group in (0, 1)]
    assert grouped_dot(groups, left, right, 2).tolist() == sums


def test_small_numbers_are_kept_in_int64() -> None:
    left, right = vectors([(1, 2), (3, 2**61)])
    assert left.dtype == right.dtype == np.int64
    assert added(left, right).dtype == np.int64
    assert integers(np.array([2.0**70])).tolist() == [2**70]


def test_whole_floats_become_python_integers() -> None:
    found = python_integers(np.array([[1.0, -(2.0**80)]]).ravel())
    assert found.tolist() == [1, -(2**80)]
    assert all(isinstance(value, int) for value in found.tolist())
