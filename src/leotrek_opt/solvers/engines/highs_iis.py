"""Rows that already the linear relaxation cannot keep together, by HiGHS, and a proof of it.

HiGHS finds an irreducible set only if it is asked for one (``iis_strategy`` 6: from an elastic
program, then reduced), and answers with a valid, empty one where the relaxation is feasible. What
it finds is its claim until multipliers of these rows contradict the bounds of the columns in exact
arithmetic.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from leotrek_opt.solvers.certificate.linear import farkas_margin
from leotrek_opt.solvers.engines.highs import HighsEngine, load
from leotrek_opt.solvers.engines.highs_options import set_option
from leotrek_opt.solvers.engines.native_call import call_native
from leotrek_opt.solvers.engines.protocol import Limits
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.linear_arrays import ModelArrays
from leotrek_opt.solvers.linear_rows import feasibility_model, with_rows
from leotrek_opt.solvers.status import Status

ELASTIC_THEN_IRREDUCIBLE = 6
_INTERRUPTS = (
    highspy.cb.HighsCallbackType.kCallbackSimplexInterrupt,
    highspy.cb.HighsCallbackType.kCallbackIpmInterrupt,
)


@dataclass(frozen=True)
class InfeasibleRows:
    """What HiGHS says of the linear relaxation of a model.

    Attributes
    ----------
    status
        ``infeasible``, ``feasible``, or ``no_solution`` if that was not decided in time.
    rows
        If infeasible: ascending indices of rows that cannot be kept together within the bounds of
        the columns. Otherwise empty.
    margin
        By how much a combination of these rows contradicts the bounds, exact; 0 if no proof was
        found, and the rows are a claim.
    seconds
        Wall time of the call.
    """

    status: Status
    rows: tuple[int, ...]
    margin: Fraction
    seconds: float


def infeasible_rows(
    model: LinearModel,
    limits: Limits = Limits(),  # noqa: B008 frozen
    *,
    cancel: threading.Event | None = None,
) -> InfeasibleRows:
    """Find rows that the linear relaxation of a model cannot keep together.

    Parameters
    ----------
    model
        The model; integrality is dropped.
    limits
        Time limit, threads and seed; the others do not apply.
    cancel
        Set it, from any thread, to stop.

    Returns
    -------
    InfeasibleRows
        Irreducible by HiGHS's word.

    Raises
    ------
    EngineError
        If HiGHS does not take the model.
    """
    started = time.monotonic()
    arrays = model.arrays()
    relaxed = replace(
        arrays,
        cost=np.zeros(arrays.cost.size),
        kind=np.zeros(arrays.kind.size, dtype=np.int8),
    )
    rows = _rows(relaxed, limits, cancel, started)
    if rows is None or rows.size == 0:
        left = None if limits.time_limit_s is None else limits.time_limit_s - _since(started)
        result = HighsEngine().solve(
            feasibility_model(relaxed),
            replace(limits, time_limit_s=None if left is None else max(0.0, left)),
            cancel=cancel,
        )
        decided = {Status.OPTIMAL: Status.FEASIBLE, Status.FEASIBLE: Status.FEASIBLE}
        status = decided.get(result.status, Status.NO_SOLUTION)
        if result.status is Status.INFEASIBLE:
            every = tuple(range(model.n_rows))
            return InfeasibleRows(Status.INFEASIBLE, every, Fraction(0), _since(started))
        return InfeasibleRows(status, (), Fraction(0), _since(started))
    margin = proof_margin(with_rows(relaxed, rows))
    found = tuple(int(row) for row in rows)
    return InfeasibleRows(Status.INFEASIBLE, found, margin, _since(started))


def proof_margin(arrays: ModelArrays) -> Fraction:
    """Prove that rows cannot be kept, by multipliers from HiGHS and exact arithmetic.

    Parameters
    ----------
    arrays
        A model; integrality and costs do not count.

    Returns
    -------
    Fraction
        By how much a combination of its rows contradicts the bounds of its columns; 0 if no proof
        was found.
    """
    relaxed = replace(
        arrays,
        cost=np.zeros(arrays.cost.size),
        kind=np.zeros(arrays.kind.size, dtype=np.int8),
    )
    ray: NDArray[np.float64] | None = call_native(
        lambda _: _dual_ray(relaxed), lambda _: None, stop=threading.Event()
    )
    if ray is None or ray.size != arrays.row_lower.size:
        return Fraction(0)
    return max(Fraction(0), *(farkas_margin(arrays, sign * ray) for sign in (1, -1)))


def _rows(
    arrays: ModelArrays, limits: Limits, cancel: threading.Event | None, started: float
) -> NDArray[np.int64] | None:
    deadline = None
    if limits.time_limit_s is not None and not math.isinf(limits.time_limit_s):
        deadline = started + limits.time_limit_s
    is_over = deadline is not None and time.monotonic() >= deadline
    if is_over or (cancel is not None and cancel.is_set()):
        return None
    stop = threading.Event()
    return call_native(
        lambda _: _irreducible(arrays, limits, stop),
        lambda _: None,
        stop=stop,
        cancel=cancel,
        deadline=deadline,
    )


def _irreducible(arrays: ModelArrays, limits: Limits, stop: threading.Event) -> NDArray[np.int64]:
    highs = load(arrays)

    def callback(_kind: Any, _message: str, _told: Any, answer: Any, _data: Any) -> None:
        answer.user_interrupt = stop.is_set()

    try:
        set_option(highs, "iis_strategy", ELASTIC_THEN_IRREDUCIBLE)
        set_option(highs, "threads", limits.threads)
        set_option(highs, "random_seed", limits.seed)
        if limits.time_limit_s is not None:
            set_option(highs, "time_limit", float(limits.time_limit_s))
        highs.setCallback(callback, None)
        for kind in _INTERRUPTS:
            highs.startCallback(kind)
        status, found = highs.getIis()
        # It fails, too, when it runs out of time, and where it finds no such set.
        if status == highspy.HighsStatus.kError or stop.is_set() or not found.valid_:
            return np.zeros(0, dtype=np.int64)
        return np.unique(np.array(found.row_index_, dtype=np.int64))
    finally:
        highs.setCallback(None, None)
        highspy.Highs.resetGlobalScheduler(True)


def _dual_ray(arrays: ModelArrays) -> NDArray[np.float64] | None:
    highs = load(arrays)
    try:
        # Presolve would end without a ray.
        for name, value in (("presolve", "off"), ("solver", "simplex"), ("threads", 1)):
            set_option(highs, name, value)
        highs.run()
        _, has_ray, ray = highs.getDualRay()
        return np.array(ray, dtype=np.float64) if has_ray else None
    finally:
        highspy.Highs.resetGlobalScheduler(True)


def _since(started: float) -> float:
    return time.monotonic() - started
