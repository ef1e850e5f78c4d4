"""``LinearModel``: what it assembles, what it refuses, and exact evaluation at a point."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.errors import InputError, ModelTooLargeError
from leotrek_opt.solvers.linear import ColumnKind, LinearModel
from leotrek_opt.solvers.linear_arrays import model_digest


def binaries(n: int) -> LinearModel:
    model = LinearModel()
    model.add_variables(n, lower=0, upper=1, integer=True, name="x")
    return model


def dense(model: LinearModel) -> np.ndarray:
    arrays = model.arrays()
    matrix = np.zeros((model.n_rows, model.n_variables))
    for row in range(model.n_rows):
        for position in range(arrays.indptr[row], arrays.indptr[row + 1]):
            matrix[row, arrays.indices[position]] += arrays.data[position]
    return matrix


def test_variables_return_indices_of_their_shape_and_follow_each_other() -> None:
    model = LinearModel()
    first = model.add_variables((2, 3), lower=0, upper=1, name="a")
    second = model.add_variables((), lower=-5, upper=5, cost=7, integer=True, name="b")
    third = model.add_variables(2, lower=0, upper=math.inf, cost=[1, 2], name="c")
    assert first.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert second.shape == ()
    assert int(second) == 6
    assert third.tolist() == [7, 8]
    arrays = model.arrays()
    assert arrays.cost.tolist() == [0] * 6 + [7, 1, 2]
    assert arrays.lower.tolist() == [0] * 6 + [-5, 0, 0]
    assert arrays.upper.tolist() == [1] * 6 + [5, math.inf, math.inf]
    assert arrays.kind.tolist() == [0] * 6 + [ColumnKind.INTEGER, 0, 0]


def test_kinds_may_differ_within_a_block() -> None:
    model = LinearModel()
    model.add_variables(
        3,
        lower=0,
        upper=[1, 9, math.inf],
        integer=np.array([True, False, False]),
        implied_integer=np.array([False, True, False]),
        name="x",
    )
    assert model.arrays().kind.tolist() == [1, 2, 0]


def test_rows_of_equal_length_take_the_shape_of_the_leading_axes() -> None:
    model = binaries(12)
    columns = np.arange(12).reshape(2, 3, 2)
    rows = model.add_rows(columns, [[3, 4]], lower=0, upper=np.arange(6).reshape(2, 3), name="r")
    assert rows.tolist() == [[0, 1, 2], [3, 4, 5]]
    expected = np.zeros((6, 12))
    for row in range(6):
        expected[row, 2 * row : 2 * row + 2] = [3, 4]
    assert np.array_equal(dense(model), expected)
    assert model.arrays().row_upper.tolist() == [0, 1, 2, 3, 4, 5]


def test_csr_blocks_by_lengths_and_by_starts_are_the_same() -> None:
    by_lengths, by_starts = binaries(4), binaries(4)
    by_lengths.add_rows([0, 3, 1], [5, 6, 7], lengths=[2, 0, 1], upper=9, name="r")
    by_starts.add_rows([0, 3, 1], [5, 6, 7], indptr=[0, 2, 2, 3], upper=9, name="r")
    assert np.array_equal(dense(by_lengths), [[5, 0, 0, 6], [0, 0, 0, 0], [0, 7, 0, 0]])
    assert np.array_equal(dense(by_lengths), dense(by_starts))
    assert by_lengths.arrays().row_lower.tolist() == [-math.inf] * 3


def test_triplets_in_any_order_are_grouped_to_rows() -> None:
    model = binaries(4)
    rows = model.add_rows_from_triplets(
        [2, 0, 2, 0], [1, 3, 0, 0], [7, 6, 8, 5], shape=(3, 1), lower=0, name="r"
    )
    assert rows.shape == (3, 1)
    assert np.array_equal(dense(model), [[5, 0, 0, 6], [0, 0, 0, 0], [8, 7, 0, 0]])


def test_rows_are_sorted_by_column_and_lose_their_zeros() -> None:
    model = binaries(5)
    model.add_rows([[4, 0, 2], [3, 1, 0]], [[1, 0, 2], [0, 0, 5]], upper=1, name="r")
    arrays = model.arrays()
    assert arrays.indptr.tolist() == [0, 2, 3]
    assert arrays.indices.tolist() == [2, 4, 0]
    assert arrays.data.tolist() == [2, 1, 5]
    assert model.n_nonzeros == 3


def test_counts_are_known_before_anything_is_assembled() -> None:
    model = binaries(6)
    model.add_rows(np.arange(6).reshape(2, 3), upper=1, name="a")
    model.add_rows([0, 1], upper=1, name="b")
    assert (model.n_variables, model.n_rows, model.n_nonzeros) == (6, 3, 8)


def test_arrays_have_the_types_solvers_take_and_are_read_only() -> None:
    model = binaries(3)
    model.add_rows([0, 1, 2], upper=1, name="r")
    arrays = model.arrays()
    assert arrays is model.arrays()
    assert arrays.indptr.dtype == arrays.indices.dtype == np.int32
    assert arrays.data.dtype == arrays.cost.dtype == arrays.row_lower.dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        arrays.data[0] = 2


def test_model_can_grow_after_it_was_assembled() -> None:
    model = binaries(2)
    model.add_rows([0, 1], upper=1, name="r")
    model.arrays()
    more = model.add_variables(1, lower=0, upper=4, name="y")
    model.add_rows([[0, int(more[0])]], [[1, -1]], lower=0, name="s")
    assert np.array_equal(dense(model), [[1, 1, 0], [1, 0, -1]])


def test_callers_arrays_are_copied() -> None:
    model = binaries(2)
    columns, coefficients = np.array([0, 1], dtype=np.int32), np.array([2.0, 3.0])
    model.add_rows(columns, coefficients, upper=1, name="r")
    columns[:], coefficients[:] = 0, 9
    assert np.array_equal(dense(model), [[2, 3]])


def test_empty_blocks_are_fine() -> None:
    model = LinearModel()
    none = model.add_variables((0, 4), lower=0, upper=1, name="x")
    rows = model.add_rows(none, upper=1, name="r")
    assert rows.shape == (0,)
    assert model.arrays().indptr.tolist() == [0]
    assert model.objective_of([]) == 0


def test_labels_are_block_name_and_indices() -> None:
    model = LinearModel()
    total = model.add_variables((), lower=0, upper=9, name="total")
    place = model.add_variables((4, 20), lower=0, upper=1, name="place")
    rows = model.add_rows(place, upper=1, name="assign")
    pair = model.add_rows([[0, 1]], upper=1, shape=(1, 1), name="pair")
    assert model.column_label(int(total)) == "total"
    assert model.column_label(int(place[3, 17])) == "place[3,17]"
    assert model.row_label(int(rows[2])) == "assign[2]"
    assert model.row_label(int(pair[0, 0])) == "pair[0,0]"
    with pytest.raises(InputError, match="index"):
        model.column_label(81)


def test_words_are_made_only_when_asked_for() -> None:
    asked: list[tuple[int, ...]] = []

    def words(function: int, node: int) -> str:
        asked.append((function, node))
        return f"function {function} on node {node}"

    model = LinearModel()
    place = model.add_variables((2, 3), lower=0, upper=1, name="place", words=words)
    rows = model.add_rows(place, upper=1, name="assign", words=lambda f: f"assignment of {f}")
    model.arrays()
    assert asked == []
    assert model.column_words(int(place[1, 2])) == "function 1 on node 2"
    assert model.row_words(int(rows[1])) == "assignment of 1"
    plain = binaries(2)
    assert plain.column_words(1) == "x[1]"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"lower": 0.5}, "v.lower"),
        ({"lower": math.nan}, "v.lower"),
        ({"upper": math.nan}, "v.upper"),
        ({"lower": -math.inf, "integer": True}, "v.lower"),
        ({"lower": 2, "upper": 1}, "v"),
        ({"lower": math.inf, "upper": math.inf}, "v"),
        ({"upper": -math.inf}, "v"),
        ({"cost": math.inf}, "v.cost"),
        ({"cost": [1, 2]}, "v.cost"),
        ({"cost": 2**53}, "v.cost"),
        ({"cost": 10**30}, "v.cost"),
        ({"cost": "5"}, "v.cost"),
        ({"cost": 1j}, "v.cost"),
        ({"upper": math.inf, "integer": True}, "v.upper"),
        ({"upper": math.inf, "implied_integer": True}, "v.upper"),
        ({"integer": True, "implied_integer": True}, "v"),
        ({"integer": 1}, "v.integer"),
        ({"shape": (-1,)}, "v"),
        ({"shape": 1.5}, "v"),
        ({"name": "x"}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": ""}, "name"),
    ],
)
def test_bad_variables_are_refused(changes: dict[str, Any], field: str) -> None:
    model = binaries(2)
    arguments: dict[str, Any] = {"shape": 3, "lower": 0, "upper": 1, "name": "v"} | changes
    with pytest.raises(InputError) as refusal:
        model.add_variables(**arguments)
    assert refusal.value.field == field
    assert "\n" not in str(refusal.value)
    assert model.n_variables == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"coefficients": math.nan}, "r.coefficients"),
        ({"coefficients": math.inf}, "r.coefficients"),
        ({"coefficients": [0.1, 1, 1]}, "r.coefficients"),
        ({"coefficients": 2**50}, "r.coefficients"),
        ({"coefficients": [1, 2]}, "r.coefficients"),
        ({"columns": [0, 1, 4]}, "r.columns"),
        ({"columns": [0, -1, 2]}, "r.columns"),
        ({"columns": [0.0, 1.0, 2.0]}, "r.columns"),
        ({"columns": [0, 2, 0]}, "r"),
        ({"columns": [1, 1, 2]}, "r"),
        ({"columns": 1}, "r"),
        ({"lengths": [2, 2]}, "r.lengths"),
        ({"lengths": [-1, 4]}, "r.lengths"),
        ({"lengths": [3.0]}, "r.lengths"),
        ({"indptr": [0, 2, 1, 3]}, "r.indptr"),
        ({"indptr": [1, 3]}, "r.indptr"),
        ({"indptr": []}, "r.indptr"),
        ({"indptr": [0, 3], "lengths": [3]}, "r"),
        ({"columns": [[0, 1]], "lengths": [2]}, "r.lengths"),
        ({"lower": math.nan}, "r.lower"),
        ({"upper": 0.5}, "r.upper"),
        ({"lower": 1, "upper": 0}, "r"),
        ({"lower": math.inf}, "r"),
        ({"upper": -math.inf}, "r"),
        ({"upper": [1, 2]}, "r.upper"),
        ({"shape": (2,)}, "r"),
        ({"name": "taken"}, "name"),
    ],
)
def test_bad_rows_are_refused(changes: dict[str, Any], field: str) -> None:
    model = binaries(4)
    model.add_rows([0, 1], upper=1, name="taken")
    arguments: dict[str, Any] = {"columns": [0, 1, 2], "name": "r"} | changes
    with pytest.raises(InputError) as refusal:
        model.add_rows(**arguments)
    assert refusal.value.field == field
    assert "\n" not in str(refusal.value)
    assert model.n_rows == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rows": [0, 2]}, "r.rows"),
        ({"rows": [0]}, "r"),
        ({"coefficients": [1, 2, 3]}, "r.coefficients"),
        ({"rows": [1, 1], "columns": [3, 3]}, "r"),
        ({"coefficients": [1, math.nan]}, "r.coefficients"),
    ],
)
def test_bad_triplets_are_refused(changes: dict[str, Any], field: str) -> None:
    arguments: dict[str, Any] = {"rows": [0, 1], "columns": [0, 1], "shape": 2, "name": "r"}
    with pytest.raises(InputError) as refusal:
        binaries(4).add_rows_from_triplets(**(arguments | changes))
    assert refusal.value.field == field


def test_duplicates_are_named_by_row_and_column() -> None:
    with pytest.raises(InputError, match="column 3 stands twice in row 1"):
        binaries(4).add_rows([[0, 1, 2], [3, 0, 3]], upper=1, name="r")


def test_offset_must_be_an_integer() -> None:
    with pytest.raises(InputError, match="offset"):
        LinearModel(offset=0.5)  # type: ignore[arg-type]


def test_too_many_variables_are_refused_before_memory_is_taken() -> None:
    with pytest.raises(ModelTooLargeError, match="4611686018427387904 variables"):
        LinearModel().add_variables((2**31, 2**31), lower=0, upper=1, name="x")


def test_objective_is_exact_beyond_what_floats_hold() -> None:
    offset = 10**40 + 1
    model = LinearModel(offset=offset)
    model.add_variables(3, lower=0, upper=2**50, cost=[2**53 - 1, 1, -1], integer=True, name="x")
    assert model.objective_of([2**50, 1, 0]) == offset + (2**53 - 1) * 2**50 + 1


def test_objective_of_a_fractional_point_is_refused() -> None:
    with pytest.raises(InputError, match="values"):
        binaries(2).objective_of([0.5, 1])
    with pytest.raises(InputError, match="shape"):
        binaries(2).objective_of([1, 1, 1])


def test_violations_name_what_is_broken() -> None:
    model = LinearModel()
    x = model.add_variables(3, lower=0, upper=2, integer=True, name="x")
    model.add_rows([x, x], [[1, 1, 1], [1, -1, 0]], lower=[0, 0], upper=[3, 5], name="r")
    assert model.violations_of([1, 1, 1]) == []
    found = model.violations_of([0, 3, 1])
    assert [(v.kind, v.label, v.value) for v in found] == [
        ("column", "x[1]", 3),
        ("row", "r[0]", 4),
        ("row", "r[1]", -3),
    ]
    assert str(found[1]) == "r[0] = 4 is outside [0.0, 3.0]"
    assert [v.kind for v in model.violations_of([0.5, 0, 0])] == ["integrality"]
    with pytest.raises(InputError, match="finite"):
        model.violations_of([math.nan, 0, 0])


def test_an_excess_of_one_part_in_two_to_the_53_is_found() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=2**53 - 1, integer=True, name="x")
    model.add_rows(x, upper=2**53 - 1, name="r")
    assert model.violations_of([2**53 - 1, 0]) == []
    assert [v.value for v in model.violations_of([2**53 - 1, 1])] == [2**53]


def test_activities_beyond_int64_are_exact() -> None:
    model = LinearModel()
    x = model.add_variables(4, lower=0, upper=2**50, integer=True, name="x")
    big = 2**49
    model.add_rows([x, x], [[big, -big, 1, 0], [big, big, 0, 1]], lower=0, upper=7, name="r")
    found = model.violations_of([2**50, 2**50, 8, 0])
    assert [v.value for v in found] == [8, 2**100]


def test_tolerance_holds_for_fractional_points_only() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=9, name="x")
    model.add_rows(x, upper=3, name="r")
    assert model.violations_of([1.5, 1.5 + 1e-9], tolerance=1e-6) == []
    assert len(model.violations_of([1.5, 1.5 + 1e-9])) == 1
    assert len(model.violations_of([2, 2], tolerance=5)) == 1


def test_large_coefficient_excuses_neither_integers_nor_bounds_nor_other_rows() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=9, integer=True, name="x")
    y = model.add_variables((), lower=0, upper=1, name="y")
    model.add_rows([*x.tolist(), int(y)], [0, -(10**7), 1], upper=0, name="switched")
    model.add_rows(x, upper=3, name="plain")
    found = model.violations_of([0.5, 0, 0], tolerance=1e-6)
    assert [v.label for v in found] == ["x[0]"]
    assert [v.label for v in model.violations_of([0, 0, 0.5], tolerance=1e-6)] == ["switched"]
    found = model.violations_of([3, 1, 0.5], tolerance=1e-6)
    assert [v.label for v in found] == ["plain"]
    assert model.violations_of([0, 1, 1 + 1e-7], tolerance=1e-6) == []


def test_tolerance_of_a_row_grows_with_its_fractional_columns() -> None:
    model = LinearModel()
    y = model.add_variables(2, lower=0, upper=9, name="y")
    model.add_rows([y], [[1000, 1]], upper=500, name="r")
    assert model.violations_of([0.5 + 1e-7, 0.0], tolerance=1e-6) == []
    assert len(model.violations_of([0.5 + 1e-5, 0.0], tolerance=1e-6)) == 1


@pytest.mark.parametrize(
    ("costs", "continuous_cost", "step"),
    [([6, 9, 0], 0, 3), ([6, -10, 4], 0, 2), ([0, 0, 0], 0, 1), ([6, 9, 0], 3, None)],
)
def test_objective_step_is_the_common_divisor(
    costs: list[int], continuous_cost: int, step: int | None
) -> None:
    model = LinearModel()
    model.add_variables(3, lower=0, upper=1, cost=costs, integer=True, name="x")
    model.add_variables(1, lower=0, upper=1, implied_integer=True, name="y")
    model.add_variables(1, lower=0, upper=1, cost=continuous_cost, name="z")
    assert model.arrays().objective_step == step


@given(st.data())
def test_every_way_to_add_rows_gives_the_same_matrix(data: st.DataObject) -> None:
    n_rows = data.draw(st.integers(0, 6))
    n_columns = data.draw(st.integers(1, 8))
    cells = st.lists(st.integers(-5, 5), min_size=n_columns, max_size=n_columns)
    matrix = np.array(
        data.draw(st.lists(cells, min_size=n_rows, max_size=n_rows)), dtype=np.int64
    ).reshape(n_rows, n_columns)
    row, column = np.nonzero(matrix)
    shuffled = np.array(data.draw(st.permutations(range(row.size))), dtype=np.int64)

    full, ragged, triplets = binaries(n_columns), binaries(n_columns), binaries(n_columns)
    full.add_rows(np.tile(np.arange(n_columns), (n_rows, 1)), matrix, name="r")
    ragged.add_rows(
        column, matrix[row, column], lengths=np.bincount(row, minlength=n_rows), name="r"
    )
    triplets.add_rows_from_triplets(
        row[shuffled], column[shuffled], matrix[row, column][shuffled], shape=n_rows, name="r"
    )
    for model in (full, ragged, triplets):
        assert np.array_equal(dense(model), matrix)
        assert np.array_equal(model.arrays().indices, column)


@given(st.integers(0, 2**32 - 1))
def test_evaluation_agrees_with_python_integers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_rows, n_columns = int(rng.integers(1, 5)), int(rng.integers(1, 7))
    size = int(rng.integers(1, 49))
    matrix = rng.integers(-(2**size), 2**size, (n_rows, n_columns))
    cost = rng.integers(-(2**size), 2**size, n_columns)
    point = rng.integers(-(2**size), 2**size, n_columns)
    lower = rng.integers(-(2**size), 1, n_rows)
    upper = rng.integers(0, 2**size, n_rows)
    model = LinearModel(offset=int(cost[0]))
    model.add_variables(n_columns, lower=-(2**50), upper=2**50, cost=cost, integer=True, name="x")
    model.add_rows(
        np.tile(np.arange(n_columns), (n_rows, 1)), matrix, lower=lower, upper=upper, name="r"
    )
    assert model.objective_of(point) == int(cost[0]) + sum(
        a * b for a, b in zip(cost.tolist(), point.tolist(), strict=True)
    )
    activity = [
        sum(a * b for a, b in zip(line, point.tolist(), strict=True)) for line in matrix.tolist()
    ]
    expected = [
        (i, value)
        for i, value in enumerate(activity)
        if not lower[i].item() <= value <= upper[i].item()
    ]
    assert [(v.index, v.value) for v in model.violations_of(point)] == expected


def test_copy_takes_another_objective_and_leaves_the_first_model_alone() -> None:
    model = binaries(2)
    other = model.copy(cost=[3, -1], minimise=False, offset=7)
    extra = other.add_variables((), lower=-math.inf, upper=0, name="extra")
    other.add_rows([0, int(extra)], upper=1, name="more")
    assert (model.n_variables, model.n_rows) == (2, 0)
    assert model.objective_of([1, 1]) == 0
    assert other.objective_of([1, 1, 0]) == 9
    assert not other.minimise
    assert other.column_label(1) == model.column_label(1)
    assert other.column_label(2) == "extra"


def test_digest_depends_on_every_number_and_on_no_name() -> None:
    def build(name: str, upper: int) -> LinearModel:
        model = LinearModel()
        x = model.add_variables(2, lower=0, upper=upper, cost=1, integer=True, name=name)
        model.add_rows(x, upper=1, name="row")
        return model

    first = model_digest(build("x", 1).arrays())
    assert first == model_digest(build("y", 1).arrays())
    assert first != model_digest(build("x", 2).arrays())
    assert first != model_digest(build("x", 1).copy(minimise=False).arrays())
    assert first != model_digest(build("x", 1).copy(cost=[1, 2]).arrays())


def test_relaxation_has_continuous_columns_only_and_leaves_the_model_alone() -> None:
    model = binaries(2)
    relaxed = model.relaxed()
    assert relaxed.arrays().kind.tolist() == [ColumnKind.CONTINUOUS] * 2
    assert model.arrays().kind.tolist() == [ColumnKind.INTEGER] * 2
    assert relaxed.column_label(1) == "x[1]"
