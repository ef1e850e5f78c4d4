"""Checking trees: what they show by hand, what they may not show, and what is no solver's work."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from pydantic import ValidationError
from tests.solvers.certificate.damage import damaged
from tests.solvers.certificate.samples import Sample, integer_sample, mixed_sample

from leotrek_opt.errors import InputError
from leotrek_opt.models.certificate import (
    BoundLeaf,
    BranchNode,
    CertificateNode,
    EmptyLeaf,
    FarkasLeaf,
    LinearCertificate,
    RowMultipliers,
    TightenNode,
)
from leotrek_opt.solvers.certificate.branch import LinearVerdict, linear_bound
from leotrek_opt.solvers.exact.linear.prove import prove
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.linear_arrays import model_digest

NOTHING = RowMultipliers()


def duals(*values: int, denominator: int = 1) -> RowMultipliers:
    rows = tuple(row for row, value in enumerate(values) if value)
    return RowMultipliers(
        rows=rows, values=tuple(values[row] for row in rows), denominator=denominator
    )


def certificate(
    model: LinearModel,
    bound: Fraction | int | None,
    *nodes: CertificateNode,
    vectors: tuple[RowMultipliers, ...] = (NOTHING,),
) -> LinearCertificate:
    claim = None if bound is None else Fraction(bound)
    return LinearCertificate(
        model_digest=model_digest(model.arrays()),
        bound=None if claim is None else claim.numerator,
        bound_denominator=1 if claim is None else claim.denominator,
        multipliers=vectors,
        nodes=nodes,
    )


def halves(*, minimise: bool = True) -> LinearModel:
    """Two integers in 0..3 with 2x + 2z >= 5 (or <=): their sum is at least 3 (at most 2)."""
    model = LinearModel(minimise=minimise, offset=10)
    x = model.add_variables(2, lower=0, upper=3, cost=1, integer=True, name="x")
    side = {"lower": 5} if minimise else {"upper": 5}
    model.add_rows(x, 2, name="r", **side)
    return model


# By hand


def test_single_leaf_is_the_dual_bound_rounded_to_a_whole_step() -> None:
    """With y = 1/2 the row shows 5/2, and sums are whole."""
    half = duals(1, denominator=2)
    model = halves()
    found = linear_bound(
        model.arrays(), certificate(model, 13, BoundLeaf(multipliers=0), vectors=(half,))
    )
    assert found.bound == 13
    assert isinstance(found.bound, int)
    maximised = halves(minimise=False)
    found = linear_bound(
        maximised.arrays(), certificate(maximised, 12, BoundLeaf(multipliers=0), vectors=(half,))
    )
    assert found.bound == 12


def test_objective_without_steps_is_not_rounded() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=3, cost=1, name="x")
    model.add_rows(x, 2, lower=5, name="r")
    leaf = certificate(
        model, Fraction(5, 2), BoundLeaf(multipliers=0), vectors=(duals(1, denominator=2),)
    )
    found = linear_bound(model.arrays(), leaf)
    assert found.bound == Fraction(5, 2)
    assert found.confirms(leaf)


def test_branches_bound_by_their_worst_leaf() -> None:
    """Costs alone: x <= 0 leaves 0, x >= 1 leaves 1."""
    model = halves()
    found = linear_bound(
        model.arrays(),
        certificate(
            model,
            10,
            BranchNode(column=0, value=0),
            BoundLeaf(multipliers=0),
            BoundLeaf(multipliers=0),
        ),
    )
    assert found.bound == 10


def test_parts_are_visited_in_preorder_and_boxes_put_back() -> None:
    """A wrong leaf is named, and what one part tightened does not reach the next."""
    model = LinearModel()
    model.add_variables(2, lower=0, upper=3, cost=[1, 1], integer=True, name="x")
    vectors = (NOTHING, duals())
    nodes = (
        BranchNode(column=0, value=1),
        BranchNode(column=1, value=0),
        EmptyLeaf(column=1),
        BoundLeaf(multipliers=0),
        BoundLeaf(multipliers=1),
    )
    found = linear_bound(model.arrays(), certificate(model, 0, *nodes, vectors=vectors))
    assert found.bound is None
    assert found.messages == ("nodes[2]: column 1 still has values from 0 to 0",)
    nodes = (
        BranchNode(column=0, value=1),
        BranchNode(column=1, value=-1),
        EmptyLeaf(column=1),
        BranchNode(column=1, value=3),
        BoundLeaf(multipliers=0),
        EmptyLeaf(column=1),
        BoundLeaf(multipliers=0),
    )
    found = linear_bound(model.arrays(), certificate(model, 0, *nodes))
    assert found.bound == 0


def test_second_part_starts_one_above() -> None:
    model = LinearModel()
    model.add_variables((), lower=0, upper=5, cost=1, integer=True, name="x")
    nodes = (
        BranchNode(column=0, value=1),
        BranchNode(column=0, value=-1),
        EmptyLeaf(column=0),
        BoundLeaf(multipliers=0),
        BoundLeaf(multipliers=0),
    )
    assert linear_bound(model.arrays(), certificate(model, 0, *nodes)).bound == 0
    nodes = (BranchNode(column=0, value=-1), EmptyLeaf(column=0), BoundLeaf(multipliers=0))
    assert linear_bound(model.arrays(), certificate(model, 0, *nodes)).bound == 0
    nodes = (BranchNode(column=0, value=5), BoundLeaf(multipliers=0), EmptyLeaf(column=0))
    assert linear_bound(model.arrays(), certificate(model, 0, *nodes)).bound == 0


def test_rays_show_infeasibility() -> None:
    """Both columns are at most 3, and their sum should be 7."""
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=3, integer=True, name="x")
    model.add_rows(x, lower=7, name="r")
    leaf = certificate(model, None, FarkasLeaf(multipliers=0), vectors=(duals(1),))
    found = linear_bound(model.arrays(), leaf)
    assert (found.bound, found.infeasible) == (None, True)
    assert found.confirms(leaf)


def test_ray_that_shows_nothing_shows_nothing() -> None:
    model = halves()
    leaf = certificate(model, None, FarkasLeaf(multipliers=0), vectors=(duals(1),))
    found = linear_bound(model.arrays(), leaf)
    assert (found.bound, found.infeasible) == (None, False)
    assert found.messages == ("nodes[0]: the rows do not contradict the bounds of the columns",)
    assert not found.confirms(leaf)


def test_margin_of_zero_is_no_contradiction() -> None:
    """A sum of 6 is reached at (3, 3) only, and there it is."""
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=3, integer=True, name="x")
    model.add_rows(x, lower=6, name="r")
    leaf = certificate(model, None, FarkasLeaf(multipliers=0), vectors=(duals(1),))
    assert not linear_bound(model.arrays(), leaf).infeasible


def test_parity_is_shown_by_branching() -> None:
    """2x = 3 with x in 0..3: x <= 1 gives at most 2, x >= 2 at least 4."""
    model = LinearModel()
    x = model.add_variables((), lower=0, upper=3, integer=True, name="x")
    model.add_rows([x], 2, lower=3, upper=3, name="r")
    tree = certificate(
        model,
        None,
        BranchNode(column=0, value=1),
        FarkasLeaf(multipliers=0),
        FarkasLeaf(multipliers=1),
        vectors=(duals(1), duals(-1)),
    )
    assert linear_bound(model.arrays(), tree).infeasible
    swapped = tree.replace(nodes=(tree.nodes[0], tree.nodes[2], tree.nodes[1]))
    assert not linear_bound(model.arrays(), swapped).infeasible


def test_tightening_leaves_out_what_reaches_the_claim() -> None:
    """Costs alone, claim 2: x <= 1 remains, for x = 2 costs 2 already; so do z and their sum."""
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=9, cost=1, integer=True, name="x")
    model.add_rows(x, lower=3, name="r")
    tree = certificate(
        model,
        2,
        TightenNode(multipliers=0),
        FarkasLeaf(multipliers=1),
        vectors=(NOTHING, duals(1)),
    )
    found = linear_bound(model.arrays(), tree)
    assert (found.bound, found.infeasible) == (2, False)
    # With the claim 3 the point (2, 2) remains, and the row does not contradict that.
    raised = linear_bound(model.arrays(), tree.replace(bound=3))
    assert (raised.bound, raised.infeasible) == (None, False)


def test_tightening_never_proves_more_than_the_claim() -> None:
    model = halves()
    tree = certificate(
        model, 11, TightenNode(multipliers=0), BoundLeaf(multipliers=1), vectors=(NOTHING, duals(9))
    )
    found = linear_bound(model.arrays(), tree)
    assert found.bound is not None
    assert found.bound <= 11


def test_tightening_of_a_maximised_objective_goes_down_from_the_top() -> None:
    """Gain 5x with x in 0..9, claim 30: x >= 7 would be better, so 6 reaches the claim."""
    model = LinearModel(minimise=False)
    x = model.add_variables((), lower=0, upper=9, cost=5, integer=True, name="x")
    model.add_rows([x], 2, upper=13, name="r")
    tree = certificate(
        model,
        30,
        TightenNode(multipliers=0),
        FarkasLeaf(multipliers=1),
        vectors=(NOTHING, duals(-1)),
    )
    assert linear_bound(model.arrays(), tree).bound == 30
    assert linear_bound(model.arrays(), tree.replace(bound=25)).bound is None


def test_tightening_does_not_touch_columns_that_may_take_fractions() -> None:
    model = LinearModel()
    model.add_variables((), lower=0, upper=9, cost=1, name="x")
    tree = certificate(model, 5, TightenNode(multipliers=0), BoundLeaf(multipliers=0))
    assert linear_bound(model.arrays(), tree).bound == 0


def test_infeasibility_confirms_every_claim() -> None:
    verdict = LinearVerdict(None, True, True)
    assert verdict.confirms(certificate(halves(), 99, BoundLeaf(multipliers=0)))


def test_claims_are_compared_in_the_sense_of_the_model() -> None:
    low = certificate(halves(), 3, BoundLeaf(multipliers=0))
    assert LinearVerdict(4, False, True).confirms(low)
    assert not LinearVerdict(4, False, False).confirms(low)
    assert not LinearVerdict(2, False, True).confirms(low)
    assert not LinearVerdict(None, False, True).confirms(low)
    nothing = certificate(halves(), None, FarkasLeaf(multipliers=0))
    assert not LinearVerdict(4, False, True).confirms(nothing)


def test_column_without_a_bound_leaves_a_leaf_without_one() -> None:
    model = LinearModel()
    model.add_variables((), lower=-math.inf, upper=0, cost=1, name="x")
    found = linear_bound(model.arrays(), certificate(model, 0, BoundLeaf(multipliers=0)))
    assert found.bound is None
    assert found.messages == (
        "nodes[0]: the duals bound nothing, for lack of a bound on some column",
    )


def test_row_bounds_beyond_int64_are_exact() -> None:
    """A multiplier of 2**199 in a vector over 2**120, against sides near 2**53."""
    model = LinearModel()
    most = 2**53 - 1
    x = model.add_variables((), lower=-most, upper=most, cost=1, name="x")
    model.add_rows([x], 2**49 - 1, lower=-most, name="r")
    vector = RowMultipliers(rows=(0,), values=(2**199,), denominator=2**120)
    leaf = certificate(model, 0, BoundLeaf(multipliers=0), vectors=(vector,))
    y = Fraction(2**79)
    assert linear_bound(model.arrays(), leaf).bound == -y * most + (1 - y * (2**49 - 1)) * most


def test_deep_tree_needs_no_recursion() -> None:
    """Each of many branches in a row cuts off one value."""
    model = LinearModel()
    depth = 10_000
    model.add_variables((), lower=0, upper=depth, cost=1, integer=True, name="x")
    nodes: list[CertificateNode] = []
    for value in range(depth):
        nodes += [BranchNode(column=0, value=value), BoundLeaf(multipliers=0)]
    tree = certificate(model, 0, *nodes, BoundLeaf(multipliers=0))
    read = LinearCertificate.model_validate_json(tree.model_dump_json())
    assert linear_bound(model.arrays(), read).bound == 0


# What does not fit the model


def test_certificate_of_another_model_is_refused() -> None:
    leaf = certificate(halves(), 13, BoundLeaf(multipliers=0))
    other = halves().copy(offset=11)
    with pytest.raises(InputError, match="model_digest: belongs to another model"):
        linear_bound(other.arrays(), leaf)


@pytest.mark.parametrize(
    ("nodes", "vectors", "text"),
    [
        ((BoundLeaf(multipliers=0),), (duals(0, 1),), r"multipliers\[0\].rows: names row 1"),
        ((EmptyLeaf(column=2),), (), r"nodes\[0\].column: is 2 in a model with 2"),
        (
            (BranchNode(column=5, value=0), EmptyLeaf(column=0), EmptyLeaf(column=0)),
            (),
            r"nodes\[0\].column: is 5 in a model with 2",
        ),
    ],
)
def test_unknown_rows_and_columns_are_refused(
    nodes: tuple[CertificateNode, ...], vectors: tuple[RowMultipliers, ...], text: str
) -> None:
    model = halves()
    with pytest.raises(InputError, match=text):
        linear_bound(model.arrays(), certificate(model, 13, *nodes, vectors=vectors))


@pytest.mark.parametrize("implied", [False, True])
def test_branch_on_a_column_that_may_take_fractions_is_refused(implied: bool) -> None:
    """It would lose what lies between both parts."""
    model = LinearModel()
    model.add_variables((), lower=0, upper=1, cost=1, implied_integer=implied, name="x")
    tree = certificate(
        model, 0, BranchNode(column=0, value=0), BoundLeaf(multipliers=0), BoundLeaf(multipliers=0)
    )
    with pytest.raises(InputError, match="may take fractions"):
        linear_bound(model.arrays(), tree)


# Damaged certificates


def proven(seed: int) -> tuple[Sample, LinearCertificate]:
    """Return a sample with a certificate of its optimum that has a tree of some size."""
    rng = np.random.default_rng(seed)
    while True:
        sample = (integer_sample, mixed_sample)[int(rng.integers(2))](rng)
        known = sample.optimum if rng.random() < 0.7 else None
        found = prove(sample.model, incumbent=known)
        if found.certificate is not None and len(found.certificate.nodes) > 3:
            return sample, found.certificate


@pytest.mark.parametrize("seed", range(12))
def test_damage_never_makes_a_wrong_bound(seed: int) -> None:
    """Some 1,000 damaged certificates: refused, too weak, or still right."""
    sample, whole = proven(seed)
    arrays, optimum = sample.model.arrays(), sample.optimum
    assert linear_bound(arrays, whole).confirms(whole)
    choose = random.Random(seed)
    refused = refuted = 0
    for _ in range(80):
        document = damaged(whole.model_dump(mode="json"), choose)
        if choose.random() < 0.3:
            document = damaged(document, choose)
        try:
            read = LinearCertificate.model_validate_json(json.dumps(document))
            verdict = linear_bound(arrays, read)
        except (ValidationError, InputError):
            refused += 1
            continue
        if verdict.infeasible:
            assert optimum is None
        elif verdict.bound is not None and optimum is not None:
            assert arrays.sign * (optimum - verdict.bound) >= 0
        claim = read.claim
        if optimum is not None and (claim is None or arrays.sign * (claim - optimum) > 0):
            assert not verdict.confirms(read)
            refuted += 1
    assert refused >= 15
    assert optimum is None or refuted >= 3


def test_changed_model_is_noticed_wherever_it_changes() -> None:
    sample, whole = proven(3)
    arrays = sample.model.arrays()
    for change in (
        {"offset": arrays.offset + 1},
        {"minimise": not arrays.minimise},
        {"cost": arrays.cost + 1},
        {"lower": arrays.lower - 1},
        {"upper": arrays.upper + 1},
        {"kind": 1 - arrays.kind},
        {"data": -arrays.data},
        {"row_lower": arrays.row_lower - 1},
        {"row_upper": arrays.row_upper + 1},
    ):
        same = all(np.array_equal(getattr(arrays, name), value) for name, value in change.items())
        if not same:
            with pytest.raises(InputError, match="model_digest"):
                linear_bound(replace(arrays, **change), whole)


# Independence


def test_checking_imports_no_solver() -> None:
    code = """
import sys
from leotrek_opt.models.certificate import BoundLeaf, LinearCertificate, RowMultipliers
from leotrek_opt.solvers.certificate.branch import linear_bound
from leotrek_opt.solvers.certificate.linear import dual_bound, farkas_margin
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.linear_arrays import model_digest
model = LinearModel()
x = model.add_variables(2, lower=0, upper=9, cost=[2, 3], integer=True, name="x")
model.add_rows(x, lower=4, name="r")
leaf = LinearCertificate(
    model_digest=model_digest(model.arrays()),
    bound=8,
    multipliers=(RowMultipliers(rows=(0,), values=(2,)),),
    nodes=(BoundLeaf(multipliers=0),),
)
assert linear_bound(model.arrays(), leaf).confirms(leaf)
assert dual_bound(model.arrays(), [2.0]) == 8
assert farkas_margin(model.arrays(), [1.0]) < 0
solvers = {"highspy", "ortools", "pyomo", "scipy", "networkx", "pandas", "torch"}
print(sorted(solvers & {name.split(".")[0] for name in sys.modules}))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"
