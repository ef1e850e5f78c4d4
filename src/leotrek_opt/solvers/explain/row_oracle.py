"""Which groups of rows of a linear model can be kept together: decided by an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import LeotrekError
from leotrek_opt.solvers.engines.highs import HighsEngine
from leotrek_opt.solvers.engines.protocol import Engine, Limits
from leotrek_opt.solvers.explain.conflict import Check, Verdict
from leotrek_opt.solvers.explain.elastic import ElasticModel
from leotrek_opt.solvers.explain.model_explanation import RowGroup
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.linear_arrays import exact_activities, float_activities
from leotrek_opt.solvers.linear_rows import feasibility_model, with_rows
from leotrek_opt.solvers.method import Budget
from leotrek_opt.solvers.status import Status

IntArray = NDArray[np.int64]

MAX_IMPROVED = 100_000
"""Nonzeros of a model up to which points that break fewer groups are looked for."""
IMPROVE_NODES, IMPROVE_S = 50, 5.0
"""How long they are looked for."""
_TOLERANCE = 1e-6


class RowOracle:
    """Says which groups of rows can be kept together, by an engine.

    Parameters
    ----------
    model
        The model.
    members
        Row indices by the name of their group.
    engine
        Decides.
    budget
        Time and cancellation.
    seed
        Of the engine.
    """

    is_monotone = True

    def __init__(
        self,
        model: LinearModel,
        members: Mapping[str, IntArray],
        engine: Engine,
        budget: Budget,
        seed: int,
    ) -> None:
        self.model = model
        self.arrays = model.arrays()
        self.names = tuple(members)
        self.members = tuple(members.values())
        self.engine = engine
        self.budget = budget
        self.seed = seed
        in_groups = np.zeros(model.n_rows, dtype=bool)
        for rows in self.members:
            in_groups[rows] = True
        self.given = np.flatnonzero(~in_groups)

    def rows(self, kept: frozenset[int]) -> IntArray:
        """Return the rows of some groups, and those that always hold.

        Parameters
        ----------
        kept
            Numbers of groups.

        Returns
        -------
        ndarray of int64
            Row indices, ascending.
        """
        groups = [self.members[group] for group in sorted(kept)]
        return np.unique(np.concatenate([self.given, *groups]))

    def check(self, kept: frozenset[int], focus: frozenset[int]) -> Check:
        """Solve the model without costs on the rows that are kept.

        Parameters
        ----------
        kept, focus
            Numbers of groups, as in the protocol.

        Returns
        -------
        Check
            With what the points found break.
        """
        verdict, values = self.decided(self.engine, kept)
        if values is None:
            return Check(verdict)
        better = self._with_fewer_broken(values, kept, focus)
        points = [values] if better is None else [better, values]
        return Check(verdict, tuple(self._broken(point) - kept for point in points))

    def _with_fewer_broken(
        self, values: NDArray[np.float64], kept: frozenset[int], focus: frozenset[int]
    ) -> NDArray[np.float64] | None:
        """Look a while for a point that breaks fewer of the groups that count."""
        groups = [self.members[group] for group in sorted(focus - kept)]
        if self.arrays.data.size > MAX_IMPROVED or not groups or self.budget.spent:
            return None
        elastic = ElasticModel(self.arrays, self.rows(kept), groups)
        if not elastic.can_switch:
            return None
        limits = Limits(
            time_limit_s=self.budget.part(IMPROVE_S).remaining_s,
            max_nodes=IMPROVE_NODES,
            seed=self.seed,
        )
        result = elastic.fewest(HighsEngine(), limits, self.budget, values)
        return None if result.values is None else result.values[: self.arrays.cost.size]

    def decided(
        self, engine: Engine, kept: frozenset[int]
    ) -> tuple[Verdict, NDArray[np.float64] | None]:
        """Ask an engine whether some groups can be kept.

        Parameters
        ----------
        engine
            Asked.
        kept
            Numbers of groups.

        Returns
        -------
        verdict : Verdict
            Its word.
        values : ndarray or None
            A point that keeps them.
        """
        part = feasibility_model(with_rows(self.arrays, self.rows(kept)))
        limits = Limits(time_limit_s=self.budget.remaining_s, seed=self.seed)
        result = engine.solve(part, limits, cancel=self.budget.cancel)
        if result.values is not None:
            return Verdict.FEASIBLE, result.values
        infeasible = result.status is Status.INFEASIBLE
        return Verdict.INFEASIBLE if infeasible else Verdict.UNKNOWN, None

    def first_conflict(self) -> frozenset[int] | None:
        """Return groups that are infeasible, found otherwise than by leaving rows out.

        Returns
        -------
        frozenset of int or None
            By HiGHS if the linear relaxation is infeasible, else by CP-SAT if it takes the model.
        """
        from leotrek_opt.solvers.engines.highs_iis import infeasible_rows

        limits = Limits(time_limit_s=self.budget.remaining_s, seed=self.seed)
        found = infeasible_rows(self.model, limits, cancel=self.budget.cancel)
        if found.status is Status.INFEASIBLE:
            rows = np.array(found.rows, dtype=np.int64)
            touched = (np.isin(members, rows).any() for members in self.members)
            return self._checked({group for group, is_touched in enumerate(touched) if is_touched})
        if found.status is not Status.FEASIBLE:
            return None
        return self._core_of_assumptions(limits)

    def _core_of_assumptions(self, limits: Limits) -> frozenset[int] | None:
        from leotrek_opt.solvers.engines.cpsat_core import infeasible_core

        try:
            core = infeasible_core(
                self.model, self.members, limits=limits, cancel=self.budget.cancel
            )
        except LeotrekError:
            # It takes no continuous columns, and holds no very large numbers.
            return None
        return None if not core.groups else self._checked(core.groups)

    def _checked(self, groups: set[int] | Sequence[int]) -> frozenset[int] | None:
        """Return groups if the engine of this search, too, finds them infeasible."""
        kept = frozenset(groups)
        return kept if self.decided(self.engine, kept)[0] is Verdict.INFEASIBLE else None

    def _broken(self, values: NDArray[np.float64]) -> frozenset[int]:
        is_whole = bool(np.all(np.rint(values) == values))
        activity = (exact_activities if is_whole else float_activities)(self.arrays, values)
        largest = float(np.max(np.abs(self.arrays.data), initial=1.0))
        slack = 0.0 if is_whole else _TOLERANCE * largest
        lower, upper = self.arrays.row_lower - slack, self.arrays.row_upper + slack
        broken = np.flatnonzero((activity < lower) | (activity > upper))
        return frozenset(
            group for group, rows in enumerate(self.members) if np.isin(rows, broken).any()
        )

    def described(self, group: int) -> RowGroup:
        """Return a group as it stands in an explanation.

        Parameters
        ----------
        group
            Its number.

        Returns
        -------
        RowGroup
            Name and rows.
        """
        return RowGroup(name=self.names[group], rows=tuple(self.members[group].tolist()))
