"""HiGHS through Pyomo's ``appsi_highs``, in this process: silent, watched and stoppable.

Pyomo's own run turns the output of HiGHS on and redirects the standard streams of the whole process
to catch it, so that two runs at once fail, whatever other threads print meanwhile is lost, and a
run that is left behind never gives the streams back. The class here translates, starts and reads
as Pyomo's does, but keeps HiGHS silent instead and lets it be asked to stop.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import highspy
import numpy as np
from numpy.typing import NDArray
from pyomo.common.timing import HierarchicalTimer
from pyomo.contrib.appsi.cmodel import cmodel, cmodel_available
from pyomo.contrib.appsi.solvers.highs import Highs, HighsResults

from leotrek_opt.errors import EngineError
from leotrek_opt.solvers.engines.answers import Claim
from leotrek_opt.solvers.engines.highs_options import Option, set_option
from leotrek_opt.solvers.engines.highs_watch import watch
from leotrek_opt.solvers.engines.protocol import Termination
from leotrek_opt.solvers.engines.pyomo_model import BuildStopped, RowModel, row_model
from leotrek_opt.solvers.engines.pyomo_task import FloatArray, Task, claimed, default_values
from leotrek_opt.solvers.engines.runs import Progress, Seen
from leotrek_opt.solvers.linear import ModelArrays

IntArray = NDArray[np.int64]

_TRANSLATING = threading.Lock()
"""Pyomo collects the variables of an expression in an object that all threads share."""
_CHUNK = 500
"""Constraints translated between two looks at whether to go on: some 10 ms."""

_Ended = highspy.HighsModelStatus

Post = Callable[[Progress], None]


def run_highs(
    task: Task, seen: Seen, stop: threading.Event, deadline: float | None, post: Post
) -> Claim:
    """Build the model in Pyomo, hand it to HiGHS, and read the answer through Pyomo.

    Parameters
    ----------
    task
        What is asked.
    seen
        Takes what the callbacks see.
    stop
        Ends the run, whatever it is doing, as soon as it is looked at.
    deadline
        On the clock of ``time.monotonic``, or None.
    post
        Takes progress.

    Returns
    -------
    Claim
        What was found.

    Raises
    ------
    EngineError
        If HiGHS fails.
    """
    try:
        built = row_model(task.arrays, go_on=lambda: not stop.is_set())
        if task.start is not None:
            for variable, value in zip(built.columns, task.start.tolist(), strict=True):
                variable.set_value(value, skip_validation=True)
        solver = _QuietHighs()
        solver.hand_over(built.model, stop)
        columns = solver.columns_of(built)

        def point(solution: Any) -> FloatArray:
            values = default_values(task.arrays)
            values[columns] = solution
            return values

        watch(solver.highs, seen, stop, post, offset=task.arrays.offset, point=point)
        results = solver.run(task, deadline)
        if seen.failure is not None:
            raise seen.failure
        if results is None:
            return seen.claim("interrupted")
        return _read(task, built, solver, results, seen.solutions)
    except BuildStopped:
        return Claim(Termination.CANCELLED, message="stopped while the model was built")
    finally:
        # The thread pool of HiGHS belongs to the thread that first used it.
        highspy.Highs.resetGlobalScheduler(True)


class _QuietHighs(Highs):  # type: ignore[misc]
    """``appsi_highs`` that redirects nothing; one object serves one run."""

    @property
    def highs(self) -> highspy.Highs:
        """The solver that Pyomo fills."""
        return self._solver_model

    def hand_over(self, model: Any, stop: threading.Event) -> None:
        """Translate a model as ``set_instance`` does, unless it is to stop."""
        self._model, self._stop = model, stop
        if self.use_extensions and cmodel_available:
            self._expr_types = cmodel.PyomoExprTypes()
        self._solver_model = highspy.Highs()
        set_option(self.highs, "output_flag", False)
        self.add_block(model)

    def add_constraints(self, cons: list[Any]) -> None:
        """Translate constraints, some at a time; called by ``add_block``."""
        for start in range(0, len(cons), _CHUNK):
            if self._stop.is_set():
                raise BuildStopped
            with _TRANSLATING:
                super().add_constraints(cons[start : start + _CHUNK])

    def set_objective(self, obj: Any) -> None:
        """Translate the objective; called by ``add_block``."""
        with _TRANSLATING:
            super().set_objective(obj)

    def columns_of(self, built: RowModel) -> IntArray:
        """Return the column of the model that each column of HiGHS stands for."""
        number = {id(variable): column for column, variable in enumerate(built.columns)}
        places = self._pyomo_var_to_solver_var_map
        columns = np.empty(len(places), dtype=np.int64)
        for variable, place in places.items():
            columns[place] = number[variable]
        return columns

    def run(self, task: Task, deadline: float | None) -> HighsResults | None:
        """Run HiGHS as ``solve`` does, watched once; None if it was interrupted."""
        highs = self.highs
        for name, value in task.options.items():
            set_option(highs, name, cast("Option", value))
        if deadline is not None:
            set_option(highs, "time_limit", max(0.0, deadline - time.monotonic()))
        if task.start is not None and not task.is_lp:
            self._warm_start()
        try:
            status, ended = highs.run(), highs.getModelStatus()
        finally:
            highs.setCallback(None, None)
        if ended in {_Ended.kInterrupt, _Ended.kHighsInterrupt}:
            return None
        if status == highspy.HighsStatus.kError:
            raise EngineError(f"HiGHS failed: {highs.modelStatusToString(ended)}")
        self.config.load_solution = False
        return self._postsolve(HierarchicalTimer())


def _read(
    task: Task,
    built: RowModel,
    solver: _QuietHighs,
    results: HighsResults,
    solutions: int,
) -> Claim:
    info = solver.highs.getInfo()
    condition = str(results.termination_condition.name)
    values = None
    # Of a stopped linear program Pyomo hands out whatever point HiGHS is at.
    is_feasible = info.primal_solution_status == int(highspy.kSolutionStatusFeasible)
    if results.best_feasible_objective is not None and is_feasible:
        primals = results.solution_loader.get_primals()
        values = default_values(task.arrays)
        for column, variable in enumerate(built.columns):
            if variable in primals:
                values[column] = primals[variable]
    claim = claimed(
        task,
        condition,
        values=values,
        objective=results.best_feasible_objective,
        bound=results.best_objective_bound,
        message=condition,
        nodes=max(0, info.mip_node_count),
        iterations=max(0, info.simplex_iteration_count),
    )
    claim = replace(claim, solutions=max(claim.solutions, solutions))
    if condition != "optimal" or not task.is_lp:
        return claim
    row_dual, column_dual = _duals(task.arrays, built, results)
    return replace(claim, row_dual=row_dual, column_dual=column_dual)


def _duals(
    arrays: ModelArrays, built: RowModel, results: HighsResults
) -> tuple[FloatArray, FloatArray]:
    """Return the duals of the minimisation; what is not handed over has none, or its cost."""
    of_constraint = results.solution_loader.get_duals()
    of_variable = results.solution_loader.get_reduced_costs()
    row_dual, column_dual = np.zeros(arrays.row_lower.size), arrays.cost.copy()
    for row, constraint in built.constraints():
        row_dual[row] = of_constraint[constraint]
    for column, variable in enumerate(built.columns):
        if variable in of_variable:
            column_dual[column] = of_variable[variable]
    return row_dual, column_dual
