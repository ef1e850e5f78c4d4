"""Branch and bound that keeps, for every part of the tree, what settles it."""

from __future__ import annotations

import heapq
import itertools
import math
import threading
import time
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.base import EXACT_LIMIT
from leotrek_opt.models.certificate import MAX_NODES
from leotrek_opt.solvers.certificate.linear import Evidence
from leotrek_opt.solvers.certificate.minorant import Box, ExactRelaxation, Multipliers
from leotrek_opt.solvers.certificate.target import tightening
from leotrek_opt.solvers.engines.answers import objective_at
from leotrek_opt.solvers.exact.linear.branching import (
    FRACTION_TOLERANCE,
    Branching,
    Choice,
    has_fraction,
)
from leotrek_opt.solvers.exact.linear.evidence import LOSS, bounding, refuting
from leotrek_opt.solvers.exact.linear.goal import Goal, goal
from leotrek_opt.solvers.exact.linear.program import Basis, Program, Relaxed
from leotrek_opt.solvers.exact.linear.tree import (
    Bounded,
    Known,
    Part,
    Refuted,
    Split,
    Step,
    Tightened,
)
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.linear_arrays import ColumnKind, FloatArray, exact_activities

_ROW_TOLERANCE = 1e-6
_NODE_S, _ENTRY_S = 2e-5, 1.5e-6
"""What it takes to write a node of the tree and an entry of a vector down."""
_MOST_ENTRIES = 4_000_000
"""Of all vectors of a certificate: about 40 MB of JSON."""


class Search:
    """Settles the parts of a model's box until none is open, or somebody says stop.

    Parts are taken best bound first, and of every two new ones one is taken at once, which finds
    solutions and keeps the simplex method close to its last basis.

    Parameters
    ----------
    model
        What to prove something of.
    known_goal
        That of a known solution, or None: then solutions are found on the way.
    stop
        Set it, from any thread, to end.
    seed
        Of HiGHS.
    max_nodes
        Parts to be looked at, or None.
    deadline
        Moment on the clock of ``time.monotonic`` at which the certificate shall be written, or
        None; the search ends in time for that.
    """

    def __init__(
        self,
        model: LinearModel,
        known_goal: Goal | None,
        *,
        stop: threading.Event,
        seed: int,
        max_nodes: int | None,
        deadline: float | None,
    ) -> None:
        self.model = model
        self.arrays = model.arrays()
        self.goal = known_goal
        self.values: FloatArray | None = None
        self.objective: float | None = None
        self.nodes = 0
        self.is_unbounded = False
        self.is_full = False
        """Whether a limit on nodes, or on the size of a certificate, has ended the search."""
        self.is_late = False
        self._stop, self._seed, self._max_nodes = stop, seed, max_nodes
        self._deadline = math.inf if deadline is None else deadline
        self._relaxation = ExactRelaxation(self.arrays)
        self._integer = np.flatnonzero(self.arrays.kind == ColumnKind.INTEGER)
        self._branching = Branching(self._integer.size)
        self._size, self._entries = 1, 0
        self._open: list[tuple[float, int, Part]] = []
        self._numbers = itertools.count()
        lower, upper = self.arrays.lower[self._integer], self.arrays.upper[self._integer]
        self.root = Part(lower, upper, self._known_without_rows(self._relaxation.root))

    def run(self) -> None:
        """Search."""
        program = Program(self.arrays, seed=self._seed, stop=self._stop)
        try:
            self._push(self.root)
            part: Part | None = None
            while part is not None or self._open:
                part = part or heapq.heappop(self._open)[2]
                if self._must_end():
                    self._push(part)
                    return
                part = self._settle(program, part)
        finally:
            program.close()

    def _settle(self, program: Program, part: Part) -> Part | None:
        """Settle a part or split it; return the new part to go on with, if any."""
        if self._is_reached(part.known):
            self._close(part, part.known)
            return None
        relaxed = program.solve(part.lower, part.upper, part.basis)
        if self._stop.is_set():
            # What an interrupted run says is not to be relied on.
            self._push(part)
            return None
        self.nodes += 1
        self._learn(part, relaxed)
        box = self._box(part)
        evidence = None
        if relaxed.objective == -math.inf:
            # Whether a relaxation has no limit says nothing as long as no integer point is known.
            self.is_unbounded = not np.any(part.lower < part.upper)
        elif relaxed.objective == math.inf:
            multipliers = refuting(self._relaxation, program.ray(), box)
            if multipliers is not None:
                self._refute(part, multipliers)
                return None
        elif relaxed.values is not None and relaxed.row_dual is not None:
            self._offer(relaxed.values)
            objective = relaxed.objective or 0.0
            evidence = bounding(self._relaxation, relaxed.row_dual, objective, box, self.goal)
            if evidence is not None and (part.known is None or evidence.value > part.known.value):
                part.known = Known(evidence.multipliers, evidence.value)
            if self._is_reached(part.known):
                self._close(part, part.known)
                return None
        basis = program.basis() if relaxed.values is not None else part.basis
        if evidence is not None:
            rest = self._tightened(part, evidence, box)
            if rest is not part and not _holds(rest, relaxed, self._integer):
                rest.basis = basis
                return rest
            part = rest
        if not np.any(part.lower < part.upper):
            self._settle_point(part)
            return None
        return self._split(program, part, relaxed, basis)

    def _is_reached(self, known: Known | None) -> bool:
        return known is not None and self.goal is not None and self.goal.is_settled_by(known.value)

    def _close(self, part: Part, known: Known | None) -> None:
        if known is not None:
            part.settle(Bounded(known))
            self._entries += known.multipliers.rows.size

    def _refute(self, part: Part, multipliers: Multipliers) -> None:
        part.settle(Refuted(multipliers))
        self._entries += multipliers.rows.size

    def _learn(self, part: Part, relaxed: Relaxed) -> None:
        self._branching.allow(relaxed.iterations)
        if part.step is not None and relaxed.objective is not None:
            position, is_up, distance, above = part.step
            self._branching.learn(
                position, is_up=is_up, distance=distance, gain=relaxed.objective - above
            )

    def _gap(self, objective: float) -> float:
        """Return by how much an objective must rise for its part to be settled."""
        return math.inf if self.goal is None else self.goal.distance(objective)

    def _tightened(self, part: Part, evidence: Evidence, box: Box) -> Part:
        """Return what is left of a part: itself if duals leave nothing out."""
        if self.goal is None:
            return part
        found = tightening(self.arrays, evidence.minorant, self.goal.target, box)
        if found is None:
            return part
        lower, upper = part.lower.copy(), part.upper.copy()
        positions = np.searchsorted(self._integer, found.columns)
        lower[positions], upper[positions] = found.lower, found.upper
        rest = Part(lower, upper, part.known)
        part.settle(Tightened(evidence.multipliers, rest))
        self._size += 1
        self._entries += evidence.multipliers.rows.size
        return rest

    def _split(self, program: Program, part: Part, relaxed: Relaxed, basis: Basis) -> Part:
        """Cut a part in two, queue one half and return the other."""
        values = None
        if relaxed.values is not None:
            values = np.clip(relaxed.values[self._integer], part.lower, part.upper)
        step = None
        if values is not None and relaxed.objective is not None and has_fraction(values):
            position, value = self._branching.choose(
                program,
                part.lower,
                part.upper,
                values,
                relaxed.objective,
                self._gap(relaxed.objective),
                basis,
                self._stop,
            )
            step = Step(position, False, float(values[position]) - value, relaxed.objective)
        else:
            position, value = _halfway(part)
        first_upper, second_lower = part.upper.copy(), part.lower.copy()
        first_upper[position], second_lower[position] = value, value + 1
        first = Part(part.lower, first_upper, part.known, basis, step)
        second = Part(second_lower, part.upper, part.known, basis, step and step.reversed())
        part.settle(Split(int(self._integer[position]), int(value), first, second))
        self._size += 2
        is_up_nearer = step is not None and step.distance > 0.5
        now, later = (second, first) if is_up_nearer else (first, second)
        self._push(later)
        return now

    def _settle_point(self, part: Part) -> None:
        """Settle a part in which every integer column is fixed, as well as can be."""
        box = self._box(part)
        if np.any(box.lower != box.upper):
            # Continuous columns are left to the relaxation, whose bound stands.
            self._close(part, part.known)
            return
        activity = exact_activities(self.arrays, box.lower)
        for sign, broken in (
            (1, activity < self.arrays.row_lower),
            (-1, activity > self.arrays.row_upper),
        ):
            if broken.any():
                row = np.flatnonzero(broken)[:1]
                self._refute(part, Multipliers(row, np.array([sign]), 1))
                return
        self._offer(box.lower)
        self._close(part, self._known_without_rows(box))

    def _known_without_rows(self, box: Box) -> Known | None:
        """Bound a box by costs alone, which is exact at a point."""
        nothing = np.zeros(0, dtype=np.int64)
        multipliers = Multipliers(nothing, nothing, 1)
        least = self._relaxation.minorant(multipliers).least(box)
        return None if least is None else Known(multipliers, Fraction(least))

    def _offer(self, values: FloatArray) -> None:
        """Take a point as the best solution if it is feasible and better than those before."""
        nearest = np.rint(values)
        if np.any(np.abs(values - nearest)[self._integer] > FRACTION_TOLERANCE):
            return
        point = np.clip(values, self.arrays.lower, self.arrays.upper)
        point[self._integer] = nearest[self._integer]
        # Where integers are as good as fractions, rows and objective are exact.
        self._take(nearest, 0.0)
        self._take(point, _ROW_TOLERANCE)

    def _take(self, point: FloatArray, tolerance: float) -> None:
        if self._is_broken(point, tolerance):
            return
        objective = objective_at(self.arrays, point)
        sign = self.arrays.sign
        if self.objective is not None:
            least_gain = LOSS * max(1.0, abs(objective)) if tolerance else 0.0
            if sign * objective >= sign * self.objective - least_gain:
                return
        self.values, self.objective = point + 0.0, objective
        found = goal(self.arrays, objective)
        if self.goal is None or found.target.value < self.goal.target.value:
            self.goal = found

    def _is_broken(self, point: FloatArray, tolerance: float) -> bool:
        if np.max(np.abs(point), initial=0.0) >= EXACT_LIMIT:
            return True
        return bool(self.model.violations_of(point, tolerance=tolerance))

    def _box(self, part: Part) -> Box:
        lower, upper = self._relaxation.root.lower.copy(), self._relaxation.root.upper.copy()
        lower[self._integer], upper[self._integer] = part.lower, part.upper
        return Box(lower, upper)

    def _push(self, part: Part) -> None:
        key = -math.inf if part.known is None else float(part.known.value)
        heapq.heappush(self._open, (key, next(self._numbers), part))

    def _must_end(self) -> bool:
        too_many = self._max_nodes is not None and self.nodes >= self._max_nodes
        if too_many or self._size > MAX_NODES - 3 or self._entries > _MOST_ENTRIES:
            self.is_full = True
        writing_s = _NODE_S * self._size + _ENTRY_S * self._entries
        self.is_late = time.monotonic() + writing_s >= self._deadline
        return self._stop.is_set() or self.is_late or self.is_full or self.is_unbounded


def _holds(part: Part, relaxed: Relaxed, integer: NDArray[np.int64]) -> bool:
    """Tell whether the optimum of the relaxation is within a part."""
    if relaxed.values is None:
        return False
    values = relaxed.values[integer]
    outside = (values < part.lower - FRACTION_TOLERANCE) | (
        values > part.upper + FRACTION_TOLERANCE
    )
    return not outside.any()


def _halfway(part: Part) -> Choice:
    """Cut the column with most values, the first of several, in the middle."""
    position = int(np.argmax(part.upper - part.lower))
    return Choice(position, float((part.lower[position] + part.upper[position]) // 2))
