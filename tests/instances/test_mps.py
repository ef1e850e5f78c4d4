"""MPS files: every rule of the format, exact decimals, refusals, and the way there and back."""

from __future__ import annotations

import gzip
import logging
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import pytest
from hypothesis import given
from tests.instances.linear_models import decimal_models, linear_models

from leotrek_opt.errors import InputError
from leotrek_opt.instances.mps import read_mps, write_mps
from leotrek_opt.solvers.engines.highs import HighsEngine, load
from leotrek_opt.solvers.linear import ColumnKind, LinearModel
from leotrek_opt.solvers.linear_arrays import model_digest
from leotrek_opt.solvers.matrix import MatrixModel, model_from_arrays

INF = math.inf


def read(tmp_path: Path, text: str, **options: Any) -> MatrixModel:
    path = tmp_path / "model.mps"
    path.write_text(text, encoding="utf-8")
    return read_mps(path, **options)


def with_sections(
    *,
    rows: str = " N obj\n L r\n",
    columns: str = " x r 1\n",
    rest: str = "",
    before: str = "NAME t\n",
) -> str:
    return f"{before}ROWS\n{rows}COLUMNS\n{columns}{rest}ENDATA\n"


def digest(model: LinearModel | MatrixModel) -> str:
    linear = model.linear if isinstance(model, MatrixModel) else model
    return model_digest(linear.arrays())


EXAMPLE = """* Two machines and a budget, with every section.
NAME          example
OBJSENSE
    MAX
ROWS
 N  profit
 L  budget
 G  demand
 E  balance
COLUMNS
    x  profit  2.5   budget  1
    x  demand  1
    MARKER  'MARKER'  'INTORG'
    y  profit  3     budget  0.42
    MARKER  'MARKER'  'INTEND'
    z  balance -1    profit  0
RHS
    RHS  budget  10.5  demand  2
    RHS  profit  -7
RANGES
    RNG  budget  8.5
BOUNDS
 LO BND x 1
 UP BND x 4
 LO BND y -2
 UP BND y 6
 FR BND z
ENDATA
"""


def test_example_reads_as_it_was_written_by_hand(tmp_path: Path) -> None:
    model = read(tmp_path, EXAMPLE)
    arrays = model.linear.arrays()
    assert list(model.column_names) == ["x", "y", "z"]
    assert list(model.row_names) == ["budget", "demand", "balance"]
    assert not arrays.minimise
    # profit = 7 + 2.5 x + 3 y, twice that in whole numbers
    assert (arrays.cost.tolist(), arrays.offset, model.objective_scale) == ([5, 6, 0], 14, 2)
    # 2 <= x + 0.42 y <= 10.5 is multiplied by 50
    assert arrays.data.tolist() == [50, 21, 1, -1]
    assert arrays.indices.tolist() == [0, 1, 0, 2]
    assert arrays.row_lower.tolist() == [100, 2, 0]
    assert arrays.row_upper.tolist() == [525, INF, 0]
    assert arrays.lower.tolist() == [1, -2, -INF]
    assert arrays.upper.tolist() == [4, 6, INF]
    assert arrays.kind.tolist() == [0, ColumnKind.INTEGER, 0]


@pytest.mark.parametrize("compress", [False, True])
def test_compressed_files_are_read(tmp_path: Path, compress: bool) -> None:
    path = tmp_path / ("model.mps.gz" if compress else "model.mps")
    data = EXAMPLE.encode()
    path.write_bytes(gzip.compress(data) if compress else data)
    assert digest(read_mps(path)) == digest(read(tmp_path, EXAMPLE))


@pytest.mark.parametrize(
    ("sense", "minimise"),
    [
        ("", True),
        ("OBJSENSE\n    MIN\n", True),
        ("OBJSENSE\n    MAXIMIZE\n", False),
        ("OBJSENSE\nmaximise\n", False),
        ("OBJSENSE MAX\n", False),
        ("OBJSENSE    minimize\n", True),
    ],
)
def test_sense_is_read_in_both_forms(tmp_path: Path, sense: str, minimise: bool) -> None:
    model = read(tmp_path, with_sections(before=f"NAME t\n{sense}"))
    assert model.linear.minimise is minimise


@pytest.mark.parametrize("named", ["OBJNAME\n    cost\n", "OBJNAME cost\n"])
def test_objective_may_be_named(
    tmp_path: Path, named: str, caplog: pytest.LogCaptureFixture
) -> None:
    rows, columns = " N other\n N cost\n L r\n", " x other 5\n x cost 7\n x r 1\n"
    with caplog.at_level(logging.WARNING, logger="leotrek_opt"):
        first = read(tmp_path, with_sections(rows=rows, columns=columns))
        second = read(tmp_path, with_sections(rows=rows, columns=columns, before=named))
    assert first.linear.arrays().cost.tolist() == [5]
    assert second.linear.arrays().cost.tolist() == [7]
    assert [record.message for record in caplog.records] == [
        "left out 1 free rows beside the objective"
    ] * 2


def test_model_without_an_objective_costs_nothing(tmp_path: Path) -> None:
    model = read(tmp_path, with_sections(rows=" L r\n"))
    assert model.linear.arrays().cost.tolist() == [0]


@pytest.mark.parametrize(
    ("kind", "width", "expected"),
    [
        ("L", "4", (6, 10)),
        ("L", "-4", (6, 10)),
        ("G", "4", (10, 14)),
        ("G", "-4", (10, 14)),
        ("E", "4", (10, 14)),
        ("E", "-4", (6, 10)),
        ("E", "0", (10, 10)),
        ("L", "1e30", (-INF, 10)),
        ("G", "1e30", (10, INF)),
        ("E", "-1e30", (-INF, 10)),
    ],
)
def test_ranges_follow_type_and_sign(
    tmp_path: Path, kind: str, width: str, expected: tuple[float, float]
) -> None:
    rest = f"RHS\n RHS r 10\nRANGES\n RNG r {width}\n"
    arrays = read(tmp_path, with_sections(rows=f" N obj\n {kind} r\n", rest=rest)).linear.arrays()
    assert (arrays.row_lower[0], arrays.row_upper[0]) == expected


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ("", (0, INF)),
        (" UP B x 5\n", (0, 5)),
        (" LO B x -5\n", (-5, INF)),
        (" LO B x 2\n UP B x 5\n", (2, 5)),
        (" FX B x 5.0\n", (5, 5)),
        (" FR B x\n", (-INF, INF)),
        (" MI B x\n", (-INF, INF)),
        (" MI B x\n UP B x 3\n", (-INF, 3)),
        (" UP B x 3\n MI B x\n", (-INF, 3)),
        (" PL B x\n", (0, INF)),
        (" UP B x 1e20\n", (0, INF)),
        (" LO B x -1e30\n", (-INF, INF)),
        (" UP B x Inf\n", (0, INF)),
        (" UP B x 0\n", (0, 0)),
        (" UP B x -3\n", (-INF, -3)),
        (" LO B x -9\n UP B x -3\n", (-9, -3)),
        (" UP x 5\n", (0, 5)),
        (" FR x\n", (-INF, INF)),
        (" FR B x 0\n", (-INF, INF)),
        (" FR x 0\n", (-INF, INF)),
        (" up B x 5\n", (0, 5)),
    ],
)
def test_bounds_of_continuous_columns(
    tmp_path: Path, bounds: str, expected: tuple[float, float]
) -> None:
    arrays = read(tmp_path, with_sections(rest=f"BOUNDS\n{bounds}")).linear.arrays()
    assert (arrays.lower[0], arrays.upper[0]) == expected
    assert arrays.kind[0] == ColumnKind.CONTINUOUS


MARKED = " M 'MARKER' 'INTORG'\n x r 1\n M 'MARKER' 'INTEND'\n y r 1\n"


@pytest.mark.parametrize(
    ("columns", "bounds", "expected"),
    [
        (MARKED, "", (0, 1)),
        (MARKED, " UP B x 7\n", (0, 7)),
        (MARKED, " LO B x -3.5\n UP B x 2.5\n", (-3, 2)),
        (" x r 1\n", " BV B x\n", (0, 1)),
        (" x r 1\n", " UI B x 9\n", (0, 9)),
        (" x r 1\n", " LI B x 2\n UP B x 9\n", (2, 9)),
    ],
)
def test_bounds_of_integer_columns(
    tmp_path: Path, columns: str, bounds: str, expected: tuple[float, float]
) -> None:
    text = with_sections(columns=columns, rest=f"BOUNDS\n{bounds}")
    arrays = read(tmp_path, text).linear.arrays()
    assert (arrays.lower[0], arrays.upper[0]) == expected
    assert arrays.kind[0] == ColumnKind.INTEGER
    assert not arrays.kind[1:].any()


def test_negative_upper_bound_without_a_lower_one_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="leotrek_opt"):
        read(tmp_path, with_sections(rest="BOUNDS\n UP B x -3\n"))
    assert "negative upper bound" in caplog.text


def test_decimals_are_read_as_they_stand_there(tmp_path: Path) -> None:
    columns = " x obj 0.1\n x r 2.42D1\n y obj 1e-3\n y r .5\n"
    model = read(tmp_path, with_sections(columns=columns, rest="RHS\n RHS r +3.\n"))
    assert model.objective(model.linear.objective_of([1, 1])) == Fraction(101, 1000)
    assert model.linear.arrays().data.tolist() == [242, 5]
    assert model.linear.arrays().row_upper.tolist() == [30]


def test_constant_of_any_length_is_exact(tmp_path: Path) -> None:
    offset = 10**40 + 1
    model = read(tmp_path, with_sections(rest=f"RHS\n RHS obj -{offset}\n"))
    assert model.linear.offset == offset


FIXED = (
    "NAME          fixed\n"
    "ROWS\n"
    " N  my cost\n"
    " L  limit 1\n"
    "COLUMNS\n"
    "    M1        'MARKER'                 'INTORG'\n"
    "    x 1       my cost              2   limit 1              3\n"
    "    M2        'MARKER'                 'INTEND'\n"
    "    y         limit 1            1.5\n"
    "RHS\n"
    "              limit 1             12\n"
    "BOUNDS\n"
    " UP           x 1                  4\n"
    " UP B 1       y                  2.5\n"
    "ENDATA\n"
)


@pytest.mark.parametrize("layout", ["auto", "fixed"])
def test_names_with_blanks_are_read_in_the_fixed_format(tmp_path: Path, layout: str) -> None:
    text = FIXED.replace(" UP           x 1", " UP B 1       x 1")
    model = read(tmp_path, text, layout=layout)
    # 3 x + 1.5 y <= 12 with y in halves, y = y' / 2, is 4 x + y' <= 16.
    assert list(model.column_names) == ["x 1", "y"]
    assert list(model.row_names) == ["limit 1"]
    arrays = model.linear.arrays()
    assert arrays.kind.tolist() == [ColumnKind.INTEGER, 0]
    assert arrays.upper.tolist() == [4, 5]
    assert model.column_scale.tolist() == [1, 2]
    assert arrays.data.tolist() == [4, 1]
    assert arrays.row_upper.tolist() == [16]


def test_fixed_file_without_blanks_in_names_is_read_either_way(tmp_path: Path) -> None:
    text = FIXED.replace("my cost", "my_cost").replace("limit 1", "limit_1").replace("x 1", "x_1")
    text = text.replace("B 1", "   ")
    models = [read(tmp_path, text, layout=layout) for layout in ("auto", "free", "fixed")]
    assert len({digest(model) for model in models}) == 1


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 0, "ends without ENDATA"),
        ("NAME t\nROWS\n N obj\n", 3, "ends without ENDATA"),
        ("hello\n", 1, 'a section is wanted, not "hello"'),
        ("NAME\nROWS\n X r\n", 3, 'type N, E, L or G, not "X"'),
        ("NAME\nROWS\n N\n", 3, "a row is a type and a name"),
        ("ROWS\n L r\n L r\n", 3, "stands twice"),
        ("ROWS\n L r\nCOLUMNS\n x s 1\n", 4, 'no row "s"'),
        ("ROWS\n L r\nCOLUMNS\n x r one\n", 4, 'must be a number, not "one"'),
        ("ROWS\n L r\nCOLUMNS\n x r 1/3\n", 4, "must be a number"),
        ("ROWS\n L r\nCOLUMNS\n x r inf\n", 4, "must be finite"),
        ("ROWS\n L r\nCOLUMNS\n x r nan\n", 4, "must be a number"),
        ("ROWS\n L r\nCOLUMNS\n x r 1e999\n", 4, "exponent"),
        ("ROWS\n L r\nCOLUMNS\n x r\n", 4, "one or two rows"),
        ("ROWS\n L r\nCOLUMNS\n x r 1 r 2\n", 4, "stands twice in row"),
        ("ROWS\n N r\nCOLUMNS\n x r 1 r 2\n", 4, "the cost of column .* is given twice"),
        ("ROWS\n L r\n L s\nCOLUMNS\n x r 1\n y r 1\n x s 1\n", 7, "stands in two places"),
        ("ROWS\n L r\nCOLUMNS\n x 'MARKER' 'SOSORG'\n", 4, "marker"),
        ("ROWS\n L r\nRHS\n B r 1\n B r 2\n", 5, "given twice"),
        ("ROWS\n L r\n L s\nRHS\n A r 1\n B s 2\n", 6, 'second set "B" beside "A"'),
        ("ROWS\n L r\nRHS\n r\n", 4, "one or two rows"),
        ("ROWS\n N r\nRANGES\n R r 1\n", 4, "no range"),
        ("ROWS\n L r\nRANGES\n R r 1 r 2\n", 4, "given twice"),
        ("ROWS\n G r\nRHS\n B r -1e30\nRANGES\n R r 1\nENDATA\n", 7, "infinite right-hand side"),
        ("ROWS\n L r\nBOUNDS\n UP B x 1\n", 4, 'no column "x"'),
        ("ROWS\n L r\nCOLUMNS\n x r 1\nBOUNDS\n SC B x 1\n", 6, "semi-continuous"),
        ("ROWS\n L r\nCOLUMNS\n x r 1\nBOUNDS\n XX B x 1\n", 6, 'type "XX"'),
        ("ROWS\n L r\nCOLUMNS\n x r 1\nBOUNDS\n UP B x\n", 6, 'no column "B"'),
        ("ROWS\n L r\nCOLUMNS\n x r 1\nBOUNDS\n UP x\n", 6, "must be a number"),
        ("ROWS\n L r\nCOLUMNS\n x r 1\nBOUNDS\n UP B x 1\n FX B x 2\n", 7, "upper bound .* twice"),
        ("ROWS\n L r\nROWS\n", 3, "section ROWS stands twice"),
        ("ROWS\n L r\nQUADOBJ\n", 3, "section QUADOBJ is not supported"),
        ("ROWS\n L r\nSOS1\n", 3, "section SOS1 is not supported"),
        ("OBJSENSE\n    SIDEWAYS\n", 2, "MIN or MAX"),
        ("ROWS\n N a\nOBJNAME a\n", 3, "before ROWS"),
        ("OBJNAME a\nROWS\n N b\nENDATA\n", 4, 'no free row "a"'),
        ("ROWS\n L r\nCOLUMNS\n x r 1\nRHS\n" + " " * 10_000 + "\n", 6, "bytes"),
    ],
)
def test_faults_name_file_and_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        read(tmp_path, text, layout="free")
    assert refusal.value.field == f"line {line}"
    assert str(refusal.value).startswith(f"{tmp_path / 'model.mps'}: line {line}: ")
    assert "\n" not in str(refusal.value)
    with pytest.raises(InputError):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (with_sections(columns=" x r 1e20\n"), "row r, column x"),
        (with_sections(columns=" x obj 1e20\n"), "column x"),
        (with_sections(rest="BOUNDS\n LO B x 2\n UP B x 1\n"), r"lower\[0\] \(x\)"),
        (with_sections(columns=MARKED, rest="BOUNDS\n LO B x 2\n"), r"integer column \(x\)"),
        (with_sections(rest="RHS\n RHS r -1e30\n"), r"row_lower\[0\] \(r\)"),
    ],
)
def test_numbers_that_make_no_model_name_column_or_row(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        read(tmp_path, text)
    assert refusal.value.file == str(tmp_path / "model.mps")


def test_fault_is_that_of_the_format_that_was_meant(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 7: no row"):
        read(tmp_path, FIXED.replace("limit 1              3", "limit 2              3"))


def test_other_encodings_binary_data_and_missing_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.mps"
    path.write_bytes(b"NAME\nROWS\n L \xff\xfe\n")
    with pytest.raises(InputError, match="line 3: is not UTF-8"):
        read_mps(path)
    path.write_bytes(gzip.compress(EXAMPLE.encode())[:-20])
    with pytest.raises(InputError, match="damaged gzip"):
        read_mps(path)
    with pytest.raises(InputError, match="no such file"):
        read_mps(tmp_path / "absent.mps")
    with pytest.raises(InputError, match="layout"):
        read(tmp_path, EXAMPLE, layout="loose")


# There and back


@given(model=linear_models())
def test_written_model_reads_the_same(
    model: LinearModel, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "there.mps"
    for words in (False, True):
        write_mps(model, path, words=words)
        back = read_mps(path)
        assert digest(back) == digest(model)
        assert len(set(back.column_names)) == model.n_variables


@given(model=decimal_models())
def test_model_in_decimals_reads_the_same_and_in_the_same_units(
    model: MatrixModel, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write_mps(model, tmp_path_factory.getbasetemp() / "decimals.mps")
    back = read_mps(path)
    assert digest(back) == digest(model)
    assert back.objective_scale == model.objective_scale
    assert back.column_scale.tolist() == model.column_scale.tolist()
    rows = range(model.linear.n_rows)
    assert [back.row_scale[row] for row in rows] == [model.row_scale[row] for row in rows]


def test_row_without_finite_decimals_is_written_whole(tmp_path: Path) -> None:
    model = model_from_arrays(
        cost=[1, 0.5], upper=5, indptr=[0, 2, 4], indices=[0, 1, 0, 1],
        data=["1/3", 2, 0.25, 1], row_upper=["7/3", 1.5],
    )  # fmt: skip
    path = write_mps(model, tmp_path / "thirds.mps")
    assert " c0 r0 1\n" in path.read_text(encoding="utf-8")
    assert " c0 r1 0.25\n" in path.read_text(encoding="utf-8")
    assert digest(read_mps(path)) == digest(model)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cost": ["1/3", 1]}, "cost[0]"),
        ({"lower": [0, "1/7"]}, "lower[1]"),
        ({"upper": [1, "8/7"]}, "upper[1]"),
        ({"offset": "1/3"}, "offset"),
        ({"offset": 10**2000}, "offset"),
    ],
)
def test_what_has_no_finite_decimals_is_refused(
    tmp_path: Path, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InputError, match="no finite decimals") as refusal:
        write_mps(model_from_arrays(**({"cost": [1, 1]} | changes)), tmp_path / "a.mps")
    assert refusal.value.field == field
    assert not (tmp_path / "a.mps").exists()


def named_model() -> LinearModel:
    model = LinearModel(minimise=False, offset=3)
    titles = ["edge 17", "edge_17", "RHS", "*", "café", ""]
    x = model.add_variables(
        6, lower=-1, upper=2, cost=[3, 1, 4, 1, 5, 9], integer=True, name="x",
        words=titles.__getitem__,
    )  # fmt: skip
    model.add_rows(x, lower=-2, upper=4, name="room", words=lambda: "obj")
    model.add_rows(x[:2].reshape(1, 2), name="free", words=lambda _: "BND")
    return model


def test_domain_words_become_safe_and_distinct_names(tmp_path: Path) -> None:
    text = write_mps(named_model(), tmp_path / "a.mps", words=True).read_text(encoding="ascii")
    back = read_mps(tmp_path / "a.mps")
    assert list(back.column_names) == ["edge_17", "edge_17_2", "RHS_", "_*", "caf_", "_"]
    assert list(back.row_names) == ["obj", "BND_"]
    assert " N obj_2\n" in text
    labels = read_mps(write_mps(named_model(), tmp_path / "b.mps"))
    assert list(labels.column_names)[:2] == ["x[0]", "x[1]"]
    assert list(labels.row_names) == ["room", "free[0]"]


def test_both_bounds_of_every_column_are_written(tmp_path: Path) -> None:
    text = write_mps(named_model(), tmp_path / "a.mps").read_text(encoding="ascii")
    for column in range(6):
        assert f" LO BND x[{column}] -1\n" in text
        assert f" UP BND x[{column}] 2\n" in text


@pytest.mark.parametrize("words", [False, True])
def test_highs_reads_what_was_written(tmp_path: Path, words: bool) -> None:
    model = named_model()
    path = write_mps(model, tmp_path / "a.mps", words=words)
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    assert highs.readModel(str(path)) == highspy.HighsStatus.kOk
    lp = highs.getLp()
    assert (lp.num_col_, lp.num_row_, lp.offset_) == (6, 2, 3)
    assert list(lp.row_lower_) == [-2, -INF]
    assert list(lp.row_upper_) == [4, INF]
    assert list(lp.col_lower_) == [-1] * 6
    highs.run()
    assert highs.getInfo().objective_function_value == pytest.approx(
        HighsEngine().solve(model).objective
    )


@given(model=linear_models())
def test_highs_reads_every_model_and_we_read_what_it_writes(
    model: LinearModel, tmp_path_factory: pytest.TempPathFactory
) -> None:
    arrays = model.arrays()
    if not model.n_variables or abs(arrays.offset) >= 2**53:
        return
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    path = write_mps(model, tmp_path_factory.getbasetemp() / "highs.mps")
    assert highs.readModel(str(path)) == highspy.HighsStatus.kOk
    lp = highs.getLp()
    assert list(lp.col_cost_) == arrays.cost.tolist()
    assert list(lp.col_lower_) == arrays.lower.tolist()
    assert list(lp.col_upper_) == arrays.upper.tolist()
    assert list(lp.row_lower_) == arrays.row_lower.tolist()
    assert list(lp.row_upper_) == pytest.approx(arrays.row_upper.tolist(), rel=1e-15)
    assert lp.offset_ == arrays.offset
    # HiGHS writes 15 digits, leaves out free rows, and mixes up the kinds of columns without cost.
    finite = [vector[np.isfinite(vector)] for vector in (arrays.lower, arrays.upper)]
    large = max(np.max(np.abs(part), initial=0) for part in (*finite, arrays.cost, arrays.data))
    free = np.isinf(arrays.row_lower) & np.isinf(arrays.row_upper)
    rows = np.concatenate([arrays.row_lower, arrays.row_upper])
    large = max(large, np.max(np.abs(rows[np.isfinite(rows)]), initial=0))
    if large >= 1e14 or free.any() or not arrays.cost.all() or not arrays.minimise:
        return
    written = load(arrays, offset=float(arrays.offset))
    assert written.writeModel(str(path)) != highspy.HighsStatus.kError
    back = read_mps(path).linear.arrays()
    for field in ("cost", "lower", "upper", "indptr", "indices", "data", "row_lower", "row_upper"):
        assert getattr(back, field).tolist() == getattr(arrays, field).tolist(), field
    is_integer = arrays.kind == ColumnKind.INTEGER
    assert ((back.kind == ColumnKind.INTEGER) == is_integer).all()


def test_compressed_writing_and_missing_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="plain"):
        write_mps(named_model(), tmp_path / "a.mps.gz")
    with pytest.raises(InputError, match="no folder"):
        write_mps(named_model(), tmp_path / "absent" / "a.mps")


@pytest.mark.reference
def test_reference_models_are_the_same_in_both_formats(reference_data: Path) -> None:
    from leotrek_opt.instances.matrix_json import read_matrix_json

    folder = reference_data / "solvers"
    for document in sorted((folder / "instances").glob("*.json")):
        from_json = read_matrix_json(document)
        from_mps = read_mps(folder / "mps" / f"{document.stem}.mps")
        assert digest(from_json) == digest(from_mps), document.stem
        assert from_mps.linear.offset == from_json.linear.offset
