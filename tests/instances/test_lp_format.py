"""LP files: HiGHS reads them as the same model, ranges, free rows and strange names included."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import pytest
from hypothesis import given
from tests.instances.linear_models import decimal_models, linear_models

from leotrek_opt.errors import InputError
from leotrek_opt.instances.lp_format import write_lp
from leotrek_opt.solvers.engines.highs import HighsEngine
from leotrek_opt.solvers.linear import ColumnKind, LinearModel
from leotrek_opt.solvers.matrix import MatrixModel, model_from_arrays
from leotrek_opt.solvers.status import Status


def read_by_highs(path: Path) -> highspy.Highs:
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    status = highs.readModel(str(path))
    assert status != highspy.HighsStatus.kError, path.read_text(encoding="utf-8")
    return highs


def wide_model() -> LinearModel:
    """Every kind of row and column, with names that mean something else in the format."""
    model = LinearModel(minimise=False, offset=-8)
    titles = ["place[0,1]", "free", "inf", "e1", "2nd node", "a:b/c", "a b c", ""]
    x = model.add_variables(
        8,
        lower=[0, -3, -math.inf, 0, 1, -5, 0, 2],
        upper=[1, 17, math.inf, 9, 1, math.inf, 4, 3],
        cost=[5, -2, 0, 1, 3, -1, 2, 0],
        integer=np.array([True, True, False, False, True, False, False, True]),
        name="x",
        words=titles.__getitem__,
    )
    model.add_rows(x[:2], lower=-2, upper=12, name="range", words=lambda: "range of it")
    model.add_rows(x[2:4], [1, 3], name="open")
    model.add_rows(x[3:6], [2, -1, 1], lower=4, upper=4, name="equal")
    model.add_rows(x[[2, 6]], [1, -1], lower=0, name="at_least")
    model.add_rows(x[[1, 6]], upper=11, name="at_most")
    model.add_rows([], lengths=[0], lower=-1, upper=1, name="empty")
    return model


def test_text_is_what_a_person_would_write(tmp_path: Path) -> None:
    model = LinearModel(offset=4)
    x = model.add_variables((1, 2), lower=0, upper=[0, 3], cost=[[2, -1]], integer=True, name="x")
    model.add_rows(x, [[1, -4]], lower=-2, upper=6, name="cap")
    text = write_lp(model, tmp_path / "a.lp").read_text(encoding="ascii")
    assert text.splitlines() == [
        "Minimize",
        " obj: + 2 x(0,0) - 1 x(0,1) + 4",
        "Subject To",
        " cap(0)_lo: + 1 x(0,0) - 4 x(0,1) >= -2",
        " cap(0)_up: + 1 x(0,0) - 4 x(0,1) <= 6",
        "Bounds",
        " x(0,0) = 0",
        " 0 <= x(0,1) <= 3",
        "General",
        " x(0,0) x(0,1)",
        "End",
    ]


@pytest.mark.parametrize("words", [False, True])
def test_highs_reads_columns_rows_and_bounds(tmp_path: Path, words: bool) -> None:
    model = wide_model()
    lp = read_by_highs(write_lp(model, tmp_path / "a.lp", words=words)).getLp()
    arrays = model.arrays()
    assert list(lp.col_cost_) == arrays.cost.tolist()
    assert list(lp.col_lower_) == arrays.lower.tolist()
    assert list(lp.col_upper_) == arrays.upper.tolist()
    assert [int(kind) for kind in lp.integrality_] == (arrays.kind == ColumnKind.INTEGER).tolist()
    assert lp.sense_ == highspy.ObjSense.kMaximize
    assert lp.offset_ == -8
    assert list(lp.row_lower_) == [-2, -math.inf, -math.inf, 4, 0, -math.inf, -1, -math.inf]
    assert list(lp.row_upper_) == [math.inf, 12, math.inf, 4, math.inf, 11, math.inf, 1]
    if words:
        assert list(lp.col_names_)[:5] == ["place(0,1)", "_free", "_inf", "_e1", "_2nd_node"]
        assert list(lp.col_names_)[5:] == ["a_b_c", "a_b_c_2", "_"]
        assert list(lp.row_names_)[:3] == ["range_of_it_lo", "range_of_it_up", "open"]


def test_highs_finds_the_same_optimum(tmp_path: Path) -> None:
    model = wide_model()
    expected = HighsEngine().solve(model)
    assert expected.status is Status.OPTIMAL
    highs = read_by_highs(write_lp(model, tmp_path / "a.lp"))
    highs.run()
    assert highs.getInfo().objective_function_value == pytest.approx(expected.objective)


@given(model=linear_models())
def test_highs_reads_every_model(
    model: LinearModel, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if not model.n_variables:
        return
    path = write_lp(model, tmp_path_factory.getbasetemp() / "any.lp")
    lp = read_by_highs(path).getLp()
    arrays = model.arrays()
    assert list(lp.col_cost_) == arrays.cost.tolist()
    assert list(lp.col_lower_) == arrays.lower.tolist()
    assert list(lp.col_upper_) == arrays.upper.tolist()
    assert lp.offset_ == float(arrays.offset)
    assert lp.num_row_ >= model.n_rows


@given(model=decimal_models())
def test_decimals_are_written_in_the_authors_units(
    model: MatrixModel, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write_lp(model, tmp_path_factory.getbasetemp() / "decimals.lp")
    lp = read_by_highs(path).getLp()
    arrays = model.linear.arrays()
    scale = model.column_scale
    assert list(lp.col_lower_) == (arrays.lower / scale).tolist()
    assert np.allclose(lp.col_cost_, arrays.cost * scale / model.objective_scale, rtol=1e-15)


def test_long_lines_are_broken(tmp_path: Path) -> None:
    model = model_from_arrays(cost=range(100), upper=1, matrix=np.ones((1, 100)), row_upper=3)
    path = write_lp(model, tmp_path / "a.lp")
    assert max(map(len, path.read_text(encoding="ascii").splitlines())) <= 100
    assert list(read_by_highs(path).getLp().col_cost_) == list(range(100))


@pytest.mark.parametrize(
    ("model", "name", "text"),
    [
        (model_from_arrays(cost=["1/3"]), "a.lp", "no finite decimals"),
        (model_from_arrays(cost=[1]), "a.lp.gz", "plain"),
        (model_from_arrays(cost=[1]), "absent/a.lp", "no folder"),
        (
            model_from_arrays(cost=[], indptr=[0, 0], indices=[], data=[], row_upper=1),
            "a.lp",
            "no columns",
        ),
    ],
)
def test_what_cannot_be_written_is_refused(
    tmp_path: Path, model: Any, name: str, text: str
) -> None:
    with pytest.raises(InputError, match=text):
        write_lp(model, tmp_path / name)
