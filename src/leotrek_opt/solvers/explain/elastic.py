"""Rows that may give way: as few groups of them as possible, or by as little as possible.

Every elastic row gets whole slack on either side, and every group a binary that allows its rows to
use theirs. Slack of a row goes up to what its activity can miss within the bounds of the columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.solvers.engines.protocol import Engine, EngineResult, Limits
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.linear_arrays import ModelArrays
from leotrek_opt.solvers.linear_input import MAX_COEFFICIENT
from leotrek_opt.solvers.linear_rows import feasibility_model, with_rows
from leotrek_opt.solvers.method import Budget
from leotrek_opt.solvers.status import Status

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MOST_SLACK = MAX_COEFFICIENT / 2
"""Largest slack of a row whose activity has no bound."""
MOST_SWITCHED = 1e9
"""Largest slack that a binary can switch without losing itself in an engine's tolerances."""


@dataclass(frozen=True)
class RowChange:
    """One side of a row moved.

    Parameters
    ----------
    row
        Its index.
    side
        Which side gives way.
    amount
        By how much, a whole number.
    before, after
        The side.
    """

    row: int
    side: Literal["lower", "upper"]
    amount: int
    before: int
    after: int


class ElasticModel:
    """A model some of whose rows may give way.

    Parameters
    ----------
    arrays
        The model.
    hard
        Rows that must hold.
    groups
        Rows that may give way together; a row may be in several groups.
    """

    def __init__(self, arrays: ModelArrays, hard: IntArray, groups: Sequence[IntArray]) -> None:
        self.arrays = arrays
        self.groups = groups
        soft = np.concatenate([np.zeros(0, dtype=np.int64), *groups])
        self.rows: IntArray = np.setdiff1d(np.unique(soft), hard)
        self._hard = hard
        part = with_rows(arrays, self.rows)
        least, most = _activities(part)
        self.most_slack = np.stack(
            [_most_slack(part.row_lower, least), _most_slack(-part.row_upper, -most)]
        )
        self._part = part

    @property
    def can_switch(self) -> bool:
        """Whether binaries can tell which groups give way."""
        return bool((self.most_slack <= MOST_SWITCHED).all())

    def fewest(
        self, engine: Engine, limits: Limits, budget: Budget, start: FloatArray | None = None
    ) -> EngineResult:
        """Let as few groups give way as possible.

        Parameters
        ----------
        engine
            Solves it.
        limits
            When to stop.
        budget
            Cancellation.
        start
            A point that keeps the hard rows, one value per column of the model, or None.

        Returns
        -------
        EngineResult
            Its values begin with those of the columns of the model.
        """
        model = self._model(slack_cost=0, group_cost=1, most_groups=None)
        warm_start = None if start is None else self._completed(start)
        return engine.solve(model, limits, warm_start=warm_start, cancel=budget.cancel)

    def least(
        self, engine: Engine, limits: Limits, budget: Budget, most_groups: int | None = None
    ) -> tuple[RowChange, ...] | None:
        """Let rows give way by as little as possible in total.

        Parameters
        ----------
        engine
            Solves it.
        limits
            When to stop.
        budget
            Cancellation.
        most_groups
            Of how many groups at most, None for any number.

        Returns
        -------
        tuple of RowChange or None
            None if the least total was not proven, or no amounts are enough.
        """
        model = self._model(slack_cost=1, group_cost=0, most_groups=most_groups)
        result = engine.solve(model, limits, cancel=budget.cancel)
        if result.status is not Status.OPTIMAL or result.values is None:
            return None
        first = self.arrays.cost.size
        slack = np.rint(result.values[first : first + 2 * self.rows.size]).astype(np.int64)
        return tuple(self._changes(slack.reshape(2, -1)))

    def given_way(self, values: FloatArray) -> frozenset[int]:
        """Return the groups one of whose rows uses slack at a point of the elastic model."""
        first = self.arrays.cost.size
        slack = np.rint(values[first : first + 2 * self.rows.size]).reshape(2, -1)
        used = self.rows[slack.any(axis=0)]
        return frozenset(
            group for group, rows in enumerate(self.groups) if np.isin(rows, used).any()
        )

    def _model(self, *, slack_cost: int, group_cost: int, most_groups: int | None) -> LinearModel:
        model = feasibility_model(with_rows(self.arrays, self._hard))
        slack = model.add_variables(
            (2, self.rows.size),
            lower=0,
            upper=self.most_slack,
            cost=slack_cost,
            integer=True,
            name="slack",
        )
        # Side by side: whole slack on one side of an equation must not move the other.
        for side, sign, bound in ((0, 1.0, self._part.row_lower), (1, -1.0, self._part.row_upper)):
            rows = np.flatnonzero(np.isfinite(bound))
            part = with_rows(self._part, rows)
            ends = part.indptr[1:]
            model.add_rows(
                np.insert(part.indices, ends, slack[side, rows]),
                np.insert(part.data, ends, np.full(rows.size, sign)),
                lengths=np.diff(part.indptr) + 1,
                lower=-np.inf if side else bound[rows],
                upper=bound[rows] if side else np.inf,
                name=("not_below", "not_above")[side],
            )
        if group_cost or most_groups is not None:
            self._add_switches(model, slack, group_cost, most_groups)
        return model

    def _add_switches(
        self,
        model: LinearModel,
        slack: NDArray[np.int32],
        group_cost: int,
        most_groups: int | None,
    ) -> None:
        switch = model.add_variables(
            len(self.groups), lower=0, upper=1, cost=group_cost, integer=True, name="gives_way"
        )
        # A row in several groups gives way with any of them.
        member, owner = self._membership()
        for side in (0, 1):
            usable = np.flatnonzero(self.most_slack[side] > 0)
            rows = np.flatnonzero(np.isin(member, usable))
            model.add_rows_from_triplets(
                np.concatenate([np.arange(usable.size), np.searchsorted(usable, member[rows])]),
                np.concatenate([slack[side, usable], switch[owner[rows]]]),
                np.concatenate([np.ones(usable.size), -self.most_slack[side, member[rows]]]),
                shape=usable.size,
                upper=0,
                name=("down", "up")[side],
            )
        if most_groups is not None:
            model.add_rows([switch], upper=most_groups, name="most_groups")

    def _membership(self) -> tuple[IntArray, IntArray]:
        """Return pairs of a position among the elastic rows and a group."""
        member = np.concatenate([np.zeros(0, dtype=np.int64), *self.groups])
        owner = np.repeat(np.arange(len(self.groups)), [rows.size for rows in self.groups])
        inside = np.isin(member, self.rows)
        return np.searchsorted(self.rows, member[inside]), owner[inside]

    def _completed(self, point: FloatArray) -> FloatArray | None:
        """Add slack and binaries to a point, if whole slack suffices."""
        part = self._part
        row = np.repeat(np.arange(self.rows.size), np.diff(part.indptr))
        activity = np.zeros(self.rows.size)
        np.add.at(activity, row, part.data * point[part.indices])
        slack = np.stack([part.row_lower - activity, activity - part.row_upper])
        slack = np.ceil(np.clip(slack, 0, None) - 1e-9)
        if (slack > self.most_slack).any():
            return None
        used = self.rows[slack.any(axis=0)]
        switch = [float(np.isin(rows, used).any()) for rows in self.groups]
        return np.concatenate([point, slack.reshape(-1), switch])

    def _changes(self, slack: IntArray) -> list[RowChange]:
        found = []
        for index, row in enumerate(self.rows.tolist()):
            down, up = int(slack[0, index]), int(slack[1, index])
            if down:
                before = int(self._part.row_lower[index])
                found.append(RowChange(row, "lower", down, before, before - down))
            if up:
                before = int(self._part.row_upper[index])
                found.append(RowChange(row, "upper", up, before, before + up))
        return found


def _most_slack(side: FloatArray, reach: FloatArray) -> FloatArray:
    """Return how far rows may have to give way below a side; an open side never does."""
    missing = np.subtract(side, reach, out=np.zeros(side.size), where=np.isfinite(side))
    slack: FloatArray = np.clip(missing, 0, MOST_SLACK)
    return slack


def _activities(part: ModelArrays) -> tuple[FloatArray, FloatArray]:
    """Return the least and the largest activity of rows within the bounds of the columns."""
    low, high = part.lower[part.indices], part.upper[part.indices]
    is_positive = part.data > 0
    row = np.repeat(np.arange(part.row_lower.size), np.diff(part.indptr))
    least, most = np.zeros(part.row_lower.size), np.zeros(part.row_lower.size)
    np.add.at(least, row, part.data * np.where(is_positive, low, high))
    np.add.at(most, row, part.data * np.where(is_positive, high, low))
    return least, most
