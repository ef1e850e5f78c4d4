"""Models made of some rows of another."""

from __future__ import annotations

import numpy as np

from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.linear_rows import feasibility_model, with_rows


def test_rows_come_in_the_order_asked_for() -> None:
    model = LinearModel()
    x = model.add_variables(3, lower=0, upper=5, cost=[1, 2, 3], integer=True, name="x")
    model.add_rows(
        [x[0], x[1], x[2], x[0]],
        [1, 2, 3, 4],
        lengths=[2, 0, 1, 1],
        lower=[1, -9, 2, 3],
        upper=[7, 9, 8, 6],
        name="row",
    )
    part = with_rows(model.arrays(), np.array([3, 1, 0]))
    assert part.indptr.tolist() == [0, 1, 1, 3]
    assert part.indices.tolist() == [0, 0, 1]
    assert part.data.tolist() == [4, 1, 2]
    assert part.row_lower.tolist() == [3, -9, 1]
    assert part.row_upper.tolist() == [6, 9, 7]
    free = feasibility_model(part)
    assert not free.arrays().cost.any()
    assert free.arrays().kind.tolist() == model.arrays().kind.tolist()
    assert (free.n_rows, free.n_nonzeros) == (3, 3)


def test_no_rows_leave_the_columns() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=1, name="x")
    model.add_rows([x], upper=1, name="row")
    part = feasibility_model(with_rows(model.arrays(), np.zeros(0, dtype=np.int64)))
    assert (part.n_variables, part.n_rows) == (2, 0)
