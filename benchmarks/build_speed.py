"""What a model costs until an engine holds it, beside raw arrays handed to HiGHS.

The model is an assignment placement. Function f goes to one of its K candidate nodes (binary x),
and each of E data edges pays for its pair of nodes through continuous variables y that flow rows
tie to x:

    sum_k x[f, k] = 1,   sum_j y[e, i, j] = x[source(e), i],   sum_i y[e, i, j] = x[target(e), j],
    and on each node, for each of two resources, a knapsack row over the x placed there.

Ways to build it, timed in processor time from the instance's arrays to an object that holds the
model:

- raw: CSR arrays written by hand in numpy, ``Highs.passModel``; the physical limit;
- ours: blocks of a ``LinearModel``, then the load step of our HiGHS engine;
- cpsat: the same blocks, then CP-SAT's proto with exactly-one rows and implications as such;
- scip, pdlp: the same blocks, then MathOpt's proto, from which both solvers are made;
- engine_pyomo: the same blocks, then our generic ConcreteModel and ``set_instance``;
- pyomo: a ConcreteModel with rules by hand, then ``set_instance`` of ``appsi_highs``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

import highspy
import numpy as np
import pyomo.environ as pyo
from _common import Figures, alternating_cpu_s, in_child, memory_growth_mib, parser, report
from numpy.typing import NDArray
from pyomo.contrib.appsi.solvers import Highs as AppsiHighs

from leotrek_opt.solvers.engines.highs import load
from leotrek_opt.solvers.linear import LinearModel

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Instance:
    """An assignment placement; every entry is an integer.

    Attributes
    ----------
    candidate
        Candidate nodes, shape (F, K), distinct within a row.
    cost
        Cost of each candidate, shape (F, K).
    source, target
        Functions at the ends of each edge, shape (E,).
    pair_cost
        Latency between the candidates of each edge's ends, shape (E, K, K).
    demand
        Demand of each function, shape (2, F).
    capacity
        Capacity of each node, shape (2, N).
    """

    candidate: IntArray
    cost: IntArray
    source: IntArray
    target: IntArray
    pair_cost: IntArray
    demand: IntArray
    capacity: IntArray


SIZES = {
    "130k": {"functions": 30, "nodes": 500, "candidates": 40, "edges": 39},
    "1m": {"functions": 60, "nodes": 2000, "candidates": 80, "edges": 78},
}


def draw(functions: int, nodes: int, candidates: int, edges: int, seed: int = 0) -> Instance:
    """Draw an instance."""
    rng = np.random.default_rng(seed)
    candidate = np.array(
        [np.sort(rng.choice(nodes, candidates, replace=False)) for _ in range(functions)]
    )
    target = rng.integers(1, functions, edges)
    source = rng.integers(0, target)
    latency = rng.integers(1, 1000, (nodes, nodes))
    return Instance(
        candidate=candidate,
        cost=rng.integers(1, 100, (functions, candidates)),
        source=source,
        target=target,
        pair_cost=latency[candidate[source][:, :, None], candidate[target][:, None, :]],
        demand=rng.integers(1, 10, (2, functions)),
        capacity=rng.integers(10, 40, (2, nodes)),
    )


def build_raw(instance: Instance) -> highspy.Highs:
    """Write the CSR arrays by hand and pass them on."""
    n_functions, n_candidates = instance.candidate.shape
    n_edges, n_nodes = instance.source.size, instance.capacity.shape[1]
    n_place = n_functions * n_candidates
    n_columns = n_place + n_edges * n_candidates**2

    x = np.arange(n_place, dtype=np.int32).reshape(n_functions, n_candidates)
    y = np.arange(n_place, n_columns, dtype=np.int32).reshape(n_edges, n_candidates, n_candidates)
    out_rows = np.empty((n_edges, n_candidates, n_candidates + 1), dtype=np.int32)
    in_rows = np.empty_like(out_rows)
    out_rows[:, :, 0], out_rows[:, :, 1:] = x[instance.source], y
    in_rows[:, :, 0], in_rows[:, :, 1:] = x[instance.target], y.transpose(0, 2, 1)

    by_node = np.argsort(instance.candidate.reshape(-1), kind="stable").astype(np.int32)
    on_node = np.bincount(instance.candidate.reshape(-1), minlength=n_nodes)
    demand = np.repeat(instance.demand, n_candidates, axis=1)[:, by_node]

    n_flow = 2 * n_edges * n_candidates
    lengths = np.concatenate(
        [
            np.full(n_functions, n_candidates),
            np.full(n_flow, n_candidates + 1),
            on_node,
            on_node,
        ]
    )
    indptr = np.zeros(lengths.size + 1, dtype=np.int32)
    np.cumsum(lengths, out=indptr[1:])
    indices = np.concatenate(
        [x.reshape(-1), out_rows.reshape(-1), in_rows.reshape(-1), by_node, by_node]
    )
    data = np.ones(indices.size)
    data[n_place : n_place + n_flow * (n_candidates + 1) : n_candidates + 1] = -1
    data[n_place + n_flow * (n_candidates + 1) :] = demand.reshape(-1)

    cost = np.concatenate(
        [instance.cost.reshape(-1), instance.pair_cost.reshape(-1)], dtype=np.float64
    )
    row_lower, row_upper = np.zeros(lengths.size), np.zeros(lengths.size)
    row_lower[:n_functions] = row_upper[:n_functions] = 1
    row_lower[n_functions + n_flow :] = -np.inf
    row_upper[n_functions + n_flow :] = instance.capacity.reshape(-1)
    integrality = np.zeros(n_columns, dtype=np.int32)
    integrality[:n_place] = 1

    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    status = highs.passModel(
        n_columns,
        lengths.size,
        indices.size,
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize),
        0.0,
        cost,
        np.zeros(n_columns),
        np.ones(n_columns),
        row_lower,
        row_upper,
        indptr,
        indices,
        data,
        integrality,
    )
    if status != highspy.HighsStatus.kOk:
        raise RuntimeError(f"passModel: {status}")
    return highs


def model_of(instance: Instance) -> LinearModel:
    """Build the model from blocks."""
    n_functions, n_candidates = instance.candidate.shape
    n_edges, n_nodes = instance.source.size, instance.capacity.shape[1]
    model = LinearModel()
    x = model.add_variables(
        (n_functions, n_candidates), lower=0, upper=1, cost=instance.cost, integer=True, name="x"
    )
    y = model.add_variables(
        (n_edges, n_candidates, n_candidates),
        lower=0,
        upper=1,
        cost=instance.pair_cost,
        implied_integer=True,
        name="y",
    )
    model.add_rows(x, lower=1, upper=1, name="assign")
    signs = np.ones(n_candidates + 1, dtype=np.int64)
    signs[0] = -1
    leaving = np.concatenate([x[instance.source][:, :, None], y], axis=2)
    model.add_rows(leaving, signs, lower=0, upper=0, name="leave")
    arriving = np.concatenate([x[instance.target][:, :, None], y.transpose(0, 2, 1)], axis=2)
    model.add_rows(arriving, signs, lower=0, upper=0, name="arrive")
    node = instance.candidate.reshape(-1)
    model.add_rows_from_triplets(
        np.concatenate([node, n_nodes + node]),
        np.tile(x.reshape(-1), 2),
        np.repeat(instance.demand, n_candidates, axis=1).reshape(-1),
        shape=(2, n_nodes),
        upper=instance.capacity,
        name="capacity",
    )
    return model


def build_ours(instance: Instance) -> highspy.Highs:
    """Build a ``LinearModel`` and load it with our engine."""
    return load(model_of(instance).arrays())


def build_pyomo(instance: Instance) -> object:
    """Build the same in Pyomo, the way its documentation shows, and load it."""
    n_functions, n_candidates = instance.candidate.shape
    n_edges, n_nodes = instance.source.size, instance.capacity.shape[1]
    cost, pair_cost = instance.cost.tolist(), instance.pair_cost.tolist()
    source, target = instance.source.tolist(), instance.target.tolist()
    demand, capacity = instance.demand.tolist(), instance.capacity.tolist()
    placed: list[list[tuple[int, int]]] = [[] for _ in range(n_nodes)]
    for f, row in enumerate(instance.candidate.tolist()):
        for k, node in enumerate(row):
            placed[node].append((f, k))

    model = pyo.ConcreteModel()
    model.F, model.K = pyo.RangeSet(0, n_functions - 1), pyo.RangeSet(0, n_candidates - 1)
    model.E, model.N = pyo.RangeSet(0, n_edges - 1), pyo.RangeSet(0, n_nodes - 1)
    model.R = pyo.RangeSet(0, 1)
    model.x = pyo.Var(model.F, model.K, domain=pyo.Binary)
    model.y = pyo.Var(model.E, model.K, model.K, bounds=(0, 1))
    model.assign = pyo.Constraint(
        model.F, rule=lambda m, f: pyo.quicksum(m.x[f, k] for k in m.K) == 1
    )
    model.leave = pyo.Constraint(
        model.E,
        model.K,
        rule=lambda m, e, i: pyo.quicksum(m.y[e, i, j] for j in m.K) == m.x[source[e], i],
    )
    model.arrive = pyo.Constraint(
        model.E,
        model.K,
        rule=lambda m, e, j: pyo.quicksum(m.y[e, i, j] for i in m.K) == m.x[target[e], j],
    )

    def capacity_rule(m: pyo.ConcreteModel, r: int, node: int) -> object:
        if not placed[node]:
            return pyo.Constraint.Skip
        used = pyo.quicksum(demand[r][f] * m.x[f, k] for f, k in placed[node])
        return used <= capacity[r][node]

    model.capacity = pyo.Constraint(model.R, model.N, rule=capacity_rule)
    model.objective = pyo.Objective(
        expr=pyo.quicksum(cost[f][k] * model.x[f, k] for f in model.F for k in model.K)
        + pyo.quicksum(
            pair_cost[e][i][j] * model.y[e, i, j] for e in model.E for i in model.K for j in model.K
        )
    )
    solver = AppsiHighs()
    solver.set_instance(model)
    return solver


def build_cpsat(instance: Instance) -> object:
    """Build blocks, then CP-SAT's model."""
    from leotrek_opt.solvers.engines.cpsat_integers import whole_model
    from leotrek_opt.solvers.engines.cpsat_model import native_model

    return native_model(whole_model(model_of(instance), None))


def build_mathopt(instance: Instance) -> object:
    """Build blocks, then MathOpt's model."""
    from leotrek_opt.solvers.engines.mathopt import model_proto

    return model_proto(model_of(instance).arrays())


def build_engine_pyomo(instance: Instance) -> object:
    """Build blocks, then the ConcreteModel that our Pyomo engine hands over."""
    from leotrek_opt.solvers.engines.pyomo_model import row_model

    solver = AppsiHighs()
    solver.set_instance(row_model(model_of(instance).arrays()).model)
    return solver


BUILDERS = {
    "raw": build_raw,
    "ours": build_ours,
    "cpsat": build_cpsat,
    "mathopt": build_mathopt,
    "engine_pyomo": build_engine_pyomo,
    "pyomo": build_pyomo,
}
IN_TURNS = ("raw", "ours", "cpsat", "mathopt")
"""Fast enough to be timed several times."""


def built_once(method: str, size: str) -> tuple[float, float]:
    """Build once in this process: memory growth in MiB and processor seconds."""
    instance, seconds = draw(**SIZES[size]), [0.0]
    BUILDERS[method](draw(functions=3, nodes=9, candidates=4, edges=3))  # loads what it needs

    def build() -> object:
        started = time.process_time()
        built = BUILDERS[method](instance)
        seconds[0] = time.process_time() - started
        return built

    return memory_growth_mib(build), seconds[0]


def measure(size: str, repeats: int) -> Figures:
    """Compare all ways at one size."""
    instance = draw(**SIZES[size])
    raw, ours = build_raw(instance), build_ours(instance)
    if raw.getNumNz() != ours.getNumNz() or raw.getNumRow() != ours.getNumRow():
        raise RuntimeError("the two models differ")
    nonzeros = raw.getNumNz()
    del raw, ours
    cpu = alternating_cpu_s({name: partial(BUILDERS[name], instance) for name in IN_TURNS}, repeats)
    memory = {}
    for name in BUILDERS:
        memory[name], seconds = in_child(partial(built_once, name, size))
        cpu.setdefault(name, seconds)
    figures: Figures = {f"nonzeros_{size}": nonzeros, f"raw_ms_{size}": 1e3 * cpu["raw"]}
    figures[f"memory_raw_mib_{size}"] = memory["raw"]
    for name in BUILDERS:
        if name != "raw":
            figures[f"{name}_ms_{size}"] = 1e3 * cpu[name]
            figures[f"{name}_time_ratio_{size}"] = cpu[name] / cpu["raw"]
            figures[f"{name}_memory_ratio_{size}"] = memory[name] / memory["raw"]
    return figures


def main() -> None:
    """Measure and print."""
    arguments = parser(__doc__.splitlines()[0]).parse_args()
    sizes = ("130k",) if arguments.quick else ("130k", "1m")
    repeats = 7
    figures: Figures = {}
    for size in sizes:
        figures |= measure(size, repeats)
    report(
        figures,
        {
            "sizes": {size: SIZES[size] for size in sizes},
            "repeats": repeats,
            "time": "processor time; medians in turns, the two with Pyomo once in a fresh process",
            "memory": "growth of peak resident memory, each in a fresh process",
        },
        arguments.format,
    )


if __name__ == "__main__":
    main()
