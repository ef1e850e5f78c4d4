"""The flow formulation of placement as a Pyomo model to read, to change and to extend.

Symbols, names of rows and the reasons for them are those of :mod:`.build`; a test holds the two
equal, coefficient by coefficient. Whoever adds a rule to this model can solve it with any solver of
Pyomo's. Parts of the model, with i and j as ``workflow/function`` and n and m as node identifiers:

==============  ==================================================================================
sets            ``WORKFLOWS``, ``FUNCTIONS``, ``EDGES`` (i, j), ``NODES``; ``PLACES`` (i, n) and
                ``MOVES`` (i, j, n, m), what is admissible; ``TIMED``, functions whose time matters
parameters      ``place_cost``, ``move_cost``, ``base_cost`` of a latency objective;
                ``earliest``, ``hop``, ``reached`` (E) and ``remaining`` (B) where times matter
variables       ``place[i, n]`` binary, ``move[i, j, n, m]`` in [0, 1], ``delay[i]``, ``value[w]``
expressions     ``finish_time[i]``, the earliest finish plus ``delay``; ``worth[w]``, what a
                workflow counts: its lower bound plus ``value``
constraints     ``one_node``, ``leave``, ``reach``, ``capacity``, ``finish``, ``early``, ``last``,
                ``through``, ``worst``; those that the objective needs
objective       ``objective``
==============  ==================================================================================

Costs and times are integers in units of ``unit_ns`` nanoseconds: 1 for a plain sum of latencies,
a larger power of ten where times in rows would exceed 10**6. They are then rounded down, and the
model is a relaxation as :mod:`.build` says. Demands and capacities are divided by common factors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray

from leotrek_opt.errors import InputError, UnsupportedError
from leotrek_opt.models.canonical import digest
from leotrek_opt.models.placement import Assignment, PlacementProblem, PlacementSolution
from leotrek_opt.solvers.formulations.placement.blocks import Terms
from leotrek_opt.solvers.formulations.placement.capacity import capacity_rows
from leotrek_opt.solvers.formulations.placement.latency import LatencyCosts
from leotrek_opt.solvers.formulations.placement.timing import (
    MAX_ROW_COEFFICIENT,
    Timing,
)

Numbers = NDArray[np.int64] | NDArray[np.float64]

WORST = "worst"
"""Index of ``value`` and ``worth`` where the objective is the largest value of a workflow."""

_CHOSEN = 0.5


def placement_twin(terms: Terms, unit_ns: int) -> Any:
    """Write the flow formulation down in Pyomo.

    Parameters
    ----------
    terms, unit_ns
        What it is made of, from :func:`.build.prepare`.

    Returns
    -------
    pyomo.environ.ConcreteModel
        With the parts named above, ``unit_ns`` and ``problem_digest``.

    Raises
    ------
    UnsupportedError
        If a function has no admissible node: Pyomo refuses constraints without variables.
    """
    names = _Names(terms)
    model = pyo.ConcreteModel(name=terms.arrays.problem.id)
    model.unit_ns = unit_ns
    model.problem_digest = digest(terms.arrays.problem)
    _add_choices(model, names)
    _add_flow(model, names)
    _add_capacities(model, terms, names)
    if terms.timings:
        _add_times(model, terms, names)
    _add_objective(model, terms, names)
    return model


def placement_of(model: Any, problem: PlacementProblem) -> PlacementSolution:
    """Read the placement off a solved model; see :func:`..pyomo_twins.solution_of`."""
    problem_digest = digest(problem)
    if getattr(model, "problem_digest", None) != problem_digest:
        raise InputError("is no model of this problem", field="model")
    chosen: dict[str, list[str]] = defaultdict(list)
    for (function, node), variable in model.place.items():
        if variable.value is not None and variable.value > _CHOSEN:
            chosen[function].append(node)
    assignments = []
    for workflow in problem.workflows:
        for function in workflow.functions:
            nodes = chosen[f"{workflow.id}/{function.id}"]
            if len(nodes) != 1:
                raise InputError(
                    f"puts {workflow.id}/{function.id} on {len(nodes)} nodes; is it solved?",
                    field="model",
                )
            assignments.append(
                Assignment(workflow=workflow.id, function=function.id, node=nodes[0])
            )
    return PlacementSolution(problem_digest=problem_digest, assignments=tuple(assignments))


class _Names:
    """Index tuples of what :class:`Terms` knows by number."""

    def __init__(self, terms: Terms) -> None:
        arrays, choices = terms.arrays, terms.choices
        ids = arrays.problem.continuum.nodes.id
        self.node: Sequence[str] = ids
        self.function = [arrays.name_of(function) for function in range(arrays.n_functions)]
        self.workflow = [workflow.name for workflow in arrays.workflows]
        self.nodes = [[ids[node] for node in nodes.tolist()] for nodes in choices.candidates]
        self.edge = [(self.function[e.source], self.function[e.target]) for e in arrays.edges]
        self.nodes_of = dict(zip(self.function, self.nodes, strict=True))
        self.moves = [
            [
                (self.nodes[edge.source][n], self.nodes[edge.target][m])
                for n, m in zip(pairs.source.tolist(), pairs.target.tolist(), strict=True)
            ]
            for edge, pairs in zip(arrays.edges, choices.pairs, strict=True)
        ]

    def by_place(self, parts: Iterable[tuple[int, Numbers]]) -> dict[tuple[str, str], int]:
        """Index numbers of functions and their candidates."""
        return {
            (self.function[function], node): int(number)
            for function, numbers in parts
            for node, number in zip(self.nodes[function], numbers.tolist(), strict=True)
        }

    def by_move(self, parts: Iterable[tuple[int, Numbers]]) -> dict[tuple[str, ...], int]:
        """Index numbers of edges and their pairs."""
        return {
            (*self.edge[edge], *pair): int(number)
            for edge, numbers in parts
            for pair, number in zip(self.moves[edge], numbers.tolist(), strict=True)
        }


def _add_choices(model: Any, names: _Names) -> None:
    """Add the sets, ``place``, ``move`` and ``one_node``."""
    model.WORKFLOWS = pyo.Set(initialize=names.workflow)
    model.FUNCTIONS = pyo.Set(initialize=names.function)
    model.NODES = pyo.Set(initialize=names.node)
    model.EDGES = pyo.Set(dimen=2, initialize=names.edge)
    model.PLACES = pyo.Set(
        dimen=2,
        initialize=[
            (function, node)
            for function, nodes in zip(names.function, names.nodes, strict=True)
            for node in nodes
        ],
        doc="admissible nodes of every function",
    )
    model.MOVES = pyo.Set(
        dimen=4,
        initialize=[
            (*edge, *pair)
            for edge, pairs in zip(names.edge, names.moves, strict=True)
            for pair in pairs
        ],
        doc="admissible nodes of both ends of every edge",
    )
    model.place = pyo.Var(model.PLACES, domain=pyo.Binary, doc="function i is on node n")
    model.move = pyo.Var(
        model.MOVES, bounds=(0, 1), doc="i is on n and j is on m: place[i, n] * place[j, m]"
    )
    for function, nodes in names.nodes_of.items():
        if not nodes:
            raise UnsupportedError(
                f"no node is left to {function}, so the problem is infeasible; "
                "Pyomo holds no constraint without variables"
            )

    def one_node(model: Any, i: str) -> Any:
        return sum(model.place[i, n] for n in names.nodes_of[i]) == 1

    model.one_node = pyo.Constraint(model.FUNCTIONS, rule=one_node)


def _add_flow(model: Any, names: _Names) -> None:
    """Add ``leave`` and ``reach``: the pairs of an edge agree with the nodes of either end."""
    targets: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    sources: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for edge, pairs in zip(names.edge, names.moves, strict=True):
        for n, m in pairs:
            targets[(*edge, n)].append(m)
            sources[(*edge, m)].append(n)

    def leave(model: Any, i: str, j: str, n: str) -> Any:
        return sum(model.move[i, j, n, m] for m in targets[i, j, n]) == model.place[i, n]

    def reach(model: Any, i: str, j: str, m: str) -> Any:
        return sum(model.move[i, j, n, m] for n in sources[i, j, m]) == model.place[j, m]

    model.leave = pyo.Constraint(
        ((i, j, n) for i, j in names.edge for n in names.nodes_of[i]), rule=leave
    )
    model.reach = pyo.Constraint(
        ((i, j, m) for i, j in names.edge for m in names.nodes_of[j]), rule=reach
    )


def _add_capacities(model: Any, terms: Terms, names: _Names) -> None:
    """Add ``capacity``, by resource, node and step, where it can bind."""
    capacities = terms.arrays.capacities
    rows = capacity_rows(terms.arrays, terms.choices.candidates)
    index = [
        (capacities.resources[resource], names.node[node], capacities.windows[window].step)
        for resource, node, window in zip(
            rows.resource.tolist(), rows.node.tolist(), rows.window.tolist(), strict=True
        )
    ]
    room = dict(zip(index, rows.upper.tolist(), strict=True))
    demand: dict[tuple[str, str, int], list[tuple[int, str]]] = {row: [] for row in index}
    for row, function, amount in zip(
        rows.row.tolist(), rows.function.tolist(), rows.coefficient.tolist(), strict=True
    ):
        demand[index[row]].append((amount, names.function[function]))

    def capacity(model: Any, resource: str, n: str, step: int) -> Any:
        row = resource, n, step
        return sum(amount * model.place[i, n] for amount, i in demand[row]) <= room[row]

    model.capacity = pyo.Constraint(index, rule=capacity)


def _add_times(model: Any, terms: Terms, names: _Names) -> None:
    """Add ``delay`` of the functions whose time matters, ``finish`` and ``early``."""
    timings = list(terms.timings.values())
    model.TIMED = pyo.Set(
        initialize=[names.function[f] for item in timings for f in item.functions],
        doc="functions whose finish time matters",
    )
    model.earliest = pyo.Param(
        model.TIMED,
        initialize={
            names.function[f]: item.earliest(f) for item in timings for f in item.functions
        },
        doc="earliest finish of function i on any node",
    )
    for name, doc, values in (
        ("reached", "earliest finish of function i on node n", "finish"),
        ("remaining", "least time from the finish of i on n to the end", "remainder"),
    ):
        given = names.by_place(part for item in timings for part in getattr(item, values).items())
        model.add_component(name, pyo.Param(list(given), initialize=given, doc=doc))
    hops = names.by_move(part for item in timings for part in item.hop.items())
    model.hop = pyo.Param(
        list(hops), initialize=hops, doc="transfer from i on n to j on m, and execution of j on m"
    )
    latest = {
        names.function[f]: _latest_delay(item, f, terms.limits[item.index])
        for item in timings
        for f in item.functions
    }
    model.delay = pyo.Var(
        model.TIMED,
        bounds=lambda _, i: (0, latest[i]),
        doc="finish of function i beyond its earliest",
    )
    model.finish_time = pyo.Expression(
        model.TIMED, rule=lambda model, i: model.earliest[i] + model.delay[i]
    )
    pairs_of = dict(zip(names.edge, names.moves, strict=True))

    def finish(model: Any, i: str, j: str) -> Any:
        # One pair is chosen, so the least hop is a constant and only the rest needs a coefficient.
        least = min((model.hop[i, j, n, m] for n, m in pairs_of[i, j]), default=0)
        beyond = (
            (model.hop[i, j, n, m] - least) * model.move[i, j, n, m] for n, m in pairs_of[i, j]
        )
        return model.finish_time[j] >= model.finish_time[i] + least + sum(beyond)

    def early(model: Any, j: str) -> Any:
        given = {m: model.reached[j, m] for m in names.nodes_of[j]}
        return _at_least(model, model.finish_time[j], model.earliest[j], j, given)

    model.finish = pyo.Constraint(
        [names.edge[e] for item in timings for e, *_ in item.edges if e in terms.binding],
        rule=finish,
    )
    model.early = pyo.Constraint(model.TIMED, rule=early)


def _add_objective(model: Any, terms: Terms, names: _Names) -> None:
    """Add what workflows are worth, and the objective: the sum, or the largest."""
    if terms.latency is not None:
        _add_latency(model, terms, terms.latency, names)
        if not terms.is_max:
            model.objective = pyo.Objective(expr=sum(model.latency[w] for w in model.WORKFLOWS))
            return
    _add_worth(model, terms, names)
    model.objective = pyo.Objective(expr=sum(model.worth[w] for w in model.worth))
    if terms.latency is not None:
        model.worst = pyo.Constraint(
            model.WORKFLOWS, rule=lambda model, w: model.worth[WORST] >= model.latency[w]
        )
    else:
        _add_responses(model, terms, names)


def _add_latency(model: Any, terms: Terms, costs: LatencyCosts, names: _Names) -> None:
    """Add the costs of a latency objective, and ``latency`` of every workflow."""
    base = dict(zip(names.workflow, costs.constant, strict=True))
    model.base_cost = pyo.Param(
        model.WORKFLOWS, initialize=base, doc="sum of least latencies; the other costs exceed them"
    )
    model.place_cost = pyo.Param(
        model.PLACES, initialize=names.by_place(enumerate(costs.unary)), doc="of i on n"
    )
    model.move_cost = pyo.Param(
        model.MOVES, initialize=names.by_move(enumerate(costs.pair)), doc="of i on n and j on m"
    )
    places = {
        workflow.name: [(names.function[f], n) for f in workflow.functions for n in names.nodes[f]]
        for workflow in terms.arrays.workflows
    }
    moves = {
        workflow.name: [(*names.edge[e], *pair) for e in workflow.edges for pair in names.moves[e]]
        for workflow in terms.arrays.workflows
    }

    def latency(model: Any, w: str) -> Any:
        placed = sum(model.place_cost[at] * model.place[at] for at in places[w])
        return (
            model.base_cost[w]
            + placed
            + sum(model.move_cost[at] * model.move[at] for at in moves[w])
        )

    model.latency = pyo.Expression(model.WORKFLOWS, rule=latency, doc="sum of latencies")


def _add_worth(model: Any, terms: Terms, names: _Names) -> None:
    """Add ``value`` and ``worth`` of every workflow, or of the worst alone."""
    least = dict(zip(names.workflow, terms.lower, strict=True))
    most = {name: _most(terms, w) for w, name in enumerate(names.workflow)}
    if terms.is_max:
        least, most = {WORST: max(least.values())}, {WORST: max(most.values())}
    model.VALUES = pyo.Set(initialize=list(least), doc="workflows, or the worst of them alone")
    model.least_worth = pyo.Param(model.VALUES, initialize=least, doc="no placement counts less")
    model.value = pyo.Var(
        model.VALUES,
        bounds=lambda _, w: (0, max(0, most[w] - least[w])),
        doc="what a workflow counts beyond that",
    )
    model.worth = pyo.Expression(
        model.VALUES, rule=lambda model, w: model.least_worth[w] + model.value[w]
    )


def _add_responses(model: Any, terms: Terms, names: _Names) -> None:
    """Add ``last`` and ``through``: a response is no less than any time on the way to it."""
    timings = list(terms.timings.values())
    value_of = {
        names.function[f]: WORST if terms.is_max else names.workflow[item.index]
        for item in timings
        for f in item.functions
    }

    def last(model: Any, i: str) -> Any:
        return model.worth[value_of[i]] >= model.finish_time[i]

    def through(model: Any, i: str) -> Any:
        w = value_of[i]
        given = {n: model.reached[i, n] + model.remaining[i, n] for n in names.nodes_of[i]}
        return _at_least(model, model.worth[w], model.least_worth[w], i, given)

    model.last = pyo.Constraint(
        [names.function[f] for item in timings for f in item.sinks], rule=last
    )
    model.through = pyo.Constraint(model.TIMED, rule=through)


def _at_least(model: Any, left: Any, base: int, i: str, given: dict[str, int]) -> Any:
    """Let an expression of at least ``base`` be at least what the node of a function makes of it.

    What a node adds may be understated, and is where it would be too large for a row.
    """
    beyond = {n: min(max(0, value - base), MAX_ROW_COEFFICIENT) for n, value in given.items()}
    if not any(beyond.values()):
        return pyo.Constraint.Skip
    return left >= base + sum(amount * model.place[i, n] for n, amount in beyond.items())


def _latest_delay(item: Timing, function: int, limit: float) -> int:
    """Return the latest finish of a function that leaves time for the rest, beyond its earliest."""
    remainder = item.remainder[function]
    latest = min(item.latest[function], limit - remainder.min()) if remainder.size else 0
    return max(0, int(latest) - item.earliest(function))


def _most(terms: Terms, w: int) -> int:
    """Return an upper bound on what a workflow counts."""
    if terms.latency is None:
        return int(min(max(terms.timings[w].latest.values()), terms.limits[w]))
    workflow, costs = terms.arrays.workflows[w], terms.latency
    return (
        costs.constant[w]
        + sum(int(costs.unary[f].max()) for f in workflow.functions)
        + sum(int(costs.pair[e].max(initial=0)) for e in workflow.edges)
    )
