"""Expected executions by hand: loops, branches, maps, their nesting, and what cannot nest."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest

from leotrek_opt.errors import InputError
from leotrek_opt.evaluation.control_flow import expected_executions
from leotrek_opt.models.workflow import Branch, Control, Function, Loop, Map, Workflow


def expected(*control: Control) -> dict[str, Fraction]:
    functions = tuple(Function(id=name) for name in "abcd")
    return expected_executions(Workflow(id="w", functions=functions, control=control))


def branch(*arms: Sequence[str], probabilities: Sequence[float]) -> Branch:
    return Branch(arms=tuple(tuple(arm) for arm in arms), probabilities=tuple(probabilities))


def test_every_function_runs_once_without_control_flow() -> None:
    assert expected() == dict.fromkeys("abcd", Fraction(1))


def test_loop_repeats_geometrically() -> None:
    # 1 / (1 - 0.9) = 10, exactly: 0.9 is read as the decimal.
    assert expected(Loop(body=("a", "b"), probability=0.9)) == {"a": 10, "b": 10, "c": 1, "d": 1}
    assert expected(Loop(body=("a",), probability=0.0))["a"] == 1
    assert expected(Loop(body=("a",), probability=0.3))["a"] == Fraction(10, 7)


def test_arm_runs_with_its_probability() -> None:
    found = expected(branch("a", "bc", "", probabilities=[0.1, 0.7, 0.2]))
    assert found == {"a": Fraction(1, 10), "b": Fraction(7, 10), "c": Fraction(7, 10), "d": 1}


def test_map_runs_count_times() -> None:
    assert expected(Map(body=("b",), count=12))["b"] == 12


def test_controls_within_each_other_multiply() -> None:
    # The loop runs twice, its arm with c half of the time, the map in that arm three times.
    found = expected(
        Map(body=("c",), count=3),
        Loop(body=("a", "b", "c"), probability=0.5),
        branch("b", "c", probabilities=[0.5, 0.5]),
    )
    assert found == {"a": 2, "b": 1, "c": 3, "d": 1}


def test_two_controls_around_the_same_functions_multiply() -> None:
    found = expected(Loop(body=("a",), probability=0.5), Map(body=("a",), count=4))
    assert found["a"] == 8


def test_loop_may_stand_around_a_branch_or_inside_one_arm() -> None:
    arms = branch("ac", "b", probabilities=[0.5, 0.5])
    assert expected(arms, Loop(body=("a", "b", "c"), probability=0.5)) == dict.fromkeys("abcd", 1)
    assert expected(arms, Loop(body=("c",), probability=0.5))["c"] == 1


def test_order_is_that_of_the_functions() -> None:
    assert list(expected(Map(body=("d",), count=2))) == list("abcd")


@pytest.mark.parametrize(
    ("control", "field", "words"),
    [
        ([branch("ab", "bc", probabilities=[0.5, 0.5])], "control[0]", '"b" is named twice'),
        ([Loop(body=("a", "a"), probability=0.5)], "control[0]", '"a" is named twice'),
        ([Map(body=("c", "d", "c"), count=2)], "control[0]", '"c" is named twice'),
        (
            [Loop(body=("a", "b"), probability=0.5), Map(body=("b", "c"), count=2)],
            "control[1]",
            r"overlaps control\[0\] in b",
        ),
        (
            [
                branch("ac", "b", probabilities=[0.5, 0.5]),
                Loop(body=("a", "b"), probability=0.5),
            ],
            "control[1]",
            r"overlaps control\[0\] in a, b",
        ),
        (
            [
                branch("a", "b", probabilities=[0.5, 0.5]),
                branch("a", "b", probabilities=[0.1, 0.9]),
            ],
            "control[1]",
            r"overlaps control\[0\] in a, b",
        ),
    ],
    ids=[
        "two arms",
        "twice in a loop",
        "twice in a map",
        "partial overlap",
        "loop across arms",
        "branch across arms",
    ],
)
def test_overlaps_that_do_not_nest_are_refused(
    control: list[Control], field: str, words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        expected(*control)
    assert caught.value.field == field
