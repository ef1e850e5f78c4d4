"""How often each function of a workflow runs, in expectation."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

from leotrek_opt.errors import InputError
from leotrek_opt.evaluation.exact import exact
from leotrek_opt.models.workflow import Branch, Control, Loop, Workflow


def expected_executions(workflow: Workflow) -> dict[str, Fraction]:
    """Return the expected number of executions of every function.

    A loop that repeats with probability p runs its body 1 / (1 - p) times (the mean of a geometric
    distribution), an arm of a branch runs with its probability, a map runs its body ``count``
    times. Controls within each other multiply.

    Parameters
    ----------
    workflow
        With or without control flow.

    Returns
    -------
    dict
        Exact number by function identifier, in the order of the workflow's functions.

    Raises
    ------
    leotrek_opt.errors.InputError
        If a control names a function twice, or two controls overlap without one lying inside a body
        or a single arm of the other.
    """
    _check_nesting(workflow.control)
    executions = {function.id: Fraction(1) for function in workflow.functions}
    for control in workflow.control:
        for names, factor in _groups(control):
            for name in names:
                executions[name] *= factor
    return executions


def _groups(control: Control) -> list[tuple[tuple[str, ...], Fraction]]:
    """Functions that a control runs together, with the expected number of runs."""
    if isinstance(control, Branch):
        return [
            (arm, exact(probability))
            for arm, probability in zip(control.arms, control.probabilities, strict=True)
        ]
    if isinstance(control, Loop):
        return [(control.body, 1 / (1 - exact(control.probability)))]
    return [(control.body, Fraction(control.count))]


def _check_nesting(controls: tuple[Control, ...]) -> None:
    groups = [[frozenset(names) for names, _ in _groups(control)] for control in controls]
    whole = [frozenset[str]().union(*parts) for parts in groups]
    for index, control in enumerate(controls):
        seen: set[str] = set()
        for name in (name for names, _ in _groups(control) for name in names):
            if name in seen:
                raise InputError(
                    f'function "{name}" is named twice; a function may stand once in a body, '
                    "and in one arm of a branch",
                    field=f"control[{index}]",
                )
            seen.add(name)
    for first, second in combinations(range(len(controls)), 2):
        shared = whole[first] & whole[second]
        inside = any(whole[second] <= part for part in groups[first])
        around = any(whole[first] <= part for part in groups[second])
        if shared and not inside and not around:
            raise InputError(
                f"overlaps control[{first}] in {', '.join(sorted(shared))}; of two controls with a "
                "common function one must lie inside a body or a single arm of the other",
                field=f"control[{second}]",
            )
