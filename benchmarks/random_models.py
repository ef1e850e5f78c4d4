"""Random small integer programs on every engine, against enumeration, and what bounds lose.

Every engine must give the optimum that enumeration finds. Of every feasible model the safe bound
of the linear relaxation is derived from HiGHS's duals, from the same with the wrong sign, and from
random numbers: each must be a bound; how much the first loses against the relaxation is reported.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from _common import Figures, parser, report

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.solvers.engines.small_models import random_mixed_model, random_model

from leotrek_opt.solvers.certificate.linear import dual_bound
from leotrek_opt.solvers.engines import MIP_ENGINES, engine_named
from leotrek_opt.solvers.engines.highs import HighsEngine
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.status import Status

TOLERANCE = 2e-6


def draw(seed: int) -> tuple[LinearModel, int | None]:
    """Return a model and its optimum, every third one with continuous columns."""
    rng = np.random.default_rng([2026, seed])
    if seed % 3:
        return random_model(rng)
    oracle = random_mixed_model(rng)
    return oracle.model, oracle.optimum


def is_right(engine: str, model: LinearModel, optimum: int | None) -> bool:
    """Tell whether an engine's answer is what enumeration says."""
    result = engine_named(engine).solve(model)
    if optimum is None:
        return result.status is Status.INFEASIBLE
    return (
        result.status is Status.OPTIMAL
        and result.objective is not None
        and abs(result.objective - optimum) <= TOLERANCE
    )


def bound_losses(model: LinearModel, optimum: int, seed: int) -> tuple[float | None, int]:
    """Return the loss of the safe bound against the relaxation, and how many bounds are wrong."""
    arrays = model.arrays()
    relaxed = HighsEngine().solve_lp(model)
    if relaxed.row_dual is None or relaxed.objective is None:
        return None, 0
    rng = np.random.default_rng([7, seed])
    noise = rng.normal(0, 10, arrays.row_lower.size)
    wrong = 0
    for duals in (relaxed.row_dual, -relaxed.row_dual, noise, 1e6 * noise):
        bound = dual_bound(arrays, duals)
        wrong += bound is not None and arrays.sign * (bound - optimum) > 0
    safe = dual_bound(arrays, relaxed.row_dual)
    if safe is None:
        return None, wrong
    return abs(float(safe) - relaxed.objective), wrong


def main() -> int:
    """Measure and print; 1 if anything disagrees."""
    arguments = parser(__doc__.splitlines()[0]).parse_args()
    count = 150 if arguments.quick else 1000
    tried, wrong = dict.fromkeys(MIP_ENGINES, 0), dict.fromkeys(MIP_ENGINES, 0)
    seconds = dict.fromkeys(MIP_ENGINES, 0.0)
    losses: list[float] = []
    false_bounds = infeasible = 0
    for seed in range(count):
        model, optimum = draw(seed)
        infeasible += optimum is None
        for name in MIP_ENGINES:
            began = time.perf_counter()
            agrees = is_right(name, model, optimum)
            seconds[name] += time.perf_counter() - began
            tried[name] += 1
            if not agrees:
                wrong[name] += 1
                print(f"{name} disagrees on model {seed}", file=sys.stderr)
        if optimum is not None:
            loss, invalid = bound_losses(model, optimum, seed)
            false_bounds += invalid
            losses += [] if loss is None else [loss]
    figures: Figures = {"models": count, "infeasible": infeasible}
    for name in MIP_ENGINES:
        figures |= {
            f"{name}_models": tried[name],
            f"{name}_wrong": wrong[name],
            f"{name}_ms_each": 1e3 * seconds[name] / max(1, tried[name]),
        }
    figures |= {
        "bounds_false": false_bounds,
        "bounds_from_duals": len(losses),
        "bound_loss_largest": max(losses, default=0.0),
        "bound_loss_median": float(np.median(losses)) if losses else 0.0,
    }
    report(figures, {"seeds": f"0 to {count - 1}"}, arguments.format)
    return int(any(wrong.values()) or false_bounds > 0)


if __name__ == "__main__":
    sys.exit(main())
