"""Explanations of infeasible linear models: irreducible, least, and confirmed."""

from __future__ import annotations

import json
import math
import threading
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from leotrek_opt.errors import InputError
from leotrek_opt.solvers.engines import engine_named
from leotrek_opt.solvers.explain.linear import explain_model
from leotrek_opt.solvers.explain.model_explanation import ModelExplanation
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.linear_rows import feasibility_model, with_rows
from leotrek_opt.solvers.matrix import model_from_arrays
from leotrek_opt.solvers.status import Status

INFEASIBLE = (
    "place-tiny-lpinf",
    "place-latlimit-inf",
    "mckp-ms-inf",
    "place-tiny-intinf",
    "genint-parity-inf",
)


def read_instance(folder: Path, name: str) -> LinearModel:
    text = (folder / "solvers" / "instances" / f"{name}.json").read_text(encoding="utf-8")
    data = json.loads(text)
    columns, rows, matrix = data["columns"], data["rows"], data["matrix"]
    model = LinearModel()
    model.add_variables(
        len(columns["names"]),
        lower=columns["lower"],
        upper=columns["upper"],
        integer=np.array(columns["integer"], dtype=bool),
        name="x",
    )
    model.add_rows(
        matrix["indices"],
        matrix["data"],
        indptr=matrix["indptr"],
        lower=[-np.inf if bound is None else bound for bound in rows["lower"]],
        upper=[np.inf if bound is None else bound for bound in rows["upper"]],
        name="row",
        words=lambda row: str(rows["names"][row]),
    )
    return model


def is_feasible(model: LinearModel, rows: list[int], engine: str = "highs") -> bool:
    part = feasibility_model(with_rows(model.arrays(), np.array(sorted(rows), dtype=np.int64)))
    result = engine_named(engine).solve(part)
    assert result.status in {Status.OPTIMAL, Status.INFEASIBLE}
    return result.status is Status.OPTIMAL


def assert_is_irreducible(
    model: LinearModel, explanation: ModelExplanation, engine: str = "highs"
) -> None:
    rows = [row for group in explanation.groups for row in group.rows]
    assert explanation.is_irreducible
    assert not is_feasible(model, rows, engine)
    for group in explanation.groups:
        assert is_feasible(model, [row for row in rows if row not in group.rows], engine)


def relaxed(model: LinearModel, explanation: ModelExplanation, number: int) -> LinearModel:
    arrays = model.arrays()
    lower, upper = arrays.row_lower.copy(), arrays.row_upper.copy()
    for change in explanation.relaxations[number].rows:
        side = lower if change.side == "lower" else upper
        assert side[change.row] == change.before
        side[change.row] = change.after
    changed = LinearModel()
    changed.add_variables(
        arrays.cost.size,
        lower=arrays.lower,
        upper=arrays.upper,
        integer=arrays.kind == 1,
        name="x",
    )
    changed.add_rows(
        arrays.indices, arrays.data, indptr=arrays.indptr, lower=lower, upper=upper, name="row"
    )
    return changed


def random_model(seed: int) -> tuple[LinearModel, np.ndarray, np.ndarray, np.ndarray]:
    """Return a model of three integer columns in [0, 3], its matrix and sides."""
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-3, 4, (6, 3))
    lower = rng.integers(-6, 7, 6)
    upper = lower + rng.integers(0, 4, 6)
    model = LinearModel()
    x = model.add_variables(3, lower=0, upper=3, integer=True, name="x")
    model.add_rows(np.tile(x, (6, 1)), matrix, lower=lower, upper=upper, name="row")
    return model, matrix, lower, upper


@pytest.mark.parametrize("seed", range(15))
def test_random_models_agree_with_enumeration(seed: int) -> None:
    model, matrix, lower, upper = random_model(seed)
    points = np.array(list(product(range(4), repeat=3)))
    activity = points @ matrix.T
    missing = np.maximum(0, np.maximum(lower - activity, activity - upper))
    broken = (missing > 0).sum(axis=1)
    explanation = explain_model(model, confirm=False)
    if (broken == 0).any():
        assert explanation.status is Status.FEASIBLE
        return
    assert explanation.status is Status.INFEASIBLE
    rows = [group.rows[0] for group in explanation.groups]
    assert (missing[:, rows] > 0).any(axis=1).all()
    for row in rows:
        others = [other for other in rows if other != row]
        assert (missing[:, others] == 0).all(axis=1).any()
    best = explanation.relaxations[0]
    assert explanation.is_fewest
    assert len({change.row for change in best.rows}) == broken.min()
    if broken.min() > 1:
        assert best.amount == missing[broken == broken.min()].sum(axis=1).min()
    for number in range(len(explanation.relaxations)):
        assert engine_named("highs").solve(relaxed(model, explanation, number)).values is not None


@pytest.mark.reference
@pytest.mark.parametrize("name", INFEASIBLE)
def test_reference_models_are_explained_by_irreducible_rows(
    name: str, reference_data: Path
) -> None:
    model = read_instance(reference_data, name)
    explanation = explain_model(model)
    assert_is_irreducible(model, explanation)
    assert explanation.confirmed_by
    assert explanation.needed_confirmed_by
    assert explanation.is_fewest
    changed = relaxed(model, explanation, 0)
    assert engine_named("highs").solve(changed).status is Status.OPTIMAL


@pytest.mark.reference
def test_reference_models_need_few_rows(reference_data: Path) -> None:
    sizes = {
        name: len(explain_model(read_instance(reference_data, name), confirm=False).groups)
        for name in INFEASIBLE
        if name != "place-latlimit-inf"
    }
    assert sizes == {
        "place-tiny-lpinf": 5,
        "mckp-ms-inf": 12,
        "place-tiny-intinf": 5,
        "genint-parity-inf": 1,
    }


def parity() -> LinearModel:
    """Infeasible only because columns are integers: 2x + 4y = 5; two more rows are harmless."""
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=9, integer=True, name="x")
    model.add_rows([x], [[2, 4]], lower=5, upper=5, name="balance")
    model.add_rows([x, x], [[1, 1], [1, -1]], upper=8, name="loose")
    return model


@pytest.mark.parametrize("engine", ["highs", "cpsat", "scip"])
def test_infeasibility_by_integrality_alone_is_explained(engine: str) -> None:
    explanation = explain_model(parity(), engine=engine)
    assert [group.name for group in explanation.groups] == ["balance"] or [
        group.name for group in explanation.groups
    ] == ["balance[0]"]
    assert explanation.is_smallest
    assert engine not in explanation.confirmed_by
    assert explanation.confirmed_by
    assert {r.amount for r in explanation.relaxations} == {1}


def test_conflict_of_the_relaxation_is_proven_in_exact_arithmetic() -> None:
    model = LinearModel()
    x = model.add_variables(3, lower=0, upper=1, name="x")
    model.add_rows([x], lower=2, name="two")
    model.add_rows([x[:2]], upper=0, name="none")
    model.add_rows([x[1:]], upper=2, name="loose")
    explanation = explain_model(model)
    assert [group.name for group in explanation.groups] == ["two[0]", "none[0]"]
    assert "farkas" in explanation.confirmed_by


def test_groups_are_kept_or_given_up_together() -> None:
    model = parity()
    x = np.arange(2)
    low = int(model.add_rows([x], [[1, 1]], lower=6, upper=6, name="many").reshape(-1)[0])
    groups = {"balance": [0], "sums": [1, low], "differences": [2]}
    explanation = explain_model(model, groups)
    assert [group.name for group in explanation.groups] == ["balance"]
    given = explain_model(model, {"sums": [1, low]})
    assert given.status is Status.INFEASIBLE
    assert given.groups == ()
    assert given.sentences() == ("the model is infeasible whatever rows are given up",)


def test_row_in_two_groups_holds_as_long_as_one_of_them_is_kept() -> None:
    model = parity()
    explanation = explain_model(model, {"one": [0, 1], "other": [0, 2]})
    assert len(explanation.groups) == 1


@pytest.mark.parametrize(
    ("groups", "field"), [({"none": []}, "groups.none"), ({"far": [7]}, "groups.far")]
)
def test_bad_groups_are_refused(groups: dict[str, list[int]], field: str) -> None:
    with pytest.raises(InputError) as refusal:
        explain_model(parity(), groups)
    assert refusal.value.field == field


def test_feasible_model_is_called_feasible() -> None:
    model = LinearModel()
    model.add_rows([model.add_variables(2, lower=0, upper=1, name="x")], lower=1, name="row")
    explanation = explain_model(model)
    assert explanation.status is Status.FEASIBLE
    assert explanation.sentences() == ("there is nothing to explain: the model is feasible",)


def test_relaxations_are_worded_in_the_units_of_the_author() -> None:
    given = model_from_arrays(
        cost=[0, 0],
        matrix=np.array([[0.5, 0.25], [0.5, 0.25]]),
        row_lower=[1.75, -math.inf],
        row_upper=[math.inf, 1.5],
        lower=0,
        upper=4,
        integer=True,
    )
    explanation = explain_model(given)
    amounts = {relaxation.words for relaxation in explanation.relaxations}
    assert amounts == {
        f"lower the lower side of {given.row_names[0]} by 0.25 to 1.5",
        f"raise the upper side of {given.row_names[1]} by 0.25 to 1.75",
    }


def test_cancelling_before_the_start_leaves_the_question_open() -> None:
    cancel = threading.Event()
    cancel.set()
    explanation = explain_model(parity(), cancel=cancel)
    assert explanation.status is Status.INTERRUPTED
    assert "not found out" in explanation.sentences()[0]


def test_no_time_leaves_the_question_open() -> None:
    assert explain_model(parity(), time_limit_s=0.0).status is Status.NO_SOLUTION


def test_explanation_is_a_document() -> None:
    explanation = explain_model(parity())
    assert ModelExplanation.model_validate_json(explanation.model_dump_json()) == explanation
