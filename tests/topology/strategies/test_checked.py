"""A user's own strategy: what it may return, and one clear line for what it may not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.topology.strategies.plain_links import cloud, state_at

from leotrek_opt.errors import InputError
from leotrek_opt.topology.state import LinkPairs
from leotrek_opt.topology.strategies import checked_strategy

STATE = state_at(cloud(1, 6))


def returned(value: Any) -> LinkPairs:
    return checked_strategy(lambda _: value)(STATE)


def test_pairs_are_put_in_order_each_once() -> None:
    pairs = returned(([4, 1, 0, 1, 3], [2, 0, 1, 5, 1]))
    assert pairs.source.tolist() == [0, 1, 1, 2]
    assert pairs.target.tolist() == [1, 3, 5, 4]
    assert pairs.source.dtype == pairs.target.dtype == np.int64
    assert pairs.cross_plane is None


def test_marks_follow_their_pairs() -> None:
    pairs = returned((np.array([3, 0, 2]), np.array([1, 5, 4]), np.array([True, False, True])))
    assert list(zip(*(column.tolist() for column in pairs), strict=True)) == [  # type: ignore[union-attr]
        (0, 5, False),
        (1, 3, True),
        (2, 4, True),
    ]
    twice = returned((np.array([3, 1]), np.array([1, 3]), np.array([True, False])))
    assert twice.cross_plane is not None
    assert twice.cross_plane.tolist() == [False]


@pytest.mark.parametrize(
    "value",
    [
        ([], []),
        LinkPairs(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)),
        (np.empty(0), np.empty(0), None),
        (np.empty(0, dtype=np.int32), [], np.empty(0, dtype=bool)),
    ],
)
def test_no_link_is_an_answer(value: Any) -> None:
    assert len(returned(value).source) == 0


def test_small_integers_are_taken() -> None:
    pairs = returned((np.array([5], dtype=np.uint8), np.array([2], dtype=np.int16)))
    assert (pairs.source.tolist(), pairs.target.tolist()) == ([2], [5])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "must return (source, target) or (source, target, cross_plane), got NoneType"),
        ([[0, 1]], "must return (source, target) or (source, target, cross_plane), got list"),
        (([0, 1], [2]), "source and target must be equally long, got 2 and 1"),
        (([0, 1], [2, 6]), "target[1] is 6, but satellites are numbered 0 to 5"),
        (([-1], [2]), "source[0] is -1, but satellites are numbered 0 to 5"),
        (([0, 3], [1, 3]), "link 1 joins satellite 3 with itself"),
        (([0.0], [1]), "source must be integers, got float64"),
        (([True], [1]), "source must be integers, got bool"),
        (([[0]], [1]), "source must have one dimension, got 2"),
        ((3, 4), "source must have one dimension, got 0"),
        (([[0], [0, 1]], [1]), "source must be an array"),
        (([0], ["x"]), "target must be integers"),
        (([2**70], [1]), "source must be integers, got object"),
        (([0], [1], [1]), "cross_plane must be 1 booleans"),
        (([0], [1], [True, False]), "cross_plane must be 1 booleans"),
    ],
)
def test_anything_else_is_refused_in_one_line(value: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        returned(value)
    assert message in str(caught.value)
    assert "strategy <lambda> at step 0" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_equal_links_keep_their_arrays() -> None:
    """What hangs on a pattern is kept while it is the same; a changed list is never overlooked."""
    links = [np.array([0, 1]), np.array([2, 3])]
    strategy = checked_strategy(lambda _: (links[0], links[1]))
    first = strategy(STATE)
    assert strategy(STATE) is first
    links[1][0] = 4
    assert strategy(STATE).target.tolist() == [4, 3]


def test_a_callable_object_is_named_by_its_class() -> None:
    class Own:
        def __call__(self, state: object) -> object:
            return 7

    with pytest.raises(InputError, match="strategy Own at step 0 must return"):
        checked_strategy(Own())(STATE)
