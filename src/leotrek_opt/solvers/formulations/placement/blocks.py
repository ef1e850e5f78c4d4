"""The blocks of variables and rows of the flow formulation, added one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.formulations.placement.capacity import CapacityRows
from leotrek_opt.solvers.formulations.placement.choices import Choices, IntArray
from leotrek_opt.solvers.formulations.placement.latency import LatencyCosts
from leotrek_opt.solvers.formulations.placement.model import Value
from leotrek_opt.solvers.formulations.placement.timing import (
    MAX_ROW_COEFFICIENT,
    FloatArray,
    Timing,
)
from leotrek_opt.solvers.linear import LinearModel


@dataclass(frozen=True, eq=False)
class Terms:
    """What the blocks are made of.

    Parameters
    ----------
    arrays
        The problem.
    choices
        Candidates and pairs.
    timings
        By workflow, where times matter.
    latency
        Costs of a latency objective, None for the critical path.
    binding
        Edges that can delay their target at all.
    limits
        Latest response by workflow, in the units of its timing; ``inf`` without limit.
    """

    arrays: PlacementArrays
    choices: Choices
    timings: Mapping[int, Timing]
    latency: LatencyCosts | None
    binding: frozenset[int]
    limits: Mapping[int, float]

    @property
    def is_max(self) -> bool:
        """Whether the objective is the largest value of a workflow."""
        return self.arrays.problem.objective.aggregate == "max"

    @property
    def lower(self) -> tuple[int, ...]:
        """Lower bound of every workflow's value, in units."""
        if self.latency is not None:
            return self.latency.constant
        return tuple(self.timings[index].response for index in range(len(self.arrays.workflows)))

    @property
    def offset(self) -> int:
        """Constant of the objective."""
        return max(self.lower) if self.is_max else sum(self.lower)


class Blocks:
    """A linear model in the making.

    Parameters
    ----------
    terms
        What it is made of.
    """

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.linear = LinearModel(offset=terms.offset)
        self.place = _starts(nodes.size for nodes in terms.choices.candidates)
        self.move = self.place[-1] + _starts(map(len, terms.choices.pairs))
        self.delay: dict[int, int] = {}
        self.values: tuple[Value, ...] = ()

    def add_choices(self) -> None:
        """Add ``place`` and ``move`` with their costs, and ``one_node``."""
        latency = None if self.terms.is_max else self.terms.latency
        columns = self.linear.add_variables(
            int(self.place[-1]),
            lower=0,
            upper=1,
            cost=0 if latency is None else _concatenated(latency.unary),
            integer=True,
            name="place",
            words=self._place_words,
        )
        self.linear.add_variables(
            int(self.move[-1] - self.move[0]),
            lower=0,
            upper=1,
            cost=0 if latency is None else _concatenated(latency.pair),
            implied_integer=True,
            name="move",
            words=self._move_words,
        )
        self.linear.add_rows(
            columns,
            indptr=self.place,
            lower=1,
            upper=1,
            name="one_node",
            words=lambda function: f"{self._name(function)} is on one node",
        )

    def add_flow(self) -> None:
        """Add ``leave`` and ``reach``: the pairs of an edge agree with the nodes of either end."""
        edges, pairs = self.terms.arrays.edges, self.terms.choices.pairs
        for name, functions, positions in (
            ("leave", [edge.source for edge in edges], [item.source for item in pairs]),
            ("reach", [edge.target for edge in edges], [item.target for item in pairs]),
        ):
            sizes = [self.place[function + 1] - self.place[function] for function in functions]
            first = _starts(sizes)
            nodes = [np.arange(self.place[f], self.place[f + 1]) for f in functions]
            rows = [position + start for position, start in zip(positions, first, strict=False)]
            n_moves = self.move[-1] - self.move[0]
            self.linear.add_rows_from_triplets(
                np.concatenate([np.arange(first[-1]), *rows]),
                np.concatenate([_concatenated(nodes), np.arange(self.move[0], self.move[-1])]),
                np.concatenate([np.full(first[-1], -1), np.ones(n_moves, dtype=np.int64)]),
                shape=int(first[-1]),
                lower=0,
                upper=0,
                name=name,
                words=self._flow_words(name, functions, first),
            )

    def add_capacities(self, rows: CapacityRows) -> None:
        """Add ``capacity``.

        Parameters
        ----------
        rows
            Over the same candidates.
        """
        if rows.node.size == 0:
            return
        candidates = self.terms.choices.candidates
        nodes = rows.node[rows.row]
        columns = np.empty(rows.row.size, dtype=np.int64)
        for function in np.unique(rows.function).tolist():
            mine = rows.function == function
            order = np.argsort(candidates[function])
            found = np.searchsorted(candidates[function], nodes[mine], sorter=order)
            columns[mine] = self.place[function] + order[found]
        self.linear.add_rows_from_triplets(
            rows.row,
            columns,
            rows.coefficient,
            shape=rows.node.size,
            upper=rows.upper,
            name="capacity",
            words=lambda row: self._capacity_words(rows, row),
        )

    def add_times(self) -> None:
        """Add ``delay`` of the functions whose finish matters, ``finish`` and ``early``."""
        timings = self.terms.timings.values()
        functions = [function for item in timings for function in item.functions]
        columns = self.linear.add_variables(
            len(functions),
            lower=0,
            upper=[self._latest_delay(item, f) for item in timings for f in item.functions],
            implied_integer=True,
            name="delay",
            words=lambda row: f"delay of {self._name(functions[row])}",
        )
        self.delay = dict(zip(functions, columns.tolist(), strict=True))
        finish, early = _Rows(self.linear, "finish"), _Rows(self.linear, "early")
        for item in timings:
            for edge, source, target in item.edges:
                if edge in self.terms.binding:
                    self._put_finish(finish, item, edge, source, target)
            for function in item.functions:
                words = f"{self._name(function)} ends no earlier than its node allows"
                self._put_at_least(
                    early,
                    words,
                    self.delay[function],
                    function,
                    item.finish[function] - item.earliest(function),
                )
        finish.close()
        early.close()

    def add_values(self) -> None:
        """Add ``value`` where the objective is no plain sum of latencies, and what it is worth."""
        terms = self.terms
        everyone = tuple(range(len(terms.lower)))
        if terms.latency is not None and not terms.is_max:
            return
        groups = [everyone] if terms.is_max else [(index,) for index in everyone]
        bases = [max(terms.lower[index] for index in group) for group in groups]
        worst = [max(self._most(index) for index in group) for group in groups]
        columns = self.linear.add_variables(
            len(groups),
            lower=0,
            upper=[max(0, most - base) for most, base in zip(worst, bases, strict=True)],
            cost=1,
            implied_integer=True,
            name="value",
            words=lambda row: self._value_words(groups[row]),
        )
        self.values = tuple(map(Value, columns.tolist(), bases, groups))
        value_of = {index: value for value in self.values for index in value.workflows}
        blocks = [_Rows(self.linear, name) for name in ("worst", "last", "through")]
        for index, value in value_of.items():
            if terms.latency is not None:
                self._put_worst(blocks[0], terms.latency, index, value)
            else:
                self._put_last(blocks[1], terms.timings[index], value)
                self._put_through(blocks[2], terms.timings[index], value)
        for rows in blocks:
            rows.close()

    def _latest_delay(self, item: Timing, function: int) -> int:
        latest: float = item.latest[function]
        remainder = item.remainder[function]
        if remainder.size:
            latest = min(latest, self.terms.limits[item.index] - float(remainder.min()))
        return max(0, int(latest) - item.earliest(function))

    def _most(self, index: int) -> int:
        """Return an upper bound on the value of a workflow, in units."""
        terms = self.terms
        if terms.latency is None:
            item = terms.timings[index]
            most = min(float(max(item.latest.values())), terms.limits[index])
            return int(most)
        workflow = terms.arrays.workflows[index]
        parts = [terms.latency.unary[f] for f in workflow.functions]
        parts += [terms.latency.pair[e] for e in workflow.edges]
        return terms.lower[index] + sum(int(part.max(initial=0)) for part in parts)

    def _put_finish(self, rows: _Rows, item: Timing, edge: int, source: int, target: int) -> None:
        hop = item.hop[edge]
        least = int(hop.min()) if hop.size else 0
        rows.start(
            least + item.earliest(source) - item.earliest(target),
            f"{self._name(target)} ends after what {self._name(source)} sends",
        )
        rows.put([self.delay[source], self.delay[target]], [-1, 1])
        rows.put(np.arange(self.move[edge], self.move[edge + 1]), least - hop)

    def _put_last(self, rows: _Rows, item: Timing, value: Value) -> None:
        for function in item.sinks:
            rows.start(
                item.earliest(function) - value.base, f"response after {self._name(function)}"
            )
            rows.put([self.delay[function], value.column], [-1, 1])

    def _put_through(self, rows: _Rows, item: Timing, value: Value) -> None:
        for function in item.functions:
            words = f"response through the node of {self._name(function)}"
            given = item.through(function) - value.base
            self._put_at_least(rows, words, value.column, function, given)

    def _put_at_least(
        self, rows: _Rows, words: str, column: int, function: int, given: FloatArray
    ) -> None:
        """Let a column be at least what the candidate of a function makes of it."""
        # The column is never negative, so no coefficient needs to be; and any may be less.
        rise = np.clip(given, 0, MAX_ROW_COEFFICIENT)
        if rise.any():
            rows.start(0, words)
            rows.put([column], [1])
            rows.put(np.arange(self.place[function], self.place[function + 1]), -rise)

    def _put_worst(self, rows: _Rows, latency: LatencyCosts, index: int, value: Value) -> None:
        workflow = self.terms.arrays.workflows[index]
        rows.start(latency.constant[index] - value.base, f"sum of latencies of {workflow.name}")
        rows.put([value.column], [1])
        for function in workflow.functions:
            columns = np.arange(self.place[function], self.place[function + 1])
            rows.put(columns, -latency.unary[function])
        for edge in workflow.edges:
            rows.put(np.arange(self.move[edge], self.move[edge + 1]), -latency.pair[edge])

    def _name(self, function: int) -> str:
        return self.terms.arrays.name_of(function)

    def _node(self, node: int) -> str:
        return self.terms.arrays.problem.continuum.nodes.id[int(node)]

    def _at(self, function: int, position: int) -> str:
        node = self.terms.choices.candidates[function][position]
        return f"{self._name(function)} on {self._node(node)}"

    def _place_words(self, column: int) -> str:
        function, position = _located(self.place, column)
        return self._at(function, position)

    def _move_words(self, column: int) -> str:
        edge, position = _located(self.move, int(self.move[0]) + column)
        item, pairs = self.terms.arrays.edges[edge], self.terms.choices.pairs[edge]
        source = self._at(item.source, int(pairs.source[position]))
        return f"{source} sends to {self._at(item.target, int(pairs.target[position]))}"

    def _flow_words(
        self, name: str, functions: Sequence[int], first: IntArray
    ) -> Callable[[int], str]:
        edges = self.terms.arrays.edges

        def words(row: int) -> str:
            edge, position = _located(first, row)
            other = edges[edge].target if name == "leave" else edges[edge].source
            verb = "sends to" if name == "leave" else "receives from"
            return f"{self._at(functions[edge], position)} {verb} {self._name(other)}"

        return words

    def _capacity_words(self, rows: CapacityRows, row: int) -> str:
        capacities = self.terms.arrays.capacities
        resource = capacities.resources[int(rows.resource[row])]
        step = capacities.windows[int(rows.window[row])].step
        return f"{resource} of {self._node(rows.node[row])} at step {step}"

    def _value_words(self, group: Sequence[int]) -> str:
        if self.terms.is_max:
            return "value of the worst workflow beyond its lower bound"
        name = self.terms.arrays.workflows[group[0]].name
        return f"value of {name} beyond its lower bound"


class _Rows:
    """Collects rows of differing lengths for one block."""

    def __init__(self, linear: LinearModel, name: str) -> None:
        self._linear = linear
        self._name = name
        self._columns: list[IntArray] = []
        self._coefficients: list[FloatArray] = []
        self._lengths: list[int] = []
        self._lower: list[int] = []
        self._words: list[str] = []

    def start(self, lower: int, words: str) -> None:
        self._lengths.append(0)
        self._lower.append(lower)
        self._words.append(words)

    def put(self, columns: ArrayLike, coefficients: ArrayLike) -> None:
        part = np.asarray(columns, dtype=np.int64)
        self._columns.append(part)
        self._coefficients.append(np.asarray(coefficients, dtype=np.float64))
        self._lengths[-1] += part.size

    def close(self) -> None:
        if self._lengths:
            self._linear.add_rows(
                np.concatenate(self._columns),
                np.concatenate(self._coefficients),
                lengths=np.array(self._lengths),
                lower=np.array(self._lower),
                name=self._name,
                words=self._words.__getitem__,
            )


def _starts(sizes: Iterable[int]) -> IntArray:
    return np.cumsum([0, *sizes], dtype=np.int64)


def _concatenated(parts: Sequence[IntArray]) -> IntArray:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _located(starts: IntArray, position: int) -> tuple[int, int]:
    """Return block and place within it of a position among blocks laid end to end."""
    block = int(np.searchsorted(starts, position, side="right")) - 1
    return block, position - int(starts[block])
