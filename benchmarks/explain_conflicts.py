"""Explanations of infeasible placement problems, held against another engine and what was planted.

Random infeasible problems: the rules that an explanation names are infeasible by themselves, and
feasible without any one of them, as the flow formulation on another engine says. Planted conflicts:
the explanation is the one planted set, or one of the two. At last a problem of 1,118 nodes with a
planted conflict, for the time it takes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from _common import Figures, parser, report

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.oracle import random_problem
from tests.planted_conflicts import planted_problem
from tests.solvers.explain.placement.checks import Rules, by_engine

import leotrek_opt as lt

ENGINE = "scip"
"""Neither the exact method nor what confirms its conflicts."""


def is_irreducible(problem: lt.PlacementProblem, conflict: set[str]) -> bool:
    """Tell by another engine whether rules are in conflict and each of them is needed."""
    has_placement, rules = by_engine(ENGINE), Rules(problem)
    return not has_placement(rules.only(conflict)) and all(
        has_placement(rules.only(conflict - {rule})) for rule in conflict
    )


def random_conflicts(count: int) -> Figures:
    """Explain random infeasible problems."""
    right = rules = 0
    seconds: list[float] = []
    for seed in range(count):
        problem = random_problem(3000 + seed, infeasible=True)
        began = time.perf_counter()
        explanation = lt.explain(problem)
        seconds.append(time.perf_counter() - began)
        conflict = {rule.id for rule in explanation.rules}
        rules += len(conflict)
        right += explanation.is_irreducible and is_irreducible(problem, conflict)
    return {
        "random_problems": count,
        "random_right": right,
        "random_rules_each": rules / count,
        "random_s_each": sum(seconds) / count,
        "random_slowest_s": max(seconds),
    }


def planted_conflicts(count: int, conflicts: int, first_seed: int) -> Figures:
    """Explain problems with planted conflicts."""
    right = 0
    for seed in range(first_seed, first_seed + count):
        planted = planted_problem(seed, conflicts)
        explanation = lt.explain(planted.problem)
        found = frozenset(rule.id for rule in explanation.rules)
        right += explanation.is_irreducible and found in planted.conflicts
    return {f"planted_{conflicts}_problems": count, f"planted_{conflicts}_right": right}


def large_problem() -> Figures:
    """Explain a scenario in which the edges of one workflow allow a microsecond."""
    problem = lt.generate("wildfire", seed=1)
    workflow = problem.workflows[0]
    edges = tuple(edge.replace(max_latency_ms=0.001) for edge in workflow.edges)
    impossible = problem.replace(workflows=(workflow.replace(edges=edges), *problem.workflows[1:]))
    began = time.perf_counter()
    explanation = lt.explain(impossible)
    return {
        "large_nodes": len(problem.continuum.nodes),
        "large_s": time.perf_counter() - began,
        "large_rules": len(explanation.rules),
        "large_is_irreducible": int(explanation.is_irreducible),
    }


def main() -> int:
    """Measure and print; 1 if an explanation is wrong."""
    arguments = parser(__doc__.splitlines()[0]).parse_args()
    counts = (12, 8, 4) if arguments.quick else (60, 40, 20)
    figures = random_conflicts(counts[0])
    figures |= planted_conflicts(counts[1], 1, 0)
    figures |= planted_conflicts(counts[2], 2, 100)
    figures |= large_problem()
    report(figures, {"checked_by": ENGINE}, arguments.format)
    wrong = any(
        figures[f"{name}_right"] < figures[f"{name}_problems"]
        for name in ("random", "planted_1", "planted_2")
    )
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
