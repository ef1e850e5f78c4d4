"""What CP-SAT is handed: the same model in whole numbers, with the structure that its rows have."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from leotrek_opt.errors import UnsupportedError
from leotrek_opt.solvers.engines.cpsat_integers import ROOM, WholeModel, whole_model
from leotrek_opt.solvers.engines.cpsat_model import (
    RowKind,
    add_columns,
    add_rows_if,
    native,
    native_model,
    row_structure,
)
from leotrek_opt.solvers.linear import LinearModel


def binaries(n: int, *rows: tuple[list[int], float, float]) -> LinearModel:
    """Build a model over binaries from rows: entries, lower, upper."""
    model = LinearModel()
    x = model.add_variables(n, lower=0, upper=1, integer=True, name="x")
    for i, (entries, lower, upper) in enumerate(rows):
        model.add_rows(x, entries, lower=lower, upper=upper, name=f"r{i}")
    return model


def kept(proto: Any, point: tuple[int, ...]) -> bool:
    """Judge a point by CP-SAT's definition of its constraints, without CP-SAT."""

    def true(literal: int) -> bool:
        return bool(point[literal]) if literal >= 0 else not point[-1 - literal]

    for i in range(len(proto.constraints)):
        constraint = proto.constraints[i]
        if not all(true(literal) for literal in items(constraint.enforcement_literal)):
            continue
        if constraint.has_linear():
            linear = constraint.linear
            terms = zip(items(linear.vars), items(linear.coeffs), strict=True)
            activity = sum(point[j] * a for j, a in terms)
            low, high = items(linear.domain)
            holds = low <= activity <= high
        elif constraint.has_exactly_one():
            holds = sum(map(true, items(constraint.exactly_one.literals))) == 1
        elif constraint.has_at_most_one():
            holds = sum(map(true, items(constraint.at_most_one.literals))) <= 1
        else:
            assert constraint.has_bool_or()
            holds = any(map(true, items(constraint.bool_or.literals)))
        if not holds:
            return False
    return True


def items(repeated: Any) -> list[int]:
    return [repeated[i] for i in range(len(repeated))]


def kinds(model: LinearModel) -> list[RowKind]:
    return [RowKind(kind) for kind in row_structure(whole_model(model, None)).kind.tolist()]


def row(whole: WholeModel, i: int) -> tuple[list[int], int, int]:
    entries = whole.data[whole.indptr[i] : whole.indptr[i + 1]].tolist()
    return entries, int(whole.row_lower[i]), int(whole.row_upper[i])


# Structure


@pytest.mark.parametrize(
    ("entries", "lower", "upper", "kind"),
    [
        ([1, 1, 1], 1, 1, RowKind.EXACTLY_ONE),
        ([5, 5, 5], 5, 7, RowKind.EXACTLY_ONE),
        ([-1, -1, -1], -1, -1, RowKind.EXACTLY_ONE),
        ([1, 1, -1], 0, 0, RowKind.EXACTLY_ONE),
        ([1, 1, 1], 2, 2, RowKind.EXACTLY_ONE),
        ([1, -1, 0], 0, 0, RowKind.EXACTLY_ONE),
        ([1, 1, 1], -np.inf, 1, RowKind.AT_MOST_ONE),
        ([1, 1, 1], 0, 1, RowKind.AT_MOST_ONE),
        ([2, 2, 2], -7, 3, RowKind.AT_MOST_ONE),
        ([1, 1, -1], -np.inf, 0, RowKind.AT_MOST_ONE),
        ([1, 1, 1], 2, np.inf, RowKind.AT_MOST_ONE),
        ([1, 1, 1], 1, np.inf, RowKind.CLAUSE),
        ([1, 1, 1], 1, 3, RowKind.CLAUSE),
        ([1, 1, 1], -np.inf, 2, RowKind.CLAUSE),
        ([1, -1, 0], -np.inf, 0, RowKind.CLAUSE),
        ([0, 3, -3], -2, np.inf, RowKind.CLAUSE),
        ([1, 1, 0], -np.inf, 1, RowKind.CLAUSE),
        ([1, 1, 1], -np.inf, 3, RowKind.REDUNDANT),
        ([1, 1, -1], -1, 2, RowKind.REDUNDANT),
        ([0, 0, 0], 0, 5, RowKind.REDUNDANT),
        ([2, 2, 2], 3, 3, RowKind.NEVER),
        ([0, 0, 0], 1, 5, RowKind.LINEAR),
        ([1, 2, 1], 1, 1, RowKind.LINEAR),
        ([1, 1, 1], 1, 2, RowKind.LINEAR),
        ([1, 0, 0], 1, 1, RowKind.LINEAR),
        ([1, 1, 1], 4, np.inf, RowKind.LINEAR),
    ],
)
def test_rows_over_binaries_are_seen_as_what_they_are(
    entries: list[int], lower: float, upper: float, kind: RowKind
) -> None:
    model = binaries(3, (entries, lower, upper))
    assert kinds(model) == [kind]
    proto = native_model(whole_model(model, None))
    for point in itertools.product((0, 1), repeat=3):
        activity = int(np.dot(entries, point))
        assert kept(proto, point) == (lower <= activity <= upper)


def test_integer_columns_are_not_taken_for_binaries() -> None:
    model = LinearModel()
    x = model.add_variables(3, lower=0, upper=[1, 1, 2], integer=True, name="x")
    y = model.add_variables(3, lower=0, upper=[0, 1, 1], integer=True, name="y")
    model.add_rows(x, lower=1, upper=1, name="r")
    model.add_rows(y, lower=1, upper=1, name="s")
    assert kinds(model) == [RowKind.LINEAR, RowKind.EXACTLY_ONE]


def test_random_rows_mean_the_same_in_every_form() -> None:
    rng = np.random.default_rng(3)
    seen = set()
    for _ in range(150):
        n, m = int(rng.integers(1, 6)), int(rng.integers(1, 4))
        scale = rng.integers(1, 3, (m, 1))
        matrix = rng.integers(-1, 2, (m, n)) * scale
        lower = np.where(rng.random(m) < 0.6, rng.integers(-3, 3, m), -np.inf)
        upper = np.where(rng.random(m) < 0.7, np.maximum(lower, rng.integers(-2, 4, m)), np.inf)
        model = LinearModel()
        x = model.add_variables(n, lower=0, upper=1, integer=True, name="x")
        model.add_rows(np.tile(x, (m, 1)), matrix, lower=lower, upper=upper, name="r")
        whole = whole_model(model, None)
        structure = row_structure(whole)
        seen |= set(structure.kind.tolist())
        conditional = native.CpModelProto()
        add_columns(conditional, np.zeros(n + 1, np.int64), np.ones(n + 1, np.int64))
        add_rows_if(conditional, whole, structure, np.arange(m), np.full(m, n))
        proto = native_model(whole)
        for point in itertools.product((0, 1), repeat=n):
            activity = matrix @ point
            holds = bool(np.all((lower <= activity) & (activity <= upper)))
            assert kept(proto, point) == holds
            assert kept(conditional, (*point, 1)) == holds
            assert kept(conditional, (*point, 0))
    assert seen == set(RowKind)


# Whole numbers


def test_rows_are_divided_and_their_bounds_rounded_inwards() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=-9, upper=9, integer=True, name="x")
    model.add_rows(x, [6, 9], lower=4, upper=20, name="both")
    model.add_rows(x, [-6, -9], lower=-20, upper=-4, name="negative")
    model.add_rows(x, [4, -6], lower=-7, name="open")
    model.add_rows(x[:1], [[5]], upper=-1, name="single")
    model.add_rows(x, [2, 4], lower=1, upper=1, name="parity")
    model.add_rows(x, [7, 3], lower=-90, upper=89, name="wide")
    whole = whole_model(model, None)
    assert row(whole, 0) == ([2, 3], 2, 6)
    assert row(whole, 1) == ([-2, -3], -6, -2)
    assert row(whole, 2) == ([2, -3], -3, ROOM)
    assert row(whole, 3) == ([1], -ROOM, -1)
    assert row(whole, 4) == ([1, 2], 1, 0)
    # The least activity is -90, the largest 90.
    assert row(whole, 5) == ([7, 3], -ROOM, 89)


def test_objective_is_turned_and_divided() -> None:
    model = LinearModel(minimise=False, offset=7)
    model.add_variables(3, lower=-1, upper=2, cost=[6, -9, 0], integer=True, name="x")
    whole = whole_model(model, None)
    assert whole.cost.tolist() == [-2, 3, 0]
    assert whole.unit == 3
    assert whole.least_cost == -2 * 2 - 3
    flat = LinearModel()
    flat.add_variables(2, lower=0, upper=1, integer=True, name="x")
    assert (whole_model(flat, None).unit, whole_model(flat, None).least_cost) == (1, 0)


def test_continuous_columns_take_steps_and_their_rows_follow() -> None:
    model = LinearModel()
    x = model.add_variables(1, lower=1, upper=3, cost=5, name="x")
    z = model.add_variables(2, lower=0, upper=4, cost=[3, 0], integer=True, name="z")
    model.add_rows(np.r_[x, z], [2, 1, 4], lower=3, upper=9, name="mixed")
    model.add_rows(z, [1, 4], upper=9, name="integers")
    whole = whole_model(model, 10)
    assert (whole.lower.tolist(), whole.upper.tolist()) == ([10, 0, 0], [30, 4, 4])
    # 2x + z + 4w in [3, 9] is 2X + 10z + 40w in [30, 90], and half of it.
    assert row(whole, 0) == ([1, 5, 20], 15, 45)
    assert row(whole, 1) == ([1, 4], -ROOM, 9)
    assert whole.cost.tolist() == [1, 6, 0]
    assert whole.unit == Fraction(5, 10)
    assert whole.values_of(np.array([15, 3, 0])).tolist() == [1.5, 3, 0]
    assert whole.is_feasible(np.array([15, 0, 0]))
    assert not whole.is_feasible(np.array([14, 0, 0]))
    assert not whole.is_feasible(np.array([31, 0, 0]))


def test_bounds_that_rows_imply_stand_in_for_missing_ones() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=[0, -np.inf], upper=np.inf, name="x")
    z = model.add_variables(1, lower=0, upper=4, integer=True, name="z")
    model.add_rows(x, [2, -1], lower=0, upper=0, name="twice")
    model.add_rows(np.r_[x[:1], z], [3, -1], upper=2, name="room")
    whole = whole_model(model, 2)
    # 3 x0 <= 2 + 4, and x1 = 2 x0 lies in [0, 4].
    assert whole.lower.tolist() == [0, 0, 0]
    assert whole.upper.tolist() == [4, 8, 4]


def test_column_without_any_bound_is_refused_by_name() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=np.inf, name="flow")
    model.add_rows(x, [1, -1], upper=5, name="r")
    with pytest.raises(UnsupportedError, match=r"upper bound of column flow\[0\] has none"):
        whole_model(model, 1)


def test_rows_that_overflow_are_refused_by_name() -> None:
    model = LinearModel()
    x = model.add_variables(4, lower=0, upper=2**31, integer=True, name="x")
    model.add_rows(x, 2**29 - 1, upper=10, name="divides")
    model.add_rows(x, [2**29 - 1, 2**29 - 2, 1, 1], upper=10, name="fits")
    assert row(whole_model(model, None), 0)[0] == [1, 1, 1, 1]
    model.add_rows(x, [2**30, 2**30 - 1, 3, 1], upper=10, name="wide")
    with pytest.raises(UnsupportedError, match=r"row wide\S* may reach"):
        whole_model(model, None)


def test_objectives_that_overflow_are_refused() -> None:
    model = LinearModel()
    model.add_variables(4, lower=-(2**20), upper=0, cost=2**45, integer=True, name="x")
    assert whole_model(model, None).unit == 2**45
    model.add_variables(1, lower=0, upper=2**50, cost=2**13 + 1, integer=True, name="y")
    with pytest.raises(UnsupportedError, match="the objective may reach"):
        whole_model(model, None)


@pytest.mark.parametrize("lower", [0, -(2**52)])
def test_steps_that_overflow_are_refused(lower: int) -> None:
    model = LinearModel()
    x = model.add_variables(1, lower=lower, upper=2**52, name="x")
    z = model.add_variables(1, lower=0, upper=1, integer=True, name="z")
    model.add_rows(np.r_[x, z], [1, 2**40], lower=0, name="r")
    assert whole_model(model, 2**9).upper[0] == 2**61
    with pytest.raises(UnsupportedError, match=r"bound of column x\[0\] is wider"):
        whole_model(model, 2**10)
    small = LinearModel()
    x = small.add_variables(1, lower=0, upper=1, name="x")
    z = small.add_variables(1, lower=0, upper=1, integer=True, name="z")
    small.add_rows(np.r_[x, z], [1, 2**40], lower=0, name="r")
    with pytest.raises(UnsupportedError, match=r"row r\S* exceeds them in steps of 1/4194304"):
        whole_model(small, 2**22)


def test_far_row_bounds_stay_exact() -> None:
    model = LinearModel()
    x = model.add_variables(1, lower=0, upper=2**52, name="x")
    far = 2**53 - 1
    columns = np.tile(x, (3, 1))
    model.add_rows(columns, 3, lower=[1, far, -far], upper=[2**51, far, far], name="r")
    whole = whole_model(model, 1000)
    assert row(whole, 0) == ([1], 334, 1000 * 2**51 // 3)
    assert row(whole, 1) == ([1], -(-1000 * far // 3), 1000 * far // 3)
    assert row(whole, 2) == ([1], -ROOM, 1000 * far // 3)


# Columns


@pytest.mark.parametrize(
    "bounds",
    [
        [],
        [(0, 1)] * 777,
        [(0, 1)] * 300 + [(-5, 2**60)] + [(0, 1)] * 300,
        [(i, 2 * i) for i in range(100)],
        [(-(2**61), -3), (4, 4)],
    ],
)
def test_columns_keep_their_bounds_however_they_are_written(bounds: list[tuple[int, int]]) -> None:
    pairs: NDArray[np.int64] = np.array(bounds, dtype=np.int64).reshape(-1, 2)
    proto = native.CpModelProto()
    add_columns(proto, pairs[:, 0], pairs[:, 1])
    written = [items(proto.variables[i].domain) for i in range(len(proto.variables))]
    assert written == [list(pair) for pair in bounds]
