"""A second opinion on a conflict: exact arithmetic without a solver, and another engine."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import LeotrekError
from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.arrays.placement.objective import is_feasible
from leotrek_opt.solvers.explain.conflict import Conflict, Verdict
from leotrek_opt.solvers.explain.placement.core import core_of
from leotrek_opt.solvers.explain.placement.oracle import (
    MAX_NONZEROS,
    OWN_WORK,
    Decision,
    PlacementOracle,
    decide_by_flow,
    is_refuted,
)

ENGINES = ("cpsat", "scip", "highs")
"""In the order in which they are asked; one that had the last word is not asked again."""
MAX_DECIDED_AGAIN = 16
"""Rules of a conflict up to which an engine decides again that each is needed."""
MAX_CASES = 10_000
"""Placements of a core up to which exact arithmetic tries all cases."""
MAX_PLACEMENTS = 200
"""Rules of a conflict up to which a placement without each of them is judged again."""


@dataclass(frozen=True, eq=False)
class Confirmation:
    """What a second look at a conflict found.

    Parameters
    ----------
    by
        What showed anew that the rules cannot be kept.
    needed_by
        What showed anew that each of them is needed.
    refuted_by
        A placement that keeps them after all, or None.
    """

    by: tuple[str, ...] = ()
    needed_by: tuple[str, ...] = ()
    refuted_by: NDArray[np.int64] | None = None


def confirm(oracle: PlacementOracle, conflict: Conflict, last_word: str) -> Confirmation:
    """Look at a conflict again.

    Parameters
    ----------
    oracle
        That found it; keeps the budget.
    conflict
        What it found.
    last_word
        The engine whose word it is, ``dp`` for none.

    Returns
    -------
    Confirmation
        As far as the budget allows.
    """
    arrays = oracle.arrays(conflict.rules)
    by = []
    if not oracle.budget.spent and _is_refuted(oracle, arrays, last_word):
        by.append("certificate")
    engine = ""
    for name in ENGINES:
        if name == last_word or oracle.budget.spent:
            continue
        found = _decided(oracle, arrays, name)
        if found.assignment is not None:
            return Confirmation(refuted_by=found.assignment)
        if found.verdict is Verdict.INFEASIBLE:
            engine = name
            by.append(name)
            break
    return Confirmation(tuple(by), tuple(_needed_by(oracle, conflict, engine)))


def _needed_by(oracle: PlacementOracle, conflict: Conflict, engine: str) -> Iterator[str]:
    if not conflict.is_irreducible:
        return
    others = [conflict.rules - {rule} for rule in sorted(conflict.rules)]
    if len(others) <= MAX_PLACEMENTS and all(_is_kept(oracle, kept) for kept in others):
        yield "placements"
    if (
        engine
        and len(others) <= MAX_DECIDED_AGAIN
        and all(
            _decided(oracle, oracle.arrays(kept), engine).verdict is Verdict.FEASIBLE
            for kept in others
            if not oracle.budget.spent
        )
        and not oracle.budget.spent
    ):
        yield engine


def _is_kept(oracle: PlacementOracle, kept: frozenset[int]) -> bool:
    """Tell whether a placement that is known keeps some rules, by exact evaluation."""
    if oracle.budget.spent:
        return False
    arrays = oracle.arrays(kept)
    return any(
        is_feasible(arrays, assignment)
        for broken, assignment in oracle.placements.items()
        if not broken & kept
    )


def _is_refuted(oracle: PlacementOracle, arrays: PlacementArrays, last_word: str) -> bool:
    """Ask the certificate's checker about what cannot be set aside, where it can be expected to do.

    It bounds as dynamic programming does, and beyond that tries case by case, for long.
    """
    core = core_of(arrays, oracle.book.series)
    if core.arrays is None:
        return False
    cases = math.prod(core.arrays.allowed.sum(axis=1).tolist())
    return (last_word == OWN_WORK or cases <= MAX_CASES) and is_refuted(core.arrays)


def _decided(oracle: PlacementOracle, arrays: PlacementArrays, engine: str) -> Decision:
    """Ask an engine about the flow model of the whole, or of its core if that is too large."""
    budget, seed = oracle.budget, oracle.seed
    try:
        found = decide_by_flow(arrays, engine, budget, seed, max_nonzeros=MAX_NONZEROS // 5)
        if found.verdict is not Verdict.UNKNOWN:
            return found
        core = core_of(arrays, oracle.book.series)
        if core.arrays is None:
            return found
        found = decide_by_flow(core.arrays, engine, budget, seed)
    except LeotrekError:
        # An engine that is missing, fails or does not take the model has no say in this.
        return Decision(Verdict.UNKNOWN)
    if found.assignment is None:
        return found
    whole = core.whole(found.assignment)
    if not is_feasible(arrays, whole):
        return Decision(Verdict.UNKNOWN)
    return Decision(found.verdict, engine, whole)
