"""Every method by name: the problems it takes, what it can do, and where it lives."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from leotrek_opt.errors import InputError
from leotrek_opt.models.base import nearest_name
from leotrek_opt.solvers.method import Answer, Request


class Ability(StrEnum):
    """What a method can do."""

    EXACT = "exact"
    ANYTIME = "anytime"
    BOUND = "bound"
    CERTIFICATE = "certificate"
    WARM_START = "warm_start"
    RANDOM = "random"
    IGNORES_LIMITS = "ignores_limits"
    """A published baseline that does not look at latency limits; its answers may break rules."""


@dataclass(frozen=True)
class Method:
    """One entry of the registry.

    Parameters
    ----------
    name
        As the user writes it, without what follows a colon.
    problem_kind
        The problems it takes.
    abilities
        What it can do.
    summary
        One line for lists.
    location
        ``module:function`` of the implementation, imported on first use.
    arguments
        Allowed words after a colon, such as ``highs`` in ``milp:highs``; empty for none.
        :data:`PYOMO` stands for all of its kind.
    """

    name: str
    problem_kind: str
    abilities: frozenset[Ability]
    summary: str
    location: str
    arguments: tuple[str, ...] = ()

    def load(self) -> Callable[[Any, Request], Answer]:
        """Import the implementation.

        Returns
        -------
        callable
            Takes arrays and a request.
        """
        module, _, function = self.location.partition(":")
        implementation: Callable[[Any, Request], Answer] = getattr(
            importlib.import_module(module), function
        )
        return implementation


PYOMO = "pyomo:<solver>"
"""Stands for every solver that Pyomo finds, such as ``pyomo:appsi_highs``."""

_HEURISTICS = "leotrek_opt.solvers.heuristics"
_BASELINES = ("greedy", "hyperdrive", "hyperdrive@published", "first-fit", "round-robin", "random")

_PLACEMENT = (
    Method(
        "exact",
        "placement",
        frozenset(
            {Ability.EXACT, Ability.ANYTIME, Ability.BOUND, Ability.CERTIFICATE, Ability.WARM_START}
        ),
        "dynamic programming, pruning, prices, and a MILP on what survives",
        "leotrek_opt.solvers.exact.placement.method:solve_exact",
    ),
    Method(
        "dp",
        "placement",
        frozenset({Ability.BOUND, Ability.CERTIFICATE}),
        "dynamic programming only: certified bound, exact where capacities do not bind",
        "leotrek_opt.solvers.exact.placement.method:solve_dp",
    ),
    Method(
        "milp",
        "placement",
        frozenset({Ability.EXACT, Ability.ANYTIME, Ability.BOUND, Ability.WARM_START}),
        "flow formulation over all allowed nodes, on a MILP engine",
        "leotrek_opt.solvers.exact.placement.milp:solve_milp",
        arguments=("highs", "cpsat", "scip", PYOMO),
    ),
    Method(
        "lp",
        "placement",
        frozenset({Ability.BOUND, Ability.CERTIFICATE}),
        "linear relaxation of the flow formulation: a certified bound, no placement",
        "leotrek_opt.solvers.exact.placement.lp:solve_lp",
        arguments=("highs", "pdlp"),
    ),
    Method(
        "greedy",
        "placement",
        frozenset(),
        "latency-aware insertion with a look-ahead bound",
        f"{_HEURISTICS}.greedy:greedy",
    ),
    Method(
        "lns",
        "placement",
        frozenset({Ability.ANYTIME, Ability.WARM_START, Ability.RANDOM}),
        "local search: takes workflows out of any start and puts them back better",
        f"{_HEURISTICS}.local_search:lns",
        arguments=_BASELINES,
    ),
    Method(
        "hyperdrive",
        "placement",
        frozenset(),
        "HyperDrive's pipeline, its defects mended",
        f"{_HEURISTICS}.hyperdrive:hyperdrive",
    ),
    Method(
        "hyperdrive@published",
        "placement",
        frozenset({Ability.IGNORES_LIMITS}),
        "HyperDrive as published, to the bit",
        f"{_HEURISTICS}.published:hyperdrive_published",
    ),
    Method(
        "first-fit",
        "placement",
        frozenset({Ability.IGNORES_LIMITS}),
        "HyperDrive's baseline: the first node with room",
        f"{_HEURISTICS}.published:first_fit",
    ),
    Method(
        "round-robin",
        "placement",
        frozenset({Ability.IGNORES_LIMITS}),
        "HyperDrive's baseline: the next node with room",
        f"{_HEURISTICS}.published:round_robin",
    ),
    Method(
        "random",
        "placement",
        frozenset({Ability.IGNORES_LIMITS, Ability.RANDOM}),
        "HyperDrive's baseline: any node with room, seeded",
        f"{_HEURISTICS}.published:random_placement",
    ),
)

_METHODS = {(method.problem_kind, method.name): method for method in _PLACEMENT}
ENGINES = {"highs": "milp", "cpsat": "milp", "scip": "milp", "pyomo": "milp", "pdlp": "lp"}
"""Bare engine names, and the method each of them runs; ``cpsat`` means ``milp:cpsat``."""


def methods(problem_kind: str = "placement") -> tuple[Method, ...]:
    """Return the methods that take a kind of problem.

    Parameters
    ----------
    problem_kind
        Such as ``placement``.

    Returns
    -------
    tuple of Method
        In the order of the documentation.
    """
    return tuple(method for (kind, _), method in _METHODS.items() if kind == problem_kind)


def find_method(name: str, problem_kind: str) -> tuple[Method, str]:
    """Look a method up.

    Parameters
    ----------
    name
        Such as ``exact``, ``milp:highs``, ``highs``, ``pyomo:cbc`` or ``lns:hyperdrive``.
    problem_kind
        Such as ``placement``.

    Returns
    -------
    method, argument
        The entry, and what followed the colon.

    Raises
    ------
    leotrek_opt.errors.InputError
        If there is no such method; names the nearest one and all others.
    """
    engine = name.partition(":")[0]
    base, _, argument = (f"{ENGINES[engine]}:{name}" if engine in ENGINES else name).partition(":")
    method = _METHODS.get((problem_kind, base))
    known = [entry.name for entry in methods(problem_kind)]
    if method is None:
        hint = nearest_name(name, [*known, *ENGINES, "auto"])
        raise InputError(
            f'no method "{name}" for {problem_kind}{hint}; '
            f"there are: auto, {', '.join(known)}; engines: {', '.join(ENGINES)}",
            field="solver",
        )
    is_pyomo = PYOMO in method.arguments and re.fullmatch(r"pyomo:\S+", argument)
    if argument and argument not in method.arguments and not is_pyomo:
        allowed = ", ".join(f"{base}:{word}" for word in method.arguments) or f"only {base}"
        raise InputError(f'no method "{name}"; allowed: {allowed}', field="solver")
    return method, argument
