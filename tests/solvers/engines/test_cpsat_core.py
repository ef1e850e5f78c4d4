"""Cores: groups of rows that are infeasible together, and what is said when there are none."""

from __future__ import annotations

import itertools
import json
import math
import threading
from pathlib import Path

import numpy as np
import pytest
from tests.solvers.engines.small_models import market_split, random_model

from leotrek_opt.errors import InputError, UnsupportedError
from leotrek_opt.solvers.engines.cpsat import CpSatEngine
from leotrek_opt.solvers.engines.protocol import Limits, Termination
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.status import Status

ENGINE = CpSatEngine()


def crowded() -> LinearModel:
    """Three functions that need 2 each on two nodes with room for 3, and rows that do no harm."""
    model = LinearModel(minimise=False)
    x = model.add_variables((3, 2), lower=0, upper=1, cost=5, integer=True, name="x")
    model.add_rows(x, lower=1, upper=1, name="assign")
    model.add_rows(x.T, 2, upper=3, name="room")
    model.add_rows(x[:, :1], 1, upper=1, name="idle")
    model.add_rows(x[:2], [1, 2], lower=0, upper=5, name="loose")
    return model


def holds_somewhere(model: LinearModel, rows: list[int]) -> bool:
    """Tell by enumeration whether some point keeps the given rows."""
    arrays = model.arrays()
    ranges = [
        np.arange(a, b + 1)
        for a, b in zip(arrays.lower.astype(int), arrays.upper.astype(int), strict=True)
    ]
    points = np.array(list(itertools.product(*ranges)))
    matrix = np.zeros((model.n_rows, model.n_variables))
    for i in range(model.n_rows):
        entries = slice(arrays.indptr[i], arrays.indptr[i + 1])
        matrix[i, arrays.indices[entries]] = arrays.data[entries]
    activity = (points @ matrix.T)[:, rows]
    kept = (activity >= arrays.row_lower[rows]) & (activity <= arrays.row_upper[rows])
    return bool(kept.all(axis=1).any())


def test_core_of_a_crowded_model_leaves_out_what_does_no_harm() -> None:
    core = ENGINE.infeasible_core(crowded(), [[0, 1, 2], [3, 4], [5, 6, 7], [8, 9]])
    assert core.status is Status.INFEASIBLE
    assert core.termination is Termination.PROVEN
    assert core.groups == (0, 1)


def test_rows_in_no_group_always_hold() -> None:
    core = ENGINE.infeasible_core(crowded(), [[8, 9], [3, 4]])
    assert core.groups == (1,)
    core = ENGINE.infeasible_core(crowded(), [[8, 9]])
    assert (core.status, core.groups) == (Status.INFEASIBLE, ())
    core = ENGINE.infeasible_core(crowded(), [])
    assert (core.status, core.groups) == (Status.INFEASIBLE, ())


def test_row_may_be_in_several_groups() -> None:
    core = ENGINE.infeasible_core(crowded(), [[0, 1, 2, 8], [], [8, 3, 4, 4], [5, 3]])
    assert core.status is Status.INFEASIBLE
    assert core.groups is not None
    assert 0 in core.groups
    assert 1 not in core.groups


def test_feasible_rows_have_no_core() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=5, integer=True, name="x")
    model.add_rows(x, 2, lower=2, upper=4, name="r")
    core = ENGINE.infeasible_core(model, [[0]])
    assert (core.status, core.groups) == (Status.FEASIBLE, None)


def test_row_without_any_integer_in_it_is_a_core_of_its_own() -> None:
    model = LinearModel()
    x = model.add_variables(2, lower=0, upper=5, integer=True, name="x")
    model.add_rows(x, 2, lower=[3], upper=[3], name="parity")
    model.add_rows(x, 1, lower=1, name="some")
    assert ENGINE.infeasible_core(model, [[1], [0]]).groups == (1,)
    model.add_rows([], lengths=[0], lower=1, upper=1, name="impossible")
    core = ENGINE.infeasible_core(model, [[0], [1]])
    assert (core.status, core.groups) == (Status.INFEASIBLE, ())


def test_random_cores_are_infeasible_by_enumeration() -> None:
    rng = np.random.default_rng(99)
    infeasible = smaller = 0
    while infeasible < 40:
        model, optimum = random_model(rng)
        core = ENGINE.infeasible_core(model, [[i] for i in range(model.n_rows)])
        if optimum is not None:
            assert (core.status, core.groups) == (Status.FEASIBLE, None)
            continue
        infeasible += 1
        assert core.status is Status.INFEASIBLE
        assert core.groups is not None
        assert not holds_somewhere(model, list(core.groups))
        smaller += len(core.groups) < model.n_rows
    assert smaller > 10


def test_same_seed_gives_the_same_core() -> None:
    model = crowded()
    groups = [[i] for i in range(model.n_rows)]
    cores = {ENGINE.infeasible_core(model, groups, limits=Limits(seed=4)).groups for _ in range(3)}
    assert len(cores) == 1


@pytest.mark.reference
@pytest.mark.parametrize("name", ["place-tiny-intinf", "mckp-ms-inf", "genint-parity-inf"])
def test_reference_cores_stay_infeasible_alone(reference_data: Path, name: str) -> None:
    path = reference_data / "solvers" / "instances" / f"{name}.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    columns, rows, matrix = (document[key] for key in ("columns", "rows", "matrix"))

    def build(kept: list[int]) -> LinearModel:
        model = LinearModel()
        is_integer = np.array(columns["integer"], dtype=bool)
        x = model.add_variables(
            is_integer.size,
            lower=columns["lower"],
            upper=columns["upper"],
            integer=is_integer,
            implied_integer=~is_integer,
            name="x",
        )
        for i in kept:
            start, end = matrix["indptr"][i], matrix["indptr"][i + 1]
            low, high = rows["lower"][i], rows["upper"][i]
            model.add_rows(
                x[matrix["indices"][start:end]][None, :],
                matrix["data"][start:end],
                lower=-math.inf if low is None else low,
                upper=math.inf if high is None else high,
                name=f"r{i}",
            )
        return model

    every = list(range(len(rows["names"])))
    core = ENGINE.infeasible_core(build(every), [[i] for i in every])
    assert core.status is Status.INFEASIBLE
    assert core.groups is not None
    assert 0 < len(core.groups) < len(every)
    assert ENGINE.solve(build(list(core.groups))).status is Status.INFEASIBLE


def test_undecided_is_not_feasible() -> None:
    model = market_split(1)
    arrays = model.arrays()
    priced = np.flatnonzero(arrays.cost)
    model.add_rows(priced, upper=0, name="exact")
    core = ENGINE.infeasible_core(model, [[0]], limits=Limits(time_limit_s=0))
    assert (core.status, core.groups) == (Status.NO_SOLUTION, None)
    assert core.termination is Termination.TIME_LIMIT
    core = ENGINE.infeasible_core(model, [[0]], limits=Limits(time_limit_s=0.2))
    assert (core.status, core.termination) == (Status.NO_SOLUTION, Termination.TIME_LIMIT)
    cancel = threading.Event()
    timer = threading.Timer(0.2, cancel.set)
    timer.start()
    core = ENGINE.infeasible_core(model, [[0]], cancel=cancel)
    timer.join()
    assert (core.status, core.termination) == (Status.INTERRUPTED, Termination.CANCELLED)
    core = ENGINE.infeasible_core(model, [[0]], cancel=cancel)
    assert core.status is Status.INTERRUPTED


def test_what_a_core_cannot_take_is_refused() -> None:
    with pytest.raises(InputError) as refusal:
        ENGINE.infeasible_core(crowded(), [[0], [1, 99]])
    assert refusal.value.field == "groups[1]"
    with pytest.raises(UnsupportedError, match="cutoff, threads"):
        ENGINE.infeasible_core(crowded(), [[0]], limits=Limits(threads=2, cutoff=3))
    model = LinearModel()
    model.add_variables(1, lower=0, upper=1, name="x")
    with pytest.raises(UnsupportedError, match="continuous"):
        ENGINE.infeasible_core(model, [])
