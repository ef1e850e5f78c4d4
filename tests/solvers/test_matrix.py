"""Models from a caller's arrays: scaled exactly, refused clearly, and turned back exactly."""

from __future__ import annotations

import itertools
import math
import pickle
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.errors import InputError
from leotrek_opt.solvers.engines.highs import HighsEngine
from leotrek_opt.solvers.linear import ColumnKind, LinearModel
from leotrek_opt.solvers.linear_arrays import model_digest
from leotrek_opt.solvers.matrix import MatrixModel, model_from_arrays


def rows_of(model: MatrixModel) -> list[dict[int, int]]:
    arrays = model.linear.arrays()
    return [
        dict(zip(arrays.indices[a:b].tolist(), arrays.data[a:b].astype(int).tolist(), strict=True))
        for a, b in itertools.pairwise(arrays.indptr.tolist())
    ]


def small(**changes: Any) -> MatrixModel:
    """Two columns, one row; tests change what they are about."""
    parts: dict[str, Any] = {
        "cost": [1, 2],
        "lower": [0, 0],
        "upper": [5, 7],
        "integer": [True, False],
        "indptr": [0, 2],
        "indices": [0, 1],
        "data": [3, 4],
        "row_lower": [-math.inf],
        "row_upper": [12],
    }
    return model_from_arrays(**(parts | changes))


# Scaling


def test_whole_numbers_pass_unchanged_and_get_scale_one() -> None:
    model = small(data=[2, 4], row_upper=[6], offset=-3)
    arrays = model.linear.arrays()
    assert arrays.cost.tolist() == [1, 2]
    assert arrays.data.tolist() == [2, 4]
    assert arrays.row_upper.tolist() == [6]
    assert arrays.row_lower.tolist() == [-math.inf]
    assert arrays.kind.tolist() == [ColumnKind.INTEGER, ColumnKind.CONTINUOUS]
    assert (model.objective_scale, model.row_scale[0], arrays.offset) == (1, 1, -3)
    assert model.column_scale.tolist() == [1, 1]


@pytest.mark.parametrize(
    "data",
    [
        [2.42, 0.2],
        ["2.42", "0.2"],
        [Decimal("2.42"), Fraction(1, 5)],
        np.array([2.42, 0.2]),
        np.array([2.42, 0.2], dtype=np.float32),
    ],
)
def test_row_of_decimals_is_multiplied_by_their_common_denominator(data: Any) -> None:
    # 2.42 = 121/50 and 0.2 = 10/50; together with 9.5 = 19/2 the denominator is 50.
    model = small(data=data, row_upper=[9.5])
    assert rows_of(model) == [{0: 121, 1: 10}]
    assert model.linear.arrays().row_upper.tolist() == [475]
    assert model.row_scale[0] == 50


def test_row_with_fractions_is_divided_by_what_its_numbers_have_in_common() -> None:
    # 0.6, 1.2 and 1.8 times 5 are 3, 6 and 9.
    model = small(data=[0.6, 1.2], row_upper=[1.8], row_lower=[-0.6])
    assert rows_of(model) == [{0: 1, 1: 2}]
    assert model.linear.arrays().row_upper.tolist() == [3]
    assert model.linear.arrays().row_lower.tolist() == [-1]
    assert model.row_scale[0] == Fraction(5, 3)


def test_objective_has_one_scale_for_costs_and_constant() -> None:
    model = small(cost=[0.25, "1/3"], offset=Decimal("0.5"))
    assert model.objective_scale == 12
    assert model.linear.arrays().cost.tolist() == [3, 4]
    assert model.linear.offset == 6
    assert model.objective(model.linear.objective_of([2, 3])) == Fraction(1, 2) + Fraction(3, 2)


def test_continuous_column_with_fractional_bounds_gets_a_finer_unit() -> None:
    # x in [0.1, 2.5] counts in tenths: its cost and its coefficient become tenths as well.
    model = small(integer=False, lower=[0.1, 0], upper=[2.5, math.inf], cost=[3, 1])
    arrays = model.linear.arrays()
    assert model.column_scale.tolist() == [10, 1]
    assert (arrays.lower.tolist(), arrays.upper.tolist()) == ([1, 0], [25, math.inf])
    assert (arrays.cost.tolist(), model.objective_scale) == ([3, 10], 10)
    assert rows_of(model) == [{0: 3, 1: 40}]
    assert arrays.row_upper.tolist() == [120]
    assert model.values([25, 7]).tolist() == [2.5, 7]
    assert model.point([2.5, 7]).tolist() == [25, 7]


@pytest.mark.parametrize("flag", ["integer", "implied_integer"])
def test_bounds_of_integer_columns_move_inward(flag: str) -> None:
    model = small(**{"integer": False, flag: True}, lower=[-0.5, "1/3"], upper=[2.9, 7.0])
    assert model.linear.arrays().lower.tolist() == [0, 1]
    assert model.linear.arrays().upper.tolist() == [2, 7]
    assert model.column_scale.tolist() == [1, 1]


def test_warm_start_is_turned_exactly_where_floats_would_not() -> None:
    model = small(integer=False, upper=[0.07, 1])
    assert model.column_scale.tolist() == [100, 1]
    assert 0.07 * 100 != 7
    assert model.point([0.07, 0.5]).tolist() == [7, 0.5]


def test_solution_names_what_is_not_zero() -> None:
    model = small(column_names=["fixed", "share"], integer=[True, False], upper=[5, 0.5])
    assert model.solution([0, 1]) == {"share": 0.5}
    found = model.solution([3, 0])
    assert found == {"fixed": 3}
    assert isinstance(found["fixed"], int)


def test_names_become_words_of_the_model() -> None:
    model = small(column_names=["x[1,2]", "y"], row_names=["budget of edge-17"])
    assert model.linear.column_words(0) == "x[1,2]"
    assert model.linear.row_words(0) == "budget of edge-17"
    unnamed = small()
    assert list(unnamed.column_names) == ["c0", "c1"]
    assert unnamed.row_names[-1] == "r0"
    assert unnamed.column_names[:1] == ["c0"]


def test_wrapped_model_has_scales_of_one_and_its_own_labels() -> None:
    linear = LinearModel(offset=4)
    place = linear.add_variables((2, 2), lower=0, upper=1, cost=3, integer=True, name="place")
    linear.add_rows(place, upper=1, name="room")
    model = MatrixModel.of(linear)
    assert model.linear is linear
    assert list(model.column_names)[3] == "place[1,1]"
    assert list(model.row_names) == ["room[0]", "room[1]"]
    assert model.objective(7) == 7
    assert model.solution([0, 1, 0, 0]) == {"place[0,1]": 1}
    assert (model.objective_scale, model.row_scale[1]) == (1, 1)


@pytest.mark.parametrize("names", [None, ["a", "b"]])
def test_models_travel_between_processes(names: list[str] | None) -> None:
    model = pickle.loads(pickle.dumps(small(data=[0.5, 1], column_names=names)))
    assert model_digest(model.linear.arrays()) == model_digest(small(data=[0.5, 1]).linear.arrays())
    assert list(model.column_names) == (names or ["c0", "c1"])
    assert model.row_scale[0] == 2


numbers = st.integers(-40, 40) | st.sampled_from([0.1, 0.25, -2.42, 1e-3, "1/3", "-0.70"])


@st.composite
def written_models(draw: st.DrawFn) -> dict[str, Any]:
    n, m = draw(st.integers(1, 4)), draw(st.integers(0, 4))
    filled = draw(st.lists(st.booleans(), min_size=n * m, max_size=n * m))
    mask = np.array(filled, dtype=bool).reshape(m, n)
    lower = draw(st.lists(numbers, min_size=n, max_size=n))
    width = draw(st.lists(st.integers(1, 5), min_size=n, max_size=n))
    row_lower = draw(st.lists(numbers | st.just(-math.inf), min_size=m, max_size=m))
    row_upper = [
        math.inf if low == -math.inf and draw(st.booleans()) else Fraction(80) for low in row_lower
    ]
    count = int(mask.sum())
    return {
        "cost": draw(st.lists(numbers, min_size=n, max_size=n)),
        "lower": lower,
        "upper": [Fraction(low) + w for low, w in zip(map(str, lower), width, strict=True)],
        "integer": draw(st.lists(st.booleans(), min_size=n, max_size=n)),
        "indptr": np.concatenate([[0], np.cumsum(mask.sum(axis=1))]),
        "indices": np.nonzero(mask)[1],
        "data": draw(st.lists(numbers, min_size=count, max_size=count)),
        "row_lower": row_lower,
        "row_upper": row_upper,
        "minimise": draw(st.booleans()),
        "offset": draw(numbers),
    }


def as_fraction(value: Any) -> Fraction | float:
    return value if value in {math.inf, -math.inf} else Fraction(str(value))


@given(written_models(), st.data())
def test_scaled_model_says_the_same_as_the_written_one(
    parts: dict[str, Any], data: st.DataObject
) -> None:
    """Rows, objective and bounds at any point, in fractions, before and after scaling."""
    model = model_from_arrays(**parts)
    arrays, n = model.linear.arrays(), len(parts["cost"])
    point = [Fraction(data.draw(st.integers(-50, 50))) for _ in range(n)]
    user = [value / int(scale) for value, scale in zip(point, model.column_scale, strict=True)]
    written = [as_fraction(value) for value in parts["data"]]
    for row, (a, b) in enumerate(itertools.pairwise(parts["indptr"].tolist())):
        here = sum(written[k] * user[parts["indices"][k]] for k in range(a, b))
        there = sum(
            int(arrays.data[k]) * point[arrays.indices[k]]
            for k in range(arrays.indptr[row], arrays.indptr[row + 1])
        )
        scale = model.row_scale[row]
        assert there == here * scale
        for bounds, side in ((arrays.row_lower, "row_lower"), (arrays.row_upper, "row_upper")):
            assert bounds[row] == as_fraction(parts[side][row]) * scale
    costs = zip(parts["cost"], user, strict=True)
    objective = as_fraction(parts["offset"]) + sum(as_fraction(c) * x for c, x in costs)
    inner = arrays.offset + sum(int(c) * x for c, x in zip(arrays.cost, point, strict=True))
    assert model.objective(inner) == objective
    for at in range(n):
        low, high = as_fraction(parts["lower"][at]), as_fraction(parts["upper"][at])
        if parts["integer"][at]:
            low, high = math.ceil(low), math.floor(high)
        assert arrays.lower[at] == low * int(model.column_scale[at])
        assert arrays.upper[at] == high * int(model.column_scale[at])


@given(written_models())
def test_whole_and_scaled_values_go_there_and_back(parts: dict[str, Any]) -> None:
    model = model_from_arrays(**parts)
    lower = model.linear.arrays().lower
    assert model.point(model.values(lower)) == pytest.approx(lower, rel=1e-15)


def test_optimum_of_a_model_in_cents_comes_back_in_euros() -> None:
    # Two machines: 2.42 and 1.99 an hour, at least 5 hours, at most 3 of the second.
    model = model_from_arrays(
        cost=[2.42, 1.99],
        upper=[9, 3],
        integer=True,
        matrix=np.array([[1, 1]]),
        row_lower=[5],
        column_names=["a", "b"],
    )
    result = HighsEngine().solve(model.linear)
    assert result.objective is not None
    assert result.values is not None
    assert model.objective(result.objective) == Fraction("10.81")
    assert model.solution(result.values) == {"a": 2, "b": 3}


# Forms of the matrix


@pytest.mark.parametrize(
    "form", [scipy.sparse.csr_array, scipy.sparse.csc_matrix, scipy.sparse.coo_array, np.array]
)
def test_matrix_may_be_sparse_or_dense(form: Any) -> None:
    dense = np.array([[0, 2.5, 1], [0, 0, 0], [4, 0, 0.5]])
    model = model_from_arrays(
        cost=[1, 1, 1], upper=9, integer=True, matrix=form(dense), row_upper=[7, 8, 9]
    )
    assert rows_of(model) == [{1: 5, 2: 2}, {}, {0: 8, 2: 1}]
    assert model.linear.arrays().row_upper.tolist() == [14, 8, 18]


def test_model_without_rows_needs_no_matrix() -> None:
    model = model_from_arrays(cost=[1, 2], upper=1, integer=True)
    assert (model.linear.n_rows, model.linear.n_variables) == (0, 2)
    empty = model_from_arrays(cost=[], offset=3)
    assert empty.linear.objective_of([]) == 3


def test_one_number_stands_for_all_columns_or_rows() -> None:
    model = model_from_arrays(
        cost=[1, 2, 3], lower=-1, upper="2.5", matrix=np.eye(3), row_upper=Fraction(1, 2)
    )
    assert model.linear.arrays().lower.tolist() == [-2] * 3
    assert model.linear.arrays().upper.tolist() == [5] * 3
    assert rows_of(model) == [{0: 1}, {1: 1}, {2: 1}]


def test_order_within_a_row_is_free() -> None:
    one = small(indices=[1, 0], data=[0.5, 3])
    other = small(indices=[0, 1], data=[3, 0.5])
    assert model_digest(one.linear.arrays()) == model_digest(other.linear.arrays())


# Refusals


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"cost": [1, math.nan]}, "cost[1]", "not nan"),
        ({"cost": [1, math.inf]}, "cost[1]", "finite.*column c1"),
        ({"cost": [[1, 2]]}, "cost[0]", "not a list"),
        ({"cost": 5}, "cost", "vector"),
        ({"lower": [0, "x"]}, "lower[1]", "must be a number"),
        ({"lower": [0, 0, 0]}, "lower", "length 2"),
        ({"lower": [0, 9]}, "lower[1] (c1)", "lower bound 9 and upper bound 7"),
        ({"lower": [0, math.inf]}, "lower[1] (c1)", "lower bound inf"),
        ({"upper": [5, -math.inf]}, "lower[1] (c1)", "upper bound -inf"),
        ({"lower": [-math.inf, 0]}, "lower[0]", "finite for an integer column .c0"),
        ({"upper": [math.inf, 0]}, "upper[0]", "finite for an integer column .c0"),
        ({"lower": [0.2, 0], "upper": [0.8, 1]}, "lower[0]", r"no integer lies in \[1/5, 4/5\]"),
        ({"integer": [True]}, "integer", "shape"),
        ({"integer": [2, 0]}, "integer", "booleans"),
        ({"integer": ["a", "b"]}, "integer", "booleans"),
        ({"integer": [[1], [1, 0]]}, "integer", "vector"),
        ({"implied_integer": True}, "column", "at once"),
        ({"indices": [0, 2]}, "indices", "not 2"),
        ({"indices": [0, -1]}, "indices", "not -1"),
        ({"indices": [0.0, 1.0]}, "indices", "integers"),
        ({"indices": [[0], [0, 1]]}, "indices", "vector"),
        ({"indices": [1, 1]}, "indices", "column c1 stands twice in row r0"),
        ({"indptr": [0, 1]}, "matrix.indptr", "0 to the 2 entries"),
        ({"indptr": [0, 3, 2]}, "matrix.indptr", "descend"),
        ({"indptr": []}, "matrix.indptr", "0 to the 2 entries"),
        ({"indptr": None}, "indptr, indices, data", "together"),
        ({"data": [3]}, "data", "length 2"),
        ({"data": [3, math.inf]}, "data[1]", "row r0, column c1"),
        ({"data": [3, math.nan]}, "data[1]", "not nan"),
        ({"row_lower": [20]}, "row_lower[0] (r0)", "lower bound 20 and upper bound 12"),
        ({"row_upper": [-math.inf]}, "row_lower[0] (r0)", "upper bound -inf"),
        ({"row_upper": [math.nan]}, "row_upper[0]", "not nan"),
        ({"row_upper": [1, 2]}, "row_upper", "length 1"),
        ({"row_upper": [None]}, "row_upper[0]", "must be a number"),
        ({"offset": math.inf}, "offset", "finite"),
        ({"offset": "much"}, "offset", "must be a number"),
        ({"column_names": ["a"]}, "column_names", "2 names"),
        ({"column_names": ["a", "a"]}, "column_names[1]", "also the name at 0"),
        ({"column_names": ["a", ""]}, "column_names[1]", "not empty"),
        ({"row_names": [7]}, "row_names[0]", "text"),
        ({"matrix": np.eye(2)}, "matrix", "takes the place"),
    ],
)
def test_malformed_input_is_refused_in_one_clear_line(
    changes: dict[str, Any], field: str, text: str
) -> None:
    with pytest.raises(InputError, match=text) as refusal:
        small(**changes)
    assert refusal.value.field == field
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("matrix", [[[1, 2]], np.eye(3), np.zeros(2), "x"])
def test_matrix_of_another_form_is_refused(matrix: Any) -> None:
    with pytest.raises(InputError, match="matrix"):
        model_from_arrays(cost=[1, 2], matrix=matrix)


def test_entry_that_stands_twice_in_a_sparse_matrix_is_refused() -> None:
    twice = scipy.sparse.coo_array(([1, 2], ([0, 0], [1, 1])), shape=(1, 2))
    with pytest.raises(InputError, match="column c1 stands twice in row r0"):
        model_from_arrays(cost=[1, 2], matrix=twice)


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"cost": [2**53, 1]}, "cost[0]", r"is 9007199254740992 .* 2\*\*53;.*column a"),
        ({"cost": [12345.678901234567, 1]}, "cost[0]", "column a, 1000000000000 times"),
        ({"cost": ["1e300", 1]}, "cost[0]", "a very large number"),
        ({"data": [2**50, 1]}, "data[0]", r"2\*\*49;.*row limit, column a"),
        ({"data": [1 / 3, 1]}, "data[0]", "row limit, column a, 10000000000000000 times its value"),
        ({"row_upper": [1e16]}, "row_upper[0]", "row limit"),
        ({"lower": [0, -(2**53)]}, "lower[1]", "column b"),
        ({"upper": [1, "1e-16"]}, "upper[1]", "column b"),
        ({"upper": [1, "1e-300"]}, "upper[1]", "very large number"),
        ({"lower": [np.iinfo(np.int64).min, 0]}, "lower[0]", "column a"),
    ],
)
def test_too_large_numbers_name_column_and_row(
    changes: dict[str, Any], field: str, text: str
) -> None:
    with pytest.raises(InputError, match=text) as refusal:
        small(column_names=["a", "b"], row_names=["limit"], **changes)
    assert refusal.value.field == field


@pytest.mark.parametrize("values", [[1], [1, math.inf], [1, math.nan], [1, "x"]])
def test_point_that_is_none_is_refused(values: list[Any]) -> None:
    with pytest.raises(InputError, match="values"):
        small().point(values)
    if len(values) == 1:
        with pytest.raises(InputError, match="shape"):
            small().values(values)
