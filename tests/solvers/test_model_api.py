"""Linear models as a problem of their own: results, proof, verification, refusals."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from tests.solvers.engines.small_models import (
    knapsack,
    market_split,
    random_mixed_model,
    random_model,
)

from leotrek_opt.errors import InputError, MissingDependencyError, UnsupportedError
from leotrek_opt.instances.documents import dumps, loads
from leotrek_opt.models.certificate import EmptyLeaf
from leotrek_opt.solvers import model_api, model_proof
from leotrek_opt.solvers.engines import MIP_ENGINES, engine_named
from leotrek_opt.solvers.engines.highs import HighsEngine
from leotrek_opt.solvers.engines.protocol import EngineResult
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.matrix import MatrixModel, model_from_arrays
from leotrek_opt.solvers.model_api import ModelProgress, solve_model
from leotrek_opt.solvers.model_check import verify_model
from leotrek_opt.solvers.model_result import ModelResult
from leotrek_opt.solvers.status import Proof, Status


def rented_hours() -> MatrixModel:
    """Most work for 2.5 euros: hours at 0.25 give 3, hours at 0.4 give 4.5, at most 5 of the first.

    Five of the first and three of the second would cost 2.45 and give 28.5; nothing gives more.
    """
    return model_from_arrays(
        cost=[3, 4.5],
        upper=[5, 10],
        integer=True,
        indptr=[0, 2],
        indices=[0, 1],
        data=[0.25, 0.4],
        row_upper=[2.5],
        minimise=False,
        column_names=["small", "large"],
        row_names=["budget"],
    )


@pytest.mark.parametrize("engine", MIP_ENGINES)
def test_decimal_model_is_answered_in_its_own_units(engine: str) -> None:
    result = solve_model(rented_hours(), engine)
    assert result.status is Status.OPTIMAL
    assert result.objective == result.bound == 28.5
    assert result.exact_objective == result.exact_bound == "57/2"
    assert result.solution is not None
    assert result.solution.values == {"small": 5, "large": 3}
    assert result.proof is Proof.CLAIMED
    assert result.is_verified
    assert verify_model(rented_hours(), result).ok


@pytest.mark.parametrize("engine", MIP_ENGINES)
def test_claims_become_certified_and_are_verified_from_a_document(engine: str) -> None:
    result = solve_model(rented_hours(), engine, certify=True)
    assert result.proof is Proof.CERTIFIED
    read = loads(dumps(result))
    assert isinstance(read, ModelResult)
    assert read == result
    found = verify_model(rented_hours(), read)
    assert found.ok
    assert found.proof is Proof.CERTIFIED
    assert found.objective == found.bound == Fraction(57, 2)


@pytest.mark.parametrize("block", range(4))
def test_random_models_are_certified(block: int) -> None:
    for seed in range(25):
        model, optimum = random_model(np.random.default_rng([500 + block, seed]))
        result = solve_model(model, certify=True)
        assert result.proof is Proof.CERTIFIED
        assert result.status is (Status.INFEASIBLE if optimum is None else Status.OPTIMAL)
        assert result.objective == optimum
        found = verify_model(model, result)
        assert found.ok
        assert found.proof is Proof.CERTIFIED


def test_mixed_models_are_certified_to_a_tolerance() -> None:
    certified = 0
    for seed in range(40):
        oracle = random_mixed_model(np.random.default_rng([600, seed]))
        result = solve_model(oracle.model, certify=True)
        assert result.status is (Status.INFEASIBLE if oracle.optimum is None else Status.OPTIMAL)
        assert verify_model(oracle.model, result).ok
        if oracle.optimum is not None and result.proof is Proof.CERTIFIED:
            assert result.bound is not None
            assert result.bound <= oracle.optimum
        certified += result.proof is Proof.CERTIFIED
    assert certified >= 36


def test_second_engine_confirms_where_nothing_certifies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_proof, "MAX_PROOF_NONZEROS", 0)
    result = solve_model(knapsack(3, 3, 15), certify=True)
    assert result.proof is Proof.CONFIRMED
    assert result.explanation == ("cpsat agrees",)
    found = verify_model(knapsack(3, 3, 15), result)
    assert found.ok
    assert found.proof is Proof.CLAIMED


class Liar(HighsEngine):
    """An engine of its own family that changes what HiGHS says."""

    name = "liar"
    family = "liar"
    change: dict[str, Any] = {}  # noqa: RUF012 set by the test

    def solve(self, model: LinearModel, *arguments: Any, **keywords: Any) -> EngineResult:
        return replace(super().solve(model, *arguments, **keywords), **self.change)


def lie(monkeypatch: pytest.MonkeyPatch, **change: Any) -> None:
    honest = model_api.engine_named
    monkeypatch.setattr(Liar, "change", change)
    monkeypatch.setattr(
        model_api, "engine_named", lambda name: Liar() if name == "liar" else honest(name)
    )


@pytest.mark.parametrize("nonzeros", [0, 1000])
def test_false_optimum_is_an_error_that_shows_both_values(
    monkeypatch: pytest.MonkeyPatch, nonzeros: int
) -> None:
    monkeypatch.setattr(model_proof, "MAX_PROOF_NONZEROS", nonzeros)
    model = rented_hours()
    scale = model.objective_scale
    lie(monkeypatch, values=np.array([5.0, 2.0]), objective=24 * scale, bound=24 * scale)
    assert solve_model(model, "liar").status is Status.OPTIMAL
    result = solve_model(model, "liar", certify=True)
    assert result.status is Status.ERROR
    assert result.proof is Proof.NONE
    assert str(24 * scale) in result.explanation[0]
    assert str(57 * scale // 2) in result.explanation[0]
    assert not verify_model(model, result).ok


@pytest.mark.parametrize("nonzeros", [0, 1000])
def test_false_infeasibility_is_an_error(monkeypatch: pytest.MonkeyPatch, nonzeros: int) -> None:
    monkeypatch.setattr(model_proof, "MAX_PROOF_NONZEROS", nonzeros)
    lie(monkeypatch, status=Status.INFEASIBLE, values=None, objective=None, bound=None)
    result = solve_model(rented_hours(), "liar", certify=True)
    assert result.status is Status.ERROR
    assert "infeasible" in result.explanation[0]


def test_solution_that_breaks_a_row_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    model = rented_hours()
    lie(monkeypatch, values=np.array([5.0, 4.0]), objective=33 * model.objective_scale)
    result = solve_model(model, "liar")
    assert result.status is Status.ERROR
    assert result.violations
    assert not result.is_verified


def test_tampered_results_fail_verification() -> None:
    model = model_from_arrays(cost=[-3, -2], upper=[4, 9], integer=True)
    result = solve_model(model, certify=True)
    assert result.objective == -30
    assert result.solution is not None
    assert verify_model(model, result).ok
    solution, certificate = result.solution, result.certificate
    assert certificate is not None
    changes: list[dict[str, Any]] = [
        {"objective": -31.0},
        {"exact_objective": "-31"},
        {"bound": -29.0, "exact_bound": "-29"},
        {"bound": -31.0, "exact_bound": "-31"},
        {"certificate": None},
        {"certificate": certificate.replace(multipliers=(), nodes=(EmptyLeaf(column=0),))},
        {"solution": None},
        {"solution": solution.replace(values={"c0": 4, "c1": 10})},
        {"solution": solution.replace(values={"c0": 3, "c1": 9})},
        {"status": Status.INFEASIBLE},
        {"status": Status.ERROR},
    ]
    for change in changes:
        assert not verify_model(model, result.replace(**change)).ok, change


def test_result_of_another_model_is_refused() -> None:
    result = solve_model(rented_hours())
    with pytest.raises(InputError, match="belongs to the model"):
        verify_model(knapsack(1, 1, 5), result)


def test_unknown_column_is_named() -> None:
    result = solve_model(rented_hours())
    assert result.solution is not None
    solution = result.solution.replace(values={"smal": 5})
    with pytest.raises(InputError, match=r'no column "smal".*did you mean "small"'):
        verify_model(rented_hours(), result.replace(solution=solution))


def test_start_limits_and_progress_are_in_the_models_own_units() -> None:
    events: list[ModelProgress] = []
    result = solve_model(
        rented_hours(), warm_start=[5, 3], time_limit_s=0.0, on_progress=events.append
    )
    assert result.status is Status.FEASIBLE
    assert result.objective == 28.5
    solve_model(knapsack(3, 3, 20), on_progress=events.append)
    assert any(event.objective is not None for event in events)
    with pytest.raises(InputError, match="warm_start"):
        solve_model(rented_hours(), warm_start=[5, 4])


def test_relaxation_is_for_pdlp_and_bounds_are_exact() -> None:
    model = rented_hours()
    with pytest.raises(UnsupportedError, match="integer"):
        solve_model(model, "pdlp")
    relaxed = solve_model(model.relaxed(), "pdlp")
    assert relaxed.objective == pytest.approx(29.0625, rel=1e-6)
    assert relaxed.bound is not None
    assert relaxed.bound >= 28.5
    assert relaxed.proof in (Proof.CLAIMED, Proof.CERTIFIED)


def test_memory_limit_is_kept_by_a_process_of_its_own() -> None:
    result = solve_model(market_split(1), memory_limit_mib=25, time_limit_s=60.0)
    assert result.termination == "memory_limit"
    assert result.status in (Status.NO_SOLUTION, Status.FEASIBLE)


def test_infeasible_model_says_which_rows_are_in_conflict() -> None:
    model = model_from_arrays(
        cost=[1, 1],
        upper=9,
        integer=True,
        matrix=np.array([[1, 1], [2, 1], [1, 0]]),
        row_lower=[7, -np.inf, -np.inf],
        row_upper=[np.inf, 5, 3],
        row_names=["demand", "capacity", "spare"],
    )
    result = solve_model(model)
    assert result.status is Status.INFEASIBLE
    assert "- demand" in result.explanation
    assert "- capacity" in result.explanation
    assert "- spare" not in result.explanation
    assert any("demand by 2 to 5" in line for line in result.explanation)


def test_proof_takes_no_point_that_a_large_coefficient_would_excuse() -> None:
    model = LinearModel(minimise=False)
    x = model.add_variables((), lower=0, upper=1, cost=-1000, integer=True, name="x")
    y = model.add_variables(3, lower=0, upper=1, cost=10, name="y")
    model.add_rows([[*y.tolist(), int(x)]], [[1, 1, 1, -(10**7)]], upper=0, name="switched")
    model.add_rows(y, [2, 3, 5], upper=9, name="shared")
    result = solve_model(model, certify=True)
    assert (result.status, result.proof) == (Status.OPTIMAL, Proof.CERTIFIED)
    assert result.objective == 0


def test_proof_may_meet_a_better_point_with_fractions(monkeypatch: pytest.MonkeyPatch) -> None:
    lie(monkeypatch, status=Status.INFEASIBLE, values=None, objective=None, bound=None)
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=5, cost=3, name="x")
    model.add_rows(x, [2, 2], lower=5, name="half")
    model.add_variables((), lower=0, upper=1, cost=1, integer=True, name="z")
    result = solve_model(model, "liar", certify=True)
    assert result.status is Status.ERROR
    assert "7.5 is feasible" in " ".join(result.explanation)


def test_infeasible_row_with_a_column_without_a_bound_is_an_answer() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=[-np.inf, 0], upper=[np.inf, 1], name="x")
    model.add_rows([x], [[1, 1]], lower=3, name="free")
    model.add_rows(x[1:], lower=2, name="too_much")
    assert solve_model(model).status is Status.INFEASIBLE


def cheap_pair() -> MatrixModel:
    """Return a model whose objective counts in billionths."""
    return model_from_arrays(
        cost=["1e-9", "3e-9"], upper=10, integer=True, matrix=np.array([[1, 1]]), row_lower=1
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": Status.INFEASIBLE}, "says infeasible, but its solution keeps"),
        ({"bound": 1.0}, "the bound is 1.0, or exactly 1/1000000000"),
        (
            {"status": Status.FEASIBLE, "bound": 2e-9, "exact_bound": "1/500000000"},
            "refuted by the result's own solution",
        ),
        ({"bound": 0.0, "exact_bound": "0"}, "its bound does not meet the objective"),
        ({"bound": 0.0, "exact_bound": None}, "its bound does not meet the objective"),
        ({"exact_bound": "9" * 400}, "or exactly 999"),
    ],
)
def test_result_that_contradicts_itself_is_not_verified(
    change: dict[str, Any], message: str
) -> None:
    result = solve_model(cheap_pair())
    assert verify_model(cheap_pair(), result).ok
    found = verify_model(cheap_pair(), result.replace(**change))
    assert not found.ok
    assert message in " ".join(found.messages)


def test_fraction_of_an_integer_column_is_seen_beside_large_coefficients() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=9, cost=1, integer=True, name="x")
    model.add_rows(x, [2_000_000, 1], lower=1, name="large")
    result = solve_model(model)
    assert result.solution is not None
    halves = {"x[0]": 0.5, "x[1]": 0.5}
    found = verify_model(model, result.replace(solution=result.solution.replace(values=halves)))
    assert found.violations[0] == "x[0] = 0.5 is not an integer"


@pytest.mark.parametrize("text", ["1/0", "3/00", "9" * 5_000])
def test_exact_numbers_that_python_cannot_read_are_refused(text: str) -> None:
    document = dumps(solve_model(cheap_pair()))
    with pytest.raises(InputError):
        loads(document.replace('"1/1000000000"', f'"{text}"'))


def mixed() -> LinearModel:
    """Return a model that CP-SAT does not take."""
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=10, cost=[3, 5], integer=[True, False], name="x")
    model.add_rows(x, [4, 6], lower=15, name="demand")
    return model


def test_second_engine_may_have_one_thread_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_proof, "MAX_PROOF_NONZEROS", 0)
    result = solve_model(mixed(), threads=4, certify=True)
    assert result.proof is Proof.CONFIRMED
    assert result.explanation == ("scip agrees",)


def test_second_engine_that_is_not_installed_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def named(name: str) -> Any:
        if name in ("cpsat", "scip"):
            raise MissingDependencyError(f"{name} is not installed")
        return engine_named(name)

    monkeypatch.setattr(model_proof, "MAX_PROOF_NONZEROS", 0)
    monkeypatch.setattr(model_proof, "engine_named", named)
    result = solve_model(mixed(), certify=True)
    assert (result.status, result.proof) == (Status.OPTIMAL, Proof.CLAIMED)
    assert "scip is not installed" in result.explanation


def test_verify_says_what_the_certificate_carries_whatever_the_result_says() -> None:
    result = solve_model(cheap_pair(), certify=True)
    for proof in Proof:
        assert verify_model(cheap_pair(), result.replace(proof=proof)).proof is Proof.CERTIFIED
    no_better = {"bound": 2e-9, "exact_bound": "1/500000000", "proof": Proof.CONFIRMED}
    found = verify_model(cheap_pair(), result.replace(**no_better))
    assert (found.ok, found.proof) == (False, Proof.CLAIMED)


def test_certificate_of_infeasibility_does_not_make_a_model_unbounded() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=1, cost=1, integer=True, name="x")
    model.add_rows(x, lower=3, name="too_much")
    result = solve_model(model, certify=True)
    assert verify_model(model, result).proof is Proof.CERTIFIED
    assert not verify_model(model, result.replace(status=Status.UNBOUNDED)).ok


def test_unbounded_model_has_no_bound() -> None:
    model = LinearModel()
    model.add_variables((), lower=-np.inf, upper=0, cost=1, name="x")
    result = solve_model(model)
    assert result.status is Status.UNBOUNDED
    assert verify_model(model, result).ok
    assert not verify_model(model, result.replace(bound=0.0, exact_bound="0")).ok


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"model": None}, "model"),
        ({"model": LinearModel(offset=10**400)}, "offset"),
        ({"engine": 5}, "engine"),
        ({"options": 5}, "options"),
        ({"options": ["presolve"]}, "options"),
        ({"absolute_gap": True}, "absolute_gap"),
        ({"gap": "0.1"}, "relative_gap"),
        ({"threads": 1.5}, "threads"),
    ],
)
def test_bad_argument_is_an_input_error_that_names_it(arguments: Any, field: str) -> None:
    asked = {"model": knapsack(1, 1, 5)} | arguments
    with pytest.raises(InputError) as refusal:
        solve_model(asked.pop("model"), **asked)
    assert refusal.value.field == field


def test_second_engine_that_says_unbounded_is_a_disagreement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(model_proof, "MAX_PROOF_NONZEROS", 0)
    honest = model_proof.engine_named
    monkeypatch.setattr(Liar, "change", {"status": Status.UNBOUNDED, "bound": None})
    monkeypatch.setattr(
        model_proof, "engine_named", lambda name: Liar() if name == "cpsat" else honest(name)
    )
    result = solve_model(knapsack(3, 3, 15), certify=True)
    assert result.status is Status.ERROR
    assert "highs and liar disagree" in result.explanation[0]
