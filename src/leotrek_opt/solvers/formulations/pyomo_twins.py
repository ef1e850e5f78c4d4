"""``to_pyomo``: a problem as a readable Pyomo model, to extend and to solve with any solver."""

from __future__ import annotations

from typing import Any

from leotrek_opt.models.placement import PlacementProblem, PlacementSolution
from leotrek_opt.solvers.arrays.placement import placement_arrays
from leotrek_opt.solvers.formulations.placement.build import prepare
from leotrek_opt.topology.materialise import materialise

__all__ = ["MAX_NONZEROS", "solution_of", "to_pyomo"]

MAX_NONZEROS = 1_000_000
"""Default limit: about 10 s and half a GiB to build, and twice that for Pyomo to hand it over."""


def to_pyomo(problem: PlacementProblem, *, max_nonzeros: int = MAX_NONZEROS) -> Any:
    """Write a problem's formulation as a Pyomo model.

    Sets, variables and constraints carry the names of the formulation and are indexed by those of
    the problem, such as ``model.place["video/resize", "edge-17"]``; the module that writes the
    model lists them. Add constraints, replace the objective, solve it with any solver of Pyomo's,
    and read the placement with :func:`solution_of`.

    Parameters
    ----------
    problem
        A placement problem.
    max_nonzeros
        Refuse a model with more matrix entries than this.

    Returns
    -------
    pyomo.environ.ConcreteModel
        Equal to what the method ``milp`` solves. ``unit_ns`` says what one unit of its objective is
        worth; where that is not 1, times are rounded down to it.

    Raises
    ------
    ModelTooLargeError
        If the model would exceed ``max_nonzeros``; the text says how large it would be.
    UnsupportedError
        If the problem has control flow, or no node is left to a function.

    Examples
    --------
    >>> import pyomo.environ as pyo
    >>> import leotrek_opt as lt
    >>> problem = lt.generate("wildfire", satellites=144, edge=20, ground_stations=4, workflows=1)
    >>> model = to_pyomo(problem)
    >>> _ = pyo.SolverFactory("appsi_highs").solve(model)
    >>> pyo.value(model.objective) * model.unit_ns / 1e6 == lt.solve(problem).objective
    True
    >>> lt.verify(problem, solution_of(model, problem)).ok
    True
    """
    from leotrek_opt.solvers.formulations.placement.pyomo import placement_twin

    arrays = placement_arrays(problem, materialise(problem.continuum))
    terms, unit_ns = prepare(arrays, max_nonzeros=max_nonzeros)
    return placement_twin(terms, unit_ns)


def solution_of(model: Any, problem: PlacementProblem) -> PlacementSolution:
    """Read the solution off a solved model.

    Parameters
    ----------
    model
        From :func:`to_pyomo`, perhaps extended, with the values of a solve.
    problem
        What it was made of.

    Returns
    -------
    PlacementSolution
        In the order of the problem; :func:`leotrek_opt.verify` judges it.

    Raises
    ------
    InputError
        If the model belongs to another problem, or a function is not on exactly one node.
    """
    from leotrek_opt.solvers.formulations.placement.pyomo import placement_of

    return placement_of(model, problem)
