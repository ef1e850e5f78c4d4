"""Rows that HiGHS finds infeasible, and the proof of it."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from leotrek_opt.solvers.engines.highs import HighsEngine
from leotrek_opt.solvers.engines.highs_iis import infeasible_rows, proof_margin
from leotrek_opt.solvers.engines.protocol import Limits
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.linear_rows import feasibility_model, with_rows
from leotrek_opt.solvers.status import Status


def model_of(
    matrix: np.ndarray, lower: np.ndarray, upper: np.ndarray, *, integer: bool = False
) -> LinearModel:
    model = LinearModel(minimise=False)
    x = model.add_variables(matrix.shape[1], lower=0, upper=3, cost=5, integer=integer, name="x")
    model.add_rows(np.tile(x, (len(matrix), 1)), matrix, lower=lower, upper=upper, name="row")
    return model


@pytest.mark.parametrize("seed", range(20))
def test_rows_are_infeasible_and_each_is_needed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-4, 5, (8, 4))
    lower = rng.integers(-4, 9, 8)
    model = model_of(matrix, lower, lower + rng.integers(0, 6, 8), integer=bool(seed % 2))
    found = infeasible_rows(model)
    whole = HighsEngine().solve_lp(model)
    assert (found.status is Status.INFEASIBLE) == (whole.status is Status.INFEASIBLE)
    if found.status is Status.FEASIBLE:
        assert found.rows == ()
        return
    assert found.margin > 0
    for row in (None, *found.rows):
        rows = np.array([each for each in found.rows if each != row], dtype=np.int64)
        part = feasibility_model(with_rows(model.arrays(), rows))
        status = HighsEngine().solve_lp(part).status
        assert status is (Status.INFEASIBLE if row is None else Status.OPTIMAL)


def test_infeasibility_by_integrality_is_not_seen() -> None:
    model = model_of(np.array([[2, 4]]), np.array([5]), np.array([5]), integer=True)
    assert infeasible_rows(model).status is Status.FEASIBLE


def test_feasible_rows_have_no_proof() -> None:
    model = model_of(np.array([[2, 4]]), np.array([5]), np.array([5]))
    assert proof_margin(model.arrays()) == 0


def test_row_without_entries_is_found() -> None:
    model = LinearModel()
    model.add_variables(1, lower=0, upper=1, name="x")
    model.add_rows([], lengths=[0], lower=1, upper=1, name="impossible")
    found = infeasible_rows(model)
    assert found.status is Status.INFEASIBLE
    assert found.rows == (0,)


def test_no_time_leaves_the_question_open() -> None:
    model = model_of(np.array([[1, 1]]), np.array([9]), np.array([9]))
    assert infeasible_rows(model, Limits(time_limit_s=0)).status is Status.NO_SOLUTION


def test_cancelling_leaves_the_question_open() -> None:
    cancel = threading.Event()
    cancel.set()
    model = model_of(np.array([[1, 1]]), np.array([9]), np.array([9]))
    assert infeasible_rows(model, cancel=cancel).status is Status.NO_SOLUTION


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    infeasible_rows(model_of(np.array([[1, 1]]), np.array([9]), np.array([9])))
    assert capfd.readouterr() == ("", "")
