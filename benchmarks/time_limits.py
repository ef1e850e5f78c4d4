"""How well each engine keeps its time limit, and how soon it answers after being cancelled.

Two models that no engine finishes: a market split with 5 rows and 40 binaries, where a node is
nothing, and a placement-like assignment with pair variables, where presolve and the first linear
program take their time. The figures are seconds beyond the limit, and seconds from cancelling to
the answer.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import numpy as np
from _common import Figures, parser, report

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.solvers.engines.small_models import market_split

from leotrek_opt.solvers.engines import MIP_ENGINES, engine_named
from leotrek_opt.solvers.engines.protocol import Limits
from leotrek_opt.solvers.linear import LinearModel


def dense_placement(seed: int, functions: int = 25, candidates: int = 30) -> LinearModel:
    """Functions on nodes with scarce capacity and a dense graph of data edges between them."""
    rng = np.random.default_rng(seed)
    pairs = [(i, j) for i in range(functions) for j in range(i + 1, functions)]
    edges = [pairs[k] for k in rng.choice(len(pairs), 70, replace=False)]
    demand = rng.integers(1, 6, functions)
    distance = rng.integers(0, 100, (candidates, candidates))
    model = LinearModel()
    x = model.add_variables(
        (functions, candidates),
        lower=0,
        upper=1,
        cost=rng.integers(1, 100, (functions, candidates)),
        integer=True,
        name="x",
    )
    y = model.add_variables(
        (len(edges), candidates, candidates),
        lower=0,
        upper=1,
        cost=np.broadcast_to(distance, (len(edges), candidates, candidates)),
        implied_integer=True,
        name="y",
    )
    source, target = (np.array(ends) for ends in zip(*edges, strict=True))
    model.add_rows(x, lower=1, upper=1, name="one")
    for name, tails, heads in (("leave", y, x[source]), ("reach", y.swapaxes(1, 2), x[target])):
        columns = np.concatenate([tails, heads[..., None]], axis=2)
        signs = np.concatenate([np.ones(candidates, int), [-1]])
        model.add_rows(columns, signs, lower=0, upper=0, name=name)
    room = 2 * int(demand.max()) - 2
    model.add_rows(x.T, np.tile(demand, (candidates, 1)), upper=room, name="room")
    return model


MODELS = {"market_split": market_split, "dense_placement": dense_placement}


def overshoot_s(engine: str, model: LinearModel, limit_s: float) -> float:
    """Return how long after its limit an engine answered."""
    began = time.monotonic()
    result = engine_named(engine).solve(model, Limits(time_limit_s=limit_s))
    seconds = time.monotonic() - began
    if str(result.status) not in {"feasible", "no_solution"}:
        raise RuntimeError(f"{engine} finished within {limit_s} s: {result.status}")
    return seconds - limit_s


def cancel_s(engine: str, model: LinearModel, after_s: float) -> float:
    """Return how long after being cancelled an engine answered."""
    cancel = threading.Event()
    moment = [0.0]

    def stop() -> None:
        moment[0] = time.monotonic()
        cancel.set()

    timer = threading.Timer(after_s, stop)
    timer.start()
    result = engine_named(engine).solve(model, Limits(time_limit_s=300.0), cancel=cancel)
    answered = time.monotonic()
    if str(result.status) != "interrupted":
        raise RuntimeError(f"{engine} finished before it was cancelled: {result.status}")
    return answered - moment[0]


def load(engine: str) -> None:
    """Solve something small, so that libraries are loaded before time counts."""
    model = LinearModel()
    model.add_variables(2, lower=0, upper=1, cost=1, integer=True, name="x")
    engine_named(engine).solve(model)


def wait_for_left_runs() -> None:
    """Let a run that was left behind end, so that it does not slow the next one down."""
    for thread in threading.enumerate():
        if thread.name == "leotrek-engine":
            thread.join(60)


def main() -> None:
    """Measure and print."""
    arguments = parser(__doc__.splitlines()[0]).parse_args()
    limits = (1.0,) if arguments.quick else (1.0, 3.0, 10.0)
    figures: Figures = {}
    worst = 0.0
    for engine in MIP_ENGINES:
        load(engine)
    for name, build in MODELS.items():
        model = build(1)
        for engine in MIP_ENGINES:
            for limit in limits:
                late = overshoot_s(engine, model, limit)
                figures[f"{name}_{engine}_{limit:g}s_late_s"] = late
                worst = max(worst, late / max(0.5, 0.1 * limit))
                wait_for_left_runs()
            figures[f"{name}_{engine}_cancel_s"] = cancel_s(engine, model, 1.5)
            wait_for_left_runs()
    figures["worst_share_of_allowance"] = worst
    report(
        figures,
        {
            "allowance": "the larger of 0.5 s and 10 % of the limit",
            "limits_s": list(limits),
            "imports": "excluded",
        },
        arguments.format,
    )


if __name__ == "__main__":
    main()
