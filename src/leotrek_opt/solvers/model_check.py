"""Checking what is said of a linear model: points, objectives and bounds, without any solver."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.base import nearest_name
from leotrek_opt.solvers.certificate.branch import linear_bound
from leotrek_opt.solvers.engines.answers import bound_meets
from leotrek_opt.solvers.linear import LinearModel, Violation
from leotrek_opt.solvers.linear_arrays import ModelArrays, model_digest
from leotrek_opt.solvers.matrix import MatrixModel
from leotrek_opt.solvers.model_result import ModelResult, exact_number
from leotrek_opt.solvers.status import Proof, Status

ROW_TOLERANCE = 1e-6
"""Largest excess over a row at points with fractions, as ``LinearModel.violations_of`` means it."""


@dataclass(frozen=True)
class ModelVerification:
    """What :func:`verify_model` found.

    Parameters
    ----------
    ok
        The solution keeps every row and bound, and nothing that the result claims is refuted.
    violations
        What it breaks.
    objective, bound
        Recomputed, in the units of the model as it was given; None if there is nothing to compute.
    proof
        ``certified`` if the derived bound carries the claim.
    messages
        One sentence for each thing that was checked.
    """

    ok: bool
    violations: tuple[str, ...]
    objective: Fraction | float | None
    bound: Fraction | None
    proof: Proof
    messages: tuple[str, ...]


def verify_model(model: LinearModel | MatrixModel, subject: ModelResult) -> ModelVerification:
    """Check a result against its model, without any solver.

    Parameters
    ----------
    model
        What was solved.
    subject
        What is to be believed.

    Returns
    -------
    ModelVerification
        Recomputed objective and bound, and what is wrong.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the result belongs to another model, or names a column that the model does not have.
    """
    matrix = MatrixModel.of(model)
    arrays = matrix.linear.arrays()
    if subject.problem_digest != model_digest(arrays):
        raise InputError(
            f"belongs to the model {subject.problem_digest[:12]}..., not to "
            f"{model_digest(arrays)[:12]}...",
            field="problem_digest",
        )
    ok, messages = subject.status is not Status.ERROR, list[str]()
    violations: tuple[str, ...] = ()
    objective: Fraction | float | None = None
    if subject.solution is not None:
        point = point_of(matrix, subject.solution.values)
        violations, objective = evaluated(matrix, point)
        ok &= not violations
        messages.append(
            f"the solution breaks {len(violations)} rule(s), first: {violations[0]}"
            if violations
            else "the solution keeps every row and bound"
        )
        if not _same(objective, subject.objective, subject.exact_objective):
            ok = False
            messages.append(
                f"the objective is {_short(objective)}, the result says {subject.objective}"
            )
    elif subject.status in (Status.OPTIMAL, Status.FEASIBLE):
        ok = False
        messages.append(f"the result is {subject.status} but holds no solution")
    proof, bound, carried = _carried(matrix, subject, messages)
    wrong = _contradictions(matrix, subject, objective, is_feasible=objective is not None and ok)
    messages += wrong
    ok &= carried and not wrong
    return ModelVerification(ok, violations, objective, bound, proof, tuple(messages))


def evaluated(
    matrix: MatrixModel, point: NDArray[np.float64]
) -> tuple[tuple[str, ...], Fraction | float]:
    """Return what a point breaks and its objective.

    Parameters
    ----------
    matrix
        The model.
    point
        One value per column in the units of ``matrix.linear``, shape (n,).

    Returns
    -------
    violations, objective
        Objective in the units of the model as it was given: a Fraction, and exact, if every column
        with a cost has a whole value.
    """
    arrays = matrix.linear.arrays()
    broken = [
        str(_in_words(matrix, violation))
        for violation in matrix.linear.violations_of(point, tolerance=ROW_TOLERANCE)
    ]
    priced = arrays.cost != 0
    if np.all(np.rint(point[priced]) == point[priced]):
        whole = np.where(priced, point, 0.0)
        return tuple(broken), matrix.objective(matrix.linear.objective_of(whole))
    value = arrays.offset + sum(map(float, arrays.cost[priced] * point[priced]))
    return tuple(broken), float(matrix.objective(value))


def _in_words(matrix: MatrixModel, violation: Violation) -> Violation:
    words = matrix.linear.row_words if violation.kind == "row" else matrix.linear.column_words
    return replace(violation, label=words(violation.index))


def point_of(matrix: MatrixModel, values: Mapping[str, int | float]) -> NDArray[np.float64]:
    """Return the point that a solution document describes.

    Parameters
    ----------
    matrix
        The model.
    values
        Values in the units of the model as it was given, by column name.

    Returns
    -------
    numpy.ndarray
        One value per column of ``matrix.linear``, shape (n,).

    Raises
    ------
    InputError
        If the model has no such column.
    """
    position = {name: column for column, name in enumerate(matrix.column_names)}
    point = np.zeros(len(position))
    for name, value in values.items():
        if name not in position:
            raise InputError(
                f'no column "{name}"{nearest_name(name, position)}', field="solution.values"
            )
        point[position[name]] = value
    return matrix.point(point)


def _same(value: Fraction | float | None, rounded: float | None, exact: str | None) -> bool:
    stated = exact_number(exact)
    if value is None or rounded is None:
        return value is None and rounded is None and stated is None
    if isinstance(value, Fraction) and stated is not None:
        return value == stated and _rounded(value) == rounded
    return stated is None and abs(float(value) - rounded) <= 1e-9 * max(1.0, abs(rounded))


def _contradictions(
    matrix: MatrixModel,
    subject: ModelResult,
    objective: Fraction | float | None,
    *,
    is_feasible: bool,
) -> list[str]:
    """Return in words what the parts of a result say against each other."""
    wrong = []
    stated = exact_number(subject.exact_bound)
    if stated is not None and (subject.bound is None or _rounded(stated) != subject.bound):
        wrong.append(f"the bound is {subject.bound}, or exactly {subject.exact_bound}: which?")
    if subject.status is Status.INFEASIBLE and is_feasible:
        wrong.append("the result says infeasible, but its solution keeps every row and bound")
    if subject.status is Status.UNBOUNDED and subject.bound is not None:
        wrong.append(f"the result says unbounded, yet gives a bound of {subject.bound}")
    meets = objective is not None and _meets(matrix, objective, subject)
    if subject.status is Status.OPTIMAL and not meets:
        wrong.append("the result says optimal, but its bound does not meet the objective")
    if is_feasible and objective is not None and subject.bound is not None and not meets:
        sign = matrix.linear.arrays().sign
        if sign * (Fraction(subject.bound if stated is None else stated) - Fraction(objective)) > 0:
            wrong.append(f"the bound of {subject.bound} is refuted by the result's own solution")
    return wrong


def _meets(matrix: MatrixModel, objective: Fraction | float, subject: ModelResult) -> bool:
    stated = exact_number(subject.exact_bound)
    if isinstance(objective, Fraction) and matrix.linear.arrays().objective_step is not None:
        # Where values have steps, two that are close are not the same.
        return float(objective) == subject.bound if stated is None else objective == stated
    if subject.bound is None:
        return False
    # Tolerances are those of the whole numbers that engines see, not of the author's units.
    scale = matrix.objective_scale
    return bound_meets(float(objective * scale), float(Fraction(subject.bound) * scale))


def _carried(
    matrix: MatrixModel, subject: ModelResult, messages: list[str]
) -> tuple[Proof, Fraction | None, bool]:
    """Return what the certificate proves, and whether it carries what the result says it does."""
    if subject.certificate is None:
        if subject.proof is Proof.CERTIFIED:
            messages.append("the result says certified but holds no certificate")
            return Proof.CLAIMED, None, False
        if subject.proof is Proof.CONFIRMED:
            messages.append("that two engines agree can only be seen by asking them again")
            return Proof.CLAIMED, None, True
        return subject.proof, None, True
    arrays = matrix.linear.arrays()
    verdict = linear_bound(arrays, subject.certificate)
    bound = None if verdict.bound is None else matrix.objective(verdict.bound)
    if subject.status is Status.INFEASIBLE:
        is_carried = verdict.infeasible
        text = "the certificate proves that no solution exists"
        missing = "the certificate does not prove infeasibility"
    else:
        is_carried = verdict.infeasible or (bound is not None and _reaches(bound, subject, arrays))
        text = f"the certificate carries the bound of {subject.bound}"
        missing = f"the certificate carries {_short(bound)}, the result claims {subject.bound}"
        if verdict.infeasible and (
            subject.solution is not None or subject.status is Status.UNBOUNDED
        ):
            is_carried, missing = False, "the certificate says infeasible, the result does not"
    messages.append(text if is_carried else missing)
    if is_carried:
        return Proof.CERTIFIED, bound, True
    proof = Proof.NONE if subject.proof is Proof.NONE else Proof.CLAIMED
    return proof, bound, subject.proof is not Proof.CERTIFIED


def _reaches(bound: Fraction, subject: ModelResult, arrays: ModelArrays) -> bool:
    stated = exact_number(subject.exact_bound)
    if stated is not None:
        return arrays.sign * (bound - stated) >= 0
    # A bound that was rounded to a float is met by what rounds to the same.
    return subject.bound is not None and arrays.sign * (float(bound) - subject.bound) >= 0


def _rounded(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _short(value: Fraction | float | None) -> str:
    return "nothing" if value is None else f"{_rounded(Fraction(value)):.12g}"
