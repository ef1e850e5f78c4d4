"""Proofs by branch and bound: complete on small models, and worth something when cut short."""

from __future__ import annotations

import csv
import json
import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.solvers.certificate.samples import Sample, integer_sample, mixed_sample, wide_sample

from leotrek_opt.errors import InputError
from leotrek_opt.models.certificate import LinearCertificate, TightenNode
from leotrek_opt.solvers.certificate.branch import LinearVerdict, linear_bound
from leotrek_opt.solvers.certificate.linear import dual_bound
from leotrek_opt.solvers.engines.highs import HighsEngine
from leotrek_opt.solvers.engines.protocol import Termination
from leotrek_opt.solvers.exact.linear.prove import LinearProof, prove
from leotrek_opt.solvers.linear import LinearModel

TOLERANCE = Fraction(1, 10**6)


def checked(model: LinearModel, proof: LinearProof) -> LinearVerdict:
    """Check a certificate as somebody would who got it as text."""
    assert proof.certificate is not None
    read = LinearCertificate.model_validate_json(proof.certificate.model_dump_json())
    verdict = linear_bound(model.arrays(), read)
    assert verdict.confirms(read)
    assert verdict.infeasible == proof.infeasible
    if proof.bound is not None:
        assert verdict.bound is not None
        assert model.arrays().sign * (verdict.bound - proof.bound) >= 0
    return verdict


def assert_proven(sample: Sample, proof: LinearProof, *, exactly: bool) -> None:
    assert proof.termination is Termination.PROVEN
    verdict = checked(sample.model, proof)
    if sample.optimum is None:
        assert verdict.infeasible
        return
    assert verdict.bound is not None
    gap = sample.model.arrays().sign * (sample.optimum - verdict.bound)
    assert 0 <= gap <= (0 if exactly else TOLERANCE)


def market_split(n_rows: int) -> LinearModel:
    """Equal splits of several products at once: no tree of a bearable size proves anything."""
    rng = np.random.default_rng(0)
    n = 10 * (n_rows - 1)
    weight = rng.integers(0, 100, (n_rows, n))
    half = weight.sum(axis=1) // 2
    model = LinearModel()
    x = model.add_variables(n, lower=0, upper=1, integer=True, name="x")
    slack = model.add_variables((n_rows, 2), lower=0, upper=5000, cost=1, integer=True, name="s")
    columns = np.hstack([np.tile(x, (n_rows, 1)), slack])
    coefficients = np.hstack([weight, np.tile([1, -1], (n_rows, 1))])
    model.add_rows(columns, coefficients, lower=half, upper=half, name="split")
    return model


def assignment(seed: int) -> LinearModel:
    """Jobs on machines of tight capacity, dear where they are light: a tree of some size."""
    rng = np.random.default_rng(seed)
    weight = rng.integers(1, 101, (4, 9))
    cost = 111 - weight + rng.integers(-10, 11, weight.shape)
    model = LinearModel()
    x = model.add_variables(weight.shape, lower=0, upper=1, cost=cost, integer=True, name="x")
    model.add_rows(x.T, lower=1, upper=1, name="job")
    model.add_rows(x, weight, upper=weight.sum(axis=1) // 5, name="room")
    return model


# Against brute force


@pytest.mark.parametrize("block", range(8))
def test_integer_programs_are_proven(block: int) -> None:
    for seed in range(25 * block, 25 * block + 25):
        sample = integer_sample(np.random.default_rng(seed))
        assert_proven(sample, prove(sample.model, incumbent=sample.optimum), exactly=True)
        alone = prove(sample.model)
        assert_proven(sample, alone, exactly=True)
        if sample.optimum is not None:
            assert alone.objective == sample.optimum == alone.bound
            assert alone.values is not None
            assert sample.model.objective_of(alone.values) == sample.optimum
            assert not sample.model.violations_of(alone.values)


@pytest.mark.parametrize("block", range(8))
def test_mixed_programs_are_proven(block: int) -> None:
    for seed in range(25 * block, 25 * block + 25):
        sample = mixed_sample(np.random.default_rng(seed))
        assert_proven(sample, prove(sample.model, incumbent=sample.optimum), exactly=False)
        alone = prove(sample.model)
        assert_proven(sample, alone, exactly=False)
        if sample.optimum is not None:
            assert alone.objective is not None
            assert abs(alone.objective - sample.optimum) < 1e-6


@pytest.mark.parametrize("block", range(4))
def test_programs_with_numbers_of_all_sizes_are_proven_exactly(block: int) -> None:
    """Coefficients up to 2**47 and costs up to 2**51, beside 1."""
    for seed in range(25 * block, 25 * block + 25):
        sample = wide_sample(np.random.default_rng(seed))
        assert_proven(sample, prove(sample.model, incumbent=sample.optimum), exactly=True)
        assert_proven(sample, prove(sample.model), exactly=True)


@pytest.mark.slow
def test_many_programs_are_proven() -> None:
    for seed in range(1000, 4000):
        sample = (integer_sample, mixed_sample)[seed % 2](np.random.default_rng(seed))
        known = sample.optimum if seed % 3 else None
        assert_proven(sample, prove(sample.model, incumbent=known), exactly=seed % 2 == 0)


def test_wrong_incumbents_show_less_and_nothing_wrong() -> None:
    for seed in range(60):
        sample = integer_sample(np.random.default_rng(seed))
        if sample.optimum is None:
            # That nothing is better than what does not exist is true as well.
            verdict = checked(sample.model, prove(sample.model, incumbent=7))
            if verdict.bound is not None:
                assert sample.model.arrays().sign * (verdict.bound - 7) >= 0
            continue
        sign = sample.model.arrays().sign
        for off in (-5, 5):
            proof = prove(sample.model, incumbent=sample.optimum + sign * off)
            verdict = checked(sample.model, proof)
            assert verdict.bound is not None
            assert sign * (sample.optimum - verdict.bound) >= 0
            if off > 0:
                # A better solution is met on the way, and proven optimal.
                assert proof.objective == verdict.bound == sample.optimum


def test_infeasible_model_with_an_incumbent_is_not_called_feasible() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=1, cost=1, integer=True, name="x")
    model.add_rows(x, 2, lower=1, upper=1, name="r")
    proof = prove(model, incumbent=1)
    assert proof.values is None
    verdict = checked(model, proof)
    assert verdict.infeasible or verdict.bound == 1


# The tree


def test_tightening_carries_part_of_the_proof() -> None:
    """Without it, every value that it leaves out would take a branch and a leaf."""
    model = assignment(1)
    proof = prove(model, incumbent=HighsEngine().solve(model).objective)
    assert proof.certificate is not None
    checked(model, proof)
    others = [node for node in proof.certificate.nodes if not isinstance(node, TightenNode)]
    assert len(others) < len(proof.certificate.nodes)
    less = proof.certificate.replace(nodes=tuple(others))
    assert not linear_bound(model.arrays(), less).confirms(less)


def test_same_seed_gives_the_same_certificate() -> None:
    model = assignment(0)
    first, second = prove(model, seed=5), prove(model, seed=5)
    assert first.certificate == second.certificate
    assert first.nodes == second.nodes
    assert first.objective == second.objective


def test_single_node_is_a_dual_bound_or_a_ray() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=9, cost=[2, 3], name="x")
    model.add_rows(x, lower=4, name="r")
    proof = prove(model)
    assert proof.certificate is not None
    assert (proof.certificate.method, proof.bound, proof.nodes) == ("dual_bound", 8, 1)
    model.add_rows(x, upper=3, name="s")
    proof = prove(model)
    assert proof.certificate is not None
    assert (proof.certificate.method, proof.infeasible) == ("farkas", True)
    checked(model, proof)


def test_coarse_duals_make_short_vectors() -> None:
    """Duals 1 and 2 need no denominator, though they come as floats."""
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=9, cost=[3, 2], integer=True, name="x")
    model.add_rows([x[0], *x], [1, 1, 1], lengths=[1, 2], lower=[2, 6], name="r")
    proof = prove(model, incumbent=14)
    assert proof.certificate is not None
    assert [vector.denominator for vector in proof.certificate.multipliers] == [1]
    assert proof.bound == 14


# Corner cases


def test_models_without_rows_or_columns_are_settled() -> None:
    empty = LinearModel(offset=-3)
    assert prove(empty).bound == -3
    free = LinearModel(minimise=False, offset=1)
    free.add_variables(2, lower=-1, upper=4, cost=[2, -3], integer=True, name="x")
    assert prove(free).bound == 1 + 8 + 3
    checked(free, prove(free))


@pytest.mark.parametrize("columns", [0, 1])
def test_row_without_entries_that_nothing_keeps_is_infeasible(columns: int) -> None:
    """HiGHS has no ray for it."""
    model = LinearModel()
    model.add_variables(columns, lower=0, upper=1, cost=1, integer=True, name="x")
    model.add_rows_from_triplets([], [], shape=1, lower=2, name="r")
    proof = prove(model)
    assert proof.infeasible
    assert checked(model, proof).infeasible


def test_model_that_ends_in_a_solve_error_of_highs_is_settled() -> None:
    """4 x = -9 in disguise: presolve of HiGHS 1.13 fails on it."""
    model = LinearModel()
    x = model.add_variables(
        4, lower=[-3, -2, -2, -3], upper=[-1, -2, 0, -3], integer=True, name="x"
    )
    model.add_rows(x[[0, 1, 3]], [4, 5, -4], lower=-7, upper=-7, name="r")
    assert checked(model, prove(model)).infeasible


def test_unbounded_model_has_no_certificate() -> None:
    model = LinearModel()
    x = model.add_variables((), lower=0, upper=math.inf, cost=-1, name="x")
    z = model.add_variables((), lower=0, upper=3, integer=True, name="z")
    model.add_rows([x, z], [1, -2], lower=0, name="r")
    proof = prove(model)
    assert proof.certificate is None
    assert proof.bound is None
    assert not proof.infeasible
    assert proof.termination is Termination.UNKNOWN
    assert "unbounded" in proof.reason


def test_infeasible_model_is_shown_to_be_so_where_its_relaxation_is_unbounded() -> None:
    """2z = 3 has no integer solution, whatever x costs."""
    model = LinearModel()
    model.add_variables((), lower=0, upper=math.inf, cost=-1, name="x")
    z = model.add_variables((), lower=0, upper=3, integer=True, name="z")
    model.add_rows([z], 2, lower=3, upper=3, name="r")
    assert checked(model, prove(model)).infeasible


def test_implied_integers_are_not_branched_on() -> None:
    """Costs on both: the bound still moves in steps."""
    model = LinearModel()
    x = model.add_variables(3, lower=0, upper=1, cost=[5, 7, 9], integer=True, name="x")
    y = model.add_variables(3, lower=0, upper=1, cost=[2, 4, 6], implied_integer=True, name="y")
    model.add_rows(x, [3, 4, 5], lower=6, name="r")
    model.add_rows(np.stack([x, y], axis=1), [-1, 1], lower=0, upper=0, name="tie")
    proof = prove(model)
    assert isinstance(proof.bound, int)
    # 7 + 11 for the first two, 7 + 15, 11 + 15: weights 7, 8, 9.
    assert proof.bound == 18
    checked(model, proof)


def test_large_numbers_are_proven_exactly() -> None:
    """Costs near 2**53 beside small ones: the optimum is exact where a float is not."""
    model = LinearModel(offset=2**80 + 1)
    big = 2**53 - 1
    x = model.add_variables(3, lower=0, upper=1, cost=[big, big - 2, 1], integer=True, name="x")
    model.add_rows(x[:2], lower=1, name="r")
    proof = prove(model)
    assert proof.bound == 2**80 + 1 + big - 2
    checked(model, proof)


@pytest.mark.parametrize("incumbent", [12, 12.0, Fraction(12), np.int64(12), np.float64(12 + 1e-9)])
def test_incumbents_of_any_type_set_the_same_goal(incumbent: float) -> None:
    """An engine's float may be a little off the next step."""
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=9, cost=3, integer=True, name="x")
    model.add_rows(x, 2, lower=7, name="r")
    proof = prove(model, incumbent=incumbent)
    assert proof.termination is Termination.PROVEN
    assert proof.bound == 12


def test_proofs_run_beside_one_another() -> None:
    models = [assignment(seed) for seed in (0, 1, 5, 7)]
    alone = [prove(model).certificate for model in models]
    with ThreadPoolExecutor(4) as pool:
        beside = [proof.certificate for proof in pool.map(prove, models)]
    assert beside == alone


@pytest.mark.parametrize("value", [math.nan, math.inf, True])
def test_incumbent_that_is_no_number_is_refused(value: float) -> None:
    model = LinearModel()
    model.add_variables((), lower=0, upper=1, cost=1, name="x")
    with pytest.raises(InputError, match="incumbent"):
        prove(model, incumbent=value)


@pytest.mark.parametrize("change", [{"time_limit_s": -1}, {"max_nodes": -1}, {"seed": 2**31}])
def test_limits_out_of_range_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(InputError, match=next(iter(change))):
        prove(LinearModel(), **change)  # type: ignore[arg-type]


# Cut short


def test_node_limit_leaves_a_certificate_of_what_is_known() -> None:
    model = assignment(3)
    best = HighsEngine().solve(model)
    assert best.objective is not None
    bounds = []
    for nodes in (0, 1, 20, 60):
        proof = prove(model, incumbent=best.objective, max_nodes=nodes)
        assert proof.nodes == nodes
        assert proof.termination is Termination.NODE_LIMIT
        bounds.append(checked(model, proof).bound)
    assert bounds == sorted(bounds)
    assert bounds[-1] < best.objective
    assert bounds[0] < bounds[1]


def test_time_limit_and_cancel_end_the_search_with_a_certificate() -> None:
    model = market_split(4)
    started = time.monotonic()
    proof = prove(model, time_limit_s=0.5)
    assert time.monotonic() - started < 5
    assert proof.termination is Termination.TIME_LIMIT
    assert proof.bound is not None
    checked(model, proof)
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    started = time.monotonic()
    proof = prove(model, cancel=cancel)
    assert time.monotonic() - started < 5
    assert proof.termination is Termination.CANCELLED
    checked(model, proof)


def test_cancelled_before_the_start_knows_the_costs_alone() -> None:
    cancel = threading.Event()
    cancel.set()
    proof = prove(market_split(3), cancel=cancel, time_limit_s=10)
    assert proof.termination is Termination.CANCELLED
    assert proof.bound == 0
    checked(market_split(3), proof)


# Reference data


def stored_model(folder: Path, name: str) -> LinearModel:
    """Read a stored instance; rows with exact decimals are multiplied to integers."""
    text = (folder / "instances" / f"{name}.json").read_text(encoding="utf-8")
    data = json.loads(text, parse_float=Fraction)
    columns, rows, matrix = data["columns"], data["rows"], data["matrix"]
    model = LinearModel(minimise=data["sense"] == "min", offset=data["objective_offset"])
    model.add_variables(
        len(columns["names"]),
        lower=columns["lower"],
        upper=columns["upper"],
        cost=columns["objective"],
        integer=np.array(columns["integer"], dtype=bool),
        name="x",
    )
    lengths = np.diff(matrix["indptr"])
    factors = [1] * lengths.size
    row_of = np.repeat(np.arange(lengths.size), lengths).tolist()
    for row, value in [
        *zip(row_of, matrix["data"], strict=True),
        *enumerate(rows["lower"]),
        *enumerate(rows["upper"]),
    ]:
        if value is not None:
            factors[row] = math.lcm(factors[row], Fraction(value).denominator)
    model.add_rows(
        matrix["indices"],
        [int(value * factors[row]) for row, value in zip(row_of, matrix["data"], strict=True)],
        indptr=matrix["indptr"],
        lower=[
            -math.inf if value is None else int(value * factor)
            for value, factor in zip(rows["lower"], factors, strict=True)
        ],
        upper=[
            math.inf if value is None else int(value * factor)
            for value, factor in zip(rows["upper"], factors, strict=True)
        ],
        name="r",
    )
    return model


@pytest.mark.reference
def test_stored_models_are_proven(reference_data: Path) -> None:
    """20 models with optima proven by brute force, dynamic programming or four solvers."""
    folder = reference_data / "solvers"
    with (folder / "bks.csv").open(encoding="utf-8") as stream:
        stored = list(csv.DictReader(stream))
    assert len(stored) == 20
    for row in stored:
        model = stored_model(folder, row["name"])
        optimum = Fraction(row["objective"]) if row["objective"] else None
        sample = Sample(model, optimum)
        exactly = model.arrays().objective_step is not None
        assert_proven(sample, prove(model, incumbent=optimum, max_nodes=3000), exactly=exactly)
        assert_proven(sample, prove(model, max_nodes=10_000), exactly=exactly)


@pytest.mark.reference
def test_root_bounds_of_stored_models_are_those_stored(reference_data: Path) -> None:
    folder = reference_data / "solvers"
    with (folder / "bks.csv").open(encoding="utf-8") as stream:
        stored = [row for row in csv.DictReader(stream) if row["lp_status"] == "optimal"]
    for row in stored:
        model = stored_model(folder, row["name"])
        relaxed = HighsEngine().solve_lp(model)
        assert relaxed.row_dual is not None
        bound = dual_bound(model.arrays(), relaxed.row_dual)
        assert bound is not None
        sign = model.arrays().sign
        assert relaxed.objective is not None
        assert -1e-7 <= sign * (relaxed.objective - bound) <= 2e-3
        if row["objective"]:
            # Stored with nine and six decimals.
            assert -1e-8 <= sign * (Fraction(row["lp_bound"]) - bound) <= 2e-3
            assert sign * (bound - Fraction(row["certified_root_bound"])) >= -1e-6
            assert sign * (Fraction(row["objective"]) - bound) >= 0
