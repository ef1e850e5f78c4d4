"""Any solver that Pyomo reaches, as the engine ``pyomo:<solver>``.

``pyomo:appsi_highs`` runs in this process and can do nearly all that the engine ``highs`` can; it
shares nothing with it but HiGHS, so that their agreement tests the way there and back. Every other
solver runs in a child process. Models are handed over minimising; Pyomo's readers are at odds about
the sign of bounds otherwise.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import metadata

import numpy as np
import pyomo.environ as pyo
from numpy.typing import ArrayLike

from leotrek_opt.errors import EngineError, UnsupportedError
from leotrek_opt.solvers.engines.answers import (
    Claim,
    FloatArray,
    absolute_gap,
    checked_start,
    concluded,
)
from leotrek_opt.solvers.engines.highs import HighsEngine
from leotrek_opt.solvers.engines.highs_options import checked_options
from leotrek_opt.solvers.engines.native_call import call_native
from leotrek_opt.solvers.engines.options import split_options
from leotrek_opt.solvers.engines.protocol import (
    EngineResult,
    EventCallback,
    Feature,
    Limits,
    Termination,
    model_features,
    require_features,
)
from leotrek_opt.solvers.engines.pyomo_child import run_in_child
from leotrek_opt.solvers.engines.pyomo_highs import run_highs
from leotrek_opt.solvers.engines.pyomo_model import rows_in
from leotrek_opt.solvers.engines.pyomo_solvers import (
    HIGHS_SOLVERS,
    IN_PROCESS,
    require_free,
    traits_of,
)
from leotrek_opt.solvers.engines.pyomo_task import Task, default_values, minimised
from leotrek_opt.solvers.engines.runs import (
    LEFT_BEHIND,
    Progress,
    Seen,
    deadline_of,
    delivery,
    in_time,
)
from leotrek_opt.solvers.linear import ColumnKind, LinearModel, ModelArrays

_LARGEST_OFFSET = 2**53


class PyomoEngine:
    """One solver of Pyomo's behind the engine protocol.

    Parameters
    ----------
    solver_name
        As Pyomo knows it, such as ``appsi_highs``, ``cbc`` or ``asl:couenne``.

    Raises
    ------
    InputError
        If Pyomo knows no solver of that name.
    MissingDependencyError
        If it is not installed.
    UnsupportedError
        If it does not solve linear models.
    """

    def __init__(self, solver_name: str) -> None:
        self._traits = traits_of(solver_name)
        if self._traits.name in HIGHS_SOLVERS:
            HighsEngine()  # Not every version of HiGHS is trusted.

    @property
    def name(self) -> str:
        """Name by which users ask for it, such as ``pyomo:cbc``."""
        return f"pyomo:{self._traits.name}"

    @property
    def family(self) -> str:
        """Code base it stands on, whatever the way there."""
        return self._traits.family

    @property
    def features(self) -> frozenset[Feature]:
        """What it can do: little for a solver that this module does not know."""
        return self._traits.features

    def version(self) -> str:
        """Return the versions of the solver and of Pyomo."""
        found = pyo.SolverFactory(self._traits.name).version()
        own = ".".join(map(str, found)) if found else "of unknown version"
        return f"{own} through Pyomo {metadata.version('pyomo')}"

    def solve(
        self,
        model: LinearModel,
        limits: Limits = Limits(),  # noqa: B008 frozen
        *,
        warm_start: ArrayLike | None = None,
        on_event: EventCallback | None = None,
        cancel: threading.Event | None = None,
        options: Mapping[str, object] | None = None,
    ) -> EngineResult:
        """Solve a model; parameters, result and errors are those of the protocol."""
        started = time.monotonic()
        wanted = limits.features() | model_features(model)
        require_features(self, wanted if warm_start is None else wanted | {Feature.WARM_START})
        arrays = model.arrays()
        start = None if warm_start is None else checked_start(model, warm_start)
        task = self._task(arrays, limits, options, start)
        deadline = deadline_of(limits, started)

        def run(part: Task, deliver: Callable[[Progress], None]) -> Claim:
            return _claim(part, cancel, deadline, deliver)

        claim = run(task, delivery(arrays, "HiGHS", on_event, step=arrays.objective_step))
        if claim.unbounded:
            claim = _decided(task, claim, run)
        if claim.termination is Termination.ENGINE_LIMIT and limits.max_nodes is not None:
            # Pyomo calls HiGHS's and SCIP's limit on nodes one on iterations.
            claim = replace(claim, termination=Termination.NODE_LIMIT)
        return concluded(
            model,
            arrays,
            _in_sense(arrays, claim),
            engine=self.name,
            step=arrays.objective_step,
            start=start,
            cutoff=None,
            seconds=time.monotonic() - started,
        )

    def _task(
        self,
        arrays: ModelArrays,
        limits: Limits,
        options: Mapping[str, object] | None,
        start: FloatArray | None,
    ) -> Task:
        traits = self._traits
        chosen = self._options(options, integer=bool(np.any(arrays.kind == ColumnKind.INTEGER)))
        if limits.absolute_gap is not None and "absolute_gap" not in traits.limits:
            raise UnsupportedError(f"engine {self.name} takes no absolute gap")
        # A relative gap counts the offset, unless a float does not hold it: then none is allowed.
        has_gap = limits.relative_gap > 0 and abs(arrays.offset) < _LARGEST_OFFSET
        values: dict[str, object] = {
            "relative_gap": float(limits.relative_gap) if has_gap else 0.0,
            "absolute_gap": float(
                absolute_gap(arrays) if limits.absolute_gap is None else limits.absolute_gap
            ),
            "threads": traits.one_thread if limits.threads == 1 else limits.threads,
            "seed": limits.seed,
            "max_nodes": limits.max_nodes,
        }
        for field, option in traits.limits.items():
            if values[field] is not None:
                chosen[option] = values[field]
        return Task(
            traits.name,
            minimised(arrays, with_offset=has_gap),
            chosen,
            start,
            reports_bounds=traits.reports_bounds,
            optimum_slack=(
                None if has_gap or limits.absolute_gap is not None else traits.optimum_slack
            ),
            whole_seconds=traits.whole_seconds,
            time_option=traits.time_option,
        )

    def _options(self, options: Mapping[str, object] | None, *, integer: bool) -> dict[str, object]:
        if self._traits.name in HIGHS_SOLVERS:
            return dict(checked_options(options, integer=integer))
        words = self._traits.words
        common, own = split_options(options, self.name, words)
        chosen = dict(words[name][word] for name, word in common.items())
        return chosen | require_free(self._traits, own)


def _in_sense(arrays: ModelArrays, claim: Claim) -> Claim:
    """Turn the duals of the minimisation into those of the model."""
    if claim.row_dual is None or claim.column_dual is None:
        return claim
    return replace(
        claim,
        row_dual=arrays.sign * claim.row_dual + 0.0,
        column_dual=arrays.sign * claim.column_dual + 0.0,
    )


def _claim(
    task: Task,
    cancel: threading.Event | None,
    deadline: float | None,
    deliver: Callable[[Progress], None],
) -> Claim:
    return in_time(
        lambda: _trivial_claim(task.arrays) or _solver_claim(task, cancel, deadline, deliver),
        cancel=cancel,
        deadline=deadline,
    )


def _trivial_claim(arrays: ModelArrays) -> Claim | None:
    """Answer without a solver where Pyomo would have nothing to hand over."""
    empty = np.diff(arrays.indptr) == 0
    if np.any(empty & ((arrays.row_lower > 0) | (arrays.row_upper < 0))):
        return Claim(Termination.PROVEN, infeasible=True, message="a row without entries is broken")
    if rows_in(arrays).size or np.any(arrays.cost):
        return None
    return Claim(
        Termination.PROVEN,
        values=default_values(arrays),
        objective=0.0,
        bound=0.0,
        message="nothing to decide",
    )


def _solver_claim(
    task: Task,
    cancel: threading.Event | None,
    deadline: float | None,
    deliver: Callable[[Progress], None],
) -> Claim:
    def run(options: Mapping[str, object]) -> Claim:
        part = replace(task, options=options)
        if task.solver == IN_PROCESS:
            return _run_here(part, cancel, deadline, deliver)
        return run_in_child(part, cancel, deadline)

    try:
        return run(task.options)
    except EngineError:
        if task.solver not in HIGHS_SOLVERS or task.options.get("presolve") == "off":
            raise
        # The presolve of HiGHS fails on some small models; without it they are solved.
        return run({**task.options, "presolve": "off"})


def _run_here(
    task: Task,
    cancel: threading.Event | None,
    deadline: float | None,
    deliver: Callable[[Progress], None],
) -> Claim:
    stop, seen = threading.Event(), Seen()
    claim: Claim | None = call_native(
        lambda post: run_highs(task, seen, stop, deadline, post),
        deliver,
        stop=stop,
        cancel=cancel,
        deadline=deadline,
    )
    return seen.claim(LEFT_BEHIND) if claim is None else claim


def _decided(
    task: Task, claim: Claim, run: Callable[[Task, Callable[[Progress], None]], Claim]
) -> Claim:
    """Tell unbounded from infeasible: by the warm start, or by a run without costs.

    Pyomo's reader of GLPK says unbounded of infeasible linear programs, so nobody's word counts.
    """
    if task.start is not None:
        return replace(claim, infeasible=False, termination=Termination.PROVEN)
    costless = replace(task.arrays, cost=np.zeros(task.arrays.cost.size), offset=0)
    feasibility = run(replace(task, arrays=costless), lambda _: None)
    if feasibility.values is not None:
        return replace(claim, infeasible=False, termination=Termination.PROVEN)
    return replace(feasibility, unbounded=False, bound=None, message=claim.message)
