"""A problem made ready once, for everything that is asked of it afterwards."""

from __future__ import annotations

import time
from dataclasses import dataclass

from leotrek_opt.models.canonical import digest
from leotrek_opt.models.placement import PlacementProblem
from leotrek_opt.solvers.arrays.placement import PlacementArrays, placement_arrays
from leotrek_opt.topology.materialise import materialise
from leotrek_opt.topology.series import LinkSeries


@dataclass(frozen=True)
class Prepared:
    """A problem with everything that several solves of it share.

    Parameters
    ----------
    problem
        What is to be solved.
    digest
        Its digest.
    series
        Its materialised topology.
    arrays
        What the methods read.
    build_s
        Seconds that all this took.
    """

    problem: PlacementProblem
    digest: str
    series: LinkSeries
    arrays: PlacementArrays
    build_s: float


def prepare(problem: PlacementProblem) -> Prepared:
    """Materialise the topology of a problem and build its arrays.

    Parameters
    ----------
    problem
        Any placement problem.

    Returns
    -------
    Prepared
        Ready to be solved or verified.
    """
    started = time.monotonic()
    series = materialise(problem.continuum)
    arrays = placement_arrays(problem, series)
    return Prepared(problem, digest(problem), series, arrays, time.monotonic() - started)
