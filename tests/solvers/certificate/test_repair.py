"""Repairing multipliers: each remedy where it applies, and none where nothing helps."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from leotrek_opt.solvers.certificate.linear import best_evidence, rounded
from leotrek_opt.solvers.certificate.minorant import ExactRelaxation
from leotrek_opt.solvers.certificate.repair import repairs
from leotrek_opt.solvers.linear import LinearModel


def repaired_values(model: LinearModel, duals: list[float], power: int) -> list[Fraction | None]:
    """Return the bound of each remedy, None where it fails."""
    relaxation = ExactRelaxation(model.arrays())
    box = relaxation.box()
    multipliers = rounded(model.arrays(), np.array(duals), power)
    minorant = relaxation.minorant(multipliers)
    assert minorant.least(box) is None
    found: list[Fraction | None] = []
    for repaired in repairs(relaxation, multipliers, minorant, box):
        least = relaxation.minorant(repaired).least(box)
        found.append(None if least is None else Fraction(least, repaired.denominator))
    return found


def covering(costs: list[int]) -> LinearModel:
    """Rows x >= 6 and x + z >= 10 over columns without an upper bound."""
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=math.inf, cost=costs, name="x")
    model.add_rows([x[0], *x], [1, 1, 1], lengths=[1, 2], lower=[6, 10], name="r")
    return model


def test_shrinking_and_shifting_both_mend_an_excess() -> None:
    """Duals (1, 2.25) are 1/4 too much for both columns: (3/4, 2) gives 24.5."""
    shrunk, shifted = repaired_values(covering([3, 2]), [1.0, 2.25], 4)
    assert shrunk is not None
    assert shifted == Fraction(49, 2)
    # The column of cost 2 decides: all duals times 8/9, (6 + 22.5) 8/9 = 76/3.
    assert 0 <= Fraction(76, 3) - shrunk < Fraction(1, 10**9)


def test_shrinking_does_not_apply_to_a_column_without_costs() -> None:
    """Either row gives way for the first column, the second one for the other: 2.75 * 6."""
    assert repaired_values(covering([3, 0]), [3.0, 0.25], 4) == [Fraction(33, 2)]


def test_chain_of_free_columns_is_mended_one_after_the_other() -> None:
    """Maximise p_3 - p_0 along three differences of at most 5: all multipliers must be 1."""
    model = LinearModel(minimise=False)
    p = model.add_variables(4, lower=-math.inf, upper=math.inf, cost=[-1, 0, 0, 1], name="p")
    model.add_rows(np.stack([p[1:], p[:-1]], axis=1), [1, -1], upper=5, name="r")
    assert -15 in repaired_values(model, [-1.0, -1.125, -0.875], 4)


def test_column_in_no_row_cannot_be_mended() -> None:
    model = LinearModel()
    model.add_variables((), lower=-math.inf, upper=0, cost=1, name="x")
    relaxation = ExactRelaxation(model.arrays())
    assert best_evidence(relaxation, np.zeros(0), relaxation.box()) is None
