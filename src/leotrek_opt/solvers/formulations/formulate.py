"""``formulate``: the linear model of a problem, for export and for whoever wants to look at it."""

from __future__ import annotations

from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.solvers.formulations.placement import PlacementModel, build
from leotrek_opt.solvers.prepared import prepare

MAX_NONZEROS = 20_000_000


def formulate(problem: PlacementProblem, *, max_nonzeros: int = MAX_NONZEROS) -> PlacementModel:
    """Build the linear model that ``milp`` hands to an engine.

    Parameters
    ----------
    problem
        Any placement problem.
    max_nonzeros
        Refuse a model with more matrix entries than this.

    Returns
    -------
    PlacementModel
        Its ``linear`` can be solved, extended or exported, and ``decode`` turns a point of it into
        node indices.

    Raises
    ------
    leotrek_opt.errors.ModelTooLargeError
        If there would be more entries; the text says how many.
    """
    return build(prepare(problem).arrays, None, max_nonzeros=max_nonzeros)
