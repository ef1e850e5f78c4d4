"""Which groups of rows are infeasible together, by one assumption of CP-SAT for each group."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ortools.sat.python import cp_model_helper as native

from leotrek_opt.errors import EngineError, UnsupportedError
from leotrek_opt.solvers.engines.cpsat_integers import WholeModel, whole_model
from leotrek_opt.solvers.engines.cpsat_model import (
    add_columns,
    add_rows,
    add_rows_if,
    row_structure,
)
from leotrek_opt.solvers.engines.cpsat_options import quiet_parameters
from leotrek_opt.solvers.engines.cpsat_run import search
from leotrek_opt.solvers.engines.native_call import call_native
from leotrek_opt.solvers.engines.protocol import Feature, Limits, Termination
from leotrek_opt.solvers.linear import ColumnKind, LinearModel
from leotrek_opt.solvers.linear_input import indices_below
from leotrek_opt.solvers.status import Status

_TAKES = frozenset({Feature.TIME_LIMIT})


@dataclass(frozen=True)
class Core:
    """Whether the groups of rows can hold together, and if not, which cannot.

    Attributes
    ----------
    status
        ``infeasible``; ``feasible`` if all rows can hold together; ``no_solution`` or, after
        cancelling, ``interrupted`` if that was not decided.
    termination
        Why the run ended.
    groups
        If infeasible, ascending indices of groups that are infeasible together with the rows in no
        group and the column bounds: not always a smallest set, and empty if no group is needed.
        Otherwise None.
    seconds
        Wall time of the call.
    message
        What CP-SAT says about its end.
    """

    status: Status
    termination: Termination
    groups: tuple[int, ...] | None
    seconds: float
    message: str


def infeasible_core(
    model: LinearModel,
    groups: Sequence[ArrayLike],
    *,
    limits: Limits = Limits(),  # noqa: B008 frozen
    cancel: threading.Event | None = None,
) -> Core:
    """Find groups of rows that are infeasible together.

    Parameters
    ----------
    model
        The model, without continuous columns; its objective plays no part.
    groups
        Row indices of each group; a row may be in several. Rows in no group always hold.
    limits
        Time limit and seed; CP-SAT gives cores with one thread only.
    cancel
        Set it, from any thread, to stop.

    Returns
    -------
    Core
        What was found; it is CP-SAT's claim.

    Raises
    ------
    InputError
        If a row does not exist.
    UnsupportedError
        If the model has continuous columns or numbers that CP-SAT does not hold, or a limit does
        not apply.
    EngineError
        If CP-SAT fails.
    """
    started = time.monotonic()
    unwanted = sorted(limits.features() - _TAKES)
    if unwanted:
        raise UnsupportedError(f"a core of CP-SAT cannot keep to limits of {', '.join(unwanted)}")
    if np.any(model.arrays().kind == ColumnKind.CONTINUOUS):
        raise UnsupportedError("a core of CP-SAT does not take continuous columns")
    grouped = _grouped(model, groups)
    whole = whole_model(model, None)
    stop = threading.Event()
    deadline = math.inf if limits.time_limit_s is None else started + limits.time_limit_s
    found: _Found | None = None
    if not _is_over(cancel, deadline):
        found = call_native(
            lambda _: _search(whole, grouped, limits.seed, stop),
            lambda _: None,
            stop=stop,
            cancel=cancel,
            deadline=deadline,
        )
    status, termination = Status.NO_SOLUTION, Termination.UNKNOWN
    if found is not None and found.status is not Status.NO_SOLUTION:
        status, termination = found.status, Termination.PROVEN
    elif cancel is not None and cancel.is_set():
        status, termination = Status.INTERRUPTED, Termination.CANCELLED
    elif time.monotonic() >= deadline:
        termination = Termination.TIME_LIMIT
    return Core(
        status,
        termination,
        None if found is None else found.groups,
        time.monotonic() - started,
        "no answer in time" if found is None else found.message,
    )


@dataclass(frozen=True, eq=False)
class _Grouped:
    """Pairs of a group and a row in it, and the rows in no group."""

    n_groups: int
    group: NDArray[np.int64]
    row: NDArray[np.int64]
    background: NDArray[np.int64]


@dataclass(frozen=True)
class _Found:
    status: Status
    groups: tuple[int, ...] | None
    message: str


def _is_over(cancel: threading.Event | None, deadline: float) -> bool:
    return (cancel is not None and cancel.is_set()) or time.monotonic() >= deadline


def _grouped(model: LinearModel, groups: Sequence[ArrayLike]) -> _Grouped:
    rows = [
        np.unique(indices_below(members, model.n_rows, f"groups[{i}]")).astype(np.int64)
        for i, members in enumerate(groups)
    ]
    row = np.concatenate([np.zeros(0, np.int64), *rows])
    is_background = np.ones(model.n_rows, dtype=bool)
    is_background[row] = False
    group = np.repeat(np.arange(len(rows)), [members.size for members in rows])
    return _Grouped(len(rows), group, row, np.flatnonzero(is_background))


def _search(whole: WholeModel, grouped: _Grouped, seed: int, stop: threading.Event) -> _Found:
    structure, n_columns = row_structure(whole), whole.lower.size
    proto = native.CpModelProto()
    add_columns(proto, whole.lower, whole.upper)
    add_columns(proto, np.zeros(grouped.n_groups, np.int64), np.ones(grouped.n_groups, np.int64))
    add_rows(proto, whole, structure, grouped.background)
    add_rows_if(proto, whole, structure, grouped.row, n_columns + grouped.group)
    proto.assumptions.extend(range(n_columns, n_columns + grouped.n_groups))
    parameters = quiet_parameters()
    parameters.random_seed = seed
    parameters.linearization_level = 2
    response, _ = search(proto, parameters, stop)
    message = f"{response.status.name} {response.solution_info}".strip()
    if response.status in {native.OPTIMAL, native.FEASIBLE}:
        return _Found(Status.FEASIBLE, None, message)
    if response.status == native.UNKNOWN:
        return _Found(Status.NO_SOLUTION, None, message)
    if response.status != native.INFEASIBLE:
        raise EngineError(f"CP-SAT ended with {response.status}")
    assumed = response.sufficient_assumptions_for_infeasibility
    literals = {assumed[i] - n_columns for i in range(len(assumed))}
    return _Found(Status.INFEASIBLE, tuple(sorted(literals)), message)
