"""Explaining why a linear model is infeasible, by its rows or by groups of them.

The bounds of the columns, and rows in no group, count as given. A first set of rows comes from
HiGHS where already the linear relaxation is infeasible, and from the assumptions of CP-SAT where it
is not; the conflict search makes it irreducible, with every integer column an integer.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from leotrek_opt.errors import EngineError, InputError, LeotrekError
from leotrek_opt.solvers.engines import engine_named
from leotrek_opt.solvers.engines.protocol import Engine, Limits
from leotrek_opt.solvers.explain.conflict import Conflict, ConflictSearch, Verdict
from leotrek_opt.solvers.explain.elastic import ElasticModel, RowChange
from leotrek_opt.solvers.explain.model_explanation import (
    ModelExplanation,
    ModelRelaxation,
    RowRelaxation,
)
from leotrek_opt.solvers.explain.row_oracle import IntArray, RowOracle
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.linear_input import indices_below
from leotrek_opt.solvers.linear_rows import with_rows
from leotrek_opt.solvers.matrix import MatrixModel
from leotrek_opt.solvers.method import Budget, Progress, ProgressCallback
from leotrek_opt.solvers.status import Status

SMALLER_ROUNDS = 3
"""Sets of groups that are tried to find a smaller conflict than the first."""
MAX_ALTERNATIVES = 16
"""Single groups of a conflict whose relaxation is worked out."""
MAX_DECIDED_AGAIN = 32
"""Groups of a conflict up to which another engine decides again that each is needed."""
ENGINES = ("cpsat", "scip", "highs")
"""In the order in which they are asked for a second opinion."""


def explain_model(
    model: LinearModel | MatrixModel,
    groups: Mapping[str, ArrayLike] | None = None,
    *,
    engine: str = "highs",
    time_limit_s: float | None = None,
    seed: int = 0,
    cancel: threading.Event | None = None,
    on_progress: ProgressCallback | None = None,
    confirm: bool = True,
) -> ModelExplanation:
    """Explain why a linear model is infeasible.

    Parameters
    ----------
    model
        The model; its objective plays no part. Of a model in its author's own units, relaxations
        are worded in these.
    groups
        Row indices by name; rows in no group always hold. None makes every row its own group,
        called as its words say.
    engine
        Decides which rows can be kept together.
    time_limit_s
        Seconds after which what is known so far is returned, None for no limit.
    seed
        Of the engine.
    cancel
        Set it to stop early.
    on_progress
        Called with :class:`~leotrek_opt.solvers.method.Progress` events.
    confirm
        Prove the conflict in exact arithmetic where its relaxation is infeasible, and ask another
        engine.

    Returns
    -------
    ModelExplanation
        Groups that cannot all be kept, and the smallest relaxation.

    Raises
    ------
    InputError
        If a row does not exist, or there is no such engine.
    UnsupportedError
        If the engine does not take the model.

    Examples
    --------
    >>> model = LinearModel()
    >>> x = model.add_variables(2, lower=0, upper=9, integer=True, name="x")
    >>> _ = model.add_rows([x], lower=7, name="demand")
    >>> _ = model.add_rows([x], [[2, 1]], upper=5, name="capacity")
    >>> _ = model.add_rows([[x[0]]], upper=3, name="spare")
    >>> explanation = explain_model(model)
    >>> [group.name for group in explanation.groups]
    ['demand[0]', 'capacity[0]']
    >>> explanation.relaxations[0].words
    'lower the lower side of demand[0] by 2 to 5'
    """
    budget = Budget(time_limit_s, cancel)
    given = MatrixModel.of(model)
    members = _members(given.linear, groups)
    oracle = RowOracle(given.linear, members, engine_named(engine), budget, seed)

    def tell(message: str) -> None:
        if on_progress is not None:
            on_progress(Progress(budget.elapsed_s, "explain", None, None, message))

    search = ConflictSearch(oracle, _categories(given.linear, members, groups), budget, tell, seed)
    found = _explained(given, oracle, search, is_confirmed=confirm)
    return found.replace(
        checks=search.checks, seconds=budget.elapsed_s, seed=seed, engine=oracle.engine.name
    )


def _explained(
    model: MatrixModel, oracle: RowOracle, search: ConflictSearch, *, is_confirmed: bool
) -> ModelExplanation:
    verdict = search.check(search.all)
    if verdict is Verdict.FEASIBLE:
        return ModelExplanation(status=Status.FEASIBLE)
    if verdict is Verdict.UNKNOWN:
        cancelled = search.budget.cancelled
        return ModelExplanation(status=Status.INTERRUPTED if cancelled else Status.NO_SOLUTION)
    if search.check(frozenset()) is Verdict.INFEASIBLE:
        return ModelExplanation(status=Status.INFEASIBLE, is_irreducible=True)
    conflict = search.conflict(oracle.first_conflict(), smaller_rounds=SMALLER_ROUNDS)
    explanation = ModelExplanation(
        status=Status.INFEASIBLE,
        groups=tuple(oracle.described(group) for group in sorted(conflict.rules)),
        is_irreducible=conflict.is_irreducible,
        is_smallest=conflict.is_smallest,
    )
    if is_confirmed:
        by, needed_by = _confirmation(oracle, conflict)
        explanation = explanation.replace(confirmed_by=by, needed_confirmed_by=needed_by)
    if not conflict.is_irreducible:
        return explanation
    relaxations, is_fewest = _relaxations(model, oracle, search, conflict)
    return explanation.replace(relaxations=relaxations, is_fewest=is_fewest)


def _members(model: LinearModel, groups: Mapping[str, ArrayLike] | None) -> dict[str, IntArray]:
    if groups is None:
        found: dict[str, IntArray] = {}
        for row in range(model.n_rows):
            words = model.row_words(row)
            name = f"{words} [{model.row_label(row)}]" if words in found else words
            found[name] = np.array([row], dtype=np.int64)
        return found
    members = {}
    for name, rows in groups.items():
        indices = indices_below(rows, model.n_rows, f"groups.{name}").reshape(-1)
        if indices.size == 0:
            raise InputError("holds no row", field=f"groups.{name}")
        members[name] = np.unique(indices).astype(np.int64)
    return members


def _categories(
    model: LinearModel,
    members: Mapping[str, IntArray],
    groups: Mapping[str, ArrayLike] | None,
) -> list[frozenset[int]]:
    """Put rows of one block together; groups of the caller each stand for themselves."""
    if groups is not None:
        return [frozenset({group}) for group in range(len(members))]
    blocks: dict[str, set[int]] = {}
    for group, rows in enumerate(members.values()):
        block = model.row_label(int(rows[0])).partition("[")[0]
        blocks.setdefault(block, set()).add(group)
    return [frozenset(block) for block in blocks.values()]


def _confirmation(oracle: RowOracle, conflict: Conflict) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from leotrek_opt.solvers.engines.highs_iis import proof_margin

    by: list[str] = []
    needed_by: list[str] = []
    if not oracle.budget.spent:
        part = with_rows(oracle.arrays, oracle.rows(conflict.rules))
        by += ["farkas"] if proof_margin(part) > 0 else []
    for name in ENGINES:
        if oracle.budget.spent:
            break
        try:
            other = engine_named(name)
            if other.family == oracle.engine.family:
                continue
            verdict, _ = oracle.decided(other, conflict.rules)
            if verdict is Verdict.FEASIBLE:
                raise EngineError(
                    f"{other.name} keeps rows that {oracle.engine.name} calls infeasible"
                )
            if verdict is Verdict.INFEASIBLE:
                by.append(name)
                if conflict.is_irreducible and _is_each_needed(oracle, other, conflict):
                    needed_by.append(name)
                break
        except EngineError:
            raise
        except LeotrekError:
            # An engine that is missing or does not take the model has no say in this.
            continue
    return tuple(by), tuple(needed_by)


def _is_each_needed(oracle: RowOracle, engine: Engine, conflict: Conflict) -> bool:
    return len(conflict.rules) <= MAX_DECIDED_AGAIN and all(
        not oracle.budget.spent
        and oracle.decided(engine, conflict.rules - {group})[0] is Verdict.FEASIBLE
        for group in sorted(conflict.rules)
    )


def _relaxations(
    model: MatrixModel, oracle: RowOracle, search: ConflictSearch, conflict: Conflict
) -> tuple[tuple[ModelRelaxation, ...], bool]:
    """Relax one group of the conflict, or the fewest together, by as little as possible."""
    enough = [
        frozenset({group})
        for group in sorted(conflict.rules)[:MAX_ALTERNATIVES]
        if oracle.decided(oracle.engine, search.all - {group})[0] is Verdict.FEASIBLE
    ]
    is_fewest = bool(enough)
    found = [_least(oracle, groups, len(groups)) for groups in enough]
    if not enough and not oracle.budget.spent:
        together, is_fewest = _fewest(oracle, search, conflict)
        if together is not None:
            # Other sets of as many groups may need less in total.
            everything = _least(oracle, search.all, len(together)) if is_fewest else None
            found = [everything or _least(oracle, together, len(together))]
    known = [changes for changes in found if changes is not None]
    known.sort(key=lambda changes: (len(changes), sum(change.amount for change in changes)))
    return tuple(_in_words(model, changes) for changes in known), is_fewest and bool(known)


def _fewest(
    oracle: RowOracle, search: ConflictSearch, conflict: Conflict
) -> tuple[frozenset[int] | None, bool]:
    elastic = ElasticModel(oracle.arrays, oracle.given, oracle.members)
    if not elastic.can_switch:
        return search.fewest_to_relax([conflict.rules])
    limits = Limits(time_limit_s=oracle.budget.remaining_s, seed=oracle.seed)
    result = elastic.fewest(oracle.engine, limits, oracle.budget)
    if result.values is None or result.objective is None:
        return None, False
    groups = elastic.given_way(result.values)
    return groups, result.status is Status.OPTIMAL and len(groups) <= result.objective


def _least(
    oracle: RowOracle, groups: frozenset[int], most_groups: int
) -> tuple[RowChange, ...] | None:
    """Relax some groups by the least total amount, all other rows being kept."""
    if oracle.budget.spent:
        return None
    members = [oracle.members[group] for group in sorted(groups)]
    hard = np.setdiff1d(np.arange(oracle.model.n_rows), np.concatenate(members))
    elastic = ElasticModel(oracle.arrays, hard, members)
    is_limited = len(groups) > most_groups
    if is_limited and not elastic.can_switch:
        return None
    limits = Limits(time_limit_s=oracle.budget.remaining_s, seed=oracle.seed)
    limit = most_groups if is_limited else None
    return elastic.least(oracle.engine, limits, oracle.budget, limit)


def _in_words(model: MatrixModel, changes: Sequence[RowChange]) -> ModelRelaxation:
    return ModelRelaxation(
        rows=tuple(
            RowRelaxation(
                row=change.row,
                name=model.linear.row_words(change.row),
                side=change.side,
                amount=change.amount,
                before=change.before,
                after=change.after,
                scale=str(model.row_scale[change.row]),
            )
            for change in changes
        )
    )
