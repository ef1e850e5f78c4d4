"""``PlacementModel``: a placement problem as a linear model, and the way back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.formulations.placement.choices import Choices
from leotrek_opt.solvers.formulations.placement.latency import LatencyCosts
from leotrek_opt.solvers.formulations.placement.timing import Timing
from leotrek_opt.solvers.linear import LinearModel

_CHOSEN = 0.5


@dataclass(frozen=True)
class Value:
    """A variable that stands for the value of one workflow, or the largest of several.

    Parameters
    ----------
    column
        Its index; it holds what exceeds ``base``.
    base
        Lower bound, in units of the objective.
    workflows
        Whose values it is at least.
    """

    column: int
    base: int
    workflows: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class PlacementModel:
    """A placement problem as a linear model, and the way back.

    The model is exact if ``error_ns`` and ``slo_error_ns`` are 0. Otherwise times were rounded down
    to a coarser unit and it is a relaxation: every placement that keeps the rules is still in it,
    worth at most its exact value, so its bounds hold, while a decoded placement has to be judged
    exactly.

    Parameters
    ----------
    linear
        To be minimised, in integers.
    arrays
        The problem.
    choices
        Candidates by function and pairs by edge that the model may choose from.
    unit_ns
        Worth of one unit of the model's objective.
    error_ns
        The most by which the exact value of a placement can exceed the model's.
    slo_error_ns
        The most by which a placement that the model accepts can exceed a response-time SLO.
    """

    linear: LinearModel = field(repr=False)
    arrays: PlacementArrays = field(repr=False)
    choices: Choices = field(repr=False)
    unit_ns: int
    error_ns: int
    slo_error_ns: int
    _place: NDArray[np.int64] = field(repr=False)
    _move: NDArray[np.int64] = field(repr=False)
    _delay: Mapping[int, int] = field(repr=False)
    _timings: Mapping[int, Timing] = field(repr=False)
    _latency: LatencyCosts | None = field(repr=False)
    _values: tuple[Value, ...] = field(repr=False)

    @property
    def n_nonzeros(self) -> int:
        """Number of nonzero matrix entries."""
        return self.linear.n_nonzeros

    @property
    def n_pairs(self) -> int:
        """Number of pair variables."""
        return sum(map(len, self.choices.pairs))

    @property
    def is_exact(self) -> bool:
        """Whether the model's feasible set and values are exactly the problem's."""
        return self.error_ns == 0 and self.slo_error_ns == 0

    def decode(self, values: ArrayLike) -> NDArray[np.int64]:
        """Read a placement off a point of the model.

        Parameters
        ----------
        values
            One value per column; binaries may be off by less than a half.

        Returns
        -------
        ndarray of int64, shape (F,)
            Node by function.

        Raises
        ------
        InputError
            If the shape is wrong or some function is not on exactly one node.
        """
        point = np.asarray(values, dtype=np.float64)
        if point.shape != (self.linear.n_variables,):
            raise InputError(
                f"must have shape ({self.linear.n_variables},), not {point.shape}", field="values"
            )
        assignment = np.empty(self.arrays.n_functions, dtype=np.int64)
        for function, nodes in enumerate(self.choices.candidates):
            start = self._place[function]
            chosen = np.flatnonzero(point[start : start + nodes.size] > _CHOSEN)
            if chosen.size != 1:
                raise InputError(
                    f"puts {self.arrays.name_of(function)} on {chosen.size} nodes", field="values"
                )
            assignment[function] = nodes[chosen[0]]
        return assignment

    def complete(self, assignment: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the point of the model that stands for a placement, every variable filled.

        Parameters
        ----------
        assignment
            Node by function, shape (F,).

        Returns
        -------
        ndarray of float64
            One whole number per column, with the least finish times and values. The point keeps
            every row if the placement keeps every rule.

        Raises
        ------
        InputError
            If the model does not hold the placement: a node is no candidate, or a pair is not
            admissible.
        """
        values = np.zeros(self.linear.n_variables)
        position = self._positions(assignment)
        values[self._place[:-1] + position] = 1
        chosen = self._chosen_pairs(position)
        values[self._move[:-1] + chosen] = 1
        worth: dict[int, int] = {}
        for index, timing in self._timings.items():
            finish = _finish_times(timing, position, chosen)
            for function, time in finish.items():
                values[self._delay[function]] = time - timing.earliest(function)
            worth[index] = max(finish.values())
        if self._latency is not None:
            for index in range(len(self.arrays.workflows)):
                worth[index] = self._latency_of(self._latency, index, position, chosen)
        for value in self._values:
            values[value.column] = max(worth[index] for index in value.workflows) - value.base
        return values

    def bound_ns(self, solver_bound: float | None) -> int | None:
        """Turn a solver's bound on the model into a lower bound on the problem's objective.

        Parameters
        ----------
        solver_bound
            Lower bound in units of the model, offset included; an int is taken as it is. From a
            float 1e-6 and 1e-9 of its size are taken off for the solver's tolerances before it is
            rounded up: every value is a whole number of units.

        Returns
        -------
        int or None
            Nanoseconds; None if the bound is None or not finite.
        """
        if solver_bound is None or not math.isfinite(solver_bound):
            return None
        if isinstance(solver_bound, int):
            return solver_bound * self.unit_ns
        safe = solver_bound - 1e-6 - 1e-9 * abs(solver_bound)
        return math.ceil(safe) * self.unit_ns

    def _positions(self, assignment: NDArray[np.int64]) -> NDArray[np.int64]:
        nodes = np.asarray(assignment)
        if nodes.shape != (self.arrays.n_functions,):
            raise InputError(
                f"must have shape ({self.arrays.n_functions},), not {nodes.shape}",
                field="assignment",
            )
        position = np.empty(nodes.size, dtype=np.int64)
        for function, candidates in enumerate(self.choices.candidates):
            found = np.flatnonzero(candidates == nodes[function])
            if found.size == 0:
                raise InputError(
                    f"node {nodes[function]} is no candidate of {self.arrays.name_of(function)}",
                    field="assignment",
                )
            position[function] = found[0]
        return position

    def _chosen_pairs(self, position: NDArray[np.int64]) -> NDArray[np.int64]:
        chosen = np.empty(len(self.arrays.edges), dtype=np.int64)
        for index, (edge, pairs) in enumerate(
            zip(self.arrays.edges, self.choices.pairs, strict=True)
        ):
            ends = position[edge.source], position[edge.target]
            # Pairs are ordered by source, then target.
            first, last = np.searchsorted(pairs.source, [ends[0], ends[0] + 1])
            chosen[index] = first + np.searchsorted(pairs.target[first:last], ends[1])
            if chosen[index] == last or pairs.target[chosen[index]] != ends[1]:
                raise InputError(
                    f"the nodes of {self.arrays.name_of(edge.source)} and "
                    f"{self.arrays.name_of(edge.target)} are no admissible pair",
                    field="assignment",
                )
        return chosen

    def _latency_of(
        self,
        costs: LatencyCosts,
        index: int,
        position: NDArray[np.int64],
        chosen: NDArray[np.int64],
    ) -> int:
        workflow = self.arrays.workflows[index]
        return (
            costs.constant[index]
            + sum(int(costs.unary[f][position[f]]) for f in workflow.functions)
            + sum(int(costs.pair[e][chosen[e]]) for e in workflow.edges)
        )


def _finish_times(
    timing: Timing, position: NDArray[np.int64], chosen: NDArray[np.int64]
) -> dict[int, int]:
    incoming: dict[int, list[tuple[int, int]]] = {function: [] for function in timing.functions}
    for edge, source, target in timing.edges:
        incoming[target].append((edge, source))
    finish: dict[int, int] = {}
    for function, edges in incoming.items():
        finish[function] = int(timing.own[function][position[function]])
        for edge, source in edges:
            arrival = finish[source] + int(timing.hop[edge][chosen[edge]])
            finish[function] = max(finish[function], arrival)
    return finish
