"""Path times of one workflow over candidates and pairs, in whole units of time.

With ``own_j(m) = ready_j(m) + exec_j(m)`` and ``hop_e(n, m) = transfer_e(n, m) + exec_j(m)`` for an
edge e = (i, j), the finish time of j is the maximum of ``own_j`` and ``finish_i + hop_e`` over its
incoming edges. Two passes bound it for every candidate::

    E_j(m) = max(own_j(m), max_e min_n E_i(n) + hop_e(n, m))      earliest finish of j on m
    B_i(n) = max_e min_m hop_e(n, m) + B_j(m)                     least time from there to the end

By induction ``E_i(n) + B_i(n)`` is at most the response time of any placement with i on n. Times
are rounded down to the unit once per hop, so in a coarser unit everything stays a lower bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.solvers.arrays.placement import PlacementArrays
from leotrek_opt.solvers.formulations.placement.choices import Choices, IntArray, Mask

FloatArray = NDArray[np.float64]

_Adjacent = dict[int, list[tuple[int, int]]]
"""By function, in topological order: edge and function at its other end."""

MAX_ROW_COEFFICIENT = 10**6
"""Largest matrix entry that times may cause. Solvers take 1e-6 for nothing: on an entry of this
size that is one unit; entries of 2**31 have been seen to make a feasible model infeasible."""


@dataclass(frozen=True, eq=False)
class Timing:
    """Path times of one workflow.

    Parameters
    ----------
    index
        Of the workflow.
    functions
        In topological order.
    edges
        Its edges, each as (edge index, source function, target function).
    own, hop
        By function and candidate, by edge and pair: shapes (candidates,), (pairs,).
    finish, remainder
        E and B by function and candidate; ``inf`` where no pair leads there.
    latest
        Latest finish of each function over all placements, response-time limits aside.
    loss_ns
        Largest amount by which the exact response exceeds what the units say.
    """

    index: int
    functions: tuple[int, ...]
    edges: tuple[tuple[int, int, int], ...]
    own: dict[int, IntArray]
    hop: dict[int, IntArray]
    finish: dict[int, FloatArray]
    remainder: dict[int, FloatArray]
    latest: dict[int, int]
    loss_ns: int

    def earliest(self, function: int) -> int:
        """Return the earliest finish of a function on any candidate, 0 without candidates."""
        return _least(self.finish[function])

    def through(self, function: int) -> FloatArray:
        """Return E + B by candidate: a lower bound of the response time given each."""
        return self.finish[function] + self.remainder[function]

    @property
    def response(self) -> int:
        """Lower bound of the response time over all placements."""
        return max(_least(self.through(function)) for function in self.functions)

    @property
    def sinks(self) -> tuple[int, ...]:
        """Functions that send to none."""
        senders = {source for _, source, _ in self.edges}
        return tuple(function for function in self.functions if function not in senders)

    def binds(self, edge: int, source: int, target: int) -> bool:
        """Tell whether an edge can ever delay its target beyond its earliest finish."""
        hop = self.hop[edge]
        longest = int(hop.max()) if hop.size else 0
        return self.latest[source] + longest > self.earliest(target)

    def largest_coefficient(self) -> int:
        """Return the largest matrix entry that the rows for finish times cannot do without."""
        entries = [0]
        for function in self.functions:
            if self.own[function].size:
                entries.append(int(self.own[function].max()) - self.earliest(function))
        for edge, source, target in self.edges:
            if self.hop[edge].size and self.binds(edge, source, target):
                entries.append(int(self.hop[edge].max() - self.hop[edge].min()))
        return max(entries)


def timing(arrays: PlacementArrays, choices: Choices, index: int, unit_ns: int) -> Timing:
    """Return the path times of a workflow.

    Parameters
    ----------
    arrays
        The problem.
    choices
        Candidates and pairs with transfer times.
    index
        Of the workflow.
    unit_ns
        Unit of time.

    Returns
    -------
    Timing
        Whole units, rounded down.
    """
    workflow = arrays.workflows[index]
    own_ns, hop_ns = {}, {}
    for function in workflow.functions:
        nodes = choices.candidates[function]
        times = arrays.source_ready_ns[function, nodes] + arrays.execution_ns[function, nodes]
        own_ns[function] = times.astype(np.int64)
    edges = tuple((e, arrays.edges[e].source, arrays.edges[e].target) for e in workflow.edges)
    for edge, _, target in edges:
        pairs = choices.pairs[edge]
        assert pairs.transfer_ns is not None
        nodes = choices.candidates[target][pairs.target]
        hop_ns[edge] = pairs.transfer_ns + arrays.execution_ns[target, nodes].astype(np.int64)
    own = {function: times // unit_ns for function, times in own_ns.items()}
    hop = {edge: times // unit_ns for edge, times in hop_ns.items()}
    own_loss = {function: times % unit_ns for function, times in own_ns.items()}
    hop_loss = {edge: times % unit_ns for edge, times in hop_ns.items()}
    incoming: _Adjacent = {function: [] for function in workflow.functions}
    outgoing: _Adjacent = {function: [] for function in workflow.functions}
    for edge, source, target in edges:
        incoming[target].append((edge, source))
        outgoing[source].append((edge, target))
    return Timing(
        index=index,
        functions=workflow.functions,
        edges=edges,
        own=own,
        hop=hop,
        finish=_forward(choices, incoming, own, hop),
        remainder=_backward(choices, outgoing, hop),
        latest=_longest(incoming, own, hop),
        loss_ns=max(_longest(incoming, own_loss, hop_loss).values()),
    )


def common_unit(timings: Sequence[Timing]) -> int:
    """Return the unit that the times of some workflows, in ns, need.

    Parameters
    ----------
    timings
        In ns.

    Returns
    -------
    int
        The least power of ten, in ns, that keeps matrix entries within ``MAX_ROW_COEFFICIENT``.
    """
    return unit_for(max((item.largest_coefficient() for item in timings), default=0))


def unit_for(largest_ns: int) -> int:
    """Return the least power of ten, in ns, in which a time is at most ``MAX_ROW_COEFFICIENT``."""
    unit = 1
    while largest_ns > MAX_ROW_COEFFICIENT * unit:
        unit *= 10
    return unit


def within(
    timing: Timing, choices: Choices, limit: float
) -> tuple[dict[int, Mask], dict[int, Mask]]:
    """Return the candidates and pairs that some placement within a response time may use.

    Parameters
    ----------
    timing
        Path times.
    choices
        What they are of.
    limit
        Inclusive, in the same unit; ``inf`` keeps whatever some placement uses at all.

    Returns
    -------
    candidates, pairs
        Masks by function and by edge.
    """
    candidates = {}
    for function in timing.functions:
        through = timing.through(function)
        candidates[function] = np.isfinite(through) & (through <= limit)
    pairs = {}
    for edge, source, target in timing.edges:
        ends = choices.pairs[edge]
        through = timing.finish[source][ends.source] + timing.hop[edge]
        through += timing.remainder[target][ends.target]
        pairs[edge] = np.isfinite(through) & (through <= limit)
    return candidates, pairs


def _least(values: FloatArray) -> int:
    least = float(values.min(initial=np.inf))
    return int(least) if np.isfinite(least) else 0


def _forward(
    choices: Choices, incoming: _Adjacent, own: dict[int, IntArray], hop: dict[int, IntArray]
) -> dict[int, FloatArray]:
    finish: dict[int, FloatArray] = {}
    for function, edges in incoming.items():
        finish[function] = own[function].astype(np.float64)
        for edge, source in edges:
            pairs = choices.pairs[edge]
            arrival = np.full(finish[function].size, np.inf)
            np.minimum.at(arrival, pairs.target, finish[source][pairs.source] + hop[edge])
            finish[function] = np.maximum(finish[function], arrival)
    return finish


def _backward(
    choices: Choices, outgoing: _Adjacent, hop: dict[int, IntArray]
) -> dict[int, FloatArray]:
    remainder: dict[int, FloatArray] = {}
    for function in reversed(outgoing):
        remainder[function] = np.zeros(choices.candidates[function].size)
        for edge, target in outgoing[function]:
            pairs = choices.pairs[edge]
            rest = np.full(remainder[function].size, np.inf)
            np.minimum.at(rest, pairs.source, hop[edge] + remainder[target][pairs.target])
            remainder[function] = np.maximum(remainder[function], rest)
    return remainder


def _longest(
    incoming: _Adjacent, own: dict[int, IntArray], hop: dict[int, IntArray]
) -> dict[int, int]:
    longest: dict[int, int] = {}
    for function, edges in incoming.items():
        longest[function] = int(own[function].max(initial=0))
        for edge, source in edges:
            arrival = longest[source] + int(hop[edge].max(initial=0))
            longest[function] = max(longest[function], arrival)
    return longest
